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
    std::string text; ///< the condition of an elsif, what an arm or one of several ways of a wait is about
    std::vector<OutlineStep> steps;
};

struct OutlineStep {
    std::string step; ///< 3.then.1
    StepKind kind = StepKind::wait;
    std::string text; ///< as in the definition, without what is inside: if score >= 50
    std::vector<OutlineBlock> blocks; ///< of choices and waits for something: then first, else last, both always there
};

/// Its one block comes back to it.
[[nodiscard]] inline bool is_loop(const OutlineStep& step) { return step.blocks.size() == 1 && step.blocks.front().way == "repeat"; }

struct Outline {
    std::vector<std::string> triggers, exits; ///< the header's lines
    std::vector<OutlineStep> steps;
};

[[nodiscard]] Outline outline_of(const language::Workflow& workflow);

/// One line of the header that lets contacts in or keeps them out, and what to look for in a contact's story.
struct EntryLine {
    /// event, segment entered, segment left, condition, condition ends, attribute changed, attribute set, list joined, list left, date,
    /// workflow finished, step reached, schedule, exit when, goal when
    std::string kind;
    std::string name;      ///< event type (empty: any), segment, list or workflow; of an attribute its keys as a JSON array
    std::string condition; ///< what must hold (exit, goal: must not): of an event's filter "did E where …"; of a step its name
    std::string text;      ///< as in the definition
};
/// The triggers in the order of the text, then the exits and goals that are asked at the start.
[[nodiscard]] std::vector<EntryLine> entry_lines(const language::Workflow& workflow);

/// An arm of an experiment, with its weight.
struct ExperimentArm {
    std::string experiment, arm;
    Micro weight = 0;
};
/// In the order of the text.
[[nodiscard]] std::vector<ExperimentArm> experiment_arms(const language::Workflow& workflow);

/// How many: by step the journeys that came to it, by step and way ("3:then") those that went on so; "started", "completed";
/// "3@" how many stand there now, "inside" how many do in all; "left: reason" how many ended early. What is missing is 0,
/// but a step's own number is not shown then.
using JourneyCounts = std::map<std::string, std::int64_t, std::less<>>;

/// How many came to the end without an `exit`.
[[nodiscard]] std::int64_t went_through(const Outline& outline, const JourneyCounts& counts);

/// A flow chart of the workflow as SVG, with the counts on its edges. Throws Error(limit_exceeded) for one too wide to read.
[[nodiscard]] std::string draw_workflow(const Outline& outline, const JourneyCounts& counts, std::string_view title);
/// The same as text for Mermaid (mermaid.js.org), a flowchart.
[[nodiscard]] std::string mermaid_of(const Outline& outline, const JourneyCounts& counts);

} // namespace nurture::report
