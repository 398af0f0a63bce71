// No step twice, no step skipped: a second, naive walker goes through the workflow's syntax tree, asks the oracle at every
// moment at which anything can change, and must send the same at the same time.
#include "oracle.hpp"

#include <gtest/gtest.h>

namespace nurture::world {
namespace {

using namespace language;

class Walker {
  public:
    Walker(const Workflow& workflow, Oracle& oracle, Span late_after)
        : workflow_(workflow), oracle_(oracle), late_after_(late_after) {}

    std::vector<std::string> sent;

    void live(const std::set<Time>& breakpoints, Time end) {
        std::set<Time> moments = breakpoints;
        std::size_t next = 0;
        while (true) {
            // The earliest of: a moment at which conditions may change, the end of a wait.
            Time now = never;
            while (!moments.empty() && *moments.begin() < now_)
                moments.erase(moments.begin());
            if (!moments.empty())
                now = *moments.begin();
            for (const Walk& walk : walks_)
                now = std::min(now, walk.wakes);
            if (now > end)
                return;
            now_ = now;
            moments.erase(now);
            // Timers first, with what was told before this instant.
            told_ = next;
            pass(nullptr);
            while (next < oracle_.events.size() && oracle_.events[next].received_at <= now) {
                told_ = ++next;
                happen(oracle_.events[next - 1]);
            }
        }
    }

  private:
    struct Place { // a block and where in it; the blocks around it go on when it ends
        const Steps* steps;
        std::size_t at;
    };
    struct Walk {
        std::vector<Place> places;
        const WaitFor* waiting = nullptr;
        Time wakes = never;
        bool over = false;
    };
    const Workflow& workflow_;
    Oracle& oracle_;
    Span late_after_;
    std::vector<Walk> walks_;
    Time now_ = 0, last_start_ = 0;
    bool ever_ = false;
    std::size_t told_ = 0;

    // Several messages may arrive in the same microsecond: the conditions see those before and the one at hand.
    bool holds(const Condition& condition) {
        oracle_.told = told_;
        return oracle_.evaluate(condition, now_) == Answer::yes;
    }
    bool leaves() {
        for (const auto& condition : workflow_.exit_when)
            if (holds(*condition))
                return true;
        return false;
    }

    void pass(const Event* event) {
        for (std::size_t i = 0; i < walks_.size(); ++i) {
            Walk& walk = walks_[i];
            bool out = false;
            for (const auto& pattern : workflow_.exit_on)
                out = out || (event != nullptr && oracle_.matches(pattern, *event) == Answer::yes);
            if (out || leaves()) {
                walk.over = true;
                continue;
            }
            const auto* pattern = walk.waiting ? std::get_if<EventPattern>(&walk.waiting->what) : nullptr;
            const auto* condition = walk.waiting ? std::get_if<Box<Condition>>(&walk.waiting->what) : nullptr;
            bool const came = (pattern != nullptr && event != nullptr && oracle_.matches(*pattern, *event) == Answer::yes) ||
                              (condition != nullptr && holds(**condition));
            if (came || (event == nullptr && walk.wakes <= now_)) {
                if (walk.waiting != nullptr)
                    walk.places.push_back({came ? &walk.waiting->then_steps : &walk.waiting->else_steps, 0});
                go_on(walk);
            }
        }
        std::erase_if(walks_, [](const Walk& walk) { return walk.over; });
    }

    void happen(const Event& event) {
        pass(&event);
        Time const at = std::min(event.at, event.received_at);
        bool starts = false;
        for (const Trigger& trigger : workflow_.triggers)
            starts = starts || oracle_.matches(std::get<OnEvent>(trigger).event, event) == Answer::yes;
        if (!starts || event.received_at - at > late_after_ || leaves())
            return;
        if (workflow_.reentry.kind == Reentry::never && ever_)
            return;
        if (workflow_.reentry.kind == Reentry::after &&
            (!walks_.empty() || (ever_ && Oracle::leaves(last_start_, workflow_.reentry.after) > now_)))
            return;
        ever_ = true;
        last_start_ = now_;
        Walk walk;
        walk.places.push_back({&workflow_.steps, 0});
        go_on(walk);
        if (!walk.over)
            walks_.push_back(walk);
    }

    void go_on(Walk& walk) {
        walk.waiting = nullptr;
        walk.wakes = never;
        while (!walk.places.empty()) {
            Place& place = walk.places.back();
            if (place.at == place.steps->size()) {
                walk.places.pop_back();
                continue;
            }
            const Step& step = *(*place.steps)[place.at++];
            if (const auto* wait = std::get_if<Wait>(&step.node)) {
                walk.wakes = Oracle::leaves(now_, wait->duration); // UTC: days are 24 h
                return;
            }
            if (const auto* wait = std::get_if<WaitFor>(&step.node)) {
                const auto* condition = std::get_if<Box<Condition>>(&wait->what);
                if (condition != nullptr && holds(**condition)) {
                    walk.places.push_back({&wait->then_steps, 0});
                    continue;
                }
                walk.waiting = wait;
                walk.wakes = Oracle::leaves(now_, wait->up_to);
                return;
            }
            if (const auto* choice = std::get_if<If>(&step.node)) {
                const Steps* chosen = &choice->else_steps;
                for (const Branch& branch : choice->branches)
                    if (holds(*branch.condition)) {
                        chosen = &branch.steps;
                        break;
                    }
                walk.places.push_back({chosen, 0});
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

TEST(Walk, NoStepTwiceNoStepSkipped) {
    std::size_t actions = 0;
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
        std::vector<std::string> sent;
        std::set<Uuid> ids;
        for (const auto& action : contact.raw_actions) {
            sent.push_back(print_iso_time(action.due) + ' ' + action.channel + ' ' + action.template_name);
            ASSERT_TRUE(ids.insert(action.id).second) << "an action twice\n" << describe(definitions, events);
        }
        Workflow const workflow = parse_workflow(text);
        Oracle oracle(definitions, events);
        Walker walker(workflow, oracle, definitions.source.late_after);
        std::vector<Duration> windows = behaviour_windows();
        windows.push_back({1, 2, 0});
        walker.live(oracle.breakpoints(windows), end);
        ASSERT_EQ(sent, walker.sent) << describe(definitions, events);
        actions += sent.size();
    }
    if (std::getenv("SIMULATION_SEED") == nullptr) {
        EXPECT_GT(actions, 50U); // the histories do lead somewhere
    }
}

} // namespace
} // namespace nurture::world
