// What behaviour amounts to: counts, sums, times and values over the events of a part of time.
#include "core/step/entries.hpp"

#include <algorithm>

namespace nurture::step {

using model::OperandKind;
using model::RangeEnd;
using profile::Entries;
using profile::Entry;
using profile::Extreme;
using profile::Extremes;
using profile::FeatureDefinition;
using profile::FeatureKind;
using profile::FeatureValue;

Time Range::changes(Time at) const {
    Time out = never;
    if (at < from || at >= to)
        return out;
    auto consider = [&](const Duration* ago) {
        if (ago == nullptr)
            return;
        if (Time const old = profile::becomes_old(at, *ago, zone_); old > clock_)
            out = std::min(out, old);
    };
    consider(from_ago);
    consider(to_ago);
    return out;
}

// --- parts of time ------------------------------------------------------------------------------------------------

namespace {

// A date stands for its first moment, or as an end for the whole day; a time as an end is included.
std::optional<Time> moment_of(std::string_view text, bool whole_day, const Zone& zone) {
    auto const time = parse_iso_time(text, zone);
    if (!time || !whole_day)
        return time;
    constexpr std::size_t date_only = 10;
    return text.size() == date_only ? profile::begin_of_period(period_of(*time, Period::day, zone) + 1, Period::day, zone)
                                    : *time + 1;
}

} // namespace

Range Facts::range_of(const model::TimeRange& range, Time clock) const {
    Range out(model.zone, clock);
    auto resolve = [&](const RangeEnd& end, Time& fixed, const Duration*& ago) {
        switch (end.kind) {
        case RangeEnd::Kind::open:
            return;
        case RangeEnd::Kind::moment:
            fixed = end.moment;
            return;
        case RangeEnd::Kind::ago:
            ago = &end.ago;
            return;
        case RangeEnd::Kind::attribute:
            break;
        }
        profile::Value const value = attribute(end.attribute);
        auto const time = value.kind == profile::Value::Kind::string ? moment_of(value.text, end.whole_day, model.zone)
                                                                     : std::nullopt;
        if (time) {
            fixed = *time;
            return;
        }
        out.known = false;
        unconvertible += value.known() ? 1 : 0;
    };
    resolve(range.from, out.from, out.from_ago);
    resolve(range.to, out.to, out.to_ago);
    return out;
}

Range Facts::range_of(const model::Operand& operand, Time clock) const {
    if (operand.span != none)
        return range_of(model.spans[operand.span], clock);
    Range out(model.zone, clock);
    const Duration& window = model.features[operand.index].definition.window;
    if (!window.empty())
        out.from_ago = &window;
    return out;
}

// --- entries ------------------------------------------------------------------------------------------------------

namespace {

// Rounded half away from zero.
Wide quotient(Wide sum, Wide count) {
    Wide const whole = sum / count;
    Wide const rest = sum - whole * count;
    Wide const twice = rest < 0 ? -2 * rest : 2 * rest;
    return twice < count ? whole : whole + (sum < 0 ? -1 : 1);
}

Wide different(std::vector<std::int64_t>& values) {
    std::sort(values.begin(), values.end());
    return std::unique(values.begin(), values.end()) - values.begin();
}

} // namespace

// Counts, sums, times over the entries of a window.
void Facts::read_entries(const model::Operand& operand, const Range& range, Reading& out) const {
    const auto& definition = model.features[operand.index].definition;
    static const std::vector<Entry> nothing;
    const auto* const held = std::get_if<Entries>(&features[operand.index]);
    Wide count = 0;
    Wide sum = 0;
    std::vector<std::int64_t> values;
    const Entry *newest = nullptr, *oldest = nullptr, *least = nullptr, *greatest = nullptr;
    each_inside(definition, held != nullptr ? held->items : nothing, range, out, [&](const Entry& entry) {
        ++count;
        sum += entry.amount;
        newest = newest == nullptr ? &entry : newest;
        oldest = &entry;
        least = least == nullptr || entry.amount < least->amount ? &entry : least;
        greatest = greatest == nullptr || entry.amount > greatest->amount ? &entry : greatest;
        if (operand.kind == OperandKind::recent_distinct)
            values.push_back(entry.amount);
        else if (operand.kind == OperandKind::recent_days)
            values.push_back(profile::period_reached(entry.stamp.at, Period::day, model.zone));
    });
    auto number = [&](Wide value) {
        out.kind = Reading::Kind::number;
        out.number = value;
    };
    auto time = [&](const Entry* entry) {
        if (entry == nullptr)
            return;
        out.kind = Reading::Kind::time;
        out.number = entry->stamp.at;
    };
    switch (operand.kind) {
    case OperandKind::recent_count:
        return number(count * micro_one);
    case OperandKind::recent_sum:
        return number(sum);
    case OperandKind::recent_average:
        return count != 0 ? number(quotient(sum, count)) : void();
    case OperandKind::recent_least:
        return least != nullptr ? number(least->amount) : void();
    case OperandKind::recent_greatest:
        return greatest != nullptr ? number(greatest->amount) : void();
    case OperandKind::recent_distinct:
    case OperandKind::recent_days:
        return number(different(values) * micro_one);
    case OperandKind::recent_oldest:
    case OperandKind::days_since_oldest:
        return time(oldest);
    default:
        return time(newest);
    }
}

void Facts::read_texts(const model::Operand& operand, const Range& range, Reading& out) const {
    const auto* const held = std::get_if<Extremes>(&features[operand.index]);
    if (held == nullptr)
        return;
    const Extreme* found = nullptr;
    bool const first = operand.kind == OperandKind::text_first;
    each_inside(model.features[operand.index].definition, held->items, range, out, [&](const Extreme& item) {
        if (first || found == nullptr)
            found = &item;
    });
    if (found == nullptr)
        return;
    out.kind = Reading::Kind::value;
    out.value = found->value();
}

void Facts::read_extreme(const model::Operand& operand, const Range& range, Reading& out) const {
    const auto* const extreme = std::get_if<Extreme>(&features[operand.index]);
    if (extreme == nullptr)
        return;
    out.flips = range.changes(extreme->stamp.at);
    if (!range.inside(extreme->stamp.at))
        return;
    if (operand.kind == OperandKind::extreme_value) {
        out.value = extreme->value();
        out.kind = out.value.known() ? Reading::Kind::value : Reading::Kind::missing;
    } else {
        out.kind = Reading::Kind::time;
        out.number = extreme->stamp.at;
    }
}

// The running period counts as one of the n.
void Facts::read_periods(const model::Operand& operand, Time clock, Reading& out) const {
    const auto& definition = model.features[operand.index].definition;
    out.kind = Reading::Kind::number;
    const auto* const held = std::get_if<Entries>(&features[operand.index]);
    if (held == nullptr)
        return;
    std::int64_t const running = profile::period_reached(clock, definition.period, model.zone);
    std::int64_t oldest = running + 1;
    Wide inside = 0;
    for (const Entry& entry : held->items) {
        if (entry.amount <= running - definition.newest || entry.amount > running)
            continue;
        ++inside;
        oldest = std::min(oldest, entry.amount);
    }
    out.number = inside * micro_one;
    if (inside != 0)
        out.flips = profile::begin_of_period(oldest + definition.newest, definition.period, model.zone);
}

// --- all of it ----------------------------------------------------------------------------------------------------

Facts::Reading Facts::read_behaviour(const model::Operand& operand, Time clock) const {
    Reading out;
    const FeatureValue& feature = features[operand.index];
    auto number = [&](Wide value) {
        out.kind = Reading::Kind::number;
        out.number = value;
    };
    if (operand.kind == OperandKind::count || operand.kind == OperandKind::sum) {
        const auto* const sum = std::get_if<profile::Sum>(&feature);
        number(sum == nullptr ? 0 : operand.kind == OperandKind::count ? sum->value * micro_one : sum->value);
        return out;
    }
    Range const range = range_of(operand, clock);
    if (!range.known)
        return out;
    switch (operand.kind) {
    case OperandKind::average:
        if (const auto* tally = std::get_if<profile::Tally>(&feature))
            number(quotient(tally->sum, tally->count));
        break;
    case OperandKind::peak:
        if (const auto* peak = std::get_if<profile::Peak>(&feature))
            number(peak->value);
        break;
    case OperandKind::extreme_time:
    case OperandKind::extreme_value:
    case OperandKind::days_since_extreme:
        read_extreme(operand, range, out);
        break;
    case OperandKind::text_first:
    case OperandKind::text_last:
        read_texts(operand, range, out);
        break;
    case OperandKind::periods_reached:
        read_periods(operand, clock, out);
        break;
    case OperandKind::sessions:
    case OperandKind::longest_session:
    case OperandKind::last_session:
        read_sessions(operand, range, out);
        break;
    case OperandKind::entry_page:
    case OperandKind::exit_page:
        read_page(operand, out);
        break;
    case OperandKind::dwell:
    case OperandKind::longest_dwell:
    case OperandKind::last_dwell:
        read_dwell(operand, range, out);
        break;
    default:
        read_entries(operand, range, out);
    }
    bool const days = operand.kind == OperandKind::days_since_extreme || operand.kind == OperandKind::days_since_oldest ||
                      operand.kind == OperandKind::days_since_newest;
    if (days && out.kind == Reading::Kind::time) {
        auto const at = static_cast<Time>(out.number);
        Wide const whole = std::max<Wide>((Wide(clock) - at) / one_day, 0);
        out.flips = std::min<Wide>(out.flips, at + (whole + 1) * one_day);
        number(whole * micro_one);
    }
    return out;
}

// "increased by x percent": now - before >= |before| × x / 100. Nothing is x percent more than nothing: unknown.
Outcome Facts::trend(const model::Node& node, Time clock) const {
    Reading const now = read_behaviour(node.operand, clock);
    model::Operand earlier = node.operand;
    earlier.span = node.detail;
    Reading const before = read_behaviour(earlier, clock);
    Outcome out{Truth::unknown, std::min(now.flips, before.flips), now.bound || before.bound};
    if (now.kind != Reading::Kind::number || before.kind != Reading::Kind::number)
        return out;
    Wide const percent = node.constants.front().number;
    Wide const change = node.flag ? now.number - before.number : before.number - now.number;
    if (percent == 0) {
        out.truth = change > 0 ? Truth::yes : Truth::no;
        return out;
    }
    if (before.number == 0)
        return out;
    Wide const base = before.number < 0 ? -before.number : before.number;
    out.truth = change * 100 * micro_one >= base * percent ? Truth::yes : Truth::no;
    return out;
}

} // namespace nurture::step
