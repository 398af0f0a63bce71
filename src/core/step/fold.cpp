#include "core/step/fold.hpp"

#include "core/step/facts.hpp"

#include <algorithm>

namespace nurture::step {

namespace {

void write_attributes(profile::Profile& profile, const LoggedEvent& event) {
    struct Write {
        profile::Profile& profile;
        const profile::Stamp& stamp;
    } write{profile, event.stamp};
    event.properties->each(
        [](void* context, std::string_view key, std::string_view json) {
            auto& w = *static_cast<Write*>(context);
            write_attribute(w.profile, key, w.stamp, json);
        },
        &write);
}

void fold_features(const Model& model, Facts& facts, const LoggedEvent& event) {
    auto const patterns = model.patterns_of_type.find(std::string(event.type));
    if (patterns == model.patterns_of_type.end())
        return;
    for (Index const pattern : patterns->second) {
        Index const filter = model.patterns[pattern].filter;
        if (filter != none && facts.matches(filter, *event.properties) != Truth::yes)
            continue;
        for (Index const slot : model.features_of_pattern[pattern]) {
            const auto& feature = model.features[slot];
            if (event.stamp.tick < feature.from_tick)
                continue;
            profile::Value const value = feature.property == none
                                             ? profile::Value{}
                                             : event.properties->get(model.properties[feature.property]);
            fold(feature.definition, facts.features[slot], event.stamp, value, model.zone);
        }
    }
}

} // namespace

profile::Profile fold(const Model& model, std::span<const LoggedEvent> events, Time clock) {
    profile::Profile out;
    out.clock = clock;
    profile::Profile const empty;
    Facts facts(model, empty);
    for (const LoggedEvent& event : events) {
        if (event.type.empty() || event.type.front() != '$' || event.type == "$identify") {
            out.first_seen = std::min(out.first_seen, event.stamp.at);
            out.last_seen = std::max(out.last_seen, event.stamp.at);
        }
        if (event.type == "$identify" || event.type == "$set")
            write_attributes(out, event);
        fold_features(model, facts, event);
    }
    for (const auto& [id, slot] : model.slots_by_id) {
        prune(model.features[slot].definition, facts.features[slot], clock, model.zone);
        if (facts.features[slot].index() != 0)
            out.features.push_back({id, std::move(facts.features[slot])});
    }
    return out;
}

} // namespace nurture::step
