// nurture._evaluate: a contact under a model that need not be in force.
#include "core/step/evaluate.hpp"

#include "pg/border/rows.hpp"
#include "pg/inbox/messages.hpp"
#include "pg/model/compiled_model.hpp"

extern "C" {
#include "access/htup_details.h"
#include "utils/array.h"
}

using namespace nurture;

namespace {

Datum make_ids(const std::vector<std::uint32_t>& ids) {
    const auto* const from = ids.data();
    int const size = static_cast<int>(ids.size());
    return border::pg_call([=] {
        auto* const datums = static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<std::size_t>(size + 1)));
        for (int i = 0; i < size; ++i)
            datums[i] = Int32GetDatum(static_cast<std::int32_t>(from[i]));
        return PointerGetDatum(construct_array(datums, size, INT4OID, 4, true, TYPALIGN_INT));
    });
}

/// The result row's descriptor, looked up once per call site.
TupleDesc result_descriptor(FunctionCallInfo fcinfo) {
    if (fcinfo->flinfo->fn_extra == nullptr)
        border::pg_call([fcinfo] {
            TupleDesc descriptor = nullptr;
            if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
                elog(ERROR, "nurture._evaluate must return a composite type");
            MemoryContext const old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
            fcinfo->flinfo->fn_extra = BlessTupleDesc(CreateTupleDescCopy(descriptor));
            MemoryContextSwitchTo(old);
        });
    return static_cast<TupleDesc>(fcinfo->flinfo->fn_extra);
}

/// The events of a packed log, where place = tick·2^24 + n.
std::vector<step::LoggedEvent> events_of(const border::PackedMessages& packed) {
    std::vector<step::LoggedEvent> events;
    events.reserve(packed.messages().size());
    for (std::size_t i = 0; i < packed.messages().size(); ++i) {
        const auto& message = packed.messages()[i];
        std::int64_t const place = packed.places()[i];
        events.push_back({message.type, message.properties,
                          {message.at, place >> 24, static_cast<std::int32_t>(place & 0xffffff)}});
    }
    return events;
}

} // namespace

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
        Datum const packed = PG_ARGISNULL(2) ? Datum(0) : PG_GETARG_DATUM(2);
        std::string_view const bytes =
            packed == 0 ? std::string_view("\0\0\0\0", 4) : border::bytes_of(border::pg_call([packed] {
                return pg_detoast_datum(reinterpret_cast<varlena*>(DatumGetPointer(packed)));
            }));
        border::PackedMessages const messages(bytes);
        auto const events = events_of(messages);
        profile::Profile profile;
        if (PG_ARGISNULL(1)) {
            profile = fold(*model, events, at);
        } else {
            profile = profile::decode(border::bytes_argument(fcinfo, 1));
            if (packed != 0)
                supplement(*model, profile, events, first_new, std::max(at, profile.clock));
        }
        step::Evaluation const evaluation = step::evaluate(*model, profile, at, border::bytes_argument(fcinfo, 5));
        border::Row<2> row;
        row.add(border::make_numeric(evaluation.score));
        row.add(make_ids(evaluation.segments));
        TupleDesc const descriptor = result_descriptor(fcinfo);
        Datum* const values = row.values();
        bool* const nulls = row.nulls();
        return border::pg_call([=] { return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)); });
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
