#pragma once
// The types rule_definition, condition and workflow_definition as they are stored: a varlena whose first byte
// is the format version, followed by the canonical text in UTF-8 whatever the database's encoding.
#include "core/base/error.hpp"
#include "core/language/language.hpp"

#include <string>
#include <string_view>

#include "pg/border/boundary.hpp"
#include "pg/border/settings.hpp"

namespace nurture::language {

inline constexpr unsigned char definition_format = 1;

/// The limits every definition is parsed with.
inline Limits language_limits() {
    Limits limits;
    limits.terms = static_cast<std::size_t>(border::settings::max_definition_terms());
    limits.depth = static_cast<std::size_t>(border::settings::max_definition_depth());
    return limits;
}

/// The text behind the version byte. Throws newer_format or corrupt_data.
inline std::string_view text_behind_version(std::string_view bytes) {
    if (bytes.size() < 2 || bytes[0] == 0)
        throw Error(ErrorKind::corrupt_data, "definition is damaged");
    auto const format = static_cast<unsigned char>(bytes[0]);
    if (format > definition_format)
        throw Error(ErrorKind::newer_format, "definition was written by a later version of nurture",
                    "Its format is " + std::to_string(format) + "; this library reads formats up to " +
                        std::to_string(definition_format) + ".");
    return bytes.substr(1);
}

/// The canonical text of a (detoasted, perhaps packed) definition. Throws newer_format or corrupt_data.
inline std::string_view definition_text(const struct varlena* value) {
    return text_behind_version({VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)});
}

/// The canonical text of a definition's datum; lives as long as the datum and the current memory context.
inline std::string_view definition_text(Datum datum) {
    auto* const raw = reinterpret_cast<struct varlena*>(DatumGetPointer(datum));
    return definition_text(border::pg_call([&] { return pg_detoast_datum_packed(raw); }));
}

/// A definition's datum of canonical text.
inline Datum make_definition(std::string_view canonical) {
    std::size_t const size = VARHDRSZ + 1 + canonical.size();
    auto* const out = border::pg_call([&] { return static_cast<struct varlena*>(palloc(size)); });
    SET_VARSIZE(out, size);
    char* const bytes = VARDATA(out);
    bytes[0] = static_cast<char>(definition_format);
    std::memcpy(bytes + 1, canonical.data(), canonical.size());
    return PointerGetDatum(out);
}

} // namespace nurture::language
