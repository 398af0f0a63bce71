// A step that stops at its bound, and the next that goes on: as one step without a bound would have done it.
#include "../simulation/story.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace nurture::world {
namespace {

Time const begin = Story::time("2026-05-01 10:00");

// A second's loop that slept for a week: 604,800 rounds, each at its own second, in steps that hold a part of them.
TEST(Bound, ALoopThatSleptForAWeekGoesOnInSteps) {
    Definitions definitions;
    definitions.workflow("w", "on go repeat wait 1 second do 'x' end");
    auto const model = definitions.compile();
    Contact contact;
    contact.step(model, {{begin, begin, "go", Json::object(), {}, false}}, begin);
    profile::Profile state = contact.profile();
    Time const end = begin + one_week;
    step::Bound const bound;
    std::size_t rounds = 0, steps = 0, most = 0;
    Time last = begin;
    for (bool finished = false; !finished; ++steps) {
        ASSERT_LT(steps, 1'000U);
        step::Input input;
        input.contact = contact.key;
        input.profile = std::move(state);
        input.until = end;
        input.tick = static_cast<std::int64_t>(steps + 2);
        input.bound = bound;
        step::Result result = step::step(model, std::move(input));
        for (const auto& action : result.actions) {
            ASSERT_EQ(action.due, last + one_second);
            last = action.due;
        }
        rounds += result.actions.size();
        most = std::max(most, result.actions.size());
        finished = result.finished;
        ASSERT_EQ(result.due <= end, !finished);
        state = std::move(result.profile);
    }
    EXPECT_EQ(rounds, 604'800U);
    EXPECT_GT(steps, 5U);
    EXPECT_LE(most * sizeof(step::Action), bound.bytes);
    EXPECT_LE(most, static_cast<std::size_t>(bound.instants));
}

// Messages wait behind the timers that come before them, whatever the bound.
TEST(Bound, MessagesComeInTheirTurn) {
    Definitions definitions;
    definitions.workflow("w", "on go exit on stop repeat wait 1 second do 'x' end");
    definitions.workflow("v", "on view re-enter always wait 1 minute do 'y'");
    auto const model = definitions.compile();
    std::vector<Event> events;
    for (auto const& [after, type] : std::vector<std::pair<Span, std::string>>{
             {0, "go"}, {one_minute, "view"}, {10 * one_minute + 1, "view"}, {30 * one_minute, "stop"}, {30 * one_minute, "view"}})
        events.push_back({begin + after, begin + after, type, Json::object(), {}, false});
    auto const live = [&](std::optional<step::Bound> bound) {
        Contact contact;
        contact.bound = bound;
        contact.step(model, {events.begin(), events.begin() + 1}, begin);
        contact.step(model, {events.begin() + 1, events.end()}, begin + one_hour);
        return contact;
    };
    Contact const once = live(std::nullopt);
    EXPECT_EQ(once.actions.size(), 1'800U + 3U);
    for (step::Bound const bound : {step::Bound{1, 1}, step::Bound{100'000, 7}, step::Bound{5'000, 1'000}}) {
        Contact const parts = live(bound);
        EXPECT_GT(parts.unfinished, 20U);
        EXPECT_EQ(parts.actions, once.actions);
        EXPECT_EQ(parts.transitions, once.transitions);
        EXPECT_EQ(parts.cancellations, once.cancellations);
        EXPECT_EQ(parts.due, once.due);
        EXPECT_EQ(parts.profile().clock, once.profile().clock);
    }
}

} // namespace
} // namespace nurture::world
