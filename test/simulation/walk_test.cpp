// No step twice, no step skipped: a second, naive walker goes through the workflow's syntax tree, asks the oracle at every
// moment at which anything can change, and must send the same at the same time.
#include "walker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <tuple>

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

struct Spoken {
    std::string before; ///< the word before it
    Duration duration;
};

/// The durations that a text mentions.
std::vector<Spoken> durations_in(const std::string& text) {
    std::vector<std::string> words(1);
    for (char const c : text)
        if (std::isalnum(static_cast<unsigned char>(c)) != 0)
            words.back() += c;
        else if (!words.back().empty())
            words.emplace_back();
    words.resize(words.size() + 2);
    auto const unit_of = [](const std::string& word) -> Duration {
        static const std::map<std::string, Duration> units{{"second", {0, 0, one_second}}, {"minute", {0, 0, one_minute}}, {"hour", {0, 0, one_hour}},
                                                           {"day", {0, 1, 0}},             {"week", {0, 7, 0}},            {"month", {1, 0, 0}}};
        auto const known = units.find(word.ends_with('s') ? word.substr(0, word.size() - 1) : word);
        return known == units.end() ? Duration{} : known->second;
    };
    std::vector<Spoken> out;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        Spoken said{i == 0 ? "" : words[i - 1], {}};
        for (; i + 1 < words.size() && !words[i].empty() && std::isdigit(static_cast<unsigned char>(words[i].front())) != 0; i += 2) {
            Duration const unit = unit_of(words[i + 1]);
            if (unit.empty())
                break;
            int const n = std::stoi(words[i]);
            said.duration = {said.duration.months + n * unit.months, said.duration.days + n * unit.days, said.duration.micros + n * unit.micros};
        }
        if (!said.duration.empty()) {
            out.push_back(std::move(said));
            --i;
        }
    }
    return out;
}

bool is_wait(const Spoken& said) { return said.before == "wait" || said.before == "to" || said.before == "after"; }

/// How long the text waits, exactly.
std::vector<Span> waits_of(const std::string& text) {
    std::vector<Span> out{one_hour};
    for (const Spoken& said : durations_in(text))
        if (is_wait(said))
            out.push_back(said.duration.exact());
    return out;
}

/// Whatever may change a condition of the text: windows that end, singly and in pairs, also the beginnings of days, weeks and months.
std::vector<Time> moments_of(const Oracle& oracle, const std::string& text, Time end) {
    auto const says = [&](const char* what) { return text.find(what) != text.npos; };
    auto const less = [](const Duration& a, const Duration& b) { return std::tie(a.months, a.days, a.micros) < std::tie(b.months, b.days, b.micros); };
    std::set<Duration, decltype(less)> single(less);
    for (const Spoken& said : durations_in(text))
        if (!is_wait(said))
            single.insert(said.duration);
    if (says("session") || says("dwell") || says("entry(") || says("exit(")) // a session is over
        for (Span const gap : {20 * one_minute, 30 * one_minute})
            single.insert({{0, 0, gap}, {0, 0, gap + 1}});
    for (std::int32_t days = 1; days < 6 && says("days since"); ++days)
        single.insert({0, days, 0});
    std::set<Duration, decltype(less)> windows = single;
    for (int sums = says(" then not ") ? 2 : 1; sums > 0; --sums) { // twice: a silence after a silence, before some time ago
        auto const with = windows;
        for (const Duration& a : with)
            for (const Duration& b : single)
                windows.insert({a.months + b.months, a.days + b.days, a.micros + b.micros});
    }
    std::vector<Time> out;
    for (const Event& event : oracle.events) {
        out.push_back(event.received_at);
        for (const Duration& window : windows)
            if (Time const at = Oracle::leaves(std::min(event.at, event.received_at), window); at > oracle.events.front().received_at)
                out.push_back(at);
    }
    if (says(" of the last "))
        for (Time day = oracle.events.front().received_at / one_day * one_day; day <= end; day += one_day)
            out.push_back(day);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
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
