// The module's magic and its initialisation: registers GUCs and, when preloaded, the launcher. Nothing else
// happens here.
#include "pg/analytics/settings.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/settings.hpp"
#include "pg/worker/shared.hpp"

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

void _PG_init(void) {
    nurture::analytics::register_analytics_settings();
    nurture::border::define_settings(); // reserves the prefix: last
    // pg_upgrade starts both servers in a mode in which nothing may write.
    if (process_shared_preload_libraries_in_progress && !IsBinaryUpgrade) {
        nurture::worker::request_shared_memory();
        nurture::worker::register_launcher(false, nullptr);
    }
}
