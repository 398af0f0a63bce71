SELECT count(*) FILTER (WHERE m)
  FROM (SELECT nurture.sequence_match('(?1).*(?t<=86400)(?2).*(?t<=86400)(?3)', at, type = 'page_view', type = 'form_submit', type = 'purchase') AS m
          FROM bench_event WHERE type IN ('page_view', 'form_submit', 'purchase') GROUP BY contact) x;
