// Which version of the extension this library belongs to. NURTURE_VERSION comes from nurture.control, for this file only.
#include "pg/border/boundary.hpp"
#include "pg/border/datum.hpp"
#include "pg/border/version.hpp"

namespace nurture::border {

const char* library_version() noexcept {
    return NURTURE_VERSION;
}

} // namespace nurture::border

NURTURE_FUNCTION(nurture_library_version) {
    return nurture::border::entry(
        [&]() -> Datum { return nurture::border::make_varlena(nurture::border::library_version()); });
}
