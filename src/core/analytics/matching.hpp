#pragma once
// Who can fill what at one instant: tied events in any order. Events of one mask are interchangeable, so a
// maximum bipartite matching is kept between wanted conditions and classes of events (augmenting paths, Kuhn
// 1955).
#include "core/analytics/events.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace nurture::analytics {

/// Stands for "any event" where a condition's number is expected.
inline constexpr unsigned any_event = max_conditions;

/// A matching between demanded conditions and the events of one instant, each event used at most once.
class TieMatching {
public:
    explicit TieMatching(std::span<const Event> instant) {
        for (std::size_t i = 0; i < instant.size();) {
            std::size_t j = i;
            while (j < instant.size() && instant[j].mask == instant[i].mask)
                ++j;
            classes_.push_back({instant[i].mask, j - i, 0, {}});
            i = j;
        }
    }

    /// Gives up all demands.
    void clear() noexcept {
        for (Class& c : classes_) {
            c.used = 0;
            c.by.fill(0);
        }
    }

    /// Adds one demand for an event that satisfies `condition`; false, and nothing changes, if it cannot be
    /// met together with those before.
    bool demand(unsigned condition) {
        for (Class& c : classes_)
            c.visited = false;
        return augment(condition);
    }

private:
    struct Class {
        std::uint32_t mask;
        std::size_t size;
        std::size_t used;
        std::array<std::size_t, max_conditions + 1> by; ///< how many events each condition uses
        bool visited = false;
    };
    std::vector<Class> classes_;

    // Depth is bounded by the number of conditions: along the path each class visited is full of another's
    // demand.
    bool augment(unsigned condition) {
        for (Class& c : classes_) {
            if (c.visited || !(condition == any_event || (c.mask & bit(condition)) != 0))
                continue;
            if (c.used < c.size) {
                ++c.used;
                ++c.by[condition];
                return true;
            }
        }
        for (Class& c : classes_) {
            if (c.visited || !(condition == any_event || (c.mask & bit(condition)) != 0))
                continue;
            c.visited = true;
            for (unsigned other = 0; other <= any_event; ++other) {
                if (other == condition || c.by[other] == 0 || !augment(other))
                    continue;
                --c.by[other];
                ++c.by[condition];
                return true;
            }
        }
        return false;
    }
};

} // namespace nurture::analytics
