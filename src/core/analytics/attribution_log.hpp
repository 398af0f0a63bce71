#pragma once
// Touches and conversions of many contacts in the order in which they come; cut into paths at the end.
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "core/analytics/attribution.hpp"
#include "core/analytics/contact_log.hpp"

namespace nurture::analytics {

/// A contact's conversion ends a path: of the touches at or before it and after the conversion before it,
/// less than the span ago. Touches after the last conversion are a path that failed. In memory that dies with
/// it.
class AttributionLog {
public:
    /// A span of `never` takes all touches.
    AttributionLog(Span span, std::pmr::memory_resource* memory, Budget& budget)
        : span_(span), budget_(&budget), log_(memory, budget), channels_(memory, budget), outcomes_(memory) {}

    [[nodiscard]] Span span() const noexcept { return span_; }
    /// Throws invalid_parameter for an impossible name, limit_exceeded.
    void add_touch(std::string_view contact, Time at, std::string_view channel);
    /// Throws invalid_parameter for an outcome without a conversion.
    void add_conversion(std::string_view contact, Time at, std::int64_t conversions, Wide value);
    /// Throws invalid_parameter when the spans differ.
    void merge(AttributionLog& other);
    /// Adds what encode_to() of another process of the same server wrote; throws corrupt_data otherwise.
    void merge(std::string_view bytes);
    void encode_to(std::string& out);

    /// All paths, as they would be if they were added one by one; `breathe` is called for each contact and
    /// may throw.
    [[nodiscard]] std::string summary(void (*breathe)());

private:
    struct Converted {
        std::int64_t conversions;
        Wide value;
    };
    /// Of an event's mask: it is a conversion, the other bits are its place in outcomes_; else the channel.
    static constexpr std::uint32_t conversion = std::uint32_t{1} << 31;

    Span span_;
    Budget* budget_;
    ContactLog log_;
    ContactNumbers channels_;
    std::pmr::vector<Converted> outcomes_;

    std::uint32_t channel_number(std::string_view channel);
    std::uint32_t keep(const Converted& outcome);
};

} // namespace nurture::analytics
