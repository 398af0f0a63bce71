#include "core/language/form.hpp"

#include "core/base/error.hpp"
#include "core/language/lexer.hpp"

namespace nurture::language {

namespace {

std::string print_as(Form form, std::string_view text, const Limits& limits) {
    switch (form) {
    case Form::rule:
        return print(parse_rule(text, limits));
    case Form::condition:
        return print(parse_condition(text, limits));
    case Form::workflow:
        return print(parse_workflow(text, limits));
    }
    return {};
}

} // namespace

std::string_view name_of(Form form) noexcept {
    static constexpr std::string_view names[] = {"rule", "condition", "workflow"};
    return names[static_cast<std::size_t>(form)];
}

std::optional<Form> form_named(std::string_view name) noexcept {
    for (Form const form : {Form::rule, Form::condition, Form::workflow})
        if (name_of(form) == name)
            return form;
    return std::nullopt;
}

Form form_of(std::string_view text) {
    Lexed const lexed = tokenize(text);
    const Token& first = lexed.tokens.front();
    std::string_view const spelled = text.substr(first.from, first.to - first.from);
    if (first.kind == TokenKind::number) {
        // "5 < score" is a condition the wrong way round.
        const Token& second = lexed.tokens[1];
        return second.kind == TokenKind::symbol ? Form::condition : Form::rule;
    }
    if (first.kind == TokenKind::symbol && (spelled == "+" || spelled == "-"))
        return Form::rule;
    if (first.keyword == Keyword::on && lexed.tokens[1].keyword == Keyword::list &&
        lexed.tokens[2].kind == TokenKind::string)
        return Form::condition; // on list 'l'
    switch (first.keyword) {
    case Keyword::on:
    case Keyword::wait:
    case Keyword::send:
    case Keyword::exit:
    case Keyword::re_enter:
    case Keyword::if_:
    case Keyword::do_:
    case Keyword::set:
        return Form::workflow;
    default:
        return Form::condition;
    }
}

std::string canonical(Form form, std::string_view text, const Limits& limits) {
    std::string out = print_as(form, text, limits);
    if (out.size() > limits.bytes)
        throw Error(ErrorKind::limit_exceeded, "definition is too long",
                    "Its canonical text has " + std::to_string(out.size()) + " bytes; at most " +
                        std::to_string(limits.bytes) + " are allowed.");
    return out;
}

} // namespace nurture::language
