#pragma once
// The civil calendar: time zones (the system's tz database), local days and months. A local time is microseconds since
// 2000-01-01 00:00 of the local clock.
#include "core/base/iso_time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace date {
class time_zone;
}

namespace nurture {

/// An IANA time zone; cheap to copy.
class Zone {
  public:
    /// Throws Error(invalid_parameter) for a name that the tz database does not know.
    [[nodiscard]] static Zone find(std::string_view name);
    /// Empty for an unknown name.
    [[nodiscard]] static std::optional<Zone> try_find(std::string_view name);

    [[nodiscard]] std::int64_t to_local(Time t) const;
    /// A local time that the clock skips means the same distance after the jump (02:30 becomes 03:30); one that comes
    /// twice means the first.
    [[nodiscard]] Time to_utc(std::int64_t local) const;
    /// The first moment at which the local clock shows `local` or later: a day begins once, when its midnight first comes.
    [[nodiscard]] Time first_at(std::int64_t local) const;
    [[nodiscard]] std::string name() const;

  private:
    explicit Zone(const date::time_zone* zone) noexcept : zone_(zone) {}
    const date::time_zone* zone_;
};

/// t moved by d on the zone's calendar: months first (clipped to the month's end), then days (the same local time),
/// then exact microseconds. A d of microseconds only is exact.
[[nodiscard]] Time add_on_calendar(Time t, const Duration& d, const Zone& zone);

/// The number of the local calendar period that t falls into; periods of one kind are numbered without gaps.
enum class Period : std::uint8_t { hour, day, week, month, ever };
[[nodiscard]] std::int64_t period_of(Time t, Period period, const Zone& zone);

/// An ISO 8601 date or time ("2026-01-31", "2026-01-31T10:00:00.5+02:00", a blank for the T). Without an offset it is
/// taken in `zone`. Empty when the text is something else.
[[nodiscard]] std::optional<Time> parse_iso_time(std::string_view text, const Zone& zone);

} // namespace nurture
