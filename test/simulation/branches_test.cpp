// Branches side by side do what workflows of their own would do, and what is behind them comes when all, or the first, have ended.
#include "random.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace nurture::world {
namespace {

using Sent = std::vector<std::pair<Time, std::string>>;

/// What a workflow sent, and when it ended, if it did.
struct Lived {
    Sent sent;
    Time ended = never;
};

Lived live(Definitions definitions, const std::string& workflow, const std::vector<Event>& events, Time end) {
    definitions.workflow("w", workflow);
    auto const model = definitions.compile();
    Contact contact;
    contact.step(model, events, end);
    Lived out;
    for (const auto& action : contact.raw_actions)
        out.sent.emplace_back(action.due, action.channel + ' ' + action.template_name);
    for (const auto& transition : contact.raw_transitions)
        if (transition.kind == step::TransitionKind::journey_ended)
            out.ended = transition.at;
    std::sort(out.sent.begin(), out.sent.end());
    return out;
}

/// Steps that neither change the contact nor leave the journey: branches made of them do not see each other.
std::string bystanding_steps(Random& r, int depth, int& name) {
    Taste taste;
    taste.score = false;
    for (;;) {
        int next = name;
        std::string steps = random_steps(r, taste, false, depth, next);
        if (steps.find("exit") == steps.npos) {
            name = next;
            return steps;
        }
    }
}

TEST(Branches, DoWhatWorkflowsOfTheirOwnWouldDo) {
    for (std::uint64_t const seed : seeds(1500)) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        Definitions definitions;
        definitions.source.timezone = r.pick<std::string>({"UTC", "Europe/Rome", "America/New_York"});
        int name = 0;
        std::vector<std::string> branches;
        for (std::int64_t left = 2 + r.below(2); left > 0; --left)
            branches.push_back(bystanding_steps(r, 1, name));
        std::string const trigger = "on " + r.pick(event_types());
        std::string all = " parallel", any = " parallel until any ends";
        for (std::size_t i = 0; i < branches.size(); ++i) {
            all += (i == 0 ? "" : " and") + branches[i];
            any += (i == 0 ? "" : " and") + branches[i];
        }
        auto const events = random_history(r);
        Time const end = events.back().received_at + r.below(60 * one_day);
        Sent together;
        Time last = always, first = never;
        for (const std::string& branch : branches) {
            auto const alone = live(definitions, trigger + branch, events, end);
            together.insert(together.end(), alone.sent.begin(), alone.sent.end());
            last = std::max(last, alone.ended);
            first = std::min(first, alone.ended);
        }
        std::sort(together.begin(), together.end());
        auto const nested = live(definitions, trigger + " parallel" + all + " end and" + branches[0] + " end", events, end);
        auto const joined = live(definitions, trigger + all + " end do 'joined'", events, end);
        auto expected = together;
        if (last != never && last != always)
            expected.emplace_back(last, "joined ");
        std::sort(expected.begin(), expected.end());
        ASSERT_EQ(joined.sent, expected) << trigger + all << describe(definitions, events);
        ASSERT_EQ(joined.ended, last == always ? never : last) << trigger + all << describe(definitions, events);
        ASSERT_EQ(nested.ended, joined.ended);

        auto const won = live(definitions, trigger + any + " end do 'joined'", events, end);
        ASSERT_EQ(won.ended, first) << trigger + any << describe(definitions, events);
        auto const before = [&](const Sent& sent) {
            Sent out;
            std::copy_if(sent.begin(), sent.end(), std::back_inserter(out), [&](const auto& one) { return one.first < first; });
            return out;
        };
        ASSERT_EQ(before(won.sent), before(together)) << trigger + any << describe(definitions, events);
        for (const auto& one : won.sent) // nothing but what is due at the same instant comes with the first end, and then no more
            ASSERT_TRUE(one.first < first || (one.first == first && (one.second == "joined " || std::count(together.begin(), together.end(), one) != 0)));
        ASSERT_EQ(std::count(won.sent.begin(), won.sent.end(), std::pair(first, std::string("joined "))), first == never ? 0 : 1);
    }
}

} // namespace
} // namespace nurture::world
