// What becomes of the messages that a sender would take: claimed, delayed, dropped.
#include "core/guard/guard.hpp"

#include <algorithm>

namespace nurture::guard {

namespace {

using language::RatePeriod;
using language::WhenStopped;

std::string by(const std::string& guard, const Policy& policy) {
    return guard + " (policy \"" + policy.name + "\")";
}

struct Stop {
    const Policy* policy = nullptr;
    std::string guard;
    Time until = never;
    bool is_cap = false;
};

class Judge {
  public:
    Judge(const Guards& guards, Time moment, std::span<Contact> contacts, std::span<Counter> counters)
        : guards_(guards), moment_(moment), contacts_(contacts), counters_(counters) {}

    Verdict run(const Candidate& candidate) {
        auto const here = number_++;
        policies_.clear();
        for (const Policy& policy : guards_.policies)
            if (applies(policy, candidate.message))
                policies_.push_back(&policy);
        if (!candidate.message.transactional)
            if (auto refused = refuse(candidate))
                return std::move(*refused);
        if (auto refused = spend(candidate))
            return std::move(*refused);
        if (!candidate.message.transactional)
            remember(candidate, here);
        return {};
    }

  private:
    const Guards& guards_;
    Time moment_;
    std::span<Contact> contacts_;
    std::span<Counter> counters_;
    std::vector<const Policy*> policies_; // those that apply
    std::size_t number_ = 0;              // of the candidate after the one at hand

    void remember(const Candidate& candidate, std::size_t here) {
        auto& sent = contacts_[candidate.contact].sent;
        std::erase_if(sent, [here](const Sent& one) { return one.candidate == here; });
        sent.push_back({moment_, candidate.message.channel, candidate.message.purpose, candidate.message.workflow});
    }

    /// Consent, time and caps.
    std::optional<Verdict> refuse(const Candidate& candidate) {
        for (const Policy* policy : policies_)
            if (policy->definition.require_consent && !candidate.consented)
                return Verdict{Decision::drop, 0, by("no consent", *policy)};
        auto stops = stops_at(candidate, moment_);
        if (stops.empty())
            return std::nullopt;
        for (const Stop& stop : stops) {
            WhenStopped const when = stop.policy->definition.when_stopped;
            if (when == WhenStopped::drop)
                return Verdict{Decision::drop, 0, by(stop.guard, *stop.policy)};
            if (when == WhenStopped::keep_best && stop.is_cap)
                return Verdict{Decision::drop, 0, "a better message was sent: " + by(stop.guard, *stop.policy)};
        }
        auto const longest = std::max_element(stops.begin(), stops.end(),
                                              [](const Stop& a, const Stop& b) { return a.until < b.until; });
        std::string reason = by(longest->guard, *longest->policy);
        Time const until = free_from(candidate, longest->until);
        if (until == never)
            return Verdict{Decision::drop, 0, "never allowed: " + reason};
        return Verdict{Decision::delay, until, std::move(reason)};
    }

    /// What forbids the message at a moment, as things stand now.
    std::vector<Stop> stops_at(const Candidate& candidate, Time at) const {
        const Contact& contact = contacts_[candidate.contact];
        std::vector<Stop> out;
        std::vector<Sent> counted;
        for (const Policy* policy : policies_) {
            if (auto guard = forbidden(guards_, *policy, contact.place, at)) {
                Time const until = next_allowed(guards_, {&policy, 1}, contact.place, at);
                out.push_back({policy, std::move(*guard), until, false});
            }
            for (const language::MessageCap& cap : policy->definition.caps) {
                counted.clear();
                std::copy_if(contact.sent.begin(), contact.sent.end(), std::back_inserter(counted),
                             [&](const Sent& sent) { return sent.candidate + 1 != number_ && counts(*policy, cap, sent); });
                Time const until = free_under(cap, counted, candidate.message.workflow, guards_.calendar.week_start,
                                              contact.place.zone, at);
                if (until > at)
                    out.push_back({policy, print(cap), until, true});
            }
        }
        return out;
    }

    /// The first moment from `at` on at which nothing forbids it: each guard may move it to where another does again.
    Time free_from(const Candidate& candidate, Time at) const {
        constexpr int most_moves = 1'000;
        for (int i = 0; i < most_moves && at != never; ++i) {
            auto const stops = stops_at(candidate, at);
            if (stops.empty())
                return at;
            for (const Stop& stop : stops)
                at = std::max(at, stop.until);
        }
        return never;
    }

    /// Budgets and rates; takes of them if all have something left.
    std::optional<Verdict> spend(const Candidate& candidate) {
        std::vector<Counter*> taken;
        for (const Policy* policy : policies_) {
            if (candidate.first_attempt && !candidate.message.transactional)
                for (const language::Budget& budget : policy->definition.budgets)
                    if (auto* const counter = counter_of(*policy, key_of(budget, candidate.message))) {
                        if (counter->used >= budget.count)
                            return Verdict{Decision::drop, 0, "used up: " + by(print(budget), *policy)};
                        taken.push_back(counter);
                    }
            for (const language::Rate& rate : policy->definition.rates)
                if (auto* const counter = counter_of(*policy, key_of(rate, candidate.message.channel))) {
                    if (counter->used >= rate.count)
                        return Verdict{Decision::delay, counter->ends, by(print(rate), *policy)};
                    taken.push_back(counter);
                }
        }
        std::sort(taken.begin(), taken.end()); // two guards may count by one counter
        taken.erase(std::unique(taken.begin(), taken.end()), taken.end());
        for (Counter* counter : taken)
            ++counter->used;
        return std::nullopt;
    }

    Counter* counter_of(const Policy& policy, const std::string& key) {
        auto const found = std::find_if(counters_.begin(), counters_.end(), [&](const Counter& counter) {
            return counter.policy == policy.id && counter.key == key;
        });
        return key.empty() || found == counters_.end() ? nullptr : &*found;
    }

  public:
    static std::string key_of(const language::Rate& rate, std::string_view channel) {
        static constexpr std::string_view names[] = {"second", "minute", "hour", "day"};
        std::string const out = "rate " + std::string(names[static_cast<std::size_t>(rate.period)]);
        return rate.all_channels ? out : out + ' ' + std::string(channel);
    }
    /// Empty when the budget is not for the message.
    static std::string key_of(const language::Budget& budget, const Message& message) {
        if (budget.per_workflow)
            return "budget " + std::string(message.workflow);
        if (budget.workflow)
            return budget.workflow->name == message.workflow ? "budget " + budget.workflow->name : "";
        return "budget";
    }
};

/// Seconds, minutes and hours are the clock's everywhere; a day is the policy's.
std::pair<Time, Time> slot_at(RatePeriod period, const Zone& zone, Time moment) {
    if (period == RatePeriod::day) {
        std::int64_t const day = day_of(moment, zone);
        return {begin_of_day(day, zone), begin_of_day(day + 1, zone)};
    }
    Span const width = period == RatePeriod::second ? one_second : period == RatePeriod::minute ? one_minute : one_hour;
    Span rest = moment % width;
    rest = rest < 0 ? rest + width : rest;
    return {moment - rest, moment - rest + width};
}

/// Several guards of a policy may count by one counter; the tightest says what is left.
void add(std::vector<Counter>& counters, Counter counter) {
    auto const found = std::find_if(counters.begin(), counters.end(), [&](const Counter& known) {
        return known.policy == counter.policy && known.key == counter.key;
    });
    if (found == counters.end())
        counters.push_back(std::move(counter));
    else
        found->allowed = std::min(found->allowed, counter.allowed);
}

} // namespace

Span horizon(const Guards& guards) {
    Span out = 0;
    for (const Policy& policy : guards.policies)
        for (const language::MessageCap& cap : policy.definition.caps)
            out = std::max(out, cap.rolling.empty() ? 32 * one_day : cap.rolling.exact());
    return out;
}

bool has_caps(const Guards& guards) {
    return horizon(guards) > 0;
}

std::vector<Counter> counters_of(const Guards& guards, std::string_view channel,
                                 std::span<const std::string_view> workflows, Time moment) {
    std::vector<Counter> out;
    for (const Policy& policy : guards.policies) {
        const language::Policy& definition = policy.definition;
        if (definition.rates.empty() && definition.budgets.empty())
            continue;
        if (!definition.channels.empty() &&
            std::find(definition.channels.begin(), definition.channels.end(), channel) == definition.channels.end())
            continue;
        bool const whole = definition.purposes.empty() && definition.workflows.empty();
        for (const language::Rate& rate : definition.rates) {
            auto const [begin, end] = slot_at(rate.period, guards.zone, moment);
            add(out, {policy.id, Judge::key_of(rate, channel), begin, end, rate.count, 0, whole});
        }
        for (const language::Budget& budget : definition.budgets)
            for (std::string_view const workflow : workflows) {
                std::string key = Judge::key_of(budget, {channel, {}, workflow, false});
                if (!key.empty())
                    add(out, {policy.id, std::move(key), always, never, budget.count, 0, false});
            }
    }
    return out;
}

std::vector<Verdict> judge(const Guards& guards, Time moment, std::span<const Candidate> candidates,
                           std::span<Contact> contacts, std::span<Counter> counters) {
    Judge judging(guards, moment, contacts, counters);
    std::vector<Verdict> out;
    out.reserve(candidates.size());
    for (const Candidate& candidate : candidates)
        out.push_back(judging.run(candidate));
    return out;
}

} // namespace nurture::guard
