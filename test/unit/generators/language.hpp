#pragma once
// RapidCheck generators for everything the language can say. Each value is one the parser can make: names are
// not empty, `and` holds no `and`, `where` holds properties only, `exit` ends its block.
#include "core/language/language.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

namespace nurture::language {

inline void showValue(const Rule& rule, std::ostream& out) {
    out << print(rule);
}
inline void showValue(const Condition& condition, std::ostream& out) {
    out << print(condition);
}
inline void showValue(const Workflow& workflow, std::ostream& out) {
    out << print(workflow);
}

namespace generators {

using rc::Gen;
namespace gen = rc::gen;

/// A text of valid UTF-8 without NUL; often with quotes, blanks and letters beyond ASCII.
inline Gen<std::string> text() {
    return gen::map(
        gen::container<std::vector<std::string>>(gen::weightedOneOf<std::string>(
            {{6,
              gen::map(gen::inRange('a', 'z'), [](int c) { return std::string(1, static_cast<char>(c)); })},
             {4, gen::map(gen::inRange(1, 128), [](int c) { return std::string(1, static_cast<char>(c)); })},
             {3, gen::element<std::string>("'", "\"", "%", "\\", "--", "/*", "\n", "é", "жар", "東京",
                                           "\u00a0", "\u2019", "\U0001F600")}})),
        [](const std::vector<std::string>& parts) {
            std::string out;
            for (const std::string& part : parts)
                out += part;
            return out;
        });
}

/// A name: plain, a keyword, or anything at all.
inline Gen<std::string> name() {
    return gen::weightedOneOf<std::string>(
        {{8, gen::element<std::string>("page_view", "purchase", "plan", "amount", "email", "$sent", "country",
                                       "Ünïcode")},
         {4, gen::element<std::string>("and", "or", "Not", "score", "end", "where", "within", "up", "set",
                                       "on", "TRUE", "of", "half-life", "re-enter", "half", "re", "exit",
                                       "in", "is", "did", "now")},
         {4, gen::element<std::string>("count", "sum", "first", "last", "segment", "entering", "day", "topic",
                                       "at", "for", "per", "when", "entered", "was", "sample", "exactly", "list", "value", "today", "has", "contains", "ends", "null", "week", "with", "to", "never")},
         {3, gen::map(text(), [](std::string s) { return s.empty() ? std::string("Product Added") : s; })}});
}

inline Gen<Path> path() {
    return gen::map(gen::resize(3, gen::nonEmpty(gen::container<std::vector<std::string>>(name()))),
                    [](std::vector<std::string> keys) { return Path{std::move(keys)}; });
}

/// A duration the printer keeps apart: months, days and micros in any mixture, never nothing.
inline Gen<Duration> duration(bool with_months = true) {
    return gen::exec([with_months] {
        Duration out;
        out.days = *gen::weightedOneOf<int>(
            {{2, gen::just(0)}, {3, gen::inRange(1, 400)}, {1, gen::just(3'660'000)}});
        if (with_months && *gen::inRange(0, 3) == 0)
            out.months = *gen::oneOf(gen::inRange(1, 40), gen::just(120'000), gen::just(12));
        if (*gen::inRange(0, 2) == 0)
            out.micros =
                *gen::inRange<std::int64_t>(1, 5000) * *gen::element<Span>(1, 1000, one_second, one_minute, one_hour);
        if (out.empty())
            out.days = 1;
        return out;
    });
}

inline Gen<Moment> moment() {
    return gen::exec([] {
        // The years 0001 to 9999.
        std::int64_t const day_number = *gen::inRange<std::int64_t>(-730'119, 2'921'940);
        Moment out;
        out.local = day_number * one_day;
        out.date_only = *gen::arbitrary<bool>();
        if (out.date_only)
            return out;
        Span const unit = *gen::element<Span>(1, 100, 1000, one_second, one_minute, one_hour);
        out.local += *gen::inRange<Span>(0, one_day / unit) * unit;
        if (*gen::arbitrary<bool>())
            out.utc_offset = *gen::inRange<Span>(-15 * 60 - 59, 15 * 60 + 60) * one_minute;
        return out;
    });
}

inline Gen<Literal> literal() {
    return gen::oneOf(
        gen::map(gen::arbitrary<bool>(), [](bool b) { return Literal(b); }),
        gen::map(gen::oneOf(gen::inRange<Micro>(-1'000'000'000, 1'000'000'000), gen::arbitrary<Micro>(),
                            gen::element<Micro>(INT64_MIN, INT64_MAX, 0)),
                 [](Micro m) { return Literal(Number{m}); }),
        gen::map(text(), [](std::string s) { return Literal(std::move(s)); }),
        gen::map(moment(), [](Moment m) { return Literal(m); }));
}

Gen<Condition> condition(int depth = 4, bool inside_where = false);

inline Gen<EventPattern> event() {
    return gen::exec([] {
        EventPattern out;
        if (*gen::inRange(0, 10) != 0)
            out.type = *name();
        if (*gen::inRange(0, 3) == 0)
            out.where = *condition(2, true);
        return out;
    });
}

inline Gen<Bound> bound() {
    return gen::oneOf(gen::map(moment(), [](Moment m) { return Bound(m); }),
                      gen::map(path(), [](Path p) { return Bound(std::move(p)); }),
                      gen::map(duration(), [](Duration d) { return Bound(Ago{d}); }));
}

inline Gen<Window> window() {
    return gen::exec([] {
        Window out;
        switch (*gen::inRange(0, 7)) {
        case 0:
            out.since = *bound();
            break;
        case 1:
            out.before = *bound();
            break;
        case 2:
            out.since = *bound();
            out.until = *bound();
            break;
        case 3:
        case 4:
            out.within = *duration();
            break;
        default:
            break;
        }
        return out;
    });
}

/// A silence that ends a session, or the policy's.
inline Duration session_gap() {
    return *gen::arbitrary<bool>() ? Duration{} : Duration{0, 0, *gen::inRange<Span>(1'000'000, 30 * one_day + 1)};
}

inline Gen<Sequence> sequence() {
    return gen::exec([] {
        Sequence out;
        int const steps = *gen::inRange(2, 5);
        for (int i = 0; i < steps; ++i) {
            SequenceStep step;
            step.event = *event();
            step.absent = i > 0 && *gen::inRange(0, 4) == 0;
            if (i > 0 && (step.absent || *gen::arbitrary<bool>()))
                step.within = *duration();
            for (int without = i > 0 ? *gen::inRange(-2, 3) : 0; without > 0; --without)
                step.without.push_back(*event());
            out.steps.push_back(std::move(step));
        }
        if (*gen::arbitrary<bool>())
            out.same = *path();
        out.one_session = *gen::arbitrary<bool>();
        if (out.one_session)
            out.gap = session_gap();
        if (*gen::arbitrary<bool>())
            out.overall = *duration();
        out.window = *window();
        return out;
    });
}

inline Gen<Operand> operand(bool inside_where) {
    return gen::exec([inside_where]() -> Operand {
        switch (inside_where ? 0 : *gen::inRange(0, 14)) {
        case 1:
        case 2:
            return Count{*event(), *window()};
        case 3:
            return Aggregate{*gen::element(AggregateKind::sum, AggregateKind::distinct, AggregateKind::avg,
                                            AggregateKind::min, AggregateKind::max), *path(), *event(), *window()};
        case 4:
        case 5: {
            Occurrence out{*gen::element(Which::first, Which::last), {}, *event(), *window()};
            if (*gen::arbitrary<bool>())
                out.property = *path();
            return out;
        }
        case 7:
            return Days{*event(), *window()};
        case 8:
            return DaysSince{*gen::element(Which::first, Which::last), *event(), *window()};
        case 9:
            return Sessions{*gen::element(SessionFigure::count, SessionFigure::longest, SessionFigure::last,
                                          SessionFigure::dwell, SessionFigure::longest_dwell, SessionFigure::last_dwell),
                            *event(), *window(), session_gap()};
        case 10:
            return SessionPage{*gen::arbitrary<bool>(), *path(), *event(), session_gap()};
        case 6: {
            Score out;
            if (*gen::arbitrary<bool>())
                out.topic = *name();
            return out;
        }
        case 11: {
            Band out;
            if (*gen::arbitrary<bool>())
                out.topic = *name();
            return out;
        }
        case 12: {
            Consent out;
            out.channel = *name();
            if (*gen::arbitrary<bool>())
                out.purpose = *name();
            out.expires = *gen::arbitrary<bool>();
            return out;
        }
        default:
            return Attribute{*path()};
        }
    });
}

inline ZoneChoice zone_choice(bool inside_where) {
    ZoneChoice out;
    out.kind = *gen::element(ZoneChoice::Kind::policy, ZoneChoice::Kind::contact, ZoneChoice::Kind::named);
    if (inside_where && out.kind == ZoneChoice::Kind::contact)
        out.kind = ZoneChoice::Kind::policy;
    if (out.kind == ZoneChoice::Kind::named)
        out.name = *text();
    return out;
}

/// Operands made of attributes and of now.
inline Gen<Operand> made_operand(bool inside_where) {
    return gen::exec([inside_where]() -> Operand {
        switch (*gen::inRange(0, inside_where ? 3 : 5)) {
        case 0:
            return Items{*path()};
        case 1:
            return Domain{*path()};
        case 3:
            return Now{};
        case 4:
            return Anniversary{*path()};
        default: {
            DatePart out;
            out.part = *gen::element(CalendarPart::year, CalendarPart::quarter, CalendarPart::month, CalendarPart::week,
                                     CalendarPart::day, CalendarPart::weekday, CalendarPart::hour, CalendarPart::minute);
            if (inside_where || *gen::arbitrary<bool>())
                out.of = *path();
            out.zone = zone_choice(inside_where);
            return out;
        }
        }
    });
}

inline Gen<Condition> date_test(bool inside_where) {
    return gen::exec([inside_where]() -> Condition {
        DateTest out;
        out.left = *gen::arbitrary<bool>() ? *operand(inside_where) : *made_operand(inside_where);
        out.zone = zone_choice(inside_where);
        bool const no = *gen::arbitrary<bool>();
        switch (*gen::element(0, 4)) {
        default: {
            AgainstDate against{*gen::element(DateRelation::on, DateRelation::before, DateRelation::after), *moment()};
            if (against.relation == DateRelation::on && !against.moment.date_only)
                against.relation = DateRelation::before;
            out.question = against;
            break;
        }
        case 4: {
            OnDayKind on{*gen::element(DayKind::business_day, DayKind::weekend, DayKind::holiday), {}, {}};
            if (on.kind != DayKind::weekend && *gen::arbitrary<bool>())
                on.calendar = *text();
            out.question = on;
            out.negated = no;
            break;
        }
        }
        if (inside_where || *gen::inRange(0, 3) == 0)
            return {std::move(out)};
        out.negated = no;
        switch (*gen::inRange(0, 3)) {
        case 0:
            out.question = InPeriod{*gen::element(CalendarUnit::day, CalendarUnit::week, CalendarUnit::month, CalendarUnit::quarter, CalendarUnit::year),
                                    *gen::inRange(-1, 2)};
            break;
        case 1:
            out.question = PastOrFuture{*gen::arbitrary<bool>()};
            break;
        default: {
            WithinSpan span{*gen::element(SpanRelation::within_last, SpanRelation::within_next, SpanRelation::more_ago, SpanRelation::less_ago,
                                          SpanRelation::more_ahead, SpanRelation::less_ahead, SpanRelation::exactly_ago, SpanRelation::exactly_ahead),
                            *duration()};
            if (span.relation >= SpanRelation::exactly_ago)
                span.span = Duration{1, 2, 0};
            out.negated = no && span.relation <= SpanRelation::within_next;
            out.question = span;
        }
        }
        return {std::move(out)};
    });
}

inline Gen<Condition> attribute_test(bool inside_where) {
    return gen::exec([inside_where]() -> Condition {
        Operand left = *gen::arbitrary<bool>() ? *operand(inside_where) : *made_operand(inside_where);
        bool const no = *gen::arbitrary<bool>();
        auto const comparator = *gen::element(Comparator::equal, Comparator::not_equal, Comparator::less, Comparator::greater_equal);
        auto some = [] { return *gen::resize(3, gen::nonEmpty(gen::container<std::vector<Literal>>(literal()))); };
        switch (*gen::inRange(0, inside_where ? 6 : 8)) {
        case 0:
            return {ComparePaths{std::move(left), comparator, *path()}};
        case 1:
            return {DistinctFrom{std::move(left), no ? Comparand(*literal()) : Comparand(*path()), *gen::arbitrary<bool>()}};
        case 2:
            return {TextTest{std::move(left), *gen::element(TextRelation::contains, TextRelation::starts_with, TextRelation::ends_with, TextRelation::matches),
                             *text(), no, {}}};
        case 3:
            return {IsEmpty{std::move(left), no}};
        case 4:
            return {HasItems{std::move(left), *gen::element(Quantity::any, Quantity::all, Quantity::none), some()}};
        case 5: {
            Condition const test = no ? Condition{Like{std::move(left), *text(), *gen::arbitrary<bool>()}}
                                      : Condition{Comparison{std::move(left), comparator, *text()}};
            bool const letter_case = *gen::arbitrary<bool>();
            return {Ignoring{letter_case, !letter_case || *gen::arbitrary<bool>(), test}};
        }
        case 6: {
            Changed out{*path(), {}, {}, *duration(), {}};
            if (no)
                out.from = *literal();
            if (*gen::arbitrary<bool>())
                out.to = *literal();
            return {std::move(out)};
        }
        default:
            return {HasBeen{*path(), *literal(), no, *duration()}};
        }
    });
}

inline Gen<Condition> membership_test() {
    return gen::exec([]() -> Condition {
        bool const yes = *gen::arbitrary<bool>();
        switch (*gen::inRange(0, 8)) {
        case 0:
            return {InSegmentFor{*text(), yes, *duration(), {}}};
        case 1:
            return {MovedSegment{*text(), yes, *duration(), {}}};
        case 2:
            return {WasInSegment{*text(), *moment(), {}}};
        case 3:
            return {OnList{*text(), yes, {}}};
        case 4:
            return {InSession{*event(), session_gap()}};
        case 5:
            return {Sample{*gen::inRange<Micro>(0, 100'000'001), *text()}};
        case 6:
            return {Exhausted{*text(), yes, {}}};
        default: {
            InJourney out{*text(), *gen::element(JourneyRelation::inside, JourneyRelation::entered, JourneyRelation::completed), {}, {}};
            if (out.relation == JourneyRelation::inside && yes)
                out.step = *text();
            return {std::move(out)};
        }
        }
    });
}

inline Gen<Condition> predicate(bool inside_where) {
    return gen::exec([inside_where]() -> Condition {
        switch (*gen::inRange(0, 3)) {
        case 0:
            return *date_test(inside_where);
        case 1:
            return *attribute_test(inside_where);
        default:
            break;
        }
        if (!inside_where && *gen::inRange(0, 4) == 0)
            return *membership_test();
        switch (*gen::inRange(0, inside_where ? 7 : 12)) {
        case 0:
            return {Between{*operand(inside_where), *literal(), *literal(), *gen::arbitrary<bool>()}};
        case 1:
            return {In{*operand(inside_where),
                       *gen::resize(4, gen::nonEmpty(gen::container<std::vector<Literal>>(literal()))),
                       *gen::arbitrary<bool>()}};
        case 2:
            return {Like{*operand(inside_where), *text(), *gen::arbitrary<bool>()}};
        case 3:
            return {IsSet{*operand(inside_where), *gen::arbitrary<bool>()}};
        case 4:
            if (!inside_where && *gen::inRange(0, 3) == 0)
                return {Truth{Consent{*name(), {}, false}}};
            return {Truth{Attribute{*path()}}};
        case 5:
            return {Constant{*gen::arbitrary<bool>()}};
        case 7:
            return {Did{*event(), *window()}};
        case 8:
            return {InSegment{*text(), {}}};
        case 9: {
            auto const periods = *gen::inRange<std::int64_t>(1, 1'001);
            return {Regularly{*event(), *gen::inRange<std::int64_t>(1, periods + 1), periods,
                              *gen::element(RegularUnit::day, RegularUnit::week, RegularUnit::month)}};
        }
        case 10:
            return {Trend{*gen::suchThat(operand(false),
                                         [](const Operand& o) { // what has no windows to be compared
                                             const auto* consent = std::get_if<Consent>(&o);
                                             return !std::holds_alternative<Attribute>(o) && (consent == nullptr || consent->expires);
                                         }),
                          *gen::arbitrary<bool>(), *gen::oneOf(gen::just<Micro>(0), gen::inRange<Micro>(1, 1'000'000'000))}};
        case 11:
            return {*sequence()};
        default:
            return {Comparison{*operand(inside_where),
                               *gen::element(Comparator::equal, Comparator::not_equal, Comparator::less,
                                             Comparator::less_equal, Comparator::greater,
                                             Comparator::greater_equal),
                               *literal()}};
        }
    });
}

template <class Junction>
Condition junction(int depth, bool inside_where) {
    Junction out;
    int const wanted = *gen::inRange(2, 4);
    while (static_cast<int>(out.operands.size()) < wanted) {
        Condition operand = *condition(depth - 1, inside_where);
        if (const auto* same = std::get_if<Junction>(&operand.node)) {
            Box<Condition> const first = same->operands.front();
            operand = *first;
        }
        out.operands.emplace_back(std::move(operand));
    }
    return {std::move(out)};
}

/// A condition nested at most `depth` deep; inside_where: over an event's properties only.
inline Gen<Condition> condition(int depth, bool inside_where) {
    return gen::exec([depth, inside_where]() -> Condition {
        switch (depth <= 0 ? 3 : *gen::inRange(0, 7)) {
        case 6: {
            AtLeastOf out;
            int const wanted = *gen::inRange(2, 4);
            for (int i = 0; i < wanted; ++i)
                out.operands.emplace_back(*condition(depth - 1, inside_where));
            out.wanted = *gen::inRange<std::int64_t>(1, wanted + 1);
            return {std::move(out)};
        }
        case 0:
            return junction<And>(depth, inside_where);
        case 1:
            return junction<Or>(depth, inside_where);
        case 2:
            return {Not{*condition(depth - 1, inside_where)}};
        default:
            return *predicate(inside_where);
        }
    });
}

inline Gen<Rule> event_rule() {
    return gen::exec([] {
        Rule out;
        out.points = *gen::oneOf(gen::inRange<Micro>(-100'000'000, 100'000'000), gen::arbitrary<Micro>());
        if (*gen::arbitrary<bool>())
            out.per = *path();
        out.event = *event();
        if (*gen::arbitrary<bool>())
            out.half_life = *duration(false);
        else if (*gen::arbitrary<bool>())
            out.fading = Fading{*gen::element(FadingKind::linear, FadingKind::expiry), *duration(false), 0};
        else if (*gen::arbitrary<bool>())
            out.fading = Fading{FadingKind::step, *duration(false), *gen::inRange<Micro>(1, 100'000'001)};
        bool const expires = out.fading && out.fading->kind == FadingKind::expiry;
        if ((out.half_life || out.fading) && !expires && *gen::arbitrary<bool>())
            out.starting_after = *duration(false);
        if (*gen::arbitrary<bool>())
            out.once_per = *path();
        return out;
    });
}

inline Gen<PointsTable> points_table() {
    return gen::exec([] {
        PointsTable out;
        out.by = *path();
        std::size_t const size = *gen::inRange<std::size_t>(1, 4);
        while (out.values.size() < size) {
            Literal const value = *literal();
            bool known = false;
            for (const auto& other : out.values)
                known = known || other.first == value;
            if (!known)
                out.values.emplace_back(value, *gen::arbitrary<Micro>());
        }
        out.otherwise = *gen::arbitrary<Micro>();
        return out;
    });
}

inline Gen<Rule> rule() {
    return gen::exec([] {
        Rule out;
        int const kind = *gen::inRange(0, 6);
        if (kind < 4)
            out = *event_rule();
        out.points = *gen::oneOf(gen::inRange<Micro>(-100'000'000, 100'000'000), gen::arbitrary<Micro>());
        if (kind == 4) {
            out.kind = RuleKind::condition;
            out.condition = *condition(2);
        } else if (kind == 5) {
            out.kind = RuleKind::inactivity;
            out.every = *duration(false);
            out.event = *event();
        }
        if (kind != 5 && !out.per && *gen::inRange(0, 3) == 0) {
            out.points = 0;
            out.table = *points_table();
            if (kind == 4 && *gen::arbitrary<bool>())
                out.condition = {};
        }
        if (*gen::arbitrary<bool>())
            out.topic = *name();
        if (kind != 4 && *gen::arbitrary<bool>())
            out.cap = Cap{*gen::oneOf(gen::inRange<std::int64_t>(1, 100), gen::just<std::int64_t>(1000)),
                          kind == 5 ? CapPeriod::ever
                                    : *gen::element(CapPeriod::hour, CapPeriod::day, CapPeriod::week, CapPeriod::month,
                                                    CapPeriod::ever)};
        if (*gen::arbitrary<bool>())
            out.floor = *gen::inRange<Micro>(-100'000'000, 0);
        if (*gen::arbitrary<bool>())
            out.ceiling = *gen::inRange<Micro>(0, 100'000'000);
        return out;
    });
}

inline Gen<Argument> argument() {
    return gen::oneOf(gen::map(literal(), [](Literal l) { return Argument(std::move(l)); }),
                      gen::map(path(), [](Path p) { return Argument(std::move(p)); }));
}

inline Gen<std::vector<NamedArgument>> arguments() {
    return gen::exec([] {
        std::vector<NamedArgument> out;
        int const wanted = *gen::inRange(0, 4);
        for (int i = 0; i < wanted; ++i) {
            NamedArgument next{*name(), *argument()};
            bool const twice =
                std::any_of(out.begin(), out.end(), [&](const auto& a) { return a.name == next.name; });
            if (!twice)
                out.push_back(std::move(next));
        }
        return out;
    });
}

inline Gen<std::vector<NamedArgument>> sent_arguments() {
    return gen::exec([] {
        auto out = *arguments();
        for (NamedArgument& argument : out)
            if (*gen::inRange(0, 3) == 0)
                argument.value = Coupon{*text(), {}};
        return out;
    });
}

Gen<Steps> steps(int depth, bool may_be_empty = false);

inline Gen<Span> time_of_day() {
    return gen::map(gen::inRange<Span>(0, 24 * 3600), [](Span s) { return s * (s % 3 == 0 ? 1 : 60) % (24 * 3600) * one_second; });
}

inline Gen<std::optional<Span>> maybe_time_of_day() {
    return gen::exec([]() -> std::optional<Span> {
        if (*gen::arbitrary<bool>())
            return std::nullopt;
        return *time_of_day();
    });
}

inline Gen<JourneyEvent> journey_event() {
    return gen::exec([] {
        JourneyEvent out;
        out.event = *event();
        if (*gen::inRange(0, 3) == 0)
            out.same = *path();
        return out;
    });
}

inline Gen<Awaited> awaited() {
    return gen::exec([]() -> Awaited {
        if (*gen::arbitrary<bool>())
            return *journey_event();
        return Box<Condition>(*condition(2));
    });
}

inline Gen<std::vector<Awaited>> several_awaited() {
    return gen::exec([] {
        std::vector<Awaited> out;
        for (int i = *gen::inRange(1, 4); i > 0; --i)
            out.push_back(*awaited());
        return out;
    });
}

inline Gen<WaitUntil> wait_until() {
    return gen::exec([]() -> WaitUntil {
        switch (*gen::inRange(0, 3)) {
        case 0:
            return {UntilMoment{*moment()}};
        case 1: {
            UntilDate out;
            if (*gen::arbitrary<bool>())
                out.offset = *duration();
            out.before = !out.offset.empty() && *gen::arbitrary<bool>();
            out.attribute = *gen::oneOf(path(), gen::element(Path{{"monday"}}, Path{{"Sunday", "x"}}, Path{{"business"}}, Path{{"business", "day"}}));
            out.at = *maybe_time_of_day();
            return {std::move(out)};
        }
        default: {
            UntilClock out;
            int const kind = *gen::inRange(0, 3);
            if (kind == 1) {
                out.days.kind = DayChoice::Kind::weekdays;
                out.days.weekdays = static_cast<std::uint8_t>(*gen::inRange(1, 128));
            } else if (kind == 2) {
                out.days.kind = DayChoice::Kind::business_day;
                if (*gen::arbitrary<bool>())
                    out.days.calendar = *text();
            }
            if (kind == 0 || *gen::arbitrary<bool>())
                out.from = *time_of_day();
            if (out.from && *gen::arbitrary<bool>()) {
                out.to = *time_of_day();
                if (*out.to == *out.from)
                    out.to = (*out.from + one_hour) % one_day;
            }
            return {std::move(out)};
        }
        }
    });
}

inline Gen<FailurePolicy> failure() {
    return gen::exec([] { return FailurePolicy{*gen::element(0, 0, 0, 1, 5), *gen::inRange(0, 4) == 0}; });
}

inline Gen<Micro> nonzero() {
    return gen::map(gen::inRange<Micro>(1, 1'000'000'000), [](Micro m) { return m; });
}

inline Gen<Step> acting_step() {
    return gen::exec([]() -> Step {
        switch (*gen::inRange(0, 15)) {
        case 13: {
            SetScore out;
            if (*gen::arbitrary<bool>())
                out.points = *gen::inRange<Micro>(-5'000'000, 5'000'000);
            out.reason = *text();
            return {std::move(out), {}};
        }
        case 14: {
            WithdrawConsent out;
            out.channel = *name();
            if (*gen::arbitrary<bool>())
                out.purpose = *name();
            out.reason = *text();
            return {std::move(out), {}};
        }
        case 0: {
            Send out{*name(), *text(), {}, *gen::arbitrary<bool>(), *sent_arguments(), *failure()};
            if (*gen::arbitrary<bool>())
                out.purpose = *name();
            if (out.channel != "sms" && *gen::inRange(0, 3) == 0) {
                out.others.emplace_back("sms");
                if (*gen::arbitrary<bool>())
                    out.preferring = *path();
            }
            return {std::move(out), {}};
        }
        case 1:
            return {Do{*text(), *sent_arguments(), *failure()}, {}};
        case 2:
            return {Set{*name(), *argument()}, {}};
        case 3:
            return {Clear{*name()}, {}};
        case 4:
            return {Increment{*name(), *gen::element<Micro>(1, 1'000'000, -1'000'000, 2'500'000)}, {}};
        case 5:
            return {ChangeItems{*gen::element(ChangeItems::Kind::append, ChangeItems::Kind::add, ChangeItems::Kind::remove),
                                *argument(), *name()}, {}};
        case 6:
            return {ChangeList{*gen::arbitrary<bool>(), *text(), {}}, {}};
        case 7: {
            AdjustScore out;
            if (*gen::arbitrary<bool>())
                out.topic = "fit.company";
            out.points = *gen::inRange<Micro>(-5'000'000, 5'000'000);
            out.reason = *text();
            return {std::move(out), {}};
        }
        case 8: {
            std::string type = *name();
            return {Emit{type.front() == '$' ? "x" + type : type, *arguments()}, {}};
        }
        case 9:
            return {StartWorkflow{*text(), *arguments(), {}}, {}};
        case 10:
            return {SendNext{*text(), *sent_arguments(), {}}, {}};
        case 11:
            return {Assign{*name(), *text(), {}}, {}};
        default:
            return {StopWorkflow{*text(), {}}, {}};
        }
    });
}

inline Gen<Step> waiting_step(int depth) {
    return gen::exec([depth]() -> Step {
        switch (*gen::inRange(0, depth > 0 ? 5 : 4)) {
        case 0:
            return {Wait{*duration()}, {}};
        case 1:
        case 2:
            return {*wait_until(), {}};
        case 3: {
            WaitWorkflow out{*text(), {}, {}};
            if (*gen::arbitrary<bool>())
                out.up_to = *duration();
            return {std::move(out), {}};
        }
        default: {
            WaitFor out;
            out.what = *several_awaited();
            out.up_to = *duration();
            for (int i = *gen::element(0, 0, 0, 1, 2); i > 0; --i)
                out.renewed_by.push_back(*journey_event());
            out.then_steps = *steps(depth - 1, true);
            if (!out.then_steps.empty())
                for (int i = *gen::inRange(0, 3); i > 0; --i)
                    out.others.push_back({*several_awaited(), *steps(depth - 1)});
            out.ranked = !out.others.empty() && *gen::arbitrary<bool>();
            out.else_steps = *steps(depth - 1, true);
            return {std::move(out), {}};
        }
        }
    });
}

inline Gen<Step> choosing_step(int depth) {
    return gen::exec([depth]() -> Step {
        switch (*gen::inRange(0, 5)) {
        case 4: {
            Parallel out;
            out.any = *gen::arbitrary<bool>();
            for (int i = *gen::inRange(2, 4); i > 0; --i)
                out.branches.push_back(*steps(depth - 1));
            return {std::move(out), {}};
        }
        case 0: {
            If out;
            int const wanted = *gen::inRange(1, 4);
            for (int i = 0; i < wanted; ++i)
                out.branches.push_back({*condition(2), *steps(depth - 1)});
            out.else_steps = *steps(depth - 1, true);
            return {std::move(out), {}};
        }
        case 1: {
            Switch out;
            out.of = Attribute{*path()};
            for (int i = *gen::inRange(1, 4); i > 0; --i) {
                Case one;
                for (int k = *gen::inRange(1, 3); k > 0; --k)
                    one.values.push_back(*literal());
                one.steps = *steps(depth - 1);
                out.cases.push_back(std::move(one));
            }
            out.else_steps = *steps(depth - 1, true);
            return {std::move(out), {}};
        }
        case 2: {
            Split out;
            out.salt = *text();
            out.experiment = !out.salt.empty() && *gen::arbitrary<bool>();
            out.again = !out.experiment && *gen::arbitrary<bool>();
            std::vector<std::string> const names{"a", "percent", "Days", "Control group", "end", "b"};
            int const arms = *gen::inRange(2, 7);
            for (int i = 0; i < arms; ++i)
                out.arms.push_back({*nonzero(), names[static_cast<std::size_t>(i)], *steps(depth - 1, true)});
            return {std::move(out), {}};
        }
        default: {
            Repeat out;
            out.at_most = *gen::element(0, 1, 10);
            if (*gen::arbitrary<bool>())
                out.until = *condition(2);
            out.steps = *steps(depth - 1);
            return {std::move(out), {}};
        }
        }
    });
}

inline Gen<Step> step(int depth) {
    return gen::exec([depth]() -> Step {
        switch (*gen::inRange(0, depth > 0 ? 4 : 3)) {
        case 0:
            return *waiting_step(depth);
        case 1:
        case 2:
            return *acting_step();
        default:
            return *choosing_step(depth);
        }
    });
}

/// A block of steps; an `exit` only at its end.
inline Gen<Steps> steps(int depth, bool may_be_empty) {
    return gen::exec([depth, may_be_empty] {
        Steps out;
        int const wanted = *gen::inRange(0, 3);
        for (int i = 0; i < wanted; ++i)
            out.emplace_back(*step(depth));
        if ((out.empty() && !may_be_empty) || *gen::inRange(0, 4) == 0)
            out.emplace_back(Step{Exit{}, {}});
        return out;
    });
}

inline Gen<Trigger> trigger() {
    return gen::exec([]() -> Trigger {
        switch (*gen::inRange(0, 8)) {
        case 0:
            return OnEvent{*event()};
        case 1:
            return OnSegment{*gen::arbitrary<bool>(), *text(), {}};
        case 2:
            return OnCondition{*gen::arbitrary<bool>(), *condition(2)};
        case 3: {
            OnAttribute out;
            out.change = *gen::arbitrary<bool>();
            out.attribute = *path();
            if (out.change && *gen::arbitrary<bool>())
                out.from = *literal();
            if (*gen::arbitrary<bool>())
                out.to = *literal();
            return out;
        }
        case 4:
            return OnListChange{*gen::arbitrary<bool>(), *text(), {}};
        case 5: {
            OnDate out;
            if (*gen::arbitrary<bool>())
                out.offset = *duration();
            out.before = !out.offset.empty() && *gen::arbitrary<bool>();
            out.yearly = *gen::arbitrary<bool>();
            out.attribute = *path();
            out.at = *maybe_time_of_day();
            return out;
        }
        case 6: {
            OnJourney out;
            out.workflow = *text();
            if (*gen::arbitrary<bool>())
                out.step = *text();
            return out;
        }
        default: {
            OnSchedule out;
            if (*gen::arbitrary<bool>())
                out.once = *moment();
            else
                out.cron = *gen::element<std::string>("0 9 * * 1", "*/5 8-17 1,15 jan,jun mon-fri", "30 2 29 2 *");
            out.zone.kind = *gen::element(ZoneChoice::Kind::policy, ZoneChoice::Kind::contact, ZoneChoice::Kind::named);
            if (out.zone.kind == ZoneChoice::Kind::named)
                out.zone.name = *text();
            if (!out.once && *gen::arbitrary<bool>())
                out.from = *moment();
            if (!out.once && *gen::arbitrary<bool>())
                out.until = *moment();
            if (out.from)
                out.times = *gen::element(0, 1, 12);
            if (*gen::arbitrary<bool>())
                out.segment = *text();
            return out;
        }
        }
    });
}

inline Gen<ReentryPolicy> reentry() {
    return gen::exec([] {
        ReentryPolicy out;
        out.kind = *gen::element(Reentry::never, Reentry::always, Reentry::after, Reentry::per_key, Reentry::once_per_key);
        if (out.kind == Reentry::after)
            out.after = *duration();
        if (out.kind == Reentry::per_key || out.kind == Reentry::once_per_key)
            out.key = *path();
        if (out.kind != Reentry::never) {
            out.times = *gen::element(0, 0, 1, 7);
            out.at_once = out.kind == Reentry::after ? 0 : *gen::element(0, 0, 1, 7);
        }
        return out;
    });
}

inline Gen<Workflow> workflow(int depth = 3) {
    return gen::exec([depth] {
        Workflow out;
        int const triggers = *gen::inRange(0, 3);
        for (int i = 0; i < triggers; ++i)
            out.triggers.push_back(*trigger());
        out.reentry = *reentry();
        if (*gen::inRange(0, 4) == 0)
            out.holdout = Holdout{*gen::inRange<Micro>(0, 100 * micro_one + 1), *text()};
        else
            out.no_holdout = *gen::inRange(0, 4) == 0;
        int const exits = *gen::inRange(0, 3);
        for (int i = 0; i < exits; ++i)
            if (*gen::arbitrary<bool>())
                out.exit_on.push_back(*journey_event());
            else
                out.exit_when.emplace_back(*condition(2));
        int const goals = *gen::inRange(0, 2);
        for (int i = 0; i < goals; ++i) {
            Goal goal;
            if (*gen::arbitrary<bool>())
                goal.within = *duration();
            goal.what = *awaited();
            if (*gen::arbitrary<bool>())
                goal.go_to = "here";
            out.goals.push_back(std::move(goal));
        }
        out.steps.emplace_back(Step{Label{"here"}, {}});
        for (const auto& one : *steps(depth))
            out.steps.push_back(one);
        return out;
    });
}

} // namespace generators
} // namespace nurture::language
