// What streams hold, and how far a contact is in them.
#include "core/language/stream.hpp"
#include "core/report/streams.hpp"

#include "pg/border/rows.hpp"
#include "pg/language/definition.hpp"
#include "pg/model/compiled_model.hpp"
#include "pg/profile/profile_argument.hpp"

using namespace nurture;

// _stream_contents(definition)
NURTURE_FUNCTION(nurture_stream_contents) {
    return border::entry([&]() -> Datum {
        auto const stream =
            language::parse_stream(border::bytes_argument(fcinfo, 0), language::language_limits());
        border::RowSink sink(fcinfo);
        std::int32_t place = 0;
        for (const auto& content : stream.contents) {
            std::string available = content.from ? "from " + print(language::Literal(*content.from)) : "";
            if (content.until)
                available +=
                    (available.empty() ? "until " : " until ") + print(language::Literal(*content.until));
            border::Row<5> row;
            row.add_int(++place);
            row.add_text(content.channel);
            row.add_text(content.template_name);
            row.add_optional(content.purpose.value_or(""));
            row.add_optional(available);
            row.put_into(sink);
        }
        return 0;
    });
}

// _stream_places(model, contact, state, at)
NURTURE_FUNCTION(nurture_stream_places) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        profile::Profile const profile = border::profile_argument(fcinfo, 2);
        auto const places =
            report::stream_places(*model, profile, border::bytes_argument(fcinfo, 1),
                                  std::max(border::time_of(PG_GETARG_DATUM(3)), profile.clock));
        border::RowSink sink(fcinfo);
        for (const auto& place : places) {
            const auto& content = place.stream->contents[place.place];
            border::Row<5> row;
            row.add_text(place.stream->name);
            row.add_int(static_cast<std::int32_t>(place.place) + 1);
            row.add_text(content.channel);
            row.add_text(content.template_name);
            row.add_text(place.state);
            row.put_into(sink);
        }
        return 0;
    });
}
