-- The aggregates that group by contact themselves: the same as GROUP BY the contact, in every way of executing them.
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set VERBOSITY terse

-- Many ties, names longer than a slot, rows without a contact or a time.
CREATE TABLE by_event (contact text, id int, at timestamptz, type text);
SELECT setseed(0.7) IS NULL AS seeded;
INSERT INTO by_event
SELECT CASE WHEN c % 50 = 0 THEN NULL WHEN c % 2 = 0 THEN 'c' || c ELSE 'somebody with a rather long name ' || c END, c,
       CASE WHEN g % 100 > 0 THEN timestamptz '2025-12-29' + (random() * 3000)::int * interval '30 minutes' END,
       (ARRAY['view', 'cart', 'pay', 'ship', NULL])[1 + (random() * 4.999)::int % 5]
  FROM (SELECT g, (power(random(), 2) * 299)::int AS c FROM generate_series(1, 5000) g) x;
ANALYZE by_event;

CREATE VIEW by_ours AS
SELECT nurture.funnel_by(contact, at, '2 days', type = 'view', type = 'cart', type = 'pay', type = 'ship') AS funnel,
       nurture.sequence_by('(?1).*(?t<=86400)(?2)', contact, at, type = 'view', type = 'pay') AS sequence,
       nurture.retention_by(contact, at < '2026-01-10', type = 'pay', at > '2026-02-01', NULL) AS retention,
       nurture.cohort_by(contact, at, '1 week')::text AS cohort
  FROM by_event;
CREATE VIEW by_grouped AS
SELECT ARRAY[count(*) FILTER (WHERE depth >= 1), count(*) FILTER (WHERE depth >= 2), count(*) FILTER (WHERE depth >= 3), count(*) FILTER (WHERE depth >= 4)] AS funnel,
       count(*) FILTER (WHERE m) AS sequence,
       ARRAY[count(*) FILTER (WHERE a), count(*) FILTER (WHERE a AND b), count(*) FILTER (WHERE a AND c), 0] AS retention,
       nurture.rollup(cohort)::text AS cohort
  FROM (SELECT nurture.funnel(at, '2 days', type = 'view', type = 'cart', type = 'pay', type = 'ship') AS depth,
               nurture.sequence_match('(?1).*(?t<=86400)(?2)', at, type = 'view', type = 'pay') AS m,
               bool_or(at < '2026-01-10') AS a, bool_or(type = 'pay') AS b, bool_or(at > '2026-02-01') AS c,
               nurture.cohort_agg(at, '1 week') AS cohort
          FROM by_event WHERE contact IS NOT NULL GROUP BY contact) x;
SELECT funnel, sequence, retention, length(cohort) > 100 AS cohorts FROM by_grouped;
SELECT o.funnel = g.funnel AS funnel, o.sequence = g.sequence AS sequence, o.retention = g.retention AS retention, o.cohort = g.cohort AS cohort
  FROM by_ours o, by_grouped g;

-- In parallel, by partitions, in groups, filtered, sorted backwards.
CREATE TABLE by_serial AS SELECT * FROM by_ours;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT nurture.funnel_by(contact, at, '2 days', type = 'view', type = 'cart') FROM by_event;
SELECT s = o AS parallel FROM by_serial s, by_ours o;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE by_part (LIKE by_event) PARTITION BY LIST (type);
CREATE TABLE by_part1 PARTITION OF by_part FOR VALUES IN ('view', 'pay');
CREATE TABLE by_part2 PARTITION OF by_part DEFAULT;
INSERT INTO by_part SELECT * FROM by_event;
ANALYZE by_part;
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS OFF) SELECT nurture.retention_by(contact, at < '2026-01-10', type = 'pay') FROM by_part;
SELECT s.funnel = nurture.funnel_by(contact, at, '2 days', type = 'view', type = 'cart', type = 'pay', type = 'ship') AS funnel,
       s.sequence = nurture.sequence_by('(?1).*(?t<=86400)(?2)', contact, at, type = 'view', type = 'pay') AS sequence,
       s.retention = nurture.retention_by(contact, at < '2026-01-10', type = 'pay', at > '2026-02-01', NULL) AS retention,
       s.cohort = nurture.cohort_by(contact, at, '1 week')::text AS cohort
  FROM by_part, by_serial s GROUP BY s.funnel, s.sequence, s.retention, s.cohort;
RESET enable_partitionwise_aggregate;
SELECT s.funnel = nurture.funnel_by(contact, at, '2 days', type = 'view', type = 'cart', type = 'pay', type = 'ship' ORDER BY at DESC, type) AS backwards,
       (s.cohort) = nurture.cohort_by(contact, at, '1 week' ORDER BY at DESC)::text AS cohorts_backwards
  FROM by_event, by_serial s GROUP BY s.funnel, s.cohort;
SELECT id % 3 AS g, nurture.funnel_by(contact, at, '2 days', type = 'view', type = 'pay') = grouped AS same,
       nurture.funnel_by(contact, at, '2 days', type = 'view', type = 'pay') FILTER (WHERE false) AS none
  FROM by_event JOIN (SELECT k, ARRAY[count(*) FILTER (WHERE d >= 1), count(*) FILTER (WHERE d = 2)] AS grouped
                        FROM (SELECT id % 3 AS k, nurture.funnel(at, '2 days', type = 'view', type = 'pay') AS d FROM by_event WHERE contact IS NOT NULL GROUP BY 1, contact) x GROUP BY k) y ON k = id % 3
 GROUP BY id % 3, grouped ORDER BY 1;
SELECT g, nurture.retention_by(contact, true, g > 2) OVER (ORDER BY g) FROM (VALUES (1, 'a'), (2, 'b'), (3, 'a'), (4, 'c')) v(g, contact);

-- Contacts of every type there may be, times too; conditions as an array.
SELECT nurture.funnel_by(id, at, '2 days', type = 'view', type = 'pay') AS int4,
       nurture.funnel_by(id::bigint, at, '2 days', type = 'view', type = 'pay') AS int8,
       nurture.funnel_by(id::smallint, at::timestamp, '2 days', type = 'view', type = 'pay') AS int2,
       nurture.funnel_by(id::varchar, at, interval '2 days', VARIADIC ARRAY[type = 'view', type = 'pay']) AS "varchar",
       nurture.funnel_by(md5(id::text)::uuid, extract(epoch FROM at)::bigint, 172800, type = 'view', type = 'pay') AS uuid,
       nurture.funnel_by(id, at::date, '2 days', type = 'view', type = 'pay') = nurture.funnel_by(id, at::date::timestamp, '2 days', type = 'view', type = 'pay') AS date
  FROM by_event;
SELECT nurture.sequence_by('(?1)(?t<=10)(?2)', c, at, w = 'a', w = 'b'), nurture.cohort_by(c, date '2026-01-01' + at::int, '1 day'), nurture.cohort_by(c, timestamp '2026-01-01', '1 month')
  FROM (VALUES (1, 1::bigint, 'a'), (1, 11, 'b'), (2, 1, 'a'), (2, 12, 'b'), (NULL, 1, 'a'), (3, NULL, 'a')) v(c, at, w);
SELECT nurture.funnel_by(c, 1::bigint, 1, true, c = 'a'), nurture.sequence_by('(?1)', c, 1::bigint, true), nurture.retention_by(c, true), nurture.cohort_by(c, now(), '1 day') IS NULL AS no_cohort
  FROM (VALUES ('a')) v(c) WHERE false;
SELECT nurture.funnel_by(c, 1::bigint, 1, true, false), nurture.retention_by(c, false) FROM (VALUES (NULL::text)) v(c);

-- Every mode, against depth() of each contact's summary, exclusions too; in parallel and from every type of time.
CREATE TABLE by_mode AS
SELECT m.mode, (SELECT ARRAY[count(*) FILTER (WHERE d >= 1), count(*) FILTER (WHERE d >= 2), count(*) FILTER (WHERE d >= 3), count(*) FILTER (WHERE d >= 4)]
                  FROM (SELECT nurture.depth(nurture.funnel_agg(at, '3 days', type = 'view', type = 'cart', type = 'pay', type = 'ship'), m.mode) AS d
                          FROM by_event WHERE contact IS NOT NULL GROUP BY contact) x) AS grouped
  FROM unnest('{ordered,strict_order,"strict_order, reentry",strict_once,strict_increase,deduplicated,"strict_once,strict_increase",unordered,"exclude 3","unordered, exclude 2","strict_order, exclude 1, exclude 4"}'::text[]) m(mode);
SELECT m.mode, grouped, nurture.funnel_by(contact, at, '3 days', m.mode, type = 'view', type = 'cart', type = 'pay', type = 'ship') = trim_array(grouped, (length(m.mode) - length(replace(m.mode, 'exclude', ''))) / 7) AS same
  FROM by_mode m, by_event GROUP BY m.mode, grouped ORDER BY m.mode COLLATE "C";
SET max_parallel_workers_per_gather = 2;
SELECT nurture.funnel_by(contact, at, '3 days', 'strict_order', type = 'view', type = 'cart', type = 'pay', type = 'ship') = (SELECT grouped FROM by_mode WHERE mode = 'strict_order') AS parallel FROM by_event;
SET max_parallel_workers_per_gather = 0;
SELECT nurture.funnel_by(c, t, 10, 'strict_order', w = 'a', w = 'b', w = 'x') AS strict, nurture.funnel_by(c, t, 10, 'ordered, exclude 3', w = 'a', w = 'b', w = 'x') AS excluding,
       nurture.funnel_by(c, t, 10, 'exclude 1', w = 'a') AS nothing_left, nurture.funnel_by(c, date '2026-01-01' + t::int, '10 days', 'strict_increase', VARIADIC ARRAY[w = 'a', w = 'b']) AS date,
       nurture.funnel_by(c, timestamp '2026-01-01' + t * interval '1 day', '10 days', 'unordered', w = 'b', w = 'a') AS timestamp
  FROM (VALUES (1::bigint, 1::bigint, 'a'), (1, 2, 'x'), (1, 3, 'b'), (2, 1, 'a'), (2, 1, 'b')) v(c, t, w);

-- What is refused.
SELECT nurture.funnel_by('a'::text, now(), '1 day', 'strict', true);
SELECT nurture.funnel_by('a'::text, now(), '1 day', 'exclude 2', true);
SELECT nurture.funnel_by('a'::text, now(), '1 day', NULL::text, true);
SELECT nurture.funnel_by('a'::text, now(), '1 day', m, true) FROM unnest('{strict_once,strict_order}'::text[]) m;
SELECT nurture.funnel_by(1.5, now(), '1 day', true);
SELECT nurture.funnel_by('a'::text, now(), '1 month', true);
SELECT nurture.funnel_by('a'::text, now(), NULL::interval, true);
SELECT nurture.funnel_by('a'::text, now(), '1 day', 1);
SELECT nurture.funnel_by('a'::text, now(), '1 day', 'true');
SELECT nurture.funnel_by('a'::text, now(), '1 day', VARIADIC NULL::boolean[]);
SELECT nurture.funnel_by('a'::text, now(), '1 day', VARIADIC ARRAY[1, 2]);
SELECT nurture.funnel_by('a'::text, now(), s, true) FROM unnest('{1 day,2 days}'::interval[]) s;
SELECT nurture.funnel_by('a'::text, 1::bigint, -1, true);
SELECT nurture.sequence_by('(?1', 'a'::text, now(), true);
SELECT nurture.sequence_by('(?2)', 'a'::text, now(), true);
SELECT nurture.sequence_by(p, 'a'::text, now(), true) FROM unnest('{(?1),(?1)(?1)}'::text[]) p;
SELECT nurture.cohort_by('a'::text, now(), p) FROM unnest('{1 day,1 week}'::interval[]) p;
SELECT nurture.cohort_by('a'::text, 'infinity'::timestamptz, '1 day');
SET nurture.aggregate_memory = '64kB';
SELECT nurture.funnel_by(id, at, '1 day', true) FROM by_event;
SELECT nurture.retention_by(g, true) FROM generate_series(1, 5000) g;
RESET nurture.aggregate_memory;
CREATE COLLATION by_ignoring_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT nurture.retention_by('a'::text COLLATE by_ignoring_case, true);

-- Attribution in one pass: the same as paths and their outcomes, where each contact converts once, after all touches.
CREATE TABLE by_touch AS SELECT id AS contact, at, type AS channel FROM by_event WHERE at IS NOT NULL AND type IS NOT NULL;
CREATE TABLE by_conversion AS SELECT g AS contact, timestamptz '2026-06-01' AS at, g * 1.25 AS value FROM generate_series(0, 310, 7) g;
CREATE VIEW by_attributed AS
SELECT nurture.attribution_by(contact, at, channel, n, value)::text AS s
  FROM (SELECT contact, at, channel, 0::bigint AS n, NULL::numeric AS value FROM by_touch
        UNION ALL SELECT contact, at, NULL, 1, value FROM by_conversion) e;
CREATE VIEW by_paths AS
SELECT nurture.attribution_agg(path, (c.contact IS NOT NULL)::int, c.value)::text AS s
  FROM (SELECT contact, nurture.path_agg(at, channel) AS path FROM by_touch GROUP BY contact) p FULL JOIN by_conversion c USING (contact);
SELECT a.s = p.s AS serial FROM by_attributed a, by_paths p;
RESET max_parallel_workers_per_gather;
EXPLAIN (COSTS OFF) SELECT nurture.attribution_by(contact, at, channel, 0) FROM by_touch;
SELECT a.s = p.s AS parallel FROM by_attributed a, by_paths p;
SELECT nurture.attribution_by(contact, at, channel, n, value, '120 days')::text
     = (SELECT nurture.attribution_agg(nurture.lookback(path, coalesce(c.at, '2026-06-01'), CASE WHEN c.at IS NULL THEN interval '10000 days' ELSE '120 days' END), (c.contact IS NOT NULL)::int, c.value)::text
          FROM (SELECT contact, nurture.path_agg(at, channel) AS path FROM by_touch GROUP BY contact) p FULL JOIN by_conversion c USING (contact)) AS with_a_span
  FROM (SELECT contact, at, channel, 0::bigint AS n, NULL::numeric AS value FROM by_touch
        UNION ALL SELECT contact, at, NULL, 1, value FROM by_conversion) e;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
-- A contact that converts twice has two paths, what comes after is one that failed; rows of one time: touches first.
SELECT a.channel, a.conversions, a.value
  FROM (SELECT nurture.attribution_by(c, d::date, channel, n, v)
          FROM (VALUES (1, '2026-01-01', 'ad', 0, NULL), (1, '2026-01-02', 'mail', 0, NULL), (1, '2026-01-02', NULL, 1, 10), (1, '2026-01-02', NULL, 1, 5),
                       (1, '2026-01-03', 'search', 1, 20), (1, '2026-01-04', NULL, 1, 7), (1, '2026-01-05', 'ad', NULL, NULL),
                       (NULL, '2026-01-05', 'ad', 1, 1), (2, NULL, 'ad', 1, 1)) e(c, d, channel, n, v)) s(s), nurture.attribution(s, 'last') a ORDER BY 1;
SELECT nurture.attribution_by(1, now(), 'a', 0, 5);
SELECT nurture.attribution_by(1, now(), 'a', -1);
SELECT nurture.attribution_by(1, now(), '', 1);
SELECT nurture.attribution_by(1, 'infinity', 'a', 1);
SELECT nurture.attribution_by(1, now(), 'a', 1, 1, '-1 day');

-- Equal values are equal: DISTINCT, GROUP BY, joins.
SELECT count(*) AS rows, count(DISTINCT f) AS funnels, count(DISTINCT f::text) AS texts, count(DISTINCT p) AS paths, count(DISTINCT p::text) AS path_texts
  FROM (SELECT nurture.funnel_agg(at, '1 day', type = 'view') AS f, nurture.path_agg(at, type) AS p FROM by_event GROUP BY contact, at, type) x;
SELECT a OPERATOR(nurture.=) b AS equal, a OPERATOR(nurture.<>) c AS different
  FROM (SELECT nurture.cohort_agg(timestamp '2026-01-01', '1 day') AS a, nurture.cohort_agg(date '2026-01-01', '1 day') AS b,
               nurture.cohort_agg(date '2026-01-02', '1 day') AS c) x;
SELECT count(*) FROM (SELECT nurture.attribution_agg(nurture.path_of('{a,b}'), n) AS s FROM generate_series(0, 3) n GROUP BY n % 2, n UNION SELECT nurture.attribution_agg(nurture.path_of('{a,b}'), 1)) x;

-- Times of type bigint: converted within so many units.
SELECT w, nurture.converted_within_units(s, w) FROM (SELECT nurture.funnel_agg(t, 100, t = 1, t = 8) FROM unnest('{1,8}'::bigint[]) t) x(s), unnest('{6,7,1000}'::bigint[]) w;
SELECT nurture.converted_within_units(nurture.funnel_agg(t, 100, true), -1) FROM unnest('{1,8}'::bigint[]) t;
SELECT nurture.converted_within_units(nurture.funnel_agg(now(), '1 day', true), 1);
SELECT nurture.converted_within(nurture.funnel_agg(t, 100, true), '1 day') FROM unnest('{1,8}'::bigint[]) t;
