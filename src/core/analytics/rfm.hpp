#pragma once
// Recency, frequency and monetary value of customers (A. M. Hughes, "Strategic Database Marketing", 1994),
// and the quintiles that turn them into scores.
#include <array>
#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/decimal.hpp"
#include "core/base/time.hpp"

namespace nurture::analytics {

/// What one customer's purchases up to a moment add up to.
class Rfm {
public:
    /// A purchase; those after `as_of` count for nothing.
    void add(Time at, Micro amount, Time as_of);
    void merge(const Rfm& other);
    /// Both sides must look back from the same moment.
    void check_as_of(Time as_of) const;

    [[nodiscard]] bool empty() const noexcept { return frequency_ == 0; }
    [[nodiscard]] Time as_of() const noexcept { return as_of_; }
    [[nodiscard]] Time last() const noexcept { return last_; }
    [[nodiscard]] std::int64_t frequency() const noexcept { return frequency_; }
    [[nodiscard]] Wide money() const noexcept { return money_; }

    [[nodiscard]] std::string encode() const;
    [[nodiscard]] static Rfm decode(std::string_view bytes);

private:
    Time as_of_ = always;
    Time last_ = always;
    std::int64_t frequency_ = 0;
    Wide money_ = 0;
};

/// The values at 20, 40, 60 and 80 % of a population, times 5 (so that they are integers): with n values in
/// order and h = (n - 1) k / 5 the k-th is x[h], interpolated linearly between neighbours (R. J. Hyndman and
/// Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996), type 7; SQL's
/// percentile_cont).
[[nodiscard]] std::array<Wide, 4> five_quintile_cuts(std::vector<Wide> values);

/// A population of customers, in any order.
class RfmPopulation {
public:
    static constexpr std::size_t max_customers = 20'000'000;

    explicit RfmPopulation(std::pmr::memory_resource* memory)
        : recency_(memory), frequency_(memory), money_(memory) {}

    void add(Span recency, std::int64_t frequency, Wide money);
    void merge(const RfmPopulation& other);
    [[nodiscard]] std::size_t size() const noexcept { return recency_.size(); }

    struct Cuts {
        std::array<Wide, 4> recency;   ///< in units of 1/5 microsecond
        std::array<Wide, 4> frequency; ///< in units of 1/5
        std::array<Wide, 4> money;     ///< in units of 10^-6 / 5
    };
    /// Copies and sorts; the population must not be empty.
    [[nodiscard]] Cuts cuts() const;

    [[nodiscard]] std::string encode() const;
    void merge(std::string_view bytes);

private:
    std::pmr::vector<Span> recency_;
    std::pmr::vector<std::int64_t> frequency_;
    std::pmr::vector<Micro> money_;
};

} // namespace nurture::analytics
