#include "core/report/plots.hpp"
#include "core/report/svg.hpp"

#include "core/analytics/experiment_tests.hpp"
#include "core/base/error.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace nurture::report {
namespace {

constexpr double largest_score = 1e15;
constexpr double counts_height = 190;
constexpr double rates_height = 130;

/// Bands of equal width. Far-out scores would press all others into one band: they share an open band at the end.
struct Bands {
    double low = 0, step = 1;
    bool open_low = false, open_high = false;
    std::vector<std::int64_t> n, positives;

    [[nodiscard]] std::size_t of(double score) const {
        double const k = std::floor((score - low) / step + 1e-9);
        return static_cast<std::size_t>(std::clamp(k, 0.0, static_cast<double>(n.size() - 1)));
    }
    [[nodiscard]] double from(std::size_t i) const { return low + static_cast<double>(i) * step; }
    [[nodiscard]] std::string name(std::size_t i) const {
        auto const bound = [this](double value) { return svg::tick_label(value, step); };
        if (open_high && i + 1 == n.size())
            return bound(from(i)) + " and more";
        if (open_low && i == 0)
            return "less than " + bound(from(1));
        return bound(from(i)) + " to less than " + bound(from(i + 1));
    }
};

double quantile(const std::vector<double>& sorted, double fraction) {
    auto const last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<std::size_t>(std::ceil(last * fraction))];
}

Bands band(const std::vector<double>& sorted) {
    Bands bands;
    double low = sorted.front();
    double high = sorted.back();
    double const q_low = quantile(sorted, 0.01);
    double const q_high = quantile(sorted, 0.99);
    double const spread = q_high - q_low;
    bool const cut_high = spread > 0 && high > q_high + spread;
    bool const cut_low = spread > 0 && low < q_low - spread;
    if (cut_high)
        high = q_high;
    if (cut_low)
        low = q_low;
    // Scores have six decimals: narrower bands would show none the difference. Equal ones get a band of width 1.
    double const widened = low == high ? std::max(1.0, std::abs(low) * 1e-9)
                                       : std::max(high - low, std::max({20e-6, std::abs(low) * 1e-7, std::abs(high) * 1e-7}));
    svg::Scale const scale = svg::scale_for(low, low + widened, low == high ? 1 : 20);
    bands.step = scale.step;
    bands.low = scale.low;
    auto count = std::llround((scale.high - scale.low) / scale.step);
    // The highest score begins a band of its own when it is a bound.
    if (!cut_high && high >= scale.high - scale.step * 1e-9)
        ++count;
    if (cut_low) {
        bands.low -= bands.step;
        ++count;
        bands.open_low = true;
    }
    if (cut_high) {
        ++count;
        bands.open_high = true;
    }
    bands.n.resize(static_cast<std::size_t>(count));
    bands.positives.resize(static_cast<std::size_t>(count));
    return bands;
}

class Drawing {
  public:
    Drawing(std::span<const double> scores, std::span<const std::uint8_t> outcomes, std::string_view title)
        : title_(title), outcomes_(!outcomes.empty()), sorted_(scores.begin(), scores.end()) {
        std::sort(sorted_.begin(), sorted_.end());
        bands_ = band(sorted_);
        for (std::size_t i = 0; i < scores.size(); ++i) {
            std::size_t const k = bands_.of(scores[i]);
            ++bands_.n[k];
            if (outcomes_ && outcomes[i] != 0)
                ++bands_.positives[k];
        }
        for (std::size_t i = 0; i <= bands_.n.size(); ++i)
            label_width_ = std::max(label_width_, svg::text_width(svg::tick_label(bands_.from(i), bands_.step), 13));
        right_ = svg::width - std::max(svg::margin + 6, label_width_ / 2 + 2);
        width_ = (right_ - left) / static_cast<double>(bands_.n.size());
    }

    std::string draw() {
        double const top = picture_.heading(title_, summary()) + 20;
        counts(top, top + counts_height);
        double bottom = top + counts_height;
        axis(bottom);
        bottom += 46;
        if (outcomes_) {
            std::int64_t const all = total(bands_.positives);
            picture_.text("t b", left, bottom + 16, "Share with the outcome, by score", svg::Anchor::start, 14);
            picture_.text("m", left, bottom + 35,
                          "all: " + svg::percent(static_cast<double>(all) / static_cast<double>(sorted_.size())) +
                              "; bars: 95% interval (Wilson)", svg::Anchor::start, 13);
            rates(bottom + 50, bottom + 50 + rates_height);
            bottom += 50 + rates_height;
            axis(bottom);
            bottom += 46;
        }
        return picture_.finish(bottom, title_.empty() ? "Scores" : title_, description());
    }

  private:
    static constexpr double left = svg::margin + 58;

    std::string_view title_;
    bool outcomes_;
    std::vector<double> sorted_;
    Bands bands_;
    double right_ = 0;
    double width_ = 0;
    double label_width_ = 0;
    svg::Picture picture_;

    static std::int64_t total(const std::vector<std::int64_t>& counts) {
        std::int64_t sum = 0;
        for (auto const n : counts)
            sum += n;
        return sum;
    }
    [[nodiscard]] double x(double score) const {
        double const k = (score - bands_.low) / bands_.step;
        return left + std::clamp(k, 0.0, static_cast<double>(bands_.n.size())) * width_;
    }
    [[nodiscard]] std::string summary() const {
        return svg::grouped(static_cast<std::int64_t>(sorted_.size())) + " scores from " + svg::brief(sorted_.front()) +
               " to " + svg::brief(sorted_.back()) + "; the top tenth has " + svg::brief(quantile(sorted_, 0.9)) +
               " or more";
    }

    void levels(const svg::Scale& scale, double top, double bottom, bool shares) {
        for (double const value : scale.ticks()) {
            double const y = bottom - value / scale.high * (bottom - top);
            picture_.line("g thin", left, y, right_, y);
            picture_.text("m", left - 8, y + 5, shares ? svg::percent(value) : svg::tick_label(value, scale.step),
                          svg::Anchor::end, 13);
        }
    }

    void counts(double top, double bottom) {
        auto const most = static_cast<double>(*std::max_element(bands_.n.begin(), bands_.n.end()));
        svg::Scale scale = svg::scale_for(0, most, 4);
        if (scale.step < 1)
            scale = {0, std::ceil(scale.high), 1};
        levels(scale, top, bottom, false);
        double const gap = width_ > 6 ? 2 : 0.5;
        for (std::size_t i = 0; i < bands_.n.size(); ++i) {
            if (bands_.n[i] == 0)
                continue;
            double const height = std::max(1.0, static_cast<double>(bands_.n[i]) / scale.high * (bottom - top));
            picture_.rect("f1", left + static_cast<double>(i) * width_ + gap / 2, bottom - height, width_ - gap, height,
                          bands_.name(i) + ": " + svg::grouped(bands_.n[i]));
        }
        // The median, named where it stands; the name leans to the side that has room.
        double const median = quantile(sorted_, 0.5);
        double const at = x(median);
        picture_.line("k d3", at, top - 14, at, bottom);
        bool const to_the_left = at > (left + right_) / 2;
        picture_.text("t", at + (to_the_left ? -6 : 6), top - 6, "median " + svg::brief(median),
                      to_the_left ? svg::Anchor::end : svg::Anchor::start, 13);
    }

    void rates(double top, double bottom) {
        double highest = 0.01;
        for (std::size_t i = 0; i < bands_.n.size(); ++i)
            if (bands_.n[i] > 0)
                highest = std::max(highest, interval(i).high);
        svg::Scale const scale = svg::scale_for(0, std::min(1.0, highest), 4);
        levels(scale, top, bottom, true);
        auto const y = [&](double rate) { return bottom - rate / scale.high * (bottom - top); };
        for (std::size_t i = 0; i < bands_.n.size(); ++i) {
            if (bands_.n[i] == 0)
                continue;
            double const middle = left + (static_cast<double>(i) + 0.5) * width_;
            auto const bounds = interval(i);
            double const rate = static_cast<double>(bands_.positives[i]) / static_cast<double>(bands_.n[i]);
            picture_.line("l2 line", middle, y(bounds.low), middle, y(bounds.high));
            picture_.circle("f2", middle, y(rate), std::clamp(width_ / 4, 2.0, 5.0),
                            bands_.name(i) + ": " + svg::percent(rate) + ", " + svg::grouped(bands_.positives[i]) +
                                " of " + svg::grouped(bands_.n[i]));
        }
    }
    [[nodiscard]] analytics::Bounds interval(std::size_t i) const {
        return *analytics::wilson_interval({bands_.positives[i], bands_.n[i]}, 0.95);
    }

    /// The bounds of the bands, as many as have room; open ends by their name.
    void axis(double y) {
        picture_.line("a thin", left, y, right_, y);
        std::size_t const first = bands_.open_low ? 1 : 0;
        std::size_t const last = bands_.n.size() - (bands_.open_high ? 1 : 0);
        std::size_t every = 1;
        for (std::size_t const n : {1, 2, 4, 5, 10, 20, 50, 100})
            if (every = n; static_cast<double>(n) * width_ >= label_width_ + 12)
                break;
        // Aligned to multiples of the labelled step, so that zero is labelled where it is seen.
        double const unit = bands_.step * static_cast<double>(every);
        for (std::size_t i = first; i <= last; ++i) {
            double const value = bands_.from(i);
            bool const end = (i == last && bands_.open_high) || (i == first && bands_.open_low);
            if (!end && std::abs(value / unit - std::round(value / unit)) > 1e-6)
                continue;
            // An open end's label has its place; its neighbour gives way.
            double const from_end = bands_.open_high ? static_cast<double>(last - i) * width_ : 1e9;
            double const from_start = bands_.open_low ? static_cast<double>(i - first) * width_ : 1e9;
            if (!end && std::min(from_end, from_start) < label_width_ + 30)
                continue;
            double const at = left + static_cast<double>(i) * width_;
            picture_.line("a thin", at, y, at, y + 5);
            std::string label = svg::tick_label(value, bands_.step);
            if (end)
                label = i == last && bands_.open_high ? "\u2265 " + label : "< " + label;
            picture_.text("m", at, y + 20, label, svg::Anchor::middle, 13);
        }
    }

    [[nodiscard]] std::string description() const {
        std::string out = "Histogram of " + summary() + "; median " + svg::brief(quantile(sorted_, 0.5)) + ".";
        if (outcomes_)
            out += " Beneath it the share with the outcome in each band.";
        return out;
    }
};

} // namespace

std::string plot_scores(std::span<const double> scores, std::span<const std::uint8_t> outcomes, std::string_view title) {
    if (!outcomes.empty())
        check_lengths("scores", scores.size(), "outcomes", outcomes.size());
    check_lengths("scores", scores.size(), "scores", scores.size());
    check_finite("scores", scores);
    for (double const score : scores)
        if (std::abs(score) > largest_score)
            throw Error(ErrorKind::out_of_range, "scores must be between -10^15 and 10^15");
    return Drawing(scores, outcomes, title).draw();
}

} // namespace nurture::report
