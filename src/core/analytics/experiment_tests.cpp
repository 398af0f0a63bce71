#include "core/analytics/experiment_tests.hpp"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numeric>

namespace nurture::analytics {

namespace {

// z of a two-sided interval.
double z_of(double confidence) {
    return boost::math::quantile(boost::math::complement(boost::math::normal(), (1 - confidence) / 2));
}

double two_sided_normal(double z) {
    return 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), std::fabs(z)));
}

double chi_squared_tail(double statistic, double df) {
    return boost::math::cdf(boost::math::complement(boost::math::chi_squared(df), statistic));
}

double two_sided_t(double t, double df) {
    if (std::isinf(t))
        return 0;
    return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(df), std::fabs(t)));
}

double t_quantile(double confidence, double df) {
    return boost::math::quantile(boost::math::complement(boost::math::students_t(df), (1 - confidence) / 2));
}

bool usable(Proportion a, Proportion b) {
    return a.n > 0 && b.n > 0;
}

double as_double(std::int64_t value) {
    return static_cast<double>(value);
}

} // namespace

std::optional<Bounds> wilson_interval(Proportion p, double confidence) {
    if (p.n == 0)
        return std::nullopt;
    double const z = z_of(confidence);
    double const n = as_double(p.n);
    double const centre = p.rate() + z * z / (2 * n);
    double const half = z * std::sqrt(p.rate() * (1 - p.rate()) / n + z * z / (4 * n * n));
    double const scale = 1 + z * z / n;
    return Bounds{p.successes == 0 ? 0 : (centre - half) / scale,
                  p.successes == p.n ? 1 : (centre + half) / scale};
}

TestResult pooled_z(Proportion a, Proportion control) {
    TestResult result;
    if (!usable(a, control))
        return result;
    result.estimate = a.rate() - control.rate();
    double const pooled = as_double(a.successes + control.successes) / as_double(a.n + control.n);
    double const error = std::sqrt(pooled * (1 - pooled) * (1 / as_double(a.n) + 1 / as_double(control.n)));
    if (error > 0) {
        result.statistic = *result.estimate / error;
        result.p_value = two_sided_normal(*result.statistic);
    }
    return result;
}

TestResult unpooled_z(Proportion a, Proportion control, double confidence) {
    TestResult result;
    if (!usable(a, control))
        return result;
    result.estimate = a.rate() - control.rate();
    double const error = std::sqrt(a.rate() * (1 - a.rate()) / as_double(a.n) +
                                   control.rate() * (1 - control.rate()) / as_double(control.n));
    if (error > 0) {
        result.statistic = *result.estimate / error;
        result.p_value = two_sided_normal(*result.statistic);
        double const half = z_of(confidence) * error;
        result.bounds = Bounds{*result.estimate - half, *result.estimate + half};
    }
    return result;
}

TestResult chi_squared(const std::vector<Proportion>& arms, bool yates) {
    TestResult result;
    double successes = 0;
    double total = 0;
    for (auto const& arm : arms) {
        if (arm.n == 0)
            return result;
        successes += as_double(arm.successes);
        total += as_double(arm.n);
    }
    if (successes == 0 || successes == total || arms.size() < 2)
        return result;
    double statistic = 0;
    double correction = yates && arms.size() == 2 ? 0.5 : 0;
    for (auto const& arm : arms) // as in R: the correction never overshoots a difference
        correction =
            std::min(correction, std::fabs(as_double(arm.successes) - as_double(arm.n) * successes / total));
    for (auto const& arm : arms) {
        double const expected = as_double(arm.n) * successes / total;
        double const difference = std::fabs(as_double(arm.successes) - expected) - correction;
        statistic += difference * difference * (1 / expected + 1 / (as_double(arm.n) - expected));
    }
    result.statistic = statistic;
    result.df = static_cast<double>(arms.size() - 1);
    result.p_value = chi_squared_tail(statistic, *result.df);
    return result;
}

// The probabilities of all tables with these margins relative to the most likely one, by the recurrence of
// the hypergeometric distribution from the mode outwards: no large factorial is ever formed.
TestResult fisher_exact(Proportion a, Proportion control) {
    TestResult result;
    if (!usable(a, control))
        return result;
    double const n1 = as_double(a.n);
    double const n2 = as_double(control.n);
    double const m = as_double(a.successes + control.successes);
    double const low = std::max(0.0, m - n2);
    double const high = std::min(n1, m);
    double const mode = std::clamp(std::floor((n1 + 1) * (m + 1) / (n1 + n2 + 2)), low, high);
    auto const ratio_up = [&](double k) { return (n1 - k) * (m - k) / ((k + 1) * (n2 - m + k + 1)); };
    auto const x = as_double(a.successes);
    double seen = 1;
    for (double k = mode; k < x && seen > 0; ++k)
        seen *= ratio_up(k);
    for (double k = mode; k > x && seen > 0; --k)
        seen /= ratio_up(k - 1);
    double const limit = seen * (1 + 1e-7); // equal probabilities may differ in their last bits
    double all = 1;
    double extreme = limit >= 1 ? 1 : 0;
    double weight = 1;
    for (double k = mode; k < high && weight > 1e-300; ++k) {
        weight *= ratio_up(k);
        all += weight;
        extreme += weight <= limit ? weight : 0;
    }
    weight = 1;
    for (double k = mode; k > low && weight > 1e-300; --k) {
        weight /= ratio_up(k - 1);
        all += weight;
        extreme += weight <= limit ? weight : 0;
    }
    result.p_value = std::min(1.0, extreme / all);
    return result;
}

TestResult relative_risk(Proportion a, Proportion control, double confidence) {
    TestResult result;
    if (!usable(a, control) || a.successes == 0 || control.successes == 0)
        return result;
    double const ratio = a.rate() / control.rate();
    double const error = std::sqrt(1 / as_double(a.successes) - 1 / as_double(a.n) +
                                   1 / as_double(control.successes) - 1 / as_double(control.n));
    double const factor = std::exp(z_of(confidence) * error);
    result.estimate = ratio;
    if (error > 0)
        result.bounds = Bounds{ratio / factor, ratio * factor};
    return result;
}

TestResult odds_ratio(Proportion a, Proportion control, double confidence) {
    TestResult result;
    double const cells[] = {as_double(a.successes), as_double(a.n - a.successes),
                            as_double(control.successes), as_double(control.n - control.successes)};
    double error = 0;
    for (double const cell : cells) {
        if (cell == 0)
            return result;
        error += 1 / cell;
    }
    double const ratio = cells[0] / cells[1] / (cells[2] / cells[3]);
    double const factor = std::exp(z_of(confidence) * std::sqrt(error));
    result.estimate = ratio;
    result.bounds = Bounds{ratio / factor, ratio * factor};
    return result;
}

TestResult sample_ratio(const std::vector<std::int64_t>& sizes, std::vector<double> expected) {
    TestResult result;
    if (expected.empty())
        expected.assign(sizes.size(), 1);
    double const total = as_double(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}));
    double const shares = std::accumulate(expected.begin(), expected.end(), 0.0);
    if (sizes.size() < 2 || total == 0)
        return result;
    double statistic = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        double const planned = total * expected[i] / shares;
        double const difference = as_double(sizes[i]) - planned;
        statistic += difference * difference / planned;
    }
    result.statistic = statistic;
    result.df = static_cast<double>(sizes.size() - 1);
    result.p_value = chi_squared_tail(statistic, *result.df);
    return result;
}

Moments moments(const Values& values) {
    Moments result;
    long double sum = 0;
    long double n = 0;
    for (auto const& [value, count] : values) {
        sum += static_cast<long double>(value) * static_cast<long double>(count);
        n += static_cast<long double>(count);
    }
    if (n == 0)
        return result;
    long double const mean = sum / n;
    long double squares = 0;
    for (auto const& [value, count] : values) {
        long double const difference = static_cast<long double>(value) - mean;
        squares += difference * difference * static_cast<long double>(count);
    }
    result.n = static_cast<double>(n);
    result.mean = static_cast<double>(mean / 1e6L);
    result.variance = n > 1 ? static_cast<double>(squares / (n - 1) / 1e12L) : 0;
    return result;
}

TestResult mean_interval(const Moments& m, double confidence) {
    TestResult result;
    if (m.n == 0)
        return result;
    result.estimate = m.mean;
    if (m.n > 1) {
        double const half = t_quantile(confidence, m.n - 1) * std::sqrt(m.variance / m.n);
        result.bounds = Bounds{m.mean - half, m.mean + half};
    }
    return result;
}

TestResult welch_t(const Moments& a, const Moments& control, double confidence) {
    TestResult result;
    if (a.n == 0 || control.n == 0)
        return result;
    result.estimate = a.mean - control.mean;
    double const va = a.variance / a.n;
    double const vc = control.variance / control.n;
    if (a.n < 2 || control.n < 2 || va + vc <= 0)
        return result;
    double const error = std::sqrt(va + vc);
    result.df = (va + vc) * (va + vc) / (va * va / (a.n - 1) + vc * vc / (control.n - 1));
    result.statistic = *result.estimate / error;
    result.p_value = two_sided_t(*result.statistic, *result.df);
    double const half = t_quantile(confidence, *result.df) * error;
    result.bounds = Bounds{*result.estimate - half, *result.estimate + half};
    return result;
}

TestResult mann_whitney(const Values& a, const Values& control) {
    TestResult result;
    long double na = 0;
    long double nc = 0;
    long double below = 0; // values of the control below the present one
    long double u = 0;
    long double ties = 0;
    for (auto const& [value, count] : a)
        na += static_cast<long double>(count);
    for (auto const& [value, count] : control)
        nc += static_cast<long double>(count);
    if (na == 0 || nc == 0)
        return result;
    for (auto i = a.begin(), k = control.begin(); i != a.end() || k != control.end();) {
        bool const from_a = i != a.end() && (k == control.end() || i->first <= k->first);
        bool const from_control = k != control.end() && (i == a.end() || k->first <= i->first);
        long double const in_a = from_a ? static_cast<long double>(i->second) : 0;
        long double const in_control = from_control ? static_cast<long double>(k->second) : 0;
        u += in_a * (below + in_control / 2);
        long double const tied = in_a + in_control;
        ties += tied * tied * tied - tied;
        below += in_control;
        i += from_a ? 1 : 0;
        k += from_control ? 1 : 0;
    }
    long double const n = na + nc;
    result.statistic = static_cast<double>(u);
    result.estimate = static_cast<double>(u / (na * nc));
    long double const variance = na * nc / 12 * (n + 1 - ties / (n * (n - 1)));
    if (variance <= 0)
        return result;
    long double const distance = std::max(0.0L, std::fabs(u - na * nc / 2) - 0.5L);
    result.p_value = std::min(1.0, two_sided_normal(static_cast<double>(distance / std::sqrt(variance))));
    return result;
}

namespace {

using Posterior = boost::math::beta_distribution<double>;

// Where the integral is cut: at some standard deviations of every arm, as far as anything matters. Between
// two cuts no density and no distribution function bends by more than a polynomial of degree 29 can follow.
std::vector<double> cuts_of(const std::vector<Posterior>& posteriors) {
    std::vector<double> cuts;
    for (auto const& posterior : posteriors) {
        double const deviation = boost::math::standard_deviation(posterior);
        for (double const k :
             {0.0, 2.0, 4.0, 6.0, 8.0, 11.0, 15.0, 20.0, 28.0, 40.0}) { // tails may be exponential
            cuts.push_back(std::min(boost::math::mean(posterior) + k * deviation, 1.0));
            cuts.push_back(std::max(boost::math::mean(posterior) - k * deviation, 0.0));
        }
    }
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    return cuts;
}

// Adds weight * f_i(x) * product of F_j(x) over j other than i, for every arm i.
void add_node(const std::vector<Posterior>& posteriors, double x, double weight, std::vector<double>& best) {
    std::size_t const n = posteriors.size();
    std::vector<double> below(n);
    std::vector<double> after(n + 1, 1);
    for (std::size_t i = n; i-- > 0;) {
        below[i] = boost::math::cdf(posteriors[i], x);
        after[i] = after[i + 1] * below[i];
    }
    double before = 1;
    for (std::size_t i = 0; i < n && before > 0; ++i) {
        if (double const others = before * after[i + 1]; others > 0)
            best[i] += weight * others * boost::math::pdf(posteriors[i], x);
        before *= below[i];
    }
}

} // namespace

std::vector<double> probability_best(const std::vector<Proportion>& arms) {
    using Rule = boost::math::quadrature::gauss<double, 15>;
    std::vector<Posterior> posteriors;
    for (auto const& arm : arms)
        posteriors.emplace_back(1 + as_double(arm.successes), 1 + as_double(arm.n - arm.successes));
    std::vector<double> best(arms.size(), 0);
    auto const cuts = cuts_of(posteriors);
    for (std::size_t k = 0; k + 1 < cuts.size(); ++k) {
        double const middle = (cuts[k] + cuts[k + 1]) / 2;
        double const half = (cuts[k + 1] - cuts[k]) / 2;
        for (std::size_t i = 0; i < Rule::abscissa().size(); ++i) {
            double const offset = half * Rule::abscissa()[i];
            add_node(posteriors, middle + offset, half * Rule::weights()[i], best);
            if (offset != 0)
                add_node(posteriors, middle - offset, half * Rule::weights()[i], best);
        }
    }
    double const sum = std::accumulate(best.begin(), best.end(), 0.0);
    for (double& chance : best)
        chance = sum > 0 ? chance / sum : 1 / static_cast<double>(best.size());
    return best;
}

std::optional<double> minimum_detectable_effect(Proportion a, Proportion control, double confidence,
                                                double power) {
    if (!usable(a, control) || control.successes == control.n)
        return std::nullopt;
    double const p0 = control.rate();
    double const za = z_of(confidence);
    double const zb = boost::math::quantile(boost::math::normal(), power);
    double const na = as_double(a.n);
    double const nc = as_double(control.n);
    auto const missing = [&](double effect) {
        double const p1 = p0 + effect;
        double const mean = (na * p1 + nc * p0) / (na + nc);
        return za * std::sqrt(mean * (1 - mean) * (1 / na + 1 / nc)) +
               zb * std::sqrt(p1 * (1 - p1) / na + p0 * (1 - p0) / nc) - effect;
    };
    double low = 0;
    double high = 1 - p0;
    if (missing(high) > 0)
        return std::nullopt; // not even certainty would be found
    for (int i = 0; i < 200 && high - low > 1e-16; ++i) {
        double const middle = (low + high) / 2;
        (missing(middle) > 0 ? low : high) = middle;
    }
    return high;
}

std::optional<double> sample_size(double rate, double control_rate, double confidence, double power) {
    double const difference = std::fabs(rate - control_rate);
    if (difference == 0)
        return std::nullopt;
    double const mean = (rate + control_rate) / 2;
    double const root = z_of(confidence) * std::sqrt(2 * mean * (1 - mean)) +
                        boost::math::quantile(boost::math::normal(), power) *
                            std::sqrt(rate * (1 - rate) + control_rate * (1 - control_rate));
    return root * root / (difference * difference);
}

} // namespace nurture::analytics
