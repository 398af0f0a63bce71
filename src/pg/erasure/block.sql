-- Keys that were erased stay out: what is told of them is refused until nurture.allow_again. Of such a key nothing is kept but its
-- keyed hash (HMAC-SHA-256, RFC 2104): whoever reads the table, but not the secret, cannot try out addresses.

-- The secret, as the two blocks that HMAC begins with: so a hash takes two calls of sha256. Made when somebody is erased first,
-- and dumped with the rest, so that the block holds after a restore.
CREATE TABLE nurture.erasure_secret (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    inner_pad bytea NOT NULL CHECK (octet_length(inner_pad) = 64),
    outer_pad bytea NOT NULL CHECK (octet_length(outer_pad) = 64),
    made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE nurture.erasure_secret IS 'the secret under which the keys of those who were erased are hashed';
REVOKE ALL ON TABLE nurture.erasure_secret FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.erasure_secret', '');

CREATE TABLE nurture.erasure (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_hashes bytea[] NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL DEFAULT session_user,
    reason text,
    anonymised boolean NOT NULL,
    withdrawn bigint NOT NULL,
    in_flight bigint NOT NULL,
    rows jsonb NOT NULL
);
COMMENT ON TABLE nurture.erasure IS 'certificates: who was erased when, by whom and why, and how many rows that took; nothing of the person';
COMMENT ON COLUMN nurture.erasure.key_hashes IS 'keyed hashes of the contact''s keys, the contact''s own first: compare with nurture.erasure_hash(key)';
COMMENT ON COLUMN nurture.erasure.by IS 'the role that had logged in';
COMMENT ON COLUMN nurture.erasure.anonymised IS 'the history was kept under a random key that is written down nowhere';
COMMENT ON COLUMN nurture.erasure.withdrawn IS 'actions that were waiting to be claimed';
COMMENT ON COLUMN nurture.erasure.in_flight IS 'actions that were in a sender''s hands: they were emptied, and their completion is accepted';
COMMENT ON COLUMN nurture.erasure.rows IS 'rows by table that were deleted, emptied or anonymised';
REVOKE ALL ON TABLE nurture.erasure FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.erasure', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.erasure_id_seq', '');

CREATE TABLE nurture.erased_key (
    key_hash bytea PRIMARY KEY,
    erasure bigint NOT NULL, -- no foreign key: a parallel restore loads the two tables side by side
    since timestamptz NOT NULL
);
COMMENT ON TABLE nurture.erased_key IS 'keys of which nothing is taken any more until nurture.allow_again(key)';
COMMENT ON COLUMN nurture.erased_key.erasure IS 'the newest certificate that names it';
REVOKE ALL ON TABLE nurture.erased_key FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.erased_key', '');

CREATE FUNCTION nurture.erasure_hash(key text) RETURNS bytea
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT sha256(s.outer_pad || sha256(s.inner_pad || convert_to(key, 'UTF8'))) FROM nurture.erasure_secret s
$$;
COMMENT ON FUNCTION nurture.erasure_hash(text) IS
    'what nurture.erasure keeps of a key; NULL: nobody was ever erased. Who may call it can try out keys';

CREATE FUNCTION nurture._is_erased(key text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM nurture.erased_key) AND EXISTS (SELECT FROM nurture.erased_key e WHERE e.key_hash = nurture.erasure_hash(key));
END
$$;
COMMENT ON FUNCTION nurture._is_erased(text) IS 'whether nothing is taken of the key';

CREATE FUNCTION nurture._require_not_erased(key text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF nurture._is_erased(key) THEN
        RAISE EXCEPTION 'the contact of this key was erased' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'If the person has come back by his own will: nurture.allow_again(key).';
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._require_not_erased(text) IS 'an error where nothing is taken of the key';

-- The other keys that a message says to be the contact's.
CREATE FUNCTION nurture._named_keys(type text, props jsonb) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    keys CONSTANT jsonb := props -> CASE type WHEN '$alias' THEN 'keys' ELSE '$keys' END;
    named text[] := '{}';
BEGIN
    IF type = '$alias' THEN
        named := ARRAY[props ->> 'to', props ->> 'previous_id', props ->> 'previousId'];
    END IF;
    IF jsonb_typeof(keys) = 'object' THEN
        named := named || ARRAY(SELECT k.value FROM jsonb_each_text(keys) k);
    END IF;
    RETURN array_remove(named, NULL);
END
$$;
COMMENT ON FUNCTION nurture._named_keys(text, jsonb) IS 'the keys that an $alias or $identify names beside its own';

CREATE FUNCTION nurture._erased_name_reason(type text, props jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'erased: it names a key whose contact was erased'
WHERE EXISTS (SELECT FROM unnest(nurture._named_keys(type, props)) n (key) WHERE nurture._is_erased(n.key))
$$;
COMMENT ON FUNCTION nurture._erased_name_reason(text, jsonb) IS 'why an $alias or $identify is refused: it names somebody who was erased; NULL: it does not';

-- Part of the tick, once somebody was erased, of the batch as it was taken. Whoever is known was not erased: only new contacts are looked
-- up, and what is malformed.
CREATE FUNCTION nurture._refuse_erased() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    refused text[];
BEGIN
    SELECT array_agg(n.contact) INTO refused
    FROM (SELECT b.contact FROM nurture._batch b LEFT JOIN nurture.contact c ON c.contact = b.contact
          WHERE b.ordinal = 1 AND c.contact IS NULL OFFSET 0) n
    CROSS JOIN nurture.erasure_secret s
    JOIN nurture.erased_key e ON e.key_hash = sha256(s.outer_pad || sha256(s.inner_pad || convert_to(n.contact, 'UTF8')));
    UPDATE nurture._batch b SET reason = 'erased: the contact of this key was erased', ordinal = 0
    WHERE b.contact = ANY (refused) OR b.reason IS NOT NULL AND NOT nurture._is_of_erased(b.reason) AND nurture._is_erased(b.key);
END
$$;
COMMENT ON FUNCTION nurture._refuse_erased() IS 'refuses the messages of the batch whose contact was erased';

CREATE FUNCTION nurture._is_of_erased(reason text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN coalesce(starts_with(reason, 'erased: the contact'), false);
COMMENT ON FUNCTION nurture._is_of_erased(text) IS 'whether a message was refused for its contact was erased: then nothing is kept of what it says';

CREATE FUNCTION nurture._refused_props(reason text, type text, props jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN starts_with(reason, 'erased: ') THEN CASE WHEN type = '$identify' AND NOT nurture._is_of_erased(reason) THEN props - '$keys' END
                ELSE props END;
COMMENT ON FUNCTION nurture._refused_props(text, text, jsonb) IS
    'what is kept of a refused message: nothing of who was erased; of who named such a key, the attributes';

-- Part of the tick: what somebody told beside the inbox, at the same time as the contact was erased, goes with the message.
CREATE FUNCTION nurture._forget_told_of_erased() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET nurture_tick.lists = 'told' AS $$
DECLARE
    keys CONSTANT text[] := ARRAY(SELECT DISTINCT b.key FROM nurture._batch b
                                  WHERE nurture._is_of_erased(b.reason) AND nurture._is_erased(b.key));
BEGIN
    IF keys = '{}' THEN
        RETURN;
    END IF;
    DELETE FROM nurture.suppression s WHERE s.contact = ANY (keys);
    DELETE FROM nurture.opt_in o WHERE o.contact = ANY (keys);
    DELETE FROM nurture.list_member m WHERE m.contact = ANY (keys);
END
$$;
COMMENT ON FUNCTION nurture._forget_told_of_erased() IS 'removes what came with the messages of the batch that were refused';

CREATE FUNCTION nurture.allow_again(key text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM nurture.erased_key e WHERE e.key_hash = nurture.erasure_hash(allow_again.key);
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION nurture.allow_again(text) IS
    'what is told of the key from now on is taken again, though its contact was erased; false: it was taken already';

REVOKE ALL ON FUNCTION nurture.erasure_hash(text), nurture._is_erased(text), nurture._require_not_erased(text),
    nurture._erased_name_reason(text, jsonb), nurture._refuse_erased(), nurture._forget_told_of_erased(), nurture.allow_again(text) FROM PUBLIC;
