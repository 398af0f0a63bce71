-- What uses what, in both directions.

-- The segments and topics that a definition names, once per mention, and all that it uses, each once.
CREATE FUNCTION nurture._references(form text, definition text) RETURNS TABLE (kind text, name text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 3 AS 'MODULE_PATHNAME', 'nurture_references';
COMMENT ON FUNCTION nurture._references(text, text) IS 'what a rule, condition, workflow or policy refers to by name';
CREATE FUNCTION nurture._uses(form text, definition text) RETURNS TABLE (kind text, name text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 5 AS 'MODULE_PATHNAME', 'nurture_uses';
COMMENT ON FUNCTION nurture._uses(text, text) IS 'what a rule, condition, workflow or policy reads, starts on, sends, writes or guards';
CREATE FUNCTION nurture._topic_of(rule text) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_topic_of';
COMMENT ON FUNCTION nurture._topic_of(text) IS 'the topic that a rule counts for';
CREATE FUNCTION nurture._renamed(form text, definition text, kind text, names text) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_renamed';
COMMENT ON FUNCTION nurture._renamed(text, text, text, text) IS 'a definition with new names for what it refers to';

CREATE VIEW nurture.dependency AS
SELECT d.kind, d.name, u.kind AS uses_kind, u.name AS uses_name, d.enabled
FROM nurture.definition d JOIN nurture.definition_kind k ON k.kind = d.kind AND k.form IS NOT NULL
CROSS JOIN LATERAL nurture._uses(k.form, d.definition) u
UNION ALL
-- A topic, and the score as a whole, are what rules make them.
SELECT 'topic', array_to_string(t.parts[:n], '.'), 'rule', r.name, r.enabled
FROM nurture.rule r
CROSS JOIN LATERAL (SELECT string_to_array(nurture._topic_of(r.definition::text), '.') AS parts) t -- fit.company belongs to fit
CROSS JOIN LATERAL generate_series(1, cardinality(t.parts)) n
UNION ALL
SELECT 'score', 'score', 'rule', r.name, r.enabled FROM nurture.rule r;
COMMENT ON VIEW nurture.dependency IS
    'which definition uses which event type, attribute, topic, segment, template, channel, purpose; a topic and the score use rules';
REVOKE ALL ON TABLE nurture.dependency FROM PUBLIC;

CREATE FUNCTION nurture.dependents(kind text, name text)
    RETURNS TABLE (used_by_kind text, used_by text, distance int, through text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
WITH RECURSIVE edge AS MATERIALIZED (
    SELECT DISTINCT d.kind, d.name, d.uses_kind, d.uses_name FROM nurture.dependency d
), up AS (
    SELECT e.kind, e.name, 1 AS distance, e.uses_kind, e.uses_name FROM edge e
    WHERE e.uses_kind = dependents.kind AND e.uses_name = dependents.name
    UNION
    SELECT e.kind, e.name, u.distance + 1, e.uses_kind, e.uses_name
    FROM up u JOIN edge e ON e.uses_kind = u.kind AND e.uses_name = u.name WHERE u.distance < 100
), nearest AS (
    SELECT DISTINCT ON (u.kind, u.name) u.* FROM up u ORDER BY u.kind, u.name, u.distance, u.uses_kind, u.uses_name
)
SELECT n.kind, n.name, n.distance, CASE WHEN n.distance > 1 THEN format('%s "%s"', n.uses_kind, n.uses_name) END
FROM nearest n WHERE n.kind <> 'score' ORDER BY n.distance, n.kind, n.name COLLATE "C"
$$;
COMMENT ON FUNCTION nurture.dependents(text, text) IS
    'who would notice a change of a definition, an event type, an attribute, a topic, a template: directly or through others';

CREATE FUNCTION nurture.dependencies(kind text, name text)
    RETURNS TABLE (uses_kind text, uses_name text, distance int, through text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
WITH RECURSIVE edge AS MATERIALIZED (
    SELECT DISTINCT d.kind, d.name, d.uses_kind, d.uses_name FROM nurture.dependency d
), down AS (
    SELECT e.uses_kind, e.uses_name, 1 AS distance, e.kind, e.name FROM edge e
    WHERE e.kind = dependencies.kind AND e.name = dependencies.name
    UNION
    SELECT e.uses_kind, e.uses_name, d.distance + 1, e.kind, e.name
    FROM down d JOIN edge e ON e.kind = d.uses_kind AND e.name = d.uses_name WHERE d.distance < 100
), nearest AS (
    SELECT DISTINCT ON (d.uses_kind, d.uses_name) d.* FROM down d
    ORDER BY d.uses_kind, d.uses_name, d.distance, d.kind, d.name
)
SELECT n.uses_kind, n.uses_name, n.distance, CASE WHEN n.distance > 1 THEN format('%s "%s"', n.kind, n.name) END
FROM nearest n WHERE n.uses_kind <> 'score' ORDER BY n.distance, n.uses_kind, n.uses_name COLLATE "C"
$$;
COMMENT ON FUNCTION nurture.dependencies(text, text) IS 'what a definition needs, directly or through others';
REVOKE ALL ON FUNCTION nurture.dependents(text, text), nurture.dependencies(text, text) FROM PUBLIC;
