// Definitions that are only tried out on a contact say what living under them would have brought: the same memberships and
// the same score to the last digit, whatever of the contact's features the definitions in force had kept.
#include "random.hpp"

#include "core/report/report.hpp"
#include "core/step/evaluate.hpp"

#include <gtest/gtest.h>

namespace nurture::world {
namespace {

std::vector<std::uint32_t> members(const Contact& contact) {
    std::vector<std::uint32_t> ids;
    for (const auto& segment : contact.profile().segments)
        if (segment.member)
            ids.push_back(segment.id);
    return ids;
}

TEST(WhatIf, TellsWhatLivingUnderOtherDefinitionsGives) {
    std::size_t entered = 0, supplemented = 0;
    auto const rounds = seeds(1500);
    for (std::uint64_t const seed : rounds) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        Wanted wanted;
        wanted.sets = false;
        wanted.timezone = r.pick<std::string>({"UTC", "Europe/Rome"});
        Definitions in_force = random_definitions(r, wanted);
        auto const model = in_force.compile();
        auto const first_new = static_cast<std::uint32_t>(in_force.feature_ids.size() + 1);
        Definitions tried = random_definitions(r, wanted);
        if (r.chance(30)) { // points alone
            tried = in_force;
            for (auto& rule : tried.source.rules)
                rule.definition.replace(0, 2, "+7");
        }
        tried.feature_ids = in_force.feature_ids;
        model::Model other = [&] {
            try {
                return tried.compile();
            } catch (const Error&) { // the points were longer than two characters
                tried = in_force;
                return tried.compile();
            }
        }();
        supplemented += tried.feature_ids.size() >= first_new ? 1 : 0;

        auto events = random_history(r);
        for (auto& event : events)
            event.message_id.clear();
        Time const end = events.back().received_at + r.below(60 * one_day);
        Contact contact, otherwise;
        contact.step(model, events, end);
        otherwise.step(other, events, end);

        std::deque<JsonProperties> properties;
        std::vector<step::LoggedEvent> log;
        for (const Event& event : events)
            log.push_back({event.type, &properties.emplace_back(event.properties),
                           {std::min(event.at, event.received_at), 1, static_cast<std::int32_t>(log.size() + 1)}});
        std::shuffle(log.begin(), log.end(), std::minstd_rand(static_cast<unsigned>(seed)));
        auto profile = contact.profile();
        supplement(other, profile, log, first_new, end);
        auto const evaluation = step::evaluate(other, profile, end);
        ASSERT_EQ(evaluation.segments, members(otherwise)) << describe(tried, events);
        ASSERT_EQ(evaluation.score, report::score(other, otherwise.profile(), {}, end)) << describe(tried, events);
        entered += evaluation.segments.size();
    }
    if (rounds.size() > 100) {
        EXPECT_GT(entered, rounds.size() / 3);
        EXPECT_GT(supplemented, rounds.size() / 3);
    }
}

} // namespace
} // namespace nurture::world
