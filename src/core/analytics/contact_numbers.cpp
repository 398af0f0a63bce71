#include "core/analytics/contact_numbers.hpp"

#include <algorithm>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace nurture::analytics {

namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t key_chunk = 4096;

template <class Word>
bool same_words(const char* a, const char* b) noexcept {
    Word x = 0, y = 0;
    std::memcpy(&x, a, sizeof x);
    std::memcpy(&y, b, sizeof y);
    return x == y;
}

// Names are short: a call of memcmp costs more than comparing them.
bool same_bytes(const char* a, const char* b, std::size_t size) noexcept {
    if (size > 16)
        return std::memcmp(a, b, size) == 0;
    if (size >= 8)
        return same_words<std::uint64_t>(a, b) && same_words<std::uint64_t>(a + size - 8, b + size - 8);
    if (size >= 4)
        return same_words<std::uint32_t>(a, b) && same_words<std::uint32_t>(a + size - 4, b + size - 4);
    for (std::size_t i = 0; i < size; ++i)
        if (a[i] != b[i])
            return false;
    return true;
}

} // namespace

void Budget::aggregate_memory_exceeded() {
    throw Error(
        ErrorKind::limit_exceeded,
        "an aggregate over contacts needs more memory than nurture.aggregate_memory allows", {},
        "Raise nurture.aggregate_memory, filter rows that satisfy no condition, or GROUP BY the contact "
        "and use the aggregate without \"_by\".");
}

std::string_view ContactNumbers::Slot::key() const noexcept {
    if (length_ != elsewhere)
        return {key_, length_};
    const char* address = nullptr;
    std::uint32_t length = 0;
    std::memcpy(&address, key_, sizeof address);
    std::memcpy(&length, key_ + sizeof address, sizeof length);
    return {address, length};
}

bool ContactNumbers::Slot::has(std::string_view wanted) const noexcept {
    if (length_ == elsewhere)
        return key() == wanted;
    return length_ == wanted.size() && same_bytes(key_, wanted.data(), length_);
}

std::uint32_t ContactNumbers::hash_of(std::string_view key) noexcept {
    return static_cast<std::uint32_t>(XXH3_64bits(key.data(), key.size()));
}

ContactNumbers::Slot& ContactNumbers::slot_of(std::uint32_t hash, std::string_view key) {
    // At most three quarters of the slots are taken, so that a search ends soon.
    if (size_ >= capacity_ / 4 * 3)
        grow();
    for (std::size_t i = hash & (capacity_ - 1);; i = (i + 1) & (capacity_ - 1)) {
        Slot& slot = slots_[i];
        if (slot.taken_ == 0) {
            place(slot, key);
            slot.hash_ = hash;
            slot.taken_ = ++size_;
            return slot;
        }
        if (slot.hash_ == hash && slot.has(key))
            return slot;
    }
}

void ContactNumbers::place(Slot& slot, std::string_view key) {
    if (key.size() > std::numeric_limits<std::uint32_t>::max())
        throw Error(ErrorKind::limit_exceeded, "a contact's name is too long");
    if (key.size() <= sizeof slot.key_) {
        slot.length_ = static_cast<std::uint8_t>(key.size());
        key.copy(slot.key_, key.size());
        return;
    }
    if (tail_left_ < key.size()) {
        std::size_t const bytes = std::max(key_chunk, key.size());
        budget_->take(bytes);
        tail_ = static_cast<char*>(memory_->allocate(bytes, 1));
        tail_left_ = bytes;
    }
    key.copy(tail_, key.size());
    auto const length = static_cast<std::uint32_t>(key.size());
    slot.length_ = Slot::elsewhere;
    std::memcpy(slot.key_, &tail_, sizeof tail_);
    std::memcpy(slot.key_ + sizeof tail_, &length, sizeof length);
    tail_ += key.size();
    tail_left_ -= key.size();
}

void ContactNumbers::grow() {
    std::size_t const capacity = capacity_ == 0 ? first_capacity : capacity_ * 2;
    if (capacity > std::size_t{1} << 32)
        throw Error(ErrorKind::limit_exceeded, "there are more than three billion contacts");
    budget_->take(capacity * sizeof(Slot));
    auto* const slots = static_cast<Slot*>(memory_->allocate(capacity * sizeof(Slot), cache_line));
    std::memset(static_cast<void*>(slots), 0, capacity * sizeof(Slot));
    for (std::size_t old = 0; old < capacity_; ++old) {
        if (slots_[old].taken_ == 0)
            continue;
        std::size_t i = slots_[old].hash_ & (capacity - 1);
        while (slots[i].taken_ != 0)
            i = (i + 1) & (capacity - 1);
        slots[i] = slots_[old];
    }
    if (slots_ != nullptr) {
        memory_->deallocate(slots_, capacity_ * sizeof(Slot), cache_line);
        budget_->give_back(capacity_ * sizeof(Slot));
    }
    slots_ = slots;
    capacity_ = capacity;
}

std::vector<std::string_view> ContactNumbers::keys() const {
    std::vector<std::string_view> keys(size_);
    for_each_slot([&](const Slot& slot) { keys[slot.number()] = slot.key(); });
    return keys;
}

} // namespace nurture::analytics
