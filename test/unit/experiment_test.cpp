// References were computed with R 4.2 (stats package), unless a table is cited.
#include "core/analytics/experiment.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/analytics/experiment_tests.hpp"
#include "core/base/error.hpp"

namespace nurture::analytics {
namespace {

constexpr Proportion treated{150, 980};
constexpr Proportion control{120, 1000};

Values values_of(std::vector<double> numbers) {
    std::sort(numbers.begin(), numbers.end());
    Values values;
    for (double const number : numbers) {
        auto const micro = static_cast<Micro>(std::llround(number * 1e6));
        if (!values.empty() && values.back().first == micro)
            ++values.back().second;
        else
            values.emplace_back(micro, 1);
    }
    return values;
}

TEST(Wilson, AgreesWithPropTest) { // prop.test(x, n, correct = FALSE)$conf.int
    EXPECT_NEAR(wilson_interval({20, 100}, 0.95)->low, 0.133366933331033, 1e-14);
    EXPECT_NEAR(wilson_interval({20, 100}, 0.95)->high, 0.288829165593159, 1e-14);
    EXPECT_EQ(wilson_interval({0, 10}, 0.95)->low, 0);
    EXPECT_NEAR(wilson_interval({0, 10}, 0.95)->high, 0.277532799862889, 1e-14);
    EXPECT_NEAR(wilson_interval({10, 10}, 0.95)->low, 0.722467200137111, 1e-14);
    EXPECT_EQ(wilson_interval({10, 10}, 0.95)->high, 1);
    EXPECT_FALSE(wilson_interval({0, 0}, 0.95));
}

TEST(TwoRates, AgreeWithR) {
    EXPECT_NEAR(*pooled_z(treated, control).statistic, 2.14330822319955, 1e-12);
    EXPECT_NEAR(*pooled_z(treated, control).p_value, 0.0320883569662275, 1e-13);
    auto const wald = unpooled_z(treated, control, 0.95);
    EXPECT_NEAR(*wald.estimate, 0.03306122448979593, 1e-15);
    EXPECT_NEAR(*wald.statistic, 2.14358555069197187, 1e-12);
    EXPECT_NEAR(*wald.p_value, 0.03206610955903268, 1e-13);
    EXPECT_NEAR(wald.bounds->low, 0.00283205576645018, 1e-13); // prop.test's interval
    EXPECT_NEAR(wald.bounds->high, 0.06329039321314167, 1e-13);
    EXPECT_NEAR(*chi_squared({treated, control}, false).statistic, 4.5937701396348078, 1e-11);
    EXPECT_NEAR(*chi_squared({treated, control}, false).p_value, 0.0320883569662275, 1e-13);
    EXPECT_NEAR(*chi_squared({treated, control}, true).statistic, 4.3173286788399627, 1e-11);
    EXPECT_NEAR(*chi_squared({treated, control}, true).p_value, 0.0377261022954698, 1e-13);
    auto const several = chi_squared({control, treated, {130, 1030}}, false);
    EXPECT_NEAR(*several.statistic, 5.3007181118178792, 1e-11);
    EXPECT_EQ(*several.df, 2);
    EXPECT_NEAR(*several.p_value, 0.0706258498785791, 1e-13);
    auto const risk = relative_risk(treated, control, 0.95);
    EXPECT_NEAR(*risk.estimate, 1.27551020408163, 1e-13);
    EXPECT_NEAR(risk.bounds->low, 1.02025383990080, 1e-13);
    EXPECT_NEAR(risk.bounds->high, 1.59462892183239, 1e-13);
    auto const odds = odds_ratio(treated, control, 0.95);
    EXPECT_NEAR(*odds.estimate, 1.32530120481928, 1e-13);
    EXPECT_NEAR(odds.bounds->low, 1.02381934197609, 1e-13);
    EXPECT_NEAR(odds.bounds->high, 1.71555977845206, 1e-13);
}

TEST(Fisher, AgreesWithPublishedTables) {
    // The lady tasting tea, Fisher (1935): 3 of 4 and 1 of 4; the criminal twins, Fisher (1962),
    // ?fisher.test.
    EXPECT_NEAR(*fisher_exact({3, 4}, {1, 4}).p_value, 34.0 / 70, 1e-14);
    EXPECT_NEAR(*fisher_exact({2, 17}, {10, 13}).p_value, 0.000536724119143436, 1e-15);
    EXPECT_NEAR(*fisher_exact({0, 3}, {10, 17}).p_value, 0.210526315789474, 1e-14);
    EXPECT_NEAR(*fisher_exact(treated, control).p_value, 0.0359949893628157, 1e-12);
    EXPECT_NEAR(*fisher_exact({5100, 100'000}, {5000, 100'000}).p_value, 0.312043238995464, 1e-9);
    EXPECT_EQ(*fisher_exact({0, 10}, {0, 12}).p_value, 1);
    EXPECT_GT(*fisher_exact({0, 100'000}, {100'000, 100'000}).p_value, -1e-300);
    EXPECT_LT(*fisher_exact({0, 100'000}, {100'000, 100'000}).p_value, 1e-300);
}

// All tables with these margins, by binomial coefficients.
TEST(Fisher, AgreesWithAllTables) {
    EXPECT_TRUE(rc::check([] {
        auto const n1 = *rc::gen::inRange<std::int64_t>(1, 25);
        auto const n2 = *rc::gen::inRange<std::int64_t>(1, 25);
        Proportion const a{*rc::gen::inRange<std::int64_t>(0, n1 + 1), n1};
        Proportion const c{*rc::gen::inRange<std::int64_t>(0, n2 + 1), n2};
        auto const choose = [](std::int64_t n, std::int64_t k) {
            long double result = k < 0 || k > n ? 0 : 1;
            for (std::int64_t i = 0; i < k && result != 0; ++i)
                result = result * static_cast<long double>(n - i) / static_cast<long double>(i + 1);
            return std::round(result);
        };
        std::int64_t const m = a.successes + c.successes;
        long double const seen = choose(n1, a.successes) * choose(n2, c.successes);
        long double extreme = 0;
        for (std::int64_t k = 0; k <= m; ++k)
            if (long double const ways = choose(n1, k) * choose(n2, m - k); ways <= seen)
                extreme += ways;
        RC_ASSERT(std::fabs(*fisher_exact(a, c).p_value - static_cast<double>(extreme / choose(n1 + n2, m))) <
                  1e-12);
    }));
}

TEST(Welch, AgreesWithStudentsSleepData) { // t.test(extra ~ group, data = sleep); Student (1908)
    auto const one = moments(values_of({0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0}));
    auto const two = moments(values_of({1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}));
    auto const t = welch_t(one, two, 0.95);
    EXPECT_NEAR(*t.statistic, -1.8608134674868531, 1e-12);
    EXPECT_NEAR(*t.df, 17.7764735161784984, 1e-10);
    EXPECT_NEAR(*t.p_value, 0.0793941401873582, 1e-12);
    EXPECT_NEAR(t.bounds->low, -3.3654832307117104, 1e-10);
    EXPECT_NEAR(t.bounds->high, 0.2054832307117102, 1e-10);
    EXPECT_FALSE(welch_t(moments({{5, 3}}), moments({{5, 9}}), 0.95).p_value);
}

TEST(MannWhitney, AgreesWithTheAirQualityData) { // wilcox.test(Ozone ~ Month, airquality, Month %in% c(5,
                                                 // 8)), exact = FALSE
    auto const may = values_of(
        {41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115, 37});
    auto const august = values_of({39, 9,  16, 78, 35, 66, 122, 89,  110, 44, 28,  65, 22,
                                   59, 23, 31, 44, 21, 9,  45,  168, 73,  76, 118, 84, 85});
    EXPECT_EQ(*mann_whitney(may, august).statistic, 127.5);
    EXPECT_NEAR(*mann_whitney(may, august).p_value, 1.20807830768774e-04, 1e-15);
    EXPECT_EQ(*mann_whitney(august, may).statistic, 26 * 26 - 127.5);
    EXPECT_FALSE(mann_whitney({{5, 3}}, {{5, 9}}).p_value);
}

TEST(MannWhitney, CountsPairs) {
    EXPECT_TRUE(rc::check([] {
        auto const a = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 20)));
        auto const b = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 20)));
        double u = 0;
        for (int const x : a)
            for (int const y : b)
                u += x > y ? 1 : x == y ? 0.5 : 0;
        RC_ASSERT(*mann_whitney(values_of({a.begin(), a.end()}), values_of({b.begin(), b.end()})).statistic ==
                  u);
    }));
}

TEST(SampleRatio, AgreesWithChisqTest) {
    EXPECT_NEAR(*sample_ratio({5000, 5200, 4800}, {}).statistic, 16, 1e-12);
    EXPECT_NEAR(*sample_ratio({5000, 5200, 4800}, {}).p_value, 3.35462627902512e-04, 1e-16);
    EXPECT_NEAR(*sample_ratio({8000, 2200}, {0.8, 0.2}).p_value, 7.47647534673257e-05, 1e-16);
    EXPECT_NEAR(*sample_ratio({8000, 2200}, {4, 1}).p_value, 7.47647534673257e-05, 1e-16);
}

TEST(Power, AgreesWithPowerPropTest) {
    EXPECT_NEAR(*sample_size(0.75, 0.50, 0.95, 0.90), 76.7069301141077, 1e-4); // ?power.prop.test gives 76.7
    EXPECT_NEAR(*sample_size(0.15, 0.12, 0.95, 0.80), 2035.60497254506, 1e-3);
    EXPECT_NEAR(*minimum_detectable_effect({0, 1000}, control, 0.95, 0.8), 0.0436868443862107, 1e-9);
    EXPECT_FALSE(sample_size(0.5, 0.5, 0.95, 0.8));
}

TEST(ProbabilityBest, AgreesWithQuadratureInR) {
    auto const two = probability_best({control, treated});
    EXPECT_NEAR(two[0], 0.0161177409309498, 1e-10);
    EXPECT_NEAR(two[1], 0.9838822590690312, 1e-10);
    auto const three = probability_best({{12, 100}, {15, 98}, {9, 103}});
    EXPECT_NEAR(three[0], 0.2364885692513290, 1e-10);
    EXPECT_NEAR(three[1], 0.7165664731305587, 1e-10);
    EXPECT_NEAR(three[2], 0.0469449576180822, 1e-10);
    EXPECT_NEAR(probability_best({{0, 1}, {1, 1}})[1], 5.0 / 6, 1e-10);
}

// Two arms have a closed form: E. Miller, "Formulas for Bayesian A/B testing" (evanmiller.org, 2014).
TEST(ProbabilityBest, AgreesWithTheClosedForm) {
    EXPECT_TRUE(rc::check([] {
        auto const n1 = *rc::gen::inRange<std::int64_t>(0, 3000);
        auto const n2 = *rc::gen::inRange<std::int64_t>(0, 3000);
        Proportion const a{*rc::gen::inRange<std::int64_t>(0, n1 + 1), n1};
        Proportion const b{*rc::gen::inRange<std::int64_t>(0, n2 + 1), n2};
        auto const beta = [](double x, double y) {
            return std::lgamma(x) + std::lgamma(y) - std::lgamma(x + y);
        };
        double const aa = 1 + static_cast<double>(a.successes);
        double const ba = 1 + static_cast<double>(a.n - a.successes);
        double const ab = 1 + static_cast<double>(b.successes);
        double const bb = 1 + static_cast<double>(b.n - b.successes);
        double chance = 0;
        for (double i = 0; i < ab; ++i)
            chance += std::exp(beta(aa + i, ba + bb) - std::log(bb + i) - beta(1 + i, bb) - beta(aa, ba));
        RC_ASSERT(std::fabs(probability_best({a, b})[1] - chance) < 1e-8);
    }));
}

TEST(ProbabilityBest, HoldsForExtremeNumbers) {
    auto const huge =
        probability_best({{500'000'000'000, 1'000'000'000'000}, {500'000'000'000, 1'000'000'000'000}});
    EXPECT_NEAR(huge[0], 0.5, 1e-6);
    auto const far = probability_best({{0, 1'000'000}, {1'000'000, 1'000'000}});
    EXPECT_NEAR(far[1], 1, 1e-12);
    auto const unequal = probability_best({{1, 2}, {1000, 1'000'000}, {0, 0}});
    EXPECT_NEAR(unequal[0] + unequal[1] + unequal[2], 1, 1e-12);
    EXPECT_LT(unequal[1], 1e-4);
}

struct Subject {
    std::string arm;
    bool converted;
    std::optional<Micro> value;
};

std::vector<Subject> any_subjects() {
    std::vector<Subject> subjects(static_cast<std::size_t>(*rc::gen::inRange(1, 60)));
    for (auto& subject : subjects) {
        subject.arm = std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, 4)));
        subject.converted = *rc::gen::arbitrary<bool>();
        if (*rc::gen::arbitrary<bool>())
            subject.value = *rc::gen::inRange<Micro>(-50, 50);
    }
    return subjects;
}

TEST(Experiment, DependsOnTheSetOnly) {
    EXPECT_TRUE(rc::check([] {
        auto subjects = any_subjects();
        Experiment whole(std::pmr::get_default_resource());
        for (auto const& subject : subjects)
            whole.add(subject.arm, subject.converted, subject.value);
        std::shuffle(subjects.begin(), subjects.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
        Experiment left(std::pmr::get_default_resource());
        Experiment right(std::pmr::get_default_resource());
        for (auto const& subject : subjects)
            (subject.converted ? left : right).add(subject.arm, subject.converted, subject.value);
        Experiment merged(std::pmr::get_default_resource());
        merged.merge(left);
        if (std::any_of(subjects.begin(), subjects.end(), [](auto& subject) { return !subject.converted; }))
            merged.merge(right.encode());
        RC_ASSERT(merged.encode() == whole.encode());
        RC_ASSERT(encode_experiment(decode_experiment(whole.encode())) == whole.encode());
        RC_ASSERT(!report_experiment(decode_experiment(whole.encode()), {}).empty());
    }));
}

TEST(Experiment, HostileBytesAreRefusedOrReported) {
    EXPECT_TRUE(rc::check([] {
        Experiment whole(std::pmr::get_default_resource());
        for (auto const& subject : any_subjects())
            whole.add(subject.arm, subject.converted, subject.value);
        std::string bytes = whole.encode();
        for (int i = *rc::gen::inRange(1, 3); i > 0; --i)
            bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
        if (*rc::gen::inRange(0, 3) == 0)
            bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size()));
        try {
            auto const arms = decode_experiment(bytes);
            RC_ASSERT(encode_experiment(arms) == bytes);
            for (auto const& finding : report_experiment(arms, {}))
                RC_ASSERT(!finding.p_value || (*finding.p_value >= 0 && *finding.p_value <= 1));
        } catch (const Error& error) {
            RC_ASSERT(error.kind == ErrorKind::corrupt_data || error.kind == ErrorKind::newer_format);
        }
    }));
}

TEST(Experiment, ImpossibleOptionsAreRefused) {
    std::vector<Arm> const arms{{"a", 10, 5, {}}, {"b", 10, 5, {}}};
    ReportOptions options;
    options.confidence = 1;
    EXPECT_THROW((void)report_experiment(arms, options), Error);
    options = {};
    options.expected = {1, 0};
    EXPECT_THROW((void)report_experiment(arms, options), Error);
    options.expected = {1};
    EXPECT_THROW((void)report_experiment(arms, options), Error);
    options = {};
    options.control = "c";
    EXPECT_THROW((void)report_experiment(arms, options), Error);
}

} // namespace
} // namespace nurture::analytics
