#include "core/analytics/pattern.hpp"

#include "core/analytics/matching.hpp"
#include "core/base/decimal.hpp"
#include "core/base/error.hpp"

#include <algorithm>
#include <string>

namespace nurture::analytics {

namespace {

constexpr const char* language_hint = "Elements are (?1) for an event of the first condition, . for any "
                                      "event, .* for any number of events, and "
                                      "(?t<=3600) for the seconds between the elements around it.";

class PatternParser {
public:
    PatternParser(std::string_view text, bool plain_units) : text_(text), plain_(plain_units) {}

    Pattern parse() {
        while (blanks(), at_ < text_.size()) {
            if (text_[at_] == '.')
                dot();
            else if (text_.substr(at_).starts_with("(?"))
                group();
            else
                expected("(?N), (?t…), . or .*");
        }
        if (timed_at_ != none)
            fail(timed_at_, "a time condition is followed by no event",
                 "It compares the times of the elements before and after it.");
        if (pattern_.elements.empty())
            fail(0, "the pattern names no event", "");
        pattern_.gaps.resize(pattern_.elements.size() - 1); // the gap after the last element means nothing
        return std::move(pattern_);
    }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::string_view text_;
    bool plain_;
    std::size_t at_ = 0;
    std::size_t timed_at_ = none; ///< where the open gap's time condition stands
    Pattern pattern_;

    void blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t'))
            ++at_;
    }
    [[noreturn]] void fail(std::size_t at, const std::string& what, const std::string& why) const {
        // People count characters, not bytes.
        auto const characters =
            1 + std::count_if(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at),
                              [](char c) { return (c & 0xc0) != 0x80; });
        std::string shown(text_.substr(0, 200));
        throw Error(ErrorKind::syntax, "invalid sequence pattern: " + what,
                    "At character " + std::to_string(characters) + " of \"" + shown + "\"." +
                        (why.empty() ? "" : " " + why),
                    language_hint)
            .at(static_cast<std::int64_t>(at));
    }
    [[noreturn]] void expected(const std::string& what) const { fail(at_, what + " was expected", ""); }

    bool accept(std::string_view token) {
        if (!text_.substr(at_).starts_with(token))
            return false;
        at_ += token.size();
        return true;
    }

    void element(unsigned condition) {
        if (pattern_.elements.size() == max_elements)
            throw Error(ErrorKind::limit_exceeded,
                        "a sequence pattern has at most " + std::to_string(max_elements) + " elements");
        pattern_.elements.push_back(condition);
        pattern_.gaps.emplace_back();
        timed_at_ = none;
    }
    void dot() {
        if (accept(".*")) {
            if (!pattern_.elements.empty()) // before the first element it changes nothing
                pattern_.gaps.back().skips = true;
        } else {
            ++at_;
            element(any_event);
        }
    }
    void group() {
        std::size_t const begin = at_;
        at_ += 2;
        if (accept("t")) {
            time_condition(begin);
        } else {
            std::size_t const digits = at_;
            unsigned number = 0;
            while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && number <= max_conditions)
                number = number * 10 + static_cast<unsigned>(text_[at_++] - '0');
            if (at_ == digits)
                expected("a condition's number or t");
            if (number < 1 || number > max_conditions)
                fail(digits, "conditions are numbered from 1 to " + std::to_string(max_conditions), "");
            element(number - 1);
            pattern_.highest = std::max(pattern_.highest, number);
        }
        blanks();
        if (!accept(")"))
            expected("\")\"");
    }

    void time_condition(std::size_t begin) {
        if (pattern_.elements.empty())
            fail(begin, "a time condition has no event before it",
                 "It compares the times of the elements before and after it.");
        blanks();
        enum class Operator { at_most, less, at_least, more, equal, unequal } op{};
        if (accept("<="))
            op = Operator::at_most;
        else if (accept(">="))
            op = Operator::at_least;
        else if (accept("!="))
            op = Operator::unequal;
        else if (accept("=="))
            op = Operator::equal;
        else if (accept("<"))
            op = Operator::less;
        else if (accept(">"))
            op = Operator::more;
        else if (accept("="))
            op = Operator::equal;
        else
            expected("<=, <, >=, >, == or !=");
        blanks();
        std::uint64_t const d = length();
        Gap& gap = pattern_.gaps.back();
        gap.skips = true;
        timed_at_ = begin;
        switch (op) {
        case Operator::less:
            if (d == 0)
                fail(begin, "no time is less than 0", "");
            gap.most = std::min(gap.most, d - 1);
            break;
        case Operator::at_most:
            gap.most = std::min(gap.most, d);
            break;
        case Operator::more:
            gap.least = std::max(gap.least, d + 1);
            break;
        case Operator::at_least:
            gap.least = std::max(gap.least, d);
            break;
        case Operator::equal:
            gap.least = std::max(gap.least, d);
            gap.most = std::min(gap.most, d);
            break;
        case Operator::unequal:
            gap.unequal.push_back(d);
            std::sort(gap.unequal.begin(), gap.unequal.end());
            gap.unequal.erase(std::unique(gap.unequal.begin(), gap.unequal.end()), gap.unequal.end());
            break;
        }
    }

    /// A length of time in microseconds, or in the units of bigint times.
    std::uint64_t length() {
        std::size_t const begin = at_;
        while (at_ < text_.size() && ((text_[at_] >= '0' && text_[at_] <= '9') || text_[at_] == '.'))
            ++at_;
        std::string_view const number = text_.substr(begin, at_ - begin);
        std::size_t const point = number.find('.');
        bool const shaped =
            !number.empty() && number != "." &&
            (point == std::string_view::npos || number.find('.', point + 1) == std::string_view::npos);
        if (!shaped) {
            at_ = begin;
            expected("a number");
        }
        if (plain_) {
            if (point != std::string_view::npos)
                fail(begin, "times of type bigint have no fractions", "");
            return bounded(begin, number, 1);
        }
        std::uint64_t factor = 1'000'000;
        blanks();
        struct Unit {
            std::string_view name;
            Span micros;
        };
        for (Unit const unit : {Unit{"us", 1}, Unit{"ms", 1000}, Unit{"min", one_minute}, Unit{"s", one_second},
                                Unit{"h", one_hour}, Unit{"d", one_day}, Unit{"w", one_week}})
            if (accept(unit.name)) {
                factor = static_cast<std::uint64_t>(unit.micros);
                break;
            }
        return bounded(begin, number, factor);
    }
    std::uint64_t bounded(std::size_t begin, std::string_view number, std::uint64_t factor) const {
        // Exact: the number times the factor must be a whole number of microseconds.
        unsigned __int128 value = 0, scale = 1;
        bool fraction = false;
        for (char const c : number) {
            if (c == '.') {
                fraction = true;
                continue;
            }
            value = value * 10 + static_cast<unsigned>(c - '0');
            if (fraction)
                scale *= 10;
            if (value > static_cast<unsigned __int128>(never) || scale > 1'000'000'000'000'000)
                fail(begin, "the number is too large or has too many digits", "");
        }
        value *= factor;
        if (value % scale != 0)
            fail(begin, "times are kept to the microsecond", "");
        value /= scale;
        if (value >= static_cast<unsigned __int128>(never))
            fail(begin, "the number is too large or has too many digits", "");
        return static_cast<std::uint64_t>(value);
    }
};

} // namespace

bool Gap::allows(std::uint64_t length) const noexcept {
    return length >= least && length <= most && !std::binary_search(unequal.begin(), unequal.end(), length);
}

Pattern parse_pattern(std::string_view text, bool plain_units) {
    return PatternParser(text, plain_units).parse();
}

void check_conditions(const Pattern& pattern, unsigned conditions) {
    if (pattern.highest > conditions)
        throw Error(ErrorKind::invalid_parameter,
                    "the sequence pattern names condition " + std::to_string(pattern.highest) + ", but " +
                        std::to_string(conditions) + (conditions == 1 ? " was given" : " were given"),
                    "", "Conditions are the boolean arguments after the time, numbered from 1.");
}

} // namespace nurture::analytics
