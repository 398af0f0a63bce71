// Scores against raw events: every rule told a second time with whole numbers, at random moments and around every crossing.
#include "../simulation/world.hpp"

#include "core/language/language.hpp"
#include "core/report/ledger.hpp"
#include "core/report/report.hpp"
#include "core/step/facts.hpp"
#include "core/step/fold.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace nurture::world {
namespace {

constexpr Time start = 9'500 * one_day;

/// A rule as it was generated, and as text.
struct Told {
    enum class Kind { plain, half_life, linear, step, expiry, fit, idle } kind = Kind::plain;
    Micro points = 0;
    std::string type = "e0", topic;
    bool per = false, once_per_key = false, table = false;
    Span span = 0, after = 0;
    std::int64_t percent = 0;
    std::int64_t cap_per_day = 0, cap_in_total = 0;
    std::optional<Micro> floor, ceiling;

    [[nodiscard]] std::string text() const {
        auto const minutes = [](Span span_of) { return std::to_string(span_of / one_minute) + " minutes"; };
        std::string out = table ? "+by kind ('a' " + print_micro(points) + ", 'b' " + print_micro(2 * points) + ", else 1)"
                                : (points < 0 ? "" : "+") + print_micro(points);
        if (kind == Kind::fit)
            out += " while country in ('IT', 'DE')";
        else if (kind == Kind::idle)
            out += " for every " + minutes(span) + " without " + type;
        else
            out += (per ? " per amount on " : " on ") + type;
        if (kind == Kind::half_life)
            out += " half-life " + minutes(span);
        if (kind == Kind::linear)
            out += " fading over " + minutes(span);
        if (kind == Kind::step)
            out += " losing " + std::to_string(percent) + " percent every " + minutes(span);
        if (kind == Kind::expiry)
            out += " expires after " + minutes(span);
        if (after != 0)
            out += " starting after " + minutes(after);
        if (cap_per_day != 0)
            out += " at most " + std::to_string(cap_per_day) + " per day";
        if (cap_in_total != 0)
            out += " at most " + std::to_string(cap_in_total) + " in total";
        if (once_per_key)
            out += " once per file";
        if (!topic.empty())
            out += " topic " + topic;
        if (floor)
            out += " floor " + print_micro(*floor);
        if (ceiling)
            out += " ceiling " + print_micro(*ceiling);
        return out;
    }
};

Wide rounded(Wide numerator, Wide denominator) {
    bool const negative = numerator < 0;
    Wide const magnitude = ((negative ? -numerator : numerator) * 2 + denominator) / (2 * denominator);
    return negative ? -magnitude : magnitude;
}

/// What one rule adds, by reading all events again. Exact, but for half-lives: those within `*slack`.
Wide reckon(const Told& rule, std::vector<Event> events, Time now, Wide* slack) {
    std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
    if (rule.kind == Told::Kind::fit) {
        const Event* last = nullptr;
        for (const Event& event : events)
            if (event.type == "$identify")
                last = &event;
        std::string const country = last == nullptr ? "" : last->properties.at("country").get<std::string>();
        return country == "IT" || country == "DE" ? Wide(rule.points) : 0;
    }
    if (rule.kind == Told::Kind::idle) {
        Time since = never;
        for (const Event& event : events)
            if (event.type[0] != '$' || event.type == "$identify")
                since = std::min(since, event.at);
        for (const Event& event : events)
            if (event.type == rule.type)
                since = event.at; // ascending
        std::int64_t spans = since >= now ? 0 : (now - since) / rule.span;
        if (rule.cap_in_total != 0)
            spans = std::min(spans, rule.cap_in_total);
        return Wide(spans) * rule.points;
    }
    Wide out = 0;
    for (const char* const value : {"a", "b", ""}) {
        if (!rule.table && *value != 0)
            continue;
        Wide const points = !rule.table ? rule.points : *value == 'a' ? rule.points : *value == 'b' ? 2 * rule.points : micro_one;
        std::map<Time, std::int64_t> of_day;
        std::set<std::string> keys;
        std::int64_t total = 0;
        Wide counted = 0;
        long double decayed = 0;
        for (const Event& event : events) {
            if (event.type != rule.type)
                continue;
            std::string const kind = event.properties.value("kind", "");
            if (rule.table && kind != value && !(*value == 0 && kind != "a" && kind != "b"))
                continue;
            if (rule.once_per_key && (!event.properties.contains("file") || !keys.insert(event.properties.at("file").dump()).second))
                continue;
            if (rule.cap_per_day != 0 && ++of_day[event.at / one_day] > rule.cap_per_day)
                continue;
            if (rule.cap_in_total != 0 && ++total > rule.cap_in_total)
                continue;
            Wide const amount = rule.per ? Wide(event.properties.at("amount").get<int>()) * micro_one : micro_one;
            Span const worn = std::max<Span>(now - event.at - rule.after, 0);
            switch (rule.kind) {
            case Told::Kind::linear:
                counted += worn >= rule.span ? 0 : rounded(amount * (rule.span - worn), rule.span);
                break;
            case Told::Kind::step: {
                Wide const left = 100 - Wide(worn / rule.span) * rule.percent;
                counted += left <= 0 ? 0 : rounded(amount * left, 100);
                break;
            }
            case Told::Kind::expiry:
                counted += worn < rule.span ? amount : 0;
                break;
            case Told::Kind::half_life:
                decayed += static_cast<long double>(amount) * std::exp2(-static_cast<long double>(worn) / static_cast<long double>(rule.span));
                *slack += 2 + (points < 0 ? -points : points) / micro_one * 2;
                break;
            default:
                counted += amount;
            }
        }
        out += rounded(points * (counted + static_cast<Wide>(std::llround(decayed))), micro_one);
    }
    return out;
}

struct Case {
    std::vector<Told> rules;
    std::vector<Event> events; ///< in the order told
    Definitions definitions;
    std::optional<Wide> topic_ceiling, overall_floor;

    [[nodiscard]] std::string told() const {
        std::string out;
        for (const Told& rule : rules)
            out += rule.text() + '\n';
        for (const Event& event : events)
            out += print_iso_time(event.received_at) + ' ' + print_iso_time(event.at) + ' ' + event.type + ' ' + event.properties.dump() + '\n';
        return out;
    }
    [[nodiscard]] Wide score(Time now, bool whole, Wide* slack) const {
        Wide sum = 0, in_topic = 0;
        for (const Told& rule : rules) {
            Wide part = reckon(rule, events, now, slack);
            if (rule.floor)
                part = std::max<Wide>(part, *rule.floor);
            if (rule.ceiling)
                part = std::min<Wide>(part, *rule.ceiling);
            (rule.topic.empty() ? sum : in_topic) += part;
        }
        if (topic_ceiling)
            in_topic = std::min(in_topic, *topic_ceiling);
        if (!whole)
            return in_topic;
        sum += in_topic;
        return overall_floor ? std::max(sum, *overall_floor) : sum;
    }
};

/// `whole_minutes`: nothing changes but at whole minutes.
Case any_case(std::mt19937_64& engine, bool whole_minutes) {
    auto const below = [&](std::uint64_t n) { return static_cast<std::int64_t>(engine() % n); };
    Case out;
    for (auto left = 1 + below(4); left > 0; --left) {
        Told rule;
        rule.kind = static_cast<Told::Kind>(below(7));
        if (whole_minutes && (rule.kind == Told::Kind::half_life || rule.kind == Told::Kind::linear))
            rule.kind = Told::Kind::expiry;
        rule.points = (below(2) == 0 ? 1 : -1) * (1 + below(20)) * (below(3) == 0 ? micro_one / 2 : micro_one);
        rule.type = "e" + std::to_string(below(3));
        rule.span = (1 + below(600)) * one_minute;
        rule.percent = 1 + below(100);
        bool const event = rule.kind != Told::Kind::fit && rule.kind != Told::Kind::idle;
        if (event && below(4) == 0) {
            rule.table = true;
        } else if (event) {
            rule.per = below(3) == 0;
            rule.once_per_key = below(4) == 0;
            (below(2) == 0 ? rule.cap_per_day : rule.cap_in_total) = below(3) == 0 ? 1 + below(3) : 0;
        }
        bool const wears = rule.kind == Told::Kind::half_life || rule.kind == Told::Kind::linear || rule.kind == Told::Kind::step;
        if (wears && below(2) == 0)
            rule.after = (1 + below(300)) * one_minute;
        if (rule.kind == Told::Kind::idle && below(2) == 0)
            rule.cap_in_total = 1 + below(4);
        if (below(3) == 0)
            rule.topic = below(2) == 0 ? "fit" : "fit.company";
        if (below(6) == 0)
            rule.ceiling = (1 + below(30)) * micro_one;
        if (below(6) == 0)
            rule.floor = -(1 + below(30)) * micro_one;
        out.definitions.rule(rule.text());
        out.rules.push_back(rule);
    }
    if (below(3) == 0) {
        out.topic_ceiling = (5 + below(40)) * micro_one;
        out.definitions.source.limits.push_back({"t", "fit", {}, static_cast<Micro>(*out.topic_ceiling)});
    }
    if (below(3) == 0) {
        out.overall_floor = -below(20) * micro_one;
        out.definitions.source.limits.push_back({"o", "", static_cast<Micro>(*out.overall_floor), {}});
    }
    Time now = start;
    for (auto left = 1 + below(12); left > 0; --left) {
        now += (1 + below(300)) * one_minute + (whole_minutes ? 0 : below(one_minute));
        Event event;
        event.received_at = now;
        event.at = below(3) == 0 ? now - below(500) * one_minute : now;
        if (below(5) == 0) {
            static const char* const countries[] = {"IT", "DE", "US"};
            event.type = "$identify";
            event.properties = {{"country", countries[below(3)]}};
        } else {
            static const char* const kinds[] = {"a", "b", "c"};
            event.type = "e" + std::to_string(below(3));
            event.properties = {{"amount", below(21) - 10}};
            if (below(4) != 0)
                event.properties["kind"] = kinds[below(3)];
            if (below(5) != 0)
                event.properties["file"] = below(3);
        }
        out.events.push_back(std::move(event));
    }
    return out;
}

Wide difference(Wide a, Wide b) { return a > b ? a - b : b - a; }

TEST(Score, EqualsTheRulesReadFromRawEvents) {
    std::mt19937_64 engine(11);
    int exact = 0;
    for (int round = 0; round < 1500; ++round) {
        SCOPED_TRACE(round);
        Case one = any_case(engine, false);
        auto const model = one.definitions.compile();
        Contact contact;
        for (std::size_t from = 0; from < one.events.size();) {
            auto const size = 1 + engine() % (one.events.size() - from);
            contact.step(model, {one.events.begin() + static_cast<std::ptrdiff_t>(from),
                                 one.events.begin() + static_cast<std::ptrdiff_t>(from + size)}, std::nullopt);
            from += size;
        }
        auto const profile = contact.profile();
        step::Facts const facts(model, profile);
        for (int i = 0; i < 12; ++i) {
            Time const at = profile.clock + (i == 0 ? 0 : static_cast<Span>(engine() % (3 * one_day)));
            Wide slack = 0;
            Wide const wanted = one.score(at, true, &slack);
            Wide const found = facts.score(model::none, at);
            ASSERT_LE(difference(found, wanted), slack) << print_micro(found) << " for " << print_micro(wanted) << ": " << one.rules.front().text();
            exact += slack == 0 ? 1 : 0;
            Wide sum = 0;
            for (const auto& part : report::explain(model, profile, at))
                sum += part.contribution;
            ASSERT_EQ(sum, found);
            if (model.topic_of("fit") != model::none) {
                ASSERT_LE(difference(facts.score(model.topic_of("fit"), at), one.score(at, false, &slack)), slack);
            }
        }
    }
    EXPECT_GT(exact, 5'000);
}

TEST(Score, LedgerAddsUp) {
    std::mt19937_64 engine(12);
    for (int round = 0; round < 500; ++round) {
        SCOPED_TRACE(round);
        Case one = any_case(engine, false);
        auto const model = one.definitions.compile();
        if (engine() % 3 == 0)
            one.events[engine() % one.events.size()] = {start + one_hour, start + one_hour, "$adjust", {{"reset", true}}, {}, false};
        if (engine() % 3 == 0)
            one.events.push_back({one.events.back().received_at, one.events.back().received_at, "$adjust",
                                  {{"points", 7}, {"topic", "fit"}, {"reason", "fair"}}, {}, false});
        if (engine() % 4 == 0)
            one.events[engine() % one.events.size()] = {start + one_hour, start + one_hour, "$adjust", {{"freeze", true}}, {}, false};
        std::stable_sort(one.events.begin(), one.events.end(), [](const Event& a, const Event& b) { return a.received_at < b.received_at; });
        Contact contact;
        contact.step(model, one.events, std::nullopt);
        std::deque<JsonProperties> properties;
        std::vector<step::LoggedEvent> log;
        std::int32_t n = 0;
        for (const Event& event : one.events)
            log.push_back({event.type, &properties.emplace_back(event.properties), {event.at, 1, ++n}});
        auto const profile = contact.profile();
        Time const at = profile.clock + static_cast<Span>(engine() % one_day);
        Wide sum = 0;
        for (const auto& entry : report::ledger(model, profile, log, at)) {
            sum += entry.value;
            ASSERT_NE(entry.reason, "events that the log does not hold") << entry.rule << ": " << one.told() << print_micro(entry.value);
            ASSERT_NE(entry.reason, "adjustments that the log does not hold");
        }
        ASSERT_EQ(sum, report::score(model, profile, "", at));
        // What the log gives is what the contact has, reset and frozen too.
        auto const folded = step::fold(model, log, profile.clock);
        ASSERT_EQ(report::score(model, folded, "", at), report::score(model, profile, "", at));
        ASSERT_TRUE(report::differences(model, profile, folded, false).empty());
    }
}

// Waking at every moment that next_crossing() names, the score changes sides at the last of them and nowhere before.
TEST(Score, CrossesWhereItSaysAndNowhereBefore) {
    std::mt19937_64 engine(13);
    int flips = 0;
    for (int round = 0; round < 400; ++round) {
        SCOPED_TRACE(round);
        Case one = any_case(engine, false);
        if (engine() % 3 == 0)
            one.events.push_back({one.events.back().received_at, one.events.back().received_at, "$adjust",
                                  {{"points", 9}, {"expires", print_iso_time(one.events.back().received_at + 5 * one_hour)}}, {}, false});
        auto const model = one.definitions.compile();
        Contact contact;
        contact.step(model, one.events, std::nullopt);
        auto const profile = contact.profile();
        step::Facts const facts(model, profile);
        Time const clock = profile.clock, end = clock + 3 * one_day;
        Wide const now = facts.score(model::none, clock);
        for (Wide const bound : {now, now / 2, now / 3 - 777, Wide(1'234'567), Wide(-1'234'567), now + 1, now - 2 * micro_one}) {
            bool const above = now >= bound;
            auto const same_side = [&](Time t) { return (facts.score(model::none, t) >= bound) == above; };
            Time t = clock;
            int wakes = 0;
            while (t < end && same_side(t)) {
                Time const next = facts.next_crossing(model::none, bound, t);
                ASSERT_GT(next, t);
                t = next;
                ++wakes;
            }
            Time const until = std::min(t, end);
            if (t < end) {
                ++flips;
                ASSERT_TRUE(same_side(t - 1)) << "it crossed before: " << one.told() << " bound " << print_micro(bound) << " now " << print_micro(now) << " after " << t - clock << " wakes " << wakes;
            }
            for (int i = 0; i < 60 && until - clock > 1; ++i)
                ASSERT_TRUE(same_side(clock + static_cast<Span>(engine() % static_cast<std::uint64_t>(until - clock))));
            for (const Event& event : one.events) // where things change at a stroke
                for (const Told& rule : one.rules)
                    for (int k = 0; k < 4; ++k)
                        for (Span const d : {Span(-1), Span(0), Span(1)}) {
                            Time const near = event.at + rule.after + k * rule.span + d;
                            if (near > clock && near < until) {
                                ASSERT_TRUE(same_side(near));
                            }
                        }
            ASSERT_LE(wakes, 3'000); // where two sides wear off evenly, only roundings move the score
        }
    }
    EXPECT_GT(flips, 300);
}

// Bands told naively: minute by minute, where nothing changes in between.
struct NaiveBand {
    Wide from = 0, hysteresis = 0;
    Span rearm = 0;
    Time left = always;
};

TEST(Bands, ChangeWhereAWalkByTheMinuteSaysInAnyBatches) {
    std::mt19937_64 engine(14);
    int changes = 0;
    for (int round = 0; round < 80; ++round) {
        SCOPED_TRACE(round);
        Case one = any_case(engine, true);
        std::vector<NaiveBand> bands;
        Wide from = -10 * micro_one;
        for (std::uint32_t i = 0; i < 3; ++i) {
            from += static_cast<Wide>(1 + engine() % 12) * micro_one;
            NaiveBand band{from, static_cast<Wide>(engine() % 4) * micro_one, engine() % 2 == 0 ? 0 : static_cast<Span>(engine() % 300) * one_minute};
            bands.push_back(band);
            one.definitions.source.bands.push_back({i + 1, "b" + std::to_string(i + 1), "", static_cast<Micro>(band.from), static_cast<Micro>(band.hysteresis), band.rearm});
        }
        auto const model = one.definitions.compile();
        Time const end = one.events.back().received_at + one_day;

        std::vector<std::string> wanted;
        std::size_t level = 0, told = 0;
        std::vector<Event> so_far;
        auto const settle = [&](Time now) {
            Case seen = one;
            seen.events = so_far;
            Wide slack = 0;
            Wide const score = seen.score(now, true, &slack);
            std::size_t const before = level;
            auto const below = [&](std::size_t l) { return score < bands[l - 1].from - bands[l - 1].hysteresis; };
            if (level > 0 && below(level)) {
                for (; level > 0 && below(level); --level)
                    bands[level - 1].left = now;
            } else {
                for (std::size_t up = bands.size(); up > level; --up)
                    if (score >= bands[up - 1].from && (bands[up - 1].left == always || now >= bands[up - 1].left + bands[up - 1].rearm)) {
                        level = up;
                        break;
                    }
            }
            if (level != before) {
                auto const name = [](std::size_t l) { return l == 0 ? "null" : "\"b" + std::to_string(l) + '"'; };
                wanted.push_back(print_iso_time(now) + " {\"from\":" + name(before) + ",\"to\":" + name(level) + '}');
            }
        };
        for (Time now = one.events.front().received_at; now <= end; now += one_minute) {
            if (!so_far.empty())
                settle(now);
            while (told < one.events.size() && one.events[told].received_at == now) {
                so_far.push_back(one.events[told++]);
                settle(now);
            }
        }
        for (int cut = 0; cut < 3; ++cut) {
            Contact contact;
            for (std::size_t at = 0; at < one.events.size();) {
                auto const size = cut == 0 ? one.events.size() : cut == 1 ? 1 : 1 + engine() % (one.events.size() - at);
                std::vector<Event> const batch(one.events.begin() + static_cast<std::ptrdiff_t>(at), one.events.begin() + static_cast<std::ptrdiff_t>(at + size));
                at += size;
                Time const next = at < one.events.size() ? one.events[at].received_at : end;
                contact.step(model, batch, at == one.events.size() ? std::optional(end) : engine() % 2 == 0 ? std::optional(next - 1) : std::nullopt);
            }
            std::vector<std::string> found;
            for (const auto& t : contact.raw_transitions)
                if (t.kind == step::TransitionKind::band_changed)
                    found.push_back(print_iso_time(t.at) + ' ' + t.reason);
            ASSERT_EQ(found, wanted) << "cut " << cut;
        }
        changes += static_cast<int>(wanted.size());
    }
    EXPECT_GT(changes, 150);
}

TEST(Bands, StandInConditions) {
    Definitions definitions;
    definitions.rule("+10 on e expires after 1 hour topic fit");
    definitions.source.bands = {{1, "warm", "fit", 10'000'000, 0, 0}, {2, "hot", "fit", 30'000'000, 0, 0}};
    definitions.segment("warm or more", "band(fit) >= 'warm'");
    definitions.segment("hot", "band(fit) = 'hot'");
    definitions.segment("none", "band(fit) is not set");
    auto const model = definitions.compile();
    Contact contact;
    auto const event = [&](Span after) { return Event{start + after, start + after, "e", Json::object(), {}, false}; };
    contact.step(model, {event(0), event(1), event(2)}, start + 3 * one_hour);
    EXPECT_EQ(contact.transitions.size(), 4U + 2 + 2 + 1) << Json(contact.transitions).dump(1);
    EXPECT_THROW((definitions.segment("x", "band(fit) = 'hott'"), definitions.compile()), Error);
}

// Once per key: the first of each, whatever the order and the grouping, also beyond the limit.
TEST(Score, KeyedEntriesJoinInAnyOrder) {
    std::mt19937_64 engine(15);
    for (int round = 0; round < 40; ++round) {
        std::size_t const size = round % 4 == 0 ? 2'500 : 1 + engine() % 30, keys = round % 4 == 0 ? 1'200 : 1 + engine() % 10;
        std::vector<profile::KeyedEntry> events;
        for (std::size_t i = 0; i < size; ++i)
            events.push_back({{static_cast<Time>(engine() % 1'000), 1, static_cast<std::int32_t>(i)}, static_cast<Micro>(i), engine() % keys});
        auto sorted = events;
        std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.stamp < b.stamp; });
        std::vector<profile::KeyedEntry> wanted;
        std::set<std::uint64_t> seen;
        for (const auto& event : sorted)
            if (seen.insert(event.key).second && wanted.size() < profile::keyed_limit)
                wanted.push_back(event);
        for (int k = 0; k < 3; ++k) {
            std::shuffle(events.begin(), events.end(), engine);
            profile::KeyedEntries groups[3];
            for (const auto& event : events)
                groups[engine() % 3].add(event);
            groups[0].merge(groups[1]);
            groups[2].merge(groups[0]);
            ASSERT_EQ(groups[2].items, wanted);
        }
    }
}

TEST(Score, RefusesWhatMakesNoSense) {
    for (const char* const text : {"+1 while score > 5", "+1 while in segment 's'", "+by x ('a' 1) on e once per day", "+1 on e half-life 40 years"}) {
        Definitions definitions;
        definitions.segment("s", "true");
        definitions.rule(text);
        EXPECT_THROW(definitions.compile(), Error) << text;
    }
    for (const char* const text : {"+1 while x = 1 half-life 1 day", "+1 on e expires after 1 day starting after 1 day", "+1 on e floor 5 ceiling 4",
                                   "+1 on e losing 0 percent every 1 day", "+1 on e losing 101 percent every 1 day", "+by x ('a' 1, 'a' 2) on e",
                                   "+by x () on e", "+1 on e fading over 1 day half-life 1 day", "+1 for every 1 month without e",
                                   "+1 on e once per day at most 3 per day", "+99999999999999999 on e"})
        EXPECT_THROW((void)language::parse_rule(text), Error) << text;
}

} // namespace
} // namespace nurture::world
