// What nurture.lint() asks of definitions: what a workflow sends, and which guards there are for such a message.
#include "core/guard/guard.hpp"
#include "core/language/blocks.hpp"
#include "core/model/source.hpp"

#include <set>

#include "pg/border/rows.hpp"
#include "pg/language/definition.hpp"

using namespace nurture;

namespace {

struct Sending {
    std::string channel, template_name, purpose;
    bool transactional = false;
    std::string stream; ///< what it has next, instead
    friend auto operator<=>(const Sending&, const Sending&) = default;
};

void collect(const language::Steps& steps, std::set<Sending>& out) {
    for (const auto& step : steps) {
        if (const auto* send = std::get_if<language::Send>(&step->node)) {
            out.insert({send->channel, send->template_name, send->purpose.value_or(""), send->transactional, {}});
            for (const std::string& other : send->others)
                out.insert({other, send->template_name, send->purpose.value_or(""), send->transactional, {}});
        } else if (const auto* next = std::get_if<language::SendNext>(&step->node)) {
            out.insert({{}, {}, {}, false, next->stream});
        }
        language::for_blocks(*step, [&](const language::Steps& block) { collect(block, out); });
    }
}

bool has_hours(const language::Policy& policy) {
    return !policy.quiet.empty() || !policy.windows.empty();
}

} // namespace

// _sends(workflow definition): each message once
NURTURE_FUNCTION(nurture_sends) {
    return border::entry([&]() -> Datum {
        auto const workflow = language::parse_workflow(border::bytes_argument(fcinfo, 0), language::language_limits());
        std::set<Sending> found;
        collect(workflow.steps, found);
        border::RowSink sink(fcinfo);
        for (const auto& sending : found) {
            border::Row<5> row;
            row.add_optional(sending.channel);
            row.add_optional(sending.template_name);
            row.add_optional(sending.purpose);
            row.add_bool(sending.transactional);
            row.add_optional(sending.stream);
            row.put_into(sink);
        }
        return 0;
    });
}

// _guarded_by(source, channel, purpose, workflow): the policies for such a message, and what they have for it
NURTURE_FUNCTION(nurture_guarded_by) {
    return border::entry([&]() -> Datum {
        model::Source const source = model::parse_source(border::bytes_argument(fcinfo, 0));
        auto const guards = guard::compile(source.policies, source.calendar, Zone::find(source.timezone));
        guard::Message const message{border::bytes_argument(fcinfo, 1), border::bytes_argument(fcinfo, 2),
                                     border::bytes_argument(fcinfo, 3)};
        border::RowSink sink(fcinfo);
        for (const auto& policy : guards.policies) {
            if (!applies(policy, message))
                continue;
            border::Row<4> row;
            row.add_text(policy.name);
            row.add_bool(policy.definition.require_consent);
            row.add_bool(!policy.definition.caps.empty());
            row.add_bool(has_hours(policy.definition));
            row.put_into(sink);
        }
        return 0;
    });
}

// _calendars_of(policy definition): whose holidays it asks for; of the contact's country it is any
NURTURE_FUNCTION(nurture_calendars_of) {
    return border::entry([&]() -> Datum {
        auto const policy = language::parse_policy(border::bytes_argument(fcinfo, 0), language::language_limits());
        std::set<std::string> found;
        auto const ask = [&](const language::HolidayCalendar& calendar) {
            if (!calendar.of_country)
                found.insert(calendar.name.value_or("default"));
        };
        for (const auto& window : policy.windows)
            if (window.business_days)
                ask(window.calendar);
        for (const auto& holidays : policy.holidays)
            ask(holidays.calendar);
        border::RowSink sink(fcinfo);
        for (const auto& calendar : found) {
            border::Row<1> row;
            row.add_text(calendar);
            row.put_into(sink);
        }
        return 0;
    });
}
