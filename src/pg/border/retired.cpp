// Symbols that only the scripts of earlier versions name: between the installation of a new library and ALTER EXTENSION the
// old functions call the new library.
#include "core/base/error.hpp"

#include "pg/border/datum.hpp"

using namespace nurture;

namespace {

Datum refuse() {
    return border::entry([]() -> Datum {
        throw Error(ErrorKind::newer_format, "the extension is older than its library", {}, "Run ALTER EXTENSION nurture UPDATE.");
    });
}

} // namespace

NURTURE_FUNCTION(nurture_explain) { // 0.1: without the column detail
    (void)fcinfo;
    return refuse();
}
NURTURE_FUNCTION(nurture_score) { // 0.1: without the contact
    (void)fcinfo;
    return refuse();
}
NURTURE_FUNCTION(nurture_scores) { // 0.1: without the contact
    (void)fcinfo;
    return refuse();
}
