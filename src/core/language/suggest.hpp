#pragma once
#include <cstddef>
#include <string_view>

namespace nurture::language {

/// Edits between two names (Damerau-Levenshtein, restricted), upper and lower case of ASCII taken as the
/// same.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

} // namespace nurture::language
