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
CALL nurture.tick('2021-01-01');
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('anna', 'v', '2021-01-01', '2021-01-01');
CALL nurture.tick('2021-01-02');
SELECT contact, type FROM nurture.event_log;
ROLLBACK;
SELECT count(*) AS contacts FROM nurture.contact;
SELECT count(*) AS engine FROM nurture.engine;
BEGIN ISOLATION LEVEL SERIALIZABLE;
CALL nurture.tick('2021-01-01');
COMMIT;
SELECT drained FROM nurture.engine;
CREATE PROCEDURE pg_temp.wrapped() LANGUAGE plpgsql AS $$ BEGIN CALL nurture.tick('2021-01-01 00:00:05'); END $$;
CALL pg_temp.wrapped();
SELECT drained FROM nurture.engine;

-- Earlier than what was drained: nothing happens, whatever waits.
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('anna', 'v', '2020-12-31', '2020-12-31');
CALL nurture.tick('2021-01-01');
SELECT count(*) AS waiting FROM nurture.inbox;
SELECT * FROM nurture._tick_batch('2021-01-01'); -- fails: not REPEATABLE READ
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM nurture._tick_batch('2021-01-01'); -- the worker comes again when the clock is past that
COMMIT;
CALL nurture.tick('2021-01-01 00:00:07');
SELECT count(*) AS waiting FROM nurture.inbox;

-- Only what was received by now is taken; in the order of received_at, at one moment in the order of arrival.
INSERT INTO nurture.segment (name, condition) VALUES ('pro', 'plan = ''pro''');
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('bert', '$identify', '{"plan": "free", "n": 3}', '2021-01-02 00:03', '2021-01-02 00:03'),
    ('bert', '$identify', '{"plan": "pro", "n": 2}', '2021-01-02 00:02', '2021-01-02 00:02'),
    ('bert', 'first', '{}', '2021-01-02 00:03', '2021-01-02 00:03'),
    ('bert', 'tomorrow', '{}', '2021-01-02 12:00', '2021-01-02 12:00');
CALL nurture.tick('2021-01-02 06:00');
SELECT n, type, props, clock FROM nurture.event_log WHERE contact = 'bert' ORDER BY tick, n;
SELECT n, at, kind, name, cause, cause_n FROM nurture.transition WHERE contact = 'bert' ORDER BY tick, n;
SELECT type FROM nurture.inbox;
CALL nurture.tick('2021-01-02 13:00');
SELECT count(*) AS waiting FROM nurture.inbox;

-- The effective time: an event that is told late happens when we were told; a row whose turn came late, at the contact's clock.
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES
    ('bert', 'late', '2020-11-01', '2021-01-02 14:00'),
    ('bert', 'behind', '2021-01-02 09:00', '2021-01-02 09:00'),
    ('bert', 'ahead', '2021-01-02 14:35', '2021-01-02 14:30'),
    ('bert', 'too far ahead', '2021-01-02 14:45', '2021-01-02 14:30'),
    ('bert', 'no at', NULL, '2021-01-02 14:31');
CALL nurture.tick('2021-01-02 15:00');
SELECT type, at, received_at, clock FROM nurture.event_log WHERE contact = 'bert' AND tick = (SELECT max(tick) FROM nurture.event_log)
ORDER BY n;
SELECT reason, type, source FROM nurture.rejected_event;
SELECT relname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE inhparent = 'nurture.event_log'::regclass AND relname = 'event_log_ancient';

-- A day is 24 hours, also where clocks are put forward: what is further ahead is malformed, what is less waits.
SET timezone = 'Europe/Berlin';
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES
    ('carl', 'ahead 23.5 h', '2021-03-28 12:30+00', '2021-03-28 12:30+00'),
    ('carl', 'ahead 24.5 h', '2021-03-28 13:30+00', '2021-03-28 13:30+00');
CALL nurture.tick('2021-03-27 13:00+00');
SELECT type FROM nurture.inbox;
SELECT type, reason FROM nurture.rejected_event WHERE contact = 'carl';
DELETE FROM nurture.inbox;
SET timezone = 'UTC';

-- Duplicates count once; the id of another contact is another id.
INSERT INTO nurture.inbox (contact, type, message_id, at, received_at) VALUES
    ('emil', 'v', 'm1', '2021-04-02', '2021-04-02 00:00'), ('emil', 'v', 'm1', '2021-04-02', '2021-04-02 00:00'),
    ('emil', 'other', 'm1', '2021-04-02', '2021-04-02 00:01'), ('fritz', 'v', 'm1', '2021-04-02', '2021-04-02 00:00');
CALL nurture.tick('2021-04-03');
INSERT INTO nurture.inbox (contact, type, message_id, at, received_at) VALUES
    ('emil', 'again', 'm1', '2021-04-08', '2021-04-08 23:59:59'), ('emil', 'a week later', 'm1', '2021-04-09', '2021-04-09 00:00');
CALL nurture.tick('2021-04-10');
SELECT contact, type, n FROM nurture.event_log WHERE message_id = 'm1' ORDER BY contact, tick, n;
SELECT duplicates FROM nurture.engine;

-- Rejected rows keep everything and can be retried, also those that the step refuses: too many attributes.
INSERT INTO nurture.inbox (contact, type, message_id, props, at, received_at) VALUES
    ('gerd', '$identify', 'big', jsonb_build_object('a', repeat('x', 20000)), '2021-04-11', '2021-04-11'),
    ('gerd', '$identify', 'too big', jsonb_build_object('b', repeat('x', 20000)), '2021-04-11', '2021-04-11 00:01'),
    ('gerd', 'v', 'after', '{}', '2021-04-11', '2021-04-11 00:02'),
    ('gerd', '$mine', NULL, '{}', '2021-04-11', '2021-04-11 00:03'),
    ('gerd', 'v', NULL, '{}', '2021-04-11', '2021-04-11 00:04');
UPDATE nurture.inbox SET kind = '$engine' WHERE received_at = '2021-04-11 00:04';
CALL nurture.tick('2021-04-12');
SELECT type, n, message_id FROM nurture.event_log WHERE contact = 'gerd' ORDER BY tick, n;
SELECT type, kind, message_id, reason FROM nurture.rejected_event WHERE contact = 'gerd' ORDER BY id;
UPDATE nurture.rejected_event SET props = '{"b": "x"}', kind = NULL WHERE contact = 'gerd';
SELECT nurture.retry_rejected(ARRAY(SELECT id FROM nurture.rejected_event WHERE contact = 'gerd'));
CALL nurture.tick('2021-04-13');
SELECT type, n, message_id, clock FROM nurture.event_log WHERE contact = 'gerd' ORDER BY tick, n;
SELECT type, reason FROM nurture.rejected_event WHERE contact = 'gerd';

-- History: taken when the inbox is empty; completes what is known, at the contact's clock; starts nothing.
INSERT INTO nurture.segment (name, condition) VALUES ('three', 'count(v) >= 3');
INSERT INTO nurture.workflow (name, definition) VALUES ('greet', 'on v send email ''hello'' as transactional'), ('three', 'on entering segment ''three'' send email ''three'' as transactional');
INSERT INTO nurture.history (contact, type, at, received_at)
SELECT c, 'v', '2020-01-01'::timestamptz + g * interval '1 day', '2021-04-14' FROM unnest(ARRAY['hans', 'ida']) c, generate_series(1, 3) g;
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('hans', 'x', '2021-04-15', '2021-04-15'), ('hans', 'x', '2021-04-17', '2021-04-17');
CALL nurture.tick('2021-04-16');
SELECT type, at, clock FROM nurture.event_log WHERE contact IN ('hans', 'ida') ORDER BY contact, tick, n;
SELECT contact, at, kind, name, cause FROM nurture.transition WHERE contact IN ('hans', 'ida') ORDER BY contact, tick, n;
SELECT count(*) AS actions FROM nurture.action;
SELECT count(*) AS history FROM nurture.history;
CALL nurture.tick('2021-04-18');
SELECT contact, count(*) AS actions FROM nurture.action GROUP BY 1;

-- A stale event completes what is known and starts nothing; what is merely told late does.
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('jan', 'v', '2021-04-17', '2021-04-19 00:00:01'), ('kai', 'v', '2021-04-18', '2021-04-19');
CALL nurture.tick('2021-04-20');
SELECT contact, template FROM nurture.action;

-- A changed model is adopted at the contact's own clock, by the name of published, and starts no journeys.
UPDATE nurture.segment SET condition = 'count(v) >= 1' WHERE name = 'three';
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('jan', 'x', '2021-04-21', '2021-04-21');
CALL nurture.tick('2021-04-22');
SELECT contact, at, kind, name, cause FROM nurture.transition WHERE contact = 'jan' ORDER BY tick, n;
SELECT contact, template FROM nurture.action;
UPDATE nurture.segment SET condition = 'count(v) >= 1 and not did x' WHERE name = 'three';
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('jan', 'x', '2021-04-23', '2021-04-23');
CALL nurture.tick('2021-04-24');
SELECT contact, at, kind, name, cause FROM nurture.transition WHERE contact = 'jan' ORDER BY tick, n;

-- A contact whose step fails is set aside with its messages; the others go on; release brings all of it back.
INSERT INTO nurture.segment (name, condition) VALUES ('b', 'x = ''b''');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('round', 'on go on entering segment ''b'' re-enter always set x = ''a'' set x = ''b'''), ('timer', 'on later wait 1 day set x = ''a'' set x = ''b'' set done = true');
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES
    ('lea', 'go', '2021-04-25', '2021-04-25'), ('lea', 'v', '2021-04-25 00:01', '2021-04-25 00:01'),
    ('mia', 'later', '2021-04-25', '2021-04-25'), ('nina', 'v', '2021-04-25', '2021-04-25');
CALL nurture.tick('2021-04-25 12:00');
SELECT contact, reason FROM nurture.quarantine;
SELECT of_contact, type, source FROM nurture.quarantined_message ORDER BY id;
SELECT contact, template, due FROM nurture.action WHERE contact IN ('lea', 'mia', 'nina');
SELECT quarantined FROM nurture.engine;
-- One whose timer fails, too, and what comes meanwhile waits with the rest.
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('lea', 'w', '2021-04-25 13:00', '2021-04-25 13:00');
CALL nurture.tick('2021-04-26 12:00');
SELECT contact, reason FROM nurture.quarantine ORDER BY 1;
SELECT of_contact, type, source FROM nurture.quarantined_message ORDER BY id;
SELECT nurture.release('nobody');
-- Released before it is mended it comes back; mended, everything happens at its own time.
SELECT nurture.release('lea');
CALL nurture.tick('2021-04-26 13:00');
SELECT contact, reason FROM nurture.quarantine ORDER BY 1;
DELETE FROM nurture.workflow WHERE name = 'round';
SELECT nurture.release('lea'), nurture.release('mia');
CALL nurture.tick('2021-04-26 14:00');
SELECT contact FROM nurture.quarantine ORDER BY 1;
SELECT contact, type, clock, n FROM nurture.event_log WHERE contact IN ('lea', 'mia') ORDER BY contact, tick, n;
SELECT contact, at, kind, name, cause FROM nurture.transition WHERE contact IN ('lea', 'mia') ORDER BY contact, tick, n;
SELECT contact, template, due FROM nurture.action WHERE contact IN ('lea', 'mia') ORDER BY 1;
-- More than the limit: nothing is done at all, and the error says whom it began with.
INSERT INTO nurture.workflow (name, definition) VALUES ('round', 'on go on entering segment ''b'' re-enter always set x = ''a'' set x = ''b''');
SET nurture.quarantine_limit = 2;
INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT 'q' || g, 'go', '2021-04-27', '2021-04-27' FROM generate_series(1, 3) g;
SELECT tick FROM nurture.engine \gset
CALL nurture.tick('2021-04-28');
SELECT count(*) AS waiting FROM nurture.inbox;
SELECT tick = :tick AS no_tick, (SELECT count(*) FROM nurture.quarantine) AS quarantined FROM nurture.engine;
RESET nurture.quarantine_limit;
CALL nurture.tick('2021-04-28');
SELECT contact FROM nurture.quarantine ORDER BY 1;

SET statement_timeout = '60s'; -- a loop that goes round shows
-- However it is cut, it comes to the same. The log of one run is compared with that of another in a fresh extension: all at once
-- against tiny batches, with ticks in between. Rows lie in another order than they were received in, by and large.
CREATE TEMP TABLE given AS
SELECT 'c' || (random_1 % 40) AS contact, (ARRAY['v', 'v', 'buy', 'go', '$identify', 'v'])[1 + random_2 % 6] AS type,
       jsonb_build_object('plan', (ARRAY['free', 'pro'])[1 + random_3 % 2], 'pad', repeat(md5(g::text), 20)) AS props,
       CASE WHEN random_4 % 4 = 0 THEN 'm' || random_4 % 500 END AS message_id, received_at,
       received_at - random_5 % 100 * interval '1 hour' * (random_4 % 3) AS at, random_5 % 2000 + g AS position
FROM (SELECT g, hashint4(g) & 65535 AS random_1, hashint4(g + 100000) & 65535 AS random_2, hashint4(g + 200000) & 65535 AS random_3,
             hashint4(g + 300000) & 65535 AS random_4, hashint4(g + 400000) & 65535 AS random_5,
             timestamptz '2021-02-01' + g * interval '7 minutes' AS received_at
      FROM generate_series(1, 3000) g) g;
CREATE PROCEDURE pg_temp.begin_anew() LANGUAGE plpgsql AS $$
BEGIN
    DROP EXTENSION nurture CASCADE;
    CREATE EXTENSION nurture;
    INSERT INTO nurture.rule (name, definition) VALUES ('views', '+5 on v topic pricing half-life 2 days'), ('buys', '-3 on buy at most 2 per day');
    INSERT INTO nurture.segment (name, condition) VALUES ('warm', 'score >= 12'), ('busy', 'count(v within 8 hours) >= 2'), ('pro', 'plan = ''pro'' and not in segment ''busy''');
    INSERT INTO nurture.workflow (name, definition) VALUES
        ('busy', 'on entering segment ''busy'' re-enter after 1 day wait 1 hour send email ''busy'' wait for buy up to 5 hours then send email ''thanks'' else set gone = ''yes'' send push ''come back'' end'),
        ('go', 'on go exit on buy re-enter always wait for in segment ''warm'' up to 6 hours send email ''warm'' wait 1 day send email ''end''');
END
$$;
-- What is to be the same. cause_tick and n belong to the cut; the order of what happens to a contact does not.
CREATE FUNCTION pg_temp.outcome() RETURNS TABLE (kind text, line text) LANGUAGE sql AS $$
    SELECT 'transition', row(contact, row_number() OVER (PARTITION BY contact ORDER BY tick, n), at, kind, name, version, step, cause, detail)::text FROM nurture.transition
    UNION ALL
    SELECT 'log', row(contact, row_number() OVER (PARTITION BY contact ORDER BY tick, n), key, kind, type, at, received_at, clock, md5(props::text), message_id)::text FROM nurture.event_log
    UNION ALL
    SELECT 'action', row(id, contact, channel, template, status, due, expires, workflow, journey, step, created_at)::text FROM nurture.action
    UNION ALL
    SELECT 'cancel', row(id, contact, reason, at)::text FROM nurture.action_cancel
    UNION ALL
    SELECT 'membership', row(segment, contact, since, cause)::text FROM nurture.membership
    UNION ALL
    SELECT 'counts', row(logged, rejected, duplicates, quarantined)::text FROM nurture.engine
$$;
CALL pg_temp.begin_anew();
INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at) SELECT contact, type, at, props, message_id, received_at FROM given ORDER BY position;
BEGIN ISOLATION LEVEL REPEATABLE READ;
CALL nurture.tick('2021-02-17');
COMMIT;
SELECT tick FROM nurture.engine;
CREATE TEMP TABLE at_once AS SELECT * FROM pg_temp.outcome();
SELECT kind, count(*) > 20 AS many, count(*) > 0 AS any FROM at_once GROUP BY 1 ORDER BY 1;

CALL pg_temp.begin_anew();
SET nurture.batch_rows = 100;
CREATE PROCEDURE pg_temp.put(since timestamptz, until timestamptz) LANGUAGE sql AS $$
    INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at)
    SELECT contact, type, at, props, message_id, received_at FROM given WHERE received_at > since AND received_at <= until ORDER BY position $$;
BEGIN ISOLATION LEVEL REPEATABLE READ;
CALL pg_temp.put('-infinity', '2021-02-05'); -- ticks at odd moments, with rows of the next day waiting
CALL nurture.tick('2021-02-04');
CALL nurture.tick('2021-02-04 00:03');
CALL pg_temp.put('2021-02-05', '2021-02-12');
CALL nurture.tick('2021-02-11 12:34:56.789');
CALL pg_temp.put('2021-02-12', 'infinity');
CALL nurture.tick('2021-02-17');
COMMIT;
SELECT tick > 8 AS many_batches FROM nurture.engine;
(TABLE at_once EXCEPT ALL SELECT * FROM pg_temp.outcome()) UNION ALL (SELECT * FROM pg_temp.outcome() EXCEPT ALL TABLE at_once) ORDER BY 1, 2 LIMIT 10;

CALL pg_temp.begin_anew();
RESET nurture.batch_rows;
DO $$
BEGIN
    FOR hour IN 0 .. 96 LOOP
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at)
        SELECT contact, type, at, props, message_id, received_at FROM given
        WHERE received_at > '2021-02-01'::timestamptz + (hour - 1) * interval '5 hours' AND received_at <= '2021-02-01'::timestamptz + hour * interval '5 hours'
        ORDER BY position;
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
        PERFORM nurture._tick_batch('2021-02-01'::timestamptz + hour * interval '5 hours');
    END LOOP;
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    PERFORM nurture._tick_batch('2021-02-17');
END
$$;
SELECT tick > 60 AS many_ticks FROM nurture.engine;
(TABLE at_once EXCEPT ALL SELECT * FROM pg_temp.outcome()) UNION ALL (SELECT * FROM pg_temp.outcome() EXCEPT ALL TABLE at_once) ORDER BY 1, 2 LIMIT 10;
-- The oracle can fail: one message told a minute later is seen.
UPDATE given SET received_at = received_at + interval '1 minute' WHERE ctid = (SELECT min(ctid) FROM given WHERE type = 'v');
CALL pg_temp.begin_anew();
INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at) SELECT contact, type, at, props, message_id, received_at FROM given ORDER BY position;
BEGIN ISOLATION LEVEL REPEATABLE READ;
CALL nurture.tick('2021-02-17');
COMMIT;
SELECT count(*) > 0 AS seen FROM (SELECT * FROM pg_temp.outcome() EXCEPT ALL TABLE at_once) d;

-- An interrupted tick leaves a plan; a tick for an earlier moment takes nothing beyond it.
CALL pg_temp.begin_anew();
SET nurture.batch_rows = 100;
INSERT INTO nurture.inbox (contact, type, at, received_at, props) SELECT contact, 'v', received_at, received_at, props FROM given
WHERE received_at <= '2021-02-05 20:00' ORDER BY received_at DESC;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT more FROM nurture._tick_batch('2021-02-06');
COMMIT;
CALL nurture.tick('2021-02-05');
SELECT max(received_at) <= '2021-02-05' AS none_beyond FROM nurture.event_log;
SELECT min(received_at) > '2021-02-05' AS all_until FROM nurture.inbox WHERE type <> '$dropped';
RESET nurture.batch_rows;
CALL pg_temp.begin_anew();
-- The log has its partition whenever the tick comes.
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('dora', 'v', '2031-02-03', '2031-02-03');
CALL nurture.tick('2031-02-28');
SELECT at FROM nurture.event_log WHERE contact = 'dora';
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('dora', 'v', '2031-03-31', '2031-03-31');
CALL nurture.tick('2031-04-01');
SELECT at FROM nurture.event_log WHERE contact = 'dora';

DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
