#include "core/report/svg.hpp"

#include <algorithm>
#include <cmath>

namespace nurture::report::svg {
namespace {

void append_number(std::string& out, double value) {
    // Hundredths, without the printf family: it would write the locale's decimal point.
    auto const hundredths = static_cast<std::int64_t>(std::llround(value * 100));
    if (hundredths < 0)
        out += '-';
    std::int64_t const magnitude = std::abs(hundredths);
    out += std::to_string(magnitude / 100);
    if (magnitude % 100 != 0) {
        out += '.';
        out += static_cast<char>('0' + magnitude / 10 % 10);
        if (magnitude % 10 != 0)
            out += static_cast<char>('0' + magnitude % 10);
    }
}

std::string hex(std::uint32_t colour) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out = "#";
    for (int shift = 20; shift >= 0; shift -= 4)
        out += digits[colour >> shift & 15];
    return out;
}

void append_colours(std::string& out, bool dark) {
    auto const pick = [dark](Colour c) { return dark ? c.dark : c.light; };
    auto const rule = [&](std::string_view name, std::string_view property, std::uint32_t colour) {
        out.append(".nurture-plot .").append(name).append("{").append(property).append(":").append(hex(colour)).append("}");
    };
    rule("bg", "fill", pick(background));
    rule("t", "fill", pick(ink));
    rule("m", "fill", pick(muted));
    rule("g", "stroke", pick(grid));
    rule("a", "stroke", pick(muted));
    rule("k", "stroke", pick(ink));
    for (std::size_t i = 0; i < series.size(); ++i) {
        std::string const n = std::to_string(i + 1);
        rule("f" + n, "fill", pick(series[i]));
        rule("l" + n, "stroke", pick(series[i]));
    }
    for (int i = 0; i < ramp_steps; ++i) {
        std::string const n = std::to_string(i);
        rule("r" + n, "fill", pick(ramp(i)));
        rule("i" + n, "fill", ink_on(pick(ramp(i))));
    }
}

const std::string& style_sheet() {
    static const std::string text = [] {
        std::string out = "<style>.nurture-plot{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',"
                          "'DejaVu Sans',sans-serif;font-variant-numeric:tabular-nums}"
                          ".nurture-plot .b{font-weight:600}.nurture-plot .w{opacity:.16}"
                          ".nurture-plot .line{fill:none;stroke-width:2.5;stroke-linejoin:round}"
                          ".nurture-plot .thin{stroke-width:1}.nurture-plot .k{stroke-width:1.5}.nurture-plot .d2{stroke-dasharray:9 4}"
                          ".nurture-plot .d3{stroke-dasharray:3 3}.nurture-plot .d4{stroke-dasharray:12 4 3 4}";
        append_colours(out, false);
        out += "@media (prefers-color-scheme:dark){";
        append_colours(out, true);
        return out + "}</style>";
    }();
    return text;
}

} // namespace

void Picture::attribute(std::string_view name, double value) {
    body_.append(" ").append(name).append("=\"");
    append_number(body_, value);
    body_ += '"';
}

void Picture::tag(std::string_view name, std::string_view classes) {
    body_.append("<").append(name).append(" class=\"").append(classes).append("\"");
}

void Picture::close(std::string_view name, std::string_view tip) {
    if (tip.empty()) {
        body_ += "/>\n";
        return;
    }
    body_.append("><title>").append(escape(tip)).append("</title></").append(name).append(">\n");
}

void Picture::rect(std::string_view classes, double x, double y, double w, double h, std::string_view tip, double radius) {
    tag("rect", classes);
    attribute("x", x);
    attribute("y", y);
    attribute("width", std::max(0.0, w));
    attribute("height", std::max(0.0, h));
    if (radius > 0)
        attribute("rx", radius);
    close("rect", tip);
}

void Picture::line(std::string_view classes, double x1, double y1, double x2, double y2) {
    tag("line", classes);
    attribute("x1", x1);
    attribute("y1", y1);
    attribute("x2", x2);
    attribute("y2", y2);
    close("line", {});
}

void Picture::circle(std::string_view classes, double x, double y, double r, std::string_view tip) {
    tag("circle", classes);
    attribute("cx", x);
    attribute("cy", y);
    attribute("r", r);
    close("circle", tip);
}

void Picture::path(std::string_view classes, std::span<const std::array<double, 2>> points, bool closed,
                   std::string_view tip) {
    tag("path", classes);
    body_ += " d=\"";
    char command = 'M';
    for (auto const& [x, y] : points) {
        body_ += command;
        append_number(body_, x);
        body_ += ' ';
        append_number(body_, y);
        command = 'L';
    }
    body_ += closed ? "Z\"" : "\"";
    close("path", tip);
}

void Picture::text(std::string_view classes, double x, double y, std::string_view text, Anchor anchor, double size,
                   double room) {
    std::string const shown = fit(text, size, room);
    tag("text", classes);
    attribute("x", x);
    attribute("y", y);
    attribute("font-size", size);
    if (anchor != Anchor::start)
        body_ += anchor == Anchor::end ? " text-anchor=\"end\"" : " text-anchor=\"middle\"";
    body_.append(">").append(escape(shown));
    if (shown != text)
        body_.append("<title>").append(escape(text)).append("</title>");
    body_ += "</text>\n";
}

double Picture::heading(std::string_view title, std::string_view subtitle) {
    double y = margin;
    if (!title.empty()) {
        text("t b", margin, y + 14, title, Anchor::start, 19, width - 2 * margin);
        y += 24;
    }
    if (!subtitle.empty()) {
        text("m", margin, y + 13, subtitle, Anchor::start, 14, width - 2 * margin);
        y += 22;
    }
    return y + 8;
}

std::string Picture::finish(double height, std::string_view title, std::string_view description, double wide) const {
    std::string size;
    append_number(size, wide);
    std::string tall;
    append_number(tall, height);
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"nurture-plot\" role=\"img\" viewBox=\"0 0 " + size +
                      " " + tall + "\" width=\"" + size + "\" height=\"" + tall + "\">\n<title>" + escape(title) +
                      "</title>\n<desc>" + escape(description) + "</desc>\n" + style_sheet() +
                      "\n<rect class=\"bg\" x=\"0\" y=\"0\" width=\"" + size + "\" height=\"" + tall + "\"/>\n";
    return out + body_ + "</svg>";
}

} // namespace nurture::report::svg
