-- Retention: whole months of the log go, and what is known stays known: verify(), replays and scores go on from the states
-- that were kept.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
SET nurture.history_from = '2021-01-01';
CALL nurture.tick('2021-01-01');
INSERT INTO nurture.rule (name, definition) VALUES
    ('looks', '+5 on v half-life 30 days'), ('buys', '+0.1 per amount on buy'), ('often', '+1 on v at most 2 per day');
INSERT INTO nurture.segment (name, condition) VALUES
    ('buyer', 'count(buy) >= 3'), ('recent', 'count(v within 20 days) >= 2'), ('rich', 'sum(amount of buy) >= 100');
INSERT INTO nurture.workflow (name, definition) VALUES ('greet', $$
    on buy
    wait 40 days
    send email 'thanks' as transactional
    wait for v up to 30 days then send email 'again' as transactional else exit end
$$);
CREATE PROCEDURE pg_temp.live(since timestamptz, until timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    day timestamptz := since;
BEGIN
    WHILE day < until LOOP
        INSERT INTO nurture.inbox (contact, type, at, props, received_at)
        SELECT 'c' || lpad(g::text, 2, '0'), CASE WHEN abs(hashint4(g * 1000 + extract(epoch FROM day)::int / 86400)) % 4 = 0 THEN 'buy' ELSE 'v' END,
               day + interval '1 hour' * g, jsonb_build_object('amount', g), day + interval '1 hour' * g
        FROM generate_series(1, 20) g WHERE abs(hashint4(g + extract(epoch FROM day)::int / 86400)) % 3 = 0;
        day := day + interval '3 days';
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
        PERFORM nurture._tick_batch(day);
        COMMIT;
    END LOOP;
END $$;
CALL pg_temp.live('2021-01-02', '2021-03-02');
-- Some are not seen again: what is known of them comes from what will be dropped alone.
INSERT INTO nurture.inbox (contact, type, at, props, received_at)
SELECT 'old' || g, 'buy', t, '{"amount": 40}', t FROM generate_series(1, 5) g, LATERAL (SELECT timestamptz '2021-03-02' + interval '1 day' * g) w (t);
CALL pg_temp.live('2021-03-08', '2021-06-15');
SELECT count(*) AS differences FROM nurture.verify();
SELECT count(*) AS differences FROM nurture.verify(path => true);
CREATE TEMP TABLE known AS SELECT contact, nurture.score(contact) AS score, segments FROM nurture.lead;

CREATE VIEW pg_temp.partition AS SELECT p.name, p.lower_bound, p.upper_bound FROM nurture._log_partitions() p WHERE p.lower_bound < '2021-08-01';
SELECT * FROM pg_temp.partition;
-- Without a row nothing goes.
CALL nurture.apply_retention();
SELECT count(*) AS dropped FROM nurture.dropped;
-- What is refused is refused aloud.
INSERT INTO nurture.retention (kind, keep) VALUES ('contact', '1 year');
INSERT INTO nurture.retention (kind, keep) VALUES ('event_log', '1 hour');
INSERT INTO nurture.retention (kind, keep) VALUES ('action', '30 days');
BEGIN;
CALL nurture.apply_retention();
ROLLBACK;

INSERT INTO nurture.retention (kind, keep) VALUES ('event_log', '60 days');
SELECT name, goes FROM nurture.sizes WHERE kind = 'event_log' AND oldest IS NOT NULL ORDER BY oldest;
CREATE TEMP TABLE whole AS TABLE nurture.event_log;
CREATE TEMP TABLE before AS SELECT count(*) FILTER (WHERE at < '2021-04-01') AS old, count(*) FILTER (WHERE at >= '2021-04-01') AS young FROM nurture.event_log;
CALL nurture.apply_retention();
SELECT * FROM pg_temp.partition;
SELECT what, upto, rows > 0 AS some FROM nurture.dropped ORDER BY id;
SELECT (SELECT sum(rows) FROM nurture.dropped) = b.old AS all_old, (SELECT count(*) FROM nurture.event_log) = b.young AS no_young FROM before b;
SELECT nurture._log_begins();
SELECT kind, keep, state FROM nurture.retention;
SELECT count(*) FROM nurture.base;
SELECT count(*) AS differences FROM nurture.verify();
SELECT count(*) AS differences FROM nurture.verify(path => true);
SELECT count(*) AS changed FROM known k WHERE k IS DISTINCT FROM (SELECT (l.contact, nurture.score(l.contact), l.segments)::known FROM nurture.lead l WHERE l.contact = k.contact);
-- Scores of a moment before the kept states cannot be told, and it says so.
SELECT nurture.score('c01', at => '2021-06-01');

-- Life goes on: also with what happened in the time that was dropped.
INSERT INTO nurture.inbox (contact, type, at, props, received_at) SELECT c, 'buy', '2021-01-10', '{"amount": 7}', '2021-06-20'
FROM unnest(ARRAY['c01', 'old1', 'new']) c;
CALL pg_temp.live('2021-06-17', '2021-07-20');
SELECT tableoid::regclass, count(*) FROM nurture.event_log WHERE at < '2021-04-01' GROUP BY 1;
SELECT count(*) AS differences FROM nurture.verify();
SELECT count(*) AS differences FROM nurture.verify(path => true);
CREATE TEMP TABLE past AS SELECT contact, nurture.score(contact, at => '2021-07-10 12:00') AS score FROM nurture.lead;
SELECT count(*) AS scores, count(DISTINCT score) > 10 AS differ FROM past;
-- The oracle: the whole log, and no kept states.
BEGIN;
DELETE FROM nurture.base;
INSERT INTO nurture.event_log SELECT w.* FROM whole w
WHERE NOT EXISTS (SELECT FROM nurture.event_log l WHERE (l.contact, l.tick, l.n) = (w.contact, w.tick, w.n));
SELECT count(*) AS wrong FROM past p WHERE p.score <> nurture.score(p.contact, at => '2021-07-10 12:00');
SELECT count(*) AS differences FROM nurture.verify(path => true);
ROLLBACK;
-- The late ones go with the next partition; their contacts' states are kept anew.
CALL nurture.apply_retention();
SELECT what, upto FROM nurture.dropped ORDER BY id;
SELECT count(*) AS left_behind FROM nurture.event_log WHERE at < nurture._log_begins();
SELECT count(*) AS differences FROM nurture.verify();
SELECT count(*) AS differences FROM nurture.verify(path => true);
-- The test can fail: without the states that were kept, the log does not give what is known.
BEGIN;
DELETE FROM nurture.base;
SELECT count(*) > 20 AS many FROM nurture.verify();
ROLLBACK;
BEGIN;
UPDATE nurture.base SET until_tick = until_tick - 1;
SELECT count(*) > 0 AS some FROM nurture.verify();
ROLLBACK;

-- Transitions, final actions, rejected events.
INSERT INTO nurture.inbox (contact, type, received_at) VALUES (NULL, 'v', '2021-07-20');
CALL nurture.tick('2021-07-25');
UPDATE nurture.rejected_event SET rejected_at = '2021-07-20';
UPDATE nurture.action SET status = 'done', leased_until = NULL WHERE created_at < '2021-06-01' AND contact <> 'c02';
SELECT count(*) FILTER (WHERE status = 'done') > 5 AS done, count(*) FILTER (WHERE contact = 'c02' AND created_at < '2021-06-01') > 0 AS open FROM nurture.action;
INSERT INTO nurture.retention (kind, keep) VALUES ('transition', '50 days'), ('action', '31 days'), ('rejected_event', '1 day'), ('model', '1 day');
CALL nurture.apply_retention();
SELECT min(at) >= '2021-06-05' AS young, count(*) > 10 AS some FROM nurture.transition;
SELECT count(*) FILTER (WHERE status = 'done') AS done, count(*) FILTER (WHERE contact = 'c02' AND created_at < '2021-06-01') > 0 AS open FROM nurture.action;
SELECT count(*) FROM nurture.rejected_event;
SELECT count(*) AS differences FROM nurture.verify();
SELECT count(*) AS differences FROM nurture.verify(path => true);
-- Whatever is told again now makes nothing twice.
CALL pg_temp.live('2021-07-26', '2021-08-20');
SELECT count(*) AS differences FROM nurture.verify(path => true);
SELECT count(*) AS twice FROM (SELECT id FROM nurture.action GROUP BY 1 HAVING count(*) > 1) a;
-- The models that nobody needs go, the one in force and those that a replay comes through stay.
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('witness', 'v', '2021-08-22 12:00', '2021-08-22 12:00');
CALL nurture.tick('2021-08-23');
UPDATE nurture.rule SET definition = '+6 on v half-life 30 days' WHERE name = 'looks';
CALL pg_temp.live('2021-08-23', '2021-08-30');
UPDATE nurture.model SET compiled_at = '2021-01-01';
SELECT count(*) > 1 AS several FROM nurture.model;
CALL nurture.apply_retention();
SELECT count(*) > 1 AS needed FROM nurture.model;
SELECT count(*) AS differences FROM nurture.verify(path => true);
CALL pg_temp.live('2021-08-30', '2022-01-10');
CALL nurture.tick('2022-01-20');
INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT contact, 'v', '2022-01-20', '2022-01-20' FROM nurture.contact;
CALL nurture.tick('2022-01-21');
CALL nurture.apply_retention();
SELECT count(*) AS left, max(id) = (SELECT id FROM nurture._current_model) AS in_force FROM nurture.model;
SELECT count(*) AS differences FROM nurture.verify(path => true);

-- A partition that was taken away comes back: what happened then has its place.
DROP TABLE nurture.event_log_2022_02;
SELECT nurture._make_partitions('2022-01-01');
SELECT p.name, p.lower_bound, p.upper_bound FROM nurture._log_partitions() p WHERE p.lower_bound BETWEEN '2022-01-01' AND '2022-02-01';

-- Contacts of several keys: what stands in the log under another name than today's is theirs all the same. anna's cookie was seen long
-- before her, tom's views were taken for bert's; of an erased one there is a history, and no state to be kept.
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
CALL nurture.tick('2021-01-01');
INSERT INTO nurture.rule (name, definition) VALUES ('looks', '+5 on v');
INSERT INTO nurture.inbox (contact, kind, type, props, at, received_at) VALUES
    ('cookie', 'anonymous', 'v', '{}', '2021-01-10', '2021-01-10'),
    ('bert', NULL, '$alias', '{"previous_id": "tom", "kind": "anonymous"}', '2021-01-11', '2021-01-11'),
    ('tom', 'anonymous', 'v', '{}', '2021-01-12', '2021-01-12'), ('gone', NULL, 'v', '{}', '2021-01-12', '2021-01-12');
CALL nurture.tick('2021-01-13');
SELECT nurture.erase('gone', anonymise => true) -> 'rows' AS erased;
INSERT INTO nurture.inbox (contact, kind, type, props, at, received_at) VALUES
    ('anna', NULL, 'v', '{}', '2021-06-10', '2021-06-10'), ('cookie', 'anonymous', '$alias', '{"to": "anna"}', '2021-06-11', '2021-06-11');
CALL nurture.tick('2021-06-12');
SELECT nurture.unmerge('tom');
CALL nurture.tick('2021-06-13');
SELECT contact, score FROM nurture.lead ORDER BY contact;
SELECT count(*) AS differences FROM nurture.verify(path => true);
INSERT INTO nurture.retention (kind, keep) VALUES ('event_log', '60 days'), ('model', '1 day');
CALL nurture.tick('2021-07-10');
CALL nurture.apply_retention();
SELECT what, rows FROM nurture.dropped ORDER BY id;
SELECT contact FROM nurture.base ORDER BY contact;
SELECT contact, score FROM nurture.lead ORDER BY contact;
SELECT contact_key, what FROM nurture.verify();
SELECT contact_key, what FROM nurture.verify(path => true);
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
