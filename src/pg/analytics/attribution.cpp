// The glue of nurture.path and nurture.attribution_summary; see src/core/analytics/attribution*.hpp.
#include "core/analytics/attribution.hpp"

#include "pg/analytics/statistics_glue.hpp"
#include "pg/border/elements.hpp"

using nurture::Error;
using nurture::ErrorKind;
using nurture::analytics::Attribution;
using nurture::analytics::AttributionData;
using nurture::analytics::AttributionModel;
using nurture::analytics::Outcome;
using nurture::analytics::Path;
using nurture::analytics::PathBuilder;
namespace analytics = nurture::analytics;
using namespace nurture::border;

extern "C" {
#include "utils/array.h"
}

namespace {

Path checked_path(std::string_view bytes) {
    Path path = analytics::decode_path(bytes);
    for (auto const& touch : path)
        check_encoding(touch.channel, "path");
    return path;
}

AttributionData checked_summary(std::string_view bytes) {
    AttributionData data = analytics::decode_attribution(bytes);
    for (auto const& channel : data.channels)
        check_encoding(channel, "attribution summary");
    return data;
}

} // namespace

NURTURE_FUNCTION(nurture_path_in) {
    return entry([&]() -> Datum {
        ContextResource names(CurrentMemoryContext);
        return make_varlena(analytics::encode_path(analytics::parse_path(PG_GETARG_CSTRING(0), &names)));
    });
}

NURTURE_FUNCTION(nurture_path_out) {
    return entry([&]() -> Datum {
        std::string const printed =
            analytics::print_path(analytics::decode_path(bytes_of(PG_GETARG_DATUM(0))));
        const char* const c_text = printed.c_str();
        return pg_call([&] { return CStringGetDatum(pstrdup(c_text)); });
    });
}

NURTURE_FUNCTION(nurture_path_recv) {
    return entry([&]() -> Datum {
        std::string_view const bytes = bytes_of_message(PG_GETARG_DATUM(0));
        (void)checked_path(bytes);
        return make_varlena(bytes);
    });
}

NURTURE_FUNCTION(nurture_path_send) {
    return entry([&]() -> Datum { return make_varlena(bytes_of(PG_GETARG_DATUM(0))); });
}

NURTURE_FUNCTION(nurture_path_transition) {
    return entry([&]() -> Datum {
        if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<PathBuilder>(fcinfo);
        state->add(finite_time(PG_GETARG_DATUM(1)), bytes_of(PG_GETARG_DATUM(2)));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_path_combine) {
    return entry([&]() -> Datum {
        auto const* const other = state_argument<PathBuilder>(fcinfo, 1);
        if (other == nullptr)
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<PathBuilder>(fcinfo);
        state->merge(*other);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_path_serialize) {
    return entry([&]() -> Datum { return make_varlena(state_argument<PathBuilder>(fcinfo, 0)->raw()); });
}

NURTURE_FUNCTION(nurture_path_deserialize) {
    return entry([&]() -> Datum {
        auto* const state = make_state<PathBuilder>(aggregate_context(fcinfo));
        state->add_raw(bytes_of(PG_GETARG_DATUM(0)));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_path_final) {
    return entry([&]() -> Datum {
        auto const* const state = state_argument<PathBuilder>(fcinfo, 0);
        if (state == nullptr)
            return null_result(fcinfo);
        return make_varlena(analytics::encode_path(state->path()));
    });
}

// A path without times: the n-th channel is touched n microseconds after the epoch.
NURTURE_FUNCTION(nurture_path_of_channels) {
    return entry([&]() -> Datum {
        Elements const channels(fcinfo, 0, TEXTOID);
        Path path;
        for (std::size_t i = 0; i < channels.size(); ++i)
            if (!channels.is_null(i))
                path.push_back({static_cast<nurture::Time>(i), channels.text(i)});
        if (path.empty())
            return null_result(fcinfo);
        analytics::canonicalize(path);
        return make_varlena(analytics::encode_path(path));
    });
}

NURTURE_FUNCTION(nurture_path_channels) {
    return entry([&]() -> Datum {
        Path const path = analytics::decode_path(bytes_of(PG_GETARG_DATUM(0)));
        std::size_t const count = path.size();
        auto* const elements = static_cast<Datum*>(pg_call([&] { return palloc(count * sizeof(Datum)); }));
        for (std::size_t i = 0; i < count; ++i)
            elements[i] = make_text(path[i].channel);
        return pg_call([&] {
            return PointerGetDatum(
                construct_array(elements, static_cast<int>(count), TEXTOID, -1, false, TYPALIGN_INT));
        });
    });
}

NURTURE_FUNCTION(nurture_path_lookback) {
    return entry([&]() -> Datum {
        if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
            return null_result(fcinfo);
        nurture::Span span = nurture::never;
        if (!PG_ARGISNULL(2) && (span = exact_span(PG_GETARG_DATUM(2), "span")) <= 0)
            throw Error(ErrorKind::invalid_parameter, "span must be positive");
        Path const path = analytics::lookback(analytics::decode_path(bytes_of(PG_GETARG_DATUM(0))),
                                              finite_time(PG_GETARG_DATUM(1)), span);
        if (path.empty())
            return null_result(fcinfo);
        return make_varlena(analytics::encode_path(path));
    });
}

NURTURE_FUNCTION(nurture_attribution_in) {
    return entry([&]() -> Datum {
        std::string const bytes = bytes_of_hex(PG_GETARG_CSTRING(0), "attribution summary");
        (void)checked_summary(bytes);
        return make_varlena(bytes);
    });
}

NURTURE_FUNCTION(nurture_attribution_recv) {
    return entry([&]() -> Datum {
        std::string_view const bytes = bytes_of_message(PG_GETARG_DATUM(0));
        (void)checked_summary(bytes);
        return make_varlena(bytes);
    });
}

// (state, path, conversions [, value [, nulls]])
NURTURE_FUNCTION(nurture_attribution_transition) {
    return entry([&]() -> Datum {
        auto* const state = state_or_new<Attribution>(fcinfo);
        Outcome outcome;
        outcome.conversions = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
        if (PG_NARGS() > 3 && !PG_ARGISNULL(3))
            outcome.value = micro_of_numeric(PG_GETARG_DATUM(3));
        if (PG_NARGS() > 4)
            outcome.nulls = PG_ARGISNULL(4) ? 0 : PG_GETARG_INT64(4);
        else
            outcome.nulls = outcome.conversions == 0 ? 1 : 0;
        Path path;
        if (!PG_ARGISNULL(1))
            path = analytics::decode_path(bytes_of(PG_GETARG_DATUM(1)));
        state->add(path, outcome);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_attribution_combine) {
    return entry([&]() -> Datum {
        auto* const other = state_argument<Attribution>(fcinfo, 1);
        if (other == nullptr)
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<Attribution>(fcinfo);
        state->merge(*other);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_attribution_serialize) {
    return entry([&]() -> Datum { return make_varlena(state_argument<Attribution>(fcinfo, 0)->encode()); });
}

NURTURE_FUNCTION(nurture_attribution_deserialize) {
    return entry([&]() -> Datum {
        auto* const state = make_state<Attribution>(aggregate_context(fcinfo));
        state->merge(bytes_of(PG_GETARG_DATUM(0)));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_attribution_final) {
    return entry([&]() -> Datum {
        auto* const state = state_argument<Attribution>(fcinfo, 0);
        return state == nullptr ? null_result(fcinfo) : make_varlena(state->encode());
    });
}

NURTURE_FUNCTION(nurture_attribution_rollup) {
    return entry([&]() -> Datum {
        if (PG_ARGISNULL(1))
            return null_state(fcinfo, 0);
        auto* const state = state_or_new<Attribution>(fcinfo);
        state->merge(bytes_of(PG_GETARG_DATUM(1)));
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_attribution) {
    return entry([&]() -> Datum {
        AttributionModel model;
        std::string const name(bytes_of(PG_GETARG_DATUM(1)));
        auto const kind = analytics::attribution_kind(name);
        if (!kind)
            throw Error(
                ErrorKind::invalid_parameter, "there is no attribution model \"" + name + "\"", {},
                "Models are first, last, last_non_direct, linear, position, time_decay, markov, shapley, "
                "shapley_rate.");
        model.kind = *kind;
        model.first_weight = PG_GETARG_FLOAT8(2);
        model.last_weight = PG_GETARG_FLOAT8(3);
        model.half_life = exact_span(PG_GETARG_DATUM(4), "half-life");
        model.direct = bytes_of(PG_GETARG_DATUM(5));
        auto const detail = *kind == AttributionModel::Kind::time_decay ? analytics::Detail::all
                                                                        : analytics::Detail::without_ages;
        auto const credits =
            analytics::attribute(analytics::decode_attribution(bytes_of(PG_GETARG_DATUM(0)), detail), model);
        long double conversions = 0;
        for (auto const& credit : credits)
            conversions += static_cast<long double>(credit.conversions);
        ResultRows rows(fcinfo);
        for (auto const& credit : credits) {
            bool nulls[5] = {!credit.channel, false, false, conversions == 0, !credit.removal_effect};
            Datum values[5] = {};
            if (credit.channel)
                values[0] = make_text(*credit.channel);
            values[1] = make_numeric(credit.conversions);
            values[2] = make_numeric(credit.value);
            if (conversions != 0)
                values[3] = Float8GetDatum(
                    static_cast<double>(static_cast<long double>(credit.conversions) / conversions));
            values[4] = Float8GetDatum(credit.removal_effect.value_or(0));
            rows.add(values, nulls);
        }
        return 0;
    });
}
