-- What publishing lets a journey go on with happens at the instant of publishing, not at the contact's clock: what it sends then can still be claimed.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
INSERT INTO nurture.segment (name, condition) VALUES ('open', 'did v and plan = ''gold''');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('waits', 'on go wait for (in segment ''open'') up to 30 days then send email ''opened'' else send email ''never'' end'),
    ('leaves', 'on go exit when in segment ''open'' send email ''first'' wait 30 days send email ''last'''),
    ('paused', 'on go wait 1 hour send email ''overdue'' wait 1 hour send email ''next''');
INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT c, t, '2024-01-01 10:00', '2024-01-01 10:00' FROM unnest('{anna,bert}'::text[]) c, unnest('{v,go}'::text[]) t;
CALL nurture.tick('2024-01-01 10:30');
SELECT nurture.pause_journeys('paused');
CALL nurture.tick('2024-01-04');
-- Three days later, when nobody has done anything since.
UPDATE nurture.segment SET condition = 'did v' WHERE name = 'open';
SELECT nurture.resume_journeys('paused');
-- Who is told something from before that only now: it happens at the contact's clock, and that has moved.
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('bert', 'x', '2024-01-03', '2024-01-03');
CALL nurture.tick('2024-01-04 06:00');
SELECT contact, template, due, expires, expires > '2024-01-04 06:00' AS can_be_claimed FROM nurture.action ORDER BY contact, due, template;
SELECT contact, at, name, kind, cause, detail ->> 'reason' AS reason FROM nurture.transition WHERE at >= '2024-01-02' OR kind LIKE 'segment%' ORDER BY contact, tick, n;
SELECT a.contact, a.template, c.at, c.reason FROM nurture.action_cancel c JOIN nurture.action a USING (id) ORDER BY 1, 2;
SELECT contact, type, received_at, clock FROM nurture.event_log WHERE type = 'x';
SELECT template FROM nurture.claim('email', max_actions => 100) ORDER BY 1;
SELECT * FROM nurture.verify();
SELECT * FROM nurture.verify(path => true);
-- Who was told of it by the sweep, and who with a message: the same.
SELECT count(*) = 0 AS the_same FROM (
    SELECT template, due, expires FROM nurture.action WHERE contact = 'anna' EXCEPT SELECT template, due, expires FROM nurture.action WHERE contact = 'bert') d;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
