// What a contact allows, from everything it ever said: no state, no join, each question asked of all of it.
#include "oracle.hpp"
#include "oracle_helpers.hpp"
#include "random_conditions.hpp"

namespace nurture::world {

namespace {

struct Said {
    std::string state, channel, purpose;
    Time at = 0;
    std::size_t order = 0; // of arrival
    std::optional<Time> expires;
};

std::string text(const Json& properties, const char* key) {
    return properties.contains(key) && properties[key].is_string() ? properties[key].get<std::string>() : "";
}

bool within(const std::string& wide, const std::string& narrow) { return wide.empty() || wide == narrow; }

bool covers(const Said& said, const std::string& channel, const std::string& purpose) {
    return within(said.channel, channel) && within(said.purpose, purpose);
}

bool is_refusal(const Said& said) { return said.state == "withdrawn" || said.state == "denied"; }

// A refusal speaks against a grant: said later or at the same time, or about a part of what was granted.
bool speaks_against(const Said& refusal, const Said& grant) {
    bool const same = refusal.channel == grant.channel && refusal.purpose == grant.purpose;
    return refusal.at >= grant.at || (!same && covers(grant, refusal.channel, refusal.purpose));
}

} // namespace

std::optional<Time> Oracle::consent_expires(const Event& event, const std::string& zone) {
    std::string const written = text(event.properties, "expires");
    if (written.empty())
        return std::nullopt;
    for (const Duration& span : test_spans())
        if (written == language::print(span))
            return moved(happened(event), span, 1, zone);
    return date_of(written, zone);
}

Oracle::Held Oracle::read_consent(const language::Consent& asked, Time now) const {
    std::string const purpose = asked.purpose.value_or("");
    std::vector<Said> all;
    for (const Event& event : std::span(events).first(std::min(told, events.size()))) {
        static const std::set<std::string> states{"granted", "denied", "withdrawn", "pending"};
        if (event.type != "$consent" || event.received_at > now || !states.contains(text(event.properties, "state")))
            continue;
        Said said{text(event.properties, "state"), text(event.properties, "channel"), text(event.properties, "purpose"), happened(event),
                  all.size(), consent_expires(event, zone_)};
        if (covers(said, asked.channel, purpose))
            all.push_back(said);
    }
    auto newest = [&](auto which) {
        const Said* out = nullptr;
        for (const Said& said : all)
            if (which(said) && (out == nullptr || std::pair(out->at, out->order) < std::pair(said.at, said.order)))
                out = &said;
        return out;
    };
    std::optional<Time> until; // of the grants that stand, the last to expire
    bool stands = false;
    for (const Said& grant : all) {
        bool const replaced = newest([&](const Said& s) { return s.state == "granted" && s.channel == grant.channel && s.purpose == grant.purpose; }) != &grant;
        bool const refused = std::any_of(all.begin(), all.end(), [&](const Said& s) { return is_refusal(s) && speaks_against(s, grant); });
        if (grant.state != "granted" || replaced || refused)
            continue;
        if (!stands || (until && (!grant.expires || *grant.expires > *until)))
            until = grant.expires;
        stands = true;
    }
    Held out;
    if (asked.expires) {
        // While a request is open, it is about that one.
        const Said* const request = newest([](const Said& s) { return s.state == "pending"; });
        const Said* const grant = newest([](const Said& s) { return s.state == "granted"; });
        bool const granted = stands && (!until || *until > now);
        bool const pending = !granted && request != nullptr && (!request->expires || *request->expires > now) &&
                             (grant == nullptr || grant->at < request->at) &&
                             std::none_of(all.begin(), all.end(), [&](const Said& s) { return is_refusal(s) && s.at >= request->at; });
        if (stands && until && !pending) {
            out.kind = Held::Kind::time;
            out.time = *until;
        }
        return out;
    }
    std::string status = "never asked";
    const Said* const refusal = newest(is_refusal);
    const Said* const request = newest([](const Said& s) { return s.state == "pending"; });
    const Said* const grant = newest([](const Said& s) { return s.state == "granted"; });
    if (stands && (!until || *until > now))
        status = "granted";
    else if (request != nullptr && (!request->expires || *request->expires > now) && (grant == nullptr || grant->at < request->at) &&
             (refusal == nullptr || refusal->at < request->at))
        status = "pending";
    else if (stands)
        status = "expired";
    else if (refusal != nullptr)
        status = refusal->state;
    out.kind = Held::Kind::json;
    out.json = status;
    return out;
}

} // namespace nurture::world
