// The steps of a workflow's definition, what lets contacts in, and the arms of experiments, as rows.
#include "core/report/outline.hpp"

#include "pg/border/rows.hpp"
#include "pg/language/definition.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
}

using namespace nurture;

namespace {

Datum to_server(const std::string& utf8) {
    return border::pg_call([&utf8] {
        return PointerGetDatum(cstring_to_text(pg_any_to_server(utf8.c_str(), static_cast<int>(utf8.size()), PG_UTF8)));
    });
}

void put(border::RowSink& sink, const std::vector<report::OutlineStep>& steps, int depth, int& place) {
    for (const auto& step : steps) {
        border::Row<5> row;
        row.add_int(++place);
        row.add_text(step.step);
        row.add_int(depth);
        row.add_text(report::name_of(step.kind));
        row.add(to_server(step.text));
        row.put_into(sink);
        for (const auto& block : step.blocks)
            put(sink, block.steps, depth + 1, place);
    }
}

} // namespace

// _workflow_outline(definition)
NURTURE_FUNCTION(nurture_workflow_outline) {
    return border::entry([&]() -> Datum {
        auto const outline = report::outline_of(language::parse_workflow(language::definition_text(PG_GETARG_DATUM(0)),
                                                                         language::language_limits()));
        border::RowSink sink(fcinfo);
        int place = 0;
        put(sink, outline.steps, 0, place);
        return 0;
    });
}

// _workflow_entry(definition)
NURTURE_FUNCTION(nurture_workflow_entry) {
    return border::entry([&]() -> Datum {
        auto const lines = report::entry_lines(language::parse_workflow(language::definition_text(PG_GETARG_DATUM(0)),
                                                                        language::language_limits()));
        border::RowSink sink(fcinfo);
        for (const auto& line : lines) {
            border::Row<4> row;
            row.add_text(line.kind);
            for (const auto* part : {&line.name, &line.condition, &line.text})
                row.add(to_server(*part));
            row.put_into(sink);
        }
        return 0;
    });
}

// _experiment_arms(definition)
NURTURE_FUNCTION(nurture_experiment_arms) {
    return border::entry([&]() -> Datum {
        auto const arms = report::experiment_arms(language::parse_workflow(language::definition_text(PG_GETARG_DATUM(0)),
                                                                           language::language_limits()));
        border::RowSink sink(fcinfo);
        for (const auto& arm : arms) {
            border::Row<3> row;
            row.add(to_server(arm.experiment));
            row.add(to_server(arm.arm));
            row.add(border::make_numeric(arm.weight));
            row.put_into(sink);
        }
        return 0;
    });
}
