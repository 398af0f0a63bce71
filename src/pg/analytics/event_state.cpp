#include "pg/analytics/event_state.hpp"

#include "pg/analytics/settings.hpp"

#include <algorithm>

extern "C" {
#include "utils/array.h"
#include "utils/date.h"
}

namespace nurture::analytics {

namespace {

using border::pg_call;

// Chunks are powers of two because the allocator rounds to them; the first one lies behind the state and
// fills its chunk up to 128 bytes: eight or nine events of few conditions without a second access to memory.
constexpr std::size_t first_chunk = 128 - sizeof(EventState);
constexpr std::size_t second_chunk = 128;

char* first_chunk_of(EventState& state) noexcept {
    return reinterpret_cast<char*>(&state + 1);
}

std::uint32_t mask_at(const EventState& state, std::uint32_t i) noexcept {
    const char* const masks = state.chunk + static_cast<std::size_t>(state.capacity) * sizeof(Time);
    if (state.width == 1)
        return static_cast<std::uint8_t>(masks[i]);
    if (state.width == 2)
        return reinterpret_cast<const std::uint16_t*>(masks)[i];
    return reinterpret_cast<const std::uint32_t*>(masks)[i];
}

void grow(MemoryContext context, EventState& state) {
    std::size_t const per_event = sizeof(Time) + state.width;
    std::size_t bytes = second_chunk;
    while (bytes / per_event <= state.capacity)
        bytes *= 2;
    std::size_t const capacity = bytes / per_event;
    check_aggregate_memory(bytes);
    if (capacity > std::numeric_limits<std::uint32_t>::max())
        throw Error(ErrorKind::limit_exceeded, "a group has more than 2^32 events");
    auto* const chunk =
        static_cast<char*>(MemoryContextAllocExtended(context, bytes, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE));
    if (chunk == nullptr)
        throw std::bad_alloc();
    std::memcpy(chunk, state.chunk, state.size * sizeof(Time));
    std::memcpy(chunk + capacity * sizeof(Time), state.chunk + state.capacity * sizeof(Time),
                static_cast<std::size_t>(state.size) * state.width);
    if (state.chunk != first_chunk_of(state))
        pfree(state.chunk);
    state.chunk = chunk;
    state.capacity = static_cast<std::uint32_t>(capacity);
}

} // namespace

MemoryContext aggregate_context(FunctionCallInfo fcinfo) {
    MemoryContext context = nullptr;
    if (AggCheckCallContext(fcinfo, &context) == 0)
        throw Error(ErrorKind::invalid_parameter, "this function may only be called by its aggregate");
    return context;
}

void check_aggregate_memory(std::size_t bytes) {
    if (bytes > static_cast<std::size_t>(aggregate_memory) * 1024)
        throw Error(
            ErrorKind::limit_exceeded, "a group needs more memory than nurture.aggregate_memory allows",
            "The limit is " + std::to_string(aggregate_memory) + " kB for a group of one aggregate.",
            "Raise nurture.aggregate_memory, filter rows that satisfy no condition, or use smaller groups.");
}

EventState* make_state(MemoryContext context, TimeKind kind, unsigned conditions, Span span,
                       const text* pattern) {
    auto* const state = static_cast<EventState*>(MemoryContextAllocExtended(
        context, sizeof(EventState) + first_chunk, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO));
    if (state == nullptr)
        throw std::bad_alloc();
    state->kind = kind;
    state->conditions = static_cast<std::uint8_t>(conditions);
    state->width = conditions <= 8 ? 1 : conditions <= 16 ? 2 : 4;
    state->span = span;
    state->sorted = true;
    state->chunk = first_chunk_of(*state);
    state->capacity = static_cast<std::uint32_t>(first_chunk / (sizeof(Time) + state->width));
    state->pattern = pattern;
    return state;
}

bool same_pattern(const text* a, const text* b) noexcept {
    if (a == b || a == nullptr || b == nullptr)
        return a == b;
    return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
           std::memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

const text* keep_pattern(FunctionCallInfo fcinfo, MemoryContext context, const text* pattern, text*& kept) {
    if (kept != nullptr && same_pattern(kept, pattern))
        return kept;
    std::size_t const size = VARSIZE_ANY(pattern);
    check_aggregate_memory(size);
    auto* const copy = static_cast<text*>(MemoryContextAllocExtended(
        kept == nullptr ? fcinfo->flinfo->fn_mcxt : context, size, MCXT_ALLOC_NO_OOM));
    if (copy == nullptr)
        throw std::bad_alloc();
    std::memcpy(copy, pattern, size);
    if (kept == nullptr)
        kept = copy;
    return copy;
}

void append(MemoryContext context, EventState& state, Time at, std::uint32_t mask) {
    if (state.size == state.capacity)
        grow(context, state);
    auto* const times = reinterpret_cast<Time*>(state.chunk);
    if (state.sorted && state.size > 0) {
        Event const last{times[state.size - 1], mask_at(state, state.size - 1)};
        state.sorted = last <= Event{at, mask};
    }
    times[state.size] = at;
    char* const masks = state.chunk + static_cast<std::size_t>(state.capacity) * sizeof(Time);
    if (state.width == 1)
        masks[state.size] = static_cast<char>(mask);
    else if (state.width == 2)
        reinterpret_cast<std::uint16_t*>(masks)[state.size] = static_cast<std::uint16_t>(mask);
    else
        reinterpret_cast<std::uint32_t*>(masks)[state.size] = mask;
    ++state.size;
}

SortedEvents::SortedEvents(const EventState& state) {
    Event* out = few_;
    if (state.size > std::size(few_)) {
        many_.resize(state.size);
        out = many_.data();
    }
    const auto* const times = reinterpret_cast<const Time*>(state.chunk);
    for (std::uint32_t i = 0; i < state.size; ++i)
        out[i] = {times[i], mask_at(state, i)};
    if (!state.sorted)
        std::sort(out, out + state.size);
    events_ = {out, state.size};
}

std::uint32_t read_conditions(FunctionCallInfo fcinfo, int argument, unsigned& count) {
    if (PG_ARGISNULL(argument))
        throw Error(ErrorKind::invalid_parameter, "the array of conditions must not be null");
    // Nothing here owns anything, so a detoasting error may pass.
    ArrayType* const array = DatumGetArrayTypeP(PG_GETARG_DATUM(argument));
    int const items = ARR_NDIM(array) == 0 ? 0 : ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    if (ARR_ELEMTYPE(array) != BOOLOID)
        throw Error(ErrorKind::invalid_parameter, "conditions must be boolean");
    if (items < 1 || items > static_cast<int>(max_conditions))
        throw Error(ErrorKind::invalid_parameter,
                    "between 1 and 32 conditions are possible, but there are " + std::to_string(items));
    count = static_cast<unsigned>(items);
    const char* data = ARR_DATA_PTR(array);
    const bits8* const nulls = ARR_NULLBITMAP(array);
    std::uint32_t mask = 0;
    for (int i = 0; i < items; ++i) {
        if (nulls != nullptr && (nulls[i / 8] & (1 << (i % 8))) == 0)
            continue; // NULL: false, and it takes no space
        if (*data++ != 0)
            mask |= bit(static_cast<unsigned>(i));
    }
    return mask;
}

Time read_time(Datum value, TimeKind kind) {
    if (kind != TimeKind::date)
        return DatumGetInt64(value);
    DateADT const date = DatumGetDateADT(value);
    if (DATE_IS_NOBEGIN(date))
        return always;
    if (DATE_IS_NOEND(date))
        return never;
    Time at = 0;
    if (__builtin_mul_overflow(static_cast<Time>(date), one_day, &at))
        throw Error(ErrorKind::out_of_range, "date out of range for microseconds", "",
                    "Use times of type bigint for dates after the year 294276.");
    return at;
}

Datum write_time(Time at, TimeKind kind) {
    if (kind != TimeKind::date)
        return Int64GetDatum(at);
    if (at == always || at == never)
        return DateADTGetDatum(at == always ? DATEVAL_NOBEGIN : DATEVAL_NOEND);
    return DateADTGetDatum(static_cast<DateADT>(at / one_day));
}

Oid type_of(TimeKind kind) noexcept {
    switch (kind) {
    case TimeKind::timestamptz:
        return TIMESTAMPTZOID;
    case TimeKind::timestamp:
        return TIMESTAMPOID;
    case TimeKind::date:
        return DATEOID;
    case TimeKind::bigint:
        return INT8OID;
    }
    return InvalidOid;
}

Span exact_span(const Interval& interval, const char* what) {
    if (interval.month != 0)
        throw Error(ErrorKind::invalid_parameter, std::string(what) + " must have an exact length",
                    "Months and years have no fixed number of days.",
                    "Use days, for example interval '30 days'.");
    Span span = 0;
    if (__builtin_mul_overflow(static_cast<Span>(interval.day), one_day, &span) ||
        __builtin_add_overflow(span, interval.time, &span))
        throw Error(ErrorKind::out_of_range, std::string(what) + " is out of range");
    if (span < 0)
        throw Error(ErrorKind::invalid_parameter, std::string(what) + " must not be negative");
    return span;
}

Datum make_varlena(const std::string& bytes) {
    if (bytes.size() > MaxAllocSize - VARHDRSZ)
        throw Error(ErrorKind::limit_exceeded, "the value would be larger than 1 GB");
    auto* const out = static_cast<bytea*>(pg_call([&] { return palloc(bytes.size() + VARHDRSZ); }));
    SET_VARSIZE(out, bytes.size() + VARHDRSZ);
    std::memcpy(VARDATA(out), bytes.data(), bytes.size());
    return PointerGetDatum(out);
}

std::string_view read_varlena(Datum value) {
    auto* const bytes =
        pg_call([&] { return pg_detoast_datum_packed(reinterpret_cast<varlena*>(DatumGetPointer(value))); });
    return {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)};
}

Datum make_time_array(std::span<const std::optional<Time>> times, TimeKind kind) {
    std::vector<Datum> values;
    std::vector<char> nulls; // vector<bool> has no array
    for (const auto& time : times) {
        values.push_back(time ? write_time(*time, kind) : Datum{0});
        nulls.push_back(time ? 0 : 1);
    }
    bool const date = kind == TimeKind::date;
    return PointerGetDatum(pg_call([&] {
        if (times.empty())
            return construct_empty_array(type_of(kind));
        int dims[1] = {static_cast<int>(values.size())};
        int bounds[1] = {1};
        return construct_md_array(values.data(), reinterpret_cast<bool*>(nulls.data()), 1, dims, bounds,
                                  type_of(kind), date ? 4 : 8, true, date ? TYPALIGN_INT : TYPALIGN_DOUBLE);
    }));
}

} // namespace nurture::analytics
