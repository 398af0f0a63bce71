#pragma once
// The language's abstract syntax: values without identity. Everything the four forms (rule, condition, workflow,
// policy) can say is one of the structs below; the printer turns each back into its canonical text.
//
// Nodes that name something else (a segment, say) carry the byte offset of the name, so that a name that does not
// resolve is reported where it was typed. Offsets take no part in equality.
#include "core/base/decimal.hpp"
#include "core/base/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace nurture::language {

/// Where a node began in its text; ignored by ==.
struct Offset {
    std::uint32_t byte = 0;
    friend constexpr bool operator==(Offset, Offset) noexcept { return true; }
};

/// A heap-held immutable value: copying shares it, == compares what it holds.
template <class T>
class Box {
  public:
    Box() = default;
    Box(T value) : held_(std::make_shared<const T>(std::move(value))) {}
    explicit operator bool() const noexcept { return held_ != nullptr; }
    const T& operator*() const noexcept { return *held_; }
    const T* operator->() const noexcept { return held_.get(); }
    friend bool operator==(const Box& a, const Box& b) {
        return a.held_ == b.held_ || (a.held_ && b.held_ && *a.held_ == *b.held_);
    }

  private:
    std::shared_ptr<const T> held_;
};

/// A property or attribute: `path`, `utm.source`, `"Product Added".name`. Never empty.
struct Path {
    std::vector<std::string> keys;
    friend bool operator==(const Path&, const Path&) = default;
};

/// An ISO date or time. Without an offset it is meant in the policy's zone.
struct Moment {
    std::int64_t local = 0;          ///< microseconds since 2000-01-01 00:00 of the clock as written
    std::optional<Span> utc_offset;  ///< as written ("+02:00", "Z"); none: the policy's zone
    bool date_only = false;          ///< written without a time of day
    friend bool operator==(const Moment&, const Moment&) = default;
};

/// A number written in decimal: 10, -0.5.
struct Number {
    Micro value = 0;
    friend bool operator==(const Number&, const Number&) = default;
};

using Literal = std::variant<bool, Number, std::string, Moment>;

enum class Comparator { equal, not_equal, less, less_equal, greater, greater_equal };

struct Condition;

/// An event type with an optional filter over the properties of the same event.
struct EventPattern {
    std::string type;
    Box<Condition> where; ///< empty: every event of the type
    friend bool operator==(const EventPattern&, const EventPattern&) = default;
};

/// Restricts behaviour to a part of time; half-open: an event is within d while clock - at < d.
struct Window {
    Duration within; ///< empty: ever
    friend bool operator==(const Window&, const Window&) = default;
};

// --- operands: what a comparison compares -----------------------------------------------------------------------

struct Attribute { ///< inside `where` the same node is a property of the event
    Path path;
    friend bool operator==(const Attribute&, const Attribute&) = default;
};
struct Count { ///< count(E [within d])
    EventPattern event;
    Window window;
    friend bool operator==(const Count&, const Count&) = default;
};
enum class AggregateKind { sum, distinct };
struct Aggregate { ///< sum|distinct(p of E [within d])
    AggregateKind kind = AggregateKind::sum;
    Path property;
    EventPattern event;
    Window window;
    friend bool operator==(const Aggregate&, const Aggregate&) = default;
};
enum class Which { first, last };
struct Occurrence { ///< first(E), last(E): a time; first(p of E), last(p of E): a value
    Which which = Which::last;
    std::optional<Path> property;
    EventPattern event;
    Window window;
    friend bool operator==(const Occurrence&, const Occurrence&) = default;
};
struct Score { ///< score, score(topic)
    std::optional<std::string> topic;
    Offset offset;
    friend bool operator==(const Score&, const Score&) = default;
};
struct Band { ///< band, band(topic): compared with the names of its bands
    std::optional<std::string> topic;
    Offset offset;
    friend bool operator==(const Band&, const Band&) = default;
};
using Operand = std::variant<Attribute, Count, Aggregate, Occurrence, Score, Band>;

// --- conditions -------------------------------------------------------------------------------------------------

struct Comparison { ///< operand op literal
    Operand left;
    Comparator comparator = Comparator::equal;
    Literal right;
    friend bool operator==(const Comparison&, const Comparison&) = default;
};
struct Between { ///< operand [not] between low and high, both included
    Operand left;
    Literal low, high;
    bool negated = false;
    friend bool operator==(const Between&, const Between&) = default;
};
struct In { ///< operand [not] in (…)
    Operand left;
    std::vector<Literal> values;
    bool negated = false;
    friend bool operator==(const In&, const In&) = default;
};
struct Like { ///< operand [not] like 'pattern' (% any run, _ any character, \ escapes)
    Operand left;
    std::string pattern;
    bool negated = false;
    friend bool operator==(const Like&, const Like&) = default;
};
struct IsSet { ///< operand is [not] set
    Operand left;
    bool negated = false;
    friend bool operator==(const IsSet&, const IsSet&) = default;
};
struct Truth { ///< a boolean attribute by itself: `subscribed`
    Operand operand;
    friend bool operator==(const Truth&, const Truth&) = default;
};
struct Constant { ///< true, false
    bool value = true;
    friend bool operator==(const Constant&, const Constant&) = default;
};
struct Did { ///< did E [within d]
    EventPattern event;
    Window window;
    friend bool operator==(const Did&, const Did&) = default;
};
struct InSegment { ///< in segment 's'
    std::string segment;
    Offset offset;
    friend bool operator==(const InSegment&, const InSegment&) = default;
};
struct Not {
    Box<Condition> operand;
    friend bool operator==(const Not&, const Not&) = default;
};
struct And {
    std::vector<Box<Condition>> operands; ///< two or more, none of them itself an And
    friend bool operator==(const And&, const And&) = default;
};
struct Or {
    std::vector<Box<Condition>> operands; ///< two or more, none of them itself an Or
    friend bool operator==(const Or&, const Or&) = default;
};

struct Condition {
    std::variant<Comparison, Between, In, Like, IsSet, Truth, Constant, Did, InSegment, Not, And, Or> node;
    friend bool operator==(const Condition&, const Condition&) = default;
};

// --- rules ------------------------------------------------------------------------------------------------------

enum class CapPeriod { hour, day, week, month, ever }; ///< hour and longer: calendar periods in the policy's zone
struct Cap { ///< at most n per day | at most n in total
    std::int64_t occurrences = 0;
    CapPeriod period = CapPeriod::day;
    friend bool operator==(const Cap&, const Cap&) = default;
};

/// How points wear off other than by half-lives.
enum class FadingKind {
    linear, ///< fading over d: evenly to nothing
    step,   ///< losing p percent every d, of what it was worth at first
    expiry, ///< expires after d: in full until then
};
struct Fading {
    FadingKind kind = FadingKind::linear;
    Duration span;     ///< exact: no months
    Micro percent = 0; ///< of a step, up to 100
    friend bool operator==(const Fading&, const Fading&) = default;
};

/// by plan ('pro' 10, 'free' 1, else 0): points by the value of a property, or of an attribute where there is no event.
struct PointsTable {
    Path by;
    std::vector<std::pair<Literal, Micro>> values;
    Micro otherwise = 0; ///< any other value, and none
    friend bool operator==(const PointsTable&, const PointsTable&) = default;
};

/// What a rule gives points for.
enum class RuleKind {
    event,      ///< on E: each event
    condition,  ///< while C: as long as the contact fulfils it
    inactivity, ///< for every d without E: since the last E, or since the contact was first seen
};

struct Rule { ///< +5 [per amount] on E [topic t] [half-life d] [at most n per day] …
    RuleKind kind = RuleKind::event;
    Micro points = 0;
    std::optional<Path> per;          ///< points are multiplied by this property
    std::optional<PointsTable> table; ///< instead of points
    EventPattern event;               ///< event, inactivity
    Box<Condition> condition;         ///< condition; empty: only the table decides
    Duration every;                   ///< inactivity
    std::optional<std::string> topic; ///< fit.company belongs to fit, too
    std::optional<Duration> half_life; ///< exact: no months
    std::optional<Fading> fading;
    std::optional<Duration> starting_after; ///< half_life, fading: worth in full until then
    std::optional<Cap> cap;
    std::optional<Path> once_per; ///< only the first event of each value of this property
    std::optional<Micro> floor, ceiling;
    friend bool operator==(const Rule&, const Rule&) = default;
};

// --- workflows --------------------------------------------------------------------------------------------------

struct Step;
using Steps = std::vector<Box<Step>>;

struct OnEvent {
    EventPattern event;
    friend bool operator==(const OnEvent&, const OnEvent&) = default;
};
struct OnSegment {
    bool entering = true;
    std::string segment;
    Offset offset;
    friend bool operator==(const OnSegment&, const OnSegment&) = default;
};
using Trigger = std::variant<OnEvent, OnSegment>;

enum class Reentry { never, always, after }; ///< one instance at a time in every case but `always`
struct ReentryPolicy {
    Reentry kind = Reentry::never;
    Duration after; ///< since the last start
    friend bool operator==(const ReentryPolicy&, const ReentryPolicy&) = default;
};

/// What a payload or an attribute is given: a literal, or the contact's attribute by name.
using Argument = std::variant<Literal, Path>;
struct NamedArgument {
    std::string name;
    Argument value;
    friend bool operator==(const NamedArgument&, const NamedArgument&) = default;
};

struct Wait { ///< wait 1 hour; days and months on the contact's calendar
    Duration duration;
    friend bool operator==(const Wait&, const Wait&) = default;
};
struct WaitFor { ///< wait for E|condition up to d [then … [else …] end]
    std::variant<EventPattern, Box<Condition>> what;
    Duration up_to;
    Steps then_steps, else_steps;
    friend bool operator==(const WaitFor&, const WaitFor&) = default;
};
struct Branch {
    Box<Condition> condition;
    Steps steps;
    friend bool operator==(const Branch&, const Branch&) = default;
};
struct If { ///< if C then … elsif C then … else … end
    std::vector<Branch> branches;
    Steps else_steps;
    friend bool operator==(const If&, const If&) = default;
};
struct Send { ///< send channel 'template' [for purpose] [as transactional] [with (a = 1, …)]
    std::string channel, template_name;
    std::optional<std::string> purpose;
    bool transactional = false;
    std::vector<NamedArgument> with;
    friend bool operator==(const Send&, const Send&) = default;
};
struct Do { ///< do 'kind' [with (…)]: an action of channel `kind` without a template, never marketing
    std::string kind;
    std::vector<NamedArgument> with;
    friend bool operator==(const Do&, const Do&) = default;
};
struct Set { ///< set attribute = argument
    std::string attribute;
    Argument value;
    friend bool operator==(const Set&, const Set&) = default;
};
struct Exit {
    friend bool operator==(const Exit&, const Exit&) = default;
};

struct Step {
    std::variant<Wait, WaitFor, If, Send, Do, Set, Exit> node;
    Offset offset;
    friend bool operator==(const Step&, const Step&) = default;
};

struct Workflow {
    std::vector<Trigger> triggers; ///< may be empty: started by hand
    ReentryPolicy reentry;
    std::vector<EventPattern> exit_on;
    std::vector<Box<Condition>> exit_when;
    Steps steps;
    friend bool operator==(const Workflow&, const Workflow&) = default;
};

} // namespace nurture::language
