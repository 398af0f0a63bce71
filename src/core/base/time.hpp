#pragma once
// Time as PostgreSQL keeps it: microseconds, UTC. The epoch is PostgreSQL's (2000-01-01 00:00:00+00), so that a
// timestamptz crosses the border unchanged.
#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace nurture {

/// Microseconds since 2000-01-01 00:00:00 UTC.
using Time = std::int64_t;
/// Microseconds.
using Span = std::int64_t;

inline constexpr Span one_microsecond = 1;
inline constexpr Span one_second = 1'000'000;
inline constexpr Span one_minute = 60 * one_second;
inline constexpr Span one_hour = 60 * one_minute;
inline constexpr Span one_day = 24 * one_hour;
inline constexpr Span one_week = 7 * one_day;

/// "never": later than every time that can be stored.
inline constexpr Time never = std::numeric_limits<Time>::max();
/// "before everything": earlier than every time that can be stored.
inline constexpr Time always = std::numeric_limits<Time>::min();

/// Unix seconds of PostgreSQL's epoch.
inline constexpr std::int64_t unix_epoch_offset = 946'684'800;

/// t + d without overflow: saturates at never and always.
[[nodiscard]] constexpr Time saturating_add(Time t, Span d) noexcept {
    Time sum = 0;
    if (__builtin_add_overflow(t, d, &sum))
        return d > 0 ? never : always;
    return sum;
}

/// A length of time as people write it. Windows and half-lives take it exactly (a day is 24 h); waits take months
/// and days on the contact's local calendar. Months only add calendar months (a year is 12).
struct Duration {
    std::int32_t months = 0;
    std::int32_t days = 0;
    Span micros = 0;

    friend bool operator==(const Duration&, const Duration&) = default;

    [[nodiscard]] bool empty() const noexcept { return months == 0 && days == 0 && micros == 0; }
    /// Days as 24 h. Defined only without months.
    [[nodiscard]] constexpr Span exact() const noexcept { return days * one_day + micros; }
};

} // namespace nurture
