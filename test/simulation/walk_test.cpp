// No step twice, no step skipped: a second, naive walker goes through the workflow's syntax tree, asks the oracle at every
// moment at which anything can change, and must send the same at the same time.
#include "walker.hpp"

#include <gtest/gtest.h>

#include <regex>

namespace nurture::world {
namespace {

/// What a run was about, for those who run many.
struct Account {
    std::size_t histories = 0, journeys = 0, actions = 0, moved = 0, timers = 0, at_once = 0;

    void add(const Contact& contact, const std::vector<Event>& events) {
        ++histories;
        std::set<Time> told, ended;
        for (const Event& event : events)
            told.insert(event.received_at);
        for (const auto& transition : contact.raw_transitions) {
            journeys += transition.kind == step::TransitionKind::journey_started ? 1 : 0;
            if (transition.cause == "time")
                ended.insert(transition.at);
        }
        timers += ended.size();
        for (Time const at : ended)
            at_once += told.contains(at) ? 1 : 0;
        for (const auto& action : contact.raw_actions) {
            ++actions;
            moved += action.version == 2 ? 1 : 0;
        }
    }
    void close(std::size_t wanted_moved) const {
        std::cout << histories << " histories, " << journeys << " journeys walked, " << actions << " actions, " << moved
                  << " of them in a second version; timers fired at " << timers << " instants, at " << at_once << " of them something was told as well\n";
        ::testing::Test::RecordProperty("journeys", std::to_string(journeys));
        if (std::getenv("SIMULATION_SEED") == nullptr) { // they do lead somewhere
            EXPECT_GT(actions, 50U);
            EXPECT_GE(moved, wanted_moved);
            EXPECT_GE(journeys, 2 * histories);
            EXPECT_GE(at_once * 20, timers); // the order of what is at one instant is what this is about
        }
    }
};

Duration duration_of(const std::string& text) {
    static const std::regex part("([0-9]+) (second|minute|hour|day|week|month)");
    Duration out;
    for (std::sregex_iterator found(text.begin(), text.end(), part), end; found != end; ++found) {
        auto const n = static_cast<std::int32_t>(std::stol((*found)[1]));
        std::string const unit = (*found)[2];
        if (unit == "month")
            out.months += n;
        else if (unit == "day" || unit == "week")
            out.days += n * (unit == "week" ? 7 : 1);
        else
            out.micros += n * (unit == "hour" ? one_hour : unit == "minute" ? one_minute : one_second);
    }
    return out;
}

std::vector<Duration> durations_in(const std::string& text, const std::string& behind) {
    std::regex const pattern(behind + "([0-9]+ (?:second|minute|hour|day|week|month)s?(?: [0-9]+ (?:second|minute|hour|day|week|month)s?)*)");
    std::vector<Duration> out;
    for (std::sregex_iterator found(text.begin(), text.end(), pattern), end; found != end; ++found)
        if (Duration const d = duration_of((*found)[1]); std::find(out.begin(), out.end(), d) == out.end())
            out.push_back(d);
    return out;
}

/// How long the text waits, exactly.
std::vector<Span> waits_of(const std::string& text) {
    std::vector<Span> out{one_hour};
    for (const Duration& d : durations_in(text, "(?:wait|up to) "))
        out.push_back(d.exact());
    return out;
}

/// Whatever may change a condition of the text: windows that end, singly and in pairs, also the beginnings of days, weeks and months.
std::set<Time> moments_of(const Oracle& oracle, const std::string& text, Time end) {
    static const std::regex waits("(?:wait|up to|re-enter after) [0-9]+ [a-z]+(?: [0-9]+ [a-z]+)?");
    std::string const conditions = std::regex_replace(text, waits, "");
    std::vector<Duration> single = durations_in(conditions, "");
    for (Span const gap : {20 * one_minute, 30 * one_minute}) // a session is over
        if (std::regex_search(conditions, std::regex("session|dwell|entry|exit\\(")))
            single.insert(single.end(), {{0, 0, gap}, {0, 0, gap + 1}});
    for (std::int32_t days = 1; days < 6 && conditions.find("days since") != conditions.npos; ++days)
        single.push_back({0, days, 0});
    auto const sums = [&](const std::vector<Duration>& with) {
        std::vector<Duration> out = with;
        for (const Duration& a : with)
            for (const Duration& b : single)
                out.push_back({a.months + b.months, a.days + b.days, a.micros + b.micros});
        return out;
    };
    std::vector<Duration> windows = sums(single);
    if (text.find(" then not ") != text.npos) // a silence after a silence, before some time ago
        windows = sums(windows);
    std::set<Time> out = oracle.breakpoints(windows);
    if (text.find(" of the last ") != text.npos)
        for (Time day = oracle.events.front().received_at / one_day * one_day; day <= end; day += one_day)
            out.insert(day);
    return out;
}

/// More journeys than most people would have.
std::string eager_header(Random& r, const Taste& taste) {
    std::string out = r.pick<std::string>({" re-enter always", " re-enter always", " re-enter always", " re-enter after 1 day", " re-enter after 3 days", ""});
    if (r.chance(25))
        out += " exit on " + random_event(r);
    if (r.chance(20))
        out += " exit when " + random_condition(r, taste, 1);
    return out;
}

std::string triggers(Random& r, int n) {
    std::string out;
    for (; n > 0; --n)
        out += " on " + (r.chance(50) ? r.pick(event_types()) : random_event(r));
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
        std::string const text = triggers(r, 3) + eager_header(r, taste) + random_steps(r, taste, false, 3, name);
        definitions.workflow("w", text);
        auto const model = definitions.compile();
        auto events = random_history(r, 40, waits_of(text));
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
        account.add(contact, events);
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
        std::string const header = eager_header(r, taste), steps = random_steps(r, taste, false, 3, name);
        std::string const text = triggers(r, 3) + header + steps;
        // The next version has the same shape, other waits, other names, another trigger.
        std::string const others = replaced(replaced(replaced(replaced(steps, "'s", "'t"), "'d", "'e"), " wait 1 hour", " wait 2 days"), "up to 3 days", "up to 90 minutes");
        std::string const text2 = triggers(r, 2) + header + others;
        Definitions definitions;
        definitions.workflow("w", text);
        definitions.workflow("shadow", "on never_ever" + header + others); // both ask for the same from the beginning
        auto events = with_commands(r, random_history(r, 40, waits_of(text)));
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
        account.add(contact, events);
    }
    account.close(10);
}

} // namespace
} // namespace nurture::world
