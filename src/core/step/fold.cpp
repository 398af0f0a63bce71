#include "core/step/fold.hpp"

#include "core/step/match.hpp"

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

} // namespace

profile::Profile fold(const Model& model, std::span<const LoggedEvent> events, Time clock) {
    profile::Profile out;
    out.clock = clock;
    profile::Profile const empty;
    Facts facts(model, empty);
    for (const LoggedEvent& event : events) {
        note_seen(out, event.type, event.stamp.at);
        if (writes_attributes(event.type))
            write_attributes(out, event);
        match(
            facts, event.type, *event.properties, [](Index) {},
            [&](Index slot, const profile::Value& value) {
                const auto& feature = model.features[slot];
                if (event.stamp.tick >= feature.from_tick)
                    fold(feature.definition, facts.features[slot], event.stamp, value, model.zone);
            });
    }
    for (const auto& [id, slot] : model.slots_by_id) {
        prune(model.features[slot].definition, facts.features[slot], clock, model.zone);
        if (facts.features[slot].index() != 0)
            out.features.push_back({id, std::move(facts.features[slot])});
    }
    return out;
}

} // namespace nurture::step
