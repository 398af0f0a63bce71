#include "core/analytics/attribution_log.hpp"

#include <algorithm>

#include "core/analytics/path_table.hpp"
#include "core/analytics/wire.hpp"

namespace nurture::analytics {

namespace {

/// The path under way of one contact.
struct OpenPath {
    std::vector<std::uint32_t> channels;
    std::vector<Time> times;

    void clear() noexcept {
        channels.clear();
        times.clear();
    }
    /// Drops touches `span` or longer before a conversion.
    void expire(Time until, Span span) {
        auto const kept = std::find_if(times.begin(), times.end(),
                                       [&](Time at) { return static_cast<Wide>(until) - at < span; });
        auto const dropped = kept - times.begin();
        times.erase(times.begin(), kept);
        channels.erase(channels.begin(), channels.begin() + dropped);
    }
};

} // namespace

std::uint32_t AttributionLog::channel_number(std::string_view channel) {
    check_channel(channel);
    return number_of_channel(channels_, channel);
}

std::uint32_t AttributionLog::keep(const Converted& outcome) {
    if (outcome.conversions <= 0)
        throw Error(ErrorKind::invalid_parameter, "numbers of conversions must not be negative");
    if (outcomes_.size() >= conversion)
        throw Error(ErrorKind::limit_exceeded, "there are more than two billion conversions");
    if (outcomes_.size() == outcomes_.capacity()) {
        std::size_t const before = outcomes_.capacity();
        std::size_t const capacity = std::max<std::size_t>(8, before * 2);
        budget_->take(capacity * sizeof outcome);
        outcomes_.reserve(capacity);
        budget_->give_back(before * sizeof outcome);
    }
    outcomes_.push_back(outcome);
    return static_cast<std::uint32_t>(outcomes_.size() - 1) | conversion;
}

void AttributionLog::add_touch(std::string_view contact, Time at, std::string_view channel) {
    std::uint32_t const number = channel_number(channel);
    log_.add(contact, at, number);
}

void AttributionLog::add_conversion(std::string_view contact, Time at, std::int64_t conversions, Wide value) {
    std::uint32_t const place = keep({conversions, value});
    log_.add(contact, at, place);
}

void AttributionLog::merge(AttributionLog& other) {
    if (span_ != other.span_)
        throw Error(ErrorKind::invalid_parameter, "the span differs within a group");
    std::string bytes;
    other.encode_to(bytes);
    merge(bytes);
}

// channels, outcomes, then the log.
void AttributionLog::encode_to(std::string& out) {
    ByteWriter writer(out);
    auto const channels = channels_.keys();
    writer.varint(channels.size());
    for (auto const channel : channels)
        writer.text(channel);
    writer.varint(outcomes_.size());
    for (const Converted& outcome : outcomes_) {
        writer.varint(static_cast<std::uint64_t>(outcome.conversions));
        writer.word(static_cast<std::uint64_t>(outcome.value >> 64));
        writer.word(static_cast<std::uint64_t>(outcome.value));
    }
    log_.encode_to(out);
}

void AttributionLog::merge(std::string_view bytes) {
    ByteReader reader(bytes);
    std::vector<std::uint32_t> channels(reader.count(2));
    for (auto& channel : channels)
        channel = channel_number(reader.text());
    std::vector<std::uint32_t> places(reader.count(17));
    for (auto& place : places) {
        auto const conversions = static_cast<std::int64_t>(reader.varint());
        auto const high = static_cast<Wide>(static_cast<std::int64_t>(reader.word()));
        Wide const value = high * (Wide{1} << 64) + static_cast<Wide>(reader.word());
        if (conversions <= 0 || value > Outcome::max_value || value < -Outcome::max_value)
            ByteReader::fail("a conversion is out of range");
        place = keep({conversions, value});
    }
    log_.merge(bytes.substr(bytes.size() - reader.left()), [&](std::uint32_t mask) {
        auto const& numbers = (mask & conversion) != 0 ? places : channels;
        std::uint32_t const number = mask & ~conversion;
        if (number >= numbers.size())
            ByteReader::fail("a touch has no channel, or a conversion no outcome");
        return numbers[number];
    });
}

std::string AttributionLog::summary(void (*breathe)()) {
    // Channels are numbered by their names' bytes, so that touches of one time come in that order.
    auto const names = channels_.keys();
    std::vector<std::uint32_t> by_name(names.size()), rank(names.size());
    for (std::uint32_t i = 0; i < by_name.size(); ++i)
        by_name[i] = i;
    std::sort(by_name.begin(), by_name.end(), [&](auto a, auto b) { return names[a] < names[b]; });
    for (std::uint32_t i = 0; i < by_name.size(); ++i)
        rank[by_name[i]] = i;
    auto const ranked = [&](std::uint32_t mask) { return (mask & conversion) != 0 ? mask : rank[mask]; };

    std::vector<std::string_view> sorted_names;
    sorted_names.reserve(names.size());
    for (auto const channel : by_name)
        sorted_names.push_back(names[channel]);
    std::pmr::unsynchronized_pool_resource memory;
    Budget budget = PathTable::budget();
    PathTable paths(&memory, budget);
    OpenPath path;
    auto const finish = [&](const Outcome& outcome) {
        paths.add(path.channels, path.times, outcome);
        path.clear();
    };
    log_.for_each_contact(
        [&](std::span<const Event> events) {
            breathe();
            path.clear();
            for (std::size_t i = 0; i < events.size(); ++i) {
                const Event& event = events[i];
                if ((event.mask & conversion) == 0) {
                    if (path.times.size() == max_touches)
                        throw Error(ErrorKind::limit_exceeded, "path is too long",
                                    "A path has at most " + std::to_string(max_touches) + " touches.");
                    path.channels.push_back(event.mask);
                    path.times.push_back(event.at);
                    continue;
                }
                Outcome outcome; // conversions of one instant are one
                for (;; ++i) {
                    const Converted& one = outcomes_[events[i].mask & ~conversion];
                    outcome.add({one.conversions, 0, one.value});
                    if (i + 1 == events.size() || events[i + 1].at != event.at)
                        break;
                }
                if (span_ != never)
                    path.expire(event.at, span_);
                finish(outcome);
            }
            if (!path.times.empty())
                finish({0, 1, 0});
        },
        ranked);
    return paths.encode(sorted_names);
}

} // namespace nurture::analytics
