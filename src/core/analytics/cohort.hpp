#pragma once
// Cohort retention: contacts grouped by the period in which they began, and in how many later periods they
// were active. A summary of one contact is a set of periods; summaries of different contacts add up. All
// counts are integers, so nothing depends on order or grouping.
#include "core/base/time.hpp"

#include <cstdint>
#include <map>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nurture::analytics {

/// Periods are calendar months (UTC), counted from January 2000, or spans of exact length counted from
/// Monday, 3 January 2000, so that weeks begin on Monday.
struct Period {
    std::int32_t months = 0; ///< 0: `micros` counts
    Span micros = 0;
    friend bool operator==(const Period&, const Period&) = default;
};

/// A period of an interval's fields; throws invalid_parameter unless it is positive and either months or
/// exact.
[[nodiscard]] Period make_period(const Duration& duration);

/// Numbers of periods stay within this on both sides, so that their sums cannot overflow.
inline constexpr std::int64_t furthest_period = std::int64_t{1} << 61;

/// Number of the period that contains `at`.
[[nodiscard]] std::int64_t period_of(const Period& period, Time at) noexcept;
/// The same, checked: throws out_of_range for infinite times and for numbers beyond furthest_period.
[[nodiscard]] std::int64_t period_number(const Period& period, Time at);
/// When period `number` begins; saturates.
[[nodiscard]] Time period_start(const Period& period, std::int64_t number) noexcept;

/// What is known about one cohort in one of its periods (0 is the one in which it began).
struct CohortCell {
    std::int64_t active = 0;   ///< contacts active in the period
    std::int64_t retained = 0; ///< of these, active in the period before too
    friend bool operator==(const CohortCell&, const CohortCell&) = default;
};

/// Counts per cohort. `members` has an entry for each cohort; `cells` those that are not zero, by (cohort,
/// period).
struct CohortSummary {
    CohortSummary() = default;
    /// With the counts in memory of the caller's.
    explicit CohortSummary(std::pmr::memory_resource* memory) : members(memory), cells(memory) {}

    Period period;
    std::pmr::map<std::int64_t, std::int64_t> members;
    std::pmr::map<std::pair<std::int64_t, std::int64_t>, CohortCell> cells;

    /// Adds the contacts of another summary. Throws invalid_parameter when the periods differ, out_of_range
    /// beyond 2^63.
    void add(const CohortSummary& other);
    /// The same for an encoded one; throws corrupt_data for what encode() does not write.
    void add(std::string_view bytes);
    friend bool operator==(const CohortSummary&, const CohortSummary&) = default;

private:
    void expect(const Period& other) const;
    void add_cell(const std::pair<std::int64_t, std::int64_t>& key, const CohortCell& cell);
};

/// The summary of one contact that began in period `first` and was active in `periods` (numbers, sorted,
/// unique).
[[nodiscard]] CohortSummary summarize_contact(const Period& period, std::int64_t first,
                                              const std::vector<std::int64_t>& periods);

/// The bytes of that summary: encode(summarize_contact(…)).
[[nodiscard]] std::string encode_contact(const Period& period, std::int64_t first,
                                         std::span<const std::int64_t> periods);

/// One line of the retention table.
struct CohortLine {
    std::int64_t cohort = 0; ///< number of the period in which it began
    std::int64_t offset = 0;
    std::int64_t members = 0, active = 0, retained = 0, resurrected = 0, churned = 0;
};

/// Every cohort × every period from its beginning to the last period with activity anywhere. Throws
/// limit_exceeded when that would be more than a million lines.
[[nodiscard]] std::vector<CohortLine> cohort_lines(const CohortSummary& summary);

/// Throws corrupt_data unless encode() could have been given this.
void validate(const CohortSummary& summary);
[[nodiscard]] std::string encode(const CohortSummary& summary);
[[nodiscard]] CohortSummary decode_cohorts(std::string_view bytes);
/// The period of an encoded summary, which is not looked at any further.
[[nodiscard]] Period period_of(std::string_view bytes);
/// `1 604800000000us [5:10 0:10:0 2:4:0; …]`: version, period, cohort:members, then offset:active:retained.
[[nodiscard]] std::string print(const CohortSummary& summary);
[[nodiscard]] CohortSummary parse_cohorts(std::string_view text);

} // namespace nurture::analytics
