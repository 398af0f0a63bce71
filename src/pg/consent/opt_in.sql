-- Double opt-in: a form asks, a message brings a token, whoever has it confirms. Of the token only a hash is kept: who reads
-- this table, or a dump of it, cannot confirm for anybody.

CREATE TABLE nurture.opt_in (
    token_hash bytea PRIMARY KEY,
    contact text COLLATE "C" NOT NULL,
    channel text COLLATE "C",
    purpose text COLLATE "C",
    requested_at timestamptz NOT NULL,
    expires timestamptz NOT NULL,
    confirmed_at timestamptz,
    proof jsonb NOT NULL
);
COMMENT ON TABLE nurture.opt_in IS 'requests for consent that wait to be confirmed, and those that were confirmed lately';
COMMENT ON COLUMN nurture.opt_in.token_hash IS 'SHA-256 of the token';
COMMENT ON COLUMN nurture.opt_in.expires IS 'until when it can be confirmed; the row is deleted 30 days later';
COMMENT ON COLUMN nurture.opt_in.proof IS 'what the $consent event will say when it is confirmed';
REVOKE ALL ON TABLE nurture.opt_in FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.opt_in', '');
CREATE INDEX opt_in_expires ON nurture.opt_in (expires);
CREATE INDEX opt_in_contact ON nurture.opt_in (contact);

CREATE FUNCTION nurture._token_hash(token text) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sha256(convert_to(token, 'UTF8'));
COMMENT ON FUNCTION nurture._token_hash(text) IS 'what nurture.opt_in keeps of a token';

CREATE FUNCTION nurture.request_opt_in(contact text, channel text, purpose text DEFAULT NULL, valid_for interval DEFAULT '7 days',
        basis text DEFAULT 'consent', expires timestamptz DEFAULT NULL, text_version text DEFAULT NULL, source text DEFAULT NULL,
        ip inet DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    token CONSTANT text := rtrim(translate(encode(nurture._random_256(), 'base64'), '+/', '-_'), '=');
    until CONSTANT timestamptz := moment + valid_for;
BEGIN
    IF (valid_for > interval '0') IS NOT TRUE OR until <= moment THEN
        RAISE EXCEPTION 'valid_for must be longer than nothing' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM nurture._say_consent(contact, channel, purpose, 'pending', jsonb_build_object('basis', basis, 'text', text_version,
        'source', source, 'expires', nurture._iso(until)), ip, moment);
    INSERT INTO nurture.opt_in (token_hash, contact, channel, purpose, requested_at, expires, proof)
    VALUES (nurture._token_hash(token), contact, channel, purpose, moment, until,
            jsonb_strip_nulls(jsonb_build_object('basis', basis, 'text', text_version, 'source', source,
                'expires', nurture._iso(CASE WHEN isfinite(expires) THEN expires END), 'requested_at', nurture._iso(moment),
                'requested_ip_hash', nurture._ip_hash(ip))));
    RETURN token;
END
$$;
COMMENT ON FUNCTION nurture.request_opt_in(text, text, text, interval, text, timestamptz, text, text, inet) IS
    'asks for consent that has to be confirmed: returns the token to put into the message; it works once, until valid_for is over. '
    'Until then the consent is pending, which allows nothing';

CREATE FUNCTION nurture.confirm_opt_in(token text, ip inet DEFAULT NULL, OUT contact text, OUT channel text, OUT purpose text,
        OUT confirmed_at timestamptz)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    request nurture.opt_in;
BEGIN
    SELECT o.* INTO request FROM nurture.opt_in o WHERE o.token_hash = nurture._token_hash(token) FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such token' USING ERRCODE = 'no_data_found',
            HINT = 'Tokens are forgotten 30 days after they expire. Ask again by nurture.request_opt_in.';
    ELSIF request.confirmed_at IS NULL AND request.expires <= moment THEN
        RAISE EXCEPTION 'the token has expired' USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('It could be confirmed until %s.', request.expires), HINT = 'Ask again by nurture.request_opt_in.';
    END IF;
    contact := request.contact;
    channel := request.channel;
    purpose := request.purpose;
    confirmed_at := request.confirmed_at;
    IF confirmed_at IS NOT NULL THEN
        RETURN; -- the link was followed twice; what was said since stays
    END IF;
    confirmed_at := moment;
    UPDATE nurture.opt_in o SET confirmed_at = moment WHERE o.token_hash = request.token_hash;
    PERFORM nurture._say_consent(contact, channel, purpose, 'granted', request.proof, ip, moment);
END
$$;
COMMENT ON FUNCTION nurture.confirm_opt_in(text, inet) IS
    'grants what was asked for, with the proof of both; the same token again changes nothing and says when it was confirmed; an unknown or expired one is an error';

CREATE FUNCTION nurture._forget_consent_leftovers(moment timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
    DELETE FROM nurture.opt_in o WHERE o.token_hash = ANY (ARRAY(
        SELECT e.token_hash FROM nurture.opt_in e WHERE e.expires < moment - interval '30 days' LIMIT 1000 FOR UPDATE SKIP LOCKED));
    DELETE FROM nurture.suppression s WHERE s.ctid = ANY (ARRAY(
        SELECT e.ctid FROM nurture.suppression e WHERE e.until <= moment LIMIT 1000 FOR UPDATE SKIP LOCKED));
END
$$;
COMMENT ON FUNCTION nurture._forget_consent_leftovers(timestamptz) IS 'deletes old tokens, and suppressions that are over, in portions';
REVOKE ALL ON FUNCTION nurture._token_hash(text), nurture.request_opt_in(text, text, text, interval, text, timestamptz, text, text, inet),
    nurture.confirm_opt_in(text, inet), nurture._forget_consent_leftovers(timestamptz) FROM PUBLIC;
