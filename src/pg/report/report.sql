-- The report: one page of HTML that needs nothing else, made of the views and the pictures.

CREATE FUNCTION nurture._report_style() RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'body{margin:0;background:#fff;color:#1b1f24;font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}'
    || 'main{max-width:880px;margin:0 auto;padding:16px}h1{font-size:1.7em;margin:.6em 0 .1em}'
    || 'h2{font-size:1.3em;margin:1.8em 0 .4em;padding-top:.6em;border-top:1px solid #dde1e6}h3{font-size:1em;margin:1.2em 0 .3em}'
    || '.when,.nothing{color:#57606a}figure{margin:0 -16px 8px}figure svg{display:block;width:100%;height:auto}'
    || '.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92em}'
    || 'th,td{text-align:left;padding:.35em 1.3em .35em 0;border-bottom:1px solid #dde1e6;vertical-align:top;overflow-wrap:break-word;max-width:20em}'
    || 'th{font-weight:600;color:#57606a;overflow-wrap:normal}.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}'
    || '@media (prefers-color-scheme:dark){body{background:#14181d;color:#e8ebee}.when,.nothing,th{color:#a3adb8}h2,th,td{border-color:#333b44}}'
$$;
COMMENT ON FUNCTION nurture._report_style() IS 'the style sheet of the report';

-- A table of HTML; rows are cells that are HTML already. Numbers are aligned by their columns' classes.
CREATE FUNCTION nurture._report_table(headers text[], numeric_columns int[], rows text[]) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT '<div class="scroll"><table><thead><tr>'
    || (SELECT string_agg(format('<th scope="col"%s>%s</th>', CASE WHEN h.n = ANY (numeric_columns) THEN ' class="n"' END,
                                 nurture._markup(h.name)), '' ORDER BY h.n) FROM unnest(headers) WITH ORDINALITY h (name, n))
    || E'</tr></thead>\n<tbody>' || array_to_string(rows, E'\n') || E'</tbody></table></div>\n'
$$;
COMMENT ON FUNCTION nurture._report_table(text[], int[], text[]) IS 'a table of the report';

CREATE FUNCTION nurture._report_row(cells text[], numeric_columns int[]) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT '<tr>' || string_agg(format('<td%s>%s</td>', CASE WHEN c.n = ANY (numeric_columns) THEN ' class="n"' END,
                                   nurture._markup(coalesce(c.content, ''))), '' ORDER BY c.n) || '</tr>'
FROM unnest(cells) WITH ORDINALITY c (content, n)
$$;
COMMENT ON FUNCTION nurture._report_row(text[], int[]) IS 'a row of a table of the report, from plain text';

CREATE FUNCTION nurture._report_nothing(what text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT '<p class="nothing">' || nurture._markup(what) || E'</p>\n'
$$;
COMMENT ON FUNCTION nurture._report_nothing(text) IS 'what the report says where there is nothing to show';

CREATE FUNCTION nurture._report_number(n numeric) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT trim_scale(round(n, 2))::text
$$;
COMMENT ON FUNCTION nurture._report_number(numeric) IS 'a number of the report: at most two decimals';

-- Scores as of then, but never earlier than what the contact has gone through.
CREATE FUNCTION nurture._report_lead(until timestamptz)
    RETURNS TABLE (contact text, score numeric, segments text[], last_seen timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT c.contact, coalesce(nurture._score(m.model, c.state, NULL, greatest(until, nurture._clock(c.state)), c.contact), 0),
       nurture._segments(m.model, c.state), nurture._last_seen(c.state)
FROM nurture.contact c CROSS JOIN nurture._current_model m
$$;
COMMENT ON FUNCTION nurture._report_lead(timestamptz) IS 'nurture.lead as of a moment, for the report';

CREATE FUNCTION nurture._report_leads(until timestamptz, top_leads int) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    scores double precision[];
    seen bigint;
    html text;
BEGIN
    SELECT array_agg(l.score::double precision), count(*) FILTER (WHERE l.last_seen > until - interval '7 days')
    INTO scores, seen FROM nurture._report_lead(until) l;
    IF scores IS NULL THEN
        RETURN nurture._report_nothing('Nobody is known yet.');
    END IF;
    html := format(E'<p><strong>%s</strong> contacts are known; <strong>%s</strong> were seen within 7 days.</p>\n',
                   to_char(cardinality(scores), 'FM9,999,999,999'), to_char(seen, 'FM9,999,999,999'))
        || '<figure>' || nurture.plot_scores(scores, title => 'Scores of all leads') || E'</figure>\n';
    IF top_leads > 0 THEN
        html := html || (
            SELECT nurture._report_table('{contact,score,segments,"last seen"}', '{2,4}', array_agg(
                       nurture._report_row(ARRAY[t.contact, nurture._report_number(t.score), array_to_string(t.segments, ', '),
                                                 to_char(t.last_seen, 'YYYY-MM-DD HH24:MI')], '{2,4}')
                       ORDER BY t.score DESC, t.contact))
            FROM (SELECT l.contact, l.score, l.segments, l.last_seen FROM nurture._report_lead(until) l
                  ORDER BY l.score DESC, l.contact LIMIT top_leads) t);
    END IF;
    RETURN html;
END
$$;
COMMENT ON FUNCTION nurture._report_leads(timestamptz, int) IS 'the leads of the report';

-- The size of a segment at a moment is what it is now, less who came since, plus who left since: exact also where the
-- first transitions are no longer kept.
-- Transitions keep the name that a segment had then.
CREATE FUNCTION nurture._segment_names() RETURNS TABLE (name text, id int)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT DISTINCT ON (n.name) n.name, n.id
FROM (SELECT s.name, s.id, true AS present, NULL::timestamptz AS at, NULL::int AS version FROM nurture.segment s
      UNION ALL
      SELECT v.name, v.id, false, v.at, v.version FROM nurture.definition_version v WHERE v.kind = 'segment') n
ORDER BY n.name, n.present DESC, n.at DESC, n.version DESC
$$;
COMMENT ON FUNCTION nurture._segment_names() IS 'every name that a segment has, or had last';
REVOKE ALL ON FUNCTION nurture._segment_names() FROM PUBLIC;

CREATE FUNCTION nurture._segment_sizes(since timestamptz, until timestamptz, points int DEFAULT 60)
    RETURNS TABLE (segment text, at timestamptz, size bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
WITH now AS (
    SELECT s.id, s.name, count(m.contact) AS size
    FROM nurture.segment s LEFT JOIN nurture.membership m ON m.segment = s.name WHERE s.enabled GROUP BY s.id, s.name
), grid AS (
    SELECT g.i, since + (until - since) * (g.i::double precision / points) AS at FROM generate_series(0, points) g (i)
), moved AS (
    -- The bucket is how many moments lie before the change.
    SELECT n.id, width_bucket(t.at - interval '1 microsecond', (SELECT array_agg(g.at ORDER BY g.at) FROM grid g)) AS bucket,
           sum(CASE t.kind WHEN 'segment entered' THEN 1 ELSE -1 END) AS change
    FROM nurture.transition t JOIN nurture._segment_names() n ON n.name = t.name
    WHERE t.kind IN ('segment entered', 'segment left') AND t.at > since
    GROUP BY 1, 2
)
SELECT n.name, g.at,
       greatest(0, n.size - coalesce((SELECT sum(m.change) FROM moved m WHERE m.id = n.id AND m.bucket > g.i), 0))::bigint
FROM now n CROSS JOIN grid g
$$;
COMMENT ON FUNCTION nurture._segment_sizes(timestamptz, timestamptz, int) IS
    'how many were in each segment at evenly spaced moments, a change at the moment counted';

CREATE FUNCTION nurture._report_segments(since timestamptz, until timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    rows text[];
    picture text;
BEGIN
    SELECT array_agg(nurture._report_row(ARRAY[s.name, s.size::text, s.entered::text, s.left::text, s.description], '{2,3,4}')
                     ORDER BY s.size DESC, s.name)
    INTO rows
    FROM (SELECT s.name, s.description,
                 (SELECT count(*) FROM nurture.membership m WHERE m.segment = s.name) AS size,
                 count(t.at) FILTER (WHERE t.kind = 'segment entered') AS entered,
                 count(t.at) FILTER (WHERE t.kind = 'segment left') AS left
          FROM nurture.segment s LEFT JOIN nurture._segment_names() n ON n.id = s.id
          LEFT JOIN nurture.transition t
              ON t.name = n.name AND t.kind IN ('segment entered', 'segment left') AND t.at > since AND t.at <= until
          WHERE s.enabled GROUP BY s.name, s.description) s;
    IF rows IS NULL THEN
        RETURN nurture._report_nothing('There are no segments.');
    END IF;
    SELECT nurture.plot_segments(array_agg(z.at ORDER BY z.rank, z.at), array_agg(z.segment ORDER BY z.rank, z.at),
                                 array_agg(z.size ORDER BY z.rank, z.at), 'Contacts in the largest segments')
    INTO picture
    FROM (SELECT s.*, dense_rank() OVER (ORDER BY s.last_size DESC, s.segment) AS rank
          FROM (SELECT z.*, last_value(z.size) OVER (PARTITION BY z.segment ORDER BY z.at
                           ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last_size
                FROM nurture._segment_sizes(since, until) z) s) z
    WHERE z.rank <= 6;
    RETURN '<figure>' || picture || E'</figure>\n'
        || nurture._report_table('{segment,contacts,entered,left,description}', '{2,3,4}', rows);
END
$$;
COMMENT ON FUNCTION nurture._report_segments(timestamptz, timestamptz) IS 'the segments of the report';

CREATE FUNCTION nurture._report_workflows(since timestamptz, until timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    rows text[];
    html text;
BEGIN
    SELECT array_agg(nurture._report_row(ARRAY[w.name, w.version::text, CASE WHEN w.enabled THEN 'live' ELSE 'paused' END,
                                               w.started::text, w.ended::text, w.inside::text], '{2,4,5,6}') ORDER BY w.name)
    INTO rows
    FROM (SELECT w.name, w.version, w.enabled,
                 count(t.at) FILTER (WHERE t.kind = 'journey started') AS started,
                 count(t.at) FILTER (WHERE t.kind = 'journey ended') AS ended,
                 (SELECT count(*) FROM nurture.journey j WHERE j.workflow = w.name AND j.branch IS NULL) AS inside
          FROM nurture.workflow w LEFT JOIN nurture.transition t
              ON t.name = w.name AND t.kind IN ('journey started', 'journey ended') AND t.at > since AND t.at <= until
          WHERE w.live_since IS NOT NULL GROUP BY w.name, w.version, w.enabled) w;
    IF rows IS NULL THEN
        RETURN nurture._report_nothing('There are no workflows.');
    END IF;
    html := nurture._report_table('{workflow,version,state,started,ended,"inside now"}', '{2,4,5,6}', rows);
    SELECT array_agg(nurture._report_row(ARRAY[j.workflow, j.version::text, j.step, j.inside::text,
                         to_char(j.since, 'YYYY-MM-DD HH24:MI'), to_char(j.wakes_at, 'YYYY-MM-DD HH24:MI')], '{2,4,5,6}')
                     ORDER BY j.workflow, j.version, j.step)
    INTO rows
    FROM (SELECT j.workflow, j.version, j.step, count(*) AS inside, min(j.since) AS since, min(j.wakes_at) AS wakes_at
          FROM nurture.journey j GROUP BY j.workflow, j.version, j.step) j;
    RETURN html || '<h3>Who waits where</h3>' || CASE WHEN rows IS NULL THEN nurture._report_nothing('Nobody is inside a workflow now.')
        ELSE nurture._report_table('{workflow,version,step,contacts,"longest since","next wakes at"}', '{2,4,5,6}', rows) END;
END
$$;
COMMENT ON FUNCTION nurture._report_workflows(timestamptz, timestamptz) IS 'the workflows of the report and what their steps hold';

CREATE FUNCTION nurture._report_messages(since timestamptz, until timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    html text;
    rows text[];
BEGIN
    -- Most rows first; what is beyond the 40 most frequent is in the outbox.
    SELECT array_agg(nurture._report_row(ARRAY[a.channel, a.template, a.n::text, a.done::text, a.waiting::text, a.failed::text,
                                               a.refused::text], '{3,4,5,6,7}') ORDER BY a.n DESC, a.channel, a.template)
    INTO rows
    FROM (SELECT a.channel, a.template, count(*) AS n, count(*) FILTER (WHERE a.status = 'done') AS done,
                 count(*) FILTER (WHERE a.status IN ('ready', 'claimed')) AS waiting,
                 count(*) FILTER (WHERE a.status IN ('failed', 'dead')) AS failed,
                 count(*) FILTER (WHERE a.status IN ('cancelled', 'expired', 'dropped')) AS refused
          FROM nurture.action a WHERE a.created_at > since AND a.created_at <= until
          GROUP BY a.channel, a.template ORDER BY count(*) DESC, a.channel, a.template LIMIT 40) a;
    IF rows IS NULL THEN
        RETURN nurture._report_nothing('No message was due in this time.');
    END IF;
    SELECT nurture.plot_bars(array_agg(o.name ORDER BY o.n DESC, o.name), array_agg(o.n::double precision ORDER BY o.n DESC, o.name),
                             title => 'What became of the actions')
    INTO html
    FROM (SELECT o.status AS name, count(*) AS n FROM nurture.action o
          WHERE o.created_at > since AND o.created_at <= until GROUP BY o.status) o;
    html := '<figure>' || html || E'</figure>\n'
        || nurture._report_table('{channel,template,actions,done,waiting,failed,"not sent"}', '{3,4,5,6,7}', rows);
    SELECT array_agg(nurture._report_row(ARRAY[r.status, r.reason, r.n::text], '{3}') ORDER BY r.n DESC, r.status, r.reason)
    INTO rows
    FROM (SELECT a.status, a.reason, count(*) AS n FROM nurture.action a
          WHERE a.reason IS NOT NULL AND a.status <> 'done' AND a.created_at > since AND a.created_at <= until
          GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10) r;
    IF rows IS NOT NULL THEN
        html := html || '<h3>Most frequent reasons</h3>' || nurture._report_table('{status,reason,actions}', '{3}', rows);
    END IF;
    RETURN html;
END
$$;
COMMENT ON FUNCTION nurture._report_messages(timestamptz, timestamptz) IS 'the actions of the report and what became of them';

CREATE FUNCTION nurture._report_funnel(since timestamptz, until timestamptz, steps text[], span interval) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    reached bigint[];
BEGIN
    IF cardinality(steps) > 0 THEN
        WITH depth AS (
            SELECT nurture.funnel(e.at, span, VARIADIC (SELECT array_agg(e.type = s.type ORDER BY s.n)
                                                        FROM unnest(steps) WITH ORDINALITY s (type, n))) AS depth
            FROM nurture.event e WHERE e.type = ANY (steps) AND e.at > since AND e.at <= until GROUP BY e.contact
        )
        SELECT array_agg((SELECT count(*) FROM depth d WHERE d.depth >= s.n) ORDER BY s.n)
        INTO reached FROM unnest(steps) WITH ORDINALITY s (type, n);
        RETURN format(E'<p>Contacts who did these in this order, the last at most %s after the first.</p>\n', nurture._markup(span::text))
            || '<figure>' || nurture.plot_funnel(steps, reached, 'From event to event') || E'</figure>\n';
    END IF;
    -- Without steps: how far contacts have come with us; each stage is asked of those of the one before.
    SELECT ARRAY[count(*), count(*) FILTER (WHERE l.score > 0), count(*) FILTER (WHERE l.score > 0 AND s.contact IS NOT NULL),
                 count(*) FILTER (WHERE l.score > 0 AND s.contact IS NOT NULL AND j.contact IS NOT NULL),
                 count(*) FILTER (WHERE l.score > 0 AND s.contact IS NOT NULL AND j.contact IS NOT NULL AND a.contact IS NOT NULL)]
    INTO reached
    FROM nurture._report_lead(until) l
    LEFT JOIN (SELECT DISTINCT t.contact FROM nurture.transition t WHERE t.kind = 'segment entered') s ON s.contact = l.contact
    LEFT JOIN (SELECT DISTINCT t.contact FROM nurture.transition t WHERE t.kind = 'journey started') j ON j.contact = l.contact
    LEFT JOIN (SELECT DISTINCT a.contact FROM nurture.action a WHERE a.status = 'done') a ON a.contact = l.contact;
    IF reached[1] = 0 THEN
        RETURN nurture._report_nothing('Nobody is known yet.');
    END IF;
    RETURN '<figure>' || nurture.plot_funnel('{known,"with a score above 0","ever in a segment","ever in a workflow","got a message"}',
                                             reached, 'How far contacts have come') || E'</figure>\n';
END
$$;
COMMENT ON FUNCTION nurture._report_funnel(timestamptz, timestamptz, text[], interval) IS 'the funnel of the report';

CREATE FUNCTION nurture._report_retention(until timestamptz, period interval) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    picture text;
BEGIN
    WITH contacts AS (
        SELECT nurture.cohort_agg(e.at AT TIME ZONE current_setting('timezone'), period) AS c
        FROM nurture.event e WHERE e.type NOT LIKE '$%' AND e.at <= until GROUP BY e.contact
    ), cohorts AS (
        SELECT c.*, dense_rank() OVER (ORDER BY c.cohort DESC) AS age
        FROM nurture.cohort((SELECT nurture.rollup(c.c) FROM contacts c)) c
    )
    SELECT nurture.plot_retention(array_agg(to_char(c.cohort, 'YYYY-MM-DD') ORDER BY c.cohort, c.period),
                                  array_agg(c.period::int ORDER BY c.cohort, c.period),
                                  array_agg(c.rate::double precision ORDER BY c.cohort, c.period),
                                  array_agg(c.members ORDER BY c.cohort, c.period), 'Contacts active again, by first event')
    INTO picture FROM cohorts c WHERE c.age <= 16 AND c.period < 16 HAVING count(*) > 0;
    IF picture IS NULL THEN
        RETURN nurture._report_nothing('Nothing has happened yet.');
    END IF;
    RETURN format(E'<p>A period is %s; the last one still runs.</p>\n<figure>%s</figure>\n', nurture._markup(period::text), picture);
END
$$;
COMMENT ON FUNCTION nurture._report_retention(timestamptz, interval) IS 'the retention of the report';

CREATE FUNCTION nurture.report(title text DEFAULT 'Marketing report', since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL,
        funnel_steps text[] DEFAULT NULL, funnel_span interval DEFAULT '7 days', retention_period interval DEFAULT '7 days',
        top_leads int DEFAULT 10) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    f record;
BEGIN
    -- A database whose clock is simulated stands at what was drained.
    until := coalesce(until, CASE WHEN NOT current_setting('nurture.enabled')::boolean THEN (SELECT e.drained FROM nurture.engine e) END,
                      now());
    since := coalesce(since, until - interval '12 weeks');
    IF NOT (isfinite(since) AND isfinite(until) AND since < until) THEN
        RAISE EXCEPTION 'since must be before until, and both finite' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('They are %s and %s.', since, until);
    END IF;
    IF top_leads IS NULL OR top_leads < 0 OR top_leads > 1000 THEN
        RAISE EXCEPTION 'top_leads must be between 0 and 1000' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF array_position(funnel_steps, NULL) IS NOT NULL OR cardinality(funnel_steps) > 32 THEN
        RAISE EXCEPTION 'funnel_steps must be at most 32 event types, none of them NULL' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO f FROM nurture.freshness;
    RETURN E'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        || '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        || '<title>' || nurture._markup(coalesce(title, '')) || E'</title>\n<style>' || nurture._report_style()
        || E'</style></head>\n<body><main>\n<h1>' || nurture._markup(coalesce(title, '')) || E'</h1>\n'
        || format(E'<p class="when">%s to %s (%s). Engine: %s; messages waiting: %s.</p>\n',
                  to_char(since, 'YYYY-MM-DD HH24:MI'), to_char(until, 'YYYY-MM-DD HH24:MI'),
                  nurture._markup(current_setting('timezone')), nurture._markup(f.status), f.waiting)
        || '<section><h2>Leads</h2>' || nurture._report_leads(until, top_leads) || E'</section>\n'
        || '<section><h2>Segments</h2>' || nurture._report_segments(since, until) || E'</section>\n'
        || '<section><h2>Workflows</h2>' || nurture._report_workflows(since, until) || E'</section>\n'
        || '<section><h2>Messages</h2>' || nurture._report_messages(since, until) || E'</section>\n'
        || '<section><h2>Funnel</h2>' || nurture._report_funnel(since, until, funnel_steps, funnel_span) || E'</section>\n'
        || '<section><h2>Retention</h2>' || nurture._report_retention(until, retention_period) || E'</section>\n'
        || '</main></body></html>';
END
$$;
COMMENT ON FUNCTION nurture.report(text, timestamptz, timestamptz, text[], interval, interval, int) IS
    'one self-contained page of HTML: leads, segments over time, workflows, messages, a funnel, retention; it names contacts unless top_leads is 0';

-- The report reads as its owner, so that an analyst needs this one privilege; its parts are for it alone.
REVOKE ALL ON FUNCTION nurture.report(text, timestamptz, timestamptz, text[], interval, interval, int),
    nurture._segment_sizes(timestamptz, timestamptz, int), nurture._report_lead(timestamptz), nurture._report_leads(timestamptz, int),
    nurture._report_segments(timestamptz, timestamptz), nurture._report_workflows(timestamptz, timestamptz),
    nurture._report_messages(timestamptz, timestamptz), nurture._report_funnel(timestamptz, timestamptz, text[], interval),
    nurture._report_retention(timestamptz, interval) FROM PUBLIC;
