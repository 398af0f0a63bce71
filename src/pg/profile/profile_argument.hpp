#pragma once
// A profile among the arguments of a function.
#include "core/profile/profile.hpp"

#include "pg/border/datum.hpp"

namespace nurture::border {

/// Throws what profile::decode throws.
[[nodiscard]] inline profile::Profile profile_argument(FunctionCallInfo fcinfo, int n) {
    return profile::decode(bytes_argument(fcinfo, n));
}

} // namespace nurture::border
