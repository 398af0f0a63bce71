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

/// What a query folds by. Made by its first row, and dies with the query.
struct Shared {
    std::shared_ptr<const model::Model> model;
    profile::Profile nobody;
    step::Facts facts;
    step::PastPlan plan;

    Shared(std::shared_ptr<const model::Model> of, std::int64_t from_tick)
        : model(std::move(of)), facts(*model, nobody), plan(facts, from_tick) {}
};

/// A process's own fold, or what parallel workers have sent of theirs.
struct FoldedPast {
    std::optional<step::PastTable> table;
    std::vector<std::string> encoded;

    /// As PastTable encodes; several of them are only put together.
    [[nodiscard]] std::string bytes() {
        if (encoded.empty())
            return table ? table->encode() : std::string();
        std::vector<std::string_view> all(encoded.begin(), encoded.end());
        std::string const own = table ? table->encode() : std::string();
        all.push_back(own);
        step::PastReader in(all);
        ByteWriter out;
        std::string_view contact;
        for (std::string parts; in.next(contact, parts);) {
            out.text(contact);
            out.text(parts);
        }
        return out.take();
    }
};

/// An event's properties, fetched and unpacked when something asks for them.
class LateProperties final : public profile::Properties {
  public:
    LateProperties(Datum props, border::PropertyTexts& texts) noexcept : props_(props), texts_(texts) {}
    [[nodiscard]] profile::Value get(const language::Path& path) const override { return fetched().get(path); }
    void each(Visit visit, void* context) const override { fetched().each(visit, context); }

  private:
    Datum props_;
    border::PropertyTexts& texts_;
    mutable std::optional<border::JsonbProperties> fetched_;

    [[nodiscard]] const border::JsonbProperties& fetched() const {
        if (!fetched_) {
            Datum const props = props_;
            fetched_.emplace(border::pg_call([props] { return DatumGetJsonbP(props); }), texts_);
        }
        return *fetched_;
    }
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
    FoldedPast* const state = state_argument(fcinfo, 0);
    return state != nullptr ? state : border::make_in<FoldedPast>(aggregate_context(fcinfo));
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

// Texts as short as those of the log lie in their rows; only what was moved out or compressed has to be fetched.
std::string_view plain_argument(FunctionCallInfo fcinfo, int n) {
    auto* const value = reinterpret_cast<varlena*>(DatumGetPointer(fcinfo->args[n].value));
    if (VARATT_IS_EXTERNAL(value) || VARATT_IS_COMPRESSED(value))
        return border::bytes_argument(fcinfo, n);
    return border::bytes_of(value);
}

} // namespace

// _past(model, from_tick, contact, type, at, props, tick, n)
NURTURE_FUNCTION(nurture_past_transition) {
    return border::entry([&]() -> Datum {
        for (int i = 1; i <= 8; ++i)
            if (PG_ARGISNULL(i))
                throw Error(ErrorKind::invalid_parameter, "the arguments of nurture._past must not be null");
        Shared& shared = shared_by_all(fcinfo);
        FoldedPast* const state = state_or_new(fcinfo);
        std::int64_t const tick = PG_GETARG_INT64(7);
        if (tick >= PG_GETARG_INT64(2))
            return PointerGetDatum(state);
        if (!state->table)
            state->table.emplace(shared.plan);
        border::PropertyTexts texts;
        LateProperties const properties(PG_GETARG_DATUM(6), texts);
        profile::Stamp const stamp{border::time_of(PG_GETARG_DATUM(5)), tick, PG_GETARG_INT32(8)};
        state->table->take(plain_argument(fcinfo, 3), plain_argument(fcinfo, 4), properties, stamp);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_past_combine) {
    return border::entry([&]() -> Datum {
        FoldedPast* const other = state_argument(fcinfo, 1);
        if (other == nullptr)
            return PG_ARGISNULL(0) ? null_result(fcinfo) : PG_GETARG_DATUM(0);
        FoldedPast* const state = state_or_new(fcinfo);
        std::move(other->encoded.begin(), other->encoded.end(), std::back_inserter(state->encoded));
        other->encoded.clear();
        if (other->table)
            state->encoded.push_back(other->table->encode());
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_past_serialize) {
    return border::entry([&]() -> Datum { return border::make_varlena(state_argument(fcinfo, 0)->bytes()); });
}

NURTURE_FUNCTION(nurture_past_deserialize) {
    return border::entry([&]() -> Datum {
        auto* const state = border::make_in<FoldedPast>(aggregate_context(fcinfo));
        state->encoded.emplace_back(border::bytes_argument(fcinfo, 0));
        return PointerGetDatum(state);
    });
}

// NULL: there was nothing to fold.
NURTURE_FUNCTION(nurture_past_final) {
    return border::entry([&]() -> Datum {
        FoldedPast* const state = state_argument(fcinfo, 0);
        return state == nullptr ? null_result(fcinfo) : border::make_varlena(state->bytes());
    });
}

// _past_rows(pasts) → contact, parts; ascending by contact
NURTURE_FUNCTION(nurture_past_rows) {
    return border::entry([&]() -> Datum {
        step::PastReader in({border::bytes_argument(fcinfo, 0)});
        border::RowSink sink(fcinfo);
        MemoryContext const of_a_row = border::pg_call(
            [] { return AllocSetContextCreate(CurrentMemoryContext, "nurture past", ALLOCSET_DEFAULT_SIZES); });
        std::string_view contact;
        for (std::string parts; in.next(contact, parts);) {
            border::check_interrupts();
            MemoryContext const old = MemoryContextSwitchTo(of_a_row);
            border::Row<2> row;
            row.add_text(contact);
            row.add(border::make_varlena(parts));
            row.put_into(sink);
            MemoryContextSwitchTo(old);
            border::pg_call([of_a_row] { MemoryContextReset(of_a_row); });
        }
        return 0;
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

// _completes(before, model): whether _completed has anything to do
NURTURE_FUNCTION(nurture_completes) {
    return border::entry([&]() -> Datum {
        auto const before = border::model_argument(fcinfo, 0);
        auto const model = border::model_argument(fcinfo, 1);
        return BoolGetDatum(step::completes_features(*before, *model));
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
