#pragma once
// Funnels: how far a chain of steps was followed within a span. Every mode is defined by which chains count;
// the result is the best over all chains and, where rows have the same time, over all orders of those rows.
// Nothing depends on the order of arrival, and an attempt that fails hides no later one.
#include "core/analytics/events.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace nurture::analytics {

/// Which chains count. Let e(1) … e(d) be the events that fill steps 1 … d. Always: their times do not
/// decrease, and e(d) is at most the span after e(1). Without a flag only times matter: rows of one time come
/// in any order, and one row may fill several steps.
struct FunnelMode {
    bool strict_once = false;     ///< one row fills one step; implied by strict_order and deduplicated
    bool strict_increase = false; ///< each step is later than the one before
    bool strict_order = false;    ///< between e(i) and e(i+1) no row satisfies a step other than i
    bool deduplicated = false;    ///< between e(i) and e(i+1) no row satisfies one of the steps 1 … i+1
    bool reentry = false;         ///< with strict_order: going back is no violation, only leaping ahead is
    bool unordered = false;       ///< steps in any order: the most different ones within a span
    std::uint32_t excluded = 0;   ///< conditions that are no steps: none may occur between e(1) and e(d)
};

/// Reads "ordered", "strict_order, exclude 4", …; throws invalid_parameter with the modes there are.
[[nodiscard]] FunnelMode parse_funnel_mode(std::string_view text);
/// Throws invalid_parameter when an excluded condition is not one of the funnel's.
void check_excluded(const FunnelMode& mode, unsigned conditions);
[[noreturn]] void not_excludable(unsigned conditions);

/// A chain of greatest depth. Of several: the one that is complete first, then the one that begins last.
struct FunnelChain {
    unsigned depth = 0;
    /// Times of steps 1 … depth; in unordered mode of every step, empty where it was not done.
    std::vector<std::optional<Time>> times;
};

/// Depth reached. `events` are sorted, `conditions` is how many there are (excluded ones too).
[[nodiscard]] unsigned funnel_depth(std::span<const Event> events, unsigned conditions, Span span,
                                    const FunnelMode& mode);

/// The best chain with its times.
[[nodiscard]] FunnelChain funnel_chain(std::span<const Event> events, unsigned conditions, Span span,
                                       const FunnelMode& mode);

/// How many steps there are without the excluded conditions.
[[nodiscard]] unsigned funnel_steps(unsigned conditions, const FunnelMode& mode) noexcept;

} // namespace nurture::analytics
