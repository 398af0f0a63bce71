// Walking through workflows. What steps wait for is in waits.cpp, what they do in acts.cpp, what starts them in triggers.cpp.
#include "core/base/error.hpp"
#include "core/language/language.hpp"
#include "core/step/reading.hpp"
#include "core/step/stepper.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace nurture::step {

using model::Instruction;
using model::InstructionKind;
using model::Workflow;
using profile::Journey;
using profile::Strand;

namespace {

/// The net under workflows that go round without time passing.
constexpr int max_hops = 10'000;
/// What one instant, and what one step, may put out. The first binds whatever the batches; the second keeps a batch's
/// memory bounded.
constexpr std::size_t max_instant_bytes = 16 << 20, max_step_bytes = 256 << 20;

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

const Workflow& Stepper::workflow_of(const Journey& journey) const {
    return model_.workflows[model_.workflow_of(journey.workflow, journey.version)];
}

profile::WorkflowMemory& Stepper::memory_of(std::uint32_t workflow) {
    auto& memories = profile_.workflows;
    auto const place = std::lower_bound(memories.begin(), memories.end(), workflow,
                                        [](const auto& m, std::uint32_t id) { return m.workflow < id; });
    if (place != memories.end() && place->workflow == workflow)
        return *place;
    profile::WorkflowMemory fresh;
    fresh.workflow = workflow;
    return *memories.insert(place, std::move(fresh));
}

Zone Stepper::contact_zone() const { return facts_.contact_zone(); }

bool Stepper::holds(Index condition) const { return facts_.evaluate(condition, clock_).truth == Truth::yes; }

bool Stepper::concerns(const model::JourneyPattern& event, const Happening& happening) const {
    if (event.pattern == none || !contains(happening.matched, event.pattern))
        return false;
    return event.filter == none || (happening.event != nullptr && facts_.matches(event.filter, *happening.event) == Truth::yes);
}

// --- entry --------------------------------------------------------------------------------------------------------

bool Stepper::may_enter(const Workflow& workflow, std::uint64_t key) {
    using language::Reentry;
    const auto& policy = workflow.reentry;
    std::int64_t inside = 0, same_key = 0;
    for (const Journey& journey : profile_.journeys) {
        inside += journey.workflow == workflow.id ? 1 : 0;
        same_key += journey.workflow == workflow.id && journey.key == key ? 1 : 0;
    }
    const auto& memory = memory_of(workflow.id);
    if (policy.times != 0 && memory.entries >= policy.times)
        return false;
    if (policy.at_once != 0 && inside >= policy.at_once)
        return false;
    switch (policy.kind) {
    case Reentry::never:
        return memory.entries == 0;
    case Reentry::after:
        return inside == 0 && (memory.entries == 0 ||
                               add_on_calendar(memory.last_start, policy.after, contact_zone()) <= clock_);
    case Reentry::always:
        return true;
    case Reentry::per_key:
        return same_key == 0;
    case Reentry::once_per_key:
        return std::find(memory.keys.begin(), memory.keys.end(), key) == memory.keys.end();
    }
    return false;
}

// Where a journey begins: at a goal's label when that is reached already; refused when the goal would end it.
Index Stepper::begin_of(Journey& journey, const Workflow& workflow, bool& refused) {
    Index begin = workflow.begin;
    for (std::size_t i = 0; i < workflow.goals.size(); ++i) {
        const auto& goal = workflow.goals[i];
        if (goal.condition == none || !holds(goal.condition))
            continue;
        refused = refused || goal.go_to == none;
        if (refused)
            return begin;
        journey.goals |= 1U << i;
        begin = goal.go_to;
    }
    return begin;
}

void Stepper::start(Index index, const Cause& cause, const profile::Properties* event, const Variables* given) {
    const Workflow& workflow = model_.workflows[index];
    Journey journey;
    if (!workflow.reentry.key.keys.empty()) {
        profile::Value const value = event == nullptr ? profile::Value{} : event->get(workflow.reentry.key);
        journey.key = std::max<std::uint64_t>(hash64(value.known() ? "key " + std::string(text_of(value)) : std::string()), 1);
    }
    if (!may_enter(workflow, journey.key))
        return;
    journey.context = variables_of(workflow, event, given);
    ReadingVariables const variables(facts_, journey);
    for (Index const condition : workflow.exit_conditions)
        if (holds(condition))
            return;
    bool refused = false;
    Index const begin = begin_of(journey, workflow, refused);
    if (refused)
        return;
    if (workflow.holdout && facts_.in_sample(*workflow.holdout)) {
        note(TransitionKind::journey_held_out, workflow, "", "", cause);
        return;
    }
    auto& memory = memory_of(workflow.id);
    memory.last_start = clock_;
    if (workflow.reentry.kind == language::Reentry::once_per_key) {
        memory.keys.push_back(journey.key);
        if (memory.keys.size() > profile::keys_limit)
            memory.keys.erase(memory.keys.begin());
    }
    journey.workflow = workflow.id;
    journey.version = workflow.version;
    journey.instance = ++memory.entries;
    journey.started = journey.since = clock_;
    instance_ = journey.instance;
    via_.clear();
    note(TransitionKind::journey_started, workflow, "", "", cause);
    for (std::size_t i = 0; i < workflow.goals.size(); ++i)
        if ((journey.goals >> i & 1) != 0)
            note(TransitionKind::goal_reached, workflow, "", workflow.goals[i].text, cause);
    journey_moved(workflow.id);
    walk(journey, journey, begin, cause);
    if (journey.workflow == 0)
        return;
    bool const in_branches = !journey.branches.empty();
    profile_.journeys.push_back(std::move(journey));
    if (in_branches)
        resolve_waits(); // one of them may have moved the contact's clock while another waits by it
}

// --- on the way ---------------------------------------------------------------------------------------------------

bool Stepper::leaves(Journey& journey, const Workflow& workflow, const Happening& happening) {
    for (const auto& exit : workflow.exit_patterns)
        if (concerns(exit, happening)) {
            std::string const reason = "exit on " + model_.patterns[exit.pattern].type;
            cancel_open(journey, reason);
            end(journey, workflow, reason, happening.cause);
            return true;
        }
    for (Index const condition : workflow.exit_conditions)
        if (holds(condition)) {
            cancel_open(journey, "exit when");
            end(journey, workflow, "exit when", happening.cause);
            return true;
        }
    return false;
}

bool Stepper::reaches_goal(Journey& journey, const Workflow& workflow, const Happening& happening) {
    for (std::size_t i = 0; i < workflow.goals.size(); ++i) {
        const auto& goal = workflow.goals[i];
        if ((journey.goals >> i & 1) != 0)
            continue;
        if (!goal.within.empty() && add_on_calendar(journey.started, goal.within, contact_zone()) <= clock_)
            continue;
        if (goal.condition != none ? !holds(goal.condition) : !concerns(goal.event, happening))
            continue;
        journey.goals |= 1U << i;
        note(TransitionKind::goal_reached, workflow, workflow.program[journey.at_step].step, goal.text, happening.cause);
        if (goal.go_to == none) {
            cancel_open(journey, "goal");
            end(journey, workflow, "goal", happening.cause);
        } else {
            leave_branches(journey, workflow, happening.cause);
            journey.loops.clear(); // labels stand outside of them
            journey.held = false;
            walk(journey, journey, goal.go_to, happening.cause);
        }
        return true;
    }
    return false;
}

void Stepper::advance(Journey& journey, const Happening& happening) {
    instance_ = journey.instance;
    via_.clear();
    const Workflow& workflow = workflow_of(journey);
    if (happening.stop == journey.workflow) {
        cancel_open(journey, "stopped");
        end(journey, workflow, "stopped", happening.cause);
        return;
    }
    if (is_paused(journey))
        return;
    ReadingVariables const variables(facts_, journey);
    if (leaves(journey, workflow, happening) || reaches_goal(journey, workflow, happening) ||
        settle_failure(journey, workflow, happening))
        return;
    go_on(journey, journey, happening);
}

void Stepper::go_on(Journey& journey, Strand& strand, const Happening& happening) {
    const Workflow& workflow = workflow_of(journey);
    const Instruction& at = workflow.program[strand.at_step];
    if (strand.held) { // its timer is due, and comes at once
        if (happening.publishing)
            return;
        strand.held = false;
        walk(journey, strand, strand.at_step, happening.cause);
        return;
    }
    if (at.kind == InstructionKind::parallel) {
        advance_branches(journey, strand, happening);
        return;
    }
    if (const auto* const awaited = decided(strand, at, happening)) {
        pass(at.step, awaited->how);
        walk(journey, strand, awaited->then, happening.cause);
        return;
    }
    bool const starts_now = happening.start && happening.cause.fresh && happening.start->workflow == at.workflow;
    if (at.kind == InstructionKind::wait_workflow && !starts_now && !is_inside(at.workflow, &journey)) {
        pass(at.step);
        walk(journey, strand, at.next, happening.cause);
    } else if (happening.timer && strand.wakes <= clock_) {
        if (at.kind == InstructionKind::wait_for)
            pass(at.step, ":else");
        walk(journey, strand, at.other, happening.cause); // of a wait for nothing but time the two are one
    } else {
        bool const renewed = std::any_of(at.renewed.begin(), at.renewed.end(), [&](const auto& event) { return concerns(event, happening); });
        if (renewed) {
            strand.since = clock_;
            strand.wakes = end_of_wait(clock_, at.duration);
        }
        look_ahead(journey, strand, workflow);
    }
}

// Goes round once more, or on behind the loop.
Index Stepper::round(Strand& strand, const Workflow& workflow, Index at) {
    const Instruction& loop = workflow.program[at];
    auto& loops = strand.loops;
    auto const counted = std::find_if(loops.begin(), loops.end(), [&](const auto& l) { return l.at == at; });
    std::uint32_t const rounds = counted == loops.end() ? 0 : counted->count;
    bool const over = (loop.limit != 0 && rounds >= loop.limit) || (loop.condition != none && holds(loop.condition));
    if (over) {
        if (counted != loops.end())
            loops.erase(counted, loops.end()); // and those inside it
        return loop.other;
    }
    if (counted == loops.end()) {
        loops.push_back({at, 1});
    } else {
        ++counted->count;
        loops.erase(counted + 1, loops.end());
    }
    return loop.next;
}

// By the contact's key: the same arm wherever and whenever it is asked; or, thrown anew, by the coming as well.
const model::SplitArm& Stepper::arm_of(const Journey& journey, const Strand& strand, const Instruction& split) const {
    std::string thrown = std::to_string(split.seed) + '\n';
    if (split.anew)
        thrown += std::to_string(journey.instance) + '\n' + visit_of(journey, strand) + '\n' +
                  (journey.origin.empty() ? std::string(input_.contact) : journey.origin);
    else
        thrown += input_.contact;
    std::uint64_t const hash = hash64(thrown);
    Wide const sum = split.arms.back().below;
    for (const auto& arm : split.arms)
        if (Wide(hash) * sum < (Wide(arm.below) << 64)) // hash / 2^64 < below / sum, in integers
            return arm;
    return split.arms.back();
}

void Stepper::pass(const std::string& step, std::string_view how) {
    if (step.empty())
        return;
    via_ += via_.empty() ? "" : " ";
    via_ += step;
    via_ += how;
}

void Stepper::walk(Journey& journey, Strand& strand, Index from, const Cause& cause) {
    const Workflow& workflow = workflow_of(journey);
    int refused = 0; // conditions of an if, which are of one step
    for (Index at = from;;) {
        hop();
        const Instruction& instruction = workflow.program[at];
        if (workflow.holds(instruction) && !is_wait(instruction.kind) && instruction.kind != InstructionKind::again &&
            instruction.kind != InstructionKind::join) {
            strand.held = true;
            wait_at(journey, strand, workflow, at, cause);
            return;
        }
        Index next = instruction.next;
        switch (instruction.kind) {
        case InstructionKind::wait:
            wait_at(journey, strand, workflow, at, cause);
            return;
        case InstructionKind::wait_until:
            if (reached(instruction.until, clock_).value_or(clock_) > clock_) {
                wait_at(journey, strand, workflow, at, cause);
                return;
            }
            pass(instruction.step, ":held");
            break;
        case InstructionKind::wait_for: {
            auto const fulfilled = std::find_if(instruction.awaited.begin(), instruction.awaited.end(), [&](const auto& a) {
                return a.condition != none && holds(a.condition);
            });
            if (fulfilled == instruction.awaited.end()) {
                wait_at(journey, strand, workflow, at, cause);
                return;
            }
            if (instruction.ranked && fulfilled->then != instruction.awaited.front().then) { // something better may come
                wait_at(journey, strand, workflow, at, cause);
                strand.came = static_cast<std::uint32_t>(fulfilled - instruction.awaited.begin()) + 1;
                return;
            }
            pass(instruction.step, ":held");
            next = fulfilled->then;
            break;
        }
        case InstructionKind::wait_workflow:
            if (is_inside(instruction.workflow, &journey)) {
                wait_at(journey, strand, workflow, at, cause);
                return;
            }
            pass(instruction.step, ":held");
            break;
        case InstructionKind::parallel:
            wait_at(journey, strand, workflow, at, cause);
            if (!begin_branches(journey, strand, workflow, at, cause))
                return;
            break;
        case InstructionKind::join:
            if (&strand != &journey) {
                arrive(strand, workflow, at, cause);
                return;
            }
            break;
        case InstructionKind::branch: {
            bool const yes = holds(instruction.condition);
            next = yes ? instruction.next : instruction.other;
            bool const more = workflow.program[next].kind == InstructionKind::branch && workflow.program[next].step == instruction.step;
            if (yes)
                pass(instruction.step, instruction.name.empty() ? (refused == 0 ? ":then" : ":elsif" + std::to_string(refused))
                                                                : ":when" + std::to_string(refused + 1));
            else if (!more)
                pass(instruction.step, ":else");
            refused = yes || !more ? 0 : refused + 1;
            break;
        }
        case InstructionKind::split: {
            const auto& arm = arm_of(journey, strand, instruction);
            if (instruction.experiment)
                note(TransitionKind::arm_assigned, workflow, instruction.step,
                     nlohmann::json{{"experiment", instruction.name}, {"arm", arm.name}}.dump(), cause);
            pass(instruction.step, ':' + language::print_name(arm.name));
            next = arm.next;
            break;
        }
        case InstructionKind::repeat:
            if (std::none_of(strand.loops.begin(), strand.loops.end(), [at](const auto& loop) { return loop.at == at; }))
                pass(instruction.step);
            next = round(strand, workflow, at);
            if (next == instruction.next)
                pass(instruction.step, ":repeat");
            break;
        case InstructionKind::again:
            break;
        case InstructionKind::send:
        case InstructionKind::act:
            std::erase_if(journey.retries, [at](const auto& count) { return count.at == at; });
            pass(instruction.step, act(journey, strand, workflow, instruction) ? "" : ":none");
            break;
        case InstructionKind::send_next:
            pass(instruction.step, send_next(journey, strand, workflow, instruction) ? "" : ":exhausted");
            break;
        case InstructionKind::assign:
            assign(journey, strand, workflow, instruction);
            pass(instruction.step);
            break;
        case InstructionKind::stop:
            pass(instruction.step);
            if (instruction.workflow == workflow.id) { // itself: as exit, what it sent is sent
                end(journey, workflow, "stopped", cause);
                return;
            }
            change(workflow, instruction, cause);
            break;
        case InstructionKind::end:
            pass(instruction.step);
            end(journey, workflow, "completed", cause);
            return;
        default:
            pass(instruction.step);
            change(workflow, instruction, cause);
        }
        at = next;
    }
}

void Stepper::end(Journey& journey, const Workflow& workflow, std::string reason, const Cause& cause) {
    std::string step = reason == "completed" ? "" : workflow.program[journey.at_step].step;
    bool const finished = reason == "completed" || reason == "goal";
    if (finished) {
        auto& completed = profile_.completed;
        auto const place = std::lower_bound(completed.begin(), completed.end(), workflow.id);
        if (place == completed.end() || *place != workflow.id)
            completed.insert(place, workflow.id);
    }
    instance_ = journey.instance;
    note(TransitionKind::journey_ended, workflow, std::move(step), std::move(reason), cause);
    note_left(journey, workflow, cause); // they stay where they are: one of them may be walking
    journey_moved(workflow.id);
    follow(workflow.id, "", true, finished, cause);
    journey.workflow = 0; // removed when the instant is settled
    journey.wakes = journey.check = never;
}

// Tells other journeys, if there may be some that want to know.
void Stepper::follow(std::uint32_t workflow, const std::string& step, bool ended, bool finished, const Cause& cause) {
    if (!std::binary_search(model_.followed.begin(), model_.followed.end(), workflow))
        return;
    Happening moved;
    moved.cause = cause;
    moved.move = Happening::Move{workflow, step, ended, finished};
    happenings_.push_back(std::move(moved));
}

void Stepper::cancel_open(Strand& strand, const std::string& reason) {
    for (const Uuid& id : strand.open) {
        result_.cancellations.push_back({id, clock_, reason});
        forget_content(id);
    }
    strand.open.clear();
    for (Strand& branch : strand.branches)
        cancel_open(branch, reason);
}

void Stepper::note(TransitionKind kind, const Workflow& workflow, std::string step, std::string reason,
                   const Cause& cause, std::string branch) {
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
    transition.branch = std::move(branch);
    if (kind == TransitionKind::journey_waits || kind == TransitionKind::journey_ended || kind == TransitionKind::branch_ended)
        transition.via = std::exchange(via_, {});
    count_output(sizeof transition + transition.name.size() + transition.step.size() + transition.reason.size() +
                 transition.via.size() + transition.branch.size());
    result_.transitions.push_back(std::move(transition));
}

} // namespace nurture::step
