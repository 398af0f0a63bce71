#include "core/model/source.hpp"

#include "core/base/decimal.hpp"
#include "core/base/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace nurture::model {

using Json = nlohmann::ordered_json;

namespace {

constexpr int source_format = 1;

void print_calendar(Json& json, const Source& source) {
    Json holidays = Json::object();
    for (auto const& [calendar, days] : source.calendar.holidays)
        holidays[calendar] = days;
    json["calendar"] = {{"week_start", source.calendar.week_start},
                        {"leap_day_in_march", source.calendar.leap_day_in_march},
                        {"holidays", holidays}};
    json["lists"] = source.lists;
}

void parse_calendar(const Json& json, Source& source) {
    if (json.contains("calendar")) {
        const Json& calendar = json.at("calendar");
        source.calendar.week_start = calendar.at("week_start").get<int>();
        source.calendar.leap_day_in_march = calendar.at("leap_day_in_march").get<bool>();
        for (auto const& [name, days] : calendar.at("holidays").items()) {
            auto& sorted = source.calendar.holidays[name];
            sorted = days.get<std::vector<std::int32_t>>();
            std::sort(sorted.begin(), sorted.end());
        }
    }
    if (json.contains("lists"))
        source.lists = json.at("lists").get<std::vector<std::string>>();
}

// Points are written as text: JSON's numbers may be read as floating point on the way.
std::int64_t points_of(const Json& json) {
    auto const points = parse_micro(json.get<std::string>());
    if (!points)
        throw Error(ErrorKind::out_of_range, "a number of points is out of range", {},
                    "Points go up to 9223372036854.775807.");
    return *points;
}

void print_scoring(Json& json, const Source& source) {
    if (!source.limits.empty())
        json["limits"] = Json::array();
    for (const auto& row : source.limits) {
        Json limit = {{"name", row.name}, {"topic", row.topic}};
        limit["floor"] = row.floor ? Json(print_micro(*row.floor)) : Json();
        limit["ceiling"] = row.ceiling ? Json(print_micro(*row.ceiling)) : Json();
        json["limits"].push_back(std::move(limit));
    }
    if (!source.bands.empty())
        json["bands"] = Json::array();
    for (const auto& row : source.bands)
        json["bands"].push_back({{"id", row.id},
                                 {"name", row.name},
                                 {"topic", row.topic},
                                 {"from", print_micro(row.from)},
                                 {"hysteresis", print_micro(row.hysteresis)},
                                 {"rearm", row.rearm}});
}

void parse_scoring(const Json& json, Source& source) {
    for (const auto& row : json.value("limits", Json::array())) {
        LimitRow limit{row.at("name"), row.at("topic"), {}, {}};
        if (!row.at("floor").is_null())
            limit.floor = points_of(row.at("floor"));
        if (!row.at("ceiling").is_null())
            limit.ceiling = points_of(row.at("ceiling"));
        source.limits.push_back(std::move(limit));
    }
    for (const auto& row : json.value("bands", Json::array()))
        source.bands.push_back({row.at("id"), row.at("name"), row.at("topic"), points_of(row.at("from")),
                                points_of(row.at("hysteresis")), row.at("rearm")});
}

void print_named(Json& json, const char* key, const std::vector<Named>& rows) {
    for (const auto& row : rows)
        json[key].push_back({{"id", row.id}, {"name", row.name}});
}

std::vector<Named> parse_named(const Json& json, const char* key) {
    std::vector<Named> out;
    for (const auto& row : json.value(key, Json::array()))
        out.push_back({row.at("id"), row.at("name")});
    return out;
}

// Without streams, pools and rotas a source reads as before there were any.
void print_streams(Json& json, const Source& source) {
    for (const auto& row : source.streams)
        json["streams"].push_back({{"id", row.id}, {"name", row.name}, {"definition", row.definition}});
    print_named(json, "coupon_pools", source.coupon_pools);
    print_named(json, "rotas", source.rotas);
}

void parse_streams(const Json& json, Source& source) {
    for (const auto& row : json.value("streams", Json::array()))
        source.streams.push_back({row.at("id"), row.at("name"), row.at("definition")});
    source.coupon_pools = parse_named(json, "coupon_pools");
    source.rotas = parse_named(json, "rotas");
}

void print_takeover(Json& json, const Source& source) {
    if (source.published != always) {
        json["published"] = source.published;
        json["told_when_published"] = source.told_when_published;
    }
    print_named(json, "left_segments", source.left_segments);
    if (!source.enrol_segments.empty())
        json["enrol_segments"] = source.enrol_segments;
    if (!source.enrol_workflows.empty())
        json["enrol_workflows"] = source.enrol_workflows;
    if (!source.upcoming.empty())
        json["upcoming"] = Json::parse(print(source.upcoming.front()));
}

void parse_takeover(const Json& json, Source& source) {
    source.published = json.value("published", always);
    source.told_when_published = json.value("told_when_published", source.published == always);
    source.left_segments = parse_named(json, "left_segments");
    source.enrol_segments = json.value("enrol_segments", std::vector<std::uint32_t>());
    source.enrol_workflows = json.value("enrol_workflows", std::vector<std::uint32_t>());
    if (auto const upcoming = json.find("upcoming"); upcoming != json.end())
        source.upcoming.push_back(parse_source(upcoming->dump()));
}

} // namespace

std::string print(const Source& source) {
    Json json;
    json["format"] = source_format;
    json["id"] = source.id;
    json["timezone"] = source.timezone;
    json["late_after"] = source.late_after;
    json["action_expiry"] = source.action_expiry;
    json["dedup_window"] = source.dedup_window;
    print_calendar(json, source);
    if (source.holdout_percent != 0) {
        json["holdout_percent"] = source.holdout_percent;
        json["holdout_salt"] = source.holdout_salt;
    }
    json["session_gap"] = source.session_gap;
    json["max_window_entries"] = source.max_window_entries;
    json["rules"] = Json::array();
    for (const auto& row : source.rules)
        json["rules"].push_back({{"id", row.id}, {"name", row.name}, {"definition", row.definition}});
    json["segments"] = Json::array();
    for (const auto& row : source.segments)
        json["segments"].push_back({{"id", row.id}, {"name", row.name}, {"condition", row.condition}});
    json["workflows"] = Json::array();
    for (const auto& row : source.workflows) {
        json["workflows"].push_back({{"id", row.id},
                                     {"version", row.version},
                                     {"name", row.name},
                                     {"definition", row.definition},
                                     {"current", row.current},
                                     {"paused", row.paused}});
        if (!row.held_steps.empty())
            json["workflows"].back()["held_steps"] = row.held_steps;
    }
    print_scoring(json, source);
    if (!source.policies.empty())
        json["policies"] = Json::array();
    for (const auto& row : source.policies)
        json["policies"].push_back({{"id", row.id}, {"name", row.name}, {"definition", row.definition}});
    print_streams(json, source);
    json["features"] = Json::array();
    for (const auto& row : source.features)
        json["features"].push_back({{"id", row.id}, {"definition", row.definition}, {"from_tick", row.from_tick}});
    print_takeover(json, source);
    return json.dump();
}

Source parse_source(std::string_view text) {
    try {
        Json const json = Json::parse(text);
        if (json.at("format").get<int>() > source_format)
            throw Error(ErrorKind::newer_format, "the model was written by a later version of nurture", {},
                        "Install the newer library on this server.");
        Source source;
        source.id = json.at("id").get<std::uint32_t>();
        source.timezone = json.at("timezone").get<std::string>();
        source.late_after = json.at("late_after").get<Span>();
        source.action_expiry = json.at("action_expiry").get<Span>();
        source.dedup_window = json.at("dedup_window").get<Span>();
        parse_calendar(json, source);
        source.holdout_percent = json.value("holdout_percent", source.holdout_percent);
        source.holdout_salt = json.value("holdout_salt", source.holdout_salt);
        source.session_gap = json.value("session_gap", source.session_gap);
        source.max_window_entries = json.value("max_window_entries", source.max_window_entries);
        for (const auto& row : json.at("rules"))
            source.rules.push_back({row.at("id"), row.at("name"), row.at("definition")});
        for (const auto& row : json.at("segments"))
            source.segments.push_back({row.at("id"), row.at("name"), row.at("condition")});
        for (const auto& row : json.at("workflows"))
            source.workflows.push_back({row.at("id"), row.at("version"), row.at("name"), row.at("definition"),
                                        row.at("current"), row.at("paused"),
                                        row.value("held_steps", std::vector<std::string>())});
        parse_scoring(json, source);
        for (const auto& row : json.value("policies", Json::array()))
            source.policies.push_back({row.at("id"), row.at("name"), row.at("definition")});
        parse_streams(json, source);
        for (const auto& row : json.at("features"))
            source.features.push_back({row.at("id"), row.at("definition"), row.at("from_tick")});
        parse_takeover(json, source);
        return source;
    } catch (const nlohmann::json::exception& problem) {
        throw Error(ErrorKind::syntax, "invalid text of a compiled model", problem.what(),
                    "Models are made by the engine; write rules, segments and workflows instead.");
    }
}

} // namespace nurture::model
