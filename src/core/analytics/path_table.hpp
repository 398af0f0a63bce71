#pragma once
// The distinct paths of a summary while it is made: many paths are few sequences of channels.
#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "core/analytics/attribution.hpp"
#include "core/analytics/contact_numbers.hpp"

namespace nurture::analytics {

/// Adds up paths whose channels are numbered in the byte order of their names; the summary is the one that
/// Attribution makes of them.
class PathTable {
public:
    PathTable();
    /// Adds a path; one without channels is a conversion nobody touched. Throws limit_exceeded, out_of_range.
    void add(std::span<const std::uint32_t> channels, std::span<const Time> times, const Outcome& outcome);
    /// The encoded summary; `names` by number, those that are not used are left out.
    [[nodiscard]] std::string encode(std::span<const std::string_view> names);

private:
    /// A converting path and how long before its last touch each of them was.
    struct Aged {
        std::uint32_t number;
        std::vector<Span> ages;
        Outcome outcome;
    };

    std::pmr::unsynchronized_pool_resource memory_; ///< keys_ gives nothing back
    Budget budget_;
    ContactNumbers keys_; ///< two bytes a channel, so that bytes are ordered as sequences are
    std::vector<Outcome> outcomes_;
    std::vector<Aged> aged_;
    Outcome without_path_;
    PendingRow pending_;
    Outcome pending_outcome_;
    std::string key_;

    void settle();
    std::uint32_t add_key(std::uint32_t hash, std::string_view key, const Outcome& outcome);
    [[nodiscard]] std::vector<std::uint32_t> in_order(const std::vector<std::string_view>& keys) const;
};

} // namespace nurture::analytics
