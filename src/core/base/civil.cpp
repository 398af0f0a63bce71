#include "core/base/civil.hpp"

#include <algorithm>
#include <chrono>

namespace nurture {

namespace {

constexpr std::int64_t unix_days = unix_epoch_offset / 86'400;

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept {
    std::int64_t const q = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

std::chrono::sys_days sys(std::int64_t day) noexcept {
    return std::chrono::sys_days(std::chrono::days(std::clamp<std::int64_t>(day, -4'000'000, 8'000'000) + unix_days));
}

} // namespace

CivilDay civil_of(std::int64_t day) noexcept {
    std::chrono::year_month_day const date(sys(day));
    return {static_cast<int>(date.year()), static_cast<int>(static_cast<unsigned>(date.month())),
            static_cast<int>(static_cast<unsigned>(date.day()))};
}

std::int64_t day_number(int year, int month, int day) noexcept {
    auto const in_month = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month));
    auto const last = (in_month / std::chrono::last).day();
    auto const date = in_month / std::min(std::chrono::day(static_cast<unsigned>(day)), last);
    return std::chrono::sys_days(date).time_since_epoch().count() - unix_days;
}

int weekday_of(std::int64_t day) noexcept { // 2000-01-01 was a Saturday
    return static_cast<int>(((day + 5) % 7 + 7) % 7);
}

int iso_week_of(std::int64_t day) noexcept { // the week of its Thursday
    std::int64_t const thursday = day - weekday_of(day) + 3;
    return static_cast<int>((thursday - day_number(civil_of(thursday).year, 1, 1)) / 7) + 1;
}

std::int64_t period_begin(std::int64_t day, DayUnit unit, int week_start, int offset) noexcept {
    if (unit == DayUnit::day)
        return day + offset;
    if (unit == DayUnit::week)
        return day - (weekday_of(day) - week_start + 7) % 7 + 7 * std::int64_t{offset};
    CivilDay const civil = civil_of(day);
    int const length = unit == DayUnit::month ? 1 : unit == DayUnit::quarter ? 3 : 12;
    std::int64_t const months = civil.year * std::int64_t{12} + civil.month - 1;
    std::int64_t const begin = (floor_div(months, length) + offset) * length;
    return day_number(static_cast<int>(floor_div(begin, 12)), static_cast<int>(begin - floor_div(begin, 12) * 12) + 1, 1);
}

std::int64_t move_day(std::int64_t day, std::int32_t months, std::int32_t days) noexcept {
    if (months != 0) {
        CivilDay const civil = civil_of(day);
        std::int64_t const to = civil.year * std::int64_t{12} + civil.month - 1 + months;
        auto const year = std::clamp<std::int64_t>(floor_div(to, 12), -9'000, 20'000);
        day = day_number(static_cast<int>(year), static_cast<int>(to - floor_div(to, 12) * 12) + 1, civil.day);
    }
    return day + days;
}

std::int64_t slot_of(Time t, Span width, const Zone& zone) {
    // After the clock was put back it shows again what belongs to a slot that is over.
    std::int64_t slot = floor_div(zone.to_local(t), width);
    while (zone.first_at((slot + 1) * width) <= t)
        ++slot;
    return slot;
}

} // namespace nurture
