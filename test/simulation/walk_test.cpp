// No step twice, no step skipped: a second, naive walker goes through the workflow's syntax tree, asks the oracle at every
// moment at which anything can change, and must send the same at the same time.
#include "oracle.hpp"

#include <gtest/gtest.h>

namespace nurture::world {
namespace {

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

    void live(const std::set<Time>& breakpoints, Time end) {
        std::set<Time> moments = breakpoints;
        while (true) {
            // The earliest of: a moment at which conditions may change, the end of a wait.
            Time now = never;
            while (!moments.empty() && *moments.begin() < now_)
                moments.erase(moments.begin());
            if (!moments.empty())
                now = *moments.begin();
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
            moments.erase(now);
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
    struct Place { // a block and where in it; the blocks around it go on when it ends
        const Steps* steps;
        std::size_t at, branch; ///< which block of the step before it
    };
    struct Walk {
        const Workflow* workflow = nullptr;
        std::vector<Place> places;
        const Wait* wait = nullptr;
        const WaitFor* waiting = nullptr;
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

    /// The next edit, if it is of that kind and its turn has come.
    [[nodiscard]] const Edit* edit(Edit::Kind kind) const {
        bool const now = edited_ < edits.size() && edits[edited_].index == taken_ && edits[edited_].kind == kind;
        return now ? &edits[edited_] : nullptr;
    }

    // The workflow is paused: what is told meanwhile is known, and nothing comes of it. It goes on from there.
    bool stand_still() {
        ++edited_;
        bool told = false;
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
            told = true;
        }
        ++edited_;
        if (told)
            pass(nullptr);
        return true;
    }

    // Several messages may arrive in the same microsecond: the conditions see those before and the one at hand.
    bool holds(const Condition& condition) {
        oracle_.told = told_;
        return oracle_.evaluate(condition, now_) == Answer::yes;
    }
    bool leaves(const Workflow& workflow) {
        for (const auto& condition : workflow.exit_when)
            if (holds(*condition))
                return true;
        return false;
    }

    void pass(const Event* event) {
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
            const auto* pattern = walk.waiting ? std::get_if<JourneyEvent>(&walk.waiting->what.front()) : nullptr;
            const auto* condition = walk.waiting ? std::get_if<Box<Condition>>(&walk.waiting->what.front()) : nullptr;
            bool const came = (pattern != nullptr && event != nullptr && oracle_.matches(pattern->event, *event) == Answer::yes) ||
                              (condition != nullptr && holds(**condition));
            if (came || (event == nullptr && walk.wakes <= now_)) {
                if (walk.waiting != nullptr)
                    walk.places.push_back({came ? &walk.waiting->then_steps : &walk.waiting->else_steps, 0, came ? 0U : 1U});
                go_on(walk);
            }
        }
        std::erase_if(walks_, [](const Walk& walk) { return walk.over; });
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
            return branch == 0 ? &wait->then_steps : &wait->else_steps;
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
                const auto* condition = std::get_if<Box<Condition>>(&wait->what.front());
                if (condition != nullptr && holds(**condition)) {
                    walk.places.push_back({&wait->then_steps, 0, 0});
                    continue;
                }
                walk.waiting = wait;
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

/// What a run was about, for those who run many.
struct Account {
    std::size_t histories = 0, journeys = 0, actions = 0, moved = 0;

    void add(const Contact& contact) {
        ++histories;
        for (const auto& transition : contact.raw_transitions)
            journeys += transition.kind == step::TransitionKind::journey_started ? 1 : 0;
        for (const auto& action : contact.raw_actions) {
            ++actions;
            moved += action.version == 2 ? 1 : 0;
        }
    }
    void close(std::size_t wanted_moved) const {
        std::cout << histories << " histories, " << journeys << " journeys, " << actions << " actions, " << moved << " of them in a second version\n";
        if (std::getenv("SIMULATION_SEED") == nullptr) { // they do lead somewhere
            EXPECT_GT(actions, 50U);
            EXPECT_GE(moved, wanted_moved);
        }
    }
};

/// Whatever may change a condition of the text: also the beginnings of days, weeks and months.
std::set<Time> moments_of(const Oracle& oracle, const std::string& text, Time end) {
    std::vector<Duration> windows = behaviour_windows(); // singly and in pairs
    windows.push_back({1, 2, 0});
    if (text.find(" then not ") != text.npos) // a silence after a silence, before some time ago
        for (std::size_t i = 0, pairs = behaviour_windows().size(); i < pairs; ++i)
            for (std::size_t j = 0; j < 12; ++j) {
                const Duration a = windows[i], b = windows[j];
                windows.push_back({a.months + b.months, a.days + b.days, a.micros + b.micros});
            }
    std::set<Time> out = oracle.breakpoints(windows);
    if (text.find(" of the last ") != text.npos)
        for (Time day = oracle.events.front().received_at / one_day * one_day; day <= end; day += one_day)
            out.insert(day);
    return out;
}

std::vector<std::string> sent_by(const Contact& contact) {
    std::vector<std::string> sent;
    std::set<Uuid> ids;
    for (const auto& action : contact.raw_actions) {
        sent.push_back(print_iso_time(action.due) + ' ' + action.channel + ' ' + action.template_name);
        EXPECT_TRUE(ids.insert(action.id).second) << "an action twice: " << action.step;
    }
    return sent;
}

TEST(Walk, NoStepTwiceNoStepSkipped) {
    Account account;
    for (std::uint64_t const seed : seeds(2000)) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        Taste taste;
        taste.score = false;
        Definitions definitions;
        int name = 0;
        std::string const text = "on " + random_event(r) + (r.chance(50) ? " on " + random_event(r) : "") +
                                 random_header(r, taste) + random_steps(r, taste, false, 3, name);
        definitions.workflow("w", text);
        auto const model = definitions.compile();
        auto events = random_history(r, 20);
        for (Event& event : events)
            event.properties.erase("timezone");
        Time const end = events.back().received_at + 40 * one_day;
        Contact contact;
        contact.step(model, events, end);
        std::vector<std::string> const sent = sent_by(contact);
        ASSERT_FALSE(::testing::Test::HasFailure()) << describe(definitions, events);
        Workflow const workflow = parse_workflow(text);
        Oracle oracle(definitions, events);
        Walker walker(workflow, oracle, definitions.source.late_after);
        walker.live(moments_of(oracle, text, end), end);
        ASSERT_EQ(sent, walker.sent) << describe(definitions, events);
        account.add(contact);
    }
    account.close(0);
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

/// Adds what people do to those inside.
std::vector<Event> with_commands(Random& r, std::vector<Event> events) {
    std::size_t const size = events.size();
    for (std::size_t i = 0; i < size; ++i)
        if (r.chance(25)) {
            Json props{{"do", r.pick<std::string>({"pause", "pause", "resume", "resume", "resume", "stop", "migrate", "migrate"})}};
            if (props["do"] == "migrate")
                props.update({{"workflow", 1}, {"to", 2}, {"otherwise", r.pick<std::string>({"same", "same", "same", "stay", "leave"})}});
            else if (r.chance(50))
                props["workflow"] = 1;
            Time const at = events[i].received_at + (r.chance(30) ? 0 : r.below(one_day));
            events.push_back({at, at, "$journey", std::move(props), {}, false});
        }
    std::stable_sort(events.begin(), events.end(), [](auto& a, auto& b) { return a.received_at < b.received_at; });
    return events;
}

// The same while the workflow is published anew, paused and resumed, and people inside are paused, moved and stopped.
TEST(Walk, NoStepTwiceNoStepSkippedWhateverPeopleDo) {
    Account account;
    for (std::uint64_t const seed : seeds(2000)) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        Taste taste;
        taste.score = false;
        int name = 0;
        std::string const header = random_header(r, taste), steps = random_steps(r, taste, false, 3, name);
        std::string const text = "on " + random_event(r) + (r.chance(50) ? " on " + random_event(r) : "") + header + steps;
        // The next version has the same shape, other waits, other names, another trigger.
        std::string const others = replaced(replaced(replaced(replaced(steps, "'s", "'t"), "'d", "'e"), " wait 1 hour", " wait 2 days"), "up to 3 days", "up to 90 minutes");
        std::string const text2 = "on " + random_event(r) + header + others;
        Definitions definitions;
        definitions.workflow("w", text);
        definitions.workflow("shadow", "on never_ever" + header + others); // both ask for the same from the beginning
        auto events = with_commands(r, random_history(r, 20));
        for (Event& event : events) {
            event.properties.erase("timezone");
            event.message_id.clear(); // edits are told by the message before which they come
        }
        std::vector<Edit> edits;
        bool published = false, paused = false;
        for (std::size_t i = 1; i < events.size(); ++i) {
            if (!r.chance(15) || events[i].received_at == events[i - 1].received_at)
                continue;
            auto const kind = !published && r.chance(60) ? Edit::Kind::publish : paused ? Edit::Kind::resume : Edit::Kind::pause;
            edits.push_back({kind, i, events[i - 1].received_at + r.below(events[i].received_at - events[i - 1].received_at)});
            published = published || kind == Edit::Kind::publish;
            paused = kind == Edit::Kind::publish ? paused : kind == Edit::Kind::pause;
        }
        Time const end = events.back().received_at + 40 * one_day;
        Contact contact;
        std::size_t taken = 0;
        auto const live = [&](std::size_t upto, Time until) {
            contact.step(definitions.compile(), {events.begin() + static_cast<std::ptrdiff_t>(taken), events.begin() + static_cast<std::ptrdiff_t>(upto)}, until);
            taken = upto;
        };
        auto& rows = definitions.source.workflows;
        for (const Edit& edit : edits) {
            live(edit.index, edit.at);
            definitions.source.published = edit.at;
            if (edit.kind == Edit::Kind::publish) {
                rows.front().current = false;
                rows.push_back({1, 2, "w", text2, true, rows.front().paused});
            } else {
                for (auto& row : rows)
                    if (row.id == 1)
                        row.paused = edit.kind == Edit::Kind::pause;
            }
        }
        live(events.size(), end);
        std::vector<std::string> const sent = sent_by(contact);
        Oracle oracle(definitions, events);
        Workflow const first = parse_workflow(text), second = parse_workflow(text2);
        Walker walker(first, oracle, definitions.source.late_after);
        walker.edits = edits;
        walker.next = &second;
        walker.live(moments_of(oracle, text, end), end);
        std::string told;
        for (const Edit& edit : edits)
            told += print_iso_time(edit.at) + (edit.kind == Edit::Kind::publish ? " publish" : edit.kind == Edit::Kind::pause ? " pause" : " resume") + '\n';
        ASSERT_EQ(sent, walker.sent) << describe(definitions, events) << told;
        ASSERT_FALSE(::testing::Test::HasFailure()) << describe(definitions, events) << told;
        account.add(contact);
    }
    account.close(10);
}

} // namespace
} // namespace nurture::world
