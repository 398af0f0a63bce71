-- Waits and schedules on the calendar, where clocks change, on 29 February and at the turn of the year. The oracle knows nothing but what
-- the server's clock shows at each minute (AT TIME ZONE of a moment): where a local time lies is found by walking through the minutes.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;

-- What is waited for. Those with hours have a beginning and, if they are a stretch of time, an end; days: by number from Monday, 1.
CREATE TEMP TABLE wait_kind (kind text, text text, from_time time, to_time time, days int[]);
INSERT INTO wait_kind VALUES
    ('w01', 'until 02:30', '02:30', NULL, '{1,2,3,4,5,6,7}'),
    ('w02', 'until 00:00', '00:00', NULL, '{1,2,3,4,5,6,7}'),
    ('w03', 'until 01:30', '01:30', NULL, '{1,2,3,4,5,6,7}'),
    ('w04', 'until 23:59', '23:59', NULL, '{1,2,3,4,5,6,7}'),
    ('w05', 'until sunday at 02:30', '02:30', NULL, '{7}'),
    ('w06', 'until saturday or tuesday at 00:00', '00:00', NULL, '{2,6}'),
    ('w07', 'until business day at 09:00', '09:00', NULL, '{1,2,3,4,5}'),
    ('w08', 'until sunday', '00:00', '00:00', '{7}'),
    ('w09', 'until business day', '00:00', '00:00', '{1,2,3,4,5}'),
    ('w10', 'until between 02:00 and 03:00', '02:00', '03:00', '{1,2,3,4,5,6,7}'),
    ('w11', 'until between 22:00 and 06:00', '22:00', '06:00', '{1,2,3,4,5,6,7}'),
    ('w12', 'until business day between 09:00 and 17:00', '09:00', '17:00', '{1,2,3,4,5}'),
    ('w13', 'until saturday between 23:00 and 01:30', '23:00', '01:30', '{6}');
-- Those that are moved on the calendar: from the beginning, or from the attribute joined.
CREATE TEMP TABLE move_kind (kind text, text text, by interval, from_joined boolean, at_time time);
INSERT INTO move_kind VALUES
    ('m01', '1 day', '1 day', false, NULL),
    ('m02', '1 week', '7 days', false, NULL),
    ('m03', '1 month', '1 month', false, NULL),
    ('m04', '12 months', '12 months', false, NULL),
    ('m05', '1 month 1 day', '1 month 1 day', false, NULL),
    ('m06', '24 hours', NULL, false, NULL), -- exact
    ('m07', 'until 1 day after joined', '1 day', true, NULL),
    ('m08', 'until 3 days before joined at 02:30', '-3 days', true, '02:30'),
    ('m09', 'until 12 months after joined at 00:00', '12 months', true, '00:00');
INSERT INTO nurture.workflow (name, definition)
SELECT kind, format('on %s wait %s do ''%s''', kind, text, kind)::nurture.workflow_definition FROM (SELECT kind, text FROM wait_kind UNION ALL SELECT kind, text FROM move_kind) k;

CREATE TEMP TABLE zone (zone text);
INSERT INTO zone VALUES ('Europe/Rome'), ('America/New_York'), ('America/Sao_Paulo'), ('Asia/Kathmandu');
CREATE TEMP TABLE begin AS SELECT unnest(ARRAY[
    '2018-02-17 23:40', '2018-02-18 01:30', '2018-02-18 01:59', '2018-02-18 02:00', '2018-02-18 02:30', -- São Paulo: 23:00 to 24:00 twice
    '2018-11-03 03:00', '2018-11-03 14:10', '2018-11-04 02:59', '2018-11-04 03:00',                     -- São Paulo: midnight to 01:00 left out
    '2026-03-08 00:30', '2026-03-08 06:59', '2026-03-08 07:00', '2026-10-31 05:30', '2026-11-01 05:30', '2026-11-01 06:00', '2026-11-01 06:30', -- New York
    '2026-03-28 01:30', '2026-03-28 23:00', '2026-03-29 00:59', '2026-03-29 01:00', '2026-02-28 12:30', -- Rome, forward
    '2026-10-24 00:30', '2026-10-24 23:59', '2026-10-25 00:30', '2026-10-25 00:59', '2026-10-25 01:00', '2026-10-25 01:30', -- Rome, back
    '2026-01-01 18:14', '2026-01-01 18:15', '2027-12-31 18:20', '2027-12-31 22:59', '2027-12-31 23:59', '2028-01-01 00:00', -- years
    '2028-01-31 10:00', '2028-02-28 20:45', '2028-02-29 12:00', '2028-02-29 23:30', '2027-02-28 12:00'])::timestamptz AS begin;
CREATE TEMP TABLE story AS
SELECT format('%s %s %s', z.zone, to_char(b.begin, 'YYYY-MM-DD HH24:MI'), k.kind) AS contact, z.zone, b.begin, k.kind,
       (b.begin AT TIME ZONE z.zone)::date + 5 AS joined
FROM zone z, begin b, (SELECT kind FROM wait_kind UNION ALL SELECT kind FROM move_kind) k;
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT contact, '$identify', jsonb_build_object('timezone', zone, 'joined', joined), begin, begin FROM story ORDER BY begin;
INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT contact, kind, begin, begin FROM story ORDER BY begin;

-- Schedules, for somebody who is there all the time.
CREATE TEMP TABLE plan (kind text, cron text, zone text, begins date, ends date, wild boolean);
INSERT INTO plan VALUES
    ('s01', '30 2 * * *', 'Europe/Rome', '2026-03-27', '2026-03-31', false), ('s02', '30 2 * * *', 'Europe/Rome', '2026-10-23', '2026-10-27', false),
    ('s03', '*/30 2 * * *', 'Europe/Rome', '2026-03-27', '2026-03-31', true), ('s04', '*/30 2 * * *', 'Europe/Rome', '2026-10-23', '2026-10-27', true),
    ('s05', '15 2 * * *', 'America/New_York', '2026-03-06', '2026-03-10', false), ('s06', '30 1 * * *', 'America/New_York', '2026-10-30', '2026-11-03', false),
    ('s07', '0 0 * * *', 'America/Sao_Paulo', '2018-11-02', '2018-11-06', false), ('s08', '30 23 * * *', 'America/Sao_Paulo', '2018-02-15', '2018-02-20', false),
    ('s09', '45 5 1 1 *', 'Asia/Kathmandu', '2018-06-01', '2028-12-31', false), ('s10', '0 12 29 2 *', 'Europe/Rome', '2018-06-01', '2028-12-31', false),
    ('s11', '59 23 31 12 *', 'America/New_York', '2018-06-01', '2028-12-31', false);
INSERT INTO nurture.segment (name, condition) VALUES ('clock', 'did hello');
INSERT INTO nurture.workflow (name, definition)
SELECT kind, format('on schedule ''%s'' in time zone ''%s'' from %s until %s for segment ''clock'' re-enter always do ''%s''', cron, zone, begins, ends, kind)::nurture.workflow_definition FROM plan;
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('clock', 'hello', '2018-01-01', '2018-01-01');
CALL nurture.tick('2030-01-01');
SELECT (SELECT count(*) FROM nurture.inbox) AS waiting, (SELECT count(*) FROM nurture.rejected_event) AS rejected, (SELECT count(*) FROM nurture.quarantine) AS quarantined;

-- The oracle. The first moment at which the clock shows that time, or a later one.
CREATE FUNCTION pg_temp.walk(zone text, local timestamp) RETURNS timestamptz LANGUAGE sql STABLE AS $$
SELECT min(t) FROM generate_series((local AT TIME ZONE 'UTC') - interval '380 minutes', (local AT TIME ZONE 'UTC') + interval '6 hours', '1 minute') t
WHERE t AT TIME ZONE zone >= local $$;
CREATE TEMP TABLE shown AS
SELECT z.zone, l.local, pg_temp.walk(z.zone, l.local) AS at
FROM zone z CROSS JOIN LATERAL (
    SELECT DISTINCT d + t AS local
    FROM (SELECT DISTINCT (b.begin AT TIME ZONE z.zone)::date + n AS d FROM begin b, generate_series(-2, 9) n) d,
         (SELECT from_time AS t FROM wait_kind UNION SELECT to_time FROM wait_kind WHERE to_time IS NOT NULL) t) l;
CREATE INDEX ON shown (zone, local);
-- Where a stretch ends before it begins, it ends the next day.
CREATE TEMP TABLE expected AS
SELECT s.contact, s.kind, CASE WHEN bool_or(k.to_time IS NOT NULL AND s.begin >= f.at AND s.begin < e.at) THEN s.begin
                               ELSE min(f.at) FILTER (WHERE f.at > s.begin AND (k.to_time IS NULL OR e.at > f.at)) END AS due
FROM story s JOIN wait_kind k USING (kind)
CROSS JOIN LATERAL (SELECT (s.begin AT TIME ZONE s.zone)::date + n AS day FROM generate_series(-1, 8) n) d
JOIN shown f ON f.zone = s.zone AND f.local = d.day + k.from_time
LEFT JOIN shown e ON e.zone = s.zone AND e.local = d.day + k.to_time + CASE WHEN k.to_time <= k.from_time THEN interval '1 day' ELSE interval '0' END
WHERE extract(isodow FROM d.day) = ANY (k.days)
GROUP BY s.contact, s.kind, s.begin;
-- A local time that is left out is as far behind the change as it would have been before it; one that comes twice is the first.
CREATE FUNCTION pg_temp.moved(zone text, local timestamp) RETURNS timestamptz LANGUAGE sql STABLE AS $$
SELECT CASE WHEN w.at AT TIME ZONE zone = local THEN w.at
            ELSE w.at + (local - ((w.at - interval '1 minute') AT TIME ZONE zone + interval '1 minute')) END
FROM (SELECT pg_temp.walk(zone, local) AS at) w $$;
INSERT INTO expected
SELECT s.contact, s.kind, CASE WHEN k.by IS NULL THEN s.begin + interval '24 hours'
                               WHEN k.from_joined THEN greatest(s.begin, CASE WHEN k.at_time IS NULL THEN pg_temp.moved(s.zone, s.joined + k.by)
                                                                              ELSE pg_temp.walk(s.zone, (s.joined + k.by)::date + k.at_time) END)
                               ELSE pg_temp.moved(s.zone, (s.begin AT TIME ZONE s.zone) + k.by) END
FROM story s JOIN move_kind k USING (kind);
SELECT count(*) AS stories, count(e.due) AS expected, count(a.due) AS found, count(*) FILTER (WHERE a.due IS DISTINCT FROM e.due) AS differ
FROM story s LEFT JOIN expected e USING (contact) LEFT JOIN nurture.action a USING (contact);
SELECT e.contact, e.due AS expected, a.due AS found FROM expected e LEFT JOIN nurture.action a USING (contact) WHERE a.due IS DISTINCT FROM e.due ORDER BY 1 LIMIT 10;

-- What the local clock shows then, for the eye.
SELECT to_char(s.begin AT TIME ZONE s.zone, 'Dy DD Mon HH24:MI') AS from_local, w.text AS wait, to_char(a.due AT TIME ZONE s.zone, 'Dy DD Mon HH24:MI') AS until_local, a.due
FROM story s JOIN nurture.action a USING (contact) JOIN (SELECT kind, text FROM wait_kind UNION ALL SELECT kind, text FROM move_kind) w ON w.kind = s.kind
WHERE (s.zone, s.begin) IN (('Europe/Rome', '2026-03-28 01:30'), ('America/Sao_Paulo', '2018-11-03 14:10'), ('America/New_York', '2028-02-29 12:00')) ORDER BY s.zone, s.begin, s.kind;

-- Schedules: of fixed hours once a day, at the first moment that shows the time or a later one; with * as the clock shows.
CREATE TEMP TABLE planned AS
SELECT p.kind, pg_temp.walk(p.zone, d + (split_part(p.cron, ' ', 2) || ':' || split_part(p.cron, ' ', 1))::time) AS due
FROM plan p CROSS JOIN LATERAL (SELECT (begins + n)::timestamp AS d FROM generate_series(0, ends - begins) n) d
WHERE NOT p.wild AND split_part(p.cron, ' ', 3) IN ('*', extract(day FROM d)::text) AND split_part(p.cron, ' ', 4) IN ('*', extract(month FROM d)::text)
UNION ALL
SELECT p.kind, t FROM plan p CROSS JOIN LATERAL generate_series((p.begins - 1)::timestamptz, (p.ends + 2)::timestamptz, '1 minute') s (t)
WHERE p.wild AND (t AT TIME ZONE p.zone)::date BETWEEN p.begins AND p.ends AND to_char(t AT TIME ZONE p.zone, 'HH24') = '02' AND extract(minute FROM t AT TIME ZONE p.zone) IN (0, 30);
SELECT p.kind, p.cron, p.zone, count(x.due) AS expected, count(a.due) AS found, count(*) FILTER (WHERE a.due IS DISTINCT FROM x.due) AS differ
FROM plan p JOIN (planned x FULL JOIN (SELECT channel, due FROM nurture.action WHERE contact = 'clock') a ON a.channel = x.kind AND a.due = x.due)
    ON p.kind = coalesce(x.kind, a.channel) GROUP BY 1, 2, 3 ORDER BY 1;
