-- What happens after fill.sql, in the version that made it and in later ones.
SET nurture.enabled = off;
SET timezone = 'UTC';
SELECT nurture.resume();
BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('2021-01-01 00:02:30'); COMMIT;
INSERT INTO nurture.inbox (contact, type, props, at, received_at)
SELECT 'c' || (hashint4(g) & 15), (ARRAY['v', 'buy', 'go', '$identify'])[1 + (hashint4(g + 1000000) & 3)],
       jsonb_build_object('plan', 'pro', 'path', '/pricing', 'amount', g % 50), t, t
FROM generate_series(1, 40) g CROSS JOIN LATERAL (SELECT timestamptz '2021-01-01 00:02:30' + g * interval '2 seconds') t(t);
BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('2021-01-01 00:03:10'); COMMIT;
SELECT nurture.release('c3');
BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('2021-01-01 00:10:00'); COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('2021-01-03 00:10:00'); COMMIT;
