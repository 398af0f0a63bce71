// Flow control: waits on the calendar, several events, choices, arms, loops, goals, journeys of journeys, variables.
#include "../simulation/story.hpp"

#include <gtest/gtest.h>

#include <rapidcheck.h>

#include <algorithm>
#include <set>

namespace nurture::world {
namespace {

// --- waiting for a moment -----------------------------------------------------------------------------------------

// Rome 2026: 29 March 02:00 → 03:00, 25 October 03:00 → 02:00. New York: 8 March, 1 November. 22 November 2026 is a Sunday.
TEST(Flow, WaitsUntilAMomentOfTheContactsClock) {
    struct Case {
        const char *wait, *zone, *at, *wakes;
    };
    for (auto const& c : std::initializer_list<Case>{
             {"2026-12-24T18:00", "Europe/Rome", "2026-11-22T10:00", "2026-12-24T17:00:00Z"},
             {"2026-12-24", "America/New_York", "2026-11-22T10:00", "2026-12-24T05:00:00Z"},
             {"2026-12-24T18:00Z", "Europe/Rome", "2026-11-22T10:00", "2026-12-24T18:00:00Z"},
             {"2026-01-01", "Europe/Rome", "2026-11-22T10:00", "at once"},
             {"09:00", "Europe/Rome", "2026-11-22T07:59:59", "2026-11-22T08:00:00Z"},
             {"09:00", "Europe/Rome", "2026-11-22T08:00", "2026-11-23T08:00:00Z"}, // it comes to it tomorrow
             {"02:30", "Europe/Rome", "2026-03-28T12:00", "2026-03-29T01:00:00Z"}, // skipped: as soon as the gap is over
             {"02:30", "Europe/Rome", "2026-10-25T00:15", "2026-10-25T00:30:00Z"}, // the first pass
             {"02:30", "Europe/Rome", "2026-10-25T01:10", "2026-10-26T01:30:00Z"}, // in the second it has come already
             {"00:00", "America/Sao_Paulo", "2018-11-03T12:00", "2018-11-04T03:00:00Z"},
             {"06:00", "Asia/Kathmandu", "2026-01-01T00:00", "2026-01-01T00:15:00Z"},
             {"monday", "Europe/Rome", "2026-11-22T10:00", "2026-11-22T23:00:00Z"},
             {"monday", "Europe/Rome", "2026-11-23T10:00", "at once"},
             {"monday at 09:00", "Europe/Rome", "2026-11-23T10:00", "2026-11-30T08:00:00Z"},
             {"tuesday or thursday at 09:30", "UTC", "2026-11-24T10:00", "2026-11-26T09:30:00Z"},
             {"business day", "UTC", "2026-11-22T10:00", "2026-11-23T00:00:00Z"},
             {"business day of 'IT' at 09:00", "UTC", "2026-12-24T10:00", "2026-12-28T09:00:00Z"}, // Christmas is a Friday
             {"between 09:00 and 17:00", "Europe/Rome", "2026-11-22T10:00", "at once"},
             {"between 09:00 and 17:00", "Europe/Rome", "2026-11-22T16:00", "2026-11-23T08:00:00Z"}, // 17:00 is out
             {"between 22:00 and 06:00", "UTC", "2026-11-22T05:59", "at once"},
             {"between 22:00 and 06:00", "UTC", "2026-11-22T06:00", "2026-11-22T22:00:00Z"},
             {"friday between 22:00 and 06:00", "UTC", "2026-11-28T03:00", "at once"}, // Friday's night
             {"friday between 22:00 and 06:00", "UTC", "2026-11-27T03:00", "2026-11-27T22:00:00Z"},
             {"between 02:00 and 03:00", "Europe/Rome", "2026-03-29T00:30", "2026-03-30T00:00:00Z"}, // it falls out that night
             {"between 01:00 and 02:30", "Europe/Rome", "2026-10-25T01:10", "2026-10-26T00:00:00Z"}, // was over at the first 02:30
             {"business day between 09:00 and 17:00", "America/New_York", "2026-12-31T23:00", "2027-01-01T14:00:00Z"}}) {
        std::string got;
        Story story(std::string("on signup wait until ") + c.wait + " do 'a'", c.zone);
        story.definitions.source.calendar.holidays["IT"] = {static_cast<std::int32_t>(Story::time("2026-12-25") / one_day)};
        story.event(c.at, "signup");
        if (!story.sent().empty()) {
            got = "at once";
        } else {
            got = print_iso_time(story.contact.due);
            story.until("2040-01-01");
            ASSERT_EQ(story.contact.raw_actions.size(), 1U) << c.wait;
            EXPECT_EQ(print_iso_time(story.contact.raw_actions.front().due), got);
        }
        EXPECT_EQ(got, c.wakes) << c.wait << " in " << c.zone << " at " << c.at;
    }
}

TEST(Flow, WaitsUntilADateOfTheContact) {
    auto sent = [](const std::string& wait, Json attributes, Json later = {}) {
        Story story("on signup wait until " + wait + " do 'a'", "Europe/Rome");
        story.event("2026-03-20 10:00", "$identify", std::move(attributes));
        story.event("2026-03-20 10:00", "signup");
        if (!later.is_null())
            story.event("2026-03-21 10:00", "$identify", std::move(later));
        story.until("2030-01-01");
        return story.contact.raw_actions.empty() ? std::string("never") : print_iso_time(story.contact.raw_actions.front().due);
    };
    EXPECT_EQ(sent("trial_ends", {{"trial_ends", "2026-03-30"}}), "2026-03-29T22:00:00Z");
    EXPECT_EQ(sent("3 days before trial_ends at 09:00", {{"trial_ends", "2026-03-30"}}), "2026-03-27T08:00:00Z");
    EXPECT_EQ(sent("1 day before trial_ends at 02:30", {{"trial_ends", "2026-03-30"}}), "2026-03-29T01:00:00Z"); // in the gap
    EXPECT_EQ(sent("2 hours after starts.at", {{"starts", {{"at", "2026-03-29T01:30+01:00"}}}}), "2026-03-29T02:30:00Z");
    EXPECT_EQ(sent("1 month after signed", {{"signed", "2026-02-28"}}), "2026-03-27T23:00:00Z");
    EXPECT_EQ(sent("1 year after signed", {{"signed", "2028-02-29"}}), "2029-02-27T23:00:00Z");
    EXPECT_EQ(sent("trial_ends", {{"trial_ends", "2026-03-01"}}), "2026-03-20T10:00:00Z"); // past: it goes on
    EXPECT_EQ(sent("trial_ends", {{"x", 1}}), "2026-03-20T10:00:00Z");                     // and so it does without one
    EXPECT_EQ(sent("trial_ends", {{"trial_ends", "2026-03-30"}}, {{"trial_ends", "2026-04-30"}}), "2026-04-29T22:00:00Z");
    EXPECT_EQ(sent("trial_ends", {{"trial_ends", "2026-03-30"}}, {{"trial_ends", "2026-03-01"}}), "2026-03-21T10:00:00Z");
    EXPECT_EQ(sent("trial_ends", {{"trial_ends", "2026-03-30"}}, {{"trial_ends", nullptr}}), "2026-03-29T22:00:00Z");
    EXPECT_EQ(sent("trial_ends", {{"trial_ends", "2026-03-30"}}, {{"timezone", "America/New_York"}}), "2026-03-30T04:00:00Z");
}

TEST(Flow, ATimeOfDayComesEachDayOnce) {
    Story story("on signup repeat at most 3 wait until 02:30 do 'a' end", "Europe/Rome");
    story.event("2026-10-23 12:00", "signup");
    story.until("2026-11-30");
    EXPECT_EQ(story.sent(), (Lines{"24 00:30 a", "25 00:30 a", "26 01:30 a"}));
}

// --- waiting for events -------------------------------------------------------------------------------------------

TEST(Flow, TheFirstOfSeveralWins) {
    const char* const workflow = "on signup wait for click where n = 1, open up to 1 day then do 'ab' or (score >= 5), buy then do 'cd' "
                                 "else do 'none' end do 'after'";
    for (auto const& [type, wanted] : std::vector<std::pair<std::string, std::string>>{
             {"click", "ab"}, {"open", "ab"}, {"buy", "cd"}, {"point", "cd"}, {"other", "none"}}) {
        Story story(workflow);
        story.definitions.rule("+5 on point");
        story.event("2026-05-01 10:00", "signup");
        story.event("2026-05-01 11:00", type, {{"n", 1}});
        story.until("2026-05-03");
        std::string const at = wanted == "none" ? "02 10:00 " : "01 11:00 ";
        EXPECT_EQ(story.sent(), (Lines{at + wanted, at + "after"})) << type;
    }
}

// Of what came the highest decides, when the time is over; nothing is higher than the first, which is not waited for.
TEST(Flow, TheBestOfSeveralIsDecidedAtTheEnd) {
    EXPECT_TRUE(rc::check("ranked waits", [] {
        static const std::vector<std::string> ranks{"buy", "point", "click", "open"};
        const char* const wait = "wait for buy up to 1 day ranked then do 'buy' or score >= 5, click then do 'warm' or open then do 'open' else do 'none' end";
        bool const in_branch = *rc::gen::arbitrary<bool>();
        Story story(in_branch ? "on signup parallel " + std::string(wait) + " and wait 1 minute end" : "on signup " + std::string(wait));
        story.definitions.rule("+5 on point");
        auto const hours = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 24));
        bool const warm_before = *rc::gen::inRange(0, 4) == 0; // the condition holds when it comes to the wait
        if (warm_before)
            story.event("2026-05-01 08:00", "point");
        story.event("2026-05-01 09:30", "signup");
        std::set<int> const at(hours.begin(), hours.end());
        std::size_t best = warm_before ? 1 : ranks.size();
        std::string wanted;
        for (int const hour : at) {
            auto const rank = static_cast<std::size_t>(*rc::gen::inRange(0, 5));
            int const clock = 9 + hour;
            std::string const day = clock < 24 ? "01" : "02";
            std::string const time = (clock % 24 < 10 ? "0" : "") + std::to_string(clock % 24) + ":00";
            story.event("2026-05-" + day + ' ' + time, rank < ranks.size() ? ranks[rank] : "other");
            best = std::min(best, rank);
            if (rank == 0 && wanted.empty())
                wanted = day + ' ' + time + " buy";
        }
        if (wanted.empty())
            wanted = "02 09:30 " + std::string(best == 3 ? "open" : best == 4 ? "none" : "warm");
        story.until("2026-05-03");
        RC_ASSERT(story.sent() == Lines{wanted});
    }));
    // At the instant at which the time is over it is over: what is told at it comes too late, as with other waits.
    for (const char* const ranked : {" ranked", ""}) {
        Story story("on signup wait for buy up to 1 hour" + std::string(ranked) + " then do 'buy' or open then do 'open' else do 'none' end");
        story.event("2026-05-01 10:00", "signup");
        story.event("2026-05-01 11:00", "open");
        EXPECT_EQ(story.sent(), (Lines{"01 11:00 none"})) << ranked;
    }
}

TEST(Flow, AnEventBelongsToTheEntryByWhatIsTheSame) {
    Story story("on order re-enter per order_id exit on cancel with same order_id wait for pay with same order_id up to 1 day then "
                "do 'thanks' with (order = context.order_id, item = context.item.name) else do 'remind' with (order = context.order_id) end");
    story.event("2026-05-01 10:00", "order", {{"order_id", 1}, {"item", {{"name", "book"}, {"price", 5}}}, {"secret", "x"}});
    story.event("2026-05-01 10:01", "order", {{"order_id", "2"}});
    story.event("2026-05-01 10:02", "order", {{"order_id", 3}});
    story.event("2026-05-01 10:03", "order", {{"order_id", 3}}); // inside already
    EXPECT_EQ(story.contact.profile().journeys.size(), 3U);
    EXPECT_EQ(story.contact.profile().journeys[0].context.size(), 2U); // only what the text mentions is kept
    story.event("2026-05-01 11:00", "pay", {{"order_id", 7}});
    EXPECT_TRUE(story.sent().empty());
    story.event("2026-05-01 12:00", "pay", {{"order_id", 1.0}});
    story.event("2026-05-01 13:00", "cancel", {{"order_id", 3}});
    story.until("2026-05-05");
    EXPECT_EQ(story.sent(), (Lines{"01 12:00 thanks", "02 10:01 remind"}));
    EXPECT_EQ(story.contact.raw_actions[0].payload, R"({"order": 1, "item": "book"})");
    EXPECT_EQ(story.contact.raw_actions[1].payload, R"({"order": "2"})");
}

TEST(Flow, VariablesAreReadInConditions) {
    Story story("on form re-enter always exit when context.n = 9 if context.file contains 'pdf' then do 'pdf' elsif context.n > 3 "
                "then do 'many' else do 'none' end wait for more where n > 1 and n = value of context.n up to 1 hour then do 'same' end");
    story.event("2026-05-01 10:00", "form", {{"file", "a.pdf"}, {"n", 9}}); // refused
    story.event("2026-05-01 10:00", "form", {{"file", "a.pdf"}, {"n", 2}});
    story.event("2026-05-01 10:01", "form", {{"n", 4}});
    story.event("2026-05-01 10:02", "form");
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 pdf", "01 10:01 many", "01 10:02 none"}));
    story.event("2026-05-01 10:03", "more", {{"n", 4}});
    EXPECT_EQ(story.sent().back(), "01 10:03 same");
    EXPECT_EQ(story.contact.profile().journeys.size(), 2U);
    // Larger ones are not carried along.
    story.event("2026-05-01 10:04", "form", {{"file", "pdf" + std::string(1'000, 'x')}});
    EXPECT_EQ(story.sent().back(), "01 10:04 none");
}

TEST(Flow, ThePastKnowsNoVariables) {
    Story story("on a if did pay where order_id = value of context.order_id then do 'x' end");
    try {
        story.event("2026-05-01 10:00", "a");
        FAIL() << "it was compiled";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("context.order_id cannot be asked about the past"), std::string::npos) << error.what();
    }
}

// --- choices ------------------------------------------------------------------------------------------------------

TEST(Flow, SwitchTakesTheFirstCase) {
    for (auto const& [plan, wanted] : std::vector<std::pair<Json, std::string>>{
             {"free", "f"}, {"trial", "f"}, {"pro", "p"}, {"gold", "else"}, {nullptr, "else"}, {5, "five"}}) {
        Story story("on signup switch plan when 'free', 'trial' then do 'f' when 'pro', 'free' then do 'p' when 5 then do 'five' else do "
                    "'else' end");
        story.event("2026-05-01 09:00", "$identify", {{"plan", plan}});
        story.event("2026-05-01 10:00", "signup");
        EXPECT_EQ(story.sent(), (Lines{"01 10:00 " + wanted})) << plan;
    }
}

TEST(Flow, ArmsAreWeightedAndStable) {
    std::map<std::string, int> counts;
    int both = 0;
    constexpr int contacts = 4'000;
    Definitions definitions;
    definitions.workflow("w", "on signup re-enter always split 'subject' 50 a do 'a' 30 b do 'b' 20 none end");
    definitions.workflow("v", "on signup re-enter always split 'other' 50 a do 'a2' 50 b end");
    auto const model = definitions.compile();
    for (int i = 0; i < contacts; ++i) {
        Contact contact;
        contact.key = "c" + std::to_string(i);
        Time const t = Story::time("2026-05-01");
        contact.step(model, {{t, t, "signup", {}, {}, false}, {t + 1, t + 1, "signup", {}, {}, false}}, t + 2);
        std::map<std::string, int> mine;
        for (const auto& action : contact.raw_actions)
            ++mine[action.channel];
        for (auto const& [arm, n] : mine) {
            EXPECT_EQ(n, 2) << "not the same arm twice";
            ++counts[arm];
        }
        both += mine.count("a") == 1 && mine.count("a2") == 1 ? 1 : 0;
    }
    EXPECT_NEAR(counts["a"], contacts * 0.5, 150); // 4.7 standard deviations
    EXPECT_NEAR(counts["b"], contacts * 0.3, 140);
    EXPECT_NEAR(both, contacts * 0.25, 130); // two salts are independent
}

TEST(Flow, ExperimentsTellTheArmAndHoldoutsWhoStaysOut) {
    Definitions definitions;
    definitions.segment("control", "sample 20 percent 'control'");
    definitions.workflow("w", "on signup re-enter always holdout 20 percent 'control' experiment 'subject' 1 a do 'a' 1 b end");
    auto const model = definitions.compile();
    int out = 0;
    for (int i = 0; i < 1'000; ++i) {
        Contact contact;
        contact.key = "c" + std::to_string(i);
        Time const t = Story::time("2026-05-01");
        contact.step(model, {{t, t, "signup", {}, {}, false}}, t + 2);
        bool const control = std::any_of(contact.raw_transitions.begin(), contact.raw_transitions.end(),
                                         [](const auto& x) { return x.kind == step::TransitionKind::segment_entered; });
        std::vector<std::string> kinds;
        for (const auto& transition : contact.raw_transitions)
            if (transition.kind != step::TransitionKind::segment_entered)
                kinds.emplace_back(name_of(transition.kind));
        EXPECT_EQ(kinds, control ? (Lines{"journey held out"}) : (Lines{"journey started", "arm assigned", "journey ended"}));
        out += control ? 1 : 0;
        EXPECT_TRUE(!control || contact.raw_actions.empty());
        if (!control) {
            auto const told = Json::parse(contact.raw_transitions[1].reason);
            EXPECT_EQ(told["experiment"], "subject");
            EXPECT_EQ(told["arm"], contact.raw_actions.empty() ? "b" : "a");
        }
    }
    EXPECT_NEAR(out, 200, 60);
}

TEST(Flow, TheAccountHoldsSomeOutOfEverythingThatDoesNotSayNo) {
    Definitions definitions;
    definitions.source.holdout_percent = 100 * micro_one;
    definitions.workflow("w", "on signup do 'a'");
    definitions.workflow("v", "on signup holdout none do 'b'");
    auto const model = definitions.compile();
    Contact contact;
    Time const t = Story::time("2026-05-01");
    contact.step(model, {{t, t, "signup", {}, {}, false}}, t + 2);
    ASSERT_EQ(contact.raw_actions.size(), 1U);
    EXPECT_EQ(contact.raw_actions[0].channel, "b");
}

// --- loops and goals ----------------------------------------------------------------------------------------------

TEST(Flow, RepeatsAreBoundedAndEveryRoundIsAnActionOfItsOwn) {
    Story story("on signup repeat at most 3 until did reply send email 'ask' wait 1 day repeat at most 2 do 'inner' end end do 'after'");
    story.event("2026-05-01 10:00", "signup");
    story.event("2026-05-02 12:00", "reply");
    story.until("2026-05-10");
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 email ask", "02 10:00 inner", "02 10:00 inner", "02 10:00 email ask", "03 10:00 inner",
                                   "03 10:00 inner", "03 10:00 after"}));
    std::set<Uuid> ids;
    for (const auto& action : story.contact.raw_actions)
        EXPECT_TRUE(ids.insert(action.id).second);

    Story three("on signup repeat at most 3 do 'a' end do 'b'");
    three.event("2026-05-01 10:00", "signup");
    EXPECT_EQ(three.sent().size(), 4U);
    EXPECT_TRUE(three.contact.profile().journeys.empty());
}

TEST(Flow, GoingRoundForEverIsRefusedWithTheWay) {
    auto problem = [](const std::string& workflow, const std::string& other = "on x do 'y'") {
        Story story(workflow);
        story.definitions.workflow("v", other);
        try {
            story.event("2026-05-01 10:00", "none");
            return std::string();
        } catch (const Error& error) {
            return std::string(error.what()) + " | " + error.detail;
        }
    };
    EXPECT_EQ(problem("on a repeat do 'a' end"),
              "workflow \"w\": the steps go round without end and without time passing | The way is step 1 → step 1.repeat.1 → step 1.");
    EXPECT_EQ(problem("on a do 'x' repeat until did b if c = 1 then wait 1 day else wait for c = 2 up to 1 day then do 'q' else wait 1 hour end "
                      "end end"),
              "workflow \"w\": the steps go round without end and without time passing | The way is step 2 → step 2.repeat.1 → step "
              "2.repeat.1.else.1 → step 2.repeat.1.else.1.then.1 → step 2.");
    EXPECT_EQ(problem("on a repeat wait until monday do 'a' end").find("workflow \"w\": the steps go round"), 0U);
    EXPECT_EQ(problem("on a repeat wait until monday at 09:00 do 'a' end"), "");
    EXPECT_EQ(problem("on a repeat wait 1 day end"), "");
    EXPECT_EQ(problem("on a repeat at most 5 do 'a' end"), "");
    EXPECT_EQ(problem("on a re-enter always start workflow 'v'", "on b re-enter always start workflow 'w'"),
              "workflow \"w\" starts itself without end and without time passing | The way is \"w\" → \"v\" → \"w\".");
    EXPECT_EQ(problem("on a re-enter always start workflow 'v'", "on b start workflow 'w'"), "");
    EXPECT_EQ(problem("on a re-enter always start workflow 'v'", "on b re-enter always wait 1 hour start workflow 'w'"), "");
    EXPECT_EQ(problem("on setting attribute n re-enter always increment n").find("workflow \"w\" starts itself without end"), 0U);
    EXPECT_EQ(problem("on changing attribute n re-enter always set n = 5"), "");
    EXPECT_EQ(problem("on a re-enter always emit b", "on b re-enter always emit a"),
              "workflow \"w\" starts itself without end and without time passing | The way is \"w\" → \"v\" → \"w\".");
}

TEST(Flow, AGoalEndsTheJourneyOrLeadsToItsLabel) {
    Story ends("on signup goal within 2 days on buy where n > 1 send email 'a' wait 3 days send email 'b'");
    ends.event("2026-05-01 10:00", "signup");
    ends.event("2026-05-02 10:00", "buy", {{"n", 1}});
    ends.event("2026-05-02 11:00", "buy", {{"n", 2}});
    ends.until("2026-05-09");
    EXPECT_EQ(ends.sent(), (Lines{"01 10:00 email a"}));
    EXPECT_EQ(ends.path(), (Lines{"01 10:00 started", "01 10:00 waits at 2", "02 11:00 goal reached: buy where n > 1", "02 11:00 ended: goal"}));
    EXPECT_EQ(ends.contact.cancellations.size(), 1U);
    EXPECT_EQ(ends.contact.profile().completed, std::vector<std::uint32_t>{1});

    Story late("on signup goal within 2 days on buy wait 3 days send email 'b'");
    late.event("2026-05-01 10:00", "signup");
    late.event("2026-05-03 10:00", "buy"); // two days are over
    late.until("2026-05-09");
    EXPECT_EQ(late.sent(), (Lines{"04 10:00 email b"}));

    const char* const jumps = "on signup goal when plan = 'pro' go to thanks repeat at most 9 do 'nag' wait 1 day end exit";
    EXPECT_THROW(Story(jumps).event("2026-05-01 10:00", "signup"), Error);
    Story jump("on signup goal when plan = 'pro' go to thanks repeat at most 2 do 'nag' wait 1 day end label thanks do 'thanks' wait 1 day do 'end'");
    jump.event("2026-05-01 10:00", "signup");
    jump.event("2026-05-01 12:00", "$identify", {{"plan", "pro"}});
    jump.until("2026-05-09");
    EXPECT_EQ(jump.sent(), (Lines{"01 10:00 nag", "01 12:00 thanks", "02 12:00 end"}));

    // Reached already: nothing to do; or on from the label.
    Story done("on signup goal when plan = 'pro' do 'nag'");
    done.event("2026-05-01 09:00", "$identify", {{"plan", "pro"}});
    done.event("2026-05-01 10:00", "signup");
    EXPECT_TRUE(done.path().empty());
    Story from_label("on signup goal when plan = 'pro' go to thanks do 'nag' label thanks do 'thanks'");
    from_label.event("2026-05-01 09:00", "$identify", {{"plan", "pro"}});
    from_label.event("2026-05-01 10:00", "signup");
    EXPECT_EQ(from_label.sent(), (Lines{"01 10:00 thanks"}));

    // By the passing of time, exactly.
    Story quiet("on signup goal when not did view within 1 hour wait 1 day do 'x'");
    quiet.event("2026-05-01 10:00", "view");
    quiet.event("2026-05-01 10:01", "signup");
    quiet.until("2026-05-09");
    EXPECT_EQ(quiet.path().back(), "01 11:00 ended: goal");
}

// --- journeys of journeys -----------------------------------------------------------------------------------------

TEST(Flow, AJourneyStartsAnotherAndWaitsForItsEnd) {
    Story story("on signup start workflow 'v' with (file = context.file, n = 2) wait for workflow 'v' to end up to 3 days do 'back'");
    story.definitions.workflow("v", "on nothing if context.n = 2 then wait 1 day do 'inner' with (file = context.file) end");
    story.event("2026-05-01 10:00", "signup", {{"file", "a.pdf"}});
    EXPECT_EQ(story.contact.profile().journeys.size(), 2U);
    story.until("2026-05-09");
    EXPECT_EQ(story.sent(), (Lines{"02 10:00 inner", "02 10:00 back"}));
    EXPECT_EQ(story.contact.raw_actions[0].payload, R"({"file": "a.pdf"})");

    Story slow("on signup start workflow 'v' wait for workflow 'v' to end up to 3 days do 'back'");
    slow.definitions.workflow("v", "on nothing wait 9 days");
    slow.event("2026-05-01 10:00", "signup");
    slow.until("2026-05-20");
    EXPECT_EQ(slow.sent(), (Lines{"04 10:00 back"}));

    // One that may not start is not waited for.
    Story refused("on signup re-enter always start workflow 'v' wait for workflow 'v' to end do 'back'");
    refused.definitions.workflow("v", "on nothing do 'once'");
    refused.event("2026-05-01 10:00", "signup");
    refused.event("2026-05-01 11:00", "signup");
    EXPECT_EQ(refused.sent(), (Lines{"01 10:00 once", "01 10:00 back", "01 11:00 back"}));

    Story stops("on signup start workflow 'v' wait 1 hour stop workflow 'v' do 'x' stop workflow 'w' do 'never'");
    stops.definitions.workflow("v", "on nothing send email 'a' wait 1 day send email 'b'");
    stops.event("2026-05-01 10:00", "signup");
    stops.until("2026-05-20");
    EXPECT_EQ(stops.sent(), (Lines{"01 10:00 email a", "01 11:00 x"}));
    auto const path = stops.path();
    EXPECT_EQ(std::count(path.begin(), path.end(), "01 11:00 ended: stopped"), 2);
    EXPECT_EQ(stops.contact.cancellations.size(), 1U);
}

} // namespace
} // namespace nurture::world
