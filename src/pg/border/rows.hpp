#pragma once
// Set-returning functions: rows gathered in a tuplestore.
#include <span>

#include "pg/border/datum.hpp"

namespace nurture::border {

/// The descriptor of the composite type that a function returns, looked up once per call site.
[[nodiscard]] TupleDesc composite_descriptor(FunctionCallInfo fcinfo);
[[nodiscard]] Datum make_composite(TupleDesc descriptor, Datum* values, bool* nulls);
/// An int[].
[[nodiscard]] Datum make_int_array(std::span<const std::int32_t> numbers);

/// Collects the rows of a set-returning function declared with RETURNS TABLE or OUT columns. The caller's descriptor is taken:
/// building one from the catalogue costs more than a few rows do.
class RowSink {
  public:
    explicit RowSink(FunctionCallInfo fcinfo) : fcinfo_(fcinfo) {
        pg_call([fcinfo] {
#if PG_VERSION_NUM >= 160000
            InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
#else
            SetSingleFuncCall(fcinfo, SRF_SINGLE_USE_EXPECTED);
#endif
        });
    }
    void put(Datum* values, bool* nulls) {
        auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo_->resultinfo);
        pg_call([=] { tuplestore_putvalues(result->setResult, result->setDesc, values, nulls); });
    }

  private:
    FunctionCallInfo fcinfo_;
};

/// One row under construction, filled from left to right.
template <int Columns>
class Row {
  public:
    void add(Datum value) noexcept { values_[next_++] = value; }
    void add_null() noexcept {
        nulls_[next_] = true;
        values_[next_++] = 0;
    }
    void add_text(std::string_view text) { add(make_text(text)); }
    /// Empty text is NULL.
    void add_optional(std::string_view text) { text.empty() ? add_null() : add_text(text); }
    void add_time(Time t) noexcept {
        bool null = false;
        Datum const value = make_time(t, null);
        null ? add_null() : add(value);
    }
    void add_int(std::int32_t value) noexcept { add(Int32GetDatum(value)); }
    void add_bigint(std::int64_t value) noexcept { add(Int64GetDatum(value)); }
    void add_bool(bool value) noexcept { add(BoolGetDatum(value)); }

    Datum* values() noexcept { return values_; }
    bool* nulls() noexcept { return nulls_; }
    void put_into(RowSink& sink) { sink.put(values_, nulls_); }
    /// As the composite value that the function returns.
    [[nodiscard]] Datum composite(FunctionCallInfo fcinfo) {
        return make_composite(composite_descriptor(fcinfo), values_, nulls_);
    }

  private:
    Datum values_[Columns] = {};
    bool nulls_[Columns] = {};
    int next_ = 0;
};

} // namespace nurture::border
