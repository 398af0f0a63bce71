// Steps that go round for ever without time passing are refused when they are published, with the way they go.
#include "core/base/error.hpp"
#include "core/model/program.hpp"

#include <algorithm>
#include <functional>

namespace nurture::model {

namespace {

/// Where a journey may be at the same instant after this instruction; not back to the beginning of a loop that is bounded.
std::vector<Index> at_once(const Workflow& workflow, const Instruction& i) {
    switch (i.kind) {
    case InstructionKind::wait:
    case InstructionKind::join: // the parallel itself leads on
    case InstructionKind::end:
        return {};
    case InstructionKind::parallel: {
        std::vector<Index> out;
        for (const SplitArm& branch : i.arms)
            out.push_back(branch.next);
        if (i.passes)
            out.push_back(i.next);
        return out;
    }
    case InstructionKind::wait_until: // a date may be past; a time of day comes tomorrow again
        return i.until.kind == Until::Kind::clock && i.until.from && !i.until.to ? std::vector<Index>{} : std::vector{i.next};
    case InstructionKind::wait_for: {
        std::vector<Index> out;
        for (const Awaited& awaited : i.awaited)
            if (awaited.condition != none)
                out.push_back(awaited.then);
        return out;
    }
    case InstructionKind::branch:
        return {i.next, i.other};
    case InstructionKind::repeat:
        return {i.next, i.other};
    case InstructionKind::again:
        return workflow.program[i.next].limit != 0 ? std::vector{i.other} : std::vector{i.next};
    case InstructionKind::split: {
        std::vector<Index> out;
        for (const SplitArm& arm : i.arms)
            out.push_back(arm.next);
        return out;
    }
    default:
        return {i.next};
    }
}

/// All that is reached from there without time passing, bounded loops included.
std::vector<Index> reached_at_once(const Workflow& workflow, Index from) {
    std::vector<char> seen(workflow.program.size(), 0);
    std::vector<Index> open{from}, out;
    while (!open.empty()) {
        Index const at = open.back();
        open.pop_back();
        if (seen[at] != 0)
            continue;
        seen[at] = 1;
        out.push_back(at);
        for (Index const next : at_once(workflow, workflow.program[at]))
            open.push_back(next);
    }
    return out;
}

} // namespace

// Those inside others come first in the program.
void find_passes(Workflow& workflow) {
    for (Instruction& parallel : workflow.program) {
        if (parallel.kind != InstructionKind::parallel)
            continue;
        auto const arrives = [&](const SplitArm& branch) {
            auto const reached = reached_at_once(workflow, branch.next);
            return std::any_of(reached.begin(), reached.end(), [&](Index at) {
                const Instruction& end = workflow.program[at];
                return end.kind == InstructionKind::join && end.step == parallel.step;
            });
        };
        const auto& arms = parallel.arms;
        parallel.passes = parallel.any ? std::any_of(arms.begin(), arms.end(), arrives) : std::all_of(arms.begin(), arms.end(), arrives);
    }
}

void check_rounds(const Workflow& workflow) {
    // Depth first without recursion: a definition may have 10,000 steps in a row.
    std::vector<char> state(workflow.program.size(), 0); // 1: on the path, 2: done
    struct Place {
        Index at;
        std::vector<Index> next;
    };
    for (Index begin = 0; begin < workflow.program.size(); ++begin) {
        if (state[begin] != 0)
            continue;
        std::vector<Place> path{{begin, at_once(workflow, workflow.program[begin])}};
        state[begin] = 1;
        while (!path.empty()) {
            if (path.back().next.empty()) {
                state[path.back().at] = 2;
                path.pop_back();
                continue;
            }
            Index const at = path.back().next.back();
            path.back().next.pop_back();
            if (state[at] == 1) {
                std::string way;
                auto from = std::find_if(path.begin(), path.end(), [&](const Place& place) { return place.at == at; });
                for (; from != path.end(); ++from)
                    if (workflow.program[from->at].kind != InstructionKind::again)
                        way += "step " + workflow.program[from->at].step + " → ";
                throw Error(ErrorKind::invalid_definition, "the steps go round without end and without time passing",
                            "The way is " + way + "step " + workflow.program[at].step + '.',
                            "Put a wait into the loop, or bound it: repeat at most 10.");
            }
            if (state[at] == 0) {
                state[at] = 1;
                path.push_back({at, at_once(workflow, workflow.program[at])});
            }
        }
    }
}

void check_rounds(const Model& model) {
    std::vector<Index> which;
    for (Index w = 0; w < model.workflows.size(); ++w)
        if (model.workflows[w].current)
            which.push_back(w);
    // Whoever may enter only so often, or after a time, goes round no more often than that.
    auto const endless = [&](Index w) {
        const auto& reentry = model.workflows[w].reentry;
        return reentry.kind == language::Reentry::always && reentry.times == 0 && reentry.at_once == 0;
    };
    // Writing the same again changes nothing; adding to a number, or to a list, does.
    auto const writes = [&](const Instruction& i, const Workflow& target) {
        using Kind = language::ChangeItems::Kind;
        bool const adds = i.kind == InstructionKind::increment || (i.kind == InstructionKind::items && i.items == Kind::append);
        if (!adds && i.kind != InstructionKind::set)
            return false;
        return std::any_of(target.start_attributes.begin(), target.start_attributes.end(), [&](Index t) {
            const auto& trigger = model.attribute_triggers[t];
            return trigger.attribute.keys.front() == i.arguments.front().name && !trigger.from && !trigger.to && (adds || !trigger.change);
        });
    };
    auto const starts = [&](Index w) {
        std::vector<Index> out;
        for (Index const at : reached_at_once(model.workflows[w], model.workflows[w].begin)) {
            const Instruction& i = model.workflows[w].program[at];
            for (Index const other : which) {
                const Workflow& target = model.workflows[other];
                bool const by_name = i.kind == InstructionKind::start && i.workflow == target.id;
                bool const by_event = i.kind == InstructionKind::emit &&
                                      std::any_of(target.start_patterns.begin(), target.start_patterns.end(), [&](Index p) {
                                          return model.patterns[p].filter == none &&
                                                 (model.patterns[p].type == i.name || model.patterns[p].type.empty());
                                      });
                if ((by_name || by_event || writes(i, target)) && endless(other))
                    out.push_back(other);
            }
        }
        return out;
    };
    std::vector<char> state(model.workflows.size(), 0);
    std::vector<Index> path;
    std::function<void(Index)> const visit = [&](Index w) {
        if (state[w] == 2)
            return;
        path.push_back(w);
        if (state[w] == 1) {
            std::string way;
            for (auto at = std::find(path.begin(), path.end(), w); at != path.end(); ++at)
                way += (way.empty() ? "\"" : " → \"") + model.workflows[*at].name + '"';
            throw Error(ErrorKind::invalid_definition,
                        "workflow \"" + model.workflows[w].name + "\" starts itself without end and without time passing",
                        "The way is " + way + ".", "Put a wait before the step that starts it, or let it be re-entered after a time.");
        }
        state[w] = 1;
        for (Index const next : starts(w))
            visit(next);
        state[w] = 2;
        path.pop_back();
    };
    for (Index const w : which)
        if (endless(w))
            visit(w);
}

} // namespace nurture::model
