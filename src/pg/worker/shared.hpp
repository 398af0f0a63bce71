#pragma once
// What launcher, workers and sessions know of each other: one small structure in shared memory. README.md has
// the rules.
#include <cstdint>

#include "pg/worker/compat.hpp"

extern "C" {
#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
}

namespace nurture::worker {

constexpr int slot_count = 64;
constexpr TimestampTz second = USECS_PER_SEC;

/// What a database's worker is doing, or why there is none.
enum class State : std::uint8_t {
    waiting,
    starting,
    idle,
    running,
    failing,
    stopped,
    disabled,
    yielded,
    died,
    no_slot
};

/// The state's name as nurture._worker_status() shows it.
const char* name_of(State state) noexcept;

/// One database. Everything but `wake` is read and written under the lock.
struct Slot {
    Oid database;             // InvalidOid: free
    int pid;                  // of the running worker, or 0
    Latch* latch;             // of the running worker, or null
    State state;              //
    bool wanted;              // the launcher is to start a worker at start_at
    bool stopped;             // nurture.stop_worker(): whatever else is wanted
    std::uint64_t generation; // of the last start: a worker that comes too late recognises that it does
    std::uint64_t announced;  // how often somebody asked for a worker, or for its attention
    std::uint64_t answered;   // the last of these that a worker has acted upon
    pg_atomic_uint32 wake;    // 1: something has been committed since the worker last looked
    TimestampTz start_at;
    TimestampTz started_at;
    TimestampTz last_tick_at;
    TimestampTz last_error_at;
    TimestampTz sleeping_until;
    int failures; // of ticks and maintenance, in a row
    int deaths;   // of workers, in a row
    int last_sqlstate; // of that error, as MAKE_SQLSTATE packs it
    char last_error[512];
};

struct Shared {
    LWLock lock;
    int launcher_pid;
    Latch* launcher_latch;
    std::uint64_t starts;
    Slot slots[slot_count];
};

/// What a worker is told at its start, in bgw_extra.
struct Start {
    Oid database;
    std::uint64_t generation;
};

/// Reserves the memory when preloaded, and remembers that the launcher is the postmaster's to start.
void request_shared_memory();
/// Whether shared_preload_libraries names us.
bool preloaded() noexcept;

/// The structure; found or made at the first call in a process, which may ereport. Later calls do not.
Shared* shared();

/// The database's slot or null. The lock is held.
Slot* find_slot(Shared* all, Oid database) noexcept;
/// The database's slot, a fresh one if need be; null when all are taken. The lock is held exclusively.
Slot* find_or_make_slot(Shared* all, Oid database) noexcept;
/// Forgets the database. The lock is held exclusively.
void free_slot(Slot* slot) noexcept;
/// Asks for a worker, or for its attention if there is one; the caller sets the latches. Exclusively locked.
void announce(Slot* slot, TimestampTz now) noexcept;
/// Enters that the worker is gone against its will, and when the next may come. Exclusively locked.
void bury(Slot* slot, TimestampTz now) noexcept;
/// 1 s, 2 s, 4 s … 60 s for the first, second, third … failure in a row.
TimestampTz backoff(int failures) noexcept;

/// Registers the launcher with the postmaster: at preload, or from a session, which then may wait for
/// `handle`.
bool register_launcher(bool from_session, BackgroundWorkerHandle** handle);

} // namespace nurture::worker
