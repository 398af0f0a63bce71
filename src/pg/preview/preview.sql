-- Looking before leaping: definitions that are not in force, evaluated over the contacts there are. Nothing is written, so
-- all of it works in a READ ONLY transaction.

CREATE TYPE nurture._evaluation AS (score numeric, segments int[]);
COMMENT ON TYPE nurture._evaluation IS 'a contact''s score and the segments it is in, by id, under some model';

CREATE FUNCTION nurture._evaluate(model nurture.compiled_model, state nurture.profile, events bytea, first_new int, at timestamptz,
        contact text)
    RETURNS nurture._evaluation
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_evaluate';
COMMENT ON FUNCTION nurture._evaluate(nurture.compiled_model, nurture.profile, bytea, int, timestamptz, text) IS
    'a contact under a model; features of ids from first_new on, or without a state all of it, are folded from the events';
CREATE FUNCTION nurture._features_of(model nurture.compiled_model) RETURNS TABLE (id int, definition text, event text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 50 AS 'MODULE_PATHNAME', 'nurture_features_of';
COMMENT ON FUNCTION nurture._features_of(nurture.compiled_model) IS 'the features of a model and the event type each looks at';
REVOKE ALL ON FUNCTION nurture._evaluate(nurture.compiled_model, nurture.profile, bytea, int, timestamptz, text),
    nurture._features_of(nurture.compiled_model) FROM PUBLIC;

-- Ids from here on are of definitions and features that are only tried out.
CREATE FUNCTION nurture._first_tried() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 1073741824;
COMMENT ON FUNCTION nurture._first_tried() IS 'the least id of what is only tried out';

-- The live definitions with changes applied, as a source without features.
CREATE FUNCTION nurture._source_with(changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    source jsonb := nurture._source(0);
    one record;
    stored record;
    canonical jsonb;
    live boolean;
    version int;
BEGIN
    FOR one IN
        SELECT d.name, d.removed, d.content, d.n, k.kind, k.source_key, k.definition_column, k.hidden
        FROM nurture._definitions_in(changes) WITH ORDINALITY d (kind, name, removed, content, n) JOIN nurture.definition_kind k ON k.kind = d.kind
        WHERE k.source_key IS NOT NULL ORDER BY d.n
    LOOP
        SELECT d.id, d.enabled INTO stored FROM nurture.definition d WHERE d.kind = one.kind AND d.name = one.name;
        live := NOT one.removed AND coalesce((one.content ->> 'enabled')::boolean, true);
        version := NULL;
        IF one.kind = 'workflow' AND NOT one.removed THEN
            -- Those inside stay on their versions.
            SELECT max((w ->> 'version')::int) INTO version FROM jsonb_array_elements(source -> 'workflows') w WHERE w ->> 'name' = one.name;
            source := jsonb_set(source, '{workflows}', (
                SELECT coalesce(jsonb_agg(CASE WHEN w ->> 'name' = one.name THEN w || '{"current": false}' ELSE w END), '[]')
                FROM jsonb_array_elements(source -> 'workflows') w));
        ELSE
            source := jsonb_set(source, ARRAY[one.source_key], (
                SELECT coalesce(jsonb_agg(w), '[]') FROM jsonb_array_elements(source -> one.source_key) w WHERE w ->> 'name' <> one.name));
        END IF;
        CONTINUE WHEN NOT live;
        canonical := nurture._canonical(one.kind, one.name, one.content) - one.hidden;
        source := jsonb_insert(source, ARRAY[one.source_key, '-1'], canonical
            || jsonb_build_object('id', coalesce(stored.id, nurture._first_tried() + one.n::int))
            || CASE one.kind WHEN 'workflow' THEN jsonb_build_object('version', coalesce(version, 0) + 1, 'current', true, 'paused', false)
               ELSE '{}' END, true);
    END LOOP;
    RETURN source;
END
$$;
COMMENT ON FUNCTION nurture._source_with(jsonb) IS 'the source of a model that changed definitions would make';

-- Sources as models of one numbering: features that contacts keep completely under their ids, all others as tried out.
-- `anew`: nothing is taken from what contacts keep.
CREATE FUNCTION nurture._tried(sources jsonb[], anew boolean, OUT models nurture.compiled_model[], OUT new_features text[],
        OUT event_types text[])
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    features jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('id', coalesce(f.id, nurture._first_tried() + n.place), 'definition', n.definition,
                                        'from_tick', CASE WHEN anew THEN 0 ELSE coalesce(f.from_tick, 0) END)),
           coalesce(array_agg(n.definition ORDER BY n.place) FILTER (WHERE f.id IS NULL), '{}')
    INTO features, new_features
    FROM (SELECT r.definition, row_number() OVER (ORDER BY r.definition COLLATE "C")::int AS place
          FROM (SELECT DISTINCT r.definition FROM unnest(sources) s CROSS JOIN LATERAL nurture._required_features(s::text) r) r) n
    LEFT JOIN nurture.feature f ON f.definition = n.definition AND f.state = 'live';
    models := ARRAY(SELECT (u.s || jsonb_build_object('features', coalesce(features, '[]')))::text::nurture.compiled_model
                    FROM unnest(sources) WITH ORDINALITY u (s, n) ORDER BY u.n);
    event_types := ARRAY(SELECT DISTINCT f.event FROM unnest(models) m CROSS JOIN LATERAL nurture._features_of(m) f
                         WHERE f.definition = ANY (new_features) ORDER BY 1);
END
$$;
COMMENT ON FUNCTION nurture._tried(jsonb[], boolean) IS 'models to try out, the features they need beyond those there are, and of which events';

-- Every contact, or a sample of them, under two models. The log is read for new features alone; for a moment in the past
-- it is all there is.
CREATE FUNCTION nurture._evaluations(before nurture.compiled_model, after nurture.compiled_model, event_types text[],
        at timestamptz, past boolean, sample int)
    RETURNS TABLE (contact text, was nurture._evaluation, becomes nurture._evaluation)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    first_new CONSTANT int := nurture._first_tried();
BEGIN
    IF past THEN
        RETURN QUERY
        SELECT e.contact, nurture._evaluate(before, NULL, e.events, 0, at, e.contact),
               nurture._evaluate(after, NULL, e.events, 0, at, e.contact)
        FROM (SELECT e.contact, nurture._pack(e.type, e.at, e.received_at, e.props, NULL, e.tick * 16777216 + e.n, false) AS events
              FROM nurture.event e WHERE e.clock <= at
                AND (sample IS NULL OR e.contact IN (SELECT c.contact FROM nurture.contact c ORDER BY hashtextextended(c.contact, 0) LIMIT sample))
              GROUP BY e.contact) e;
    ELSIF cardinality(event_types) = 0 THEN
        RETURN QUERY
        SELECT c.contact, nurture._evaluate(before, c.state, NULL, first_new, at, c.contact),
               nurture._evaluate(after, c.state, NULL, first_new, at, c.contact)
        FROM nurture.contact c
        WHERE sample IS NULL OR c.contact IN (SELECT s.contact FROM nurture.contact s ORDER BY hashtextextended(s.contact, 0) LIMIT sample);
    ELSE
        RETURN QUERY
        SELECT c.contact, nurture._evaluate(before, c.state, e.events, first_new, at, c.contact),
               nurture._evaluate(after, c.state, e.events, first_new, at, c.contact)
        FROM nurture.contact c
        LEFT JOIN (SELECT e.contact, nurture._pack(e.type, e.at, e.received_at, e.props, NULL, e.tick * 16777216 + e.n, false) AS events
                   FROM nurture.event e WHERE e.type = ANY (event_types) OR ('' = ANY (event_types) AND left(e.type, 1) <> '$')
                   GROUP BY e.contact) e ON e.contact = c.contact
        WHERE sample IS NULL OR c.contact IN (SELECT s.contact FROM nurture.contact s ORDER BY hashtextextended(s.contact, 0) LIMIT sample);
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._evaluations(nurture.compiled_model, nurture.compiled_model, text[], timestamptz, boolean, int) IS
    'contacts under two models';
REVOKE ALL ON FUNCTION nurture._source_with(jsonb), nurture._tried(jsonb[], boolean),
    nurture._evaluations(nurture.compiled_model, nurture.compiled_model, text[], timestamptz, boolean, int) FROM PUBLIC;

CREATE FUNCTION nurture.preview(condition nurture.condition, at timestamptz DEFAULT NULL, sample int DEFAULT NULL, examples int DEFAULT 5)
    RETURNS TABLE (contacts bigint, looked_at bigint, known bigint, example_contacts text[], new_features text[], events_to_read bigint,
                   milliseconds numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    began CONSTANT timestamptz := clock_timestamp();
    moment CONSTANT timestamptz := coalesce(at, nurture._now());
    past CONSTANT boolean := moment < coalesce((SELECT e.drained FROM nurture.engine e), '-infinity');
    asked CONSTANT text := '(preview)';
    tried record;
    segment int;
    prepared timestamptz;
BEGIN
    IF sample <= 0 OR examples < 0 THEN
        RAISE EXCEPTION 'sample must be positive, examples not negative' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT t.* INTO tried FROM nurture._tried(ARRAY[nurture._source_with(jsonb_build_object('segment', jsonb_build_array(
        jsonb_build_object('name', asked, 'condition', condition::text))))], past) t;
    segment := nurture._first_tried() + 1;
    new_features := tried.new_features;
    prepared := clock_timestamp();
    SELECT count(*) FILTER (WHERE segment = ANY ((e.becomes).segments)), count(*),
           coalesce((array_agg(e.contact ORDER BY e.contact COLLATE "C") FILTER (WHERE segment = ANY ((e.becomes).segments)))[:examples], '{}')
    INTO contacts, looked_at, example_contacts
    FROM nurture._evaluations(NULL, tried.models[1], tried.event_types, moment, past, sample) e;
    IF sample IS NULL THEN
        known := looked_at;
    ELSIF past THEN
        known := (SELECT count(DISTINCT e.contact) FROM nurture.event e WHERE e.clock <= moment);
    ELSE
        known := (SELECT count(*) FROM nurture.contact);
    END IF;
    milliseconds := round((extract(epoch FROM prepared - began) * 1000
        + extract(epoch FROM clock_timestamp() - prepared) * 1000 * known / greatest(looked_at, 1))::numeric, 1);
    events_to_read := CASE WHEN cardinality(tried.event_types) = 0 THEN 0
                           ELSE (SELECT count(*) FROM nurture.event_log l WHERE l.type = ANY (tried.event_types)
                                OR ('' = ANY (tried.event_types) AND left(l.type, 1) <> '$')) END;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION nurture.preview(nurture.condition, timestamptz, int, int) IS
    'how many contacts fulfil a condition, now or at a moment, who for instance, and what a segment of it would cost; changes nothing';
REVOKE ALL ON FUNCTION nurture.preview(nurture.condition, timestamptz, int, int) FROM PUBLIC;
