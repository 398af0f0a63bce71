#include "pg/analytics/statistics_glue.hpp"

#include "core/base/hex.hpp"

#include <cmath>

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/tuplestore.h"
}

namespace nurture::border {

std::string_view bytes_of(Datum value) {
    struct varlena* const packed = pg_call([&] { return PG_DETOAST_DATUM_PACKED(value); });
    return {VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)};
}

std::string bytes_of_hex(const char* text, const char* what) {
    std::string_view const digits(text);
    auto bytes = digits.substr(0, 2) == "\\x" ? from_hex(digits.substr(2)) : std::nullopt;
    if (!bytes)
        throw Error(ErrorKind::syntax, std::string("invalid text of ") + what, "Expected \\x and hexadecimal digits.");
    return *std::move(bytes);
}

Datum make_hex(std::string_view bytes) {
    if (bytes.size() > (MaxAllocSize - 3) / 2)
        throw Error(ErrorKind::limit_exceeded, "value is too large to be shown as text");
    std::string const text = "\\x" + to_hex(bytes);
    return pg_call([&] { return CStringGetDatum(pnstrdup(text.data(), text.size())); });
}

std::string_view bytes_of_message(Datum message) {
    auto* const buffer = reinterpret_cast<StringInfo>(DatumGetPointer(message));
    auto const size = static_cast<std::size_t>(buffer->len - buffer->cursor);
    std::string_view const bytes(buffer->data + buffer->cursor, size);
    buffer->cursor = buffer->len;
    return bytes;
}

void check_encoding(std::string_view text, const char* what) {
    if (!pg_call([&] { return pg_verifymbstr(text.data(), static_cast<int>(text.size()), true); }))
        throw Error(ErrorKind::corrupt_data, std::string("invalid bytes in ") + what,
                    "A name is not text in the encoding of the database.");
}

namespace {

[[noreturn]] void amount_out_of_range() {
    throw Error(ErrorKind::out_of_range, "amount out of range",
                "An amount must be finite and between -9223372036854.775807 and 9223372036854.775807.");
}

std::uint16_t word_at(const char* data, std::size_t index) {
    std::uint16_t word = 0;
    std::memcpy(&word, data + 2 * index, 2);
    return word;
}

} // namespace

// The stored form of numeric (base 10000 digits, see src/backend/utils/adt/numeric.c; unchanged on disk
// since 9.1) is read directly: by way of text a sum over many rows takes three times as long.
Micro micro_of_numeric(Datum value) {
    std::string_view const bytes = bytes_of(value);
    std::uint16_t const header = word_at(bytes.data(), 0);
    if ((header & 0xC000) == 0xC000) // NaN, infinity
        amount_out_of_range();
    bool const is_short = (header & 0x8000) != 0;
    bool const negative = is_short ? (header & 0x2000) != 0 : (header & 0xC000) == 0x4000;
    int const weight = is_short ? ((header & 0x0040) != 0 ? -0x40 : 0) + (header & 0x003F)
                                : static_cast<std::int16_t>(word_at(bytes.data(), 1));
    std::size_t const first = is_short ? 1 : 2;
    std::size_t const digits = bytes.size() / 2 - first;
    if (digits == 0)
        return 0;
    if (weight > 3)
        amount_out_of_range();
    Wide micros = 0;
    for (int place = weight; place >= -2; --place) { // 10000^place
        auto const i = static_cast<std::size_t>(weight - place);
        Wide const digit = i < digits ? word_at(bytes.data(), first + i) : 0;
        if (place == -2)
            micros = micros * 100 + digit / 100 + (digit % 100 >= 50 ? 1 : 0);
        else
            micros = micros * 10'000 + digit;
    }
    if (weight < -2)
        micros = 0;
    if (negative)
        micros = -micros;
    if (micros > INT64_MAX || micros < -INT64_MAX)
        amount_out_of_range();
    return static_cast<Micro>(micros);
}

Micro micro_of_double(double value) {
    if (!(std::fabs(value) < 9.2e12))
        amount_out_of_range();
    double const whole = std::trunc(value);
    return static_cast<Micro>(whole) * micro_one + static_cast<Micro>(std::llround((value - whole) * 1e6));
}

Time finite_time(Datum value) {
    TimestampTz const at = DatumGetTimestampTz(value);
    if (TIMESTAMP_NOT_FINITE(at))
        throw Error(ErrorKind::out_of_range, "time must not be infinite");
    return at;
}

Span exact_span(Datum value, const char* what) {
    Interval const* const interval = DatumGetIntervalP(value);
    Span span = 0;
    if (interval->month != 0)
        throw Error(ErrorKind::invalid_parameter, std::string(what) + " must not contain months or years",
                    "A month has no fixed length.", "Give days, hours or less, such as '30 days'.");
    if (__builtin_mul_overflow(static_cast<Span>(interval->day), one_day, &span) ||
        __builtin_add_overflow(span, interval->time, &span))
        throw Error(ErrorKind::out_of_range, std::string(what) + " out of range");
    return span;
}

MemoryContext aggregate_context(FunctionCallInfo fcinfo) {
    MemoryContext context = nullptr;
    if (AggCheckCallContext(fcinfo, &context) == 0)
        throw Error(ErrorKind::invalid_parameter, "aggregate function called in non-aggregate context");
    return context;
}

ResultRows::ResultRows(FunctionCallInfo fcinfo) : set_(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo)) {
    pg_call([&] { InitMaterializedSRF(fcinfo, 0); });
}

void ResultRows::add(Datum* values, bool* nulls) {
    bool none[32] = {};
    pg_call([&] {
        tuplestore_putvalues(set_->setResult, set_->setDesc, values, nulls != nullptr ? nulls : none);
    });
}

} // namespace nurture::border

// Text and binary output of every summary: hexadecimal digits and the bytes themselves.
NURTURE_FUNCTION(nurture_summary_out) {
    using namespace nurture::border;
    return entry([&]() -> Datum { return make_hex(bytes_of(PG_GETARG_DATUM(0))); });
}

NURTURE_FUNCTION(nurture_summary_send) {
    using namespace nurture::border;
    return entry([&]() -> Datum { return make_varlena(bytes_of(PG_GETARG_DATUM(0))); });
}
