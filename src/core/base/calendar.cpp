#include "core/base/calendar.hpp"

#include "core/base/error.hpp"

#include <date/date.h>
#include <date/tz.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace nurture {

namespace {

using Micros = std::chrono::microseconds;
using SysMicros = date::sys_time<Micros>;
using LocalMicros = date::local_time<Micros>;

constexpr std::int64_t epoch_micros = unix_epoch_offset * one_second;

// The tz database's arithmetic is done within years that every representation bears; a time beyond is clipped.
constexpr Time earliest_civil = -2'000 * 366 * one_day;
constexpr Time latest_civil = 20'000 * 366 * one_day;

SysMicros to_sys(Time t) { return SysMicros(Micros(std::clamp(t, earliest_civil, latest_civil) + epoch_micros)); }

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept {
    std::int64_t const q = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

std::int64_t add_months(std::int64_t local, std::int32_t months) {
    auto const days = date::floor<date::days>(LocalMicros(Micros(local + epoch_micros)));
    auto const time_of_day = Micros(local + epoch_micros) - days.time_since_epoch();
    date::year_month_day const from(days);
    auto const month = from.year() / from.month() + date::months(months);
    date::year_month_day const last = month / date::last;
    auto const to = month / std::min(from.day(), last.day());
    return (date::local_days(to).time_since_epoch() + time_of_day).count() - epoch_micros;
}

} // namespace

std::optional<Zone> Zone::try_find(std::string_view name) {
    try {
        return Zone(date::locate_zone(std::string(name)));
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

Zone Zone::find(std::string_view name) {
    if (auto zone = try_find(name))
        return *zone;
    throw Error(ErrorKind::invalid_parameter, "unknown time zone \"" + std::string(name) + "\"", {},
                "Use a name of the tz database, such as 'Europe/Rome' or 'UTC'.");
}

std::string Zone::name() const { return zone_->name(); }

std::int64_t Zone::to_local(Time t) const {
    auto const sys = to_sys(t);
    return (sys.time_since_epoch() + zone_->get_info(sys).offset).count() - epoch_micros;
}

Time Zone::to_utc(std::int64_t local) const {
    LocalMicros const time{Micros(std::clamp(local, earliest_civil, latest_civil) + epoch_micros)};
    // In a gap the first answer is the offset before the jump, and in a repeated hour that of the first pass: both are
    // what to_utc() promises.
    auto const info = zone_->get_info(time);
    return (time.time_since_epoch() - info.first.offset).count() - epoch_micros;
}

Time Zone::first_at(std::int64_t local) const {
    LocalMicros const time{Micros(std::clamp(local, earliest_civil, latest_civil) + epoch_micros)};
    auto const info = zone_->get_info(time);
    if (info.result == date::local_info::nonexistent)
        return std::chrono::duration_cast<Micros>(info.first.end.time_since_epoch()).count() - epoch_micros;
    return (time.time_since_epoch() - info.first.offset).count() - epoch_micros;
}

Time add_on_calendar(Time t, const Duration& d, const Zone& zone) {
    if (d.months != 0 || d.days != 0) {
        std::int64_t local = zone.to_local(t);
        if (d.months != 0)
            local = add_months(local, d.months);
        t = zone.to_utc(saturating_add(local, d.days * one_day));
    }
    return saturating_add(t, d.micros);
}

std::int64_t period_of(Time t, Period period, const Zone& zone) {
    if (period == Period::ever)
        return 0;
    std::int64_t const local = zone.to_local(t);
    switch (period) {
    case Period::hour:
        return floor_div(local, one_hour);
    case Period::day:
        return floor_div(local, one_day);
    case Period::week: // 2000-01-01 was a Saturday; weeks begin on Monday
        return floor_div(local + 5 * one_day, one_week);
    case Period::month: {
        auto const days = date::floor<date::days>(LocalMicros(Micros(local + epoch_micros)));
        date::year_month_day const civil(days);
        return static_cast<int>(civil.year()) * std::int64_t{12} + static_cast<unsigned>(civil.month());
    }
    case Period::ever:
        break;
    }
    return 0;
}

namespace {

// Reads exactly `digits` digits; -1 when there are none.
int read_digits(std::string_view& text, std::size_t digits) {
    int value = -1;
    if (text.size() < digits)
        return -1;
    auto const [end, problem] = std::from_chars(text.data(), text.data() + digits, value);
    if (problem != std::errc() || end != text.data() + digits || value < 0)
        return -1;
    text.remove_prefix(digits);
    return value;
}

bool skip(std::string_view& text, char c) {
    if (text.empty() || text.front() != c)
        return false;
    text.remove_prefix(1);
    return true;
}

std::optional<Span> read_time_of_day(std::string_view& text) {
    int const h = read_digits(text, 2);
    if (h < 0 || h > 24 || !skip(text, ':'))
        return std::nullopt;
    int const m = read_digits(text, 2);
    if (m < 0 || m > 59)
        return std::nullopt;
    Span micros = h * one_hour + m * one_minute;
    if (skip(text, ':')) {
        int const s = read_digits(text, 2);
        if (s < 0 || s > 60)
            return std::nullopt;
        micros += s * one_second;
        if (skip(text, '.')) {
            Span unit = one_second / 10;
            std::size_t digits = 0;
            for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), ++digits) {
                micros += (text.front() - '0') * unit;
                unit /= 10;
            }
            if (digits == 0)
                return std::nullopt;
        }
    }
    if (micros > one_day + one_second) // 24:00 and a leap second are the last
        return std::nullopt;
    return micros;
}

// "Z", "+02", "+0200", "+02:00"; `present` tells whether there was one at all.
std::optional<Span> read_offset(std::string_view& text, bool& present) {
    present = !text.empty();
    if (!present || skip(text, 'Z') || skip(text, 'z'))
        return 0;
    bool const negative = text.front() == '-';
    if (!negative && text.front() != '+')
        return std::nullopt;
    text.remove_prefix(1);
    int const h = read_digits(text, 2);
    if (h < 0 || h > 15)
        return std::nullopt;
    Span offset = h * one_hour;
    if (skip(text, ':') || !text.empty()) {
        int const m = read_digits(text, 2);
        if (m < 0 || m > 59)
            return std::nullopt;
        offset += m * one_minute;
    }
    return negative ? -offset : offset;
}

} // namespace

std::optional<Time> parse_iso_time(std::string_view text, const Zone& zone) {
    int const y = read_digits(text, 4);
    if (y < 0 || !skip(text, '-'))
        return std::nullopt;
    int const m = read_digits(text, 2);
    if (m < 0 || !skip(text, '-'))
        return std::nullopt;
    int const d = read_digits(text, 2);
    date::year_month_day const civil =
        date::year(y) / date::month(static_cast<unsigned>(m)) / date::day(static_cast<unsigned>(d));
    if (d < 0 || !civil.ok())
        return std::nullopt;
    std::int64_t local = Micros(date::local_days(civil).time_since_epoch()).count() - epoch_micros;
    if (text.empty())
        return zone.to_utc(local);
    if (!skip(text, 'T') && !skip(text, ' '))
        return std::nullopt;
    auto const time_of_day = read_time_of_day(text);
    if (!time_of_day)
        return std::nullopt;
    local += *time_of_day;
    bool zoned = false;
    auto const offset = read_offset(text, zoned);
    if (!offset || !text.empty())
        return std::nullopt;
    return zoned ? local - *offset : zone.to_utc(local);
}

} // namespace nurture
