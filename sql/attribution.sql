-- Attribution: paths, summaries, models.
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set VERBOSITY terse

CREATE TABLE touch (contact int, at timestamptz, channel text);
INSERT INTO touch
SELECT i % 1000, timestamptz '2026-01-01' + (i * 7919 % 86400) * interval '1 minute',
       (ARRAY['direct', 'email', 'search', 'social', 'display'])[1 + (i * i + i / 7) % 5]
FROM generate_series(1, 4000) i;
CREATE TABLE conversion AS
SELECT contact, timestamptz '2026-02-15' AS at, (contact % 7) * 1.25 AS value
FROM generate_series(0, 1004) contact WHERE contact % 5 = 0;
ANALYZE touch;

-- the path of one contact: any order of rows, equal times by name, NULL is no touch
SELECT nurture.path_agg(at, channel) FROM (VALUES
    (timestamptz '2026-01-03', 'search'), ('2026-01-01', 'email'), ('2026-01-03', 'display'),
    (NULL, 'email'), ('2026-01-02', NULL), ('2026-01-01 12:00:00.5', 'a "quoted" name')) v(at, channel);
SELECT nurture.path_agg(at, channel ORDER BY at DESC)::text = nurture.path_agg(at, channel ORDER BY channel)::text AS any_order,
       nurture.path_agg(at, channel)::text = nurture.path_agg(at, channel)::text::nurture.path::text AS text_comes_back
FROM touch WHERE contact = 5;
SELECT nurture.path_agg(at, channel) FROM touch WHERE false;
SELECT nurture.channels(nurture.path_of('{email,search,NULL,email}')), nurture.path_of('{}') IS NULL AS nothing;
SELECT contact, nurture.channels(nurture.path_agg(at, channel) FILTER (WHERE channel <> 'direct')) AS paid,
       nurture.channels(nurture.path_agg(DISTINCT at, channel)) AS all_channels
FROM touch WHERE contact < 3 GROUP BY GROUPING SETS (contact, ()) ORDER BY contact;
-- as a window aggregate
SELECT at::date, channel, nurture.channels(nurture.path_agg(at, channel) OVER (ORDER BY at ROWS 1 PRECEDING))
FROM touch WHERE contact = 5 ORDER BY at;

-- lookback: at or before the conversion, less than the span earlier
SELECT nurture.lookback(p, '2026-01-10', '9 days'), nurture.lookback(p, '2026-01-10', '9 days 1 microsecond'),
       nurture.lookback(p, '2026-01-04'), nurture.lookback(p, '2025-12-31') IS NULL AS nothing_left
FROM (SELECT '[["2026-01-01T00:00:00Z","a"],["2026-01-05 00:00:00","b"],["2026-01-10T00:00:00Z","c"]]'::nurture.path) v(p);
SELECT nurture.lookback(nurture.path_of('{a}'), '2026-01-10', '1 month');
SELECT nurture.lookback(nurture.path_of('{a}'), '2026-01-10', '0 days');

-- the published example (S. Bryl', analyzecore.com, 2016): removal effects 0.5, 1, 1
SELECT a.*
FROM (SELECT nurture.attribution_agg(nurture.path_of(p), n)
      FROM (VALUES ('{C1,C2,C3}'::text[], 1), ('{C1}', 0), ('{C2,C3}', 0)) v(p, n)) s(s), nurture.attribution(s) a;

-- all models over one summary: 201 conversions, one of them by a contact nobody touched
CREATE VIEW journey AS
SELECT contact, nurture.lookback(t.path, coalesce(c.at, '2026-02-15'), '30 days') AS path,
       (c.contact IS NOT NULL)::int AS conversions, coalesce(c.value, 0) AS value
FROM (SELECT contact, nurture.path_agg(at, channel) AS path FROM touch GROUP BY contact) t
FULL JOIN conversion c USING (contact);
CREATE TABLE summary AS SELECT nurture.attribution_agg(path, conversions, value) AS s FROM journey;
SELECT model, channel, conversions, value, round(share::numeric, 6) AS share, round(removal_effect::numeric, 9) AS removal_effect
FROM summary, unnest('{first,last,last_non_direct,linear,position,time_decay,markov,shapley,shapley_rate}'::text[])
     WITH ORDINALITY m(model, o), nurture.attribution(s, model) ORDER BY o, channel;
SELECT model, sum(a.conversions) AS conversions, sum(a.value) AS value, sum(share) BETWEEN 0.999999 AND 1.000001 AS shares
FROM summary, unnest('{first,last,last_non_direct,linear,position,time_decay,markov,shapley,shapley_rate}'::text[])
     WITH ORDINALITY m(model, o), nurture.attribution(s, model) a GROUP BY model, o ORDER BY o;
SELECT count(*) AS conversions, sum(value) AS value FROM conversion;

-- the rule models, written by hand
CREATE VIEW touched AS
SELECT t.contact, t.at, t.channel, c.value,
       row_number() OVER w AS k, count(*) OVER (PARTITION BY t.contact) AS n, max(t.at) OVER (PARTITION BY t.contact) AS newest
FROM touch t JOIN conversion c ON c.contact = t.contact AND t.at <= c.at AND t.at > c.at - interval '30 days'
WINDOW w AS (PARTITION BY t.contact ORDER BY t.at, t.channel COLLATE "C");
WITH weighted AS (
    SELECT model, channel, value, w / sum(w) OVER (PARTITION BY model, contact) AS w
    FROM touched, LATERAL (VALUES
        ('first', (k = 1)::int::float8), ('last', (k = n)::int), ('linear', 1),
        ('position', CASE WHEN n = 1 THEN 1 ELSE (k = 1)::int * 0.5 + (k = n)::int * 0.25
                     + CASE WHEN n > 2 AND k > 1 AND k < n THEN 0.25 / (n - 2) ELSE 0 END END),
        ('time_decay', power(2, -extract(epoch FROM newest - at) / 86400 / 3))) m(model, w)),
theirs AS (SELECT model, channel, sum(w) AS conversions, sum(w * value) AS value FROM weighted GROUP BY model, channel)
SELECT model, count(*) AS channels, max(abs(a.conversions - t.conversions)) < 1.1e-6 AS conversions_agree,
       max(abs(a.value - t.value)) < 1.1e-6 AS values_agree
FROM summary, theirs t JOIN LATERAL nurture.attribution(s, model, first_weight => 0.5, last_weight => 0.25,
     half_life => '3 days') a USING (channel) GROUP BY model ORDER BY model;

-- the same bytes: serial, in any order, in parallel, stored in parts and rolled up
SELECT nurture.attribution_agg(path, conversions, value ORDER BY contact DESC)::text = s::text AS any_order
FROM journey, summary GROUP BY s::text;
SELECT nurture.rollup(part)::text = (SELECT s::text FROM summary) AS rolled_up
FROM (SELECT nurture.attribution_agg(path, conversions, value)::text::nurture.attribution_summary AS part
      FROM journey GROUP BY contact % 13) parts;
CREATE TABLE stored_path AS SELECT * FROM journey;
ANALYZE stored_path;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
EXPLAIN (COSTS OFF) SELECT nurture.attribution_agg(path, conversions, value) FROM stored_path;
SELECT nurture.attribution_agg(path, conversions, value)::text = (SELECT s::text FROM summary) AS parallel FROM stored_path;
EXPLAIN (COSTS OFF) SELECT nurture.path_agg(at, channel) FROM touch;
CREATE TABLE in_parallel AS SELECT nurture.path_agg(at, channel) AS path FROM touch;
SET max_parallel_workers_per_gather = 0;
SELECT nurture.path_agg(at, channel)::text = (SELECT path::text FROM in_parallel) AS parallel_path FROM touch;

-- hashed, spilling beyond work_mem, or sorted
SET work_mem = '64kB';
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT contact, nurture.path_agg(at, channel) FROM touch GROUP BY contact;
CREATE TABLE hashed AS SELECT contact, nurture.path_agg(at, channel) AS path FROM touch GROUP BY contact;
SET enable_sort = on;
SET enable_hashagg = off;
SELECT count(*), count(*) FILTER (WHERE h.path::text = s.path::text) AS equal FROM hashed h JOIN (SELECT contact, nurture.path_agg(at, channel) AS path FROM touch GROUP BY contact) s USING (contact);
RESET enable_hashagg;
RESET enable_sort;
RESET work_mem;
DROP TABLE hashed;

-- counted before: conversions and failures per sequence
SELECT a.* FROM (SELECT nurture.attribution_agg(nurture.path_of(p), won, worth, lost)
    FROM (VALUES ('{email}'::text[], 3, 30, 97), ('{search,email}', 5, 100, 45), ('{search}', 2, 10, 198)) v(p, won, worth, lost)) s(s),
    nurture.attribution(s, 'shapley_rate') a;

-- nothing, NULL, one
SELECT nurture.attribution_agg(NULL::nurture.path, 1) IS NULL AS nothing FROM touch WHERE false;
SELECT * FROM nurture.attribution(NULL);
SELECT a.* FROM (SELECT nurture.attribution_agg(NULL::nurture.path, NULL)) s(s), nurture.attribution(s) a;
SELECT a.* FROM (SELECT nurture.attribution_agg(NULL::nurture.path, 2, 7.5)) s(s), nurture.attribution(s) a;
SELECT a.* FROM (SELECT nurture.attribution_agg(nurture.path_of('{email}'), 0)) s(s), nurture.attribution(s) a;
SELECT contact, a.conversions, a.channel
FROM (SELECT contact, nurture.attribution_agg(path, conversions) OVER (ORDER BY contact ROWS 1 PRECEDING) AS s
      FROM stored_path WHERE contact < 12) w, nurture.attribution(s, 'last') a WHERE contact > 9 ORDER BY contact, channel;

-- binary form
CREATE TABLE copied (LIKE stored_path);
CREATE TABLE copied_summary (LIKE summary);
\copy stored_path TO 'results/attribution_path.bin' (FORMAT binary)
\copy copied FROM 'results/attribution_path.bin' (FORMAT binary)
\copy summary TO 'results/attribution_summary.bin' (FORMAT binary)
\copy copied_summary FROM 'results/attribution_summary.bin' (FORMAT binary)
SELECT count(*), count(*) FILTER (WHERE c.path::text IS DISTINCT FROM s.path::text) AS differences FROM copied c JOIN stored_path s USING (contact);
SELECT c.s::text = s.s::text AS same FROM copied_summary c, summary s;

-- what is refused
SELECT nurture.attribution(s, 'best') FROM summary;
SELECT nurture.attribution(s, 'position', first_weight => 0.7, last_weight => 0.7) FROM summary;
SELECT nurture.attribution(s, 'position', first_weight => 'NaN') FROM summary;
SELECT nurture.attribution(s, 'time_decay', half_life => '0') FROM summary;
SELECT nurture.attribution_agg(nurture.path_of('{a}'), -1);
SELECT nurture.attribution_agg(nurture.path_of('{a}'), 0, 5);
SELECT nurture.attribution_agg(nurture.path_of('{a}'), 1, 'NaN');
SELECT nurture.path_agg('infinity', 'email');
SELECT nurture.path_agg(now(), '');
SELECT nurture.path_agg(now(), repeat('x', 513));
SELECT nurture.path_agg(timestamptz '2026-01-01' + i * interval '1 s', 'page') FROM generate_series(1, 100001) i;
SELECT nurture.attribution(nurture.attribution_agg(nurture.path_of(ARRAY['c' || i]), 1), 'shapley_rate') FROM generate_series(1, 13) i;
SELECT '[]'::nurture.path;
SELECT '[["2026-02-30T00:00:00Z","a"]]'::nurture.path;
SELECT '[["2026-01-01T00:00:00Z","a"]'::nurture.path;
SELECT '[["2026-01-01T00:00:00Z","a\u00e9"]]'::nurture.path;
SELECT ''::nurture.attribution_summary;
SELECT '\x0'::nurture.attribution_summary;
SELECT '\x'::nurture.attribution_summary;
SELECT '\x02'::nurture.attribution_summary;
SELECT '\x01ffffffff0f'::nurture.attribution_summary;
SELECT '\x010101ff00000001010001000000'::nurture.attribution_summary;
SELECT '\x0101016100000001010001000001'::nurture.attribution_summary;
-- hostile bytes by way of the binary protocol; the first are good
CREATE TABLE received (v nurture.path);
\copy (SELECT '\x0101016101000000'::bytea) TO 'results/attribution_hostile.bin' (FORMAT binary)
\copy received FROM 'results/attribution_hostile.bin' (FORMAT binary)
\copy (SELECT '\x010101ff01000000'::bytea) TO 'results/attribution_hostile.bin' (FORMAT binary)
\copy received FROM 'results/attribution_hostile.bin' (FORMAT binary)
\copy (SELECT '\x01010161ffffff0f0000'::bytea) TO 'results/attribution_hostile.bin' (FORMAT binary)
\copy received FROM 'results/attribution_hostile.bin' (FORMAT binary)
\copy (SELECT '\x0101016101000001'::bytea) TO 'results/attribution_hostile.bin' (FORMAT binary)
\copy received FROM 'results/attribution_hostile.bin' (FORMAT binary)
\copy (SELECT '\x01020161016201000000'::bytea) TO 'results/attribution_hostile.bin' (FORMAT binary)
\copy received FROM 'results/attribution_hostile.bin' (FORMAT binary)
\copy (SELECT '\x010101610100000000'::bytea) TO 'results/attribution_hostile.bin' (FORMAT binary)
\copy received FROM 'results/attribution_hostile.bin' (FORMAT binary)
\copy (SELECT '\x'::bytea) TO 'results/attribution_hostile.bin' (FORMAT binary)
\copy received FROM 'results/attribution_hostile.bin' (FORMAT binary)
SELECT * FROM received;
DROP TABLE received;
-- hostile bytes by way of the binary protocol; the first are good
CREATE TABLE received (v nurture.attribution_summary);
\copy (SELECT '\x0101016100000001010001000000'::bytea) TO 'results/attribution_hostile.bin' (FORMAT binary)
\copy received FROM 'results/attribution_hostile.bin' (FORMAT binary)
\copy (SELECT '\x010101ff00000001010001000000'::bytea) TO 'results/attribution_hostile.bin' (FORMAT binary)
\copy received FROM 'results/attribution_hostile.bin' (FORMAT binary)
\copy (SELECT '\x01010161000000010100010000'::bytea) TO 'results/attribution_hostile.bin' (FORMAT binary)
\copy received FROM 'results/attribution_hostile.bin' (FORMAT binary)
SELECT * FROM received;
DROP TABLE received;
DROP VIEW journey, touched;
DROP TABLE touch, conversion, summary, stored_path, in_parallel, copied, copied_summary;
