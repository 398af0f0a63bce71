#!/bin/bash
# Backfilling a windowed feature over N events, against the same recomputed by hand-written SQL from the same log, both
# with and without parallel workers, in one run on a throw-away server. Prints seconds (user + system CPU of the server's
# processes matter less here than the clock, so run it on an idle machine) and ratios.
#   test/bench/backfill.sh [events] [contacts]
set -eu
cd "$(dirname "$0")/../.."
. scripts/cluster.sh
. test/bench/common.sh
events=${1:-2000000} contacts=${2:-$((${1:-2000000} / 20))}
begin_bench max_parallel_workers=8 max_worker_processes=16 shared_preload_libraries= jit=off
tell() { run -A -t "$@"; }
createdb bench
tell -d bench -c "ALTER DATABASE bench SET nurture.enabled = off"
tell -d bench -c "CREATE EXTENSION nurture" -c "INSERT INTO nurture.rule (name, definition) VALUES ('seen', '+1 on v')"
echo "$events events of $contacts contacts"
tell -d bench <<SQL
SELECT setseed(0.5);
INSERT INTO nurture.inbox (contact, type, at, received_at, props)
SELECT 'contact ' || (random() * ($contacts - 1))::int, CASE WHEN g % 3 = 0 THEN 'buy' ELSE 'v' END,
       t, t, jsonb_build_object('amount', g % 100, 'path', '/p' || g % 50)
FROM (SELECT g, timestamptz '2024-01-01' + g * interval '90 days' / $events AS t FROM generate_series(1, $events) g) g;
CALL nurture.tick('2024-04-01');
VACUUM ANALYZE;
SQL
tell -d bench -c "INSERT INTO nurture.segment (name, condition) VALUES ('busy', 'count(v within 7 days) >= 3')" \
    -c "CREATE OR REPLACE FUNCTION nurture._by_hand() RETURNS boolean LANGUAGE sql AS 'SELECT false'" -c "CALL nurture.tick('2024-04-01 00:00:01')"
[ "$(tell -d bench -c "SELECT count(*) FROM nurture.backfill WHERE state = 'folding'")" = 1 ] || { echo "nothing waits for a backfill" >&2; exit 1; }

# Seconds of one statement that is made n times; the least counts. What it gives is thrown away.
least_seconds() {
    best=
    for _ in 1 2 3; do
        took=$(printf '%s\n\\timing on\n%s\n' "$1" "$2" | tell -d bench | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -n 1)
        best=$(awk -v a="$took" -v b="${best:-1e99}" 'BEGIN { print a < b ? a : b }')
    done
    awk -v ms="$best" 'BEGIN { printf "%.3f", ms / 1000 }'
}
fold="SELECT count(*), sum(length(parts)) FROM nurture._fold_past((SELECT model FROM nurture.model ORDER BY id DESC LIMIT 1), (SELECT from_tick FROM nurture.backfill), '', NULL);"
# By hand: the newest three of each contact within the last 7 days before its newest event, as the feature keeps them.
hand="SELECT count(*), sum(cardinality(newest)) FROM (SELECT contact, (array_agg(at ORDER BY at DESC))[1:3] AS newest FROM nurture.event_log WHERE type = 'v' GROUP BY contact) x;"
count="SELECT count(*), sum(n) FROM (SELECT contact, count(*) AS n FROM nurture.event_log WHERE type = 'v' AND at > timestamptz '2024-04-01' - interval '7 days' GROUP BY contact) x;"
serial="SET max_parallel_workers_per_gather = 0;" parallel="SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 100; SET parallel_tuple_cost = 0.01; SET min_parallel_table_scan_size = '1MB'; SET work_mem = '128MB';"
fold_serial=$(least_seconds "$serial" "$fold") fold_parallel=$(least_seconds "$parallel" "$fold")
hand_serial=$(least_seconds "$serial" "$hand") hand_parallel=$(least_seconds "$parallel" "$hand")
count_parallel=$(least_seconds "$parallel" "$count")
printf '%-44s %10s %10s %8s\n' '' 'serial s' 'parallel s' 'ratio'
compare() { awk -v w="$1" -v s="$2" -v p="$3" 'BEGIN { printf "%-44s %10s %10s %8.2f\n", w, s, p, s / p }'; }
compare 'fold of the log' "$fold_serial" "$fold_parallel"
compare 'by hand: newest three of each contact' "$hand_serial" "$hand_parallel"
awk -v p="$fold_parallel" -v h="$hand_parallel" -v c="$count_parallel" 'BEGIN {
    printf "by hand: events of the last 7 days only %21s\n", c
    printf "fold : newest three by hand, both parallel  %.2f\nfold : last 7 days by hand, both parallel  %.2f\n", p / h, p / c }'
begun=$(date +%s.%N)
steps=$(tell -d bench -c "SELECT 1" | wc -l)
while [ "$(tell -d bench -c "SELECT nurture._backfill_step()")" = t ]; do steps=$((steps + 1)); done
awk -v b="$begun" -v e="$(date +%s.%N)" -v n="$steps" 'BEGIN { printf "the whole backfill in %d transactions: %.2f s\n", n - 1, e - b }'
tell -d bench -c "CALL nurture.tick('2024-04-01 00:00:02')" -c "SELECT count(*) || ' members; differences: ' || (SELECT count(*) FROM nurture.verify(sample => 0.02)) FROM nurture.membership WHERE segment = 'busy'"
