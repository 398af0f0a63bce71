#pragma once
// What an event means to a model, said once for the live step and for folding a log.
#include "core/step/facts.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace nurture::step {

/// Events that write attributes: what applications identify, what workflows set.
[[nodiscard]] inline bool writes_attributes(std::string_view type) noexcept {
    return type == "$identify" || type == "$set";
}

/// What an $identify says of the contact's keys is the business of nurture.identity, not an attribute.
inline constexpr std::string_view keys_property = "$keys";
/// Who says it, for merges that ask whose word counts: neither.
inline constexpr std::string_view source_property = "$source";
inline constexpr std::size_t longest_source = 63;

/// Calls on_attribute(key, json text, source) for each attribute that the event writes.
template <class OnAttribute>
void each_attribute(const profile::Properties& properties, OnAttribute on_attribute) {
    profile::Value const source = properties.get({{std::string(source_property)}});
    struct Context {
        OnAttribute& call;
        std::string source;
    } context{on_attribute, {}};
    if (source.kind == profile::Value::Kind::string && source.text.size() <= longest_source)
        context.source = source.text;
    properties.each(
        [](void* passed, std::string_view key, std::string_view json) {
            auto& c = *static_cast<Context*>(passed);
            if (key != keys_property && key != source_property)
                c.call(key, json, c.source);
        },
        &context);
}

/// Notes when a contact was seen: by what it does or tells, not by the engine's own events.
inline void note_seen(profile::Profile& profile, std::string_view type, Time at) noexcept {
    if (!type.empty() && type.front() == '$' && type != "$identify")
        return;
    profile.first_seen = std::min(profile.first_seen, at);
    profile.last_seen = std::max(profile.last_seen, at);
}

/// Calls on_pattern(pattern) for each pattern that the event matches, and on_feature(slot, value of its property, value of
/// its key) for each feature that the pattern feeds.
template <class OnPattern, class OnFeature>
void match(const Facts& facts, std::string_view type, const profile::Properties& properties, OnPattern on_pattern,
           OnFeature on_feature) {
    const Model& model = facts.model;
    if (!model.histories.empty() && writes_attributes(type))
        for (Index const slot : model.histories) {
            const language::Path& path = *model.features[slot].definition.property;
            if (properties.get({{path.keys.front()}}).kind != profile::Value::Kind::missing)
                on_feature(slot, properties.get(path), profile::Value{});
        }
    auto each = [&](const std::string& of) {
        auto const patterns = model.patterns_of_type.find(of);
        if (patterns == model.patterns_of_type.end())
            return;
        for (Index const pattern : patterns->second) {
            Index const filter = model.patterns[pattern].filter;
            if (filter != none && facts.matches(filter, properties) != Truth::yes)
                continue;
            on_pattern(pattern);
            for (Index const slot : model.features_of_pattern[pattern]) {
                Index const property = model.features[slot].property;
                Index const key = model.features[slot].key;
                on_feature(slot, property == none ? profile::Value{} : properties.get(model.properties[property]),
                           key == none ? profile::Value{} : properties.get(model.properties[key]));
            }
        }
    };
    each(std::string(type));
    if (!type.empty() && type.front() != '$')
        each({}); // any event but the engine's own
}

} // namespace nurture::step
