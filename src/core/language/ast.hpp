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
    std::string type; ///< empty: any event but the engine's own ($sent, …)
    Box<Condition> where; ///< empty: every event of the type
    friend bool operator==(const EventPattern&, const EventPattern&) = default;
};

/// One end of a part of time: a moment, the contact's attribute, or so long before the clock.
struct Ago {
    Duration duration;
    friend bool operator==(const Ago&, const Ago&) = default;
};
using Bound = std::variant<Moment, Path, Ago>;

/// Restricts behaviour to a part of time; half-open: an event is within d while clock - at < d. One of: nothing (ever),
/// within d, since b, before b, between b (since) and b (until: included, a date with its whole day).
struct Window {
    Duration within; ///< empty: no such limit
    std::optional<Bound> since, before, until;
    [[nodiscard]] bool ever() const noexcept { return within.empty() && !since && !before && !until; }
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
enum class AggregateKind { sum, distinct, avg, min, max };
struct Aggregate { ///< sum|distinct|avg|min|max(p of E [within d])
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
struct Days { ///< days(E [window]): on how many days of the policy's zone
    EventPattern event;
    Window window;
    friend bool operator==(const Days&, const Days&) = default;
};
struct DaysSince { ///< days since first|last(E [window]): whole days of 24 hours
    Which which = Which::last;
    EventPattern event;
    Window window;
    friend bool operator==(const DaysSince&, const DaysSince&) = default;
};
/// How many; lengths in seconds; then how long it was until the next event of the session, in seconds.
enum class SessionFigure { count, longest, last, dwell, longest_dwell, last_dwell };
struct Sessions { ///< sessions|longest session|last session|dwell|longest dwell|last dwell(E [window][, gap d])
    SessionFigure figure = SessionFigure::count;
    EventPattern event;
    Window window;
    Duration gap; ///< a longer silence ends a session; empty: the policy's
    friend bool operator==(const Sessions&, const Sessions&) = default;
};
struct SessionPage { ///< entry(p of E[, gap d]), exit(p of E): the first or last value of the last session that has one
    bool entry = true;
    Path property;
    EventPattern event;
    Duration gap;
    friend bool operator==(const SessionPage&, const SessionPage&) = default;
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

// --- operands of attributes and dates ---

/// Whose calendar a date condition is read on.
struct ZoneChoice {
    enum class Kind { policy, contact, named };
    Kind kind = Kind::policy;
    std::string name; ///< of the tz database
    Offset offset;
    friend bool operator==(const ZoneChoice&, const ZoneChoice&) = default;
};
struct Now { ///< now: the moment of the question
    friend bool operator==(const Now&, const Now&) = default;
};
enum class CalendarPart { year, quarter, month, week, day, weekday, hour, minute };
struct DatePart { ///< hour(now), month(born in contact time zone)
    CalendarPart part = CalendarPart::hour;
    std::optional<Path> of; ///< none: of now
    ZoneChoice zone;
    friend bool operator==(const DatePart&, const DatePart&) = default;
};
struct Anniversary { ///< anniversary(born): the days of the years after it; for date tests only
    Path of;
    friend bool operator==(const Anniversary&, const Anniversary&) = default;
};
struct Items { ///< items(tags): how many items a list has
    Path list;
    friend bool operator==(const Items&, const Items&) = default;
};
struct Domain { ///< domain(email): what stands behind the last @, in lower case
    Path address;
    friend bool operator==(const Domain&, const Domain&) = default;
};

/// consent(channel [, purpose]): its status, and by itself whether it is granted; … expires: when it does.
struct Consent {
    std::string channel;
    std::optional<std::string> purpose; ///< none: every purpose
    bool expires = false;
    friend bool operator==(const Consent&, const Consent&) = default;
};

using Operand = std::variant<Attribute, Count, Aggregate, Occurrence, Days, DaysSince, Sessions, SessionPage, Score,
                             Now, DatePart, Anniversary, Items, Domain, Band, Consent>;

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
/// did E in at least k of the last n days|weeks|months: periods of the policy's calendar, the running one is the last.
enum class RegularUnit { day, week, month };
struct Regularly {
    EventPattern event;
    std::int64_t at_least = 1, periods = 1; ///< 1 <= at_least <= periods
    RegularUnit unit = RegularUnit::week;
    friend bool operator==(const Regularly&, const Regularly&) = default;
};
struct Trend { ///< operand increased|decreased [by x percent]: against the window of the same length before
    Operand left;  ///< with a window `within d`
    bool increased = true;
    Micro percent = 0; ///< 0: by anything
    friend bool operator==(const Trend&, const Trend&) = default;
};
/// One step of a sequence: an event later than the step before it (in time: events of one instant have no order).
struct SequenceStep {
    bool absent = false; ///< `not E within d`: no such event for d; the step happens when d is over
    EventPattern event;
    Duration within;                   ///< since the step before; empty: ever
    std::vector<EventPattern> without; ///< none of these strictly between the step before and this one
    friend bool operator==(const SequenceStep&, const SequenceStep&) = default;
};
/// did (A then B within d without C then not D within d with same p within one session within d overall) [window]
struct Sequence {
    std::vector<SequenceStep> steps; ///< two or more, the first one plain
    std::optional<Path> same;        ///< all events have the same known value of this property
    bool one_session = false;
    Duration gap;     ///< one_session: a longer silence ends it; empty: the policy's
    Duration overall; ///< from the first step to the last; empty: any
    Window window;    ///< of all events that take part
    friend bool operator==(const Sequence&, const Sequence&) = default;
};
struct InSession { ///< in session [(E[, gap d])]: the newest such event is not longer ago than the gap
    EventPattern event;
    Duration gap;
    friend bool operator==(const InSession&, const InSession&) = default;
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

// --- conditions over attributes ---

/// A value, or the contact's attribute (the event's property) by name.
using Comparand = std::variant<Literal, Path>;

struct ComparePaths { ///< operand op path: one attribute with another
    Operand left;
    Comparator comparator = Comparator::equal;
    Path right;
    friend bool operator==(const ComparePaths&, const ComparePaths&) = default;
};
struct DistinctFrom { ///< operand is [not] distinct from value: never unknown
    Operand left;
    Comparand right;
    bool negated = false;
    friend bool operator==(const DistinctFrom&, const DistinctFrom&) = default;
};
enum class TextRelation { contains, starts_with, ends_with, matches };
struct TextTest { ///< operand contains|starts with|ends with 'text', operand ~ 'regular expression'
    Operand left;
    TextRelation relation = TextRelation::contains;
    std::string text;
    bool negated = false;
    Offset offset; ///< of the text
    friend bool operator==(const TextTest&, const TextTest&) = default;
};
struct IsEmpty { ///< operand is [not] empty: '', [] or {}
    Operand left;
    bool negated = false;
    friend bool operator==(const IsEmpty&, const IsEmpty&) = default;
};
enum class Quantity { any, all, none };
struct HasItems { ///< operand has any|all|none of (…)
    Operand left;
    Quantity quantity = Quantity::any;
    std::vector<Literal> items;
    friend bool operator==(const HasItems&, const HasItems&) = default;
};
struct Ignoring { ///< test ignoring case|accents|case and accents
    bool letter_case = false, accents = false; ///< one or both
    Box<Condition> test;                       ///< a comparison of texts
    friend bool operator==(const Ignoring&, const Ignoring&) = default;
};
struct Changed { ///< attribute changed [from 'a'] [to 'b'] within d
    Path attribute;
    std::optional<Literal> from, to;
    Duration within;
    Offset offset;
    friend bool operator==(const Changed&, const Changed&) = default;
};
struct HasBeen { ///< attribute has been 'a' for at least|less than d
    Path attribute;
    Literal value;
    bool at_least = true;
    Duration duration;
    friend bool operator==(const HasBeen&, const HasBeen&) = default;
};

// --- conditions over dates ---

enum class DateRelation { on, before, after };
struct AgainstDate { ///< on|before|after 2026-01-31
    DateRelation relation = DateRelation::on;
    Moment moment;
    friend bool operator==(const AgainstDate&, const AgainstDate&) = default;
};
enum class CalendarUnit { day, week, month, quarter, year };
struct InPeriod { ///< is today|yesterday|tomorrow, in this|last|next week|month|quarter|year
    CalendarUnit unit = CalendarUnit::day;
    int offset = 0; ///< -1 last, 0 this, 1 next
    friend bool operator==(const InPeriod&, const InPeriod&) = default;
};
enum class SpanRelation { within_last, within_next, more_ago, less_ago, more_ahead, less_ahead, exactly_ago, exactly_ahead };
struct WithinSpan { ///< within last|next d, more|less than d ago|ahead, exactly d ago|ahead
    SpanRelation relation = SpanRelation::within_last;
    Duration span;
    friend bool operator==(const WithinSpan&, const WithinSpan&) = default;
};
struct PastOrFuture { ///< is in the past|future
    bool future = false;
    friend bool operator==(const PastOrFuture&, const PastOrFuture&) = default;
};
enum class DayKind { business_day, weekend, holiday };
struct OnDayKind { ///< is business day|weekend|holiday [of 'calendar']
    DayKind kind = DayKind::business_day;
    std::optional<std::string> calendar;
    Offset offset;
    friend bool operator==(const OnDayKind&, const OnDayKind&) = default;
};
using DateQuestion = std::variant<AgainstDate, InPeriod, WithinSpan, PastOrFuture, OnDayKind>;
struct DateTest { ///< operand question [in contact time zone|in time zone 'z']
    Operand left;
    DateQuestion question;
    bool negated = false;
    ZoneChoice zone;
    friend bool operator==(const DateTest&, const DateTest&) = default;
};

// --- conditions over membership ---

struct InSegmentFor { ///< in segment 's' for at least|less than d
    std::string segment;
    bool at_least = true;
    Duration duration;
    Offset offset;
    friend bool operator==(const InSegmentFor&, const InSegmentFor&) = default;
};
struct MovedSegment { ///< entered|left segment 's' within d
    std::string segment;
    bool entered = true;
    Duration within;
    Offset offset;
    friend bool operator==(const MovedSegment&, const MovedSegment&) = default;
};
struct WasInSegment { ///< was in segment 's' on 2026-01-31 | at 2026-01-31T10:00
    std::string segment;
    Moment moment;
    Offset offset;
    friend bool operator==(const WasInSegment&, const WasInSegment&) = default;
};
struct OnList { ///< on list 'l', excluded from list 'l'
    std::string list;
    bool excluded = false;
    Offset offset;
    friend bool operator==(const OnList&, const OnList&) = default;
};
struct Sample { ///< sample 10 percent 'salt'
    Micro percent = 0;
    std::string salt;
    friend bool operator==(const Sample&, const Sample&) = default;
};
struct AtLeastOf { ///< at least k of (a, b, c)
    std::int64_t wanted = 1;
    std::vector<Box<Condition>> operands; ///< two or more
    friend bool operator==(const AtLeastOf&, const AtLeastOf&) = default;
};
enum class JourneyRelation { inside, entered, completed };
struct InJourney { ///< in journey 'w' [at '3'], entered journey 'w', completed journey 'w'
    std::string workflow;
    JourneyRelation relation = JourneyRelation::inside;
    std::optional<std::string> step;
    Offset offset;
    friend bool operator==(const InJourney&, const InJourney&) = default;
};

struct Exhausted { ///< stream 's' is [not] exhausted: the contact has been sent all of it that is available
    std::string stream;
    bool negated = false;
    Offset offset;
    friend bool operator==(const Exhausted&, const Exhausted&) = default;
};

struct Condition {
    std::variant<Comparison, Between, In, Like, IsSet, Truth, Constant, Did, Regularly, Trend, Sequence, InSession, InSegment, Not, And, Or,
                 ComparePaths, DistinctFrom, TextTest, IsEmpty, HasItems, Ignoring, Changed, HasBeen, DateTest,
                 InSegmentFor, MovedSegment, WasInSegment, OnList, Sample, AtLeastOf, InJourney, Exhausted>
        node;
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

} // namespace nurture::language
