#pragma once
// One contact's step in the making. Split by subject: stepper.cpp (order of things), memory.cpp (what an event leaves
// behind), past.cpp (what was), journeys.cpp (walking through workflows), branches.cpp (side by side), waits.cpp, acts.cpp
// (what steps do), triggers.cpp (what starts journeys, and what people do to them).
#include "core/step/facts.hpp"
#include "core/step/step.hpp"

#include <deque>
#include <memory>
#include <optional>

namespace nurture::step {

/// Why something happens.
struct Cause {
    std::string_view label; ///< event type, "time", "published", a workflow's step
    std::int64_t tick = 0;
    std::int32_t n = 0;
    bool fresh = true; ///< may start journeys
};

class Stepper {
  public:
    Stepper(const Model& model, Input& input, Result& result);
    void run();

  private:
    // --- stepper.cpp
    void load();
    void adopt();
    void store();
    bool take(const Message& message, std::int32_t place);
    /// False: the bound was reached before.
    bool run_timers(Time limit);
    [[nodiscard]] bool is_spent() const noexcept;
    [[nodiscard]] Time due_before(const Message& message) const;
    /// Timers that a newly adopted model finds in the past: they come of its being published.
    void catch_up(const std::vector<Time>& flips_before, bool unheard);
    void enrol();
    [[nodiscard]] Time next_timer() const;
    /// The same without journeys.
    [[nodiscard]] Time next_flip() const;
    void check_journeys() const;
    [[nodiscard]] bool is_paused(const profile::Journey& journey) const;
    /// Walks everything that the happenings of this instant bring about, until nothing more happens.
    void settle();
    void fire(Time at, const Cause& cause);
    void note_left(const model::Named& segment, const Cause& cause);
    void dispatch(const struct Happening& happening);
    [[nodiscard]] Index named_workflow(const profile::Properties& properties) const;

    // --- memory.cpp
    [[nodiscard]] bool is_duplicate(const Message& message);
    void remember_id(const Message& message);
    [[nodiscard]] bool fits(const profile::Properties& properties) const;
    /// Folds the event into features and attributes; the patterns it matches.
    [[nodiscard]] std::vector<Index> remember(std::string_view type, const profile::Properties& properties,
                                              const profile::Stamp& stamp);
    void evaluate_segments(const Cause& cause, std::vector<std::pair<Index, bool>>& changes);
    void enter_or_leave(Index segment, bool member, const Cause& cause);
    void mark(const std::vector<Index>& segments) noexcept;

    // --- join.cpp
    /// Takes another contact in; the patterns that what is written on the way has matched.
    std::vector<Index> join(profile::Profile other, const profile::Properties& properties, const Cause& cause);
    void split(profile::Profile own, bool is_new);
    std::vector<Index> join_attributes(const profile::Profile& other, const profile::Properties& properties);
    void join_features(const profile::Profile& other);
    void join_membership(const profile::Profile& other);
    void join_journeys(profile::Profile& other, std::string_view name, const Cause& cause);
    void look_at_everything();

    // --- past.cpp
    void remember_change(Index segment, bool member);
    void begin_pasts(Time known_from);
    void store_pasts();
    void journey_moved(std::uint32_t workflow);
    void follow_journeys(const Cause& cause);
    bool journeys_moved_ = false;
    bool journeys_hear_ = true; // what happens is told to journeys
    // --- bands.cpp
    void load_bands();
    void mark_bands() noexcept;
    void evaluate_bands(const Cause& cause);
    void store_bands();
    [[nodiscard]] std::uint32_t next_level(Index ladder);
    [[nodiscard]] Time armed_from(Index ladder, std::uint32_t level) const noexcept;
    [[nodiscard]] bool is_armed(Index ladder, std::uint32_t level) const noexcept;
    [[nodiscard]] Time band_flips(Index ladder) const;
    void note_band(Index ladder, std::uint32_t before, const Cause& cause);

    // --- consents.cpp
    void load_consents();
    [[nodiscard]] std::string consent_problem(const profile::Properties& properties) const;
    void take_consent(const profile::Properties& properties, const profile::Stamp& stamp);
    /// To be called when profile.consents has changed.
    void consents_changed();
    void evaluate_consents(const Cause& cause);
    void note_consent(const consent::Scope& scope, consent::Status before, consent::Status after, const Cause& cause);

    // --- journeys.cpp
    using Variables = std::vector<std::pair<std::string, std::string>>;
    void start(Index workflow, const Cause& cause, const profile::Properties* event, const Variables* given = nullptr);
    [[nodiscard]] bool may_enter(const model::Workflow& workflow, std::uint64_t key);
    [[nodiscard]] Index begin_of(profile::Journey& journey, const model::Workflow& workflow, bool& refused);
    void advance(profile::Journey& journey, const Happening& happening);
    bool leaves(profile::Journey& journey, const model::Workflow& workflow, const Happening& happening);
    bool reaches_goal(profile::Journey& journey, const model::Workflow& workflow, const Happening& happening);
    /// What it waits for has happened, or its time is up.
    void go_on(profile::Journey& journey, profile::Strand& strand, const Happening& happening);
    /// `strand`: the journey itself, or one of its branches.
    void walk(profile::Journey& journey, profile::Strand& strand, Index from, const Cause& cause);
    [[nodiscard]] bool concerns(const model::JourneyPattern& event, const Happening& happening) const;
    [[nodiscard]] bool holds(Index condition) const;
    [[nodiscard]] const model::Awaited* decided(profile::Strand& strand, const model::Instruction& wait, const Happening& happening) const;
    [[nodiscard]] Index round(profile::Strand& strand, const model::Workflow& workflow, Index at);
    [[nodiscard]] const model::SplitArm& arm_of(const profile::Journey& journey, const profile::Strand& strand,
                                                const model::Instruction& split) const;
    [[nodiscard]] std::string identity_of(const profile::Journey& journey, const model::Workflow& workflow) const;
    /// Tells one coming to a step from another; a step is come to once, but in loops, behind a goal's label and in another version.
    [[nodiscard]] static std::string visit_of(const profile::Journey& journey, const profile::Strand& strand);
    [[nodiscard]] const model::Workflow& workflow_of(const profile::Journey& journey) const;
    void end(profile::Journey& journey, const model::Workflow& workflow, std::string reason, const Cause& cause);
    void cancel_open(profile::Strand& strand, const std::string& reason);
    /// Notes a step on the journey's way, for Transition::via.
    void pass(const std::string& step, std::string_view how = {});
    void note(TransitionKind kind, const model::Workflow& workflow, std::string step, std::string reason,
              const Cause& cause, std::string branch = {});
    void follow(std::uint32_t workflow, const std::string& step, bool ended, bool finished, const Cause& cause);
    [[nodiscard]] profile::WorkflowMemory& memory_of(std::uint32_t workflow);

    // --- branches.cpp
    /// Lets the branches begin, one after the other; true when what is behind them is reached already.
    bool begin_branches(profile::Journey& journey, profile::Strand& strand, const model::Workflow& workflow, Index at, const Cause& cause);
    void advance_branches(profile::Journey& journey, profile::Strand& strand, const Happening& happening);
    /// Behind the branches.
    void gather(profile::Strand& strand, const model::Workflow& workflow, const Cause& cause);
    /// Ends all branches; what they have sent stays the strand's.
    void leave_branches(profile::Strand& strand, const model::Workflow& workflow, const Cause& cause);
    void note_left(const profile::Strand& strand, const model::Workflow& workflow, const Cause& cause);
    void arrive(profile::Strand& strand, const model::Workflow& workflow, Index at, const Cause& cause);

    // --- waits.cpp
    void wait_at(profile::Journey& journey, profile::Strand& strand, const model::Workflow& workflow, Index at, const Cause& cause);
    void look_ahead(const profile::Journey& journey, profile::Strand& strand, const model::Workflow& workflow);
    void resolve_waits();
    [[nodiscard]] Time end_of_wait(Time since, const Duration& duration) const;
    [[nodiscard]] std::optional<Time> end_of_wait(Time since, const model::Instruction& wait) const;
    [[nodiscard]] std::optional<Time> reached(const model::Until& until, Time since) const;
    [[nodiscard]] bool is_inside(std::uint32_t workflow, const profile::Journey* but) const;

    // --- acts.cpp
    /// False: no channel may be used.
    bool act(profile::Journey& journey, profile::Strand& strand, const model::Workflow& workflow,
             const model::Instruction& instruction);
    /// The channel that a message goes by: the first that may be used; empty: none may.
    [[nodiscard]] std::string channel_of(const model::Workflow& workflow, const model::Instruction& send) const;
    void change(const model::Workflow& workflow, const model::Instruction& instruction, const Cause& cause);
    void change_score(const model::Workflow& workflow, const model::Instruction& instruction, const Cause& cause);
    void write(const model::Workflow& workflow, const model::Instruction& instruction, const Cause& cause,
               const std::string& type, std::vector<std::pair<std::string, std::string>> properties);
    /// Writes an attribute, for the log to say so; the patterns that the event matches.
    std::vector<Index> write(const profile::Attribute& attribute);
    std::vector<Index> log_written(std::string type, std::string json, const profile::Properties& properties);
    bool settle_failure(profile::Journey& journey, const model::Workflow& workflow, const Happening& happening);
    void settle_outcome(std::string_view action_id, Happening& happening, const Message& message);
    [[nodiscard]] std::string argument_json(const model::Argument& argument) const;
    [[nodiscard]] Variables variables_of(const model::Workflow& workflow, const profile::Properties* event,
                                         const Variables* given) const;

    // --- streams.cpp
    /// What the stream has next for the contact; null: nothing that is available and was never sent.
    [[nodiscard]] const model::StreamContent* next_of(const model::Stream& stream) const;
    /// False: there is nothing next.
    bool send_next(profile::Journey& journey, profile::Strand& strand, const model::Workflow& workflow,
                   const model::Instruction& instruction);
    void remember_content(const Action& action, bool next);
    void forget_content(const Uuid& action);
    void withdraw_sent(const profile::Properties& sent);
    void assign(profile::Journey& journey, profile::Strand& strand, const model::Workflow& workflow,
                const model::Instruction& instruction);

    // --- triggers.cpp
    [[nodiscard]] bool starts(const model::Workflow& workflow, const Happening& happening) const;
    void note_writes(const profile::Properties& properties, bool before);
    void refresh_schedules();
    void run_schedules(Happening& happening);
    [[nodiscard]] Time next_run(Index schedule) const;
    [[nodiscard]] Zone contact_zone() const;
    void command(const profile::Properties& properties, const Happening& happening);
    void migrate(profile::Journey& journey, const profile::Properties& properties, const Cause& cause);
    void settle_in(profile::Journey& journey, profile::Strand& strand, const model::Workflow& workflow, const Cause& cause);
    void hop();
    void count_output(std::size_t bytes);

    const Model& model_;
    Input& input_;
    Result& result_;
    profile::Profile& profile_;
    Facts facts_;
    std::vector<Time> flips_; // by segment
    std::vector<Time>& since_; // by segment: the facts'
    std::vector<char> dirty_, was_member_;
    std::vector<std::string_view> member_cause_;
    struct LadderState {
        Time since = 0, flips = never;
        std::vector<Time> left; ///< by band: when it was left downwards last
        bool dirty = false;
    };
    std::vector<LadderState> ladders_;
    std::vector<Time> runs_; // by schedule: its next moment
    std::vector<Micro> values_before_; // by attribute trigger, while attributes are written
    std::vector<Index> triggered_;     // attribute triggers that the last write fulfilled
    std::vector<std::pair<consent::Scope, consent::Status>> consents_noted_; // ascending
    Time consent_flips_ = never; // when a status changes by time alone; always: something was said
    std::deque<Happening> happenings_;
    std::string via_;            // the way of the journey that is walking
    std::uint32_t instance_ = 0; // and its number
    std::deque<std::string> labels_; // of causes that the model does not hold
    Time& clock_;
    std::int32_t next_n_ = 1, next_transition_ = 1;
    int hops_ = 0, instants_ = 0; // instants: at which timers fired
    std::size_t instant_bytes_ = 0, step_bytes_ = 0; // of outputs
};

/// Whether a strand stands where somebody may stand, and so do its branches. A state may come from anywhere.
[[nodiscard]] bool has_place(const profile::Strand& strand, const model::Workflow& workflow);
/// What a branch of a parallel is called: "3.branch1".
[[nodiscard]] std::string branch_name(const model::Instruction& parallel, std::size_t branch);
/// Whether what is behind the branches is reached.
[[nodiscard]] bool has_joined(const profile::Strand& strand, const model::Instruction& parallel);
/// What is open of the branches' actions.
void take_open(const std::vector<profile::Strand>& branches, std::vector<Uuid>& to);
/// The branch of that name, or, when it is no more, what it belonged to.
[[nodiscard]] profile::Strand& branch_named(profile::Strand& strand, const model::Workflow& workflow, std::string_view name);

/// Something at the clock that journeys must be told: an event that matched patterns, segments entered or left, or (with
/// neither) that time has passed.
struct Happening {
    /// A journey of this contact has come to a step, or has ended.
    struct Move {
        std::uint32_t workflow = 0;
        std::string step;
        bool ended = false, finished = false;
    };
    /// A journey to be started by another, or by hand.
    struct Start {
        std::uint32_t workflow = 0; ///< id; 0: none
        std::vector<std::pair<std::string, std::string>> context;
    };
    /// An action that failed for good.
    struct Failure {
        std::uint32_t workflow = 0, version = 0, instance = 0;
        Index at = none;
    };
    std::vector<Index> matched;
    std::vector<std::pair<Index, bool>> changes;
    Cause cause;
    bool timer = false;
    bool publishing = false; ///< another model: what is asked of conditions may have changed
    const profile::Properties* event = nullptr; ///< what happened, if it was an event
    std::shared_ptr<const profile::Properties> own; ///< keeps an event of the engine's
    bool command = false; ///< it is a $journey
    std::vector<Index> attributes, schedules; ///< triggers
    std::optional<Move> move;
    std::optional<Start> start;
    std::uint32_t stop = 0; ///< id of a workflow
    std::optional<Failure> failure;
    Index started = none; ///< the workflow that somebody starts by hand
};

} // namespace nurture::step
