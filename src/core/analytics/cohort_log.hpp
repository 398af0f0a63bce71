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
        : period_(period), log_(memory, budget, ContactLog::Repeats::drop) {}

    [[nodiscard]] const Period& period() const noexcept { return period_; }
    /// Throws out_of_range for infinite times.
    void add(std::string_view contact, Time at) { log_.add(contact, period_number(period_, at), 1); }
    /// Throws invalid_parameter when the periods differ.
    void merge(CohortLog& other);
    void merge(std::string_view bytes);
    void encode_to(std::string& out) { log_.encode_to(out); }

    /// The same as that of all contacts' summaries added up; `breathe` is called for each contact and may
    /// throw.
    [[nodiscard]] CohortSummary summary(void (*breathe)());

private:
    Period period_;
    ContactLog log_; ///< the "times" are numbers of periods
};

} // namespace nurture::analytics
