#pragma once
// Seeded chance, and random definitions and histories made of it.
#include "world.hpp"

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace nurture::world {

class Random {
  public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    /// 0 … n - 1.
    std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(n)); }
    bool chance(int percent) { return below(100) < percent; }
    template <class T>
    const T& pick(const std::vector<T>& from) {
        return from[static_cast<std::size_t>(below(static_cast<std::int64_t>(from.size())))];
    }

  private:
    std::mt19937_64 engine_;
};

/// How often each property is tried: SIMULATION_ROUNDS (in percent, 100 by default) scales it. SIMULATION_SEED runs one.
inline std::vector<std::uint64_t> seeds(std::uint64_t rounds) {
    if (const char* one = std::getenv("SIMULATION_SEED"))
        return {std::strtoull(one, nullptr, 10)};
    if (const char* scale = std::getenv("SIMULATION_ROUNDS"))
        rounds = rounds * std::strtoull(scale, nullptr, 10) / 100;
    std::vector<std::uint64_t> out;
    for (std::uint64_t i = 1; i <= rounds; ++i)
        out.push_back(i);
    return out;
}

/// What conditions to make.
struct Taste {
    bool score = true;
    bool months = true; ///< windows of months
    int behaviour = 35; ///< percent of predicates that are of the kinds in random_behaviour.hpp
    bool flow = false; ///< all that workflows can say, not only what the naive walker knows
};

inline std::string random_where(Random& r) {
    static const std::vector<std::string> filters{
        "path like '/pricing%'", "path = '/docs/é'",     "path like '%_é'",      "path not like '%\\%%'", "amount > 10",
        "amount between 5 and 50", "amount in (5, 12.5)", "flag",                "not flag",              "path is set",
        "amount is not set",       "deep.n >= 2",         "path < '/m' or n = 1", "n = 1 and amount != 5", "n in (1, '2', true)"};
    return r.chance(50) ? "" : " where " + r.pick(filters);
}

inline const std::vector<std::string>& event_types() {
    static const std::vector<std::string> types{"view", "login", "purchase", "click"};
    return types;
}

inline std::string random_event(Random& r) { return r.pick(event_types()) + random_where(r); }

inline std::string random_window(Random& r, const Taste& taste) {
    static const std::vector<std::string> windows{"1 hour", "90 minutes", "1 day", "7 days", "3 days 1 hour", "1 month",
                                                  "1 month 2 days"};
    return " within " + windows[static_cast<std::size_t>(r.below(taste.months ? 7 : 5))];
}

} // namespace nurture::world

#include "random_behaviour.hpp"

namespace nurture::world {

inline std::string random_predicate(Random& r, const Taste& taste) {
    if (r.chance(taste.behaviour))
        return random_behaviour(r, taste);
    static const std::vector<std::string> comparators{"=", "!=", "<", "<=", ">", ">="};
    auto compared = [&](const std::vector<std::string>& with) {
        switch (r.below(6)) {
        case 0:
            return (r.chance(30) ? " not between " : " between ") + r.pick(with) + " and " + r.pick(with);
        case 1:
            return (r.chance(30) ? " not in (" : " in (") + r.pick(with) + ", " + r.pick(with) + ")";
        default:
            return ' ' + r.pick(comparators) + ' ' + r.pick(with);
        }
    };
    auto maybe_window = [&] { return r.chance(70) ? random_window(r, taste) : std::string(); };
    switch (r.below(taste.score ? 12 : 10)) {
    case 0:
    case 1:
        return "did " + random_event(r) + maybe_window();
    case 2:
    case 3:
        return "count(" + random_event(r) + maybe_window() + ")" + compared({"0", "1", "2", "3", "1.5", "5", "-1"});
    case 4:
        return "sum(amount of " + random_event(r) + maybe_window() + ")" + compared({"0", "10", "25.5", "60", "100"});
    case 5:
        return std::string(r.chance(50) ? "first(" : "last(") + random_event(r) + maybe_window() + ")" +
               (r.chance(20) ? " is set" : compared({"2026-02-01", "2026-02-10", "2026-02-03T04:05Z"}));
    case 6:
        if (r.chance(50))
            return "last(" + r.pick<std::string>({"path", "amount", "flag"}) + " of " + random_event(r) + maybe_window() + ")" +
                   (r.chance(30) ? " is set" : compared({"'/docs/é'", "10", "12.5", "true", "'true'"}));
        return "first(path of " + random_event(r) + ")" + (r.chance(50) ? " like '/p%'" : compared({"'/docs/é'", "'/pricing/a'"}));
    case 7:
    case 8:
        switch (r.below(6)) {
        case 0:
            return r.pick<std::string>({"plan", "age", "member", "address.city", "born"}) +
                   r.pick<std::string>({" is set", " is not set"});
        case 1:
            return "member";
        case 2:
            return "plan" + compared({"'gold'", "'silver'", "5", "true"});
        case 3:
            return "age" + compared({"18", "30", "30.5", "'30'"});
        case 4:
            return "born" + compared({"2000-02-29", "2010-01-01", "'2010'"});
        default:
            return r.pick<std::string>({"address.city", "plan"}) + (r.chance(30) ? " not like " : " like ") +
                   r.pick<std::string>({"'g%'", "'R_me'", "'%\\_%'", "'%'", "'Z_rich'", "'%l%e%'"});
        }
    case 9:
        return r.pick<std::string>({"true", "false", "did login within 1 day", "not did login within 7 days"});
    default:
        return std::string(r.chance(50) ? "score" : "score(a)") +
               compared({"0", "3", "10", "20", "-5", "0.000001", "7.5"});
    }
}

inline std::string random_condition(Random& r, const Taste& taste, int depth = 2) {
    if (depth == 0 || r.chance(35))
        return random_predicate(r, taste);
    if (r.chance(25))
        return "not (" + random_condition(r, taste, depth - 1) + ")";
    return '(' + random_condition(r, taste, depth - 1) + (r.chance(50) ? ") and (" : ") or (") +
           random_condition(r, taste, depth - 1) + ')';
}

inline std::string random_rule(Random& r) {
    std::string out = r.pick<std::string>({"+5", "-3", "+0.1", "+10", "-7.5", "+1"});
    if (r.chance(25))
        out += " per amount";
    out += " on " + random_event(r);
    if (r.chance(50))
        out += " topic a";
    if (r.chance(75))
        out += " half-life " + r.pick<std::string>({"1 day", "14 days", "90 minutes", "90 days"});
    if (r.chance(30))
        out += " at most " + std::to_string(1 + r.below(3)) + r.pick<std::string>({" per hour", " per day", " per week", " per month", " in total"});
    return out;
}

inline std::string random_duration(Random& r) {
    return r.pick<std::string>({"1 hour", "10 minutes", "1 day", "3 days", "1 week", "1 second", "1 day 1 hour"});
}

inline std::string random_steps(Random& r, const Taste& taste, bool sets, int depth, int& name);

/// A step of those that came later: calendars, several events, choices, loops, what is written.
inline std::string random_flow_step(Random& r, const Taste& taste, bool sets, int depth, int& name) {
    auto const inner = [&] { return random_steps(r, taste, sets, depth - 1, name); };
    auto const same = [&] { return r.chance(30) ? r.pick<std::string>({" with same path", " with same n"}) : std::string(); };
    switch (r.below(depth > 0 ? 22 : 14)) {
    case 11:
        return " wait for " + random_event(r) + " up to " + random_duration(r) + " renewed by " + r.pick(event_types()) +
               (r.chance(30) ? ", (" + random_event(r) + same() + ')' : "");
    case 12:
        return r.pick<std::string>({" set score to 5", " reset score for 'x'", " withdraw consent(email, news)", " withdraw consent(sms)"});
    case 13:
        return " send first of email, sms, push 'f" + std::to_string(++name) + "' for news" + (r.chance(50) ? " preferring plan" : "");
    case 14:
    case 15:
        return std::string(" parallel") + (r.chance(40) ? " until any ends" : "") + inner() + " and" + inner() +
               (r.chance(30) ? " and" + inner() : "") + " end";
    case 16:
        return std::string(" split again") + (r.chance(50) ? " 'x'" : "") + " 50 a" + inner() + " 50 b" + (r.chance(50) ? inner() : "") + " end";
    case 0:
        return " wait until " + r.pick<std::string>({"02:30", "09:00", "monday", "saturday or sunday at 23:59", "business day at 08:00",
                                                     "between 09:00 and 17:00", "business day between 22:00 and 06:00",
                                                     "between 02:00 and 03:00", "2026-02-14", "2026-03-29T02:30"});
    case 1:
        return " wait until " + r.pick<std::string>({"joined", "1 day after joined", "3 days before joined at 09:00", "born", "context.deep.n"});
    case 2:
        return " increment " + r.pick<std::string>({"age", "visits"}) + r.pick<std::string>({"", " by 2.5", " by -1"});
    case 3:
        return r.pick<std::string>({" add tag 'a'", " append 'b' to tags", " remove 'a' from tags", " append plan to tags", " clear plan"});
    case 4:
        return r.pick<std::string>({" add to list 'l'", " remove from list 'l'"});
    case 5:
        return r.pick<std::string>({" adjust score by 5", " adjust score(a) by -2.5 for 'x'"});
    case 6:
        return " emit " + r.pick<std::string>({"followed", "click"}) + r.pick<std::string>({"", " with (n = 2, path = context.path)"});
    case 7:
        return r.pick<std::string>({" start workflow 'w0'", " start workflow 'w1' with (path = context.path, n = 1)"});
    case 8:
        return r.pick<std::string>({" stop workflow 'w0'", " stop workflow 'w1'"});
    case 9:
        return " wait for workflow '" + r.pick<std::string>({"w0", "w1"}) + "' to end up to " + random_duration(r);
    case 10:
        return " send email 'f" + std::to_string(++name) + "' with (p = context.path)" +
               r.pick<std::string>({" on failure abort", " on failure retry 1 times", " on failure retry 2 times then abort"});
    case 17:
        return " wait for " + random_event(r) + same() + ", " + random_event(r) + " up to " + random_duration(r) + (r.chance(40) ? " ranked" : "") + " then" + inner() + " or (" +
               random_condition(r, taste, 1) + ") then" + inner() + (r.chance(50) ? " else" + inner() : "") + " end";
    case 18:
        return " switch plan when 'gold', 5 then" + inner() + " when 'silver' then" + inner() + (r.chance(50) ? " else" + inner() : "") + " end";
    case 19:
        return " experiment 'e" + std::to_string(r.below(3)) + "' 50 a" + inner() + " 30 b" + inner() + " 20 none end";
    case 20:
        return " repeat at most " + std::to_string(1 + r.below(3)) + (r.chance(40) ? " until " + random_condition(r, taste, 1) : "") + inner() + " end";
    case 21:
        return r.chance(50) ? " if context.n = 2 or context.path like '/p%' then" + inner() + " end" : " repeat wait " + random_duration(r) + inner() + " end";
    default:
        return " wait 1 hour";
    }
}

inline std::string random_trigger(Random& r, const Taste& taste, int segments) {
    switch (r.below(9)) {
    case 0:
        return "when " + std::string(r.chance(30) ? "no longer " : "") + '(' + random_condition(r, taste, 1) + ')';
    case 1:
        return "on " + r.pick<std::string>({"changing attribute plan", "setting attribute age", "changing attribute plan to 'gold'",
                                            "setting attribute address.city to 'Rome'"});
    case 2:
        return "on " + r.pick<std::string>({"the date joined", "1 day before joined at 09:00", "2 hours after joined", "anniversary(born) at 02:30",
                                            "3 days before anniversary(born)"});
    case 3:
        return "on schedule " + r.pick<std::string>({"'30 2 * * *'", "'0 9 * * mon'", "'0 */6 * * *'", "once 2026-02-10T09:00"}) +
               r.pick<std::string>({"", " in contact time zone", " in time zone 'Asia/Kathmandu'"}) +
               (segments > 0 && r.chance(50) ? " for segment 's" + std::to_string(r.below(segments)) + '\'' : "");
    case 4:
        return r.pick<std::string>({"on finishing workflow 'w0'", "on reaching step '1' of workflow 'w0'", "on joining list 'l'", "on leaving list 'l'"});
    case 5:
        return "on no " + r.pick<std::string>({"view", "click"}) + " for 1 day";
    default:
        return "on " + random_event(r);
    }
}

inline std::string random_flow_header(Random& r, const Taste& taste) {
    std::string out = r.pick<std::string>({" re-enter always", " re-enter always at most 2 at once", " re-enter per n", " re-enter once per path",
                                           " re-enter after 1 day at most 3 times", ""});
    if (r.chance(15))
        out += " holdout 50 percent 'h'";
    if (r.chance(25))
        out += " exit on " + random_event(r) + (r.chance(50) ? " with same n" : "");
    if (r.chance(25))
        out += " goal " + std::string(r.chance(40) ? "within 3 days " : "") +
               (r.chance(50) ? "on " + random_event(r) : "when (" + random_condition(r, taste, 1) + ')') + (r.chance(40) ? " go to here" : "");
    return out;
}

inline std::string random_steps(Random& r, const Taste& taste, bool sets, int depth, int& name) {
    std::string out;
    for (std::int64_t left = 1 + r.below(3); left > 0; --left) {
        if (taste.flow && r.chance(60)) {
            out += random_flow_step(r, taste, sets, depth, name);
            continue;
        }
        switch (r.below(depth > 0 ? 8 : 5)) {
        case 0:
        case 1:
            out += " wait " + random_duration(r);
            break;
        case 2:
        case 3:
            out += " send email 's" + std::to_string(++name) + '\'';
            break;
        case 4:
            if (sets)
                out += r.pick<std::string>({" set plan = 'gold'", " set plan = 'silver'", " set age = 30", " set member = true",
                                            " set timezone = 'America/New_York'", " set age = missing"});
            else
                out += " do 'd" + std::to_string(++name) + '\'';
            break;
        case 5:
            out += " if " + random_condition(r, taste, 1) + " then" + random_steps(r, taste, sets, depth - 1, name);
            if (r.chance(40))
                out += " elsif " + random_condition(r, taste, 1) + " then" + random_steps(r, taste, sets, depth - 1, name);
            if (r.chance(50))
                out += " else" + random_steps(r, taste, sets, depth - 1, name) + (r.chance(20) ? " exit" : "");
            out += " end";
            break;
        default:
            auto const awaited = [&] { return r.chance(50) ? random_event(r) : '(' + random_condition(r, taste, 1) + ')'; };
            bool const several = r.chance(40);
            out += " wait for " + awaited() + " up to " + random_duration(r) + (several && r.chance(60) ? " ranked" : "") + " then" +
                   random_steps(r, taste, sets, depth - 1, name);
            if (several)
                out += " or " + awaited() + " then" + random_steps(r, taste, sets, depth - 1, name);
            if (r.chance(60))
                out += " else" + random_steps(r, taste, sets, depth - 1, name);
            out += " end";
        }
    }
    return out;
}

inline std::string random_header(Random& r, const Taste& taste) {
    std::string out = r.pick<std::string>({"", " re-enter always", " re-enter after 1 day", " re-enter after 3 days"});
    if (r.chance(40))
        out += " exit on " + random_event(r);
    if (r.chance(30))
        out += " exit when " + random_condition(r, taste, 1);
    return out;
}

struct Wanted {
    int segments = 4, rules = 3, workflows = 2;
    bool sets = true;
    std::string timezone = "UTC";
    Taste taste;
};

inline Definitions random_definitions(Random& r, const Wanted& wanted) {
    Definitions out;
    out.source.timezone = wanted.timezone;
    out.source.lists = {"l"};
    bool topic = false;
    for (int i = 0; i < wanted.rules; ++i) {
        out.rule(random_rule(r));
        topic = topic || out.source.rules.back().definition.find(" topic a") != std::string::npos;
    }
    if (!topic)
        out.rule("+5 on view topic a half-life 1 day");
    for (int i = 0; i < wanted.segments; ++i) {
        std::string condition = random_condition(r, wanted.taste);
        if (i > 0 && r.chance(30))
            condition = "(" + condition + ")" + (r.chance(50) ? " and " : " or ") + (r.chance(50) ? "not " : "") +
                        "in segment 's" + std::to_string(r.below(i)) + '\'';
        out.segment("s" + std::to_string(i), condition);
    }
    for (int i = 0; i < wanted.workflows; ++i) {
        std::string text = r.chance(50) || wanted.segments == 0
                               ? "on " + random_event(r)
                               : std::string("on ") + (r.chance(70) ? "entering" : "leaving") + " segment 's" +
                                     std::to_string(r.below(wanted.segments)) + '\'';
        int name = 0;
        if (wanted.taste.flow) {
            text = random_trigger(r, wanted.taste, wanted.segments) + '\n' + random_trigger(r, wanted.taste, wanted.segments) +
                   random_flow_header(r, wanted.taste) + random_steps(r, wanted.taste, wanted.sets, 2, name) + " label here" +
                   random_steps(r, wanted.taste, wanted.sets, 1, name);
        } else {
            text += random_header(r, wanted.taste);
            text += random_steps(r, wanted.taste, wanted.sets, 2, name);
        }
        out.workflow("w" + std::to_string(i), text);
    }
    return out;
}

inline Json random_properties(Random& r) {
    Json out = Json::object();
    if (r.chance(70))
        out["path"] = r.pick<Json>({"/pricing/a", "/docs/é", "/blog", "50%", "xé", Json(nullptr), 7});
    if (r.chance(70))
        out["amount"] = r.pick<Json>({5, 12.5, 50, "12.5", "abc", Json(nullptr), 0.1, -5, 1e3, true});
    if (r.chance(50))
        out["n"] = r.pick<Json>({1, 2, "2", "1", true});
    if (r.chance(40))
        out["flag"] = r.pick<Json>({true, false, "true", "yes"});
    if (r.chance(20))
        out["seconds"] = r.pick<Json>({31, "90.5", -1, "long", 0});
    if (r.chance(30))
        out["deep"] = r.pick<Json>({Json{{"n", 1}}, Json{{"n", 3}}, Json::array({1}), "x"});
    return out;
}

inline Json random_attributes(Random& r) {
    Json out = Json::object();
    if (r.chance(50))
        out["plan"] = r.pick<Json>({"gold", "silver", 5, Json(nullptr), "g\"old", true});
    if (r.chance(40))
        out["age"] = r.pick<Json>({18, "30", 30.5, "old", Json(nullptr)});
    if (r.chance(40))
        out["member"] = r.pick<Json>({true, false, "true", Json(nullptr)});
    if (r.chance(40))
        out["born"] = r.pick<Json>({"2000-02-29", "2015-06-01", "2015-13-01", 2015});
    if (r.chance(40))
        out["joined"] = r.pick<Json>({"2026-02-01", "2026-02-04", "2026-01-29", "soon", 7, Json(nullptr)});
    if (r.chance(40))
        out["address"] = r.pick<Json>({Json{{"city", "Rome"}}, Json{{"city", "Zürich"}}, Json{{"street", "a_b"}}, "Rome"});
    if (r.chance(25))
        out["timezone"] = r.pick<Json>({"Europe/Rome", "America/New_York", "Asia/Kathmandu", "Nowhere", Json(nullptr)});
    return out;
}

/// 2026-01-27: windows of a month end in a shorter one, and clocks change in March.
inline constexpr Time world_begins = 9'523 * one_day;

/// Events in order of arrival: bursts and silences, late ones within a day and beyond, `at` ahead of `received_at`,
/// ends of windows hit to the microsecond, messages sent twice. `waits`: after so long something happens again, to the microsecond.
inline std::vector<Event> random_history(Random& r, std::int64_t most = 30, const std::vector<Span>& waits = {}) {
    static const std::vector<Span> gaps{0, 1, one_second, one_minute, 20 * one_minute, one_hour, 5 * one_hour, one_day, 4 * one_day};
    static const std::vector<Span> windows{one_hour, 90 * one_minute, one_day, 7 * one_day, 3 * one_day + one_hour};
    std::vector<Event> out;
    Time now = world_begins + r.below(5 * one_day);
    for (std::int64_t left = 1 + r.below(most); left > 0; --left) {
        Span const gap = r.pick(gaps);
        now += gap <= one_second ? gap : 1 + r.below(gap);
        if (!out.empty() && r.chance(20)) { // at the very end of a window, or one microsecond beside it
            Time const end = r.pick(out).at + r.pick(windows) + r.below(3) - 1;
            now = std::max(now, end);
        }
        if (!out.empty() && !waits.empty() && r.chance(50)) {
            std::vector<Time> ends;
            for (std::size_t i = out.size() > 6 ? out.size() - 6 : 0; i < out.size(); ++i)
                for (Span const wait : waits)
                    if (out[i].received_at + wait >= out.back().received_at)
                        ends.push_back(out[i].received_at + wait);
            now = ends.empty() ? now : r.pick(ends);
        }
        Event event;
        event.received_at = event.at = now;
        if (r.chance(20))
            event.at -= r.below(one_day + 2);
        else if (r.chance(10))
            event.at -= one_day + r.below(20 * one_day);
        else if (r.chance(5))
            event.at += r.below(10 * one_minute);
        if (r.chance(20)) {
            event.type = "$identify";
            event.properties = random_attributes(r);
        } else {
            event.type = r.pick(event_types());
            event.properties = random_properties(r);
        }
        if (r.chance(30))
            event.message_id = "m" + std::to_string(out.size());
        if (!out.empty() && r.chance(8)) {
            Event again = r.pick(out);
            again.received_at = std::max(again.received_at, now);
            event = again;
        }
        out.push_back(event);
    }
    return out;
}

/// What a failing round needs to be told.
inline std::string describe(const Definitions& definitions, const std::vector<Event>& events) {
    std::string out;
    for (const auto& row : definitions.source.rules)
        out += "rule " + row.definition + '\n';
    for (const auto& row : definitions.source.segments)
        out += "segment " + row.name + ": " + row.condition + '\n';
    for (const auto& row : definitions.source.workflows)
        out += "workflow " + row.name + ": " + row.definition + '\n';
    for (const auto& event : events)
        out += print_iso_time(event.received_at) + " (at " + print_iso_time(event.at) + ") " + event.type + ' ' +
               event.properties.dump() + ' ' + event.message_id + '\n';
    return out;
}

} // namespace nurture::world
