#include "core/language/migration.hpp"

#include "core/language/blocks.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace nurture::language {

namespace {

bool acts(const Step& step) {
    return std::visit(
        []<class Node>(const Node&) {
            constexpr bool waits = std::is_same_v<Node, Wait> || std::is_same_v<Node, WaitUntil> || std::is_same_v<Node, WaitFor> ||
                                   std::is_same_v<Node, WaitWorkflow>;
            constexpr bool leads = std::is_same_v<Node, If> || std::is_same_v<Node, Switch> || std::is_same_v<Node, Split> ||
                                   std::is_same_v<Node, Repeat> || std::is_same_v<Node, Parallel> || std::is_same_v<Node, Label> ||
                                   std::is_same_v<Node, Exit>;
            return !waits && !leads;
        },
        step.node);
}

std::string words_of(const Step& step) {
    Workflow alone;
    alone.steps.emplace_back(step);
    return print(alone);
}

struct Done {
    std::string path, words;
};

/// What somebody who stands at a step may have done, and may still do.
struct Around {
    std::vector<Done> behind;
    std::map<std::string, int> ahead; ///< by the step's words
    std::string branch;               ///< the innermost branch that the step is in: branch1
    const Step* step = nullptr;
    std::string path;
};

void add_behind(const Step& step, const std::string& path, Around& out) {
    if (acts(step))
        out.behind.push_back({path, words_of(step)});
    for_ways(step, [&](const Steps& steps, const std::string& way) {
        for (std::size_t i = 0; i < steps.size(); ++i)
            add_behind(*steps[i], path + '.' + way + '.' + std::to_string(i + 1), out);
    });
}

void add_ahead(const Steps& steps, Around& out);
void add_ahead(const Step& step, Around& out) {
    if (acts(step))
        ++out.ahead[words_of(step)];
    for_blocks(step, [&](const Steps& steps) { add_ahead(steps, out); });
}
void add_ahead(const Steps& steps, Around& out) {
    for (const auto& step : steps)
        add_ahead(*step, out);
}

/// Of the steps around the one for which is(step, path) holds; empty: it is not among them.
template <class Is>
std::optional<Around> around(const Steps& steps, const std::string& prefix, const Is& is) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const Step& step = *steps[i];
        std::string const path = prefix + std::to_string(i + 1);
        std::optional<Around> out;
        if (is(step, path)) {
            out.emplace();
            out->step = &step;
            out->path = path;
            add_ahead(step, *out);
        } else {
            const Steps* inside = nullptr;
            for_ways(step, [&](const Steps& block, const std::string& way) {
                if (out)
                    return;
                out = around(block, path + '.' + way + '.', is);
                inside = &block;
                if (out && out->branch.empty() && std::holds_alternative<Parallel>(step.node))
                    out->branch = way;
            });
            if (out && std::holds_alternative<Repeat>(step.node)) { // all of it may come again
                out->behind.clear();
                out->ahead.clear();
                add_ahead(*inside, *out);
            }
            if (out && std::holds_alternative<Parallel>(step.node)) // the other branches may be anywhere
                for_blocks(step, [&](const Steps& block) {
                    if (&block != inside)
                        add_ahead(block, *out);
                });
        }
        if (!out)
            continue;
        for (std::size_t k = 0; k < i; ++k)
            add_behind(*steps[k], prefix + std::to_string(k + 1), *out);
        for (std::size_t k = i + 1; k < steps.size(); ++k)
            add_ahead(*steps[k], *out);
        return out;
    }
    return std::nullopt;
}

// Goals lead to labels, wherever somebody stands.
std::optional<Around> around(const Workflow& workflow, std::string_view step) {
    auto out = around(workflow.steps, "", [&](const Step&, const std::string& path) { return path == step; });
    for (const Goal& goal : workflow.goals) {
        auto const label = around(workflow.steps, "", [&](const Step& s, const std::string&) {
            const auto* here = std::get_if<Label>(&s.node);
            return here != nullptr && here->name == goal.go_to;
        });
        if (out && label)
            for (const auto& [words, times] : label->ahead)
                out->ahead[words] = std::max(out->ahead[words], times);
    }
    return out;
}

/// Branches go along to as many branches; else they are left, wherever they are, and what they have done is behind.
void leave_branches(Around& from, const Around& to) {
    const auto* branches = std::get_if<Parallel>(&from.step->node);
    const auto* others = std::get_if<Parallel>(&to.step->node);
    if (branches == nullptr || (others != nullptr && others->branches.size() == branches->branches.size()))
        return;
    Around inside;
    add_ahead(*from.step, inside);
    for (const auto& [words, times] : inside.ahead)
        from.ahead[words] -= times;
    add_behind(*from.step, from.path, from);
}

} // namespace

std::string migration_problem(const Workflow& before, std::string_view step, const Workflow& after, std::string_view target) {
    auto from = around(before, step);
    auto to = around(after, target);
    if (!from || !to)
        return {};
    if (from->branch != to->branch)
        return from->branch.empty() ? "that step is in a branch, and this one is not"
               : to->branch.empty() ? "this step is in a branch, and that one is not"
                                    : "that step is in another branch";
    leave_branches(*from, *to);
    for (const Done& done : from->behind)
        if (to->ahead[done.words] > from->ahead[done.words])
            return done.words + " (step " + done.path + ") would be done again";
    return {};
}

} // namespace nurture::language
