-- Is it a definition, and does it go with those there are?

CREATE FUNCTION nurture._unresolved(form text, definition text, source text)
    RETURNS TABLE (message text, line int, "column" int, hint text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'nurture_unresolved';
COMMENT ON FUNCTION nurture._unresolved(text, text, text) IS 'what is wrong with a definition beside those of a source; no row: nothing';
REVOKE ALL ON FUNCTION nurture._unresolved(text, text, text) FROM PUBLIC;

CREATE FUNCTION nurture._unresolved_now(form text, definition text) RETURNS TABLE (message text, line int, "column" int, hint text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT u.* FROM nurture._unresolved(form, definition, nurture._source(0)) u
$$;
COMMENT ON FUNCTION nurture._unresolved_now(text, text) IS
    'what is wrong with a definition beside those in force; who may execute it gets names resolved by nurture.validate';
REVOKE ALL ON FUNCTION nurture._unresolved_now(text, text) FROM PUBLIC;

-- Anybody may ask whether a text parses; names are looked up for those who may know them.
CREATE FUNCTION nurture._unresolved_if_allowed(form text, definition text) RETURNS TABLE (message text, line int, "column" int, hint text)
    LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF has_function_privilege('nurture._unresolved_now(text, text)', 'EXECUTE') THEN
        RETURN QUERY SELECT u.* FROM nurture._unresolved_now(form, definition) u;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._unresolved_if_allowed(text, text) IS 'nurture._unresolved_now for those who may execute it';

CREATE FUNCTION nurture.validate(definition text, form text DEFAULT NULL)
    RETURNS TABLE (valid boolean, form text, canonical text, message text, line integer, "column" integer, hint text)
    LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100 ROWS 1 AS $$
SELECT v.valid AND u.message IS NULL, v.form, v.canonical, coalesce(v.message, u.message), coalesce(v.line, u.line),
       coalesce(v."column", u."column"), coalesce(v.hint, u.hint)
FROM nurture._validate($1, $2) v
LEFT JOIN LATERAL (SELECT n.* FROM nurture._unresolved_if_allowed(v.form, $1) n WHERE v.valid) u ON true
$$;
COMMENT ON FUNCTION nurture.validate(text, text) IS
    'whether a definition parses and goes with those there are, its canonical text, or what is wrong and where; form: rule, condition, workflow, policy or stream (default: by its beginning)';
