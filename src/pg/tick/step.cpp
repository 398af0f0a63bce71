// nurture._step: a contact's row and its packed messages in, the next row and the outputs out. A failure of the step
// is a value, not an error: the tick quarantines that contact and goes on with the others.
#include "core/step/step.hpp"

#include "pg/border/rows.hpp"
#include "pg/inbox/messages.hpp"
#include "pg/model/compiled_model.hpp"
#include "pg/profile/profile_argument.hpp"
#include "pg/tick/outputs.hpp"

using namespace nurture;

namespace {

using ResultRow = border::Row<9>;

/// Far beyond what people leave behind (a median of some hundred bytes): it is read and written at each step.
constexpr std::size_t max_state_bytes = 16 << 20;

ResultRow success(const step::Result& result) {
    ResultRow row;
    std::string const state = encode(result.profile);
    if (state.size() > max_state_bytes)
        throw Error(ErrorKind::limit_exceeded, "what is known of the contact would take more than 16 MB");
    row.add(border::make_varlena(state));
    row.add_time(result.due);
    row.add_time(result.clock_before);
    result.numbers.empty() ? row.add_null() : row.add(border::make_int_array(result.numbers));
    row.add_int(border::kinds_of(result));
    std::string const outputs = border::encode_outputs(result);
    outputs.empty() ? row.add_null() : row.add(border::make_varlena(outputs));
    row.add_int(static_cast<std::int32_t>(result.duplicates));
    row.add_bigint(static_cast<std::int64_t>(result.unconvertible));
    row.add_null();
    return row;
}

ResultRow failure(const std::string& reason) {
    ResultRow row;
    for (int i = 0; i < 8; ++i)
        row.add_null();
    row.add_text(reason);
    return row;
}

step::Input read_input(FunctionCallInfo fcinfo) {
    step::Input input;
    input.contact = border::bytes_argument(fcinfo, 1);
    if (!PG_ARGISNULL(2))
        input.profile = border::profile_argument(fcinfo, 2);
    if (!PG_ARGISNULL(4))
        input.until = border::time_of(PG_GETARG_DATUM(4));
    input.tick = PG_GETARG_INT64(5);
    return input;
}

Datum step_contact(FunctionCallInfo fcinfo, std::optional<step::Bound> bound) {
    return border::entry([&]() -> Datum {
        border::check_interrupts();
        if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(5)) {
            fcinfo->isnull = true;
            return 0;
        }
        auto const model = border::model_argument(fcinfo, 0);
        try {
            step::Input input = read_input(fcinfo);
            input.bound = bound;
            border::PackedMessages const packed(border::packed_argument(fcinfo, 3));
            input.messages = packed.messages();
            auto row = success(step::step(*model, std::move(input)));
            return row.composite(fcinfo);
        } catch (const Error& error) {
            // Only what the contact itself causes stays with the contact.
            if (error.kind == ErrorKind::interrupted || error.kind == ErrorKind::newer_format)
                throw;
            std::string reason = error.what();
            if (!error.detail.empty())
                reason += ": " + error.detail;
            if (!error.hint.empty())
                reason += ' ' + error.hint;
            auto row = failure(reason);
            return row.composite(fcinfo);
        } catch (const std::bad_alloc&) {
            throw;
        } catch (const std::exception& error) { // a library's
            auto row = failure(error.what());
            return row.composite(fcinfo);
        }
    });
}

} // namespace

// _step(model, contact, state, messages, until, tick)
NURTURE_FUNCTION(nurture_step) { return step_contact(fcinfo, std::nullopt); }
// The same, as far as one step may go.
NURTURE_FUNCTION(nurture_step_bounded) { return step_contact(fcinfo, step::Bound()); }

NURTURE_FUNCTION(nurture_in_transaction_block) { return BoolGetDatum(IsTransactionBlock()); }
