#include "core/analytics/decayed.hpp"

#include <cmath>

#include "core/base/varint.hpp"

namespace nurture::analytics {

namespace {

struct Unit {
    const char* name;
    Span span;
};

constexpr Unit units[] = {
    {"day", one_day}, {"hour", one_hour}, {"minute", one_minute}, {"second", one_second}, {"microsecond", one_microsecond}};

[[noreturn]] void fail(const char* expectation) {
    throw Error(ErrorKind::syntax, "invalid text of decayed", expectation,
                "A decayed sum looks like \"14 days: 742=1099511627776\". To make one, use "
                "nurture.decayed(amount, at, "
                "half_life).");
}

std::string print_wide(Wide value) {
    std::string digits;
    auto magnitude = value < 0 ? -static_cast<UnsignedWide>(value) : static_cast<UnsignedWide>(value);
    do {
        digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(magnitude % 10)));
        magnitude /= 10;
    } while (magnitude != 0);
    return value < 0 ? '-' + digits : digits;
}

bool take(std::string_view& text, std::string_view prefix) noexcept {
    if (text.substr(0, prefix.size()) != prefix)
        return false;
    text.remove_prefix(prefix.size());
    return true;
}

// An integer within ±limit.
Wide take_integer(std::string_view& text, UnsignedWide limit) {
    bool const negative = take(text, "-");
    UnsignedWide value = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
        auto const digit = static_cast<UnsignedWide>(text[digits] - '0');
        if (value > (limit - digit) / 10)
            fail("A number is too large.");
        value = value * 10 + digit;
    }
    if (digits == 0)
        fail("Expected a number.");
    text.remove_prefix(digits);
    return negative ? -static_cast<Wide>(value) : static_cast<Wide>(value);
}

Span take_half_life(std::string_view& text) {
    auto const number = static_cast<Span>(take_integer(text, INT64_MAX));
    if (!take(text, " "))
        fail("Expected a unit of time after the half-life's number.");
    for (auto const& unit : units)
        if (take(text, unit.name)) {
            take(text, "s");
            Span span = 0;
            if (__builtin_mul_overflow(number, unit.span, &span))
                fail("The half-life is out of range.");
            return span;
        }
    fail("Expected days, hours, minutes, seconds or microseconds.");
}

} // namespace

std::string print_half_life(Span half_life) {
    for (auto const& unit : units)
        if (half_life % unit.span == 0) {
            Span const number = half_life / unit.span;
            return std::to_string(number) + ' ' + unit.name + (number == 1 ? "" : "s");
        }
    return {};
}

std::string print_decayed(const DecayedSum& sum) {
    std::string out = print_half_life(sum.half_life()) + ':';
    for (auto const& bucket : sum.buckets())
        out += ' ' + std::to_string(bucket.period) + '=' + print_wide(bucket.amount);
    return out;
}

DecayedSum parse_decayed(std::string_view text) {
    DecayedSum sum(take_half_life(text));
    if (!take(text, ":"))
        fail("Expected a colon after the half-life.");
    constexpr auto limit = static_cast<UnsignedWide>((UnsignedWide{1} << 127) - 1);
    Wide last = 0;
    std::size_t buckets = 0;
    for (bool first = true; !text.empty(); first = false) {
        if (!take(text, " "))
            fail("Expected a blank between the buckets.");
        Wide const period = take_integer(text, static_cast<UnsignedWide>(INT64_MAX) + 1);
        if (period > INT64_MAX || (!first && period <= last))
            fail("The periods must ascend.");
        if (!take(text, "="))
            fail("Expected \"=\" after the period.");
        sum.add_bucket(static_cast<std::int64_t>(period), take_integer(text, limit));
        ++buckets;
        last = period;
    }
    if (sum.buckets().size() != buckets)
        fail("A bucket is 0 or too old to be kept.");
    return sum;
}

Wide DecayedMean::mean() const {
    // Both have the same newest period: it is kept even when its amounts add up to 0.
    long double const ratio =
        sum_.at_newest_period() / count_.at_newest_period() * static_cast<long double>(micro_one);
    return static_cast<Wide>(std::round(ratio));
}

void DecayedMean::encode(std::string& out) const {
    std::string const sum = sum_.encode();
    put_text(out, sum);
    count_.encode(out);
}

void DecayedMean::merge_bytes(std::string_view bytes) {
    VarintReader reader(bytes, "decayed mean");
    auto const sum = reader.text();
    sum_.merge(DecayedSum::decode(sum));
    count_.merge(DecayedSum::decode(bytes.substr(reader.position())));
}

Span DecayedMean::half_life_in(std::string_view bytes) {
    VarintReader reader(bytes, "decayed mean");
    return DecayedSum::decode(reader.text()).half_life();
}

void MovingDecayed::add(Time at, Micro amount) {
    auto const& buckets = mean_.count().buckets();
    std::int64_t const period = mean_.count().period_of(at);
    if (buckets.empty() || period > buckets.back().period)
        newest_rows_ = 1;
    else if (period == buckets.back().period)
        ++newest_rows_;
    mean_.add(at, amount);
}

bool MovingDecayed::try_remove(Time at, Micro amount) {
    if (mean_.count().period_of(at) == mean_.count().buckets().back().period) {
        if (newest_rows_ == 1)
            return false;
        --newest_rows_;
    }
    mean_.subtract(at, amount);
    return true;
}

} // namespace nurture::analytics
