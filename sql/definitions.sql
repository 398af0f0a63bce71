-- Definitions as rows: what is refused and how it is said, what takes effect and when.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;

-- They take effect at the next tick, as one model.
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+5 on page_view topic pricing'), ('buys', '+0.5 per amount on purchase');
INSERT INTO nurture.segment (name, condition) VALUES ('warm', 'score(pricing) >= 5'), ('buyer', 'did purchase and in segment ''warm''');
INSERT INTO nurture.workflow (name, definition) VALUES ('nudge', 'on entering segment ''warm'' exit when in segment ''buyer'' wait 1 day send email ''nudge''');
SELECT count(*) FROM nurture.model;
SELECT kind, operation FROM nurture.pending_change ORDER BY id;
CALL nurture.tick('2021-01-01 00:00');
SELECT id, from_tick FROM nurture.model;
SELECT definition, from_tick, complete_from, state FROM nurture.feature ORDER BY definition;
SELECT count(*) AS pending FROM nurture.pending_change;

-- Errors as they are seen.
INSERT INTO nurture.rule (name, definition) VALUES ('bad', '+5 page_view');
INSERT INTO nurture.segment (name, condition) VALUES ('s', 'in segment ''wram''');
INSERT INTO nurture.segment (name, condition) VALUES ('s', 'score(pricng) >= 1');
INSERT INTO nurture.segment (name, condition) VALUES ('s', 'in segment ''s''');
UPDATE nurture.segment SET condition = 'in segment ''buyer''' WHERE name = 'warm';
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on entering segment ''hot'' send email ''t''');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', format('on x send %s ''t''', repeat('c', 513))::nurture.workflow_definition);
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+6 on page_view');
INSERT INTO nurture.rule (name, definition) VALUES ('', '+6 on page_view');
DELETE FROM nurture.rule WHERE name = 'views'; -- the last of its topic

-- What others use stays.
DELETE FROM nurture.segment WHERE name = 'warm';
UPDATE nurture.segment SET enabled = false WHERE name = 'warm';
TRUNCATE nurture.segment;
DELETE FROM nurture.segment; -- the workflow uses both
SELECT count(*) AS pending FROM nurture.pending_change;
-- Another name breaks nobody: references follow.
UPDATE nurture.segment SET name = 'hot' WHERE name = 'warm';
SELECT kind, name, definition FROM nurture.definition WHERE definition LIKE '%segment%' ORDER BY 1, 2;
UPDATE nurture.segment SET name = 'warm' WHERE name = 'hot';
-- All that use each other go in one statement, or users first; an unused one is free to go by any name.
INSERT INTO nurture.segment (name, condition) VALUES ('lonely', 'did x'), ('friend', 'in segment ''lonely''');
DELETE FROM nurture.segment WHERE name IN ('lonely', 'friend');
INSERT INTO nurture.segment (name, condition) VALUES ('lonely', 'did x');
UPDATE nurture.segment SET name = 'alone' WHERE name = 'lonely';
UPDATE nurture.segment SET enabled = false WHERE name = 'alone';
-- A paused workflow and an earlier version still count: people are inside.
UPDATE nurture.workflow SET enabled = false WHERE name = 'nudge';
DELETE FROM nurture.segment WHERE name = 'buyer';
UPDATE nurture.workflow SET enabled = true, definition = 'on entering segment ''warm'' wait 1 day' WHERE name = 'nudge';
DELETE FROM nurture.segment WHERE name = 'buyer';
SELECT w.name, v.version, v.definition FROM nurture.workflow w JOIN nurture.workflow_version v ON v.workflow = w.id ORDER BY version;
-- The same text is no new version; writing the number by hand is of no use.
UPDATE nurture.workflow SET definition = 'on  entering segment ''warm'' WAIT 1 day', description = 'x' WHERE name = 'nudge';
SELECT version FROM nurture.workflow;

-- A draft is checked as a text only, and nobody can rely on it.
INSERT INTO nurture.segment (name, condition, enabled) VALUES ('draft', 'in segment ''nowhere''', false);
INSERT INTO nurture.segment (name, condition) VALUES ('relies', 'in segment ''draft''');
UPDATE nurture.segment SET enabled = true WHERE name = 'draft';
INSERT INTO nurture.workflow (name, definition, enabled) VALUES ('draft', 'on entering segment ''nowhere'' wait 1 day', false);
SELECT name, version, live_since IS NOT NULL AS live FROM nurture.workflow ORDER BY name;
UPDATE nurture.workflow SET definition = 'on y wait 1 day' WHERE name = 'draft';
UPDATE nurture.workflow SET enabled = true WHERE name = 'draft';

-- Definitions that collide, as two sessions or a restore can leave them: the last good model stays.
CALL nurture.tick('2021-01-02 00:00');
SELECT max(id) AS good FROM nurture.model \gset
SET check_function_bodies = off;
INSERT INTO nurture.segment (name, condition) VALUES ('broken', 'in segment ''gone''');
RESET check_function_bodies;
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('anna', 'page_view', '2021-01-02 01:00', '2021-01-02 01:00');
CALL nurture.tick('2021-01-02 02:00');
SELECT max(id) = :good AS last_good_stays FROM nurture.model;
SELECT model_problem FROM nurture.engine;
SELECT segment, contact, since, cause FROM nurture.membership;
SELECT count(*) AS pending FROM nurture.pending_change;
UPDATE nurture.segment SET condition = 'did x' WHERE name = 'broken';
CALL nurture.tick('2021-01-02 03:00');
SELECT max(id) > :good AS next_model FROM nurture.model;
SELECT model_problem FROM nurture.engine;
-- The same definitions once more make no model.
UPDATE nurture.segment SET description = 'only words' WHERE name = 'broken';
SELECT max(id) AS good FROM nurture.model \gset
CALL nurture.tick('2021-01-02 04:00');
SELECT max(id) = :good AS same_model FROM nurture.model;

-- A filter may be as long as it likes.
INSERT INTO nurture.segment (name, condition)
SELECT 'long', format('count(v where path in (%s)) >= 1', string_agg(quote_literal(md5(g::text)), ', '))::nurture.condition
FROM generate_series(1, 300) g;
CALL nurture.tick('2021-01-02 05:00');
SELECT model_problem FROM nurture.engine;
SELECT count(*) FROM nurture.feature WHERE length(definition) > 8000 AND state = 'live';

-- A segment that is disabled has no members; whoever no longer fulfils it when it comes back is none.
INSERT INTO nurture.segment (name, condition) VALUES ('pro', 'plan = ''pro''');
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT c, '$identify', '{"plan": "pro"}', '2021-01-03 00:00', '2021-01-03 00:00' FROM unnest(ARRAY['anna', 'bert', 'carl']) c;
CALL nurture.tick('2021-01-03 01:00');
SELECT contact, since, cause FROM nurture.membership WHERE segment = 'pro' ORDER BY 1;
UPDATE nurture.segment SET enabled = false WHERE name = 'pro';
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('anna', '$identify', '{"plan": "free"}', '2021-01-03 02:00', '2021-01-03 02:00'),
    ('bert', '$identify', '{"name": "Bert"}', '2021-01-03 02:00', '2021-01-03 02:00');
CALL nurture.tick('2021-01-03 03:00');
SELECT count(*) AS members_of_a_disabled_segment FROM nurture.membership WHERE segment = 'pro';
UPDATE nurture.segment SET enabled = true WHERE name = 'pro';
INSERT INTO nurture.inbox (contact, type, at, received_at)
SELECT c, 'y', '2021-01-03 04:00', '2021-01-03 04:00' FROM unnest(ARRAY['anna', 'bert', 'carl']) c;
CALL nurture.tick('2021-01-03 05:00');
SELECT contact, since, cause FROM nurture.membership WHERE segment = 'pro' ORDER BY 1;

-- Nothing works before there is a model, and it says why.
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
SET check_function_bodies = off;
INSERT INTO nurture.segment (name, condition) VALUES ('broken', 'in segment ''gone''');
RESET check_function_bodies;
INSERT INTO nurture.inbox (contact, type) VALUES ('anna', 'x');
\set VERBOSITY terse
CALL nurture.tick('2021-01-01');
\set VERBOSITY default
DELETE FROM nurture.segment;
CALL nurture.tick(now());
SELECT tick, logged, model_problem FROM nurture.engine;
-- TRUNCATE of what nothing uses is a change like others.
INSERT INTO nurture.rule (name, definition) VALUES ('r', '+1 on x');
CALL nurture.tick();
TRUNCATE nurture.rule;
SELECT kind, operation FROM nurture.pending_change;
