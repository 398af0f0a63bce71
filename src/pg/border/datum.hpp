#pragma once
// Datums in, datums out: text, bytes, times.
#include "core/base/decimal.hpp"
#include "core/base/hash.hpp"
#include "core/base/time.hpp"

#include <string_view>

#include "pg/border/boundary.hpp"

namespace nurture::border {

/// The bytes of a detoasted varlena (1- or 4-byte header).
inline std::string_view bytes_of(const varlena* value) noexcept {
    return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

/// The bytes of a varlena argument, detoasted if need be, in the current memory context.
inline std::string_view bytes_argument(FunctionCallInfo fcinfo, int n) {
    Datum const datum = fcinfo->args[n].value;
    return bytes_of(pg_call([datum] { return pg_detoast_datum_packed(reinterpret_cast<varlena*>(DatumGetPointer(datum))); }));
}

inline Datum make_varlena(std::string_view bytes) {
    if (bytes.size() > MaxAllocSize - VARHDRSZ)
        throw Error(ErrorKind::limit_exceeded, "the value is larger than 1 GB");
    return pg_call([bytes] {
        auto* const out = static_cast<varlena*>(palloc(bytes.size() + VARHDRSZ));
        SET_VARSIZE(out, bytes.size() + VARHDRSZ);
        memcpy(VARDATA(out), bytes.data(), bytes.size());
        return PointerGetDatum(out);
    });
}
inline Datum make_text(std::string_view text) { return make_varlena(text); }

/// NULL for an empty text.
inline Datum make_text(std::string_view text, bool& null) {
    null = text.empty();
    return null ? Datum(0) : make_varlena(text);
}

inline Datum make_uuid(const Uuid& id) {
    return pg_call([&id] {
        auto* const out = static_cast<char*>(palloc(id.size()));
        memcpy(out, id.data(), id.size());
        return PointerGetDatum(out);
    });
}

/// JSON text as jsonb; throws PgError for what is not JSON.
inline Datum make_jsonb(std::string_view json) {
    return pg_call([json] {
        return DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(json.data(), json.size())));
    });
}

/// A Wide of 10^-6 as numeric.
Datum make_numeric(Wide micros);

/// Infinity is `never`, -infinity `always`.
inline Time time_of(Datum datum) noexcept {
    TimestampTz const t = DatumGetTimestampTz(datum);
    return TIMESTAMP_IS_NOEND(t) ? never : TIMESTAMP_IS_NOBEGIN(t) ? always : t;
}
/// NULL for `never` and `always`.
inline Datum make_time(Time t, bool& null) noexcept {
    null = t == never || t == always;
    return TimestampTzGetDatum(null ? 0 : t);
}

} // namespace nurture::border
