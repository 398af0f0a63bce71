#include "core/guard/guard.hpp"

#include <algorithm>

namespace nurture::guard {

Plan plan(const Guards& guards, const Message& message, const Place& place, Time at, Span expiry) {
    Plan out{at, never, 0};
    std::vector<const Policy*> moving;
    std::optional<Span> shortest;
    std::optional<std::int32_t> priority;
    for (const Policy& policy : guards.policies) {
        if (!applies(policy, message))
            continue;
        const language::Policy& definition = policy.definition;
        if (definition.priority)
            priority = std::max(priority.value_or(*definition.priority), *definition.priority);
        if (definition.when_stopped != language::WhenStopped::drop)
            moving.push_back(&policy);
        if (!definition.expire_after.empty())
            shortest = std::min(shortest.value_or(never), definition.expire_after.exact());
    }
    out.priority = priority.value_or(0);
    if (message.transactional)
        return out;
    // What can never go is left where it is: claim says why.
    Time const allowed = next_allowed(guards, moving, place, at);
    out.due = allowed == never ? at : allowed;
    out.expires = saturating_add(out.due, shortest.value_or(expiry));
    return out;
}

} // namespace nurture::guard
