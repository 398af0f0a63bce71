#include "core/analytics/cohort.hpp"

#include "core/analytics/wire.hpp"
#include "core/base/error.hpp"

#include <date/date.h>

#include <algorithm>
#include <charconv>

namespace nurture::analytics {

namespace {

constexpr std::uint8_t format_version = 1;
constexpr Span monday = 2 * one_day; // Monday, 3 January 2000
constexpr std::size_t most_lines = 1'000'000;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) noexcept {
    return a / b - (a % b != 0 && a < 0 ? 1 : 0);
}

Time midnight(date::sys_days days) noexcept {
    using namespace std::chrono;
    return static_cast<Time>(days.time_since_epoch().count()) * one_day - unix_epoch_offset * one_second;
}

void add_to(std::int64_t& sum, std::int64_t value) {
    if (__builtin_add_overflow(sum, value, &sum))
        throw Error(ErrorKind::out_of_range, "a cohort has more than 2^63 contacts");
}

} // namespace

Period make_period(const Duration& duration) {
    Period period{duration.months, duration.exact()};
    bool const calendar = duration.months > 0 && duration.days == 0 && duration.micros == 0;
    if (calendar)
        return period;
    if (duration.months != 0)
        throw Error(ErrorKind::invalid_parameter, "a cohort's period is either months or an exact length",
                    "A month has no fixed number of days.",
                    "Use, for example, interval '1 month' or '7 days'.");
    if (period.micros <= 0 || duration.days < 0 || duration.micros < 0)
        throw Error(ErrorKind::invalid_parameter, "a cohort's period must be positive");
    return period;
}

std::int64_t period_of(const Period& period, Time at) noexcept {
    if (period.months == 0) {
        Time shifted = 0;
        if (__builtin_sub_overflow(at, monday, &shifted))
            shifted = always;
        return floor_divide(shifted, period.micros);
    }
    date::sys_days const days{date::days{floor_divide(at, one_day) + unix_epoch_offset / 86'400}};
    date::year_month_day const ymd{days};
    std::int64_t const month = (static_cast<std::int64_t>(static_cast<int>(ymd.year())) - 2000) * 12 +
                               static_cast<unsigned>(ymd.month()) - 1;
    return floor_divide(month, period.months);
}

std::int64_t period_number(const Period& period, Time at) {
    if (at == always || at == never)
        throw Error(ErrorKind::out_of_range, "a cohort's times must be finite");
    std::int64_t const number = period_of(period, at);
    if (number > furthest_period || number < -furthest_period)
        throw Error(ErrorKind::out_of_range, "a cohort's period is too short for this time");
    return number;
}

Time period_start(const Period& period, std::int64_t number) noexcept {
    __int128 start = 0;
    if (period.months == 0) {
        start = static_cast<__int128>(number) * period.micros + monday;
    } else {
        __int128 const month = static_cast<__int128>(number) * period.months;
        if (month < -12 * 30'000 || month > 12 * 30'000) {
            start = static_cast<__int128>(month) * 30 * one_day;
        } else {
            std::int64_t const m = static_cast<std::int64_t>(month);
            std::int64_t const year = floor_divide(m, 12);
            start = midnight(date::sys_days{date::year{static_cast<int>(year) + 2000} /
                                            date::month{static_cast<unsigned>(m - year * 12) + 1} /
                                            date::day{1}});
        }
    }
    if (start > never)
        return never;
    return start < always ? always : static_cast<Time>(start);
}

void CohortSummary::expect(const Period& other) const {
    if (period != other)
        throw Error(ErrorKind::invalid_parameter, "cohort summaries with different periods cannot be added",
                    "", "Make both with the same period.");
}

void CohortSummary::add_cell(const std::pair<std::int64_t, std::int64_t>& key, const CohortCell& cell) {
    CohortCell& mine = cells[key];
    add_to(mine.active, cell.active);
    mine.retained += cell.retained; // never more than active
}

void CohortSummary::add(const CohortSummary& other) {
    expect(other.period);
    for (const auto& [cohort, n] : other.members)
        add_to(members[cohort], n);
    for (const auto& [key, cell] : other.cells)
        add_cell(key, cell);
}

CohortSummary summarize_contact(const Period& period, std::int64_t first,
                                const std::vector<std::int64_t>& periods) {
    CohortSummary summary;
    summary.period = period;
    summary.members[first] = 1;
    for (std::size_t i = 0; i < periods.size(); ++i) {
        if (periods[i] < first)
            continue;
        bool const stayed = i > 0 && periods[i - 1] >= first && periods[i - 1] + 1 == periods[i];
        summary.cells[{first, periods[i] - first}] = {1, stayed ? 1 : 0};
    }
    return summary;
}

std::vector<CohortLine> cohort_lines(const CohortSummary& summary) {
    std::vector<CohortLine> lines;
    if (summary.members.empty())
        return lines;
    std::int64_t last = summary.members.rbegin()->first;
    for (const auto& [key, cell] : summary.cells)
        last = std::max(last, key.first + key.second);
    for (const auto& [cohort, members] : summary.members) {
        if (static_cast<std::uint64_t>(last - cohort) >= most_lines - lines.size())
            throw Error(ErrorKind::limit_exceeded, "the cohort table has more than a million lines", "",
                        "Use a longer period or fewer cohorts.");
        CohortLine before;
        for (std::int64_t offset = 0; offset <= last - cohort; ++offset) {
            CohortLine line{cohort, offset, members};
            if (auto const found = summary.cells.find({cohort, offset}); found != summary.cells.end()) {
                line.active = found->second.active;
                line.retained = found->second.retained;
            }
            if (offset > 0) {
                line.resurrected = line.active - line.retained;
                line.churned = before.active - line.retained;
            }
            lines.push_back(line);
            before = line;
        }
    }
    return lines;
}

namespace {

void check_period(const Period& period) {
    if (period.months < 0 || period.micros < 0 || (period.months == 0) == (period.micros == 0))
        ByteReader::fail("the period is neither months nor an exact length");
}
void check_members(std::int64_t cohort, std::int64_t members) {
    if (members <= 0 || cohort > furthest_period || cohort < -furthest_period)
        ByteReader::fail("a cohort has no members or is out of range");
}
void check_cell(const CohortCell& cell, std::int64_t members, std::int64_t active_before) {
    if (cell.active <= 0 || cell.active > members || cell.retained < 0 || cell.retained > cell.active)
        ByteReader::fail("more contacts are counted than there are");
    if (cell.retained > active_before)
        ByteReader::fail("more contacts are retained than were active before");
}

} // namespace

void validate(const CohortSummary& summary) {
    check_period(summary.period);
    for (const auto& [cohort, members] : summary.members)
        check_members(cohort, members);
    for (const auto& [key, cell] : summary.cells) {
        auto const members = summary.members.find(key.first);
        if (members == summary.members.end() || key.second < 0 || key.second > 2 * furthest_period)
            ByteReader::fail("a period belongs to no cohort");
        auto const before = summary.cells.find({key.first, key.second - 1});
        check_cell(cell, members->second, before == summary.cells.end() ? 0 : before->second.active);
    }
}

std::string encode(const CohortSummary& summary) {
    std::string out;
    ByteWriter writer(out);
    writer.byte(format_version);
    writer.varint(static_cast<std::uint64_t>(summary.period.months));
    writer.varint(static_cast<std::uint64_t>(summary.period.micros));
    writer.varint(summary.members.size());
    auto cell = summary.cells.begin();
    for (const auto& [cohort, members] : summary.members) {
        auto const end = summary.cells.lower_bound({cohort + 1, 0});
        writer.word(static_cast<std::uint64_t>(cohort));
        writer.varint(static_cast<std::uint64_t>(members));
        writer.varint(static_cast<std::uint64_t>(std::distance(cell, end)));
        for (; cell != end; ++cell) {
            writer.varint(static_cast<std::uint64_t>(cell->first.second));
            writer.varint(static_cast<std::uint64_t>(cell->second.active));
            writer.varint(static_cast<std::uint64_t>(cell->second.retained));
        }
    }
    return out;
}

namespace {

/// Reads a summary: begin(period), then per cohort members(cohort, n), then cell(cohort, offset, counts).
template <class Begin, class Members, class Cell>
void read_cohorts(std::string_view bytes, Begin begin, Members take_members, Cell take_cell) {
    ByteReader reader(bytes);
    std::uint8_t const version = reader.byte();
    if (version > format_version)
        throw Error(ErrorKind::newer_format,
                    "a cohort_summary of format " + std::to_string(version) + " is not known", "",
                    "Update the extension: this value was written by a later version.");
    if (version == 0)
        ByteReader::fail("the format's version is 0");
    std::uint64_t const months = reader.varint();
    if (months > 0x7fffffff)
        ByteReader::fail("the period is neither months nor an exact length");
    Period const period{static_cast<std::int32_t>(months), static_cast<Span>(reader.varint())};
    check_period(period);
    begin(period);
    std::int64_t cohort_before = -furthest_period - 1;
    for (std::size_t left = reader.count(10); left > 0; --left) {
        auto const cohort = static_cast<std::int64_t>(reader.word());
        auto const members = static_cast<std::int64_t>(reader.varint());
        check_members(cohort, members);
        if (cohort <= cohort_before)
            ByteReader::fail("the cohorts are not in order");
        cohort_before = cohort;
        take_members(cohort, members);
        std::int64_t previous = -1, active_before = 0;
        for (std::size_t cells = reader.count(3); cells > 0; --cells) {
            auto const offset = static_cast<std::int64_t>(reader.varint());
            if (offset <= previous)
                ByteReader::fail("a cohort's periods are not in order");
            if (offset > 2 * furthest_period)
                ByteReader::fail("a period belongs to no cohort");
            CohortCell cell;
            cell.active = static_cast<std::int64_t>(reader.varint());
            cell.retained = static_cast<std::int64_t>(reader.varint());
            check_cell(cell, members, previous + 1 == offset ? active_before : 0);
            previous = offset;
            active_before = cell.active;
            take_cell(cohort, offset, cell);
        }
    }
    reader.end();
}

} // namespace

CohortSummary decode_cohorts(std::string_view bytes) {
    CohortSummary summary;
    read_cohorts(
        bytes, [&](const Period& period) { summary.period = period; },
        [&](std::int64_t cohort, std::int64_t n) {
            summary.members.emplace_hint(summary.members.end(), cohort, n);
        },
        [&](std::int64_t cohort, std::int64_t offset, const CohortCell& cell) {
            summary.cells.emplace_hint(summary.cells.end(), std::pair{cohort, offset}, cell);
        });
    return summary;
}

Period period_of(std::string_view bytes) {
    ByteReader reader(bytes);
    (void)reader.byte();
    auto const months = static_cast<std::int32_t>(reader.varint());
    return {months, static_cast<Span>(reader.varint())};
}

void CohortSummary::add(std::string_view bytes) {
    read_cohorts(
        bytes, [&](const Period& other) { expect(other); },
        [&](std::int64_t cohort, std::int64_t n) { add_to(members[cohort], n); },
        [&](std::int64_t cohort, std::int64_t offset, const CohortCell& cell) {
            add_cell({cohort, offset}, cell);
        });
}

std::string encode_contact(const Period& period, std::int64_t first, std::span<const std::int64_t> periods) {
    auto const begin = std::lower_bound(periods.begin(), periods.end(), first);
    std::string out;
    ByteWriter writer(out);
    writer.byte(format_version);
    writer.varint(static_cast<std::uint64_t>(period.months));
    writer.varint(static_cast<std::uint64_t>(period.micros));
    writer.varint(1);
    writer.word(static_cast<std::uint64_t>(first));
    writer.varint(1);
    writer.varint(static_cast<std::uint64_t>(periods.end() - begin));
    for (auto it = begin; it != periods.end(); ++it) {
        writer.varint(static_cast<std::uint64_t>(*it - first));
        writer.byte(1);
        writer.byte(it != begin && it[-1] + 1 == *it ? 1 : 0);
    }
    return out;
}

std::string print(const CohortSummary& summary) {
    std::string out = std::to_string(format_version) + " ";
    out += summary.period.months != 0 ? std::to_string(summary.period.months) + "mon"
                                      : std::to_string(summary.period.micros) + "us";
    out += " [";
    auto cell = summary.cells.begin();
    bool first = true;
    for (const auto& [cohort, members] : summary.members) {
        out += (first ? "" : "; ") + std::to_string(cohort) + ":" + std::to_string(members);
        first = false;
        for (; cell != summary.cells.end() && cell->first.first == cohort; ++cell)
            out += " " + std::to_string(cell->first.second) + ":" + std::to_string(cell->second.active) +
                   ":" + std::to_string(cell->second.retained);
    }
    return out + "]";
}

CohortSummary parse_cohorts(std::string_view text) {
    std::size_t at = 0;
    auto const expected = [&](const char* what) {
        throw Error(ErrorKind::invalid_parameter, "invalid input for type nurture.cohort_summary",
                    std::string("At character ") + std::to_string(at + 1) + " " + what + " was expected.",
                    "Its form is: version, period, [cohort:members offset:active:retained …; …].")
            .at(static_cast<std::int64_t>(at));
    };
    auto const accept = [&](std::string_view token) {
        bool const there = text.substr(at).starts_with(token);
        at += there ? token.size() : 0;
        return there;
    };
    auto const integer = [&](const char* what) {
        std::int64_t value = 0;
        auto const [end, code] = std::from_chars(text.data() + at, text.data() + text.size(), value);
        if (code != std::errc{})
            expected(what);
        at = static_cast<std::size_t>(end - text.data());
        return value;
    };
    CohortSummary summary;
    if (integer("the version") != format_version)
        throw Error(ErrorKind::newer_format, "this format of nurture.cohort_summary is not known", "",
                    "Update the extension: this value was written by a later version.");
    if (!accept(" "))
        expected("a space");
    std::int64_t const length = integer("the period");
    if (accept("mon") && length > 0 && length <= 0x7fffffff)
        summary.period.months = static_cast<std::int32_t>(length);
    else if (accept("us") && length > 0)
        summary.period.micros = length;
    else
        expected("a positive number of \"mon\" or \"us\"");
    if (!accept(" ["))
        expected("\" [\"");
    if (!accept("]")) {
        do {
            std::int64_t const cohort = integer("a cohort");
            if (!accept(":"))
                expected("\":\"");
            if (!summary.members.emplace(cohort, integer("a number of members")).second)
                expected("another cohort");
            while (accept(" ")) {
                std::int64_t const offset = integer("a period's offset");
                CohortCell cell;
                if (!accept(":"))
                    expected("\":\"");
                cell.active = integer("a number of active contacts");
                if (!accept(":"))
                    expected("\":\"");
                cell.retained = integer("a number of retained contacts");
                if (!summary.cells.emplace(std::pair{cohort, offset}, cell).second)
                    expected("another period");
            }
        } while (accept("; "));
        if (!accept("]"))
            expected("\"; \" or \"]\"");
    }
    if (at != text.size())
        expected("the end");
    try {
        validate(summary);
    } catch (const Error& error) { // what is typed is no corrupt storage
        throw Error(ErrorKind::invalid_parameter, "invalid input for type nurture.cohort_summary",
                    error.detail);
    }
    return summary;
}

} // namespace nurture::analytics
