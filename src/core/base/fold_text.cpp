#include "core/base/fold_text.hpp"

#include <algorithm>
#include <stdexcept>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

namespace nurture {

namespace {

using Utf16 = std::u16string;

void check(UErrorCode status) {
    if (U_FAILURE(status) != 0)
        throw std::runtime_error(std::string("Unicode: ") + u_errorName(status));
}

// ICU's functions say how long the result is; the second call fits.
template <class Call>
Utf16 produce(std::size_t guess, Call call) {
    Utf16 out(guess, u'\0');
    UErrorCode status = U_ZERO_ERROR;
    std::int32_t length = call(out.data(), static_cast<std::int32_t>(out.size()), &status);
    if (status == U_BUFFER_OVERFLOW_ERROR) {
        out.resize(static_cast<std::size_t>(length));
        status = U_ZERO_ERROR;
        length = call(out.data(), length, &status);
    }
    check(status);
    out.resize(static_cast<std::size_t>(length));
    return out;
}

Utf16 normalized(const Utf16& text, const UNormalizer2* how) {
    return produce(text.size() * 2, [&](char16_t* to, std::int32_t room, UErrorCode* status) {
        return unorm2_normalize(how, text.data(), static_cast<std::int32_t>(text.size()), to, room, status);
    });
}

Utf16 without_accents(const Utf16& text) {
    Utf16 out;
    for (std::size_t i = 0; i < text.size();) {
        UChar32 c = 0;
        std::size_t const from = i;
        U16_NEXT(text.data(), i, text.size(), c);
        if (u_charType(c) != U_NON_SPACING_MARK)
            out.append(text, from, i - from);
    }
    return out;
}

std::string to_utf8(const Utf16& text) {
    std::string out(text.size() * 3, '\0');
    std::int32_t length = 0;
    UErrorCode status = U_ZERO_ERROR;
    u_strToUTF8WithSub(out.data(), static_cast<std::int32_t>(out.size()), &length, text.data(),
                       static_cast<std::int32_t>(text.size()), 0xFFFD, nullptr, &status);
    check(status);
    out.resize(static_cast<std::size_t>(length));
    return out;
}

} // namespace

std::string fold_text(std::string_view text, Folding folding) {
    std::string out(text);
    if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
        if (folding.letter_case)
            std::transform(out.begin(), out.end(), out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        return out;
    }
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2* const nfd = unorm2_getNFDInstance(&status);
    const UNormalizer2* const nfc = unorm2_getNFCInstance(&status);
    check(status);
    Utf16 wide = produce(text.size(), [&](char16_t* to, std::int32_t room, UErrorCode* code) {
        std::int32_t length = 0;
        u_strFromUTF8WithSub(to, room, &length, text.data(), static_cast<std::int32_t>(text.size()), 0xFFFD, nullptr, code);
        return length;
    });
    wide = normalized(wide, nfd);
    if (folding.accents)
        wide = without_accents(wide);
    if (folding.letter_case)
        wide = produce(wide.size() * 2, [&](char16_t* to, std::int32_t room, UErrorCode* code) {
            return u_strFoldCase(to, room, wide.data(), static_cast<std::int32_t>(wide.size()), U_FOLD_CASE_DEFAULT, code);
        });
    return to_utf8(normalized(wide, nfc));
}

} // namespace nurture
