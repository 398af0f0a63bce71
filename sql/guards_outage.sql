-- Engine and senders are out for three days, over the night in which clocks are set forward. When they are back, nobody gets a
-- series: at most one message per contact and day of his calendar, none in his night; the rest expires, and says why.
\i sql/include/simulated_clock.sql
CREATE TABLE taken (contact text, id uuid, at timestamptz, workflow text);
CREATE PROCEDURE pg_temp.send(at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    receipts uuid[];
BEGIN
    CALL pg_temp.tick_and_tend(at);
    FOR turn IN 1..2 LOOP
        WITH claimed AS (SELECT * FROM nurture.claim('email', 7)), noted AS (
            INSERT INTO taken SELECT c.contact, c.id, at, c.workflow FROM claimed c)
        SELECT array_agg(c.receipt) INTO receipts FROM claimed c;
        PERFORM nurture.complete(receipts);
    END LOOP;
    COMMIT;
END $$;

-- Two journeys side by side, a message every five and every seven hours for four days.
INSERT INTO nurture.workflow (name, definition)
SELECT w.name, 'on signup ' || (SELECT string_agg(format('send email ''%s %s'' for offers wait %s hours', w.name, i, w.hours), ' ')
                                FROM generate_series(1, 96 / w.hours) i)
FROM (VALUES ('five', 5), ('seven', 7)) w (name, hours);
INSERT INTO nurture.policy (name, definition) VALUES ('calm', 'for email at most 1 per day quiet from 21:00 to 08:00'),
    ('short', 'expire after 30 hours');
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT z.zone || ' ' || n, t.type, t.props, t.at, t.at
FROM unnest(ARRAY['Europe/Rome', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Auckland']) z (zone), generate_series(1, 5) n,
     LATERAL (VALUES ('$identify', jsonb_build_object('timezone', z.zone), timestamptz '2026-03-26 00:00' + n * interval '97 minutes'),
                     ('signup', '{}', timestamptz '2026-03-26 00:00' + n * interval '97 minutes' + interval '1 second')) t (type, props, at);
-- One day as it should be, then nobody is there.
DO $$
BEGIN
    FOR h IN 0..20 LOOP
        CALL pg_temp.send(timestamptz '2026-03-26 00:00' + h * interval '1 hour');
    END LOOP;
END $$;
SELECT count(*) > 0 AS something_was_sent FROM taken;
-- Back at 22:30 in Rome, on the evening of the day on which the clock was set forward; then every twenty minutes.
DO $$
BEGIN
    FOR turn IN 0..216 LOOP
        CALL pg_temp.send(timestamptz '2026-03-29 20:30' + turn * interval '20 minutes');
    END LOOP;
END $$;

-- By the contacts' own calendars and clocks, counted anew.
CREATE VIEW pg_temp.local AS SELECT t.*, t.at AT TIME ZONE split_part(t.contact, ' ', 1) AS local FROM taken t;
SELECT split_part(contact, ' ', 1) AS zone, local::date AS day, count(*) AS sent, count(DISTINCT contact) AS contacts,
       min(local::time) AS first, max(local::time) AS last
FROM pg_temp.local GROUP BY 1, 2 ORDER BY 1, 2;
SELECT contact, local::date, count(*) FROM pg_temp.local GROUP BY 1, 2 HAVING count(*) > 1;
SELECT * FROM pg_temp.local WHERE local::time >= '21:00' OR local::time < '08:00';
SELECT count(*) AS twice FROM (SELECT id FROM taken GROUP BY id HAVING count(*) > 1) t;
SELECT count(DISTINCT workflow) AS of_both_workflows FROM taken;
SELECT status, reason, count(*) > 0 AS there_are FROM nurture.action GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) AS after_they_had_expired FROM taken t JOIN nurture.action a ON a.id = t.id WHERE t.at >= a.expires;
-- Each message that was made is accounted for, and its contact was told.
SELECT (SELECT count(*) FROM nurture.action) = 20 * (96 / 5 + 96 / 7) AS all_were_made,
       (SELECT count(*) FROM nurture.action WHERE status = 'done') = (SELECT count(*) FROM taken) AS sent_ones,
       (SELECT count(*) FROM nurture.event WHERE type = '$dropped') = (SELECT count(*) FROM nurture.action WHERE status = 'expired') AS told;
DROP TABLE taken CASCADE;
DELETE FROM nurture.policy;
DELETE FROM nurture.workflow;
