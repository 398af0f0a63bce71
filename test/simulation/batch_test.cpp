// Invariant 2: the same inbox, cut into any batches with ticks at any moments, gives the same.
#include "random.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace nurture::world {
namespace {

/// Lives through the history as the worker would: ticks at random moments, batches of random sizes, backlogs.
void live(Random& r, Contact& contact, const model::Model& model, const std::vector<Event>& events, Time end) {
    std::size_t next = 0;
    Time now = events.front().received_at;
    if (r.chance(40)) // a step may stop anywhere between two instants, and the next goes on
        contact.bound = step::Bound{static_cast<std::size_t>(r.below(4'000)), static_cast<int>(1 + r.below(6))};
    int const step_percent = static_cast<int>(r.pick<std::int64_t>({5, 40, 90}));
    while (true) {
        std::size_t visible = next;
        while (visible < events.size() && events[visible].received_at <= now)
            ++visible;
        while (next < visible || r.chance(20)) {
            std::size_t const left = visible - next;
            auto const size = left == 0 ? 0 : static_cast<std::size_t>(1 + r.below(static_cast<std::int64_t>(left)));
            bool const empties = size == left;
            contact.step(model, {events.begin() + static_cast<std::ptrdiff_t>(next), events.begin() + static_cast<std::ptrdiff_t>(next + size)},
                         empties ? std::optional(now) : std::nullopt);
            next += size;
            if (!empties && r.chance(20))
                break; // the rest waits for a later tick
        }
        if (next == events.size() && now >= end) {
            contact.step(model, {}, end); // what is due by the end
            return;
        }
        // On to another moment: the next arrival exactly, near it, or anywhere.
        Time const arrival = next < events.size() ? events[next].received_at : end;
        now = std::max(now, r.chance(step_percent) ? arrival : now + 1 + r.below(std::max<Span>(1, arrival - now) + one_hour));
        now = std::min(now, end);
        if (contact.due != never && contact.due > now && r.chance(20))
            now = std::min(contact.due, end);
    }
}

void live_at_once(Contact& contact, const model::Model& model, const std::vector<Event>& events, Time end) {
    contact.step(model, events, end);
}

/// The state without what tells ticks apart.
std::string timeless(profile::Profile profile) {
    auto const forget = [](auto& said) {
        if (said)
            said->stamp.tick = said->stamp.n = 0;
    };
    consent::Consents consents;
    for (consent::Entry entry : profile.consents.entries()) {
        forget(entry.grant);
        forget(entry.refusal);
        if (entry.grant)
            consents.grant(entry.scope, *entry.grant);
        if (entry.refusal)
            consents.refuse(entry.scope, *entry.refusal);
    }
    profile.consents = std::move(consents);
    if (profile.score.was_reset()) {
        profile.score.reset.tick = profile.score.reset.n = 0;
        profile.score.before_reset = timeless(profile::decode(profile.score.before_reset));
    }
    for (auto& feature : profile.features) {
        if (auto* extreme = std::get_if<profile::Extreme>(&feature.value))
            extreme->stamp.tick = extreme->stamp.n = 0;
        if (auto* texts = std::get_if<profile::Extremes>(&feature.value))
            for (std::size_t i = 0; i < texts->items.size(); ++i) {
                texts->items[i].stamp.tick = static_cast<std::int64_t>(i);
                texts->items[i].stamp.n = 0;
            }
        if (auto* entries = std::get_if<profile::Entries>(&feature.value))
            for (std::size_t i = 0; i < entries->items.size(); ++i) {
                entries->items[i].stamp.tick = static_cast<std::int64_t>(i);
                entries->items[i].stamp.n = 0;
            }
    }
    for (auto& attribute : profile.attributes)
        attribute.stamp.tick = attribute.stamp.n = 0;
    return encode(profile);
}
std::string timeless(const Contact& contact) { return timeless(contact.profile()); }

/// Adds what senders report about some of the actions that the history brings about.
std::vector<Event> with_outcomes(Random& r, const model::Model& model, std::vector<Event> events, Time end, Span within) {
    Contact first;
    live_at_once(first, model, events, end);
    for (const auto& action : first.raw_actions)
        if (r.chance(40)) {
            Time const at = action.due + r.below(within);
            events.push_back({at, at, r.pick<std::string>({"$sent", "$failed", "$dropped"}),
                              {{"action", print_uuid(action.id)}, {"step", action.step}}, {}, false});
        }
    std::stable_sort(events.begin(), events.end(), [](auto& a, auto& b) { return a.received_at < b.received_at; });
    return events;
}

/// Adds what people do to journeys by hand.
std::vector<Event> with_commands(Random& r, std::vector<Event> events) {
    std::size_t const size = events.size();
    for (std::size_t i = 0; i < size; ++i)
        if (r.chance(8)) {
            Time const at = events[i].received_at + r.below(one_day);
            if (r.chance(25)) {
                events.push_back({at, at, "$start", {{"workflow", r.pick<std::string>({"w0", "w1"})}}, {}, false});
                continue;
            }
            Json props{{"do", r.pick<std::string>({"pause", "resume", "stop"})}};
            if (r.chance(70))
                props["workflow"] = 1 + r.below(2);
            events.push_back({at, at, "$journey", std::move(props), {}, false});
        }
    std::stable_sort(events.begin(), events.end(), [](auto& a, auto& b) { return a.received_at < b.received_at; });
    return events;
}

TEST(Batches, CutAnyhowGiveTheSame) {
    int hurried = 0;
    std::size_t unfinished = 0, journeys = 0;
    for (std::uint64_t const seed : seeds(2000)) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        Wanted wanted;
        wanted.timezone = r.pick<std::string>({"UTC", "Europe/Rome", "America/New_York"});
        wanted.taste.flow = r.chance(60);
        auto definitions = random_definitions(r, wanted);
        // What goes round with a wait of a second, in a loop or because workflows start each other, does so millions of times in
        // months: such histories take minutes instead.
        Span const shorter = describe(definitions, {}).find("1 second") != std::string::npos ? 10'000 : 1;
        hurried += shorter > 1 ? 1 : 0;
        std::optional<model::Model> compiled;
        try {
            compiled = definitions.compile();
        } catch (const Error& error) { // workflows that start each other without a wait
            ASSERT_NE(std::string(error.what()).find("without end and without time passing"), std::string::npos)
                << error.what() << '\n' << error.detail << describe(definitions, {});
            continue;
        }
        auto const& model = *compiled;
        auto events = wanted.taste.flow ? with_commands(r, random_history(r)) : random_history(r);
        Time const first = events.front().received_at;
        for (Event& event : events) {
            event.at = first + (event.at - first) / shorter;
            event.received_at = first + (event.received_at - first) / shorter;
        }
        Time const end = events.back().received_at + r.below(60 * one_day / shorter);
        Contact once;
        Time last = end;
        try {
            events = with_outcomes(r, model, events, end, 3 * one_hour / shorter);
            if (events.size() > 1'000)
                continue; // the same of a schedule that comes round every minute
            last = std::max(end, events.back().received_at);
            live_at_once(once, model, events, last);
        } catch (const Error& error) { // the net under workflows that go round through filters
            ASSERT_TRUE(wanted.taste.flow && error.kind == ErrorKind::limit_exceeded) << error.what() << describe(definitions, events);
            continue;
        }
        for (int cut = 0; cut < 3; ++cut) {
            Contact cuts;
            live(r, cuts, model, events, last);
            ASSERT_EQ(cuts.transitions, once.transitions) << describe(definitions, events);
            ASSERT_EQ(cuts.actions, once.actions) << describe(definitions, events);
            ASSERT_EQ(cuts.cancellations, once.cancellations) << describe(definitions, events);
            ASSERT_EQ(cuts.written, once.written) << describe(definitions, events);
            ASSERT_EQ(cuts.duplicates, once.duplicates);
            ASSERT_EQ(timeless(cuts), timeless(once)) << describe(definitions, events);
            ASSERT_EQ(cuts.due, once.due);
            unfinished += cuts.unfinished;
        }
        for (const auto& transition : once.raw_transitions)
            journeys += transition.kind == step::TransitionKind::journey_started ? 1 : 0;
    }
    std::cout << journeys << " journeys, each lived four times in other batches; " << unfinished << " steps stopped at their bound\n";
    ::testing::Test::RecordProperty("journeys", std::to_string(journeys));
    if (std::getenv("SIMULATION_SEED") == nullptr) {
        EXPECT_GT(hurried, 0);
        EXPECT_GT(unfinished, 1'000U);
    }
}

// Bulk history folds features wherever it is consumed, happens at the contact's clock and starts nothing.
TEST(Batches, HistoryFoldsTheSameFeaturesWheneverItIsConsumed) {
    for (std::uint64_t const seed : seeds(800)) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        Wanted wanted;
        wanted.sets = false;
        auto definitions = random_definitions(r, wanted);
        auto const model = definitions.compile();
        auto const events = random_history(r);
        auto history = random_history(r);
        for (auto& event : history) {
            event.history = true;
            event.message_id.clear();
            event.at -= 40 * one_day;
            event.received_at = events.front().received_at;
        }
        Time const end = events.back().received_at + 30 * one_day;
        std::vector<std::string> folded;
        for (std::size_t const after : {std::size_t{0}, events.size() / 2, events.size()}) {
            Contact contact;
            contact.step(model, {events.begin(), events.begin() + static_cast<std::ptrdiff_t>(after)}, std::nullopt);
            auto const before = contact.raw_transitions.size();
            Time const clock = after == 0 ? history.front().received_at : contact.profile().clock;
            contact.step(model, history, std::nullopt);
            for (std::size_t i = before; i < contact.raw_transitions.size(); ++i) {
                ASSERT_NE(contact.raw_transitions[i].kind, step::TransitionKind::journey_started) << describe(definitions, events);
                ASSERT_EQ(contact.raw_transitions[i].at, clock);
            }
            contact.step(model, {events.begin() + static_cast<std::ptrdiff_t>(after), events.end()}, end);
            auto profile = contact.profile();
            profile.clock = end; // what depends on the order: the path, and ticks
            profile.journeys.clear();
            profile.workflows.clear();
            profile.completed.clear();
            profile.pasts.clear();
            profile.seen.clear();
            std::erase_if(profile.segments, [](const auto& segment) { return !segment.member; });
            for (auto& segment : profile.segments)
                segment.since = segment.flips = 0;
            for (std::size_t slot = 0; auto& feature : profile.features) {
                while (model.features[slot].id != feature.id)
                    ++slot;
                prune(model.features[slot].definition, feature.value, end, model.zone);
            }
            std::erase_if(profile.features, [](const auto& f) { return f.value.index() == 0; });
            Contact plain;
            plain.state = encode(profile);
            folded.push_back(timeless(plain));
        }
        ASSERT_EQ(folded[1], folded[2]) << describe(definitions, events) << describe({}, history);
        ASSERT_EQ(folded[0], folded[1]) << describe(definitions, events) << describe({}, history);
    }
}

} // namespace
} // namespace nurture::world
