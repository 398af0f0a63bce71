-- The shop as of the moment :now.
\pset linestyle unicode
\pset border 1
\pset footer off
\pset null ''
SET client_min_messages = warning;

\pset title 'Rejected'
SELECT reason, count(*), min(at) AS first, max(at) AS last FROM nurture.rejected_event GROUP BY reason ORDER BY count(*) DESC;

\pset title 'Top customers'
SELECT contact, round(nurture.score(contact, at => :now), 1) AS score,
       round(nurture.score(contact, 'value', :now), 1) AS value, round(nurture.score(contact, 'loyalty', :now), 1) AS loyalty,
       last_seen, array_to_string(segments, ', ') AS segments
FROM nurture.lead ORDER BY nurture.score(contact, at => :now) DESC, contact LIMIT 8;

\pset title 'Segments'
SELECT s.name AS segment, count(m.contact) AS now,
       (SELECT count(*) FROM nurture.transition t WHERE t.kind = 'segment entered' AND t.name = s.name) AS entered,
       (SELECT count(*) FROM nurture.transition t WHERE t.kind = 'segment left' AND t.name = s.name) AS "left",
       s.condition
FROM nurture.segment s LEFT JOIN nurture.membership m ON m.segment = s.name
GROUP BY s.name, s.condition::text ORDER BY now DESC, segment;

\pset title 'Actions that the year has brought'
SELECT channel, coalesce(payload ->> 'template', payload ->> 'text') AS what, count(*), min(due) AS first, max(due) AS last
FROM nurture.action GROUP BY 1, 2 ORDER BY 3 DESC;
