// A workflow's outline names its steps as the engine does, journeys tell their way in these names, and every workflow can be
// drawn.
#include "../simulation/world.hpp"
#include "generators/language.hpp"

#include "core/base/error.hpp"
#include "core/report/outline.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

namespace nurture::report {
namespace {

constexpr const char* nested = R"(
    on visit
    send email 'a'
    wait 1 hour
    if x = 1 then
        do 'b'
        wait for click up to 1 day then set y = 1 else exit end
    elsif x = 2 then
        wait for (vip) up to 2 hours
    elsif x = 3 then
        wait for (vip) up to 2 hours
    else
        wait for click up to 1 hour then else send sms 'c' end
    end
    send email 'd'
)";

void gather(const std::vector<OutlineStep>& steps, std::vector<std::string>& out) {
    for (const OutlineStep& step : steps) {
        out.push_back(step.step);
        for (const OutlineBlock& block : step.blocks)
            gather(block.steps, out);
    }
}

std::size_t count(const language::Steps& steps) {
    std::size_t out = steps.size();
    for (const auto& step : steps) {
        if (const auto* wait = std::get_if<language::WaitFor>(&step->node)) {
            out += count(wait->then_steps) + count(wait->else_steps);
            for (const auto& other : wait->others)
                out += count(other.steps);
        }
        if (const auto* choice = std::get_if<language::Switch>(&step->node)) {
            out += count(choice->else_steps);
            for (const auto& one : choice->cases)
                out += count(one.steps);
        }
        if (const auto* split = std::get_if<language::Split>(&step->node))
            for (const auto& arm : split->arms)
                out += count(arm.steps);
        if (const auto* parallel = std::get_if<language::Parallel>(&step->node))
            for (const auto& branch : parallel->branches)
                out += count(branch);
        if (const auto* loop = std::get_if<language::Repeat>(&step->node))
            out += count(loop->steps);
        if (const auto* choice = std::get_if<language::If>(&step->node)) {
            out += count(choice->else_steps);
            for (const auto& branch : choice->branches)
                out += count(branch.steps);
        }
    }
    return out;
}

TEST(Outline, NamesTheStepsAsTheProgramDoes) {
    world::Definitions definitions;
    definitions.workflow("w", nested);
    auto const model = definitions.compile();
    std::set<std::string> program;
    for (const auto& instruction : model.workflows.front().program)
        if (!instruction.step.empty())
            program.insert(instruction.step);
    std::vector<std::string> steps;
    gather(outline_of(language::parse_workflow(nested)).steps, steps);
    EXPECT_EQ(std::set<std::string>(steps.begin(), steps.end()), program);
    EXPECT_EQ(steps.size(), program.size());
    EXPECT_EQ(steps.size(), 12u);
}

TEST(Outline, TellsWhatLetsContactsIn) {
    auto const workflow = language::parse_workflow(R"(
        on "Product Added" where price > 10 on any event on entering segment 's' on joining list 'l' when no longer score >= 5
        on changing attribute a.b to 'x' on 3 days before c.d at 09:00 on reaching step '3' of workflow 'w' on schedule '0 9 * * 1' for segment 't'
        exit on e exit when vip goal when score > 9 goal when score > 7 go to there
        experiment 'outer' 2 a experiment 'inner' 1 c 1 d end 1 b end
        label there
        do 'x')");
    std::string told;
    for (const EntryLine& line : entry_lines(workflow))
        told += line.kind + '|' + line.name + '|' + line.condition + '\n';
    EXPECT_EQ(told, "event|Product Added|did \"Product Added\" where price > 10\n"
                    "event||\n"
                    "segment entered|s|\n"
                    "list joined|l|\n"
                    "condition ends||score >= 5\n"
                    "attribute changed|[\"a\",\"b\"]|\n"
                    "date|[\"c\",\"d\"]|\n"
                    "step reached|w|3\n"
                    "schedule|t|\n"
                    "exit when||vip\n"
                    "goal when||score > 9\n"); // who is at the other begins there
    std::string arms;
    for (const ExperimentArm& arm : experiment_arms(workflow))
        arms += arm.experiment + ' ' + arm.arm + ' ' + print_micro(arm.weight) + ", ";
    EXPECT_EQ(arms, "outer a 2, outer b 1, inner c 1, inner d 1, ");
}

TEST(Outline, EachLineOfEntryIsOneOfTheDefinition) {
    EXPECT_TRUE(rc::check([] {
        auto const workflow = *language::generators::workflow();
        std::string const text = '\n' + language::print(workflow) + '\n';
        for (const EntryLine& line : entry_lines(workflow))
            RC_ASSERT(text.find('\n' + line.text + '\n') != std::string::npos);
    }));
}

/// What a contact passed between its stops.
std::vector<std::string> ways(const std::vector<std::pair<const char*, world::Json>>& told, const char* until) {
    world::Definitions definitions;
    definitions.workflow("w", nested);
    auto const model = definitions.compile();
    world::Contact contact;
    std::vector<world::Event> events;
    Time at = *parse_iso_time("2026-03-02T09:00Z", Zone::find("UTC"));
    for (const auto& [type, properties] : told) {
        events.push_back({at, at, type, properties, {}, false});
        at += 90 * one_minute;
    }
    contact.step(model, events, *parse_iso_time(until, Zone::find("UTC")));
    std::vector<std::string> out;
    for (const auto& t : contact.raw_transitions)
        if (t.kind != step::TransitionKind::journey_started)
            out.push_back(t.via + " | " + t.step);
    return out;
}

TEST(Outline, JourneysTellTheirWay) {
    using List = std::vector<std::string>;
    EXPECT_EQ(ways({{"$identify", {{"x", 1}}}, {"visit", {}}, {"click", {}}}, "2026-03-10T00:00Z"),
              (List{"1 | 2", "3:then 3.then.1 | 3.then.2", "3.then.2:then 3.then.2.then.1 4 | "}));
    EXPECT_EQ(ways({{"$identify", {{"x", 1}}}, {"visit", {}}}, "2026-03-10T00:00Z"),
              (List{"1 | 2", "3:then 3.then.1 | 3.then.2", "3.then.2:else 3.then.2.else.1 | "}));
    EXPECT_EQ(ways({{"$identify", {{"x", 3}}}, {"visit", {}}}, "2026-03-10T00:00Z"),
              (List{"1 | 2", "3:elsif2 | 3.elsif2.1", "3.elsif2.1:else 4 | "}));
    EXPECT_EQ(ways({{"$identify", {{"x", 2}, {"vip", true}}}, {"visit", {}}}, "2026-03-10T00:00Z"),
              (List{"1 | 2", "3:elsif1 3.elsif1.1:held 4 | "}));
    EXPECT_EQ(ways({{"visit", {}}}, "2026-03-10T00:00Z"),
              (List{"1 | 2", "3:else | 3.else.1", "3.else.1:else 3.else.1.else.1 4 | "}));
}

TEST(Outline, EveryWorkflowCanBeDrawn) {
    EXPECT_TRUE(rc::check([] {
        auto const workflow = *language::generators::workflow();
        Outline const outline = outline_of(workflow);
        std::vector<std::string> steps;
        gather(outline.steps, steps);
        RC_ASSERT(steps.size() == count(workflow.steps));
        RC_ASSERT(std::set<std::string>(steps.begin(), steps.end()).size() == steps.size());
        JourneyCounts counts;
        if (*rc::gen::arbitrary<bool>()) {
            counts["started"] = 12'345;
            for (const std::string& step : steps)
                counts[step] = counts[step + '@'] = *rc::gen::inRange<std::int64_t>(0, 2'000'000);
            counts["left: exit on purchase"] = 3;
        }
        std::string const text = mermaid_of(outline, counts);
        // One node for each step, no line that is not ours.
        for (const std::string& step : steps) {
            std::string node = "\n    s" + step;
            std::replace(node.begin() + 5, node.end(), '.', '_');
            std::size_t found = 0;
            for (const char* bracket : {"(\"", "[\"", "{\""})
                found += text.find(node + bracket) != std::string::npos ? 1 : 0;
            RC_ASSERT(found == 1u);
        }
        try {
            std::string const picture = draw_workflow(outline, counts, "w");
            RC_ASSERT(picture.starts_with("<svg"));
            RC_ASSERT(picture.ends_with("</svg>"));
            RC_ASSERT(std::all_of(picture.begin(), picture.end(), [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\t' || c == '\r'; }));
        } catch (const Error& error) {
            RC_ASSERT(error.kind == ErrorKind::limit_exceeded);
        }
    }));
}

} // namespace
} // namespace nurture::report
