#include "core/analytics/attribution.hpp"

#include <algorithm>

#include "core/base/varint.hpp"

namespace nurture::analytics {

namespace {

constexpr char format_version = 1;

void put_outcome(std::string& out, const Outcome& outcome) {
    put_varint(out, static_cast<std::uint64_t>(outcome.conversions));
    put_varint(out, static_cast<std::uint64_t>(outcome.nulls));
    put_signed(out, outcome.value);
}

Outcome read_outcome(VarintReader& reader) {
    Outcome outcome;
    outcome.conversions = static_cast<std::int64_t>(reader.varint(63));
    outcome.nulls = static_cast<std::int64_t>(reader.varint(63));
    outcome.value = reader.signed_varint(128);
    if (outcome.value > Outcome::max_value || outcome.value < -Outcome::max_value)
        reader.corrupt("A value is out of range.");
    if (outcome.conversions == 0 && outcome.value != 0)
        reader.corrupt("There is a value without a conversion.");
    return outcome;
}

// Ages fall towards the last touch, whose age is 0; only the steps are kept.
template <class Out, class Ages>
void put_ages(Out& out, const Ages& ages) {
    for (std::size_t i = 0; i + 1 < ages.size(); ++i)
        put_varint(out, static_cast<std::uint64_t>(ages[i]) - static_cast<std::uint64_t>(ages[i + 1]));
}

std::vector<Span> read_ages(VarintReader& reader, std::size_t touches) {
    std::vector<Span> ages(touches, 0);
    for (std::size_t i = 0; i + 1 < touches; ++i)
        ages[i] = static_cast<Span>(reader.varint(63)); // steps
    Wide age = 0;
    for (std::size_t i = touches; i-- > 0;) {
        age += ages[i];
        if (age > INT64_MAX)
            reader.corrupt("An age is out of range.");
        ages[i] = static_cast<Span>(age);
    }
    return ages;
}

using ByAge = std::map<std::vector<Span>, Outcome>;

ByAge read_records(std::string_view records, std::size_t touches) {
    ByAge by_age;
    VarintReader reader(records, "attribution state");
    while (reader.left() > 0) {
        Outcome const outcome = read_outcome(reader);
        by_age[read_ages(reader, touches)].add(outcome);
    }
    return by_age;
}

template <class Out, class Ages>
void put_record(Out& out, const Outcome& outcome, const Ages& ages) {
    put_varint(out, static_cast<std::uint64_t>(outcome.conversions));
    put_varint(out, 0);
    put_signed(out, outcome.value);
    put_ages(out, ages);
}

} // namespace

bool needs_ages(std::span<const std::uint32_t> channels) noexcept {
    return std::any_of(channels.begin(), channels.end(),
                       [&](std::uint32_t id) { return id != channels.front(); });
}

void Outcome::add(const Outcome& other) {
    if (__builtin_add_overflow(conversions, other.conversions, &conversions) ||
        __builtin_add_overflow(nulls, other.nulls, &nulls) ||
        __builtin_add_overflow(value, other.value, &value) || value > max_value || value < -max_value)
        throw Error(ErrorKind::out_of_range, "attribution summary out of range");
}

Attribution::Attribution(std::pmr::memory_resource* memory)
    : ids_(memory), names_(memory), entries_(memory), key_(memory), ages_(memory) {}

void Attribution::too_large() {
    throw Error(ErrorKind::limit_exceeded, "attribution summary is too large",
                "The distinct paths take more than " + std::to_string(max_bytes >> 20) + " MB.",
                "Shorten the paths with nurture.lookback, or summarize in groups.");
}

void Attribution::too_many_channels() {
    throw Error(ErrorKind::limit_exceeded, "too many channels",
                "An attribution summary has at most " + std::to_string(max_channels) + " channels.",
                "Group campaigns into channels first.");
}

void Attribution::count_bytes(std::size_t more) {
    bytes_ += more;
    if (bytes_ > max_bytes)
        too_large();
}

std::uint32_t Attribution::id_of(std::string_view channel) {
    auto const found = ids_.find(channel);
    if (found != ids_.end())
        return found->second;
    if (names_.size() == max_channels)
        too_many_channels();
    count_bytes(channel.size() + 96);
    auto const id = static_cast<std::uint32_t>(names_.size());
    auto const made = ids_.emplace(channel, id).first;
    names_.emplace_back(made->first);
    return id;
}

Attribution::Entry& Attribution::entry_for_key() {
    auto const found = entries_.find(std::string_view(key_));
    if (found != entries_.end())
        return found->second;
    count_bytes(key_.size() + 176);
    return entries_.try_emplace(key_).first->second;
}

template <class Ages>
void Attribution::add_ages(Entry& entry, const Outcome& outcome, const Ages& ages) {
    std::size_t const before = entry.ages.size();
    put_record(entry.ages, outcome, ages);
    count_bytes(entry.ages.size() - before);
    // Equal ages are common when times are coarse; sorting at every doubling costs O(log n) per path.
    if (entry.ages.size() > 2 * entry.compacted + (1U << 16)) {
        auto const by_age = read_records(entry.ages, ages.size());
        bytes_ -= entry.ages.size();
        entry.ages.clear();
        for (auto const& [key, sum] : by_age)
            put_record(entry.ages, sum, key);
        bytes_ += entry.ages.size();
        entry.compacted = entry.ages.size();
    }
}

void Attribution::add(const Path& path, const Outcome& outcome) {
    if (outcome.conversions < 0 || outcome.nulls < 0)
        throw Error(ErrorKind::invalid_parameter, "numbers of conversions must not be negative");
    if (outcome.conversions == 0 && outcome.value != 0)
        throw Error(ErrorKind::invalid_parameter, "value of a path without a conversion",
                    "A path with a value needs at least one conversion.");
    if (outcome == Outcome{})
        return;
    if (path.empty()) {
        without_path_.add(outcome);
        return;
    }
    key_.clear();
    bool several = false;
    for (auto const& touch : path) {
        put_varint(key_, id_of(touch.channel));
        several = several || touch.channel != path.front().channel;
    }
    Entry& entry = entry_for_key();
    entry.outcome.add(outcome);
    if (!several || outcome.conversions == 0)
        return;
    ages_.clear();
    for (auto const& touch : path) {
        Wide const age = static_cast<Wide>(path.back().at) - touch.at;
        ages_.push_back(age > INT64_MAX ? INT64_MAX : static_cast<Span>(age));
    }
    add_ages(entry, {outcome.conversions, 0, outcome.value}, ages_);
}

void Attribution::add_sequence(const Sequence& sequence, const std::vector<std::uint32_t>& ids) {
    key_.clear();
    for (auto const channel : sequence.channels)
        put_varint(key_, ids[channel]);
    Entry& entry = entry_for_key();
    entry.outcome.add(sequence.outcome);
    for (auto const& [ages, outcome] : sequence.by_age)
        add_ages(entry, outcome, ages);
}

void Attribution::merge(std::string_view bytes) {
    AttributionData const data = decode_attribution(bytes);
    without_path_.add(data.without_path);
    std::vector<std::uint32_t> ids;
    for (auto const& channel : data.channels)
        ids.push_back(id_of(channel));
    for (auto const& sequence : data.sequences)
        add_sequence(sequence, ids);
}

void Attribution::merge(const Attribution& other) {
    without_path_.add(other.without_path_);
    std::vector<std::uint32_t> ids;
    for (auto const& name : other.names_)
        ids.push_back(id_of(name));
    for (auto const& [key, entry] : other.entries_) {
        key_.clear();
        std::size_t touches = 0;
        for (VarintReader reader(key, "attribution state"); reader.left() > 0; ++touches)
            put_varint(key_, ids[static_cast<std::size_t>(reader.varint(32))]);
        Entry& own = entry_for_key();
        own.outcome.add(entry.outcome);
        for (auto const& [ages, outcome] : read_records(entry.ages, touches))
            add_ages(own, outcome, ages);
    }
}

std::string Attribution::encode() const {
    AttributionData data;
    data.without_path = without_path_;
    std::vector<std::uint32_t> order(names_.size());
    for (std::uint32_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return names_[a] < names_[b]; });
    std::vector<std::uint32_t> rank(names_.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) {
        rank[order[i]] = i;
        data.channels.emplace_back(names_[order[i]]);
    }
    data.sequences.reserve(entries_.size());
    for (auto const& [key, entry] : entries_) {
        Sequence sequence;
        for (VarintReader reader(key, "attribution state"); reader.left() > 0;)
            sequence.channels.push_back(rank[static_cast<std::size_t>(reader.varint(32))]);
        sequence.outcome = entry.outcome;
        for (auto& [ages, outcome] : read_records(entry.ages, sequence.channels.size()))
            sequence.by_age.emplace_back(ages, outcome);
        data.sequences.push_back(std::move(sequence));
    }
    std::sort(data.sequences.begin(), data.sequences.end(),
              [](const Sequence& a, const Sequence& b) { return a.channels < b.channels; });
    return encode_attribution(data);
}

// version, channels, outcome without a path, sequences in lexical order: channels, outcome, records by age.
AttributionWriter::AttributionWriter(std::span<const std::string_view> channels, const Outcome& without_path,
                                     std::size_t sequences)
    : out_(1, format_version) {
    put_varint(out_, channels.size());
    for (auto const channel : channels)
        put_text(out_, channel);
    put_outcome(out_, without_path);
    put_varint(out_, sequences);
}

void AttributionWriter::add(std::span<const std::uint32_t> channels, const Outcome& outcome, ByAge by_age) {
    put_varint(out_, channels.size());
    for (auto const channel : channels)
        put_varint(out_, channel);
    put_outcome(out_, outcome);
    put_varint(out_, by_age.size());
    for (auto const& [ages, one] : by_age)
        put_record(out_, one, ages);
}

std::string encode_attribution(const AttributionData& data) {
    std::vector<std::string_view> const channels(data.channels.begin(), data.channels.end());
    AttributionWriter writer(channels, data.without_path, data.sequences.size());
    for (auto const& sequence : data.sequences)
        writer.add(sequence.channels, sequence.outcome, sequence.by_age);
    return writer.take();
}

namespace {

// The records must be in order and add up to the sequence's own outcome.
void read_by_age(VarintReader& reader, Sequence& sequence) {
    std::size_t const count = reader.count();
    Outcome sum;
    sum.nulls = sequence.outcome.nulls;
    for (std::size_t i = 0; i < count; ++i) {
        Outcome const outcome = read_outcome(reader);
        auto ages = read_ages(reader, sequence.channels.size());
        if (outcome.nulls != 0 || outcome.conversions == 0 || (i > 0 && ages <= sequence.by_age.back().first))
            reader.corrupt("The records of a sequence are not in order.");
        sum.add(outcome);
        sequence.by_age.emplace_back(std::move(ages), outcome);
    }
    bool const expected = needs_ages(sequence.channels) && sequence.outcome.conversions > 0;
    if (expected ? !(sum == sequence.outcome) : count != 0)
        reader.corrupt("The records of a sequence do not add up.");
}

} // namespace

AttributionData decode_attribution(std::string_view bytes) {
    VarintReader reader(bytes, "attribution summary");
    reader.version(format_version);
    AttributionData data;
    std::size_t const channels = reader.count();
    if (channels > Attribution::max_channels)
        reader.corrupt("There are too many channels.");
    for (std::size_t i = 0; i < channels; ++i) {
        auto const name = reader.text();
        if (name.empty() || name.size() > max_channel_bytes || name.find('\0') != std::string_view::npos)
            reader.corrupt("A channel's name is empty or too long.");
        if (i > 0 && name <= data.channels.back())
            reader.corrupt("The channels are not in order.");
        data.channels.emplace_back(name);
    }
    data.without_path = read_outcome(reader);
    std::size_t const sequences = reader.count();
    std::vector<bool> used(channels, false);
    for (std::size_t i = 0; i < sequences; ++i) {
        Sequence sequence;
        sequence.channels.resize(reader.count());
        if (sequence.channels.empty() || sequence.channels.size() > max_touches)
            reader.corrupt("The length of a sequence is out of range.");
        for (auto& channel : sequence.channels) {
            channel = static_cast<std::uint32_t>(reader.varint(32));
            if (channel >= channels)
                reader.corrupt("A channel is out of range.");
            used[channel] = true;
        }
        if (i > 0 && sequence.channels <= data.sequences.back().channels)
            reader.corrupt("The sequences are not in order.");
        sequence.outcome = read_outcome(reader);
        if (sequence.outcome == Outcome{})
            reader.corrupt("A sequence has no outcome.");
        read_by_age(reader, sequence);
        data.sequences.push_back(std::move(sequence));
    }
    if (std::find(used.begin(), used.end(), false) != used.end())
        reader.corrupt("A channel has no sequence.");
    reader.finish();
    return data;
}

} // namespace nurture::analytics
