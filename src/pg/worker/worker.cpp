// The worker: a loop around nurture._tick_batch(). It decides when, never what. All frames are plain C:
// errors longjmp to run(), and what must survive them is the process's own data below.
#include "pg/border/settings.hpp"
#include "pg/border/version.hpp"
#include "pg/procedure/procedures.hpp"
#include "pg/worker/backfill.hpp"
#include "pg/worker/shared.hpp"

#include <algorithm>

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/twophase.h"
#include "catalog/pg_db_role_setting.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/sinval.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PGDLLEXPORT void nurture_worker_main(Datum argument);
}

namespace nurture::worker {

namespace {

constexpr TimestampTz millisecond = USECS_PER_SEC / 1000;
constexpr TimestampTz demand_check = 2 * second;  // DROP DATABASE waits for 5 s
constexpr TimestampTz catalog_check = 5 * second; // is the extension still there, are the settings the same
constexpr TimestampTz yield_for = second;         // the launcher starts another only when the lock is free
// After a drain: many small commits share a tick, and a due moment that stays where it is makes no busy loop.
constexpr TimestampTz shortest_rest = 10 * millisecond;
constexpr int conflicts_at_once = 5;

enum class Phase { outside, tick, maintenance };
enum class Exit { died, no_extension, disabled, stopped, yielded, settings_changed };

struct Loop {
    Phase phase;
    Exit exit;
    std::uint64_t seen; // the announcement that we have taken note of
    std::uint64_t settings;
    TimestampTz tick_at; // by time alone; the latch may come first
    TimestampTz tick_not_before;
    TimestampTz maintain_at;
    TimestampTz maintained_at;
    TimestampTz demand_check_at;
    TimestampTz catalog_check_at;
    TimestampTz prepared_check_at; // DT_NOEND: no transaction is prepared
    TimestampTz prepared_since;
    std::uint64_t prepared; // which are, as a hash; 0: none
    bool wrote; // a batch since the last drain
    int conflicts;
    int tick_failures;
    int maintenance_failures;
};

Shared* all = nullptr;
Slot* slot = nullptr;
Loop loop;
MemoryContext turn_context = nullptr;

TimestampTz max_sleep() {
    return border::settings::max_sleep_ms() * millisecond;
}

// Runs at every exit short of a crash, also when the connection failed.
void leave_slot(int, Datum) {
    TimestampTz const now = GetCurrentTimestamp();
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    if (slot->pid == MyProcPid) {
        slot->pid = 0;
        slot->latch = nullptr;
        slot->sleeping_until = 0;
        slot->start_at = now;
        slot->wanted = slot->announced != loop.seen; // somebody asked since we looked
        switch (loop.exit) {
        case Exit::died:
            bury(slot, now);
            break;
        case Exit::no_extension:
            slot->state = State::waiting;
            if (!slot->wanted && !slot->stopped)
                free_slot(slot);
            break;
        case Exit::disabled:
            slot->state = State::disabled;
            break;
        case Exit::stopped:
            slot->state = State::stopped;
            break;
        case Exit::yielded:
            slot->state = State::yielded;
            slot->wanted = true;
            slot->start_at = now + yield_for;
            break;
        case Exit::settings_changed:
            slot->state = State::waiting;
            slot->wanted = true;
            break;
        }
    }
    Latch* const launcher = all->launcher_latch;
    LWLockRelease(&all->lock);
    if (launcher != nullptr)
        SetLatch(launcher);
}

[[noreturn]] void leave(Exit reason) {
    loop.exit = reason;
    AbortCurrentTransaction();
    backfill.end();
    procedures.end();
    proc_exit(0); // 0: not to be restarted by the postmaster
}

// Enters this process in its slot; a worker that comes too late ends.
void claim(int index) {
    Start start;
    memcpy(&start, MyBgworkerEntry->bgw_extra, sizeof start);
    all = shared();
    slot = &all->slots[index];
    loop.exit = Exit::died;
    before_shmem_exit(leave_slot, 0);
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    bool const ours = slot->database == start.database && slot->generation == start.generation &&
                      slot->state == State::starting && slot->pid == 0;
    if (ours) {
        slot->pid = MyProcPid;
        slot->latch = MyLatch;
        slot->started_at = GetCurrentTimestamp();
        slot->wanted = false;
        loop.seen = slot->announced;
    }
    LWLockRelease(&all->lock);
    if (!ours)
        proc_exit(0);
}

void show(State state, TimestampTz sleeping_until) {
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    slot->state = state;
    slot->sleeping_until = sleeping_until;
    LWLockRelease(&all->lock);
}

void begin(int isolation, const char* activity) {
    SetCurrentStatementStartTimestamp();
    pgstat_report_activity(STATE_RUNNING, activity);
    StartTransactionCommand();
    XactIsoLevel = isolation; // before the first snapshot
}

// Locks the extension for the transaction, so that DROP EXTENSION waits for the end of the turn. False: it is
// gone.
bool hold_extension() {
    Oid extension = get_extension_oid("nurture", true);
    while (OidIsValid(extension)) {
        LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
        Oid const again = get_extension_oid("nurture", true);
        if (again == extension)
            return true;
        UnlockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
        extension = again;
    }
    return false;
}

// Whether tables and functions are of the library's version. They are not between an installation and ALTER EXTENSION.
bool is_of_our_version(char* version, std::size_t room) {
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum("nurture"));
    Relation const relation = table_open(ExtensionRelationId, AccessShareLock);
    SysScanDesc const scan = systable_beginscan(relation, ExtensionNameIndexId, true, nullptr, 1, &key);
    version[0] = '\0';
    if (HeapTuple const tuple = systable_getnext(scan)) {
        bool isnull = false;
        Datum const value = heap_getattr(tuple, Anum_pg_extension_extversion, RelationGetDescr(relation), &isnull);
        if (!isnull)
            strlcpy(version, text_to_cstring(DatumGetTextPP(value)), room);
    }
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    return strcmp(version, border::library_version()) == 0;
}

// A process that was right until now ends: the one that follows it may find the library that belongs to the update.
void check_version() {
    static bool was_right = false;
    char version[64];
    if (is_of_our_version(version, sizeof version)) {
        was_right = true;
        return;
    }
    if (was_right)
        leave(Exit::settings_changed);
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("the extension nurture has version %s, its library version %s", version,
                           border::library_version()),
                    errhint("Newer library: ALTER EXTENSION nurture UPDATE. Older one: install the newer, and "
                            "restart the server.")));
}

// What ALTER DATABASE … SET has set, as a hash: a session reads that only when it connects.
std::uint64_t settings_of_database() {
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_db_role_setting_setdatabase, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(MyDatabaseId));
    Relation const relation = table_open(DbRoleSettingRelationId, AccessShareLock);
    SysScanDesc const scan =
        systable_beginscan(relation, DbRoleSettingDatidRolidIndexId, true, nullptr, 1, &key);
    std::uint64_t hash = 0;
    while (HeapTuple const tuple = systable_getnext(scan)) {
        bool isnull = false;
        Datum const value =
            heap_getattr(tuple, Anum_pg_db_role_setting_setconfig, RelationGetDescr(relation), &isnull);
        if (isnull)
            continue;
        auto* const array = reinterpret_cast<unsigned char*>(PG_DETOAST_DATUM(value));
        hash = hash_bytes_extended(array, static_cast<int>(VARSIZE(array)), hash);
    }
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    return hash;
}

void check_catalog(bool first) {
    begin(XACT_READ_COMMITTED, "nurture: looks for the extension");
    if (!OidIsValid(get_extension_oid("nurture", true)))
        leave(Exit::no_extension);
    std::uint64_t const settings = settings_of_database();
    if (first)
        loop.settings = settings;
    else if (settings != loop.settings)
        leave(Exit::settings_changed);
    CommitTransactionCommand();
    pgstat_report_activity(STATE_IDLE, nullptr);
    loop.catalog_check_at = GetCurrentTimestamp() + catalog_check;
}

// DROP, RENAME, SET TABLESPACE and TEMPLATE lock the database's object first and then wait up to 5 s for
// others to leave (commands/dbcommands.c, CountOtherDBBackends). Outside a transaction, so that idleness
// stays free of those.
bool in_demand() {
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, MyDatabaseId, 0);
    if (LockAcquire(&tag, RowExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
        return true;
    LockRelease(&tag, RowExclusiveLock, true);
    return false;
}

// Everything that is not work: interrupts (also the barrier that any DROP DATABASE waits for), settings,
// requests.
void attend() {
    CHECK_FOR_INTERRUPTS();
    if (catchupInterruptPending)
        ProcessCatchupInterrupt();
    bool check = false;
    if (ConfigReloadPending) {
        ConfigReloadPending = false;
        ProcessConfigFile(PGC_SIGHUP);
        check = true;
    }
    LWLockAcquire(&all->lock, LW_SHARED);
    bool const stopped = slot->stopped;
    std::uint64_t const announced = slot->announced;
    LWLockRelease(&all->lock);
    if (stopped)
        leave(Exit::stopped);
    check = check || announced != loop.seen;
    loop.seen = announced;
    if (!border::settings::enabled())
        leave(Exit::disabled);

    TimestampTz const now = GetCurrentTimestamp();
    if (now >= loop.demand_check_at) {
        if (in_demand())
            leave(Exit::yielded);
        loop.demand_check_at = now + demand_check;
    }
    if (check || now >= loop.catalog_check_at)
        check_catalog(false);
    if (check) {
        loop.tick_at = loop.tick_not_before = now;
        if (loop.maintenance_failures > 0)
            loop.maintain_at = now;
        LWLockAcquire(&all->lock, LW_EXCLUSIVE);
        slot->answered = loop.seen;
        slot->wanted = slot->announced != loop.seen;
        LWLockRelease(&all->lock);
    }
}

struct Batch {
    bool more;
    TimestampTz next_due;
};

Batch call_tick_batch() {
    if (SPI_execute("SELECT more, next_due FROM nurture._tick_batch(NULL)", false, 0) != SPI_OK_SELECT ||
        SPI_processed != 1)
        ereport(ERROR,
                (errcode(ERRCODE_INTERNAL_ERROR), errmsg("nurture._tick_batch did not return one row")));
    Batch batch{false, DT_NOEND};
    bool isnull = false;
    Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
    batch.more = !isnull && DatumGetBool(value);
    value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
    if (!isnull)
        batch.next_due = DatumGetTimestampTz(value);
    return batch;
}

void succeeded(int* failures) {
    *failures = 0;
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    if (loop.phase == Phase::tick)
        slot->last_tick_at = GetCurrentTimestamp();
    slot->failures = loop.tick_failures + loop.maintenance_failures;
    LWLockRelease(&all->lock);
    loop.phase = Phase::outside;
}

// COMMIT PREPARED wakes nobody: it may come from a session that knows nothing of us. While transactions are prepared in this
// database we look whether they still are, ever less often. True: it is others than last time.
bool prepared_changed() {
    if (max_prepared_xacts == 0)
        return false;
    begin(XACT_READ_COMMITTED, "nurture: looks for prepared transactions");
    PushActiveSnapshot(GetTransactionSnapshot());
    SPI_connect();
    if (SPI_execute("SELECT pg_catalog.string_agg(x.transaction::pg_catalog.text, ' ' ORDER BY x.transaction::pg_catalog.text) "
                    "FROM pg_catalog.pg_prepared_xact() x JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) x.dbid "
                    "WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()",
                    true, 0) != SPI_OK_SELECT)
        ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("pg_prepared_xact cannot be called")));
    std::uint64_t found = 0;
    if (const char* const list = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1))
        found = hash_bytes_extended(reinterpret_cast<const unsigned char*>(list), static_cast<int>(strlen(list)), 0) | 1;
    SPI_finish();
    PopActiveSnapshot();
    CommitTransactionCommand();
    TimestampTz const now = GetCurrentTimestamp();
    bool const changed = found != loop.prepared;
    if (changed) {
        loop.prepared = found;
        loop.prepared_since = now;
    }
    TimestampTz const patience = std::clamp((now - loop.prepared_since) / 10, second / 5, 10 * second);
    loop.prepared_check_at = found == 0 ? DT_NOEND : now + patience;
    return changed;
}

void tick() {
    loop.phase = Phase::tick;
    show(State::running, 0);
    pg_atomic_write_u32(&slot->wake, 0); // before the snapshot: who commits after it sets it again
    pg_memory_barrier();
    (void)prepared_changed(); // before the snapshot, too: what is no more prepared then is in it
    begin(XACT_REPEATABLE_READ, "nurture: tick");
    if (!hold_extension())
        leave(Exit::no_extension);
    PushActiveSnapshot(GetTransactionSnapshot());
    check_version();
    SPI_connect();
    Batch const batch = call_tick_batch();
    SPI_finish();
    PopActiveSnapshot();
    loop.wrote = loop.wrote || batch.more || TransactionIdIsValid(GetTopTransactionIdIfAny());
    CommitTransactionCommand();
    pgstat_report_stat(false);

    TimestampTz const now = GetCurrentTimestamp();
    loop.conflicts = 0;
    loop.tick_at =
        batch.more ? now : std::min(std::max(batch.next_due, now + shortest_rest), now + max_sleep());
    loop.tick_not_before = batch.more ? now : now + shortest_rest;
    if (!batch.more && loop.wrote) {
        loop.wrote = false;
        // At most once a second, and after an error not before its time.
        if (loop.maintenance_failures == 0)
            loop.maintain_at = std::min(loop.maintain_at, loop.maintained_at + second);
    }
    succeeded(&loop.tick_failures);
}

void maintain() {
    loop.phase = Phase::maintenance;
    show(State::running, 0);
    begin(XACT_READ_COMMITTED, "nurture: maintenance");
    if (!hold_extension())
        leave(Exit::no_extension);
    PushActiveSnapshot(GetTransactionSnapshot());
    check_version();
    SPI_connect();
    if (SPI_execute("SELECT nurture._maintain()", false, 0) != SPI_OK_SELECT)
        ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("nurture._maintain cannot be called")));
    bool const waits = backfill_waits(), calls = procedures_wait();
    SPI_finish();
    PopActiveSnapshot();
    CommitTransactionCommand();
    pgstat_report_stat(false);
    if (waits)
        (void)backfill.start(MyDatabaseId); // without a free slot: the next time
    if (calls)
        (void)procedures.start(MyDatabaseId);
    loop.maintained_at = GetCurrentTimestamp();
    loop.maintain_at = loop.maintained_at + (waits ? 2 * second : std::max(max_sleep(), second));
    succeeded(&loop.maintenance_failures);
}

void note_failure(int sqlstate, const ErrorData* error, TimestampTz now) {
    const char* const message =
        error != nullptr && error->message != nullptr ? error->message : "out of memory";
    const char* const detail = error != nullptr ? error->detail : nullptr;
    char text[2 * sizeof slot->last_error];
    snprintf(text, sizeof text, detail != nullptr ? "%s: %s" : "%s", message, detail);
    int const room = static_cast<int>(sizeof slot->last_error) - 1;
    int const length = pg_mbcliplen(text, static_cast<int>(strlen(text)), room);
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    memcpy(slot->last_error, text, length);
    slot->last_error[length] = '\0';
    slot->last_error_at = now;
    slot->last_sqlstate = sqlstate;
    slot->failures = loop.tick_failures + loop.maintenance_failures;
    LWLockRelease(&all->lock);
}

// Another transaction was faster (40001, 40P01): nobody's fault, so again at once; a few times, then after a
// short rest, and only then it is worth a line in the log. True: nothing else is to be done.
bool is_conflict(int sqlstate, TimestampTz now) {
    if (sqlstate != ERRCODE_T_R_SERIALIZATION_FAILURE && sqlstate != ERRCODE_T_R_DEADLOCK_DETECTED)
        return false;
    loop.conflicts++;
    int const excess = loop.conflicts - conflicts_at_once;
    TimestampTz const rest = excess <= 0 ? 0 : std::min(second, shortest_rest << std::min(excess, 7));
    if (loop.phase == Phase::maintenance) {
        loop.maintain_at = now + rest;
    } else {
        loop.tick_at = now;
        loop.tick_not_before = now + rest;
    }
    return excess <= 0;
}

void fail(int sqlstate, const ErrorData* error, TimestampTz now) {
    if (sqlstate != ERRCODE_T_R_SERIALIZATION_FAILURE && sqlstate != ERRCODE_T_R_DEADLOCK_DETECTED) {
        if (loop.phase == Phase::maintenance) {
            loop.maintain_at = now + backoff(++loop.maintenance_failures);
        } else {
            loop.tick_at = loop.tick_not_before = now + backoff(++loop.tick_failures);
            loop.catalog_check_at = now + catalog_check;
        }
    }
    note_failure(sqlstate, error, now);
}

// After an error: as in postmaster/autovacuum.c, whose launcher lives on in the same way.
void recover() {
    error_context_stack = nullptr;
    HOLD_INTERRUPTS();
    int const sqlstate = geterrcode();
    TimestampTz const now = GetCurrentTimestamp();
    bool const conflict = is_conflict(sqlstate, now);
    if (!conflict)
        EmitErrorReport();
    MemoryContextSwitchTo(turn_context);
    ErrorData* const error = CopyErrorData();
    FlushErrorState();
    AbortCurrentTransaction();
    LWLockReleaseAll();
    pgstat_report_wait_end();
    MemoryContextSwitchTo(turn_context);
    if (!conflict)
        fail(sqlstate, error, now);
    loop.phase = Phase::outside;
    pgstat_report_stat(true);
    RESUME_INTERRUPTS();
}

void rest(std::uint32_t event) {
    TimestampTz const tick_at = std::max(loop.tick_at, loop.tick_not_before);
    TimestampTz const until = std::min(tick_at, loop.maintain_at);
    show(loop.tick_failures + loop.maintenance_failures > 0 ? State::failing : State::idle, until);
    pgstat_report_stat(true);
    pgstat_report_activity(STATE_IDLE, nullptr);
    for (;;) {
        bool const woken = pg_atomic_read_u32(&slot->wake) != 0;
        TimestampTz const turn = woken ? std::min(until, loop.tick_not_before) : until;
        if (GetCurrentTimestamp() >= turn)
            return;
        TimestampTz const next = std::min({turn, loop.demand_check_at, loop.catalog_check_at, loop.prepared_check_at});
        long const timeout = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next) + 1;
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, timeout, event);
        ResetLatch(MyLatch);
        attend();
        if (GetCurrentTimestamp() >= loop.prepared_check_at && prepared_changed())
            loop.tick_at = loop.tick_not_before;
        if (loop.tick_at < tick_at)
            return; // somebody asked for attention
    }
}

[[noreturn]] void run() {
    sigjmp_buf buffer;
    if (sigsetjmp(buffer, 1) != 0)
        recover();
    PG_exception_stack = &buffer;
    std::uint32_t const event = wait_event("NurtureWorker");
    for (;;) {
        MemoryContextSwitchTo(turn_context);
        MemoryContextReset(turn_context);
        ResetLatch(MyLatch);
        attend();
        TimestampTz const now = GetCurrentTimestamp();
        bool const woken = pg_atomic_read_u32(&slot->wake) != 0;
        if (now >= loop.maintain_at)
            maintain();
        else if (now >= loop.tick_not_before && (woken || now >= loop.tick_at))
            tick();
        else
            rest(event);
    }
}

// A pooler's or an attacker's settings of the database must not reach the engine's statements.
void fix_settings() {
    SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);
    SetConfigOption("statement_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
    SetConfigOption("lock_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
    SetConfigOption("idle_in_transaction_session_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
    pgstat_report_appname("nurture worker");
}

} // namespace

} // namespace nurture::worker

void nurture_worker_main(Datum argument) {
    using namespace nurture::worker;
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die); // ends a statement too, and never from inside a handler, as the default one would
    BackgroundWorkerUnblockSignals();
    loop.prepared_check_at = DT_NOEND;
    claim(DatumGetInt32(argument));
    BackgroundWorkerInitializeConnectionByOid(slot->database, InvalidOid, 0);
    turn_context = AllocSetContextCreate(TopMemoryContext, "nurture turn", ALLOCSET_DEFAULT_SIZES);
    fix_settings();
    check_catalog(true);
    attend();
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    slot->answered = loop.seen;
    slot->wanted = slot->announced != loop.seen;
    Latch* const launcher = all->launcher_latch;
    LWLockRelease(&all->lock);
    if (launcher != nullptr)
        SetLatch(launcher); // it may try the next database
    run();
}
