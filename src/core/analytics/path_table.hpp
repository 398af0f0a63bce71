#pragma once
// The distinct paths of a summary while it is made: many paths are few sequences of channels.
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/analytics/attribution_data.hpp"
#include "core/analytics/contact_numbers.hpp"

namespace nurture::analytics {

/// Adds up paths whose channels are numbers below AttributionData::max_channels. All it owns is in `memory`,
/// and may die with it.
class PathTable {
public:
    static constexpr std::size_t max_bytes = 512U << 20;

    PathTable(std::pmr::memory_resource* memory, Budget& budget);
    /// Adds a path; one without channels is a conversion nobody touched. Throws limit_exceeded, out_of_range.
    void add(std::span<const std::uint32_t> channels, std::span<const Time> times, const Outcome& outcome);
    /// Adds all of another, whose channels are `numbers` here.
    void merge(PathTable& other, std::span<const std::uint32_t> numbers);
    void merge(const AttributionData& data, std::span<const std::uint32_t> numbers);
    /// The encoded summary; `names` by number, those that are not used are left out.
    [[nodiscard]] std::string encode(std::span<const std::string_view> names);
    /// A budget of max_bytes, which ends in an error that says so.
    [[nodiscard]] static Budget budget() noexcept { return Budget(max_bytes, too_large); }

private:
    /// Some converting paths of equal ages; those lie in ages_, as many as the sequence has touches.
    struct Aged {
        Wide value;
        std::int64_t conversions;
        std::uint32_t first_age;
        std::uint32_t number;

        [[nodiscard]] Outcome outcome() const noexcept { return {conversions, 0, value}; }
    };
    static_assert(sizeof(Aged) == 32);
    /// Places in aged_, sequence by sequence.
    struct Order {
        std::vector<std::uint32_t> records;
        std::vector<std::size_t> ends; ///< by the sequence's number
    };
    static constexpr std::uint32_t none = 0xffffffff;
    static constexpr std::size_t first_compaction = 1U << 14;

    Budget* budget_;
    ContactNumbers keys_; ///< two bytes a channel, so that bytes are ordered as sequences are
    std::pmr::vector<Outcome> outcomes_;
    std::pmr::vector<Aged> aged_;
    std::pmr::vector<Span> ages_;
    std::size_t compact_at_ = first_compaction;
    Outcome without_path_;
    PendingRow pending_;
    Outcome pending_outcome_;
    std::uint32_t pending_aged_ = none; ///< whose number is not known yet
    std::pmr::string key_;

    void settle();
    void make_key(std::span<const std::uint32_t> channels);
    std::uint32_t add_key(std::uint32_t hash, std::string_view key, const Outcome& outcome);
    std::uint32_t add_aged(const Outcome& outcome, std::size_t touches);
    void compact();
    [[nodiscard]] Order aged_in_order(const std::vector<std::string_view>& keys) const;
    template <class Visit>
    void for_each_record(const Order& order, std::size_t number, std::string_view key, Visit visit) const;
    [[nodiscard]] std::span<const Span> ages_of(const Aged& aged, std::string_view key) const noexcept {
        return std::span(ages_).subspan(aged.first_age, key.size() / 2);
    }
    [[noreturn]] static void too_large();
};

} // namespace nurture::analytics
