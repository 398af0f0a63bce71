#pragma once
// The type nurture.compiled_model: one byte of format, eight of content hash, the source as JSON. What step() runs is
// compiled from it once per backend and kept for the last few models used.
#include "core/model/model.hpp"

#include <memory>

#include "pg/border/datum.hpp"

namespace nurture::border {

/// The model an argument holds. Valid as long as the shared pointer is held.
std::shared_ptr<const model::Model> model_argument(FunctionCallInfo fcinfo, int n);

} // namespace nurture::border
