#include "core/guard/guard.hpp"

#include "core/base/error.hpp"

#include <algorithm>

namespace nurture::guard {

namespace {

template <class Names>
bool among(const Names& names, std::string_view name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

bool workflow_among(const std::vector<language::WorkflowName>& names, std::string_view name) {
    return names.empty() || std::any_of(names.begin(), names.end(), [&](const auto& w) { return w.name == name; });
}

} // namespace

Guards compile(std::span<const model::PolicyRow> rows, const model::CalendarPolicy& calendar, const Zone& zone) {
    Guards out;
    out.calendar = calendar;
    out.zone = zone;
    for (const model::PolicyRow& row : rows) {
        try {
            out.policies.push_back({row.id, row.name, language::parse_policy(row.definition)});
        } catch (Error& error) {
            Error named(error.kind, "policy \"" + row.name + "\": " + error.what(), error.detail, error.hint);
            throw std::move(named).at(error.offset);
        }
    }
    return out;
}

bool applies(const Policy& policy, const Message& message) {
    const language::Policy& scope = policy.definition;
    return among(scope.channels, message.channel) && among(scope.purposes, message.purpose) &&
           workflow_among(scope.workflows, message.workflow);
}

bool counts(const Policy& policy, const language::MessageCap& cap, const Sent& sent) {
    const language::Policy& scope = policy.definition;
    return (cap.all_channels || among(scope.channels, sent.channel)) && among(scope.purposes, sent.purpose) &&
           workflow_among(scope.workflows, sent.workflow);
}

bool Guards::is_holiday(const language::HolidayCalendar& which, const Place& place, std::int64_t day) const {
    auto found = calendar.holidays.end();
    if (which.of_country)
        found = calendar.holidays.find(place.country);
    if (found == calendar.holidays.end())
        found = calendar.holidays.find(which.name.value_or("default"));
    return found != calendar.holidays.end() && std::binary_search(found->second.begin(), found->second.end(), day);
}

} // namespace nurture::guard
