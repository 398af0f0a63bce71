#pragma once
// Streams, the language's fifth form: what contacts are to be told, one thing after the other.
#include "core/language/language.hpp"
#include "core/language/references.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::language {

/// email 'tip 1' [for purpose] [from m] [until m]: an until without a time is through the end of that day
struct StreamContent {
    std::string channel, template_name;
    std::optional<std::string> purpose;
    std::optional<Moment> from, until;
    friend bool operator==(const StreamContent&, const StreamContent&) = default;
};

struct Stream {
    std::vector<StreamContent> contents; ///< in the order in which they are sent; no message twice
    friend bool operator==(const Stream&, const Stream&) = default;
};

/// Throws as the parsers of the other forms do.
Stream parse_stream(std::string_view text, const Limits& limits = {});
/// Canonical text: one content per line.
std::string print(const Stream& stream);

/// As of the other forms.
std::vector<Reference> references(const Stream& stream);
std::vector<Use> uses(const Stream& stream);

} // namespace nurture::language
