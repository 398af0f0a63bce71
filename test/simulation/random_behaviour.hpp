#pragma once
// Random conditions over behaviour, of every kind the language has. Included by random.hpp.

namespace nurture::world {

inline std::string some_event(Random& r) { return r.chance(12) ? "any event" + random_where(r) : random_event(r); }

/// A part of time; a filter in front of it is in brackets. `where` tells how the event was written.
inline std::string any_window(Random& r, const Taste& taste) {
    auto bound = [&]() -> std::string {
        return r.pick<std::string>({"2026-02-01", "2026-02-04", "2026-02-10", "2026-01-31T12:00Z", "joined", "joined", "born"});
    };
    switch (r.below(9)) {
    case 0:
        return "";
    case 1:
        return " since " + bound();
    case 2:
        return " before " + bound();
    case 3:
        return r.pick<std::string>({" between 2026-02-01 and 2026-02-03", " between joined and 2026-02-10", " between 2026-01-30 and joined"});
    case 4:
        return " before " + r.pick<std::string>({"1 hour ago", "1 day ago", "7 days ago"});
    case 5:
        return " between " + r.pick<std::string>({"3 days 1 hour ago and 1 day ago", "7 days ago and 90 minutes ago", "joined and 1 day ago", "1 day ago and 2026-02-05"});
    default:
        return random_window(r, taste);
    }
}

inline std::string windowed(Random& r, const Taste& taste) {
    std::string event = some_event(r);
    std::string const window = any_window(r, taste);
    if (auto const where = event.find(" where "); where != std::string::npos && !window.empty())
        event = event.substr(0, where + 7) + '(' + event.substr(where + 7) + ')';
    return event + window;
}

inline std::string random_gap(Random& r) { return r.chance(30) ? ", gap 20 minutes" : ""; }

inline std::string random_sequence(Random& r, const Taste& taste) {
    auto gap = [&] { return r.pick<std::string>({"20 minutes", "1 hour", "90 minutes", "1 day", "3 days 1 hour"}); };
    std::string out = some_event(r);
    bool silent = false;
    for (std::int64_t left = 1 + r.below(3); left > 0; --left) {
        bool const absent = r.chance(30);
        silent = silent || absent;
        out += " then " + std::string(absent ? "not " : "") + some_event(r);
        if (absent || r.chance(50))
            out += " within " + gap();
        if (r.chance(25))
            out += " without " + some_event(r);
    }
    if (r.chance(30))
        out += r.pick<std::string>({" with same n", " with same path", " with same deep.n"});
    if (r.chance(20))
        out += " within one session" + random_gap(r);
    if (r.chance(25))
        out += " within " + (silent ? r.pick<std::string>({"9 days 3 hours", "12 days"}) : r.pick<std::string>({"1 day", "4 days", "1 month"})) + " overall";
    return "did (" + out + ')' + any_window(r, taste);
}

inline std::string random_behaviour(Random& r, const Taste& taste) {
    auto compared = [&](const std::vector<std::string>& with) {
        return ' ' + r.pick<std::string>({"=", "!=", "<", "<=", ">", ">="}) + ' ' + r.pick(with);
    };
    static const std::vector<std::string> counts{"0", "1", "2", "3", "4"};
    switch (r.below(14)) {
    case 0:
    case 1:
    case 2:
        return random_sequence(r, taste);
    case 3:
        return "did " + windowed(r, taste);
    case 4:
        return "count(" + windowed(r, taste) + ')' + compared(counts);
    case 5:
        return r.pick<std::string>({"avg", "min", "max", "sum", "distinct"}) + "(amount of " + windowed(r, taste) + ')' +
               compared({"0", "1", "2", "5", "10", "12.5", "22.5", "50"});
    case 6:
        return "days(" + windowed(r, taste) + ')' + compared(counts);
    case 7:
        return "days since " + std::string(r.chance(50) ? "first" : "last") + '(' + windowed(r, taste) + ')' + compared(counts);
    case 8:
        return "did " + some_event(r) + r.pick<std::string>({" in at least 1 of the last 2 days", " in at least 2 of the last 4 days",
                                                             " in at least 1 of the last 1 week", " in at least 2 of the last 3 weeks",
                                                             " in at least 1 of the last 1 months", " in at least 3 of the last 7 days"});
    case 9: {
        std::string const what = r.pick<std::string>({"count(", "sum(amount of ", "avg(amount of ", "max(amount of ", "days(", "sessions(", "distinct(path of "});
        return what + some_event(r) + random_window(r, taste) + ')' +
               r.pick<std::string>({" increased", " decreased", " increased by 50 percent", " decreased by 20 percent", " increased by 100 percent"});
    }
    case 10:
        if (r.chance(40))
            return "sessions(" + windowed(r, taste) + random_gap(r) + ')' + compared(counts);
        return std::string(r.chance(50) ? "longest" : "last") + " session(" + windowed(r, taste) + random_gap(r) + ')' +
               compared({"0", "60", "10 minutes", "20 minutes", "1 hour"});
    case 11:
        return r.pick<std::string>({"dwell(", "longest dwell(", "last dwell("}) + windowed(r, taste) + random_gap(r) + ')' +
               (r.chance(20) ? " is set" : compared({"0", "31", "10 minutes", "20 minutes", "30 minutes", "90.5", "1 hour"}));
    case 12:
        return r.chance(40) ? "in session" : "in session(" + some_event(r) + random_gap(r) + ')';
    default:
        if (r.chance(30))
            return r.pick<std::string>({"entry(path of ", "exit(path of "}) + some_event(r) + random_gap(r) + ')' + compared({"'/docs/é'", "'/blog'"});
        return r.pick<std::string>({"first(path of ", "last(path of ", "last(amount of "}) + windowed(r, taste) + ')' +
               (r.chance(30) ? " is set" : compared({"'/docs/é'", "'/blog'", "'50%'"}));
    }
}

// The windows' ends, and sums of two: a silence that is over may be the beginning of another.
inline const std::vector<Duration>& behaviour_windows() {
    static const std::vector<Duration> windows = [] {
        std::vector<Duration> single{{0, 0, 20 * one_minute}, {0, 0, one_hour}, {0, 0, 90 * one_minute}, {0, 1, 0}, {0, 2, 0},
                                     {0, 3, one_hour},        {0, 3, 0},        {0, 4, 0},               {0, 7, 0}, {1, 0, 0},
                                     {0, 0, 30 * one_minute + 1}, {0, 0, 20 * one_minute + 1}}; // a session is over
        std::vector<Duration> out = single;
        for (const Duration& a : single)
            for (const Duration& b : single)
                out.push_back({a.months + b.months, a.days + b.days, a.micros + b.micros});
        return out;
    }();
    return windows;
}

} // namespace nurture::world
