// Syntax to canonical text: literals and conditions. Rules are in printer_rule.cpp, workflows are in printer_workflow.cpp.
#include "core/language/printer.hpp"

#include "core/language/language.hpp"
#include "core/language/lexer.hpp"

#include <chrono>

namespace nurture::language {

namespace printing {

namespace {

void append_padded(std::string& out, std::int64_t value, std::size_t width) {
    std::string const digits = std::to_string(value);
    out.append(digits.size() < width ? width - digits.size() : 0, '0');
    out += digits;
}

void append_quoted(std::string& out, std::string_view value, char quote) {
    out += quote;
    for (char const c : value) {
        if (c == quote)
            out += quote;
        out += c;
    }
    out += quote;
}

} // namespace

void append(std::string& out, const Moment& moment) {
    std::int64_t const days = moment.local / one_day - (moment.local % one_day < 0 ? 1 : 0);
    Span const time = moment.local - days * one_day;
    std::chrono::year_month_day const date{
        std::chrono::sys_days(std::chrono::days(days + unix_epoch_offset / 86'400))};
    append_padded(out, static_cast<int>(date.year()), 4);
    out += '-';
    append_padded(out, static_cast<unsigned>(date.month()), 2);
    out += '-';
    append_padded(out, static_cast<unsigned>(date.day()), 2);
    if (moment.date_only)
        return;
    out += 'T';
    append_padded(out, time / one_hour, 2);
    out += ':';
    append_padded(out, time / one_minute % 60, 2);
    if (time % one_minute != 0) {
        out += ':';
        append_padded(out, time / one_second % 60, 2);
    }
    if (Span const fraction = time % one_second; fraction != 0) {
        out += '.';
        append_padded(out, fraction, 6);
        out.erase(out.find_last_not_of('0') + 1);
    }
    if (!moment.utc_offset)
        return;
    if (*moment.utc_offset == 0) {
        out += 'Z';
        return;
    }
    Span const offset = *moment.utc_offset < 0 ? -*moment.utc_offset : *moment.utc_offset;
    out += *moment.utc_offset < 0 ? '-' : '+';
    append_padded(out, offset / one_hour, 2);
    out += ':';
    append_padded(out, offset / one_minute % 60, 2);
}

namespace {

void append_amount(std::string& out, std::int64_t n, std::string_view unit) {
    if (!out.empty() && out.back() != ' ')
        out += ' ';
    out += std::to_string(n);
    out += ' ';
    out += unit;
    if (n != 1)
        out += 's';
}

} // namespace

namespace {

struct OperandPrinter {
    std::string& out;
    void operator()(const Attribute& a) const { append(out, a.path); }
    void operator()(const Count& c) const { append_call(out, "count", nullptr, c.event, c.window); }
    void operator()(const Aggregate& a) const { append(out, a); }
    void operator()(const Occurrence& o) const {
        append_call(out, o.which == Which::first ? "first" : "last", o.property ? &*o.property : nullptr, o.event,
                    o.window);
    }
    void operator()(const Days& d) const { append_call(out, "days", nullptr, d.event, d.window); }
    void operator()(const DaysSince& d) const { append(out, d); }
    void operator()(const Sessions& s) const { append(out, s); }
    void operator()(const SessionPage& p) const { append(out, p); }
    void operator()(const Score& s) const { append_of_topic("score", s.topic); }
    void operator()(const Band& b) const { append_of_topic("band", b.topic); }

    void append_of_topic(std::string_view word, const std::optional<std::string>& topic) const {
        out += word;
        if (!topic)
            return;
        out += '(';
        append_topic(out, *topic);
        out += ')';
    }
    void operator()(const Now&) const { out += "now"; }
    void operator()(const DatePart& p) const { append_operand(out, p); }
    void operator()(const Anniversary& a) const { append_function(out, "anniversary", a.of); }
    void operator()(const Items& i) const { append_function(out, "items", i.list); }
    void operator()(const Domain& d) const { append_function(out, "domain", d.address); }
    void operator()(const Consent& c) const {
        out += "consent(";
        append_name(out, c.channel);
        if (c.purpose) {
            out += ", ";
            append_name(out, *c.purpose);
        }
        out += c.expires ? ") expires" : ")";
    }
};

} // namespace

void append(std::string& out, const Operand& operand) {
    std::visit(OperandPrinter{out}, operand);
}

std::string_view text_of(Comparator comparator) {
    switch (comparator) {
    case Comparator::equal:
        return "=";
    case Comparator::not_equal:
        return "!=";
    case Comparator::less:
        return "<";
    case Comparator::less_equal:
        return "<=";
    case Comparator::greater:
        return ">";
    case Comparator::greater_equal:
        return ">=";
    }
    return "";
}

namespace {

// How tightly the surroundings bind; what binds less is put in brackets.
enum class Binding { none, disjunction, conjunction, negation };

struct ConditionPrinter {
    std::string& out;
    Binding around;
    bool in_junction; // an `and` or `or` may follow on the same level

    void operator()(const Comparison& c) const {
        append(out, c.left);
        out += ' ';
        out += text_of(c.comparator);
        out += ' ';
        append(out, c.right);
    }
    void operator()(const Between& b) const {
        append(out, b.left);
        out += b.negated ? " not between " : " between ";
        append(out, b.low);
        out += " and ";
        append(out, b.high);
    }
    void operator()(const In& in) const {
        append(out, in.left);
        out += in.negated ? " not in (" : " in (";
        std::string_view separator;
        for (const Literal& value : in.values) {
            out += separator;
            append(out, value);
            separator = ", ";
        }
        out += ')';
    }
    void operator()(const Like& like) const {
        append(out, like.left);
        out += like.negated ? " not like " : " like ";
        append_string(out, like.pattern);
    }
    void operator()(const IsSet& test) const {
        append(out, test.left);
        out += test.negated ? " is not set" : " is set";
    }
    void operator()(const Truth& truth) const { append(out, truth.operand); }
    void operator()(const Constant& constant) const { out += constant.value ? "true" : "false"; }
    void operator()(const Did& did) const {
        // `where` reaches as far as it can; `within` ends it.
        bool const brackets = in_junction && did.event.where && did.window.ever();
        out += brackets ? "(did " : "did ";
        append(out, did.event, did.window);
        if (brackets)
            out += ')';
    }
    void operator()(const Regularly& r) const { append(out, r); }
    void operator()(const Trend& t) const { append(out, t); }
    void operator()(const Sequence& s) const { append(out, s); }
    void operator()(const InSession& in) const { append(out, in); }
    void operator()(const InSegment& in) const {
        out += "in segment ";
        append_string(out, in.segment);
    }
    void operator()(const Ignoring& how) const {
        std::visit(*this, how.test->node);
        out += how.letter_case ? " ignoring case" : "";
        out += how.accents ? " ignoring accents" : "";
    }
    template <class Test>
        requires requires(std::string& text, const Test& test) { append_test(text, test); }
    void operator()(const Test& test) const { append_test(out, test); }
    void operator()(const Not& negation) const {
        out += "not ";
        std::visit(ConditionPrinter{out, Binding::negation, in_junction}, negation.operand->node);
    }
    void operator()(const And& all) const { junction(all.operands, " and ", Binding::conjunction); }
    void operator()(const Or& any) const { junction(any.operands, " or ", Binding::disjunction); }

    void junction(const std::vector<Box<Condition>>& operands, std::string_view word, Binding own) const {
        bool const brackets = around > own;
        out += brackets ? "(" : "";
        std::string_view separator;
        for (const Box<Condition>& operand : operands) {
            out += separator;
            std::visit(ConditionPrinter{out, own, true}, operand->node);
            separator = word;
        }
        out += brackets ? ")" : "";
    }
};

} // namespace

void append_name(std::string& out, std::string_view name) {
    if (is_plain_name(name))
        out += name;
    else
        append_quoted(out, name, '"');
}

void append_string(std::string& out, std::string_view value) {
    append_quoted(out, value, '\'');
}

void append(std::string& out, const Literal& literal) {
    if (const auto* truth = std::get_if<bool>(&literal))
        out += *truth ? "true" : "false";
    else if (const auto* number = std::get_if<Number>(&literal))
        out += print_micro(number->value);
    else if (const auto* text = std::get_if<std::string>(&literal))
        append_string(out, *text);
    else
        append(out, std::get<Moment>(literal));
}

void append(std::string& out, const Duration& duration) {
    if (duration.months != 0) {
        if (duration.months % 12 == 0)
            append_amount(out, duration.months / 12, "year");
        else
            append_amount(out, duration.months, "month");
    }
    if (duration.days != 0)
        append_amount(out, duration.days, "day");
    if (duration.micros == 0)
        return;
    static constexpr std::pair<Span, std::string_view> units[] = {
        {one_hour, "hour"}, {one_minute, "minute"}, {one_second, "second"}, {1000, "millisecond"}, {1, "microsecond"}};
    for (auto const& [span, unit] : units)
        if (duration.micros % span == 0) {
            append_amount(out, duration.micros / span, unit);
            return;
        }
}

void append(std::string& out, const Path& path) {
    append_name(out, path.keys.front());
    for (std::size_t i = 1; i < path.keys.size(); ++i) {
        out += '.';
        append_name(out, path.keys[i]);
    }
}

void append(std::string& out, const EventPattern& event) {
    append_type(out, event);
    if (!event.where)
        return;
    out += " where ";
    append(out, *event.where);
}

void append(std::string& out, const Condition& condition) {
    std::visit(ConditionPrinter{out, Binding::none, false}, condition.node);
}

} // namespace printing

std::string print(const Condition& condition) {
    std::string out;
    printing::append(out, condition);
    return out;
}

std::string print(const EventPattern& event) {
    std::string out;
    printing::append(out, event);
    return out;
}

std::string print(const Literal& literal) {
    std::string out;
    printing::append(out, literal);
    return out;
}

std::string print(const Duration& duration) {
    std::string out;
    printing::append(out, duration);
    return out;
}

std::string print(const Path& path) {
    std::string out;
    printing::append(out, path);
    return out;
}

std::string print_name(std::string_view name) {
    std::string out;
    printing::append_name(out, name);
    return out;
}

std::string print_string(std::string_view value) {
    std::string out;
    printing::append_string(out, value);
    return out;
}

} // namespace nurture::language
