-- Plans are made for tables as they are: what was empty once must not be read as if it still were.
SET client_min_messages = warning;
SET nurture.enabled = off;
SET timezone = 'UTC';
CREATE TABLE grows (id int PRIMARY KEY) WITH (autovacuum_enabled = off);
VACUUM ANALYZE grows;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_seqscan = off;
PREPARE joined AS SELECT count(g.id) FROM generate_series(1, 1000) n LEFT JOIN grows g ON g.id = n;
SELECT nurture._replan_grown('{grows}');
EXPLAIN (COSTS OFF) EXECUTE joined;
INSERT INTO grows SELECT generate_series(1, 20000);
EXPLAIN (COSTS OFF) EXECUTE joined; -- the server does not notice
SELECT nurture._replan_grown('{grows}');
EXPLAIN (COSTS OFF) EXECUTE joined;
SELECT nurture._replan_grown('{grows}');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_seqscan;

-- The tick notices by itself, batch by batch: afterwards there is nothing left to notice.
INSERT INTO nurture.segment (name, condition) VALUES ('viewers', 'did view');
CALL nurture.tick('2026-01-01');
VACUUM ANALYZE nurture.contact;
SELECT nurture._replan_grown('{nurture.contact}');
SET nurture.batch_rows = 1000;
INSERT INTO nurture.inbox (contact, type, at, received_at)
SELECT 'c' || g, 'view', t, t FROM (SELECT g, timestamptz '2026-01-02' + g * interval '1 second' AS t FROM generate_series(1, 5000) g) m;
CALL nurture.tick('2026-01-03');
SELECT count(*) AS contacts, (SELECT count(*) FROM nurture.membership) AS members FROM nurture.contact;
SELECT nurture._replan_grown('{nurture.contact}');
SELECT nurture._replan_grown('{nurture.no_such}'); -- error
