// Dates: the moments at which the answer is another are the ends of intervals of "now".
#include "core/base/civil.hpp"
#include "core/step/reading.hpp"

namespace nurture::step {

using language::CalendarPart;
using language::DateRelation;
using language::DayKind;
using language::SpanRelation;
using language::ZoneChoice;
using model::DerivedKind;
using model::Node;
using model::OperandKind;

namespace {

/// [from, to): the moments of asking at which the answer is yes.
struct Interval {
    Time from = always, to = never;
};

constexpr std::string_view weekday_names[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

/// How far ahead the next change of a part of now is looked for; beyond it the contact is woken to look again.
constexpr int most_boundaries = 70;

Duration back(const Duration& d) { return {-d.months, -d.days, -d.micros}; }

/// The local moment as written, in `zone` where it has no offset.
Time instant_of(const language::Moment& moment, const Zone& zone) {
    return moment.utc_offset ? moment.local - *moment.utc_offset : zone.to_utc(moment.local);
}

std::int64_t day_number_of(const language::Moment& moment) {
    return moment.local / one_day - (moment.local % one_day < 0 ? 1 : 0);
}

/// When a date stands in the relation to the moment written: as an interval of that date.
Interval against(const language::AgainstDate& question, const Zone& zone) {
    if (!question.moment.date_only) {
        Time const t = instant_of(question.moment, zone);
        return question.relation == DateRelation::before ? Interval{always, t} : Interval{t + 1, never};
    }
    std::int64_t const day = day_number_of(question.moment);
    switch (question.relation) {
    case DateRelation::on:
        return {begin_of_day(day, zone), begin_of_day(day + 1, zone)};
    case DateRelation::before:
        return {always, begin_of_day(day, zone)};
    case DateRelation::after:
        break;
    }
    return {begin_of_day(day + 1, zone), never};
}

struct IntervalOf {
    Time t;
    const Zone& zone;
    int week_start;

    Interval operator()(const language::AgainstDate& question) const {
        Interval const where = against(question, zone);
        return t >= where.from && t < where.to ? Interval{} : Interval{never, never};
    }
    // t is in the period after this one: this one is the period before t's.
    Interval operator()(const language::InPeriod& period) const {
        auto const unit = static_cast<DayUnit>(period.unit);
        std::int64_t const day = day_of(t, zone);
        return {begin_of_day(period_begin(day, unit, week_start, -period.offset), zone),
                begin_of_day(period_begin(day, unit, week_start, 1 - period.offset), zone)};
    }
    Interval operator()(const language::WithinSpan& span) const {
        const Duration& d = span.span;
        switch (span.relation) {
        case SpanRelation::within_last:
        case SpanRelation::less_ago:
            return {t, add_on_calendar(t, d, zone)};
        case SpanRelation::within_next:
        case SpanRelation::less_ahead:
            return {add_on_calendar(t, back(d), zone), t};
        case SpanRelation::more_ago:
            return {add_on_calendar(t, d, zone), never};
        case SpanRelation::more_ahead:
            return {always, add_on_calendar(t, back(d), zone)};
        case SpanRelation::exactly_ago:
        case SpanRelation::exactly_ahead:
            break;
        }
        int const sign = span.relation == SpanRelation::exactly_ago ? 1 : -1;
        std::int64_t const day = move_day(day_of(t, zone), sign * d.months, sign * d.days);
        return {begin_of_day(day, zone), begin_of_day(day + 1, zone)};
    }
    Interval operator()(const language::PastOrFuture& side) const {
        return side.future ? Interval{always, t} : Interval{t, never};
    }
    Interval operator()(const language::OnDayKind&) const { return {never, never}; } // asked of the day itself
};

bool is_of_kind(const model::DateTest& test, std::int64_t day) {
    const auto& on = std::get<language::OnDayKind>(test.question);
    bool const weekend = weekday_of(day) >= 5;
    bool const holiday = test.holidays && std::binary_search(test.holidays->begin(), test.holidays->end(), day);
    return on.kind == DayKind::weekend ? weekend : on.kind == DayKind::holiday ? holiday : !weekend && !holiday;
}

/// 29 February in a year without one is 28 February or 1 March, as the policy says.
std::int64_t anniversary_in(const CivilDay& of, int year, bool leap_day_in_march) {
    bool const leap_day = of.month == 2 && of.day == 29;
    std::int64_t const day = day_number(year, of.month, of.day); // clipped to the 28th
    return leap_day && leap_day_in_march && civil_of(day).day == 28 ? day + 1 : day;
}

std::int64_t part_of(std::int64_t day, CalendarPart part) {
    CivilDay const civil = civil_of(day);
    switch (part) {
    case CalendarPart::year:
        return civil.year;
    case CalendarPart::quarter:
        return (civil.month - 1) / 3 + 1;
    case CalendarPart::month:
        return civil.month;
    case CalendarPart::week:
        return iso_week_of(day);
    default:
        return civil.day;
    }
}

} // namespace

const Zone& Facts::zone_of(const model::ZoneRef& ref) const {
    if (ref.kind == ZoneChoice::Kind::named)
        return *ref.zone;
    return ref.kind == ZoneChoice::Kind::contact ? contact_zone() : model.zone;
}

std::string Facts::contact_country() const {
    std::deque<std::string> texts;
    auto const country = value_of_json(attribute_json(profile, "country"), texts);
    return country.kind == profile::Value::Kind::string ? std::string(country.text) : "";
}

const Zone& Facts::contact_zone() const {
    std::string_view const json = attribute_json(profile, "timezone");
    if (!contact_zone_ || contact_zone_->first != json) {
        std::deque<std::string> texts;
        auto const name = value_of_json(json, texts);
        std::optional<Zone> zone;
        if (name.kind == profile::Value::Kind::string)
            zone = Zone::try_find(name.text);
        contact_zone_.emplace(std::string(json), zone.value_or(model.zone));
    }
    return contact_zone_->second;
}

// A part of a moment: a number, or the weekday's name.
Facts::Reading Facts::read_part(const model::Derived& derived, Time clock, const profile::Properties* event) const {
    const Zone& zone = zone_of(derived.zone);
    Reading out;
    Time t = clock;
    if (derived.of.kind == OperandKind::now) {
        out.flips = next_part(derived, clock);
    } else {
        Reading const of = read(derived.of, clock, event);
        auto const moment = time_of(of, zone);
        if (!moment) {
            unconvertible += of.kind == Reading::Kind::missing ? 0 : 1;
            return out;
        }
        t = *moment;
    }
    if (derived.part == CalendarPart::weekday) {
        out.kind = Reading::Kind::value;
        out.value = {profile::Value::Kind::string, false, weekday_names[weekday_of(day_of(t, zone))]};
        return out;
    }
    out.kind = Reading::Kind::number;
    std::int64_t number = 0;
    if (derived.part == CalendarPart::hour)
        number = ((slot_of(t, one_hour, zone) % 24) + 24) % 24;
    else if (derived.part == CalendarPart::minute)
        number = ((slot_of(t, one_minute, zone) % 60) + 60) % 60;
    else
        number = part_of(day_of(t, zone), derived.part);
    out.number = Wide(number) * micro_one;
    return out;
}

// The next moment at which a part of now can be another.
Time Facts::next_part(const model::Derived& derived, Time clock) const {
    const Zone& zone = zone_of(derived.zone);
    if (derived.part == CalendarPart::hour || derived.part == CalendarPart::minute) {
        Span const width = derived.part == CalendarPart::hour ? one_hour : one_minute;
        return zone.first_at((slot_of(clock, width, zone) + 1) * width);
    }
    std::int64_t const day = day_of(clock, zone);
    switch (derived.part) {
    case CalendarPart::year:
        return begin_of_day(period_begin(day, DayUnit::year, 0, 1), zone);
    case CalendarPart::quarter:
        return begin_of_day(period_begin(day, DayUnit::quarter, 0, 1), zone);
    case CalendarPart::month:
        return begin_of_day(period_begin(day, DayUnit::month, 0, 1), zone);
    case CalendarPart::week:
        return begin_of_day(period_begin(day, DayUnit::week, 0, 1), zone);
    default:
        return begin_of_day(day + 1, zone);
    }
}

bool Facts::asks_now(const model::Operand& operand) const {
    return operand.kind == OperandKind::now ||
           (operand.kind == OperandKind::derived && model.derived[operand.index].of.kind == OperandKind::now);
}

// A comparison of now, or of a part of it, with constants.
Outcome Facts::test_now(const Node& node, Time clock) const {
    Outcome out{answer(node, read(node.operand, clock, nullptr)), never};
    if (node.operand.kind == OperandKind::now) {
        for (const auto& constant : node.constants) {
            sooner(out.flips, constant.number, clock);
            sooner(out.flips, saturating_add(constant.number, 1), clock);
        }
        return out;
    }
    const auto& derived = model.derived[node.operand.index];
    Time next = clock;
    for (int i = 0; i < most_boundaries; ++i) {
        next = next_part(derived, next);
        if (answer(node, read(node.operand, next, nullptr)) != out.truth)
            break;
    }
    out.flips = next;
    return out;
}

Outcome Facts::test_date(const Node& node, Time clock, const profile::Properties* event) const {
    const auto& test = model.date_tests[node.detail];
    const Zone& zone = zone_of(test.zone);
    Outcome out{Truth::unknown, never};
    auto decide = [&](const Interval& interval, Time at) {
        sooner(out.flips, interval.from, clock);
        sooner(out.flips, interval.to, clock);
        return at >= interval.from && at < interval.to;
    };
    bool const of_day = std::holds_alternative<language::OnDayKind>(test.question);
    if (node.operand.kind == OperandKind::now) {
        bool yes = false;
        if (of_day) {
            std::int64_t const day = day_of(clock, zone);
            yes = is_of_kind(test, day);
            std::int64_t next = day + 1;
            while (is_of_kind(test, next) == yes && next < day + most_boundaries)
                ++next;
            out.flips = begin_of_day(next, zone);
        } else {
            yes = decide(against(std::get<language::AgainstDate>(test.question), zone), clock);
        }
        out.truth = truth(yes != node.flag);
        return out;
    }
    bool const yearly = node.operand.kind == OperandKind::derived;
    Reading const reading = read(yearly ? model.derived[node.operand.index].of : node.operand, clock, event);
    out.flips = reading.flips;
    auto const t = time_of(reading, zone);
    if (!t) {
        unconvertible += reading.kind == Reading::Kind::missing ? 0 : 1;
        return out;
    }
    bool yes = false;
    if (of_day) {
        yes = is_of_kind(test, day_of(*t, zone));
    } else if (!yearly) {
        yes = decide(std::visit(IntervalOf{*t, zone, model.source.calendar.week_start}, test.question), clock);
    } else {
        CivilDay const born = civil_of(day_of(*t, zone));
        int const now = civil_of(day_of(clock, zone)).year;
        int const first = std::max(born.year + 1, now - 2); // the first anniversary is a year later
        for (int year = first; year <= std::max(first, now) + 2; ++year) {
            std::int64_t const day = anniversary_in(born, year, model.source.calendar.leap_day_in_march);
            IntervalOf const of{begin_of_day(day, zone), zone, model.source.calendar.week_start};
            yes = decide(std::visit(of, test.question), clock) || yes;
        }
    }
    out.truth = truth(yes != node.flag);
    return out;
}

std::optional<Time> Facts::date(const profile::Value& value) const {
    Reading reading;
    reading.value = value;
    reading.kind = value.known() ? Reading::Kind::value : Reading::Kind::missing;
    return time_of(reading, contact_zone());
}

// From the moment the date is reached, moved and set to a time of day, for a day. Where the contact's clock is put back by
// a change of zone whoever has reached it stays there: a moment of the local clock comes once.
Outcome Facts::test_reached(const Node& node, Time clock) const {
    const auto& test = model.reached_tests[node.detail];
    const Zone& zone = contact_zone();
    Outcome out{Truth::unknown, never};
    auto const of = date(attribute(node.operand.index));
    if (!of)
        return out;
    Span const back = members[test.segment] != 0 ? 26 * one_hour : 0;
    bool yes = false;
    auto const decide = [&](Time base) {
        Time begin = add_on_calendar(base, test.offset, zone);
        if (test.at)
            begin = zone.first_at(day_of(begin, zone) * one_day + *test.at);
        Time const from = begin - back;
        Time const to = saturating_add(begin, one_day);
        sooner(out.flips, from, clock);
        sooner(out.flips, to, clock);
        yes = yes || (clock >= from && clock < to);
    };
    if (!test.yearly) {
        decide(*of);
    } else {
        CivilDay const born = civil_of(day_of(*of, zone));
        int const now = civil_of(day_of(clock, zone)).year;
        int const first = std::max(born.year + 1, now - 2);
        for (int year = first; year <= std::max(first, now) + 2; ++year)
            decide(begin_of_day(anniversary_in(born, year, model.source.calendar.leap_day_in_march), zone));
    }
    out.truth = truth(yes);
    return out;
}

} // namespace nurture::step
