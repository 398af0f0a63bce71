#pragma once
#include "core/profile/feature.hpp"

namespace nurture::profile {

/// Drops what the definition does not keep of entries in ascending order.
void cut(const FeatureDefinition& definition, std::vector<Entry>& items, const Zone& zone);
void cut(const FeatureDefinition& definition, std::vector<Extreme>& items, const Zone& zone);

/// The stretch of `gap` that a moment falls into: two events of one stretch belong to one session.
[[nodiscard]] constexpr std::int64_t stretch_of(Time at, Span gap) noexcept {
    std::int64_t const q = at / gap;
    return at % gap < 0 ? q - 1 : q;
}
/// The oldest stretch that is kept when only the newest day is.
[[nodiscard]] constexpr std::int64_t oldest_stretch(Time newest, Span gap) noexcept {
    return stretch_of(newest, gap) - (one_day / gap + 1);
}

} // namespace nurture::profile
