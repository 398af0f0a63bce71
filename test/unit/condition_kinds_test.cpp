// Conditions over attributes, dates and membership: three-valued answers, and what is refused and how it is said. That they
// are exact in time is test/simulation/condition_time_test.cpp's.
#include "../simulation/world.hpp"

#include "core/base/civil.hpp"
#include "core/base/error.hpp"
#include "core/language/language.hpp"
#include "core/step/facts.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace nurture::world {
namespace {

using step::Truth;
constexpr Truth yes = Truth::yes, no = Truth::no, unknown = Truth::unknown;

struct Case {
    std::string condition;
    Json values;
    Truth truth;
};

Truth of(const std::string& condition, const Json& attributes, Time clock = 0) {
    Definitions definitions;
    definitions.source.lists = {"vips"};
    definitions.segment("s", condition);
    auto const model = definitions.compile();
    profile::Profile profile;
    for (auto const& [key, value] : attributes.items())
        write_attribute(profile, key, {1, 1, 1}, value.dump());
    step::Facts const facts(model, profile);
    return facts.evaluate(model.segments.at(0).condition, clock).truth;
}

/// The same over the properties of an event.
Truth where(const std::string& filter, const Json& properties) {
    Definitions definitions;
    definitions.segment("s", "did e where (" + filter + ")");
    auto const model = definitions.compile();
    profile::Profile const nobody;
    step::Facts const facts(model, nobody);
    return facts.matches(model.patterns.at(0).filter, JsonProperties(properties));
}

void check(const std::vector<Case>& cases) {
    for (const auto& [condition, values, truth] : cases) {
        EXPECT_EQ(of(condition, values), truth) << condition << " over attributes " << values;
        EXPECT_EQ(where(condition, values), truth) << condition << " over properties " << values;
    }
}

TEST(ConditionKinds, Texts) {
    Json const job{{"job", "head of data"}};
    check({{"job contains 'of'", job, yes},          {"job contains 'OF'", job, no},
           {"job contains 'OF' ignoring case", job, yes},
           {"job does not contain 'x'", job, yes},   {"job starts with 'head'", job, yes},
           {"job does not start with 'head'", job, no}, {"job ends with 'data'", job, yes},
           {"job does not end with 'x'", job, yes},  {"job contains ''", job, yes},
           {"job ~ '^head (of|for)'", job, yes},     {"job !~ '^head'", job, no},
           {"job ~ '(?i)HEAD'", job, yes},           {"nobody contains 'x'", job, unknown},
           {"nobody does not contain 'x'", job, unknown}, {"nobody !~ 'x'", job, unknown},
           {"n contains '2'", {{"n", 123}}, yes},    {"b starts with 't'", {{"b", true}}, yes},
           {"job ilike 'HEAD%'", job, yes},          {"job not ilike 'HEAD%'", job, no}});
}

TEST(ConditionKinds, IgnoringCaseAndAccents) {
    Json const city{{"city", "ZÜRICH"}, {"same", "Zu\xcc\x88rich"}}; // the second with a combining mark
    check({{"city = 'zürich'", city, no},
           {"city = 'zürich' ignoring case", city, yes},
           {"city = 'zurich' ignoring case", city, no},
           {"city = 'ZURICH' ignoring accents", city, yes},
           {"city = 'zurich' ignoring case ignoring accents", city, yes},
           {"same = 'zürich' ignoring case", city, yes},
           {"city = value of same ignoring case", city, yes},
           {"city in ('rom', 'zurich') ignoring accents ignoring case", city, yes},
           {"city like 'zu%' ignoring case ignoring accents", city, yes},
           {"street = 'STRASSE' ignoring case", {{"street", "Straße"}}, yes},
           {"city is not distinct from 'zurich' ignoring accents ignoring case", city, yes},
           {"tags has any of ('É') ignoring case", {{"tags", {"é"}}}, yes}});
}

// What is ignored concerns the comparison it stands behind, not the filter of the events inside it.
TEST(ConditionKinds, FiltersInsideIgnoreNothing) {
    for (const char* first : {"last(b of e where a = 'x') = 'Y' ignoring case", "did e where a = 'x'"}) {
        Definitions definitions;
        definitions.segment("s", first);
        definitions.segment("t", "last(b of e where a = 'x') = 'Y' ignoring case");
        auto const model = definitions.compile();
        auto members = [&](const char* a) {
            Contact contact;
            Event event;
            event.type = "e";
            event.properties = {{"a", a}, {"b", "y"}};
            contact.step(model, {event}, 0);
            return contact.raw_transitions.size();
        };
        EXPECT_EQ(members("x"), 2U);
        EXPECT_EQ(members("X"), 0U);
    }
}

TEST(ConditionKinds, SetEmptyAndDistinct) {
    check({{"a is empty", {{"a", ""}}, yes},       {"a is empty", {{"a", Json::array()}}, yes},
           {"a is empty", {{"a", Json::object()}}, yes}, {"a is empty", {{"a", " "}}, no},
           {"a is empty", {{"a", 0}}, no},         {"a is empty", {{"a", nullptr}}, unknown},
           {"a is not empty", Json::object(), unknown}, {"a is not empty", {{"a", "x"}}, yes},
           {"a is distinct from 1", {{"a", 1}}, no}, {"a is distinct from 1", {{"a", "1"}}, no},
           {"a is distinct from 1", {{"a", "x"}}, yes}, {"a is distinct from 1", Json::object(), yes},
           {"a is not distinct from 1", Json::object(), no},
           {"a is distinct from value of b", Json::object(), no},
           {"a is not distinct from value of b", {{"a", nullptr}}, yes},
           {"a is distinct from value of b", {{"a", 1}}, yes},
           {"a is not distinct from value of b", {{"a", 1}, {"b", "1.0"}}, yes}});
}

TEST(ConditionKinds, AttributeWithAttribute) {
    check({{"a = value of b", {{"a", 5}, {"b", "5.0"}}, yes},
           {"a < value of b", {{"a", "9"}, {"b", "10"}}, yes}, // numbers
           {"a < value of b", {{"a", "9x"}, {"b", "10"}}, no}, // texts
           {"a < value of b", {{"a", "2026-01-02"}, {"b", "2026-01-02T00:00:01Z"}}, yes}, // dates
           {"a != value of b", {{"a", "x"}, {"b", "X"}}, yes},
           {"a = value of b", {{"a", "x"}}, unknown},
           {"a.x = value of b.y", {{"a", {{"x", true}}}, {"b", {{"y", "true"}}}}, yes},
           {"a < value of b", {{"a", Json::array()}, {"b", "x"}}, unknown},
           {"a = value of b", {{"a", {1, 2}}, {"b", {1, 2}}}, yes}});
}

TEST(ConditionKinds, Lists) {
    Json const tags{{"tags", {"a", 2, nullptr, true}}, {"one", "a"}, {"none", Json::array()}, {"map", {{"x", 1}, {"y", 2}}}};
    check({{"tags has any of ('a', 'x')", tags, yes},    {"tags has any of ('x')", tags, no},
           {"tags has all of ('a', 2, true)", tags, yes}, {"tags has all of ('a', 3)", tags, no},
           {"tags has none of ('x', 3)", tags, yes},     {"tags has none of ('x', 2)", tags, no},
           {"tags has any of ('2')", tags, yes},         {"one has all of ('a')", tags, yes},
           {"none has none of ('a')", tags, yes},        {"none has any of ('a')", tags, no},
           {"gone has none of ('a')", tags, unknown},    {"tags contains 'a'", tags, yes},
           {"tags does not contain 'b'", tags, yes},     {"items(tags) = 4", tags, yes},
           {"items(one) = 1", tags, yes},                {"items(none) = 0", tags, yes},
           {"items(map) = 2", tags, yes},                {"items(gone) = 0", tags, unknown},
           {"items(gone) is not set", tags, yes}});
}

TEST(ConditionKinds, Domains) {
    check({{"domain(e) = 'x.org'", {{"e", "a@X.Org"}}, yes},  {"domain(e) = 'x.org'", {{"e", "a@b@x.org"}}, yes},
           {"domain(e) is set", {{"e", "nobody"}}, no},       {"domain(e) is set", {{"e", "a@"}}, no},
           {"domain(e) = 'x.org'", {{"e", 5}}, unknown},      {"domain(e) like '%.org'", {{"e", "a@x.org"}}, yes}});
}

TEST(ConditionKinds, DatesOfProperties) {
    Json const when{{"d", "2026-03-29T23:30"}, {"day", "2024-02-29"}, {"x", "soon"}, {"n", 20260329}};
    check({{"d on 2026-03-29", when, yes},                      {"d on 2026-03-29 in time zone 'Asia/Tokyo'", when, yes},
           {"d before 2026-03-30 and d after 2026-03-28", when, yes}, {"d after 2026-03-29", when, no},
           {"d before 2026-03-29T23:31Z", when, yes},           {"d after 2026-03-29T23:30Z", when, no},
           {"weekday(d) = 'sunday' and hour(d) = 23 and minute(d) = 30", when, yes},
           {"month(day) = 2 and day(day) = 29 and year(day) = 2024 and quarter(day) = 1 and week(day) = 9", when, yes},
           {"d is weekend", when, yes},                         {"day is not business day", when, no},
           {"x on 2026-03-29", when, unknown},                  {"n on 2026-03-29", when, unknown},
           {"hour(x) = 1", when, unknown},                      {"gone is weekend", when, unknown}});
}

TEST(ConditionKinds, KOfN) {
    auto group = [](int k) { return "at least " + std::to_string(k) + " of (a = 1, b = 1, c = 1)"; };
    check({{group(1), {{"a", 1}}, yes},           {group(2), {{"a", 1}}, unknown}, {group(2), {{"a", 1}, {"b", 2}}, unknown},
           {group(2), {{"a", 1}, {"b", 2}, {"c", 2}}, no}, {group(3), {{"a", 1}, {"b", 1}, {"c", 1}}, yes},
           {group(3), {{"b", 2}}, no},            {group(1), Json::object(), unknown}});
}

TEST(ConditionKinds, SamplesAreStableAndOfTheirSize) {
    Definitions definitions;
    definitions.segment("ten", "sample 10 percent 'a'");
    definitions.segment("twenty", "sample 20 percent 'a'");
    definitions.segment("other", "sample 10 percent 'b'");
    auto const model = definitions.compile();
    int ten = 0;
    int twenty = 0;
    int both = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string const key = "contact " + std::to_string(i);
        profile::Profile const nobody;
        step::Facts facts(model, nobody);
        EXPECT_EQ(facts.evaluate(model.segments[0].condition, 0).truth, unknown); // whose?
        facts.key = key;
        auto in = [&](std::size_t s) { return facts.evaluate(model.segments[s].condition, 0).truth == yes; };
        ten += in(0) ? 1 : 0;
        twenty += in(1) ? 1 : 0;
        both += in(0) && in(2) ? 1 : 0;
        EXPECT_TRUE(!in(0) || in(1)) << key; // the larger sample holds the smaller
    }
    // Five standard deviations of a binomial around 2000, 4000 and 200.
    EXPECT_NEAR(ten, 2000, 212);
    EXPECT_NEAR(twenty, 4000, 283);
    EXPECT_NEAR(both, 200, 71); // other salts, other people
}

// --- journeys ------------------------------------------------------------------------------------------------------

TEST(ConditionKinds, JourneysMoveSegments) {
    Definitions definitions;
    definitions.segment("inside", "in journey 'w'");
    definitions.segment("second", "in journey 'w' at '2'");
    definitions.segment("ever", "entered journey 'w'");
    definitions.segment("done", "completed journey 'w'");
    definitions.segment("never", "not entered journey 'w'");
    definitions.workflow("w", "on go wait 1 hour wait 1 hour send email 'x'");
    auto const model = definitions.compile();
    Contact contact;
    Event event;
    event.type = "go";
    contact.step(model, {event}, 3 * one_hour);
    std::vector<std::string> segments;
    for (const auto& line : contact.transitions)
        if (line.find(" segment ") != line.npos)
            segments.push_back(line.substr(11));
    EXPECT_EQ(segments, (std::vector<std::string>{"00:00:00Z segment entered \"never\"  (go) ", "00:00:00Z segment entered \"inside\"  (go) ",
                                                  "00:00:00Z segment entered \"ever\"  (go) ", "00:00:00Z segment left \"never\"  (go) ",
                                                  "01:00:00Z segment entered \"second\"  (time) ", "02:00:00Z segment left \"inside\"  (time) ",
                                                  "02:00:00Z segment left \"second\"  (time) ", "02:00:00Z segment entered \"done\"  (time) "}));
}

// --- what is kept --------------------------------------------------------------------------------------------------

TEST(ConditionKinds, AHistoryKeepsItsNewestWrites) {
    Definitions definitions;
    definitions.segment("long", "plan has been 'pro' for at least 30 days");
    auto const model = definitions.compile();
    Contact contact;
    std::vector<Event> events;
    for (int i = 0; i < 300; ++i) { // more than are kept, in one day
        Event event;
        event.type = "$identify";
        event.at = event.received_at = i * one_minute;
        event.properties = {{"plan", "pro"}};
        events.push_back(event);
    }
    contact.step(model, events, 29 * one_day);
    auto const profile = contact.profile();
    ASSERT_EQ(profile.features.size(), 1U);
    EXPECT_EQ(std::get<profile::Entries>(profile.features[0].value).items.size(), profile::history_limit);
    EXPECT_TRUE(contact.raw_transitions.empty());
    contact.step(model, {}, 31 * one_day); // the oldest that is kept is 30 days old
    ASSERT_EQ(contact.raw_transitions.size(), 1U);
    EXPECT_EQ(contact.raw_transitions[0].at, 30 * one_day + 100 * one_minute);
}

TEST(ConditionKinds, ThePastOfASegmentBeginsWhenItIsAskedAbout) {
    Definitions definitions;
    definitions.segment("in", "did a");
    auto const first = definitions.compile();
    definitions.segment("was", "was in segment 'in' on 2000-01-02");
    definitions.segment("was not", "not was in segment 'in' on 2000-01-01");
    definitions.segment("fresh", "entered segment 'in' within 3 days");
    auto const second = definitions.compile();
    Contact contact;
    Event event;
    event.type = "a";
    event.at = event.received_at = one_hour;
    contact.step(first, {event}, one_day);
    event.type = "b";
    event.at = event.received_at = 2 * one_day;
    contact.step(second, {event}, 10 * one_day);
    std::vector<std::string> lines;
    for (const auto& line : contact.transitions)
        lines.push_back(line.substr(0, line.find("  ")));
    EXPECT_EQ(lines, (std::vector<std::string>{"2000-01-01T01:00:00Z segment entered \"in\"", "2000-01-01T01:00:00Z segment entered \"fresh\"",
                                               "2000-01-02T00:00:00Z segment entered \"was\"", "2000-01-04T01:00:00Z segment left \"fresh\""}));
}

// --- what is refused -----------------------------------------------------------------------------------------------

struct Refused {
    std::string condition, message, hint;
    std::string at; // where the caret points: the text from there on; empty: no place
};

TEST(ConditionKinds, WhatCannotBeIsRefused) {
    const std::vector<Refused> cases{
        {"plan ~ 'a('", "invalid regular expression", "RE2", "'a('"},
        {"plan ~ '(a)\\1'", "invalid regular expression", "no backreferences", "'(a)\\1'"},
        {"hour(now) = 25", "there is no hour 25", "from 0 to 23", ""},
        {"month(born) in (3, 13)", "there is no month 13", "from 1 to 12", ""},
        {"weekday(now) = 'mon'", "there is no weekday 'mon'", "'monday'", ""},
        {"items(tags) = 'x'", "a number cannot be compared with 'x'", "", ""},
        {"items(tags) contains 'x'", "a number or time cannot be compared with a text", "", ""},
        {"now = 5", "a time cannot be compared with 5", "", ""},
        {"now within last 3 days", "now is always now", "now after", ""},
        {"score within last 3 days", "a number or text is not a date", "", ""},
        {"anniversary(born) = 2026-01-01", "can only be asked for by date", "is today", ""},
        {"anniversary(born) within next 2 years", "an anniversary comes every year", "", ""},
        {"anniversary(born) more than 3 days ago", "an anniversary comes every year", "", ""},
        {"ends is today in time zone 'Europe/Roma'", "unknown time zone \"Europe/Roma\"", "tz database", "'Europe/Roma'"},
        {"now is business day of 'XX'", "holiday calendar \"XX\" does not exist", "nurture.holiday", "'XX'"},
        {"plan changed from 'a' to 'a' within 1 day", "does not change from a value to the same", "", "changed"},
        {"on list 'vip'", "list \"vip\" does not exist", "Perhaps you meant \"vips\"", "'vip'"},
        {"in segment 'x' for at least 1 day", "segment \"x\" does not exist", "", "'x'"},
        {"was in segment 'x' on 2026-01-01", "segment \"x\" does not exist", "", "'x'"},
        {"in journey 'w'", "workflow \"w\" does not exist", "", "'w'"},
        {"entered segment 's' within 3 days", "refers to itself", "not to themselves", ""},
        {"score >= value of quota", "compared with a number, not with an attribute", "", ""},
    };
    for (const auto& [condition, message, hint, at] : cases) {
        SCOPED_TRACE(condition);
        try {
            (void)of(condition, Json::object());
            ADD_FAILURE() << "was taken";
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
            EXPECT_NE(error.hint.find(hint), std::string::npos) << error.hint;
            if (!at.empty()) {
                ASSERT_GE(error.offset, 0);
                EXPECT_EQ(condition.substr(static_cast<std::size_t>(error.offset), at.size()), at);
                EXPECT_NE(error.detail.find('^'), std::string::npos) << error.detail;
            }
        }
    }
}

TEST(ConditionKinds, WhatDoesNotParseIsPointedAt) {
    const std::vector<Refused> cases{
        {"cuont(a) >= 1", "there is no function \"cuont\"", "Perhaps you meant \"count\"", "cuont"},
        {"foobar(a) >= 1", "there is no function \"foobar\"", "There are count, sum", "foobar"},
        {"plan containz 'x'", "found \"containz\"", "Perhaps you meant \"contains\"", "containz"},
        {"tags has some of ('x')", "found \"some\", expected \"been\", \"any\", \"all\" or \"none\"", "", "some"},
        {"plan changed", "expected \"from\", \"to\" or \"within\"", "within 30 days", ""},
        {"plan has been 'x'", "expected \"for\"", "for at least 30 days", ""},
        {"plan has been 'x' for 3 days", "expected \"at\" or \"less\"", "", "3 days"},
        {"age = 5 ignoring case", "only a comparison of texts can ignore case or accents", "", "ignoring"},
        {"plan ~ 'x' ignoring case", "only a comparison of texts", "(?i)", "ignoring"},
        {"plan = 'x' ignoring case ignoring case", "\"case\" is ignored already", "", "case"},
        {"plan = 'x' ignoring spaces", "expected \"case\" or \"accents\"", "", "spaces"},
        {"ends on 2026-01-01T10:00", "\"on\" asks for a day", "Write \"=\"", "2026-01-01T10:00"},
        {"ends exactly 3 hours ago", "\"exactly\" asks for a day", "", "3 hours"},
        {"ends more than 3 days", "expected \"ago\" or \"ahead\"", "", ""},
        {"sample 101 percent 'x'", "at most 100 percent", "", "101"},
        {"sample 10 'x'", "expected \"percent\"", "", "'x'"},
        {"at least 3 of (a, b)", "there are 2 conditions", "", "3"},
        {"at least 1 of (a)", "needs two conditions or more", "commas", "1"},
        {"was in segment 's' on 2026-01-01T10:00", "\"on\" asks for a day", "", "2026-01-01T10:00"},
        {"was in segment 's' at 2026-01-01", "\"at\" asks for a moment", "", "2026-01-01"},
        {"did e where ends is today", "cannot be asked inside \"where\"", "Put brackets", "today"},
        {"did e where plan changed within 1 day", "cannot be asked inside \"where\"", "", "changed"},
        {"did e where on list 'l'", "cannot be asked inside \"where\"", "", "on"},
        {"count(e where hour(now) = 1) = 1", "cannot be asked inside \"where\"", "", "now"},
        {"first(e) changed within 1 day", "only an attribute has a history", "", "changed"},
        {"ends is today in time zone Europe", "expected the name of a time zone in single quotes", "'Europe'", "Europe"},
        {"did e where (d on 2026-01-01 in contact time zone)", "cannot be asked inside \"where\"", "", "contact"},
        {"plan = gold", "expected a value", "single quotes: 'gold'", "gold"},
    };
    for (const auto& [condition, message, hint, at] : cases) {
        SCOPED_TRACE(condition);
        try {
            ADD_FAILURE() << "parsed as " << print(language::parse_condition(condition));
        } catch (const Error& error) {
            EXPECT_EQ(error.kind, ErrorKind::syntax);
            EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
            EXPECT_NE(error.hint.find(hint), std::string::npos) << error.hint;
            ASSERT_GE(error.offset, 0);
            EXPECT_EQ(condition.substr(static_cast<std::size_t>(error.offset)).substr(0, at.size()), at);
        }
    }
}

TEST(ConditionKinds, TheSeedsOfTheFuzzerParse) {
    std::size_t read = 0;
    auto const corpus = std::filesystem::path(NURTURE_SOURCE "/test/fuzz/corpus");
    for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
        std::ifstream file(entry.path());
        std::stringstream text;
        text << file.rdbuf();
        std::string const name = entry.path().filename().string();
        SCOPED_TRACE(name);
        ++read;
        auto same = [&](auto parse) {
            auto const tree = parse(text.str(), language::Limits{});
            EXPECT_EQ(parse(language::print(tree), language::Limits{}), tree);
        };
        if (name.starts_with("rule"))
            same(language::parse_rule);
        else if (name.starts_with("workflow"))
            same(language::parse_workflow);
        else
            same(language::parse_condition);
    }
    EXPECT_GE(read, 17U);
}

TEST(Civil, DaysAndPeriods) {
    EXPECT_EQ(day_number(2000, 1, 1), 0);
    EXPECT_EQ(day_number(2023, 2, 29), day_number(2023, 2, 28)); // clipped
    EXPECT_EQ(weekday_of(day_number(2026, 3, 2)), 0);
    EXPECT_EQ(weekday_of(-1), 4);
    EXPECT_EQ(iso_week_of(day_number(2027, 1, 3)), 53);
    EXPECT_EQ(iso_week_of(day_number(2024, 12, 30)), 1);
    std::int64_t const day = day_number(2026, 3, 4); // a Wednesday
    EXPECT_EQ(period_begin(day, DayUnit::week, 0, 0), day_number(2026, 3, 2));
    EXPECT_EQ(period_begin(day, DayUnit::week, 6, 1), day_number(2026, 3, 8));
    EXPECT_EQ(period_begin(day, DayUnit::quarter, 0, -1), day_number(2025, 10, 1));
    EXPECT_EQ(period_begin(day, DayUnit::year, 0, 1), day_number(2027, 1, 1));
    EXPECT_EQ(move_day(day_number(2026, 3, 31), -1, 0), day_number(2026, 2, 28));
    EXPECT_EQ(move_day(day_number(2026, 1, 31), 13, 2), day_number(2027, 3, 2));
}

} // namespace
} // namespace nurture::world
