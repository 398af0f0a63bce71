-- Retention: which conditions held for a contact; cohorts by period with churn and resurrection; sessions.

CREATE FUNCTION nurture._retention_row(bigint, VARIADIC boolean[]) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_retention_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._retention_combine(bigint, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_retention_combine' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._retention_result(bigint) RETURNS boolean[]
    AS 'MODULE_PATHNAME', 'nurture_retention_result' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE AGGREGATE nurture.retention(VARIADIC conditions boolean[]) (
    SFUNC = nurture._retention_row, STYPE = bigint,
    FINALFUNC = nurture._retention_result,
    COMBINEFUNC = nurture._retention_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.retention(VARIADIC boolean[]) IS 'element 1: did the first condition ever hold; element i: did the first and the i-th, in whichever rows';

CREATE TYPE nurture.cohort_summary;

CREATE FUNCTION nurture._cohort_summary_in(cstring) RETURNS nurture.cohort_summary
    AS 'MODULE_PATHNAME', 'nurture_cohort_summary_in' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_out(nurture.cohort_summary) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_cohort_summary_out' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_recv(internal) RETURNS nurture.cohort_summary
    AS 'MODULE_PATHNAME', 'nurture_cohort_summary_recv' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_send(nurture.cohort_summary) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_cohort_summary_send' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE nurture.cohort_summary (
    INPUT = nurture._cohort_summary_in,
    OUTPUT = nurture._cohort_summary_out,
    RECEIVE = nurture._cohort_summary_recv,
    SEND = nurture._cohort_summary_send,
    STORAGE = extended
);
COMMENT ON TYPE nurture.cohort_summary IS 'contacts by the period they began in, and how many were active in each later period; made by cohort_agg() per contact, added by rollup(), read by cohort() and growth()';

CREATE FUNCTION nurture._contact_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_contact_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._contact_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_contact_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._contact_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_contact_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._contact_summary(internal) RETURNS nurture.cohort_summary
    AS 'MODULE_PATHNAME', 'nurture_contact_summary' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10;

CREATE FUNCTION nurture._cohort_row(internal, timestamptz, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_agg(first_at timestamptz, at timestamptz, period interval) (
    SFUNC = nurture._cohort_row, STYPE = internal, SSPACE = 140,
    FINALFUNC = nurture._contact_summary,
    COMBINEFUNC = nurture._contact_combine,
    SERIALFUNC = nurture._contact_serialize, DESERIALFUNC = nurture._contact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_agg(timestamptz, timestamptz, interval) IS 'the periods (UTC) in which one contact, begun at first_at, was active; GROUP BY the contact, then rollup()';
CREATE FUNCTION nurture._cohort_row(internal, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_agg(at timestamptz, period interval) (
    SFUNC = nurture._cohort_row, STYPE = internal, SSPACE = 140,
    FINALFUNC = nurture._contact_summary,
    COMBINEFUNC = nurture._contact_combine,
    SERIALFUNC = nurture._contact_serialize, DESERIALFUNC = nurture._contact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_agg(timestamptz, interval) IS 'the periods (UTC) in which one contact, begun with its first activity, was active; GROUP BY the contact, then rollup()';

CREATE FUNCTION nurture._cohort_row(internal, timestamp, timestamp, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_agg(first_at timestamp, at timestamp, period interval) (
    SFUNC = nurture._cohort_row, STYPE = internal, SSPACE = 140,
    FINALFUNC = nurture._contact_summary,
    COMBINEFUNC = nurture._contact_combine,
    SERIALFUNC = nurture._contact_serialize, DESERIALFUNC = nurture._contact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_agg(timestamp, timestamp, interval) IS 'the periods in which one contact, begun at first_at, was active; GROUP BY the contact, then rollup()';
CREATE FUNCTION nurture._cohort_row(internal, timestamp, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_agg(at timestamp, period interval) (
    SFUNC = nurture._cohort_row, STYPE = internal, SSPACE = 140,
    FINALFUNC = nurture._contact_summary,
    COMBINEFUNC = nurture._contact_combine,
    SERIALFUNC = nurture._contact_serialize, DESERIALFUNC = nurture._contact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_agg(timestamp, interval) IS 'the periods in which one contact, begun with its first activity, was active; GROUP BY the contact, then rollup()';

CREATE FUNCTION nurture._cohort_row(internal, date, date, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_agg(first_at date, at date, period interval) (
    SFUNC = nurture._cohort_row, STYPE = internal, SSPACE = 140,
    FINALFUNC = nurture._contact_summary,
    COMBINEFUNC = nurture._contact_combine,
    SERIALFUNC = nurture._contact_serialize, DESERIALFUNC = nurture._contact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_agg(date, date, interval) IS 'the periods in which one contact, begun at first_at, was active; GROUP BY the contact, then rollup()';
CREATE FUNCTION nurture._cohort_row(internal, date, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_agg(at date, period interval) (
    SFUNC = nurture._cohort_row, STYPE = internal, SSPACE = 140,
    FINALFUNC = nurture._contact_summary,
    COMBINEFUNC = nurture._contact_combine,
    SERIALFUNC = nurture._contact_serialize, DESERIALFUNC = nurture._contact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_agg(date, interval) IS 'the periods in which one contact, begun with its first activity, was active; GROUP BY the contact, then rollup()';

CREATE FUNCTION nurture._cohort_rollup_row(internal, nurture.cohort_summary) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_rollup_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_rollup_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_rollup_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_rollup_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_cohort_rollup_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_rollup_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_rollup_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_rollup_summary(internal) RETURNS nurture.cohort_summary
    AS 'MODULE_PATHNAME', 'nurture_cohort_rollup_summary' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.rollup(summary nurture.cohort_summary) (
    SFUNC = nurture._cohort_rollup_row, STYPE = internal, SSPACE = 2000,
    FINALFUNC = nurture._cohort_rollup_summary,
    COMBINEFUNC = nurture._cohort_rollup_combine,
    SERIALFUNC = nurture._cohort_rollup_serialize, DESERIALFUNC = nurture._cohort_rollup_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rollup(nurture.cohort_summary) IS 'adds the summaries of different contacts';

CREATE FUNCTION nurture._cohort_lines(summary nurture.cohort_summary,
        OUT cohort timestamp, OUT period bigint, OUT period_start timestamp, OUT members bigint, OUT active bigint,
        OUT retained bigint, OUT resurrected bigint, OUT churned bigint)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_cohort_lines' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 100;

CREATE FUNCTION nurture.cohort(summary nurture.cohort_summary)
    RETURNS TABLE (cohort timestamp, period bigint, period_start timestamp, members bigint, active bigint,
                   rate numeric, retained bigint, resurrected bigint, churned bigint)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 100
    BEGIN ATOMIC
        SELECT l.cohort, l.period, l.period_start, l.members, l.active,
               pg_catalog.round(l.active::numeric OPERATOR(pg_catalog./) l.members::numeric, 6),
               l.retained, l.resurrected, l.churned
          FROM nurture._cohort_lines(summary) AS l
         ORDER BY l.cohort, l.period;
    END;
COMMENT ON FUNCTION nurture.cohort(nurture.cohort_summary) IS 'the retention table: per cohort and period the members, those active and their share, those active in the period before too (retained), back after a pause (resurrected), and gone since the period before (churned)';

CREATE FUNCTION nurture.growth(summary nurture.cohort_summary)
    RETURNS TABLE (period_start timestamp, active bigint, new bigint, retained bigint, resurrected bigint, churned bigint)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 100
    BEGIN ATOMIC
        SELECT l.period_start,
               pg_catalog.sum(l.active)::bigint,
               pg_catalog.sum(CASE WHEN l.period OPERATOR(pg_catalog.=) 0 THEN l.active ELSE 0 END)::bigint,
               pg_catalog.sum(l.retained)::bigint,
               pg_catalog.sum(l.resurrected)::bigint,
               pg_catalog.sum(l.churned)::bigint
          FROM nurture._cohort_lines(summary) AS l
         GROUP BY l.period_start
         ORDER BY l.period_start;
    END;
COMMENT ON FUNCTION nurture.growth(nurture.cohort_summary) IS 'growth accounting per period: active = new + retained + resurrected, and active = active before - churned + new + resurrected';

CREATE FUNCTION nurture.sessionize(at timestamptz, gap interval) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_sessionize_timestamptz' LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nurture.sessionize(timestamptz, interval) IS 'number of the session, from 1, over (PARTITION BY contact ORDER BY at): a new one begins when more than the gap has passed since the row before';

CREATE FUNCTION nurture.sessionize(at timestamp, gap interval) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_sessionize_timestamptz' LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nurture.sessionize(timestamp, interval) IS 'number of the session, from 1, over (PARTITION BY contact ORDER BY at): a new one begins when more than the gap has passed since the row before';

CREATE FUNCTION nurture.sessionize(at date, gap interval) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_sessionize_date' LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nurture.sessionize(date, interval) IS 'number of the session, from 1, over (PARTITION BY contact ORDER BY at): a new one begins when more than the gap has passed since the row before';

CREATE FUNCTION nurture.sessionize(at bigint, gap bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_sessionize_bigint' LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nurture.sessionize(bigint, bigint) IS 'number of the session, from 1, over (PARTITION BY contact ORDER BY at): a new one begins when more than the gap has passed since the row before';
