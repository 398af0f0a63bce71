-- What goes wrong around a journey, and what the journey makes of it: senders that are late or fail, a sending that is paused, templates
-- and time zones that do not exist, steps that cannot be taken.
\i sql/include/simulated_clock.sql
CREATE VIEW pg_temp.path AS
    SELECT contact, to_char(at, 'DD HH24:MI') AS at, replace(kind, 'journey ', '') AS what, step, cause, detail ->> 'reason' AS reason
    FROM nurture.transition WHERE kind LIKE 'journey%' ORDER BY contact, tick, n;
CREATE TEMP TABLE taken (sender text, contact text, receipt uuid, attempt int);

INSERT INTO nurture.workflow (name, definition) VALUES ('trial', $$
  on signup
  exit on bye
  send email 'welcome' as transactional on failure retry 1 times then abort
  wait for $sent where template = 'welcome' up to 3 days
    then send email 'next' as transactional
    else do 'call'
  end
  wait 1 hour
$$);

-- The first sender's lease runs out while it works. A second one claims, and now there are two that have the mail. Whoever reports last with the
-- first receipt is told that it is stale; what the second one says counts, once, and the journey goes on once.
CALL pg_temp.tell('late', 'signup', '2026-05-01 10:00');
CALL pg_temp.tick_and_tend('2026-05-01 10:00');
INSERT INTO taken SELECT 'first', contact, receipt, attempt FROM nurture.claim('email', 10, '1 minute');
CALL pg_temp.tick_and_tend('2026-05-01 10:02');
INSERT INTO taken SELECT 'second', contact, receipt, attempt FROM nurture.claim('email', 10, '1 minute');
SELECT sender, attempt FROM taken ORDER BY attempt;
SELECT nurture.complete(ARRAY[receipt]) AS stale FROM taken WHERE sender = 'first';
SELECT status, attempts FROM nurture.action;
CALL pg_temp.tick_and_tend('2026-05-01 10:02:30');
SELECT nurture.complete(ARRAY[receipt]) AS counts FROM taken WHERE sender = 'second';
SELECT nurture.complete(ARRAY[receipt]) AS "counts and does nothing" FROM taken WHERE sender = 'second';
SELECT nurture.complete(ARRAY[receipt]) AS stale FROM taken WHERE sender = 'first';
\set VERBOSITY sqlstate
SELECT nurture.fail(receipt, 'it was done') FROM taken WHERE sender = 'second';
\set VERBOSITY default
CALL pg_temp.tick_and_tend('2026-05-01 10:03');
SELECT * FROM pg_temp.path WHERE contact = 'late';
SELECT template, status, attempts FROM nurture.action ORDER BY created_at, template;
SELECT type, props ->> 'template' AS template FROM nurture.event_log WHERE type LIKE '$%' ORDER BY tick, n;

-- One that is late and alone: nobody has claimed meanwhile, so it counts.
TRUNCATE taken;
CALL pg_temp.tell('alone', 'signup', '2026-05-02 10:00');
CALL pg_temp.tick_and_tend('2026-05-02 10:00');
INSERT INTO taken SELECT 'only', contact, receipt, attempt FROM nurture.claim('email', 10, '1 minute') WHERE contact = 'alone';
CALL pg_temp.tick_and_tend('2026-05-02 12:00');
SELECT nurture.complete(ARRAY[receipt]) AS counts FROM taken;
CALL pg_temp.tick_and_tend('2026-05-02 12:00:01');
SELECT * FROM pg_temp.path WHERE contact = 'alone';

-- A template that does not exist: the sender finds out, and says so for good. The journey's policy tries once more, then gives up.
TRUNCATE taken;
CALL pg_temp.tell('template', 'signup', '2026-05-03 10:00');
CALL pg_temp.tick_and_tend('2026-05-03 10:00');
SELECT nurture.fail(receipt, 'there is no template "welcome"', permanent => true) FROM nurture.claim('email') WHERE contact = 'template';
CALL pg_temp.tick_and_tend('2026-05-03 10:01');
SELECT nurture.fail(receipt, 'there is no template "welcome"', permanent => true) FROM nurture.claim('email') WHERE contact = 'template';
CALL pg_temp.tick_and_tend('2026-05-03 10:02');
SELECT * FROM pg_temp.path WHERE contact = 'template';
SELECT template, status, reason FROM nurture.action WHERE contact = 'template' ORDER BY created_at;

-- Senders that die with it eight times: it is dead, the contact is told, the journey goes the same way.
TRUNCATE taken;
CALL pg_temp.tell('dead', 'signup', '2026-05-04 10:00');
CREATE PROCEDURE pg_temp.die(times int) LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := (SELECT e.drained FROM nurture.engine e);
BEGIN
    FOR i IN 1..times LOOP
        PERFORM nurture.claim('email', 10, '1 minute');
        moment := moment + interval '2 minutes';
        CALL pg_temp.tick_and_tend(moment);
    END LOOP;
END $$;
CALL pg_temp.tick_and_tend('2026-05-04 10:00');
CALL pg_temp.die(20);
SELECT status, attempts, reason FROM nurture.action WHERE contact = 'dead' ORDER BY created_at;
SELECT * FROM pg_temp.path WHERE contact = 'dead';

-- All sending is paused. Journeys go on, what they send waits; a wait for the outcome is over when its time is over. What was claimed before
-- may still be reported. After resume() all of it can be claimed, once; what has expired meanwhile is not.
TRUNCATE taken;
INSERT INTO nurture.workflow (name, definition) VALUES ('news', 'on signup send email ''marketing'' for news wait for $dropped, $sent up to 9 days then do ''noticed'' end');
CALL pg_temp.tell('claimed', 'signup', '2026-05-05 10:00');
CALL pg_temp.tick_and_tend('2026-05-05 10:00');
INSERT INTO taken SELECT 'before', contact, receipt, attempt FROM nurture.claim('email', 10, '1 hour') WHERE contact = 'claimed' AND template = 'welcome';
SELECT nurture.pause('wrong prices');
CALL pg_temp.tell('paused', 'signup', '2026-05-05 11:00');
CALL pg_temp.tick_and_tend('2026-05-05 11:00');
SELECT count(*) AS claimable FROM nurture.claim('email');
SELECT nurture.next_claimable('email') AS "nor will be";
SELECT nurture.complete(ARRAY[receipt]) AS "was sent before" FROM taken;
CALL pg_temp.tick_and_tend('2026-05-05 11:01');
CALL pg_temp.tick_and_tend('2026-05-09 11:00');
SELECT contact, template, channel, status FROM nurture.action WHERE contact IN ('claimed', 'paused') ORDER BY contact, created_at, template;
SELECT * FROM pg_temp.path WHERE contact = 'paused' AND what = 'waits';
SELECT nurture.resume();
SELECT contact, template FROM nurture.claim('email') WHERE contact IN ('claimed', 'paused') ORDER BY 1, 2;
SELECT count(*) AS "a second time" FROM nurture.claim('email');

-- A time zone that there is not: the policy's, and the contact's own when it comes.
INSERT INTO nurture.workflow (name, definition) VALUES ('morning', 'on wake re-enter always wait until 09:00 do ''coffee''');
SET nurture.timezone = 'Mars/Olympus';
CALL pg_temp.tell('zone', '$identify', '2026-05-10 10:00', '{"timezone": "Mars/Olympus"}');
CALL pg_temp.tell('zone', 'wake', '2026-05-10 10:01');
CALL pg_temp.tell('zone', '$identify', '2026-05-10 10:02', '{"timezone": "America/New_York"}');
CALL pg_temp.tell('zone', '$identify', '2026-05-11 00:00', '{"timezone": ["Europe/Rome"]}');
CALL pg_temp.tell('zone', 'wake', '2026-05-11 00:01');
CALL pg_temp.tell('zone', '$identify', '2026-05-11 10:00', '{"timezone": "Asia/Kathmandu"}');
CALL pg_temp.tell('zone', '$identify', '2026-05-11 10:01', '{"timezone": null}');
CALL pg_temp.tell('zone', 'wake', '2026-05-11 10:02');
CALL pg_temp.tick_and_tend('2026-05-10 10:01');
SELECT wakes_at AS "as if it had none" FROM nurture.journey WHERE contact = 'zone';
CALL pg_temp.tick_and_tend('2026-05-10 10:02');
SELECT wakes_at AS "nine in New York" FROM nurture.journey WHERE contact = 'zone';
CALL pg_temp.tick_and_tend('2026-05-12');
SELECT due FROM nurture.action WHERE contact = 'zone';

-- More than ten thousand steps at one instant: that contact is set aside, nobody else; mended and released it goes on, once.
INSERT INTO nurture.workflow (name, definition) VALUES ('many', 'on many re-enter always repeat at most 20000 set x = 1 end do ''done''');
CALL pg_temp.tell('many', 'many', '2026-05-13 10:00');
CALL pg_temp.tell('few', 'signup', '2026-05-13 10:00');
CALL pg_temp.tick_and_tend('2026-05-13 10:01');
SELECT contact, reason FROM nurture.quarantine;
SELECT count(*) AS "the other's actions" FROM nurture.action WHERE contact = 'few';
UPDATE nurture.workflow SET definition = 'on many re-enter always repeat at most 20 set x = 1 end do ''done''' WHERE name = 'many';
SELECT nurture.release('many');
CALL pg_temp.tick_and_tend('2026-05-13 10:02');
SELECT channel, due FROM nurture.action WHERE contact = 'many';
SELECT * FROM nurture.verify();
SELECT * FROM nurture.verify(path => true);
-- What has no name cannot be sent or done.
INSERT INTO nurture.workflow (name, definition) VALUES ('nameless', 'on e do ''''');
INSERT INTO nurture.workflow (name, definition) VALUES ('nameless', 'on e send email '''' for news');
-- What is accepted since it may come later, lint tells.
INSERT INTO nurture.workflow (name, definition) VALUES ('unlisted', 'on e do ''procedure'' with (percent = 5, name = ''it''''s not there'') do ''procedure'' do ''procedure'' with (name = which)'),
    ('nowhere', 'on reaching step ''1'' of workflow ''unlisted'' do ''x'''), ('somewhere', 'on reaching step ''1'' of workflow ''waiting'' do ''x'''), ('waiting', 'wait 1 day do ''x''');
SELECT object, finding, severity, hint FROM nurture.lint() WHERE object IN ('workflow "unlisted"', 'workflow "nowhere"', 'workflow "somewhere"');
