-- What nurture.trace_journey says: why somebody is not inside, by each kind of trigger; what a journey is held by; which message
-- of a loop stays where; and what nurture.journey and the pictures say of the same.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
SET nurture.enabled = off; -- the clock is simulated
CREATE FUNCTION pg_temp.tell(contact text, type text, at timestamptz, props jsonb DEFAULT '{}', came timestamptz DEFAULT NULL) RETURNS void
    LANGUAGE sql AS $$ INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES ($1, $2, $4, $3, coalesce($5, $3)) $$;

INSERT INTO nurture.list (name) VALUES ('vips');
INSERT INTO nurture.rule (name, definition) VALUES ('reads', '+5 on view');
INSERT INTO nurture.segment (name, condition) VALUES ('keen', 'count(view) >= 3 and country = ''DE''');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('event', 'on order where amount > 100 do ''x'''),
    ('exit', 'on order exit when blocked do ''x'''),
    ('key', 'on "Product Added" do ''x'''),
    ('segment', 'on entering segment ''keen'' do ''x'''),
    ('out', 'on leaving segment ''keen'' do ''x'''),
    ('condition', 'when score >= 20 and country in (''DE'', ''AT'') do ''x'''),
    ('no longer', 'when no longer blocked do ''x'''),
    ('changed', 'on changing attribute plan from ''free'' to ''pro'' do ''x'''),
    ('set', 'on setting attribute plan to ''gold'' do ''x'''),
    ('list', 'on joining list ''vips'' do ''x'''),
    ('date', 'on 3 days before trial.ends at 09:00 do ''x'''),
    ('finished', 'on finishing workflow ''base'' do ''x'''),
    ('reached', 'on reaching step ''1'' of workflow ''base'' do ''x'''),
    ('schedule', 'on schedule ''0 9 * * mon'' for segment ''keen'' do ''x'''),
    ('hand', 'do ''x'''),
    ('held out', 'on order holdout 100 percent ''all'' do ''x'''),
    ('base', 'on base wait 1 day do ''x''');
CALL nurture.tick('2026-03-01');
SELECT pg_temp.tell('anna', '$identify', '2026-03-02 09:00', '{"plan": "pro", "blocked": true, "trial": {"ends": "2026-03-01"}}'),
    pg_temp.tell('anna', 'view', '2026-03-02 09:10'),
    pg_temp.tell('anna', 'order', '2026-03-02 09:20', '{"amount": 50}'),
    pg_temp.tell('ben', '$identify', '2026-03-02 09:00', '{"country": "DE"}'),
    pg_temp.tell('ben', 'order', '2026-03-01 03:00', '{"amount": 500}', '2026-03-02 10:00');
INSERT INTO nurture.history (contact, type, at, received_at) VALUES ('cleo', 'order', '2026-01-01', '2026-03-02');
CALL nurture.tick('2026-03-02 12:00');
CREATE FUNCTION pg_temp.why_not(contact text) RETURNS TABLE (workflow text, what text, why text) LANGUAGE sql AS $$
    SELECT w.name, t.what, t.why FROM nurture.workflow w CROSS JOIN LATERAL nurture.trace_journey($1, w.name) t ORDER BY w.id, t.what = 'holds' $$;
SELECT * FROM pg_temp.why_not('anna');
SELECT * FROM pg_temp.why_not('ben') WHERE workflow IN ('event', 'exit', 'segment', 'condition', 'changed', 'date');
-- What it says is true: with what it misses, the journey starts.
SELECT pg_temp.tell('ben', 'view', '2026-03-02 13:00'), pg_temp.tell('ben', 'view', '2026-03-02 13:01'), pg_temp.tell('ben', 'view', '2026-03-02 13:02'),
    pg_temp.tell('ben', 'view', '2026-03-02 13:03'), pg_temp.tell('ben', 'order', '2026-03-02 13:04', '{"amount": 101}');
CALL nurture.tick('2026-03-02 14:00');
SELECT workflow, created_at FROM nurture.action WHERE contact = 'ben' ORDER BY created_at, workflow;
SELECT * FROM pg_temp.why_not('cleo') WHERE workflow = 'event';
-- A workflow that comes later; one that is a draft; nobody at all.
INSERT INTO nurture.workflow (name, definition) VALUES ('late', 'on order do ''x''');
INSERT INTO nurture.workflow (name, definition, enabled) VALUES ('draft', 'on order do ''x''', false);
CALL nurture.tick('2026-03-02 15:00');
SELECT * FROM pg_temp.why_not('ben') WHERE workflow IN ('late', 'draft');
SELECT what, why FROM nurture.trace_journey('zoe', 'late');

-- What holds a journey: the contact, the step, the workflow.
INSERT INTO nurture.workflow (name, definition) VALUES ('walk', 'on go wait 1 day do ''a'' wait 1 day do ''b'''), ('other', 'on go wait 1 day do ''c''');
CALL nurture.tick('2026-03-03');
SELECT pg_temp.tell(c, 'go', '2026-03-03 09:00') FROM unnest('{dora,emil,finn}'::text[]) c;
CALL nurture.tick('2026-03-03 10:00');
SELECT nurture.pause_journeys(contact => 'dora');
SELECT nurture.pause_journeys('walk', step => '3');
CALL nurture.tick('2026-03-04 10:00');
SELECT contact, workflow, step, paused FROM nurture.journey ORDER BY contact, workflow;
SELECT step, what, why FROM nurture.trace_journey('dora', 'walk') WHERE what = 'now';
SELECT step, what, why FROM nurture.trace_journey('emil', 'walk') WHERE what = 'now';
SELECT nurture.resume_journeys('walk', step => '3');
SELECT nurture.pause_journeys('walk');
CALL nurture.tick('2026-03-04 11:00');
SELECT contact, workflow, step, paused FROM nurture.journey ORDER BY contact, workflow;
SELECT step, what, why FROM nurture.trace_journey('emil', 'walk') WHERE what = 'now';
SELECT nurture.resume_journeys('walk');
SELECT nurture.resume_journeys(contact => 'dora');
CALL nurture.tick('2026-03-10');
SELECT contact, workflow, step, paused FROM nurture.journey ORDER BY contact, workflow;

-- A loop makes a message each time round; each line tells of its own. Several ways out of a wait; goals.
INSERT INTO nurture.workflow (name, definition) VALUES ('loop', $$
    on round
    repeat at most 3
        do 'ask'
        wait 1 day
    end
    wait for yes, maybe up to 5 days then
        do 'glad'
    or no then
        do 'sad'
    else
        do 'silent'
    end
$$), ('goal', 'on round goal within 3 days on buy go to thanks wait 10 days do ''late'' label thanks do ''thanks''');
CALL nurture.tick('2026-03-11');
SELECT pg_temp.tell('gina', 'round', '2026-03-11 09:00');
CALL nurture.tick('2026-03-11 10:00');
CREATE TEMPORARY TABLE mine AS SELECT * FROM nurture.claim('ask');
SELECT nurture.complete(ARRAY(SELECT receipt FROM mine));
SELECT pg_temp.tell('gina', 'buy', '2026-03-12 11:00');
CALL nurture.tick('2026-03-13 10:00');
SELECT nurture.fail(receipt, 'nobody answers', permanent => true) FROM nurture.claim('ask', 1);
SELECT pg_temp.tell('gina', 'no', '2026-03-15 10:00');
CALL nurture.tick('2026-03-16');
SELECT at, step, what, why FROM nurture.trace_journey('gina', 'loop');
SELECT at, step, what, why FROM nurture.trace_journey('gina', 'goal');
SELECT nurture.diagram('loop', 'mermaid');
SELECT string_agg(m[1], ', ') AS ways FROM regexp_matches(nurture.diagram('loop'), '>([^<>]*(?:yes, maybe|no|time is up))</text>', 'g') m;
-- What is not in force cannot be asked, and that is said.
INSERT INTO nurture.workflow (name, definition, enabled) VALUES ('unknown', 'on entering segment ''not there'' do ''x''', false),
    ('strange', 'when score = ''high'' do ''x''', false);
SELECT step, what, why FROM nurture.trace_journey('gina', 'unknown');
SELECT step, what, why FROM nurture.trace_journey('gina', 'strange');
