#pragma once
// Powers of two with a fraction, in integers: the same bits on every machine, unlike the library's exp2.
#include <array>
#include <cstdint>

namespace nurture {

namespace detail {

using Wide128 = unsigned __int128;

/// a * b for numbers in [1, 2) kept as integers of 2^-63, rounded down.
constexpr std::uint64_t multiply_q63(std::uint64_t a, std::uint64_t b) noexcept {
    return static_cast<std::uint64_t>((static_cast<Wide128>(a) * b) >> 63);
}

/// The square root of a number in [1, 2), both as integers of 2^-63, rounded down.
constexpr std::uint64_t sqrt_q63(std::uint64_t value) noexcept {
    auto const square = static_cast<Wide128>(value) << 63;
    std::uint64_t root = 0;
    for (int bit = 63; bit >= 0; --bit) {
        std::uint64_t const trial = root | (std::uint64_t{1} << bit);
        if (static_cast<Wide128>(trial) * trial <= square)
            root = trial;
    }
    return root;
}

// table[k][b] = 2^(b / 256^(k+1)): four bytes of the fraction, one factor each.
struct Exp2Table {
    std::array<std::array<std::uint64_t, 256>, 4> factor{};

    constexpr Exp2Table() {
        std::array<std::uint64_t, 33> root{};  // root[i] = 2^(2^-i), i >= 1
        root[1] = 13'043'817'825'332'782'212U; // 2^0.5 * 2^63
        for (std::size_t i = 2; i < root.size(); ++i)
            root[i] = sqrt_q63(root[i - 1]);
        for (std::size_t k = 0; k < 4; ++k)
            for (std::size_t b = 0; b < 256; ++b) {
                std::uint64_t product = std::uint64_t{1} << 63;
                for (std::size_t bit = 0; bit < 8; ++bit)
                    if ((b >> (7 - bit)) & 1)
                        product = multiply_q63(product, root[8 * k + bit + 1]);
                factor[k][b] = product;
            }
    }
};

inline constexpr Exp2Table exp2_table{};

} // namespace detail

/// 2^(fraction / 2^64) as an integer of 2^-63. Off by less than 2^-56 (some forty truncations of 2^-63 each,
/// and the tail 2^y = 1 + y ln 2 for y < 2^-32, whose next term is below 2^-66).
[[nodiscard]] constexpr std::uint64_t exp2_q63(std::uint64_t fraction) noexcept {
    auto const& f = detail::exp2_table.factor;
    std::uint64_t product = f[0][fraction >> 56];
    product = detail::multiply_q63(product, f[1][(fraction >> 48) & 255]);
    product = detail::multiply_q63(product, f[2][(fraction >> 40) & 255]);
    product = detail::multiply_q63(product, f[3][(fraction >> 32) & 255]);
    constexpr std::uint64_t ln2 = 2'977'044'472; // ln 2 * 2^32
    // (rest * 2^-64) * (ln 2), as an integer of 2^-63
    std::uint64_t const tail = ((fraction & 0xffff'ffffU) * ln2) >> 33;
    return detail::multiply_q63(product, (std::uint64_t{1} << 63) + tail);
}

/// 2^(part / whole) as an integer of 2^-63, for 0 <= part < whole.
[[nodiscard]] constexpr std::uint64_t exp2_ratio_q63(std::uint64_t part, std::uint64_t whole) noexcept {
    return exp2_q63(static_cast<std::uint64_t>((static_cast<detail::Wide128>(part) << 64) / whole));
}

} // namespace nurture
