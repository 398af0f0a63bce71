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

// `never` and `always` are far from the clock; one byte tells them apart from real times.
inline void write_time(ByteWriter& out, Time t, Time base) {
    if (t == never)
        out.number(1);
    else if (t == always)
        out.number(2);
    else {
        std::int64_t const delta = t - base;
        auto const zigzag = (static_cast<std::uint64_t>(delta) << 1) ^ static_cast<std::uint64_t>(delta >> 63);
        out.number(zigzag + 3);
    }
}

inline Time read_time(ByteReader& in, Time base) {
    std::uint64_t const written = in.number();
    if (written == 1)
        return never;
    if (written == 2)
        return always;
    if (written == 0)
        ByteReader::corrupt("holds an impossible time");
    std::uint64_t const zigzag = written - 3;
    Time t = 0;
    if (__builtin_add_overflow(base, static_cast<std::int64_t>(zigzag >> 1) ^ -static_cast<std::int64_t>(zigzag & 1),
                               &t) ||
        t < -furthest_time || t > furthest_time)
        ByteReader::corrupt("holds a time out of range");
    return t;
}

} // namespace nurture::profile
