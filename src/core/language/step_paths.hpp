#pragma once
// Where the steps of a workflow stand: the names under which transitions and actions tell them.
#include "core/language/ast_workflow.hpp"

#include <string>
#include <vector>

namespace nurture::language {

struct StepPlace {
    std::string path; ///< "3", "3.then.1", "4.when2.1", "5.repeat.1"
    std::string text; ///< its first line, in canonical form
    bool waits = false;
};

/// Every step, in the order of the text.
[[nodiscard]] std::vector<StepPlace> step_places(const Workflow& workflow);

} // namespace nurture::language
