#pragma once
// What differs between PostgreSQL 15 and 18, named after the newest API it stands in for.
#include <cstdint>

#include "pg/border/pg.hpp"

extern "C" {
#include "catalog/pg_database.h"
#include "postmaster/bgworker.h"
#include "utils/wait_event.h"
}

// 19: DROP DATABASE and its like end such a worker themselves. Before, ours notices and yields (README.md).
#ifndef BGWORKER_INTERRUPTIBLE
#define BGWORKER_INTERRUPTIBLE 0
#endif

// 15.4: what DROP DATABASE leaves behind when it is interrupted.
#ifndef DATCONNLIMIT_INVALID_DB
#define DATCONNLIMIT_INVALID_DB (-2)
#endif

namespace nurture::worker {

/// WaitEventExtensionNew (17): a wait event with a name of its own; before, all extensions share one.
inline std::uint32_t wait_event(const char* name) {
#if PG_VERSION_NUM >= 170000
    return WaitEventExtensionNew(name);
#else
    (void)name;
    return PG_WAIT_EXTENSION;
#endif
}

} // namespace nurture::worker
