#include "pg/border/elements.hpp"

extern "C" {
#include "utils/lsyscache.h"
}

namespace nurture::border {

Elements::Elements(FunctionCallInfo fcinfo, int n, Oid type) {
    if (PG_ARGISNULL(n))
        return;
    pg_call([&] {
        auto* const array = PG_GETARG_ARRAYTYPE_P(n);
        int16 length = 0;
        bool by_value = false;
        char alignment = 0;
        get_typlenbyvalalign(type, &length, &by_value, &alignment);
        deconstruct_array(array, type, length, by_value, alignment, &values_, &nulls_, &count_);
        dimensions_ = ARR_NDIM(array);
    });
}

const Elements& Elements::flat(const char* name) const {
    if (dimensions_ > 1)
        throw Error(ErrorKind::invalid_parameter, std::string(name) + " must have one dimension");
    return *this;
}

const Elements& Elements::complete(const char* name) const {
    for (std::size_t i = 0; i < flat(name).size(); ++i)
        if (is_null(i))
            throw Error(ErrorKind::invalid_parameter, std::string(name) + " must not contain NULL",
                        "Element " + std::to_string(i + 1) + " is NULL.");
    return *this;
}

} // namespace nurture::border
