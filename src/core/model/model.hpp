#pragma once
// The compiled model: everything step() needs, resolved to indexes. Immutable once compiled.
#include "core/consent/consent.hpp"
#include "core/model/behaviour.hpp"
#include "core/model/journey.hpp"
#include "core/model/scoring.hpp"
#include "core/model/source.hpp"
#include "core/model/tests.hpp"
#include "core/profile/feature.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace nurture::guard {
struct Guards;
}

namespace nurture::model {

// --- conditions ---------------------------------------------------------------------------------------------------

enum class OperandKind : std::uint8_t {
    property,      ///< of the event at hand; index into Model::properties
    attribute,     ///< index into Model::attributes
    context,       ///< of the journey at hand; index into Model::contexts
    count,         ///< a count feature
    sum,           ///< a sum feature
    recent_count,  ///< entries inside the window
    recent_sum,    ///< their amounts' sum
    recent_oldest, ///< time of the oldest entry inside the window
    extreme_time,  ///< of a first/last feature
    extreme_value,
    score,         ///< index into Model::topics; none: all rules
    now,           ///< the moment of the question
    derived,       ///< made of another operand; index into Model::derived
    band,          ///< index into Model::ladders; compared by level, in whole numbers of 10^-6
    consent,         ///< status, a text; index into Model::consent_scopes
    consent_expires, ///< when what is granted expires, or has expired
    // Below: condition_behaviour.cpp
    average,         ///< of an average feature
    peak,            ///< of a least/greatest feature
    recent_newest,   ///< time of the newest entry inside the window
    recent_average, recent_least, recent_greatest,
    recent_distinct, ///< how many amounts differ
    recent_days,     ///< on how many days of the policy's zone
    text_first, text_last, ///< value of the oldest or newest entry inside the window
    days_since_extreme, days_since_oldest, days_since_newest,
    periods_reached, ///< how many of the last n calendar periods have an entry; n is the feature's `newest`
    sessions, longest_session, last_session, ///< those that end inside the window; lengths in seconds
    entry_page, exit_page,                   ///< of the newest session that has one
    dwell, longest_dwell, last_dwell,        ///< seconds until the next event of the session, or as the event says
};

/// What an operand holds: a JSON value, a number of 10^-6, or a time.
enum class OperandType : std::uint8_t { value, number, time };
[[nodiscard]] OperandType type_of(OperandKind kind) noexcept;

struct Operand {
    OperandKind kind = OperandKind::property;
    Index index = none; ///< property, attribute, topic, or slot of the feature
    Index span = none;  ///< index into Model::spans; none: the feature's own window
    Index stay = none;  ///< entry_page to last_dwell: index into Model::stays
};

/// A part of a date, the items of a list, …: of another operand.
struct Derived {
    DerivedKind kind = DerivedKind::items;
    Operand of;
    language::CalendarPart part = language::CalendarPart::hour;
    ZoneRef zone;
};

enum class Op : std::uint8_t {
    constant, compare, between, in, like, is_set, truth, in_segment, negate, all, any, trend, sequence,
    // Node::detail is an index into the vector of Model named behind them.
    compare_operands, distinct, text /* text_tests */, empty, has_items /* detail: a language::Quantity */,
    date /* date_tests */, history /* history_tests */, segment_past /* segment_tests */, on_list,
    sample /* sample_tests */, in_session /* detail: into stays */, at_least /* detail: how many */, journey /* journey_tests */,
    reached /* reached_tests */,
};

/// A node of a condition. Conditions are trees over Model::nodes.
struct Node {
    Op op = Op::constant;
    bool flag = false; ///< constant: the value; between, in, like, is_set: negated
    language::Comparator comparator = language::Comparator::equal;
    Operand operand;
    std::vector<Constant> constants;
    std::string pattern;         ///< like
    std::string text;            ///< as typed, in canonical form; of conditions on contacts
    Index segment = none;        ///< in_segment: index into Model::segments
    std::vector<Index> children; ///< negate, all, any, at_least
    Operand second;              ///< compare_operands, distinct without a constant
    Folding folding;             ///< what comparisons of texts ignore; constants are folded already
    Index detail = none;         ///< sequence: index into Model::sequences; trend: of the span before `operand`'s
};

/// An event type with its filter; events are matched against every pattern of their type once.
struct Pattern {
    std::string type;
    Index filter = none; ///< a node over properties
};

// --- what definitions become --------------------------------------------------------------------------------------

struct Feature {
    std::uint32_t id = 0;
    std::int64_t from_tick = 0;
    profile::FeatureDefinition definition;
    std::string text;
    Index pattern = none;
    Index property = none, key = none;
};

struct Segment {
    std::uint32_t id = 0;
    std::string name;
    Index condition = none;
    bool hidden = false; ///< a workflow's `when`: nobody is told of it
};

/// Ids from here on are those of hidden segments, hashes of what they ask; the others are given by the tables.
inline constexpr std::uint32_t first_hidden_id = 1U << 31;

struct Model {
    Source source;
    Zone zone = Zone::find("UTC");

    std::vector<language::Path> properties, attributes;
    struct Variable {
        std::string text; ///< canonical
        language::Path path;
    };
    std::vector<Variable> contexts; ///< of the events that start journeys
    std::vector<Node> nodes;
    std::vector<Derived> derived;
    std::vector<TextTest> text_tests;
    std::vector<DateTest> date_tests;
    std::vector<HistoryTest> history_tests;
    std::vector<SegmentTest> segment_tests;
    std::vector<SampleTest> sample_tests;
    std::vector<JourneyTest> journey_tests;
    std::vector<ReachedTest> reached_tests;
    std::vector<consent::Scope> consent_scopes;
    std::vector<Index> histories;      ///< slots of features fed by writes of attributes instead of by a pattern
    std::vector<char> remembers;       ///< by segment: its past is asked about
    std::vector<TimeRange> spans;
    std::vector<Sequence> sequences;
    std::vector<Stay> stays;
    std::vector<Pattern> patterns;
    std::unordered_map<std::string, std::vector<Index>> patterns_of_type; ///< type "": any event
    std::vector<Feature> features;                            ///< by slot
    std::vector<std::pair<std::uint32_t, Index>> slots_by_id; ///< ascending
    std::vector<std::vector<Index>> features_of_pattern;
    std::vector<std::string> topics;
    std::vector<ScoringRule> rules;
    Scoring scoring; ///< how the rules' shares make a score; bands
    std::vector<Segment> segments; ///< each after those its condition names
    std::vector<std::pair<std::uint32_t, Index>> segments_by_id;
    std::vector<Workflow> workflows;
    std::vector<AttributeTrigger> attribute_triggers;
    std::vector<ScheduleTrigger> schedules;
    std::vector<Stream> streams;
    std::vector<std::uint64_t> stream_contents; ///< hashes of what they hold, ascending
    std::vector<std::uint32_t> followed; ///< ids of workflows whose journeys others follow, ascending
    std::shared_ptr<const guard::Guards> guards; ///< of the policies; none: there are none

    // Which segments to look at again when something changed.
    std::vector<std::vector<Index>> segments_of_feature, segments_of_segment;
    std::unordered_map<std::uint32_t, std::vector<Index>> segments_of_workflow; ///< by id
    std::unordered_map<std::string, std::vector<Index>> segments_of_attribute; ///< by topmost key
    std::vector<std::vector<Index>> segments_of_ladder;
    std::vector<Index> segments_of_first_seen, segments_of_consent;

    [[nodiscard]] Index slot_of(std::uint32_t feature_id) const noexcept;
    [[nodiscard]] Index segment_of(std::uint32_t segment_id) const noexcept;
    [[nodiscard]] Index workflow_of(std::uint32_t id, std::uint32_t version) const noexcept;
    [[nodiscard]] Index current_workflow(std::uint32_t id) const noexcept;
    [[nodiscard]] Index topic_of(std::string_view name) const noexcept;
};

/// The canonical texts of the features a source needs, each once. Throws as compile() does.
[[nodiscard]] std::vector<std::string> required_features(const Source& source);

/// Throws Error: whatever the language reports for a definition (its name in the message), undefined_name,
/// invalid_definition (cycles of segments, a comparison of things that cannot be compared).
/// Every required feature needs its row in source.features.
[[nodiscard]] Model compile(Source source);

} // namespace nurture::model
