// Conditions over attributes, dates and membership are exact in time: their truth is the oracle's at every moment at which
// something may change, a microsecond before and after it, and at moments in between.
#include "oracle.hpp"
#include "random_conditions.hpp"

#include <gtest/gtest.h>

namespace nurture::world {
namespace {

bool member_at(const Contact& contact, const std::string& segment, Time t) {
    bool member = false;
    for (const auto& transition : contact.raw_transitions)
        if (transition.at <= t && transition.name == segment) {
            if (transition.kind == step::TransitionKind::segment_entered)
                member = true;
            else if (transition.kind == step::TransitionKind::segment_left)
                member = false;
        }
    return member;
}

// All at which a date test can change: the values told, moved by every span, and every midnight in every zone.
std::set<Time> moments_of(const Definitions& definitions, const std::vector<Event>& events, Time end) {
    std::set<Time> out;
    Time const begin = events.front().received_at;
    auto add = [&](Time t) {
        if (t >= begin && t <= end)
            out.insert(t);
    };
    std::vector<Duration> spans = test_spans();
    for (Duration const more : {Duration{1, 2, 0}, Duration{0, 2, 0}})
        spans.push_back(more);
    std::vector<Time> values;
    for (const Event& event : events) {
        values.push_back(event.received_at);
        values.push_back(event.at);
    }
    for (const std::string& zone : test_zones()) {
        for (std::int64_t day = begin / one_day - 1; day <= end / one_day + 1; ++day)
            add(Oracle::first_at(day * one_day, zone));
        std::vector<Time> here = values;
        for (const Event& event : events)
            for (const char* path : {"ends", "born"})
                if (event.properties.contains(path))
                    if (auto const t = Oracle::date_of(event.properties[path], zone))
                        here.push_back(*t);
        for (const Event& event : events)
            if (event.type == "$consent")
                if (auto const t = Oracle::consent_expires(event, definitions.source.timezone))
                    here.push_back(*t);
        for (const Event& event : events)
            if (event.properties.contains("signed") && event.properties["signed"].is_object())
                if (auto const t = Oracle::date_of(event.properties["signed"]["at"], zone))
                    here.push_back(*t);
        for (Time const t : here) {
            add(t);
            add(t + 1);
            for (const Duration& span : spans) {
                add(Oracle::moved(t, span, 1, zone));
                add(Oracle::moved(t, span, -1, zone));
            }
        }
    }
    // Windows and spans of exact days.
    for (Time const t : std::vector<Time>(out.begin(), out.end()))
        for (Span const span : {one_day, 36 * one_hour, 3 * one_day, 7 * one_day})
            add(t + span);
    // Moments that conditions name.
    for (const auto& row : definitions.source.segments)
        for (std::size_t at = 0; (at = row.condition.find("20", at)) != std::string::npos; ++at)
            for (const std::string& zone : test_zones())
                for (std::size_t const length : {std::size_t{16}, std::size_t{10}})
                    if (auto const t = Oracle::date_of(row.condition.substr(at, length), zone)) {
                        add(*t);
                        add(*t + 1);
                    }
    return out;
}

TEST(ConditionTime, AnswersAreExactAtEveryMoment) {
    for (std::uint64_t const seed : seeds(250)) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        std::int64_t const around = r.pick(test_days());
        Definitions definitions;
        definitions.source.timezone = r.chance(50) ? "UTC" : r.pick(test_zones());
        definitions.source.lists = {"vips"};
        definitions.source.calendar.week_start = static_cast<int>(r.below(7));
        definitions.source.calendar.leap_day_in_march = r.chance(50);
        auto holiday = [&](std::int64_t day) { return static_cast<std::int32_t>(day); };
        definitions.source.calendar.holidays["XX"] = {holiday(around - 1), holiday(around + 2)};
        definitions.source.calendar.holidays["default"] = {holiday(around)};
        for (int i = 0; i < 4; ++i)
            definitions.segment("s" + std::to_string(i), random_conditions(r, around, i >= 2, 2));
        auto const model = definitions.compile();
        auto const events = random_life(r, around);
        Time const end = events.back().received_at + 12 * one_day;
        Contact contact;
        // In one tick or in several.
        if (r.chance(50)) {
            contact.step(model, events, end);
        } else {
            for (const Event& event : events)
                contact.step(model, {event}, r.chance(50) ? std::optional<Time>() : event.received_at);
            contact.step(model, {}, end);
        }
        Oracle oracle(definitions, events);
        oracle.key = contact.key;
        std::set<Time> const changes = moments_of(definitions, events, end);
        std::set<Time> moments;
        bool const asks_past = definitions.source.segments[2].condition.find("segment 's") != std::string::npos ||
                               definitions.source.segments[3].condition.find("segment 's") != std::string::npos;
        // A past needs every hour of the day too, which else are looked at here and there.
        for (int i = 0; i < 60; ++i)
            moments.insert(Oracle::first_at((end - r.below(end - events.front().received_at)) / one_hour * one_hour, r.pick(test_zones())));
        std::set<Time> all = changes;
        if (asks_past) {
            for (Time hour = events.front().received_at / one_hour * one_hour; hour <= end; hour += one_hour)
                for (Span const beside : {Span{0}, 15 * one_minute, 30 * one_minute}) // zones are off by these
                    all.insert(hour + beside);
            for (const auto& transition : contact.raw_transitions)
                all.insert(transition.at);
            oracle.live_through(all, {"s0", "s1"});
        }
        for (Time const t : changes)
            moments.insert(t);
        for (const auto& transition : contact.raw_transitions)
            moments.insert(transition.at);
        std::set<Time> near;
        for (Time const t : moments)
            for (Time const n : {t - 1, t, t + 1})
                near.insert(n);
        for (int i = 0; i < 20; ++i)
            near.insert(events.front().received_at + r.below(end - events.front().received_at + 1));
        for (Time const t : near) {
            if (t < events.front().received_at || t > end)
                continue;
            for (const auto& row : definitions.source.segments)
                ASSERT_EQ(member_at(contact, row.name, t), oracle.segment(row.name, t) == Answer::yes)
                    << row.name << " at " << print_iso_time(t) << " zone " << definitions.source.timezone << '\n'
                    << describe(definitions, events);
        }
    }
}

} // namespace
} // namespace nurture::world
