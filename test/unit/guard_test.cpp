// Guards against a brute-force reading: minute by minute, with nothing but the local clock.
#include "core/base/error.hpp"
#include "core/guard/guard.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>

namespace nurture::guard {
namespace {

namespace gen = rc::gen;

Time utc(const std::string& text) {
    auto const time = parse_iso_time(text, Zone::find("UTC"));
    EXPECT_TRUE(time.has_value()) << text;
    return time.value_or(0);
}

model::CalendarPolicy calendar_with(std::vector<std::int32_t> holidays) {
    model::CalendarPolicy out;
    out.holidays["default"] = std::move(holidays);
    return out;
}

Guards guards_of(std::vector<std::string> definitions, const model::CalendarPolicy& calendar = {}, const char* zone = "UTC") {
    std::vector<model::PolicyRow> rows;
    for (std::size_t i = 0; i < definitions.size(); ++i)
        rows.push_back({static_cast<std::uint32_t>(i + 1), "p" + std::to_string(i + 1), definitions[i]});
    return compile(rows, calendar, Zone::find(zone));
}

std::vector<const Policy*> all_of(const Guards& guards) {
    std::vector<const Policy*> out;
    for (const Policy& policy : guards.policies)
        out.push_back(&policy);
    return out;
}

// --- time -----------------------------------------------------------------------------------------------------------

/// What the definition says of what a clock shows, read off by hand from its parts.
struct Hours {
    int quiet_from = 0, quiet_to = 0; ///< minutes; equal: none
    int open_from = 0, open_to = 1440;
    int days = 0x7F; ///< bits from Monday
    bool business = false, never_on_holidays = false;
    std::set<std::int64_t> holidays;

    [[nodiscard]] std::string definition() const {
        static const char* const names[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
        auto const clock = [](int minute) {
            char text[32];
            std::snprintf(text, sizeof text, "%02d:%02d", minute / 60, minute % 60);
            return std::string(text);
        };
        std::string out;
        if (quiet_from != quiet_to)
            out += "quiet from " + clock(quiet_from) + " to " + clock(quiet_to) + '\n';
        std::string on;
        for (int day = 0; day < 7; ++day)
            if ((days >> day & 1) != 0)
                on += (on.empty() ? " on " : ", ") + std::string(names[day]);
        out += "only" + (business ? " on business days" : on) + " between " + clock(open_from) + " and " + clock(open_to) + '\n';
        if (never_on_holidays)
            out += "never on holidays\n";
        return out;
    }
    [[nodiscard]] bool allow(std::int64_t local) const {
        std::int64_t day = local / one_day;
        if (local % one_day < 0)
            --day;
        auto const minute = static_cast<int>((local - day * one_day) / one_minute);
        if (quiet_from < quiet_to && minute >= quiet_from && minute < quiet_to)
            return false;
        if (quiet_from > quiet_to && (minute >= quiet_from || minute < quiet_to))
            return false;
        if (never_on_holidays && holidays.count(day) != 0)
            return false;
        int const weekday = weekday_of(day);
        bool const open_day = business ? weekday < 5 && holidays.count(day) == 0 : (days >> weekday & 1) != 0;
        return open_day && minute >= open_from && minute < open_to;
    }
};

rc::Gen<Hours> hours() {
    return gen::exec([] {
        Hours out;
        // Around the hours at which clocks are set, most of all.
        auto const minute = gen::oneOf(gen::inRange(0, 1440), gen::inRange(0, 240), gen::element(0, 60, 120, 150, 180, 1380, 1260, 480));
        out.quiet_from = *minute;
        out.quiet_to = *minute;
        if (out.quiet_from == 0 && out.quiet_to == 1440)
            out.quiet_to = 0;
        if (*gen::arbitrary<bool>()) {
            out.open_from = *gen::inRange(0, 1440);
            out.open_to = *gen::inRange(out.open_from + 1, 1441);
        }
        out.business = *gen::arbitrary<bool>();
        out.days = *gen::oneOf(gen::just(0x7F), gen::inRange(1, 0x80));
        out.never_on_holidays = *gen::arbitrary<bool>();
        return out;
    });
}

// Days around which the clocks were set: forward and back, at midnight too; Kathmandu never, but at a quarter.
struct Night {
    const char *zone, *from;
};
constexpr Night nights[] = {{"Europe/Rome", "2026-03-27 12:00"},       {"Europe/Rome", "2026-10-23 12:00"},
                            {"America/New_York", "2026-03-06 12:00"},  {"America/New_York", "2026-10-30 12:00"},
                            {"America/Sao_Paulo", "2018-11-02 12:00"}, {"America/Sao_Paulo", "2019-02-15 12:00"},
                            {"Asia/Kathmandu", "2026-03-27 12:00"},    {"Australia/Lord_Howe", "2026-04-03 12:00"}};

TEST(GuardTime, NextAllowedIsTheFirstAllowedMinute) {
    std::map<std::string, int> met;
    EXPECT_TRUE(rc::check("next allowed", [&met] {
        Hours oracle = *hours();
        const Night& night = nights[*gen::inRange<std::size_t>(0, std::size(nights))];
        Zone const zone = Zone::find(night.zone);
        Time const begin = utc(night.from);
        for (std::int64_t day = day_of(begin, zone) - 1; day < day_of(begin, zone) + 12; ++day)
            if (*gen::inRange(0, 4) == 0)
                oracle.holidays.insert(day);
        std::vector<std::int32_t> holidays(oracle.holidays.begin(), oracle.holidays.end());
        Guards const guards = guards_of({oracle.definition()}, calendar_with(holidays));
        Time const at = begin + *gen::inRange<Span>(0, 3 * one_day);
        Time const found = next_allowed(guards, all_of(guards), {zone}, at);
        // Clocks are set at whole minutes, and so do all guards end.
        Time expected = at;
        if (!oracle.allow(zone.to_local(at))) {
            expected = at - (at % one_minute) + one_minute;
            Time const horizon = at + 10 * one_day;
            while (expected < horizon && !oracle.allow(zone.to_local(expected)))
                expected += one_minute;
            if (expected >= horizon) {
                RC_ASSERT(found >= horizon);
                ++met["far"];
                return;
            }
        }
        RC_ASSERT(found == expected);
        RC_ASSERT(forbidden(guards, guards.policies[0], {zone}, at).has_value() == (expected != at));
        ++met[expected == at ? "at once" : "later"];
    }));
    if (met["at once"] + met["later"] + met["far"] < 100)
        return; // a sanitized run tries fewer
    EXPECT_GT(met["at once"], 0);
    EXPECT_GT(met["later"], 10);
}

TEST(GuardTime, QuietHoursOverClockChanges) {
    struct Case {
        const char *zone, *at, *free;
    };
    Guards const guards = guards_of({"quiet from 21:00 to 02:30"});
    for (const auto& [zone, at, free] : std::vector<Case>{
             {"Europe/Rome", "2026-03-28 19:59", "2026-03-28 19:59"},   // 20:59
             {"Europe/Rome", "2026-03-28 20:00", "2026-03-29 01:00"},   // 02:30 is skipped: free at 03:00
             {"Europe/Rome", "2026-10-24 20:00", "2026-10-25 00:30"},   // the first 02:30
             {"Europe/Rome", "2026-10-25 01:10", "2026-10-25 01:30"},   // 02:10 again, quiet again
             {"Asia/Kathmandu", "2026-01-01 20:00", "2026-01-01 20:45"}, // 01:45
             {"America/New_York", "2026-06-01 01:00", "2026-06-01 06:30"}}) {
        Time const found = next_allowed(guards, all_of(guards), {Zone::find(zone)}, utc(at));
        EXPECT_EQ(print_iso_time(found), print_iso_time(utc(free))) << zone << ' ' << at;
    }
}

TEST(GuardTime, SeveralWindowsAreAlternativesSeveralPoliciesAllBind) {
    Guards const guards = guards_of({"only on business days between 09:00 and 18:00 only on saturday between 10:00 and 12:00",
                                     "quiet from 12:00 to 14:00"});
    auto const free = [&](const char* at) {
        return print_iso_time(next_allowed(guards, all_of(guards), {}, utc(at)));
    };
    EXPECT_EQ(free("2026-11-20 12:30"), print_iso_time(utc("2026-11-20 14:00"))); // Friday
    EXPECT_EQ(free("2026-11-20 18:00"), print_iso_time(utc("2026-11-21 10:00")));
    EXPECT_EQ(free("2026-11-21 12:00"), print_iso_time(utc("2026-11-23 09:00")));
    Guards const shut = guards_of({"only on monday", "only on tuesday"});
    EXPECT_EQ(next_allowed(shut, all_of(shut), {}, utc("2026-11-20 12:30")), never);
}

TEST(GuardTime, HolidaysAreOfTheCalendarThatThePolicyOrTheContactsCountryNames) {
    model::CalendarPolicy calendar;
    calendar.holidays["default"] = {static_cast<int>(day_of(utc("2026-12-25 12:00"), Zone::find("UTC")))};
    calendar.holidays["IT"] = {static_cast<int>(day_of(utc("2026-06-02 12:00"), Zone::find("UTC")))};
    auto const free = [&](const char* policy, const char* country, const char* at) {
        Guards const guards = guards_of({policy}, calendar);
        return print_iso_time(next_allowed(guards, all_of(guards), {Zone::find("UTC"), country}, utc(at)));
    };
    auto const time = [](const char* at) { return print_iso_time(utc(at)); };
    EXPECT_EQ(free("never on holidays of contact country", "IT", "2026-06-02 10:00"), time("2026-06-03 00:00"));
    EXPECT_EQ(free("never on holidays of contact country", "IT", "2026-12-25 10:00"), time("2026-12-25 10:00"));
    for (const char* const unknown : {"DE", "", "it"}) { // the default calendar's
        EXPECT_EQ(free("never on holidays of contact country", unknown, "2026-06-02 10:00"), time("2026-06-02 10:00"));
        EXPECT_EQ(free("never on holidays of contact country", unknown, "2026-12-25 10:00"), time("2026-12-26 00:00"));
    }
    EXPECT_EQ(free("never on holidays of 'IT'", "DE", "2026-06-02 10:00"), time("2026-06-03 00:00"));
    EXPECT_EQ(free("only on business days of contact country between 09:00 and 18:00", "IT", "2026-06-01 18:00"), time("2026-06-03 09:00"));
    EXPECT_EQ(free("only on business days of contact country between 09:00 and 18:00", "", "2026-06-01 18:00"), time("2026-06-02 09:00"));
}

// --- caps -----------------------------------------------------------------------------------------------------------

// Counts by the calendar's own words: what date and hour a clock shows, nothing else.
std::int64_t period_label(language::CapPeriod period, int week_start, const Zone& zone, Time at) {
    std::int64_t const day = day_of(at, zone); // once a day has begun it is not the day before again
    switch (period) {
    case language::CapPeriod::hour:
        return slot_of(at, one_hour, zone);
    case language::CapPeriod::day:
        return day;
    case language::CapPeriod::week: {
        std::int64_t first = day;
        while (weekday_of(first) != week_start)
            --first;
        return first;
    }
    default: {
        CivilDay const civil = civil_of(day);
        return civil.year * 12 + civil.month;
    }
    }
}

bool allowed_by_counting(const language::MessageCap& cap, const std::vector<Sent>& sent, std::string_view workflow,
                         int week_start, const Zone& zone, Time at) {
    std::set<std::string_view> workflows;
    std::int64_t messages = 0;
    for (const Sent& one : sent) {
        bool const inside = cap.rolling.empty() ? period_label(cap.period, week_start, zone, one.at) >=
                                                      period_label(cap.period, week_start, zone, at)
                                                : at - one.at < cap.rolling.exact();
        if (!inside)
            continue;
        ++messages;
        workflows.insert(one.workflow);
    }
    if (!cap.workflows)
        return messages < cap.count;
    return workflows.count(workflow) != 0 || static_cast<std::int64_t>(workflows.size()) < cap.count;
}

TEST(GuardCaps, FreeAtTheFirstMomentThatCountingAllows) {
    EXPECT_TRUE(rc::check("caps", [] {
        const Night& night = nights[*gen::inRange<std::size_t>(0, std::size(nights))];
        Zone const zone = Zone::find(night.zone);
        Time const begin = utc(night.from);
        language::MessageCap cap;
        cap.count = *gen::inRange<std::int64_t>(1, 4);
        cap.workflows = *gen::arbitrary<bool>();
        if (*gen::arbitrary<bool>())
            cap.rolling.micros = *gen::inRange<Span>(1, 72) * one_hour;
        else
            cap.period = *gen::element(language::CapPeriod::hour, language::CapPeriod::day, language::CapPeriod::week);
        int const week_start = *gen::inRange(0, 7);
        static constexpr std::string_view names[] = {"a", "b", "c", "d"};
        std::vector<Sent> sent;
        Time const at = begin + *gen::inRange<Span>(0, 3 * one_day / one_minute) * one_minute;
        for (int i = *gen::inRange(0, 12); i > 0; --i)
            sent.push_back({at - *gen::inRange<Span>(0, 4 * one_day / one_minute) * one_minute, "email", "",
                            names[*gen::inRange<std::size_t>(0, 4)]});
        std::string_view const mine = names[*gen::inRange<std::size_t>(0, 4)];
        Time const found = free_under(cap, sent, mine, week_start, zone, at);
        Time expected = at;
        while (!allowed_by_counting(cap, sent, mine, week_start, zone, expected))
            expected += one_minute;
        RC_ASSERT(found == expected);
    }));
}

// --- judging --------------------------------------------------------------------------------------------------------

struct Judged {
    std::vector<Contact> contacts{1};
    std::vector<Verdict> verdicts;
};

Judged judge_all(const Guards& guards, const char* moment, const std::vector<Message>& messages, std::vector<Sent> sent = {}) {
    Judged out;
    out.contacts[0].sent = std::move(sent);
    std::vector<Candidate> candidates;
    std::vector<std::string_view> workflows;
    for (const Message& message : messages) {
        candidates.push_back({message, 0, true, true});
        workflows.push_back(message.workflow);
    }
    auto counters = counters_of(guards, "email", workflows, utc(moment));
    out.verdicts = judge(guards, utc(moment), candidates, out.contacts, counters);
    return out;
}

TEST(GuardJudge, WhatIsClaimedCountsForWhatComesAfter) {
    Guards const guards = guards_of({"for email at most 2 per day"});
    auto const [contacts, verdicts] = judge_all(guards, "2026-11-22 10:00", {{"email"}, {"email"}, {"email"}, {"email", "", "", true}});
    EXPECT_EQ(verdicts[0].decision, Decision::claim);
    EXPECT_EQ(verdicts[1].decision, Decision::claim);
    EXPECT_EQ(verdicts[2].decision, Decision::delay);
    EXPECT_EQ(verdicts[2].until, utc("2026-11-23 00:00"));
    EXPECT_EQ(verdicts[2].reason, "at most 2 per day (policy \"p1\")");
    EXPECT_EQ(verdicts[3].decision, Decision::claim); // transactional: neither stopped nor counted
    EXPECT_EQ(contacts[0].sent.size(), 2U);
}

TEST(GuardJudge, ADelayEndsWhereNothingForbids) {
    // Free again at midnight by the cap, at eight by the quiet hours, on Monday by the window.
    Guards const guards = guards_of({"at most 1 per day", "quiet from 21:00 to 08:00", "only on business days"});
    auto const [contacts, verdicts] = judge_all(guards, "2026-11-20 10:00", {{"email"}, {"email"}});
    EXPECT_EQ(verdicts[1].until, utc("2026-11-23 08:00"));
}

TEST(GuardJudge, DropsAsThePolicySays) {
    Guards const drop = guards_of({"at most 1 per day quiet from 21:00 to 08:00 when stopped drop"});
    EXPECT_EQ(judge_all(drop, "2026-11-20 22:00", {{"email"}}).verdicts[0].reason, "quiet from 21:00 to 08:00 (policy \"p1\")");
    EXPECT_EQ(judge_all(drop, "2026-11-20 10:00", {{"email"}, {"email"}}).verdicts[1].decision, Decision::drop);
    Guards const best = guards_of({"at most 1 per day quiet from 21:00 to 08:00 when stopped keep the best"});
    EXPECT_EQ(judge_all(best, "2026-11-20 22:00", {{"email"}}).verdicts[0].decision, Decision::delay);
    auto const second = judge_all(best, "2026-11-20 10:00", {{"email"}, {"email"}}).verdicts[1];
    EXPECT_EQ(second.decision, Decision::drop);
    EXPECT_EQ(second.reason, "a better message was sent: at most 1 per day (policy \"p1\")");
    Guards const shut = guards_of({"only on monday", "only on tuesday"});
    EXPECT_EQ(judge_all(shut, "2026-11-20 10:00", {{"email"}}).verdicts[0].decision, Decision::drop);
}

TEST(GuardJudge, ScopesTellWhoseMessagesAreCountedAndStopped) {
    Guards const guards = guards_of({"for email purpose offers at most 1 per day", "for sms at most 2 per day over all channels"});
    Time const before = utc("2026-11-20 09:00");
    EXPECT_EQ(judge_all(guards, "2026-11-20 10:00", {{"email", "offers"}}, {{before, "email", "news", "w"}}).verdicts[0].decision,
              Decision::claim);
    EXPECT_EQ(judge_all(guards, "2026-11-20 10:00", {{"email", "offers"}}, {{before, "email", "offers", "w"}}).verdicts[0].decision,
              Decision::delay);
    std::vector<Sent> const two = {{before, "email", "news", "w"}, {before, "push", "", "w"}};
    EXPECT_EQ(judge_all(guards, "2026-11-20 10:00", {{"sms"}}, two).verdicts[0].decision, Decision::delay);
    EXPECT_EQ(judge_all(guards, "2026-11-20 10:00", {{"push"}}, two).verdicts[0].decision, Decision::claim);
}

TEST(GuardJudge, OneWorkflowAtATime) {
    Guards const guards = guards_of({"for workflow 'a', 'b' at most 1 workflow per rolling 7 days"});
    std::vector<Sent> const sent = {{utc("2026-11-18 10:00"), "email", "", "a"}, {utc("2026-11-19 10:00"), "email", "", "c"}};
    auto const verdicts = judge_all(guards, "2026-11-20 10:00", {{"email", "", "a"}, {"email", "", "b"}, {"email", "", "c"}}, sent).verdicts;
    EXPECT_EQ(verdicts[0].decision, Decision::claim); // of the same workflow
    EXPECT_EQ(verdicts[1].decision, Decision::delay);
    EXPECT_EQ(verdicts[1].until, utc("2026-11-27 10:00")); // seven days after what was just claimed
    EXPECT_EQ(verdicts[2].decision, Decision::claim); // not of the group
}

// Tried again, a message does not stand in its own way, but in that of others as before.
TEST(GuardJudge, ARetryKeepsItsPlace) {
    Guards const guards = guards_of({"at most 1 per day"});
    Sent first{utc("2026-11-20 09:00"), "email", "", ""};
    first.candidate = 1;
    auto const verdicts = judge_all(guards, "2026-11-20 10:00", {{"email"}, {"email"}, {"email"}}, {first}).verdicts;
    EXPECT_EQ(verdicts[0].decision, Decision::delay);
    EXPECT_EQ(verdicts[1].decision, Decision::claim);
    EXPECT_EQ(verdicts[2].decision, Decision::delay);
    EXPECT_EQ(horizon(guards), 32 * one_day);
    EXPECT_FALSE(has_caps(guards_of({"for email require consent"})));
}

TEST(GuardJudge, ARateOverAllChannelsIsOneForThePolicysChannelsTogether) {
    Guards const guards = guards_of({"for email, sms rate 2 per minute over all channels rate 9 per hour"});
    auto counters = counters_of(guards, "email", {}, utc("2026-11-20 10:00:20"));
    ASSERT_EQ(counters.size(), 2U);
    EXPECT_EQ(counters[0].key, "rate minute"); // what claims of either channel take of
    EXPECT_EQ(counters_of(guards, "sms", {}, utc("2026-11-20 10:00:20"))[0].key, "rate minute");
    EXPECT_EQ(counters[1].key, "rate hour email");
    EXPECT_TRUE(counters_of(guards, "push", {}, 0).empty());
    counters[0].used = 1; // by an SMS
    std::vector<Contact> contacts{1};
    std::vector<Candidate> const candidates(2, {{"email"}, 0, true, true});
    auto const verdicts = judge(guards, utc("2026-11-20 10:00:20"), candidates, contacts, counters);
    EXPECT_EQ(verdicts[0].decision, Decision::claim);
    EXPECT_EQ(verdicts[1].decision, Decision::delay);
    EXPECT_EQ(verdicts[1].reason, "rate 2 per minute over all channels (policy \"p1\")");
}

TEST(GuardJudge, RatesDelayBudgetsDropTransactionalMessagesTakeOfRatesOnly) {
    Guards const guards = guards_of({"rate 2 per minute", "budget 1 for workflow 'w'"});
    auto const verdicts = judge_all(guards, "2026-11-20 10:00:20",
                                    {{"email", "", "w"}, {"email", "", "w"}, {"email", "", "w", true}, {"email", "", "v", true}}).verdicts;
    EXPECT_EQ(verdicts[0].decision, Decision::claim);
    EXPECT_EQ(verdicts[1].decision, Decision::drop);
    EXPECT_EQ(verdicts[1].reason, "used up: budget 1 for workflow 'w' (policy \"p2\")");
    EXPECT_EQ(verdicts[2].decision, Decision::claim);
    EXPECT_EQ(verdicts[3].decision, Decision::delay);
    EXPECT_EQ(verdicts[3].until, utc("2026-11-20 10:01"));
}

TEST(GuardPlan, DueExpiryPriority) {
    Guards const guards = guards_of({"for email quiet from 21:00 to 08:00 priority 5", "expire after 2 hours priority 3",
                                     "for sms quiet from 00:00 to 23:00 when stopped drop"});
    Zone const rome = Zone::find("Europe/Rome");
    Plan const mail = plan(guards, {"email"}, {rome}, utc("2026-11-20 21:30"), one_day);
    EXPECT_EQ(mail.due, utc("2026-11-21 07:00"));
    EXPECT_EQ(mail.expires, utc("2026-11-21 09:00"));
    EXPECT_EQ(mail.priority, 5);
    EXPECT_EQ(plan(guards, {"sms"}, {rome}, utc("2026-11-20 10:00"), one_day).due, utc("2026-11-20 10:00"));
    Plan const receipt = plan(guards, {"email", "", "", true}, {rome}, utc("2026-11-20 21:30"), one_day);
    EXPECT_EQ(receipt.due, utc("2026-11-20 21:30"));
    EXPECT_EQ(receipt.expires, never);
    EXPECT_EQ(plan(guards_of({"for sms priority 1"}), {"email"}, {rome}, 0, one_hour).expires, one_hour);
}

} // namespace
} // namespace nurture::guard
