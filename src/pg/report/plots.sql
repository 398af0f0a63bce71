-- Pictures from the result of any query: arrays in, SVG out. The text is ASCII whatever the encoding of the database.

CREATE FUNCTION nurture._markup(text) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_markup' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nurture._markup(text) IS 'text as it may stand in HTML and XML, also within quotes';

CREATE FUNCTION nurture.plot_funnel(labels text[], reached bigint[], title text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_plot_funnel' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION nurture.plot_funnel(text[], bigint[], text) IS
    'SVG: a bar per step with how many came this far, their share of the first step, and how many went on';

CREATE FUNCTION nurture.plot_retention(cohorts text[], periods integer[], shares double precision[],
        members bigint[] DEFAULT NULL, title text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_plot_retention' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION nurture.plot_retention(text[], integer[], double precision[], bigint[], text) IS
    'SVG: a heat map of the share of each cohort that is active in each period; with members also their weighted mean';

CREATE FUNCTION nurture.plot_retention(summary nurture.cohort_summary, title text DEFAULT NULL) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 2000
    BEGIN ATOMIC
        SELECT nurture.plot_retention(
                   pg_catalog.array_agg(pg_catalog.to_char(c.cohort,
                       CASE WHEN pg_catalog.date_trunc('day', c.cohort) OPERATOR(pg_catalog.=) c.cohort
                            THEN 'YYYY-MM-DD' ELSE 'YYYY-MM-DD HH24:MI' END) ORDER BY c.cohort, c.period),
                   pg_catalog.array_agg(c.period::integer ORDER BY c.cohort, c.period),
                   pg_catalog.array_agg(c.rate::double precision ORDER BY c.cohort, c.period),
                   pg_catalog.array_agg(c.members ORDER BY c.cohort, c.period),
                   title)
          FROM nurture.cohort(summary) AS c;
    END;
COMMENT ON FUNCTION nurture.plot_retention(nurture.cohort_summary, text) IS
    'SVG: the retention table of nurture.cohort() as a heat map';

CREATE FUNCTION nurture.plot_scores(scores double precision[], outcomes boolean[] DEFAULT NULL, title text DEFAULT NULL)
    RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_plot_scores' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION nurture.plot_scores(double precision[], boolean[], text) IS
    'SVG: a histogram of scores; with outcomes also the share of them in each band, with its 95 % interval (Wilson)';

CREATE FUNCTION nurture.plot_bars(labels text[], "values" double precision[], panels text[] DEFAULT NULL,
        title text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_plot_bars' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION nurture.plot_bars(text[], double precision[], text[], text) IS
    'SVG: a bar per label; with panels (at most 6) a column of bars for each, all to the same scale';

CREATE FUNCTION nurture.plot_attribution(channels text[], credits double precision[], models text[] DEFAULT NULL,
        title text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_plot_attribution' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION nurture.plot_attribution(text[], double precision[], text[], text) IS
    'SVG: what channels are credited with, as nurture.attribution() gives it; with models a column for each';

CREATE FUNCTION nurture._plot_segments(at timestamp[], segments text[], sizes bigint[], title text) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_plot_segments' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION nurture.plot_segments(at timestamptz[], segments text[], sizes bigint[], title text DEFAULT NULL)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE COST 1000
    BEGIN ATOMIC
        SELECT nurture._plot_segments(at::timestamp[], segments, sizes, title);
    END;
COMMENT ON FUNCTION nurture.plot_segments(timestamptz[], text[], bigint[], text) IS
    'SVG: sizes over time, a line for each segment (at most 8); each size holds until the next. Times are shown in the session''s time zone';
