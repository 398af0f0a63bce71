// What starts journeys, what their steps write, and what people do to them by hand.
#include "../simulation/story.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace nurture::world {
namespace {

TEST(Trigger, AConditionThatBecomesTrue) {
    Story up("when score >= 10 re-enter always do 'hot'");
    up.definitions.rule("+5 on view half-life 1 day");
    up.event("2026-05-01 10:00", "view");
    up.event("2026-05-01 10:00", "view");
    EXPECT_EQ(up.sent(), (Lines{"01 10:00 hot"}));
    up.event("2026-05-01 11:00", "view"); // it has fallen below in between, by decay, and rises again
    EXPECT_EQ(up.sent(), (Lines{"01 10:00 hot", "01 11:00 hot"}));
    EXPECT_EQ(up.path().size(), 4U); // nobody hears of the watched condition itself
    for (const auto& segment : up.contact.profile().segments)
        EXPECT_GE(segment.id, model::first_hidden_id);

    // Downwards: only from above, exactly when the decay comes there.
    Story down("on score falling below 5 do 'cold'");
    down.definitions.rule("+10 on view half-life 1 day");
    down.event("2026-05-01 10:00", "other");
    down.event("2026-05-01 10:00", "view");
    down.until("2026-06-01");
    ASSERT_EQ(down.sent().size(), 1U);
    EXPECT_EQ(down.sent()[0].substr(0, 12), "02 10:00:00."); // a moment later: rounded to 10^-6 it is 5 until then
}

TEST(Trigger, Inactivity) {
    Story story("on no login for 30 days re-enter always do 'miss you'");
    story.event("2026-04-01 10:00", "other"); // who never came is not missed
    story.event("2026-05-01 10:00", "login");
    story.event("2026-05-11 10:00", "login");
    story.until("2026-07-01");
    EXPECT_EQ(story.sent(), (Lines{"10 10:00 miss you"}));
    story.event("2026-07-01 10:00", "login");
    story.until("2026-08-01");
    EXPECT_EQ(story.sent().size(), 2U);
}

TEST(Trigger, WhatIsTrueWhenItIsPublishedStartsNothing) {
    Story story("on never do 'x'");
    story.event("2026-05-01 10:00", "$identify", {{"plan", "pro"}});
    story.definitions.source.workflows[0].definition = "when plan = 'pro' re-enter always do 'x'";
    story.publish();
    story.event("2026-05-01 11:00", "$identify", {{"plan", "pro"}});
    EXPECT_TRUE(story.sent().empty());
    // What it watches is known by what it asks: another definition of the workflow takes it over.
    story.definitions.source.workflows[0].definition = "when plan = 'pro' re-enter always do 'y'";
    story.publish();
    story.event("2026-05-01 12:00", "$identify", {{"plan", "pro"}});
    EXPECT_TRUE(story.sent().empty());
    // A definition that goes leaves nothing behind that anybody would be told of.
    story.definitions.source.workflows[0].definition = "on never do 'z'";
    story.publish();
    story.event("2026-05-01 13:00", "$identify", {{"plan", "pro"}});
    EXPECT_TRUE(story.contact.profile().segments.empty());
    EXPECT_TRUE(story.contact.raw_transitions.empty());
}

TEST(Trigger, ADateOfTheContact) {
    auto sent = [](const std::string& trigger, Json attributes, const std::string& zone = "Europe/Rome") {
        Story story("on " + trigger + " re-enter always do 'a'", zone);
        story.event("2026-01-10 10:00", "$identify", std::move(attributes));
        story.until("2029-01-01");
        std::string out;
        for (const auto& action : story.contact.raw_actions)
            out += (out.empty() ? "" : " ") + print_iso_time(action.due);
        return out;
    };
    EXPECT_EQ(sent("the date ends", {{"ends", "2026-03-29"}}), "2026-03-28T23:00:00Z");
    EXPECT_EQ(sent("3 days before ends at 09:00", {{"ends", "2026-03-30"}}), "2026-03-27T08:00:00Z");
    EXPECT_EQ(sent("1 day before ends at 02:30", {{"ends", "2026-03-30"}}), "2026-03-29T01:00:00Z");  // a gap
    EXPECT_EQ(sent("1 day before ends at 02:30", {{"ends", "2026-10-26"}}), "2026-10-25T00:30:00Z");  // once
    EXPECT_EQ(sent("2 hours after starts", {{"starts", "2026-03-29T01:30+01:00"}}), "2026-03-29T02:30:00Z");
    EXPECT_EQ(sent("the date ends", {{"ends", "2026-01-01"}}), ""); // past when it was told
    EXPECT_EQ(sent("the date ends", {{"ends", "2026-01-10"}}), "2026-01-10T10:00:00Z"); // today: at once
    EXPECT_EQ(sent("anniversary(born) at 09:00", {{"born", "1992-02-29"}}),
              "2026-02-28T08:00:00Z 2027-02-28T08:00:00Z 2028-02-29T08:00:00Z");
    EXPECT_EQ(sent("7 days before anniversary(born)", {{"born", "2020-01-03"}}, "Asia/Kathmandu"),
              "2026-12-26T18:15:00Z 2027-12-26T18:15:00Z 2028-12-26T18:15:00Z"); // across the year's end
    EXPECT_EQ(sent("the date d", {{"d", "2018-11-04"}}, "America/Sao_Paulo"), "");

    // Who moves west on the day has reached it already.
    Story moves("on anniversary(born) at 09:00 re-enter always do 'a'", "Europe/Rome");
    moves.event("2026-05-01 10:00", "$identify", {{"born", "2000-05-03"}});
    moves.event("2026-05-03 08:00", "$identify", {{"timezone", "America/New_York"}});
    moves.until("2026-05-10");
    EXPECT_EQ(moves.sent(), (Lines{"03 07:00 a"}));
}

TEST(Trigger, AnAttributeIsSetOrChanges) {
    auto sent = [](const std::string& trigger) {
        Story story("on " + trigger + " re-enter always do 'a' with (to = context.plan)");
        int day = 1;
        for (Json const& plan : {Json("free"), Json("free"), Json("pro"), Json(5), Json("5.0"), Json(nullptr), Json("pro")})
            story.event("2026-05-0" + std::to_string(day++) + " 10:00", "$identify", {{"plan", plan}});
        story.late("2026-05-01 09:00", "2026-05-08 09:00", "$identify");
        std::string days;
        for (const auto& action : story.contact.raw_actions)
            days += print_iso_time(action.due).substr(9, 1);
        return days;
    };
    EXPECT_EQ(sent("setting attribute plan"), "123457");
    EXPECT_EQ(sent("setting attribute plan to 'pro'"), "37");
    EXPECT_EQ(sent("changing attribute plan"), "34"); // the first write changes nothing, 5 and "5.0" are one
    EXPECT_EQ(sent("changing attribute plan from 'free'"), "3");
    EXPECT_EQ(sent("changing attribute plan from 'free' to 5"), "");
    EXPECT_EQ(sent("changing attribute plan to 5"), "4");

    // What a late message cannot change starts nothing; what a workflow sets does.
    Story late("on changing attribute plan re-enter always do 'a'");
    late.event("2026-05-02 10:00", "$identify", {{"plan", "pro"}});
    late.event("2026-05-02 11:00", "$identify", {{"plan", "free"}});
    EXPECT_EQ(late.sent().size(), 1U);
    Story chain("on signup set plan = 'pro' set plan = 'gold'");
    chain.definitions.workflow("v", "on changing attribute plan from 'pro' to 'gold' do 'up' with (plan = context.plan)");
    chain.event("2026-05-02 10:00", "signup");
    EXPECT_EQ(chain.sent(), (Lines{"02 10:00 up"}));
    EXPECT_EQ(chain.contact.raw_actions[0].payload, R"({"plan": "gold"})");
}

TEST(Trigger, ListsJourneysAndMessages) {
    Story list("on joining list 'vips' re-enter always do 'in'");
    list.definitions.source.lists = {"vips"};
    list.definitions.workflow("v", "on leaving list 'vips' re-enter always do 'out'");
    for (const char* state : {"member", "excluded", "none", "member"})
        list.event("2026-05-02 10:00", "$list", {{"list", "vips"}, {"state", state}});
    list.event("2026-05-02 10:00", "$list", {{"list", "other"}, {"state", "member"}});
    EXPECT_EQ(list.sent(), (Lines{"02 10:00 in", "02 10:00 out", "02 10:00 out", "02 10:00 in"}));

    Story journeys("on signup wait 1 day do 'a' wait 1 day if x = 1 then exit end");
    journeys.definitions.workflow("done", "on finishing workflow 'w' do 'done'");
    journeys.definitions.workflow("third", "on reaching step '3' of workflow 'w' do 'third'");
    journeys.event("2026-05-01 10:00", "signup");
    journeys.until("2026-05-09");
    EXPECT_EQ(journeys.sent(), (Lines{"02 10:00 a", "02 10:00 third", "03 10:00 done"}));

    Story opened("on email_open where template = 'a' re-enter always do 'opened'");
    opened.definitions.workflow("v", "on $sent where channel = 'email' re-enter always do 'sent'");
    opened.event("2026-05-02 10:00", "$sent", {{"channel", "email"}});
    opened.event("2026-05-02 10:00", "email_open", {{"template", "a"}});
    EXPECT_EQ(opened.sent(), (Lines{"02 10:00 sent", "02 10:00 opened"}));
}

TEST(Trigger, Schedules) {
    Story weekly("on schedule '0 9 * * mon' in contact time zone from 2026-05-05 until 2026-05-25 for segment 's' re-enter always do 'a'", "UTC");
    weekly.definitions.segment("s", "plan = 'pro'");
    weekly.event("2026-05-01 10:00", "$identify", {{"timezone", "Europe/Rome"}});
    EXPECT_EQ(weekly.contact.due, never); // not in the segment: nothing wakes
    weekly.event("2026-05-10 10:00", "$identify", {{"plan", "pro"}});
    weekly.until("2026-07-01");
    EXPECT_EQ(weekly.sent(), (Lines{"11 07:00 a", "18 07:00 a", "25 07:00 a"}));

    Story once("on schedule once 2026-05-24T09:00 re-enter always do 'a'", "Europe/Rome");
    once.event("2026-05-01 10:00", "x");
    once.until("2026-07-01");
    EXPECT_EQ(once.sent(), (Lines{"24 07:00 a"}));
    EXPECT_EQ(once.contact.due, never);

    // The same moment of the contact's clock comes once, whoever moves west.
    Story moves("on schedule '0 9 * * *' in contact time zone re-enter always do 'a'", "Europe/Rome");
    moves.event("2026-05-01 10:00", "x");
    moves.event("2026-05-02 08:00", "$identify", {{"timezone", "America/New_York"}});
    moves.until("2026-05-03 18:00");
    EXPECT_EQ(moves.sent(), (Lines{"02 07:00 a", "03 13:00 a"}));

    // What came before it was published is past, for contacts whose clock stood still as well.
    Story late("on never do 'x'");
    late.event("2026-05-01 10:00", "x");
    late.definitions.source.workflows[0].definition = "on schedule '0 9 * * *' re-enter always do 'a'";
    late.definitions.source.published = Story::time("2026-05-10 09:00");
    late.publish();
    late.until("2026-05-12 12:00");
    EXPECT_EQ(late.sent(), (Lines{"11 09:00 a", "12 09:00 a"}));
}

TEST(Trigger, ReEntryHasLimits) {
    auto entries = [](const std::string& policy) {
        Story story("on signup " + policy + " wait 2 hours do 'a'");
        int minute = 10;
        for (int key : {1, 2, 1, 1, 3})
            story.event("2026-05-01 10:" + std::to_string(minute++), "signup", {{"k", key}});
        story.event("2026-05-02 10:00", "signup", {{"k", 1}});
        story.until("2026-05-09");
        return story.sent().size();
    };
    EXPECT_EQ(entries("re-enter always"), 6U);
    EXPECT_EQ(entries("re-enter always at most 4 times"), 4U);
    EXPECT_EQ(entries("re-enter always at most 2 at once"), 3U);
    EXPECT_EQ(entries("re-enter per k"), 4U);      // 1, 2, 3, and 1 again the next day
    EXPECT_EQ(entries("re-enter once per k"), 3U); // 1, 2, 3
    EXPECT_EQ(entries("re-enter per k at most 2 at once"), 3U);
    EXPECT_EQ(entries("re-enter once per k at most 1 times"), 1U);
}

// --- steps that write ---------------------------------------------------------------------------------------------

TEST(Acts, AttributesComeToAbsoluteValues) {
    Story story("on signup increment visits increment visits by 2.5 increment points by -3 increment name add tag 'a' add tag 'a' append 'a' to tags "
                "add 'b' to tags remove 'a' from tags append one to list remove 'x' from none clear plan append missing to list");
    story.event("2026-05-01 09:00", "$identify", {{"name", "Anna"}, {"plan", "pro"}, {"one", 1}, {"list", "zero"}, {"points", "10"}});
    story.event("2026-05-01 10:00", "signup");
    std::vector<std::string> values;
    for (const auto& written : story.contact.written)
        values.push_back(written.substr(21));
    EXPECT_EQ(values, (Lines{R"($set {"visits": 1})", R"($set {"visits": 3.5})", R"($set {"points": 7})", R"($set {"tags": ["a"]})",
                             R"($set {"tags": ["a","a"]})", R"($set {"tags": ["a","a","b"]})", R"($set {"tags": ["b"]})",
                             R"($set {"list": ["zero",1]})", R"($set {"plan": null})"}));
    auto const profile = story.contact.profile();
    EXPECT_EQ(attribute_json(profile, "visits"), "3.5");
    EXPECT_EQ(attribute_json(profile, "name"), R"("Anna")");
    EXPECT_EQ(attribute_json(profile, "plan"), "");
}

TEST(Acts, ListsScoresAndEventsAreSeenByConditions) {
    Story story("on signup add to list 'vips' adjust score(fit) by 12.5 for 'signed up' adjust score by -2.5 emit hello with (n = 3, who = name) "
                "if on list 'vips' and score(fit) = 12.5 and score = 10 and did hello where n > 2 then do 'seen' end remove from list 'vips' "
                "if on list 'vips' then do 'still' else do 'gone' end");
    story.definitions.source.lists = {"vips"};
    story.definitions.rule("+1 on nothing topic fit");
    story.definitions.workflow("v", "on hello where n = 3 do 'heard' with (who = context.who)");
    story.event("2026-05-01 09:00", "$identify", {{"name", "Anna"}});
    story.event("2026-05-01 10:00", "signup");
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 seen", "01 10:00 gone", "01 10:00 heard"}));
    EXPECT_EQ(story.contact.raw_actions[2].payload, R"({"who": "Anna"})");
    EXPECT_EQ(story.contact.written[1], R"(2026-05-01T10:00:00Z $adjust {"points": 12.5, "reason": "signed up", "topic": "fit"})");
    EXPECT_EQ(story.contact.written[3], R"(2026-05-01T10:00:00Z hello {"n": 3, "who": "Anna"})");
}

TEST(Acts, WhatFailsIsMadeAnewOrEndsTheJourney) {
    auto run = [](const std::string& policy, int failures) {
        Story story("on signup send email 'a' " + policy + " wait 1 day do 'b'");
        story.event("2026-05-01 10:00", "signup");
        for (int i = 0; i < failures; ++i) {
            const auto& action = story.contact.raw_actions.back();
            story.event("2026-05-01 1" + std::to_string(i + 1) + ":00", "$failed", {{"action", print_uuid(action.id)}, {"step", action.step}});
        }
        story.until("2026-05-09");
        std::set<Uuid> ids;
        for (const auto& action : story.contact.raw_actions)
            EXPECT_TRUE(ids.insert(action.id).second);
        std::string out = story.path().back() + ':';
        for (const auto& line : story.sent())
            out += ' ' + line;
        return out;
    };
    EXPECT_EQ(run("", 1), "02 10:00 ended: completed: 01 10:00 email a 02 10:00 b");
    EXPECT_EQ(run("on failure skip", 1), "02 10:00 ended: completed: 01 10:00 email a 02 10:00 b");
    EXPECT_EQ(run("on failure abort", 1), "01 11:00 ended: step 1 failed: 01 10:00 email a");
    EXPECT_EQ(run("on failure retry 2 times", 1), "02 10:00 ended: completed: 01 10:00 email a 01 11:00 email a 02 10:00 b");
    EXPECT_EQ(run("on failure retry 2 times", 3),
              "02 10:00 ended: completed: 01 10:00 email a 01 11:00 email a 01 12:00 email a 02 10:00 b");
    EXPECT_EQ(run("on failure retry 1 times then abort", 2), "01 12:00 ended: step 1 failed: 01 10:00 email a 01 11:00 email a");
}

// --- by hand ------------------------------------------------------------------------------------------------------

TEST(ByHand, StartsPausesResumesAndStops) {
    Story story("on never re-enter always wait 1 hour do 'a' with (n = context.n) wait 1 hour do 'b'");
    story.event("2026-05-01 10:00", "$start", {{"workflow", "w"}, {"n", 5}});
    story.event("2026-05-01 10:30", "$journey", {{"do", "pause"}, {"workflow", 1}});
    story.until("2026-05-02 10:00");
    EXPECT_TRUE(story.sent().empty());
    EXPECT_EQ(story.contact.due, never);
    story.event("2026-05-02 10:00", "$journey", {{"do", "resume"}});
    story.until("2026-05-02 10:30");
    EXPECT_EQ(story.sent(), (Lines{"02 10:00 a"})); // what was overdue
    EXPECT_EQ(story.contact.raw_actions[0].payload, R"({"n": 5})");
    story.event("2026-05-02 10:40", "$journey", {{"do", "stop"}, {"workflow", 2}});
    EXPECT_EQ(story.contact.profile().journeys.size(), 1U);
    story.event("2026-05-02 10:50", "$journey", {{"do", "stop"}});
    story.until("2026-05-03");
    EXPECT_EQ(story.path().back(), "02 10:50 ended: stopped");
}

// Whichever journey moved last: it is this one that ends.
TEST(ByHand, WhatIsStoppedTellsItsOwnNumber) {
    Story story("on signup re-enter always wait 5 days");
    story.definitions.workflow("v", "on visit wait 1 day do 'b'");
    story.event("2026-05-01 10:00", "signup");
    story.event("2026-05-01 11:00", "signup");
    story.event("2026-05-01 12:00", "visit");
    story.event("2026-05-01 13:00", "$journey", {{"do", "stop"}, {"workflow", 1}});
    std::vector<std::uint32_t> ended;
    for (const auto& transition : story.contact.raw_transitions)
        if (transition.kind == step::TransitionKind::journey_ended)
            ended.push_back(transition.instance);
    EXPECT_EQ(ended, (std::vector<std::uint32_t>{1, 2}));
}

TEST(ByHand, NobodyPassesAStepThatIsHeld) {
    Story story("on signup re-enter always do 'a' wait 1 hour do 'b' do 'c'");
    story.event("2026-05-01 10:00", "signup");
    story.definitions.source.workflows[0].held_steps = {"3"};
    story.publish();
    story.event("2026-05-01 10:30", "signup");
    story.until("2026-05-02");
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 a", "01 10:30 a"}));
    EXPECT_EQ(story.path().back(), "01 11:30 waits at 3");
    EXPECT_EQ(story.contact.due, never);
    story.event("2026-05-03 10:00", "other");
    story.definitions.source.workflows[0].held_steps.clear();
    story.publish();
    story.until("2026-05-04");
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 a", "01 10:30 a", "03 10:00 b", "03 10:00 c", "03 10:00 b", "03 10:00 c"}));

    Story at_wait("on signup wait 1 hour do 'b'");
    at_wait.definitions.source.workflows[0].held_steps = {"1"};
    at_wait.event("2026-05-01 10:00", "signup");
    at_wait.until("2026-05-02");
    EXPECT_TRUE(at_wait.sent().empty());
    at_wait.definitions.source.workflows[0].held_steps.clear();
    at_wait.publish();
    at_wait.until("2026-05-02");
    EXPECT_EQ(at_wait.sent().size(), 1U);
}

TEST(ByHand, ThoseInsideMoveToAnotherVersion) {
    auto live = [](Json steps, const std::string& otherwise) {
        Story story("on signup do 'a' wait 2 days do 'old'");
        story.event("2026-05-01 10:00", "signup");
        auto& workflows = story.definitions.source.workflows;
        workflows[0].current = false;
        workflows.push_back({1, 2, "w", "on signup do 'a' do 'extra' wait 3 days do 'new' wait for x up to 1 day do 'end'", true, false});
        story.publish();
        story.event("2026-05-01 20:00", "$journey",
                    {{"do", "migrate"}, {"workflow", 1}, {"from", 1}, {"to", 2}, {"steps", std::move(steps)}, {"otherwise", otherwise}});
        story.until("2026-05-20");
        std::string out = story.path().back() + ':';
        for (const auto& line : story.sent())
            out += ' ' + line;
        return out;
    };
    EXPECT_EQ(live({{"2", "3"}}, "stay"), "05 10:00 ended: completed: 01 10:00 a 04 10:00 new 05 10:00 end"); // the wait goes on
    EXPECT_EQ(live({{"2", "5"}}, "stay"), "02 10:00 ended: completed: 01 10:00 a 02 10:00 end");
    EXPECT_EQ(live({{"2", "4"}}, "stay"), "02 20:00 ended: completed: 01 10:00 a 01 20:00 new 02 20:00 end"); // on from a step that acts
    EXPECT_EQ(live({{"2", nullptr}}, "stay"), "01 20:00 ended: left at the change of version: 01 10:00 a");
    EXPECT_EQ(live(Json::object(), "stay"), "03 10:00 ended: completed: 01 10:00 a 03 10:00 old");
    EXPECT_EQ(live(Json::object(), "leave"), "01 20:00 ended: left at the change of version: 01 10:00 a");
    EXPECT_EQ(live({{"2", "99"}}, "stay"), "03 10:00 ended: completed: 01 10:00 a 03 10:00 old");
}

} // namespace
} // namespace nurture::world
