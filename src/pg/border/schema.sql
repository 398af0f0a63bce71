-- Keys, names and JSON are compared and cut as UTF-8 throughout; in another encoding the same key could be two.
DO $$
BEGIN
    IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
        RAISE EXCEPTION 'nurture needs a database in UTF8, not %', pg_catalog.getdatabaseencoding()
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'CREATE DATABASE … ENCODING ''UTF8'' TEMPLATE template0. Clients may use any encoding.';
    END IF;
END
$$;

-- The schema is made by plain CREATE: a schema that somebody else prepared is refused, not adopted.
CREATE SCHEMA nurture;
COMMENT ON SCHEMA nurture IS 'marketing automation: profiles, scores, segments, workflows and their actions';
GRANT USAGE ON SCHEMA nurture TO PUBLIC;
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION nurture._enabled() RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_enabled';
COMMENT ON FUNCTION nurture._enabled() IS 'whether nurture.enabled is on; off: no worker, and the clock may be simulated';

CREATE FUNCTION nurture._library_version() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_library_version';
COMMENT ON FUNCTION nurture._library_version() IS 'the version of the extension that the library of this session belongs to';

CREATE FUNCTION nurture._extension_version() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT extversion FROM pg_extension WHERE extname = 'nurture' $$;
COMMENT ON FUNCTION nurture._extension_version() IS 'the version of the extension that this database has';
