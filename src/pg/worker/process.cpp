#include "pg/worker/process.hpp"

#include <cstring>

extern "C" {
#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"
}

namespace nurture::worker {

BackgroundWorker make_process(const char* type, const char* entry, Oid database) {
    BackgroundWorker worker;
    std::memset(&worker, 0, sizeof worker);
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION | BGWORKER_INTERRUPTIBLE;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    strlcpy(worker.bgw_library_name, "nurture", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, entry, sizeof worker.bgw_function_name);
    snprintf(worker.bgw_name, sizeof worker.bgw_name, "%s of database %u", type, database);
    strlcpy(worker.bgw_type, type, sizeof worker.bgw_type);
    worker.bgw_main_arg = ObjectIdGetDatum(database);
    return worker;
}

bool Process::start(Oid database) {
    pid_t pid = 0;
    if (running_ != nullptr) {
        BgwHandleStatus const status = GetBackgroundWorkerPid(running_, &pid);
        if (status == BGWH_STARTED || status == BGWH_NOT_YET_STARTED)
            return true;
        pfree(running_);
        running_ = nullptr;
    }
    BackgroundWorker worker = make_process(type_, entry_, database);
    MemoryContext const old = MemoryContextSwitchTo(TopMemoryContext);
    bool const registered = RegisterDynamicBackgroundWorker(&worker, &running_);
    MemoryContextSwitchTo(old);
    return registered;
}

void Process::end() {
    if (running_ != nullptr)
        TerminateBackgroundWorker(running_);
}

void begin_process(const char* type, Oid database, Oid role) {
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnectionByOid(database, role, 0);
    SetConfigOption("statement_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
    SetConfigOption("lock_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
    SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
    pgstat_report_appname(type);
}

bool in_transaction(const char* activity, bool (*work)(void*), void* argument) {
    SetCurrentStatementStartTimestamp();
    pgstat_report_activity(STATE_RUNNING, activity);
    StartTransactionCommand();
    Oid const extension = get_extension_oid("nurture", true);
    if (!OidIsValid(extension)) {
        CommitTransactionCommand();
        return false;
    }
    LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
    bool result = false;
    if (get_extension_oid("nurture", true) == extension) {
        PushActiveSnapshot(GetTransactionSnapshot());
        SPI_connect();
        result = work(argument);
        SPI_finish();
        PopActiveSnapshot();
    }
    CommitTransactionCommand();
    pgstat_report_stat(false);
    pgstat_report_activity(STATE_IDLE, nullptr);
    return result;
}

bool ask(const char* query) {
    if (SPI_execute(query, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
        ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("\"%s\" did not return one row", query)));
    bool isnull = false;
    Datum const value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
    return !isnull && DatumGetBool(value);
}

} // namespace nurture::worker
