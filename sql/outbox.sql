-- The outbox: claiming, completing, failing, cancelling, expiring, pausing; what it costs; who may.
SET timezone = 'UTC';
SET client_min_messages = warning;
\set VERBOSITY terse
TRUNCATE nurture.action, nurture.action_cancel, nurture.inbox, nurture.sending;

-- Actions are named by one character here: 'a' is aaaaaaaa-….
CREATE FUNCTION pg_temp.id(name text) RETURNS uuid LANGUAGE sql AS $$ SELECT repeat(name, 32)::uuid $$;
CREATE FUNCTION pg_temp.name(id uuid) RETURNS text LANGUAGE sql AS $$ SELECT left(id::text, 1) $$;
CREATE PROCEDURE pg_temp.put(name text, due interval DEFAULT '-1 hour', channel text DEFAULT 'email', priority int DEFAULT 0,
    expires interval DEFAULT NULL, attempts int DEFAULT 0) LANGUAGE sql AS $$
    INSERT INTO nurture.action (id, contact, channel, template, purpose, payload, due, expires, priority, attempts, workflow,
        version, journey, step)
    VALUES (pg_temp.id(name), 'anna', channel, 'welcome', 'newsletter', '{"first_name": "Anna"}', now() + due,
        now() + expires, priority, attempts, 'onboarding', 2, 'j1', '3.1')
$$;
-- The lease of an action runs out now.
CREATE PROCEDURE pg_temp.run_out(name text) LANGUAGE sql AS $$
    UPDATE nurture.action SET leased_until = clock_timestamp() WHERE id = pg_temp.id(name)
$$;
CREATE VIEW pg_temp.outbox AS
    SELECT pg_temp.name(id) AS name, status, attempts, reason, leased_until IS NOT NULL AS leased
    FROM nurture.action ORDER BY id;
CREATE VIEW pg_temp.told AS
    SELECT contact, type, message_id, props - 'action' AS props FROM nurture.inbox ORDER BY type, message_id;
CREATE TEMP TABLE taken (name text, receipt uuid, attempt int, n int GENERATED ALWAYS AS IDENTITY);

-- Order: priority, then due, then id; only what is due, of this channel, not expired, not cancelled.
CALL pg_temp.put('1', due => '-1 minute');
CALL pg_temp.put('2', due => '-3 minutes');
CALL pg_temp.put('3', due => '-2 minutes');
CALL pg_temp.put('5', due => '-3 minutes');
CALL pg_temp.put('6', due => '-1 minute', priority => 7);
CALL pg_temp.put('7', due => '-1 minute', priority => -7);
CALL pg_temp.put('8', due => '1 hour', priority => 100);
CALL pg_temp.put('9', due => '-1 hour', channel => 'sms');
CALL pg_temp.put('a', due => '-2 hours', expires => '-1 hour');
CALL pg_temp.put('b', due => '-2 hours', expires => '1 hour', priority => 2147483647);
CALL pg_temp.put('c', due => '-2 hours');
INSERT INTO nurture.action_cancel (id, contact, reason) VALUES (pg_temp.id('c'), 'anna', 'exit on purchase');
CALL pg_temp.put('d', due => '-2 hours', attempts => 8);
UPDATE nurture.action SET status = 'claimed', leased_until = now() WHERE id = pg_temp.id('d');

SELECT string_agg(pg_temp.name(id), ' ') AS first_three FROM nurture.claim('email', 3);
SELECT string_agg(pg_temp.name(id), ' ') AS the_others FROM nurture.claim('email');
SELECT count(*) AS nothing FROM nurture.claim('email');
SELECT pg_temp.name(id), contact, template, purpose, payload, due < now() AS due, expires, attempt,
    leased_until BETWEEN now() + interval '5 minutes' AND clock_timestamp() + interval '5 minutes' AS leased, workflow,
    version, journey, step, transactional
FROM nurture.claim('sms', lease => '5 minutes');
SELECT count(*) AS unknown_channel FROM nurture.claim('fax');
SELECT * FROM pg_temp.outbox;

-- What cannot be asked.
SELECT nurture.claim(NULL);
SELECT nurture.claim('email', 0);
SELECT nurture.claim('email', NULL);
SELECT nurture.claim('email', 1, '0 seconds');
SELECT nurture.fail(gen_random_uuid(), 'why', '-1 second');
INSERT INTO nurture.action (id, contact, channel, due, status) VALUES (gen_random_uuid(), 'anna', 'email', now(), 'claimed');
INSERT INTO nurture.action (id, contact, channel, due, status) VALUES (gen_random_uuid(), 'anna', 'email', now(), 'sent');

-- Completing: once, idempotently, and told once.
TRUNCATE nurture.action, nurture.action_cancel;
CALL pg_temp.put('1');
CALL pg_temp.put('2');
CALL pg_temp.put('3');
INSERT INTO taken (name, receipt, attempt) SELECT pg_temp.name(id), receipt, attempt FROM nurture.claim('email');
SELECT nurture.complete(array_agg(receipt) || gen_random_uuid() || NULL::uuid || array_agg(receipt)) AS two_and_a_stranger
FROM taken WHERE name IN ('1', '2');
SELECT nurture.complete(array_agg(receipt)) AS all_three FROM taken;
SELECT nurture.complete('{}') AS none, nurture.complete(NULL) AS nulls;
SELECT * FROM pg_temp.outbox;
SELECT * FROM pg_temp.told;
SELECT bool_and(at BETWEEN now() - interval '1 minute' AND received_at) AS at_is_now,
       bool_and(props->>'action' || ':sent' = message_id) AS names_the_action,
       count(*) FILTER (WHERE nurture._malformed(contact, type, at, props, message_id, kind, received_at, clock_timestamp())
           IS NOT NULL) AS malformed
FROM nurture.inbox;
\set VERBOSITY sqlstate
SELECT nurture.fail(receipt, 'too late') FROM taken WHERE name = '1';
\set VERBOSITY terse

-- A lease that runs out: claimed again under another receipt, the old one is stale for complete and for fail.
TRUNCATE nurture.action, nurture.inbox, taken;
CALL pg_temp.put('1');
CALL pg_temp.put('2');
INSERT INTO taken (name, receipt, attempt) SELECT pg_temp.name(id), receipt, attempt FROM nurture.claim('email');
CALL pg_temp.run_out('1');
CALL pg_temp.run_out('2');
INSERT INTO taken (name, receipt, attempt) SELECT pg_temp.name(id), receipt, attempt FROM nurture.claim('email', 1);
SELECT name, attempt FROM taken ORDER BY n;
SELECT nurture.complete(array_agg(receipt)) AS "late but nobody else's" FROM taken WHERE name = '2';
SELECT nurture.complete(array_agg(receipt)) AS stale FROM taken WHERE name = '1' AND attempt = 1;
\set VERBOSITY sqlstate
SELECT nurture.fail((SELECT receipt FROM taken WHERE name = '1' AND attempt = 1), 'gone');
\set VERBOSITY default
SELECT nurture.fail('00000000-0000-0000-0000-000000000000', 'never was one');
\set VERBOSITY terse
SELECT nurture.complete(array_agg(receipt)) AS newest FROM taken WHERE name = '1';
SELECT * FROM pg_temp.outbox;
SELECT count(*) FROM pg_temp.told;

-- Failing: backoff, a delay of one's own, permanently, past expiry, out of attempts; saying it twice changes nothing.
TRUNCATE nurture.action, nurture.inbox, taken;
CALL pg_temp.put('1');
CALL pg_temp.put('2');
CALL pg_temp.put('3');
CALL pg_temp.put('4', expires => '30 minutes');
CALL pg_temp.put('5', attempts => 7);
CALL pg_temp.put('6', expires => '30 minutes');
INSERT INTO taken (name, receipt, attempt) SELECT pg_temp.name(id), receipt, attempt FROM nurture.claim('email');
SELECT name, nurture.fail(receipt, 'mailbox full') FROM taken WHERE name = '1';
SELECT name, nurture.fail(receipt, 'mailbox full', '2 hours') FROM taken WHERE name = '2';
SELECT name, nurture.fail(receipt, repeat('no such mailbox', 100), permanent => true) FROM taken WHERE name = '3';
SELECT name, nurture.fail(receipt, 'mailbox full', '1 hour') FROM taken WHERE name = '4';
SELECT name, nurture.fail(receipt, 'mailbox full') FROM taken WHERE name = '5';
SELECT name, nurture.fail(receipt, 'mailbox full') FROM taken WHERE name = '6';
SELECT name, nurture.fail(receipt, 'again', '0') FROM taken ORDER BY name;
SELECT nurture.complete(array_agg(receipt)) AS not_after_failing FROM taken;
SELECT name, status, attempts, left(reason, 15) AS reason, length(reason), leased FROM pg_temp.outbox;
SELECT contact, type, message_id, left(props->>'reason', 15) AS reason FROM pg_temp.told;
SELECT pg_temp.name(id), due BETWEEN now() + interval '55 seconds' AND now() + interval '75 seconds' AS about_a_minute,
    due BETWEEN now() + interval '115 minutes' AND now() + interval '2 hours' AS two_hours
FROM nurture.action WHERE status = 'ready' ORDER BY id;
SELECT count(*) AS not_due_yet FROM nurture.claim('email');
-- The backoff against its definition: 1 minute · 2^(n-1), at most an hour, at most a quarter more, spread evenly.
SELECT n, bool_and(b >= base AND b < base * 1.25) AS within, count(DISTINCT b) > 500 AS spread,
       abs(extract(epoch FROM avg(b)) / extract(epoch FROM min(base)) - 1.125) < 0.01 AS evenly
FROM generate_series(1, 9) n,
    LATERAL (SELECT LEAST(interval '60 seconds' * power(2, n - 1), interval '60 minutes') AS base) p,
    LATERAL (SELECT nurture._backoff(md5(i::text)::uuid, n) AS b FROM generate_series(1, 2000 + 0 * n) i) q
GROUP BY n ORDER BY n;

-- Cancelling: passed over at once, folded afterwards; not while it is being carried out; never told.
TRUNCATE nurture.action, nurture.inbox, taken;
CALL pg_temp.put('1', expires => '-1 minute');  -- waiting, and expired as well
CALL pg_temp.put('2', priority => 2);           -- being carried out, completed afterwards
CALL pg_temp.put('3', priority => 2);           -- being carried out, fails
CALL pg_temp.put('4', priority => 2);           -- being carried out, lease runs out
CALL pg_temp.put('5');                          -- waiting
INSERT INTO taken (name, receipt, attempt) SELECT pg_temp.name(id), receipt, attempt FROM nurture.claim('email', 3);
INSERT INTO nurture.action_cancel (id, contact, reason)
SELECT pg_temp.id(n), 'anna', 'exit on purchase' FROM unnest('{1,2,3,4,5,5,f}'::text[]) n; -- one twice, one unknown
SELECT count(*) AS passed_over FROM nurture.claim('email');
SELECT nurture.next_claimable('email') AS nothing_open_but_leases_and_those_cancelled;
SELECT nurture._fold_cancellations() AS folded;
SELECT * FROM pg_temp.outbox;
SELECT pg_temp.name(id) AS still_waiting FROM nurture.action_cancel ORDER BY id;
SELECT nurture.complete(array_agg(receipt)) AS was_sent FROM taken WHERE name = '2';
SELECT nurture.fail(receipt, 'mailbox full') FROM taken WHERE name = '3';
CALL pg_temp.run_out('4');
SELECT count(*) AS passed_over FROM nurture.claim('email');
SELECT nurture._outbox_maintain() AS folded;
SELECT * FROM pg_temp.outbox;
SELECT count(*) AS left_over FROM nurture.action_cancel;
SELECT nurture.complete(array_agg(receipt)) AS refused FROM taken WHERE name = '4';
SELECT nurture.fail(receipt, 'late') FROM taken WHERE name = '4';
SELECT type, message_id FROM pg_temp.told;

-- Expiring and exhausting: by maintenance, told once; what is being carried out is left alone.
TRUNCATE nurture.action, nurture.inbox, taken;
CALL pg_temp.put('1', expires => '1 hour');
CALL pg_temp.put('2', expires => '-1 second');
CALL pg_temp.put('3', expires => '1 hour', priority => 1);
CALL pg_temp.put('4', expires => '1 hour', priority => 1);
CALL pg_temp.put('5', attempts => 7, priority => 1);
CALL pg_temp.put('6', attempts => 7, priority => 1);
INSERT INTO taken (name, receipt, attempt) SELECT pg_temp.name(id), receipt, attempt FROM nurture.claim('email', 4);
UPDATE nurture.action SET expires = now() WHERE id IN (pg_temp.id('3'), pg_temp.id('4'));
CALL pg_temp.run_out('4');
CALL pg_temp.run_out('5');
SELECT nurture._expire_actions(1) AS in_portions, nurture._outbox_maintain() AS the_others, nurture._outbox_maintain() AS nothing;
SELECT * FROM pg_temp.outbox;
SELECT * FROM pg_temp.told;
SELECT name, nurture.complete(ARRAY[receipt]) AS accepted FROM taken ORDER BY name;

-- Dropping, for the guards.
SELECT nurture._drop_actions(ARRAY[pg_temp.id('1'), pg_temp.id('2'), pg_temp.id('6')], 'frequency cap') AS dropped;
SELECT name, status, reason FROM pg_temp.outbox WHERE name IN ('1', '2', '6');
SELECT * FROM pg_temp.told WHERE props->>'reason' = 'frequency cap';

-- When to look again: the earliest of due and lease over all priorities, of what will then be open.
TRUNCATE nurture.action, nurture.inbox, taken;
SELECT nurture.next_claimable('email') AS nothing_there;
CALL pg_temp.put('1', due => '2 hours', priority => 5);
CALL pg_temp.put('2', due => '1 hour');
CALL pg_temp.put('3', due => '10 minutes', expires => '5 minutes');
CALL pg_temp.put('4', due => '10 minutes', channel => 'sms');
SELECT nurture.next_claimable('email') = due AS by_due FROM nurture.action WHERE id = pg_temp.id('2');
CALL pg_temp.put('5', priority => -5);
SELECT nurture.next_claimable('email') < now() AS now;
SELECT count(*) FROM nurture.claim('email', lease => '20 minutes');
SELECT nurture.next_claimable('email') = leased_until AS by_lease FROM nurture.action WHERE id = pg_temp.id('5');

-- The kill switch.
TRUNCATE nurture.action;
CALL pg_temp.put('1');
CALL pg_temp.put('2');
INSERT INTO taken (name, receipt, attempt) SELECT pg_temp.name(id), receipt, attempt FROM nurture.claim('email', 1);
SELECT nurture.pause('wrong template');
SELECT paused, by = session_user AS by_me, reason, since BETWEEN now() - interval '1 minute' AND now() AS since FROM nurture.sending;
SELECT count(*) AS nothing FROM nurture.claim('email');
SELECT nurture.next_claimable('email') IS NULL AS nothing;
SELECT nurture.complete(array_agg(receipt)) AS what_was_sent_was_sent FROM taken;
SELECT nurture.pause();
SELECT nurture.resume();
SELECT paused, reason FROM nurture.sending;
SELECT count(*) AS one FROM nurture.claim('email');
SELECT nurture.resume();
BEGIN;
SELECT nurture.pause();
SELECT count(*) AS and_its_own_transaction FROM nurture.claim('email');
ROLLBACK;

-- The cost of a claim does not depend on what is done, not due yet, leased or cancelled elsewhere; nor on statistics.
-- Measured as pages touched (shared buffers of the whole call) and sequential scans.
TRUNCATE nurture.action, nurture.action_cancel, nurture.inbox;
ALTER TABLE nurture.action SET (autovacuum_enabled = off); -- it would have plans made anew when it likes, which reads the catalogue
ALTER TABLE nurture.action_cancel SET (autovacuum_enabled = off);
CREATE FUNCTION pg_temp.pages(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || query INTO plan;
    RETURN (plan->0->'Plan'->>'Shared Hit Blocks')::bigint + (plan->0->'Plan'->>'Shared Read Blocks')::bigint;
END $$;
CREATE PROCEDURE pg_temp.fill(how_many int, what text, status text, due interval, priority int, lease interval) LANGUAGE sql AS $$
    INSERT INTO nurture.action (id, contact, channel, status, due, priority, leased_until)
    SELECT md5(what || i)::uuid, 'contact' || i, 'email', status, now() + due, priority, now() + lease
    FROM generate_series(1, how_many) i
$$;
CREATE TEMP TABLE cost (n int, situation text, pages bigint, seq_scans bigint);
CREATE PROCEDURE pg_temp.measure(n int, situation text) LANGUAGE plpgsql AS $$
DECLARE
    scans bigint := pg_stat_get_xact_numscans('nurture.action'::regclass);
    pages bigint := pg_temp.pages('SELECT nurture.complete(array_agg(receipt)) FROM nurture.claim(''email'', 1)');
BEGIN
    INSERT INTO cost VALUES (n, situation, pages, pg_stat_get_xact_numscans('nurture.action'::regclass) - scans);
END $$;
CALL pg_temp.fill(2000, 'open', 'ready', '-1 hour', 0, NULL);
CALL pg_temp.measure(0, 'first call of the session');
CALL pg_temp.measure(1, 'alone');
CALL pg_temp.fill(178000, 'done', 'done', '-2 hours', 0, NULL);
CALL pg_temp.measure(2, '178,000 done');
CALL pg_temp.fill(10000, 'later', 'ready', '1 hour', 9, NULL);
CALL pg_temp.measure(3, '10,000 of higher priority not due yet');
CALL pg_temp.fill(10000, 'leased', 'claimed', '-2 hours', 0, '1 hour');
CALL pg_temp.measure(4, '10,000 leased and due before');
INSERT INTO nurture.action_cancel (id, contact) SELECT md5('later' || i)::uuid, 'contact' || i FROM generate_series(1, 10000) i;
CALL pg_temp.measure(5, '10,000 others cancelled');
ANALYZE nurture.action, nurture.action_cancel;
CALL pg_temp.measure(6, 'replanned with statistics');
CALL pg_temp.measure(7, 'with statistics');
UPDATE nurture.action SET leased_until = now() WHERE status = 'claimed' AND id < '10000000-0000-0000-0000-000000000000';
CALL pg_temp.measure(8, 'some leases ran out');
SELECT c.n, c.situation, c.pages < base.pages * 2 + 20 AS same_cost, c.seq_scans
FROM cost c, cost base WHERE base.n = 1 AND c.n NOT IN (0, 6) ORDER BY c.n;
SELECT count(*) AS done FROM nurture.action WHERE status = 'done' AND contact LIKE 'contact%' AND receipt IS NOT NULL;
-- Entries that cannot be removed yet (here: of this transaction; else: seen by somebody's long snapshot) are read once and
-- then passed over for a while; what becomes claimable now is found all the same, what appears further back a little later.
BEGIN;
TRUNCATE nurture.action, nurture.action_cancel;
CALL pg_temp.fill(12000, 'open', 'ready', '-1 hour', 3, NULL); -- all due at the same moment
CALL pg_temp.fill(2000, 'low', 'ready', '-1 hour', 0, NULL);
SELECT count(*) FROM nurture.claim('email', 11500);
SELECT nurture._recall('email') IS NULL AS nothing_remembered_yet;
TRUNCATE cost;
CALL pg_temp.measure(1, 'reads them');
CALL pg_temp.measure(2, 'passes over');
SELECT (SELECT pages FROM cost WHERE n = 2) < (SELECT pages FROM cost WHERE n = 1) / 10 AS cheaper;
SELECT priorities, complete, until BETWEEN clock_timestamp() AND clock_timestamp() + interval '5 seconds' AS for_a_while,
       since[1] BETWEEN now() - interval '1 hour 1 minute' AND clock_timestamp() - interval '1 minute' AS not_the_last_minute
FROM CAST(nurture._recall('email') AS nurture._claim_look);
-- with plenty of time, so that the rest does not depend on how fast this machine is
SELECT nurture._remember('email', ROW(clock_timestamp() + interval '4 seconds', complete, priorities, since, after)::nurture._claim_look::text)
FROM CAST(nurture._recall('email') AS nurture._claim_look);
CALL pg_temp.put('1', due => '-1 second', priority => 3);
CALL pg_temp.put('2', due => '-1 day', priority => 3);
CALL pg_temp.put('3', due => '-1 day', priority => -2);
SELECT count(*) AS all_but_one, string_agg(pg_temp.name(id), ' ' ORDER BY id) FILTER (WHERE contact = 'anna') AS by_name
FROM nurture.claim('email', 100000);
SELECT nurture.next_claimable('email') > now() AS nor_counted_as_open;
SELECT nurture._remember('email', ROW(clock_timestamp() - interval '1 us', complete, priorities, since, after)::nurture._claim_look::text)
FROM CAST(nurture._recall('email') AS nurture._claim_look);
SELECT nurture.next_claimable('email') < now() AS open_again;
SELECT string_agg(pg_temp.name(id), ' ') AS found FROM nurture.claim('email');
ROLLBACK;
SELECT nurture._remember('email', NULL);
-- The statement of a claim itself, as planned without the function's settings.
PREPARE claimable(text, int) AS
    SELECT id FROM nurture.action a
    WHERE channel = $1 AND status IN ('ready', 'claimed') AND priority = $2 AND COALESCE(leased_until, due) <= now()
        AND NOT EXISTS (SELECT FROM nurture.action_cancel c WHERE c.id = a.id)
    ORDER BY COALESCE(leased_until, due), id LIMIT 100 FOR NO KEY UPDATE OF a SKIP LOCKED;
EXPLAIN (COSTS OFF) EXECUTE claimable('email', 0);
TRUNCATE nurture.action, nurture.action_cancel, nurture.inbox, nurture.sending;

-- A sender needs four functions and no table.
CREATE ROLE regress_sender;
CREATE ROLE regress_nobody;
CREATE ROLE regress_operator;
GRANT EXECUTE ON FUNCTION nurture.claim(text, int, interval), nurture.complete(uuid[]),
    nurture.fail(uuid, text, interval, boolean), nurture.next_claimable(text) TO regress_sender;
GRANT EXECUTE ON FUNCTION nurture.pause(text), nurture.resume() TO regress_operator;
CALL pg_temp.put('1');
CALL pg_temp.put('2');
SET ROLE regress_sender;
SELECT nurture.next_claimable('email') < now() AS open;
SELECT nurture.complete(array_agg(receipt)) FROM nurture.claim('email', 1);
SELECT nurture.fail(receipt, 'mailbox full') FROM nurture.claim('email', 1);
SELECT * FROM nurture.action;
SELECT * FROM nurture.inbox;
UPDATE nurture.action SET status = 'done';
SELECT nurture.pause();
SELECT nurture._expire_actions();
SET ROLE regress_operator;
SELECT nurture.pause('stop');
SELECT nurture.resume();
SELECT * FROM nurture.claim('email');
SET ROLE regress_nobody;
SELECT * FROM nurture.claim('email');
SELECT nurture.complete('{}');
SELECT nurture.fail(gen_random_uuid(), 'why');
SELECT nurture.next_claimable('email');
SELECT nurture.resume();
SELECT nurture._fold_cancellations();
SELECT nurture._outbox_maintain();
SELECT nurture._drop_actions('{}', 'why');
SELECT nurture._notify_actions('{email}');
SELECT nurture._switch_sending(true, 'why');
SELECT nurture._sending_paused();
SELECT * FROM nurture.action_cancel;
SELECT * FROM nurture.sending;
RESET ROLE;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA nurture FROM regress_sender, regress_operator;
DROP ROLE regress_sender, regress_nobody, regress_operator;

-- Objects that somebody put in front of the path change nothing.
CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2000-01-01'::timestamptz $$;
CREATE TEMP TABLE action (id uuid);
SET search_path = pg_temp, nurture, pg_catalog;
CALL pg_temp.put('3');
SELECT complete(array_agg(receipt)) FROM claim('email');
RESET search_path;

-- pg_dump carries the rows.
SELECT c.relname FROM pg_extension e, unnest(e.extconfig) t(oid) JOIN pg_class c USING (oid)
WHERE e.extname = 'nurture' AND c.relname IN ('action', 'action_cancel', 'sending') ORDER BY 1;
TRUNCATE nurture.action, nurture.action_cancel, nurture.inbox, nurture.sending;
