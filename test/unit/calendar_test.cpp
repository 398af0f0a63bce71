// The civil calendar against tables written by hand.
#include "core/base/calendar.hpp"
#include "core/base/decimal.hpp"
#include "core/base/error.hpp"

#include <gtest/gtest.h>

namespace nurture {
namespace {

Time utc(const std::string& text) {
    auto const time = parse_iso_time(text, Zone::find("UTC"));
    EXPECT_TRUE(time.has_value()) << text;
    return time.value_or(0);
}

TEST(Calendar, LocalTimesToUtc) {
    struct Case {
        const char *zone, *local, *utc;
    };
    for (const auto& [zone, local, expected] : std::vector<Case>{
             {"UTC", "2026-01-01 00:00", "2026-01-01 00:00"},
             {"Europe/Rome", "2026-01-15 12:00", "2026-01-15 11:00"},
             {"Europe/Rome", "2026-07-15 12:00", "2026-07-15 10:00"},
             {"Europe/Rome", "2026-03-29 01:59:59.999999", "2026-03-29 00:59:59.999999"},
             {"Europe/Rome", "2026-03-29 02:00", "2026-03-29 01:00"}, // skipped: 03:00
             {"Europe/Rome", "2026-03-29 02:30", "2026-03-29 01:30"}, // skipped: 03:30
             {"Europe/Rome", "2026-03-29 03:00", "2026-03-29 01:00"},
             {"Europe/Rome", "2026-10-25 01:59", "2026-10-24 23:59"},
             {"Europe/Rome", "2026-10-25 02:30", "2026-10-25 00:30"}, // twice: the first
             {"Europe/Rome", "2026-10-25 03:00", "2026-10-25 02:00"},
             {"America/New_York", "2026-03-08 02:30", "2026-03-08 07:30"},
             {"America/New_York", "2026-11-01 01:30", "2026-11-01 05:30"},
             {"America/New_York", "2026-11-01 02:00", "2026-11-01 07:00"},
             {"America/Sao_Paulo", "2018-11-04 00:00", "2018-11-04 03:00"}, // midnight itself was skipped
             {"America/Sao_Paulo", "2018-11-04 01:00", "2018-11-04 03:00"},
             {"America/Sao_Paulo", "2019-02-16 23:30", "2019-02-17 01:30"}, // twice
             {"America/Sao_Paulo", "2026-01-01 00:00", "2026-01-01 03:00"},
             {"Asia/Kathmandu", "2026-01-01 05:45", "2026-01-01 00:00"}}) {
        EXPECT_EQ(print_iso_time(Zone::find(zone).to_utc(utc(local))), print_iso_time(utc(expected))) << zone << ' ' << local;
    }
}

TEST(Calendar, UtcToLocal) {
    Zone const rome = Zone::find("Europe/Rome");
    EXPECT_EQ(rome.to_local(utc("2026-03-29 00:59:59.999999")), utc("2026-03-29 01:59:59.999999"));
    EXPECT_EQ(rome.to_local(utc("2026-03-29 01:00")), utc("2026-03-29 03:00"));
    EXPECT_EQ(rome.to_local(utc("2026-10-25 00:59")), utc("2026-10-25 02:59"));
    EXPECT_EQ(rome.to_local(utc("2026-10-25 01:00")), utc("2026-10-25 02:00"));
    EXPECT_EQ(Zone::find("Asia/Kathmandu").to_local(utc("2025-12-31 18:15")), utc("2026-01-01 00:00"));
    EXPECT_THROW((void)Zone::find("Europe/Atlantis"), Error);
    EXPECT_FALSE(Zone::try_find("").has_value());
    EXPECT_FALSE(Zone::try_find("../../etc/passwd").has_value());
}

TEST(Calendar, AddsOnTheCalendar) {
    struct Case {
        const char *zone, *from;
        Duration duration;
        const char* to;
    };
    for (const auto& [zone, from, duration, to] : std::vector<Case>{
             {"UTC", "2026-01-31 10:00", {1, 0, 0}, "2026-02-28 10:00"},
             {"UTC", "2028-01-31 10:00", {1, 0, 0}, "2028-02-29 10:00"},
             {"UTC", "2028-02-29 10:00", {12, 0, 0}, "2029-02-28 10:00"},
             {"UTC", "2028-02-29 10:00", {48, 0, 0}, "2032-02-29 10:00"},
             {"UTC", "2026-12-31 23:59:59.999999", {2, 0, 0}, "2027-02-28 23:59:59.999999"},
             {"UTC", "2026-12-31 10:00", {0, 1, 0}, "2027-01-01 10:00"},
             {"UTC", "2026-01-31 10:00", {1, 1, one_hour}, "2026-03-01 11:00"}, // months, then days, then exact time
             {"UTC", "1999-12-31 22:00", {0, 0, 3 * one_hour}, "2000-01-01 01:00"},
             {"UTC", "1999-10-31 22:00", {4, 0, 0}, "2000-02-29 22:00"},
             {"Europe/Rome", "2026-03-28 11:00", {0, 1, 0}, "2026-03-29 10:00"},          // 12:00 both days
             {"Europe/Rome", "2026-03-28 11:00", {0, 0, one_day}, "2026-03-29 11:00"},    // exact
             {"Europe/Rome", "2026-03-28 01:30", {0, 1, 0}, "2026-03-29 01:30"},          // 02:30 becomes 03:30
             {"Europe/Rome", "2026-10-24 00:30", {0, 1, 0}, "2026-10-25 00:30"},          // the first 02:30
             {"Europe/Rome", "2026-10-24 10:00", {0, 1, 0}, "2026-10-25 11:00"},
             {"Europe/Rome", "2026-01-30 23:30", {1, 0, 0}, "2026-02-27 23:30"},          // the 31st in Rome
             {"America/Sao_Paulo", "2018-11-03 03:00", {0, 1, 0}, "2018-11-04 03:00"},    // midnight was skipped
             {"Asia/Kathmandu", "2026-01-31 18:14", {0, 1, 0}, "2026-02-01 18:14"}}) {
        EXPECT_EQ(print_iso_time(add_on_calendar(utc(from), duration, Zone::find(zone))), print_iso_time(utc(to))) << zone << ' ' << from;
    }
    EXPECT_EQ(add_on_calendar(never - 5, {0, 0, one_hour}, Zone::find("UTC")), never);
}

TEST(Calendar, Periods) {
    auto same = [](const char* zone, Period period, const char* a, const char* b) {
        return period_of(utc(b), period, Zone::find(zone)) - period_of(utc(a), period, Zone::find(zone));
    };
    EXPECT_EQ(same("Europe/Rome", Period::day, "2026-01-01 22:59:59.999999", "2026-01-01 23:00"), 1);
    EXPECT_EQ(same("UTC", Period::day, "1999-12-31 23:59", "2000-01-01 00:00"), 1);
    EXPECT_EQ(same("UTC", Period::week, "2026-01-04 23:59", "2026-01-05 00:00"), 1); // Sunday, Monday
    EXPECT_EQ(same("UTC", Period::week, "2025-12-29 00:00", "2026-01-04 23:59"), 0);
    EXPECT_EQ(same("UTC", Period::week, "1999-12-26 23:59", "1999-12-27 00:00"), 1);
    EXPECT_EQ(same("UTC", Period::month, "2025-12-31 23:59", "2026-01-01 00:00"), 1);
    EXPECT_EQ(same("UTC", Period::month, "1999-12-31 23:59", "2000-02-29 00:00"), 2);
    EXPECT_EQ(same("Asia/Kathmandu", Period::hour, "2026-01-01 00:14", "2026-01-01 00:15"), 1);
    EXPECT_EQ(same("Europe/Rome", Period::hour, "2026-10-25 00:30", "2026-10-25 01:30"), 0); // the hour that comes twice
    EXPECT_EQ(same("Europe/Rome", Period::hour, "2026-03-29 00:30", "2026-03-29 01:30"), 2); // the one left out
    EXPECT_EQ(same("UTC", Period::ever, "1970-01-01 00:00", "2100-01-01 00:00"), 0);
}

TEST(Calendar, ReadsIsoTimes) {
    Zone const rome = Zone::find("Europe/Rome");
    for (auto const& [text, wanted] : std::vector<std::pair<std::string, std::string>>{
             {"2026-01-31", "2026-01-30T23:00:00Z"},
             {"2026-01-31T10:00", "2026-01-31T09:00:00Z"},
             {"2026-01-31 10:00:00.5", "2026-01-31T09:00:00.5Z"},
             {"2026-01-31T10:00:00.123456789Z", "2026-01-31T10:00:00.123456Z"},
             {"2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00Z"},
             {"2026-01-31T10:00-0930", "2026-01-31T19:30:00Z"},
             {"2026-01-31T10:00+05", "2026-01-31T05:00:00Z"},
             {"2026-01-31T24:00Z", "2026-02-01T00:00:00Z"},
             {"2028-02-29T00:00Z", "2028-02-29T00:00:00Z"},
             {"1999-12-31T23:59:60Z", "2000-01-01T00:00:00Z"}}) {
        auto const time = parse_iso_time(text, rome);
        ASSERT_TRUE(time.has_value()) << text;
        EXPECT_EQ(print_iso_time(*time), wanted) << text;
    }
    for (const char* text : {"", "2026", "2026-13-01", "2026-00-10", "2026-02-29", "2026-1-1", "2026-01-31T", "2026-01-31T25:00", "2026-01-31T24:30",
                             "2026-01-31T10", "2026-01-31T10:60", "2026-01-31T10:00:61", "2026-01-31T10:00:00.", "2026-01-31T10:00+", "2026-01-31T10:00+02:",
                             "2026-01-31T10:00+2", "2026-01-31T10:00+16:00", "2026-01-31T10:00Zx", " 2026-01-31", "2026-01-31 ", "+026-01-31", "2026--1-31",
                             "20260131"})
        EXPECT_FALSE(parse_iso_time(text, rome).has_value()) << text;
}

TEST(Decimal, ReadsNumbers) {
    for (auto const& [text, wanted] : std::vector<std::pair<std::string, Micro>>{
             {"0", 0}, {"-0", 0}, {"12", 12'000'000}, {"-0.5", -500'000}, {"1e3", 1'000'000'000}, {"1.5E-2", 15'000}, {"+7", 7'000'000}, {".5", 500'000},
             {"5.", 5'000'000}, {"0.0000005", 1}, {"-0.0000005", -1}, {"0.00000049999", 0}, {"1.0000015", 1'000'002}, {"1e-7", 0}, {"5e-7", 1},
             {"9223372036854.775807", INT64_MAX}, {"-9223372036854.775808", INT64_MIN}, {"0.000000000000000000001e21", 1'000'000}, {"0e999999999999", 0},
             {"1e-999999999999", 0}, {"000000000000000000000000001", 1'000'000}}) {
        auto const value = parse_micro(text);
        ASSERT_TRUE(value.has_value()) << text;
        EXPECT_EQ(*value, wanted) << text;
    }
    for (const char* text : {"", " 1", "1 ", "-", "+", ".", "e5", "1e", "1e+", "0x10", "1,5", "NaN", "inf", "1.2.3", "--1", "9223372036854.775808",
                             "9223372036854.7758075", "-9223372036854.775809", "1e13", "1e99999999999999999999"})
        EXPECT_FALSE(parse_micro(text).has_value()) << text;
    EXPECT_FALSE(parse_micro(std::string(5000, '1')).has_value());
}

TEST(Decimal, PrintsShortest) {
    EXPECT_EQ(print_micro(0), "0");
    EXPECT_EQ(print_micro(-500'000), "-0.5");
    EXPECT_EQ(print_micro(1), "0.000001");
    EXPECT_EQ(print_micro(12'000'000), "12");
    EXPECT_EQ(print_micro(INT64_MIN), "-9223372036854.775808");
    for (Micro value : {Micro{1}, Micro{-1}, Micro{999'999}, Micro{1'000'000}, Micro{INT64_MAX}, Micro{INT64_MIN}, Micro{-1'230'000}})
        EXPECT_EQ(parse_micro(print_micro(value)), value);
}

TEST(Decimal, MultipliesWithRounding) {
    EXPECT_TRUE(multiply_micro(5'000'000, 3'000'000) == 15'000'000);
    EXPECT_TRUE(multiply_micro(1, 500'000) == 1);  // half away from zero
    EXPECT_TRUE(multiply_micro(-1, 500'000) == -1);
    EXPECT_TRUE(multiply_micro(1, 499'999) == 0);
    EXPECT_TRUE(multiply_micro(-5'000'000, -3'000'000) == 15'000'000);
    // Around the end of 64 bits both ways of reckoning agree.
    for (Wide b : {Wide(18'446'744'073'709), Wide(18'446'744'073'710), Wide(INT64_MAX), Wide(INT64_MAX) * 1'000'000}) {
        for (Wide a : {Wide(1'000'000), Wide(1'000'001), Wide(-999'999), Wide(3)}) {
            Wide const magnitude = (a < 0 ? -a : a) * b;
            Wide const wanted = (magnitude + 500'000) / 1'000'000;
            EXPECT_TRUE(multiply_micro(a, b) == (a < 0 ? -wanted : wanted));
        }
    }
}

} // namespace
} // namespace nurture
