-- Sequences: results against naive SQL, every way of executing them, errors with their place.
SET timezone = 'UTC';
SET datestyle = 'ISO';

CREATE TABLE sequence_event (contact int, at timestamptz, type text);
SELECT setseed(0.2) IS NULL AS seeded;
INSERT INTO sequence_event
SELECT (random() * 199)::int, timestamptz '2026-01-01' + (random() * 600)::int * interval '1 minute',
       (ARRAY['a', 'b', 'c', 'other'])[1 + (random() * 3.999)::int % 4]
  FROM generate_series(1, 3000);
ANALYZE sequence_event;

CREATE FUNCTION pg_temp.same(a text, b text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE missing bigint; surplus bigint; total bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (%s) x', a) INTO total;
    EXECUTE format('SELECT count(*) FROM ((%s) EXCEPT ALL (%s)) x', a, b) INTO missing;
    EXECUTE format('SELECT count(*) FROM ((%s) EXCEPT ALL (%s)) x', b, a) INTO surplus;
    RETURN format('%s rows, %s missing, %s surplus', total, missing, surplus);
END $$;

-- A time condition, by hand: some (b) within 20 minutes of some (a), some (c) more than 10 minutes after that.
CREATE VIEW sequence_ours AS
SELECT contact, nurture.sequence_match('(?1).*(?t<=1200)(?2)(?t>600)(?3)', at, type = 'a', type = 'b', type = 'c') AS m
  FROM sequence_event GROUP BY contact;
SELECT pg_temp.same(
  $$SELECT contact, EXISTS (SELECT FROM sequence_event a, sequence_event b, sequence_event c
      WHERE a.contact = g.contact AND b.contact = g.contact AND c.contact = g.contact AND a.type = 'a' AND b.type = 'b' AND c.type = 'c'
        AND b.at BETWEEN a.at AND a.at + interval '20 minutes' AND c.at > b.at + interval '10 minutes')
      FROM (SELECT DISTINCT contact FROM sequence_event) g$$,
  'SELECT * FROM sequence_ours');
SELECT m, count(*) > 10 AS some FROM sequence_ours GROUP BY m ORDER BY m;

-- Adjacency, by hand: rows next to each other, where no two of a contact have one time. Rows that satisfy no condition
-- are not part of the sequence.
CREATE VIEW sequence_untied AS SELECT DISTINCT ON (contact, at) * FROM sequence_event ORDER BY contact, at, type;
SELECT pg_temp.same(
  $$SELECT contact, count(*) FILTER (WHERE type = 'a' AND next = 'b')
      FROM (SELECT contact, type, lead(type) OVER (PARTITION BY contact ORDER BY at) AS next FROM sequence_untied WHERE type <> 'other') x GROUP BY contact$$,
  $$SELECT contact, nurture.sequence_count('(?1)(?2)', at, type = 'a', type = 'b', type = 'c') FROM sequence_untied WHERE type <> 'other' GROUP BY contact$$);
SELECT pg_temp.same(
  $$SELECT contact, min(ARRAY[at, after]) FILTER (WHERE type = 'a' AND next = 'b')
      FROM (SELECT contact, at, type, lead(type, 2) OVER w AS next, lead(at, 2) OVER w AS after
              FROM sequence_untied WINDOW w AS (PARTITION BY contact ORDER BY at)) x GROUP BY contact$$,
  $$SELECT contact, nurture.sequence_events('(?1).(?2)', at, type = 'a', type = 'b', true) FROM sequence_untied GROUP BY contact$$);

-- Whichever way it is executed, the result is the same.
CREATE VIEW sequence_all AS
SELECT type, nurture.sequence_count('(?1).*(?2)(?t<=60)(?3)', at, contact % 5 = 0, contact % 5 = 1, contact % 5 = 2) AS n,
       nurture.sequence_events('(?1)(?t>60).(?2)', at, contact % 5 = 0, contact % 5 = 1, contact % 5 = 2) AS e,
       nurture.next_node('backward', 'last_match', at, contact::text, contact % 5 = 0, contact % 2 = 0, contact % 3 = 0) AS node
  FROM sequence_event GROUP BY type;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE sequence_serial AS SELECT * FROM sequence_all;
CREATE TABLE sequence_result AS SELECT * FROM sequence_ours;
SELECT count(e), count(node), min(n) > 5 AS several FROM sequence_serial;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT type, nurture.sequence_match('(?1)(?2)', at, contact = 1, contact = 2), nurture.next_node('forward', 'head', at, 'x', true, true) FROM sequence_event GROUP BY type;
SELECT pg_temp.same('SELECT * FROM sequence_serial', 'SELECT * FROM sequence_all');
SELECT pg_temp.same('SELECT * FROM sequence_result', 'SELECT * FROM sequence_ours');
SET max_parallel_workers_per_gather = 0;
CREATE TABLE sequence_part (contact int, at timestamptz, type text) PARTITION BY HASH (at);
CREATE TABLE sequence_part1 PARTITION OF sequence_part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE sequence_part2 PARTITION OF sequence_part FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO sequence_part SELECT * FROM sequence_event ORDER BY md5(contact::text || at::text || type);
ANALYZE sequence_part;
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.same('SELECT * FROM sequence_serial',
  $$SELECT type, nurture.sequence_count('(?1).*(?2)(?t<=60)(?3)', at, contact % 5 = 0, contact % 5 = 1, contact % 5 = 2) AS n,
       nurture.sequence_events('(?1)(?t>60).(?2)', at, contact % 5 = 0, contact % 5 = 1, contact % 5 = 2) AS e,
       nurture.next_node('backward', 'last_match', at, contact::text, contact % 5 = 0, contact % 2 = 0, contact % 3 = 0) AS node
  FROM sequence_part GROUP BY type$$);
SET work_mem = '64kB';
SET enable_sort = off;
SELECT pg_temp.same('SELECT * FROM sequence_result', 'SELECT * FROM sequence_ours');
RESET ALL;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- What the pattern says, on one history.
CREATE TABLE sequence_one (n int, t text);
INSERT INTO sequence_one VALUES (1, 'a'), (2, 'c'), (5, 'b'), (6, 'a'), (7, 'b'), (20, 'c'), (21, 'b');
SELECT p, nurture.sequence_match(p, n, t = 'a', t = 'b', t = 'c'), nurture.sequence_count(p, n, t = 'a', t = 'b', t = 'c'),
       nurture.sequence_events(p, n, t = 'a', t = 'b', t = 'c')
  FROM sequence_one, unnest(ARRAY['(?1)(?2)', '(?1).*(?2)', '(?1).(?2)', '(?1)(?t<=4)(?2)', '(?1)(?t==4)(?2)', '(?1)(?t!=1)(?2)',
       '(?1)(?t>=14)(?3)', '(?2).*(?1).*(?2)', '.', '(?3)', ' (?1) .* (?3) ', '(?1)(?t>100)(?2)']) AS p GROUP BY p ORDER BY p COLLATE "C";
-- Units: seconds, or as said.
SELECT p, nurture.sequence_match(p, timestamp '2026-01-01' + n * interval '1 second', t = 'a', t = 'c')
  FROM sequence_one, unnest(ARRAY['(?1)(?t<=1)(?2)', '(?1)(?t<1)(?2)', '(?1)(?t>=19)(?2)', '(?1)(?t>19s)(?2)', '(?1)(?t<=1000ms)(?2)', '(?1)(?t<999.999ms)(?2)', '(?1)(?t>0.25min)(?2)']) AS p
 GROUP BY p ORDER BY p COLLATE "C";
SELECT nurture.sequence_events('(?1)(?t==1d)(?2)', at, t = 'a', t = 'b') FROM (VALUES (date '2026-03-28', 'a'), ('2026-03-29', 'b'), ('2026-03-28', 'b')) v(at, t);

-- What came next, and before.
SELECT direction, base, nurture.next_node(direction, base, n, t || n, true, t = 'a') AS beside_a,
       nurture.next_node(direction, base, n, t || n, true, t = 'b', t = 'a') AS beside_ba,
       nurture.next_node(direction, base, n, t || n, n > 1, t = 'a') AS not_the_first
  FROM sequence_one, unnest(ARRAY['forward', 'backward']) AS direction, unnest(ARRAY['head', 'tail', 'first_match', 'last_match']) AS base
 GROUP BY direction, base ORDER BY direction DESC, base;
SELECT nurture.next_node('forward', 'head', n, v, true, n = 1) IS NULL AS null_value FROM (VALUES (1, 'x'), (2, NULL), (3, 'y')) v(n, v);
SELECT nurture.next_node('forward', 'head', n, v, true, v = 'b') AS tied FROM (VALUES (1, 'c'), (1, 'b')) v(n, v);

-- Nothing, NULLs, FILTER, DISTINCT, grouping sets, windows.
SELECT nurture.sequence_match('(?1)', n, true), nurture.sequence_count('(?1)', n, true), nurture.sequence_events('(?1)', n, true), nurture.next_node('forward', 'head', n, t, true, true) FROM sequence_one WHERE false;
SELECT nurture.sequence_count('(?1)', n, c) FROM (VALUES (NULL, true), (1, NULL), (2, true)) v(n, c);
SELECT nurture.sequence_count('(?1).*(?2)', n, t = 'a', t = 'b') FILTER (WHERE n > 1) AS filtered, nurture.sequence_count(DISTINCT '(?1)', 7, t = 'a') AS distinct_rows FROM sequence_one;
SELECT t, nurture.sequence_count('(?1)', n, t = 'a') FROM sequence_one GROUP BY ROLLUP (t) ORDER BY t;
SELECT n, nurture.sequence_count('(?1).*(?2)', n, t = 'a', t = 'b') OVER (ORDER BY n) AS so_far, nurture.next_node('forward', 'first_match', n, t, true, t = 'a') OVER (ORDER BY n) AS next FROM sequence_one ORDER BY n;

-- A million events in one group, no backtracking: a pattern that is exponential when it is searched.
SELECT nurture.sequence_match('(?1).*(?1).*(?1).*(?1).*(?1).*(?2)', g, true, false) FROM generate_series(1, 1000000) g;

-- Errors say where and what.
\set VERBOSITY sqlstate
SELECT nurture.sequence_match('(?1)(?t<=)(?2)', n, true) FROM sequence_one;
\set VERBOSITY default
SELECT nurture.sequence_match('(?1)x', n, true) FROM sequence_one;
SELECT nurture.sequence_match('ö(?1', n, true) FROM sequence_one;
SELECT nurture.sequence_match('(?1) ö', n, true) FROM sequence_one;
SELECT nurture.sequence_match('(?2)', n, true) FROM sequence_one;
SELECT nurture.sequence_match('(?t<1)(?1)', n, true) FROM sequence_one;
SELECT nurture.sequence_match('(?1)(?t<1)', n, true) FROM sequence_one;
SELECT nurture.sequence_match('(?1)(?t<0.5)(?1)', n, true) FROM sequence_one;
SELECT nurture.sequence_match('', n, true) FROM sequence_one;
SELECT nurture.sequence_match(NULL, n, true) FROM sequence_one;
SELECT nurture.sequence_match('(?1)' || CASE WHEN n > 3 THEN '.' ELSE '' END, n, true) FROM sequence_one;
SELECT nurture.sequence_match(repeat('(?1)', 64), n, true) FROM sequence_one;
SELECT nurture.next_node('sideways', 'head', n, t, true, true) FROM sequence_one;
SELECT nurture.next_node('forward', 'middle', n, t, true, true) FROM sequence_one;
SET nurture.aggregate_memory = '64kB';
SELECT nurture.next_node('forward', 'head', g, repeat('x', 100), true, true) FROM generate_series(1, 1000) g;
RESET nurture.aggregate_memory;

DROP TABLE sequence_event, sequence_part, sequence_serial, sequence_result, sequence_one CASCADE;
