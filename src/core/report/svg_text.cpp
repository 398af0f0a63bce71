// Text and colours of the pictures.
#include "core/report/svg.hpp"

#include <algorithm>
#include <cmath>

namespace nurture::report::svg {
namespace {

constexpr char32_t replacement = 0xfffd;

/// The next character of UTF-8 text; U+FFFD and one byte for what is none.
char32_t next(std::string_view text, std::size_t& i) {
    auto const lead = static_cast<unsigned char>(text[i++]);
    if (lead < 0x80)
        return lead;
    int const more = lead >= 0xf0 && lead < 0xf5 ? 3 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xc2 && lead < 0xe0 ? 1 : 0;
    if (more == 0 || i + static_cast<std::size_t>(more) > text.size())
        return replacement;
    char32_t c = lead & (0x3f >> more);
    for (int k = 0; k < more; ++k) {
        auto const byte = static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]);
        if ((byte & 0xc0) != 0x80)
            return replacement;
        c = c << 6 | (byte & 0x3f);
    }
    static constexpr char32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return replacement;
    i += static_cast<std::size_t>(more);
    return c;
}

/// XML 1.0, production 2 (Char), without the discouraged control characters.
bool allowed(char32_t c) {
    return c == '\t' || c == '\n' || (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && (c & 0xfffe) != 0xfffe);
}

/// Em widths of a wide sans serif (DejaVu Sans), rounded up: text in other faces is narrower.
double em_width(char32_t c) {
    if (c >= 0x1100 && (c < 0x1160 || (c >= 0x2e80 && c < 0xa4d0) || (c >= 0xac00 && c < 0xd7a4) ||
                        (c >= 0xf900 && c < 0xfb00) || (c >= 0xfe30 && c < 0xfe70) || (c >= 0xff00 && c < 0xff61)))
        return 1.05;
    if (c >= 0x1f000)
        return 1.4;
    if (c >= 0x80)
        return c >= 0x400 ? 0.85 : 0.78;
    if (std::string_view("ijl|'").find(static_cast<char>(c)) != std::string_view::npos)
        return 0.3;
    if (std::string_view(" .,:;!I/\\()[]-ftr\"").find(static_cast<char>(c)) != std::string_view::npos)
        return 0.42;
    if (std::string_view("mMW%@").find(static_cast<char>(c)) != std::string_view::npos)
        return 1.02;
    if (std::string_view("w+<>=~#&OQNGHD").find(static_cast<char>(c)) != std::string_view::npos)
        return 0.84;
    if (c == '_')
        return 0.5;
    return c >= 'A' && c <= 'Z' ? 0.72 : 0.63;
}

} // namespace

std::string escape(std::string_view utf8) {
    std::string out;
    out.reserve(utf8.size() + 8);
    for (std::size_t i = 0; i < utf8.size();) {
        char32_t c = next(utf8, i);
        if (!allowed(c))
            c = replacement;
        if (c < 0x80 && c != '&' && c != '<' && c != '>' && c != '"' && c != '\'')
            out += static_cast<char>(c);
        else
            out.append("&#").append(std::to_string(static_cast<std::uint32_t>(c))).append(";");
    }
    return out;
}

double text_width(std::string_view utf8, double size) {
    double ems = 0;
    for (std::size_t i = 0; i < utf8.size();)
        ems += em_width(next(utf8, i));
    return ems * size;
}

std::string fit(std::string_view utf8, double size, double room) {
    if (text_width(utf8, size) <= room)
        return std::string(utf8);
    double ems = em_width(0x2026);
    std::size_t end = 0;
    for (std::size_t i = 0; i < utf8.size();) {
        ems += em_width(next(utf8, i));
        if (ems * size > room)
            break;
        end = i;
    }
    while (end > 0 && utf8[end - 1] == ' ')
        --end;
    return std::string(utf8.substr(0, end)) + "\u2026";
}

double contrast(std::uint32_t a, std::uint32_t b) {
    auto const luminance = [](std::uint32_t colour) {
        static constexpr double weights[] = {0.2126, 0.7152, 0.0722};
        double sum = 0;
        for (int i = 0; i < 3; ++i) {
            double const s = static_cast<double>(colour >> (16 - 8 * i) & 255) / 255;
            sum += weights[i] * (s <= 0.04045 ? s / 12.92 : std::pow((s + 0.055) / 1.055, 2.4));
        }
        return sum;
    };
    double const la = luminance(a);
    double const lb = luminance(b);
    return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

std::uint32_t ink_on(std::uint32_t colour) { return contrast(colour, 0xffffff) >= contrast(colour, 0) ? 0xffffff : 0; }

Colour ramp(int step) {
    // Through a middle stop, so that the steps between are told apart by lightness alone.
    auto const blend = [step](std::uint32_t from, std::uint32_t middle, std::uint32_t to) {
        int const half = (ramp_steps - 1) / 2;
        std::uint32_t const a = step < half ? from : middle;
        std::uint32_t const b = step < half ? middle : to;
        int const part = step < half ? step : step - half;
        std::uint32_t out = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int const x = static_cast<int>(a >> shift & 255);
            int const y = static_cast<int>(b >> shift & 255);
            out = out << 8 | static_cast<std::uint32_t>(x + (y - x) * part / half);
        }
        return out;
    };
    return {blend(0xe9f1f9, 0x5ba3d4, 0x0a3a73), blend(0x1e2a36, 0x2f74ad, 0xc3e2fa)};
}

} // namespace nurture::report::svg
