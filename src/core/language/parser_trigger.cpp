// What starts a journey.
#include "core/base/cron.hpp"
#include "core/language/parser.hpp"

namespace nurture::language {

namespace {

template <class T>
Box<Condition> condition_of(T node) {
    Condition out;
    out.node = std::move(node);
    return out;
}

} // namespace

// Behind `on`.
Trigger Parser::trigger() {
    Trigger out;
    if (change_trigger(out) || journey_trigger(out) || date_trigger(out) || crossing_trigger(out))
        return out;
    if (is(Keyword::schedule) && (token(1).kind == TokenKind::string || is(Keyword::once, 1))) {
        advance();
        return schedule();
    }
    if (!is_name()) {
        note("entering segment", Keyword::entering);
        note("leaving segment", Keyword::leaving);
    }
    return OnEvent{event("an event type", Within::other)};
}

// Something about the contact changes: segments, lists, attributes.
bool Parser::change_trigger(Trigger& out) {
    bool const leaving = is(Keyword::leaving);
    if ((is(Keyword::entering) || leaving) && is(Keyword::segment, 1)) {
        OnSegment on;
        on.entering = !leaving;
        advance();
        advance();
        on.offset.byte = token().from;
        on.segment = string("the name of a segment in single quotes");
        out = std::move(on);
        return true;
    }
    if ((is(Keyword::joining) || leaving) && is(Keyword::list, 1)) {
        OnListChange on;
        on.joining = !leaving;
        advance();
        advance();
        on.offset.byte = token().from;
        on.list = string("the name of a list in single quotes");
        out = std::move(on);
        return true;
    }
    if ((is(Keyword::changing) || is(Keyword::setting)) && is(Keyword::attribute, 1)) {
        OnAttribute on;
        on.change = is(Keyword::changing);
        advance();
        advance();
        on.attribute = path("an attribute");
        if (on.change && accept(Keyword::from))
            on.from = literal();
        if (accept(Keyword::to))
            on.to = literal();
        out = std::move(on);
        return true;
    }
    return false;
}

// finishing workflow 'w', reaching step '3' of workflow 'w'
bool Parser::journey_trigger(Trigger& out) {
    OnJourney on;
    if (is(Keyword::finishing) && is(Keyword::workflow, 1)) {
        advance();
    } else if (is(Keyword::reaching) && is(Keyword::step, 1)) {
        advance();
        advance();
        on.step = string("a step in single quotes, such as '3' or '2.then.1'");
        require(Keyword::of);
        if (!at(Keyword::workflow))
            fail();
    } else {
        return false;
    }
    advance();
    on.offset.byte = token().from;
    on.workflow = string("the name of a workflow in single quotes");
    out = std::move(on);
    return true;
}

// the date a [at T], d before|after a [at T], anniversary(a) [at T]
bool Parser::date_trigger(Trigger& out) {
    OnDate on;
    bool const yearly = is(Keyword::anniversary) && is("(", 1);
    if (is(Keyword::the) && is(Keyword::date, 1)) {
        advance();
        advance();
    } else if (token().kind == TokenKind::number) {
        on.offset = duration();
        on.before = is(Keyword::before);
        if (!at(Keyword::before) && !at(Keyword::after))
            fail();
        advance();
    } else if (!yearly) {
        return false;
    }
    if (is(Keyword::anniversary) && is("(", 1)) {
        on.yearly = true;
        on.attribute = function_path();
    } else {
        on.attribute = path("an attribute that holds a date");
    }
    on.at = at_time_of_day();
    out = std::move(on);
    return true;
}

// score rising to 50, band(fit) falling below 'hot', no login for 30 days: said of conditions.
bool Parser::crossing_trigger(Trigger& out) {
    OnCondition on;
    if (is(Keyword::no) && (is_name(1) || is(Keyword::any, 1))) {
        advance();
        Did did;
        did.event = event_or_any("an event type");
        require(Keyword::for_);
        did.window.within = duration();
        on.ends = true;
        on.condition = condition_of(std::move(did));
        out = std::move(on);
        return true;
    }
    if (!is(Keyword::score) && !is(Keyword::band))
        return false;
    Comparison crossed;
    crossed.left = operand();
    crossed.comparator = Comparator::greater_equal;
    on.ends = is(Keyword::falling);
    if (on.ends) {
        advance();
        require(Keyword::below);
    } else {
        require(Keyword::rising, "Say which way: score rising to 50, score falling below 20.");
        require(Keyword::to);
    }
    crossed.right = value_for(crossed.left);
    on.condition = condition_of(std::move(crossed));
    out = std::move(on);
    return true;
}

// '0 9 * * 1'|once 2026-12-24T09:00 [zone] [from m] [until m] [at most n times] [for segment 's']
OnSchedule Parser::schedule() {
    OnSchedule out;
    if (accept(Keyword::once)) {
        if (token().kind != TokenKind::moment) {
            note("a date and time");
            fail();
        }
        out.once = moment();
    } else {
        std::uint32_t const from = token().from;
        try {
            out.cron = Cron::parse(string("")).text();
        } catch (const Error& error) {
            fail_at(from, error.what(), error.hint);
        }
    }
    out.zone = zone();
    auto const bound = [&](Keyword keyword, std::optional<Moment>& end) {
        if (out.once || !accept(keyword))
            return;
        if (token().kind != TokenKind::moment) {
            note("a date or time");
            fail();
        }
        end = moment();
    };
    bound(Keyword::from, out.from);
    bound(Keyword::until, out.until);
    if (!out.once && is(Keyword::at) && is(Keyword::most, 1)) {
        std::uint32_t const from = token().from;
        advance();
        advance();
        out.times = whole_number("a whole number");
        if (out.times < 1 || out.times > 10'000)
            fail_at(from, "a schedule comes round from 1 to 10000 times");
        require(Keyword::times);
        if (!out.from)
            fail_at(from, "from when on is it counted?", "Say it: on schedule '0 9 * * mon' from 2026-03-02 at most 5 times.");
    }
    if (is(Keyword::for_) && is(Keyword::segment, 1)) {
        advance();
        advance();
        out.offset.byte = token().from;
        out.segment = string("the name of a segment in single quotes");
    }
    return out;
}

} // namespace nurture::language
