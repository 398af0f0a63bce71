// nurture._evaluate: a contact under a model that need not be in force.
#include "core/step/evaluate.hpp"

#include "pg/border/rows.hpp"
#include "pg/inbox/messages.hpp"
#include "pg/model/compiled_model.hpp"
#include "pg/profile/profile_argument.hpp"

using namespace nurture;

// _evaluate(model, state, events, first_new, at, contact). Without a state everything is folded from the events; with one, only
// the features of ids from first_new on.
NURTURE_FUNCTION(nurture_evaluate) {
    return border::entry([&]() -> Datum {
        border::check_interrupts();
        if (PG_ARGISNULL(0) || PG_ARGISNULL(3) || PG_ARGISNULL(4) || PG_ARGISNULL(5)) {
            fcinfo->isnull = true;
            return 0;
        }
        auto const model = border::model_argument(fcinfo, 0);
        auto const first_new = static_cast<std::uint32_t>(PG_GETARG_INT32(3));
        Time const at = border::time_of(PG_GETARG_DATUM(4));
        border::PackedMessages const messages(border::packed_argument(fcinfo, 2));
        auto const events = messages.logged();
        profile::Profile profile;
        if (PG_ARGISNULL(1)) {
            profile = fold(*model, events, at);
        } else {
            profile = border::profile_argument(fcinfo, 1);
            if (!PG_ARGISNULL(2))
                supplement(*model, profile, events, first_new, std::max(at, profile.clock));
        }
        step::Evaluation const evaluation = step::evaluate(*model, profile, at, border::bytes_argument(fcinfo, 5));
        border::Row<2> row;
        row.add(border::make_numeric(evaluation.score));
        std::vector<std::int32_t> const segments(evaluation.segments.begin(), evaluation.segments.end());
        row.add(border::make_int_array(segments));
        return row.composite(fcinfo);
    });
}

// The features of a model, with each event type that it is made of; an empty one is any event.
NURTURE_FUNCTION(nurture_features_of) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        border::RowSink sink(fcinfo);
        for (std::size_t pattern = 0; pattern < model->patterns.size(); ++pattern)
            for (model::Index const slot : model->features_of_pattern[pattern]) {
                border::Row<3> row;
                row.add_int(static_cast<std::int32_t>(model->features[slot].id));
                row.add_text(model->features[slot].text);
                row.add_text(model->patterns[pattern].type);
                row.put_into(sink);
            }
        return 0;
    });
}
