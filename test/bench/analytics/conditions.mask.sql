-- One aggregate of a mask instead of eight.
SELECT ARRAY[count(*) FILTER (WHERE m & 1 = 1),
             count(*) FILTER (WHERE m & 3 = 3),
             count(*) FILTER (WHERE m & 5 = 5),
             count(*) FILTER (WHERE m & 9 = 9),
             count(*) FILTER (WHERE m & 17 = 17),
             count(*) FILTER (WHERE m & 33 = 33),
             count(*) FILTER (WHERE m & 65 = 65),
             count(*) FILTER (WHERE m & 129 = 129)]
  FROM (SELECT bit_or(CASE WHEN at >= '2026-01-01' AND at < '2026-01-08' THEN 1 ELSE 0 END
               | CASE WHEN at >= '2026-01-08' AND at < '2026-01-15' THEN 2 ELSE 0 END
               | CASE WHEN at >= '2026-01-15' AND at < '2026-01-22' THEN 4 ELSE 0 END
               | CASE WHEN at >= '2026-01-22' AND at < '2026-01-29' THEN 8 ELSE 0 END
               | CASE WHEN at >= '2026-01-29' AND at < '2026-02-05' THEN 16 ELSE 0 END
               | CASE WHEN at >= '2026-02-05' AND at < '2026-02-12' THEN 32 ELSE 0 END
               | CASE WHEN at >= '2026-02-12' AND at < '2026-02-19' THEN 64 ELSE 0 END
               | CASE WHEN at >= '2026-02-19' AND at < '2026-02-26' THEN 128 ELSE 0 END) AS m
          FROM bench_event GROUP BY contact) x;
