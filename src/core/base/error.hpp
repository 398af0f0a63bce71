#pragma once
// The exceptions the core throws. The border turns each into an SQL error with the SQLSTATE named here;
// nothing else about PostgreSQL is known in the core.
#include <cstdint>
#include <stdexcept>
#include <string>

namespace nurture {

/// What kind of mistake an Error reports; the border maps each to an SQLSTATE.
enum class ErrorKind {
    invalid_parameter, ///< 22023: a value the caller gave is impossible
    out_of_range,      ///< 22003: a number or time beyond what can be kept exactly
    syntax,            ///< 42601: a definition does not parse
    undefined_name,    ///< 42704: a definition names something that does not exist
    dependency,        ///< 2BP01: something else still needs what is to be removed
    invalid_definition,///< 42P17: a definition parses but cannot be used (a cycle, a type mismatch)
    limit_exceeded,    ///< 54000: larger, deeper or longer than the limit
    corrupt_data,      ///< XX001: bytes that no version of this library wrote
    newer_format,      ///< 0A000: bytes written by a later version of this library
    interrupted,       ///< the border processes the pending interrupt and, if that returns, reports 57014
};

/// An error for the person who typed: message in lower case, detail and hint as sentences, PostgreSQL style.
class Error : public std::runtime_error {
  public:
    Error(ErrorKind what_kind, const std::string& message, std::string detail_text = {}, std::string hint_text = {})
        : std::runtime_error(message), kind(what_kind), detail(std::move(detail_text)), hint(std::move(hint_text)) {}

    ErrorKind kind;
    std::string detail;
    std::string hint;
    /// Byte offset (0-based) in the text of the definition, or -1.
    std::int64_t offset = -1;

    Error&& at(std::int64_t byte_offset) && {
        offset = byte_offset;
        return std::move(*this);
    }
};

} // namespace nurture
