// Frequency caps: how many messages, or how many workflows, within a calendar period of the contact or a rolling span.
#include "core/guard/guard.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace nurture::guard {

namespace {

struct Window {
    Time begin = 0; ///< what was sent from here on counts
    Time end = 0;   ///< a calendar period's: then it begins anew
};

Window calendar_window(language::CapPeriod period, int week_start, const Zone& zone, Time at) {
    if (period == language::CapPeriod::hour) {
        std::int64_t const hour = slot_of(at, one_hour, zone);
        return {zone.first_at(hour * one_hour), zone.first_at((hour + 1) * one_hour)};
    }
    DayUnit const unit = period == language::CapPeriod::day    ? DayUnit::day
                         : period == language::CapPeriod::week ? DayUnit::week
                                                               : DayUnit::month;
    std::int64_t const day = day_of(at, zone);
    return {begin_of_day(period_begin(day, unit, week_start, 0), zone),
            begin_of_day(period_begin(day, unit, week_start, 1), zone)};
}

/// The moments that count: of messages, or the latest of each workflow but the one that asks. Empty optional: the workflow
/// that asks is one of those that count already, and takes no further place.
std::optional<std::vector<Time>> places(const language::MessageCap& cap, std::span<const Sent> sent,
                                        std::string_view workflow, Time begin, bool rolling) {
    std::vector<Time> out;
    auto const inside = [&](Time at) { return rolling ? at > begin : at >= begin; };
    if (!cap.workflows) {
        for (const Sent& one : sent)
            if (inside(one.at))
                out.push_back(one.at);
        return out;
    }
    std::map<std::string_view, Time> latest;
    for (const Sent& one : sent) {
        if (!inside(one.at))
            continue;
        if (one.workflow == workflow)
            return std::nullopt;
        Time& at = latest.try_emplace(one.workflow, one.at).first->second;
        at = std::max(at, one.at);
    }
    for (const auto& entry : latest)
        out.push_back(entry.second);
    return out;
}

} // namespace

Time free_under(const language::MessageCap& cap, std::span<const Sent> sent, std::string_view workflow, int week_start,
                const Zone& zone, Time at) {
    auto const most = static_cast<std::size_t>(cap.count);
    if (cap.rolling.empty()) {
        Window const window = calendar_window(cap.period, week_start, zone, at);
        auto const taken = places(cap, sent, workflow, window.begin, false);
        return !taken || taken->size() < most ? at : std::max(window.end, at + 1);
    }
    Span const span = cap.rolling.exact();
    auto taken = places(cap, sent, workflow, saturating_add(at, -span), true);
    if (!taken || taken->size() < most)
        return at;
    // Free as soon as all but n - 1 have slid out.
    std::nth_element(taken->begin(), taken->begin() + static_cast<std::ptrdiff_t>(most - 1), taken->end(), std::greater<>());
    return std::max(saturating_add((*taken)[most - 1], span), at + 1);
}

} // namespace nurture::guard
