#pragma once
// Days as people count them: a day is a number (2000-01-01 is 0), periods are ranges of days. Where a zone is given, a
// period begins at the first moment at which the local clock shows its beginning; so each period comes once, also where
// the clock is put back across midnight.
#include "core/base/calendar.hpp"

namespace nurture {

struct CivilDay {
    int year = 2000;
    int month = 1, day = 1;
};
[[nodiscard]] CivilDay civil_of(std::int64_t day) noexcept;
/// A day beyond the month's end is its last.
[[nodiscard]] std::int64_t day_number(int year, int month, int day) noexcept;
/// 0 Monday … 6 Sunday.
[[nodiscard]] int weekday_of(std::int64_t day) noexcept;
/// ISO 8601 week of the year.
[[nodiscard]] int iso_week_of(std::int64_t day) noexcept;

enum class DayUnit : std::uint8_t { day, week, month, quarter, year };
/// The first day of the period `offset` periods after the one that `day` lies in. Weeks begin on week_start (0 Monday).
[[nodiscard]] std::int64_t period_begin(std::int64_t day, DayUnit unit, int week_start, int offset) noexcept;

/// day moved by months (clipped to the month's end), then days.
[[nodiscard]] std::int64_t move_day(std::int64_t day, std::int32_t months, std::int32_t days) noexcept;

/// The number of the span of `width` of the local clock (an hour, a day) that t lies in.
[[nodiscard]] std::int64_t slot_of(Time t, Span width, const Zone& zone);
[[nodiscard]] inline std::int64_t day_of(Time t, const Zone& zone) { return slot_of(t, one_day, zone); }
[[nodiscard]] inline Time begin_of_day(std::int64_t day, const Zone& zone) { return zone.first_at(day * one_day); }

} // namespace nurture
