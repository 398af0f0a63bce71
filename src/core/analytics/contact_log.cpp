#include "core/analytics/contact_log.hpp"

#include <cstring>

#include "core/analytics/wire.hpp"

namespace nurture::analytics {

// Pieces double up to a megabyte.
void EventPieces::grow() {
    constexpr std::size_t first_piece = 8, largest_piece = 65'536;
    std::size_t const count =
        pieces_.empty() ? first_piece : std::min(largest_piece, pieces_.back().size() * 2);
    budget_->take(count * sizeof(ContactEvent));
    auto* const piece = static_cast<ContactEvent*>(
        pieces_.get_allocator().resource()->allocate(count * sizeof(ContactEvent), alignof(ContactEvent)));
    pieces_.emplace_back(piece, count);
    next_ = piece;
    end_ = piece + count;
}

void EventPieces::append_bytes_to(std::string& out) const {
    for (auto const& piece : pieces_) {
        auto const events = filled(piece);
        out.append(reinterpret_cast<const char*>(events.data()), events.size_bytes());
    }
}

// A key's slot is asked for some keys before it is needed.
std::vector<std::uint32_t> ContactLog::renumber(const std::vector<std::string_view>& keys) {
    constexpr std::size_t ahead = 8;
    std::uint32_t hashes[ahead] = {};
    std::vector<std::uint32_t> numbers;
    numbers.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size() + ahead; ++i) {
        if (i >= ahead)
            numbers.push_back(contacts_.slot_of(hashes[i % ahead], keys[i - ahead]).number());
        if (i < keys.size()) {
            hashes[i % ahead] = ContactNumbers::hash_of(keys[i]);
            contacts_.prefetch(hashes[i % ahead]);
        }
    }
    return numbers;
}

void ContactLog::merge(ContactLog& other) {
    settle();
    other.settle();
    std::vector<std::uint32_t> const numbers = renumber(other.contacts_.keys());
    other.events_.for_each(
        [&](const ContactEvent& event) { append(numbers[event.contact], event.at, event.mask); });
}

// number of keys, each with its length; then the events as they lie in memory.
void ContactLog::encode_to(std::string& out) {
    settle();
    std::vector<std::string_view> const keys = contacts_.keys();
    std::size_t bytes = 10 + events_.size() * sizeof(ContactEvent);
    for (auto const key : keys)
        bytes += key.size() + 2;
    out.reserve(out.size() + bytes);
    ByteWriter writer(out);
    writer.varint(keys.size());
    for (auto const key : keys)
        writer.text(key);
    events_.append_bytes_to(out);
}

std::string_view ContactLog::split(std::string_view bytes, std::vector<std::string_view>& keys) {
    ByteReader reader(bytes);
    keys.resize(reader.count(1));
    for (auto& key : keys)
        key = reader.text();
    if (reader.left() % sizeof(ContactEvent) != 0)
        ByteReader::fail("an event is incomplete");
    return bytes.substr(bytes.size() - reader.left());
}

} // namespace nurture::analytics
