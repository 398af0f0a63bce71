#pragma once
// $adjust: what people do to a score by hand. One message is one of
//   {"points": 10, "topic": "fit", "reason": "…", "expires": "2026-12-31"}   topic, reason and expires may be missing
//   {"freeze": true} and {"freeze": false}: the score stays as it is; goes on
//   {"reset": true}: what was counted until now counts no more
#include "core/step/facts.hpp"

namespace nurture::step {

/// Why an $adjust cannot be taken; empty when it can.
[[nodiscard]] std::string adjustment_problem(const profile::Properties& properties, const Zone& zone);

/// Takes it into profile.score. `features` by slot, as they are now; they may have been moved out of the profile.
void adjust(const Model& model, profile::Profile& profile, const std::vector<profile::FeatureValue>& features,
            const profile::Properties& properties, const profile::Stamp& stamp);

/// Drops the adjustments that have expired.
void prune_adjustments(profile::ScoreState& score, Time clock);

} // namespace nurture::step
