-- How definitions become the next model. What needs a feature that does not know the past yet waits, and what was in
-- force of it before goes on; the feature is collected meanwhile, and backfilled from the log.

CREATE FUNCTION nurture._take_over(wanted text, in_force text, registry text, id int, published timestamptz,
        enrol_segments int[], enrol_workflows int[])
    RETURNS TABLE (source text, differs boolean, changes boolean, held jsonb)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'nurture_take_over';
COMMENT ON FUNCTION nurture._take_over(text, text, text, int, timestamptz, int[], int[]) IS
    'the next model''s source; differs: from the one in force; changes: contacts have to adopt it; held: what waits';
REVOKE ALL ON FUNCTION nurture._take_over(text, text, text, int, timestamptz, int[], int[]) FROM PUBLIC;

-- What publishers asked for; the model that brings the definition into force takes it along.
CREATE TABLE nurture._enrolment (
    kind text NOT NULL CHECK (kind IN ('segment', 'workflow')),
    id int NOT NULL,
    by text NOT NULL DEFAULT session_user,
    at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (kind, id)
);
COMMENT ON TABLE nurture._enrolment IS 'definitions that start journeys for whoever fulfils them when they take effect';
REVOKE ALL ON TABLE nurture._enrolment FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture._enrolment', '');

-- Registers the features that the wanted definitions need, and ends those that nothing keeps. Without contacts there is
-- no past to be learnt.
CREATE FUNCTION nurture._register_features(wanted text, this_tick bigint) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
INSERT INTO nurture.feature (definition, from_tick, complete_from, state)
SELECT n.definition, this_tick,
       CASE WHEN EXISTS (SELECT FROM nurture.contact) THEN NULL ELSE '-infinity'::timestamptz END,
       CASE WHEN EXISTS (SELECT FROM nurture.contact) THEN 'backfilling' ELSE 'live' END
FROM nurture._required_features(wanted) n
WHERE NOT EXISTS (SELECT FROM nurture.feature f WHERE f.state <> 'ended' AND f.definition = n.definition)
ORDER BY n.definition COLLATE "C"
$$;
COMMENT ON FUNCTION nurture._register_features(text, bigint) IS 'gives new features their ids';
REVOKE ALL ON FUNCTION nurture._register_features(text, bigint) FROM PUBLIC;

CREATE FUNCTION nurture._registry() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce(json_agg(json_build_object('id', f.id, 'definition', f.definition, 'from_tick', f.from_tick,
                                           'complete', f.state = 'live') ORDER BY f.id), '[]')::text
FROM nurture.feature f WHERE f.state <> 'ended'
$$;
COMMENT ON FUNCTION nurture._registry() IS 'the features that are kept, as JSON';
REVOKE ALL ON FUNCTION nurture._registry() FROM PUBLIC;

-- The next model, if the definitions call for one. The caller holds the engine's lock. True: it was made, and the tick's
-- number is taken.
CREATE FUNCTION nurture._make_model(this_tick bigint) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted CONSTANT text := nurture._source(0);
    in_force nurture.model;
    next record;
    made nurture.model;
BEGIN
    SELECT m.* INTO in_force FROM nurture.model m ORDER BY m.id DESC LIMIT 1;
    PERFORM nurture._register_features(wanted, this_tick);
    SELECT t.* INTO next
    FROM nurture._take_over(wanted, in_force.model::text, nurture._registry(), coalesce(in_force.id, 0) + 1,
        (SELECT e.drained FROM nurture.engine e),
        ARRAY(SELECT e.id FROM nurture._enrolment e WHERE e.kind = 'segment'
              AND EXISTS (SELECT FROM nurture.segment s WHERE s.id = e.id AND s.enabled)),
        ARRAY(SELECT e.id FROM nurture._enrolment e WHERE e.kind = 'workflow'
              AND EXISTS (SELECT FROM nurture.workflow w WHERE w.id = e.id AND w.enabled))) t;
    DELETE FROM nurture._enrolment e
    WHERE NOT EXISTS (SELECT FROM jsonb_to_recordset(next.held) h (kind text, id int) WHERE h.kind = e.kind AND h.id = e.id);
    IF NOT next.differs THEN
        RETURN false;
    END IF;
    INSERT INTO nurture.model (id, from_tick, from_clock, source_hash, model, held, adopted, contacts)
    SELECT coalesce(in_force.id, 0) + 1, this_tick,
           -- Nobody is due before due_from: when there was more to do than timers, drained is behind them.
           (SELECT greatest(e.drained, e.due_from - interval '1 microsecond') FROM nurture.engine e), md5(wanted),
           next.source::nurture.compiled_model, next.held,
           NOT next.changes OR NOT EXISTS (SELECT FROM nurture.contact),
           CASE WHEN next.changes THEN (SELECT greatest(c.reltuples, 0)::bigint FROM pg_class c
                                        WHERE c.oid = 'nurture.contact'::regclass) END
    RETURNING * INTO made;
    UPDATE nurture.feature f SET state = 'ended', ended_tick = this_tick
    WHERE f.state <> 'ended'
      AND NOT EXISTS (SELECT FROM jsonb_to_recordset(next.source::jsonb -> 'features') k (id int) WHERE k.id = f.id);
    INSERT INTO nurture.backfill (from_tick)
    SELECT this_tick WHERE EXISTS (SELECT FROM nurture.feature f WHERE f.state = 'backfilling' AND f.from_tick = this_tick);
    RETURN true;
END
$$;
COMMENT ON FUNCTION nurture._make_model(bigint) IS 'makes the next model, if definitions or features have changed';
REVOKE ALL ON FUNCTION nurture._make_model(bigint) FROM PUBLIC;
