#pragma once
// $consent: what a contact has said about being written to, or what it was asked. The properties are
//   channel, purpose   each may be missing: every one
//   state              granted, denied, withdrawn, or pending (asked to confirm)
//   expires            of granted and pending: a time in ISO 8601, or how long it lasts ("2 years")
//   basis, text, source   of granted: why it is lawful, which wording, where; source of refusals, too
// Whatever else is there (ip_hash, …) is proof that the log keeps.
#include "core/base/calendar.hpp"
#include "core/consent/consent.hpp"
#include "core/profile/value.hpp"

namespace nurture::consent {

/// Why a $consent cannot be taken; empty when it can.
[[nodiscard]] std::string problem_of(const profile::Properties& properties, const Zone& zone);
/// The scope that a well-formed $consent speaks about.
[[nodiscard]] Scope scope_of(const profile::Properties& properties);
/// Takes a well-formed $consent. Durations are counted on the zone's calendar.
void take(Consents& consents, const profile::Properties& properties, const Stamp& stamp, const Zone& zone);

} // namespace nurture::consent
