#pragma once
// What many paths have in common, kept so that every attribution model can be read from it: the distinct
// sequences of channels with their conversions, values and failures, and for time decay the ages of
// converting touches. And the bytes it is stored as.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
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

/// One distinct sequence, as a model reads it; what belongs to it lies in AttributionData.
struct Sequence {
    std::size_t first_touch = 0, touches = 0;
    std::size_t first_record = 0, records = 0;
    std::size_t first_age = 0;
    Outcome outcome;
};

/// The whole of a summary, in its canonical order: what the models are functions of. Flat, since a summary
/// may have millions of paths.
struct AttributionData {
    static constexpr std::size_t max_channels = 10'000;

    std::vector<std::string> channels; ///< in byte order
    Outcome without_path;              ///< conversions nobody touched
    std::vector<Sequence> sequences;
    std::vector<std::uint32_t> touches; ///< of all sequences
    std::vector<Outcome> records;       ///< of all sequences
    std::vector<Span> ages;             ///< of all records

    /// Indices into `channels`, in order of time.
    [[nodiscard]] std::span<const std::uint32_t> channels_of(const Sequence& sequence) const noexcept {
        return std::span(touches).subspan(sequence.first_touch, sequence.touches);
    }
    /// The outcome split by the ages of the touches. Only for converting sequences of two channels or more.
    [[nodiscard]] std::span<const Outcome> records_of(const Sequence& sequence) const noexcept {
        return std::span(records).subspan(sequence.first_record, sequence.records);
    }
    /// Microseconds before the last touch, as many as touches.
    [[nodiscard]] std::span<const Span> ages_of(const Sequence& sequence, std::size_t record) const noexcept {
        return std::span(ages).subspan(sequence.first_age + record * sequence.touches, sequence.touches);
    }
};

/// Which parts of a summary somebody will look at.
enum class Detail { all, without_ages };

/// The validator of encoded summaries; throws corrupt_data for anything encode_attribution does not write.
/// Without ages it passes over the records without looking at them.
[[nodiscard]] AttributionData decode_attribution(std::string_view bytes, Detail detail = Detail::all);
[[nodiscard]] std::string encode_attribution(const AttributionData& data);

/// Writes an encoded summary front to back: channels in byte order and all used, sequences in lexical order,
/// after each of them its records in the order of their ages.
class AttributionWriter {
public:
    AttributionWriter(std::span<const std::string_view> channels, const Outcome& without_path,
                      std::size_t sequences);
    void sequence(std::span<const std::uint32_t> channels, const Outcome& outcome, std::size_t records);
    void record(std::span<const Span> ages, const Outcome& outcome);
    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    std::string out_;
};

/// Do models need the ages of these touches? Not when there is one channel only.
[[nodiscard]] bool needs_ages(std::span<const std::uint32_t> channels) noexcept;

} // namespace nurture::analytics
