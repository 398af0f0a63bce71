#pragma once
// The pattern language of sequence_match and its kin: `(?1).*(?t<=3600)(?2)`.
//   (?N)        one event that satisfies condition N
//   .           one event, whichever
//   .*          any number of events, none too
//   (?t op d)   the next element's event is op d after the previous element's; any number of events may lie
//   between
// op is one of <= < >= > == = !=; d a number of seconds, or with a unit: us, ms, s, min, h, d, w.
#include "core/analytics/events.hpp"

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace nurture::analytics {

/// What may lie between one element's event and the next one's.
struct Gap {
    bool skips = false; ///< other events may
    std::uint64_t least = 0;
    std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    std::vector<std::uint64_t> unequal;

    /// Is this a length of time the gap allows?
    [[nodiscard]] bool allows(std::uint64_t length) const noexcept;
};

/// A parsed pattern: elements and the gaps between them.
struct Pattern {
    std::vector<unsigned> elements; ///< condition (from 0) or any_event
    std::vector<Gap> gaps;          ///< gaps[i] lies between elements i and i + 1
    unsigned highest = 0;           ///< the highest condition named, from 1
};

/// Most elements of a pattern.
inline constexpr std::size_t max_elements = 63;

/// Parses a pattern; with `plain_units` (times that are integers) lengths are whole numbers without unit.
/// Throws syntax with the position (offset) and what was expected.
[[nodiscard]] Pattern parse_pattern(std::string_view text, bool plain_units);

/// Throws invalid_parameter when the pattern names a condition beyond `conditions`.
void check_conditions(const Pattern& pattern, unsigned conditions);

} // namespace nurture::analytics
