#pragma once
// The compiled forms of workflows: what they wait for, start on, do.
#include "core/base/calendar.hpp"
#include "core/base/cron.hpp"
#include "core/language/ast_workflow.hpp"
#include "core/model/behaviour.hpp"
#include "core/model/tests.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nurture::model {

/// Where a journey's variables are named: context.file is a property of the event that started it.
inline constexpr std::string_view context_prefix = "context";

struct Argument {
    std::string name;
    std::string json;       ///< of a literal
    Index attribute = none; ///< or of the contact
    Index context = none;   ///< or of the journey
    std::uint32_t coupon_pool = 0; ///< or a code of this pool, by id
};

/// An event that a journey reacts to; the filter is its own, since it reads the journey's variables.
struct JourneyPattern {
    Index pattern = none;
    Index filter = none; ///< a node over the event's properties and the journey's variables
};

struct Awaited {
    JourneyPattern event;
    Index condition = none; ///< instead of an event
    Index then = 0;         ///< goes on here
    std::string how;        ///< ":then", ":or1": the branch, in Transition::via
};

/// A moment to wait for, on the contact's clock.
struct Until {
    enum class Kind : std::uint8_t { moment, date, clock };
    Kind kind = Kind::moment;
    language::Moment moment;
    Index attribute = none, context = none; ///< of a date
    Duration offset;                        ///< negative before
    std::optional<Span> from, to;           ///< times of day; of a date only `from`
    language::DayChoice days;
    std::shared_ptr<const std::vector<std::int32_t>> holidays;
};

enum class InstructionKind : std::uint8_t {
    wait, wait_until, wait_for, wait_workflow, parallel, join, branch, split, repeat, again, send, act, set, increment, items,
    list, adjust, set_score, withdraw, emit, start, stop, end,
    send_next, assign,
};

struct SplitArm {
    Wide below = 0; ///< of a split: of the sum of the weights; the arm of the first that is greater
    Index next = 0;
    std::string name;
};

struct Instruction {
    InstructionKind kind = InstructionKind::end;
    std::string step;     ///< where it stands in the definition: "3", "3.then.1"
    std::string branch;   ///< the innermost branch of a parallel that it is in: "3.branch1"
    Duration duration;    ///< wait, or up to; empty: without end
    Index condition = none;
    Index next = 0;  ///< goes on here; branch: when true; repeat: the block; parallel, join: behind it
    Index other = 0; ///< branch: when not true; waits: when the time is over; repeat, again: behind it
    std::vector<Awaited> awaited;
    bool ranked = false;                 ///< wait_for: of those that came the first of `awaited` decides, when the time is over
    std::vector<JourneyPattern> renewed; ///< wait_for: its time begins anew
    std::string channel, template_name, purpose;
    std::vector<std::string> channels;   ///< send: the first of them that may be used
    std::optional<Argument> preferred;   ///< unless this one names another of them
    bool transactional = false;
    std::vector<Argument> arguments; ///< set, increment, items: one, named like the attribute
    Until until;
    std::vector<SplitArm> arms; ///< parallel: its branches
    bool any = false;           ///< parallel: the first branch to arrive suffices
    bool passes = false;        ///< parallel: what is behind it may be reached without time passing
    std::uint64_t seed = 0;
    bool experiment = false;
    bool anew = false;          ///< split: thrown at each coming
    std::int64_t limit = 0;     ///< repeat: at most; increment, adjust: the amount; set_score: what it is to be
    std::uint32_t workflow = 0; ///< id
    std::string name;           ///< of a list, an event type, an experiment; the topic
    std::string reason;
    language::ChangeItems::Kind items = language::ChangeItems::Kind::append;
    bool add = true;
    language::FailurePolicy failure;
    Index stream = none;    ///< of Model::streams
    std::uint32_t rota = 0; ///< id; the attribute is `name`
};

/// Where a journey stands until something happens.
[[nodiscard]] constexpr bool is_wait(InstructionKind kind) noexcept { return kind <= InstructionKind::wait_workflow; }

struct Goal {
    Duration within;
    JourneyPattern event;
    Index condition = none;
    Index go_to = none; ///< none: the journey ends
    std::string text;   ///< what is to be reached
};

struct AttributeTrigger { ///< of Model::attribute_triggers
    language::Path attribute;
    bool change = true;
    std::optional<Micro> from, to; ///< hashes, as histories keep them
};

struct ScheduleTrigger { ///< of Model::schedules
    std::uint32_t id = 0; ///< hash of its text
    std::optional<Cron> cron;
    std::int64_t times = 0; ///< at most so many moments of the local clock; 0: no limit
    std::int64_t last = 0;  ///< the last of them, by the local clock
    language::Moment once;
    std::optional<language::Moment> from, until;
    ZoneRef zone;
    Index segment = none;
};

/// A message of a stream.
struct StreamContent {
    std::string channel, template_name, purpose;
    Time from = always, until = never; ///< available in [from, until)
    Index had = none;                  ///< holds when the contact was sent it, by whatever workflow
    std::uint64_t hash = 0;
};
struct Stream { ///< of Model::streams
    std::uint32_t id = 0;
    std::string name;
    std::vector<StreamContent> contents; ///< in the order in which they are sent
};
[[nodiscard]] std::uint64_t hash_of_content(const std::string& channel, const std::string& template_name);

struct Workflow {
    std::uint32_t id = 0, version = 0;
    std::string name;
    bool current = true, paused = false;
    std::vector<std::string> held_steps; ///< nobody passes them
    std::vector<Index> start_patterns, start_attributes, start_schedules;
    std::vector<std::pair<Index, bool>> start_segments; ///< segment, entering?
    std::vector<std::pair<std::uint32_t, std::string>> start_journeys; ///< workflow, step; empty: its end
    std::vector<JourneyPattern> exit_patterns;
    std::vector<Index> exit_conditions;
    std::vector<Goal> goals;
    std::vector<Index> contexts; ///< the variables that its text mentions
    language::ReentryPolicy reentry;
    std::optional<SampleTest> holdout;
    std::vector<Instruction> program;
    Index begin = 0; ///< of the program

    [[nodiscard]] bool holds(const Instruction& instruction) const noexcept;
};

/// Conditions that a workflow asks about its contact, wherever they stand.
template <class Each>
void for_conditions(const Workflow& workflow, Each each) {
    for (Index const condition : workflow.exit_conditions)
        each(condition);
    for (const Goal& goal : workflow.goals)
        if (goal.condition != none)
            each(goal.condition);
    for (const Instruction& instruction : workflow.program) {
        if (instruction.condition != none)
            each(instruction.condition);
        for (const Awaited& awaited : instruction.awaited)
            if (awaited.condition != none)
                each(awaited.condition);
    }
}

} // namespace nurture::model
