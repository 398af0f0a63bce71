#pragma once
// What a model says of a contact at a moment, without stepping it: for looking at definitions before they are in force.
#include "core/model/model.hpp"
#include "core/profile/profile.hpp"
#include "core/step/fold.hpp"

#include <span>
#include <vector>

namespace nurture::step {

struct Evaluation {
    std::vector<std::uint32_t> segments; ///< ids of those that the contact is in, ascending
    Wide score = 0;
};

/// Memberships and score as they are once the contact has adopted the model and its timers have run to `at` (or to the
/// contact's clock, where that is later); `key` is the contact's. Reads features, attributes and what else of the
/// profile conditions read; the memberships it holds say only since when: one that it does not hold yet begins at `at`.
[[nodiscard]] Evaluation evaluate(const model::Model& model, const profile::Profile& profile, Time at,
                                  std::string_view key = {});

/// Adds the features of ids from `first` on as the events give them, whatever the profile held of them.
void supplement(const model::Model& model, profile::Profile& profile, std::span<const LoggedEvent> events,
                std::uint32_t first, Time clock);

} // namespace nurture::step
