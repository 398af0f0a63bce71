#pragma once
// What a batch's messages about identity come to: who becomes whom, who may not, and whose messages have to wait.
//
// A merge is a barrier. The loser takes its messages up to the one that connects, then its state goes to the winner by
// mail; what the winner was told after that moment waits for the mail. So it does not matter how messages are cut into
// batches. Of the contacts that hang together the longest beginning of messages is taken in one round in which no loser has
// won anything by an earlier one: a thousand cookies of one person take one round, a chain of n merges n. What one message
// connects is connected at once or waits at once: all of them become the one whose name remains.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace nurture::identity {

/// The rules of a kind of key, as in nurture.identity_kind.
struct Kind {
    bool identifying = true;
    int priority = 0;
    std::size_t at_most = 0; ///< keys of it per contact; 0: any number
};

/// A message's word that two keys belong to one contact, or (split) that a key's contact is to be told apart again.
struct Link {
    std::string key, kind;      ///< the key the message came under
    std::string other, of_kind; ///< the key it names
    std::string contact, other_contact; ///< the contacts of both when the batch began
    bool other_wins = true; ///< where the kinds do not decide whose name remains
    bool forced = false; ///< somebody has decided it: limits do not hold
    bool split = false;
    bool undoable = false; ///< split: there was a merge to be undone when the batch began
    std::size_t message = 0; ///< links of one message have one number, and stand side by side; 0: it has this link only
};

/// A key that a contact has been known to have.
struct KnownKey {
    std::string contact, key, kind;
};

enum class Finding : std::uint8_t {
    merge,    ///< `loser` becomes `winner`
    split,    ///< `winner` is told apart
    conflict, ///< both have keys of `kind`, which one contact may not have; they stay two
    same,     ///< they were one already
};
struct Found {
    std::size_t link = 0;
    Finding finding = Finding::same;
    std::string winner, loser, kind;
};

/// Of this contact's messages those after the link's wait; with `before` the link's own, too.
struct Hold {
    std::string contact;
    std::size_t link = 0;
    bool before = false;
};

struct Plan {
    std::vector<Found> found; ///< of the links that were come to; those behind a barrier are left for the next round
    std::vector<Hold> holds;
};

/// `links` in the order of their messages. A kind that is not among `kinds` does not identify and has no limit.
[[nodiscard]] Plan plan(const std::vector<Link>& links, const std::vector<KnownKey>& known,
                        const std::map<std::string, Kind>& kinds);

} // namespace nurture::identity
