#pragma once
// Random conditions over attributes, dates and membership, and histories to ask them of: around the nights on which clocks
// change, leap days and the turn of the year.
#include "random.hpp"

namespace nurture::world {

inline const std::vector<std::string>& test_zones() {
    static const std::vector<std::string> zones{"UTC", "Europe/Berlin", "America/St_Johns", "America/Sao_Paulo", "Asia/Kathmandu"};
    return zones;
}

/// Moments (UTC days since 2000) worth living through.
inline const std::vector<std::int64_t>& test_days() {
    static const std::vector<std::int64_t> days{9'584,  // 2026-03-29, Berlin forward
                                                9'794,  // 2026-10-25, Berlin back
                                                2'864,  // 2007-11-04, St. John's back from 00:01 to 23:01
                                                6'882,  // 2018-11-04, São Paulo skips midnight
                                                6'623,  // 2018-02-18, São Paulo back across midnight
                                                8'825,  // 2024-02-29
                                                9'492}; // 2025-12-27
    return days;
}

inline std::string date_text(std::int64_t day, std::int64_t minutes = -1) {
    std::string out = print_iso_time(day * one_day + std::max<std::int64_t>(minutes, 0) * one_minute);
    return minutes < 0 ? out.substr(0, 10) : out.substr(0, 16);
}

/// The spans conditions are made of; a test's oracle looks at the moments they lead to.
inline const std::vector<Duration>& test_spans() {
    static const std::vector<Duration> spans{{0, 1, 0}, {0, 3, 0}, {0, 7, 0}, {0, 0, 36 * one_hour}, {1, 0, 0}, {0, 2, one_hour}};
    return spans;
}

inline std::string random_zone(Random& r) {
    switch (r.below(4)) {
    case 0:
        return " in contact time zone";
    case 1:
        return " in time zone '" + r.pick(test_zones()) + "'";
    default:
        return "";
    }
}

inline std::string random_date_test(Random& r, std::int64_t around) {
    static const std::vector<std::string> dates{"ends", "born", "signed.at", "last(view)", "first(login)"};
    std::string const left = r.pick(dates);
    std::string const day = date_text(around + r.below(20) - 10);
    std::string const span = language::print(r.pick(test_spans()));
    std::string const whole = r.pick<std::string>({"1 day", "3 days", "7 days", "1 month", "1 month 2 days"});
    std::string const unit = r.pick<std::string>({"week", "month", "quarter", "year"});
    std::string const which = r.pick<std::string>({" this ", " last ", " next "});
    std::string const no = r.chance(20) ? " not" : "";
    switch (r.below(14)) {
    case 0:
        return left + r.pick<std::string>({" on ", " before ", " after "}) + day + random_zone(r);
    case 1:
        return left + r.pick<std::string>({" before ", " after "}) + date_text(around + r.below(9) - 4, r.below(1440)) + random_zone(r);
    case 2:
        return left + " is" + no + r.pick<std::string>({" today", " yesterday", " tomorrow"}) + random_zone(r);
    case 3:
        return left + no + " in" + which + unit + random_zone(r);
    case 4:
        return left + no + r.pick<std::string>({" within last ", " within next "}) + span + random_zone(r);
    case 5:
        return left + r.pick<std::string>({" more", " less"}) + " than " + span + r.pick<std::string>({" ago", " ahead"}) + random_zone(r);
    case 6:
        return left + " exactly " + whole + r.pick<std::string>({" ago", " ahead"}) + random_zone(r);
    case 7:
        return left + " is" + no + " in the " + r.pick<std::string>({"past", "future"});
    case 8:
        return "anniversary(born)" +
               r.pick<std::string>({" is today", " within next 3 days", " within last 7 days", " exactly 3 days ahead", " in this month",
                                    " is not tomorrow", " exactly 1 month ago", " in next week"}) +
               random_zone(r);
    case 9:
        return r.pick<std::string>({"now", "ends"}) + " is" + no + r.pick<std::string>({" business day", " weekend", " holiday", " business day of 'XX'"}) +
               random_zone(r);
    case 10:
        return "now" + r.pick<std::string>({" on ", " before ", " after "}) + day + random_zone(r);
    case 11: {
        std::string const of = r.pick<std::string>({"now", "now", "ends", "born"}) + random_zone(r) + ")";
        switch (r.below(6)) {
        case 0:
            return "hour(" + of + r.pick<std::string>({" between 9 and 17", " = 0", " in (1, 2, 3)", " >= 23"});
        case 1:
            return "weekday(" + of + r.pick<std::string>({" = 'sunday'", " in ('monday', 'friday')", " != 'tuesday'"});
        case 2:
            return "day(" + of + r.pick<std::string>({" = 29", " < 5", " = 31"});
        case 3:
            return "month(" + of + r.pick<std::string>({" = 3", " in (2, 11)", " > 10"});
        case 4:
            return r.pick<std::string>({"quarter(", "year("}) + of + " >= 4";
        default:
            return "week(" + of + r.pick<std::string>({" = 1", " between 9 and 13", " >= 52"});
        }
    }
    case 12:
        if (r.chance(30))
            return r.pick<std::string>({"hour(now", "day(now"}) + random_zone(r) + ")" + r.pick<std::string>({" >= ", " = "}) + "value of age";
        if (r.chance(20))
            return "weekday(now" + random_zone(r) + ")" + r.pick<std::string>({" contains 's'", " like 's%'", " is distinct from 'friday'", " ~ '^t'"});
        return "now " + r.pick<std::string>({"<", "<=", ">", ">=", "=", "!="}) + " value of ends";
    default:
        return "now " + r.pick<std::string>({"<", ">=", "="}) + ' ' + day;
    }
}

inline std::string random_attribute_test(Random& r) {
    std::string const text = r.pick<std::string>({"plan", "city", "email", "deep.plan"});
    std::string const value = r.pick<std::string>({"'gold'", "'silver'", "'Zürich'", "'zurich'", "'GOLD'", "''", "'5'"});
    std::string const compared = r.pick<std::string>({" = ", " != ", " < ", " >= "});
    std::string const days = r.pick<std::string>({"1 day", "3 days", "7 days", "36 hours"});
    std::string const ignoring = r.pick<std::string>({"", " ignoring case", " ignoring accents", " ignoring case ignoring accents"});
    switch (r.below(13)) {
    case 0:
        return text + r.pick<std::string>({" contains ", " does not contain ", " starts with ", " ends with ", " does not start with ",
                                           " does not end with "}) +
               r.pick<std::string>({"'o'", "'Z'", "'ü'", "'rich'", "'gold'", "''"}) + ignoring;
    case 1:
        return text + r.pick<std::string>({" ~ ", " !~ "}) + r.pick<std::string>({"'^g'", "'[0-9]'", "'l(d|v)'", "'ch$'"});
    case 2:
        return text + compared + value + ignoring;
    case 3:
        return text + " in (" + value + ", 'zürich')" + ignoring;
    case 4:
        return r.pick<std::string>({"plan", "age"}) + compared + "value of " + r.pick<std::string>({"deep.plan", "city", "age", "ends", "missing"}) + ignoring;
    case 5:
        return text + r.pick<std::string>({" is distinct from ", " is not distinct from "}) + r.pick<std::string>({"'gold'", "value of city", "5", "value of missing"});
    case 6:
        return r.pick<std::string>({"tags", "plan", "deep"}) + r.pick<std::string>({" is empty", " is not empty"});
    case 7:
        return "tags" + r.pick<std::string>({" has any of ('a', 'x')", " has all of ('a', 2)", " has none of ('b', 'É')", " contains 'a'",
                                             " does not contain 'é'", " has any of ('é') ignoring case", " has all of ('e', 'A') ignoring case ignoring accents"});
    case 8:
        return "items(" + r.pick<std::string>({"tags", "plan", "deep"}) + ")" + r.pick<std::string>({" >= 2", " = 1", " between 1 and 2", " is set"});
    case 9:
        return "domain(email)" + r.pick<std::string>({" = 'example.com'", " like '%.org'", " is set", " in ('a.org', 'b.org')"});
    case 10:
        return r.pick<std::string>({"plan", "age", "deep.plan"}) + " changed" +
               r.pick<std::string>({"", " from 'gold'", " to 'gold'", " from 'silver' to 'gold'", " to 5", " from 5 to 'gold'"}) + " within " + days;
    default:
        return r.pick<std::string>({"plan", "age", "deep.plan", "vip"}) + " has been " + r.pick<std::string>({"'gold'", "'silver'", "5", "true"}) +
               r.pick<std::string>({" for at least ", " for less than "}) + days;
    }
}

inline std::string random_consent_test(Random& r, std::int64_t around) {
    std::string const of = r.pick<std::string>({"consent(email)", "consent(email, news)", "consent(sms, news)", "consent(email, offers)"});
    switch (r.below(7)) {
    case 0:
        return of + " = " + r.pick<std::string>({"'granted'", "'withdrawn'", "'expired'", "'pending'", "'never asked'"});
    case 1:
        return of + r.pick<std::string>({" in ('withdrawn', 'denied')", " not in ('granted', 'pending')", " like '%d'"});
    case 2:
        return of + " expires" + r.pick<std::string>({" within next ", " within last "}) + language::print(r.pick(test_spans())) + random_zone(r);
    case 3:
        return of + " expires" + r.pick<std::string>({" before ", " after "}) + date_text(around + r.below(9) - 4, r.below(1440));
    case 4:
        return of + " expires is" + r.pick<std::string>({" set", " not set", " in the future", " in the past", " today"});
    default:
        return of;
    }
}

inline std::string random_past_test(Random& r, std::int64_t around) {
    std::string const segment = r.pick<std::string>({"'s0'", "'s1'"});
    std::string const days = r.pick<std::string>({"1 day", "3 days", "7 days", "36 hours"});
    std::int64_t const day = around + r.below(16) - 6;
    switch (r.below(4)) {
    case 0:
        return r.pick<std::string>({"entered", "left"}) + " segment " + segment + " within " + days;
    case 1:
        return "in segment " + segment + " for " + r.pick<std::string>({"at least ", "less than "}) + days;
    case 2:
        return "was in segment " + segment + " on " + date_text(day);
    default:
        return "was in segment " + segment + " at " + date_text(day, r.below(1440));
    }
}

inline std::string random_conditions(Random& r, std::int64_t around, bool past, int depth) {
    if (depth > 0 && r.chance(60)) {
        std::string const a = random_conditions(r, around, past, depth - 1);
        std::string const b = random_conditions(r, around, past, depth - 1);
        std::string const c = random_conditions(r, around, past, depth - 1);
        switch (r.below(4)) {
        case 0:
            return "(" + a + ") and (" + b + ")";
        case 1:
            return "(" + a + ") or (" + b + ")";
        case 2:
            return "not (" + a + ")";
        default:
            return "at least " + std::to_string(1 + r.below(3)) + " of (" + a + ", " + b + ", " + c + ")";
        }
    }
    switch (r.below(past ? 10 : 7)) {
    case 6:
        return random_consent_test(r, around);
    case 0:
    case 1:
    case 2:
        return random_date_test(r, around);
    case 3:
    case 4:
        return random_attribute_test(r);
    case 5:
        return r.pick<std::string>({"did view within 3 days", "count(view within 7 days) >= 2", "on list 'vips'", "excluded from list 'vips'",
                                    "sample 40 percent 'a'", "did login"});
    default:
        return random_past_test(r, around);
    }
}

/// What may be told: attributes of every kind, lists, events; at moments near those at which something changes.
inline std::vector<Event> random_life(Random& r, std::int64_t around, int most = 14) {
    std::vector<Event> out;
    Time now = (around - 6) * one_day + r.below(3 * one_day);
    auto date = [&]() -> Json {
        std::int64_t const day = around + r.below(14) - 5;
        switch (r.below(5)) {
        case 0:
            return date_text(day, r.below(1440));
        case 1:
            return date_text(day, r.below(1440)) + "Z";
        case 2:
            return r.pick<Json>({"soon", 5, nullptr, "2026-02-30"});
        default:
            return date_text(day);
        }
    };
    for (std::int64_t left = 2 + r.below(most); left > 0; --left) {
        now += r.pick<Span>({0, 1, one_second, one_hour, 7 * one_hour, one_day, 2 * one_day}) * (1 + r.below(2));
        if (r.chance(20))
            now = now / one_day * one_day + one_day + r.below(3) - 1; // midnight, or a microsecond beside it
        Event event;
        event.received_at = event.at = now;
        if (r.chance(20))
            event.at -= r.below(3 * one_day);
        if (r.chance(55)) {
            event.type = "$identify";
            Json& p = event.properties;
            if (r.chance(40))
                p["ends"] = date();
            if (r.chance(20))
                p["signed"] = r.chance(80) ? Json{{"at", date()}} : Json("x");
            if (r.chance(30))
                p["born"] = r.pick<std::string>({"1996-02-29", "1990-03-01", "2000-11-04", date_text(around - 366 + r.below(9)), "1980-12-31"});
            if (r.chance(25))
                p["timezone"] = r.pick<Json>({"Europe/Berlin", "America/St_Johns", "America/Sao_Paulo", "nowhere", nullptr, "Asia/Kathmandu"});
            if (r.chance(45))
                p["plan"] = r.pick<Json>({"gold", "gold", "silver", "GOLD", "5", 5, "", nullptr, Json::array()});
            if (r.chance(25))
                p["city"] = r.pick<Json>({"Zürich", "ZÜRICH", "Zurich", "gold", 7});
            if (r.chance(25))
                p["deep"] = r.pick<Json>({Json{{"plan", "gold"}}, Json{{"plan", "silver"}}, Json::object(), "x", Json{{"plan", 5}, {"x", 1}}});
            if (r.chance(25))
                p["tags"] = r.pick<Json>({Json::array({"a", "b"}), Json::array({"É", 2, "a"}), Json::array(), "a", Json::array({nullptr, "e", "A"})});
            if (r.chance(20))
                p["email"] = r.pick<Json>({"a@Example.com", "b@a.org", "nobody", "x@", "c@d@b.org"});
            if (r.chance(25))
                p["age"] = r.pick<Json>({5, "5", 5.0, 7, nullptr});
            if (r.chance(15))
                p["vip"] = r.pick<Json>({true, "true", false});
        } else if (r.chance(40)) {
            event.type = "$consent";
            Json& p = event.properties;
            p["state"] = r.pick<std::string>({"granted", "granted", "granted", "granted", "withdrawn", "denied", "pending", "yes"});
            if (r.chance(80))
                p["channel"] = r.pick<std::string>({"email", "email", "email", "sms"});
            if (r.chance(60))
                p["purpose"] = r.pick<std::string>({"news", "news", "offers"});
            if (r.chance(60))
                p["expires"] = r.chance(70) ? language::print(r.pick(test_spans())) : date_text(around + r.below(12) - 4, r.below(1440));
        } else if (r.chance(25)) {
            event.type = "$list";
            event.properties = {{"list", r.pick<std::string>({"vips", "others"})}, {"state", r.pick<std::string>({"member", "excluded", "none"})}};
        } else {
            event.type = r.pick<std::string>({"view", "view", "login"});
        }
        out.push_back(event);
    }
    return out;
}

} // namespace nurture::world
