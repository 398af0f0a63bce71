#include "core/analytics/ranking.hpp"

#include <algorithm>
#include <bit>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "core/base/varint.hpp"

namespace nurture::analytics {

namespace {

constexpr char format_version = 1;

// Doubles as integers in the same order.
std::uint64_t rank_of(double value) noexcept {
    auto const bits = std::bit_cast<std::uint64_t>(value);
    return (bits >> 63) != 0 ? ~bits : bits | std::uint64_t{1} << 63;
}

double of_rank(std::uint64_t rank) noexcept {
    return std::bit_cast<double>((rank >> 63) != 0 ? rank & ~(std::uint64_t{1} << 63) : ~rank);
}

template <class List>
void compact(List& groups) {
    std::sort(groups.begin(), groups.end(), [](auto const& a, auto const& b) { return a.score < b.score; });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (kept > 0 && groups[kept - 1].score == groups[i].score) {
            groups[kept - 1].n += groups[i].n;
            groups[kept - 1].positives += groups[i].positives;
        } else {
            groups[kept++] = groups[i];
        }
    }
    groups.resize(kept);
}

[[noreturn]] void too_many(std::size_t limit, const char* hint) {
    throw Error(ErrorKind::limit_exceeded, "too many distinct values",
                "At most " + std::to_string(limit) + " distinct values are kept.", hint);
}

template <class List>
void compact_weights(List& values) {
    std::sort(values.begin(), values.end());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (kept > 0 && values[kept - 1].first == values[i].first) {
            if (__builtin_add_overflow(values[kept - 1].second, values[i].second, &values[kept - 1].second))
                throw Error(ErrorKind::out_of_range, "sum of weights out of range");
        } else {
            values[kept++] = values[i];
        }
    }
    values.resize(kept);
}

} // namespace

void ScoreQuality::add_group(const ScoreGroup& group) {
    groups_.push_back(group);
    if (groups_.size() < 2 * compacted_ + 1024)
        return;
    compact(groups_);
    compacted_ = groups_.size();
    if (compacted_ > max_scores)
        too_many(max_scores, "Round the scores, for instance to four decimals.");
}

void ScoreQuality::add(double score, bool positive) {
    if (!std::isfinite(score))
        throw Error(ErrorKind::out_of_range, "score must be finite");
    add_group({score == 0 ? 0.0 : score, 1, positive ? 1 : 0}); // -0 is 0
}

void ScoreQuality::merge(const ScoreQuality& other) {
    for (auto const& group : other.groups_)
        add_group(group);
}

void ScoreQuality::merge(std::string_view bytes) {
    for (auto const& group : decode_scores(bytes))
        add_group(group);
}

std::string ScoreQuality::encode() const {
    std::vector<ScoreGroup> groups(groups_.begin(), groups_.end());
    compact(groups);
    return encode_scores(groups);
}

// version, number of distinct scores; the first as its rank, then gaps of rank; each with n and positives.
std::string encode_scores(const std::vector<ScoreGroup>& groups) {
    std::string out(1, format_version);
    put_varint(out, groups.size());
    std::uint64_t last = 0;
    for (auto const& group : groups) {
        put_varint(out, rank_of(group.score) - last);
        put_varint(out, static_cast<std::uint64_t>(group.n));
        put_varint(out, static_cast<std::uint64_t>(group.positives));
        last = rank_of(group.score);
    }
    return out;
}

std::vector<ScoreGroup> decode_scores(std::string_view bytes) {
    VarintReader reader(bytes, "summary of scores");
    reader.version(format_version);
    std::vector<ScoreGroup> groups(reader.count());
    if (groups.empty())
        reader.corrupt("There are no scores.");
    UnsignedWide rank = 0;
    Wide subjects = 0;
    for (auto& group : groups) {
        UnsignedWide const gap = reader.varint(64);
        rank += gap;
        if (gap == 0 || rank > UINT64_MAX)
            reader.corrupt("The scores are not in order.");
        group.score = of_rank(static_cast<std::uint64_t>(rank));
        group.n = static_cast<std::int64_t>(reader.varint(63));
        group.positives = static_cast<std::int64_t>(reader.varint(63));
        subjects += group.n;
        bool const negative_zero = group.score == 0 && std::signbit(group.score);
        if (!std::isfinite(group.score) || negative_zero)
            reader.corrupt("A score is not finite.");
        if (group.n == 0 || group.positives > group.n || subjects > INT64_MAX / 2)
            reader.corrupt("The numbers of a score are out of range.");
    }
    reader.finish();
    return groups;
}

namespace {

struct Sums {
    long double n = 0;
    long double positives = 0;
    long double pairs_won = 0; // a positive above a negative; ties count half
    long double ks = 0;        // the greatest distance of the two distribution functions
    long double brier = 0;
    long double log_loss = 0;
    bool probabilities = true;
};

Sums sum_up(const std::vector<ScoreGroup>& groups) {
    Sums sums;
    long double positives_below = 0;
    long double negatives_below = 0;
    std::vector<long double> distances;
    for (auto const& group : groups) {
        auto const positives = static_cast<long double>(group.positives);
        auto const negatives = static_cast<long double>(group.n) - positives;
        sums.pairs_won += positives * (negatives_below + negatives / 2);
        positives_below += positives;
        negatives_below += negatives;
        auto const score = static_cast<long double>(group.score);
        sums.probabilities = sums.probabilities && score >= 0 && score <= 1;
        sums.brier += positives * (1 - score) * (1 - score) + negatives * score * score;
        if (sums.probabilities) {
            sums.log_loss -= positives > 0 ? positives * std::log(score) : 0;
            sums.log_loss -= negatives > 0 ? negatives * std::log1p(-score) : 0;
        }
    }
    sums.positives = positives_below;
    sums.n = positives_below + negatives_below;
    long double positives_so_far = 0;
    long double negatives_so_far = 0;
    for (auto const& group : groups) {
        positives_so_far += static_cast<long double>(group.positives);
        negatives_so_far += static_cast<long double>(group.n - group.positives);
        if (positives_below > 0 && negatives_below > 0)
            sums.ks = std::max(
                sums.ks, std::fabs(negatives_so_far / negatives_below - positives_so_far / positives_below));
    }
    return sums;
}

// J. A. Hanley, B. J. McNeil, "The meaning and use of the area under a receiver operating characteristic
// (ROC) curve", Radiology 143 (1982), formula 1 and 2.
double auc_error(double auc, double positives, double negatives) {
    double const q1 = auc / (2 - auc);
    double const q2 = 2 * auc * auc / (1 + auc);
    return std::sqrt(
        (auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)) /
        (positives * negatives));
}

} // namespace

std::vector<Measure> measure_scores(const std::vector<ScoreGroup>& groups, double confidence) {
    if (!(confidence > 0 && confidence < 1))
        throw Error(ErrorKind::invalid_parameter, "confidence must be between 0 and 1");
    Sums const sums = sum_up(groups);
    auto const positives = static_cast<double>(sums.positives);
    auto const negatives = static_cast<double>(sums.n - sums.positives);
    long double const rate = sums.positives / sums.n;
    Measure auc{"AUC", {}, {}, {}, "Hanley, McNeil (1982)"};
    Measure gini{"Gini", {}, {}, {}, "2 AUC - 1"};
    Measure ks{"Kolmogorov-Smirnov", {}, {}, {}, "Kolmogorov (1933), Smirnov (1939)"};
    if (positives > 0 && negatives > 0) {
        auc.value = static_cast<double>(sums.pairs_won / sums.positives / (sums.n - sums.positives));
        double const half =
            auc_error(*auc.value, positives, negatives) *
            boost::math::quantile(boost::math::complement(boost::math::normal(), (1 - confidence) / 2));
        auc.low = std::max(0.0, *auc.value - half);
        auc.high = std::min(1.0, *auc.value + half);
        gini.value = 2 * *auc.value - 1;
        ks.value = static_cast<double>(sums.ks);
    }
    Measure brier{"Brier score", {}, {}, {}, "Brier (1950)"};
    Measure skill{"Brier skill", {}, {}, {}, "1 - Brier / (rate (1 - rate))"};
    Measure log_loss{"log loss", {}, {}, {}, "Good (1952)"};
    if (sums.probabilities) {
        brier.value = static_cast<double>(sums.brier / sums.n);
        if (rate > 0 && rate < 1)
            skill.value = static_cast<double>(1 - sums.brier / sums.n / (rate * (1 - rate)));
        if (std::isfinite(sums.log_loss))
            log_loss.value = static_cast<double>(sums.log_loss / sums.n);
    }
    return {{"subjects", static_cast<double>(sums.n), {}, {}, "count"},
            {"positives", positives, {}, {}, "count"},
            {"rate", static_cast<double>(rate), {}, {}, "positives / subjects"},
            auc,
            gini,
            ks,
            brier,
            skill,
            log_loss};
}

namespace {

void check_bands(int bands) {
    if (bands < 1 || bands > 10'000)
        throw Error(ErrorKind::invalid_parameter, "number of bands must be between 1 and 10000");
}

// Adds a group to the last band, or begins a new one.
void put_in_band(std::vector<ScoreBand>& result, std::vector<long double>& sums, int band,
                 const ScoreGroup& group) {
    if (result.empty() || result.back().band != band) {
        ScoreBand next;
        next.band = band;
        next.lowest = next.highest = group.score;
        if (!result.empty()) {
            next.n_so_far = result.back().n_so_far;
            next.positives_so_far = result.back().positives_so_far;
        }
        result.push_back(next);
        sums.push_back(0);
    }
    ScoreBand& last = result.back();
    last.lowest = std::min(last.lowest, group.score);
    last.highest = std::max(last.highest, group.score);
    last.n += group.n;
    last.positives += group.positives;
    last.n_so_far += group.n;
    last.positives_so_far += group.positives;
    sums.back() += static_cast<long double>(group.score) * static_cast<long double>(group.n);
}

void set_means(std::vector<ScoreBand>& result, const std::vector<long double>& sums) {
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i].mean = static_cast<double>(sums[i] / static_cast<long double>(result[i].n));
}

} // namespace

std::vector<ScoreBand> score_bands(const std::vector<ScoreGroup>& groups, int bands) {
    check_bands(bands);
    Wide n = 0;
    for (auto const& group : groups)
        n += group.n;
    std::vector<ScoreBand> result;
    std::vector<long double> sums;
    Wide before = 0;
    for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
        put_in_band(result, sums, static_cast<int>(before * bands / n) + 1, *group);
        before += group->n;
    }
    set_means(result, sums);
    return result;
}

std::vector<ScoreBand> calibration_bins(const std::vector<ScoreGroup>& groups, int bins) {
    check_bands(bins);
    std::vector<ScoreBand> result;
    std::vector<long double> sums;
    for (auto const& group : groups) {
        if (group.score < 0 || group.score > 1)
            throw Error(ErrorKind::invalid_parameter, "calibration needs scores between 0 and 1",
                        "The scores must be probabilities.");
        auto bin = std::min(static_cast<int>(group.score * bins), bins - 1);
        auto const bound = [&](int k) { return static_cast<double>(k) / bins; }; // as the bins are shown
        if (bin > 0 && group.score < bound(bin))
            --bin;
        else if (bin + 1 < bins && group.score >= bound(bin + 1))
            ++bin;
        put_in_band(result, sums, bin + 1, group);
    }
    set_means(result, sums);
    return result;
}

void WeightedPercentile::add_weight(Micro value, Wide weight) {
    values_.emplace_back(value, weight);
    if (values_.size() < 2 * compacted_ + 1024)
        return;
    compact_weights(values_);
    compacted_ = values_.size();
    if (compacted_ > ScoreQuality::max_scores)
        too_many(ScoreQuality::max_scores, "Round the values.");
}

void WeightedPercentile::add(Micro value, Micro weight) {
    if (weight < 0)
        throw Error(ErrorKind::invalid_parameter, "weight must not be negative");
    if (weight > 0)
        add_weight(value, weight);
}

void WeightedPercentile::merge(const WeightedPercentile& other) {
    for (auto const& [value, weight] : other.values_)
        add_weight(value, weight);
}

std::optional<Micro> WeightedPercentile::result() const {
    std::vector<std::pair<Micro, Wide>> values(values_.begin(), values_.end());
    compact_weights(values);
    Wide total = 0;
    for (auto const& [value, weight] : values)
        total += weight;
    Wide so_far = 0;
    for (auto const& [value, weight] : values) {
        so_far += weight;
        if (so_far * micro_one >= total * fraction_)
            return value;
    }
    return std::nullopt;
}

std::string WeightedPercentile::encode() const {
    std::string out;
    put_signed(out, fraction_);
    for (auto const& [value, weight] : values_) {
        put_signed(out, value);
        put_varint(out, static_cast<UnsignedWide>(weight));
    }
    return out;
}

void WeightedPercentile::merge(std::string_view bytes) {
    VarintReader reader(bytes, "the state of a weighted percentile");
    (void)reader.signed_varint(64);
    while (reader.left() > 0) {
        auto const value = static_cast<Micro>(reader.signed_varint(64));
        add_weight(value, static_cast<Wide>(reader.varint(127)));
    }
}

Micro WeightedPercentile::fraction_in(std::string_view bytes) {
    return static_cast<Micro>(VarintReader(bytes, "the state of a weighted percentile").signed_varint(64));
}

} // namespace nurture::analytics
