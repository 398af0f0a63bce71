// The module's magic and its initialisation: registers GUCs and, when preloaded, the launcher. Nothing else happens here.
#include "pg/analytics/settings.hpp"
#include "pg/border/boundary.hpp"

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

void _PG_init(void) { nurture::analytics::register_analytics_settings(); }
