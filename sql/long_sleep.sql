-- A contact that was asleep for longer than one step does: it goes on in as many batches as it takes, and what is told to it meanwhile comes in its turn.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
INSERT INTO nurture.workflow (name, definition) VALUES
    ('loop', 'on go exit on stop repeat wait 1 second end'),
    ('other', 'on view re-enter always wait 1 hour do ''task''');
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('anna', 'go', '2024-01-01', '2024-01-01'), ('bert', 'go', '2024-01-01', '2024-01-01');
CALL nurture.tick('2024-01-01');
-- The engine was down for two days: 172,800 seconds; a step lets at most 100,000 timers run.
INSERT INTO nurture.inbox (contact, type, message_id, at, received_at) VALUES
    ('anna', 'view', 'first', '2024-01-02 12:00:00.5', '2024-01-02 12:00:00.5'), ('anna', 'view', 'first', '2024-01-02 12:00:01', '2024-01-02 12:00:01'),
    ('carl', 'view', 'his', '2024-01-02 12:00', '2024-01-02 12:00'), ('anna', 'stop', 'last', '2024-01-02 18:00', '2024-01-02 18:00');
CALL nurture.tick('2024-01-03');
SELECT count(*) FROM nurture.quarantine;
SELECT (SELECT count(*) FROM nurture.inbox) AS inbox, (SELECT count(*) FROM nurture._waiting) AS waiting, (SELECT drained FROM nurture.engine);
SELECT t.contact, count(*) AS waits, count(DISTINCT t.at) AS seconds, min(t.at), max(t.at), count(DISTINCT t.tick) > 1 AS in_several_ticks
FROM nurture.transition t WHERE t.name = 'loop' AND t.kind = 'journey waits' GROUP BY 1 ORDER BY 1;
SELECT contact, at, kind, name, detail ->> 'reason' AS reason FROM nurture.transition WHERE kind = 'journey ended' OR name = 'other' ORDER BY contact, at, n;
SELECT contact, due FROM nurture.action ORDER BY 1;
SELECT contact, type, message_id, clock FROM nurture.event_log ORDER BY contact, tick, n;
SELECT duplicates, logged FROM nurture.engine;
SELECT contact, nurture._clock(state) AS clock, due FROM nurture.contact ORDER BY 1;
-- Nothing of it hinders the next model.
INSERT INTO nurture.workflow (name, definition) VALUES ('late', 'on view do ''late''');
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('bert', 'stop', '2024-01-03 00:00:10', '2024-01-03 00:00:10'), ('bert', 'view', '2024-01-03 00:00:10', '2024-01-03 00:00:10');
CALL nurture.tick('2024-01-03 00:01');
SELECT contact, channel, due FROM nurture.action ORDER BY 1, 2;
SELECT count(*) FROM nurture.verify();
SELECT contact_key, what FROM nurture.verify('anna', path => true);
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
