#pragma once
// How points become scores: the rules as they are read, the tree of topics with its limits, the bands.
#include "core/base/decimal.hpp"
#include "core/base/time.hpp"
#include "core/language/ast.hpp"
#include "core/model/behaviour.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nurture::model {

enum class ScoreSource : std::uint8_t { events, condition, inactivity };

/// What a rule adds: points × what has been counted. A rule with a table is as many of these as it has values.
struct ScoringRule {
    std::string name;
    std::string value; ///< of a table: the condition it stands for
    ScoreSource source = ScoreSource::events;
    Index feature = none; ///< events; inactivity: the last event
    Micro points = 0;
    Index topic = none;
    bool amount = false; ///< the feature sums a property; else it counts
    Span half_life = 0;  ///< of entries: decayed when read
    std::optional<language::FadingKind> fading;
    Span span = 0;       ///< of the fading; of an inactivity
    Micro percent = 0;   ///< of a fading by steps
    Span after = 0;      ///< worth in full until it is so old
    Index fresh = none;  ///< feature: the events younger than `after`, where a decayed sum holds all
    std::int64_t cap = 0; ///< of keyed entries: at most so many per period; of an inactivity: in total; 0: any
    std::int32_t cap_period = 0; ///< a Period
    Index condition = none;
    Index group = none; ///< index into Scoring::groups
};

struct Limit {
    std::optional<Wide> floor, ceiling;
    [[nodiscard]] Wide clamp(Wide value) const noexcept {
        if (floor && value < *floor)
            return *floor;
        return ceiling && value > *ceiling ? *ceiling : value;
    }
    [[nodiscard]] bool any() const noexcept { return floor.has_value() || ceiling.has_value(); }
};

/// The parts of one rule: rules[first, first + size).
struct RuleGroup {
    std::string name;
    Index topic = none;
    Index first = 0, size = 0;
    Limit limit;
};

struct Band {
    std::uint32_t id = 0;
    std::string name;
    Wide from = 0, hysteresis = 0;
    Span rearm = 0;
};

/// The bands of a topic, ascending by `from`. Level 0 is below all of them, level i is bands[i - 1].
struct Ladder {
    Index topic = none;
    std::vector<Band> bands;
    [[nodiscard]] std::string_view name_of(std::uint32_t level) const noexcept {
        return level == 0 ? std::string_view() : std::string_view(bands[level - 1].name);
    }
};

struct Scoring {
    std::vector<RuleGroup> groups;
    std::vector<Index> parents;   ///< by topic: the topic it is part of
    std::vector<Limit> limits;    ///< by topic
    std::vector<Index> deepest_first; ///< topics, each before the one it is part of
    std::vector<std::vector<Index>> rules_of_topic; ///< by topic: also of those that are part of it; the last: all rules
    std::vector<std::vector<Index>> jumps_of_topic; ///< those of them whose points can change at a stroke
    Limit overall;
    bool limited = false; ///< some limit stands below the whole score
    std::vector<Ladder> ladders;

    [[nodiscard]] const std::vector<Index>& rules_of(Index topic) const noexcept {
        return topic == none ? rules_of_topic.back() : rules_of_topic[topic];
    }
    [[nodiscard]] const std::vector<Index>& jumps_of(Index topic) const noexcept {
        return topic == none ? jumps_of_topic.back() : jumps_of_topic[topic];
    }
};

} // namespace nurture::model
