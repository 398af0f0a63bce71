SELECT cohort, period, members, active
  FROM nurture.cohort((SELECT nurture.cohort_by(contact, at, '7 days') FROM bench_event))
 WHERE period < 8 AND active > 0 ORDER BY 1, 2;
