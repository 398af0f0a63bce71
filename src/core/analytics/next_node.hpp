#pragma once
// What came next: the value of the row beside a path of rows that follow each other directly.
#include "core/base/time.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace nurture::analytics {

/// A row: time, its value (empty: NULL), the path's conditions it satisfies, and whether it may begin the
/// path.
struct Node {
    Time at = 0;
    std::optional<std::string_view> value;
    std::uint32_t mask = 0;
    bool base = false;
};

/// Which way the path is followed. Backward, its first condition is met last.
enum class Direction : std::uint8_t { forward, backward };
/// Where the path may begin: only at the group's first or last row, or at the first or last row at which all
/// of it is found.
enum class Base : std::uint8_t { head, tail, first_match, last_match };

[[nodiscard]] Direction parse_direction(std::string_view text);
[[nodiscard]] Base parse_base(std::string_view text);

/// The order of rows: by time; rows of one time by value (bytewise, NULL last), then conditions. So the
/// answer depends on the set of rows alone.
[[nodiscard]] bool before(const Node& a, const Node& b) noexcept;

/// The row after the path (before it, when going backward): its index in `nodes`, which are sorted; empty
/// when the path is not found or nothing lies beyond it.
[[nodiscard]] std::optional<std::size_t> next_node(std::span<const Node> nodes, unsigned steps,
                                                   Direction direction, Base base) noexcept;

} // namespace nurture::analytics
