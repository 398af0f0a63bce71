#pragma once
// Features: what a profile remembers of a contact's events. Each is a function of the SET of events and joins by a
// commutative, associative merge; three kinds of value: sums, extremes, sorted sets cut by a rule that depends on the
// union alone.
#include "core/base/calendar.hpp"
#include "core/base/decayed_sum.hpp"
#include "core/profile/keyed.hpp"
#include "core/profile/stamp.hpp"
#include "core/profile/value.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace nurture::profile {

enum class FeatureKind : std::uint8_t {
    count = 1,   ///< how many events
    sum = 2,     ///< sum of a property, 10^-6
    first = 3,   ///< the earliest event, with a property's value
    last = 4,    ///< the latest event, with a property's value
    recent = 5,  ///< the newest events of a window, with a property's amount
    decayed = 6, ///< an exponentially decaying count or sum
    capped = 7,  ///< the first events of each calendar period, with a property's amount
    history = 20,///< the writes of an attribute inside a window and the last before it; entries hold the value's hash
    distinct = 8,///< the newest event of each value of a property; entries hold the value's hash (XXH3, 64 bits)
    values = 9,  ///< the newest events that have a property; entries hold the value's hash
    average = 10,///< sum and count of the events with a number
    least = 11,  ///< the smallest number
    greatest = 12,
    texts = 13,  ///< the newest events that have a property, with its value
    periods = 14,///< the newest event of each calendar period; entries hold the period's number
    visits = 15, ///< the first and the last event of each stretch of `gap`: enough to tell sessions apart
    pages = 16,  ///< the same with a property's value, of the newest day only
    keyed = 17,  ///< the first event of each value of a key property, with a property's amount (keyed.hpp)
};

/// Windows whose value is not settled by the newest k entries keep this many unless the model says otherwise
/// (nurture.max_window_entries); beyond it their value is a bound.
inline constexpr std::int64_t recent_limit = 1'000;
/// A history keeps so many writes at most, the newest.
inline constexpr std::size_t history_limit = 200;
/// What stands in a history for "no value".
inline constexpr Micro unset_value = 0;
/// What tells values of a history apart: numbers by their value (5 and "5.0" are one), all else by its text.
[[nodiscard]] Micro history_hash(const Value& value);
/// A capped feature keeps this many calendar periods that have events, the newest.
inline constexpr std::size_t capped_periods = 366;

struct FeatureDefinition {
    FeatureKind kind = FeatureKind::count;
    language::EventPattern event;
    std::optional<language::Path> property;
    Duration window;         ///< recent: how long an event counts
    Time from = always, until = never; ///< events before `from`, and those from `until` on, are not looked at
    std::int64_t newest = 0; ///< kinds with entries: how many decide; 0: all of the window, up to `limit`
    std::int64_t limit = recent_limit;
    Span gap = 0;            ///< visits, pages: a longer silence ends a session
    Span half_life = 0;      ///< decayed
    std::optional<language::Path> key; ///< keyed
    std::int64_t cap = 0;    ///< capped: events per period
    Period period = Period::day;

    /// Canonical text: two definitions that mean the same have the same. `zone` matters to calendar periods only.
    [[nodiscard]] std::string text(const std::string& zone) const;
};

/// Stamps tell the events of one contact apart. Those of contacts that have become one may be equal: then what they hold
/// decides the order, so that it is the same whoever came first; and what is equal altogether is there twice.
struct Entry {
    Stamp stamp;
    Micro amount = 0;
    friend auto operator<=>(const Entry&, const Entry&) = default;
};

/// Ascending; of a distinct feature: no amount twice.
struct Entries {
    std::vector<Entry> items;
    friend bool operator==(const Entries&, const Entries&) = default;
};

/// The earliest or latest event. `json` is the property's value as compact JSON text (empty: the feature has none).
struct Extreme {
    Stamp stamp;
    Value::Kind kind = Value::Kind::missing;
    bool boolean = false;
    std::string text;
    [[nodiscard]] Value value() const noexcept { return {kind, boolean, text}; }
    friend auto operator<=>(const Extreme&, const Extreme&) = default;
};

/// Ascending.
struct Extremes {
    std::vector<Extreme> items;
    friend bool operator==(const Extremes&, const Extremes&) = default;
};

/// Sum and count of numbers.
struct Tally {
    Wide sum = 0;
    std::int64_t count = 0;
    friend bool operator==(const Tally&, const Tally&) = default;
};

/// The smallest or greatest number.
struct Peak {
    Micro value = 0;
    friend bool operator==(const Peak&, const Peak&) = default;
};

struct Sum {
    Wide value = 0;
    friend bool operator==(const Sum&, const Sum&) = default;
};

/// monostate: no event yet.
using FeatureValue = std::variant<std::monostate, Sum, Extreme, Entries, DecayedSum, Extremes, Tally, Peak, KeyedEntries>;

/// The moment from which on an event of `at` is d old: "within d" ends there, "before d ago" begins.
[[nodiscard]] Time becomes_old(Time at, const Duration& d, const Zone& zone);
/// When an entry leaves the window.
[[nodiscard]] Time leaves_window(const FeatureDefinition& definition, Time at, const Zone& zone);

/// The calendar period of a moment, on a clock that never goes back: a day that has begun stays begun.
[[nodiscard]] std::int64_t period_reached(Time at, Period period, const Zone& zone);
/// When a period begins, by the same rule.
[[nodiscard]] Time begin_of_period(std::int64_t number, Period period, const Zone& zone);

/// Takes one event into the value. False when the definition needs a number of the property and has none: then the
/// event does not count.
bool fold(const FeatureDefinition& definition, FeatureValue& value, const Stamp& stamp, const Value& property,
          const Zone& zone, const Value& key = {});

/// a := a ⊕ b.
void merge(const FeatureDefinition& definition, FeatureValue& a, const FeatureValue& b, const Zone& zone);

/// Drops what no reading at `clock` or later can see.
void prune(const FeatureDefinition& definition, FeatureValue& value, Time clock, const Zone& zone);

/// Those kinds of value are read since format 2 of profiles.
[[nodiscard]] bool needs_format_2(const FeatureValue& value) noexcept;
void encode(ByteWriter& out, const FeatureValue& value, const Stamp& base);
/// Throws Error(corrupt_data).
[[nodiscard]] FeatureValue decode_feature(ByteReader& in, const Stamp& base);

} // namespace nurture::profile
