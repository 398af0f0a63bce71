#include "core/language/parser.hpp"

namespace nurture::language {

Parser::Parser(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {
    if (text.size() > limits.bytes || text.size() > UINT32_MAX - 1)
        throw Error(ErrorKind::limit_exceeded, "definition is too long",
                    "It has " + std::to_string(text.size()) + " bytes; at most " +
                        std::to_string(limits.bytes) + " are allowed.");
    lexed_ = tokenize(text);
}

Parser::Level::Level(Parser& parser, std::size_t levels) : parser_(parser), levels_(levels) {
    if (parser.depth_ + levels > parser.limits_.depth)
        parser.too_large("definition is nested more than " + std::to_string(parser.limits_.depth) +
                         " levels deep");
    parser.depth_ += levels;
}

const Token& Parser::token(std::size_t ahead) const noexcept {
    return at_ + ahead < lexed_.tokens.size() ? lexed_.tokens[at_ + ahead] : lexed_.tokens.back();
}

std::string_view Parser::text_at(std::size_t ahead) const noexcept {
    const Token& t = token(ahead);
    return text_.substr(t.from, t.to - t.from);
}

bool Parser::is(Keyword keyword, std::size_t ahead) const noexcept {
    return token(ahead).keyword == keyword;
}

bool Parser::is(std::string_view symbol, std::size_t ahead) const noexcept {
    return token(ahead).kind == TokenKind::symbol && text_at(ahead) == symbol;
}

bool Parser::is_name(std::size_t ahead) const noexcept {
    const Token& t = token(ahead);
    return t.kind == TokenKind::name || (t.kind == TokenKind::word && !is_reserved(t.keyword));
}

bool Parser::starts_literal() const noexcept {
    TokenKind const kind = token().kind;
    return kind == TokenKind::number || kind == TokenKind::string || kind == TokenKind::moment ||
           ((is("-") || is("+")) && token(1).kind == TokenKind::number);
}

void Parser::advance() {
    ++at_;
    expected_.clear();
}

void Parser::note(std::string_view expectation, Keyword keyword) {
    expected_.push_back({expectation, keyword, false});
}

void Parser::note_quietly(std::initializer_list<Keyword> keywords) {
    for (Keyword const keyword : keywords)
        expected_.push_back({text_of(keyword), keyword, true});
}

bool Parser::at(Keyword keyword) {
    if (is(keyword))
        return true;
    note(text_of(keyword), keyword);
    return false;
}

bool Parser::at(std::string_view symbol) {
    if (is(symbol))
        return true;
    // Symbols are shown in quotes like keywords.
    note(symbol == "(" ? "\"(\"" : symbol == ")" ? "\")\"" : symbol == "," ? "\",\"" : "\"=\"");
    return false;
}

bool Parser::accept(Keyword keyword) {
    bool const found = at(keyword);
    if (found)
        advance();
    return found;
}

bool Parser::accept(std::string_view symbol) {
    bool const found = at(symbol);
    if (found)
        advance();
    return found;
}

void Parser::require(Keyword keyword, std::string hint) {
    if (!accept(keyword))
        fail(std::move(hint));
}

void Parser::require(std::string_view symbol, std::string hint) {
    if (!accept(symbol))
        fail(std::move(hint));
}

std::string Parser::name(std::string_view expectation) {
    if (!is_name()) {
        note(expectation);
        fail();
    }
    std::string value = token().kind == TokenKind::name ? unquote(text_at()) : std::string(text_at());
    advance();
    return value;
}

std::string Parser::string(std::string_view expectation) {
    if (token().kind != TokenKind::string) {
        note(expectation);
        fail();
    }
    std::string value = unquote(text_at());
    advance();
    return value;
}

void Parser::open(std::string_view what, std::uint32_t from) {
    opened_.push_back({from, what});
}

void Parser::count_term() {
    if (++terms_ > limits_.terms)
        too_large("definition has more than " + std::to_string(limits_.terms) + " conditions and steps");
}

void Parser::end_of_text() {
    if (token().kind == TokenKind::end)
        return;
    note("end of text");
    fail();
}

Duration Parser::whole_duration() {
    Duration const out = duration();
    end_of_text();
    return out;
}

Rule parse_rule(std::string_view text, const Limits& limits) {
    return Parser(text, limits).whole_rule();
}

Condition parse_condition(std::string_view text, const Limits& limits) {
    return Parser(text, limits).whole_condition();
}

Workflow parse_workflow(std::string_view text, const Limits& limits) {
    return Parser(text, limits).whole_workflow();
}

Duration parse_duration(std::string_view text) { return Parser(text, {}).whole_duration(); }

} // namespace nurture::language
