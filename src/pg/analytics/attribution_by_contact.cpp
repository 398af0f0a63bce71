// attribution_by(): touches and conversions in one pass.
#include "core/analytics/attribution_log.hpp"

#include "pg/analytics/by_contact.hpp"
#include "pg/analytics/statistics_glue.hpp"

namespace nurture::analytics {

namespace {

using border::entry;

struct TouchesByContact : ByContact {
    TouchesByContact(MemoryContext context, Span span) : ByContact(context), log(span, &memory, budget) {}
    AttributionLog log;
};

constexpr int contact_argument = 1, at_argument = 2, channel_argument = 3, conversions_argument = 4,
              value_argument = 5, span_argument = 6;

bool given(FunctionCallInfo fcinfo, int argument) {
    return PG_NARGS() > argument && !PG_ARGISNULL(argument);
}

} // namespace

// (state, contact, at, channel, conversions [, value [, span]]): one row.
NURTURE_FUNCTION(nurture_attribution_by_row) {
    return entry([&]() -> Datum {
        MemoryContext const context = aggregate_context(fcinfo);
        CallSite const& site = call_site(fcinfo, contact_argument, 0);
        Span span = never;
        if (given(fcinfo, span_argument) &&
            (span = exact_span(*PG_GETARG_INTERVAL_P(span_argument), "span")) <= 0)
            throw Error(ErrorKind::invalid_parameter, "span must be positive");
        auto* state = state_of<TouchesByContact>(fcinfo, 0);
        if (state == nullptr)
            state = make_by<TouchesByContact>(context, span);
        else if (state->log.span() != span)
            throw Error(ErrorKind::invalid_parameter, "the span differs within a group");
        std::int64_t const conversions =
            given(fcinfo, conversions_argument) ? PG_GETARG_INT64(conversions_argument) : 0;
        Micro value = 0;
        if (given(fcinfo, value_argument))
            value = border::micro_of_numeric(PG_GETARG_DATUM(value_argument));
        if (conversions == 0 && value != 0)
            throw Error(ErrorKind::invalid_parameter, "value without a conversion", "",
                        "Give the number of conversions it is the value of.");
        bool const touched = !PG_ARGISNULL(channel_argument);
        if (PG_ARGISNULL(contact_argument) || PG_ARGISNULL(at_argument) || (!touched && conversions == 0))
            return PointerGetDatum(state);
        Time const at = border::finite_time(PG_GETARG_DATUM(at_argument));
        ContactKey const contact(fcinfo, contact_argument, site.key);
        if (touched) {
            text* const channel = PG_GETARG_TEXT_PP(channel_argument);
            state->log.add_touch(contact, at, view_of(channel));
        }
        if (conversions != 0)
            state->log.add_conversion(contact, at, conversions, value);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_attribution_by_combine) {
    return entry([&]() -> Datum {
        MemoryContext const context = aggregate_context(fcinfo);
        auto* to = state_of<TouchesByContact>(fcinfo, 0);
        auto* const from = state_of<TouchesByContact>(fcinfo, 1);
        if (from == nullptr)
            return to == nullptr ? null_result(fcinfo) : PointerGetDatum(to);
        if (to == nullptr)
            to = make_by<TouchesByContact>(context, from->log.span());
        if (from->packed.data() == nullptr || to->log.span() != from->log.span())
            to->log.merge(from->log);
        else
            to->log.merge(from->packed);
        return PointerGetDatum(to);
    });
}

NURTURE_FUNCTION(nurture_attribution_by_serialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        auto& log = state_of<TouchesByContact>(fcinfo, 0)->log;
        std::string out;
        ByteWriter writer(out);
        writer.byte(state_version);
        writer.varint(static_cast<std::uint64_t>(log.span()));
        log.encode_to(out);
        return make_varlena(out);
    });
}

NURTURE_FUNCTION(nurture_attribution_by_deserialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        std::string_view const bytes = read_varlena(PG_GETARG_DATUM(0));
        ByteReader reader(bytes);
        expect_version(reader);
        auto const span = static_cast<Span>(reader.varint());
        if (span <= 0)
            ByteReader::fail("the span is not positive");
        auto* const state = make_by<TouchesByContact>(CurrentMemoryContext, span);
        state->packed = bytes.substr(bytes.size() - reader.left());
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_attribution_by_summary) {
    return entry([&]() -> Datum {
        auto* const state = state_of<TouchesByContact>(fcinfo, 0);
        if (state == nullptr)
            return null_result(fcinfo);
        return make_varlena(state->log.summary(border::check_interrupts));
    });
}

} // namespace nurture::analytics
