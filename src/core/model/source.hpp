#pragma once
// What a model is made of: the definitions as they stood in their tables at a tick boundary, with their ids. This is
// what the type nurture.compiled_model holds; compile() turns it into what step() runs.
#include "core/base/decimal.hpp"
#include "core/base/time.hpp"
#include "core/model/tests.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::model {

struct RuleRow {
    std::uint32_t id = 0;
    std::string name, definition;
    friend bool operator==(const RuleRow&, const RuleRow&) = default;
};
struct SegmentRow {
    std::uint32_t id = 0;
    std::string name, condition;
    friend bool operator==(const SegmentRow&, const SegmentRow&) = default;
};
struct WorkflowRow {
    std::uint32_t id = 0, version = 0;
    std::string name, definition;
    bool current = true; ///< new journeys start here; older versions only carry on those inside
    bool paused = false; ///< nothing starts, those inside keep their timers
    std::vector<std::string> held_steps{}; ///< nobody passes them
    friend bool operator==(const WorkflowRow&, const WorkflowRow&) = default;
};
struct PolicyRow { ///< guards of what workflows send
    std::uint32_t id = 0;
    std::string name, definition;
    friend bool operator==(const PolicyRow&, const PolicyRow&) = default;
};
struct StreamRow { ///< what contacts are sent one after the other
    std::uint32_t id = 0;
    std::string name, definition;
    friend bool operator==(const StreamRow&, const StreamRow&) = default;
};
struct FeatureRow {
    std::uint32_t id = 0;
    std::string definition;    ///< canonical text
    std::int64_t from_tick = 0;///< events of earlier ticks are still being backfilled; 0: it is complete
    friend bool operator==(const FeatureRow&, const FeatureRow&) = default;
};

struct LimitRow { ///< a floor or ceiling of a topic, or of the whole score
    std::string name, topic;
    std::optional<std::int64_t> floor, ceiling; ///< 10^-6
    friend bool operator==(const LimitRow&, const LimitRow&) = default;
};
struct BandRow { ///< a named stretch of a topic's score, or of the whole score
    std::uint32_t id = 0;
    std::string name, topic;
    std::int64_t from = 0, hysteresis = 0; ///< 10^-6
    Span rearm = 0;
    friend bool operator==(const BandRow&, const BandRow&) = default;
};
/// A definition by its id and the name it had.
struct Named {
    std::uint32_t id = 0;
    std::string name;
    friend bool operator==(const Named&, const Named&) = default;
};

struct Source {
    std::uint32_t id = 0; ///< the model's number; profiles remember which they adopted
    std::string timezone = "UTC";
    Span late_after = one_day;     ///< events told later than this start no journeys
    Span action_expiry = one_day;  ///< marketing messages expire this long after they are due
    Span dedup_window = 7 * one_day;
    CalendarPolicy calendar;
    std::vector<std::string> lists; ///< the names of the static lists
    Span session_gap = 30 * one_minute;    ///< a longer silence ends a session
    Micro holdout_percent = 0; ///< of the contacts start no workflow that says nothing of it
    std::string holdout_salt;
    std::int64_t max_window_entries = 1'000; ///< what windows keep whose value needs all their events
    std::vector<RuleRow> rules;
    std::vector<SegmentRow> segments;
    std::vector<WorkflowRow> workflows;
    std::vector<LimitRow> limits;
    std::vector<BandRow> bands;
    std::vector<PolicyRow> policies;
    std::vector<StreamRow> streams;
    std::vector<Named> coupon_pools, rotas; ///< what the outbox draws from
    std::vector<FeatureRow> features;

    // How the model took over from the one before (docs/publishing.md).
    Time published = always;          ///< what had been drained by then
    /// Journeys are told of it then. False in models of version 0.1: at the contact's clock.
    bool told_when_published = true;
    std::vector<Named> left_segments; ///< the one before had them
    std::vector<std::uint32_t> enrol_segments, enrol_workflows; ///< whoever fulfils them at publishing starts journeys
    std::vector<Source> upcoming; ///< at most one: definitions whose features are collected before they take effect
    friend bool operator==(const Source&, const Source&) = default;
};

/// JSON text with a fixed order of keys: equal sources are equal texts.
[[nodiscard]] std::string print(const Source& source);
/// Throws Error(syntax) for what print() did not write, Error(newer_format) for a later format.
[[nodiscard]] Source parse_source(std::string_view json);

} // namespace nurture::model
