SELECT nurture.sequence_by('(?1).*(?t<=86400)(?2).*(?t<=86400)(?3)', contact, at, type = 'page_view', type = 'form_submit', type = 'purchase')
  FROM bench_event WHERE type IN ('page_view', 'form_submit', 'purchase');
