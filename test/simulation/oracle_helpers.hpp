#pragma once
// What the parts of the oracle share.
#include "random.hpp"

#include <ctime>

namespace nurture::world {

// at, or the moment we were told when that was earlier
inline Time happened(const Event& event) { return event.at < event.received_at ? event.at : event.received_at; }

inline bool before(const Event* a, const Event* b) { return happened(*a) < happened(*b); }

inline Json walk(const Json& document, const language::Path& path, std::size_t from = 0) {
    const Json* at = &document;
    for (std::size_t i = from; i < path.keys.size(); ++i) {
        if (!at->is_object() || at->find(path.keys[i]) == at->end())
            return nullptr;
        at = &at->at(path.keys[i]);
    }
    return *at;
}

inline std::optional<long double> as_number(const Json& json) {
    if (json.is_number())
        return json.get<long double>();
    if (!json.is_string())
        return std::nullopt;
    std::string const text = json;
    if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string::npos)
        return std::nullopt;
    char* end = nullptr;
    long double const value = std::strtold(text.c_str(), &end);
    return *end == 0 ? std::optional(value) : std::nullopt;
}

inline std::optional<bool> as_truth(const Json& json) {
    if (json.is_boolean())
        return json.get<bool>();
    if (json == "true" || json == "false")
        return json == "true";
    return std::nullopt;
}

inline std::string as_text(const Json& json) { return json.is_string() ? json.get<std::string>() : json.dump(); }

// Dates as the histories have them: YYYY-MM-DD.
inline std::optional<Time> as_time(const Json& json) {
    std::tm date{};
    if (!json.is_string())
        return std::nullopt;
    std::string const text = json;
    const char* end = ::strptime(text.c_str(), "%Y-%m-%d", &date);
    if (text.size() != 10 || end == nullptr || *end != 0)
        return std::nullopt;
    std::tm const wanted = date;
    std::time_t const seconds = ::timegm(&date);
    if (date.tm_mday != wanted.tm_mday)
        return std::nullopt;
    return (static_cast<std::int64_t>(seconds) - unix_epoch_offset) * one_second;
}

} // namespace nurture::world
