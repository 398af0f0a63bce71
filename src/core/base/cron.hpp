#pragma once
// Repeated moments as crontab(5) writes them, on a local clock.
#include "core/base/calendar.hpp"

#include <array>
#include <span>
#include <vector>

namespace nurture {

/// Minute, hour, day of the month, month, day of the week: numbers, names (jan, mon), ranges, lists, steps; where both days
/// are restricted either will do. Also @hourly, @daily, @weekly, @monthly, @yearly.
///
/// Where clocks change it does as Debian's cron: a job with fixed hours and minutes runs once on a repeated hour (the first
/// time), and as soon as the gap is over where its time is skipped; one whose hour or minute begins with * follows the clock.
class Cron {
  public:
    /// Throws Error(invalid_parameter) with what is wrong and where, and for what never comes (30 February).
    [[nodiscard]] static Cron parse(std::string_view text);
    /// Lower case, one blank between fields.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// The first such moment after `t`, or never.
    [[nodiscard]] Time next(Time t, const Zone& zone) const;
    /// The first local minute at `local` or later that the fields match; never when there is none for 30 years.
    [[nodiscard]] std::int64_t next_local(std::int64_t local) const;

  private:
    std::string text_;
    std::uint64_t minutes_ = 0;
    std::uint32_t hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0; // weekdays: Sunday is bit 0
    bool any_day_ = false, any_weekday_ = false;                     // the field begins with *
    bool follows_clock_ = false;

    [[nodiscard]] bool matches_day(std::int64_t day) const noexcept;
    [[nodiscard]] Time next_by_clock(Time t, const Zone& zone) const;
};

} // namespace nurture
