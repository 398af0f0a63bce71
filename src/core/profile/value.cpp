#include "core/profile/value.hpp"

namespace nurture::profile {

std::optional<Micro> number_of(const Value& value) noexcept {
    if (value.kind != Value::Kind::number && value.kind != Value::Kind::string)
        return std::nullopt;
    return parse_micro(value.text);
}

std::optional<bool> truth_of(const Value& value) noexcept {
    if (value.kind == Value::Kind::boolean)
        return value.boolean;
    if (value.kind == Value::Kind::string && (value.text == "true" || value.text == "false"))
        return value.text == "true";
    return std::nullopt;
}

} // namespace nurture::profile
