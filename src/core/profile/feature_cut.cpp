// What a set of entries keeps. Every cut depends on the union alone: what it drops stays dropped whatever is added.
#include "core/profile/feature_cut.hpp"

#include <algorithm>

namespace nurture::profile {

namespace {

// How many entries are kept: one more than are read where the window's value may be a bound, so that a reading can tell.
std::size_t kept_entries(const FeatureDefinition& definition) {
    return static_cast<std::size_t>(definition.newest != 0 ? definition.newest : definition.limit + 1);
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
template <class Item>
void cut_recent(const FeatureDefinition& definition, std::vector<Item>& items, const Zone& zone) {
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
        if (i != leaving[i].second)
            items[i] = std::move(items[leaving[i].second]);
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

// Keeps the first and the last of each stretch. Both are still the first and the last, or lie between others, whatever
// is added; the number of entries that come after another never shrinks.
template <class Item>
void keep_ends_of_stretches(std::vector<Item>& items, Span gap) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        std::int64_t const stretch = stretch_of(items[i].stamp.at, gap);
        bool const inside = kept >= 2 && stretch_of(items[kept - 1].stamp.at, gap) == stretch &&
                            stretch_of(items[kept - 2].stamp.at, gap) == stretch;
        std::size_t const place = inside ? kept - 1 : kept;
        if (place != i)
            items[place] = std::move(items[i]);
        kept = place + 1;
    }
    items.resize(kept);
}

// Keeps the stretches of the day before the newest event.
void keep_newest_day(std::vector<Extreme>& items, Span gap) {
    if (items.empty())
        return;
    std::int64_t const oldest = oldest_stretch(items.back().stamp.at, gap);
    std::erase_if(items, [&](const Extreme& item) { return stretch_of(item.stamp.at, gap) < oldest; });
}

} // namespace

void cut(const FeatureDefinition& definition, std::vector<Entry>& items, const Zone& zone) {
    if (definition.kind == FeatureKind::capped) {
        cut_capped(definition, items, zone);
        return;
    }
    if (definition.kind == FeatureKind::distinct || definition.kind == FeatureKind::periods)
        keep_newest_of_each(items);
    if (definition.kind == FeatureKind::visits)
        keep_ends_of_stretches(items, definition.gap);
    cut_recent(definition, items, zone);
}

void cut(const FeatureDefinition& definition, std::vector<Extreme>& items, const Zone& zone) {
    if (definition.kind == FeatureKind::pages) {
        keep_ends_of_stretches(items, definition.gap);
        keep_newest_day(items, definition.gap);
        return;
    }
    cut_recent(definition, items, zone);
}

} // namespace nurture::profile
