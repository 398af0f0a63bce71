// The moment at which a score crosses a bound by the mere passing of time.
//
// Between two jumps (next_jump() in score.cpp: a condition turns, an idle span is full, an adjustment expires, an event
// begins to wear off by half-lives) what a rule counts is p(T) - n(T), with p and n sums that only fall: each event's rest
// falls by itself where points fade, and so does its rounding; events that decay by half-lives have one common factor, so
// that their sum keeps its sign and its magnitude never grows (DecayedSum::value_at; rounding is monotone). So on any
// stretch [a, b] the count lies between p(b) - n(a) and p(a) - n(b); the rule's contribution, rounded, between those of
// the two (multiplying and rounding are monotone); and the score, a sum of contributions that limits clamp on the way,
// between the scores made of the least and of the greatest contributions, since sums and clamps are monotone. A stretch
// whose two bounds lie on one side of the threshold holds no crossing; any other is halved, left half first, down to one
// microsecond, where the score itself is read: no crossing is missed, and the first is found (search() below). Where
// nothing is found the next stretch is twice as long, until all has worn off or a jump comes; the jump itself is
// returned, since the score is to be read there again. Where nothing can raise the score (no rule counts anything on the side that
// would), it only falls itself: then its readings alone are halved between, without their parts (search_falling()).
//
// That is exact but costs dozens of readings, mostly for crossings that further events move before they come. So a far
// crossing is only bounded from below, which is allowed (waking early is harmless): but for roundings the score is a sum
// of v·2^(-t/H), one v for each half-life. With P those of positive v and N of negative, P is convex and falling, so its
// tangent runs below it and Newton's step from the left never passes the root; with N held at its present value (it can
// only fall) P - N >= tangent - N. The rounding of each contribution (at most half of 10^-6, plus half of |points|·10^-6
// from the rounding of what it multiplies, once at the clock and once later) and the error of its floating-point factor
// are added to the threshold. What fades evenly falls by at most its present rate: a straight line, taken off the convex
// sum, leaves it convex and falling. What goes at a stroke (steps, expiries) bounds how far this may look. Within `near`
// of the bound, and where limits stand below the score, the exact search takes over.
#include "core/step/score.hpp"

#include <algorithm>
#include <cmath>

namespace nurture::step {

using model::ScoringRule;

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

/// How long the falling shares, less what goes evenly at `rate`, certainly stay above `bound`; never when they always do.
Span stays_above(const Shares& falling, double rate, double bound) {
    double t = 0;
    double settled = 0; // what never decays
    for (const auto& [half_life, value] : falling)
        settled += half_life == 0 ? value : 0;
    if (rate == 0 && settled > bound)
        return never;
    for (int i = 0; i < newton_steps; ++i) {
        double value = settled - rate * t, slope = rate;
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

} // namespace

std::optional<Span> Facts::Crossing::safe() const {
    Shares shares;
    double slack = 0; // how far the rounded score can be from the smooth one
    double rate = 0;
    Time step = never;
    Wide now = 0;
    bool decays = false;
    Wide const score = facts_.unlimited_score(topic_, from_);
    bool const above = score >= threshold_;
    auto const add = [&](Span half_life, Wide part) {
        now += part;
        auto share = std::find_if(shares.begin(), shares.end(), [&](const Share& s) { return s.half_life == half_life; });
        if (share == shares.end())
            share = shares.insert(share, Share{half_life, 0});
        share->value += static_cast<double>(part);
        slack += std::abs(static_cast<double>(part)) * 1e-12;
    };
    for (Index const r : facts_.model.scoring.rules_of(topic_)) {
        const ScoringRule& rule = facts_.model.rules[r];
        Wide const part = facts_.contribution(rule, from_);
        bool const events = rule.source == model::ScoreSource::events && facts_.features[rule.feature].index() != 0;
        if (events && rule.after != 0 && !rule.fading)
            return std::nullopt; // until the next event begins to wear off the exact search is short
        if (events && rule.fading) {
            // A count of mixed signs may be nothing now and something later.
            Fall const fall = facts_.fall_of(rule, from_, above);
            rate += fall.rate;
            step = std::min(step, fall.step);
            slack += fall.slack;
            decays = decays || fall.rate != 0 || fall.step != never;
            add(0, part);
            continue;
        }
        if (part == 0)
            continue; // magnitudes never grow
        Span const half_life = facts_.half_life_of(rule);
        add(half_life, part);
        decays = decays || half_life != 0;
        slack += half_life == 0 ? 0 : 2 + std::abs(static_cast<double>(rule.points)) / micro_one;
    }
    if (!decays)
        return never;
    add(0, score - now); // adjustments

    // The side that holds the score where it is must fall before anything can cross.
    double held = 0;
    for (Share& share : shares) {
        share.value = above ? share.value : -share.value;
        held += share.value < 0 ? -share.value : 0;
    }
    shares.erase(std::remove_if(shares.begin(), shares.end(), [](const Share& share) { return share.value <= 0; }),
                 shares.end());
    Span const even = stays_above(
        shares, rate, held + slack + (above ? static_cast<double>(threshold_) : -static_cast<double>(threshold_)));
    return step == never ? even : std::min(even, step - from_ - 1);
}

// A score that only falls: at `certain` after `from` it is where it is now.
Time Facts::Crossing::search_falling(Span certain, Span first, Time horizon) const {
    Time above = std::max(from_, std::min(saturating_add(from_, certain), horizon - 2)); // the score is not below the threshold there
    Span reach = certain == 0 ? first : std::min(first, certain / 512 + one_second);
    Time below = never;
    while (below == never) {
        Time const next = std::min(horizon - 1, saturating_add(above, std::max<Span>(reach, 1)));
        if (next <= above)
            return never;
        Sides const sides = sides_at(next);
        if (sides.score < threshold_)
            below = next;
        else if (sides.settled)
            return never;
        else
            above = next;
        reach = saturating_add(reach, reach);
    }
    while (below - above > 1) {
        Time const middle = above + (below - above) / 2;
        (score_at(middle) >= threshold_ ? above : below) = middle;
    }
    return below;
}

Time Facts::Crossing::search(Span certain, Span first, Time horizon) const {
    struct Stretch {
        Time from, to;
        Sides left, right;
    };
    Sides const now = sides_at(from_);
    bool const above = now.score >= threshold_;
    if (!now.may_rise)
        return above ? search_falling(certain, first, horizon) : never;
    int budget = search_budget;
    std::vector<Stretch> open; // a stack instead of recursion
    Stretch reach{from_, std::min(horizon - 1, saturating_add(from_, std::max<Span>(first, 1))), now, {}};
    if (reach.to <= from_)
        return never;
    reach.right = sides_at(reach.to);
    while (true) {
        open.push_back(reach);
        while (!open.empty()) {
            Stretch const s = std::move(open.back());
            open.pop_back();
            if (above ? bound(s.left, s.right, true) >= threshold_ : bound(s.left, s.right, false) < threshold_)
                continue;
            if (s.to - s.from <= 1) {
                if ((s.right.score >= threshold_) != above)
                    return s.to;
                continue;
            }
            if (--budget < 0 && s.from > from_)
                return s.from;
            Time const middle = s.from + (s.to - s.from) / 2;
            Sides const sides = sides_at(middle);
            open.push_back({middle, s.to, sides, s.right});
            open.push_back({s.from, middle, s.left, sides});
        }
        if (reach.right.settled || reach.to >= horizon - 1)
            return never;
        Time const next = std::min(horizon - 1, saturating_add(reach.to, reach.to - from_));
        Sides right = sides_at(next);
        reach = {reach.to, next, std::move(reach.right), std::move(right)};
    }
}

Time Facts::next_crossing(Index topic, Wide bound, Time clock) const {
    // The limit that stands over all: beyond it the score never comes, within it only what it limits matters.
    const model::Limit& limit = topic == none ? model.scoring.overall : model.scoring.limits[topic];
    if ((limit.floor && bound <= *limit.floor) || (limit.ceiling && bound > *limit.ceiling))
        return never;
    Time const jump = next_jump(topic, clock);
    if (frozen_)
        return jump;
    Crossing const crossing(*this, topic, bound, clock);
    Span first = near, certain = 0;
    if (!model.scoring.limited) {
        if (auto const safe = crossing.safe()) {
            if (*safe == never)
                return jump;
            if (*safe > near)
                return std::min(jump, saturating_add(clock, *safe));
            first = *safe + near;
            certain = *safe;
        }
    }
    return std::min(jump, crossing.search(certain, first, jump));
}

} // namespace nurture::step
