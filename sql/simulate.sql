-- A simulated contact goes the way that the engine takes a real one, line by line; and looking changes nothing.
\i sql/include/simulated_clock.sql
INSERT INTO nurture.rule (name, definition) VALUES ('reads', '+10 on email_click half-life 7 days');
INSERT INTO nurture.segment (name, condition) VALUES ('reader', 'score >= 8'), ('nudged', 'stage = ''nudged''');
INSERT INTO nurture.workflow (name, definition) VALUES ('whitepaper', $$
  on form_submit where form = 'whitepaper'
  exit on purchase
  wait 1 hour
  send email 'invite' for newsletter with (name = name, discount = 10)
  wait for email_click where template = 'invite' up to 1 day then
    send email 'thanks' as transactional
  else
    set stage = 'nudged'
    if in segment 'nudged' then send email 'nudge' else send email 'never' end
  end
  wait 2 days
  do 'webhook' with (url = 'https://example.com')
$$), ('readers', 'on entering segment ''reader'' re-enter always wait 3 days send sms ''hello''');
INSERT INTO nurture.workflow (name, definition, enabled) VALUES ('draft', 'on signup wait 1 day send email ''morning''', false);

-- Somebody who does nothing, somebody who clicks, somebody who buys before it is sent.
\set form '[{"type": "form_submit", "props": {"form": "whitepaper"}}]'
SELECT * FROM nurture.simulate('whitepaper', since => '2026-03-01 09:00', until => '2026-06-01', events => :'form');
SELECT * FROM nurture.simulate('whitepaper', since => '2026-03-01 09:00', until => '2026-06-01', events => :'form',
    outcomes => '[{"template": "invite", "event": "email_click", "after": "3 hours"}]');
SELECT at, what, name, step, detail FROM nurture.simulate('whitepaper', since => '2026-03-01 09:00', until => '2026-06-01',
    events => '[{"type": "form_submit", "props": {"form": "whitepaper"}}, {"type": "purchase", "after": "2 hours"}]', outcomes => '[{"outcome": "none"}]');
-- A draft, and a text that is stored nowhere.
SELECT at, what, name FROM nurture.simulate('draft', since => '2026-03-01 10:00', until => '2026-03-05', events => '[{"type": "signup"}]');
SELECT at, what, name FROM nurture.simulate('idea', since => '2026-03-01 10:00', until => '2026-03-05', events => '[{"type": "signup"}]',
    definition => 'on signup if in segment ''reader'' then send email ''known'' else send email ''new'' end');

-- The engine itself: three contacts, told the same at the same times, every action carried out as soon as it is due.
CREATE TEMP TABLE simulated AS
SELECT c.contact, s.at, s.what, s.name, s.step
FROM (VALUES ('anna', '2026-03-01 09:00'::timestamptz, '[]'::jsonb),
             ('bert', '2026-03-01 10:00', '[{"template": "invite", "event": "email_click", "after": "3 hours"}]'),
             ('carl', '2026-03-01 11:00', '[{"template": "nudge", "outcome": "failed"}]')) c (contact, since, outcomes)
CROSS JOIN (VALUES ('whitepaper'), ('readers')) w (workflow)
CROSS JOIN LATERAL nurture.simulate(w.workflow, since => c.since, until => '2026-06-01', events => :'form', outcomes => c.outcomes) s
WHERE s.what IN ('journey started', 'journey waits', 'journey ended', 'action', 'sent', 'failed');
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT c.contact, 'form_submit', '{"form": "whitepaper"}', c.at, c.at
FROM (VALUES ('anna', '2026-03-01 09:00'::timestamptz), ('bert', '2026-03-01 10:00'), ('carl', '2026-03-01 11:00')) c (contact, at);
CREATE PROCEDURE pg_temp.live(since timestamptz, until timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := since;
    taken record;
BEGIN
    WHILE moment <= until LOOP
        CALL pg_temp.tick(moment);
        FOR taken IN SELECT c.* FROM unnest('{email,sms,webhook}'::text[]) ch CROSS JOIN LATERAL nurture.claim(ch) c LOOP
            IF taken.contact = 'carl' AND taken.template = 'nudge' THEN
                PERFORM nurture.fail(taken.receipt, 'no', permanent => true);
            ELSE
                PERFORM nurture.complete(ARRAY[taken.receipt]);
            END IF;
            IF taken.contact = 'bert' AND taken.template = 'invite' THEN
                INSERT INTO nurture.inbox (contact, type, props, at, received_at)
                VALUES ('bert', 'email_click', '{"template": "invite"}', moment + interval '3 hours', moment + interval '3 hours');
            END IF;
        END LOOP;
        moment := moment + interval '1 hour';
    END LOOP;
END $$;
CALL pg_temp.live('2026-03-01 09:00', '2026-03-12');
CREATE TEMP VIEW lived AS
SELECT t.contact, t.at, t.kind AS what, t.name, t.step FROM nurture.transition t WHERE t.kind LIKE 'journey%'
UNION ALL SELECT a.contact, a.due, 'action', coalesce(a.template, a.channel), a.step FROM nurture.action a
UNION ALL SELECT l.contact, l.at, substr(l.type, 2), coalesce(l.props ->> 'template', l.props ->> 'channel'), l.props ->> 'step'
FROM nurture.event l WHERE l.type IN ('$sent', '$failed');
SELECT contact, what, count(*) FROM lived GROUP BY 1, 2 ORDER BY 1, 2;
(SELECT 'only simulated' AS which, * FROM simulated EXCEPT ALL SELECT 'only simulated', * FROM lived)
UNION ALL (SELECT 'only lived', * FROM lived EXCEPT ALL SELECT 'only lived', * FROM simulated);

-- A contact as it is now: bert is no reader any more, and may become one again.
SELECT at, what, name, cause FROM nurture.simulate('readers', 'bert', '2026-03-20', '2026-05-01', outcomes => '[]', events => '[{"type": "email_click", "after": "1 day"}]');
-- What a draft needs and nobody has collected comes from the log.
SELECT at, what, name FROM nurture.simulate('thanks', 'bert', '2026-03-20', '2026-05-01', events => '[{"type": "visit"}]',
    definition => 'on visit if first(email_click) is set and count(email_click) = 1 then send email ''again'' else send email ''never'' end');
SELECT what, name, step, contacts, times FROM nurture.simulate_sample('readers', 10, '2026-03-20', '2026-05-01', events => '[{"type": "email_click"}]');

-- Nothing has changed, nothing can: a transaction that only reads is enough.
CREATE TEMP TABLE before AS SELECT c.contact, c.state::text, c.due FROM nurture.contact c;
BEGIN TRANSACTION READ ONLY;
SELECT count(*) FROM nurture.simulate('whitepaper', since => '2026-03-21', until => '2026-06-01', events => :'form');
COMMIT;
SELECT count(*) AS changed FROM (SELECT * FROM before EXCEPT SELECT c.contact, c.state::text, c.due FROM nurture.contact c) x;

-- What makes no sense is said.
SELECT * FROM nurture.simulate('nothing of the kind');
SELECT * FROM nurture.simulate('whitepaper', 'nobody', '2026-03-21');
SELECT * FROM nurture.simulate('whitepaper', 'anna', '2026-03-01', '2026-05-01');
SELECT * FROM nurture.simulate('whitepaper', since => '2026-05-01', until => '2026-03-01');
SELECT * FROM nurture.simulate('whitepaper', since => '2026-03-21', until => '2026-05-01', events => '[{"props": {}}]');
SELECT * FROM nurture.simulate('whitepaper', since => '2026-03-21', until => '2026-05-01', events => '[{"type": "visit", "when": "later"}]');
SELECT * FROM nurture.simulate('whitepaper', since => '2026-03-21', until => '2026-05-01', outcomes => '[{"outcome": "opened"}]');
SELECT * FROM nurture.simulate('whitepaper', since => '2026-03-21', until => '2026-05-01', definition => 'on visit wait for rain');
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
-- What is started by hand is started; where nothing starts it, that is said. The end is 90 days after the beginning.
SET client_min_messages = notice;
SELECT what, name, detail FROM nurture.simulate('(try)', since => '2026-05-01', definition => 'do ''x'' with (n = context.n)');
SELECT what, name, detail FROM nurture.simulate('(try)', since => '2026-05-01', definition => 'on purchase do ''x''');
SELECT max(at) FROM nurture.simulate('(try)', since => '2026-05-01', definition => 'do ''x'' wait 90 days do ''y'' wait 1 day do ''z''') WHERE what = 'action';
-- A long loop takes no longer with each round: three thousand messages.
SELECT count(*) FROM nurture.simulate('(try)', since => '2026-05-01', until => '2026-05-03', definition => 'on go repeat do ''x'' wait 1 minute end', events => '[{"type": "go"}]')
WHERE what = 'sent';
-- What tells in JSON is JSON.
SELECT what, detail FROM nurture.simulate('(try)', since => '2026-05-01', definition => 'on go experiment ''e'' 1 a 1 b end withdraw consent(email)', events => '[{"type": "go"}]')
WHERE what IN ('arm assigned', 'consent changed');
