-- nurture.schedule: fields as in crontab(5) and the time zone whose clock they mean, for tables of one's own. Workflows have it in their text.

CREATE TYPE nurture.schedule;

CREATE FUNCTION nurture._schedule_in(cstring) RETURNS nurture.schedule
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_schedule_in';
CREATE FUNCTION nurture._schedule_out(nurture.schedule) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_out';
CREATE FUNCTION nurture._schedule_recv(internal) RETURNS nurture.schedule
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_schedule_recv';
CREATE FUNCTION nurture._schedule_send(nurture.schedule) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_send';

CREATE TYPE nurture.schedule (
    INPUT = nurture._schedule_in,
    OUTPUT = nurture._schedule_out,
    RECEIVE = nurture._schedule_recv,
    SEND = nurture._schedule_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = extended
);
COMMENT ON TYPE nurture.schedule IS 'when something comes round: five fields as in crontab(5), and a time zone: 0 9 * * mon-fri Europe/Rome';

CREATE CAST (text AS nurture.schedule) WITH INOUT AS ASSIGNMENT;
CREATE CAST (nurture.schedule AS text) WITH INOUT AS ASSIGNMENT;

CREATE FUNCTION nurture._schedule_eq(nurture.schedule, nurture.schedule) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_eq';
CREATE FUNCTION nurture._schedule_ne(nurture.schedule, nurture.schedule) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ne';
CREATE FUNCTION nurture._schedule_lt(nurture.schedule, nurture.schedule) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_lt';
CREATE FUNCTION nurture._schedule_le(nurture.schedule, nurture.schedule) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_le';
CREATE FUNCTION nurture._schedule_gt(nurture.schedule, nurture.schedule) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_gt';
CREATE FUNCTION nurture._schedule_ge(nurture.schedule, nurture.schedule) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ge';
CREATE FUNCTION nurture._schedule_cmp(nurture.schedule, nurture.schedule) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_cmp';
CREATE FUNCTION nurture._schedule_hash(nurture.schedule) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash';
CREATE FUNCTION nurture._schedule_hash_extended(nurture.schedule, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash_extended';

CREATE OPERATOR nurture.= (
    LEFTARG = nurture.schedule, RIGHTARG = nurture.schedule, FUNCTION = nurture._schedule_eq,
    COMMUTATOR = OPERATOR(nurture.=), NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.schedule, RIGHTARG = nurture.schedule, FUNCTION = nurture._schedule_ne,
    COMMUTATOR = OPERATOR(nurture.<>), NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.schedule, RIGHTARG = nurture.schedule, FUNCTION = nurture._schedule_lt,
    COMMUTATOR = OPERATOR(nurture.>), NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.schedule, RIGHTARG = nurture.schedule, FUNCTION = nurture._schedule_le,
    COMMUTATOR = OPERATOR(nurture.>=), NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.schedule, RIGHTARG = nurture.schedule, FUNCTION = nurture._schedule_gt,
    COMMUTATOR = OPERATOR(nurture.<), NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.schedule, RIGHTARG = nurture.schedule, FUNCTION = nurture._schedule_ge,
    COMMUTATOR = OPERATOR(nurture.<=), NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
CREATE OPERATOR CLASS nurture.schedule_ops DEFAULT FOR TYPE nurture.schedule USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._schedule_cmp(nurture.schedule, nurture.schedule);
CREATE OPERATOR CLASS nurture.schedule_ops DEFAULT FOR TYPE nurture.schedule USING hash AS
    OPERATOR 1 nurture.=,
    FUNCTION 1 nurture._schedule_hash(nurture.schedule),
    FUNCTION 2 nurture._schedule_hash_extended(nurture.schedule, bigint);

COMMENT ON OPERATOR nurture.= (nurture.schedule, nurture.schedule) IS 'same canonical text';
COMMENT ON OPERATOR nurture.<> (nurture.schedule, nurture.schedule) IS 'different canonical text';
COMMENT ON OPERATOR nurture.< (nurture.schedule, nurture.schedule) IS 'before in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.<= (nurture.schedule, nurture.schedule) IS 'before or equal in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.> (nurture.schedule, nurture.schedule) IS 'after in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.>= (nurture.schedule, nurture.schedule) IS 'after or equal in the order of the bytes of the canonical text';

CREATE FUNCTION nurture.next_run(schedule nurture.schedule, after timestamptz DEFAULT now()) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_schedule_next';
COMMENT ON FUNCTION nurture.next_run(nurture.schedule, timestamptz) IS 'the first moment after that at which the schedule comes round; NULL: none in 30 years';
CREATE FUNCTION nurture.runs(schedule nurture.schedule, since timestamptz, until timestamptz) RETURNS TABLE (at timestamptz)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 100 AS 'MODULE_PATHNAME', 'nurture_schedule_runs';
COMMENT ON FUNCTION nurture.runs(nurture.schedule, timestamptz, timestamptz) IS 'all moments at which the schedule comes round, from since on and before until';
