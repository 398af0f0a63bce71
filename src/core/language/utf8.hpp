#pragma once
// The little of UTF-8 the lexer and the error reports need.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nurture::language {

struct CodePoint {
    char32_t value = 0;
    std::size_t length = 0; ///< bytes; 0: no valid sequence begins here
};

/// The code point that begins at text[at]; refuses overlong forms, surrogates and values beyond U+10FFFF.
[[nodiscard]] constexpr CodePoint decode_utf8(std::string_view text, std::size_t at) noexcept {
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned const lead = byte(at);
    if (lead < 0x80)
        return {lead, 1};
    std::size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || at + length > text.size())
        return {};
    char32_t value = lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xC0U) != 0x80)
            return {};
        value = value << 6 | (byte(at + i) & 0x3FU);
    }
    char32_t const least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
    if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return {};
    return {value, length};
}

/// True for the bytes that begin a character (or stand for one in broken text).
[[nodiscard]] constexpr bool begins_character(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
}

} // namespace nurture::language
