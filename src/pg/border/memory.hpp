#pragma once
// Standard containers in PostgreSQL's memory: what an aggregate keeps between rows, or a function between calls, lives
// in a memory context, is counted by it and dies with it.
#include <cstdint>
#include <memory_resource>
#include <new>
#include <type_traits>
#include <utility>

#include "pg/border/boundary.hpp"

namespace nurture::border {

/// A std::pmr resource on a memory context. Throws std::bad_alloc where palloc would ereport; gives memory back on
/// deallocate; honours alignments beyond palloc's 8 bytes.
class ContextResource final : public std::pmr::memory_resource {
  public:
    explicit ContextResource(MemoryContext context) noexcept : context_(context) {}
    [[nodiscard]] MemoryContext context() const noexcept { return context_; }

  private:
    MemoryContext context_;

    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        std::size_t const extra = alignment > MAXIMUM_ALIGNOF ? alignment : 0;
        if (bytes > MaxAllocHugeSize - extra)
            throw std::bad_alloc();
        auto* const raw = static_cast<char*>(
            MemoryContextAllocExtended(context_, bytes + extra, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE));
        if (raw == nullptr)
            throw std::bad_alloc();
        if (extra == 0)
            return raw;
        // At least 8 bytes are left before the aligned address: they hold the chunk's own.
        auto* const aligned = reinterpret_cast<char*>(
            (reinterpret_cast<std::uintptr_t>(raw) / alignment + 1) * alignment);
        reinterpret_cast<char**>(aligned)[-1] = raw;
        return aligned;
    }
    void do_deallocate(void* p, std::size_t, std::size_t alignment) noexcept override {
        pfree(alignment > MAXIMUM_ALIGNOF ? reinterpret_cast<void**>(p)[-1] : p);
    }
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }
};

/// Makes a T in `context`; its destructor runs when the context is reset or deleted.
template <class T, class... Arguments>
T* make_in(MemoryContext context, Arguments&&... arguments) {
    static_assert(std::is_nothrow_destructible_v<T>);
    static_assert(alignof(T) <= MAXIMUM_ALIGNOF, "palloc aligns to 8");
    struct Holder {
        MemoryContextCallback callback;
        alignas(T) char object[sizeof(T)];
    };
    auto* const holder =
        static_cast<Holder*>(MemoryContextAllocExtended(context, sizeof(Holder), MCXT_ALLOC_NO_OOM));
    if (holder == nullptr)
        throw std::bad_alloc();
    T* const object = new (holder->object) T(std::forward<Arguments>(arguments)...);
    holder->callback.func = [](void* p) { static_cast<T*>(p)->~T(); };
    holder->callback.arg = object;
    MemoryContextRegisterResetCallback(context, &holder->callback);
    return object;
}

} // namespace nurture::border
