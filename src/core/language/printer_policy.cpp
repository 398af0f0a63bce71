// The canonical text of policies, and what they name.
#include "core/language/lexer.hpp"
#include "core/language/policy.hpp"
#include "core/language/printer.hpp"

#include <algorithm>

namespace nurture::language {

namespace {

using printing::append;
using printing::append_string;

std::string time_text(std::int32_t minutes) {
    auto const two = [](std::int32_t value) { return (value < 10 ? "0" : "") + std::to_string(value); };
    return two(minutes / 60) + ':' + two(minutes % 60);
}

// In a scope a word of the grammar could be read as what follows: such a name is always quoted.
std::string scope_name(const std::string& name) {
    if (keyword_of(name) == Keyword::none)
        return print_name(name);
    return '"' + name + '"';
}

std::string of_calendar(const HolidayCalendar& calendar) {
    if (calendar.of_country)
        return " of contact country";
    return calendar.name ? " of " + print_string(*calendar.name) : "";
}

std::string_view name_of(CapPeriod period) {
    static constexpr std::string_view names[] = {"hour", "day", "week", "month", "ever"};
    return names[static_cast<std::size_t>(period)];
}

class PolicyPrinter {
  public:
    std::string run(const Policy& policy) {
        scope(policy);
        std::size_t const scope_size = out_.size();
        if (policy.require_consent)
            line("require consent");
        each(policy.caps);
        each(policy.quiet);
        each(policy.windows);
        each(policy.holidays);
        each(policy.rates);
        each(policy.budgets);
        if (policy.priority)
            line("priority " + std::to_string(*policy.priority));
        if (!policy.expire_after.empty())
            line("expire after " + print(policy.expire_after));
        if (policy.when_stopped == WhenStopped::drop)
            line("when stopped drop");
        else if (policy.when_stopped == WhenStopped::keep_best)
            line("when stopped keep the best");
        if (out_.size() == scope_size) // "when stopped delay" is the only guard, and says nothing
            line("when stopped delay");
        return std::move(out_);
    }

  private:
    std::string out_;

    void line(std::string_view text) {
        if (!out_.empty())
            out_ += '\n';
        out_ += text;
    }
    template <class Guard>
    void each(const std::vector<Guard>& guards) {
        for (const Guard& guard : guards)
            line(print(guard));
    }
    void scope(const Policy& policy) {
        if (policy.channels.empty() && policy.purposes.empty() && policy.workflows.empty())
            return;
        out_ = "for";
        names("", policy.channels);
        names(" purpose", policy.purposes);
        std::string_view separator = " workflow ";
        for (const WorkflowName& workflow : policy.workflows) {
            out_ += separator;
            append_string(out_, workflow.name);
            separator = ", ";
        }
    }
    void names(std::string_view word, const std::vector<std::string>& names) {
        if (names.empty())
            return;
        out_ += word;
        std::string_view separator = " ";
        for (const std::string& name : names) {
            out_ += separator;
            out_ += scope_name(name);
            separator = ", ";
        }
    }
};

} // namespace

std::string print(const MessageCap& cap) {
    std::string out = "at most " + std::to_string(cap.count);
    if (cap.workflows)
        out += cap.count == 1 ? " workflow" : " workflows";
    out += " per ";
    if (cap.rolling.empty())
        out += name_of(cap.period);
    else
        out += "rolling " + print(cap.rolling);
    if (cap.all_channels)
        out += " over all channels";
    return out;
}

std::string print(const Quiet& quiet) {
    return "quiet from " + time_text(quiet.from) + " to " + time_text(quiet.to);
}

std::string print(const SendWindow& window) {
    static constexpr std::string_view names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                                 "friday", "saturday", "sunday"};
    std::string out = "only";
    bool const all_day = window.from == 0 && window.to == 1440;
    if (window.business_days) {
        out += " on business days" + of_calendar(window.calendar);
    } else if (window.weekdays != 0 || all_day) {
        std::string_view separator = " on ";
        for (unsigned day = 0; day < 7; ++day) {
            if (window.weekdays != 0 && (window.weekdays >> day & 1U) == 0)
                continue;
            out += separator;
            out += names[day];
            separator = ", ";
        }
    }
    if (!all_day)
        out += " between " + time_text(window.from) + " and " + time_text(window.to);
    return out;
}

std::string print(const NoHolidays& holidays) {
    return "never on holidays" + of_calendar(holidays.calendar);
}

std::string print(const Rate& rate) {
    static constexpr std::string_view names[] = {"second", "minute", "hour", "day"};
    return "rate " + std::to_string(rate.count) + " per " + std::string(names[static_cast<std::size_t>(rate.period)]) +
           (rate.all_channels ? " over all channels" : "");
}

std::string print(const Budget& budget) {
    std::string out = "budget " + std::to_string(budget.count);
    if (budget.per_workflow)
        out += " per workflow";
    else if (budget.workflow)
        out += " for workflow " + print_string(budget.workflow->name);
    return out;
}

std::string print(const Policy& policy) {
    return PolicyPrinter().run(policy);
}

std::vector<Reference> references(const Policy& policy) {
    std::vector<Reference> out;
    auto const mention = [&](const WorkflowName& workflow) {
        out.push_back({ReferenceKind::workflow, workflow.name, workflow.offset.byte});
    };
    std::for_each(policy.workflows.begin(), policy.workflows.end(), mention);
    for (const Budget& budget : policy.budgets)
        if (budget.workflow)
            mention(*budget.workflow);
    std::stable_sort(out.begin(), out.end(), [](const Reference& a, const Reference& b) { return a.offset < b.offset; });
    return out;
}

std::vector<Use> uses(const Policy& policy) {
    std::vector<Use> out;
    for (const std::string& channel : policy.channels)
        out.push_back({"channel", channel});
    for (const std::string& purpose : policy.purposes)
        out.push_back({"purpose", purpose});
    for (const Reference& reference : references(policy))
        out.push_back({std::string(name_of(reference.kind)), reference.name});
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

} // namespace nurture::language
