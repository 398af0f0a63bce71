-- The types of the engine's own values: text and binary form, COPY, hostile bytes.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+5 on v topic pricing half-life 7 days'), ('capped', '+1 on v at most 3 per day');
INSERT INTO nurture.segment (name, condition) VALUES ('warm', 'score >= 5'), ('busy', 'count(v within 7 days) >= 2'), ('pro', 'plan = ''pro''');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on v send email ''a'' wait for x up to 1 day send email ''b''');
INSERT INTO nurture.inbox (contact, type, props, message_id, at, received_at)
SELECT 'c' || g % 7, CASE g % 5 WHEN 0 THEN '$identify' ELSE 'v' END, CASE g % 5 WHEN 0 THEN jsonb_build_object('plan', 'pro', 'k' || g, g) ELSE '{}' END,
       'm' || g, t, t
FROM generate_series(1, 200) g CROSS JOIN LATERAL (SELECT timestamptz '2021-01-01' + g * interval '17 minutes') x(t);
CALL nurture.tick('2021-01-04');
SELECT count(*), count(due) FROM nurture.contact;

-- Text and back gives the same bytes; so does binary.
SELECT count(*) FROM nurture.contact
WHERE nurture._profile_send(state::text::nurture.profile) <> nurture._profile_send(state);
SELECT count(*) FROM nurture.model WHERE model::text::nurture.compiled_model::text <> model::text
    OR nurture._compiled_model_send(model::text::nurture.compiled_model) <> nurture._compiled_model_send(model);
CREATE TEMP TABLE copied (LIKE nurture.contact);
CREATE TEMP TABLE copied_model (LIKE nurture.model);
DO $$
DECLARE
    file text := format('/tmp/nurture_types_%s.copy', pg_backend_pid());
BEGIN
    EXECUTE format('COPY nurture.contact TO %L (FORMAT binary)', file);
    EXECUTE format('COPY copied FROM %L (FORMAT binary)', file);
    EXECUTE format('COPY nurture.model TO %L (FORMAT binary)', file);
    EXECUTE format('COPY copied_model FROM %L (FORMAT binary)', file);
    EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'rm -f ' || file);
END
$$;
SELECT count(*) FROM copied a JOIN nurture.contact b USING (contact) WHERE a.state::text = b.state::text;
SELECT count(*) FROM copied_model a JOIN nurture.model b USING (id) WHERE a.model::text = b.model::text;

-- Hostile text.
SELECT ''::nurture.profile;
SELECT '0'::nurture.profile;
SELECT 'xyz0'::nurture.profile;
SELECT '00'::nurture.profile;
SELECT 'ff00'::nurture.profile;
SELECT '01'::nurture.profile;
SELECT repeat('01', 1000)::nurture.profile;
SELECT ''::nurture.compiled_model;
SELECT '{}'::nurture.compiled_model;
SELECT '{"format": 1, "id": 1}'::nurture.compiled_model;
SELECT repeat('[', 100000)::nurture.compiled_model;

-- Every truncation of every profile, and every change of one byte of one, is refused or reads as some profile: never a crash,
-- never another error. What is read can be written and stepped.
CREATE FUNCTION pg_temp.try(bytes text, model nurture.compiled_model) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state nurture.profile;
    result nurture.step_result;
BEGIN
    state := bytes::nurture.profile;
    IF state::text::nurture.profile::text <> state::text THEN
        RETURN 'does not survive: ' || bytes;
    END IF;
    result := nurture._step(model, 'c', state, NULL, '2021-02-01', 99);
    IF result.failure IS NOT NULL THEN
        RETURN 'refused by the step';
    END IF;
    RETURN 'read';
EXCEPTION WHEN data_corrupted OR feature_not_supported OR syntax_error THEN
    RETURN 'refused';
END
$$;
SELECT pg_temp.try(left(c.state::text, 2 * n), m.model) AS outcome, count(*) > 0
FROM nurture.contact c, nurture.model m, generate_series(0, 2000) n WHERE 2 * n < length(c.state::text) GROUP BY 1 ORDER BY 1;
SELECT outcome, count(*) > 0 FROM (
    SELECT pg_temp.try(overlay(c.state::text PLACING lpad(to_hex(b), 2, '0') FROM 2 * n + 1 FOR 2), m.model) AS outcome
    FROM (SELECT * FROM nurture.contact ORDER BY contact LIMIT 1) c, nurture.model m, generate_series(0, 2000) n,
         unnest(ARRAY[0, 1, 127, 128, 255]) b
    WHERE 2 * n < length(c.state::text)) t
GROUP BY 1 ORDER BY 1;
