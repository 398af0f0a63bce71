// How a model takes over: what waits for its features, what goes on meanwhile; what adopting it does to a contact.
#include "core/model/takeover.hpp"
#include "core/model/model.hpp"
#include "../simulation/world.hpp"

#include <gtest/gtest.h>

namespace nurture::model {
namespace {

std::vector<std::string> names(const std::vector<Held>& held) {
    std::vector<std::string> out;
    for (const auto& one : held)
        out.push_back(one.kind + " " + one.name);
    return out;
}

Source in_force() {
    Source source;
    source.rules = {{1, "views", "+5 on v topic a"}};
    source.segments = {{1, "warm", "score(a) >= 10"}};
    source.workflows = {{1, 1, "w", "on entering segment 'warm' wait 1 day send email 'x'"}};
    return source;
}
std::set<std::string> const known{"count v"};

TEST(TakeOver, PointsAndTopicsTakeEffectAtOnce) {
    Source wanted = in_force();
    wanted.rules[0].definition = "+7 on v topic a";
    Source const now = in_force();
    auto const next = take_over(wanted, &now, known);
    EXPECT_TRUE(next.held.empty());
    EXPECT_EQ(next.next, wanted);
}

TEST(TakeOver, AnEditedFilterWaitsAndTheEarlierOneGoesOn) {
    Source wanted = in_force(), now = in_force();
    wanted.rules[0].definition = "+7 on v where p = 1 topic a";
    wanted.rules.push_back({2, "buys", "+1 on buy"});
    auto const next = take_over(wanted, &now, known);
    EXPECT_EQ(names(next.held), (std::vector<std::string>{"rule views", "rule buys"}));
    ASSERT_EQ(next.next.rules.size(), 1U);
    EXPECT_EQ(next.next.rules[0].definition, "+5 on v topic a");
    EXPECT_EQ(next.features, (std::vector<std::string>{"count v", "count v where p = 1", "count buy"}));
    // When its feature knows the past, it takes effect; the other still waits.
    auto const later = take_over(wanted, &next.next, {"count v", "count v where p = 1"});
    EXPECT_EQ(names(later.held), std::vector<std::string>{"rule buys"});
    EXPECT_EQ(later.next.rules[0].definition, "+7 on v where p = 1 topic a");
    auto const all = take_over(wanted, &later.next, {"count v where p = 1", "count buy"});
    EXPECT_TRUE(all.held.empty());
    EXPECT_TRUE(all.next.upcoming.empty());
    EXPECT_EQ(all.features, (std::vector<std::string>{"count v where p = 1", "count buy"}));
}

TEST(TakeOver, WhatReadsAWaitingDefinitionWaitsWithIt) {
    Source wanted = in_force();
    wanted.segments.push_back({2, "buyer", "did buy"});
    wanted.segments.push_back({3, "both", "in segment 'buyer' and in segment 'warm'"});
    wanted.segments.push_back({4, "other", "plan = 'pro'"});
    wanted.workflows.push_back({2, 1, "thanks", "on entering segment 'both' send email 'y'"});
    Source const now = in_force();
    auto const next = take_over(wanted, &now, known);
    EXPECT_EQ(names(next.held), (std::vector<std::string>{"segment buyer", "segment both", "workflow thanks"}));
    EXPECT_EQ(next.next.segments.size(), 2U);
    EXPECT_EQ(next.next.segments[1].name, "other");
}

TEST(TakeOver, BandsAndPastMembershipsWaitForWhatTheyAreMadeOf) {
    Source now = in_force();
    now.bands = {{1, "hot", "", 10 * micro_one, 0, 0}};
    Source wanted = now;
    wanted.rules.push_back({2, "buys", "+1 on buy"});
    wanted.segments.push_back({2, "buyer", "did buy"});
    wanted.segments.push_back({3, "hot", "band = 'hot'"});
    wanted.segments.push_back({4, "loyal", "in segment 'buyer' for at least 5 days"});
    wanted.segments.push_back({5, "known", "in segment 'warm' for at least 5 days and not band is set"});
    wanted.segments.push_back({6, "warmed", "entered segment 'other' within 5 days"});
    wanted.segments.push_back({7, "other", "plan = 'pro'"});
    auto const next = take_over(wanted, &now, known);
    EXPECT_EQ(names(next.held), (std::vector<std::string>{"rule buys", "segment buyer", "segment hot", "segment loyal", "segment known"}));
}

TEST(TakeOver, ANewVersionWaitsAndJourneysStartInTheOneBefore) {
    Source wanted = in_force();
    wanted.workflows[0].current = false;
    wanted.workflows.push_back({1, 2, "w", "on entering segment 'warm' exit when did buy wait 1 day"});
    Source const now = in_force();
    auto const next = take_over(wanted, &now, known);
    ASSERT_EQ(next.next.workflows.size(), 1U);
    EXPECT_TRUE(next.next.workflows[0].current);
    auto const later = take_over(wanted, &next.next, {"count v", "count buy"});
    ASSERT_EQ(later.next.workflows.size(), 2U);
    EXPECT_FALSE(later.next.workflows[0].current);
    EXPECT_TRUE(later.next.workflows[1].current);
}

TEST(TakeOver, WhereOldAndNewCannotStandTogetherAllWaitsButPausing) {
    Source wanted = in_force();
    wanted.rules[0].definition = "+5 on v topic b"; // ready: the same feature
    wanted.segments[0].condition = "score(b) >= 10 and did buy"; // waits; what is in force of it names topic a
    wanted.workflows[0].paused = true;
    Source const now = in_force();
    auto const next = take_over(wanted, &now, known);
    EXPECT_EQ(names(next.held), (std::vector<std::string>{"rule views", "segment warm"}));
    EXPECT_EQ(next.next.rules, now.rules);
    EXPECT_EQ(next.next.segments, now.segments);
    EXPECT_TRUE(next.next.workflows[0].paused);
    wanted.workflows.clear();
    EXPECT_TRUE(take_over(wanted, &now, known).next.workflows.empty());
}

TEST(TakeOver, TheSourceSurvivesItsText) {
    Source source = in_force();
    source.published = 12345;
    source.left_segments = {{7, "gone"}};
    source.enrol_segments = {1, 2};
    source.enrol_workflows = {3};
    source.upcoming = {in_force()};
    EXPECT_EQ(parse_source(print(source)), source);
    EXPECT_EQ(definitions_of(source), in_force());
}

// --- adopting ------------------------------------------------------------------------------------------------------

using world::Contact;
using world::Definitions;
using world::Event;

Time const begin = 9'523 * one_day;

Event event(Span after, const std::string& type) { return {begin + after, begin + after, type, {}, "", false}; }

TEST(Adopt, LeavesWhatIsGone) {
    Definitions definitions;
    definitions.segment("seen", "did v");
    Contact contact;
    contact.step(definitions.compile(), {event(0, "v")}, std::nullopt);
    definitions.source.left_segments = {{1, "seen"}, {2, "never in it"}};
    definitions.source.segments.clear();
    contact.step(definitions.compile(), {}, std::nullopt);
    ASSERT_EQ(contact.transitions.size(), 2U);
    EXPECT_NE(contact.transitions[1].find("segment left \"seen\"  (published)"), std::string::npos) << contact.transitions[1];
    EXPECT_EQ(contact.raw_transitions[1].at, begin);
}

// A score that faded before publishing did so unseen: it is told at its moment, and starts nothing.
TEST(Adopt, WhatFadedBeforePublishingStartsNoJourneys) {
    Definitions definitions;
    definitions.rule("+10 on v half-life 1 day");
    Contact before, after;
    auto const first = definitions.compile();
    before.step(first, {event(0, "v")}, std::nullopt);
    after.step(first, {event(0, "v")}, std::nullopt);
    definitions.segment("warm", "score >= 5");
    definitions.workflow("back", "on leaving segment 'warm' send email 'come back'");
    auto published_early = definitions;
    definitions.source.published = begin + 30 * one_day;
    before.step(definitions.compile(), {}, begin + 40 * one_day);
    EXPECT_TRUE(before.actions.empty());
    ASSERT_EQ(before.raw_transitions.size(), 2U);
    EXPECT_EQ(before.raw_transitions[1].kind, step::TransitionKind::segment_left);
    EXPECT_EQ(before.raw_transitions[1].cause, "published");
    EXPECT_GE(before.raw_transitions[1].at, begin + one_day);
    EXPECT_LT(before.raw_transitions[1].at, begin + one_day + one_second); // when the rounded score flips
    // What fades afterwards does so in time.
    published_early.source.published = begin;
    after.step(published_early.compile(), {}, begin + 40 * one_day);
    EXPECT_EQ(after.actions.size(), 1U);
}

TEST(Adopt, EnrolsWhoFulfilsItWhenPublishedAndThen) {
    Definitions definitions;
    definitions.segment("seen", "did v");
    Contact inside, outside;
    auto const model = definitions.compile();
    inside.step(model, {event(0, "v")}, std::nullopt);
    outside.step(model, {event(0, "x")}, std::nullopt);
    definitions.workflow("hello", "on entering segment 'seen' send email 'hello' wait 1 day send email 'again'");
    auto plain = definitions;
    definitions.source.published = begin + 3 * one_day;
    definitions.source.enrol_workflows = {1};
    auto const enrolling = definitions.compile();
    Contact not_asked = inside;
    inside.step(enrolling, {}, std::nullopt);
    outside.step(enrolling, {}, std::nullopt);
    not_asked.step(plain.compile(), {}, std::nullopt);
    ASSERT_EQ(inside.raw_actions.size(), 1U);
    EXPECT_EQ(inside.raw_actions[0].due, begin + 3 * one_day); // not at the contact's own clock, long ago
    EXPECT_TRUE(outside.actions.empty());
    EXPECT_TRUE(not_asked.actions.empty());
    // Once: a second model asks again in vain.
    auto again = enrolling.source;
    again.id = 99;
    inside.step(compile(again), {}, std::nullopt);
    EXPECT_EQ(inside.raw_actions.size(), 1U);
}

TEST(Adopt, ASegmentEnrolsThoseWhoComeInByIt) {
    Definitions definitions;
    definitions.source.workflows.clear();
    Contact contact, was_inside;
    contact.step(definitions.compile(), {event(0, "x")}, std::nullopt);
    definitions.segment("known", "not did v");
    definitions.workflow("hello", "on entering segment 'known' send email 'hello'");
    definitions.source.enrol_segments = {1};
    definitions.source.published = begin + one_day;
    contact.step(definitions.compile(), {}, std::nullopt);
    EXPECT_EQ(contact.raw_actions.size(), 1U);
}

// What a journey waits for may come true by publishing. What it sends then is due from then on: reckoned from the contact's
// clock, days ago, it would have expired before anybody could claim it.
TEST(Adopt, JourneysGoOnAtTheInstantOfPublishing) {
    for (bool const of_0_1 : {false, true}) {
        Definitions definitions;
        definitions.segment("open", "false");
        definitions.workflow("w", "on go wait for (in segment 'open') up to 10 days then send email 'a' else send email 'b' end");
        Contact contact;
        contact.step(definitions.compile(), {event(0, "go")}, begin + 2 * one_day);
        definitions.source.segments[0].condition = "true";
        definitions.source.published = begin + 3 * one_day;
        definitions.source.told_when_published = !of_0_1;
        auto const published = parse_source(print(definitions.source));
        definitions.source = published;
        contact.step(definitions.compile(), {}, std::nullopt);
        ASSERT_EQ(contact.raw_actions.size(), 1U);
        EXPECT_EQ(contact.raw_actions[0].template_name, "a");
        Time const due = of_0_1 ? begin : begin + 3 * one_day; // a model of 0.1 is replayed as it was lived
        EXPECT_EQ(contact.raw_actions[0].due, due);
        EXPECT_EQ(contact.raw_actions[0].expires, due + one_day);
        EXPECT_EQ(contact.profile().clock, due);
        for (const auto& transition : contact.raw_transitions)
            if (transition.kind == step::TransitionKind::segment_entered) {
                EXPECT_EQ(transition.at, begin); // membership is the contact's clock's
            }
    }
}

// Between the contact's clock and the publishing the new definitions were not in force.
TEST(Adopt, JourneysDoNotSeeWhatWasOverBeforeThePublishing) {
    Definitions definitions;
    definitions.segment("fresh", "did v and false");
    definitions.workflow("w", "on go exit when did v within 2 days and in segment 'fresh' "
                              "wait for (in segment 'fresh') up to 10 days then send email 'a' else send email 'b' end");
    Contact contact;
    contact.step(definitions.compile(), {event(0, "v"), event(0, "go")}, std::nullopt);
    definitions.source.segments[0].condition = "did v within 1 day";
    definitions.source.published = begin + 3 * one_day;
    contact.step(definitions.compile(), {}, begin + 20 * one_day);
    ASSERT_EQ(contact.raw_actions.size(), 1U);
    EXPECT_EQ(contact.raw_actions[0].template_name, "b");
    EXPECT_EQ(contact.raw_actions[0].due, begin + 10 * one_day);
}

// Whatever held it up: the whole workflow, a step, the journey's version being gone.
TEST(Adopt, WhatIsOverdueHappensWhenItIsLetGoOn) {
    for (bool const whole : {true, false}) {
        Definitions definitions;
        definitions.workflow("w", "on go wait 1 hour send email 'a' start workflow 'v' wait 1 hour send email 'b'");
        definitions.workflow("v", "on nothing send email 'v'"); // going on is the journey's doing, not the publisher's: it may start others
        auto& row = definitions.source.workflows[0];
        Contact contact;
        contact.step(definitions.compile(), {event(0, "go")}, begin + one_minute);
        row.paused = whole;
        if (!whole)
            row.held_steps = {"2"};
        definitions.source.published = begin + one_minute;
        contact.step(definitions.compile(), {}, begin + 5 * one_day);
        EXPECT_TRUE(contact.raw_actions.empty());
        row.paused = false;
        row.held_steps.clear();
        definitions.source.published = begin + 5 * one_day;
        contact.step(definitions.compile(), {}, begin + 6 * one_day);
        ASSERT_EQ(contact.raw_actions.size(), 3U);
        EXPECT_EQ(contact.raw_actions[0].template_name, "a");
        EXPECT_EQ(contact.raw_actions[0].due, begin + 5 * one_day);
        EXPECT_EQ(contact.raw_actions[0].expires, begin + 6 * one_day);
        EXPECT_EQ(contact.raw_actions[1].template_name, "v");
        EXPECT_EQ(contact.raw_actions[1].due, begin + 5 * one_day);
        EXPECT_EQ(contact.raw_actions[2].due, begin + 5 * one_day + one_hour);
    }
    Definitions definitions;
    definitions.workflow("w", "on go send email 'a' wait 10 days");
    Contact contact;
    contact.step(definitions.compile(), {event(0, "go")}, std::nullopt);
    definitions.source.workflows.clear();
    definitions.source.published = begin + 5 * one_day;
    contact.step(definitions.compile(), {}, std::nullopt);
    ASSERT_EQ(contact.cancellations.size(), 1U);
    EXPECT_EQ(contact.cancellations[0].substr(0, 20), print_iso_time(begin + 5 * one_day).substr(0, 20));
}

} // namespace
} // namespace nurture::model
