-- One row per contact and week, the first week beside it, counted; the members are those of week 0.
SELECT cohort, period, max(active) FILTER (WHERE period = 0) OVER (PARTITION BY cohort) AS members, active
  FROM (SELECT cohort, (extract(epoch FROM week - cohort) / 604800)::int AS period, count(*) AS active
          FROM (SELECT contact, week, min(week) OVER (PARTITION BY contact) AS cohort
                  FROM (SELECT contact, date_bin('7 days', at, '2000-01-03 00:00+00')::timestamp AS week
                          FROM bench_event GROUP BY 1, 2) a) b
         GROUP BY 1, 2) c
 WHERE period < 8 ORDER BY 1, 2;
