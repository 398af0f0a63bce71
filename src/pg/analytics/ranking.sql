-- How good a score is: score_agg over (score, outcome), and the tables that read its summary; weighted percentiles.

CREATE TYPE nurture.score_summary;
CREATE FUNCTION nurture._scores_in(cstring) RETURNS nurture.score_summary
    AS 'MODULE_PATHNAME', 'nurture_scores_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._scores_out(nurture.score_summary) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_summary_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._scores_recv(internal) RETURNS nurture.score_summary
    AS 'MODULE_PATHNAME', 'nurture_scores_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._scores_send(nurture.score_summary) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_summary_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE nurture.score_summary (
    INPUT = nurture._scores_in, OUTPUT = nurture._scores_out, RECEIVE = nurture._scores_recv,
    SEND = nurture._scores_send, STORAGE = extended
);
COMMENT ON TYPE nurture.score_summary IS 'the distinct scores of many subjects with their numbers and outcomes';

CREATE FUNCTION nurture._scores_transition(internal, double precision, boolean) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_scores_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._scores_rollup(internal, nurture.score_summary) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_scores_rollup' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._scores_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_scores_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._scores_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_scores_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._scores_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_scores_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._scores_final(internal) RETURNS nurture.score_summary
    AS 'MODULE_PATHNAME', 'nurture_scores_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE nurture.score_agg(score double precision, outcome boolean) (
    SFUNC = nurture._scores_transition, STYPE = internal, SSPACE = 32768, FINALFUNC = nurture._scores_final,
    COMBINEFUNC = nurture._scores_combine, SERIALFUNC = nurture._scores_serialize,
    DESERIALFUNC = nurture._scores_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.score_agg(double precision, boolean) IS
    'summary of scores and outcomes for score_quality, score_bands and calibration; a NULL outcome is false, a NULL score is left out';
CREATE AGGREGATE nurture.rollup(summary nurture.score_summary) (
    SFUNC = nurture._scores_rollup, STYPE = internal, SSPACE = 32768, FINALFUNC = nurture._scores_final,
    COMBINEFUNC = nurture._scores_combine, SERIALFUNC = nurture._scores_serialize,
    DESERIALFUNC = nurture._scores_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rollup(nurture.score_summary) IS
    'the summary of all that these summaries summarize';

CREATE FUNCTION nurture.score_quality(summary nurture.score_summary, confidence double precision DEFAULT 0.95,
        OUT measure text, OUT value double precision, OUT low double precision, OUT high double precision, OUT source text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_score_quality' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 9;
COMMENT ON FUNCTION nurture.score_quality(nurture.score_summary, double precision) IS
    'AUC, Gini, Kolmogorov-Smirnov, Brier score and skill, log loss, with their sources; what cannot be measured is NULL';
CREATE FUNCTION nurture.score_bands(summary nurture.score_summary, bands integer DEFAULT 10,
        OUT band integer, OUT lowest double precision, OUT highest double precision, OUT mean_score double precision,
        OUT n bigint, OUT positives bigint, OUT rate double precision, OUT lift double precision,
        OUT reached double precision, OUT gain double precision, OUT cumulative_lift double precision) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_score_bands' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION nurture.score_bands(nurture.score_summary, integer) IS
    'conversion, lift and gains by score band, best band first; equal scores are never parted';
CREATE FUNCTION nurture.calibration(summary nurture.score_summary, bins integer DEFAULT 10,
        OUT bin_low double precision, OUT bin_high double precision, OUT n bigint, OUT positives bigint,
        OUT mean_score double precision, OUT rate double precision, OUT rate_low double precision,
        OUT rate_high double precision) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_calibration' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION nurture.calibration(nurture.score_summary, integer) IS
    'predicted against observed rates in bins of equal width, with Wilson intervals of 95 %; for scores that are probabilities';

CREATE FUNCTION nurture._percentile_transition(internal, numeric, numeric, double precision) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_percentile_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._percentile_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_percentile_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._percentile_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_percentile_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._percentile_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_percentile_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._percentile_final(internal) RETURNS numeric
    AS 'MODULE_PATHNAME', 'nurture_percentile_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.weighted_percentile(value numeric, weight numeric, fraction double precision) (
    SFUNC = nurture._percentile_transition, STYPE = internal, SSPACE = 32768, FINALFUNC = nurture._percentile_final,
    COMBINEFUNC = nurture._percentile_combine, SERIALFUNC = nurture._percentile_serialize,
    DESERIALFUNC = nurture._percentile_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.weighted_percentile(numeric, numeric, double precision) IS
    'the smallest value at which the weight up to and including it reaches the fraction of all weight; with equal weights percentile_disc';
