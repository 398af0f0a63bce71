// Funnels against an oracle that tries every order of tied rows and every chain.
#include "core/analytics/funnel.hpp"
#include "core/base/error.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <functional>

using namespace nurture;
using namespace nurture::analytics;

namespace {

// The whole range from the first case on (RapidCheck's own grows with the size of the case).
template <class T>
T pick(T least, T end) {
    return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(least, end));
}

struct Best {
    unsigned depth = 0;
    Time end = 0;   // earliest moment at which a chain of that depth is complete
    Time start = 0; // latest beginning of such a chain

    void offer(unsigned d, Time s, Time e) {
        if (d > depth || (d == depth && d > 0 && (e < end || (e == end && s > start))))
            *this = {d, e, s};
    }
};

std::uint32_t squeeze(std::uint32_t mask, std::uint32_t excluded) {
    std::uint32_t out = 0;
    unsigned target = 0;
    for (unsigned i = 0; i < 32; ++i)
        if ((excluded >> i & 1) == 0)
            out |= (mask >> i & 1) << target++;
    return out;
}

// One order of the rows; row i stands at position i. Chains are strictly increasing positions.
void chains_in_order(const std::vector<Event>& rows, unsigned steps, Span span, const FunnelMode& mode,
                     Best& best) {
    std::vector<std::size_t> chain;
    auto const is_excluded = [&](std::size_t i) { return (rows[i].mask & mode.excluded) != 0; };
    auto const between_is_fine = [&](std::size_t previous, std::size_t next, unsigned depth) {
        for (std::size_t i = previous + 1; i < next; ++i) {
            if (is_excluded(i))
                return false;
            std::uint32_t const mask = squeeze(rows[i].mask, mode.excluded);
            for (unsigned step = 1; step <= steps; ++step) {
                if ((mask >> (step - 1) & 1) == 0)
                    continue;
                if (mode.deduplicated && step <= depth + 1)
                    return false;
                if (mode.strict_order && (mode.reentry ? step > depth : step != depth))
                    return false;
            }
        }
        return true;
    };
    std::function<void()> const extend = [&] {
        unsigned const depth = static_cast<unsigned>(chain.size());
        if (depth > 0)
            best.offer(depth, rows[chain.front()].at, rows[chain.back()].at);
        if (depth == steps)
            return;
        for (std::size_t i = depth == 0 ? 0 : chain.back() + 1; i < rows.size(); ++i) {
            if (is_excluded(i) || (squeeze(rows[i].mask, mode.excluded) >> depth & 1) == 0)
                continue;
            if (depth > 0) {
                if (rows[i].at - rows[chain.front()].at > span)
                    continue;
                if (mode.strict_increase && rows[i].at == rows[chain.back()].at)
                    continue;
                if (!between_is_fine(chain.back(), i, depth))
                    continue;
            }
            chain.push_back(i);
            extend();
            chain.pop_back();
        }
    };
    extend();
}

// Where only times matter: any rows whose times do not decrease, the same row as often as wanted.
void chains_by_time(const std::vector<Event>& rows, unsigned steps, Span span, const FunnelMode& mode,
                    Best& best) {
    std::vector<Time> chain;
    std::function<void()> const extend = [&] {
        if (!chain.empty())
            best.offer(static_cast<unsigned>(chain.size()), chain.front(), chain.back());
        if (chain.size() == steps)
            return;
        for (const Event& row : rows) {
            if ((row.mask & mode.excluded) != 0 ||
                (squeeze(row.mask, mode.excluded) >> chain.size() & 1) == 0)
                continue;
            if (!chain.empty()) {
                if (row.at < chain.back() || row.at - chain.front() > span)
                    continue;
                if (mode.strict_increase && row.at == chain.back())
                    continue;
                if (std::any_of(rows.begin(), rows.end(), [&](const Event& x) {
                        return (x.mask & mode.excluded) != 0 && x.at > chain.front() && x.at < row.at;
                    }))
                    continue;
            }
            chain.push_back(row.at);
            extend();
            chain.pop_back();
        }
    };
    extend();
}

Best oracle(std::vector<Event> rows, unsigned conditions, Span span, const FunnelMode& mode) {
    unsigned const steps = funnel_steps(conditions, mode);
    Best best;
    if (!mode.strict_once && !mode.strict_order && !mode.deduplicated) {
        chains_by_time(rows, steps, span, mode, best);
        return best;
    }
    std::vector<std::size_t> order(rows.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    do {
        std::vector<Event> arranged;
        for (std::size_t i : order)
            arranged.push_back(rows[i]);
        if (std::is_sorted(arranged.begin(), arranged.end(), [](auto& a, auto& b) { return a.at < b.at; }))
            chains_in_order(arranged, steps, span, mode, best);
    } while (std::next_permutation(order.begin(), order.end()));
    return best;
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
    Best const expected = oracle(c.events, c.conditions, c.span, c.mode);
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
        unsigned expected = 0;
        // Every window that begins at a row; an excluded row strictly inside shuts it out.
        for (const Event& from : c.events)
            for (const Event& to : c.events) {
                if (to.at < from.at || to.at - from.at > c.span)
                    continue;
                std::uint32_t all = 0;
                bool shut = false;
                for (const Event& e : c.events) {
                    if ((e.mask & c.mode.excluded) != 0)
                        shut = shut || (e.at > from.at && e.at < to.at);
                    else if (e.at >= from.at && e.at <= to.at)
                        all |= e.mask;
                }
                if (!shut)
                    expected = std::max(expected, static_cast<unsigned>(__builtin_popcount(all)));
            }
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
}

TEST(Funnel, ManyTiedRowsTakeLinearTime) {
    std::vector<Event> events;
    for (unsigned i = 0; i < 1'000'000; ++i)
        events.push_back({static_cast<Time>(i / 500'000), 1u << i % 4});
    std::sort(events.begin(), events.end());
    EXPECT_EQ(funnel_depth(events, 4, 10, parse_funnel_mode("strict_once")), 4u);
    EXPECT_EQ(funnel_depth(events, 4, 10, parse_funnel_mode("strict_order")), 4u);
}
