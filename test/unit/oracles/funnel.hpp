#pragma once
// Funnels by trying every order of tied rows and every chain.
#include <algorithm>
#include <functional>
#include <vector>

#include "core/analytics/funnel.hpp"
#include "orders.hpp"

namespace nurture::oracles {

using namespace nurture::analytics;

struct Best {
    unsigned depth = 0;
    Time end = 0;   // earliest moment at which a chain of that depth is complete
    Time start = 0; // latest beginning of such a chain

    void offer(unsigned d, Time s, Time e) {
        if (d > depth || (d == depth && d > 0 && (e < end || (e == end && s > start))))
            *this = {d, e, s};
    }
};

inline std::uint32_t squeeze(std::uint32_t mask, std::uint32_t excluded) {
    if (excluded == 0)
        return mask;
    std::uint32_t out = 0;
    unsigned target = 0;
    for (unsigned i = 0; i < 32; ++i)
        if ((excluded >> i & 1) == 0)
            out |= (mask >> i & 1) << target++;
    return out;
}

// One order of the rows; row i stands at position i. Chains are strictly increasing positions.
inline void chains_in_order(const std::vector<Event>& rows, unsigned steps, Span span, const FunnelMode& mode,
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
inline void chains_by_time(const std::vector<Event>& rows, unsigned steps, Span span, const FunnelMode& mode,
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

inline Best best_funnel(const std::vector<Event>& rows, unsigned conditions, Span span,
                        const FunnelMode& mode) {
    unsigned const steps = funnel_steps(conditions, mode);
    Best best;
    if (!mode.strict_once && !mode.strict_order && !mode.deduplicated) {
        chains_by_time(rows, steps, span, mode, best);
        return best;
    }
    each_order(rows, [&](const std::vector<Event>& arranged) {
        chains_in_order(arranged, steps, span, mode, best);
    });
    return best;
}

// The most different steps within a span: every window that begins at a row; an excluded row strictly inside
// shuts it out.
inline unsigned most_steps(const std::vector<Event>& rows, Span span, std::uint32_t excluded) {
    unsigned most = 0;
    for (const Event& from : rows)
        for (const Event& to : rows) {
            if (to.at < from.at || to.at - from.at > span)
                continue;
            std::uint32_t all = 0;
            bool shut = false;
            for (const Event& e : rows) {
                if ((e.mask & excluded) != 0)
                    shut = shut || (e.at > from.at && e.at < to.at);
                else if (e.at >= from.at && e.at <= to.at)
                    all |= e.mask;
            }
            if (!shut)
                most = std::max(most, static_cast<unsigned>(__builtin_popcount(all)));
        }
    return most;
}

} // namespace nurture::oracles
