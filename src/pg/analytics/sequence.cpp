// sequence_match(), sequence_count(), sequence_events() and next_node().
#include "core/analytics/next_node.hpp"
#include "core/analytics/sequence.hpp"

#include "pg/analytics/event_state.hpp"
#include "pg/border/memory.hpp"

#include "core/analytics/wire.hpp"

#include <algorithm>

namespace nurture::analytics {

namespace {

using border::entry;
using border::pg_call;

/// The pattern parsed last by this call site; a query usually has one only.
struct ParsedPattern {
    std::string source;
    bool plain = false;
    Pattern pattern;
    text* kept = nullptr; ///< see keep_pattern()
};

ParsedPattern& pattern_cache(FunctionCallInfo fcinfo) {
    auto*& cache = reinterpret_cast<ParsedPattern*&>(fcinfo->flinfo->fn_extra);
    if (cache == nullptr)
        cache = border::make_in<ParsedPattern>(fcinfo->flinfo->fn_mcxt);
    return *cache;
}

const Pattern& parsed(FunctionCallInfo fcinfo, const text* source, TimeKind kind) {
    ParsedPattern* const cache = &pattern_cache(fcinfo);
    std::string_view const wanted(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source));
    bool const plain = kind == TimeKind::bigint;
    if (cache->pattern.elements.empty() || cache->plain != plain || cache->source != wanted) {
        Pattern pattern = parse_pattern(wanted, plain);
        cache->source = wanted;
        cache->plain = plain;
        cache->pattern = std::move(pattern);
    }
    return cache->pattern;
}

/// (state, pattern, at, VARIADIC conditions): one row.
Datum sequence_row(FunctionCallInfo fcinfo, TimeKind kind) {
    MemoryContext const context = aggregate_context(fcinfo);
    if (PG_ARGISNULL(1))
        throw Error(ErrorKind::invalid_parameter, "a sequence's pattern must not be null");
    text* const pattern = PG_GETARG_TEXT_PP(1);
    unsigned conditions = 0;
    std::uint32_t const mask = read_conditions(fcinfo, 3, conditions);
    auto* state = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<EventState*>(PG_GETARG_POINTER(0));
    if (state == nullptr) {
        check_conditions(parsed(fcinfo, pattern, kind), conditions);
        state = make_state(context, kind, conditions, 0,
                           keep_pattern(fcinfo, context, pattern, pattern_cache(fcinfo).kept));
    } else {
        if (state->conditions != conditions)
            throw Error(ErrorKind::invalid_parameter, "the number of conditions differs within a group");
        if (!same_pattern(pattern, state->pattern))
            throw Error(ErrorKind::invalid_parameter, "the pattern differs within a group");
    }
    if (mask != 0 && !PG_ARGISNULL(2))
        append(context, *state, read_time(PG_GETARG_DATUM(2), kind), mask);
    return PointerGetDatum(state);
}

/// Rows of next_node: their values lie in one buffer.
struct NodeRow {
    Time at;
    std::size_t offset;
    std::int32_t length; ///< -1: NULL
    std::uint32_t mask;
    bool base;
};
struct NodeState {
    NodeRow* rows;
    char* values;
    std::size_t size, capacity, values_size, values_capacity;
    TimeKind kind;
    Direction direction;
    Base base;
    std::uint8_t steps;
};

void* reserve(MemoryContext context, void* old, std::size_t used, std::size_t bytes) {
    void* const fresh = MemoryContextAllocExtended(context, bytes, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);
    if (fresh == nullptr)
        throw std::bad_alloc();
    if (old != nullptr) {
        std::memcpy(fresh, old, used);
        pfree(old);
    }
    return fresh;
}

void add_node(MemoryContext context, NodeState& state, const Node& node) {
    if (state.size == state.capacity) {
        std::size_t const capacity = state.capacity == 0 ? 4 : state.capacity * 2;
        check_aggregate_memory(capacity * sizeof(NodeRow) + state.values_capacity);
        state.rows = static_cast<NodeRow*>(
            reserve(context, state.rows, state.size * sizeof(NodeRow), capacity * sizeof(NodeRow)));
        state.capacity = capacity;
    }
    std::size_t const length = node.value ? node.value->size() : 0;
    if (state.values_size + length > state.values_capacity) {
        std::size_t capacity = std::max<std::size_t>(64, state.values_capacity * 2);
        while (capacity < state.values_size + length)
            capacity *= 2;
        check_aggregate_memory(state.capacity * sizeof(NodeRow) + capacity);
        state.values = static_cast<char*>(reserve(context, state.values, state.values_size, capacity));
        state.values_capacity = capacity;
    }
    if (length != 0)
        std::memcpy(state.values + state.values_size, node.value->data(), length);
    state.rows[state.size++] = {node.at, state.values_size,
                                node.value ? static_cast<std::int32_t>(length) : -1, node.mask, node.base};
    state.values_size += length;
}

NodeState* make_node_state(MemoryContext context, TimeKind kind, Direction direction, Base base,
                           unsigned steps) {
    auto* const state = static_cast<NodeState*>(
        MemoryContextAllocExtended(context, sizeof(NodeState), MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO));
    if (state == nullptr)
        throw std::bad_alloc();
    state->kind = kind;
    state->direction = direction;
    state->base = base;
    state->steps = static_cast<std::uint8_t>(steps);
    return state;
}

std::vector<Node> sorted_nodes(const NodeState& state) {
    std::vector<Node> nodes;
    nodes.reserve(state.size);
    for (std::size_t i = 0; i < state.size; ++i) {
        const NodeRow& row = state.rows[i];
        Node node{row.at, std::nullopt, row.mask, row.base};
        if (row.length >= 0)
            node.value = std::string_view(state.values + row.offset, static_cast<std::size_t>(row.length));
        nodes.push_back(node);
    }
    std::sort(nodes.begin(), nodes.end(), before);
    return nodes;
}

std::string_view name_argument(FunctionCallInfo fcinfo, int argument, const char* what) {
    if (PG_ARGISNULL(argument))
        throw Error(ErrorKind::invalid_parameter, std::string(what) + " must not be null");
    const text* const value = PG_GETARG_TEXT_PP(argument);
    return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

/// (state, direction, base, at, value, base_condition, VARIADIC path): one row.
Datum node_row(FunctionCallInfo fcinfo, TimeKind kind) {
    MemoryContext const context = aggregate_context(fcinfo);
    Direction const direction = parse_direction(name_argument(fcinfo, 1, "the direction"));
    Base const base = parse_base(name_argument(fcinfo, 2, "the base"));
    unsigned steps = 0;
    std::uint32_t const mask = read_conditions(fcinfo, 6, steps);
    auto* state = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<NodeState*>(PG_GETARG_POINTER(0));
    if (state == nullptr)
        state = make_node_state(context, kind, direction, base, steps);
    else if (state->direction != direction || state->base != base || state->steps != steps)
        throw Error(ErrorKind::invalid_parameter,
                    "direction, base or the length of the path differs within a group");
    if (!PG_ARGISNULL(3)) {
        Node node{read_time(PG_GETARG_DATUM(3), kind), std::nullopt, mask,
                  !PG_ARGISNULL(5) && PG_GETARG_BOOL(5)};
        if (!PG_ARGISNULL(4))
            node.value = name_argument(fcinfo, 4, "the value");
        add_node(context, *state, node);
    }
    return PointerGetDatum(state);
}

NodeState* decode_nodes(MemoryContext context, std::string_view bytes) {
    ByteReader reader(bytes);
    if (reader.byte() != 1)
        ByteReader::fail("the format is not known");
    std::uint8_t const kind = reader.byte(), direction = reader.byte(), base = reader.byte(),
                       steps = reader.byte();
    if (kind > 3 || direction > 1 || base > 3 || steps < 1 || steps > max_conditions)
        ByteReader::fail("the head of a next_node state is out of range");
    NodeState* const state =
        make_node_state(context, static_cast<TimeKind>(kind), static_cast<Direction>(direction),
                        static_cast<Base>(base), steps);
    for (std::size_t left = reader.count(10); left > 0; --left) {
        Node node;
        node.at = static_cast<Time>(reader.word());
        std::uint64_t const mask = reader.varint();
        std::uint8_t const flags = reader.byte();
        if (mask > low_bits(steps) || flags > 3)
            ByteReader::fail("a row of a next_node state is out of range");
        node.mask = static_cast<std::uint32_t>(mask);
        node.base = (flags & 1) != 0;
        if ((flags & 2) != 0)
            node.value = reader.text();
        add_node(context, *state, node);
    }
    reader.end();
    return state;
}

std::vector<Time> found_times(FunctionCallInfo fcinfo, const EventState& state) {
    SortedEvents const sorted(state);
    return sequence_events(parsed(fcinfo, state.pattern, state.kind), sorted.events());
}

} // namespace

NURTURE_FUNCTION(nurture_sequence_row_timestamptz) {
    return entry([&]() -> Datum { return sequence_row(fcinfo, TimeKind::timestamptz); });
}
NURTURE_FUNCTION(nurture_sequence_row_timestamp) {
    return entry([&]() -> Datum { return sequence_row(fcinfo, TimeKind::timestamp); });
}
NURTURE_FUNCTION(nurture_sequence_row_date) {
    return entry([&]() -> Datum { return sequence_row(fcinfo, TimeKind::date); });
}
NURTURE_FUNCTION(nurture_sequence_row_bigint) {
    return entry([&]() -> Datum { return sequence_row(fcinfo, TimeKind::bigint); });
}

NURTURE_FUNCTION(nurture_sequence_match) {
    return entry([&]() -> Datum {
        if (PG_ARGISNULL(0))
            return BoolGetDatum(false);
        auto const& state = *reinterpret_cast<EventState*>(PG_GETARG_POINTER(0));
        SortedEvents const sorted(state);
        return BoolGetDatum(sequence_matches(parsed(fcinfo, state.pattern, state.kind), sorted.events()));
    });
}

NURTURE_FUNCTION(nurture_sequence_count) {
    return entry([&]() -> Datum {
        if (PG_ARGISNULL(0))
            return Int64GetDatum(0);
        auto const& state = *reinterpret_cast<EventState*>(PG_GETARG_POINTER(0));
        SortedEvents const sorted(state);
        return Int64GetDatum(static_cast<std::int64_t>(
            sequence_count(parsed(fcinfo, state.pattern, state.kind), sorted.events())));
    });
}

NURTURE_FUNCTION(nurture_sequence_events) {
    return entry([&]() -> Datum {
        std::vector<Time> times;
        TimeKind kind = TimeKind::timestamptz;
        if (!PG_ARGISNULL(0)) {
            auto const& state = *reinterpret_cast<EventState*>(PG_GETARG_POINTER(0));
            kind = state.kind;
            times = found_times(fcinfo, state);
        }
        if (times.empty()) {
            fcinfo->isnull = true;
            return Datum{0};
        }
        std::vector<std::optional<Time>> const values(times.begin(), times.end());
        return make_time_array(values, kind);
    });
}

NURTURE_FUNCTION(nurture_node_row_timestamptz) {
    return entry([&]() -> Datum { return node_row(fcinfo, TimeKind::timestamptz); });
}
NURTURE_FUNCTION(nurture_node_row_timestamp) {
    return entry([&]() -> Datum { return node_row(fcinfo, TimeKind::timestamp); });
}
NURTURE_FUNCTION(nurture_node_row_date) {
    return entry([&]() -> Datum { return node_row(fcinfo, TimeKind::date); });
}
NURTURE_FUNCTION(nurture_node_row_bigint) {
    return entry([&]() -> Datum { return node_row(fcinfo, TimeKind::bigint); });
}

NURTURE_FUNCTION(nurture_node_combine) {
    return entry([&]() -> Datum {
        MemoryContext const context = aggregate_context(fcinfo);
        auto* to = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<NodeState*>(PG_GETARG_POINTER(0));
        if (PG_ARGISNULL(1)) {
            fcinfo->isnull = to == nullptr;
            return PointerGetDatum(to);
        }
        auto const& from = *reinterpret_cast<NodeState*>(PG_GETARG_POINTER(1));
        if (to == nullptr)
            to = make_node_state(context, from.kind, from.direction, from.base, from.steps);
        else if (to->direction != from.direction || to->base != from.base || to->steps != from.steps)
            throw Error(ErrorKind::invalid_parameter,
                        "direction, base or the length of the path differs within a group");
        for (const Node& node : sorted_nodes(from))
            add_node(context, *to, node);
        return PointerGetDatum(to);
    });
}

NURTURE_FUNCTION(nurture_node_serialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        auto const& state = *reinterpret_cast<NodeState*>(PG_GETARG_POINTER(0));
        std::string out;
        ByteWriter writer(out);
        for (std::uint8_t const head :
             {std::uint8_t{1}, static_cast<std::uint8_t>(state.kind),
              static_cast<std::uint8_t>(state.direction), static_cast<std::uint8_t>(state.base), state.steps})
            writer.byte(head);
        writer.varint(state.size);
        for (const Node& node : sorted_nodes(state)) {
            writer.word(static_cast<std::uint64_t>(node.at));
            writer.varint(node.mask);
            writer.byte(static_cast<std::uint8_t>((node.base ? 1 : 0) | (node.value ? 2 : 0)));
            if (node.value)
                writer.text(*node.value);
        }
        return make_varlena(out);
    });
}

NURTURE_FUNCTION(nurture_node_deserialize) {
    return entry([&]() -> Datum {
        (void)aggregate_context(fcinfo);
        return PointerGetDatum(decode_nodes(CurrentMemoryContext, read_varlena(PG_GETARG_DATUM(0))));
    });
}

NURTURE_FUNCTION(nurture_next_node) {
    return entry([&]() -> Datum {
        std::optional<std::string_view> value;
        std::vector<Node> nodes;
        if (!PG_ARGISNULL(0)) {
            auto const& state = *reinterpret_cast<NodeState*>(PG_GETARG_POINTER(0));
            nodes = sorted_nodes(state);
            if (auto const index = next_node(nodes, state.steps, state.direction, state.base))
                value = nodes[*index].value;
        }
        if (!value) {
            fcinfo->isnull = true;
            return Datum{0};
        }
        return PointerGetDatum(pg_call(
            [&] { return cstring_to_text_with_len(value->data(), static_cast<int>(value->size())); }));
    });
}

} // namespace nurture::analytics
