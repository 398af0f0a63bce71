#include "pg/border/datum.hpp"

namespace nurture::border {

Datum make_numeric(Wide micros) {
    std::string const text = print_micro(micros);
    const char* const c = text.c_str();
    return pg_call([c] {
        return DirectFunctionCall3(numeric_in, CStringGetDatum(c), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
    });
}

} // namespace nurture::border
