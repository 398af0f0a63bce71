#include "pg/border/rows.hpp"

extern "C" {
#include "access/htup_details.h"
#include "utils/array.h"
}

namespace nurture::border {

TupleDesc composite_descriptor(FunctionCallInfo fcinfo) {
    if (fcinfo->flinfo->fn_extra == nullptr)
        pg_call([fcinfo] {
            TupleDesc descriptor = nullptr;
            if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
                elog(ERROR, "the function must return a composite type");
            MemoryContext const old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
            fcinfo->flinfo->fn_extra = BlessTupleDesc(CreateTupleDescCopy(descriptor));
            MemoryContextSwitchTo(old);
        });
    return static_cast<TupleDesc>(fcinfo->flinfo->fn_extra);
}

Datum make_composite(TupleDesc descriptor, Datum* values, bool* nulls) {
    return pg_call([=] { return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)); });
}

Datum make_int_array(std::span<const std::int32_t> numbers) {
    const auto* const from = numbers.data();
    int const size = static_cast<int>(numbers.size());
    return pg_call([=] {
        auto* const datums = static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<std::size_t>(size + 1)));
        for (int i = 0; i < size; ++i)
            datums[i] = Int32GetDatum(from[i]);
        return PointerGetDatum(construct_array(datums, size, INT4OID, 4, true, TYPALIGN_INT));
    });
}

} // namespace nurture::border
