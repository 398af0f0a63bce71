#include "core/analytics/contact_log.hpp"

#include <cstring>

#include "core/analytics/wire.hpp"

namespace nurture::analytics {

void ContactLog::grow() {
    std::size_t const capacity = std::max<std::size_t>(8, events_.capacity() * 2);
    budget_->take(capacity * sizeof(ContactEvent));
    std::size_t const before = events_.capacity();
    events_.reserve(capacity);
    budget_->give_back(before * sizeof(ContactEvent));
}

std::vector<std::uint32_t> ContactLog::renumber(const std::vector<std::string_view>& keys) {
    std::vector<std::uint32_t> numbers;
    numbers.reserve(keys.size());
    for (auto const key : keys)
        numbers.push_back(contacts_.number_of(key));
    return numbers;
}

void ContactLog::merge(ContactLog& other) {
    settle();
    other.settle();
    std::vector<std::uint32_t> const numbers = renumber(other.contacts_.keys());
    for (const ContactEvent& event : other.events_)
        append(numbers[event.contact], event.at, event.mask);
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
    out.append(reinterpret_cast<const char*>(events_.data()), events_.size() * sizeof(ContactEvent));
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
