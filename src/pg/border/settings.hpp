#pragma once
// The extension's settings. Their values are read anew at every call: a reload or ALTER DATABASE … SET takes
// effect without a restart. SQL reads them with current_setting(), which needs the library loaded in the
// session.
#include <cstddef>
#include <cstdint>

namespace nurture::border {

/// Makes the settings known to the server; called once, from _PG_init.
void define_settings();

namespace settings {

/// How long after its due moment a marketing action may still be sent, unless the policy says otherwise.
std::int64_t action_expiry_seconds() noexcept;
/// The most bytes of messages that one batch takes from the inbox.
std::int64_t batch_bytes() noexcept;
/// The most messages that one batch takes from the inbox.
int batch_rows() noexcept;
/// How long a message_id is remembered, to drop a message that is sent twice.
std::int64_t dedup_window_seconds() noexcept;
/// Whether the worker runs in this database.
bool enabled() noexcept;
/// Messages that arrive later than this after they happened start no journeys, unless the policy says
/// otherwise.
std::int64_t late_after_seconds() noexcept;
/// The deepest nesting that a definition may have.
int max_definition_depth() noexcept;
/// The most terms that a definition may have.
int max_definition_terms() noexcept;
/// The longest that the worker sleeps when nothing is known to be due.
int max_sleep_ms() noexcept;
/// How many bytes of compiled models' sources a session keeps beside the last few models.
std::size_t model_cache_bytes() noexcept;
/// A longer silence between two events ends a session.
std::int64_t session_gap_seconds() noexcept;
/// The types of the events that are looks at a page, separated by commas.
const char* page_events() noexcept;
/// How many contacts may be quarantined in one tick before the engine stops.
int quarantine_limit() noexcept;
/// The time zone of contacts and calendar periods for which neither attribute nor policy names one.
const char* timezone() noexcept;

} // namespace settings
} // namespace nurture::border
