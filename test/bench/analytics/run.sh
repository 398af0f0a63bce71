#!/bin/bash
# The analytics aggregates against the best SQL written by hand, and beside ClickHouse and DuckDB where they are there.
#   ROWS=5000000 CONTACTS=500000 PGDATABASE=bench test/bench/analytics/run.sh
# Connects by the usual PG* variables; makes the extension and table bench_event when they are missing (KEEP=1 keeps the
# table from an earlier run). ClickHouse: clickhouse-server and clickhouse-client in the PATH, a private server is
# started. DuckDB: DUCKDB_MODULES names a node_modules folder with @duckdb/node-api.
# Per question WHAT.ours.sql (grouped by contact in SQL), WHAT.by.sql (the aggregate groups) and, by hand, WHAT.naive.sql
# and WHAT.mask.sql, of which the faster counts. All must give the same answer.
# Output: what | ours (s) | theirs (s) | ratio; each time is the best of REPEAT runs with the data in memory, ours and
# theirs in turn, so that a busy machine disturbs both. MEASURE=cpu with WORKERS=0: processor time of the backend.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${ROWS:=500000}" "${CONTACTS:=$((ROWS / 10))}" "${REPEAT:=3}" "${WORK_MEM:=1GB}" "${WORKERS:=2}" "${MEASURE:=time}" "${CLICKHOUSE_PORT:=6131}"
export PGOPTIONS="-c work_mem=$WORK_MEM -c max_parallel_workers_per_gather=$WORKERS -c jit=off -c timezone=UTC -c client_min_messages=warning"
scratch=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$scratch"
}
trap finish EXIT

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
sql -c 'CREATE EXTENSION IF NOT EXISTS nurture'
if [ -z "${KEEP:-}" ] || [ "$(sql -c "SELECT to_regclass('bench_event') IS NULL")" = t ]; then
    sql -v rows="$ROWS" -v contacts="$CONTACTS" -f "$here/../generate.sql" >/dev/null
fi
sql -c "SELECT format('%s events, %s contacts, PostgreSQL %s, work_mem %s, %s workers', count(*), count(DISTINCT contact), current_setting('server_version'), current_setting('work_mem'), current_setting('max_parallel_workers_per_gather')) FROM bench_event"

best() { sort -n | head -n 1; }
once() {
    if [ "$MEASURE" = cpu ]; then
        local cpu="SELECT sum(t::int) / 100.0 FROM unnest((string_to_array(pg_read_file('/proc/self/stat'), ' '))[14:15]) t"
        { echo "${cpu/ FROM/ AS x FROM} \\gset before_"; echo '\o /dev/null'; cat "$1"; echo '\o'
          echo "${cpu/ FROM/ - :before_x FROM};"; } | sql -f -
    else
        { echo '\timing on'; cat "$1"; } | sql -f - | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | awk '{ print $1 / 1000 }'
    fi
}
answer() { sql -f "$1" | md5sum; }
row() { awk -v w="$1" -v o="$2" -v t="$3" 'BEGIN { printf "%-58s %8.3f %8.3f %8.2f\n", w, o, t, t / o }'; }

printf '%-58s %8s %8s %8s\n' what ours theirs ratio
for what in funnel sequence retention conditions; do
    right=$(answer "$here/$what.naive.sql")
    for file in "$here/$what".{ours,by,mask}.sql; do
        [ ! -e "$file" ] || [ "$(answer "$file")" = "$right" ] || { echo "$file: the results differ" >&2; exit 1; }
    done
    for side in ours naive by mask; do : >"$scratch/$what.$side.sql"; done
    for _ in $(seq "$REPEAT"); do
        for file in "$here/$what".{ours,naive,by,mask}.sql; do
            [ ! -e "$file" ] || once "$file" >>"$scratch/$(basename "$file")"
        done
    done
    theirs=$(cat "$scratch/$what.naive.sql" "$scratch/$what.mask.sql" | best)
    row "$what, GROUP BY contact / by hand" "$(best <"$scratch/$what.ours.sql")" "$theirs"
    row "$what, _by / by hand" "$(best <"$scratch/$what.by.sql")" "$theirs"
    [ ! -s "$scratch/$what.mask.sql" ] || row "  by hand, in general and with a mask" "$(best <"$scratch/$what.naive.sql")" "$(best <"$scratch/$what.mask.sql")"
done

if [ "$MEASURE" != cpu ]; then # theirs is elapsed time of two threads
sql -c "COPY (SELECT extract(epoch FROM at)::bigint, contact, type FROM bench_event) TO STDOUT" >"$scratch/events.tsv"
if command -v clickhouse-server >/dev/null && command -v clickhouse-client >/dev/null; then
    mkdir -p "$scratch/data" "$scratch/tmp"
    sed -e "s|@scratch@|$scratch|g" -e "s|@port@|$CLICKHOUSE_PORT|" "$here/clickhouse.xml" >"$scratch/config.xml"
    cp "$here/clickhouse-users.xml" "$scratch/users.xml"
    clickhouse-server --config-file="$scratch/config.xml" >"$scratch/out" 2>&1 &
    server=$!
    house() { clickhouse-client --port "$CLICKHOUSE_PORT" "$@"; }
    for _ in $(seq 50); do house -q 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.2; done
    house -q 'CREATE TABLE bench_event (at DateTime, contact String, type String) ENGINE = MergeTree PARTITION BY tuple() ORDER BY at'
    house -q 'INSERT INTO bench_event FORMAT TabSeparated' <"$scratch/events.tsv"
    for what in funnel sequence retention conditions; do
        : >"$scratch/ours" && : >"$scratch/theirs"
        for _ in $(seq "$REPEAT"); do
            once "$here/$what.by.sql" >>"$scratch/ours"
            house --time -q "$(cat "$here/$what.clickhouse.sql")" 2>>"$scratch/theirs" >/dev/null
        done
        row "$what / ClickHouse $(house -q 'SELECT version()'), 2 threads" "$(best <"$scratch/ours")" "$(best <"$scratch/theirs")"
    done
else
    echo 'ClickHouse: not installed'
fi
if [ -n "${DUCKDB_MODULES:-}" ] && command -v node >/dev/null; then
    ln -s "$DUCKDB_MODULES" "$scratch/node_modules"
    cp "$here/duckdb.mjs" "$scratch/"
    for what in funnel sequence retention conditions; do
        mine=$(for _ in $(seq "$REPEAT"); do once "$here/$what.by.sql"; done | best)
        theirs=$(node "$scratch/duckdb.mjs" "$scratch/events.tsv" "$here" "$REPEAT" "$what")
        row "$what / DuckDB, the same SQL by hand, 2 threads" "$mine" "$theirs"
    done
else
    echo 'DuckDB: DUCKDB_MODULES is not set'
fi
fi

memory() { # aggregate: bytes per group of its hash table
    sql -c "SET max_parallel_workers_per_gather = 0" -c "SET enable_sort = off" \
        -c "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT contact, $1 FROM bench_event GROUP BY contact" |
        awk '/Memory Usage/ { kb = $(NF); sub(/kB/, "", kb) } /HashAggregate/ { for (i = 1; i <= NF; i++) if ($i ~ /^rows=/) { split($i, r, "="); n = r[2] } }
             END { printf "%d bytes a group (%d groups, hash table and keys included)\n", kb * 1024 / n, n }'
}
echo "memory, count(*):       $(memory 'count(*)')"
echo "memory, funnel:         $(memory "nurture.funnel(at, interval '7 days', type = 'page_view', type = 'form_submit', type = 'email_click', type = 'purchase')")"
echo "memory, sequence_match: $(memory "nurture.sequence_match('(?1).*(?t<=86400)(?2).*(?t<=86400)(?3)', at, type = 'page_view', type = 'form_submit', type = 'purchase')")"
echo "memory, cohort_agg:     $(memory "nurture.cohort_agg(at, interval '7 days')")"
echo "memory, retention:      $(memory "nurture.retention(type = 'page_view', type = 'purchase')")"
