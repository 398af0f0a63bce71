// What conditions about the past of segments and about journeys need to be kept and told.
#include "core/step/stepper.hpp"

#include <algorithm>

namespace nurture::step {

// The newest changes are kept; what is older than the oldest of them is not known any more.
void Stepper::remember_change(Index segment, bool member) {
    auto& past = facts_.pasts[segment];
    past.changes.push_back({clock_, member});
    if (past.changes.size() > profile::past_limit) {
        past.changes.erase(past.changes.begin());
        past.known_from = past.changes.front().at;
    }
}

// A past that is asked about for the first time begins with what is known of the present.
void Stepper::begin_pasts(Time known_from) {
    for (Index s = 0; s < facts_.pasts.size(); ++s) {
        if (model_.remembers[s] == 0)
            continue;
        std::uint32_t const id = model_.segments[s].id;
        bool const kept = std::any_of(profile_.pasts.begin(), profile_.pasts.end(), [&](const auto& past) { return past.id == id; });
        if (kept)
            continue;
        auto& past = facts_.pasts[s];
        past.known_from = known_from;
        if (facts_.members[s] != 0) {
            past.known_from = since_[s];
            past.changes.push_back({since_[s], true});
        }
    }
}

void Stepper::store_pasts() {
    profile_.pasts.clear();
    for (const auto& [id, index] : model_.segments_by_id)
        if (model_.remembers[index] != 0) {
            auto& past = facts_.pasts[index];
            past.id = id;
            profile_.pasts.push_back(std::move(past));
        }
}

void Stepper::journey_moved(std::uint32_t workflow) {
    if (auto const found = model_.segments_of_workflow.find(workflow); found != model_.segments_of_workflow.end()) {
        mark(found->second);
        journeys_moved_ = true;
    }
}

// Segments that ask about journeys are looked at again when one has moved.
void Stepper::follow_journeys(const Cause& cause) {
    journeys_moved_ = false;
    Happening moved;
    moved.cause = cause;
    evaluate_segments(moved.cause, moved.changes);
    if (!moved.changes.empty())
        happenings_.push_back(std::move(moved));
}

} // namespace nurture::step
