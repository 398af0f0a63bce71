#pragma once
// Canonical text for people who compare: cut into lines, and what two versions differ in.
#include <string>
#include <string_view>
#include <vector>

namespace nurture::language {

/// The canonical text in the lines in which one would write it by hand: one per clause of a rule and per operand of a
/// condition. A workflow or policy has its lines already. Put together with blanks they mean the same as the text.
[[nodiscard]] std::vector<std::string> lines_of(std::string_view canonical);

struct DiffLine {
    enum class Change { same, removed, added };
    Change change = Change::same;
    std::string text;
    friend bool operator==(const DiffLine&, const DiffLine&) = default;
};

/// A shortest way from one list of lines to the other; what is removed comes before what is added in its place. Very
/// long differing stretches are not aligned any more: all removed, all added.
[[nodiscard]] std::vector<DiffLine> diff(const std::vector<std::string>& before, const std::vector<std::string>& after);

} // namespace nurture::language
