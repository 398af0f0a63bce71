-- Who changed what; two versions side by side; back to an earlier one; another name.

CREATE VIEW nurture.audit AS
SELECT v.at, v.by, v.kind, v.name, v.version, v.operation, CASE WHEN p.name <> v.name THEN p.name END AS formerly, v.reason
FROM nurture.definition_version v
LEFT JOIN nurture.definition_version p ON p.kind = v.kind AND p.id = v.id AND p.version = v.version - 1;
COMMENT ON VIEW nurture.audit IS 'who changed which definition when, and why';
COMMENT ON COLUMN nurture.audit.formerly IS 'the name before, where it is another';
REVOKE ALL ON TABLE nurture.audit FROM PUBLIC;

CREATE FUNCTION nurture._diff_text(before text, after text) RETURNS TABLE (number int, change text, line text)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'nurture_diff_text';
COMMENT ON FUNCTION nurture._diff_text(text, text) IS 'two definitions line by line';

CREATE FUNCTION nurture._kind(of_kind text) RETURNS nurture.definition_kind
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_kind nurture.definition_kind;
BEGIN
    SELECT k.* INTO found_kind FROM nurture.definition_kind k WHERE k.kind = of_kind;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no kind of definitions "%"', of_kind USING ERRCODE = 'invalid_parameter_value',
            HINT = (SELECT format('The kinds are %s.', string_agg(k.kind, ', ' ORDER BY k.rank)) FROM nurture.definition_kind k);
    END IF;
    RETURN found_kind;
END
$$;
COMMENT ON FUNCTION nurture._kind(text) IS 'a kind of definitions by its name';

-- The definition that has the name, or else had it last.
CREATE FUNCTION nurture._definition_named(of_kind text, of_name text) RETURNS int
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_id int;
BEGIN
    PERFORM nurture._kind(of_kind);
    SELECT v.id INTO found_id FROM nurture.definition_version v WHERE v.kind = of_kind AND v.name = of_name
    ORDER BY v.until IS NULL AND v.operation <> 'deleted' DESC, v.at DESC, v.version DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% "%" does not exist and never did', of_kind, of_name USING ERRCODE = 'undefined_object',
            HINT = 'See nurture.definition for those there are and nurture.audit for those there were.';
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION nurture._definition_named(text, text) IS 'the id of the definition that has, or last had, the name';

CREATE FUNCTION nurture._version_of(of_kind text, of_name text, of_version int) RETURNS nurture.definition_version
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_id CONSTANT int := nurture._definition_named(of_kind, of_name);
    found_version nurture.definition_version;
BEGIN
    SELECT v.* INTO found_version FROM nurture.definition_version v WHERE v.kind = of_kind AND v.id = of_id AND v.version = of_version;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% "%" has no version %', of_kind, of_name, of_version USING ERRCODE = 'undefined_object',
            DETAIL = (SELECT format('Its versions are 1 to %s.', max(v.version)) FROM nurture.definition_version v
                      WHERE v.kind = of_kind AND v.id = of_id);
    END IF;
    RETURN found_version;
END
$$;
COMMENT ON FUNCTION nurture._version_of(text, text, int) IS 'a version of a definition';

CREATE FUNCTION nurture.diff(kind text, name text, v1 int DEFAULT NULL, v2 int DEFAULT NULL)
    RETURNS TABLE (part text, change text, line text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    latest CONSTANT int := (SELECT max(v.version) FROM nurture.definition_version v
                            WHERE v.kind = kind AND v.id = nurture._definition_named(kind, name));
    later CONSTANT int := coalesce(v2, latest);
    b nurture.definition_version;
    a nurture.definition_version;
BEGIN
    -- Alone, the first version is compared with nothing.
    IF v1 IS NOT NULL OR later > 1 THEN
        b := nurture._version_of(kind, name, coalesce(v1, later - 1));
    END IF;
    a := nurture._version_of(kind, name, later);
    RETURN QUERY
    SELECT p.part, d.change, d.line
    FROM (SELECT 1 AS rank, 'name' AS part, b.name AS was, a.name AS is
          UNION ALL SELECT 2, (SELECT k.definition_column FROM nurture.definition_kind k WHERE k.kind = kind), b.definition, a.definition
          UNION ALL SELECT 3, 'enabled', CASE b.enabled WHEN true THEN 'yes' WHEN false THEN 'no' END,
                           CASE a.enabled WHEN true THEN 'yes' ELSE 'no' END
          UNION ALL SELECT 4, 'description', b.description, a.description
          UNION ALL SELECT 5, coalesce(x.key, y.key), x.value, y.value
          FROM jsonb_each_text(b.settings) x FULL JOIN jsonb_each_text(a.settings) y ON y.key = x.key) p
    CROSS JOIN LATERAL (
        SELECT t.number, t.change, t.line FROM nurture._diff_text(p.was, p.is) t WHERE p.rank = 2
        UNION ALL
        SELECT 1, 'removed', p.was WHERE p.rank <> 2 AND p.was IS DISTINCT FROM p.is AND p.was IS NOT NULL
        UNION ALL
        SELECT 2, 'added', p.is WHERE p.rank <> 2 AND p.was IS DISTINCT FROM p.is AND p.is IS NOT NULL
    ) d
    ORDER BY p.rank, p.part, d.number;
    IF a.operation = 'deleted' AND v2 IS NULL THEN
        RETURN QUERY SELECT 'all of it', 'removed', format('deleted by %s', a."by");
    END IF;
END
$$;
COMMENT ON FUNCTION nurture.diff(text, text, int, int) IS
    'two versions of a definition line by line; by default the latest and the one before it';

-- Runs with the rights of whoever calls: he must be allowed to change the table.
CREATE FUNCTION nurture.rename(kind text, old text, new text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed bigint;
BEGIN
    PERFORM nurture._kind(kind);
    EXECUTE format('UPDATE nurture.%I SET name = $1 WHERE name = $2', kind) USING new, old;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed = 0 THEN
        RAISE EXCEPTION '% "%" does not exist', kind, old USING ERRCODE = 'undefined_object',
            HINT = 'See nurture.definition for those there are.';
    END IF;
END
$$;
COMMENT ON FUNCTION nurture.rename(text, text, text) IS 'gives a definition another name; whatever refers to it follows';

-- The text of a version as it reads today: what it names may have other names by now.
CREATE FUNCTION nurture._definition_today(v nurture.definition_version) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_form CONSTANT text := (SELECT k.form FROM nurture.definition_kind k WHERE k.kind = v.kind);
    text_then text := v.definition;
    r record;
BEGIN
    FOR r IN
        SELECT n.kind, jsonb_object_agg(n.name, d.name) AS names
        FROM (SELECT DISTINCT f.kind, f.name FROM nurture._references(of_form, v.definition) f) n
        CROSS JOIN LATERAL (SELECT o.id FROM nurture.definition_version o
                            WHERE o.kind = n.kind AND o.name = n.name AND o.at <= v.at ORDER BY o.at DESC LIMIT 1) o
        JOIN nurture.definition d ON d.kind = n.kind AND d.id = o.id AND d.name <> n.name
        GROUP BY n.kind
    LOOP
        text_then := nurture._renamed(of_form, text_then, r.kind, r.names::text);
    END LOOP;
    RETURN text_then;
END
$$;
COMMENT ON FUNCTION nurture._definition_today(nurture.definition_version) IS 'a version''s text under today''s names';

CREATE FUNCTION nurture.revert(kind text, name text, version int) RETURNS int
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    k CONSTANT nurture.definition_kind := nurture._kind(kind);
    v CONSTANT nurture.definition_version := nurture._version_of(kind, name, version);
    reason CONSTANT text := coalesce(current_setting('nurture.change_reason', true), '');
    content jsonb := coalesce(v.settings, '{}') || jsonb_build_object(
        k.definition_column, nurture._definition_today(v), 'description', v.description);
    columns text := (SELECT string_agg(quote_ident(c.key), ', ' ORDER BY c.key) FROM jsonb_object_keys(content) c (key));
    changed bigint;
BEGIN
    PERFORM set_config('nurture.change_reason', concat_ws(': ', format('reverted to version %s', version), nullif(reason, '')), true);
    EXECUTE format('UPDATE nurture.%1$I t SET (%2$s) = (SELECT %2$s FROM jsonb_populate_record(NULL::nurture.%1$I, $1) r) WHERE t.id = $2',
                   kind, columns) USING content, v.id;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed = 0 THEN
        -- It was deleted: it comes back as it was, under the same id, so that its history goes on. A workflow comes back as
        -- a version of its own: nobody is inside that.
        content := content || jsonb_build_object('id', v.id, 'name', v.name, 'enabled', v.enabled);
        IF 'version' = ANY (k.hidden) THEN
            content := content || jsonb_build_object('version', (SELECT max(o.version) + 1 FROM nurture.definition_version o
                                                                 WHERE o.kind = kind AND o.id = v.id));
        END IF;
        columns := (SELECT string_agg(quote_ident(c.key), ', ' ORDER BY c.key) FROM jsonb_object_keys(content) c (key));
        EXECUTE format('INSERT INTO nurture.%1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM jsonb_populate_record(NULL::nurture.%1$I, $1) r',
                       kind, columns) USING content;
    END IF;
    PERFORM set_config('nurture.change_reason', reason, true);
    RETURN (SELECT max(o.version) FROM nurture.definition_version o WHERE o.kind = kind AND o.id = v.id);
END
$$;
COMMENT ON FUNCTION nurture.revert(text, text, int) IS
    'makes an earlier version the latest (its name and whether it is enabled stay); brings back what was deleted; returns the new version';
REVOKE ALL ON FUNCTION nurture.diff(text, text, int, int), nurture.rename(text, text, text), nurture.revert(text, text, int) FROM PUBLIC;
