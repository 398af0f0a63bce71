// Schedules: what comes when, compared with a walk through all minutes; and where clocks change, as Debian's cron does.
#include "core/base/civil.hpp"
#include "core/base/cron.hpp"
#include "core/base/error.hpp"

#include <gtest/gtest.h>

#include <random>

namespace nurture {
namespace {

Time utc(const std::string& text) { return *parse_iso_time(text, Zone::find("UTC")); }

std::vector<std::string> runs(const std::string& cron, const std::string& zone, const std::string& after, int n) {
    Cron const schedule = Cron::parse(cron);
    std::vector<std::string> out;
    Time t = utc(after);
    for (int i = 0; i < n; ++i) {
        t = schedule.next(t, Zone::find(zone));
        out.push_back(t == never ? "never" : print_iso_time(t));
    }
    return out;
}

using Lines = std::vector<std::string>;

TEST(Cron, ComesAtItsMoments) {
    EXPECT_EQ(runs("0 9 * * 1", "UTC", "2026-11-22", 2), (Lines{"2026-11-23T09:00:00Z", "2026-11-30T09:00:00Z"}));
    EXPECT_EQ(runs("0 9 * * 1", "UTC", "2026-11-23T09:00", 1), (Lines{"2026-11-30T09:00:00Z"})); // after, not at
    EXPECT_EQ(runs("*/20 8-9 1,15 jan MON-wed", "UTC", "2026-01-01", 2), (Lines{"2026-01-01T08:00:00Z", "2026-01-01T08:20:00Z"}));
    EXPECT_EQ(runs("0 0 13 * 5", "UTC", "2026-02-01", 3), // either day will do
              (Lines{"2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z"}));
    EXPECT_EQ(runs("0 0 */2 * 0", "UTC", "2026-02-01", 2), // both, since one begins with *
              (Lines{"2026-02-15T00:00:00Z", "2026-03-01T00:00:00Z"}));
    EXPECT_EQ(runs("0 12 29 2 *", "UTC", "2026-01-01", 2), (Lines{"2028-02-29T12:00:00Z", "2032-02-29T12:00:00Z"}));
    EXPECT_EQ(runs("0 12 29 2 *", "UTC", "2096-03-01", 1), (Lines{"2104-02-29T12:00:00Z"}));
    EXPECT_EQ(runs("59 23 31 12 7", "UTC", "2026-12-31T23:58", 1), (Lines{"2026-12-31T23:59:00Z"}));
    EXPECT_EQ(runs("@daily", "Asia/Kathmandu", "2026-01-01", 1), (Lines{"2026-01-01T18:15:00Z"}));
    EXPECT_EQ(Cron::parse(" 0  9 * * MON-Fri").text(), "0 9 * * mon-fri");
}

// Rome 2026: 29 March 02:00 → 03:00, 25 October 03:00 → 02:00.
TEST(Cron, FixedTimesComeOnceWhereTheClockChanges) {
    EXPECT_EQ(runs("30 2 * * *", "Europe/Rome", "2026-03-27T12:00", 3),
              (Lines{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"})); // late, at 03:00
    EXPECT_EQ(runs("0,30 2 * * *", "Europe/Rome", "2026-03-28T12:00", 2), (Lines{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"}));
    EXPECT_EQ(runs("30 2 * * *", "Europe/Rome", "2026-10-24T12:00", 2), (Lines{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}));
    // From within the second pass of the hour it has come already.
    EXPECT_EQ(runs("30 2 * * *", "Europe/Rome", "2026-10-25T01:10", 1), (Lines{"2026-10-26T01:30:00Z"}));
    // New York 2026: 8 March 02:00 → 03:00, 1 November 02:00 → 01:00.
    EXPECT_EQ(runs("30 1 * * *", "America/New_York", "2026-10-31T12:00", 2), (Lines{"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}));
    EXPECT_EQ(runs("15 2 * * *", "America/New_York", "2026-03-08T05:00", 1), (Lines{"2026-03-08T07:00:00Z"}));
    // São Paulo, 4 November 2018: midnight was skipped; 18 February 2018: 23:00 came twice.
    EXPECT_EQ(runs("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00", 2), (Lines{"2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}));
    EXPECT_EQ(runs("30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00", 2), (Lines{"2018-02-18T01:30:00Z", "2018-02-19T02:30:00Z"}));
}

TEST(Cron, WildcardsFollowTheClock) {
    EXPECT_EQ(runs("30 * * * *", "Europe/Rome", "2026-03-29T00:00", 2), (Lines{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"}));
    EXPECT_EQ(runs("30 * * * *", "Europe/Rome", "2026-10-24T23:45", 3),
              (Lines{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"})); // 02:30 comes twice
    EXPECT_EQ(runs("*/30 2 25 10 *", "Europe/Rome", "2026-01-01", 5),
              (Lines{"2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
                     "2027-10-25T00:00:00Z"}));
    EXPECT_EQ(runs("*/30 2 29 3 *", "Europe/Rome", "2026-01-01", 1), (Lines{"2027-03-29T00:00:00Z"})); // skipped in 2026
}

// Against every minute of forty days: fixed times by the first moment that shows them, wildcards by what the clock shows.
TEST(Cron, IsWhatAWalkThroughAllMinutesFinds) {
    std::mt19937_64 engine(7);
    auto below = [&](int n) { return static_cast<int>(engine() % static_cast<unsigned>(n)); };
    for (int round = 0; round < 16; ++round) {
        int const minute = below(60), hour = below(5), step = 1 + below(30);
        bool const wild = below(2) == 0;
        std::string const text = wild ? "*/" + std::to_string(step) + " " + std::to_string(hour) + " * * *"
                                      : std::to_string(minute) + " " + std::to_string(hour) + " * * *";
        Zone const zone = Zone::find(round % 4 == 0   ? "Europe/Rome"
                                     : round % 4 == 1 ? "America/New_York"
                                     : round % 4 == 2 ? "America/Sao_Paulo"
                                                      : "Australia/Lord_Howe"); // half an hour's change
        Cron const schedule = Cron::parse(text);
        Time const begin = utc(round % 2 == 0 ? "2018-10-20" : "2018-02-01") + below(1'000'000) * one_second;
        Time const end = begin + 40 * one_day;
        std::vector<Time> wanted;
        for (Time t = begin - begin % one_minute + one_minute; t < end; t += one_minute) {
            std::int64_t const local = zone.to_local(t);
            std::int64_t const of_day = ((local % one_day) + one_day) % one_day / one_minute;
            if (wild) {
                if (of_day / 60 == hour && of_day % 60 % step == 0)
                    wanted.push_back(t);
            } else {
                // The first minute at which the clock shows this time of its day or a later one.
                std::int64_t const day = (local - of_day * one_minute - ((local % one_minute + one_minute) % one_minute)) / one_day;
                std::int64_t const moment = day * one_day + hour * one_hour + minute * one_minute;
                bool earlier = false; // was it shown or passed before?
                for (Time before = t - one_minute; before > t - 4 * one_hour; before -= one_minute)
                    earlier = earlier || zone.to_local(before) >= moment;
                if (local >= moment && !earlier)
                    wanted.push_back(t);
            }
        }
        std::vector<Time> found;
        for (Time t = schedule.next(begin, zone); t < end; t = schedule.next(t, zone))
            found.push_back(t);
        ASSERT_EQ(found, wanted) << text << " in " << zone.name() << " after " << print_iso_time(begin);
    }
}

TEST(Cron, WhatIsWrongIsSaid) {
    auto problem = [](const std::string& text) -> std::string {
        try {
            (void)Cron::parse(text);
            return "";
        } catch (const Error& error) {
            return error.what();
        }
    };
    EXPECT_EQ(problem("0 9 * *"), "a schedule has five fields, not 4");
    EXPECT_EQ(problem("60 9 * * *"), "there is no minute 60 (0 to 59)");
    EXPECT_EQ(problem("0 24 * * *"), "there is no hour 24 (0 to 23)");
    EXPECT_EQ(problem("0 0 0 * *"), "there is no day of the month 0 (1 to 31)");
    EXPECT_EQ(problem("0 0 * 13 *"), "there is no month 13 (1 to 12)");
    EXPECT_EQ(problem("0 0 * * 8"), "there is no day of the week 8 (0 to 7)");
    EXPECT_EQ(problem("0 0 * * someday"), "\"someday\" is no day of the week");
    EXPECT_EQ(problem("*/0 * * * *"), "\"0\" is no step for the minute");
    EXPECT_EQ(problem("0 9-8 * * *"), "the range 9-8 of the hour ends before it begins");
    EXPECT_EQ(problem("0 0 30 2 *"), "the schedule \"0 0 30 2 *\" never comes");
    EXPECT_EQ(problem("@often"), "unknown schedule \"@often\"");
    EXPECT_EQ(problem("1,,2 * * * *"), "\"\" is no minute");
    EXPECT_EQ(problem("99999999999999999999 * * * *"), "there is no minute 99999999999999999999 (0 to 59)");
}

} // namespace
} // namespace nurture
