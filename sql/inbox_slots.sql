-- The inbox's slots: rows are taken in the order of received_at whatever the slot and the place they lie in, no batch is
-- larger than allowed, and space comes back although the inbox is never empty.
SET timezone = 'UTC';
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
CALL nurture.tick('2021-01-01');

CREATE FUNCTION pg_temp.slots() RETURNS TABLE (slot int, state text, rows bigint) LANGUAGE plpgsql AS $$
DECLARE
    s record;
BEGIN
    FOR s IN SELECT * FROM nurture._inbox_state ORDER BY 1 LOOP
        slot := s.slot;
        state := CASE WHEN s.turn IS NULL THEN 'free' WHEN s.slot = (SELECT last_value % 1024 FROM nurture._inbox_turn) THEN 'current'
                      WHEN s.drained IS NOT NULL THEN 'drained' ELSE 'closing' END;
        EXECUTE 'SELECT count(*) FROM nurture._inbox_' || s.slot INTO rows;
        RETURN NEXT;
    END LOOP;
END $$;
SELECT * FROM pg_temp.slots();

-- To whoever inserts it is one table with the columns it always had.
SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'nurture.inbox'::regclass AND attnum > 0;
INSERT INTO nurture.inbox VALUES ('anna', 'v', '2021-01-02', '{"a": 1}', 'm1', NULL, '2021-01-02') RETURNING contact, type, at, props, message_id, kind, received_at;
INSERT INTO nurture.inbox (contact, type) VALUES ('anna', 'v') RETURNING at = now() AS at, props, received_at BETWEEN now() AND clock_timestamp() AS received;
COPY nurture.inbox FROM stdin;
anna	v	2021-01-02	{}	m2	\N	2021-01-02
\.
UPDATE nurture.inbox SET type = 'w' WHERE message_id = 'm2' RETURNING type;
DELETE FROM nurture.inbox;

-- A slot is turned: what comes now lies elsewhere. A transaction that knew the former slot goes on with the new one only
-- when it must: after a savepoint was undone, with which its lock went.
INSERT INTO nurture.inbox (contact, type) VALUES ('anna', 'first');
SELECT nurture._turn_slots();
INSERT INTO nurture.inbox (contact, type) VALUES ('anna', 'second');
SELECT * FROM pg_temp.slots();
SELECT type, tableoid::regclass FROM nurture.inbox ORDER BY 1;
BEGIN;
SAVEPOINT a;
INSERT INTO nurture.inbox (contact, type) VALUES ('anna', 'third') RETURNING tableoid::regclass;
ROLLBACK TO a;
SELECT nurture._turn_slots();
INSERT INTO nurture.inbox (contact, type) VALUES ('anna', 'fourth') RETURNING tableoid::regclass;
ROLLBACK;
-- The turn was undone, but its sequence was not: that is put right, and no slot is lost.
SELECT * FROM pg_temp.slots();
SELECT nurture._tend_slots();
SELECT * FROM pg_temp.slots();
DELETE FROM nurture.inbox;
SELECT nurture._tend_slots();
SELECT nurture._tend_slots();
SELECT * FROM pg_temp.slots();

-- Order and size. Every tick's batch, seen from inside: a trigger on the batch's table keeps what it held.
CREATE TABLE batch_seen (batch bigint PRIMARY KEY, n bigint, bytes bigint, first timestamptz, last timestamptz);
CREATE FUNCTION batch_seen() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    INSERT INTO batch_seen SELECT pg_current_xact_id()::text::bigint, count(*), sum(nurture._message_size(b.contact, b.type, b.props, b.message_id, b.kind)),
        min(b.received_at), max(b.received_at) FROM nurture._batch b HAVING count(*) > 0
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER seen AFTER INSERT ON nurture._stepped FOR EACH STATEMENT EXECUTE FUNCTION batch_seen();
SET nurture.batch_rows = 500;
SET nurture.batch_bytes = '128kB';
-- Four shapes of a backlog over three slots, 6,000 rows each: rising, falling, at random, all at once.
CREATE PROCEDURE pg_temp.backlog(shape text, begins timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    FOR part IN 0 .. 2 LOOP
        INSERT INTO nurture.inbox (contact, type, at, props, received_at)
        SELECT 'c' || n % 7, 'v', t, jsonb_build_object('n', n, 'filler', repeat('x', (n % 5) * 100)), t
        FROM generate_series(1, 2000) g, LATERAL (SELECT part * 2000 + g AS n) m, LATERAL (SELECT begins + interval '1 second' * CASE shape
            WHEN 'rising' THEN n WHEN 'falling' THEN 6000 - n WHEN 'random' THEN abs(hashint4(n)) % 6000 ELSE 7 END AS t) w ORDER BY g;
        COMMIT;
        PERFORM nurture._turn_slots();
        COMMIT;
    END LOOP;
END $$;
CREATE FUNCTION pg_temp.verdict() RETURNS TABLE (batches text, rows numeric, too_many bigint, too_large bigint, overtaken bigint) LANGUAGE sql AS $$
SELECT CASE WHEN count(*) BETWEEN 12 AND 40 THEN '12 to 40' ELSE count(*)::text END, sum(n), count(*) FILTER (WHERE n > 500), count(*) FILTER (WHERE bytes > 131072), count(*) FILTER (WHERE first < before)
FROM (SELECT b.*, max(last) OVER (ORDER BY batch ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM batch_seen b) b $$;
CALL pg_temp.backlog('rising', '2021-01-03');
CALL nurture.tick('2021-01-04');
SELECT * FROM pg_temp.verdict();
TRUNCATE batch_seen;
CALL pg_temp.backlog('falling', '2021-01-04');
CALL nurture.tick('2021-01-05');
SELECT * FROM pg_temp.verdict();
TRUNCATE batch_seen;
CALL pg_temp.backlog('random', '2021-01-05');
CALL nurture.tick('2021-01-06');
SELECT * FROM pg_temp.verdict();
TRUNCATE batch_seen;
CALL pg_temp.backlog('at once', '2021-01-06');
CALL nurture.tick('2021-01-07');
SELECT * FROM pg_temp.verdict();
TRUNCATE batch_seen;
-- Every row was logged once, and a contact's in the order of received_at.
SELECT count(*), count(DISTINCT (props ->> 'n', date_trunc('day', received_at))) FROM nurture.event_log;
SELECT count(*) AS out_of_order FROM (
    SELECT received_at, lag(received_at) OVER (PARTITION BY contact ORDER BY tick, n) AS before FROM nurture.event_log) l
WHERE before > received_at;
SELECT count(*) AS differences FROM nurture.verify();
-- Malformed rows among them, in falling order, are set aside once; what is not yet received stays.
CALL pg_temp.backlog('falling', '2021-01-07');
INSERT INTO nurture.inbox (contact, type, received_at) SELECT CASE WHEN g % 2 = 0 THEN 'a' END, 'v', CASE g % 3 WHEN 0 THEN NULL WHEN 1 THEN 'infinity' ELSE timestamptz '2021-01-07 00:30' END
FROM generate_series(1, 900) g;
INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT 'later', 'v', '2021-01-08 12:00', '2021-01-08 12:00' FROM generate_series(1, 700);
CALL nurture.tick('2021-01-08');
SELECT sum(n), count(*) FILTER (WHERE n > 500) AS too_many FROM batch_seen;
SELECT count(*) FROM nurture.rejected_event;
SELECT contact, count(*) FROM nurture.inbox GROUP BY 1;
CALL nurture.tick('2021-01-09');
SELECT count(*) FROM nurture.inbox;
-- History is bounded, too.
TRUNCATE batch_seen;
INSERT INTO nurture.history (contact, type, at, props, received_at)
SELECT 'c' || g % 7, 'v', t, jsonb_build_object('filler', repeat('x', (g % 5) * 100)), t
FROM generate_series(1, 3000) g, LATERAL (SELECT timestamptz '2020-01-01' - interval '1 second' * g) w (t);
CALL nurture.tick('2021-01-10');
SELECT sum(n), count(*) FILTER (WHERE n > 500) AS too_many, count(*) FILTER (WHERE bytes > 131072) AS too_large FROM batch_seen;
-- It is read a stretch of blocks at a time; rows that come to lie where it was read before are found all the same.
TRUNCATE batch_seen;
INSERT INTO nurture.history (contact, type, at, received_at) SELECT 'c' || g % 7, 'past', t, t
FROM generate_series(1, 20000) g, LATERAL (SELECT timestamptz '2020-01-01' + interval '1 second' * g) w (t);
DO $$
BEGIN
    FOR i IN 1 .. 15 LOOP
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
        PERFORM nurture._tick_batch('2021-01-11');
    END LOOP;
END
$$;
SELECT count(*) < 20000 AS begun, count(*) > 5000 AS not_through FROM nurture.history;
VACUUM nurture.history;
INSERT INTO nurture.history (contact, type, at, received_at) SELECT 'c' || g % 7, 'past', t, t
FROM generate_series(1, 2000) g, LATERAL (SELECT timestamptz '2019-01-01' + interval '1 second' * g) w (t);
SELECT min(ctid) < (SELECT min(ctid) FROM nurture.history WHERE at > '2019-12-31') AS before_what_was_read FROM nurture.history WHERE at < '2019-12-31';
CALL nurture.tick('2021-01-11');
SELECT count(*), count(DISTINCT (contact, at)), (SELECT count(*) FROM nurture.history) AS waiting FROM nurture.event_log WHERE type = 'past';
SELECT count(*) FILTER (WHERE n > 500) AS too_many FROM batch_seen;
DROP TRIGGER seen ON nurture._stepped;
DROP FUNCTION batch_seen();
DROP TABLE batch_seen;
SELECT count(*) AS differences FROM nurture.verify();

-- Never empty, and yet no larger than what waits: 60 rounds, each leaving rows behind.
RESET nurture.batch_rows;
RESET nurture.batch_bytes;
DO $$
BEGIN
    FOR round IN 1 .. 60 LOOP
        INSERT INTO nurture.inbox (contact, type, at, props, received_at)
        SELECT 'c' || g, 'w', t, jsonb_build_object('filler', repeat('x', 300)), t
        FROM generate_series(1, 100) g, LATERAL (SELECT timestamptz '2021-02-01' + interval '1 hour' * (round + CASE WHEN g > 90 THEN 1 ELSE 0 END)) w (t);
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
        PERFORM nurture._tick_batch(timestamptz '2021-02-01' + interval '1 hour' * round);
        COMMIT;
        PERFORM nurture._tend_slots(65536, 32768);
        COMMIT;
    END LOOP;
END $$;
SELECT count(*) AS waiting FROM nurture.inbox;
SELECT sum(pg_relation_size(inhrelid)) < 6 * 65536 AS bounded FROM pg_inherits WHERE inhparent = 'nurture.inbox'::regclass;
SELECT last_value / 1024 > 5 AS turned FROM nurture._inbox_turn;
SELECT count(*) AS logged FROM nurture.event_log WHERE type = 'w';

DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
