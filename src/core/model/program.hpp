#pragma once
#include "core/model/builder.hpp"

namespace nurture::model {

/// Flattens a workflow into a program: waits, branches and actions with their successors.
[[nodiscard]] Workflow compile_workflow(Builder& builder, const WorkflowRow& row, const language::Workflow& workflow);

/// Finds out of which parallels somebody may come at the instant at which they began.
void find_passes(Workflow& workflow);
/// Throws Error(invalid_definition) where steps go round without end and without time passing; the path is in the detail.
void check_rounds(const Workflow& workflow);
/// The same for workflows that start each other.
void check_rounds(const Model& model);

/// The JSON text of a literal, as payloads and attributes hold it.
[[nodiscard]] std::string json_of(const language::Literal& literal, const Zone& zone);

} // namespace nurture::model
