// The glue of nurture.decayed and its aggregates; see src/core/base/decayed_sum.hpp.
#include "core/analytics/decayed.hpp"

#include <optional>

#include "pg/analytics/statistics_glue.hpp"
#include "pg/border/elements.hpp"

using nurture::DecayedSum;
using nurture::Error;
using nurture::ErrorKind;
using nurture::Micro;
using nurture::Span;
using nurture::Time;
using nurture::analytics::DecayedMean;
using nurture::analytics::MovingDecayed;
namespace analytics = nurture::analytics;
using namespace nurture::border;

namespace {

// The typmod is the half-life in seconds: 30 years fit.
void check_typmod(Span half_life, std::int32_t typmod) {
    if (typmod >= 0 && half_life != typmod * nurture::one_second)
        throw Error(ErrorKind::invalid_parameter, "half-life does not match the type",
                    "The value has a half-life of " + analytics::print_half_life(half_life) +
                        ", the type one of " + analytics::print_half_life(typmod * nurture::one_second) +
                        ".");
}

DecayedSum decayed_argument(FunctionCallInfo fcinfo, int index) {
    return DecayedSum::decode(bytes_of(PG_GETARG_DATUM(index)));
}

Datum make_decayed(const DecayedSum& sum) {
    return make_varlena(sum.encode());
}

// What one row of an aggregate brings: (state, [amount,] at, half_life).
struct Row {
    Micro amount = nurture::micro_one;
    Time at = 0;
    Span half_life = 0;
};

enum class Amount { one, numeric, float8 };

// False when an argument is NULL: such a row counts for nothing.
bool read_row(FunctionCallInfo fcinfo, Amount kind, Row& row) {
    int const first = kind == Amount::one ? 1 : 2;
    for (int i = 1; i < first + 2; ++i)
        if (PG_ARGISNULL(i))
            return false;
    if (kind == Amount::numeric)
        row.amount = micro_of_numeric(PG_GETARG_DATUM(1));
    else if (kind == Amount::float8)
        row.amount = micro_of_double(PG_GETARG_FLOAT8(1));
    row.at = finite_time(PG_GETARG_DATUM(first));
    row.half_life = exact_span(PG_GETARG_DATUM(first + 1), "half-life");
    return true;
}

void check_same(Span known, Span given) {
    if (known != given)
        throw Error(ErrorKind::invalid_parameter, "half-life must be the same in all rows of a group",
                    "Found " + analytics::print_half_life(known) + " and " +
                        analytics::print_half_life(given) + ".");
}

Span half_life_of(const DecayedSum& sum) {
    return sum.half_life();
}
Span half_life_of(const DecayedMean& mean) {
    return mean.sum().half_life();
}

template <class State>
Datum transition(FunctionCallInfo fcinfo, Amount kind) {
    Row row;
    MemoryContext const context = aggregate_context(fcinfo);
    if (!read_row(fcinfo, kind, row))
        return null_state(fcinfo, 0);
    auto* state = state_argument<State>(fcinfo, 0);
    if (state == nullptr)
        state = make_state<State>(context, row.half_life);
    check_same(half_life_of(*state), row.half_life);
    state->add(row.at, row.amount);
    return PointerGetDatum(state);
}

// A frame that moves. Its transition function must not return NULL, so there is a state before there is a
// half-life.
struct MovingFrame {
    explicit MovingFrame(std::pmr::memory_resource* context) : memory(context) {}
    std::pmr::memory_resource* memory;
    std::optional<MovingDecayed> rows; // of those without a NULL
};

Datum moving_transition(FunctionCallInfo fcinfo, Amount kind) {
    auto* const state = state_or_new<MovingFrame>(fcinfo);
    Row row;
    if (!read_row(fcinfo, kind, row))
        return PointerGetDatum(state);
    if (!state->rows)
        state->rows.emplace(row.half_life, state->memory);
    check_same(state->rows->mean().sum().half_life(), row.half_life);
    state->rows->add(row.at, row.amount);
    return PointerGetDatum(state);
}

// NULL tells the executor to add the frame up anew.
Datum inverse(FunctionCallInfo fcinfo, Amount kind) {
    Row row;
    if (!read_row(fcinfo, kind, row))
        return null_state(fcinfo, 0);
    auto* const state = state_argument<MovingFrame>(fcinfo, 0);
    if (state == nullptr || !state->rows || !state->rows->try_remove(row.at, row.amount))
        return null_result(fcinfo);
    return PointerGetDatum(state);
}

// The rows of the frame, or nullptr when it has none.
const MovingDecayed* rows_of_frame(FunctionCallInfo fcinfo) {
    auto const* const state = state_argument<MovingFrame>(fcinfo, 0);
    return state == nullptr || !state->rows ? nullptr : &*state->rows;
}

// The greater value; of values equal at all times the one with the lesser bytes, so that order does not
// matter.
bool replaces(const DecayedSum& candidate, const DecayedSum& best) {
    auto const order = candidate.compare(best);
    return order > 0 || (order == 0 && candidate.encode() < best.encode());
}

DecayedSum* keep_greatest(FunctionCallInfo fcinfo, const DecayedSum& candidate) {
    MemoryContext const context = aggregate_context(fcinfo);
    auto* const state = state_argument<DecayedSum>(fcinfo, 0);
    if (state == nullptr) {
        auto* const made = make_state<DecayedSum>(context, candidate.half_life());
        *made = candidate; // the buckets stay in the state's memory
        return made;
    }
    if (replaces(candidate, *state))
        *state = candidate;
    return state;
}

Datum transition_max(FunctionCallInfo fcinfo, Amount kind) {
    Row row;
    if (!read_row(fcinfo, kind, row))
        return null_state(fcinfo, 0);
    if (auto const* const state = state_argument<DecayedSum>(fcinfo, 0))
        check_same(state->half_life(), row.half_life);
    DecayedSum candidate(row.half_life);
    candidate.add(row.at, row.amount);
    return PointerGetDatum(keep_greatest(fcinfo, candidate));
}

template <class F>
Datum compare_with(FunctionCallInfo fcinfo, F accept) {
    return BoolGetDatum(accept(decayed_argument(fcinfo, 0).compare(decayed_argument(fcinfo, 1))));
}

} // namespace

NURTURE_FUNCTION(nurture_decayed_in) {
    return entry([&]() -> Datum {
        DecayedSum const sum = analytics::parse_decayed(PG_GETARG_CSTRING(0));
        check_typmod(sum.half_life(), PG_GETARG_INT32(2));
        return make_decayed(sum);
    });
}

NURTURE_FUNCTION(nurture_decayed_out) {
    return entry([&]() -> Datum {
        std::string const printed = analytics::print_decayed(decayed_argument(fcinfo, 0));
        const char* const c_text = printed.c_str();
        return pg_call([&] { return CStringGetDatum(pstrdup(c_text)); });
    });
}

NURTURE_FUNCTION(nurture_decayed_recv) {
    return entry([&]() -> Datum {
        std::string_view const bytes = bytes_of_message(PG_GETARG_DATUM(0));
        check_typmod(DecayedSum::decode(bytes).half_life(), PG_GETARG_INT32(2));
        return make_varlena(bytes);
    });
}

NURTURE_FUNCTION(nurture_decayed_typmod_in) {
    return entry([&]() -> Datum {
        Elements const modifiers(fcinfo, 0, CSTRINGOID);
        if (modifiers.size() != 1)
            throw Error(ErrorKind::invalid_parameter,
                        "type nurture.decayed takes one modifier, the half-life", {},
                        "Write nurture.decayed('14 days').");
        Datum const interval = pg_call([&] {
            return DirectFunctionCall3(interval_in, modifiers.datum(0), ObjectIdGetDatum(InvalidOid),
                                       Int32GetDatum(-1));
        });
        Span const half_life = exact_span(interval, "half-life");
        (void)DecayedSum(half_life); // the range
        if (half_life % nurture::one_second != 0)
            throw Error(ErrorKind::invalid_parameter, "half-life of a type must be whole seconds");
        return Int32GetDatum(static_cast<std::int32_t>(half_life / nurture::one_second));
    });
}

NURTURE_FUNCTION(nurture_decayed_typmod_out) {
    return entry([&]() -> Datum {
        std::string const printed =
            "('" + analytics::print_half_life(PG_GETARG_INT32(0) * nurture::one_second) + "')";
        const char* const c_text = printed.c_str();
        return pg_call([&] { return CStringGetDatum(pstrdup(c_text)); });
    });
}

NURTURE_FUNCTION(nurture_decayed_with_typmod) {
    return entry([&]() -> Datum {
        check_typmod(decayed_argument(fcinfo, 0).half_life(), PG_GETARG_INT32(1));
        return PG_GETARG_DATUM(0);
    });
}

NURTURE_FUNCTION(nurture_decayed_make) {
    return entry([&]() -> Datum {
        DecayedSum sum(exact_span(PG_GETARG_DATUM(2), "half-life"));
        sum.add(finite_time(PG_GETARG_DATUM(1)), micro_of_numeric(PG_GETARG_DATUM(0)));
        return make_decayed(sum);
    });
}

NURTURE_FUNCTION(nurture_decayed_value) {
    return entry([&]() -> Datum {
        TimestampTz const at = PG_GETARG_TIMESTAMPTZ(1);
        return make_numeric(
            decayed_argument(fcinfo, 0).value_at(TIMESTAMP_IS_NOEND(at) ? at : finite_time(at)));
    });
}

NURTURE_FUNCTION(nurture_decayed_half_life) {
    return entry([&]() -> Datum {
        Span const half_life = decayed_argument(fcinfo, 0).half_life();
        auto* const interval = static_cast<Interval*>(pg_call([&] { return palloc0(sizeof(Interval)); }));
        interval->day = static_cast<std::int32_t>(half_life / nurture::one_day);
        interval->time = half_life % nurture::one_day;
        return PointerGetDatum(interval);
    });
}

NURTURE_FUNCTION(nurture_decayed_plus) {
    return entry([&]() -> Datum {
        DecayedSum sum = decayed_argument(fcinfo, 0);
        sum.merge(decayed_argument(fcinfo, 1));
        return make_decayed(sum);
    });
}

NURTURE_FUNCTION(nurture_decayed_compare) {
    return entry([&]() -> Datum {
        auto const order = decayed_argument(fcinfo, 0).compare(decayed_argument(fcinfo, 1));
        return Int32GetDatum(order < 0 ? -1 : order > 0 ? 1 : 0);
    });
}

NURTURE_FUNCTION(nurture_decayed_lt) {
    return entry([&]() -> Datum { return compare_with(fcinfo, [](auto order) { return order < 0; }); });
}
NURTURE_FUNCTION(nurture_decayed_le) {
    return entry([&]() -> Datum { return compare_with(fcinfo, [](auto order) { return order <= 0; }); });
}
NURTURE_FUNCTION(nurture_decayed_eq) {
    return entry([&]() -> Datum { return compare_with(fcinfo, [](auto order) { return order == 0; }); });
}
NURTURE_FUNCTION(nurture_decayed_ne) {
    return entry([&]() -> Datum { return compare_with(fcinfo, [](auto order) { return order != 0; }); });
}
NURTURE_FUNCTION(nurture_decayed_ge) {
    return entry([&]() -> Datum { return compare_with(fcinfo, [](auto order) { return order >= 0; }); });
}
NURTURE_FUNCTION(nurture_decayed_gt) {
    return entry([&]() -> Datum { return compare_with(fcinfo, [](auto order) { return order > 0; }); });
}

NURTURE_FUNCTION(nurture_decayed_sum_numeric) {
    return entry([&]() -> Datum { return transition<DecayedSum>(fcinfo, Amount::numeric); });
}
NURTURE_FUNCTION(nurture_decayed_sum_float8) {
    return entry([&]() -> Datum { return transition<DecayedSum>(fcinfo, Amount::float8); });
}
NURTURE_FUNCTION(nurture_decayed_count) {
    return entry([&]() -> Datum { return transition<DecayedSum>(fcinfo, Amount::one); });
}
NURTURE_FUNCTION(nurture_decayed_mean_numeric) {
    return entry([&]() -> Datum { return transition<DecayedMean>(fcinfo, Amount::numeric); });
}
NURTURE_FUNCTION(nurture_decayed_mean_float8) {
    return entry([&]() -> Datum { return transition<DecayedMean>(fcinfo, Amount::float8); });
}
NURTURE_FUNCTION(nurture_decayed_max_numeric) {
    return entry([&]() -> Datum { return transition_max(fcinfo, Amount::numeric); });
}
NURTURE_FUNCTION(nurture_decayed_max_float8) {
    return entry([&]() -> Datum { return transition_max(fcinfo, Amount::float8); });
}
NURTURE_FUNCTION(nurture_decayed_moving_numeric) {
    return entry([&]() -> Datum { return moving_transition(fcinfo, Amount::numeric); });
}
NURTURE_FUNCTION(nurture_decayed_moving_float8) {
    return entry([&]() -> Datum { return moving_transition(fcinfo, Amount::float8); });
}
NURTURE_FUNCTION(nurture_decayed_moving_count) {
    return entry([&]() -> Datum { return moving_transition(fcinfo, Amount::one); });
}
NURTURE_FUNCTION(nurture_decayed_inverse_numeric) {
    return entry([&]() -> Datum { return inverse(fcinfo, Amount::numeric); });
}
NURTURE_FUNCTION(nurture_decayed_inverse_float8) {
    return entry([&]() -> Datum { return inverse(fcinfo, Amount::float8); });
}
NURTURE_FUNCTION(nurture_decayed_inverse_count) {
    return entry([&]() -> Datum { return inverse(fcinfo, Amount::one); });
}

NURTURE_FUNCTION(nurture_decayed_moving_sum_final) {
    return entry([&]() -> Datum {
        auto const* const rows = rows_of_frame(fcinfo);
        return rows == nullptr ? null_result(fcinfo) : make_decayed(rows->mean().sum());
    });
}

NURTURE_FUNCTION(nurture_decayed_moving_mean_final) {
    return entry([&]() -> Datum {
        auto const* const rows = rows_of_frame(fcinfo);
        return rows == nullptr ? null_result(fcinfo) : make_numeric(rows->mean().mean());
    });
}

// max(decayed): the order is total, so different half-lives are no error.
NURTURE_FUNCTION(nurture_decayed_larger) {
    return entry([&]() -> Datum {
        bool const second = replaces(decayed_argument(fcinfo, 1), decayed_argument(fcinfo, 0));
        return PG_GETARG_DATUM(second ? 1 : 0);
    });
}

NURTURE_FUNCTION(nurture_decayed_combine) {
    return entry([&]() -> Datum {
        auto const* const other = state_argument<DecayedSum>(fcinfo, 1);
        if (other == nullptr)
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<DecayedSum>(fcinfo, other->half_life());
        check_same(state->half_life(), other->half_life());
        state->merge(*other);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_decayed_max_combine) {
    return entry([&]() -> Datum {
        auto const* const other = state_argument<DecayedSum>(fcinfo, 1);
        if (other == nullptr)
            return null_state(fcinfo, 0);
        if (auto const* const state = state_argument<DecayedSum>(fcinfo, 0))
            check_same(state->half_life(), other->half_life());
        return PointerGetDatum(keep_greatest(fcinfo, *other));
    });
}

NURTURE_FUNCTION(nurture_decayed_serialize) {
    return entry([&]() -> Datum { return make_decayed(*state_argument<DecayedSum>(fcinfo, 0)); });
}

NURTURE_FUNCTION(nurture_decayed_deserialize) {
    return entry([&]() -> Datum {
        DecayedSum const value = decayed_argument(fcinfo, 0);
        auto* const state = make_state<DecayedSum>(aggregate_context(fcinfo), value.half_life());
        state->merge(value);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_decayed_final) {
    return entry([&]() -> Datum {
        auto const* const state = state_argument<DecayedSum>(fcinfo, 0);
        return state == nullptr ? null_result(fcinfo) : make_decayed(*state);
    });
}

NURTURE_FUNCTION(nurture_decayed_mean_combine) {
    return entry([&]() -> Datum {
        auto const* const other = state_argument<DecayedMean>(fcinfo, 1);
        if (other == nullptr)
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<DecayedMean>(fcinfo, half_life_of(*other));
        check_same(half_life_of(*state), half_life_of(*other));
        state->merge(*other);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_decayed_mean_serialize) {
    return entry([&]() -> Datum {
        std::string bytes;
        state_argument<DecayedMean>(fcinfo, 0)->encode(bytes);
        return make_varlena(bytes);
    });
}

NURTURE_FUNCTION(nurture_decayed_mean_deserialize) {
    return entry([&]() -> Datum {
        std::string_view const bytes = bytes_of(PG_GETARG_DATUM(0));
        auto* const state =
            make_state<DecayedMean>(aggregate_context(fcinfo), DecayedMean::half_life_in(bytes));
        state->merge_bytes(bytes);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_decayed_mean_final) {
    return entry([&]() -> Datum {
        auto const* const state = state_argument<DecayedMean>(fcinfo, 0);
        return state == nullptr ? null_result(fcinfo) : make_numeric(state->mean());
    });
}
