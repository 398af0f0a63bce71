-- What an update leaves to be done after it. An update script is one transaction that locks what it changes; so what would rewrite a large
-- table is not in it: the script adds a row here, and `CALL nurture.migrate()` does it, some contacts at a time, beside the ticks.

CREATE TABLE nurture.migration (
    position int PRIMARY KEY,
    step text NOT NULL,
    version text NOT NULL,
    required boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done')),
    behind_key text COLLATE "C" NOT NULL DEFAULT '',
    done bigint NOT NULL DEFAULT 0,
    started timestamptz,
    finished timestamptz
);
COMMENT ON TABLE nurture.migration IS 'what updates have left to nurture.migrate(), in the order in which it is done';
COMMENT ON COLUMN nurture.migration.step IS 'states: what is known of contacts is written anew in the form of this version';
COMMENT ON COLUMN nurture.migration.version IS 'the version that needs it';
COMMENT ON COLUMN nurture.migration.required IS 'nothing ticks before it is done';
COMMENT ON COLUMN nurture.migration.behind_key IS 'contacts up to this key are through';
COMMENT ON COLUMN nurture.migration.done IS 'contacts';
REVOKE ALL ON TABLE nurture.migration FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.migration', '');

CREATE FUNCTION nurture._require_migrated() RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    pending text;
BEGIN
    SELECT m.version INTO pending FROM nurture.migration m WHERE m.required AND m.state <> 'done' ORDER BY m.position LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the update to version % is not finished', pending USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'CALL nurture.migrate(); finishes it. Messages wait in the inbox meanwhile.';
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._require_migrated() IS 'raises an error while a migration is to be done before anything else';
REVOKE ALL ON FUNCTION nurture._require_migrated() FROM PUBLIC;

-- The steps. Each does so many contacts behind a key, and says how far it has come; NULL: it is through.

-- A state's text form is read and written by the library as it is today.
CREATE FUNCTION nurture._migrate_states(behind text, at_once int, OUT last_key text, OUT passed bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
BEGIN
    SELECT max(k.contact), count(*) INTO last_key, passed
    FROM (SELECT c.contact FROM nurture.contact c WHERE c.contact > behind ORDER BY c.contact LIMIT at_once) k;
    IF passed < at_once THEN
        last_key := NULL;
    END IF;
    -- What cannot be read stays as it is: its contact's step quarantines it.
    UPDATE nurture.contact c SET state = c.state::text::nurture.profile
    WHERE c.contact > behind AND (c.contact <= last_key OR last_key IS NULL)
      AND CASE WHEN nurture._damage(c.state) IS NULL THEN c.state::text::nurture.profile::text <> c.state::text END;
    UPDATE nurture.base b SET state = b.state::text::nurture.profile
    WHERE b.contact > behind AND (b.contact <= last_key OR last_key IS NULL)
      AND CASE WHEN nurture._damage(b.state) IS NULL THEN b.state::text::nurture.profile::text <> b.state::text END;
END
$$;
COMMENT ON FUNCTION nurture._migrate_states(text, int) IS 'writes states as this version does';
REVOKE ALL ON FUNCTION nurture._migrate_states(text, int) FROM PUBLIC;

-- Small, since a tick waits for it.
CREATE FUNCTION nurture._migrate_some(at_once int DEFAULT 2000) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    job nurture.migration;
    last_key text;
    passed bigint;
BEGIN
    PERFORM nurture._lock_engine();
    SELECT m.* INTO job FROM nurture.migration m WHERE m.state <> 'done' ORDER BY m.position LIMIT 1 FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT s.last_key, s.passed FROM nurture.%I($1, $2) s', '_migrate_' || job.step)
    INTO last_key, passed USING job.behind_key, at_once;
    UPDATE nurture.migration m
    SET state = CASE WHEN last_key IS NULL THEN 'done' ELSE 'running' END, behind_key = coalesce(last_key, m.behind_key),
        done = m.done + passed, started = coalesce(m.started, clock_timestamp()),
        finished = CASE WHEN last_key IS NULL THEN clock_timestamp() END
    WHERE m.position = job.position;
    RETURN true;
END
$$;
COMMENT ON FUNCTION nurture._migrate_some(int) IS 'one transaction''s part of what updates have left to be done; false: nothing is';
REVOKE ALL ON FUNCTION nurture._migrate_some(int) FROM PUBLIC;

CREATE PROCEDURE nurture.migrate()
    LANGUAGE plpgsql AS $$
BEGIN
    IF nurture._in_transaction_block() THEN
        RAISE EXCEPTION 'nurture.migrate() cannot run inside a transaction block' USING ERRCODE = 'active_sql_transaction',
            HINT = 'It commits as it goes, and goes on where it was when it is called again.';
    END IF;
    WHILE nurture._migrate_some() LOOP
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE nurture.migrate() IS
    'does what updates have left to be done, contact by contact, beside the ticks; to be called again after an interruption';
REVOKE ALL ON PROCEDURE nurture.migrate() FROM PUBLIC;
