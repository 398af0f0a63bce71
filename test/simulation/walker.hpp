#pragma once
// A naive walker through workflows: it goes through the syntax tree, and asks the oracle at every moment at which anything can
// change.
#include "oracle.hpp"

namespace nurture::world {

using namespace language;

/// What people do beside writing events: before the message at `index`, when everything until `at` has been done.
struct Edit {
    enum class Kind { publish, pause, resume } kind = Kind::publish;
    std::size_t index = 0;
    Time at = 0;
};

class Walker {
  public:
    Walker(const Workflow& workflow, Oracle& oracle, Span late_after)
        : current_(&workflow), oracle_(oracle), late_after_(late_after) {}

    std::vector<Edit> edits;        ///< in order, of growing index
    const Workflow* next = nullptr; ///< the version that is published; of the same shape as the first
    std::vector<std::string> sent;

    /// `breakpoints`: ascending.
    void live(const std::vector<Time>& breakpoints, Time end) {
        auto moment = breakpoints.begin();
        while (true) {
            // The earliest of: a moment at which conditions may change, the end of a wait.
            Time now = never;
            while (moment != breakpoints.end() && *moment < now_)
                ++moment;
            if (moment != breakpoints.end())
                now = *moment;
            for (const Walk& walk : walks_)
                if (!walk.paused)
                    now = std::min(now, walk.wakes);
            if (const Edit* pause = edit(Edit::Kind::pause); pause != nullptr && now > pause->at) {
                if (!stand_still())
                    return;
                continue;
            }
            if (now > end)
                return;
            now_ = now;
            if (moment != breakpoints.end() && *moment == now)
                ++moment;
            // Timers first, with what was told before this instant.
            told_ = taken_;
            pass(nullptr);
            while (taken_ < oracle_.events.size() && oracle_.events[taken_].received_at <= now && edit(Edit::Kind::pause) == nullptr) {
                if (edit(Edit::Kind::publish) != nullptr) {
                    current_ = next;
                    ++edited_;
                    continue;
                }
                told_ = ++taken_;
                happen(oracle_.events[taken_ - 1]);
            }
        }
    }

  private:
    static constexpr std::size_t no_way = SIZE_MAX;
    struct Place { // a block and where in it; the blocks around it go on when it ends
        const Steps* steps;
        std::size_t at, branch; ///< which block of the step before it
    };
    struct Walk {
        const Workflow* workflow = nullptr;
        std::vector<Place> places;
        const Wait* wait = nullptr;
        const WaitFor* waiting = nullptr;
        std::size_t best = no_way; // of a ranked wait: what has come
        Time since = 0, wakes = never;
        bool paused = false, over = false;
    };
    const Workflow* current_;
    Oracle& oracle_;
    Span late_after_;
    std::vector<Walk> walks_;
    Time now_ = 0, last_start_ = 0;
    bool ever_ = false;
    std::size_t told_ = 0, taken_ = 0, edited_ = 0;
    std::pair<Time, std::size_t> answered_at_{always, 0};
    std::map<const Condition*, bool> answers_;

    /// The next edit, if it is of that kind and its turn has come.
    [[nodiscard]] const Edit* edit(Edit::Kind kind) const {
        bool const now = edited_ < edits.size() && edits[edited_].index == taken_ && edits[edited_].kind == kind;
        return now ? &edits[edited_] : nullptr;
    }

    // The workflow is paused: what is told meanwhile is known, and nothing comes of it. It goes on from there.
    bool stand_still() {
        ++edited_;
        while (edit(Edit::Kind::resume) == nullptr) {
            if (edit(Edit::Kind::publish) != nullptr) {
                current_ = next;
                ++edited_;
                continue;
            }
            if (taken_ == oracle_.events.size())
                return false;
            told_ = ++taken_;
            now_ = oracle_.events[taken_ - 1].received_at;
            command(oracle_.events[taken_ - 1]);
        }
        now_ = std::max(now_, edits[edited_++].at); // what is overdue happens then, not when it would have been due
        told_ = taken_;
        pass(nullptr, false); // what conditions say by now comes first
        pass(nullptr);
        return true;
    }

    // Several messages may arrive in the same microsecond: the conditions see those before and the one at hand. All journeys of
    // one moment get the same answer.
    bool holds(const Condition& condition) {
        oracle_.told = told_;
        if (answered_at_ != std::pair(now_, told_))
            answers_.clear();
        answered_at_ = {now_, told_};
        auto const [known, is_new] = answers_.try_emplace(&condition);
        if (is_new)
            known->second = oracle_.evaluate(condition, now_) == Answer::yes;
        return known->second;
    }
    bool leaves(const Workflow& workflow) {
        for (const auto& condition : workflow.exit_when)
            if (holds(*condition))
                return true;
        return false;
    }

    void pass(const Event* event, bool timers = true) {
        for (std::size_t i = 0; i < walks_.size(); ++i) {
            Walk& walk = walks_[i];
            if (walk.paused || walk.over)
                continue;
            bool out = false;
            for (const auto& pattern : walk.workflow->exit_on)
                out = out || (event != nullptr && oracle_.matches(pattern.event, *event) == Answer::yes);
            if (out || leaves(*walk.workflow)) {
                walk.over = true;
                continue;
            }
            bool const over = event == nullptr && timers && walk.wakes <= now_;
            std::size_t way = walk.waiting != nullptr ? come(*walk.waiting, event) : no_way;
            if (walk.waiting != nullptr && walk.waiting->ranked) {
                walk.best = std::min(walk.best, way);
                way = over || walk.best == 0 ? walk.best : no_way;
            }
            if (way != no_way || over) {
                if (walk.waiting != nullptr)
                    walk.places.push_back({way_of(*walk.waiting, way), 0, way});
                go_on(walk);
            }
        }
        std::erase_if(walks_, [](const Walk& walk) { return walk.over; });
    }

    /// Which of the ways out of the wait is open: the first of those of which something has come.
    std::size_t come(const WaitFor& wait, const Event* event) {
        auto const any = [&](const std::vector<Awaited>& what) {
            bool out = false;
            for (const Awaited& one : what) {
                if (const auto* pattern = std::get_if<JourneyEvent>(&one))
                    out = out || (event != nullptr && oracle_.matches(pattern->event, *event) == Answer::yes);
                else
                    out = out || holds(*std::get<Box<Condition>>(one));
            }
            return out;
        };
        if (any(wait.what))
            return 0;
        for (std::size_t i = 0; i < wait.others.size(); ++i)
            if (any(wait.others[i].what))
                return i + 1;
        return no_way;
    }
    static const Steps* way_of(const WaitFor& wait, std::size_t way) {
        return way == no_way ? &wait.else_steps : way == 0 ? &wait.then_steps : &wait.others[way - 1].steps;
    }

    void command(const Event& event) {
        if (event.type != "$journey")
            return;
        std::string const what = event.properties["do"];
        bool const moves = current_ == next; // there is a version to move to
        for (Walk& walk : walks_)
            if (what == "pause")
                walk.paused = true;
            else if (what == "resume")
                walk.paused = false;
            else if (what == "stop" || (what == "migrate" && moves && walk.workflow != next && event.properties["otherwise"] == "leave"))
                walk.over = true;
            else if (what == "migrate" && moves && walk.workflow != next && event.properties["otherwise"] == "same")
                move(walk);
        std::erase_if(walks_, [](const Walk& walk) { return walk.over; });
    }

    static const Steps* block_of(const Step& step, std::size_t branch) {
        if (const auto* wait = std::get_if<WaitFor>(&step.node))
            return way_of(*wait, branch);
        const auto& choice = std::get<If>(step.node);
        return branch < choice.branches.size() ? &choice.branches[branch].steps : &choice.else_steps;
    }

    // To the same place in the next version: the wait goes on from when it began.
    void move(Walk& walk) const {
        walk.workflow = next;
        const Steps* block = &next->steps;
        for (std::size_t i = 0; i < walk.places.size(); ++i) {
            if (i > 0)
                block = block_of(*(*walk.places[i - 1].steps)[walk.places[i - 1].at - 1], walk.places[i].branch);
            walk.places[i].steps = block;
        }
        const Step& step = *(*walk.places.back().steps)[walk.places.back().at - 1];
        walk.wait = std::get_if<Wait>(&step.node);
        walk.waiting = std::get_if<WaitFor>(&step.node);
        walk.wakes = Oracle::leaves(walk.since, walk.wait != nullptr ? walk.wait->duration : walk.waiting->up_to);
    }

    void happen(const Event& event) {
        command(event);
        pass(&event);
        if (event.type == "$journey") {
            pass(nullptr); // what is overdue when it goes on
            return;
        }
        Time const at = std::min(event.at, event.received_at);
        bool starts = false;
        for (const Trigger& trigger : current_->triggers)
            starts = starts || oracle_.matches(std::get<OnEvent>(trigger).event, event) == Answer::yes;
        if (!starts || event.received_at - at > late_after_ || leaves(*current_))
            return;
        if (current_->reentry.kind == Reentry::never && ever_)
            return;
        if (current_->reentry.kind == Reentry::after &&
            (!walks_.empty() || (ever_ && Oracle::leaves(last_start_, current_->reentry.after) > now_)))
            return;
        ever_ = true;
        last_start_ = now_;
        Walk walk;
        walk.workflow = current_;
        walk.places.push_back({&current_->steps, 0, 0});
        go_on(walk);
        if (!walk.over)
            walks_.push_back(walk);
    }

    void go_on(Walk& walk) {
        walk.wait = nullptr;
        walk.waiting = nullptr;
        walk.best = no_way;
        walk.wakes = never;
        walk.since = now_;
        while (!walk.places.empty()) {
            Place& place = walk.places.back();
            if (place.at == place.steps->size()) {
                walk.places.pop_back();
                continue;
            }
            const Step& step = *(*place.steps)[place.at++];
            if (const auto* wait = std::get_if<Wait>(&step.node)) {
                walk.wait = wait;
                walk.wakes = Oracle::leaves(now_, wait->duration); // UTC: days are 24 h
                return;
            }
            if (const auto* wait = std::get_if<WaitFor>(&step.node)) {
                std::size_t const way = come(*wait, nullptr);
                if (way == 0 || (way != no_way && !wait->ranked)) {
                    walk.places.push_back({way_of(*wait, way), 0, way});
                    continue;
                }
                walk.waiting = wait;
                walk.best = way;
                walk.wakes = Oracle::leaves(now_, wait->up_to);
                return;
            }
            if (const auto* choice = std::get_if<If>(&step.node)) {
                std::size_t chosen = 0;
                while (chosen < choice->branches.size() && !holds(*choice->branches[chosen].condition))
                    ++chosen;
                walk.places.push_back({block_of(step, chosen), 0, chosen});
                continue;
            }
            if (const auto* send = std::get_if<Send>(&step.node))
                sent.push_back(print_iso_time(now_) + ' ' + send->channel + ' ' + send->template_name);
            else if (const auto* act = std::get_if<Do>(&step.node))
                sent.push_back(print_iso_time(now_) + ' ' + act->kind + ' ');
            else
                break; // exit
        }
        walk.over = true;
    }
};

} // namespace nurture::world
