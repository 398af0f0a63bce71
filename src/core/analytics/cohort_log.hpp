#pragma once
// Cohorts of many contacts at once: in which periods each was active, logged once per contact and period
// where activity comes in order of time.
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "core/analytics/cohort.hpp"
#include "core/analytics/contact_log.hpp"

namespace nurture::analytics {

/// The activity of contacts that begin with their first one, in memory that dies with it.
class CohortLog {
public:
    CohortLog(const Period& period, std::pmr::memory_resource* memory, Budget& budget)
        : period_(period), budget_(&budget), log_(memory, budget), last_(memory) {}

    [[nodiscard]] const Period& period() const noexcept { return period_; }
    /// Throws out_of_range for infinite times.
    void add(std::string_view contact, Time at) { add(log_.number_of(contact), period_number(period_, at)); }
    /// Throws invalid_parameter when the periods differ.
    void merge(const CohortLog& other);
    void merge(std::string_view bytes);
    void encode_to(std::string& out) const { log_.encode_to(out); }

    /// The same as that of all contacts' summaries added up; `breathe` is called for each contact and may
    /// throw.
    [[nodiscard]] CohortSummary summary(void (*breathe)()) const;

private:
    Period period_;
    Budget* budget_;
    ContactLog log_; ///< the "times" are numbers of periods
    std::pmr::vector<std::int64_t> last_;

    void add(std::uint32_t contact, std::int64_t number);
};

} // namespace nurture::analytics
