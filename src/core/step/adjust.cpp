#include "core/step/adjust.hpp"

#include <algorithm>

namespace nurture::step {

using profile::Value;

namespace {

Value get(const profile::Properties& properties, const char* key) { return properties.get({{key}}); }

std::optional<Time> expiry(const Value& value, const Zone& zone) {
    return value.kind == Value::Kind::string ? parse_iso_time(value.text, zone) : std::nullopt;
}

// The contact as far as scores are concerned, at a moment. What was kept before is left out: it does not nest.
std::string snapshot(const Model& model, const profile::Profile& profile,
                     const std::vector<profile::FeatureValue>& features, Time at, bool with_reset) {
    profile::Profile out;
    out.clock = profile.clock;
    out.first_seen = profile.first_seen;
    out.last_seen = profile.last_seen;
    for (const auto& [id, slot] : model.slots_by_id) {
        if (features[slot].index() == 0)
            continue;
        auto value = features[slot];
        prune(model.features[slot].definition, value, at, model.zone); // what a batch leaves behind says nothing
        if (value.index() != 0)
            out.features.push_back({id, std::move(value)});
    }
    if (with_reset) {
        out.attributes = profile.attributes;
        out.consents = profile.consents;
        out.score.reset = profile.score.reset;
        out.score.before_reset = profile.score.before_reset;
    }
    return encode(out);
}

} // namespace

std::string adjustment_problem(const profile::Properties& properties, const Zone& zone) {
    int given = 0;
    for (const char* key : {"points", "freeze", "reset"})
        given += get(properties, key).known() ? 1 : 0;
    if (given != 1)
        return "$adjust takes one of points, freeze and reset";
    if (Value const points = get(properties, "points"); points.known() && !number_of(points))
        return "points must be a number up to 9223372036854.775807";
    if (Value const freeze = get(properties, "freeze"); freeze.known() && !truth_of(freeze))
        return "freeze must be true or false";
    if (Value const reset = get(properties, "reset"); reset.known() && truth_of(reset) != true)
        return "reset must be true";
    if (Value const topic = get(properties, "topic"); topic.known() && topic.kind != Value::Kind::string)
        return "topic must be a text";
    if (Value const expires = get(properties, "expires"); expires.known() && !expiry(expires, zone))
        return "expires must be a time in ISO 8601";
    return {};
}

void adjust(const Model& model, profile::Profile& profile, const std::vector<profile::FeatureValue>& features,
            const profile::Properties& properties, const profile::Stamp& stamp) {
    auto& score = profile.score;
    if (Value const freeze = get(properties, "freeze"); freeze.known()) {
        bool const on = truth_of(freeze).value_or(false);
        if (on && !score.is_frozen()) {
            score.frozen = snapshot(model, profile, features, stamp.at, true);
            score.frozen_by = stamp;
        } else if (!on) {
            score.frozen.clear();
            score.frozen_by = {never, 0, 0};
        }
        return;
    }
    if (get(properties, "reset").known()) {
        score.adjusted.clear();
        score.expiring.clear();
        score.before_reset = snapshot(model, profile, features, stamp.at, false);
        score.reset = stamp;
        if (score.is_frozen()) { // it stays so, at nothing
            score.frozen = snapshot(model, profile, features, stamp.at, true);
            score.frozen_by = stamp;
        }
        return;
    }
    auto const points = number_of(get(properties, "points"));
    if (!points)
        return;
    profile::Adjustment adjustment{stamp, std::string(get(properties, "topic").text), *points, never};
    adjustment.expires = expiry(get(properties, "expires"), model.zone).value_or(never);
    score.adjust(adjustment);
}

void prune_adjustments(profile::ScoreState& score, Time clock) {
    std::erase_if(score.expiring, [&](const auto& adjustment) { return adjustment.expires <= clock; });
}

} // namespace nurture::step
