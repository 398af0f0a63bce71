// funnel_by() and sequence_by().
#include "core/analytics/contact_log.hpp"
#include "core/analytics/funnel.hpp"
#include "core/analytics/sequence.hpp"

#include "pg/analytics/by_contact.hpp"

namespace nurture::analytics {

namespace {

using border::entry;

/// Of funnel_by() and sequence_by().
struct EventsByContact : ByContact {
    EventsByContact(MemoryContext context, TimeKind time_kind, unsigned how_many, Span length,
                    const text* source)
        : ByContact(context), log(&memory, budget), kind(time_kind), conditions(how_many), span(length),
          pattern(source) {}
    ContactLog log;
    TimeKind kind;
    unsigned conditions;
    Span span;           ///< a funnel's
    const text* pattern; ///< a sequence's; a funnel's mode, null where it has none

    void expect_same(TimeKind other_kind, unsigned other_conditions, Span other_span,
                     const text* other) const {
        if (conditions != other_conditions || kind != other_kind)
            throw Error(ErrorKind::invalid_parameter,
                        "the number of conditions or the type of the times differs within a group");
        if (span != other_span)
            throw Error(ErrorKind::invalid_parameter, "the span differs within a group");
        if (!same_pattern(pattern, other))
            throw Error(ErrorKind::invalid_parameter, "the pattern or mode differs within a group");
    }
};

Span span_argument(FunctionCallInfo fcinfo, int argument, TimeKind kind) {
    if (PG_ARGISNULL(argument))
        throw Error(ErrorKind::invalid_parameter, "a funnel's span must not be null");
    if (kind != TimeKind::bigint)
        return exact_span(*PG_GETARG_INTERVAL_P(argument), "a funnel's span");
    Span const span = PG_GETARG_INT64(argument);
    if (span < 0)
        throw Error(ErrorKind::invalid_parameter, "a funnel's span must not be negative");
    return span;
}

/// A funnel's mode as the aggregate was given it.
FunnelMode mode_of(const text* source, unsigned conditions) {
    if (source == nullptr)
        return {};
    FunnelMode const mode = parse_funnel_mode(view_of(source));
    check_excluded(mode, conditions);
    return mode;
}

enum class Modal : bool { no, yes };

/// (state, contact, at, span [, mode], VARIADIC steps): one row.
Datum funnel_by_row(FunctionCallInfo fcinfo, TimeKind kind, Modal modal) {
    MemoryContext const context = aggregate_context(fcinfo);
    int const first = modal == Modal::yes ? 5 : 4;
    CallSite const& site = call_site(fcinfo, 1, first);
    Span const span = span_argument(fcinfo, 3, kind);
    const text* mode = nullptr;
    if (modal == Modal::yes) {
        if (PG_ARGISNULL(4))
            throw Error(ErrorKind::invalid_parameter, "a funnel's mode must not be null");
        mode = PG_GETARG_TEXT_PP(4);
    }
    unsigned conditions = 0;
    std::uint32_t const mask = read_mask(fcinfo, site, first, conditions);
    auto* state = state_of<EventsByContact>(fcinfo, 0);
    if (state == nullptr) {
        (void)mode_of(mode, conditions);
        state = make_by<EventsByContact>(context, kind, conditions, span,
                                         mode == nullptr ? nullptr : copy_of(context, view_of(mode)));
    } else {
        state->expect_same(kind, conditions, span, mode);
    }
    if (mask != 0 && !PG_ARGISNULL(1) && !PG_ARGISNULL(2)) {
        Time const at = read_time(PG_GETARG_DATUM(2), kind);
        state->log.add(ContactKey(fcinfo, 1, site.key), at, mask);
    }
    return PointerGetDatum(state);
}

/// (state, pattern, contact, at, VARIADIC conditions): one row.
Datum sequence_by_row(FunctionCallInfo fcinfo, TimeKind kind) {
    MemoryContext const context = aggregate_context(fcinfo);
    if (PG_ARGISNULL(1))
        throw Error(ErrorKind::invalid_parameter, "a sequence's pattern must not be null");
    const text* const pattern = PG_GETARG_TEXT_PP(1);
    CallSite const& site = call_site(fcinfo, 2, 4);
    unsigned conditions = 0;
    std::uint32_t const mask = read_mask(fcinfo, site, 4, conditions);
    auto* state = state_of<EventsByContact>(fcinfo, 0);
    if (state == nullptr) {
        check_conditions(parse_pattern(view_of(pattern), kind == TimeKind::bigint), conditions);
        state =
            make_by<EventsByContact>(context, kind, conditions, Span{0}, copy_of(context, view_of(pattern)));
    } else {
        state->expect_same(kind, conditions, 0, pattern);
    }
    if (mask != 0 && !PG_ARGISNULL(2) && !PG_ARGISNULL(3)) {
        Time const at = read_time(PG_GETARG_DATUM(3), kind);
        state->log.add(ContactKey(fcinfo, 2, site.key), at, mask);
    }
    return PointerGetDatum(state);
}

} // namespace

NURTURE_FUNCTION(nurture_funnel_by_row_timestamptz) {
    return entry([&]() -> Datum { return funnel_by_row(fcinfo, TimeKind::timestamptz, Modal::no); });
}
NURTURE_FUNCTION(nurture_funnel_by_mode_row_timestamptz) {
    return entry([&]() -> Datum { return funnel_by_row(fcinfo, TimeKind::timestamptz, Modal::yes); });
}
NURTURE_FUNCTION(nurture_funnel_by_row_date) {
    return entry([&]() -> Datum { return funnel_by_row(fcinfo, TimeKind::date, Modal::no); });
}
NURTURE_FUNCTION(nurture_funnel_by_mode_row_date) {
    return entry([&]() -> Datum { return funnel_by_row(fcinfo, TimeKind::date, Modal::yes); });
}
NURTURE_FUNCTION(nurture_funnel_by_row_bigint) {
    return entry([&]() -> Datum { return funnel_by_row(fcinfo, TimeKind::bigint, Modal::no); });
}
NURTURE_FUNCTION(nurture_funnel_by_mode_row_bigint) {
    return entry([&]() -> Datum { return funnel_by_row(fcinfo, TimeKind::bigint, Modal::yes); });
}
NURTURE_FUNCTION(nurture_sequence_by_row_timestamptz) {
    return entry([&]() -> Datum { return sequence_by_row(fcinfo, TimeKind::timestamptz); });
}
NURTURE_FUNCTION(nurture_sequence_by_row_date) {
    return entry([&]() -> Datum { return sequence_by_row(fcinfo, TimeKind::date); });
}
NURTURE_FUNCTION(nurture_sequence_by_row_bigint) {
    return entry([&]() -> Datum { return sequence_by_row(fcinfo, TimeKind::bigint); });
}
NURTURE_FUNCTION(nurture_events_by_combine) {
    return entry([&]() -> Datum {
        MemoryContext const context = aggregate_context(fcinfo);
        auto* to = state_of<EventsByContact>(fcinfo, 0);
        auto* const from = state_of<EventsByContact>(fcinfo, 1);
        if (from == nullptr)
            return to == nullptr ? null_result(fcinfo) : PointerGetDatum(to);
        if (to == nullptr)
            to = make_by<EventsByContact>(
                context, from->kind, from->conditions, from->span,
                from->pattern == nullptr ? nullptr : copy_of(context, view_of(from->pattern)));
        else
            to->expect_same(from->kind, from->conditions, from->span, from->pattern);
        if (from->packed.data() == nullptr) {
            to->log.merge(from->log);
            return PointerGetDatum(to);
        }
        std::uint32_t const known = low_bits(from->conditions);
        to->log.merge(from->packed, [known](std::uint32_t mask) {
            if (mask == 0 || (mask & ~known) != 0)
                ByteReader::fail("an event satisfies no condition, or one there is not");
            return mask;
        });
        return PointerGetDatum(to);
    });
}

NURTURE_FUNCTION(nurture_events_by_serialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        auto& state = *state_of<EventsByContact>(fcinfo, 0);
        std::string out;
        ByteWriter writer(out);
        writer.byte(state_version);
        writer.byte(static_cast<std::uint8_t>(state.kind));
        writer.byte(static_cast<std::uint8_t>(state.conditions));
        writer.varint(static_cast<std::uint64_t>(state.span));
        writer.text(state.pattern == nullptr ? std::string_view{} : view_of(state.pattern));
        state.log.encode_to(out);
        return make_varlena(out);
    });
}

// The state made here lives as long as the bytes: until it is combined.
NURTURE_FUNCTION(nurture_events_by_deserialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        std::string_view const bytes = read_varlena(PG_GETARG_DATUM(0));
        ByteReader reader(bytes);
        expect_version(reader);
        std::uint8_t const kind = reader.byte(), conditions = reader.byte();
        auto const span = static_cast<Span>(reader.varint());
        if (kind > 3 || conditions < 1 || conditions > max_conditions || span < 0)
            ByteReader::fail("the head is out of range");
        std::string_view const pattern = reader.text();
        auto* const state = make_by<EventsByContact>(
            CurrentMemoryContext, static_cast<TimeKind>(kind), unsigned{conditions}, span,
            pattern.empty() ? nullptr : copy_of(CurrentMemoryContext, pattern));
        state->packed = bytes.substr(bytes.size() - reader.left());
        return PointerGetDatum(state);
    });
}

NURTURE_FUNCTION(nurture_funnel_by_counts) {
    return entry([&]() -> Datum {
        auto* const state = state_of<EventsByContact>(fcinfo, 0);
        if (state == nullptr)
            return null_result(fcinfo);
        FunnelMode const mode = mode_of(state->pattern, state->conditions);
        std::vector<std::int64_t> counts(funnel_steps(state->conditions, mode), 0);
        state->log.for_each_contact([&](std::span<const Event> events) {
            border::check_interrupts();
            unsigned const depth = funnel_depth(events, state->conditions, state->span, mode);
            if (depth > 0)
                ++counts[depth - 1];
        });
        for (std::size_t i = counts.size(); i > 1; --i) // who reached a step reached those before
            counts[i - 2] += counts[i - 1];
        return counts_array(counts);
    });
}

NURTURE_FUNCTION(nurture_sequence_by_count) {
    return entry([&]() -> Datum {
        auto* const state = state_of<EventsByContact>(fcinfo, 0);
        if (state == nullptr)
            return Int64GetDatum(0);
        Pattern const pattern = parse_pattern(view_of(state->pattern), state->kind == TimeKind::bigint);
        std::int64_t count = 0;
        state->log.for_each_contact([&](std::span<const Event> events) {
            border::check_interrupts();
            count += sequence_matches(pattern, events) ? 1 : 0;
        });
        return Int64GetDatum(count);
    });
}

} // namespace nurture::analytics
