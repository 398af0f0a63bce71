// Walking through workflows.
#include "core/step/stepper.hpp"

#include "core/base/error.hpp"
#include "core/guard/guard.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace nurture::step {

using model::Instruction;
using model::InstructionKind;
using model::Workflow;
using profile::Journey;

namespace {

/// The net under workflows that go round without time passing.
constexpr int max_hops = 10'000;
/// What one instant, and what one step, may put out. The first binds whatever the batches; the second keeps a batch's
/// memory bounded.
constexpr std::size_t max_instant_bytes = 16 << 20, max_step_bytes = 256 << 20;

/// A single key and its value, as `set` writes it.
class OneProperty final : public profile::Properties {
  public:
    OneProperty(std::string_view key, std::string_view json) : key_(key), json_(json) {}
    [[nodiscard]] profile::Value get(const language::Path& path) const override {
        return path.keys.front() == key_ ? value_of_json(json_, path, texts_) : profile::Value{};
    }
    void each(Visit visit, void* context) const override { visit(context, key_, json_); }

  private:
    std::string_view key_, json_;
    mutable std::deque<std::string> texts_;
};

bool contains(const std::vector<Index>& set, Index value) {
    return std::find(set.begin(), set.end(), value) != set.end();
}

} // namespace

void Stepper::hop() {
    if (++hops_ > max_hops)
        throw Error(ErrorKind::limit_exceeded,
                    "the contact's workflows took more than " + std::to_string(max_hops) + " steps at one instant",
                    "Workflows that start each other without a wait go round for ever.");
}

void Stepper::count_output(std::size_t bytes) {
    instant_bytes_ += bytes;
    step_bytes_ += bytes;
    if (instant_bytes_ > max_instant_bytes)
        throw Error(ErrorKind::limit_exceeded, "what happens to the contact at one instant takes more than 16 MB");
    if (step_bytes_ > max_step_bytes)
        throw Error(ErrorKind::limit_exceeded, "what happens to the contact in one batch takes more than 256 MB", {},
                    "Lower nurture.batch_rows.");
}

profile::WorkflowMemory& Stepper::memory_of(std::uint32_t workflow) {
    auto& memories = profile_.workflows;
    auto const place = std::lower_bound(memories.begin(), memories.end(), workflow,
                                        [](const auto& m, std::uint32_t id) { return m.workflow < id; });
    if (place != memories.end() && place->workflow == workflow)
        return *place;
    return *memories.insert(place, {workflow, 0, 0});
}

Zone Stepper::contact_zone() const {
    std::deque<std::string> texts;
    profile::Value const name = value_of_json(attribute_json(profile_, "timezone"), texts);
    if (name.kind == profile::Value::Kind::string)
        if (auto const zone = Zone::try_find(name.text))
            return *zone;
    return model_.zone;
}

void Stepper::start(Index index, const Cause& cause) {
    const Workflow& workflow = model_.workflows[index];
    auto const id = workflow.id;
    bool const active = std::any_of(profile_.journeys.begin(), profile_.journeys.end(),
                                    [id](const Journey& journey) { return journey.workflow == id; });
    {
        const auto& memory = memory_of(id);
        switch (workflow.reentry.kind) {
        case language::Reentry::never:
            if (memory.entries > 0)
                return;
            break;
        case language::Reentry::after:
            if (active || (memory.entries > 0 && add_on_calendar(memory.last_start, workflow.reentry.after,
                                                                 contact_zone()) > clock_))
                return;
            break;
        case language::Reentry::always:
            break;
        }
    }
    for (Index const condition : workflow.exit_conditions)
        if (facts_.evaluate(condition, clock_).truth == Truth::yes)
            return;
    auto& memory = memory_of(id);
    memory.last_start = clock_;
    Journey journey;
    journey.workflow = id;
    journey.version = workflow.version;
    journey.instance = ++memory.entries;
    journey.started = journey.since = clock_;
    instance_ = journey.instance;
    via_.clear();
    note(TransitionKind::journey_started, workflow, "", "", cause);
    journey_moved(id);
    walk(journey, workflow.begin, cause);
    if (journey.workflow != 0)
        profile_.journeys.push_back(std::move(journey));
}

void Stepper::advance(Journey& journey, const Happening& happening) {
    instance_ = journey.instance;
    via_.clear();
    Index const index = model_.workflow_of(journey.workflow, journey.version);
    const Workflow& workflow = model_.workflows[index];
    if (workflow.paused)
        return;
    for (Index const pattern : workflow.exit_patterns)
        if (contains(happening.matched, pattern)) {
            cancel_open(journey, "exit on " + model_.patterns[pattern].type);
            end(journey, workflow, "exit on " + model_.patterns[pattern].type, happening.cause);
            return;
        }
    for (Index const condition : workflow.exit_conditions)
        if (facts_.evaluate(condition, clock_).truth == Truth::yes) {
            cancel_open(journey, "exit when");
            end(journey, workflow, "exit when", happening.cause);
            return;
        }
    const Instruction& at = workflow.program[journey.at_step];
    if (at.kind == InstructionKind::wait_event && contains(happening.matched, at.pattern)) {
        pass(at.step, ":then");
        walk(journey, at.next, happening.cause);
    } else if (at.kind == InstructionKind::wait_condition &&
               facts_.evaluate(at.condition, clock_).truth == Truth::yes) {
        pass(at.step, ":then");
        walk(journey, at.next, happening.cause);
    } else if (happening.timer && journey.wakes <= clock_) {
        if (at.kind != InstructionKind::wait)
            pass(at.step, ":else");
        walk(journey, at.kind == InstructionKind::wait ? at.next : at.other, happening.cause);
    } else {
        look_ahead(journey, workflow);
    }
}

void Stepper::pass(const std::string& step, std::string_view how) {
    if (step.empty())
        return;
    via_ += via_.empty() ? "" : " ";
    via_ += step;
    via_ += how;
}

void Stepper::walk(Journey& journey, Index from, const Cause& cause) {
    const Workflow& workflow = model_.workflows[model_.workflow_of(journey.workflow, journey.version)];
    int refused = 0; // conditions of an if, which are of one step
    for (Index at = from;;) {
        hop();
        const Instruction& instruction = workflow.program[at];
        switch (instruction.kind) {
        case InstructionKind::wait:
        case InstructionKind::wait_event:
            wait_at(journey, workflow, at, cause);
            return;
        case InstructionKind::wait_condition:
            if (facts_.evaluate(instruction.condition, clock_).truth != Truth::yes) {
                wait_at(journey, workflow, at, cause);
                return;
            }
            pass(instruction.step, ":held");
            at = instruction.next;
            break;
        case InstructionKind::branch: {
            bool const yes = facts_.evaluate(instruction.condition, clock_).truth == Truth::yes;
            at = yes ? instruction.next : instruction.other;
            bool const more = workflow.program[at].kind == InstructionKind::branch && workflow.program[at].step == instruction.step;
            if (yes)
                pass(instruction.step, refused == 0 ? ":then" : ":elsif" + std::to_string(refused));
            else if (!more)
                pass(instruction.step, ":else");
            refused = yes || !more ? 0 : refused + 1;
            break;
        }
        case InstructionKind::send:
        case InstructionKind::act:
            act(journey, workflow, instruction);
            pass(instruction.step);
            at = instruction.next;
            break;
        case InstructionKind::set:
            set(workflow, instruction, cause);
            pass(instruction.step);
            at = instruction.next;
            break;
        case InstructionKind::end:
            pass(instruction.step);
            end(journey, workflow, "completed", cause);
            return;
        }
    }
}

void Stepper::wait_at(Journey& journey, const Workflow& workflow, Index at, const Cause& cause) {
    const Instruction& instruction = workflow.program[at];
    journey.at_step = at;
    journey.since = clock_;
    journey.wakes = end_of_wait(clock_, instruction.duration);
    look_ahead(journey, workflow);
    note(TransitionKind::journey_waits, workflow, instruction.step, "", cause);
    journey_moved(workflow.id);
}

Time Stepper::end_of_wait(Time since, const Duration& duration) const {
    bool const on_calendar = duration.months != 0 || duration.days != 0;
    Time const end = on_calendar ? add_on_calendar(since, duration, contact_zone()) : saturating_add(since, duration.micros);
    return std::max(end, saturating_add(since, 1));
}

// Waits on the calendar end at another moment when the contact's clock shows another time: those that have come to
// nothing yet are reckoned anew from their beginning. One that would already be over ends at once, as a timer.
void Stepper::resolve_waits() {
    for (Journey& journey : profile_.journeys) {
        if (journey.workflow == 0)
            continue;
        const Workflow& workflow = model_.workflows[model_.workflow_of(journey.workflow, journey.version)];
        const Duration& duration = workflow.program[journey.at_step].duration;
        if (duration.months != 0 || duration.days != 0)
            journey.wakes = end_of_wait(journey.since, duration);
    }
}

// When a condition the journey hangs on may change by itself.
void Stepper::look_ahead(Journey& journey, const Workflow& workflow) {
    Time check = never;
    for (Index const condition : workflow.exit_conditions)
        check = std::min(check, facts_.evaluate(condition, clock_).flips);
    const Instruction& at = workflow.program[journey.at_step];
    if (at.kind == InstructionKind::wait_condition)
        check = std::min(check, facts_.evaluate(at.condition, clock_).flips);
    journey.check = check == never ? never : std::max(check, saturating_add(clock_, 1));
}

void Stepper::end(Journey& journey, const Workflow& workflow, std::string reason, const Cause& cause) {
    std::string step = reason == "completed" ? "" : workflow.program[journey.at_step].step;
    if (reason == "completed") {
        auto& completed = profile_.completed;
        auto const place = std::lower_bound(completed.begin(), completed.end(), workflow.id);
        if (place == completed.end() || *place != workflow.id)
            completed.insert(place, workflow.id);
    }
    note(TransitionKind::journey_ended, workflow, std::move(step), std::move(reason), cause);
    journey_moved(workflow.id);
    journey.workflow = 0; // removed when the instant is settled
    journey.wakes = journey.check = never;
}

void Stepper::cancel_open(Journey& journey, const std::string& reason) {
    for (const Uuid& id : journey.open)
        result_.cancellations.push_back({id, clock_, reason});
    journey.open.clear();
}

// The engine was told what became of an action.
void Stepper::settle_outcome(std::string_view action_id) {
    for (Journey& journey : profile_.journeys)
        std::erase_if(journey.open, [&](const Uuid& id) { return print_uuid(id) == action_id; });
}

std::string Stepper::argument_json(const model::Argument& argument) const {
    if (argument.attribute == none)
        return argument.json;
    profile::Value const value = facts_.attribute(argument.attribute);
    switch (value.kind) {
    case profile::Value::Kind::missing:
    case profile::Value::Kind::null:
        return "null";
    case profile::Value::Kind::boolean:
        return value.boolean ? "true" : "false";
    case profile::Value::Kind::string:
        return nlohmann::json(std::string(value.text)).dump();
    default:
        return std::string(value.text);
    }
}

void Stepper::act(Journey& journey, const Workflow& workflow, const Instruction& instruction) {
    Action action;
    action.channel = instruction.channel;
    action.template_name = instruction.template_name;
    action.purpose = instruction.purpose;
    action.transactional = instruction.transactional;
    action.payload = "{";
    for (const auto& argument : instruction.arguments) {
        action.payload += action.payload.size() > 1 ? ", " : "";
        action.payload += nlohmann::json(argument.name).dump() + ": " + argument_json(argument);
    }
    action.payload += '}';
    action.due = clock_;
    if (!action.transactional)
        action.expires = saturating_add(clock_, model_.source.action_expiry);
    action.workflow = workflow.name;
    if (model_.guards) {
        guard::Message const message{action.channel, action.purpose, action.workflow, action.transactional};
        auto const plan = guard::plan(*model_.guards, message, contact_zone(), clock_, model_.source.action_expiry);
        action.due = plan.due;
        action.expires = plan.expires;
        action.priority = plan.priority;
    }
    action.version = workflow.version;
    action.instance = journey.instance;
    action.step = instruction.step;
    // The identity of an action: workflow, instance, step, the visit's number (a step is come to once), original key.
    std::string identity = "action\n" + std::to_string(workflow.id) + '\n' + std::to_string(journey.instance) + '\n' +
                           instruction.step + "\n1\n";
    identity += journey.origin.empty() ? input_.contact : std::string_view(journey.origin);
    action.id = hash_uuid(identity);
    count_output(sizeof action + action.payload.size());
    journey.open.push_back(action.id);
    result_.actions.push_back(std::move(action));
}

std::vector<Index> Stepper::write(const std::string& name, const std::string& json) {
    OneProperty const property(name, json);
    if (!fits(property))
        return {};
    WrittenEvent written;
    written.n = next_n_++;
    written.at = clock_;
    written.type = "$set";
    written.properties = '{' + nlohmann::json(name).dump() + ": " + json + '}';
    count_output(sizeof written + written.properties.size());
    auto matched = remember(written.type, property, {clock_, input_.tick, written.n});
    result_.written.push_back(std::move(written));
    return matched;
}

void Stepper::set(const Workflow& workflow, const Instruction& instruction, const Cause& cause) {
    const auto& argument = instruction.arguments.front();
    std::size_t const before = result_.written.size();
    Happening happening;
    happening.matched = write(argument.name, argument_json(argument));
    if (result_.written.size() == before) // it does not fit
        return;
    labels_.push_back("workflow " + workflow.name + ", step " + instruction.step);
    happening.cause = {labels_.back(), input_.tick, result_.written.back().n, cause.fresh};
    evaluate_segments(happening.cause, happening.changes);
    happenings_.push_back(std::move(happening));
}

void Stepper::note(TransitionKind kind, const Workflow& workflow, std::string step, std::string reason,
                   const Cause& cause) {
    Transition transition;
    transition.n = next_transition_++;
    transition.at = clock_;
    transition.kind = kind;
    transition.id = workflow.id;
    transition.name = workflow.name;
    transition.version = workflow.version;
    transition.step = std::move(step);
    transition.cause = cause.label;
    transition.cause_tick = cause.tick;
    transition.cause_n = cause.n;
    transition.reason = std::move(reason);
    transition.instance = instance_;
    if (kind == TransitionKind::journey_waits || kind == TransitionKind::journey_ended)
        transition.via = std::exchange(via_, {});
    count_output(sizeof transition + transition.name.size() + transition.step.size() + transition.reason.size() +
                 transition.via.size());
    result_.transitions.push_back(std::move(transition));
}

} // namespace nurture::step
