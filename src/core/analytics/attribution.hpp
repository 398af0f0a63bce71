#pragma once
// Attribution: which channels earned the conversions.
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/analytics/attribution_data.hpp"
#include "core/analytics/path_table.hpp"

namespace nurture::analytics {

/// Builds a summary from paths in any order and grouping; the bytes depend on the set of paths alone. All it
/// owns is in `memory`, and may die with it.
class Attribution {
public:
    explicit Attribution(std::pmr::memory_resource* memory);
    Attribution(const Attribution&) = delete;
    Attribution& operator=(const Attribution&) = delete;

    /// Adds a path (empty: nobody touched the contact). Throws invalid_parameter for negative numbers and for
    /// a value without a conversion, limit_exceeded for too many channels or bytes.
    void add(const Path& path, const Outcome& outcome);
    void merge(Attribution& other);
    /// Adds an encoded summary; throws corrupt_data for anything encode does not write.
    void merge(std::string_view bytes);

    [[nodiscard]] std::string encode();

private:
    Budget budget_;
    ContactNumbers channels_;
    PathTable paths_;
    // Scratch.
    std::pmr::vector<std::uint32_t> numbers_;
    std::pmr::vector<Time> times_;

    template <class Names>
    std::vector<std::uint32_t> numbers_of(const Names& names);
};

/// The number of a channel; throws limit_exceeded when there are too many.
[[nodiscard]] std::uint32_t number_of_channel(ContactNumbers& channels, std::string_view channel);

/// How conversions are credited to channels.
struct AttributionModel {
    enum class Kind {
        first,
        last,
        last_non_direct,
        linear,
        position,
        time_decay,
        markov,
        shapley,
        shapley_rate
    };
    Kind kind = Kind::markov;
    double first_weight = 0.4;
    double last_weight = 0.4;
    Span half_life = 7 * one_day;
    std::string direct = "direct";
};

/// "first", "last", "last_non_direct", …; empty when there is no such model.
[[nodiscard]] std::optional<AttributionModel::Kind> attribution_kind(std::string_view name) noexcept;

/// What one channel gets. All credits together are the conversions, and the values, to the last digit.
struct Credit {
    std::optional<std::string> channel; ///< empty: nobody touched these conversions
    Wide conversions = 0;               ///< in units of 10^-6
    Wide value = 0;                     ///< in units of 10^-6
    std::optional<double> removal_effect;
};

/// Credits every channel of the summary. Throws invalid_parameter for impossible weights and limit_exceeded
/// for more channels than the model can take (1,000 for markov, 12 for shapley_rate).
[[nodiscard]] std::vector<Credit> attribute(const AttributionData& data, const AttributionModel& model);

/// Rounds numbers that add up to `total`, but for their last bits, to integers that add up to it exactly:
/// each is rounded down, the units left over go to the largest remainders, among equals to the first
/// (Hamilton's method).
[[nodiscard]] std::vector<Wide> apportion(Wide total, const std::vector<long double>& exact);

} // namespace nurture::analytics
