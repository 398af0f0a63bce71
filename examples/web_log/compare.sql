-- Holds nurture's sessions and stays of a loaded log against SQL that does without them: a walk from event to event by lag(), and
-- for the stays a look at every later event.  psql -f compare.sql
\pset footer off
SET timezone = 'UTC';
CREATE TEMPORARY TABLE walked AS
SELECT w.contact, w.at, w.tick, w.n, w.page, count(*) FILTER (WHERE w.begins) OVER (PARTITION BY w.contact ORDER BY w.at, w.tick, w.n) AS session
FROM (SELECT e.contact, e.at, e.tick, e.n, e.props ->> 'path' AS page,
             coalesce(e.at - lag(e.at) OVER (PARTITION BY e.contact ORDER BY e.at, e.tick, e.n) > interval '30 minutes', true) AS begins
      FROM nurture.event e WHERE e.type NOT LIKE '$%') w;
CREATE INDEX ON walked (contact, session, at);
ANALYZE walked;

WITH naive AS (
    SELECT w.contact, w.session, min(w.at) AS started, max(w.at) AS ended, count(*) AS events, count(w.page) AS pages,
           (SELECT p.page FROM walked p WHERE (p.contact, p.session) = (w.contact, w.session) AND p.page IS NOT NULL ORDER BY p.at, p.tick, p.n LIMIT 1) AS entry_page,
           (SELECT p.page FROM walked p WHERE (p.contact, p.session) = (w.contact, w.session) AND p.page IS NOT NULL ORDER BY p.at DESC, p.tick DESC, p.n DESC LIMIT 1) AS exit_page
    FROM walked w GROUP BY w.contact, w.session
), ours AS (SELECT s.contact, s.n, s.started, s.ended, s.events, s.pages, s.entry_page, s.exit_page FROM nurture.session s)
SELECT 'sessions' AS what, (SELECT count(*) FROM naive) AS rows, (SELECT count(*) FROM (TABLE naive EXCEPT ALL TABLE ours) m) AS missing,
       (SELECT count(*) FROM (TABLE ours EXCEPT ALL TABLE naive) s) AS surplus;

WITH naive AS (
    SELECT w.contact, w.session, w.at, w.page,
           (SELECT extract(epoch FROM min(o.at) - w.at) FROM walked o WHERE (o.contact, o.session) = (w.contact, w.session) AND o.at > w.at) AS seconds
    FROM walked w WHERE w.page IS NOT NULL
), ours AS (SELECT d.contact, d.session, d.at, d.page, d.seconds FROM nurture.page_dwell d)
SELECT 'stays' AS what, (SELECT count(*) FROM naive) AS rows, (SELECT count(*) FROM (TABLE naive EXCEPT ALL TABLE ours) m) AS missing,
       (SELECT count(*) FROM (TABLE ours EXCEPT ALL TABLE naive) s) AS surplus;
DROP TABLE walked;
