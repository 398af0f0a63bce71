// What starts journeys, and what people do to them by hand ($journey).
#include "core/step/reading.hpp"
#include "core/step/stepper.hpp"

#include <algorithm>

namespace nurture::step {

using model::Instruction;
using model::InstructionKind;
using model::Workflow;
using profile::Journey;
using profile::Value;

namespace {

bool meet(const std::vector<Index>& a, const std::vector<Index>& b) {
    return std::find_first_of(a.begin(), a.end(), b.begin(), b.end()) != a.end();
}

/// Where in a program a step stands; of an `if` its first question. none: there is no such step.
Index find_step(const Workflow& workflow, std::string_view step) {
    for (Index at = static_cast<Index>(workflow.program.size()); at-- > 0;)
        if (workflow.program[at].step == step && workflow.program[at].kind != InstructionKind::end)
            return at;
    return none;
}

} // namespace

bool Stepper::starts(const Workflow& workflow, const Happening& happening) const {
    bool const by_change = std::any_of(workflow.start_segments.begin(), workflow.start_segments.end(), [&](const auto& s) {
        return std::find(happening.changes.begin(), happening.changes.end(), s) != happening.changes.end();
    });
    bool const by_journey =
        happening.move && std::any_of(workflow.start_journeys.begin(), workflow.start_journeys.end(), [&](const auto& other) {
            const auto& [id, step] = other;
            return id == happening.move->workflow &&
                   (step.empty() ? happening.move->finished : !happening.move->ended && happening.move->step == step);
        });
    return by_change || by_journey || meet(workflow.start_patterns, happening.matched) ||
           meet(workflow.start_attributes, happening.attributes) || meet(workflow.start_schedules, happening.schedules);
}

// Before and after attributes are written: whose value has become another. Values are told apart as histories tell them.
void Stepper::note_writes(const profile::Properties& properties, bool before) {
    const auto& triggers = model_.attribute_triggers;
    if (before) {
        values_before_.assign(triggers.size(), 0);
        triggered_.clear();
    }
    for (Index i = 0; i < triggers.size(); ++i) {
        const auto& trigger = triggers[i];
        const std::string& key = trigger.attribute.keys.front();
        if (properties.get({{key}}).kind == Value::Kind::missing)
            continue;
        std::deque<std::string> texts;
        Value const value = value_of_json(attribute_json(profile_, key), trigger.attribute, texts);
        Micro const hash = profile::history_hash(value);
        if (before) {
            values_before_[i] = hash;
            continue;
        }
        Micro const unset = profile::history_hash({});
        bool const changed = values_before_[i] != hash && values_before_[i] != unset;
        if (value.known() && (!trigger.change || changed) && (!trigger.from || *trigger.from == values_before_[i]) &&
            (!trigger.to || *trigger.to == hash))
            triggered_.push_back(i);
    }
}

// --- schedules ----------------------------------------------------------------------------------------------------

Time Stepper::next_run(Index index) const {
    const auto& schedule = model_.schedules[index];
    if (clock_ == always || (schedule.segment != none && facts_.members[schedule.segment] == 0))
        return never;
    const Zone& zone = schedule.zone.kind == language::ZoneChoice::Kind::named     ? *schedule.zone.zone
                       : schedule.zone.kind == language::ZoneChoice::Kind::contact ? facts_.contact_zone()
                                                                                   : model_.zone;
    auto const moment = [&](const language::Moment& m) { return m.utc_offset ? m.local - *m.utc_offset : zone.to_utc(m.local); };
    auto const memory = std::find_if(profile_.schedules.begin(), profile_.schedules.end(),
                                     [&](const auto& m) { return m.id == schedule.id; });
    bool const remembers = memory != profile_.schedules.end();
    // What came before the model was in force is past.
    Time after = std::max(clock_, model_.source.published);
    if (!schedule.cron) {
        Time const once = moment(schedule.once);
        return once > after && !remembers ? once : never;
    }
    if (schedule.from)
        after = std::max(after, moment(*schedule.from) - 1);
    Time next = schedule.cron->next(after, zone);
    while (remembers && next != never && zone.to_local(next) <= memory->local)
        next = schedule.cron->next(next, zone);
    if (schedule.times != 0 && next != never && schedule.last != never && next > zone.first_at(schedule.last))
        return never;
    if (schedule.until && next != never) {
        Time const last = schedule.until->date_only ? zone.first_at(schedule.until->local + one_day) - 1 : moment(*schedule.until);
        return next > last ? never : next;
    }
    return next;
}

void Stepper::refresh_schedules() {
    if (model_.schedules.empty())
        return;
    runs_.resize(model_.schedules.size());
    for (Index i = 0; i < runs_.size(); ++i)
        runs_[i] = next_run(i);
}

// Those whose moment has come, for whoever is in their segment now. On the contact's own clock a moment comes once, even
// where another zone puts it back.
void Stepper::run_schedules(Happening& happening) {
    for (Index i = 0; i < runs_.size(); ++i) {
        if (runs_[i] > clock_)
            continue;
        const auto& schedule = model_.schedules[i];
        if (schedule.segment == none || facts_.members[schedule.segment] != 0)
            happening.schedules.push_back(i);
        if (schedule.zone.kind == language::ZoneChoice::Kind::contact) {
            auto& memories = profile_.schedules;
            auto place = std::lower_bound(memories.begin(), memories.end(), schedule.id,
                                          [](const auto& m, std::uint32_t id) { return m.id < id; });
            if (place == memories.end() || place->id != schedule.id)
                place = memories.insert(place, profile::ScheduleMemory{schedule.id, 0});
            place->local = facts_.contact_zone().to_local(runs_[i]);
        }
        runs_[i] = never; // reckoned anew when the instant is settled
    }
}

// --- by hand ------------------------------------------------------------------------------------------------------

// {"do": "pause", "workflow": 7}; resume and stop the same; without a workflow they mean all. migrate: migrate().
void Stepper::command(const profile::Properties& properties, const Happening& happening) {
    std::string const what(properties.get({{"do"}}).text);
    auto const number = number_of(properties.get({{"workflow"}}));
    auto const id = number ? static_cast<std::uint32_t>(*number / micro_one) : 0;
    for (Journey& journey : profile_.journeys) {
        if (journey.workflow == 0 || (number && journey.workflow != id))
            continue;
        const Workflow& workflow = workflow_of(journey);
        if (what == "pause") {
            journey.paused = true;
        } else if (what == "resume") {
            journey.check = journey.paused ? clock_ : journey.check; // what is overdue runs now
            journey.paused = false;
        } else if (what == "stop") {
            cancel_open(journey, "stopped");
            end(journey, workflow, "stopped", happening.cause);
        } else if (what == "migrate") {
            migrate(journey, properties, happening.cause);
        }
    }
}

namespace {

/// Where those who stand at a step go on in another version.
struct Destination {
    bool stays = false, leaves = false;
    Index at = none;
};

Destination destination_of(const std::string& step, const Workflow& workflow, const profile::Properties& properties) {
    Value const mapped = properties.get(language::Path{{"steps", step}});
    std::string const otherwise(properties.get({{"otherwise"}}).text);
    if (mapped.kind == Value::Kind::null || (mapped.kind == Value::Kind::missing && otherwise == "leave"))
        return {false, true, none};
    if (mapped.kind == Value::Kind::missing && otherwise == "stay")
        return {true, false, none};
    Index const at = find_step(workflow, mapped.kind == Value::Kind::missing ? std::string_view(step) : mapped.text);
    return {at == none, false, at};
}

/// Puts the strand, and where both versions have as many branches, these, where they go on. False: not all of it has a place
/// there. No step is taken yet.
bool transplant(profile::Strand& strand, const Workflow& old, const Workflow& workflow, const profile::Properties& properties,
                std::string_view branch, bool& leaves) {
    const Instruction& from = old.program[strand.at_step];
    Destination const to = destination_of(from.step, workflow, properties);
    leaves = leaves || to.leaves;
    if (to.leaves)
        return true;
    if (to.stays || workflow.program[to.at].branch != branch)
        return false;
    const Instruction& at = workflow.program[to.at];
    strand.loops.clear();
    strand.at_step = to.at;
    if (at.kind != InstructionKind::parallel || at.arms.size() != strand.branches.size()) { // they are left
        take_open(strand.branches, strand.open);
        strand.branches.clear();
        return true;
    }
    for (std::size_t i = 0; i < strand.branches.size(); ++i) {
        auto& inner = strand.branches[i];
        std::string const name = branch_name(at, i);
        if (inner.arrived) {
            inner.at_step = static_cast<std::uint32_t>(std::find_if(workflow.program.begin(), workflow.program.end(), [&](const auto& end) {
                                return end.kind == InstructionKind::join && end.branch == name;
                            }) - workflow.program.begin());
        } else if (!transplant(inner, old, workflow, properties, name, leaves)) {
            return false;
        }
    }
    return true;
}

} // namespace

// {"do": "migrate", "workflow": 7, "from": 1, "to": 2, "steps": {"3": "4", "5": null}, "otherwise": "same"|"stay"|"leave"}: who
// stands at 3 goes on at 4 of the new version, who stands at 5 leaves. A journey in branches goes if all of them have a place.
void Stepper::migrate(Journey& journey, const profile::Properties& properties, const Cause& cause) {
    auto const version = [&](const char* key) {
        auto const number = number_of(properties.get({{key}}));
        return number ? static_cast<std::uint32_t>(*number / micro_one) : 0;
    };
    std::uint32_t const from = version("from");
    Index const target = model_.workflow_of(journey.workflow, version("to"));
    if (target == none || journey.version == version("to") || (from != 0 && journey.version != from))
        return;
    const Workflow& old = workflow_of(journey);
    const Workflow& workflow = model_.workflows[target];
    profile::Strand moved = journey;
    bool leaves = false;
    if (!transplant(moved, old, workflow, properties, "", leaves))
        return;
    if (leaves) {
        cancel_open(journey, "left at the change of version");
        end(journey, old, "left at the change of version", cause);
        return;
    }
    if (moved.branches.empty())
        leave_branches(journey, old, cause);
    else
        journey.branches = std::move(moved.branches);
    journey.at_step = moved.at_step;
    journey.version = workflow.version;
    journey.moved = true;
    journey.loops.clear();
    journey.retries.clear();
    journey.goals = 0;
    ReadingVariables const variables(facts_, journey);
    settle_in(journey, journey, workflow, cause);
}

// Goes on where it was put: a step is taken, a wait goes on from when the wait before began.
void Stepper::settle_in(Journey& journey, profile::Strand& strand, const Workflow& workflow, const Cause& cause) {
    const Instruction& at = workflow.program[strand.at_step];
    bool const in_branches = !strand.branches.empty();
    strand.held = false;
    if (!is_wait(at.kind) && !in_branches) {
        walk(journey, strand, strand.at_step, cause);
        return;
    }
    Time const since = strand.since;
    std::uint32_t const came = strand.came;
    wait_at(journey, strand, workflow, strand.at_step, cause);
    strand.since = since; // the wait goes on
    strand.came = at.ranked && came <= at.awaited.size() ? came : 0;
    if (!in_branches) {
        strand.wakes = end_of_wait(since, at).value_or(strand.wakes);
        return;
    }
    for (auto& branch : strand.branches) {
        if (!branch.arrived)
            settle_in(journey, branch, workflow, cause);
        if (journey.workflow == 0)
            return;
    }
    if (has_joined(strand, at)) {
        gather(strand, workflow, cause);
        walk(journey, strand, at.next, cause);
    }
}

} // namespace nurture::step
