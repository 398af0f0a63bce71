#pragma once
// What the glue of the statistical aggregates shares: values across the border, and states that live in an
// aggregate's memory context.
#include <memory_resource>
#include <string>
#include <string_view>

#include "core/base/decimal.hpp"
#include "core/base/time.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/datum.hpp"
#include "pg/border/memory.hpp"

namespace nurture::border {

/// The bytes of a varlena argument, detoasted; valid for the call.
std::string_view bytes_of(Datum value);
/// A new varlena of these bytes.
/// The text of a cstring or of hexadecimal digits after `\x`; throws syntax for anything else. `what` names
/// the type.
std::string bytes_of_hex(const char* text, const char* what);
Datum make_hex(std::string_view bytes);
/// The rest of a binary message.
std::string_view bytes_of_message(Datum message);
/// Throws unless the bytes are text in the database's encoding: names inside binary values come from
/// anywhere.
void check_encoding(std::string_view text, const char* what);

/// numeric or double precision to units of 10^-6, rounded half away from zero. Throws out_of_range (also NaN,
/// infinity).
Micro micro_of_numeric(Datum value);
Micro micro_of_double(double value);
/// A time that is not infinite; throws out_of_range.
Time finite_time(Datum value);
/// An interval without months, days being 24 hours; throws invalid_parameter.
Span exact_span(Datum value, const char* what);

/// The memory context of the aggregate that calls; throws when there is none.
MemoryContext aggregate_context(FunctionCallInfo fcinfo);

/// A state that allocates in its context only: it dies with the context, its destructor never runs.
template <class T>
struct InContext {
    ContextResource memory;
    T value;

    template <class... Arguments>
    explicit InContext(MemoryContext context, Arguments&&... arguments)
        : memory(context), value(std::forward<Arguments>(arguments)..., &memory) {}
};

/// Makes a T whose last constructor argument is a memory resource in the context.
template <class T, class... Arguments>
T* make_state(MemoryContext context, Arguments&&... arguments) {
    using Holder = InContext<T>;
    void* const raw = ContextResource(context).allocate(sizeof(Holder), alignof(Holder));
    return &(new (raw) Holder(context, std::forward<Arguments>(arguments)...))->value;
}

/// The state in an argument, or nullptr.
template <class T>
T* state_argument(FunctionCallInfo fcinfo, int index) {
    return PG_ARGISNULL(index) ? nullptr : reinterpret_cast<T*>(PG_GETARG_POINTER(index));
}

/// The state in argument 0, made when there is none yet.
template <class T, class... Arguments>
T* state_or_new(FunctionCallInfo fcinfo, Arguments&&... arguments) {
    MemoryContext const context = aggregate_context(fcinfo);
    if (T* const state = state_argument<T>(fcinfo, 0))
        return state;
    return make_state<T>(context, std::forward<Arguments>(arguments)...);
}

inline Datum null_result(FunctionCallInfo fcinfo) {
    fcinfo->isnull = true;
    return 0;
}
inline Datum null_state(FunctionCallInfo fcinfo, int index) {
    return PG_ARGISNULL(index) ? null_result(fcinfo) : PG_GETARG_DATUM(index);
}

/// Rows of a set-returning function, into its tuple store.
class ResultRows {
public:
    explicit ResultRows(FunctionCallInfo fcinfo);
    /// Adds a row; `nulls` may be nullptr.
    void add(Datum* values, bool* nulls);

private:
    ReturnSetInfo* set_;
};


} // namespace nurture::border
