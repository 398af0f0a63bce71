#include "core/language/parser.hpp"

namespace nurture::language {

namespace {

// Adds an operand to a junction; one of the same kind gives its operands instead.
template <class Junction>
void flatten_into(Junction& junction, Box<Condition> operand) {
    if (const auto* same = std::get_if<Junction>(&operand->node))
        junction.operands.insert(junction.operands.end(), same->operands.begin(), same->operands.end());
    else
        junction.operands.push_back(std::move(operand));
}

} // namespace

Condition Parser::whole_condition() {
    Box<Condition> const condition = disjunction();
    end_of_text();
    return *condition;
}

Box<Condition> Parser::disjunction() {
    Box<Condition> first = conjunction();
    if (!at(Keyword::or_))
        return first;
    Or all;
    flatten_into(all, std::move(first));
    while (accept(Keyword::or_))
        flatten_into(all, conjunction());
    return Condition{std::move(all)};
}

Box<Condition> Parser::conjunction() {
    Box<Condition> first = negation();
    if (!at(Keyword::and_))
        return first;
    And all;
    flatten_into(all, std::move(first));
    while (accept(Keyword::and_))
        flatten_into(all, negation());
    return Condition{std::move(all)};
}

Box<Condition> Parser::negation() {
    if (!is(Keyword::not_))
        return primary();
    Level const level(*this);
    advance();
    return Condition{Not{negation()}};
}

Box<Condition> Parser::primary() {
    if (!is("("))
        return predicate();
    Level const level(*this);
    open("(", token().from);
    advance();
    Box<Condition> inside = disjunction();
    require(")");
    close();
    return inside;
}

Box<Condition> Parser::predicate() {
    count_term();
    if (is(Keyword::true_) || is(Keyword::false_)) {
        bool const value = is(Keyword::true_);
        if (token(1).kind == TokenKind::symbol && (is("=", 1) || is("!=", 1) || is("<>", 1)))
            fail_literal_on_the_left();
        advance();
        return Condition{Constant{value}};
    }
    bool const behavioural = is(Keyword::did) || is(Keyword::in);
    if (behavioural && where_ != Within::nothing)
        fail_behaviour_in_where();
    if (is(Keyword::did))
        return did();
    if (begins_sequence())
        return Condition{sequence(event_or_any("an event type"), false)};
    if (is(Keyword::in))
        return segment_or_journey();
    if (Condition out; membership(out) || stream_test(out) || exactly_before(out) || visitor(out))
        return out;
    Condition out = comparison();
    ignoring(out);
    return out;
}

bool Parser::range_test(Condition& condition, Operand& left) {
    bool const negated = accept(Keyword::not_);
    if (accept(Keyword::between)) {
        Literal low = value_for(left);
        require(Keyword::and_);
        Literal high = value_for(left);
        condition.node = Between{std::move(left), std::move(low), std::move(high), negated};
        return true;
    }
    if (accept(Keyword::like)) {
        condition.node = Like{std::move(left), string("a pattern in single quotes"), negated};
        return true;
    }
    bool const regularly = is(Keyword::in) && is(Keyword::at, 1); // did E where p in at least k of …
    if (regularly || !accept(Keyword::in)) {
        if (negated)
            fail();
        return false;
    }
    if (is(Keyword::segment)) {
        note("\"(\"");
        fail("\"in segment\" is a condition by itself: write \"and\" or \"or\" before it.");
    }
    In test{left, {}, negated};
    open("(", token().from);
    require("(");
    do
        test.values.push_back(value_for(left));
    while (accept(","));
    require(")");
    close();
    condition.node = std::move(test);
    return true;
}

Condition Parser::comparison() {
    Operand left = operand();
    Condition out;
    static constexpr std::pair<std::string_view, Comparator> comparators[] = {
        {"=", Comparator::equal},          {"!=", Comparator::not_equal},  {"<>", Comparator::not_equal},
        {"<", Comparator::less},           {"<=", Comparator::less_equal}, {">", Comparator::greater},
        {">=", Comparator::greater_equal},
    };
    for (auto const& [symbol, comparator] : comparators)
        if (is(symbol)) {
            advance();
            if (is(Keyword::value) && is(Keyword::of, 1)) {
                out.node = ComparePaths{std::move(left), comparator, value_of()};
            } else {
                Literal right = value_for(left);
                out.node = Comparison{std::move(left), comparator, std::move(right)};
            }
            return out;
        }
    const auto* consented = std::get_if<Consent>(&left);
    bool const alone = std::holds_alternative<Attribute>(left) || (consented != nullptr && !consented->expires);
    if (!alone && trend(out, left))
        return out;
    note("a comparison (=, !=, <, <=, >, >=)");
    if (attribute_test(out, left) || date_test(out, left) || range_test(out, left))
        return out;
    if (accept(Keyword::is)) {
        is_test(out, left);
        return out;
    }
    if (!alone)
        fail();
    out.node = Truth{std::move(left)};
    return out;
}

Operand Parser::operand() {
    bool const behavioural = is(Keyword::score) || is(Keyword::band) || begins_behaviour();
    if (behavioural && where_ != Within::nothing)
        fail_behaviour_in_where();
    if (is(Keyword::score))
        return score();
    if (is(Keyword::band))
        return band();
    if (behavioural)
        return behaviour();
    if (Operand out; consent(out) || date_function(out) || attribute_function(out))
        return out;
    if (is_name() && is("(", 1))
        fail_unknown_function();
    if (is_name())
        return Attribute{path("")};
    if (where_ != Within::nothing) {
        note("a property of the event");
    } else {
        note("an attribute");
        for (Keyword const keyword :
             {Keyword::did, Keyword::count, Keyword::sum, Keyword::avg, Keyword::min, Keyword::max, Keyword::distinct,
              Keyword::first, Keyword::last, Keyword::days, Keyword::sessions, Keyword::score, Keyword::band})
            note(text_of(keyword), keyword);
        note_quietly({Keyword::longest});
        note("\"in segment\"");
    }
    note("not", Keyword::not_);
    note("true", Keyword::true_);
    note("false", Keyword::false_);
    note("\"(\"");
    if (starts_literal())
        fail_literal_on_the_left();
    fail();
}

EventPattern Parser::event(std::string_view expectation, Within owner) {
    EventPattern out = event_or_any(expectation);
    out.where = where(owner);
    return out;
}

// `where C`, or nothing.
Box<Condition> Parser::where(Within owner) {
    if (!at(Keyword::where))
        return {};
    // An unbracketed `did … where` may be printed in brackets: counted as if it had them, so that the
    // canonical text is never deeper than the one it was made of.
    bool const bracketed =
        owner != Within::did || (at_ >= 3 && lexed_.tokens[at_ - 3].kind == TokenKind::symbol);
    Level const level(*this, bracketed ? 1 : 2);
    advance();
    where_ = owner;
    Box<Condition> condition = disjunction();
    where_ = Within::nothing;
    return condition;
}

} // namespace nurture::language
