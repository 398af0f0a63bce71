// Conditions over attributes: texts, lists, histories of values.
#include "core/language/parser.hpp"

#include <algorithm>

namespace nurture::language {

Path Parser::value_of() {
    advance();
    advance();
    return path("a name");
}

Comparand Parser::comparand() {
    if (is(Keyword::value) && is(Keyword::of, 1))
        return value_of();
    return literal();
}

std::vector<Literal> Parser::literals() {
    std::vector<Literal> out;
    open("(", token().from);
    require("(");
    do
        out.push_back(literal());
    while (accept(","));
    require(")");
    close();
    return out;
}

// ( path ): what a function of an attribute takes.
Path Parser::function_path() {
    advance();
    open("(", token().from);
    require("(");
    Path out = path(where_ == Within::nothing ? "an attribute" : "a property of the event");
    require(")");
    close();
    return out;
}

bool Parser::attribute_function(Operand& out) {
    if (!is("(", 1))
        return false;
    if (is(Keyword::items))
        out = Items{function_path()};
    else if (is(Keyword::domain))
        out = Domain{function_path()};
    else
        return false;
    return true;
}

void Parser::fail_unknown_function() {
    static const std::vector<std::string> known{"count",    "sum",   "avg",   "min",     "max",  "distinct",
                                                "first",    "last",  "days",  "sessions", "entry", "exit",
                                                "score",    "band",  "items", "domain",  "anniversary", "year",
                                                "quarter",  "month", "week",  "day",     "weekday", "hour",
                                                "minute",   "consent"};
    std::string const name(text_at());
    std::string hint = suggest(name, known);
    if (hint.empty())
        hint = "There are count, sum, avg, min, max, distinct, first, last, days, sessions, entry, exit, score, band, items, "
               "domain, anniversary, consent, and year, quarter, month, week, day, weekday, hour, minute.";
    fail_at(token().from, "there is no function \"" + name + "\"", std::move(hint));
}

// contains 'x', starts with 'x', ends with 'x', does not …, ~ 'x', !~ 'x'
bool Parser::text_test(Condition& out, Operand& left) {
    TextTest test;
    bool const regular = is("~") || is("!~");
    if (regular) {
        test.relation = TextRelation::matches;
        test.negated = is("!~");
        advance();
    } else if (is(Keyword::does)) {
        test.negated = true;
        advance();
        require(Keyword::not_);
    }
    bool const plural = !test.negated;
    if (!regular) {
        if (is(plural ? Keyword::contains : Keyword::contain)) {
            advance();
        } else if (is(plural ? Keyword::starts : Keyword::start)) {
            test.relation = TextRelation::starts_with;
            advance();
            require(Keyword::with);
        } else if (is(plural ? Keyword::ends : Keyword::end)) {
            // "end" ends a block; only behind "does not" does it belong here
            test.relation = TextRelation::ends_with;
            advance();
            require(Keyword::with);
        } else if (test.negated) {
            for (Keyword const keyword : {Keyword::contain, Keyword::start, Keyword::end})
                note(text_of(keyword), keyword);
            fail();
        } else {
            return false;
        }
    }
    test.offset.byte = token().from;
    test.text = string(regular ? "a regular expression in single quotes" : "a text in single quotes");
    test.left = std::move(left);
    out.node = std::move(test);
    return true;
}

// has any|all|none of (…)
bool Parser::items_test(Condition& out, Operand& left) {
    HasItems test;
    test.quantity = is(Keyword::any) ? Quantity::any : is(Keyword::all) ? Quantity::all : Quantity::none;
    if (!at(Keyword::any) && !at(Keyword::all) && !at(Keyword::none_))
        return false;
    advance();
    require(Keyword::of);
    test.items = literals();
    test.left = std::move(left);
    out.node = std::move(test);
    return true;
}

// at least | less than; which of them
bool Parser::amount_of_time(bool& at_least) {
    at_least = is(Keyword::at);
    if (accept(Keyword::at))
        require(Keyword::least);
    else if (accept(Keyword::less))
        require(Keyword::than);
    else
        return false;
    return true;
}

// changed [from 'a'] [to 'b'] within d, has been 'a' for at least|less than d
void Parser::history_test(Condition& out, Operand& left) {
    not_in_where("what an attribute has been");
    if (!std::holds_alternative<Attribute>(left))
        fail_at(token().from, "only an attribute has a history", "Write: plan changed within 7 days.");
    Path attribute = std::get<Attribute>(left).path;
    if (is(Keyword::been)) {
        HasBeen test;
        advance();
        test.attribute = std::move(attribute);
        test.value = literal();
        require(Keyword::for_, "Say how long: has been 'pro' for at least 30 days.");
        if (!amount_of_time(test.at_least))
            fail();
        test.duration = duration();
        out.node = std::move(test);
        return;
    }
    Changed test;
    test.attribute = std::move(attribute);
    test.offset.byte = token().from;
    advance();
    if (accept(Keyword::from))
        test.from = literal();
    if (accept(Keyword::to))
        test.to = literal();
    require(Keyword::within, "Say how far to look back: changed within 30 days.");
    test.within = duration();
    out.node = std::move(test);
}

bool Parser::attribute_test(Condition& out, Operand& left) {
    if (is(Keyword::changed)) {
        history_test(out, left);
        return true;
    }
    if (is(Keyword::has)) {
        advance();
        if (at(Keyword::been))
            history_test(out, left);
        else if (!items_test(out, left))
            fail();
        return true;
    }
    bool const no = is(Keyword::not_);
    if (is(Keyword::ilike, no ? 1 : 0)) {
        advance();
        if (no)
            advance();
        out.node = Ignoring{true, false, Condition{Like{std::move(left), string("a pattern in single quotes"), no}}};
        return true;
    }
    if (text_test(out, left))
        return true;
    note_quietly({Keyword::contains, Keyword::starts, Keyword::ends, Keyword::does, Keyword::has, Keyword::changed,
                  Keyword::ilike, Keyword::ignoring});
    return false;
}

// What may stand behind `is`.
void Parser::is_test(Condition& out, Operand& left) {
    bool const negated = accept(Keyword::not_);
    if (is_date_test(out, left, negated))
        return;
    if (is(Keyword::empty)) {
        advance();
        out.node = IsEmpty{std::move(left), negated};
        return;
    }
    if (is(Keyword::distinct)) {
        advance();
        require(Keyword::from);
        out.node = DistinctFrom{std::move(left), comparand(), negated};
        return;
    }
    note_quietly({Keyword::empty, Keyword::distinct, Keyword::today, Keyword::yesterday, Keyword::tomorrow,
                  Keyword::business, Keyword::weekend, Keyword::holiday});
    require(Keyword::set, "To ask for a missing value write \"is not set\"; to compare, write \"=\".");
    out.node = IsSet{std::move(left), negated};
}

namespace {

bool is_text(const Literal& literal) { return std::holds_alternative<std::string>(literal); }

bool compares_texts(const Condition& condition) {
    const auto& node = condition.node;
    if (const auto* c = std::get_if<Comparison>(&node))
        return is_text(c->right);
    if (const auto* d = std::get_if<DistinctFrom>(&node))
        return std::holds_alternative<Path>(d->right) || is_text(std::get<Literal>(d->right));
    if (const auto* in = std::get_if<In>(&node))
        return std::all_of(in->values.begin(), in->values.end(), is_text);
    if (const auto* has = std::get_if<HasItems>(&node))
        return std::all_of(has->items.begin(), has->items.end(), is_text);
    if (const auto* text = std::get_if<TextTest>(&node))
        return text->relation != TextRelation::matches;
    return std::holds_alternative<ComparePaths>(node) || std::holds_alternative<Like>(node);
}

} // namespace

// ignoring case, ignoring accents, or both one after the other
void Parser::ignoring(Condition& out) {
    Ignoring how;
    if (const auto* folded = std::get_if<Ignoring>(&out.node)) // made by ilike
        how = *folded;
    while (is(Keyword::ignoring)) {
        std::uint32_t const from = token().from;
        if (!how.test) {
            if (!compares_texts(out))
                fail_at(from, "only a comparison of texts can ignore case or accents",
                        std::holds_alternative<TextTest>(out.node) ? "In a regular expression write (?i) at its beginning."
                                                                   : "");
            how.test = out;
        }
        advance();
        bool& what = is(Keyword::accents) ? how.accents : how.letter_case;
        if (!at(Keyword::case_) && !at(Keyword::accents))
            fail();
        if (what)
            fail_at(token().from, "\"" + std::string(text_at()) + "\" is ignored already");
        what = true;
        advance();
    }
    if (how.test)
        out.node = std::move(how);
}

} // namespace nurture::language
