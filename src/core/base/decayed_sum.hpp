#pragma once
// An exponentially decaying sum that is the same to the last digit in whatever order its parts arrive.
//
// Half-life periods are counted from the epoch: an amount a at time T = p*H + r adds a * 2^(r/H), rounded to
// 2^-40, to the integer bucket p. Integers add exactly, so the sum depends on the set of amounts alone. At
// time t it is worth
//     sum over p of bucket[p] * 2^(p - t/H),
// where only the newest 64 periods are kept: what is older has lost a factor of 2^64.
#include <compare>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/decimal.hpp"
#include "core/base/time.hpp"

namespace nurture {

/// A decaying sum of amounts in units of 10^-6. Relative error below 2^-41 + 2^-56, before the rounding to
/// 10^-6.
class DecayedSum {
public:
    /// 30 years of 365.25 days.
    static constexpr Span max_half_life = 10'957 * one_day + 12 * one_hour;
    static constexpr std::uint64_t max_periods = 64;

    /// An empty sum. Throws invalid_parameter unless 0 < half_life <= max_half_life.
    explicit DecayedSum(Span half_life, std::pmr::memory_resource* memory = std::pmr::get_default_resource());
    /// A copy whose buckets live in `memory`.
    DecayedSum(const DecayedSum& other, std::pmr::memory_resource* memory);
    DecayedSum(const DecayedSum&) = default;
    DecayedSum(DecayedSum&&) noexcept = default;
    /// The memory resource stays the target's own.
    DecayedSum& operator=(const DecayedSum&) = default;
    DecayedSum& operator=(DecayedSum&&) = default;
    ~DecayedSum() = default;

    [[nodiscard]] Span half_life() const noexcept { return half_life_; }
    /// True when nothing was ever added (a sum of amounts that cancel out is not empty).
    [[nodiscard]] bool empty() const noexcept { return buckets_.empty(); }
    /// -1, 0 or 1; the same at every time.
    [[nodiscard]] int sign() const;

    /// Adds an amount at its time. Throws out_of_range when a bucket no longer fits 128 bits.
    void add(Time at, Wide amount_micros);
    /// Takes back an amount that was added, exactly. Which periods are kept still depends on it: the caller
    /// must know that another amount of the newest period is left. Nothing happens when the amount's period
    /// was dropped.
    void subtract(Time at, Wide amount_micros);
    /// The period of a time: floor(at / half-life).
    [[nodiscard]] std::int64_t period_of(Time at) const noexcept;
    /// Adds all of another sum. Throws invalid_parameter when the half-lives differ.
    void merge(const DecayedSum& other);

    /// The value at a time, rounded half away from zero to 10^-6. Its magnitude never grows with time (see
    /// the proof in decayed_sum.cpp). Amounts later than `at` count more than their face value. Throws
    /// out_of_range beyond 127 bits.
    [[nodiscard]] Wide value_at(Time at) const;

    /// The value at the start of the newest period, in units of 10^-6, to the 64 bits of a long double.
    [[nodiscard]] long double at_newest_period() const;

    /// Compares the values of two sums of the same half-life, exactly; the outcome holds at all times. Sums
    /// of different half-lives are ordered by half-life.
    [[nodiscard]] std::strong_ordering compare(const DecayedSum& other) const;

    /// Appends the canonical bytes: equal states are equal bytes.
    void encode(std::string& out) const;
    [[nodiscard]] std::string encode() const;
    /// Reads what encode wrote; throws corrupt_data for anything else and newer_format for a later version.
    [[nodiscard]] static DecayedSum
    decode(std::string_view bytes, std::pmr::memory_resource* memory = std::pmr::get_default_resource());

    /// A half-life period and its integer, in units of 10^-6 * 2^-40.
    struct Bucket {
        std::int64_t period;
        Wide amount;
        friend bool operator==(const Bucket&, const Bucket&) = default;
    };
    /// The buckets, oldest first. Only the newest may be 0.
    [[nodiscard]] const std::pmr::vector<Bucket>& buckets() const noexcept { return buckets_; }
    /// Adds to a bucket directly (a text form is read this way).
    void add_bucket(std::int64_t period, Wide amount);
    /// Makes room for as many buckets as will be added.
    void reserve(std::size_t buckets) { buckets_.reserve(buckets); }
    /// The same buckets and half-life (stricter than comparing equal).
    [[nodiscard]] bool same_as(const DecayedSum& other) const {
        return half_life_ == other.half_life_ && buckets_ == other.buckets_;
    }

private:
    Span half_life_;
    std::pmr::vector<Bucket>
        buckets_; // ascending periods within 64 of the newest; the newest is kept even when 0

    void drop_old();
};

} // namespace nurture
