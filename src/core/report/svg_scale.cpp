// Numbers and times as people read them, and the round values of axes.
#include "core/report/svg.hpp"

#include "core/base/time.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

namespace nurture::report::svg {
namespace {

std::string fixed(double value, int decimals) {
    char buffer[400];
    auto const end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, decimals).ptr;
    std::string out(buffer, end);
    // -0.0 is 0.
    if (out.find_first_not_of("-0.") == std::string::npos && out[0] == '-')
        out.erase(0, 1);
    return out;
}

std::string with_groups(std::string number) {
    std::size_t const sign = !number.empty() && number[0] == '-' ? 1 : 0;
    std::size_t const point = std::min(number.find('.'), number.size());
    for (std::size_t i = point; i > sign + 3; i -= 3)
        number.insert(i - 3, 1, ',');
    return number;
}

void trim_zeros(std::string& number) {
    if (number.find('.') == std::string::npos)
        return;
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.')
        number.pop_back();
}

using Days = std::chrono::sys_days;
constexpr Days epoch = Days(std::chrono::year(2000) / 1 / 1);

std::int64_t day_of(std::int64_t at) { return at / one_day - (at % one_day < 0 ? 1 : 0); }
std::chrono::year_month_day date_of(std::int64_t at) { return epoch + std::chrono::days(day_of(at)); }

std::string month_name(std::chrono::year_month_day date) {
    static constexpr const char* names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return names[static_cast<unsigned>(date.month()) - 1];
}
std::string day_name(std::chrono::year_month_day date) {
    return std::to_string(static_cast<unsigned>(date.day())) + " " + month_name(date);
}
std::string year_name(std::chrono::year_month_day date) { return std::to_string(static_cast<int>(date.year())); }

std::string clock_name(std::int64_t at) {
    std::int64_t const minutes = (at - day_of(at) * one_day) / one_minute;
    auto const two = [](std::int64_t n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
    return two(minutes / 60) + ":" + two(minutes % 60);
}

std::vector<TimeTick> exact_ticks(std::int64_t from, std::int64_t to, Span step) {
    std::vector<TimeTick> out;
    // Days count from a Monday, so that weeks begin on one (3 January 2000).
    Span const offset = step % one_week == 0 ? 2 * one_day : 0;
    std::int64_t at = (from - offset) / step * step + offset;
    while (at < from)
        at += step;
    for (; at <= to; at += step) {
        auto const date = date_of(at);
        bool const midnight = at == day_of(at) * one_day;
        out.push_back({at, midnight || step >= one_day ? day_name(date) : clock_name(at)});
    }
    return out;
}

std::vector<TimeTick> month_ticks(std::int64_t from, std::int64_t to, int months) {
    std::vector<TimeTick> out;
    auto const first = date_of(from);
    int index = static_cast<int>(first.year()) * 12 + static_cast<int>(static_cast<unsigned>(first.month())) - 1;
    index -= index % months;
    for (;; index += months) {
        auto const date = std::chrono::year(index / 12) / (static_cast<unsigned>(index % 12) + 1) / 1;
        std::int64_t const at = (Days(date) - epoch).count() * one_day;
        if (at > to)
            return out;
        if (at >= from)
            out.push_back({at, months >= 12 ? year_name(date) : month_name(date) + " " + year_name(date)});
    }
}

} // namespace

std::string grouped(std::int64_t n) { return with_groups(std::to_string(n)); }

std::string brief(double value) {
    double const magnitude = std::abs(value);
    if (magnitude >= 1e15) {
        char buffer[40];
        return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific, 2).ptr};
    }
    static constexpr std::pair<double, const char*> units[] = {{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e5, " k"}};
    for (auto const& [from, name] : units) {
        double const unit = from == 1e5 ? 1e3 : from;
        if (magnitude >= from * 0.9995) {
            std::string text = fixed(value / unit, magnitude / unit >= 100 ? 0 : magnitude / unit >= 10 ? 1 : 2);
            trim_zeros(text);
            return text + name;
        }
    }
    if (magnitude != 0 && magnitude < 0.0005)
        return value < 0 ? ">-0.001" : "<0.001";
    std::string text = fixed(value, magnitude >= 1000 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3);
    trim_zeros(text);
    return with_groups(text);
}

std::string percent(double share) {
    double const value = share * 100;
    if (value > 0 && value < 0.05)
        return "<0.1%";
    if (value < 100 && value >= 99.95)
        return ">99.9%";
    if (std::abs(value) >= 1e15)
        return brief(value) + "%";
    return with_groups(fixed(value, value == std::round(value) ? 0 : 1)) + "%";
}

std::string tick_label(double value, double step) {
    int decimals = 0;
    // A quarter has two decimals, whatever its power of ten.
    for (double s = step; decimals < 12 && std::abs(s - std::round(s)) > 1e-6 * step * std::pow(10, decimals); s *= 10)
        ++decimals;
    if (std::abs(value) >= 1e6 || (step >= 1000 && std::abs(value) >= 1e5))
        return brief(value);
    return with_groups(fixed(value, decimals));
}

std::vector<double> Scale::ticks() const {
    std::vector<double> out;
    auto const count = std::llround((high - low) / step);
    for (long long i = 0; i <= count; ++i)
        out.push_back(low + static_cast<double>(i) * step);
    return out;
}

Scale scale_for(double low, double high, int count) {
    double const floor_step = std::max({std::abs(low), std::abs(high), 1e-6}) * 1e-9;
    double const rough = std::max((high - low) / count, floor_step);
    double const power = std::pow(10, std::floor(std::log10(rough)));
    double step = 10 * power;
    for (double const factor : {1.0, 2.0, 2.5, 5.0}) {
        if (factor * power >= rough * (1 - 1e-9)) {
            step = factor * power;
            break;
        }
    }
    Scale scale{std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step, step};
    if (scale.high <= scale.low)
        scale.high = scale.low + step;
    return scale;
}

std::vector<TimeTick> time_ticks(std::int64_t from, std::int64_t to, int count) {
    static constexpr Span exact[] = {one_minute,    5 * one_minute, 15 * one_minute, 30 * one_minute, one_hour,
                                     3 * one_hour,  6 * one_hour,   12 * one_hour,   one_day,         2 * one_day,
                                     one_week,      2 * one_week};
    for (Span const step : exact)
        if ((to - from) / step < count)
            return exact_ticks(from, to, step);
    for (int const months : {1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12000})
        if ((to - from) / (months * 30 * one_day) < count || months == 12000)
            return month_ticks(from, to, months);
    return {};
}

std::string moment(std::int64_t at) {
    auto const date = date_of(at);
    std::string const day = day_name(date) + " " + year_name(date);
    return at == day_of(at) * one_day ? day : day + " " + clock_name(at);
}

} // namespace nurture::report::svg
