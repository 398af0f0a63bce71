// What people get wrong, and what they are told.
#include "core/base/error.hpp"
#include "core/language/form.hpp"

#include <gtest/gtest.h>

namespace nurture::language {
namespace {

struct Case {
    std::string_view text;
    std::size_t line, column;
    std::string_view message; // a part of what follows the place
    std::string_view hint;    // a part; empty: there is none
};

void check(Form form, std::initializer_list<Case> cases) {
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        try {
            ADD_FAILURE() << "parsed as " << canonical(form, c.text);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind, ErrorKind::syntax);
            std::string const place = "syntax error at line " + std::to_string(c.line) + ", column " +
                                      std::to_string(c.column) + ": ";
            std::string const message = error.what();
            EXPECT_EQ(message.substr(0, place.size()), place);
            EXPECT_NE(message.find(c.message, place.size()), message.npos) << message;
            ASSERT_GE(error.offset, 0);
            EXPECT_EQ(position_of(c.text, static_cast<std::size_t>(error.offset)),
                      (Position{c.line, c.column}));
            EXPECT_EQ(error.detail, point_at(c.text, static_cast<std::size_t>(error.offset)));
            if (c.hint.empty())
                EXPECT_EQ(error.hint, "");
            else
                EXPECT_NE(error.hint.find(c.hint), error.hint.npos) << error.hint;
        }
    }
}

TEST(LanguageBad, Rules) {
    check(Form::rule,
          {{"", 1, 1, "found end of text, expected the points (+5, -40)", ""},
           {"on x", 1, 1, "found \"on\", expected the points (+5, -40)", ""},
           {"+ on x", 1, 3, "found \"on\", expected \"by\" or a number", ""},
           {"+5 page_view", 1, 4, "found \"page_view\", expected \"per\", \"on\", \"while\" or \"for\"", ""},
           {"+5 for page_view", 1, 8, "found \"page_view\", expected \"every\"", ""},
           {"+5 to page_view", 1, 4, "found \"to\", expected \"per\", \"on\", \"while\" or \"for\"", ""},
           {"+5 on", 1, 6, "found end of text, expected an event type", ""},
           {"+5 on 'x'", 1, 7, "found the text 'x', expected an event type", "single quotes are for texts"},
           {"+5 on end", 1, 7, "found \"end\", expected an event type", "\"end\" is a keyword"},
           {"+5 on x half life 1 day", 1, 9,
            "found \"half\", expected \"where\", \"topic\", \"half-life\", \"starting\", \"at\", \"fading\", \"losing\", "
            "\"expires\", \"once\", \"first\", \"floor\", \"ceiling\" or end of text",
            ""},
           {"+5 on x topik a", 1, 9, "found \"topik\"", "Perhaps you meant \"topic\"."},
           {"+5 on x topic a topic b", 1, 17, "\"topic\" is given twice", ""},
           {"+5 on x where a where b", 1, 17, "\"where\" is given twice", ""},
           {"+5 on x half-life 1 month", 1, 19, "a half-life must be exact", "use days"},
           {"+5 on x half-life 0 days", 1, 19, "longer than nothing", ""},
           {"+5 on x half-life -1 days", 1, 19, "found \"-\", expected a duration", "without a sign"},
           {"+5 on x at most 3", 1, 18, "found end of text, expected \"in\" or \"per\"", ""},
           {"+5 on x at most 0 per day", 1, 17, "may never count", "at least 1"},
           {"+5 on x at most 1000000000 per day", 1, 17, "a cap goes up to 1000", "is remembered"},
           {"+5 on x at most 1.5 per day", 1, 17, "expected a whole number", "Only whole numbers"},
           {"+5 on x at most 3 per minute", 1, 23, "expected \"hour\", \"day\", \"week\" or \"month\"", ""},
           {"+5 on x where did y", 1, 15, "found \"did\" inside \"where\"", "Only properties of the event"},
           {"+5 on x where score > 1", 1, 15, "found \"score\" inside \"where\"", "in double quotes"},
           {"+0.0000001 on x", 1, 2, "at most six digits", ""},
           {"+99999999999999 on x", 1, 2, "too large", "9223372036854.775807"},
           {"+5 on x;", 1, 8, "found \";\"", "no semicolon"}});
}

TEST(LanguageBad, Conditions) {
    check(
        Form::condition,
        {{"", 1, 1,
          "found end of text, expected an attribute, \"did\", \"count\", \"sum\", \"avg\", \"min\", \"max\", \"distinct\", "
          "\"first\", \"last\", \"days\", \"sessions\", \"score\", \"band\", "
          "\"in segment\", \"not\", \"true\", \"false\" or \"(\"",
          ""},
         {"score", 1, 6,
          "found end of text, expected \"(\", a comparison (=, !=, <, <=, >, >=), \"not\", \"between\", "
          "\"like\", \"in\" or "
          "\"is\"",
          ""},
         {"score >= 10 anf b", 1, 13, "found \"anf\", expected \"and\", \"or\" or end of text",
          "Perhaps you meant \"and\"."},
         {"score >=\n  'x' ordid y", 2, 7, "found \"ordid\"", ""},
         {"a == 1", 1, 3, "found \"==\"", "Equality is written \"=\"."},
         {"a && b", 1, 3, "found \"&&\"", "Write \"and\"."},
         {"a || b", 1, 3, "found \"||\"", "Write \"or\"."},
         {"!a", 1, 1, "found \"!\"", "Write \"not\"."},
         {"a => 1", 1, 3, "found \"=>\"", "written \">=\""},
         {"5 < score", 1, 1, "found \"5\", expected an attribute", "write \"score >= 5\""},
         {"true = a", 1, 1, "found \"true\"", "stands on the right"},
         {"plan = premium", 1, 8, "found \"premium\", expected a value", "single quotes: 'premium'."},
         {"plan = \"premium\"", 1, 8, "found the name \"premium\", expected a value",
          "Texts are written in single quotes"},
         {"'plan' = 'x'", 1, 1, "found the text 'plan'", "single quotes are for texts"},
         {"'x' = plan", 1, 1, "found the text 'x'", "stands on the right"},
         {"-5 <= score", 1, 1, "found \"-\"", "stands on the right"},
         {"+5 on x", 1, 1, "found \"+\"", "looks like a rule"},
         {"plan = 'premium", 1, 8, "the string is never closed", "written twice"},
         {"\"plan = 1", 1, 1, "the quoted name is never closed", "double quote"},
         {"\"\" = 1", 1, 1, "the quoted name is empty", "single quotes"},
         {"a /* b", 1, 3, "the comment is never closed", "*/"},
         {"(a and (b or c)", 1, 16, "found end of text",
          "The bracket opened at line 1, column 1 is not closed."},
         {"count(x where a = 1 >= 3", 1, 21, "found \">=\"",
          "The bracket opened at line 1, column 6 is not closed."},
         {"a)", 1, 2, "found \")\"", ""},
         {"a in ('x' 'y')", 1, 11, "found the text 'y', expected \",\" or \")\"", "is not closed"},
         {"a in 'x'", 1, 6, "found the text 'x', expected \"(\"", ""},
         {"a in ()", 1, 7, "found \")\", expected a value", ""},
         {"a in segment 's'", 1, 6, "found \"segment\", expected \"(\"", "condition by itself"},
         {"in segment hot", 1, 12, "found \"hot\", expected the name of a segment in single quotes",
          "Write it in single quotes: 'hot'."},
         {"a like b", 1, 8, "expected a pattern in single quotes", "'b'"},
         {"a not = 1", 1, 7, "found \"=\", expected \"between\", \"like\" or \"in\"", ""},
         {"a between 1 or 2", 1, 13, "found \"or\", expected \"and\"", ""},
         {"a is null", 1, 6, "found \"null\", expected \"not\" or \"set\"", "is not set"},
         {"did purchase within 7", 1, 22, "found end of text, expected a unit of time", "7 days"},
         {"did purchase within 7 d", 1, 23, "found \"d\", expected a unit of time", "written out"},
         {"did purchase within days", 1, 21, "found \"days\", expected a duration", ""},
         {"did purchase within 1.5 hours", 1, 21, "found \"1.5\"", "smaller unit"},
         {"did purchase within 99999 years", 1, 21, "longer than 10000 years", ""},
         {"did purchase where a = 1 and did b", 1, 30, "found \"did\" inside \"where\"", "Put brackets"},
         {"did purchase where a = 1 and in segment 's'", 1, 30, "found \"in\" inside \"where\"",
          "Put brackets"},
         {"did x within 7 days where a", 1, 21, "found \"where\"", ""},
         {"count(x within 7 days where a) > 1", 1, 23, "found \"where\"", "Put \"where\" before \"within\"."},
         {"count(x where count(y) > 1) > 1", 1, 15, "found \"count\" inside \"where\"", "Only properties"},
         {"sum(purchase) > 1", 1, 13, "found \")\", expected \"of\"", "sum(amount of purchase)"},
         {"count(x)", 1, 9, "found end of text, expected a comparison", ""},
         {"score(1) > 2", 1, 7, "found \"1\", expected a topic", ""},
         {"a = 2026-02-30", 1, 5, "there is no date 2026-02-30", "year-month-day"},
         {"a = 2026-01-31T24:00", 1, 5, "no time of day 24:00", ""},
         {"a = 2026-01-31T10", 1, 5, "the time is not complete", "2026-01-31T09:30"},
         {"a = 2026-01-31T10:00+16:00", 1, 5, "no offset from UTC +16:00", "15:59"},
         {"a = 2026-01-31 10:00", 1, 16, "found \"10\"", ""},
         {"a = 1.1234567", 1, 5, "at most six digits", ""},
         {"a = \xE2\x80\x98x\xE2\x80\x99", 1, 5, "the character \"\xE2\x80\x98\" cannot be used here",
          "straight quotes"},
         {"a \xE2\x89\xA5 1", 1, 3, "cannot be used", "Write \">=\"."},
         {"größe = 'ä' xor b", 1, 13, "found \"xor\"", "\"or\""},
         {"a = '\xC3'", 1, 6, "a byte that is not UTF-8", ""},
         {"a.", 1, 3, "found end of text, expected a name", ""},
         {"and a", 1, 1, "found \"and\"", "\"and\" is a keyword"}});
}

TEST(LanguageBad, Workflows) {
    check(
        Form::workflow,
        {{"", 1, 1, "expected \"on\", \"re-enter\", \"exit\", \"wait\", \"send\", \"do\", \"set\", \"if\", \"switch\"",
          "at least one step"},
         {"on x", 1, 5, "found end of text, expected \"where\", \"on\", \"re-enter\"", "at least one step"},
         {"on x wiat 1 day", 1, 6, "found \"wiat\"", "Perhaps you meant \"wait\"."},
         {"on 'x' exit", 1, 4, "found the text 'x', expected", "single quotes are for texts"},
         {"on entering segment s exit", 1, 21, "expected the name of a segment in single quotes", "'s'"},
         {"re-enter sometimes exit", 1, 10, "expected \"never\", \"always\", \"once\", \"per\" or \"after\"", ""},
         {"re-enter never re-enter always exit", 1, 16, "\"re-enter\" is given twice", ""},
         {"wait 1 hour\non x", 2, 1, "found \"on\"", "come before the first step"},
         {"wait 1 hour\nexit on x", 2, 6, "found \"on\"", "come before the first step"},
         {"wait hour", 1, 6, "found \"hour\", expected \"for\", \"until\" or a duration", ""},
         {"wait for x then exit end", 1, 12, "found \"then\", expected \"where\" or \"up to\"", "Say how long to wait at most"},
         {"wait for x up to 1 day ranked then exit end", 1, 24, "there is nothing to rank", "then … or B then"},
         {"wait for x where y", 1, 19, "\"up to\"", "Say how long"},
         {"wait for x up 1 day", 1, 15, "found \"1\", expected \"to\"", ""},
         {"wait for x up to 1 day then end", 1, 29, "found \"end\", expected \"wait\"", "at least one step"},
         {"if a then exit", 1, 15, "\"elsif\", \"else\" or \"end\"",
          "The \"if\" at line 1, column 1 has no \"end\"."},
         {"if a\nthen wait for b up to 1 day then exit\nend", 3, 4, "found end of text",
          "The \"if\" at line 1, column 1 has no \"end\"."},
         {"if a exit end", 1, 6, "found \"exit\", expected", ""},
         {"if score >= 10\n\tthn exit end", 2, 2, "found \"thn\", expected \"and\", \"or\" or \"then\"",
          "Perhaps you meant \"then\"."},
         {"if a then end", 1, 11, "found \"end\"", "\"then\" is followed by at least one step."},
         {"if a then exit elseif b then exit end", 1, 16, "found \"elseif\"", "Perhaps you meant \"elsif\"."},
         {"exit wait 1 day", 1, 6, "never reached", ""},
         {"send 'x'", 1, 6, "found the text 'x', expected a channel", ""},
         {"send email welcome", 1, 12, "expected the name of a template in single quotes", "'welcome'"},
         {"send email 'x' for a for b", 1, 22, "\"for\" is given twice", ""},
         {"send email 'x' as marketing", 1, 19, "expected \"transactional\"", ""},
         {"send email 'x' with (a = 1, a = 2)", 1, 29, "\"a\" is given twice", ""},
         {"send email 'x' with (a)", 1, 23, "found \")\", expected \"=\"", ""},
         {"send email 'x' with ()", 1, 22, "found \")\", expected a name", ""},
         {"do webhook", 1, 4, "expected a kind of action in single quotes", "'webhook'"},
         {"set a.b = 1", 1, 6, "found \".\", expected \"=\"", ""},
         {"set a = ", 1, 9, "expected an attribute or a value", ""}});
}

TEST(LanguageBad, TheCaretStandsUnderThePlace) {
    EXPECT_EQ(point_at("if a thn b", 5), "At line 1, column 6:\n    if a thn b\n         ^");
    // Tabs are one blank each, a character of several bytes is one column.
    EXPECT_EQ(point_at("x\n\täöü thn", 10), "At line 2, column 6:\n     äöü thn\n         ^");
    EXPECT_EQ(point_at("", 0), "At line 1, column 1:\n\n    ^");
    EXPECT_EQ(point_at("ab", 99), "At line 1, column 3:\n    ab\n      ^");
    // A long line is cut around the place; the caret keeps its character.
    std::string const line = std::string(100, 'a') + "X" + std::string(100, 'b');
    EXPECT_EQ(point_at(line, 100), "At line 1, column 101:\n    ..." + std::string(48, 'a') + "X" +
                                       std::string(31, 'b') + "...\n" + std::string(4 + 3 + 48, ' ') + "^");
}

template <class Parse>
ErrorKind kind_of(Parse parse) {
    try {
        parse();
    } catch (const Error& error) {
        return error.kind;
    }
    return ErrorKind::invalid_parameter;
}

std::string repeated(std::string_view piece, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i)
        out += piece;
    return out;
}

TEST(LanguageLimits, Depth) {
    auto const nested = [](std::size_t n) { return repeated("(", n) + "a" + repeated(")", n); };
    EXPECT_EQ(print(parse_condition(nested(500))), "a");
    EXPECT_EQ(kind_of([&] { parse_condition(nested(501)); }), ErrorKind::limit_exceeded);
    EXPECT_EQ(kind_of([&] { parse_condition(std::string(1 << 20, '(')); }), ErrorKind::limit_exceeded);
    EXPECT_EQ(kind_of([&] { parse_condition(repeated("not ", 200'000)); }), ErrorKind::limit_exceeded);
    EXPECT_EQ(kind_of([&] { parse_workflow(repeated("if a then ", 100'000)); }), ErrorKind::limit_exceeded);
    EXPECT_EQ(kind_of([&] { parse_workflow(repeated("wait for a up to 1 day then ", 37'000)); }),
              ErrorKind::limit_exceeded);

    // 500 levels of alternating `and`, `or` and `not` survive parser, printer, comparison and destructor.
    std::string deep = "a";
    for (int i = 0; i < 500; ++i)
        deep = i % 2 == 0 ? "not " + deep : "(" + deep + (i % 4 == 1 ? " and b)" : " or b)");
    Condition const condition = parse_condition(deep);
    EXPECT_EQ(parse_condition(print(condition)), condition);
    std::string const blocks = repeated("if a then ", 500) + "exit" + repeated(" end", 500);
    Workflow const workflow = parse_workflow(blocks);
    EXPECT_EQ(parse_workflow(print(workflow)), workflow);
}

// What is accepted must be readable again in its canonical form under the same limits.
TEST(LanguageLimits, TheCanonicalTextIsNeverDeeper) {
    for (std::string_view const text :
         {"b and did x where (a or c) and d", "not did x where a or b", "c or not did x where a",
          "(did x where a) and b", "c and (did x where a within 1 day or b)",
          "b or (not did x where not (a or b))"})
        for (std::size_t depth = 0; depth < 8; ++depth) {
            Limits limits;
            limits.depth = depth;
            try {
                std::string const printed = print(parse_condition(text, limits));
                EXPECT_NO_THROW(parse_condition(printed, limits)) << text << " at " << depth;
            } catch (const Error& error) {
                EXPECT_EQ(error.kind, ErrorKind::limit_exceeded);
            }
        }
}

TEST(LanguageLimits, BytesAndTerms) {
    EXPECT_EQ(kind_of([] { parse_condition(std::string((1 << 20) + 1, ' ')); }), ErrorKind::limit_exceeded);
    EXPECT_NO_THROW(parse_condition("a" + repeated(" and a", 9'999)));
    EXPECT_EQ(kind_of([] { parse_condition("a" + repeated(" and a", 10'000)); }), ErrorKind::limit_exceeded);
    EXPECT_EQ(kind_of([] { parse_workflow(repeated("wait 1 day ", 10'001)); }), ErrorKind::limit_exceeded);
    Limits limits;
    limits.terms = 2;
    EXPECT_NO_THROW(parse_condition("a or b", limits));
    EXPECT_EQ(kind_of([&] { parse_condition("a or b or c", limits); }), ErrorKind::limit_exceeded);
}

} // namespace
} // namespace nurture::language
