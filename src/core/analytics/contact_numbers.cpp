#include "core/analytics/contact_numbers.hpp"

#include <algorithm>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace nurture::analytics {

namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t key_chunk = 4096;

} // namespace

std::string_view ContactNumbers::Slot::text() const noexcept {
    if (length <= sizeof key)
        return {key, length};
    const char* address = nullptr;
    std::memcpy(&address, key, sizeof address);
    return {address, length};
}

std::uint32_t ContactNumbers::number_of(std::string_view key) {
    // At most three quarters of the slots are taken, so that a search ends soon.
    if (size_ >= capacity_ / 4 * 3)
        grow();
    auto const hash = static_cast<std::uint32_t>(XXH3_64bits(key.data(), key.size()));
    for (std::size_t i = hash & (capacity_ - 1);; i = (i + 1) & (capacity_ - 1)) {
        Slot& slot = slots_[i];
        if (slot.number == 0) {
            place(slot, key);
            slot.hash = hash;
            slot.number = ++size_;
            return size_ - 1;
        }
        if (slot.hash == hash && slot.text() == key)
            return slot.number - 1;
    }
}

void ContactNumbers::place(Slot& slot, std::string_view key) {
    if (key.size() > std::numeric_limits<std::uint32_t>::max())
        throw Error(ErrorKind::limit_exceeded, "a contact's name is too long");
    slot.length = static_cast<std::uint32_t>(key.size());
    if (key.size() <= sizeof slot.key) {
        std::copy(key.begin(), key.end(), slot.key);
        return;
    }
    if (tail_left_ < key.size()) {
        std::size_t const bytes = std::max(key_chunk, key.size());
        budget_->take(bytes);
        tail_ = static_cast<char*>(memory_->allocate(bytes, 1));
        tail_left_ = bytes;
    }
    std::copy(key.begin(), key.end(), tail_);
    std::memcpy(slot.key, &tail_, sizeof tail_);
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
        if (slots_[old].number == 0)
            continue;
        std::size_t i = slots_[old].hash & (capacity - 1);
        while (slots[i].number != 0)
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
    for (std::size_t i = 0; i < capacity_; ++i)
        if (slots_[i].number != 0)
            keys[slots_[i].number - 1] = slots_[i].text();
    return keys;
}

} // namespace nurture::analytics
