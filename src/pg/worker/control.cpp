// What sessions call: wake-up at commit, start, stop, status.
#include "pg/border/boundary.hpp"
#include "pg/worker/shared.hpp"

extern "C" {
#include "access/xlog.h"
#include "commands/trigger.h"
#include "storage/ipc.h"
}

namespace nurture::worker {

namespace {

constexpr TimestampTz patience = 30 * second;

bool wake_at_commit = false;
bool announce_at_commit = false;

// The three below run inside the commit: nothing in them can ereport.
void ring_worker(Shared* all) {
    static Slot* last = nullptr;
    // Our commit is visible by now. If the flag is still up, the worker takes its next snapshot after
    // lowering it.
    pg_memory_barrier();
    if (last != nullptr && last->database == MyDatabaseId && pg_atomic_read_u32(&last->wake) != 0)
        return;
    Latch* latch = nullptr;
    LWLockAcquire(&all->lock, LW_SHARED);
    Slot* const slot = find_slot(all, MyDatabaseId);
    if (slot != nullptr && pg_atomic_exchange_u32(&slot->wake, 1) == 0)
        latch = slot->latch;
    LWLockRelease(&all->lock);
    last = slot;
    if (latch != nullptr)
        SetLatch(latch);
}

void announce_database(Shared* all) {
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    Slot* const slot = find_or_make_slot(all, MyDatabaseId);
    if (slot != nullptr)
        announce(slot, GetCurrentTimestamp());
    Latch* const worker = slot != nullptr ? slot->latch : nullptr;
    Latch* const launcher = all->launcher_latch;
    LWLockRelease(&all->lock);
    if (worker != nullptr)
        SetLatch(worker);
    if (launcher != nullptr)
        SetLatch(launcher);
}

void at_transaction_end(XactEvent event, void*) {
    if (!wake_at_commit && !announce_at_commit)
        return;
    if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
        return;
    if (event == XACT_EVENT_COMMIT && announce_at_commit)
        announce_database(shared());
    // A prepared transaction may be committed by anybody later: the worker, woken now, watches it.
    if (event != XACT_EVENT_ABORT && wake_at_commit)
        ring_worker(shared());
    wake_at_commit = announce_at_commit = false;
}

void at_commit(bool* flag) {
    static bool registered = false;
    if (!registered) {
        (void)shared(); // from here on it cannot ereport any more
        RegisterXactCallback(at_transaction_end, nullptr);
        registered = true;
    }
    *flag = true;
}

void pause_20ms() {
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 20, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
}

// Registers the launcher unless there is one, or the postmaster is about to start one.
void ensure_launcher(bool running) {
    BackgroundWorkerHandle* handle = nullptr;
    if (running || preloaded())
        return;
    if (!register_launcher(true, &handle))
        ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
                        errmsg("could not register the nurture launcher: no free worker slot"),
                        errhint("Raise \"max_worker_processes\".")));
    pid_t pid;
    if (WaitForBackgroundWorkerStartup(handle, &pid) == BGWH_POSTMASTER_DIED)
        proc_exit(1);
}

[[noreturn]] void report_no_worker(const Slot& slot) {
    if (slot.database == InvalidOid)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the nurture worker does not find the extension in this database"),
                        errhint("Commit CREATE EXTENSION first.")));
    if (slot.state == State::disabled)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the nurture worker is disabled in this database"),
                        errhint("Set \"nurture.enabled\" to on in postgresql.conf or with ALTER DATABASE.")));
    if (slot.state == State::no_slot)
        ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
                        errmsg("there is no free slot for the nurture worker"),
                        errhint("Raise \"max_worker_processes\"; it is tried again every 10 seconds.")));
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("the nurture worker did not start (%s)", name_of(slot.state)),
                    errhint("The server log says more.")));
    pg_unreachable();
}

// True when the worker has answered `ticket`, false when it is still to be waited for.
bool is_up(const Slot& slot, std::uint64_t ticket) {
    if (slot.database != InvalidOid && slot.pid != 0 && slot.answered >= ticket)
        return true;
    bool const hopeless = slot.database == InvalidOid || slot.state == State::no_slot ||
                          slot.state == State::died || slot.state == State::stopped ||
                          (slot.pid == 0 && !slot.wanted && slot.state != State::starting);
    if (hopeless)
        report_no_worker(slot);
    return false;
}

Slot look(Shared* all) {
    Slot copy{};
    LWLockAcquire(&all->lock, LW_SHARED);
    if (const Slot* const slot = find_slot(all, MyDatabaseId))
        copy = *slot;
    LWLockRelease(&all->lock);
    return copy;
}

bool start() {
    if (RecoveryInProgress())
        ereport(ERROR,
                (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                 errmsg("the nurture worker cannot run during recovery"),
                 errhint("It starts when the standby is promoted, if \"shared_preload_libraries\" names "
                         "nurture.")));
    Shared* const all = shared();
    TimestampTz const begun = GetCurrentTimestamp();
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    Slot* const slot = find_or_make_slot(all, MyDatabaseId);
    bool const was_running = slot != nullptr && slot->pid != 0;
    if (slot != nullptr)
        announce(slot, begun);
    std::uint64_t const ticket = slot != nullptr ? slot->announced : 0;
    Latch* const worker = slot != nullptr ? slot->latch : nullptr;
    Latch* const launcher = all->launcher_latch;
    LWLockRelease(&all->lock);
    if (slot == nullptr)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("nurture serves no more than %d databases of a cluster", slot_count)));
    if (worker != nullptr)
        SetLatch(worker);
    if (launcher != nullptr)
        SetLatch(launcher);
    ensure_launcher(launcher != nullptr);
    for (;;) {
        Slot const now = look(all);
        if (is_up(now, ticket))
            return !was_running;
        if (GetCurrentTimestamp() - begun > patience)
            report_no_worker(now);
        pause_20ms();
    }
}

bool stop() {
    Shared* const all = shared();
    TimestampTz const begun = GetCurrentTimestamp();
    LWLockAcquire(&all->lock, LW_EXCLUSIVE);
    Slot* const slot = find_or_make_slot(all, MyDatabaseId);
    bool running = false;
    Latch* worker = nullptr;
    if (slot != nullptr) {
        running = slot->pid != 0 || slot->state == State::starting;
        worker = slot->latch;
        slot->stopped = true;
        slot->wanted = false;
        if (!running)
            slot->state = State::stopped;
    }
    LWLockRelease(&all->lock);
    if (worker != nullptr)
        SetLatch(worker);
    bool signalled = false;
    while (running) {
        LWLockAcquire(&all->lock, LW_SHARED);
        const Slot* const now = find_slot(all, MyDatabaseId);
        running = now != nullptr && now->stopped && (now->pid != 0 || now->state == State::starting);
        // It may wait for a lock that we hold. A process in the slot has not ended, so the signal hits no
        // other.
        if (running && !signalled && now->pid != 0 && GetCurrentTimestamp() - begun > 2 * second)
            signalled = kill(now->pid, SIGTERM) == 0;
        LWLockRelease(&all->lock);
        if (!running)
            return true;
        pause_20ms();
    }
    return false;
}

// One row for the current database, also when nothing is known of it.
void put_status(FunctionCallInfo fcinfo) {
    Slot const slot = look(shared());
    bool const known = slot.database != InvalidOid;
    Datum values[9] = {};
    bool nulls[9] = {};
    auto const put_time = [&](int column, TimestampTz at) {
        nulls[column] = at == 0;
        values[column] = TimestampTzGetDatum(at);
    };
    values[0] = Int32GetDatum(slot.pid);
    nulls[0] = slot.pid == 0;
    values[1] = CStringGetTextDatum(known ? name_of(slot.state) : "not started");
    put_time(2, slot.started_at);
    put_time(3, slot.last_tick_at);
    values[4] = CStringGetTextDatum(slot.last_error);
    nulls[4] = slot.last_error[0] == '\0';
    put_time(5, slot.last_error_at);
    values[6] = Int32GetDatum(slot.failures);
    put_time(7, slot.sleeping_until);
    values[8] = CStringGetTextDatum(unpack_sql_state(slot.last_sqlstate));
    nulls[8] = slot.last_error[0] == '\0';
    InitMaterializedSRF(fcinfo, 0);
    auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

} // namespace

} // namespace nurture::worker

NURTURE_FUNCTION(nurture_wake) {
    return nurture::border::entry([&]() -> Datum {
        if (!CALLED_AS_TRIGGER(fcinfo))
            throw nurture::Error(nurture::ErrorKind::invalid_parameter,
                                 "nurture._wake() is called by a trigger only");
        nurture::border::pg_call([] { nurture::worker::at_commit(&nurture::worker::wake_at_commit); });
        return PointerGetDatum(nullptr);
    });
}

NURTURE_FUNCTION(nurture_announce) {
    return nurture::border::entry([&]() -> Datum {
        nurture::border::pg_call([] { nurture::worker::at_commit(&nurture::worker::announce_at_commit); });
        PG_RETURN_VOID();
    });
}

NURTURE_FUNCTION(nurture_start_worker) {
    return nurture::border::entry([&]() -> Datum {
        return BoolGetDatum(nurture::border::pg_call([] { return nurture::worker::start(); }));
    });
}

NURTURE_FUNCTION(nurture_stop_worker) {
    return nurture::border::entry([&]() -> Datum {
        return BoolGetDatum(nurture::border::pg_call([] { return nurture::worker::stop(); }));
    });
}

// With the SQLSTATE of the last error.
NURTURE_FUNCTION(nurture_worker_state) {
    return nurture::border::entry([&]() -> Datum {
        nurture::border::pg_call([&] { nurture::worker::put_status(fcinfo); });
        return static_cast<Datum>(0);
    });
}

// As 0.1 called it: without the last column.
NURTURE_FUNCTION(nurture_worker_status) {
    return nurture::border::entry([&]() -> Datum {
        nurture::border::pg_call([&] { nurture::worker::put_status(fcinfo); });
        return static_cast<Datum>(0);
    });
}
