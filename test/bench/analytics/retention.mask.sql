-- For at most 64 weeks whose beginning is known: a mask of weeks per contact, one group each.
SELECT date '2025-12-29' + first * 7 + time '00:00' AS cohort, period, members, active
  FROM (SELECT first, period, max(count(*)) OVER (PARTITION BY first) AS members, count(*) AS active
          FROM (SELECT first, generate_series(0, 7) AS period, mask
                  FROM (SELECT min((at::date - date '2025-12-29') / 7) AS first, bit_or(1::bigint << (at::date - date '2025-12-29') / 7) AS mask
                          FROM bench_event GROUP BY contact) a) b
         WHERE mask >> (first + period) & 1 = 1
         GROUP BY 1, 2) c
 ORDER BY 1, 2;
