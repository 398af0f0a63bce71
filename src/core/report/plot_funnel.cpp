#include "core/report/plots.hpp"
#include "core/report/svg.hpp"

#include <algorithm>
#include <array>

namespace nurture::report {
namespace {

constexpr double pitch = 62;
constexpr double thickness = 36;

double share_of(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}
std::string percent_of(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? "\u2013" : svg::percent(share_of(part, whole));
}

std::string going_on(std::int64_t before, std::int64_t now) {
    if (before == 0)
        return "nobody was left";
    std::string text = percent_of(now, before) + " go on";
    if (before > now)
        text += ", " + svg::grouped(before - now) + " do not";
    return text;
}

std::string describe(const Labels& labels, std::span<const std::int64_t> reached) {
    std::string out;
    for (std::size_t i = 0; i < labels.size(); ++i)
        out += (i == 0 ? "" : "; ") + labels[i] + ": " + svg::grouped(reached[i]) +
               (i == 0 ? "" : " (" + percent_of(reached[i], reached[0]) + " of the first step)");
    return out + ".";
}

} // namespace

std::string plot_funnel(const Labels& labels, std::span<const std::int64_t> reached, std::string_view title) {
    check_lengths("labels", labels.size(), "reached", reached.size());
    check_counts("reached", reached);
    check_limit("steps", labels.size(), 64, "A funnel has at most 32 steps.");

    double label_width = 0;
    double count_width = svg::text_width("reached", 14);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        label_width = std::max(label_width, svg::text_width(labels[i], 15));
        count_width = std::max(count_width, svg::text_width(svg::grouped(reached[i]), 15) * 1.05);
    }
    label_width = std::min(label_width, 240.0);
    double const share_x = svg::width - svg::margin;
    double const count_x = share_x - 84;
    double const left = svg::margin + label_width + 14;
    double const room = count_x - count_width - 14 - left;
    auto const widest = static_cast<double>(std::max<std::int64_t>(1, *std::max_element(reached.begin(), reached.end())));
    auto const bar = [&](std::int64_t n) { return static_cast<double>(n) / widest * room; };

    svg::Picture picture;
    double y = picture.heading(title, "");
    picture.text("m", count_x, y + 10, "reached", svg::Anchor::end, 14);
    picture.text("m", share_x, y + 10, "of first", svg::Anchor::end, 14);
    y += 22;
    for (std::size_t i = 0; i < labels.size(); ++i, y += pitch) {
        double const base = y + thickness / 2 + 5;
        picture.text("t", left - 14, base, labels[i], svg::Anchor::end, 15, label_width);
        if (i + 1 < labels.size()) {
            std::array<std::array<double, 2>, 4> const slope{{{left, y + thickness},
                                                              {left + bar(reached[i]), y + thickness},
                                                              {left + bar(reached[i + 1]), y + pitch},
                                                              {left, y + pitch}}};
            picture.path("f1 w", slope, true);
            picture.text("m", left + 8, y + (thickness + pitch) / 2 + 5, going_on(reached[i], reached[i + 1]),
                         svg::Anchor::start, 14, share_x - left - 8);
        }
        // Somebody is always more than nothing.
        double const length = reached[i] == 0 ? 0 : std::max(1.5, bar(reached[i]));
        picture.rect("f1", left, y, length, thickness,
                     labels[i] + ": " + svg::grouped(reached[i]) + ", " + percent_of(reached[i], reached[0]) +
                         " of the first step",
                     2);
        picture.text("t b", count_x, base, svg::grouped(reached[i]), svg::Anchor::end, 15);
        picture.text("t", share_x, base, percent_of(reached[i], reached[0]), svg::Anchor::end, 15);
    }
    return picture.finish(y - (pitch - thickness) + svg::margin, title.empty() ? "Funnel" : title,
                          "Funnel. " + describe(labels, reached));
}

} // namespace nurture::report
