// Empties the tick's own tables in place, as ON COMMIT DELETE ROWS does with a temporary one. TRUNCATE would give them new files:
// entries in pg_class, which a long snapshot keeps, and every statement that reads them planned anew, tick by tick.
#include "pg/border/boundary.hpp"

extern "C" {
#include "catalog/heap.h"
#include "nodes/pg_list.h"
#include "storage/lmgr.h"
}

namespace {

// Plain PostgreSQL code that owns nothing; called inside pg_call.
bool empty_in_place(Oid first, Oid second) {
    for (Oid const table : {first, second})
        if (get_rel_persistence(table) == RELPERSISTENCE_PERMANENT)
            elog(ERROR, "only what a crash may empty is emptied in place");
    if (!ConditionalLockRelationOid(first, AccessExclusiveLock))
        return false;
    if (!ConditionalLockRelationOid(second, AccessExclusiveLock)) {
        UnlockRelationOid(first, AccessExclusiveLock);
        return false;
    }
    heap_truncate(list_make2_oid(first, second));
    return true;
}

} // namespace

// _empty(first, second): false when somebody else has one of them open.
NURTURE_FUNCTION(nurture_empty) {
    return nurture::border::entry([&]() -> Datum {
        Oid const first = PG_GETARG_OID(0), second = PG_GETARG_OID(1);
        return BoolGetDatum(nurture::border::pg_call([=] { return empty_in_place(first, second); }));
    });
}
