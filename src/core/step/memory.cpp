// What an event leaves behind: features, attributes, membership.
#include "core/step/match.hpp"
#include "core/step/stepper.hpp"

#include "core/base/error.hpp"
#include "core/step/adjust.hpp"

#include <algorithm>

namespace nurture::step {

namespace {

constexpr std::size_t attribute_bytes = 32 * 1024;
constexpr std::size_t remembered_messages = 1'000;

} // namespace

// Idempotency: a message_id counts once within the window.
bool Stepper::is_duplicate(const Message& message) {
    if (!message.id_hash)
        return false;
    auto& seen = profile_.seen;
    Time const oldest = saturating_add(effective_time(message, clock_), -model_.source.dedup_window);
    std::erase_if(seen, [&](const auto& s) { return s.received_at <= oldest; });
    return std::any_of(seen.begin(), seen.end(), [&](const auto& s) { return s.hash == *message.id_hash; });
}

void Stepper::remember_id(const Message& message) {
    if (!message.id_hash)
        return;
    auto& seen = profile_.seen;
    if (seen.size() >= remembered_messages)
        seen.erase(seen.begin());
    seen.push_back({effective_time(message, clock_), *message.id_hash});
}

bool Stepper::fits(const profile::Properties& properties) const {
    struct Sum {
        const profile::Profile& profile;
        std::size_t bytes = 0;
    } sum{profile_};
    for (const auto& attribute : profile_.attributes)
        sum.bytes += attribute.key.size() + attribute.json.size();
    properties.each(
        [](void* context, std::string_view key, std::string_view json) {
            auto& s = *static_cast<Sum*>(context);
            std::string_view const old = attribute_json(s.profile, key);
            s.bytes += key.size() + json.size();
            s.bytes -= old.empty() ? 0 : key.size() + old.size();
        },
        &sum);
    return sum.bytes <= attribute_bytes;
}

std::vector<Index> Stepper::remember(std::string_view type, const profile::Properties& properties,
                                     const profile::Stamp& stamp) {
    Time const first_seen = profile_.first_seen;
    note_seen(profile_, type, stamp.at);
    if (profile_.first_seen != first_seen && !model_.segments_of_first_seen.empty()) {
        facts_.attributes_changed();
        mark(model_.segments_of_first_seen);
    }
    mark_bands();
    if (type == "$adjust") {
        adjust(model_, profile_, facts_.features, properties, stamp);
        facts_.reload_score_state();
        std::fill(dirty_.begin(), dirty_.end(), 1);
    }
    if (type == "$consent")
        take_consent(properties, stamp);
    if (writes_attributes(type)) {
        if (!model_.attribute_triggers.empty())
            note_writes(properties, true);
        each_attribute(properties, [&](std::string_view key, std::string_view json, std::string_view source) {
            write_attribute(profile_, key, stamp, json, source);
            auto const& dependents = model_.segments_of_attribute;
            if (auto const found = dependents.find(std::string(key)); found != dependents.end())
                mark(found->second);
        });
        facts_.attributes_changed();
        if (!model_.attribute_triggers.empty())
            note_writes(properties, false);
        resolve_waits(); // the contact may live in another zone from now on
    }
    std::vector<Index> matched;
    match(
        facts_, type, properties, [&](Index pattern) { matched.push_back(pattern); },
        [&](Index slot, const profile::Value& value, const profile::Value& key) {
            if (fold(model_.features[slot].definition, facts_.features[slot], stamp, value, model_.zone, key)) {
                facts_.changed(slot);
                mark(model_.segments_of_feature[slot]);
            } else if (value.known()) {
                ++facts_.unconvertible;
            }
        });
    return matched;
}

void Stepper::mark(const std::vector<Index>& segments) noexcept {
    for (Index const segment : segments)
        dirty_[segment] = 1;
}

// One pass suffices: each segment comes after those it names.
void Stepper::evaluate_segments(const Cause& cause, std::vector<std::pair<Index, bool>>& changes) {
    evaluate_consents(cause);
    evaluate_bands(cause);
    for (Index s = 0; s < dirty_.size(); ++s) {
        if (dirty_[s] == 0 && flips_[s] > clock_)
            continue;
        dirty_[s] = 0;
        Outcome const outcome = facts_.evaluate(model_.segments[s].condition, clock_);
        flips_[s] = std::max(outcome.flips, saturating_add(clock_, 1));
        bool const member = outcome.truth == Truth::yes;
        if (member == (facts_.members[s] != 0))
            continue;
        enter_or_leave(s, member, cause);
        changes.emplace_back(s, member);
        mark(model_.segments_of_segment[s]);
    }
}

void Stepper::enter_or_leave(Index segment, bool member, const Cause& cause) {
    facts_.members[segment] = member ? 1 : 0;
    since_[segment] = clock_;
    if (model_.segments[segment].hidden)
        return;
    if (model_.remembers[segment] != 0)
        remember_change(segment, member);
    member_cause_[segment] = cause.label;
    Transition transition;
    transition.n = next_transition_++;
    transition.at = clock_;
    transition.kind = member ? TransitionKind::segment_entered : TransitionKind::segment_left;
    transition.id = model_.segments[segment].id;
    transition.name = model_.segments[segment].name;
    transition.cause = cause.label;
    transition.cause_tick = cause.tick;
    transition.cause_n = cause.n;
    count_output(sizeof transition + transition.name.size() + transition.cause.size());
    result_.transitions.push_back(std::move(transition));
}

} // namespace nurture::step
