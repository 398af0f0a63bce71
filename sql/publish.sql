-- Model changes on a database with a past: features learn it, models reach everybody, publishers enrol those present. The
-- oracle is a second database that had the definitions from the start.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;

CREATE TEMPORARY TABLE given AS
SELECT 'c' || (g * 7919 % 251) AS contact,
       CASE g % 8 WHEN 0 THEN 'buy' WHEN 5 THEN 'buy' WHEN 1 THEN '$identify' WHEN 2 THEN 'mail' ELSE 'v' END AS type,
       CASE g % 8 WHEN 1 THEN jsonb_build_object('plan', CASE g % 3 WHEN 0 THEN 'pro' ELSE 'free' END)
                  ELSE jsonb_build_object('amount', g % 17 + 0.25, 'path', '/p' || g % 5, 'n', g) END AS props,
       -- every tenth is told a day late
       timestamptz '2021-01-01' + (g - CASE WHEN g % 10 = 3 THEN 120 ELSE 0 END) * interval '10 minutes' AS at,
       timestamptz '2021-01-01' + g * interval '10 minutes' AS received_at
FROM generate_series(1, 4800) g;
CREATE PROCEDURE pg_temp.live(since timestamptz, until timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO nurture.inbox (contact, type, props, at, received_at)
    SELECT contact, type, props, at, received_at FROM given WHERE received_at > since AND received_at <= until ORDER BY received_at;
    CALL nurture.tick(until);
END $$;
-- What contacts know, by the definitions of features; without the stamps, which tell ticks apart.
CREATE FUNCTION pg_temp.known() RETURNS TABLE (what text) LANGUAGE sql AS $$
SELECT c.contact || ' ' || f.key || ' ' || regexp_replace(f.value::text, ' \(tick \d+, n \d+\)', '', 'g')
FROM nurture.contact c, jsonb_each(nurture.describe(c.contact) -> 'features') f
UNION ALL SELECT format('%s scores %s %s', l.contact, l.score, l.scores) FROM nurture.lead l
UNION ALL SELECT format('%s is in %s', m.contact, m.segment) FROM nurture.membership m
$$;
CREATE PROCEDURE pg_temp.define() LANGUAGE sql AS $$
INSERT INTO nurture.rule (name, definition) VALUES
    ('buys', '+2 on buy where amount >= 8 topic value half-life 5 days'), ('mail', '+0.5 per amount on mail topic value'),
    ('thrice', '+3 on v where path = ''/p1'' at most 2 per day');
INSERT INTO nurture.segment (name, condition) VALUES
    ('buyer', 'count(buy within 7 days) >= 2'), ('worth it', 'score(value) >= 4 and in segment ''buyer'''),
    ('last on p2', 'last(path of v) = ''/p2'''), ('pro', 'plan = ''pro''');
$$;

-- The oracle: defined first, lived through then.
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+1 on v half-life 3 days');
CALL pg_temp.define();
CALL pg_temp.live('-infinity', '2021-01-20');
CALL pg_temp.live('2021-01-20', '2021-02-04');
SELECT count(*) FROM nurture.verify(path => true);
CREATE TEMPORARY TABLE oracle AS SELECT * FROM pg_temp.known();
SELECT count(*) > 500 AS much FROM oracle;

-- Defined in the middle: the same from then on, to the last digit.
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+1 on v half-life 3 days');
CALL pg_temp.live('-infinity', '2021-01-20');
CALL pg_temp.define();
CALL pg_temp.live('2021-01-20', '2021-02-04');
SELECT definition, from_tick, complete_from, state FROM nurture.feature ORDER BY id;
SELECT from_tick, state, done, total FROM nurture.backfill;
(SELECT * FROM pg_temp.known() EXCEPT ALL TABLE oracle) UNION ALL (TABLE oracle EXCEPT ALL SELECT * FROM pg_temp.known()) ORDER BY 1 LIMIT 5;
SELECT count(*) FROM nurture.verify();
SELECT count(*) FROM nurture.verify(path => true);
SELECT cause, count(*) > 0 AS some FROM nurture.transition GROUP BY 1 ORDER BY 1;
-- Published when nobody had anything in the inbox: they came in at their own clocks.
SELECT max(at) <= '2021-01-20' AS at_their_clocks FROM nurture.transition WHERE cause = 'published';

-- While events come in: what waits does not act, what was in force of it does. By steps, as the worker goes.
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+1 on v half-life 3 days');
INSERT INTO nurture.segment (name, condition) VALUES ('buyer', 'count(v) >= 1');
CALL pg_temp.live('-infinity', '2021-01-20');
SELECT count(*) FROM nurture.membership WHERE segment = 'buyer';
DELETE FROM nurture.segment;
CALL pg_temp.define();
CREATE OR REPLACE FUNCTION nurture._by_hand() RETURNS boolean LANGUAGE sql AS 'SELECT false';
CALL pg_temp.live('2021-01-20', '2021-01-25');
SELECT h.kind, h.name FROM nurture.model m, jsonb_to_recordset(m.held) h (kind text, name text) WHERE m.id = (SELECT max(id) FROM nurture.model) ORDER BY 1, 2;
SELECT segment, count(*) FROM nurture.membership GROUP BY 1 ORDER BY 1; -- what needs no past acts
SELECT rule FROM nurture.explain('c1') ORDER BY 1;
SELECT count(*) FROM nurture.verify();
SELECT kind, what, state, done, total FROM nurture.progress;
SET nurture.backfill_contacts = 100;
SELECT nurture._backfill_step() FROM generate_series(1, 2);
SELECT state, done, total FROM nurture.backfill;
CALL pg_temp.live('2021-01-25', '2021-01-28');
SELECT nurture._backfill_step();
SELECT state, done, total FROM nurture.backfill;
SELECT count(*) FROM nurture.verify(); -- in the middle, too
DO $$ BEGIN WHILE nurture._backfill_step() LOOP END LOOP; END $$;
SELECT state, done, total FROM nurture.backfill;
CALL pg_temp.live('2021-01-28', '2021-02-04');
SELECT kind, name FROM nurture.model m, jsonb_to_recordset(m.held) h (kind text, name text) WHERE m.id = (SELECT max(id) FROM nurture.model);
(SELECT * FROM pg_temp.known() EXCEPT ALL TABLE oracle) UNION ALL (TABLE oracle EXCEPT ALL SELECT * FROM pg_temp.known()) ORDER BY 1 LIMIT 5;
SELECT count(*) FROM nurture.verify();
SELECT count(*) FROM nurture.verify(path => true);

-- An edited filter: the earlier definition stays in force until the new one is ready. Disabling cancels; so does cancel_backfill.
UPDATE nurture.segment SET condition = 'count(buy where amount > 3 within 7 days) >= 1' WHERE name = 'buyer';
INSERT INTO nurture.segment (name, condition) VALUES ('mailed', 'did mail'), ('mailed twice', 'count(mail) >= 2');
CREATE TEMPORARY TABLE members AS SELECT contact, since FROM nurture.membership WHERE segment = 'buyer';
CALL nurture.tick('2021-02-04 00:00:01');
SELECT count(*) > 0 AS some, count(*) FILTER (WHERE n.contact IS NULL) AS gone FROM members m LEFT JOIN (SELECT * FROM nurture.membership WHERE segment = 'buyer') n USING (contact, since);
SELECT what FROM nurture.progress;
SELECT nurture.cancel_backfill('segment', 'pro'); -- fails: it does not wait
SELECT nurture.cancel_backfill('segment', 'buyer');
SELECT condition FROM nurture.segment WHERE name = 'buyer';
SELECT nurture.cancel_backfill('segment', 'mailed');
SELECT enabled FROM nurture.segment WHERE name = 'mailed';
DELETE FROM nurture.segment WHERE name = 'mailed twice';
CALL nurture.tick('2021-02-04 00:00:02');
SELECT nurture._backfill_step(), nurture._backfill_step();
SELECT state FROM nurture.backfill ORDER BY from_tick;
SELECT definition, state FROM nurture.feature WHERE definition LIKE '%mail%' OR definition LIKE '%> 3%' ORDER BY id;
SELECT count(*) FROM nurture.progress;
-- Staged parts are lost in a crash: the range is folded again.
UPDATE nurture.segment SET enabled = true WHERE name = 'mailed';
CALL nurture.tick('2021-02-04 00:00:03');
SELECT nurture._backfill_step();
TRUNCATE nurture._past_of, nurture._past_range;
DO $$ BEGIN WHILE nurture._backfill_step() LOOP END LOOP; END $$;
SELECT state, done FROM nurture.backfill ORDER BY from_tick DESC LIMIT 1;
CALL nurture.tick('2021-02-04 00:00:04');
SELECT count(*) = (SELECT count(DISTINCT contact) FROM nurture.event_log WHERE type = 'mail') AS all_of_them FROM nurture.membership WHERE segment = 'mailed';
SELECT count(*) FROM nurture.verify(path => true);
CREATE OR REPLACE FUNCTION nurture._by_hand() RETURNS boolean LANGUAGE sql AS 'SELECT true';

-- A sweep in small steps; nobody is forgotten, and who is gone from a segment is told so.
SET nurture.sweep_contacts = 7;
UPDATE nurture.segment SET enabled = false WHERE name = 'pro';
CREATE TEMPORARY TABLE pros AS SELECT contact FROM nurture.membership_entry WHERE segment = (SELECT id FROM nurture.segment WHERE name = 'pro');
CALL nurture.tick('2021-02-04 00:00:05');
SELECT count(*) AS left_out FROM pros p WHERE NOT EXISTS (SELECT FROM nurture.transition t WHERE t.contact = p.contact AND t.kind = 'segment left'
    AND t.name = 'pro' AND t.cause = 'published');
SELECT count(*) FROM nurture.membership_entry e WHERE NOT EXISTS (SELECT FROM nurture.segment s WHERE s.id = e.segment AND s.enabled);
SELECT count(DISTINCT tick) > 5 AS many_ticks FROM nurture.transition WHERE name = 'pro' AND kind = 'segment left' AND cause = 'published';
SELECT count(*) FROM nurture.verify(path => true);
RESET nurture.sweep_contacts;

-- Enrolling those present: their number first, then in moderation.
INSERT INTO nurture.workflow (name, definition, enabled) VALUES
    ('welcome', 'on entering segment ''mailed'' exit on buy send email ''hello'' as transactional wait 1 day send email ''again'' as transactional', false);
SET nurture.enrol_limit = 10;
SELECT nurture.publish('workflow', 'welcome', enrol_present => true);
SELECT enabled FROM nurture.workflow WHERE name = 'welcome';
SELECT nurture.publish('workflow', 'welcome', enrol_present => true, confirm => 5);
SELECT nurture.publish('workflow', 'nothing');
\set VERBOSITY terse
SELECT nurture.publish('nonsense', 'nothing');
\set VERBOSITY default
SELECT nurture.publish('rule', 'views', enrol_present => true);
SELECT nurture.publish('workflow', 'welcome', enrol_present => true, confirm => 251) = count(*) AS as_announced FROM nurture.membership WHERE segment = 'mailed';
SELECT count(*) AS actions FROM nurture.action;
CALL nurture.tick('2021-02-04 00:01');
SELECT count(*) = (SELECT count(*) FROM nurture.membership WHERE segment = 'mailed') AS all_greeted, min(due), max(due) FROM nurture.action;
SELECT DISTINCT kind, cause FROM nurture.transition WHERE name = 'welcome' ORDER BY 1, 2;
CALL nurture.tick('2021-02-05 00:01');
SELECT template, count(*) > 0 AS some, min(due), max(due) FROM nurture.action GROUP BY 1 ORDER BY 1;
-- Once is enough; and a publisher who asks for nobody gets nobody.
SELECT nurture.publish('workflow', 'welcome', enrol_present => true);
INSERT INTO nurture.segment (name, condition, enabled) VALUES ('buys', 'count(buy where amount > 1) >= 1', false);
INSERT INTO nurture.workflow (name, definition) VALUES ('buys', 'on entering segment ''mailed'' wait 1 day');
SELECT nurture.publish('workflow', 'buys');
CALL nurture.tick('2021-02-05 00:02');
SELECT count(*) FROM nurture.transition WHERE name = 'buys';
-- A segment that needs the past is counted from the log.
SELECT nurture.publish('segment', 'buys');
UPDATE nurture.segment SET enabled = false WHERE name = 'buys';
UPDATE nurture.workflow SET definition = 'on leaving segment ''mailed'' wait 1 day' WHERE name = 'buys';
INSERT INTO nurture.workflow (name, definition) SELECT 'bought', 'on leaving segment ''mailed'' wait 2 days';
CREATE PROCEDURE pg_temp.publish_buys() LANGUAGE plpgsql AS $$ BEGIN
    UPDATE nurture.segment SET enabled = true WHERE name = 'buys';
    UPDATE nurture.workflow SET definition = 'on entering segment ''buys'' wait 2 days' WHERE name = 'bought';
END $$;
CALL pg_temp.publish_buys();
SELECT nurture.publish('segment', 'buys', enrol_present => true, confirm => 251) = count(DISTINCT contact) AS counted
FROM nurture.event_log WHERE type = 'buy' AND (props ->> 'amount')::numeric > 1;
CALL nurture.tick('2021-02-05 00:03');
SELECT count(*) = (SELECT count(DISTINCT contact) FROM nurture.event_log WHERE type = 'buy' AND (props ->> 'amount')::numeric > 1) AS as_counted
FROM nurture.transition WHERE name = 'bought' AND kind = 'journey started' AND cause = 'published';
SELECT count(*) FROM nurture.verify(path => true);

-- An earlier version leaves the model when nobody is inside any more; then what only it names is free to go.
INSERT INTO nurture.segment (name, condition) VALUES ('gone soon', 'did never');
UPDATE nurture.workflow SET definition = 'on v re-enter always exit when in segment ''gone soon'' wait 1 hour' WHERE name = 'buys';
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('c1', 'v', '2021-02-05 01:00', '2021-02-05 01:00');
CALL nurture.tick('2021-02-05 01:01');
UPDATE nurture.workflow SET definition = 'on w wait 1 hour' WHERE name = 'buys';
CALL nurture.tick('2021-02-05 01:02');
DELETE FROM nurture.segment WHERE name = 'gone soon'; -- c1 is inside
CALL nurture.tick('2021-02-05 02:01');
DELETE FROM nurture.segment WHERE name = 'gone soon';
SELECT version, retired FROM nurture.workflow_version v WHERE v.workflow = (SELECT id FROM nurture.workflow WHERE name = 'buys') ORDER BY 1;
CALL nurture.tick('2021-02-05 02:02');
SELECT count(*) FROM nurture.verify(path => true);

-- A parallel plan folds the log.
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
CREATE FUNCTION pg_temp.plan() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text; BEGIN
    FOR line IN EXPLAIN (COSTS OFF) SELECT nurture._past((SELECT model FROM nurture.model LIMIT 1), 1, l.contact, l.type, l.at, l.props, l.tick, l.n)
        FROM nurture.event_log l LOOP
        RETURN NEXT line;
    END LOOP;
END $$;
ANALYZE nurture.event_log;
SELECT DISTINCT p ~ 'Finalize' AS finalize, p ~ 'Partial' AS partial FROM pg_temp.plan() p WHERE p ~ 'Partial|Finalize' ORDER BY 1;
RESET max_parallel_workers_per_gather;

DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
