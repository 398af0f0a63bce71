// Policies as text: the round trip, what canonical text looks like, what people get wrong.
#include "core/base/error.hpp"
#include "core/language/form.hpp"
#include "core/language/rename.hpp"
#include "generators/policy.hpp"

#include <gtest/gtest.h>

namespace nurture::language {
namespace {

TEST(PolicyLanguage, RoundTrip) {
    EXPECT_TRUE(rc::check("policy", [] {
        Policy const policy = *generators::policy();
        std::string const text = print(policy);
        Policy const again = parse_policy(text);
        RC_ASSERT(again == policy);
        RC_ASSERT(print(again) == text);
        RC_ASSERT(form_of(text) == Form::policy);
    }));
}

TEST(PolicyLanguage, Canonical) {
    EXPECT_EQ(canonical(Form::policy, R"(
        for email, SMS purpose newsletter, "workflow" workflow 'spring'
        when stopped keep the best expire after 24 hours priority -3
        budget 10000 per workflow budget 5 for workflow 'x'
        rate 100 per minute rate 500 per hour OVER all channels
        never on holidays of 'IT' never on holidays of contact country only on Monday, friday
        only on business days of contact country
        only on business days between 9:00 and 18:00
        quiet from 21:00 to 08:00
        at most 1 workflows per day AT MOST 3 per rolling 1 week over all channels
        require consent)"),
              "for email, SMS purpose newsletter, \"workflow\" workflow 'spring'\n"
              "require consent\n"
              "at most 1 workflow per day\n"
              "at most 3 per rolling 7 days over all channels\n"
              "quiet from 21:00 to 08:00\n"
              "only on monday, friday\n"
              "only on business days of contact country\n"
              "only on business days between 09:00 and 18:00\n"
              "never on holidays of 'IT'\n"
              "never on holidays of contact country\n"
              "rate 100 per minute\n"
              "rate 500 per hour over all channels\n"
              "budget 10000 per workflow\n"
              "budget 5 for workflow 'x'\n"
              "priority -3\n"
              "expire after 24 hours\n"
              "when stopped keep the best");
    EXPECT_EQ(canonical(Form::policy, "for email when stopped delay"), "for email\nwhen stopped delay");
    EXPECT_EQ(canonical(Form::policy, "quiet from 24:00 to 8:00"), "quiet from 00:00 to 08:00");
}

// By its beginning a text is known as a policy, and what only looks like one is not taken for it.
TEST(PolicyLanguage, IsToldFromOtherForms) {
    for (std::string_view const text :
         {"for email at most 1 per day", "for purpose offers priority 1", "for \"email\" require consent", "require consent",
          "at most 2 per week", "quiet from 21:00 to 08:00", "only on saturday", "only between 09:00 and 18:00",
          "never on holidays", "rate 5 per second", "budget 5", "priority 5", "priority -5", "expire after 1 day",
          "when stopped drop"})
        EXPECT_EQ(form_of(text), Form::policy) << text;
    for (std::string_view const text : {"at least 2 of (a, b)", "rate > 5", "budget = 5", "priority between 1 and 3", "quiet",
                                        "only between 1 and 3", "for = 3", "require contains 'x'", "never is set"})
        EXPECT_EQ(form_of(text), Form::condition) << text;
}

struct Bad {
    std::string_view text;
    std::size_t column;
    std::string_view message, hint;
};

TEST(PolicyLanguage, WhatPeopleGetWrong) {
    for (const Bad& bad : std::initializer_list<Bad>{
             {"", 1, "found end of text", "at least one guard"},
             {"for email", 10, "found end of text", "at least one guard"},
             {"for", 4, "expected", ""},
             {"for email, email require consent", 12, "email is given twice", ""},
             {"at most 0 per day", 9, "a cap is at least 1", "suppressed"},
             {"at most 1 per 7 days", 15, "found \"7\"", "per rolling 7 days"},
             {"at most 1 per rolling 1 month", 23, "must be exact", "Months"},
             {"at most 1 per rolling 400 days", 23, "at most 366 days", ""},
             {"at most 1 per fortnight", 15, "found \"fortnight\"", ""},
             {"quiet from 9 to 17:00", 12, "expected a time of day", "08:00"},
             {"quiet from 09:00 to 09:00", 1, "quiet all day", ""},
             {"quiet from 25:00 to 09:00", 12, "no time of day 25:00", ""},
             {"quiet from 21:60 to 09:00", 12, "no time of day 21:60", ""},
             {"only between 22:00 and 06:00", 14, "ends before it begins", "quiet from"},
             {"only on workdays", 9, "expected \"business\" or a day of the week", ""},
             {"only", 5, "expected \"on\" or \"between\"", ""},
             {"rate 0 per minute", 6, "at least 1", ""},
             {"rate 10 per week", 13, "expected \"second\"", ""},
             {"rate 10 per day over channels", 22, "expected \"all\"", ""},
             {"never on holidays of contact", 29, "expected \"country\"", "of contact country"},
             {"never on holidays of contact region", 30, "expected \"country\"", "of contact country"},
             {"never on holidays of country", 22, "expected \"contact\" or the name of a calendar", ""},
             {"require concent", 9, "expected \"consent\"", "consent"},
             {"require consent require consent", 17, "given twice", ""},
             {"priority 1 priority 2", 12, "given twice", ""},
             {"priority 5000", 10, "at most 1000", ""},
             {"expire after 1 month", 14, "must be exact", "Months"},
             {"quiet from 21:00 to 08:00 quiet from 21:00 to 08:00", 27, "given twice", ""},
             {"when stopped wait", 14, "expected \"drop\", \"keep\" or \"delay\"", ""},
             {"budget 5 for workflow spring", 23, "in single quotes", "'spring'"}}) {
        SCOPED_TRACE(bad.text);
        try {
            ADD_FAILURE() << "parsed as " << canonical(Form::policy, bad.text);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind, ErrorKind::syntax);
            EXPECT_NE(std::string_view(error.what()).find(bad.message), std::string_view::npos) << error.what();
            EXPECT_NE(error.hint.find(bad.hint), std::string::npos) << error.hint;
            EXPECT_EQ(position_of(bad.text, static_cast<std::size_t>(error.offset)), (Position{1, bad.column}));
        }
    }
}

TEST(PolicyLanguage, NamesWorkflowsChannelsAndPurposes) {
    Policy const policy = parse_policy("for email purpose offers workflow 'a', 'b' budget 5 for workflow 'c'");
    EXPECT_EQ(uses(policy), (std::vector<Use>{{"channel", "email"},
                                              {"purpose", "offers"},
                                              {"workflow", "a"},
                                              {"workflow", "b"},
                                              {"workflow", "c"}}));
    EXPECT_EQ(renamed(Form::policy, "for workflow 'a', 'b' budget 5 for workflow 'a'", ReferenceKind::workflow,
                      {{"a", "z"}}),
              "for workflow 'z', 'b'\nbudget 5 for workflow 'z'");
}

} // namespace
} // namespace nurture::language
