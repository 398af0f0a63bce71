// What an error says: what was found, everything that was expected there, where, and what may have been
// meant.
#include "core/language/parser.hpp"
#include "core/language/suggest.hpp"
#include "core/language/utf8.hpp"

#include <algorithm>

namespace nurture::language {

namespace {

// The first characters of what was typed, on one line.
std::string clipped(std::string_view text) {
    constexpr std::size_t most = 40;
    std::string out;
    std::size_t n = 0;
    for (std::size_t i = 0; i < text.size(); ++n) {
        if (n == most)
            return out + "...";
        auto const c = decode_utf8(text, i);
        std::size_t const length = std::max<std::size_t>(c.length, 1);
        out += c.length == 0    ? std::string_view("?")
               : c.value < 0x20 ? std::string_view(" ")
                                : text.substr(i, length);
        i += length;
    }
    return out;
}

} // namespace

std::string Parser::place(std::size_t offset) const {
    auto const [line, column] = position_of(text_, offset);
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

void Parser::fail_at(std::size_t offset, const std::string& what, std::string hint) {
    throw Error(ErrorKind::syntax, "syntax error at " + place(offset) + ": " + what, point_at(text_, offset),
                std::move(hint))
        .at(static_cast<std::int64_t>(offset));
}

void Parser::too_large(const std::string& what) {
    throw Error(ErrorKind::limit_exceeded, what, point_at(text_, token().from))
        .at(static_cast<std::int64_t>(token().from));
}

std::string Parser::found() const {
    switch (token().kind) {
    case TokenKind::end:
        return "end of text";
    case TokenKind::string:
        return "the text " + clipped(text_at());
    case TokenKind::name:
        return "the name " + clipped(text_at());
    default:
        return "\"" + clipped(text_at()) + "\"";
    }
}

std::string Parser::expectations() const {
    std::vector<std::string> all;
    for (const Expectation& e : expected_) {
        if (e.quiet)
            continue;
        std::string item = e.keyword == Keyword::none ? std::string(e.text)
                           : e.keyword == Keyword::up ? "\"up to\""
                                                      : "\"" + std::string(e.text) + "\"";
        if (std::find(all.begin(), all.end(), item) == all.end())
            all.push_back(std::move(item));
    }
    std::string out;
    for (std::size_t i = 0; i < all.size(); ++i)
        out += (i == 0 ? "" : i + 1 == all.size() ? " or " : ", ") + all[i];
    return out;
}

void Parser::fail(std::string hint) {
    if (token().kind == TokenKind::bad)
        fail_at(token().from, lexed_.error->message, lexed_.error->hint);
    if (hint.empty())
        hint = guess_hint();
    fail_at(token().from, "found " + found() + ", expected " + expectations(), std::move(hint));
}

bool Parser::expects(std::string_view expectation) const {
    return std::any_of(expected_.begin(), expected_.end(),
                       [&](const Expectation& e) { return e.text.find(expectation) != e.text.npos; });
}

std::string Parser::near_keyword() const {
    if (token().kind != TokenKind::word || token().keyword != Keyword::none)
        return {};
    std::string_view const word = text_at();
    std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
    std::string_view meant;
    for (const Expectation& e : expected_) {
        std::string_view const candidate = text_of(e.keyword);
        if (candidate.empty())
            continue;
        if (std::size_t const d = edit_distance(word, candidate); d < best) {
            best = d;
            meant = candidate;
        }
    }
    return meant.empty() ? std::string() : "Perhaps you meant \"" + std::string(meant) + "\".";
}

std::string Parser::symbol_hint() const {
    struct Habit {
        std::string_view symbol, hint;
    };
    static constexpr Habit habits[] = {
        {"==", "Equality is written \"=\"."},
        {"=>", "\"Greater or equal\" is written \">=\"."},
        {"=<", "\"Less or equal\" is written \"<=\"."},
        {"&&", "Write \"and\"."},
        {"&", "Write \"and\"."},
        {"||", "Write \"or\"."},
        {"|", "Write \"or\"."},
        {"!", "Write \"not\"."},
        {"^", "Write \"not\"."},
        {";", "A definition needs no semicolon."},
        {"`", "Names are written as they are, or in double quotes; texts in single quotes."},
        {"#", "A comment begins with two hyphens: --"},
        {"[", "Lists are written in round brackets."},
        {"{", "Lists are written in round brackets, blocks between \"then\" and \"end\"."},
        {":", "A moment is written 2026-01-31T09:30."},
    };
    for (const Habit& habit : habits)
        if (is(habit.symbol))
            return std::string(habit.hint);
    return {};
}

std::string Parser::never_closed() const {
    if (opened_.empty())
        return {};
    const Opened& inner = opened_.back();
    if (inner.what == "(" && expects("\")\""))
        return "The bracket opened at " + place(inner.from) + " is not closed.";
    if (inner.what != "(" && token().kind == TokenKind::end)
        return "The \"" + std::string(inner.what) + "\" at " + place(inner.from) + " has no \"end\".";
    return {};
}

std::string Parser::guess_hint() const {
    if (std::string hint = symbol_hint(); !hint.empty())
        return hint;
    if (std::string hint = near_keyword(); !hint.empty())
        return hint;
    TokenKind const kind = token().kind;
    if (kind == TokenKind::name && expects("single quotes"))
        return "Texts are written in single quotes; double quotes are for names.";
    if (kind == TokenKind::string &&
        (expects("an event type") || expects("an attribute") || expects("a name")))
        return "Names are written as they are, or in double quotes; single quotes are for texts.";
    if (kind == TokenKind::word && expects("a value"))
        return "A text is written in single quotes: '" + clipped(text_at()) + "'.";
    if (kind == TokenKind::word && expects("single quotes"))
        return "Write it in single quotes: '" + clipped(text_at()) + "'.";
    if (std::string hint = never_closed(); !hint.empty())
        return hint;
    if (in_steps_ && (is(Keyword::on) || is(Keyword::re_enter) || is(Keyword::when)))
        return "The lines \"on\", \"re-enter\", \"exit on\" and \"exit when\" come before the first step.";
    if (kind == TokenKind::word && is_reserved(token().keyword) &&
        (expects("an event type") || expects("an attribute") || expects("a property") || expects("a name")))
        return "\"" + clipped(text_at()) +
               "\" is a keyword; a name that is spelled so is written in double quotes.";
    return {};
}

void Parser::fail_behaviour_in_where() {
    std::string hint = where_ == Within::did
                           ? "\"where\" reaches as far as it can. Put brackets around what belongs to it: "
                             "(did ... where ...)."
                           : "Only properties of the event itself can be tested after \"where\".";
    if (is(Keyword::score))
        hint += " A property of that name is written \"score\", in double quotes.";
    fail_at(token().from, "found " + found() + " inside \"where\", which tests properties of the event only",
            std::move(hint));
}

void Parser::fail_literal_on_the_left() {
    std::size_t const after = is("-") || is("+") ? 2 : 1;
    bool const compared = is("=", after) || is("!=", after) || is("<>", after) || is("<", after) ||
                          is("<=", after) || is(">", after) || is(">=", after);
    if (!compared)
        fail(is(Keyword::on, after) || is(Keyword::per, after)
                 ? "This looks like a rule, not like a condition."
                 : "");
    TokenKind const other = token(after + 1).kind;
    if (token().kind == TokenKind::string && (other == TokenKind::string || other == TokenKind::number))
        fail("Names are written as they are, or in double quotes; single quotes are for texts.");
    fail("The value stands on the right: write \"score >= 5\", not \"5 <= score\".");
}

} // namespace nurture::language
