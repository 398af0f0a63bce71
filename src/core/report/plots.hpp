#pragma once
// The pictures: labels and numbers in, SVG text out. Each throws Error(invalid_parameter) for numbers that cannot be
// drawn and Error(limit_exceeded) for more than can be read.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::report {

using Labels = std::vector<std::string>;

/// A bar per step: how many came this far, their share of the first step, and who went on.
[[nodiscard]] std::string plot_funnel(const Labels& labels, std::span<const std::int64_t> reached, std::string_view title);

/// A heat map, cohorts down and periods across. `members` may be empty; else their weighted mean is drawn, too.
[[nodiscard]] std::string plot_retention(const Labels& cohorts, std::span<const std::int32_t> periods,
                                         std::span<const double> shares, std::span<const std::int64_t> members,
                                         std::string_view title);

/// A histogram; with outcomes (empty: none) beneath it the share of them in each of its bands, with Wilson's interval.
[[nodiscard]] std::string plot_scores(std::span<const double> scores, std::span<const std::uint8_t> outcomes,
                                      std::string_view title);

/// Bars by label; with `panels` (empty: none) a column of them for each, all to the same scale.
[[nodiscard]] std::string plot_bars(const Labels& labels, std::span<const double> values, const Labels& panels,
                                    std::string_view title, std::string_view name = "Bars");

/// Sizes over time (microseconds since 2000) as steps: each holds until the next is known.
[[nodiscard]] std::string plot_segments(std::span<const std::int64_t> at, const Labels& segments,
                                        std::span<const std::int64_t> sizes, std::string_view title);

/// Error when two arrays that belong together differ in length, or are empty.
void check_lengths(std::string_view first, std::size_t n, std::string_view second, std::size_t m);
/// Error for what is no finite number.
void check_finite(std::string_view name, std::span<const double> values);
/// Error for counts below 0.
void check_counts(std::string_view name, std::span<const std::int64_t> values);
/// Error for more things than a picture can show.
void check_limit(std::string_view name, std::size_t n, std::size_t limit, std::string_view hint);

} // namespace nurture::report
