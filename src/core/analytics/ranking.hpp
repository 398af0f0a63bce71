#pragma once
// How good a score is: the outcomes of many subjects by their scores, and what is measured on them. Also
// percentiles of weighted values.
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/decimal.hpp"

namespace nurture::analytics {

/// One distinct score: how many subjects had it, and how many of them converted.
struct ScoreGroup {
    double score = 0;
    std::int64_t n = 0;
    std::int64_t positives = 0;
};

/// Collects scores and outcomes in any order; the bytes depend on the set of subjects alone.
class ScoreQuality {
public:
    static constexpr std::size_t max_scores = 16'000'000;

    explicit ScoreQuality(std::pmr::memory_resource* memory) : groups_(memory) {}
    ScoreQuality(const ScoreQuality&) = delete;
    ScoreQuality& operator=(const ScoreQuality&) = delete;

    /// Throws out_of_range for a score that is not finite, limit_exceeded beyond max_scores distinct ones.
    void add(double score, bool positive);
    void merge(const ScoreQuality& other);
    void merge(std::string_view bytes);
    [[nodiscard]] std::string encode() const;

private:
    std::pmr::vector<ScoreGroup> groups_; // in any order, scores may repeat
    std::size_t compacted_ = 0;

    void add_group(const ScoreGroup& group);
};

[[nodiscard]] std::string encode_scores(const std::vector<ScoreGroup>& groups);
/// The validator of encoded summaries: distinct scores, ascending, at least one.
[[nodiscard]] std::vector<ScoreGroup> decode_scores(std::string_view bytes);

/// One measure of quality; what cannot be measured is empty.
struct Measure {
    std::string name;
    std::optional<double> value;
    std::optional<double> low;
    std::optional<double> high;
    std::string source;
};
/// Number, rate, AUC, Gini, Kolmogorov-Smirnov, Brier score and skill, log loss.
[[nodiscard]] std::vector<Measure> measure_scores(const std::vector<ScoreGroup>& groups, double confidence);

/// Subjects of neighbouring scores.
struct ScoreBand {
    int band = 0; ///< 1 has the highest scores
    double lowest = 0;
    double highest = 0;
    double mean = 0; ///< of the scores
    std::int64_t n = 0;
    std::int64_t positives = 0;
    std::int64_t n_so_far = 0; ///< this band and all better ones
    std::int64_t positives_so_far = 0;
};
/// Cuts the subjects, best scores first, into bands of equal size. Equal scores are never parted: all go
/// where the first of them goes, so bands may be uneven and some may be missing.
[[nodiscard]] std::vector<ScoreBand> score_bands(const std::vector<ScoreGroup>& groups, int bands);
/// Cuts [0, 1] into bins of equal width (the last one closed), for scores that are probabilities; empty bins
/// are left out and `band` counts from the lowest. Throws invalid_parameter for scores outside [0, 1].
[[nodiscard]] std::vector<ScoreBand> calibration_bins(const std::vector<ScoreGroup>& groups, int bins);

/// Values with weights, for one percentile.
class WeightedPercentile {
public:
    explicit WeightedPercentile(Micro fraction, std::pmr::memory_resource* memory)
        : fraction_(fraction), values_(memory) {}
    WeightedPercentile(const WeightedPercentile&) = delete;
    WeightedPercentile& operator=(const WeightedPercentile&) = delete;

    [[nodiscard]] Micro fraction() const noexcept { return fraction_; }
    /// Throws invalid_parameter for a negative weight; a weight of 0 counts for nothing.
    void add(Micro value, Micro weight);
    void merge(const WeightedPercentile& other);
    /// The smallest value at which the weight up to and including it reaches the fraction of the whole
    /// weight; empty without weight.
    [[nodiscard]] std::optional<Micro> result() const;

    [[nodiscard]] std::string encode() const;
    void merge(std::string_view bytes);
    [[nodiscard]] static Micro fraction_in(std::string_view bytes);

private:
    Micro fraction_;
    std::pmr::vector<std::pair<Micro, Wide>> values_; // in any order, values may repeat
    std::size_t compacted_ = 0;

    void add_weight(Micro value, Wide weight);
};

} // namespace nurture::analytics
