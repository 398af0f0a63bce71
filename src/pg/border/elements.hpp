#pragma once
// Arrays among the arguments of a function.
#include <vector>

#include "pg/border/datum.hpp"

extern "C" {
#include "utils/array.h"
}

namespace nurture::border {

/// The elements of an array argument, in order; NULL is an array without any. Numbers and texts that are NULL read as
/// 0, false, `never` and empty.
class Elements {
  public:
    /// `type` is the type of the elements, of which the argument's is declared to be.
    Elements(FunctionCallInfo fcinfo, int n, Oid type);

    /// Throws unless the array has at most one dimension and no NULL in it; `name` is the argument's, for the message.
    const Elements& complete(const char* name) const;
    /// Throws unless the array has at most one dimension.
    const Elements& flat(const char* name) const;

    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(count_); }
    [[nodiscard]] bool is_null(std::size_t i) const noexcept { return nulls_[i]; }
    [[nodiscard]] Datum datum(std::size_t i) const noexcept { return values_[i]; }
    [[nodiscard]] std::int32_t integer(std::size_t i) const noexcept { return nulls_[i] ? 0 : DatumGetInt32(values_[i]); }
    [[nodiscard]] std::int64_t bigint(std::size_t i) const noexcept { return nulls_[i] ? 0 : DatumGetInt64(values_[i]); }
    [[nodiscard]] double real(std::size_t i) const noexcept { return nulls_[i] ? 0 : DatumGetFloat8(values_[i]); }
    [[nodiscard]] bool truth(std::size_t i) const noexcept { return !nulls_[i] && DatumGetBool(values_[i]); }
    [[nodiscard]] Time time(std::size_t i) const noexcept { return nulls_[i] ? never : time_of(values_[i]); }
    /// Elements of an array are never compressed nor stored elsewhere.
    [[nodiscard]] std::string_view text(std::size_t i) const noexcept {
        return nulls_[i] ? std::string_view() : bytes_of(reinterpret_cast<const varlena*>(DatumGetPointer(values_[i])));
    }

    /// All of them, one by one as `get` reads them.
    template <class T>
    [[nodiscard]] std::vector<T> all(T (Elements::*get)(std::size_t) const noexcept) const {
        std::vector<T> out;
        out.reserve(size());
        for (std::size_t i = 0; i < size(); ++i)
            out.push_back((this->*get)(i));
        return out;
    }

  private:
    Datum* values_ = nullptr;
    bool* nulls_ = nullptr;
    int count_ = 0, dimensions_ = 0;
};

} // namespace nurture::border
