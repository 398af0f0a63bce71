-- Looking before leaping: previews against naive SQL over what was told; what_if against engines that lived under the changed
-- definitions from the first event on, and against really making the change.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
CREATE SCHEMA whatif;
CREATE TABLE whatif.told AS
SELECT 'c' || lpad((abs(hashint4(g)) % 60)::text, 2, '0') AS contact,
       (ARRAY['view', 'view', 'view', 'buy', 'login', '$identify', 'view', 'form'])[1 + abs(hashint4(g + 1000000)) % 8] AS type,
       timestamptz '2021-01-01' + g * interval '60 days' / 1500 AS at,
       jsonb_build_object('path', (ARRAY['/pricing', '/docs', '/blog'])[1 + abs(hashint4(g + 2000000)) % 3],
                          'amount', abs(hashint4(g + 3000000)) % 100, 'plan', (ARRAY['free', 'pro'])[1 + abs(hashint4(g + 4000000)) % 2],
                          'age', abs(hashint4(g + 5000000)) % 80) AS props
FROM generate_series(1, 1500) g;
UPDATE whatif.told SET props = props - 'path' - 'amount' WHERE type = '$identify';
INSERT INTO nurture.rule (name, definition) VALUES
    ('views', '+2 on view topic interest half-life 14 days'),
    ('pricing', '+5 on view where path = ''/pricing'' topic interest half-life 7 days at most 2 per day'),
    ('spends', '+0.1 per amount on buy topic value'),
    ('logs in', '+1 on login');
INSERT INTO nurture.segment (name, condition) VALUES
    ('warm', 'score(interest) >= 12'), ('hot', 'in segment ''warm'' and score >= 30'), ('pro', 'plan = ''pro'''),
    ('busy', 'count(view within 7 days) >= 2'), ('asleep', 'did login and not did login within 20 days');
INSERT INTO nurture.workflow (name, definition) VALUES ('nudge', 'on entering segment ''warm'' wait 1 day send email ''nudge''');
CREATE TABLE whatif.in_force AS SELECT nurture.export_definitions() AS definitions;
INSERT INTO nurture.inbox (contact, type, props, at, received_at) SELECT contact, type, props, at, at FROM whatif.told;
\set moment '2021-03-02 12:00:00.000123'
CALL nurture.tick(:'moment');
SELECT segment, count(*) FROM nurture.membership GROUP BY 1 ORDER BY 1;

-- Previews: now, and at moments of the past, from the log. The naive counts know nothing of features.
CREATE FUNCTION whatif.naive(n int, moment timestamptz) RETURNS TABLE (contact text) LANGUAGE sql AS $$
SELECT c.contact FROM (SELECT DISTINCT t.contact FROM whatif.told t) c
WHERE CASE n
    WHEN 1 THEN (SELECT count(*) FROM whatif.told t WHERE t.contact = c.contact AND t.type = 'view' AND t.at <= moment AND moment - t.at < '7 days') >= 3
    WHEN 2 THEN (SELECT coalesce(sum((t.props ->> 'amount')::int), 0) FROM whatif.told t WHERE t.contact = c.contact AND t.type = 'buy' AND t.at <= moment) > 150
        AND NOT EXISTS (SELECT FROM whatif.told t WHERE t.contact = c.contact AND t.type = 'login' AND t.at <= moment AND moment - t.at < '240 hours')
    WHEN 3 THEN (SELECT t.props ->> 'plan' FROM whatif.told t WHERE t.contact = c.contact AND t.type = '$identify' AND t.at <= moment ORDER BY t.at DESC LIMIT 1) = 'free'
        AND (SELECT count(DISTINCT t.props ->> 'path') FROM whatif.told t WHERE t.contact = c.contact AND t.type = 'view' AND t.at <= moment) = 3
    END
$$;
CREATE TABLE whatif.asked (n int, condition nurture.condition);
INSERT INTO whatif.asked VALUES (1, 'count(view within 7 days) >= 3'), (2, 'sum(amount of buy) > 150 and not did login within 10 days'),
    (3, 'plan = ''free'' and distinct(path of view) = 3');
SELECT a.n, m.moment, p.contacts, p.looked_at = k.known AND p.known = k.known AS all_of_them,
       p.contacts = (SELECT count(*) FROM whatif.naive(a.n, m.moment)) AS as_counted,
       p.example_contacts = ARRAY(SELECT x.contact FROM whatif.naive(a.n, m.moment) x ORDER BY x.contact LIMIT 5) AS examples,
       p.new_features, p.events_to_read
FROM whatif.asked a
CROSS JOIN (VALUES (timestamptz :'moment'), ('2021-03-20'), ('2021-03-01'), ('2021-02-01'), ('2021-01-03'), ('2020-01-01')) m (moment)
CROSS JOIN LATERAL nurture.preview(a.condition, m.moment) p
CROSS JOIN LATERAL (SELECT count(DISTINCT t.contact) AS known FROM whatif.told t WHERE t.at <= m.moment) k
ORDER BY a.n, m.moment DESC;
SELECT contacts, new_features, events_to_read, milliseconds >= 0 AS timed FROM nurture.preview('in segment ''hot'' and score(value) > 1');
SELECT contacts BETWEEN 1 AND 20 AS some, looked_at, known, cardinality(example_contacts) FROM nurture.preview('did view', sample => 20, examples => 2);
SELECT contacts, looked_at, known FROM nurture.preview('did view', '2021-02-01', sample => 20);
SELECT nurture.preview('in segment ''wram''');
SELECT nurture.preview('did view', sample => 0);

-- What if: every contact after every change, predicted first, in transactions that can write nothing.
CREATE TABLE whatif.change (n int PRIMARY KEY, what text, changes jsonb);
INSERT INTO whatif.change VALUES
    (1, 'points alone', '{"rule": [{"name": "views", "definition": "+3.5 on view topic interest half-life 14 days"}, {"name": "logs in", "definition": "-7 on login"}]}'),
    (2, 'a threshold, and whoever refers to it', '{"segment": [{"name": "warm", "condition": "score(interest) >= 20"}]}'),
    (3, 'new windows', '{"segment": [{"name": "busy", "condition": "count(view within 30 days) >= 9"}, {"name": "reader", "condition": "distinct(path of view) >= 3 and in segment ''busy''"}]}'),
    (4, 'another half-life and a filter', '{"rule": [{"name": "views", "definition": "+2 on view where age > 40 topic interest half-life 30 days"}]}'),
    (5, 'things go', '{"rule": [{"name": "spends", "removed": true}], "segment": [{"name": "hot", "removed": true}, {"name": "pro", "condition": "plan = ''pro''", "enabled": false}]}'),
    (6, 'topics change places', '{"rule": [{"name": "views", "definition": "+2 on view topic views half-life 14 days"}, {"name": "pricing", "definition": "+5 on view where path = ''/pricing'' topic views half-life 7 days at most 2 per day"}], "segment": [{"name": "warm", "condition": "score(views) >= 12"}]}'),
    (7, 'nothing', '{}'),
    (8, 'a workflow and an attribute', '{"workflow": [{"name": "nudge", "definition": "on entering segment ''pro'' exit when count(form) >= 3 wait 1 day"}, {"name": "new", "definition": "on buy where amount > 3 send email ''thanks''"}], "segment": [{"name": "old", "condition": "age >= 40 or plan is not set"}]}');
CREATE TABLE whatif.predicted (n int, contact text, score_before numeric, score_after numeric, segments_before text[], segments_after text[]);
CREATE TABLE whatif.summary (n int, what text, name text, before numeric, after numeric, enter bigint, leave bigint, who_enters text[], who_leaves text[]);
SELECT md5(string_agg(c::text, '' ORDER BY c.contact)) AS contacts_before FROM nurture.contact c \gset
BEGIN READ ONLY;
SELECT count(*) FROM whatif.change c CROSS JOIN LATERAL nurture.what_if_contacts(c.changes, :'moment') w;
SELECT what, name, before, after, enter, leave, who_enters, who_leaves FROM nurture.what_if('{"segment": [{"name": "warm", "condition": "score(interest) >= 20"}]}', :'moment', examples => 2);
COMMIT;
INSERT INTO whatif.predicted SELECT c.n, w.* FROM whatif.change c CROSS JOIN LATERAL nurture.what_if_contacts(c.changes, :'moment') w;
INSERT INTO whatif.summary SELECT c.n, w.* FROM whatif.change c CROSS JOIN LATERAL nurture.what_if(c.changes, :'moment') w;
SELECT md5(string_agg(c::text, '' ORDER BY c.contact)) = :'contacts_before' AS contacts_untouched FROM nurture.contact c;
SELECT count(*) AS pending FROM nurture.pending_change;
SELECT n, name, after AS events FROM whatif.summary WHERE what = 'new feature' ORDER BY n, name COLLATE "C";

-- Before is what is in force.
SELECT count(*) AS wrong_before FROM whatif.predicted p
WHERE p.segments_before <> ARRAY(SELECT m.segment FROM nurture.membership m WHERE m.contact = p.contact ORDER BY m.segment COLLATE "C")
   OR p.score_before <> nurture.score(p.contact, at => :'moment');

-- The summary says of the contacts what naive SQL says of them.
WITH member AS (
    SELECT p.n, p.contact, s.name, s.name = ANY (p.segments_before) AS was, s.name = ANY (p.segments_after) AS becomes
    FROM whatif.predicted p JOIN whatif.summary s ON s.n = p.n AND s.what = 'segment'
)
SELECT count(*) AS segments_told, count(*) FILTER (WHERE s.before <> m.before OR s.after <> m.after OR s.enter <> cardinality(m.enters)
    OR s.leave <> cardinality(m.leaves) OR coalesce(s.who_enters, '{}') <> m.enters[:5] OR coalesce(s.who_leaves, '{}') <> m.leaves[:5]) AS wrong
FROM whatif.summary s
CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE m.was) AS before, count(*) FILTER (WHERE m.becomes) AS after,
                           coalesce(array_agg(m.contact ORDER BY m.contact) FILTER (WHERE m.becomes AND NOT m.was), '{}') AS enters,
                           coalesce(array_agg(m.contact ORDER BY m.contact) FILTER (WHERE m.was AND NOT m.becomes), '{}') AS leaves
                    FROM member m WHERE m.n = s.n AND m.name = s.name) m
WHERE s.what = 'segment';
SELECT count(*) AS all_segments_told, bool_and(told) FROM (
    SELECT EXISTS (SELECT FROM whatif.summary s WHERE s.n = p.n AND s.what = 'segment' AND s.name = g.name) AS told
    FROM whatif.predicted p CROSS JOIN LATERAL unnest(p.segments_before || p.segments_after) g (name)) t;
WITH sorted AS (
    SELECT p.n, array_agg(p.score_before ORDER BY p.score_before) AS before, array_agg(p.score_after ORDER BY p.score_after) AS after, count(*) AS size
    FROM whatif.predicted p GROUP BY p.n
)
SELECT count(*) AS figures, count(*) FILTER (WHERE (s.before, s.after) IS DISTINCT FROM (v.before, v.after)) AS wrong
FROM whatif.summary s JOIN sorted d ON d.n = s.n
CROSS JOIN LATERAL (SELECT greatest(1, ceil(d.size * f.fraction))::int AS place
                    FROM (VALUES ('minimum', 0.0), ('10 percent', 0.1), ('lower quartile', 0.25), ('median', 0.5), ('upper quartile', 0.75),
                                 ('90 percent', 0.9), ('maximum', 1.0)) f (name, fraction) WHERE f.name = s.name) f
CROSS JOIN LATERAL (SELECT d.before[f.place] AS before, d.after[f.place] AS after) v
WHERE s.what = 'score';
SELECT count(*) AS wrong FROM whatif.summary s
WHERE s.what = 'contacts' AND s.after <> (SELECT count(*) FROM whatif.predicted p WHERE p.n = s.n AND (s.name = 'looked at' OR p.score_before <> p.score_after));

-- A change of points, thresholds or attributes reads no log.
BEGIN;
TRUNCATE nurture.event_log;
SELECT c.n, count(*) AS contacts, count(*) FILTER (WHERE (w.score_after, w.segments_after) <> (p.score_after, p.segments_after)) AS differ
FROM whatif.change c CROSS JOIN LATERAL nurture.what_if_contacts(c.changes, :'moment') w JOIN whatif.predicted p ON p.n = c.n AND p.contact = w.contact
WHERE c.n IN (1, 2, 5, 6, 7) GROUP BY c.n ORDER BY c.n;
ROLLBACK;

-- A sample is a part of the same.
SELECT count(*), count(*) FILTER (WHERE (w.score_after, w.segments_after) <> (p.score_after, p.segments_after)) AS differ
FROM nurture.what_if_contacts((SELECT changes FROM whatif.change WHERE n = 3), :'moment', sample => 17) w JOIN whatif.predicted p ON p.n = 3 AND p.contact = w.contact;

-- What cannot be made cannot be looked at either.
SELECT nurture.what_if('{"rule": [{"name": "views", "removed": true}, {"name": "pricing", "removed": true}]}');
SELECT nurture.what_if('{"segment": [{"name": "x", "condition": "score >"}]}');
SELECT nurture.what_if('{"segments": []}');
SELECT nurture.what_if('{"segment": [{"name": "x", "definition": "did x"}]}');
SELECT nurture.what_if('{"segment": [{"name": "x"}]}');
SELECT nurture.what_if('[]');
SELECT nurture.what_if('{}', '2021-01-01');

-- Really made, with backfill and adoption; the scores are as of the moment by which all of that is done.
CREATE TABLE whatif.real (how text, n int, contact text, score numeric, segments text[]);
CREATE PROCEDURE whatif.publish(n int) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nurture.import_definitions((SELECT c.changes FROM whatif.change c WHERE c.n = publish.n), 'replace');
    CALL nurture.tick('2021-03-02 18:00');
    WHILE nurture._backfill_step() LOOP
    END LOOP;
    CALL nurture.tick('2021-03-02 20:00');
    CALL nurture.tick('2021-03-03');
    INSERT INTO whatif.real SELECT 'published', publish.n, c.contact, nurture.score(c.contact, at => '2021-03-03'),
        ARRAY(SELECT m.segment FROM nurture.membership m WHERE m.contact = c.contact ORDER BY m.segment COLLATE "C") FROM nurture.contact c;
END
$$;
TRUNCATE whatif.predicted;
INSERT INTO whatif.predicted SELECT c.n, w.* FROM whatif.change c CROSS JOIN LATERAL nurture.what_if_contacts(c.changes, '2021-03-03') w;
CREATE VIEW whatif.verdict AS
SELECT r.how, r.n, count(*) AS contacts, sum(cardinality(r.segments)) AS memberships, count(*) FILTER (WHERE r.score IS DISTINCT FROM p.score_after) AS scores_differ,
       count(*) FILTER (WHERE r.segments IS DISTINCT FROM p.segments_after) AS segments_differ
FROM whatif.real r LEFT JOIN whatif.predicted p ON p.n = r.n AND p.contact = r.contact GROUP BY r.how, r.n;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SAVEPOINT one;
CALL whatif.publish(1); TABLE whatif.verdict; ROLLBACK TO one;
CALL whatif.publish(2); TABLE whatif.verdict; ROLLBACK TO one;
CALL whatif.publish(3); TABLE whatif.verdict; ROLLBACK TO one;
CALL whatif.publish(4); TABLE whatif.verdict; ROLLBACK TO one;
CALL whatif.publish(5); TABLE whatif.verdict; ROLLBACK TO one;
CALL whatif.publish(6); TABLE whatif.verdict; ROLLBACK TO one;
CALL whatif.publish(7); TABLE whatif.verdict; ROLLBACK TO one;
CALL whatif.publish(8); TABLE whatif.verdict; ROLLBACK TO one;
COMMIT;

-- Lived: an engine of its own for every change, that had the changed definitions when the first event came.
CREATE PROCEDURE whatif.live(which int) LANGUAGE plpgsql AS $$
DECLARE
    c record;
BEGIN
    FOR c IN SELECT * FROM whatif.change WHERE n = which LOOP
        EXECUTE 'DROP EXTENSION nurture CASCADE';
        EXECUTE 'CREATE EXTENSION nurture';
        EXECUTE 'SELECT nurture.import_definitions(f.definitions::jsonb) FROM whatif.in_force f';
        EXECUTE 'SELECT nurture.import_definitions($1, ''replace'')' USING c.changes;
        EXECUTE 'INSERT INTO nurture.inbox (contact, type, props, at, received_at) SELECT contact, type, props, at, at FROM whatif.told';
        EXECUTE $q$CALL nurture.tick('2021-03-03')$q$;
        EXECUTE $q$INSERT INTO whatif.real SELECT 'lived', $1, c.contact, nurture.score(c.contact, at => '2021-03-03'),
            ARRAY(SELECT m.segment FROM nurture.membership m WHERE m.contact = c.contact ORDER BY m.segment COLLATE "C") FROM nurture.contact c$q$ USING c.n;
    END LOOP;
END
$$;
DROP TABLE whatif.asked; -- its column is of the extension's type
-- Each in a transaction of its own: an extension has so many objects that making it eight times in one takes more locks than there are.
SELECT format('BEGIN ISOLATION LEVEL REPEATABLE READ; CALL whatif.live(%s); COMMIT', n) FROM whatif.change ORDER BY n \gexec
SELECT c.what, v.* FROM whatif.verdict v JOIN whatif.change c USING (n) ORDER BY n;

-- Nobody may look at others' contacts unless told so.
CREATE ROLE regress_curious;
SET ROLE regress_curious;
SELECT nurture.preview('did view');
SELECT nurture.what_if('{}');
SELECT nurture.what_if_contacts('{}');
RESET ROLE;
GRANT EXECUTE ON FUNCTION nurture.preview(nurture.condition, timestamptz, int, int) TO regress_curious;
SET ROLE regress_curious;
SELECT contacts FROM nurture.preview('did view');
RESET ROLE;
DROP OWNED BY regress_curious;
DROP ROLE regress_curious;
DROP SCHEMA whatif CASCADE;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
