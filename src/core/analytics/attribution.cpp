#include "core/analytics/attribution.hpp"

namespace nurture::analytics {

std::uint32_t number_of_channel(ContactNumbers& channels, std::string_view channel) {
    std::uint32_t const number = channels.number_of(channel);
    if (number >= AttributionData::max_channels)
        throw Error(ErrorKind::limit_exceeded, "too many channels",
                    "An attribution summary has at most " + std::to_string(AttributionData::max_channels) +
                        " channels.",
                    "Group campaigns into channels first.");
    return number;
}

Attribution::Attribution(std::pmr::memory_resource* memory)
    : budget_(PathTable::budget()), channels_(memory, budget_), paths_(memory, budget_), numbers_(memory),
      times_(memory) {}

void Attribution::add(const Path& path, const Outcome& outcome) {
    if (outcome.conversions < 0 || outcome.nulls < 0)
        throw Error(ErrorKind::invalid_parameter, "numbers of conversions must not be negative");
    if (outcome.conversions == 0 && outcome.value != 0)
        throw Error(ErrorKind::invalid_parameter, "value of a path without a conversion",
                    "A path with a value needs at least one conversion.");
    if (outcome == Outcome{})
        return;
    numbers_.clear();
    times_.clear();
    for (auto const& touch : path) {
        numbers_.push_back(number_of_channel(channels_, touch.channel));
        times_.push_back(touch.at);
    }
    paths_.add(numbers_, times_, outcome);
}

template <class Names>
std::vector<std::uint32_t> Attribution::numbers_of(const Names& names) {
    std::vector<std::uint32_t> numbers;
    numbers.reserve(names.size());
    for (auto const& name : names)
        numbers.push_back(number_of_channel(channels_, name));
    return numbers;
}

void Attribution::merge(std::string_view bytes) {
    AttributionData const data = decode_attribution(bytes);
    paths_.merge(data, numbers_of(data.channels));
}

void Attribution::merge(Attribution& other) {
    paths_.merge(other.paths_, numbers_of(other.channels_.keys()));
}

std::string Attribution::encode() {
    return paths_.encode(channels_.keys());
}

} // namespace nurture::analytics
