#include "core/report/plots.hpp"
#include "core/report/svg.hpp"

#include "core/base/error.hpp"
#include "core/base/time.hpp"

#include <algorithm>
#include <cmath>
#include <array>
#include <map>

namespace nurture::report {
namespace {

constexpr double plot_height = 280;
constexpr double label_pitch = 19;
// Years 1 … 9999: what has a name on the axis.
constexpr Time first_year = -730'119 * one_day;
constexpr Time last_year = 2'921'940 * one_day;

struct Series {
    std::string name;
    std::vector<std::pair<Time, std::int64_t>> points; // in the order of time
};

std::vector<Series> gather(std::span<const std::int64_t> at, const Labels& names, std::span<const std::int64_t> sizes) {
    check_lengths("at", at.size(), "segments", names.size());
    check_lengths("at", at.size(), "sizes", sizes.size());
    check_counts("sizes", sizes);
    check_limit("moments", at.size(), 20'000, "Take one size per hour, day or week, say with date_bin.");
    std::vector<Series> out;
    std::map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < at.size(); ++i) {
        if (at[i] < first_year || at[i] >= last_year)
            throw Error(ErrorKind::out_of_range, "times must be between the years 1 and 9999");
        auto const [place, fresh] = places.try_emplace(names[i], out.size());
        if (fresh)
            out.push_back({names[i], {}});
        out[place->second].points.emplace_back(at[i], sizes[i]);
    }
    check_limit("segments", out.size(), svg::series.size(), "Choose those that matter, or draw two pictures.");
    for (auto& line : out) {
        std::sort(line.points.begin(), line.points.end());
        for (std::size_t i = 1; i < line.points.size(); ++i)
            if (line.points[i].first == line.points[i - 1].first)
                throw Error(ErrorKind::invalid_parameter, "segment \"" + line.name + "\" has two sizes at the same time",
                            "The time is " + svg::moment(line.points[i].first) + ".");
    }
    return out;
}

/// Where labels go that want to be at `wanted` (ascending): as near as possible, none over another, all within bounds.
std::vector<double> spread(std::vector<double> wanted, double top, double bottom) {
    for (std::size_t i = 0; i < wanted.size(); ++i)
        wanted[i] = std::max(wanted[i], i == 0 ? top : wanted[i - 1] + label_pitch);
    for (std::size_t i = wanted.size(); i-- > 0;)
        wanted[i] = std::min(wanted[i], i + 1 == wanted.size() ? bottom : wanted[i + 1] - label_pitch);
    return wanted;
}

struct Frame {
    double left, right, top, bottom;
    Time from, to;
    svg::Scale scale;
    [[nodiscard]] double x(Time t) const {
        return left + static_cast<double>(t - from) / static_cast<double>(to - from) * (right - left);
    }
    [[nodiscard]] double y(double value) const {
        return bottom - (value - scale.low) / (scale.high - scale.low) * (bottom - top);
    }
};

void draw_axes(svg::Picture& picture, const Frame& frame) {
    for (double const value : frame.scale.ticks()) {
        picture.line("g thin", frame.left, frame.y(value), frame.right, frame.y(value));
        picture.text("m", frame.left - 8, frame.y(value) + 5, svg::tick_label(value, frame.scale.step), svg::Anchor::end, 13);
    }
    picture.line("a thin", frame.left, frame.bottom, frame.right, frame.bottom);
    double free_from = frame.left - 24;
    for (auto const& tick : svg::time_ticks(frame.from, frame.to, 6)) {
        double const x = frame.x(tick.at);
        double const half = svg::text_width(tick.label, 13) / 2;
        picture.line("a thin", x, frame.bottom, x, frame.bottom + 5);
        if (x - half < free_from)
            continue;
        picture.text("m", x, frame.bottom + 20, tick.label, svg::Anchor::middle, 13);
        free_from = x + half + 8;
    }
}

void draw_line(svg::Picture& picture, const Frame& frame, const Series& line, const std::string& classes) {
    std::vector<std::array<double, 2>> points;
    for (auto const& [at, size] : line.points) {
        double const x = frame.x(at);
        double const y = frame.y(static_cast<double>(size));
        if (!points.empty())
            points.push_back({x, points.back()[1]});
        points.push_back({x, y});
    }
    points.push_back({frame.right, points.back()[1]});
    picture.path(classes, points, false, line.name + ": " + svg::grouped(line.points.back().second));
}

std::string end_label(const Series& line) { return line.name + "  " + svg::brief(static_cast<double>(line.points.back().second)); }

/// Names stand at the ends of their lines; a label that had to move is led back to its line.
void draw_labels(svg::Picture& picture, const Frame& frame, const std::vector<Series>& lines) {
    std::vector<std::size_t> order(lines.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return lines[a].points.back().second > lines[b].points.back().second;
    });
    std::vector<double> wanted;
    for (std::size_t const i : order)
        wanted.push_back(frame.y(static_cast<double>(lines[i].points.back().second)));
    auto const places = spread(wanted, frame.top, frame.bottom);
    for (std::size_t k = 0; k < order.size(); ++k) {
        std::string const n = std::to_string(order[k] + 1);
        std::array<std::array<double, 2>, 2> const lead{{{frame.right + 2, wanted[k]}, {frame.right + 16, places[k]}}};
        picture.path("l" + n + " thin line", lead, false);
        std::string const value = "  " + svg::brief(static_cast<double>(lines[order[k]].points.back().second));
        double const room = svg::width - svg::margin - frame.right - 21;
        // The number is never cut off, the name may be.
        std::string const name = svg::fit(lines[order[k]].name, 14, room - svg::text_width(value, 14));
        picture.text("f" + n, frame.right + 20, places[k] + 5, name + value, svg::Anchor::start, 14, room);
    }
}

} // namespace

std::string plot_segments(std::span<const std::int64_t> at, const Labels& segments, std::span<const std::int64_t> sizes,
                          std::string_view title) {
    auto const lines = gather(at, segments, sizes);
    double labels = 0;
    for (auto const& line : lines)
        labels = std::max(labels, svg::text_width(end_label(line), 14) + 24);
    auto const [from, to] = std::minmax_element(at.begin(), at.end());
    auto const most = static_cast<double>(*std::max_element(sizes.begin(), sizes.end()));
    Frame frame{};
    frame.scale = svg::scale_for(0, std::max(1.0, most), 5);
    frame.scale.step = std::max(1.0, frame.scale.step);
    frame.scale.high = std::ceil(frame.scale.high / frame.scale.step) * frame.scale.step;
    frame.from = *from;
    frame.to = std::max(*to, *from + one_hour);
    double axis = 0;
    for (double const value : frame.scale.ticks())
        axis = std::max(axis, svg::text_width(svg::tick_label(value, frame.scale.step), 13));
    frame.left = svg::margin + axis + 10;
    frame.right = svg::width - svg::margin - std::min(230.0, labels);

    svg::Picture picture;
    frame.top = picture.heading(title, "") + 6;
    frame.bottom = frame.top + std::max(plot_height, label_pitch * static_cast<double>(lines.size()));
    draw_axes(picture, frame);
    // Colours that some eyes take for one another have different dashes: 1 and 6, 2 and 5, 3 and 7, 4 and 8.
    static constexpr const char* dashes[] = {"", " d2", " d3", " d4", "", " d2", " d4", " d3"};
    for (std::size_t i = 0; i < lines.size(); ++i)
        draw_line(picture, frame, lines[i], "line l" + std::to_string(i + 1) + dashes[i]);
    draw_labels(picture, frame, lines);

    std::string description = "Sizes from " + svg::moment(*from) + " to " + svg::moment(*to) + ".";
    for (auto const& line : lines)
        description += " " + line.name + ": from " + svg::grouped(line.points.front().second) + " to " +
                       svg::grouped(line.points.back().second) + ".";
    return picture.finish(frame.bottom + 30 + svg::margin / 2, title.empty() ? "Segments over time" : title, description);
}

} // namespace nurture::report
