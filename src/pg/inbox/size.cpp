// The size of a document without reading it.
#include "pg/border/boundary.hpp"

extern "C" {
#include "access/detoast.h"
}

namespace nurture::inbox {

/// Bytes of a jsonb value before compression; read from its header, so that even a large one is not fetched.
NURTURE_FUNCTION(nurture_jsonb_size) {
    return border::entry([&]() -> Datum {
        Datum const value = PG_GETARG_DATUM(0);
        Size const size = border::pg_call([&] { return toast_raw_datum_size(value); });
        return Int64GetDatum(static_cast<int64>(size - VARHDRSZ));
    });
}

} // namespace nurture::inbox
