// Funnels against an oracle that tries every order of tied rows and every chain.
#include "core/analytics/funnel.hpp"
#include "core/base/error.hpp"
#include "oracles/funnel.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

using namespace nurture;
using namespace nurture::analytics;
using namespace nurture::oracles;

namespace {

// The whole range from the first case on (RapidCheck's own grows with the size of the case).
template <class T>
T pick(T least, T end) {
    return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(least, end));
}

// A hundred runs see too few of the rare orders: each looks at many cases.
template <class Check>
void many(Check check) {
    for (int i = 0; i < 60; ++i)
        check();
}

struct Case {
    unsigned conditions;
    Span span;
    FunnelMode mode;
    std::vector<Event> events;
};

Case random_case(bool exclusions) {
    Case c;
    c.conditions = pick(1u, 5u);
    c.span = pick<Span>(0, 8);
    c.mode.strict_once = *rc::gen::arbitrary<bool>();
    c.mode.strict_increase = pick(0, 4) == 0;
    c.mode.strict_order = *rc::gen::arbitrary<bool>();
    c.mode.deduplicated = pick(0, 3) == 0;
    c.mode.reentry = !c.mode.deduplicated && *rc::gen::arbitrary<bool>();
    if (exclusions)
        c.mode.excluded = bit(pick(0u, c.conditions));
    auto const n = pick<std::size_t>(0, 7);
    Time const latest = pick<Time>(1, 9);
    for (std::size_t i = 0; i < n; ++i) {
        std::uint32_t mask = bit(pick(0u, c.conditions));
        if (pick(0, 3) == 0)
            mask |= pick(1u, 1u << c.conditions);
        c.events.push_back({pick<Time>(0, latest), mask});
    }
    std::sort(c.events.begin(), c.events.end());
    return c;
}

void check_case(const Case& c) {
    Best const expected = best_funnel(c.events, c.conditions, c.span, c.mode);
    RC_ASSERT(funnel_depth(c.events, c.conditions, c.span, c.mode) == expected.depth);
    FunnelChain const chain = funnel_chain(c.events, c.conditions, c.span, c.mode);
    RC_ASSERT(chain.depth == expected.depth);
    RC_ASSERT(chain.times.size() == chain.depth);
    if (chain.depth == 0)
        return;
    RC_ASSERT(*chain.times.front() == expected.start);
    RC_ASSERT(*chain.times.back() == expected.end);
    for (std::size_t i = 0; i < chain.times.size(); ++i) {
        if (i > 0)
            RC_ASSERT(*chain.times[i - 1] <= *chain.times[i]);
        RC_ASSERT(std::any_of(c.events.begin(), c.events.end(), [&](const Event& e) {
            return e.at == *chain.times[i] && (squeeze(e.mask, c.mode.excluded) >> i & 1) != 0;
        }));
    }
}

std::vector<Event> letters(const char* text, Span gap = 1) {
    std::vector<Event> events;
    for (Time at = 0; *text != '\0'; ++text, at += gap)
        events.push_back({at, bit(static_cast<unsigned>(*text - 'A'))});
    return events;
}

} // namespace

TEST(Funnel, AgreesWithAllChainsEnumerated) {
    EXPECT_TRUE(rc::check("without exclusions", [] { many([] { check_case(random_case(false)); }); }));
    EXPECT_TRUE(rc::check("with an excluded condition", [] { many([] { check_case(random_case(true)); }); }));
}

TEST(Funnel, AgreesOnGroupsOfTiedRows) {
    EXPECT_TRUE(rc::check("two instants", [] {
        many([] {
            Case c = random_case(*rc::gen::arbitrary<bool>());
            for (Event& event : c.events)
                event.at = event.at % 2;
            std::sort(c.events.begin(), c.events.end());
            check_case(c);
        });
    }));
}

TEST(Funnel, UnorderedIsTheMostDifferentStepsWithinASpan) {
    EXPECT_TRUE(rc::check([] {
        Case c = random_case(*rc::gen::arbitrary<bool>());
        c.mode = FunnelMode{.unordered = true, .excluded = c.mode.excluded};
        unsigned const expected = most_steps(c.events, c.span, c.mode.excluded);
        RC_ASSERT(funnel_depth(c.events, c.conditions, c.span, c.mode) == expected);
    }));
}

TEST(Funnel, ModesOnOneHistory) {
    auto const depth = [](const char* text, const char* mode, unsigned steps = 3) {
        return funnel_depth(letters(text), steps, 100, parse_funnel_mode(mode));
    };
    EXPECT_EQ(depth("ABC", "ordered"), 3u);
    EXPECT_EQ(depth("ACB", "ordered"), 2u);
    EXPECT_EQ(depth("ABAC", "strict_order"), 2u);
    EXPECT_EQ(depth("ABAC", "strict_order, reentry"), 3u);
    EXPECT_EQ(depth("ABBC", "strict_order"), 3u);
    EXPECT_EQ(depth("ABBC", "deduplicated"), 2u);
    // An attempt that fails hides no later one.
    EXPECT_EQ(depth("ACABC", "strict_order"), 3u);
    EXPECT_EQ(depth("ABBABC", "deduplicated"), 3u);
    EXPECT_EQ(depth("CBA", "unordered"), 3u);
}

TEST(Funnel, TheSpanIsInclusiveAndAnchoredAtTheFirstStep) {
    std::vector<Event> const events{{0, 1}, {10, 2}, {20, 4}};
    EXPECT_EQ(funnel_depth(events, 3, 20, {}), 3u);
    EXPECT_EQ(funnel_depth(events, 3, 19, {}), 2u);
    std::vector<Event> const endless{{always, 1}, {0, 2}, {never, 4}};
    EXPECT_EQ(funnel_depth(endless, 3, never, {}), 1u); // minus infinity is further than any span
}

TEST(Funnel, OneRowMayFillSeveralStepsUnlessStrict) {
    std::vector<Event> const events{{0, 7}};
    EXPECT_EQ(funnel_depth(events, 3, 0, {}), 3u);
    EXPECT_EQ(funnel_depth(events, 3, 0, parse_funnel_mode("strict_once")), 1u);
    EXPECT_EQ(funnel_depth(events, 3, 0, parse_funnel_mode("strict_increase")), 1u);
}

TEST(Funnel, ModesThatMeanNothingAreRefused) {
    EXPECT_THROW((void)parse_funnel_mode("strict"), Error);
    EXPECT_THROW((void)parse_funnel_mode(""), Error);
    EXPECT_THROW((void)parse_funnel_mode("ordered,"), Error);
    EXPECT_THROW((void)parse_funnel_mode("unordered, strict_once"), Error);
    EXPECT_THROW((void)parse_funnel_mode("deduplicated, reentry"), Error);
    for (const char* mode :
         {"exclude", "exclude ", "exclude 0", "exclude 33", "exclude 1 2", "exclude x", "excluded 1"})
        EXPECT_THROW((void)parse_funnel_mode(mode), Error) << mode;
    EXPECT_THROW(check_excluded(parse_funnel_mode("exclude 4"), 3), Error);
}

TEST(Funnel, ModesNameExcludedConditions) {
    FunnelMode const mode = parse_funnel_mode(" strict_order ,exclude  4, exclude 32");
    EXPECT_TRUE(mode.strict_order);
    EXPECT_EQ(mode.excluded, bit(3) | bit(31));
    EXPECT_EQ(parse_funnel_mode("exclude 1").excluded, 1u);
    EXPECT_EQ(funnel_depth(letters("ADBC"), 4, 100, parse_funnel_mode("ordered, exclude 4")), 1u);
    EXPECT_EQ(funnel_depth(letters("CDBA"), 4, 100, parse_funnel_mode("exclude 4, unordered")), 2u);
}

TEST(Funnel, ManyTiedRowsTakeLinearTime) {
    std::vector<Event> events;
    for (unsigned i = 0; i < 1'000'000; ++i)
        events.push_back({static_cast<Time>(i / 500'000), 1u << i % 4});
    std::sort(events.begin(), events.end());
    EXPECT_EQ(funnel_depth(events, 4, 10, parse_funnel_mode("strict_once")), 4u);
    EXPECT_EQ(funnel_depth(events, 4, 10, parse_funnel_mode("strict_order")), 4u);
}
