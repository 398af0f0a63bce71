-- The state of a contact as one value, and the table of contacts.
CREATE TYPE nurture.profile;
CREATE FUNCTION nurture._profile_in(cstring) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_profile_in';
CREATE FUNCTION nurture._profile_out(nurture.profile) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_profile_out';
CREATE FUNCTION nurture._profile_recv(internal) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_profile_recv';
CREATE FUNCTION nurture._profile_send(nurture.profile) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_profile_send';
CREATE TYPE nurture.profile (
    INPUT = nurture._profile_in, OUTPUT = nurture._profile_out,
    RECEIVE = nurture._profile_recv, SEND = nurture._profile_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE nurture.profile IS
    'everything the engine knows of a contact: features, attributes, memberships, journeys, timers';

CREATE FUNCTION nurture._damage(state nurture.profile) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'nurture_damage';
COMMENT ON FUNCTION nurture._damage(nurture.profile) IS 'why a state cannot be read; NULL: it can';

CREATE TABLE nurture.contact (
    contact text COLLATE "C" PRIMARY KEY,
    state nurture.profile NOT NULL,
    due timestamptz,
    model int NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX contact_due ON nurture.contact (due);
COMMENT ON TABLE nurture.contact IS 'one row per contact; written by the tick only';
COMMENT ON COLUMN nurture.contact.contact IS 'the application''s own key';
COMMENT ON COLUMN nurture.contact.state IS 'what the engine knows; nurture.lead, nurture.explain and nurture.describe read it';
COMMENT ON COLUMN nurture.contact.due IS
    'when the passing of time changes something next (perhaps a little early), NULL: never';
COMMENT ON COLUMN nurture.contact.model IS 'the nurture.model the contact has adopted';
REVOKE ALL ON TABLE nurture.contact FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.contact', '');
