#include "core/report/plots.hpp"
#include "core/report/svg.hpp"

#include "core/base/error.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace nurture::report {
namespace {

constexpr double pitch = 30;
constexpr double thickness = 20;
constexpr std::size_t most_panels = 6;

std::size_t index_of(Labels& known, std::map<std::string_view, std::size_t>& places, const std::string& name) {
    auto const [at, fresh] = places.try_emplace(name, known.size());
    if (fresh)
        known.push_back(name);
    return at->second;
}

struct Grid {
    Labels rows, panels;
    std::vector<std::vector<std::optional<double>>> values; // by row and panel
    double low = 0, high = 0;
};

Grid arrange(const Labels& labels, std::span<const double> values, const Labels& panels) {
    Grid grid;
    std::map<std::string_view, std::size_t> rows;
    std::map<std::string_view, std::size_t> columns;
    std::string const only;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const std::string& panel = panels.empty() ? only : panels[i];
        std::size_t const column = index_of(grid.panels, columns, panel);
        std::size_t const row = index_of(grid.rows, rows, labels[i]);
        check_limit("panels", grid.panels.size(), most_panels, "Leave some out, or draw two pictures.");
        check_limit("bars", grid.rows.size(), 200, "Leave the small ones out, or add them up.");
        if (row == grid.values.size())
            grid.values.emplace_back(most_panels);
        auto& cell = grid.values[row][column];
        if (cell)
            throw Error(ErrorKind::invalid_parameter, "\"" + labels[i] + "\" has two values" +
                                                          (panels.empty() ? "" : " in \"" + panel + "\""));
        cell = values[i];
        grid.low = std::min(grid.low, values[i]);
        grid.high = std::max(grid.high, values[i]);
    }
    if (grid.high - grid.low > 1e300)
        throw Error(ErrorKind::out_of_range, "the values are too far apart to be drawn to one scale");
    return grid;
}

/// Where one panel's bars are: x of zero, units of the picture per unit of value, and the room of numbers
/// on either side.
struct Panel {
    double zero, unit, room_left, room_right;
};

void draw_panel(svg::Picture& picture, const Grid& grid, std::size_t column, const Panel& at, double first) {
    const std::string& panel = grid.panels[column];
    std::string const fill = "f" + std::to_string(column % svg::series.size() + 1);
    for (std::size_t row = 0; row < grid.rows.size(); ++row) {
        auto const& value = grid.values[row][column];
        if (!value)
            continue;
        double const y = first + pitch * static_cast<double>(row);
        double const length = *value * at.unit;
        bool const negative = *value < 0;
        picture.rect(fill, std::min(at.zero, at.zero + length), y, std::max(std::abs(length), *value == 0 ? 0.0 : 1.0),
                     thickness, grid.rows[row] + (panel.empty() ? "" : ", " + panel) + ": " + svg::brief(*value), 2);
        picture.text("t", at.zero + length + (negative ? -5 : 5), y + 15, svg::brief(*value),
                     negative ? svg::Anchor::end : svg::Anchor::start, 13,
                     (negative ? at.room_left : at.room_right) - 5);
    }
    double const bottom = first + pitch * static_cast<double>(grid.rows.size() - 1) + thickness;
    picture.line("a thin", at.zero, first - 3, at.zero, bottom + 3);
}

} // namespace

std::string plot_bars(const Labels& labels, std::span<const double> values, const Labels& panels,
                      std::string_view title, std::string_view name) {
    check_lengths("labels", labels.size(), "values", values.size());
    if (!panels.empty())
        check_lengths("labels", labels.size(), "panels", panels.size());
    check_finite("values", values);
    Grid const grid = arrange(labels, values, panels);

    double label_width = 0;
    double value_width = 0;
    for (auto const& row : grid.rows)
        label_width = std::max(label_width, svg::text_width(row, 14));
    for (double const value : values)
        value_width = std::max(value_width, svg::text_width(svg::brief(value), 13) + 7);
    label_width = std::min(label_width, grid.panels.size() > 3 ? 140.0 : 200.0);
    double const left = svg::margin + label_width + 12;
    auto const count = static_cast<double>(grid.panels.size());
    double const gap = grid.panels.size() > 1 ? 14 : 0;
    double const panel_width = (svg::width - svg::margin - left - gap * (count - 1)) / count;
    // Values stand at the far end of their bars, on the side of zero where the bar is.
    double const room_left = grid.low < 0 ? std::min(value_width, panel_width / 3) : 0;
    double const room_right = std::min(value_width, panel_width / 2); // a number that is cut is whole in its tooltip
    double const room = panel_width - room_left - room_right;
    double const span = grid.high > grid.low ? grid.high - grid.low : 1;

    svg::Picture picture;
    double const top = picture.heading(title, "");
    double const first = top + (panels.empty() ? 0 : 22);
    double const bottom = first + pitch * static_cast<double>(grid.rows.size());
    for (std::size_t row = 0; row < grid.rows.size(); ++row)
        picture.text("t", left - 12, first + pitch * static_cast<double>(row) + 15, grid.rows[row], svg::Anchor::end, 14,
                     label_width);
    for (std::size_t column = 0; column < grid.panels.size(); ++column) {
        double const x = left + (panel_width + gap) * static_cast<double>(column);
        double const zero = x + room_left - grid.low / span * room;
        if (!panels.empty())
            picture.text("t b", x, top + 10, grid.panels[column], svg::Anchor::start, 14, panel_width);
        draw_panel(picture, grid, column, {zero, room / span, room_left, room_right}, first);
    }
    return picture.finish(bottom - pitch + thickness + svg::margin, title.empty() ? name : title,
                          std::string(name) + ": " + std::to_string(grid.rows.size()) + " rows" +
                              (panels.empty() ? "" : " in " + std::to_string(grid.panels.size()) + " panels") + ", from " +
                              svg::brief(*std::min_element(values.begin(), values.end())) + " to " +
                              svg::brief(*std::max_element(values.begin(), values.end())) + ".");
}

} // namespace nurture::report
