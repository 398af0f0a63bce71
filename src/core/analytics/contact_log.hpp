#pragma once
// Events of many contacts in the order in which they come, 16 bytes each; sorted by contact and time at the
// end only. Appending touches no memory of the contact's own, which is what makes it fast.
#include <algorithm>
#include <functional>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/analytics/contact_numbers.hpp"
#include "core/analytics/events.hpp"

namespace nurture::analytics {

/// An event (or anything else that has a time and 32 bits) of the contact with this number.
struct ContactEvent {
    Time at;
    std::uint32_t contact;
    std::uint32_t mask;
};

/// An array in pieces, so that it is never copied as it grows. In memory that dies with it.
class EventPieces {
public:
    EventPieces(std::pmr::memory_resource* memory, Budget& budget) : budget_(&budget), pieces_(memory) {}

    void push_back(const ContactEvent& event) {
        if (next_ == end_)
            grow();
        *next_++ = event;
        ++size_;
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    template <class Visit>
    void for_each(Visit visit) const {
        for (auto const& piece : pieces_)
            for (const ContactEvent& event : filled(piece))
                visit(event);
    }
    void append_bytes_to(std::string& out) const;

private:
    Budget* budget_;
    std::pmr::vector<std::span<ContactEvent>> pieces_;
    ContactEvent* next_ = nullptr;
    ContactEvent* end_ = nullptr;
    std::size_t size_ = 0;

    void grow();
    /// Only the last piece is filled in part.
    [[nodiscard]] std::span<const ContactEvent> filled(std::span<ContactEvent> piece) const noexcept {
        bool const last = piece.data() + piece.size() == end_;
        return {piece.data(), last ? static_cast<std::size_t>(next_ - piece.data()) : piece.size()};
    }
};

/// The events of one aggregate, in memory that dies with it.
class ContactLog {
public:
    enum class Repeats { keep, drop };

    /// Repeats::drop: an event with the time of the contact's last one may be left out (one of mask 0 or 1
    /// whose time is what matters).
    ContactLog(std::pmr::memory_resource* memory, Budget& budget, Repeats repeats = Repeats::keep)
        : contacts_(memory, budget), events_(memory, budget), repeats_(repeats) {}

    void add(std::string_view contact, Time at, std::uint32_t mask) {
        std::uint32_t const hash = ContactNumbers::hash_of(contact);
        contacts_.prefetch(hash);
        PendingRow& row = pending_.place([this](const PendingRow& oldest) { take(oldest); });
        row.at = at;
        row.mask = mask;
        if (!row.hold(hash, contact))
            take(contacts_.slot_of(hash, contact), at, mask);
    }
    /// Calls visit(event) for each event, in no order.
    template <class Visit>
    void for_each_event(Visit visit) {
        settle();
        events_.for_each(visit);
    }

    /// Adds the events of another log: as it is, or as encode_to() wrote it. Of the latter mapped(mask) is
    /// kept. Throws corrupt_data for bytes that encode_to() does not write.
    void merge(ContactLog& other);
    template <class Mapped>
    void merge(std::string_view bytes, Mapped mapped);
    /// Appends the bytes of the log: for another process of the same server, so in its byte order.
    void encode_to(std::string& out);

    /// Calls visit(events) for each contact that has any, in the order of their numbers; its events, with
    /// what `mapped` makes of their masks, are in order.
    template <class Visit, class Mapped = std::identity>
    void for_each_contact(Visit visit, Mapped mapped = {});

private:
    ContactNumbers contacts_;
    EventPieces events_;
    Repeats repeats_;
    PendingRows pending_;

    void settle() {
        pending_.settle([this](const PendingRow& row) { take(row); });
    }
    void take(const PendingRow& row) { take(contacts_.slot_of(row.hash(), row.key()), row.at, row.mask); }
    void take(ContactNumbers::Slot& slot, Time at, std::uint32_t mask) {
        if (repeats_ == Repeats::drop && repeated(slot, at))
            return;
        append(slot.number(), at, mask);
    }
    /// Times that fit into a note are compared with the last one; 0 is "none".
    static bool repeated(ContactNumbers::Slot& slot, Time at) noexcept {
        constexpr Time half = Time{1} << 31;
        std::uint32_t const note =
            at >= -half && at < half - 1 ? static_cast<std::uint32_t>(at + half + 1) : 0;
        bool const same = note != 0 && slot.note == note;
        slot.note = note;
        return same;
    }
    void append(std::uint32_t contact, Time at, std::uint32_t mask) {
        events_.push_back({at, contact, mask});
    }
    [[nodiscard]] std::vector<std::uint32_t> renumber(const std::vector<std::string_view>& keys);
    /// Splits the bytes into keys and events.
    static std::string_view split(std::string_view bytes, std::vector<std::string_view>& keys);
};

template <class Mapped>
void ContactLog::merge(std::string_view bytes, Mapped mapped) {
    settle();
    std::vector<std::string_view> keys;
    std::string_view const records = split(bytes, keys);
    std::vector<std::uint32_t> const numbers = renumber(keys);
    for (std::size_t i = 0; i < records.size(); i += sizeof(ContactEvent)) {
        ContactEvent event;
        records.copy(reinterpret_cast<char*>(&event), sizeof event, i);
        if (event.contact >= numbers.size())
            throw Error(ErrorKind::corrupt_data, "invalid summary or aggregate state",
                        "Reason: an event belongs to no contact.");
        append(numbers[event.contact], event.at, mapped(event.mask));
    }
}

template <class Visit, class Mapped>
void ContactLog::for_each_contact(Visit visit, Mapped mapped) {
    settle();
    // A counting sort by contact: what it scatters is small enough to stay in the cache a while, and most
    // logs come in order of time already.
    std::vector<std::size_t> ends(std::size_t{contacts_.size()} + 1, 0);
    events_.for_each([&](const ContactEvent& event) { ++ends[event.contact + 1]; });
    for (std::size_t i = 1; i < ends.size(); ++i)
        ends[i] += ends[i - 1];
    std::vector<Event> sorted(events_.size());
    events_.for_each([&](const ContactEvent& event) {
        sorted[ends[event.contact]++] = {event.at, mapped(event.mask)};
    });
    std::size_t first = 0;
    for (std::uint32_t contact = 0; contact < contacts_.size(); ++contact) {
        std::size_t const end = ends[contact];
        if (first == end)
            continue;
        auto const begin = sorted.begin() + static_cast<std::ptrdiff_t>(first);
        auto const last = sorted.begin() + static_cast<std::ptrdiff_t>(end);
        if (!std::is_sorted(begin, last))
            std::sort(begin, last);
        visit(std::span<const Event>(begin, last));
        first = end;
    }
}

} // namespace nurture::analytics
