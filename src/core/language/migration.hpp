#pragma once
// Whether people can be moved from a step of one version of a workflow to a step of another.
#include "core/language/ast_workflow.hpp"

#include <string>
#include <string_view>

namespace nurture::language {

/// Why whoever stands at a step cannot go on at a step of another version, as the end of a sentence; empty: nothing is against it.
/// Nobody is to do again what was done: from the target on there must be no more of what lies behind the step than from the step
/// on. Steps are told from each other by their words, as everywhere between versions. Steps that do not exist are nothing to say of.
[[nodiscard]] std::string migration_problem(const Workflow& before, std::string_view step, const Workflow& after, std::string_view target);

} // namespace nurture::language
