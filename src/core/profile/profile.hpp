#pragma once
// The state of a contact as one value. Features and attributes are functions of the set of its events and merge; the
// path (clock, membership, journeys, what was already taken) is the result of an order and never merges.
#include "core/base/hash.hpp"
#include "core/consent/consent.hpp"
#include "core/profile/feature.hpp"
#include "core/profile/score_state.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::profile {

/// The value of one top-level key, as its last write left it. Empty `json`: the key was removed.
struct Attribute {
    std::string key;
    Stamp stamp;
    std::string json;
    std::string source; ///< who told it, where that was said ($source)
    friend bool operator==(const Attribute&, const Attribute&) = default;
};

struct StoredFeature {
    std::uint32_t id = 0;
    FeatureValue value;
};

struct SegmentState {
    std::uint32_t id = 0;
    bool member = false;
    Time since = 0;       ///< of the membership; 0 when not a member
    Time flips = never;   ///< when the condition may change by time alone; early is allowed, late is not
    friend bool operator==(const SegmentState&, const SegmentState&) = default;
};

/// How a membership has changed: of the segments that conditions about the past name.
struct SegmentPast {
    struct Change {
        Time at = 0;
        bool member = false;
        friend bool operator==(const Change&, const Change&) = default;
    };
    std::uint32_t id = 0;
    Time known_from = always;   ///< what was before is not known; always: nothing was
    std::vector<Change> changes;///< in the order they happened, the newest past_limit
    friend bool operator==(const SegmentPast&, const SegmentPast&) = default;
};
inline constexpr std::size_t past_limit = 100;

/// How often something was done in a journey, by the index of the step.
struct StepCount {
    std::uint32_t at = 0, count = 0;
    friend bool operator==(const StepCount&, const StepCount&) = default;
};

/// How deep branches nest in branches at most, as the language has it.
inline constexpr int branches_deep = 8;

/// Where somebody stands in a workflow: a journey, or one of its parallel branches.
struct Strand {
    std::uint32_t at_step = 0;   ///< index into the version's program: the wait it stands at
    Time since = 0;              ///< when it came to the step
    Time wakes = never;          ///< end of the wait
    Time check = never;          ///< when a condition it waits for, or exits on, may change by time alone
    std::vector<Uuid> open;      ///< its actions whose outcome is not yet known
    // What few have.
    std::vector<StepCount> loops; ///< rounds begun of the loops around the step, outermost first
    bool held = false;            ///< it stands before a step that nobody passes, and has not begun it
    std::uint32_t came = 0;       ///< of a ranked wait: the best that has come, by its number in the order of rank; 0: nothing
    bool arrived = false;         ///< of a branch: it is through, and waits for the others
    std::vector<Strand> branches; ///< of `parallel`, where it stands
    friend bool operator==(const Strand&, const Strand&) = default;
};

/// Calls each(strand) for the strand and all its branches that are still under way, in the order of the text.
template <class Some, class Each>
void for_strands(Some& strand, Each each) {
    each(strand);
    for (auto& branch : strand.branches)
        if (!branch.arrived)
            for_strands(branch, each);
}

/// One walk through a workflow.
struct Journey : Strand {
    std::uint32_t workflow = 0;
    std::uint32_t version = 0;
    std::uint32_t instance = 0;  ///< counts the contact's entries into the workflow, from 1
    Time started = 0;
    std::string origin;          ///< the key under which it began, where that is no longer the contact's
    // What few journeys have; see is_plain().
    std::vector<std::pair<std::string, std::string>> context; ///< its variables: path and JSON text
    std::vector<StepCount> retries; ///< of actions that failed
    std::uint32_t goals = 0;        ///< a bit for each goal reached
    std::uint64_t key = 0;          ///< hash of what it is re-entered by; 0: none
    bool paused = false;            ///< by hand
    bool moved = false;             ///< it came here from another version
    [[nodiscard]] bool is_plain() const noexcept {
        return context.empty() && loops.empty() && retries.empty() && goals == 0 && key == 0 && !paused && !held && !moved &&
               came == 0;
    }
    friend bool operator==(const Journey&, const Journey&) = default;
};

/// What a workflow remembers of a contact beyond the journeys inside it.
struct WorkflowMemory {
    std::uint32_t workflow = 0;
    std::uint32_t entries = 0;
    Time last_start = 0;
    std::vector<std::uint64_t> keys; ///< hashes of those it was entered by, in order, the newest keys_limit
    friend bool operator==(const WorkflowMemory&, const WorkflowMemory&) = default;
};

inline constexpr std::size_t keys_limit = 200;

/// Which moment of the local clock a schedule came to last, so that it comes to it once.
struct ScheduleMemory {
    std::uint32_t id = 0;
    std::int64_t local = 0;
    friend bool operator==(const ScheduleMemory&, const ScheduleMemory&) = default;
};

/// A message of a stream, planned by a workflow, of which it is not known yet whether it was sent.
struct PendingContent {
    std::uint64_t content = 0; ///< model::hash_of_content
    Uuid action{};
    bool next = false; ///< it was a stream's turn: sent by anything else it is not to be sent once more
    friend bool operator==(const PendingContent&, const PendingContent&) = default;
};

/// A message_id already taken.
struct SeenMessage {
    Time received_at = 0;
    std::uint64_t hash = 0;
    friend bool operator==(const SeenMessage&, const SeenMessage&) = default;
};

struct Profile {
    std::uint32_t model = 0; ///< the model adopted last; 0: none yet
    Time clock = always;     ///< logical time of the last message or timer
    Time first_seen = never, last_seen = always;
    std::vector<StoredFeature> features;  ///< ascending by id
    std::vector<Attribute> attributes;    ///< ascending by key
    std::vector<SegmentState> segments;   ///< ascending by id; only members and those with a finite `flips`
    std::vector<Journey> journeys;        ///< in the order they started
    std::vector<WorkflowMemory> workflows;///< ascending by workflow
    std::vector<SeenMessage> seen;        ///< in the order they were taken
    std::vector<SegmentPast> pasts;       ///< ascending by id
    std::vector<std::uint32_t> completed; ///< workflows walked to their end, ascending
    std::vector<ScheduleMemory> schedules;///< ascending by id
    std::vector<PendingContent> pending;  ///< in the order they were planned
    ScoreState score;                     ///< adjustments, and the bands the score is in
    consent::Consents consents;
};

/// The attribute's JSON text, or empty.
[[nodiscard]] std::string_view attribute_json(const Profile& profile, std::string_view key) noexcept;
/// Last write per key wins: a later stamp replaces; of equal stamps, which two contacts may have, the greater text.
void write_attribute(Profile& profile, std::string_view key, const Stamp& stamp, std::string_view json, std::string_view source = {});

/// The first byte is the format. What format 1 can hold is written as format 1, so that a library that knows no more
/// reads it; format 2 has more kinds of features, and a ScoreState.
inline constexpr std::uint8_t profile_format = 2;
[[nodiscard]] std::string encode(const Profile& profile);
/// Throws Error(corrupt_data), or Error(newer_format) for a format this library does not know.
[[nodiscard]] Profile decode(std::string_view bytes);
/// Only what events left behind: times, features and, if asked for, attributes; all of it where a ScoreState is there.
[[nodiscard]] Profile decode_for_score(std::string_view bytes, bool with_attributes);

} // namespace nurture::profile
