#include "core/profile/feature.hpp"

#include "core/base/hash.hpp"
#include "core/profile/feature_cut.hpp"
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

bool has_limit(FeatureKind kind) {
    return kind == FeatureKind::recent || kind == FeatureKind::distinct || kind == FeatureKind::values ||
           kind == FeatureKind::texts || kind == FeatureKind::periods || kind == FeatureKind::visits;
}

} // namespace

std::string FeatureDefinition::text(const std::string& zone) const {
    static constexpr const char* kinds[] = {"", "count", "sum", "first", "last", "recent", "decayed", "capped",
                                            "distinct", "values", "average", "least", "greatest", "texts", "periods",
                                            "visits", "pages", "keyed"};
    bool const of_writes = kind == FeatureKind::history;
    std::string out = of_writes ? "history" : kinds[static_cast<int>(kind)];
    if (property)
        out += ' ' + language::print(*property) + (of_writes ? "" : " of");
    if (!of_writes)
        out += ' ' + language::print(event);
    if (!window.empty())
        out += " within " + language::print(window);
    if (!window.empty() && window.months != 0)
        out += " in " + zone;
    if (from != always)
        out += " from " + print_iso_time(from);
    if (until != never)
        out += " until " + print_iso_time(until);
    if (newest != 0)
        out += " newest " + std::to_string(newest);
    else if (limit != recent_limit && has_limit(kind))
        out += " newest " + std::to_string(limit) + " or a bound";
    if (gap != 0)
        out += " gap " + language::print(Duration{0, 0, gap});
    if (kind == FeatureKind::periods)
        out += std::string(" each ") + name_of(period) + " in " + zone;
    if (half_life != 0)
        out += " half-life " + language::print(Duration{0, 0, half_life});
    if (kind == FeatureKind::capped)
        out += " first " + std::to_string(cap) + " per " + name_of(period) +
               (period == Period::ever ? std::string() : " in " + zone);
    if (key)
        out += " first of each " + language::print(*key);
    return out;
}

Micro history_hash(const Value& value) {
    if (!value.known())
        return unset_value;
    std::string text = value.kind == Value::Kind::boolean ? (value.boolean ? "true" : "false") : std::string(value.text);
    if (auto const number = number_of(value))
        text = print_micro(*number);
    auto const hash = static_cast<Micro>(hash64(text));
    return hash == unset_value ? 1 : hash;
}

Time becomes_old(Time at, const Duration& d, const Zone& zone) {
    return d.months == 0 ? saturating_add(at, d.exact()) : add_on_calendar(at, d, zone);
}

Time leaves_window(const FeatureDefinition& definition, Time at, const Zone& zone) {
    return definition.window.empty() ? never : becomes_old(at, definition.window, zone);
}

Time begin_of_period(std::int64_t number, Period period, const Zone& zone) {
    switch (period) {
    case Period::hour:
        return zone.to_utc(number * one_hour);
    case Period::day:
        return zone.to_utc(number * one_day);
    case Period::week:
        return zone.to_utc(number * one_week - 5 * one_day);
    case Period::month: {
        std::int64_t const months = number - 1 - std::int64_t{2000} * 12; // since 2000-01
        Zone const utc = Zone::find("UTC");
        return zone.to_utc(add_on_calendar(0, {static_cast<std::int32_t>(months), 0, 0}, utc));
    }
    case Period::ever:
        break;
    }
    return always;
}

// Where a clock is put back across midnight a day's name comes twice; the day after it has begun by then.
std::int64_t period_reached(Time at, Period period, const Zone& zone) {
    std::int64_t number = period_of(at, period, zone);
    while (begin_of_period(number + 1, period, zone) <= at)
        ++number;
    return number;
}

namespace {

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
    auto* const held = std::get_if<Extreme>(&value);
    if (held != nullptr && (latest ? stamp < held->stamp : held->stamp < stamp))
        return; // mostly so, and nothing needs to be copied
    Extreme item{stamp, property.kind, property.boolean, std::string(property.text)};
    if (held == nullptr || (latest ? *held < item : item < *held))
        value = std::move(item);
}

// What tells values apart: the text, so that 12 and "12" are one.
Micro hash_of(const Value& value) noexcept {
    return static_cast<Micro>(
        hash64(value.kind == Value::Kind::boolean ? (value.boolean ? "true" : "false") : value.text));
}

void fold_entry(const FeatureDefinition& definition, FeatureValue& value, Entry entry, const Zone& zone) {
    auto& items = ensure<Entries>(value).items;
    if (items.capacity() == 0)
        items.reserve(4);
    if (items.empty() || items.back().stamp < entry.stamp)
        items.push_back(entry);
    else
        items.insert(std::upper_bound(items.begin(), items.end(), entry), entry);
    cut(definition, items, zone);
}

void fold_text(const FeatureDefinition& definition, FeatureValue& value, Extreme item, const Zone& zone) {
    auto& items = ensure<Extremes>(value).items;
    items.insert(std::upper_bound(items.begin(), items.end(), item), std::move(item));
    cut(definition, items, zone);
}

void fold_peak(FeatureValue& value, bool greatest, Micro amount) {
    auto* const held = std::get_if<Peak>(&value);
    if (held == nullptr)
        value = Peak{amount};
    else
        held->value = greatest ? std::max(held->value, amount) : std::min(held->value, amount);
}

// A number is what these take of the property; others take it as it is.
bool takes_number(const FeatureDefinition& definition) {
    switch (definition.kind) {
    case FeatureKind::first:
    case FeatureKind::last:
    case FeatureKind::distinct:
    case FeatureKind::values:
    case FeatureKind::texts:
    case FeatureKind::pages:
    case FeatureKind::history:
        return false;
    default:
        return definition.property.has_value();
    }
}

} // namespace

bool fold(const FeatureDefinition& definition, FeatureValue& value, const Stamp& stamp, const Value& property,
          const Zone& zone, const Value& key) {
    if (stamp.at < definition.from || stamp.at >= definition.until)
        return true;
    Micro amount = micro_one;
    if (takes_number(definition)) {
        auto const number = number_of(property);
        if (!number)
            return false;
        amount = *number;
    } else if (definition.property && !property.known() && definition.kind != FeatureKind::history) {
        return false;
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
    case FeatureKind::visits:
        fold_entry(definition, value, {stamp, amount}, zone);
        return true;
    case FeatureKind::distinct:
    case FeatureKind::values:
        fold_entry(definition, value, {stamp, hash_of(property)}, zone);
        return true;
    case FeatureKind::keyed:
        if (!key.known())
            return false;
        ensure<KeyedEntries>(value).add({stamp, amount, static_cast<std::uint64_t>(hash_of(key))});
        return true;
    case FeatureKind::periods:
        fold_entry(definition, value, {stamp, period_reached(stamp.at, definition.period, zone)}, zone);
        return true;
    case FeatureKind::texts:
    case FeatureKind::pages:
        fold_text(definition, value, {stamp, property.kind, property.boolean, std::string(property.text)}, zone);
        return true;
    case FeatureKind::average: {
        auto& tally = ensure<Tally>(value);
        tally.sum += amount;
        ++tally.count;
        return true;
    }
    case FeatureKind::least:
    case FeatureKind::greatest:
        fold_peak(value, definition.kind == FeatureKind::greatest, amount);
        return true;
    case FeatureKind::history:
        fold_entry(definition, value, {stamp, history_hash(property)}, zone);
        return true;
    case FeatureKind::decayed:
        ensure_decayed(value, definition.half_life).add(stamp.at, amount);
        return true;
    }
    return false;
}

namespace {

// Of different events, even where they look the same.
template <class Item>
std::vector<Item> union_of(const std::vector<Item>& a, const std::vector<Item>& b) {
    std::vector<Item> out;
    out.reserve(a.size() + b.size());
    std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
    return out;
}

} // namespace

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
        if (definition.kind == FeatureKind::last ? *extreme < other : other < *extreme)
            *extreme = other;
    } else if (auto* entries = std::get_if<Entries>(&a)) {
        entries->items = union_of(entries->items, std::get<Entries>(b).items);
        cut(definition, entries->items, zone);
    } else if (auto* texts = std::get_if<Extremes>(&a)) {
        texts->items = union_of(texts->items, std::get<Extremes>(b).items);
        cut(definition, texts->items, zone);
    } else if (auto* tally = std::get_if<Tally>(&a)) {
        tally->sum += std::get<Tally>(b).sum;
        tally->count += std::get<Tally>(b).count;
    } else if (auto* keyed = std::get_if<KeyedEntries>(&a)) {
        keyed->merge(std::get<KeyedEntries>(b));
    } else if (std::holds_alternative<Peak>(a)) {
        fold_peak(a, definition.kind == FeatureKind::greatest, std::get<Peak>(b).value);
    } else {
        std::get<DecayedSum>(a).merge(std::get<DecayedSum>(b));
    }
}

void prune(const FeatureDefinition& definition, FeatureValue& value, Time clock, const Zone& zone) {
    if (definition.kind == FeatureKind::capped || definition.window.empty())
        return;
    if (auto* entries = std::get_if<Entries>(&value); entries != nullptr && definition.kind == FeatureKind::history) {
        // The value with which the window begins stays.
        auto& items = entries->items;
        std::size_t outside = 0;
        while (outside < items.size() && leaves_window(definition, items[outside].stamp.at, zone) <= clock)
            ++outside;
        items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(outside == 0 ? 0 : outside - 1));
        return;
    }
    auto const old = [&](const auto& item) { return leaves_window(definition, item.stamp.at, zone) <= clock; };
    auto drop = [&](auto& items) {
        std::erase_if(items, old);
        if (items.empty())
            value = std::monostate{};
    };
    if (auto* entries = std::get_if<Entries>(&value))
        drop(entries->items);
    else if (auto* texts = std::get_if<Extremes>(&value))
        drop(texts->items);
}

} // namespace nurture::profile
