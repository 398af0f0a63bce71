#include "core/base/hash.hpp"

#include "core/base/hex.hpp"

#include <algorithm>

#define XXH_INLINE_ALL // no symbol of the library is exported, nothing to collide with
#include <xxhash.h>

namespace nurture {

std::uint64_t hash64(std::string_view bytes) noexcept { return XXH3_64bits(bytes.data(), bytes.size()); }

Uuid hash_uuid(std::string_view bytes) noexcept {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
    Uuid id;
    for (std::size_t i = 0; i < id.size(); ++i)
        id[i] = canonical.digest[i];
    id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x80); // version 8
    id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80); // RFC 9562 variant
    return id;
}

std::string print_uuid(const Uuid& id) {
    std::string text = to_hex({reinterpret_cast<const char*>(id.data()), id.size()});
    for (std::size_t const dash : {8, 13, 18, 23})
        text.insert(dash, 1, '-');
    return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
    std::string digits(text);
    std::erase(digits, '-');
    auto const bytes = from_hex(digits);
    Uuid id;
    if (!bytes || bytes->size() != id.size() || text.size() != 36)
        return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), id.begin());
    return id;
}

} // namespace nurture
