// Behaviour to canonical text.
#include "core/language/language.hpp"
#include "core/language/printer.hpp"

namespace nurture::language::printing {

namespace {

struct BoundPrinter {
    std::string& out;
    void operator()(const Moment& moment) const { append(out, moment); }
    void operator()(const Path& path) const { append(out, path); }
    void operator()(const Ago& ago) const {
        append(out, ago.duration);
        out += " ago";
    }
};

void append_bound(std::string& out, std::string_view word, const Bound& bound) {
    out += word;
    std::visit(BoundPrinter{out}, bound);
}

// What is said after the event in words that a filter could take for its own is kept apart from it by brackets.
void append_apart(std::string& out, const EventPattern& event, bool apart) {
    if (!apart || !event.where) {
        append(out, event);
        return;
    }
    append_type(out, event);
    out += " where (";
    append(out, *event.where);
    out += ')';
}

} // namespace

void append_type(std::string& out, const EventPattern& event) {
    if (event.type.empty())
        out += "any event";
    else
        append_name(out, event.type);
}

void append(std::string& out, const Window& window) {
    if (!window.within.empty()) {
        out += " within ";
        append(out, window.within);
    } else if (window.before) {
        append_bound(out, " before ", *window.before);
    } else if (window.until) {
        append_bound(out, " between ", *window.since);
        append_bound(out, " and ", *window.until);
    } else if (window.since) {
        append_bound(out, " since ", *window.since);
    }
}

void append(std::string& out, const EventPattern& event, const Window& window) {
    append_apart(out, event, window.since || window.before);
    append(out, window);
}

void append_call(std::string& out, std::string_view function, const Path* property, const EventPattern& event,
                 const Window& window) {
    out += function;
    out += '(';
    if (property != nullptr) {
        append(out, *property);
        out += " of ";
    }
    append(out, event, window);
    out += ')';
}

void append(std::string& out, const Aggregate& a) {
    static constexpr std::string_view names[] = {"sum", "distinct", "avg", "min", "max"};
    append_call(out, names[static_cast<std::size_t>(a.kind)], &a.property, a.event, a.window);
}

void append(std::string& out, const DaysSince& d) {
    append_call(out, d.which == Which::first ? "days since first" : "days since last", nullptr, d.event, d.window);
}

namespace {

void append_gap(std::string& out, const Duration& gap) {
    if (gap.empty())
        return;
    out += ", gap ";
    append(out, gap);
}

// What was closed is opened again for the gap.
void append_gap_inside(std::string& out, const Duration& gap) {
    out.pop_back();
    append_gap(out, gap);
    out += ')';
}

} // namespace

void append(std::string& out, const Sessions& s) {
    static constexpr std::string_view names[] = {"sessions", "longest session", "last session",
                                                 "dwell",    "longest dwell",   "last dwell"};
    append_call(out, names[static_cast<std::size_t>(s.figure)], nullptr, s.event, s.window);
    append_gap_inside(out, s.gap);
}

void append(std::string& out, const SessionPage& p) {
    append_call(out, p.entry ? "entry" : "exit", &p.property, p.event, {});
    append_gap_inside(out, p.gap);
}

void append(std::string& out, const InSession& in) {
    out += "in session";
    if (in.event == EventPattern{} && in.gap.empty())
        return;
    append_call(out, "", nullptr, in.event, {});
    append_gap_inside(out, in.gap);
}

void append(std::string& out, const Regularly& r) {
    static constexpr std::string_view units[] = {" day", " week", " month"};
    out += "did ";
    append_apart(out, r.event, true);
    out += " in at least " + std::to_string(r.at_least) + " of the last " + std::to_string(r.periods);
    out += units[static_cast<std::size_t>(r.unit)];
    out += r.periods == 1 ? "" : "s";
}

void append(std::string& out, const Trend& trend) {
    append(out, trend.left);
    out += trend.increased ? " increased" : " decreased";
    if (trend.percent != 0)
        out += " by " + print(Literal(Number{trend.percent})) + " percent";
}

void append(std::string& out, const Sequence& sequence) {
    out += "did (";
    std::string_view then;
    for (const SequenceStep& step : sequence.steps) {
        out += then;
        out += step.absent ? "not " : "";
        append(out, step.event);
        if (!step.within.empty()) {
            out += " within ";
            append(out, step.within);
        }
        for (const EventPattern& event : step.without) {
            out += " without ";
            append(out, event);
        }
        then = " then ";
    }
    if (sequence.same) {
        out += " with same ";
        append(out, *sequence.same);
    }
    if (sequence.one_session) {
        out += " within one session";
        append_gap(out, sequence.gap);
    }
    if (!sequence.overall.empty()) {
        out += " within ";
        append(out, sequence.overall);
        out += " overall";
    }
    out += ')';
    append(out, sequence.window);
}

} // namespace nurture::language::printing
