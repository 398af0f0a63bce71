// What a contact allows, as the step sees it: $consent messages taken, and every change of a status noted, also of those
// that time alone brings about.
#include "core/step/stepper.hpp"

#include "core/consent/message.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace nurture::step {

namespace {

/// How a scope is named in a transition: channel/purpose, with * for every one.
std::string print(const consent::Scope& scope) {
    std::string out = scope.channel.empty() ? "*" : scope.channel;
    if (!scope.purpose.empty())
        out += '/' + scope.purpose;
    return out;
}

} // namespace

// Every change was noted when it happened: what holds at the clock is what was noted last.
void Stepper::load_consents() {
    for (const auto& entry : profile_.consents.entries()) {
        auto const verdict = profile_.consents.verdict(entry.scope, clock_);
        consents_noted_.emplace_back(entry.scope, verdict.status);
        consent_flips_ = std::min(consent_flips_, verdict.changes);
    }
}

std::string Stepper::consent_problem(const profile::Properties& properties) const {
    if (std::string problem = consent::problem_of(properties, model_.zone); !problem.empty())
        return problem;
    if (profile_.consents.entries().size() >= consent::most_scopes && !profile_.consents.knows(consent::scope_of(properties)))
        return "the contact has consents for 250 channels and purposes already";
    return {};
}

void Stepper::take_consent(const profile::Properties& properties, const profile::Stamp& stamp) {
    consent::take(profile_.consents, properties, stamp, model_.zone);
    consents_changed();
}

void Stepper::consents_changed() {
    result_.consents = true;
    consent_flips_ = always;
    facts_.attributes_changed(); // rules give points while a consent is granted
    mark(model_.segments_of_consent);
}

void Stepper::evaluate_consents(const Cause& cause) {
    if (consent_flips_ > clock_)
        return;
    consent_flips_ = never;
    std::vector<std::pair<consent::Scope, consent::Status>> now;
    auto noted = consents_noted_.begin(); // both ascend
    for (const auto& entry : profile_.consents.entries()) {
        auto const verdict = profile_.consents.verdict(entry.scope, clock_);
        while (noted != consents_noted_.end() && noted->first < entry.scope)
            ++noted;
        bool const known = noted != consents_noted_.end() && noted->first == entry.scope;
        auto const before = known ? noted->second : consent::Status::never_asked;
        if (before != verdict.status)
            note_consent(entry.scope, before, verdict.status, cause);
        now.emplace_back(entry.scope, verdict.status);
        consent_flips_ = std::min(consent_flips_, verdict.changes);
    }
    consents_noted_ = std::move(now);
}

void Stepper::note_consent(const consent::Scope& scope, consent::Status before, consent::Status after, const Cause& cause) {
    nlohmann::ordered_json detail;
    if (!scope.channel.empty())
        detail["channel"] = scope.channel;
    if (!scope.purpose.empty())
        detail["purpose"] = scope.purpose;
    detail["from"] = name_of(before);
    detail["to"] = name_of(after);
    Transition transition;
    transition.n = next_transition_++;
    transition.at = clock_;
    transition.kind = TransitionKind::consent_changed;
    transition.name = print(scope);
    transition.reason = detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    transition.cause = cause.label;
    transition.cause_tick = cause.tick;
    transition.cause_n = cause.n;
    count_output(sizeof transition + transition.name.size() + transition.reason.size());
    result_.transitions.push_back(std::move(transition));
}

} // namespace nurture::step
