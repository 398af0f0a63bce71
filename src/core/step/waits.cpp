// What journeys wait for, and how long.
#include "core/base/civil.hpp"
#include "core/step/stepper.hpp"

#include <algorithm>

namespace nurture::step {

using model::Instruction;
using model::InstructionKind;
using model::Until;
using model::Workflow;
using profile::Journey;
using profile::Strand;

namespace {

/// How far ahead a day that is wanted is looked for.
constexpr std::int64_t furthest_days = 3'700;

bool is_wanted(const Until& until, std::int64_t day) {
    using Kind = language::DayChoice::Kind;
    switch (until.days.kind) {
    case Kind::any:
        return true;
    case Kind::weekdays:
        return (until.days.weekdays >> weekday_of(day) & 1) != 0;
    case Kind::business_day:
        return weekday_of(day) < 5 &&
               (!until.holidays || !std::binary_search(until.holidays->begin(), until.holidays->end(), static_cast<std::int32_t>(day)));
    }
    return false;
}

// The next such time of day, or now where a stretch of time has begun. Each time of the local clock comes once: the first
// time where it is repeated, at the end of the gap where it is skipped.
Time next_on_clock(const Until& until, Time since, const Zone& zone) {
    std::int64_t const today = day_of(since, zone);
    for (std::int64_t day = today - 1; day <= today + furthest_days; ++day) {
        if (!is_wanted(until, day))
            continue;
        Time const begin = zone.first_at(day * one_day + until.from.value_or(0));
        bool const moment = until.from && !until.to;
        Time end = begin;
        if (!moment) {
            std::int64_t const last = until.to && *until.to > *until.from ? day : day + 1;
            end = zone.first_at(last * one_day + until.to.value_or(0));
        }
        if (begin > since && (moment || end > begin))
            return begin;
        if (since >= begin && since < end)
            return since;
    }
    return never;
}

} // namespace

// Empty: a date that is not known.
std::optional<Time> Stepper::reached(const Until& until, Time since) const {
    const Zone& zone = facts_.contact_zone();
    switch (until.kind) {
    case Until::Kind::moment:
        return until.moment.utc_offset ? until.moment.local - *until.moment.utc_offset : zone.to_utc(until.moment.local);
    case Until::Kind::clock:
        return next_on_clock(until, since, zone);
    case Until::Kind::date:
        break;
    }
    auto const date = facts_.date(until.context != none ? facts_.variable(until.context) : facts_.attribute(until.attribute));
    if (!date)
        return std::nullopt;
    Time const moved = add_on_calendar(*date, until.offset, zone);
    return until.from ? zone.first_at(day_of(moved, zone) * one_day + *until.from) : moved;
}

Time Stepper::end_of_wait(Time since, const Duration& duration) const {
    bool const on_calendar = duration.months != 0 || duration.days != 0;
    Time const end = on_calendar ? add_on_calendar(since, duration, contact_zone()) : saturating_add(since, duration.micros);
    return std::max(end, saturating_add(since, 1));
}

std::optional<Time> Stepper::end_of_wait(Time since, const Instruction& wait) const {
    if (wait.kind == InstructionKind::wait_until)
        return reached(wait.until, since);
    return wait.duration.empty() ? never : end_of_wait(since, wait.duration);
}

void Stepper::wait_at(Journey& journey, Strand& strand, const Workflow& workflow, Index at, const Cause& cause) {
    const Instruction& instruction = workflow.program[at];
    strand.at_step = at;
    strand.since = clock_;
    strand.came = 0;
    strand.wakes = strand.held ? clock_ : end_of_wait(clock_, instruction).value_or(never);
    look_ahead(journey, strand, workflow);
    note(TransitionKind::journey_waits, workflow, instruction.step, strand.held ? "held" : "", cause, instruction.branch);
    journey_moved(workflow.id);
    follow(workflow.id, instruction.step, false, false, cause);
}

// Waits on the calendar end at another moment when the contact's clock shows another time, or a date is another: those that
// have come to nothing yet are reckoned anew from their beginning. One that would already be over ends at once, as a timer;
// one whose date is gone keeps the moment it had.
void Stepper::resolve_waits() {
    for (Journey& journey : profile_.journeys) {
        if (journey.workflow == 0)
            continue;
        const Workflow& workflow = workflow_of(journey);
        profile::for_strands(static_cast<Strand&>(journey), [&](Strand& strand) {
            const Instruction& wait = workflow.program[strand.at_step];
            if (strand.held || (wait.duration.months == 0 && wait.duration.days == 0 && wait.kind != InstructionKind::wait_until))
                return;
            ReadingVariables const variables(facts_, journey);
            if (auto const end = end_of_wait(strand.since, wait))
                strand.wakes = *end;
        });
    }
}

// When a condition the journey hangs on may change by itself.
void Stepper::look_ahead(const Journey& journey, Strand& strand, const Workflow& workflow) {
    Time check = never;
    auto const look = [&](Index condition) { check = std::min(check, facts_.evaluate(condition, clock_).flips); };
    if (&strand == &journey) { // what binds the whole of it
        for (Index const condition : workflow.exit_conditions)
            look(condition);
        for (std::size_t i = 0; i < workflow.goals.size(); ++i)
            if (workflow.goals[i].condition != none && (journey.goals >> i & 1) == 0)
                look(workflow.goals[i].condition);
    }
    if (!strand.held)
        for (const auto& awaited : workflow.program[strand.at_step].awaited)
            if (awaited.condition != none)
                look(awaited.condition);
    strand.check = check == never ? never : std::max(check, saturating_add(clock_, 1));
}

// What the wait goes on by: what has come of what it waits for. Where that is ranked, the best is decided when the time is
// over; nothing can be better than the first.
const model::Awaited* Stepper::decided(Strand& strand, const Instruction& wait, const Happening& happening) const {
    auto const& awaited = wait.awaited;
    auto const come = std::find_if(awaited.begin(), awaited.end(), [&](const auto& one) {
        return one.condition != none ? holds(one.condition) : concerns(one.event, happening);
    });
    if (!wait.ranked)
        return come == awaited.end() ? nullptr : &*come;
    auto const rank = static_cast<std::uint32_t>(come - awaited.begin()) + 1;
    if (come != awaited.end() && (strand.came == 0 || rank < strand.came))
        strand.came = rank;
    bool const over = happening.timer && strand.wakes <= clock_;
    if (strand.came == 0 || strand.came > awaited.size())
        return nullptr;
    const auto& best = awaited[strand.came - 1];
    return over || best.then == awaited.front().then ? &best : nullptr;
}

// Under way, or about to start at this instant.
bool Stepper::is_inside(std::uint32_t workflow, const Journey* but) const {
    return std::any_of(profile_.journeys.begin(), profile_.journeys.end(),
                       [&](const Journey& journey) { return &journey != but && journey.workflow == workflow; }) ||
           std::any_of(happenings_.begin(), happenings_.end(),
                       [&](const Happening& h) { return h.start && h.start->workflow == workflow && h.cause.fresh; });
}

} // namespace nurture::step
