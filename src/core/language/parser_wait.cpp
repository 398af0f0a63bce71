// Steps that wait.
#include "core/language/parser.hpp"

#include <algorithm>
#include <array>

namespace nurture::language {

namespace {

constexpr std::array<std::string_view, 7> weekdays{"monday", "tuesday",  "wednesday", "thursday",
                                                   "friday", "saturday", "sunday"};

int weekday_named(std::string_view word) {
    std::string folded(word);
    std::transform(folded.begin(), folded.end(), folded.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    auto const place = std::find(weekdays.begin(), weekdays.end(), folded);
    return place == weekdays.end() ? -1 : static_cast<int>(place - weekdays.begin());
}

} // namespace

void Parser::wait_step(Step& out) {
    std::uint32_t const from = token().from;
    advance();
    if (accept(Keyword::for_)) {
        if (is(Keyword::workflow) && token(1).kind == TokenKind::string) {
            advance();
            WaitWorkflow wait;
            wait.offset.byte = token().from;
            wait.workflow = string("");
            require(Keyword::to);
            require(Keyword::end);
            if (accept(Keyword::up)) {
                require(Keyword::to);
                wait.up_to = duration();
            }
            out.node = std::move(wait);
        } else {
            wait_for(out, from);
        }
    } else if (accept(Keyword::until)) {
        out.node = wait_until();
    } else {
        out.node = Wait{duration()};
    }
}

Awaited Parser::awaited() {
    std::size_t const after = is(Keyword::any) && is(Keyword::event, 1) ? 2 : 1;
    bool const ends = is(Keyword::where, after) || is(Keyword::up, after) || is(",", after) || is(Keyword::then, after) ||
                      (is(Keyword::with, after) && is(Keyword::same, after + 1));
    bool const is_event = is_name() && ends;
    if (is_event)
        return journey_event();
    if (!is_name())
        note("an event type");
    std::size_t const before = at_;
    Box<Condition> condition = disjunction();
    if (at_ == before + 1)
        note("where", Keyword::where); // a single name may also be an event type
    return condition;
}

std::vector<Awaited> Parser::awaited_list() {
    std::vector<Awaited> out;
    do {
        out.push_back(awaited());
        count_term();
    } while (is(",") && (advance(), true));
    return out;
}

void Parser::wait_for(Step& out, std::uint32_t from) {
    WaitFor wait;
    wait.what = awaited_list();
    require(Keyword::up, "Say how long to wait at most: wait for ... up to 1 day.");
    require(Keyword::to);
    wait.up_to = duration();
    std::uint32_t const ranked_at = token().from;
    note_quietly({Keyword::ranked});
    wait.ranked = accept(Keyword::ranked);
    if (is(Keyword::renewed)) {
        advance();
        require(Keyword::by);
        wait.renewed_by = renewing_events();
    }
    note_quietly({Keyword::renewed});
    if (accept(Keyword::then)) {
        open("wait for", from);
        // `then else`: only the case that it did not happen matters.
        if (!is(Keyword::else_))
            wait.then_steps = block(Keyword::then);
        while (!wait.then_steps.empty() && accept(Keyword::or_)) {
            AwaitedBranch other;
            other.what = awaited_list();
            require(Keyword::then);
            other.steps = block(Keyword::then);
            wait.others.push_back(std::move(other));
        }
        if (accept(Keyword::else_))
            wait.else_steps = block(Keyword::else_);
        require(Keyword::end);
        close();
    }
    if (wait.ranked && wait.others.empty())
        fail_at(ranked_at, "there is nothing to rank", "A ranked wait has several outcomes: wait for A up to 1 day ranked then … or B then … end.");
    out.node = std::move(wait);
}

// E, (E where … with same p): in brackets the filter cannot be mistaken for what comes after the step.
std::vector<JourneyEvent> Parser::renewing_events() {
    std::vector<JourneyEvent> out;
    do {
        bool const bracketed = is("(");
        if (bracketed) {
            open("(", token().from);
            advance();
        }
        out.push_back(journey_event());
        if (bracketed) {
            require(")");
            close();
        }
        count_term();
    } while (accept(","));
    return out;
}

// hh:mm[:ss]
Span Parser::clock_time() {
    std::uint32_t const from = token().from;
    auto const part = [&](std::int64_t most) {
        std::string_view const digits = text_at();
        if (token().kind != TokenKind::number || digits.size() > 2 || (most < 24 ? digits.empty() : digits.size() != 2)) {
            note("a time of day (09:30)");
            fail();
        }
        std::int64_t const n = whole_number("a time of day (09:30)");
        if (n > most)
            fail_at(from, "there is no time of day " + std::string(text_.substr(from, token().from - from)) ,
                    "Times of day go from 00:00 to 23:59.");
        return n;
    };
    Span out = part(23) * one_hour;
    if (!is(":")) {
        note("a time of day (09:30)");
        fail();
    }
    advance();
    out += part(59) * one_minute;
    if (is(":")) {
        advance();
        out += part(59) * one_second;
    }
    return out;
}

std::optional<Span> Parser::at_time_of_day() {
    if (!is(Keyword::at) || token(1).kind != TokenKind::number || !is(":", 2))
        return std::nullopt;
    advance();
    return clock_time();
}

// monday {or tuesday}, business day [of 'calendar']
std::optional<DayChoice> Parser::days_of_week() {
    DayChoice out;
    if (is(Keyword::business) && is(Keyword::day, 1)) {
        advance();
        advance();
        out.kind = DayChoice::Kind::business_day;
        if (accept(Keyword::of)) {
            out.offset.byte = token().from;
            out.calendar = string("the name of a holiday calendar in single quotes");
        }
        return out;
    }
    if (token().kind != TokenKind::word || weekday_named(text_at()) < 0 || is(".", 1))
        return std::nullopt;
    out.kind = DayChoice::Kind::weekdays;
    for (;;) {
        out.weekdays |= static_cast<std::uint8_t>(1U << weekday_named(text_at()));
        advance();
        if (!is(Keyword::or_) || token(1).kind != TokenKind::word || weekday_named(text_at(1)) < 0)
            return out;
        advance();
    }
}

// 2026-12-24T18:00 | [d before|after] a [at T] | [days] [at T|between T and T] | T
WaitUntil Parser::wait_until() {
    if (token().kind == TokenKind::moment)
        return {UntilMoment{moment()}};
    if (token().kind == TokenKind::number && !is(":", 1)) {
        UntilDate out;
        out.offset = duration();
        out.before = is(Keyword::before);
        if (!at(Keyword::before) && !at(Keyword::after))
            fail();
        advance();
        out.attribute = path("an attribute that holds a date");
        out.at = at_time_of_day();
        return {std::move(out)};
    }
    UntilClock clock;
    auto days = days_of_week();
    if (days)
        clock.days = std::move(*days);
    if (token().kind == TokenKind::number && !days) {
        clock.from = clock_time();
    } else if (is(Keyword::between)) {
        advance();
        clock.from = clock_time();
        require(Keyword::and_);
        std::uint32_t const from = token().from;
        clock.to = clock_time();
        if (*clock.to == *clock.from)
            fail_at(from, "the window has no length");
    } else if (days) {
        clock.from = at_time_of_day();
    } else {
        note("a date");
        note("a time of day (09:30)");
        note("a weekday");
        note("business day", Keyword::business);
        note("between", Keyword::between);
        note("a duration");
        UntilDate out;
        out.attribute = path("an attribute that holds a date");
        out.at = at_time_of_day();
        return {std::move(out)};
    }
    return {std::move(clock)};
}

} // namespace nurture::language
