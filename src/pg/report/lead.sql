-- What analysts read: leads, scores and what they are made of, journeys, timelines, how fresh all of it is.

CREATE FUNCTION nurture._score(model nurture.compiled_model, state nurture.profile, topic text, at timestamptz, contact text) RETURNS numeric
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_score_of';
CREATE FUNCTION nurture._scores(model nurture.compiled_model, state nurture.profile, at timestamptz, contact text) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'nurture_scores_of';
CREATE FUNCTION nurture._segments(model nurture.compiled_model, state nurture.profile) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_segments';
CREATE FUNCTION nurture._attributes(state nurture.profile) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_attributes';
CREATE FUNCTION nurture._first_seen(state nurture.profile) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'nurture_first_seen';
CREATE FUNCTION nurture._last_seen(state nurture.profile) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'nurture_last_seen';
CREATE FUNCTION nurture._clock(state nurture.profile) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'nurture_clock';
CREATE FUNCTION nurture._explain(model nurture.compiled_model, state nurture.profile, at timestamptz, contact text)
    RETURNS TABLE (rule text, topic text, points numeric, occurrences numeric, contribution numeric, detail text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 10 AS 'MODULE_PATHNAME', 'nurture_contributions';
CREATE FUNCTION nurture._journeys(model nurture.compiled_model, state nurture.profile)
    RETURNS TABLE (workflow text, version int, instance int, step text, started timestamptz, since timestamptz,
        wakes_at timestamptz, branch text, paused text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 1 AS 'MODULE_PATHNAME', 'nurture_strands';
CREATE FUNCTION nurture._describe(model nurture.compiled_model, state nurture.profile) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'nurture_describe';
REVOKE ALL ON FUNCTION nurture._score(nurture.compiled_model, nurture.profile, text, timestamptz, text),
    nurture._scores(nurture.compiled_model, nurture.profile, timestamptz, text),
    nurture._explain(nurture.compiled_model, nurture.profile, timestamptz, text) FROM PUBLIC;
-- Functions in a view run as the caller: whoever may read the view needs these. They see nothing but their arguments.
GRANT EXECUTE ON FUNCTION nurture._score(nurture.compiled_model, nurture.profile, text, timestamptz, text),
    nurture._scores(nurture.compiled_model, nurture.profile, timestamptz, text),
    nurture._explain(nurture.compiled_model, nurture.profile, timestamptz, text) TO PUBLIC;

-- The moment at which a view is read: one for the whole of it.
CREATE FUNCTION nurture._asked_at() RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$ SELECT nurture._now() $$;
COMMENT ON FUNCTION nurture._asked_at() IS 'what nurture._now() says, for views: a volatile function would bar the planner from taking them apart';

-- Model and moment are scalar subqueries: found once, and in no parallel worker's way (a join with a subquery that has a
-- LIMIT is never parallel). Nothing in it is volatile, so that the planner takes the view apart: columns that nobody asks for
-- are not computed, and ORDER BY score LIMIT n computes the score of every contact and the rest of n of them.
CREATE VIEW nurture.lead AS
SELECT c.contact,
       nurture._score((SELECT m.model FROM nurture._current_model m), c.state, NULL, (SELECT nurture._asked_at()), c.contact) AS score,
       nurture._scores((SELECT m.model FROM nurture._current_model m), c.state, (SELECT nurture._asked_at()), c.contact) AS scores,
       nurture._segments((SELECT m.model FROM nurture._current_model m), c.state) AS segments,
       nurture._attributes(c.state) AS attributes,
       nurture._first_seen(c.state) AS first_seen,
       nurture._last_seen(c.state) AS last_seen
FROM nurture.contact c;
COMMENT ON VIEW nurture.lead IS 'every contact with its score as of now (where the clock is simulated: as of the last tick), its scores by topic, segments and attributes';
COMMENT ON COLUMN nurture.lead.score IS 'the sum of what nurture.explain lists';
COMMENT ON COLUMN nurture.lead.scores IS 'by topic';

CREATE VIEW nurture.journey AS
SELECT c.contact, j.workflow, j.version, j.step, j.since, j.wakes_at, j.branch, j.paused, j.instance
FROM nurture.contact c CROSS JOIN nurture._current_model m CROSS JOIN LATERAL nurture._journeys(m.model, c.state) j;
COMMENT ON VIEW nurture.journey IS 'who is in which workflow now, at which step, and until when it waits at most; a journey in branches is followed by a row for each';
COMMENT ON COLUMN nurture.journey.branch IS 'NULL: the journey itself; else the branch of it, such as 3.branch1';
COMMENT ON COLUMN nurture.journey.instance IS 'the how many-th journey of the contact through the workflow, as in nurture.trace_journey and nurture.action.journey';
COMMENT ON COLUMN nurture.journey.paused IS 'what nurture.pause_journeys holds it by: contact, step or workflow; NULL: nothing';
REVOKE ALL ON TABLE nurture.lead, nurture.journey FROM PUBLIC;

-- The state of a contact as the log gives it up to a moment: features and attributes from the events taken by then.
CREATE FUNCTION nurture._fold(model nurture.compiled_model, messages bytea, clock timestamptz) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'nurture_fold';
CREATE FUNCTION nurture._fold_from(model nurture.compiled_model, base nurture.profile, tick bigint, last_feature int,
        messages bytea, clock timestamptz) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'nurture_fold_from';
CREATE FUNCTION nurture._folded(model nurture.compiled_model, contact text, until timestamptz) RETURNS nurture.profile
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    base nurture.base;
    messages bytea;
BEGIN
    SELECT b.* INTO base FROM nurture.base b WHERE b.contact = contact;
    SELECT nurture._pack(l.type, l.at, l.received_at, l.props, NULL, l.tick * 16777216 + l.n, l.history) INTO messages
    FROM nurture._log_of(contact) l WHERE l.clock <= until;
    IF base.contact IS NULL THEN
        RETURN nurture._fold(model, messages, until);
    ELSIF until < nurture._clock(base.state) THEN
        RAISE EXCEPTION 'what was known of contact "%" at % is no longer kept', contact, until
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Events before %s were dropped; the contact''s state was kept as of %s.',
                                  nurture._log_begins(), nurture._clock(base.state)),
                  HINT = 'nurture.retention says how long events are kept.';
    END IF;
    RETURN nurture._fold_from(model, base.state, base.until_tick, base.last_feature, messages, until);
END
$$;
COMMENT ON FUNCTION nurture._folded(nurture.compiled_model, text, timestamptz) IS
    'features and attributes of a contact from its log (and what is kept of the log before it), as they were at a moment';
REVOKE ALL ON FUNCTION nurture._fold(nurture.compiled_model, bytea, timestamptz),
    nurture._fold_from(nurture.compiled_model, nurture.profile, bigint, int, bytea, timestamptz),
    nurture._folded(nurture.compiled_model, text, timestamptz) FROM PUBLIC;

-- The model and the state that a score is read from. At or after the contact's clock: its state; before, or with the points
-- of then, what the log gives up to that moment.
CREATE FUNCTION nurture._score_state(contact text, at timestamptz, points text, OUT key text, OUT model nurture.compiled_model,
        OUT state nurture.profile)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF (points IN ('today', 'then')) IS NOT TRUE THEN
        RAISE EXCEPTION 'points must be ''today'' or ''then'', not ''%''', points USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF isfinite(at) IS NOT TRUE THEN
        RAISE EXCEPTION 'a score is read at a finite moment' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    key := nurture.contact_of(contact);
    SELECT c.state INTO state FROM nurture.contact c WHERE c.contact = key;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF points = 'today' THEN
        SELECT m.model INTO model FROM nurture._current_model m;
    ELSE
        SELECT m.model INTO model FROM nurture.model m
        WHERE coalesce(m.from_clock, '-infinity') <= at OR m.id = (SELECT min(o.id) FROM nurture.model o)
        ORDER BY m.id DESC LIMIT 1;
    END IF;
    IF at < nurture._clock(state) OR points = 'then' THEN
        state := nurture._folded(model, key, at);
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._score_state(text, timestamptz, text) IS 'what a contact''s score at a moment is read from';

CREATE FUNCTION nurture.score(contact text, topic text DEFAULT NULL, at timestamptz DEFAULT nurture._now(),
        points text DEFAULT 'today') RETURNS numeric
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce(nurture._score(s.model, s.state, score.topic, score.at, s.key), CASE WHEN s.model IS NOT NULL THEN 0 END)
FROM nurture._score_state(score.contact, score.at, score.points) s
$$;
COMMENT ON FUNCTION nurture.score(text, text, timestamptz, text) IS
    'a contact''s score, whole or of a topic, at a moment; points => ''then'' counts with the rules as they were; NULL: no such contact';

CREATE FUNCTION nurture.explain(contact text, at timestamptz DEFAULT nurture._now())
    RETURNS TABLE (rule text, topic text, points numeric, occurrences numeric, contribution numeric, definition text, detail text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT e.rule, e.topic, e.points, e.occurrences, e.contribution, r.definition::text, e.detail
FROM nurture._score_state(explain.contact, explain.at, 'today') s
CROSS JOIN LATERAL nurture._explain(s.model, s.state, explain.at, s.key) e
LEFT JOIN nurture.rule r ON r.name = e.rule AND e.points IS NOT NULL
ORDER BY abs(e.contribution) DESC, e.rule, e.detail
$$;
COMMENT ON FUNCTION nurture.explain(text, timestamptz) IS
    'what a score is made of: points times (decayed, capped) occurrences per rule, adjustments, and what floors and ceilings give or take; '
    'the contributions add up to the score exactly';
REVOKE ALL ON FUNCTION nurture._score_state(text, timestamptz, text), nurture.score(text, text, timestamptz, text),
    nurture.explain(text, timestamptz) FROM PUBLIC;

CREATE FUNCTION nurture.describe(contact text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT nurture._describe(m.model, c.state) FROM nurture.contact c CROSS JOIN nurture._current_model m
WHERE c.contact = nurture.contact_of(describe.contact)
$$;
COMMENT ON FUNCTION nurture.describe(text) IS 'everything the engine knows of a contact, as JSON';
REVOKE ALL ON FUNCTION nurture.describe(text) FROM PUBLIC;

CREATE FUNCTION nurture.timeline(contact text)
    RETURNS TABLE (at timestamptz, what text, name text, detail text, cause text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
WITH of AS (SELECT nurture.contact_of(timeline.contact) AS contact),
name AS (SELECT of.contact FROM of UNION SELECT i.key FROM of JOIN nurture.identity i ON i.contact = of.contact)
SELECT t.at, t.what, t.name, t.detail, t.cause
FROM (
    SELECT l.clock AS at, l.tick, 0 AS rank, l.n, 'event' AS what, l.type AS name, nullif(l.props::text, '{}') AS detail,
           CASE WHEN l.clock - l.at > interval '1 second' THEN 'happened ' || l.at::text END AS cause
    FROM of CROSS JOIN LATERAL nurture._log_of(of.contact) l WHERE l.kind IS DISTINCT FROM '$identity'
    UNION ALL
    SELECT x.at, x.tick, 1, x.n, x.kind, x.name, nullif(concat_ws(', ', 'step ' || x.step, x.detail ->> 'reason',
               CASE WHEN x.kind = 'consent changed' THEN x.detail ->> 'to' END), ''), x.cause
    FROM nurture.transition x JOIN name ON x.contact = name.contact
    UNION ALL
    SELECT a.created_at, NULL, 2, NULL, a.channel || ' ' || a.status, coalesce(a.template, a.channel),
           nullif(concat_ws(', ', nullif(a.payload::text, '{}'), a.reason), ''),
           format('workflow %s, step %s', a.workflow, a.step)
    FROM nurture.action a JOIN name ON a.contact = name.contact
) t
ORDER BY t.at, t.tick NULLS LAST, t.rank, t.n
$$;
COMMENT ON FUNCTION nurture.timeline(text) IS 'a contact''s story: events, transitions and actions by logical time';
REVOKE ALL ON FUNCTION nurture.timeline(text) FROM PUBLIC;
CREATE INDEX action_contact ON nurture.action (contact);
