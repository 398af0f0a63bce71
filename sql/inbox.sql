-- The inbox: what is malformed, how it is set aside and retried, who may write.
SET timezone = 'UTC';
SET client_min_messages = warning;

-- Well-formed rows and malformed ones, on both sides of each limit. `now` is 2026-06-15 12:00.
CREATE TEMP TABLE message AS
SELECT *, row_number() OVER () AS line FROM (VALUES
    ('plain',                  'anna', 'page_view', timestamptz '2026-06-15 12:00', jsonb '{"path": "/"}', 'm1', NULL, timestamptz '2026-06-15 12:00'),
    ('all defaults NULL',      'anna', 'page_view', NULL, NULL, NULL, NULL, '2026-06-15 12:00'),
    ('contact NULL',           NULL, 'page_view', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('contact empty',          '', 'page_view', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('contact 512',            repeat('x', 512), 'page_view', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('contact 513',            repeat('x', 513), 'page_view', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('contact control chars',  E'a\n\t\x01', E'b\r', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('type NULL',              'anna', NULL, NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('type empty',             'anna', '', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('type 512',               'anna', repeat('x', 512), NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('type 513',               'anna', repeat('x', 513), NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('$identify, no keys',     'anna', '$identify', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('$alias',                 'anna', '$alias', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('$consent',               'anna', '$consent', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('$sent',                  'anna', '$sent', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('$failed',                'anna', '$failed', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('$dropped',               'anna', '$dropped', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('$list',                  'anna', '$list', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('$adjust',                'anna', '$adjust', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('$ alone',                'anna', '$', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('$Identify',              'anna', '$Identify', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('$sent with a blank',     'anna', '$sent ', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('$ inside',               'anna', 'us$', NULL, '{}', NULL, NULL, '2026-06-15 12:00'),
    ('received NULL',          'anna', 'page_view', NULL, '{}', NULL, NULL, NULL),
    ('received infinite',      'anna', 'page_view', NULL, '{}', NULL, NULL, 'infinity'),
    ('received -infinite',     'anna', 'page_view', NULL, '{}', NULL, NULL, '-infinity'),
    ('received in a day',      'anna', 'page_view', NULL, '{}', NULL, NULL, '2026-06-16 12:00'),
    ('received in a day + 1',  'anna', 'page_view', NULL, '{}', NULL, NULL, '2026-06-16 12:00:00.000001'),
    ('received long ago',      'anna', 'page_view', NULL, '{}', NULL, NULL, '4713-01-01 BC'),
    ('at infinite',            'anna', 'page_view', 'infinity', '{}', NULL, NULL, '2026-06-15 12:00'),
    ('at -infinite',           'anna', 'page_view', '-infinity', '{}', NULL, NULL, '2026-06-15 12:00'),
    ('at 10 minutes ahead',    'anna', 'page_view', '2026-06-15 12:10', '{}', NULL, NULL, '2026-06-15 12:00'),
    ('at 10 minutes + 1',      'anna', 'page_view', '2026-06-15 12:10:00.000001', '{}', NULL, NULL, '2026-06-15 12:00'),
    ('at ahead, both past',    'anna', 'page_view', '2020-01-01 12:11', '{}', NULL, NULL, '2020-01-01 12:00'),
    ('at ahead of all time',   'anna', 'page_view', '294276-12-31', '{}', NULL, NULL, '4713-01-01 BC'),
    ('at the first moment',    'anna', 'page_view', '4713-01-01 BC', '{}', NULL, NULL, '2026-06-15 12:00'),
    ('props array',            'anna', 'page_view', NULL, '[]', NULL, NULL, '2026-06-15 12:00'),
    ('props null',             'anna', 'page_view', NULL, 'null', NULL, NULL, '2026-06-15 12:00'),
    ('props scalar',           'anna', 'page_view', NULL, '"x"', NULL, NULL, '2026-06-15 12:00'),
    -- an object of one key of one character takes 4 (count) + 8 (two entries) + 1 bytes beside the value
    ('props 32 kB',            'anna', 'page_view', NULL, jsonb_build_object('k', repeat('v', 32768 - 13)), NULL, NULL, '2026-06-15 12:00'),
    ('props 32 kB + 1',        'anna', 'page_view', NULL, jsonb_build_object('k', repeat('v', 32769 - 13)), NULL, NULL, '2026-06-15 12:00'),
    ('message_id empty',       'anna', 'page_view', NULL, '{}', '', NULL, '2026-06-15 12:00'),
    ('message_id 512',         'anna', 'page_view', NULL, '{}', repeat('m', 512), NULL, '2026-06-15 12:00'),
    ('message_id 513',         'anna', 'page_view', NULL, '{}', repeat('m', 513), NULL, '2026-06-15 12:00'),
    ('message_id 514, 2-byte', 'anna', 'page_view', NULL, '{}', repeat('ü', 257), NULL, '2026-06-15 12:00'),
    ('kind 512',               'anna', 'page_view', NULL, '{}', NULL, repeat('k', 512), '2026-06-15 12:00'),
    ('kind 513',               'anna', 'page_view', NULL, '{}', NULL, repeat('k', 513), '2026-06-15 12:00')
) AS m (title, contact, type, at, props, message_id, kind, received_at);

SELECT title, nurture._malformed(contact, type, at, props, message_id, kind, received_at, '2026-06-15 12:00') AS reason
FROM message ORDER BY line;

-- It is inlined into the statement that calls it, with a parameter as `now` too.
CREATE FUNCTION pg_temp.mentions(pattern text, query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    line text;
    hits bigint := 0;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
        hits := hits + (line LIKE '%' || pattern || '%')::int;
    END LOOP;
    RETURN hits;
END $$;
PREPARE malformed(timestamptz) AS
    SELECT count(*) FROM nurture.inbox i
    WHERE nurture._malformed(contact, type, at, props, message_id, kind, received_at, $1) IS NOT NULL;
SET plan_cache_mode = force_generic_plan;
SELECT pg_temp.mentions('_malformed', 'EXECUTE malformed(now())') AS calls,
       pg_temp.mentions('octet_length', 'EXECUTE malformed(now())') > 0 AS inlined;
RESET plan_cache_mode;

-- The size is that before compression, whether the value is in memory, compressed in the row, or moved out of it.
CREATE TEMP TABLE document (title text, props jsonb);
INSERT INTO document VALUES
    ('empty', '{}'),
    ('repetitive', jsonb_build_object('k', repeat('v', 100000))),
    ('random', (SELECT jsonb_object_agg(md5(i::text), md5((-i)::text)) FROM generate_series(1, 1000) i));
SELECT title, nurture._jsonb_size(props), nurture._jsonb_size(props) + 4 = pg_column_size(props || '{}') AS as_in_memory,
       pg_column_size(props) < nurture._jsonb_size(props) / 10 AS compressed
FROM document ORDER BY title;
SELECT nurture._jsonb_size(NULL) IS NULL AS strict;

-- Anything can be inserted: rows are judged by the tick.
BEGIN;
INSERT INTO nurture.inbox (contact, type) VALUES ('anna', 'page_view');
INSERT INTO nurture.inbox (contact, type, at, props, message_id, kind, received_at)
    SELECT contact, type, at, props, message_id, kind, received_at FROM message;
COPY nurture.inbox (contact, type, props) FROM stdin;
ben	login	{"device": "phone"}
\N	\N	\N
\.
SELECT count(*) = (SELECT count(*) FROM message) + 3 AS all_in,
       count(*) FILTER (WHERE at = now() AND received_at BETWEEN now() AND clock_timestamp() AND type IN ('page_view', 'login')) AS defaulted
FROM nurture.inbox;
ROLLBACK;

-- Retrying: back to where they came from, in one statement, received_at kept unless it was the fault.
BEGIN;
TRUNCATE nurture.rejected_event, nurture.inbox, nurture.history;
ALTER SEQUENCE nurture.rejected_event_id_seq RESTART;
INSERT INTO nurture.rejected_event (contact, type, at, props, message_id, kind, received_at, source, reason, tick) VALUES
    ('anna', 'a', '2020-01-01', '{"k": 1}', 'm1', 'email', '2020-01-02', 'inbox', 'made up', 7),
    ('anna', 'b', NULL, '{}', NULL, NULL, NULL, 'inbox', 'received_at is missing', 7),
    ('anna', 'c', NULL, '{}', NULL, NULL, 'infinity', 'inbox', 'received_at is infinite', 7),
    ('anna', 'd', NULL, '{}', NULL, NULL, now() + interval '2 days', 'inbox', 'received_at is more than a day ahead', 7),
    ('anna', 'e', NULL, '{}', NULL, NULL, now() + interval '1 hour', 'inbox', 'made up', 7),
    ('anna', 'f', '2019-01-01', '{}', 'm6', NULL, '2019-01-02', 'history', 'made up', 8),
    ('anna', 'g', NULL, '[]', NULL, NULL, '2020-01-02', 'inbox', 'props is not an object', 8);
SELECT nurture.retry_rejected('{1,2,3,4,5,6,6,99}') AS retried;
SELECT contact, type, at, props, message_id, kind,
       CASE WHEN received_at BETWEEN now() AND clock_timestamp() THEN 'now'
            WHEN received_at = now() + interval '1 hour' THEN 'in an hour'
            ELSE received_at::text END AS received
FROM nurture.inbox ORDER BY ctid;
SELECT contact, type, at, props, message_id, kind, received_at FROM nurture.history;
SELECT id, type, reason FROM nurture.rejected_event;
-- corrected, then retried
UPDATE nurture.rejected_event SET props = '{}' WHERE id = 7;
SELECT nurture.retry_rejected('{7}') AS retried;
SELECT count(*) AS still_malformed FROM nurture.inbox
WHERE nurture._malformed(contact, type, at, props, message_id, kind, received_at, clock_timestamp()) IS NOT NULL;
SELECT nurture.retry_rejected('{7}') AS again, nurture.retry_rejected('{}') AS none, nurture.retry_rejected(NULL) AS nulls;
ROLLBACK;

-- A producer may write and do nothing else; nobody may do anything unasked.
CREATE ROLE regress_producer;
CREATE ROLE regress_nobody;
GRANT INSERT ON nurture.inbox TO regress_producer;
BEGIN;
SET LOCAL ROLE regress_producer;
INSERT INTO nurture.inbox (contact, type, props) VALUES ('carl', 'login', '{}');
COPY nurture.inbox (contact, type) FROM stdin;
carl	logout
\.
RESET ROLE;
SELECT contact, type FROM nurture.inbox WHERE contact = 'carl' ORDER BY ctid;
ROLLBACK;
SET ROLE regress_producer;
SELECT * FROM nurture.inbox;
DELETE FROM nurture.inbox;
INSERT INTO nurture.inbox (contact, type) VALUES ('carl', 'login') RETURNING *;
INSERT INTO nurture.history (contact, type) VALUES ('carl', 'login');
SELECT nurture.retry_rejected('{1}');
SET ROLE regress_nobody;
INSERT INTO nurture.inbox (contact, type) VALUES ('carl', 'login');
SELECT * FROM nurture.rejected_event;
RESET ROLE;
REVOKE ALL ON nurture.inbox FROM regress_producer;
DROP ROLE regress_producer, regress_nobody;

-- pg_dump carries the rows.
SELECT c.relname FROM pg_extension e, unnest(e.extconfig) t(oid) JOIN pg_class c USING (oid)
WHERE e.extname = 'nurture' AND c.relname IN ('_inbox_restored', 'history', 'rejected_event', 'rejected_event_id_seq') ORDER BY 1;
