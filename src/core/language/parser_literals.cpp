#include "core/language/parser.hpp"
#include "core/language/printer.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace nurture::language {

namespace {

constexpr std::int64_t longest_years = 10'000; // keeps every sum of a time and a duration far from overflow
constexpr std::string_view value_expected =
    "a value (a number, a text in single quotes, a date, true or false)";

int two_digits(std::string_view text, std::size_t at) {
    return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

struct Unit {
    std::string_view name;
    std::int32_t months, days;
    Span micros;
};
constexpr Unit units[] = {
    {"microsecond", 0, 0, one_microsecond},
    {"millisecond", 0, 0, 1000 * one_microsecond},
    {"second", 0, 0, one_second},
    {"minute", 0, 0, one_minute},
    {"hour", 0, 0, one_hour},
    {"day", 0, 1, 0},
    {"week", 0, 7, 0},
    {"month", 1, 0, 0},
    {"year", 12, 0, 0},
};

const Unit* unit_of(std::string_view word) {
    if (word.empty())
        return nullptr;
    std::string folded(word);
    std::transform(folded.begin(), folded.end(), folded.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    std::string_view key = folded;
    if (key.back() == 's')
        key.remove_suffix(1);
    for (const Unit& unit : units)
        if (unit.name == key)
            return &unit;
    return nullptr;
}

} // namespace

bool is_unit_of_time(std::string_view word) { return unit_of(word) != nullptr; }

std::int64_t Parser::whole_number(std::string_view expectation) {
    std::string_view const digits = text_at();
    if (token().kind != TokenKind::number) {
        note(expectation);
        fail();
    }
    std::int64_t value = 0;
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc::result_out_of_range)
        fail_at(token().from, "the number is too large");
    if (end != digits.data() + digits.size()) {
        note(expectation);
        fail("Only whole numbers can be used here; choose a smaller unit instead of a fraction.");
    }
    advance();
    return value;
}

Micro Parser::number(bool negative) {
    if (token().kind != TokenKind::number) {
        note("a number");
        fail();
    }
    auto const value = parse_micro((negative ? "-" : "") + std::string(text_at()));
    if (!value)
        fail_at(token().from, "the number is too large", "Numbers go up to 9223372036854.775807.");
    advance();
    return *value;
}

Literal Parser::literal() {
    switch (token().kind) {
    case TokenKind::string:
        return string("");
    case TokenKind::moment:
        return moment();
    case TokenKind::number:
        return Number{number(false)};
    default:
        break;
    }
    if ((is("-") || is("+")) && token(1).kind == TokenKind::number) {
        bool const negative = is("-");
        advance();
        return Number{number(negative)};
    }
    if (is(Keyword::true_) || is(Keyword::false_)) {
        bool const value = is(Keyword::true_);
        advance();
        return value;
    }
    note(value_expected);
    fail();
}

Moment Parser::moment() {
    std::string_view const text = text_at();
    int const year = two_digits(text, 0) * 100 + two_digits(text, 2);
    auto const month = static_cast<unsigned>(two_digits(text, 5));
    auto const day_of_month = static_cast<unsigned>(two_digits(text, 8));
    std::chrono::year_month_day const date{std::chrono::year(year), std::chrono::month(month),
                                           std::chrono::day(day_of_month)};
    if (year == 0 || !date.ok())
        fail_at(token().from, "there is no date " + std::string(text.substr(0, 10)),
                "Dates are written year-month-day: 2026-01-31.");
    auto const since_1970 = std::chrono::sys_days(date).time_since_epoch().count();
    Moment out;
    out.date_only = text.size() == 10;
    out.local = (static_cast<std::int64_t>(since_1970) - unix_epoch_offset / 86'400) * one_day;
    if (out.date_only) {
        advance();
        return out;
    }
    int const hours = two_digits(text, 11);
    int const minutes = two_digits(text, 14);
    int seconds = 0;
    Span fraction = 0;
    std::size_t i = 16;
    if (i < text.size() && text[i] == ':') {
        seconds = two_digits(text, i + 1);
        i += 3;
        if (i < text.size() && text[i] == '.') {
            Span unit = one_second / 10;
            for (++i; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i, unit /= 10)
                fraction += (text[i] - '0') * unit;
        }
    }
    if (hours > 23 || minutes > 59 || seconds > 59)
        fail_at(token().from, "there is no time of day " + std::string(text.substr(11, i - 11)));
    out.local += hours * one_hour + minutes * one_minute + seconds * one_second + fraction;
    if (i < text.size() && (text[i] == 'Z' || text[i] == 'z')) {
        out.utc_offset = 0;
    } else if (i < text.size()) {
        int const offset_hours = two_digits(text, i + 1);
        int const offset_minutes = text.size() > i + 3 ? two_digits(text, i + 4) : 0;
        if (offset_hours > 15 || offset_minutes > 59)
            fail_at(token().from, "there is no offset from UTC " + std::string(text.substr(i)),
                    "Offsets go up to 15:59.");
        Span const offset = offset_hours * one_hour + offset_minutes * one_minute;
        out.utc_offset = text[i] == '-' ? -offset : offset;
    }
    advance();
    return out;
}

Duration Parser::duration() {
    std::uint32_t const from = token().from;
    if (is("-") || is("+")) {
        note("a duration");
        fail("A duration is a whole number and a unit, without a sign: 7 days.");
    }
    Wide months = 0;
    Wide days = 0;
    Wide micros = 0;
    Wide const most = Wide{longest_years} * 366 * one_day;
    do {
        std::int64_t const n = whole_number("a duration");
        const Unit* const unit = token().kind == TokenKind::word ? unit_of(text_at()) : nullptr;
        if (unit == nullptr) {
            note(unit_of_time_expected);
            fail("A duration is a number and its unit, written out: 90 minutes, 7 days.");
        }
        advance();
        months += Wide{n} * unit->months;
        days += Wide{n} * unit->days;
        micros += Wide{n} * unit->micros;
        if (months > longest_years * 12 || days > longest_years * 366 || micros > most)
            fail_at(from, "the duration is longer than 10000 years");
        // Between the arms of a split a number may also be the next arm's weight.
    } while (token().kind == TokenKind::number && (arms_ == 0 || (token(1).kind == TokenKind::word && unit_of(text_at(1)) != nullptr)));
    if (months == 0 && days == 0 && micros == 0)
        fail_at(from, "a duration must be longer than nothing");
    return {static_cast<std::int32_t>(months), static_cast<std::int32_t>(days), static_cast<Span>(micros)};
}

Path Parser::path(std::string_view expectation) {
    Path out;
    out.keys.push_back(name(expectation));
    while (is(".")) {
        advance();
        // After the point nothing but a key can stand, so keywords need no quotes.
        if (token().kind == TokenKind::word && is_word(text_at())) {
            out.keys.emplace_back(text_at());
            advance();
        } else {
            out.keys.push_back(name("a name"));
        }
    }
    return out;
}

} // namespace nurture::language
