#pragma once
// What people ask of a profile: the score and what it is made of, segments, attributes, journeys; and where two
// profiles of one contact differ.
#include "core/model/model.hpp"
#include "core/profile/profile.hpp"

#include <string>
#include <vector>

namespace nurture::report {

/// A share of the score: a rule's (of a table one value's), an adjustment by hand, or what a limit gives or takes. All of
/// them add up to the score exactly.
struct Contribution {
    std::string rule, topic;
    std::string detail; ///< of a table: the value; of a limit: what it limits
    bool counted = true; ///< points and occurrences say something
    Micro points = 0;
    Wide occurrences = 0;  ///< 10^-6; decayed, capped
    Wide contribution = 0; ///< 10^-6; points × occurrences, rounded half away from zero
};

// `key` is the contact's, which samples in conditions ask for.

/// Rules that contribute or have counted something, in the model's order; then adjustments and limits.
[[nodiscard]] std::vector<Contribution> explain(const model::Model& model, const profile::Profile& profile, Time at,
                                              std::string_view key = {});

/// The score of a topic, or (empty) the whole; Error(undefined_name) for a topic no rule has.
[[nodiscard]] Wide score(const model::Model& model, const profile::Profile& profile, std::string_view topic, Time at,
                         std::string_view key = {});

/// The same, straight from the profile's bytes: for looking at many.
[[nodiscard]] Wide score(const model::Model& model, std::string_view profile, std::string_view topic, Time at,
                         std::string_view key = {});

/// {"topic": score, …} for every topic; rules without one are in the whole score only.
[[nodiscard]] std::string scores_json(const model::Model& model, const profile::Profile& profile, Time at,
                                      std::string_view key = {});

/// {"topic": "band", …} for the bands the contact is in; the whole score's is called score.
[[nodiscard]] std::string bands_json(const model::Model& model, const profile::Profile& profile);

/// Names of the segments the contact is in, sorted.
[[nodiscard]] std::vector<std::string> segments(const model::Model& model, const profile::Profile& profile);

/// The attributes as one JSON object.
[[nodiscard]] std::string attributes_json(const profile::Profile& profile);

struct JourneyReport {
    std::string workflow;
    std::uint32_t version = 0, instance = 0;
    std::string step;
    Time started = 0, since = 0, wakes = never;
    std::string branch; ///< of one of the journey's branches, which follow it
    std::string_view paused{}; ///< contact, step or workflow: what keeps it where it is; empty: nothing
};
[[nodiscard]] std::vector<JourneyReport> journeys(const model::Model& model, const profile::Profile& profile);

/// The whole profile as JSON, with the names of the model.
[[nodiscard]] std::string describe(const model::Model& model, const profile::Profile& profile);

struct Difference {
    std::string what, first, second;
};
/// Where two profiles differ: features and attributes, and with `path` also clock, membership and journeys.
[[nodiscard]] std::vector<Difference> differences(const model::Model& model, const profile::Profile& a,
                                                  const profile::Profile& b, bool path);

} // namespace nurture::report
