// The type schedule: text in canonical form, stored as definitions are; and when it comes round.
#include "core/language/schedule.hpp"

#include "pg/border/rows.hpp"
#include "pg/language/definition.hpp"

using namespace nurture;

namespace {

Datum make_schedule(std::string_view text) { return language::make_definition(language::parse_schedule(text).text); }

language::Schedule schedule_argument(FunctionCallInfo fcinfo) {
    return language::parse_schedule(language::definition_text(PG_GETARG_DATUM(0)));
}

} // namespace

NURTURE_FUNCTION(nurture_schedule_in) {
    return border::entry([&]() -> Datum { return make_schedule(PG_GETARG_CSTRING(0)); });
}

// Bytes from elsewhere are trusted no more than typed text.
NURTURE_FUNCTION(nurture_schedule_recv) {
    return border::entry([&]() -> Datum {
        auto* const message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
        int const size = message->len - message->cursor;
        const char* const bytes = border::pg_call([&] { return pq_getmsgbytes(message, size); });
        return make_schedule(language::text_behind_version({bytes, static_cast<std::size_t>(size)}));
    });
}

// next_run(schedule, after)
NURTURE_FUNCTION(nurture_schedule_next) {
    return border::entry([&]() -> Datum {
        auto const schedule = schedule_argument(fcinfo);
        Time const after = border::time_of(PG_GETARG_DATUM(1));
        Time const next = after == never ? never : schedule.next(after);
        return border::make_time(next, fcinfo->isnull);
    });
}

// runs(schedule, since, until)
NURTURE_FUNCTION(nurture_schedule_runs) {
    return border::entry([&]() -> Datum {
        auto const schedule = schedule_argument(fcinfo);
        Time const since = border::time_of(PG_GETARG_DATUM(1)), until = border::time_of(PG_GETARG_DATUM(2));
        if (since == always || until == never)
            throw Error(ErrorKind::invalid_parameter, "since and until must be finite", {}, "A schedule comes round without end.");
        border::RowSink sink(fcinfo);
        if (since >= until)
            return 0;
        for (Time at = schedule.next(saturating_add(since, -1)); at < until; at = schedule.next(at)) {
            border::check_interrupts();
            border::Row<1> row;
            row.add_time(at);
            row.put_into(sink);
        }
        return 0;
    });
}
