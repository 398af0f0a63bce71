-- nurture.decayed: type, order, index, aggregates.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
\set VERBOSITY terse

-- halves with each half-life, exactly
SELECT half_lives, nurture.value(d, timestamptz '2026-01-01' + half_lives * interval '14 days')
FROM (SELECT nurture.decayed(100, '2026-01-01', '14 days') AS d) v, unnest('{-1,0,0.5,1,2,10,60}'::numeric[]) half_lives;
SELECT nurture.half_life(nurture.decayed(1, '2026-01-01', '1 day 90 minutes')), nurture.decayed(-0.5, '2000-01-01', '90 minutes'),
       nurture.value(nurture.decayed(5, '2026-01-01', '1 day'), 'infinity');

CREATE TABLE visit AS
SELECT i % 100 AS contact, timestamptz '2020-01-01' + (i * 7919 % 100000) * interval '31 minutes 7.3 seconds' AS at,
       ((i * 31 % 1000) - 100) / 8.0 AS points, NULLIF(i % 11, 0) AS maybe
FROM generate_series(1, 20000) i;
ANALYZE visit;

-- against sum(power()); a float sum is good to some 13 digits
WITH both_ways AS (
    SELECT contact, nurture.value(nurture.decayed_sum(points, at, '14 days'), '2026-01-01') AS ours,
           sum(points * power(2::float8, -extract(epoch FROM timestamptz '2026-01-01' - at)::float8 / 86400 / 14)) AS theirs,
           nurture.value(nurture.decayed_count(at, '14 days'), '2026-01-01') AS our_count,
           sum(power(2::float8, -extract(epoch FROM timestamptz '2026-01-01' - at)::float8 / 86400 / 14)) AS their_count,
           nurture.decayed_avg(points, at, '1 year 0 days'::interval - '1 year' + '300 days') AS our_mean,
           sum(points * power(2::float8, extract(epoch FROM at - timestamptz '2026-01-01')::float8 / 86400 / 300))
           / sum(power(2::float8, extract(epoch FROM at - timestamptz '2026-01-01')::float8 / 86400 / 300)) AS their_mean,
           nurture.value(nurture.decayed_max(points, at, '100 days'), '2026-01-01') AS our_max,
           max(points * power(2::float8, -extract(epoch FROM timestamptz '2026-01-01' - at)::float8 / 86400 / 100)) AS their_max
    FROM visit GROUP BY contact)
SELECT count(*), max(abs(ours - theirs)) < 6e-7 AS sums, max(abs(our_count - their_count)) < 6e-7 AS counts,
       max(abs(our_mean - their_mean)) < 6e-7 AS means, max(abs(our_max - their_max)) < 6e-7 AS maxima,
       min(ours) <> max(ours) AS not_all_alike
FROM both_ways;

-- numeric and double precision arguments, integers, rounding of the sixth decimal
SELECT nurture.decayed_sum(v::numeric, '2000-01-01', '1 day') AS by_numeric, nurture.decayed_sum(v::float8, '2000-01-01', '1 day') AS by_float8
FROM unnest('{0.1,-0.000001,123456789.123456,-7000000000000}'::numeric[]) v;
SELECT v, nurture.value(nurture.decayed(v, '2000-01-01', '1 day'), '2000-01-01') AS rounded, round(v, 6) AS by_round
FROM unnest('{0.0000005,-0.0000005,0.00000049999999,0.00000051,1e-10,12345.6789015,-9999.9999995,9223372036854.775807,10000,0.0001,100000000}'::numeric[]) v;
SELECT count(*) FILTER (WHERE nurture.value(nurture.decayed(v, '2000-01-01', '1 day'), '2000-01-01') <> round(v, 6)) AS differences
FROM (SELECT ((i * 7919::numeric ^ 3) % 1000003) * (10::numeric ^ (i % 13 - 9)) * (CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END) AS v FROM generate_series(1, 3000) i) t;

-- the same bytes: in any order, in parallel, stored and summed up
CREATE TABLE whole AS SELECT nurture.decayed_sum(points, at, '14 days') AS s, nurture.decayed_avg(points, at, '14 days') AS m,
    nurture.decayed_max(points, at, '14 days') AS x, nurture.decayed_count(at, '14 days') AS c FROM visit;
SELECT s, nurture.value(s, '2026-01-01'), m, nurture.value(c, '2026-01-01') AS count FROM (SELECT nurture.decayed_sum(points, at, '300 days') AS s,
    nurture.decayed_avg(points, at, '300 days') AS m, nurture.decayed_count(at, '300 days') AS c FROM visit) v;
SELECT nurture.decayed_sum(points, at, '14 days' ORDER BY at DESC)::text = s::text AS descending,
       nurture.decayed_sum(points, at, '14 days' ORDER BY points)::text = s::text AS shuffled,
       nurture.decayed_avg(points, at, '14 days' ORDER BY points) = m AS means
FROM visit, whole GROUP BY s::text, m;
SELECT nurture.sum(part)::text = (SELECT s::text FROM whole) AS summed_up, nurture.max(part_max)::text = (SELECT x::text FROM whole) AS maximum
FROM (SELECT nurture.decayed_sum(points, at, '14 days')::text::nurture.decayed AS part, nurture.decayed_max(points, at, '14 days') AS part_max
      FROM visit GROUP BY contact) parts;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
EXPLAIN (COSTS OFF) SELECT contact, nurture.decayed_sum(points, at, '14 days') FROM visit GROUP BY contact;
SELECT nurture.decayed_sum(points, at, '14 days')::text = (SELECT s::text FROM whole) AS sum,
       nurture.decayed_avg(points, at, '14 days') = (SELECT m FROM whole) AS avg,
       nurture.decayed_max(points, at, '14 days')::text = (SELECT x::text FROM whole) AS max,
       nurture.decayed_count(at, '14 days')::text = (SELECT c::text FROM whole) AS count
FROM visit;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;

-- a column of one half-life, and its index
CREATE TABLE lead (contact int PRIMARY KEY, score nurture.decayed('14 days'));
\d lead
INSERT INTO lead SELECT contact, nurture.decayed_sum(points, at, '14 days') FROM visit GROUP BY contact;
INSERT INTO lead SELECT i, nurture.decayed(i % 97, timestamptz '2024-01-01' + i * interval '1 hour', '14 days') FROM generate_series(100, 3000) i;
INSERT INTO lead VALUES (-1, nurture.decayed(1, now(), '7 days'));
INSERT INTO lead VALUES (-1, '7 days: 5=1');
CREATE INDEX ON lead (score);
ANALYZE lead;
EXPLAIN (COSTS OFF) SELECT contact, score FROM lead ORDER BY score DESC LIMIT 20;
EXPLAIN (COSTS OFF) SELECT nurture.max(score) FROM lead;
SELECT array_agg(contact) AS best FROM (SELECT contact FROM lead ORDER BY score DESC LIMIT 5) v;
SELECT array_agg(contact) AS best FROM (SELECT contact FROM lead ORDER BY nurture.value(score, '2026-01-01') DESC LIMIT 5) v;
-- the order is the order of the values, whenever one looks
SELECT at, count(*) FILTER (WHERE value > before) AS out_of_order
FROM unnest('{2024-03-01,2024-06-01,2025-01-01,2040-01-01}'::timestamptz[]) at,
     LATERAL (SELECT nurture.value(score, at) AS value, lag(nurture.value(score, at)) OVER (ORDER BY score DESC) AS before FROM lead) v
GROUP BY at ORDER BY at;
-- operators are found where the schema is in the search path
SET search_path = public, nurture;
SELECT a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt
FROM (VALUES (nurture.decayed(2, '2000-01-01', '1 day'), nurture.decayed(1, '2000-01-02', '1 day')),
             (nurture.decayed(2, '2000-01-01', '1 day'), nurture.decayed(1.000001, '2000-01-02', '1 day')),
             (nurture.decayed(-2, '2000-01-01', '1 day'), nurture.decayed(0, '2000-01-02', '1 day')),
             (nurture.decayed(500, '2000-01-01', '1 day'), nurture.decayed(1, '2000-01-01', '2 days'))) v(a, b);
SELECT nurture.decayed(3, '2000-01-01', '1 day') + nurture.decayed(4, '2000-01-02', '1 day') AS sum;
SELECT nurture.decayed(1, now(), '1 day') + nurture.decayed(1, now(), '2 days');
RESET search_path;

-- windows: an exponential moving average, and frames that move agree with frames added up anew
SELECT at::date, points, nurture.decayed_avg(points, at, '30 days') OVER (ORDER BY at)
FROM visit WHERE contact = 7 ORDER BY at LIMIT 5;
WITH moving AS (
    SELECT at, contact, nurture.decayed_sum(points, at, '200 days') OVER w AS s, nurture.decayed_avg(points, at, '200 days') OVER w AS m,
           nurture.decayed_count(at, '200 days') OVER w AS c, nurture.decayed_max(points, at, '200 days') OVER w AS x
    FROM visit WHERE contact < 3 WINDOW w AS (PARTITION BY contact ORDER BY at ROWS 7 PRECEDING))
SELECT count(*), count(*) FILTER (WHERE m.s::text <> l.s::text OR m.m <> l.m OR m.c::text <> l.c::text OR m.x::text <> l.x::text) AS differences
FROM moving m, LATERAL (SELECT nurture.decayed_sum(points, at, '200 days') AS s, nurture.decayed_avg(points, at, '200 days') AS m,
    nurture.decayed_count(at, '200 days') AS c, nurture.decayed_max(points, at, '200 days') AS x
    FROM (SELECT * FROM visit v WHERE v.contact = m.contact AND v.at <= m.at ORDER BY v.at DESC LIMIT 8) f) l;

-- a frame that moves over NULLs, from its first row on
SELECT at::date, v, nurture.decayed_sum(v, at, '1 day') OVER w AS sum, nurture.decayed_count(at, '1 day') OVER w AS count, nurture.decayed_avg(v, at, '1 day') OVER w AS avg
FROM (VALUES (1, NULL, timestamptz '2000-01-01'), (2, 4, '2000-01-01'), (3, NULL, '2000-01-02'), (4, NULL, '2000-01-02'), (5, 8::numeric, '2000-01-02')) t(n, v, at)
WINDOW w AS (ORDER BY n ROWS 1 PRECEDING);

-- nothing, NULL, one, FILTER, DISTINCT, grouping sets
SELECT nurture.decayed_sum(1, now(), '1 day') IS NULL AS sum, nurture.decayed_avg(1, now(), '1 day') IS NULL AS avg,
       nurture.decayed_max(1, now(), '1 day') IS NULL AS max, nurture.decayed_count(now(), '1 day') IS NULL AS count FROM visit WHERE false;
SELECT nurture.decayed_sum(v, at, '1 day') AS sum, nurture.decayed_count(at, '1 day') AS count, nurture.decayed_avg(v, at, '1 day') AS avg
FROM (VALUES (NULL::numeric, timestamptz '2000-01-01'), (5, NULL), (7, '2000-01-03')) v(v, at);
SELECT contact, nurture.value(nurture.decayed_sum(maybe, at, '300 days'), '2026-01-01') AS sum,
       nurture.value(nurture.decayed_sum(maybe, at, '300 days') FILTER (WHERE maybe > 5), '2026-01-01') AS filtered,
       nurture.value(nurture.decayed_sum(DISTINCT maybe::numeric, '2026-01-01', '300 days'), '2026-01-01') AS distinct_values
FROM visit WHERE contact < 2 GROUP BY GROUPING SETS (contact, ()) ORDER BY contact;
SELECT nurture.decayed_sum(v, at, '1 day') AS cancelled FROM (VALUES (5, timestamptz '2000-01-05'), (-5, '2000-01-05')) v(v, at);

-- binary form
CREATE TABLE copied (LIKE lead);
\copy lead TO 'results/decayed.bin' (FORMAT binary)
\copy copied FROM 'results/decayed.bin' (FORMAT binary)
SELECT count(*), count(*) FILTER (WHERE c.score::text <> l.score::text) AS differences FROM copied c JOIN lead l USING (contact);

-- what is refused
CREATE TABLE other (contact int, score nurture.decayed('7 days'));
\copy other FROM 'results/decayed.bin' (FORMAT binary)
INSERT INTO other SELECT contact, score FROM lead;
SELECT nurture.decayed_sum(1, now(), i * interval '1 day') FROM generate_series(1, 2) i;
SELECT nurture.decayed_max(1, now(), i * interval '1 day') FROM generate_series(1, 2) i;
SELECT nurture.sum(nurture.decayed(1, now(), i * interval '1 day')) FROM generate_series(1, 2) i;
-- (an order is no sum: it is total)
SELECT nurture.half_life(nurture.max(nurture.decayed(1, now(), i * interval '1 day'))) FROM generate_series(1, 2) i;
SELECT nurture.decayed_sum(1, now(), '1 month');
SELECT nurture.decayed_sum(1, now(), '0');
SELECT nurture.decayed_sum(1, now(), '31 years'::interval - '31 years' + '20000 days');
SELECT nurture.decayed_sum(1, 'infinity', '1 day');
SELECT nurture.decayed_sum('NaN'::float8, now(), '1 day');
SELECT nurture.decayed_sum('NaN'::numeric, now(), '1 day');
SELECT nurture.decayed_sum('Infinity'::numeric, now(), '1 day');
SELECT nurture.decayed_sum(1e13, now(), '1 day');
SELECT nurture.decayed_sum(1e100::numeric, now(), '1 day');
SELECT nurture.value(nurture.decayed(1, '2026-01-01', '1 day'), '2020-01-01');
SELECT nurture.value(nurture.decayed(1, '2026-01-01', '1 day'), '-infinity');
SELECT NULL::nurture.decayed('1 day', '2 days');
SELECT NULL::nurture.decayed('1 month');
SELECT NULL::nurture.decayed('0.5 seconds');
SELECT '14 days: 5=0 6=1'::nurture.decayed;
SELECT '14 days: 5'::nurture.decayed;
SELECT 'garbage'::nurture.decayed;
SELECT nurture.decayed(1, now(), '1 day')::numeric;
-- hostile bytes by way of the binary protocol; the first are good
CREATE TABLE received (v nurture.decayed('1 day'));
\copy (SELECT '\x0180c0ddeec102010002'::bytea) TO 'results/decayed_hostile.bin' (FORMAT binary)
\copy received FROM 'results/decayed_hostile.bin' (FORMAT binary)
\copy (SELECT '\x018060b0d7ca13010002'::bytea) TO 'results/decayed_hostile.bin' (FORMAT binary)
\copy received FROM 'results/decayed_hostile.bin' (FORMAT binary)
\copy (SELECT '\x0101010002'::bytea) TO 'results/decayed_hostile.bin' (FORMAT binary)
\copy received FROM 'results/decayed_hostile.bin' (FORMAT binary)
\copy (SELECT '\x01'::bytea) TO 'results/decayed_hostile.bin' (FORMAT binary)
\copy received FROM 'results/decayed_hostile.bin' (FORMAT binary)
\copy (SELECT '\x02'::bytea) TO 'results/decayed_hostile.bin' (FORMAT binary)
\copy received FROM 'results/decayed_hostile.bin' (FORMAT binary)
\copy (SELECT '\x'::bytea) TO 'results/decayed_hostile.bin' (FORMAT binary)
\copy received FROM 'results/decayed_hostile.bin' (FORMAT binary)
SELECT * FROM received;
DROP TABLE received;
DROP TABLE visit, whole, lead, copied, other;
