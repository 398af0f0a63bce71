-- All definitions as one text and back: JSON for machines, SQL for people and git.

-- Definitions of a kind, each after those of its kind that it names.
CREATE FUNCTION nurture._in_order(of_kind text) RETURNS TABLE (name text, place bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
WITH RECURSIVE edge AS MATERIALIZED (
    SELECT DISTINCT d.name, d.uses_name FROM nurture.dependency d WHERE d.kind = of_kind AND d.uses_kind = of_kind
), depth AS (
    SELECT d.name, 0 AS depth FROM nurture.definition d WHERE d.kind = of_kind
    UNION
    -- Drafts may go round in circles.
    SELECT e.name, d.depth + 1 FROM depth d JOIN edge e ON e.uses_name = d.name WHERE d.depth < (SELECT count(*) FROM edge)
)
SELECT d.name, row_number() OVER (ORDER BY max(d.depth), d.name COLLATE "C") FROM depth d GROUP BY d.name
$$;
COMMENT ON FUNCTION nurture._in_order(text) IS 'the definitions of a kind in an order in which they can be made';

-- Every definition as a JSON object whose keys are the columns of its table, as far as they say anything.
CREATE FUNCTION nurture._exported(of_kind text) RETURNS TABLE (name text, place bigint, content json)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
WITH place AS MATERIALIZED (SELECT o.* FROM nurture._in_order(of_kind) o)
SELECT d.name, o.place,
       ('{' || string_agg(to_json(c.key) || ': ' || c.value, ', ' ORDER BY c.rank, c.key) || '}')::json
FROM nurture.definition d JOIN nurture.definition_kind k ON k.kind = d.kind JOIN place o ON o.name = d.name
CROSS JOIN LATERAL (
    SELECT 1 AS rank, 'name' AS key, to_jsonb(d.name) AS value
    UNION ALL SELECT 2, k.definition_column, to_jsonb(d.definition) WHERE d.definition IS NOT NULL
    UNION ALL SELECT 3, s.key, s.value FROM jsonb_each(d.settings) s WHERE s.value <> 'null'
    UNION ALL SELECT 4, 'enabled', to_jsonb(false) WHERE NOT d.enabled
    UNION ALL SELECT 5, 'description', to_jsonb(d.description) WHERE d.description IS NOT NULL
) c
WHERE d.kind = of_kind GROUP BY d.name, o.place
$$;
COMMENT ON FUNCTION nurture._exported(text) IS 'the definitions of a kind as they are exported';

-- A text as a literal that reads well: over several lines when it is long.
CREATE FUNCTION nurture._readable_literal(content text, is_definition boolean) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
SELECT CASE WHEN t.lines ~ E'\n' AND t.lines !~ '\$definition\$' THEN
            CASE WHEN t.lines ~ '\$\$' OR t.lines LIKE '%$' THEN E'$definition$\n' || t.lines || E'\n$definition$' ELSE E'$$\n' || t.lines || E'\n$$' END
       ELSE quote_literal(content) END
FROM (SELECT CASE WHEN is_definition AND length(content) > 80
                  THEN (SELECT string_agg(d.line, E'\n' ORDER BY d.number) FROM nurture._diff_text(NULL, content) d)
                  WHEN is_definition THEN content ELSE '' END AS lines) t
$body$;
COMMENT ON FUNCTION nurture._readable_literal(text, boolean) IS 'a literal of SQL, definitions line by line';

CREATE FUNCTION nurture._export_sql() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
SELECT coalesce(string_agg(statements, E'\n' ORDER BY rank), '')
FROM (
    SELECT k.rank, string_agg(format(E'INSERT INTO nurture.%I (%s) VALUES\n    (%s);\n', k.kind, c.names, c.literals), '' ORDER BY e.place) AS statements
    FROM nurture.definition_kind k CROSS JOIN LATERAL nurture._exported(k.kind) e
    CROSS JOIN LATERAL (
        SELECT string_agg(quote_ident(j.key), ', ' ORDER BY j.n) AS names,
               string_agg(CASE json_typeof(j.value)
                              WHEN 'string' THEN nurture._readable_literal(j.value #>> '{}', j.key = k.definition_column AND k.form IS NOT NULL)
                              WHEN 'number' THEN j.value::text WHEN 'boolean' THEN j.value::text
                              ELSE quote_literal(j.value::text) END, ', ' ORDER BY j.n) AS literals
        FROM json_each(e.content) WITH ORDINALITY j (key, value, n)) c
    GROUP BY k.rank
) s
$$;
COMMENT ON FUNCTION nurture._export_sql() IS 'all definitions as statements';

CREATE FUNCTION nurture.export_definitions(format text DEFAULT 'json') RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
BEGIN
    IF format = 'sql' THEN
        RETURN nurture._export_sql();
    ELSIF format = 'json' THEN
        RETURN (SELECT E'{\n  "format": 1' || coalesce(string_agg(pg_catalog.format(E',\n  %s: [%s]', to_json(k.kind), d.list), '' ORDER BY k.rank), '') || E'\n}\n'
                FROM nurture.definition_kind k
                CROSS JOIN LATERAL (SELECT string_agg(E'\n    ' || e.content::text, ',' ORDER BY e.place) || E'\n  ' AS list
                                    FROM nurture._exported(k.kind) e) d
                WHERE d.list IS NOT NULL);
    END IF;
    RAISE EXCEPTION 'there is no format "%"', format USING ERRCODE = 'invalid_parameter_value', HINT = 'The formats are json and sql.';
END
$$;
COMMENT ON FUNCTION nurture.export_definitions(text) IS
    'all definitions as JSON, for nurture.import_definitions and nurture.what_if, or as a script of INSERTs; each after those it names';
REVOKE ALL ON FUNCTION nurture.export_definitions(text) FROM PUBLIC;

-- The definitions of a JSON text as rows, checked for what every use of them needs: known kinds, known columns, a name.
CREATE FUNCTION nurture._definitions_in(definitions jsonb) RETURNS TABLE (kind text, name text, removed boolean, content jsonb)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    k nurture.definition_kind;
    of_kind record;
    one jsonb;
    known text[];
    unknown text;
BEGIN
    IF jsonb_typeof(definitions) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'definitions must be a JSON object' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Such as {"segment": [{"name": "hot", "condition": "score >= 50"}]}; nurture.export_definitions() writes it.';
    ELSIF definitions ? 'format' AND definitions -> 'format' <> '1' THEN
        RAISE EXCEPTION 'the definitions are in format %, which this version does not read', definitions -> 'format'
            USING ERRCODE = 'feature_not_supported', HINT = 'Install the newer version of nurture.';
    END IF;
    FOR of_kind IN SELECT j.key, j.value FROM jsonb_each(definitions - 'format') j LOOP
        k := nurture._kind(of_kind.key);
        IF jsonb_typeof(of_kind.value) <> 'array' THEN
            RAISE EXCEPTION 'the value of "%" must be a list of definitions', of_kind.key USING ERRCODE = 'invalid_parameter_value';
        END IF;
        known := ARRAY(SELECT a.attname::text FROM pg_attribute a
                       WHERE a.attrelid = format('nurture.%I', k.kind)::regclass AND a.attnum > 0 AND NOT a.attisdropped
                         AND a.attname <> ALL (k.hidden));
        FOR one IN SELECT e.value FROM jsonb_array_elements(of_kind.value) e LOOP
            IF jsonb_typeof(one) <> 'object' OR jsonb_typeof(one -> 'name') IS DISTINCT FROM 'string' THEN
                RAISE EXCEPTION 'a definition must be a JSON object with a name' USING ERRCODE = 'invalid_parameter_value',
                    DETAIL = format('Found %s among those of kind %s.', one, of_kind.key);
            END IF;
            SELECT f.key INTO unknown FROM jsonb_object_keys(one) f (key) WHERE f.key <> ALL (known || 'removed'::text) LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION '% "%" has an unknown key "%"', of_kind.key, one ->> 'name', unknown USING ERRCODE = 'invalid_parameter_value',
                    HINT = format('The keys are %s; "removed": true says that it is to go.', array_to_string(known, ', '));
            ELSIF NOT one ? k.definition_column AND one -> 'removed' IS DISTINCT FROM 'true' THEN
                RAISE EXCEPTION '% "%" has no "%"', of_kind.key, one ->> 'name', k.definition_column USING ERRCODE = 'invalid_parameter_value';
            END IF;
            kind := k.kind;
            name := one ->> 'name';
            removed := one -> 'removed' IS NOT DISTINCT FROM 'true';
            content := one - 'removed';
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION nurture._definitions_in(jsonb) IS 'the definitions of a JSON text as rows';

-- A definition as its table would hold it: parsed and printed by the columns' types. What is wrong is told with its name.
CREATE FUNCTION nurture._canonical(of_kind text, of_name text, content jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    canonical jsonb;
    detail text;
    hint text;
BEGIN
    EXECUTE format('SELECT to_jsonb(r) FROM jsonb_populate_record(NULL::nurture.%I, $1) r', of_kind) INTO canonical USING content;
    RETURN canonical;
EXCEPTION WHEN data_exception OR syntax_error_or_access_rule_violation OR program_limit_exceeded THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    IF detail = '' AND hint = '' THEN
        RAISE EXCEPTION '% "%": %', of_kind, of_name, SQLERRM USING ERRCODE = SQLSTATE;
    ELSIF hint = '' THEN
        RAISE EXCEPTION '% "%": %', of_kind, of_name, SQLERRM USING ERRCODE = SQLSTATE, DETAIL = detail;
    END IF;
    RAISE EXCEPTION '% "%": %', of_kind, of_name, SQLERRM USING ERRCODE = SQLSTATE, DETAIL = detail, HINT = hint;
END
$$;
COMMENT ON FUNCTION nurture._canonical(text, text, jsonb) IS 'a definition as its table would hold it';

-- What has to be done about one row: the outcome, and a statement with the content as $1 and the name as $2. The check of
-- the whole comes at the end.
CREATE FUNCTION nurture._import_plan(k nurture.definition_kind, of_name text, removed boolean, content jsonb, on_conflict text,
        OUT outcome text, OUT statement text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    relation CONSTANT text := format('nurture.%I', k.kind);
    given CONSTANT text[] := ARRAY(SELECT c.key FROM jsonb_object_keys(content) c (key) ORDER BY c.key);
    names CONSTANT text := (SELECT string_agg(quote_ident(g), ', ' ORDER BY g) FROM unnest(given) g);
    canonical CONSTANT jsonb := nurture._canonical(k.kind, of_name, content);
    present boolean;
    equal boolean;
BEGIN
    EXECUTE format('SELECT true, (to_jsonb(t) - $1) = ($2 - $1) FROM %s t WHERE t.name = $3', relation)
        INTO present, equal USING k.hidden, jsonb_build_object('enabled', true) || jsonb_strip_nulls(canonical)
            || (SELECT coalesce(jsonb_object_agg(n.key, n.value), '{}') FROM jsonb_each(canonical) n WHERE n.value = 'null' AND n.key <> 'enabled'), of_name;
    IF removed AND present IS NULL THEN
        outcome := 'absent';
    ELSIF NOT removed AND equal THEN
        outcome := 'unchanged';
    ELSIF present AND on_conflict = 'skip' THEN
        outcome := 'skipped';
    ELSIF present AND on_conflict = 'error' THEN
        RAISE EXCEPTION '% "%" exists already and is another', k.kind, of_name USING ERRCODE = 'unique_violation',
            HINT = 'on_conflict => ''replace'' replaces or removes it, on_conflict => ''skip'' leaves it as it is.';
    ELSIF removed THEN
        outcome := 'removed';
        statement := format('DELETE FROM %s WHERE name = $2', relation);
    ELSIF present THEN
        -- What is not said is as a new row has it.
        outcome := 'replaced';
        SELECT format('UPDATE %1$s t SET %2$s FROM jsonb_populate_record(NULL::%1$s, $1) r WHERE t.name = $2', relation,
                      string_agg(CASE WHEN a.attname = ANY (given) THEN format('%1$I = r.%1$I', a.attname)
                                      ELSE format('%I = DEFAULT', a.attname) END, ', ' ORDER BY a.attnum))
        INTO statement
        FROM pg_attribute a WHERE a.attrelid = relation::regclass AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attname <> ALL (k.hidden) AND a.attname <> 'name';
    ELSE
        outcome := 'created';
        statement := format('INSERT INTO %1$s (%2$s) SELECT %2$s FROM jsonb_populate_record(NULL::%1$s, $1) r', relation, names);
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._import_plan(nurture.definition_kind, text, boolean, jsonb, text) IS 'what an import does about one definition';

-- Runs with the rights of whoever calls: he must be allowed to change the tables.
CREATE FUNCTION nurture.import_definitions(definitions jsonb, on_conflict text DEFAULT 'error', dry_run boolean DEFAULT false)
    RETURNS TABLE (kind text, name text, outcome text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
    reason CONSTANT text := coalesce(current_setting('nurture.change_reason', true), '');
    done jsonb := '[]';
    one record;
    plan record;
BEGIN
    IF on_conflict NOT IN ('error', 'skip', 'replace') THEN
        RAISE EXCEPTION 'on_conflict must be ''error'', ''skip'' or ''replace'', not ''%''', on_conflict
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    BEGIN
        PERFORM set_config('nurture_import.deferred', 'on', true),
                set_config('nurture.change_reason', concat_ws(': ', 'imported', nullif(reason, '')), true);
        FOR one IN
            SELECT k, d.name, d.removed, d.content
            FROM nurture._definitions_in(definitions) WITH ORDINALITY d (kind, name, removed, content, n)
            JOIN nurture.definition_kind k ON k.kind = d.kind
            -- What goes, goes last, users first.
            ORDER BY d.removed, CASE WHEN d.removed THEN -k.rank ELSE k.rank END, d.n
        LOOP
            SELECT p.* INTO plan FROM nurture._import_plan(one.k, one.name, one.removed, one.content, on_conflict) p;
            IF plan.statement IS NOT NULL THEN
                EXECUTE plan.statement USING one.content, one.name;
            END IF;
            done := done || jsonb_build_array(jsonb_build_object('kind', (one.k).kind, 'name', one.name, 'outcome', plan.outcome));
        END LOOP;
        PERFORM set_config('nurture_import.deferred', '', true);
        -- A change of nothing: its triggers check the whole and note the versions.
        UPDATE nurture.segment SET name = segment.name WHERE false;
        PERFORM set_config('nurture.change_reason', reason, true);
        IF dry_run THEN
            RAISE EXCEPTION USING ERRCODE = 'NUDRY', MESSAGE = 'dry run';
        END IF;
    EXCEPTION WHEN SQLSTATE 'NUDRY' THEN
        NULL;
    END;
    RETURN QUERY SELECT d ->> 'kind', d ->> 'name', d ->> 'outcome' FROM jsonb_array_elements(done) d;
END
$$;
COMMENT ON FUNCTION nurture.import_definitions(jsonb, text, boolean) IS
    'makes the definitions of an export; dry_run: only says what would happen, or fails as it would';
REVOKE ALL ON FUNCTION nurture.import_definitions(jsonb, text, boolean) FROM PUBLIC;
