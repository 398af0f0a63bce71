-- What a released version leaves behind, for the tests of later ones: scripts/release_golden.sh runs this with that version.
-- Every kind of row: definitions with drafts and earlier versions, journeys in the middle of a wait, timers, actions in each
-- state, messages that wait, that were rejected, that are quarantined. The clock is simulated.
SET nurture.enabled = off;
SET timezone = 'UTC';
INSERT INTO nurture.rule (name, definition, enabled, description) VALUES
    ('views', '+5 on v where path like ''/pricing%'' topic pricing half-life 2 days', true, NULL),
    ('buys', '-3 on buy at most 2 per day', true, 'a buyer needs no nurturing'),
    ('spends', '+0.1 per amount on buy topic value at most 100 in total', true, NULL),
    ('draft', '+1 on v', false, 'not yet');
INSERT INTO nurture.segment (name, condition) VALUES
    ('warm', 'score >= 12'), ('busy', 'count(v within 4 seconds) >= 2'),
    ('pro', 'plan = ''pro'' and not in segment ''busy'''),
    ('browser', 'distinct(path of v within 20 seconds) >= 2 and sum(amount of buy) > 10 or last(path of v) = ''/home'''),
    ('gone quiet', 'did v and not did v within 30 seconds');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('busy', 'on entering segment ''busy'' re-enter after 5 seconds wait 1 second send email ''busy'' wait for buy up to 3 seconds then send email ''thanks'' else set gone = ''yes'' send push ''come back'' end'),
    ('go', 'on go exit on buy re-enter always wait for in segment ''warm'' up to 2 seconds send email ''warm'' with (plan = plan) wait 1 second send email ''end'''),
    ('slow', 'on go where plan = ''pro'' wait 2 minutes if score >= 10 then send email ''late'' for newsletter else do ''webhook'' with (why = ''cold'') end wait for v up to 1 day then send email ''back'' as transactional end');
-- In any physical order: an update puts what others name behind them.
UPDATE nurture.segment SET description = 'moved' WHERE name = 'busy';
CREATE FUNCTION pg_temp.tell(low int, high int) RETURNS void LANGUAGE sql AS $$
INSERT INTO nurture.inbox (contact, type, props, message_id, at, received_at)
SELECT 'c' || (hashint4(g) & 15), (ARRAY['v', 'v', 'buy', 'go', '$identify', 'v', 'v', NULL])[1 + (hashint4(g + 1000000) & 7)],
       jsonb_build_object('plan', (ARRAY['free', 'pro'])[1 + (hashint4(g + 2000000) & 1)],
                          'path', (ARRAY['/pricing', '/pricing/eu', '/home', '/blog'])[1 + (hashint4(g + 3000000) & 3)],
                          'amount', (hashint4(g + 4000000) & 1023) / 8.0),
       CASE WHEN g % 5 = 0 THEN 'm' || (hashint4(g) & 127) END, t - CASE WHEN g % 11 = 0 THEN interval '1 hour' ELSE '0' END, t
FROM generate_series(low, high) g CROSS JOIN LATERAL (SELECT timestamptz '2021-01-01' + g * interval '0.4 seconds') t(t)
$$;
INSERT INTO nurture.history (contact, type, at, props, received_at)
SELECT 'c' || g, 'v', timestamptz '2020-12-01' + g * interval '1 day', '{"path": "/pricing"}', '2021-01-01' FROM generate_series(1, 8) g;
SELECT pg_temp.tell(1, 150);
BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('2021-01-01 00:01:00'); COMMIT;
-- The definitions change while people are inside.
UPDATE nurture.workflow SET definition = 'on go exit on buy re-enter always wait 1 second send email ''second version''' WHERE name = 'go';
INSERT INTO nurture.segment (name, condition) VALUES ('later', 'in segment ''warm'' or count(v) >= 3');
SELECT pg_temp.tell(151, 250);
BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('2021-01-01 00:01:40'); COMMIT;
-- Senders: some done, some failed, one in the middle of it, the rest is ready.
SELECT count(*) FROM (SELECT nurture.complete(array_agg(receipt)) FROM nurture.claim('email', 5)) done;
SELECT count(*) FROM (SELECT nurture.fail(receipt, 'no such mailbox', permanent => true) FROM nurture.claim('email', 1)) failed;
SELECT count(*) FROM (SELECT nurture.fail(receipt, 'try again') FROM nurture.claim('email', 1)) failed;
SELECT count(*) FROM nurture.claim('email', 2, '1 hour');
BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('2021-01-01 00:01:41'); COMMIT;
INSERT INTO nurture.quarantine (contact, reason, tick, since) VALUES ('c3', 'made up', 3, '2021-01-01 00:01:41');
UPDATE nurture.contact SET due = NULL WHERE contact = 'c3';
SELECT pg_temp.tell(251, 270);
BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('2021-01-01 00:01:50'); COMMIT;
-- What waits: messages, history, and a change of the definitions.
SELECT pg_temp.tell(271, 300);
INSERT INTO nurture.history (contact, type, at, props, received_at) VALUES ('c99', 'v', '2020-12-01', '{"path": "/pricing"}', '2021-01-01');
UPDATE nurture.rule SET definition = '-4 on buy at most 2 per day' WHERE name = 'buys';
SELECT nurture.pause('while the server is upgraded');
