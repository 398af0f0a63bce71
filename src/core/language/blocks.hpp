#pragma once
// The blocks of steps inside a step, wherever a walk over a workflow needs them.
#include "core/language/ast_workflow.hpp"

namespace nurture::language {

/// Calls each(steps) for every block that the step holds, in the order of the text.
template <class Each>
void for_blocks(const Step& step, Each each) {
    if (const auto* wait = std::get_if<WaitFor>(&step.node)) {
        each(wait->then_steps);
        for (const AwaitedBranch& other : wait->others)
            each(other.steps);
        each(wait->else_steps);
    } else if (const auto* choice = std::get_if<If>(&step.node)) {
        for (const Branch& branch : choice->branches)
            each(branch.steps);
        each(choice->else_steps);
    } else if (const auto* cases = std::get_if<Switch>(&step.node)) {
        for (const Case& one : cases->cases)
            each(one.steps);
        each(cases->else_steps);
    } else if (const auto* split = std::get_if<Split>(&step.node)) {
        for (const Arm& arm : split->arms)
            each(arm.steps);
    } else if (const auto* loop = std::get_if<Repeat>(&step.node)) {
        each(loop->steps);
    }
}

} // namespace nurture::language
