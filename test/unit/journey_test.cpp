// Scenarios of every kind of step, told as a story: what happens on the left, what comes of it on the right.
#include "../simulation/story.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace nurture::world {
namespace {

TEST(Journey, WaitsAndSends) {
    Story story("on signup wait 1 hour send email 'hello' wait 30 minutes do 'task'");
    story.event("2026-05-01 10:00", "signup");
    EXPECT_EQ(story.contact.due, Story::time("2026-05-01 11:00"));
    story.until("2026-05-02 00:00");
    EXPECT_EQ(story.sent(), (Lines{"01 11:00 email hello", "01 11:30 task"}));
    EXPECT_EQ(story.path(), (Lines{"01 10:00 started", "01 10:00 waits at 1", "01 11:00 waits at 3", "01 11:30 ended: completed"}));
    EXPECT_EQ(story.contact.due, never);
    EXPECT_TRUE(story.contact.profile().journeys.empty());
    // Marketing expires a day after it is due, work does not.
    EXPECT_EQ(story.contact.raw_actions[0].expires, Story::time("2026-05-02 11:00"));
    EXPECT_EQ(story.contact.raw_actions[1].expires, never);
}

// On 29 March 2026 Rome's clocks jump from 02:00 to 03:00, on 25 October back from 03:00 to 02:00.
TEST(Journey, ADayIsTheSameLocalTimeTomorrow) {
    Story spring("on signup wait 1 day do 'a' wait 24 hours do 'b'", "Europe/Rome");
    spring.event("2026-03-28 10:00", "signup"); // 11:00 in Rome
    spring.until("2026-04-02");
    EXPECT_EQ(spring.sent(), (Lines{"29 09:00 a", "30 09:00 b"}));

    Story autumn("on signup wait 1 day do 'a'", "Europe/Rome");
    autumn.event("2026-10-24 10:00", "signup");
    autumn.until("2026-11-01");
    EXPECT_EQ(autumn.sent(), (Lines{"25 11:00 a"}));

    Story gap("on signup wait 1 day do 'a'", "Europe/Rome");
    gap.event("2026-03-28 01:30", "signup"); // 02:30 in Rome, a time that the 29th does not have
    gap.until("2026-04-02");
    EXPECT_EQ(gap.sent(), (Lines{"29 01:30 a"})); // 03:30

    Story twice("on signup wait 1 day do 'a'", "Europe/Rome");
    twice.event("2026-10-24 00:30", "signup"); // 02:30 in Rome, a time that the 25th has twice
    twice.until("2026-11-01");
    EXPECT_EQ(twice.sent(), (Lines{"25 00:30 a"}));

    Story month("on signup wait 1 month do 'a'");
    month.event("2026-01-31 08:00", "signup");
    month.until("2026-04-01");
    EXPECT_EQ(month.sent(), (Lines{"28 08:00 a"}));
}

TEST(Journey, TheContactsZoneCountsAndIsResolvedAnew) {
    Story story("on signup wait 1 day do 'a'", "Europe/Rome");
    story.event("2026-03-27 10:00", "$identify", {{"timezone", "America/New_York"}});
    story.event("2026-03-28 10:00", "signup"); // no change of clocks in New York
    story.until("2026-04-02");
    EXPECT_EQ(story.sent(), (Lines{"29 10:00 a"}));

    Story moved("on signup wait 1 day do 'a'", "UTC");
    moved.event("2026-03-28 10:00", "signup");
    moved.event("2026-03-28 12:00", "$identify", {{"timezone", "Europe/Rome"}});
    EXPECT_EQ(moved.contact.due, Story::time("2026-03-29 09:00"));
    moved.until("2026-04-02");
    EXPECT_EQ(moved.sent(), (Lines{"29 09:00 a"}));

    Story overdue("on signup wait 1 day do 'a'", "UTC");
    overdue.event("2026-03-28 10:00", "signup");
    overdue.event("2026-03-29 09:30", "$identify", {{"timezone", "Europe/Rome"}}); // it would be over since 09:00
    overdue.until("2026-04-02");
    EXPECT_EQ(overdue.sent(), (Lines{"29 09:30 a"}));

    Story unknown("on signup wait 1 day do 'a'", "UTC");
    unknown.event("2026-03-28 10:00", "$identify", {{"timezone", "Mars/Olympus"}});
    unknown.event("2026-03-28 10:00", "signup");
    unknown.until("2026-04-02");
    EXPECT_EQ(unknown.sent(), (Lines{"29 10:00 a"}));
}

const char* const waits_for_click =
    "on signup wait for click where n > 1 up to 1 hour then send email 'yes' else send email 'no' end do 'after'";

TEST(Journey, WaitsForAnEvent) {
    Story comes(waits_for_click);
    comes.event("2026-05-01 10:00", "signup");
    comes.event("2026-05-01 10:10", "click", {{"n", 1}});
    comes.event("2026-05-01 10:20", "click", {{"n", 2}});
    comes.until("2026-05-02");
    EXPECT_EQ(comes.sent(), (Lines{"01 10:20 email yes", "01 10:20 after"}));

    Story silent(waits_for_click);
    silent.event("2026-05-01 10:00", "signup");
    silent.event("2026-05-01 13:00", "click", {{"n", 2}});
    EXPECT_EQ(silent.sent(), (Lines{"01 11:00 email no", "01 11:00 after"}));
}

// At the same instant timers come first.
TEST(Journey, TimeoutAndEventAtTheSameInstant) {
    Story story(waits_for_click);
    story.event("2026-05-01 10:00", "signup");
    story.event("2026-05-01 11:00", "click", {{"n", 2}});
    EXPECT_EQ(story.sent(), (Lines{"01 11:00 email no", "01 11:00 after"}));

    Story before(waits_for_click);
    before.event("2026-05-01 10:00", "signup");
    before.event("2026-05-01 10:59:59.999999", "click", {{"n", 2}});
    EXPECT_EQ(before.sent(), (Lines{"01 10:59:59.999999 email yes", "01 10:59:59.999999 after"}));
}

TEST(Journey, WaitsForACondition) {
    const char* const definition =
        "on signup wait for count(view within 1 hour) >= 2 up to 3 hours then do 'keen' else do 'cool' end";
    Story keen(definition);
    keen.event("2026-05-01 10:00", "signup");
    keen.event("2026-05-01 10:10", "view");
    keen.event("2026-05-01 11:10", "view"); // the first has just left
    EXPECT_TRUE(keen.sent().empty());
    keen.event("2026-05-01 11:20", "view");
    EXPECT_EQ(keen.sent(), (Lines{"01 11:20 keen"}));

    Story cool(definition);
    cool.event("2026-05-01 10:00", "signup");
    cool.until("2026-05-01 14:00");
    EXPECT_EQ(cool.sent(), (Lines{"01 13:00 cool"}));

    // True already: it does not wait. True by the passing of time: exactly then.
    Story quiet("on signup wait for not did view within 1 hour up to 3 hours then do 'quiet' end");
    quiet.event("2026-05-01 09:30", "view");
    quiet.event("2026-05-01 10:00", "signup");
    quiet.until("2026-05-02");
    quiet.event("2026-05-03 10:00", "other");
    EXPECT_EQ(quiet.sent(), (Lines{"01 10:30 quiet"}));
    Story at_once("on signup wait for not did view up to 3 hours then do 'quiet' end");
    at_once.event("2026-05-01 10:00", "signup");
    EXPECT_EQ(at_once.path(), (Lines{"01 10:00 started", "01 10:00 ended: completed"}));
}

TEST(Journey, ChoosesTheFirstBranchThatIsTrue) {
    for (auto const& [plan, wanted] : std::vector<std::pair<Json, std::string>>{
             {"gold", "g"}, {"silver", "s"}, {"tin", "t"}, {nullptr, "t"}}) {
        Story story("on signup if plan = 'gold' then do 'g' elsif plan in ('gold', 'silver') then do 's' else do 't' end do 'x'");
        story.event("2026-05-01 09:00", "$identify", {{"plan", plan}});
        story.event("2026-05-01 10:00", "signup");
        EXPECT_EQ(story.sent(), (Lines{"01 10:00 " + wanted, "01 10:00 x"})) << plan;
    }
    Story none("on signup if plan = 'gold' then do 'g' end do 'x'");
    none.event("2026-05-01 10:00", "signup");
    EXPECT_EQ(none.sent(), (Lines{"01 10:00 x"}));
}

TEST(Journey, SetsAttributesAndCarriesThemOn) {
    Story story("on signup set plan = 'gold' set copy = plan set n = 1.5 set gone = missing send email 'a' with (p = copy, k = 2, "
                "q = nothing) exit");
    story.definitions.segment("golden", "plan = 'gold'");
    story.definitions.workflow("greeting", "on entering segment 'golden' do 'greet'");
    story.event("2026-05-01 10:00", "signup");
    EXPECT_EQ(story.contact.raw_actions.at(0).payload, R"({"p": "gold", "k": 2, "q": null})");
    EXPECT_EQ(story.contact.written, (Lines{R"(2026-05-01T10:00:00Z $set {"plan": "gold"})", R"(2026-05-01T10:00:00Z $set {"copy": "gold"})",
                                            R"(2026-05-01T10:00:00Z $set {"n": 1.5})", R"(2026-05-01T10:00:00Z $set {"gone": null})"}));
    auto const profile = story.contact.profile();
    EXPECT_EQ(attribute_json(profile, "plan"), R"("gold")");
    EXPECT_EQ(attribute_json(profile, "n"), "1.5");
    EXPECT_EQ(attribute_json(profile, "gone"), "");
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 email a", "01 10:00 greet"}));
}

// A transition is as fresh as its cause: what a stale event brings about by `set` starts nothing either.
TEST(Journey, WhatAStaleEventSetsStartsNothing) {
    Story story("on signup wait for click up to 30 days then set plan = 'gold' end");
    story.definitions.segment("golden", "plan = 'gold'");
    story.definitions.workflow("greeting", "on entering segment 'golden' do 'greet'");
    story.event("2026-05-01 10:00", "signup");
    story.late("2026-05-03 10:00", "2026-05-05 10:00", "click");
    EXPECT_TRUE(story.sent().empty());
    EXPECT_EQ(attribute_json(story.contact.profile(), "plan"), R"("gold")");
}

TEST(Journey, ExitOnEndsItAndWithdrawsWhatIsOpen) {
    Story story("on signup exit on purchase where amount > 10 send email 'a' wait 1 day send email 'b'");
    story.event("2026-05-01 10:00", "signup");
    story.event("2026-05-01 11:00", "purchase", {{"amount", 5}});
    EXPECT_TRUE(story.contact.cancellations.empty());
    story.event("2026-05-01 12:00", "purchase", {{"amount", 50}});
    story.until("2026-05-04");
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 email a"}));
    ASSERT_EQ(story.contact.cancellations.size(), 1U);
    EXPECT_EQ(story.contact.cancellations[0],
              "2026-05-01T12:00:00Z " + print_uuid(story.contact.raw_actions[0].id) + " exit on purchase");
    EXPECT_EQ(story.path().back(), "01 12:00 ended: exit on purchase");

    // One whose outcome is known is not withdrawn any more.
    Story sent("on signup exit on purchase send email 'a' wait 1 day");
    sent.event("2026-05-01 10:00", "signup");
    sent.event("2026-05-01 10:01", "$sent", {{"action", print_uuid(sent.contact.raw_actions[0].id)}});
    sent.event("2026-05-01 12:00", "purchase");
    EXPECT_TRUE(sent.contact.cancellations.empty());

    // The event that starts a journey does not end it; the next does.
    Story same("on purchase exit on purchase wait 1 day do 'a'");
    same.event("2026-05-01 10:00", "purchase");
    EXPECT_EQ(same.contact.profile().journeys.size(), 1U);
    same.event("2026-05-01 11:00", "purchase");
    EXPECT_EQ(same.contact.profile().journeys.size(), 0U);
}

// What nobody reports of does not pile up: a journey goes round for months and its state stays as it is.
TEST(Journey, KeepsAnEyeOnItsNewestActionsOnly) {
    Story story("on signup exit on purchase repeat wait 1 hour do 'nobody serves this' end");
    story.event("2026-05-01 00:30", "signup");
    story.until("2026-05-05 05:00"); // 100 of them
    std::size_t const full = story.contact.state.size();
    story.event("2026-05-05 05:10", "$sent", {{"action", print_uuid(story.contact.raw_actions[40].id)}});
    EXPECT_EQ(story.contact.profile().journeys.front().open.size(), 99U);
    story.until("2026-05-31 00:00");
    ASSERT_EQ(story.contact.raw_actions.size(), 30U * 24 - 1);
    EXPECT_EQ(story.contact.profile().journeys.front().open.size(), 100U);
    EXPECT_LE(story.contact.state.size(), full + 16);
    // One that has been forgotten may still be reported of.
    story.event("2026-05-31 00:10", "$failed", {{"action", print_uuid(story.contact.raw_actions[0].id)}, {"step", "1.repeat.2"}});
    story.event("2026-05-31 00:20", "purchase");
    ASSERT_EQ(story.contact.cancellations.size(), 100U);
    for (std::size_t i = 0; i < 100; ++i)
        EXPECT_EQ(story.contact.cancellations[i], "2026-05-31T00:20:00Z " +
                                                      print_uuid(story.contact.raw_actions[story.contact.raw_actions.size() - 100 + i].id) +
                                                      " exit on purchase");
}

TEST(Journey, ExitWhenIsCheckedAtEntryByEventsAndByTime) {
    const char* const definition = "on signup exit when did view within 1 hour and did click wait 1 day do 'a'";
    Story entry(definition);
    entry.event("2026-05-01 09:30", "view");
    entry.event("2026-05-01 09:40", "click");
    entry.event("2026-05-01 10:00", "signup");
    EXPECT_TRUE(entry.path().empty());
    entry.event("2026-05-01 11:00", "signup");
    EXPECT_EQ(entry.path().size(), 2U); // refusing does not use up the one entry
    entry.event("2026-05-01 12:00", "view");
    EXPECT_EQ(entry.path().back(), "01 12:00 ended: exit when");

    Story time("on signup exit when not did view within 1 hour wait 1 day do 'a'");
    time.event("2026-05-01 10:00", "view");
    time.event("2026-05-01 10:00", "signup");
    time.event("2026-05-01 10:30", "view");
    time.until("2026-05-05");
    EXPECT_EQ(time.path().back(), "01 11:30 ended: exit when");
    EXPECT_TRUE(time.sent().empty());
}

TEST(Journey, ReEntry) {
    auto entries = [](const std::string& policy) {
        Story story("on signup " + policy + " wait 2 hours do 'a'");
        for (const char* at : {"2026-05-01 10:00", "2026-05-01 11:00", "2026-05-01 13:00", "2026-05-02 09:59:59.999999",
                               "2026-05-02 10:00", "2026-05-02 10:30"})
            story.event(at, "signup");
        story.until("2026-05-09");
        return story.sent();
    };
    EXPECT_EQ(entries(""), (Lines{"01 12:00 a"}));
    EXPECT_EQ(entries("re-enter never"), (Lines{"01 12:00 a"}));
    EXPECT_EQ(entries("re-enter after 1 day"), (Lines{"01 12:00 a", "02 12:00 a"}));
    EXPECT_EQ(entries("re-enter after 1 hour"), (Lines{"01 12:00 a", "01 15:00 a", "02 11:59:59.999999 a"})); // one at a time
    EXPECT_EQ(entries("re-enter always"),
              (Lines{"01 12:00 a", "01 13:00 a", "01 15:00 a", "02 11:59:59.999999 a", "02 12:00 a", "02 12:30 a"}));
}

TEST(Journey, StartsOnlyFromFreshEvents) {
    Story story("on signup re-enter always do 'a'");
    story.late("2026-05-01 10:00", "2026-05-02 10:00", "signup");
    EXPECT_EQ(story.sent().size(), 1U);
    story.late("2026-05-01 10:00", "2026-05-02 10:00:00.000001", "signup");
    EXPECT_EQ(story.sent().size(), 1U);
}

TEST(Journey, StartsOnLeavingASegmentByTime) {
    Story story("on leaving segment 'active' re-enter always do 'miss you'");
    story.definitions.segment("active", "did login within 7 days");
    story.event("2026-05-01 10:00", "login");
    story.until("2026-05-20");
    EXPECT_EQ(story.sent(), (Lines{"08 10:00 miss you"}));
    EXPECT_EQ(story.path().front(), "01 10:00 segment entered active");
}

TEST(Journey, GoingRoundForEverIsStopped) {
    Story story("on entering segment 'a' re-enter always set x = 2");
    story.definitions.segment("a", "x = 1");
    story.definitions.segment("b", "x = 2");
    story.definitions.workflow("back", "on entering segment 'b' re-enter always set x = 1");
    try {
        story.event("2026-05-01 10:00", "$identify", {{"x", 1}});
        FAIL() << "it came to an end";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::limit_exceeded);
    }
}

TEST(Journey, ActionIdsDependOnContactWorkflowInstanceAndStep) {
    auto ids = [](const std::string& key, const std::string& shift) {
        Story story("on signup re-enter always send email 'a' if x = 1 then send email 'a' end send email 'a'");
        story.contact.key = key;
        story.event("2026-05-01 10:0" + shift, "$identify", {{"x", 1}});
        story.event("2026-05-01 11:0" + shift, "signup");
        story.event("2026-05-01 12:0" + shift, "signup");
        std::vector<std::string> out;
        for (const auto& action : story.contact.raw_actions)
            out.push_back(print_uuid(action.id));
        return out;
    };
    auto all = ids("a", "0");
    EXPECT_EQ(all, ids("a", "7"));
    EXPECT_EQ(all.size(), 6U);
    for (const auto& id : ids("b", "0"))
        all.push_back(id);
    std::sort(all.begin(), all.end());
    EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

TEST(Journey, PausedWorkflowsKeepTheirTimersAndRunOnResume) {
    Story story("on signup re-enter always wait 1 hour do 'a' wait 1 hour do 'b'");
    story.event("2026-05-01 10:00", "signup");
    story.definitions.source.workflows[0].paused = true;
    story.publish();
    story.event("2026-05-01 10:30", "signup"); // starts nothing
    story.until("2026-05-01 15:00");
    EXPECT_TRUE(story.sent().empty());
    EXPECT_EQ(story.contact.due, never);
    story.event("2026-05-01 15:00", "other");
    story.definitions.source.workflows[0].paused = false;
    story.publish();
    story.until("2026-05-03");
    EXPECT_EQ(story.sent(), (Lines{"01 15:00 a", "01 16:00 b"}));
}

TEST(Journey, ADeletedWorkflowLetsGo) {
    Story story("on signup send email 'a' wait 1 hour do 'b'");
    story.event("2026-05-01 10:00", "signup");
    story.definitions.source.workflows.clear();
    story.publish();
    story.until("2026-05-03");
    EXPECT_EQ(story.contact.cancellations.size(), 1U);
    EXPECT_TRUE(story.contact.profile().journeys.empty());
    EXPECT_TRUE(story.contact.profile().workflows.empty()); // ids are never given again
}

TEST(Journey, ThoseInsideStayOnTheirVersion) {
    Story story("on signup re-enter always wait 1 hour do 'old'");
    story.event("2026-05-01 10:00", "signup");
    auto& workflows = story.definitions.source.workflows;
    workflows[0].current = false;
    workflows.push_back({1, 2, "w", "on signup re-enter always do 'new'", true, false});
    story.publish();
    story.event("2026-05-01 10:30", "signup");
    story.until("2026-05-03");
    EXPECT_EQ(story.sent(), (Lines{"01 10:30 new", "01 11:00 old"}));
}

TEST(Journey, PublishingStartsNothing) {
    Story story("on entering segment 'all' do 'a'");
    story.definitions.segment("all", "false");
    story.event("2026-05-01 10:00", "signup");
    story.definitions.source.segments[0].condition = "true";
    story.publish();
    story.event("2026-05-01 11:00", "other");
    EXPECT_TRUE(story.sent().empty());
    ASSERT_EQ(story.contact.raw_transitions.size(), 1U);
    EXPECT_EQ(story.contact.raw_transitions[0].cause, "published");
    EXPECT_EQ(story.contact.raw_transitions[0].at, Story::time("2026-05-01 10:00")); // the contact's clock
}

// --- messages -----------------------------------------------------------------------------------------------------

TEST(Messages, ARejectedOneMayBeSentAgain) {
    Definitions definitions;
    auto const model = definitions.compile();
    Contact contact;
    Time const t = Story::time("2026-05-01 10:00");
    contact.step(model, {{t, t, "$identify", {{"a", std::string(20'000, 'x')}}, "m1", false}}, t);
    contact.step(model, {{t + 1, t + 1, "$identify", {{"b", std::string(20'000, 'x')}}, "m2", false}}, t + 1);
    EXPECT_EQ(contact.rejections.size(), 1U);
    contact.step(model, {{t + 2, t + 2, "$identify", {{"a", "short"}}, "m3", false}}, t + 2);
    contact.step(model, {{t + 3, t + 3, "$identify", {{"b", std::string(20'000, 'x')}}, "m2", false}}, t + 3);
    EXPECT_EQ(contact.duplicates, 0U);
    EXPECT_EQ(attribute_json(contact.profile(), "b").size(), 20'002U);
    contact.step(model, {{t + 4, t + 4, "$identify", {{"b", "again"}}, "m2", false}}, t + 4);
    EXPECT_EQ(contact.duplicates, 1U);
}

TEST(Messages, AMessageIdCountsOnceWithinTheWindow) {
    Definitions definitions;
    definitions.segment("two", "count(view) >= 2");
    auto const model = definitions.compile();
    Time const t = Story::time("2026-05-01 10:00");
    Span const window = definitions.source.dedup_window;
    for (auto const& [later, duplicates] : {std::pair<Span, std::uint32_t>{window - 1, 1}, {window, 0}}) {
        Contact contact;
        contact.step(model, {{t, t, "view", Json::object(), "m", false}}, t);
        contact.step(model, {{t, t + later, "view", Json::object(), "m", false}}, t + later);
        EXPECT_EQ(contact.duplicates, duplicates);
        EXPECT_EQ(contact.raw_transitions.size(), 1 - duplicates);
    }
}

// A state may come from anywhere: what does not fit the model is an error, not a crash.
TEST(Messages, AStateThatStandsNowhereIsRefused) {
    Definitions definitions;
    definitions.workflow("w", "on signup do 'a' wait 1 hour");
    auto const model = definitions.compile();
    Time const t = Story::time("2026-05-01 10:00");
    Contact contact;
    contact.step(model, {{t, t, "signup", Json::object(), {}, false}}, t);
    for (std::uint32_t const at_step : {0U, 2U, 3U, 1'000'000U}) {
        auto profile = contact.profile();
        ASSERT_EQ(profile.journeys.size(), 1U);
        if (profile.journeys[0].at_step == at_step)
            continue;
        profile.journeys[0].at_step = at_step;
        Contact hostile;
        hostile.state = encode(profile);
        EXPECT_THROW(hostile.step(model, {}, t + one_day), Error) << at_step;
    }
    auto profile = contact.profile();
    profile.journeys[0].workflow = 77;
    Contact hostile;
    hostile.state = encode(profile);
    EXPECT_THROW(hostile.step(model, {}, t + one_day), Error);
}

} // namespace
} // namespace nurture::world
