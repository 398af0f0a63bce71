#pragma once
// The heart: step(model, state, messages, until) → state' and outputs. It reads no clock, no table, no random source.
#include "core/base/hash.hpp"
#include "core/model/model.hpp"
#include "core/profile/profile.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::step {

/// Something that reaches a contact. Taken in the order given.
struct Message {
    Time at = 0;          ///< when it happened
    Time received_at = 0; ///< when we were told
    std::string_view type;
    const profile::Properties* properties = nullptr;
    std::optional<std::uint64_t> id_hash; ///< of message_id
    bool history = false; ///< folds features at the contact's clock and starts nothing
};

enum class TransitionKind : std::uint8_t {
    segment_entered,
    segment_left,
    journey_started,
    journey_waits, ///< it came to a step and waits there
    journey_ended,
    band_changed, ///< of a topic's score; `reason` is a JSON object with from and to
    consent_changed, ///< of a channel and purpose; `reason` is a JSON object with channel, purpose, from and to
    journey_held_out, ///< it would have started, but the contact is of the control group
    goal_reached,     ///< `reason` is the goal
    arm_assigned,     ///< of an experiment; `reason` is a JSON object with experiment and arm
    branch_ended,     ///< a branch of a parallel, whose step it names: arrived, or left
};
[[nodiscard]] std::string_view name_of(TransitionKind kind) noexcept;

/// What happened to the contact's path, and why. `cause` is an event type, "time", "published", or the journey's step
/// that wrote an attribute; cause_tick and cause_n point into the log where there is an event behind it.
struct Transition {
    std::int32_t n = 0; ///< order within the contact in this tick
    Time at = 0;        ///< the logical time
    TransitionKind kind = TransitionKind::segment_entered;
    std::uint32_t id = 0; ///< of the segment or workflow
    std::string name;
    std::uint32_t version = 0; ///< of the workflow
    std::string step;
    std::string cause;
    std::int64_t cause_tick = 0;
    std::int32_t cause_n = 0;
    std::string reason; ///< journeys: why it ended; what it waits for
    std::uint32_t instance = 0; ///< of journeys: counts those of the contact
    std::string branch;         ///< of journeys: the innermost branch it is about: "3.branch1"
    /// Of journeys: the steps passed since the stop before, apart by blanks: "2" an action, "3:then", "3:elsif1" and
    /// "3:else" how a choice or a wait went, "4:held" that what was to be waited for held already.
    std::string via;
};

/// An action for the outbox.
struct Action {
    Uuid id{};
    std::string channel, template_name, purpose;
    bool transactional = false;
    std::string payload; ///< JSON object
    std::string draws;   ///< what is added to it when it is claimed: {"code": {"pool": its id, "journey": what it stays}}, or empty
    Time due = 0, expires = never;
    std::int32_t priority = 0;
    std::string workflow;
    std::uint32_t version = 0, instance = 0;
    std::string step;
};

/// An action to be withdrawn unless it is already claimed.
struct Cancellation {
    Uuid id{};
    Time at = 0;
    std::string reason;
};

/// What the engine itself wrote about the contact, for the log: resolved to absolute values.
struct WrittenEvent {
    std::int32_t n = 0;
    Time at = 0;
    std::string type;
    std::string properties; ///< JSON object
};

struct MembershipChange {
    std::uint32_t segment = 0;
    bool member = false;
    Time since = 0;
    std::string cause;
};

/// A message that cannot be taken: its place (from 0) and why.
struct Rejection {
    std::int32_t message = 0;
    std::string reason;
};

/// How much one step does before it stops between two instants, so that it takes bounded memory and time however long a
/// contact has slept. What is left is due at once, and done by the next step as this one would have done it.
struct Bound {
    std::size_t bytes = 16 << 20; ///< of what it puts out
    int instants = 100'000;       ///< at which timers fire; at least 1
};

struct Result {
    profile::Profile profile;
    Time due = never; ///< the earliest moment at which something may change by the passing of time
    Time clock_before = always; ///< the contact's clock before the first message, when the model was adopted
    /// The log's n of each message, 0 for one that is not logged (a duplicate or rejected), -1 for one that was not taken,
    /// since the bound was reached before: it comes first in the next step. Empty: 1, 2, 3, …
    std::vector<std::int32_t> numbers;
    std::vector<Transition> transitions;
    std::vector<Action> actions;
    std::vector<Cancellation> cancellations;
    std::vector<WrittenEvent> written;
    std::vector<MembershipChange> memberships; ///< net of the whole step
    std::vector<Rejection> rejections;
    bool finished = true;  ///< false: the bound was reached, there is more to do
    bool consents = false; ///< something was said about consent: what is suppressed may have to change
    std::uint32_t duplicates = 0;
    std::uint64_t unconvertible = 0;
};

struct Input {
    std::string_view contact; ///< the key the contact has today; action ids are hashed from it
    profile::Profile profile; ///< empty for a new contact
    std::span<const Message> messages;
    std::optional<Time> until; ///< timers run to here after the last message; none: to that message's time only
    std::int64_t tick = 0;
    std::optional<Bound> bound; ///< none: all of it is done
};

/// Throws Error(limit_exceeded) when the contact's journeys go round without time passing.
[[nodiscard]] Result step(const model::Model& model, Input input);


/// The effective time of a message: the greater of when we were told and the contact's clock.
[[nodiscard]] constexpr Time effective_time(const Message& message, Time clock) noexcept {
    if (message.history && clock != always)
        return clock;
    return message.received_at > clock ? message.received_at : clock;
}

} // namespace nurture::step
