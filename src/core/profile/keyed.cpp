#include "core/profile/keyed.hpp"

#include <algorithm>

namespace nurture::profile {

void KeyedEntries::add(const KeyedEntry& entry) {
    auto const known = std::find_if(items.begin(), items.end(), [&](const auto& e) { return e.key == entry.key; });
    if (known != items.end()) {
        if (*known <= entry)
            return;
        items.erase(known);
    }
    items.insert(std::lower_bound(items.begin(), items.end(), entry), entry);
    if (items.size() > keyed_limit)
        items.pop_back();
}

void KeyedEntries::merge(const KeyedEntries& other) {
    for (const KeyedEntry& entry : other.items)
        add(entry);
}

void encode(ByteWriter& out, const KeyedEntries& entries, const Stamp& base) {
    out.number(entries.items.size());
    Stamp previous = base;
    for (const KeyedEntry& entry : entries.items) {
        write_stamp(out, entry.stamp, previous);
        out.integer(entry.amount);
        out.fixed64(entry.key);
        previous = entry.stamp;
    }
}

KeyedEntries decode_keyed(ByteReader& in, const Stamp& base) {
    KeyedEntries out;
    std::size_t const size = in.count(12);
    out.items.reserve(size);
    Stamp previous = base;
    for (std::size_t i = 0; i < size; ++i) {
        KeyedEntry entry;
        entry.stamp = read_stamp(in, previous);
        entry.amount = in.integer();
        entry.key = in.fixed64();
        if (i > 0 && !(out.items.back() < entry))
            ByteReader::corrupt("holds events out of order");
        previous = entry.stamp;
        out.items.push_back(entry);
    }
    return out;
}

} // namespace nurture::profile
