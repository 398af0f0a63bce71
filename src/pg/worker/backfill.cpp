#include "pg/worker/backfill.hpp"

#include <cstring>

extern "C" {
#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"

PGDLLEXPORT void nurture_backfill_main(Datum argument);
}

namespace nurture::worker {

namespace {

BackgroundWorkerHandle* running = nullptr;

// A query that gives one boolean; NULL is false.
bool ask(const char* query) {
    if (SPI_execute(query, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
        ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("\"%s\" did not return one row", query)));
    bool isnull = false;
    Datum const value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
    return !isnull && DatumGetBool(value);
}

// One step in a transaction of its own; DROP EXTENSION waits for its end. False: nothing is left to do, or somebody else
// does it.
bool step() {
    SetCurrentStatementStartTimestamp();
    pgstat_report_activity(STATE_RUNNING, "nurture: backfills");
    StartTransactionCommand();
    Oid const extension = get_extension_oid("nurture", true);
    if (!OidIsValid(extension)) {
        CommitTransactionCommand();
        return false;
    }
    LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
    bool more = false;
    if (get_extension_oid("nurture", true) == extension) {
        PushActiveSnapshot(GetTransactionSnapshot());
        SPI_connect();
        more = ask("SELECT nurture._backfill_waits()") && ask("SELECT nurture._backfill_step()");
        SPI_finish();
        PopActiveSnapshot();
    }
    CommitTransactionCommand();
    pgstat_report_stat(false);
    pgstat_report_activity(STATE_IDLE, nullptr);
    return more;
}

} // namespace

bool backfill_waits() {
    return ask("SELECT nurture._backfill_waits()");
}

bool start_backfill(Oid database) {
    pid_t pid = 0;
    if (running != nullptr) {
        BgwHandleStatus const status = GetBackgroundWorkerPid(running, &pid);
        if (status == BGWH_STARTED || status == BGWH_NOT_YET_STARTED)
            return true;
        pfree(running);
        running = nullptr;
    }
    BackgroundWorker worker;
    std::memset(&worker, 0, sizeof worker);
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION | BGWORKER_INTERRUPTIBLE;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = BGW_NEVER_RESTART; // the worker looks again
    strlcpy(worker.bgw_library_name, "nurture", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "nurture_backfill_main", sizeof worker.bgw_function_name);
    snprintf(worker.bgw_name, sizeof worker.bgw_name, "nurture backfill of database %u", database);
    strlcpy(worker.bgw_type, "nurture backfill", sizeof worker.bgw_type);
    worker.bgw_main_arg = ObjectIdGetDatum(database);
    MemoryContext const old = MemoryContextSwitchTo(TopMemoryContext);
    bool const registered = RegisterDynamicBackgroundWorker(&worker, &running);
    MemoryContextSwitchTo(old);
    return registered;
}

void end_backfill() {
    if (running != nullptr)
        TerminateBackgroundWorker(running);
}

} // namespace nurture::worker

// An error ends the process; the worker starts another after its next maintenance, and the job's row says where to go on.
void nurture_backfill_main(Datum argument) {
    using namespace nurture::worker;
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(argument), InvalidOid, 0);
    SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);
    SetConfigOption("statement_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
    SetConfigOption("lock_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
    SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
    pgstat_report_appname("nurture backfill");
    while (step())
        CHECK_FOR_INTERRUPTS();
    proc_exit(0);
}
