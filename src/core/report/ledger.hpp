#pragma once
// The entries of a score: each event with what it is worth now. They add up to the score exactly.
#include "core/model/model.hpp"
#include "core/profile/profile.hpp"
#include "core/step/fold.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nurture::report {

struct LedgerEntry {
    std::optional<profile::Stamp> stamp; ///< of the event behind it
    std::string event;                   ///< its type
    std::string rule, topic;
    std::optional<Micro> points;
    std::optional<Wide> amount; ///< 10^-6: what the points are multiplied by, undiminished
    Wide value = 0;             ///< 10^-6: what is left of it
    std::string reason;
};

/// `events`: the contact's whole log, in any order. What the log does not hold, and the rounding of amounts that decay
/// together, are entries of their own.
[[nodiscard]] std::vector<LedgerEntry> ledger(const model::Model& model, const profile::Profile& profile,
                                              std::span<const step::LoggedEvent> events, Time at,
                                              std::string_view key = {});

} // namespace nurture::report
