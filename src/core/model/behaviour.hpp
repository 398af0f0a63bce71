#pragma once
// What behaviour conditions become: parts of time, sequences, trends.
#include "core/base/time.hpp"

#include <cstdint>
#include <vector>

namespace nurture::model {

using Index = std::uint32_t;
inline constexpr Index none = UINT32_MAX;

/// One end of a part of time.
struct RangeEnd {
    enum class Kind : std::uint8_t { open, moment, attribute, ago };
    Kind kind = Kind::open;
    Time moment = 0;
    Index attribute = none; ///< index into Model::attributes; a date or time there
    Duration ago;
    bool whole_day = false; ///< attribute: a date without a time means the end of its day, a time is included
};

/// A part of time: at >= from and at < to. "ago" moves with the clock.
struct TimeRange {
    RangeEnd from, to;
};

struct SequenceStep {
    Index feature = none; ///< slot: its entries
    bool absent = false;
    Duration within;            ///< empty: any
    std::vector<Index> without; ///< slots
};

struct Sequence {
    std::vector<SequenceStep> steps;
    bool keyed = false;     ///< entries hold the hash of the property that is the same in all
    Index sessions = none;  ///< slot of the visits when all must be in one session
    Duration overall;
    TimeRange span;
};

/// What tells how long a contact stayed, and in which session, beside the events that are asked about.
struct Stay {
    Index seconds = none; ///< slot: those of the events that say it themselves
    Index events = none;  ///< slot: all events; of a page the visits made of them
    Span gap = 0;         ///< a longer silence ends a session
};

} // namespace nurture::model
