-- Poison: input that is as bad as it can be. None of it stops the engine, none of it is lost, and others' actions go on.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SET nurture.enabled = off; -- the clock is simulated
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;

-- Every row that was inserted is somewhere, once.
CREATE TABLE public.poison_inserted (rows bigint);
INSERT INTO public.poison_inserted VALUES (0);
CREATE FUNCTION pg_temp.count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.poison_inserted SET rows = rows + (SELECT count(*) FROM new_rows);
    RETURN NULL;
END $$;
CREATE TRIGGER count_inserted AFTER INSERT ON nurture.inbox REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.count_inserted();
CREATE FUNCTION pg_temp.lost() RETURNS bigint LANGUAGE sql AS $$
SELECT (SELECT sum(rows) FROM public.poison_inserted)
     - (SELECT count(*) FROM nurture.event_log WHERE kind IS DISTINCT FROM '$engine') - (SELECT count(*) FROM nurture.rejected_event)
     - (SELECT count(*) FROM nurture.quarantined_message) - (SELECT duplicates FROM nurture.engine) - (SELECT count(*) FROM nurture.inbox)
$$;

-- Definitions: too many terms, too deep, a cap without measure. What is just allowed works, on little stack too.
INSERT INTO nurture.segment (name, condition) VALUES ('terms', (repeat('a = 1 or ', 10000) || 'a = 1')::nurture.condition);
INSERT INTO nurture.segment (name, condition) VALUES ('depth', (repeat('not (', 501) || 'a = 1' || repeat(')', 501))::nurture.condition);
INSERT INTO nurture.segment (name, condition) VALUES ('flood', repeat('(', 1000000)::nurture.condition);
INSERT INTO nurture.workflow (name, definition) VALUES ('depth', ('on v ' || repeat('if a = 1 then ', 501) || repeat('end ', 501))::nurture.workflow_definition);
SET nurture.max_definition_terms = 5;
INSERT INTO nurture.segment (name, condition) VALUES ('terms', (repeat('a = 1 or ', 5) || 'a = 1')::nurture.condition);
RESET nurture.max_definition_terms;
SET nurture.max_definition_depth = 5;
INSERT INTO nurture.segment (name, condition) VALUES ('depth', (repeat('not (', 5) || 'a = 1' || repeat(')', 5))::nurture.condition);
RESET nurture.max_definition_depth;
INSERT INTO nurture.rule (name, definition) VALUES ('cap', '+1 on v at most 1000000000 per day');
INSERT INTO nurture.rule (name, definition) VALUES ('cap', '+1 on v at most 1000 per day');
SET max_stack_depth = '100kB';
INSERT INTO nurture.segment (name, condition) VALUES
    ('deep', (repeat('not (', 240) || 'deep = 1' || repeat(')', 240))::nurture.condition),
    ('long', (repeat('wide = 2 or ', 4990) || 'wide = 1')::nurture.condition);
RESET max_stack_depth;
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES ('deep', '$identify', '{"deep": 1, "wide": 1}', '2024-01-01', '2024-01-01');
CALL nurture.tick('2024-01-01 00:00:01');
SELECT segment FROM nurture.membership WHERE contact = 'deep' ORDER BY 1;
DELETE FROM nurture.segment;

-- What is defined for the rest. `last` keeps a value, `sum` adds, the workflow carries attributes into an action's payload.
INSERT INTO nurture.rule (name, definition) VALUES ('spends', '+1 per amount on buy half-life 7 days');
INSERT INTO nurture.segment (name, condition) VALUES ('spent', 'sum(amount of buy) >= 100'), ('last', 'last(amount of buy) > 5'),
    ('tagged', 'last(tags of buy) is set'), ('recent', 'sum(amount of buy within 7 days) > 0 and distinct(amount of buy) >= 1');
INSERT INTO nurture.workflow (name, definition) VALUES ('carry', 'on go re-enter always send email ''carry'' as transactional with (bio = bio)');

-- Numbers: beyond every range, without number, and of a hundred thousand digits in a few bytes.
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT 'numbers', 'buy', props::jsonb, '2024-01-02', timestamptz '2024-01-02' + n * interval '1 second'
FROM unnest(ARRAY['{"amount": 1e400}', '{"amount": -1e400}', '{"amount": 1e131071}', '{"amount": "NaN"}', '{"amount": "Infinity"}', '{"amount": "-inf"}',
                  '{"amount": "1e999999999999"}', '{"amount": 9223372036854.775807}', '{"amount": 9223372036854.775808}', '{"amount": 1e-16000}',
                  '{"amount": ""}', '{"amount": "0x10"}', '{"amount": {"a": 1}}', '{"amount": null}', '{"amount": true}', '{"amount": 7}']) WITH ORDINALITY p (props, n);
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT 'digits', 'buy', jsonb_build_object('tags', jsonb_agg(1e131071::numeric), 'amount', 1), '2024-01-02', '2024-01-02' FROM generate_series(1, 1000);
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('digits', '$identify', jsonb_build_object('bio', jsonb_build_array(1e131071::numeric, -1.5e-16000::numeric, 12345678901234567890.5)), '2024-01-02', '2024-01-02 00:01'),
    ('digits', 'go', '{}', '2024-01-02', '2024-01-02 00:02');
CALL nurture.tick('2024-01-02 01:00');
SELECT contact, segment FROM nurture.membership WHERE contact IN ('numbers', 'digits') ORDER BY 1, 2;
SELECT nurture.score('numbers', at => '2024-01-02 00:00:16') BETWEEN 9.2e12 AND 9.3e12 AS scored;
SELECT payload -> 'bio' -> 0 = '1e131071'::jsonb AS large, payload -> 'bio' -> 1 = '-1.5e-16000'::jsonb AS small, payload -> 'bio' -> 2 AS plain
FROM nurture.action WHERE contact = 'digits';
SELECT max(octet_length(nurture._profile_send(state))) < 50000 AS small_states FROM nurture.contact;
SELECT count(*) AS quarantined, pg_temp.lost() AS lost FROM nurture.quarantine;

-- JSON as deep as 32 kB allow, in an event and through attributes into a payload; deeper is too large. Backslashes are themselves.
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT 'json', type, props, '2024-01-03', timestamptz '2024-01-03' + n * interval '1 second'
FROM (VALUES (1, '$identify', (repeat('{"bio":', 2500) || '1' || repeat('}', 2500))::jsonb), (2, 'go', '{}'),
             (3, 'buy', jsonb_build_object('tags', (repeat('[', 4000) || repeat(']', 4000))::jsonb)),
             (4, '$identify', jsonb_build_object('bio', (repeat('[', 4000) || repeat(']', 4000))::jsonb)), (5, 'go', '{}'),
             (6, '$identify', jsonb_build_object('bio', (repeat('[', 5000) || repeat(']', 5000))::jsonb)),
             (7, '$identify', '{"bio": "\\u0000 \\ \" \b\f\n\t \ud83d\ude00 </script>"}'), (8, 'go', '{}'),
             (9, '$identify', '{"": 1, "\\u0000": 2, "a\"b": 3, "bio": {"": {"\\": "\\\\"}}}'), (10, 'go', '{}')) v (n, type, props);
SELECT '{"bio": "\u0000"}'::jsonb;
CALL nurture.tick('2024-01-03 01:00');
SELECT type, reason FROM nurture.rejected_event WHERE contact = 'json';
SELECT length((payload -> 'bio')::text) AS length, CASE WHEN length(payload::text) < 100 THEN payload -> 'bio' END AS bio
FROM nurture.action WHERE contact = 'json' ORDER BY due;
SELECT payload -> 'bio' = l.props -> 'bio' AS same FROM nurture.action a
JOIN nurture.event_log l ON l.contact = a.contact AND l.type = '$identify' AND l.clock = a.due - interval '1 second' WHERE a.contact = 'json' ORDER BY due;
SELECT pg_temp.lost() AS lost, count(*) AS quarantined FROM nurture.quarantine;

-- Keys and times on both sides of what can be kept.
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES
    (repeat('k', 10240), 'v', '2024-01-04', '2024-01-04'), (repeat('k', 10000000), 'v', '2024-01-04', '2024-01-04'),
    ('times', 'v', 'infinity', '2024-01-04'), ('times', 'v', '-infinity', '2024-01-04'), ('times', 'v', '2024-01-04', 'infinity'),
    ('times', 'v', '2024-01-04', '-infinity'), ('times', 'v', '294276-12-31', '2024-01-04'), ('times', 'v', '2024-01-04', '294276-12-31'),
    ('times', 'v', '4713-01-01 BC', '2024-01-04'), ('ancient', 'go', '4713-01-01 BC', '4713-01-01 BC'), ('ancient', 'buy', '4713-01-01 BC', '4713-01-01 BC'),
    ('times', 'v', '0044-03-15 BC', '2024-01-04 00:01');
CALL nurture.tick('2024-01-04 01:00');
SELECT left(contact, 5) AS contact, octet_length(contact) AS bytes, reason FROM nurture.rejected_event WHERE tick = (SELECT max(tick) FROM nurture.rejected_event) ORDER BY id;
SELECT contact, type, at, clock FROM nurture.event_log WHERE contact IN ('times', 'ancient') ORDER BY contact, tick, n;
SELECT contact, due FROM nurture.action WHERE contact = 'ancient';
SELECT pg_temp.lost() AS lost, count(*) AS quarantined FROM nurture.quarantine;

-- Steps that would go round for ever, put out without measure, or remember without measure: that contact only.
INSERT INTO nurture.segment (name, condition) VALUES ('b', 'x = ''b''');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('round', 'on round on entering segment ''b'' re-enter always set x = ''a'' set x = ''b'''),
    ('shout', ('on shout ' || repeat('send email ''shout'' as transactional with (bio = bio) ', 600))::nurture.workflow_definition);
INSERT INTO nurture.inbox (contact, type, props, at, received_at) VALUES
    ('round', 'round', '{}', '2024-01-05', '2024-01-05'), ('shout', '$identify', jsonb_build_object('bio', repeat('b', 30000)), '2024-01-05', '2024-01-05'),
    ('shout', 'shout', '{}', '2024-01-05', '2024-01-05 00:01'), ('good', '$identify', '{"bio": "good"}', '2024-01-05', '2024-01-05'),
    ('good', 'go', '{}', '2024-01-05', '2024-01-05 00:01'), ('quiet', 'shout', '{}', '2024-01-05', '2024-01-05');
CALL nurture.tick('2024-01-05 01:00');
SELECT contact, reason FROM nurture.quarantine ORDER BY 1;
SELECT contact, count(*) AS actions FROM nurture.action WHERE created_at >= '2024-01-05' GROUP BY 1 ORDER BY 1;
SELECT pg_temp.lost() AS lost;
DELETE FROM nurture.workflow WHERE name IN ('round', 'shout');

-- Damaged states. Every byte of a state with everything in it is changed, in turn: the step succeeds or says so; it never raises.
INSERT INTO nurture.workflow (name, definition) VALUES ('slow', 'on go exit on bye re-enter always wait 30 days send email ''slow'' as transactional');
INSERT INTO nurture.inbox (contact, type, props, message_id, at, received_at) VALUES
    ('whole', '$identify', '{"bio": "b", "timezone": "Europe/Rome"}', 'i1', '2024-01-06', '2024-01-06'), ('whole', 'buy', '{"amount": 200, "tags": [1]}', 'i2', '2024-01-06', '2024-01-06'),
    ('whole', 'go', '{}', 'i3', '2024-01-06', '2024-01-06');
CALL nurture.tick('2024-01-06 01:00');
CREATE CAST (bytea AS nurture.profile) WITHOUT FUNCTION;
CREATE CAST (nurture.profile AS bytea) WITHOUT FUNCTION;
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE (r).failure IS NULL) > 100 AS some_go_on, count(*) FILTER (WHERE (r).failure IS NOT NULL) > 100 AS some_fail,
       count(*) FILTER (WHERE (r).failure LIKE 'corrupt data%' OR (r).failure LIKE 'the contact stands%') > 100 AS noticed
FROM (SELECT nurture._step(m.model, 'whole', set_byte(c.state::bytea, at, get_byte(c.state::bytea, at) # flip)::nurture.profile, NULL, '2024-03-01', 99) AS r
      FROM nurture._current_model m, nurture.contact c, LATERAL generate_series(1, octet_length(c.state::bytea) - 1) at, unnest(ARRAY[1, 2, 4, 8, 16, 32, 64, 128]) flip
      WHERE c.contact = 'whole' OFFSET 0) s;
SELECT DISTINCT (nurture._step(m.model, 'whole', substr(c.state::bytea, 1, size)::nurture.profile, NULL, '2024-03-01', 99)).failure IS NOT NULL AS truncation_noticed
FROM nurture._current_model m, nurture.contact c, LATERAL generate_series(1, octet_length(c.state::bytea) - 1) size WHERE c.contact = 'whole';

-- One in the table: set aside by the next tick that touches it, mended and released.
CREATE TABLE public.poison_kept AS SELECT contact, state FROM nurture.contact WHERE contact = 'whole';
UPDATE nurture.contact SET state = '\x01ff'::bytea::nurture.profile WHERE contact = 'whole';
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('whole', 'bye', '2024-01-07', '2024-01-07'), ('good', 'go', '2024-01-07', '2024-01-07');
CALL nurture.tick('2024-01-07 01:00');
SELECT contact, reason FROM nurture.quarantine WHERE contact = 'whole';
SELECT contact, template FROM nurture.action WHERE created_at = '2024-01-07';
UPDATE nurture.contact c SET state = k.state FROM public.poison_kept k WHERE k.contact = c.contact;
SELECT nurture.release('whole');
CALL nurture.tick('2024-01-07 02:00');
SELECT at, kind, name, detail FROM nurture.transition WHERE contact = 'whole' AND name = 'slow' ORDER BY tick, n;
SELECT pg_temp.lost() = 1 AS inserted_once_more, (SELECT count(*) FROM nurture.event_log WHERE contact = 'whole' AND type = 'bye') AS taken;

-- A state that a later version wrote stops the engine instead: with that version it goes on, and nothing is lost.
TRUNCATE public.poison_kept;
INSERT INTO public.poison_kept SELECT contact, state FROM nurture.contact WHERE contact = 'whole';
UPDATE nurture.contact SET state = set_byte(state::bytea, 0, 255)::nurture.profile WHERE contact = 'whole';
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('whole', 'v', '2024-01-08', '2024-01-08'), ('good', 'go', '2024-01-08', '2024-01-08');
SELECT tick FROM nurture.engine \gset
CALL nurture.tick('2024-01-08 01:00');
SELECT tick = :tick AS no_tick, (SELECT count(*) FROM nurture.inbox) AS waiting, (SELECT count(*) FROM nurture.quarantine WHERE contact = 'whole') AS quarantined FROM nurture.engine;
UPDATE nurture.contact c SET state = k.state FROM public.poison_kept k WHERE k.contact = c.contact;
CALL nurture.tick('2024-01-08 01:00');
SELECT contact, type FROM nurture.event_log WHERE clock = '2024-01-08' ORDER BY 1;

-- Released messages are taken in their order, once, also when a backlog is being worked off and later ones wait in it.
UPDATE nurture.contact SET state = '\x01ff'::bytea::nurture.profile WHERE contact = 'whole';
INSERT INTO nurture.inbox (contact, type, props, at, received_at) SELECT 'whole', 'n', jsonb_build_object('n', g), '2024-01-09', timestamptz '2024-01-09' + g * interval '1 second'
FROM generate_series(1, 50) g ORDER BY g % 7, g;
CALL nurture.tick('2024-01-09 01:00');
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT CASE WHEN g % 30 = 0 THEN 'whole' ELSE 'c' || g % 100 END, 'n', jsonb_build_object('n', 50 + g), '2024-01-10', timestamptz '2024-01-10' + g * interval '1 second' FROM generate_series(1, 3000) g;
SET nurture.batch_rows = 100;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT more FROM nurture._tick_batch('2024-01-10 02:00');
COMMIT;
UPDATE nurture.contact c SET state = k.state FROM public.poison_kept k WHERE k.contact = c.contact;
SELECT nurture.release('whole') > 50 AS released;
CALL nurture.tick('2024-01-10 02:00');
RESET nurture.batch_rows;
SELECT count(*) AS taken, count(DISTINCT props ->> 'n') AS once,
       array_agg((props ->> 'n')::int ORDER BY tick, n) = array_agg((props ->> 'n')::int ORDER BY (props ->> 'n')::int) AS in_order,
       bool_and(clock = received_at) AS at_their_time
FROM nurture.event_log WHERE contact = 'whole' AND type = 'n';

-- Rejected events go back corrected, or as they are when what was wrong with them is no more.
SELECT count(*) FROM nurture.rejected_event \gset before_
INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES (NULL, 'v', '2024-01-11', '2024-01-11'), ('retry', 'v', '2024-01-13', '2024-01-13');
CALL nurture.tick('2024-01-11 12:00');
SELECT contact, reason FROM nurture.rejected_event ORDER BY id DESC LIMIT 2;
CALL nurture.tick('2024-01-13 12:00');
SELECT nurture.retry_rejected(ARRAY(SELECT id FROM nurture.rejected_event ORDER BY id DESC LIMIT 2));
CALL nurture.tick('2024-01-13 12:00:01');
SELECT contact, reason FROM nurture.rejected_event ORDER BY id DESC LIMIT 1;
UPDATE nurture.rejected_event SET contact = 'retry' WHERE contact IS NULL AND type = 'v';
SELECT nurture.retry_rejected(ARRAY(SELECT id FROM nurture.rejected_event WHERE contact = 'retry'));
SELECT nurture.retry_rejected(ARRAY[-1, NULL]), nurture.retry_rejected(NULL), nurture.retry_rejected('{}');
CALL nurture.tick('2024-01-13 12:00:02');
SELECT at, received_at, clock FROM nurture.event_log WHERE contact = 'retry' ORDER BY tick, n;
SELECT count(*) - :before_count AS left_over FROM nurture.rejected_event;

DROP CAST (bytea AS nurture.profile);
DROP CAST (nurture.profile AS bytea);
DROP TABLE public.poison_inserted, public.poison_kept;
DROP EXTENSION nurture CASCADE;
CREATE EXTENSION nurture;
