#include "core/base/iso_time.hpp"

#include <charconv>
#include <cstdio>

namespace nurture {

namespace {

// Days of the proleptic Gregorian calendar since 1970-01-01 and back; H. Hinnant, "chrono-Compatible
// Low-Level Date Algorithms", https://howardhinnant.github.io/date_algorithms.html (std::chrono's years end
// at 32767).
constexpr std::int64_t days_from_civil(std::int64_t year, int month, int day_of_month) noexcept {
    year -= month <= 2 ? 1 : 0;
    std::int64_t const era = (year >= 0 ? year : year - 399) / 400;
    auto const of_era = year - era * 400;
    auto const of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day_of_month - 1;
    return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

struct Civil {
    std::int64_t year;
    int month;
    int day_of_month;
};

constexpr Civil civil_from_days(std::int64_t days) noexcept {
    days += 719'468;
    std::int64_t const era = (days >= 0 ? days : days - 146'096) / 146'097;
    auto const of_era = days - era * 146'097;
    auto const year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
    auto const of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    auto const shifted_month = (5 * of_year + 2) / 153;
    auto const day_of_month = static_cast<int>(of_year - (153 * shifted_month + 2) / 5 + 1);
    auto const month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day_of_month};
}

constexpr std::int64_t unix_days_of_epoch = unix_epoch_offset / 86'400;

// Takes `digits` digits (at least one when 0 is asked for) off the front.
std::optional<std::int64_t> take_number(std::string_view& text, std::size_t digits) noexcept {
    std::size_t size = 0;
    while (size < text.size() && text[size] >= '0' && text[size] <= '9' && (digits == 0 || size < digits))
        ++size;
    std::int64_t value = 0;
    if (size == 0 || size > 6 || (digits != 0 && size != digits))
        return std::nullopt;
    std::from_chars(text.data(), text.data() + size, value);
    text.remove_prefix(size);
    return value;
}

bool take(std::string_view& text, char c) noexcept {
    if (text.empty() || text.front() != c)
        return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::int64_t> take_fraction(std::string_view& text) noexcept {
    if (!take(text, '.'))
        return 0;
    std::int64_t micros = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && digits < 6; ++digits)
        micros = micros * 10 + (text[digits] - '0');
    if (digits == 0)
        return std::nullopt;
    text.remove_prefix(digits);
    for (; digits < 6; ++digits)
        micros *= 10;
    return micros;
}

} // namespace

std::string print_iso_time(Time at) {
    std::int64_t days = at / one_day;
    std::int64_t rest = at % one_day;
    if (rest < 0) {
        rest += one_day;
        --days;
    }
    auto const civil = civil_from_days(days + unix_days_of_epoch);
    char text[64];
    int size =
        std::snprintf(text, sizeof text, "%s%04lld-%02d-%02dT%02d:%02d:%02d", civil.year < 0 ? "-" : "",
                      static_cast<long long>(civil.year < 0 ? -civil.year : civil.year), civil.month,
                      civil.day_of_month, static_cast<int>(rest / one_hour), static_cast<int>(rest / one_minute % 60),
                      static_cast<int>(rest / one_second % 60));
    if (std::int64_t const micros = rest % one_second; micros != 0) {
        size += std::snprintf(text + size, sizeof text - static_cast<std::size_t>(size), ".%06d",
                              static_cast<int>(micros));
        while (text[size - 1] == '0')
            --size;
    }
    text[size++] = 'Z';
    return {text, static_cast<std::size_t>(size)};
}

std::optional<Time> parse_iso_time(std::string_view text) noexcept {
    bool const negative = take(text, '-');
    auto const year = take_number(text, 0);
    if (!year || !take(text, '-'))
        return std::nullopt;
    auto const month = take_number(text, 2);
    if (!month || *month < 1 || *month > 12 || !take(text, '-'))
        return std::nullopt;
    auto const day_of_month = take_number(text, 2);
    if (!day_of_month || (!take(text, 'T') && !take(text, ' ')))
        return std::nullopt;
    auto const hours = take_number(text, 2);
    if (!hours || *hours > 23 || !take(text, ':'))
        return std::nullopt;
    auto const minutes = take_number(text, 2);
    if (!minutes || *minutes > 59 || !take(text, ':'))
        return std::nullopt;
    auto const seconds = take_number(text, 2);
    if (!seconds || *seconds > 59)
        return std::nullopt;
    auto const micros = take_fraction(text);
    take(text, 'Z');
    if (!micros || !text.empty())
        return std::nullopt;
    auto const days =
        days_from_civil(negative ? -*year : *year, static_cast<int>(*month), static_cast<int>(*day_of_month));
    auto const back = civil_from_days(days);
    if (back.month != *month || back.day_of_month != *day_of_month)
        return std::nullopt; // the 30th of February
    __int128 const at = static_cast<__int128>(days - unix_days_of_epoch) * one_day + *hours * one_hour +
                        *minutes * one_minute + *seconds * one_second + *micros;
    if (at > never || at < always)
        return std::nullopt;
    return static_cast<Time>(at);
}

} // namespace nurture
