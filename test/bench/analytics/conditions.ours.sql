SELECT ARRAY[count(*) FILTER (WHERE r[1]),
             count(*) FILTER (WHERE r[2]),
             count(*) FILTER (WHERE r[3]),
             count(*) FILTER (WHERE r[4]),
             count(*) FILTER (WHERE r[5]),
             count(*) FILTER (WHERE r[6]),
             count(*) FILTER (WHERE r[7]),
             count(*) FILTER (WHERE r[8])]
  FROM (SELECT nurture.retention(at >= '2026-01-01' AND at < '2026-01-08',
               at >= '2026-01-08' AND at < '2026-01-15',
               at >= '2026-01-15' AND at < '2026-01-22',
               at >= '2026-01-22' AND at < '2026-01-29',
               at >= '2026-01-29' AND at < '2026-02-05',
               at >= '2026-02-05' AND at < '2026-02-12',
               at >= '2026-02-12' AND at < '2026-02-19',
               at >= '2026-02-19' AND at < '2026-02-26') AS r
          FROM bench_event GROUP BY contact) x;
