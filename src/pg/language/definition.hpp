#pragma once
// The types rule_definition, condition and workflow_definition as they are stored: a varlena whose first byte is the
// format version, followed by the canonical text in UTF-8 whatever the database's encoding.
#include "core/base/error.hpp"
#include "core/language/language.hpp"

#include <string_view>

#include "pg/border/boundary.hpp"

namespace nurture::language {

inline constexpr char definition_format = 1;

/// The limits every definition is parsed with.
inline Limits language_limits() { return {}; }

/// The canonical text of a (detoasted, perhaps packed) definition. Throws newer_format or corrupt_data.
inline std::string_view definition_text(const struct varlena* value) {
    std::size_t const size = VARSIZE_ANY_EXHDR(value);
    const char* const bytes = VARDATA_ANY(value);
    if (size < 2 || bytes[0] < 1)
        throw Error(ErrorKind::corrupt_data, "definition is damaged");
    if (bytes[0] > definition_format)
        throw Error(ErrorKind::newer_format, "definition was written by a later version of nurture",
                    "Its format is " + std::to_string(bytes[0]) + "; this library reads formats up to " +
                        std::to_string(definition_format) + ".");
    return {bytes + 1, size - 1};
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
    bytes[0] = definition_format;
    std::memcpy(bytes + 1, canonical.data(), canonical.size());
    return PointerGetDatum(out);
}

} // namespace nurture::language
