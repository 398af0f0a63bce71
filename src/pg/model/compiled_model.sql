-- The definitions as they stood at a tick boundary, as one value that the hot functions take as an argument.
CREATE TYPE nurture.compiled_model;
CREATE FUNCTION nurture._compiled_model_in(cstring) RETURNS nurture.compiled_model
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_compiled_model_in';
CREATE FUNCTION nurture._compiled_model_out(nurture.compiled_model) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_compiled_model_out';
CREATE FUNCTION nurture._compiled_model_recv(internal) RETURNS nurture.compiled_model
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_compiled_model_recv';
CREATE FUNCTION nurture._compiled_model_send(nurture.compiled_model) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_compiled_model_send';
CREATE TYPE nurture.compiled_model (
    INPUT = nurture._compiled_model_in, OUTPUT = nurture._compiled_model_out,
    RECEIVE = nurture._compiled_model_recv, SEND = nurture._compiled_model_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE nurture.compiled_model IS 'rules, segments and workflows as they stood at a tick boundary, ready to run';

CREATE FUNCTION nurture._required_features(source text) RETURNS TABLE (ordinal int, definition text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 50 AS 'MODULE_PATHNAME', 'nurture_required_features';
COMMENT ON FUNCTION nurture._required_features(text) IS 'the features that a source of a model needs, as canonical text';
REVOKE ALL ON FUNCTION nurture._required_features(text) FROM PUBLIC;
