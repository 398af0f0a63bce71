#pragma once
// Amounts are integers of 10^-6. One event's amount fits 64 bits, sums have 128.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nurture {

/// A decimal number in units of 10^-6: up to ±9,223,372,036,854.775807.
using Micro = std::int64_t;
/// A sum or product of Micros.
using Wide = __int128;

inline constexpr Micro micro_one = 1'000'000;

/// Parses a JSON or SQL number ("12", "-0.5", "1e3"), rounding half away from zero at the sixth digit.
/// Empty when the text is not a number (surrounding blanks included) or does not fit.
[[nodiscard]] std::optional<Micro> parse_micro(std::string_view text) noexcept;

/// Shortest decimal text: "12", "-0.5", "0.000001".
[[nodiscard]] std::string print_micro(Wide value);

/// a * b / 10^6, rounded half away from zero.
[[nodiscard]] Wide multiply_micro(Wide a, Wide b) noexcept;

} // namespace nurture
