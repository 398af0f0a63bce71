#pragma once
// Which conditions ever held for each of many contacts.
#include <bit>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "core/analytics/contact_numbers.hpp"
#include "core/analytics/events.hpp"

namespace nurture::analytics {

/// A mask of up to 32 conditions per contact, in memory that dies with it.
class ContactMasks {
public:
    ContactMasks(std::pmr::memory_resource* memory, Budget& budget) : contacts_(memory, budget) {}

    void add(std::string_view contact, std::uint32_t mask);
    void merge(ContactMasks& other);
    /// Adds what encode_to() of another process of the same server wrote; throws corrupt_data otherwise.
    void merge(std::string_view bytes);
    void encode_to(std::string& out);

    /// Element 0: for how many contacts the first condition held; element i: for how many it and the i-th
    /// did.
    [[nodiscard]] std::vector<std::int64_t> retained(unsigned conditions);

private:
    ContactNumbers contacts_; ///< a slot's note is its contact's mask
    PendingRows pending_;

    void take(const PendingRow& row) { contacts_.slot_of(row.hash(), row.key()).note |= row.mask; }
    void settle() {
        pending_.settle([this](const PendingRow& row) { take(row); });
    }
};

} // namespace nurture::analytics
