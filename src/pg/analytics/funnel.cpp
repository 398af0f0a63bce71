// funnel(), funnel_agg() and the type funnel_summary. The state's support functions (combine, serialize,
// deserialize) serve the sequence aggregates too.
#include "core/analytics/funnel.hpp"

#include "pg/analytics/event_state.hpp"
#include "pg/border/elements.hpp"

#include <bit>

namespace nurture::analytics {

namespace {

using border::entry;
using border::pg_call;

EventState* state_argument(FunctionCallInfo fcinfo, int argument) {
    return PG_ARGISNULL(argument) ? nullptr : reinterpret_cast<EventState*>(PG_GETARG_POINTER(argument));
}

void expect_same(const EventState& state, TimeKind kind, unsigned conditions, Span span) {
    if (state.conditions != conditions || state.kind != kind)
        throw Error(ErrorKind::invalid_parameter,
                    "the number of steps or the type of the times differs within a group");
    if (state.span != span)
        throw Error(ErrorKind::invalid_parameter, "the span differs within a group");
}

/// (state, at, span, VARIADIC steps): one row.
Datum funnel_row(FunctionCallInfo fcinfo, TimeKind kind) {
    MemoryContext const context = aggregate_context(fcinfo);
    if (PG_ARGISNULL(2))
        throw Error(ErrorKind::invalid_parameter, "a funnel's span must not be null");
    Span span = 0;
    if (kind == TimeKind::bigint) {
        span = PG_GETARG_INT64(2);
        if (span < 0)
            throw Error(ErrorKind::invalid_parameter, "a funnel's span must not be negative");
    } else {
        span = exact_span(*PG_GETARG_INTERVAL_P(2), "a funnel's span");
    }
    unsigned conditions = 0;
    std::uint32_t const mask = read_conditions(fcinfo, 3, conditions);
    EventState* state = state_argument(fcinfo, 0);
    if (state == nullptr)
        state = make_state(context, kind, conditions, span, nullptr);
    else
        expect_same(*state, kind, conditions, span);
    if (mask != 0 && !PG_ARGISNULL(1))
        append(context, *state, read_time(PG_GETARG_DATUM(1), kind), mask);
    return PointerGetDatum(state);
}

EventSet to_set(const EventState& state) {
    EventSet set;
    set.kind = state.kind;
    set.conditions = state.conditions;
    set.span = state.span;
    if (state.pattern != nullptr)
        set.pattern.assign(VARDATA_ANY(state.pattern), VARSIZE_ANY_EXHDR(state.pattern));
    SortedEvents const sorted(state);
    set.events.assign(sorted.events().begin(), sorted.events().end());
    return set;
}

EventState* from_set(MemoryContext context, const EventSet& set) {
    text* pattern = nullptr;
    if (!set.pattern.empty())
        pattern = pg_call([&] {
            return cstring_to_text_with_len(set.pattern.data(), static_cast<int>(set.pattern.size()));
        });
    EventState* const state = make_state(context, set.kind, set.conditions, set.span, pattern);
    for (const Event& event : set.events)
        append(context, *state, event.at, event.mask);
    return state;
}

void append_all(MemoryContext context, EventState& to, const EventState& from) {
    SortedEvents const events(from);
    for (const Event& event : events.events())
        append(context, to, event.at, event.mask);
}

EventSet summary_argument(FunctionCallInfo fcinfo) {
    EventSet set = decode(read_varlena(PG_GETARG_DATUM(0)));
    if (!set.pattern.empty())
        throw Error(ErrorKind::corrupt_data, "invalid summary or aggregate state",
                    "Reason: a funnel has no pattern.");
    return set;
}

/// The accessors' arguments mode and exclude.
FunnelMode mode_arguments(FunctionCallInfo fcinfo, int argument, unsigned conditions) {
    std::string_view const name = read_varlena(PG_GETARG_DATUM(argument));
    FunnelMode mode = parse_funnel_mode(name);
    border::Elements const excluded(fcinfo, argument + 1, INT4OID);
    for (std::size_t i = 0; i < excluded.size(); ++i) {
        std::int32_t const step = excluded.integer(i);
        if (step < 1 || step > static_cast<std::int32_t>(max_conditions))
            not_excludable(conditions);
        mode.excluded |= bit(static_cast<unsigned>(step - 1));
    }
    check_excluded(mode, conditions);
    return mode;
}

Datum converted_within(FunctionCallInfo fcinfo, const EventSet& set, Span within) {
    FunnelMode const mode = mode_arguments(fcinfo, 2, set.conditions);
    unsigned const depth = funnel_depth(set.events, set.conditions, std::min(within, set.span), mode);
    return BoolGetDatum(depth == funnel_steps(set.conditions, mode));
}

Datum summary_times(FunctionCallInfo fcinfo, TimeKind wanted) {
    EventSet const set = summary_argument(fcinfo);
    bool const local = wanted == TimeKind::timestamp && set.kind == TimeKind::date;
    if (set.kind != wanted && !local)
        throw Error(
            ErrorKind::invalid_parameter, "the summary's times are of type " + std::string(name_of(set.kind)),
            "", "times() is for timestamptz, local_times() for timestamp and date, positions() for bigint.");
    FunnelChain const chain =
        funnel_chain(set.events, set.conditions, set.span, mode_arguments(fcinfo, 1, set.conditions));
    return make_time_array(chain.times, wanted);
}

} // namespace

NURTURE_FUNCTION(nurture_funnel_row_timestamptz) {
    return entry([&]() -> Datum { return funnel_row(fcinfo, TimeKind::timestamptz); });
}
NURTURE_FUNCTION(nurture_funnel_row_timestamp) {
    return entry([&]() -> Datum { return funnel_row(fcinfo, TimeKind::timestamp); });
}
NURTURE_FUNCTION(nurture_funnel_row_date) {
    return entry([&]() -> Datum { return funnel_row(fcinfo, TimeKind::date); });
}
NURTURE_FUNCTION(nurture_funnel_row_bigint) {
    return entry([&]() -> Datum { return funnel_row(fcinfo, TimeKind::bigint); });
}

NURTURE_FUNCTION(nurture_events_combine) {
    return entry([&]() -> Datum {
        MemoryContext const context = aggregate_context(fcinfo);
        EventState* to = state_argument(fcinfo, 0);
        const EventState* const from = state_argument(fcinfo, 1);
        if (from == nullptr) {
            fcinfo->isnull = to == nullptr;
            return PointerGetDatum(to);
        }
        if (to == nullptr) {
            const text* pattern = from->pattern;
            if (pattern != nullptr)
                pattern = keep_pattern(fcinfo, context, pattern,
                                       reinterpret_cast<text*&>(fcinfo->flinfo->fn_extra));
            to = make_state(context, from->kind, from->conditions, from->span, pattern);
        } else {
            expect_same(*to, from->kind, from->conditions, from->span);
            if (!same_pattern(to->pattern, from->pattern))
                throw Error(ErrorKind::invalid_parameter, "the pattern differs within a group");
        }
        append_all(context, *to, *from);
        return PointerGetDatum(to);
    });
}

NURTURE_FUNCTION(nurture_events_serialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        return make_varlena(encode(to_set(*state_argument(fcinfo, 0))));
    });
}

NURTURE_FUNCTION(nurture_events_deserialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        return PointerGetDatum(from_set(CurrentMemoryContext, decode(read_varlena(PG_GETARG_DATUM(0)))));
    });
}

NURTURE_FUNCTION(nurture_funnel_depth) {
    return entry([&]() -> Datum {
        const EventState* const state = state_argument(fcinfo, 0);
        if (state == nullptr)
            return Int32GetDatum(0);
        SortedEvents const sorted(*state);
        return UInt32GetDatum(funnel_depth(sorted.events(), state->conditions, state->span, {}));
    });
}

NURTURE_FUNCTION(nurture_funnel_summary) {
    return entry([&]() -> Datum {
        const EventState* const state = state_argument(fcinfo, 0);
        if (state == nullptr) {
            fcinfo->isnull = true;
            return Datum{0};
        }
        return make_varlena(encode(to_set(*state)));
    });
}

NURTURE_FUNCTION(nurture_funnel_rollup_row) {
    return entry([&]() -> Datum {
        MemoryContext const context = aggregate_context(fcinfo);
        EventState* state = state_argument(fcinfo, 0);
        if (PG_ARGISNULL(1)) {
            fcinfo->isnull = state == nullptr;
            return PointerGetDatum(state);
        }
        EventSet const set = decode(read_varlena(PG_GETARG_DATUM(1)));
        if (state == nullptr)
            return PointerGetDatum(from_set(context, set));
        expect_same(*state, set.kind, set.conditions, set.span);
        for (const Event& event : set.events)
            append(context, *state, event.at, event.mask);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_funnel_summary_in) {
    return entry([&]() -> Datum { return make_varlena(encode(parse_event_set(PG_GETARG_CSTRING(0)))); });
}

NURTURE_FUNCTION(nurture_funnel_summary_out) {
    return entry([&]() -> Datum {
        std::string const out = print(summary_argument(fcinfo));
        return CStringGetDatum(pg_call([&] { return pstrdup(out.c_str()); }));
    });
}

NURTURE_FUNCTION(nurture_funnel_summary_recv) {
    return entry([&]() -> Datum {
        auto* const buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
        std::string_view const bytes(buffer->data + buffer->cursor,
                                     static_cast<std::size_t>(buffer->len - buffer->cursor));
        EventSet const set = decode(bytes);
        if (!set.pattern.empty())
            throw Error(ErrorKind::corrupt_data, "invalid summary or aggregate state",
                        "Reason: a funnel has no pattern.");
        buffer->cursor = buffer->len;
        return make_varlena(encode(set));
    });
}

NURTURE_FUNCTION(nurture_funnel_summary_send) {
    return entry([&]() -> Datum { return make_varlena(encode(summary_argument(fcinfo))); });
}

NURTURE_FUNCTION(nurture_summary_steps) {
    return entry([&]() -> Datum { return UInt32GetDatum(summary_argument(fcinfo).conditions); });
}

NURTURE_FUNCTION(nurture_summary_depth) {
    return entry([&]() -> Datum {
        EventSet const set = summary_argument(fcinfo);
        return UInt32GetDatum(
            funnel_depth(set.events, set.conditions, set.span, mode_arguments(fcinfo, 1, set.conditions)));
    });
}

NURTURE_FUNCTION(nurture_summary_converted_within) {
    return entry([&]() -> Datum {
        EventSet const set = summary_argument(fcinfo);
        if (set.kind == TimeKind::bigint)
            throw Error(ErrorKind::invalid_parameter, "the summary's times are of type bigint", "",
                        "Use nurture.converted_within_units().");
        return converted_within(fcinfo, set, exact_span(*PG_GETARG_INTERVAL_P(1), "the time to convert"));
    });
}

NURTURE_FUNCTION(nurture_summary_converted_within_units) {
    return entry([&]() -> Datum {
        EventSet const set = summary_argument(fcinfo);
        if (set.kind != TimeKind::bigint)
            throw Error(ErrorKind::invalid_parameter,
                        "the summary's times are of type " + std::string(name_of(set.kind)), "",
                        "Use nurture.converted_within() with an interval.");
        Span const within = PG_GETARG_INT64(1);
        if (within < 0)
            throw Error(ErrorKind::invalid_parameter, "the time to convert must not be negative");
        return converted_within(fcinfo, set, within);
    });
}

NURTURE_FUNCTION(nurture_summary_times) {
    return entry([&]() -> Datum { return summary_times(fcinfo, TimeKind::timestamptz); });
}
NURTURE_FUNCTION(nurture_summary_local_times) {
    return entry([&]() -> Datum { return summary_times(fcinfo, TimeKind::timestamp); });
}
NURTURE_FUNCTION(nurture_summary_positions) {
    return entry([&]() -> Datum { return summary_times(fcinfo, TimeKind::bigint); });
}

} // namespace nurture::analytics
