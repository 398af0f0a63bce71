#!/bin/sh
# Attribution and decayed sums against the best hand-written SQL: prints what, ours, theirs (seconds, best of three) and
# the ratio. Serial on both sides. Usage: run.sh [contacts]; psql's environment variables say where.
set -eu
contacts=${1:-1000000}
database=nurture_bench_attribution
psql="psql -X -q -v ON_ERROR_STOP=1"
$psql -d postgres -c "DROP DATABASE IF EXISTS $database" -c "CREATE DATABASE $database" 2>/dev/null
trap '$psql -d postgres -c "DROP DATABASE IF EXISTS $database"' EXIT
$psql -d $database -v contacts="$contacts" <<'SQL'
CREATE EXTENSION nurture;
ALTER DATABASE nurture_bench_attribution SET max_parallel_workers_per_gather = 0;
ALTER DATABASE nurture_bench_attribution SET work_mem = '1GB';
ALTER DATABASE nurture_bench_attribution SET jit = off;
SELECT setseed(0.5) \gset
CREATE TABLE touch AS
SELECT contact, timestamptz '2026-01-01' + random() * interval '60 days' AS at,
       (ARRAY['direct', 'email', 'search', 'social', 'display', 'referral', 'affiliate', 'print'])[1 + floor(8 * random() ^ 2)::int] AS channel
FROM generate_series(1, :contacts) contact, generate_series(1, 1 + contact % 7);
CREATE TABLE conversion AS
SELECT contact, (1 + floor(random() * 200))::numeric AS value FROM generate_series(1, :contacts) contact WHERE random() < 0.05;
CREATE TABLE journey AS
SELECT contact, path, (value IS NOT NULL)::int AS conversions, coalesce(value, 0) AS value
FROM (SELECT contact, nurture.path_agg(at, channel) AS path FROM touch GROUP BY contact) p LEFT JOIN conversion USING (contact);
CREATE TABLE visit AS
SELECT (i * 7919::bigint % 100000)::int AS contact, timestamptz '2025-01-01' + random() * interval '365 days' AS at,
       (random() * 10)::float8 AS points, round((random() * 10)::numeric, 2) AS price
FROM generate_series(1, 2 * :contacts) i;
VACUUM ANALYZE;
SQL

# Milliseconds of one statement, best of three.
time_of() {
    for _ in 1 2 3; do
        $psql -d $database -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
    done | sort -n | head -n 1
}
compare() {
    ours=$(time_of "$2")
    theirs=$(time_of "$3")
    awk -v what="$1" -v o="$ours" -v t="$theirs" \
        'BEGIN { printf "%-52s ours %7.2f s  theirs %7.2f s  ratio %.2f\n", what, o / 1000, t / 1000, o / t }'
}

compare "linear attribution from $contacts contacts' touches" \
    "SELECT a.* FROM (SELECT nurture.attribution_agg(path, (value IS NOT NULL)::int, value) AS s
        FROM (SELECT contact, nurture.path_agg(at, channel) AS path FROM touch GROUP BY contact) p
        LEFT JOIN conversion USING (contact)) v, nurture.attribution(s, 'linear') a" \
    "SELECT channel, sum(1.0::float8 / n) AS conversions, sum(value::float8 / n) AS value
        FROM touch JOIN (SELECT contact, value, count(*) AS n FROM touch JOIN conversion USING (contact) GROUP BY contact, value) c
        USING (contact) GROUP BY channel"
compare "the same, of converting contacts only on both sides" \
    "SELECT a.* FROM (SELECT nurture.attribution_agg(path, 1, value) AS s
        FROM (SELECT contact, value, nurture.path_agg(at, channel) AS path
              FROM touch JOIN conversion USING (contact) GROUP BY contact, value) p) v, nurture.attribution(s, 'linear') a" \
    "SELECT channel, sum(1.0::float8 / n) AS conversions, sum(value::float8 / n) AS value
        FROM touch JOIN (SELECT contact, value, count(*) AS n FROM touch JOIN conversion USING (contact) GROUP BY contact, value) c
        USING (contact) GROUP BY channel"
compare "linear and first and last, from touches" \
    "SELECT m, a.* FROM (SELECT nurture.attribution_agg(path, (value IS NOT NULL)::int, value) AS s
        FROM (SELECT contact, nurture.path_agg(at, channel) AS path FROM touch GROUP BY contact) p
        LEFT JOIN conversion USING (contact)) v, unnest('{linear,first,last}'::text[]) m, nurture.attribution(s, m) a" \
    "SELECT channel, sum(1.0::float8 / n), sum(1.0::float8) FILTER (WHERE k = 1), sum(1.0::float8) FILTER (WHERE k = n), sum(value::float8 / n)
        FROM (SELECT channel, value, row_number() OVER (PARTITION BY contact ORDER BY at, channel) AS k,
                     count(*) OVER (PARTITION BY contact) AS n FROM touch JOIN conversion USING (contact)) t GROUP BY channel"
compare "linear attribution over $contacts stored paths" \
    "SELECT a.* FROM (SELECT nurture.attribution_agg(path, conversions, value) AS s FROM journey) v, nurture.attribution(s, 'linear') a" \
    "SELECT channel, sum(1.0::float8 / n) AS conversions, sum(value::float8 / n) AS value
        FROM (SELECT unnest(c) AS channel, cardinality(c) AS n, value
              FROM (SELECT nurture.channels(path) AS c, value FROM journey WHERE conversions > 0) j) t GROUP BY channel"
compare "decayed_sum(double precision), 100,000 groups" \
    "SELECT count(nurture.value(s, '2026-01-01')) FROM (SELECT nurture.decayed_sum(points, at, '14 days') AS s FROM visit GROUP BY contact) v" \
    "SELECT count(s) FROM (SELECT sum(points * power(2::float8, -extract(epoch FROM '2026-01-01' - at)::float8 / 1209600)) AS s FROM visit GROUP BY contact) v"
compare "decayed_sum(numeric), 100,000 groups" \
    "SELECT count(nurture.value(s, '2026-01-01')) FROM (SELECT nurture.decayed_sum(price, at, '14 days') AS s FROM visit GROUP BY contact) v" \
    "SELECT count(s) FROM (SELECT sum(price * power(2::float8, -extract(epoch FROM '2026-01-01' - at)::float8 / 1209600)::numeric) AS s FROM visit GROUP BY contact) v"
compare "decayed_sum(double precision), one group" \
    "SELECT nurture.value(nurture.decayed_sum(points, at, '14 days'), '2026-01-01') FROM visit" \
    "SELECT sum(points * power(2::float8, -extract(epoch FROM '2026-01-01' - at)::float8 / 1209600)) FROM visit"
compare "moving decayed_sum over 100 rows per contact" \
    "SELECT count(s) FROM (SELECT nurture.decayed_sum(points, at, '14 days') OVER (PARTITION BY contact ORDER BY at ROWS 100 PRECEDING) AS s FROM visit) v" \
    "SELECT count(s) FROM (SELECT sum(points * power(2::float8, extract(epoch FROM at - '2026-01-01')::float8 / 1209600)) OVER (PARTITION BY contact ORDER BY at ROWS 100 PRECEDING) AS s FROM visit) v"
