#pragma once
// Every order in which rows of one time may stand.
#include <algorithm>
#include <vector>

#include "core/analytics/events.hpp"

namespace nurture::oracles {

/// Calls visit(rows) for each arrangement of the rows whose times do not decrease.
template <class Visit>
void each_order(const std::vector<analytics::Event>& rows, Visit visit) {
    std::vector<std::size_t> order(rows.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::vector<analytics::Event> arranged(rows.size());
    do {
        for (std::size_t i = 0; i < order.size(); ++i)
            arranged[i] = rows[order[i]];
        if (std::is_sorted(arranged.begin(), arranged.end(), [](auto& a, auto& b) { return a.at < b.at; }))
            visit(arranged);
    } while (std::next_permutation(order.begin(), order.end()));
}

} // namespace nurture::oracles
