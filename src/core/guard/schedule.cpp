// Quiet hours, send windows, holidays: what the contact's clock shows decides. Where the clock is put back it shows the same
// twice, and what is forbidden is forbidden both times; where it jumps, a time that does not come forbids nothing.
#include "core/guard/guard.hpp"

#include <algorithm>

namespace nurture::guard {

namespace {

constexpr std::int64_t longest_search_days = 400;

struct LocalMoment {
    std::int64_t day = 0;
    std::int32_t minute = 0;
};

LocalMoment local_moment(const Zone& zone, Time at) {
    std::int64_t const local = zone.to_local(at);
    std::int64_t day = local / one_day;
    std::int64_t rest = local % one_day;
    if (rest < 0) {
        rest += one_day;
        --day;
    }
    return {day, static_cast<std::int32_t>(rest / one_minute)};
}

bool is_quiet(const language::Quiet& quiet, std::int32_t minute) {
    if (quiet.from < quiet.to)
        return minute >= quiet.from && minute < quiet.to;
    return minute >= quiet.from || minute < quiet.to;
}

bool is_open(const Guards& guards, const language::SendWindow& window, const Place& place, const LocalMoment& at) {
    if (at.minute < window.from || at.minute >= window.to)
        return false;
    int const weekday = weekday_of(at.day);
    if (window.business_days)
        return weekday < 5 && !guards.is_holiday(window.calendar, place, at.day);
    return window.weekdays == 0 || (window.weekdays >> static_cast<unsigned>(weekday) & 1U) != 0;
}

bool allows(const Guards& guards, const language::Policy& policy, const Place& place, const LocalMoment& at) {
    for (const language::Quiet& quiet : policy.quiet)
        if (is_quiet(quiet, at.minute))
            return false;
    for (const language::NoHolidays& holidays : policy.holidays)
        if (guards.is_holiday(holidays.calendar, place, at.day))
            return false;
    return policy.windows.empty() || std::any_of(policy.windows.begin(), policy.windows.end(),
                                                 [&](const auto& window) { return is_open(guards, window, place, at); });
}

bool asks_for_time(const language::Policy& policy) {
    return !policy.quiet.empty() || !policy.windows.empty() || !policy.holidays.empty();
}

/// The minutes of a day at which an answer can change by what the clock shows.
std::vector<std::int32_t> turns_of(std::span<const Policy* const> policies) {
    std::vector<std::int32_t> turns{1440};
    for (const Policy* policy : policies) {
        for (const language::Quiet& quiet : policy->definition.quiet)
            turns.insert(turns.end(), {quiet.from, quiet.to});
        for (const language::SendWindow& window : policy->definition.windows)
            turns.insert(turns.end(), {window.from, window.to});
    }
    std::sort(turns.begin(), turns.end());
    turns.erase(std::unique(turns.begin(), turns.end()), turns.end());
    return turns;
}

Span offset_at(const Zone& zone, Time at) {
    return zone.to_local(at) - at;
}

/// The next moment after `at` at which the clock shows a turn or is set to another time, whichever comes first.
Time next_turn(const Zone& zone, const std::vector<std::int32_t>& turns, Time at) {
    std::int64_t const local = zone.to_local(at);
    std::int64_t rest = local % one_day;
    rest = rest < 0 ? rest + one_day : rest;
    auto const turn = std::upper_bound(turns.begin(), turns.end(), rest,
                                       [](std::int64_t value, std::int32_t minute) { return value < minute * one_minute; });
    Time end = at + *turn * one_minute - rest;
    Span const offset = local - at;
    if (offset_at(zone, end) == offset)
        return end;
    Time before = at; // the clock is set between the two: exactly when?
    while (end - before > 1) {
        Time const middle = before + (end - before) / 2;
        (offset_at(zone, middle) == offset ? before : end) = middle;
    }
    return end;
}

} // namespace

std::optional<std::string> forbidden(const Guards& guards, const Policy& policy, const Place& place, Time at) {
    const language::Policy& definition = policy.definition;
    if (!asks_for_time(definition))
        return std::nullopt;
    LocalMoment const local = local_moment(place.zone, at);
    for (const language::Quiet& quiet : definition.quiet)
        if (is_quiet(quiet, local.minute))
            return print(quiet);
    for (const language::NoHolidays& holidays : definition.holidays)
        if (guards.is_holiday(holidays.calendar, place, local.day))
            return print(holidays);
    if (allows(guards, definition, place, local))
        return std::nullopt;
    return print(definition.windows.front());
}

Time next_allowed(const Guards& guards, std::span<const Policy* const> policies, const Place& place, Time at) {
    std::vector<const Policy*> asked;
    std::copy_if(policies.begin(), policies.end(), std::back_inserter(asked),
                 [](const Policy* policy) { return asks_for_time(policy->definition); });
    if (asked.empty() || at == never || at == always)
        return at;
    auto const turns = turns_of(asked);
    Time const end = saturating_add(at, longest_search_days * one_day);
    for (Time t = at; t < end; t = next_turn(place.zone, turns, t)) {
        LocalMoment const local = local_moment(place.zone, t);
        if (std::all_of(asked.begin(), asked.end(),
                        [&](const Policy* policy) { return allows(guards, policy->definition, place, local); }))
            return t;
    }
    return never;
}

} // namespace nurture::guard
