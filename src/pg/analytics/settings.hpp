#pragma once
// Settings of the aggregates that buffer a group's rows.

namespace nurture::analytics {

/// nurture.aggregate_memory in kB: the most one group of one aggregate may keep.
extern int aggregate_memory;

/// Defines the settings; called once from _PG_init.
void register_analytics_settings();

} // namespace nurture::analytics
