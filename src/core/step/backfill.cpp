#include "core/step/backfill.hpp"

#include "core/base/hash.hpp"
#include "core/step/match.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <span>

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

PastPlan::PastPlan(const Facts& facts, std::int64_t from_tick) : facts_(facts) {
    const Model& model = facts.model;
    std::vector<Index> places(model.features.size(), none);
    for (Index slot = 0; slot < places.size(); ++slot)
        if (model.features[slot].from_tick == from_tick) {
            places[slot] = static_cast<Index>(slots_.size());
            slots_.push_back(slot);
        }
    for (Index const slot : model.histories)
        if (places[slot] != none)
            histories_.push_back(places[slot]);
    for (Index p = 0; p < model.patterns.size(); ++p) {
        Pattern pattern{model.patterns[p].filter, {}};
        for (Index const slot : model.features_of_pattern[p])
            if (places[slot] != none)
                pattern.feeds.push_back({places[slot], model.features[slot].property, model.features[slot].key});
        if (pattern.feeds.empty())
            continue;
        const std::string& type = model.patterns[p].type;
        auto of = std::find_if(types_.begin(), types_.end(), [&](const OfType& t) { return t.type == type; });
        if (of == types_.end())
            of = types_.insert(types_.end(), {type, {}});
        of->patterns.push_back(std::move(pattern));
    }
}

// The same as step::match for those features alone.
template <class OnFeature>
void PastPlan::match(std::string_view type, const profile::Properties& properties, OnFeature on_feature) const {
    const Model& model = facts_.model;
    if (!histories_.empty() && writes_attributes(type))
        for (Index const place : histories_) {
            const language::Path& path = *model.features[slots_[place]].definition.property;
            if (properties.get({{path.keys.front()}}).kind != profile::Value::Kind::missing)
                on_feature(place, properties.get(path), profile::Value{});
        }
    bool const any = !type.empty() && type.front() != '$';
    for (const OfType& of : types_) {
        if (of.type.empty() ? !any : of.type != type)
            continue;
        for (const Pattern& pattern : of.patterns) {
            if (pattern.filter != none && facts_.matches(pattern.filter, properties) != Truth::yes)
                continue;
            for (const Feed& feed : pattern.feeds)
                on_feature(feed.place, feed.property == none ? profile::Value{} : properties.get(model.properties[feed.property]),
                           feed.key == none ? profile::Value{} : properties.get(model.properties[feed.key]));
        }
    }
}

namespace {

using Values = std::span<const profile::FeatureValue>;

void encode_values(ByteWriter& out, const PastPlan& plan, Values values) {
    auto const held = std::count_if(values.begin(), values.end(), [](const auto& value) { return value.index() != 0; });
    if (held == 0)
        return;
    out.number(static_cast<std::uint64_t>(held));
    for (std::size_t place = 0; place < values.size(); ++place) {
        if (values[place].index() == 0)
            continue;
        out.number(plan.facts().model.features[plan.slots()[place]].id);
        profile::encode(out, values[place], base);
    }
}

} // namespace

void PastFold::take(std::string_view type, const profile::Properties& properties, const profile::Stamp& stamp) {
    const Model& model = plan_.facts().model;
    plan_.match(type, properties, [&](Index place, const profile::Value& value, const profile::Value& key) {
        values_.resize(plan_.slots().size());
        fold(model.features[plan_.slots()[place]].definition, values_[place], stamp, value, model.zone, key);
    });
}

std::string PastFold::encode() const {
    ByteWriter out;
    encode_values(out, plan_, values_);
    return out.take();
}

PastTable::PastTable(const PastPlan& plan) : plan_(plan), places_(1024) {}

void PastTable::take(std::string_view contact, std::string_view type, const profile::Properties& properties,
                     const profile::Stamp& stamp) {
    std::uint32_t hash = 0;
    std::size_t at = SIZE_MAX; // of the contact among the texts
    plan_.match(type, properties, [&](Index place, const profile::Value& value, const profile::Value& key) {
        if (at == SIZE_MAX)
            hash = static_cast<std::uint32_t>(hash64(contact));
        at = texts_.size();
        texts_.append(contact).append(value.text).append(key.text);
        waiting_.push_back({hash, place, 0, stamp, at, static_cast<std::uint32_t>(contact.size()),
                            static_cast<std::uint32_t>(value.text.size()), static_cast<std::uint32_t>(key.text.size()),
                            {value.kind, value.boolean, {}}, {key.kind, key.boolean, {}}});
    });
    if (waiting_.size() >= most_waiting)
        fold_waiting();
}

void PastTable::fold_waiting() {
    const Model& model = plan_.facts().model;
    std::size_t const width = plan_.slots().size(), mask = places_.size() - 1;
    for (const Waiting& one : waiting_)
        __builtin_prefetch(&places_[one.hash & mask]);
    for (const Waiting& one : waiting_)
        if (std::uint32_t const row = places_[one.hash & mask]; row != 0)
            __builtin_prefetch(&rows_[row - 1]);
    std::string_view const texts = texts_;
    for (Waiting& one : waiting_) {
        one.row = row_of(texts.substr(one.texts, one.contact_length), one.hash);
        __builtin_prefetch(&values_[one.row * width + one.place]);
    }
    for (const Waiting& one : waiting_)
        if (auto* const entries = std::get_if<profile::Entries>(&values_[one.row * width + one.place]); entries != nullptr)
            __builtin_prefetch(entries->items.data());
    for (Waiting& one : waiting_) {
        one.value.text = texts.substr(one.texts + one.contact_length, one.value_length);
        one.key.text = texts.substr(one.texts + one.contact_length + one.value_length, one.key_length);
        fold(model.features[plan_.slots()[one.place]].definition, values_[one.row * width + one.place], one.stamp, one.value,
             model.zone, one.key);
    }
    waiting_.clear();
    texts_.clear();
}

std::string_view PastTable::Row::contact() const noexcept {
    if (length <= sizeof text)
        return {text, length};
    const char* at = nullptr;
    std::memcpy(&at, text, sizeof at);
    return {at, length};
}

std::size_t PastTable::row_of(std::string_view contact, std::uint32_t hash) {
    std::size_t const mask = places_.size() - 1;
    for (std::size_t at = hash & mask; places_[at] != 0; at = (at + 1) & mask) {
        const Row& row = rows_[places_[at] - 1];
        if (row.hash == hash && row.contact() == contact)
            return places_[at] - 1;
    }
    add(contact, hash);
    return rows_.size() - 1;
}

void PastTable::add(std::string_view contact, std::uint32_t hash) {
    if (rows_.size() >= UINT32_MAX / 2)
        throw Error(ErrorKind::limit_exceeded, "there are too many contacts to be folded at once");
    Row row;
    row.hash = hash;
    row.length = static_cast<std::uint32_t>(contact.size());
    const char* at = nullptr;
    if (contact.size() > sizeof row.text) {
        long_keys_.push_back(std::make_unique_for_overwrite<char[]>(contact.size()));
        at = std::copy(contact.begin(), contact.end(), long_keys_.back().get()) - contact.size();
        contact = {reinterpret_cast<const char*>(&at), sizeof at};
    }
    std::memcpy(row.text, contact.data(), contact.size());
    rows_.push_back(row);
    values_.resize(rows_.size() * plan_.slots().size());
    if (rows_.size() * 2 > places_.size()) {
        grow();
        return;
    }
    std::size_t const mask = places_.size() - 1;
    std::size_t place = hash & mask;
    while (places_[place] != 0)
        place = (place + 1) & mask;
    places_[place] = static_cast<std::uint32_t>(rows_.size());
}

void PastTable::grow() {
    places_.assign(places_.size() * 2, 0);
    std::size_t const mask = places_.size() - 1;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
        std::size_t at = rows_[row].hash & mask;
        while (places_[at] != 0)
            at = (at + 1) & mask;
        places_[at] = static_cast<std::uint32_t>(row + 1);
    }
}

namespace {

// Eight bytes as a number that is ordered as they are.
std::uint64_t leading(std::string_view text) noexcept {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < 8; ++i)
        out = out << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0u);
    return out;
}

} // namespace

std::string PastTable::encode() {
    fold_waiting();
    // Keys begin alike more often than not: what they share says nothing of their order.
    std::string_view shared = rows_.empty() ? std::string_view() : rows_.front().contact();
    for (const Row& row : rows_) {
        std::string_view const key = row.contact();
        auto const differs = std::mismatch(shared.begin(), shared.end(), key.begin(), key.end());
        shared = shared.substr(0, static_cast<std::size_t>(differs.first - shared.begin()));
    }
    struct Sorted {
        std::uint64_t leading;
        std::uint32_t row;
    };
    std::vector<Sorted> order(rows_.size());
    for (std::size_t row = 0; row < rows_.size(); ++row)
        order[row] = {leading(rows_[row].contact().substr(shared.size())), static_cast<std::uint32_t>(row)};
    std::sort(order.begin(), order.end(), [&](const Sorted& a, const Sorted& b) {
        return a.leading != b.leading ? a.leading < b.leading : rows_[a.row].contact() < rows_[b.row].contact();
    });
    std::size_t const width = plan_.slots().size();
    ByteWriter out, parts;
    for (const Sorted& one : order) {
        parts.clear();
        encode_values(parts, plan_, Values(values_).subspan(one.row * width, width));
        if (parts.bytes().empty())
            continue;
        out.text(rows_[one.row].contact());
        out.text(parts.bytes());
    }
    return out.take();
}

PastReader::PastReader(const std::vector<std::string_view>& encoded) {
    sources_.reserve(encoded.size());
    for (std::string_view const bytes : encoded)
        sources_.push_back({ByteReader(bytes), {}, {}, false});
    for (Source& source : sources_)
        source.advance();
}

void PastReader::Source::advance() {
    ended = in.at_end();
    if (ended)
        return;
    contact = in.text();
    part = in.text();
}

bool PastReader::next(std::string_view& contact, std::string& parts) {
    const Source* least = nullptr;
    for (const Source& source : sources_)
        if (!source.ended && (least == nullptr || source.contact < least->contact))
            least = &source;
    if (least == nullptr)
        return false;
    contact = least->contact;
    parts.clear();
    for (Source& source : sources_)
        if (!source.ended && source.contact == contact) {
            parts += source.part;
            source.advance();
        }
    return true;
}

std::vector<std::string> event_types(const Model& model, std::int64_t from_tick) {
    std::set<std::string> types;
    for (Index pattern = 0; pattern < model.patterns.size(); ++pattern)
        for (Index const slot : model.features_of_pattern[pattern])
            if (model.features[slot].from_tick == from_tick)
                types.insert(model.patterns[pattern].type);
    for (Index const slot : model.histories)
        if (model.features[slot].from_tick == from_tick) // what an attribute has been
            types.insert({"$identify", "$set"});
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

namespace {

bool becomes_complete(const Model& before, const model::Feature& feature) {
    Index const earlier = before.slot_of(feature.id);
    return feature.from_tick == 0 && (earlier == none || before.features[earlier].from_tick != 0);
}

} // namespace

bool completes_features(const Model& before, const Model& model) {
    return std::any_of(model.features.begin(), model.features.end(),
                       [&](const auto& feature) { return becomes_complete(before, feature); });
}

void complete_features(const Model& before, const Model& model, profile::Profile& profile, profile::Profile folded) {
    for (const auto& feature : model.features) {
        if (!becomes_complete(before, feature))
            continue;
        auto const past = place_of(folded.features, feature.id);
        bool const known = past != folded.features.end() && past->id == feature.id;
        value_of(profile.features, feature.id) = known ? std::move(past->value) : profile::FeatureValue{};
    }
    drop_empty(profile.features);
}

} // namespace nurture::step
