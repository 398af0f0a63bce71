// Whose a key is: merges planned round by round give what one message after the other gives; how the parts of two states join.
#include "core/identity/join.hpp"
#include "core/identity/plan.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>

namespace nurture::identity {
namespace {

/// Something told under a key: that it happened, or that other keys are the same person's.
struct Told {
    std::string key;
    std::string other; ///< empty: an event
    std::vector<std::string> more = {};

    [[nodiscard]] std::vector<std::string> others() const {
        std::vector<std::string> out;
        if (!other.empty())
            out.push_back(other);
        out.insert(out.end(), more.begin(), more.end());
        return out;
    }
};

std::string kind_of(const std::string& key) { return key.substr(0, key.find('-')); }

std::map<std::string, Kind> kinds() {
    return {{"user", {true, 100, 1}}, {"email", {true, 80, 2}}, {"cookie", {false, 10, 0}}, {"device", {false, 20, 3}}};
}

/// What a contact has lived through, merges with all that the other had.
using Lives = std::map<std::string, std::string>;

/// One message after the other, with plain maps.
class Oracle {
  public:
    Lives lives;
    std::vector<std::string> conflicts;

    void take(const std::vector<Told>& all) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            std::string const a = contact(all[i].key);
            lives[a] += ' ' + std::to_string(i);
            // Whom one of a message's keys makes a loser, and another the winner's loser in turn, goes straight to the last winner.
            std::vector<Merge> merges;
            for (const auto& other : all[i].others())
                connect(contact(all[i].key), contact(other), i, merges);
            for (const auto& [winner, loser] : merges) {
                lives[winner] += " [" + loser + lives[loser] + ']';
                lives.erase(loser);
            }
        }
    }

  private:
    struct Merge {
        std::string winner, loser;
    };
    std::string contact(const std::string& key) {
        auto const place = whose_.find(key);
        return place == whose_.end() ? key : place->second;
    }
    std::set<std::string> keys(const std::string& contact, const std::string& kind) {
        std::set<std::string> out;
        if (kind_of(contact) == kind)
            out.insert(contact);
        for (const auto& [key, of] : whose_)
            if (of == contact && kind_of(key) == kind)
                out.insert(key);
        return out;
    }
    void connect(const std::string& a, const std::string& b, std::size_t i, std::vector<Merge>& merges) {
        if (a == b)
            return;
        for (const auto& [name, kind] : kinds()) {
            auto x = keys(a, name), y = keys(b, name);
            std::size_t const most = std::max(x.size(), y.size());
            x.merge(y);
            if (kind.at_most != 0 && x.size() > kind.at_most && x.size() > most) {
                conflicts.push_back(std::to_string(i));
                return;
            }
        }
        int const x = kinds()[kind_of(a)].priority, y = kinds()[kind_of(b)].priority;
        std::string const winner = x > y ? a : b, loser = x > y ? b : a;
        for (auto& [key, of] : whose_)
            if (of == loser)
                of = winner;
        whose_[loser] = winner;
        for (auto& earlier : merges)
            if (earlier.winner == loser)
                earlier.winner = winner;
        merges.push_back({winner, loser});
    }
    std::map<std::string, std::string> whose_;
};

/// Round by round, as the tick does it: what a barrier holds back comes again in the next round, under today's contacts.
class Rounds {
  public:
    Lives lives;
    std::vector<std::string> conflicts;
    int rounds = 0;

    void take(const std::vector<Told>& all) {
        std::vector<Waiting> waiting;
        for (std::size_t i = 0; i < all.size(); ++i)
            waiting.push_back({i, all[i], {}});
        while (!waiting.empty())
            waiting = round(std::move(waiting));
    }

  private:
    struct Waiting {
        std::size_t place;
        Told told;
        std::string mail; ///< of a loser
    };
    std::string contact(const std::string& key) {
        auto const place = whose_.find(key);
        return place == whose_.end() ? key : place->second;
    }
    std::vector<Waiting> round(std::vector<Waiting> batch) {
        ++rounds;
        std::vector<Link> links;
        std::vector<std::size_t> of_link; // index into the batch
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const Told& told = batch[i].told;
            for (const auto& other : told.others()) {
                links.push_back({told.key, kind_of(told.key), other, kind_of(other), contact(told.key), contact(other)});
                links.back().message = i + 1;
                of_link.push_back(i);
            }
        }
        std::vector<KnownKey> known;
        for (const auto& [key, of] : whose_)
            known.push_back({of, key, kind_of(key)});
        auto const made = plan(links, known, kinds());
        std::map<std::string, std::pair<std::size_t, bool>> holds;
        for (const Hold& hold : made.holds)
            EXPECT_TRUE(holds.emplace(hold.contact, std::pair(of_link[hold.link], hold.before)).second) << "held twice";
        std::vector<Waiting> next;
        std::set<std::size_t> taken;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            std::string const who = contact(batch[i].told.key);
            auto const hold = holds.find(who);
            if (hold != holds.end() && (i > hold->second.first || (hold->second.second && i == hold->second.first))) {
                next.push_back(batch[i]);
                continue;
            }
            taken.insert(i);
            lives[who] += batch[i].mail.empty() ? ' ' + std::to_string(batch[i].place) : " [" + batch[i].mail + ']';
        }
        std::size_t merges = 0;
        for (const Found& found : made.found) {
            if (found.finding == Finding::conflict && taken.count(of_link[found.link]) != 0)
                conflicts.push_back(std::to_string(batch[of_link[found.link]].place));
            if (found.finding != Finding::merge)
                continue;
            ++merges;
            for (auto& [key, of] : whose_)
                if (of == found.loser)
                    of = found.winner;
            whose_[found.loser] = found.winner;
            whose_[found.winner] = found.winner; // so that its kind is known
            Waiting const mail{batch[of_link[found.link]].place, {found.winner, {}, {}}, found.loser + lives[found.loser]};
            // Behind the message that connects, before all later ones.
            auto const behind = std::find_if(next.begin(), next.end(), [&](const Waiting& w) { return w.place > mail.place; });
            next.insert(behind, mail);
            lives.erase(found.loser);
        }
        EXPECT_TRUE(merges > 0 || next.empty()) << "nothing merges, and something waits";
        return merges > 0 ? next : std::vector<Waiting>{};
    }
    std::map<std::string, std::string> whose_;
};

Lives sorted(Lives lives) {
    std::erase_if(lives, [](const auto& one) { return one.second.empty(); });
    return lives;
}

TEST(Identity, RoundsGiveWhatOneMessageAfterTheOtherGives) {
    EXPECT_TRUE(rc::check([] {
        int const people = *rc::gen::inRange(2, 7);
        auto any_key = [&] {
            return *rc::gen::element<std::string>("user", "email", "cookie", "cookie", "cookie", "device") + '-' +
                   std::to_string(*rc::gen::inRange(0, people));
        };
        std::vector<Told> all;
        int const count = *rc::gen::inRange(1, 40);
        int const links = *rc::gen::element(10, 30, 70);
        for (int i = 0; i < count; ++i) {
            Told told{any_key(), {}, {}};
            if (*rc::gen::inRange(0, 100) < links)
                told.other = any_key();
            if (told.other == told.key)
                told.other.clear();
            if (!told.other.empty() && *rc::gen::inRange(0, 3) == 0)
                for (int others = *rc::gen::inRange(1, 4); others > 0; --others)
                    told.more.push_back(any_key());
            all.push_back(told);
        }
        Oracle oracle;
        oracle.take(all);
        Rounds rounds;
        rounds.take(all);
        std::string story;
        for (const auto& told : all)
            story += std::accumulate(told.more.begin(), told.more.end(), told.key + (told.other.empty() ? "" : " = " + told.other),
                                     [](const std::string& a, const std::string& b) { return a + " = " + b; }) + '\n';
        for (const auto* lives : {&oracle.lives, &rounds.lives})
            for (const auto& [who, life] : *lives)
                story += who + ':' + life + '\n';
        RC_LOG(story);
        RC_ASSERT(sorted(rounds.lives) == sorted(oracle.lives));
        std::sort(oracle.conflicts.begin(), oracle.conflicts.end());
        std::sort(rounds.conflicts.begin(), rounds.conflicts.end());
        RC_ASSERT(rounds.conflicts == oracle.conflicts);
    }));
}

TEST(Identity, ManyCookiesTakeTwoRounds) {
    std::vector<Told> all;
    for (int i = 0; i < 300; ++i) {
        all.push_back({"cookie-" + std::to_string(i), {}, {}});
        all.push_back({"user-1", {}, {}});
        all.push_back({"cookie-" + std::to_string(i), "user-1", {}});
    }
    Oracle oracle;
    oracle.take(all);
    Rounds rounds;
    rounds.take(all);
    EXPECT_EQ(rounds.rounds, 2);
    EXPECT_EQ(sorted(rounds.lives), sorted(oracle.lives));
    EXPECT_EQ(rounds.lives.size(), 1U);
}

TEST(Identity, AChainIsMadeLinkByLink) {
    std::vector<Told> all;
    for (int i = 0; i < 10; ++i)
        all.push_back({"cookie-" + std::to_string(i), "cookie-" + std::to_string(i + 1), {}});
    Oracle oracle;
    oracle.take(all);
    Rounds rounds;
    rounds.take(all);
    EXPECT_EQ(sorted(rounds.lives), sorted(oracle.lives));
    EXPECT_EQ(rounds.lives.begin()->first, "cookie-10");
}

TEST(Identity, ThereAndBackIsOneMerge) {
    Rounds rounds;
    rounds.take({{"cookie-1", "cookie-2"}, {"cookie-2", "cookie-1"}, {"cookie-1", {}}});
    EXPECT_EQ(rounds.lives, (Lives{{"cookie-2", " [cookie-1 0] 1 2"}}));
}

// A message that names two keys, of which one belongs to somebody who has won in the same batch already.
TEST(Identity, AMessageConnectsAllThatItNamesOrWaits) {
    Rounds rounds;
    rounds.take({{"cookie-0", "cookie-1"}, {"cookie-3", "email-2", {"cookie-0"}}, {"cookie-1", {}}});
    EXPECT_EQ(rounds.lives, (Lives{{"email-2", " [cookie-3 1] [cookie-1 [cookie-0 0]] 2"}}));
}

// Two people at one device stay two.
TEST(Identity, TwoUsersDoNotBecomeOne) {
    auto const made = plan({{"cookie-1", "cookie", "user-1", "user", "cookie-1", "user-1"},
                            {"cookie-1", "cookie", "user-2", "user", "cookie-1", "user-2"}},
                           {}, kinds());
    ASSERT_EQ(made.found.size(), 2U);
    EXPECT_EQ(made.found[0].finding, Finding::merge);
    EXPECT_EQ(made.found[0].winner, "user-1");
    EXPECT_EQ(made.found[1].finding, Finding::conflict);
    EXPECT_EQ(made.found[1].kind, "user");
    auto forced = plan({{"user-1", "user", "user-2", "user", "user-1", "user-2", true, true}}, {}, kinds());
    EXPECT_EQ(forced.found[0].finding, Finding::merge);
    EXPECT_EQ(forced.found[0].winner, "user-2");
}

// --- parts of states ---------------------------------------------------------------------------------------------

profile::Attribute attribute(Time at, std::string json) { return {"a", {at, 1, 1}, std::move(json), {}}; }

TEST(Survivorship, Rules) {
    auto const older = attribute(1, "5"), newer = attribute(2, "3");
    using S = Survivorship;
    EXPECT_EQ(survivor(S::newest, older, newer), std::nullopt);
    EXPECT_EQ(survivor(S::oldest, older, newer), "5");
    EXPECT_EQ(survivor(S::oldest, newer, older), "5");
    EXPECT_EQ(survivor(S::least, older, newer), std::nullopt); // the newest is the least
    EXPECT_EQ(survivor(S::greatest, newer, older), "5");
    EXPECT_EQ(survivor(S::greatest, attribute(1, "10"), attribute(2, "9")), "10"); // as numbers, not as texts
    EXPECT_EQ(survivor(S::sum, older, newer), "8");
    EXPECT_EQ(survivor(S::sum, attribute(1, "\"x\""), newer), std::nullopt);
    EXPECT_EQ(survivor(S::unite, attribute(1, "[\"a\",\"b\"]"), attribute(2, "[\"b\",\"c\"]")), "[\"a\",\"b\",\"c\"]");
    EXPECT_EQ(survivor(S::unite, attribute(1, "\"a\""), attribute(2, "\"b\"")), "[\"a\",\"b\"]");
    EXPECT_EQ(survivor(S::winner, older, newer), "5");
    EXPECT_EQ(survivor(S::winner, newer, older), std::nullopt);
    EXPECT_EQ(survivor(S::oldest, attribute(1, "5"), attribute(2, "")), std::nullopt); // removed
}

TEST(Join, APastIsThatOfEither) {
    profile::SegmentPast a, b;
    a.changes = {{10, true}, {20, false}, {50, true}};
    b.changes = {{15, true}, {30, false}};
    join_past(a, b);
    EXPECT_EQ(a.changes, (std::vector<profile::SegmentPast::Change>{{10, true}, {30, false}, {50, true}}));
}

std::vector<profile::Attribute> any_attributes() {
    std::vector<profile::Attribute> out;
    for (const char* key : {"a", "b", "c", "d"})
        if (*rc::gen::inRange(0, 3) > 0)
            out.push_back({key, {*rc::gen::inRange<Time>(0, 3), 1, 1}, *rc::gen::element<std::string>("1", "2", "", "\"x\""), {}});
    return out;
}

TEST(Join, AttributesAndMemoriesInAnyOrder) {
    EXPECT_TRUE(rc::check([] {
        auto const a = any_attributes(), b = any_attributes(), c = any_attributes();
        auto ab = a, ba = b, bc = b;
        join_attributes(ab, b);
        join_attributes(ba, a);
        RC_ASSERT(ab == ba);
        join_attributes(ab, c);
        join_attributes(bc, c);
        auto abc = a;
        join_attributes(abc, bc);
        RC_ASSERT(ab == abc);
    }));
}

} // namespace
} // namespace nurture::identity
