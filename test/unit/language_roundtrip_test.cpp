// parse∘print is the identity on syntax, print∘parse on canonical text; nothing that is typed crashes the
// parser.
#include "core/base/error.hpp"
#include "core/language/policy.hpp"
#include "generators/language.hpp"

#include <gtest/gtest.h>

namespace nurture::language {
namespace {

namespace gen = rc::gen;

template <class Definition>
Definition parse(std::string_view text);
template <>
Rule parse<Rule>(std::string_view text) {
    return parse_rule(text);
}
template <>
Condition parse<Condition>(std::string_view text) {
    return parse_condition(text);
}
template <>
Workflow parse<Workflow>(std::string_view text) {
    return parse_workflow(text);
}

template <class Definition>
bool survives(const std::string& name, const rc::Gen<Definition>& generator) {
    return rc::check(name, [&] {
        Definition const definition = *generator;
        std::string const text = print(definition);
        Definition const again = parse<Definition>(text);
        RC_ASSERT(again == definition);
        RC_ASSERT(print(again) == text);
    });
}

TEST(LanguageRoundTrip, Rule) {
    EXPECT_TRUE(survives("rule", generators::rule()));
}
TEST(LanguageRoundTrip, Condition) {
    EXPECT_TRUE(survives("condition", generators::condition()));
}
TEST(LanguageRoundTrip, Workflow) {
    EXPECT_TRUE(survives("workflow", generators::workflow()));
}

// Parses in all four forms; what parses must have a canonical text that is its own, and what does not must
// say where.
void must_not_crash(const std::string& text) {
    auto const attempt = [&](auto parser) {
        try {
            auto const definition = parser(text, Limits{});
            std::string const canonical = print(definition);
            RC_ASSERT(parser(canonical, Limits{}) == definition);
            RC_ASSERT(print(parser(canonical, Limits{})) == canonical);
        } catch (const Error& error) {
            RC_ASSERT(error.kind == ErrorKind::syntax || error.kind == ErrorKind::limit_exceeded);
            RC_ASSERT(error.offset >= 0);
            RC_ASSERT(error.offset <= static_cast<std::int64_t>(text.size()));
            RC_ASSERT(std::string_view(error.what()).size() > 10U);
            RC_ASSERT(std::string_view(error.what()).size() < 1500U);
            RC_ASSERT(error.detail.size() < 1500U);
        }
    };
    attempt(parse_rule);
    attempt(parse_condition);
    attempt(parse_workflow);
    attempt(parse_policy);
}

TEST(LanguageRobustness, RandomBytes) {
    EXPECT_TRUE(rc::check("random bytes", [] {
        auto const bytes = *gen::arbitrary<std::vector<char>>();
        must_not_crash(std::string(bytes.begin(), bytes.end()));
    }));
}

TEST(LanguageRobustness, RandomWords) {
    EXPECT_TRUE(rc::check("random words", [] {
        auto const words = *gen::container<std::vector<std::string>>(gen::element<std::string>(
            "and", "or", "not", "(", ")", ",", ".", "a", "b", "'x'", "\"y\"", "1", "-", "+5", "2026-01-31",
            "=", "<", "between", "in", "like", "is", "set", "did", "where", "within", "7 days", "count",
            "sum", "of", "score", "true", "on", "wait", "for", "up", "to", "if", "then", "else", "elsif",
            "end", "send", "do", "exit", "when", "segment", "re-enter", "half-life", "at", "most", "per",
            "total", "topic", "with", "'", "\"", "--", "/*", "\n"));
        std::string text;
        for (const std::string& word : words)
            text += word + " ";
        must_not_crash(text);
    }));
}

TEST(LanguageRobustness, MutatedDefinitions) {
    EXPECT_TRUE(rc::check("mutated definitions", [] {
        std::string text;
        switch (*gen::inRange(0, 3)) {
        case 0:
            text = print(*generators::rule());
            break;
        case 1:
            text = print(*generators::condition(3));
            break;
        default:
            text = print(*generators::workflow(1));
        }
        int const changes = *gen::inRange(1, 4);
        for (int i = 0; i < changes && !text.empty(); ++i) {
            auto const at = static_cast<std::size_t>(*gen::inRange<int>(0, static_cast<int>(text.size())));
            switch (*gen::inRange(0, 4)) {
            case 0:
                text.erase(at, static_cast<std::size_t>(*gen::inRange(1, 12)));
                break;
            case 1:
                text.insert(at, *gen::element<std::string>("(", ")", "'", "\"", " and ", " not ", ".", "\xC3",
                                                           " end ", "1"));
                break;
            case 2:
                text[at] = *gen::arbitrary<char>();
                break;
            default:
                text.resize(at);
            }
        }
        must_not_crash(text);
    }));
}

} // namespace
} // namespace nurture::language
