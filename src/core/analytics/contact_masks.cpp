#include "core/analytics/contact_masks.hpp"

#include <algorithm>

#include "core/analytics/wire.hpp"

namespace nurture::analytics {

void ContactMasks::add(std::string_view contact, std::uint32_t mask) {
    std::uint32_t const number = contacts_.number_of(contact);
    if (number < masks_.size()) {
        masks_[number] |= mask;
        return;
    }
    if (masks_.size() == masks_.capacity()) {
        std::size_t const before = masks_.capacity();
        std::size_t const capacity = std::max<std::size_t>(8, before * 2);
        budget_->take(capacity * sizeof mask);
        masks_.reserve(capacity);
        budget_->give_back(before * sizeof mask);
    }
    masks_.push_back(mask);
}

void ContactMasks::merge(const ContactMasks& other) {
    auto const keys = other.contacts_.keys();
    for (std::size_t i = 0; i < keys.size(); ++i)
        add(keys[i], other.masks_[i]);
}

void ContactMasks::merge(std::string_view bytes) {
    ByteReader reader(bytes);
    for (std::size_t left = reader.count(2); left > 0; --left) {
        std::string_view const contact = reader.text();
        std::uint64_t const mask = reader.varint();
        if (mask > std::numeric_limits<std::uint32_t>::max())
            ByteReader::fail("a mask is out of range");
        add(contact, static_cast<std::uint32_t>(mask));
    }
    reader.end();
}

void ContactMasks::encode_to(std::string& out) const {
    auto const keys = contacts_.keys();
    ByteWriter writer(out);
    writer.varint(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        writer.text(keys[i]);
        writer.varint(masks_[i]);
    }
}

std::vector<std::int64_t> ContactMasks::retained(unsigned conditions) const {
    std::vector<std::int64_t> counts(conditions, 0);
    for (std::uint32_t const mask : masks_) {
        if ((mask & 1) == 0)
            continue;
        for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1)
            ++counts[static_cast<std::size_t>(std::countr_zero(rest))];
    }
    return counts;
}

} // namespace nurture::analytics
