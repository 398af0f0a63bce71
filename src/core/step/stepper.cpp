#include "core/step/stepper.hpp"

#include "core/base/error.hpp"
#include "core/identity/join.hpp"
#include "core/step/adjust.hpp"

#include <algorithm>
#include <utility>

namespace nurture::step {

std::string_view name_of(TransitionKind kind) noexcept {
    switch (kind) {
    case TransitionKind::segment_entered:
        return "segment entered";
    case TransitionKind::segment_left:
        return "segment left";
    case TransitionKind::journey_started:
        return "journey started";
    case TransitionKind::journey_waits:
        return "journey waits";
    case TransitionKind::journey_ended:
        return "journey ended";
    case TransitionKind::band_changed:
        return "band changed";
    case TransitionKind::journey_held_out:
        return "journey held out";
    case TransitionKind::goal_reached:
        return "goal reached";
    case TransitionKind::arm_assigned:
        return "arm assigned";
    case TransitionKind::consent_changed:
        return "consent changed";
    case TransitionKind::branch_ended:
        return "branch ended";
    }
    return "";
}

Result step(const Model& model, Input input) {
    Result result;
    result.profile = std::move(input.profile);
    Stepper(model, input, result).run();
    return result;
}

Stepper::Stepper(const Model& model, Input& input, Result& result)
    : model_(model), input_(input), result_(result), profile_(result.profile), facts_(model, profile_, Facts::Take{}, input.contact),
      flips_(model.segments.size(), never), since_(facts_.since), dirty_(model.segments.size(), 0),
      member_cause_(model.segments.size()), clock_(profile_.clock) {
    load();
}

void Stepper::load() {
    auto known = model_.segments_by_id.begin(); // both ascend
    for (const auto& segment : profile_.segments) {
        while (known != model_.segments_by_id.end() && known->first < segment.id)
            ++known;
        if (known == model_.segments_by_id.end())
            break;
        if (known->first == segment.id) {
            flips_[known->second] = segment.flips;
        }
    }
    was_member_ = facts_.members;
    load_bands();
    load_consents();
}

void Stepper::run() {
    bool const known = clock_ != always;
    if (profile_.model != model_.source.id)
        begin_pasts(known ? clock_ : always);
    if (known && profile_.model != model_.source.id)
        adopt();
    else
        check_journeys();
    if (!known) {
        std::fill(dirty_.begin(), dirty_.end(), 1); // the first message decides every segment
        mark_bands();
    }
    profile_.model = model_.source.id;
    refresh_schedules();
    result_.clock_before = clock_;

    bool plain = true; // numbers are 1, 2, 3, …
    for (std::int32_t place = 0; place < static_cast<std::int32_t>(input_.messages.size()); ++place) {
        const Message& message = input_.messages[static_cast<std::size_t>(place)];
        if (!result_.finished || is_spent() || !run_timers(due_before(message))) {
            result_.finished = plain = false;
            result_.numbers.push_back(-1);
            continue;
        }
        std::int32_t const n = next_n_;
        bool const taken = take(message, place);
        result_.numbers.push_back(taken ? n : 0);
        plain = plain && taken && n == place + 1;
    }
    if (plain)
        result_.numbers.clear();
    if (result_.finished && input_.until && clock_ != always)
        result_.finished = run_timers(*input_.until);
    store();
}

bool Stepper::is_spent() const noexcept {
    return input_.bound && (step_bytes_ >= input_.bound->bytes || instants_ >= input_.bound->instants) && (step_bytes_ > 0 || instants_ > 0);
}

// What is due until then comes before the message. A contact that comes to this one may have come further than it has.
Time Stepper::due_before(const Message& message) const {
    Time const at = effective_time(message, clock_);
    return identity::carries_state(message.type) ? std::max(at, identity::mailed_state(*message.properties).clock) : at;
}

// A change of the model: everything is looked at anew, at the contact's own clock. What enters or leaves does so
// because somebody published something; that starts no journeys. Journeys are told of it at the instant of publishing: what
// it ends or lets go on does so then, and what they send is due from then on.
void Stepper::adopt() {
    bool const behind = model_.source.told_when_published && clock_ < model_.source.published;
    Time const told_at = behind ? model_.source.published : clock_;
    auto const flips_before = flips_;
    std::fill(dirty_.begin(), dirty_.end(), 1);
    mark_bands();
    Happening adopted;
    adopted.cause = {"published", 0, 0, false};
    for (const auto& segment : profile_.segments)
        if (segment.member && segment.id < model::first_hidden_id && model_.segment_of(segment.id) == none) // deleted or disabled
            result_.memberships.push_back({segment.id, false, clock_, {}});
    for (const auto& left : model_.source.left_segments)
        if (std::any_of(profile_.segments.begin(), profile_.segments.end(),
                        [&](const auto& s) { return s.member && s.id == left.id; }))
            note_left(left, adopted.cause);
    for (auto& journey : profile_.journeys) {
        profile::for_strands(static_cast<profile::Strand&>(journey), [&](profile::Strand& strand) { strand.check = told_at; });
        Index const workflow = model_.workflow_of(journey.workflow, journey.version);
        if (workflow == none) {
            cancel_open(journey, "workflow deleted");
            journey.workflow = 0;
        }
    }
    for (auto& cancellation : result_.cancellations)
        cancellation.at = told_at;
    std::erase_if(profile_.journeys, [](const auto& journey) { return journey.workflow == 0; });
    // Ids are never given again: what a deleted workflow remembered is of no use. A paused one is still in the model.
    std::erase_if(profile_.workflows, [this](const auto& memory) {
        return std::none_of(model_.workflows.begin(), model_.workflows.end(),
                            [&](const auto& workflow) { return workflow.id == memory.workflow; });
    });
    check_journeys();
    std::erase_if(profile_.schedules, [this](const auto& memory) {
        return std::none_of(model_.schedules.begin(), model_.schedules.end(), [&](const auto& s) { return s.id == memory.id; });
    });
    refresh_schedules();
    resolve_waits(); // the policy's zone may be another
    evaluate_segments(adopted.cause, adopted.changes);
    adopted.publishing = model_.source.told_when_published;
    adopted.timer = !adopted.publishing;
    if (!behind)
        happenings_.push_back(adopted);
    settle();
    catch_up(flips_before, behind);
    auto const made = [this] { return result_.transitions.size() + result_.actions.size() + result_.cancellations.size() + result_.written.size(); };
    std::size_t const made_before = made();
    Time const clock_before = clock_;
    if (behind && !profile_.journeys.empty()) {
        clock_ = told_at;
        hops_ = 0;
        instant_bytes_ = 0;
        happenings_.push_back(std::move(adopted));
        settle();
    }
    // What was held up and is overdue is a timer still; only its moment is another.
    if (model_.source.told_when_published && next_timer() <= clock_)
        fire(clock_, {"time", 0, 0, true});
    if (made() == made_before)
        clock_ = clock_before; // nothing came of it: nothing has happened
    enrol();
}

void Stepper::note_left(const model::Named& segment, const Cause& cause) {
    Transition transition;
    transition.n = next_transition_++;
    transition.at = clock_;
    transition.kind = TransitionKind::segment_left;
    transition.id = segment.id;
    transition.name = segment.name;
    transition.cause = cause.label;
    result_.transitions.push_back(std::move(transition));
}

// What was drained when the model took over lies behind the contact even where its own clock stands earlier: a window
// that slid off since then did so unseen. It is told at its moment, as published, and starts no journeys. A timer that
// stood before (of a contact that was quarantined, or a journey that was paused) is a timer still. Journeys that hear of it
// at the instant of publishing see nothing of what lies before.
void Stepper::catch_up(const std::vector<Time>& flips_before, bool unheard) {
    auto const next_one = [&] { return unheard ? next_flip() : next_timer(); };
    journeys_hear_ = !unheard;
    for (Time next = next_one(); next <= model_.source.published && next != never; next = next_one()) {
        bool stood = false, flips = false;
        for (Index s = 0; s < flips_.size(); ++s) {
            flips = flips || flips_[s] == next;
            stood = stood || (flips_[s] == next && flips_before[s] == next);
        }
        fire(next, flips && !stood ? Cause{"published", 0, 0, false} : Cause{"time", 0, 0, true});
    }
    journeys_hear_ = true;
}

// Those who fulfil a condition at publishing start journeys if the publisher said so, then and not at their own clocks:
// nobody gets what would have been due long ago.
void Stepper::enrol() {
    const auto& source = model_.source;
    auto chosen = [](const std::vector<std::uint32_t>& ids, std::uint32_t id) {
        return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    if (source.enrol_segments.empty() && source.enrol_workflows.empty())
        return;
    for (Index w = 0; w < model_.workflows.size(); ++w) {
        const auto& workflow = model_.workflows[w];
        bool const all = chosen(source.enrol_workflows, workflow.id);
        bool const starts = workflow.current && !workflow.paused &&
                            std::any_of(workflow.start_segments.begin(), workflow.start_segments.end(), [&](const auto& s) {
                                auto const& [segment, entering] = s;
                                bool const entered = was_member_[segment] == 0 &&
                                                     chosen(source.enrol_segments, model_.segments[segment].id);
                                return entering && facts_.members[segment] != 0 && (all || entered);
                            });
        if (!starts)
            continue;
        clock_ = std::max(clock_, source.published);
        hops_ = 0;
        start(w, {"published", 0, 0, false}, nullptr);
        settle();
    }
}

// A state may come from anywhere: where it says the contact stands must be a place to stand at.
void Stepper::check_journeys() const {
    for (const auto& journey : profile_.journeys) {
        Index const workflow = model_.workflow_of(journey.workflow, journey.version);
        if (workflow == none || !has_place(journey, model_.workflows[workflow]))
            throw Error(ErrorKind::corrupt_data, "the contact stands at a step that its workflow does not have");
    }
}

bool Stepper::take(const Message& message, std::int32_t place) {
    if (is_duplicate(message)) {
        ++result_.duplicates;
        return false;
    }
    bool const writes = message.type == "$identify" || message.type == "$set";
    if (writes && !fits(*message.properties)) {
        if (message.id_hash)
            profile_.seen.pop_back(); // it was not taken: corrected and retried it is no duplicate
        result_.rejections.push_back({place, "the contact's attributes would take more than 32 kB"});
        return false; // its id is not remembered: it may be sent again
    }
    if (message.type == "$adjust")
        if (std::string problem = adjustment_problem(*message.properties, model_.zone); !problem.empty()) {
            result_.rejections.push_back({place, std::move(problem)});
            return false;
        }
    Index started = none;
    if (message.type == "$start") {
        started = named_workflow(*message.properties);
        if (started == none) {
            result_.rejections.push_back({place, "it names no workflow that is live"});
            return false;
        }
    }
    if (message.type == "$consent")
        if (std::string problem = consent_problem(*message.properties); !problem.empty()) {
            result_.rejections.push_back({place, std::move(problem)});
            return false;
        }
    std::optional<profile::Profile> mailed;
    bool const is_new = clock_ == always;
    if (identity::carries_state(message.type)) {
        mailed = identity::mailed_state(*message.properties);
        clock_ = std::max(clock_, mailed->clock); // it may have come further than we have
    }
    remember_id(message);
    clock_ = effective_time(message, clock_);
    hops_ = 0;
    instant_bytes_ = 0;
    Time const at = std::min(message.at, message.received_at);
    profile::Stamp const stamp{at, input_.tick, next_n_++};

    Happening happening;
    happening.cause = {message.type, stamp.tick, stamp.n,
                       !message.history && message.received_at - at <= model_.source.late_after};
    happening.matched = remember(message.type, *message.properties, stamp);
    happening.attributes = std::exchange(triggered_, {});
    happening.event = message.properties;
    happening.command = message.type == "$journey" && !message.history;
    if (mailed && message.type == "$split") {
        split(std::move(*mailed), is_new);
    } else if (mailed) {
        auto const more = join(std::move(*mailed), *message.properties, happening.cause);
        happening.matched.insert(happening.matched.end(), more.begin(), more.end());
    }
    if (message.type == "$sent")
        withdraw_sent(*message.properties);
    if (message.type == "$sent" || message.type == "$failed" || message.type == "$dropped")
        settle_outcome(message.properties->get({{"action"}}).text, happening, message);
    happening.started = started;
    evaluate_segments(happening.cause, happening.changes);
    happenings_.push_back(std::move(happening));
    settle();
    return true;
}

// The workflow that somebody starts by hand: its current version.
Index Stepper::named_workflow(const profile::Properties& properties) const {
    profile::Value const name = properties.get({{"workflow"}});
    if (name.kind == profile::Value::Kind::string)
        for (Index w = 0; w < model_.workflows.size(); ++w)
            if (model_.workflows[w].current && model_.workflows[w].name == name.text)
                return w;
    return none;
}

bool Stepper::run_timers(Time limit) {
    for (Time next = next_timer(); next <= limit; next = next_timer()) {
        if (is_spent())
            return false;
        ++instants_;
        fire(next, {"time", 0, 0, true});
    }
    return true;
}

void Stepper::fire(Time at, const Cause& cause) {
    clock_ = std::max(clock_, at);
    hops_ = 0;
    instant_bytes_ = 0;
    Happening happening;
    happening.cause = cause;
    happening.timer = true;
    evaluate_segments(happening.cause, happening.changes);
    run_schedules(happening);
    happenings_.push_back(std::move(happening));
    settle();
}

namespace {

// A branch before a step that nobody passes keeps its timers, too.
Time next_of_branches(const profile::Strand& strand, const model::Workflow& workflow) {
    Time next = never;
    for (const auto& branch : strand.branches)
        if (!branch.arrived && !workflow.holds(workflow.program[branch.at_step]))
            next = std::min({next, branch.wakes, branch.check, next_of_branches(branch, workflow)});
    return next;
}

} // namespace

Time Stepper::next_flip() const {
    Time next = consent_flips_;
    for (Time const flips : flips_)
        next = std::min(next, flips);
    for (const auto& ladder : ladders_)
        next = std::min(next, ladder.flips);
    for (Time const run : runs_)
        next = std::min(next, run);
    return next;
}

Time Stepper::next_timer() const {
    Time next = next_flip();
    for (const auto& journey : profile_.journeys) {
        Time const wakes = std::min(journey.wakes, journey.check);
        if (wakes < next && !is_paused(journey)) // a paused journey keeps its timers until it is resumed
            next = wakes;
        if (!journey.branches.empty() && !is_paused(journey))
            next = std::min(next, next_of_branches(journey, workflow_of(journey)));
    }
    return next;
}

bool Stepper::is_paused(const profile::Journey& journey) const {
    const auto& workflow = workflow_of(journey);
    return workflow.paused || journey.paused || workflow.holds(workflow.program[journey.at_step]);
}

void Stepper::settle() {
    while (!happenings_.empty()) {
        Happening const happening = std::move(happenings_.front());
        happenings_.pop_front();
        dispatch(happening);
        if (journeys_moved_)
            follow_journeys(happening.cause);
    }
    std::erase_if(profile_.journeys, [](const auto& journey) { return journey.workflow == 0; });
    refresh_schedules();
    facts_.forget();
}

void Stepper::dispatch(const Happening& happening) {
    if (happening.command)
        command(*happening.event, happening);
    // Those inside first: they see what the happening means to them before it makes new ones.
    std::size_t const inside = profile_.journeys.size();
    for (std::size_t i = 0; journeys_hear_ && i < inside; ++i)
        if (profile_.journeys[i].workflow != 0)
            advance(profile_.journeys[i], happening);
    if (!happening.cause.fresh)
        return;
    for (Index w = 0; w < model_.workflows.size(); ++w) {
        const auto& workflow = model_.workflows[w];
        if (!workflow.current || workflow.paused)
            continue;
        if (happening.start && happening.start->workflow == workflow.id)
            start(w, happening.cause, nullptr, &happening.start->context);
        else if (w == happening.started || starts(workflow, happening))
            start(w, happening.cause, happening.event);
    }
    // Whoever waits for the end of one that did not start goes on.
    if (happening.start && !is_inside(happening.start->workflow, nullptr))
        follow(happening.start->workflow, "", true, false, happening.cause);
}

void Stepper::store() {
    profile_.features.clear();
    profile_.features.reserve(static_cast<std::size_t>(
        std::count_if(facts_.features.begin(), facts_.features.end(), [](const auto& v) { return v.index() != 0; })));
    for (const auto& [id, slot] : model_.slots_by_id) {
        auto& value = facts_.features[slot];
        if (value.index() == 0)
            continue;
        prune(model_.features[slot].definition, value, clock_, model_.zone);
        if (value.index() != 0)
            profile_.features.push_back({id, std::move(value)});
    }
    profile_.segments.clear();
    for (const auto& [id, index] : model_.segments_by_id) {
        bool const member = facts_.members[index] != 0;
        if (member || flips_[index] != never)
            profile_.segments.push_back({id, member, member ? since_[index] : 0, flips_[index]});
        if (model_.segments[index].hidden)
            continue;
        if (member != (was_member_[index] != 0) || (member && !member_cause_[index].empty()))
            result_.memberships.push_back({id, member, since_[index], std::string(member_cause_[index])});
    }
    store_pasts();
    store_bands();
    prune_adjustments(profile_.score, clock_);
    result_.due = next_timer();
    result_.unconvertible = facts_.unconvertible;
}

} // namespace nurture::step
