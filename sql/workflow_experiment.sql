-- The experiment of a workflow: its subjects and the tests over them, held against naive counts.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET extra_float_digits = 0;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
SET nurture.enabled = off; -- the clock is simulated
INSERT INTO nurture.workflow (name, definition) VALUES ('trial', $$
    on trial re-enter always
    goal within 7 days on purchase
    experiment 'subject' 60 plain send email 'a' for offers 20 loud send email 'b' for offers 20 none end
    wait 10 days
$$), ('two', 'on x goal on y experiment ''one'' 1 a do ''x'' 1 b do ''y'' end experiment ''two'' 1 a 1 b end wait 1 day'),
    ('no goal', 'on x experiment ''one'' 1 a do ''x'' 1 b do ''y'' end'), ('no experiment', 'on x do ''y''');
CALL nurture.tick('2026-03-01');
SELECT count(*) AS subjects FROM nurture.experiment_subjects('trial'); -- nobody yet
SELECT count(*) AS rows FROM nurture.experiment('trial');
-- Some buy in time, some too late, some before; some come twice.
INSERT INTO nurture.inbox (contact, type, at, received_at)
SELECT 'c' || i, e.type, e.at, e.at FROM generate_series(1, 400) i CROSS JOIN LATERAL (VALUES
    ('purchase', timestamptz '2026-03-02 08:00', i % 9 = 0), ('trial', '2026-03-02 09:00', true), ('trial', '2026-03-03 09:00', i % 10 = 0),
    ('purchase', '2026-03-05 09:00', i % 4 = 1), ('purchase', '2026-03-11 09:00', i % 7 = 0)) e (type, at, happens) WHERE e.happens;
CALL nurture.tick('2026-03-31');
-- By hand: the arm from the message that was made or not, the goal from the events.
CREATE TEMPORARY TABLE naive AS
SELECT c.contact, coalesce((SELECT CASE a.template WHEN 'a' THEN 'plain' ELSE 'loud' END FROM nurture.action a WHERE a.contact = c.contact LIMIT 1), 'none') AS arm,
       EXISTS (SELECT FROM nurture.event e WHERE e.contact = c.contact AND e.type = 'purchase' AND e.at >= '2026-03-02 09:00' AND e.at < '2026-03-09 09:00') AS converted
FROM nurture.contact c;
SELECT count(*) AS subjects, count(reached_at) AS reached FROM nurture.experiment_subjects('trial');
SELECT count(*) AS differ FROM (SELECT contact, arm, reached_at IS NOT NULL FROM nurture.experiment_subjects('trial') EXCEPT SELECT * FROM naive) d;
SELECT min(since), max(since), min(reached_at), max(reached_at) FROM nurture.experiment_subjects('trial');
SELECT count(*) AS differ FROM (
    SELECT * FROM nurture.experiment('trial', control => 'none')
    EXCEPT SELECT t.* FROM (SELECT nurture.ab_test_agg(arm, converted) AS s FROM naive) n, nurture.ab_test(n.s, control => 'none', expected => '{0.2,0.2,0.6}') t) d;
SELECT test, arm, versus, round(estimate::numeric, 6) AS estimate, round(p_value::numeric, 6) AS p_value FROM nurture.experiment('trial', control => 'none')
WHERE test IN ('rate', 'sample ratio mismatch', 'z, pooled', 'probability to be best');
-- Another text is the same experiment, other shares are another.
UPDATE nurture.workflow SET definition = replace(definition::text, 'wait 10 days', 'wait 11 days')::nurture.workflow_definition WHERE name = 'trial';
SELECT count(*) AS subjects FROM nurture.experiment_subjects('trial');
UPDATE nurture.workflow SET name = 'the trial' WHERE name = 'trial';
SELECT count(*) AS subjects FROM nurture.experiment_subjects('the trial', 'subject');
UPDATE nurture.workflow SET definition = replace(definition::text, '60 plain', '50 plain')::nurture.workflow_definition WHERE name = 'the trial';
SELECT count(*) AS subjects FROM nurture.experiment_subjects('the trial');
-- What cannot be said.
SELECT * FROM nurture.experiment('no such');
SELECT * FROM nurture.experiment('no experiment');
SELECT * FROM nurture.experiment('two');
SELECT * FROM nurture.experiment('two', 'three');
SELECT * FROM nurture.experiment('no goal');
SELECT count(*) AS subjects FROM nurture.experiment_subjects('no goal');
SELECT count(*) AS rows FROM nurture.experiment('the trial', control => 'nobody');
-- One experiment in two places; and another workflow had the name before, whose subjects are not this one's.
DELETE FROM nurture.workflow WHERE name = 'the trial';
INSERT INTO nurture.workflow (name, definition) VALUES ('the trial', $$
    on join goal on purchase
    if country = 'DE' then experiment 'subject' 50 a do 'x' 50 plain end else experiment 'subject' 50 a do 'y' 50 plain end end
    wait 30 days
$$);
CALL nurture.tick('2026-06-01');
SELECT count(*) AS subjects FROM nurture.experiment_subjects('the trial');
INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT 'late' || g, 'join', '2026-06-01 10:00', '2026-06-01 10:00' FROM generate_series(1, 40) g;
INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT 'late' || g, 'purchase', '2026-06-02 10:00', '2026-06-02 10:00' FROM generate_series(1, 40, 4) g;
CALL nurture.tick('2026-06-03');
SELECT count(*) AS subjects, count(reached_at) AS reached FROM nurture.experiment_subjects('the trial');
SELECT count(DISTINCT arm) AS arms FROM nurture.experiment('the trial') WHERE test = 'rate';
