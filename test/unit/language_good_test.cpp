// What can be said, and its canonical text.
#include "core/base/error.hpp"
#include "core/language/form.hpp"
#include "core/language/references.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <numeric>

namespace nurture::language {
namespace {

struct Case {
    std::string_view text, canonical; // an empty canonical: the text itself
};

void check(Form form, std::initializer_list<Case> cases) {
    for (const Case& c : cases) {
        std::string_view const expected = c.canonical.empty() ? c.text : c.canonical;
        try {
            EXPECT_EQ(canonical(form, c.text), expected);
            EXPECT_EQ(canonical(form, expected), expected);
        } catch (const Error& error) {
            ADD_FAILURE() << c.text << ": " << error.what();
        }
    }
}

TEST(LanguageGood, Rules) {
    check(Form::rule,
          {{"+2 on email_open topic newsletter half-life 14 days", ""},
           {"5 on page_view", "+5 on page_view"},
           {"-40 on complaint", ""},
           {"- 40 ON complaint", "-40 on complaint"},
           {"0 on x", "+0 on x"},
           {"+0.10 per amount on purchase", "+0.1 per amount on purchase"},
           {"+0.000001 per cart.total on \"Product Added\"", ""},
           {"+1 on $sent where channel = 'email'", ""},
           {"+5 on page_view AT MOST 3 PER DAY HALF-LIFE 2 weeks TOPIC pricing WHERE path LIKE '/p%'",
            "+5 on page_view where path like '/p%' topic pricing half-life 14 days at most 3 per day"},
           {"+5 on x at most 1 per hour", ""},
           {"+5 on x at most 1 per week", ""},
           {"+5 on x at most 1 per month", ""},
           {"+5 on x at most 10 in total", ""},
           {"+5 on x half-life 90 minutes", ""},
           {"+1 on x topic topic", ""},
           {"+1 per per on \"on\" topic at at most 2 per day", ""}});
}

TEST(LanguageGood, Conditions) {
    check(Form::condition,
          {{"score >= 50 and score(pricing) >= 20 and not did purchase", ""},
           {"count(page_view where path like '/pricing%' within 7 days) >= 3", ""},
           {"did login and not did login within 30 days", ""},
           {"a <> 1", "a != 1"},
           {"a=1 AND b<2 Or c>3", "a = 1 and b < 2 or c > 3"},
           {"a and (b and (c and d))", "a and b and c and d"},
           {"(a or b) or (c or d)", "a or b or c or d"},
           {"(a or b) and c", ""},
           {"not (a and b)", ""},
           {"not ((a))", "not a"},
           {"not not a", ""},
           {"not a = 1", ""},
           {"a not between 1 and 2 and b between 'x' and 'y'", ""},
           {"a not in ('x', 2, 2026-01-31, true)", ""},
           {"a not like '%it''s%'", ""},
           {"a is not set or b is set", ""},
           {"TRUE or False", "true or false"},
           {"in segment 'hot lead' and not in segment 'it''s'", ""},
           {"utm.source = 'google'", ""},
           {"\"utm.source\" = 'google'", ""},
           {"\"plan\" = 'x'", "plan = 'x'"},
           {"\"say \"\"hi\"\"\" = 'x'", ""},
           {"plan = -0.50", "plan = -0.5"},
           {"plan = +7", "plan = 7"},
           {"sum(amount of purchase within 1 year) > 1000", ""},
           {"first(purchase) > 2026-01-31 and last(plan of signup where a within 2 hours) = 'x'", ""},
           {"last(utm.source of visit) = 'x'", ""},
           {"dwell(page_view where path = '/p' within 7 days) >= 1 minute", "dwell(page_view where path = '/p' within 7 days) >= 60"},
           {"longest dwell(any event) >= 1 and last dwell(x since 2026-01-01, gap 60 minutes) is set",
            "longest dwell(any event) >= 1 and last dwell(x since 2026-01-01, gap 1 hour) is set"},
           {"sessions(any event within 7 days, gap 1 day) = 2 and entry(utm.source of visit where a, gap 90 minutes) = 'ad'",
            "sessions(any event within 7 days, gap 24 hours) = 2 and entry(utm.source of visit where a, gap 90 minutes) = 'ad'"},
           {"in session(any event) and not IN SESSION", "in session and not in session"},
           {"in session(page_view where path = '/p', gap 1 second)", ""},
           {"new visitor or Returning Visitor", "sessions(any event) = 1 or sessions(any event) > 1"},
           {"new = 1 and returning and visitor and gap > 1 and dwell < 5", ""},
           {"at least 2 of (a then b within one session, gap 10 minutes, gap = 1)",
            "at least 2 of (did (a then b within one session, gap 10 minutes), gap = 1)"},
           {"last(a.of of visit) = 1", "last(a.\"of\" of visit) = 1"},
           // Keywords that are free to be names where nothing is ambiguous.
           {"count > 1 and sum > 1 and first > 1 and last > 1 and day = 1 and month = 2 and topic = 'x'", ""},
           {"a.score.end = 1", "a.\"score\".\"end\" = 1"},
           {"\"score\" > 1 and \"true\"", ""},
           {"score(\"score\") > 1", ""},
           {"did \"did\"", ""},
           {"straße = 'ß' and возраст > 18", ""},
           // `where` is greedy; brackets end it.
           {"did purchase where a = 1 and b = 2 or c", ""},
           {"(did purchase where a = 1) and b", ""},
           {"b and did purchase where a = 1 and c", "b and (did purchase where a = 1 and c)"},
           {"did purchase where a = 1 within 7 days and b", ""},
           {"not did purchase where a and b", ""},
           {"not (did purchase where a) and b", ""},
           {"a -- the plan\n and /* nested /* comment */ */ b", "a and b"},
           {"\xC2\xA0 a", "a"}});
}

TEST(LanguageGood, DurationsAndMoments) {
    check(
        Form::condition,
        {{"did x within 120 minutes", "did x within 2 hours"},
         {"did x within 90 MINUTES", "did x within 90 minutes"},
         {"did x within 7200 seconds", "did x within 2 hours"},
         {"did x within 1 week", "did x within 7 days"},
         {"did x within 24 hours", ""},
         {"did x within 18 months", ""},
         {"did x within 24 months", "did x within 2 years"},
         {"did x within 1 year 1 month 2 days 1 hour 30 minutes", "did x within 13 months 2 days 90 minutes"},
         {"did x within 0 days 1 hour", "did x within 1 hour"},
         {"did x within 1500 milliseconds 1 microsecond", "did x within 1500001 microseconds"},
         {"did x within 7days", "did x within 7 days"},
         {"at = 2026-01-31", ""},
         {"at = 2026-01-31T10:00", ""},
         {"at = 2026-01-31t10:00:00", "at = 2026-01-31T10:00"},
         {"at = 2026-01-31T10:00:00.50Z", "at = 2026-01-31T10:00:00.5Z"},
         {"at = 2026-01-31T00:00+02:00", ""},
         {"at = 2026-01-31T00:00-09:30", ""},
         {"at = 2026-01-31T00:00+00:00", "at = 2026-01-31T00:00Z"},
         {"at = 0001-01-01T23:59:59.999999 or at = 9999-12-31", ""}});
}

TEST(LanguageGood, MomentsAreMicrosecondsSince2000) {
    using namespace std::chrono;
    auto const condition = parse_condition("a = 2026-02-28T13:14:15.000016+05:45");
    auto const moment = std::get<Moment>(std::get<Comparison>(condition.node).right);
    auto const oracle = sys_days(year(2026) / 2 / 28) - sys_days(year(2000) / 1 / 1) + hours(13) +
                        minutes(14) + seconds(15) + microseconds(16);
    EXPECT_EQ(moment.local, microseconds(oracle).count());
    EXPECT_EQ(*moment.utc_offset, 345 * one_minute);
    EXPECT_FALSE(moment.date_only);
}

TEST(LanguageGood, Workflows) {
    check(Form::workflow,
          {{"wait 1 hour", ""},
           {"exit", ""},
           {"on a on b where c=1 on entering segment 's' on leaving segment 't' re-enter AFTER 2 weeks exit "
            "on d exit when e "
            "exit when f = 1 exit",
            "on a\non b where c = 1\non entering segment 's'\non leaving segment 't'\nre-enter after 14 "
            "days\nexit on d\n"
            "exit when e\nexit when f = 1\nexit"},
           {"exit on d re-enter never on a exit", "on a\nexit on d\nexit"},
           {"re-enter always wait 1 day", "re-enter always\nwait 1 day"},
           {"on entering wait 1 day", "on entering\nwait 1 day"},
           {"send email 'x' with (a = plan, b = 'y', c = -1, d = true, \"e.f\" = 1)", ""},
           {"send email 'x' with (a = plan.name) as transactional for news",
            "send email 'x' for news as transactional with (a = plan.name)"},
           {"do 'webhook' with (url = 'https://x', n = 1, ok = true, at = 2026-01-31)", ""},
           {"do 'task'", ""},
           {"set plan = 'x' set \"end\" = other.plan set c = false",
            "set plan = 'x'\nset \"end\" = other.plan\nset c = false"},
           {"if a then exit elsif not b then wait 1 day else send email 'x' end",
            "if a then\n  exit\nelsif not b then\n  wait 1 day\nelse\n  send email 'x'\nend"},
           {"if a then if b then exit end end", "if a then\n  if b then\n    exit\n  end\nend"},
           {"wait for x up to 1 day", ""},
           {"wait for x where y = 1 or z up to 1 day", ""},
           {"wait for (x) up to 1 day", ""},
           {"wait for x.y up to 1 day", ""},
           {"wait for x = 1 and y up to 1 day", ""},
           {"wait for did x where y up to 1 day", ""},
           {"wait for \"score\" up to 1 day", ""},
           {"wait for score > 1 up to 1 day", ""},
           {"wait for x up to 1 day then exit else wait 1 day end",
            "wait for x up to 1 day then\n  exit\nelse\n  wait 1 day\nend"},
           {"wait for x up to 1 day then else exit end", "wait for x up to 1 day then\nelse\n  exit\nend"},
           // `else` belongs to the `if`, since this `wait for` has no `then`.
           {"if a then wait for x up to 1 day else exit end",
            "if a then\n  wait for x up to 1 day\nelse\n  exit\nend"}});
}

TEST(LanguageGood, AFormIsKnownByItsBeginning) {
    EXPECT_EQ(form_of("+5 on x"), Form::rule);
    EXPECT_EQ(form_of("5 on x"), Form::rule);
    EXPECT_EQ(form_of("5 < score"), Form::condition);
    EXPECT_EQ(form_of("-- why\n On x wait 1 day"), Form::workflow);
    EXPECT_EQ(form_of("set x = 1"), Form::workflow);
    EXPECT_EQ(form_of("re-enter never"), Form::workflow);
    EXPECT_EQ(form_of("not did x"), Form::condition);
    EXPECT_EQ(form_of("\"on\" = 1"), Form::condition);
    EXPECT_EQ(form_of(""), Form::condition);
}

TEST(LanguageGood, TheCanonicalTextHasToFitToo) {
    Limits limits;
    limits.bytes = 8;
    EXPECT_EQ(canonical(Form::condition, "did x", limits), "did x");
    try {
        (void)canonical(Form::rule, "5 on x  ", Limits{.bytes = 8});
        (void)canonical(Form::workflow, "exit", Limits{.bytes = 4});
        (void)canonical(Form::rule, "5 on ab", Limits{.bytes = 7}); // "+5 on ab": one more
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::limit_exceeded);
        EXPECT_EQ(error.detail, "Its canonical text has 8 bytes; at most 7 are allowed.");
    }
}

// Every example of the reference, a block without a language's name, is a definition; conditions stand one to
// a line.
TEST(LanguageGood, TheExamplesOfTheReferenceParse) {
    std::ifstream file(NURTURE_SOURCE "/docs/language.md");
    ASSERT_TRUE(file.is_open());
    std::vector<std::string> lines;
    bool inside = false, example = false;
    int parsed = 0;
    auto const parse = [&](const std::string& text) {
        EXPECT_NO_THROW((void)canonical(form_of(text), text)) << text;
        ++parsed;
    };
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("```")) {
            if (inside)
                lines.push_back(line);
            continue;
        }
        if (example && form_of(lines.front()) == Form::workflow)
            parse(
                std::accumulate(lines.begin(), lines.end(), std::string(),
                                [](std::string all, const std::string& next) { return all + next + "\n"; }));
        else if (example)
            std::for_each(lines.begin(), lines.end(), parse);
        lines.clear();
        inside = !inside;
        example = inside && line == "```";
    }
    EXPECT_EQ(parsed, 17);
}

TEST(LanguageReferences, SegmentsTopicsAndEventTypes) {
    std::string_view const text =
        "on a where b exit when in segment 's' and score(\"t\") > 1 on leaving segment 'u' "
        "if did c or count(d) > 1 or first(e of f) > 1 then wait for a up to 1 day then else "
        "wait for in segment 's' up to 1 day end end";
    Workflow const workflow = parse_workflow(text);
    std::vector<Reference> const found = references(workflow);
    auto const at = [&](std::string_view what, std::size_t from = 0) {
        return static_cast<std::uint32_t>(text.find(what, from));
    };
    EXPECT_EQ(found, (std::vector<Reference>{{ReferenceKind::segment, "s", at("'s'")},
                                             {ReferenceKind::topic, "t", at("\"t\"")},
                                             {ReferenceKind::segment, "u", at("'u'")},
                                             {ReferenceKind::segment, "s", at("'s'", at("'u'"))}}));
    EXPECT_EQ(event_types(workflow), (std::vector<std::string>{"a", "c", "d", "f"}));
    EXPECT_EQ(event_types(parse_rule("+1 on x")), std::vector<std::string>{"x"});
    EXPECT_TRUE(references(parse_rule("+1 on x where y")).empty());
    EXPECT_TRUE(references(parse_condition("score > 1 and plan = 's'")).empty());
}

TEST(LanguageSuggest, NearNames) {
    std::vector<std::string> const known{"hot lead", "cold lead", "gone quiet", "vip"};
    EXPECT_EQ(suggest("hot laed", known), "Perhaps you meant \"hot lead\".");
    EXPECT_EQ(suggest("Hot Lead", known), "Perhaps you meant \"hot lead\".");
    EXPECT_EQ(suggest("gonequiet", known), "Perhaps you meant \"gone quiet\".");
    EXPECT_EQ(suggest("vpi", known), "Perhaps you meant \"vip\".");
    EXPECT_EQ(suggest("vxx", known), "");
    EXPECT_EQ(suggest("anything", known), "");
    EXPECT_EQ(suggest("x", {}), "");
    EXPECT_EQ(suggest("größer", std::vector<std::string>{"größere"}), "Perhaps you meant \"größere\".");
}

// A number of seconds may stand before a step whose first word could be a unit's.
TEST(Language, AStepBehindSecondsIsNoUnit) {
    EXPECT_NO_THROW(parse_workflow("on visit exit when longest session(visit) > 60 holdout none wait 1 day"));
    for (const char* step : {"remove from list 'l'", "clear plan", "reset score", "start workflow 'x'", "assign owner from 'sales'"}) {
        std::string const text = "on visit repeat at most 1 until longest session(visit) > 60 " + std::string(step) + " wait 1 day end";
        EXPECT_EQ(parse_workflow(print(parse_workflow(text))), parse_workflow(text)) << text;
    }
}

} // namespace
} // namespace nurture::language
