-- How large everything is, and what retention does about it.

CREATE FUNCTION nurture._oldest(name text, kind text) RETURNS timestamptz
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    time_column CONSTANT text := CASE kind WHEN 'inbox' THEN 'received_at' WHEN 'history' THEN 'received_at' WHEN 'event_log' THEN 'at'
        WHEN 'transition' THEN 'at' WHEN 'action' THEN 'created_at' WHEN 'rejected_event' THEN 'rejected_at'
        WHEN 'model' THEN 'compiled_at' END;
    oldest timestamptz;
BEGIN
    IF time_column IS NOT NULL THEN
        -- The oldest rows lie first: all of a large table are not read for this.
        EXECUTE format('SELECT min(f.at) FROM (SELECT %1$I AS at FROM nurture.%2$I WHERE isfinite(%1$I) LIMIT 10000) f', time_column, name)
        INTO oldest;
    END IF;
    RETURN oldest;
END
$$;
COMMENT ON FUNCTION nurture._oldest(text, text) IS 'the earliest time in a table, about';
REVOKE ALL ON FUNCTION nurture._oldest(text, text) FROM PUBLIC;

CREATE FUNCTION nurture._sizes() RETURNS TABLE (kind text, name text, rows bigint, heap text, indexes text, toast text,
        dead_rows bigint, bytes bigint, oldest timestamptz, goes text, retention text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce(p.relname, c.relname)::text AS kind, c.relname::text AS name,
       greatest(c.reltuples, s.n_live_tup, 0)::bigint AS rows,
       pg_size_pretty(pg_relation_size(c.oid)) AS heap,
       pg_size_pretty(pg_indexes_size(c.oid)) AS indexes,
       pg_size_pretty(pg_table_size(c.oid) - pg_relation_size(c.oid)) AS toast,
       coalesce(s.n_dead_tup, 0) AS dead_rows,
       pg_total_relation_size(c.oid) AS bytes,
       o.at AS oldest,
       CASE WHEN r.kind IS NULL THEN NULL
            WHEN r.kind = 'event_log' THEN
                CASE WHEN l.name = (SELECT n.name FROM nurture._next_to_drop(nurture._now()) n) THEN 'to be dropped'
                     WHEN l.upper_bound = 'infinity' THEN NULL
                     ELSE 'from ' || to_char(l.upper_bound + r.keep, 'YYYY-MM-DD') END
            WHEN o.at < nurture._now() - r.keep THEN 'some of it'
            ELSE 'from ' || to_char(o.at + r.keep, 'YYYY-MM-DD') END AS goes,
       CASE WHEN l.name IS NOT NULL AND l.name IS DISTINCT FROM (SELECT n.name FROM nurture._next_to_drop(nurture._now()) n) THEN NULL
            ELSE r.state END AS retention
FROM pg_class c
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
LEFT JOIN pg_class p ON p.oid = i.inhparent
LEFT JOIN nurture._log_partitions() l ON l.name = c.relname AND p.relname = 'event_log'
LEFT JOIN nurture.retention r ON r.kind = coalesce(p.relname, c.relname)
CROSS JOIN LATERAL nurture._oldest(c.relname::text, coalesce(p.relname, c.relname)::text) o (at)
WHERE c.relnamespace = 'nurture'::regnamespace AND c.relkind = 'r'
$$;
COMMENT ON FUNCTION nurture._sizes() IS 'what nurture.sizes shows';

CREATE VIEW nurture.sizes AS
SELECT s.kind, s.name, s.rows, s.heap, s.indexes, s.toast, s.dead_rows, s.bytes, s.oldest, s.goes, s.retention
FROM nurture._sizes() s;
COMMENT ON VIEW nurture.sizes IS 'tables and partitions: rows (estimated), bytes, dead rows, the oldest row where time orders them (about), and when retention takes it';
COMMENT ON COLUMN nurture.sizes.kind IS 'the table as it is known: of a partition, its parent';
COMMENT ON COLUMN nurture.sizes.oldest IS 'the earliest time in its first rows; NULL: empty, or not ordered by time';
COMMENT ON COLUMN nurture.sizes.goes IS 'when retention takes it; NULL: it is kept for ever';
COMMENT ON COLUMN nurture.sizes.retention IS 'what retention last did there, or what holds it up';
REVOKE ALL ON TABLE nurture.sizes FROM PUBLIC;
