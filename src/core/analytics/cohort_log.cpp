#include "core/analytics/cohort_log.hpp"

#include <algorithm>

namespace nurture::analytics {

namespace {

/// Counts of cohorts whose periods lie within a narrow range: a table instead of a search per contact.
class CellTable {
public:
    static constexpr std::int64_t most_periods = 512;

    CellTable(std::int64_t first, std::int64_t last)
        : first_(first), width_(static_cast<std::size_t>(last - first + 1)), members_(width_, 0),
          cells_(width_ * width_) {}

    std::int64_t& members(std::int64_t cohort) { return members_[index(cohort)]; }
    CohortCell& cell(std::int64_t cohort, std::int64_t number) {
        return cells_[index(cohort) * width_ + index(number) - index(cohort)];
    }
    void add_to(CohortSummary& summary) const {
        for (std::size_t cohort = 0; cohort < width_; ++cohort) {
            if (members_[cohort] == 0)
                continue;
            std::int64_t const number = first_ + static_cast<std::int64_t>(cohort);
            summary.members[number] += members_[cohort];
            for (std::size_t offset = 0; cohort + offset < width_; ++offset)
                if (CohortCell const& cell = cells_[cohort * width_ + offset]; cell.active != 0)
                    summary.cells[{number, static_cast<std::int64_t>(offset)}] = cell;
        }
    }

private:
    std::int64_t first_;
    std::size_t width_;
    std::vector<std::int64_t> members_;
    std::vector<CohortCell> cells_;

    [[nodiscard]] std::size_t index(std::int64_t number) const noexcept {
        return static_cast<std::size_t>(number - first_);
    }
};

/// The same, whatever the range.
class CellMap {
public:
    explicit CellMap(CohortSummary& summary) : summary_(summary) {}
    std::int64_t& members(std::int64_t cohort) { return summary_.members[cohort]; }
    CohortCell& cell(std::int64_t cohort, std::int64_t number) {
        return summary_.cells[{cohort, number - cohort}];
    }

private:
    CohortSummary& summary_;
};

template <class Cells>
void count(ContactLog& log, Cells& cells, void (*breathe)()) {
    log.for_each_contact([&](std::span<const Event> events) {
        breathe();
        std::int64_t const cohort = events.front().at;
        ++cells.members(cohort);
        for (std::size_t i = 0; i < events.size(); ++i) {
            if (i > 0 && events[i].at == events[i - 1].at)
                continue;
            CohortCell& cell = cells.cell(cohort, events[i].at);
            ++cell.active;
            if (i > 0 && events[i].at == events[i - 1].at + 1)
                ++cell.retained;
        }
    });
}

} // namespace

void CohortLog::merge(CohortLog& other) {
    if (period_ != other.period_)
        throw Error(ErrorKind::invalid_parameter, "the period differs within a group");
    log_.merge(other.log_);
}

void CohortLog::merge(std::string_view bytes) {
    log_.merge(bytes, std::identity{});
}

CohortSummary CohortLog::summary(void (*breathe)()) {
    CohortSummary summary;
    summary.period = period_;
    std::int64_t first = never, last = always;
    log_.for_each_event([&](const ContactEvent& event) {
        first = std::min(first, event.at);
        last = std::max(last, event.at);
    });
    if (first > last)
        return summary;
    if (last > furthest_period || first < -furthest_period)
        throw Error(ErrorKind::corrupt_data, "invalid summary or aggregate state",
                    "Reason: a period is out of range.");
    if (last - first < CellTable::most_periods) {
        CellTable table(first, last);
        count(log_, table, breathe);
        table.add_to(summary);
    } else {
        CellMap map(summary);
        count(log_, map, breathe);
    }
    return summary;
}

} // namespace nurture::analytics
