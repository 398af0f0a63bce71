#pragma once
// What conditions and scores read: a contact's features by slot, attributes and membership, under one model.
#include "core/model/model.hpp"
#include "core/profile/profile.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace nurture::step {

using model::Index;
using model::Model;
using model::none;

/// SQL's three-valued logic.
enum class Truth : std::uint8_t { no, yes, unknown };

/// A condition's truth at a clock, and the earliest moment after it at which it can change by the mere passing of time
/// (never late; perhaps early). `bound`, of a leaf: what it compares is of the newest events only, there may be more; a
/// count that suffices for the comparison is one ("3 or more").
struct Outcome {
    Truth truth = Truth::unknown;
    Time flips = never;
    bool bound = false;
};

class Range;

class Facts {
  public:
    /// `key` is the contact's; it must live as long as this. Empty: not known, then samples are unknown.
    Facts(const Model& model, const profile::Profile& profile, std::string_view key = {});
    /// Takes the profile's features out of it; its attributes are read where they are.
    struct Take {};
    Facts(const Model& model, profile::Profile& profile, Take, std::string_view key = {});

    const Model& model;
    const profile::Profile& profile;            ///< attributes
    std::vector<profile::FeatureValue> features;///< by slot
    std::vector<char> members;                  ///< by segment
    std::vector<Time> since;                    ///< by segment: of the membership
    std::vector<profile::SegmentPast> pasts;    ///< by segment; of those that conditions ask about
    std::string_view key;                       ///< the contact's, or empty
    std::vector<std::uint32_t> levels;          ///< by ladder: the band the contact is in, 0: none

    [[nodiscard]] Outcome evaluate(Index node, Time clock) const;
    /// A filter over the properties of one event.
    [[nodiscard]] Truth matches(Index node, const profile::Properties& properties) const;

    /// The contact's attribute, or `missing`. The text lives until the next call of forget().
    [[nodiscard]] profile::Value attribute(Index index) const;
    /// A variable of the journey at hand, or `missing`.
    [[nodiscard]] profile::Value variable(Index index) const;
    mutable const profile::Journey* journey = nullptr; ///< whose variables conditions read
    /// A date that an attribute or a variable holds, on the contact's clock.
    [[nodiscard]] std::optional<Time> date(const profile::Value& value) const;
    [[nodiscard]] bool in_sample(const model::SampleTest& test) const;
    void forget() const { texts_.clear(); }
    /// To be called when a feature's value has changed.
    void changed(Index feature) noexcept;

    /// Where the contact lives: the attribute timezone, else the policy's zone.
    [[nodiscard]] const Zone& contact_zone() const;
    /// The attribute country; empty where it is none.
    [[nodiscard]] std::string contact_country() const;
    /// To be called when an attribute, or when the contact was first seen, has changed.
    void attributes_changed() noexcept;
    /// To be called when profile.score has changed: frozen, reset, adjusted.
    void reload_score_state();

    // --- scores (score.cpp)
    /// Points × decayed count or sum, rounded half away from zero to 10^-6.
    [[nodiscard]] Wide contribution(const model::ScoringRule& rule, Time at) const;
    /// The decayed count or sum itself, 10^-6; of a condition or an inactivity how many times it gives the points.
    [[nodiscard]] Wide occurrences(const model::ScoringRule& rule, Time at) const;
    /// The sum of the contributions to a topic (none: of all rules) within its limits.
    [[nodiscard]] Wide score(Index topic, Time at) const;
    /// The same but for the topic's own floor and ceiling; the limits below it hold.
    [[nodiscard]] Wide unlimited_score(Index topic, Time at) const;
    /// The same as score, in parts that add up to score(none, at): what limits take and give are parts, too.
    struct Part {
        const model::ScoringRule* rule = nullptr; ///< none: an adjustment or a limit
        enum class Kind : std::uint8_t { rule, adjustment, floor, ceiling } kind = Kind::rule;
        Index topic = none;
        std::string limited; ///< of a limit: the rule's name, when it is a rule's
        Wide value = 0;
    };
    [[nodiscard]] std::vector<Part> parts(Time at) const;
    /// 0: what the rule adds does not decay by half-lives.
    [[nodiscard]] Span half_life_of(const model::ScoringRule& rule) const noexcept;
    /// What is left of one event's amount at a time, by itself; where amounts decay together their rounded sum may differ.
    [[nodiscard]] static Wide amount_left(const model::ScoringRule& rule, Span half_life, Micro amount, Time happened,
                                          Time at);
    /// The events a rule counts, ascending, where its feature holds them singly; empty where it holds a sum.
    [[nodiscard]] std::optional<std::vector<profile::Stamp>> counted(const model::ScoringRule& rule) const;
    /// When the score was frozen, or never.
    [[nodiscard]] Time frozen_at() const noexcept;
    [[nodiscard]] const profile::Stamp& reset() const noexcept { return profile.score.reset; }

    // --- crossings (crossing.cpp)
    /// The first moment after `clock` at which "score >= bound" may change; see crossing.cpp.
    [[nodiscard]] Time next_crossing(Index topic, Wide bound, Time clock) const;

    // --- why
    /// The outcome of one node, and what its left side holds: "3", "'pro'", "not set"; empty where it has none.
    struct Shown {
        Outcome outcome;
        std::string left;
    };
    [[nodiscard]] Shown show(Index node, Time clock) const;

    /// Comparisons that came out unknown since a value could not be taken as the literal's type.
    mutable std::uint64_t unconvertible = 0;

  private:
    mutable std::deque<std::string> texts_; // of attributes that had to be unescaped

    // By rule: what it contributed at the moment it was read last. The conditions of one moment share their readings.
    struct Read {
        Time at = always;
        Wide value = 0;
    };
    mutable std::vector<Read> contributions_;
    void load_members();
    void load_levels();

    struct Frozen; ///< what was known when the score was frozen
    std::shared_ptr<const Frozen> frozen_;
    std::vector<profile::FeatureValue> before_reset_; // by slot; empty: never reset
    struct Fall; ///< how fast, and when at a stroke, the points of a rule can wear off (score.hpp)
    [[nodiscard]] Fall fall_of(const model::ScoringRule& rule, Time at, bool of_positive) const;
    [[nodiscard]] Wide count_events(const model::ScoringRule& rule, Time at, Wide* negative) const;
    [[nodiscard]] Wide count_events(const model::ScoringRule& rule, const profile::FeatureValue* feature,
                                    const profile::FeatureValue* fresh, Time at, Wide* negative) const;
    [[nodiscard]] profile::FeatureValue since_reset(Index feature) const;
    [[nodiscard]] Wide idle_spans(const model::ScoringRule& rule, Time at, Time* next) const;
    [[nodiscard]] Wide adjusted(Index topic, Time at) const;
    [[nodiscard]] bool is_part_of(Index part, Index topic) const noexcept;
    template <class Of, class Note>
    Wide combine(Index topic, Time at, bool within_limits, Of of, Note note) const;
    [[nodiscard]] Time next_jump(Index topic, Time clock) const;
    class Crossing;

    struct Reading;
    [[nodiscard]] Reading read(const model::Operand& operand, Time clock, const profile::Properties* event) const;
    [[nodiscard]] Outcome evaluate(const model::Node& node, Time clock, const profile::Properties* event) const;
    [[nodiscard]] Outcome test(const model::Node& node, Time clock, const profile::Properties* event) const;
    // Behaviour: condition_behaviour.cpp, condition_sequence.cpp, condition_session.cpp.
    [[nodiscard]] Reading read_behaviour(const model::Operand& operand, Time clock) const;
    void read_entries(const model::Operand& operand, const Range& range, Reading& out) const;
    void read_texts(const model::Operand& operand, const Range& range, Reading& out) const;
    void read_extreme(const model::Operand& operand, const Range& range, Reading& out) const;
    void read_periods(const model::Operand& operand, Time clock, Reading& out) const;
    void read_sessions(const model::Operand& operand, const Range& range, Reading& out) const;
    void read_page(const model::Operand& operand, Reading& out) const;
    [[nodiscard]] Reading read_consent(const model::Operand& operand, Time clock) const; // condition_consent.cpp
    void read_dwell(const model::Operand& operand, const Range& range, Reading& out) const;
    [[nodiscard]] Outcome in_session(const model::Node& node, Time clock) const;
    [[nodiscard]] Range range_of(const model::TimeRange& range, Time clock) const;
    [[nodiscard]] Range range_of(const model::Operand& operand, Time clock) const;
    [[nodiscard]] Outcome trend(const model::Node& node, Time clock) const;
    [[nodiscard]] Outcome sequence(const model::Node& node, Time clock) const;
    [[nodiscard]] Outcome compare_score(const model::Node& node, Time clock) const;
    [[nodiscard]] Outcome group(const model::Node& node, Time clock, const profile::Properties* event) const;
    [[nodiscard]] Truth compare(const Reading& reading, const model::Constant& constant,
                                language::Comparator comparator, Folding folding = {}) const;
    [[nodiscard]] Truth answer(const model::Node& node, const Reading& reading) const;

    // condition_attribute.cpp
    [[nodiscard]] Reading read_derived(const model::Derived& derived, Time clock, const profile::Properties* event) const;
    [[nodiscard]] std::optional<Time> time_of(const Reading& reading, const Zone& zone) const;
    [[nodiscard]] Truth compare_readings(const Reading& a, language::Comparator comparator, const Reading& b,
                                         Folding folding) const;
    [[nodiscard]] Outcome compare_operands(const model::Node& node, Time clock, const profile::Properties* event) const;
    [[nodiscard]] Outcome distinct(const model::Node& node, Time clock, const profile::Properties* event) const;
    [[nodiscard]] Outcome test_text(const model::Node& node, Time clock, const profile::Properties* event) const;
    [[nodiscard]] Outcome test_empty(const model::Node& node, Time clock, const profile::Properties* event) const;
    [[nodiscard]] Outcome has_items(const model::Node& node, Time clock, const profile::Properties* event) const;
    [[nodiscard]] Outcome test_history(const model::Node& node, Time clock) const;

    // condition_date.cpp
    mutable std::optional<std::pair<std::string, Zone>> contact_zone_; // of the attribute as it was read last
    [[nodiscard]] const Zone& zone_of(const model::ZoneRef& ref) const;
    [[nodiscard]] Reading read_part(const model::Derived& derived, Time clock, const profile::Properties* event) const;
    [[nodiscard]] Time next_part(const model::Derived& derived, Time clock) const;
    [[nodiscard]] bool asks_now(const model::Operand& operand) const;
    [[nodiscard]] Outcome test_now(const model::Node& node, Time clock) const;
    [[nodiscard]] Outcome test_date(const model::Node& node, Time clock, const profile::Properties* event) const;

    // condition_membership.cpp
    [[nodiscard]] Outcome test_past(const model::Node& node, Time clock) const;
    [[nodiscard]] Time end_of(const Duration& duration, Time from) const;
    [[nodiscard]] Outcome test_sample(const model::Node& node) const;
    [[nodiscard]] Outcome test_journey(const model::Node& node) const;
    [[nodiscard]] Outcome test_reached(const model::Node& node, Time clock) const; // condition_date.cpp
    [[nodiscard]] Outcome test_list(const model::Node& node, Time clock) const;
    [[nodiscard]] Outcome at_least(const model::Node& node, Time clock, const profile::Properties* event) const;
};

/// While it lives conditions read the journey's variables.
class ReadingVariables {
  public:
    ReadingVariables(const Facts& facts, const profile::Journey& journey) : facts_(facts), before_(facts.journey) {
        facts_.journey = &journey;
    }
    ReadingVariables(const ReadingVariables&) = delete;
    ReadingVariables& operator=(const ReadingVariables&) = delete;
    ~ReadingVariables() { facts_.journey = before_; }

  private:
    const Facts& facts_;
    const profile::Journey* before_;
};

/// SQL LIKE: % any run of characters, _ any one character (UTF-8), \ escapes.
[[nodiscard]] bool like(std::string_view text, std::string_view pattern) noexcept;

/// The JSON text of a stored attribute as a value; what must be unescaped is kept in `texts`.
[[nodiscard]] profile::Value value_of_json(std::string_view json, std::deque<std::string>& texts);
/// What the path leads to in the JSON text that stands under its first key.
[[nodiscard]] profile::Value value_of_json(std::string_view json, const language::Path& path, std::deque<std::string>& texts);

} // namespace nurture::step
