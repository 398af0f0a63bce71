// The attribution models. Each is a function of the canonical data, read in its one order, so that equal
// summaries give equal digits.
#include <algorithm>
#include <cmath>
#include <eigen3/Eigen/LU>
#include <numeric>
#include <span>

#include "core/analytics/attribution.hpp"
#include "core/base/error.hpp"

namespace nurture::analytics {

namespace {

using Kind = AttributionModel::Kind;

constexpr std::size_t max_markov_channels = 1'000;
constexpr std::size_t max_shapley_channels = 12;

// Raw credit per channel, before it is settled to integers.
struct Raw {
    explicit Raw(std::size_t channels) : conversions(channels, 0), value(channels, 0) {}
    std::vector<long double> conversions;
    std::vector<long double> value;

    void add(std::uint32_t channel, const Outcome& outcome, long double weight) {
        conversions[channel] += static_cast<long double>(outcome.conversions) * weight;
        value[channel] += static_cast<long double>(outcome.value) * weight;
    }
};

std::vector<std::uint32_t> distinct(std::span<const std::uint32_t> all) {
    std::vector<std::uint32_t> channels(all.begin(), all.end());
    std::sort(channels.begin(), channels.end());
    channels.erase(std::unique(channels.begin(), channels.end()), channels.end());
    return channels;
}

std::vector<long double> position_weights(std::size_t touches, const AttributionModel& model) {
    std::vector<long double> weights(touches, 0);
    if (touches == 1)
        return {1};
    auto const first = static_cast<long double>(model.first_weight);
    auto const last = static_cast<long double>(model.last_weight);
    if (touches == 2) {
        weights[0] = first + last > 0 ? first / (first + last) : 0.5L;
        weights[1] = 1 - weights[0];
        return weights;
    }
    std::fill(weights.begin(), weights.end(), (1 - first - last) / static_cast<long double>(touches - 2));
    weights.front() = first;
    weights.back() = last;
    return weights;
}

// 2^(-age / half-life), normalized; the last touch has weight 1 before, so nothing can vanish altogether.
void decay_weights(std::span<const Span> ages, Span half_life, std::vector<long double>& weights) {
    weights.clear();
    long double sum = 0;
    for (auto const age : ages) {
        weights.push_back(std::exp2(-static_cast<long double>(age) / static_cast<long double>(half_life)));
        sum += weights.back();
    }
    for (auto& weight : weights)
        weight /= sum;
}

void credit_by_age(const AttributionData& data, const Sequence& sequence, Span half_life, Raw& raw) {
    auto const channels = data.channels_of(sequence);
    auto const records = data.records_of(sequence);
    if (records.empty()) // one channel, or nothing to credit
        raw.add(channels.front(), sequence.outcome, 1);
    std::vector<long double> weights;
    for (std::size_t record = 0; record < records.size(); ++record) {
        decay_weights(data.ages_of(sequence, record), half_life, weights);
        for (std::size_t i = 0; i < channels.size(); ++i)
            raw.add(channels[i], records[record], weights[i]);
    }
}

void credit_sequence(const AttributionData& data, const Sequence& sequence, const AttributionModel& model,
                     Raw& raw) {
    auto const channels = data.channels_of(sequence);
    switch (model.kind) {
    case Kind::first:
        raw.add(channels.front(), sequence.outcome, 1);
        break;
    case Kind::last:
        raw.add(channels.back(), sequence.outcome, 1);
        break;
    case Kind::last_non_direct: {
        auto const found = std::find_if(channels.rbegin(), channels.rend(),
                                        [&](std::uint32_t c) { return data.channels[c] != model.direct; });
        raw.add(found == channels.rend() ? channels.back() : *found, sequence.outcome, 1);
        break;
    }
    case Kind::linear:
        for (auto const channel : channels)
            raw.add(channel, sequence.outcome, 1.0L / static_cast<long double>(channels.size()));
        break;
    case Kind::position: {
        auto const weights = position_weights(channels.size(), model);
        for (std::size_t i = 0; i < channels.size(); ++i)
            raw.add(channels[i], sequence.outcome, weights[i]);
        break;
    }
    case Kind::time_decay:
        credit_by_age(data, sequence, model.half_life, raw);
        break;
    case Kind::shapley: {
        auto const players = distinct(channels);
        for (auto const channel : players)
            raw.add(channel, sequence.outcome, 1.0L / static_cast<long double>(players.size()));
        break;
    }
    case Kind::markov:
    case Kind::shapley_rate:
        break; // not sequence by sequence
    }
}

// The removal effect of a first-order Markov chain, exactly (E. Anderl, I. Becker, F. von Wangenheim, J. H.
// Schumann, "Mapping the customer journey", Int. J. of Research in Marketing 33 (2016) 457-474). States:
// start, channels; absorbing: conversion, null. Removing channel c sends its visitors to null. With N = (I -
// Q)^-1 (Kemeny and Snell, "Finite Markov Chains", 1960, ch. III) and h = N r the chance to convert from each
// state, the chance to get from start to c at all is N(start, c) / N(c, c), and the share of conversions lost
// without c is that times h(c) / h(start).
std::vector<double> removal_effects(const AttributionData& data) {
    std::size_t const n = data.channels.size();
    if (n > max_markov_channels)
        throw Error(ErrorKind::limit_exceeded, "too many channels for the Markov model",
                    "It takes at most " + std::to_string(max_markov_channels) + " channels.",
                    "Group campaigns into channels first.");
    auto const size = static_cast<Eigen::Index>(n + 1);
    Eigen::MatrixXd count = Eigen::MatrixXd::Zero(size, size); // state 0 is the start
    Eigen::VectorXd total = Eigen::VectorXd::Zero(size);
    Eigen::VectorXd converted = Eigen::VectorXd::Zero(size);
    for (auto const& sequence : data.sequences) {
        auto const conversions = static_cast<double>(sequence.outcome.conversions);
        double const paths = conversions + static_cast<double>(sequence.outcome.nulls);
        Eigen::Index from = 0;
        for (auto const channel : data.channels_of(sequence)) {
            auto const to = static_cast<Eigen::Index>(channel) + 1;
            count(from, to) += paths;
            total(from) += paths;
            from = to;
        }
        total(from) += paths;
        converted(from) += conversions;
    }
    Eigen::MatrixXd equation = Eigen::MatrixXd::Identity(size, size);
    for (Eigen::Index i = 0; i < size; ++i)
        if (total(i) > 0) {
            equation.row(i) -= count.row(i) / total(i);
            converted(i) /= total(i);
        }
    // Every state that is visited leads to an end with a positive chance, so I - Q is regular.
    Eigen::MatrixXd const visits = equation.partialPivLu().inverse();
    Eigen::VectorXd const chance = visits * converted;
    std::vector<double> effects(n, 0);
    for (std::size_t c = 0; c < n && chance(0) > 0; ++c) {
        auto const state = static_cast<Eigen::Index>(c) + 1;
        double const effect = visits(0, state) / visits(state, state) * chance(state) / chance(0);
        effects[c] = std::clamp(effect, 0.0, 1.0);
    }
    return effects;
}

// Shapley values of the game "conversion rate of the contacts touched by no channel outside the coalition"
// (cf. B. Dalessandro, C. Perlich, O. Stitelman, F. Provost, "Causally motivated attribution for online
// advertising", ADKDD 2012): phi(c) = sum over S without c of |S|! (n-|S|-1)! / n! * (v(S + c) - v(S)). All
// 2^n coalitions are looked at.
std::vector<long double> rate_shapley(const AttributionData& data) {
    std::size_t const n = data.channels.size();
    if (n > max_shapley_channels)
        throw Error(ErrorKind::limit_exceeded, "too many channels for the model \"shapley_rate\"",
                    "It looks at every subset of at most " + std::to_string(max_shapley_channels) +
                        " channels.",
                    "Group campaigns into channels, or take the model \"shapley\" or \"markov\".");
    std::vector<long double> converted(std::size_t{1} << n, 0);
    std::vector<long double> paths(std::size_t{1} << n, 0);
    for (auto const& sequence : data.sequences) {
        std::size_t coalition = 0;
        for (auto const channel : data.channels_of(sequence))
            coalition |= std::size_t{1} << channel;
        converted[coalition] += static_cast<long double>(sequence.outcome.conversions);
        paths[coalition] += static_cast<long double>(sequence.outcome.conversions) +
                            static_cast<long double>(sequence.outcome.nulls);
    }
    for (std::size_t bit = 0; bit < n; ++bit) // sums over subsets
        for (std::size_t s = 0; s < converted.size(); ++s)
            if ((s >> bit & 1) != 0) {
                converted[s] += converted[s ^ (std::size_t{1} << bit)];
                paths[s] += paths[s ^ (std::size_t{1} << bit)];
            }
    std::vector<long double> weight(n, 0); // of a coalition of k others
    for (std::size_t k = 0; k < n; ++k)
        weight[k] = std::exp(std::lgamma(static_cast<long double>(k) + 1) +
                             std::lgamma(static_cast<long double>(n - k)) -
                             std::lgamma(static_cast<long double>(n) + 1));
    auto const rate = [&](std::size_t s) { return paths[s] > 0 ? converted[s] / paths[s] : 0; };
    std::vector<long double> phi(n, 0);
    for (std::size_t c = 0; c < n; ++c)
        for (std::size_t s = 0; s < converted.size(); ++s)
            if ((s >> c & 1) == 0)
                phi[c] += weight[static_cast<std::size_t>(__builtin_popcountll(s))] *
                          (rate(s | std::size_t{1} << c) - rate(s));
    return phi;
}

void check(const AttributionModel& model) {
    if (!(model.first_weight >= 0) || !(model.last_weight >= 0) ||
        !(model.first_weight + model.last_weight <= 1))
        throw Error(ErrorKind::invalid_parameter, "impossible weights of the first and the last touch",
                    "They must not be negative and at most 1 together.");
    if (model.half_life <= 0)
        throw Error(ErrorKind::invalid_parameter, "half-life must be positive");
}

// Credits the whole in proportion to what each channel is worth.
void share_out(Raw& raw, const Outcome& sum, const std::vector<long double>& worth) {
    long double const all = std::accumulate(worth.begin(), worth.end(), 0.0L);
    for (std::uint32_t c = 0; c < worth.size() && all != 0; ++c)
        raw.add(c, sum, worth[c] / all);
}

Outcome sum_of(const AttributionData& data) {
    Outcome sum;
    for (auto const& sequence : data.sequences)
        sum.add(sequence.outcome);
    return sum;
}

} // namespace

std::optional<Kind> attribution_kind(std::string_view name) noexcept {
    constexpr std::pair<std::string_view, Kind> kinds[] = {{"first", Kind::first},
                                                           {"last", Kind::last},
                                                           {"linear", Kind::linear},
                                                           {"last_non_direct", Kind::last_non_direct},
                                                           {"position", Kind::position},
                                                           {"time_decay", Kind::time_decay},
                                                           {"markov", Kind::markov},
                                                           {"shapley", Kind::shapley},
                                                           {"shapley_rate", Kind::shapley_rate}};
    for (auto const& [known, kind] : kinds)
        if (known == name)
            return kind;
    return std::nullopt;
}

std::vector<Wide> apportion(Wide total, const std::vector<long double>& exact) {
    std::size_t const n = exact.size();
    std::vector<Wide> parts(n, 0);
    if (n == 0)
        return parts;
    std::vector<std::pair<long double, std::size_t>> remainders(n);
    Wide left = total;
    for (std::size_t i = 0; i < n; ++i) {
        long double const whole = std::floor(exact[i]);
        parts[i] = static_cast<Wide>(whole);
        left -= parts[i];
        remainders[i] = {exact[i] - whole, i};
    }
    std::sort(remainders.begin(), remainders.end(), [](auto const& a, auto const& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    // Beyond the 64 bits of a long double more than one unit per channel can be left over.
    auto const count = static_cast<Wide>(n);
    Wide each = left / count;
    Wide extra = left % count;
    if (extra < 0) {
        extra += count;
        --each;
    }
    for (std::size_t i = 0; i < n; ++i)
        parts[remainders[i].second] += each + (static_cast<Wide>(i) < extra ? 1 : 0);
    return parts;
}

std::vector<Credit> attribute(const AttributionData& data, const AttributionModel& model) {
    check(model);
    std::size_t const n = data.channels.size();
    Outcome const sum = sum_of(data);
    Raw raw(n);
    std::vector<double> effects;
    if (model.kind == Kind::markov) {
        effects = removal_effects(data);
        share_out(raw, sum, {effects.begin(), effects.end()});
    } else if (model.kind == Kind::shapley_rate) {
        share_out(raw, sum, rate_shapley(data));
    } else {
        for (auto const& sequence : data.sequences)
            credit_sequence(data, sequence, model, raw);
    }
    for (auto& credit : raw.conversions)
        credit *= static_cast<long double>(micro_one);
    auto const conversions = apportion(static_cast<Wide>(sum.conversions) * micro_one, raw.conversions);
    auto const value = apportion(sum.value, raw.value);
    std::vector<Credit> credits;
    for (std::size_t c = 0; c < n; ++c) {
        Credit credit{data.channels[c], conversions[c], value[c], std::nullopt};
        if (!effects.empty())
            credit.removal_effect = effects[c];
        credits.push_back(std::move(credit));
    }
    if (data.without_path.conversions != 0 || data.without_path.value != 0)
        credits.push_back({std::nullopt, static_cast<Wide>(data.without_path.conversions) * micro_one,
                           data.without_path.value, std::nullopt});
    return credits;
}

} // namespace nurture::analytics
