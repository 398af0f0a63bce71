#include "pg/worker/shared.hpp"

#include <cstring>

extern "C" {
#include "storage/ipc.h"
#include "storage/shmem.h"
}

namespace nurture::worker {

namespace {

bool is_preloaded = false; // set in the postmaster, inherited by its children
shmem_request_hook_type next_request_hook = nullptr;

void request_hook() {
    if (next_request_hook != nullptr)
        next_request_hook();
    RequestAddinShmemSpace(MAXALIGN(sizeof(Shared)));
}

} // namespace

const char* name_of(State state) noexcept {
    switch (state) {
    case State::waiting:
        return "waiting";
    case State::starting:
        return "starting";
    case State::idle:
        return "idle";
    case State::running:
        return "running";
    case State::failing:
        return "failing";
    case State::stopped:
        return "stopped";
    case State::disabled:
        return "disabled";
    case State::yielded:
        return "yielded";
    case State::died:
        return "died";
    case State::no_slot:
        return "no free worker slot";
    }
    return "unknown";
}

void request_shared_memory() {
    is_preloaded = true;
    next_request_hook = shmem_request_hook;
    shmem_request_hook = request_hook;
}

bool preloaded() noexcept {
    return is_preloaded;
}

Shared* shared() {
    static Shared* attached = nullptr;
    if (attached != nullptr)
        return attached;
    bool found = false;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    // The number is that of the layout: sessions with the old library may go on beside those with a new one.
    auto* const all = static_cast<Shared*>(ShmemInitStruct("nurture 2", sizeof(Shared), &found));
    if (!found) {
        std::memset(static_cast<void*>(all), 0, sizeof(Shared));
        LWLockInitialize(&all->lock, LWLockNewTrancheId());
        for (Slot& slot : all->slots)
            pg_atomic_init_u32(&slot.wake, 0);
    }
    LWLockRelease(AddinShmemInitLock);
    LWLockRegisterTranche(all->lock.tranche, "nurture");
    attached = all;
    return all;
}

Slot* find_slot(Shared* all, Oid database) noexcept {
    for (Slot& slot : all->slots)
        if (slot.database == database)
            return &slot;
    return nullptr;
}

Slot* find_or_make_slot(Shared* all, Oid database) noexcept {
    if (Slot* const known = find_slot(all, database))
        return known;
    Slot* const slot = find_slot(all, InvalidOid);
    if (slot != nullptr) {
        free_slot(slot);
        slot->database = database;
    }
    return slot;
}

void free_slot(Slot* slot) noexcept {
    std::memset(static_cast<void*>(slot), 0, sizeof(Slot));
    pg_atomic_init_u32(&slot->wake, 0);
}

void announce(Slot* slot, TimestampTz now) noexcept {
    slot->announced++;
    slot->stopped = false;
    slot->wanted = true;
    slot->start_at = now;
    slot->deaths = 0;
    pg_atomic_write_u32(&slot->wake, 1);
    if (slot->pid == 0 && slot->state != State::starting)
        slot->state = State::waiting;
}

void bury(Slot* slot, TimestampTz now) noexcept {
    if (slot->started_at != 0 && now - slot->started_at > 60 * second)
        slot->deaths = 0;
    slot->deaths++;
    slot->state = slot->stopped ? State::stopped : State::died;
    slot->wanted = !slot->stopped;
    slot->start_at = slot->announced != slot->answered ? now : now + backoff(slot->deaths);
}

TimestampTz backoff(int failures) noexcept {
    return failures > 6 ? 60 * second : second << (failures > 1 ? failures - 1 : 0);
}

bool register_launcher(bool from_session, BackgroundWorkerHandle** handle) {
    BackgroundWorker worker;
    std::memset(&worker, 0, sizeof worker);
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = 5;
    strlcpy(worker.bgw_library_name, "nurture", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "nurture_launcher_main", sizeof worker.bgw_function_name);
    strlcpy(worker.bgw_name, "nurture launcher", sizeof worker.bgw_name);
    strlcpy(worker.bgw_type, "nurture launcher", sizeof worker.bgw_type);
    worker.bgw_main_arg = BoolGetDatum(!from_session);
    if (from_session) {
        worker.bgw_notify_pid = MyProcPid;
        return RegisterDynamicBackgroundWorker(&worker, handle);
    }
    RegisterBackgroundWorker(&worker);
    return true;
}

} // namespace nurture::worker
