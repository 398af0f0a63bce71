#include "core/step/backfill.hpp"

#include "core/step/match.hpp"

#include <algorithm>
#include <set>

namespace nurture::step {

namespace {

constexpr profile::Stamp base{};

auto place_of(std::vector<profile::StoredFeature>& features, std::uint32_t id) {
    return std::lower_bound(features.begin(), features.end(), id,
                            [](const profile::StoredFeature& f, std::uint32_t wanted) { return f.id < wanted; });
}

profile::FeatureValue& value_of(std::vector<profile::StoredFeature>& features, std::uint32_t id) {
    auto place = place_of(features, id);
    if (place == features.end() || place->id != id)
        place = features.insert(place, {id, {}});
    return place->value;
}

void drop_empty(std::vector<profile::StoredFeature>& features) {
    std::erase_if(features, [](const auto& feature) { return feature.value.index() == 0; });
}

} // namespace

void PastFold::take(std::string_view type, const profile::Properties& properties, const profile::Stamp& stamp) {
    const Model& model = facts_.model;
    match(facts_, type, properties, [](Index) {}, [&](Index slot, const auto&... values) {
        Index const place = slots_[slot];
        if (place == none)
            return;
        if (values_.size() <= place)
            values_.resize(place + 1);
        // The last arguments are whatever else the event gives the feature.
        [&](const profile::Value& value, const auto&... more) {
            fold(model.features[slot].definition, values_[place], stamp, value, model.zone, more...);
        }(values...);
    });
}

std::string PastFold::encode() const {
    ByteWriter out;
    auto const held = std::count_if(values_.begin(), values_.end(), [](const auto& value) { return value.index() != 0; });
    if (held == 0)
        return {};
    out.number(static_cast<std::uint64_t>(held));
    for (Index slot = 0; slot < slots_.size(); ++slot) {
        Index const place = slots_[slot];
        if (place == none || place >= values_.size() || values_[place].index() == 0)
            continue;
        out.number(facts_.model.features[slot].id);
        profile::encode(out, values_[place], base);
    }
    return out.take();
}

std::vector<Index> backfilled_slots(const Model& model, std::int64_t from_tick) {
    std::vector<Index> slots(model.features.size(), none);
    Index place = 0;
    for (Index slot = 0; slot < slots.size(); ++slot)
        if (model.features[slot].from_tick == from_tick)
            slots[slot] = place++;
    if (place == 0)
        slots.clear();
    return slots;
}

std::vector<std::string> event_types(const Model& model, std::int64_t from_tick) {
    std::set<std::string> types;
    for (Index pattern = 0; pattern < model.patterns.size(); ++pattern)
        for (Index const slot : model.features_of_pattern[pattern])
            if (model.features[slot].from_tick == from_tick)
                types.insert(model.patterns[pattern].type);
    return {types.begin(), types.end()};
}

void merge_past(const Model& model, profile::Profile& profile, std::string_view parts) {
    ByteReader in(parts);
    while (!in.at_end()) {
        for (std::uint64_t left = in.number(); left > 0; --left) {
            std::uint64_t const id = in.number();
            profile::FeatureValue const past = profile::decode_feature(in, base);
            Index const slot = id <= UINT32_MAX ? model.slot_of(static_cast<std::uint32_t>(id)) : none;
            if (slot == none)
                continue;
            const auto& definition = model.features[slot].definition;
            auto& value = value_of(profile.features, static_cast<std::uint32_t>(id));
            if (value.index() != 0 && value.index() != past.index())
                ByteReader::corrupt("holds a feature of another kind");
            merge(definition, value, past, model.zone);
            prune(definition, value, profile.clock, model.zone);
        }
    }
    drop_empty(profile.features);
}

void complete_features(const Model& before, const Model& model, profile::Profile& profile, profile::Profile folded) {
    for (const auto& feature : model.features) {
        Index const earlier = before.slot_of(feature.id);
        if (feature.from_tick != 0 || (earlier != none && before.features[earlier].from_tick == 0))
            continue;
        auto const past = place_of(folded.features, feature.id);
        bool const known = past != folded.features.end() && past->id == feature.id;
        value_of(profile.features, feature.id) = known ? std::move(past->value) : profile::FeatureValue{};
    }
    drop_empty(profile.features);
}

} // namespace nurture::step
