#pragma once
// The parts of a model under construction: interned paths, patterns and features, compiled conditions.
#include "core/language/language.hpp"
#include "core/language/stream.hpp"
#include "core/model/model.hpp"

#include <map>

namespace nurture::model {

/// Where a condition stands: inside `where` names are the event's properties, elsewhere the contact's attributes.
enum class Scope { event, contact };

class Builder {
  public:
    explicit Builder(Model& model) : model_(model) {}

    Index pattern(const language::EventPattern& event);
    Index feature(profile::FeatureDefinition definition);
    Index condition(const language::Condition& condition, Scope scope);
    /// The topic and what it is part of: fit.company makes fit known too.
    Index topic(const std::string& name);
    [[nodiscard]] std::optional<Index> known_topic(const std::string& name) const;
    Index attribute(const language::Path& path);
    Index property(const language::Path& path);
    // builder_journey.cpp
    /// The variable context.p; none for another path, and outside of workflows.
    Index context(const language::Path& path);
    JourneyPattern journey_pattern(const language::JourneyEvent& event);
    /// The segment that a workflow's `when` keeps, by what it asks.
    Index watch(const std::string& text, Index condition);
    Index watch(const language::OnCondition& on);
    Index watch(const language::OnDate& on);
    Index attribute_trigger(const language::OnAttribute& on);
    Index schedule(const language::OnSchedule& on);
    std::uint32_t workflow_id(const std::string& name, language::Offset offset) const;
    void check_list(const std::string& name, language::Offset offset) const;
    // builder_stream.cpp
    void stream(const StreamRow& row, const language::Stream& stream);
    Index stream_index(const std::string& name, language::Offset offset);
    std::uint32_t coupon_pool_id(const std::string& name, language::Offset offset) const;
    std::uint32_t rota_id(const std::string& name, language::Offset offset) const;
    Index segment_index(const std::string& name, language::Offset offset) const;
    std::shared_ptr<const std::vector<std::int32_t>> holidays(const std::optional<std::string>& calendar,
                                                              language::Offset offset) const;
    /// The account's control group, if there is one.
    [[nodiscard]] std::optional<SampleTest> holdout() const;

    [[nodiscard]] const Zone& zone() const noexcept { return model_.zone; }

    /// Names that conditions may refer to; set before conditions are compiled.
    std::map<std::string, Index> segments;
    std::vector<std::string> segment_names;
    std::map<std::string, std::uint32_t> workflows; ///< ids
    /// The workflow that is being compiled: where to note the variables it mentions; null outside.
    std::vector<Index>* contexts = nullptr;
    /// Ids of workflows that others start on or wait for.
    std::vector<std::uint32_t>* followed = nullptr;
    /// Where to note the features that are asked for; may be null.
    std::vector<Index>* asked = nullptr;

  private:
    Model& model_;
    std::map<std::string, Index> patterns_, features_, properties_, attributes_, topics_, contexts_, watches_, schedules_;
    bool context_in_where_ = false; // the filter at hand is a journey's own

    Index add(Node node);
    Index compile(const language::Comparison& c, Scope scope);
    Index compile(const language::Between& c, Scope scope);
    Index compile(const language::In& c, Scope scope);
    Index compile(const language::Like& c, Scope scope);
    Index compile(const language::IsSet& c, Scope scope);
    Index compile(const language::Truth& c, Scope scope);
    Index compile(const language::Constant& c, Scope scope);
    Index compile(const language::Did& c, Scope scope);
    Index compile(const language::Regularly& c, Scope scope); // builder_behaviour.cpp
    Index compile(const language::Trend& c, Scope scope);
    Index compile(const language::Sequence& c, Scope scope);
    Index compile(const language::InSession& c, Scope scope); // builder_session.cpp
    Index compile(const language::InSegment& c, Scope scope);
    Index compile(const language::Not& c, Scope scope);
    Index compile(const language::And& c, Scope scope);
    Index compile(const language::Or& c, Scope scope);
    // builder_attribute.cpp
    Index compile(const language::ComparePaths& c, Scope scope);
    Index compile(const language::DistinctFrom& c, Scope scope);
    Index compile(const language::TextTest& c, Scope scope);
    Index compile(const language::IsEmpty& c, Scope scope);
    Index compile(const language::HasItems& c, Scope scope);
    Index compile(const language::Ignoring& c, Scope scope);
    Index compile(const language::Changed& c, Scope scope);
    Index compile(const language::HasBeen& c, Scope scope);
    // builder_date.cpp
    Index compile(const language::DateTest& c, Scope scope);
    // builder_membership.cpp
    Index compile(const language::InSegmentFor& c, Scope scope);
    Index compile(const language::MovedSegment& c, Scope scope);
    Index compile(const language::WasInSegment& c, Scope scope);
    Index compile(const language::OnList& c, Scope scope);
    Index compile(const language::Sample& c, Scope scope);
    Index compile(const language::AtLeastOf& c, Scope scope);
    Index compile(const language::InJourney& c, Scope scope);
    Index compile(const language::Exhausted& c, Scope scope); // builder_stream.cpp
    Index group(Op op, const std::vector<language::Box<language::Condition>>& operands, Scope scope);

    /// `decisive`: how many of the newest events settle the comparison (0: all of the window).
    Operand operand(const language::Operand& operand, Scope scope, std::int64_t decisive);
    // builder_behaviour.cpp
    struct Part;
    Part part(const language::Window& window);
    Operand entries(profile::FeatureDefinition definition, const Part& part, OperandKind kind);
    Operand count(const language::EventPattern& event, const language::Window& window, std::int64_t decisive);
    Operand days(const language::Days& days, std::int64_t decisive);
    Operand aggregate(const language::Aggregate& aggregate, std::int64_t decisive);
    Operand occurrence(const language::Occurrence& occurrence);
    /// Operands made of others; empty for the rest.
    std::optional<Operand> derived(const language::Operand& operand, Scope scope);
    Operand value_of(const language::Path& path, Scope scope);
    ZoneRef zone_ref(const language::ZoneChoice& choice) const;
    [[nodiscard]] bool holds_text(const Operand& operand) const noexcept;
    [[nodiscard]] bool is_derived_number(const Operand& operand) const noexcept;
    void check_part(const Operand& operand, const Constant& constant) const;
    Index history(const language::Path& attribute, const Duration& within, HistoryTest test);
    Index past_of(const std::string& segment, language::Offset offset, SegmentTest test, Scope scope);
    Folding folding_; // of the test that is being compiled
    Operand days_since(const language::DaysSince& days);
    Operand sessions(const language::Sessions& sessions);
    Operand session_page(const language::SessionPage& page);
    RangeEnd bound(const language::Bound& bound, bool whole_day);
    Time moment(const language::Moment& moment, bool whole_day) const;
    // builder_session.cpp
    Index visits(const language::EventPattern& event, Span gap, std::int64_t newest = 0);
    Operand dwell(const language::Sessions& sessions);
    [[nodiscard]] Span gap_of(const Duration& own) const;
    Operand band(const language::Band& band);
    [[nodiscard]] Constant band_level(const language::Literal& literal, const Operand& operand) const;
    Constant constant(const language::Literal& literal, const Operand& operand) const;
    [[nodiscard]] std::int64_t decisive_entries(const language::Operand& operand, const language::Literal& literal,
                                                bool at_least) const;
};

} // namespace nurture::model
