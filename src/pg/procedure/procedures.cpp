// Two kinds of process. One, as the bootstrap superuser, claims actions of the channel "procedure" and starts for each a second
// one, as the role that is to run it. That one completes the action while nothing of the role's has run in it yet, then calls the
// routine as the role, and commits both. It ends after one call: whatever a routine leaves in its session ends with it.
#include "pg/procedure/procedures.hpp"

#include <cstring>

extern "C" {
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/uuid.h"

PGDLLEXPORT void nurture_procedures_main(Datum argument);
PGDLLEXPORT void nurture_procedure_main(Datum argument);
}

namespace nurture::worker {

Process procedures("nurture procedures", "nurture_procedures_main");

bool procedures_wait() {
    return ask("SELECT nurture._procedures_wait()");
}

namespace {

/// What the second process is told, in bgw_extra.
struct Call {
    pg_uuid_t receipt;
    Oid role;
    int timeout_ms;
};
static_assert(sizeof(Call) <= BGW_EXTRALEN);

Datum column(int n, bool& isnull) {
    return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, n, &isnull);
}

// True: there is one.
bool claim(void* call_pointer) {
    auto* const call = static_cast<Call*>(call_pointer);
    if (SPI_execute("SELECT receipt, role, timeout_ms FROM nurture._claim_procedure()", false, 0) != SPI_OK_SELECT || SPI_processed != 1)
        ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("nurture._claim_procedure cannot be called")));
    bool none = false;
    Datum const receipt = column(1, none);
    if (none)
        return false;
    call->receipt = *DatumGetUUIDP(receipt);
    call->role = DatumGetObjectId(column(2, none));
    call->timeout_ms = DatumGetInt32(column(3, none));
    return true;
}

struct End {
    pg_uuid_t receipt;
    const char* reason;
};

bool settle(void* end_pointer) {
    auto* const end = static_cast<End*>(end_pointer);
    Oid types[] = {UUIDOID, TEXTOID};
    Datum values[] = {UUIDPGetDatum(&end->receipt), CStringGetTextDatum(end->reason)};
    return SPI_execute_with_args("SELECT nurture._end_procedure($1, $2)", 2, types, values, nullptr, false, 0) == SPI_OK_SELECT;
}

BackgroundWorkerHandle* running = nullptr;

// Whoever ends this process, so that the database can be dropped, means the one that it waits for, too.
void end_running(int, Datum) {
    if (running != nullptr)
        TerminateBackgroundWorker(running);
}

void run_as_its_role(Call& call) {
    BackgroundWorker worker = make_process("nurture procedure", "nurture_procedure_main", MyDatabaseId);
    std::memcpy(worker.bgw_extra, &call, sizeof call);
    worker.bgw_notify_pid = MyProcPid;
    const char* reason = "its process ended before it was done: the server's log knows why";
    MemoryContext const old = MemoryContextSwitchTo(TopMemoryContext);
    bool const registered = RegisterDynamicBackgroundWorker(&worker, &running);
    MemoryContextSwitchTo(old);
    if (registered) {
        WaitForBackgroundWorkerShutdown(running);
        pfree(running);
        running = nullptr;
    } else {
        reason = "there was no free worker slot (max_worker_processes)";
    }
    End end{call.receipt, reason};
    in_transaction("nurture: procedures", settle, &end);
}

// In the role's own connection.
void call_routine(const Call& call) {
    Oid session_role = InvalidOid;
    int security = 0;
    GetUserIdAndSecContext(&session_role, &security);
    Oid types[] = {UUIDOID};
    Datum values[] = {UUIDPGetDatum(&call.receipt)};
    SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, security | SECURITY_LOCAL_USERID_CHANGE);
    if (SPI_execute_with_args("SELECT call, contact, payload FROM nurture._begin_procedure($1)", 1, types, values, nullptr, false, 0) !=
            SPI_OK_SELECT ||
        SPI_processed != 1)
        ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("nurture._begin_procedure cannot be called")));
    SetUserIdAndSecContext(session_role, security);
    bool isnull = false;
    char* const statement = TextDatumGetCString(column(1, isnull));
    Oid argument_types[] = {TEXTOID, JSONBOID};
    Datum arguments[] = {column(2, isnull), column(3, isnull)};
    enable_timeout_after(STATEMENT_TIMEOUT, call.timeout_ms);
    int const result = SPI_execute_with_args(statement, 2, argument_types, arguments, nullptr, false, 0);
    if (result < 0)
        ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("the routine cannot be called: %s", SPI_result_code_string(result))));
    disable_timeout(STATEMENT_TIMEOUT, false);
}

// Everything of the failed call is rolled back, its settings too: as before it began.
void tell_failure(const Call& call, ErrorData* error) {
    StartTransactionCommand();
    PushActiveSnapshot(GetTransactionSnapshot());
    SPI_connect();
    Oid session_role = InvalidOid;
    int security = 0;
    GetUserIdAndSecContext(&session_role, &security);
    SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, security | SECURITY_LOCAL_USERID_CHANGE);
    End end{call.receipt, error->message != nullptr ? error->message : "out of memory"};
    (void)settle(&end);
    SetUserIdAndSecContext(session_role, security);
    SPI_finish();
    PopActiveSnapshot();
    CommitTransactionCommand();
}

} // namespace

} // namespace nurture::worker

void nurture_procedures_main(Datum argument) {
    using namespace nurture::worker;
    begin_process("nurture procedures", DatumGetObjectId(argument), InvalidOid);
    SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);
    before_shmem_exit(end_running, Datum(0));
    Call call{};
    while (in_transaction("nurture: procedures", claim, &call)) {
        run_as_its_role(call);
        CHECK_FOR_INTERRUPTS();
    }
    proc_exit(0);
}

void nurture_procedure_main(Datum argument) {
    using namespace nurture::worker;
    Call call{};
    std::memcpy(&call, MyBgworkerEntry->bgw_extra, sizeof call);
    begin_process("nurture procedure", DatumGetObjectId(argument), call.role);
    MemoryContext const outside = AllocSetContextCreate(TopMemoryContext, "nurture procedure", ALLOCSET_DEFAULT_SIZES);
    PG_TRY();
    {
        SetCurrentStatementStartTimestamp();
        pgstat_report_activity(STATE_RUNNING, "nurture: a procedure");
        StartTransactionCommand();
        PushActiveSnapshot(GetTransactionSnapshot());
        SPI_connect();
        call_routine(call);
        SPI_finish();
        PopActiveSnapshot();
        CommitTransactionCommand();
    }
    PG_CATCH();
    {
        HOLD_INTERRUPTS();
        disable_all_timeouts(false);
        QueryCancelPending = false;
        MemoryContextSwitchTo(outside);
        ErrorData* const error = CopyErrorData();
        EmitErrorReport();
        FlushErrorState();
        AbortCurrentTransaction();
        RESUME_INTERRUPTS();
        tell_failure(call, error);
    }
    PG_END_TRY();
    proc_exit(0);
}
