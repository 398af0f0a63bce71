#pragma once
// A RapidCheck generator for everything a policy can say.
#include "core/language/policy.hpp"
#include "language.hpp"

namespace nurture::language {

inline void showValue(const Policy& policy, std::ostream& out) {
    out << print(policy);
}

namespace generators {

template <class T>
std::vector<T> distinct(std::vector<T> all) {
    std::vector<T> out;
    for (T& one : all)
        if (std::find(out.begin(), out.end(), one) == out.end())
            out.push_back(std::move(one));
    return out;
}
template <class T>
Gen<std::vector<T>> some(Gen<T> one) {
    return gen::map(gen::resize(3, gen::container<std::vector<T>>(std::move(one))), distinct<T>);
}

inline Gen<HolidayCalendar> calendar() {
    return gen::map(gen::pair(gen::inRange(0, 3), text()), [](std::pair<int, std::string> p) {
        return HolidayCalendar{p.first == 0 ? std::optional(p.second) : std::nullopt, p.first == 1};
    });
}
inline Gen<WorkflowName> workflow_name() {
    return gen::map(text(), [](std::string s) { return WorkflowName{std::move(s), {}}; });
}
inline Gen<MessageCap> message_cap() {
    return gen::exec([] {
        MessageCap out;
        out.count = *gen::inRange<std::int64_t>(1, 1'001);
        out.workflows = *gen::arbitrary<bool>();
        out.all_channels = *gen::arbitrary<bool>();
        if (*gen::arbitrary<bool>()) {
            out.rolling.days = *gen::inRange(0, 366);
            out.rolling.micros = *gen::inRange<Span>(1, 24) * one_hour;
        } else {
            out.period = *gen::element(CapPeriod::hour, CapPeriod::day, CapPeriod::week, CapPeriod::month);
        }
        return out;
    });
}
inline Gen<Quiet> quiet() {
    return gen::exec([] {
        Quiet out;
        out.from = *gen::inRange(0, 1440);
        out.to = *gen::inRange(0, 1441);
        if (out.to == out.from || (out.from == 0 && out.to == 1440))
            out.to = out.from == 17 ? 18 : 17;
        return out;
    });
}
inline Gen<SendWindow> send_window() {
    return gen::exec([] {
        SendWindow out;
        if (*gen::arbitrary<bool>()) {
            out.business_days = true;
            out.calendar = *calendar();
        } else {
            out.weekdays = static_cast<WeekdaySet>(*gen::inRange(0, 0x7F));
        }
        if (*gen::arbitrary<bool>()) {
            out.from = *gen::inRange(0, 1440);
            out.to = *gen::inRange(out.from + 1, 1441);
        }
        return out;
    });
}
inline Gen<Budget> budget() {
    return gen::exec([] {
        Budget out;
        out.count = *gen::inRange<std::int64_t>(1, 2'000'000'000);
        switch (*gen::inRange(0, 3)) {
        case 0:
            out.per_workflow = true;
            break;
        case 1:
            out.workflow = *workflow_name();
            break;
        default:
            break;
        }
        return out;
    });
}

inline Gen<Policy> policy() {
    return gen::exec([] {
        Policy out;
        out.channels = *some(name());
        out.purposes = *some(name());
        out.workflows = *some(workflow_name());
        out.require_consent = *gen::arbitrary<bool>();
        out.caps = *some(message_cap());
        out.quiet = *some(quiet());
        out.windows = *some(send_window());
        out.holidays = *some(gen::map(calendar(), [](auto c) { return NoHolidays{std::move(c)}; }));
        out.rates = *some(gen::map(gen::tuple(gen::inRange<std::int64_t>(1, 100'000), gen::inRange(0, 4), gen::arbitrary<bool>()), [](auto p) {
            return Rate{std::get<0>(p), static_cast<RatePeriod>(std::get<1>(p)), std::get<2>(p)};
        }));
        out.budgets = *some(budget());
        if (*gen::arbitrary<bool>())
            out.priority = *gen::inRange(-1000, 1001);
        if (*gen::arbitrary<bool>())
            out.expire_after = *duration(false);
        out.when_stopped = *gen::element(WhenStopped::delay, WhenStopped::drop, WhenStopped::keep_best);
        return out;
    });
}

} // namespace generators
} // namespace nurture::language
