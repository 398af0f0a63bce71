// Into which of the inbox's slots a row goes: the partition key of nurture.inbox.
#include "pg/border/boundary.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
}

namespace nurture::inbox {
namespace {

/// The slot that this subtransaction has been told, good until it ends.
struct Told {
    LocalTransactionId transaction = InvalidLocalTransactionId;
    SubTransactionId subtransaction = InvalidSubTransactionId;
    std::int32_t slot = 0;
};
Told told;

LocalTransactionId transaction_now() {
#if PG_VERSION_NUM >= 170000
    return MyProc->vxid.lxid;
#else
    return MyProc->lxid;
#endif
}

/// nurture._inbox_turn holds turn * 1024 + slot.
std::int32_t slot_now(Oid schema) {
    Oid const sequence = get_relname_relid("_inbox_turn", schema);
    if (!OidIsValid(sequence))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("nurture._inbox_turn does not exist")));
    LOCAL_FCINFO(call, 1);
    InitFunctionCallInfoData(*call, nullptr, 1, InvalidOid, nullptr, nullptr);
    call->args[0].value = ObjectIdGetDatum(sequence);
    call->args[0].isnull = false;
    // Whoever may insert needs no right of his own to the sequence. An abort puts the user back by itself.
    Oid user = InvalidOid;
    int context = 0;
    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, context | SECURITY_LOCAL_USERID_CHANGE);
    Datum const turn = pg_sequence_last_value(call);
    SetUserIdAndSecContext(user, context);
    if (call->isnull)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("nurture._inbox_turn was reset"),
                        errhint("SELECT pg_catalog.setval('nurture._inbox_turn', 1025);")));
    return static_cast<std::int32_t>(DatumGetInt64(turn) % 1024);
}

/// The engine waits for whoever holds this lock before it gives a slot up (src/pg/inbox/slots.sql). So an answer may be
/// kept only under it, and only in the subtransaction whose abort would release it.
bool is_writing(Oid schema) {
    LOCKTAG tag;
    SET_LOCKTAG_RELATION(tag, MyDatabaseId, get_relname_relid("inbox", schema));
    return LockHeldByMe(&tag, RowExclusiveLock);
}

} // namespace

NURTURE_FUNCTION(nurture_inbox_slot) {
    if (told.transaction == transaction_now() && told.subtransaction == GetCurrentSubTransactionId())
        return Int32GetDatum(told.slot);
    return border::entry([]() -> Datum {
        return border::pg_call([] {
            Oid const schema = get_namespace_oid("nurture", false);
            std::int32_t const slot = slot_now(schema);
            if (is_writing(schema))
                told = Told{transaction_now(), GetCurrentSubTransactionId(), slot};
            return Int32GetDatum(slot);
        });
    });
}

} // namespace nurture::inbox
