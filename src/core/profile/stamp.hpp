#pragma once
#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

#include <compare>

namespace nurture::profile {

/// Orders a contact's events: by when they happened, then by the order in which the engine took them.
struct Stamp {
    Time at = 0;
    std::int64_t tick = 0;
    std::int32_t n = 0;
    friend auto operator<=>(const Stamp&, const Stamp&) = default;
};

/// No time a contact's state holds is further from the epoch (70,000 years): differences of such times never overflow.
inline constexpr Time furthest_time = Time{1} << 61;

/// Written relative to an earlier stamp, so that neighbours take few bytes.
inline void write_stamp(ByteWriter& out, const Stamp& stamp, const Stamp& base) {
    out.integer(stamp.at - base.at);
    out.integer(stamp.tick - base.tick);
    out.integer(stamp.n);
}
inline Stamp read_stamp(ByteReader& in, const Stamp& base) {
    Stamp stamp;
    if (__builtin_add_overflow(base.at, in.integer(), &stamp.at) ||
        __builtin_add_overflow(base.tick, in.integer(), &stamp.tick))
        ByteReader::corrupt("holds a time out of range");
    std::int64_t const n = in.integer();
    if (stamp.at < -furthest_time || stamp.at > furthest_time || stamp.tick < -furthest_time ||
        stamp.tick > furthest_time || n < INT32_MIN || n > INT32_MAX)
        ByteReader::corrupt("holds a time out of range");
    stamp.n = static_cast<std::int32_t>(n);
    return stamp;
}

} // namespace nurture::profile
