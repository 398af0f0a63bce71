// Invariants 6 and 7: time is exact, late is fine; and what publishing does.
#include "oracle.hpp"

#include <gtest/gtest.h>

namespace nurture::world {
namespace {

const std::vector<Duration>& all_windows() {
    static const std::vector<Duration> windows{{0, 0, one_hour}, {0, 0, 90 * one_minute}, {0, 1, 0}, {0, 7, 0},
                                               {0, 3, one_hour}, {1, 0, 0},               {1, 2, 0},
                                               {0, 0, 30 * one_minute + 1},                 {0, 0, 20 * one_minute + 1}};
    return windows;
}

/// Membership at a moment, as the transitions tell it.
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

void check_membership(Random& r, const Definitions& definitions, const std::vector<Event>& events, const Contact& contact,
                      Oracle& oracle, Time end) {
    std::set<Time> moments;
    for (Time const t : oracle.breakpoints(all_windows()))
        for (Time const near : {t - 1, t, t + 1})
            moments.insert(near);
    for (const auto& transition : contact.raw_transitions)
        for (Time const near : {transition.at - 1, transition.at, transition.at + 1})
            moments.insert(near);
    for (int i = 0; i < 30; ++i)
        moments.insert(events.front().received_at + r.below(end - events.front().received_at + 1));
    for (Time const t : moments) {
        if (t < events.front().received_at || t > end)
            continue;
        for (const auto& row : definitions.source.segments) {
            oracle.close = false;
            Answer const truth = oracle.segment(row.name, t);
            if (oracle.close)
                continue;
            ASSERT_EQ(member_at(contact, row.name, t), truth == Answer::yes)
                << row.name << " at " << print_iso_time(t) << '\n'
                << describe(definitions, events);
        }
    }
}

// Conditions over behaviour alone, each by itself, with ties, late events and gaps of exactly a session's limit.
TEST(Time, BehaviourIsExact) {
    for (std::uint64_t const seed : seeds(1500)) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        Definitions definitions;
        for (int i = 0; i < 6; ++i) {
            std::string const one = random_behaviour(r, {});
            definitions.segment("s" + std::to_string(i), r.chance(30) ? "not (" + one + ")" : one);
        }
        auto const model = definitions.compile();
        auto events = random_history(r, 16);
        for (std::size_t i = 1; i < events.size(); ++i)
            if (r.chance(15)) // ties, whatever the order of arrival; and gaps that end a session or just do not
                events[i].at = std::min(r.pick(events).at + r.pick<Span>({0, 0, 30 * one_minute, 30 * one_minute + 1, 20 * one_minute}),
                                        events[i].received_at);
        Time const end = events.back().received_at + 20 * one_day;
        Contact contact;
        contact.step(model, events, end);
        Oracle oracle(definitions, events);
        std::set<Time> moments;
        for (Time const t : oracle.breakpoints(behaviour_windows()))
            if (r.chance(25))
                for (Time const near : {t - 1, t, t + 1})
                    moments.insert(near);
        for (Time day = events.front().received_at / one_day * one_day; day <= end; day += one_day)
            for (Time const near : {day - 1, day})
                moments.insert(near);
        for (const auto& transition : contact.raw_transitions)
            for (Time const near : {transition.at - 1, transition.at, transition.at + 1})
                moments.insert(near);
        for (Time const t : moments) {
            if (t < events.front().received_at || t > end)
                continue;
            for (const auto& row : definitions.source.segments)
                ASSERT_EQ(member_at(contact, row.name, t), oracle.segment(row.name, t) == Answer::yes)
                    << row.name << " at " << print_iso_time(t) << '\n'
                    << describe(definitions, events);
        }
    }
}

TEST(Time, MembershipIsExact) {
    for (std::uint64_t const seed : seeds(1500)) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        Wanted wanted;
        wanted.workflows = 0;
        wanted.taste.score = r.chance(50);
        wanted.rules = wanted.taste.score ? 3 : 0;
        auto definitions = random_definitions(r, wanted);
        auto const model = definitions.compile();
        auto const events = random_history(r, 16);
        Time const end = events.back().received_at + 35 * one_day;
        Contact contact;
        contact.step(model, events, end);
        Oracle oracle(definitions, events);
        check_membership(r, definitions, events, contact, oracle, end);
        if (::testing::Test::HasFatalFailure())
            return;
    }
}

// Calendar periods are the policy's zone's; the oracle has its local time from the C library.
TEST(Time, CapsCountInTheZonesPeriods) {
    for (std::uint64_t const seed : seeds(500)) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        Definitions definitions;
        definitions.source.timezone =
            r.pick<std::string>({"Europe/Rome", "America/Sao_Paulo", "Asia/Kathmandu", "America/St_Johns", "Antarctica/Troll"});
        definitions.rule("+1 on view topic a at most " + std::to_string(1 + r.below(2)) + " per " +
                         r.pick<std::string>({"hour", "day", "week", "month"}));
        for (int bound = 1; bound <= 6; ++bound)
            definitions.segment("s" + std::to_string(bound), "score(a) >= " + std::to_string(bound));
        auto const model = definitions.compile();
        // Around the nights on which clocks change: 2007-11-04 in St. John's, 2018-11-04 in São Paulo, 2026 in Rome and Troll.
        Time const around = r.pick<Time>({2'864 * one_day, 6'882 * one_day, 9'794 * one_day, 9'584 * one_day});
        std::vector<Event> events;
        for (int i = 0; i < 12; ++i) {
            Event event;
            event.at = around + r.below(4 * one_day) / (10 * one_minute) * (10 * one_minute) - 2 * one_day;
            event.received_at = around + 10 * one_day + i;
            event.type = "view";
            events.push_back(event);
        }
        Time const end = events.back().received_at;
        Contact contact;
        contact.step(model, events, end);
        Oracle oracle(definitions, events);
        check_membership(r, definitions, events, contact, oracle, end);
        if (::testing::Test::HasFatalFailure())
            return;
    }
}

// With a late event and without it, everything before its effective time is the same; beyond the policy it starts nothing.
TEST(Time, ALateEventChangesNoDecisionAlreadyTaken) {
    for (std::uint64_t const seed : seeds(1500)) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        auto definitions = random_definitions(r, {});
        auto const model = definitions.compile();
        auto const without = random_history(r);
        Time const end = without.back().received_at + 20 * one_day;
        Event late;
        late.received_at = without.front().received_at + r.below(end - without.front().received_at);
        Span const lateness = r.chance(50) ? one_day + 1 + r.below(30 * one_day) : r.below(one_day + 1);
        late.at = late.received_at - lateness;
        late.type = r.pick(event_types());
        late.properties = random_properties(r);
        auto with = without;
        auto place = with.begin();
        while (place != with.end() && place->received_at <= late.received_at)
            ++place;
        auto const index = static_cast<std::size_t>(place - with.begin());
        with.insert(place, late);
        Contact a, b, alone;
        a.step(model, without, end);
        b.step(model, with, end);
        auto before = [&](const Contact& contact) {
            std::vector<std::string> out;
            for (std::size_t i = 0; i < contact.raw_transitions.size(); ++i)
                if (contact.raw_transitions[i].at < late.received_at)
                    out.push_back(contact.transitions[i]);
            return out;
        };
        ASSERT_EQ(before(a), before(b)) << describe(definitions, with);
        if (lateness <= one_day)
            continue;
        // Its own step starts no journey.
        alone.step(model, {with.begin(), with.begin() + static_cast<std::ptrdiff_t>(index)}, late.received_at);
        auto const known = alone.raw_transitions.size();
        alone.step(model, {late}, std::nullopt);
        for (std::size_t i = known; i < alone.raw_transitions.size(); ++i)
            ASSERT_NE(alone.raw_transitions[i].kind, step::TransitionKind::journey_started) << describe(definitions, with);
    }
}

// A change of the model: membership as the new conditions have it at the contact's clock, cause `published`, no journeys.
TEST(Time, PublishingDecidesAnewAndStartsNothing) {
    for (std::uint64_t const seed : seeds(1000)) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        Wanted wanted;
        wanted.sets = r.chance(30);
        auto definitions = random_definitions(r, wanted);
        auto const first = definitions.compile();
        // The same features in other places: the conditions change hands, points change sign.
        auto& segments = definitions.source.segments;
        for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
            bool const linked = segments[i].condition.find("in segment") != std::string::npos ||
                                segments[i + 1].condition.find("in segment") != std::string::npos;
            if (!linked && r.chance(60))
                std::swap(segments[i].condition, segments[i + 1].condition);
        }
        auto const second = definitions.compile();
        auto const events = random_history(r, 15);
        Time const end = events.back().received_at + r.below(10 * one_day);
        Contact contact;
        contact.step(first, events, end);
        auto const known = contact.raw_transitions.size();
        auto const clock = contact.profile().clock;
        contact.step(second, {}, std::nullopt);
        for (std::size_t i = known; i < contact.raw_transitions.size(); ++i) {
            const auto& transition = contact.raw_transitions[i];
            ASSERT_NE(transition.kind, step::TransitionKind::journey_started) << describe(definitions, events);
            ASSERT_EQ(transition.at, clock);
            ASSERT_TRUE(wanted.sets || transition.cause == "published");
        }
        if (wanted.sets)
            continue; // the oracle does not know what journeys write
        Oracle oracle(definitions, events);
        for (const auto& row : segments) {
            oracle.close = false;
            Answer const truth = oracle.segment(row.name, clock);
            if (oracle.close)
                continue;
            ASSERT_EQ(member_at(contact, row.name, clock), truth == Answer::yes) << row.name << '\n' << describe(definitions, events);
        }
    }
}

} // namespace
} // namespace nurture::world
