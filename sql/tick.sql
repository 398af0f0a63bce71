-- The tick: where it may be called, what it takes and in which order, what it leaves, what cuts do not change.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;

-- now.
CALL nurture.tick(now() + interval '1 hour');
CALL nurture.tick(NULL);
CALL nurture.tick();
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;

-- Inside a block it needs REPEATABLE READ; all of it is the transaction's.
BEGIN;
CALL nurture.tick('2026-01-01');
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('anna', 'v', '2026-01-01', '2026-01-01');
CALL nurture.tick('2026-01-02');
SELECT contact, type FROM nurture.event_log;
ROLLBACK;
SELECT count(*) AS contacts FROM nurture.contact;
SELECT count(*) AS engine FROM nurture.engine;
BEGIN ISOLATION LEVEL SERIALIZABLE;
CALL nurture.tick('2026-01-01');
COMMIT;
SELECT drained FROM nurture.engine;
CREATE PROCEDURE pg_temp.wrapped() LANGUAGE plpgsql AS $$ BEGIN CALL nurture.tick('2026-01-01 00:00:01'); END $$;
CALL pg_temp.wrapped();
SELECT drained FROM nurture.engine;

-- Earlier than what was drained: nothing happens, whatever waits.
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('anna', 'v', '2025-12-31', '2025-12-31');
CALL nurture.tick('2026-01-01');
SELECT count(*) AS waiting FROM nurture.inbox;
SELECT * FROM nurture._tick_batch('2026-01-01'); -- fails: not REPEATABLE READ
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM nurture._tick_batch('2026-01-01'); -- the worker comes again when the clock is past that
COMMIT;
CALL nurture.tick('2026-01-01 00:00:02');
SELECT count(*) AS waiting FROM nurture.inbox;

-- Only what was received by now is taken; in the order of received_at, at one moment in the order of arrival.
INSERT INTO nurture.segment (name, condition) VALUES ('pro', 'plan = ''pro''');
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('bert', '$identify', '{"plan": "free", "n": 3}', '2026-01-02 00:03', '2026-01-02 00:03'),
    ('bert', '$identify', '{"plan": "pro", "n": 2}', '2026-01-02 00:02', '2026-01-02 00:02'),
    ('bert', 'first', '{}', '2026-01-02 00:03', '2026-01-02 00:03'),
    ('bert', 'tomorrow', '{}', '2026-01-02 12:00', '2026-01-02 12:00');
CALL nurture.tick('2026-01-02 06:00');
SELECT n, type, props, clock FROM nurture.event_log WHERE contact = 'bert' ORDER BY tick, n;
SELECT n, at, kind, name, cause, cause_n FROM nurture.transition WHERE contact = 'bert' ORDER BY tick, n;
SELECT type FROM nurture.inbox;
CALL nurture.tick('2026-01-02 13:00');
SELECT count(*) AS waiting FROM nurture.inbox;

-- The effective time: an event that is told late happens when we were told; a row whose turn came late, at the contact's clock.
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES
    ('bert', 'late', '2025-11-01', '2026-01-02 14:00'),
    ('bert', 'behind', '2026-01-02 09:00', '2026-01-02 09:00'),
    ('bert', 'ahead', '2026-01-02 14:35', '2026-01-02 14:30'),
    ('bert', 'too far ahead', '2026-01-02 14:45', '2026-01-02 14:30'),
    ('bert', 'no at', NULL, '2026-01-02 14:31');
CALL nurture.tick('2026-01-02 15:00');
SELECT type, at, received_at, clock FROM nurture.event_log WHERE contact = 'bert' AND tick = (SELECT max(tick) FROM nurture.event_log)
ORDER BY n;
SELECT reason, type, source FROM nurture.rejected_event;
SELECT relname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE inhparent = 'nurture.event_log'::regclass AND relname = 'event_log_ancient';

-- A day is 24 hours, also where clocks are put forward: what is further ahead is malformed, what is less waits.
SET timezone = 'Europe/Berlin';
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES
    ('carl', 'ahead 23.5 h', '2026-03-29 12:30+00', '2026-03-29 12:30+00'),
    ('carl', 'ahead 24.5 h', '2026-03-29 13:30+00', '2026-03-29 13:30+00');
CALL nurture.tick('2026-03-28 13:00+00');
SELECT type FROM nurture.inbox;
SELECT type, reason FROM nurture.rejected_event WHERE contact = 'carl';
DELETE FROM nurture.inbox;
SET timezone = 'UTC';

-- The log has its partition whenever the tick comes.
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('dora', 'v', '2031-02-03', '2031-02-03');
CALL nurture.tick('2031-02-28');
SELECT at FROM nurture.event_log WHERE contact = 'dora';
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('dora', 'v', '2031-03-31', '2031-03-31');
CALL nurture.tick('2031-04-01');
SELECT at FROM nurture.event_log WHERE contact = 'dora';

-- Duplicates count once; the id of another contact is another id.
INSERT INTO nurture.inbox (contact, type, message_id, at, received_at) VALUES
    ('emil', 'v', 'm1', '2031-04-02', '2031-04-02 00:00'), ('emil', 'v', 'm1', '2031-04-02', '2031-04-02 00:00'),
    ('emil', 'other', 'm1', '2031-04-02', '2031-04-02 00:01'), ('fritz', 'v', 'm1', '2031-04-02', '2031-04-02 00:00');
CALL nurture.tick('2031-04-03');
INSERT INTO nurture.inbox (contact, type, message_id, at, received_at) VALUES
    ('emil', 'again', 'm1', '2031-04-08', '2031-04-08 23:59:59'), ('emil', 'a week later', 'm1', '2031-04-09', '2031-04-09 00:00');
CALL nurture.tick('2031-04-10');
SELECT contact, type, n FROM nurture.event_log WHERE message_id = 'm1' ORDER BY contact, tick, n;
SELECT duplicates FROM nurture.engine;

-- Rejected rows keep everything and can be retried, also those that the step refuses: too many attributes.
INSERT INTO nurture.inbox (contact, type, message_id, props, at, received_at) VALUES
    ('gerd', '$identify', 'big', jsonb_build_object('a', repeat('x', 20000)), '2031-04-11', '2031-04-11'),
    ('gerd', '$identify', 'too big', jsonb_build_object('b', repeat('x', 20000)), '2031-04-11', '2031-04-11 00:01'),
    ('gerd', 'v', 'after', '{}', '2031-04-11', '2031-04-11 00:02'),
    ('gerd', '$mine', NULL, '{}', '2031-04-11', '2031-04-11 00:03'),
    ('gerd', 'v', NULL, '{}', '2031-04-11', '2031-04-11 00:04');
UPDATE nurture.inbox SET kind = '$engine' WHERE received_at = '2031-04-11 00:04';
CALL nurture.tick('2031-04-12');
SELECT type, n, message_id FROM nurture.event_log WHERE contact = 'gerd' ORDER BY tick, n;
SELECT type, kind, message_id, reason FROM nurture.rejected_event WHERE contact = 'gerd' ORDER BY id;
UPDATE nurture.rejected_event SET props = '{"b": "x"}', kind = NULL WHERE contact = 'gerd';
SELECT nurture.retry_rejected(ARRAY(SELECT id FROM nurture.rejected_event WHERE contact = 'gerd'));
CALL nurture.tick('2031-04-13');
SELECT type, n, message_id, clock FROM nurture.event_log WHERE contact = 'gerd' ORDER BY tick, n;
SELECT type, reason FROM nurture.rejected_event WHERE contact = 'gerd';

-- History: taken when the inbox is empty; completes what is known, at the contact's clock; starts nothing.
INSERT INTO nurture.segment (name, condition) VALUES ('three', 'count(v) >= 3');
INSERT INTO nurture.workflow (name, definition) VALUES ('greet', 'on v send email ''hello'''), ('three', 'on entering segment ''three'' send email ''three''');
INSERT INTO nurture.history (contact, type, at, received_at)
SELECT c, 'v', '2020-01-01'::timestamptz + g * interval '1 day', '2031-04-14' FROM unnest(ARRAY['hans', 'ida']) c, generate_series(1, 3) g;
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('hans', 'x', '2031-04-15', '2031-04-15'), ('hans', 'x', '2031-04-17', '2031-04-17');
CALL nurture.tick('2031-04-16');
SELECT type, at, clock FROM nurture.event_log WHERE contact IN ('hans', 'ida') ORDER BY contact, tick, n;
SELECT contact, at, kind, name, cause FROM nurture.transition WHERE contact IN ('hans', 'ida') ORDER BY contact, tick, n;
SELECT count(*) AS actions FROM nurture.action;
SELECT count(*) AS history FROM nurture.history;
CALL nurture.tick('2031-04-18');
SELECT contact, count(*) AS actions FROM nurture.action GROUP BY 1;

-- A stale event completes what is known and starts nothing; what is merely told late does.
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('jan', 'v', '2031-04-17', '2031-04-19 00:00:01'), ('kai', 'v', '2031-04-18', '2031-04-19');
CALL nurture.tick('2031-04-20');
SELECT contact, template FROM nurture.action;

-- A changed model is adopted at the contact's own clock, by the name of published, and starts no journeys.
UPDATE nurture.segment SET condition = 'count(v) >= 1' WHERE name = 'three';
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('jan', 'x', '2031-04-21', '2031-04-21');
CALL nurture.tick('2031-04-22');
SELECT contact, at, kind, name, cause FROM nurture.transition WHERE contact = 'jan' ORDER BY tick, n;
SELECT contact, template FROM nurture.action;
UPDATE nurture.segment SET condition = 'count(v) >= 1 and not did x' WHERE name = 'three';
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('jan', 'x', '2031-04-23', '2031-04-23');
CALL nurture.tick('2031-04-24');
SELECT contact, at, kind, name, cause FROM nurture.transition WHERE contact = 'jan' ORDER BY tick, n;

-- A contact whose step fails is set aside with its messages; the others go on; release brings all of it back.
INSERT INTO nurture.workflow (name, definition) VALUES
    ('round', 'on go on entering segment ''b'' re-enter always set x = ''a'' set x = ''b'''), ('timer', 'on later wait 1 day set x = ''b''');
INSERT INTO nurture.segment (name, condition) VALUES ('b', 'x = ''b''');
