#include "core/step/evaluate.hpp"

#include "core/step/match.hpp"

namespace nurture::step {

Evaluation evaluate(const Model& model, const profile::Profile& profile, Time at) {
    Facts facts(model, profile);
    Time const clock = std::max(at, profile.clock);
    std::fill(facts.members.begin(), facts.members.end(), 0);
    for (Index s = 0; s < model.segments.size(); ++s) // each comes after those it names
        facts.members[s] = facts.evaluate(model.segments[s].condition, clock).truth == Truth::yes ? 1 : 0;
    Evaluation out;
    for (const auto& [id, index] : model.segments_by_id)
        if (facts.members[index] != 0)
            out.segments.push_back(id);
    out.score = facts.score(none, clock);
    return out;
}

void supplement(const Model& model, profile::Profile& profile, std::span<const LoggedEvent> events,
                std::uint32_t first, Time clock) {
    profile::Profile const nobody;
    Facts facts(model, nobody);
    for (const LoggedEvent& event : events)
        match(
            facts, event.type, *event.properties, [](Index) {},
            [&](Index slot, const profile::Value& value, const profile::Value& key) {
                const auto& feature = model.features[slot];
                if (feature.id >= first)
                    fold(feature.definition, facts.features[slot], event.stamp, value, model.zone, key);
            });
    std::erase_if(profile.features, [&](const auto& stored) { return stored.id >= first; });
    for (const auto& [id, slot] : model.slots_by_id) {
        auto& value = facts.features[slot];
        if (id < first || value.index() == 0)
            continue;
        prune(model.features[slot].definition, value, clock, model.zone);
        if (value.index() != 0)
            profile.features.push_back({id, std::move(value)}); // slots_by_id ascends, and so do the ids before
    }
}

} // namespace nurture::step
