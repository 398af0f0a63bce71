#include "core/base/cron.hpp"

#include "core/base/civil.hpp"
#include "core/base/error.hpp"

#include <algorithm>
#include <charconv>

namespace nurture {

namespace {

constexpr std::int64_t furthest_days = 30 * 366;

struct Field {
    const char* name;
    int least, most;
    std::span<const std::string_view> names; // of the values from least_name on
    int least_name;
};

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> day_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<Field, 5> fields{Field{"minute", 0, 59, {}, 0}, Field{"hour", 0, 23, {}, 0},
                                      Field{"day of the month", 1, 31, {}, 0}, Field{"month", 1, 12, month_names, 1},
                                      Field{"day of the week", 0, 7, day_names, 0}};

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorKind::invalid_parameter, what, {},
                "A schedule has five fields: minute, hour, day of the month, month, day of the week: 0 9 * * mon-fri.");
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> out(1);
    for (char const c : text)
        if (c == separator)
            out.emplace_back();
        else
            out.back() += c;
    return out;
}

int value_of(const Field& field, std::string_view text) {
    for (std::size_t i = 0; i < field.names.size(); ++i)
        if (field.names[i] == text)
            return static_cast<int>(i) + field.least_name;
    int value = -1;
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || problem == std::errc::invalid_argument || end != text.data() + text.size())
        refuse("\"" + std::string(text) + "\" is no " + field.name);
    if (problem != std::errc() || value < field.least || value > field.most)
        refuse(std::string("there is no ") + field.name + ' ' + std::string(text) + " (" + std::to_string(field.least) + " to " +
               std::to_string(field.most) + ')');
    return value;
}

// a, a-b, a-b/s, *, */s
std::uint64_t bits_of(const Field& field, std::string_view item) {
    int step = 1;
    bool stepped = false;
    if (auto const slash = item.find('/'); slash != item.npos) {
        std::string_view const text = item.substr(slash + 1);
        auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), step);
        if (problem != std::errc() || end != text.data() + text.size() || step < 1 || step > field.most)
            refuse("\"" + std::string(text) + "\" is no step for the " + field.name);
        item = item.substr(0, slash);
        stepped = true;
    }
    int from = field.least;
    int to = field.most == 7 ? 6 : field.most;
    if (item != "*") {
        auto const dash = item.find('-');
        from = value_of(field, item.substr(0, dash));
        to = dash == item.npos ? (stepped ? field.most : from) : value_of(field, item.substr(dash + 1));
        if (to < from)
            refuse(std::string("the range ") + std::string(item) + " of the " + field.name + " ends before it begins");
    }
    std::uint64_t out = 0;
    for (int i = from; i <= to; i += step)
        out |= std::uint64_t{1} << (field.most == 7 && i == 7 ? 0 : i);
    return out;
}

std::string spelled_out(std::string_view macro) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> macros{{{"@hourly", "0 * * * *"},
                                                                                          {"@daily", "0 0 * * *"},
                                                                                          {"@midnight", "0 0 * * *"},
                                                                                          {"@weekly", "0 0 * * 0"},
                                                                                          {"@monthly", "0 0 1 * *"},
                                                                                          {"@yearly", "0 0 1 1 *"},
                                                                                          {"@annually", "0 0 1 1 *"}}};
    for (auto const& [name, fields_of] : macros)
        if (name == macro)
            return std::string(fields_of);
    refuse("unknown schedule \"" + std::string(macro) + "\"");
}

} // namespace

Cron Cron::parse(std::string_view text) {
    std::vector<std::string> words;
    std::vector<std::size_t> places;
    bool in_word = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        bool const blank = c == ' ' || c == '\t' || c == '\n';
        if (!blank && !in_word) {
            words.emplace_back();
            places.push_back(i);
        }
        in_word = !blank;
        if (!blank)
            words.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    if (words.size() == 1 && words.front().starts_with('@'))
        words = split(spelled_out(words.front()), ' ');
    if (words.size() != fields.size())
        refuse("a schedule has five fields, not " + std::to_string(words.size()));
    std::array<std::uint64_t, 5> bits{};
    Cron out;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        std::size_t place = i < places.size() ? places[i] : 0;
        for (const std::string& item : split(words[i], ',')) {
            try {
                bits[i] |= bits_of(fields[i], item);
            } catch (Error& error) {
                error.offset = static_cast<std::int64_t>(place);
                throw;
            }
            place += item.size() + 1;
        }
        out.text_ += (i == 0 ? "" : " ") + words[i];
    }
    out.minutes_ = bits[0];
    out.hours_ = static_cast<std::uint32_t>(bits[1]);
    out.days_ = static_cast<std::uint32_t>(bits[2]);
    out.months_ = static_cast<std::uint32_t>(bits[3]);
    out.weekdays_ = static_cast<std::uint32_t>(bits[4]);
    out.any_day_ = words[2].starts_with('*');
    out.any_weekday_ = words[4].starts_with('*');
    out.follows_clock_ = words[0].starts_with('*') || words[1].starts_with('*');
    if (out.next_local(0) == never)
        refuse("the schedule \"" + out.text_ + "\" never comes");
    return out;
}

bool Cron::matches_day(std::int64_t day) const noexcept {
    CivilDay const civil = civil_of(day);
    if ((months_ >> civil.month & 1) == 0)
        return false;
    bool const of_month = (days_ >> civil.day & 1) != 0;
    bool const of_week = (weekdays_ >> ((weekday_of(day) + 1) % 7) & 1) != 0;
    return any_day_ || any_weekday_ ? of_month && of_week : of_month || of_week;
}

std::int64_t Cron::next_local(std::int64_t local) const {
    std::int64_t const first = local + one_minute - 1 - ((local + one_minute - 1) % one_minute + one_minute) % one_minute;
    std::int64_t day = first / one_day - (first % one_day < 0 ? 1 : 0);
    auto minute = static_cast<int>((first - day * one_day) / one_minute);
    for (std::int64_t const last = day + furthest_days; day <= last; ++day, minute = 0) {
        if (!matches_day(day))
            continue;
        for (; minute < 24 * 60; ++minute) {
            if ((hours_ >> (minute / 60) & 1) == 0)
                minute += 59 - minute % 60;
            else if ((minutes_ >> (minute % 60) & 1) != 0)
                return day * one_day + minute * one_minute;
        }
    }
    return never;
}

Time Cron::next(Time t, const Zone& zone) const {
    if (follows_clock_)
        return next_by_clock(t, zone);
    // On a repeated hour the local clock may show what came already; in a gap several times come at its end.
    std::int64_t local = zone.to_local(t) - one_day;
    for (;;) {
        local = next_local(local);
        if (local == never)
            return never;
        if (Time const at = zone.first_at(local); at > t)
            return at;
        local += one_minute;
    }
}

// From one change of the clock to the next it runs evenly.
Time Cron::next_by_clock(Time t, const Zone& zone) const {
    Time const last = saturating_add(t, furthest_days * one_day);
    std::int64_t from = zone.to_local(t) + 1;
    while (t < last) {
        Span const offset = zone.to_local(t) - t;
        std::int64_t const local = next_local(from);
        if (local == never)
            return never;
        Time const at = local - offset;
        // The clock may be changed before: the first moment with another offset, a week at a time.
        Time stretch = std::min(at, saturating_add(t, one_week));
        if (zone.to_local(stretch) - stretch == offset) {
            if (stretch == at)
                return at;
            t = stretch;
            from = local;
            continue;
        }
        Time before = t;
        while (stretch - before > 1) {
            Time const middle = before + (stretch - before) / 2;
            (zone.to_local(middle) - middle == offset ? before : stretch) = middle;
        }
        t = stretch;
        from = zone.to_local(t);
    }
    return never;
}

} // namespace nurture
