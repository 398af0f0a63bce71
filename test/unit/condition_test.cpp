// Conditions: three-valued logic, conversions, every operator, LIKE.
#include "../simulation/world.hpp"

#include "core/step/facts.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace nurture::world {
namespace {

using step::Truth;

/// The truth of a filter over an event's properties.
Truth where(const std::string& filter, const Json& properties) {
    Definitions definitions;
    definitions.segment("s", "did e where " + filter);
    auto const model = definitions.compile();
    profile::Profile const nobody;
    step::Facts const facts(model, nobody);
    return facts.matches(model.patterns.at(0).filter, JsonProperties(properties));
}

/// The truth of a condition over attributes.
Truth of(const std::string& condition, const Json& attributes) {
    Definitions definitions;
    definitions.segment("s", condition);
    auto const model = definitions.compile();
    profile::Profile profile;
    for (auto const& [key, value] : attributes.items())
        write_attribute(profile, key, {1, 1, 1}, value.dump());
    step::Facts const facts(model, profile);
    return facts.evaluate(model.segments.at(0).condition, 0).truth;
}

struct Case {
    std::string condition;
    Json values;
    Truth truth;
};

void check(const std::vector<Case>& cases) {
    for (const auto& [condition, values, truth] : cases) {
        EXPECT_EQ(of(condition, values), truth) << condition << " over attributes " << values;
        EXPECT_EQ(where("(" + condition + ")", values), truth) << condition << " over properties " << values;
    }
}

constexpr Truth yes = Truth::yes, no = Truth::no, unknown = Truth::unknown;

TEST(Condition, ThreeValuedLogic) {
    const std::vector<std::pair<std::string, Truth>> operands{{"true", yes}, {"false", no}, {"missing = 1", unknown}};
    for (auto const& [a, ta] : operands)
        for (auto const& [b, tb] : operands) {
            Truth const both = ta == no || tb == no ? no : ta == unknown || tb == unknown ? unknown : yes;
            Truth const either = ta == yes || tb == yes ? yes : ta == unknown || tb == unknown ? unknown : no;
            check({{"(" + a + ") and (" + b + ")", Json::object(), both},
                   {"(" + a + ") or (" + b + ")", Json::object(), either},
                   {"not (" + a + ")", Json::object(), ta == unknown ? unknown : ta == yes ? no : yes}});
        }
}

TEST(Condition, EveryComparator) {
    for (int const a : {1, 2, 3}) {
        Json const values{{"a", a}};
        auto truth = [](bool b) { return b ? yes : no; };
        check({{"a = 2", values, truth(a == 2)}, {"a != 2", values, truth(a != 2)}, {"a < 2", values, truth(a < 2)},
               {"a <= 2", values, truth(a <= 2)}, {"a > 2", values, truth(a > 2)}, {"a >= 2", values, truth(a >= 2)},
               {"a between 2 and 3", values, truth(a >= 2)}, {"a not between 2 and 3", values, truth(a < 2)},
               {"a between 3 and 2", values, no}, {"a in (1, 3)", values, truth(a != 2)}, {"a not in (1, 3)", values, truth(a == 2)}});
    }
}

TEST(Condition, ComparesInTheLiteralsType) {
    check({{"a = 5", {{"a", "5"}}, yes},
           {"a = 5", {{"a", "5.0"}}, yes},
           {"a = 5", {{"a", "five"}}, unknown},
           {"a = 5", {{"a", " 5"}}, unknown},
           {"a = 5", {{"a", true}}, unknown},
           {"a = 5", {{"a", Json::array({5})}}, unknown},
           {"a = 5", {{"a", nullptr}}, unknown},
           {"a = 5", Json::object(), unknown},
           {"a < 10", {{"a", "9"}}, yes},
           {"a < '10'", {{"a", "9"}}, no}, // texts
           {"a = '5'", {{"a", 5}}, yes},
           {"a = 'true'", {{"a", true}}, yes},
           {"a = true", {{"a", "true"}}, yes},
           {"a = true", {{"a", "yes"}}, unknown},
           {"a = true", {{"a", 1}}, unknown},
           {"a", {{"a", true}}, yes},
           {"a", {{"a", "false"}}, no},
           {"a", {{"a", "maybe"}}, unknown},
           {"a", Json::object(), unknown},
           {"a = 0.1", {{"a", 0.1}}, yes},
           {"a = 0.3", {{"a", "0.30000000000000004"}}, yes}, // to 10^-6
           {"a >= 2026-01-31", {{"a", "2026-01-31"}}, yes},
           {"a < 2026-01-31T12:00Z", {{"a", "2026-01-31 11:59:59"}}, yes},
           {"a > 2026-01-31", {{"a", "2026-02-30"}}, unknown},
           {"a > 2026-01-31", {{"a", 20260201}}, unknown}});
}

TEST(Condition, UnknownInsideListsAndRanges) {
    check({{"a in (1, 'x')", {{"a", "x"}}, yes},
           {"a in (1, 'y')", {{"a", "x"}}, unknown},     // neither 1 nor comparable with it
           {"a not in (1, 'y')", {{"a", "x"}}, unknown},
           {"a not in (1, 'x')", {{"a", "x"}}, no},
           {"a between 1 and 'y'", {{"a", "z"}}, no},    // beyond 'y' whatever 1 says
           {"a between 1 and 'y'", {{"a", "x"}}, unknown},
           {"a in (1, 2)", Json::object(), unknown},
           {"a not between 1 and 2", Json::object(), unknown}});
}

TEST(Condition, IsSetIsNeverUnknown) {
    check({{"a is set", {{"a", 0}}, yes},
           {"a is set", {{"a", nullptr}}, no},
           {"a is set", Json::object(), no},
           {"a is not set", Json::object(), yes},
           {"a.b is set", {{"a", {{"b", ""}}}}, yes},
           {"a.b is set", {{"a", "text"}}, no},
           {"a.b is set", {{"a", Json::array({1})}}, no},
           {"a.b.c = 'é'", {{"a", {{"b", {{"c", "é"}}}}}}, yes}});
}

TEST(Condition, AttributesAreUnescaped) {
    check({{"a = 'say \"hi\"'", {{"a", "say \"hi\""}}, yes},
           {"a = 'it''s'", {{"a", "it's"}}, yes},
           {"a like '%\\\\%'", {{"a", "back\\slash"}}, yes},
           {"a.b = 'x\"y'", {{"a", {{"b", "x\"y"}}}}, yes}});
}

// --- like ---------------------------------------------------------------------------------------------------------

std::vector<std::string> characters(const std::string& text) {
    std::vector<std::string> out;
    for (char const c : text)
        if ((static_cast<unsigned char>(c) & 0xc0) == 0x80 && !out.empty())
            out.back() += c;
        else
            out.emplace_back(1, c);
    return out;
}
bool naive_like(const std::vector<std::string>& t, std::size_t i, const std::vector<std::string>& p, std::size_t j) {
    if (j == p.size())
        return i == t.size();
    if (p[j] == "%")
        return naive_like(t, i, p, j + 1) || (i < t.size() && naive_like(t, i + 1, p, j));
    if (i == t.size())
        return false;
    if (p[j] == "_")
        return naive_like(t, i + 1, p, j + 1);
    std::size_t const literal = p[j] == "\\" && j + 1 < p.size() ? j + 1 : j;
    return t[i] == p[literal] && naive_like(t, i + 1, p, literal + 1);
}

TEST(Like, AgreesWithANaiveMatcher) {
    auto text = [](std::vector<std::string> alphabet) {
        std::string out;
        for (int left = *rc::gen::inRange(0, 9); left > 0; --left)
            out += *rc::gen::elementOf(alphabet);
        return out;
    };
    EXPECT_TRUE(rc::check([&] {
        std::string const subject = text({"a", "b", "é", "東", "%", "_", "\\", "\U0001F600"});
        std::string const pattern = text({"a", "b", "é", "東", "%", "_", "%", "_", "\\%", "\\_", "\\\\", "\\a", "\U0001F600", "\\"});
        RC_ASSERT(step::like(subject, pattern) == naive_like(characters(subject), 0, characters(pattern), 0));
    }));
    // Quadratic at worst.
    EXPECT_FALSE(step::like(std::string(20'000, 'a'), "%a%a%a%a%a%a%a%a%a%a%a%b"));
}

TEST(Like, OnValuesOfEveryKind) {
    check({{"a like 'x%'", {{"a", "xyz"}}, yes},       {"a like 'x%'", {{"a", "yz"}}, no},
           {"a not like 'x%'", {{"a", "yz"}}, yes},    {"a like '1_'", {{"a", 12}}, yes},
           {"a like 't%'", {{"a", true}}, yes},        {"a like '%'", {{"a", ""}}, yes},
           {"a like '%'", {{"a", nullptr}}, unknown},  {"a not like '%'", Json::object(), unknown}});
}

} // namespace
} // namespace nurture::world
