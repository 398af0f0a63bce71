// nurture._take_over: the next model, from what is wanted, what is in force and what the registry of features says.
#include "core/model/model.hpp"
#include "core/model/takeover.hpp"
#include "core/profile/profile.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

#include "pg/border/rows.hpp"

extern "C" {
#include "utils/array.h"
}

using namespace nurture;

namespace {

struct Registered {
    std::uint32_t id = 0;
    std::int64_t from_tick = 0;
    bool complete = false;
};

std::map<std::string, Registered> read_registry(std::string_view json) {
    std::map<std::string, Registered> out;
    auto const rows = nlohmann::json::parse(json);
    for (const auto& row : rows)
        out.emplace(row.at("definition").get<std::string>(),
                    Registered{row.at("id"), row.at("from_tick"), row.at("complete").get<bool>()});
    return out;
}

std::vector<std::uint32_t> ids_argument(FunctionCallInfo fcinfo, int n) {
    std::vector<std::uint32_t> out;
    if (PG_ARGISNULL(n))
        return out;
    Datum const datum = fcinfo->args[n].value;
    auto* const array =
        border::pg_call([datum] { return DatumGetArrayTypeP(datum); });
    if (ARR_NDIM(array) == 0)
        return out;
    if (ARR_HASNULL(array) || ARR_ELEMTYPE(array) != INT4OID)
        throw Error(ErrorKind::invalid_parameter, "ids must not be null");
    const auto* const ids = reinterpret_cast<const std::int32_t*>(ARR_DATA_PTR(array));
    int const count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    for (int i = 0; i < count; ++i)
        out.push_back(static_cast<std::uint32_t>(ids[i]));
    std::sort(out.begin(), out.end());
    return out;
}

// The definitions that wait are not in force, and so nobody is enrolled by them yet.
void without_held(std::vector<std::uint32_t>& ids, const model::Takeover& takeover, std::string_view kind) {
    for (const auto& held : takeover.held)
        if (held.kind == kind)
            std::erase(ids, held.id);
}

void fill(model::Source& next, const std::vector<std::string>& texts, const std::map<std::string, Registered>& registry) {
    for (const std::string& definition : texts) {
        auto const row = registry.find(definition);
        if (row == registry.end())
            throw Error(ErrorKind::invalid_definition, "feature \"" + definition + "\" is not registered");
        next.features.push_back({row->second.id, definition, row->second.complete ? 0 : row->second.from_tick});
    }
    std::sort(next.features.begin(), next.features.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
}

void note_left(model::Source& next, const model::Source& before) {
    for (const auto& row : before.segments)
        if (std::none_of(next.segments.begin(), next.segments.end(), [&](const auto& s) { return s.id == row.id; }))
            next.left_segments.push_back({row.id, row.name});
}

// Something that was not complete is now: conditions that read it are to be looked at again.
bool completes(const model::Source& next, const model::Source& before) {
    return std::any_of(before.features.begin(), before.features.end(), [&](const auto& old) {
        return old.from_tick != 0 && std::any_of(next.features.begin(), next.features.end(), [&](const auto& row) {
                   return row.id == old.id && row.from_tick == 0;
               });
    });
}

std::string held_json(const model::Takeover& takeover) {
    auto json = nlohmann::json::array();
    for (const auto& held : takeover.held)
        json.push_back({{"kind", held.kind}, {"id", held.id}, {"name", held.name}});
    return json.dump();
}

} // namespace

// _take_over(wanted, in_force or NULL, registry, id, published, enrol_segments, enrol_workflows)
NURTURE_FUNCTION(nurture_take_over) {
    return border::entry([&]() -> Datum {
        if (PG_ARGISNULL(0) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
            throw Error(ErrorKind::invalid_parameter, "wanted, registry and id must not be null");
        model::Source const wanted = model::parse_source(border::bytes_argument(fcinfo, 0));
        std::vector<model::Source> in_force;
        if (!PG_ARGISNULL(1))
            in_force.push_back(model::parse_source(border::bytes_argument(fcinfo, 1)));
        auto const registry = read_registry(border::bytes_argument(fcinfo, 2));
        std::set<std::string> complete;
        for (const auto& [definition, row] : registry)
            if (row.complete)
                complete.insert(definition);

        model::Takeover takeover = take_over(wanted, in_force.empty() ? nullptr : &in_force.front(), complete);
        model::Source& next = takeover.next;
        bool changes = in_force.empty() || definitions_of(next) != definitions_of(in_force.front());
        bool differs = changes || next.upcoming != in_force.front().upcoming;
        fill(next, takeover.features, registry);
        next.id = static_cast<std::uint32_t>(PG_GETARG_INT32(3));
        if (!PG_ARGISNULL(4))
            next.published = border::time_of(PG_GETARG_DATUM(4));
        next.enrol_segments = ids_argument(fcinfo, 5);
        next.enrol_workflows = ids_argument(fcinfo, 6);
        without_held(next.enrol_segments, takeover, "segment");
        without_held(next.enrol_workflows, takeover, "workflow");
        if (!in_force.empty()) {
            note_left(next, in_force.front());
            changes = changes || completes(next, in_force.front());
        }
        changes = changes || !next.enrol_segments.empty() || !next.enrol_workflows.empty();
        differs = differs || changes;
        [[maybe_unused]] auto const model = compile(next); // throws for what step() could not run

        border::RowSink sink(fcinfo);
        border::Row<4> row;
        row.add_text(print(next));
        row.add_bool(differs);
        row.add_bool(changes);
        row.add(border::make_jsonb(held_json(takeover)));
        row.put_into(sink);
        return 0;
    });
}

// _inside(state): where a contact has journeys
NURTURE_FUNCTION(nurture_inside) {
    return border::entry([&]() -> Datum {
        auto const state = profile::decode(border::bytes_argument(fcinfo, 0));
        border::RowSink sink(fcinfo);
        for (const auto& journey : state.journeys) {
            border::Row<2> row;
            row.add_int(static_cast<std::int32_t>(journey.workflow));
            row.add_int(static_cast<std::int32_t>(journey.version));
            row.put_into(sink);
        }
        return 0;
    });
}
