-- The same segments by plain SQL over the log, contact by contact. Prints one line; fails when a single contact differs.
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
SELECT CASE WHEN EXISTS (SELECT FROM difference) THEN (SELECT 'DIFFERENT from plain SQL: ' || string_agg(concat_ws(' ', segment, contact), ', ') FROM difference)
       ELSE 'plain SQL over the log gives the same ' || (SELECT count(*) FROM expected) || ' memberships' END;
DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM difference), 'the segments differ from plain SQL'; END $$;
