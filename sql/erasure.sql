-- Erasure: nothing of a person is left in any table of the catalogue; what others have stays as it was; who was erased stays out.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is the engine's: pg_temp.tick sets it
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
CREATE PROCEDURE pg_temp.tick(at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    WHILE (SELECT more FROM nurture._tick_batch(at)) LOOP
    END LOOP;
    COMMIT;
END $$;
CREATE PROCEDURE pg_temp.tell(contact text, type text, at timestamptz, props jsonb DEFAULT '{}', kind text DEFAULT NULL) LANGUAGE sql AS $$
    INSERT INTO nurture.inbox (contact, type, props, kind, at, received_at) VALUES (contact, type, props, kind, at, at)
$$;
-- Every table of the schema in which the text lies anywhere, also inside of a state.
CREATE FUNCTION pg_temp.holding(what text) RETURNS TABLE (relation text, rows bigint) LANGUAGE plpgsql AS $$
DECLARE
    place record;
BEGIN
    FOR place IN SELECT c.relname, coalesce(p.relname, c.relname)::text AS known FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
                 LEFT JOIN pg_class p ON p.oid = i.inhparent WHERE c.relnamespace = 'nurture'::regnamespace AND c.relkind = 'r' LOOP
        EXECUTE format('SELECT %L, count(*) FROM nurture.%I t WHERE strpos(t::text, $1) > 0 OR strpos(t::text, encode(convert_to($1, ''UTF8''), ''hex'')) > 0',
                       place.known, place.relname) INTO relation, rows USING what;
        IF rows > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;

INSERT INTO nurture.rule (name, definition) VALUES ('views', '+2 on v');
INSERT INTO nurture.segment (name, condition) VALUES ('reader', 'count(v) >= 2');
INSERT INTO nurture.policy (name, definition) VALUES ('cap', 'for email at most 9 per day');
INSERT INTO nurture.coupon_pool (name) VALUES ('gift');
INSERT INTO nurture.coupon (pool, code) SELECT 'gift', 'G' || n FROM generate_series(1, 9) n;
INSERT INTO nurture.list (name) VALUES ('vips');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('w', 'on go send email ''one'' with (name = name, code = coupon(''gift'')) send email ''two'' with (name = name) send push ''three'' with (name = name) wait 9 days send email ''four''');
CALL pg_temp.tick('2026-05-01 09:00');
-- zzmark-anna with her cookie; tom, who was taken for her and was told apart; ulla, who said she was her; vera, who has nothing to do with her.
CALL pg_temp.tell('zzmark-cookie', 'v', '2026-05-01 10:00', '{"page": "zzmark 1"}', 'anonymous');
CALL pg_temp.tell('zzmark-cookie', 'v', '2026-05-01 10:00:30', '{"page": "zzmark 2"}', 'anonymous');
CALL pg_temp.tell('zzmark-anna', '$identify', '2026-05-01 10:01', '{"name": "zzmark"}');
CALL pg_temp.tell('tom', 'v', '2026-05-01 10:02', '{}', 'anonymous');
CALL pg_temp.tell('ulla', '$identify', '2026-05-01 10:03', '{"name": "Ulla"}');
CALL pg_temp.tell('vera', 'v', '2026-05-01 10:03');
CALL pg_temp.tick('2026-05-01 10:04');
CALL pg_temp.tell('zzmark-cookie', '$alias', '2026-05-01 10:05', '{"to": "zzmark-anna"}', 'anonymous');
CALL pg_temp.tell('tom', '$alias', '2026-05-01 10:06', '{"to": "zzmark-anna"}', 'anonymous');
CALL pg_temp.tell('ulla', '$alias', '2026-05-01 10:07', '{"to": "zzmark-anna"}');
CALL pg_temp.tell('tom', 'v', '2026-05-01 10:08', '{}', 'anonymous');
CALL pg_temp.tell('zzmark-anna', 'go', '2026-05-01 10:09');
CALL pg_temp.tell('vera', 'go', '2026-05-01 10:09');
CALL pg_temp.tell('zzmark-anna', NULL, '2026-05-01 10:10', '{"secret": "zzmark"}');
INSERT INTO nurture.list_member (list, contact, since) VALUES ('vips', 'zzmark-anna', '2026-05-01 10:11'), ('vips', 'vera', '2026-05-01 10:11');
SELECT nurture.grant_consent('zzmark-anna', 'email', source => 'zzmark form');
SELECT nurture.withdraw_consent('zzmark-anna', 'sms');
SELECT nurture.request_opt_in('zzmark-anna', 'push', source => 'zzmark form') IS NOT NULL AS asked;
CALL pg_temp.tick('2026-05-01 10:12');
SELECT nurture.unmerge('tom');
CALL pg_temp.tick('2026-05-01 10:13');
CALL pg_temp.tell('tom', 'v', '2026-05-01 10:14', '{}', 'anonymous');
CALL pg_temp.tick('2026-05-01 10:15');
SELECT template, status FROM nurture.action WHERE contact = 'zzmark-anna' ORDER BY template;
-- One is done, one is in a sender's hands, one waits.
SELECT nurture.complete(ARRAY(SELECT c.receipt FROM nurture.claim('email') c WHERE c.template = 'two'));
CREATE TEMP TABLE held AS SELECT a.receipt FROM nurture.action a WHERE a.contact = 'zzmark-anna' AND a.status = 'claimed';
CALL pg_temp.tick('2026-05-01 10:16');
SELECT template, status, payload -> 'code' IS NOT NULL AS code FROM nurture.action WHERE contact = 'zzmark-anna' ORDER BY template;
SELECT contact_key, what FROM nurture.verify(path => true);
CREATE TEMP TABLE of_others AS
SELECT c.contact, nurture.describe(c.contact) - 'model' AS described, l.score, l.segments FROM nurture.contact c JOIN nurture.lead l USING (contact) WHERE c.contact NOT LIKE 'zzmark%';

-- Whatever table can hold a key, or what was said of a person, holds it now; and nothing of it afterwards.
BEGIN;
SELECT nurture._keep_base(ARRAY['zzmark-anna']);
INSERT INTO nurture.consent_proof SELECT * FROM nurture.event_log WHERE type = '$consent';
INSERT INTO nurture.quarantine (contact, reason, tick) VALUES ('zzmark-anna', 'made up', 1);
INSERT INTO nurture.quarantined_message (of_contact, contact, type, source) VALUES ('zzmark-anna', 'zzmark-cookie', 'v', 'inbox');
INSERT INTO nurture.inbox (contact, type) VALUES ('zzmark-cookie', 'v'), ('vera', 'v');
SELECT nurture.merge('zzmark-anna', 'ulla'), nurture.merge('vera', 'ulla');
INSERT INTO nurture.history (contact, type) VALUES ('zzmark-anna', 'v'), ('vera', 'v');
INSERT INTO nurture._inbox_restored (contact, type) VALUES ('zzmark-anna', 'v'), ('vera', 'v');
INSERT INTO nurture._waiting (contact, type, history, place) VALUES ('zzmark-anna', 'v', false, 1), ('vera', 'v', false, 1);
INSERT INTO nurture._waiting (contact, type, props, history, place)
SELECT 'tom', '$split', jsonb_build_object('contact', 'zzmark-anna', 'key', 'zzmark-cookie', 'state', c.state::text), false, 1 FROM nurture.contact c WHERE c.contact = 'tom';
INSERT INTO nurture._past_done VALUES (999, 'zzmark-anna'), (999, 'vera');
INSERT INTO nurture._past_of VALUES ('zzmark-anna', 'zzmark');
INSERT INTO nurture.backfill (from_tick, state, behind_key, upto_key) VALUES (999, 'done', 'zzmark-anna', 'zzmark-cookie');
INSERT INTO nurture._past_range VALUES (999, 'zzmark-anna');
INSERT INTO nurture.migration (position, step, version, behind_key) VALUES (99, 'states', '0.2', 'zzmark-anna');
INSERT INTO nurture._retention_job (name, behind_key) VALUES ('x', 'zzmark-anna');
UPDATE nurture.model SET adopted_to = 'zzmark-anna';
INSERT INTO nurture.action_cancel (id, contact) SELECT a.id, 'zzmark-anna' FROM nurture.action a WHERE a.template = 'three';
CREATE TEMP TABLE held_it ON COMMIT DROP AS SELECT h.relation, sum(h.rows) AS rows FROM pg_temp.holding('zzmark') h GROUP BY h.relation;
SELECT relation FROM held_it ORDER BY relation;
-- Those that could and do not hold it: of the batch at hand (empty between ticks), of definitions, of those who work here, of the engine.
SELECT string_agg(t.relname, ' ' ORDER BY t.relname) AS holds_nobody
FROM (SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relnamespace = 'nurture'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND (a.attname ~ 'contact|key|winner|loser|props|payload|message' OR a.atttypid IN ('jsonb'::regtype, 'nurture.profile'::regtype, 'bytea'::regtype))) t
WHERE t.relname NOT IN (SELECT h.relation FROM held_it h);
-- All of it can be handed out, save how far somebody has come and what is about to be made of it.
SELECT string_agg(h.relation, ' ' ORDER BY h.relation) AS not_exported
FROM held_it h CROSS JOIN (SELECT nurture.export_contact('zzmark-cookie')) e (exported) WHERE NOT e.exported ? ltrim(h.relation, '_');
SELECT nurture.erase('zzmark-cookie', 'asked to be forgotten') AS certificate \gset
SELECT :'certificate'::jsonb - 'at' - 'rows' AS certificate;
-- What it counts is what held it, but for the marks of how far somebody has come.
SELECT relation, h.rows AS held, c.rows AS counted FROM held_it h FULL JOIN (SELECT key, value::int FROM jsonb_each_text(:'certificate'::jsonb -> 'rows')) c (relation, rows) USING (relation)
WHERE h.rows IS DISTINCT FROM c.rows ORDER BY relation;
SELECT * FROM pg_temp.holding('zzmark');
SELECT (SELECT count(*) FROM nurture.inbox) AS inbox, (SELECT count(*) FROM nurture.history) AS history, (SELECT count(*) FROM nurture._inbox_restored) AS restored,
       (SELECT string_agg(contact || ' ' || type, ', ' ORDER BY contact) FROM nurture._waiting) AS waiting, (SELECT string_agg(contact, ' ') FROM nurture._past_done) AS past_done,
       (SELECT behind_key || ' ' || upto_key FROM nurture.backfill WHERE from_tick = 999) AS bookmarks,
       (SELECT count(*) FROM nurture._decided) AS decided;
ROLLBACK;

-- The same without what was put there by hand: what others have is as it was, and can be recomputed.
SELECT jsonb_pretty(nurture.erase('zzmark-anna', 'asked to be forgotten') - 'at') AS certificate;
SELECT * FROM pg_temp.holding('zzmark');
SELECT count(*) AS others, count(*) FILTER (WHERE nurture.describe(o.contact) - 'model' IS DISTINCT FROM o.described OR l.score IS DISTINCT FROM o.score OR l.segments IS DISTINCT FROM o.segments) AS changed
FROM of_others o LEFT JOIN nurture.lead l USING (contact);
SELECT contact_key, what FROM nurture.verify();
SELECT contact_key, what FROM nurture.verify(path => true);
SELECT key, type FROM nurture.event WHERE contact = 'tom' ORDER BY tick, n;
SELECT contact, template, status, payload, reason FROM nurture.action ORDER BY contact, template;
SELECT code, contact, action IS NOT NULL AS by_action FROM nurture.coupon WHERE contact IS NOT NULL ORDER BY code;
SELECT id, by = session_user AS by_me, reason, anonymised, withdrawn, in_flight FROM nurture.erasure;
-- What a sender has in its hands is completed, and nobody is told; what comes to nothing is cancelled.
SELECT nurture.complete(ARRAY(SELECT receipt FROM held LIMIT 1)) AS completed;
CALL pg_temp.tick('2026-05-01 10:20');
SELECT nurture._outbox_maintain() IS NOT NULL AS maintained;
SELECT template, status, reason FROM nurture.action WHERE contact = '' ORDER BY template;
SELECT count(*) AS told FROM nurture.inbox;
SELECT contact FROM nurture.contact ORDER BY contact;
-- Tom goes on.
CALL pg_temp.tell('tom', 'v', '2026-05-01 10:21', '{}', 'anonymous');
CALL pg_temp.tick('2026-05-01 10:22');
SELECT contact, score FROM nurture.lead ORDER BY contact;
SELECT contact_key, what FROM nurture.verify(path => true);

-- Who was erased stays out, whichever way it is told, and nothing of what is told is kept; visibly.
CALL pg_temp.tell('zzmark-anna', 'v', '2026-05-01 11:00', '{"page": "zzmark"}');
CALL pg_temp.tell('zzmark-cookie', '$identify', '2026-05-01 11:01', '{"name": "zzmark"}', 'anonymous');
CALL pg_temp.tell('zzmark-anna', '$bounce', '2026-05-01 11:02', '{"kind": "hard"}');
CALL pg_temp.tell('zzmark-anna', NULL, '2026-05-01 11:03', '{"page": "zzmark"}');
CALL pg_temp.tell('ulla', '$alias', '2026-05-01 11:04', '{"to": "zzmark-anna"}');
CALL pg_temp.tell('ulla', '$identify', '2026-05-01 11:05', '{"city": "Ulm", "$keys": {"email": "zzmark-anna"}}');
CALL pg_temp.tell('ulla', 'v', '2026-05-01 11:06');
INSERT INTO nurture.history (contact, type, at, received_at) VALUES ('zzmark-anna', 'v', '2025-05-01', '2026-05-01 11:00');
SELECT count(*) AS suppressed FROM nurture.suppression WHERE contact LIKE 'zzmark%';
CALL pg_temp.tick('2026-05-01 11:10');
SELECT contact, type, props, source, reason FROM nurture.rejected_event ORDER BY id;
SELECT contact, score, attributes FROM nurture.lead ORDER BY contact;
SELECT * FROM pg_temp.holding('zzmark');
SELECT nurture.retry_rejected(ARRAY(SELECT id FROM nurture.rejected_event WHERE contact = 'ulla' AND type = '$identify')) AS retried;
CALL pg_temp.tick('2026-05-01 11:11');
SELECT attributes FROM nurture.lead WHERE contact = 'ulla';
SELECT nurture.grant_consent('zzmark-anna', 'email');
SELECT nurture.request_opt_in('zzmark-anna', 'email');
SELECT nurture.set_preferences('zzmark-anna', ARRAY['news']);
SELECT nurture.suppress('zzmark-anna', 'email');
SELECT nurture.merge('ulla', 'zzmark-anna');
INSERT INTO nurture.list_member (list, contact) VALUES ('vips', 'zzmark-anna');
-- Until they are allowed again.
SELECT nurture.allow_again('zzmark-anna'), nurture.allow_again('zzmark-anna') AS twice, nurture.allow_again('vera') AS never;
CALL pg_temp.tell('zzmark-anna', 'v', '2026-05-01 12:00');
CALL pg_temp.tell('zzmark-cookie', 'v', '2026-05-01 12:00', '{}', 'anonymous');
CALL pg_temp.tick('2026-05-01 12:01');
SELECT contact, score, attributes FROM nurture.lead WHERE contact LIKE 'zzmark%';
-- The hash is HMAC-SHA-256 under the secret.
SELECT nurture.erasure_hash('zzmark-cookie') = nurture._hmac_sha256(decode(string_agg(lpad(to_hex(get_byte(s.inner_pad, i) # 54), 2, '0'), '' ORDER BY i), 'hex'), 'zzmark-cookie') AS hmac,
       nurture.erasure_hash('zzmark-cookie') IN (SELECT unnest(e.key_hashes) FROM nurture.erasure e) AS of_hers
FROM nurture.erasure_secret s, generate_series(0, 63) i GROUP BY s.only_row;
-- Nothing is known: a certificate, and the block, all the same.
SELECT nurture.erase('zznobody') - 'at';
CALL pg_temp.tell('zznobody', 'v', '2026-05-01 12:02');
CALL pg_temp.tick('2026-05-01 12:03');
SELECT count(*) AS known FROM pg_temp.holding('zznobody');
SELECT nurture.erase('');
SELECT nurture.erase(repeat('x', 600));
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT nurture.erase('vera');
ROLLBACK;

-- Many at once, of a batch of whom some are through a merge; while a backfill has come half way.
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT 'yy' || n, t.type, jsonb_build_object('name', 'yy' || n), t.at, t.at
FROM generate_series(1, 600) n, (VALUES ('$identify', timestamptz '2026-05-02 10:00'), ('v', '2026-05-02 10:01'), ('v', '2026-05-02 10:02'), ('go', '2026-05-02 10:03')) t (type, at);
INSERT INTO nurture.inbox (contact, kind, type, props, at, received_at)
SELECT 'yycookie' || n, 'anonymous', '$alias', jsonb_build_object('to', 'yy' || n), '2026-05-02 10:04', '2026-05-02 10:04' FROM generate_series(1, 600, 10) n;
CALL pg_temp.tick('2026-05-02 10:05');
SET nurture.backfill_contacts = 300;
CREATE OR REPLACE FUNCTION nurture._by_hand() RETURNS boolean LANGUAGE sql AS 'SELECT false';
INSERT INTO nurture.segment (name, condition) VALUES ('goers', 'count(go) >= 1');
CALL pg_temp.tick('2026-05-02 10:06');
SELECT nurture._backfill_step(), nurture._backfill_step(), nurture._backfill_step();
SELECT state FROM nurture.backfill ORDER BY from_tick DESC LIMIT 1;
SELECT count(e) AS erased, sum((e ->> 'withdrawn')::int) AS withdrawn, sum((e -> 'rows' ->> 'event_log')::int) AS events, sum((e ->> 'keys')::int) AS keys
FROM (SELECT nurture.erase('yy' || n) AS e FROM generate_series(1, 500) n OFFSET 0) t;
SELECT count(*) AS left_of_them FROM nurture.event WHERE contact ~ '^yy';
SELECT sum(h.rows) AS rows_of_the_erased FROM pg_temp.holding('yy321') h;
SELECT nurture._backfill_step() FROM generate_series(1, 12) \g /dev/null
CALL pg_temp.tick('2026-05-02 10:07');
CALL pg_temp.tick('2026-05-02 10:08');
SELECT state FROM nurture.backfill ORDER BY from_tick DESC LIMIT 1;
SELECT count(*) AS goers FROM nurture.membership WHERE segment = 'goers';
SELECT sum(h.rows) AS rows_of_the_erased FROM pg_temp.holding('yy321') h;
SELECT contact_key, what FROM nurture.verify();
SELECT contact_key, what FROM nurture.verify(path => true);

-- Anonymised: what statistics count stays, under one random key; nothing of what was said, and nothing leads there.
SELECT nurture.complete(ARRAY(SELECT c.receipt FROM nurture.claim('email', 1) c)) \g /dev/null
CREATE TEMP VIEW statistics AS
SELECT 'event' AS what, l.type AS name, count(*) FROM nurture.event_log l WHERE l.type NOT LIKE '$alias' GROUP BY 2
UNION ALL SELECT 'transition', t.kind || ' ' || t.name, count(*) FROM nurture.transition t WHERE t.cause <> 'erased' GROUP BY 2
UNION ALL SELECT 'action', a.template, count(*) FROM nurture.action a GROUP BY 2;
CREATE TEMP TABLE before AS SELECT * FROM statistics;
SELECT jsonb_pretty(nurture.erase('yy501', anonymise => true) - 'at' - 'erasure') AS certificate;
SELECT s.*, b.count AS before FROM statistics s FULL JOIN before b USING (what, name) WHERE s.count IS DISTINCT FROM b.count;
SELECT * FROM pg_temp.holding('yy501');
SELECT t.at, t.kind, t.name, t.cause, t.detail FROM nurture.transition t JOIN nurture.event_log l ON l.contact = t.contact AND l.type = 'go'
WHERE length(t.contact) = 36 ORDER BY t.at, t.n;
SELECT count(DISTINCT contact) AS names, count(*) FILTER (WHERE props <> '{}' OR message_id IS NOT NULL OR key <> contact) AS said FROM nurture.event_log WHERE length(contact) = 36;
SELECT template, status, payload, reason FROM nurture.action WHERE length(contact) = 36 ORDER BY template;
SELECT contact_key, what FROM nurture.verify(path => true);

-- Who may: nobody but who was told.
\set VERBOSITY terse
-- Others who were merged with each other while the contact was one of them: what is kept of those merges knows nothing of him either.
CALL pg_temp.tick('2026-05-03 08:00');
CALL pg_temp.tell('xxmark-b', '$identify', '2026-05-03 09:00', '{"name": "xxmark"}', 'anonymous');
CALL pg_temp.tell('xxmark-b', 'v', '2026-05-03 09:00', '{}', 'anonymous');
CALL pg_temp.tell('lisa', 'v', '2026-05-03 09:00', '{}', 'anonymous');
CALL pg_temp.tell('walter', 'v', '2026-05-03 09:00');
CALL pg_temp.tell('xxmark-c', '$identify', '2026-05-03 09:00', '{"name": "xxmark"}', 'anonymous');
CALL pg_temp.tell('lora', 'v', '2026-05-03 09:00', '{}', 'anonymous');
CALL pg_temp.tell('wendy', 'v', '2026-05-03 09:00');
CALL pg_temp.tick('2026-05-03 09:01');
CALL pg_temp.tell('xxmark-b', '$alias', '2026-05-03 09:02', '{"to": "walter"}', 'anonymous');
CALL pg_temp.tell('xxmark-c', '$alias', '2026-05-03 09:02', '{"to": "lora"}', 'anonymous');
CALL pg_temp.tick('2026-05-03 09:03');
CALL pg_temp.tell('lisa', '$alias', '2026-05-03 09:04', '{"to": "walter"}', 'anonymous');
CALL pg_temp.tell('lora', '$alias', '2026-05-03 09:04', '{"to": "wendy"}', 'anonymous');
CALL pg_temp.tick('2026-05-03 09:05');
SELECT nurture.unmerge('xxmark-b');
SELECT nurture.unmerge('lora');
CALL pg_temp.tick('2026-05-03 09:06');
SELECT nurture.unmerge('xxmark-c');
CALL pg_temp.tick('2026-05-03 09:07');
SELECT key, contact FROM nurture.identity WHERE key ~ '^(xxmark|lisa|lora)' ORDER BY 1;
SELECT nurture.erase('xxmark-b') -> 'rows' ->> 'merge_log' AS merges;
SELECT nurture.erase('xxmark-c') -> 'rows' ->> 'merge_log' AS merges;
SELECT * FROM pg_temp.holding('xxmark');
CALL pg_temp.tell('walter', 'v', '2026-05-03 09:08');
CALL pg_temp.tell('wendy', 'v', '2026-05-03 09:08');
CALL pg_temp.tell('lora', 'v', '2026-05-03 09:08', '{}', 'anonymous');
CALL pg_temp.tick('2026-05-03 09:09');
SELECT contact_key, what FROM nurture.verify();
SELECT contact_key, what FROM nurture.verify(path => true);
CREATE ROLE regress_officer;
SET ROLE regress_officer;
SELECT nurture.erase('vera');
SELECT nurture.export_contact('vera');
SELECT nurture.allow_again('vera');
SELECT nurture.erasure_hash('vera');
SELECT count(*) FROM nurture.erasure;
RESET ROLE;
GRANT EXECUTE ON FUNCTION nurture.erase(text, text, boolean), nurture.export_contact(text), nurture.allow_again(text), nurture.erasure_hash(text) TO regress_officer;
GRANT SELECT ON nurture.erasure TO regress_officer;
SET ROLE regress_officer;
SELECT nurture.export_contact('vera') -> 'lead' ->> 'score' AS score;
SELECT nurture.erase('vera') -> 'rows' ->> 'contact' AS contacts;
SELECT nurture.allow_again('vera');
RESET ROLE;
DROP OWNED BY regress_officer;
DROP ROLE regress_officer;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
