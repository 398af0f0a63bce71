#include "core/report/outline.hpp"

#include "core/language/language.hpp"

namespace nurture::report {

namespace {

using namespace language;

/// The definition's own words for one step alone.
std::string words_of(Step step) {
    Workflow alone;
    alone.steps.push_back(Box<Step>(std::move(step)));
    std::string text = print(alone);
    for (std::size_t at; (at = text.find('\n')) != std::string::npos;)
        text[at] = ' ';
    return text;
}

/// What is waited for: email_click, order with same order_id.
std::string words_of(const std::vector<Awaited>& what) {
    std::string out;
    for (const Awaited& one : what) {
        out += out.empty() ? "" : ", ";
        if (const auto* event = std::get_if<JourneyEvent>(&one))
            out += print(event->event) + (event->same ? " with same " + print(*event->same) : "");
        else
            out += print(*std::get<Box<Condition>>(one));
    }
    return out;
}

std::vector<OutlineStep> outline_steps(const Steps& steps, const std::string& prefix);

struct Outliner {
    OutlineStep& out;

    void block(std::string way, const Steps& steps, std::string text = {}) const {
        std::string const prefix = out.step + '.' + way + '.';
        out.blocks.push_back({std::move(way), std::move(text), outline_steps(steps, prefix)});
    }

    void operator()(const Wait&) const { out.kind = StepKind::wait; }
    void operator()(const WaitFor& wait) const {
        out.kind = StepKind::wait_for;
        WaitFor alone = wait;
        alone.then_steps.clear();
        alone.else_steps.clear();
        alone.others.clear();
        out.text = words_of({std::move(alone), {}});
        block("then", wait.then_steps, wait.others.empty() ? std::string() : words_of(wait.what));
        for (std::size_t i = 0; i < wait.others.size(); ++i)
            block("or" + std::to_string(i + 1), wait.others[i].steps, words_of(wait.others[i].what));
        block("else", wait.else_steps);
    }
    void operator()(const WaitUntil&) const { out.kind = StepKind::wait; }
    void operator()(const WaitWorkflow&) const { out.kind = StepKind::wait; }
    void operator()(const Switch& choice) const {
        out.kind = StepKind::choice;
        Switch alone;
        alone.of = choice.of;
        out.text = words_of({alone, {}});
        out.text.resize(out.text.rfind(" end"));
        for (std::size_t i = 0; i < choice.cases.size(); ++i) {
            std::string values;
            for (const Literal& value : choice.cases[i].values)
                values += (values.empty() ? "" : ", ") + print(value);
            block("when" + std::to_string(i + 1), choice.cases[i].steps, values);
        }
        block("else", choice.else_steps, "otherwise");
    }
    void operator()(const Split& split) const {
        out.kind = StepKind::choice;
        out.text = (split.experiment ? "experiment" : split.again ? "split again" : "split") + (split.salt.empty() ? std::string() : ' ' + print_string(split.salt));
        for (const Arm& arm : split.arms)
            block(print_name(arm.name), arm.steps, arm.name + " (" + print_micro(arm.weight) + ')');
    }
    void operator()(const Parallel& parallel) const {
        out.kind = StepKind::parallel;
        out.text = parallel.any ? "parallel until any ends" : "parallel";
        for (std::size_t i = 0; i < parallel.branches.size(); ++i)
            block("branch" + std::to_string(i + 1), parallel.branches[i], "branch " + std::to_string(i + 1));
    }
    void operator()(const Repeat& loop) const {
        out.kind = StepKind::other;
        Repeat alone = loop;
        alone.steps.clear();
        out.text = words_of({std::move(alone), {}});
        out.text.resize(out.text.rfind(" end"));
        block("repeat", loop.steps);
    }
    void operator()(const If& choice) const {
        out.kind = StepKind::choice;
        out.text = "if " + print(*choice.branches.front().condition);
        for (std::size_t i = 0; i < choice.branches.size(); ++i)
            block(i == 0 ? "then" : "elsif" + std::to_string(i), choice.branches[i].steps,
                  i == 0 ? std::string() : print(*choice.branches[i].condition));
        block("else", choice.else_steps);
    }
    void operator()(const Send&) const { out.kind = StepKind::send; }
    void operator()(const SendNext&) const { out.kind = StepKind::send; }
    void operator()(const Do&) const { out.kind = StepKind::act; }
    void operator()(const Assign&) const { out.kind = StepKind::act; }
    void operator()(const Set&) const { out.kind = StepKind::set; }
    void operator()(const Exit&) const { out.kind = StepKind::exit; }
    /// A step that is shown by its words, with whatever stands inside it.
    template <class Node>
    void operator()(const Node&) const {
        out.kind = StepKind::other;
    }
};

std::vector<OutlineStep> outline_steps(const Steps& steps, const std::string& prefix) {
    std::vector<OutlineStep> out;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        OutlineStep step;
        step.step = prefix + std::to_string(i + 1);
        std::visit(Outliner{step}, steps[i]->node);
        if (step.text.empty())
            step.text = words_of(*steps[i]);
        out.push_back(std::move(step));
    }
    return out;
}

std::int64_t exits_in(const std::vector<OutlineStep>& steps, const JourneyCounts& counts) {
    std::int64_t out = 0;
    for (const OutlineStep& step : steps) {
        auto const known = counts.find(step.step);
        out += step.kind == StepKind::exit && known != counts.end() ? known->second : 0;
        for (const OutlineBlock& block : step.blocks)
            out += exits_in(block.steps, counts);
    }
    return out;
}

} // namespace

std::int64_t went_through(const Outline& outline, const JourneyCounts& counts) {
    auto const completed = counts.find("completed");
    return completed == counts.end() ? 0 : completed->second - exits_in(outline.steps, counts);
}

std::string_view name_of(StepKind kind) noexcept {
    static constexpr std::string_view names[] = {"wait", "wait for", "if", "parallel", "send", "do", "set", "exit", "step"};
    return names[static_cast<std::size_t>(kind)];
}

Outline outline_of(const Workflow& workflow) {
    Outline out;
    auto const line = [](Workflow alone) { return print(alone); };
    for (const Trigger& trigger : workflow.triggers) {
        Workflow alone;
        alone.triggers.push_back(trigger);
        out.triggers.push_back(line(std::move(alone)));
    }
    if (out.triggers.empty())
        out.triggers.emplace_back("started by hand");
    for (const JourneyEvent& event : workflow.exit_on) {
        Workflow alone;
        alone.exit_on.push_back(event);
        out.exits.push_back(line(std::move(alone)));
    }
    for (const Goal& goal : workflow.goals) {
        Workflow alone;
        alone.goals.push_back(goal);
        out.exits.push_back(line(std::move(alone)));
    }
    for (const Box<Condition>& condition : workflow.exit_when)
        out.exits.push_back("exit when " + print(*condition));
    out.steps = outline_steps(workflow.steps, "");
    return out;
}

} // namespace nurture::report
