#pragma once
// Matching a pattern against the events of a group, in time proportional to events × elements (plus the
// sort). Events that satisfy no condition are not part of the sequence. Rows of one time may stand in any
// order: the one that gives the most matches counts.
#include "core/analytics/events.hpp"
#include "core/analytics/pattern.hpp"

#include <span>
#include <vector>

namespace nurture::analytics {

/// Is there a match anywhere?
[[nodiscard]] bool sequence_matches(const Pattern& pattern, std::span<const Event> events);

/// The greatest number of matches one after the other: each begins after the last event of the one before.
[[nodiscard]] std::size_t sequence_count(const Pattern& pattern, std::span<const Event> events);

/// The times of the (?N) elements of one match, empty without a match: of the one that ends first, and, from
/// its end backwards, each event the latest that there can be.
[[nodiscard]] std::vector<Time> sequence_events(const Pattern& pattern, std::span<const Event> events);

} // namespace nurture::analytics
