SELECT ARRAY[count(*) FILTER (WHERE depth >= 1), count(*) FILTER (WHERE depth >= 2), count(*) FILTER (WHERE depth >= 3), count(*) FILTER (WHERE depth = 4)]
  FROM (SELECT nurture.funnel(at, interval '7 days', type = 'page_view', type = 'form_submit', type = 'email_click', type = 'purchase') AS depth
          FROM bench_event WHERE type IN ('page_view', 'form_submit', 'email_click', 'purchase') GROUP BY contact) x;
