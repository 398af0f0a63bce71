// What definitions name, what they say when a name changes, what two versions differ in.
#include "core/language/layout.hpp"
#include "core/language/policy.hpp"
#include "core/language/rename.hpp"
#include "core/language/stream.hpp"
#include "core/model/model.hpp"

#include <nlohmann/json.hpp>

#include "pg/border/rows.hpp"
#include "pg/language/definition.hpp"

using namespace nurture;

namespace {

language::Form form_argument(FunctionCallInfo fcinfo, int n) {
    std::string_view const name = border::bytes_argument(fcinfo, n);
    auto const form = language::form_named(name);
    if (!form)
        throw Error(ErrorKind::invalid_parameter, "unknown form \"" + std::string(name) + "\"", {},
                    "The forms are rule, condition, workflow, policy and stream.");
    return *form;
}

template <class Read>
auto read_as(language::Form form, std::string_view definition, Read read) {
    language::Limits const limits = language::language_limits();
    switch (form) {
    case language::Form::rule:
        return read(language::parse_rule(definition, limits));
    case language::Form::condition:
        return read(language::parse_condition(definition, limits));
    case language::Form::workflow:
        return read(language::parse_workflow(definition, limits));
    case language::Form::policy:
        return read(language::parse_policy(definition, limits));
    case language::Form::stream:
        break;
    }
    return read(language::parse_stream(definition, limits));
}

} // namespace

NURTURE_FUNCTION(nurture_references) {
    return border::entry([&]() -> Datum {
        auto const found = read_as(form_argument(fcinfo, 0), border::bytes_argument(fcinfo, 1),
                                   [](const auto& definition) { return references(definition); });
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

NURTURE_FUNCTION(nurture_uses) {
    return border::entry([&]() -> Datum {
        auto const found = read_as(form_argument(fcinfo, 0), border::bytes_argument(fcinfo, 1),
                                   [](const auto& definition) { return uses(definition); });
        border::RowSink sink(fcinfo);
        for (const auto& use : found) {
            border::Row<2> row;
            row.add_text(use.kind);
            row.add_text(use.name);
            row.put_into(sink);
        }
        return 0;
    });
}

// The topic that a rule's points count for, or NULL.
NURTURE_FUNCTION(nurture_topic_of) {
    return border::entry([&]() -> Datum {
        auto const rule = language::parse_rule(border::bytes_argument(fcinfo, 0), language::language_limits());
        if (!rule.topic) {
            fcinfo->isnull = true;
            return 0;
        }
        return border::make_text(*rule.topic);
    });
}

// _renamed(form, definition, kind, names): the names as a JSON object, old to new
NURTURE_FUNCTION(nurture_renamed) {
    return border::entry([&]() -> Datum {
        std::string_view const kind = border::bytes_argument(fcinfo, 2);
        std::string_view const definition = border::bytes_argument(fcinfo, 1);
        std::map<std::string, std::string> names;
        auto const given = nlohmann::json::parse(border::bytes_argument(fcinfo, 3));
        for (const auto& [from, to] : given.items())
            names.emplace(from, to.get<std::string>());
        for (auto const known : {language::ReferenceKind::segment, language::ReferenceKind::topic,
                                 language::ReferenceKind::list, language::ReferenceKind::workflow,
                                 language::ReferenceKind::coupon_pool, language::ReferenceKind::stream,
                                 language::ReferenceKind::rota})
            if (name_of(known) == kind)
                return border::make_text(
                    renamed(form_argument(fcinfo, 0), definition, known, names, language::language_limits()));
        return border::make_text(definition); // nothing refers to that kind by name
    });
}

// _diff_text(before, after): either may be NULL
NURTURE_FUNCTION(nurture_diff_text) {
    return border::entry([&]() -> Datum {
        auto lines = [&](int n) {
            return PG_ARGISNULL(n) ? std::vector<std::string>()
                                   : language::lines_of(border::bytes_argument(fcinfo, n));
        };
        auto const found = language::diff(lines(0), lines(1));
        border::RowSink sink(fcinfo);
        std::int32_t number = 0;
        for (const auto& line : found) {
            using Change = language::DiffLine::Change;
            border::Row<3> row;
            row.add_int(++number);
            row.add_text(line.change == Change::same ? "" : line.change == Change::removed ? "removed" : "added");
            row.add_text(line.text);
            row.put_into(sink);
        }
        return 0;
    });
}

// _unresolved(form, definition, source): what is wrong with it beside the definitions in force; no row: nothing
NURTURE_FUNCTION(nurture_unresolved) {
    return border::entry([&]() -> Datum {
        static constexpr std::string_view name = "(new)";
        language::Form const form = form_argument(fcinfo, 0);
        std::string const definition(border::bytes_argument(fcinfo, 1));
        model::Source source = model::parse_source(border::bytes_argument(fcinfo, 2));
        std::uint32_t const id = UINT32_MAX - 1;
        switch (form) {
        case language::Form::rule:
            source.rules.push_back({id, std::string(name), definition});
            break;
        case language::Form::condition:
            source.segments.push_back({id, std::string(name), definition});
            break;
        case language::Form::workflow:
            source.workflows.push_back({id, 1, std::string(name), definition});
            break;
        case language::Form::policy:
            source.policies.push_back({id, std::string(name), definition});
            break;
        case language::Form::stream:
            source.streams.push_back({id, std::string(name), definition});
            break;
        }
        border::RowSink sink(fcinfo);
        try {
            (void)model::required_features(source);
        } catch (const Error& error) {
            if (error.kind == ErrorKind::interrupted)
                throw;
            std::string message = error.what();
            if (std::size_t const at = message.find(name); at != std::string::npos && message.compare(at + name.size(), 3, "\": ") == 0)
                message.erase(0, at + name.size() + 3);
            border::Row<4> row;
            row.add_text(message);
            if (error.offset >= 0) {
                auto const position = language::position_of(definition, static_cast<std::size_t>(error.offset));
                row.add_int(static_cast<std::int32_t>(position.line));
                row.add_int(static_cast<std::int32_t>(position.column));
            } else {
                row.add_null();
                row.add_null();
            }
            row.add_optional(error.hint);
            row.put_into(sink);
        }
        return 0;
    });
}
