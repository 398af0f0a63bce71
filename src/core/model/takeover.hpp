#pragma once
// How a model takes over from the one in force: what takes effect at once, and what waits until the features it needs
// know the past.
#include "core/model/source.hpp"

#include <set>

namespace nurture::model {

/// A definition that waits; until it takes effect an earlier one of the same object stays in force, if there is one.
struct Held {
    std::string kind; ///< rule, segment, workflow
    std::uint32_t id = 0;
    std::string name;
};

struct Takeover {
    Source next;            ///< without id, features, and how it takes over
    std::vector<Held> held; ///< in the order of the source's rows; next.upcoming collects their features
    std::vector<std::string> features; ///< canonical texts of all that `next` keeps
};

/// What to run, given what people want, what is in force (null: nothing yet), and the features that know the past.
/// Throws as compile() does for what is wanted. Where old and new definitions cannot stand side by side, all of what is
/// new waits, but that a workflow pauses, or is gone, takes effect at once. Another time zone makes nothing wait.
[[nodiscard]] Takeover take_over(const Source& wanted, const Source* in_force, const std::set<std::string>& complete);

/// The definitions alone: two sources with the same give every contact the same path.
[[nodiscard]] Source definitions_of(Source source);

} // namespace nurture::model
