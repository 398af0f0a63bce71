#include "pg/worker/backfill.hpp"

extern "C" {
#include "miscadmin.h"
#include "storage/ipc.h"

PGDLLEXPORT void nurture_backfill_main(Datum argument);
}

namespace nurture::worker {

Process backfill("nurture backfill", "nurture_backfill_main");

bool backfill_waits() {
    return ask("SELECT nurture._backfill_waits()");
}

} // namespace nurture::worker

// An error ends the process; the worker starts another after its next maintenance, and the job's row says where to go on.
void nurture_backfill_main(Datum argument) {
    using namespace nurture::worker;
    begin_process("nurture backfill", DatumGetObjectId(argument), InvalidOid);
    SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);
    // False: nothing is left to do, or somebody else does it.
    auto const step = [](void*) { return backfill_waits() && ask("SELECT nurture._backfill_step()"); };
    while (in_transaction("nurture: backfills", step, nullptr))
        CHECK_FOR_INTERRUPTS();
    proc_exit(0);
}
