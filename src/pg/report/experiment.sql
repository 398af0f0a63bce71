-- Experiments of workflows: who was in which arm, and who reached the goal.

CREATE FUNCTION nurture._experiment_arms(definition nurture.workflow_definition) RETURNS TABLE (experiment text, arm text, weight numeric)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 2 AS 'MODULE_PATHNAME', 'nurture_experiment_arms';
COMMENT ON FUNCTION nurture._experiment_arms(nurture.workflow_definition) IS 'the arms of a workflow''s experiments, with their weights';

CREATE FUNCTION nurture._experiment_named(definition nurture.workflow_definition, workflow text, experiment text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    names CONSTANT text[] := ARRAY(SELECT DISTINCT a.experiment FROM nurture._experiment_arms(definition) a ORDER BY 1);
BEGIN
    IF cardinality(names) = 0 THEN
        RAISE EXCEPTION 'workflow "%" has no experiment', workflow USING ERRCODE = 'undefined_object';
    ELSIF experiment IS NULL AND cardinality(names) > 1 THEN
        RAISE EXCEPTION 'workflow "%" has several experiments', workflow USING ERRCODE = 'invalid_parameter_value',
            HINT = format('Name one of: %s.', array_to_string(names, ', '));
    ELSIF experiment <> ALL (names) THEN
        RAISE EXCEPTION 'workflow "%" has no experiment "%"', workflow, experiment USING ERRCODE = 'undefined_object',
            HINT = format('Its experiments are: %s.', array_to_string(names, ', '));
    END IF;
    RETURN coalesce(experiment, names[1]);
END
$$;
COMMENT ON FUNCTION nurture._experiment_named(nurture.workflow_definition, text, text) IS 'the experiment that is meant, or an error';

-- An arm is for good, whatever the journey: so the contact is the subject, from when it first came to the experiment. Versions
-- with other arms or weights were other experiments.
CREATE FUNCTION nurture.experiment_subjects(workflow text, experiment text DEFAULT NULL)
    RETURNS TABLE (contact text, arm text, since timestamptz, reached_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    current CONSTANT nurture.workflow_version := nurture._workflow_at(workflow, NULL);
    name CONSTANT text := nurture._experiment_named(current.definition, workflow, experiment);
    -- What another workflow of the name did before this one is not its own.
    since CONSTANT timestamptz := coalesce((SELECT nurture._starts_since(w) FROM nurture.workflow w WHERE w.id = current.workflow), '-infinity');
    names CONSTANT text[] := nurture._workflow_names(current.workflow);
    versions CONSTANT int[] := ARRAY(
        SELECT v.version FROM nurture.workflow_version v WHERE v.workflow = current.workflow
          AND (SELECT array_agg((a.arm, a.weight) ORDER BY a.arm) FROM nurture._experiment_arms(v.definition) a WHERE a.experiment = name)
              = (SELECT array_agg((a.arm, a.weight) ORDER BY a.arm) FROM nurture._experiment_arms(current.definition) a WHERE a.experiment = name));
BEGIN
    RETURN QUERY
    WITH subject AS (
        SELECT DISTINCT ON (k.contact) k.contact, t.detail ->> 'arm' AS arm, t.at AS since
        FROM nurture.transition t LEFT JOIN nurture.identity i ON i.key = t.contact CROSS JOIN LATERAL (SELECT coalesce(i.contact, t.contact)) k (contact)
        WHERE t.kind = 'arm assigned' AND t.name = ANY (names) AND t.version = ANY (versions) AND t.detail ->> 'experiment' = name
          AND t.at >= since
        ORDER BY k.contact, t.at, t.tick, t.n
    ), goal AS (
        SELECT coalesce(i.contact, t.contact) AS contact, t.at FROM nurture.transition t LEFT JOIN nurture.identity i ON i.key = t.contact
        WHERE t.kind = 'goal reached' AND t.name = ANY (names) AND t.at >= since
    )
    SELECT s.contact, s.arm, s.since, min(g.at) FROM subject s LEFT JOIN goal g ON g.contact = s.contact AND g.at >= s.since
    GROUP BY s.contact, s.arm, s.since ORDER BY s.contact;
END
$$;
COMMENT ON FUNCTION nurture.experiment_subjects(text, text) IS
    'who came to the experiment of a workflow, in which arm and when, and when the workflow''s goal was reached first since then (NULL: not yet)';
REVOKE ALL ON FUNCTION nurture._experiment_arms(nurture.workflow_definition), nurture._experiment_named(nurture.workflow_definition, text, text),
    nurture.experiment_subjects(text, text) FROM PUBLIC;

CREATE FUNCTION nurture.experiment(workflow text, experiment text DEFAULT NULL, control text DEFAULT NULL, confidence double precision DEFAULT 0.95)
    RETURNS TABLE (test text, arm text, versus text, estimate double precision, low double precision, high double precision,
                   statistic double precision, df double precision, p_value double precision, source text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    current CONSTANT nurture.workflow_version := nurture._workflow_at(workflow, NULL);
    name CONSTANT text := nurture._experiment_named(current.definition, workflow, experiment);
    summary nurture.ab_summary;
    shares double precision[];
BEGIN
    IF current.definition::text !~ '(^|\n)goal ' THEN
        RAISE EXCEPTION 'workflow "%" has no goal', workflow USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'What its arms are compared by is a line such as: goal within 14 days on purchase. Others are in nurture.experiment_subjects.';
    END IF;
    SELECT nurture.ab_test_agg(s.arm, s.reached_at IS NOT NULL) INTO summary FROM nurture.experiment_subjects(workflow, name) s;
    -- The planned shares of those arms that somebody came to, as nurture.ab_test wants them. The same experiment may stand in several places.
    SELECT array_agg(a.weight::double precision ORDER BY a.arm COLLATE "C") INTO shares
    FROM (SELECT e.arm, sum(e.weight) AS weight FROM nurture._experiment_arms(current.definition) e WHERE e.experiment = name GROUP BY e.arm) a
    WHERE a.arm IN (SELECT b.arm FROM nurture.ab_arms(summary) b);
    RETURN QUERY SELECT t.* FROM nurture.ab_test(summary, control, confidence, expected => shares) t;
END
$$;
COMMENT ON FUNCTION nurture.experiment(text, text, text, double precision) IS
    'the arms of a workflow''s experiment compared by who reached its goal: every row a test of nurture.ab_test, with the shares that were planned';
REVOKE ALL ON FUNCTION nurture.experiment(text, text, text, double precision) FROM PUBLIC;
