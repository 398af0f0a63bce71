-- Whole journeys on a simulated clock: what is sent when, what is cancelled, what comes back.
\i sql/include/simulated_clock.sql

INSERT INTO nurture.segment (name, condition) VALUES ('reader', 'stage = ''nudged''');
INSERT INTO nurture.workflow (name, definition) VALUES ('whitepaper', $$
  on form_submit where form = 'whitepaper'
  exit on purchase
  wait 1 hour
  send email 'invite' for newsletter with (name = name, no = nothing, discount = 10)
  wait for email_click where template = 'invite' up to 1 day then
    send email 'thanks' as transactional
  else
    set stage = 'nudged'
    if in segment 'reader' then send email 'nudge' else send email 'never' end
  end
  wait 2 days
  do 'webhook' with (url = 'https://example.com')
$$), ('reader', 'on entering segment ''reader'' re-enter always send sms ''reader''');
CALL pg_temp.tell('anna', '$identify', '2021-06-01 08:00', '{"name": "Anna"}');
CALL pg_temp.tell('anna', 'form_submit', '2021-06-01 09:00', '{"form": "contact"}');
CALL pg_temp.tell('anna', 'form_submit', '2021-06-01 10:00', '{"form": "whitepaper"}');
CALL pg_temp.tell('bert', 'form_submit', '2021-06-01 10:00', '{"form": "whitepaper"}');
CALL pg_temp.tell('carl', 'form_submit', '2021-06-01 10:00', '{"form": "whitepaper"}');
CALL pg_temp.tick('2021-06-01 10:30');
SELECT contact, due FROM nurture.contact ORDER BY 1;
SELECT count(*) AS actions FROM nurture.action;
CALL pg_temp.tick('2021-06-01 12:00');
SELECT contact, channel, template, purpose, payload, transactional, status, due, expires, workflow, version, journey, step, created_at FROM nurture.action ORDER BY contact;

-- anna clicks, bert does not, carl buys: his invitation is withdrawn, unless it was claimed.
CALL pg_temp.tell('anna', 'email_click', '2021-06-01 13:00', '{"template": "other"}');
CALL pg_temp.tell('anna', 'email_click', '2021-06-01 14:00', '{"template": "invite"}');
CALL pg_temp.tell('carl', 'purchase', '2021-06-01 15:00');
CALL pg_temp.tick('2021-06-01 15:00');
SELECT contact, template, status, due FROM nurture.action ORDER BY contact, due;
SELECT c.contact, a.template, c.reason, c.at FROM nurture.action_cancel c JOIN nurture.action a USING (id);
CALL pg_temp.tick('2021-06-03 00:00');
SELECT contact, template, channel, due FROM nurture.action WHERE due > '2021-06-01 15:00' ORDER BY due, channel;
SELECT contact, kind, type, props, at, received_at, clock FROM nurture.event_log WHERE kind = '$engine';
SELECT contact, at, kind, name, step, cause, cause_tick IS NOT NULL AS has_event, detail FROM nurture.transition ORDER BY contact, tick, n;
-- Every cause that names an event finds it in the log, at no later time.
SELECT count(*) AS without_event FROM nurture.transition t LEFT JOIN nurture.event_log l ON l.contact = t.contact AND l.tick = t.cause_tick AND l.n = t.cause_n
WHERE t.cause_n IS NOT NULL AND (l.contact IS NULL OR l.clock > t.at);
-- The plan that was made is the same whatever comes; a journey ends when its steps do.
CALL pg_temp.tick('2021-06-10 00:00');
SELECT contact, at, kind, detail FROM nurture.transition WHERE kind = 'journey ended' AND name = 'whitepaper' ORDER BY contact;
SELECT contact, channel, template, transactional, expires IS NULL AS never_expires, payload FROM nurture.action WHERE channel = 'webhook' ORDER BY 1;
SELECT contact, due FROM nurture.contact ORDER BY 1;

-- Maintenance: what was withdrawn is cancelled, what nobody sent in time expires and is told, a task never does.
SELECT nurture._maintain();
SELECT contact, template, channel, status, reason FROM nurture.action ORDER BY contact, due, channel;
SELECT count(*) AS cancellations FROM nurture.action_cancel;
SELECT contact, type, props - 'action', message_id = (props ->> 'action') || ':dropped' AS own_id FROM nurture.inbox ORDER BY contact, props ->> 'template';
SELECT count(*) AS dropped FROM nurture.inbox \gset
-- The outcome returns to the contact, once.
INSERT INTO nurture.inbox SELECT * FROM nurture.inbox;
CALL pg_temp.tick(clock_timestamp());
SELECT count(*) = :dropped AS logged_once FROM nurture.event_log WHERE type = '$dropped';
SELECT duplicates = :dropped AS duplicates FROM nurture.engine;

-- Claimed and completed: $sent is recorded, and a condition may read it.
INSERT INTO nurture.segment (name, condition) VALUES ('sent to', 'count($sent where channel = ''webhook'') >= 1');
SELECT contact, attempt, payload FROM nurture.claim('webhook') ORDER BY 1;
SELECT nurture.complete(ARRAY(SELECT receipt FROM nurture.action WHERE status = 'claimed'));
CALL pg_temp.tick(clock_timestamp());
SELECT contact, cause FROM nurture.membership WHERE segment = 'sent to' ORDER BY 1;
SELECT count(*) FROM nurture.event_log WHERE type = '$sent';
-- An action that was sent is no longer open: leaving the journey does not withdraw it.
CREATE TEMP TABLE clock AS SELECT date_trunc('second', clock_timestamp()) - interval '1 hour' AS begin;
INSERT INTO nurture.workflow (name, definition) VALUES ('open', 'on start exit on stop send post ''one'' send post ''two'' wait 5 days');
INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT 'dora', 'start', begin, begin FROM clock;
CALL pg_temp.tick(clock_timestamp());
SELECT nurture.complete(ARRAY(SELECT receipt FROM nurture.claim('post', 1)));
INSERT INTO nurture.inbox (contact, type) VALUES ('dora', 'stop');
CALL pg_temp.tick(clock_timestamp());
SELECT count(*) AS withdrawn FROM nurture.action_cancel;
SELECT count(*) AS claimable FROM nurture.claim('post');
SELECT nurture._maintain();
SELECT status, count(*) FROM nurture.action WHERE channel = 'post' GROUP BY 1 ORDER BY 1;
-- Disabling pauses those inside; enabling goes on with what is overdue.
INSERT INTO nurture.workflow (name, definition) VALUES ('pauses', 'on p wait 1 second send fax ''late''');
INSERT INTO nurture.inbox (contact, type) VALUES ('emil', 'p');
CALL pg_temp.tick(clock_timestamp());
UPDATE nurture.workflow SET enabled = false WHERE name = 'pauses';
INSERT INTO nurture.inbox (contact, type) VALUES ('emil', 'x');
CALL pg_temp.tick(clock_timestamp());
CALL pg_temp.tick(clock_timestamp() + interval '1 hour');
SELECT count(*) AS sent FROM nurture.action WHERE channel = 'fax';
UPDATE nurture.workflow SET enabled = true WHERE name = 'pauses';
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('emil', 'x', now() + interval '2 hours', now() + interval '2 hours');
CALL pg_temp.tick(clock_timestamp() + interval '3 hours');
SELECT count(*) AS sent FROM nurture.action WHERE channel = 'fax';
