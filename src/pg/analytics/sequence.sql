-- Sequences: did events follow each other as a pattern says, how often, when; and what came next.
-- Pattern: (?1) an event of condition 1, . any event, .* any number of events, (?t<=3600) seconds between.

CREATE FUNCTION nurture._sequence_match(internal) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_sequence_match' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE FUNCTION nurture._sequence_count(internal) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_sequence_count' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE FUNCTION nurture._node_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_node_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._node_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_node_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._node_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_node_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._next_node(internal) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_next_node' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;

CREATE FUNCTION nurture._sequence_row(internal, text, timestamptz, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_sequence_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._sequence_events_timestamptz(internal) RETURNS timestamptz[]
    AS 'MODULE_PATHNAME', 'nurture_sequence_events' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE AGGREGATE nurture.sequence_match(pattern text, at timestamptz, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_match,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_match(text, timestamptz, VARIADIC boolean[]) IS 'do events match the pattern? (?1) is an event of the first condition, . any event, .* any number of events, (?t<=3600) the seconds between';
CREATE AGGREGATE nurture.sequence_count(pattern text, at timestamptz, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_count,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_count(text, timestamptz, VARIADIC boolean[]) IS 'the greatest number of matches of the pattern one after the other';
CREATE AGGREGATE nurture.sequence_events(pattern text, at timestamptz, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_events_timestamptz,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_events(text, timestamptz, VARIADIC boolean[]) IS 'the times of the (?N) elements of the match that ends first, NULL without a match';
CREATE FUNCTION nurture._node_row(internal, text, text, timestamptz, text, boolean, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_node_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.next_node(direction text, base text, at timestamptz, value text, base_condition boolean, VARIADIC path boolean[]) (
    SFUNC = nurture._node_row, STYPE = internal, SSPACE = 400,
    FINALFUNC = nurture._next_node,
    COMBINEFUNC = nurture._node_combine,
    SERIALFUNC = nurture._node_serialize, DESERIALFUNC = nurture._node_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.next_node(text, text, timestamptz, text, boolean, VARIADIC boolean[]) IS 'the value of the row right after a path of adjoining rows (direction forward) or right before it (backward); base head, tail, first_match or last_match; the path begins at a row of base_condition';

CREATE FUNCTION nurture._sequence_row(internal, text, timestamp, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_sequence_row_timestamp' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._sequence_events_timestamp(internal) RETURNS timestamp[]
    AS 'MODULE_PATHNAME', 'nurture_sequence_events' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE AGGREGATE nurture.sequence_match(pattern text, at timestamp, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_match,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_match(text, timestamp, VARIADIC boolean[]) IS 'do events match the pattern? (?1) is an event of the first condition, . any event, .* any number of events, (?t<=3600) the seconds between';
CREATE AGGREGATE nurture.sequence_count(pattern text, at timestamp, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_count,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_count(text, timestamp, VARIADIC boolean[]) IS 'the greatest number of matches of the pattern one after the other';
CREATE AGGREGATE nurture.sequence_events(pattern text, at timestamp, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_events_timestamp,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_events(text, timestamp, VARIADIC boolean[]) IS 'the times of the (?N) elements of the match that ends first, NULL without a match';
CREATE FUNCTION nurture._node_row(internal, text, text, timestamp, text, boolean, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_node_row_timestamp' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.next_node(direction text, base text, at timestamp, value text, base_condition boolean, VARIADIC path boolean[]) (
    SFUNC = nurture._node_row, STYPE = internal, SSPACE = 400,
    FINALFUNC = nurture._next_node,
    COMBINEFUNC = nurture._node_combine,
    SERIALFUNC = nurture._node_serialize, DESERIALFUNC = nurture._node_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.next_node(text, text, timestamp, text, boolean, VARIADIC boolean[]) IS 'the value of the row right after a path of adjoining rows (direction forward) or right before it (backward); base head, tail, first_match or last_match; the path begins at a row of base_condition';

CREATE FUNCTION nurture._sequence_row(internal, text, date, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_sequence_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._sequence_events_date(internal) RETURNS date[]
    AS 'MODULE_PATHNAME', 'nurture_sequence_events' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE AGGREGATE nurture.sequence_match(pattern text, at date, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_match,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_match(text, date, VARIADIC boolean[]) IS 'do events match the pattern? (?1) is an event of the first condition, . any event, .* any number of events, (?t<=3600) the seconds between';
CREATE AGGREGATE nurture.sequence_count(pattern text, at date, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_count,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_count(text, date, VARIADIC boolean[]) IS 'the greatest number of matches of the pattern one after the other';
CREATE AGGREGATE nurture.sequence_events(pattern text, at date, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_events_date,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_events(text, date, VARIADIC boolean[]) IS 'the times of the (?N) elements of the match that ends first, NULL without a match';
CREATE FUNCTION nurture._node_row(internal, text, text, date, text, boolean, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_node_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.next_node(direction text, base text, at date, value text, base_condition boolean, VARIADIC path boolean[]) (
    SFUNC = nurture._node_row, STYPE = internal, SSPACE = 400,
    FINALFUNC = nurture._next_node,
    COMBINEFUNC = nurture._node_combine,
    SERIALFUNC = nurture._node_serialize, DESERIALFUNC = nurture._node_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.next_node(text, text, date, text, boolean, VARIADIC boolean[]) IS 'the value of the row right after a path of adjoining rows (direction forward) or right before it (backward); base head, tail, first_match or last_match; the path begins at a row of base_condition';

CREATE FUNCTION nurture._sequence_row(internal, text, bigint, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_sequence_row_bigint' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._sequence_events_bigint(internal) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'nurture_sequence_events' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE AGGREGATE nurture.sequence_match(pattern text, at bigint, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_match,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_match(text, bigint, VARIADIC boolean[]) IS 'do events match the pattern? (?1) is an event of the first condition, . any event, .* any number of events, (?t<=3600) the seconds between';
CREATE AGGREGATE nurture.sequence_count(pattern text, at bigint, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_count,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_count(text, bigint, VARIADIC boolean[]) IS 'the greatest number of matches of the pattern one after the other';
CREATE AGGREGATE nurture.sequence_events(pattern text, at bigint, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_events_bigint,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_events(text, bigint, VARIADIC boolean[]) IS 'the times of the (?N) elements of the match that ends first, NULL without a match';
CREATE FUNCTION nurture._node_row(internal, text, text, bigint, text, boolean, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_node_row_bigint' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.next_node(direction text, base text, at bigint, value text, base_condition boolean, VARIADIC path boolean[]) (
    SFUNC = nurture._node_row, STYPE = internal, SSPACE = 400,
    FINALFUNC = nurture._next_node,
    COMBINEFUNC = nurture._node_combine,
    SERIALFUNC = nurture._node_serialize, DESERIALFUNC = nurture._node_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.next_node(text, text, bigint, text, boolean, VARIADIC boolean[]) IS 'the value of the row right after a path of adjoining rows (direction forward) or right before it (backward); base head, tail, first_match or last_match; the path begins at a row of base_condition';
