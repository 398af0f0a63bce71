#pragma once
// The language's forms as values: what a text is, and its canonical text whatever it is.
#include "core/language/language.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace nurture::language {

enum class Form { rule, condition, workflow, policy, stream };

/// "rule", "condition", "workflow", "policy", "stream".
[[nodiscard]] std::string_view name_of(Form form) noexcept;
/// The form of that name; empty when there is none.
[[nodiscard]] std::optional<Form> form_named(std::string_view name) noexcept;

/// What the text is meant to be, by its beginning: a sign or number begins a rule, a step or header word a
/// workflow, a guard or its scope a policy, a channel and a template a stream, anything else is a condition.
[[nodiscard]] Form form_of(std::string_view text);

/// Parses and prints. Throws what the parsers throw; also limit_exceeded when the canonical text itself would
/// be too long to be read back.
[[nodiscard]] std::string canonical(Form form, std::string_view text, const Limits& limits = {});

} // namespace nurture::language
