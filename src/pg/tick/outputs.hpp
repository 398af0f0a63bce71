#pragma once
// What a step puts out, on its way from the step's row to the tables: one bytea per contact, read by one set-returning
// function per kind.
#include "core/step/step.hpp"

#include <string>

namespace nurture::border {

/// Which kinds an `outputs` holds, as the tick's statements ask for them.
enum OutputKinds : std::int32_t {
    has_transitions = 1,
    has_actions = 2,
    has_cancellations = 4,
    has_written = 8,
    has_memberships = 16,
    has_rejections = 32,
    has_consents = 64,
    is_unfinished = 128, ///< not of outputs: the step stopped at its bound
};

[[nodiscard]] std::int32_t kinds_of(const step::Result& result) noexcept;
/// Empty when there is none of them.
[[nodiscard]] std::string encode_outputs(const step::Result& result);
/// Fills one of the result's lists.
[[nodiscard]] step::Result decode_outputs(std::string_view bytes, OutputKinds wanted);

} // namespace nurture::border
