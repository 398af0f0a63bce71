// What analysts ask of a contact's state under a model. Decoding and arithmetic are the core's; here are only datums.
#include "core/report/report.hpp"
#include "core/step/fold.hpp"

#include "pg/border/rows.hpp"
#include "pg/inbox/messages.hpp"
#include "pg/model/compiled_model.hpp"
#include "pg/profile/profile_argument.hpp"

extern "C" {
#include "utils/array.h"
}

using namespace nurture;

// _score(model, state, topic or NULL, at, contact)
NURTURE_FUNCTION(nurture_score_of) {
    return border::entry([&]() -> Datum {
        if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3) || PG_ARGISNULL(4)) {
            fcinfo->isnull = true;
            return 0;
        }
        auto const model = border::model_argument(fcinfo, 0);
        std::string_view const topic = PG_ARGISNULL(2) ? std::string_view() : border::bytes_argument(fcinfo, 2);
        return border::make_numeric(
            report::score(*model, border::bytes_argument(fcinfo, 1), topic, border::time_of(PG_GETARG_DATUM(3)),
                          border::bytes_argument(fcinfo, 4)));
    });
}

NURTURE_FUNCTION(nurture_scores_of) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        return border::make_jsonb(report::scores_json(*model, border::profile_argument(fcinfo, 1), border::time_of(PG_GETARG_DATUM(2)),
                                                      border::bytes_argument(fcinfo, 3)));
    });
}

NURTURE_FUNCTION(nurture_segments) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        auto const names = report::segments(*model, border::profile_argument(fcinfo, 1));
        int const count = static_cast<int>(names.size());
        auto* const datums = static_cast<Datum*>(border::pg_call([count] { return palloc(sizeof(Datum) * (count + 1)); }));
        for (int i = 0; i < count; ++i)
            datums[i] = border::make_text(names[static_cast<std::size_t>(i)]);
        return border::pg_call([=] {
            return PointerGetDatum(construct_array(datums, count, TEXTOID, -1, false, TYPALIGN_INT));
        });
    });
}

NURTURE_FUNCTION(nurture_attributes) {
    return border::entry([&]() -> Datum {
        return border::make_jsonb(report::attributes_json(border::profile_argument(fcinfo, 0)));
    });
}

NURTURE_FUNCTION(nurture_first_seen) {
    return border::entry(
        [&]() -> Datum { return border::make_time(border::profile_argument(fcinfo, 0).first_seen, fcinfo->isnull); });
}

NURTURE_FUNCTION(nurture_last_seen) {
    return border::entry(
        [&]() -> Datum { return border::make_time(border::profile_argument(fcinfo, 0).last_seen, fcinfo->isnull); });
}

NURTURE_FUNCTION(nurture_clock) {
    return border::entry(
        [&]() -> Datum { return border::make_time(border::profile_argument(fcinfo, 0).clock, fcinfo->isnull); });
}

NURTURE_FUNCTION(nurture_describe) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        return border::make_jsonb(report::describe(*model, border::profile_argument(fcinfo, 1)));
    });
}

NURTURE_FUNCTION(nurture_contributions) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        auto const parts =
            report::explain(*model, border::profile_argument(fcinfo, 1), border::time_of(PG_GETARG_DATUM(2)),
                            border::bytes_argument(fcinfo, 3));
        border::RowSink sink(fcinfo);
        for (const auto& part : parts) {
            border::Row<6> row;
            row.add_text(part.rule);
            row.add_optional(part.topic);
            part.counted ? row.add(border::make_numeric(part.points)) : row.add_null();
            part.counted ? row.add(border::make_numeric(part.occurrences)) : row.add_null();
            row.add(border::make_numeric(part.contribution));
            row.add_optional(part.detail);
            row.put_into(sink);
        }
        return 0;
    });
}

namespace {

/// With the branches of a journey, or without: as version 0.1 had it.
template <int Columns>
Datum put_journeys(FunctionCallInfo fcinfo) {
    auto const model = border::model_argument(fcinfo, 0);
    auto const journeys = report::journeys(*model, border::profile_argument(fcinfo, 1));
    border::RowSink sink(fcinfo);
    for (const auto& journey : journeys) {
        border::Row<Columns> row;
        row.add_text(journey.workflow);
        row.add_int(static_cast<std::int32_t>(journey.version));
        row.add_int(static_cast<std::int32_t>(journey.instance));
        row.add_text(journey.step);
        row.add_time(journey.started);
        row.add_time(journey.since);
        row.add_time(journey.wakes);
        if constexpr (Columns > 7) {
            row.add_optional(journey.branch);
            row.add_optional(journey.paused);
        } else if (!journey.branch.empty()) {
            continue;
        }
        row.put_into(sink);
    }
    return 0;
}

} // namespace

NURTURE_FUNCTION(nurture_strands) {
    return border::entry([&]() -> Datum { return put_journeys<9>(fcinfo); });
}
NURTURE_FUNCTION(nurture_journeys) { // 0.1
    return border::entry([&]() -> Datum { return put_journeys<7>(fcinfo); });
}

// _fold(model, messages packed with place = tick·2^24 + n, clock)
NURTURE_FUNCTION(nurture_fold) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        border::PackedMessages const messages(border::packed_argument(fcinfo, 1));
        return border::make_varlena(
            encode(fold(*model, messages.logged(), border::time_of(PG_GETARG_DATUM(2)))));
    });
}

// _fold_from(model, base, tick, last_feature, messages or NULL, clock)
NURTURE_FUNCTION(nurture_fold_from) {
    return border::entry([&]() -> Datum {
        if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(5)) {
            fcinfo->isnull = true;
            return 0;
        }
        auto const model = border::model_argument(fcinfo, 0);
        step::Base const base{border::profile_argument(fcinfo, 1), PG_GETARG_INT64(2),
                              static_cast<std::uint32_t>(PG_GETARG_INT32(3))};
        Time const clock = border::time_of(PG_GETARG_DATUM(5));
        border::PackedMessages const messages(border::packed_argument(fcinfo, 4));
        return border::make_varlena(encode(fold(*model, base, messages.logged(), clock)));
    });
}

// _differences(model, a, b, path)
NURTURE_FUNCTION(nurture_differences) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        auto const found = report::differences(*model, border::profile_argument(fcinfo, 1), border::profile_argument(fcinfo, 2),
                                               PG_GETARG_BOOL(3));
        border::RowSink sink(fcinfo);
        for (const auto& difference : found) {
            border::Row<3> row;
            row.add_text(difference.what);
            row.add_optional(difference.first);
            row.add_optional(difference.second);
            row.put_into(sink);
        }
        return 0;
    });
}
