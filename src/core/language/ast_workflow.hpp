#pragma once
// The syntax of workflows: triggers, rules of entry and exit, steps.
#include "core/language/ast.hpp"

namespace nurture::language {

struct Step;
using Steps = std::vector<Box<Step>>;

// --- what is waited for -----------------------------------------------------------------------------------------

/// An event that belongs to this journey: one of its properties is the same as in the event that started it.
struct JourneyEvent { ///< E [where C] [with same p]
    EventPattern event;
    std::optional<Path> same;
    friend bool operator==(const JourneyEvent&, const JourneyEvent&) = default;
};
using Awaited = std::variant<JourneyEvent, Box<Condition>>;

/// Days of the contact's calendar.
struct DayChoice {
    enum class Kind { any, weekdays, business_day };
    Kind kind = Kind::any;
    std::uint8_t weekdays = 0;           ///< a bit each, Monday is the lowest
    std::optional<std::string> calendar; ///< of a business day's holidays
    Offset offset;                       ///< of the calendar's name
    friend bool operator==(const DayChoice&, const DayChoice&) = default;
};

// --- triggers ---------------------------------------------------------------------------------------------------

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
struct OnCondition { ///< when C: it becomes true; when no longer C: it was, and is not any more
    bool ends = false;
    Box<Condition> condition;
    friend bool operator==(const OnCondition&, const OnCondition&) = default;
};
struct OnAttribute { ///< on changing|setting attribute a [from 'x'] [to 'y']
    bool change = true;
    Path attribute;
    std::optional<Literal> from, to;
    friend bool operator==(const OnAttribute&, const OnAttribute&) = default;
};
struct OnListChange { ///< on joining|leaving list 'l'
    bool joining = true;
    std::string list;
    Offset offset;
    friend bool operator==(const OnListChange&, const OnListChange&) = default;
};
struct OnDate { ///< on the date a [at T], on d before|after a [at T]; a may be anniversary(a)
    Duration offset; ///< empty: at the date
    bool before = false, yearly = false;
    Path attribute;
    std::optional<Span> at; ///< time of day; none: that of the date
    friend bool operator==(const OnDate&, const OnDate&) = default;
};
struct OnJourney { ///< on finishing workflow 'w', on reaching step '3' of workflow 'w'
    std::string workflow;
    std::optional<std::string> step;
    Offset offset;
    friend bool operator==(const OnJourney&, const OnJourney&) = default;
};
struct OnSchedule { ///< on schedule '0 9 * * 1'|once 2026-12-24T09:00 [zone] [from m] [until m] [at most n times] [for segment 's']
    std::string cron; ///< canonical; empty: once
    std::optional<Moment> once, from, until;
    std::int64_t times = 0; ///< counted from `from` on; 0: no limit
    ZoneChoice zone;
    std::optional<std::string> segment;
    Offset offset;
    friend bool operator==(const OnSchedule&, const OnSchedule&) = default;
};
using Trigger = std::variant<OnEvent, OnSegment, OnCondition, OnAttribute, OnListChange, OnDate, OnJourney, OnSchedule>;

// --- entry and exit ---------------------------------------------------------------------------------------------

/// One journey at a time but for `always`, and one for each key where there is a key.
enum class Reentry { never, always, after, per_key, once_per_key };
struct ReentryPolicy { ///< re-enter … [at most n times] [at most n at once]
    Reentry kind = Reentry::never;
    Duration after;                   ///< since the last start
    Path key{};                       ///< of the event that starts it
    std::int64_t times = 0, at_once = 0; ///< 0: no limit
    friend bool operator==(const ReentryPolicy&, const ReentryPolicy&) = default;
};
struct Goal { ///< goal [within d] on E|when C [go to label]
    Duration within; ///< since the start; empty: whenever
    Awaited what;
    std::string go_to; ///< a label; empty: the journey ends
    Offset offset;     ///< of the label
    friend bool operator==(const Goal&, const Goal&) = default;
};
struct Holdout { ///< holdout 10 percent 'salt': those of `sample 10 percent 'salt'` never start
    Micro percent = 0;
    std::string salt;
    friend bool operator==(const Holdout&, const Holdout&) = default;
};

// --- steps ------------------------------------------------------------------------------------------------------

struct Coupon { ///< coupon('pool'): a code that is given out when the message is claimed; in what send and do are given
    std::string pool;
    Offset offset;
    friend bool operator==(const Coupon&, const Coupon&) = default;
};
/// What a payload or an attribute is given: a literal, or the contact's attribute (context.p: a property of the event that
/// started the journey) by name.
using Argument = std::variant<Literal, Path, Coupon>;
struct NamedArgument {
    std::string name;
    Argument value;
    friend bool operator==(const NamedArgument&, const NamedArgument&) = default;
};

struct Wait { ///< wait 1 hour; days and months on the contact's calendar
    Duration duration;
    friend bool operator==(const Wait&, const Wait&) = default;
};
struct UntilMoment { ///< wait until 2026-12-24T18:00: without an offset on the contact's clock
    Moment moment;
    friend bool operator==(const UntilMoment&, const UntilMoment&) = default;
};
struct UntilDate { ///< wait until [d before|after] a [at T]
    Duration offset;
    bool before = false;
    Path attribute;
    std::optional<Span> at;
    friend bool operator==(const UntilDate&, const UntilDate&) = default;
};
struct UntilClock { ///< wait until [days] [at T|between T and T]: one of the two at least
    DayChoice days;
    std::optional<Span> from, to; ///< times of day; only `from`: at that time
    friend bool operator==(const UntilClock&, const UntilClock&) = default;
};
struct WaitUntil {
    std::variant<UntilMoment, UntilDate, UntilClock> what;
    friend bool operator==(const WaitUntil&, const WaitUntil&) = default;
};
struct AwaitedBranch { ///< or A, B then …
    std::vector<Awaited> what; ///< one or more: the first of them
    Steps steps;
    friend bool operator==(const AwaitedBranch&, const AwaitedBranch&) = default;
};
struct WaitFor { ///< wait for A, B up to d [ranked] [renewed by E, F] [then … [or C then …] [else …] end]
    std::vector<Awaited> what;
    Duration up_to;
    bool ranked = false; ///< of what has come when the time is over the first in this order decides, not the first in time
    std::vector<JourneyEvent> renewed_by; ///< the time begins anew with each
    Steps then_steps;
    std::vector<AwaitedBranch> others;
    Steps else_steps;
    friend bool operator==(const WaitFor&, const WaitFor&) = default;
};
struct WaitWorkflow { ///< wait for workflow 'w' to end [up to d]
    std::string workflow;
    Duration up_to; ///< empty: as long as it takes
    Offset offset;
    friend bool operator==(const WaitWorkflow&, const WaitWorkflow&) = default;
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
struct Case {
    std::vector<Literal> values;
    Steps steps;
    friend bool operator==(const Case&, const Case&) = default;
};
struct Switch { ///< switch plan when 'free', 'trial' then … when 'pro' then … else … end
    Operand of;
    std::vector<Case> cases;
    Steps else_steps;
    friend bool operator==(const Switch&, const Switch&) = default;
};
struct Arm {
    Micro weight = 0;
    std::string name;
    Steps steps; ///< may be empty: a control group
    friend bool operator==(const Arm&, const Arm&) = default;
};
struct Split { ///< split [again] ['salt'] 50 a … 50 b … end, experiment 'name' 50 a … 50 b … end
    bool experiment = false; ///< the arm is told in a transition
    bool again = false;      ///< thrown at each coming
    std::string salt;        ///< may be empty: the workflow's own
    std::vector<Arm> arms;
    friend bool operator==(const Split&, const Split&) = default;
};
struct Repeat { ///< repeat [at most n] [until C] … end
    std::int64_t at_most = 0; ///< 0: no limit
    Box<Condition> until;
    Steps steps;
    friend bool operator==(const Repeat&, const Repeat&) = default;
};
/// How deep branches may nest in branches.
inline constexpr int branches_deep = 8;
struct Parallel { ///< parallel [until any ends] … and … end
    bool any = false; ///< the first branch to end suffices; else all must
    std::vector<Steps> branches;
    friend bool operator==(const Parallel&, const Parallel&) = default;
};
struct Label { ///< label thanks: where a goal goes to
    std::string name;
    friend bool operator==(const Label&, const Label&) = default;
};

/// What a journey does when an action has failed for good.
struct FailurePolicy { ///< on failure [retry n times] [[then] abort]; nothing: it goes on
    std::int64_t retries = 0;
    bool abort = false;
    friend bool operator==(const FailurePolicy&, const FailurePolicy&) = default;
};
struct Send { ///< send channel 'template' [for purpose] [as transactional] [with (a = 1, …)] [on failure …]
    std::string channel, template_name;
    std::optional<std::string> purpose;
    bool transactional = false;
    std::vector<NamedArgument> with;
    FailurePolicy failure{};
    std::vector<std::string> others{}; ///< send first of channel, other, …
    Path preferring{};                 ///< what names the channel that is preferred
    friend bool operator==(const Send&, const Send&) = default;
};
struct SendNext { ///< send next of stream 's' [with (…)]: the first of it that is available and that the contact was never sent
    std::string stream;
    std::vector<NamedArgument> with;
    Offset offset;
    friend bool operator==(const SendNext&, const SendNext&) = default;
};
struct Assign { ///< assign owner from 'rota': whose turn it is, decided when the outbox is looked after
    std::string attribute, rota;
    Offset offset;
    friend bool operator==(const Assign&, const Assign&) = default;
};
struct Do { ///< do 'kind' [with (…)] [on failure …]: an action of channel `kind` without a template, never marketing
    std::string kind;
    std::vector<NamedArgument> with;
    FailurePolicy failure{};
    friend bool operator==(const Do&, const Do&) = default;
};
struct Set { ///< set attribute = argument
    std::string attribute;
    Argument value;
    friend bool operator==(const Set&, const Set&) = default;
};
struct Clear { ///< clear attribute
    std::string attribute;
    friend bool operator==(const Clear&, const Clear&) = default;
};
struct Increment { ///< increment attribute [by 5]
    std::string attribute;
    Micro by = micro_one;
    friend bool operator==(const Increment&, const Increment&) = default;
};
struct ChangeItems { ///< append 'x' to tags, add 'x' to tags (unless it is there), remove 'x' from tags
    enum class Kind { append, add, remove };
    Kind kind = Kind::append;
    Argument value;
    std::string attribute;
    friend bool operator==(const ChangeItems&, const ChangeItems&) = default;
};
struct ChangeList { ///< add to list 'l', remove from list 'l'
    bool add = true;
    std::string list;
    Offset offset;
    friend bool operator==(const ChangeList&, const ChangeList&) = default;
};
struct AdjustScore { ///< adjust score [(topic)] by 10 [for 'reason']
    std::optional<std::string> topic;
    Micro points = 0;
    std::string reason;
    Offset offset;
    friend bool operator==(const AdjustScore&, const AdjustScore&) = default;
};
struct SetScore { ///< set score to 50 [for 'reason'], reset score [for 'reason']
    std::optional<Micro> points; ///< none: reset
    std::string reason;
    friend bool operator==(const SetScore&, const SetScore&) = default;
};
struct WithdrawConsent { ///< withdraw consent(channel [, purpose]) [for 'reason']
    std::string channel;
    std::optional<std::string> purpose;
    std::string reason;
    friend bool operator==(const WithdrawConsent&, const WithdrawConsent&) = default;
};
struct Emit { ///< emit type [with (…)]: an event as any other
    std::string type;
    std::vector<NamedArgument> with;
    friend bool operator==(const Emit&, const Emit&) = default;
};
struct StartWorkflow { ///< start workflow 'w' [with (…)]: what is given is its context
    std::string workflow;
    std::vector<NamedArgument> with;
    Offset offset;
    friend bool operator==(const StartWorkflow&, const StartWorkflow&) = default;
};
struct StopWorkflow { ///< stop workflow 'w'
    std::string workflow;
    Offset offset;
    friend bool operator==(const StopWorkflow&, const StopWorkflow&) = default;
};
struct Exit {
    friend bool operator==(const Exit&, const Exit&) = default;
};

struct Step {
    std::variant<Wait, WaitUntil, WaitFor, WaitWorkflow, If, Switch, Split, Repeat, Parallel, Label, Send, Do, Set, Clear,
                 Increment, ChangeItems, ChangeList, AdjustScore, SetScore, WithdrawConsent, Emit, StartWorkflow,
                 StopWorkflow, Exit, SendNext, Assign>
        node;
    Offset offset;
    friend bool operator==(const Step&, const Step&) = default;
};

struct Workflow {
    std::vector<Trigger> triggers; ///< may be empty: started by hand
    ReentryPolicy reentry;
    std::optional<Holdout> holdout;
    bool no_holdout = false; ///< not even the account's
    std::vector<JourneyEvent> exit_on;
    std::vector<Box<Condition>> exit_when;
    std::vector<Goal> goals;
    Steps steps;
    friend bool operator==(const Workflow&, const Workflow&) = default;
};

} // namespace nurture::language
