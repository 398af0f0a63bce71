#include "core/base/decimal.hpp"

#include <algorithm>

namespace nurture {

namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// The parts of a number's text: all digits without the point, how many stood behind it, and the exponent.
struct NumberText {
    bool negative = false;
    std::string digits;
    std::int64_t exponent = 0; // of the last digit, relative to 1
};

std::optional<NumberText> scan_number(std::string_view text) {
    NumberText number;
    std::size_t i = 0;
    if (i < text.size() && (text[i] == '-' || text[i] == '+'))
        number.negative = text[i++] == '-';
    std::size_t const digits_from = i;
    while (i < text.size() && is_digit(text[i]))
        number.digits += text[i++];
    bool any = i > digits_from;
    if (i < text.size() && text[i] == '.') {
        ++i;
        while (i < text.size() && is_digit(text[i])) {
            number.digits += text[i++];
            --number.exponent;
            any = true;
        }
    }
    if (!any)
        return std::nullopt;
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        bool const negative = i < text.size() && text[i] == '-';
        if (i < text.size() && (text[i] == '-' || text[i] == '+'))
            ++i;
        if (i == text.size() || !is_digit(text[i]))
            return std::nullopt;
        std::int64_t e = 0;
        for (; i < text.size() && is_digit(text[i]); ++i)
            e = std::min<std::int64_t>(e * 10 + (text[i] - '0'), 1'000'000);
        number.exponent += negative ? -e : e;
    }
    if (i != text.size())
        return std::nullopt;
    return number;
}

} // namespace

std::optional<Micro> parse_micro(std::string_view text) noexcept {
    if (text.empty() || text.size() > 4096)
        return std::nullopt;
    auto const number = scan_number(text);
    if (!number)
        return std::nullopt;
    // The value is digits * 10^(exponent + 6) micros.
    std::int64_t const shift = number->exponent + 6;
    auto const first = number->digits.find_first_not_of('0');
    if (first == std::string::npos)
        return 0;
    std::string_view const digits = std::string_view(number->digits).substr(first);
    auto const whole = static_cast<std::int64_t>(digits.size()) + shift; // digits of the integral result
    if (whole > 19)
        return std::nullopt;
    if (whole < 0)
        return 0;
    Wide value = 0;
    for (std::int64_t i = 0; i < whole; ++i)
        value = value * 10 + (i < static_cast<std::int64_t>(digits.size()) ? digits[i] - '0' : 0);
    if (whole < static_cast<std::int64_t>(digits.size()) && digits[whole] >= '5')
        ++value;
    if (number->negative)
        value = -value;
    if (value > INT64_MAX || value < INT64_MIN)
        return std::nullopt;
    return static_cast<Micro>(value);
}

std::string print_micro(Wide value) {
    bool const negative = value < 0;
    auto magnitude = negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
    std::string text;
    auto fraction = static_cast<std::uint32_t>(magnitude % micro_one);
    magnitude /= micro_one;
    do {
        text += static_cast<char>('0' + static_cast<int>(magnitude % 10));
        magnitude /= 10;
    } while (magnitude != 0);
    if (negative)
        text += '-';
    std::reverse(text.begin(), text.end());
    if (fraction != 0) {
        std::string digits(6, '0');
        for (int i = 5; i >= 0; --i, fraction /= 10)
            digits[i] = static_cast<char>('0' + fraction % 10);
        digits.erase(digits.find_last_not_of('0') + 1);
        text += '.' + digits;
    }
    return text;
}

Wide multiply_micro(Wide a, Wide b) noexcept {
    // |a| and |b| are sums of micros; split a so that the product never overflows before the division.
    bool const negative = (a < 0) != (b < 0);
    auto const ua = a < 0 ? -static_cast<unsigned __int128>(a) : static_cast<unsigned __int128>(a);
    auto const ub = b < 0 ? -static_cast<unsigned __int128>(b) : static_cast<unsigned __int128>(b);
    if (std::uint64_t product = 0; // mostly: one division of 64 bits
        ua >> 64 == 0 && ub >> 64 == 0 &&
        !__builtin_mul_overflow(static_cast<std::uint64_t>(ua), static_cast<std::uint64_t>(ub), &product) &&
        product <= UINT64_MAX - micro_one) {
        auto const rounded = static_cast<Wide>((product + micro_one / 2) / micro_one);
        return negative ? -rounded : rounded;
    }
    auto const high = ua / micro_one;
    auto const low = ua % micro_one;
    auto const product = high * ub + (low * ub + micro_one / 2) / micro_one;
    return negative ? -static_cast<Wide>(product) : static_cast<Wide>(product);
}

} // namespace nurture
