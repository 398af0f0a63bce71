-- Sessions, how long somebody stayed, and by which campaign they came: computed from the log when they are read, by the rules
-- of the conditions. Each looks at one contact at a time, by the log's index.

CREATE FUNCTION nurture.session_gap() RETURNS interval
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_session_gap';
COMMENT ON FUNCTION nurture.session_gap() IS 'a longer silence between two events ends a session: nurture.session_gap as an interval';

CREATE FUNCTION nurture.page(type text, props jsonb) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'nurture_page';
COMMENT ON FUNCTION nurture.page(text, jsonb) IS
    'the page that an event of one of nurture.page_events is a look at: its path or else its url; NULL for other events';

CREATE FUNCTION nurture._told_seconds(props jsonb) RETURNS numeric
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'nurture_told_seconds';
COMMENT ON FUNCTION nurture._told_seconds(jsonb) IS 'how long a stay was, as the event itself says';

-- The keys that a contact has, or has had, each of which its older events may be logged under.
CREATE VIEW nurture._logged_as AS
SELECT c.contact, c.contact AS logged FROM nurture.contact c
UNION ALL
SELECT i.contact, i.key FROM nurture.identity i WHERE i.key <> i.contact;
COMMENT ON VIEW nurture._logged_as IS 'under which names the log may hold what a contact did';
REVOKE ALL ON TABLE nurture._logged_as FROM PUBLIC;

-- nurture.event without nurture's own events, as "any event" is; by way of the keys, so that the log's index finds one contact's.
CREATE VIEW nurture._visit AS
SELECT a.contact, l.type, l.at, l.tick, l.n, l.props
FROM nurture._logged_as a JOIN nurture.event_log l ON l.contact = a.logged
WHERE l.type NOT LIKE '$%'
  AND coalesce((SELECT i.contact FROM nurture.identity i WHERE i.key = l.key), l.contact) = a.contact;
COMMENT ON VIEW nurture._visit IS 'what contacts did, under today''s contacts, found contact by contact';
REVOKE ALL ON TABLE nurture._visit FROM PUBLIC;

-- Two events of the same instant: the one that was taken later is the later one.
CREATE VIEW nurture.session AS
SELECT s.contact, s.session AS n, min(s.at) AS started, max(s.at) AS ended, count(*) AS events, count(s.page) AS pages,
       (array_agg(s.page ORDER BY s.at, s.tick, s.n) FILTER (WHERE s.page IS NOT NULL))[1] AS entry_page,
       (array_agg(s.page ORDER BY s.at DESC, s.tick DESC, s.n DESC) FILTER (WHERE s.page IS NOT NULL))[1] AS exit_page,
       extract(epoch FROM max(s.at) - min(s.at)) AS seconds,
       (array_agg(s.utm ORDER BY s.at, s.tick, s.n) FILTER (WHERE s.utm IS NOT NULL))[1] AS utm,
       CASE WHEN s.session = 1 THEN 'new' ELSE 'returning' END AS visitor
FROM (SELECT v.contact, v.at, v.tick, v.n, nurture.page(v.type, v.props) AS page,
             CASE WHEN jsonb_typeof(v.props -> 'utm') = 'object' AND v.props -> 'utm' <> '{}' THEN v.props -> 'utm' END AS utm,
             nurture.sessionize(v.at, nurture.session_gap()) OVER (PARTITION BY v.contact ORDER BY v.at) AS session
      FROM nurture._visit v) s
GROUP BY s.contact, s.session;
COMMENT ON VIEW nurture.session IS
    'every session: a run of a contact''s events with no silence longer than nurture.session_gap; a silence of exactly that belongs to it';
COMMENT ON COLUMN nurture.session.n IS 'counted from 1, the first that the log knows of';
COMMENT ON COLUMN nurture.session.pages IS 'how many of its events are looks at a page: see nurture.page()';
COMMENT ON COLUMN nurture.session.seconds IS 'from its first event to its last';
COMMENT ON COLUMN nurture.session.utm IS 'of the first event that has one';
COMMENT ON COLUMN nurture.session.visitor IS 'new in the first session, then returning';
REVOKE ALL ON TABLE nurture.session FROM PUBLIC;

-- GROUPS: the next moment at which anything happened. Events of the same instant have no order: none ends the other's stay.
CREATE VIEW nurture.page_dwell AS
SELECT s.contact, s.session, s.at, s.page,
       coalesce(s.told, CASE WHEN s.next_at - s.at <= nurture.session_gap() THEN extract(epoch FROM s.next_at - s.at) END) AS seconds,
       s.told IS NOT NULL AS told
FROM (SELECT v.contact, v.at, v.tick, v.n, nurture.page(v.type, v.props) AS page, nurture._told_seconds(v.props) AS told,
             nurture.sessionize(v.at, nurture.session_gap()) OVER (PARTITION BY v.contact ORDER BY v.at) AS session,
             first_value(v.at) OVER (PARTITION BY v.contact ORDER BY v.at GROUPS BETWEEN 1 FOLLOWING AND 1 FOLLOWING) AS next_at
      FROM nurture._visit v) s
WHERE s.page IS NOT NULL;
COMMENT ON VIEW nurture.page_dwell IS 'every look at a page and for how long: the seconds that the event tells, else until the next event of the session';
COMMENT ON COLUMN nurture.page_dwell.session IS 'nurture.session.n';
COMMENT ON COLUMN nurture.page_dwell.seconds IS 'NULL for the last page of a session, unless the event tells';
COMMENT ON COLUMN nurture.page_dwell.told IS 'whether the event itself has told it, in its property seconds';
REVOKE ALL ON TABLE nurture.page_dwell FROM PUBLIC;

-- A touch is an event with an object utm: how somebody came.
CREATE VIEW nurture.touch AS
SELECT t.contact, t.touches, t.first_at, t.first_utm ->> 'source' AS first_source, t.first_utm ->> 'medium' AS first_medium,
       t.first_utm ->> 'campaign' AS first_campaign, t.first_utm,
       t.last_at, t.last_utm ->> 'source' AS last_source, t.last_utm ->> 'medium' AS last_medium,
       t.last_utm ->> 'campaign' AS last_campaign, t.last_utm
FROM (SELECT v.contact, count(*) AS touches, min(v.at) AS first_at, max(v.at) AS last_at,
             (array_agg(v.props -> 'utm' ORDER BY v.at, v.tick, v.n))[1] AS first_utm,
             (array_agg(v.props -> 'utm' ORDER BY v.at DESC, v.tick DESC, v.n DESC))[1] AS last_utm
      FROM nurture._visit v
      WHERE jsonb_typeof(v.props -> 'utm') = 'object' AND v.props -> 'utm' <> '{}'
      GROUP BY v.contact) t;
COMMENT ON VIEW nurture.touch IS 'how each contact came first and how last: the utm of the first and the last event that has one';
COMMENT ON COLUMN nurture.touch.touches IS 'how many events have one';
REVOKE ALL ON TABLE nurture.touch FROM PUBLIC;
