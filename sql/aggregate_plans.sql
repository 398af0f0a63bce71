-- Every aggregate gives the same to the last digit, however it is executed: sorted, hashed, spilled, in parallel, by
-- partitions, from rows in another order, over grouping sets and windows, and from parts that were stored.
SET timezone = 'UTC';
SET datestyle = 'ISO';

CREATE TABLE plan_event (contact int, team int, at timestamptz, type text, value numeric, flag boolean);
SELECT setseed(0.4) IS NULL AS seeded;
INSERT INTO plan_event
SELECT c, c % 7, CASE WHEN g % 50 > 0 THEN timestamptz '2026-01-01' + (random() * 2000)::int * interval '30 minutes' END,
       (ARRAY['view', 'cart', 'pay', 'ship', NULL])[1 + (random() * 4.999)::int % 5], round((random() * 100)::numeric, 2), random() < 0.3
  FROM (SELECT g, (power(random(), 2) * 1499)::int AS c FROM generate_series(1, 12000) g) x;
CREATE TABLE plan_backwards AS SELECT * FROM plan_event ORDER BY md5(plan_event::text);
CREATE TABLE plan_parts (LIKE plan_event) PARTITION BY RANGE (value);
CREATE TABLE plan_parts1 PARTITION OF plan_parts FOR VALUES FROM (MINVALUE) TO (30);
CREATE TABLE plan_parts2 PARTITION OF plan_parts FOR VALUES FROM (30) TO (70);
CREATE TABLE plan_parts3 PARTITION OF plan_parts FOR VALUES FROM (70) TO (MAXVALUE);
INSERT INTO plan_parts SELECT * FROM plan_event;
ANALYZE plan_event, plan_backwards, plan_parts;

CREATE TABLE plan_aggregate (what text, expression text);
INSERT INTO plan_aggregate VALUES
 ('funnel',              $$nurture.funnel(at, '1 day', type = 'view', type = 'cart', type = 'pay')$$),
 ('funnel_agg',          $$nurture.funnel_agg(at, '1 day', type = 'view', type = 'cart')$$),
 ('sequence_match',      $$nurture.sequence_match('(?1).*(?t<=86400)(?2)', at, type = 'view', type = 'pay')$$),
 ('sequence_count',      $$nurture.sequence_count('(?1)(?2)', at, type = 'view', type = 'pay')$$),
 ('sequence_events',     $$nurture.sequence_events('(?1).*(?2)', at, type = 'view', type = 'pay')$$),
 ('next_node',           $$nurture.next_node('forward', 'last_match', at, type, true, type = 'view', type = 'cart')$$),
 ('retention',           $$nurture.retention(flag, type = 'pay', value > 50)$$),
 ('cohort_agg',          $$nurture.cohort_agg(at, '1 week')$$),
 ('cohort_agg, begun',   $$nurture.cohort_agg(timestamptz '2026-01-10', at, '1 week')$$),
 ('path_agg',            $$nurture.path_agg(at, type)$$),
 ('attribution_agg',     $$nurture.attribution_agg(nurture.path_of(ARRAY[type, 'ad']), flag::int, CASE WHEN flag THEN value END)$$),
 ('decayed_sum',         $$nurture.decayed_sum(value, at, '14 days')$$),
 ('decayed_sum, float',  $$nurture.decayed_sum(value::float8, at, '14 days')$$),
 ('decayed_count',       $$nurture.decayed_count(at, '14 days')$$),
 ('decayed_avg',         $$nurture.decayed_avg(value, at, '14 days')$$),
 ('decayed_max',         $$nurture.decayed_max(value, at, '14 days')$$),
 ('sum',                 $$nurture.sum(nurture.decayed(value, at, '14 days'))$$),
 ('max',                 $$nurture.max(nurture.decayed(value, at, '14 days'))$$),
 ('rfm',                 $$nurture.rfm(at, value, '2026-01-20')$$),
 ('ab_test_agg',         $$nurture.ab_test_agg(type, flag, value)$$),
 ('score_agg',           $$nurture.score_agg(value::float8, flag)$$),
 ('weighted_percentile', $$nurture.weighted_percentile(value, value + 1, 0.9)$$),
 ('funnel_by',           $$nurture.funnel_by(type, at, '1 day', value < 30, value < 60, flag)$$),
 ('funnel_by, mode',     $$nurture.funnel_by(type, at, '1 day', 'strict_order, exclude 3', value < 30, value < 60, flag)$$),
 ('sequence_by',         $$nurture.sequence_by('(?1)(?2)', type, at, flag, NOT flag)$$),
 ('retention_by',        $$nurture.retention_by(type, flag, value > 50)$$),
 ('cohort_by',           $$nurture.cohort_by(type, at, '1 week')$$),
 ('attribution_by',      $$nurture.attribution_by(flag::int, at, type, (value > 50)::int, CASE WHEN value > 50 THEN value END, '3 days')$$);

-- What each aggregate says of each contact, or of each of few groups, as one digest.
CREATE FUNCTION pg_temp.answers(source text, by_what text DEFAULT 'contact') RETURNS TABLE (what text, groups bigint, said text) LANGUAGE plpgsql AS $$
DECLARE a record;
BEGIN
    FOR a IN SELECT * FROM plan_aggregate LOOP
        RETURN QUERY EXECUTE format('SELECT %L, count(*), md5(string_agg(concat(g, '':'', r), '' '' ORDER BY g)) FROM (SELECT %s AS g, (%s)::text AS r FROM %s GROUP BY 1) x',
                                    a.what, by_what, a.expression, source);
    END LOOP;
END $$;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || query INTO plan;
    RETURN concat_ws(', ', plan -> 0 -> 'Plan' ->> 'Strategy', plan -> 0 -> 'Plan' ->> 'Partial Mode',
                     CASE WHEN (plan -> 0 -> 'Plan' ->> 'HashAgg Batches')::int > 1 THEN 'spilled' END);
END $$;

SET max_parallel_workers_per_gather = 0;
SET enable_hashagg = off;
CREATE TABLE plan_expected AS
SELECT g AS by_what, a.* FROM unnest('{contact,team}'::text[]) g, pg_temp.answers('plan_event', g) a;
CREATE FUNCTION pg_temp.differences(source text, by_what text DEFAULT 'contact') RETURNS text LANGUAGE sql AS $$
    WITH o AS MATERIALIZED (SELECT * FROM pg_temp.answers(source, by_what))
    SELECT format('%s of %s differ: %s', count(*) FILTER (WHERE d), count(*), coalesce(string_agg(what, ', ') FILTER (WHERE d), 'none'))
      FROM (SELECT e.what, (o.groups, o.said) IS DISTINCT FROM (e.groups, e.said) AS d FROM plan_expected e LEFT JOIN o USING (what)
             WHERE e.by_what = differences.by_what) x
$$;
SELECT count(*) AS aggregates, min(groups) > 1000 AS many_groups, count(DISTINCT said) AS different_answers FROM plan_expected WHERE by_what = 'contact';
SELECT pg_temp.plan_of('SELECT contact, nurture.funnel(at, ''1 day'', true) FROM plan_event GROUP BY contact');
SELECT pg_temp.differences('plan_backwards'), pg_temp.differences('plan_backwards', 'team');
RESET enable_hashagg;

SET enable_sort = off;
SELECT pg_temp.plan_of('SELECT contact, nurture.funnel(at, ''1 day'', true) FROM plan_event GROUP BY contact');
SELECT pg_temp.differences('plan_event');
SET work_mem = '64kB';
SELECT pg_temp.plan_of('SELECT contact, nurture.funnel(at, ''1 day'', true) FROM plan_event GROUP BY contact');
SELECT pg_temp.differences('plan_event');
RESET work_mem;
RESET enable_sort;

SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS OFF) SELECT team, nurture.decayed_sum(value, at, '14 days') FROM plan_parts GROUP BY team;
SELECT pg_temp.differences('plan_parts'), pg_temp.differences('plan_parts', 'team');
RESET enable_partitionwise_aggregate;

SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT team, nurture.decayed_sum(value, at, '14 days') FROM plan_event GROUP BY team;
SELECT pg_temp.differences('plan_event'), pg_temp.differences('plan_event', 'team');
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.differences('plan_parts'), pg_temp.differences('plan_parts', 'team');
RESET enable_partitionwise_aggregate;
SET max_parallel_workers_per_gather = 0;

-- Grouping sets, FILTER and a window whose frame is the whole partition: each the same as a group of its own.
CREATE FUNCTION pg_temp.also(template text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE a record; n bigint; wrong text[] := '{}'; tried int := 0;
BEGIN
    FOR a IN SELECT * FROM plan_aggregate LOOP
        EXECUTE replace(template, '@', a.expression) INTO n;
        tried := tried + 1;
        IF n > 0 THEN wrong := wrong || a.what; END IF;
    END LOOP;
    RETURN format('%s tried, wrong: %s', tried, wrong);
END $$;
SELECT pg_temp.also($$SELECT count(*) FROM (SELECT team AS g, (@)::text AS r FROM plan_event GROUP BY GROUPING SETS (team, ())) s
    LEFT JOIN (SELECT team AS g, (@)::text AS r FROM plan_event GROUP BY 1 UNION ALL SELECT NULL, (@)::text FROM plan_event) e
    ON e.g IS NOT DISTINCT FROM s.g WHERE e.r IS DISTINCT FROM s.r$$) AS grouping_sets;
SELECT pg_temp.also($$SELECT count(*) FROM (SELECT (@ FILTER (WHERE contact < 500))::text AS r FROM plan_event) s,
    (SELECT (@)::text AS r FROM plan_event WHERE contact < 500) e WHERE e.r IS DISTINCT FROM s.r$$) AS filter;
SELECT pg_temp.also($$SELECT count(*) FROM (SELECT DISTINCT team AS g, (@ OVER (PARTITION BY team))::text AS r FROM plan_event WHERE contact < 300) s
    FULL JOIN (SELECT team AS g, (@)::text AS r FROM plan_event WHERE contact < 300 GROUP BY 1) e USING (g) WHERE e.r IS DISTINCT FROM s.r$$) AS over;
-- A frame that grows and one that moves.
SELECT pg_temp.also($$SELECT count(*) FROM (SELECT n, (@ OVER (ORDER BY n))::text AS r FROM (SELECT *, row_number() OVER (ORDER BY at, type, value, contact) AS n FROM plan_event WHERE contact BETWEEN 400 AND 409) e) s,
    LATERAL (SELECT (@)::text AS r FROM (SELECT *, row_number() OVER (ORDER BY at, type, value, contact) AS n FROM plan_event WHERE contact BETWEEN 400 AND 409) e WHERE e.n <= s.n) e
    WHERE e.r IS DISTINCT FROM s.r$$) AS growing;
SELECT pg_temp.also($$SELECT count(*) FROM (SELECT n, (@ OVER (ORDER BY n ROWS 4 PRECEDING))::text AS r FROM (SELECT *, row_number() OVER (ORDER BY at, type, value, contact) AS n FROM plan_event WHERE contact BETWEEN 400 AND 409) e) s,
    LATERAL (SELECT (@)::text AS r FROM (SELECT *, row_number() OVER (ORDER BY at, type, value, contact) AS n FROM plan_event WHERE contact BETWEEN 400 AND 409) e WHERE e.n BETWEEN s.n - 4 AND s.n) e
    WHERE e.r IS DISTINCT FROM s.r$$) AS moving;
-- Nothing; and rows of NULLs among the others, which change nothing (but to attribution_agg each row is a path).
SELECT pg_temp.also($$SELECT count(*) FROM (SELECT (@)::text AS r FROM plan_event WHERE false) s, (SELECT (@ FILTER (WHERE false))::text AS r FROM plan_event) e WHERE e.r IS DISTINCT FROM s.r$$) AS nothing;
SELECT pg_temp.also($$SELECT count(*) FROM (SELECT (@)::text AS r FROM (SELECT * FROM plan_event UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL FROM generate_series(1, 3)) e) s,
    (SELECT (@)::text AS r FROM plan_event) e WHERE e.r IS DISTINCT FROM s.r$$) AS nulls;

-- Parts that were stored: added up they are the whole.
CREATE TABLE plan_stored AS
SELECT contact, type AS part, nurture.funnel_agg(at, '1 day', type = 'view', type = 'cart') AS f,
       nurture.attribution_agg(nurture.path_of(ARRAY[type, 'ad']), flag::int, CASE WHEN flag THEN value END) AS a,
       nurture.ab_test_agg(type, flag, value) AS e, nurture.score_agg(value::float8, flag) AS s, nurture.decayed_sum(value, at, '14 days') AS d, nurture.decayed_max(value, at, '14 days') AS m
  FROM plan_event GROUP BY 1, 2;
SELECT count(*) AS contacts, count(*) FILTER (WHERE f IS DISTINCT FROM wf) AS funnels, count(*) FILTER (WHERE a IS DISTINCT FROM wa) AS attribution, count(*) FILTER (WHERE e IS DISTINCT FROM we) AS experiments,
       count(*) FILTER (WHERE s IS DISTINCT FROM ws) AS scores, count(*) FILTER (WHERE d IS DISTINCT FROM wd) AS sums, count(*) FILTER (WHERE m IS DISTINCT FROM wm) AS maxima
  FROM (SELECT contact, nurture.rollup(f)::text AS f, nurture.rollup(a)::text AS a, nurture.rollup(e)::text AS e, nurture.rollup(s)::text AS s, nurture.sum(d)::text AS d, nurture.max(m)::text AS m FROM plan_stored GROUP BY contact) p
  FULL JOIN (SELECT contact, nurture.funnel_agg(at, '1 day', type = 'view', type = 'cart')::text AS wf,
                    nurture.attribution_agg(nurture.path_of(ARRAY[type, 'ad']), flag::int, CASE WHEN flag THEN value END)::text AS wa, nurture.ab_test_agg(type, flag, value)::text AS we,
                    nurture.score_agg(value::float8, flag)::text AS ws, nurture.decayed_sum(value, at, '14 days')::text AS wd, nurture.decayed_max(value, at, '14 days')::text AS wm
               FROM plan_event GROUP BY contact) w USING (contact);
DROP TABLE plan_event, plan_backwards, plan_parts, plan_aggregate, plan_expected, plan_stored;
