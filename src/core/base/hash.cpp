#include "core/base/hash.hpp"

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
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < id.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text += '-';
        text += digits[id[i] >> 4];
        text += digits[id[i] & 15];
    }
    return text;
}

} // namespace nurture
