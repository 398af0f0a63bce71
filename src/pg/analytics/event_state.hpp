#pragma once
// The state of the aggregates that buffer a group's events: everything in the aggregate's memory context, 9
// bytes an event for up to eight conditions. Transition functions only append; whoever reads sorts a copy, so
// a state can be shared, used again as a window's frame grows, and combined.
#include "core/analytics/events.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pg/border/boundary.hpp"

namespace nurture::analytics {

/// Events of one group. Plain data: it dies with its memory context.
struct EventState {
    char* chunk;         ///< capacity times, then capacity masks of `width` bytes
    const text* pattern; ///< the sequence's; null in a funnel
    Span span;
    std::uint32_t size, capacity;
    TimeKind kind;
    std::uint8_t conditions;
    std::uint8_t width;
    bool sorted; ///< by (time, mask), as far as it has come
};

/// The aggregate's memory context; an error when the function was called as an ordinary one.
MemoryContext aggregate_context(FunctionCallInfo fcinfo);

/// Throws limit_exceeded when one group takes more than nurture.aggregate_memory.
void check_aggregate_memory(std::size_t bytes);

/// Keeps the pattern's pointer: see keep_pattern().
EventState* make_state(MemoryContext context, TimeKind kind, unsigned conditions, Span span,
                       const text* pattern);

/// A copy of a pattern that lives as long as the state. The first one a call site sees is kept for the whole
/// query in `kept` and shared by all groups; others are copied into `context`.
const text* keep_pattern(FunctionCallInfo fcinfo, MemoryContext context, const text* pattern, text*& kept);
/// Are these the same pattern (or both none)?
bool same_pattern(const text* a, const text* b) noexcept;
void append(MemoryContext context, EventState& state, Time at, std::uint32_t mask);

/// A group's events in order: those of the state if it is sorted, else a sorted copy.
class SortedEvents {
public:
    explicit SortedEvents(const EventState& state);
    SortedEvents(const SortedEvents&) = delete;
    SortedEvents& operator=(const SortedEvents&) = delete;
    [[nodiscard]] std::span<const Event> events() const noexcept { return events_; }

private:
    Event few_[64];
    std::vector<Event> many_;
    std::span<const Event> events_;
};

/// Which conditions of a row hold: NULL is false. Sets `count` to how many conditions there are.
std::uint32_t read_conditions(FunctionCallInfo fcinfo, int argument, unsigned& count);

/// An argument of the type `kind` as a time. Dates become midnight; infinities the ends of the scale.
Time read_time(Datum value, TimeKind kind);
/// A time as a value of its type, and the other way round.
Datum write_time(Time at, TimeKind kind);
Oid type_of(TimeKind kind) noexcept;

/// The exact length of an interval; throws when it has months or is negative.
Span exact_span(const Interval& interval, const char* what);

/// bytea (or a type made like it) of bytes.
Datum make_varlena(const std::string& bytes);
/// Its bytes; detoasted in the current context.
std::string_view read_varlena(Datum value);

/// An array of times, NULL where there is none.
Datum make_time_array(std::span<const std::optional<Time>> times, TimeKind kind);

} // namespace nurture::analytics
