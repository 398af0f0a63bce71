// nurture._references: what a definition refers to by name.
#include "core/language/language.hpp"
#include "core/language/references.hpp"

#include "pg/border/rows.hpp"

using namespace nurture;

NURTURE_FUNCTION(nurture_references) {
    return border::entry([&]() -> Datum {
        std::string_view const form = border::bytes_argument(fcinfo, 0);
        std::string_view const definition = border::bytes_argument(fcinfo, 1);
        std::vector<language::Reference> found;
        if (form == "rule")
            found = references(language::parse_rule(definition));
        else if (form == "condition")
            found = references(language::parse_condition(definition));
        else if (form == "workflow")
            found = references(language::parse_workflow(definition));
        else
            throw Error(ErrorKind::invalid_parameter, "unknown form \"" + std::string(form) + "\"", {},
                        "The forms are rule, condition and workflow.");
        border::RowSink sink(fcinfo);
        for (const auto& reference : found) {
            border::Row<2> row;
            row.add_text(name_of(reference.kind));
            row.add_text(reference.name);
            row.put_into(sink);
        }
        return 0;
    });
}
