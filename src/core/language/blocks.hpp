#pragma once
// The blocks of steps inside a step, wherever a walk over a workflow needs them.
#include "core/language/ast_workflow.hpp"
#include "core/language/language.hpp"

namespace nurture::language {

/// Calls each(steps, way) for every block that the step holds, in the order of the text; of a step 3 those in the block are
/// 3.way.1, 3.way.2, …
template <class Each>
void for_ways(const Step& step, Each each) {
    if (const auto* wait = std::get_if<WaitFor>(&step.node)) {
        each(wait->then_steps, std::string("then"));
        for (std::size_t i = 0; i < wait->others.size(); ++i)
            each(wait->others[i].steps, "or" + std::to_string(i + 1));
        each(wait->else_steps, std::string("else"));
    } else if (const auto* choice = std::get_if<If>(&step.node)) {
        for (std::size_t i = 0; i < choice->branches.size(); ++i)
            each(choice->branches[i].steps, i == 0 ? std::string("then") : "elsif" + std::to_string(i));
        each(choice->else_steps, std::string("else"));
    } else if (const auto* cases = std::get_if<Switch>(&step.node)) {
        for (std::size_t i = 0; i < cases->cases.size(); ++i)
            each(cases->cases[i].steps, "when" + std::to_string(i + 1));
        each(cases->else_steps, std::string("else"));
    } else if (const auto* split = std::get_if<Split>(&step.node)) {
        for (const Arm& arm : split->arms)
            each(arm.steps, print_name(arm.name));
    } else if (const auto* parallel = std::get_if<Parallel>(&step.node)) {
        for (std::size_t i = 0; i < parallel->branches.size(); ++i)
            each(parallel->branches[i], "branch" + std::to_string(i + 1));
    } else if (const auto* loop = std::get_if<Repeat>(&step.node)) {
        each(loop->steps, std::string("repeat"));
    }
}

/// Calls each(steps) for every block that the step holds, in the order of the text.
template <class Each>
void for_blocks(const Step& step, Each each) {
    for_ways(step, [&](const Steps& steps, const std::string&) { each(steps); });
}

} // namespace nurture::language
