// Near misses: the name somebody probably meant.
#include "core/language/language.hpp"
#include "core/language/suggest.hpp"
#include "core/language/utf8.hpp"

#include <algorithm>
#include <vector>

namespace nurture::language {

namespace {

// Longer names are compared by their beginning: the table below is quadratic.
constexpr std::size_t longest_compared = 128;

std::u32string folded(std::string_view text) {
    std::u32string out;
    for (std::size_t i = 0; i < text.size() && out.size() < longest_compared;) {
        auto const c = decode_utf8(text, i);
        char32_t const value = c.length == 0 ? 0xFFFD : c.value;
        out += value >= U'A' && value <= U'Z' ? value + 32 : value;
        i += std::max<std::size_t>(c.length, 1);
    }
    return out;
}

// The distance of Damerau (1964) and Levenshtein (1966) in its restricted form: insertions, deletions,
// substitutions and swaps of neighbours, no place edited twice.
std::size_t distance(const std::u32string& a, const std::u32string& b) {
    std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        above[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, above);
        std::swap(above, row);
    }
    return above[b.size()];
}

} // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    return distance(folded(a), folded(b));
}

std::string suggest(std::string_view name, std::span<const std::string> known) {
    std::u32string const wanted = folded(name);
    std::size_t best = std::max<std::size_t>(1, wanted.size() / 3) + 1;
    const std::string* found = nullptr;
    for (const std::string& candidate : known) {
        if (candidate == name)
            continue;
        std::u32string const other = folded(candidate);
        std::size_t const apart =
            wanted.size() > other.size() ? wanted.size() - other.size() : other.size() - wanted.size();
        if (apart >= best)
            continue;
        if (std::size_t const d = distance(wanted, other); d < best) {
            best = d;
            found = &candidate;
        }
    }
    return found == nullptr ? std::string() : "Perhaps you meant \"" + *found + "\".";
}

} // namespace nurture::language
