#pragma once
// What many paths have in common, kept so that every attribution model can be read from it: the distinct
// sequences of channels with their conversions, values and failures, and for time decay the ages of
// converting touches.
#include <cstdint>
#include <map>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/analytics/attribution_path.hpp"
#include "core/base/decimal.hpp"

namespace nurture::analytics {

/// What happened at the end of some paths.
struct Outcome {
    std::int64_t conversions = 0;
    std::int64_t nulls = 0; ///< paths that did not convert
    Wide value = 0;         ///< in units of 10^-6

    /// Far from the ends of a Wide, so that sums over all sequences of a summary cannot overflow.
    static constexpr Wide max_value = Wide{1} << 100;

    /// Adds; throws out_of_range beyond 63 bits of paths or max_value.
    void add(const Outcome& other);
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// One distinct sequence, as a model reads it.
struct Sequence {
    std::vector<std::uint32_t> channels; ///< indices into Attribution::channels, in order of time
    Outcome outcome;
    /// The outcome split by the ages of the touches (microseconds before the last touch; as many as touches).
    /// Only for converting sequences of two channels or more.
    std::vector<std::pair<std::vector<Span>, Outcome>> by_age;
};

/// The whole of a summary, in its canonical order: what the models are functions of.
struct AttributionData {
    std::vector<std::string> channels; ///< in byte order
    Outcome without_path;              ///< conversions nobody touched
    std::vector<Sequence> sequences;
};

/// Builds a summary from paths in any order and grouping; the bytes depend on the set of paths alone.
class Attribution {
public:
    static constexpr std::size_t max_channels = 10'000;
    static constexpr std::size_t max_bytes = 512U << 20;

    explicit Attribution(std::pmr::memory_resource* memory);
    Attribution(const Attribution&) = delete;
    Attribution& operator=(const Attribution&) = delete;

    /// Adds a path (empty: nobody touched the contact). Throws invalid_parameter for negative numbers and for
    /// a value without a conversion, limit_exceeded beyond max_channels or max_bytes.
    void add(const Path& path, const Outcome& outcome);
    void merge(const Attribution& other);
    /// Adds an encoded summary; throws corrupt_data for anything encode does not write.
    void merge(std::string_view bytes);

    [[nodiscard]] std::string encode() const;
    /// Throws the error of a summary beyond max_bytes.
    [[noreturn]] static void too_large();
    /// Throws the error of more than max_channels.
    [[noreturn]] static void too_many_channels();

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };
    template <class Value>
    using Table = std::pmr::unordered_map<std::pmr::string, Value, Hash, std::equal_to<>>;
    struct Entry {
        using allocator_type = std::pmr::polymorphic_allocator<char>;
        explicit Entry(const allocator_type& memory) : ages(memory) {}
        Outcome outcome;
        std::pmr::string ages;     // records of conversions, value and ages, in any order
        std::size_t compacted = 0; // their size when they were last sorted and merged
    };

    Table<std::uint32_t> ids_;
    std::pmr::vector<std::string_view> names_; // by id; points into ids_
    Table<Entry> entries_;                     // by the ids of the sequence, as varints
    Outcome without_path_;
    std::size_t bytes_ = 0;
    // Scratch; in the state's memory as well, since a state that dies with its memory context runs no
    // destructor.
    std::pmr::string key_;
    std::pmr::vector<Span> ages_;

    std::uint32_t id_of(std::string_view channel);
    Entry& entry_for_key();
    template <class Ages>
    void add_ages(Entry& entry, const Outcome& outcome, const Ages& ages);
    void count_bytes(std::size_t more);
    void add_sequence(const Sequence& sequence, const std::vector<std::uint32_t>& ids);
};

/// The validator of encoded summaries; throws corrupt_data for anything Attribution::encode does not write.
[[nodiscard]] AttributionData decode_attribution(std::string_view bytes);
[[nodiscard]] std::string encode_attribution(const AttributionData& data);

/// Writes an encoded summary front to back: channels in byte order and all used, sequences in lexical order.
class AttributionWriter {
public:
    AttributionWriter(std::span<const std::string_view> channels, const Outcome& without_path,
                      std::size_t sequences);
    using ByAge = std::span<const std::pair<std::vector<Span>, Outcome>>;
    void add(std::span<const std::uint32_t> channels, const Outcome& outcome, ByAge by_age);
    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    std::string out_;
};

/// Do models need the ages of these touches? Not when there is one channel only.
[[nodiscard]] bool needs_ages(std::span<const std::uint32_t> channels) noexcept;

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
