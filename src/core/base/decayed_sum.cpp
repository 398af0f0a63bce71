#include "core/base/decayed_sum.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/exp2.hpp"
#include "core/base/varint.hpp"

namespace nurture {

namespace {

constexpr int weight_bits = 40;
constexpr char format_version = 1;

constexpr std::int64_t floor_divide(std::int64_t a, std::int64_t b) noexcept {
    return a / b - (a % b < 0 ? 1 : 0);
}

// A bucket's share of 256 bits, little-endian. Buckets are 128 bits, the newest is shifted by 63 so that the
// oldest of 64 loses nothing; their sum stays below 2^191, times a 64-bit weight below 2^255.
struct Wide256 {
    std::array<std::uint64_t, 4> limb{};

    // Adds value * 2^shift in two's complement, 0 <= shift < 64.
    void add_shifted(Wide value, unsigned shift) noexcept {
        auto const sign = static_cast<std::uint64_t>(value < 0 ? -1 : 0);
        auto const low = static_cast<std::uint64_t>(value);
        auto const high = static_cast<std::uint64_t>(static_cast<UnsignedWide>(value) >> 64);
        std::array<std::uint64_t, 4> part{low << shift, high << shift, sign << shift, sign};
        if (shift > 0) {
            part[1] |= low >> (64 - shift);
            part[2] |= high >> (64 - shift);
            part[3] = sign; // sign << shift | sign >> (64 - shift)
        }
        UnsignedWide carry = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            carry += static_cast<UnsignedWide>(limb[i]) + part[i];
            limb[i] = static_cast<std::uint64_t>(carry);
            carry >>= 64;
        }
    }

    [[nodiscard]] bool negative() const noexcept { return (limb[3] >> 63) != 0; }
    [[nodiscard]] bool zero() const noexcept { return (limb[0] | limb[1] | limb[2] | limb[3]) == 0; }

    void negate() noexcept {
        UnsignedWide carry = 1;
        for (auto& part : limb) {
            carry += ~part;
            part = static_cast<std::uint64_t>(carry);
            carry >>= 64;
        }
    }

    void multiply(std::uint64_t factor) noexcept {
        UnsignedWide carry = 0;
        for (auto& part : limb) {
            carry += static_cast<UnsignedWide>(part) * factor;
            part = static_cast<std::uint64_t>(carry);
            carry >>= 64;
        }
    }

    // Index of the highest set bit plus one.
    [[nodiscard]] int bit_length() const noexcept {
        for (int i = 3; i >= 0; --i)
            if (limb[static_cast<std::size_t>(i)] != 0)
                return 64 * i + std::bit_width(limb[static_cast<std::size_t>(i)]);
        return 0;
    }

    [[nodiscard]] bool bit(int index) const noexcept {
        return ((limb[static_cast<std::size_t>(index / 64)] >> (index % 64)) & 1) != 0;
    }

    // The 128 bits from `index` up.
    [[nodiscard]] UnsignedWide bits_from(int index) const noexcept {
        auto const at = [&](std::size_t i) -> std::uint64_t { return i < 4 ? limb[i] : 0; };
        auto const i = static_cast<std::size_t>(index / 64);
        int const shift = index % 64;
        auto const low = static_cast<UnsignedWide>(at(i)) | static_cast<UnsignedWide>(at(i + 1)) << 64;
        if (shift == 0)
            return low;
        return low >> shift | static_cast<UnsignedWide>(at(i + 2)) << (128 - shift);
    }

    void shift_left(int count) noexcept {
        int const limbs = count / 64;
        int const shift = count % 64;
        for (int i = 3; i >= 0; --i) {
            auto const at = [&](int k) -> std::uint64_t {
                return k >= 0 ? limb[static_cast<std::size_t>(k)] : 0;
            };
            std::uint64_t part = at(i - limbs) << shift;
            if (shift > 0)
                part |= at(i - limbs - 1) >> (64 - shift);
            limb[static_cast<std::size_t>(i)] = part;
        }
    }
};

// The whole sum at the start of its newest period, exactly, in units of 10^-6 * 2^-103.
Wide256 combine(const std::pmr::vector<DecayedSum::Bucket>& buckets) noexcept {
    Wide256 sum;
    auto const newest = static_cast<std::uint64_t>(buckets.back().period);
    for (auto const& bucket : buckets)
        sum.add_shifted(bucket.amount,
                        63 - static_cast<unsigned>(newest - static_cast<std::uint64_t>(bucket.period)));
    return sum;
}

[[noreturn]] void too_large() {
    throw Error(ErrorKind::out_of_range, "decayed sum out of range");
}

Wide checked_add(Wide a, Wide b) {
    Wide sum = 0;
    // The most negative value is left out: magnitudes then fit 127 bits.
    if (__builtin_add_overflow(a, b, &sum) || sum == static_cast<Wide>(UnsignedWide{1} << 127))
        too_large();
    return sum;
}

// amount * 2^(r/H) in units of 2^-40.
Wide weighted(Time at, std::int64_t period, Span half_life, Wide amount) {
    auto const rest = static_cast<std::uint64_t>(at) -
                      static_cast<std::uint64_t>(period) * static_cast<std::uint64_t>(half_life);
    std::uint64_t const exact = exp2_ratio_q63(rest, static_cast<std::uint64_t>(half_life));
    constexpr int cut = 63 - weight_bits;
    auto const weight = static_cast<Wide>((exact >> cut) + ((exact >> (cut - 1)) & 1));
    Wide product = 0;
    if (__builtin_mul_overflow(amount, weight, &product))
        too_large();
    return checked_add(product, 0);
}

} // namespace

DecayedSum::DecayedSum(Span half_life, std::pmr::memory_resource* memory)
    : half_life_(half_life), buckets_(memory) {
    if (half_life <= 0 || half_life > max_half_life)
        throw Error(ErrorKind::invalid_parameter, "half-life out of range",
                    "A half-life must be positive and at most 30 years.");
}

DecayedSum::DecayedSum(const DecayedSum& other, std::pmr::memory_resource* memory)
    : half_life_(other.half_life_), buckets_(other.buckets_, memory) {}

int DecayedSum::sign() const {
    if (buckets_.empty())
        return 0;
    Wide256 const sum = combine(buckets_);
    return sum.zero() ? 0 : sum.negative() ? -1 : 1;
}

// The newest period is kept even when it adds up to 0: which periods are dropped must depend on the set of
// what was added alone. All other zeros go, so that equal sums have equal buckets.
void DecayedSum::drop_old() {
    auto const newest = static_cast<std::uint64_t>(buckets_.back().period);
    auto const is_old = [&](const Bucket& bucket) {
        auto const age = newest - static_cast<std::uint64_t>(bucket.period);
        return age >= max_periods || (bucket.amount == 0 && age > 0);
    };
    // Only the bucket that was the newest can be 0.
    if (!is_old(buckets_.front()) && (buckets_.size() < 2 || !is_old(buckets_[buckets_.size() - 2])))
        return;
    buckets_.erase(std::remove_if(buckets_.begin(), buckets_.end(), is_old), buckets_.end());
}

void DecayedSum::add_bucket(std::int64_t period, Wide amount) {
    if (buckets_.empty() || period > buckets_.back().period) {
        buckets_.push_back({period, checked_add(amount, 0)});
        drop_old();
        return;
    }
    auto const age = static_cast<std::uint64_t>(buckets_.back().period) - static_cast<std::uint64_t>(period);
    if (age >= max_periods)
        return;
    auto const place =
        std::lower_bound(buckets_.begin(), buckets_.end(), period,
                         [](const Bucket& bucket, std::int64_t p) { return bucket.period < p; });
    if (place->period != period) {
        if (amount != 0)
            buckets_.insert(place, {period, checked_add(amount, 0)});
        return;
    }
    place->amount = checked_add(place->amount, amount);
    if (place->amount == 0 && age > 0)
        buckets_.erase(place);
}

void DecayedSum::add(Time at, Wide amount_micros) {
    std::int64_t const period = floor_divide(at, half_life_);
    add_bucket(period, weighted(at, period, half_life_, amount_micros));
}

void DecayedSum::subtract(Time at, Wide amount_micros) {
    std::int64_t const period = floor_divide(at, half_life_);
    add_bucket(period, -weighted(at, period, half_life_, amount_micros));
}

std::int64_t DecayedSum::period_of(Time at) const noexcept {
    return floor_divide(at, half_life_);
}

void DecayedSum::merge(const DecayedSum& other) {
    if (half_life_ != other.half_life_)
        throw Error(ErrorKind::invalid_parameter, "cannot add decayed sums of different half-lives");
    if (&other == this) {
        for (auto& bucket : buckets_)
            bucket.amount = checked_add(bucket.amount, bucket.amount);
        return;
    }
    // Newest first: what is to be dropped is then never inserted.
    for (auto bucket = other.buckets_.rbegin(); bucket != other.buckets_.rend(); ++bucket)
        add_bucket(bucket->period, bucket->amount);
}

// With m = ceil((t - P*H) / H) and s = (P + m) * H - t the factor 2^(-(t - P*H)/H) is 2^(s/H) * 2^-m, 0 <= s
// < H. Monotone: from one microsecond to the next the true factor falls by more than 2^(-1/H) <= 1 - 2^-51
// for H <= 2^50, while 2^(s/H) is computed with an error below 2^-56; so the computed factors fall, too. The
// sum they multiply is one exact integer, and rounding is monotone.
Wide DecayedSum::value_at(Time at) const {
    if (buckets_.empty())
        return 0;
    Wide256 sum = combine(buckets_);
    if (sum.zero())
        return 0;
    bool const negative = sum.negative();
    if (negative)
        sum.negate();
    std::int64_t const below = floor_divide(at, half_life_);
    auto const rest = static_cast<std::uint64_t>(at) -
                      static_cast<std::uint64_t>(below) * static_cast<std::uint64_t>(half_life_);
    Wide const above = static_cast<Wide>(below) + (rest > 0 ? 1 : 0);
    auto const ahead = rest > 0 ? static_cast<std::uint64_t>(half_life_) - rest : 0;
    sum.multiply(exp2_ratio_q63(ahead, static_cast<std::uint64_t>(half_life_)));
    Wide const shift = 63 + weight_bits + 63 + (above - buckets_.back().period);
    if (shift >= 256)
        return 0; // the product is below 2^255, so this is below a half
    if (static_cast<Wide>(sum.bit_length()) - shift > 126)
        too_large();
    UnsignedWide magnitude = 0;
    if (shift > 0) {
        magnitude = sum.bits_from(static_cast<int>(shift)) + (sum.bit(static_cast<int>(shift) - 1) ? 1 : 0);
    } else {
        sum.shift_left(static_cast<int>(-shift));
        magnitude = sum.bits_from(0);
    }
    return negative ? -static_cast<Wide>(magnitude) : static_cast<Wide>(magnitude);
}

long double DecayedSum::at_newest_period() const {
    if (buckets_.empty())
        return 0;
    Wide256 sum = combine(buckets_);
    bool const negative = sum.negative();
    if (negative)
        sum.negate();
    int const cut = std::max(sum.bit_length() - 64, 0);
    auto const top = static_cast<long double>(static_cast<std::uint64_t>(sum.bits_from(cut)));
    return std::ldexp(negative ? -top : top, cut - 63 - weight_bits);
}

std::strong_ordering DecayedSum::compare(const DecayedSum& other) const {
    if (half_life_ != other.half_life_)
        return half_life_ <=> other.half_life_;
    int const own_sign = sign();
    int const other_sign = other.sign();
    if (own_sign != other_sign || own_sign == 0)
        return own_sign <=> other_sign;
    Wide256 a = combine(buckets_);
    Wide256 b = combine(other.buckets_);
    if (own_sign < 0) {
        a.negate();
        b.negate();
    }
    auto const by_magnitude = [&]() -> std::strong_ordering {
        Wide const top_a = static_cast<Wide>(a.bit_length()) + buckets_.back().period;
        Wide const top_b = static_cast<Wide>(b.bit_length()) + other.buckets_.back().period;
        if (top_a != top_b)
            return top_a < top_b ? std::strong_ordering::less : std::strong_ordering::greater;
        a.shift_left(256 - a.bit_length());
        b.shift_left(256 - b.bit_length());
        for (std::size_t i = 4; i-- > 0;)
            if (a.limb[i] != b.limb[i])
                return a.limb[i] <=> b.limb[i];
        return std::strong_ordering::equal;
    }();
    if (own_sign > 0)
        return by_magnitude;
    return by_magnitude == std::strong_ordering::less      ? std::strong_ordering::greater
           : by_magnitude == std::strong_ordering::greater ? std::strong_ordering::less
                                                           : std::strong_ordering::equal;
}

// version, half-life, number of buckets, newest period, then newest first: gap to the next older, amount.
void DecayedSum::encode(std::string& out) const {
    out += format_version;
    put_varint(out, static_cast<UnsignedWide>(half_life_));
    put_varint(out, buckets_.size());
    if (buckets_.empty())
        return;
    std::int64_t last = buckets_.back().period;
    put_signed(out, last);
    for (auto bucket = buckets_.rbegin(); bucket != buckets_.rend(); ++bucket) {
        if (bucket != buckets_.rbegin())
            put_varint(out, static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(bucket->period));
        put_signed(out, bucket->amount);
        last = bucket->period;
    }
}

std::string DecayedSum::encode() const {
    std::string out;
    encode(out);
    return out;
}

DecayedSum DecayedSum::decode(std::string_view bytes, std::pmr::memory_resource* memory) {
    VarintReader reader(bytes, "decayed sum");
    reader.version(format_version);
    UnsignedWide const half_life = reader.varint(63);
    if (half_life == 0 || half_life > static_cast<UnsignedWide>(max_half_life))
        reader.corrupt("The half-life is out of range.");
    DecayedSum sum(static_cast<Span>(half_life), memory);
    UnsignedWide const count = reader.varint(7);
    if (count > max_periods)
        reader.corrupt("There are too many buckets.");
    sum.buckets_.resize(static_cast<std::size_t>(count));
    Wide period = 0;
    Wide newest = 0;
    for (std::size_t i = sum.buckets_.size(); i-- > 0;) {
        bool const first = i + 1 == sum.buckets_.size();
        if (first) {
            newest = period = reader.signed_varint(64);
        } else {
            UnsignedWide const gap = reader.varint(7);
            period -= static_cast<Wide>(gap);
            if (gap == 0 || newest - period >= static_cast<Wide>(max_periods) || period < INT64_MIN)
                reader.corrupt("The periods are not in order.");
        }
        Wide const amount = reader.signed_varint(128);
        if ((amount == 0 && !first) || amount == static_cast<Wide>(UnsignedWide{1} << 127))
            reader.corrupt("A bucket is out of range.");
        sum.buckets_[i] = {static_cast<std::int64_t>(period), amount};
    }
    reader.finish();
    return sum;
}

} // namespace nurture
