-- Backfilling: the past of new features is folded from the log while events go on coming in. What was taken before the
-- feature's from_tick is folded here, what comes after by the ticks; ⊕ joins the two, in any order and grouping, to the
-- last digit. It goes by ranges of keys: one parallel query folds the log for a range into a table beside it, then small
-- transactions bring that into the contacts' states. Whatever is interrupted, the job's row says how far it is.

CREATE TABLE nurture.backfill (
    from_tick bigint PRIMARY KEY,
    state text NOT NULL DEFAULT 'folding' CHECK (state IN ('folding', 'merging', 'done', 'cancelled')),
    started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    finished timestamptz,
    done bigint NOT NULL DEFAULT 0,
    total bigint,
    behind_key text COLLATE "C" NOT NULL DEFAULT '',
    upto_key text COLLATE "C"
);
COMMENT ON TABLE nurture.backfill IS 'backfills of features, each of those that became needed at a tick; see nurture.progress';
COMMENT ON COLUMN nurture.backfill.from_tick IS 'its features take events from this tick on by themselves; those before are backfilled';
COMMENT ON COLUMN nurture.backfill.state IS 'folding: reads the log; merging: brings what it gave to the contacts; done; cancelled';
COMMENT ON COLUMN nurture.backfill.done IS 'contacts whose past is complete';
COMMENT ON COLUMN nurture.backfill.behind_key IS 'contacts up to this key have their past';
COMMENT ON COLUMN nurture.backfill.upto_key IS 'end of the range of keys at hand; NULL: the last one';

-- What the log gave for the range at hand. Gone after a crash, and then made again.
CREATE UNLOGGED TABLE nurture._past_of (
    contact text COLLATE "C" PRIMARY KEY,
    parts bytea NOT NULL
);
CREATE UNLOGGED TABLE nurture._past_range (
    from_tick bigint NOT NULL,
    behind_key text COLLATE "C" NOT NULL
);
COMMENT ON TABLE nurture._past_of IS 'the past of the contacts of a range, folded from the log';
COMMENT ON TABLE nurture._past_range IS 'the range of keys that nurture._past_of holds';
REVOKE ALL ON TABLE nurture.backfill, nurture._past_of, nurture._past_range FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.backfill', '');

CREATE FUNCTION nurture._past_transition(internal, model nurture.compiled_model, from_tick bigint, contact text, type text,
        at timestamptz, props jsonb, tick bigint, n int) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'nurture_past_transition';
CREATE FUNCTION nurture._past_combine(internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_past_combine';
CREATE FUNCTION nurture._past_serialize(internal) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_past_serialize';
CREATE FUNCTION nurture._past_deserialize(bytea, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_past_deserialize';
CREATE FUNCTION nurture._past_final(internal) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_past_final';
CREATE AGGREGATE nurture._past(model nurture.compiled_model, from_tick bigint, contact text, type text, at timestamptz, props jsonb,
        tick bigint, n int) (
    SFUNC = nurture._past_transition, STYPE = internal, SSPACE = 1000000,
    FINALFUNC = nurture._past_final, COMBINEFUNC = nurture._past_combine, SERIALFUNC = nurture._past_serialize,
    DESERIALFUNC = nurture._past_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture._past(nurture.compiled_model, bigint, text, text, timestamptz, jsonb, bigint, int) IS
    'the past of all contacts for the features that the model has collected since that tick; see nurture._past_rows';
CREATE FUNCTION nurture._past_rows(pasts bytea) RETURNS TABLE (contact text, parts bytea)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 100000 AS 'MODULE_PATHNAME', 'nurture_past_rows';
COMMENT ON FUNCTION nurture._past_rows(bytea) IS 'the contacts of whom something counts, ascending by key';
REVOKE ALL ON FUNCTION nurture._past_rows(bytea) FROM PUBLIC;

CREATE FUNCTION nurture._past_types(model nurture.compiled_model, from_tick bigint) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_past_types';
COMMENT ON FUNCTION nurture._past_types(nurture.compiled_model, bigint) IS 'the types of events that those features are made of; "" stands for any but the engine''s own';

CREATE FUNCTION nurture._with_past(model nurture.compiled_model, state nurture.profile, parts bytea) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'nurture_with_past';
COMMENT ON FUNCTION nurture._with_past(nurture.compiled_model, nurture.profile, bytea) IS 'state ⊕ past';
CREATE FUNCTION nurture._completes(before nurture.compiled_model, model nurture.compiled_model) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'nurture_completes';
COMMENT ON FUNCTION nurture._completes(nurture.compiled_model, nurture.compiled_model) IS
    'whether features became complete between two models';
-- What a replay does in the backfill's place.
CREATE FUNCTION nurture._completed(before nurture.compiled_model, model nurture.compiled_model, state nurture.profile,
        messages bytea) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'nurture_completed';
COMMENT ON FUNCTION nurture._completed(nurture.compiled_model, nurture.compiled_model, nurture.profile, bytea) IS
    'a state whose features that became complete between two models are what the log gives';
REVOKE ALL ON FUNCTION nurture._completes(nurture.compiled_model, nurture.compiled_model),
    nurture._completed(nurture.compiled_model, nurture.compiled_model, nurture.profile, bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION nurture._past_types(nurture.compiled_model, bigint),
    nurture._with_past(nurture.compiled_model, nurture.profile, bytea) FROM PUBLIC;

CREATE FUNCTION nurture._backfill_waits() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (SELECT FROM nurture.backfill b WHERE b.state IN ('folding', 'merging'))
    AND nurture._enabled() AND nurture._is_own_database()
$$;
COMMENT ON FUNCTION nurture._backfill_waits() IS 'whether a worker is to work at a backfill';
REVOKE ALL ON FUNCTION nurture._backfill_waits() FROM PUBLIC;

-- The fold of the log for a range of keys: a query that the planner may run in parallel. RETURN QUERY EXECUTE does; an
-- INSERT … SELECT would not. It has one group only: the aggregate keeps contacts apart by itself, which takes less than the server's own
-- grouping, and what a parallel worker gives is one value.
CREATE FUNCTION nurture._fold_past(model nurture.compiled_model, from_tick bigint, behind_key text, upto_key text)
    RETURNS TABLE (contact text, parts bytea)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET parallel_setup_cost = 100 SET parallel_tuple_cost = 0.01
    SET min_parallel_table_scan_size = '1MB' SET work_mem = '128MB' SET jit = off SET enable_indexscan = off
    SET enable_bitmapscan = off AS $$
DECLARE
    types CONSTANT text[] := nurture._past_types(model, from_tick);
    merged CONSTANT boolean := EXISTS (SELECT FROM nurture.identity);
    whose CONSTANT text := CASE WHEN merged THEN 'coalesce(i.contact, l.contact)' ELSE 'l.contact' END;
BEGIN
    RETURN QUERY EXECUTE format($query$
        SELECT r.contact, r.parts
        FROM (SELECT nurture._past($1, $2, %1$s, l.type, l.at, l.props, l.tick, l.n) AS pasts
              FROM nurture.event_log l %2$s WHERE %3$s %4$s %5$s) p
        CROSS JOIN LATERAL nurture._past_rows(p.pasts) r$query$,
        whose,
        CASE WHEN merged THEN 'LEFT JOIN nurture.identity i ON i.key = l.key' END,
        CASE WHEN '' = ANY (types) THEN 'true' WHEN cardinality(types) = 1 THEN 'l.type = ($3)[1]' ELSE 'l.type = ANY ($3)' END,
        CASE WHEN behind_key <> '' THEN format('AND %s > $4', whose) END,
        CASE WHEN upto_key IS NOT NULL THEN format('AND %s <= $5', whose) END)
    USING model, from_tick, types, behind_key, upto_key;
END
$$;
COMMENT ON FUNCTION nurture._fold_past(nurture.compiled_model, bigint, text, text) IS
    'the past of the contacts of a range of keys, for the features collected since a tick';
REVOKE ALL ON FUNCTION nurture._fold_past(nurture.compiled_model, bigint, text, text) FROM PUBLIC;

-- Who holds it works at backfills: one session at a time.
CREATE FUNCTION nurture._try_backfill_lock() RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT pg_try_advisory_xact_lock('nurture.engine'::regclass::oid::int, 1)
$$;
COMMENT ON FUNCTION nurture._try_backfill_lock() IS 'until the end of the transaction';
REVOKE ALL ON FUNCTION nurture._try_backfill_lock() FROM PUBLIC;

-- Folds the next range. The ticks go on meanwhile: they write events of later ticks only.
CREATE FUNCTION nurture._fold_next_range(job nurture.backfill) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    at_once int := current_setting('nurture.backfill_contacts');
    upto text;
BEGIN
    DELETE FROM nurture._past_range;
    TRUNCATE nurture._past_of;
    LOOP
        SELECT c.contact INTO upto FROM nurture.contact c
        WHERE c.contact > job.behind_key ORDER BY c.contact OFFSET at_once LIMIT 1;
        BEGIN
            INSERT INTO nurture._past_of (contact, parts)
            SELECT f.contact, f.parts
            FROM nurture._fold_past((SELECT m.model FROM nurture._current_model m), job.from_tick, job.behind_key, upto) f;
            EXIT;
        EXCEPTION WHEN program_limit_exceeded OR out_of_memory THEN -- what a process folds is one value, of 1 GB at most
            IF at_once < 1000 THEN
                RAISE;
            END IF;
            at_once := at_once / 4;
        END;
    END LOOP;
    INSERT INTO nurture._past_range (from_tick, behind_key) VALUES (job.from_tick, job.behind_key);
    UPDATE nurture.backfill b SET state = 'merging', upto_key = upto,
           total = coalesce(b.total, (SELECT count(*) FROM nurture.contact))
    WHERE b.from_tick = job.from_tick;
END
$$;
COMMENT ON FUNCTION nurture._fold_next_range(nurture.backfill) IS 'folds the log for the next range of keys';
REVOKE ALL ON FUNCTION nurture._fold_next_range(nurture.backfill) FROM PUBLIC;

-- Brings the next folded contacts their past. Small, since a tick waits for it.
CREATE FUNCTION nurture._merge_past(job nurture.backfill) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    merged_at_once CONSTANT int := 2000;
    last_key text;
    merged bigint;
BEGIN
    PERFORM nurture._lock_engine();
    WITH next AS MATERIALIZED (
        SELECT p.contact, p.parts FROM nurture._past_of p WHERE p.contact > job.behind_key ORDER BY p.contact LIMIT merged_at_once
    ), merge AS (
        UPDATE nurture.contact c SET state = nurture._with_past(m.model, c.state, n.parts)
        FROM next n, nurture._current_model m WHERE c.contact = n.contact AND nurture._damage(c.state) IS NULL
          AND NOT EXISTS (SELECT FROM nurture._past_done d WHERE d.from_tick = job.from_tick AND d.contact = c.contact)
    )
    SELECT max(n.contact), count(*) INTO last_key, merged FROM next n;
    IF merged < merged_at_once THEN
        last_key := job.upto_key; -- the range is through
    END IF;
    UPDATE nurture.backfill b
    SET behind_key = coalesce(last_key, b.behind_key),
        done = b.done + (SELECT count(*) FROM nurture.contact c
                         WHERE c.contact > b.behind_key AND (c.contact <= last_key OR last_key IS NULL)),
        state = CASE WHEN merged = merged_at_once THEN 'merging' WHEN last_key IS NULL THEN 'done' ELSE 'folding' END,
        finished = CASE WHEN merged < merged_at_once AND last_key IS NULL THEN clock_timestamp() END
    WHERE b.from_tick = job.from_tick;
    IF merged = merged_at_once THEN
        UPDATE nurture._past_range r SET behind_key = last_key;
    ELSIF last_key IS NULL THEN
        DELETE FROM nurture._past_done d WHERE d.from_tick = job.from_tick;
        UPDATE nurture.feature f SET state = 'live', complete_from = nurture._log_begins()
        WHERE f.state = 'backfilling' AND f.from_tick = job.from_tick;
        INSERT INTO nurture.pending_change (kind, operation) VALUES ('feature', 'complete');
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._merge_past(nurture.backfill) IS 'brings contacts the past that was folded';
REVOKE ALL ON FUNCTION nurture._merge_past(nurture.backfill) FROM PUBLIC;

-- One step of the oldest backfill: a range is folded, or some contacts get their past. False: there is nothing to do; NULL:
-- another session is at it.
CREATE FUNCTION nurture._backfill_step() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    job nurture.backfill;
BEGIN
    IF NOT EXISTS (SELECT FROM nurture.backfill b WHERE b.state IN ('folding', 'merging')) OR NOT nurture._is_own_database() THEN
        RETURN false;
    ELSIF NOT nurture._try_backfill_lock() THEN
        RETURN NULL;
    END IF;
    SELECT b.* INTO job FROM nurture.backfill b WHERE b.state IN ('folding', 'merging') ORDER BY b.from_tick LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    ELSIF NOT EXISTS (SELECT FROM nurture.feature f WHERE f.state = 'backfilling' AND f.from_tick = job.from_tick) THEN
        UPDATE nurture.backfill b SET state = 'cancelled', finished = clock_timestamp() WHERE b.from_tick = job.from_tick;
    ELSIF job.state = 'folding'
        OR NOT EXISTS (SELECT FROM nurture._past_range r WHERE r.from_tick = job.from_tick AND r.behind_key = job.behind_key) THEN
        PERFORM nurture._fold_next_range(job);
    ELSE
        PERFORM nurture._merge_past(job);
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION nurture._backfill_step() IS
    'one step of the oldest backfill; false: there is none; NULL: another session is at it';
REVOKE ALL ON FUNCTION nurture._backfill_step() FROM PUBLIC;
