-- How good a score is; weighted percentiles.
SET extra_float_digits = 0;
\set VERBOSITY terse

CREATE TABLE scored AS
SELECT i AS id, (i * 7919 % 1009) / 1009.0::float8 AS score, (i * 7919 % 1009) > (i * 104729 % 2003) AS outcome, i % 7 AS weight
FROM generate_series(1, 3000) i;
INSERT INTO scored VALUES (3001, 0.5, NULL, 1), (3002, NULL, true, 1);
ANALYZE scored;
CREATE TABLE summary AS SELECT nurture.score_agg(score, outcome) AS s FROM scored;

SELECT measure, round(value::numeric, 9) AS value, round(low::numeric, 9) AS low, round(high::numeric, 9) AS high, source FROM summary, nurture.score_quality(s);
-- by hand: pairs of a positive and a negative, squares, logarithms
WITH known AS (SELECT score, coalesce(outcome, false) AS outcome FROM scored WHERE score IS NOT NULL)
SELECT (SELECT round(avg((p.score > n.score)::int + 0.5 * (p.score = n.score)::int), 9) FROM known p, known n WHERE p.outcome AND NOT n.outcome) AS auc,
       (SELECT round(avg((score - outcome::int) ^ 2)::numeric, 9) FROM known) AS brier,
       (SELECT count(*) FROM known WHERE score = 0) AS zeros,
       (SELECT round(max(abs(p - n))::numeric, 9) FROM (SELECT (sum(outcome::int) OVER w)::float8 / sum(outcome::int) OVER () AS p,
            (sum((NOT outcome)::int) OVER w)::float8 / sum((NOT outcome)::int) OVER () AS n FROM known WINDOW w AS (ORDER BY score)) v) AS ks;
SELECT band, round(lowest::numeric, 6) AS lowest, round(highest::numeric, 6) AS highest, round(mean_score::numeric, 6) AS mean_score, n, positives,
       round(rate::numeric, 6) AS rate, round(lift::numeric, 6) AS lift, round(reached::numeric, 6) AS reached, round(gain::numeric, 6) AS gain, round(cumulative_lift::numeric, 6) AS cumulative_lift
FROM summary, nurture.score_bands(s);
-- bands by hand: where the first of all equal scores falls
WITH known AS (SELECT score, coalesce(outcome, false) AS outcome FROM scored WHERE score IS NOT NULL),
     ranked AS (SELECT *, (rank() OVER (ORDER BY score DESC) - 1) * 7 / count(*) OVER () + 1 AS band FROM known),
     by_hand AS (SELECT band, count(*) AS n, count(*) FILTER (WHERE outcome) AS positives, avg(score) AS mean FROM ranked GROUP BY band)
SELECT count(*) AS bands, bool_and(h.n = b.n AND h.positives = b.positives AND abs(h.mean - b.mean_score) < 1e-12) AS agree
FROM summary, nurture.score_bands(s, 7) b JOIN by_hand h USING (band);
SELECT round(bin_low::numeric, 2) AS bin_low, round(bin_high::numeric, 2) AS bin_high, n, positives, round(mean_score::numeric, 6) AS mean_score,
       round(rate::numeric, 6) AS rate, round(rate_low::numeric, 6) AS rate_low, round(rate_high::numeric, 6) AS rate_high FROM summary, nurture.calibration(s, 5);
SELECT bool_and(h.n = c.n AND h.positives = c.positives) AS agree FROM summary, nurture.calibration(s, 5) c JOIN
    (SELECT least(width_bucket(score, 0, 1, 5), 5) AS bin, count(*) AS n, count(*) FILTER (WHERE outcome) AS positives FROM scored WHERE score IS NOT NULL GROUP BY 1) h ON round(c.bin_high * 5) = h.bin;

-- the same bytes: in any order, in parallel, stored and rolled up
SELECT nurture.score_agg(score, outcome ORDER BY id DESC)::text = s::text AS any_order FROM scored, summary GROUP BY s::text;
SELECT nurture.rollup(part)::text = (SELECT s::text FROM summary) AS rolled_up
FROM (SELECT nurture.score_agg(score, outcome)::text::nurture.score_summary AS part FROM scored GROUP BY id % 13) parts;
CREATE TABLE percentile AS SELECT nurture.weighted_percentile(score::numeric, weight, 0.9) AS p FROM scored;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
EXPLAIN (COSTS OFF) SELECT nurture.score_agg(score, outcome), nurture.weighted_percentile(score::numeric, weight, 0.9) FROM scored;
SELECT nurture.score_agg(score, outcome)::text = (SELECT s::text FROM summary) AS parallel,
       nurture.weighted_percentile(score::numeric, weight, 0.9) = (SELECT p FROM percentile) AS percentile FROM scored;
SET max_parallel_workers_per_gather = 0;

-- weighted percentiles: each value repeated as often as its weight says
SELECT f, (SELECT nurture.weighted_percentile(score::numeric, weight, f) FROM scored) AS weighted,
       (SELECT percentile_disc(f) WITHIN GROUP (ORDER BY round(score::numeric, 6)) FROM scored, generate_series(1, weight) WHERE score IS NOT NULL) AS repeated
FROM unnest('{0,0.1,0.5,0.75,1}'::float8[]) f;
SELECT nurture.weighted_percentile(v, w, 0.5) AS half_goes_below FROM (VALUES (10, 1), (20, 1), (30, 0), (40, NULL), (NULL, 5)) t(v, w);

-- nothing, NULL, one, FILTER, grouping sets, windows
SELECT nurture.score_agg(score, outcome) IS NULL AS nothing, nurture.weighted_percentile(1, 1, 0.5) IS NULL AS no_percentile FROM scored WHERE false;
SELECT nurture.weighted_percentile(5, 0, 0.5) IS NULL AS no_weight;
SELECT * FROM nurture.score_quality(NULL);
SELECT measure, value, low, high FROM (SELECT nurture.score_agg(3, true)) e(s), nurture.score_quality(s);
SELECT * FROM (SELECT nurture.score_agg(0, true)) e(s), nurture.score_bands(s);
SELECT measure, value FROM (SELECT nurture.score_agg(v, v = 0) FROM (VALUES (0::float8), ('-0')) t(v)) e(s), nurture.score_quality(s) WHERE measure IN ('subjects', 'rate', 'log loss', 'Brier score');
SELECT g, value FROM (SELECT weight AS g, nurture.score_agg(score, outcome) FILTER (WHERE score > 0.9) AS s FROM scored WHERE weight < 2 GROUP BY GROUPING SETS (weight, ())) e,
    nurture.score_quality(s) WHERE measure = 'subjects' ORDER BY g;
SELECT value AS distinct_pairs FROM (SELECT nurture.score_agg(DISTINCT score, outcome) AS s FROM scored) e, nurture.score_quality(s) WHERE measure = 'subjects';
SELECT id, value FROM (SELECT id, nurture.score_agg(score, outcome) OVER (ORDER BY id ROWS 1 PRECEDING) AS s FROM scored WHERE id < 4) w, nurture.score_quality(s) WHERE measure = 'subjects' ORDER BY id;

-- binary form
CREATE TABLE copied (LIKE summary);
\copy summary TO 'results/scoring_quality.bin' (FORMAT binary)
\copy copied FROM 'results/scoring_quality.bin' (FORMAT binary)
SELECT c.s::text = s.s::text AS same FROM copied c, summary s;

-- what is refused
SELECT nurture.score_agg('NaN', true);
SELECT nurture.score_agg('Infinity', true);
SELECT nurture.score_bands(s, 0) FROM summary;
SELECT nurture.score_quality(s, 1) FROM summary;
SELECT nurture.calibration(nurture.score_agg(2, true));
SELECT nurture.weighted_percentile(1, -1, 0.5);
SELECT nurture.weighted_percentile(1, 1, 1.5);
SELECT nurture.weighted_percentile(1, 1, i / 10.0) FROM generate_series(1, 2) i;
SELECT '\x'::nurture.score_summary;
SELECT '\x0100'::nurture.score_summary;
SELECT '\x02'::nurture.score_summary;
SELECT '\x01010101'::nurture.score_summary;
SELECT '\x0101ffffffffffffffffff010101'::nurture.score_summary;
SELECT '\x010180808080808080808001010200'::nurture.score_summary;
-- hostile bytes by way of the binary protocol; the first are good
CREATE TABLE received (v nurture.score_summary);
\copy (SELECT '\x0101808080808080808080010200'::bytea) TO 'results/scoring_quality_hostile.bin' (FORMAT binary)
\copy received FROM 'results/scoring_quality_hostile.bin' (FORMAT binary)
\copy (SELECT '\x0101ff'::bytea) TO 'results/scoring_quality_hostile.bin' (FORMAT binary)
\copy received FROM 'results/scoring_quality_hostile.bin' (FORMAT binary)
\copy (SELECT '\x010180'::bytea) TO 'results/scoring_quality_hostile.bin' (FORMAT binary)
\copy received FROM 'results/scoring_quality_hostile.bin' (FORMAT binary)
SELECT * FROM received;
DROP TABLE received;
DROP TABLE scored, summary, copied, percentile;
