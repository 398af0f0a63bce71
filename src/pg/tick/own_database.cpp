// Whether the engine is where it was: a restored dump, a copied database and what pg_upgrade makes are elsewhere.
#include "pg/border/boundary.hpp"

extern "C" {
#include "access/xlog.h"
#include "miscadmin.h"
}

NURTURE_FUNCTION(nurture_is_here) {
    auto const system = static_cast<uint64>(PG_GETARG_INT64(0));
    return BoolGetDatum(system == GetSystemIdentifier() && PG_GETARG_OID(1) == MyDatabaseId);
}
