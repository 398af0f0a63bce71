-- What changed definitions would bring about, before anybody makes them.

-- The models before and after changes, and what they call their segments.
CREATE FUNCTION nurture._compared(changes jsonb, OUT before nurture.compiled_model, OUT after nurture.compiled_model,
        OUT new_features text[], OUT event_types text[], OUT names_before jsonb, OUT names_after jsonb)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    sources CONSTANT jsonb[] := ARRAY[nurture._source(0)::jsonb, nurture._source_with(changes)];
    tried record;
BEGIN
    SELECT t.* INTO tried FROM nurture._tried(sources, false) t;
    before := tried.models[1];
    after := tried.models[2];
    event_types := tried.event_types;
    new_features := ARRAY(SELECT DISTINCT f.definition FROM nurture._features_of(after) f WHERE f.definition = ANY (tried.new_features) ORDER BY 1);
    names_before := (SELECT coalesce(jsonb_object_agg(s ->> 'id', s ->> 'name'), '{}') FROM jsonb_array_elements(sources[1] -> 'segments') s);
    names_after := (SELECT coalesce(jsonb_object_agg(s ->> 'id', s ->> 'name'), '{}') FROM jsonb_array_elements(sources[2] -> 'segments') s);
END
$$;
COMMENT ON FUNCTION nurture._compared(jsonb) IS 'the models before and after a change of definitions';

CREATE FUNCTION nurture._moment_of_what_if(at timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF at < (SELECT e.drained FROM nurture.engine e) THEN
        RAISE EXCEPTION 'what_if looks at contacts as they are, not as they were' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'nurture.preview(condition, at) looks into the past.';
    END IF;
    RETURN coalesce(at, nurture._now());
END
$$;
COMMENT ON FUNCTION nurture._moment_of_what_if(timestamptz) IS 'the moment that what_if looks at';

CREATE FUNCTION nurture.what_if_contacts(changes jsonb, at timestamptz DEFAULT NULL, sample int DEFAULT NULL)
    RETURNS TABLE (contact text, score_before numeric, score_after numeric, segments_before text[], segments_after text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
SELECT e.contact, (e.was).score, (e.becomes).score,
       ARRAY(SELECT m.names_before ->> s::text FROM unnest((e.was).segments) s ORDER BY 1),
       ARRAY(SELECT m.names_after ->> s::text FROM unnest((e.becomes).segments) s ORDER BY 1)
FROM nurture._compared(changes) m
CROSS JOIN LATERAL nurture._evaluations(m.before, m.after, m.event_types, nurture._moment_of_what_if(at), false, sample) e
$$;
COMMENT ON FUNCTION nurture.what_if_contacts(jsonb, timestamptz, int) IS
    'every contact''s score and segments before and after changes of definitions that nobody has made yet';

CREATE FUNCTION nurture.what_if(changes jsonb, at timestamptz DEFAULT NULL, sample int DEFAULT NULL, examples int DEFAULT 5)
    RETURNS TABLE (what text, name text, before numeric, after numeric, enter bigint, leave bigint, who_enters text[], who_leaves text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
WITH model AS MATERIALIZED (
    SELECT m.* FROM nurture._compared(changes) m
), contact AS MATERIALIZED (
    SELECT e.contact, (e.was).score AS score_before, (e.becomes).score AS score_after, (e.was).segments AS segments_before,
           (e.becomes).segments AS segments_after
    FROM model m
    CROSS JOIN LATERAL nurture._evaluations(m.before, m.after, m.event_types, nurture._moment_of_what_if(at), false, sample) e
), segment AS (
    SELECT coalesce(a.key, b.key)::int AS id, coalesce(a.value, b.value) AS name
    FROM (SELECT x.* FROM model m CROSS JOIN LATERAL jsonb_each_text(m.names_before) x) b
    FULL JOIN (SELECT x.* FROM model m CROSS JOIN LATERAL jsonb_each_text(m.names_after) x) a ON a.key = b.key
), member AS (
    SELECT coalesce(b.id, a.id) AS id, coalesce(b.contact, a.contact) AS contact, b.id IS NOT NULL AS was, a.id IS NOT NULL AS becomes
    FROM (SELECT c.contact, s AS id FROM contact c CROSS JOIN LATERAL unnest(c.segments_before) s) b
    FULL JOIN (SELECT c.contact, s AS id FROM contact c CROSS JOIN LATERAL unnest(c.segments_after) s) a ON a.contact = b.contact AND a.id = b.id
), score AS (
    SELECT v.rank, v.name, v.before, v.after
    FROM (SELECT percentile_disc(ARRAY[0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]) WITHIN GROUP (ORDER BY c.score_before) AS before,
                 percentile_disc(ARRAY[0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]) WITHIN GROUP (ORDER BY c.score_after) AS after
          FROM contact c) p
    CROSS JOIN LATERAL unnest('{minimum,"10 percent","lower quartile",median,"upper quartile","90 percent",maximum}'::text[], p.before, p.after)
        WITH ORDINALITY v (name, before, after, rank)
)
SELECT r.what, r.name, r.before, r.after, r.enter, r.leave, r.who_enters, r.who_leaves
FROM (
    SELECT 1 AS rank, 1::bigint AS place, 'contacts' AS what, 'looked at' AS name, count(*)::numeric AS before, count(*)::numeric AS after,
           NULL::bigint AS enter, NULL::bigint AS leave, NULL::text[] AS who_enters, NULL::text[] AS who_leaves
    FROM contact c
    UNION ALL
    SELECT 1, 2, 'contacts', 'score changes', NULL, count(*), NULL, NULL, NULL, NULL FROM contact c WHERE c.score_before <> c.score_after
    UNION ALL
    SELECT 2, 1, 'segment', s.name, count(*) FILTER (WHERE m.was), count(*) FILTER (WHERE m.becomes),
           count(*) FILTER (WHERE m.becomes AND NOT m.was), count(*) FILTER (WHERE m.was AND NOT m.becomes),
           (array_agg(m.contact ORDER BY m.contact COLLATE "C") FILTER (WHERE m.becomes AND NOT m.was))[:examples],
           (array_agg(m.contact ORDER BY m.contact COLLATE "C") FILTER (WHERE m.was AND NOT m.becomes))[:examples]
    FROM segment s LEFT JOIN member m ON m.id = s.id GROUP BY s.id, s.name
    UNION ALL
    SELECT 3, v.rank, 'score', v.name, v.before, v.after, NULL, NULL, NULL, NULL FROM score v
    UNION ALL
    SELECT 3, 8, 'score', 'mean', round(avg(c.score_before), 6), round(avg(c.score_after), 6), NULL, NULL, NULL, NULL FROM contact c
    UNION ALL
    -- What has to be remembered of the past for it, and how many events have to be read.
    SELECT 4, 1, 'new feature', f.definition, NULL,
           (SELECT count(*) FROM nurture.event_log l WHERE l.type = ANY (f.events) OR '' = ANY (f.events)), NULL, NULL, NULL, NULL
    FROM (SELECT f.definition, array_agg(f.event) AS events FROM model m CROSS JOIN LATERAL nurture._features_of(m.after) f
          WHERE f.definition = ANY (m.new_features) GROUP BY f.definition) f
) r
ORDER BY r.rank, r.place, r.name COLLATE "C"
$$;
COMMENT ON FUNCTION nurture.what_if(jsonb, timestamptz, int, int) IS
    'who would enter and leave which segment, how scores would be distributed and what would have to be backfilled after changes of definitions in the form of an export; changes nothing';
REVOKE ALL ON FUNCTION nurture._compared(jsonb), nurture._moment_of_what_if(timestamptz),
    nurture.what_if_contacts(jsonb, timestamptz, int), nurture.what_if(jsonb, timestamptz, int, int) FROM PUBLIC;
