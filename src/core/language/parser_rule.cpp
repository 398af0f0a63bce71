#include "core/language/parser.hpp"

#include "core/language/language.hpp"

namespace nurture::language {

Rule Parser::whole_rule() {
    count_term();
    Rule rule;
    rule_points(rule);
    rule_subject(rule);
    while (rule_clause(rule)) {
    }
    end_of_text();
    check_rule(rule);
    return rule;
}

// [+|-] number [per p] | [+] by p (value points, …)
void Parser::rule_points(Rule& rule) {
    bool const negative = is("-");
    bool const sign = negative || is("+");
    if (sign)
        advance();
    else if (token().kind != TokenKind::number)
        note("the points (+5, -40)");
    if (!negative && accept(Keyword::by)) {
        rule.table = points_table();
        return;
    }
    if (token().kind != TokenKind::number) {
        if (sign)
            note("a number");
        fail();
    }
    rule.points = number(negative);
    if (accept(Keyword::per))
        rule.per = path("a property of the event");
}

PointsTable Parser::points_table() {
    PointsTable out;
    out.by = path("a property of the event, or an attribute");
    open("(", token().from);
    require("(");
    bool otherwise = false;
    do {
        if (accept(Keyword::else_)) {
            out.otherwise = signed_number("the points of any other value");
            otherwise = true;
            break;
        }
        count_term();
        std::uint32_t const from = token().from;
        Literal value = literal();
        for (const auto& known : out.values)
            if (known.first == value)
                fail_at(from, "the value " + print(value) + " is given twice");
        Micro const points = signed_number("the points of this value");
        out.values.emplace_back(std::move(value), points);
    } while (accept(","));
    if (otherwise && is(","))
        fail("\"else\" comes last.");
    require(")");
    close();
    if (out.values.empty())
        fail_at(token().from, "a table of points needs at least one value");
    return out;
}

Micro Parser::signed_number(std::string_view expectation) {
    bool const negative = is("-");
    if (negative || is("+"))
        advance();
    if (token().kind != TokenKind::number) {
        note(expectation);
        fail();
    }
    return number(negative);
}

// on E | while C | for every d without E; a table may do without
void Parser::rule_subject(Rule& rule) {
    if (accept(Keyword::on)) {
        rule.event = event_or_any("an event type");
    } else if (accept(Keyword::while_)) {
        rule.kind = RuleKind::condition;
        rule.condition = disjunction();
    } else if (accept(Keyword::for_)) {
        rule.kind = RuleKind::inactivity;
        require(Keyword::every);
        rule.every = exact_duration("the span of an inactivity");
        require(Keyword::without);
        rule.event = event_or_any("an event type");
    } else if (rule.table) {
        rule.kind = RuleKind::condition;
    } else {
        fail();
    }
}

bool Parser::rule_clause(Rule& rule) {
    std::uint32_t const from = token().from;
    std::string const word(text_at());
    auto const once_only = [&](bool given) {
        if (given)
            fail_at(from, "\"" + word + "\" is given twice");
    };
    auto const one_decay = [&] {
        once_only(rule.half_life.has_value() && word == "half-life");
        if (rule.half_life || rule.fading)
            fail_at(from, "points wear off in one way only",
                    "Use one of half-life, fading over, losing … percent every, expires after.");
    };
    if (rule.kind != RuleKind::condition && at(Keyword::where)) {
        once_only(static_cast<bool>(rule.event.where));
        rule.event.where = where(Within::other);
    } else if (accept(Keyword::topic)) {
        once_only(rule.topic.has_value());
        rule.topic = topic();
    } else if (accept(Keyword::half_life)) {
        one_decay();
        rule.half_life = exact_duration("a half-life");
    } else if (is(Keyword::fading) || is(Keyword::losing) || is(Keyword::expires)) {
        one_decay();
        Keyword const kind = token().keyword;
        advance();
        rule.fading = fading(kind);
    } else if (accept(Keyword::starting)) {
        once_only(rule.starting_after.has_value());
        require(Keyword::after);
        rule.starting_after = exact_duration("the time before points wear off");
    } else if (accept(Keyword::at)) {
        once_only(rule.cap.has_value());
        rule.cap = cap();
    } else if (is(Keyword::once) || is(Keyword::first)) {
        once(rule);
    } else if (is(Keyword::floor) || is(Keyword::ceiling)) {
        auto& limit = is(Keyword::floor) ? rule.floor : rule.ceiling;
        once_only(limit.has_value());
        advance();
        limit = signed_number("a number of points");
    } else {
        for (Keyword const keyword : {Keyword::fading, Keyword::losing, Keyword::expires, Keyword::once, Keyword::first,
                                      Keyword::floor, Keyword::ceiling})
            note(text_of(keyword), keyword);
        return false;
    }
    return true;
}

// fading over d | losing p percent every d | expires after d; the first word has been read
Fading Parser::fading(Keyword kind) {
    Fading out;
    if (kind == Keyword::fading) {
        require(Keyword::over);
        out.span = exact_duration("a span");
    } else if (kind == Keyword::losing) {
        out.kind = FadingKind::step;
        std::uint32_t const from = token().from;
        out.percent = number(false);
        if (out.percent <= 0 || out.percent > 100 * micro_one)
            fail_at(from, "what is lost in a step is more than 0 and at most 100 percent");
        require(Keyword::percent);
        require(Keyword::every);
        out.span = exact_duration("a step");
    } else {
        out.kind = FadingKind::expiry;
        require(Keyword::after);
        out.span = exact_duration("an expiry");
    }
    return out;
}

// once per day | once per file | first time only
void Parser::once(Rule& rule) {
    std::uint32_t const from = token().from;
    auto const one_cap = [&] {
        if (rule.cap)
            fail_at(from, "how often a rule counts is given twice");
    };
    if (accept(Keyword::first)) {
        one_cap();
        require(Keyword::time);
        require(Keyword::only);
        rule.cap = Cap{1, CapPeriod::ever};
        return;
    }
    advance();
    require(Keyword::per);
    static constexpr std::pair<Keyword, CapPeriod> periods[] = {{Keyword::hour, CapPeriod::hour},
                                                                {Keyword::day, CapPeriod::day},
                                                                {Keyword::week, CapPeriod::week},
                                                                {Keyword::month, CapPeriod::month}};
    for (auto const& [keyword, period] : periods)
        if (is(keyword)) {
            one_cap();
            advance();
            rule.cap = Cap{1, period};
            return;
        }
    if (rule.once_per)
        fail_at(from, "\"once per\" is given twice");
    rule.once_per = path("hour, day, week, month or a property of the event");
}

Duration Parser::exact_duration(std::string_view what) {
    std::uint32_t const from = token().from;
    Duration const out = duration();
    if (out.months != 0)
        fail_at(from, std::string(what) + " must be exact", "Months differ in length: use days.");
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

// What a rule says must make sense together.
void Parser::check_rule(const Rule& rule) {
    auto const refuse = [&](const std::string& what, const char* hint) {
        throw Error(ErrorKind::invalid_definition, what, {}, hint);
    };
    bool const decays = rule.half_life || rule.fading;
    if (rule.starting_after && (!decays || (rule.fading && rule.fading->kind == FadingKind::expiry)))
        refuse("\"starting after\" says when points begin to wear off, and these do not",
               "Add half-life, fading over or losing … percent every.");
    if (rule.floor && rule.ceiling && *rule.floor > *rule.ceiling)
        refuse("the floor is higher than the ceiling", "The floor is the least the rule gives, the ceiling the most.");
    if (rule.kind == RuleKind::event)
        return;
    if (decays || rule.once_per)
        refuse("only points for events wear off or count once",
               "Points while a condition holds, or for inactivity, are what they are as long as that lasts.");
    if (rule.per)
        refuse("only events have a property to multiply the points by", "Use a table: by attribute (value points, ...).");
    if (rule.kind == RuleKind::condition && rule.cap)
        refuse("a condition holds or does not: it cannot be capped", "Leave out \"at most\".");
    if (rule.kind == RuleKind::inactivity && rule.cap && rule.cap->period != CapPeriod::ever)
        refuse("an inactivity can only be capped in total", "Write \"at most n in total\".");
    if (rule.kind == RuleKind::inactivity && rule.table)
        refuse("an inactivity has no value to look up points for", "Write the points as a number.");
}

// fit | fit.company: what comes after the point is a part of what stands before it.
std::string Parser::topic() {
    std::string out = name("a topic");
    while (is(".")) {
        advance();
        out += '.';
        if (token().kind == TokenKind::word && is_word(text_at())) {
            out += text_at();
            advance();
        } else {
            out += name("a topic");
        }
    }
    return out;
}

// A word, perhaps with a topic behind it: the topic, and where it or else the word stands.
std::pair<std::optional<std::string>, Offset> Parser::word_of_topic() {
    Offset offset{token().from};
    advance();
    if (!at("("))
        return {std::nullopt, offset};
    open("(", token().from);
    advance();
    offset.byte = token().from;
    std::string name = topic();
    require(")");
    close();
    return {std::move(name), offset};
}

// score | score(topic)
Operand Parser::score() {
    auto [of, offset] = word_of_topic();
    return Score{std::move(of), offset};
}

// band | band(topic)
Operand Parser::band() {
    auto [of, offset] = word_of_topic();
    return Band{std::move(of), offset};
}

} // namespace nurture::language
