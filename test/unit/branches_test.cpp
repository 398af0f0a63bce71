// Branches of a journey side by side: where they begin, what binds them, when they join.
#include "../simulation/story.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace nurture::world {
namespace {

TEST(Branches, AllMustArrive) {
    Story story("on signup do 'before' parallel wait 2 hours do 'a' and wait for call up to 1 day then do 'called' else do 'b' end "
                "and do 'c' end do 'after'");
    story.event("2026-05-01 10:00", "signup");
    EXPECT_EQ(story.contact.due, Story::time("2026-05-01 12:00"));
    story.event("2026-05-01 11:00", "call");
    story.until("2026-05-09");
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 before", "01 10:00 c", "01 11:00 called", "01 12:00 a", "01 12:00 after"}));
    EXPECT_EQ(story.path(), (Lines{"01 10:00 started", "01 10:00 waits at 2", "01 10:00 waits at 2.branch1.1", "01 10:00 waits at 2.branch2.1",
                                   "01 10:00 2.branch3 arrived", "01 11:00 2.branch2 arrived", "01 12:00 2.branch1 arrived", "01 12:00 ended: completed"}));
    std::set<Uuid> ids;
    for (const auto& action : story.contact.raw_actions)
        ids.insert(action.id);
    EXPECT_EQ(ids.size(), 5U);
    EXPECT_EQ(story.contact.raw_transitions[2].branch, "2.branch1");
    EXPECT_EQ(story.contact.raw_transitions[1].via, "1");
    EXPECT_EQ(story.contact.raw_transitions[4].via, "2:branch3 2.branch3.1");
    EXPECT_EQ(story.contact.raw_transitions.back().via, "3");
}

TEST(Branches, TheFirstSufficesAndTheOthersAreLeft) {
    Story story("on signup parallel until any ends send email 'a' wait 2 hours send email 'late' and wait for call up to 1 day do 'b' end do 'after'");
    story.event("2026-05-01 10:00", "signup");
    story.event("2026-05-01 11:00", "call");
    story.until("2026-05-09");
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 email a", "01 11:00 b", "01 11:00 after"}));
    EXPECT_EQ(story.contact.cancellations, (Lines{"2026-05-01T11:00:00Z " + print_uuid(story.contact.raw_actions[0].id) + " another branch was first"}));
    EXPECT_EQ(story.path(), (Lines{"01 10:00 started", "01 10:00 waits at 1", "01 10:00 waits at 1.branch1.2", "01 10:00 waits at 1.branch2.1",
                                   "01 11:00 1.branch2 arrived", "01 11:00 1.branch1 left", "01 11:00 ended: completed"}));
    EXPECT_TRUE(story.contact.profile().journeys.empty());

    // At one instant they go on in the order of the text: what is behind the first to arrive does not begin.
    Story at_once("on signup parallel until any ends do 'a' and do 'b' end do 'after'");
    at_once.event("2026-05-01 10:00", "signup");
    EXPECT_EQ(at_once.sent(), (Lines{"01 10:00 a", "01 10:00 after"}));
    Story together("on signup parallel until any ends wait 1 hour do 'a' and wait 1 hour do 'b' end do 'after'");
    together.event("2026-05-01 10:00", "signup");
    together.until("2026-05-02");
    EXPECT_EQ(together.sent(), (Lines{"01 11:00 a", "01 11:00 after"}));
}

TEST(Branches, WhatBindsAJourneyBindsAllOfThem) {
    std::string const steps = " parallel send email 'a' wait 2 days do 'x' and parallel send email 'b' wait 3 days do 'y' and wait 4 days end do 'z' end do 'after'";
    Story exits("on signup exit on stop" + steps);
    exits.event("2026-05-01 10:00", "signup");
    exits.event("2026-05-02 10:00", "stop");
    exits.until("2026-05-20");
    EXPECT_EQ(exits.sent(), (Lines{"01 10:00 email a", "01 10:00 email b"}));
    EXPECT_EQ(exits.contact.cancellations.size(), 2U);
    auto const path = exits.path();
    EXPECT_EQ(std::vector<std::string>(path.end() - 5, path.end()),
              (Lines{"02 10:00 ended: exit on stop", "02 10:00 1.branch1 left", "02 10:00 1.branch2.1.branch1 left", "02 10:00 1.branch2.1.branch2 left",
                     "02 10:00 1.branch2 left"}));

    Story when("on signup exit when not did view within 1 hour" + steps); // by time alone, exactly
    when.event("2026-05-01 10:00", "view");
    when.event("2026-05-01 10:30", "signup");
    EXPECT_EQ(when.contact.due, Story::time("2026-05-01 11:00"));

    Story goal("on signup goal on buy go to thanks" + steps + " label thanks do 'thanks' wait 1 day do 'end'");
    goal.event("2026-05-01 10:00", "signup");
    goal.event("2026-05-02 10:00", "buy");
    goal.until("2026-05-20");
    EXPECT_EQ(goal.sent(), (Lines{"01 10:00 email a", "01 10:00 email b", "02 10:00 thanks", "03 10:00 end"}));
    EXPECT_TRUE(goal.contact.cancellations.empty());

    Story leaves("on signup parallel wait 1 day exit and send email 'a' wait 2 days do 'x' end do 'after'");
    leaves.event("2026-05-01 10:00", "signup");
    leaves.until("2026-05-20");
    EXPECT_EQ(leaves.sent(), (Lines{"01 10:00 email a"}));
    EXPECT_EQ(leaves.path().back(), "02 10:00 1.branch2 left");

    Story paused("on signup" + steps);
    paused.event("2026-05-01 10:00", "signup");
    paused.event("2026-05-01 11:00", "$journey", {{"do", "pause"}});
    EXPECT_EQ(paused.contact.due, never);
    paused.until("2026-05-10");
    paused.event("2026-05-10 10:00", "$journey", {{"do", "resume"}});
    paused.until("2026-05-10 10:00");
    EXPECT_EQ(paused.sent(), (Lines{"01 10:00 email a", "01 10:00 email b", "10 10:00 x", "10 10:00 y", "10 10:00 z", "10 10:00 after"}));

    Story fails("on signup parallel send email 'a' on failure abort wait 9 days and wait 9 days do 'x' end");
    fails.event("2026-05-01 10:00", "signup");
    fails.event("2026-05-01 11:00", "$failed", {{"action", print_uuid(fails.contact.raw_actions[0].id)}, {"step", "1.branch1.1"}});
    EXPECT_EQ(fails.path().at(4), "01 11:00 ended: step 1.branch1.1 failed");

    Story retries("on signup parallel repeat at most 2 send email 'a' on failure retry 1 times wait 1 day end and wait 9 days end");
    retries.event("2026-05-01 10:00", "signup");
    for (int hour = 11; hour < 13; ++hour)
        retries.event("2026-05-01 " + std::to_string(hour) + ":00", "$failed",
                      {{"action", print_uuid(retries.contact.raw_actions.back().id)}, {"step", "1.branch1.1.repeat.1"}});
    EXPECT_EQ(retries.sent(), (Lines{"01 10:00 email a", "01 11:00 email a"}));
    EXPECT_EQ(retries.contact.profile().journeys[0].branches[0].open.size(), 0U);
}

TEST(Branches, AStepThatNobodyPassesHoldsItsBranchAlone) {
    Story story("on signup parallel wait 1 hour do 'a' and wait 2 hours do 'b' end do 'after'");
    story.definitions.source.workflows[0].held_steps = {"1.branch1.2"};
    story.event("2026-05-01 10:00", "signup");
    story.until("2026-05-01 15:00");
    EXPECT_EQ(story.sent(), (Lines{"01 12:00 b"}));
    EXPECT_EQ(story.contact.due, never);
    story.definitions.source.workflows[0].held_steps = {};
    story.publish();
    story.until("2026-05-01 16:00");
    EXPECT_EQ(story.contact.raw_actions.size(), 3U);
    EXPECT_TRUE(story.contact.profile().journeys.empty());

    Story whole("on signup wait 1 hour parallel do 'a' and do 'b' end");
    whole.definitions.source.workflows[0].held_steps = {"2"};
    whole.event("2026-05-01 10:00", "signup");
    whole.until("2026-05-01 15:00");
    EXPECT_TRUE(whole.sent().empty());
}

TEST(Branches, TheyStandInLoopsAndNest) {
    Story story("on signup repeat at most 2 parallel repeat at most 2 do 'a' wait 1 hour end and do 'b' wait 30 minutes end end");
    story.event("2026-05-01 10:00", "signup");
    story.until("2026-05-09");
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 a", "01 10:00 b", "01 11:00 a", "01 12:00 a", "01 12:00 b", "01 13:00 a"}));
    std::set<Uuid> ids;
    for (const auto& action : story.contact.raw_actions)
        ids.insert(action.id);
    EXPECT_EQ(ids.size(), 6U);
    EXPECT_EQ(story.path().back(), "01 14:00 ended: completed");
}

TEST(Branches, OneMovesTheClockByWhichAnotherWaits) {
    for (const char* const zone : {"", "and set timezone = 'America/New_York' "}) {
        Story story("on signup parallel wait 1 day do 'a' and wait 3 days " + std::string(zone) + "end", "Europe/Rome");
        story.event("2026-03-28 12:00", "signup"); // clocks go forward in Rome that night, in New York they have
        EXPECT_EQ(story.contact.due, Story::time(*zone == 0 ? "2026-03-29 11:00" : "2026-03-29 12:00"));
    }
}

TEST(Branches, LoopsThroughThemNeedTime) {
    auto refused = [](const std::string& workflow) {
        try {
            Story(workflow).event("2026-05-01 10:00", "none");
            return false;
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find("without end and without time passing"), std::string::npos) << error.what();
            return true;
        }
    };
    EXPECT_FALSE(refused("on a repeat parallel wait 1 day and do 'x' end end"));
    EXPECT_TRUE(refused("on a repeat parallel do 'y' and do 'x' end end"));
    EXPECT_TRUE(refused("on a repeat parallel until any ends wait 1 day and do 'x' end end"));
    EXPECT_FALSE(refused("on a repeat parallel until any ends wait 1 day and wait 1 day do 'x' end end"));
    EXPECT_TRUE(refused("on a parallel wait 1 day and repeat do 'x' end end"));
    EXPECT_TRUE(refused("on a repeat parallel parallel do 'a' and do 'b' end and do 'x' end end"));
    EXPECT_FALSE(refused("on a repeat parallel parallel do 'a' and wait 1 hour end and do 'x' end end"));
}

TEST(Branches, ConditionsAndOtherJourneysSeeWhereTheyStand) {
    Story story("on signup parallel wait 1 day and wait 2 hours wait 1 day end");
    story.definitions.segment("second", "in journey 'w' at '1.branch2.2'");
    story.definitions.workflow("v", "on reaching step '1.branch2.2' of workflow 'w' do 'v'");
    story.event("2026-05-01 10:00", "signup");
    story.until("2026-05-01 13:00");
    EXPECT_EQ(story.sent(), (Lines{"01 12:00 v"}));
    auto const path = story.path();
    EXPECT_NE(std::find(path.begin(), path.end(), "01 12:00 segment entered second"), path.end());
    story.until("2026-05-02 13:00");
    EXPECT_EQ(story.path().back(), "02 12:00 segment left second");
}

TEST(Branches, TheyMoveToANewVersionWhenAllOfThemHaveAPlace) {
    auto moved = [](const std::string& next, Json steps) {
        Story story("on signup parallel wait 2 days do 'a' and wait 3 days do 'b' end do 'after'");
        story.event("2026-05-01 10:00", "signup");
        auto rows = story.definitions.source.workflows;
        rows[0].current = false;
        rows.push_back(rows[0]);
        rows[1].version = 2;
        rows[1].current = true;
        rows[1].definition = next;
        story.definitions.source.workflows = rows;
        story.publish();
        story.event("2026-05-02 10:00", "$journey", {{"do", "migrate"}, {"workflow", 1}, {"to", 2}, {"steps", std::move(steps)}, {"otherwise", "same"}});
        story.until("2026-05-20");
        return story.sent();
    };
    EXPECT_EQ(moved("on signup parallel wait 4 days do 'a2' and wait 5 days do 'b2' end do 'after2'", Json::object()),
              (Lines{"05 10:00 a2", "06 10:00 b2", "06 10:00 after2"}));
    EXPECT_EQ(moved("on signup do 'x' parallel wait 4 days do 'a2' and do 'y' wait 5 days do 'b2' end do 'after2'",
                    {{"1", "2"}, {"1.branch1.1", "2.branch1.1"}, {"1.branch2.1", "2.branch2.2"}}),
              (Lines{"05 10:00 a2", "06 10:00 b2", "06 10:00 after2"}));
    // One of them has none: all stay.
    EXPECT_EQ(moved("on signup do 'x' parallel wait 4 days do 'a2' and do 'y' wait 5 days do 'b2' end do 'after2'", {{"1", "2"}, {"1.branch1.1", "2.branch1.1"}}),
              (Lines{"03 10:00 a", "04 10:00 b", "04 10:00 after"}));
    EXPECT_EQ(moved("on signup wait 9 days do 'one'", Json::object()), (Lines{"10 10:00 one"})); // they are left
    EXPECT_EQ(moved("on signup wait 9 days do 'one'", {{"1", nullptr}}), Lines{});
    EXPECT_EQ(moved("on signup parallel do 'x' and do 'y' end do 'z'", {{"1.branch1.1", nullptr}}), Lines{});
}

TEST(Branches, AStateFromElsewhereIsRefused) {
    Story story("on signup parallel wait 1 day and wait 2 days end");
    story.event("2026-05-01 10:00", "signup");
    auto const whole = story.contact.profile();
    auto refuses = [&](auto change) {
        auto profile = whole;
        change(profile.journeys[0]);
        Story other("on signup parallel wait 1 day and wait 2 days end");
        other.contact.state = encode(profile);
        EXPECT_THROW(other.until("2026-05-02"), Error);
    };
    refuses([](auto& journey) { journey.branches.pop_back(); });
    refuses([](auto& journey) { journey.branches.clear(); });
    refuses([](auto& journey) { journey.branches[0].at_step = 77; });
    refuses([](auto& journey) { journey.branches[0].at_step = 0; });
    refuses([](auto& journey) { journey.branches[0].arrived = true; });
    refuses([](auto& journey) { journey.branches[0].branches = journey.branches; });
    refuses([](auto& journey) { journey.at_step = journey.branches[0].at_step; });
    for (std::size_t cut = 0; cut < story.contact.state.size(); ++cut)
        EXPECT_THROW((void)profile::decode(story.contact.state.substr(0, cut)), Error) << cut;
    EXPECT_EQ(encode(profile::decode(story.contact.state)), story.contact.state);
}

} // namespace
} // namespace nurture::world
