// The steps of a workflow's definition, by the names that transitions and actions tell them by.
#include "core/language/language.hpp"
#include "core/language/migration.hpp"
#include "core/language/step_paths.hpp"

#include "pg/border/rows.hpp"
#include "pg/language/definition.hpp"

using namespace nurture;

NURTURE_FUNCTION(nurture_steps) {
    return border::entry([&]() -> Datum {
        auto const workflow = language::parse_workflow(border::bytes_argument(fcinfo, 0), language::language_limits());
        border::RowSink sink(fcinfo);
        for (const auto& place : step_places(workflow)) {
            border::Row<3> row;
            row.add_text(place.path);
            row.add_text(place.text);
            row.add_bool(place.waits);
            row.put_into(sink);
        }
        return 0;
    });
}

// _migration_problem(definition before, step, definition after, target); NULL: none
NURTURE_FUNCTION(nurture_migration_problem) {
    return border::entry([&]() -> Datum {
        auto const parsed = [&](int n) { return language::parse_workflow(border::bytes_argument(fcinfo, n), language::language_limits()); };
        std::string const problem =
            migration_problem(parsed(0), border::bytes_argument(fcinfo, 1), parsed(2), border::bytes_argument(fcinfo, 3));
        if (problem.empty()) {
            fcinfo->isnull = true;
            return 0;
        }
        return border::make_text(problem);
    });
}
