#pragma once
// The language's doors: text to syntax and back. parse∘print is the identity on syntax, print∘parse idempotent on text.
#include "core/language/ast_workflow.hpp"

#include <span>
#include <string>
#include <string_view>

namespace nurture::language {

/// What a definition may be at most; beyond it: ErrorKind::limit_exceeded.
struct Limits {
    std::size_t bytes = 1 << 20;
    std::size_t terms = 10'000; ///< conditions and steps together
    std::size_t depth = 500;    ///< nesting of brackets, not, blocks
};

/// Each throws Error (syntax, limit_exceeded, invalid_definition) with the byte offset, a message that says what was
/// found and what was expected, and a detail that shows the line with a caret under the place.
Rule parse_rule(std::string_view text, const Limits& limits = {});
Condition parse_condition(std::string_view text, const Limits& limits = {});
Workflow parse_workflow(std::string_view text, const Limits& limits = {});
/// "7 days", "1 year 6 months".
Duration parse_duration(std::string_view text);

/// Canonical text.
std::string print(const Rule&);
std::string print(const Condition&);
std::string print(const Workflow&);
std::string print(const EventPattern&);
std::string print(const Literal&);
std::string print(const Duration&);
std::string print(const Path&);
/// An identifier, double-quoted when it needs to be.
std::string print_name(std::string_view name);
/// A string literal in single quotes.
std::string print_string(std::string_view value);

/// Line and column, both from 1; a column is a character.
struct Position {
    std::size_t line = 1, column = 1;
    friend bool operator==(const Position&, const Position&) = default;
};
Position position_of(std::string_view text, std::size_t offset);

/// "At line 2, column 5:" and the line with a caret under it: the detail of an error at `offset` of `text`.
std::string point_at(std::string_view text, std::size_t offset);

/// "Perhaps you meant "hot lead"." when one of the names is near to the one given (Damerau-Levenshtein), else empty.
std::string suggest(std::string_view name, std::span<const std::string> known);

} // namespace nurture::language
