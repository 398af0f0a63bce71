#pragma once
// A workflow as people see it: its steps under the names that transitions and actions give them.
#include "core/language/ast_workflow.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::report {

enum class StepKind : std::uint8_t { wait, wait_for, choice, parallel, send, act, set, exit, other };
[[nodiscard]] std::string_view name_of(StepKind kind) noexcept;

struct OutlineStep;

/// The steps that are taken when a choice or a wait goes one way.
struct OutlineBlock {
    std::string way;  ///< then, elsif1, …, else: as in Transition::via
    std::string text; ///< the condition of an elsif
    std::vector<OutlineStep> steps;
};

struct OutlineStep {
    std::string step; ///< 3.then.1
    StepKind kind = StepKind::wait;
    std::string text; ///< as in the definition, without what is inside: if score >= 50
    std::vector<OutlineBlock> blocks; ///< of choices and waits for something: then first, else last, both always there
};

struct Outline {
    std::vector<std::string> triggers, exits; ///< the header's lines
    std::vector<OutlineStep> steps;
};

[[nodiscard]] Outline outline_of(const language::Workflow& workflow);

/// How many: by step the journeys that came to it, by step and way ("3:then") those that went on so; "started", "completed";
/// "3@" how many stand there now; "left: reason" how many ended early. What is missing is 0.
using JourneyCounts = std::map<std::string, std::int64_t, std::less<>>;

/// How many came to the end without an `exit`.
[[nodiscard]] std::int64_t went_through(const Outline& outline, const JourneyCounts& counts);

/// A flow chart of the workflow as SVG, with the counts on its edges. Throws Error(limit_exceeded) for one too wide to read.
[[nodiscard]] std::string draw_workflow(const Outline& outline, const JourneyCounts& counts, std::string_view title);
/// The same as text for Mermaid (mermaid.js.org), a flowchart.
[[nodiscard]] std::string mermaid_of(const Outline& outline, const JourneyCounts& counts);

} // namespace nurture::report
