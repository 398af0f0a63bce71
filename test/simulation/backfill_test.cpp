// A feature that appears when there is a past: what is folded of it, in any parts, joined with what has come since, is to the
// last digit what folding everything in order gives.
#include "core/model/takeover.hpp"
#include "core/step/backfill.hpp"
#include "core/step/fold.hpp"
#include "random.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace nurture::world {
namespace {

struct Logged {
    const Event* event;
    profile::Stamp stamp;
};

/// A contact and the log that the engine would keep of it.
struct Life {
    Contact contact;
    std::vector<Logged> log;

    void step(const model::Model& model, const std::vector<Event>& events, std::size_t from, std::size_t to) {
        contact.step(model, {events.begin() + static_cast<std::ptrdiff_t>(from), events.begin() + static_cast<std::ptrdiff_t>(to)},
                     std::nullopt);
        for (std::size_t i = from; i < to; ++i)
            log.push_back({&events[i], {std::min(events[i].at, events[i].received_at), contact.tick,
                                        static_cast<std::int32_t>(i - from + 1)}});
    }

    /// The features as bytes, by the text of their definitions.
    [[nodiscard]] std::map<std::string, std::string> features(const model::Model& model) const {
        return of(model, contact.profile());
    }
    static std::map<std::string, std::string> of(const model::Model& model, const profile::Profile& profile) {
        std::map<std::string, std::string> out;
        for (const auto& feature : profile.features) {
            ByteWriter bytes;
            profile::encode(bytes, feature.value, {});
            out[model.features.at(model.slot_of(feature.id)).text] = bytes.take();
        }
        return out;
    }
};

/// The contact's fold, among those of others, by several processes: they come to know the contacts in any order.
std::string past_among_others(Random& r, const step::PastPlan& plan, const std::vector<Logged>& log) {
    std::vector<std::string> keys{"", "a", "contact 1", "contact 10", std::string(32, 'k'), std::string(33, 'k'), std::string(300, 'k') + "\xff"};
    for (std::int64_t more = r.chance(4) ? 700 : r.below(5); more > 0; --more)
        keys.push_back("contact " + std::to_string(more * 7919 % 1009 + 100));
    const std::string& own = keys[static_cast<std::size_t>(r.below(static_cast<std::int64_t>(keys.size())))];
    std::vector<step::PastTable> workers;
    for (std::int64_t n = 1 + r.below(4); n > 0; --n)
        workers.emplace_back(plan);
    auto take = [&](const std::string& key, const Logged& l) {
        workers[static_cast<std::size_t>(r.below(static_cast<std::int64_t>(workers.size())))].take(
            key, l.event->type, JsonProperties(l.event->properties), l.stamp);
    };
    for (const Logged& l : log) {
        take(own, l);
        for (std::int64_t others = r.below(20); others > 0; --others)
            if (const auto& key = keys[static_cast<std::size_t>(r.below(static_cast<std::int64_t>(keys.size())))]; key != own)
                take(key, l);
    }
    std::vector<std::string> encoded;
    for (auto& worker : workers)
        encoded.push_back(worker.encode());
    step::PastReader in({encoded.begin(), encoded.end()});
    std::string_view key;
    std::optional<std::string> before;
    std::string found;
    for (std::string parts; in.next(key, parts);) {
        EXPECT_FALSE(parts.empty());
        EXPECT_TRUE(!before || *before < key);
        before = key;
        if (key == own)
            found = parts;
    }
    return found;
}

/// The fold of the log below a tick, by any number of workers, in any order.
std::string past_of(Random& r, const model::Model& model, std::int64_t from_tick, std::vector<Logged> log) {
    std::erase_if(log, [&](const Logged& l) { return l.stamp.tick >= from_tick; });
    for (std::size_t i = log.size(); i > 1; --i)
        std::swap(log[i - 1], log[static_cast<std::size_t>(r.below(static_cast<std::int64_t>(i)))]);
    profile::Profile const nobody;
    step::Facts const facts(model, nobody);
    step::PastPlan const plan(facts, from_tick);
    if (r.chance(50))
        return past_among_others(r, plan, log);
    std::vector<step::PastFold> workers(static_cast<std::size_t>(1 + r.below(4)), step::PastFold(plan));
    for (const Logged& l : log)
        workers[static_cast<std::size_t>(r.below(static_cast<std::int64_t>(workers.size())))].take(
            l.event->type, JsonProperties(l.event->properties), l.stamp);
    std::string parts;
    for (const auto& worker : workers)
        parts += worker.encode();
    return parts;
}

model::Source registered(model::Source source, const std::map<std::string, std::uint32_t>& ids,
                         const std::set<std::string>& complete, std::int64_t from_tick) {
    source.features.clear();
    for (const std::string& text : model::required_features(source))
        source.features.push_back({ids.at(text), text, complete.contains(text) ? 0 : from_tick});
    return source;
}

std::set<std::string> texts_of(const model::Source& source) {
    auto const texts = model::required_features(source);
    return {texts.begin(), texts.end()};
}

TEST(Backfill, PastAndPresentMakeTheWhole) {
    int backfilled = 0;
    for (std::uint64_t const seed : seeds(1500)) {
        SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
        Random r(seed);
        Wanted wanted;
        wanted.sets = false; // what workflows write depends on when they begin
        wanted.rules = 5;
        wanted.timezone = r.pick<std::string>({"UTC", "Europe/Rome"});
        auto definitions = random_definitions(r, wanted);
        auto const whole = definitions.compile();
        auto events = random_history(r, 60);
        for (Event& event : events)
            event.message_id.clear();

        // Before: some of the rules, no segment that could name another, no workflow.
        model::Source before = model::definitions_of(definitions.source);
        std::erase_if(before.rules, [&](const auto&) { return r.chance(60); });
        before.segments.clear();
        before.workflows.clear();
        before.id = 1;
        auto const known = texts_of(before);
        auto const old_model = model::compile(registered(before, definitions.feature_ids, known, 0));

        std::size_t const size = events.size();
        auto const defined = static_cast<std::size_t>(r.below(static_cast<std::int64_t>(size)));
        auto const merged = defined + static_cast<std::size_t>(r.below(static_cast<std::int64_t>(size - defined + 1)));
        Life life, from_the_start;
        auto live = [&](const model::Model& model, std::size_t from, std::size_t to) {
            while (from < to) {
                auto const batch = std::min(to, from + 1 + static_cast<std::size_t>(r.below(5)));
                life.step(model, events, from, batch);
                from_the_start.step(whole, events, from, batch);
                from = batch;
            }
        };
        live(old_model, 0, defined);
        std::int64_t const from_tick = life.contact.tick + 1;
        auto takeover = model::take_over(model::definitions_of(definitions.source), &old_model.source, known);
        ASSERT_EQ(takeover.held.empty(), takeover.next.upcoming.empty());
        takeover.next.id = 2;
        auto const collecting = model::compile(registered(takeover.next, definitions.feature_ids, known, from_tick));
        live(collecting, defined, merged);
        if (!life.contact.state.empty()) {
            auto state = life.contact.profile();
            step::merge_past(collecting, state, past_of(r, collecting, from_tick, life.log));
            life.contact.state = encode(state);
        }
        auto complete = model::take_over(model::definitions_of(definitions.source), &collecting.source,
                                         texts_of(definitions.source));
        ASSERT_TRUE(complete.held.empty());
        ASSERT_TRUE(complete.next.upcoming.empty());
        complete.next.id = 3;
        complete.next.published = life.contact.state.empty() ? always : life.contact.profile().clock;
        auto const now = model::compile(
            registered(complete.next, definitions.feature_ids, texts_of(complete.next), 0));
        live(now, merged, size);
        life.contact.step(now, {}, std::nullopt);
        from_the_start.contact.step(whole, {}, std::nullopt);
        backfilled += collecting.features.size() > old_model.features.size();

        // The clocks may differ by timers that only one of them had: what both have forgotten by the later one does not count.
        auto ours = life.contact.profile(), theirs = from_the_start.contact.profile();
        Time const clock = std::max(ours.clock, theirs.clock);
        for (auto* profile : {&ours, &theirs}) {
            for (auto& feature : profile->features)
                prune(now.features[now.slot_of(feature.id)].definition, feature.value, clock, now.zone);
            std::erase_if(profile->features, [](const auto& f) { return f.value.index() == 0; });
        }
        ASSERT_EQ(Life::of(now, ours), Life::of(whole, theirs)) << describe(definitions, events);
        // And by the other oracle, which knows neither steps nor parts.
        std::deque<JsonProperties> properties;
        std::vector<step::LoggedEvent> logged;
        for (const Logged& l : life.log)
            logged.push_back({l.event->type, &properties.emplace_back(l.event->properties), l.stamp});
        ASSERT_EQ(Life::of(now, ours), Life::of(now, fold(now, logged, clock))) << describe(definitions, events);
        // Who is where at the end is the same whenever the definitions came: segments are functions of what is known.
        Contact a, b;
        a.state = encode(ours);
        b.state = encode(theirs);
        a.step(now, {}, clock);
        b.step(whole, {}, clock);
        auto members = [](const Contact& contact) {
            std::vector<std::uint32_t> out;
            for (const auto& segment : contact.profile().segments)
                if (segment.member)
                    out.push_back(segment.id);
            return out;
        };
        if (ours.clock == theirs.clock) {
            ASSERT_EQ(members(a), members(b)) << describe(definitions, events);
        }
    }
    EXPECT_GT(backfilled, 500);
}

// Without the past the features are others: the comparison above can fail.
TEST(Backfill, TheOracleSeesAMissingPast) {
    Definitions definitions;
    definitions.rule("+1 on v");
    auto const whole = definitions.compile();
    std::vector<Event> const events{{world_begins, world_begins, "v", Json::object(), "", false},
                                    {world_begins + 1, world_begins + 1, "v", Json::object(), "", false}};
    model::Source source = definitions.source;
    source.features = {{1, "count v", 2}};
    auto const collecting = model::compile(source);
    Life life, reference;
    Definitions nothing;
    life.step(nothing.compile(), events, 0, 1);
    reference.step(whole, events, 0, 1);
    life.step(collecting, events, 1, 2);
    reference.step(whole, events, 1, 2);
    EXPECT_NE(life.features(collecting), reference.features(whole));
    Random r(1);
    auto state = life.contact.profile();
    step::merge_past(collecting, state, past_of(r, collecting, 2, life.log));
    EXPECT_EQ(Life::of(collecting, state), reference.features(whole));
}

TEST(Backfill, ForeignBytesAreRefused) {
    Definitions definitions;
    definitions.rule("+1 on v");
    auto const model = definitions.compile();
    profile::Profile profile;
    profile.features.push_back({1, profile::Sum{3}});
    for (const std::string& bytes : {std::string("\x01"), std::string("\x01\x01\x09"), std::string("\x01\x01\x03\x00", 4)})
        EXPECT_THROW(step::merge_past(model, profile, bytes), Error);
}

} // namespace
} // namespace nurture::world
