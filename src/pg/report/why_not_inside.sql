-- Why somebody never entered a workflow: what there is to be said, the most general first.

CREATE FUNCTION nurture._workflow_entry(definition nurture.workflow_definition)
    RETURNS TABLE (kind text, name text, condition text, what text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 3 AS 'MODULE_PATHNAME', 'nurture_workflow_entry';
COMMENT ON FUNCTION nurture._workflow_entry(nurture.workflow_definition) IS
    'what lets contacts into a workflow, then what keeps them out, as the header says: which event, segment, list, … it is about, what must hold';

-- A condition is asked as a segment that there is not. What cannot be asked so (a journey's variables) is unknown.
CREATE FUNCTION nurture._standing_against(contact text, condition text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    tried record;
    state nurture.profile;
    found text;
BEGIN
    SELECT t.* INTO tried FROM nurture._tried(ARRAY[nurture._source_with(jsonb_build_object('segment', jsonb_build_array(
        jsonb_build_object('name', '(asked)', 'condition', condition))))], false) t;
    state := nurture._state_for((SELECT m.model FROM nurture._current_model m), tried.models[1], tried.event_types, contact);
    SELECT string_agg(format('%s is %s%s', w.condition, w.value, ' (' || w.actual || ')'), ', ' ORDER BY w.n) INTO found
    FROM nurture._why_not(tried.models[1], state, '(asked)', greatest(nurture._clock(state), nurture._now()), contact) w;
    RETURN coalesce(found, '');
EXCEPTION WHEN syntax_error OR undefined_object OR invalid_object_definition OR invalid_parameter_value OR feature_not_supported THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION nurture._standing_against(text, text) IS
    'the parts of a condition that do not hold for a contact now, with what was found; empty: it holds; NULL: it cannot be asked by itself';

CREATE FUNCTION nurture._out_of_segment(contact text, segment text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    RETURN (SELECT string_agg(format('%s is %s%s', w.condition, w.value, ' (' || w.actual || ')'), ', ') FROM nurture.why_not(contact, segment) w);
EXCEPTION WHEN undefined_object THEN
    RETURN 'no such segment is in force yet';
END
$$;
COMMENT ON FUNCTION nurture._out_of_segment(text, text) IS 'the same of a segment; NULL: the contact is in it';

CREATE FUNCTION nurture._event_fulfils(event nurture.event_log, condition text) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    tried record;
BEGIN
    SELECT t.* INTO tried FROM nurture._tried(ARRAY[nurture._source_with(jsonb_build_object('segment', jsonb_build_array(
        jsonb_build_object('name', '(asked)', 'condition', condition))))], true) t;
    RETURN nurture._first_tried() + 1 = ANY ((nurture._evaluate(tried.models[1], NULL,
        (SELECT nurture._pack(event.type, event.at, event.received_at, event.props, NULL, 1, false)), 0, event.clock, event.contact)).segments);
EXCEPTION WHEN syntax_error OR undefined_object OR invalid_object_definition OR invalid_parameter_value OR feature_not_supported THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION nurture._event_fulfils(nurture.event_log, text) IS 'whether a condition holds for somebody of whom this event is all that is known';

-- Since when a workflow starts journeys, by the clock of events: where that is simulated the engine's own tells.
CREATE FUNCTION nurture._starts_since(workflow nurture.workflow) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN nurture._enabled() THEN workflow.live_since
       ELSE (SELECT min(coalesce(m.from_clock, '-infinity')) FROM nurture.model m
             WHERE m.model::text::jsonb -> 'workflows' @> jsonb_build_array(jsonb_build_object('id', workflow.id))) END
$$;
COMMENT ON FUNCTION nurture._starts_since(nurture.workflow) IS 'since when a workflow starts journeys, by the clock of events';

-- What there is to say of a thing that happened and started nothing.
CREATE FUNCTION nurture._started_nothing(what text, at timestamptz, received_at timestamptz, history boolean, since timestamptz, otherwise text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE
    WHEN history THEN format('%s, of %s, came as history, which starts nothing', what, at)
    WHEN received_at < since THEN format('%s came at %s, before the workflow was live (%s)', what, received_at, since)
    WHEN received_at - at > current_setting('nurture.late_after')::interval THEN format('%s, of %s, came later than nurture.late_after', what, at)
    ELSE format('%s came at %s: %s', what, received_at, otherwise) END
$$;
COMMENT ON FUNCTION nurture._started_nothing(text, timestamptz, timestamptz, boolean, timestamptz, text) IS 'why something that happened started no journey';

CREATE FUNCTION nurture._why_no_event(contact text, line record, since timestamptz, refused text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    newest nurture.event_log;
    attribute CONSTANT text[] := CASE WHEN line.kind LIKE 'attribute %' THEN ARRAY(SELECT jsonb_array_elements_text(line.name::jsonb)) END;
BEGIN
    SELECT l.* INTO newest FROM nurture._log_of(contact) l
    WHERE CASE WHEN line.kind = 'event' AND line.name = '' THEN left(l.type, 1) <> '$'
               WHEN line.kind = 'event' THEN l.type = line.name
               WHEN line.kind LIKE 'list %' THEN l.type = '$list' AND l.props ->> 'list' = line.name
                   AND (l.props ->> 'state' = 'member') = (line.kind = 'list joined')
               ELSE l.type IN ('$identify', '$set') AND l.props ? attribute[1] END
    ORDER BY l.tick DESC, l.n DESC LIMIT 1;
    RETURN CASE
        WHEN newest.type IS NOT NULL AND line.kind LIKE 'attribute %' THEN nurture._started_nothing('the last write of it', newest.at, newest.received_at, newest.history, since,
            format('it wrote %s, which is %s, or %s', coalesce(newest.props #> attribute, 'null'),
                CASE line.kind WHEN 'attribute set' THEN 'not the value asked for' ELSE 'its first value, the one it had, or not a change asked for' END, refused))
        WHEN newest.type IS NOT NULL THEN nurture._started_nothing('the last such event', newest.at, newest.received_at, newest.history, since,
            CASE WHEN line.condition <> '' THEN CASE nurture._event_fulfils(newest, line.condition)
                     WHEN true THEN refused WHEN false THEN 'its filter does not hold' ELSE 'its filter does not hold, ' || refused END
                 ELSE refused END)
        ELSE CASE line.kind WHEN 'event' THEN 'no such event ever came' WHEN 'list joined' THEN 'was never put on it' WHEN 'list left' THEN 'was never taken off it'
                            ELSE 'it was never written' END END;
END
$$;
COMMENT ON FUNCTION nurture._why_no_event(text, record, timestamptz, text) IS 'why no event has started a journey by a line of the header';

CREATE FUNCTION nurture._why_not_inside(contact text, workflow text) RETURNS TABLE (what text, why text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    asked nurture.workflow;
    since timestamptz;
    line record;
    moment timestamptz;
    found text;
    refused text;
BEGIN
    SELECT w.* INTO asked FROM nurture.workflow w WHERE w.name = workflow;
    IF asked.live_since IS NULL THEN
        RETURN QUERY SELECT 'the workflow', 'is a draft';
    ELSIF NOT asked.enabled THEN
        RETURN QUERY SELECT 'the workflow', 'is paused';
    END IF;
    RETURN QUERY SELECT 'the contact', 'is quarantined: ' || q.reason FROM nurture.quarantine q WHERE q.contact = contact;
    IF NOT EXISTS (SELECT FROM nurture.contact c WHERE c.contact = contact) THEN
        RETURN QUERY SELECT 'the contact', 'is not known';
        RETURN;
    END IF;
    since := nurture._starts_since(asked);
    -- trace_journey has told of the times at which somebody was held out.
    refused := CASE WHEN asked.live_since IS NULL THEN 'a draft starts nothing'
                    WHEN EXISTS (SELECT FROM nurture.transition t WHERE t.contact = ANY (nurture._keys_of(contact)) AND t.kind = 'journey held out'
                                   AND t.name = ANY (nurture._workflow_names(asked.id))) THEN 'the contact is in the control group'
                    WHEN asked.definition::text ~ '(^|\n)(exit|goal) ' THEN 'the workflow was paused then, or an exit or a goal held'
                    ELSE 'the workflow was paused then' END;
    IF NOT EXISTS (SELECT FROM nurture._workflow_entry(asked.definition) e WHERE e.kind NOT IN ('exit when', 'goal when')) THEN
        SELECT max(l.received_at) INTO moment FROM nurture._log_of(contact) l WHERE l.type = '$start' AND l.props ->> 'workflow' = workflow;
        RETURN QUERY SELECT 'started by hand', CASE WHEN moment IS NULL THEN 'nobody did; see nurture.start_journey'
            ELSE format('last at %s: %s', moment, refused) END;
    END IF;
    FOR line IN SELECT e.* FROM nurture._workflow_entry(asked.definition) e LOOP
        IF line.kind = 'event' OR line.kind LIKE 'attribute %' OR line.kind LIKE 'list %' THEN
            RETURN QUERY SELECT line.what, nurture._why_no_event(contact, line, since, refused);
        ELSIF line.kind IN ('segment entered', 'segment left') THEN
            SELECT max(t.at) INTO moment FROM nurture.transition t
            WHERE t.contact = ANY (nurture._keys_of(contact)) AND t.name = line.name AND t.kind = line.kind;
            RETURN QUERY SELECT line.what, CASE
                WHEN moment IS NULL AND line.kind = 'segment left' THEN 'never left it'
                WHEN moment IS NULL THEN 'never entered it: ' || coalesce(nurture._out_of_segment(contact, line.name), 'is in it since it was published')
                WHEN moment < since THEN format('last at %s, before the workflow was live (%s)', moment, since)
                ELSE format('last at %s: it was published, late by more than %s, or %s', moment, current_setting('nurture.late_after'), refused) END;
        ELSIF line.kind IN ('condition', 'condition ends') THEN
            found := nurture._standing_against(contact, line.condition);
            RETURN QUERY SELECT line.what, CASE
                WHEN found IS NULL THEN 'has not come true since the workflow is live'
                WHEN (found = '') = (line.kind = 'condition') THEN 'holds, but did so when the workflow came, or through something that starts nothing: publishing, history, an event that was late'
                WHEN line.kind = 'condition' THEN found
                ELSE 'holds still' END;
        ELSIF line.kind IN ('workflow finished', 'step reached') THEN
            SELECT max(t.at) INTO moment FROM nurture.transition t
            WHERE t.contact = ANY (nurture._keys_of(contact)) AND t.name = line.name
              AND CASE line.kind WHEN 'step reached' THEN t.kind = 'journey waits' AND t.step = line.condition
                                 ELSE t.kind = 'journey ended' AND t.detail ->> 'reason' = 'completed' END;
            RETURN QUERY SELECT line.what, CASE WHEN moment IS NULL THEN 'never did'
                WHEN moment < since THEN format('last at %s, before the workflow was live (%s)', moment, since)
                ELSE format('last at %s: %s', moment, refused) END;
        ELSIF line.kind = 'date' THEN
            SELECT nurture._attributes(c.state) #>> ARRAY(SELECT jsonb_array_elements_text(line.name::jsonb)) INTO found
            FROM nurture.contact c WHERE c.contact = contact;
            RETURN QUERY SELECT line.what, CASE WHEN found IS NULL THEN 'the attribute is not set'
                ELSE format('the attribute is %s: its moment is still to come, had passed when it was told, or came before the workflow was live', found) END;
        ELSIF line.kind = 'schedule' THEN
            found := CASE WHEN line.name <> '' THEN nurture._out_of_segment(contact, line.name) END;
            RETURN QUERY SELECT line.what, CASE WHEN found <> '' THEN 'the contact is not in the segment: ' || found
                ELSE format('has not come round for the contact since %s', greatest(since, (SELECT min(l.received_at) FROM nurture._log_of(contact) l))) END;
        ELSIF nurture._standing_against(contact, line.condition) = '' THEN
            RETURN QUERY SELECT line.what, 'holds now: nobody starts meanwhile';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION nurture._why_not_inside(text, text) IS 'what keeps a contact out of a workflow, as far as the log tells';
REVOKE ALL ON FUNCTION nurture._workflow_entry(nurture.workflow_definition), nurture._standing_against(text, text), nurture._out_of_segment(text, text), nurture._event_fulfils(nurture.event_log, text),
    nurture._starts_since(nurture.workflow), nurture._started_nothing(text, timestamptz, timestamptz, boolean, timestamptz, text),
    nurture._why_no_event(text, record, timestamptz, text), nurture._why_not_inside(text, text) FROM PUBLIC;
