-- Retention: how long what the engine keeps is kept. Nothing is dropped unless a row here says so. Maintenance applies it in
-- small steps; nobody waits for it, and it waits for nobody.

CREATE TABLE nurture.retention (
    kind text PRIMARY KEY CHECK (kind IN ('event_log', 'transition', 'action', 'rejected_event', 'model')),
    keep interval NOT NULL CHECK (keep >= interval '1 day'),
    state text,
    look_at timestamptz,
    -- Guards count what was claimed within the last weeks.
    CHECK (kind <> 'action' OR keep >= interval '31 days')
);
COMMENT ON TABLE nurture.retention IS
    'how long is kept what the engine writes; kinds without a row are kept for ever. Applied by the worker, or by nurture.apply_retention()';
COMMENT ON COLUMN nurture.retention.kind IS
    'event_log: whole months, by when events happened. transition: by when. action: final ones, by when they were due first, 31 days at least. '
    'rejected_event: by when it was set aside. model: those that nobody needs any more';
COMMENT ON COLUMN nurture.retention.keep IS 'how long';
COMMENT ON COLUMN nurture.retention.state IS 'what it last did, or what holds it up';
COMMENT ON COLUMN nurture.retention.look_at IS 'when the worker looks next whether anything is to be dropped';
REVOKE ALL ON TABLE nurture.retention FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.retention', '');

CREATE FUNCTION nurture._log_partitions() RETURNS TABLE (name text, lower_bound timestamptz, upper_bound timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
SELECT c.relname::text,
       coalesce((regexp_match(b.bound, 'FROM \(''([^'']+)''\)'))[1]::timestamptz, '-infinity'),
       coalesce((regexp_match(b.bound, 'TO \(''([^'']+)''\)'))[1]::timestamptz, 'infinity')
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS b (bound)
WHERE i.inhparent = 'nurture.event_log'::regclass
ORDER BY 2
$$;
COMMENT ON FUNCTION nurture._log_partitions() IS 'the partitions of the log and the times they hold';

-- How far the partition that is to go next has got: contacts up to behind_key have their base.
CREATE TABLE nurture._retention_job (
    name text PRIMARY KEY,
    behind_key text COLLATE "C" NOT NULL DEFAULT '',
    based boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE nurture._retention_job IS 'the partition of the log that is being given up';
REVOKE ALL ON TABLE nurture._retention_job FROM PUBLIC;

-- The next partition to go: the oldest that holds anything, if all of it is older than is to be kept.
CREATE FUNCTION nurture._next_to_drop(moment timestamptz) RETURNS TABLE (name text, upper_bound timestamptz)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before CONSTANT timestamptz := moment - (SELECT r.keep FROM nurture.retention r WHERE r.kind = 'event_log');
    holds_rows boolean;
BEGIN
    FOR name, upper_bound IN
        SELECT p.name, p.upper_bound FROM nurture._log_partitions() p WHERE p.upper_bound <= before ORDER BY p.upper_bound
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM nurture.%I)', name) INTO holds_rows;
        IF holds_rows THEN
            RETURN NEXT;
            RETURN;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION nurture._next_to_drop(timestamptz) IS 'the partition of the log that retention drops next';

-- Some contacts with events in the partition get their base. Small: a tick waits for it.
CREATE FUNCTION nurture._base_step(job nurture._retention_job, at_once int DEFAULT 2000) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    next_keys text[];
    owners text[];
BEGIN
    EXECUTE format($query$
        WITH RECURSIVE key AS (
            (SELECT l.contact, 1 AS n FROM nurture.%1$I l WHERE l.contact > $1 ORDER BY l.contact LIMIT 1)
            UNION ALL
            SELECT (SELECT l.contact FROM nurture.%1$I l WHERE l.contact > k.contact ORDER BY l.contact LIMIT 1), k.n + 1
            FROM key k WHERE k.contact IS NOT NULL AND k.n < $2
        )
        SELECT array_agg(k.contact ORDER BY k.contact) FROM key k WHERE k.contact IS NOT NULL$query$, job.name)
    INTO next_keys USING job.behind_key, at_once;
    PERFORM nurture._keep_base(next_keys);
    -- Whose events stand there under another name: who was merged with those, or told apart from them.
    PERFORM nurture._keep_base(ARRAY(SELECT i.contact FROM nurture.identity i WHERE i.key = ANY (next_keys) AND i.contact <> ALL (next_keys)));
    IF EXISTS (SELECT FROM nurture.merge_log m WHERE m.undone_tick IS NOT NULL) THEN
        EXECUTE format('SELECT array_agg(DISTINCT coalesce(i.contact, l.key)) FROM nurture.%I l LEFT JOIN nurture.identity i ON i.key = l.key
                        WHERE l.contact = ANY ($1) AND l.key <> l.contact', job.name) INTO owners USING next_keys;
        PERFORM nurture._keep_base(owners);
    END IF;
    UPDATE nurture._retention_job j
    SET behind_key = coalesce(next_keys[cardinality(next_keys)], j.behind_key),
        based = next_keys IS NULL OR cardinality(next_keys) < at_once
    WHERE j.name = job.name;
END
$$;
COMMENT ON FUNCTION nurture._base_step(nurture._retention_job, int) IS 'keeps the states of the next contacts of a partition that is to go';

-- The partition goes, when all its contacts have a base that knows its events (those they belong to today, and those under whose
-- name they were taken): late ones may have come meanwhile. What comes
-- still later for that time has a partition as before. Raises lock_not_available when somebody is in the way.
CREATE FUNCTION nurture._drop_partition(job nurture._retention_job, upper_bound timestamptz) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
#variable_conflict use_variable
DECLARE
    partition record;
    late text[];
    dropped bigint;
BEGIN
    EXECUTE format($query$
        SELECT array_agg(c.contact)
        FROM (SELECT w.contact, max(l.tick) AS tick
              FROM (SELECT l.contact, l.key, max(l.tick) AS tick FROM nurture.%I l GROUP BY l.contact, l.key) l
              LEFT JOIN nurture.identity i ON i.key = l.key
              CROSS JOIN LATERAL (SELECT l.contact UNION SELECT coalesce(i.contact, l.key)) w (contact)
              GROUP BY w.contact) o
        JOIN nurture.contact c ON c.contact = o.contact LEFT JOIN nurture.base b ON b.contact = c.contact
        WHERE o.tick > coalesce(b.until_tick, -1)$query$, job.name) INTO late;
    IF cardinality(late) > 10000 THEN -- the base of many is out of date: another round
        UPDATE nurture._retention_job j SET behind_key = '', based = false WHERE j.name = job.name;
        RETURN NULL;
    END IF;
    PERFORM nurture._keep_base(late);
    LOCK TABLE nurture.event_log IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('SELECT count(*) FROM nurture.%I', job.name) INTO dropped;
    -- It and the empty ones before it become one: everything that happened earlier.
    FOR partition IN SELECT p.* FROM nurture._log_partitions() p WHERE p.upper_bound <= upper_bound LOOP
        PERFORM nurture._keep_consent_proof(partition.name);
        EXECUTE format('DROP TABLE nurture.%I', partition.name);
    END LOOP;
    PERFORM nurture._make_partition('event_log_ancient', '-infinity', upper_bound);
    INSERT INTO nurture.dropped (kind, what, upto, rows) VALUES ('event_log', job.name, upper_bound, dropped);
    DELETE FROM nurture._retention_job j WHERE j.name = job.name;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION nurture._drop_partition(nurture._retention_job, timestamptz) IS 'gives a partition of the log up; returns its rows';

-- One step for the log. NULL: there is nothing to do; else what was done.
CREATE FUNCTION nurture._retain_log(moment timestamptz) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    next record;
    job nurture._retention_job;
    rows bigint;
BEGIN
    SELECT n.* INTO next FROM nurture._next_to_drop(moment) n;
    IF next.name IS NULL THEN
        RETURN NULL;
    ELSIF nurture._is_log_needed() THEN
        RETURN 'waits for definitions that are being taken up and read the log';
    END IF;
    INSERT INTO nurture._retention_job (name) VALUES (next.name) ON CONFLICT DO NOTHING;
    SELECT j.* INTO job FROM nurture._retention_job j WHERE j.name = next.name;
    IF NOT job.based THEN
        PERFORM nurture._base_step(job);
        RETURN format('keeps the states of the contacts of %s', job.name);
    END IF;
    BEGIN
        rows := nurture._drop_partition(job, next.upper_bound);
        RETURN coalesce(format('dropped %s with %s events', job.name, rows), format('keeps the states of the contacts of %s', job.name));
    EXCEPTION WHEN lock_not_available THEN
        RETURN format('cannot drop %s while somebody is using nurture.event_log', job.name);
    END;
END
$$;
COMMENT ON FUNCTION nurture._retain_log(timestamptz) IS 'one step of giving the log up; NULL: nothing to do';

CREATE FUNCTION nurture._retain_transitions(before timestamptz) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone text[];
    rows bigint;
BEGIN
    IF before IS NULL OR nurture._is_log_needed() THEN
        RETURN NULL;
    END IF;
    -- Replaying needs them, or a base after them.
    WITH old AS (
        DELETE FROM nurture.transition t
        WHERE t.ctid = ANY (ARRAY(SELECT o.ctid FROM nurture.transition o WHERE o.at < before LIMIT 10000))
        RETURNING t.contact
    )
    SELECT array_agg(DISTINCT o.contact), count(*) INTO gone, rows FROM old o;
    IF rows = 0 THEN
        RETURN NULL;
    END IF;
    PERFORM nurture._keep_base(gone);
    RETURN format('deleted %s transitions', rows);
END
$$;
COMMENT ON FUNCTION nurture._retain_transitions(timestamptz) IS 'deletes some old transitions; NULL: there were none';

-- The model of contacts, the newest, and those that a replay from the contacts' bases comes through are needed.
CREATE FUNCTION nurture._retain_models(before timestamptz) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    oldest record;
BEGIN
    SELECT m.id, n.from_tick, n.compiled_at INTO oldest
    FROM nurture.model m JOIN LATERAL (SELECT o.* FROM nurture.model o WHERE o.id > m.id ORDER BY o.id LIMIT 1) n ON true
    ORDER BY m.id LIMIT 1;
    IF oldest.id IS NULL OR oldest.compiled_at >= before OR nurture._is_log_needed()
        OR EXISTS (SELECT FROM nurture.contact c WHERE c.model <= oldest.id)
        -- Of whom there is no state there is nothing to be replayed.
        OR EXISTS (SELECT FROM nurture.event_log l JOIN nurture.contact c ON c.contact = l.contact LEFT JOIN nurture.base b ON b.contact = l.contact
                   WHERE l.tick < oldest.from_tick AND coalesce(b.until_tick, -1) < oldest.from_tick - 1)
        OR EXISTS (SELECT FROM nurture.transition t JOIN nurture.contact c ON c.contact = t.contact LEFT JOIN nurture.base b ON b.contact = t.contact
                   WHERE t.tick < oldest.from_tick AND coalesce(b.until_tick, -1) < oldest.from_tick - 1) THEN
        RETURN NULL;
    END IF;
    PERFORM nurture._keep_base(ARRAY(SELECT b.contact FROM nurture.base b WHERE b.model <= oldest.id LIMIT 2000));
    IF EXISTS (SELECT FROM nurture.base b JOIN nurture.contact c USING (contact) WHERE b.model <= oldest.id) THEN
        RETURN format('keeps states that were kept under model %s anew', oldest.id);
    END IF;
    DELETE FROM nurture.model m WHERE m.id = oldest.id;
    RETURN format('deleted model %s', oldest.id);
END
$$;
COMMENT ON FUNCTION nurture._retain_models(timestamptz) IS 'deletes the oldest model if nobody needs it; NULL: it is needed';

-- One small step of each kind. True: there may be more to do.
CREATE FUNCTION nurture._retention_step(moment timestamptz, patient boolean DEFAULT false) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule record;
    did text;
    waits boolean;
    rows bigint;
    again boolean := false;
BEGIN
    FOR rule IN
        SELECT r.* FROM nurture.retention r WHERE patient OR (r.look_at > clock_timestamp()) IS NOT TRUE ORDER BY r.kind
    LOOP
        CASE rule.kind
        WHEN 'event_log' THEN
            did := nurture._retain_log(moment);
        WHEN 'transition' THEN
            did := nurture._retain_transitions(moment - rule.keep);
        WHEN 'model' THEN
            did := nurture._retain_models(moment - rule.keep);
        WHEN 'action' THEN
            DELETE FROM nurture.action a WHERE a.id = ANY (ARRAY(
                SELECT o.id FROM nurture.action o
                WHERE o.status NOT IN ('ready', 'claimed') AND o.created_at < moment - rule.keep
                  AND greatest(o.due, o.expires) < moment - rule.keep LIMIT 10000 FOR UPDATE SKIP LOCKED));
            GET DIAGNOSTICS rows = ROW_COUNT;
            did := CASE WHEN rows > 0 THEN format('deleted %s actions', rows) END;
            DELETE FROM nurture.action_cancel c
            WHERE rows > 0 AND c.at < moment - rule.keep AND NOT EXISTS (SELECT FROM nurture.action a WHERE a.id = c.id);
        WHEN 'rejected_event' THEN
            DELETE FROM nurture.rejected_event e WHERE e.id = ANY (ARRAY(
                SELECT o.id FROM nurture.rejected_event o WHERE o.rejected_at < moment - rule.keep LIMIT 10000 FOR UPDATE SKIP LOCKED));
            GET DIAGNOSTICS rows = ROW_COUNT;
            did := CASE WHEN rows > 0 THEN format('deleted %s rejected events', rows) END;
        END CASE;
        -- Looking costs a scan of some tables: not with every round of maintenance.
        waits := did IS NULL OR did LIKE 'cannot%' OR did LIKE 'waits%';
        IF did IS DISTINCT FROM rule.state OR waits THEN
            UPDATE nurture.retention r SET state = coalesce(did, r.state),
                look_at = CASE WHEN waits THEN clock_timestamp() + CASE WHEN did IS NULL THEN interval '10 minutes'
                                                                   ELSE interval '1 minute' END END
            WHERE r.kind = rule.kind;
        END IF;
        again := again OR NOT waits;
    END LOOP;
    RETURN again;
END
$$;
COMMENT ON FUNCTION nurture._retention_step(timestamptz, boolean) IS 'a small step of retention; true: there may be more to do';

CREATE PROCEDURE nurture.apply_retention()
    LANGUAGE plpgsql AS $$
DECLARE
    again boolean := true;
BEGIN
    IF nurture._in_transaction_block() THEN
        RAISE EXCEPTION 'apply_retention cannot run inside a transaction block' USING ERRCODE = 'active_sql_transaction',
            HINT = 'It commits step by step: ticks go on in between.';
    END IF;
    WHILE again LOOP
        COMMIT;
        PERFORM nurture._lock_engine();
        again := nurture._retention_step(nurture._now(), true);
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE nurture.apply_retention() IS
    'applies nurture.retention now, in steps that are committed one by one; nurture.retention.state says what holds it up';
REVOKE ALL ON PROCEDURE nurture.apply_retention() FROM PUBLIC;
REVOKE ALL ON FUNCTION nurture._log_partitions(), nurture._next_to_drop(timestamptz),
    nurture._base_step(nurture._retention_job, int), nurture._drop_partition(nurture._retention_job, timestamptz),
    nurture._retain_log(timestamptz), nurture._retain_transitions(timestamptz), nurture._retain_models(timestamptz),
    nurture._retention_step(timestamptz, boolean) FROM PUBLIC;
