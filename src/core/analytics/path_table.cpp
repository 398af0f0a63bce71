#include "core/analytics/path_table.hpp"

#include <algorithm>

namespace nurture::analytics {

namespace {

std::uint32_t channel_at(std::string_view key, std::size_t touch) noexcept {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(key[2 * touch])) << 8 |
           static_cast<unsigned char>(key[2 * touch + 1]);
}

/// The first eight bytes as a number that is ordered as they are.
std::uint64_t prefix_of(std::string_view key) noexcept {
    std::uint64_t prefix = 0;
    for (std::size_t i = 0; i < 8; ++i)
        prefix = prefix << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0U);
    return prefix;
}

} // namespace

// An entry is a slot, an outcome and what it is written as.
PathTable::PathTable() : budget_(Attribution::max_bytes, Attribution::too_large), keys_(&memory_, budget_) {
    static_assert(Attribution::max_channels <= 0x10000);
}

std::uint32_t PathTable::add_key(std::uint32_t hash, std::string_view key, const Outcome& outcome) {
    std::uint32_t const number = keys_.slot_of(hash, key).number();
    if (number == outcomes_.size()) {
        budget_.take(sizeof(Outcome));
        outcomes_.emplace_back();
    }
    outcomes_[number].add(outcome);
    return number;
}

void PathTable::settle() {
    if (pending_.there())
        add_key(pending_.hash(), pending_.key(), pending_outcome_);
    pending_.clear();
}

void PathTable::add(std::span<const std::uint32_t> channels, std::span<const Time> times,
                    const Outcome& outcome) {
    if (channels.empty()) {
        without_path_.add(outcome);
        return;
    }
    key_.resize(2 * channels.size());
    for (std::size_t i = 0; i < channels.size(); ++i) {
        key_[2 * i] = static_cast<char>(static_cast<unsigned char>(channels[i] >> 8));
        key_[2 * i + 1] = static_cast<char>(static_cast<unsigned char>(channels[i]));
    }
    std::uint32_t const hash = ContactNumbers::hash_of(key_);
    keys_.prefetch(hash);
    settle();
    if (outcome.conversions == 0 || !needs_ages(channels)) {
        pending_outcome_ = outcome;
        if (!pending_.hold(hash, key_))
            add_key(hash, key_, outcome);
        return;
    }
    budget_.take(sizeof(Aged) + times.size() * sizeof(Span));
    Aged aged{add_key(hash, key_, outcome), {}, {outcome.conversions, 0, outcome.value}};
    aged.ages.reserve(times.size());
    for (auto const at : times) {
        Wide const age = static_cast<Wide>(times.back()) - at;
        aged.ages.push_back(age > INT64_MAX ? INT64_MAX : static_cast<Span>(age));
    }
    aged_.push_back(std::move(aged));
}

std::vector<std::uint32_t> PathTable::in_order(const std::vector<std::string_view>& keys) const {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> sorted;
    sorted.reserve(keys.size());
    for (std::uint32_t i = 0; i < keys.size(); ++i)
        sorted.emplace_back(prefix_of(keys[i]), i);
    std::sort(sorted.begin(), sorted.end(), [&](auto const& a, auto const& b) {
        return a.first != b.first ? a.first < b.first : keys[a.second] < keys[b.second];
    });
    std::vector<std::uint32_t> order;
    order.reserve(sorted.size());
    for (auto const& [prefix, number] : sorted)
        order.push_back(number);
    return order;
}

std::string PathTable::encode(std::span<const std::string_view> names) {
    settle();
    auto const keys = keys_.keys();
    std::vector<std::uint32_t> final_number(names.size(), 0);
    for (auto const key : keys)
        for (std::size_t i = 0; i < key.size() / 2; ++i)
            final_number[channel_at(key, i)] = 1;
    std::vector<std::string_view> used;
    for (std::size_t i = 0; i < names.size(); ++i)
        if (final_number[i] != 0) {
            final_number[i] = static_cast<std::uint32_t>(used.size());
            used.push_back(names[i]);
        }
    std::sort(aged_.begin(), aged_.end(), [](const Aged& a, const Aged& b) {
        return a.number != b.number ? a.number < b.number : a.ages < b.ages;
    });
    AttributionWriter writer(used, without_path_, keys.size());
    std::vector<std::uint32_t> channels;
    std::vector<std::pair<std::vector<Span>, Outcome>> by_age;
    for (auto const number : in_order(keys)) {
        channels.clear();
        for (std::size_t i = 0; i < keys[number].size() / 2; ++i)
            channels.push_back(final_number[channel_at(keys[number], i)]);
        by_age.clear();
        for (auto aged = std::lower_bound(aged_.begin(), aged_.end(), number,
                                          [](const Aged&a, std::uint32_t n) { return a.number < n; });
             aged != aged_.end() && aged->number == number; ++aged) {
            if (by_age.empty() || by_age.back().first != aged->ages)
                by_age.emplace_back(aged->ages, Outcome{});
            by_age.back().second.add(aged->outcome);
        }
        writer.add(channels, outcomes_[number], by_age);
    }
    return writer.take();
}

} // namespace nurture::analytics
