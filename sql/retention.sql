-- Retention, cohorts with churn and resurrection, sessions: against naive SQL and in every way of executing them.
SET timezone = 'UTC';
SET datestyle = 'ISO';

CREATE TABLE retention_event (contact int, at timestamptz);
SELECT setseed(0.3) IS NULL AS seeded;
INSERT INTO retention_event
SELECT (power(random(), 2) * 299)::int, timestamptz '2025-11-20 07:00+00' + random() * 120 * interval '1 day'
  FROM generate_series(1, 3000);
ANALYZE retention_event;
CREATE VIEW retention_row AS
SELECT contact, at, min(at) OVER (PARTITION BY contact) AS first_at FROM retention_event;

CREATE FUNCTION pg_temp.same(a text, b text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE missing bigint; surplus bigint; total bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (%s) x', a) INTO total;
    EXECUTE format('SELECT count(*) FROM ((%s) EXCEPT ALL (%s)) x', a, b) INTO missing;
    EXECUTE format('SELECT count(*) FROM ((%s) EXCEPT ALL (%s)) x', b, a) INTO surplus;
    RETURN format('%s rows, %s missing, %s surplus', total, missing, surplus);
END $$;

-- retention(): conditions of the group, all tied to the first.
CREATE VIEW retention_ours AS
SELECT contact, nurture.retention(at < '2025-12-01', at >= '2026-01-01', at >= '2026-03-01', NULL) AS r FROM retention_event GROUP BY contact;
SELECT pg_temp.same(
  $$SELECT contact, ARRAY[a, a AND b, a AND c, false] FROM (SELECT contact, bool_or(at < '2025-12-01') a, bool_or(at >= '2026-01-01') b, bool_or(at >= '2026-03-01') c
      FROM retention_event GROUP BY contact) x$$, 'SELECT * FROM retention_ours');
SELECT count(DISTINCT r) AS different FROM retention_ours;

-- Cohorts by month, by hand: distinct (contact, month) joined with itself.
CREATE VIEW cohort_ours AS
SELECT * FROM nurture.cohort((SELECT nurture.rollup(c) FROM (SELECT nurture.cohort_agg(first_at, at, interval '1 month') AS c FROM retention_row GROUP BY contact) x));
CREATE VIEW cohort_naive AS
WITH active AS (SELECT DISTINCT contact, date_trunc('month', first_at::timestamp) AS cohort, date_trunc('month', at::timestamp) AS month FROM retention_row),
     member AS (SELECT DISTINCT contact, cohort FROM active),
     month AS (SELECT generate_series(min(month), max(month), interval '1 month') AS month FROM active)
SELECT m.cohort, (extract(year FROM month.month) * 12 + extract(month FROM month.month) - extract(year FROM m.cohort) * 12 - extract(month FROM m.cohort))::bigint AS period,
       month.month AS period_start, count(*) AS members, count(a.contact) AS active, round(count(a.contact)::numeric / count(*), 6) AS rate,
       count(b.contact) FILTER (WHERE a.contact IS NOT NULL) AS retained,
       count(a.contact) FILTER (WHERE b.contact IS NULL AND month.month > m.cohort) AS resurrected,
       count(b.contact) FILTER (WHERE a.contact IS NULL) AS churned
  FROM member m JOIN month ON month.month >= m.cohort
  LEFT JOIN active a ON a.contact = m.contact AND a.month = month.month
  LEFT JOIN active b ON b.contact = m.contact AND b.month = month.month - interval '1 month'
 GROUP BY 1, 2, 3;
SELECT pg_temp.same('SELECT * FROM cohort_naive', 'SELECT * FROM cohort_ours');
-- Without a time of beginning the first activity is it.
SELECT pg_temp.same('SELECT * FROM cohort_naive', 'SELECT * FROM nurture.cohort((SELECT nurture.rollup(c) FROM (SELECT nurture.cohort_agg(at, interval ''1 month'') AS c FROM retention_event GROUP BY contact) x))');
SELECT * FROM cohort_ours WHERE cohort < '2026-01-01' ORDER BY cohort, period;
SELECT g.*, active = new + retained + resurrected AND active = lag(active, 1, 0::bigint) OVER (ORDER BY period_start) - churned + new + resurrected AS balanced
  FROM nurture.growth((SELECT nurture.rollup(c) FROM (SELECT nurture.cohort_agg(first_at, at, interval '1 month') AS c FROM retention_row GROUP BY contact) x)) g;

-- Weeks begin on Monday; quarters and days as well.
SELECT pg_temp.same(
  $$SELECT cohort, period, members, active FROM nurture.cohort((SELECT nurture.rollup(c) FROM (SELECT nurture.cohort_agg(first_at::date, at::date, '1 week') AS c FROM retention_row GROUP BY contact) x)) WHERE active > 0$$,
  $$WITH active AS (SELECT DISTINCT contact, date_trunc('week', first_at::timestamp) AS cohort, date_trunc('week', at::timestamp) AS week FROM retention_row)
    SELECT cohort, extract(day FROM week - cohort)::bigint / 7, (SELECT count(DISTINCT contact) FROM active m WHERE m.cohort = a.cohort), count(*) FROM active a GROUP BY cohort, week$$);
SELECT p, c.cohort, c.members
  FROM (SELECT p, nurture.cohort_agg(timestamp '2026-05-17 13:00', '2026-05-17 13:00', p) AS s
          FROM unnest(ARRAY['3 months', '1 year', '12 hours']::interval[]) p GROUP BY p) x, nurture.cohort(s) c ORDER BY p;

-- Whichever way it is executed, the result is the same.
CREATE TABLE cohort_serial AS SELECT * FROM cohort_ours;
CREATE TABLE retention_serial AS SELECT * FROM retention_ours;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE TABLE cohort_contact AS SELECT contact, nurture.cohort_agg(first_at, at, interval '1 month') AS c FROM retention_row GROUP BY contact;
ANALYZE cohort_contact;
EXPLAIN (COSTS OFF) SELECT contact % 2, nurture.retention(at < '2025-12-01', at >= '2026-01-01') FROM retention_event GROUP BY 1;
EXPLAIN (COSTS OFF) SELECT nurture.rollup(c) FROM cohort_contact;
SELECT pg_temp.same('SELECT * FROM cohort_serial', 'SELECT * FROM nurture.cohort((SELECT nurture.rollup(c) FROM cohort_contact))');
SELECT pg_temp.same('SELECT * FROM cohort_serial', 'SELECT * FROM nurture.cohort((SELECT nurture.rollup(c) FROM (SELECT nurture.rollup(c) AS c FROM cohort_contact GROUP BY contact % 7) x))');
SELECT pg_temp.same('SELECT * FROM retention_serial', 'SELECT * FROM retention_ours');
CREATE VIEW cohort_one AS SELECT nurture.cohort_agg(timestamptz '2025-11-01', at, interval '1 week')::text AS c FROM retention_event;
EXPLAIN (COSTS OFF) SELECT * FROM cohort_one;
CREATE TABLE cohort_one_parallel AS SELECT * FROM cohort_one;
CREATE VIEW cohort_first AS SELECT nurture.cohort_agg(at, interval '1 week')::text AS c FROM retention_event;
CREATE TABLE cohort_first_parallel AS SELECT * FROM cohort_first;
SET max_parallel_workers_per_gather = 0;
SELECT pg_temp.same('SELECT * FROM cohort_one_parallel', 'SELECT * FROM cohort_one');
SELECT pg_temp.same('SELECT * FROM cohort_first_parallel', 'SELECT * FROM cohort_first');
SET work_mem = '64kB';
SET enable_sort = off;
SELECT pg_temp.same('SELECT contact, c::text FROM cohort_contact', 'SELECT contact, nurture.cohort_agg(first_at, at, interval ''1 month'')::text FROM retention_row GROUP BY contact');
SELECT pg_temp.same('SELECT * FROM retention_serial', 'SELECT * FROM retention_ours');
RESET ALL;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- Stored summaries through text and binary; what is no summary.
SELECT count(*) FILTER (WHERE c::text::nurture.cohort_summary::text <> c::text) AS changed_by_text FROM cohort_contact;
\copy cohort_contact TO 'results/cohort_contact.bin' (FORMAT binary)
CREATE TABLE cohort_loaded (LIKE cohort_contact);
\copy cohort_loaded FROM 'results/cohort_contact.bin' (FORMAT binary)
SELECT pg_temp.same('SELECT contact, c::text FROM cohort_contact', 'SELECT contact, c::text FROM cohort_loaded');
SELECT nurture.rollup(c) FROM (VALUES ('1 1mon [5:2 0:2:0 1:1:1]'::nurture.cohort_summary), ('1 1mon [4:1; 5:1 1:1:0]')) v(c);
SELECT '1 1mon [5:2 0:3:0]'::nurture.cohort_summary;
SELECT '1 0mon []'::nurture.cohort_summary;
SELECT '1 1mon [5:2 1:1:1]'::nurture.cohort_summary;
SELECT '1 1mon [5:2'::nurture.cohort_summary;
SELECT count(*) FROM nurture.cohort('1 1us [0:1 1000000000000:1:0]');
CREATE TABLE cohort_bytes (b bytea);
\set VERBOSITY terse
INSERT INTO cohort_bytes VALUES ('\x01010001ffffffffffffffff');
\copy cohort_bytes TO 'results/cohort_bytes.bin' (FORMAT binary)
\copy cohort_loaded(c) FROM 'results/cohort_bytes.bin' (FORMAT binary)
\set VERBOSITY default

-- Nothing, NULLs, mistakes.
SELECT nurture.retention(at > '2026-01-01') AS none, nurture.cohort_agg(at, at, '1 day') FROM retention_event WHERE false;
SELECT nurture.cohort_agg(NULL, at, '1 day') AS no_beginning, nurture.cohort_agg(timestamptz '2026-01-01', NULL, '1 day') AS no_activity,
       nurture.cohort_agg(timestamptz '2026-01-05', at, '1 day') FILTER (WHERE at < '2025-12-01') AS before_the_beginning FROM retention_event;
SELECT nurture.retention(DISTINCT at < '2025-12-01', at > '2026-01-01') FROM retention_event;
SELECT nurture.retention(contact = 1, contact = 2) OVER (ORDER BY contact) FROM (SELECT DISTINCT contact FROM retention_event WHERE contact BETWEEN 1 AND 3) x;
SELECT contact, nurture.retention(contact = 1, contact = 2) FROM retention_event WHERE contact < 3 GROUP BY GROUPING SETS ((contact), ()) ORDER BY contact;
SELECT nurture.retention(VARIADIC CASE WHEN contact = 1 THEN ARRAY[true] ELSE ARRAY[true, true] END) FROM retention_event;
SELECT nurture.cohort_agg(first_at, at, '1 week') FROM retention_row;
SELECT nurture.cohort_agg(at, at, '1 month 1 day') FROM retention_event;
SELECT nurture.cohort_agg(at, at, '0 days') FROM retention_event;
SELECT nurture.cohort_agg(at, at, '1 day') FROM (VALUES (date 'infinity')) v(at);
SELECT nurture.rollup(c) FROM (VALUES ('1 1mon []'::nurture.cohort_summary), ('1 2mon []')) v(c);

-- Sessions: a gap equal to the limit stays; NULL time, NULL session; either direction; by hand.
SELECT n, nurture.sessionize(n, 10) OVER (ORDER BY n) AS session, nurture.sessionize(n, 10) OVER (ORDER BY n DESC NULLS LAST) AS backwards
  FROM (VALUES (1), (1), (11), (22), (NULL), (33)) v(n) ORDER BY n;
SELECT pg_temp.same(
  $$SELECT contact, at, nurture.sessionize(at, interval '2 days') OVER (PARTITION BY contact ORDER BY at) FROM retention_event$$,
  $$SELECT contact, at, 1 + count(*) FILTER (WHERE starts) OVER (PARTITION BY contact ORDER BY at)
      FROM (SELECT contact, at, at - lag(at) OVER (PARTITION BY contact ORDER BY at) > interval '2 days' AS starts FROM retention_event) x$$);
SELECT at, nurture.sessionize(at, '1 day') OVER (ORDER BY at) FROM (VALUES (date '2026-03-28'), ('2026-03-29'), ('2026-03-31'), ('infinity'), ('infinity')) v(at);
SELECT nurture.sessionize(at, '1 month') OVER (ORDER BY at) FROM retention_event LIMIT 1;
SELECT nurture.sessionize(contact, -1) OVER (ORDER BY at) FROM retention_event LIMIT 1;
SELECT nurture.sessionize(contact, NULL) OVER (ORDER BY at) FROM retention_event LIMIT 1;
SELECT nurture.sessionize(1, 1);

DROP TABLE retention_event, cohort_serial, retention_serial, cohort_contact, cohort_one_parallel, cohort_first_parallel, cohort_loaded, cohort_bytes CASCADE;
