-- What a contact's state says about consent. Pure functions of the state; core/consent holds the rules.

CREATE FUNCTION nurture._consent_status(state nurture.profile, channel text, purpose text, at timestamptz) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'nurture_consent_status';
COMMENT ON FUNCTION nurture._consent_status(nurture.profile, text, text, timestamptz) IS
    'never asked, pending, granted, expired, withdrawn or denied; a channel or purpose that is NULL or empty: every one; a state that is NULL: nobody said anything';
CREATE FUNCTION nurture._consents(state nurture.profile, at timestamptz)
    RETURNS TABLE (channel text, purpose text, status text, since timestamptz, expires timestamptz, basis text, "text" text, source text)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50 ROWS 2 AS 'MODULE_PATHNAME', 'nurture_consents';
COMMENT ON FUNCTION nurture._consents(nurture.profile, timestamptz) IS
    'every channel and purpose that something was said about, and what holds for it at the moment';
CREATE FUNCTION nurture._refusals(state nurture.profile)
    RETURNS TABLE (channel text, purpose text, reason text, since timestamptz, source text)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50 ROWS 1 AS 'MODULE_PATHNAME', 'nurture_refusals';
COMMENT ON FUNCTION nurture._refusals(nurture.profile) IS 'the refusals that still bind something';
CREATE FUNCTION nurture._refusal_binds(state nurture.profile, of_channel text, of_purpose text, since timestamptz, channel text,
        purpose text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'nurture_refusal_binds';
COMMENT ON FUNCTION nurture._refusal_binds(nurture.profile, text, text, timestamptz, text, text) IS
    'whether a message is refused given what the state knows and a refusal, which the state may not know yet';
CREATE FUNCTION nurture._refusal_is_over(state nurture.profile, channel text, purpose text, since timestamptz) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'nurture_refusal_is_over';
COMMENT ON FUNCTION nurture._refusal_is_over(nurture.profile, text, text, timestamptz) IS
    'whether nothing of what was refused then is refused any more';
CREATE FUNCTION nurture._take_consents(state nurture.profile, "from" nurture.profile) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_take_consents';
COMMENT ON FUNCTION nurture._take_consents(nurture.profile, nurture.profile) IS
    'the state, with what another one knows of consent joined to its own';
REVOKE ALL ON FUNCTION nurture._consent_status(nurture.profile, text, text, timestamptz), nurture._consents(nurture.profile, timestamptz),
    nurture._refusals(nurture.profile), nurture._refusal_binds(nurture.profile, text, text, timestamptz, text, text),
    nurture._refusal_is_over(nurture.profile, text, text, timestamptz), nurture._take_consents(nurture.profile, nurture.profile) FROM PUBLIC;
