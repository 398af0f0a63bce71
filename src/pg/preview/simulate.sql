-- Living through a workflow before anybody does: the steps of a contact on a clock that is only imagined. Nothing is written;
-- it is the tick's own step that decides.

CREATE FUNCTION nurture._outcome_rule(outcomes jsonb, action jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce((SELECT r.rule FROM jsonb_array_elements(outcomes) WITH ORDINALITY r (rule, n)
                 WHERE (r.rule -> 'template' IS NULL OR r.rule ->> 'template' = action ->> 'template')
                   AND (r.rule -> 'channel' IS NULL OR r.rule ->> 'channel' = action ->> 'channel')
                   AND (r.rule -> 'purpose' IS NULL OR r.rule ->> 'purpose' = action ->> 'purpose')
                   AND (r.rule -> 'step' IS NULL OR r.rule ->> 'step' = action ->> 'step')
                 ORDER BY r.n LIMIT 1), '{}')
$$;
COMMENT ON FUNCTION nurture._outcome_rule(jsonb, jsonb) IS 'the first of the outcomes that names the action, or {}';

CREATE FUNCTION nurture._check_imagined(what text, list jsonb, allowed text[], required text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one jsonb;
    wrong text;
BEGIN
    IF jsonb_typeof(list) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION '% must be a JSON array of objects', what USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR one IN SELECT e FROM jsonb_array_elements(list) e LOOP
        IF jsonb_typeof(one) <> 'object' OR required IS NOT NULL AND one ->> required IS NULL THEN
            RAISE EXCEPTION 'one of the % is %', what, one USING ERRCODE = 'invalid_parameter_value',
                HINT = format('Each is an object%s; it may have: %s.', ' that has ' || required, array_to_string(allowed, ', '));
        END IF;
        SELECT k INTO wrong FROM jsonb_object_keys(one) k WHERE k <> ALL (allowed) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'one of the % has "%"', what, wrong USING ERRCODE = 'invalid_parameter_value',
                HINT = format('It may have: %s.', array_to_string(allowed, ', '));
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION nurture._check_imagined(text, jsonb, text[], text) IS 'refuses events and outcomes of a simulation that say nothing sensible';

CREATE FUNCTION nurture._simulated(model nurture.compiled_model, contact text, state nurture.profile, since timestamptz, until timestamptz,
        events jsonb, outcomes jsonb)
    RETURNS TABLE (at timestamptz, what text, name text, version int, step text, detail jsonb, cause text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    most_steps CONSTANT int := 100000;
    this_tick bigint := coalesce((SELECT e.tick FROM nurture.engine e), 0);
    -- What the contact will be told, in any order.
    told_at timestamptz[];
    told_type text[];
    told_props jsonb[];
    told_action uuid[]; -- whose outcome it is
    names jsonb := '{}'; -- of actions
    next_told record;
    due timestamptz := since;
    result nurture.step_result;
    made record;
    rule jsonb;
    outcome text;
    taken text;
BEGIN
    SELECT array_agg(coalesce((e ->> 'at')::timestamptz, since + coalesce((e ->> 'after')::interval, '0')) ORDER BY n),
           array_agg(e ->> 'type' ORDER BY n), array_agg(coalesce(e -> 'props', '{}') ORDER BY n), array_agg(NULL::uuid)
    INTO told_at, told_type, told_props, told_action
    FROM jsonb_array_elements(events) WITH ORDINALITY x (e, n);
    FOR i IN 1 .. most_steps + 1 LOOP
        SELECT u.at, u.n INTO next_told FROM unnest(told_at) WITH ORDINALITY u (at, n) WHERE u.at IS NOT NULL ORDER BY u.at, u.n LIMIT 1;
        EXIT WHEN least(next_told.at, due) > until OR least(next_told.at, due) IS NULL;
        IF i > most_steps THEN
            RAISE EXCEPTION 'after % steps the simulation has only come to %', most_steps, least(next_told.at, due)
                USING ERRCODE = 'program_limit_exceeded', HINT = 'Choose an earlier end.';
        END IF;
        this_tick := this_tick + 1;
        IF due <= next_told.at OR next_told.at IS NULL THEN
            result := nurture._step(model, contact, state, NULL, due, this_tick);
        ELSE
            SELECT s.* INTO result FROM nurture._step(model, contact, state,
                (SELECT nurture._pack(told_type[next_told.n], next_told.at, next_told.at, told_props[next_told.n], NULL, 1, false)), NULL, this_tick) s;
            IF told_action[next_told.n] IS NULL OR left(told_type[next_told.n], 1) <> '$' THEN
                RETURN QUERY SELECT next_told.at, 'event', told_type[next_told.n], NULL::int, NULL::text, nullif(told_props[next_told.n], '{}'), NULL::text;
            ELSE
                RETURN QUERY SELECT next_told.at, substr(told_type[next_told.n], 2), coalesce(told_props[next_told.n] ->> 'template', told_props[next_told.n] ->> 'channel'),
                    (told_props[next_told.n] ->> 'version')::int, told_props[next_told.n] ->> 'step', NULL::jsonb, told_props[next_told.n] ->> 'workflow';
            END IF;
            taken := told_type[next_told.n];
            names := names - CASE WHEN taken LIKE '$%' THEN coalesce(told_action[next_told.n]::text, '') ELSE '' END;
            told_at := told_at[:next_told.n - 1] || told_at[next_told.n + 1:];
            told_type := told_type[:next_told.n - 1] || told_type[next_told.n + 1:];
            told_props := told_props[:next_told.n - 1] || told_props[next_told.n + 1:];
            told_action := told_action[:next_told.n - 1] || told_action[next_told.n + 1:];
        END IF;
        IF result.failure IS NOT NULL THEN
            RAISE EXCEPTION 'the step at % failed: %', coalesce(next_told.at, due), result.failure USING ERRCODE = 'data_exception',
                HINT = 'In the engine the contact would be quarantined.';
        END IF;
        state := result.state;
        due := result.due;
        CONTINUE WHEN result.outputs IS NULL;
        RETURN QUERY SELECT now, 'rejected', taken, NULL::int, NULL::text, jsonb_build_object('reason', r.reason), NULL::text
            FROM nurture._rejections(result.outputs) r CROSS JOIN LATERAL (SELECT next_told.at AS now) n;
        RETURN QUERY
            SELECT o.at, o.what, o.name, o.version, o.step, nullif(jsonb_strip_nulls(o.detail), '{}'), o.cause
            FROM (SELECT t.n AS rank, t.at, t.kind AS what, t.name, t.version, t.step,
                         CASE WHEN t.kind IN ('band changed', 'consent changed', 'arm assigned') THEN t.reason::jsonb ELSE jsonb_build_object('reason', t.reason, 'branch', t.branch) END AS detail, t.cause
                  FROM nurture._transitions(result.outputs) t WHERE t.cause <> 'published'
                  UNION ALL
                  SELECT w.n, w.at, 'written', w.type, NULL, NULL, w.props, NULL FROM nurture._written(result.outputs) w
                  UNION ALL
                  SELECT 0, a.due, 'action', coalesce(a.template, a.channel), a.version, a.step,
                         jsonb_build_object('channel', a.channel, 'purpose', a.purpose) || a.payload, a.workflow FROM nurture._actions(result.outputs) a
                  UNION ALL
                  SELECT 0, c.at, 'cancelled', names ->> c.id::text, NULL, NULL, jsonb_build_object('reason', c.reason), NULL
                  FROM nurture._cancellations(result.outputs) c) o
            WHERE o.at >= since
            -- At one instant: what happened, what it made the engine do, and where that left the journeys.
            ORDER BY o.at, CASE WHEN o.what IN ('journey waits', 'journey ended', 'branch ended') THEN 2 WHEN o.what IN ('action', 'cancelled') THEN 1 ELSE 0 END, o.rank;
        FOR made IN SELECT a.* FROM nurture._actions(result.outputs) a LOOP
            rule := nurture._outcome_rule(outcomes, to_jsonb(made));
            outcome := coalesce(rule ->> 'outcome', 'sent');
            names := names || jsonb_build_object(made.id, coalesce(made.template, made.channel));
            IF outcome IN ('sent', 'failed', 'dropped') THEN
                told_at := told_at || greatest(made.due + coalesce((rule ->> 'late')::interval, '0'), since);
                told_type := told_type || ('$' || outcome);
                told_props := told_props || jsonb_strip_nulls(jsonb_build_object('action', made.id, 'channel', made.channel, 'template', made.template,
                    'purpose', made.purpose, 'workflow', made.workflow, 'version', made.version, 'step', made.step, 'journey', made.journey));
                told_action := told_action || made.id;
            END IF;
            IF rule ? 'event' THEN
                told_at := told_at || (made.due + coalesce((rule ->> 'after')::interval, '1 hour'));
                told_type := told_type || (rule ->> 'event');
                told_props := told_props || (jsonb_strip_nulls(jsonb_build_object('template', made.template)) || coalesce(rule -> 'props', '{}'));
                told_action := told_action || made.id;
            END IF;
        END LOOP;
        -- What was withdrawn before it was due is not sent.
        IF EXISTS (SELECT FROM nurture._cancellations(result.outputs)) THEN
            SELECT array_agg(u.at ORDER BY u.n), array_agg(u.type ORDER BY u.n), array_agg(u.props ORDER BY u.n), array_agg(u.action ORDER BY u.n)
            INTO told_at, told_type, told_props, told_action
            FROM unnest(told_at, told_type, told_props, told_action) WITH ORDINALITY u (at, type, props, action, n)
            WHERE NOT EXISTS (SELECT FROM nurture._cancellations(result.outputs) c WHERE c.id = u.action);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION nurture._simulated(nurture.compiled_model, text, nurture.profile, timestamptz, timestamptz, jsonb, jsonb) IS
    'what would happen to a contact from a state on, told those events';

CREATE FUNCTION nurture._simulation(workflow text, definition text, since timestamptz, until timestamptz, events jsonb, outcomes jsonb,
        OUT before nurture.compiled_model, OUT model nurture.compiled_model, OUT event_types text[], OUT told jsonb)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stored nurture.workflow;
    tried record;
BEGIN
    IF isfinite(since) IS NOT TRUE OR isfinite(until) IS NOT TRUE OR until < since THEN
        RAISE EXCEPTION 'a simulation needs a beginning, and an end that is not before it' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM nurture._check_imagined('events', events, '{type,at,after,props}', 'type');
    PERFORM nurture._check_imagined('outcomes', outcomes, '{template,channel,purpose,step,outcome,late,event,after,props}', NULL);
    IF EXISTS (SELECT FROM jsonb_array_elements(outcomes) o WHERE o ->> 'outcome' NOT IN ('sent', 'failed', 'dropped', 'none')) THEN
        RAISE EXCEPTION 'an outcome is sent, failed, dropped or none' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT w.* INTO stored FROM nurture.workflow w WHERE w.name = workflow;
    IF NOT FOUND AND definition IS NULL THEN
        RAISE EXCEPTION 'there is no workflow "%"', workflow USING ERRCODE = 'undefined_object',
            HINT = 'Tell its text as definition => ''…'' to try one that is not stored.';
    END IF;
    -- A draft, or another text, is tried as if it were published.
    SELECT t.* INTO tried FROM nurture._tried(ARRAY[CASE WHEN definition IS NULL AND stored.enabled THEN nurture._source(0)::jsonb
        ELSE nurture._source_with(jsonb_build_object('workflow', jsonb_build_array(jsonb_build_object('name', workflow,
            'definition', coalesce(definition, stored.definition::text), 'enabled', true)))) END], false) t;
    model := tried.models[1];
    event_types := tried.event_types;
    before := (SELECT m.model FROM nurture._current_model m);
    -- What starts by hand alone is started, unless something is told.
    told := CASE WHEN events = '[]' AND NOT EXISTS (SELECT FROM nurture._workflow_entry(coalesce(definition::nurture.workflow_definition, stored.definition)) e
                                                    WHERE e.kind NOT IN ('exit when', 'goal when'))
                 THEN jsonb_build_array(jsonb_build_object('type', '$start', 'props', jsonb_build_object('workflow', workflow))) ELSE events END;
END
$$;
COMMENT ON FUNCTION nurture._simulation(text, text, timestamptz, timestamptz, jsonb, jsonb) IS 'checks what a simulation was told, and makes its model';

-- The state of a contact as a model to try out needs it: what it has not collected is taken from the log.
CREATE FUNCTION nurture._state_for(before nurture.compiled_model, model nurture.compiled_model, event_types text[], contact text)
    RETURNS nurture.profile
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN cardinality(_state_for.event_types) = 0 OR _state_for.before IS NULL THEN c.state
            ELSE coalesce(nurture._completed(_state_for.before, _state_for.model, c.state,
                (SELECT nurture._pack(e.type, e.at, e.received_at, e.props, NULL, e.tick * 16777216 + e.n, false)
                 FROM nurture.event e WHERE e.contact = c.contact)), c.state) END
FROM nurture.contact c WHERE c.contact = _state_for.contact
$$;
COMMENT ON FUNCTION nurture._state_for(nurture.compiled_model, nurture.compiled_model, text[], text) IS
    'a contact''s state with the features that only the second model has';

CREATE FUNCTION nurture.simulate(workflow text, contact text DEFAULT NULL, since timestamptz DEFAULT nurture._now(),
        until timestamptz DEFAULT NULL, events jsonb DEFAULT '[]', outcomes jsonb DEFAULT '[]',
        definition text DEFAULT NULL)
    RETURNS TABLE (n bigint, at timestamptz, what text, name text, step text, detail jsonb, cause text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    key CONSTANT text := coalesce(nurture.contact_of(contact), '(somebody new)');
    simulation record;
    state nurture.profile;
BEGIN
    until := coalesce(until, since + interval '90 days');
    SELECT s.* INTO simulation FROM nurture._simulation(workflow, definition, since, until, events, outcomes) s;
    IF contact IS NOT NULL THEN
        state := nurture._state_for(simulation.before, simulation.model, simulation.event_types, key);
        IF state IS NULL THEN
            RAISE EXCEPTION 'contact "%" is not known', contact USING ERRCODE = 'undefined_object',
                HINT = 'Without a contact the simulation is of somebody new.';
        ELSIF nurture._clock(state) > since THEN
            RAISE EXCEPTION 'contact "%" has already lived until %', contact, nurture._clock(state) USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Begin no earlier, or simulate somebody new by leaving the contact out.';
        END IF;
    END IF;
    RETURN QUERY
    SELECT row_number() OVER (ORDER BY s.place), s.at, s.what, s.name, s.step, s.detail, s.cause
    FROM (SELECT s.*, row_number() OVER () AS place
          FROM nurture._simulated(simulation.model, key, state, since, until, simulation.told, outcomes) s) s
    WHERE CASE WHEN s.what LIKE 'journey%' OR s.what = 'branch ended' THEN s.name = workflow
               WHEN s.what IN ('action', 'sent', 'failed', 'dropped') THEN s.cause = workflow ELSE true END
    ORDER BY s.place;
    IF NOT FOUND THEN
        RAISE NOTICE 'nothing happens until %', until
            USING HINT = 'Tell what starts the workflow as events => ''[{"type": "…"}]'', or name a contact who is inside or whom time brings in.';
    END IF;
END
$$;
COMMENT ON FUNCTION nurture.simulate(text, text, timestamptz, timestamptz, jsonb, jsonb, text) IS
    'what the workflow, stored, draft or as the definition says, would do with the contact (NULL: somebody new) who is told those events; every action is sent at its due unless outcomes say otherwise. Changes nothing';

CREATE FUNCTION nurture.simulate_sample(workflow text, sample int DEFAULT 100, since timestamptz DEFAULT nurture._now(),
        until timestamptz DEFAULT NULL, events jsonb DEFAULT '[]', outcomes jsonb DEFAULT '[]',
        definition text DEFAULT NULL)
    RETURNS TABLE (what text, name text, step text, contacts bigint, times bigint, first_at timestamptz, last_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    simulation record;
BEGIN
    IF sample <= 0 THEN
        RAISE EXCEPTION 'sample must be positive' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    until := coalesce(until, since + interval '90 days');
    SELECT s.* INTO simulation FROM nurture._simulation(workflow, definition, since, until, events, outcomes) s;
    RETURN QUERY
    SELECT l.what, l.name, l.step, count(DISTINCT c.contact), count(*), min(l.at), max(l.at)
    FROM (SELECT c.contact, greatest(since, nurture._clock(c.state)) AS since FROM nurture.contact c
          ORDER BY hashtextextended(c.contact, 0) LIMIT sample) c
    CROSS JOIN LATERAL nurture._simulated(simulation.model, c.contact,
        nurture._state_for(simulation.before, simulation.model, simulation.event_types, c.contact), c.since, greatest(until, c.since), simulation.told, outcomes) l
    WHERE CASE WHEN l.what LIKE 'journey%' OR l.what = 'branch ended' THEN l.name = workflow
               WHEN l.what IN ('action', 'sent', 'failed', 'dropped') THEN l.cause = workflow
               ELSE l.what LIKE 'segment%' END
    GROUP BY l.what, l.name, l.step
    ORDER BY min(l.at), l.what, l.name, l.step;
END
$$;
COMMENT ON FUNCTION nurture.simulate_sample(text, int, timestamptz, timestamptz, jsonb, jsonb, text) IS
    'nurture.simulate for a sample of the contacts, counted: what, how many of them, how often';

REVOKE ALL ON FUNCTION nurture._outcome_rule(jsonb, jsonb), nurture._check_imagined(text, jsonb, text[], text),
    nurture._simulated(nurture.compiled_model, text, nurture.profile, timestamptz, timestamptz, jsonb, jsonb),
    nurture._simulation(text, text, timestamptz, timestamptz, jsonb, jsonb),
    nurture._state_for(nurture.compiled_model, nurture.compiled_model, text[], text),
    nurture.simulate(text, text, timestamptz, timestamptz, jsonb, jsonb, text),
    nurture.simulate_sample(text, int, timestamptz, timestamptz, jsonb, jsonb, text) FROM PUBLIC;
