#pragma once
// Reading a set of entries through a window.
#include "core/step/range.hpp"

#include <algorithm>
#include <vector>

namespace nurture::step {

/// How many entries of a feature are looked at, the newest.
[[nodiscard]] inline std::size_t limit_of(const profile::FeatureDefinition& definition) {
    if (definition.kind == profile::FeatureKind::capped)
        return static_cast<std::size_t>(definition.cap);
    return static_cast<std::size_t>(definition.newest != 0 ? definition.newest : definition.limit);
}

/// Visits the entries inside the range, newest first, and settles when the reading can change and whether it is a bound.
template <class Reading, class Item, class Visit>
void each_inside(const profile::FeatureDefinition& definition, const std::vector<Item>& items, const Range& range, Reading& out,
                 Visit visit) {
    std::size_t const limit = limit_of(definition);
    std::size_t const surplus = items.size() > limit ? items.size() - limit : 0;
    std::size_t inside = 0;
    for (std::size_t i = items.size(); i > surplus; --i) {
        Time const at = items[i - 1].stamp.at;
        if (range.left(at)) {
            if (range.in_order())
                break;
            continue; // clipped months are not quite monotone
        }
        out.flips = std::min(out.flips, range.changes(at));
        if (range.ahead(at))
            continue;
        ++inside;
        visit(items[i - 1]);
    }
    bool const decided = definition.newest != 0 || definition.kind == profile::FeatureKind::capped;
    out.bound = decided ? inside == limit : surplus != 0 && !range.left(items[surplus - 1].stamp.at);
}

} // namespace nurture::step
