-- Attribution in two steps: path_agg per contact, attribution_agg over the paths, and the models read its summary.

CREATE TYPE nurture.path;
COMMENT ON TYPE nurture.path IS 'the touches of one contact (time, channel), in order of time';

CREATE FUNCTION nurture._path_in(cstring) RETURNS nurture.path
    AS 'MODULE_PATHNAME', 'nurture_path_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._path_out(nurture.path) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_path_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._path_recv(internal) RETURNS nurture.path
    AS 'MODULE_PATHNAME', 'nurture_path_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._path_send(nurture.path) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_path_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE nurture.path (
    INPUT = nurture._path_in, OUTPUT = nurture._path_out, RECEIVE = nurture._path_recv, SEND = nurture._path_send,
    STORAGE = extended
);

CREATE FUNCTION nurture._path_transition(internal, timestamptz, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_path_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._path_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_path_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._path_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_path_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._path_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_path_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._path_final(internal) RETURNS nurture.path
    AS 'MODULE_PATHNAME', 'nurture_path_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.path_agg(at timestamptz, channel text) (
    SFUNC = nurture._path_transition, STYPE = internal, SSPACE = 256, FINALFUNC = nurture._path_final,
    COMBINEFUNC = nurture._path_combine, SERIALFUNC = nurture._path_serialize,
    DESERIALFUNC = nurture._path_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.path_agg(timestamptz, text) IS
    'the touches as a path, whatever the order of the rows: by time, at equal times by the bytes of the channel''s name; a row with a NULL is no touch';

CREATE FUNCTION nurture.path_of(channels text[]) RETURNS nurture.path
    AS 'MODULE_PATHNAME', 'nurture_path_of_channels' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nurture.path_of(text[]) IS
    'a path of which only the order is known; NULL without channels (time decay then credits all touches alike)';
CREATE FUNCTION nurture.channels(path nurture.path) RETURNS text[]
    AS 'MODULE_PATHNAME', 'nurture_path_channels' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nurture.channels(nurture.path) IS 'the channels of a path, in its order';
CREATE FUNCTION nurture.lookback(path nurture.path, until timestamptz, span interval DEFAULT NULL)
    RETURNS nurture.path
    AS 'MODULE_PATHNAME', 'nurture_path_lookback' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nurture.lookback(nurture.path, timestamptz, interval) IS
    'the touches at or before a conversion, less than the span earlier; NULL when none is left';

CREATE TYPE nurture.attribution_summary;
COMMENT ON TYPE nurture.attribution_summary IS 'what all attribution models need to know of many paths';
CREATE FUNCTION nurture._attribution_in(cstring) RETURNS nurture.attribution_summary
    AS 'MODULE_PATHNAME', 'nurture_attribution_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_out(nurture.attribution_summary) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_summary_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_recv(internal) RETURNS nurture.attribution_summary
    AS 'MODULE_PATHNAME', 'nurture_attribution_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_send(nurture.attribution_summary) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_summary_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE nurture.attribution_summary (
    INPUT = nurture._attribution_in, OUTPUT = nurture._attribution_out,
    RECEIVE = nurture._attribution_recv, SEND = nurture._attribution_send, STORAGE = extended
);

CREATE FUNCTION nurture._attribution_transition(internal, nurture.path, bigint) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_transition(internal, nurture.path, bigint, numeric) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_transition(internal, nurture.path, bigint, numeric, bigint) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_rollup(internal, nurture.attribution_summary) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_rollup' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_attribution_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_final(internal) RETURNS nurture.attribution_summary
    AS 'MODULE_PATHNAME', 'nurture_attribution_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE nurture.attribution_agg(path nurture.path, conversions bigint) (
    SFUNC = nurture._attribution_transition, STYPE = internal, SSPACE = 16384,
    FINALFUNC = nurture._attribution_final, COMBINEFUNC = nurture._attribution_combine,
    SERIALFUNC = nurture._attribution_serialize, DESERIALFUNC = nurture._attribution_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.attribution_agg(nurture.path, bigint) IS
    'summary of paths and their conversions for nurture.attribution; without a conversion a path counts as one failure';
CREATE AGGREGATE nurture.attribution_agg(path nurture.path, conversions bigint, value numeric) (
    SFUNC = nurture._attribution_transition, STYPE = internal, SSPACE = 16384,
    FINALFUNC = nurture._attribution_final, COMBINEFUNC = nurture._attribution_combine,
    SERIALFUNC = nurture._attribution_serialize, DESERIALFUNC = nurture._attribution_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.attribution_agg(nurture.path, bigint, numeric) IS
    'summary of paths, their conversions and what these are worth altogether';
CREATE AGGREGATE nurture.attribution_agg(path nurture.path, conversions bigint, value numeric, nulls bigint) (
    SFUNC = nurture._attribution_transition, STYPE = internal, SSPACE = 16384,
    FINALFUNC = nurture._attribution_final, COMBINEFUNC = nurture._attribution_combine,
    SERIALFUNC = nurture._attribution_serialize, DESERIALFUNC = nurture._attribution_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.attribution_agg(nurture.path, bigint, numeric, bigint) IS
    'summary of paths that were counted before: how many converted, with what value, and how many did not';
CREATE AGGREGATE nurture.rollup(summary nurture.attribution_summary) (
    SFUNC = nurture._attribution_rollup, STYPE = internal, SSPACE = 16384,
    FINALFUNC = nurture._attribution_final, COMBINEFUNC = nurture._attribution_combine,
    SERIALFUNC = nurture._attribution_serialize, DESERIALFUNC = nurture._attribution_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rollup(nurture.attribution_summary) IS
    'the summary of all that these summaries summarize';

CREATE FUNCTION nurture.attribution(summary nurture.attribution_summary, model text DEFAULT 'markov',
        first_weight double precision DEFAULT 0.4, last_weight double precision DEFAULT 0.4,
        half_life interval DEFAULT '7 days', direct text DEFAULT 'direct',
        OUT channel text, OUT conversions numeric, OUT value numeric, OUT share double precision,
        OUT removal_effect double precision) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_attribution' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 20;
COMMENT ON FUNCTION nurture.attribution(nurture.attribution_summary, text, double precision, double precision, interval, text) IS
    'credits conversions to channels; models: first, last, last_non_direct, linear, position, time_decay, markov, shapley, shapley_rate; the credits add up to the conversions exactly';
