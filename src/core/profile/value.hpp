#pragma once
// What an event's property or a contact's attribute holds, as conditions see it, and where an event keeps them.
#include "core/language/ast.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace nurture::profile {

/// A JSON value. `text` is the number as written, the string unescaped, or the compact JSON of an array or object; it
/// belongs to whoever handed the value out.
struct Value {
    enum class Kind : std::uint8_t { missing, null, boolean, number, string, json };
    Kind kind = Kind::missing;
    bool boolean = false;
    std::string_view text;

    [[nodiscard]] bool known() const noexcept { return kind != Kind::missing && kind != Kind::null; }
};

/// The number a value is: a JSON number, or a string that is one; empty otherwise.
[[nodiscard]] std::optional<Micro> number_of(const Value& value) noexcept;
/// The truth a value is: a JSON boolean, or the strings true and false.
[[nodiscard]] std::optional<bool> truth_of(const Value& value) noexcept;

/// The properties of one event. The border reads them from jsonb, tests from a map.
class Properties {
  public:
    virtual ~Properties() = default;
    /// The value at a path; `missing` where a key does not exist. Valid until another event is read.
    [[nodiscard]] virtual Value get(const language::Path& path) const = 0;
    /// Calls visit(key, compact JSON text of the value) for every top-level key, in the order of the keys' bytes.
    using Visit = void (*)(void* context, std::string_view key, std::string_view json);
    virtual void each(Visit visit, void* context) const = 0;
};

} // namespace nurture::profile
