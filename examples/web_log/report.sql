-- What the engine makes of a log, as of the moment :now, in a page:  psql -v now="'2015-05-20 21:06Z'" -f report.sql
\pset linestyle unicode
\pset border 1
\pset footer off
\pset null ''
SET client_min_messages = warning;
SET timezone = 'UTC';

\pset title 'The hottest leads'
SELECT contact, round(nurture.score(contact, at => :now), 1) AS score,
       round(nurture.score(contact, 'reading', :now), 1) AS reading,
       round(nurture.score(contact, 'product', :now), 1) AS product,
       to_char(last_seen, 'Dy HH24:MI') AS last_seen, array_to_string(segments, ', ') AS segments
FROM nurture.lead ORDER BY nurture.score(contact, at => :now) DESC, contact LIMIT 8;

\pset title 'Segments'
SELECT s.name AS segment, count(m.contact) AS now,
       (SELECT count(*) FROM nurture.transition t WHERE t.kind = 'segment entered' AND t.name = s.name) AS entered,
       (SELECT count(*) FROM nurture.transition t WHERE t.kind = 'segment left' AND t.name = s.name) AS "left",
       CASE WHEN length(s.condition::text) > 70 THEN left(s.condition::text, 69) || '…' ELSE s.condition::text END AS condition
FROM nurture.segment s LEFT JOIN nurture.membership m ON m.segment = s.name
GROUP BY s.name, s.condition::text ORDER BY now DESC, segment;

-- The one contact to look at: of those whom the workflow has reached, the one with the highest score.
SELECT a.contact AS who FROM nurture.action a
GROUP BY a.contact ORDER BY nurture.score(a.contact, at => :now) DESC, a.contact LIMIT 1 \gset
\if :{?who}
SELECT 'Why ' || :'who' || ' has the score ' || round(nurture.score(:'who', at => :now), 6) AS heading \gset
\pset title :heading
SELECT CASE WHEN grouping(rule) = 1 THEN 'all of it' ELSE rule END AS rule, topic, points,
       round(occurrences, 3) AS "times (decayed)", sum(contribution) AS contribution
FROM nurture.explain(:'who', :now) WHERE contribution <> 0
GROUP BY GROUPING SETS ((rule, topic, points, occurrences), ()) ORDER BY grouping(rule), abs(sum(contribution)) DESC, rule;

-- Of the events only those that something followed from: the whole story is SELECT * FROM nurture.timeline(contact).
SELECT 'The story of ' || :'who' || ' (what changed, and the event before it)' AS heading \gset
\pset title :heading
WITH story AS (
    SELECT t.at, t.n, t.what = 'event' AS is_event,
           CASE t.what WHEN 'event' THEN t.name ELSE t.what || ': ' || t.name END AS what,
           CASE t.what WHEN 'event' THEN concat_ws(' ', t.props ->> 'status', t.props ->> 'path')
                ELSE coalesce(t.detail || ', ', '') || 'by ' || t.cause END AS detail
    FROM (SELECT t.*, row_number() OVER () AS n, CASE WHEN t.what = 'event' THEN t.detail::jsonb END AS props
          FROM nurture.timeline(:'who') t) t
    WHERE t.what = 'event' OR t.what LIKE 'segment %' OR t.what LIKE 'journey %'
    UNION ALL
    SELECT a.due, 1000000, false, 'action: ' || a.channel, a.payload::text FROM nurture.action a WHERE a.contact = :'who'
), neighbours AS (
    SELECT s.*, lead(s.is_event) OVER (ORDER BY s.at, s.n) AS before_event FROM story s
), chosen AS (
    SELECT n.* FROM neighbours n WHERE NOT is_event OR NOT before_event OR before_event IS NULL ORDER BY at DESC, n DESC LIMIT 16
)
SELECT to_char(at, 'Dy HH24:MI:SS') AS at, left(what, 40) AS what, left(detail, 60) AS detail FROM chosen c ORDER BY c.at, c.n;
\endif

\pset title 'Actions waiting to be carried out'
SELECT channel, payload ->> coalesce(payload_key, '') AS what, count(*), to_char(max(due), 'Dy HH24:MI:SS') AS newest,
       (array_agg(contact ORDER BY due DESC, contact))[1] AS "newest is for"
FROM nurture.action a LEFT JOIN LATERAL (SELECT k AS payload_key FROM jsonb_object_keys(payload) k ORDER BY k LIMIT 1) k ON true
WHERE status = 'ready' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2;

SELECT count(*) AS inside, count(*) FILTER (WHERE wakes_at > :now) AS waiting, to_char(min(wakes_at), 'Dy HH24:MI:SS') AS next FROM nurture.journey \gset
\echo :inside journeys are under way, the next is due :next
\echo
