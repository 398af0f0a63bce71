#include "core/analytics/attribution_data.hpp"

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
void read_ages(VarintReader& reader, std::span<Span> ages) {
    for (std::size_t i = 0; i + 1 < ages.size(); ++i)
        ages[i] = static_cast<Span>(reader.varint(63)); // steps
    Span age = 0;
    for (std::size_t i = ages.size(); i-- > 0;) {
        if (__builtin_add_overflow(age, ages[i], &age))
            reader.corrupt("An age is out of range.");
        ages[i] = age;
    }
}

// The records must be in order and add up to the sequence's own outcome.
void read_records(VarintReader& reader, AttributionData& data, Sequence& sequence, std::size_t count) {
    sequence.first_record = data.records.size();
    sequence.records = count;
    sequence.first_age = data.ages.size();
    Outcome sum;
    sum.nulls = sequence.outcome.nulls;
    std::span<const Span> before;
    for (std::size_t i = 0; i < count; ++i) {
        Outcome const outcome = read_outcome(reader);
        std::size_t const first = data.ages.size();
        data.ages.resize(first + sequence.touches);
        auto const ages = std::span(data.ages).subspan(first);
        read_ages(reader, ages);
        if (i > 0)
            before = std::span(data.ages).subspan(first - sequence.touches, sequence.touches);
        if (outcome.nulls != 0 || outcome.conversions == 0 ||
            (i > 0 && !std::lexicographical_compare(before.begin(), before.end(), ages.begin(), ages.end())))
            reader.corrupt("The records of a sequence are not in order.");
        sum.add(outcome);
        data.records.push_back(outcome);
    }
    bool const expected = needs_ages(data.channels_of(sequence)) && sequence.outcome.conversions > 0;
    if (expected ? !(sum == sequence.outcome) : count != 0)
        reader.corrupt("The records of a sequence do not add up.");
}

void read_channels(VarintReader& reader, AttributionData& data) {
    std::size_t const channels = reader.count();
    if (channels > AttributionData::max_channels)
        reader.corrupt("There are too many channels.");
    for (std::size_t i = 0; i < channels; ++i) {
        auto const name = reader.text();
        if (name.empty() || name.size() > max_channel_bytes || name.find('\0') != std::string_view::npos)
            reader.corrupt("A channel's name is empty or too long.");
        if (i > 0 && name <= data.channels.back())
            reader.corrupt("The channels are not in order.");
        data.channels.emplace_back(name);
    }
}

// Reads the channels of a sequence; marks them used.
Sequence read_sequence(VarintReader& reader, AttributionData& data, std::vector<bool>& used) {
    Sequence sequence;
    sequence.first_touch = data.touches.size();
    sequence.touches = reader.count();
    if (sequence.touches == 0 || sequence.touches > max_touches)
        reader.corrupt("The length of a sequence is out of range.");
    for (std::size_t i = 0; i < sequence.touches; ++i) {
        auto const channel = static_cast<std::uint32_t>(reader.varint(32));
        if (channel >= used.size())
            reader.corrupt("A channel is out of range.");
        used[channel] = true;
        data.touches.push_back(channel);
    }
    if (!data.sequences.empty()) {
        auto const before = data.channels_of(data.sequences.back());
        auto const channels = data.channels_of(sequence);
        if (!std::lexicographical_compare(before.begin(), before.end(), channels.begin(), channels.end()))
            reader.corrupt("The sequences are not in order.");
    }
    sequence.outcome = read_outcome(reader);
    if (sequence.outcome == Outcome{})
        reader.corrupt("A sequence has no outcome.");
    return sequence;
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

void AttributionWriter::sequence(std::span<const std::uint32_t> channels, const Outcome& outcome,
                                 std::size_t records) {
    put_varint(out_, channels.size());
    for (auto const channel : channels)
        put_varint(out_, channel);
    put_outcome(out_, outcome);
    put_varint(out_, records);
}

void AttributionWriter::record(std::span<const Span> ages, const Outcome& outcome) {
    put_outcome(out_, {outcome.conversions, 0, outcome.value});
    for (std::size_t i = 0; i + 1 < ages.size(); ++i)
        put_varint(out_, static_cast<std::uint64_t>(ages[i]) - static_cast<std::uint64_t>(ages[i + 1]));
}

std::string encode_attribution(const AttributionData& data) {
    std::vector<std::string_view> const channels(data.channels.begin(), data.channels.end());
    AttributionWriter writer(channels, data.without_path, data.sequences.size());
    for (auto const& sequence : data.sequences) {
        writer.sequence(data.channels_of(sequence), sequence.outcome, sequence.records);
        auto const records = data.records_of(sequence);
        for (std::size_t i = 0; i < records.size(); ++i)
            writer.record(data.ages_of(sequence, i), records[i]);
    }
    return writer.take();
}

AttributionData decode_attribution(std::string_view bytes, Detail detail) {
    VarintReader reader(bytes, "attribution summary");
    reader.version(format_version);
    AttributionData data;
    read_channels(reader, data);
    data.without_path = read_outcome(reader);
    std::size_t const sequences = reader.count();
    std::vector<bool> used(data.channels.size(), false);
    for (std::size_t i = 0; i < sequences; ++i) {
        Sequence sequence = read_sequence(reader, data, used);
        std::size_t const records = reader.count();
        if (detail == Detail::all)
            read_records(reader, data, sequence, records);
        else // an outcome's three numbers, and one for each step
            reader.skip(records * (sequence.touches + 2));
        data.sequences.push_back(sequence);
    }
    if (std::find(used.begin(), used.end(), false) != used.end())
        reader.corrupt("A channel has no sequence.");
    reader.finish();
    return data;
}

} // namespace nurture::analytics
