// The glue of nurture.score_summary and nurture.weighted_percentile; see src/core/analytics/ranking.hpp.
#include "core/analytics/ranking.hpp"

#include "core/analytics/experiment_tests.hpp"
#include "pg/analytics/statistics_glue.hpp"

using nurture::Error;
using nurture::ErrorKind;
using nurture::Micro;
using nurture::analytics::ScoreBand;
using nurture::analytics::ScoreQuality;
using nurture::analytics::WeightedPercentile;
namespace analytics = nurture::analytics;
using namespace nurture::border;

namespace {

double ratio(std::int64_t part, std::int64_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
}

std::vector<analytics::ScoreGroup> groups_argument(FunctionCallInfo fcinfo) {
    return analytics::decode_scores(bytes_of(PG_GETARG_DATUM(0)));
}

} // namespace

NURTURE_FUNCTION(nurture_scores_in) {
    return entry([&]() -> Datum {
        std::string const bytes = bytes_of_hex(PG_GETARG_CSTRING(0), "summary of scores");
        (void)analytics::decode_scores(bytes);
        return make_varlena(bytes);
    });
}

NURTURE_FUNCTION(nurture_scores_recv) {
    return entry([&]() -> Datum {
        std::string_view const bytes = bytes_of_message(PG_GETARG_DATUM(0));
        (void)analytics::decode_scores(bytes);
        return make_varlena(bytes);
    });
}

// (state, score, outcome); a NULL outcome is false, a NULL score no subject.
NURTURE_FUNCTION(nurture_scores_transition) {
    return entry([&]() -> Datum {
        if (PG_ARGISNULL(1))
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<ScoreQuality>(fcinfo);
        state->add(PG_GETARG_FLOAT8(1), !PG_ARGISNULL(2) && PG_GETARG_BOOL(2));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_scores_rollup) {
    return entry([&]() -> Datum {
        if (PG_ARGISNULL(1))
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<ScoreQuality>(fcinfo);
        state->merge(bytes_of(PG_GETARG_DATUM(1)));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_scores_combine) {
    return entry([&]() -> Datum {
        auto const* const other = state_argument<ScoreQuality>(fcinfo, 1);
        if (other == nullptr)
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<ScoreQuality>(fcinfo);
        state->merge(*other);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_scores_serialize) {
    return entry([&]() -> Datum { return make_varlena(state_argument<ScoreQuality>(fcinfo, 0)->encode()); });
}

NURTURE_FUNCTION(nurture_scores_deserialize) {
    return entry([&]() -> Datum {
        auto* const state = make_state<ScoreQuality>(aggregate_context(fcinfo));
        state->merge(bytes_of(PG_GETARG_DATUM(0)));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_scores_final) {
    return entry([&]() -> Datum {
        auto const* const state = state_argument<ScoreQuality>(fcinfo, 0);
        return state == nullptr ? null_result(fcinfo) : make_varlena(state->encode());
    });
}

// (summary, confidence): measure, value, low, high, source
NURTURE_FUNCTION(nurture_score_quality) {
    return entry([&]() -> Datum {
        ResultRows rows(fcinfo);
        for (auto const& measure : analytics::measure_scores(groups_argument(fcinfo), PG_GETARG_FLOAT8(1))) {
            bool nulls[5] = {false, !measure.value, !measure.low, !measure.high, false};
            Datum values[5] = {make_text(measure.name), Float8GetDatum(measure.value.value_or(0)),
                               Float8GetDatum(measure.low.value_or(0)),
                               Float8GetDatum(measure.high.value_or(0)), make_text(measure.source)};
            rows.add(values, nulls);
        }
        return 0;
    });
}

// (summary, bands): band, lowest, highest, mean_score, n, positives, rate, lift, reached, gain,
// cumulative_lift
NURTURE_FUNCTION(nurture_score_bands) {
    return entry([&]() -> Datum {
        auto const bands = analytics::score_bands(groups_argument(fcinfo), PG_GETARG_INT32(1));
        std::int64_t const n = bands.back().n_so_far;
        std::int64_t const positives = bands.back().positives_so_far;
        ResultRows rows(fcinfo);
        for (auto const& band : bands) {
            bool const none = positives == 0;
            bool nulls[11] = {false, false, false, false, false, false, false, none, false, none, none};
            double const reached = ratio(band.n_so_far, n);
            double const gain = none ? 0 : ratio(band.positives_so_far, positives);
            Datum values[11] = {
                Int32GetDatum(band.band),
                Float8GetDatum(band.lowest),
                Float8GetDatum(band.highest),
                Float8GetDatum(band.mean),
                Int64GetDatum(band.n),
                Int64GetDatum(band.positives),
                Float8GetDatum(ratio(band.positives, band.n)),
                Float8GetDatum(none ? 0 : ratio(band.positives, band.n) / ratio(positives, n)),
                Float8GetDatum(reached),
                Float8GetDatum(gain),
                Float8GetDatum(gain / reached)};
            rows.add(values, nulls);
        }
        return 0;
    });
}

// (summary, bins): bin_low, bin_high, n, positives, mean_score, rate, rate_low, rate_high
NURTURE_FUNCTION(nurture_calibration) {
    return entry([&]() -> Datum {
        std::int32_t const bins = PG_GETARG_INT32(1);
        auto const bands = analytics::calibration_bins(groups_argument(fcinfo), bins);
        ResultRows rows(fcinfo);
        for (auto const& band : bands) {
            auto const bounds = analytics::wilson_interval({band.positives, band.n}, 0.95);
            Datum values[8] = {Float8GetDatum(ratio(band.band - 1, bins)),
                               Float8GetDatum(ratio(band.band, bins)),
                               Int64GetDatum(band.n),
                               Int64GetDatum(band.positives),
                               Float8GetDatum(band.mean),
                               Float8GetDatum(ratio(band.positives, band.n)),
                               Float8GetDatum(bounds->low),
                               Float8GetDatum(bounds->high)};
            rows.add(values, nullptr);
        }
        return 0;
    });
}

// (state, value, weight, fraction)
NURTURE_FUNCTION(nurture_percentile_transition) {
    return entry([&]() -> Datum {
        if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
            return null_state(fcinfo, 0);
        Micro const fraction = micro_of_double(PG_GETARG_FLOAT8(3));
        if (fraction < 0 || fraction > nurture::micro_one)
            throw Error(ErrorKind::invalid_parameter, "fraction must be between 0 and 1");
        auto* const state = state_or_new<WeightedPercentile>(fcinfo, fraction);
        if (state->fraction() != fraction)
            throw Error(ErrorKind::invalid_parameter, "fraction must be the same in all rows of a group");
        state->add(micro_of_numeric(PG_GETARG_DATUM(1)), micro_of_numeric(PG_GETARG_DATUM(2)));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_percentile_combine) {
    return entry([&]() -> Datum {
        auto const* const other = state_argument<WeightedPercentile>(fcinfo, 1);
        if (other == nullptr)
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<WeightedPercentile>(fcinfo, other->fraction());
        if (state->fraction() != other->fraction())
            throw Error(ErrorKind::invalid_parameter, "fraction must be the same in all rows of a group");
        state->merge(*other);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_percentile_serialize) {
    return entry(
        [&]() -> Datum { return make_varlena(state_argument<WeightedPercentile>(fcinfo, 0)->encode()); });
}

NURTURE_FUNCTION(nurture_percentile_deserialize) {
    return entry([&]() -> Datum {
        std::string_view const bytes = bytes_of(PG_GETARG_DATUM(0));
        auto* const state =
            make_state<WeightedPercentile>(aggregate_context(fcinfo), WeightedPercentile::fraction_in(bytes));
        state->merge(bytes);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_percentile_final) {
    return entry([&]() -> Datum {
        auto const* const state = state_argument<WeightedPercentile>(fcinfo, 0);
        auto const result = state == nullptr ? std::nullopt : state->result();
        return result ? make_numeric(*result) : null_result(fcinfo);
    });
}
