-- Funnels: how far a group's rows went through a series of steps.
-- The state is internal (a buffer of events); the two-step form keeps it as a value, nurture.funnel_summary.

CREATE TYPE nurture.funnel_summary;

CREATE FUNCTION nurture._funnel_summary_in(cstring) RETURNS nurture.funnel_summary
    AS 'MODULE_PATHNAME', 'nurture_funnel_summary_in' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_out(nurture.funnel_summary) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_funnel_summary_out' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_recv(internal) RETURNS nurture.funnel_summary
    AS 'MODULE_PATHNAME', 'nurture_funnel_summary_recv' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_send(nurture.funnel_summary) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_funnel_summary_send' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE nurture.funnel_summary (
    INPUT = nurture._funnel_summary_in,
    OUTPUT = nurture._funnel_summary_out,
    RECEIVE = nurture._funnel_summary_recv,
    SEND = nurture._funnel_summary_send,
    STORAGE = extended
);
COMMENT ON TYPE nurture.funnel_summary IS 'a group''s events of a funnel: times and the steps they satisfy; made by funnel_agg(), read by depth(), times() and converted_within(), added by rollup()';

-- Support of the aggregates that buffer events.
CREATE FUNCTION nurture._events_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_events_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._events_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_events_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._events_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_events_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_depth(internal) RETURNS integer
    AS 'MODULE_PATHNAME', 'nurture_funnel_depth' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE FUNCTION nurture._funnel_summary(internal) RETURNS nurture.funnel_summary
    AS 'MODULE_PATHNAME', 'nurture_funnel_summary' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE FUNCTION nurture._funnel_rollup_row(internal, nurture.funnel_summary) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_rollup_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;

CREATE FUNCTION nurture._funnel_row(internal, timestamptz, interval, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel(at timestamptz, span interval, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_depth,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel(timestamptz, interval, VARIADIC boolean[]) IS 'depth of the funnel: how many of the steps were done in their order, the last at most span after the first';
CREATE AGGREGATE nurture.funnel_agg(at timestamptz, span interval, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_summary,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_agg(timestamptz, interval, VARIADIC boolean[]) IS 'the funnel as a value that can be stored, added and asked in every mode: depth(), times(), converted_within()';

CREATE FUNCTION nurture._funnel_row(internal, timestamp, interval, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_row_timestamp' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel(at timestamp, span interval, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_depth,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel(timestamp, interval, VARIADIC boolean[]) IS 'depth of the funnel: how many of the steps were done in their order, the last at most span after the first';
CREATE AGGREGATE nurture.funnel_agg(at timestamp, span interval, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_summary,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_agg(timestamp, interval, VARIADIC boolean[]) IS 'the funnel as a value that can be stored, added and asked in every mode: depth(), times(), converted_within()';

CREATE FUNCTION nurture._funnel_row(internal, date, interval, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel(at date, span interval, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_depth,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel(date, interval, VARIADIC boolean[]) IS 'depth of the funnel: how many of the steps were done in their order, the last at most span after the first';
CREATE AGGREGATE nurture.funnel_agg(at date, span interval, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_summary,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_agg(date, interval, VARIADIC boolean[]) IS 'the funnel as a value that can be stored, added and asked in every mode: depth(), times(), converted_within()';

CREATE FUNCTION nurture._funnel_row(internal, bigint, bigint, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_row_bigint' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel(at bigint, span bigint, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_depth,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel(bigint, bigint, VARIADIC boolean[]) IS 'depth of the funnel: how many of the steps were done in their order, the last at most span after the first';
CREATE AGGREGATE nurture.funnel_agg(at bigint, span bigint, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_summary,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_agg(bigint, bigint, VARIADIC boolean[]) IS 'the funnel as a value that can be stored, added and asked in every mode: depth(), times(), converted_within()';

CREATE AGGREGATE nurture.rollup(summary nurture.funnel_summary) (
    SFUNC = nurture._funnel_rollup_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_summary,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rollup(nurture.funnel_summary) IS 'one summary of the events of several: those of one contact''s days make its week';

CREATE FUNCTION nurture.steps(summary nurture.funnel_summary) RETURNS integer
    AS 'MODULE_PATHNAME', 'nurture_summary_steps' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION nurture.steps(nurture.funnel_summary) IS 'how many steps the funnel has, excluded conditions too';

CREATE FUNCTION nurture.depth(summary nurture.funnel_summary, mode text DEFAULT 'ordered', exclude integer[] DEFAULT '{}')
    RETURNS integer
    AS 'MODULE_PATHNAME', 'nurture_summary_depth' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION nurture.depth(nurture.funnel_summary, text, integer[]) IS 'depth of the funnel; mode: ordered, strict_order, strict_once, strict_increase, deduplicated, reentry (combined by commas) or unordered; exclude: numbers of conditions that must not occur within the chain';

CREATE FUNCTION nurture.times(summary nurture.funnel_summary, mode text DEFAULT 'ordered', exclude integer[] DEFAULT '{}')
    RETURNS timestamptz[]
    AS 'MODULE_PATHNAME', 'nurture_summary_times' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION nurture.times(nurture.funnel_summary, text, integer[]) IS 'when each step of the best chain was done, for times of type timestamptz: of the deepest chains the one complete first, of these the one begun last';

CREATE FUNCTION nurture.local_times(summary nurture.funnel_summary, mode text DEFAULT 'ordered', exclude integer[] DEFAULT '{}')
    RETURNS timestamp[]
    AS 'MODULE_PATHNAME', 'nurture_summary_local_times' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION nurture.local_times(nurture.funnel_summary, text, integer[]) IS 'when each step of the best chain was done, for times of type timestamp or date: of the deepest chains the one complete first, of these the one begun last';

CREATE FUNCTION nurture.positions(summary nurture.funnel_summary, mode text DEFAULT 'ordered', exclude integer[] DEFAULT '{}')
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'nurture_summary_positions' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION nurture.positions(nurture.funnel_summary, text, integer[]) IS 'when each step of the best chain was done, for times of type bigint: of the deepest chains the one complete first, of these the one begun last';

CREATE FUNCTION nurture.converted_within(summary nurture.funnel_summary, within interval, mode text DEFAULT 'ordered', exclude integer[] DEFAULT '{}')
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_summary_converted_within' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION nurture.converted_within(nurture.funnel_summary, interval, text, integer[]) IS 'were all steps done, the last at most this long (and at most the funnel''s span) after the first?';
CREATE FUNCTION nurture.converted_within_units(summary nurture.funnel_summary, within bigint, mode text DEFAULT 'ordered', exclude integer[] DEFAULT '{}')
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_summary_converted_within_units' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION nurture.converted_within_units(nurture.funnel_summary, bigint, text, integer[]) IS 'the same for times of type bigint, in their units';
