-- nurture.schedule: text and binary form, order, errors, and when it comes round where clocks change.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
-- Canonical text; written again it is the same.
SELECT t AS typed, t::nurture.schedule AS kept, t::nurture.schedule::text::nurture.schedule::text = t::nurture.schedule::text AS stable
FROM unnest(ARRAY['0 9 * * mon-fri Europe/Rome', E'  0\t9 * *   MON-Fri\n', '@daily', '@hourly Asia/Kathmandu', '*/5 0-6,22 1,15 jan-MAR/2 7 America/New_York']) t;
-- What is wrong, where, and what it should be.
SELECT ''::nurture.schedule;
SELECT '0 9 * *'::nurture.schedule;
SELECT '0 24 * * mon Europe/Rome'::nurture.schedule;
SELECT '0 9 * * mon,someday Europe/Rome'::nurture.schedule;
SELECT '0 9 * * mon Europe/Roma'::nurture.schedule;
SELECT '0 9 * * mon Europe/Rome UTC'::nurture.schedule;
SELECT '@often Europe/Rome'::nurture.schedule;
SELECT '0 0 30 2 * UTC'::nurture.schedule;
SELECT '0 9 * * mön'::nurture.schedule;
SELECT (repeat('1,', 600) || '1 * * * *')::nurture.schedule;

-- When it comes next: after, not at.
SELECT nurture.next_run('0 9 * * mon Europe/Rome', '2026-11-22'), nurture.next_run('0 9 * * mon Europe/Rome', '2026-11-23 08:00'), nurture.next_run('@daily', '2026-11-23 07:59:59.999999');
SELECT nurture.next_run('0 9 * * *', 'infinity') IS NULL AS never, nurture.next_run(NULL, '2026-01-01') IS NULL AS of_null, nurture.next_run('* * * * *') - now() <= interval '1 minute' AS from_now;
SELECT nurture.next_run('0 12 29 2 * Europe/Rome', '2096-03-01');
SELECT nurture.next_run('0 9 * * *', '-infinity');
SELECT nurture.next_run('0 9 * * *', '10000-01-01');
SELECT * FROM nurture.runs('0 9 * * mon Europe/Rome', '2026-03-16 08:00', '2026-03-30 07:00'); -- the first counts, the last does not
SELECT nurture.runs('30 7 * * * Asia/Kathmandu', '2026-01-01', '2026-01-03') AT TIME ZONE 'Asia/Kathmandu' AS local;
SELECT count(*) FROM nurture.runs('* * * * *', '2026-01-01', '2026-01-01');
SELECT count(*) FROM nurture.runs('* * * * *', '2026-01-02', '2026-01-01');
SELECT nurture.runs('* * * * *', '-infinity', '2026-01-01');
SELECT nurture.runs('* * * * *', '2026-01-01', 'infinity');

-- Where clocks change, as Debian's cron: fixed times once, at the first minute that shows the time or, where it is left out, a later one; with *
-- as the clock shows. The oracle walks through the minutes and asks the server what the clock shows.
CREATE TEMP TABLE plan (cron text, zone text, begins timestamptz, wild boolean);
INSERT INTO plan VALUES
    ('30 2 * * *', 'Europe/Rome', '2026-03-27', false), ('30 2 * * *', 'Europe/Rome', '2026-10-23', false), ('0,30 2 * * *', 'Europe/Rome', '2026-10-23', false),
    ('*/30 2 * * *', 'Europe/Rome', '2026-03-27', true), ('*/30 2 * * *', 'Europe/Rome', '2026-10-23', true),
    ('15 2 * * *', 'America/New_York', '2026-03-06', false), ('30 1 * * *', 'America/New_York', '2026-10-30', false), ('*/20 1 * * *', 'America/New_York', '2026-10-30', true),
    ('0 0 * * *', 'America/Sao_Paulo', '2018-11-02', false), ('30 23 * * *', 'America/Sao_Paulo', '2018-02-16', false),
    ('30 2 * * *', 'Australia/Lord_Howe', '2026-10-02', false), ('15 2 * * *', 'Australia/Lord_Howe', '2026-10-02', false), ('45 1 * * *', 'Australia/Lord_Howe', '2026-04-03', false),
    ('*/15 1 * * *', 'Australia/Lord_Howe', '2026-04-03', true);
CREATE TEMP TABLE shown AS
SELECT p.*, m.at, m.at AT TIME ZONE p.zone AS local FROM plan p CROSS JOIN LATERAL generate_series(p.begins - interval '1 day', p.begins + interval '4 days', '1 minute') m (at);
CREATE TEMP TABLE expected AS
SELECT s.cron, s.zone, s.begins, s.at FROM shown s
WHERE s.wild AND extract(hour FROM s.local) = split_part(s.cron, ' ', 2)::int AND extract(minute FROM s.local)::int % substr(split_part(s.cron, ' ', 1), 3)::int = 0
UNION
SELECT p.cron, p.zone, p.begins, (SELECT min(s.at) FROM shown s WHERE (s.cron, s.zone, s.begins) = (p.cron, p.zone, p.begins) AND s.local >= d.day + make_time(split_part(p.cron, ' ', 2)::int, minute::int, 0))
FROM plan p, regexp_split_to_table(split_part(p.cron, ' ', 1), ',') minute,
     LATERAL (SELECT generate_series((p.begins AT TIME ZONE p.zone)::date, (p.begins AT TIME ZONE p.zone)::date + 4, '1 day')::date AS day) d WHERE NOT p.wild;
SELECT p.cron, p.zone, to_char(p.begins, 'YYYY-MM-DD') AS begins, f.runs, f.too_many, f.missing
FROM plan p CROSS JOIN LATERAL (
    SELECT count(r.at) AS runs, count(*) FILTER (WHERE e.at IS NULL) AS too_many, count(*) FILTER (WHERE r.at IS NULL) AS missing
    FROM (SELECT r.at FROM nurture.runs((p.cron || ' ' || p.zone)::nurture.schedule, p.begins, p.begins + interval '3 days') r) r
    FULL JOIN (SELECT e.at FROM expected e WHERE (e.cron, e.zone, e.begins) = (p.cron, p.zone, p.begins) AND e.at >= p.begins AND e.at < p.begins + interval '3 days') e ON e.at = r.at) f
ORDER BY 1, 2, 3;
-- For the eye: the night in which Rome's clock is put back.
SELECT s, r.at, r.at AT TIME ZONE 'Europe/Rome' AS shown
FROM unnest(ARRAY['30 2 * * * Europe/Rome', '*/30 2 * * * Europe/Rome']::nurture.schedule[]) s CROSS JOIN LATERAL nurture.runs(s, '2026-10-24 22:00', '2026-10-25 22:00') r;

-- In tables: keys, indexes, joins, binary copies.
CREATE TEMP TABLE job (name text, schedule nurture.schedule UNIQUE);
INSERT INTO job VALUES ('news', '0 9 * * mon Europe/Rome'), ('night', '@daily Asia/Kathmandu'), ('tea', '0 17 * * *');
INSERT INTO job VALUES ('again', '0  9 * * MON Europe/Rome');
CREATE INDEX ON job USING hash (schedule);
SET search_path = public, nurture;
SELECT name, schedule FROM job ORDER BY schedule;
SELECT count(*) FROM job a JOIN job b USING (schedule);
SELECT name FROM job WHERE schedule = '0 0 * * * Asia/Kathmandu';
RESET search_path;
CREATE TEMP TABLE copied (LIKE job);
DO $$
DECLARE
    file text := format('/tmp/nurture_schedule_%s.copy', pg_backend_pid());
BEGIN
    EXECUTE format('COPY job TO %L (FORMAT binary)', file);
    EXECUTE format('COPY copied FROM %L (FORMAT binary)', file);
    EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'rm -f ' || file);
END
$$;
SELECT count(*) FROM job a JOIN copied b ON a.name = b.name AND a.schedule::text = b.schedule::text;
SELECT name, nurture.next_run(schedule, '2026-11-22') FROM copied ORDER BY 2;
