-- Equal summaries have equal bytes, so comparing these is all that DISTINCT, GROUP BY, UNION and = ask for. The order is
-- that of the bytes and means nothing.

CREATE FUNCTION nurture._path_eq(nurture.path, nurture.path) RETURNS boolean
    AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._path_ne(nurture.path, nurture.path) RETURNS boolean
    AS 'byteane' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._path_lt(nurture.path, nurture.path) RETURNS boolean
    AS 'bytealt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._path_le(nurture.path, nurture.path) RETURNS boolean
    AS 'byteale' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._path_gt(nurture.path, nurture.path) RETURNS boolean
    AS 'byteagt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._path_ge(nurture.path, nurture.path) RETURNS boolean
    AS 'byteage' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._path_cmp(nurture.path, nurture.path) RETURNS integer
    AS 'byteacmp' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._path_hash(nurture.path) RETURNS integer
    AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._path_hash_extended(nurture.path, bigint) RETURNS bigint
    AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR nurture.= (
    LEFTARG = nurture.path, RIGHTARG = nurture.path, FUNCTION = nurture._path_eq, COMMUTATOR = OPERATOR(nurture.=),
    NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR nurture.= (nurture.path, nurture.path) IS 'the same touches';
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.path, RIGHTARG = nurture.path, FUNCTION = nurture._path_ne, COMMUTATOR = OPERATOR(nurture.<>),
    NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR nurture.<> (nurture.path, nurture.path) IS 'not the same touches';
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.path, RIGHTARG = nurture.path, FUNCTION = nurture._path_lt, COMMUTATOR = OPERATOR(nurture.>),
    NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR nurture.< (nurture.path, nurture.path) IS 'by bytes, for sorting only';
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.path, RIGHTARG = nurture.path, FUNCTION = nurture._path_le, COMMUTATOR = OPERATOR(nurture.>=),
    NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR nurture.<= (nurture.path, nurture.path) IS 'by bytes, for sorting only';
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.path, RIGHTARG = nurture.path, FUNCTION = nurture._path_gt, COMMUTATOR = OPERATOR(nurture.<),
    NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR nurture.> (nurture.path, nurture.path) IS 'by bytes, for sorting only';
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.path, RIGHTARG = nurture.path, FUNCTION = nurture._path_ge, COMMUTATOR = OPERATOR(nurture.<=),
    NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR nurture.>= (nurture.path, nurture.path) IS 'by bytes, for sorting only';
CREATE OPERATOR CLASS nurture.path_ops DEFAULT FOR TYPE nurture.path USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._path_cmp(nurture.path, nurture.path);
CREATE OPERATOR CLASS nurture.path_ops DEFAULT FOR TYPE nurture.path USING hash AS
    OPERATOR 1 nurture.=, FUNCTION 1 nurture._path_hash(nurture.path), FUNCTION 2 nurture._path_hash_extended(nurture.path, bigint);

CREATE FUNCTION nurture._funnel_summary_eq(nurture.funnel_summary, nurture.funnel_summary) RETURNS boolean
    AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_ne(nurture.funnel_summary, nurture.funnel_summary) RETURNS boolean
    AS 'byteane' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_lt(nurture.funnel_summary, nurture.funnel_summary) RETURNS boolean
    AS 'bytealt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_le(nurture.funnel_summary, nurture.funnel_summary) RETURNS boolean
    AS 'byteale' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_gt(nurture.funnel_summary, nurture.funnel_summary) RETURNS boolean
    AS 'byteagt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_ge(nurture.funnel_summary, nurture.funnel_summary) RETURNS boolean
    AS 'byteage' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_cmp(nurture.funnel_summary, nurture.funnel_summary) RETURNS integer
    AS 'byteacmp' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_hash(nurture.funnel_summary) RETURNS integer
    AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_hash_extended(nurture.funnel_summary, bigint) RETURNS bigint
    AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR nurture.= (
    LEFTARG = nurture.funnel_summary, RIGHTARG = nurture.funnel_summary, FUNCTION = nurture._funnel_summary_eq, COMMUTATOR = OPERATOR(nurture.=),
    NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR nurture.= (nurture.funnel_summary, nurture.funnel_summary) IS 'the same events, steps and span';
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.funnel_summary, RIGHTARG = nurture.funnel_summary, FUNCTION = nurture._funnel_summary_ne, COMMUTATOR = OPERATOR(nurture.<>),
    NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR nurture.<> (nurture.funnel_summary, nurture.funnel_summary) IS 'not the same events, steps and span';
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.funnel_summary, RIGHTARG = nurture.funnel_summary, FUNCTION = nurture._funnel_summary_lt, COMMUTATOR = OPERATOR(nurture.>),
    NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR nurture.< (nurture.funnel_summary, nurture.funnel_summary) IS 'by bytes, for sorting only';
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.funnel_summary, RIGHTARG = nurture.funnel_summary, FUNCTION = nurture._funnel_summary_le, COMMUTATOR = OPERATOR(nurture.>=),
    NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR nurture.<= (nurture.funnel_summary, nurture.funnel_summary) IS 'by bytes, for sorting only';
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.funnel_summary, RIGHTARG = nurture.funnel_summary, FUNCTION = nurture._funnel_summary_gt, COMMUTATOR = OPERATOR(nurture.<),
    NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR nurture.> (nurture.funnel_summary, nurture.funnel_summary) IS 'by bytes, for sorting only';
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.funnel_summary, RIGHTARG = nurture.funnel_summary, FUNCTION = nurture._funnel_summary_ge, COMMUTATOR = OPERATOR(nurture.<=),
    NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR nurture.>= (nurture.funnel_summary, nurture.funnel_summary) IS 'by bytes, for sorting only';
CREATE OPERATOR CLASS nurture.funnel_summary_ops DEFAULT FOR TYPE nurture.funnel_summary USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._funnel_summary_cmp(nurture.funnel_summary, nurture.funnel_summary);
CREATE OPERATOR CLASS nurture.funnel_summary_ops DEFAULT FOR TYPE nurture.funnel_summary USING hash AS
    OPERATOR 1 nurture.=, FUNCTION 1 nurture._funnel_summary_hash(nurture.funnel_summary), FUNCTION 2 nurture._funnel_summary_hash_extended(nurture.funnel_summary, bigint);

CREATE FUNCTION nurture._cohort_summary_eq(nurture.cohort_summary, nurture.cohort_summary) RETURNS boolean
    AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_ne(nurture.cohort_summary, nurture.cohort_summary) RETURNS boolean
    AS 'byteane' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_lt(nurture.cohort_summary, nurture.cohort_summary) RETURNS boolean
    AS 'bytealt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_le(nurture.cohort_summary, nurture.cohort_summary) RETURNS boolean
    AS 'byteale' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_gt(nurture.cohort_summary, nurture.cohort_summary) RETURNS boolean
    AS 'byteagt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_ge(nurture.cohort_summary, nurture.cohort_summary) RETURNS boolean
    AS 'byteage' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_cmp(nurture.cohort_summary, nurture.cohort_summary) RETURNS integer
    AS 'byteacmp' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_hash(nurture.cohort_summary) RETURNS integer
    AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_hash_extended(nurture.cohort_summary, bigint) RETURNS bigint
    AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR nurture.= (
    LEFTARG = nurture.cohort_summary, RIGHTARG = nurture.cohort_summary, FUNCTION = nurture._cohort_summary_eq, COMMUTATOR = OPERATOR(nurture.=),
    NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR nurture.= (nurture.cohort_summary, nurture.cohort_summary) IS 'the same counts';
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.cohort_summary, RIGHTARG = nurture.cohort_summary, FUNCTION = nurture._cohort_summary_ne, COMMUTATOR = OPERATOR(nurture.<>),
    NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR nurture.<> (nurture.cohort_summary, nurture.cohort_summary) IS 'not the same counts';
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.cohort_summary, RIGHTARG = nurture.cohort_summary, FUNCTION = nurture._cohort_summary_lt, COMMUTATOR = OPERATOR(nurture.>),
    NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR nurture.< (nurture.cohort_summary, nurture.cohort_summary) IS 'by bytes, for sorting only';
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.cohort_summary, RIGHTARG = nurture.cohort_summary, FUNCTION = nurture._cohort_summary_le, COMMUTATOR = OPERATOR(nurture.>=),
    NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR nurture.<= (nurture.cohort_summary, nurture.cohort_summary) IS 'by bytes, for sorting only';
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.cohort_summary, RIGHTARG = nurture.cohort_summary, FUNCTION = nurture._cohort_summary_gt, COMMUTATOR = OPERATOR(nurture.<),
    NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR nurture.> (nurture.cohort_summary, nurture.cohort_summary) IS 'by bytes, for sorting only';
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.cohort_summary, RIGHTARG = nurture.cohort_summary, FUNCTION = nurture._cohort_summary_ge, COMMUTATOR = OPERATOR(nurture.<=),
    NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR nurture.>= (nurture.cohort_summary, nurture.cohort_summary) IS 'by bytes, for sorting only';
CREATE OPERATOR CLASS nurture.cohort_summary_ops DEFAULT FOR TYPE nurture.cohort_summary USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._cohort_summary_cmp(nurture.cohort_summary, nurture.cohort_summary);
CREATE OPERATOR CLASS nurture.cohort_summary_ops DEFAULT FOR TYPE nurture.cohort_summary USING hash AS
    OPERATOR 1 nurture.=, FUNCTION 1 nurture._cohort_summary_hash(nurture.cohort_summary), FUNCTION 2 nurture._cohort_summary_hash_extended(nurture.cohort_summary, bigint);

CREATE FUNCTION nurture._attribution_summary_eq(nurture.attribution_summary, nurture.attribution_summary) RETURNS boolean
    AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_summary_ne(nurture.attribution_summary, nurture.attribution_summary) RETURNS boolean
    AS 'byteane' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_summary_lt(nurture.attribution_summary, nurture.attribution_summary) RETURNS boolean
    AS 'bytealt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_summary_le(nurture.attribution_summary, nurture.attribution_summary) RETURNS boolean
    AS 'byteale' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_summary_gt(nurture.attribution_summary, nurture.attribution_summary) RETURNS boolean
    AS 'byteagt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_summary_ge(nurture.attribution_summary, nurture.attribution_summary) RETURNS boolean
    AS 'byteage' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_summary_cmp(nurture.attribution_summary, nurture.attribution_summary) RETURNS integer
    AS 'byteacmp' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_summary_hash(nurture.attribution_summary) RETURNS integer
    AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_summary_hash_extended(nurture.attribution_summary, bigint) RETURNS bigint
    AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR nurture.= (
    LEFTARG = nurture.attribution_summary, RIGHTARG = nurture.attribution_summary, FUNCTION = nurture._attribution_summary_eq, COMMUTATOR = OPERATOR(nurture.=),
    NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR nurture.= (nurture.attribution_summary, nurture.attribution_summary) IS 'the same paths, with the same outcomes';
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.attribution_summary, RIGHTARG = nurture.attribution_summary, FUNCTION = nurture._attribution_summary_ne, COMMUTATOR = OPERATOR(nurture.<>),
    NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR nurture.<> (nurture.attribution_summary, nurture.attribution_summary) IS 'not the same paths, with the same outcomes';
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.attribution_summary, RIGHTARG = nurture.attribution_summary, FUNCTION = nurture._attribution_summary_lt, COMMUTATOR = OPERATOR(nurture.>),
    NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR nurture.< (nurture.attribution_summary, nurture.attribution_summary) IS 'by bytes, for sorting only';
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.attribution_summary, RIGHTARG = nurture.attribution_summary, FUNCTION = nurture._attribution_summary_le, COMMUTATOR = OPERATOR(nurture.>=),
    NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR nurture.<= (nurture.attribution_summary, nurture.attribution_summary) IS 'by bytes, for sorting only';
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.attribution_summary, RIGHTARG = nurture.attribution_summary, FUNCTION = nurture._attribution_summary_gt, COMMUTATOR = OPERATOR(nurture.<),
    NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR nurture.> (nurture.attribution_summary, nurture.attribution_summary) IS 'by bytes, for sorting only';
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.attribution_summary, RIGHTARG = nurture.attribution_summary, FUNCTION = nurture._attribution_summary_ge, COMMUTATOR = OPERATOR(nurture.<=),
    NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR nurture.>= (nurture.attribution_summary, nurture.attribution_summary) IS 'by bytes, for sorting only';
CREATE OPERATOR CLASS nurture.attribution_summary_ops DEFAULT FOR TYPE nurture.attribution_summary USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._attribution_summary_cmp(nurture.attribution_summary, nurture.attribution_summary);
CREATE OPERATOR CLASS nurture.attribution_summary_ops DEFAULT FOR TYPE nurture.attribution_summary USING hash AS
    OPERATOR 1 nurture.=, FUNCTION 1 nurture._attribution_summary_hash(nurture.attribution_summary), FUNCTION 2 nurture._attribution_summary_hash_extended(nurture.attribution_summary, bigint);
