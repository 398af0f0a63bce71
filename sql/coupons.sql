-- Coupons and rotas: what contacts share, decided at the outbox. Against naive SQL where there is much of it.
\i sql/include/simulated_clock.sql
CREATE FUNCTION pg_temp.claimed(max_actions int DEFAULT 100, lease interval DEFAULT '1 minute')
    RETURNS TABLE (contact text, template text, attempt int, payload jsonb) LANGUAGE sql AS $$
    SELECT c.contact, c.template, c.attempt, c.payload FROM nurture.claim('email', max_actions, lease) c ORDER BY 1, 2
$$;
CREATE VIEW pg_temp.codes AS SELECT pool, code, contact, given_at, workflow, journey, action IS NOT NULL AS by_action FROM nurture.coupon ORDER BY 1, 2;

-- Pools are definitions: known by name, followed when they are renamed, versioned, exported, refused to go as long as they are used.
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on go send email ''a'' with (code = coupon(''sprng''))');
INSERT INTO nurture.coupon_pool (name, when_empty) VALUES ('spring', 'never');
INSERT INTO nurture.coupon_pool (name) VALUES ('spring');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on go send email ''a'' with (code = coupon(''sprng''))');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('w', 'on go re-enter always send email ''a'' with (code = coupon(''sprnig''), n = 1) wait 1 day send email ''b'' with (code = coupon(''spring''))');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('w', 'on go re-enter always send email ''a'' with (code = coupon(''spring''), n = 1) wait 1 day send email ''b'' with (code = coupon(''spring''))');
INSERT INTO nurture.coupon (pool, code) VALUES ('autumn', 'x');
INSERT INTO nurture.coupon (pool, code, expires) VALUES ('spring', 'S3', '2026-06-01'), ('spring', 'S1', '2026-05-20'), ('spring', 'S2', '2026-05-20'), ('spring', 'S0', '2026-05-01');
INSERT INTO nurture.coupon (pool, code) VALUES ('spring', 'S4'), ('spring', 'S1');
INSERT INTO nurture.coupon (pool, code) VALUES ('spring', 'S4');
UPDATE nurture.coupon_pool SET name = 'may' WHERE name = 'spring';
SELECT definition FROM nurture.workflow;
SELECT DISTINCT pool FROM nurture.coupon;
DELETE FROM nurture.coupon_pool;
UPDATE nurture.coupon_pool SET enabled = false;
SELECT kind, name, version, operation FROM nurture.audit WHERE kind = 'coupon_pool' ORDER BY at;
SELECT uses_kind, uses_name FROM nurture.dependency WHERE kind = 'workflow' AND uses_kind = 'coupon_pool';
SELECT nurture.export_definitions('sql');
SELECT * FROM nurture.coupon_stock;

-- A code when it is claimed, not before; the first to expire first; the same one when the lease has run out, when it was tried
-- again, and in the journey's next message.
CALL pg_temp.tick('2026-05-02 00:00');
CALL pg_temp.tell('anna', 'go', '2026-05-02 10:00');
CALL pg_temp.tell('bert', 'go', '2026-05-02 10:01');
CALL pg_temp.tick('2026-05-02 10:05');
SELECT contact, payload, draws IS NOT NULL AS draws FROM nurture.action ORDER BY contact;
SELECT * FROM pg_temp.claimed(1);
SELECT * FROM pg_temp.codes;
SELECT * FROM pg_temp.claimed();
CALL pg_temp.tick('2026-05-02 10:10');
SELECT * FROM pg_temp.claimed(); -- both leases have run out
SELECT nurture.fail(a.receipt, 'mailbox full', '1 hour') FROM nurture.action a WHERE contact = 'anna';
SELECT nurture.complete(ARRAY(SELECT a.receipt FROM nurture.action a WHERE contact = 'bert'));
CALL pg_temp.tick('2026-05-02 11:30');
SELECT * FROM pg_temp.claimed();
SELECT nurture.complete(ARRAY(SELECT a.receipt FROM nurture.action a WHERE contact = 'anna'));
CALL pg_temp.tick('2026-05-03 10:30');
SELECT * FROM pg_temp.claimed(lease => '1 year');
SELECT * FROM pg_temp.codes WHERE contact IS NOT NULL;

-- The pool is empty: delayed until there are codes, or until the message expires; dropped, which the contact is told; sent without.
CALL pg_temp.tell('carl', 'go', '2026-05-04 10:00');
CALL pg_temp.tell('dora', 'go', '2026-05-04 10:00');
CALL pg_temp.tell('emil', 'go', '2026-05-04 10:00');
CALL pg_temp.tick('2026-05-04 10:01');
DELETE FROM nurture.coupon WHERE code = 'S4';
SELECT * FROM pg_temp.claimed(lease => '1 year');
SELECT contact, status, due, reason FROM nurture.action WHERE status = 'ready' ORDER BY contact;
SELECT nurture.next_claimable('email');
SELECT object, finding, severity FROM nurture.lint() WHERE object LIKE 'coupon%';
INSERT INTO nurture.coupon (pool, code) VALUES ('may', 'S5');
SELECT count(*) FROM pg_temp.claimed(); -- not yet
CALL pg_temp.tick('2026-05-04 10:15');
SELECT * FROM pg_temp.claimed(lease => '1 year');
UPDATE nurture.coupon_pool SET when_empty = 'drop';
CALL pg_temp.tick('2026-05-04 10:30');
SELECT * FROM pg_temp.claimed();
SELECT contact, status, reason FROM nurture.action WHERE status IN ('ready', 'dropped') ORDER BY contact;
CALL pg_temp.tick('2026-05-04 10:31');
SELECT contact, props ->> 'reason' AS reason FROM nurture.event WHERE type = '$dropped';
UPDATE nurture.coupon_pool SET when_empty = 'send without';
CALL pg_temp.tell('fritz', 'go', '2026-05-04 11:00');
CALL pg_temp.tick('2026-05-04 11:01');
SELECT * FROM pg_temp.claimed(lease => '1 hour') WHERE contact = 'fritz';
INSERT INTO nurture.coupon (pool, code) VALUES ('may', 'S6');
CALL pg_temp.tick('2026-05-04 12:30');
SELECT * FROM pg_temp.claimed(lease => '1 year') WHERE contact = 'fritz'; -- it was sent without, it stays so

-- What a guard stops takes no code.
INSERT INTO nurture.policy (name, definition) VALUES ('one a day', 'for email at most 1 per day');
TRUNCATE nurture.action, nurture.sent;
INSERT INTO nurture.coupon (pool, code) SELECT 'may', 'T' || n FROM generate_series(1, 5) n;
INSERT INTO nurture.coupon_pool (name, one_per) VALUES ('each', 'message');
INSERT INTO nurture.coupon (pool, code) SELECT 'each', 'E' || n FROM generate_series(1, 5) n;
INSERT INTO nurture.action (id, contact, channel, template, due, draws, workflow, journey)
SELECT repeat(n::text, 32)::uuid, 'gina', 'email', 't' || n, '2026-05-04 12:00', jsonb_build_object('code', p.id), 'hand', n
FROM generate_series(1, 3) n, nurture.coupon_pool p WHERE p.name = 'each';
SELECT * FROM pg_temp.claimed(lease => '1 year');
SELECT template, status, due, payload, reason FROM nurture.action ORDER BY template;
SELECT * FROM pg_temp.codes WHERE contact = 'gina' OR pool = 'each';
BEGIN;
DELETE FROM nurture.policy;
UPDATE nurture.action SET due = '2026-05-04 12:00' WHERE status = 'ready';
SELECT * FROM pg_temp.claimed();
ROLLBACK; -- a claim that is undone gives its codes back
SELECT count(*) FROM pg_temp.codes WHERE contact = 'gina';
DELETE FROM nurture.policy;
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE nurture.action SET due = '2026-05-04 12:00' WHERE status = 'ready';
SELECT * FROM nurture.claim('email');
ROLLBACK;

-- One code for a contact under whatever key, one for a journey, one for a message.
INSERT INTO nurture.coupon_pool (name, one_per, valid_for) VALUES ('ever', 'contact', '5 days');
INSERT INTO nurture.coupon (pool, code, expires) VALUES ('ever', 'V1', '2026-05-10'), ('ever', 'V2', 'infinity'), ('ever', 'V3', 'infinity');
TRUNCATE nurture.action;
INSERT INTO nurture.inbox (contact, type, props, kind, at, received_at) VALUES ('cookie', 'view', '{}', 'anonymous', '2026-05-04 12:30', '2026-05-04 12:30');
CALL pg_temp.tick('2026-05-04 12:31');
INSERT INTO nurture.action (id, contact, channel, template, due, draws, workflow, journey)
SELECT 'aaaaaaaa-0000-0000-0000-000000000000', 'cookie', 'email', 'one', '2026-05-04 12:00', jsonb_build_object('code', p.id), 'w1', '1'
FROM nurture.coupon_pool p WHERE p.name = 'ever';
SELECT * FROM pg_temp.claimed(lease => '1 year');
INSERT INTO nurture.inbox (contact, kind, type, props, at, received_at) VALUES ('cookie', 'anonymous', '$alias', '{"to": "hans"}', '2026-05-04 12:40', '2026-05-04 12:40');
CALL pg_temp.tick('2026-05-04 12:41');
SELECT contact FROM nurture.identity WHERE key = 'cookie';
INSERT INTO nurture.action (id, contact, channel, template, due, draws, workflow, journey)
SELECT 'bbbbbbbb-0000-0000-0000-000000000000', 'hans', 'email', 'two', '2026-05-04 12:00', jsonb_build_object('code', p.id, 'again', p.id, 'own', (SELECT id FROM nurture.coupon_pool WHERE name = 'each')), 'w2', '1'
FROM nurture.coupon_pool p WHERE p.name = 'ever';
SELECT * FROM pg_temp.claimed(lease => '1 year');
CALL pg_temp.tick('2026-05-05 12:00'); -- V1 is not valid for long enough any more
INSERT INTO nurture.action (id, contact, channel, template, due, draws, workflow, journey)
SELECT 'cccccccc-0000-0000-0000-000000000000', 'hans', 'email', 'three', '2026-05-05 11:00', jsonb_build_object('code', p.id), 'w2', '1'
FROM nurture.coupon_pool p WHERE p.name = 'ever';
SELECT * FROM pg_temp.claimed(lease => '1 year');
SELECT pool, codes, "left", given, expired, low FROM nurture.coupon_stock ORDER BY pool;

-- A pool that is gone, one that is switched off.
TRUNCATE nurture.action;
INSERT INTO nurture.action (id, contact, channel, template, due, draws)
SELECT repeat(n::text, 32)::uuid, 'k' || n, 'email', 't', '2026-05-05 11:00', jsonb_build_object('code', CASE n WHEN 1 THEN 4711 ELSE p.id END)
FROM generate_series(1, 2) n, nurture.coupon_pool p WHERE p.name = 'each';
UPDATE nurture.coupon_pool SET enabled = false WHERE name = 'each';
SELECT * FROM pg_temp.claimed();
SELECT contact, status, due, reason FROM nurture.action ORDER BY contact;

-- A journey's code is its own whatever its workflow is called, also where another has got its name; and so are those of two that
-- began under two keys.
TRUNCATE nurture.action;
INSERT INTO nurture.coupon_pool (name) VALUES ('own');
INSERT INTO nurture.coupon (pool, code) SELECT 'own', 'O' || n FROM generate_series(1, 9) n;
INSERT INTO nurture.workflow (name, definition) VALUES
    ('before', 'on come re-enter always send email ''o1'' with (code = coupon(''own'')) wait 1 hour send email ''o2'' with (code = coupon(''own''))');
CALL pg_temp.tick('2026-05-05 12:59');
CALL pg_temp.tell('olga', 'come', '2026-05-05 13:00');
CALL pg_temp.tick('2026-05-05 13:01');
SELECT * FROM pg_temp.claimed(lease => '1 year');
SELECT nurture.rename('workflow', 'before', 'after');
INSERT INTO nurture.workflow (name, definition) VALUES ('before', 'on come send email ''p1'' with (code = coupon(''own''))');
CALL pg_temp.tick('2026-05-05 13:29');
CALL pg_temp.tell('olga', 'come', '2026-05-05 13:30');
CALL pg_temp.tick('2026-05-05 14:01');
SELECT * FROM pg_temp.claimed(lease => '1 year');
SELECT code, workflow, journey FROM pg_temp.codes WHERE contact = 'olga';
DELETE FROM nurture.workflow WHERE name = 'before';
CALL pg_temp.tell('pia', 'come', '2026-05-05 15:00');
CALL pg_temp.tell('pit', 'come', '2026-05-05 15:00');
CALL pg_temp.tick('2026-05-05 15:01');
SELECT * FROM pg_temp.claimed(lease => '1 year');
SELECT nurture.merge('pit', 'pia');
CALL pg_temp.tick('2026-05-05 16:01');
SELECT * FROM pg_temp.claimed(lease => '1 year');

-- Many at once: 1,000 messages of 400 contacts and 600 codes, claimed in portions. Never a code twice; a contact's journey one
-- code; who got none is who would have been the 601st and later in the order of claiming.
TRUNCATE nurture.action, nurture.coupon, nurture.inbox;
INSERT INTO nurture.coupon_pool (name, one_per) VALUES ('many', 'journey');
INSERT INTO nurture.coupon (pool, code) SELECT 'many', 'M' || to_char(n, 'FM0000') FROM generate_series(1, 600) n;
INSERT INTO nurture.action (id, contact, channel, template, due, draws, workflow, journey)
SELECT md5('m' || n)::uuid, 'c' || (n % 400), 'email', 't', '2026-05-05 11:00', jsonb_build_object('code', p.id), 'w', (n % 7 / 3)::text
FROM generate_series(1, 1000) n, nurture.coupon_pool p WHERE p.name = 'many';
DO $$ BEGIN FOR i IN 1..30 LOOP PERFORM nurture.claim('email', 37, '1 year'); END LOOP; END $$;
WITH holder AS (
    SELECT a.contact, a.workflow, a.journey, count(*) AS messages, row_number() OVER (ORDER BY min(a.id::text)) AS place,
           count(*) FILTER (WHERE a.status = 'claimed') AS claimed, count(DISTINCT a.payload ->> 'code') AS codes, min(a.payload ->> 'code') AS code
    FROM nurture.action a GROUP BY 1, 2, 3
)
SELECT count(*) AS holders, sum(messages) AS messages, count(*) FILTER (WHERE codes = 1) AS with_code, count(DISTINCT code) AS codes,
       count(*) FILTER (WHERE (codes = 1) <> (place <= 600)) AS wrong, count(*) FILTER (WHERE claimed <> CASE WHEN codes = 1 THEN messages ELSE 0 END) AS torn,
       count(*) FILTER (WHERE code IS DISTINCT FROM CASE WHEN place <= 600 THEN 'M' || to_char(place, 'FM0000') END) AS other_code
FROM holder;
SELECT count(*) FILTER (WHERE c.contact IS NOT NULL) AS given, count(DISTINCT (c.contact, c.journey)) AS holders,
       count(*) FILTER (WHERE NOT EXISTS (SELECT FROM nurture.action a WHERE a.id = c.action AND a.contact = c.contact AND a.payload ->> 'code' = c.code)) AS wrong
FROM nurture.coupon c;

-- Rotas: round-robin, with those who are away passed over; by shares; nobody there.
INSERT INTO nurture.rota_member (rota, member) VALUES ('sales', 'x');
INSERT INTO nurture.rota (name) VALUES ('sales'), ('support');
UPDATE nurture.rota SET choose = 'fewest' WHERE name = 'support';
INSERT INTO nurture.rota_member (rota, member, share) VALUES ('sales', 'carla', 1), ('sales', 'dario', 1), ('sales', 'enzo', 1), ('support', 'fia', 2), ('support', 'gil', 1);
UPDATE nurture.rota_member SET available = false WHERE member = 'enzo';
INSERT INTO nurture.workflow (name, definition) VALUES
    ('own', 'on lead assign owner from ''sales'' wait for owner is set up to 1 day do ''task'' with (for = owner) assign helper from ''support''');
SELECT nurture.rename('rota', 'sales', 'sellers');
SELECT definition FROM nurture.workflow WHERE name = 'own';
CALL pg_temp.tick('2026-05-06 00:00');
DO $$ BEGIN FOR i IN 1..7 LOOP
    INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('l' || i, 'lead', '2026-05-06 10:00', '2026-05-06 10:00'::timestamptz + i * interval '1 second');
END LOOP; END $$;
CALL pg_temp.tick('2026-05-06 10:01');
SELECT nurture._assign_from_rotas();
UPDATE nurture.rota_member SET available = true WHERE member = 'enzo';
CALL pg_temp.tick('2026-05-06 10:02');
SELECT nurture._outbox_maintain();
CALL pg_temp.tick('2026-05-06 10:03');
SELECT rota, member, assigned FROM nurture.rota_member ORDER BY 1, 2;
SELECT l.attributes ->> 'owner' AS owner, l.attributes ->> 'helper' AS helper, count(*) FROM nurture.lead l WHERE l.contact LIKE 'l_' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT a.payload ->> 'for' = l.attributes ->> 'owner' AS same, count(*) FROM nurture.action a JOIN nurture.lead l ON l.contact = a.contact WHERE a.channel = 'task' GROUP BY 1;
SELECT contact_key, what FROM nurture.verify(path => true);
CALL pg_temp.tell('l8', 'lead', '2026-05-06 11:00');
CALL pg_temp.tick('2026-05-06 11:01');
UPDATE nurture.rota_member SET available = false WHERE rota = 'sellers';
SELECT nurture._assign_from_rotas();
SELECT status, due, reason FROM nurture.action WHERE contact = 'l8';
SELECT object, finding, severity FROM nurture.lint() WHERE object LIKE 'rota%';
UPDATE nurture.rota_member SET available = true WHERE member = 'enzo';
CALL pg_temp.tick('2026-05-06 11:20');
SELECT nurture._assign_from_rotas();
SELECT status, payload -> 'owner' AS owner FROM nurture.action WHERE contact = 'l8';
-- Two shares for one: as many leads as they come, never more than one out of step.
DO $$ BEGIN FOR i IN 1..300 LOOP
    INSERT INTO nurture.action (id, contact, channel, template, due, payload, transactional)
    SELECT md5('r' || i)::uuid, 'r' || i, '$assign', 'helper', '2026-05-06 11:00', jsonb_build_object('rota', r.id), true FROM nurture.rota r WHERE r.name = 'support';
END LOOP; END $$;
SELECT nurture._assign_from_rotas();
SELECT member, share, assigned FROM nurture.rota_member WHERE rota = 'support' ORDER BY 1;

-- What the engine carries out is nobody else's; codes are never in a pool that there is not.
SELECT nurture.claim('$assign');
UPDATE nurture.coupon SET pool = 'typo';
-- With codes each contact takes a lock: a claim looks at so many and no more.
INSERT INTO nurture.coupon_pool (name, one_per, when_empty) VALUES ('lots', 'contact', 'send without');
INSERT INTO nurture.action (id, contact, channel, template, due, payload, transactional, draws, version, step)
SELECT md5('many' || g)::uuid, 'many' || g, 'fax', 't', '2026-05-06 11:00', '{}', true, (SELECT jsonb_build_object('code', p.id) FROM nurture.coupon_pool p WHERE p.name = 'lots'), 1, '1'
FROM generate_series(1, 2500) g;
SELECT count(*) AS at_once FROM nurture.claim('fax', 10000);
SELECT count(*) AS the_rest FROM nurture.claim('fax', 10000);
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
