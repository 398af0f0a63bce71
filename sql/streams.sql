-- Streams: definitions, walked by the tick, against naive SQL; replayed, simulated, merged, taken over.
\i sql/include/simulated_clock.sql

-- Definitions as all others.
INSERT INTO nurture.stream (name, definition) VALUES ('tips', 'email ''a'' email ''a''');
INSERT INTO nurture.stream (name, definition) VALUES ('tips', 'email ''a'' from 2026-05-02 until 2026-05-01');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on go send next of stream ''tips''');
INSERT INTO nurture.stream (name, definition) VALUES ('tips', $$
  email 'a' for news   -- the first
  email 'b' for news from 2026-05-03 until 2026-05-20
  push 'c'
$$);
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on go send next of stream ''tipps''');
INSERT INTO nurture.segment (name, condition) VALUES ('through', 'stream ''tips'' is exhausted');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('drip', 'on signup exit on stop repeat wait until tuesday or friday at 09:00 send next of stream ''tips'' with (week = 1) end'),
    ('other', 'on other re-enter always send email ''b'' for news'),
    ('woken', 'when stream ''tips'' is not exhausted re-enter always exit when not did signup do ''more''');
SELECT definition FROM nurture.stream;
SELECT stream, place, channel, template, purpose, available FROM nurture.stream_content;
DELETE FROM nurture.stream;
SELECT nurture.rename('stream', 'tips', 'the tips');
SELECT name, definition FROM nurture.workflow WHERE name IN ('drip', 'woken') ORDER BY 1;
SELECT condition FROM nurture.segment;
UPDATE nurture.stream SET definition = replace(definition::text, 'until 2026-05-20', 'until 2026-05-30')::nurture.stream_definition;
SELECT line, change, text FROM nurture.diff('stream', 'the tips') AS d (line, change, text);
SELECT kind, name, uses_kind, uses_name FROM nurture.dependency WHERE kind = 'stream' OR uses_kind = 'stream' ORDER BY 1, 2, 3, 4;
SELECT nurture.export_definitions('sql');
SELECT valid, form, canonical, message, line, "column" FROM nurture.validate('email ''x'' form 2026-01-01');
SELECT valid, form, canonical FROM nurture.validate('email ''x'' for news');
SELECT 'email ''x'''::nurture.stream_definition OPERATOR(nurture.<) 'email ''y'''::nurture.stream_definition AS less;
SELECT object, finding FROM nurture.lint() WHERE severity = 'error';

-- 60 contacts, who sign up at different times; every tick a sender takes what there is, completes most of it and fails some;
-- some are sent 'b' by another workflow; some stop.
CREATE TEMP TABLE told AS
SELECT 'c' || n AS contact, 'signup' AS type, timestamptz '2026-05-01 00:00' + n * interval '7 hours' AS at FROM generate_series(1, 60) n
UNION ALL SELECT 'c' || n, 'other', timestamptz '2026-05-04 00:00' + n * interval '5 hours' FROM generate_series(1, 60, 3) n
UNION ALL SELECT 'c' || n, 'stop', timestamptz '2026-05-10 00:00' + n * interval '2 hours' FROM generate_series(1, 60, 10) n;
CREATE PROCEDURE pg_temp.live(since timestamptz, until timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := since;
    taken record;
BEGIN
    WHILE moment <= until LOOP
        INSERT INTO nurture.inbox (contact, type, at, received_at)
        SELECT t.contact, t.type, t.at, t.at FROM told t WHERE t.at > moment - interval '6 hours' AND t.at <= moment;
        CALL pg_temp.tick(moment);
        FOR taken IN SELECT c.* FROM unnest('{email,push,more}'::text[]) ch CROSS JOIN LATERAL nurture.claim(ch) c LOOP
            IF hashtext(taken.id::text) % 5 = 0 THEN
                PERFORM nurture.fail(taken.receipt, 'no', permanent => true);
            ELSE
                PERFORM nurture.complete(ARRAY[taken.receipt]);
            END IF;
        END LOOP;
        moment := moment + interval '6 hours';
    END LOOP;
END $$;
CALL pg_temp.live('2026-05-01 00:00', '2026-06-01');
SELECT template, status, count(*) FROM nurture.action WHERE channel <> 'more' GROUP BY 1, 2 ORDER BY 1, 2;
-- Nobody was sent a message of the stream twice, but by the workflow that does not ask.
SELECT count(*) AS twice FROM (SELECT contact, channel, template FROM nurture.action WHERE status = 'done' AND channel <> 'more'
    GROUP BY 1, 2, 3 HAVING count(*) > 1 AND NOT bool_or(workflow = 'other')) t;
-- Each message of the stream was the first in order that was available, had not been sent, and was not on its way: from the log of
-- what was sent, and from what had been planned before and was not settled.
CREATE TEMP TABLE entry (place int, channel text, template text, available_from timestamptz, available_until timestamptz);
INSERT INTO entry VALUES (1, 'email', 'a', '-infinity', 'infinity'), (2, 'email', 'b', '2026-05-03', '2026-05-31'), (3, 'push', 'c', '-infinity', 'infinity');
CREATE TEMP VIEW outcome AS
SELECT (e.props ->> 'action')::uuid AS id, e.type, e.clock AS at FROM nurture.event e WHERE e.type IN ('$sent', '$failed', '$dropped');
CREATE TEMP VIEW planned AS SELECT a.*, a.created_at AS at FROM nurture.action a WHERE a.channel <> 'more';
CREATE TEMP VIEW walked AS -- every moment at which a journey came to the sending, and what it sent
SELECT t.contact, t.at, v.token,
       (SELECT p.template FROM planned p WHERE p.contact = t.contact AND p.workflow = 'drip' AND p.at = t.at) AS sent
FROM nurture.transition t CROSS JOIN LATERAL jsonb_array_elements_text(t.detail -> 'via') v(token)
WHERE t.name = 'drip' AND v.token LIKE '1.repeat.2%';
SELECT count(*) AS moments, count(sent) AS sent, count(*) FILTER (WHERE token = '1.repeat.2:exhausted') AS exhausted,
       count(*) FILTER (WHERE sent IS DISTINCT FROM expected.template) AS wrong, count(*) FILTER (WHERE (sent IS NULL) <> (token LIKE '%exhausted')) AS untold
FROM walked w LEFT JOIN LATERAL (
    SELECT e.template FROM entry e
    WHERE e.available_from <= w.at AND w.at < e.available_until
      AND NOT EXISTS (SELECT FROM planned p WHERE p.contact = w.contact AND p.channel = e.channel AND p.template = e.template AND p.at < w.at
          AND (NOT EXISTS (SELECT FROM outcome o WHERE o.id = p.id AND o.at <= w.at) OR EXISTS (SELECT FROM outcome o WHERE o.id = p.id AND o.at <= w.at AND o.type = '$sent')))
    ORDER BY e.place LIMIT 1) expected ON true;
-- Who is through, by the states and by the log.
SELECT count(*) AS through, count(*) FILTER (WHERE m.contact IS NULL) AS missing
FROM (SELECT c.contact FROM nurture.contact c WHERE NOT EXISTS (SELECT FROM entry e WHERE e.available_from <= '2026-06-01' AND '2026-06-01' < e.available_until
          AND NOT EXISTS (SELECT FROM nurture.event s WHERE s.contact = c.contact AND s.type = '$sent' AND s.props ->> 'channel' = e.channel AND s.props ->> 'template' = e.template))) n
FULL JOIN nurture.membership m ON m.contact = n.contact;
SELECT contact_key, what FROM nurture.verify(path => true);

-- What somebody has to expect.
SELECT * FROM nurture.stream_places('c1', '2026-06-01');
SELECT template, planned, sent, waiting FROM nurture.stream_content;

-- A new content wakes the exhausted; who was sent it before the stream had it is not woken, nor sent it.
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT 'c' || n, '$sent', '{"channel": "email", "template": "d"}', '2026-06-01 01:00', '2026-06-01 01:00' FROM generate_series(1, 30) n;
CALL pg_temp.tick('2026-06-01 06:00');
CREATE TEMP TABLE through AS SELECT contact FROM nurture.membership;
UPDATE nurture.stream SET definition = definition::text || ' email ''d'' for news';
CALL pg_temp.tick('2026-06-01 07:00');
SELECT count(*) FILTER (WHERE substr(t.contact, 2)::int <= 30) AS had_it, count(*) FILTER (WHERE m.contact IS NULL) AS woken,
       count(*) FILTER (WHERE (substr(t.contact, 2)::int <= 30) <> (m.contact IS NOT NULL)) AS wrong
FROM through t LEFT JOIN nurture.membership m ON m.contact = t.contact;
CALL pg_temp.live('2026-06-01 09:00', '2026-06-12');
SELECT count(*) AS sent, count(*) FILTER (WHERE substr(contact, 2)::int <= 30) AS again FROM nurture.action WHERE template = 'd' AND status = 'done';
SELECT contact_key, what FROM nurture.verify(path => true);

-- Merged contacts have had what either had; what is on its way to one is on its way to both.
INSERT INTO nurture.inbox (contact, type, props, kind, at, received_at) VALUES
    ('cookie', '$sent', '{"channel": "email", "template": "a"}', 'anonymous', '2026-06-13 10:00', '2026-06-13 10:00'),
    ('cookie', 'other', '{}', 'anonymous', '2026-06-13 10:01', '2026-06-13 10:01'),
    ('zoe', 'signup', '{}', NULL, '2026-06-13 10:02', '2026-06-13 10:02'),
    ('cookie', '$alias', '{"to": "zoe"}', 'anonymous', '2026-06-13 10:03', '2026-06-13 10:03');
UPDATE nurture.stream SET definition = replace(definition::text, ' until 2026-05-30', '')::nurture.stream_definition;
CALL pg_temp.tick('2026-06-13 10:05');
SELECT place, template, state FROM nurture.stream_places('cookie', '2026-06-13 10:05');

-- Simulated it is as it was lived.
SELECT at, what, name FROM nurture.simulate('drip', since => '2026-05-01', until => '2026-06-20', events => '[{"type": "signup"}]') WHERE what = 'action';
SELECT at, what, name FROM nurture.simulate('drip', since => '2026-06-01', until => '2026-06-20', events => '[{"type": "signup"}]',
    outcomes => '[{"template": "a", "outcome": "failed"}]') WHERE what = 'action';

-- What a refusal withdraws is on its way no more: when consent is there again, it is sent.
CALL pg_temp.tick('2026-06-20');
INSERT INTO nurture.workflow (name, definition) VALUES ('by hand', 'on please re-enter always send next of stream ''the tips''');
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('rita', 'please', '{}', '2026-06-21 10:00', '2026-06-21 10:00'),
    ('rita', '$consent', '{"channel": "email", "state": "withdrawn"}', '2026-06-21 11:00', '2026-06-21 11:00');
CALL pg_temp.tick('2026-06-21 12:00');
SELECT place, template, state FROM nurture.stream_places('rita') LIMIT 1;
SELECT nurture._outbox_maintain();
CALL pg_temp.tick('2026-06-21 12:01');
SELECT template, status, reason FROM nurture.action WHERE contact = 'rita';
SELECT place, template, state FROM nurture.stream_places('rita') LIMIT 1;

-- Told apart again each has on its way what is: what goes to the one is none of the other's. What the journey that stayed with the
-- other withdraws, the one is told.
INSERT INTO nurture.workflow (name, definition) VALUES ('held', 'on hold re-enter always exit on release send next of stream ''the tips'' wait 5 days');
CALL pg_temp.tick('2026-06-22 09:00');
INSERT INTO nurture.inbox (contact, type, props, kind, at, received_at) VALUES
    ('web', 'please', '{}', 'anonymous', '2026-06-22 10:00', '2026-06-22 10:00'), ('web', 'please', '{}', 'anonymous', '2026-06-22 10:01', '2026-06-22 10:01'),
    ('web', 'hold', '{}', 'anonymous', '2026-06-22 10:02', '2026-06-22 10:02'),
    ('sam', 'hello', '{}', NULL, '2026-06-22 10:03', '2026-06-22 10:03'), ('web', '$alias', '{"to": "sam"}', 'anonymous', '2026-06-22 10:04', '2026-06-22 10:04');
CALL pg_temp.tick('2026-06-22 10:05');
SELECT place, template, state FROM nurture.stream_places('sam');
SELECT count(nurture.complete(ARRAY[c.receipt])) AS sent FROM nurture.claim('email') c WHERE c.template = 'a';
CALL pg_temp.tick('2026-06-22 10:06');
SELECT nurture.unmerge('web');
CALL pg_temp.tick('2026-06-22 10:07');
SELECT w.place, w.template, w.state AS web, s.state AS sam FROM nurture.stream_places('web') w JOIN nurture.stream_places('sam') s USING (place) ORDER BY 1;
SELECT contact_key, what, stored, recomputed FROM nurture.verify(path => true);
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('sam', 'release', '2026-06-22 10:08', '2026-06-22 10:08');
CALL pg_temp.tick('2026-06-22 10:09');
SELECT nurture._outbox_maintain();
CALL pg_temp.tick('2026-06-22 10:10');
SELECT contact, template, status, reason FROM nurture.action WHERE contact IN ('web', 'sam') ORDER BY template;
SELECT w.place, w.template, w.state AS web, s.state AS sam FROM nurture.stream_places('web') w JOIN nurture.stream_places('sam') s USING (place) ORDER BY 1;
SELECT contact_key, what, stored, recomputed FROM nurture.verify(path => true);

-- Withdrawn when a sender had it, and planned anew: it is not handed out again as long as the sender has it; when that has told that it
-- was sent, the second is withdrawn. One that came to nothing leaves the second to be sent.
INSERT INTO nurture.inbox (contact, type, at, received_at)
SELECT c, t, at, at FROM unnest('{tess,ted}'::text[]) c, (VALUES ('hold', timestamptz '2026-06-23 10:00')) t (t, at);
CALL pg_temp.tick('2026-06-23 10:01');
SELECT count(*) AS claimed FROM nurture.claim('email', lease => '10 minutes') c WHERE c.contact IN ('tess', 'ted');
INSERT INTO nurture.inbox (contact, type, at, received_at)
SELECT c, t, at, at FROM unnest('{tess,ted}'::text[]) c, (VALUES ('release', timestamptz '2026-06-23 10:02'), ('please', '2026-06-23 10:03')) t (t, at);
CALL pg_temp.tick('2026-06-23 10:04');
SELECT contact, template, status, workflow FROM nurture.action WHERE contact IN ('tess', 'ted') ORDER BY contact, created_at;
SELECT count(*) AS claimed FROM nurture.claim('email');
SELECT contact, status, due, reason FROM nurture.action WHERE contact IN ('tess', 'ted') AND workflow = 'by hand' ORDER BY contact;
SELECT nurture.complete(ARRAY[a.receipt]) AS sent FROM nurture.action a WHERE a.contact = 'tess' AND a.workflow = 'held';
SELECT nurture.fail(a.receipt, 'full') FROM nurture.action a WHERE a.contact = 'ted' AND a.workflow = 'held';
CALL pg_temp.tick('2026-06-23 10:05');
SELECT nurture._outbox_maintain();
CALL pg_temp.tick('2026-06-23 10:20');
SELECT contact FROM nurture.claim('email') WHERE contact IN ('tess', 'ted');
SELECT contact, template, status, workflow, reason FROM nurture.action WHERE contact IN ('tess', 'ted') ORDER BY contact, created_at;
SELECT place, template, state FROM nurture.stream_places('tess');
SELECT contact_key, what, stored, recomputed FROM nurture.verify(path => true);

-- Whoever may read the view can; a cursor of the caller's is not in the way of verify.
CREATE ROLE regress_stream_reader;
GRANT USAGE ON SCHEMA nurture TO regress_stream_reader;
GRANT SELECT ON nurture.stream_content TO regress_stream_reader;
SET ROLE regress_stream_reader;
SELECT stream, place, template FROM nurture.stream_content ORDER BY 1, 2;
RESET ROLE;
BEGIN;
DECLARE turns CURSOR FOR SELECT count(*) FROM nurture.verify(path => true);
FETCH turns;
COMMIT;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
DROP ROLE regress_stream_reader;
