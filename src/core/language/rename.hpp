#pragma once
// What a definition says when something it names gets another name.
#include "core/language/form.hpp"
#include "core/language/references.hpp"

#include <map>
#include <string>
#include <string_view>

namespace nurture::language {

/// The canonical text with every reference of the kind under its new name; all at once, so that names may change places.
/// Nothing else changes. Throws what the parsers throw.
[[nodiscard]] std::string renamed(Form form, std::string_view definition, ReferenceKind kind,
                                  const std::map<std::string, std::string>& names, const Limits& limits = {});

} // namespace nurture::language
