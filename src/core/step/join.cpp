// A contact takes what another has been ($merge), or what of it is its own after both were told apart again ($split).
// Such a message carries a state; it comes at the moment at which the engine was told that the two are one person.
#include "core/identity/join.hpp"
#include "core/step/stepper.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace nurture::step {

using identity::Survivorship;
using profile::Journey;

namespace {

constexpr const char* merged = "merged";

/// The value that the rule for it keeps, where that is not the newest: {"plan": "oldest", "name": ["crm", "form"]}, of a list the
/// source that stands first.
std::optional<profile::Attribute> kept(const profile::Attribute& ours, const profile::Attribute& theirs, const profile::Properties& properties) {
    profile::Value const rule = properties.get({{"rules", ours.key}});
    const profile::Attribute& latest = identity::newest(ours, theirs);
    if (rule.kind == profile::Value::Kind::json) {
        auto const& better = identity::of_better_source(ours, theirs, nlohmann::json::parse(rule.text).get<std::vector<std::string>>());
        return &better == &latest ? std::nullopt : std::optional(better);
    }
    auto json = identity::survivor(identity::survivorship_of(rule.text).value_or(Survivorship::newest), ours, theirs);
    if (!json)
        return std::nullopt;
    return profile::Attribute{ours.key, {}, std::move(*json), {}};
}

// Programs are laid out back to front. At the same step: who has been under way for longer.
bool is_further(const Journey& a, const Journey& b) {
    return a.at_step != b.at_step ? a.at_step < b.at_step : a.started < b.started;
}

} // namespace

// Values that a rule decides are written like those of a workflow's `set`: the log then says what the state says.
std::vector<Index> Stepper::join_attributes(const profile::Profile& other, const profile::Properties& properties) {
    std::vector<profile::Attribute> decided;
    for (const auto& theirs : other.attributes) {
        auto const& own = profile_.attributes;
        auto const ours = std::lower_bound(own.begin(), own.end(), theirs.key, [](const auto& a, const auto& key) { return a.key < key; });
        if (ours != own.end() && ours->key == theirs.key)
            if (auto attribute = kept(*ours, theirs, properties))
                decided.push_back(std::move(*attribute));
    }
    identity::join_attributes(profile_.attributes, other.attributes);
    std::vector<Index> matched;
    for (const auto& attribute : decided) {
        auto const more = write(attribute);
        matched.insert(matched.end(), more.begin(), more.end());
    }
    return matched;
}

void Stepper::join_features(const profile::Profile& other) {
    for (const auto& stored : other.features) {
        Index const slot = model_.slot_of(stored.id);
        if (slot == none || stored.value.index() == 0)
            continue;
        auto& value = facts_.features[slot];
        if (value.index() != 0 && value.index() != stored.value.index())
            throw Error(ErrorKind::corrupt_data, "corrupt data: two contacts hold a feature of different kinds");
        merge(model_.features[slot].definition, value, stored.value, model_.zone);
        facts_.changed(slot);
    }
}

// Whoever was a member under either name is one, until the segment is looked at: only what the merge itself changes is a
// transition.
void Stepper::join_membership(const profile::Profile& other) {
    for (const auto& segment : other.segments) {
        Index const s = model_.segment_of(segment.id);
        if (s == none || !segment.member)
            continue;
        since_[s] = facts_.members[s] != 0 ? std::min(since_[s], segment.since) : segment.since;
        facts_.members[s] = 1;
        member_cause_[s] = "$merge";
    }
    for (const auto& past : other.pasts)
        if (Index const s = model_.segment_of(past.id); s != none && model_.remembers[s] != 0)
            identity::join_past(facts_.pasts[s], past);
}

// Of a workflow that may be entered once at a time the journey that has come further goes on.
void Stepper::join_journeys(profile::Profile& other, std::string_view name, const Cause& cause) {
    identity::join_memories(profile_.workflows, other.workflows);
    identity::join_completed(profile_.completed, other.completed);
    for (const auto& pending : other.pending)
        if (std::find(profile_.pending.begin(), profile_.pending.end(), pending) == profile_.pending.end())
            profile_.pending.push_back(pending);
    for (Journey& theirs : other.journeys) {
        Index const index = model_.workflow_of(theirs.workflow, theirs.version);
        if (index == none || !has_place(theirs, model_.workflows[index])) {
            cancel_open(theirs, "workflow deleted");
            continue;
        }
        const auto& workflow = model_.workflows[index];
        if (theirs.origin.empty())
            theirs.origin = name;
        auto const ours = std::find_if(profile_.journeys.begin(), profile_.journeys.end(), [&](const Journey& journey) {
            return journey.workflow == theirs.workflow && workflow.reentry.kind != language::Reentry::always;
        });
        if (ours != profile_.journeys.end()) {
            Journey& behind = is_further(theirs, *ours) ? *ours : theirs;
            const auto& its = model_.workflows[model_.workflow_of(behind.workflow, behind.version)];
            cancel_open(behind, merged);
            end(behind, its, merged, cause);
        }
        if (theirs.workflow != 0) {
            journey_moved(theirs.workflow);
            profile_.journeys.push_back(std::move(theirs));
        }
    }
    std::erase_if(profile_.journeys, [](const Journey& journey) { return journey.workflow == 0; });
    std::stable_sort(profile_.journeys.begin(), profile_.journeys.end(),
                     [](const Journey& a, const Journey& b) { return a.started < b.started; });
}

void Stepper::look_at_everything() {
    facts_.attributes_changed();
    facts_.reload_score_state();
    std::fill(dirty_.begin(), dirty_.end(), 1);
    mark_bands();
    consents_changed();
    resolve_waits();
}

std::vector<Index> Stepper::join(profile::Profile other, const profile::Properties& properties, const Cause& cause) {
    join_features(other);
    profile_.first_seen = std::min(profile_.first_seen, other.first_seen);
    profile_.last_seen = std::max(profile_.last_seen, other.last_seen);
    profile_.score.take_adjustments(other.score);
    profile_.consents.merge(other.consents);
    identity::join_seen(profile_.seen, other.seen);
    join_membership(other);
    auto matched = join_attributes(other, properties);
    look_at_everything();
    join_journeys(other, properties.get({{"contact"}}).text, cause);
    return matched;
}

// What is a function of events becomes what the state says. The path stays the contact's own; one that is new has it, but
// for its journeys, from before it was merged. A stream's messages that are on their way to the new one (both states name
// them) are so no more to the other.
void Stepper::split(profile::Profile own, bool is_new) {
    for (Index slot = 0; slot < facts_.features.size(); ++slot) {
        facts_.features[slot] = {};
        facts_.changed(slot);
    }
    join_features(own);
    profile_.attributes = std::move(own.attributes);
    profile_.consents = std::move(own.consents);
    profile_.first_seen = own.first_seen;
    profile_.last_seen = own.last_seen;
    auto bands = std::move(profile_.score.bands);
    profile_.score = std::move(own.score);
    profile_.score.bands = std::move(bands);
    if (is_new) {
        profile_.seen = std::move(own.seen);
        profile_.workflows = std::move(own.workflows);
        profile_.completed = std::move(own.completed);
        profile_.pending = std::move(own.pending);
        join_membership(own);
    } else {
        for (const auto& gone : own.pending)
            forget_content(gone.action);
    }
    look_at_everything();
}

} // namespace nurture::step
