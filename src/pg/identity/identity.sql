-- Whose a key is. One name space: a key that has no row is a contact of its own. The tick is the only writer.

CREATE TABLE nurture.identity (
    kind text COLLATE "C",
    key text COLLATE "C" NOT NULL PRIMARY KEY,
    contact text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL DEFAULT pg_catalog.now(),
    tick bigint NOT NULL DEFAULT 0
);
CREATE INDEX identity_contact ON nurture.identity (contact);
COMMENT ON TABLE nurture.identity IS 'which contact a key belongs to today; a key without a row is its own contact';
COMMENT ON COLUMN nurture.identity.kind IS 'kind of the key, see nurture.identity_kind; NULL: the application''s own, user';
COMMENT ON COLUMN nurture.identity.contact IS 'never itself a key of somebody else: one look is enough';
COMMENT ON COLUMN nurture.identity.since IS 'when the engine was told';
COMMENT ON COLUMN nurture.identity.tick IS 'the tick that wrote it';
REVOKE ALL ON TABLE nurture.identity FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.identity', '');

-- Where a key has been, so that what happened at an earlier tick can be told apart from what holds today.
CREATE TABLE nurture.identity_history (
    key text COLLATE "C" NOT NULL,
    tick bigint NOT NULL,
    contact text COLLATE "C" NOT NULL,
    PRIMARY KEY (key, tick)
);
COMMENT ON TABLE nurture.identity_history IS 'every move of a key: after this tick it belonged to that contact';
REVOKE ALL ON TABLE nurture.identity_history FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.identity_history', '');

CREATE TABLE nurture.identity_kind (
    kind text COLLATE "C" NOT NULL PRIMARY KEY CHECK (kind <> '' AND pg_catalog.left(kind, 1) <> '$'),
    identifying boolean NOT NULL DEFAULT true,
    priority int NOT NULL DEFAULT 50,
    max_per_contact int CHECK (max_per_contact >= 1),
    blocked text[] NOT NULL DEFAULT '{}',
    description text,
    built_in boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE nurture.identity_kind IS 'the kinds of keys and their rules; rows may be edited and added';
COMMENT ON COLUMN nurture.identity_kind.kind IS 'as in nurture.inbox.kind, where NULL stands for user';
COMMENT ON COLUMN nurture.identity_kind.identifying IS 'says who somebody is: never loses the contact''s name to a key that does not';
COMMENT ON COLUMN nurture.identity_kind.priority IS 'of two keys the contact keeps the name of the greater';
COMMENT ON COLUMN nurture.identity_kind.max_per_contact IS
    'contacts that would have more keys of the kind together do not merge: a row in nurture.identity_conflict. NULL: any number';
COMMENT ON COLUMN nurture.identity_kind.blocked IS 'keys that connect nothing, as ILIKE patterns: what is sent for "none", shared devices, tests';
COMMENT ON COLUMN nurture.identity_kind.built_in IS 'as the extension made it; an edited row is yours';
REVOKE ALL ON TABLE nurture.identity_kind FROM PUBLIC;

INSERT INTO nurture.identity_kind (kind, identifying, priority, max_per_contact, blocked, description, built_in)
SELECT k.kind, k.identifying, k.priority, k.max_per_contact, n.nothing || k.blocked, k.description, true
FROM (VALUES
    ('user', true, 100, 1, '{}'::text[], 'the application''s own key of a person'),
    ('email', true, 80, 1, '{test@%,noreply@%,no-reply@%,none@%,null@%,%@example.invalid}', 'an e-mail address'),
    ('phone', true, 70, 1, '{+0%,0000%,123456%}', 'a phone number'),
    ('device', false, 20, NULL, '{0000%}', 'a device, or what an app is known by on it'),
    ('anonymous', false, 10, NULL, '{}', 'a cookie, or whatever stands for a visitor')
) k (kind, identifying, priority, max_per_contact, blocked, description),
(SELECT '{null,nil,none,undefined,unknown,nan,n/a,na,guest,anonymous,test,true,false,0,-1,-,[object object],00000000-0000-0000-0000-000000000000}'::text[])
    n (nothing);

-- An edited row belongs to whoever edited it, and goes into dumps; it takes the place of the built-in one when they are restored.
CREATE FUNCTION nurture._identity_kind_edited() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.built_in := false;
    IF TG_OP = 'INSERT' THEN
        DELETE FROM nurture.identity_kind k WHERE k.kind = NEW.kind AND k.built_in;
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION nurture._identity_kind_edited() FROM PUBLIC;
CREATE TRIGGER edited BEFORE INSERT OR UPDATE ON nurture.identity_kind
    FOR EACH ROW EXECUTE FUNCTION nurture._identity_kind_edited();
SELECT pg_catalog.pg_extension_config_dump('nurture.identity_kind', 'WHERE NOT built_in');

CREATE FUNCTION nurture.contact_of(key text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE COST 20 SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce((SELECT i.contact FROM nurture.identity i WHERE i.key = contact_of.key), key)
$$;
COMMENT ON FUNCTION nurture.contact_of(text) IS
    'the contact that a key belongs to today; for many keys join nurture.identity, where a key without a row is its own contact';
REVOKE ALL ON FUNCTION nurture.contact_of(text) FROM PUBLIC;
