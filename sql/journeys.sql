-- Flow control and triggers where the core's own tests do not reach: tables, functions, errors, replay.
\i sql/include/simulated_clock.sql
INSERT INTO nurture.list (name) VALUES ('late payers');
INSERT INTO nurture.rule (name, definition) VALUES ('reads', '+5 on page_view topic interest half-life 7 days');
INSERT INTO nurture.workflow (name, definition) VALUES ('order', $$
  on order re-enter per order_id
  goal within 14 days on payment with same order_id go to paid
  exit on cancelled with same order_id
  experiment 'first reminder' 1 soon wait 2 hours 1 later wait 2 hours end
  send email 'unpaid' for orders with (order = context.order_id)
  repeat at most 2
    wait until monday or thursday at 10:00
    send email 'still unpaid' with (order = context.order_id) on failure abort
  end
  add to list 'late payers'
  add tag 'late'
  increment unpaid
  adjust score(interest) by -5 for 'did not pay'
  label paid
  emit order_closed with (order = context.order_id)
$$), ('vips', 'on joining list ''late payers'' do ''call'''),
     ('control', 'on order holdout 100 percent ''all'' do ''never''');
-- anna pays the second of her orders, bert none.
CALL pg_temp.tell('anna', 'order', '2021-06-01 09:00', '{"order_id": 1, "secret": "x"}');
CALL pg_temp.tell('anna', 'order', '2021-06-01 09:30', '{"order_id": 2}');
CALL pg_temp.tell('anna', 'order', '2021-06-01 09:40', '{"order_id": 2}');
CALL pg_temp.tell('anna', 'payment', '2021-06-01 12:00', '{"order_id": 2}');
CALL pg_temp.tell('anna', 'cancelled', '2021-06-04 12:00', '{"order_id": 1}');
CALL pg_temp.tell('bert', 'order', '2021-06-01 09:00', '{"order_id": 3}');
CALL pg_temp.tick('2021-06-20');
SELECT contact, coalesce(template, channel) AS what, payload, due, journey, step FROM nurture.action ORDER BY contact, due, channel;
SELECT contact, at, kind, name, step, detail - 'arm' AS detail, detail ? 'arm' AS has_arm FROM nurture.transition
WHERE contact = 'anna' AND name IN ('order', 'control') AND kind <> 'journey waits' ORDER BY tick, n;
-- What a workflow wrote is in the log as what it came to; the list has its row, and nobody is told twice.
SELECT contact, kind, type, props, clock FROM nurture.event_log WHERE kind = '$engine' ORDER BY contact, tick, n;
SELECT list, contact, included, since FROM nurture.list_member;
SELECT count(*) AS told FROM nurture.event_log WHERE type = '$list';
SELECT * FROM nurture.verify();
SELECT * FROM nurture.verify(path => true);

-- By hand.
INSERT INTO nurture.workflow (name, definition) VALUES ('drip', 'on join re-enter always wait 1 day send email ''one'' wait 1 day send email ''two''');
CALL pg_temp.tell('c1', 'join', '2021-07-01 09:00');
CALL pg_temp.tell('c2', 'join', '2021-07-01 09:00');
CALL pg_temp.tell('c3', 'join', '2021-07-01 09:00');
CALL pg_temp.tick('2021-07-01 10:00');
CREATE FUNCTION pg_temp.at(moment timestamptz) RETURNS void LANGUAGE sql AS $$
    UPDATE nurture.inbox SET at = moment, received_at = moment WHERE type = '$journey' $$;
SELECT nurture.pause_journeys('drip', contact => 'c1');
SELECT nurture.pause_journeys('drip', step => '4');
SELECT nurture.stop_journeys('drip', contact => 'c3');
SELECT contact, type, props FROM nurture.inbox ORDER BY contact;
SELECT pg_temp.at('2021-07-01 11:00');
CALL pg_temp.tick('2021-07-05');
SELECT contact, template, due FROM nurture.action WHERE workflow = 'drip' ORDER BY contact, due;
SELECT contact, step, wakes_at FROM nurture.journey WHERE workflow = 'drip' ORDER BY contact;
SELECT workflow, step FROM nurture.workflow_hold;
SELECT nurture.resume_journeys(contact => 'c1');
SELECT nurture.resume_journeys('drip', step => '4');
SELECT pg_temp.at('2021-07-05 12:00');
CALL pg_temp.tick('2021-07-08');
SELECT contact, template, due FROM nurture.action WHERE workflow = 'drip' ORDER BY contact, due;
SELECT * FROM nurture.verify(path => true);

-- Versions: who waits at 3 goes on at 5, who waits at 1 leaves.
CALL pg_temp.tell('c4', 'join', '2021-08-01 09:00');
CALL pg_temp.tell('c5', 'join', '2021-08-02 09:00');
CALL pg_temp.tick('2021-08-02 10:00');
UPDATE nurture.workflow SET definition = 'on join wait 1 day send email ''one'' wait 1 hour send email ''new'' wait 3 days send email ''three''' WHERE name = 'drip';
SELECT nurture.migrate_journeys('drip', '{"3": "5"}');
CALL pg_temp.tick('2021-08-02 10:01');
SELECT nurture.migrate_journeys('drip', '{"3": "9"}');
SELECT nurture.migrate_journeys('drip', '{"7": "5"}');
SELECT nurture.migrate_journeys('drip', '{"3": "5", "1": null}');
SELECT pg_temp.at('2021-08-02 11:00');
CALL pg_temp.tick('2021-08-20');
SELECT contact, template, version, due FROM nurture.action WHERE workflow = 'drip' AND contact IN ('c4', 'c5') ORDER BY contact, due;
SELECT contact, at, kind, version, step, detail FROM nurture.transition WHERE contact IN ('c4', 'c5') ORDER BY contact, tick, n;

-- What is refused, and where.
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on a repeat do ''x'' end');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on a re-enter always start workflow ''w''');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on a wait for workflow ''nowhere'' to end');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on joining list ''nobody'' do ''x''');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on schedule ''0 25 * * *'' do ''x''');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on schedule ''0 9 * * *'' in time zone ''Mars/Olympus'' do ''x''');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on a wait until business day of ''mars'' do ''x''');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on a goal on b go to nowhere do ''x''');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on a wait until 25:00 do ''x''');
SELECT nurture.pause_journeys('drip', step => '77');
SELECT nurture.pause_journeys();
SELECT nurture.stop_journeys('nothing');
SELECT valid, message FROM nurture.validate((SELECT 'on a ' || string_agg('do ''x''', ' ') FROM generate_series(1, 10001)), 'workflow');
