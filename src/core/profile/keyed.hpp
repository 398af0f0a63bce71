#pragma once
// The first event of each value of a key: what "once per file" counts. A function of the set of events: the entries are
// the earliest of each key, and of those the first keyed_limit keys.
#include "core/base/decimal.hpp"
#include "core/profile/stamp.hpp"

#include <vector>

namespace nurture::profile {

/// Keys beyond the first this many do not count.
inline constexpr std::size_t keyed_limit = 1'000;

struct KeyedEntry {
    Stamp stamp;
    Micro amount = 0;
    std::uint64_t key = 0; ///< hash of the key's value (XXH3, 64 bits)
    friend auto operator<=>(const KeyedEntry&, const KeyedEntry&) = default;
};

/// Ascending; no key twice. A key beyond the first keyed_limit stays beyond them whatever is added, unless an
/// earlier event of its own comes: so the cut depends on the union alone.
struct KeyedEntries {
    std::vector<KeyedEntry> items;

    void add(const KeyedEntry& entry);
    void merge(const KeyedEntries& other);
    friend bool operator==(const KeyedEntries&, const KeyedEntries&) = default;
};

void encode(ByteWriter& out, const KeyedEntries& entries, const Stamp& base);
/// Throws Error(corrupt_data).
[[nodiscard]] KeyedEntries decode_keyed(ByteReader& in, const Stamp& base);

} // namespace nurture::profile
