// Consent: a status that changes at the very microsecond at which a grant, or a request to confirm, expires.
#include "core/step/reading.hpp"

namespace nurture::step {

Facts::Reading Facts::read_consent(const model::Operand& operand, Time clock) const {
    auto const verdict = profile.consents.verdict(model.consent_scopes[operand.index], clock);
    Reading out;
    out.flips = verdict.changes;
    if (operand.kind == model::OperandKind::consent) {
        out.kind = Reading::Kind::value;
        out.value = {profile::Value::Kind::string, false, consent::name_of(verdict.status)};
    } else if (verdict.grant != nullptr && verdict.grant->expires != never) {
        out.kind = Reading::Kind::time;
        out.number = verdict.grant->expires;
    }
    return out;
}

} // namespace nurture::step
