-- The aggregates that group by contact themselves: GROUP BY and the outer count in one step. Rows without a contact or
-- a time are ignored. The state of all contacts is one value, so it does not spill: nurture.aggregate_memory limits it.

CREATE FUNCTION nurture._events_by_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_events_by_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._events_by_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_events_by_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._events_by_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_events_by_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_by_counts(internal) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'nurture_funnel_by_counts' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100;
CREATE FUNCTION nurture._sequence_by_count(internal) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_sequence_by_count' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100;

CREATE FUNCTION nurture._funnel_by_row(internal, anyelement, timestamptz, interval, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_by_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel_by(contact anyelement, at timestamptz, span interval, VARIADIC steps "any") (
    SFUNC = nurture._funnel_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._funnel_by_counts,
    COMBINEFUNC = nurture._events_by_combine,
    SERIALFUNC = nurture._events_by_serialize, DESERIALFUNC = nurture._events_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_by(anyelement, timestamptz, interval, VARIADIC "any") IS 'element i: how many contacts did the steps 1 to i in their order, the last at most span after the first';

CREATE FUNCTION nurture._funnel_by_row(internal, anyelement, timestamp, interval, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_by_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel_by(contact anyelement, at timestamp, span interval, VARIADIC steps "any") (
    SFUNC = nurture._funnel_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._funnel_by_counts,
    COMBINEFUNC = nurture._events_by_combine,
    SERIALFUNC = nurture._events_by_serialize, DESERIALFUNC = nurture._events_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_by(anyelement, timestamp, interval, VARIADIC "any") IS 'element i: how many contacts did the steps 1 to i in their order, the last at most span after the first';

CREATE FUNCTION nurture._funnel_by_row(internal, anyelement, date, interval, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_by_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel_by(contact anyelement, at date, span interval, VARIADIC steps "any") (
    SFUNC = nurture._funnel_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._funnel_by_counts,
    COMBINEFUNC = nurture._events_by_combine,
    SERIALFUNC = nurture._events_by_serialize, DESERIALFUNC = nurture._events_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_by(anyelement, date, interval, VARIADIC "any") IS 'element i: how many contacts did the steps 1 to i in their order, the last at most span after the first';

CREATE FUNCTION nurture._funnel_by_row(internal, anyelement, bigint, bigint, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_by_row_bigint' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel_by(contact anyelement, at bigint, span bigint, VARIADIC steps "any") (
    SFUNC = nurture._funnel_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._funnel_by_counts,
    COMBINEFUNC = nurture._events_by_combine,
    SERIALFUNC = nurture._events_by_serialize, DESERIALFUNC = nurture._events_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_by(anyelement, bigint, bigint, VARIADIC "any") IS 'element i: how many contacts did the steps 1 to i in their order, the last at most span after the first';

CREATE FUNCTION nurture._funnel_by_row(internal, anyelement, timestamptz, interval, text, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_by_mode_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel_by(contact anyelement, at timestamptz, span interval, mode text, VARIADIC steps "any") (
    SFUNC = nurture._funnel_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._funnel_by_counts,
    COMBINEFUNC = nurture._events_by_combine,
    SERIALFUNC = nurture._events_by_serialize, DESERIALFUNC = nurture._events_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_by(anyelement, timestamptz, interval, text, VARIADIC "any") IS 'element i: how many contacts reached depth i in one of the modes of depth(), such as ''strict_order, exclude 4''';

CREATE FUNCTION nurture._funnel_by_row(internal, anyelement, timestamp, interval, text, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_by_mode_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel_by(contact anyelement, at timestamp, span interval, mode text, VARIADIC steps "any") (
    SFUNC = nurture._funnel_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._funnel_by_counts,
    COMBINEFUNC = nurture._events_by_combine,
    SERIALFUNC = nurture._events_by_serialize, DESERIALFUNC = nurture._events_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_by(anyelement, timestamp, interval, text, VARIADIC "any") IS 'element i: how many contacts reached depth i in one of the modes of depth(), such as ''strict_order, exclude 4''';

CREATE FUNCTION nurture._funnel_by_row(internal, anyelement, date, interval, text, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_by_mode_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel_by(contact anyelement, at date, span interval, mode text, VARIADIC steps "any") (
    SFUNC = nurture._funnel_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._funnel_by_counts,
    COMBINEFUNC = nurture._events_by_combine,
    SERIALFUNC = nurture._events_by_serialize, DESERIALFUNC = nurture._events_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_by(anyelement, date, interval, text, VARIADIC "any") IS 'element i: how many contacts reached depth i in one of the modes of depth(), such as ''strict_order, exclude 4''';

CREATE FUNCTION nurture._funnel_by_row(internal, anyelement, bigint, bigint, text, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_by_mode_row_bigint' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel_by(contact anyelement, at bigint, span bigint, mode text, VARIADIC steps "any") (
    SFUNC = nurture._funnel_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._funnel_by_counts,
    COMBINEFUNC = nurture._events_by_combine,
    SERIALFUNC = nurture._events_by_serialize, DESERIALFUNC = nurture._events_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_by(anyelement, bigint, bigint, text, VARIADIC "any") IS 'element i: how many contacts reached depth i in one of the modes of depth(), such as ''strict_order, exclude 4''';

CREATE FUNCTION nurture._sequence_by_row(internal, text, anyelement, timestamptz, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_sequence_by_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.sequence_by(pattern text, contact anyelement, at timestamptz, VARIADIC conditions "any") (
    SFUNC = nurture._sequence_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._sequence_by_count,
    COMBINEFUNC = nurture._events_by_combine,
    SERIALFUNC = nurture._events_by_serialize, DESERIALFUNC = nurture._events_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_by(text, anyelement, timestamptz, VARIADIC "any") IS 'for how many contacts the events match the pattern (see sequence_match)';

CREATE FUNCTION nurture._sequence_by_row(internal, text, anyelement, timestamp, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_sequence_by_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.sequence_by(pattern text, contact anyelement, at timestamp, VARIADIC conditions "any") (
    SFUNC = nurture._sequence_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._sequence_by_count,
    COMBINEFUNC = nurture._events_by_combine,
    SERIALFUNC = nurture._events_by_serialize, DESERIALFUNC = nurture._events_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_by(text, anyelement, timestamp, VARIADIC "any") IS 'for how many contacts the events match the pattern (see sequence_match)';

CREATE FUNCTION nurture._sequence_by_row(internal, text, anyelement, date, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_sequence_by_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.sequence_by(pattern text, contact anyelement, at date, VARIADIC conditions "any") (
    SFUNC = nurture._sequence_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._sequence_by_count,
    COMBINEFUNC = nurture._events_by_combine,
    SERIALFUNC = nurture._events_by_serialize, DESERIALFUNC = nurture._events_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_by(text, anyelement, date, VARIADIC "any") IS 'for how many contacts the events match the pattern (see sequence_match)';

CREATE FUNCTION nurture._sequence_by_row(internal, text, anyelement, bigint, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_sequence_by_row_bigint' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.sequence_by(pattern text, contact anyelement, at bigint, VARIADIC conditions "any") (
    SFUNC = nurture._sequence_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._sequence_by_count,
    COMBINEFUNC = nurture._events_by_combine,
    SERIALFUNC = nurture._events_by_serialize, DESERIALFUNC = nurture._events_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_by(text, anyelement, bigint, VARIADIC "any") IS 'for how many contacts the events match the pattern (see sequence_match)';

CREATE FUNCTION nurture._retention_by_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_retention_by_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._retention_by_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_retention_by_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._retention_by_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_retention_by_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._retention_by_counts(internal) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'nurture_retention_by_counts' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100;

CREATE FUNCTION nurture._retention_by_row(internal, anyelement, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_retention_by_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.retention_by(contact anyelement, VARIADIC conditions "any") (
    SFUNC = nurture._retention_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._retention_by_counts,
    COMBINEFUNC = nurture._retention_by_combine,
    SERIALFUNC = nurture._retention_by_serialize, DESERIALFUNC = nurture._retention_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.retention_by(anyelement, VARIADIC "any") IS 'element 1: for how many contacts the first condition ever held; element i: for how many the first and the i-th did, in whichever rows';

CREATE FUNCTION nurture._cohort_by_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_by_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_by_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_cohort_by_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_by_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_by_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_by_summary(internal) RETURNS nurture.cohort_summary
    AS 'MODULE_PATHNAME', 'nurture_cohort_by_summary' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100;

CREATE FUNCTION nurture._cohort_by_row(internal, anyelement, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_by_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_by(contact anyelement, at timestamptz, period interval) (
    SFUNC = nurture._cohort_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._cohort_by_summary,
    COMBINEFUNC = nurture._cohort_by_combine,
    SERIALFUNC = nurture._cohort_by_serialize, DESERIALFUNC = nurture._cohort_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_by(anyelement, timestamptz, interval) IS 'the periods in which contacts, each begun with its first activity, were active: cohort_agg() per contact and rollup() in one step';

CREATE FUNCTION nurture._cohort_by_row(internal, anyelement, timestamp, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_by_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_by(contact anyelement, at timestamp, period interval) (
    SFUNC = nurture._cohort_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._cohort_by_summary,
    COMBINEFUNC = nurture._cohort_by_combine,
    SERIALFUNC = nurture._cohort_by_serialize, DESERIALFUNC = nurture._cohort_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_by(anyelement, timestamp, interval) IS 'the periods in which contacts, each begun with its first activity, were active: cohort_agg() per contact and rollup() in one step';

CREATE FUNCTION nurture._cohort_by_row(internal, anyelement, date, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_by_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_by(contact anyelement, at date, period interval) (
    SFUNC = nurture._cohort_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._cohort_by_summary,
    COMBINEFUNC = nurture._cohort_by_combine,
    SERIALFUNC = nurture._cohort_by_serialize, DESERIALFUNC = nurture._cohort_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_by(anyelement, date, interval) IS 'the periods in which contacts, each begun with its first activity, were active: cohort_agg() per contact and rollup() in one step';

CREATE FUNCTION nurture._attribution_by_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_by_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_by_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_attribution_by_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_by_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_by_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_by_summary(internal) RETURNS nurture.attribution_summary
    AS 'MODULE_PATHNAME', 'nurture_attribution_by_summary' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100;

CREATE FUNCTION nurture._attribution_by_row(internal, anyelement, timestamptz, text, bigint) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_by_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.attribution_by(contact anyelement, at timestamptz, channel text, conversions bigint) (
    SFUNC = nurture._attribution_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._attribution_by_summary,
    COMBINEFUNC = nurture._attribution_by_combine,
    SERIALFUNC = nurture._attribution_by_serialize, DESERIALFUNC = nurture._attribution_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.attribution_by(anyelement, timestamptz, text, bigint) IS 'summary of the paths of all contacts for nurture.attribution: a row with a channel is a touch, one with conversions ends a path of the touches since the conversion before it';

CREATE FUNCTION nurture._attribution_by_row(internal, anyelement, timestamptz, text, bigint, numeric) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_by_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.attribution_by(contact anyelement, at timestamptz, channel text, conversions bigint, value numeric) (
    SFUNC = nurture._attribution_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._attribution_by_summary,
    COMBINEFUNC = nurture._attribution_by_combine,
    SERIALFUNC = nurture._attribution_by_serialize, DESERIALFUNC = nurture._attribution_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.attribution_by(anyelement, timestamptz, text, bigint, numeric) IS 'summary of the paths of all contacts for nurture.attribution: a row with a channel is a touch, one with conversions ends a path of the touches since the conversion before it';

CREATE FUNCTION nurture._attribution_by_row(internal, anyelement, timestamptz, text, bigint, numeric, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_by_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.attribution_by(contact anyelement, at timestamptz, channel text, conversions bigint, value numeric, span interval) (
    SFUNC = nurture._attribution_by_row, STYPE = internal, SSPACE = 1024,
    FINALFUNC = nurture._attribution_by_summary,
    COMBINEFUNC = nurture._attribution_by_combine,
    SERIALFUNC = nurture._attribution_by_serialize, DESERIALFUNC = nurture._attribution_by_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.attribution_by(anyelement, timestamptz, text, bigint, numeric, interval) IS 'summary of the paths of all contacts for nurture.attribution: a row with a channel is a touch, one with conversions ends a path of the touches since the conversion before it, less than the span ago';
