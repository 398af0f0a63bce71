-- The engine's own bookkeeping: how far it is, the models it has run, the features they keep.

CREATE TABLE nurture.engine (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    tick bigint NOT NULL,
    drained timestamptz,
    due_from timestamptz,
    system_identifier bigint NOT NULL,
    database oid NOT NULL,
    model_problem text,
    logged bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    duplicates bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    unconvertible bigint NOT NULL DEFAULT 0,
    last_tick_at timestamptz,
    last_tick_rows int,
    last_tick_ms numeric,
    due_behind boolean NOT NULL DEFAULT false,
    versions_checked timestamptz
);
COMMENT ON TABLE nurture.engine IS 'one row, made by the first tick: where the engine is and which database it belongs to';
COMMENT ON COLUMN nurture.engine.tick IS 'number of the last tick';
COMMENT ON COLUMN nurture.engine.drained IS 'everything received or due by then has been done';
COMMENT ON COLUMN nurture.engine.due_from IS 'no contact is due earlier: the scan for due contacts begins here';
COMMENT ON COLUMN nurture.engine.system_identifier IS 'of the cluster; a restored copy has another one and does not run by itself';
COMMENT ON COLUMN nurture.engine.model_problem IS 'why the present definitions do not compile; the last good model stays';
COMMENT ON COLUMN nurture.engine.due_behind IS 'of those that were due the last batch took a part only';
COMMENT ON COLUMN nurture.engine.versions_checked IS 'when workflows'' earlier versions were last looked through for people inside';
COMMENT ON COLUMN nurture.engine.unconvertible IS 'comparisons left unknown since a value could not be taken as the literal''s type';

CREATE TABLE nurture.model (
    id int PRIMARY KEY,
    from_tick bigint NOT NULL,
    from_clock timestamptz,
    compiled_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    source_hash text NOT NULL,
    model nurture.compiled_model NOT NULL,
    held jsonb NOT NULL DEFAULT '[]',
    adopted boolean NOT NULL DEFAULT true,
    adopted_to text COLLATE "C" NOT NULL DEFAULT '',
    swept bigint NOT NULL DEFAULT 0,
    contacts bigint
);
COMMENT ON TABLE nurture.model IS 'the models the engine has run, each from a tick on';
COMMENT ON COLUMN nurture.model.from_clock IS 'timers had run until then when it took over';
COMMENT ON COLUMN nurture.model.held IS 'definitions that wait for features to be backfilled: what was in force of them before goes on';
COMMENT ON COLUMN nurture.model.adopted IS 'every contact has adopted it, or need not; the next model waits for that';
COMMENT ON COLUMN nurture.model.adopted_to IS 'contacts up to this key have adopted it';
COMMENT ON COLUMN nurture.model.swept IS 'contacts the sweep has come past';
COMMENT ON COLUMN nurture.model.contacts IS 'how many there were, about; NULL: they need not adopt it';

CREATE TABLE nurture.feature (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    definition text COLLATE "C" NOT NULL,
    from_tick bigint NOT NULL,
    complete_from timestamptz,
    state text NOT NULL CHECK (state IN ('backfilling', 'live', 'ended')),
    ended_tick bigint
);
-- By hash: a filter may be longer than a btree's entry.
CREATE UNIQUE INDEX feature_live ON nurture.feature (pg_catalog.md5(definition)) WHERE state <> 'ended';
COMMENT ON TABLE nurture.feature IS 'what profiles remember of events; definitions that mean the same share one';
COMMENT ON COLUMN nurture.feature.from_tick IS 'the first tick whose events it takes';
COMMENT ON COLUMN nurture.feature.complete_from IS
    'it knows every event since then; -infinity: all there ever were; NULL: its past is still being backfilled';
COMMENT ON COLUMN nurture.feature.state IS 'backfilling, live, ended';

REVOKE ALL ON TABLE nurture.engine, nurture.model, nurture.feature FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.engine', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.model', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.feature', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.feature_id_seq', '');

CREATE VIEW nurture._current_model AS SELECT m.id, m.model FROM nurture.model m ORDER BY m.id DESC LIMIT 1;
COMMENT ON VIEW nurture._current_model IS 'the model in force';
REVOKE ALL ON TABLE nurture._current_model FROM PUBLIC;

-- Whoever writes engine tables takes this lock first. It lasts until the end of the transaction. Tables and library must be
-- of one version: in between an installation and ALTER EXTENSION … UPDATE nothing is written.
CREATE FUNCTION nurture._lock_engine() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock('nurture.engine'::regclass::oid::int, 0);
    IF nurture._library_version() <> nurture._extension_version() THEN
        RAISE EXCEPTION 'the extension nurture has version %, its library version %', nurture._extension_version(), nurture._library_version()
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Newer library: ALTER EXTENSION nurture UPDATE. Older one: install the newer, and restart the server.';
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._lock_engine() IS 'waits until no other transaction writes engine tables';
REVOKE ALL ON FUNCTION nurture._lock_engine() FROM PUBLIC;

-- A database whose engine row was written elsewhere is a copy of it: it must not mail anybody by itself. While a dump is being
-- restored that row may come last, and whatever runs meanwhile would run on half of the data: so a restore is noted at its
-- beginning. pg_dump's scripts, and only they, switch row security off, which makes them known.
CREATE TABLE nurture._restored (
    since timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE nurture._restored IS 'not empty: a dump was restored into this database, or is about to be; ended by nurture.resume()';
REVOKE ALL ON TABLE nurture._restored FROM PUBLIC;
INSERT INTO nurture._restored SELECT FROM pg_catalog.pg_settings WHERE name = 'row_security' AND setting = 'off';

CREATE FUNCTION nurture._is_here(system_identifier bigint, database oid) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_is_here';
COMMENT ON FUNCTION nurture._is_here(bigint, oid) IS 'whether this is that server and database';

CREATE FUNCTION nurture._is_own_database() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce((SELECT nurture._is_here(e.system_identifier, e.database) FROM nurture.engine e),
                NOT EXISTS (SELECT FROM nurture.contact))
   AND NOT EXISTS (SELECT FROM nurture._restored)
$$;
COMMENT ON FUNCTION nurture._is_own_database() IS 'false in a restored or copied database until nurture.resume()';
REVOKE ALL ON FUNCTION nurture._is_own_database() FROM PUBLIC;

CREATE FUNCTION nurture._require_own_database() RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT nurture._is_own_database() THEN
        RAISE EXCEPTION 'this database is a copy: the engine does not run in it, and its actions are not to be carried out a second time'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'If it takes the place of the original, call nurture.resume(); if it does not, leave it, so that nobody is mailed twice.';
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._require_own_database() IS 'raises an error in a restored or copied database until nurture.resume()';
REVOKE ALL ON FUNCTION nurture._require_own_database() FROM PUBLIC;

-- For pg_dump --data-only: the restore of a whole dump notes by itself that it is one.
CREATE FUNCTION nurture.prepare_restore() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM nurture._lock_engine();
    IF EXISTS (SELECT FROM nurture.engine) OR EXISTS (SELECT FROM nurture.contact) THEN
        RAISE EXCEPTION 'the engine has run in this database' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Restore into a database with nothing but CREATE EXTENSION nurture.';
    END IF;
    INSERT INTO nurture._restored DEFAULT VALUES;
    PERFORM nurture._make_partitions(clock_timestamp() + interval '1 month');
END
$$;
COMMENT ON FUNCTION nurture.prepare_restore() IS
    'before a data-only dump is restored into a fresh extension: makes the log''s partitions, and nothing runs until nurture.resume()';
REVOKE ALL ON FUNCTION nurture.prepare_restore() FROM PUBLIC;

CREATE FUNCTION nurture._adopt_database() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM nurture._restored;
    INSERT INTO nurture.engine (tick, system_identifier, database)
    SELECT coalesce((SELECT max(m.from_tick) FROM nurture.model m), 0), s.system_identifier, d.oid
    FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()
    ON CONFLICT (only_row) DO UPDATE
        SET system_identifier = excluded.system_identifier, database = excluded.database;
END
$$;
COMMENT ON FUNCTION nurture._adopt_database() IS 'makes this the database that the engine belongs to';
REVOKE ALL ON FUNCTION nurture._adopt_database() FROM PUBLIC;

-- What time it is: the server's clock, or, where the clock is simulated (nurture.enabled = off), the engine's.
CREATE FUNCTION nurture._now() RETURNS timestamptz
    LANGUAGE sql VOLATILE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN NOT nurture._enabled()
            THEN coalesce((SELECT e.drained FROM nurture.engine e), clock_timestamp())
            ELSE clock_timestamp() END
$$;
COMMENT ON FUNCTION nurture._now() IS 'what time it is: the clock, or the simulated one. Anybody may ask: the views of leads do';

-- When the engine is told what became of an action: each at an instant of its own, so that their order is settled whatever
-- the order in which their rows come to lie.
CREATE FUNCTION nurture._told_at(moment timestamptz) RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN CASE WHEN nurture._enabled() THEN clock_timestamp() ELSE moment END;
COMMENT ON FUNCTION nurture._told_at(timestamptz) IS 'received_at of an outcome that is reported at this moment';
REVOKE ALL ON FUNCTION nurture._told_at(timestamptz) FROM PUBLIC;

-- Takes up changed definitions at a tick's beginning. When they do not compile, the last good model stays. As long as
-- contacts are still adopting the model in force, the next one waits: so each contact adopts each model, in order.
CREATE FUNCTION nurture._take_up_definitions(this_tick bigint) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made boolean := false;
    problem text;
BEGIN
    IF EXISTS (SELECT FROM nurture.model m WHERE NOT m.adopted) THEN
        RETURN false;
    END IF;
    BEGIN
        made := nurture._make_model(this_tick);
    EXCEPTION WHEN operator_intervention OR transaction_rollback OR lock_not_available OR insufficient_resources
            OR system_error THEN
        RAISE; -- not the definitions' fault: the next tick tries again
    WHEN OTHERS THEN
        problem := SQLERRM;
    END;
    UPDATE nurture.engine SET model_problem = problem WHERE model_problem IS DISTINCT FROM problem;
    DELETE FROM nurture.pending_change;
    RETURN made;
END
$$;
COMMENT ON FUNCTION nurture._take_up_definitions(bigint) IS 'makes the next model of the live definitions; true: there is one';
REVOKE ALL ON FUNCTION nurture._take_up_definitions(bigint) FROM PUBLIC;
