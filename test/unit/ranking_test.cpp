#include "core/analytics/ranking.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "core/base/error.hpp"

namespace nurture::analytics {
namespace {

using Subjects = std::vector<std::pair<double, bool>>;

Subjects any_subjects() {
    Subjects subjects(static_cast<std::size_t>(*rc::gen::inRange(1, 80)));
    for (auto& subject : subjects)
        subject = {*rc::gen::inRange(0, 21) / 20.0, *rc::gen::arbitrary<bool>()};
    return subjects;
}

std::string summary(const Subjects& subjects) {
    ScoreQuality state(std::pmr::get_default_resource());
    for (auto const& [score, outcome] : subjects)
        state.add(score, outcome);
    return state.encode();
}

std::map<std::string, Measure> measures(const std::vector<ScoreGroup>& groups) {
    std::map<std::string, Measure> result;
    for (auto const& measure : measure_scores(groups, 0.95))
        result[measure.name] = measure;
    return result;
}

// Table I and the text of Hanley and McNeil (1982): ratings of 58 normal and 51 abnormal images; W = 0.893,
// SE = 0.032.
TEST(ScoreQuality, AgreesWithHanleyAndMcNeil) {
    int const normal[] = {33, 6, 6, 11, 2};
    int const abnormal[] = {3, 2, 2, 11, 33};
    std::vector<ScoreGroup> groups;
    for (int i = 0; i < 5; ++i)
        groups.push_back({static_cast<double>(i + 1), normal[i] + abnormal[i], abnormal[i]});
    auto const auc = measures(groups).at("AUC");
    EXPECT_NEAR(*auc.value, 0.893, 0.0005);
    EXPECT_NEAR((*auc.high - *auc.low) / 2 / 1.959964, 0.032, 0.0005);
    EXPECT_FALSE(measures(groups).at("Brier score").value); // no probabilities
}

TEST(ScoreQuality, AgreesWithPairsAndSquares) {
    EXPECT_TRUE(rc::check([] {
        auto const subjects = any_subjects();
        double won = 0;
        double pairs = 0;
        double squares = 0;
        double positives = 0;
        for (auto const& [score, outcome] : subjects) {
            squares += (score - (outcome ? 1 : 0)) * (score - (outcome ? 1 : 0));
            positives += outcome ? 1 : 0;
            for (auto const& [other, other_outcome] : subjects)
                if (outcome && !other_outcome) {
                    ++pairs;
                    won += score > other ? 1 : score == other ? 0.5 : 0;
                }
        }
        double ks = 0;
        auto const n = static_cast<double>(subjects.size());
        for (double cut = 0; cut <= 1.0001 && pairs > 0; cut += 0.025) {
            double below_positive = 0;
            double below_negative = 0;
            for (auto const& [score, outcome] : subjects)
                (outcome ? below_positive : below_negative) += score <= cut + 1e-9 ? 1 : 0;
            ks = std::max(ks, std::fabs(below_positive / positives - below_negative / (n - positives)));
        }
        auto const found = measures(decode_scores(summary(subjects)));
        RC_ASSERT(found.at("AUC").value.has_value() == (pairs > 0));
        if (pairs > 0) {
            RC_ASSERT(std::fabs(*found.at("AUC").value - won / pairs) < 1e-12);
            RC_ASSERT(std::fabs(*found.at("Kolmogorov-Smirnov").value - ks) < 1e-12);
        }
        RC_ASSERT(std::fabs(*found.at("Brier score").value - squares / n) < 1e-12);
    }));
}

TEST(ScoreQuality, DependsOnTheSetOnly) {
    EXPECT_TRUE(rc::check([] {
        auto subjects = any_subjects();
        auto const whole = summary(subjects);
        std::shuffle(subjects.begin(), subjects.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
        auto const cut = *rc::gen::inRange<std::size_t>(1, subjects.size() + 1);
        ScoreQuality left(std::pmr::get_default_resource());
        left.merge(summary({subjects.begin(), subjects.begin() + static_cast<std::ptrdiff_t>(cut)}));
        ScoreQuality right(std::pmr::get_default_resource());
        for (std::size_t i = cut; i < subjects.size(); ++i)
            right.add(subjects[i].first, subjects[i].second);
        left.merge(right);
        RC_ASSERT(left.encode() == whole);
        RC_ASSERT(encode_scores(decode_scores(whole)) == whole);
    }));
}

TEST(ScoreQuality, HostileBytesAreRefused) {
    EXPECT_TRUE(rc::check([] {
        std::string bytes = summary(any_subjects());
        for (int i = *rc::gen::inRange(1, 3); i > 0; --i)
            bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
        if (*rc::gen::inRange(0, 3) == 0)
            bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size()));
        try {
            auto const groups = decode_scores(bytes);
            RC_ASSERT(encode_scores(groups) == bytes);
            (void)measure_scores(groups, 0.95);
            RC_ASSERT(!score_bands(groups, 10).empty());
        } catch (const Error& error) {
            RC_ASSERT(error.kind == ErrorKind::corrupt_data || error.kind == ErrorKind::newer_format);
        }
    }));
}

TEST(ScoreBands, PartNoEqualScoresAndLoseNobody) {
    EXPECT_TRUE(rc::check([] {
        auto subjects = any_subjects();
        auto const bands = *rc::gen::inRange(1, 15);
        auto const found = score_bands(decode_scores(summary(subjects)), bands);
        std::sort(subjects.rbegin(), subjects.rend());
        std::map<int, std::pair<std::int64_t, std::int64_t>> expected;
        for (std::size_t i = 0, first = 0; i < subjects.size(); ++i) {
            if (subjects[i].first != subjects[first].first)
                first = i;
            auto& [n, positives] =
                expected[static_cast<int>(first * static_cast<std::size_t>(bands) / subjects.size()) + 1];
            ++n;
            positives += subjects[i].second ? 1 : 0;
        }
        RC_ASSERT(found.size() == expected.size());
        for (auto const& band : found)
            RC_ASSERT((expected.at(band.band) == std::pair(band.n, band.positives)));
        RC_ASSERT(found.back().n_so_far == static_cast<std::int64_t>(subjects.size()));
    }));
}

TEST(CalibrationBins, FollowTheBoundsShown) {
    for (int bins : {7, 10, 100}) {
        std::vector<ScoreGroup> groups;
        for (int k = 0; k <= bins; ++k)
            groups.push_back({static_cast<double>(k) / bins, 1, 0});
        auto const found = calibration_bins(groups, bins);
        ASSERT_EQ(found.size(), static_cast<std::size_t>(bins));
        EXPECT_EQ(found.back().n, 2); // the last bin is closed
        EXPECT_EQ(found.front().n, 1);
    }
    EXPECT_THROW((void)calibration_bins({{1.5, 1, 0}}, 10), Error);
    EXPECT_THROW((void)score_bands({{0.5, 1, 0}}, 0), Error);
}

TEST(WeightedPercentile, AgreesWithRepeatingEachValue) {
    EXPECT_TRUE(rc::check([] {
        auto const fraction = *rc::gen::inRange<Micro>(0, 101) * 10'000;
        WeightedPercentile state(fraction, std::pmr::get_default_resource());
        std::vector<Micro> repeated;
        for (int i = *rc::gen::inRange(0, 20); i > 0; --i) {
            auto const value = *rc::gen::inRange<Micro>(-10, 10);
            auto const times = *rc::gen::inRange(0, 5);
            state.add(value, times * micro_one);
            repeated.insert(repeated.end(), static_cast<std::size_t>(times), value);
        }
        std::sort(repeated.begin(), repeated.end());
        // percentile_disc: the first value at which (its number) / n reaches the fraction
        std::optional<Micro> expected;
        for (std::size_t i = 0; i < repeated.size() && !expected; ++i)
            if (static_cast<Wide>(i + 1) * micro_one >= static_cast<Wide>(repeated.size()) * fraction)
                expected = repeated[i];
        RC_ASSERT(state.result() == expected);
        WeightedPercentile copy(fraction, std::pmr::get_default_resource());
        copy.merge(state.encode());
        RC_ASSERT(copy.result() == expected);
    }));
    WeightedPercentile state(500'000, std::pmr::get_default_resource());
    EXPECT_THROW(state.add(1, -1), Error);
}

} // namespace
} // namespace nurture::analytics
