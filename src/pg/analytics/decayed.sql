-- nurture.decayed: a sum that loses half of its value per half-life. Its order never changes, so an index on it stays right.

CREATE TYPE nurture.decayed;
CREATE FUNCTION nurture._decayed_in(cstring, oid, integer) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_out(nurture.decayed) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_decayed_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_recv(internal, oid, integer) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_send(nurture.decayed) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_summary_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_typmod_in(cstring[]) RETURNS integer
    AS 'MODULE_PATHNAME', 'nurture_decayed_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_typmod_out(integer) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_decayed_typmod_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE nurture.decayed (
    INPUT = nurture._decayed_in, OUTPUT = nurture._decayed_out,
    RECEIVE = nurture._decayed_recv, SEND = nurture._decayed_send,
    TYPMOD_IN = nurture._decayed_typmod_in, TYPMOD_OUT = nurture._decayed_typmod_out, STORAGE = main
);
COMMENT ON TYPE nurture.decayed IS
    'an exponentially decaying sum; nurture.decayed(''14 days'') as a column type allows that half-life only';
CREATE FUNCTION nurture._decayed_with_typmod(nurture.decayed, integer, boolean) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_with_typmod' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE CAST (nurture.decayed AS nurture.decayed) WITH FUNCTION nurture._decayed_with_typmod(nurture.decayed, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (nurture.decayed AS nurture.decayed) IS 'checks the half-life of a column; a value is never changed';

CREATE FUNCTION nurture.decayed(amount numeric, at timestamptz, half_life interval) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_make' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nurture.decayed(numeric, timestamptz, interval) IS 'one amount that begins to decay at a time';
CREATE FUNCTION nurture.value(decayed nurture.decayed, at timestamptz DEFAULT now()) RETURNS numeric
    AS 'MODULE_PATHNAME', 'nurture_decayed_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nurture.value(nurture.decayed, timestamptz) IS 'what is left at a time, rounded half away from zero to six decimals';
CREATE FUNCTION nurture.half_life(decayed nurture.decayed) RETURNS interval
    AS 'MODULE_PATHNAME', 'nurture_decayed_half_life' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nurture.half_life(nurture.decayed) IS 'the half-life as days and hours';
CREATE FUNCTION nurture._decayed_plus(nurture.decayed, nurture.decayed) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_plus' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR nurture.+ (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_plus, COMMUTATOR = OPERATOR(nurture.+));
COMMENT ON OPERATOR nurture.+ (nurture.decayed, nurture.decayed) IS 'both together; an error when the half-lives differ';

CREATE FUNCTION nurture._decayed_lt(nurture.decayed, nurture.decayed) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_decayed_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_le(nurture.decayed, nurture.decayed) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_decayed_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_eq(nurture.decayed, nurture.decayed) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_decayed_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_ne(nurture.decayed, nurture.decayed) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_decayed_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_ge(nurture.decayed, nurture.decayed) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_decayed_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_gt(nurture.decayed, nurture.decayed) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_decayed_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_compare(nurture.decayed, nurture.decayed) RETURNS integer
    AS 'MODULE_PATHNAME', 'nurture_decayed_compare' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR nurture.< (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_lt,
    COMMUTATOR = OPERATOR(nurture.>), NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR nurture.< (nurture.decayed, nurture.decayed) IS 'less at all times; sums of different half-lives are ordered by half-life';
CREATE OPERATOR nurture.<= (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_le,
    COMMUTATOR = OPERATOR(nurture.>=), NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR nurture.<= (nurture.decayed, nurture.decayed) IS 'less or equal at all times; sums of different half-lives are ordered by half-life';
CREATE OPERATOR nurture.= (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_eq,
    COMMUTATOR = OPERATOR(nurture.=), NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel);
COMMENT ON OPERATOR nurture.= (nurture.decayed, nurture.decayed) IS 'equal at all times; sums of different half-lives are ordered by half-life';
CREATE OPERATOR nurture.<> (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_ne,
    COMMUTATOR = OPERATOR(nurture.<>), NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR nurture.<> (nurture.decayed, nurture.decayed) IS 'not equal; sums of different half-lives are ordered by half-life';
CREATE OPERATOR nurture.>= (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_ge,
    COMMUTATOR = OPERATOR(nurture.<=), NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR nurture.>= (nurture.decayed, nurture.decayed) IS 'greater or equal at all times; sums of different half-lives are ordered by half-life';
CREATE OPERATOR nurture.> (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_gt,
    COMMUTATOR = OPERATOR(nurture.<), NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR nurture.> (nurture.decayed, nurture.decayed) IS 'greater at all times; sums of different half-lives are ordered by half-life';
CREATE OPERATOR CLASS nurture.decayed_ops DEFAULT FOR TYPE nurture.decayed USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._decayed_compare(nurture.decayed, nurture.decayed);
COMMENT ON OPERATOR CLASS nurture.decayed_ops USING btree IS 'an order that does not change as time passes';

CREATE FUNCTION nurture._decayed_sum(internal, numeric, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_sum_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_mean(internal, numeric, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_mean_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_max(internal, numeric, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_max_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_moving(internal, numeric, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_moving_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_inverse(internal, numeric, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_inverse_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_sum(internal, double precision, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_sum_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_mean(internal, double precision, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_mean_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_max(internal, double precision, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_max_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_moving(internal, double precision, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_moving_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_inverse(internal, double precision, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_inverse_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_count(internal, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_count' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_moving(internal, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_moving_count' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_inverse(internal, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_inverse_count' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_max_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_max_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_mean_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_mean_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_decayed_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_mean_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_decayed_mean_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_mean_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_mean_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_final(internal) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_mean_final(internal) RETURNS numeric
    AS 'MODULE_PATHNAME', 'nurture_decayed_mean_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_moving_sum_final(internal) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_moving_sum_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_moving_mean_final(internal) RETURNS numeric
    AS 'MODULE_PATHNAME', 'nurture_decayed_moving_mean_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE nurture.decayed_sum(value numeric, at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_sum, STYPE = internal, SSPACE = 512, FINALFUNC = nurture._decayed_final,
    COMBINEFUNC = nurture._decayed_combine, SERIALFUNC = nurture._decayed_serialize, DESERIALFUNC = nurture._decayed_deserialize,
    MSFUNC = nurture._decayed_moving, MINVFUNC = nurture._decayed_inverse, MSTYPE = internal, MSSPACE = 1024,
    MFINALFUNC = nurture._decayed_moving_sum_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_sum(numeric, timestamptz, interval) IS
    'the sum of values that decay from their times on; the same to the last digit in any order';
CREATE AGGREGATE nurture.decayed_avg(value numeric, at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_mean, STYPE = internal, SSPACE = 1024, FINALFUNC = nurture._decayed_mean_final,
    COMBINEFUNC = nurture._decayed_mean_combine, SERIALFUNC = nurture._decayed_mean_serialize, DESERIALFUNC = nurture._decayed_mean_deserialize,
    MSFUNC = nurture._decayed_moving, MINVFUNC = nurture._decayed_inverse, MSTYPE = internal, MSSPACE = 1024,
    MFINALFUNC = nurture._decayed_moving_mean_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_avg(numeric, timestamptz, interval) IS
    'the mean weighted by 2^(-age / half-life): the same at all times; over a window an exponential moving average in time';
CREATE AGGREGATE nurture.decayed_max(value numeric, at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_max, STYPE = internal, SSPACE = 256, FINALFUNC = nurture._decayed_final,
    COMBINEFUNC = nurture._decayed_max_combine, SERIALFUNC = nurture._decayed_serialize, DESERIALFUNC = nurture._decayed_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_max(numeric, timestamptz, interval) IS
    'the value of which most is left';
CREATE AGGREGATE nurture.decayed_sum(value double precision, at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_sum, STYPE = internal, SSPACE = 512, FINALFUNC = nurture._decayed_final,
    COMBINEFUNC = nurture._decayed_combine, SERIALFUNC = nurture._decayed_serialize, DESERIALFUNC = nurture._decayed_deserialize,
    MSFUNC = nurture._decayed_moving, MINVFUNC = nurture._decayed_inverse, MSTYPE = internal, MSSPACE = 1024,
    MFINALFUNC = nurture._decayed_moving_sum_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_sum(double precision, timestamptz, interval) IS
    'the sum of values that decay from their times on; the same to the last digit in any order';
CREATE AGGREGATE nurture.decayed_avg(value double precision, at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_mean, STYPE = internal, SSPACE = 1024, FINALFUNC = nurture._decayed_mean_final,
    COMBINEFUNC = nurture._decayed_mean_combine, SERIALFUNC = nurture._decayed_mean_serialize, DESERIALFUNC = nurture._decayed_mean_deserialize,
    MSFUNC = nurture._decayed_moving, MINVFUNC = nurture._decayed_inverse, MSTYPE = internal, MSSPACE = 1024,
    MFINALFUNC = nurture._decayed_moving_mean_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_avg(double precision, timestamptz, interval) IS
    'the mean weighted by 2^(-age / half-life): the same at all times; over a window an exponential moving average in time';
CREATE AGGREGATE nurture.decayed_max(value double precision, at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_max, STYPE = internal, SSPACE = 256, FINALFUNC = nurture._decayed_final,
    COMBINEFUNC = nurture._decayed_max_combine, SERIALFUNC = nurture._decayed_serialize, DESERIALFUNC = nurture._decayed_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_max(double precision, timestamptz, interval) IS
    'the value of which most is left';
CREATE AGGREGATE nurture.decayed_count(at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_count, STYPE = internal, SSPACE = 512, FINALFUNC = nurture._decayed_final,
    COMBINEFUNC = nurture._decayed_combine, SERIALFUNC = nurture._decayed_serialize, DESERIALFUNC = nurture._decayed_deserialize,
    MSFUNC = nurture._decayed_moving, MINVFUNC = nurture._decayed_inverse, MSTYPE = internal, MSSPACE = 1024,
    MFINALFUNC = nurture._decayed_moving_sum_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_count(timestamptz, interval) IS
    'the number of rows, each decaying from its time on';
-- The state of these two is the type itself: partial states can travel as text.
CREATE FUNCTION nurture._decayed_larger(nurture.decayed, nurture.decayed) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_larger' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE AGGREGATE nurture.sum(decayed nurture.decayed) (
    SFUNC = nurture._decayed_plus, STYPE = nurture.decayed, COMBINEFUNC = nurture._decayed_plus, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sum(nurture.decayed) IS
    'all together; an error when the half-lives differ';
CREATE AGGREGATE nurture.max(decayed nurture.decayed) (
    SFUNC = nurture._decayed_larger, STYPE = nurture.decayed, COMBINEFUNC = nurture._decayed_larger,
    SORTOP = OPERATOR(nurture.>), PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.max(nurture.decayed) IS
    'the greatest, at all times; of different half-lives the longest';
