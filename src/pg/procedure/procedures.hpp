#pragma once
// The process that runs the procedures that workflows call, one after the other, each as its own role (procedures.sql).
#include "pg/worker/process.hpp"

namespace nurture::worker {

/// Whether there is one to run now; inside a transaction, connected to SPI.
[[nodiscard]] bool procedures_wait();
extern Process procedures;

} // namespace nurture::worker
