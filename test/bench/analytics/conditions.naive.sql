SELECT r, count(*)
  FROM (SELECT ARRAY[a1, a1 AND a2, a1 AND a3, a1 AND a4, a1 AND a5, a1 AND a6, a1 AND a7, a1 AND a8] AS r
          FROM (SELECT bool_or(at >= '2026-01-01' AND at < '2026-01-08') AS a1,
                       bool_or(at >= '2026-01-08' AND at < '2026-01-15') AS a2,
                       bool_or(at >= '2026-01-15' AND at < '2026-01-22') AS a3,
                       bool_or(at >= '2026-01-22' AND at < '2026-01-29') AS a4,
                       bool_or(at >= '2026-01-29' AND at < '2026-02-05') AS a5,
                       bool_or(at >= '2026-02-05' AND at < '2026-02-12') AS a6,
                       bool_or(at >= '2026-02-12' AND at < '2026-02-19') AS a7,
                       bool_or(at >= '2026-02-19' AND at < '2026-02-26') AS a8
                  FROM bench_event GROUP BY contact) a) x
 GROUP BY r ORDER BY r;
