-- Experiments in two steps: ab_test_agg over the subjects, and the tests read its summary.

CREATE TYPE nurture.ab_summary;
CREATE FUNCTION nurture._ab_in(cstring) RETURNS nurture.ab_summary
    AS 'MODULE_PATHNAME', 'nurture_ab_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._ab_out(nurture.ab_summary) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_summary_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._ab_recv(internal) RETURNS nurture.ab_summary
    AS 'MODULE_PATHNAME', 'nurture_ab_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._ab_send(nurture.ab_summary) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_summary_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE nurture.ab_summary (
    INPUT = nurture._ab_in, OUTPUT = nurture._ab_out, RECEIVE = nurture._ab_recv, SEND = nurture._ab_send,
    STORAGE = extended
);
COMMENT ON TYPE nurture.ab_summary IS 'what happened in the arms of an experiment: subjects, conversions, distinct values';

CREATE FUNCTION nurture._ab_transition(internal, text, boolean) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_ab_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._ab_transition(internal, text, boolean, numeric) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_ab_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._ab_transition(internal, text, boolean, double precision) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_ab_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._ab_rollup(internal, nurture.ab_summary) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_ab_rollup' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._ab_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_ab_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._ab_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_ab_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._ab_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_ab_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._ab_final(internal) RETURNS nurture.ab_summary
    AS 'MODULE_PATHNAME', 'nurture_ab_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE nurture.ab_test_agg(arm text, converted boolean) (
    SFUNC = nurture._ab_transition, STYPE = internal, SSPACE = 4096, FINALFUNC = nurture._ab_final,
    COMBINEFUNC = nurture._ab_combine, SERIALFUNC = nurture._ab_serialize,
    DESERIALFUNC = nurture._ab_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.ab_test_agg(text, boolean) IS
    'summary of an experiment for nurture.ab_test; NULL has not converted, a subject without an arm is left out';
CREATE AGGREGATE nurture.ab_test_agg(arm text, converted boolean, value numeric) (
    SFUNC = nurture._ab_transition, STYPE = internal, SSPACE = 4096, FINALFUNC = nurture._ab_final,
    COMBINEFUNC = nurture._ab_combine, SERIALFUNC = nurture._ab_serialize,
    DESERIALFUNC = nurture._ab_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.ab_test_agg(text, boolean, numeric) IS
    'summary of an experiment with a measured value (rounded to six decimals), for the tests of means and ranks, too';
CREATE AGGREGATE nurture.ab_test_agg(arm text, converted boolean, value double precision) (
    SFUNC = nurture._ab_transition, STYPE = internal, SSPACE = 4096, FINALFUNC = nurture._ab_final,
    COMBINEFUNC = nurture._ab_combine, SERIALFUNC = nurture._ab_serialize,
    DESERIALFUNC = nurture._ab_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.ab_test_agg(text, boolean, double precision) IS
    'summary of an experiment with a measured value (rounded to six decimals), for the tests of means and ranks, too';
CREATE AGGREGATE nurture.rollup(summary nurture.ab_summary) (
    SFUNC = nurture._ab_rollup, STYPE = internal, SSPACE = 4096, FINALFUNC = nurture._ab_final,
    COMBINEFUNC = nurture._ab_combine, SERIALFUNC = nurture._ab_serialize,
    DESERIALFUNC = nurture._ab_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rollup(nurture.ab_summary) IS
    'the summary of all that these summaries summarize';

CREATE FUNCTION nurture.ab_test(summary nurture.ab_summary, control text DEFAULT NULL,
        confidence double precision DEFAULT 0.95, power double precision DEFAULT 0.8,
        expected double precision[] DEFAULT NULL,
        OUT test text, OUT arm text, OUT versus text, OUT estimate double precision, OUT low double precision,
        OUT high double precision, OUT statistic double precision, OUT df double precision,
        OUT p_value double precision, OUT source text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_ab_test' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 20;
COMMENT ON FUNCTION nurture.ab_test(nurture.ab_summary, text, double precision, double precision, double precision[]) IS
    'all tests of each arm against the control (the first arm by name when NULL), with their sources; what is undefined is NULL';
CREATE FUNCTION nurture.ab_arms(summary nurture.ab_summary, OUT arm text, OUT n bigint, OUT conversions bigint,
        OUT measured bigint, OUT total numeric) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_ab_arms' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 3;
COMMENT ON FUNCTION nurture.ab_arms(nurture.ab_summary) IS
    'per arm: subjects, conversions, subjects with a value, sum of the values';
