// Behaviour: what a contact did, how often, when. Sequences are in parser_sequence.cpp, what is special to sessions in
// parser_session.cpp.
#include "core/language/parser.hpp"
#include "core/language/printer.hpp"

namespace nurture::language {

namespace {

constexpr std::int64_t most_periods = 1'000;

} // namespace

bool Parser::begins_behaviour() const noexcept {
    if (is("(", 1))
        return is(Keyword::count) || is(Keyword::sum) || is(Keyword::avg) || is(Keyword::min) || is(Keyword::max) ||
               is(Keyword::distinct) || is(Keyword::first) || is(Keyword::last) || is(Keyword::days) ||
               is(Keyword::sessions) || is(Keyword::entry) || is(Keyword::exit) || is(Keyword::dwell);
    if (is(Keyword::days) && is(Keyword::since, 1))
        return where_ == Within::nothing; // inside `where`: a property "days" and the window's `since`
    return (is(Keyword::longest) || is(Keyword::last)) && (is(Keyword::session, 1) || is(Keyword::dwell, 1)) && is("(", 2);
}

EventPattern Parser::event_or_any(std::string_view expectation) {
    if (is(Keyword::any) && is(Keyword::event, 1)) {
        advance();
        advance();
        return {};
    }
    return {name(expectation), {}};
}

// did E [window], did E at least n times [window], did E in at least k of the last n weeks, did (A then B …) [window]
Condition Parser::did() {
    advance();
    if (is("(")) {
        Level const level(*this);
        open("(", token().from);
        advance();
        Sequence out = sequence(event_or_any("an event type"), true);
        require(")");
        close();
        out.window = window();
        return {std::move(out)};
    }
    if (!is_name())
        note("\"(\"");
    EventPattern pattern = event("an event type", Within::did);
    if (is(Keyword::then) && sequence_allowed())
        return {sequence(std::move(pattern), false)};
    if (is(Keyword::in) && is(Keyword::at, 1))
        return {regularly(std::move(pattern))};
    Condition out;
    if (times(out, pattern))
        return out;
    Window when = window();
    if (is(Keyword::then) && is_name(1) && !names_step(1) && in_steps_)
        fail("Inside a workflow a sequence is written in brackets: did (cart_add then purchase within 1 day).");
    out.node = Did{std::move(pattern), std::move(when)};
    return out;
}

// `did E at least 3 times within d` says count(E within d) >= 3.
bool Parser::times(Condition& out, const EventPattern& pattern) {
    auto count = [&] {
        require(Keyword::times, "Say how often: did purchase at least 3 times within 30 days.");
        return Count{pattern, window()};
    };
    auto number = [&] { return Number{whole_number("a number of times") * micro_one}; };
    if (is(Keyword::between) && token(1).kind == TokenKind::number && is(Keyword::and_, 2)) {
        advance();
        Number const low = number();
        advance();
        Number const high = number();
        out.node = Between{count(), low, high, false};
        return true;
    }
    Comparator comparator = Comparator::equal;
    if (is(Keyword::at) && (is(Keyword::least, 1) || is(Keyword::most, 1))) {
        comparator = is(Keyword::least, 1) ? Comparator::greater_equal : Comparator::less_equal;
        advance();
    } else if (!is(Keyword::exactly)) {
        return false;
    }
    advance();
    Number const n = number();
    out.node = Comparison{count(), comparator, n};
    return true;
}

Regularly Parser::regularly(EventPattern pattern) {
    Regularly out;
    out.event = std::move(pattern);
    advance();
    advance();
    require(Keyword::least, "It is written: did login in at least 3 of the last 4 weeks.");
    std::uint32_t const from = token().from;
    out.at_least = whole_number("a number of periods");
    require(Keyword::of);
    require(Keyword::the);
    require(Keyword::last);
    out.periods = whole_number("a number of periods");
    if (accept(Keyword::days) || accept(Keyword::day))
        out.unit = RegularUnit::day;
    else if (accept(Keyword::weeks) || accept(Keyword::week))
        out.unit = RegularUnit::week;
    else if (accept(Keyword::months) || accept(Keyword::month))
        out.unit = RegularUnit::month;
    else
        fail("Periods are days, weeks or months of the calendar.");
    if (out.periods > most_periods)
        fail_at(from, "at most " + std::to_string(most_periods) + " periods can be looked at");
    if (out.at_least < 1 || out.at_least > out.periods)
        fail_at(from, "\"at least " + std::to_string(out.at_least) + " of the last " + std::to_string(out.periods) +
                          "\" is " + (out.at_least < 1 ? "always" : "never") + " true");
    return out;
}

// operand increased|decreased [by [at least] x percent]
bool Parser::trend(Condition& out, Operand& left) {
    if (!is(Keyword::increased) && !is(Keyword::decreased))
        return false;
    Trend trend;
    trend.increased = is(Keyword::increased);
    advance();
    trend.left = std::move(left);
    if (accept(Keyword::by)) {
        if (is(Keyword::at) && is(Keyword::least, 1)) {
            advance();
            advance();
        }
        std::uint32_t const from = token().from;
        trend.percent = number(false);
        if (trend.percent <= 0)
            fail_at(from, "a change by nothing", "Leave out \"by\": count(login within 7 days) increased.");
        require(Keyword::percent);
    }
    out.node = std::move(trend);
    return true;
}

// Lengths of sessions and stays are numbers of seconds; a duration may be written instead.
Literal Parser::value_for(const Operand& left) {
    const auto* sessions = std::get_if<Sessions>(&left);
    bool const length_of_session = sessions != nullptr && sessions->figure != SessionFigure::count;
    if (!length_of_session || token().kind != TokenKind::number)
        return literal();
    if (!is_unit_of_time(text_at(1))) { // a step may follow, or what else belongs to a workflow
        Literal seconds = literal();
        note(unit_of_time_expected);
        return seconds;
    }
    std::uint32_t const from = token().from;
    Duration const length = duration();
    if (length.months != 0)
        fail_at(from, "a session is not measured in months", "Use seconds, minutes, hours or days.");
    return Number{length.exact()}; // 10^-6 seconds each
}

Bound Parser::bound() {
    if (token().kind == TokenKind::moment)
        return moment();
    if (token().kind == TokenKind::number) {
        Duration const length = duration();
        require(Keyword::ago, "A moment is a date (2026-01-31), \"30 days ago\" or an attribute of the contact.");
        return Ago{length};
    }
    note("a date");
    note("a duration");
    return path("an attribute");
}

// within d | since b | before b | between b and b | nothing
Window Parser::window() {
    Window out;
    if (accept(Keyword::within)) {
        out.within = duration();
    } else if (is(Keyword::since)) {
        advance();
        out.since = bound();
    } else if (is(Keyword::before)) {
        advance();
        out.before = bound();
    } else if (is(Keyword::between)) {
        advance();
        out.since = bound();
        require(Keyword::and_);
        out.until = bound();
    }
    return out;
}

void Parser::end_of_call() {
    if (is(Keyword::where)) {
        note("\")\"");
        fail("Put \"where\" before \"within\".");
    }
    require(")");
    close();
}

// sum|avg|min|max|distinct(p of E …), entry|exit(p of E)
Operand Parser::aggregate(Keyword which) {
    Path property = path("a property of the event");
    require(Keyword::of, which == Keyword::sum        ? "Say what is added up: sum(amount of purchase)."
                         : which == Keyword::distinct ? "Say what is told apart: distinct(path of page_view)."
                                                      : "Say of which property: " + std::string(text_of(which)) +
                                                            "(amount of purchase).");
    EventPattern pattern = event("an event type", Within::other);
    if (which == Keyword::entry || which == Keyword::exit) {
        Duration const gap = session_gap();
        end_of_call();
        return SessionPage{which == Keyword::entry, std::move(property), std::move(pattern), gap};
    }
    Window when = window();
    end_of_call();
    AggregateKind const kind = which == Keyword::sum   ? AggregateKind::sum
                               : which == Keyword::avg ? AggregateKind::avg
                               : which == Keyword::min ? AggregateKind::min
                               : which == Keyword::max ? AggregateKind::max
                                                       : AggregateKind::distinct;
    return Aggregate{kind, std::move(property), std::move(pattern), std::move(when)};
}

namespace {

// sessions, longest session, last session; dwell, longest dwell, last dwell
SessionFigure session_figure(Keyword which, bool dwell) {
    if (which == Keyword::longest)
        return dwell ? SessionFigure::longest_dwell : SessionFigure::longest;
    if (which == Keyword::last)
        return dwell ? SessionFigure::last_dwell : SessionFigure::last;
    return dwell ? SessionFigure::dwell : SessionFigure::count;
}

} // namespace

// count|days|sessions|dwell(E …), first|last([p of] E …), longest|last session|dwell(E …), days since first|last(E …)
Operand Parser::behaviour() {
    Keyword which = token().keyword;
    advance();
    bool const since = which == Keyword::days && accept(Keyword::since);
    if (since) {
        which = token().keyword;
        if (!accept(Keyword::first) && !accept(Keyword::last))
            fail("It is written: days since last(login) >= 30.");
    }
    bool const of_sessions = (which == Keyword::last || which == Keyword::longest) && !since;
    bool const dwell = which == Keyword::dwell || (of_sessions && accept(Keyword::dwell));
    bool const session = dwell || which == Keyword::sessions || (of_sessions && accept(Keyword::session));
    open("(", token().from);
    require("(");
    switch (which) {
    case Keyword::sum:
    case Keyword::avg:
    case Keyword::min:
    case Keyword::max:
    case Keyword::distinct:
    case Keyword::entry:
    case Keyword::exit:
        return aggregate(which);
    default:
        break;
    }
    std::optional<Path> property;
    bool const takes_property = (which == Keyword::first || which == Keyword::last) && !since && !session;
    bool const several_keys = is_name() && is(".", 1);
    if (takes_property && (several_keys || (is_name() && is(Keyword::of, 1)))) {
        property = path("a property of the event");
        require(Keyword::of);
    } else if (takes_property && !is_name()) {
        note("a property of the event");
    }
    EventPattern pattern = event("an event type", Within::other);
    if (takes_property && !property && !pattern.where)
        note("of", Keyword::of);
    Window when = window();
    Duration const gap = session ? session_gap() : Duration{};
    end_of_call();
    Which const end = which == Keyword::first ? Which::first : Which::last;
    if (since)
        return DaysSince{end, std::move(pattern), std::move(when)};
    if (session)
        return Sessions{session_figure(which, dwell), std::move(pattern), std::move(when), gap};
    if (which == Keyword::count)
        return Count{std::move(pattern), std::move(when)};
    if (which == Keyword::days)
        return Days{std::move(pattern), std::move(when)};
    return Occurrence{end, std::move(property), std::move(pattern), std::move(when)};
}

} // namespace nurture::language
