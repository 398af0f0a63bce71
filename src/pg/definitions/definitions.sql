-- What marketers write: rules, segments, workflows. A row is live when `enabled`; a draft is `enabled = false`.
-- A change is checked when it is made and takes effect at the next tick.

CREATE TABLE nurture.rule (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 512),
    definition nurture.rule_definition NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    description text,
    id int GENERATED ALWAYS AS IDENTITY UNIQUE
);
COMMENT ON TABLE nurture.rule IS 'scoring rules: points for what people do';
COMMENT ON COLUMN nurture.rule.definition IS
    'such as: +5 on page_view where path like ''/pricing%'' topic pricing half-life 14 days at most 3 per day';

CREATE TABLE nurture.segment (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 512),
    condition nurture.condition NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    description text,
    id int GENERATED ALWAYS AS IDENTITY UNIQUE
);
COMMENT ON TABLE nurture.segment IS 'segments: who fulfils a condition, exact at every moment';
COMMENT ON COLUMN nurture.segment.condition IS
    'such as: score >= 50 and not did purchase within 30 days';

CREATE TABLE nurture.workflow (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 512),
    definition nurture.workflow_definition NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    description text,
    id int GENERATED ALWAYS AS IDENTITY UNIQUE,
    version int NOT NULL DEFAULT 1,
    live_since timestamptz
);
COMMENT ON TABLE nurture.workflow IS 'workflows: what contacts are walked through; disabling pauses those inside';
COMMENT ON COLUMN nurture.workflow.version IS 'counts the definitions the workflow has had; people inside stay on theirs';
COMMENT ON COLUMN nurture.workflow.live_since IS 'when it was first enabled; NULL: a draft so far';

CREATE TABLE nurture.workflow_version (
    workflow int NOT NULL, -- no foreign key: a parallel restore loads the two tables side by side
    version int NOT NULL,
    definition nurture.workflow_definition NOT NULL,
    since timestamptz NOT NULL DEFAULT pg_catalog.now(),
    retired boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workflow, version)
);
COMMENT ON TABLE nurture.workflow_version IS 'every definition that a workflow has had';
COMMENT ON COLUMN nurture.workflow_version.retired IS 'nobody is inside any more, and nobody will be';

CREATE TABLE nurture.workflow_hold (
    workflow int NOT NULL, -- no foreign key: a parallel restore loads the two tables side by side
    step text NOT NULL,
    since timestamptz NOT NULL DEFAULT pg_catalog.now(),
    by text NOT NULL DEFAULT current_user,
    PRIMARY KEY (workflow, step)
);
COMMENT ON TABLE nurture.workflow_hold IS 'steps of workflows that nobody passes for now; see nurture.pause_journeys';
REVOKE ALL ON TABLE nurture.workflow_hold FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.workflow_hold', '');

CREATE TABLE nurture.pending_change (
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    operation text NOT NULL,
    by text NOT NULL DEFAULT current_user,
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
-- No primary key: a restore notes changes by its triggers and then brings those that were waiting when it was dumped.
COMMENT ON TABLE nurture.pending_change IS 'changes of definitions that the next tick will take up';

CREATE TRIGGER wake AFTER INSERT ON nurture.pending_change
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._wake();

REVOKE ALL ON TABLE nurture.rule, nurture.segment, nurture.workflow, nurture.workflow_version, nurture.pending_change FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.rule', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.rule_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.segment', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.segment_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.workflow', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.workflow_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.workflow_version', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.pending_change', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.pending_change_id_seq', '');

-- Versions of workflows are kept as they are written.
CREATE FUNCTION nurture._version_workflow() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        -- Nobody is inside a draft: it is rewritten rather than kept. So are all versions when what they name is renamed
        -- (see _rename_references, which says so as pg_dump does).
        NEW.version := OLD.version + CASE WHEN OLD.live_since IS NOT NULL AND NEW.definition::text <> OLD.definition::text
            AND current_setting('check_function_bodies')::boolean THEN 1 ELSE 0 END;
    END IF;
    IF NEW.enabled AND NEW.live_since IS NULL THEN
        NEW.live_since := now();
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER version BEFORE INSERT OR UPDATE ON nurture.workflow
    FOR EACH ROW EXECUTE FUNCTION nurture._version_workflow();

CREATE FUNCTION nurture._keep_workflow_version() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A restore brings the versions with it.
    IF current_setting('check_function_bodies')::boolean THEN
        INSERT INTO nurture.workflow_version (workflow, version, definition)
        VALUES (NEW.id, NEW.version, NEW.definition)
        ON CONFLICT (workflow, version) DO UPDATE SET definition = excluded.definition
            WHERE workflow_version.definition::text <> excluded.definition::text;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_version AFTER INSERT OR UPDATE ON nurture.workflow
    FOR EACH ROW EXECUTE FUNCTION nurture._keep_workflow_version();

CREATE FUNCTION nurture._forget_workflow_versions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM nurture.workflow_version v WHERE NOT EXISTS (SELECT FROM nurture.workflow w WHERE w.id = v.workflow);
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_versions AFTER DELETE OR TRUNCATE ON nurture.workflow
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._forget_workflow_versions();

CREATE FUNCTION nurture._forget_holds() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM nurture.workflow_hold h WHERE NOT EXISTS (SELECT FROM nurture.workflow w WHERE w.id = h.workflow);
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_holds AFTER DELETE OR TRUNCATE ON nurture.workflow
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._forget_holds();
REVOKE ALL ON FUNCTION nurture._forget_holds() FROM PUBLIC;

-- The live definitions as JSON, as core/model/source.hpp reads them. Features are added by the tick.
CREATE FUNCTION nurture._source(model int, features json DEFAULT '[]') RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT json_build_object(
    'format', 1,
    'id', model,
    'timezone', current_setting('nurture.timezone'),
    'late_after', extract(epoch FROM current_setting('nurture.late_after')::interval)::bigint * 1000000,
    'action_expiry', extract(epoch FROM current_setting('nurture.action_expiry')::interval)::bigint * 1000000,
    'dedup_window', extract(epoch FROM current_setting('nurture.dedup_window')::interval)::bigint * 1000000,
    'calendar', nurture._calendar_source(),
    'lists', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM nurture.list),
    'holdout_percent', (current_setting('nurture.holdout_percent')::numeric * 1000000)::bigint,
    'holdout_salt', current_setting('nurture.holdout_salt'),
    'session_gap', extract(epoch FROM current_setting('nurture.session_gap')::interval)::bigint * 1000000,
    'max_window_entries', current_setting('nurture.max_window_entries')::bigint,
    'rules', (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'definition', definition::text)
                              ORDER BY id), '[]')
              FROM nurture.rule WHERE enabled),
    'segments', (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'condition', condition::text)
                                 ORDER BY id), '[]')
                 FROM nurture.segment WHERE enabled),
    'workflows', (SELECT coalesce(json_agg(json_build_object('id', w.id, 'version', v.version, 'name', w.name,
                                           'definition', v.definition::text, 'current', v.version = w.version,
                                           'paused', NOT w.enabled,
                                           'held_steps', (SELECT coalesce(json_agg(h.step ORDER BY h.step), '[]')
                                                          FROM nurture.workflow_hold h WHERE h.workflow = w.id)) ORDER BY w.id, v.version), '[]')
                  FROM nurture.workflow w JOIN nurture.workflow_version v ON v.workflow = w.id
                  WHERE w.live_since IS NOT NULL AND NOT v.retired),
    'limits', (SELECT coalesce(json_agg(json_build_object('name', name, 'topic', topic, 'floor', floor::text,
                                        'ceiling', ceiling::text) ORDER BY name), '[]')
               FROM nurture.score_limit WHERE enabled),
    'bands', (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'topic', topic, 'from', at_least::text,
                                       'hysteresis', hysteresis::text,
                                       'rearm', (extract(epoch FROM rearm) * 1000000)::bigint) ORDER BY id), '[]')
              FROM nurture.band WHERE enabled),
    'policies', (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'definition', definition::text)
                                 ORDER BY id), '[]')
                 FROM nurture.policy WHERE enabled),
    'streams', (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'definition', definition::text)
                                ORDER BY id), '[]')
                FROM nurture.stream WHERE enabled),
    'coupon_pools', (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name) ORDER BY id), '[]')
                     FROM nurture.coupon_pool WHERE enabled),
    'rotas', (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name) ORDER BY id), '[]')
              FROM nurture.rota WHERE enabled),
    'features', features)::text
$$;
COMMENT ON FUNCTION nurture._source(int, json) IS 'the live definitions as a model''s source';
REVOKE ALL ON FUNCTION nurture._source(int, json) FROM PUBLIC;

-- After every statement that changes definitions: does the whole still compile? pg_dump switches function bodies' checks
-- off to say that what is referred to may come later; then nothing is resolved here, and the next tick decides.
CREATE FUNCTION nurture._check_definitions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    users text;
    gone text;
BEGIN
    INSERT INTO nurture.pending_change (kind, operation, by) VALUES (TG_TABLE_NAME, lower(TG_OP), session_user);
    -- An import checks when it is through.
    IF NOT current_setting('check_function_bodies')::boolean OR current_setting('nurture_import.deferred', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF TG_TABLE_NAME = 'segment' AND TG_OP IN ('DELETE', 'UPDATE') THEN
        SELECT string_agg(format('%s "%s" uses segment "%s".', d.kind, d.name, d.uses_name), E'\n' ORDER BY d.kind, d.name),
               min(d.uses_name)
        INTO users, gone
        FROM (SELECT d.kind, d.name, d.uses_name FROM nurture.dependency d WHERE d.uses_kind = 'segment' AND d.enabled
              UNION -- people may be inside an earlier version, or inside a workflow that pauses
              SELECT 'workflow', w.name, r.name
              FROM nurture.workflow w JOIN nurture.workflow_version v ON v.workflow = w.id
              CROSS JOIN LATERAL nurture._references('workflow', v.definition::text) r
              WHERE w.live_since IS NOT NULL AND NOT v.retired AND r.kind = 'segment') d
        JOIN before b ON b.name = d.uses_name AND b.enabled
        WHERE NOT EXISTS (SELECT FROM nurture.segment s WHERE s.name = d.uses_name AND s.enabled);
        IF users IS NOT NULL THEN
            RAISE EXCEPTION 'cannot remove segment "%" because other definitions use it', gone
                USING ERRCODE = 'dependent_objects_still_exist', DETAIL = users,
                      HINT = 'Change or disable them first, in the same transaction if you like.';
        END IF;
    END IF;
    PERFORM FROM nurture._required_features(nurture._source(0));
    RETURN NULL;
END
$$;
CREATE TRIGGER check_insert AFTER INSERT ON nurture.rule FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_change AFTER UPDATE OR DELETE ON nurture.rule FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_insert AFTER INSERT ON nurture.segment FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_update AFTER UPDATE ON nurture.segment REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_delete AFTER DELETE ON nurture.segment REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_insert AFTER INSERT ON nurture.workflow FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_change AFTER UPDATE OR DELETE ON nurture.workflow FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_truncate AFTER TRUNCATE ON nurture.rule FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_truncate AFTER TRUNCATE ON nurture.segment FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_truncate AFTER TRUNCATE ON nurture.workflow FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
-- Whoever may execute a trigger function may hang it on a table of his own and so choose what it writes.
REVOKE ALL ON FUNCTION nurture._version_workflow(), nurture._keep_workflow_version(), nurture._forget_workflow_versions(),
    nurture._check_definitions() FROM PUBLIC;
