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
    /// `exceeded` throws the error.
    using Exceeded = void (*)();
    explicit Budget(std::size_t bytes = std::numeric_limits<std::size_t>::max(),
                    Exceeded exceeded = aggregate_memory_exceeded) noexcept
        : left_(bytes), exceeded_(exceeded) {}

    void take(std::size_t bytes) {
        if (bytes > left_)
            exceeded_();
        left_ -= bytes;
    }
    void give_back(std::size_t bytes) noexcept { left_ += bytes; }

private:
    std::size_t left_;
    Exceeded exceeded_;

    [[noreturn]] static void aggregate_memory_exceeded();
};

/// Numbers contacts 0, 1, 2, … in the order in which they are seen first. Keys are compared byte by byte.
class ContactNumbers {
public:
    /// Half a cache line. Keys of up to 19 bytes lie in it, of longer ones the address.
    class Slot {
    public:
        std::uint32_t note = 0; ///< for the owner's use; 0 in a new one

        [[nodiscard]] std::uint32_t number() const noexcept { return taken_ - 1; }
        [[nodiscard]] std::string_view key() const noexcept;

    private:
        friend class ContactNumbers;
        static constexpr std::uint8_t elsewhere = 255;

        [[nodiscard]] bool has(std::string_view wanted) const noexcept;

        std::uint32_t hash_;
        std::uint32_t taken_; ///< the number plus 1; 0: the slot is free
        std::uint8_t length_; ///< or `elsewhere`
        char key_[19];        ///< or the address and the length
    };
    static_assert(sizeof(Slot) == 32);

    /// Both must outlive it. What it takes from `memory` it gives back only while it grows: it is to die with
    /// its memory.
    ContactNumbers(std::pmr::memory_resource* memory, Budget& budget) noexcept
        : memory_(memory), budget_(&budget) {}
    ContactNumbers(const ContactNumbers&) = delete;
    ContactNumbers& operator=(const ContactNumbers&) = delete;

    [[nodiscard]] static std::uint32_t hash_of(std::string_view key) noexcept;
    /// Asks the memory for the slot that a key with this hash will need.
    void prefetch(std::uint32_t hash) const noexcept {
        if (slots_ != nullptr)
            __builtin_prefetch(slots_ + (hash & (capacity_ - 1)));
    }
    /// The slot of a contact, with a new number for one not seen before; valid until the next call. Throws
    /// limit_exceeded.
    Slot& slot_of(std::uint32_t hash, std::string_view key);
    std::uint32_t number_of(std::string_view key) { return slot_of(hash_of(key), key).number(); }
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    /// The keys in the order of their numbers; valid until the next slot_of().
    [[nodiscard]] std::vector<std::string_view> keys() const;
    /// Calls visit(slot) for each contact, in no order.
    template <class Visit>
    void for_each_slot(Visit visit) const {
        for (std::size_t i = 0; i < capacity_; ++i)
            if (slots_[i].taken_ != 0)
                visit(slots_[i]);
    }

private:
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

/// A row whose contact is looked up when some others have come: until then its slot is on the way from
/// memory, and the executor has other things to do.
class PendingRow {
public:
    std::int64_t at = 0;
    std::uint32_t mask = 0;

    [[nodiscard]] bool there() const noexcept { return there_; }
    [[nodiscard]] std::uint32_t hash() const noexcept { return hash_; }
    [[nodiscard]] std::string_view key() const noexcept { return {key_, length_}; }
    /// False when the key is too long to be kept.
    bool hold(std::uint32_t hash, std::string_view key) noexcept {
        if (key.size() > sizeof key_)
            return false;
        hash_ = hash;
        length_ = static_cast<std::uint32_t>(key.size());
        key.copy(key_, key.size());
        return there_ = true;
    }
    void clear() noexcept { there_ = false; }

private:
    std::uint32_t hash_ = 0;
    std::uint32_t length_ = 0;
    bool there_ = false;
    char key_[52];
};

/// The last few rows.
class PendingRows {
public:
    /// The place for a new row, from which take(row) has taken the oldest.
    template <class Take>
    PendingRow& place(Take take) {
        PendingRow& row = rows_[next_];
        next_ = (next_ + 1) % count;
        settle(row, take);
        return row;
    }
    /// Takes all.
    template <class Take>
    void settle(Take take) {
        for (std::size_t i = 0; i < count; ++i)
            settle(rows_[(next_ + i) % count], take);
    }

private:
    // Memory takes up to two rows' time to answer where pages are not in the TLB; a power of two.
    static constexpr std::size_t count = 4;

    template <class Take>
    static void settle(PendingRow& row, Take& take) {
        if (!row.there())
            return;
        row.clear();
        take(row);
    }

    std::size_t next_ = 0;
    PendingRow rows_[count];
};

} // namespace nurture::analytics
