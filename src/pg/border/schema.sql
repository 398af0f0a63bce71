-- The schema is made by plain CREATE: a schema that somebody else prepared is refused, not adopted.
CREATE SCHEMA nurture;
COMMENT ON SCHEMA nurture IS 'marketing automation: profiles, scores, segments, workflows and their actions';
GRANT USAGE ON SCHEMA nurture TO PUBLIC;
SET LOCAL search_path = pg_catalog, pg_temp;
