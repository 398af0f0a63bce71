-- The same actions twice: in the outbox, and in the plainest queue there is (a table, SKIP LOCKED, a flag).
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS nurture;
TRUNCATE nurture.action, nurture.action_cancel, nurture.inbox, nurture.sending;
INSERT INTO nurture.action (id, contact, channel, template, purpose, payload, due, expires, priority, workflow, version, step)
SELECT pg_catalog.md5(i::text)::uuid, 'contact' || i % 100000, 'email', 'welcome', 'newsletter', '{"first_name": "Anna"}',
       now() - interval '1 hour' + i * interval '1 ms', now() + interval '1 day', i % 3, 'onboarding', 1, '2.1'
FROM pg_catalog.generate_series(1, :actions) i;
DROP TABLE IF EXISTS plain_queue;
CREATE TABLE plain_queue (id uuid PRIMARY KEY, contact text, payload jsonb, due timestamptz, status text, done_at timestamptz);
INSERT INTO plain_queue
SELECT pg_catalog.md5(i::text)::uuid, 'contact' || i % 100000, '{"first_name": "Anna"}',
       now() - interval '1 hour' + i * interval '1 ms', 'ready', NULL
FROM pg_catalog.generate_series(1, :actions) i;
CREATE INDEX ON plain_queue (due) WHERE status = 'ready';
VACUUM ANALYZE plain_queue;
VACUUM ANALYZE nurture.action;
