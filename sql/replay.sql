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
-- It can fail: a stamp is compared to its tick and number.
UPDATE nurture.event_log SET tick = tick + 1 WHERE contact = 'both' AND type = '$identify';
SELECT contact_key, what FROM nurture.verify(path => true);
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
