#pragma once
// What the type nurture.decayed and its aggregates need beyond DecayedSum: a text form, a mean, and frames
// that move.
#include <string>
#include <string_view>

#include "core/base/decayed_sum.hpp"

namespace nurture::analytics {

/// "14 days", "90 minutes", "1 microsecond": in the largest unit that is exact.
[[nodiscard]] std::string print_half_life(Span half_life);

/// "14 days: 742=1099511627776 744=2199023255552": half-life, then period=amount in units of 10^-6 * 2^-40,
/// oldest first.
[[nodiscard]] std::string print_decayed(const DecayedSum& sum);
/// Reads what print_decayed writes; throws syntax for anything else.
[[nodiscard]] DecayedSum parse_decayed(std::string_view text);

/// The decayed sum of amounts and the decayed number of them; their ratio is the same at all times.
class DecayedMean {
public:
    DecayedMean(Span half_life, std::pmr::memory_resource* memory)
        : sum_(half_life, memory), count_(half_life, memory) {}

    void add(Time at, Micro amount) {
        sum_.add(at, amount);
        count_.add(at, micro_one);
    }
    /// Takes back what was added; see DecayedSum::subtract.
    void subtract(Time at, Micro amount) {
        sum_.subtract(at, amount);
        count_.subtract(at, micro_one);
    }
    void merge(const DecayedMean& other) {
        sum_.merge(other.sum_);
        count_.merge(other.count_);
    }
    /// The mean, rounded half away from zero to 10^-6. Something must have been added.
    [[nodiscard]] Wide mean() const;
    [[nodiscard]] const DecayedSum& sum() const noexcept { return sum_; }
    [[nodiscard]] const DecayedSum& count() const noexcept { return count_; }

    void encode(std::string& out) const;
    /// Adds what encode wrote.
    void merge_bytes(std::string_view bytes);
    /// The half-life of what encode wrote.
    [[nodiscard]] static Span half_life_in(std::string_view bytes);

private:
    DecayedSum sum_;
    DecayedSum count_;
};

/// A sum and a number over a frame that moves: amounts leave as exactly as they came.
class MovingDecayed {
public:
    MovingDecayed(Span half_life, std::pmr::memory_resource* memory) : mean_(half_life, memory) {}

    void add(Time at, Micro amount);
    /// False, with nothing changed, when the last amount of the newest period leaves: what that period had
    /// pushed out may have to come back, so the frame must be added up anew.
    [[nodiscard]] bool try_remove(Time at, Micro amount);
    [[nodiscard]] const DecayedMean& mean() const noexcept { return mean_; }

private:
    DecayedMean mean_;
    std::int64_t newest_rows_ = 0; // amounts in the newest period
};

} // namespace nurture::analytics
