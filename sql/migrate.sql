-- What an update leaves to nurture.migrate().
\set VERBOSITY terse
SET timezone = 'UTC';
SET client_min_messages = warning;
SET nurture.enabled = off;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
-- A new database has nothing to be done.
CALL nurture.migrate();
SELECT count(*) FROM nurture.migration;
INSERT INTO nurture.segment (name, condition) VALUES ('seen', 'count(v) >= 2');
INSERT INTO nurture.inbox (contact, type, at, received_at)
SELECT 'c' || lpad((g % 100)::text, 2, '0'), 'v', t, t FROM generate_series(0, 299) g, LATERAL (SELECT timestamptz '2021-01-01' + interval '1 minute' * g) w (t);
CALL nurture.tick('2021-01-02');
-- Another library might have written the same thing otherwise: here the number after the first byte takes a byte more than it needs.
CREATE CAST (bytea AS nurture.profile) WITHOUT FUNCTION;
CREATE TABLE state_before AS SELECT contact, state::text AS state FROM nurture.contact;
UPDATE nurture.contact SET state = decode(overlay(state::text PLACING to_hex(get_byte(decode(state::text, 'hex'), 1) | 128) || '00' FROM 3 FOR 2), 'hex')::nurture.profile
WHERE get_byte(decode(state::text, 'hex'), 1) BETWEEN 1 AND 127;
SELECT count(*) AS written_otherwise FROM nurture.contact c JOIN state_before b USING (contact) WHERE c.state::text <> b.state;
SELECT count(*) AS differences FROM nurture.verify();
INSERT INTO nurture.base (contact, state, until_tick, last_feature, model) SELECT contact, state, 1, 0, 1 FROM nurture.contact WHERE contact IN ('c07', 'c99');
-- One that cannot be read stays as it is.
UPDATE nurture.contact SET state = '\x7f'::bytea::nurture.profile WHERE contact = 'c50';
INSERT INTO nurture.migration (position, step, version) VALUES (1, 'states', '0.2');
SELECT kind, what, state, done, total FROM nurture.progress;
-- It is done in parts, and goes on where it was. Meanwhile ticks go on.
SELECT nurture._migrate_some(30);
SELECT state, done, behind_key FROM nurture.migration;
SELECT min(c.contact) FROM nurture.contact c JOIN state_before b USING (contact) WHERE c.state::text <> b.state;
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('c98', 'v', '2021-01-02 00:00:01', '2021-01-02 00:00:01');
CALL nurture.tick('2021-01-02 00:00:02');
BEGIN;
CALL nurture.migrate();
ROLLBACK;
CALL nurture.migrate();
SELECT state, done, finished IS NOT NULL AS finished FROM nurture.migration;
SELECT count(*) FROM nurture.progress;
SELECT c.contact FROM nurture.contact c JOIN state_before b USING (contact) WHERE c.state::text <> b.state ORDER BY 1;
SELECT c.contact FROM nurture.base c JOIN state_before b USING (contact) WHERE c.state::text <> b.state ORDER BY 1;
DELETE FROM nurture.base;
SELECT contact_key FROM nurture.verify();
-- One that is required holds back the ticks.
INSERT INTO nurture.migration (position, step, version, required) VALUES (2, 'states', '0.3', true);
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('c01', 'v', '2021-01-03', '2021-01-03');
\set VERBOSITY default
\set SHOW_CONTEXT never
CALL nurture.tick('2021-01-04');
SELECT count(*) AS waiting FROM nurture.inbox;
CALL nurture.migrate();
CALL nurture.tick('2021-01-04');
SELECT count(*) AS waiting FROM nurture.inbox;
DROP CAST (bytea AS nurture.profile);
DROP TABLE state_before;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
