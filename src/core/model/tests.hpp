#pragma once
// The compiled forms of conditions over attributes, dates and membership. A node refers to them by Node::detail.
#include "core/base/calendar.hpp"
#include "core/base/fold_text.hpp"
#include "core/language/ast.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace re2 {
class RE2;
}

namespace nurture::model {

/// What the calendar is to the definitions: a part of a model's source.
struct CalendarPolicy {
    int week_start = 0;           ///< 0 Monday … 6 Sunday
    bool leap_day_in_march = false;///< an anniversary of 29 February in other years: 1 March rather than 28 February
    std::map<std::string, std::vector<std::int32_t>> holidays; ///< by calendar, ascending days since 2000-01-01
    friend bool operator==(const CalendarPolicy&, const CalendarPolicy&) = default;
};

/// On whose clock a date is read.
struct ZoneRef {
    language::ZoneChoice::Kind kind = language::ZoneChoice::Kind::policy;
    std::optional<Zone> zone; ///< of a named one
};

/// What a comparison compares with.
struct Constant {
    enum class Type : std::uint8_t { boolean, number, text, time };
    Type type = Type::number;
    bool boolean = false;
    std::int64_t number = 0; ///< 10^-6, or a Time
    std::string text;
};

enum class DerivedKind : std::uint8_t { date_part, anniversary, items, domain };

struct TextTest {
    language::TextRelation relation = language::TextRelation::contains;
    std::string text; ///< folded like what it is compared with
    std::shared_ptr<const re2::RE2> pattern;
};

struct DateTest {
    language::DateQuestion question;
    ZoneRef zone;
    std::shared_ptr<const std::vector<std::int32_t>> holidays; ///< ascending days; none: there are no holidays
};

/// Over the values an attribute has had; they are told apart by their hashes.
struct HistoryTest {
    std::uint32_t feature = UINT32_MAX;
    bool changed = false;                       ///< changed within; else: has been
    std::optional<std::int64_t> from, to;       ///< of a change; what it has been is in `to`
    bool at_least = true;
};

enum class SegmentQuestion : std::uint8_t { inside_for, entered, left, was };
struct SegmentTest {
    SegmentQuestion question = SegmentQuestion::inside_for;
    bool at_least = true;
    Duration duration;
    Time from = 0, to = 0; ///< was: [from, to)
};

struct SampleTest {
    std::uint64_t seed = 0;
    Micro percent = 0;
};

/// From a date of the contact's, moved and set to a time of day, for a day: when C.
struct ReachedTest {
    Duration offset; ///< negative before
    bool yearly = false;
    std::optional<Span> at;
    std::uint32_t segment = UINT32_MAX; ///< that it decides: who is in it stays while the clock is put back
};

struct JourneyTest {
    std::uint32_t workflow = 0; ///< id
    language::JourneyRelation relation = language::JourneyRelation::inside;
    std::optional<std::string> step;
};

} // namespace nurture::model
