#pragma once
// The events of one group as the sequence aggregates see them: when, and which of the conditions were true.
// Also the form in which they are stored and travel between processes (funnel_summary, partial aggregates).
#include "core/base/time.hpp"

#include <compare>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::analytics {

/// Most conditions an aggregate takes: one bit of a mask each.
inline constexpr unsigned max_conditions = 32;

/// One row: its time and the conditions it satisfies (bit 0 is the first). Order: by time, ties by mask, so
/// that a sorted sequence depends on the set of rows alone.
struct Event {
    Time at = 0;
    std::uint32_t mask = 0;
    friend auto operator<=>(const Event&, const Event&) = default;
};

/// Which SQL type the times came from. Dates are kept as midnight in microseconds, bigints as they are.
enum class TimeKind : std::uint8_t { timestamptz = 0, timestamp = 1, date = 2, bigint = 3 };

[[nodiscard]] std::string_view name_of(TimeKind kind) noexcept;

/// Length of time from `from` to `to`, which is not earlier; exact for all values, the infinities included.
[[nodiscard]] constexpr std::uint64_t elapsed(Time from, Time to) noexcept {
    return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

[[nodiscard]] constexpr std::uint32_t bit(unsigned condition) noexcept {
    return std::uint32_t{1} << condition;
}

/// Mask of the first n conditions.
[[nodiscard]] constexpr std::uint32_t low_bits(unsigned n) noexcept {
    return n >= 32 ? ~std::uint32_t{0} : (std::uint32_t{1} << n) - 1;
}

/// Events with what they were collected for. A funnel_summary is one without pattern.
struct EventSet {
    TimeKind kind = TimeKind::timestamptz;
    unsigned conditions = 1;
    Span span = 0;             ///< the funnel's; 0 in a sequence
    std::string pattern;       ///< the sequence's; empty in a funnel
    std::vector<Event> events; ///< sorted
};

/// Throws Error(corrupt_data) unless `set` is one that encode() could have been given: the only judge of
/// values that come from outside.
void validate(const EventSet& set);

/// The bytes of a set; the first is the format's version. Equal sets give equal bytes.
[[nodiscard]] std::string encode(const EventSet& set);
/// The set those bytes stand for. Throws corrupt_data, or newer_format for a version not known here.
[[nodiscard]] EventSet decode(std::string_view bytes);

/// Text of a funnel_summary: `1 timestamptz 4 604800000000 [819234000000000:1 …]` (version, type, steps,
/// span, then time:mask). Integers only, so it is exact and means the same in every session.
[[nodiscard]] std::string print(const EventSet& set);
/// Inverse of print(). Throws invalid_parameter with what was expected where.
[[nodiscard]] EventSet parse_event_set(std::string_view text);

/// Calls visit(first, last) for each instant: the half-open range of events with one time.
template <class Visit>
void for_each_instant(std::span<const Event> events, Visit visit) {
    for (std::size_t first = 0; first < events.size();) {
        std::size_t last = first + 1;
        while (last < events.size() && events[last].at == events[first].at)
            ++last;
        if (!visit(first, last))
            return;
        first = last;
    }
}

} // namespace nurture::analytics
