// What starts journeys, and what people do to them by hand ($journey).
#include "core/step/reading.hpp"
#include "core/step/stepper.hpp"

#include <nlohmann/json.hpp>

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
        const Workflow& workflow = model_.workflows[model_.workflow_of(journey.workflow, journey.version)];
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

// {"do": "migrate", "workflow": 7, "from": 1, "to": 2, "steps": {"3": "4", "5": null}, "otherwise": "same"|"stay"|"leave"}: who
// stands at 3 goes on at 4 of the new version, who stands at 5 leaves.
void Stepper::migrate(Journey& journey, const profile::Properties& properties, const Cause& cause) {
    auto const version = [&](const char* key) {
        auto const number = number_of(properties.get({{key}}));
        return number ? static_cast<std::uint32_t>(*number / micro_one) : 0;
    };
    std::uint32_t const from = version("from");
    Index const target = model_.workflow_of(journey.workflow, version("to"));
    if (target == none || journey.version == version("to") || (from != 0 && journey.version != from))
        return;
    const Workflow& old = model_.workflows[model_.workflow_of(journey.workflow, journey.version)];
    const Workflow& workflow = model_.workflows[target];
    std::string step = old.program[journey.at_step].step;
    std::string const otherwise(properties.get({{"otherwise"}}).text);
    Value const mapped = properties.get(language::Path{{"steps", step}});
    bool leave = mapped.kind == Value::Kind::null;
    if (mapped.kind == Value::Kind::missing) {
        if (otherwise == "stay")
            return;
        leave = otherwise == "leave";
    } else {
        step = mapped.text;
    }
    Index const at = find_step(workflow, step);
    if (!leave && at == none)
        return;
    if (leave) {
        cancel_open(journey, "left at the change of version");
        end(journey, old, "left at the change of version", cause);
        return;
    }
    journey.version = workflow.version;
    journey.moved = true;
    journey.loops.clear();
    journey.retries.clear();
    journey.goals = 0;
    ReadingVariables const variables(facts_, journey);
    if (!is_wait(workflow.program[at].kind)) {
        journey.held = false;
        walk(journey, at, cause);
        return;
    }
    Time const since = journey.since;
    wait_at(journey, workflow, at, cause);
    journey.since = since; // the wait goes on
    journey.wakes = end_of_wait(since, workflow.program[at]).value_or(journey.wakes);
}

} // namespace nurture::step
