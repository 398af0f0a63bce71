#pragma once
// The only includer of PostgreSQL's headers. Border files include the standard library and the core first, this last.
extern "C" {
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
}

#undef Max
#undef Min
#undef Abs
#undef gettext
#undef snprintf
#undef sprintf
#undef vsnprintf
#undef vsprintf
#undef printf
#undef fprintf
#undef bind
#undef unlink

// Up to 15 the server's headers leave PGDLLEXPORT empty on Linux; hidden visibility would then hide the entry points.
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

/// Declares and begins an SQL-callable function; its body is one `return nurture::border::entry([&]() -> Datum {...});`
#define NURTURE_FUNCTION(name)                                                                                \
    extern "C" {                                                                                              \
    PG_FUNCTION_INFO_V1(name);                                                                                \
    PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                                                                 \
    }                                                                                                         \
    Datum name([[maybe_unused]] PG_FUNCTION_ARGS)
