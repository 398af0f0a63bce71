// What a contact's state says about consent.
#include "core/consent/consent.hpp"

#include "pg/border/rows.hpp"
#include "pg/profile/profile_argument.hpp"

using namespace nurture;
using consent::Scope;

namespace {

/// Of a state that may be NULL: nothing is known of the contact.
consent::Consents consents_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        return {};
    return border::profile_argument(fcinfo, n).consents;
}

/// Two texts; NULL is empty: every channel, every purpose.
Scope scope_argument(FunctionCallInfo fcinfo, int n) {
    Scope scope;
    if (!PG_ARGISNULL(n))
        scope.channel = border::bytes_argument(fcinfo, n);
    if (!PG_ARGISNULL(n + 1))
        scope.purpose = border::bytes_argument(fcinfo, n + 1);
    return scope;
}

/// The consents, and a refusal that they may not know yet.
consent::Consents with_refusal(FunctionCallInfo fcinfo, const Scope& scope, int since) {
    auto consents = consents_argument(fcinfo, 0);
    consents.refuse(scope, {{border::time_of(fcinfo->args[since].value), 0, 0}, false, {}});
    return consents;
}

Time moment_argument(FunctionCallInfo fcinfo, int n) {
    return PG_ARGISNULL(n) ? always : border::time_of(PG_GETARG_DATUM(n));
}

} // namespace

// _consent_status(state or NULL, channel, purpose, at)
NURTURE_FUNCTION(nurture_consent_status) {
    return border::entry([&]() -> Datum {
        auto const verdict = consents_argument(fcinfo, 0).verdict(scope_argument(fcinfo, 1), moment_argument(fcinfo, 3));
        return border::make_text(name_of(verdict.status));
    });
}

// _consents(state, at)
NURTURE_FUNCTION(nurture_consents) {
    return border::entry([&]() -> Datum {
        auto const consents = consents_argument(fcinfo, 0);
        Time const at = moment_argument(fcinfo, 1);
        border::RowSink sink(fcinfo);
        for (const auto& entry : consents.entries()) {
            auto const verdict = consents.verdict(entry.scope, at);
            border::Row<8> row;
            row.add_optional(entry.scope.channel);
            row.add_optional(entry.scope.purpose);
            row.add_text(name_of(verdict.status));
            row.add_time(verdict.since);
            row.add_time(verdict.grant != nullptr     ? verdict.grant->expires
                         : verdict.request != nullptr ? verdict.request->expires
                                                      : never);
            row.add_optional(verdict.grant != nullptr ? verdict.grant->basis : std::string());
            row.add_optional(verdict.grant != nullptr ? verdict.grant->text : std::string());
            row.add_optional(verdict.grant != nullptr     ? verdict.grant->source
                             : verdict.refusal != nullptr ? verdict.refusal->source
                                                          : std::string());
            row.put_into(sink);
        }
        return 0;
    });
}

// _refusals(state): those that still bind something
NURTURE_FUNCTION(nurture_refusals) {
    return border::entry([&]() -> Datum {
        auto const consents = consents_argument(fcinfo, 0);
        border::RowSink sink(fcinfo);
        for (const auto& entry : consents.entries()) {
            if (!entry.refusal || consents.refuses_none_of(entry.scope))
                continue;
            border::Row<5> row;
            row.add_text(entry.scope.channel);
            row.add_text(entry.scope.purpose);
            row.add_text(name_of(entry.refusal->denied ? consent::Status::denied : consent::Status::withdrawn));
            row.add_time(entry.refusal->stamp.at);
            row.add_optional(entry.refusal->source);
            row.put_into(sink);
        }
        return 0;
    });
}

// _refusal_binds(state or NULL, of_channel, of_purpose, since, channel, purpose)
NURTURE_FUNCTION(nurture_refusal_binds) {
    return border::entry([&]() -> Datum {
        Scope const refused = scope_argument(fcinfo, 1);
        Scope const asked = scope_argument(fcinfo, 4);
        return BoolGetDatum(refused.covers(asked) && with_refusal(fcinfo, refused, 3).refuses(asked));
    });
}

// _refusal_is_over(state, channel, purpose, since)
NURTURE_FUNCTION(nurture_refusal_is_over) {
    return border::entry([&]() -> Datum {
        Scope const refused = scope_argument(fcinfo, 1);
        return BoolGetDatum(with_refusal(fcinfo, refused, 3).refuses_none_of(refused));
    });
}

// _take_consents(state, from): the state with what the other one knows of consent
NURTURE_FUNCTION(nurture_take_consents) {
    return border::entry([&]() -> Datum {
        auto profile = border::profile_argument(fcinfo, 0);
        profile.consents.merge(border::profile_argument(fcinfo, 1).consents);
        return border::make_varlena(encode(profile));
    });
}
