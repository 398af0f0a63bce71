#include "pg/analytics/by_contact.hpp"

extern "C" {
#include "utils/array.h"
}

namespace nurture::analytics {

namespace {

KeyType key_type(FunctionCallInfo fcinfo, int argument) {
    switch (getBaseType(get_fn_expr_argtype(fcinfo->flinfo, argument))) {
    case TEXTOID:
    case VARCHAROID:
        if (OidIsValid(PG_GET_COLLATION()) && !get_collation_isdeterministic(PG_GET_COLLATION()))
            throw Error(ErrorKind::invalid_parameter,
                        "contacts cannot be compared by a nondeterministic collation",
                        "They are compared byte by byte.", "Use contact COLLATE \"C\".");
        return KeyType::text;
    case INT2OID:
        return KeyType::int2;
    case INT4OID:
        return KeyType::int4;
    case INT8OID:
        return KeyType::int8;
    case UUIDOID:
        return KeyType::uuid;
    default:
        throw Error(ErrorKind::invalid_parameter, "a contact must be text, an integer or a uuid", "",
                    "Cast it, for example to text.");
    }
}

} // namespace

const CallSite& call_site(FunctionCallInfo fcinfo, int contact, int first) {
    auto*& site = reinterpret_cast<CallSite*&>(fcinfo->flinfo->fn_extra);
    if (likely(site != nullptr))
        return *site;
    CallSite found{key_type(fcinfo, contact), false, 0};
    found.array = first != 0 && get_fn_expr_variadic(fcinfo->flinfo);
    if (first != 0 && !found.array) {
        int const conditions = PG_NARGS() - first;
        if (conditions < 1 || conditions > static_cast<int>(max_conditions))
            throw Error(ErrorKind::invalid_parameter,
                        "between 1 and 32 conditions are possible, but there are " +
                            std::to_string(conditions));
        for (int i = first; i < PG_NARGS(); ++i) {
            Oid const type = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, i));
            if (type != BOOLOID && !(type == UNKNOWNOID && PG_ARGISNULL(i)))
                throw Error(ErrorKind::invalid_parameter, "conditions must be boolean");
        }
        found.conditions = static_cast<std::uint8_t>(conditions);
    }
    auto* const kept = static_cast<CallSite*>(
        MemoryContextAllocExtended(fcinfo->flinfo->fn_mcxt, sizeof(CallSite), MCXT_ALLOC_NO_OOM));
    if (kept == nullptr)
        throw std::bad_alloc();
    *kept = found;
    site = kept;
    return *site;
}

std::uint32_t read_mask(FunctionCallInfo fcinfo, const CallSite& site, int first, unsigned& conditions) {
    if (site.array)
        return read_conditions(fcinfo, first, conditions);
    conditions = site.conditions;
    std::uint32_t mask = 0;
    for (unsigned i = 0; i < conditions; ++i) {
        NullableDatum const& argument = fcinfo->args[static_cast<unsigned>(first) + i];
        if (!argument.isnull && DatumGetBool(argument.value))
            mask |= bit(i);
    }
    return mask;
}

const text* copy_of(MemoryContext context, std::string_view source) {
    auto* const copy =
        static_cast<text*>(MemoryContextAllocExtended(context, source.size() + VARHDRSZ, MCXT_ALLOC_NO_OOM));
    if (copy == nullptr)
        throw std::bad_alloc();
    SET_VARSIZE(copy, source.size() + VARHDRSZ);
    std::memcpy(VARDATA(copy), source.data(), source.size());
    return copy;
}

Datum counts_array(const std::vector<std::int64_t>& counts) {
    Datum values[max_conditions];
    int const size = static_cast<int>(counts.size());
    for (int i = 0; i < size; ++i)
        values[i] = Int64GetDatum(counts[static_cast<std::size_t>(i)]);
    return border::pg_call([&] {
        return PointerGetDatum(construct_array(values, size, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
    });
}

} // namespace nurture::analytics
