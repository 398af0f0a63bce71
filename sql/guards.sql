-- Guards: policies as definitions, what the step plans, what claim enforces, what lint finds.
\i sql/include/simulated_clock.sql
-- Actions are named by one character here: 'a' is aaaaaaaa-….
CREATE PROCEDURE pg_temp.put(name text, contact text, due timestamptz, workflow text DEFAULT 'w', channel text DEFAULT 'email',
    purpose text DEFAULT 'offers', priority int DEFAULT 0, transactional boolean DEFAULT false, expires timestamptz DEFAULT NULL) LANGUAGE sql AS $$
    INSERT INTO nurture.action (id, contact, channel, template, purpose, due, expires, priority, workflow, version, step, transactional)
    VALUES (repeat(name, 32)::uuid, contact, channel, 't', purpose, due, expires, priority, workflow, 1, '1', transactional)
$$;
CREATE FUNCTION pg_temp.claimed(channel text DEFAULT 'email', max_actions int DEFAULT 100) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(left(id::text, 1), ' ' ORDER BY id) FROM nurture.claim(channel, max_actions, lease => '1 year')
$$;
CREATE VIEW pg_temp.open AS
    SELECT left(id::text, 1) AS name, contact, status, due, reason FROM nurture.action WHERE status NOT IN ('claimed', 'done') ORDER BY id;
CREATE PROCEDURE pg_temp.anew() LANGUAGE sql AS $$
    TRUNCATE nurture.action, nurture.inbox, nurture.sent, nurture.guard_counter, nurture.suppression;
    DELETE FROM nurture.policy
$$;

-- Policies are definitions as all others: checked, canonical, versioned, exported, followed by what they name.
INSERT INTO nurture.policy (name, definition) VALUES ('bad', 'for email at most 3 per 7 days');
INSERT INTO nurture.policy (name, definition) VALUES ('bad', 'quiet from 9pm to 8am');
INSERT INTO nurture.workflow (name, definition) VALUES ('spring', 'on signup send email ''hello'' for offers');
INSERT INTO nurture.policy (name, definition) VALUES ('mail', $$
  for email purpose offers workflow 'spring'   -- whose messages
  when stopped keep the best
  quiet from 21:00 to 8:00
  at most 1 per day
  budget 3 for workflow 'spring'
$$);
SELECT definition FROM nurture.policy;
SELECT nurture.rename('workflow', 'spring', 'summer');
UPDATE nurture.policy SET definition = 'for email purpose offers workflow ''summer'' at most 2 per day quiet from 21:00 to 08:00';
SELECT line, change, text FROM nurture.diff('policy', 'mail') AS d (line, change, text);
SELECT version, operation, reason FROM nurture.audit WHERE kind = 'policy' ORDER BY version;
SELECT uses_kind, uses_name FROM nurture.dependency WHERE kind = 'policy' ORDER BY 1, 2;
SELECT nurture.export_definitions('sql');
SELECT valid, form, canonical, message, line, "column" FROM nurture.validate('for email at most 1 per dya');
SELECT valid, form, canonical FROM nurture.validate('for email at most 1 per day');
SELECT 'require consent at most 1 per day'::nurture.policy_definition OPERATOR(nurture.=) 'at most 1 per day require consent'::nurture.policy_definition AS same;

-- The step plans: quiet hours of the contact's clock, priority, expiry; transactional messages go at once.
UPDATE nurture.policy SET definition = 'for email quiet from 21:00 to 08:00 priority 5 expire after 6 hours';
UPDATE nurture.workflow SET definition = 'on signup send email ''hello'' for offers send email ''receipt'' as transactional send sms ''hi''';
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('rome', '$identify', '{"timezone": "Europe/Rome"}', '2026-03-28 20:30', '2026-03-28 20:30'),
    ('york', '$identify', '{"timezone": "America/New_York"}', '2026-03-28 20:30', '2026-03-28 20:30'),
    ('rome', 'signup', '{}', '2026-03-28 20:30', '2026-03-28 20:30'), ('york', 'signup', '{}', '2026-03-28 20:30', '2026-03-28 20:30'),
    ('none', 'signup', '{}', '2026-03-28 21:30', '2026-03-28 21:30');
CALL pg_temp.tick('2026-03-28 22:00');
SELECT contact, channel, template, due, expires, priority, transactional FROM nurture.action ORDER BY contact, channel, template;

-- Caps: what is claimed counts, in parallel workflows, too; what is stopped waits for the contact's next day.
CALL pg_temp.anew();
INSERT INTO nurture.policy (name, definition) VALUES ('cap', 'for email, sms at most 1 per day at most 2 per rolling 72 hours over all channels');
CALL pg_temp.tick('2026-03-28 22:30');
CALL pg_temp.put('1', 'rome', '2026-03-28 12:00');
CALL pg_temp.put('2', 'rome', '2026-03-28 13:00', workflow => 'v');
CALL pg_temp.put('3', 'york', '2026-03-28 13:00');
CALL pg_temp.put('4', 'york', '2026-03-28 13:00', transactional => true);
CALL pg_temp.put('5', 'rome', '2026-03-28 13:00', channel => 'sms');
SELECT pg_temp.claimed(), pg_temp.claimed('sms');
SELECT * FROM pg_temp.open;
CALL pg_temp.tick('2026-03-28 23:30');
SELECT pg_temp.claimed(), pg_temp.claimed('sms');
SELECT * FROM pg_temp.open;
SELECT contact, left(action::text, 1) AS action, at, channel, purpose, workflow FROM nurture.sent ORDER BY contact, at;
-- What came to nothing gives its place back; what is tried again does not stand in its own way.
SELECT nurture.fail((SELECT receipt FROM nurture.action WHERE id = repeat('2', 32)::uuid), 'no such mailbox', permanent => true);
SELECT nurture.fail((SELECT receipt FROM nurture.action WHERE id = repeat('3', 32)::uuid), 'mailbox full', retry_after => '1 minute');
CALL pg_temp.tick('2026-03-29 00:30');
CALL pg_temp.put('6', 'rome', '2026-03-29 00:00');
CALL pg_temp.put('7', 'york', '2026-03-29 00:00');
SELECT pg_temp.claimed();
SELECT * FROM pg_temp.open;

-- Drop at once, or keep the best by priority; the contacts are told.
CALL pg_temp.anew();
INSERT INTO nurture.policy (name, definition) VALUES ('drop', 'for sms at most 1 per day quiet from 21:00 to 08:00 when stopped drop'),
    ('best', 'for email at most 1 per week quiet from 21:00 to 08:00 when stopped keep the best');
CALL pg_temp.put('1', 'a', '2026-03-29 01:00', channel => 'sms');
CALL pg_temp.put('2', 'a', '2026-03-29 01:00');
CALL pg_temp.tick('2026-03-29 02:00');
SELECT pg_temp.claimed(), pg_temp.claimed('sms');
SELECT * FROM pg_temp.open;
CALL pg_temp.put('3', 'a', '2026-03-29 07:00', priority => 3);
CALL pg_temp.put('4', 'a', '2026-03-29 06:00', priority => 2);
CALL pg_temp.tick('2026-03-29 08:00');
SELECT pg_temp.claimed();
SELECT * FROM pg_temp.open;
SELECT contact, type, left(message_id, 1) AS action, props ->> 'reason' AS reason FROM nurture.inbox ORDER BY message_id;

-- Windows, holidays, one workflow at a time.
CALL pg_temp.anew();
INSERT INTO nurture.holiday (calendar, day) VALUES ('IT', '2026-04-06');
INSERT INTO nurture.policy (name, definition) VALUES ('hours', 'for email only on business days of ''IT'' between 09:00 and 18:00'),
    ('one', 'for workflow ''v'', ''w'' at most 1 workflow per rolling 30 days');
CALL pg_temp.put('1', 'rome', '2026-04-03 10:00', channel => 'push');
CALL pg_temp.put('2', 'rome', '2026-04-03 10:00', channel => 'push');
CALL pg_temp.put('3', 'rome', '2026-04-03 10:00', channel => 'push', workflow => 'v');
CALL pg_temp.put('4', 'rome', '2026-04-03 10:00', channel => 'push', workflow => 'x');
CALL pg_temp.put('5', 'rome', '2026-04-03 16:30');
CALL pg_temp.tick('2026-04-03 17:00');
SELECT pg_temp.claimed('push'), pg_temp.claimed();
SELECT * FROM pg_temp.open;

-- Rates: so many a minute, whoever claims; transactional messages take of them, too. Budgets: so many in all.
CALL pg_temp.anew();
INSERT INTO nurture.policy (name, definition) VALUES ('rate', 'for email rate 2 per minute'), ('budget', 'budget 2 for workflow ''v'''),
    ('offers', 'for push purpose offers rate 1 per hour');
CALL pg_temp.tick('2026-04-03 18:00:10');
DO $$ DECLARE n text; BEGIN
    FOREACH n IN ARRAY ARRAY['1', '2', '3', '4', '5'] LOOP
        CALL pg_temp.put(n, 'c' || n, '2026-04-03 18:00', workflow => 'v', transactional => n = '2');
    END LOOP; END $$;
CALL pg_temp.put('6', 'c1', '2026-04-03 18:00', channel => 'push');
CALL pg_temp.put('7', 'c2', '2026-04-03 18:00', channel => 'push');
CALL pg_temp.put('8', 'c3', '2026-04-03 18:00', channel => 'push', purpose => 'news');
SELECT nurture.next_claimable('email') AS now, pg_temp.claimed(max_actions => 1), pg_temp.claimed() AS one_more, pg_temp.claimed() AS none,
       pg_temp.claimed('push') AS push;
SELECT nurture.next_claimable('email') AS next_minute;
SELECT * FROM pg_temp.open;
CALL pg_temp.tick('2026-04-03 18:01:00');
SELECT pg_temp.claimed() AS next_minute;
CALL pg_temp.tick('2026-04-03 18:02:00');
SELECT pg_temp.claimed() AS budget_is_used_up;
SELECT * FROM pg_temp.open;
SELECT p.name, c.key, c.slot, c.used FROM nurture.guard_counter c JOIN nurture.policy p ON p.id = c.policy ORDER BY 1, 2;

-- A rate over all channels: what a provider takes of e-mails and texts together.
CALL pg_temp.anew();
INSERT INTO nurture.policy (name, definition) VALUES ('provider', 'for email, sms rate 3 per minute over all channels');
CALL pg_temp.put('1', 'c1', '2026-04-03 18:00');
CALL pg_temp.put('2', 'c2', '2026-04-03 18:00', channel => 'sms');
CALL pg_temp.put('3', 'c3', '2026-04-03 18:00', channel => 'sms');
CALL pg_temp.put('4', 'c4', '2026-04-03 18:00');
CALL pg_temp.put('5', 'c5', '2026-04-03 18:00', channel => 'push');
CALL pg_temp.tick('2026-04-03 18:02:10');
SELECT pg_temp.claimed('sms') AS sms, pg_temp.claimed() AS email, pg_temp.claimed('push') AS push, nurture.next_claimable('email') AS next;
SELECT * FROM pg_temp.open;
CALL pg_temp.tick('2026-04-03 18:03:00');
SELECT pg_temp.claimed() AS next_minute;

-- Suppression: at once, whatever there are of policies.
CALL pg_temp.anew();
CALL pg_temp.put('1', 'anna', '2026-04-03 18:00');
CALL pg_temp.put('2', 'anna', '2026-04-03 18:00', transactional => true);
CALL pg_temp.put('3', 'bert', '2026-04-03 18:00');
CALL pg_temp.put('4', 'bert', '2026-04-03 18:00', purpose => 'news');
CALL pg_temp.put('5', 'carl', '2026-04-03 18:00', transactional => true);
CALL pg_temp.put('6', 'dora', '2026-04-03 18:00');
INSERT INTO nurture.inbox (contact, type, props) VALUES ('anna', '$consent', '{"channel": "email", "state": "withdrawn"}'),
    ('bert', '$consent', '{"purpose": "offers", "state": "denied"}'), ('carl', '$bounce', '{"kind": "hard"}');
SELECT nurture.suppress('dora', until => '2026-04-10 00:00', reason => 'pause', transactional => false);
SELECT pg_temp.claimed();
SELECT * FROM pg_temp.open;
TRUNCATE nurture.inbox;

-- Consent is asked when it is sent, by channel and purpose; what waits for somebody who withdraws is cancelled by the tick.
CALL pg_temp.anew();
INSERT INTO nurture.policy (name, definition) VALUES ('consent', 'for email, sms require consent');
SELECT nurture.grant_consent('anna', 'email', 'offers'), nurture.grant_consent('bert', 'email'), nurture.grant_consent('carl', 'sms', 'offers');
SELECT nurture.grant_consent('dora', 'email', 'offers', expires => '2026-04-03 20:00');
CALL pg_temp.tick('2026-04-03 19:00');
CALL pg_temp.put('1', 'anna', '2026-04-03 18:00');
CALL pg_temp.put('2', 'anna', '2026-04-03 18:00', purpose => 'news');
CALL pg_temp.put('3', 'bert', '2026-04-03 18:00');
CALL pg_temp.put('4', 'carl', '2026-04-03 18:00');
CALL pg_temp.put('5', 'carl', '2026-04-03 18:00', transactional => true);
CALL pg_temp.put('6', 'dora', '2026-04-03 18:00');
CALL pg_temp.put('7', 'dora', '2026-04-03 19:30');
CALL pg_temp.put('8', 'nobody', '2026-04-03 18:00');
CALL pg_temp.put('9', 'anna', '2026-04-04 18:00');
CALL pg_temp.put('a', 'anna', '2026-04-04 18:00', channel => 'sms');
CALL pg_temp.put('b', 'anna', '2026-04-04 18:00', transactional => true);
SELECT pg_temp.claimed();
SELECT * FROM pg_temp.open;
SELECT nurture.withdraw_consent('anna', 'email');
CALL pg_temp.tick('2026-04-03 20:00');
SELECT pg_temp.claimed() AS expired_at_eight;
SELECT nurture._outbox_maintain();
SELECT * FROM pg_temp.open WHERE name IN ('7', '9', 'a', 'b');

-- Keys that are one contact's share its caps and what it has refused.
CALL pg_temp.anew();
INSERT INTO nurture.policy (name, definition) VALUES ('cap', 'at most 1 per day');
CALL pg_temp.put('1', 'cookie', '2026-04-03 18:00');
CALL pg_temp.put('2', 'eva', '2026-04-03 18:01');
SELECT pg_temp.claimed(max_actions => 1) AS the_cookie_is_nobody_yet;
INSERT INTO nurture.identity (key, contact) VALUES ('cookie', 'eva'), ('phone', 'eva');
SELECT pg_temp.claimed() AS eva_had_one;
INSERT INTO nurture.suppression (contact, reason) VALUES ('phone', 'complaint');
CALL pg_temp.put('3', 'cookie', '2026-04-03 18:01');
SELECT pg_temp.claimed();
SELECT * FROM pg_temp.open;
DELETE FROM nurture.identity;

-- Under caps each contact takes a lock of the server's: a claim looks at so many and no more, lest it takes all there are.
CALL pg_temp.anew();
INSERT INTO nurture.action (id, contact, channel, template, due, version, step)
SELECT gen_random_uuid(), 'many' || g, 'email', 't', '2026-04-03 18:00', 1, '1' FROM generate_series(1, 4500) g;
SELECT count(*) AS without_caps FROM nurture.claim('email', 500);
INSERT INTO nurture.policy (name, definition) VALUES ('cap', 'at most 1 per day');
SELECT count(*) AS at_once FROM nurture.claim('email', 10000);
SELECT count(*) AS the_rest FROM nurture.claim('email', 10000);

-- An old snapshot knows too little.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT nurture.claim('email');
ROLLBACK;

-- What no cap looks back to is forgotten, and the counters of policies that are gone.
CALL pg_temp.anew();
INSERT INTO nurture.policy (name, definition) VALUES ('cap', 'at most 9 per rolling 60 days');
INSERT INTO nurture.sent (contact, action, at, channel) SELECT 'x', gen_random_uuid(), nurture._now() - d * interval '1 day', 'email' FROM unnest(ARRAY[1, 33, 59, 61]) d;
INSERT INTO nurture.guard_counter (policy, key) VALUES (0, 'budget');
SELECT nurture._forget_sent(), (SELECT count(*) FROM nurture.sent) AS before, (SELECT count(*) FROM nurture.guard_counter) AS counters_before;
SELECT count(*) AS kept, (SELECT count(*) FROM nurture.guard_counter) AS counters FROM nurture.sent;
DELETE FROM nurture.policy;
SELECT nurture._forget_sent();

-- Lint.
CALL pg_temp.anew();
DELETE FROM nurture.workflow;
SELECT * FROM nurture.lint();
INSERT INTO nurture.workflow (name, definition) VALUES ('welcome', $$
  on signup
  send email 'hello' for news
  wait 1 day
  if plan = 'pro' then send sms 'pro' else send email 'receipt' as transactional end
  do 'webhook'$$), ('receipts', 'on purchase send email ''receipt'' as transactional');
SELECT * FROM nurture.lint();
INSERT INTO nurture.policy (name, definition) VALUES
    ('mail', 'for email purpose news require consent at most 1 per day quiet from 21:00 to 08:00'),
    ('texts', 'for sms require consent only on business days of ''DE'''), ('lost', 'for workflow ''welcom'' priority 1'), ('Fax', 'for fax priority 1');
SELECT * FROM nurture.lint();

-- Nobody but the owner, and whoever he lets.
SELECT n, has_table_privilege('public', 'nurture.' || n, 'SELECT') AS may FROM unnest(ARRAY['policy', 'sent', 'guard_counter']) n;
SELECT has_function_privilege('public', 'nurture.lint()', 'EXECUTE') AS may_lint;
CALL pg_temp.anew();
DELETE FROM nurture.workflow;

-- Holidays of the contact's own country; of one that has no calendar, or is not known, the default ones.
CALL pg_temp.anew();
INSERT INTO nurture.holiday (calendar, day) VALUES ('AT', '2026-05-14'), ('default', '2026-05-15');
INSERT INTO nurture.policy (name, definition) VALUES ('at home', 'for email never on holidays of contact country');
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('anton', '$identify', '{"country": "AT"}', '2026-05-01', '2026-05-01'), ('fritz', '$identify', '{"country": "XX"}', '2026-05-01', '2026-05-01');
CALL pg_temp.tick('2026-05-14 10:00');
CALL pg_temp.put('1', 'anton', '2026-05-14 09:00');
CALL pg_temp.put('2', 'fritz', '2026-05-14 09:00');
CALL pg_temp.put('3', 'nobody', '2026-05-14 09:00');
SELECT pg_temp.claimed();
SELECT * FROM pg_temp.open;
CALL pg_temp.put('4', 'anton', '2026-05-14 09:00');
CALL pg_temp.put('5', 'fritz', '2026-05-14 09:00');
CALL pg_temp.tick('2026-05-15 10:00');
SELECT pg_temp.claimed();
SELECT * FROM pg_temp.open;
