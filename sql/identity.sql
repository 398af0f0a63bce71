-- Whose a key is: chains, circles, limits, blocked keys, what waits, backfills under way, quarantine.
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
SET timezone = 'UTC';
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+2 on v');
INSERT INTO nurture.segment (name, condition) VALUES ('reader', 'count(v within 7 days) >= 3');
CREATE FUNCTION tell(key text, kind text, type text, props jsonb, at timestamptz) RETURNS void LANGUAGE sql
    BEGIN ATOMIC INSERT INTO nurture.inbox (contact, kind, type, props, at, received_at) VALUES (key, kind, type, props, at, at); END;
CREATE VIEW leads AS SELECT contact, score, segments FROM nurture.lead ORDER BY contact;

-- A chain of cookies in one batch, then the form; views of each before and after.
SELECT count(tell('c' || n, 'anonymous', t.type, t.props, t.at))
FROM generate_series(1, 4) n, LATERAL (VALUES
    ('v', '{}'::jsonb, timestamptz '2026-01-01 10:00' + n * interval '1 minute'),
    ('$alias', jsonb_build_object('to', 'c' || n + 1, 'kind', 'anonymous'), '2026-01-01 11:00'::timestamptz + n * interval '1 minute'),
    ('v', '{}', '2026-01-01 12:00'::timestamptz + n * interval '1 minute')) t (type, props, at);
SELECT tell('c5', 'anonymous', '$alias', '{"to": "anna"}', '2026-01-01 13:00');
CALL nurture.tick('2026-01-01 14:00');
SELECT * FROM leads;
SELECT key, kind, contact FROM nurture.identity ORDER BY key;
SELECT loser, winner, keys, loser_state IS NULL AS unknown FROM nurture.merge_log ORDER BY tick, loser;

-- There and back in one batch, and said again later, is one merge.
SELECT tell('x', 'anonymous', '$alias', '{"to": "y", "kind": "anonymous"}', '2026-01-02 10:00'),
       tell('y', 'anonymous', '$alias', '{"to": "x", "kind": "anonymous"}', '2026-01-02 10:00'),
       tell('x', 'anonymous', 'v', '{}', '2026-01-02 10:00'), tell('y', 'anonymous', '$alias', '{"to": "y", "kind": "anonymous"}', '2026-01-02 10:01');
CALL nurture.tick('2026-01-02 11:00');
SELECT key, contact FROM nurture.identity WHERE key IN ('x', 'y') ORDER BY key;

-- Limits, blocked keys, unknown kinds, keys that are none. The message is taken all the same; said again it is no news.
SELECT tell('bert', NULL, 'v', '{}', '2026-01-03 10:00'), tell('c1', 'anonymous', '$alias', '{"to": "bert"}', '2026-01-03 10:01'),
       tell('c1', 'anonymous', '$alias', '{"to": "bert"}', '2026-01-03 10:02'), tell('c1', 'anonymous', '$alias', '{"to": "Undefined"}', '2026-01-03 10:03'),
       tell('bert', NULL, '$alias', '{"keys": {"email": "test@example.com", "badge": "7", "phone": ""}}', '2026-01-03 10:04'),
       tell('bert', NULL, '$alias', '{"whom": "anna"}', '2026-01-03 10:05');
CALL nurture.tick('2026-01-03 11:00');
SELECT id, contact, other_contact, reason, status FROM nurture.identity_conflict ORDER BY id;
SELECT contact, reason FROM nurture.rejected_event;
UPDATE nurture.identity_kind SET blocked = blocked || '{kiosk-%}' WHERE kind = 'device';
SELECT tell('bert', NULL, '$alias', '{"to": "kiosk-3", "kind": "device"}', '2026-01-03 12:00');
CALL nurture.tick('2026-01-03 12:01');
SELECT reason FROM nurture.identity_conflict ORDER BY id DESC LIMIT 1;
SELECT nurture.resolve_conflict(2, 'keep'), nurture.resolve_conflict(1, 'merge');
CALL nurture.tick('2026-01-03 12:02');
SELECT id, status FROM nurture.identity_conflict WHERE id <= 2 ORDER BY id;
SELECT nurture.contact_of('c1'), nurture.contact_of('anna'), nurture.contact_of('bert');
SELECT nurture.resolve_conflict(1, 'merge');
SELECT nurture.resolve_conflict(3, 'perhaps');
SELECT nurture.merge('anna', 'c1');
SELECT nurture.unmerge('nobody');

-- The last merge first, then the one before.
SELECT nurture.unmerge('anna');
CALL nurture.tick('2026-01-03 12:03');
SELECT * FROM leads;
SELECT nurture.unmerge('c1');
CALL nurture.tick('2026-01-03 12:04');
SELECT * FROM leads;
SELECT * FROM nurture.verify();
SELECT * FROM nurture.verify(path => true);
-- And it can be connected anew.
SELECT tell('c1', 'anonymous', '$alias', '{"to": "anna"}', '2026-01-03 13:00');
CALL nurture.tick('2026-01-03 13:01');
SELECT * FROM leads;

-- What must not be sent to the one must not be sent to the other; lists and consent come along.
INSERT INTO nurture.list (name) VALUES ('vips');
INSERT INTO nurture.segment (name, condition) VALUES ('vip', 'on list ''vips''');
INSERT INTO nurture.list_member (list, contact, since) VALUES ('vips', 'd1', '2026-01-05 10:00');
SELECT tell('d1', 'anonymous', '$consent', '{"channel": "email", "purpose": "news", "state": "withdrawn"}', '2026-01-05 10:01'),
       tell('dora', NULL, '$consent', '{"channel": "email", "purpose": "news", "state": "granted"}', '2026-01-05 10:00'),
       tell('d1', 'anonymous', '$alias', '{"to": "dora"}', '2026-01-05 10:02');
CALL nurture.tick('2026-01-05 11:00');
SELECT contact, segments FROM leads WHERE contact IN ('d1', 'dora');
SELECT contact, channel, purpose, reason FROM nurture.suppression ORDER BY 1, 2, 3;

-- Who is quarantined merges with nobody.
INSERT INTO nurture.quarantine (contact, reason, tick) VALUES ('qa', 'made up', 1);
SELECT tell('q1', 'anonymous', '$alias', '{"to": "qa"}', '2026-01-06 10:00');
CALL nurture.tick('2026-01-06 11:00');
SELECT reason FROM nurture.identity_conflict ORDER BY id DESC LIMIT 1;

-- History connects, too.
INSERT INTO nurture.history (contact, kind, type, props, at, received_at) VALUES
    ('h1', 'anonymous', 'v', '{}', '2025-01-01', '2026-01-06 12:00'), ('h1', 'anonymous', '$alias', '{"to": "hans"}', '2025-01-02', '2026-01-06 12:00'),
    ('h1', 'anonymous', 'v', '{}', '2025-01-03', '2026-01-06 12:00');
CALL nurture.tick('2026-01-06 13:00');
SELECT * FROM leads WHERE contact IN ('h1', 'hans');
SELECT key, type, at FROM nurture.event WHERE contact = 'hans' ORDER BY tick, n;
SELECT * FROM nurture.verify();
SELECT * FROM nurture.verify(path => true);
-- While a backfill is under way: the first range has its past, the second was folded; merges within it and across.
INSERT INTO nurture.inbox (contact, kind, type, at, received_at)
SELECT 'a' || n, 'anonymous', 'w', t, t FROM generate_series(1000, 1150) n, (VALUES (timestamptz '2026-01-07 10:00'), ('2026-01-07 10:01')) t (t)
UNION ALL SELECT k, 'anonymous', 'w', t, t FROM unnest('{m1,m2,z1,z2}'::text[]) k, (VALUES (timestamptz '2026-01-07 10:00'), ('2026-01-07 10:01')) t (t);
CALL nurture.tick('2026-01-07 11:00');
SET nurture.backfill_contacts = 100;
CREATE OR REPLACE FUNCTION nurture._by_hand() RETURNS boolean LANGUAGE sql AS 'SELECT false';
INSERT INTO nurture.segment (name, condition) VALUES ('writer', 'count(w) >= 4');
CALL nurture.tick('2026-01-07 11:01');
SELECT nurture._backfill_step(), nurture._backfill_step(), nurture._backfill_step();
SELECT state, behind_key, upto_key FROM nurture.backfill ORDER BY from_tick DESC LIMIT 1;
SELECT tell('m1', 'anonymous', '$alias', '{"to": "a1000", "kind": "anonymous"}', '2026-01-07 11:02'),
       tell('a1001', 'anonymous', '$alias', '{"to": "z1", "kind": "anonymous"}', '2026-01-07 11:02'),
       tell('m2', 'anonymous', '$alias', '{"to": "z2", "kind": "anonymous"}', '2026-01-07 11:02'), tell('a1000', 'anonymous', 'w', '{}', '2026-01-07 11:03');
CALL nurture.tick('2026-01-07 11:04');
SELECT nurture.unmerge('m2');
CALL nurture.tick('2026-01-07 11:05');
SELECT contact FROM nurture._past_done ORDER BY 1;
SELECT nurture._backfill_step() FROM generate_series(1, 12) \g /dev/null
CALL nurture.tick('2026-01-07 11:06');
CALL nurture.tick('2026-01-07 11:07');
SELECT state FROM nurture.backfill ORDER BY from_tick DESC LIMIT 1;
SELECT contact FROM nurture.membership WHERE segment = 'writer' ORDER BY 1;
SELECT * FROM nurture.verify();
SELECT * FROM nurture.verify(path => true);
SELECT (SELECT count(*) FROM nurture._waiting) AS waiting, (SELECT count(*) FROM nurture._link) AS links, (SELECT count(*) FROM nurture._planned) AS planned,
       (SELECT count(*) FROM nurture._decided) AS decided, (SELECT count(*) FROM nurture._past_done) AS past;

-- Everybody's keys are nobody's business.
CREATE ROLE regress_nurture_nobody;
SET ROLE regress_nurture_nobody;
SELECT nurture.contact_of('c1');
SELECT count(*) FROM nurture.identity;
SELECT nurture.merge('a', 'b');
RESET ROLE;
DROP ROLE regress_nurture_nobody;
DROP VIEW leads;
