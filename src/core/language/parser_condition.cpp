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
    if (is(Keyword::did)) {
        advance();
        EventPattern pattern = event("an event type", Within::did);
        return Condition{Did{std::move(pattern), window()}};
    }
    if (is(Keyword::in)) {
        advance();
        require(Keyword::segment);
        Offset const offset{token().from};
        return Condition{InSegment{string("the name of a segment in single quotes"), offset}};
    }
    return comparison();
}

bool Parser::range_test(Condition& condition, Operand& left) {
    bool const negated = accept(Keyword::not_);
    if (accept(Keyword::between)) {
        Literal low = literal();
        require(Keyword::and_);
        condition.node = Between{std::move(left), std::move(low), literal(), negated};
        return true;
    }
    if (accept(Keyword::like)) {
        condition.node = Like{std::move(left), string("a pattern in single quotes"), negated};
        return true;
    }
    if (!accept(Keyword::in)) {
        if (negated)
            fail();
        return false;
    }
    if (is(Keyword::segment)) {
        note("\"(\"");
        fail("\"in segment\" is a condition by itself: write \"and\" or \"or\" before it.");
    }
    In test{std::move(left), {}, negated};
    open("(", token().from);
    require("(");
    do
        test.values.push_back(literal());
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
            out.node = Comparison{std::move(left), comparator, literal()};
            return out;
        }
    bool const alone = std::holds_alternative<Attribute>(left);
    note("a comparison (=, !=, <, <=, >, >=)");
    if (range_test(out, left))
        return out;
    if (accept(Keyword::is)) {
        bool const negated = accept(Keyword::not_);
        require(Keyword::set, "To ask for a missing value write \"is not set\"; to compare, write \"=\".");
        out.node = IsSet{std::move(left), negated};
        return out;
    }
    if (!alone)
        fail();
    out.node = Truth{std::move(left)};
    return out;
}

Operand Parser::operand() {
    bool const call = is("(", 1);
    bool const behavioural =
        is(Keyword::score) || is(Keyword::band) ||
        (call && (is(Keyword::count) || is(Keyword::sum) || is(Keyword::distinct) || is(Keyword::first) || is(Keyword::last)));
    if (behavioural && where_ != Within::nothing)
        fail_behaviour_in_where();
    if (is(Keyword::score))
        return score();
    if (is(Keyword::band))
        return band();
    if (behavioural)
        return behaviour();
    if (is_name())
        return Attribute{path("")};
    if (where_ != Within::nothing) {
        note("a property of the event");
    } else {
        note("an attribute");
        for (Keyword const keyword :
             {Keyword::did, Keyword::count, Keyword::sum, Keyword::distinct, Keyword::first, Keyword::last, Keyword::score,
                                      Keyword::band})
            note(text_of(keyword), keyword);
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

// count(E …), sum|distinct(p of E …), first|last([p of] E …)
Operand Parser::behaviour() {
    Keyword const which = token().keyword;
    advance();
    open("(", token().from);
    require("(");
    std::optional<Path> property;
    bool const takes_property = which != Keyword::count;
    bool const several_keys = is_name() && is(".", 1);
    bool const needs_property = which == Keyword::sum || which == Keyword::distinct;
    if (needs_property || (takes_property && (several_keys || (is_name() && is(Keyword::of, 1))))) {
        property = path("a property of the event");
        require(Keyword::of, which == Keyword::sum        ? "Say what is added up: sum(amount of purchase)."
                             : which == Keyword::distinct ? "Say what is told apart: distinct(path of page_view)."
                                                          : "");
    } else if (takes_property && !is_name()) {
        note("a property of the event");
    }
    EventPattern pattern = event("an event type", Within::other);
    if (takes_property && !property && !pattern.where)
        note("of", Keyword::of);
    Window const when = window();
    if (is(Keyword::where)) {
        note("\")\"");
        fail("Put \"where\" before \"within\".");
    }
    require(")");
    close();
    if (which == Keyword::count)
        return Count{std::move(pattern), when};
    if (needs_property)
        return Aggregate{which == Keyword::sum ? AggregateKind::sum : AggregateKind::distinct, std::move(*property), std::move(pattern), when};
    return Occurrence{which == Keyword::first ? Which::first : Which::last, std::move(property),
                      std::move(pattern), when};
}

EventPattern Parser::event(std::string_view expectation, Within owner) {
    EventPattern out;
    out.type = name(expectation);
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

Window Parser::window() {
    Window out;
    if (!accept(Keyword::within))
        return out;
    out.within = duration();
    return out;
}

} // namespace nurture::language
