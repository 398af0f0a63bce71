#pragma once
// The statistical tests themselves. What is undefined for the numbers given (a rate of 0 in a ratio, a
// variance of 0) is an empty optional, never NaN. Sources are with each function; p values are two-sided.
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/decimal.hpp"

namespace nurture::analytics {

/// `successes` of `n`.
struct Proportion {
    std::int64_t successes = 0;
    std::int64_t n = 0;
    [[nodiscard]] double rate() const { return static_cast<double>(successes) / static_cast<double>(n); }
};

struct Bounds {
    double low;
    double high;
};

struct TestResult {
    std::optional<double> estimate;
    std::optional<Bounds> bounds;
    std::optional<double> statistic;
    std::optional<double> df;
    std::optional<double> p_value;
};

/// Score interval. E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA
/// 22 (1927).
[[nodiscard]] std::optional<Bounds> wilson_interval(Proportion p, double confidence);
/// z with the pooled rate as the standard error. Fleiss, Levin, Paik, "Statistical Methods for Rates and
/// Proportions", 3rd ed. (2003), section 3.1, without continuity correction.
[[nodiscard]] TestResult pooled_z(Proportion a, Proportion control);
/// z and interval with separate standard errors (Wald). A. Agresti, "Categorical Data Analysis", 3rd ed.
/// (2013), 3.1.
[[nodiscard]] TestResult unpooled_z(Proportion a, Proportion control, double confidence);
/// Independence of conversion and arm, any number of arms. K. Pearson (1900); for two arms with the
/// continuity correction of F. Yates, "Contingency tables involving small numbers and the chi-squared test"
/// (1934).
[[nodiscard]] TestResult chi_squared(const std::vector<Proportion>& arms, bool yates);
/// Sum of the probabilities of all tables no more likely than the one seen. R. A. Fisher, "The Design of
/// Experiments" (1935), chapter 2.
[[nodiscard]] TestResult fisher_exact(Proportion a, Proportion control);
/// Ratio of rates. D. Katz, J. Baptista, S. P. Azen, M. C. Pike, "Obtaining confidence intervals for the risk
/// ratio in cohort studies", Biometrics 34 (1978).
[[nodiscard]] TestResult relative_risk(Proportion a, Proportion control, double confidence);
/// Ratio of odds. B. Woolf, "On estimating the relation between blood group and disease", Annals of Human
/// Genetics (1955).
[[nodiscard]] TestResult odds_ratio(Proportion a, Proportion control, double confidence);
/// Do the arms have the sizes that were planned? Pearson's goodness of fit; A. Fabijan et al., "Diagnosing
/// sample ratio mismatch in online controlled experiments", KDD 2019.
[[nodiscard]] TestResult sample_ratio(const std::vector<std::int64_t>& sizes, std::vector<double> expected);

/// Distinct values with their counts, ascending.
using Values = std::vector<std::pair<Micro, std::int64_t>>;

/// Number, mean and sample variance, from integers in one order: the same to the last digit for the same
/// values.
struct Moments {
    double n = 0;
    double mean = 0;
    double variance = 0; // 0 for a single value
};
[[nodiscard]] Moments moments(const Values& values);
/// The mean and its interval by Student's t.
[[nodiscard]] TestResult mean_interval(const Moments& m, double confidence);
/// Difference of means with unequal variances. B. L. Welch, "The generalization of 'Student's' problem when
/// several different population variances are involved", Biometrika 34 (1947).
[[nodiscard]] TestResult welch_t(const Moments& a, const Moments& control, double confidence);
/// The statistic is U of `a`, the estimate the chance that a value of `a` is greater (ties count half).
/// Normal approximation, corrected for ties and continuity. H. B. Mann, D. R. Whitney, "On a test of whether
/// one of two random variables is stochastically larger than the other", Annals of Mathematical Statistics 18
/// (1947).
[[nodiscard]] TestResult mann_whitney(const Values& a, const Values& control);

/// The chance that each arm's rate is the greatest, under independent Beta(1 + successes, 1 + failures)
/// posteriors: the integral of f_i times the product of the others' F_j, by Gauss-Legendre quadrature to some
/// 10^-10, no simulation. A. Gelman et al., "Bayesian Data Analysis", 3rd ed. (2013), 2.4.
[[nodiscard]] std::vector<double> probability_best(const std::vector<Proportion>& arms);

/// The smallest rise over the control's rate that would be found with this power. Fleiss, Levin, Paik
/// (2003), 4.2.
[[nodiscard]] std::optional<double> minimum_detectable_effect(Proportion a, Proportion control,
                                                              double confidence, double power);
/// Subjects per arm needed to find the difference of two rates with this power. Fleiss, Levin, Paik (2003),
/// formula 4.14.
[[nodiscard]] std::optional<double> sample_size(double rate, double control_rate, double confidence,
                                                double power);

} // namespace nurture::analytics
