#!/bin/sh
# Attribution and decayed sums against the best hand-written SQL, checked to give the same numbers where there is one
# answer: prints what, ours, by hand (seconds, best of REPEAT) and the ratio, above 1 where ours is faster. Serial on both
# sides. Touches are in order of time, as a log of them is. By hand is the fastest of what was tried: rules by window functions
# (a join with counts per contact takes half as long again), the last touch by an ordered aggregate (DISTINCT ON: twice as long).
# Usage: run.sh [contacts]; psql's environment variables say where. MEASURE=cpu: processor time.
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
FROM generate_series(1, :contacts) contact, generate_series(1, 1 + contact % 7) ORDER BY 2;
CREATE TABLE purchase AS
SELECT contact, timestamptz '2026-03-15' AS at, (1 + floor(random() * 200))::numeric AS value FROM generate_series(1, :contacts) contact;
CREATE TABLE conversion AS
SELECT contact, timestamptz '2026-03-15' AS at, (1 + floor(random() * 200))::numeric AS value FROM generate_series(1, :contacts) contact WHERE random() < 0.05;
CREATE TABLE journey AS
SELECT contact, path, nurture.channels(path) AS channels, 1 AS conversions, value
FROM (SELECT contact, nurture.path_agg(at, channel) AS path FROM touch GROUP BY contact) p JOIN purchase USING (contact);
CREATE TABLE visit AS
SELECT (i * 7919::bigint % 100000)::int AS contact, timestamptz '2025-01-01' + random() * interval '365 days' AS at,
       (random() * 10)::float8 AS points, round((random() * 10)::numeric, 2) AS price
FROM generate_series(1, 2 * :contacts) i;
VACUUM ANALYZE;
SQL

# Milliseconds of one statement, best of REPEAT (2): elapsed, or the backend's processor time with MEASURE=cpu.
time_of() {
    for _ in $(seq "${REPEAT:-2}"); do
        if [ "${MEASURE:-time}" = cpu ]; then
            $psql -A -t -d $database <<SQL
SELECT sum(t::int) * 10 AS before FROM unnest((string_to_array(pg_read_file('/proc/self/stat'), ' '))[14:15]) t \gset
\o /dev/null
$1;
\o
SELECT sum(t::int) * 10 - :before FROM unnest((string_to_array(pg_read_file('/proc/self/stat'), ' '))[14:15]) t;
SQL
        else
            $psql -d $database -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
        fi
    done | sort -n | head -n 1
}
answer() { $psql -A -t -d $database -c "$1" | md5sum; }
compare() {
    [ "${4:-}" != same ] || [ "$(answer "$2")" = "$(answer "$3")" ] || { echo "$1: the results differ" >&2; exit 1; }
    ours=$(time_of "$2")
    theirs=$(time_of "$3")
    awk -v what="$1" -v o="$ours" -v t="$theirs" \
        'BEGIN { printf "%-58s ours %7.2f s  by hand %7.2f s  ratio %.2f\n", what, o / 1000, t / 1000, t / o }'
}
markov_by="SELECT a.channel, round(a.conversions, 3), round(a.removal_effect::numeric, 6)
    FROM (SELECT nurture.attribution_by(contact, at, channel, conversions, value) AS s
        FROM (SELECT contact, at, channel, 0::bigint AS conversions, NULL::numeric AS value FROM touch
              UNION ALL SELECT contact, at, NULL, 1, value FROM conversion) e) v, nurture.attribution(s, 'markov') a ORDER BY 1"
markov_agg="SELECT a.channel, round(a.conversions, 3), round(a.removal_effect::numeric, 6)
    FROM (SELECT nurture.attribution_agg(path, (value IS NOT NULL)::int, value) AS s
        FROM (SELECT contact, nurture.path_agg(at, channel) AS path FROM touch GROUP BY contact) p
        LEFT JOIN conversion USING (contact)) v, nurture.attribution(s, 'markov') a ORDER BY 1"
# Transitions counted by window functions; then, for each channel taken away, 200 steps of h = R + Q h.
markov_hand="WITH RECURSIVE step AS (
    SELECT contact, channel, lag(channel) OVER w AS before, lead(channel) OVER w IS NULL AS last
    FROM touch WINDOW w AS (PARTITION BY contact ORDER BY at, channel)
), counted AS MATERIALIZED (
    SELECT before, channel, last, c.contact IS NOT NULL AS converted, count(*) AS n
    FROM step s LEFT JOIN conversion c ON s.last AND c.contact = s.contact GROUP BY 1, 2, 3, 4
), edge AS (
    SELECT coalesce(before, '(start)') AS a, channel AS b, sum(n) AS n FROM counted GROUP BY 1, 2
    UNION ALL SELECT channel, '(conversion)', sum(n) FROM counted WHERE last AND converted GROUP BY 1
    UNION ALL SELECT channel, '(null)', sum(n) FROM counted WHERE last AND NOT converted GROUP BY 1
), chance AS MATERIALIZED (
    SELECT a, b, (n / sum(n) OVER (PARTITION BY a))::float8 AS p FROM edge
), state AS MATERIALIZED (
    SELECT a, row_number() OVER (ORDER BY a) AS i FROM (SELECT DISTINCT a FROM chance) d
), cell AS MATERIALIZED (
    SELECT s.i AS row, t.i AS col, coalesce(c.p, 0) AS p, coalesce((SELECT p FROM chance WHERE a = s.a AND b = '(conversion)'), 0) AS r
    FROM state s CROSS JOIN state t LEFT JOIN chance c ON c.a = s.a AND c.b = t.a
), flat AS MATERIALIZED (
    SELECT array_agg(p ORDER BY row, col) AS q, (SELECT array_agg(r ORDER BY row) FROM (SELECT DISTINCT row, r FROM cell) d) AS r,
           (SELECT count(*) FROM state)::int AS n, (SELECT i FROM state WHERE a = '(start)')::int AS start
    FROM cell
), iterate AS (
    SELECT removed::int, 0 AS k, array_fill(0::float8, ARRAY[n]) AS h FROM flat, generate_series(0, n) removed
    UNION ALL
    SELECT removed, k + 1, (SELECT array_agg(CASE WHEN x = removed THEN 0
            ELSE r[x] + (SELECT sum(q[(x - 1) * n + y] * h[y]) FROM generate_series(1, n) y) END ORDER BY x) FROM generate_series(1, n) x)
    FROM iterate, flat WHERE k < 200
), effect AS (
    SELECT s.a, 1 - i.h[start] / (SELECT h[start] FROM iterate WHERE k = 200 AND removed = 0) AS removal
    FROM iterate i, flat, state s WHERE k = 200 AND s.i = i.removed AND s.i <> start
)
SELECT a, round(((SELECT count(*) FROM conversion) * removal / sum(removal) OVER ())::numeric, 3), round(removal::numeric, 6) FROM effect ORDER BY 1"
compare "Markov, all $contacts contacts, attribution_by" "$markov_by" "$markov_hand" same
compare "Markov, all $contacts contacts, path_agg and attribution_agg" "$markov_agg" "$markov_hand" same
# Rules: where all contacts convert, and where one in twenty does. Touches of the others are of no use to a rule.
ours_by() { # table of conversions, touches, what to select
    echo "SELECT $3 FROM (SELECT nurture.attribution_by(contact, at, channel, n, value) AS s
        FROM (SELECT contact, t.at, channel, 0::bigint AS n, NULL::numeric AS value FROM $2
              UNION ALL SELECT contact, at, NULL, 1, value FROM $1) e) v"
}
linear=", nurture.attribution(s, 'linear') a ORDER BY 1"
credits="a.channel, round(a.conversions, 3), round(a.value, 3)"
linear_window() {
    echo "SELECT channel, round(sum(1.0::float8 / n)::numeric, 3) AS conversions, round(sum(value::float8 / n)::numeric, 3) AS value
    FROM (SELECT channel, value, count(*) OVER (PARTITION BY contact) AS n FROM touch JOIN $1 USING (contact)) t GROUP BY channel ORDER BY 1"
}
linear_agg() {
    echo "SELECT $credits
    FROM (SELECT nurture.attribution_agg(path, 1, value) AS s
        FROM (SELECT contact, value, nurture.path_agg(t.at, channel) AS path
              FROM touch t JOIN $1 USING (contact) GROUP BY contact, value) p) v$linear"
}
# Five rules at once.
rules="channel, round(sum(conversions) FILTER (WHERE m = 'linear'), 2), round(sum(conversions) FILTER (WHERE m = 'first'), 2),
        round(sum(conversions) FILTER (WHERE m = 'last'), 2), round(sum(conversions) FILTER (WHERE m = 'position'), 2), round(sum(conversions) FILTER (WHERE m = 'time_decay'), 2)"
rules_of="unnest('{linear,first,last,position,time_decay}'::text[]) m, nurture.attribution(s, m) a"
rules_by() { echo "SELECT $rules FROM ($(ours_by "$1" "$2" 'm, a.*'), $rules_of) x GROUP BY 1 ORDER BY 1"; }
rules_hand() {
    echo "SELECT channel, round(sum(1.0::float8 / n)::numeric, 2), round(count(*) FILTER (WHERE k = 1), 2), round(count(*) FILTER (WHERE k = n), 2),
        round(sum(CASE WHEN n <= 2 THEN 1.0::float8 / n WHEN k IN (1, n) THEN 0.4 ELSE 0.2 / (n - 2) END)::numeric, 2), round(sum(w / sum_w)::numeric, 2)
    FROM (SELECT channel, k, w, count(*) OVER c AS n, sum(w) OVER c AS sum_w
          FROM (SELECT contact, channel, row_number() OVER (PARTITION BY contact ORDER BY t.at, channel) AS k,
                       exp(ln(2) * -extract(epoch FROM max(t.at) OVER (PARTITION BY contact) - t.at)::float8 / 604800) AS w
                FROM touch t JOIN $1 USING (contact)) u WINDOW c AS (PARTITION BY contact)) v GROUP BY 1 ORDER BY 1"
}
last_hand() {
    echo "SELECT channel, round(count(*), 3), round(sum(value), 3)
    FROM (SELECT contact, (array_agg(channel ORDER BY at DESC, channel DESC))[1] AS channel FROM touch GROUP BY contact) l JOIN $1 USING (contact) GROUP BY 1 ORDER BY 1"
}
compare "five rules, all contacts convert, attribution_by" "$(rules_by purchase 'touch t')" "$(rules_hand purchase)" same
compare "linear, all contacts convert, attribution_by" "$(ours_by purchase 'touch t' "$credits")$linear" "$(linear_window purchase)" same
compare "last touch, all contacts convert, attribution_by" "$(ours_by purchase 'touch t' "$credits"), nurture.attribution(s, 'last') a ORDER BY 1" \
    "$(last_hand purchase)" same
compare "linear, all contacts convert, path_agg and attribution_agg" "$(linear_agg purchase)" "$(linear_window purchase)" same
compare "five rules, one in twenty converts, attribution_by" "$(rules_by conversion 'touch t JOIN conversion USING (contact)')" "$(rules_hand conversion)" same
compare "linear, one in twenty converts, attribution_by" "$(ours_by conversion 'touch t JOIN conversion USING (contact)' "$credits")$linear" \
    "$(linear_window conversion)" same
compare "linear over $contacts stored paths" \
    "SELECT a.channel, round(a.conversions, 3), round(a.value, 3) FROM (SELECT nurture.attribution_agg(path, conversions, value) AS s FROM journey) v$linear" \
    "SELECT channel, round(sum(1.0::float8 / n)::numeric, 3), round(sum(value::float8 / n)::numeric, 3)
        FROM (SELECT unnest(channels) AS channel, cardinality(channels) AS n, value FROM journey) t GROUP BY channel ORDER BY 1" same
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
