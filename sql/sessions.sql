-- Sessions, stays and touches: against naive SQL, against the conditions, in any order of arrival, one contact at a time.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
SET nurture.enabled = off; -- the clock is simulated
SELECT nurture.session_gap();

-- By hand: what belongs to a session, which page comes first, how long somebody stayed.
INSERT INTO nurture.segment (name, condition) VALUES
    ('in session', 'in session'),
    ('new', 'new visitor'), ('returning', 'returning visitor'),
    ('two minutes on pricing', 'dwell(page_view where path = ''/pricing'') >= 2 minutes');
INSERT INTO nurture.inbox (contact, type, props, at, received_at) SELECT contact, type, props::jsonb, at, at FROM (VALUES
    ('anna', 'page_view', '{"path": "/", "utm": {"source": "ads", "campaign": "may"}}', timestamptz '2026-03-02 09:00'),
    ('anna', '$identify', '{"plan": "free"}',                                             '2026-03-02 09:00:30'),
    ('anna', 'page_view', '{"path": "/pricing"}',                                         '2026-03-02 09:01'),
    ('anna', 'click',     '{"path": "not a page"}',                                       '2026-03-02 09:03'),
    ('anna', 'page_view', '{"url": "https://x.org/faq", "seconds": "12.5"}',              '2026-03-02 09:33'), -- exactly the gap
    ('anna', 'page_view', '{"path": "/late"}',                                            '2026-03-02 10:03:00.000001'),
    ('anna', 'purchase',  '{"utm": {"source": "mail", "medium": "email"}}',               '2026-03-02 10:04'),
    ('bert', 'signup',    '{"utm": {}, "seconds": 3}',                                    '2026-03-02 09:00')) e (contact, type, props, at);
CALL nurture.tick('2026-03-02 11:00');
SELECT n, started, ended, events, pages, entry_page, exit_page, seconds, utm, visitor FROM nurture.session WHERE contact = 'anna' ORDER BY n;
SELECT session, at::time AS at, page, seconds, told FROM nurture.page_dwell WHERE contact = 'anna' ORDER BY at;
SELECT contact, n, events, pages, entry_page, seconds, utm FROM nurture.session WHERE contact = 'bert';
SELECT contact, touches, first_at::time AS first_at, first_source, first_campaign, last_at::time AS last_at, last_source, last_medium, last_campaign
FROM nurture.touch ORDER BY contact;
-- A session is over the instant after its gap, whatever the tick's moment.
SELECT contact, kind, name, at, cause FROM nurture.transition WHERE contact = 'anna' ORDER BY tick, n;

-- Other events are pages where the policy says so; another gap makes other sessions.
SET nurture.page_events = 'screen, click';
SELECT entry_page, pages FROM nurture.session WHERE contact = 'anna' AND n = 1;
RESET nurture.page_events;
SET nurture.session_gap = '29min';
SELECT n, events FROM nurture.session WHERE contact = 'anna' ORDER BY n;
RESET nurture.session_gap;

-- Conditions that cannot be.
INSERT INTO nurture.segment (name, condition) VALUES ('bad', 'sessions(any event, gap 1 month) > 1');
INSERT INTO nurture.segment (name, condition) VALUES ('bad', 'dwell(page_view) > 1 month');
INSERT INTO nurture.segment (name, condition) VALUES ('bad', 'did page_view where new visitor');
INSERT INTO nurture.segment (name, condition) VALUES ('bad', 'in session(page_view within 1 day)');

-- Leaving a session starts a journey, at its moment.
INSERT INTO nurture.workflow (name, definition) VALUES ('after the visit', 'on leaving segment ''in session'' do ''note''');
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('cleo', 'page_view', '2026-03-02 12:00', '2026-03-02 12:00'),
    ('cleo', 'page_view', '2026-03-02 12:30', '2026-03-02 12:30');
CALL nurture.tick('2026-03-02 13:00');
SELECT count(*) AS too_early FROM nurture.action WHERE workflow = 'after the visit';
CALL nurture.tick('2026-03-03');
SELECT contact, channel, due FROM nurture.action WHERE workflow = 'after the visit';

-- Random visits of many contacts, on a grid of times that makes ties and gaps of exactly the limit. Those of a contact a… arrive
-- in order; b… is told the same in the opposite order, c… from history.
CREATE TABLE visit (who int, at timestamptz, type text, props jsonb, place int);
SELECT setseed(0.4) IS NULL AS seeded;
INSERT INTO visit
SELECT e.who, timestamptz '2026-03-03' + e.minute * interval '1 minute', e.type,
       jsonb_strip_nulls(jsonb_build_object(CASE WHEN random() < 0.8 THEN 'path' ELSE 'url' END, (ARRAY['/a', '/b', '/c', NULL])[1 + floor(random() * 4)::int],
           'seconds', (ARRAY['5', '"30.5"', '-1', '"long"', 'true'])[1 + floor(random() * 14)::int]::jsonb,
           'utm', CASE WHEN random() < 0.2 THEN jsonb_build_object('source', (ARRAY['ads', 'mail'])[1 + floor(random() * 2)::int], 'medium', e.minute) END)),
       row_number() OVER (PARTITION BY e.who, e.minute ORDER BY random())
FROM (SELECT w.who, floor(random() * 60)::int * 10 AS minute, (ARRAY['page_view', 'page_view', 'click', '$sent'])[1 + floor(random() * 4)::int] AS type
      FROM generate_series(1, 60) w (who), generate_series(1, 15)) e;
DELETE FROM visit WHERE place > 1 AND type = 'page_view'; -- of pages at the same instant the order of arrival would decide
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT 'a' || who, type, props, at, at FROM visit ORDER BY at, place;
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT 'b' || who, type, props, at, '2026-03-05 00:00' FROM visit ORDER BY at DESC, place;
INSERT INTO nurture.history (contact, type, props, at, received_at)
SELECT 'c' || who, type, props, at, '2026-03-05 00:00' FROM visit ORDER BY md5(who || at::text || place);
INSERT INTO nurture.segment (name, condition)
SELECT 'sessions ' || n, format('sessions(any event) = %s', n)::nurture.condition FROM generate_series(1, 12) n
UNION ALL SELECT 'short gap ' || n, format('sessions(any event, gap 20 minutes) = %s', n)::nurture.condition FROM generate_series(1, 15) n
UNION ALL SELECT 'entry ' || p, format('entry(path of page_view) = %L', p)::nurture.condition FROM unnest('{/a,/b,/c}'::text[]) p
UNION ALL SELECT 'exit ' || p, format('exit(path of page_view) = %L', p)::nurture.condition FROM unnest('{/a,/b,/c}'::text[]) p
UNION ALL SELECT 'longest ' || m, format('longest session(any event) = %s minutes', m)::nurture.condition FROM generate_series(10, 300, 10) m
UNION ALL SELECT 'newest ' || m, format('last session(any event) = %s minutes', m)::nurture.condition FROM generate_series(10, 300, 10) m
UNION ALL SELECT 'stayed ' || p || ' ' || m, format('dwell(page_view where path = %L) >= %s minutes', p, m)::nurture.condition
    FROM unnest('{/a,/b}'::text[]) p, generate_series(5, 120, 5) m
UNION ALL SELECT 'stayed long ' || m, format('longest dwell(page_view where path is set) >= %s minutes', m)::nurture.condition FROM generate_series(10, 30, 10) m
UNION ALL SELECT 'first ' || s, format('first(utm.source of any event) = %L', s)::nurture.condition FROM unnest('{ads,mail}'::text[]) s
UNION ALL SELECT 'last ' || s, format('last(utm.source of any event) = %L', s)::nurture.condition FROM unnest('{ads,mail}'::text[]) s;
CALL nurture.tick('2026-03-06');
SELECT count(*) AS quarantined FROM nurture.quarantine;

CREATE FUNCTION pg_temp.same(a text, b text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE missing bigint; surplus bigint; total bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (%s) x', a) INTO total;
    EXECUTE format('SELECT count(*) FROM ((%s) EXCEPT ALL (%s)) x', a, b) INTO missing;
    EXECUTE format('SELECT count(*) FROM ((%s) EXCEPT ALL (%s)) x', b, a) INTO surplus;
    RETURN format('%s rows, %s missing, %s surplus', CASE WHEN total > 0 THEN 'some' ELSE 'no' END, missing, surplus);
END $$;

-- The oracle walks from event to event by lag() and looks ahead by a subquery.
CREATE VIEW naive AS
SELECT s.*, CASE WHEN type = 'page_view' THEN coalesce(props ->> 'path', props ->> 'url') END AS page, props -> 'utm' AS utm,
       CASE WHEN jsonb_typeof(props -> 'seconds') = 'number' AND (props ->> 'seconds')::numeric >= 0 OR props ->> 'seconds' = '30.5'
            THEN (props ->> 'seconds')::numeric END AS told,
       (SELECT min(o.at) FROM visit o WHERE o.who = s.who AND o.type <> '$sent' AND o.at > s.at) AS next_at
FROM (SELECT v.*, count(*) FILTER (WHERE v.begins) OVER (PARTITION BY v.who ORDER BY v.at, v.place) AS session
      FROM (SELECT v.*, coalesce(v.at - lag(v.at) OVER (PARTITION BY v.who ORDER BY v.at, v.place) > interval '30 minutes', true) AS begins
            FROM visit v WHERE v.type <> '$sent') v) s;
CREATE VIEW naive_session AS
SELECT who, session AS n, min(at) AS started, max(at) AS ended, count(*) AS events, count(page) AS pages,
       extract(epoch FROM max(at)) - extract(epoch FROM min(at)) AS seconds,
       (SELECT p.page FROM naive p WHERE p.who = e.who AND p.session = e.session AND p.page IS NOT NULL ORDER BY p.at LIMIT 1) AS entry_page,
       (SELECT p.page FROM naive p WHERE p.who = e.who AND p.session = e.session AND p.page IS NOT NULL ORDER BY p.at DESC LIMIT 1) AS exit_page
FROM naive e GROUP BY who, session;
SELECT k, pg_temp.same($q$ SELECT who, n, started, ended, events, pages, seconds, entry_page, exit_page FROM naive_session $q$,
    format($q$ SELECT substr(contact, 2)::int, n, started, ended, events, pages, seconds, entry_page, exit_page
               FROM nurture.session WHERE contact LIKE '%s_' OR contact LIKE '%s__' AND contact ~ '\d$' $q$, k, k)) AS sessions,
    pg_temp.same($q$ SELECT who, session, at, page, coalesce(told, CASE WHEN next_at <= at + interval '30 minutes' THEN extract(epoch FROM next_at - at) END), told IS NOT NULL
                     FROM naive WHERE page IS NOT NULL $q$,
    format($q$ SELECT substr(contact, 2)::int, session, at, page, seconds, told FROM nurture.page_dwell WHERE contact ~ '^%s\d+$' $q$, k)) AS stays
FROM unnest('{a,b,c}'::text[]) k;
SELECT pg_temp.same($q$ SELECT who, min(at), max(at), count(*) FROM naive WHERE utm IS NOT NULL GROUP BY who $q$,
                    $q$ SELECT substr(contact, 2)::int, first_at, last_at, touches FROM nurture.touch WHERE contact ~ '^c\d+$' $q$) AS touches;

-- Conditions and views are of one mind, whatever the order of arrival.
CREATE VIEW member AS SELECT left(contact, 1) AS k, substr(contact, 2)::int AS who, segment FROM nurture.membership WHERE contact ~ '^[abc]\d+$';
CREATE VIEW expected AS
WITH session AS (SELECT * FROM naive_session), newest AS (SELECT DISTINCT ON (who) * FROM session ORDER BY who, n DESC),
    newest_page AS ( -- of the events with a path, in the newest session that has one
        SELECT e.who, (array_agg(e.props ->> 'path' ORDER BY e.at))[1] AS entry, (array_agg(e.props ->> 'path' ORDER BY e.at DESC))[1] AS exit
        FROM naive e WHERE e.type = 'page_view' AND e.props ? 'path'
          AND e.session = (SELECT max(o.session) FROM naive o WHERE o.who = e.who AND o.type = 'page_view' AND o.props ? 'path') GROUP BY e.who),
    stay AS (SELECT who, props ->> 'path' AS path, coalesce(told, CASE WHEN next_at <= at + interval '30 minutes' THEN extract(epoch FROM next_at - at) END) AS seconds
             FROM naive WHERE type = 'page_view')
SELECT who, 'sessions ' || count(*) AS segment FROM session GROUP BY who
UNION ALL SELECT who, 'new' FROM session GROUP BY who HAVING count(*) = 1
UNION ALL SELECT who, 'returning' FROM session GROUP BY who HAVING count(*) > 1
UNION ALL SELECT who, 'longest ' || (max(seconds) / 60)::int FROM session GROUP BY who HAVING max(seconds) > 0
UNION ALL SELECT who, 'newest ' || (seconds / 60)::int FROM newest WHERE seconds > 0
UNION ALL SELECT who, 'entry ' || entry FROM newest_page UNION ALL SELECT who, 'exit ' || exit FROM newest_page
UNION ALL SELECT s.who, 'stayed ' || s.path || ' ' || m FROM stay s, generate_series(5, 120, 5) m WHERE s.path IN ('/a', '/b')
          GROUP BY s.who, s.path, m HAVING sum(s.seconds) >= m * 60
UNION ALL SELECT s.who, 'stayed long ' || m FROM stay s, generate_series(10, 30, 10) m WHERE s.path IS NOT NULL GROUP BY s.who, m HAVING max(s.seconds) >= m * 60
UNION ALL SELECT who, 'short gap ' || count(*) FROM (
    SELECT who, coalesce(at - lag(at) OVER (PARTITION BY who ORDER BY at) > interval '20 minutes', true) AS begins FROM visit WHERE type <> '$sent') s
    WHERE begins GROUP BY who;
SELECT k, pg_temp.same('SELECT who, segment FROM expected',
                       format($q$ SELECT who, segment FROM member WHERE k = %L AND segment !~ '^(first|last) ' $q$, k)) AS members
FROM unnest('{a,b,c}'::text[]) k;
SELECT count(DISTINCT segment) > 60 AS many_segments, count(*) FILTER (WHERE segment LIKE 'stayed%') > 100 AS many_stays FROM expected;
SELECT k, pg_temp.same(format($q$ SELECT who, segment FROM member WHERE k = %L AND segment ~ '^(first|last) ' $q$, k),
    format($q$ SELECT substr(contact, 2)::int, 'first ' || first_source FROM nurture.touch WHERE contact ~ '^%1$s\d+$'
               UNION ALL SELECT substr(contact, 2)::int, 'last ' || last_source FROM nurture.touch WHERE contact ~ '^%1$s\d+$' $q$, k)) AS touches
FROM unnest('{a,b,c}'::text[]) k;
SELECT count(*) AS differences FROM nurture.verify();

-- One contact's sessions read its events, and nobody else's.
INSERT INTO nurture.history (contact, type, at, received_at)
SELECT 'crowd' || i % 2000, 'page_view', timestamptz '2026-02-01' + i * interval '1 minute', '2026-03-06' FROM generate_series(1, 20000) i;
CALL nurture.tick('2026-03-07');
VACUUM ANALYZE nurture.event_log;
VACUUM ANALYZE nurture.contact;
CREATE FUNCTION pg_temp.events_read(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING off, COSTS off, FORMAT json) ' || query INTO plan;
    RETURN (WITH RECURSIVE node (n) AS (SELECT plan -> 0 -> 'Plan' UNION ALL SELECT json_array_elements(n -> 'Plans') FROM node WHERE n -> 'Plans' IS NOT NULL)
            SELECT sum(((n ->> 'Actual Rows')::numeric + coalesce((n ->> 'Rows Removed by Filter')::numeric, 0)) * (n ->> 'Actual Loops')::numeric)
            FROM node WHERE n ->> 'Relation Name' LIKE 'event_log%');
END $$;
SELECT pg_temp.events_read($q$ SELECT * FROM nurture.session WHERE contact = 'anna' $q$) AS session,
       pg_temp.events_read($q$ SELECT * FROM nurture.page_dwell WHERE contact = 'anna' $q$) AS page_dwell,
       pg_temp.events_read($q$ SELECT * FROM nurture.touch WHERE contact = 'anna' $q$) AS touch,
       (SELECT count(*) FROM nurture.event_log WHERE contact = 'anna') AS has;

-- Nobody may look who was not told to; who may, needs no more than the view.
CREATE ROLE nurture_test_analyst;
GRANT USAGE ON SCHEMA nurture TO nurture_test_analyst;
GRANT SELECT ON nurture.session TO nurture_test_analyst;
SET ROLE nurture_test_analyst;
SELECT count(*) FROM nurture.session WHERE contact = 'anna';
SELECT count(*) FROM nurture.page_dwell;
SELECT count(*) FROM nurture._visit;
RESET ROLE;
DROP OWNED BY nurture_test_analyst;
DROP ROLE nurture_test_analyst;
DROP VIEW expected, member, naive_session, naive;
DROP TABLE visit;
