-- Replaying the log gives the state to the last stamp, whichever tick ran a timer, and whatever came late.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
INSERT INTO nurture.segment (name, condition) VALUES ('done', 'done = true');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('slow', 'on go re-enter always wait 1 hour set done = true wait 1 hour set x = ''x'' wait 1 hour set done = false');
INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT c, 'go', '2024-01-01', '2024-01-01' FROM unnest(ARRAY['timer', 'both', 'late', 'past', 'ever']) c;
CALL nurture.tick('2024-01-01 00:01');
-- `timer`: by time alone, in a tick of its own. `both`: in the tick of its next message, before and after it.
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES ('both', '$identify', '{"y": 1}', '2024-01-01 01:30', '2024-01-01 01:30');
CALL nurture.tick('2024-01-01 02:30');
-- `late`: a message received before the timers that have run, at the clock. `past`: history, at the clock too.
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES ('late', '$identify', '{"x": "late"}', '2024-01-01 00:30', '2024-01-01 00:30'), ('late', 'go', '{}', '2024-01-01 00:31', '2024-01-01 00:31');
INSERT INTO nurture.history (contact, type, props, at, received_at) VALUES ('past', '$identify', '{"x": "past"}', '2023-01-01', '2024-01-01 00:30');
CALL nurture.tick('2024-01-01 02:31');
CALL nurture.tick('2024-01-02');
SELECT contact, tick, n, type, clock, props FROM nurture.event_log ORDER BY contact, tick, n;
SELECT * FROM nurture.verify(path => true);
SELECT * FROM nurture.verify();
-- Bulk history starts nothing, fresh as it may be.
INSERT INTO nurture.history (contact, type, at, received_at) VALUES ('fresh', 'go', '2024-01-02 12:00', '2024-01-02 12:00');
CALL nurture.tick('2024-01-02 12:01');
SELECT (SELECT count(*) FROM nurture.event_log WHERE contact = 'fresh') AS logged, count(*) AS journeys FROM nurture.transition WHERE contact = 'fresh';
-- A feature that left the model and comes back is another one: it has missed what came in between, and learns it from the log.
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+1 on v');
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('gap', 'v', '2024-01-03', '2024-01-03');
CALL nurture.tick('2024-01-03 00:01');
DELETE FROM nurture.rule;
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('gap', 'v', '2024-01-04', '2024-01-04');
CALL nurture.tick('2024-01-04 00:01');
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+1 on v');
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('gap', 'v', '2024-01-05', '2024-01-05');
CALL nurture.tick('2024-01-05 00:01');
CALL nurture.tick('2024-01-05 00:02');
SELECT nurture.score('gap'), (SELECT count(*) FROM nurture.feature WHERE definition LIKE '% v' AND state = 'live') AS live,
       (SELECT count(*) FROM nurture.feature WHERE definition LIKE '% v' AND state = 'ended') AS ended;
SELECT * FROM nurture.verify();
-- A model is adopted at the clock to which timers under the one before it moved the contact, also when nothing came of either:
-- three views are within seven seconds at the last message, but no more when the purchases' window has slid.
INSERT INTO nurture.segment (name, condition) VALUES ('busy', 'count(v within 3 seconds) >= 3'),
    ('spends', 'sum(amount of buy within 10 seconds) > 50'), ('calm', 'x = 1 and not in segment ''busy''');
CALL nurture.tick('2024-01-06');
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT 'quiet', m.type, m.props, m.at, m.at
FROM (VALUES ('$identify', '{"x": 1}'::jsonb, '2024-01-07 00:00:00'::timestamptz), ('v', '{}', '2024-01-07 00:00:00'), ('v', '{}', '2024-01-07 00:00:01'),
             ('v', '{}', '2024-01-07 00:00:02'), ('buy', '{"amount": 5}', '2024-01-07 00:00:00.5'), ('buy', '{"amount": 5}', '2024-01-07 00:00:05')) m (type, props, at);
CALL nurture.tick('2024-01-07 00:00:12');
SELECT segment, since FROM nurture.membership WHERE contact = 'quiet';
UPDATE nurture.segment SET condition = 'count(v within 7 seconds) >= 3' WHERE name = 'busy';
CALL nurture.tick('2024-01-07 00:00:13');
SELECT * FROM nurture.verify(path => true);
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('quiet', 'hello', '2024-01-07 00:00:20', '2024-01-07 00:00:20');
CALL nurture.tick('2024-01-07 00:00:21');
SELECT segment, since FROM nurture.membership WHERE contact = 'quiet';
SELECT * FROM nurture.verify(path => true);
-- Who is quarantined adopts no model meanwhile, and its timers stand still; released, it adopts the last one at its old clock.
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT 'held', m.type, m.props, m.at, m.at
FROM (VALUES ('$identify', '{"x": 1}'::jsonb, '2024-01-08 00:00:00'::timestamptz), ('v', '{}', '2024-01-08 00:00:00'), ('v', '{}', '2024-01-08 00:00:01'),
             ('v', '{}', '2024-01-08 00:00:02'), ('buy', '{"amount": 5}', '2024-01-08 00:00:05')) m (type, props, at);
INSERT INTO nurture.segment (name, condition) VALUES ('b', 'y = ''b''');
INSERT INTO nurture.workflow (name, definition) VALUES ('round', 'on round on entering segment ''b'' re-enter always set y = ''a'' set y = ''b''');
CALL nurture.tick('2024-01-08 00:00:06');
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('held', 'round', '2024-01-08 00:00:08', '2024-01-08 00:00:08');
CALL nurture.tick('2024-01-08 00:00:20');
UPDATE nurture.segment SET condition = 'count(v within 20 seconds) >= 3' WHERE name = 'busy';
CALL nurture.tick('2024-01-08 00:00:30');
UPDATE nurture.segment SET condition = 'count(v within 9 seconds) >= 3' WHERE name = 'busy';
CALL nurture.tick('2024-01-08 00:00:40');
DELETE FROM nurture.workflow WHERE name = 'round';
SELECT contact, tick FROM nurture.quarantine;
SELECT nurture.release('held');
CALL nurture.tick('2024-01-08 00:00:50');
SELECT at, kind, name, cause FROM nurture.transition WHERE contact = 'held' AND kind LIKE 'segment%' ORDER BY tick, n;
SELECT * FROM nurture.verify(path => true);
-- It can fail: a stamp is compared to its tick and number.
UPDATE nurture.event_log SET tick = tick + 1 WHERE contact = 'both' AND type = '$identify';
SELECT contact_key, what FROM nurture.verify(path => true);
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
-- The log is read once, however many models there were and whatever they changed.
CREATE FUNCTION pg_temp.rows_read() RETURNS bigint LANGUAGE sql AS $$
SELECT sum(pg_stat_get_xact_tuples_returned(inhrelid) + pg_stat_get_xact_tuples_fetched(inhrelid))::bigint FROM pg_inherits WHERE inhparent = 'nurture.event_log'::regclass $$;
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+1 on v half-life 1 day');
INSERT INTO nurture.segment (name, condition) VALUES ('warm', 'score >= 0.5');
INSERT INTO nurture.inbox (contact, type, at, received_at)
SELECT 'often', 'v', timestamptz '2024-03-01' + g * interval '1 minute', timestamptz '2024-03-01' + g * interval '1 minute' FROM generate_series(1, 1200) g;
CREATE PROCEDURE pg_temp.publish_often() LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..30 LOOP
        UPDATE nurture.segment SET condition = ('score >= ' || i)::nurture.condition WHERE name = 'warm';
        COMMIT;
        CALL nurture.tick(timestamptz '2024-03-01' + i * interval '40 minutes');
    END LOOP;
END $$;
CALL pg_temp.publish_often();
BEGIN;
SELECT count(*) FROM nurture.verify('often', path => true);
SELECT pg_temp.rows_read() BETWEEN 1200 AND 2 * (SELECT count(*) FROM nurture.event_log) AS once FROM nurture.model HAVING count(*) >= 30;
COMMIT;
