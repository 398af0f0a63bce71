#pragma once
// A process that the worker keeps beside itself for as long as there is work of its kind, so that ticks go on.
#include "pg/worker/compat.hpp"

namespace nurture::worker {

class Process {
  public:
    /// `entry` names the function of this library that the process runs; its argument is the database.
    constexpr Process(const char* type, const char* entry) noexcept : type_(type), entry_(entry) {}
    /// Starts it unless the one that was started before still runs. False: there is no free worker slot.
    bool start(Oid database);
    /// Ends it: the database is wanted, or the worker is to stop.
    void end();

  private:
    const char* type_;
    const char* entry_;
    BackgroundWorkerHandle* running_ = nullptr;
};

/// A background worker of this library that is not started again when it ends.
[[nodiscard]] BackgroundWorker make_process(const char* type, const char* entry, Oid database);
/// What such a process does first: signals, the connection (role: InvalidOid for the bootstrap superuser), settings. `type` is what
/// it is called in pg_stat_activity.
void begin_process(const char* type, Oid database, Oid role);
/// Runs `work` in a transaction of its own, connected to SPI, while the extension can not be dropped. False: there is no extension.
bool in_transaction(const char* activity, bool (*work)(void*), void* argument);
/// A query that gives one boolean; NULL is false. Connected to SPI.
bool ask(const char* query);

} // namespace nurture::worker
