#include "core/language/form.hpp"

#include "core/base/error.hpp"
#include "core/language/lexer.hpp"
#include "core/language/policy.hpp"
#include "core/language/stream.hpp"

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
    case Form::policy:
        return print(parse_policy(text, limits));
    case Form::stream:
        return print(parse_stream(text, limits));
    }
    return {};
}

// A scope, or a guard: told from an attribute of that name by the word behind it.
bool begins_policy(const std::vector<Token>& tokens, std::string_view text) {
    auto const is_colon = [&](std::size_t n) {
        return n < tokens.size() && text.substr(tokens[n].from, tokens[n].to - tokens[n].from) == ":";
    };
    const Token& next = tokens[std::min<std::size_t>(1, tokens.size() - 1)];
    switch (tokens.front().keyword) {
    case Keyword::for_:
        return next.kind == TokenKind::name || next.keyword == Keyword::purpose || next.keyword == Keyword::workflow ||
               (next.kind == TokenKind::word && next.keyword == Keyword::none);
    case Keyword::require:
        return next.keyword == Keyword::consent;
    case Keyword::at:
        return next.keyword == Keyword::most;
    case Keyword::quiet:
        return next.keyword == Keyword::from;
    case Keyword::only:
        return next.keyword == Keyword::on || (next.keyword == Keyword::between && is_colon(3));
    case Keyword::never:
        return next.keyword == Keyword::on;
    case Keyword::rate:
    case Keyword::budget:
        return next.kind == TokenKind::number;
    case Keyword::priority:
        return next.kind == TokenKind::number || (next.kind == TokenKind::symbol && tokens.size() > 3 &&
                                                  text[next.from] == '-' && tokens[2].kind == TokenKind::number);
    case Keyword::expire:
        return next.keyword == Keyword::after;
    case Keyword::when:
        return next.keyword == Keyword::stopped;
    default:
        return false;
    }
}

} // namespace

std::string_view name_of(Form form) noexcept {
    static constexpr std::string_view names[] = {"rule", "condition", "workflow", "policy", "stream"};
    return names[static_cast<std::size_t>(form)];
}

std::optional<Form> form_named(std::string_view name) noexcept {
    for (Form const form : {Form::rule, Form::condition, Form::workflow, Form::policy, Form::stream})
        if (name_of(form) == name)
            return form;
    return std::nullopt;
}

namespace {

// Words that begin a line of a workflow, but that may also be the name of an attribute: what follows tells.
bool begins_workflow(const std::vector<Token>& tokens) {
    const Token& next = tokens[1];
    auto const word = [&] {
        switch (next.keyword) {
        case Keyword::is:
        case Keyword::in:
        case Keyword::like:
        case Keyword::ilike:
        case Keyword::between:
        case Keyword::and_:
        case Keyword::or_:
        case Keyword::contains:
        case Keyword::has:
        case Keyword::changed:
        case Keyword::within:
        case Keyword::starts:
        case Keyword::ends:
        case Keyword::does:
        case Keyword::then:
            return false;
        default:
            return next.kind == TokenKind::word || next.kind == TokenKind::name;
        }
    };
    switch (tokens.front().keyword) {
    case Keyword::when:
    case Keyword::switch_:
    case Keyword::clear:
    case Keyword::increment:
    case Keyword::emit:
    case Keyword::label:
        return word() || next.kind == TokenKind::string;
    case Keyword::goal:
        return next.keyword == Keyword::on || next.keyword == Keyword::when || next.keyword == Keyword::within;
    case Keyword::holdout:
    case Keyword::split:
        if (next.keyword == Keyword::again)
            return true;
        return next.kind == TokenKind::number || next.kind == TokenKind::string || next.keyword == Keyword::none_;
    case Keyword::experiment:
    case Keyword::append:
        return next.kind == TokenKind::string || word();
    case Keyword::add:
    case Keyword::remove:
        return next.kind == TokenKind::string || next.kind == TokenKind::number || word();
    case Keyword::repeat:
        return next.keyword == Keyword::at || next.keyword == Keyword::until || word();
    case Keyword::start:
    case Keyword::stop:
        return next.keyword == Keyword::workflow;
    case Keyword::parallel:
        return next.keyword == Keyword::until || next.kind == TokenKind::word;
    case Keyword::withdraw:
        return next.keyword == Keyword::consent;
    case Keyword::reset:
    case Keyword::adjust:
        return next.keyword == Keyword::score;
    default:
        return false;
    }
}

} // namespace

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
    if (begins_policy(lexed.tokens, text))
        return Form::policy;
    if (lexed.tokens.size() > 1 && begins_workflow(lexed.tokens))
        return Form::workflow;
    if ((first.kind == TokenKind::name || (first.kind == TokenKind::word && first.keyword == Keyword::none)) &&
        lexed.tokens[1].kind == TokenKind::string && spelled != "stream")
        return Form::stream; // email 'tip 1'
    if (first.kind == TokenKind::word && spelled == "assign" && lexed.tokens.size() > 3 && lexed.tokens[2].keyword == Keyword::from)
        return Form::workflow;
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
