-- The language's types. All five are text in canonical form; the input functions parse, the output functions print.
-- Nothing is looked up: a definition may name a segment that does not exist yet.

CREATE TYPE nurture.rule_definition;

CREATE FUNCTION nurture._rule_definition_in(cstring) RETURNS nurture.rule_definition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_rule_definition_in';
CREATE FUNCTION nurture._rule_definition_out(nurture.rule_definition) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_out';
CREATE FUNCTION nurture._rule_definition_recv(internal) RETURNS nurture.rule_definition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_rule_definition_recv';
CREATE FUNCTION nurture._rule_definition_send(nurture.rule_definition) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_send';

CREATE TYPE nurture.rule_definition (
    INPUT = nurture._rule_definition_in,
    OUTPUT = nurture._rule_definition_out,
    RECEIVE = nurture._rule_definition_recv,
    SEND = nurture._rule_definition_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = extended
);
COMMENT ON TYPE nurture.rule_definition IS 'how many points an event is worth: +5 on page_view where path like /pricing% half-life 14 days';

CREATE CAST (text AS nurture.rule_definition) WITH INOUT AS ASSIGNMENT;
CREATE CAST (nurture.rule_definition AS text) WITH INOUT AS ASSIGNMENT;

CREATE FUNCTION nurture._rule_definition_eq(nurture.rule_definition, nurture.rule_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_eq';
CREATE FUNCTION nurture._rule_definition_ne(nurture.rule_definition, nurture.rule_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ne';
CREATE FUNCTION nurture._rule_definition_lt(nurture.rule_definition, nurture.rule_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_lt';
CREATE FUNCTION nurture._rule_definition_le(nurture.rule_definition, nurture.rule_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_le';
CREATE FUNCTION nurture._rule_definition_gt(nurture.rule_definition, nurture.rule_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_gt';
CREATE FUNCTION nurture._rule_definition_ge(nurture.rule_definition, nurture.rule_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ge';
CREATE FUNCTION nurture._rule_definition_cmp(nurture.rule_definition, nurture.rule_definition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_cmp';
CREATE FUNCTION nurture._rule_definition_hash(nurture.rule_definition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash';
CREATE FUNCTION nurture._rule_definition_hash_extended(nurture.rule_definition, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash_extended';

CREATE OPERATOR nurture.= (
    LEFTARG = nurture.rule_definition, RIGHTARG = nurture.rule_definition, FUNCTION = nurture._rule_definition_eq,
    COMMUTATOR = OPERATOR(nurture.=), NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.rule_definition, RIGHTARG = nurture.rule_definition, FUNCTION = nurture._rule_definition_ne,
    COMMUTATOR = OPERATOR(nurture.<>), NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.rule_definition, RIGHTARG = nurture.rule_definition, FUNCTION = nurture._rule_definition_lt,
    COMMUTATOR = OPERATOR(nurture.>), NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.rule_definition, RIGHTARG = nurture.rule_definition, FUNCTION = nurture._rule_definition_le,
    COMMUTATOR = OPERATOR(nurture.>=), NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.rule_definition, RIGHTARG = nurture.rule_definition, FUNCTION = nurture._rule_definition_gt,
    COMMUTATOR = OPERATOR(nurture.<), NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.rule_definition, RIGHTARG = nurture.rule_definition, FUNCTION = nurture._rule_definition_ge,
    COMMUTATOR = OPERATOR(nurture.<=), NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
CREATE OPERATOR CLASS nurture.rule_definition_ops DEFAULT FOR TYPE nurture.rule_definition USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._rule_definition_cmp(nurture.rule_definition, nurture.rule_definition);
CREATE OPERATOR CLASS nurture.rule_definition_ops DEFAULT FOR TYPE nurture.rule_definition USING hash AS
    OPERATOR 1 nurture.=,
    FUNCTION 1 nurture._rule_definition_hash(nurture.rule_definition),
    FUNCTION 2 nurture._rule_definition_hash_extended(nurture.rule_definition, bigint);

COMMENT ON OPERATOR nurture.= (nurture.rule_definition, nurture.rule_definition) IS 'same canonical text';
COMMENT ON OPERATOR nurture.<> (nurture.rule_definition, nurture.rule_definition) IS 'different canonical text';
COMMENT ON OPERATOR nurture.< (nurture.rule_definition, nurture.rule_definition) IS 'before in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.<= (nurture.rule_definition, nurture.rule_definition) IS 'before or equal in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.> (nurture.rule_definition, nurture.rule_definition) IS 'after in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.>= (nurture.rule_definition, nurture.rule_definition) IS 'after or equal in the order of the bytes of the canonical text';

CREATE TYPE nurture.condition;

CREATE FUNCTION nurture._condition_in(cstring) RETURNS nurture.condition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_condition_in';
CREATE FUNCTION nurture._condition_out(nurture.condition) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_out';
CREATE FUNCTION nurture._condition_recv(internal) RETURNS nurture.condition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_condition_recv';
CREATE FUNCTION nurture._condition_send(nurture.condition) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_send';

CREATE TYPE nurture.condition (
    INPUT = nurture._condition_in,
    OUTPUT = nurture._condition_out,
    RECEIVE = nurture._condition_recv,
    SEND = nurture._condition_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = extended
);
COMMENT ON TYPE nurture.condition IS 'a question about a contact: score >= 50 and not did purchase within 30 days';

CREATE CAST (text AS nurture.condition) WITH INOUT AS ASSIGNMENT;
CREATE CAST (nurture.condition AS text) WITH INOUT AS ASSIGNMENT;

CREATE FUNCTION nurture._condition_eq(nurture.condition, nurture.condition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_eq';
CREATE FUNCTION nurture._condition_ne(nurture.condition, nurture.condition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ne';
CREATE FUNCTION nurture._condition_lt(nurture.condition, nurture.condition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_lt';
CREATE FUNCTION nurture._condition_le(nurture.condition, nurture.condition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_le';
CREATE FUNCTION nurture._condition_gt(nurture.condition, nurture.condition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_gt';
CREATE FUNCTION nurture._condition_ge(nurture.condition, nurture.condition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ge';
CREATE FUNCTION nurture._condition_cmp(nurture.condition, nurture.condition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_cmp';
CREATE FUNCTION nurture._condition_hash(nurture.condition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash';
CREATE FUNCTION nurture._condition_hash_extended(nurture.condition, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash_extended';

CREATE OPERATOR nurture.= (
    LEFTARG = nurture.condition, RIGHTARG = nurture.condition, FUNCTION = nurture._condition_eq,
    COMMUTATOR = OPERATOR(nurture.=), NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.condition, RIGHTARG = nurture.condition, FUNCTION = nurture._condition_ne,
    COMMUTATOR = OPERATOR(nurture.<>), NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.condition, RIGHTARG = nurture.condition, FUNCTION = nurture._condition_lt,
    COMMUTATOR = OPERATOR(nurture.>), NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.condition, RIGHTARG = nurture.condition, FUNCTION = nurture._condition_le,
    COMMUTATOR = OPERATOR(nurture.>=), NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.condition, RIGHTARG = nurture.condition, FUNCTION = nurture._condition_gt,
    COMMUTATOR = OPERATOR(nurture.<), NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.condition, RIGHTARG = nurture.condition, FUNCTION = nurture._condition_ge,
    COMMUTATOR = OPERATOR(nurture.<=), NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
CREATE OPERATOR CLASS nurture.condition_ops DEFAULT FOR TYPE nurture.condition USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._condition_cmp(nurture.condition, nurture.condition);
CREATE OPERATOR CLASS nurture.condition_ops DEFAULT FOR TYPE nurture.condition USING hash AS
    OPERATOR 1 nurture.=,
    FUNCTION 1 nurture._condition_hash(nurture.condition),
    FUNCTION 2 nurture._condition_hash_extended(nurture.condition, bigint);

COMMENT ON OPERATOR nurture.= (nurture.condition, nurture.condition) IS 'same canonical text';
COMMENT ON OPERATOR nurture.<> (nurture.condition, nurture.condition) IS 'different canonical text';
COMMENT ON OPERATOR nurture.< (nurture.condition, nurture.condition) IS 'before in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.<= (nurture.condition, nurture.condition) IS 'before or equal in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.> (nurture.condition, nurture.condition) IS 'after in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.>= (nurture.condition, nurture.condition) IS 'after or equal in the order of the bytes of the canonical text';

CREATE TYPE nurture.workflow_definition;

CREATE FUNCTION nurture._workflow_definition_in(cstring) RETURNS nurture.workflow_definition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_workflow_definition_in';
CREATE FUNCTION nurture._workflow_definition_out(nurture.workflow_definition) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_out';
CREATE FUNCTION nurture._workflow_definition_recv(internal) RETURNS nurture.workflow_definition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_workflow_definition_recv';
CREATE FUNCTION nurture._workflow_definition_send(nurture.workflow_definition) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_send';

CREATE TYPE nurture.workflow_definition (
    INPUT = nurture._workflow_definition_in,
    OUTPUT = nurture._workflow_definition_out,
    RECEIVE = nurture._workflow_definition_recv,
    SEND = nurture._workflow_definition_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = extended
);
COMMENT ON TYPE nurture.workflow_definition IS 'what starts a journey, what ends it, and its steps';

CREATE CAST (text AS nurture.workflow_definition) WITH INOUT AS ASSIGNMENT;
CREATE CAST (nurture.workflow_definition AS text) WITH INOUT AS ASSIGNMENT;

CREATE FUNCTION nurture._workflow_definition_eq(nurture.workflow_definition, nurture.workflow_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_eq';
CREATE FUNCTION nurture._workflow_definition_ne(nurture.workflow_definition, nurture.workflow_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ne';
CREATE FUNCTION nurture._workflow_definition_lt(nurture.workflow_definition, nurture.workflow_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_lt';
CREATE FUNCTION nurture._workflow_definition_le(nurture.workflow_definition, nurture.workflow_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_le';
CREATE FUNCTION nurture._workflow_definition_gt(nurture.workflow_definition, nurture.workflow_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_gt';
CREATE FUNCTION nurture._workflow_definition_ge(nurture.workflow_definition, nurture.workflow_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ge';
CREATE FUNCTION nurture._workflow_definition_cmp(nurture.workflow_definition, nurture.workflow_definition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_cmp';
CREATE FUNCTION nurture._workflow_definition_hash(nurture.workflow_definition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash';
CREATE FUNCTION nurture._workflow_definition_hash_extended(nurture.workflow_definition, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash_extended';

CREATE OPERATOR nurture.= (
    LEFTARG = nurture.workflow_definition, RIGHTARG = nurture.workflow_definition, FUNCTION = nurture._workflow_definition_eq,
    COMMUTATOR = OPERATOR(nurture.=), NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.workflow_definition, RIGHTARG = nurture.workflow_definition, FUNCTION = nurture._workflow_definition_ne,
    COMMUTATOR = OPERATOR(nurture.<>), NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.workflow_definition, RIGHTARG = nurture.workflow_definition, FUNCTION = nurture._workflow_definition_lt,
    COMMUTATOR = OPERATOR(nurture.>), NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.workflow_definition, RIGHTARG = nurture.workflow_definition, FUNCTION = nurture._workflow_definition_le,
    COMMUTATOR = OPERATOR(nurture.>=), NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.workflow_definition, RIGHTARG = nurture.workflow_definition, FUNCTION = nurture._workflow_definition_gt,
    COMMUTATOR = OPERATOR(nurture.<), NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.workflow_definition, RIGHTARG = nurture.workflow_definition, FUNCTION = nurture._workflow_definition_ge,
    COMMUTATOR = OPERATOR(nurture.<=), NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
CREATE OPERATOR CLASS nurture.workflow_definition_ops DEFAULT FOR TYPE nurture.workflow_definition USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._workflow_definition_cmp(nurture.workflow_definition, nurture.workflow_definition);
CREATE OPERATOR CLASS nurture.workflow_definition_ops DEFAULT FOR TYPE nurture.workflow_definition USING hash AS
    OPERATOR 1 nurture.=,
    FUNCTION 1 nurture._workflow_definition_hash(nurture.workflow_definition),
    FUNCTION 2 nurture._workflow_definition_hash_extended(nurture.workflow_definition, bigint);

COMMENT ON OPERATOR nurture.= (nurture.workflow_definition, nurture.workflow_definition) IS 'same canonical text';
COMMENT ON OPERATOR nurture.<> (nurture.workflow_definition, nurture.workflow_definition) IS 'different canonical text';
COMMENT ON OPERATOR nurture.< (nurture.workflow_definition, nurture.workflow_definition) IS 'before in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.<= (nurture.workflow_definition, nurture.workflow_definition) IS 'before or equal in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.> (nurture.workflow_definition, nurture.workflow_definition) IS 'after in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.>= (nurture.workflow_definition, nurture.workflow_definition) IS 'after or equal in the order of the bytes of the canonical text';

CREATE TYPE nurture.policy_definition;

CREATE FUNCTION nurture._policy_definition_in(cstring) RETURNS nurture.policy_definition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_policy_definition_in';
CREATE FUNCTION nurture._policy_definition_out(nurture.policy_definition) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_out';
CREATE FUNCTION nurture._policy_definition_recv(internal) RETURNS nurture.policy_definition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_policy_definition_recv';
CREATE FUNCTION nurture._policy_definition_send(nurture.policy_definition) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_send';

CREATE TYPE nurture.policy_definition (
    INPUT = nurture._policy_definition_in,
    OUTPUT = nurture._policy_definition_out,
    RECEIVE = nurture._policy_definition_recv,
    SEND = nurture._policy_definition_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = extended
);
COMMENT ON TYPE nurture.policy_definition IS 'whose messages, and what guards them: consent, caps, quiet hours, windows, rates, budgets';

CREATE CAST (text AS nurture.policy_definition) WITH INOUT AS ASSIGNMENT;
CREATE CAST (nurture.policy_definition AS text) WITH INOUT AS ASSIGNMENT;

CREATE FUNCTION nurture._policy_definition_eq(nurture.policy_definition, nurture.policy_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_eq';
CREATE FUNCTION nurture._policy_definition_ne(nurture.policy_definition, nurture.policy_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ne';
CREATE FUNCTION nurture._policy_definition_lt(nurture.policy_definition, nurture.policy_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_lt';
CREATE FUNCTION nurture._policy_definition_le(nurture.policy_definition, nurture.policy_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_le';
CREATE FUNCTION nurture._policy_definition_gt(nurture.policy_definition, nurture.policy_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_gt';
CREATE FUNCTION nurture._policy_definition_ge(nurture.policy_definition, nurture.policy_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ge';
CREATE FUNCTION nurture._policy_definition_cmp(nurture.policy_definition, nurture.policy_definition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_cmp';
CREATE FUNCTION nurture._policy_definition_hash(nurture.policy_definition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash';
CREATE FUNCTION nurture._policy_definition_hash_extended(nurture.policy_definition, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash_extended';

CREATE OPERATOR nurture.= (
    LEFTARG = nurture.policy_definition, RIGHTARG = nurture.policy_definition, FUNCTION = nurture._policy_definition_eq,
    COMMUTATOR = OPERATOR(nurture.=), NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.policy_definition, RIGHTARG = nurture.policy_definition, FUNCTION = nurture._policy_definition_ne,
    COMMUTATOR = OPERATOR(nurture.<>), NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.policy_definition, RIGHTARG = nurture.policy_definition, FUNCTION = nurture._policy_definition_lt,
    COMMUTATOR = OPERATOR(nurture.>), NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.policy_definition, RIGHTARG = nurture.policy_definition, FUNCTION = nurture._policy_definition_le,
    COMMUTATOR = OPERATOR(nurture.>=), NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.policy_definition, RIGHTARG = nurture.policy_definition, FUNCTION = nurture._policy_definition_gt,
    COMMUTATOR = OPERATOR(nurture.<), NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.policy_definition, RIGHTARG = nurture.policy_definition, FUNCTION = nurture._policy_definition_ge,
    COMMUTATOR = OPERATOR(nurture.<=), NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
CREATE OPERATOR CLASS nurture.policy_definition_ops DEFAULT FOR TYPE nurture.policy_definition USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._policy_definition_cmp(nurture.policy_definition, nurture.policy_definition);
CREATE OPERATOR CLASS nurture.policy_definition_ops DEFAULT FOR TYPE nurture.policy_definition USING hash AS
    OPERATOR 1 nurture.=,
    FUNCTION 1 nurture._policy_definition_hash(nurture.policy_definition),
    FUNCTION 2 nurture._policy_definition_hash_extended(nurture.policy_definition, bigint);

COMMENT ON OPERATOR nurture.= (nurture.policy_definition, nurture.policy_definition) IS 'same canonical text';
COMMENT ON OPERATOR nurture.<> (nurture.policy_definition, nurture.policy_definition) IS 'different canonical text';
COMMENT ON OPERATOR nurture.< (nurture.policy_definition, nurture.policy_definition) IS 'before in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.<= (nurture.policy_definition, nurture.policy_definition) IS 'before or equal in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.> (nurture.policy_definition, nurture.policy_definition) IS 'after in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.>= (nurture.policy_definition, nurture.policy_definition) IS 'after or equal in the order of the bytes of the canonical text';

CREATE TYPE nurture.stream_definition;

CREATE FUNCTION nurture._stream_definition_in(cstring) RETURNS nurture.stream_definition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_stream_definition_in';
CREATE FUNCTION nurture._stream_definition_out(nurture.stream_definition) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_out';
CREATE FUNCTION nurture._stream_definition_recv(internal) RETURNS nurture.stream_definition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_stream_definition_recv';
CREATE FUNCTION nurture._stream_definition_send(nurture.stream_definition) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_send';

CREATE TYPE nurture.stream_definition (
    INPUT = nurture._stream_definition_in,
    OUTPUT = nurture._stream_definition_out,
    RECEIVE = nurture._stream_definition_recv,
    SEND = nurture._stream_definition_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = extended
);
COMMENT ON TYPE nurture.stream_definition IS 'what contacts are sent one after the other: email ''tip 1'' for newsletter from 2026-03-01';

CREATE CAST (text AS nurture.stream_definition) WITH INOUT AS ASSIGNMENT;
CREATE CAST (nurture.stream_definition AS text) WITH INOUT AS ASSIGNMENT;

CREATE FUNCTION nurture._stream_definition_eq(nurture.stream_definition, nurture.stream_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_eq';
CREATE FUNCTION nurture._stream_definition_ne(nurture.stream_definition, nurture.stream_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ne';
CREATE FUNCTION nurture._stream_definition_lt(nurture.stream_definition, nurture.stream_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_lt';
CREATE FUNCTION nurture._stream_definition_le(nurture.stream_definition, nurture.stream_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_le';
CREATE FUNCTION nurture._stream_definition_gt(nurture.stream_definition, nurture.stream_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_gt';
CREATE FUNCTION nurture._stream_definition_ge(nurture.stream_definition, nurture.stream_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ge';
CREATE FUNCTION nurture._stream_definition_cmp(nurture.stream_definition, nurture.stream_definition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_cmp';
CREATE FUNCTION nurture._stream_definition_hash(nurture.stream_definition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash';
CREATE FUNCTION nurture._stream_definition_hash_extended(nurture.stream_definition, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash_extended';

CREATE OPERATOR nurture.= (
    LEFTARG = nurture.stream_definition, RIGHTARG = nurture.stream_definition, FUNCTION = nurture._stream_definition_eq,
    COMMUTATOR = OPERATOR(nurture.=), NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.stream_definition, RIGHTARG = nurture.stream_definition, FUNCTION = nurture._stream_definition_ne,
    COMMUTATOR = OPERATOR(nurture.<>), NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.stream_definition, RIGHTARG = nurture.stream_definition, FUNCTION = nurture._stream_definition_lt,
    COMMUTATOR = OPERATOR(nurture.>), NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.stream_definition, RIGHTARG = nurture.stream_definition, FUNCTION = nurture._stream_definition_le,
    COMMUTATOR = OPERATOR(nurture.>=), NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.stream_definition, RIGHTARG = nurture.stream_definition, FUNCTION = nurture._stream_definition_gt,
    COMMUTATOR = OPERATOR(nurture.<), NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.stream_definition, RIGHTARG = nurture.stream_definition, FUNCTION = nurture._stream_definition_ge,
    COMMUTATOR = OPERATOR(nurture.<=), NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
CREATE OPERATOR CLASS nurture.stream_definition_ops DEFAULT FOR TYPE nurture.stream_definition USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._stream_definition_cmp(nurture.stream_definition, nurture.stream_definition);
CREATE OPERATOR CLASS nurture.stream_definition_ops DEFAULT FOR TYPE nurture.stream_definition USING hash AS
    OPERATOR 1 nurture.=,
    FUNCTION 1 nurture._stream_definition_hash(nurture.stream_definition),
    FUNCTION 2 nurture._stream_definition_hash_extended(nurture.stream_definition, bigint);

COMMENT ON OPERATOR nurture.= (nurture.stream_definition, nurture.stream_definition) IS 'same canonical text';
COMMENT ON OPERATOR nurture.<> (nurture.stream_definition, nurture.stream_definition) IS 'different canonical text';
COMMENT ON OPERATOR nurture.< (nurture.stream_definition, nurture.stream_definition) IS 'before in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.<= (nurture.stream_definition, nurture.stream_definition) IS 'before or equal in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.> (nurture.stream_definition, nurture.stream_definition) IS 'after in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.>= (nurture.stream_definition, nurture.stream_definition) IS 'after or equal in the order of the bytes of the canonical text';

CREATE FUNCTION nurture._validate(definition text, asked_form text, OUT valid boolean, OUT form text, OUT canonical text,
                                  OUT message text, OUT line integer, OUT "column" integer, OUT hint text)
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_validate';
COMMENT ON FUNCTION nurture._validate(text, text) IS 'whether a text is a definition; see nurture.validate';
