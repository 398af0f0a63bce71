#pragma once
// Where C++ meets the backend. Two rules, kept by two functions:
//   entry()   a C++ exception never crosses into PostgreSQL: every SQL-callable function runs inside it;
//   pg_call() an ereport never jumps over a C++ frame that owns something: PostgreSQL functions that may ereport are
//             called through it from frames that own something. The callable must be thin and own nothing itself:
//             its own frame, and those it calls, are skipped by the longjmp.
// After entry() returns from run_cpp() no C++ frame and no exception object is left; only then it ereports.
#include "core/base/error.hpp"

#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <type_traits>

#include "pg/border/pg.hpp"

namespace nurture::border {

/// A PostgreSQL error on its way through C++ frames. `edata` lives in the memory context current at the pg_call.
struct PgError final {
    ErrorData* edata;
};

namespace detail {

// CopyErrorData may itself ereport (out of memory): a second guard catches that, so no C++ frame is ever skipped.
inline ErrorData* copy_error(MemoryContext context) noexcept {
    sigjmp_buf* const stack = PG_exception_stack;
    ErrorContextCallback* const callbacks = error_context_stack;
    sigjmp_buf buffer;
    ErrorData* volatile copy = nullptr;
    if (sigsetjmp(buffer, 0) == 0) {
        PG_exception_stack = &buffer;
        MemoryContextSwitchTo(context);
        copy = CopyErrorData();
    }
    PG_exception_stack = stack;
    error_context_stack = callbacks;
    MemoryContextSwitchTo(context);
    FlushErrorState();
    return copy;
}

} // namespace detail

/// Runs PostgreSQL code that may ereport; turns the longjmp into a throw of PgError (std::bad_alloc when even the
/// error could not be kept). The callable must own nothing with a destructor.
template <class F>
auto pg_call(F&& f) -> decltype(f()) {
    using Function = std::remove_reference_t<F>;
    using Result = decltype(f());
    static_assert(std::is_trivially_destructible_v<Function>, "capture by reference, or trivial values");
    MemoryContext const context = CurrentMemoryContext;
    sigjmp_buf* const stack = PG_exception_stack;
    ErrorContextCallback* const callbacks = error_context_stack;
    sigjmp_buf buffer;
    if (sigsetjmp(buffer, 0) == 0) {
        PG_exception_stack = &buffer;
        if constexpr (std::is_void_v<Result>) {
            f();
            PG_exception_stack = stack;
            error_context_stack = callbacks;
            return;
        } else {
            static_assert(std::is_trivially_destructible_v<Result>);
            Result result = f();
            PG_exception_stack = stack;
            error_context_stack = callbacks;
            return result;
        }
    }
    PG_exception_stack = stack;
    error_context_stack = callbacks;
    ErrorData* const edata = detail::copy_error(context);
    if (edata == nullptr)
        throw std::bad_alloc();
    throw PgError{edata};
}

/// What went wrong, as plain data that outlives every C++ frame.
struct Failure {
    int sqlstate;
    bool interrupted;
    int cursor; // 1-based character position in the definition's text, or 0
    ErrorData* edata;
    char message[2048];
    char detail[4096];
    char hint[1024];
};

int sqlstate_of(ErrorKind kind) noexcept;
void fill(Failure& failure, const Error& error) noexcept;
void fill(Failure& failure, int sqlstate, const char* message) noexcept;
[[noreturn]] void report(const Failure& failure);

/// Runs f and catches everything; false when `failure` was filled.
template <class F>
bool run_cpp(F& f, Datum& out, Failure& failure) noexcept {
    try {
        out = f();
        return true;
    } catch (const PgError& error) {
        fill(failure, 0, "");
        failure.edata = error.edata;
    } catch (const Error& error) {
        fill(failure, error);
    } catch (const std::bad_alloc&) {
        fill(failure, ERRCODE_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception& error) {
        fill(failure, ERRCODE_INTERNAL_ERROR, error.what());
    } catch (...) {
        fill(failure, ERRCODE_INTERNAL_ERROR, "unknown C++ exception");
    }
    return false;
}

/// The body of every SQL-callable function.
template <class F>
Datum entry(F f) {
    static_assert(std::is_trivially_destructible_v<F>, "capture by reference");
    Failure failure;
    Datum out = 0;
    if (likely(run_cpp(f, out, failure)))
        return out;
    report(failure);
}

/// For loops over many rows or steps in frames that own something: throws when the query was cancelled or the session
/// is to end. What else is pending, such as a word of a parallel worker, is dealt with. Cheap enough for every iteration.
inline void check_interrupts() {
    if (likely(!InterruptPending))
        return;
    if (QueryCancelPending || ProcDiePending)
        throw Error(ErrorKind::interrupted, "canceling statement due to user request");
    pg_call([] { ProcessInterrupts(); });
}

} // namespace nurture::border
