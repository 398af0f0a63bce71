-- Registration switches strategies: one step moves a contact from the prospects to the customers in one step; what was
-- planned for the prospect is withdrawn, and the customers' workflow begins. However the messages are cut into ticks.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
SET nurture.enabled = off; -- the clock is simulated

INSERT INTO nurture.segment (name, condition) VALUES
    ('prospect', 'did view and registered is not set'),
    ('customer', 'registered and consent(email, membership)');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('prospects', $$ on entering segment 'prospect' exit when registered
        do 'banner' wait 1 hour send email 'still_looking' for offers wait 1 day send email 'last_call' for offers $$),
    ('customers', $$ on entering segment 'customer' send email 'welcome' for membership wait 7 days send email 'first_week' for membership $$);

-- Registers with one message in the middle of the prospects' workflow: a banner done, a mail ready, another not yet planned.
CREATE TABLE told (place serial, contact text, type text, at timestamptz, props jsonb);
INSERT INTO told (contact, type, at, props) VALUES
    ('finn', 'view', '2026-03-02 09:00', '{}'),
    ('gina', 'view', '2026-03-02 09:00', '{}'),
    ('hugo', 'view', '2026-03-02 09:00', '{}'),
    ('finn', '$consent', '2026-03-02 10:30', '{"channel": "email", "purpose": "membership", "state": "granted"}'),
    ('finn', '$identify', '2026-03-02 10:30', '{"registered": true}'),
    ('gina', '$consent', '2026-03-02 10:30', '{"channel": "email", "purpose": "membership", "state": "denied"}'), -- no prospect any more, but no customer
    ('gina', '$identify', '2026-03-02 10:30', '{"registered": true}'),
    ('hugo', '$consent', '2026-03-02 10:00', '{"channel": "email", "purpose": "membership", "state": "granted"}'),
    ('hugo', '$identify', '2026-03-02 10:00', '{"registered": true}'), -- at the very moment at which the mail is due
    ('ines', '$consent', '2026-03-02 10:30', '{"channel": "email", "purpose": "membership", "state": "granted"}'),
    ('ines', '$identify', '2026-03-02 10:30', '{"registered": true}'), -- was never a prospect
    ('ines', 'view', '2026-03-02 10:40', '{}');
INSERT INTO nurture.inbox (contact, type, at, received_at, props) SELECT contact, type, at, at, props FROM told WHERE at < '2026-03-02 09:30' ORDER BY place;
CALL nurture.tick('2026-03-02 09:30');
SELECT segment, contact FROM nurture.membership ORDER BY 1, 2;
UPDATE nurture.action SET status = 'done' WHERE contact = 'finn' AND channel = 'banner'; -- as a sender does
INSERT INTO nurture.inbox (contact, type, at, received_at, props) SELECT contact, type, at, at, props FROM told WHERE at >= '2026-03-02 09:30' ORDER BY place;
CALL nurture.tick('2026-03-02 11:00');
SELECT contact, n, at::time AS at, kind, name, cause FROM nurture.transition WHERE tick > 1 AND kind <> 'consent changed' ORDER BY contact, tick, n;
-- Leaving, entering, the end of one journey and the start of the other: at one moment, by one message.
SELECT contact, count(*) AS changes, count(DISTINCT (at, cause, cause_tick, cause_n)) AS moments, count(DISTINCT tick) AS ticks
FROM nurture.transition WHERE cause = '$identify' GROUP BY contact ORDER BY contact;
SELECT contact, channel, template, status FROM nurture.action ORDER BY contact, due, channel, template;
SELECT contact, workflow, step, wakes_at FROM nurture.journey ORDER BY contact, workflow;
SELECT contact, template FROM nurture.claim('email') ORDER BY contact, template;
-- Nothing of the prospects' comes later.
CALL nurture.tick('2026-03-20');
SELECT contact, channel, template, due FROM nurture.action WHERE due > '2026-03-02 11:00' ORDER BY contact, due;

-- The same in one batch: the same transitions, journeys and actions.
CREATE TABLE in_two AS SELECT contact, at, kind, name, version, step, cause, detail FROM nurture.transition WHERE at < '2026-03-02 11:00';
CREATE TABLE actions_in_two AS SELECT id, contact, channel, template, due, workflow, step FROM nurture.action;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
INSERT INTO nurture.segment (name, condition) VALUES
    ('prospect', 'did view and registered is not set'),
    ('customer', 'registered and consent(email, membership)');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('prospects', $$ on entering segment 'prospect' exit when registered
        do 'banner' wait 1 hour send email 'still_looking' for offers wait 1 day send email 'last_call' for offers $$),
    ('customers', $$ on entering segment 'customer' send email 'welcome' for membership wait 7 days send email 'first_week' for membership $$);
INSERT INTO nurture.inbox (contact, type, at, received_at, props) SELECT contact, type, at, at, props FROM told ORDER BY place;
CALL nurture.tick('2026-03-02 11:00');
CALL nurture.tick('2026-03-20');
SELECT count(*) AS same, (SELECT count(*) FROM in_two) AS before FROM (
    SELECT contact, at, kind, name, version, step, cause, detail FROM nurture.transition WHERE at < '2026-03-02 11:00'
    INTERSECT ALL SELECT contact, at, kind, name, version, step, cause, detail FROM in_two) s;
SELECT count(*) AS same, (SELECT count(*) FROM actions_in_two) AS before FROM (
    SELECT id, contact, channel, template, due, workflow, step FROM nurture.action INTERSECT ALL TABLE actions_in_two) s;
DROP TABLE told, in_two, actions_in_two;

-- A visitor whom only a cookie names, the alias and the registration, told in one COPY: the cookie's views made a prospect, and
-- whoever it turns out to be is a customer from the moment of the registration.
INSERT INTO nurture.segment (name, condition) VALUES ('looked twice', 'count(view) >= 2');
CALL nurture.tick('2026-03-21');
COPY nurture.inbox (contact, kind, type, props, at, received_at) FROM stdin;
cookie-7	anonymous	view	{}	2026-03-22 09:00	2026-03-22 09:00
cookie-7	anonymous	view	{}	2026-03-22 09:05	2026-03-22 09:05
cookie-7	anonymous	$alias	{"to": "jane"}	2026-03-22 10:30	2026-03-22 10:30
jane	\N	$consent	{"channel": "email", "purpose": "membership", "state": "granted"}	2026-03-22 10:30	2026-03-22 10:30
jane	\N	$identify	{"registered": true}	2026-03-22 10:30	2026-03-22 10:30
jane	\N	view	{}	2026-03-22 10:40	2026-03-22 10:40
\.
CALL nurture.tick('2026-03-22 11:00');
SELECT nurture.contact_of('cookie-7');
SELECT segment, contact, since, cause FROM nurture.membership WHERE contact IN ('cookie-7', 'jane') ORDER BY segment;
SELECT contact, at::time AS at, kind, name, cause FROM nurture.transition WHERE contact IN ('cookie-7', 'jane') AND kind <> 'consent changed' ORDER BY at, contact, tick, n;
SELECT contact, channel, template, status FROM nurture.action WHERE contact IN ('cookie-7', 'jane') ORDER BY due, channel, template;
SELECT contact, workflow, step FROM nurture.journey WHERE contact IN ('cookie-7', 'jane') ORDER BY workflow;
-- Its sessions are hers: one visit from the first view to the second, another after the registration.
SELECT contact, n, events, started::time, ended::time FROM nurture.session WHERE contact IN ('cookie-7', 'jane') ORDER BY contact, n;
SELECT at::time AS at, step, what, why FROM nurture.trace_journey('jane', 'prospects');
SELECT what, entered, active, passed, exited FROM nurture.workflow_report('prospects') WHERE step IN ('', '4');
SELECT bool_and(entered = active + passed + exited) AS all_are_somewhere FROM nurture.workflow_report('prospects') WHERE entered IS NOT NULL;
SELECT count(*) AS differences FROM nurture.verify();
