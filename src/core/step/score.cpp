// Scores: points applied when read, and the moment at which a score crosses a bound by decaying.
#include "core/step/facts.hpp"

#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <cmath>

namespace nurture::step {

using model::ScoringRule;

namespace {

Wide capped_occurrences(const profile::Entries& entries, Span half_life, Time at) {
    if (half_life == 0) {
        Wide sum = 0;
        for (const auto& entry : entries.items)
            sum += entry.amount;
        return sum;
    }
    DecayedSum decayed(half_life);
    for (const auto& entry : entries.items)
        decayed.add(entry.stamp.at, entry.amount);
    return decayed.value_at(at);
}

} // namespace

Wide Facts::occurrences(const ScoringRule& rule, Time at) const {
    const auto& feature = features[rule.feature];
    if (const auto* decayed = std::get_if<DecayedSum>(&feature))
        return decayed->value_at(at);
    if (const auto* entries = std::get_if<profile::Entries>(&feature))
        return capped_occurrences(*entries, rule.half_life, at);
    if (const auto* sum = std::get_if<profile::Sum>(&feature))
        return rule.amount ? sum->value : sum->value * micro_one;
    return 0;
}

Wide Facts::contribution(const ScoringRule& rule, Time at) const {
    Read& read = contributions_[static_cast<std::size_t>(&rule - model.rules.data())];
    if (read.at != at)
        read = {at, multiply_micro(rule.points, occurrences(rule, at))};
    return read.value;
}

Wide Facts::score(Index topic, Time at) const {
    Wide sum = 0;
    for (const ScoringRule& rule : model.rules)
        if (topic == none || rule.topic == topic)
            sum += contribution(rule, at);
    return sum;
}

Span Facts::half_life_of(const ScoringRule& rule) const noexcept {
    const auto* decayed = std::get_if<DecayedSum>(&features[rule.feature]);
    return decayed != nullptr ? decayed->half_life() : rule.half_life;
}

// --- crossings ------------------------------------------------------------------------------------------------------
//
// Each contribution c_i(T) = ±|c_i(T)| keeps its sign and its magnitude never grows (DecayedSum::value_at; rounding is
// monotone), so on any stretch [a, b] the score lies between P(b) - N(a) and P(a) - N(b), with P the sum of the positive
// contributions and N that of the negative ones' magnitudes. A stretch whose bounds lie on one side of the threshold holds
// no crossing; any other is halved, left half first, down to one microsecond: no crossing is missed, and the first is
// found (search_crossing() below). Where nothing is found the next stretch is twice as long, until all has decayed.
//
// That is exact but costs dozens of readings, mostly for crossings that further events move before they come. So a far
// crossing is only bounded from below, which is allowed (waking early is harmless): but for roundings the score is a sum
// of v·2^(-t/H), one v for each half-life. With P those of positive v and N of negative, P is convex and falling, so its
// tangent runs below it and Newton's step from the left never passes the root; with N held at its present value (it can
// only fall) P - N >= tangent - N. The rounding of each contribution (at most half of 10^-6, plus half of |points|·10^-6
// from the rounding of what it multiplies, once at the clock and once later) and the error of its floating-point factor
// are added to the threshold. Within `near` of the bound the exact search takes over.

namespace {

constexpr Span near = one_hour;
constexpr int newton_steps = 8;
/// Readings one search may take; then it gives the moment it has come to, to go on from there.
constexpr int search_budget = 500;

/// One half-life's share of the score at the clock, in 10^-6; what does not decay has half_life 0.
struct Share {
    Span half_life = 0;
    double value = 0;
};

using Shares = boost::container::small_vector<Share, 8>;

/// How long the falling shares certainly stay above `bound`; never when they always do.
Span stays_above(const Shares& falling, double bound) {
    double t = 0;
    double settled = 0; // what never decays
    for (const auto& [half_life, value] : falling)
        settled += half_life == 0 ? value : 0;
    if (settled > bound)
        return never;
    for (int i = 0; i < newton_steps; ++i) {
        double value = settled, slope = 0;
        for (const auto& [half_life, amount] : falling) {
            if (half_life == 0)
                continue;
            double const v = t == 0 ? amount : amount * std::exp2(-t / static_cast<double>(half_life));
            value += v;
            slope += v * (M_LN2 / static_cast<double>(half_life));
        }
        if (value <= bound || slope <= 0)
            break;
        double const step = (value - bound) / slope;
        t += step;
        if (t > 1e17) // three thousand years
            return never;
        if (step < 0.02 * t) // Newton's error is about this squared by now: an early wake is cheaper than more powers
            break;
    }
    return static_cast<Span>(std::max(0.0, t * (1 - 1e-12) - 1));
}

/// The positive contributions' sum and the negative ones' magnitude at a time; `settled`: nothing of it decays any more.
struct Sides {
    Wide positive = 0, negative = 0;
    bool settled = true;
    [[nodiscard]] Wide score() const noexcept { return positive - negative; }
};

/// The first moment after `from` on the other side of the bound; never; or, the budget spent, how far there is none.
template <class SidesAt>
Time search_crossing(SidesAt sides_at, Time from, Span first, Wide bound) {
    struct Stretch {
        Time from, to;
        Sides left, right;
    };
    Sides const now = sides_at(from);
    bool const above = now.score() >= bound;
    int budget = search_budget;
    std::vector<Stretch> open; // a stack instead of recursion
    Stretch reach{from, saturating_add(from, std::max<Span>(first, 1)), now, {}};
    reach.right = sides_at(reach.to);
    while (true) {
        open.push_back(reach);
        while (!open.empty()) {
            Stretch const s = open.back();
            open.pop_back();
            Wide const lowest = s.right.positive - s.left.negative;
            Wide const highest = s.left.positive - s.right.negative;
            if (above ? lowest >= bound : highest < bound)
                continue;
            if (s.to - s.from <= 1) {
                if ((s.right.score() >= bound) != above)
                    return s.to;
                continue;
            }
            if (--budget < 0 && s.from > from)
                return s.from;
            Time const middle = s.from + (s.to - s.from) / 2;
            Sides const sides = sides_at(middle);
            open.push_back({middle, s.to, sides, s.right});
            open.push_back({s.from, middle, s.left, sides});
        }
        if (reach.right.settled || reach.to == never)
            return never;
        Time const next = saturating_add(reach.to, reach.to - from);
        reach = {reach.to, next, reach.right, sides_at(next)};
    }
}

} // namespace

Time Facts::next_crossing(Index topic, Wide bound, Time clock) const {
    Shares shares;
    double slack = 0; // how far the rounded score can be from the smooth one
    Wide now = 0;
    bool decays = false;
    for (const ScoringRule& rule : model.rules) {
        if (topic != none && rule.topic != topic)
            continue;
        Wide const part = contribution(rule, clock);
        if (part == 0)
            continue; // magnitudes never grow
        now += part;
        Span const half_life = half_life_of(rule);
        auto share = std::find_if(shares.begin(), shares.end(), [&](const Share& s) { return s.half_life == half_life; });
        if (share == shares.end())
            share = shares.insert(share, Share{half_life, 0});
        share->value += static_cast<double>(part);
        decays = decays || half_life != 0;
        slack += half_life == 0 ? 0 : 2 + std::abs(static_cast<double>(rule.points)) / micro_one;
        slack += std::abs(static_cast<double>(part)) * 1e-12;
    }
    if (!decays)
        return never;

    // The side that holds the score where it is must fall before anything can cross.
    bool const above = now >= bound;
    double held = 0;
    for (Share& share : shares) {
        share.value = above ? share.value : -share.value;
        held += share.value < 0 ? -share.value : 0;
    }
    shares.erase(std::remove_if(shares.begin(), shares.end(), [](const Share& share) { return share.value <= 0; }),
                 shares.end());
    double const threshold = held + slack + (above ? static_cast<double>(bound) : -static_cast<double>(bound));
    Span const safe = stays_above(shares, threshold);
    if (safe == never)
        return never;
    if (safe > near)
        return saturating_add(clock, safe);

    auto sides_at = [&](Time t) {
        Sides sides;
        for (const ScoringRule& rule : model.rules) {
            if (topic != none && rule.topic != topic)
                continue;
            Wide const part = multiply_micro(rule.points, occurrences(rule, t));
            (part > 0 ? sides.positive : sides.negative) += part > 0 ? part : -part;
            sides.settled = sides.settled && (part == 0 || half_life_of(rule) == 0);
        }
        return sides;
    };
    return search_crossing(sides_at, clock, safe + near, bound);
}

} // namespace nurture::step
