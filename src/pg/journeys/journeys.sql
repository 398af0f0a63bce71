-- What people do to journeys by hand: pause, resume, stop, move to another version. What is done to a contact reaches it as a
-- $journey message, so that its step sees it in its turn and the log keeps it; what is done to a step is a row that the next
-- model takes up.

CREATE FUNCTION nurture._steps(definition text) RETURNS TABLE (step text, definition_line text, waits boolean)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 10 AS 'MODULE_PATHNAME', 'nurture_steps';
COMMENT ON FUNCTION nurture._steps(text) IS 'the steps of a workflow, as transitions and actions name them';

CREATE FUNCTION nurture._migration_problem(before text, step text, after text, target text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_migration_problem';
COMMENT ON FUNCTION nurture._migration_problem(text, text, text, text) IS
    'why whoever stands at a step of one definition cannot go on at a step of the other (NULL: nothing is against it): nobody does again what was done';

CREATE FUNCTION nurture._workflow_named(name text) RETURNS nurture.workflow
    LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found nurture.workflow;
BEGIN
    SELECT w.* INTO found FROM nurture.workflow w WHERE w.name = _workflow_named.name;
    IF found.id IS NULL THEN
        RAISE EXCEPTION 'workflow "%" does not exist', name USING ERRCODE = 'undefined_object';
    END IF;
    RETURN found;
END
$$;
COMMENT ON FUNCTION nurture._workflow_named(text) IS 'the workflow, or an error; NULL for none';
REVOKE ALL ON FUNCTION nurture._workflow_named(text) FROM PUBLIC;

CREATE FUNCTION nurture._tell_journeys(contacts text[], props jsonb) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    told bigint;
BEGIN
    INSERT INTO nurture.inbox (contact, type, at, props, received_at)
    SELECT c.contact, '$journey', moment, props, moment FROM unnest(contacts) c(contact);
    GET DIAGNOSTICS told = ROW_COUNT;
    RETURN told;
END
$$;
COMMENT ON FUNCTION nurture._tell_journeys(text[], jsonb) IS 'tells contacts what is to be done to their journeys';

CREATE FUNCTION nurture._check_step(of nurture.workflow, step text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM nurture._steps(of.definition::text) s WHERE s.step = _check_step.step) THEN
        RAISE EXCEPTION 'workflow "%" has no step %', of.name, step USING ERRCODE = 'invalid_parameter_value',
            HINT = format('Its steps are %s.', (SELECT string_agg(s.step, ', ' ORDER BY s.ordinality)
                FROM nurture._steps(of.definition::text) WITH ORDINALITY s (step, line, waits, ordinality)));
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._check_step(nurture.workflow, text) IS 'an error where the workflow has no such step';

CREATE FUNCTION nurture.pause_journeys(workflow text DEFAULT NULL, contact text DEFAULT NULL, step text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    of CONSTANT nurture.workflow := nurture._workflow_named(workflow);
BEGIN
    IF contact IS NOT NULL THEN
        IF step IS NOT NULL THEN
            RAISE EXCEPTION 'a step is paused for everybody' USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Name a contact or a step.';
        END IF;
        PERFORM nurture._tell_journeys(ARRAY[contact], jsonb_strip_nulls(jsonb_build_object('do', 'pause', 'workflow', of.id)));
    ELSIF workflow IS NULL THEN
        RAISE EXCEPTION 'name a workflow, a contact or both' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'nurture.pause() stops the sending of everything.';
    ELSIF step IS NULL THEN
        UPDATE nurture.workflow w SET enabled = false WHERE w.id = of.id AND w.enabled;
    ELSE
        PERFORM nurture._check_step(of, step);
        INSERT INTO nurture.workflow_hold (workflow, step, by) VALUES (of.id, step, session_user) ON CONFLICT DO NOTHING;
        INSERT INTO nurture.pending_change (kind, operation, by) VALUES ('workflow', 'pause', session_user);
    END IF;
END
$$;
COMMENT ON FUNCTION nurture.pause_journeys(text, text, text) IS
    'pauses a contact''s journeys (of a workflow, or all), a step for everybody (those who come to it stand before it), or a whole workflow';

CREATE FUNCTION nurture.resume_journeys(workflow text DEFAULT NULL, contact text DEFAULT NULL, step text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    of CONSTANT nurture.workflow := nurture._workflow_named(workflow);
BEGIN
    IF contact IS NOT NULL THEN
        PERFORM nurture._tell_journeys(ARRAY[contact], jsonb_strip_nulls(jsonb_build_object('do', 'resume', 'workflow', of.id)));
    ELSIF workflow IS NULL THEN
        RAISE EXCEPTION 'name a workflow, a contact or both' USING ERRCODE = 'invalid_parameter_value';
    ELSIF step IS NULL THEN
        UPDATE nurture.workflow w SET enabled = true WHERE w.id = of.id AND NOT w.enabled;
    ELSE
        DELETE FROM nurture.workflow_hold h WHERE h.workflow = of.id AND h.step = resume_journeys.step;
        IF FOUND THEN
            INSERT INTO nurture.pending_change (kind, operation, by) VALUES ('workflow', 'resume', session_user);
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture.resume_journeys(text, text, text) IS
    'undoes nurture.pause_journeys: what is overdue runs now, under guards and expiry';

CREATE FUNCTION nurture.stop_journeys(workflow text DEFAULT NULL, contact text DEFAULT NULL, step text DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    of CONSTANT nurture.workflow := nurture._workflow_named(workflow);
BEGIN
    IF workflow IS NULL AND (contact IS NULL OR step IS NOT NULL) THEN
        RAISE EXCEPTION 'name a workflow, a contact or both' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN nurture._tell_journeys(
        CASE WHEN contact IS NOT NULL THEN ARRAY[contact]
             ELSE (SELECT array_agg(DISTINCT j.contact) FROM nurture.journey j
                   WHERE j.workflow = of.name AND (stop_journeys.step IS NULL OR j.step = stop_journeys.step)) END,
        jsonb_strip_nulls(jsonb_build_object('do', 'stop', 'workflow', of.id)));
END
$$;
COMMENT ON FUNCTION nurture.stop_journeys(text, text, text) IS
    'ends journeys: of a contact, of all who are in a workflow, or of those who are at one of its steps now; what is still open of their '
    'actions is withdrawn. Returns how many contacts are told';

-- People inside earlier versions: where they stand says where they go on.
CREATE FUNCTION nurture.migrate_journeys(workflow text, mapping jsonb DEFAULT '{}', otherwise text DEFAULT 'same',
        from_version int DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    of CONSTANT nurture.workflow := nurture._workflow_named(workflow);
    wrong text;
    unfit record;
BEGIN
    IF otherwise NOT IN ('same', 'stay', 'leave') THEN
        RAISE EXCEPTION 'unknown rule "%"', otherwise USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Those whose step is not in the mapping go on at the same step, stay in their version, or leave.';
    ELSIF jsonb_typeof(mapping) <> 'object' THEN
        RAISE EXCEPTION 'the mapping must be an object' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Such as {"3": "4", "5": null}: who stands at 3 goes on at 4, who stands at 5 leaves.';
    END IF;
    SELECT m.key INTO wrong FROM jsonb_each(mapping) m
    WHERE NOT EXISTS (SELECT FROM nurture.workflow_version v CROSS JOIN LATERAL nurture._steps(v.definition::text) s
                      WHERE v.workflow = of.id AND v.version <> of.version AND NOT v.retired
                        AND (from_version IS NULL OR v.version = from_version) AND s.step = m.key);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'no version of workflow "%" in which anybody may be has a step %', of.name, wrong
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM nurture._check_step(of, m.value) FROM jsonb_each_text(mapping) m WHERE m.value IS NOT NULL;
    SELECT v.version, s.step, t.target, p.problem INTO unfit
    FROM nurture.workflow_version v CROSS JOIN LATERAL nurture._steps(v.definition::text) s
    CROSS JOIN LATERAL (SELECT CASE WHEN mapping ? s.step THEN mapping ->> s.step WHEN otherwise = 'same' AND s.waits THEN s.step END AS target) t
    CROSS JOIN LATERAL (SELECT nurture._migration_problem(v.definition::text, s.step, of.definition::text, t.target) AS problem) p
    WHERE v.workflow = of.id AND v.version <> of.version AND NOT v.retired AND (from_version IS NULL OR v.version = from_version)
      AND p.problem IS NOT NULL
    ORDER BY v.version, s.step LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'who stands at step % of version % cannot go on at step %: %', unfit.step, unfit.version, unfit.target, unfit.problem
            USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Map the step to a later one, let those people leave (null), or let them stay in their version: otherwise => ''stay''.';
    END IF;
    -- The newest version must be in force before anybody can go there.
    IF NOT EXISTS (SELECT FROM nurture._current_model c
                   CROSS JOIN LATERAL jsonb_to_recordset(c.model::text::jsonb -> 'workflows') r (id int, version int)
                   WHERE r.id = of.id AND r.version = of.version) THEN
        RAISE EXCEPTION 'version % of workflow "%" is not in force yet', of.version, of.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'It takes effect at the next tick.';
    END IF;
    RETURN nurture._tell_journeys(
        (SELECT array_agg(DISTINCT j.contact) FROM nurture.journey j
         WHERE j.workflow = of.name AND j.version <> of.version AND (from_version IS NULL OR j.version = from_version)),
        jsonb_build_object('do', 'migrate', 'workflow', of.id, 'to', of.version, 'steps', mapping, 'otherwise', otherwise)
        || CASE WHEN from_version IS NULL THEN '{}' ELSE jsonb_build_object('from', from_version) END);
END
$$;
COMMENT ON FUNCTION nurture.migrate_journeys(text, jsonb, text, int) IS
    'moves those who are in earlier versions of a workflow to the newest: mapping says from which step to which (null: they leave), otherwise '
    'what becomes of all others (same, stay, leave). No step is run again, a wait goes on from when it began. Returns how many are told';

REVOKE ALL ON FUNCTION nurture._tell_journeys(text[], jsonb), nurture._migration_problem(text, text, text, text), nurture._check_step(nurture.workflow, text),
    nurture.pause_journeys(text, text, text), nurture.resume_journeys(text, text, text), nurture.stop_journeys(text, text, text),
    nurture.migrate_journeys(text, jsonb, text, int) FROM PUBLIC;

-- Lists that workflows put people on: the contacts know already, the table follows. The last word of a step counts.
CREATE FUNCTION nurture._keep_lists() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET nurture_tick.lists = 'told' AS $$
BEGIN
    WITH word AS MATERIALIZED (
        SELECT DISTINCT ON (s.contact, w.props ->> 'list') s.contact, w.props ->> 'list' AS list, w.props ->> 'state' AS state, w.at
        FROM nurture._stepped s CROSS JOIN LATERAL nurture._written(s.outputs) w
        WHERE s.kinds & 8 <> 0 AND w.type = '$list'
        ORDER BY s.contact, w.props ->> 'list', w.n DESC
    ), gone AS (
        DELETE FROM nurture.list_member m USING word WHERE m.contact = word.contact AND m.list = word.list AND word.state <> 'member'
    )
    INSERT INTO nurture.list_member (list, contact, included, since)
    SELECT word.list, word.contact, true, word.at FROM word JOIN nurture.list l ON l.name = word.list WHERE word.state = 'member'
    ON CONFLICT (list, contact) DO UPDATE SET included = true, since = excluded.since WHERE NOT list_member.included;
END
$$;
COMMENT ON FUNCTION nurture._keep_lists() IS 'writes what workflows of the tick at hand did to lists';
REVOKE ALL ON FUNCTION nurture._keep_lists() FROM PUBLIC;
