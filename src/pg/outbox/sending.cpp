// The kill switch, read as it is now.
#include "pg/border/boundary.hpp"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace nurture::outbox {
namespace {

// Plain C frames only: whatever ereports here leaves the snapshot and the scan to the transaction's cleanup.
bool read_switch() {
    Oid const relation_id = get_relname_relid("sending", get_namespace_oid("nurture", false));
    if (!OidIsValid(relation_id))
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation \"nurture.sending\" does not exist")));
    AttrNumber const attribute = get_attnum(relation_id, "paused");
    Relation const relation = table_open(relation_id, AccessShareLock);
    Snapshot const snapshot = RegisterSnapshot(GetLatestSnapshot());
    TableScanDesc const scan = table_beginscan(relation, snapshot, 0, nullptr);
    TupleTableSlot* const slot = table_slot_create(relation, nullptr);
    bool paused = false;
    while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
        bool is_null = false;
        Datum const value = slot_getattr(slot, attribute, &is_null);
        paused = paused || (!is_null && DatumGetBool(value));
    }
    ExecDropSingleTupleTableSlot(slot);
    table_endscan(scan);
    UnregisterSnapshot(snapshot);
    table_close(relation, NoLock);
    return paused;
}

} // namespace

/// Whether sending is paused by the newest committed state. A transaction that took its snapshot before the
/// pause (any REPEATABLE READ one may have) must honour it too, so the transaction's own snapshot will not
/// do.
NURTURE_FUNCTION(nurture_sending_paused) {
    return border::entry(
        [&]() -> Datum { return border::pg_call([] { return BoolGetDatum(read_switch()); }); });
}

} // namespace nurture::outbox
