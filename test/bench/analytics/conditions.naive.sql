SELECT ARRAY[count(*) FILTER (WHERE a1),
             count(*) FILTER (WHERE a1 AND a2),
             count(*) FILTER (WHERE a1 AND a3),
             count(*) FILTER (WHERE a1 AND a4),
             count(*) FILTER (WHERE a1 AND a5),
             count(*) FILTER (WHERE a1 AND a6),
             count(*) FILTER (WHERE a1 AND a7),
             count(*) FILTER (WHERE a1 AND a8)]
  FROM (SELECT bool_or(at >= '2026-01-01' AND at < '2026-01-08') AS a1,
               bool_or(at >= '2026-01-08' AND at < '2026-01-15') AS a2,
               bool_or(at >= '2026-01-15' AND at < '2026-01-22') AS a3,
               bool_or(at >= '2026-01-22' AND at < '2026-01-29') AS a4,
               bool_or(at >= '2026-01-29' AND at < '2026-02-05') AS a5,
               bool_or(at >= '2026-02-05' AND at < '2026-02-12') AS a6,
               bool_or(at >= '2026-02-12' AND at < '2026-02-19') AS a7,
               bool_or(at >= '2026-02-19' AND at < '2026-02-26') AS a8
          FROM bench_event GROUP BY contact) x;
