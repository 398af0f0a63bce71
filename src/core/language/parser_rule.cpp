#include "core/language/parser.hpp"

namespace nurture::language {

Rule Parser::whole_rule() {
    count_term();
    Rule rule;
    bool const negative = is("-");
    if (negative || is("+"))
        advance();
    else if (token().kind != TokenKind::number)
        note("the points (+5, -40)");
    if (token().kind != TokenKind::number && !expected_.empty())
        fail();
    rule.points = number(negative);
    if (accept(Keyword::per))
        rule.per = path("a property of the event");
    require(Keyword::on);
    rule.event.type = name("an event type");
    while (rule_clause(rule)) {
    }
    end_of_text();
    return rule;
}

bool Parser::rule_clause(Rule& rule) {
    std::uint32_t const from = token().from;
    std::string const word(text_at());
    auto const once = [&](bool given) {
        if (given)
            fail_at(from, "\"" + word + "\" is given twice");
    };
    if (at(Keyword::where)) {
        once(static_cast<bool>(rule.event.where));
        rule.event.where = where(Within::other);
    } else if (accept(Keyword::topic)) {
        once(rule.topic.has_value());
        rule.topic = name("a topic");
    } else if (accept(Keyword::half_life)) {
        once(rule.half_life.has_value());
        rule.half_life = half_life();
    } else if (accept(Keyword::at)) {
        once(rule.cap.has_value());
        rule.cap = cap();
    } else {
        return false;
    }
    return true;
}

Duration Parser::half_life() {
    std::uint32_t const from = token().from;
    Duration const out = duration();
    if (out.months != 0)
        fail_at(from, "a half-life must be exact", "Months differ in length: use days.");
    return out;
}

// `at` has been read: most n per day | most n in total
Cap Parser::cap() {
    constexpr std::int64_t largest_cap = 1'000;
    require(Keyword::most);
    std::uint32_t const from = token().from;
    Cap out;
    out.occurrences = whole_number("a whole number");
    if (out.occurrences == 0)
        fail_at(from, "a rule that may never count has no effect", "Use a number of at least 1.");
    if (out.occurrences > largest_cap)
        fail_at(from, "a cap goes up to " + std::to_string(largest_cap),
                "Each occurrence that counts is remembered; leave the cap out, or use a lower one.");
    if (accept(Keyword::in)) {
        require(Keyword::total);
        out.period = CapPeriod::ever;
        return out;
    }
    require(Keyword::per);
    static constexpr std::pair<Keyword, CapPeriod> periods[] = {{Keyword::hour, CapPeriod::hour},
                                                                {Keyword::day, CapPeriod::day},
                                                                {Keyword::week, CapPeriod::week},
                                                                {Keyword::month, CapPeriod::month}};
    for (auto const& [keyword, period] : periods)
        if (accept(keyword)) {
            out.period = period;
            return out;
        }
    fail();
}

} // namespace nurture::language
