-- Experiments: summary, tests, sources. The references are R's, as cited in test/unit/experiment_test.cpp.
SET extra_float_digits = 0;
\set VERBOSITY terse

CREATE TABLE subject AS
SELECT i AS id, CASE WHEN i <= 1000 THEN 'control' ELSE 'new' END AS arm, CASE WHEN i <= 1000 THEN i <= 120 ELSE i <= 1150 END AS converted,
       (i * 7919 % 1001) / 4.0 AS value
FROM generate_series(1, 1980) i;
ANALYZE subject;
CREATE TABLE summary AS SELECT nurture.ab_test_agg(arm, converted) AS rates, nurture.ab_test_agg(arm, converted, value) AS measured FROM subject;

CREATE FUNCTION pg_temp.shown(x double precision) RETURNS numeric LANGUAGE sql RETURN round(x::numeric, 9);
-- chisq.test: 4.593770140 and 4.317328679; fisher.test: 0.035994989; prop.test's interval: 0.002832056 to 0.063290393
SELECT test, arm, versus, pg_temp.shown(estimate) AS estimate, pg_temp.shown(low) AS low, pg_temp.shown(high) AS high,
       pg_temp.shown(statistic) AS statistic, pg_temp.shown(df) AS df, pg_temp.shown(p_value) AS p_value, source
FROM summary, nurture.ab_test(rates);
SELECT a.* FROM summary, nurture.ab_arms(measured) a;
SELECT arm, count(*) AS n, count(*) FILTER (WHERE converted) AS conversions, count(value) AS measured, sum(value) AS total FROM subject GROUP BY arm ORDER BY arm;
-- means and ranks
SELECT test, arm, versus, pg_temp.shown(estimate) AS estimate, pg_temp.shown(low) AS low, pg_temp.shown(high) AS high,
       pg_temp.shown(statistic) AS statistic, pg_temp.shown(df) AS df, pg_temp.shown(p_value) AS p_value, source
FROM summary, nurture.ab_test(measured) WHERE test IN ('mean', 'Welch t', 'Mann-Whitney');
SELECT pg_temp.shown(avg(value) FILTER (WHERE arm = 'new') - avg(value) FILTER (WHERE arm = 'control')) AS difference,
       pg_temp.shown((avg(value) FILTER (WHERE arm = 'new') - avg(value) FILTER (WHERE arm = 'control'))
       / sqrt(var_samp(value) FILTER (WHERE arm = 'new') / count(*) FILTER (WHERE arm = 'new')
              + var_samp(value) FILTER (WHERE arm = 'control') / count(*) FILTER (WHERE arm = 'control'))) AS t FROM subject;
SELECT sum((n.value > c.value)::int + 0.5 * (n.value = c.value)::int) AS u FROM subject n, subject c WHERE n.arm = 'new' AND c.arm = 'control';
-- Student's sleep data (1908): t = -1.860813467, df = 17.776473516, p = 0.079394140
SELECT test, pg_temp.shown(statistic) AS t, pg_temp.shown(df) AS df, pg_temp.shown(p_value) AS p_value
FROM (SELECT nurture.ab_test_agg(arm, true, v) AS s FROM (
    SELECT '1', unnest('{0.7,-1.6,-0.2,-1.2,-0.1,3.4,3.7,0.8,0.0,2.0}'::numeric[]) UNION ALL
    SELECT '2', unnest('{1.9,0.8,1.1,0.1,-0.1,4.4,5.5,1.6,4.6,3.4}'::numeric[])) d(arm, v)) e, nurture.ab_test(s, control => '2') WHERE test = 'Welch t';

-- three arms, planned 60 : 20 : 20
SELECT test, arm, versus, pg_temp.shown(estimate) AS estimate, pg_temp.shown(statistic) AS statistic, pg_temp.shown(p_value) AS p_value
FROM (SELECT nurture.ab_test_agg(arm, i <= won) AS s FROM (VALUES ('a', 12, 100), ('b', 15, 98), ('c', 9, 103)) v(arm, won, n), generate_series(1, n) i) e,
     nurture.ab_test(s, control => 'c', expected => '{0.6,0.2,0.2}', confidence => 0.9)
WHERE test IN ('sample ratio mismatch', 'chi-squared, all arms', 'probability to be best', 'z, pooled');

-- the same bytes: in any order, in parallel, stored and rolled up
SELECT nurture.ab_test_agg(arm, converted, value ORDER BY id DESC)::text = measured::text AS any_order,
       nurture.ab_test_agg(arm, converted, value::float8)::text = measured::text AS float8_values
FROM subject, summary GROUP BY measured::text;
SELECT nurture.rollup(part)::text = (SELECT measured::text FROM summary) AS rolled_up
FROM (SELECT nurture.ab_test_agg(arm, converted, value)::text::nurture.ab_summary AS part FROM subject GROUP BY id % 13) parts;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
EXPLAIN (COSTS OFF) SELECT nurture.ab_test_agg(arm, converted, value) FROM subject;
SELECT nurture.ab_test_agg(arm, converted, value)::text = (SELECT measured::text FROM summary) AS parallel FROM subject;
SET max_parallel_workers_per_gather = 0;

-- nothing, NULL, one arm, one subject
SELECT nurture.ab_test_agg(arm, converted) IS NULL AS nothing FROM subject WHERE false;
SELECT nurture.ab_test_agg(NULL, converted) IS NULL AS no_arm FROM subject;
SELECT * FROM nurture.ab_test(NULL);
SELECT test, arm, estimate, low, high, p_value FROM (SELECT nurture.ab_test_agg('only', NULL, 7)) e(s), nurture.ab_test(s);
SELECT test, estimate, low, high, statistic, p_value FROM (SELECT nurture.ab_test_agg(a, true) FROM (VALUES ('a'), ('b')) v(a)) e(s), nurture.ab_test(s) WHERE versus IS NOT NULL;
SELECT arm, n, conversions FROM (SELECT nurture.ab_test_agg(arm, converted) FILTER (WHERE id % 2 = 0) AS s FROM subject) e, nurture.ab_arms(s);
SELECT g, a.* FROM (SELECT arm AS g, nurture.ab_test_agg(DISTINCT arm, converted) AS s FROM subject GROUP BY GROUPING SETS (arm, ())) e, nurture.ab_arms(s) a ORDER BY g, a.arm;
SELECT id, a.n FROM (SELECT id, nurture.ab_test_agg(arm, converted) OVER (ORDER BY id ROWS 2 PRECEDING) AS s FROM subject WHERE id < 5) w, nurture.ab_arms(s) a ORDER BY id;

-- binary form
CREATE TABLE copied (LIKE summary);
\copy summary TO 'results/experiment.bin' (FORMAT binary)
\copy copied FROM 'results/experiment.bin' (FORMAT binary)
SELECT c.rates::text = s.rates::text AND c.measured::text = s.measured::text AS same FROM copied c, summary s;

-- what is refused
SELECT nurture.ab_test(rates, control => 'other') FROM summary;
SELECT nurture.ab_test(rates, confidence => 1) FROM summary;
SELECT nurture.ab_test(rates, power => 'NaN') FROM summary;
SELECT nurture.ab_test(rates, confidence => NULL) FROM summary;
SELECT nurture.ab_test(rates, expected => '{1}') FROM summary;
SELECT nurture.ab_test(rates, expected => '{1,NULL}') FROM summary;
SELECT nurture.ab_test_agg('', true);
SELECT nurture.ab_test_agg('a' || i, true) FROM generate_series(1, 101) i;
SELECT nurture.ab_test_agg('a', true, 'Infinity'::float8);
SELECT ''::nurture.ab_summary;
SELECT '\x01'::nurture.ab_summary;
SELECT '\x0100'::nurture.ab_summary;
SELECT '\x02'::nurture.ab_summary;
SELECT '\x010101610a0b00'::nurture.ab_summary;
SELECT '\x010101ff0a0500'::nurture.ab_summary;
SELECT '\x010101610a05010a0b'::nurture.ab_summary;
SELECT '\x010101610a050000'::nurture.ab_summary;
-- hostile bytes by way of the binary protocol; the first are good
CREATE TABLE received (v nurture.ab_summary);
\copy (SELECT '\x010101610a0500'::bytea) TO 'results/experiment_hostile.bin' (FORMAT binary)
\copy received FROM 'results/experiment_hostile.bin' (FORMAT binary)
\copy (SELECT '\x010101ff0a0500'::bytea) TO 'results/experiment_hostile.bin' (FORMAT binary)
\copy received FROM 'results/experiment_hostile.bin' (FORMAT binary)
\copy (SELECT '\x010101610a050105ffffff7f'::bytea) TO 'results/experiment_hostile.bin' (FORMAT binary)
\copy received FROM 'results/experiment_hostile.bin' (FORMAT binary)
\copy (SELECT '\x01ff'::bytea) TO 'results/experiment_hostile.bin' (FORMAT binary)
\copy received FROM 'results/experiment_hostile.bin' (FORMAT binary)
SELECT * FROM received;
DROP TABLE received;
DROP TABLE subject, summary, copied;
