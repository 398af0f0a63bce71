#pragma once
// Sequences by trying every order of tied rows and every choice of events.
#include <algorithm>
#include <functional>
#include <vector>

#include "core/analytics/matching.hpp"
#include "core/analytics/sequence.hpp"
#include "orders.hpp"

namespace nurture::oracles {

using namespace nurture::analytics;

// Calls visit for each match in this order of the rows: positions of the elements.
inline void matches_in_order(const Pattern& pattern, const std::vector<Event>& rows,
                             const std::function<void(const std::vector<std::size_t>&)>& visit) {
    std::vector<std::size_t> chosen;
    std::function<void()> const extend = [&] {
        std::size_t const k = chosen.size();
        if (k == pattern.elements.size())
            return visit(chosen);
        for (std::size_t i = k == 0 ? 0 : chosen.back() + 1; i < rows.size(); ++i) {
            unsigned const condition = pattern.elements[k];
            if (condition != any_event && (rows[i].mask >> condition & 1) == 0)
                continue;
            if (k > 0) {
                const Gap& gap = pattern.gaps[k - 1];
                auto const length = static_cast<std::uint64_t>(rows[i].at - rows[chosen.back()].at);
                if (!gap.skips && i != chosen.back() + 1)
                    continue;
                if (length < gap.least || length > gap.most ||
                    std::find(gap.unequal.begin(), gap.unequal.end(), length) != gap.unequal.end())
                    continue;
            }
            chosen.push_back(i);
            extend();
            chosen.pop_back();
        }
    };
    extend();
}

// The most matches one after the other: over all sets of disjoint intervals of positions.
inline std::size_t most_matches(const Pattern& pattern, const std::vector<Event>& rows) {
    std::size_t best = 0;
    each_order(rows, [&](const std::vector<Event>& arranged) {
        std::vector<std::size_t> most(arranged.size() + 1, 0); // within the first i rows
        std::vector<std::pair<std::size_t, std::size_t>> intervals;
        matches_in_order(pattern, arranged,
                         [&](const auto& chosen) { intervals.emplace_back(chosen.front(), chosen.back()); });
        for (std::size_t end = 0; end < arranged.size(); ++end) {
            most[end + 1] = most[end];
            for (auto const& [first, last] : intervals)
                if (last == end)
                    most[end + 1] = std::max(most[end + 1], most[first] + 1);
        }
        best = std::max(best, most.back());
    });
    return best;
}

// The match that ends first; from its end backwards each event the latest.
inline std::vector<Time> canonical_match(const Pattern& pattern, const std::vector<Event>& rows) {
    std::vector<Time> best; // times of all elements
    each_order(rows, [&](const std::vector<Event>& arranged) {
        matches_in_order(pattern, arranged, [&](const auto& chosen) {
            std::vector<Time> times;
            for (std::size_t i : chosen)
                times.push_back(arranged[i].at);
            bool const better =
                best.empty() || times.back() < best.back() ||
                (times.back() == best.back() &&
                 std::lexicographical_compare(best.rbegin(), best.rend(), times.rbegin(), times.rend()));
            if (better)
                best = times;
        });
    });
    std::vector<Time> named;
    for (std::size_t i = 0; i < best.size(); ++i)
        if (pattern.elements[i] != any_event)
            named.push_back(best[i]);
    return named;
}

} // namespace nurture::oracles
