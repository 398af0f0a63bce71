#pragma once
// Guards: what policies say of a message. Pure functions of the policies, the contact's time zone, the moment and what was
// sent before; the step plans with them, claim enforces them (docs/guards.md, docs/decisions/0011-guards.md).
#include "core/base/civil.hpp"
#include "core/language/policy.hpp"
#include "core/model/source.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::guard {

/// What guards look at in a message.
struct Message {
    std::string_view channel = {}, purpose = {}, workflow = {};
    bool transactional = false; ///< exempt from all but rates
};

/// A marketing message that was handed to a sender.
struct Sent {
    Time at = 0;
    std::string_view channel = {}, purpose = {}, workflow = {};
    std::size_t candidate = no_candidate; ///< of a message that is to be tried again: it does not stand in its own way
    static constexpr std::size_t no_candidate = SIZE_MAX;
};

struct Policy {
    std::uint32_t id = 0;
    std::string name;
    language::Policy definition;
};

/// Where a contact is: whose clock and whose holidays count.
struct Place {
    Zone zone = Zone::find("UTC");
    std::string country = {}; ///< the attribute `country`; empty: unknown
};

struct Guards {
    std::vector<Policy> policies;
    model::CalendarPolicy calendar;
    Zone zone = Zone::find("UTC"); ///< of the policy: for contacts without one

    [[nodiscard]] bool is_holiday(const language::HolidayCalendar& which, const Place& place, std::int64_t day) const;
};

/// Throws what parse_policy throws, with the policy's name in the message.
[[nodiscard]] Guards compile(std::span<const model::PolicyRow> rows, const model::CalendarPolicy& calendar, const Zone& zone);

/// Whether the policy is for such messages.
[[nodiscard]] bool applies(const Policy& policy, const Message& message);

// --- time (schedule.cpp)

/// Whether quiet hours, windows or holidays forbid the moment; the text of the guard that does.
[[nodiscard]] std::optional<std::string> forbidden(const Guards& guards, const Policy& policy, const Place& place, Time at);
/// The first moment from `at` on that none of the policies forbids; `never` when there is none within 400 days.
[[nodiscard]] Time next_allowed(const Guards& guards, std::span<const Policy* const> policies, const Place& place, Time at);

// --- caps (caps.cpp)

/// When a further message of the workflow may go under the cap, as things stand: `at` if now. `sent`: what the cap counts,
/// in any order.
[[nodiscard]] Time free_under(const language::MessageCap& cap, std::span<const Sent> sent, std::string_view workflow,
                              int week_start, const Zone& zone, Time at);
/// Whether a cap of the policy counts what was sent.
[[nodiscard]] bool counts(const Policy& policy, const language::MessageCap& cap, const Sent& sent);

// --- planning (plan.cpp)

struct Plan {
    Time due = 0, expires = never;
    std::int32_t priority = 0;
};
/// What the step plans for a message that is to go at `at`: quiet hours, windows and holidays move it (not those of a
/// policy that drops), the greatest priority and the shortest expiry count. `expiry`: where no policy has one.
[[nodiscard]] Plan plan(const Guards& guards, const Message& message, const Place& place, Time at, Span expiry);

// --- judging (judge.cpp)

/// A limited amount that is shared by all contacts: of a rate within its slot, or of a budget.
struct Counter {
    std::uint32_t policy = 0;
    std::string key;      ///< "rate minute email", "rate minute", "budget", "budget spring": what it is kept under
    Time slot = always;   ///< of a rate: where its slot begins
    Time ends = never;    ///< of a rate: where it ends
    std::int64_t allowed = 0;
    std::int64_t used = 0;
    bool whole_channel = false; ///< every message of the channel takes of it
};
/// How far back caps look, at most.
[[nodiscard]] Span horizon(const Guards& guards);
/// Whether claims must know what was sent before, and not two of them at once for a contact.
[[nodiscard]] bool has_caps(const Guards& guards);

/// The counters that messages of the channel by these workflows take of, at the moment.
[[nodiscard]] std::vector<Counter> counters_of(const Guards& guards, std::string_view channel,
                                               std::span<const std::string_view> workflows, Time moment);

struct Candidate {
    Message message;
    std::size_t contact = 0; ///< number of the contact
    bool consented = false;  ///< asked only where a policy requires consent
    bool first_attempt = true; ///< a retry takes of rates again, not of budgets
};
struct Contact {
    Place place;
    std::vector<Sent> sent;
};
enum class Decision : std::uint8_t { claim, delay, drop };
struct Verdict {
    Decision decision = Decision::claim;
    Time until = 0; ///< of a delay
    std::string reason;
};
/// Judges the candidates in their order; what is claimed counts for those after it: `contacts` and `counters` are kept up.
[[nodiscard]] std::vector<Verdict> judge(const Guards& guards, Time moment, std::span<const Candidate> candidates,
                                         std::span<Contact> contacts, std::span<Counter> counters);

} // namespace nurture::guard
