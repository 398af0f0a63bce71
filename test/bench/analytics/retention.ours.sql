SELECT cohort, period, members, active
  FROM nurture.cohort((SELECT nurture.rollup(c) FROM (SELECT nurture.cohort_agg(at, interval '7 days') AS c FROM bench_event GROUP BY contact) x))
 WHERE period < 8 AND active > 0 ORDER BY 1, 2;
