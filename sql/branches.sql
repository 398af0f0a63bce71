-- Branches of a journey side by side, as the database shows them; and what steps do about consent, scores and channels.
\i sql/include/simulated_clock.sql
INSERT INTO nurture.workflow (name, definition) VALUES ('hello', $$
  on signup
  exit on stop
  do 'begin'
  parallel
    wait 1 hour
    send email 'a'
  and
    wait for call up to 1 day renewed by view then
      do 'called'
    else
      do 'silent'
    end
    wait 1 hour
  end
  do 'end'
$$), ('race', 'on signup parallel until any ends send email ''slow'' wait 5 days and wait 2 days do ''fast'' end');
SELECT name, definition FROM nurture.workflow ORDER BY name;
CALL pg_temp.tick('2021-05-01 09:00');
CALL pg_temp.tell('anna', 'signup', '2021-05-01 10:00');
CALL pg_temp.tell('bert', 'signup', '2021-05-01 10:00');
CALL pg_temp.tell('carl', 'signup', '2021-05-01 10:00');
CALL pg_temp.tell('anna', 'view', '2021-05-01 20:00');
CALL pg_temp.tell('bert', 'call', '2021-05-01 10:30');
CALL pg_temp.tell('carl', 'stop', '2021-05-01 12:00');
CALL pg_temp.tick('2021-05-01 21:00');
SELECT contact, workflow, step, branch, since, wakes_at FROM nurture.journey ORDER BY contact, workflow, step;
SELECT step, what, entered, active, passed, exited FROM nurture.workflow_report('hello');
CALL pg_temp.tick('2021-05-20');
SELECT contact, coalesce(template, channel) AS what, due, step, status FROM nurture.action WHERE workflow = 'hello' ORDER BY contact, due, step;
SELECT contact, coalesce(template, channel) AS what, due, step FROM nurture.action WHERE workflow = 'race' AND contact = 'anna' ORDER BY due;
SELECT count(*) AS withdrawn FROM nurture.action_cancel c JOIN nurture.action a ON a.id = c.id WHERE a.workflow = 'race' AND c.reason = 'another branch was first';
SELECT at, kind, step, detail FROM nurture.transition WHERE contact = 'bert' AND name = 'hello' ORDER BY tick, n;
SELECT step, what, entered, active, passed, exited, median FROM nurture.workflow_report('hello');
SELECT step, what, why FROM nurture.trace_journey('anna', 'hello');
SELECT nurture.diagram('hello', 'mermaid');
SELECT nurture.diagram('race') LIKE '<svg%' AS drawn;
SELECT what, name, step, detail FROM nurture.simulate('race', NULL, '2022-01-01', '2022-01-20', '[{"at": "2022-01-01", "type": "signup"}]');
SELECT * FROM nurture.verify(path => true);

-- Moved to a new version with their branches; or refused, with the reason.
CALL pg_temp.tell('dora', 'signup', '2021-06-01 10:00');
CALL pg_temp.tick('2021-06-01 10:30');
UPDATE nurture.workflow SET definition = 'on signup do ''begin'' wait 1 day parallel wait 3 hours send email ''a'' and wait 2 hours end do ''end''' WHERE name = 'hello';
CALL pg_temp.tick('2021-06-01 10:31');
SELECT nurture.migrate_journeys('hello');
SELECT nurture.migrate_journeys('hello', '{"2": "1"}', otherwise => 'stay');
SELECT nurture.migrate_journeys('hello', '{"2": "3.branch1.1"}', otherwise => 'stay');
SELECT nurture.migrate_journeys('hello', '{"2": "3", "2.branch1.1": "3.branch1.1", "2.branch2.1": "3.branch2.1"}', otherwise => 'stay');
UPDATE nurture.inbox SET at = '2021-06-01 10:40', received_at = '2021-06-01 10:40';
CALL pg_temp.tick('2021-06-01 11:00');
SELECT contact, version, step, branch, since, wakes_at FROM nurture.journey WHERE workflow = 'hello' ORDER BY step;
CALL pg_temp.tick('2021-06-02');
SELECT coalesce(template, channel) AS what, due, version, step FROM nurture.action WHERE workflow = 'hello' AND contact = 'dora' ORDER BY due, step;

-- A journey takes consent back: what is ready is dropped by the next claim, and the ledger knows who said so.
INSERT INTO nurture.policy (name, definition) VALUES ('consent', 'for email, sms require consent');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('bounces', 'on bounced re-enter always withdraw consent(email, news) for ''three bounces'' set score to 7 for ''cold'''),
    ('news', 'on news re-enter always send first of email, sms, push ''news'' for news preferring wants');
CALL pg_temp.tick('2021-07-01');
CALL pg_temp.tell('emma', '$consent', '2021-07-01 09:00', '{"channel": "email", "state": "granted"}');
CALL pg_temp.tell('emma', 'news', '2021-07-01 10:00');
CALL pg_temp.tell('emma', 'bounced', '2021-07-01 11:00');
CALL pg_temp.tell('emma', 'news', '2021-07-01 12:00');
CALL pg_temp.tell('emma', '$consent', '2021-07-01 13:00', '{"channel": "sms", "state": "granted"}');
CALL pg_temp.tell('emma', 'news', '2021-07-01 14:00');
CALL pg_temp.tell('emma', '$identify', '2021-07-01 15:00', '{"wants": "push"}');
CALL pg_temp.tell('emma', 'news', '2021-07-01 16:00');
CALL pg_temp.tick('2021-07-02');
SELECT channel, template, due FROM nurture.action WHERE contact = 'emma' ORDER BY due;
SELECT channel, purpose, status, source FROM nurture.consent WHERE contact = 'emma' ORDER BY channel, purpose;
SELECT channel, purpose, reason, transactional, source FROM nurture.suppression WHERE contact = 'emma';
SELECT score FROM nurture.lead WHERE contact = 'emma';
SELECT rule, contribution FROM nurture.explain('emma');

-- What is refused, and where.
SELECT message, "column", hint FROM nurture.validate('on a parallel do ''x'' end');
SELECT message, "column", hint FROM nurture.validate('on a parallel do ''x'' and do ''y''');
SELECT message, "column", hint FROM nurture.validate('on a goal on b go to l parallel do ''x'' and label l do ''y'' end');
SELECT message, "column", hint FROM nurture.validate('on a parallel until both end do ''x'' and do ''y'' end');
SELECT message, "column", hint FROM nurture.validate('on a experiment again ''e'' 1 a 1 b end');
SELECT message, "column", hint FROM nurture.validate('on a send first of email ''x''');
SELECT message, "column", hint FROM nurture.validate('on a set score(pricing) to 5');
SELECT message, "column", hint FROM nurture.validate('on schedule ''0 9 * * mon'' at most 5 times do ''x''');
SELECT message, "column", hint FROM nurture.validate('on a wait for b up to 1 day renewed c');
