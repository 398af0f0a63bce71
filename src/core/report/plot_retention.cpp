#include "core/report/plots.hpp"
#include "core/report/svg.hpp"

#include "core/base/error.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace nurture::report {
namespace {

constexpr double row_height = 30;

/// The table as it is drawn: rows in the order in which their cohorts first come.
struct Table {
    Labels names;
    std::vector<std::vector<std::optional<double>>> cells; // by row and period
    std::vector<std::int64_t> members;                     // by row, or empty
    std::size_t periods = 0;
};

void check(const Labels& cohorts, std::span<const std::int32_t> periods, std::span<const double> shares,
           std::span<const std::int64_t> members) {
    check_lengths("cohorts", cohorts.size(), "periods", periods.size());
    check_lengths("cohorts", cohorts.size(), "shares", shares.size());
    if (!members.empty())
        check_lengths("cohorts", cohorts.size(), "members", members.size());
    check_finite("shares", shares);
    check_counts("members", members);
    for (std::size_t i = 0; i < shares.size(); ++i)
        if (shares[i] < 0 || shares[i] > 1)
            throw Error(ErrorKind::invalid_parameter, "shares must be between 0 and 1",
                        "Element " + std::to_string(i + 1) + " is " + svg::brief(shares[i]) + ".",
                        "A percentage is divided by 100.");
    for (std::size_t i = 0; i < periods.size(); ++i) {
        if (periods[i] < 0)
            throw Error(ErrorKind::invalid_parameter, "periods must not be negative",
                        "Element " + std::to_string(i + 1) + " is " + std::to_string(periods[i]) + ".");
        check_limit("periods", static_cast<std::size_t>(periods[i]) + 1, 60, "Take longer periods, or the first 60.");
    }
}

Table tabulate(const Labels& cohorts, std::span<const std::int32_t> periods, std::span<const double> shares,
               std::span<const std::int64_t> members) {
    Table table;
    std::map<std::string_view, std::size_t> rows;
    table.periods = static_cast<std::size_t>(*std::max_element(periods.begin(), periods.end())) + 1;
    for (std::size_t i = 0; i < cohorts.size(); ++i) {
        auto const [at, fresh] = rows.try_emplace(cohorts[i], table.names.size());
        if (fresh) {
            table.names.push_back(cohorts[i]);
            table.cells.emplace_back(table.periods);
            if (!members.empty())
                table.members.push_back(members[i]);
        } else if (!members.empty() && table.members[at->second] != members[i]) {
            throw Error(ErrorKind::invalid_parameter, "cohort \"" + cohorts[i] + "\" has two numbers of members",
                        "They are " + std::to_string(table.members[at->second]) + " and " + std::to_string(members[i]) + ".");
        }
        auto& cell = table.cells[at->second][static_cast<std::size_t>(periods[i])];
        if (cell)
            throw Error(ErrorKind::invalid_parameter, "cohort \"" + cohorts[i] + "\" has two shares for period " +
                                                          std::to_string(periods[i]));
        cell = shares[i];
    }
    check_limit("cohorts", table.names.size(), 100, "Take longer periods, or the newest cohorts.");
    return table;
}

/// The mean over the cohorts that have the period, each as heavy as it has members.
std::optional<double> mean(const Table& table, std::size_t period) {
    double active = 0;
    double all = 0;
    for (std::size_t row = 0; row < table.names.size(); ++row) {
        if (!table.cells[row][period])
            continue;
        auto const weight = static_cast<double>(table.members[row]);
        active += weight * *table.cells[row][period];
        all += weight;
    }
    return all > 0 ? std::optional(active / all) : std::nullopt;
}

/// The share that gets the strongest colour. Period 0 is nearly everybody: it would leave one pale colour to all others.
double strongest(const Table& table) {
    double top = 0;
    for (auto const& row : table.cells)
        for (std::size_t period = 1; period < row.size(); ++period)
            top = std::max(top, row[period].value_or(0));
    return top > 0 ? top : 1;
}

class Drawing {
  public:
    Drawing(const Table& table, std::string_view title) : table_(table), title_(title), top_share_(strongest(table)) {
        double names = table.members.empty() ? 0 : svg::text_width("all cohorts", 14);
        double counts = 0;
        for (auto const& name : table.names)
            names = std::max(names, svg::text_width(name, 14));
        for (auto const n : table.members)
            counts = std::max({counts, svg::text_width(svg::grouped(n), 14), svg::text_width("members", 13)});
        names_ = std::min(names, 170.0);
        members_x_ = svg::margin + names_ + 14 + counts;
        left_ = (table.members.empty() ? svg::margin + names_ : members_x_) + 12;
        cell_ = std::min(72.0, (svg::width - svg::margin - left_) / static_cast<double>(table.periods));
    }

    std::string draw() {
        double y = header();
        for (std::size_t row = 0; row < table_.names.size(); ++row, y += row_height) {
            picture_.text("t", svg::margin, y + 20, table_.names[row], svg::Anchor::start, 14, names_);
            if (!table_.members.empty())
                picture_.text("m", members_x_, y + 20, svg::grouped(table_.members[row]), svg::Anchor::end, 14);
            for (std::size_t period = 0; period < table_.periods; ++period)
                if (table_.cells[row][period])
                    cell(period, y, *table_.cells[row][period], table_.names[row]);
        }
        if (!table_.members.empty() && table_.names.size() > 1)
            y = means(y + 8);
        return picture_.finish(y + svg::margin, title_.empty() ? "Retention" : title_, description());
    }

  private:
    const Table& table_;
    std::string_view title_;
    double top_share_;
    double names_ = 0, members_x_ = 0, left_ = 0, cell_ = 0;
    svg::Picture picture_;

    double header() {
        double y = picture_.heading(title_, "share active in %, by the number of periods since the cohort began");
        // Numbers that would collide are left out regularly.
        std::size_t const every = cell_ >= 22 ? 1 : cell_ >= 11 ? 2 : 5;
        for (std::size_t period = 0; period < table_.periods; period += every)
            picture_.text("m", left_ + (static_cast<double>(period) + 0.5) * cell_, y + 12, std::to_string(period),
                          svg::Anchor::middle, 13);
        if (!table_.members.empty())
            picture_.text("m", members_x_, y + 12, "members", svg::Anchor::end, 13);
        return y + 20;
    }

    void cell(std::size_t period, double y, double share, const std::string& name) {
        int const step = static_cast<int>(std::lround(std::min(1.0, share / top_share_) * (svg::ramp_steps - 1)));
        double const x = left_ + static_cast<double>(period) * cell_;
        double const gap = cell_ > 20 ? 2 : 1;
        picture_.rect("r" + std::to_string(step), x, y, cell_ - gap, row_height - 2,
                      name + ", period " + std::to_string(period) + ": " + svg::percent(share), cell_ > 20 ? 2 : 0);
        // Whole percents: the exact share is in the tooltip.
        std::string const number = share > 0 && share < 0.005 ? "<1" : std::to_string(std::lround(share * 100));
        bool const with_sign = svg::text_width("100%", 13) <= cell_ - 4;
        if (with_sign || svg::text_width("100", 12) <= cell_ + 2)
            picture_.text("i" + std::to_string(step), x + (cell_ - gap) / 2, y + 19, number + (with_sign ? "%" : ""),
                          svg::Anchor::middle, with_sign ? 13 : 12);
    }

    double means(double y) {
        picture_.line("a thin", svg::margin, y - 4, left_ + static_cast<double>(table_.periods) * cell_ - 2, y - 4);
        picture_.text("t b", svg::margin, y + 20, "all cohorts", svg::Anchor::start, 14, names_);
        std::int64_t all = 0;
        for (auto const n : table_.members)
            if (__builtin_add_overflow(all, n, &all))
                throw Error(ErrorKind::out_of_range, "the numbers of members add up to more than can be counted");
        picture_.text("m", members_x_, y + 20, svg::grouped(all), svg::Anchor::end, 14, members_x_ - svg::margin - names_);
        for (std::size_t period = 0; period < table_.periods; ++period)
            if (auto const share = mean(table_, period))
                cell(period, y, *share, "all cohorts");
        return y + row_height;
    }

    std::string description() const {
        std::string out = "Heat map of retention: " + std::to_string(table_.names.size()) + " cohorts, periods 0 to " +
                          std::to_string(table_.periods - 1) + ".";
        for (std::size_t period = 1; period < std::min<std::size_t>(table_.periods, 4); ++period)
            if (auto const share = table_.members.empty() ? std::nullopt : mean(table_, period))
                out += " After " + std::to_string(period) + ": " + svg::percent(*share) + ".";
        return out;
    }
};

} // namespace

std::string plot_retention(const Labels& cohorts, std::span<const std::int32_t> periods, std::span<const double> shares,
                           std::span<const std::int64_t> members, std::string_view title) {
    check(cohorts, periods, shares, members);
    Table const table = tabulate(cohorts, periods, shares, members);
    return Drawing(table, title).draw();
}

} // namespace nurture::report
