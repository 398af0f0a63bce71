-- Adoption: how a model reaches contacts. Whoever has a message or is due adopts it in passing; a sweep in the order of
-- the keys brings it to all others, some with every tick.

CREATE FUNCTION nurture._model_changes() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (SELECT FROM nurture.pending_change) OR EXISTS (SELECT FROM nurture.model m WHERE NOT m.adopted)
$$;
COMMENT ON FUNCTION nurture._model_changes() IS 'whether definitions are waiting to be taken up, or a model to be adopted';
REVOKE ALL ON FUNCTION nurture._model_changes() FROM PUBLIC;

CREATE FUNCTION nurture._by_hand() RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT NOT nurture._enabled() OR (SELECT w.pid FROM nurture._worker_status() w) IS NULL
$$;
COMMENT ON FUNCTION nurture._by_hand() IS 'whether no worker runs, or the clock is simulated: then whoever ticks does the worker''s other work, too';
REVOKE ALL ON FUNCTION nurture._by_hand() FROM PUBLIC;

-- The next contacts of the sweep, bounded by how many keys it comes past, whoever has adopted the model already. The step
-- without messages and without a moment adopts and does nothing else. Returns how many keys it came past.
CREATE FUNCTION nurture._step_unadopted(model nurture.compiled_model, model_id int, this_tick bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    swept_at_once CONSTANT int := current_setting('nurture.sweep_contacts');
    behind text;
    last_key text;
    passed bigint;
BEGIN
    SELECT m.adopted_to INTO behind FROM nurture.model m WHERE m.id = model_id;
    SELECT max(k.contact), count(*) INTO last_key, passed
    FROM (SELECT c.contact FROM nurture.contact c WHERE c.contact > behind ORDER BY c.contact LIMIT swept_at_once) k;
    IF passed > 0 THEN
        INSERT INTO nurture._stepped
        SELECT r.contact, r.place, r.due_before, (r.result).*
        FROM (SELECT c.contact, c.ctid AS place, c.due AS due_before,
                     nurture._step(_step_unadopted.model, c.contact, c.state, NULL, NULL, this_tick) AS result
              FROM nurture.contact c
              WHERE c.contact > behind AND c.contact <= last_key AND c.model < model_id
                AND NOT EXISTS (SELECT FROM nurture._stepped s WHERE s.contact = c.contact)
                AND NOT EXISTS (SELECT FROM nurture.quarantine q WHERE q.contact = c.contact)
              OFFSET 0) r;
    END IF;
    UPDATE nurture.model m SET adopted_to = coalesce(last_key, m.adopted_to), swept = m.swept + passed,
                               adopted = passed < swept_at_once
    WHERE m.id = model_id;
    RETURN passed;
END
$$;
COMMENT ON FUNCTION nurture._step_unadopted(nurture.compiled_model, int, bigint) IS 'lets the next contacts adopt the model';
REVOKE ALL ON FUNCTION nurture._step_unadopted(nurture.compiled_model, int, bigint) FROM PUBLIC;

-- A workflow's earlier version leaves the model when nobody is inside any more: nobody comes to be there again.
CREATE FUNCTION nurture._inside(state nurture.profile) RETURNS TABLE (workflow int, version int)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 1 AS 'MODULE_PATHNAME', 'nurture_inside';
COMMENT ON FUNCTION nurture._inside(nurture.profile) IS 'the workflows'' versions in which a contact has journeys';
REVOKE ALL ON FUNCTION nurture._inside(nurture.profile) FROM PUBLIC;

CREATE FUNCTION nurture._retire_versions(at_most_every interval DEFAULT '0') RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    retired bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM nurture.workflow w JOIN nurture.workflow_version v ON v.workflow = w.id
                   WHERE v.version <> w.version AND NOT v.retired AND w.live_since IS NOT NULL)
        OR (SELECT e.versions_checked > clock_timestamp() - at_most_every FROM nurture.engine e) THEN
        RETURN false;
    END IF;
    PERFORM nurture._lock_engine();
    UPDATE nurture.engine SET versions_checked = clock_timestamp();
    WITH inside AS MATERIALIZED (
        SELECT DISTINCT i.workflow, i.version FROM nurture.contact c CROSS JOIN LATERAL nurture._inside(c.state) i
    )
    UPDATE nurture.workflow_version v SET retired = true
    FROM nurture._current_model m
    CROSS JOIN LATERAL jsonb_to_recordset(m.model::text::jsonb -> 'workflows') r (id int, version int, current boolean)
    WHERE NOT r.current AND v.workflow = r.id AND v.version = r.version AND NOT v.retired
      AND NOT EXISTS (SELECT FROM inside i WHERE i.workflow = r.id AND i.version = r.version);
    GET DIAGNOSTICS retired = ROW_COUNT;
    IF retired > 0 THEN
        INSERT INTO nurture.pending_change (kind, operation) VALUES ('workflow', 'retire');
    END IF;
    RETURN retired > 0;
END
$$;
COMMENT ON FUNCTION nurture._retire_versions(interval) IS
    'takes earlier versions of workflows out of the next model in which nobody is any more; true: there were some';
REVOKE ALL ON FUNCTION nurture._retire_versions(interval) FROM PUBLIC;
