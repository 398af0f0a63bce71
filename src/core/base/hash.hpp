#pragma once
// Chance and identity come from hashing, never from a random source: the same history gives the same ids anywhere.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nurture {

/// XXH3 (xxHash, Y. Collet), 64 bits, seed 0.
[[nodiscard]] std::uint64_t hash64(std::string_view bytes) noexcept;

/// A UUID of version 8 (RFC 9562: custom) from XXH3's 128 bits.
using Uuid = std::array<std::uint8_t, 16>;
[[nodiscard]] Uuid hash_uuid(std::string_view bytes) noexcept;
[[nodiscard]] std::string print_uuid(const Uuid& id);
/// What print_uuid prints; nothing for any other text.
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text);

} // namespace nurture
