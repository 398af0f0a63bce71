// Where in a text an error is, for people: line, column, and the line with a caret.
#include "core/language/language.hpp"
#include "core/language/utf8.hpp"

#include <algorithm>

namespace nurture::language {

namespace {

constexpr std::size_t shown_before = 48; // characters of the line before the place, at most
constexpr std::size_t shown_after = 32;

std::size_t line_start(std::string_view text, std::size_t offset) {
    if (offset == 0)
        return 0;
    std::size_t const newline = text.rfind('\n', offset - 1);
    return newline == std::string_view::npos ? 0 : newline + 1;
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

// Tabs and other control characters as one blank each, so that the caret stands where it should; bytes that
// are no UTF-8 as question marks.
void append_shown(std::string& out, std::string_view piece) {
    for (std::size_t i = 0; i < piece.size();) {
        auto const c = decode_utf8(piece, i);
        if (c.length == 0)
            out += begins_character(piece[i]) ? "?" : "";
        else if (c.value < 0x20 || c.value == 0x7F)
            out += ' ';
        else
            out += piece.substr(i, c.length);
        i += std::max<std::size_t>(c.length, 1);
    }
}

} // namespace

Position position_of(std::string_view text, std::size_t offset) {
    offset = std::min(offset, text.size());
    std::string_view const before = text.substr(0, offset);
    auto const lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    return {lines + 1, characters(before.substr(line_start(text, offset))) + 1};
}

std::string point_at(std::string_view text, std::size_t offset) {
    offset = std::min(offset, text.size());
    auto const [line, column] = position_of(text, offset);
    std::size_t const start = line_start(text, offset);
    std::size_t const end = std::min(text.find('\n', offset), text.size());

    std::size_t from = offset;
    std::size_t shown = 0;
    for (; from > start && shown < shown_before; ++shown) {
        --from;
        while (from > start && !begins_character(text[from]))
            --from;
    }
    std::size_t to = offset;
    for (std::size_t n = 0; to < end && n < shown_after; ++n) {
        ++to;
        while (to < end && !begins_character(text[to]))
            ++to;
    }
    bool const clipped = from > start;
    std::string out = "At line " + std::to_string(line) + ", column " + std::to_string(column) + ":\n    ";
    out += clipped ? "..." : "";
    append_shown(out, text.substr(from, to - from));
    while (!out.empty() && out.back() == ' ')
        out.pop_back();
    out += to < end ? "..." : "";
    out += '\n';
    out.append(4 + (clipped ? 3 : 0) + shown, ' ');
    out += '^';
    return out;
}

} // namespace nurture::language
