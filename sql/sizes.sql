-- nurture.sizes: every table and partition is in it, its figures are the catalogue's, and it says what retention takes when.
SET timezone = 'UTC';
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
SET nurture.history_from = '2021-01-01';
CALL nurture.tick('2021-01-01');
INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT 'c' || g, 'v', t, t
FROM generate_series(1, 300) g, LATERAL (SELECT timestamptz '2021-01-15' + interval '6 hours' * g) w (t);
CALL nurture.tick('2021-04-01');
SELECT pg_stat_force_next_flush();
ANALYZE nurture.event_log;
INSERT INTO nurture.inbox (contact, type, received_at) SELECT 'c' || g, 'v', '2021-05-01' FROM generate_series(1, 300) g;
SELECT count(*) AS missing FROM pg_class c WHERE c.relnamespace = 'nurture'::regnamespace AND c.relkind = 'r'
    AND NOT EXISTS (SELECT FROM nurture.sizes s WHERE s.name = c.relname);
SELECT count(*) AS wrong FROM nurture.sizes s WHERE s.bytes <> pg_total_relation_size(format('nurture.%I', s.name)::regclass)
    OR s.heap <> pg_size_pretty(pg_relation_size(format('nurture.%I', s.name)::regclass));
SELECT kind, name, rows, oldest FROM nurture.sizes WHERE kind = 'event_log' AND rows > 0 ORDER BY oldest;
SELECT kind, bool_or(bytes > 0) AS holds_something, min(oldest) AS oldest, max(goes) AS goes FROM nurture.sizes WHERE kind = 'inbox' GROUP BY 1;
SELECT count(*) AS taken_by_retention FROM nurture.sizes WHERE goes IS NOT NULL;
INSERT INTO nurture.retention (kind, keep) VALUES ('event_log', '40 days'), ('transition', '1 year');
SELECT name, goes FROM nurture.sizes WHERE kind = 'event_log' AND rows > 0 ORDER BY oldest;
-- An analyst may be given the view alone.
CREATE ROLE regress_sizes;
GRANT SELECT ON nurture.sizes TO regress_sizes;
SET ROLE regress_sizes;
SELECT count(*) > 20 AS readable FROM nurture.sizes;
RESET ROLE;
REVOKE ALL ON nurture.sizes FROM regress_sizes;
DROP ROLE regress_sizes;

DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
