// Waits whose time begins anew, splits that are thrown anew, scores that are set, consent that is withdrawn, messages that choose
// their channel, schedules that come round so many times.
#include "../simulation/story.hpp"

#include "core/step/facts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace nurture::world {
namespace {

TEST(Steps, TheTimeOfAWaitBeginsAnew) {
    const char* const workflow = "on signup wait for pay up to 1 hour renewed by view, (click where n = 1 with same order) then do 'paid' else do 'gone' end";
    Story story(workflow);
    story.event("2026-05-01 10:00", "signup", {{"order", 7}});
    EXPECT_EQ(story.contact.due, Story::time("2026-05-01 11:00"));
    story.event("2026-05-01 10:30", "view");
    EXPECT_EQ(story.contact.due, Story::time("2026-05-01 11:30"));
    story.event("2026-05-01 10:40", "click", {{"n", 2}, {"order", 7}});
    story.event("2026-05-01 10:41", "click", {{"n", 1}, {"order", 8}});
    EXPECT_EQ(story.contact.due, Story::time("2026-05-01 11:30"));
    story.event("2026-05-01 11:20", "click", {{"n", 1}, {"order", 7}});
    EXPECT_EQ(story.contact.due, Story::time("2026-05-01 12:20"));
    story.event("2026-05-01 12:20", "view"); // at the same instant timers come first
    EXPECT_EQ(story.sent(), (Lines{"01 12:20 gone"}));

    Story paid(workflow);
    paid.event("2026-05-01 10:00", "signup");
    paid.event("2026-05-01 10:59", "view");
    paid.event("2026-05-01 11:58", "pay");
    EXPECT_EQ(paid.sent(), (Lines{"01 11:58 paid"}));

    // On the calendar, also when the contact moves to another zone.
    Story renewed("on signup wait for pay up to 1 day renewed by view do 'x'", "Europe/Rome");
    renewed.event("2026-03-28 09:00", "signup");
    renewed.event("2026-03-28 10:00", "view");
    EXPECT_EQ(renewed.contact.due, Story::time("2026-03-29 09:00")); // 11:00 on both days
}

// 2,000 contacts: each throws by itself, and anew at each coming, half and half; sticky ones stay where they are.
TEST(Steps, ASplitIsThrownAnewAtEachComing) {
    std::map<std::string, int> seen;
    for (int i = 0; i < 2'000; ++i) {
        Story story("on signup re-enter always repeat at most 3 split again 50 a do 'a' 50 b do 'b' end wait 1 hour end split again 50 a do 'a' 50 b do 'b' end");
        story.contact.key = "contact " + std::to_string(i);
        story.event("2026-05-01 10:00", "signup");
        story.until("2026-05-02");
        story.event("2026-05-02 10:00", "signup");
        story.until("2026-05-03");
        std::string arms;
        for (const auto& action : story.contact.raw_actions)
            arms += action.channel;
        ++seen[arms];
        Story replay("on signup re-enter always repeat at most 3 split again 50 a do 'a' 50 b do 'b' end wait 1 hour end split again 50 a do 'a' 50 b do 'b' end");
        replay.contact.key = story.contact.key;
        replay.event("2026-05-01 10:00", "signup");
        replay.until("2026-05-02");
        std::string again;
        for (const auto& action : replay.contact.raw_actions)
            again += action.channel;
        EXPECT_EQ(again, arms.substr(0, 4));
    }
    // 256 sequences of 8 throws, each expected 7.8 times: chi square with 255 degrees of freedom is below 340 but for 0.03 %.
    double chi = 0;
    EXPECT_GT(seen.size(), 240U);
    for (const auto& [arms, n] : seen) {
        EXPECT_EQ(arms.size(), 8U);
        chi += (n - 7.8125) * (n - 7.8125) / 7.8125;
    }
    chi += static_cast<double>(256 - seen.size()) * 7.8125;
    EXPECT_LT(chi, 340);

    Story sticky("on signup repeat at most 9 split 50 a do 'a' 50 b do 'b' end wait 1 hour end");
    sticky.event("2026-05-01 10:00", "signup");
    sticky.until("2026-05-02");
    for (const auto& action : sticky.contact.raw_actions)
        EXPECT_EQ(action.channel, sticky.contact.raw_actions[0].channel);
}

TEST(Steps, AScoreIsSetAndReset) {
    auto score_after = [](const std::string& step, const std::string& at) {
        Story story("on signup " + step);
        story.definitions.rule("+100 on point half-life 1 day topic a");
        story.definitions.rule("+7 while plan = 'pro'");
        story.definitions.segment("x", "score >= 40");
        story.event("2026-05-01 09:00", "$identify", {{"plan", "pro"}});
        story.event("2026-05-01 10:00", "point");
        story.event("2026-05-01 10:00", "$adjust", {{"points", 5}});
        story.event("2026-05-01 10:00", "signup");
        std::vector<std::string> written = story.contact.written;
        story.event(at, "other");
        auto const model = story.definitions.compile();
        auto const profile = story.contact.profile();
        return print_micro(static_cast<Micro>(step::Facts(model, profile).score(model::none, Story::time(at))));
    };
    EXPECT_EQ(score_after("do 'x'", "2026-05-01 10:00"), "112");
    EXPECT_EQ(score_after("reset score", "2026-05-01 10:00"), "7"); // what a condition gives it gives now
    EXPECT_EQ(score_after("reset score", "2026-05-03 10:00"), "7");
    EXPECT_EQ(score_after("set score to 50 for 'why'", "2026-05-01 10:00"), "50");
    EXPECT_EQ(score_after("set score to 50", "2026-05-09 10:00"), "50"); // nothing of the old wears off any more
    EXPECT_EQ(score_after("set score to -3.5", "2026-05-02 10:00"), "-3.5");
    Story told("on signup set score to 50 for 'why'");
    told.event("2026-05-01 10:00", "signup");
    EXPECT_EQ(told.contact.written, (Lines{R"(2026-05-01T10:00:00Z $adjust {"reason": "why", "reset": true})",
                                           R"(2026-05-01T10:00:00Z $adjust {"points": 50, "reason": "why"})"}));
}

TEST(Steps, ConsentIsWithdrawnAndNeverGiven) {
    Story story("on bounced withdraw consent(email, news) for 'bounced' do 'x'");
    story.definitions.segment("yes", "consent(email, news)");
    story.event("2026-05-01 10:00", "$consent", {{"state", "granted"}, {"channel", "email"}});
    story.event("2026-05-01 11:00", "bounced");
    EXPECT_EQ(story.contact.written, (Lines{R"(2026-05-01T11:00:00Z $consent {"channel": "email", "purpose": "news", "source": "bounced", "state": "withdrawn"})"}));
    auto const consents = story.contact.profile().consents;
    EXPECT_FALSE(consents.allows({"email", "news"}, Story::time("2026-05-01 11:00")));
    EXPECT_TRUE(consents.allows({"email", "offers"}, Story::time("2026-05-01 11:00")));
    auto const path = story.path();
    EXPECT_NE(std::find(path.begin(), path.end(), "01 11:00 segment left yes"), path.end());
}

TEST(Steps, AMessageGoesByTheFirstChannelThatMayBeUsed) {
    auto channel = [](std::vector<Json> consents, bool policy, Json attributes = Json::object(), const std::string& more = " preferring wants") {
        Story story("on signup send first of email, sms, push 'hello' for news" + more);
        if (policy)
            story.definitions.source.policies.push_back({1, "p", "for email, sms require consent"});
        for (Json& consent : consents)
            story.event("2026-05-01 09:00", "$consent", std::move(consent));
        story.event("2026-05-01 09:00", "$identify", std::move(attributes));
        story.event("2026-05-01 10:00", "signup");
        auto const& path = story.contact.raw_transitions;
        EXPECT_EQ(path.back().via, story.contact.raw_actions.empty() ? "1:none" : "1");
        return story.contact.raw_actions.empty() ? std::string("none") : story.contact.raw_actions[0].channel;
    };
    Json const granted{{"state", "granted"}, {"channel", "sms"}}, refused{{"state", "denied"}, {"channel", "email"}},
        nothing{{"state", "withdrawn"}}, push{{"state", "granted"}, {"channel", "push"}};
    EXPECT_EQ(channel({}, false), "email");
    EXPECT_EQ(channel({refused}, false), "sms");
    EXPECT_EQ(channel({nothing}, false), "none");
    EXPECT_EQ(channel({nothing}, false, Json::object(), " as transactional"), "email");
    EXPECT_EQ(channel({}, true), "push");
    EXPECT_EQ(channel({granted}, true), "sms");
    EXPECT_EQ(channel({}, false, {{"wants", "push"}}), "push");
    EXPECT_EQ(channel({}, false, {{"wants", "fax"}}), "email");
    EXPECT_EQ(channel({}, true, {{"wants", "email"}}), "push"); // it may not be used
    EXPECT_EQ(channel({granted, push}, true, {{"wants", "push"}}), "push");
    EXPECT_EQ(channel({granted, push}, true, {{"wants", "sms"}}), "sms");
}

TEST(Steps, AScheduleComesRoundSoManyTimes) {
    auto runs = [](const std::string& schedule, const std::string& zone, const std::string& until) {
        Story story("on schedule " + schedule + " re-enter always do 'x'", zone);
        story.event("2026-01-01 00:00", "hello");
        story.until(until);
        return story.sent();
    };
    EXPECT_EQ(runs("'0 9 * * mon' from 2026-03-02 at most 3 times", "UTC", "2026-12-31"), (Lines{"02 09:00 x", "09 09:00 x", "16 09:00 x"}));
    EXPECT_EQ(runs("'0 9 * * mon' from 2026-03-02T10:00 at most 1 times", "UTC", "2026-12-31"), (Lines{"09 09:00 x"}));
    EXPECT_EQ(runs("'30 2 * * *' from 2026-03-28 at most 3 times", "Europe/Rome", "2026-12-31"), (Lines{"28 01:30 x", "29 01:00 x", "30 00:30 x"}));
    EXPECT_EQ(runs("'0 9 * * *' from 2026-03-28 until 2026-03-29 at most 3 times", "UTC", "2026-12-31"), (Lines{"28 09:00 x", "29 09:00 x"}));
    EXPECT_EQ(runs("'0 0 * * *' in time zone 'Asia/Tokyo' from 2026-03-01T15:00Z at most 2 times", "UTC", "2026-12-31"), (Lines{"01 15:00 x", "02 15:00 x"}));
    // They are counted from the beginning, not from when the contact came.
    Story late("on schedule '0 9 * * *' in contact time zone from 2026-03-01 at most 3 times re-enter always do 'x'");
    late.event("2026-03-02 12:00", "$identify", {{"timezone", "America/New_York"}});
    late.until("2026-12-31");
    EXPECT_EQ(late.sent(), (Lines{"02 14:00 x", "03 14:00 x"}));
    EXPECT_THROW(Story("on schedule '0 9 * * *' in contact time zone from 2026-03-01T00:00Z at most 3 times do 'x'").event("2026-03-02 12:00", "a"), Error);
}

} // namespace
} // namespace nurture::world
