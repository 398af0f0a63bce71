// The glue of nurture.rfm and nurture.rfm_quintiles; see src/core/analytics/rfm.hpp.
#include "core/analytics/rfm.hpp"

#include "pg/analytics/statistics_glue.hpp"

extern "C" {
#include "access/htup_details.h"
#include "executor/executor.h"
#include "utils/array.h"
}

using nurture::Error;
using nurture::ErrorKind;
using nurture::Span;
using nurture::Time;
using nurture::Wide;
using nurture::analytics::Rfm;
using nurture::analytics::RfmPopulation;
using namespace nurture::border;

namespace {

// Rfm owns nothing: a plain object in the aggregate's context.
Rfm* rfm_or_new(FunctionCallInfo fcinfo) {
    ContextResource memory(aggregate_context(fcinfo));
    if (auto* const state = state_argument<Rfm>(fcinfo, 0))
        return state;
    return new (memory.allocate(sizeof(Rfm), alignof(Rfm))) Rfm();
}

// A row of the composite type that the calling function returns.
Datum make_row(FunctionCallInfo fcinfo, Datum* values, bool* nulls) {
    return pg_call([&] {
        TupleDesc descriptor = nullptr;
        if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
            ereport(ERROR,
                    (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("a composite type must be returned")));
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
    });
}

// An interval as `timestamptz - timestamptz` gives it: days of 24 hours and the rest.
Datum make_interval(Span span) {
    auto* const interval = static_cast<Interval*>(pg_call([&] { return palloc0(sizeof(Interval)); }));
    interval->day = static_cast<std::int32_t>(span / nurture::one_day);
    interval->time = span % nurture::one_day;
    return PointerGetDatum(interval);
}

// Fifths of 1 / per_one as exact decimals: x / 5 is 2 x / 10.
Datum make_cuts(const std::array<Wide, 4>& fifths, Wide per_one) {
    Datum elements[4];
    for (std::size_t i = 0; i < 4; ++i) {
        std::string const scaled =
            nurture::print_micro(2 * fifths[i] * (nurture::micro_one / per_one)) + "e-1";
        const char* const c_text = scaled.c_str();
        elements[i] = pg_call([&] {
            return DirectFunctionCall3(numeric_in, CStringGetDatum(c_text), ObjectIdGetDatum(InvalidOid),
                                       Int32GetDatum(-1));
        });
    }
    Datum* const all = elements;
    return pg_call(
        [&] { return PointerGetDatum(construct_array(all, 4, NUMERICOID, -1, false, TYPALIGN_INT)); });
}

} // namespace

// (state, at, amount, as_of); a purchase without an amount counts, with nothing.
NURTURE_FUNCTION(nurture_rfm_transition) {
    return entry([&]() -> Datum {
        if (PG_ARGISNULL(1) || PG_ARGISNULL(3))
            return null_state(fcinfo, 0);
        Rfm* const state = rfm_or_new(fcinfo);
        state->add(finite_time(PG_GETARG_DATUM(1)),
                   PG_ARGISNULL(2) ? 0 : micro_of_numeric(PG_GETARG_DATUM(2)),
                   finite_time(PG_GETARG_DATUM(3)));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_rfm_combine) {
    return entry([&]() -> Datum {
        auto const* const other = state_argument<Rfm>(fcinfo, 1);
        if (other == nullptr)
            return null_state(fcinfo, 0);
        Rfm* const state = rfm_or_new(fcinfo);
        state->merge(*other);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_rfm_serialize) {
    return entry([&]() -> Datum { return make_varlena(state_argument<Rfm>(fcinfo, 0)->encode()); });
}

NURTURE_FUNCTION(nurture_rfm_deserialize) {
    return entry([&]() -> Datum {
        ContextResource memory(aggregate_context(fcinfo));
        Rfm const rfm = Rfm::decode(bytes_of(PG_GETARG_DATUM(0)));
        return PointerGetDatum(new (memory.allocate(sizeof(Rfm), alignof(Rfm))) Rfm(rfm));
    });
}

NURTURE_FUNCTION(nurture_rfm_final) {
    return entry([&]() -> Datum {
        auto const* const state = state_argument<Rfm>(fcinfo, 0);
        if (state == nullptr || state->empty())
            return null_result(fcinfo);
        Datum values[3] = {make_interval(state->as_of() - state->last()), Int64GetDatum(state->frequency()),
                           make_numeric(state->money())};
        bool nulls[3] = {};
        return make_row(fcinfo, values, nulls);
    });
}

// (state, nurture.rfm_values)
NURTURE_FUNCTION(nurture_rfm_quintiles_transition) {
    return entry([&]() -> Datum {
        if (PG_ARGISNULL(1))
            return null_state(fcinfo, 0);
        HeapTupleHeader const row = pg_call([&] { return PG_GETARG_HEAPTUPLEHEADER(1); });
        Datum values[3];
        for (AttrNumber i = 1; i <= 3; ++i) {
            bool is_null = false;
            values[i - 1] = pg_call([&] { return GetAttributeByNum(row, i, &is_null); });
            if (is_null)
                return null_state(fcinfo, 0);
        }
        auto* const state = state_or_new<RfmPopulation>(fcinfo);
        state->add(exact_span(values[0], "recency"), DatumGetInt64(values[1]), micro_of_numeric(values[2]));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_rfm_quintiles_combine) {
    return entry([&]() -> Datum {
        auto const* const other = state_argument<RfmPopulation>(fcinfo, 1);
        if (other == nullptr)
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<RfmPopulation>(fcinfo);
        state->merge(*other);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_rfm_quintiles_serialize) {
    return entry([&]() -> Datum { return make_varlena(state_argument<RfmPopulation>(fcinfo, 0)->encode()); });
}

NURTURE_FUNCTION(nurture_rfm_quintiles_deserialize) {
    return entry([&]() -> Datum {
        auto* const state = make_state<RfmPopulation>(aggregate_context(fcinfo));
        state->merge(bytes_of(PG_GETARG_DATUM(0)));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_rfm_quintiles_final) {
    return entry([&]() -> Datum {
        auto const* const state = state_argument<RfmPopulation>(fcinfo, 0);
        if (state == nullptr)
            return null_result(fcinfo);
        auto const cuts = state->cuts();
        Datum values[3] = {make_cuts(cuts.recency, nurture::one_second), make_cuts(cuts.frequency, 1),
                           make_cuts(cuts.money, nurture::micro_one)};
        bool nulls[3] = {};
        return make_row(fcinfo, values, nulls);
    });
}
