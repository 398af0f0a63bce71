-- Pictures and the report: structure, refusals, privileges. What is drawn where is tested without a server.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
ALTER DATABASE :DBNAME SET nurture.enabled = off; -- the clock is simulated
\c -
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- How often each element with a class comes, where classes tell what it is.
CREATE FUNCTION public.shape(picture text) RETURNS TABLE (element text, n bigint) LANGUAGE sql AS $$
SELECT m[1] || '.' || m[2], count(*) FROM regexp_matches(picture, '<(rect|path|circle|text) class="([a-z][0-9]*)[ "]', 'g') m
GROUP BY 1 ORDER BY 1 $$;

-- Each is one element of SVG with a name, in ASCII.
CREATE TABLE public.picture AS
SELECT 'funnel' AS name, nurture.plot_funnel('{view,"<b>form</b>",buy}', '{100,40,7}', 'Sales & "more"') AS svg
UNION ALL SELECT 'retention', nurture.plot_retention('{"März","März",April}', '{0,1,0}', '{1,0.25,1}', '{8,8,12}')
UNION ALL SELECT 'cohorts', nurture.plot_retention((
    SELECT nurture.rollup(c) FROM (
        SELECT nurture.cohort_agg(a.at, interval '1 week') AS c
        FROM (VALUES ('anna', date '2026-01-05'), ('anna', '2026-01-13'), ('ben', '2026-01-06'), ('carl', '2026-01-14')) a (contact, at)
        GROUP BY a.contact) x), 'By first visit')
UNION ALL SELECT 'scores', nurture.plot_scores('{1,2,2,3,NULL,9.5}', title => '東京')
UNION ALL SELECT 'outcomes', nurture.plot_scores('{1,2,2,3,4}', '{f,f,NULL,t,t}')
UNION ALL SELECT 'bars', nurture.plot_bars('{a,b}', '{1,-2}')
UNION ALL SELECT 'attribution', nurture.plot_attribution('{mail,ad,mail,ad}', '{3,1,2.5,1.5}', '{first,first,markov,markov}')
UNION ALL SELECT 'segments', nurture.plot_segments('{2026-01-01,2026-01-02,2026-01-01}', '{hot,hot,cold}', '{1,5,3}');
SELECT name, svg LIKE '<svg xmlns="http://www.w3.org/2000/svg" %</svg>' AS svg, svg ~ '^[\x01-\x7e]*$' AS ascii,
       svg LIKE '%prefers-color-scheme:dark%' AS dark, (regexp_match(svg, '<title>([^<]*)</title>'))[1] AS title
FROM public.picture;
SELECT name, (regexp_match(svg, '<desc>([^<]*)</desc>'))[1] AS description FROM public.picture;
SELECT p.name, s.* FROM public.picture p, public.shape(p.svg) s WHERE s.element ~ '[.][frl][0-9]+$' ORDER BY p.name, s.element;
-- As XML where the server was built with it.
DO $$
BEGIN
    PERFORM xmlparse(DOCUMENT svg) FROM public.picture;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
-- A label is text, never markup.
SELECT svg LIKE '%<b>%' AS markup, svg LIKE '%&#60;b&#62;form&#60;/b&#62;: 40, 40%' AS tooltip FROM public.picture WHERE name = 'funnel';
-- The mean of the cohorts is weighted.
SELECT (regexp_match(svg, 'all cohorts, period 1: [^<]*'))[1] FROM public.picture WHERE name = 'retention';
-- Times are the session's.
SELECT (regexp_match(nurture.plot_segments('{2026-01-01 00:00+00}', '{a}', '{1}'), '<desc>([^<]*)'))[1];
SET timezone = 'Asia/Tokyo';
SELECT (regexp_match(nurture.plot_segments('{2026-01-01 00:00+00}', '{a}', '{1}'), '<desc>([^<]*)'))[1];
SET timezone = 'UTC';

-- Refused.
SELECT nurture.plot_funnel('{a,b}', '{1}');
SELECT nurture.plot_funnel(NULL, NULL);
SELECT nurture.plot_funnel('{}', '{}');
SELECT nurture.plot_funnel('{a,NULL}', '{1,2}');
SELECT nurture.plot_funnel('{a,b}', '{1,-2}');
SELECT nurture.plot_funnel('{{a,b}}', '{1,2}');
SELECT nurture.plot_retention('{a}', '{0}', '{NaN}');
SELECT nurture.plot_retention('{a}', '{0}', '{25}');
SELECT nurture.plot_retention('{a,a}', '{0,1}', '{1,1}', '{1,2}');
SELECT nurture.plot_retention('{a}', '{1000000000}', '{1}');
SELECT nurture.plot_retention(NULL::nurture.cohort_summary);
SELECT nurture.plot_scores('{NULL}');
SELECT nurture.plot_scores('{1,Infinity}');
SELECT nurture.plot_scores('{1,2}', '{t}');
SELECT nurture.plot_attribution('{a}', '{1}', '{x,y}');
SELECT nurture.plot_bars('{a,a}', '{1,2}');
SELECT nurture.plot_segments('{infinity}', '{a}', '{1}');
SELECT nurture.plot_segments('{2026-01-01,2026-01-01}', '{a,a}', '{1,2}');

-- The report of an empty database says so.
SELECT m[1] AS heading, m[2] AS text
FROM regexp_matches(nurture.report(since => '2026-01-01', until => '2026-02-01'), '<h2>([^<]*)</h2>(?:<p class="nothing">([^<]*))?', 'g') m;

INSERT INTO nurture.rule (name, definition) VALUES ('views', '+5 on view'), ('buys', '+20 on buy');
INSERT INTO nurture.segment (name, condition) VALUES ('seen', 'did view within 2 days'), ('<i>rich</i>', 'score >= 25');
INSERT INTO nurture.workflow (name, definition) VALUES ('greet', $$on view
wait 10 days
send email 'hello'$$);
INSERT INTO nurture.inbox (contact, type, at, received_at)
SELECT c, t, a, a FROM (VALUES ('<b>anna</b>', 'view', timestamptz '2026-01-05 12:00'), ('<b>anna</b>', 'buy', '2026-01-06 12:00'),
    ('ben', 'view', '2026-01-06 18:00'), ('carl', 'view', '2026-01-12 12:00'), ('ben', 'view', '2026-01-12 12:00')) e (c, t, a) ORDER BY a;
CALL nurture.tick('2026-01-13');

-- Sizes over time agree with counting the transitions up to each moment.
SELECT count(*) AS moments, count(*) FILTER (WHERE z.size <> (
    SELECT coalesce(sum(CASE t.kind WHEN 'segment entered' THEN 1 ELSE -1 END), 0) FROM nurture.transition t
    WHERE t.name = z.segment AND t.kind LIKE 'segment %' AND t.at <= z.at)) AS wrong, max(z.size) AS largest
FROM nurture._segment_sizes('2026-01-01', '2026-01-13', 48) z;

-- Another name changes none of that: transitions keep the former.
CREATE TABLE public.sizes_before AS SELECT * FROM nurture._segment_sizes('2026-01-01', '2026-01-13', 48);
UPDATE nurture.segment SET name = 'seen lately' WHERE name = 'seen';
SELECT count(*) AS moments, count(*) FILTER (WHERE b.size <> z.size) AS wrong, max(b.size) FILTER (WHERE b.segment = 'seen') AS largest
FROM public.sizes_before b
LEFT JOIN nurture._segment_sizes('2026-01-01', '2026-01-13', 48) z ON z.segment = replace(b.segment, 'seen', 'seen lately') AND z.at = b.at;
SELECT m[1] AS entered, m[2] AS "left"
FROM regexp_matches(nurture.report(since => '2026-01-01', until => '2026-01-13'), '<td>seen lately</td><td[^>]*>\d+</td><td[^>]*>(\d+)</td><td[^>]*>(\d+)') m;
SELECT count(*) FILTER (WHERE t.kind = 'segment entered') AS entered, count(*) FILTER (WHERE t.kind = 'segment left') AS "left"
FROM nurture.transition t WHERE t.name = 'seen';
UPDATE nurture.segment SET name = 'seen' WHERE name = 'seen lately';
DROP TABLE public.sizes_before;

CREATE TABLE public.report AS SELECT nurture.report('A & B', since => '2026-01-01', until => '2026-01-13', funnel_steps => '{view,buy}') AS html;
SELECT html LIKE E'<!DOCTYPE html>\n%</html>' AS html, html LIKE '%<h1>A &#38; B</h1>%' AS title, html LIKE '%<b>anna%' OR html LIKE '%<i>rich%' AS markup,
       html ~ '(src|href)=|url\(|@import|<script' AS refers_elsewhere, html ~ '^[\x01-\x7e]*$' AS ascii,
       (SELECT count(*) FROM regexp_matches(html, '<svg ', 'g')) AS pictures FROM public.report;
SELECT regexp_replace(regexp_replace(m[1], '</?t[rd][^>]*>', ' | ', 'g'), '[ |]{3,}', ' | ', 'g') AS row
FROM public.report, regexp_matches(html, '(<tr><td.*?</tr>)', 'g') m;
SELECT m[1] AS description FROM public.report, regexp_matches(html, '<desc>([^<]*)</desc>', 'g') m;
SELECT nurture.report(since => '2026-01-02', until => '2026-01-01');
SELECT nurture.report(top_leads => -1);
SELECT nurture.report(funnel_steps => ARRAY[NULL, 'view']);
-- Without the leads nobody is named.
SELECT nurture.report(since => '2026-01-01', top_leads => 0) LIKE '%anna%' AS named;

-- Privileges: pictures are anybody's, the report is not; one grant is enough.
CREATE ROLE regress_analyst;
SET ROLE regress_analyst;
SELECT nurture.plot_funnel('{a}', '{1}') LIKE '<svg%' AS picture;
SELECT nurture.report();
SELECT nurture._report_leads(now(), 10);
SELECT nurture._report_lead(now());
RESET ROLE;
GRANT EXECUTE ON FUNCTION nurture.report TO regress_analyst;
SET ROLE regress_analyst;
SELECT nurture.report() LIKE '%anna%' AS named;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION nurture.report FROM regress_analyst;
DROP ROLE regress_analyst;
DROP TABLE public.report, public.picture;
DROP FUNCTION public.shape(text);
ALTER DATABASE :DBNAME RESET nurture.enabled;
