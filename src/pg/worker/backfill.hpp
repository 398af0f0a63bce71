#pragma once
// The process that backfills features beside the worker, so that ticks go on: a loop around nurture._backfill_step().
#include <cstdint>

#include "pg/worker/compat.hpp"

namespace nurture::worker {

/// Whether there is something to backfill; inside a transaction, connected to SPI.
bool backfill_waits();
/// Starts the process unless the one that this worker started still runs. False: there is no free worker slot.
bool start_backfill(Oid database);
/// Ends it: the database is wanted, or the worker is to stop.
void end_backfill();

} // namespace nurture::worker
