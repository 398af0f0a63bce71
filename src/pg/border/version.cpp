// Which version of the extension this library belongs to. NURTURE_VERSION comes from nurture.control, for this file only.
#include "pg/border/boundary.hpp"
#include "pg/border/datum.hpp"
#include "pg/border/version.hpp"

namespace nurture::border {

const char* library_version() noexcept {
    // Found in the file by who looks for it, too: strings nurture.so | grep 'nurture library'.
    static constexpr char text[] = "nurture library " NURTURE_VERSION;
    return text + sizeof "nurture library " - 1;
}

} // namespace nurture::border

NURTURE_FUNCTION(nurture_library_version) {
    return nurture::border::entry(
        [&]() -> Datum { return nurture::border::make_varlena(nurture::border::library_version()); });
}
