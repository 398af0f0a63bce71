-- What the user of a workflow sees: the report, the diagram, one contact's way, starting by hand, the difference of versions.
-- The numbers are held against naive counts over actions, transitions and states.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
SET nurture.enabled = off; -- the clock is simulated
INSERT INTO nurture.segment (name, condition) VALUES ('fans', 'count(cheer) >= 2');
INSERT INTO nurture.workflow (name, definition) VALUES ('offer', $$
    on visit where page = 'offer'
    on entering segment 'fans'
    exit on purchase
    exit when blocked
    send email 'hello' for offers
    wait 1 hour
    if country = 'DE' then
        do 'letter'
        wait for click where link = 'more' up to 1 day then
            set interest = 'high'
        else
            exit
        end
    elsif country = 'AT' then
        wait for (vip) up to 2 hours
    else
        send sms 'short' for offers
        wait for (vip) up to 2 hours then else send email 'not_vip' for offers end
    end
    send email 'bye' for offers
$$), ('by hand', $$ if last(plan of $start where workflow = 'by hand') = 'big' then do 'call' else do 'write' end wait 1 day $$);
UPDATE nurture.workflow SET live_since = '2026-03-02'; -- the simulated clock's
CALL nurture.tick('2026-03-02 08:00');

-- Sixty contacts of three countries; some click, some are VIPs, some buy on the way, some are blocked from the start.
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT 'c' || to_char(i, 'FM00'), e.type, e.props, e.at, e.at
FROM generate_series(1, 60) i CROSS JOIN LATERAL (VALUES
    ('$identify', jsonb_build_object('country', (ARRAY['DE', 'AT', 'IT'])[1 + i % 3], 'vip', i % 4 = 0, 'blocked', i % 20 = 7), timestamptz '2026-03-02 09:00'),
    ('visit', '{"page": "offer"}', '2026-03-02 09:10'),
    (CASE WHEN i % 5 = 0 THEN 'purchase' END, '{}', timestamptz '2026-03-02 09:30' + i * interval '3 minutes'),
    (CASE WHEN i % 6 = 0 THEN 'click' END, jsonb_build_object('link', CASE WHEN i % 12 = 0 THEN 'more' ELSE 'less' END), timestamptz '2026-03-02 12:00' + i * interval '1 minute'),
    (CASE WHEN i % 7 = 0 THEN '$identify' END, '{"vip": true}', timestamptz '2026-03-02 11:30')) e (type, props, at)
WHERE e.type IS NOT NULL;
CALL nurture.tick('2026-03-02 11:40');
SELECT step, what, entered, active, passed, exited, failed, conversion FROM nurture.workflow_report('offer');
-- Whoever stands at a step stands there by his state and by his story.
SELECT count(*) AS differ FROM (
    SELECT r.step, r.active FROM nurture.workflow_report('offer') r WHERE r.step <> '' AND r.active > 0
    EXCEPT SELECT t.step, count(*) FROM (SELECT DISTINCT ON (t.contact) t.* FROM nurture.transition t WHERE t.kind LIKE 'journey %' ORDER BY t.contact, t.tick DESC, t.n DESC) t
    WHERE t.kind = 'journey waits' GROUP BY t.step) d;
CALL nurture.tick('2026-03-05');
SELECT * FROM nurture.workflow_report('offer');
-- What came to a step that acts has made an action; what came to the others is counted by what can be known of them.
CREATE VIEW ended AS SELECT t.contact, t.step, t.detail ->> 'reason' AS reason FROM nurture.transition t WHERE t.kind = 'journey ended' AND t.name = 'offer';
CREATE VIEW naive AS
SELECT a.step, count(*) AS n FROM nurture.action a WHERE a.workflow = 'offer' GROUP BY a.step
UNION ALL -- the choice: whoever was not stopped at the wait before it
SELECT '3', count(*) FROM nurture.transition s WHERE s.kind = 'journey started' AND NOT EXISTS (SELECT FROM ended e WHERE e.contact = s.contact AND e.step = '2')
UNION ALL -- interest was set by a workflow
SELECT '3.then.2.then.1', count(*) FROM nurture.event_log l WHERE l.type = '$set'
UNION ALL -- ended without the last mail, and not by an exit of the header
SELECT '3.then.2.else.1', count(*) FROM ended e WHERE e.reason = 'completed' AND NOT EXISTS (SELECT FROM nurture.action a WHERE a.contact = e.contact AND a.step = '4')
UNION ALL -- Austrians that came to the choice
SELECT '3.elsif1.1', count(*) FROM nurture.transition s JOIN nurture.lead l USING (contact) WHERE s.kind = 'journey started' AND l.attributes ->> 'country' = 'AT'
    AND NOT EXISTS (SELECT FROM ended e WHERE e.contact = s.contact AND e.step = '2');
SELECT r.step, r.what, r.entered, n.n AS naive, r.entered IS NOT DISTINCT FROM n.n AS same
FROM nurture.workflow_report('offer') r JOIN naive n USING (step);
-- Nobody is lost: who came is there, went on, or left; and came from where others went on.
SELECT bool_and(entered = active + passed + exited) AS all_are_somewhere FROM nurture.workflow_report('offer') WHERE entered IS NOT NULL;
SELECT (SELECT sum(exited) FROM nurture.workflow_report('offer') WHERE entered IS NULL) = (SELECT exited FROM nurture.workflow_report('offer') WHERE what = 'started') AS reasons_add_up;

-- One contact's way; where a message stays; why somebody is not inside.
SELECT at::time AS at, journey, step, what, why FROM nurture.trace_journey('c12', 'offer');
SELECT at::time AS at, step, what, why FROM nurture.trace_journey('c05', 'offer');
SELECT * FROM nurture.trace_journey('c07', 'offer');
SELECT * FROM nurture.trace_journey('nobody', 'offer');
INSERT INTO nurture.history (contact, type, props, at, received_at) VALUES ('old', 'visit', '{"page": "offer"}', '2026-01-01', '2026-03-05');
CALL nurture.tick('2026-03-05 01:00');
SELECT * FROM nurture.trace_journey('old', 'offer');

-- By hand: like a message, in time with the others; re-enter and exits hold.
SELECT nurture.start_journey('by hand', 'c01', '{"plan": "big"}') LIKE 'start-%' AS told;
SELECT nurture.start_journey('by hand', 'c02') LIKE 'start-%' AS told;
SELECT nurture.start_journey('by hand', 'c02') LIKE 'start-%' AS again;
SELECT nurture.start_journey('offer', 'c07') LIKE 'start-%' AS blocked;
SELECT nurture.start_journey('offer', 'newcomer') LIKE 'start-%' AS new;
SELECT nurture.start_journey('no such', 'c01');
SELECT nurture.start_journey('offer', '');
SELECT nurture.start_journey('offer', 'c01', '[]');
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('c03', '$start', '{"workflow": "no such"}', '2026-03-05 01:00', '2026-03-05 01:00'), ('c03', '$start', '{}', '2026-03-05 01:00', '2026-03-05 01:00');
CALL nurture.tick('2026-03-05 02:00');
SELECT contact, type, reason FROM nurture.rejected_event;
SELECT contact, channel FROM nurture.action WHERE workflow = 'by hand' ORDER BY contact;
SELECT contact, name, cause FROM nurture.transition WHERE kind = 'journey started' AND cause = '$start' ORDER BY contact, name;
UPDATE nurture.workflow SET enabled = false WHERE name = 'by hand';
SELECT nurture.start_journey('by hand', 'c04');
SELECT at, step, what, why FROM nurture.trace_journey('c04', 'by hand');

-- Pictures: well-formed, for every version, with and without numbers.
SELECT nurture.diagram('offer', 'mermaid');
SELECT nurture.diagram('by hand', 'mermaid', counts => false);
SELECT left(d, 5) AS begins, xml_is_well_formed(d) AS well_formed, d LIKE '%completed: %' AS numbers,
       (SELECT count(DISTINCT m) FROM regexp_matches(d, '<title>(\d[a-z0-9.]*): ', 'g') m) AS steps
FROM nurture.diagram('offer') d;
SELECT xml_is_well_formed(nurture.diagram('offer', counts => false)) AS well_formed;
SELECT nurture.diagram('offer', 'png');
SELECT nurture.diagram('offer', version => 9);

-- What a new version changes, and whom it finds where.
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES ('dora', 'visit', '{"page": "offer"}', '2026-03-05 02:30', '2026-03-05 02:30');
CALL nurture.tick('2026-03-05 03:00');
UPDATE nurture.workflow SET definition = $$
    on visit where page = 'offer'
    exit on purchase
    re-enter after 30 days
    send email 'hello' for offers
    do 'note'
    wait 1 hour
    send email 'bye' for offers
$$ WHERE name = 'offer';
CALL nurture.tick('2026-03-05 03:01');
SELECT * FROM nurture.journey_diff('offer', 1, 2);
SELECT step, what, entered, active FROM nurture.workflow_report('offer'); -- the new version: nobody yet
SELECT what, entered, active FROM nurture.workflow_report('offer', 1) WHERE step IN ('', '2') AND entered IS NOT NULL;
DROP VIEW naive, ended;
-- Those who are moved leave the one version and come to the other, each once; who is held out did not start. Loops are come to once.
INSERT INTO nurture.workflow (name, definition) VALUES ('moving', $$
    on move where n > 5
    repeat at most 3
        do 'ask'
        wait 1 day
    end
    parallel
        wait 3 days
    and
        wait 5 days
    end
$$), ('held', 'on move holdout 50 percent ''half'' do ''x''');
CALL nurture.tick('2026-03-05 03:02');
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT 'm' || i, 'move', jsonb_build_object('n', i), t, t FROM generate_series(1, 20) i CROSS JOIN LATERAL (SELECT timestamptz '2026-03-05 04:00' + i * interval '1 hour') x (t);
CALL nurture.tick('2026-03-08 17:00'); -- some in the loop, some in the branches
SELECT step, what, entered, active, passed, exited FROM nurture.workflow_report('moving');
SELECT sum(entered) AS "of twenty" FROM nurture.workflow_report('held') WHERE step = '';
SELECT what, entered = (SELECT count(*) FROM nurture.transition t WHERE t.kind = 'journey held out') AS as_transitions_tell FROM nurture.workflow_report('held') WHERE what = 'held out';
UPDATE nurture.workflow SET definition = replace(definition::text, 'wait 5 days', 'wait 6 days')::nurture.workflow_definition WHERE name = 'moving';
CALL nurture.tick('2026-03-08 17:01');
SELECT nurture.migrate_journeys('moving', '{"1.repeat.2": null}') AS told;
CALL nurture.tick('2026-03-08 17:02');
SELECT step, what, entered, active, passed, exited FROM nurture.workflow_report('moving', 1);
SELECT step, what, entered, active, passed, exited FROM nurture.workflow_report('moving', 2);
SELECT v, bool_and(entered = active + passed + exited) AS all_are_somewhere FROM (VALUES (1), (2)) n (v) CROSS JOIN LATERAL nurture.workflow_report('moving', v)
WHERE entered IS NOT NULL GROUP BY v ORDER BY v;
-- Journeys of contacts that are merged later have one number: each of them is counted.
INSERT INTO nurture.workflow (name, definition) VALUES ('merged', 'on meet do ''x'' wait 1 hour');
CALL nurture.tick('2026-03-20 09:00');
INSERT INTO nurture.inbox (contact, kind, type, at, received_at) VALUES
    ('cookie-z', 'anonymous', 'meet', '2026-03-20 10:00', '2026-03-20 10:00'), ('zoe', NULL, 'meet', '2026-03-20 12:00', '2026-03-20 12:00');
CALL nurture.tick('2026-03-20 14:00');
INSERT INTO nurture.inbox (contact, kind, type, props, at, received_at) VALUES ('cookie-z', 'anonymous', '$alias', '{"to": "zoe"}', '2026-03-20 15:00', '2026-03-20 15:00');
CALL nurture.tick('2026-03-20 16:00');
SELECT what, entered, active, passed, exited FROM nurture.workflow_report('merged') WHERE step = '';
