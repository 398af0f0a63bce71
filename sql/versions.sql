-- Versions of definitions: who changed what, two versions side by side, back again, other names; against a history that the test
-- keeps itself.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
CREATE ROLE regress_marketer;
GRANT SELECT, INSERT, UPDATE, DELETE ON nurture.rule, nurture.segment, nurture.workflow TO regress_marketer;
GRANT SELECT ON nurture.definition, nurture.definition_kind, nurture.definition_version, nurture.audit, nurture.dependency TO regress_marketer;
GRANT EXECUTE ON FUNCTION nurture.diff(text, text, int, int), nurture.rename(text, text, text), nurture.revert(text, text, int),
    nurture.dependents(text, text), nurture.dependencies(text, text), nurture._unresolved_now(text, text) TO regress_marketer;

-- A story, told by the audit.
SET SESSION AUTHORIZATION regress_marketer;
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+5 on page_view where path like ''/pricing%'' topic pricing half-life 14 days at most 3 per day');
INSERT INTO nurture.segment (name, condition) VALUES ('warm', 'score(pricing) >= 5'), ('buyer', 'did purchase and in segment ''warm''');
INSERT INTO nurture.workflow (name, definition) VALUES ('nudge', $$
  on entering segment 'warm'
  exit when in segment 'buyer'
  wait 1 day
  send email 'nudge' for newsletter with (n = name)
  set nudged = true
$$);
RESET SESSION AUTHORIZATION;
SET nurture.change_reason = 'the spring campaign';
UPDATE nurture.rule SET definition = '+6 on page_view where path like ''/pricing%'' and age > 17 topic pricing half-life 14 days', description = 'more for grown-ups' WHERE name = 'views';
RESET nurture.change_reason;
UPDATE nurture.workflow SET enabled = false;
UPDATE nurture.workflow SET definition = definition; -- no change
UPDATE nurture.segment SET name = 'hot', description = 'ready' WHERE name = 'warm';
SELECT nurture.rename('segment', 'hot', 'very "hot"');
DELETE FROM nurture.workflow;
SELECT nurture.revert('workflow', 'nudge', 1);
SELECT nurture.revert('rule', 'views', 1);
TRUNCATE nurture.rule, nurture.segment, nurture.workflow;
SELECT by, kind, name, version, operation, formerly, reason FROM nurture.audit ORDER BY at, kind, name;
SELECT count(*) FILTER (WHERE at > clock_timestamp() OR at < now() - interval '10 minutes') AS strange_times FROM nurture.audit;
SELECT kind, name, version, definition, enabled, description FROM nurture.definition_version ORDER BY kind, id, version;

-- Side by side.
SELECT * FROM nurture.diff('rule', 'views', 1, 2);
SELECT * FROM nurture.diff('workflow', 'nudge', 1, 2);
SELECT * FROM nurture.diff('segment', 'warm', 1, 3);
SELECT * FROM nurture.diff('segment', 'buyer');
SELECT * FROM nurture.diff('segment', 'buyer', v2 => 1);
SELECT * FROM nurture.diff('rule', 'views', 2, 2);
SELECT nurture.diff('rule', 'views', 1, 99);
SELECT nurture.diff('rule', 'viws');
SELECT nurture.diff('poem', 'views');

-- Back again: what was named otherwise then is named as today; what nobody can name any more is refused.
SELECT nurture.revert('segment', 'buyer', 1);
SELECT nurture.revert('rule', 'views', 1), nurture.revert('segment', 'very "hot"', 1);
SELECT nurture.revert('segment', 'buyer', 1), nurture.revert('workflow', 'nudge', 1);
SELECT kind, name, definition, enabled, description FROM nurture.definition;
SELECT name, version FROM nurture.workflow;
UPDATE nurture.segment SET name = 'lukewarm' WHERE name = 'warm';
SELECT nurture.revert('segment', 'buyer', 1);
SELECT condition FROM nurture.segment WHERE name = 'buyer';
SELECT nurture.revert('segment', 'buyer', 99);
SELECT nurture.rename('segment', 'nobody', 'x');
SELECT nurture.rename('segment', 'lukewarm', 'buyer');
SELECT nurture.rename('poem', 'a', 'b');

-- What uses what.
SELECT kind, name, uses_kind, uses_name FROM nurture.dependency ORDER BY 1, 2, 3, 4;
SELECT * FROM nurture.dependents('event', 'page_view');
SELECT * FROM nurture.dependents('attribute', 'name');
SELECT * FROM nurture.dependencies('workflow', 'nudge');

-- What a session hides from the triggers is noted with the next change.
SET check_function_bodies = off;
INSERT INTO nurture.segment (name, condition) VALUES ('hidden', 'did x');
DELETE FROM nurture.workflow;
RESET check_function_bodies;
SELECT count(*) FROM nurture.audit WHERE name = 'hidden';
UPDATE nurture.rule SET description = 'any change' WHERE name = 'views';
SELECT kind, name, operation FROM nurture.audit ORDER BY at DESC, kind, name LIMIT 3;

-- A random history against one that is kept by looking at the tables after every statement.
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
CREATE TABLE seen (step int, id int, name text, condition text, enabled boolean, description text);
DO $$
DECLARE
    step int := 0;
    r int;
    many int;
BEGIN
    WHILE step < 150 LOOP
        step := step + 1;
        r := abs(hashint4(step * 7919));
        many := CASE WHEN r % 5 = 0 THEN 3 ELSE 1 END;
        CASE r / 8 % 7
            WHEN 0, 1 THEN
                INSERT INTO nurture.segment (name, condition, enabled)
                SELECT format('s%s_%s', step, g), format('did e%s', r % 9)::nurture.condition, r % 3 > 0 FROM generate_series(1, many) g;
            WHEN 2 THEN UPDATE nurture.segment s SET condition = format('did  e%s', r % 9) WHERE abs(hashint4(s.id + r)) % 4 = 0;
            WHEN 3 THEN UPDATE nurture.segment s SET name = format('%s_%s', split_part(s.name, '_', 1), step * 10 + s.id) WHERE abs(hashint4(s.id + r)) % 4 = 0;
            WHEN 4 THEN UPDATE nurture.segment s SET enabled = NOT enabled, description = CASE WHEN r % 2 = 0 THEN 'd' || r % 3 END WHERE abs(hashint4(s.id + r)) % 4 = 0;
            WHEN 5 THEN DELETE FROM nurture.segment s WHERE abs(hashint4(s.id + r)) % 8 = 0;
            ELSE UPDATE nurture.segment s SET description = 'd' || r % 2;
        END CASE;
        INSERT INTO seen SELECT step, s.id, s.name, s.condition::text, s.enabled, s.description FROM nurture.segment s;
    END LOOP;
END
$$;
WITH looked AS (
    SELECT i.id, n.step, s.name, s.condition, s.enabled, s.description, s.id IS NULL AS gone
    FROM (SELECT id, min(step) AS since FROM seen GROUP BY id) i JOIN generate_series(1, 150) n (step) ON n.step >= i.since
    LEFT JOIN seen s ON s.id = i.id AND s.step = n.step
), changed AS (
    SELECT l.*, row_number() OVER (PARTITION BY l.id ORDER BY l.step) AS version
    FROM (SELECT l.*, lag(ROW(l.name, l.condition, l.enabled, l.description, l.gone)) OVER (PARTITION BY l.id ORDER BY l.step)
                      IS DISTINCT FROM ROW(l.name, l.condition, l.enabled, l.description, l.gone) AS changed FROM looked l) l
    WHERE l.changed
)
SELECT count(*) AS versions, count(DISTINCT id) AS definitions, count(*) FILTER (WHERE gone) AS deleted,
       count(*) FILTER (WHERE v.id IS NULL OR c.id IS NULL
           OR CASE WHEN c.gone THEN v.operation <> 'deleted'
                   ELSE (v.name, v.definition, v.enabled, v.description) IS DISTINCT FROM (c.name, c.condition, c.enabled, c.description) END) AS wrong
FROM changed c FULL JOIN nurture.definition_version v USING (id, version);
SELECT count(*) AS broken_times FROM nurture.definition_version v
LEFT JOIN nurture.definition_version n ON n.kind = v.kind AND n.id = v.id AND n.version = v.version + 1 WHERE v.until IS DISTINCT FROM n.at;
DROP TABLE seen;

-- Other names for all segments at once, in a random web of references: the oracle replaces text.
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
INSERT INTO nurture.segment (name, condition, enabled)
SELECT 's' || g, coalesce((SELECT string_agg(format('in segment ''s%s''', u), ' or ' ORDER BY u) FROM generate_series(1, g - 1) u
                           WHERE abs(hashint4(g * 100 + u)) % 4 = 0), 'plan = ''s1''')::nurture.condition, abs(hashint4(g)) % 10 > 0 OR g < 30
FROM generate_series(1, 40) g;
INSERT INTO nurture.workflow (name, definition)
SELECT 'w' || g, format(E'on entering segment ''s%s''\nexit when not in segment ''s%s''\nif in segment ''s%s'' then send email ''s1'' end\nwait 1 day', g, g + 3, g + 7)::nurture.workflow_definition
FROM generate_series(1, 20) g;
UPDATE nurture.workflow SET definition = definition::text || E'\nwait 2 days' WHERE name < 'w15';
CREATE TABLE named AS SELECT kind, name, definition FROM nurture.definition;
CREATE TABLE versions AS SELECT workflow, version, definition::text FROM nurture.workflow_version;
UPDATE nurture.segment SET name = 'the ' || substr(name, 2) || 'th';
SELECT count(*) AS definitions, count(*) FILTER (WHERE n.definition LIKE '%segment%') AS with_references,
       count(*) FILTER (WHERE d.definition IS DISTINCT FROM regexp_replace(n.definition, 'segment ''s(\d+)''', 'segment ''the \1th''', 'g')) AS wrong
FROM named n FULL JOIN nurture.definition d ON d.kind = n.kind AND d.name = CASE n.kind WHEN 'segment' THEN 'the ' || substr(n.name, 2) || 'th' ELSE n.name END;
SELECT count(*) AS versions, count(*) FILTER (WHERE w.definition::text IS DISTINCT FROM regexp_replace(v.definition, 'segment ''s(\d+)''', 'segment ''the \1th''', 'g')) AS wrong
FROM versions v FULL JOIN nurture.workflow_version w USING (workflow, version);
DROP TABLE named, versions;

-- Nobody inside a workflow, nor in a segment, notices another name.
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
INSERT INTO nurture.segment (name, condition) VALUES ('warm', 'count(view) >= 1'), ('sold', 'did buy'), ('both', 'in segment ''warm'' and in segment ''sold''');
INSERT INTO nurture.workflow (name, definition) VALUES ('nudge', 'on entering segment ''warm'' exit when in segment ''both'' wait 1 day send email ''nudge'' wait 1 day send email ''again''');
INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT c, 'view', '2021-01-01', '2021-01-01' FROM unnest('{anna,bert}'::text[]) c;
CALL nurture.tick('2021-01-01');
UPDATE nurture.workflow SET definition = 'on entering segment ''warm'' exit when in segment ''both'' wait 5 days send email ''late''';
CALL nurture.tick('2021-01-01 01:00');
UPDATE nurture.segment SET name = CASE name WHEN 'warm' THEN 'hot' ELSE 'all' END WHERE name IN ('warm', 'both');
CALL nurture.tick('2021-01-02 12:00');
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('bert', 'buy', '2021-01-02 13:00', '2021-01-02 13:00');
CALL nurture.tick('2021-01-09');
SELECT contact, at, kind, name, version, step, cause, detail ->> 'reason' AS reason FROM nurture.transition ORDER BY contact, tick, n;
SELECT contact, template, version, status, created_at FROM nurture.action ORDER BY 1, 5;
SELECT segment, contact, since FROM nurture.membership ORDER BY 1, 2;
SELECT contact, what FROM nurture.verify(path => true) v (contact, what);
SELECT name, version FROM nurture.workflow;

-- Only who may change a table may do it by functions, and only he reads who changed it.
CREATE ROLE regress_visitor;
SET ROLE regress_visitor;
TABLE nurture.audit;
SELECT nurture.diff('rule', 'x');
SELECT nurture.rename('segment', 'hot', 'x');
SELECT nurture.revert('segment', 'hot', 1);
SELECT nurture._keep_versions();
SELECT nurture._rename_references('segment', '{"hot": "x"}');
SELECT valid, message FROM nurture.validate('in segment ''hott'''); -- he may not know
RESET ROLE;
SELECT valid, message, line, "column", hint FROM nurture.validate(E'a = 1\nand in segment ''hott''');
SELECT valid, message, hint FROM nurture.validate('score(x) > 1');
SELECT valid, canonical FROM nurture.validate('in segment ''hot'' and  did x');
GRANT EXECUTE ON FUNCTION nurture.rename(text, text, text) TO regress_visitor;
SET ROLE regress_visitor;
SELECT nurture.rename('segment', 'hot', 'x');
RESET ROLE;
DROP OWNED BY regress_visitor, regress_marketer;
DROP ROLE regress_visitor, regress_marketer;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
