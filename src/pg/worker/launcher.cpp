// The launcher: one process without a database that keeps a worker in each database that wants one. It cannot
// see whether the extension is there; the worker finds out and says so.
#include "pg/worker/shared.hpp"

#include <cstring>

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/sinval.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"

PGDLLEXPORT void nurture_launcher_main(Datum argument);
}

namespace nurture::worker {

namespace {

constexpr TimestampTz retry_registration = 10 * second;
constexpr TimestampTz demand_check = second;       // while somebody wants the database
constexpr TimestampTz start_patience = 5 * second; // with a worker that starts and says nothing

struct Database {
    Oid oid;
    bool allowed;
};

// Plain data of the process: error recovery longjmps over the frames, not over these.
Shared* all = nullptr;
bool permanent = false;
bool warned = false;
BackgroundWorkerHandle* handles[slot_count];
std::uint64_t handle_generations[slot_count];
MemoryContext pass_context = nullptr;
Oid* queue = nullptr; // databases still to be tried at the launcher's start
int queue_length = 0;

void forget_launcher(int, Datum) {
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    if (all->launcher_pid == MyProcPid) {
        all->launcher_pid = 0;
        all->launcher_latch = nullptr;
    }
    LWLockRelease(&all->lock);
}

// False: another launcher is there.
bool claim_launcher() {
    all = shared();
    before_shmem_exit(forget_launcher, 0);
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    bool const free = all->launcher_pid == 0;
    if (free) {
        all->launcher_pid = MyProcPid;
        all->launcher_latch = MyLatch;
        for (Slot& slot : all->slots) {
            slot.stopped = false;
            if (slot.database == InvalidOid || slot.pid != 0)
                continue;
            slot.state = State::waiting; // one that the launcher before us was starting comes too late now
            slot.wanted = true;
            slot.start_at = 0;
        }
    }
    LWLockRelease(&all->lock);
    return free;
}

// All databases, in the current memory context.
Database* scan_databases(int* count) {
    MemoryContext const context = CurrentMemoryContext;
    StartTransactionCommand();
    PushActiveSnapshot(GetTransactionSnapshot());
    Relation const relation = table_open(DatabaseRelationId, AccessShareLock);
    TableScanDesc const scan = table_beginscan_catalog(relation, 0, nullptr);
    int room = 64;
    auto* found = static_cast<Database*>(MemoryContextAlloc(context, sizeof(Database) * room));
    *count = 0;
    while (HeapTuple const tuple = heap_getnext(scan, ForwardScanDirection)) {
        auto const* const row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
        if (*count == room) {
            room *= 2;
            found = static_cast<Database*>(repalloc(found, sizeof(Database) * room));
        }
        found[(*count)++] = {row->oid, row->datallowconn && !row->datistemplate &&
                                           row->datconnlimit != DATCONNLIMIT_INVALID_DB};
    }
    table_endscan(scan);
    table_close(relation, AccessShareLock);
    PopActiveSnapshot();
    CommitTransactionCommand();
    MemoryContextSwitchTo(context);
    return found;
}

// Somebody drops, renames, moves or copies the database, or waits to.
bool in_demand(Oid database) {
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, database, 0);
    if (LockAcquire(&tag, RowExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
        return true;
    LockRelease(&tag, RowExclusiveLock, true);
    return false;
}

bool register_worker(int index, const Start& start) {
    BackgroundWorker worker;
    std::memset(&worker, 0, sizeof worker);
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION | BGWORKER_INTERRUPTIBLE;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    strlcpy(worker.bgw_library_name, "nurture", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "nurture_worker_main", sizeof worker.bgw_function_name);
    snprintf(worker.bgw_name, sizeof worker.bgw_name, "nurture worker for database %u", start.database);
    strlcpy(worker.bgw_type, "nurture worker", sizeof worker.bgw_type);
    worker.bgw_main_arg = Int32GetDatum(index);
    worker.bgw_notify_pid = MyProcPid;
    static_assert(sizeof start <= BGW_EXTRALEN);
    std::memcpy(worker.bgw_extra, &start, sizeof start);
    MemoryContext const previous = MemoryContextSwitchTo(TopMemoryContext);
    bool const registered = RegisterDynamicBackgroundWorker(&worker, &handles[index]);
    MemoryContextSwitchTo(previous);
    if (registered)
        handle_generations[index] = start.generation;
    return registered;
}

// Workers that ended before they could enter themselves (fork failed, library gone).
void reap() {
    for (int i = 0; i < slot_count; i++) {
        pid_t pid;
        if (handles[i] == nullptr || GetBackgroundWorkerPid(handles[i], &pid) != BGWH_STOPPED)
            continue;
        pfree(handles[i]);
        handles[i] = nullptr;
        LWLockAcquire(&all->lock, LW_EXCLUSIVE);
        Slot* const slot = &all->slots[i];
        if (slot->state == State::starting && slot->pid == 0 && slot->generation == handle_generations[i])
            bury(slot, GetCurrentTimestamp());
        LWLockRelease(&all->lock);
    }
}

void start_worker_in(int index, TimestampTz now) {
    Slot* const slot = &all->slots[index];
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    if (slot->pid != 0 || !slot->wanted || slot->stopped || slot->state == State::starting) {
        LWLockRelease(&all->lock);
        return;
    }
    slot->generation = ++all->starts;
    slot->state = State::starting;
    slot->start_at = now;
    slot->started_at = 0;
    Start const start{slot->database, slot->generation};
    LWLockRelease(&all->lock);

    if (handles[index] != nullptr) {
        pfree(handles[index]);
        handles[index] = nullptr;
    }
    if (register_worker(index, start)) {
        warned = false;
        return;
    }
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    if (slot->state == State::starting && slot->generation == start.generation) {
        slot->state = State::no_slot;
        slot->start_at = now + retry_registration;
    }
    LWLockRelease(&all->lock);
    if (!warned)
        ereport(WARNING, (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
                          errmsg("no free slot for the nurture worker of database %u", start.database),
                          errhint("Raise \"max_worker_processes\"; it is tried again every 10 seconds.")));
    warned = true;
}

// Forgets the databases that are no more.
void forget_dropped(const Database* databases, int count) {
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    for (Slot& slot : all->slots) {
        if (slot.database == InvalidOid || slot.pid != 0 || slot.state == State::starting)
            continue;
        bool known = false;
        for (int i = 0; i < count; i++)
            known = known || databases[i].oid == slot.database;
        if (!known)
            free_slot(&slot);
    }
    LWLockRelease(&all->lock);
}

// Whether a worker may connect now; if not, enters why.
bool may_start(int index, const Database* databases, int count, TimestampTz now) {
    Slot* const slot = &all->slots[index];
    Oid const oid = slot->database; // of a slot without a worker: only the launcher frees it
    if (oid == InvalidOid)
        return false;
    bool allowed = false;
    for (int i = 0; i < count; i++)
        allowed = allowed || (databases[i].oid == oid && databases[i].allowed);
    if (allowed && !in_demand(oid))
        return true;
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    slot->state = allowed ? State::yielded : State::disabled;
    slot->wanted = allowed;
    slot->start_at = now + demand_check;
    LWLockRelease(&all->lock);
    return false;
}

// Takes the next database of the queue when none is being tried: each needs a worker slot only to find that
// it has no extension, and they should not take all slots of the cluster at once.
void advance_queue(TimestampTz now) {
    bool full = false;
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    bool busy = false;
    for (const Slot& slot : all->slots) {
        bool const trying =
            slot.state == State::waiting || slot.state == State::starting || slot.state == State::no_slot;
        busy = busy || (slot.database != InvalidOid && slot.pid == 0 && slot.wanted && !slot.stopped &&
                        trying && now - slot.start_at < start_patience);
    }
    while (!busy && !full && queue_length > 0) {
        Slot* const slot = find_or_make_slot(all, queue[--queue_length]);
        full = slot == nullptr;
        if (full || slot->pid != 0 || slot->stopped || slot->wanted)
            continue;
        slot->wanted = true;
        slot->start_at = now;
        slot->state = State::waiting;
        busy = true;
    }
    LWLockRelease(&all->lock);
    if (full) {
        ereport(WARNING, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                          errmsg("nurture serves no more than %d databases of a cluster", slot_count)));
        queue_length = 0;
    }
}

// One look at everything. Returns when the next is due, 0 for "when called".
TimestampTz pass() {
    reap();
    TimestampTz const now = GetCurrentTimestamp();
    advance_queue(now);

    bool ready[slot_count] = {};
    bool any = false;
    LWLockAcquire(&all->lock, LW_SHARED);
    for (int i = 0; i < slot_count; i++) {
        const Slot& slot = all->slots[i];
        ready[i] = slot.database != InvalidOid && slot.pid == 0 && slot.wanted && !slot.stopped &&
                   slot.state != State::starting && slot.start_at <= now;
        any = any || ready[i];
    }
    LWLockRelease(&all->lock);
    if (any) {
        int count = 0;
        Database const* const databases = scan_databases(&count);
        forget_dropped(databases, count);
        for (int i = 0; i < slot_count; i++)
            if (ready[i] && may_start(i, databases, count, now))
                start_worker_in(i, now);
    }

    TimestampTz next = queue_length > 0 ? now + second : 0;
    LWLockAcquire(&all->lock, LW_SHARED);
    for (const Slot& slot : all->slots) {
        if (slot.database == InvalidOid || slot.pid != 0 || !slot.wanted || slot.stopped)
            continue;
        TimestampTz const at = slot.state == State::starting ? now + start_patience : slot.start_at;
        if (next == 0 || at < next)
            next = at;
    }
    LWLockRelease(&all->lock);
    return next;
}

// A launcher that a session started goes when it has nothing to look after. Who asks for a worker looks for
// the launcher under the same lock, so either we see the request or they see that we are gone.
bool may_leave() {
    bool needed = permanent || queue_length > 0;
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    for (const Slot& slot : all->slots)
        needed = needed || (slot.database != InvalidOid && (slot.pid != 0 || slot.state == State::starting ||
                                                            (slot.wanted && !slot.stopped)));
    if (!needed) {
        all->launcher_pid = 0;
        all->launcher_latch = nullptr;
    }
    LWLockRelease(&all->lock);
    return !needed;
}

void try_disabled_again() {
    TimestampTz const now = GetCurrentTimestamp();
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    for (Slot& slot : all->slots)
        if (slot.database != InvalidOid && slot.pid == 0 && slot.state == State::disabled) {
            slot.wanted = true;
            slot.start_at = now;
        }
    LWLockRelease(&all->lock);
}

void fill_queue() {
    int count = 0;
    Database const* const databases = scan_databases(&count);
    queue = static_cast<Oid*>(MemoryContextAlloc(TopMemoryContext, sizeof(Oid) * (count + 1)));
    for (int i = count; i-- > 0;)
        if (databases[i].allowed)
            queue[queue_length++] = databases[i].oid;
}

void recover() {
    error_context_stack = nullptr;
    HOLD_INTERRUPTS();
    EmitErrorReport();
    AbortCurrentTransaction();
    LWLockReleaseAll();
    pgstat_report_wait_end();
    MemoryContextSwitchTo(pass_context);
    FlushErrorState();
    RESUME_INTERRUPTS();
}

[[noreturn]] void run() {
    static bool failed = false;
    sigjmp_buf buffer;
    if (sigsetjmp(buffer, 1) != 0) {
        recover();
        failed = true;
    }
    PG_exception_stack = &buffer;
    std::uint32_t const event = wait_event("NurtureLauncher");
    for (;;) {
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
        if (catchupInterruptPending)
            ProcessCatchupInterrupt();
        if (ConfigReloadPending) {
            ConfigReloadPending = false;
            ProcessConfigFile(PGC_SIGHUP);
            try_disabled_again();
        }
        MemoryContextSwitchTo(pass_context);
        MemoryContextReset(pass_context);
        long timeout = 1000;
        if (failed) {
            failed = false;
        } else {
            if (queue == nullptr)
                fill_queue();
            TimestampTz const next = pass();
            if (may_leave())
                proc_exit(0);
            timeout = next == 0 ? -1 : TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next) + 1;
        }
        pgstat_report_activity(STATE_IDLE, nullptr);
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (timeout < 0 ? 0 : WL_TIMEOUT), timeout,
                        event);
    }
}

} // namespace

} // namespace nurture::worker

void nurture_launcher_main(Datum argument) {
    using namespace nurture::worker;
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die); // ends a statement too, and never from inside a handler, as the default one would
    BackgroundWorkerUnblockSignals();
    permanent = DatumGetBool(argument);
    if (!claim_launcher())
        proc_exit(0);
    BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
    pass_context = AllocSetContextCreate(TopMemoryContext, "nurture launcher", ALLOCSET_DEFAULT_SIZES);
    run();
}
