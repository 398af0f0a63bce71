#pragma once
// Pictures as SVG text: numbers and labels as people read them, and a writer that keeps the text well-formed.
// All text is UTF-8 coming in and ASCII going out (character references beyond it), so that a picture survives every
// encoding of a database, a client and a page.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::report::svg {

/// The width of every picture in its own units; the height follows from what is drawn.
inline constexpr double width = 720;
inline constexpr double margin = 16;

/// Text as it may stand between tags and in attributes of XML and HTML: markup and everything beyond ASCII as character
/// references; what XML forbids, and what is not UTF-8, becomes U+FFFD.
[[nodiscard]] std::string escape(std::string_view utf8);

/// An upper estimate of how wide a text is drawn, in units of the picture.
[[nodiscard]] double text_width(std::string_view utf8, double size);
/// The text, or as much of its beginning as fits with an ellipsis behind it.
[[nodiscard]] std::string fit(std::string_view utf8, double size, double room);

/// 1,234,567.
[[nodiscard]] std::string grouped(std::int64_t n);
/// At most 4 significant digits: 1,234, 123 k, 4.57 M, 0.013; the exact number is for tooltips.
[[nodiscard]] std::string brief(double value);
/// 61.7%; never 0% for something, nor 100% for less than all.
[[nodiscard]] std::string percent(double share);
/// A number with no more decimals than a tick of this step needs.
[[nodiscard]] std::string tick_label(double value, double step);

/// Round steps (1, 2, 2.5 or 5 times a power of ten).
struct Scale {
    double low = 0, high = 1, step = 1;
    [[nodiscard]] std::vector<double> ticks() const;
};
/// The scale that holds low … high with about `count` steps; the ends are ticks.
[[nodiscard]] Scale scale_for(double low, double high, int count);

struct TimeTick {
    std::int64_t at;
    std::string label;
};
/// Round moments (hours, days, months, years) within [from, to], at most about `count`; microseconds since 2000.
[[nodiscard]] std::vector<TimeTick> time_ticks(std::int64_t from, std::int64_t to, int count);
/// 3 Mar 2026, with the time of the day unless it is midnight.
[[nodiscard]] std::string moment(std::int64_t at);

/// A colour and what it becomes on a dark background.
struct Colour {
    std::uint32_t light, dark;
};
inline constexpr Colour background{0xffffff, 0x14181d};
inline constexpr Colour ink{0x1b1f24, 0xe8ebee};
inline constexpr Colour muted{0x57606a, 0xa3adb8};
inline constexpr Colour grid{0xdde1e6, 0x333b44};
/// The first four stay apart in protan, deutan and tritan vision (simulated after Machado, Oliveira and Fernandes, 2009:
/// CIE76 distance 11 or more); of the others some pairs do not, so lines differ in their dashes and are named. After Okabe
/// and Ito, "Color Universal Design" (2008), darkened (on white) or lightened (on black) to a contrast of 4.5:1 (WCAG 2.1).
inline constexpr std::array<Colour, 8> series{{{0x0072b2, 0x56b4e9},
                                               {0xc24e00, 0xf2935a},
                                               {0x00805f, 0x2fc79a},
                                               {0xa8467f, 0xe39fc5},
                                               {0x806600, 0xe6c84a},
                                               {0x4a4fb3, 0xa6acf5},
                                               {0x8a3b2a, 0xd98c7a},
                                               {0x50585f, 0xb9c2cb}}};
/// The ramp of the heat map in 11 steps: pale to deep on white, deep to bright on black.
inline constexpr int ramp_steps = 11;
[[nodiscard]] Colour ramp(int step);
/// Black or white, whichever reads better on this colour.
[[nodiscard]] std::uint32_t ink_on(std::uint32_t colour);
/// Contrast of two colours, 1 … 21, as WCAG 2.1 defines it.
[[nodiscard]] double contrast(std::uint32_t a, std::uint32_t b);

enum class Anchor { start, middle, end };

/// Gathers the elements of a picture; classes are those of the style sheet that goes with every picture.
class Picture {
  public:
    void rect(std::string_view classes, double x, double y, double w, double h, std::string_view tip = {},
              double radius = 0);
    void line(std::string_view classes, double x1, double y1, double x2, double y2);
    void circle(std::string_view classes, double x, double y, double r, std::string_view tip = {});
    void path(std::string_view classes, std::span<const std::array<double, 2>> points, bool closed,
              std::string_view tip = {});
    /// A line of text that ends, begins or has its middle at x, no wider than `room`: cut with an ellipsis, and then with
    /// the whole of it as its tooltip.
    void text(std::string_view classes, double x, double y, std::string_view text, Anchor anchor = Anchor::start,
              double size = 14, double room = svg::width);
    /// The heading, unless it is empty, and beneath it a line in small print; returns where the picture goes on.
    double heading(std::string_view title, std::string_view subtitle);

    /// The whole picture: an accessible name and description, the style sheet, the elements.
    [[nodiscard]] std::string finish(double height, std::string_view title, std::string_view description,
                                     double wide = svg::width) const;

  private:
    std::string body_;

    void tag(std::string_view name, std::string_view classes);
    void attribute(std::string_view name, double value);
    void close(std::string_view name, std::string_view tip);
};

} // namespace nurture::report::svg
