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
    return fold(model, Base{}, events, clock);
}

profile::Profile fold(const Model& model, const Base& base, std::span<const LoggedEvent> events, Time clock) {
    profile::Profile out;
    out.clock = clock;
    out.first_seen = base.state.first_seen;
    out.last_seen = base.state.last_seen;
    out.attributes = base.state.attributes;
    profile::Profile const empty;
    Facts facts(model, empty);
    for (const auto& stored : base.state.features)
        for (const auto& [id, slot] : model.slots_by_id)
            if (id == stored.id)
                facts.features[slot] = stored.value;
    for (const LoggedEvent& event : events) {
        // What the base knows already is the same once more: seen times are extremes, attributes keep their last write.
        note_seen(out, event.type, event.stamp.at);
        if (writes_attributes(event.type))
            write_attributes(out, event);
        match(
            facts, event.type, *event.properties, [](Index) {},
            [&](Index slot, const profile::Value& value) {
                const auto& feature = model.features[slot];
                bool const in_base = feature.id <= base.last_feature;
                if (in_base ? event.stamp.tick > base.tick : event.stamp.tick >= feature.from_tick)
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
