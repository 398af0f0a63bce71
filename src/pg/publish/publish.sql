-- Publishing with options, and giving up on a definition that waits.

-- The next model as it would be if everything it needs were there, and how many journeys adopting it would start. Features
-- that do not know the past yet are folded for the purpose: exact, and as slow as that.
CREATE FUNCTION nurture._would_enrol(kind text, id int) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    wanted CONSTANT text := nurture._source(0);
    past_tick CONSTANT bigint := 9223372036854775807;
    in_force nurture.model;
    drained timestamptz := (SELECT e.drained FROM nurture.engine e);
    registry jsonb;
    missing boolean;
    candidate nurture.compiled_model;
    folding nurture.compiled_model;
    number bigint;
BEGIN
    SELECT m.* INTO in_force FROM nurture.model m ORDER BY m.id DESC LIMIT 1;
    IF in_force.id IS NULL THEN
        RETURN 0; -- nobody has adopted anything
    END IF;
    -- What does not know the past has an id of its own here, and takes all that the log has.
    SELECT jsonb_agg(jsonb_build_object('id', CASE f.state WHEN 'live' THEN f.id ELSE 2000000000 + n.ordinal END, 'definition', n.definition,
                                        'from_tick', past_tick, 'complete', f.state IS NOT DISTINCT FROM 'live')),
           bool_or(f.state IS DISTINCT FROM 'live')
    INTO registry, missing
    FROM nurture._required_features(wanted) n
    LEFT JOIN nurture.feature f ON f.state <> 'ended' AND f.definition = n.definition;
    SELECT t.source::nurture.compiled_model INTO candidate
    FROM nurture._take_over(wanted, NULL,
        (SELECT coalesce(jsonb_agg(r || '{"complete": true}'), '[]')::text FROM jsonb_array_elements(registry) r),
        in_force.id + 1, drained, CASE kind WHEN 'segment' THEN ARRAY[id] END, CASE kind WHEN 'workflow' THEN ARRAY[id] END) t;
    IF missing THEN
        SELECT t.source::nurture.compiled_model INTO folding
        FROM nurture._take_over(wanted, NULL, registry::text, in_force.id + 1, drained, NULL, NULL) t;
    END IF;
    SELECT count(*) INTO number
    FROM nurture.contact c
    LEFT JOIN (SELECT f.contact, f.parts FROM nurture._fold_past(folding, past_tick, '', NULL) f WHERE missing) p
        ON p.contact = c.contact
    CROSS JOIN LATERAL (SELECT nurture._step(candidate, c.contact,
                            CASE WHEN p.parts IS NULL OR nurture._damage(c.state) IS NOT NULL THEN c.state ELSE nurture._with_past(candidate, c.state, p.parts) END,
                            NULL, NULL, 0) AS result OFFSET 0) s
    CROSS JOIN LATERAL nurture._transitions((s.result).outputs) t
    WHERE t.kind = 'journey started' AND t.cause = 'published';
    RETURN number;
END
$$;
COMMENT ON FUNCTION nurture._would_enrol(text, int) IS 'how many journeys start when the live definitions take effect and this one enrols';
REVOKE ALL ON FUNCTION nurture._would_enrol(text, int) FROM PUBLIC;


CREATE FUNCTION nurture.publish(kind text, name text, enrol_present boolean DEFAULT false, confirm bigint DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    most CONSTANT bigint := current_setting('nurture.enrol_limit');
    definition_id int;
    was_enabled boolean;
    number bigint := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM nurture.definition_kind k WHERE k.kind = publish.kind) THEN
        RAISE EXCEPTION 'there is no kind of definition "%"', kind USING ERRCODE = 'invalid_parameter_value',
            HINT = format('The kinds are %s.', (SELECT string_agg(k.kind, ', ' ORDER BY k.rank) FROM nurture.definition_kind k));
    ELSIF enrol_present AND kind NOT IN ('segment', 'workflow') THEN
        RAISE EXCEPTION 'a % enrols nobody', kind USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Segments and workflows do, with enrol_present => true.';
    END IF;
    EXECUTE format('SELECT d.id, d.enabled FROM nurture.%I d WHERE d.name = $1 FOR UPDATE', kind) INTO definition_id, was_enabled USING name;
    IF definition_id IS NULL THEN
        RAISE EXCEPTION '% "%" does not exist', kind, name USING ERRCODE = 'undefined_object';
    END IF;
    IF NOT was_enabled THEN
        EXECUTE format('UPDATE nurture.%I d SET enabled = true WHERE d.id = $1', kind) USING definition_id;
    END IF;
    IF enrol_present THEN
        number := nurture._would_enrol(kind, definition_id);
        IF number > most AND (confirm IS NULL OR confirm < number) THEN
            RAISE EXCEPTION 'publishing % "%" would start % journeys at once', kind, name, number
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      DETAIL = format('More than nurture.enrol_limit (%s) are started only when their number is confirmed.', most),
                      HINT = format('nurture.publish(%L, %L, enrol_present => true, confirm => %s)', kind, name, number);
        END IF;
        INSERT INTO nurture._enrolment (kind, id) VALUES (kind, definition_id) ON CONFLICT DO NOTHING;
        IF was_enabled THEN
            INSERT INTO nurture.pending_change (kind, operation, by) VALUES (kind, 'publish', session_user);
        END IF;
    END IF;
    RETURN number;
END
$$;
COMMENT ON FUNCTION nurture.publish(text, text, boolean, bigint) IS
    'enables a definition; enrol_present: those who fulfil it when it takes effect start journeys. Returns how many';
REVOKE ALL ON FUNCTION nurture.publish(text, text, boolean, bigint) FROM PUBLIC;

-- A definition that waits gives way to what is in force of it; what is not in force at all becomes a draft again.
CREATE FUNCTION nurture.cancel_backfill(kind text, name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    source jsonb;
    waits boolean;
    definition_id int;
    in_force text;
BEGIN
    SELECT m.model::text::jsonb, EXISTS (SELECT FROM jsonb_to_recordset(m.held) h (kind text, name text)
                                         WHERE h.kind = cancel_backfill.kind AND h.name = cancel_backfill.name)
    INTO source, waits FROM nurture.model m ORDER BY m.id DESC LIMIT 1;
    IF waits IS NOT TRUE THEN
        RAISE EXCEPTION '% "%" does not wait for a backfill', kind, name USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'nurture.progress lists what does.';
    END IF;
    EXECUTE format('SELECT d.id FROM nurture.%I d WHERE d.name = $1', kind) INTO definition_id USING name;
    SELECT coalesce(r ->> 'definition', r ->> 'condition') INTO in_force
    FROM jsonb_array_elements(source -> (kind || 's')) r
    WHERE (r ->> 'id')::int = definition_id AND coalesce((r ->> 'current')::boolean, true);
    CASE WHEN in_force IS NULL THEN
        EXECUTE format('UPDATE nurture.%I d SET enabled = false WHERE d.id = $1', kind) USING definition_id;
    WHEN kind = 'rule' THEN
        UPDATE nurture.rule r SET definition = in_force::nurture.rule_definition WHERE r.id = definition_id;
    WHEN kind = 'segment' THEN
        UPDATE nurture.segment s SET condition = in_force::nurture.condition WHERE s.id = definition_id;
    WHEN kind = 'workflow' THEN
        UPDATE nurture.workflow w SET definition = in_force::nurture.workflow_definition WHERE w.id = definition_id;
    END CASE;
    -- A query that folds the log for it would only be thrown away.
    PERFORM pg_cancel_backend(a.pid) FROM pg_stat_activity a
    WHERE a.backend_type = 'nurture backfill' AND a.datname = current_database();
END
$$;
COMMENT ON FUNCTION nurture.cancel_backfill(text, text) IS
    'gives up on a definition that waits for a backfill: what is in force of it comes back, else it becomes a draft';
REVOKE ALL ON FUNCTION nurture.cancel_backfill(text, text) FROM PUBLIC;
