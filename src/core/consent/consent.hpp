#pragma once
// What a contact has allowed and refused, by channel and purpose. A function of the set of its $consent events: it joins by
// the newest of each kind, and a join is never more permissive than what was joined (see allows()).
#include "core/profile/stamp.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::consent {

using profile::Stamp;

/// What is spoken about. Empty: every channel, every purpose.
struct Scope {
    std::string channel, purpose;
    [[nodiscard]] bool covers(const Scope& other) const noexcept {
        return (channel.empty() || channel == other.channel) && (purpose.empty() || purpose == other.purpose);
    }
    friend auto operator<=>(const Scope&, const Scope&) = default;
};

/// The stamp comes first: the greater is the newer, and where two contacts' events have the same stamp, their content decides.
struct Grant {
    Stamp stamp;
    Time expires = never;
    std::string basis;        ///< why it is lawful: consent, contract, legitimate interest, …
    std::string text, source; ///< which wording was agreed to, and where
    friend auto operator<=>(const Grant&, const Grant&) = default;
};
struct Refusal {
    Stamp stamp;
    bool denied = false; ///< said no when asked; else: took back
    std::string source;
    friend auto operator<=>(const Refusal&, const Refusal&) = default;
};
/// Asked to confirm (double opt-in), not yet answered.
struct Request {
    Stamp stamp;
    Time expires = never;
    friend auto operator<=>(const Request&, const Request&) = default;
};

/// The newest of each kind that was said about one scope.
struct Entry {
    Scope scope;
    std::optional<Grant> grant;
    std::optional<Refusal> refusal;
    std::optional<Request> request;
    friend bool operator==(const Entry&, const Entry&) = default;
};

enum class Status : std::uint8_t { never_asked, pending, granted, expired, withdrawn, denied };
[[nodiscard]] std::string_view name_of(Status status) noexcept;
[[nodiscard]] std::optional<Status> status_of(std::string_view name) noexcept;
/// All names, in quotes, for messages.
[[nodiscard]] std::string_view status_names() noexcept;

/// The answer for a scope at a moment.
struct Verdict {
    Status status = Status::never_asked;
    Time since = always;            ///< always: never asked
    Time changes = never;           ///< when the status changes by time alone
    const Grant* grant = nullptr;   ///< granted, expired: the one that lasts longest
    const Refusal* refusal = nullptr; ///< withdrawn, denied: the newest
    const Request* request = nullptr; ///< pending
};

/// At most so many scopes; a message about one more is rejected.
inline constexpr std::size_t most_scopes = 250;

class Consents {
  public:
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; } ///< ascending by scope
    [[nodiscard]] bool knows(const Scope& scope) const noexcept;

    void grant(const Scope& scope, Grant grant);
    void refuse(const Scope& scope, Refusal refusal);
    void request(const Scope& scope, Request request);
    /// a := a ⊕ b: associative, commutative, idempotent.
    void merge(const Consents& other);

    [[nodiscard]] Verdict verdict(const Scope& scope, Time at) const;
    /// A message of the scope may be sent at that time for all that the contact said.
    [[nodiscard]] bool allows(const Scope& scope, Time at) const { return verdict(scope, at).status == Status::granted; }
    /// The contact said no, and no grant overcomes it: nothing but a new grant changes that.
    [[nodiscard]] bool refuses(const Scope& scope) const;
    /// Nothing that the scope covers is refused any more, whatever else may have been said about it by name.
    [[nodiscard]] bool refuses_none_of(const Scope& scope) const;

    friend bool operator==(const Consents&, const Consents&) = default;

  private:
    std::vector<Entry> entries_;

    Entry& at(const Scope& scope);
    [[nodiscard]] bool is_beaten(const Scope& scope, const Grant& grant, const Scope& asked) const;
};

void encode(ByteWriter& out, const Consents& consents, const Stamp& base);
/// Throws Error(corrupt_data).
[[nodiscard]] Consents decode_consents(ByteReader& in, const Stamp& base);

} // namespace nurture::consent
