-- Recency, frequency, money.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
\set VERBOSITY terse

CREATE TABLE purchase AS
SELECT (i * i + i / 3) % 211 AS customer, timestamptz '2025-01-01' + (i * 7919 % 100000) * interval '5 minutes 1.000001 seconds' AS at,
       ((i * 31 % 1000) - 50) / 7.0 AS amount
FROM generate_series(1, 3000) i;
ANALYZE purchase;

SELECT (nurture.rfm(at, amount, '2026-01-10')).* FROM (VALUES
    (timestamptz '2026-01-01', 10.5), ('2026-01-09 18:00', NULL), ('2026-01-02', 4.25), ('2026-02-01', 1000), (NULL, 5)) v(at, amount);
SELECT nurture.rfm(at, amount, '2024-01-01') IS NULL AS nothing_yet FROM purchase;
SELECT nurture.rfm(at, amount, '2026-01-01') IS NULL AS nothing FROM purchase WHERE false;
SELECT nurture.rfm(at, amount, at) FROM purchase;

-- against plain SQL, serial and parallel
CREATE VIEW customer AS SELECT customer, nurture.rfm(at, amount, '2025-11-01') AS rfm FROM purchase GROUP BY customer;
CREATE TABLE by_hand AS
SELECT customer, timestamptz '2025-11-01' - max(at) AS recency, count(*) AS frequency, sum(round(amount, 6)) AS money
FROM purchase WHERE at <= '2025-11-01' GROUP BY customer;
SELECT count(*), count(*) FILTER (WHERE ((c.rfm).recency, (c.rfm).frequency, (c.rfm).money) IS DISTINCT FROM (h.recency, h.frequency, h.money)) AS differences
FROM customer c FULL JOIN by_hand h USING (customer);
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
EXPLAIN (COSTS OFF) SELECT customer, nurture.rfm(at, amount, '2025-11-01') FROM purchase GROUP BY customer;
SELECT count(*), count(*) FILTER (WHERE ((c.rfm).recency, (c.rfm).frequency, (c.rfm).money) IS DISTINCT FROM (h.recency, h.frequency, h.money)) AS differences
FROM customer c FULL JOIN by_hand h USING (customer);

-- the cuts are those of percentile_cont
CREATE TABLE stored AS SELECT * FROM customer;
ANALYZE stored;
EXPLAIN (COSTS OFF) SELECT nurture.rfm_quintiles(rfm) FROM stored;
CREATE TABLE cuts AS SELECT nurture.rfm_quintiles(rfm) AS cuts FROM stored;
SET max_parallel_workers_per_gather = 0;
SELECT nurture.rfm_quintiles(rfm) = (SELECT cuts FROM cuts) AS parallel, nurture.rfm_quintiles(rfm ORDER BY customer DESC) = (SELECT cuts FROM cuts) AS any_order FROM stored;
SELECT (cuts).frequency, (cuts).money FROM cuts;
SELECT max(abs(c - q)) < 1e-6 AS recency FROM cuts, (SELECT percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY extract(epoch FROM recency)::float8) AS p FROM by_hand) v,
    unnest((cuts).recency, p) u(c, q);
SELECT max(abs(c - q)) < 1e-6 AS frequency FROM cuts, (SELECT percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY frequency) AS p FROM by_hand) v,
    unnest((cuts).frequency, p) u(c, q);
SELECT max(abs(c - q)) < 1e-6 AS money FROM cuts, (SELECT percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY money::float8) AS p FROM by_hand) v,
    unnest((cuts).money, p) u(c, q);

-- scores, also by a window over all customers, and the cells
SELECT count(*), count(*) FILTER (WHERE (s).recency <> 5 - (SELECT count(*) FROM unnest(r) c WHERE c < extract(epoch FROM (rfm).recency))) AS differences
FROM (SELECT rfm, nurture.rfm_score(rfm, nurture.rfm_quintiles(rfm) OVER ()) AS s FROM customer) v,
     (SELECT percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY extract(epoch FROM recency)::float8) AS r FROM by_hand) h;
SELECT (s).cell, count(*), min((s).recency) AS r_from, max((s).recency) AS r_to, min((s).frequency) AS f_from, max((s).frequency) AS f_to, round(avg((rfm).money), 2) AS money
FROM (SELECT rfm, nurture.rfm_score(rfm, cuts) AS s FROM customer, cuts) v GROUP BY 1 ORDER BY 1;
-- every cell has a name: by recency (down) and the mean of frequency and money (across)
SELECT r, array_agg(nurture.rfm_cell(r, fm, fm) ORDER BY fm) AS cells FROM generate_series(5, 1, -1) r, generate_series(1, 5) fm GROUP BY r ORDER BY r DESC;
SELECT nurture.rfm_cell(5, 3, 4) AS half_up, nurture.rfm_cell(6, 1, 1) AS outside, nurture.rfm_cell(NULL, 1, 1) AS unknown;
-- one customer, equal customers, none
SELECT nurture.rfm_score(v, nurture.rfm_quintiles(v) OVER ()) FROM (VALUES (ROW('3 days', 5, 7.5)::nurture.rfm_values)) t(v);
SELECT nurture.rfm_score(v, nurture.rfm_quintiles(v) OVER ()) FROM (VALUES (ROW('3 days', 5, 7.5)::nurture.rfm_values), (ROW('3 days', 5, 7.5)::nurture.rfm_values), (NULL)) t(v);
SELECT nurture.rfm_quintiles(NULL) IS NULL AS nothing, nurture.rfm_score(NULL, NULL) IS NULL AS no_score;
SELECT (nurture.rfm_quintiles(v)).* FROM (VALUES (ROW('0.000001 seconds', 1, 0.000001)::nurture.rfm_values), (ROW('0.000002 seconds', 2, 0.000002)::nurture.rfm_values)) t(v);
SELECT nurture.rfm_quintiles(v) FROM (VALUES (ROW('1 month', 1, 1)::nurture.rfm_values)) t(v);
SELECT count(*), (nurture.rfm(DISTINCT at, amount, '2025-11-01') FILTER (WHERE amount > 0)).frequency FROM purchase GROUP BY GROUPING SETS ((), (customer > 100)) ORDER BY 1;
SELECT customer, (nurture.rfm(at, amount, '2025-11-01') OVER (PARTITION BY customer ORDER BY at ROWS 1 PRECEDING)).frequency FROM purchase WHERE customer = 4 LIMIT 3;
DROP VIEW customer;
DROP TABLE purchase, by_hand, stored, cuts;
