#include "core/analytics/contact_masks.hpp"

#include "core/analytics/wire.hpp"

namespace nurture::analytics {

void ContactMasks::add(std::string_view contact, std::uint32_t mask) {
    std::uint32_t const hash = ContactNumbers::hash_of(contact);
    contacts_.prefetch(hash);
    PendingRow& row = pending_.place([this](const PendingRow& oldest) { take(oldest); });
    row.mask = mask;
    if (!row.hold(hash, contact))
        contacts_.slot_of(hash, contact).note |= mask;
}

void ContactMasks::merge(ContactMasks& other) {
    other.settle();
    other.contacts_.for_each_slot([&](const ContactNumbers::Slot& slot) { add(slot.key(), slot.note); });
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

void ContactMasks::encode_to(std::string& out) {
    settle();
    ByteWriter writer(out);
    writer.varint(contacts_.size());
    contacts_.for_each_slot([&](const ContactNumbers::Slot& slot) {
        writer.text(slot.key());
        writer.varint(slot.note);
    });
}

std::vector<std::int64_t> ContactMasks::retained(unsigned conditions) {
    settle();
    std::vector<std::int64_t> counts(conditions, 0);
    contacts_.for_each_slot([&](const ContactNumbers::Slot& slot) {
        if ((slot.note & 1) == 0)
            return;
        for (std::uint32_t rest = slot.note; rest != 0; rest &= rest - 1)
            ++counts[static_cast<std::size_t>(std::countr_zero(rest))];
    });
    return counts;
}

} // namespace nurture::analytics
