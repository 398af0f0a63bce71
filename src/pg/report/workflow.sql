-- What the user of a workflow sees: how many are where, a picture of it, one contact's way through it. All of it is read from
-- what the tick has put out: transitions (which tell the steps passed), actions, and the states of contacts.

CREATE FUNCTION nurture._workflow_outline(definition nurture.workflow_definition)
    RETURNS TABLE (place int, step text, depth int, kind text, what text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'nurture_workflow_outline';
COMMENT ON FUNCTION nurture._workflow_outline(nurture.workflow_definition) IS 'the steps of a workflow, under the names that transitions and actions give them';
CREATE FUNCTION nurture._workflow_diagram(definition nurture.workflow_definition, format text, title text, keys text[], counts bigint[]) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_workflow_diagram';
COMMENT ON FUNCTION nurture._workflow_diagram(nurture.workflow_definition, text, text, text[], bigint[]) IS 'draws nurture.diagram';

-- One version of a workflow; NULL: the current one.
CREATE FUNCTION nurture._workflow_at(workflow text, version int) RETURNS nurture.workflow_version
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    it nurture.workflow_version;
BEGIN
    SELECT v.* INTO it FROM nurture.workflow w JOIN nurture.workflow_version v ON v.workflow = w.id
    WHERE w.name = _workflow_at.workflow AND v.version = coalesce(_workflow_at.version, w.version);
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM nurture.workflow w WHERE w.name = _workflow_at.workflow) THEN
            RAISE EXCEPTION 'workflow "%" has no version %', workflow, version USING ERRCODE = 'undefined_object';
        END IF;
        RAISE EXCEPTION 'workflow "%" does not exist', workflow USING ERRCODE = 'undefined_object';
    END IF;
    RETURN it;
END
$$;
COMMENT ON FUNCTION nurture._workflow_at(text, int) IS 'a version of a workflow by its name';
REVOKE ALL ON FUNCTION nurture._workflow_at(text, int) FROM PUBLIC;

-- Transitions keep the name that a workflow had then.
CREATE FUNCTION nurture._workflow_names(workflow int) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT array_agg(n.name) FROM (SELECT w.name FROM nurture.workflow w WHERE w.id = _workflow_names.workflow
                               UNION SELECT v.name FROM nurture.definition_version v WHERE v.kind = 'workflow' AND v.id = _workflow_names.workflow) n
$$;
COMMENT ON FUNCTION nurture._workflow_names(int) IS 'every name that a workflow has had';
REVOKE ALL ON FUNCTION nurture._workflow_names(int) FROM PUBLIC;

-- Where somebody is moved to another version, what comes next lies there. Journeys are told apart by contact and number: those of
-- contacts that were merged, or of a workflow that was made anew under its name, may have one number and follow each other.
CREATE FUNCTION nurture._journey_changes(workflow int, version int)
    RETURNS TABLE (contact text, instance int, at timestamptz, kind text, step text, reason text, via jsonb,
                   next_at timestamptz, next_kind text, next_reason text, started_at timestamptz, whole boolean, arrives boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT j.contact, j.instance, j.at, j.kind, j.step, j.reason, j.via, j.next_at,
       CASE WHEN j.kind <> 'journey ended' AND j.next_kind <> 'journey started' AND j.next_version <> j.version THEN 'moved' ELSE j.next_kind END,
       j.next_reason, j.started_at, j.branch = '', j.branch = '' AND (j.kind = 'journey started' OR j.came_from IS DISTINCT FROM j.version)
FROM (SELECT t.*, lead(t.at) OVER journey AS next_at, lead(t.kind) OVER journey AS next_kind, lead(t.reason) OVER journey AS next_reason,
             lead(t.version) OVER journey AS next_version, lag(t.version) OVER journey AS came_from, first_value(t.at) OVER journey AS started_at
      FROM (SELECT coalesce(i.contact, x.contact) AS contact, x.tick, x.n, x.at, x.kind, x.step, x.version, x.detail ->> 'reason' AS reason, x.detail -> 'via' AS via,
                   coalesce((x.detail ->> 'instance')::int, 1) AS instance, coalesce(x.detail ->> 'branch', '') AS branch
            FROM nurture.transition x LEFT JOIN nurture.identity i ON i.key = x.contact
            WHERE x.kind IN ('journey started', 'journey waits', 'journey ended', 'branch ended')
              AND x.name = ANY (nurture._workflow_names(_journey_changes.workflow))) t
      WINDOW journey AS (PARTITION BY t.contact, t.instance, t.branch ORDER BY t.tick, t.n)) j
WHERE j.version = _journey_changes.version
$$;
COMMENT ON FUNCTION nurture._journey_changes(int, int) IS
    'the journeys through a version, change by change, each with the one after it; of a branch with the one after it in that branch';
REVOKE ALL ON FUNCTION nurture._journey_changes(int, int) FROM PUBLIC;

CREATE FUNCTION nurture.workflow_report(workflow text, version int DEFAULT NULL)
    RETURNS TABLE (step text, what text, entered bigint, active bigint, passed bigint, exited bigint, failed bigint,
                   conversion numeric, median interval)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
WITH v AS MATERIALIZED (SELECT w.workflow AS id, w.version, w.definition FROM nurture._workflow_at(workflow_report.workflow, workflow_report.version) w),
c AS MATERIALIZED (SELECT x.* FROM v CROSS JOIN LATERAL nurture._journey_changes(v.id, v.version) x),
tokens AS (
    -- A round of a loop is not a coming to it.
    SELECT split_part(p.token, ':', 1) AS step, sum(p.n) FILTER (WHERE split_part(p.token, ':', 2) <> 'repeat') AS n, sum(p.n) FILTER (WHERE split_part(p.token, ':', 2) = 'held') AS held
    FROM (SELECT t.token, count(*) AS n FROM c CROSS JOIN LATERAL jsonb_array_elements_text(c.via) t (token) GROUP BY t.token) p GROUP BY 1
), waits AS (
    SELECT c.step, count(*) AS n, count(*) FILTER (WHERE c.next_kind = 'journey waits' OR c.next_kind LIKE '% ended' AND c.next_reason IN ('completed', 'arrived')) AS passed,
           count(*) FILTER (WHERE c.next_kind = 'moved' OR c.next_kind LIKE '% ended' AND c.next_reason NOT IN ('completed', 'arrived')) AS exited,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM c.next_at - c.at)) FILTER (WHERE c.next_at IS NOT NULL) AS median
    FROM c WHERE c.kind = 'journey waits' GROUP BY c.step
), standing AS (
    SELECT j.step, count(*) AS n, count(*) FILTER (WHERE j.branch IS NULL) AS journeys
    FROM nurture.journey j, v WHERE j.workflow = workflow_report.workflow AND j.version = v.version GROUP BY j.step
), moved AS (
    -- Once for each journey, in however many branches it went.
    SELECT c.next_at, c.started_at FROM c WHERE c.next_kind = 'moved' AND c.whole
), undone AS (
    SELECT a.step, count(*) AS n FROM nurture.action a, v
    WHERE a.workflow = ANY (nurture._workflow_names(v.id)) AND a.version = v.version AND a.status IN ('failed', 'dead', 'expired', 'dropped') GROUP BY a.step
), lines AS (
    SELECT 1 AS part, 0::bigint AS place, ''::text AS step, 'started' AS what, (SELECT count(*) FROM c WHERE c.arrives) AS entered,
           (SELECT sum(s.journeys)::bigint FROM standing s) AS active,
           count(*) FILTER (WHERE c.reason = 'completed') AS passed,
           count(*) FILTER (WHERE c.reason <> 'completed') + (SELECT count(*) FROM moved) AS exited,
           (SELECT sum(u.n)::bigint FROM undone u) AS failed,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM c.at - c.started_at)) FILTER (WHERE c.reason = 'completed') AS median
    FROM c WHERE c.kind = 'journey ended'
    UNION ALL
    SELECT 2, o.place, o.step, repeat('  ', o.depth) || o.what,
           CASE WHEN o.kind LIKE 'wait%' OR o.kind = 'parallel' THEN coalesce(w.n, 0) + coalesce(t.held, 0)
                WHEN o.what NOT LIKE 'label %' THEN coalesce(t.n, 0) + coalesce(s.n, 0) + coalesce(w.exited, 0) END, s.n, -- who stands at it: it is paused
           CASE WHEN o.kind LIKE 'wait%' OR o.kind = 'parallel' THEN coalesce(w.passed, 0) + coalesce(t.held, 0) WHEN o.what NOT LIKE 'label %' THEN coalesce(t.n, 0) END, w.exited, u.n, w.median
    FROM v CROSS JOIN LATERAL nurture._workflow_outline(v.definition) o
    LEFT JOIN tokens t ON t.step = o.step LEFT JOIN waits w ON w.step = o.step LEFT JOIN standing s ON s.step = o.step LEFT JOIN undone u ON u.step = o.step
    UNION ALL
    SELECT 3, row_number() OVER (ORDER BY count(*) DESC, l.reason), '', l.reason, NULL, NULL, NULL, count(*), NULL,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM l.at - l.started_at))
    FROM (SELECT c.reason, c.at, c.started_at FROM c WHERE c.kind = 'journey ended' AND c.reason <> 'completed'
          UNION ALL SELECT 'moved to another version', m.next_at, m.started_at FROM moved m) l GROUP BY l.reason
    UNION ALL
    SELECT 4, 0, '', 'held out', count(*), NULL, NULL, NULL, NULL, NULL
    FROM nurture.transition t, v WHERE t.kind = 'journey held out' AND t.version = v.version AND t.name = ANY (nurture._workflow_names(v.id)) HAVING count(*) > 0
)
-- Nobody notes who passes a label.
SELECT l.step, l.what, l.entered, CASE WHEN l.entered IS NOT NULL AND l.part < 3 THEN coalesce(l.active, 0) END, l.passed,
       CASE WHEN l.part = 3 OR l.part < 3 AND l.entered IS NOT NULL THEN coalesce(l.exited, 0) END, CASE WHEN l.part < 3 AND l.entered IS NOT NULL THEN coalesce(l.failed, 0) END, round(l.passed::numeric / nullif(l.entered, 0), 4), make_interval(secs => l.median)
FROM lines l ORDER BY l.part, l.place
$$;
COMMENT ON FUNCTION nurture.workflow_report(text, int) IS
    'a version of a workflow (NULL: the current one) in numbers: the whole of it, each step, and why journeys ended early';
REVOKE ALL ON FUNCTION nurture.workflow_report(text, int) FROM PUBLIC;

CREATE FUNCTION nurture.diagram(workflow text, format text DEFAULT 'svg', version int DEFAULT NULL, counts boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    shown nurture.workflow_version := nurture._workflow_at(workflow, version);
    keys text[];
    numbers bigint[];
BEGIN
    IF counts THEN
        WITH r AS MATERIALIZED (SELECT * FROM nurture.workflow_report(workflow, shown.version))
        SELECT array_agg(k.key), array_agg(k.n) INTO keys, numbers
        FROM (SELECT CASE WHEN r.step = '' AND r.entered IS NULL THEN 'left: ' || r.what WHEN r.step = '' THEN 'started' ELSE r.step END AS key,
                     coalesce(r.entered, r.exited) AS n FROM r WHERE coalesce(r.passed, r.exited) IS NOT NULL
              UNION ALL
              SELECT CASE WHEN r.step = '' THEN 'completed' ELSE r.step || '@' END, CASE WHEN r.step = '' THEN r.passed ELSE r.active END
              FROM r WHERE r.passed IS NOT NULL
              UNION ALL
              SELECT 'inside', r.active FROM r WHERE r.step = '' AND r.active IS NOT NULL
              UNION ALL
              -- What held before anybody waited came in time.
              SELECT replace(t.token, ':held', ':then'), count(*)
              FROM nurture._journey_changes(shown.workflow, shown.version) c CROSS JOIN LATERAL jsonb_array_elements_text(c.via) t (token)
              WHERE t.token LIKE '%:%' GROUP BY 1) k;
    END IF;
    RETURN nurture._workflow_diagram(shown.definition, format, workflow, coalesce(keys, '{}'), coalesce(numbers, '{}'));
END
$$;
COMMENT ON FUNCTION nurture.diagram(text, text, int, boolean) IS
    'a flow chart of a workflow, as svg or as text for mermaid, with how many went along each edge and stand at each step';
REVOKE ALL ON FUNCTION nurture.diagram(text, text, int, boolean) FROM PUBLIC;

-- Where a message stays.
CREATE FUNCTION nurture._action_state(action nurture.action) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE
    WHEN action.status = 'ready' AND EXISTS (SELECT FROM nurture.action_cancel c WHERE c.id = action.id) THEN 'cancelled'
    WHEN action.status = 'ready' AND EXISTS (SELECT FROM nurture.sending s WHERE s.paused) THEN 'ready: all sending is paused'
    WHEN action.status = 'ready' AND action.due > nurture._now() THEN concat('ready: ', CASE WHEN action.attempts > 0 THEN 'to be tried again from ' ELSE 'may be claimed from ' END, action.due, ': ' || action.reason)
    WHEN action.status = 'ready' AND action.attempts > 0 THEN format('ready: attempt %s, after: %s', action.attempts + 1, action.reason)
    WHEN action.status = 'ready' THEN 'ready: waits for a sender of ' || action.channel
    WHEN action.status = 'claimed' AND action.leased_until <= nurture._now() THEN 'claimed: its sender''s time was over at ' || action.leased_until::text || ', may be claimed again'
    WHEN action.status = 'claimed' THEN 'claimed: a sender has it until ' || action.leased_until::text
    ELSE concat_ws(': ', CASE WHEN starts_with(action.reason, action.status) IS NOT TRUE THEN action.status END, action.reason) END
$$;
COMMENT ON FUNCTION nurture._action_state(nurture.action) IS 'what an action is waiting for, or what became of it';
REVOKE ALL ON FUNCTION nurture._action_state(nurture.action) FROM PUBLIC;

CREATE FUNCTION nurture.trace_journey(contact text, workflow text)
    RETURNS TABLE (at timestamptz, journey int, step text, what text, why text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    whose CONSTANT text := nurture.contact_of(contact);
    keys CONSTANT text[] := nurture._keys_of(whose);
    current CONSTANT nurture.workflow_version := nurture._workflow_at(workflow, NULL);
    names CONSTANT text[] := nurture._workflow_names(current.workflow);
BEGIN
    RETURN QUERY
    WITH outline AS (
        SELECT v.version, o.step, o.kind, o.what FROM nurture.workflow_version v CROSS JOIN LATERAL nurture._workflow_outline(v.definition) o
        WHERE v.workflow = current.workflow
    ), change AS (
        SELECT t.*, coalesce((t.detail ->> 'instance')::int, 1) AS instance FROM nurture.transition t
        WHERE t.contact = ANY (keys) AND t.name = ANY (names) AND (t.kind LIKE 'journey %' OR t.kind IN ('branch ended', 'goal reached'))
    ), passed AS (
        SELECT c.*, p.token, p.place, split_part(p.token, ':', 1) AS of_step, row_number() OVER w AS nth, count(*) OVER (PARTITION BY c.instance, c.version, split_part(p.token, ':', 1)) AS times,
               lead(c.at) OVER w AS again_at
        FROM change c CROSS JOIN LATERAL jsonb_array_elements_text(c.detail -> 'via') WITH ORDINALITY p (token, place)
        WINDOW w AS (PARTITION BY c.instance, c.version, split_part(p.token, ':', 1) ORDER BY c.tick, c.n, p.place)
    ), made AS (
        SELECT a.id, a.version, a.step, a.journey, a.created_at, row_number() OVER (PARTITION BY a.journey, a.version, a.step ORDER BY a.created_at, a.id) AS nth,
               count(*) OVER (PARTITION BY a.journey, a.version, a.step) AS times
        FROM nurture.action a WHERE a.contact = ANY (keys) AND a.workflow = ANY (names)
    ), line AS (
        SELECT c.tick, c.n, 0::bigint AS place, c.at, c.instance, coalesce(c.step, '') AS step,
               CASE WHEN c.kind IN ('journey waits', 'branch ended') THEN coalesce(o.what, 'waits') ELSE replace(c.kind, 'journey ', '') END AS what,
               CASE c.kind WHEN 'branch ended' THEN substring(c.detail ->> 'branch' FROM '[^.]*$') || CASE c.detail ->> 'reason' WHEN 'left' THEN ' is left' ELSE ' has arrived' END
                           WHEN 'journey ended' THEN c.detail ->> 'reason' || ', by ' || c.cause WHEN 'journey waits' THEN 'waits'
                           WHEN 'journey held out' THEN 'as one of the control group' WHEN 'goal reached' THEN concat_ws(', ', nullif(c.detail ->> 'reason', c.cause), 'by ' || c.cause)
                           ELSE 'by ' || c.cause END AS why,
               1 AS rank
        FROM change c LEFT JOIN outline o ON o.version = c.version AND o.step = c.step
        UNION ALL
        SELECT p.tick, p.n, p.place, p.at, p.instance, o.step, o.what,
               CASE WHEN p.token LIKE '%:none' THEN 'no channel may be used'
                    WHEN p.token LIKE '%:exhausted' THEN 'nothing left in the stream'
                    WHEN p.token LIKE '%:repeat' THEN 'a round begins'
                    WHEN o.kind = 'parallel' THEN split_part(p.token, ':', 2) || ' begins'
                    WHEN o.kind IN ('send', 'do') THEN coalesce(nurture._action_state(a), 'made; no longer kept')
                    WHEN o.kind = 'if' THEN CASE split_part(p.token, ':', 2) WHEN 'then' THEN 'yes' WHEN 'else' THEN 'no' ELSE split_part(p.token, ':', 2) END
                    WHEN p.token LIKE '%:held' THEN 'held already'
                    WHEN p.token ~ ':(then|or[0-9]+)$' THEN 'in time, by ' || p.cause
                    WHEN p.token LIKE '%:else' THEN 'the time was up'
                    ELSE CASE WHEN o.what LIKE 'repeat%' THEN 'begins' ELSE 'done' END END, 0
        FROM passed p JOIN outline o ON o.version = p.version AND o.step = p.of_step
        -- In a loop each coming has its own action; one that failed and was made anew has several, of which the last counts.
        LEFT JOIN LATERAL (SELECT m.id FROM made m WHERE m.version = p.version AND m.step = p.of_step AND m.journey = p.instance::text
                             AND CASE WHEN m.times = p.times THEN m.nth = p.nth ELSE m.created_at >= p.at AND (m.created_at < p.again_at) IS NOT FALSE END
                           ORDER BY m.created_at DESC LIMIT 1) m ON true
        LEFT JOIN nurture.action a ON a.id = m.id
    )
    SELECT l.at, l.instance, l.step, l.what, l.why FROM line l ORDER BY l.instance, l.tick, l.n, l.rank, l.place;
    IF EXISTS (SELECT FROM nurture.journey j WHERE j.contact = whose AND j.workflow = workflow) THEN
        RETURN QUERY SELECT nurture._now(), NULL::int, j.step, 'now', concat_ws(', ', CASE j.paused WHEN 'workflow' THEN 'the workflow is paused' WHEN 'step' THEN 'the step is paused' WHEN 'contact' THEN 'paused for this contact' END,
                                'waits' || CASE WHEN isfinite(j.wakes_at) THEN ' until ' || j.wakes_at::text || ' at most' ELSE '' END)
            FROM nurture.journey j WHERE j.contact = whose AND j.workflow = workflow;
    ELSIF NOT EXISTS (SELECT FROM nurture.transition t WHERE t.contact = ANY (keys) AND t.name = ANY (names) AND t.kind = 'journey started') THEN
        RETURN QUERY SELECT NULL::timestamptz, NULL::int, '', n.what, n.why FROM nurture._why_not_inside(whose, workflow) n;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture.trace_journey(text, text) IS
    'a contact''s way through a workflow, step by step: what happened, why, and where a message stays; or why it is not inside';
REVOKE ALL ON FUNCTION nurture.trace_journey(text, text) FROM PUBLIC;

-- By hand: a message like any other, which may as well be inserted, or copied from a file.
CREATE FUNCTION nurture.start_journey(workflow text, contact text, context jsonb DEFAULT '{}') RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    id CONSTANT text := 'start-' || gen_random_uuid();
    of CONSTANT nurture.workflow := nurture._workflow_named(workflow);
BEGIN
    IF workflow IS NULL THEN
        RAISE EXCEPTION 'no workflow is named' USING ERRCODE = 'null_value_not_allowed';
    ELSIF contact IS NULL OR contact = '' THEN
        RAISE EXCEPTION 'no contact is named' USING ERRCODE = 'null_value_not_allowed';
    ELSIF jsonb_typeof(context) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'the context must be a JSON object' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF of.live_since IS NULL OR NOT of.enabled THEN
        RAISE EXCEPTION 'workflow "%" is not enabled', of.name USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    INSERT INTO nurture.inbox (contact, type, props, message_id, at, received_at)
    SELECT start_journey.contact, '$start', context || jsonb_build_object('workflow', start_journey.workflow), id, m.at, m.at
    FROM (SELECT nurture._now() AS at) m;
    RETURN id;
END
$$;
COMMENT ON FUNCTION nurture.start_journey(text, text, jsonb) IS
    'starts a journey by hand, as far as re-enter and exits allow; returns the message_id for nurture.wait_for. The context becomes properties of the event $start, and so the journey''s variables';
REVOKE ALL ON FUNCTION nurture.start_journey(text, text, jsonb) FROM PUBLIC;

-- Steps are told apart by their words: where a step stands may have changed without the step.
CREATE FUNCTION nurture.journey_diff(workflow text, v1 int, v2 int)
    RETURNS TABLE (change text, step_before text, step_after text, what text, inside bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
WITH a AS (SELECT o.*, row_number() OVER (PARTITION BY o.what ORDER BY o.place) AS same
           FROM nurture._workflow_at(journey_diff.workflow, v1) v CROSS JOIN LATERAL nurture._workflow_outline(v.definition) o),
b AS (SELECT o.*, row_number() OVER (PARTITION BY o.what ORDER BY o.place) AS same
      FROM nurture._workflow_at(journey_diff.workflow, v2) v CROSS JOIN LATERAL nurture._workflow_outline(v.definition) o),
header AS (
    SELECT n.n, l.line FROM (VALUES (1, v1), (2, v2)) n (n, version)
    CROSS JOIN LATERAL nurture._workflow_at(journey_diff.workflow, n.version) v
    CROSS JOIN LATERAL string_to_table(v.definition::text, E'\n') l (line) WHERE l.line ~ '^(on|exit on|exit when|re-enter) '
), standing AS (
    SELECT j.step, count(*) AS n FROM nurture.journey j WHERE j.workflow = journey_diff.workflow AND j.version = v1 GROUP BY j.step
)
SELECT d.change, d.step_before, d.step_after, d.what, CASE WHEN d.step_before <> '' THEN coalesce(s.n, 0) END
FROM (SELECT CASE WHEN min(h.n) = 2 THEN 'added' ELSE 'removed' END AS change, NULL AS step_before, NULL AS step_after, h.line AS what, 0::bigint AS place
      FROM header h GROUP BY h.line HAVING count(DISTINCT h.n) = 1
      UNION ALL
      SELECT CASE WHEN a.step IS NULL THEN 'added' WHEN b.step IS NULL THEN 'removed' WHEN a.step <> b.step THEN 'moved' ELSE 'same' END,
             a.step, b.step, coalesce(a.what, b.what), coalesce(b.place, a.place)
      FROM a FULL JOIN b ON b.what = a.what AND b.same = a.same) d
LEFT JOIN standing s ON s.step = d.step_before
ORDER BY d.change = 'removed' AND d.place > 0, d.place, d.change, d.what
$$;
COMMENT ON FUNCTION nurture.journey_diff(text, int, int) IS
    'what differs between two versions of a workflow: lines of the header, steps added, removed and moved, and how many stand at each step of the first';
REVOKE ALL ON FUNCTION nurture.journey_diff(text, int, int) FROM PUBLIC;
