// What the views over sessions ask of settings and events, by the same rules as conditions do.
#include "pg/border/datum.hpp"
#include "pg/border/settings.hpp"
#include "pg/inbox/properties.hpp"

#include <string>

namespace nurture::sessions {

namespace {

using border::pg_call;

/// Is the word one of a list that is separated by commas?
bool lists(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        auto const comma = std::min(list.find(','), list.size());
        std::string_view item = list.substr(0, comma);
        while (!item.empty() && item.front() == ' ')
            item.remove_prefix(1);
        while (!item.empty() && item.back() == ' ')
            item.remove_suffix(1);
        if (item == word)
            return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

} // namespace

NURTURE_FUNCTION(nurture_session_gap) {
    return border::entry([&]() -> Datum {
        return pg_call([] {
            auto* const gap = static_cast<Interval*>(palloc0(sizeof(Interval)));
            gap->time = border::settings::session_gap_seconds() * USECS_PER_SEC;
            return PointerGetDatum(gap);
        });
    });
}

/// page(type, props): the page that was looked at, by its path or else its URL; NULL for other events.
NURTURE_FUNCTION(nurture_page) {
    return border::entry([&]() -> Datum {
        auto null = [&] {
            fcinfo->isnull = true;
            return Datum{0};
        };
        if (!lists(border::settings::page_events(), border::bytes_argument(fcinfo, 0)))
            return null();
        Datum const props = fcinfo->args[1].value;
        border::PropertyTexts texts;
        border::JsonbProperties const properties(pg_call([props] { return DatumGetJsonbP(props); }), texts);
        for (const char* name : {"path", "url"})
            if (profile::Value const page = properties.get({{name}}); page.kind == profile::Value::Kind::string)
                return border::make_text(page.text);
        return null();
    });
}

/// told_seconds(props): how long it was, as the event itself says; NULL if it does not.
NURTURE_FUNCTION(nurture_told_seconds) {
    return border::entry([&]() -> Datum {
        Datum const props = fcinfo->args[0].value;
        border::PropertyTexts texts;
        border::JsonbProperties const properties(pg_call([props] { return DatumGetJsonbP(props); }), texts);
        auto const seconds = profile::number_of(properties.get({{"seconds"}}));
        if (seconds && *seconds >= 0)
            return border::make_numeric(*seconds);
        fcinfo->isnull = true;
        return Datum{0};
    });
}

} // namespace nurture::sessions
