// Conditions over dates and times.
#include "core/language/parser.hpp"

namespace nurture::language {

// What depends on more than the event itself cannot filter events.
void Parser::not_in_where(std::string_view what) {
    if (where_ != Within::nothing)
        fail_at(token().from, std::string(what) + " cannot be asked inside \"where\", which tests properties of the event only",
                where_ == Within::did ? "\"where\" reaches as far as it can. Put brackets around what belongs to it: "
                                        "(did ... where ...)."
                                      : "");
}

// in contact time zone | in time zone 'z'
ZoneChoice Parser::zone() {
    ZoneChoice out;
    if (!is(Keyword::in) || (!is(Keyword::contact, 1) && !is(Keyword::time, 1)))
        return out;
    advance();
    if (is(Keyword::contact)) {
        not_in_where("the contact's time zone");
        out.kind = ZoneChoice::Kind::contact;
        advance();
    } else {
        out.kind = ZoneChoice::Kind::named;
    }
    require(Keyword::time);
    require(Keyword::zone);
    if (out.kind == ZoneChoice::Kind::named) {
        out.offset.byte = token().from;
        out.name = string("the name of a time zone in single quotes");
    }
    return out;
}

// now, hour(now …), month(born …), anniversary(born)
bool Parser::date_function(Operand& out) {
    if (is(Keyword::now)) {
        not_in_where("the moment of the question");
        advance();
        out = Now{};
        return true;
    }
    if (!is("(", 1))
        return false;
    if (is(Keyword::anniversary)) {
        out = Anniversary{function_path()};
        return true;
    }
    static constexpr std::pair<Keyword, CalendarPart> parts[] = {
        {Keyword::year, CalendarPart::year},       {Keyword::quarter, CalendarPart::quarter},
        {Keyword::month, CalendarPart::month},     {Keyword::week, CalendarPart::week},
        {Keyword::day, CalendarPart::day},         {Keyword::weekday, CalendarPart::weekday},
        {Keyword::hour, CalendarPart::hour},       {Keyword::minute, CalendarPart::minute},
    };
    for (auto const& [keyword, part] : parts)
        if (is(keyword)) {
            DatePart of;
            of.part = part;
            advance();
            open("(", token().from);
            require("(");
            if (is(Keyword::now)) {
                not_in_where("the moment of the question");
                advance();
            } else {
                of.of = path(where_ == Within::nothing ? "\"now\" or an attribute" : "a property of the event");
            }
            of.zone = zone();
            require(")");
            close();
            out = std::move(of);
            return true;
        }
    return false;
}

bool Parser::calendar_unit(CalendarUnit& out, std::size_t ahead) const {
    static constexpr std::pair<Keyword, CalendarUnit> units[] = {{Keyword::day, CalendarUnit::day},
                                                                 {Keyword::week, CalendarUnit::week},
                                                                 {Keyword::month, CalendarUnit::month},
                                                                 {Keyword::quarter, CalendarUnit::quarter},
                                                                 {Keyword::year, CalendarUnit::year}};
    for (auto const& [keyword, unit] : units)
        if (is(keyword, ahead)) {
            out = unit;
            return true;
        }
    return false;
}

// Behind `is [not]`: today, yesterday, tomorrow, in the past, in the future, business day, weekend, holiday.
bool Parser::is_date_test(Condition& out, Operand& left, bool negated) {
    DateTest test;
    test.negated = negated;
    if (is(Keyword::today) || is(Keyword::yesterday) || is(Keyword::tomorrow)) {
        not_in_where("what day it is");
        test.question = InPeriod{CalendarUnit::day, is(Keyword::today) ? 0 : is(Keyword::tomorrow) ? 1 : -1};
        advance();
    } else if (is(Keyword::in) && is(Keyword::the, 1)) {
        not_in_where("the past");
        advance();
        advance();
        if (!at(Keyword::past) && !at(Keyword::future))
            fail();
        test.question = PastOrFuture{is(Keyword::future)};
        advance();
    } else if (is(Keyword::business) || is(Keyword::weekend) || is(Keyword::holiday)) {
        OnDayKind on;
        on.kind = is(Keyword::business)  ? DayKind::business_day
                  : is(Keyword::weekend) ? DayKind::weekend
                                         : DayKind::holiday;
        advance();
        if (on.kind == DayKind::business_day)
            require(Keyword::day);
        if (on.kind != DayKind::weekend && accept(Keyword::of)) {
            on.offset.byte = token().from;
            on.calendar = string("the name of a holiday calendar in single quotes");
        }
        test.question = std::move(on);
    } else {
        return false;
    }
    test.zone = zone();
    test.left = std::move(left);
    out.node = std::move(test);
    return true;
}

// more|less than d ago|ahead, exactly d ago|ahead
bool Parser::span_test(Condition& out, Operand& left) {
    bool const exactly = is(Keyword::exactly);
    bool const more = is(Keyword::more);
    if (!exactly && !((more || is(Keyword::less)) && is(Keyword::than, 1)))
        return false;
    not_in_where("how long ago something is");
    advance();
    if (!exactly)
        advance();
    WithinSpan span;
    std::uint32_t const from = token().from;
    span.span = duration();
    if (exactly && span.span.micros != 0)
        fail_at(from, "\"exactly\" asks for a day: it takes whole days, weeks, months or years");
    bool const ago = is(Keyword::ago);
    if (!at(Keyword::ago) && !at(Keyword::ahead))
        fail();
    advance();
    span.relation = exactly ? (ago ? SpanRelation::exactly_ago : SpanRelation::exactly_ahead)
                    : more  ? (ago ? SpanRelation::more_ago : SpanRelation::more_ahead)
                            : (ago ? SpanRelation::less_ago : SpanRelation::less_ahead);
    DateTest test;
    test.question = span;
    test.zone = zone();
    test.left = std::move(left);
    out.node = std::move(test);
    return true;
}

// on|before|after date, [not] in this|last|next unit, [not] within last|next d, and what span_test() takes
bool Parser::date_test(Condition& out, Operand& left) {
    DateTest test;
    if ((is(Keyword::on) || is(Keyword::before) || is(Keyword::after)) && token(1).kind == TokenKind::moment) {
        AgainstDate against;
        against.relation = is(Keyword::on)       ? DateRelation::on
                           : is(Keyword::before) ? DateRelation::before
                                                 : DateRelation::after;
        advance();
        std::uint32_t const from = token().from;
        against.moment = moment();
        if (against.relation == DateRelation::on && !against.moment.date_only)
            fail_at(from, "\"on\" asks for a day, not for a moment", "Write \"=\" for a moment, or the date alone.");
        test.question = against;
    } else {
        std::size_t const skip = is(Keyword::not_) ? 1 : 0;
        test.negated = skip != 0;
        CalendarUnit unit{};
        int const offset = is(Keyword::next, skip + 1) ? 1 : is(Keyword::last, skip + 1) ? -1 : 0;
        bool const which = offset != 0 || is(Keyword::this_, skip + 1);
        if (is(Keyword::in, skip) && which && calendar_unit(unit, skip + 2)) {
            not_in_where("what day it is");
            for (std::size_t i = 0; i < skip + 3; ++i)
                advance();
            test.question = InPeriod{unit, offset};
        } else if (is(Keyword::within, skip) && offset != 0) {
            not_in_where("how long ago something is");
            for (std::size_t i = 0; i < skip + 2; ++i)
                advance();
            test.question = WithinSpan{offset < 0 ? SpanRelation::within_last : SpanRelation::within_next, duration()};
        } else {
            note_quietly({Keyword::within, Keyword::before, Keyword::after, Keyword::more, Keyword::less, Keyword::exactly});
            return span_test(out, left);
        }
    }
    test.zone = zone();
    test.left = std::move(left);
    out.node = std::move(test);
    return true;
}

// exactly 3 days before trial_ends: read from today's side, the same as "trial_ends exactly 3 days ahead".
bool Parser::exactly_before(Condition& out) {
    if (!is(Keyword::exactly) || token(1).kind != TokenKind::number)
        return false;
    not_in_where("what day it is");
    advance();
    std::uint32_t const from = token().from;
    WithinSpan span;
    span.span = duration();
    if (span.span.micros != 0)
        fail_at(from, "\"exactly\" asks for a day: it takes whole days, weeks, months or years");
    span.relation = is(Keyword::after) ? SpanRelation::exactly_ago : SpanRelation::exactly_ahead;
    if (!at(Keyword::before) && !at(Keyword::after))
        fail();
    advance();
    DateTest test;
    test.question = span;
    test.left = operand();
    test.zone = zone();
    out.node = std::move(test);
    return true;
}

} // namespace nurture::language
