// Canonical text of conditions over attributes, dates and membership.
#include "core/language/printer.hpp"

#include "core/language/language.hpp"

namespace nurture::language::printing {

namespace {

void append(std::string& out, const ZoneChoice& zone) {
    if (zone.kind == ZoneChoice::Kind::contact)
        out += " in contact time zone";
    if (zone.kind == ZoneChoice::Kind::named) {
        out += " in time zone ";
        append_string(out, zone.name);
    }
}

void append_list(std::string& out, const std::vector<Literal>& values) {
    out += '(';
    std::string_view separator;
    for (const Literal& value : values) {
        out += separator;
        printing::append(out, value);
        separator = ", ";
    }
    out += ')';
}

void append_value_of(std::string& out, const Path& path) {
    out += "value of ";
    printing::append(out, path);
}

constexpr std::string_view unit_names[] = {"day", "week", "month", "quarter", "year"};

struct QuestionPrinter {
    std::string& out;
    bool negated;

    void operator()(const AgainstDate& against) const {
        static constexpr std::string_view words[] = {" on ", " before ", " after "};
        out += words[static_cast<std::size_t>(against.relation)];
        printing::append(out, against.moment);
    }
    void operator()(const InPeriod& period) const {
        if (period.unit == CalendarUnit::day) {
            out += negated ? " is not " : " is ";
            out += period.offset == 0 ? "today" : period.offset < 0 ? "yesterday" : "tomorrow";
            return;
        }
        out += negated ? " not in " : " in ";
        out += period.offset == 0 ? "this " : period.offset < 0 ? "last " : "next ";
        out += unit_names[static_cast<std::size_t>(period.unit)];
    }
    void operator()(const WithinSpan& span) const {
        static constexpr std::string_view before[] = {"within last ", "within next ", "more than ", "less than ",
                                                      "more than ",   "less than ",   "exactly ",   "exactly "};
        static constexpr std::string_view behind[] = {"", "", " ago", " ago", " ahead", " ahead", " ago", " ahead"};
        out += negated ? " not " : " ";
        out += before[static_cast<std::size_t>(span.relation)];
        printing::append(out, span.span);
        out += behind[static_cast<std::size_t>(span.relation)];
    }
    void operator()(const PastOrFuture& side) const {
        out += negated ? " is not in the " : " is in the ";
        out += side.future ? "future" : "past";
    }
    void operator()(const OnDayKind& on) const {
        static constexpr std::string_view names[] = {"business day", "weekend", "holiday"};
        out += negated ? " is not " : " is ";
        out += names[static_cast<std::size_t>(on.kind)];
        if (on.calendar) {
            out += " of ";
            append_string(out, *on.calendar);
        }
    }
};

} // namespace

void append_zone(std::string& out, const ZoneChoice& zone) { append(out, zone); }

void append_function(std::string& out, std::string_view function, const Path& path) {
    out += function;
    out += '(';
    append(out, path);
    out += ')';
}

void append_operand(std::string& out, const DatePart& part) {
    static constexpr std::string_view names[] = {"year", "quarter", "month", "week", "day", "weekday", "hour", "minute"};
    out += names[static_cast<std::size_t>(part.part)];
    out += '(';
    if (part.of)
        append(out, *part.of);
    else
        out += "now";
    append(out, part.zone);
    out += ')';
}

void append_test(std::string& out, const ComparePaths& test) {
    append(out, test.left);
    out += ' ';
    out += text_of(test.comparator);
    out += ' ';
    append_value_of(out, test.right);
}

void append_test(std::string& out, const DistinctFrom& test) {
    append(out, test.left);
    out += test.negated ? " is not distinct from " : " is distinct from ";
    if (const auto* path = std::get_if<Path>(&test.right))
        append_value_of(out, *path);
    else
        append(out, std::get<Literal>(test.right));
}

void append_test(std::string& out, const TextTest& test) {
    static constexpr std::string_view plain[] = {" contains ", " starts with ", " ends with ", " ~ "};
    static constexpr std::string_view negated[] = {" does not contain ", " does not start with ", " does not end with ", " !~ "};
    append(out, test.left);
    out += (test.negated ? negated : plain)[static_cast<std::size_t>(test.relation)];
    append_string(out, test.text);
}

void append_test(std::string& out, const IsEmpty& test) {
    append(out, test.left);
    out += test.negated ? " is not empty" : " is empty";
}

void append_test(std::string& out, const HasItems& test) {
    static constexpr std::string_view words[] = {" has any of ", " has all of ", " has none of "};
    append(out, test.left);
    out += words[static_cast<std::size_t>(test.quantity)];
    append_list(out, test.items);
}

void append_test(std::string& out, const Changed& test) {
    append(out, test.attribute);
    out += " changed";
    if (test.from) {
        out += " from ";
        append(out, *test.from);
    }
    if (test.to) {
        out += " to ";
        append(out, *test.to);
    }
    out += " within ";
    append(out, test.within);
}

void append_test(std::string& out, const HasBeen& test) {
    append(out, test.attribute);
    out += " has been ";
    append(out, test.value);
    out += test.at_least ? " for at least " : " for less than ";
    append(out, test.duration);
}

void append_test(std::string& out, const DateTest& test) {
    append(out, test.left);
    std::visit(QuestionPrinter{out, test.negated}, test.question);
    append(out, test.zone);
}

void append_test(std::string& out, const InSegmentFor& test) {
    out += "in segment ";
    append_string(out, test.segment);
    out += test.at_least ? " for at least " : " for less than ";
    append(out, test.duration);
}

void append_test(std::string& out, const MovedSegment& test) {
    out += test.entered ? "entered segment " : "left segment ";
    append_string(out, test.segment);
    out += " within ";
    append(out, test.within);
}

void append_test(std::string& out, const WasInSegment& test) {
    out += "was in segment ";
    append_string(out, test.segment);
    out += test.moment.date_only ? " on " : " at ";
    append(out, test.moment);
}

void append_test(std::string& out, const OnList& test) {
    out += test.excluded ? "excluded from list " : "on list ";
    append_string(out, test.list);
}

void append_test(std::string& out, const Sample& test) {
    out += "sample ";
    out += print_micro(test.percent);
    out += " percent ";
    append_string(out, test.salt);
}

void append_test(std::string& out, const AtLeastOf& test) {
    out += "at least " + std::to_string(test.wanted) + " of (";
    std::string_view separator;
    for (const Box<Condition>& operand : test.operands) {
        out += separator;
        append(out, *operand);
        separator = ", ";
    }
    out += ')';
}

void append_test(std::string& out, const InJourney& test) {
    static constexpr std::string_view words[] = {"in journey ", "entered journey ", "completed journey "};
    out += words[static_cast<std::size_t>(test.relation)];
    append_string(out, test.workflow);
    if (test.step) {
        out += " at ";
        append_string(out, *test.step);
    }
}

} // namespace nurture::language::printing
