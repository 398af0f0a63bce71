#include "core/analytics/path_table.hpp"

#include <algorithm>

namespace nurture::analytics {

namespace {

std::size_t touches_of(std::string_view key) noexcept {
    return key.size() / 2;
}

std::uint32_t channel_at(std::string_view key, std::size_t touch) noexcept {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(key[2 * touch])) << 8 |
           static_cast<unsigned char>(key[2 * touch + 1]);
}

/// Channels as they are written: those that occur, numbered in the byte order of their names.
struct FinalNumbers {
    std::vector<std::uint32_t> number; ///< by the table's number
    std::vector<std::string_view> names;

    FinalNumbers(const std::vector<std::string_view>& keys, std::span<const std::string_view> all)
        : number(all.size(), 0) {
        for (auto const key : keys)
            for (std::size_t i = 0; i < touches_of(key); ++i)
                number[channel_at(key, i)] = 1;
        std::vector<std::uint32_t> used;
        for (std::uint32_t i = 0; i < all.size(); ++i)
            if (number[i] != 0)
                used.push_back(i);
        std::sort(used.begin(), used.end(), [&](auto a, auto b) { return all[a] < all[b]; });
        for (auto const i : used) {
            number[i] = static_cast<std::uint32_t>(names.size());
            names.push_back(all[i]);
        }
    }
    [[nodiscard]] std::uint32_t at(std::string_view key, std::size_t touch) const noexcept {
        return number[channel_at(key, touch)];
    }
    [[nodiscard]] bool before(std::string_view a, std::string_view b) const noexcept {
        std::size_t const common = std::min(touches_of(a), touches_of(b));
        for (std::size_t i = 0; i < common; ++i)
            if (at(a, i) != at(b, i))
                return at(a, i) < at(b, i);
        return a.size() < b.size();
    }
    /// The first four channels as a number; what is `before` has none that is greater.
    [[nodiscard]] std::uint64_t prefix(std::string_view key) const noexcept {
        std::uint64_t prefix = 0;
        for (std::size_t i = 0; i < 4; ++i)
            prefix = prefix << 16 | (i < touches_of(key) ? at(key, i) : 0U);
        return prefix;
    }
};

std::vector<std::uint32_t> in_order(const std::vector<std::string_view>& keys, const FinalNumbers& final) {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> sorted;
    sorted.reserve(keys.size());
    for (std::uint32_t i = 0; i < keys.size(); ++i)
        sorted.emplace_back(final.prefix(keys[i]), i);
    std::sort(sorted.begin(), sorted.end(), [&](auto const& a, auto const& b) {
        return a.first != b.first ? a.first < b.first : final.before(keys[a.second], keys[b.second]);
    });
    std::vector<std::uint32_t> order;
    order.reserve(sorted.size());
    for (auto const& [prefix, number] : sorted)
        order.push_back(number);
    return order;
}

} // namespace

PathTable::PathTable(std::pmr::memory_resource* memory, Budget& budget)
    : budget_(&budget), keys_(memory, budget), outcomes_(memory), aged_(memory), ages_(memory), key_(memory) {
    static_assert(AttributionData::max_channels <= 0x10000);
    static_assert(max_bytes / sizeof(Span) < none);
}

void PathTable::too_large() {
    throw Error(ErrorKind::limit_exceeded, "attribution summary is too large",
                "The distinct paths take more than " + std::to_string(max_bytes >> 20) + " MB.",
                "Shorten the paths with nurture.lookback, or summarize in groups.");
}

void PathTable::make_key(std::span<const std::uint32_t> channels) {
    key_.resize(2 * channels.size());
    for (std::size_t i = 0; i < channels.size(); ++i) {
        key_[2 * i] = static_cast<char>(static_cast<unsigned char>(channels[i] >> 8));
        key_[2 * i + 1] = static_cast<char>(static_cast<unsigned char>(channels[i]));
    }
}

// An entry is a slot, an outcome and what it is written as.
std::uint32_t PathTable::add_key(std::uint32_t hash, std::string_view key, const Outcome& outcome) {
    std::uint32_t const number = keys_.slot_of(hash, key).number();
    if (number == outcomes_.size()) {
        budget_->take(sizeof(Outcome));
        outcomes_.emplace_back();
    }
    outcomes_[number].add(outcome);
    return number;
}

/// A record whose ages and number are to be filled in.
std::uint32_t PathTable::add_aged(const Outcome& outcome, std::size_t touches) {
    if (aged_.size() >= compact_at_)
        compact();
    budget_->take(sizeof(Aged) + touches * sizeof(Span));
    aged_.push_back({outcome.value, outcome.conversions, static_cast<std::uint32_t>(ages_.size()), none});
    ages_.resize(ages_.size() + touches);
    return static_cast<std::uint32_t>(aged_.size() - 1);
}

void PathTable::settle() {
    if (!pending_.there())
        return;
    pending_.clear();
    std::uint32_t const number = add_key(pending_.hash(), pending_.key(), pending_outcome_);
    if (pending_aged_ != none)
        aged_[pending_aged_].number = number;
}

void PathTable::add(std::span<const std::uint32_t> channels, std::span<const Time> times,
                    const Outcome& outcome) {
    if (channels.empty()) {
        without_path_.add(outcome);
        return;
    }
    make_key(channels);
    std::uint32_t const hash = ContactNumbers::hash_of(key_);
    keys_.prefetch(hash);
    settle();
    std::uint32_t aged = none;
    if (outcome.conversions != 0 && needs_ages(channels)) {
        aged = add_aged(outcome, channels.size());
        Span* const ages = ages_.data() + aged_[aged].first_age;
        for (std::size_t i = 0; i < times.size(); ++i)
            if (__builtin_sub_overflow(times.back(), times[i], &ages[i]))
                ages[i] = INT64_MAX;
    }
    if (pending_.hold(hash, key_)) {
        pending_outcome_ = outcome;
        pending_aged_ = aged;
        return;
    }
    std::uint32_t const number = add_key(hash, key_, outcome);
    if (aged != none)
        aged_[aged].number = number;
}

void PathTable::merge(PathTable& other, std::span<const std::uint32_t> numbers) {
    settle();
    other.settle();
    without_path_.add(other.without_path_);
    auto const keys = other.keys_.keys();
    std::vector<std::uint32_t> own, channels;
    own.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        channels.clear();
        for (std::size_t touch = 0; touch < touches_of(keys[i]); ++touch)
            channels.push_back(numbers[channel_at(keys[i], touch)]);
        make_key(channels);
        own.push_back(add_key(ContactNumbers::hash_of(key_), key_, other.outcomes_[i]));
    }
    for (const Aged& aged : other.aged_) {
        auto const ages = other.ages_of(aged, keys[aged.number]);
        std::uint32_t const fresh = add_aged(aged.outcome(), ages.size());
        aged_[fresh].number = own[aged.number];
        std::copy(ages.begin(), ages.end(), ages_.begin() + aged_[fresh].first_age);
    }
}

void PathTable::merge(const AttributionData& data, std::span<const std::uint32_t> numbers) {
    settle();
    without_path_.add(data.without_path);
    std::vector<std::uint32_t> channels;
    for (auto const& sequence : data.sequences) {
        channels.clear();
        for (auto const channel : data.channels_of(sequence))
            channels.push_back(numbers[channel]);
        make_key(channels);
        std::uint32_t const number = add_key(ContactNumbers::hash_of(key_), key_, sequence.outcome);
        auto const records = data.records_of(sequence);
        for (std::size_t i = 0; i < records.size(); ++i) {
            auto const ages = data.ages_of(sequence, i);
            std::uint32_t const fresh = add_aged(records[i], ages.size());
            aged_[fresh].number = number;
            std::copy(ages.begin(), ages.end(), ages_.begin() + aged_[fresh].first_age);
        }
    }
}

// By sequence in a counting sort; records of one sequence by their ages, of which the first decides mostly.
PathTable::Order PathTable::aged_in_order(const std::vector<std::string_view>& keys) const {
    Order order;
    order.ends.assign(keys.size() + 1, 0);
    for (const Aged& aged : aged_)
        ++order.ends[aged.number + 1];
    for (std::size_t i = 1; i < order.ends.size(); ++i)
        order.ends[i] += order.ends[i - 1];
    std::vector<std::pair<Span, std::uint32_t>> sorted(aged_.size());
    for (std::uint32_t i = 0; i < aged_.size(); ++i)
        sorted[order.ends[aged_[i].number]++] = {ages_[aged_[i].first_age], i};
    std::size_t first = 0;
    for (std::size_t number = 0; number < keys.size(); ++number) {
        auto const begin = sorted.begin() + static_cast<std::ptrdiff_t>(first);
        auto const end = sorted.begin() + static_cast<std::ptrdiff_t>(order.ends[number]);
        std::sort(begin, end, [&](auto const& a, auto const& b) {
            if (a.first != b.first)
                return a.first < b.first;
            auto const x = ages_of(aged_[a.second], keys[number]);
            auto const y = ages_of(aged_[b.second], keys[number]);
            return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
        });
        first = order.ends[number];
    }
    order.records.reserve(sorted.size());
    for (auto const& [age, record] : sorted)
        order.records.push_back(record);
    return order;
}

// Calls visit(ages, outcome) for the records of a sequence, equal ages added up.
template <class Visit>
void PathTable::for_each_record(const Order& order, std::size_t number, std::string_view key,
                                Visit visit) const {
    std::size_t i = number == 0 ? 0 : order.ends[number - 1];
    while (i < order.ends[number]) {
        const Aged& aged = aged_[order.records[i]];
        auto const ages = ages_of(aged, key);
        Outcome sum = aged.outcome();
        for (++i; i < order.ends[number]; ++i) {
            const Aged& next = aged_[order.records[i]];
            auto const others = ages_of(next, key);
            if (!std::equal(ages.begin(), ages.end(), others.begin(), others.end()))
                break;
            sum.add(next.outcome());
        }
        visit(ages, sum);
    }
}

// Equal ages are common when times are coarse; where they are not, it is tried less and less often.
void PathTable::compact() {
    auto const keys = keys_.keys();
    auto const order = aged_in_order(keys);
    std::vector<Aged> aged;
    std::vector<Span> ages;
    for (std::uint32_t number = 0; number < keys.size(); ++number)
        for_each_record(order, number, keys[number], [&](std::span<const Span> of_one, const Outcome& sum) {
            aged.push_back({sum.value, sum.conversions, static_cast<std::uint32_t>(ages.size()), number});
            ages.insert(ages.end(), of_one.begin(), of_one.end());
        });
    budget_->give_back((aged_.size() - aged.size()) * sizeof(Aged) +
                       (ages_.size() - ages.size()) * sizeof(Span));
    compact_at_ = std::max(first_compaction, aged.size() * (aged.size() <= aged_.size() / 2 ? 2 : 8));
    aged_.assign(aged.begin(), aged.end());
    ages_.assign(ages.begin(), ages.end());
}

std::string PathTable::encode(std::span<const std::string_view> names) {
    settle();
    auto const keys = keys_.keys();
    FinalNumbers const final(keys, names);
    auto const order = aged_in_order(keys);
    AttributionWriter writer(final.names, without_path_, keys.size());
    std::vector<std::uint32_t> channels;
    for (auto const number : in_order(keys, final)) {
        auto const key = keys[number];
        channels.clear();
        for (std::size_t i = 0; i < touches_of(key); ++i)
            channels.push_back(final.at(key, i));
        std::size_t records = 0;
        for_each_record(order, number, key, [&](auto, auto const&) { ++records; });
        writer.sequence(channels, outcomes_[number], records);
        for_each_record(order, number, key, [&](auto ages, auto const& sum) { writer.record(ages, sum); });
    }
    return writer.take();
}

} // namespace nurture::analytics
