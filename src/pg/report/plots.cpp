// The pictures as SQL functions: arrays in, SVG out. Drawing is the core's.
#include "core/report/outline.hpp"
#include "core/report/plots.hpp"
#include "core/report/svg.hpp"

#include "pg/border/elements.hpp"
#include "pg/language/definition.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
}

using namespace nurture;
using border::Elements;

namespace {

/// Text in UTF-8, whatever the database's encoding.
std::string utf8(Datum datum) {
    return border::pg_call([datum]() -> const char* {
        text* const value = DatumGetTextPP(datum);
        auto const length = static_cast<int>(VARSIZE_ANY_EXHDR(value));
        return pg_server_to_any(pnstrdup(VARDATA_ANY(value), static_cast<Size>(length)), length, PG_UTF8);
    });
}

std::string title_argument(FunctionCallInfo fcinfo, int n) {
    return PG_ARGISNULL(n) ? std::string() : utf8(PG_GETARG_DATUM(n));
}

report::Labels labels(FunctionCallInfo fcinfo, int n, const char* name) {
    Elements const array(fcinfo, n, TEXTOID);
    report::Labels out;
    out.reserve(array.complete(name).size());
    for (std::size_t i = 0; i < array.size(); ++i) {
        border::check_interrupts();
        out.push_back(utf8(array.datum(i)));
    }
    return out;
}

std::vector<std::int64_t> bigints(FunctionCallInfo fcinfo, int n, const char* name) {
    return Elements(fcinfo, n, INT8OID).complete(name).all(&Elements::bigint);
}
std::vector<double> doubles(FunctionCallInfo fcinfo, int n, const char* name) {
    return Elements(fcinfo, n, FLOAT8OID).complete(name).all(&Elements::real);
}

} // namespace

// _plot_markup(text)
NURTURE_FUNCTION(nurture_markup) {
    return border::entry([&]() -> Datum { return border::make_text(report::svg::escape(utf8(PG_GETARG_DATUM(0)))); });
}

// plot_funnel(labels, reached, title)
NURTURE_FUNCTION(nurture_plot_funnel) {
    return border::entry([&]() -> Datum {
        return border::make_text(report::plot_funnel(labels(fcinfo, 0, "labels"), bigints(fcinfo, 1, "reached"),
                                                     title_argument(fcinfo, 2)));
    });
}

// plot_retention(cohorts, periods, shares, members, title)
NURTURE_FUNCTION(nurture_plot_retention) {
    return border::entry([&]() -> Datum {
        auto const cohorts = labels(fcinfo, 0, "cohorts");
        auto const periods = Elements(fcinfo, 1, INT4OID).complete("periods").all(&Elements::integer);
        return border::make_text(report::plot_retention(cohorts, periods, doubles(fcinfo, 2, "shares"),
                                                        bigints(fcinfo, 3, "members"), title_argument(fcinfo, 4)));
    });
}

// plot_scores(scores, outcomes, title); a NULL score is left out, a NULL outcome is false.
NURTURE_FUNCTION(nurture_plot_scores) {
    return border::entry([&]() -> Datum {
        Elements const scores(fcinfo, 0, FLOAT8OID), outcomes(fcinfo, 1, BOOLOID);
        bool const with_outcomes = !PG_ARGISNULL(1);
        if (with_outcomes)
            report::check_lengths("scores", scores.flat("scores").size(), "outcomes", outcomes.flat("outcomes").size());
        std::vector<double> values;
        std::vector<std::uint8_t> happened;
        for (std::size_t i = 0; i < scores.flat("scores").size(); ++i) {
            if (scores.is_null(i))
                continue;
            values.push_back(scores.real(i));
            if (with_outcomes)
                happened.push_back(outcomes.truth(i) ? 1 : 0);
        }
        return border::make_text(report::plot_scores(values, happened, title_argument(fcinfo, 2)));
    });
}

// _workflow_diagram(definition, format, title, keys, counts)
NURTURE_FUNCTION(nurture_workflow_diagram) {
    return border::entry([&]() -> Datum {
        auto const outline = report::outline_of(language::parse_workflow(language::definition_text(PG_GETARG_DATUM(0)),
                                                                         language::language_limits()));
        std::string const format = utf8(PG_GETARG_DATUM(1));
        auto const keys = labels(fcinfo, 3, "keys");
        auto const numbers = bigints(fcinfo, 4, "counts");
        report::check_lengths("keys", keys.size() + 1, "counts", numbers.size() + 1);
        report::JourneyCounts counts;
        for (std::size_t i = 0; i < keys.size(); ++i)
            counts[keys[i]] = numbers[i];
        if (format == "mermaid") {
            std::string const drawn = report::mermaid_of(outline, counts);
            return border::pg_call([&] {
                return PointerGetDatum(cstring_to_text(pg_any_to_server(drawn.c_str(), static_cast<int>(drawn.size()), PG_UTF8)));
            });
        }
        if (format != "svg")
            throw Error(ErrorKind::invalid_parameter, "a diagram has no format \"" + format + "\"", {},
                        "The formats are svg and mermaid.");
        return border::make_text(report::draw_workflow(outline, counts, title_argument(fcinfo, 2)));
    });
}

// plot_bars(labels, values, panels, title)
NURTURE_FUNCTION(nurture_plot_bars) {
    return border::entry([&]() -> Datum {
        auto const names = labels(fcinfo, 0, "labels");
        auto const values = doubles(fcinfo, 1, "values");
        auto const panels = labels(fcinfo, 2, "panels");
        return border::make_text(report::plot_bars(names, values, panels, title_argument(fcinfo, 3)));
    });
}

// plot_attribution(channels, credits, models, title)
NURTURE_FUNCTION(nurture_plot_attribution) {
    return border::entry([&]() -> Datum {
        auto const channels = labels(fcinfo, 0, "channels");
        auto const credits = doubles(fcinfo, 1, "credits");
        auto const models = labels(fcinfo, 2, "models");
        report::check_lengths("channels", channels.size(), "credits", credits.size());
        if (!models.empty())
            report::check_lengths("channels", channels.size(), "models", models.size());
        return border::make_text(
            report::plot_bars(channels, credits, models, title_argument(fcinfo, 3), "Attribution"));
    });
}

// _plot_segments(at, segments, sizes, title)
NURTURE_FUNCTION(nurture_plot_segments) {
    return border::entry([&]() -> Datum {
        auto const at = Elements(fcinfo, 0, TIMESTAMPOID).complete("at").all(&Elements::bigint);
        auto const names = labels(fcinfo, 1, "segments");
        return border::make_text(
            report::plot_segments(at, names, bigints(fcinfo, 2, "sizes"), title_argument(fcinfo, 3)));
    });
}
