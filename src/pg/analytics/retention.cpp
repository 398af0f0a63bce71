// retention(), cohort_agg() with the type cohort_summary, and the window function sessionize().
#include "core/analytics/cohort.hpp"
#include "core/analytics/wire.hpp"

#include "pg/analytics/event_state.hpp"
#include "pg/border/memory.hpp"

#include <algorithm>

extern "C" {
#include "utils/array.h"
#include "windowapi.h"
}

namespace nurture::analytics {

namespace {

using border::entry;
using border::pg_call;

/// One contact's periods of activity, in the aggregate's memory. Numbers only: what came twice is dropped
/// when the buffer is full.
struct ContactState {
    Period period;
    Time first;   ///< exactly, so that another contact's row is noticed
    bool derived; ///< it is the earliest activity
    std::int64_t* periods;
    std::size_t size, capacity;
};

ContactState* make_contact(MemoryContext context, const Period& period, Time first, bool derived) {
    auto* const state = static_cast<ContactState*>(
        MemoryContextAllocExtended(context, sizeof(ContactState), MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO));
    if (state == nullptr)
        throw std::bad_alloc();
    state->period = period;
    state->first = first;
    state->derived = derived;
    return state;
}

void add_period(MemoryContext context, ContactState& state, std::int64_t number) {
    if (state.size > 0 && state.periods[state.size - 1] == number)
        return;
    bool const full = state.size == state.capacity;
    if (full && state.size > 0) {
        std::sort(state.periods, state.periods + state.size);
        state.size =
            static_cast<std::size_t>(std::unique(state.periods, state.periods + state.size) - state.periods);
    }
    if (full && state.size * 2 >= state.capacity) { // else half the buffer is free again
        std::size_t const capacity = state.capacity == 0 ? 8 : state.capacity * 2;
        check_aggregate_memory(capacity * sizeof(std::int64_t));
        auto* const fresh = static_cast<std::int64_t*>(MemoryContextAllocExtended(
            context, capacity * sizeof(std::int64_t), MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE));
        if (fresh == nullptr)
            throw std::bad_alloc();
        if (state.periods != nullptr) {
            std::memcpy(fresh, state.periods, state.size * sizeof(std::int64_t));
            pfree(state.periods);
        }
        state.periods = fresh;
        state.capacity = capacity;
    }
    state.periods[state.size++] = number;
}

std::vector<std::int64_t> sorted_periods(const ContactState& state) {
    std::vector<std::int64_t> periods(state.periods, state.periods + state.size);
    std::sort(periods.begin(), periods.end());
    periods.erase(std::unique(periods.begin(), periods.end()), periods.end());
    return periods;
}

/// Takes what another row or partial state says about the contact's beginning.
void expect_same(ContactState& state, const Period& period, Time first, bool derived) {
    if (state.period != period || state.derived != derived)
        throw Error(ErrorKind::invalid_parameter, "the period differs within a group");
    if (derived)
        state.first = std::min(state.first, first);
    else if (state.first != first)
        throw Error(ErrorKind::invalid_parameter, "the beginning differs within a group",
                    "cohort_agg() takes the rows of one contact.",
                    "GROUP BY the contact and add the contacts' summaries with nurture.rollup().");
}

Period period_argument(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument))
        throw Error(ErrorKind::invalid_parameter, "a cohort's period must not be null");
    const Interval* const interval = PG_GETARG_INTERVAL_P(argument);
    return make_period({interval->month, interval->day, interval->time});
}

/// (state, first_at, at, period) or (state, at, period): one row.
Datum cohort_row(FunctionCallInfo fcinfo, TimeKind kind) {
    MemoryContext const context = aggregate_context(fcinfo);
    auto* state = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<ContactState*>(PG_GETARG_POINTER(0));
    bool const derived = PG_NARGS() == 3;
    int const at = derived ? 1 : 2;
    Period const period = period_argument(fcinfo, at + 1);
    if (PG_ARGISNULL(1)) {
        fcinfo->isnull = state == nullptr;
        return PointerGetDatum(state);
    }
    Time const first = read_time(PG_GETARG_DATUM(1), kind);
    if (state == nullptr) {
        (void)period_number(period, first); // an error now rather than at the end
        state = make_contact(context, period, first, derived);
    } else {
        expect_same(*state, period, first, derived);
    }
    if (!PG_ARGISNULL(at))
        add_period(context, *state, period_number(period, read_time(PG_GETARG_DATUM(at), kind)));
    return PointerGetDatum(state);
}

/// What rollup() of cohorts keeps: the sum, in the aggregate's memory.
struct RollupState {
    explicit RollupState(MemoryContext context) : memory(context), sum(&memory) {}
    border::ContextResource memory;
    CohortSummary sum;
};

// All that a RollupState owns lies in the context, so its destructor need not run.
RollupState* make_rollup(MemoryContext context, const Period& period) {
    void* const place = MemoryContextAllocExtended(context, sizeof(RollupState), MCXT_ALLOC_NO_OOM);
    if (place == nullptr)
        throw std::bad_alloc();
    auto* const state = new (place) RollupState(context);
    state->sum.period = period;
    return state;
}

/// A summary, or its bytes.
template <class Summary>
void add_summary(RollupState& state, const Summary& summary) {
    state.sum.add(summary);
    constexpr std::size_t node = 96; // a tree node of key and counts with its chunk's head
    check_aggregate_memory((state.sum.members.size() + state.sum.cells.size()) * node);
}

Datum cohort_summary_or_null(FunctionCallInfo fcinfo, const CohortSummary* summary) {
    if (summary == nullptr) {
        fcinfo->isnull = true;
        return Datum{0};
    }
    return make_varlena(encode(*summary));
}

} // namespace

// retention(): the state is one bigint, number of conditions × 2^32 + those that held.

NURTURE_FUNCTION(nurture_retention_row) {
    return entry([&]() -> Datum {
        unsigned conditions = 0;
        std::uint32_t const mask = read_conditions(fcinfo, 1, conditions);
        std::int64_t const state =
            PG_ARGISNULL(0) ? static_cast<std::int64_t>(conditions) << 32 : PG_GETARG_INT64(0);
        if (state >> 32 != conditions)
            throw Error(ErrorKind::invalid_parameter, "the number of conditions differs within a group");
        return Int64GetDatum(state | mask);
    });
}

NURTURE_FUNCTION(nurture_retention_combine) {
    return entry([&]() -> Datum {
        std::int64_t const a = PG_GETARG_INT64(0), b = PG_GETARG_INT64(1);
        if (a >> 32 != b >> 32)
            throw Error(ErrorKind::invalid_parameter, "the number of conditions differs within a group");
        return Int64GetDatum(a | b);
    });
}

NURTURE_FUNCTION(nurture_retention_result) {
    return entry([&]() -> Datum {
        std::int64_t const state = PG_GETARG_INT64(0);
        int const conditions = static_cast<int>(state >> 32);
        if (conditions < 1 || conditions > static_cast<int>(max_conditions))
            throw Error(ErrorKind::invalid_parameter, "this function may only be called by its aggregate");
        Datum values[max_conditions];
        for (int i = 0; i < conditions; ++i)
            values[i] = BoolGetDatum((state & 1) != 0 && (state >> i & 1) != 0);
        return PointerGetDatum(construct_array(values, conditions, BOOLOID, 1, true, TYPALIGN_CHAR));
    });
}

NURTURE_FUNCTION(nurture_cohort_row_timestamptz) {
    return entry([&]() -> Datum { return cohort_row(fcinfo, TimeKind::timestamptz); });
}
NURTURE_FUNCTION(nurture_cohort_row_date) {
    return entry([&]() -> Datum { return cohort_row(fcinfo, TimeKind::date); });
}

NURTURE_FUNCTION(nurture_contact_combine) {
    return entry([&]() -> Datum {
        MemoryContext const context = aggregate_context(fcinfo);
        auto* to = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<ContactState*>(PG_GETARG_POINTER(0));
        if (PG_ARGISNULL(1)) {
            fcinfo->isnull = to == nullptr;
            return PointerGetDatum(to);
        }
        auto const& from = *reinterpret_cast<ContactState*>(PG_GETARG_POINTER(1));
        if (to == nullptr)
            to = make_contact(context, from.period, from.first, from.derived);
        else
            expect_same(*to, from.period, from.first, from.derived);
        for (std::int64_t const number : sorted_periods(from))
            add_period(context, *to, number);
        return PointerGetDatum(to);
    });
}

NURTURE_FUNCTION(nurture_contact_serialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        auto const& state = *reinterpret_cast<ContactState*>(PG_GETARG_POINTER(0));
        std::string out;
        ByteWriter writer(out);
        writer.byte(1);
        writer.word(static_cast<std::uint64_t>(state.period.months));
        writer.word(static_cast<std::uint64_t>(state.period.micros));
        writer.word(static_cast<std::uint64_t>(state.first));
        writer.byte(state.derived ? 1 : 0);
        std::vector<std::int64_t> const periods = sorted_periods(state);
        writer.varint(periods.size());
        for (std::int64_t const number : periods)
            writer.word(static_cast<std::uint64_t>(number));
        return make_varlena(out);
    });
}

NURTURE_FUNCTION(nurture_contact_deserialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        ByteReader reader(read_varlena(PG_GETARG_DATUM(0)));
        if (reader.byte() != 1)
            ByteReader::fail("the format is not known");
        auto const months = static_cast<std::int64_t>(reader.word());
        auto const micros = static_cast<Span>(reader.word());
        if (months < 0 || months > 0x7fffffff || micros < 0 || (months == 0) == (micros == 0))
            ByteReader::fail("the period is neither months nor an exact length");
        auto const first = static_cast<Time>(reader.word());
        ContactState* const state =
            make_contact(CurrentMemoryContext, Period{static_cast<std::int32_t>(months), micros}, first,
                         reader.byte() != 0);
        for (std::size_t left = reader.count(8); left > 0; --left)
            add_period(CurrentMemoryContext, *state, static_cast<std::int64_t>(reader.word()));
        reader.end();
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_contact_summary) {
    return entry([&]() -> Datum {
        if (PG_ARGISNULL(0))
            return cohort_summary_or_null(fcinfo, nullptr);
        auto const& state = *reinterpret_cast<ContactState*>(PG_GETARG_POINTER(0));
        return make_varlena(
            encode_contact(state.period, period_of(state.period, state.first), sorted_periods(state)));
    });
}

NURTURE_FUNCTION(nurture_cohort_rollup_row) {
    return entry([&]() -> Datum {
        MemoryContext const context = aggregate_context(fcinfo);
        auto* state = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<RollupState*>(PG_GETARG_POINTER(0));
        if (PG_ARGISNULL(1)) {
            fcinfo->isnull = state == nullptr;
            return PointerGetDatum(state);
        }
        std::string_view const bytes = read_varlena(PG_GETARG_DATUM(1));
        if (state == nullptr)
            state = make_rollup(context, period_of(bytes));
        add_summary(*state, bytes);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_cohort_rollup_combine) {
    return entry([&]() -> Datum {
        MemoryContext const context = aggregate_context(fcinfo);
        auto* to = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<RollupState*>(PG_GETARG_POINTER(0));
        if (PG_ARGISNULL(1)) {
            fcinfo->isnull = to == nullptr;
            return PointerGetDatum(to);
        }
        auto const& from = *reinterpret_cast<RollupState*>(PG_GETARG_POINTER(1));
        if (to == nullptr)
            to = make_rollup(context, from.sum.period);
        add_summary(*to, from.sum);
        return PointerGetDatum(to);
    });
}

NURTURE_FUNCTION(nurture_cohort_rollup_serialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        return make_varlena(encode(reinterpret_cast<RollupState*>(PG_GETARG_POINTER(0))->sum));
    });
}

NURTURE_FUNCTION(nurture_cohort_rollup_deserialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        std::string_view const bytes = read_varlena(PG_GETARG_DATUM(0));
        RollupState* const state = make_rollup(CurrentMemoryContext, period_of(bytes));
        add_summary(*state, bytes);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_cohort_rollup_summary) {
    return entry([&]() -> Datum {
        return cohort_summary_or_null(
            fcinfo, PG_ARGISNULL(0) ? nullptr : &reinterpret_cast<RollupState*>(PG_GETARG_POINTER(0))->sum);
    });
}

NURTURE_FUNCTION(nurture_cohort_summary_in) {
    return entry([&]() -> Datum { return make_varlena(encode(parse_cohorts(PG_GETARG_CSTRING(0)))); });
}

NURTURE_FUNCTION(nurture_cohort_summary_out) {
    return entry([&]() -> Datum {
        std::string const out = print(decode_cohorts(read_varlena(PG_GETARG_DATUM(0))));
        return CStringGetDatum(pg_call([&] { return pstrdup(out.c_str()); }));
    });
}

NURTURE_FUNCTION(nurture_cohort_summary_recv) {
    return entry([&]() -> Datum {
        auto* const buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
        std::string_view const bytes(buffer->data + buffer->cursor,
                                     static_cast<std::size_t>(buffer->len - buffer->cursor));
        CohortSummary const summary = decode_cohorts(bytes);
        buffer->cursor = buffer->len;
        return make_varlena(encode(summary));
    });
}

NURTURE_FUNCTION(nurture_cohort_summary_send) {
    return entry(
        [&]() -> Datum { return make_varlena(encode(decode_cohorts(read_varlena(PG_GETARG_DATUM(0))))); });
}

NURTURE_FUNCTION(nurture_cohort_lines) {
    return entry([&]() -> Datum {
        auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
        CohortSummary const summary = decode_cohorts(read_varlena(PG_GETARG_DATUM(0)));
        std::vector<CohortLine> const lines = cohort_lines(summary);
        pg_call([&] { InitMaterializedSRF(fcinfo, 0); });
        for (const CohortLine& line : lines) {
            border::check_interrupts();
            Datum values[9] = {Int64GetDatum(period_start(summary.period, line.cohort)),
                               Int64GetDatum(line.offset),
                               Int64GetDatum(period_start(summary.period, line.cohort + line.offset)),
                               Int64GetDatum(line.members),
                               Int64GetDatum(line.active),
                               Int64GetDatum(line.retained),
                               Int64GetDatum(line.resurrected),
                               Int64GetDatum(line.churned),
                               0};
            bool nulls[9] = {};
            pg_call([&] { tuplestore_putvalues(result->setResult, result->setDesc, values, nulls); });
        }
        return Datum{0};
    });
}

namespace {

/// sessionize() between the rows of a partition.
struct Session {
    bool begun;
    Time last;
    std::int64_t number;
};

Datum session_number(FunctionCallInfo fcinfo, TimeKind kind) {
    WindowObject const window = PG_WINDOW_OBJECT();
    auto* const session = static_cast<Session*>(WinGetPartitionLocalMemory(window, sizeof(Session)));
    bool no_time = false, no_gap = false;
    Datum const at_value = WinGetFuncArgCurrent(window, 0, &no_time);
    Datum const gap_value = WinGetFuncArgCurrent(window, 1, &no_gap);
    if (no_time) {
        fcinfo->isnull = true;
        return Datum{0};
    }
    if (no_gap)
        throw Error(ErrorKind::invalid_parameter, "the gap between sessions must not be null");
    Span gap = 0;
    if (kind == TimeKind::bigint)
        gap = DatumGetInt64(gap_value);
    else
        gap = exact_span(*DatumGetIntervalP(gap_value), "the gap between sessions");
    if (gap < 0)
        throw Error(ErrorKind::invalid_parameter, "the gap between sessions must not be negative");
    Time const at = read_time(at_value, kind);
    // Descending order is as good as ascending: what counts is the distance between neighbours.
    if (!session->begun ||
        elapsed(std::min(session->last, at), std::max(session->last, at)) > static_cast<std::uint64_t>(gap))
        ++session->number;
    session->begun = true;
    session->last = at;
    return Int64GetDatum(session->number);
}

} // namespace

NURTURE_FUNCTION(nurture_sessionize_timestamptz) {
    return entry([&]() -> Datum { return session_number(fcinfo, TimeKind::timestamptz); });
}
NURTURE_FUNCTION(nurture_sessionize_date) {
    return entry([&]() -> Datum { return session_number(fcinfo, TimeKind::date); });
}
NURTURE_FUNCTION(nurture_sessionize_bigint) {
    return entry([&]() -> Datum { return session_number(fcinfo, TimeKind::bigint); });
}

} // namespace nurture::analytics
