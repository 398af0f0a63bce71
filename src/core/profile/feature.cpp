#include "core/profile/feature.hpp"

#include "core/base/hash.hpp"
#include "core/language/language.hpp"

#include <algorithm>

namespace nurture::profile {

namespace {

const char* name_of(Period period) {
    switch (period) {
    case Period::hour:
        return "hour";
    case Period::day:
        return "day";
    case Period::week:
        return "week";
    case Period::month:
        return "month";
    case Period::ever:
        break;
    }
    return "ever";
}

} // namespace

std::string FeatureDefinition::text(const std::string& zone) const {
    static constexpr const char* kinds[] = {"", "count", "sum", "first", "last", "recent", "decayed", "capped", "distinct"};
    std::string out = kind == FeatureKind::keyed ? "keyed" : kinds[static_cast<int>(kind)];
    if (property)
        out += ' ' + language::print(*property) + " of";
    out += ' ' + language::print(event);
    if (!window.empty())
        out += " within " + language::print(window);
    if (!window.empty() && window.months != 0)
        out += " in " + zone;
    if (newest != 0)
        out += " newest " + std::to_string(newest);
    if (half_life != 0)
        out += " half-life " + language::print(Duration{0, 0, half_life});
    if (kind == FeatureKind::capped)
        out += " first " + std::to_string(cap) + " per " + name_of(period) +
               (period == Period::ever ? std::string() : " in " + zone);
    if (key)
        out += " first of each " + language::print(*key);
    return out;
}

Time leaves_window(const FeatureDefinition& definition, Time at, const Zone& zone) {
    if (definition.window.empty())
        return never;
    if (definition.window.months == 0)
        return saturating_add(at, definition.window.exact());
    return add_on_calendar(at, definition.window, zone);
}

namespace {

// How many entries are kept: one more than are read where the window's value may be a bound, so that a reading can tell.
std::size_t kept_entries(const FeatureDefinition& definition) {
    return static_cast<std::size_t>(definition.newest != 0 ? definition.newest : recent_limit + 1);
}

// Keeps the first `cap` entries of each period, and of the newest periods only. Both cuts depend on the union alone: an
// entry beyond the cap, or in a period with capped_periods newer ones, stays so whatever is added. Where a clock is put
// back across the end of a period, the period comes twice: its entries need not stand together.
void cut_capped(const FeatureDefinition& definition, std::vector<Entry>& items, const Zone& zone) {
    struct Counted {
        std::int64_t period, entries;
    };
    std::vector<Counted> periods; // ascending
    std::vector<std::int64_t> period_of_entry;
    period_of_entry.reserve(items.size());
    std::size_t kept = 0;
    for (const Entry& entry : items) {
        std::int64_t const p = period_of(entry.stamp.at, definition.period, zone);
        auto place = periods.end();
        while (place != periods.begin() && (place - 1)->period >= p)
            --place;
        if (place == periods.end() || place->period != p)
            place = periods.insert(place, {p, 0});
        if (place->entries++ >= definition.cap)
            continue;
        items[kept++] = entry;
        period_of_entry.push_back(p);
    }
    items.resize(kept);
    if (periods.size() <= capped_periods)
        return;
    std::int64_t const oldest = periods[periods.size() - capped_periods].period;
    kept = 0;
    for (std::size_t i = 0; i < items.size(); ++i)
        if (period_of_entry[i] >= oldest)
            items[kept++] = items[i];
    items.resize(kept);
}

// The entries that leave last. By a fixed length that is the order of the events; months are clipped to their end, so
// that of two events in January's last days the earlier may leave later.
void cut_recent(const FeatureDefinition& definition, std::vector<Entry>& items, const Zone& zone) {
    std::size_t const keep = kept_entries(definition);
    if (items.size() <= keep)
        return;
    auto const surplus = static_cast<std::ptrdiff_t>(items.size() - keep);
    if (definition.window.months == 0) {
        items.erase(items.begin(), items.begin() + surplus);
        return;
    }
    std::vector<std::pair<Time, std::size_t>> leaving;
    leaving.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i)
        leaving.emplace_back(leaves_window(definition, items[i].stamp.at, zone), i);
    std::nth_element(leaving.begin(), leaving.begin() + surplus, leaving.end());
    leaving.erase(leaving.begin(), leaving.begin() + surplus);
    std::sort(leaving.begin(), leaving.end(), [](const auto& x, const auto& y) { return x.second < y.second; });
    for (std::size_t i = 0; i < keep; ++i)
        items[i] = items[leaving[i].second];
    items.resize(keep);
}

// Keeps the newest entry of each amount. A value that the cut has dropped has `newest` others after it, and they stay
// after it whatever is added: the cut depends on the union alone.
void keep_newest_of_each(std::vector<Entry>& items) {
    std::vector<Entry> kept;
    kept.reserve(items.size());
    for (auto entry = items.rbegin(); entry != items.rend(); ++entry)
        if (std::none_of(kept.begin(), kept.end(), [&](const Entry& k) { return k.amount == entry->amount; }))
            kept.push_back(*entry);
    std::reverse(kept.begin(), kept.end());
    items = std::move(kept);
}

void cut(const FeatureDefinition& definition, std::vector<Entry>& items, const Zone& zone) {
    if (definition.kind == FeatureKind::capped) {
        cut_capped(definition, items, zone);
        return;
    }
    if (definition.kind == FeatureKind::distinct)
        keep_newest_of_each(items);
    cut_recent(definition, items, zone);
}

bool earlier(const Entry& a, const Entry& b) noexcept { return a.stamp < b.stamp; }

template <class T>
T& ensure(FeatureValue& value) {
    if (auto* held = std::get_if<T>(&value))
        return *held;
    return value.emplace<T>();
}

DecayedSum& ensure_decayed(FeatureValue& value, Span half_life) {
    if (auto* held = std::get_if<DecayedSum>(&value))
        return *held;
    return value.emplace<DecayedSum>(half_life);
}

void fold_extreme(FeatureValue& value, bool latest, const Stamp& stamp, const Value& property) {
    if (auto* held = std::get_if<Extreme>(&value)) {
        if (latest ? stamp < held->stamp : held->stamp < stamp)
            return;
    }
    value = Extreme{stamp, property.kind, property.boolean, std::string(property.text)};
}

// What tells values apart: the text, so that 12 and "12" are one.
Micro hash_of(const Value& value) noexcept {
    return static_cast<Micro>(
        hash64(value.kind == Value::Kind::boolean ? (value.boolean ? "true" : "false") : value.text));
}

void fold_entry(const FeatureDefinition& definition, FeatureValue& value, Entry entry, const Zone& zone) {
    auto& items = ensure<Entries>(value).items;
    if (items.empty() || items.back().stamp < entry.stamp) {
        items.push_back(entry);
    } else {
        auto const place = std::lower_bound(items.begin(), items.end(), entry, earlier);
        if (place != items.end() && place->stamp == entry.stamp)
            return;
        items.insert(place, entry);
    }
    cut(definition, items, zone);
}

} // namespace

bool fold(const FeatureDefinition& definition, FeatureValue& value, const Stamp& stamp, const Value& property,
          const Zone& zone, const Value& key) {
    bool const extreme = definition.kind == FeatureKind::first || definition.kind == FeatureKind::last;
    Micro amount = micro_one;
    if (definition.property && extreme) {
        if (!property.known())
            return false;
    } else if (definition.property && definition.kind != FeatureKind::distinct) {
        auto const number = number_of(property);
        if (!number)
            return false;
        amount = *number;
    }
    switch (definition.kind) {
    case FeatureKind::count:
        ensure<Sum>(value).value += 1;
        return true;
    case FeatureKind::sum:
        ensure<Sum>(value).value += amount;
        return true;
    case FeatureKind::first:
    case FeatureKind::last:
        fold_extreme(value, definition.kind == FeatureKind::last, stamp, definition.property ? property : Value{});
        return true;
    case FeatureKind::recent:
    case FeatureKind::capped:
        fold_entry(definition, value, {stamp, amount}, zone);
        return true;
    case FeatureKind::distinct:
        if (!property.known())
            return false;
        fold_entry(definition, value, {stamp, hash_of(property)}, zone);
        return true;
    case FeatureKind::keyed:
        if (!key.known())
            return false;
        ensure<KeyedEntries>(value).add({stamp, amount, static_cast<std::uint64_t>(hash_of(key))});
        return true;
    case FeatureKind::decayed:
        ensure_decayed(value, definition.half_life).add(stamp.at, amount);
        return true;
    }
    return false;
}

void merge(const FeatureDefinition& definition, FeatureValue& a, const FeatureValue& b, const Zone& zone) {
    if (std::holds_alternative<std::monostate>(b))
        return;
    if (std::holds_alternative<std::monostate>(a)) {
        a = b;
        return;
    }
    if (auto* sum = std::get_if<Sum>(&a)) {
        sum->value += std::get<Sum>(b).value;
    } else if (auto* extreme = std::get_if<Extreme>(&a)) {
        const auto& other = std::get<Extreme>(b);
        if (definition.kind == FeatureKind::last ? extreme->stamp < other.stamp : other.stamp < extreme->stamp)
            *extreme = other;
    } else if (auto* entries = std::get_if<Entries>(&a)) {
        std::vector<Entry> both;
        const auto& others = std::get<Entries>(b).items;
        both.reserve(entries->items.size() + others.size());
        std::set_union(entries->items.begin(), entries->items.end(), others.begin(), others.end(),
                       std::back_inserter(both), earlier);
        cut(definition, both, zone);
        entries->items = std::move(both);
    } else if (auto* keyed = std::get_if<KeyedEntries>(&a)) {
        keyed->merge(std::get<KeyedEntries>(b));
    } else {
        std::get<DecayedSum>(a).merge(std::get<DecayedSum>(b));
    }
}

void prune(const FeatureDefinition& definition, FeatureValue& value, Time clock, const Zone& zone) {
    auto* const entries = std::get_if<Entries>(&value);
    if (entries == nullptr || definition.kind == FeatureKind::capped || definition.window.empty())
        return;
    std::erase_if(entries->items,
                  [&](const Entry& entry) { return leaves_window(definition, entry.stamp.at, zone) <= clock; });
    if (entries->items.empty())
        value = std::monostate{};
}

// --- bytes ------------------------------------------------------------------------------------------------------

namespace {

/// Far beyond what events add up to, and far enough from the end of 128 bits that adding on stays exact.
constexpr Wide largest_sum = Wide(1) << 120;

enum class Tag : std::uint8_t { sum = 1, extreme = 2, entries = 3, decayed = 4, keyed = 20 };

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

} // namespace

void encode(ByteWriter& out, const FeatureValue& value, const Stamp& base) {
    if (const auto* sum = std::get_if<Sum>(&value)) {
        out.byte(static_cast<std::uint8_t>(Tag::sum));
        out.wide(sum->value);
    } else if (const auto* extreme = std::get_if<Extreme>(&value)) {
        out.byte(static_cast<std::uint8_t>(Tag::extreme));
        write_stamp(out, extreme->stamp, base);
        out.byte(static_cast<std::uint8_t>(static_cast<int>(extreme->kind) << 1 | (extreme->boolean ? 1 : 0)));
        if (extreme->kind >= Value::Kind::number)
            out.text(extreme->text);
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
    } else if (const auto* decayed = std::get_if<DecayedSum>(&value)) {
        out.byte(static_cast<std::uint8_t>(Tag::decayed));
        encode_decayed(out, *decayed, base);
    } else if (const auto* keyed = std::get_if<KeyedEntries>(&value)) {
        out.byte(static_cast<std::uint8_t>(Tag::keyed));
        encode(out, *keyed, base);
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
    case Tag::extreme: {
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
    case Tag::entries: {
        Entries entries;
        std::size_t const size = in.count(4);
        entries.items.reserve(size);
        Stamp previous = base;
        for (std::size_t i = 0; i < size; ++i) {
            Entry entry;
            entry.stamp = read_stamp(in, previous);
            if (i > 0 && !(previous < entry.stamp))
                ByteReader::corrupt("holds events out of order");
            Wide const amount = in.wide();
            if (amount < INT64_MIN || amount > Wide(INT64_MAX) + 1)
                ByteReader::corrupt("holds an amount out of range");
            entry.amount = amount == 0 ? micro_one : static_cast<Micro>(amount > 0 ? amount - 1 : amount);
            previous = entry.stamp;
            entries.items.push_back(entry);
        }
        return entries;
    }
    case Tag::decayed:
        return decode_decayed(in, base);
    case Tag::keyed:
        return decode_keyed(in, base);
    }
    ByteReader::corrupt("holds an unknown kind of feature");
}

} // namespace nurture::profile
