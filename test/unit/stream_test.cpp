// Streams: their language, what is next of them (against a list kept by hand), when they are exhausted; what messages draw when
// they are claimed.
#include "core/language/form.hpp"
#include "core/language/rename.hpp"
#include "core/language/stream.hpp"
#include "core/model/takeover.hpp"
#include "core/report/streams.hpp"

#include "../simulation/story.hpp"
#include "generators/language.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace nurture::world {
namespace {

using namespace language;

// --- language -----------------------------------------------------------------------------------------------------

TEST(Streams, AreTextInOneForm) {
    for (auto const& [text, canonical_text] : std::vector<std::pair<std::string, std::string>>{
             {"email 'tip 1'", "email 'tip 1'"},
             {"email 'tip 1' FOR newsletter push 'app'", "email 'tip 1' for newsletter\npush 'app'"},
             {"\"in app\" 'it''s' from 2026-03-01 until 2026-06-01T12:00:00Z -- spring", "\"in app\" 'it''s' from 2026-03-01 until 2026-06-01T12:00Z"},
             {"email 'a' email 'b' sms 'a'", "email 'a'\nemail 'b'\nsms 'a'"}}) {
        EXPECT_EQ(canonical(Form::stream, text), canonical_text);
        EXPECT_EQ(canonical(Form::stream, canonical_text), canonical_text);
        EXPECT_EQ(parse_stream(canonical_text), parse_stream(text));
        EXPECT_EQ(form_of(text), Form::stream) << text;
    }
    for (auto const& [text, form] : std::vector<std::pair<std::string, Form>>{{"stream 's' is exhausted", Form::condition},
                                                                             {"stream = 's'", Form::condition},
                                                                             {"assign owner from 'r'", Form::workflow},
                                                                             {"assign > 5", Form::condition},
                                                                             {"send next of stream 's'", Form::workflow}})
        EXPECT_EQ(form_of(text), form) << text;
    EXPECT_EQ(uses(parse_stream("email 'b' for x push 'a' email 'c' for x")),
              (std::vector<Use>{{"channel", "email"}, {"channel", "push"}, {"purpose", "x"}, {"template", "a"}, {"template", "b"}, {"template", "c"}}));
}

TEST(Streams, ParseWhatIsPrinted) {
    EXPECT_TRUE(rc::check([] {
        Stream stream;
        for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
            StreamContent content{*generators::name(), *generators::text(), {}, {}, {}};
            if (*rc::gen::arbitrary<bool>())
                content.purpose = *generators::name();
            if (*rc::gen::arbitrary<bool>())
                content.from = *generators::moment();
            if (*rc::gen::arbitrary<bool>())
                content.until = *generators::moment();
            if (std::none_of(stream.contents.begin(), stream.contents.end(), [&](const StreamContent& other) {
                    return other.channel == content.channel && other.template_name == content.template_name;
                }))
                stream.contents.push_back(std::move(content));
        }
        RC_ASSERT(parse_stream(print(stream)) == stream);
        RC_ASSERT(canonical(Form::stream, print(stream)) == print(stream));
    }));
}

TEST(Streams, WhatPeopleGetWrong) {
    struct Bad {
        Form form;
        std::string_view text;
        std::size_t column;
        std::string_view message, hint;
    };
    for (const Bad& bad : std::initializer_list<Bad>{
             {Form::stream, "", 1, "expected a channel", ""},
             {Form::stream, "email", 6, "the name of a template in single quotes", ""},
             {Form::stream, "email 'a' email 'a'", 11, "email 'a' is given twice", ""},
             {Form::stream, "email 'a' from tomorrow", 16, "expected a date or time", ""},
             {Form::stream, "email 'a' until 2026-01-01 from 2026-01-01", 33, "expected the name of a template", ""},
             {Form::workflow, "on x send next of 's'", 19, "expected \"stream\"", ""},
             {Form::workflow, "on x send next of stream s", 26, "the name of a stream in single quotes", ""},
             {Form::workflow, "on x set code = coupon('p')", 17, "codes are given out with messages only", "send email"},
             {Form::workflow, "on x emit y with (code = coupon('p'))", 26, "codes are given out with messages only", ""},
             {Form::workflow, "on x send email 'a' with (code = coupon(p))", 41, "the name of a coupon pool in single quotes", ""},
             {Form::workflow, "on x assign owner from r", 24, "the name of a rota in single quotes", ""},
             {Form::condition, "stream 's' is full", 15, "expected \"not\" or \"exhausted\"", ""},
             {Form::condition, "did x where stream 's' is exhausted", 13, "", ""}}) {
        SCOPED_TRACE(bad.text);
        try {
            ADD_FAILURE() << "parsed as " << canonical(bad.form, bad.text);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind, ErrorKind::syntax);
            EXPECT_NE(std::string_view(error.what()).find(bad.message), std::string_view::npos) << error.what();
            EXPECT_NE(error.hint.find(bad.hint), std::string::npos) << error.hint;
            EXPECT_EQ(position_of(bad.text, static_cast<std::size_t>(error.offset)), (Position{1, bad.column}));
        }
    }
}

TEST(Streams, NamesAreFollowed) {
    std::string const text = "on x send email 'a' with (code = coupon('p'), n = 1) if stream 's' is not exhausted then send next of stream 's' "
                             "with (b = coupon('q')) end assign owner from 'r'";
    std::vector<std::string> found;
    for (const Reference& reference : references(parse_workflow(text)))
        found.push_back(std::string(name_of(reference.kind)) + ' ' + reference.name);
    EXPECT_EQ(found, (std::vector<std::string>{"coupon_pool p", "stream s", "stream s", "coupon_pool q", "rota r"}));
    std::string const once = renamed(Form::workflow, text, ReferenceKind::stream, {{"s", "z"}});
    EXPECT_NE(once.find("stream 'z' is not exhausted"), std::string::npos) << once;
    EXPECT_NE(once.find("send next of stream 'z' with (b = coupon('q'))"), std::string::npos) << once;
    EXPECT_NE(renamed(Form::workflow, text, ReferenceKind::coupon_pool, {{"p", "z"}}).find("coupon('z'), n = 1"), std::string::npos);
    EXPECT_NE(renamed(Form::workflow, text, ReferenceKind::rota, {{"r", "z"}}).find("assign owner from 'z'"), std::string::npos);
}

std::string problem_of(const std::string& workflow) {
    Definitions definitions;
    definitions.source.streams.push_back({1, "tips", "email 'tip'"});
    definitions.source.coupon_pools.push_back({1, "spring"});
    definitions.source.rotas.push_back({1, "sales"});
    definitions.workflow("w", workflow);
    try {
        (void)definitions.compile();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::undefined_name);
        return std::string(error.what()) + ' ' + error.hint;
    }
    return "none";
}

TEST(Streams, UnknownNamesAreRefused) {
    EXPECT_EQ(problem_of("on x send next of stream 'tips' send email 'a' with (c = coupon('spring')) assign owner from 'sales'"), "none");
    EXPECT_EQ(problem_of("on x send next of stream 'tipps'"), "workflow \"w\": stream \"tipps\" does not exist Perhaps you meant \"tips\".");
    EXPECT_EQ(problem_of("on x if stream 'tip' is exhausted then exit end"), "workflow \"w\": stream \"tip\" does not exist Perhaps you meant \"tips\".");
    EXPECT_EQ(problem_of("on x do 'a' with (c = coupon('sprimg'))"), "workflow \"w\": coupon pool \"sprimg\" does not exist Perhaps you meant \"spring\".");
    EXPECT_EQ(problem_of("on x assign owner from 'sale'"), "workflow \"w\": rota \"sale\" does not exist Perhaps you meant \"sales\".");
}

TEST(Streams, SourcesAreTexts) {
    model::Source source;
    std::string const without = print(source);
    EXPECT_EQ(without.find("streams"), std::string::npos); // as before there were any
    source.streams.push_back({3, "tips", "email 'tip'"});
    source.coupon_pools.push_back({4, "spring"});
    source.rotas.push_back({5, "sales"});
    EXPECT_EQ(model::parse_source(print(source)), source);
}

// --- what is next -------------------------------------------------------------------------------------------------

Story tips(const std::string& workflow, const std::string& contents = "email 'tip 1' for news push 'tip 2' email 'tip 3'") {
    Story story(workflow);
    story.definitions.source.streams.push_back({1, "tips", contents});
    return story;
}

// The sender is through with the latest mail.
void settle(Story& story, const std::string& at, const std::string& outcome) {
    const auto& actions = story.contact.raw_actions;
    const auto& action = *std::find_if(actions.rbegin(), actions.rend(), [](const auto& a) { return a.channel == "email"; });
    story.event(at, outcome, {{"action", print_uuid(action.id)}, {"channel", action.channel}, {"template", action.template_name}, {"step", action.step}});
}

TEST(Streams, SendOneMessageAfterTheOtherEachOnce) {
    Story story = tips("on go re-enter always send next of stream 'tips' with (n = 1)");
    story.event("2026-05-01 10:00", "go");
    story.event("2026-05-01 11:00", "go"); // the first is on its way
    story.event("2026-05-01 12:00", "go");
    story.event("2026-05-01 13:00", "go"); // there is no more
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 email tip 1", "01 11:00 push tip 2", "01 12:00 email tip 3"}));
    EXPECT_EQ(story.contact.raw_actions[0].purpose, "news");
    EXPECT_EQ(story.contact.raw_actions[1].payload, R"({"n": 1})");
    EXPECT_EQ(story.contact.raw_transitions.back().via, "1:exhausted");
    EXPECT_EQ(story.contact.profile().pending.size(), 3U);
}

TEST(Streams, WhatDidNotArriveIsNextAgain) {
    for (const char* const outcome : {"$dropped", "$failed", "$sent"}) {
        Story story = tips("on go re-enter always send next of stream 'tips'");
        story.event("2026-05-01 10:00", "go");
        settle(story, "2026-05-01 11:00", outcome);
        EXPECT_TRUE(story.contact.profile().pending.empty());
        story.event("2026-05-02 10:00", "go");
        EXPECT_EQ(story.sent().back(), std::string(outcome) == "$sent" ? "02 10:00 push tip 2" : "02 10:00 email tip 1") << outcome;
    }
    Story story = tips("on go re-enter always exit on stop send next of stream 'tips' wait 5 days");
    story.event("2026-05-01 10:00", "go");
    story.event("2026-05-02 10:00", "stop"); // withdrawn before it was sent
    story.event("2026-05-03 10:00", "go");
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 email tip 1", "03 10:00 email tip 1"}));
    EXPECT_NE(story.contact.raw_actions[0].id, story.contact.raw_actions[1].id);
}

TEST(Streams, WhatWasSentMeanwhileIsNotSentByTheStream) {
    Story story = tips("on go re-enter always exit on stop send next of stream 'tips' wait 5 days");
    story.definitions.workflow("other", "on other re-enter always send email 'tip 1'");
    story.event("2026-05-01 10:00", "go");
    story.event("2026-05-01 10:01", "stop"); // a sender has it by now
    story.event("2026-05-01 10:02", "go");   // the same once more
    ASSERT_EQ(story.contact.raw_actions.size(), 2U);
    auto const sent = [&](std::size_t which, const std::string& at) {
        const auto& action = story.contact.raw_actions[which];
        story.event(at, "$sent", {{"action", print_uuid(action.id)}, {"channel", action.channel}, {"template", action.template_name}, {"step", "1"}});
    };
    sent(0, "2026-05-01 10:03");
    ASSERT_EQ(story.contact.cancellations.size(), 2U);
    EXPECT_TRUE(story.contact.cancellations[1].ends_with(' ' + print_uuid(story.contact.raw_actions[1].id) + " sent meanwhile"));
    EXPECT_TRUE(story.contact.profile().pending.empty());
    EXPECT_TRUE(story.contact.profile().journeys.front().open.empty());
    // What a workflow sends by name it sends, whatever was sent.
    story.event("2026-05-01 11:00", "other");
    story.event("2026-05-01 11:01", "other");
    sent(2, "2026-05-01 11:02");
    EXPECT_EQ(story.contact.cancellations.size(), 2U);
    EXPECT_EQ(story.contact.profile().pending.size(), 1U);
}

TEST(Streams, WhateverWorkflowSentItCounts) {
    Story story = tips("on go re-enter always send next of stream 'tips'");
    story.definitions.workflow("other", "on other send email 'tip 1' send email 'tip 2'"); // that is not push 'tip 2'
    story.event("2026-05-01 10:00", "other");
    EXPECT_EQ(story.contact.profile().pending.size(), 1U);
    story.event("2026-05-01 11:00", "$sent", {{"channel", "email"}, {"template", "tip 3"}}); // told by the application
    story.event("2026-05-01 12:00", "go");
    story.event("2026-05-01 13:00", "go");
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 email tip 1", "01 10:00 email tip 2", "01 12:00 push tip 2"}));
}

TEST(Streams, ContentsAreAvailableInTheirTime) {
    const char* const contents = "email 'early' until 2026-05-02 email 'mid' from 2026-05-03T12:00 until 2026-05-04T12:00Z email 'late' from 2026-05-06";
    auto next = [&](const std::string& at) {
        Story story = tips("on go re-enter always send next of stream 'tips'", contents);
        story.definitions.source.timezone = "Europe/Rome"; // two hours ahead of UTC in May
        story.event(at, "go");
        return story.sent().empty() ? "nothing" : story.contact.raw_actions.back().template_name;
    };
    EXPECT_EQ(next("2026-05-02 21:59:59.999999"), "early"); // through the whole day
    EXPECT_EQ(next("2026-05-02 22:00"), "nothing");
    EXPECT_EQ(next("2026-05-03 09:59:59.999999"), "nothing");
    EXPECT_EQ(next("2026-05-03 10:00"), "mid");
    EXPECT_EQ(next("2026-05-04 11:59:59.999999"), "mid");
    EXPECT_EQ(next("2026-05-04 12:00"), "nothing");
    EXPECT_EQ(next("2026-05-05 22:00"), "late");
    Definitions definitions;
    definitions.source.streams.push_back({1, "tips", "email 'a' from 2026-05-02 until 2026-05-01"});
    EXPECT_THROW((void)definitions.compile(), Error);
}

TEST(Streams, AreExhaustedUntilThereIsMore) {
    Story story = tips("on go re-enter always send next of stream 'tips'", "email 'a' email 'b' from 2026-05-10");
    story.definitions.segment("through", "stream 'tips' is exhausted");
    story.definitions.workflow("woken", "when stream 'tips' is not exhausted re-enter always send sms 'more'");
    story.event("2026-05-01 10:00", "go");
    settle(story, "2026-05-01 11:00", "$sent"); // to the last that there is now
    story.until("2026-05-11");                  // on the tenth there is more
    story.event("2026-05-11 10:00", "go");
    settle(story, "2026-05-11 11:00", "$sent");
    story.definitions.source.streams.front().definition = "email 'a' email 'b' from 2026-05-10 email 'c'";
    story.publish();
    story.until("2026-05-12"); // and with a new one again
    Lines path;
    for (const std::string& line : story.path())
        if (line.find("segment") != std::string::npos)
            path.push_back(line);
    EXPECT_EQ(path, (Lines{"01 11:00 segment entered through", "10 00:00 segment left through", "11 11:00 segment entered through",
                           "11 11:00 segment left through"}));
    EXPECT_EQ(story.sent(), (Lines{"01 10:00 email a", "01 10:00 sms more", "10 00:00 sms more", "11 10:00 email b"})) << "publishing starts no journeys";
}

TEST(Streams, WhatIsPublishedEndsWaits) {
    Story story = tips("on go send next of stream 'tips' wait for stream 'tips' is exhausted up to 7 days "
                       "wait for stream 'tips' is not exhausted up to 365 days then send next of stream 'tips' end", "email 'a'");
    story.event("2026-05-01 10:00", "go");
    settle(story, "2026-05-01 11:00", "$sent");
    story.until("2026-06-01");
    story.definitions.source.streams.front().definition = "email 'b' email 'a'"; // in front of what everybody had
    story.publish();
    story.until("2026-06-01 12:00");
    ASSERT_EQ(story.contact.raw_actions.size(), 2U);
    EXPECT_EQ(story.contact.raw_actions.back().template_name, "b");
}

TEST(Streams, ANewContentWaitsUntilItsPastIsKnown) {
    model::Source in_force;
    in_force.streams.push_back({1, "tips", "email 'a'"});
    model::Source wanted = in_force;
    wanted.streams.front().definition = "email 'a'\nemail 'b'";
    auto const known = model::required_features(in_force);
    auto const all = model::required_features(wanted);
    ASSERT_EQ(all.size(), known.size() + 1);
    auto const held = model::take_over(wanted, &in_force, {known.begin(), known.end()});
    ASSERT_EQ(held.held.size(), 1U);
    EXPECT_EQ(held.held.front().kind, "stream");
    EXPECT_EQ(held.next.streams, in_force.streams);
    auto const taken = model::take_over(wanted, &in_force, {all.begin(), all.end()});
    EXPECT_TRUE(taken.held.empty());
    EXPECT_EQ(taken.next.streams, wanted.streams);
}

TEST(Streams, PlacesOfAContact) {
    Story story = tips("on go re-enter always send next of stream 'tips'",
                       "email 'a' email 'b' email 'c' until 2026-05-01 email 'd' from 2027-01-01 email 'e' email 'f'");
    story.event("2026-05-02 10:00", "go");
    settle(story, "2026-05-02 11:00", "$sent");
    story.event("2026-05-03 10:00", "go");
    auto const model = story.definitions.compile();
    std::vector<std::string> states;
    for (const auto& place : report::stream_places(model, story.contact.profile(), story.contact.key, Story::time("2026-05-04")))
        states.emplace_back(place.state);
    EXPECT_EQ(states, (Lines{"sent", "on its way", "no longer available", "not yet available", "next", "later"}));
}

// --- against a list kept by hand ----------------------------------------------------------------------------------

struct Entry {
    std::string text;
    std::int64_t from = -1, until = -1; // hours since the beginning; -1: always
};

// Whatever happens in whatever order: what is sent is what a list of what was had and is on its way says; cut into batches
// it is the same.
TEST(Streams, AsAListKeptByHandSays) {
    EXPECT_TRUE(rc::check([] {
        Time const begin = Story::time("2026-05-01");
        auto const at_hour = [&](std::int64_t hour) { return begin + hour * one_hour; };
        std::vector<Entry> entries;
        std::string definition;
        int const size = *rc::gen::inRange(1, 6);
        for (int i = 0; i < size; ++i) {
            Entry entry{"t" + std::to_string(i)};
            definition += (i == 0 ? "" : "\n") + std::string("email '") + entry.text + "'";
            if (*rc::gen::arbitrary<bool>()) {
                entry.from = *rc::gen::inRange(0, 40);
                definition += " from " + print_iso_time(at_hour(entry.from));
            }
            if (*rc::gen::arbitrary<bool>()) {
                entry.until = std::max<std::int64_t>(entry.from, 0) + *rc::gen::inRange(1, 40);
                definition += " until " + print_iso_time(at_hour(entry.until));
            }
            entries.push_back(entry);
        }
        Definitions definitions;
        definitions.source.streams.push_back({1, "s", definition});
        definitions.segment("through", "stream 's' is exhausted");
        definitions.workflow("drip", "on go re-enter always exit on stop send next of stream 's' wait 10 hours");
        definitions.workflow("other", "on other re-enter always send email 't0'");
        auto const model = definitions.compile();

        Contact contact;
        std::vector<Event> events;
        std::set<std::string> had;
        std::map<Uuid, std::string> pending;
        std::vector<std::string> expected;
        std::set<Uuid> of_stream;
        std::vector<std::pair<std::int64_t, Uuid>> inside; // journeys of drip: since when, with which action
        int const steps = *rc::gen::inRange(1, 30);
        for (std::int64_t hour = 1; hour <= steps; ++hour) {
            std::erase_if(inside, [&](const auto& j) { return j.first + 10 <= hour; });
            Event event;
            event.at = event.received_at = at_hour(hour);
            int const what = *rc::gen::inRange(0, 6);
            std::string wanted;
            if (what <= 2) {
                event.type = "go";
                for (const Entry& entry : entries) {
                    bool const taken = had.contains(entry.text) ||
                                       std::any_of(pending.begin(), pending.end(), [&](const auto& p) { return p.second == entry.text; });
                    if (!taken && entry.from <= hour && (entry.until < 0 || hour < entry.until)) {
                        wanted = entry.text;
                        break;
                    }
                }
            } else if (what == 3) {
                event.type = "other";
                wanted = "t0";
            } else if (what == 4) {
                event.type = "stop";
                for (const auto& [since, action] : inside)
                    pending.erase(action);
                inside.clear();
            } else {
                event.type = "nothing";
                if (!pending.empty()) {
                    auto const place = std::next(pending.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(pending.size())));
                    event.type = *rc::gen::element<std::string>("$sent", "$sent", "$dropped", "$failed");
                    event.properties = {{"action", print_uuid(place->first)}, {"channel", "email"}, {"template", place->second}, {"step", "1"}};
                    std::string const content = place->second;
                    pending.erase(place);
                    if (event.type == "$sent") { // what the stream had planned of it, too, is not to be sent any more
                        had.insert(content);
                        std::erase_if(pending, [&](const auto& p) { return p.second == content && of_stream.contains(p.first); });
                    }
                }
            }
            events.push_back(event);
            contact.step(model, {event}, std::nullopt);
            if (!wanted.empty()) {
                expected.push_back(wanted);
                RC_ASSERT(contact.raw_actions.size() == expected.size());
                RC_ASSERT(contact.raw_actions.back().template_name == wanted);
                pending.emplace(contact.raw_actions.back().id, wanted);
                if (what <= 2) {
                    inside.emplace_back(hour, contact.raw_actions.back().id);
                    of_stream.insert(contact.raw_actions.back().id);
                }
            }
            RC_ASSERT(contact.raw_actions.size() == expected.size());
            bool const exhausted = std::all_of(entries.begin(), entries.end(), [&](const Entry& entry) {
                return had.contains(entry.text) || hour < entry.from || (entry.until >= 0 && hour >= entry.until);
            });
            auto const profile = contact.profile();
            RC_ASSERT(profile.pending.size() == pending.size());
            RC_ASSERT(std::any_of(profile.segments.begin(), profile.segments.end(), [](const auto& s) { return s.id == 1 && s.member; }) == exhausted);
        }
        contact.step(model, {}, at_hour(100));

        Contact batched;
        for (std::size_t from = 0; from < events.size();) {
            std::size_t const many = *rc::gen::inRange<std::size_t>(1, events.size() - from + 1);
            batched.step(model, {events.begin() + static_cast<std::ptrdiff_t>(from), events.begin() + static_cast<std::ptrdiff_t>(from + many)}, std::nullopt);
            from += many;
        }
        batched.step(model, {}, at_hour(100));
        RC_ASSERT(batched.actions == contact.actions);
        RC_ASSERT(batched.transitions == contact.transitions);
        RC_ASSERT(batched.cancellations == contact.cancellations);
        RC_ASSERT(batched.profile().pending == contact.profile().pending);
    }));
}

// --- what messages draw -------------------------------------------------------------------------------------------

TEST(Coupons, AreLeftToTheOutbox) {
    Story story("on go send email 'a' with (code = coupon('spring'), n = 1, other = coupon('gift')) send email 'b' with (code = coupon('gift')) do 'c'");
    story.definitions.source.coupon_pools = {{7, "spring"}, {8, "gift"}};
    story.event("2026-05-01 10:00", "go");
    ASSERT_EQ(story.contact.raw_actions.size(), 3U);
    EXPECT_EQ(story.contact.raw_actions[0].payload, R"({"n": 1})");
    std::string const journey = R"(, "journey": ")" + print_uuid(hash_uuid("journey\n" + std::to_string(story.contact.profile().workflows.at(0).workflow) +
                                                                          "\n1\n" + story.contact.key)) + "\"}";
    EXPECT_EQ(story.contact.raw_actions[0].draws, R"({"code": {"pool": 7)" + journey + R"(, "other": {"pool": 8)" + journey + "}");
    EXPECT_EQ(story.contact.raw_actions[1].payload, "{}");
    EXPECT_EQ(story.contact.raw_actions[1].draws, R"({"code": {"pool": 8)" + journey + "}");
    EXPECT_EQ(story.contact.raw_actions[2].draws, "");
}

TEST(Rotas, AreLeftToTheOutbox) {
    Story story("on go assign owner from 'sales' wait for $identify up to 1 day then do 'call' end");
    story.definitions.source.rotas = {{9, "sales"}};
    story.event("2026-05-01 10:00", "go");
    ASSERT_EQ(story.contact.raw_actions.size(), 1U);
    EXPECT_EQ(story.contact.raw_actions[0].channel, "$assign");
    EXPECT_EQ(story.contact.raw_actions[0].template_name, "owner");
    EXPECT_EQ(story.contact.raw_actions[0].payload, R"({"rota": 9})");
    EXPECT_EQ(story.contact.raw_actions[0].expires, never);
    EXPECT_TRUE(story.contact.profile().journeys.front().open.empty());
}

} // namespace
} // namespace nurture::world
