#include "pg/border/settings.hpp"

#include <climits>

#include "pg/border/pg.hpp"

extern "C" {
#include "pgtime.h"
}

namespace nurture::border {

namespace {

constexpr int minute = 60;
constexpr int hour = 60 * minute;
constexpr int day = 24 * hour;
constexpr int century = INT_MAX; // 68 years: as far as seconds go in an integer setting

int action_expiry = day;
int backfilled_at_once = 250000;
int most_enrolled = 1000;
int swept_at_once = 1000;
int batch_kb = 64 * 1024;
int rows_per_batch = 50000;
int dedup_window = 7 * day;
bool is_enabled = true;
int late_after = day;
int definition_depth = 500;
int definition_terms = 10000;
int longest_sleep = 60 * 1000;
int most_quarantined = 100;
int session_gap = 30 * 60;
double held_out = 0;
char* holdout_salt = nullptr;
int most_window_entries = 1000;
int model_cache_kb = 0;
char* page_types = nullptr;
char* zone = nullptr;
char* history_begins = nullptr;
char* reason_of_change = nullptr;

int week_begins = 0;
bool march_for_leap_day = false;
const config_enum_entry weekdays[] = {{"monday", 0, false}, {"tuesday", 1, false}, {"wednesday", 2, false},
                                      {"thursday", 3, false}, {"friday", 4, false}, {"saturday", 5, false},
                                      {"sunday", 6, false}, {nullptr, 0, false}};

// Empty, or an ISO date.
bool check_history_from(char** value, void**, GucSource) {
    int year = 0, month = 0, date = 0, length = 0;
    if (**value == '\0' || (sscanf(*value, "%4d-%2d-%2d%n", &year, &month, &date, &length) == 3 && (*value)[length] == '\0' &&
                            month >= 1 && month <= 12 && date >= 1 && date <= 28))
        return true;
    GUC_check_errhint("Give a date such as 2024-01-01, no later than the 28th of its month, or nothing.");
    return false;
}

bool check_timezone(char** value, void**, GucSource) {
    if (pg_tzset(*value) != nullptr)
        return true;
    GUC_check_errdetail("Time zone \"%s\" is not known.", *value);
    GUC_check_errhint("The names are those of pg_catalog.pg_timezone_names.");
    return false;
}

// All are PGC_SUSET: postgresql.conf, ALTER DATABASE and ALTER ROLE reach the worker, and no plain user can
// change for a session what the engine's results depend on.
void define_int(const char* name, const char* text, int* variable, int low, int high, int flags) {
    DefineCustomIntVariable(name, text, nullptr, variable, *variable, low, high, PGC_SUSET, flags, nullptr,
                            nullptr, nullptr);
}

} // namespace

void define_settings() {
    define_int("nurture.action_expiry", "How long after its due moment a marketing action may still be sent.",
               &action_expiry, minute, century, GUC_UNIT_S);
    define_int("nurture.backfill_contacts", "For how many contacts at a time the log is folded when a feature is backfilled.",
               &backfilled_at_once, 100, INT_MAX, 0);
    define_int("nurture.batch_bytes", "The most bytes of messages that one batch takes.", &batch_kb, 64,
               4 * 1024 * 1024, GUC_UNIT_KB);
    define_int("nurture.batch_rows", "The most messages that one batch takes.", &rows_per_batch, 1, 10000000,
               0);
    DefineCustomStringVariable("nurture.change_reason",
                               "Why definitions are changed; kept with their versions.", nullptr, &reason_of_change, "",
                               PGC_USERSET, 0, nullptr, nullptr, nullptr);
    define_int("nurture.dedup_window", "How long a message_id is remembered.", &dedup_window, 0, century,
               GUC_UNIT_S);
    DefineCustomBoolVariable("nurture.enabled", "Whether the background worker runs in this database.",
                             nullptr, &is_enabled, is_enabled, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("nurture.history_from",
                               "Events that happened earlier share one partition of the log.",
                               "Read by the first tick. Empty: the month of the first tick.", &history_begins, "",
                               PGC_SUSET, 0, check_history_from, nullptr, nullptr);
    DefineCustomRealVariable("nurture.holdout_percent",
                             "How many percent of the contacts start no workflow that does not say \"holdout none\".",
                             "The control group is: sample ... percent, with nurture.holdout_salt.", &held_out, 0, 0, 100,
                             PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("nurture.holdout_salt", "The salt that tells who is in the control group.", nullptr, &holdout_salt,
                               "", PGC_SUSET, 0, nullptr, nullptr, nullptr);
    define_int("nurture.enrol_limit", "More journeys than this are started by publishing only when their number is confirmed.",
               &most_enrolled, 0, INT_MAX, 0);
    define_int("nurture.late_after", "Messages that arrive later than this start no journeys.", &late_after,
               0, century, GUC_UNIT_S);
    define_int("nurture.max_definition_depth", "The deepest nesting that a definition may have.",
               &definition_depth, 1, 10000, 0);
    define_int("nurture.max_definition_terms", "The most terms that a definition may have.",
               &definition_terms, 1, 1000000, 0);
    define_int("nurture.max_sleep", "The longest that the worker sleeps when nothing is known to be due.",
               &longest_sleep, 100, day * 1000, GUC_UNIT_MS);
    define_int("nurture.max_window_entries",
               "How many events a window keeps whose value needs all of them; beyond it the value is a bound.",
               &most_window_entries, 1, 100000, 0);
    // For functions that walk through many models, by their SET clause: no result depends on it.
    DefineCustomIntVariable("nurture.model_cache", "How many bytes of compiled models' sources a session keeps beside the last few models.",
                            nullptr, &model_cache_kb, model_cache_kb, 0, 1024 * 1024, PGC_USERSET,
                            GUC_UNIT_KB | GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("nurture.page_events", "The types of the events that are looks at a page, separated by commas.",
                               "For nurture.session and nurture.page_dwell.", &page_types, "page_view", PGC_SUSET, 0, nullptr,
                               nullptr, nullptr);
    define_int("nurture.quarantine_limit",
               "How many contacts may be quarantined in one tick before the engine stops.", &most_quarantined,
               0, INT_MAX, 0);
    DefineCustomBoolVariable("nurture.leap_day_in_march",
                             "Whether in years without one the anniversary of 29 February is 1 March.",
                             "Otherwise it is 28 February.", &march_for_leap_day, false, PGC_SUSET, 0, nullptr, nullptr,
                             nullptr);
    DefineCustomEnumVariable("nurture.week_start", "The day on which weeks begin.", nullptr, &week_begins, 0, weekdays,
                             PGC_SUSET, 0, nullptr, nullptr, nullptr);
    define_int("nurture.session_gap", "A longer silence between two events ends a session.", &session_gap, 1, day,
               GUC_UNIT_S);
    define_int("nurture.sweep_contacts", "How many contacts adopt a new model with each tick beside those that have messages.",
               &swept_at_once, 1, INT_MAX, 0);
    DefineCustomStringVariable("nurture.timezone",
                               "The time zone where neither attribute nor policy names one.", nullptr, &zone,
                               "UTC", PGC_SUSET, 0, check_timezone, nullptr, nullptr);
    MarkGUCPrefixReserved("nurture");
}

namespace settings {

std::int64_t action_expiry_seconds() noexcept {
    return action_expiry;
}
std::int64_t batch_bytes() noexcept {
    return static_cast<std::int64_t>(batch_kb) * 1024;
}
int batch_rows() noexcept {
    return rows_per_batch;
}
std::int64_t dedup_window_seconds() noexcept {
    return dedup_window;
}
bool enabled() noexcept {
    return is_enabled;
}
std::int64_t late_after_seconds() noexcept {
    return late_after;
}
int max_definition_depth() noexcept {
    return definition_depth;
}
int max_definition_terms() noexcept {
    return definition_terms;
}
int max_sleep_ms() noexcept {
    return longest_sleep;
}
std::size_t model_cache_bytes() noexcept {
    return static_cast<std::size_t>(model_cache_kb) * 1024;
}
std::int64_t session_gap_seconds() noexcept {
    return session_gap;
}
const char* page_events() noexcept {
    return page_types;
}
int quarantine_limit() noexcept {
    return most_quarantined;
}
const char* timezone() noexcept {
    return zone;
}

} // namespace settings
} // namespace nurture::border

// In C, so that asking loads the library: an unknown setting cannot be asked for.
NURTURE_FUNCTION(nurture_enabled) {
    return BoolGetDatum(nurture::border::settings::enabled());
}
