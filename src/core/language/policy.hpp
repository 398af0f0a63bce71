#pragma once
// Policies, the language's fourth form: guards over what workflows send, and whose messages they guard.
#include "core/language/language.hpp"
#include "core/language/references.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::language {

/// A workflow by its name.
struct WorkflowName {
    std::string name;
    Offset offset;
    friend bool operator==(const WorkflowName&, const WorkflowName&) = default;
};

/// at most n [workflows] per day|rolling d [over all channels]
struct MessageCap {
    std::int64_t count = 1;
    bool workflows = false;            ///< counts workflows that send, not messages
    CapPeriod period = CapPeriod::day; ///< of the contact's calendar; never `ever`
    Duration rolling;                  ///< exact; empty: the calendar period
    bool all_channels = false;         ///< counts the messages of every channel, whatever the policy's
    friend bool operator==(const MessageCap&, const MessageCap&) = default;
};

/// quiet from 21:00 to 08:00, in minutes of the contact's day: [from, to), over midnight when to is less.
struct Quiet {
    std::int32_t from = 0, to = 0;
    friend bool operator==(const Quiet&, const Quiet&) = default;
};

/// Days of the week as bits: 1 Monday … 64 Sunday.
using WeekdaySet = std::uint8_t;

/// Whose holidays: the default calendar's | of 'calendar' | of contact country: those of the calendar that the contact's
/// attribute `country` names, the default one where it names none.
struct HolidayCalendar {
    std::optional<std::string> name;
    bool of_country = false;
    friend bool operator==(const HolidayCalendar&, const HolidayCalendar&) = default;
};

/// only on business days|Monday, Tuesday [between 09:00 and 18:00]; several are alternatives.
struct SendWindow {
    bool business_days = false;
    HolidayCalendar calendar;            ///< of the business days
    WeekdaySet weekdays = 0;             ///< 0: every day, if not business days
    std::int32_t from = 0, to = 1440;    ///< minutes of the contact's day: [from, to)
    friend bool operator==(const SendWindow&, const SendWindow&) = default;
};

/// never on holidays [of 'calendar'|of contact country]
struct NoHolidays {
    HolidayCalendar calendar;
    friend bool operator==(const NoHolidays&, const NoHolidays&) = default;
};

enum class RatePeriod : std::uint8_t { second, minute, hour, day };
struct Rate { ///< rate n per minute [over all channels]
    std::int64_t count = 1;
    RatePeriod period = RatePeriod::minute;
    bool all_channels = false; ///< one rate for the policy's channels together; else each has it to itself
    friend bool operator==(const Rate&, const Rate&) = default;
};

/// budget n | budget n per workflow | budget n for workflow 'w': messages in all
struct Budget {
    std::int64_t count = 1;
    bool per_workflow = false;
    std::optional<WorkflowName> workflow;
    friend bool operator==(const Budget&, const Budget&) = default;
};

/// What becomes of a message that a guard stops.
enum class WhenStopped : std::uint8_t {
    delay,     ///< until it is free to go, if it does not expire before
    drop,      ///< at once
    keep_best, ///< caps drop what comes after the best by priority; quiet hours and windows delay
};

struct Policy {
    std::vector<std::string> channels, purposes; ///< empty: every
    std::vector<WorkflowName> workflows;         ///< empty: every
    bool require_consent = false;
    std::vector<MessageCap> caps;
    std::vector<Quiet> quiet;
    std::vector<SendWindow> windows;
    std::vector<NoHolidays> holidays;
    std::vector<Rate> rates;
    std::vector<Budget> budgets;
    std::optional<std::int32_t> priority;
    Duration expire_after; ///< exact; empty: as nurture.action_expiry says
    WhenStopped when_stopped = WhenStopped::delay;
    friend bool operator==(const Policy&, const Policy&) = default;
};

/// Throws as the parsers of the other forms do.
Policy parse_policy(std::string_view text, const Limits& limits = {});
/// Canonical text: the scope, then one guard per line.
std::string print(const Policy& policy);
/// One guard by itself, as a reason names it.
std::string print(const MessageCap& cap);
std::string print(const Quiet& quiet);
std::string print(const SendWindow& window);
std::string print(const NoHolidays& holidays);
std::string print(const Rate& rate);
std::string print(const Budget& budget);

/// As of the other forms.
std::vector<Reference> references(const Policy& policy);
std::vector<Use> uses(const Policy& policy);

} // namespace nurture::language
