// Branches of a journey that go side by side. Each is a strand with waits, timers, loops and open actions of its own; what binds a
// journey (exits, goals, pauses, failures) binds all of them.
#include "core/step/stepper.hpp"

#include <algorithm>

namespace nurture::step {

using model::Instruction;
using model::InstructionKind;
using model::Workflow;
using profile::Journey;
using profile::Strand;

bool has_place(const Strand& strand, const Workflow& workflow) {
    if (strand.at_step >= workflow.program.size())
        return false;
    const Instruction& at = workflow.program[strand.at_step];
    if (strand.arrived)
        return at.kind == InstructionKind::join && strand.branches.empty();
    if (at.kind != InstructionKind::parallel || strand.held)
        return strand.branches.empty() && (is_wait(at.kind) || (strand.held && at.kind != InstructionKind::end));
    return strand.branches.size() == at.arms.size() &&
           std::all_of(strand.branches.begin(), strand.branches.end(), [&](const Strand& branch) { return has_place(branch, workflow); });
}

std::string branch_name(const Instruction& parallel, std::size_t branch) { return parallel.step + '.' + parallel.arms[branch].name; }

Strand& branch_named(Strand& strand, const Workflow& workflow, std::string_view name) {
    for (std::size_t i = 0; i < strand.branches.size(); ++i) {
        std::string const known = branch_name(workflow.program[strand.at_step], i);
        if (name == known)
            return strand.branches[i];
        if (name.starts_with(known + '.'))
            return branch_named(strand.branches[i], workflow, name);
    }
    return strand;
}

bool has_joined(const Strand& strand, const Instruction& parallel) {
    auto const arrived = static_cast<std::size_t>(
        std::count_if(strand.branches.begin(), strand.branches.end(), [](const Strand& branch) { return branch.arrived; }));
    return parallel.any ? arrived > 0 : arrived == parallel.arms.size();
}

void take_open(const std::vector<Strand>& branches, std::vector<Uuid>& to) {
    for (const Strand& branch : branches) {
        to.insert(to.end(), branch.open.begin(), branch.open.end());
        take_open(branch.branches, to);
    }
}

bool Stepper::begin_branches(Journey& journey, Strand& strand, const Workflow& workflow, Index at, const Cause& cause) {
    const Instruction& parallel = workflow.program[at];
    strand.branches.reserve(parallel.arms.size()); // they stay where they are while they walk
    for (const auto& arm : parallel.arms) {
        Strand& branch = strand.branches.emplace_back();
        branch.at_step = at;
        branch.since = clock_;
        branch.loops = strand.loops;
        pass(parallel.step, ':' + arm.name);
        walk(journey, branch, arm.next, cause);
        if (journey.workflow == 0)
            return false;
        if (parallel.any && branch.arrived)
            break; // those after it do not begin
    }
    if (!has_joined(strand, parallel))
        return false;
    gather(strand, workflow, cause);
    return true;
}

void Stepper::advance_branches(Journey& journey, Strand& strand, const Happening& happening) {
    const Workflow& workflow = workflow_of(journey);
    const Instruction& parallel = workflow.program[strand.at_step];
    for (Strand& branch : strand.branches) {
        if (branch.arrived || workflow.holds(workflow.program[branch.at_step]))
            continue;
        go_on(journey, branch, happening);
        if (journey.workflow == 0)
            return;
        if (parallel.any && branch.arrived)
            break;
    }
    if (has_joined(strand, parallel)) {
        gather(strand, workflow, happening.cause);
        walk(journey, strand, parallel.next, happening.cause);
    } else {
        look_ahead(journey, strand, workflow);
    }
}

// The branch is through.
void Stepper::arrive(Strand& strand, const Workflow& workflow, Index at, const Cause& cause) {
    const Instruction& join = workflow.program[at];
    strand.at_step = at;
    strand.since = clock_;
    strand.wakes = strand.check = never;
    strand.arrived = true;
    journey_moved(workflow.id);
    note(TransitionKind::branch_ended, workflow, join.step, "arrived", cause, join.branch);
}

// Those that have not arrived are left, and what is still open of their actions is withdrawn.
void Stepper::gather(Strand& strand, const Workflow& workflow, const Cause& cause) {
    for (Strand& branch : strand.branches)
        if (!branch.arrived)
            cancel_open(branch, "another branch was first");
    leave_branches(strand, workflow, cause);
}

void Stepper::leave_branches(Strand& strand, const Workflow& workflow, const Cause& cause) {
    note_left(strand, workflow, cause);
    take_open(strand.branches, strand.open);
    strand.branches.clear();
}

void Stepper::note_left(const Strand& strand, const Workflow& workflow, const Cause& cause) {
    if (strand.branches.empty())
        return;
    const Instruction& parallel = workflow.program[strand.at_step];
    for (std::size_t i = 0; i < strand.branches.size(); ++i) {
        const Strand& branch = strand.branches[i];
        if (branch.arrived)
            continue;
        note_left(branch, workflow, cause);
        note(TransitionKind::branch_ended, workflow, parallel.step, "left", cause, branch_name(parallel, i));
    }
}

} // namespace nurture::step
