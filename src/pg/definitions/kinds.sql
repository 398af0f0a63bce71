-- The kinds of definitions, and what is the same for all of them. A further kind joins by one line; its table needs the
-- columns id, name, enabled and description and one that holds the definition.

CREATE TABLE nurture.definition_kind (
    kind text PRIMARY KEY,
    definition_column text NOT NULL,
    form text,
    source_key text,
    hidden text[] NOT NULL,
    rank int GENERATED ALWAYS AS IDENTITY
);
COMMENT ON TABLE nurture.definition_kind IS 'the kinds of definitions: each is a table of that name';
COMMENT ON COLUMN nurture.definition_kind.form IS 'which form of the language the definition is in; NULL: none';
COMMENT ON COLUMN nurture.definition_kind.source_key IS 'under which key the source of a model has its live rows';
COMMENT ON COLUMN nurture.definition_kind.hidden IS 'columns that the engine fills: they are neither versioned nor exported';
COMMENT ON COLUMN nurture.definition_kind.rank IS 'later kinds refer to earlier ones';
REVOKE ALL ON TABLE nurture.definition_kind FROM PUBLIC;

CREATE TABLE nurture.definition_version (
    kind text NOT NULL,
    id int NOT NULL, -- no foreign key: what was deleted keeps its history
    version int NOT NULL,
    name text COLLATE "C" NOT NULL,
    definition text,
    enabled boolean NOT NULL,
    description text,
    settings jsonb,
    operation text NOT NULL,
    reason text,
    by text NOT NULL DEFAULT session_user,
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    until timestamptz,
    PRIMARY KEY (kind, id, version)
);
CREATE UNIQUE INDEX definition_version_latest ON nurture.definition_version (kind, id) WHERE until IS NULL;
COMMENT ON TABLE nurture.definition_version IS 'every version that every definition has had, deleted ones too; see nurture.audit and nurture.diff';
COMMENT ON COLUMN nurture.definition_version.version IS 'counts the changes of the definition, those of its name, description and enabled too';
COMMENT ON COLUMN nurture.definition_version.settings IS 'what else the kind has; NULL: nothing';
COMMENT ON COLUMN nurture.definition_version.operation IS 'created, changed, renamed, enabled, disabled, described, deleted, restored';
COMMENT ON COLUMN nurture.definition_version.reason IS 'what nurture.change_reason said, or which other change brought it about';
COMMENT ON COLUMN nurture.definition_version.by IS 'the role that had logged in';
COMMENT ON COLUMN nurture.definition_version.until IS 'when the next version took its place; NULL: it is the latest';
REVOKE ALL ON TABLE nurture.definition_version FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.definition_version', '');

-- Notes as versions whatever differs from the versions noted last. By comparing, so that TRUNCATE and what a session hid
-- from the triggers is noted as well, if only with the next change.
CREATE FUNCTION nurture._keep_versions(because text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    moment CONSTANT timestamptz := clock_timestamp();
BEGIN
    WITH change AS (
        SELECT coalesce(d.kind, v.kind) AS kind, coalesce(d.id, v.id) AS id, v.version AS before,
               CASE WHEN d.kind IS NULL THEN v.name ELSE d.name END AS name,
               CASE WHEN d.kind IS NULL THEN v.definition ELSE d.definition END AS definition,
               CASE WHEN d.kind IS NULL THEN v.enabled ELSE d.enabled END AS enabled,
               CASE WHEN d.kind IS NULL THEN v.description ELSE d.description END AS description,
               CASE WHEN d.kind IS NULL THEN v.settings ELSE d.settings END AS settings,
               CASE WHEN v.kind IS NULL THEN 'created'
                    WHEN d.kind IS NULL THEN 'deleted'
                    WHEN v.operation = 'deleted' THEN 'restored'
                    ELSE concat_ws(', ', CASE WHEN d.name <> v.name THEN 'renamed' END,
                        CASE WHEN d.definition IS DISTINCT FROM v.definition OR d.settings IS DISTINCT FROM v.settings THEN 'changed' END,
                        CASE WHEN d.enabled AND NOT v.enabled THEN 'enabled' WHEN v.enabled AND NOT d.enabled THEN 'disabled' END,
                        CASE WHEN d.description IS DISTINCT FROM v.description THEN 'described' END)
               END AS operation
        FROM nurture.definition d
        FULL JOIN (SELECT * FROM nurture.definition_version l WHERE l.until IS NULL) v ON v.kind = d.kind AND v.id = d.id
        WHERE CASE WHEN d.kind IS NULL THEN v.operation <> 'deleted'
                   ELSE v.kind IS NULL OR v.operation = 'deleted' OR (d.name, d.definition, d.enabled, d.description, d.settings)
                        IS DISTINCT FROM (v.name, v.definition, v.enabled, v.description, v.settings) END
    ), replaced AS (
        UPDATE nurture.definition_version v SET until = moment
        FROM change c WHERE v.kind = c.kind AND v.id = c.id AND v.until IS NULL
        RETURNING v.kind, v.id
    )
    -- Counting the replaced makes the insertion wait for them: the latest version is one.
    INSERT INTO nurture.definition_version (kind, id, version, name, definition, enabled, description, settings, operation, reason,
        by, at)
    SELECT c.kind, c.id, coalesce(c.before, 0) + 1, c.name, c.definition, c.enabled, c.description, c.settings, c.operation,
           coalesce(because, nullif(current_setting('nurture.change_reason', true), '')), session_user, moment
    FROM change c WHERE (SELECT count(*) FROM replaced) >= 0
    ORDER BY c.kind, c.id
    ON CONFLICT DO NOTHING; -- two sessions noted what a third had hidden
END
$$;
COMMENT ON FUNCTION nurture._keep_versions(text) IS 'notes the changes of definitions since the last versions';
REVOKE ALL ON FUNCTION nurture._keep_versions(text) FROM PUBLIC;

CREATE FUNCTION nurture._keep_versions_of() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A restore brings the versions with it, an import notes them when it is through.
    IF current_setting('check_function_bodies')::boolean AND current_setting('nurture_import.deferred', true) IS DISTINCT FROM 'on' THEN
        PERFORM nurture._keep_versions();
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION nurture._keep_versions_of() FROM PUBLIC;

-- A definition keeps its references when what it names gets another name: the text is rewritten, in drafts too, and in
-- every version of a workflow, in place: people inside stay where they are.
CREATE FUNCTION nurture._rename_references(of_kind text, names jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
    -- As in a restore: the whole is checked when all of it is written.
    SET check_function_bodies = off AS $$
DECLARE
    k record;
BEGIN
    FOR k IN SELECT d.kind AS relation, d.definition_column, d.form FROM nurture.definition_kind d WHERE d.form IS NOT NULL
             UNION ALL SELECT 'workflow_version', 'definition', 'workflow'
    LOOP
        EXECUTE format('UPDATE nurture.%1$I t SET %2$I = nurture._renamed(%3$L, t.%2$I::text, $1, $2::text)
                        WHERE EXISTS (SELECT FROM nurture._references(%3$L, t.%2$I::text) r WHERE r.kind = $1 AND $2 ? r.name)',
                       k.relation, k.definition_column, k.form) USING of_kind, names;
    END LOOP;
END
$$;
COMMENT ON FUNCTION nurture._rename_references(text, jsonb) IS 'rewrites every reference to what has another name now';
REVOKE ALL ON FUNCTION nurture._rename_references(text, jsonb) FROM PUBLIC;

CREATE FUNCTION nurture._carry_names() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names jsonb;
    told text;
BEGIN
    IF NOT current_setting('check_function_bodies')::boolean THEN
        RETURN NULL;
    END IF;
    SELECT jsonb_object_agg(b.name, a.name), string_agg(format('%s "%s" is now "%s"', TG_TABLE_NAME, b.name, a.name), ', ' ORDER BY b.name)
    INTO names, told
    FROM before b JOIN after a ON a.id = b.id AND a.name <> b.name;
    IF names IS NOT NULL THEN
        PERFORM nurture._keep_versions();
        PERFORM nurture._rename_references(TG_TABLE_NAME, names);
        PERFORM nurture._keep_versions(told);
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION nurture._carry_names() FROM PUBLIC;

CREATE FUNCTION nurture._manage_definitions(kind text, definition_column text, form text DEFAULT NULL, source_key text DEFAULT NULL,
        hidden text[] DEFAULT '{id}') RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO nurture.definition_kind (kind, definition_column, form, source_key, hidden)
    VALUES (kind, definition_column, form, source_key, hidden);
    -- Triggers of one event fire in the order of their names: first the names, then the check, then the versions.
    EXECUTE format('CREATE TRIGGER carry_names AFTER UPDATE ON nurture.%I REFERENCING OLD TABLE AS before NEW TABLE AS after
                    FOR EACH STATEMENT EXECUTE FUNCTION nurture._carry_names()', kind);
    EXECUTE format('CREATE TRIGGER keep_versions AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON nurture.%I
                    FOR EACH STATEMENT EXECUTE FUNCTION nurture._keep_versions_of()', kind);
    EXECUTE (SELECT 'CREATE OR REPLACE VIEW nurture.definition AS ' || string_agg(format(
        'SELECT %L::text AS kind, t.id, t.name, t.%I::text AS definition, t.enabled, t.description, '
        'nullif(to_jsonb(t) - %L::text[], ''{}'') AS settings FROM nurture.%I t',
        k.kind, k.definition_column, k.hidden || ARRAY['name', 'enabled', 'description', k.definition_column], k.kind), ' UNION ALL ' ORDER BY k.rank)
        FROM nurture.definition_kind k);
END
$$;
COMMENT ON FUNCTION nurture._manage_definitions(text, text, text, text, text[]) IS
    'makes a table one of definitions: its versions are kept, names in it followed, its rows exported';
REVOKE ALL ON FUNCTION nurture._manage_definitions(text, text, text, text, text[]) FROM PUBLIC;

-- What others refer to comes first.
SELECT nurture._manage_definitions('coupon_pool', 'when_empty', NULL, 'coupon_pools');
SELECT nurture._manage_definitions('rota', 'choose', NULL, 'rotas');
SELECT nurture._manage_definitions('stream', 'definition', 'stream', 'streams');
SELECT nurture._manage_definitions('rule', 'definition', 'rule', 'rules');
SELECT nurture._manage_definitions('segment', 'condition', 'condition', 'segments');
SELECT nurture._manage_definitions('workflow', 'definition', 'workflow', 'workflows', '{id, version, live_since}');
SELECT nurture._manage_definitions('policy', 'definition', 'policy', 'policies');
COMMENT ON VIEW nurture.definition IS 'all definitions of all kinds as they are now';
REVOKE ALL ON TABLE nurture.definition FROM PUBLIC;
