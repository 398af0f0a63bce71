#include "core/step/facts.hpp"

#include <nlohmann/json.hpp>

namespace nurture::step {

using profile::Value;

namespace {

// Calls each(index, stored) for what both sides have: a profile's parts and the model's indexes, ascending by id.
template <class Stored, class Each>
void match(Stored& stored, const std::vector<std::pair<std::uint32_t, Index>>& by_id, Each each) {
    auto known = by_id.begin();
    for (auto& one : stored) {
        while (known != by_id.end() && known->first < one.id)
            ++known;
        if (known == by_id.end())
            return;
        if (known->first == one.id)
            each(known->second, one);
    }
}

} // namespace

void Facts::load_members() {
    contributions_.resize(model.rules.size());
    members.assign(model.segments.size(), 0);
    since.assign(model.segments.size(), 0);
    match(profile.segments, model.segments_by_id,
          [&](Index index, const profile::SegmentState& segment) {
              members[index] = segment.member ? 1 : 0;
              since[index] = segment.since;
          });
    pasts.resize(model.segments.size());
    match(profile.pasts, model.segments_by_id, [&](Index index, const profile::SegmentPast& past) { pasts[index] = past; });
    load_levels();
    if (profile.score.is_frozen() || profile.score.was_reset())
        reload_score_state();
}

Facts::Facts(const Model& m, const profile::Profile& p, std::string_view k)
    : model(m), profile(p), features(m.features.size()), key(k) {
    match(p.features, m.slots_by_id,
          [&](Index slot, const profile::StoredFeature& stored) { features[slot] = stored.value; });
    load_members();
}

Facts::Facts(const Model& m, profile::Profile& p, Take, std::string_view k)
    : model(m), profile(p), features(m.features.size()), key(k) {
    match(p.features, m.slots_by_id,
          [&](Index slot, profile::StoredFeature& stored) { features[slot] = std::move(stored.value); });
    load_members();
}

void Facts::changed(Index feature) noexcept {
    for (Index rule = 0; rule < contributions_.size(); ++rule)
        if (model.rules[rule].feature == feature || model.rules[rule].fresh == feature ||
            model.rules[rule].source != model::ScoreSource::events)
            contributions_[rule].at = always;
}

void Facts::attributes_changed() noexcept {
    for (Read& read : contributions_)
        read.at = always;
}

Value value_of_json(std::string_view json, std::deque<std::string>& texts) {
    if (json.empty())
        return {};
    switch (json.front()) {
    case 'n':
        return {Value::Kind::null, false, {}};
    case 't':
        return {Value::Kind::boolean, true, {}};
    case 'f':
        return {Value::Kind::boolean, false, {}};
    case '[':
    case '{':
        return {Value::Kind::json, false, json};
    case '"':
        if (json.find('\\') == std::string_view::npos)
            return {Value::Kind::string, false, json.substr(1, json.size() - 2)};
        texts.push_back(nlohmann::json::parse(json).get<std::string>());
        return {Value::Kind::string, false, texts.back()};
    default:
        return {Value::Kind::number, false, json};
    }
}

Value value_of_json(std::string_view json, const language::Path& path, std::deque<std::string>& texts) {
    if (path.keys.size() == 1 || json.empty())
        return value_of_json(json, texts);
    nlohmann::json document = nlohmann::json::parse(json, nullptr, false);
    for (std::size_t i = 1; i < path.keys.size(); ++i) {
        if (!document.is_object() || !document.contains(path.keys[i]))
            return {};
        nlohmann::json inner = std::move(document[path.keys[i]]);
        document = std::move(inner);
    }
    texts.push_back(document.dump());
    return value_of_json(texts.back(), texts);
}

Value Facts::attribute(Index index) const {
    const auto& path = model.attributes[index];
    return value_of_json(attribute_json(profile, path.keys.front()), path, texts_);
}

Value Facts::variable(Index index) const {
    const auto& wanted = model.contexts[index];
    if (journey != nullptr)
        for (auto const& [path, json] : journey->context)
            if (path == wanted.text)
                return value_of_json(json, texts_);
    return {};
}

// --- like ---------------------------------------------------------------------------------------------------------

namespace {

std::size_t character_length(std::string_view text) noexcept {
    std::size_t length = 1;
    while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80)
        ++length;
    return length;
}

} // namespace

// Greedy with one point of return, the last %: quadratic at worst, never exponential.
bool like(std::string_view text, std::string_view pattern) noexcept {
    std::string_view text_at_percent, pattern_after_percent;
    bool percent = false;
    while (true) {
        if (!pattern.empty() && pattern.front() == '%') {
            pattern.remove_prefix(1);
            if (pattern.empty())
                return true;
            percent = true;
            text_at_percent = text;
            pattern_after_percent = pattern;
            continue;
        }
        if (text.empty())
            return pattern.empty();
        bool matched = false;
        if (!pattern.empty() && pattern.front() == '_') {
            text.remove_prefix(character_length(text));
            pattern.remove_prefix(1);
            matched = true;
        } else if (!pattern.empty()) {
            std::size_t const escape = pattern.front() == '\\' && pattern.size() > 1 ? 1 : 0;
            if (text.front() == pattern[escape]) {
                text.remove_prefix(1);
                pattern.remove_prefix(escape + 1);
                matched = true;
            }
        }
        if (matched)
            continue;
        if (!percent || text_at_percent.empty())
            return false;
        text_at_percent.remove_prefix(1);
        text = text_at_percent;
        pattern = pattern_after_percent;
    }
}

} // namespace nurture::step
