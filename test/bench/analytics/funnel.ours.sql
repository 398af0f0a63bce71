SELECT depth, count(*)
  FROM (SELECT nurture.funnel(at, interval '7 days', type = 'page_view', type = 'form_submit', type = 'email_click', type = 'purchase') AS depth
          FROM bench_event WHERE type IN ('page_view', 'form_submit', 'email_click', 'purchase') GROUP BY contact) x
 GROUP BY depth ORDER BY depth;
