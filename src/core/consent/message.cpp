#include "core/consent/message.hpp"

#include "core/base/error.hpp"
#include "core/language/language.hpp"

namespace nurture::consent {

using profile::Properties;
using profile::Value;

namespace {

constexpr std::size_t longest_text = 512;
/// Farther ahead is nobody's consent, and more than a state can hold.
constexpr Time latest = 8'000 * 366 * one_day;

Value get(const Properties& properties, const char* key) { return properties.get({{key}}); }

std::string text(const Properties& properties, const char* key) {
    Value const value = get(properties, key);
    return value.kind == Value::Kind::string ? std::string(value.text) : std::string();
}

std::optional<Duration> duration_of(std::string_view text) {
    try {
        return language::parse_duration(text);
    } catch (const Error&) {
        return std::nullopt;
    }
}

} // namespace

std::string problem_of(const Properties& properties, const Zone& zone) {
    std::string const state = text(properties, "state");
    if (state != "granted" && state != "denied" && state != "withdrawn" && state != "pending")
        return "state must be granted, denied, withdrawn or pending";
    for (const char* key : {"channel", "purpose", "basis", "text", "source"})
        if (Value const value = get(properties, key); value.known()) {
            if (value.kind != Value::Kind::string)
                return std::string(key) + " must be a text";
            if (value.text.empty())
                return std::string(key) + " must not be empty; leave it out";
            if (value.text.size() > longest_text)
                return std::string(key) + " is longer than 512 bytes";
        }
    Value const expires = get(properties, "expires");
    if (!expires.known() || (state != "granted" && state != "pending")) // a refusal lasts, whatever it says
        return {};
    if (expires.kind != Value::Kind::string)
        return "expires must be a time in ISO 8601, or a duration";
    if (!parse_iso_time(expires.text, zone) && !duration_of(expires.text))
        return "expires must be a time in ISO 8601, or a duration such as 2 years";
    return {};
}

Scope scope_of(const Properties& properties) { return {text(properties, "channel"), text(properties, "purpose")}; }

void take(Consents& consents, const Properties& properties, const Stamp& stamp, const Zone& zone) {
    Scope const scope = scope_of(properties);
    std::string const state = text(properties, "state");
    Time expires = never;
    if (std::string const until = text(properties, "expires"); !until.empty()) {
        if (auto const moment = parse_iso_time(until, zone))
            expires = *moment;
        else if (auto const lasts = duration_of(until))
            expires = add_on_calendar(stamp.at, *lasts, zone);
        expires = std::min(expires, latest);
    }
    if (state == "granted") {
        std::string basis = text(properties, "basis");
        if (basis.empty())
            basis = "consent";
        consents.grant(scope, {stamp, expires, std::move(basis), text(properties, "text"), text(properties, "source")});
    } else if (state == "pending") {
        consents.request(scope, {stamp, std::min(expires, latest)});
    } else {
        consents.refuse(scope, {stamp, state == "denied", text(properties, "source")});
    }
}

} // namespace nurture::consent
