// Sessions are functions of the set of a contact's events: whatever the order of arrival, however the events are split among
// partial states that are merged, what is read is what a naive walk over the sorted events finds.
#include "../simulation/world.hpp"

#include "core/step/facts.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <numeric>

namespace nurture::world {
namespace {

constexpr Span gap = 30 * one_minute;

struct Happened {
    profile::Stamp stamp;
    bool page = false; ///< else a click
    std::string path;
    std::string seconds; ///< JSON; empty: not told
    [[nodiscard]] Json properties() const {
        Json out = Json::object();
        if (page)
            out["path"] = path;
        if (!seconds.empty())
            out["seconds"] = Json::parse(seconds);
        return out;
    }
};

std::vector<Happened> any_events() {
    std::vector<Happened> out;
    Time at = 9'500 * one_day;
    int const count = *rc::gen::inRange(0, 25);
    for (int i = 0; i < count; ++i) {
        at += *rc::gen::elementOf(std::vector<Span>{0, 1, one_second, 5 * one_minute, 20 * one_minute, gap - 1, gap, gap + 1, 3 * one_hour});
        out.push_back({{at, 1 + i / 4, i % 4 + 1},
                       *rc::gen::inRange(0, 3) != 0,
                       *rc::gen::element<std::string>("/a", "/b", "/c"),
                       *rc::gen::element<std::string>("", "", "", "12.5", "\"40\"", "-3", "\"long\"", "0")});
    }
    return out;
}

// --- the naive reading: of all events, in order -------------------------------------------------------------------

struct Read {
    std::string sessions, longest, last, dwell, longest_dwell, entry, exit, in_session;
};

std::string shown(std::optional<Wide> micros) { return micros ? print_micro(*micros) : "not set"; }

Read naive(const std::vector<Happened>& events, Time clock) {
    std::vector<std::vector<const Happened*>> sessions;
    for (const Happened& event : events) {
        if (sessions.empty() || event.stamp.at - sessions.back().back()->stamp.at > gap)
            sessions.emplace_back();
        sessions.back().push_back(&event);
    }
    Read out;
    out.sessions = print_micro(static_cast<Wide>(sessions.size()) * micro_one);
    std::optional<Wide> longest, last, longest_dwell;
    Wide dwell = 0;
    std::string entry = "not set", exit = "not set";
    for (const auto& session : sessions) {
        last = session.back()->stamp.at - session.front()->stamp.at;
        longest = std::max(longest.value_or(0), *last);
        bool first = true;
        for (const Happened* event : session) {
            if (!event->page)
                continue;
            entry = first ? "'" + event->path + "'" : entry;
            exit = "'" + event->path + "'";
            first = false;
            std::optional<Wide> stay;
            for (auto other = session.rbegin(); other != session.rend(); ++other)
                if ((*other)->stamp.at > event->stamp.at)
                    stay = (*other)->stamp.at - event->stamp.at;
            if (event->seconds == "12.5")
                stay = 12'500'000;
            else if (event->seconds == "\"40\"")
                stay = 40'000'000;
            else if (event->seconds == "0")
                stay = 0;
            if (stay) {
                dwell += *stay;
                longest_dwell = std::max(longest_dwell.value_or(0), *stay);
            }
        }
    }
    out.longest = shown(longest);
    out.last = shown(last);
    out.dwell = print_micro(dwell);
    out.longest_dwell = shown(longest_dwell);
    out.entry = entry;
    out.exit = exit;
    out.in_session = !events.empty() && clock - events.back().stamp.at <= gap ? "yes" : "no";
    return out;
}

// --- what the features tell ---------------------------------------------------------------------------------------

const std::vector<std::string>& conditions() {
    static const std::vector<std::string> all{"sessions(any event) is set", "longest session(any event) is set",
                                              "last session(any event) is set", "dwell(page) is set", "longest dwell(page) is set",
                                              "entry(path of page) is set", "exit(path of page) is set", "in session"};
    return all;
}

bool fold(const model::Feature& feature, profile::FeatureValue& value, const Happened& event, const Zone& zone) {
    const auto& definition = feature.definition;
    if (!definition.event.type.empty() && definition.event.type != (event.page ? "page" : "click"))
        return false;
    Json const document = event.properties();
    JsonProperties const properties(document);
    return profile::fold(definition, value, event.stamp, definition.property ? properties.get(*definition.property) : profile::Value{},
                         zone);
}

Read read(const model::Model& model, std::vector<profile::FeatureValue> features, Time clock) {
    profile::Profile const nobody;
    step::Facts facts(model, nobody);
    facts.features = std::move(features);
    auto left = [&](const std::string& name) {
        auto const segment = std::find_if(model.segments.begin(), model.segments.end(), [&](const auto& s) { return s.name == name; });
        auto const shown = facts.show(segment->condition, clock);
        RC_ASSERT(!shown.outcome.bound);
        if (name == "in session")
            return std::string(shown.outcome.truth == step::Truth::yes ? "yes" : "no");
        return shown.left;
    };
    const auto& all = conditions();
    return {left(all[0]), left(all[1]), left(all[2]), left(all[3]), left(all[4]), left(all[5]), left(all[6]), left(all[7])};
}

TEST(Session, IsAFunctionOfTheSetOfEvents) {
    Definitions definitions;
    for (const std::string& condition : conditions())
        definitions.segment(condition, condition);
    auto const model = definitions.compile();
    EXPECT_TRUE(rc::check([&] {
        auto const events = any_events();
        Time const clock = (events.empty() ? 0 : events.back().stamp.at) + *rc::gen::elementOf(std::vector<Span>{0, gap, gap + 1, one_day});
        std::vector<std::size_t> order(events.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[*rc::gen::inRange<std::size_t>(0, i)]);
        // Partial states, each of some of the events.
        auto const parts = *rc::gen::inRange<std::size_t>(1, 5);
        std::vector<std::vector<profile::FeatureValue>> states(parts, std::vector<profile::FeatureValue>(model.features.size()));
        for (std::size_t const i : order) {
            auto const part = *rc::gen::inRange<std::size_t>(0, parts);
            for (std::size_t slot = 0; slot < model.features.size(); ++slot)
                (void)fold(model.features[slot], states[part][slot], events[i], model.zone);
        }
        auto& whole = states.front();
        for (std::size_t part = 1; part < parts; ++part)
            for (std::size_t slot = 0; slot < whole.size(); ++slot) {
                const auto& definition = model.features[slot].definition;
                bool const swapped = *rc::gen::arbitrary<bool>();
                profile::FeatureValue a = swapped ? states[part][slot] : whole[slot];
                profile::merge(definition, a, swapped ? whole[slot] : states[part][slot], model.zone);
                profile::prune(definition, a, clock, model.zone);
                whole[slot] = std::move(a);
            }
        Read const expected = naive(events, clock);
        Read const found = read(model, whole, clock);
        RC_ASSERT(found.sessions == expected.sessions);
        RC_ASSERT(found.longest == expected.longest);
        RC_ASSERT(found.last == expected.last);
        RC_ASSERT(found.dwell == expected.dwell);
        RC_ASSERT(found.longest_dwell == expected.longest_dwell);
        RC_ASSERT(found.entry == expected.entry);
        RC_ASSERT(found.exit == expected.exit);
        RC_ASSERT(found.in_session == expected.in_session);
    }));
}

} // namespace
} // namespace nurture::world
