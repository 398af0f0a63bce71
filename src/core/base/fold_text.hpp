#pragma once
// Texts compared without regard to letter case or accents, by Unicode's rules.
#include <string>
#include <string_view>

namespace nurture {

struct Folding {
    bool letter_case = false, accents = false;
    explicit operator bool() const noexcept { return letter_case || accents; }
    friend bool operator==(const Folding&, const Folding&) = default;
};

/// The text with what is to be ignored taken out: full case folding (ß is ss), nonspacing marks of the canonical
/// decomposition dropped (é is e). Equal texts in composed and decomposed form come out the same.
[[nodiscard]] std::string fold_text(std::string_view text, Folding folding);

} // namespace nurture
