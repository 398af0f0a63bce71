SELECT count(*) FILTER (WHERE m)
  FROM (SELECT bool_or(type = 'purchase' AND at <= r2 + interval '1 day') AS m
          FROM (SELECT contact, at, type, max(CASE WHEN type = 'form_submit' AND at <= r1 + interval '1 day' THEN at END) OVER w AS r2
                  FROM (SELECT contact, at, type, max(CASE WHEN type = 'page_view' THEN at END) OVER w AS r1
                          FROM bench_event WHERE type IN ('page_view', 'form_submit', 'purchase')
                        WINDOW w AS (PARTITION BY contact ORDER BY at)) s1
                WINDOW w AS (PARTITION BY contact ORDER BY at)) s2
         GROUP BY contact) x;
