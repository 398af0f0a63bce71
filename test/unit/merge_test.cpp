// One contact of two: features are those of all events, in whatever order contacts merge; journeys, memory and membership
// go on.
#include "../simulation/world.hpp"
#include "core/base/hex.hpp"
#include "core/identity/join.hpp"
#include "core/report/report.hpp"
#include "core/step/fold.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace nurture::world {
namespace {

Time time(const std::string& text) { return *parse_iso_time(text, Zone::find("UTC")); }

Event event(const std::string& at, const std::string& type, Json properties = Json::object()) {
    return {time(at), time(at), type, std::move(properties), {}, false};
}

Event mail(const Contact& loser, const std::string& at, Json rules = Json::object()) {
    return event(at, "$merge", {{"contact", loser.key}, {"state", to_hex(loser.state)}, {"rules", std::move(rules)}});
}

/// A contact with everything that it was told.
struct Person {
    std::string key;
    profile::Profile state;
    std::vector<std::pair<Event, profile::Stamp>> log;

    // One message a tick, so that stamps of several contacts are equal whenever they happen at one moment.
    void take(const model::Model& model, const Event& told, std::int64_t tick) {
        JsonProperties const properties(told.properties);
        step::Message message{told.at, told.received_at, told.type, &properties, {}, false};
        step::Input input;
        input.contact = key;
        input.profile = std::move(state);
        input.messages = {&message, 1};
        input.tick = tick;
        state = profile::decode(profile::encode(step::step(model, std::move(input)).profile));
        log.emplace_back(told, profile::Stamp{told.at, tick, 1});
    }
    void join(const model::Model& model, const Person& other, Time received_at, std::int64_t tick) {
        Event told{received_at, received_at, "$merge", {{"contact", other.key}, {"state", to_hex(profile::encode(other.state))}}, {}, false};
        take(model, told, tick);
        log.insert(log.end(), other.log.begin(), other.log.end());
    }
    [[nodiscard]] profile::Profile folded(const model::Model& model) const {
        std::deque<JsonProperties> properties;
        std::vector<step::LoggedEvent> events;
        for (const auto& [told, stamp] : log)
            if (told.type != "$merge")
                events.push_back({told.type, &properties.emplace_back(told.properties), stamp});
        return fold(model, events, state.clock);
    }
};

Definitions definitions_of_all_kinds() {
    Definitions out;
    for (const char* condition :
         {"count(view) >= 3", "count(view within 2 days) >= 3", "distinct(path of view within 3 days) >= 2", "last(path of view) = '/a'",
          "first(path of view) = '/b'", "sum(amount of buy) > 10", "avg(amount of buy) > 3", "min(amount of buy) < 2", "max(amount of buy) > 7",
          "days(view within 10 days) >= 2", "view then buy within 2 days", "plan changed within 5 days", "sum(amount of buy within 3 days) > 5",
          "last(buy) within last 2 days", "plan = 'pro'"})
        out.segment(condition, condition);
    for (const char* rule : {"+1 on view half-life 2 days", "+3 on view at most 2 per day", "+5 on view once per path", "+0.5 per amount on buy half-life 1 day",
                             "+2 on buy first time only", "+1 on view fading over 3 days"})
        out.rule(rule);
    return out;
}

Event any_event(Time received_at) {
    Event out;
    out.received_at = received_at;
    // Few moments: many events of several contacts happen at one.
    out.at = received_at / one_day * one_day - *rc::gen::inRange(0, 5) * one_day;
    out.type = *rc::gen::element<std::string>("view", "view", "view", "buy", "$identify");
    if (out.type == "view")
        out.properties = {{"path", *rc::gen::element<std::string>("/a", "/b", "/c")}};
    else if (out.type == "buy")
        out.properties = {{"amount", *rc::gen::inRange(1, 10)}};
    else
        out.properties = {{"plan", *rc::gen::element<std::string>("pro", "free")}, {"n", *rc::gen::inRange(0, 3)}};
    return out;
}

std::string differences(const model::Model& model, const profile::Profile& a, const profile::Profile& b) {
    std::string out;
    for (const auto& one : report::differences(model, a, b, false))
        out += one.what + ": " + one.first + " | " + one.second + '\n';
    return out;
}

TEST(Merge, FeaturesAreThoseOfAllEvents) {
    auto definitions = definitions_of_all_kinds();
    auto const model = definitions.compile();
    EXPECT_TRUE(rc::check([&] {
        Time const start = time("2026-03-01 12:00");
        std::vector<Person> people(3);
        std::int64_t tick = 0;
        for (std::size_t i = 0; i < people.size(); ++i)
            people[i].key = "p" + std::to_string(i);
        for (int round = *rc::gen::inRange(1, 12); round > 0; --round) {
            ++tick;
            for (auto& person : people)
                if (*rc::gen::inRange(0, 3) > 0)
                    person.take(model, any_event(start + tick * 6 * one_hour), tick);
        }
        Time const merged_at = start + (tick + 1) * 6 * one_hour;
        std::vector<profile::Profile> ways;
        for (auto const& [first, second, third] : std::vector<std::tuple<int, int, int>>{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}, {1, 2, 0}}) {
            // (first ⊕ second) ⊕ third, and third ⊕ (first ⊕ second)
            for (bool const into_third : {false, true}) {
                Person a = people[static_cast<std::size_t>(first)], c = people[static_cast<std::size_t>(third)];
                a.join(model, people[static_cast<std::size_t>(second)], merged_at, tick + 1);
                Person& last = into_third ? c : a;
                last.join(model, into_third ? a : c, merged_at, tick + 2);
                RC_ASSERT(differences(model, last.state, last.folded(model)) == "");
                ways.push_back(last.state);
            }
        }
        for (const auto& other : ways)
            RC_ASSERT(differences(model, ways.front(), other) == "");
        // And it goes on as one contact.
        Person a = people[0];
        a.join(model, people[1], merged_at, tick + 1);
        for (int i = 0; i < 3; ++i)
            a.take(model, any_event(merged_at + i * one_day), tick + 2 + i);
        RC_ASSERT(differences(model, a.state, a.folded(model)) == "");
    }));
}

TEST(Merge, TheFurtherJourneyStaysAndKeepsItsName) {
    Definitions definitions;
    definitions.workflow("w", "on signup send email 'one' wait 1 day send email 'two' wait 1 day send email 'three'");
    auto const model = definitions.compile();
    Contact anna, cookie;
    cookie.key = "cookie";
    cookie.step(model, {event("2026-03-01 10:00", "signup")}, time("2026-03-02 11:00"));
    anna.step(model, {event("2026-03-02 09:00", "signup")}, std::nullopt);
    auto const alone = [&] {
        Contact other = cookie;
        other.step(model, {}, time("2026-03-04 00:00"));
        return other.raw_actions.back();
    }();
    anna.step(model, {mail(cookie, "2026-03-02 12:00")}, time("2026-03-05 00:00"));
    ASSERT_EQ(anna.raw_actions.size(), 2U); // her own first one, and the cookie's third
    EXPECT_EQ(anna.raw_actions.back().template_name, "three");
    EXPECT_EQ(anna.raw_actions.back().id, alone.id);
    EXPECT_EQ(anna.raw_actions.back().due, time("2026-03-03 10:00"));
    EXPECT_NE(anna.transitions[2].find("journey ended"), std::string::npos);
    EXPECT_NE(anna.transitions[2].find("merged"), std::string::npos);
    EXPECT_EQ(anna.cancellations.size(), 1U); // what was still open of hers
    anna.step(model, {event("2026-03-06 10:00", "signup")}, std::nullopt);
    EXPECT_EQ(anna.raw_actions.size(), 2U); // never again
}

TEST(Merge, JourneysThatMayRunSideBySideBothGoOn) {
    Definitions definitions;
    definitions.workflow("w", "on order re-enter always wait 1 day send email 'how was it'");
    auto const model = definitions.compile();
    Contact anna, cookie;
    cookie.key = "cookie";
    cookie.step(model, {event("2026-03-01 10:00", "order")}, std::nullopt);
    anna.step(model, {event("2026-03-01 11:00", "order")}, std::nullopt);
    anna.step(model, {mail(cookie, "2026-03-01 12:00"), event("2026-03-01 13:00", "order")}, time("2026-03-05 00:00"));
    ASSERT_EQ(anna.raw_actions.size(), 3U);
    EXPECT_EQ(anna.raw_actions[0].due, time("2026-03-02 10:00"));
    EXPECT_NE(anna.raw_actions[0].id, anna.raw_actions[1].id);
    EXPECT_NE(anna.raw_actions[1].id, anna.raw_actions[2].id);
}

TEST(Merge, KeysThatOneOfThemHasBeenInUnderOpenNoMore) {
    Definitions definitions;
    definitions.workflow("w", "on order re-enter once per number send email 'how was it'");
    auto const model = definitions.compile();
    Contact anna, cookie;
    cookie.key = "cookie";
    cookie.step(model, {event("2026-03-01 10:00", "order", {{"number", 1}})}, std::nullopt);
    anna.step(model, {event("2026-03-01 11:00", "order", {{"number", 2}})}, std::nullopt);
    anna.step(model, {mail(cookie, "2026-03-01 12:00"), event("2026-03-01 13:00", "order", {{"number", 1}}),
                      event("2026-03-01 14:00", "order", {{"number", 2}}), event("2026-03-01 15:00", "order", {{"number", 3}})},
              std::nullopt);
    ASSERT_EQ(anna.raw_actions.size(), 2U); // her second order and the third
    EXPECT_EQ(anna.raw_actions.back().due, time("2026-03-01 15:00"));
}

TEST(Merge, WhoWasAMemberUnderEitherNameEntersNoMore) {
    Definitions definitions;
    definitions.segment("readers", "count(view) >= 2");
    definitions.segment("heavy", "count(view) >= 3");
    auto const model = definitions.compile();
    Contact anna, cookie;
    cookie.step(model, {event("2026-03-01 10:00", "view"), event("2026-03-01 10:01", "view")}, std::nullopt);
    anna.step(model, {event("2026-03-01 11:00", "view")}, std::nullopt);
    anna.step(model, {mail(cookie, "2026-03-01 12:00")}, std::nullopt);
    ASSERT_EQ(anna.raw_transitions.size(), 1U);
    EXPECT_EQ(anna.raw_transitions[0].name, "heavy");
    EXPECT_EQ(anna.raw_transitions[0].cause, "$merge");
    auto const state = anna.profile();
    ASSERT_EQ(state.segments.size(), 2U);
    EXPECT_EQ(state.segments[0].since, time("2026-03-01 10:01"));
}

TEST(Merge, RulesForAttributesAreWritten) {
    Definitions definitions;
    auto const model = definitions.compile();
    Contact anna, cookie;
    cookie.step(model, {event("2026-03-01 10:00", "$identify", {{"source", "ad"}, {"plan", "free"}})}, std::nullopt);
    anna.step(model, {event("2026-03-01 11:00", "$identify", {{"source", "shop"}, {"plan", "pro"}})}, std::nullopt);
    anna.step(model, {mail(cookie, "2026-03-01 12:00", {{"source", "oldest"}})}, std::nullopt);
    EXPECT_EQ(attribute_json(anna.profile(), "source"), "\"ad\"");
    EXPECT_EQ(attribute_json(anna.profile(), "plan"), "\"pro\"");
    EXPECT_EQ(anna.written, (std::vector<std::string>{"2026-03-01T12:00:00Z $set {\"source\": \"ad\"}"}));
}

TEST(Merge, AValueOfABetterSourceStaysWhoeverToldItLast) {
    Definitions definitions;
    auto const model = definitions.compile();
    Json const rules{{"company", {"crm", "form"}}, {"size", {"crm", "form"}}, {"city", {"crm"}}};
    Contact anna, cookie, third;
    cookie.step(model, {event("2026-03-01 10:00", "$identify", {{"company", "ACME"}, {"city", "Rome"}, {"$source", "crm"}}),
                        event("2026-03-01 10:01", "$identify", {{"size", 7}, {"$source", "hearsay"}})}, std::nullopt);
    anna.step(model, {event("2026-03-01 11:00", "$identify", {{"company", "acme"}, {"city", "Paris"}, {"$source", "form"}}),
                      event("2026-03-01 11:01", "$identify", {{"size", 9}})}, std::nullopt);
    anna.step(model, {mail(cookie, "2026-03-01 12:00", rules)}, std::nullopt);
    EXPECT_EQ(attribute_json(anna.profile(), "company"), "\"ACME\"");
    EXPECT_EQ(attribute_json(anna.profile(), "size"), "9"); // neither is known: the newest
    EXPECT_EQ(attribute_json(anna.profile(), "city"), "\"Rome\"");
    EXPECT_EQ(attribute_json(anna.profile(), "$source"), "");
    // It is still the word of the source, not of the merge.
    third.step(model, {event("2026-03-02 10:00", "$identify", {{"company", "Acme Inc."}, {"$source", "form"}})}, std::nullopt);
    anna.step(model, {mail(third, "2026-03-02 12:00", rules)}, std::nullopt);
    EXPECT_EQ(attribute_json(anna.profile(), "company"), "\"ACME\"");
}

// It has come further than who takes it in: nobody goes back in time.
TEST(Merge, HappensAtTheLaterClock) {
    Definitions definitions;
    auto const model = definitions.compile();
    Contact anna, cookie;
    cookie.step(model, {event("2026-03-01 15:00", "view")}, std::nullopt);
    anna.step(model, {event("2026-03-01 11:00", "view")}, std::nullopt);
    anna.step(model, {mail(cookie, "2026-03-01 12:00")}, std::nullopt);
    EXPECT_EQ(anna.profile().clock, time("2026-03-01 15:00"));
}

TEST(Merge, ABrokenStateIsRefused) {
    Definitions definitions;
    auto const model = definitions.compile();
    Contact anna;
    for (const char* state : {"", "0", "zz", "02ff"})
        EXPECT_THROW(anna.step(model, {event("2026-03-01 12:00", "$merge", {{"state", state}})}, std::nullopt), Error);
}

} // namespace
} // namespace nurture::world
