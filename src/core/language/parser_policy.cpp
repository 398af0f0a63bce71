// Policies: for <whose messages>, then guards in any order.
#include "core/language/parser.hpp"

#include <algorithm>
#include <array>

namespace nurture::language {

namespace {

constexpr std::int64_t largest_cap = 1'000;
constexpr std::int64_t largest_amount = 1'000'000'000'000;
constexpr std::int64_t longest_cap_days = 366;
constexpr std::array<std::string_view, 7> weekday_names = {"monday", "tuesday",  "wednesday", "thursday",
                                                           "friday", "saturday", "sunday"};

int weekday_named(std::string_view word) {
    std::string folded(word);
    std::transform(folded.begin(), folded.end(), folded.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    auto const found = std::find(weekday_names.begin(), weekday_names.end(), folded);
    return found == weekday_names.end() ? -1 : static_cast<int>(found - weekday_names.begin());
}

template <class T>
bool add_unless_there(std::vector<T>& all, T value) {
    if (std::find(all.begin(), all.end(), value) != all.end())
        return false;
    all.push_back(std::move(value));
    return true;
}

} // namespace

Policy Parser::whole_policy() {
    Policy policy;
    policy_scope(policy);
    if (!guard(policy))
        fail(token().kind == TokenKind::end ? "A policy has at least one guard." : "");
    while (guard(policy)) {
    }
    end_of_text();
    return policy;
}

// for email, sms purpose newsletter workflow 'spring': each part may be absent, not all of them
void Parser::policy_scope(Policy& policy) {
    if (!accept(Keyword::for_))
        return;
    bool const parts = is(Keyword::purpose) || is(Keyword::workflow);
    if (!parts) {
        note(text_of(Keyword::purpose), Keyword::purpose);
        note(text_of(Keyword::workflow), Keyword::workflow);
        policy.channels = scope_names("a channel");
    }
    if (accept(Keyword::purpose))
        policy.purposes = scope_names("a purpose");
    if (accept(Keyword::workflow))
        policy.workflows = scope_workflows();
}

std::vector<std::string> Parser::scope_names(std::string_view expectation) {
    std::vector<std::string> out;
    do {
        std::uint32_t const from = token().from;
        if (!add_unless_there(out, name(expectation)))
            fail_at(from, print_name(out.back()) + " is given twice");
        count_term();
    } while (accept(","));
    return out;
}

std::vector<WorkflowName> Parser::scope_workflows() {
    std::vector<WorkflowName> out;
    do {
        std::uint32_t const from = token().from;
        if (!add_unless_there(out, workflow_name()))
            fail_at(from, "the workflow is given twice");
        count_term();
    } while (accept(","));
    return out;
}

WorkflowName Parser::workflow_name() {
    WorkflowName out;
    out.offset.byte = token().from;
    out.name = string("the name of a workflow in single quotes");
    return out;
}

bool Parser::guard(Policy& policy) {
    if (!time_guard(policy) && !amount_guard(policy) && !handling_guard(policy))
        return false;
    count_term();
    return true;
}

// quiet …, only …, never on holidays …
bool Parser::time_guard(Policy& policy) {
    std::uint32_t const from = token().from;
    auto const new_guard = [&](bool added) {
        if (!added)
            fail_at(from, "the guard is given twice");
        return true;
    };
    if (accept(Keyword::quiet)) {
        require(Keyword::from);
        Quiet quiet;
        quiet.from = time_of_day();
        require(Keyword::to);
        quiet.to = time_of_day();
        if (quiet.from == quiet.to || (quiet.from == 0 && quiet.to == 1440))
            fail_at(from, "quiet all day: nothing could ever be sent");
        if (quiet.from == 1440)
            quiet.from = 0;
        return new_guard(add_unless_there(policy.quiet, quiet));
    }
    if (accept(Keyword::only))
        return new_guard(add_unless_there(policy.windows, send_window()));
    if (accept(Keyword::never)) {
        require(Keyword::on);
        require(Keyword::holidays);
        return new_guard(add_unless_there(policy.holidays, NoHolidays{calendar_choice()}));
    }
    return false;
}

// at most …, rate …, budget …
bool Parser::amount_guard(Policy& policy) {
    std::uint32_t const from = token().from;
    auto const new_guard = [&](bool added) {
        if (!added)
            fail_at(from, "the guard is given twice");
        return true;
    };
    if (accept(Keyword::at))
        return new_guard(add_unless_there(policy.caps, message_cap()));
    if (accept(Keyword::rate))
        return new_guard(add_unless_there(policy.rates, rate()));
    if (accept(Keyword::budget))
        return new_guard(add_unless_there(policy.budgets, budget()));
    return false;
}

// require consent, priority n, expire after d, when stopped …
bool Parser::handling_guard(Policy& policy) {
    std::uint32_t const from = token().from;
    std::string const word(text_at());
    auto const once = [&](bool given) {
        if (given)
            fail_at(from, "\"" + word + "\" is given twice");
    };
    if (accept(Keyword::require)) {
        once(policy.require_consent);
        require(Keyword::consent);
        policy.require_consent = true;
    } else if (accept(Keyword::priority)) {
        once(policy.priority.has_value());
        bool const negative = accept("-");
        std::uint32_t const at_number = token().from;
        std::int64_t const value = whole_number("a whole number");
        if (value > 1'000)
            fail_at(at_number, "a priority is at least -1000 and at most 1000");
        policy.priority = static_cast<std::int32_t>(negative ? -value : value);
    } else if (accept(Keyword::expire)) {
        once(!policy.expire_after.empty());
        require(Keyword::after);
        policy.expire_after = exact_duration("an expiry");
    } else if (at(Keyword::when)) {
        once(policy.when_stopped != WhenStopped::delay);
        advance();
        require(Keyword::stopped);
        if (accept(Keyword::drop)) {
            policy.when_stopped = WhenStopped::drop;
        } else if (accept(Keyword::keep)) {
            require(Keyword::the);
            require(Keyword::best);
            policy.when_stopped = WhenStopped::keep_best;
        } else {
            require(Keyword::delay);
        }
    } else {
        return false;
    }
    return true;
}

// `at` has been read: most n [workflows] per day|rolling d [over all channels]
MessageCap Parser::message_cap() {
    require(Keyword::most);
    MessageCap out;
    std::uint32_t from = token().from;
    out.count = whole_number("a whole number");
    if (out.count < 1 || out.count > largest_cap)
        fail_at(from, "a cap is at least 1 and at most " + std::to_string(largest_cap),
                "Whoever is to get nothing is suppressed, or a workflow is disabled.");
    if (is(Keyword::workflow) || at(Keyword::workflows)) {
        advance();
        out.workflows = true;
    }
    require(Keyword::per, "A cap is per hour, day, week or month of the contact's calendar, or per rolling 7 days.");
    static constexpr std::pair<Keyword, CapPeriod> periods[] = {{Keyword::hour, CapPeriod::hour},
                                                                {Keyword::day, CapPeriod::day},
                                                                {Keyword::week, CapPeriod::week},
                                                                {Keyword::month, CapPeriod::month}};
    if (accept(Keyword::rolling)) {
        from = token().from;
        out.rolling = exact_duration("a rolling cap");
        if (out.rolling.exact() > longest_cap_days * one_day)
            fail_at(from, "a rolling cap spans at most " + std::to_string(longest_cap_days) + " days");
    } else {
        auto const found = std::find_if(std::begin(periods), std::end(periods),
                                        [&](const auto& period) { return at(period.first); });
        if (found == std::end(periods))
            fail(token().kind == TokenKind::number ? "A span is rolling: per rolling 7 days." : "");
        out.period = found->second;
        advance();
    }
    out.all_channels = over_all_channels();
    return out;
}

// `only` has been read: [on business days [of …]|monday, tuesday] [between 09:00 and 18:00], one of them at least
SendWindow Parser::send_window() {
    SendWindow out;
    bool const days = accept(Keyword::on);
    if (days) {
        if (accept(Keyword::business)) {
            require(Keyword::days);
            out.business_days = true;
            out.calendar = calendar_choice();
        } else {
            out.weekdays = weekdays();
        }
    }
    if (days ? !accept(Keyword::between) : (require(Keyword::between), false))
        return out;
    std::uint32_t const from = token().from;
    out.from = time_of_day();
    require(Keyword::and_);
    out.to = time_of_day();
    if (out.from >= out.to)
        fail_at(from, "the window ends before it begins",
                "A window lies within one day; what is forbidden over midnight is written: quiet from 21:00 to 08:00.");
    return out;
}

WeekdaySet Parser::weekdays() {
    WeekdaySet out = 0;
    do {
        int const day = token().kind == TokenKind::word ? weekday_named(text_at()) : -1;
        if (day < 0) {
            note("a day of the week");
            fail();
        }
        advance();
        out = static_cast<WeekdaySet>(out | (1U << static_cast<unsigned>(day)));
    } while (accept(","));
    return out == 0x7F ? WeekdaySet{0} : out;
}

// [of 'c'|of contact country]
HolidayCalendar Parser::calendar_choice() {
    HolidayCalendar out;
    if (!accept(Keyword::of))
        return out;
    if (accept(Keyword::contact)) {
        note("\"country\"");
        if (token().kind != TokenKind::word || text_at() != "country")
            fail("The calendar that the contact's attribute country names is written: of contact country.");
        advance();
        out.of_country = true;
    } else {
        out.name = string("the name of a calendar in single quotes");
    }
    return out;
}

bool Parser::over_all_channels() {
    if (!accept(Keyword::over))
        return false;
    require(Keyword::all);
    require(Keyword::channels);
    return true;
}

// 08:00, in minutes of the day; 24:00 is the day's end
std::int32_t Parser::time_of_day() {
    std::string_view const hours = text_at();
    std::string_view const minutes = text_at(2);
    bool const written = token().kind == TokenKind::number && is(":", 1) && token(2).kind == TokenKind::number &&
                         token().to == token(1).from && token(1).to == token(2).from && hours.size() <= 2 &&
                         minutes.size() == 2;
    if (!written) {
        note("a time of day");
        fail("A time of day is written with hours and minutes: 08:00, 21:30.");
    }
    auto const value_of = [](std::string_view digits) {
        std::int32_t value = 0;
        for (char const digit : digits)
            value = value * 10 + (digit - '0');
        return value;
    };
    std::int32_t const value = value_of(hours) * 60 + value_of(minutes);
    if (value_of(minutes) > 59 || value > 1440)
        fail_at(token().from, "there is no time of day " + std::string(hours) + ":" + std::string(minutes));
    advance();
    advance();
    advance();
    return value;
}

std::int64_t Parser::amount(std::string_view expectation) {
    std::uint32_t const from = token().from;
    std::int64_t const value = whole_number(expectation);
    if (value < 1 || value > largest_amount)
        fail_at(from, "the number is at least 1 and at most " + std::to_string(largest_amount));
    return value;
}

// `rate` has been read: n per minute [over all channels]
Rate Parser::rate() {
    Rate out;
    out.count = amount("a whole number");
    require(Keyword::per);
    static constexpr std::pair<Keyword, RatePeriod> periods[] = {{Keyword::second, RatePeriod::second},
                                                                 {Keyword::minute, RatePeriod::minute},
                                                                 {Keyword::hour, RatePeriod::hour},
                                                                 {Keyword::day, RatePeriod::day}};
    for (auto const& [keyword, period] : periods)
        if (accept(keyword)) {
            out.period = period;
            out.all_channels = over_all_channels();
            return out;
        }
    fail();
}

// `budget` has been read: n [per workflow|for workflow 'w']
Budget Parser::budget() {
    Budget out;
    out.count = amount("a whole number");
    if (accept(Keyword::per)) {
        require(Keyword::workflow);
        out.per_workflow = true;
    } else if (accept(Keyword::for_)) {
        require(Keyword::workflow);
        out.workflow = workflow_name();
    }
    return out;
}

Policy parse_policy(std::string_view text, const Limits& limits) {
    return Parser(text, limits).whole_policy();
}

} // namespace nurture::language
