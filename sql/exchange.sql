-- Export and import: there and back again, exactly; conflicts; dry runs; a script that one keeps.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
SELECT nurture.export_definitions();
SELECT nurture.export_definitions('sql');
SELECT nurture.export_definitions('xml');
-- Names and texts with all that quoting has to stand, references against the order of names, drafts that go in circles.
INSERT INTO nurture.rule (name, definition, description) VALUES
    ('b', '+5 on page_view where path like ''/pricing\_%'' and (title = ''it''''s "$$"'' or "Größe" between 1 and 2) topic "Big Deal" half-life 14 days at most 3 per day', 'line one
line two'),
    ('a "quoted" ''name'' \ ☃', '-40 on "Product Added" topic "Big Deal"', NULL);
INSERT INTO nurture.segment (name, condition, enabled) VALUES
    ('z', 'did page_view', true), ('it''s', 'in segment ''z'' and score("Big Deal") >= 5', true), ('a', 'in segment ''it''''s''', true),
    ('draft 1', 'in segment ''draft 2''', false), ('draft 2', 'in segment ''draft 1'' or in segment ''nowhere''', false),
    ('$definition$', 'plan = ''$definition$ $$'' and plan = ''a rather long text so that it is laid out over several lines'' and plan is set', true);
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on entering segment ''a'' exit when in segment ''it''''s'' wait 1 day send email ''$$'' with (n = ''back\slash'')');
UPDATE nurture.workflow SET enabled = false;
SELECT nurture.export_definitions() AS json, nurture.export_definitions('sql') AS script \gset
SELECT :'json';
SELECT :'script';
CREATE TABLE before AS SELECT d.kind, d.name, d.definition, d.enabled, d.description, d.settings FROM nurture.definition d;

-- The same again is no change.
SELECT outcome, count(*) FROM nurture.import_definitions(:'json') GROUP BY 1;
SELECT count(*) FILTER (WHERE version > 1 AND operation <> 'disabled') AS changes FROM nurture.definition_version;

-- Into an empty database.
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
SELECT * FROM nurture.import_definitions(:'json');
SELECT nurture.export_definitions() = :'json' AS equal_json, nurture.export_definitions('sql') = :'script' AS equal_sql;
SELECT count(*) AS definitions, count(*) FILTER (WHERE b.kind IS NULL OR d.kind IS NULL) AS wrong
FROM before b FULL JOIN nurture.definition d ON (d.kind, d.name, d.definition, d.enabled) = (b.kind, b.name, b.definition, b.enabled)
    AND (d.description, d.settings) IS NOT DISTINCT FROM (b.description, b.settings);
SELECT kind, name, operation, reason FROM nurture.audit ORDER BY kind, name COLLATE "C" LIMIT 3;

-- As a script, statement by statement, each of them checked.
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
:script
SELECT nurture.export_definitions() = :'json' AS equal_json, nurture.export_definitions('sql') = :'script' AS equal_sql;
DROP TABLE before;

-- Conflicts.
\set changes '{"rule": [{"name": "b", "definition": "+1 on page_view topic deal"}, {"name": "new", "definition": "+1 on x topic \\"Big Deal\\"", "description": "more"}], "segment": [{"name": "z", "condition": "did page_view"}], "workflow": [{"name": "w", "removed": true}, {"name": "nobody", "removed": true}]}'
SELECT * FROM nurture.import_definitions(:'changes');
SELECT * FROM nurture.import_definitions(:'changes', on_conflict => 'skip', dry_run => true);
SELECT * FROM nurture.import_definitions(:'changes', on_conflict => 'replace', dry_run => true);
SELECT nurture.export_definitions() = :'json' AS nothing_happened;
SELECT * FROM nurture.import_definitions(:'changes', on_conflict => 'replace');
SELECT kind, name, definition, enabled, description FROM nurture.definition WHERE kind <> 'segment';
SELECT * FROM nurture.import_definitions('{"rule": [{"name": "new", "definition": "+1 on x topic \"Big Deal\""}]}', 'replace');
SELECT description FROM nurture.rule WHERE name = 'new'; -- what is not said is nothing
-- A topic moves from rule to rule and those who use it with it: no state in between compiles, the whole does.
SELECT * FROM nurture.import_definitions('{"rule": [{"name": "new", "definition": "+1 on x topic other"}, {"name": "a \"quoted\" ''name'' \\ ☃", "removed": true}], "segment": [{"name": "it''s", "condition": "score(other) >= 5"}]}', 'replace');

-- What does not go together is refused as a whole, and so is what is not understood.
SELECT nurture.export_definitions() AS json \gset
SELECT * FROM nurture.import_definitions('{"segment": [{"name": "fine", "condition": "did x"}, {"name": "bad", "condition": "in segment ''fin''"}]}');
SELECT * FROM nurture.import_definitions('{"segment": [{"name": "fine", "condition": "did x"}, {"name": "bad", "condition": "in segment"}]}');
SELECT * FROM nurture.import_definitions('{"workflow": [{"name": "fine", "definition": "on x wait 1 day", "enabled": "perhaps"}]}');
SELECT * FROM nurture.import_definitions('{"segment": [{"name": "z", "removed": true}]}', 'replace', dry_run => true);
SELECT * FROM nurture.import_definitions('{"segment": [{"name": "x"}]}');
SELECT * FROM nurture.import_definitions('{"segment": [{"condition": "did x"}]}');
SELECT * FROM nurture.import_definitions('{"segment": [{"name": "x", "condition": "did x", "id": 3}]}');
SELECT * FROM nurture.import_definitions('{"segment": {"name": "x", "condition": "did x"}}');
SELECT * FROM nurture.import_definitions('{"poem": []}');
SELECT * FROM nurture.import_definitions('{"format": 2, "rule": []}');
SELECT * FROM nurture.import_definitions('[1]');
SELECT * FROM nurture.import_definitions('{}', 'merge');
SELECT * FROM nurture.import_definitions('{}');
SELECT nurture.export_definitions() = :'json' AS nothing_happened;
-- After a refusal checks are made again as ever.
INSERT INTO nurture.segment (name, condition) VALUES ('bad', 'in segment ''nowhere''');

-- Rights are those of the tables.
CREATE ROLE regress_importer;
GRANT EXECUTE ON FUNCTION nurture.import_definitions(jsonb, text, boolean) TO regress_importer;
GRANT SELECT ON nurture.definition_kind TO regress_importer;
SET ROLE regress_importer;
SELECT * FROM nurture.import_definitions('{"rule": [{"name": "mine", "definition": "+1 on x"}]}');
RESET ROLE;
GRANT SELECT, INSERT, UPDATE ON nurture.rule, nurture.segment TO regress_importer;
SET ROLE regress_importer;
SELECT * FROM nurture.import_definitions('{"rule": [{"name": "mine", "definition": "+1 on x"}]}');
SELECT nurture.export_definitions();
RESET ROLE;
DROP OWNED BY regress_importer;
DROP ROLE regress_importer;

-- A web of 80 random definitions, there and back as JSON and as a script.
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
INSERT INTO nurture.rule (name, definition, enabled) SELECT md5(g::text), format('+%s on e%s topic t%s half-life %s days', g, g % 7, g % 5, g)::nurture.rule_definition, g > 5 FROM generate_series(1, 20) g;
INSERT INTO nurture.segment (name, condition)
SELECT md5(g::text), format('score(t%s) >= %s%s', g % 5, g, (SELECT string_agg(format(' or in segment %L', md5(u::text)), '') FROM generate_series(1, g - 1) u
                                                              WHERE abs(hashint4(g * 1000 + u)) % 15 = 0))::nurture.condition FROM generate_series(1, 40) g;
INSERT INTO nurture.workflow (name, definition) SELECT md5(g::text), format(E'on entering segment %L wait %s days send email ''t%s''', md5(g::text), g, g)::nurture.workflow_definition FROM generate_series(1, 20) g;
SELECT nurture.export_definitions() AS json, nurture.export_definitions('sql') AS script \gset
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
SELECT outcome, count(*) FROM nurture.import_definitions(:'json') GROUP BY 1;
SELECT nurture.export_definitions() = :'json' AS equal_json, nurture.export_definitions('sql') = :'script' AS equal_sql;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
:script
SELECT nurture.export_definitions() = :'json' AS equal_json, nurture.export_definitions('sql') = :'script' AS equal_sql;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
