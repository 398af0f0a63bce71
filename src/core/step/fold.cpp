#include "core/step/fold.hpp"

#include "core/consent/message.hpp"
#include "core/identity/join.hpp"
#include "core/step/adjust.hpp"
#include "core/step/match.hpp"

#include <algorithm>

namespace nurture::step {

namespace {

void write_attributes(profile::Profile& profile, const LoggedEvent& event) {
    each_attribute(*event.properties, [&](std::string_view key, std::string_view json, std::string_view source) {
        write_attribute(profile, key, event.stamp, json, source);
    });
}

// Whether a score is frozen, and what it was reset from, is the result of an order; nothing else is.
std::vector<LoggedEvent> in_order(std::span<const LoggedEvent> events) {
    std::vector<LoggedEvent> out(events.begin(), events.end());
    if (std::any_of(out.begin(), out.end(), [](const LoggedEvent& event) {
            return event.type == "$adjust" || identity::carries_state(event.type);
        }))
        std::sort(out.begin(), out.end(), [](const LoggedEvent& a, const LoggedEvent& b) {
            return std::pair(a.stamp.tick, a.stamp.n) < std::pair(b.stamp.tick, b.stamp.n);
        });
    return out;
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
    out.score = base.state.score;
    out.score.bands.clear(); // path
    out.consents = base.state.consents;
    profile::Profile const empty;
    Facts facts(model, empty);
    for (const auto& stored : base.state.features)
        for (const auto& [id, slot] : model.slots_by_id)
            if (id == stored.id)
                facts.features[slot] = stored.value;
    for (const LoggedEvent& event : in_order(events)) {
        // What the base knows already is the same once more: seen times are extremes, attributes keep their last write.
        note_seen(out, event.type, event.stamp.at);
        if (writes_attributes(event.type))
            write_attributes(out, event);
        if (event.type == "$adjust" && event.stamp.tick > base.tick && adjustment_problem(*event.properties, model.zone).empty())
            adjust(model, out, facts.features, *event.properties, event.stamp);
        if (event.type == "$consent" && consent::problem_of(*event.properties, model.zone).empty())
            consent::take(out.consents, *event.properties, event.stamp, model.zone);
        // What happened to whom the contact has become is among the events; what was given him by hand came with him.
        if (identity::carries_state(event.type) && event.stamp.tick > base.tick) {
            auto const other = identity::mailed_state(*event.properties);
            if (event.type == "$merge")
                out.score.take_adjustments(other.score);
            else
                out.score = other.score;
            out.score.bands.clear();
        }
        match(
            facts, event.type, *event.properties, [](Index) {},
            [&](Index slot, const profile::Value& value, const profile::Value& key) {
                const auto& feature = model.features[slot];
                bool const in_base = feature.id <= base.last_feature;
                if (in_base ? event.stamp.tick > base.tick : event.stamp.tick >= feature.from_tick)
                    fold(feature.definition, facts.features[slot], event.stamp, value, model.zone, key);
            });
    }
    for (const auto& [id, slot] : model.slots_by_id) {
        prune(model.features[slot].definition, facts.features[slot], clock, model.zone);
        if (facts.features[slot].index() != 0)
            out.features.push_back({id, std::move(facts.features[slot])});
    }
    prune_adjustments(out.score, clock);
    return out;
}

} // namespace nurture::step
