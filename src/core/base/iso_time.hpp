#pragma once
// Times as text that no setting of a session changes: ISO 8601, UTC.
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.hpp"

namespace nurture {

/// "2026-01-31T12:00:00.5Z"; years beyond four digits have as many as they need, years before 1 a minus sign.
[[nodiscard]] std::string print_iso_time(Time at);
/// Reads exactly what print_iso_time writes, also with a blank instead of the T and without the Z.
[[nodiscard]] std::optional<Time> parse_iso_time(std::string_view text) noexcept;

} // namespace nurture
