#include "pg/border/datum.hpp"

namespace nurture::border {

Datum make_numeric(Wide micros) {
#if PG_VERSION_NUM >= 140000
    if (micros >= INT64_MIN && micros <= INT64_MAX) { // nearly always: without the way through a text
        auto value = static_cast<std::int64_t>(micros);
        int scale = 6;
        for (; scale > 0 && value % 10 == 0; --scale)
            value /= 10;
        return pg_call([=] { return NumericGetDatum(int64_div_fast_to_numeric(value, scale)); });
    }
#endif
    std::string const text = print_micro(micros);
    const char* const c = text.c_str();
    return pg_call([c] {
        return DirectFunctionCall3(numeric_in, CStringGetDatum(c), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
    });
}

} // namespace nurture::border
