// What a sender's session remembers between two claims. Advisory: it is lost with the session and survives a
// rollback.
#include <string>
#include <string_view>
#include <unordered_map>

#include "pg/border/boundary.hpp"

namespace nurture::outbox {
namespace {

constexpr std::size_t most_keys = 1000;

using Memory = std::unordered_map<std::string, std::string>;

// Never destroyed: nothing has to be done when the process ends.
Memory& memory() {
    static Memory* const kept = new Memory;
    return *kept;
}

std::string_view view(const text* value) {
    return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

} // namespace

/// Remembers value under key for the rest of the session; NULL forgets it.
NURTURE_FUNCTION(nurture_remember) {
    return border::entry([&]() -> Datum {
        if (PG_ARGISNULL(0))
            PG_RETURN_VOID();
        const text* const key = border::pg_call([&] { return PG_GETARG_TEXT_PP(0); });
        if (PG_ARGISNULL(1)) {
            memory().erase(std::string(view(key)));
            PG_RETURN_VOID();
        }
        const text* const value = border::pg_call([&] { return PG_GETARG_TEXT_PP(1); });
        if (memory().size() >= most_keys)
            memory().clear();
        memory().insert_or_assign(std::string(view(key)), std::string(view(value)));
        PG_RETURN_VOID();
    });
}

/// What is remembered under key, or NULL.
NURTURE_FUNCTION(nurture_recall) {
    return border::entry([&]() -> Datum {
        const text* const key = border::pg_call([&] { return PG_GETARG_TEXT_PP(0); });
        auto const found = memory().find(std::string(view(key)));
        if (found == memory().end()) {
            fcinfo->isnull = true;
            return Datum{0};
        }
        const std::string& value = found->second;
        return border::pg_call([&] {
            return PointerGetDatum(cstring_to_text_with_len(value.data(), static_cast<int>(value.size())));
        });
    });
}

} // namespace nurture::outbox
