// The type nurture.profile: the bytes of core/profile/profile.hpp. Its text form is their hexadecimal digits: exact and
// compact (partial states travel as text between nodes); nurture.describe() is for people.
#include "core/profile/profile.hpp"

#include "pg/border/datum.hpp"

using namespace nurture;

NURTURE_FUNCTION(nurture_profile_in) {
    return border::entry([&]() -> Datum {
        std::string_view const digits = PG_GETARG_CSTRING(0);
        auto digit = [](char c) {
            if (c >= '0' && c <= '9')
                return c - '0';
            if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
            throw Error(ErrorKind::syntax, "invalid text of a profile", {},
                        "A profile is an even number of the digits 0-9 and a-f, as the engine wrote it.");
        };
        if (digits.size() % 2 != 0 || digits.empty())
            digit('x');
        std::string bytes;
        bytes.reserve(digits.size() / 2);
        for (std::size_t i = 0; i < digits.size(); i += 2)
            bytes += static_cast<char>(digit(digits[i]) << 4 | digit(digits[i + 1]));
        return border::make_varlena(encode(profile::decode(bytes)));
    });
}

NURTURE_FUNCTION(nurture_profile_out) {
    return border::entry([&]() -> Datum {
        static constexpr char digits[] = "0123456789abcdef";
        std::string_view const bytes = border::bytes_argument(fcinfo, 0);
        std::string hex;
        hex.reserve(bytes.size() * 2);
        for (char const c : bytes) {
            hex += digits[static_cast<unsigned char>(c) >> 4];
            hex += digits[static_cast<unsigned char>(c) & 15];
        }
        const char* const out = hex.c_str();
        return border::pg_call([out] { return CStringGetDatum(pstrdup(out)); });
    });
}

NURTURE_FUNCTION(nurture_profile_recv) {
    return border::entry([&]() -> Datum {
        auto* const buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
        int length = 0;
        const char* const bytes = border::pg_call([&] {
            length = buffer->len - buffer->cursor;
            return pq_getmsgbytes(buffer, length);
        });
        return border::make_varlena(encode(profile::decode({bytes, static_cast<std::size_t>(length)})));
    });
}

NURTURE_FUNCTION(nurture_profile_send) {
    return border::entry([&]() -> Datum { return border::make_varlena(border::bytes_argument(fcinfo, 0)); });
}

// Why a state cannot be read; NULL: it can.
NURTURE_FUNCTION(nurture_damage) {
    return border::entry([&]() -> Datum {
        try {
            (void)profile::decode(border::bytes_argument(fcinfo, 0));
        } catch (const Error& error) {
            return border::make_text(error.what());
        }
        fcinfo->isnull = true;
        return 0;
    });
}

// The state with its clock at a moment, unless it is beyond that.
NURTURE_FUNCTION(nurture_at_clock) {
    return border::entry([&]() -> Datum {
        profile::Profile profile = profile::decode(border::bytes_argument(fcinfo, 0));
        profile.clock = std::max(profile.clock, border::time_of(PG_GETARG_DATUM(1)));
        return border::make_varlena(encode(profile));
    });
}
