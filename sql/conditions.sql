-- Conditions over attributes, dates and membership, as they are met in SQL: lists and holidays, errors, time by itself.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;

-- Canonical texts.
SELECT form, canonical FROM nurture.validate('city ILIKE ''zü%'' and exactly 3 days before ends');
SELECT form, canonical FROM nurture.validate('on list ''vips''');

-- What is refused says where.
INSERT INTO nurture.segment (name, condition) VALUES ('s', 'on list ''vips''');
INSERT INTO nurture.segment (name, condition) VALUES ('s', 'plan ~ ''a(''');
INSERT INTO nurture.segment (name, condition) VALUES ('s', 'ends is today in time zone ''Europe/Roma''');
INSERT INTO nurture.segment (name, condition) VALUES ('s', 'cuont(visit) > 1');
INSERT INTO nurture.segment (name, condition) VALUES ('s', 'entered segment ''s'' within 1 day');

-- Lists: a change reaches the contact in the same transaction.
INSERT INTO nurture.list (name) VALUES ('vips'), ('spare');
INSERT INTO nurture.segment (name, condition) VALUES
    ('vip', 'on list ''vips'''), ('wanted', '(score_of_old >= 5 or on list ''vips'') and not excluded from list ''vips''');
CALL nurture.tick('2026-03-01 00:00');
INSERT INTO nurture.list_member (list, contact, since) VALUES ('vips', 'anna', '2026-03-02'), ('vips', 'bert', '2026-03-02');
INSERT INTO nurture.list_member (list, contact) VALUES ('nobody knows it', 'anna');
BEGIN;
INSERT INTO nurture.list_member (list, contact, since) VALUES ('vips', 'carl', '2026-03-02');
ROLLBACK;
SELECT contact, type, at, props FROM nurture.inbox ORDER BY contact;
CALL nurture.tick('2026-03-03');
SELECT segment, contact, since FROM nurture.membership ORDER BY 1, 2;
UPDATE nurture.list_member SET included = false WHERE contact = 'anna';
DELETE FROM nurture.list_member WHERE contact = 'bert';
UPDATE nurture.list_member SET since = '2026-03-01' WHERE contact = 'anna'; -- tells nothing new
INSERT INTO nurture.inbox (contact, type, at, received_at, props)
VALUES ('anna', '$identify', '2026-03-03 12:00', '2026-03-03 12:00', '{"score_of_old": 9}'), ('dora', '$identify', '2026-03-03 12:00', '2026-03-03 12:00', '{"score_of_old": 9}');
CALL nurture.tick('2026-03-04');
SELECT segment, contact FROM nurture.membership ORDER BY 1, 2;
UPDATE nurture.list SET name = 'others' WHERE name = 'spare';
DELETE FROM nurture.list WHERE name = 'vips';
DELETE FROM nurture.list WHERE name = 'spare';
TRUNCATE nurture.list_member;
SELECT type, props FROM nurture.inbox;
SELECT * FROM nurture.list_member;

-- Holidays are part of the model: a new one is taken up by the next tick.
INSERT INTO nurture.segment (name, condition) VALUES ('at work', 'now is business day');
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('emil', 'visit', '2026-03-04 12:00', '2026-03-04 12:00'); -- a Wednesday
CALL nurture.tick('2026-03-05 12:00');
INSERT INTO nurture.holiday (day, name) VALUES ('2026-03-09', 'a Monday off');
CALL nurture.tick('2026-03-12');
SELECT at, kind, cause FROM nurture.transition WHERE contact = 'emil' ORDER BY at, n;
INSERT INTO nurture.segment (name, condition) VALUES ('italian', 'now is holiday of ''IT''');

-- Everybody's calendar.
SET nurture.week_start = 'sunday';
SET nurture.week_start = 'someday';
SET nurture.leap_day_in_march = on;
SELECT nurture._calendar_source();
