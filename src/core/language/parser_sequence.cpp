// Sequences: A then B within 1 day then not C within 2 hours with same cart_id.
#include "core/language/parser.hpp"

namespace nurture::language {

namespace {

constexpr std::size_t most_steps = 20;

} // namespace

// After a condition of a workflow `then` begins a block: there a sequence needs its brackets.
bool Parser::sequence_allowed() const noexcept {
    return where_ == Within::nothing && (!in_steps_ || (!opened_.empty() && opened_.back().what == "("));
}

// A sequence written without `did`.
bool Parser::begins_sequence() const noexcept {
    if (!sequence_allowed())
        return false;
    bool const any = is(Keyword::any) && is(Keyword::event, 1);
    std::size_t const after = any ? 2 : 1;
    return is_name() && (is(Keyword::then, after) || is(Keyword::where, after));
}

// What follows the first event type (and its filter, when that has been read already).
Sequence Parser::sequence(EventPattern first, bool bracketed) {
    Level const level(*this, bracketed ? 0 : 1); // its canonical text has brackets
    Sequence out;
    SequenceStep step;
    step.event = std::move(first);
    if (!step.event.where)
        step.event.where = where(Within::other);
    out.steps.push_back(std::move(step));
    if (!is(Keyword::then)) {
        note(text_of(Keyword::then), Keyword::then);
        fail(bracketed ? "Only sequences are written in brackets after \"did\": did (cart_add then purchase)." : "");
    }
    while (accept(Keyword::then)) {
        if (out.steps.size() == most_steps)
            fail("A sequence has at most " + std::to_string(most_steps) + " steps.");
        count_term();
        out.steps.push_back(sequence_step(out));
        if (!out.overall.empty())
            break;
    }
    while (sequence_option(out)) {
    }
    return out;
}

SequenceStep Parser::sequence_step(Sequence& sequence) {
    SequenceStep out;
    out.absent = accept(Keyword::not_);
    out.event = event("an event type", Within::other);
    while (true) {
        if (is(Keyword::within) && !(is(Keyword::one, 1) && is(Keyword::session, 2)) && out.within.empty()) {
            advance();
            Duration const length = duration();
            if (accept(Keyword::overall)) {
                sequence.overall = length;
                break;
            }
            out.within = length;
        } else if (is(Keyword::without)) {
            advance();
            out.without.push_back(event("an event type", Within::other));
            accept(Keyword::between);
        } else {
            break;
        }
    }
    if (out.absent && out.within.empty()) {
        note("within", Keyword::within);
        fail("Say for how long it must not happen: then not purchase within 2 hours.");
    }
    return out;
}

bool Parser::sequence_option(Sequence& sequence) {
    if (is(Keyword::with) && is(Keyword::same, 1) && !sequence.same) {
        advance();
        advance();
        sequence.same = path("a property of the events");
        return true;
    }
    if (!is(Keyword::within))
        return false;
    if (is(Keyword::one, 1) && is(Keyword::session, 2) && !sequence.one_session) {
        advance();
        advance();
        advance();
        sequence.one_session = true;
        sequence.gap = session_gap();
        return true;
    }
    if (!sequence.overall.empty())
        return false;
    advance();
    sequence.overall = duration();
    require(Keyword::overall, "After \"with same\" and \"within one session\" a duration is the whole sequence's: within 3 "
                              "days overall.");
    return true;
}

} // namespace nurture::language
