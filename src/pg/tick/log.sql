-- The log: every event as it was taken, in the order (tick, contact, n). Partitioned by the time the event happened.

CREATE TABLE nurture.event_log (
    contact text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    kind text COLLATE "C",
    type text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    clock timestamptz NOT NULL,
    props jsonb NOT NULL,
    message_id text,
    tick bigint NOT NULL,
    n int NOT NULL,
    history boolean NOT NULL DEFAULT false
) PARTITION BY RANGE (at);
COMMENT ON TABLE nurture.event_log IS 'every event the engine took; ordered by (tick, contact, n); partitioned by at';
COMMENT ON COLUMN nurture.event_log.contact IS 'the contact that the key belonged to when the event was taken';
COMMENT ON COLUMN nurture.event_log.key IS 'the key as it was sent';
COMMENT ON COLUMN nurture.event_log.kind IS 'kind of the key; $engine: written by a workflow';
COMMENT ON COLUMN nurture.event_log.at IS 'when it happened; never later than received_at';
COMMENT ON COLUMN nurture.event_log.clock IS 'the logical time at which the contact took it';
COMMENT ON COLUMN nurture.event_log.n IS 'order within the contact in the tick';
COMMENT ON COLUMN nurture.event_log.history IS 'came through nurture.history: it started nothing';
REVOKE ALL ON TABLE nurture.event_log FROM PUBLIC;

CREATE VIEW nurture.event AS
SELECT coalesce(i.contact, l.contact) AS contact, l.key, l.kind, l.type, l.at, l.received_at, l.clock, l.props, l.message_id,
       l.tick, l.n
FROM nurture.event_log l LEFT JOIN nurture.identity i ON i.key = l.key;
COMMENT ON VIEW nurture.event IS 'the log under today''s contacts';
REVOKE ALL ON TABLE nurture.event FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('nurture.event_log', '');

-- Partitions: one for everything older than the month in which the engine began, then one a month. They are made by the
-- engine, not by the install script, so that a dump brings those it has filled. Made as tables and attached: that does not
-- wait for readers of the others.
CREATE FUNCTION nurture._make_partition(name text, lower_bound timestamptz, upper_bound timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    EXECUTE format('CREATE TABLE nurture.%I (LIKE nurture.event_log INCLUDING ALL)', name);
    -- Each partition has its index for itself: were it the parent's, restoring a dump would make it twice.
    EXECUTE format('CREATE INDEX %I ON nurture.%I (contact, at)', name || '_contact', name);
    EXECUTE format('REVOKE ALL ON TABLE nurture.%I FROM PUBLIC', name);
    EXECUTE format('ALTER TABLE nurture.event_log ATTACH PARTITION nurture.%I FOR VALUES FROM (%s) TO (%L)', name,
                   CASE WHEN lower_bound = '-infinity' THEN 'MINVALUE' ELSE quote_literal(lower_bound) END, upper_bound);
END
$$;
COMMENT ON FUNCTION nurture._make_partition(text, timestamptz, timestamptz) IS 'makes one partition of the log';
REVOKE ALL ON FUNCTION nurture._make_partition(text, timestamptz, timestamptz) FROM PUBLIC;

CREATE FUNCTION nurture._make_partitions(until timestamptz, needed timestamptz DEFAULT 'infinity') RETURNS int
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '200ms' AS $$
DECLARE
    gap record;
    begins timestamptz;
    made int := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'nurture.event_log'::regclass) THEN
        begins := coalesce(nullif(current_setting('nurture.history_from', true), '')::timestamptz, date_trunc('month', now()));
        PERFORM nurture._make_partition('event_log_ancient', '-infinity', begins);
        made := 1;
    END IF;
    -- Somebody may have taken partitions away; what happened then must have its place all the same.
    FOR gap IN
        SELECT * FROM (SELECT lag(p.upper_bound, 1, '-infinity') OVER (ORDER BY p.lower_bound) AS begins, p.lower_bound AS ends
                       FROM nurture._log_partitions() p) g
        WHERE g.begins < g.ends
    LOOP
        PERFORM nurture._make_partition(CASE WHEN gap.begins = '-infinity' THEN 'event_log_before_' || to_char(gap.ends, 'YYYY_MM_DD')
                                             ELSE 'event_log_from_' || to_char(gap.begins, 'YYYY_MM_DD') END, gap.begins, gap.ends);
        made := made + 1;
    END LOOP;
    -- The bound of the newest partition is where the next begins.
    SELECT max(p.upper_bound) INTO begins FROM nurture._log_partitions() p;
    WHILE begins <= until LOOP
        PERFORM nurture._make_partition('event_log_' || to_char(begins, 'YYYY_MM'), begins,
                                        date_trunc('month', begins) + interval '1 month');
        begins := date_trunc('month', begins) + interval '1 month';
        made := made + 1;
    END LOOP;
    RETURN made;
EXCEPTION WHEN duplicate_table THEN
    RAISE EXCEPTION 'another session is making the same partitions' USING ERRCODE = 'serialization_failure';
WHEN lock_not_available THEN
    -- Whatever has been made is undone. That matters only when the time has come.
    IF coalesce((SELECT max(p.upper_bound) FROM nurture._log_partitions() p), '-infinity') > needed THEN
        RETURN 0;
    END IF;
    RAISE EXCEPTION 'the log has no partition for %, and somebody holds a lock on nurture.event_log that prevents making it', needed
        USING ERRCODE = 'lock_not_available', HINT = 'pg_locks shows who; the next tick tries again.';
END
$$;
COMMENT ON FUNCTION nurture._make_partitions(timestamptz, timestamptz) IS
    'makes the partitions of the log that will be needed until then; when locked out it raises only if there is none for `needed`';
REVOKE ALL ON FUNCTION nurture._make_partitions(timestamptz, timestamptz) FROM PUBLIC;
