-- Funnels: results against naive SQL, every way of executing them, stored summaries, hostile input.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET search_path = public;

-- Random events with many ties: 5 types, 200 contacts, whole minutes.
CREATE TABLE funnel_event (contact int, at timestamptz, type text);
SELECT setseed(0.1) IS NULL AS seeded;
INSERT INTO funnel_event
SELECT (random() * 199)::int, timestamptz '2026-01-01' + (random() * 600)::int * interval '1 minute',
       (ARRAY['view', 'cart', 'pay', 'ship', 'other'])[1 + (random() * 4.999)::int % 5]
  FROM generate_series(1, 4000);
ANALYZE funnel_event;

CREATE FUNCTION pg_temp.same(a text, b text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE missing bigint; surplus bigint; total bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (%s) x', a) INTO total;
    EXECUTE format('SELECT count(*) FROM ((%s) EXCEPT ALL (%s)) x', a, b) INTO missing;
    EXECUTE format('SELECT count(*) FROM ((%s) EXCEPT ALL (%s)) x', b, a) INTO surplus;
    RETURN format('%s rows, %s missing, %s surplus', total, missing, surplus);
END $$;

-- The oracle: nested existence of a chain, written by hand.
CREATE VIEW funnel_naive AS
SELECT c.contact,
       coalesce((SELECT max(CASE WHEN d.at IS NOT NULL THEN 4 WHEN p.at IS NOT NULL THEN 3 WHEN k.at IS NOT NULL THEN 2 ELSE 1 END)
          FROM funnel_event v
          LEFT JOIN funnel_event k ON k.contact = v.contact AND k.type = 'cart' AND k.at BETWEEN v.at AND v.at + interval '1 hour'
          LEFT JOIN funnel_event p ON p.contact = v.contact AND p.type = 'pay' AND p.at BETWEEN k.at AND v.at + interval '1 hour'
          LEFT JOIN funnel_event d ON d.contact = v.contact AND d.type = 'ship' AND d.at BETWEEN p.at AND v.at + interval '1 hour'
         WHERE v.contact = c.contact AND v.type = 'view'), 0) AS depth
  FROM (SELECT DISTINCT contact FROM funnel_event) c;
CREATE VIEW funnel_ours AS
SELECT contact, nurture.funnel(at, interval '1 hour', type = 'view', type = 'cart', type = 'pay', type = 'ship') AS depth
  FROM funnel_event GROUP BY contact;

SELECT pg_temp.same('SELECT * FROM funnel_naive', 'SELECT * FROM funnel_ours');
SELECT depth, count(*) > 0 AS some FROM funnel_ours GROUP BY depth ORDER BY depth;

-- Strictly increasing, by hand; and strict order by window functions, where no two rows of a contact have one time.
SELECT pg_temp.same(
  $$SELECT c.contact, coalesce((SELECT max(CASE WHEN p.at IS NOT NULL THEN 3 WHEN k.at IS NOT NULL THEN 2 ELSE 1 END)
      FROM funnel_event v
      LEFT JOIN funnel_event k ON k.contact = v.contact AND k.type = 'cart' AND k.at > v.at AND k.at <= v.at + interval '1 hour'
      LEFT JOIN funnel_event p ON p.contact = v.contact AND p.type = 'pay' AND p.at > k.at AND p.at <= v.at + interval '1 hour'
     WHERE v.contact = c.contact AND v.type = 'view'), 0) FROM (SELECT DISTINCT contact FROM funnel_event) c$$,
  $$SELECT contact, nurture.depth(nurture.funnel_agg(at, interval '1 hour', type = 'view', type = 'cart', type = 'pay'), 'strict_increase')
      FROM funnel_event GROUP BY contact$$);
SELECT pg_temp.same(
  $$SELECT contact, max(CASE WHEN type <> 'view' THEN 0
                             WHEN t2 IS DISTINCT FROM 'cart' OR a2 > at + interval '3 hours' THEN 1
                             WHEN t3 IS DISTINCT FROM 'pay' OR a3 > at + interval '3 hours' THEN 2 ELSE 3 END)
      FROM (SELECT contact, at, type, lead(type) OVER w AS t2, lead(at) OVER w AS a2, lead(type, 2) OVER w AS t3, lead(at, 2) OVER w AS a3
              FROM (SELECT DISTINCT ON (contact, at) * FROM funnel_event WHERE type <> 'other' AND type <> 'ship' ORDER BY contact, at, type) u
            WINDOW w AS (PARTITION BY contact ORDER BY at)) x
     GROUP BY contact$$,
  $$SELECT contact, nurture.depth(nurture.funnel_agg(at, interval '3 hours', type = 'view', type = 'cart', type = 'pay'), mode => 'strict_order, deduplicated')
      FROM (SELECT DISTINCT ON (contact, at) * FROM funnel_event WHERE type <> 'other' AND type <> 'ship' ORDER BY contact, at, type) u
     GROUP BY contact$$);

-- Times of the best chain: as many as the depth, in order, within the span.
SELECT count(*) FILTER (WHERE cardinality(t) <> depth) AS wrong_length,
       count(*) FILTER (WHERE t[depth] > t[1] + interval '1 hour' OR t[2] < t[1] OR t[3] < t[2]) AS wrong_times
  FROM (SELECT nurture.times(s) AS t, nurture.depth(s) AS depth
          FROM (SELECT nurture.funnel_agg(at, interval '1 hour', type = 'view', type = 'cart', type = 'pay') AS s
                  FROM funnel_event GROUP BY contact) x) y;

-- Whichever way it is executed, the result is the same.
CREATE TABLE funnel_result AS SELECT * FROM funnel_ours;
CREATE VIEW funnel_all AS
SELECT type = 'other' AS g, nurture.funnel(at, interval '5 minutes', contact % 4 = 0, contact % 4 = 1, contact % 4 = 2, contact % 4 = 3) AS d,
       nurture.times(nurture.funnel_agg(at, interval '5 minutes', contact % 4 = 0, contact % 4 = 1, contact % 4 = 2, contact % 4 = 3), 'strict_once') AS t,
       nurture.funnel_agg(at, interval '5 minutes', contact % 4 = 0, contact % 4 = 1)::text AS s
  FROM funnel_event GROUP BY 1;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE funnel_serial AS SELECT * FROM funnel_all;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT type, nurture.funnel(at, interval '1 hour', contact = 1, contact = 2) FROM funnel_event GROUP BY type;
SELECT pg_temp.same('SELECT * FROM funnel_serial', 'SELECT * FROM funnel_all');
SELECT pg_temp.same('SELECT * FROM funnel_result', 'SELECT * FROM funnel_ours');

CREATE TABLE funnel_part (contact int, at timestamptz, type text) PARTITION BY RANGE (at);
CREATE TABLE funnel_part1 PARTITION OF funnel_part FOR VALUES FROM (MINVALUE) TO ('2026-01-01 03:00');
CREATE TABLE funnel_part2 PARTITION OF funnel_part FOR VALUES FROM ('2026-01-01 03:00') TO ('2026-01-01 06:00');
CREATE TABLE funnel_part3 PARTITION OF funnel_part FOR VALUES FROM ('2026-01-01 06:00') TO (MAXVALUE);
INSERT INTO funnel_part SELECT * FROM funnel_event ORDER BY md5(contact::text || at::text || type);
ANALYZE funnel_part;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT type, nurture.funnel(at, interval '1 hour', contact = 1, contact = 2) FROM funnel_part GROUP BY type;
SELECT pg_temp.same('SELECT * FROM funnel_result',
  $$SELECT contact, nurture.funnel(at, interval '1 hour', type = 'view', type = 'cart', type = 'pay', type = 'ship') FROM funnel_part GROUP BY contact$$);
SELECT pg_temp.same('SELECT type, nurture.funnel(at, interval ''1 hour'', contact % 9 = 1, contact % 9 = 2, contact % 9 = 3) FROM funnel_event GROUP BY type',
  $$SELECT type, nurture.funnel(at, interval '1 hour', contact % 9 = 1, contact % 9 = 2, contact % 9 = 3) FROM funnel_part GROUP BY type$$);
RESET enable_partitionwise_aggregate;

-- A hash table far beyond work_mem.
SET work_mem = '64kB';
SET enable_sort = off;
CREATE FUNCTION pg_temp.spills(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || query INTO plan;
    RETURN (plan -> 0 -> 'Plan' ->> 'HashAgg Batches')::int > 1;
END $$;
CREATE VIEW funnel_instant AS
SELECT contact, at, nurture.funnel(at, interval '1 hour', type = 'view', type = 'cart') AS d,
       nurture.funnel_agg(at, interval '1 hour', type = 'view', type = 'cart')::text AS s FROM funnel_event GROUP BY contact, at;
SELECT pg_temp.spills('SELECT * FROM funnel_instant');
SELECT pg_temp.same($$SELECT contact, at, CASE WHEN bool_or(type = 'view') THEN 1 + bool_or(type = 'cart')::int ELSE 0 END FROM funnel_event GROUP BY 1, 2$$,
                    'SELECT contact, at, d FROM funnel_instant');
SELECT pg_temp.same('SELECT * FROM funnel_result', 'SELECT * FROM funnel_ours');
RESET work_mem;
RESET enable_sort;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- Summaries: stored per hour and type of access, rolled up, through text and through binary.
CREATE TABLE funnel_stored AS
SELECT contact, date_trunc('hour', at) AS hour,
       nurture.funnel_agg(at, interval '1 hour', type = 'view', type = 'cart', type = 'pay', type = 'ship') AS s
  FROM funnel_event GROUP BY 1, 2;
SELECT pg_temp.same('SELECT * FROM funnel_result', 'SELECT contact, nurture.depth(nurture.rollup(s)) FROM funnel_stored GROUP BY contact');
SELECT pg_temp.same(
  $$SELECT contact, nurture.funnel_agg(at, interval '1 hour', type = 'view', type = 'cart', type = 'pay', type = 'ship')::text FROM funnel_event GROUP BY contact$$,
  $$SELECT contact, nurture.rollup(s)::text FROM funnel_stored GROUP BY contact$$);
SELECT count(*) FILTER (WHERE s::text::nurture.funnel_summary::text <> s::text) AS changed_by_text FROM funnel_stored;
\copy funnel_stored TO 'results/funnel_stored.bin' (FORMAT binary)
CREATE TABLE funnel_loaded (LIKE funnel_stored);
\copy funnel_loaded FROM 'results/funnel_stored.bin' (FORMAT binary)
SELECT pg_temp.same('SELECT contact, hour, s::text FROM funnel_stored', 'SELECT contact, hour, s::text FROM funnel_loaded');
-- One large enough to be compressed and moved out of line.
SELECT nurture.depth(s), length(s::text) > 20000 AS large
  FROM (SELECT nurture.rollup(s) AS s FROM funnel_stored) x;

-- Modes and exclusions on one history.
CREATE TABLE funnel_one (n int, t text);
INSERT INTO funnel_one VALUES (1, 'a'), (2, 'c'), (3, 'a'), (4, 'b'), (5, 'a'), (6, 'x'), (7, 'c');
SELECT mode, nurture.depth(s, mode) AS depth, nurture.positions(s, mode) AS positions,
       nurture.depth(s, mode, exclude => '{4}') AS without_x, nurture.positions(s, mode, '{4}') AS positions_without_x
  FROM (SELECT nurture.funnel_agg(n, 100, t = 'a', t = 'b', t = 'c', t = 'x') AS s FROM funnel_one) f,
       unnest(ARRAY['ordered', 'strict_order', 'strict_order, reentry', 'strict_once', 'strict_increase', 'deduplicated', 'unordered']) AS mode;
SELECT nurture.steps(s), nurture.converted_within(s, '2 days') AS two, nurture.converted_within(s, '1 day') AS one,
       nurture.converted_within(s, '9 days') AS nine, nurture.local_times(s)
  FROM (SELECT nurture.funnel_agg(at, '7 days', t = 'a', t = 'b') AS s FROM (VALUES (date '2026-03-28', 'a'), ('2026-03-30', 'b')) v(at, t)) x;

-- Ties are resolved in favour of the funnel, however the rows arrive.
SELECT nurture.funnel(at, 10, t = 'a', t = 'b', t = 'c') AS forwards FROM (VALUES (1, 'a'), (1, 'b'), (1, 'c')) v(at, t);
SELECT nurture.funnel(at, 10, t = 'a', t = 'b', t = 'c') AS backwards FROM (VALUES (1, 'c'), (1, 'b'), (1, 'a')) v(at, t);

-- All types of time; the span is inclusive and exact over a change of clocks.
SET timezone = 'Europe/Vienna';
SELECT nurture.funnel(at, interval '1 day', t = 'a', t = 'b') AS timestamptz FROM (VALUES (timestamptz '2026-03-28 12:00', 'a'), (timestamptz '2026-03-29 13:00', 'b')) v(at, t);
SELECT nurture.funnel(at, interval '1 day', t = 'a', t = 'b') AS too_late FROM (VALUES (timestamptz '2026-03-28 12:00', 'a'), (timestamptz '2026-03-29 13:00:00.000001', 'b')) v(at, t);
SET timezone = 'UTC';
SELECT nurture.funnel(at, '1 day', t = 'a', t = 'b') AS timestamp FROM (VALUES (timestamp '2026-03-28 12:00', 'a'), ('2026-03-29 12:00', 'b')) v(at, t);
SELECT nurture.funnel(at, '1 day', t = 'a', t = 'b') AS date FROM (VALUES (date '2026-03-28', 'a'), ('2026-03-29', 'b')) v(at, t);
SELECT nurture.funnel(at, '1 day', t = 'a', t = 'b', t = 'c') AS infinite FROM (VALUES (date '-infinity', 'a'), ('infinity', 'b'), ('infinity', 'c'), ('-infinity', 'b')) v(at, t);

-- Nothing, NULLs, one row.
SELECT nurture.funnel(at, '1 day', type = 'view') AS none, nurture.funnel_agg(at, '1 day', type = 'view') AS summary FROM funnel_event WHERE false;
SELECT nurture.funnel(at, 1, t) AS null_time, nurture.funnel_agg(at, 1, t) AS summary FROM (VALUES (NULL::bigint, true)) v(at, t);
SELECT nurture.funnel(at, 1, t, NULL) AS null_condition FROM (VALUES (1, true)) v(at, t);
SELECT nurture.funnel(at, 1, VARIADIC ARRAY[t, NULL, t]) AS one_row FROM (VALUES (1, true)) v(at, t);
SELECT nurture.depth(NULL), nurture.rollup(s) FROM (VALUES (NULL::nurture.funnel_summary)) v(s) GROUP BY 1;

-- FILTER, DISTINCT, grouping sets, windows.
SELECT nurture.funnel(n, 100, t = 'a', t = 'b', t = 'c') FILTER (WHERE n <> 7 AND n <> 2) AS filtered,
       nurture.funnel(DISTINCT n, 100, t = 'a', t = 'b', t = 'c') AS distinct_rows FROM funnel_one;
SELECT t, nurture.funnel(n, 100, t = 'a', t = 'b', t = 'c') FROM funnel_one GROUP BY GROUPING SETS ((t), ()) ORDER BY t;
SELECT n, t, nurture.funnel(n, 100, t = 'a', t = 'b', t = 'c') OVER (ORDER BY n) AS so_far,
       nurture.depth(nurture.funnel_agg(n, 100, t = 'a', t = 'b', t = 'c') OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)) AS two_rows
  FROM funnel_one ORDER BY n;

-- Mistakes are errors that say what to do.
SELECT nurture.funnel(at, interval '1 month', type = 'view') FROM funnel_event;
SELECT nurture.funnel(at, interval '-1 day', type = 'view') FROM funnel_event;
SELECT nurture.funnel(at, NULL, type = 'view') FROM funnel_event;
SELECT nurture.funnel(n, n, t = 'a') FROM funnel_one;
SELECT nurture.funnel(n, 1, VARIADIC CASE WHEN n < 3 THEN ARRAY[true] ELSE ARRAY[true, true] END) FROM funnel_one;
SELECT nurture.funnel(n, 1, VARIADIC '{}'::boolean[]) FROM funnel_one;
SELECT nurture.funnel(n, 1, VARIADIC NULL::boolean[]) FROM funnel_one;
SELECT nurture.funnel(n, 1, VARIADIC array_fill(true, ARRAY[33])) FROM funnel_one;
SELECT nurture.depth('1 bigint 1 5 []', 'strict');
SELECT nurture.depth('1 bigint 1 5 []', 'unordered, strict_once');
SELECT nurture.depth('1 bigint 1 5 []', exclude => '{2}');
SELECT nurture.times('1 bigint 1 5 []');
SELECT nurture.rollup(s) FROM (VALUES ('1 bigint 1 5 []'::nurture.funnel_summary), ('1 bigint 1 6 []')) v(s);
SET nurture.aggregate_memory = '64kB';
SELECT nurture.funnel(g, 1, true) FROM generate_series(1, 5000) g;
SELECT nurture.funnel(g, 1, true) FROM generate_series(1, 10000) g;
RESET nurture.aggregate_memory;

-- Text and bytes that are no summary.
SELECT '1 timestamptz 2 10 [5:1 4:1]'::nurture.funnel_summary;
SELECT '1 timestamptz 2 10 [5:1'::nurture.funnel_summary;
SELECT '9 timestamptz 2 10 []'::nurture.funnel_summary;
CREATE TABLE funnel_bytes (b bytea);
CREATE TABLE funnel_received (s nurture.funnel_summary);
\set VERBOSITY terse
INSERT INTO funnel_bytes VALUES ('');
\copy funnel_bytes TO 'results/funnel_bytes.bin' (FORMAT binary)
\copy funnel_received FROM 'results/funnel_bytes.bin' (FORMAT binary)
UPDATE funnel_bytes SET b = '\x0103020a0001800000000000000000ff';
\copy funnel_bytes TO 'results/funnel_bytes.bin' (FORMAT binary)
\copy funnel_received FROM 'results/funnel_bytes.bin' (FORMAT binary)
UPDATE funnel_bytes SET b = '\x0103020a00ffffffffffffffff7f';
\copy funnel_bytes TO 'results/funnel_bytes.bin' (FORMAT binary)
\copy funnel_received FROM 'results/funnel_bytes.bin' (FORMAT binary)
UPDATE funnel_bytes SET b = '\x07';
\copy funnel_bytes TO 'results/funnel_bytes.bin' (FORMAT binary)
\copy funnel_received FROM 'results/funnel_bytes.bin' (FORMAT binary)
UPDATE funnel_bytes SET b = '\x0103020a000100000000000000050001';
\copy funnel_bytes TO 'results/funnel_bytes.bin' (FORMAT binary)
\copy funnel_received FROM 'results/funnel_bytes.bin' (FORMAT binary)
\set VERBOSITY default
SELECT * FROM funnel_received;

DROP TABLE funnel_event, funnel_part, funnel_result, funnel_serial, funnel_stored, funnel_loaded, funnel_one, funnel_bytes, funnel_received CASCADE;
