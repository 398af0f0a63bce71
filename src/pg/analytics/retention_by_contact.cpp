// retention_by() and cohort_by().
#include "core/analytics/cohort_log.hpp"
#include "core/analytics/contact_masks.hpp"

#include "pg/analytics/by_contact.hpp"

namespace nurture::analytics {

namespace {

using border::entry;

struct MasksByContact : ByContact {
    MasksByContact(MemoryContext context, unsigned how_many)
        : ByContact(context), masks(&memory, budget), conditions(how_many) {}
    ContactMasks masks;
    unsigned conditions;
};

struct CohortsByContact : ByContact {
    CohortsByContact(MemoryContext context, const Period& period)
        : ByContact(context), log(period, &memory, budget) {}
    CohortLog log;
};

/// (state, contact, at, period): one row.
Datum cohort_by_row(FunctionCallInfo fcinfo, TimeKind kind) {
    MemoryContext const context = aggregate_context(fcinfo);
    CallSite const& site = call_site(fcinfo, 1, 0);
    if (PG_ARGISNULL(3))
        throw Error(ErrorKind::invalid_parameter, "a cohort's period must not be null");
    const Interval* const interval = PG_GETARG_INTERVAL_P(3);
    Period const period = make_period({interval->month, interval->day, interval->time});
    auto* state = state_of<CohortsByContact>(fcinfo, 0);
    if (state == nullptr)
        state = make_by<CohortsByContact>(context, period);
    else if (state->log.period() != period)
        throw Error(ErrorKind::invalid_parameter, "the period differs within a group");
    if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2)) {
        Time const at = read_time(PG_GETARG_DATUM(2), kind);
        state->log.add(ContactKey(fcinfo, 1, site.key), at);
    }
    return PointerGetDatum(state);
}

} // namespace

NURTURE_FUNCTION(nurture_cohort_by_row_timestamptz) {
    return entry([&]() -> Datum { return cohort_by_row(fcinfo, TimeKind::timestamptz); });
}
NURTURE_FUNCTION(nurture_cohort_by_row_date) {
    return entry([&]() -> Datum { return cohort_by_row(fcinfo, TimeKind::date); });
}

// (state, contact, VARIADIC conditions): one row.
NURTURE_FUNCTION(nurture_retention_by_row) {
    return entry([&]() -> Datum {
        MemoryContext const context = aggregate_context(fcinfo);
        CallSite const& site = call_site(fcinfo, 1, 2);
        unsigned conditions = 0;
        std::uint32_t const mask = read_mask(fcinfo, site, 2, conditions);
        auto* state = state_of<MasksByContact>(fcinfo, 0);
        if (state == nullptr)
            state = make_by<MasksByContact>(context, conditions);
        else if (state->conditions != conditions)
            throw Error(ErrorKind::invalid_parameter, "the number of conditions differs within a group");
        if (mask != 0 && !PG_ARGISNULL(1))
            state->masks.add(ContactKey(fcinfo, 1, site.key), mask);
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_retention_by_combine) {
    return entry([&]() -> Datum {
        MemoryContext const context = aggregate_context(fcinfo);
        auto* to = state_of<MasksByContact>(fcinfo, 0);
        auto* const from = state_of<MasksByContact>(fcinfo, 1);
        if (from == nullptr)
            return to == nullptr ? null_result(fcinfo) : PointerGetDatum(to);
        if (to == nullptr)
            to = make_by<MasksByContact>(context, from->conditions);
        else if (to->conditions != from->conditions)
            throw Error(ErrorKind::invalid_parameter, "the number of conditions differs within a group");
        if (from->packed.data() == nullptr)
            to->masks.merge(from->masks);
        else
            to->masks.merge(from->packed);
        return PointerGetDatum(to);
    });
}

NURTURE_FUNCTION(nurture_retention_by_serialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        auto& state = *state_of<MasksByContact>(fcinfo, 0);
        std::string out;
        ByteWriter writer(out);
        writer.byte(state_version);
        writer.byte(static_cast<std::uint8_t>(state.conditions));
        state.masks.encode_to(out);
        return make_varlena(out);
    });
}

NURTURE_FUNCTION(nurture_retention_by_deserialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        std::string_view const bytes = read_varlena(PG_GETARG_DATUM(0));
        ByteReader reader(bytes);
        expect_version(reader);
        std::uint8_t const conditions = reader.byte();
        if (conditions < 1 || conditions > max_conditions)
            ByteReader::fail("the number of conditions is not between 1 and 32");
        auto* const state = make_by<MasksByContact>(CurrentMemoryContext, unsigned{conditions});
        state->packed = bytes.substr(bytes.size() - reader.left());
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_retention_by_counts) {
    return entry([&]() -> Datum {
        auto* const state = state_of<MasksByContact>(fcinfo, 0);
        return state == nullptr ? null_result(fcinfo)
                                : counts_array(state->masks.retained(state->conditions));
    });
}

NURTURE_FUNCTION(nurture_cohort_by_combine) {
    return entry([&]() -> Datum {
        MemoryContext const context = aggregate_context(fcinfo);
        auto* to = state_of<CohortsByContact>(fcinfo, 0);
        auto* const from = state_of<CohortsByContact>(fcinfo, 1);
        if (from == nullptr)
            return to == nullptr ? null_result(fcinfo) : PointerGetDatum(to);
        if (to == nullptr)
            to = make_by<CohortsByContact>(context, from->log.period());
        if (from->packed.data() == nullptr || to->log.period() != from->log.period())
            to->log.merge(from->log);
        else
            to->log.merge(from->packed);
        return PointerGetDatum(to);
    });
}

NURTURE_FUNCTION(nurture_cohort_by_serialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        auto& state = *state_of<CohortsByContact>(fcinfo, 0);
        std::string out;
        ByteWriter writer(out);
        writer.byte(state_version);
        writer.varint(static_cast<std::uint64_t>(state.log.period().months));
        writer.varint(static_cast<std::uint64_t>(state.log.period().micros));
        state.log.encode_to(out);
        return make_varlena(out);
    });
}

NURTURE_FUNCTION(nurture_cohort_by_deserialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        std::string_view const bytes = read_varlena(PG_GETARG_DATUM(0));
        ByteReader reader(bytes);
        expect_version(reader);
        auto const months = static_cast<std::int64_t>(reader.varint());
        auto const micros = static_cast<Span>(reader.varint());
        if (months < 0 || months > 0x7fffffff || micros < 0 || (months == 0) == (micros == 0))
            ByteReader::fail("the period is neither months nor an exact length");
        auto* const state = make_by<CohortsByContact>(CurrentMemoryContext,
                                                      Period{static_cast<std::int32_t>(months), micros});
        state->packed = bytes.substr(bytes.size() - reader.left());
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_cohort_by_summary) {
    return entry([&]() -> Datum {
        auto* const state = state_of<CohortsByContact>(fcinfo, 0);
        if (state == nullptr)
            return null_result(fcinfo);
        return make_varlena(encode(state->log.summary(border::check_interrupts)));
    });
}

} // namespace nurture::analytics
