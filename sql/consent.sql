-- Consent: what is said, what holds, what is bound at once, double opt-in, preferences, who may.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
SET nurture.history_from = '2026-01-01';
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;

-- HMAC-SHA-256: RFC 4231, test cases 1, 2 and 6 (a key longer than a block).
SELECT nurture._hmac_sha256(decode(repeat('0b', 20), 'hex'), 'Hi There')
           = '\xb0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7' AS case_1,
       nurture._hmac_sha256('Jefe', 'what do ya want for nothing?')
           = '\x5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843' AS case_2,
       nurture._hmac_sha256(decode(repeat('aa', 131), 'hex'), 'Test Using Larger Than Block-Size Key - Hash Key First')
           = '\x60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54' AS case_6;

INSERT INTO nurture.segment (name, condition) VALUES
    ('reachable', 'consent(email, news)'),
    ('runs out', 'consent(email, news) expires within next 14 days'),
    ('lost', 'consent(email, news) in (''withdrawn'', ''expired'')'),
    ('never asked', 'consent(email, news) = ''never asked''');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('renew', 'on entering segment ''runs out'' re-enter always send email ''renew'' for news as transactional');
INSERT INTO nurture.segment (name, condition) VALUES ('wrong', 'consent(email) = ''yes''');
INSERT INTO nurture.segment (name, condition) VALUES ('wrong', 'consent(email, news expires');
CALL nurture.tick('2026-01-01');

-- Said by functions, by events, in any order of arrival.
SELECT nurture.grant_consent('anna', 'email', 'news', expires => '2026-06-01', text_version => 'v1', source => 'form', ip => '192.0.2.7', at => '2026-01-01');
SELECT nurture.deny_consent('anna', 'sms', source => 'form', at => '2026-01-01');
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('bert', '$consent', '{"channel": "email", "state": "granted", "basis": "contract", "expires": "1 month"}', '2026-01-01', '2026-01-01'),
    ('bert', '$consent', '{"channel": "email", "purpose": "news", "state": "withdrawn", "source": "link"}', '2026-01-03', '2026-01-03'),
    ('bert', '$consent', '{"channel": "email", "purpose": "news", "state": "granted"}', '2026-01-02', '2026-01-04'), -- late: undoes nothing newer
    ('carl', '$consent', '{"state": "withdrawn"}', '2026-01-01', '2026-01-01'),
    ('carl', '$consent', '{"channel": "sms", "state": "granted"}', '2026-01-05', '2026-01-05'),
    ('dora', 'visit', '{}', '2026-01-01', '2026-01-01');
INSERT INTO nurture.history (contact, type, props, at, received_at) VALUES
    ('emil', '$consent', '{"channel": "email", "purpose": "news", "state": "denied"}', '2025-01-01', '2026-01-01');
CALL nurture.tick('2026-01-10');
SELECT * FROM nurture.consent ORDER BY contact, channel NULLS FIRST, purpose NULLS FIRST;
SELECT segment, contact, since FROM nurture.membership ORDER BY segment, contact;
SELECT contact, at, name, cause, detail FROM nurture.transition WHERE kind = 'consent changed' ORDER BY contact, tick, n;
SELECT contact, channel, purpose, state, at, expires, basis, text, source, ip_hash = nurture.ip_hash('192.0.2.7') AS same_address, key
FROM nurture.consent_history ORDER BY contact, received_at, at, channel;
SELECT nurture.ip_hash('192.0.2.7') <> nurture.ip_hash('192.0.2.8') AS differs, length(nurture.ip_hash('2001:db8::1'));

-- Time: exact, and the reminder goes out two weeks before.
CALL nurture.tick('2026-05-17 23:59:59.999999');
SELECT contact, template, due FROM nurture.action;
CALL nurture.tick('2026-05-31 23:59:59.999999');
SELECT status FROM nurture.consent WHERE contact = 'anna' AND channel = 'email';
SELECT contact, template, due FROM nurture.action;
CALL nurture.tick('2026-06-01');
SELECT contact, channel, purpose, status, since, expires FROM nurture.consent WHERE status = 'expired' ORDER BY contact;
SELECT contact, at, kind, name, cause, detail FROM nurture.transition WHERE at > '2026-01-10' ORDER BY contact, tick, n;
SELECT * FROM nurture.verify(path => true);

-- What is malformed is set aside with the reason; what a function can see is said at once.
INSERT INTO nurture.inbox (contact, type, props, at, received_at) SELECT 'zoe', '$consent', p::jsonb, '2026-06-02', '2026-06-02'
FROM unnest(ARRAY['{}', '{"state": "yes"}', '{"state": "granted", "channel": 5}', '{"state": "granted", "purpose": ""}',
    '{"state": "granted", "expires": "soon"}', '{"state": "denied", "channel": "fax", "source": 5}']) p;
CALL nurture.tick('2026-06-03');
SELECT props, reason FROM nurture.rejected_event ORDER BY props::text;
SELECT nurture.grant_consent('', 'email');
SELECT nurture.grant_consent('dora', '');
SELECT nurture.grant_consent('dora', 'email', repeat('x', 513));
SELECT nurture.grant_consent('dora', 'email', expires => '2026-06-02');
SELECT nurture.withdraw_consent('dora', 'email', at => '2027-01-01');

-- What binds at once, and when it ends.
SELECT contact, channel, purpose, reason, since, transactional, source FROM nurture.suppression ORDER BY 1, 2, 3, 5;
-- A message of the channel and purpose to the contact, marketing or transactional: what suppresses it?
CREATE FUNCTION suppressed(contact text, channel text, purpose text, transactional boolean, at timestamptz) RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(DISTINCT s.reason, ', '), '-') FROM nurture.suppression s
WHERE s.contact = suppressed.contact AND nurture._suppresses(s, suppressed.channel, suppressed.purpose, suppressed.transactional, suppressed.at)
$$;
SELECT c.contact, suppressed(c.contact, 'email', 'news', false, '2026-06-03') AS email_news, suppressed(c.contact, 'email', NULL, false, '2026-06-03') AS email,
       suppressed(c.contact, 'sms', 'news', false, '2026-06-03') AS sms_news, suppressed(c.contact, 'email', 'news', true, '2026-06-03') AS transactional
FROM unnest('{anna,bert,carl,dora,emil}'::text[]) c (contact);
-- Before any tick has seen it; of messages that say nothing; and not of a grant.
BEGIN;
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('dora', '$consent', '{"channel": "email", "state": "withdrawn"}', '2026-06-04', '2026-06-04'),
    ('dora', '$bounce', '{"kind": "soft"}', '2026-06-04', '2026-06-04'), ('dora', '$bounce', '[]', '2026-06-04', '2026-06-04'),
    ('fred', '$bounce', '{"kind": "hard"}', '2026-06-04', '2026-06-04'), ('gina', '$complaint', '{"channel": "sms"}', '2026-06-04', '2026-06-04'),
    (NULL, '$consent', '{"state": "withdrawn"}', '2026-06-04', '2026-06-04'), ('dora', '$consent', NULL, 'infinity', NULL),
    ('anna', '$consent', '{"channel": "sms", "purpose": "news", "state": "granted"}', '2026-06-04', '2026-06-04');
SELECT contact, channel, purpose, reason, since, transactional FROM nurture.suppression WHERE contact IN ('dora', 'fred', 'gina') ORDER BY 1;
SELECT suppressed('dora', 'email', 'news', false, '2026-06-04'), suppressed('dora', 'sms', 'news', false, '2026-06-04'),
       suppressed('fred', 'email', 'news', true, '2026-06-04'), suppressed('anna', 'sms', 'news', false, '2026-06-04');
COMMIT;
-- The grant overcomes the wider refusal for its purpose only: the row stays for the others, and for this one it does not bind.
CALL nurture.tick('2026-06-05');
SELECT suppressed('anna', 'sms', 'news', false, '2026-06-05') AS news, suppressed('anna', 'sms', 'offers', false, '2026-06-05') AS offers;
-- Granted again for everything that was refused: the row goes. Late or narrower grants, and refusals at the same moment, do not do that.
SELECT count(*) FROM nurture.suppression WHERE contact = 'dora';
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('dora', '$consent', '{"channel": "email", "state": "granted"}', '2026-06-04', '2026-06-06'),
    ('dora', '$consent', '{"channel": "email", "purpose": "news", "state": "granted"}', '2026-06-06', '2026-06-06');
CALL nurture.tick('2026-06-07');
SELECT suppressed('dora', 'email', 'news', false, '2026-06-07') AS news, suppressed('dora', 'email', 'offers', false, '2026-06-07') AS offers;
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('dora', '$consent', '{"channel": "email", "state": "granted"}', '2026-06-08', '2026-06-08');
CALL nurture.tick('2026-06-09');
SELECT count(*) FROM nurture.suppression WHERE contact = 'dora';
SELECT count(nurture.withdraw_consent('dora', 'email', at => '2026-06-08 12:00')), count(nurture.withdraw_consent('dora', 'email', at => '2026-06-09')) FROM generate_series(1, 3);
CALL nurture.tick('2026-06-11');
SELECT since, count(*) FROM nurture.suppression WHERE contact = 'dora' GROUP BY 1;
-- By hand.
SELECT nurture.suppress('hugo', 'email', reason => 'legal hold', until => '2026-07-01', source => 'legal'), nurture.suppress('hugo');
SELECT suppressed('hugo', 'email', 'news', true, '2026-06-30'), suppressed('hugo', 'email', NULL, true, '2026-07-01'), suppressed('hugo', 'post', 'x', false, '2026-06-11');
SELECT nurture.unsuppress('hugo'), nurture.unsuppress('fred', 'email', reason => 'bounce'), nurture.unsuppress('fred', 'email', reason => 'bounce');
SELECT nurture.unsuppress('dora', 'email', reason => 'withdrawn');
SELECT nurture.suppress('dora', 'email', reason => 'denied');

-- Against an oracle: 150 contacts who said ten things each, at few moments, in any order.
CREATE FUNCTION h(a int, b int, salt int) RETURNS int LANGUAGE sql AS $$ SELECT abs(hashint8extended(a * 1000 + b, salt) % 1000)::int $$;
CREATE TABLE said AS
SELECT 'r' || c AS contact, (ARRAY[NULL, 'email', 'sms'])[1 + (h(c, n, 1) % 3)] AS channel, (ARRAY[NULL, 'news', 'offers'])[1 + (h(c, n, 2) % 3)] AS purpose,
       (ARRAY['granted', 'granted', 'granted', 'withdrawn', 'denied'])[1 + (h(c, n, 3) % 5)] AS state,
       timestamptz '2026-06-12' + (h(c, n, 4) % 8) * interval '1 hour' AS at, CASE WHEN h(c, n, 5) % 3 = 0 THEN 1 + h(c, n, 6) % 20 END AS hours, n
FROM generate_series(1, 150) c, generate_series(1, 10) n;
CREATE INDEX ON said (contact);
ANALYZE said;
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT contact, '$consent', jsonb_strip_nulls(jsonb_build_object('channel', channel, 'purpose', purpose, 'state', state,
           'expires', CASE WHEN state = 'granted' THEN hours || ' hours' END)), at, timestamptz '2026-06-13' + n * interval '1 minute' FROM said;
CREATE TABLE asked AS
SELECT c.contact, h.channel, u.purpose FROM (SELECT DISTINCT contact FROM said) c, (VALUES ('email'), ('sms'), ('post')) h (channel), (VALUES (NULL), ('news'), ('offers'), ('gifts')) u (purpose);
-- Refused before the tick: by rows alone, any refusal that covers the message.
SELECT count(*) AS asked, count(*) FILTER (WHERE refused) AS refused, count(*) FILTER (WHERE refused <> (bound <> '-')) AS wrong
FROM (SELECT suppressed(a.contact, a.channel, a.purpose, false, '2026-06-13') AS bound,
             EXISTS (SELECT FROM said r WHERE r.contact = a.contact AND r.state <> 'granted' AND coalesce(r.channel, a.channel) = a.channel
                     AND (r.purpose IS NULL OR r.purpose = a.purpose)) AS refused
      FROM asked a) x;
CALL nurture.tick('2026-06-14');
-- A grant stands when it is the newest of its channel and purpose and nothing that was ever refused beats it.
CREATE VIEW standing AS
SELECT a.*, (SELECT max(CASE WHEN g.hours IS NULL THEN timestamptz 'infinity' ELSE g.at + g.hours * interval '1 hour' END)
             FROM said g
             WHERE g.contact = a.contact AND g.state = 'granted' AND coalesce(g.channel, a.channel) = a.channel AND (g.purpose IS NULL OR g.purpose = a.purpose)
               AND NOT EXISTS (SELECT FROM said n WHERE n.contact = g.contact AND n.state = 'granted' AND (n.at, n.n) > (g.at, g.n)
                               AND n.channel IS NOT DISTINCT FROM g.channel AND n.purpose IS NOT DISTINCT FROM g.purpose)
               AND NOT EXISTS (SELECT FROM said r WHERE r.contact = g.contact AND r.state <> 'granted'
                               AND coalesce(r.channel, a.channel) = a.channel AND (r.purpose IS NULL OR r.purpose = a.purpose)
                               AND (r.at >= g.at OR (g.channel IS NULL OR g.channel IS NOT DISTINCT FROM r.channel) AND (g.purpose IS NULL OR g.purpose IS NOT DISTINCT FROM r.purpose)
                                                    AND (g.channel, g.purpose) IS DISTINCT FROM (r.channel, r.purpose)))) AS until,
       EXISTS (SELECT FROM said r WHERE r.contact = a.contact AND r.state <> 'granted' AND coalesce(r.channel, a.channel) = a.channel
               AND (r.purpose IS NULL OR r.purpose = a.purpose)) AS refused
FROM asked a;
SELECT m.at, count(*) FILTER (WHERE s.until > m.at) AS granted, count(*) FILTER (WHERE s.until IS NULL AND s.refused) AS refused,
       count(*) FILTER (WHERE (s.until > m.at) IS TRUE <> (nurture._consent_status(c.state, s.channel, s.purpose, m.at) = 'granted')) AS wrong_granted,
       count(*) FILTER (WHERE (s.until <= m.at) IS TRUE <> (nurture._consent_status(c.state, s.channel, s.purpose, m.at) = 'expired')) AS wrong_expired,
       count(*) FILTER (WHERE (s.until IS NULL AND s.refused) <> (nurture._consent_status(c.state, s.channel, s.purpose, m.at) IN ('withdrawn', 'denied'))) AS wrong_refused,
       count(*) FILTER (WHERE (s.until IS NULL AND s.refused) <> (suppressed(s.contact, s.channel, s.purpose, false, m.at) <> '-')) AS wrong_suppressed
FROM (SELECT * FROM standing OFFSET 0) s JOIN nurture.contact c USING (contact), (VALUES (timestamptz '2026-06-14'), ('2026-06-12 10:00')) m (at)
GROUP BY 1 ORDER BY 1;
SELECT count(*) AS rows_that_say_the_same FROM (SELECT 1 FROM nurture.suppression WHERE contact LIKE 'r%' GROUP BY contact, channel, purpose HAVING count(*) > 1) x;
SELECT count(*) AS rows_that_bind_nothing FROM nurture.suppression s WHERE contact LIKE 'r%' AND NOT EXISTS (
    SELECT FROM (VALUES ('email'), ('sms'), ('post')) h (channel), (VALUES (NULL), ('news'), ('offers'), ('gifts')) u (purpose)
    WHERE suppressed(s.contact, h.channel, u.purpose, false, '2026-06-14') <> '-');
SELECT count(*) FROM nurture.verify();

-- Double opt-in.
CREATE TABLE token AS SELECT nurture.request_opt_in('ida', 'email', 'news', text_version => 'v2', source => 'footer', ip => '192.0.2.9') AS t;
SELECT length(t) AS letters, t ~ '^[A-Za-z0-9_-]+$' AS fit_for_links, (SELECT count(*) FROM nurture.opt_in o WHERE o::text LIKE '%' || t || '%') AS found_in_clear FROM token;
SELECT contact, channel, purpose, requested_at, expires, confirmed_at FROM nurture.opt_in;
CALL nurture.tick('2026-06-15');
SELECT status, expires FROM nurture.consent WHERE contact = 'ida';
SELECT c.* FROM token, nurture.confirm_opt_in(t, ip => '192.0.2.10') c;
CALL nurture.tick('2026-06-16');
SELECT status, since, text, source FROM nurture.consent WHERE contact = 'ida';
SELECT nurture.withdraw_consent('ida', at => '2026-06-16');
CALL nurture.tick('2026-06-17');
SELECT c.* FROM token, nurture.confirm_opt_in(t) c; -- the old link again: nothing happens
CALL nurture.tick('2026-06-18');
SELECT status, since FROM nurture.consent WHERE contact = 'ida' ORDER BY channel;
SELECT state, ip_hash = nurture.ip_hash('192.0.2.9') AS requested_from, ip_hash = nurture.ip_hash('192.0.2.10') AS confirmed_from, requested_at
FROM nurture.consent_history WHERE contact = 'ida' ORDER BY at;
SELECT nurture.confirm_opt_in('no such token');
SELECT nurture.confirm_opt_in(NULL);
SELECT nurture.request_opt_in('jack', 'email', valid_for => '0');
TRUNCATE token;
INSERT INTO token SELECT nurture.request_opt_in('jack', 'email', 'news', valid_for => '1 day');
CALL nurture.tick('2026-06-18 23:59:59');
SELECT status FROM nurture.consent WHERE contact = 'jack';
CALL nurture.tick('2026-06-19');
SELECT status FROM nurture.consent WHERE contact = 'jack';
SELECT c.* FROM token, nurture.confirm_opt_in(t) c;
CALL nurture.tick('2026-07-20');
SELECT count(*) AS tokens_kept FROM nurture.opt_in;
SELECT count(*) AS over_by_time FROM nurture.suppression WHERE until IS NOT NULL;

-- From the form to the first letter, by a workflow.
INSERT INTO nurture.workflow (name, definition) VALUES ('opt-in', $$
    on $consent where state = 'pending' and purpose = 'news'
    send email 'confirm' as transactional
    wait for consent(email, news) up to 3 days
      then send email 'welcome' for news
      else send email 'confirm again' as transactional
    end
$$);
CALL nurture.tick('2026-07-20 01:00');
TRUNCATE token;
INSERT INTO token SELECT nurture.request_opt_in('mary', 'email', 'news');
SELECT nurture.request_opt_in('nora', 'email', 'news') IS NOT NULL AS asked;
CALL nurture.tick('2026-07-20 02:00');
SELECT (nurture.confirm_opt_in(t)).contact FROM token;
CALL nurture.tick('2026-07-20 03:00');
CALL nurture.tick('2026-07-24');
SELECT contact, template, purpose, transactional, due FROM nurture.action WHERE workflow = 'opt-in' ORDER BY due, contact;
SELECT at, what, name, detail FROM nurture.timeline('mary') WHERE what = 'consent changed';

-- Preferences, and a pause.
SELECT nurture.set_preferences('kate', '{golf,sailing}', '{email}', 'weekly', pause_until => '2026-08-01');
SELECT suppressed('kate', 'email', 'news', false, '2026-07-31'), suppressed('kate', 'email', 'news', true, '2026-07-31'), suppressed('kate', 'email', 'news', false, '2026-08-01');
SELECT nurture.set_preferences('kate', topics => '{chess}');
SELECT nurture.set_preferences('kate', pause_until => 'infinity');
SELECT nurture.grant_consent('kate', 'email', at => '2026-07-20');
CALL nurture.tick('2026-07-25');
SELECT nurture.preference('kate');
SELECT nurture.preference('nobody');
SELECT nurture.set_preferences('kate', pause_until => '2026-07-25');
SELECT count(*) FROM nurture.suppression WHERE contact = 'kate';

-- Proof outlives the log.
INSERT INTO nurture.retention (kind, keep) VALUES ('event_log', '60 days');
CALL nurture.tick('2026-12-01');
CALL nurture.apply_retention();
SELECT count(*) FROM nurture.event_log WHERE at < '2026-06-01';
SELECT state, at, text FROM nurture.consent_history WHERE contact = 'anna' ORDER BY at, channel;
SELECT channel, purpose, status FROM nurture.consent WHERE contact = 'anna' ORDER BY 1, 2;
SELECT count(*) FROM nurture.verify();

-- Two who turn out to be one: what the one refused, the other has refused, until it is granted again.
INSERT INTO nurture.inbox (contact, kind, type, props, at, received_at) VALUES
    ('otto', NULL, '$consent', '{"channel": "email", "purpose": "news", "state": "granted"}', '2026-12-02', '2026-12-02'),
    ('cookie', 'anonymous', '$consent', '{"channel": "email", "purpose": "news", "state": "withdrawn"}', '2026-12-03', '2026-12-03');
CALL nurture.tick('2026-12-04');
CREATE FUNCTION suppressed_by_any_key(at timestamptz) RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(DISTINCT s.reason, ', '), '-') FROM nurture.suppression s
WHERE s.contact IN ('otto', 'cookie') AND nurture._suppresses(s, 'email', 'news', false, suppressed_by_any_key.at)
$$;
SELECT contact, status FROM nurture.consent WHERE contact IN ('otto', 'cookie') ORDER BY 1;
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('otto', '$alias', '{"to": "cookie", "kind": "anonymous"}', '2026-12-05', '2026-12-05');
CALL nurture.tick('2026-12-06');
SELECT contact, status, since FROM nurture.consent WHERE contact IN ('otto', 'cookie') ORDER BY 1;
SELECT contact, name, at, detail FROM nurture.transition WHERE kind = 'consent changed' AND contact IN ('otto', 'cookie') ORDER BY at, contact;
SELECT suppressed('otto', 'email', 'news', false, '2026-12-06');
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('cookie', '$bounce', '{"kind": "hard"}', '2026-12-07', '2026-12-07'),
    ('otto', '$consent', '{"channel": "email", "purpose": "news", "state": "granted"}', '2026-12-07', '2026-12-07');
CALL nurture.tick('2026-12-08');
SELECT suppressed_by_any_key('2026-12-08'), nurture.unsuppress('cookie', 'email', reason => 'bounce');
SELECT suppressed_by_any_key('2026-12-08');
SELECT contact, key, state FROM nurture.consent_history WHERE contact = 'otto' ORDER BY at;
SELECT count(*) FROM nurture.verify();

-- Who may: nobody; a role that was granted the functions, and these alone.
CREATE ROLE regress_form;
GRANT EXECUTE ON FUNCTION nurture.grant_consent(text, text, text, text, timestamptz, text, text, inet, timestamptz),
    nurture.withdraw_consent(text, text, text, text, inet, timestamptz), nurture.request_opt_in(text, text, text, interval, text, timestamptz, text, text, inet),
    nurture.confirm_opt_in(text, inet) TO regress_form;
GRANT SELECT ON nurture.consent TO regress_form;
SET ROLE regress_form;
SELECT nurture.grant_consent('lisa', 'email', 'news', ip => '192.0.2.1'), nurture.withdraw_consent('lisa', 'email', 'offers');
SELECT (nurture.confirm_opt_in(nurture.request_opt_in('lisa', 'sms'))).contact;
SELECT count(*) > 0 AS reads FROM nurture.consent;
SELECT nurture.deny_consent('lisa', 'email');
SELECT nurture.suppress('lisa');
SELECT nurture.ip_hash('192.0.2.1');
SELECT * FROM nurture.opt_in;
SELECT * FROM nurture.consent_key;
SELECT * FROM nurture.suppression;
SELECT * FROM nurture.consent_history;
INSERT INTO nurture.inbox (contact, type) VALUES ('lisa', 'x');
RESET ROLE;
DROP OWNED BY regress_form;
DROP ROLE regress_form;
