// The glue of nurture.ab_summary and nurture.ab_test; see src/core/analytics/experiment.hpp.
#include "core/analytics/experiment.hpp"

#include "pg/analytics/statistics_glue.hpp"
#include "pg/border/elements.hpp"

using nurture::Error;
using nurture::ErrorKind;
using nurture::analytics::Experiment;
namespace analytics = nurture::analytics;
using namespace nurture::border;

namespace {

void check_summary(std::string_view bytes) {
    for (auto const& arm : analytics::decode_experiment(bytes))
        check_encoding(arm.name, "experiment summary");
}

// (state, arm, converted [, value])
template <class Value>
Datum transition(FunctionCallInfo fcinfo, Value value_of) {
    if (PG_ARGISNULL(1))
        return null_state(fcinfo, 0);
    auto* const state = state_or_new<Experiment>(fcinfo);
    std::optional<nurture::Micro> value;
    if (PG_NARGS() > 3 && !PG_ARGISNULL(3))
        value = value_of(PG_GETARG_DATUM(3));
    state->add(bytes_of(PG_GETARG_DATUM(1)), !PG_ARGISNULL(2) && PG_GETARG_BOOL(2), value);
    return PointerGetDatum(state);
}

} // namespace

NURTURE_FUNCTION(nurture_ab_in) {
    return entry([&]() -> Datum {
        std::string const bytes = bytes_of_hex(PG_GETARG_CSTRING(0), "experiment summary");
        check_summary(bytes);
        return make_varlena(bytes);
    });
}

NURTURE_FUNCTION(nurture_ab_recv) {
    return entry([&]() -> Datum {
        std::string_view const bytes = bytes_of_message(PG_GETARG_DATUM(0));
        check_summary(bytes);
        return make_varlena(bytes);
    });
}

NURTURE_FUNCTION(nurture_ab_numeric) {
    return entry([&]() -> Datum { return transition(fcinfo, micro_of_numeric); });
}

NURTURE_FUNCTION(nurture_ab_float8) {
    return entry([&]() -> Datum {
        return transition(fcinfo, [](Datum value) { return micro_of_double(DatumGetFloat8(value)); });
    });
}

NURTURE_FUNCTION(nurture_ab_rollup) {
    return entry([&]() -> Datum {
        if (PG_ARGISNULL(1))
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<Experiment>(fcinfo);
        state->merge(bytes_of(PG_GETARG_DATUM(1)));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_ab_combine) {
    return entry([&]() -> Datum {
        auto const* const other = state_argument<Experiment>(fcinfo, 1);
        if (other == nullptr)
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<Experiment>(fcinfo);
        state->merge(*other);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_ab_serialize) {
    return entry([&]() -> Datum { return make_varlena(state_argument<Experiment>(fcinfo, 0)->encode()); });
}

NURTURE_FUNCTION(nurture_ab_deserialize) {
    return entry([&]() -> Datum {
        auto* const state = make_state<Experiment>(aggregate_context(fcinfo));
        state->merge(bytes_of(PG_GETARG_DATUM(0)));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_ab_final) {
    return entry([&]() -> Datum {
        auto const* const state = state_argument<Experiment>(fcinfo, 0);
        return state == nullptr ? null_result(fcinfo) : make_varlena(state->encode());
    });
}

// (summary, control, confidence, power, expected)
NURTURE_FUNCTION(nurture_ab_test) {
    return entry([&]() -> Datum {
        ResultRows rows(fcinfo);
        if (PG_ARGISNULL(0))
            return 0;
        analytics::ReportOptions options;
        if (!PG_ARGISNULL(1))
            options.control = std::string(bytes_of(PG_GETARG_DATUM(1)));
        if (PG_ARGISNULL(2) || PG_ARGISNULL(3))
            throw Error(ErrorKind::invalid_parameter, "confidence and power must not be NULL");
        options.confidence = PG_GETARG_FLOAT8(2);
        options.power = PG_GETARG_FLOAT8(3);
        if (!PG_ARGISNULL(4))
            options.expected = Elements(fcinfo, 4, FLOAT8OID).all(&Elements::real);
        auto const arms = analytics::decode_experiment(bytes_of(PG_GETARG_DATUM(0)));
        for (auto const& finding : analytics::report_experiment(arms, options)) {
            std::optional<double> const numbers[] = {finding.estimate,  finding.low, finding.high,
                                                     finding.statistic, finding.df,  finding.p_value};
            Datum values[10] = {};
            bool nulls[10] = {false, finding.arm.empty(), finding.versus.empty()};
            values[0] = make_text(finding.test);
            values[1] = make_text(finding.arm);
            values[2] = make_text(finding.versus);
            for (std::size_t i = 0; i < 6; ++i) {
                nulls[3 + i] = !numbers[i];
                values[3 + i] = Float8GetDatum(numbers[i].value_or(0));
            }
            values[9] = make_text(finding.source);
            rows.add(values, nulls);
        }
        return 0;
    });
}

// (summary): arm, n, conversions, values, total
NURTURE_FUNCTION(nurture_ab_arms) {
    return entry([&]() -> Datum {
        ResultRows rows(fcinfo);
        for (auto const& arm : analytics::decode_experiment(bytes_of(PG_GETARG_DATUM(0)))) {
            nurture::Wide total = 0;
            std::int64_t count = 0;
            for (auto const& [value, times] : arm.values) {
                if (__builtin_add_overflow(total, static_cast<nurture::Wide>(value) * times, &total))
                    throw Error(ErrorKind::out_of_range, "sum of values out of range");
                count += times;
            }
            bool nulls[5] = {false, false, false, false, count == 0};
            Datum values[5] = {make_text(arm.name), Int64GetDatum(arm.n), Int64GetDatum(arm.conversions),
                               Int64GetDatum(count), make_numeric(total)};
            rows.add(values, nulls);
        }
        return 0;
    });
}
