-- One sort, then for each step the latest beginning of a chain that got there (the same idea as the aggregate's). The
-- joins one would write first are slower by an order of magnitude.
SELECT ARRAY[count(*) FILTER (WHERE depth >= 1), count(*) FILTER (WHERE depth >= 2), count(*) FILTER (WHERE depth >= 3), count(*) FILTER (WHERE depth = 4)]
  FROM (SELECT max(CASE WHEN type = 'purchase' AND at <= b3 + interval '7 days' THEN 4
                        WHEN b3 IS NOT NULL THEN 3 WHEN b2 IS NOT NULL THEN 2 WHEN b1 IS NOT NULL THEN 1 ELSE 0 END) AS depth
          FROM (SELECT contact, at, type, b1, b2,
                       max(CASE WHEN type = 'email_click' AND at <= b2 + interval '7 days' THEN b2 END) OVER w AS b3
                  FROM (SELECT contact, at, type, b1,
                               max(CASE WHEN type = 'form_submit' AND at <= b1 + interval '7 days' THEN b1 END) OVER w AS b2
                          FROM (SELECT contact, at, type, max(CASE WHEN type = 'page_view' THEN at END) OVER w AS b1
                                  FROM bench_event WHERE type IN ('page_view', 'form_submit', 'email_click', 'purchase')
                                WINDOW w AS (PARTITION BY contact ORDER BY at)) s1
                        WINDOW w AS (PARTITION BY contact ORDER BY at)) s2
                WINDOW w AS (PARTITION BY contact ORDER BY at)) s3
         GROUP BY contact) x;
