#include "pg/analytics/settings.hpp"

#include "pg/border/pg.hpp"

namespace nurture::analytics {

int aggregate_memory = 256 * 1024;

void register_analytics_settings() {
    DefineCustomIntVariable(
        "nurture.aggregate_memory", "Most memory one group of a buffering aggregate may take.",
        "funnel, sequence_match and their kin keep a group's events until its end; a group that "
        "needs more ends in an error.",
        &aggregate_memory, 256 * 1024, 64, MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, nullptr, nullptr,
        nullptr);
}

} // namespace nurture::analytics
