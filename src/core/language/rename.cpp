#include "core/language/rename.hpp"

#include "core/language/lexer.hpp"
#include "core/language/policy.hpp"
#include "core/language/stream.hpp"

#include <algorithm>

namespace nurture::language {

namespace {

std::vector<Reference> references_in(Form form, std::string_view text, const Limits& limits) {
    switch (form) {
    case Form::rule:
        return references(parse_rule(text, limits));
    case Form::condition:
        return references(parse_condition(text, limits));
    case Form::workflow:
        return references(parse_workflow(text, limits));
    case Form::policy:
        return references(parse_policy(text, limits));
    case Form::stream:
        return references(parse_stream(text, limits));
    }
    return {};
}

} // namespace

std::string renamed(Form form, std::string_view definition, ReferenceKind kind,
                    const std::map<std::string, std::string>& names, const Limits& limits) {
    auto const tokens = tokenize(definition).tokens;
    std::string out;
    std::size_t done = 0;
    for (const Reference& reference : references_in(form, definition, limits)) {
        auto const found = names.find(reference.name);
        if (reference.kind != kind || found == names.end())
            continue;
        auto const token = std::lower_bound(tokens.begin(), tokens.end(), reference.offset,
                                            [](const Token& t, std::uint32_t offset) { return t.from < offset; });
        out += definition.substr(done, token->from - done);
        out += token->kind == TokenKind::string ? print_string(found->second) : print_name(found->second);
        auto last = token; // a name of several parts: fit.company
        while (definition.substr(last[1].from, last[1].to - last[1].from) == ".")
            last += 2;
        done = last->to;
    }
    out += definition.substr(done);
    return canonical(form, out, limits);
}

} // namespace nurture::language
