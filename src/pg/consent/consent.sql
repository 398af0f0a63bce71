-- Consent as a ledger: what was said, by whom, when, to which wording. It is said by $consent events (see
-- core/consent/message.hpp); the functions here write them, the views read what came of them.
--
-- Privileges. An application that asks people and writes down what they say needs no table, only
--     GRANT EXECUTE ON FUNCTION
--         nurture.grant_consent(text, text, text, text, timestamptz, text, text, inet, timestamptz),
--         nurture.withdraw_consent(text, text, text, text, inet, timestamptz),
--         nurture.deny_consent(text, text, text, text, inet, timestamptz),
--         nurture.request_opt_in(text, text, text, interval, text, timestamptz, text, text, inet),
--         nurture.confirm_opt_in(text, inet) TO application;

-- The key under which addresses are hashed: made when it is first used, dumped with the rest, so that a proof can be
-- checked as long as there is one. Who has both can try out all addresses: the table is nobody's but the owner's.
CREATE TABLE nurture.consent_key (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    key bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE nurture.consent_key IS 'the secret under which IP addresses in proofs of consent are hashed';
REVOKE ALL ON TABLE nurture.consent_key FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.consent_key', '');

-- HMAC-SHA-256 (RFC 2104): a block is 64 bytes, a longer key is hashed first.
CREATE FUNCTION nurture._hmac_sha256(key bytea, message bytea) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    block bytea := CASE WHEN octet_length(key) > 64 THEN sha256(key) ELSE key END;
    inner_pad bytea;
    outer_pad bytea;
BEGIN
    block := block || decode(repeat('00', 64 - octet_length(block)), 'hex');
    inner_pad := block;
    outer_pad := block;
    FOR i IN 0..63 LOOP
        inner_pad := set_byte(inner_pad, i, get_byte(block, i) # 54);
        outer_pad := set_byte(outer_pad, i, get_byte(block, i) # 92);
    END LOOP;
    RETURN sha256(outer_pad || sha256(inner_pad || message));
END
$$;
COMMENT ON FUNCTION nurture._hmac_sha256(bytea, bytea) IS 'HMAC-SHA-256, RFC 2104';

CREATE FUNCTION nurture._random_256() RETURNS bytea
    LANGUAGE sql VOLATILE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
$$;
COMMENT ON FUNCTION nurture._random_256() IS '256 bits of the server''s strong random source (366 go in)';

CREATE FUNCTION nurture._ip_hash(ip inet) RETURNS text
    LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    secret bytea := (SELECT k.key FROM nurture.consent_key k);
BEGIN
    IF secret IS NULL THEN
        INSERT INTO nurture.consent_key (key) VALUES (nurture._random_256()) ON CONFLICT DO NOTHING;
        SELECT k.key INTO STRICT secret FROM nurture.consent_key k;
    END IF;
    RETURN encode(nurture._hmac_sha256(secret, convert_to(host(ip), 'UTF8')), 'hex');
END
$$;
COMMENT ON FUNCTION nurture._ip_hash(inet) IS 'the keyed hash of an address: the same address gives the same hash, nobody without the key can tell which';

CREATE FUNCTION nurture._say_consent(contact text, channel text, purpose text, state text, proof jsonb, ip inet, at timestamptz)
    RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    happened CONSTANT timestamptz := coalesce(at, moment);
    props CONSTANT jsonb := jsonb_strip_nulls(jsonb_build_object('channel', channel, 'purpose', purpose, 'state', state,
                                              'ip_hash', nurture._ip_hash(ip)) || coalesce(proof, '{}'));
    item record;
BEGIN
    -- Said here what the tick would reject: whoever asks is still there to hear it.
    IF contact IS NULL OR contact = '' THEN
        RAISE EXCEPTION 'contact must not be empty' USING ERRCODE = 'invalid_parameter_value';
    ELSIF octet_length(contact) > 512 THEN
        RAISE EXCEPTION 'contact is longer than 512 bytes' USING ERRCODE = 'invalid_parameter_value';
    ELSIF NOT isfinite(happened) OR happened > moment + interval '10 minutes' THEN
        RAISE EXCEPTION 'consent cannot be given or taken in the future' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM nurture._require_not_erased(contact);
    FOR item IN SELECT e.key, e.value FROM jsonb_each_text(props) e WHERE e.key IN ('channel', 'purpose', 'basis', 'text', 'source') LOOP
        IF item.value = '' THEN
            RAISE EXCEPTION '% must not be empty', item.key USING ERRCODE = 'invalid_parameter_value',
                HINT = CASE WHEN item.key IN ('channel', 'purpose') THEN format('NULL means every %s.', item.key) ELSE 'Leave it out.' END;
        ELSIF octet_length(item.value) > 512 THEN
            RAISE EXCEPTION '% is longer than 512 bytes', item.key USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END LOOP;
    INSERT INTO nurture.inbox (contact, type, at, props, received_at)
    VALUES (contact, '$consent', happened, props, nurture._told_at(moment));
END
$$;
COMMENT ON FUNCTION nurture._say_consent(text, text, text, text, jsonb, inet, timestamptz) IS 'writes a $consent event';

CREATE FUNCTION nurture.grant_consent(contact text, channel text, purpose text DEFAULT NULL, basis text DEFAULT 'consent',
        expires timestamptz DEFAULT NULL, text_version text DEFAULT NULL, source text DEFAULT NULL, ip inet DEFAULT NULL,
        at timestamptz DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF NOT isfinite(expires) THEN
        expires := NULL;
    ELSIF expires <= coalesce(at, nurture._now()) THEN
        RAISE EXCEPTION 'consent cannot expire before it is given' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM nurture._say_consent(contact, channel, purpose, 'granted', jsonb_build_object('basis', basis, 'text', text_version,
        'source', source, 'expires', nurture._iso(expires)), ip, at);
END
$$;
COMMENT ON FUNCTION nurture.grant_consent(text, text, text, text, timestamptz, text, text, inet, timestamptz) IS
    'the contact allows messages of the channel (NULL: every one) for the purpose (NULL: every one), until it expires; basis, '
    'version of the text agreed to, source and a keyed hash of the address are kept as proof';

CREATE FUNCTION nurture.withdraw_consent(contact text, channel text DEFAULT NULL, purpose text DEFAULT NULL, source text DEFAULT NULL,
        ip inet DEFAULT NULL, at timestamptz DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM nurture._say_consent(contact, channel, purpose, 'withdrawn', jsonb_build_object('source', source), ip, at);
END
$$;
COMMENT ON FUNCTION nurture.withdraw_consent(text, text, text, text, inet, timestamptz) IS
    'the contact takes consent back for the channel (NULL: every one) and purpose (NULL: every one): binds every claim that begins after the commit';

CREATE FUNCTION nurture.deny_consent(contact text, channel text DEFAULT NULL, purpose text DEFAULT NULL, source text DEFAULT NULL,
        ip inet DEFAULT NULL, at timestamptz DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM nurture._say_consent(contact, channel, purpose, 'denied', jsonb_build_object('source', source), ip, at);
END
$$;
COMMENT ON FUNCTION nurture.deny_consent(text, text, text, text, inet, timestamptz) IS
    'the contact was asked and said no; binds like a withdrawal';

-- A time as the engine reads it, whatever the session's settings.
CREATE FUNCTION nurture._iso(at timestamptz) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
SELECT to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
COMMENT ON FUNCTION nurture._iso(timestamptz) IS 'ISO 8601, UTC, to the microsecond';

-- What holds now, of whoever has said something.
CREATE VIEW nurture.consent AS
SELECT c.contact, s.channel, s.purpose, s.status, s.since, s.expires, s.basis, s."text", s.source
FROM nurture.contact c CROSS JOIN LATERAL nurture._consents(c.state, (SELECT nurture._asked_at())) s;
COMMENT ON VIEW nurture.consent IS 'what each contact allows and refuses as of now (where the clock is simulated: as of the last tick)';
COMMENT ON COLUMN nurture.consent.channel IS 'NULL: every channel';
COMMENT ON COLUMN nurture.consent.purpose IS 'NULL: every purpose';
COMMENT ON COLUMN nurture.consent.status IS 'granted, pending (asked to confirm), expired, withdrawn, denied; never asked: an old request that nobody answered';
COMMENT ON COLUMN nurture.consent.expires IS 'of what is granted or pending: when it will be over; of what has expired: when it was';
COMMENT ON COLUMN nurture.consent."text" IS 'version of the wording that was agreed to';
REVOKE ALL ON TABLE nurture.consent FROM PUBLIC;

-- Proof outlives the log: before a partition is dropped, what it says of consent is kept.
CREATE TABLE nurture.consent_proof (LIKE nurture.event_log);
COMMENT ON TABLE nurture.consent_proof IS '$consent events of partitions of the log that were dropped';
REVOKE ALL ON TABLE nurture.consent_proof FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.consent_proof', '');
CREATE INDEX consent_proof_contact ON nurture.consent_proof (contact);
CREATE FUNCTION nurture._keep_consent_proof(partition text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns CONSTANT text := 'contact, key, kind, type, at, received_at, clock, props, message_id, tick, n, history';
BEGIN
    EXECUTE format('INSERT INTO nurture.consent_proof (%1$s) SELECT %1$s FROM nurture.%2$I WHERE type = %3$L', columns, partition, '$consent');
END
$$;
COMMENT ON FUNCTION nurture._keep_consent_proof(text) IS 'keeps what a partition of the log says of consent';

CREATE VIEW nurture.consent_history AS
SELECT e.contact, e.props ->> 'channel' AS channel, e.props ->> 'purpose' AS purpose, e.props ->> 'state' AS state, e.at, e.received_at,
       e.props ->> 'expires' AS expires, e.props ->> 'basis' AS basis, e.props ->> 'text' AS "text", e.props ->> 'source' AS source,
       e.props ->> 'ip_hash' AS ip_hash, (e.props ->> 'requested_at')::timestamptz AS requested_at, e.key, e.tick, e.n
FROM (SELECT l.contact, l.key, l.at, l.received_at, l.tick, l.n, l.props FROM nurture.event l WHERE l.type = '$consent'
      UNION ALL
      SELECT coalesce(i.contact, p.contact), p.key, p.at, p.received_at, p.tick, p.n, p.props
      FROM nurture.consent_proof p LEFT JOIN nurture.identity i ON i.key = p.key) e;
COMMENT ON VIEW nurture.consent_history IS 'everything that was ever said about consent, with its proof, under today''s contacts';
COMMENT ON COLUMN nurture.consent_history.at IS 'when it was said';
COMMENT ON COLUMN nurture.consent_history.received_at IS 'when the engine was told';
COMMENT ON COLUMN nurture.consent_history.expires IS 'as it was said: a time, or how long';
COMMENT ON COLUMN nurture.consent_history.ip_hash IS 'keyed hash of the address it was said from; compare with nurture.ip_hash(address)';
COMMENT ON COLUMN nurture.consent_history.requested_at IS 'of a double opt-in: when the confirmation was asked for';
COMMENT ON COLUMN nurture.consent_history.key IS 'the key as it was sent';
REVOKE ALL ON TABLE nurture.consent_history FROM PUBLIC;

CREATE FUNCTION nurture.ip_hash(ip inet) RETURNS text
    LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT nurture._ip_hash(ip) $$;
COMMENT ON FUNCTION nurture.ip_hash(inet) IS 'the hash that nurture.consent_history has for an address: to check a proof';

REVOKE ALL ON FUNCTION nurture._hmac_sha256(bytea, bytea), nurture._random_256(), nurture._ip_hash(inet), nurture._iso(timestamptz),
    nurture._say_consent(text, text, text, text, jsonb, inet, timestamptz),
    nurture.grant_consent(text, text, text, text, timestamptz, text, text, inet, timestamptz),
    nurture.withdraw_consent(text, text, text, text, inet, timestamptz),
    nurture.deny_consent(text, text, text, text, inet, timestamptz), nurture._keep_consent_proof(text), nurture.ip_hash(inet) FROM PUBLIC;
-- Functions in a view run as the caller: whoever may read the view needs it. It sees nothing but its arguments.
GRANT EXECUTE ON FUNCTION nurture._consents(nurture.profile, timestamptz) TO PUBLIC;
