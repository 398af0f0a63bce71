// When a score crosses a bound by decaying: the first flip found by waking at next_crossing() equals the one found by
// trying every moment that matters, to the microsecond.
#include "../simulation/world.hpp"

#include "core/step/facts.hpp"

#include <gtest/gtest.h>

#include <random>

namespace nurture::world {
namespace {

struct Scored {
    model::Model model;
    profile::Profile profile;
};

/// Rules of mixed signs and half-lives, a few events, and the state after them.
Scored any_scored(std::mt19937_64& engine, bool one_sided) {
    auto below = [&](std::uint64_t n) { return engine() % n; };
    Definitions definitions;
    static const char* const half_lives[] = {"90 seconds", "1 hour", "1 day", "14 days", "90 days"};
    auto const rules = 1 + below(4);
    for (std::uint64_t i = 0; i < rules; ++i) {
        std::string text = one_sided || below(2) == 0 ? "+" : "-";
        text += std::to_string(1 + below(20)) + (below(3) == 0 ? ".5" : "") + " on e" + std::to_string(i);
        if (below(5) != 0)
            text += std::string(" half-life ") + half_lives[below(5)];
        if (below(4) == 0)
            text += " at most 2 per day";
        definitions.rule(text);
    }
    auto model = definitions.compile();
    Contact contact;
    Time now = 9'500 * one_day;
    for (auto left = 1 + below(6); left > 0; --left) {
        now += static_cast<Span>(below(3 * one_hour));
        contact.step(model, {{now, now, "e" + std::to_string(below(rules)), Json::object(), {}, false}}, std::nullopt);
    }
    return {std::move(model), contact.profile()};
}

// One-sided scores only fall: plain bisection over ten years finds the flip.
TEST(Crossing, OneSidedScoresFlipWhereBisectionSays) {
    std::mt19937_64 engine(1);
    for (int round = 0; round < 400; ++round) {
        SCOPED_TRACE(round);
        auto const scored = any_scored(engine, true);
        step::Facts const facts(scored.model, scored.profile);
        Time const clock = scored.profile.clock;
        Wide const now = facts.score(model::none, clock);
        for (Wide const bound : {now, now - 1, now / 2, now / 7, Wide(1), Wide(0), now + 1}) {
            if (bound > now) {
                ASSERT_EQ(facts.next_crossing(model::none, bound, clock), never);
                continue;
            }
            Time low = clock, high = clock + 10 * 366 * one_day;
            bool const flips = facts.score(model::none, high) < bound;
            while (flips && high - low > 1) {
                Time const middle = low + (high - low) / 2;
                (facts.score(model::none, middle) >= bound ? low : high) = middle;
            }
            Time t = clock;
            int wakes = 0;
            while (t < clock + 10 * 366 * one_day && facts.score(model::none, t) >= bound) {
                Time const next = facts.next_crossing(model::none, bound, t);
                ASSERT_GT(next, t);
                t = next;
                ++wakes;
            }
            if (flips)
                ASSERT_EQ(t, high);
            else
                ASSERT_GE(t, clock + 10 * 366 * one_day);
            ASSERT_LE(wakes, 12) << "bound " << print_micro(bound) << " of " << print_micro(now);
        }
    }
}

// Mixed signs: halving every stretch whose ends' positive and negative sums leave room for a flip, by values read one by
// one through occurrences() and reckoned here.
struct Parts {
    Wide positive = 0, negative = 0;
};
Parts parts_at(const step::Facts& facts, Time t) {
    Parts out;
    for (const auto& rule : facts.model.rules) {
        // points and occurrences are below 2^63 here
        Wide const product = Wide(rule.points) * facts.occurrences(rule, t);
        Wide const half = product >= 0 ? 500'000 : -500'000;
        Wide const part = (product + half) / 1'000'000;
        (part > 0 ? out.positive : out.negative) += part > 0 ? part : -part;
    }
    return out;
}
Time first_flip(const step::Facts& facts, Wide bound, Time from, const Parts& a, Time to, const Parts& b, bool above) {
    if (above ? b.positive - a.negative >= bound : a.positive - b.negative < bound)
        return never;
    if (to - from == 1)
        return ((b.positive - b.negative >= bound) != above) ? to : never;
    Time const middle = from + (to - from) / 2;
    Parts const m = parts_at(facts, middle);
    Time const left = first_flip(facts, bound, from, a, middle, m, above);
    return left != never ? left : first_flip(facts, bound, middle, m, to, b, above);
}

TEST(Crossing, MixedSignsFlipAtTheFirstMicrosecond) {
    std::mt19937_64 engine(2);
    int flips = 0;
    for (int round = 0; round < 150; ++round) {
        SCOPED_TRACE(round);
        auto const scored = any_scored(engine, false);
        step::Facts const facts(scored.model, scored.profile);
        Time const clock = scored.profile.clock, end = clock + 200 * one_day;
        Wide const now = facts.score(model::none, clock);
        for (Wide const bound : {now / 2, now / 3 - 777, Wide(1'234'567), Wide(-1'234'567), now + 333'333}) {
            bool const above = now >= bound;
            Time const wanted = first_flip(facts, bound, clock, parts_at(facts, clock), end, parts_at(facts, end), above);
            Time t = clock;
            int wakes = 0;
            while (t < end && (facts.score(model::none, t) >= bound) == above) {
                Time const next = facts.next_crossing(model::none, bound, t);
                ASSERT_GT(next, t);
                t = next;
                ++wakes;
            }
            if (wanted == never)
                ASSERT_GE(t, end);
            else
                ASSERT_EQ(t, wanted);
            flips += wanted != never ? 1 : 0;
            ASSERT_LE(wakes, 60) << "bound " << print_micro(bound) << " of " << print_micro(now);
        }
    }
    EXPECT_GT(flips, 50);
}

// `score > 0` with a decaying rule is everybody's condition: it must not wake the contact every hour for years.
TEST(Crossing, WaitingForNothingToBeLeftTakesFewWakes) {
    Definitions definitions;
    definitions.rule("+5 on e half-life 365 days");
    definitions.segment("some", "score > 0");
    auto const model = definitions.compile();
    Contact contact;
    Time now = 9'500 * one_day;
    contact.step(model, {{now, now, "e", Json::object(), {}, false}}, std::nullopt);
    int wakes = 0;
    for (; contact.due != never && wakes < 100; ++wakes)
        contact.step(model, {}, contact.due);
    EXPECT_LE(wakes, 5);
    ASSERT_EQ(contact.raw_transitions.size(), 2U);
    // The decayed count, 10^6 · 2^(-t/H), rounds to 0 as soon as it is below a half: t = H · log2(2·10^6).
    EXPECT_NEAR(static_cast<double>(contact.raw_transitions[1].at - now) / (365.0 * one_day), 20.931569, 0.000001);
}

} // namespace
} // namespace nurture::world
