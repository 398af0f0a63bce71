// What lets contacts into a workflow and what keeps them out; the arms of its experiments.
#include "core/report/outline.hpp"

#include "core/language/blocks.hpp"
#include "core/language/language.hpp"

#include <nlohmann/json.hpp>

namespace nurture::report {

namespace {

using namespace language;

std::string keys_of(const Path& path) {
    return nlohmann::json(path.keys).dump();
}

struct Line {
    EntryLine& out;

    void operator()(const OnEvent& on) const {
        out.kind = "event";
        out.name = on.event.type;
        if (on.event.where)
            out.condition = "did " + print(on.event);
    }
    void operator()(const OnSegment& on) const {
        out.kind = on.entering ? "segment entered" : "segment left";
        out.name = on.segment;
    }
    void operator()(const OnCondition& on) const {
        out.kind = on.ends ? "condition ends" : "condition";
        out.condition = print(*on.condition);
    }
    void operator()(const OnAttribute& on) const {
        out.kind = on.change ? "attribute changed" : "attribute set";
        out.name = keys_of(on.attribute);
    }
    void operator()(const OnListChange& on) const {
        out.kind = on.joining ? "list joined" : "list left";
        out.name = on.list;
    }
    void operator()(const OnDate& on) const {
        out.kind = "date";
        out.name = keys_of(on.attribute);
    }
    void operator()(const OnJourney& on) const {
        out.kind = on.step ? "step reached" : "workflow finished";
        out.name = on.workflow;
        out.condition = on.step.value_or("");
    }
    void operator()(const OnSchedule& on) const {
        out.kind = "schedule";
        out.name = on.segment.value_or("");
    }
};

void gather_arms(const Steps& steps, std::vector<ExperimentArm>& out) {
    for (const Box<Step>& step : steps) {
        if (const auto* split = std::get_if<Split>(&step->node); split != nullptr && split->experiment)
            for (const Arm& arm : split->arms)
                out.push_back({split->salt, arm.name, arm.weight});
        for_blocks(*step, [&](const Steps& inner) { gather_arms(inner, out); });
    }
}

} // namespace

std::vector<ExperimentArm> experiment_arms(const Workflow& workflow) {
    std::vector<ExperimentArm> out;
    gather_arms(workflow.steps, out);
    return out;
}

std::vector<EntryLine> entry_lines(const Workflow& workflow) {
    // The definition's own words.
    auto const line = [](auto fill) {
        Workflow alone;
        fill(alone);
        return print(alone);
    };
    std::vector<EntryLine> out;
    for (const Trigger& trigger : workflow.triggers) {
        std::visit(Line{out.emplace_back()}, trigger);
        out.back().text = line([&](Workflow& alone) { alone.triggers.push_back(trigger); });
    }
    for (const Box<Condition>& condition : workflow.exit_when)
        out.push_back({"exit when", {}, print(*condition), line([&](Workflow& alone) {
                           alone.exit_when.push_back(condition);
                       })});
    for (const Goal& goal : workflow.goals)
        if (const auto* condition = std::get_if<Box<Condition>>(&goal.what);
            condition != nullptr && goal.go_to.empty())
            out.push_back({"goal when", {}, print(**condition), line([&](Workflow& alone) {
                               alone.goals.push_back(goal);
                           })});
    return out;
}

} // namespace nurture::report
