// Features to bytes and back.
#include "core/profile/feature.hpp"

#include <algorithm>

namespace nurture::profile {

namespace {

/// Far beyond what events add up to, and far enough from the end of 128 bits that adding on stays exact.
constexpr Wide largest_sum = Wide(1) << 120;

enum class Tag : std::uint8_t { sum = 1, extreme = 2, entries = 3, decayed = 4, extremes = 5, tally = 6, peak = 7, keyed = 8 };

// Half-lives are mostly whole hours: those take two bytes instead of six.
void encode_decayed(ByteWriter& out, const DecayedSum& sum, const Stamp& base) {
    Span const half_life = sum.half_life();
    bool const hours = half_life % one_hour == 0;
    out.number(static_cast<std::uint64_t>(hours ? half_life / one_hour : half_life) << 1 | (hours ? 0 : 1));
    out.number(sum.buckets().size());
    std::int64_t period = base.at / half_life;
    for (const auto& bucket : sum.buckets()) {
        out.integer(bucket.period - period);
        out.wide(bucket.amount);
        period = bucket.period;
    }
}

DecayedSum decode_decayed(ByteReader& in, const Stamp& base) {
    std::uint64_t const written = in.number();
    std::uint64_t const units = written >> 1;
    std::uint64_t const unit = (written & 1) != 0 ? 1 : static_cast<std::uint64_t>(one_hour);
    if (units == 0 || units > static_cast<std::uint64_t>(DecayedSum::max_half_life) / unit)
        ByteReader::corrupt("holds an impossible half-life");
    DecayedSum sum(static_cast<Span>(units * unit));
    std::int64_t period = base.at / sum.half_life();
    std::size_t const size = in.count(2);
    sum.reserve(std::min<std::size_t>(size, DecayedSum::max_periods));
    for (std::size_t left = size; left > 0; --left) {
        std::int64_t const delta = in.integer();
        if (__builtin_add_overflow(period, delta, &period) || period < -furthest_time || period > furthest_time)
            ByteReader::corrupt("holds a time out of range");
        if (!sum.empty() && delta <= 0)
            ByteReader::corrupt("holds half-life periods out of order");
        Wide const amount = in.wide();
        if (amount < -largest_sum || amount > largest_sum)
            ByteReader::corrupt("holds a sum out of range");
        sum.add_bucket(period, amount);
    }
    return sum;
}

void encode_extreme(ByteWriter& out, const Extreme& extreme, const Stamp& base) {
    write_stamp(out, extreme.stamp, base);
    out.byte(static_cast<std::uint8_t>(static_cast<int>(extreme.kind) << 1 | (extreme.boolean ? 1 : 0)));
    if (extreme.kind >= Value::Kind::number)
        out.text(extreme.text);
}

Extreme decode_extreme(ByteReader& in, const Stamp& base) {
    Extreme extreme;
    extreme.stamp = read_stamp(in, base);
    std::uint8_t const kind = in.byte();
    if ((kind >> 1) > static_cast<int>(Value::Kind::json))
        ByteReader::corrupt("holds an unknown kind of value");
    extreme.kind = static_cast<Value::Kind>(kind >> 1);
    extreme.boolean = (kind & 1) != 0;
    if (extreme.kind >= Value::Kind::number)
        extreme.text = in.text();
    return extreme;
}

Extremes decode_extremes(ByteReader& in, const Stamp& base) {
    Extremes out;
    std::size_t const size = in.count(4);
    Stamp previous = base;
    for (std::size_t i = 0; i < size; ++i) { // not reserved: an item takes far more room than its bytes
        out.items.push_back(decode_extreme(in, previous));
        if (i > 0 && out.items[i] < out.items[i - 1])
            ByteReader::corrupt("holds events out of order");
        previous = out.items.back().stamp;
    }
    return out;
}

} // namespace

bool needs_format_2(const FeatureValue& value) noexcept {
    if (const auto* entries = std::get_if<Entries>(&value)) // format 1 takes no stamp twice
        return std::adjacent_find(entries->items.begin(), entries->items.end(), [](const Entry& a, const Entry& b) {
                   return a.stamp == b.stamp;
               }) != entries->items.end();
    return std::holds_alternative<Extremes>(value) || std::holds_alternative<Tally>(value) ||
           std::holds_alternative<Peak>(value) || std::holds_alternative<KeyedEntries>(value);
}

void encode(ByteWriter& out, const FeatureValue& value, const Stamp& base) {
    if (const auto* keyed = std::get_if<KeyedEntries>(&value)) {
        out.byte(static_cast<std::uint8_t>(Tag::keyed));
        encode(out, *keyed, base);
    } else if (const auto* sum = std::get_if<Sum>(&value)) {
        out.byte(static_cast<std::uint8_t>(Tag::sum));
        out.wide(sum->value);
    } else if (const auto* extreme = std::get_if<Extreme>(&value)) {
        out.byte(static_cast<std::uint8_t>(Tag::extreme));
        encode_extreme(out, *extreme, base);
    } else if (const auto* entries = std::get_if<Entries>(&value)) {
        out.byte(static_cast<std::uint8_t>(Tag::entries));
        out.number(entries->items.size());
        Stamp previous = base;
        for (const Entry& entry : entries->items) {
            write_stamp(out, entry.stamp, previous);
            // A count's entries all weigh 1: one byte says so. The greatest amount plus 1 needs more than 64 bits.
            out.wide(entry.amount == micro_one ? 0 : Wide(entry.amount) + (entry.amount >= 0 ? 1 : 0));
            previous = entry.stamp;
        }
    } else if (const auto* texts = std::get_if<Extremes>(&value)) {
        out.byte(static_cast<std::uint8_t>(Tag::extremes));
        out.number(texts->items.size());
        Stamp previous = base;
        for (const Extreme& item : texts->items) {
            encode_extreme(out, item, previous);
            previous = item.stamp;
        }
    } else if (const auto* tally = std::get_if<Tally>(&value)) {
        out.byte(static_cast<std::uint8_t>(Tag::tally));
        out.wide(tally->sum);
        out.integer(tally->count);
    } else if (const auto* peak = std::get_if<Peak>(&value)) {
        out.byte(static_cast<std::uint8_t>(Tag::peak));
        out.integer(peak->value);
    } else if (const auto* decayed = std::get_if<DecayedSum>(&value)) {
        out.byte(static_cast<std::uint8_t>(Tag::decayed));
        encode_decayed(out, *decayed, base);
    }
}

FeatureValue decode_feature(ByteReader& in, const Stamp& base) {
    switch (static_cast<Tag>(in.byte())) {
    case Tag::sum: {
        Wide const sum = in.wide();
        if (sum < -largest_sum / micro_one || sum > largest_sum / micro_one)
            ByteReader::corrupt("holds a sum out of range");
        return Sum{sum};
    }
    case Tag::extreme:
        return decode_extreme(in, base);
    case Tag::extremes:
        return decode_extremes(in, base);
    case Tag::tally: {
        Tally tally;
        tally.sum = in.wide();
        tally.count = in.integer();
        if (tally.sum < -largest_sum / micro_one || tally.sum > largest_sum / micro_one || tally.count < 1 ||
            tally.count > furthest_time)
            ByteReader::corrupt("holds a sum out of range");
        return tally;
    }
    case Tag::peak:
        return Peak{in.integer()};
    case Tag::entries: {
        Entries entries;
        std::size_t const size = in.count(4);
        entries.items.reserve(size);
        Stamp previous = base;
        for (std::size_t i = 0; i < size; ++i) {
            Entry entry;
            entry.stamp = read_stamp(in, previous);
            Wide const amount = in.wide();
            if (amount < INT64_MIN || amount > Wide(INT64_MAX) + 1)
                ByteReader::corrupt("holds an amount out of range");
            entry.amount = amount == 0 ? micro_one : static_cast<Micro>(amount > 0 ? amount - 1 : amount);
            if (i > 0 && entry < entries.items.back())
                ByteReader::corrupt("holds events out of order");
            previous = entry.stamp;
            entries.items.push_back(entry);
        }
        return entries;
    }
    case Tag::keyed:
        return decode_keyed(in, base);
    case Tag::decayed:
        return decode_decayed(in, base);
    }
    ByteReader::corrupt("holds an unknown kind of feature");
}

} // namespace nurture::profile
