#pragma once
// The dense numbers of contacts for aggregates that group by contact themselves: one look-up in one cache
// line per row, where a group of the executor's own costs several.
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace nurture::analytics {

/// What one aggregate may still take. Throws limit_exceeded where it ends.
class Budget {
public:
    explicit Budget(std::size_t bytes = std::numeric_limits<std::size_t>::max()) noexcept : left_(bytes) {}

    void take(std::size_t bytes) {
        if (bytes > left_)
            throw Error(
                ErrorKind::limit_exceeded,
                "an aggregate over contacts needs more memory than nurture.aggregate_memory allows", {},
                "Raise nurture.aggregate_memory, filter rows that satisfy no condition, or GROUP BY the "
                "contact and use the aggregate without \"_by\".");
        left_ -= bytes;
    }
    void give_back(std::size_t bytes) noexcept { left_ += bytes; }

private:
    std::size_t left_;
};

/// Numbers contacts 0, 1, 2, … in the order in which they are seen first. Keys are compared byte by byte.
class ContactNumbers {
public:
    /// Both must outlive it. What it takes from `memory` it gives back only while it grows: it is to die with
    /// its memory.
    ContactNumbers(std::pmr::memory_resource* memory, Budget& budget) noexcept
        : memory_(memory), budget_(&budget) {}
    ContactNumbers(const ContactNumbers&) = delete;
    ContactNumbers& operator=(const ContactNumbers&) = delete;

    /// The number of a contact, a new one for one not seen before. Throws limit_exceeded.
    std::uint32_t number_of(std::string_view key);
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    /// The keys in the order of their numbers; valid until the next number_of().
    [[nodiscard]] std::vector<std::string_view> keys() const;

private:
    /// Half a cache line; keys of up to 20 bytes lie in it, of longer ones the address.
    struct Slot {
        std::uint32_t hash;
        std::uint32_t number; ///< plus 1; 0: the slot is free
        std::uint32_t length;
        char key[20];

        [[nodiscard]] std::string_view text() const noexcept;
    };
    static constexpr std::uint32_t first_capacity = 8;

    std::pmr::memory_resource* memory_;
    Budget* budget_;
    Slot* slots_ = nullptr;
    std::size_t capacity_ = 0; ///< a power of two
    std::uint32_t size_ = 0;
    char* tail_ = nullptr; ///< where the next long key goes
    std::size_t tail_left_ = 0;

    void grow();
    void place(Slot& slot, std::string_view key);
};

} // namespace nurture::analytics
