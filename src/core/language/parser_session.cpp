// Sessions: what is said of them beside their figures, which parser_behaviour.cpp reads.
#include "core/language/parser.hpp"

namespace nurture::language {

namespace {

constexpr Span shortest_gap = 1'000'000;
constexpr Span longest_gap = 30 * one_day;

} // namespace

// [, gap d]
Duration Parser::session_gap() {
    if (!is(",") || !is(Keyword::gap, 1))
        return {};
    advance();
    advance();
    std::uint32_t const from = token().from;
    Duration const gap = duration();
    if (gap.months != 0 || gap.exact() < shortest_gap || gap.exact() > longest_gap)
        fail_at(from, "a session ends after a silence of at least 1 second and at most 30 days",
                "It is written: sessions(any event within 7 days, gap 1 hour).");
    return Duration{0, 0, gap.exact()};
}

// in session [(E[, gap d])]
Condition Parser::in_session() {
    advance();
    InSession out;
    if (is("(")) {
        open("(", token().from);
        advance();
        out.event = event("an event type", Within::other);
        out.gap = session_gap();
        end_of_call();
    }
    return {std::move(out)};
}

// new visitor, returning visitor: the first session is a new visitor's.
bool Parser::visitor(Condition& out) {
    if ((!is(Keyword::new_) && !is(Keyword::returning)) || !is(Keyword::visitor, 1))
        return false;
    not_in_where("a visitor");
    bool const returning = is(Keyword::returning);
    advance();
    advance();
    out.node = Comparison{Sessions{}, returning ? Comparator::greater : Comparator::equal, Number{micro_one}};
    return true;
}

} // namespace nurture::language
