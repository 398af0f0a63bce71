// Conditions over membership: segments and their past, lists, journeys, samples, k of n; and over consent.
#include "core/language/parser.hpp"

namespace nurture::language {

namespace {
constexpr std::string_view segment_expected = "the name of a segment in single quotes";
constexpr std::string_view journey_expected = "the name of a workflow in single quotes";
} // namespace

// in segment 's' [for at least|less than d], in journey 'w' [at '3'], in session
Condition Parser::segment_or_journey() {
    advance();
    if (is(Keyword::session))
        return in_session();
    if (is(Keyword::journey)) {
        advance();
        InJourney in;
        in.offset.byte = token().from;
        in.workflow = string(journey_expected);
        if (accept(Keyword::at))
            in.step = string("the step in single quotes, such as '3' or '2.then.1'");
        return {std::move(in)};
    }
    note_quietly({Keyword::journey, Keyword::session});
    require(Keyword::segment);
    Offset const offset{token().from};
    std::string name = string(segment_expected);
    if (!accept(Keyword::for_))
        return {InSegment{std::move(name), offset}};
    InSegmentFor test;
    test.segment = std::move(name);
    test.offset = offset;
    if (!amount_of_time(test.at_least))
        fail();
    test.duration = duration();
    return {std::move(test)};
}

// consent(channel [, purpose]) [expires]
bool Parser::consent(Operand& out) {
    if (!is(Keyword::consent) || !is("(", 1))
        return false;
    not_in_where("consent");
    Consent of;
    advance();
    open("(", token().from);
    require("(");
    of.channel = name("a channel");
    if (accept(","))
        of.purpose = name("a purpose");
    require(")");
    close();
    if (is(Keyword::expires)) {
        of.expires = true;
        advance();
    }
    note_quietly({Keyword::expires});
    out = std::move(of);
    return true;
}

bool Parser::membership(Condition& out) {
    bool const moved = (is(Keyword::entered) || is(Keyword::left)) && is(Keyword::segment, 1);
    bool const walked = (is(Keyword::entered) || is(Keyword::completed)) && is(Keyword::journey, 1);
    bool const was = is(Keyword::was) && is(Keyword::in, 1) && is(Keyword::segment, 2);
    bool const listed = is(Keyword::on) && is(Keyword::list, 1);
    bool const excluded = is(Keyword::excluded) && is(Keyword::from, 1) && is(Keyword::list, 2);
    bool const sampled = is(Keyword::sample) && token(1).kind == TokenKind::number;
    if (moved || walked || was || listed || excluded || sampled)
        not_in_where("membership");
    if (moved) {
        MovedSegment test;
        test.entered = is(Keyword::entered);
        advance();
        advance();
        test.offset.byte = token().from;
        test.segment = string(segment_expected);
        require(Keyword::within, "Say how far to look back: entered segment 'hot' within 7 days.");
        test.within = duration();
        out.node = std::move(test);
    } else if (walked) {
        InJourney test;
        test.relation = is(Keyword::entered) ? JourneyRelation::entered : JourneyRelation::completed;
        advance();
        advance();
        test.offset.byte = token().from;
        test.workflow = string(journey_expected);
        out.node = std::move(test);
    } else if (was) {
        WasInSegment test;
        advance();
        advance();
        advance();
        test.offset.byte = token().from;
        test.segment = string(segment_expected);
        bool const day = is(Keyword::on);
        if (!at(Keyword::on) && !at(Keyword::at))
            fail();
        advance();
        if (token().kind != TokenKind::moment) {
            note(day ? "a date (2026-01-31)" : "a moment (2026-01-31T09:30)");
            fail();
        }
        std::uint32_t const from = token().from;
        test.moment = moment();
        if (test.moment.date_only != day)
            fail_at(from, day ? "\"on\" asks for a day: leave out the time, or write \"at\""
                              : "\"at\" asks for a moment: add the time, or write \"on\"");
        out.node = std::move(test);
    } else if (listed || excluded) {
        OnList test;
        test.excluded = excluded;
        for (int i = 0; i < (excluded ? 3 : 2); ++i)
            advance();
        test.offset.byte = token().from;
        test.list = string("the name of a list in single quotes");
        out.node = std::move(test);
    } else if (sampled) {
        advance();
        std::uint32_t const from = token().from;
        Sample test;
        test.percent = number(false);
        if (test.percent > 100 * micro_one)
            fail_at(from, "a sample is of at most 100 percent");
        require(Keyword::percent);
        test.salt = string("a salt in single quotes, which tells this sample from others");
        out.node = std::move(test);
    } else if (is(Keyword::at) && is(Keyword::least, 1)) {
        Level const level(*this);
        AtLeastOf test;
        advance();
        advance();
        std::uint32_t const from = token().from;
        test.wanted = whole_number("a whole number");
        require(Keyword::of);
        open("(", token().from);
        require("(");
        do
            test.operands.push_back(disjunction());
        while (accept(","));
        require(")");
        close();
        auto const size = static_cast<std::int64_t>(test.operands.size());
        if (size < 2)
            fail_at(from, "\"at least\" needs two conditions or more", "Separate them by commas.");
        if (test.wanted < 1 || test.wanted > size)
            fail_at(from, "there are " + std::to_string(size) + " conditions; at least 1 and at most all of them can be asked for");
        out.node = std::move(test);
    } else {
        return false;
    }
    return true;
}

} // namespace nurture::language
