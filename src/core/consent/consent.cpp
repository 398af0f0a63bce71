#include "core/consent/consent.hpp"

#include <algorithm>

namespace nurture::consent {

namespace {

constexpr std::string_view names[] = {"never asked", "pending", "granted", "expired", "withdrawn", "denied"};

auto find(auto& entries, const Scope& scope) {
    return std::lower_bound(entries.begin(), entries.end(), scope, [](const Entry& e, const Scope& s) { return e.scope < s; });
}

/// Newest wins.
template <class Said>
void take(std::optional<Said>& mine, Said other) {
    if (!mine || *mine < other)
        mine = std::move(other);
}

/// A refusal of `narrow` by name is not undone by a grant of something wider that covers it. Otherwise the newer counts, and
/// at the same time the refusal.
bool beats(const Scope& refused, const Refusal& refusal, const Scope& granted, const Grant& grant) noexcept {
    bool const narrower = refused != granted && granted.covers(refused);
    return narrower || refusal.stamp.at >= grant.stamp.at;
}

} // namespace

std::string_view name_of(Status status) noexcept { return names[static_cast<std::size_t>(status)]; }

std::optional<Status> status_of(std::string_view name) noexcept {
    auto const found = std::find(std::begin(names), std::end(names), name);
    if (found == std::end(names))
        return std::nullopt;
    return static_cast<Status>(found - std::begin(names));
}

std::string_view status_names() noexcept { return "'never asked', 'pending', 'granted', 'expired', 'withdrawn', 'denied'"; }

bool Consents::knows(const Scope& scope) const noexcept {
    auto const place = find(entries_, scope);
    return place != entries_.end() && place->scope == scope;
}

Entry& Consents::at(const Scope& scope) {
    auto place = find(entries_, scope);
    if (place == entries_.end() || place->scope != scope)
        place = entries_.insert(place, Entry{scope, {}, {}, {}});
    return *place;
}

void Consents::grant(const Scope& scope, Grant grant) { take(at(scope).grant, std::move(grant)); }
void Consents::refuse(const Scope& scope, Refusal refusal) { take(at(scope).refusal, std::move(refusal)); }
void Consents::request(const Scope& scope, Request request) { take(at(scope).request, request); }

void Consents::merge(const Consents& other) {
    for (const Entry& entry : other.entries_) {
        Entry& mine = at(entry.scope);
        if (entry.grant)
            take(mine.grant, *entry.grant);
        if (entry.refusal)
            take(mine.refusal, *entry.refusal);
        if (entry.request)
            take(mine.request, *entry.request);
    }
}

// Whether a refusal beats a grant depends on these two alone, never on other grants: so a join, which only makes refusals
// newer, cannot allow what neither side allowed.
bool Consents::is_beaten(const Scope& scope, const Grant& grant, const Scope& asked) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.refusal && entry.scope.covers(asked) && beats(entry.scope, *entry.refusal, scope, grant);
    });
}

Verdict Consents::verdict(const Scope& scope, Time at) const {
    const Grant* lasting = nullptr; // of the grants that stand, the one that expires last
    const Refusal* refusal = nullptr;
    const Request* request = nullptr;
    Time said = always; // the newest grant, standing or not
    for (const Entry& entry : entries_) {
        if (!entry.scope.covers(scope))
            continue;
        if (entry.grant) {
            said = std::max(said, entry.grant->stamp.at);
            bool const longer = lasting == nullptr || std::pair(entry.grant->expires, entry.grant->stamp) >
                                                          std::pair(lasting->expires, lasting->stamp);
            if (longer && !is_beaten(entry.scope, *entry.grant, scope))
                lasting = &*entry.grant;
        }
        if (entry.refusal && (refusal == nullptr || *refusal < *entry.refusal))
            refusal = &*entry.refusal;
        if (entry.request && (request == nullptr || request->stamp < entry.request->stamp))
            request = &*entry.request;
    }
    if (lasting != nullptr && lasting->expires > at)
        return {Status::granted, lasting->stamp.at, lasting->expires, lasting, nullptr, nullptr};
    bool const asked = request != nullptr && request->expires > at && request->stamp.at > said &&
                       (refusal == nullptr || request->stamp.at > refusal->stamp.at);
    if (asked)
        return {Status::pending, request->stamp.at, request->expires, nullptr, nullptr, request};
    if (lasting != nullptr)
        return {Status::expired, std::max(lasting->expires, lasting->stamp.at), never, lasting, nullptr, nullptr};
    if (refusal != nullptr)
        return {refusal->denied ? Status::denied : Status::withdrawn, refusal->stamp.at, never, nullptr, refusal, nullptr};
    return {};
}

bool Consents::refuses(const Scope& scope) const {
    bool refused = false;
    for (const Entry& entry : entries_) {
        if (!entry.scope.covers(scope))
            continue;
        refused = refused || entry.refusal;
        if (entry.grant && !is_beaten(entry.scope, *entry.grant, scope))
            return false;
    }
    return refused;
}

// Whatever is asked for lies in one of the cells that the names make; what has no name is like the wider scope.
bool Consents::refuses_none_of(const Scope& scope) const {
    std::vector<std::string> channels{scope.channel}, purposes{scope.purpose};
    for (const Entry& entry : entries_) {
        if (scope.channel.empty())
            channels.push_back(entry.scope.channel);
        if (scope.purpose.empty())
            purposes.push_back(entry.scope.purpose);
    }
    for (auto* all : {&channels, &purposes}) {
        std::sort(all->begin(), all->end());
        all->erase(std::unique(all->begin(), all->end()), all->end());
    }
    for (const auto& channel : channels)
        for (const auto& purpose : purposes)
            if (refuses({channel, purpose}))
                return false;
    return true;
}

// --- bytes --------------------------------------------------------------------------------------------------------

namespace {

enum Has : std::uint8_t { has_grant = 1, has_refusal = 2, has_request = 4, was_denied = 8, grant_expires = 16, all_flags = 31 };

Time read_time(ByteReader& in, const Stamp& base) {
    Time t = 0;
    if (__builtin_add_overflow(base.at, in.integer(), &t) || t < -profile::furthest_time || t > profile::furthest_time)
        ByteReader::corrupt("holds a time out of range");
    return t;
}

} // namespace

void encode(ByteWriter& out, const Consents& consents, const Stamp& base) {
    out.number(consents.entries().size());
    for (const Entry& entry : consents.entries()) {
        out.text(entry.scope.channel);
        out.text(entry.scope.purpose);
        out.byte(static_cast<std::uint8_t>((entry.grant ? has_grant : 0) | (entry.refusal ? has_refusal : 0) |
                                           (entry.request ? has_request : 0) |
                                           (entry.refusal && entry.refusal->denied ? was_denied : 0) |
                                           (entry.grant && entry.grant->expires != never ? grant_expires : 0)));
        if (entry.grant) {
            write_stamp(out, entry.grant->stamp, base);
            if (entry.grant->expires != never)
                out.integer(entry.grant->expires - base.at);
            out.text(entry.grant->basis);
            out.text(entry.grant->text);
            out.text(entry.grant->source);
        }
        if (entry.refusal) {
            write_stamp(out, entry.refusal->stamp, base);
            out.text(entry.refusal->source);
        }
        if (entry.request) {
            write_stamp(out, entry.request->stamp, base);
            out.integer(entry.request->expires - base.at);
        }
    }
}

Consents decode_consents(ByteReader& in, const Stamp& base) {
    Consents out;
    Scope last;
    for (std::size_t size = in.count(3), i = 0; i < size; ++i) {
        Scope scope;
        scope.channel = in.text();
        scope.purpose = in.text();
        if (i > 0 && scope <= last)
            ByteReader::corrupt("holds consents out of order");
        std::uint8_t const has = in.byte();
        if (has > all_flags || (has & (has_grant | has_refusal | has_request)) == 0 ||
            ((has & was_denied) != 0 && (has & has_refusal) == 0) || ((has & grant_expires) != 0 && (has & has_grant) == 0))
            ByteReader::corrupt("holds an unknown part of a consent");
        if ((has & has_grant) != 0) {
            Grant grant;
            grant.stamp = read_stamp(in, base);
            if ((has & grant_expires) != 0)
                grant.expires = read_time(in, base);
            grant.basis = in.text();
            grant.text = in.text();
            grant.source = in.text();
            out.grant(scope, std::move(grant));
        }
        if ((has & has_refusal) != 0) {
            Refusal refusal;
            refusal.stamp = read_stamp(in, base);
            refusal.denied = (has & was_denied) != 0;
            refusal.source = in.text();
            out.refuse(scope, std::move(refusal));
        }
        if ((has & has_request) != 0) {
            Request request;
            request.stamp = read_stamp(in, base);
            request.expires = read_time(in, base);
            out.request(scope, request);
        }
        last = std::move(scope);
    }
    return out;
}

} // namespace nurture::consent
