// The glue of core/step/backfill.hpp: the aggregate that folds the log, and the union with a contact's state.
#include "core/step/backfill.hpp"
#include "core/step/fold.hpp"

#include "pg/border/memory.hpp"
#include "pg/border/rows.hpp"
#include "pg/inbox/messages.hpp"
#include "pg/inbox/properties.hpp"
#include "pg/model/compiled_model.hpp"

extern "C" {
#include "utils/array.h"
}

using namespace nurture;

namespace {

/// What all groups of a query share. Made by its first row, and dies with the query.
struct Shared {
    std::shared_ptr<const model::Model> model;
    profile::Profile nobody;
    step::Facts facts;
    std::vector<model::Index> slots;

    Shared(std::shared_ptr<const model::Model> of, std::int64_t from_tick)
        : model(std::move(of)), facts(*model, nobody), slots(step::backfilled_slots(*model, from_tick)) {}
};

/// One group's: its own fold, and what parallel workers have sent of theirs.
struct FoldedPast {
    std::optional<step::PastFold> fold;
    std::string parts;

    [[nodiscard]] std::string bytes() const { return parts + (fold ? fold->encode() : std::string()); }
};

MemoryContext aggregate_context(FunctionCallInfo fcinfo) {
    return border::pg_call([fcinfo] {
        MemoryContext context = nullptr;
        if (AggCheckCallContext(fcinfo, &context) == 0)
            elog(ERROR, "nurture._past called outside an aggregate");
        return context;
    });
}

FoldedPast* state_argument(FunctionCallInfo fcinfo, int n) {
    return PG_ARGISNULL(n) ? nullptr : reinterpret_cast<FoldedPast*>(PG_GETARG_POINTER(n));
}

FoldedPast* state_or_new(FunctionCallInfo fcinfo) {
    MemoryContext const context = aggregate_context(fcinfo);
    FoldedPast* const state = state_argument(fcinfo, 0);
    return state != nullptr ? state : border::make_in<FoldedPast>(context);
}

Shared& shared_by_all(FunctionCallInfo fcinfo) {
    if (fcinfo->flinfo->fn_extra == nullptr)
        fcinfo->flinfo->fn_extra = border::make_in<Shared>(
            fcinfo->flinfo->fn_mcxt, border::model_argument(fcinfo, 1), PG_GETARG_INT64(2));
    return *static_cast<Shared*>(fcinfo->flinfo->fn_extra);
}

Datum null_result(FunctionCallInfo fcinfo) {
    fcinfo->isnull = true;
    return 0;
}

} // namespace

// _past(model, from_tick, type, at, props, tick, n)
NURTURE_FUNCTION(nurture_past_transition) {
    return border::entry([&]() -> Datum {
        for (int i = 1; i <= 7; ++i)
            if (PG_ARGISNULL(i))
                throw Error(ErrorKind::invalid_parameter, "the arguments of nurture._past must not be null");
        Shared& shared = shared_by_all(fcinfo);
        FoldedPast* const state = state_or_new(fcinfo);
        if (!state->fold)
            state->fold.emplace(shared.facts, shared.slots);
        if (shared.slots.empty())
            return PointerGetDatum(state);
        Datum const props = PG_GETARG_DATUM(5);
        border::PropertyTexts texts;
        border::JsonbProperties const properties(border::pg_call([props] { return DatumGetJsonbP(props); }), texts);
        profile::Stamp const stamp{border::time_of(PG_GETARG_DATUM(4)), PG_GETARG_INT64(6), PG_GETARG_INT32(7)};
        state->fold->take(border::bytes_argument(fcinfo, 3), properties, stamp);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_past_combine) {
    return border::entry([&]() -> Datum {
        const FoldedPast* const other = state_argument(fcinfo, 1);
        if (other == nullptr)
            return PG_ARGISNULL(0) ? null_result(fcinfo) : PG_GETARG_DATUM(0);
        FoldedPast* const state = state_or_new(fcinfo);
        state->parts += other->bytes();
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_past_serialize) {
    return border::entry([&]() -> Datum { return border::make_varlena(state_argument(fcinfo, 0)->bytes()); });
}

NURTURE_FUNCTION(nurture_past_deserialize) {
    return border::entry([&]() -> Datum {
        auto* const state = border::make_in<FoldedPast>(aggregate_context(fcinfo));
        state->parts = border::bytes_argument(fcinfo, 0);
        return PointerGetDatum(state);
    });
}

// NULL when nothing of the group counts.
NURTURE_FUNCTION(nurture_past_final) {
    return border::entry([&]() -> Datum {
        const FoldedPast* const state = state_argument(fcinfo, 0);
        std::string const bytes = state == nullptr ? std::string() : state->bytes();
        return bytes.empty() ? null_result(fcinfo) : border::make_varlena(bytes);
    });
}

// _with_past(model, state, parts)
NURTURE_FUNCTION(nurture_with_past) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        profile::Profile state = profile::decode(border::bytes_argument(fcinfo, 1));
        step::merge_past(*model, state, border::bytes_argument(fcinfo, 2));
        return border::make_varlena(encode(state));
    });
}

// _past_types(model, from_tick)
NURTURE_FUNCTION(nurture_past_types) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        auto const types = step::event_types(*model, PG_GETARG_INT64(1));
        int const count = static_cast<int>(types.size());
        auto* const datums =
            static_cast<Datum*>(border::pg_call([count] { return palloc(sizeof(Datum) * (count + 1)); }));
        for (int i = 0; i < count; ++i)
            datums[i] = border::make_text(types[static_cast<std::size_t>(i)]);
        return border::pg_call(
            [=] { return PointerGetDatum(construct_array(datums, count, TEXTOID, -1, false, TYPALIGN_INT)); });
    });
}

// _completed(before, model, state, messages packed with place = tick·2^24 + n or NULL): a replay's counterpart of a
// backfill. Features that have become complete between two models are what the log gives.
NURTURE_FUNCTION(nurture_completed) {
    return border::entry([&]() -> Datum {
        auto const before = border::model_argument(fcinfo, 0);
        auto const model = border::model_argument(fcinfo, 1);
        profile::Profile state = profile::decode(border::bytes_argument(fcinfo, 2));
        border::PackedMessages const messages(border::packed_argument(fcinfo, 3));
        Time const clock = state.clock;
        step::complete_features(*before, *model, state, fold(*model, messages.logged(), clock));
        return border::make_varlena(encode(state));
    });
}
