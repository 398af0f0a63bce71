#pragma once
// The process that backfills features beside the worker: a loop around nurture._backfill_step().
#include "pg/worker/process.hpp"

namespace nurture::worker {

/// Whether there is something to backfill; inside a transaction, connected to SPI.
[[nodiscard]] bool backfill_waits();
extern Process backfill;

} // namespace nurture::worker
