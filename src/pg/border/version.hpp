#pragma once

namespace nurture::border {

/// The version of the extension that this library belongs to, such as "0.2".
const char* library_version() noexcept;

} // namespace nurture::border
