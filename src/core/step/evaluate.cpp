#include "core/step/evaluate.hpp"

#include "core/step/facts.hpp"

#include <algorithm>

namespace nurture::step {

Evaluation evaluate(const Model& model, const profile::Profile& profile, Time at, std::string_view key) {
    Facts facts(model, profile, key);
    Time const clock = std::max(at, profile.clock);
    std::vector<char> was(model.segments.size(), 0);
    was.swap(facts.members);
    for (Index s = 0; s < model.segments.size(); ++s) { // each comes after those it names
        facts.members[s] = facts.evaluate(model.segments[s].condition, clock).truth == Truth::yes ? 1 : 0;
        if (facts.members[s] > was[s])
            facts.since[s] = clock;
    }
    Evaluation out;
    for (const auto& [id, index] : model.segments_by_id)
        if (facts.members[index] != 0 && !model.segments[index].hidden)
            out.segments.push_back(id);
    out.score = facts.score(none, clock);
    return out;
}

void supplement(const Model& model, profile::Profile& profile, std::span<const LoggedEvent> events,
                std::uint32_t first, Time clock) {
    profile::Profile folded = fold(model, events, clock);
    std::erase_if(profile.features, [&](const auto& stored) { return stored.id >= first; });
    for (auto& feature : folded.features)
        if (feature.id >= first)
            profile.features.push_back(std::move(feature)); // ascending, behind all that were there
}

} // namespace nurture::step
