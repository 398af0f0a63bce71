-- The same segments by plain SQL over the log, contact by contact. Prints what it found; fails when a single contact differs.
-- A sum over a window is kept as the newest 1,000 events in it: whoever has more in 90 days may be wrong, and is named.
SET client_min_messages = warning;
CREATE TEMPORARY TABLE expected AS
WITH purchase AS (
    SELECT contact, at, (props ->> 'amount')::numeric AS amount, :now::timestamptz AS now
    FROM nurture.event_log WHERE type = 'purchase'
), customer AS (
    SELECT contact, coalesce(sum(amount) FILTER (WHERE now - at < interval '90 days'), 0) AS lately, sum(amount) AS total,
           count(*) FILTER (WHERE amount < 0 AND now - at < interval '180 days') AS returns,
           bool_or(amount > 0) AS bought, coalesce(bool_or(amount > 0 AND now - at < interval '90 days'), false) AS bought_lately
    FROM purchase GROUP BY contact
)
SELECT contact, segment FROM customer CROSS JOIN LATERAL (VALUES
    ('customer', bought), ('big spender', lately >= 5000), ('lapsed', bought AND NOT bought_lately),
    ('sends much back', returns >= 10), ('dear and lost', bought AND NOT bought_lately AND total >= 5000)) s(segment, inside)
WHERE inside;

CREATE TEMPORARY TABLE difference AS
SELECT coalesce(e.segment, m.segment) AS segment, coalesce(e.contact, m.contact) AS contact, e.contact IS NULL AS too_many
FROM expected e FULL JOIN (SELECT * FROM nurture.membership WHERE segment <> 'regular') m USING (segment, contact)
WHERE e.contact IS NULL OR m.contact IS NULL;
SELECT format('beyond what a window keeps: %s has more than 1,000 purchases in 90 days and is wrongly %s "%s"', d.contact,
              CASE WHEN d.too_many THEN 'in' ELSE 'not in' END, d.segment)
FROM difference d WHERE segment = 'big spender' AND (
    SELECT count(*) FROM nurture.event_log l
    WHERE l.contact = d.contact AND l.type = 'purchase' AND :now::timestamptz - l.at < interval '90 days') > 1000;
DELETE FROM difference d WHERE segment = 'big spender' AND (
    SELECT count(*) FROM nurture.event_log l
    WHERE l.contact = d.contact AND l.type = 'purchase' AND :now::timestamptz - l.at < interval '90 days') > 1000;
SELECT coalesce((SELECT 'DIFFERENT from plain SQL: ' || string_agg(concat_ws(' ', segment, contact), ', ') FROM difference HAVING count(*) > 0),
    'plain SQL over the log gives the same memberships: ' || (SELECT count(*) FROM expected));
DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM difference), 'the segments differ from plain SQL'; END $$;
