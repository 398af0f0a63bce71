SELECT nurture.funnel_by(contact, at, '7 days', type = 'page_view', type = 'form_submit', type = 'email_click', type = 'purchase')
  FROM bench_event WHERE type IN ('page_view', 'form_submit', 'email_click', 'purchase');
