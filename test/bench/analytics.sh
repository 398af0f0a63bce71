#!/bin/sh
# The aggregates against the best SQL written by hand, in a throw-away cluster: processor time of one process, then elapsed
# time of parallel queries, then attribution. Rows: what, ours, theirs, ratio.
#   ROWS (1000000; BENCH=full: 5000000), CONTACTS (a tenth), REPEAT (3), DUCKDB_MODULES (a node_modules with @duckdb/node-api), PG_CONFIG
set -eu
cd "$(dirname "$0")/../.."
. scripts/cluster.sh
. test/bench/common.sh
ROWS=${ROWS:-1000000}
[ "${BENCH:-}" != full ] || ROWS=5000000
export ROWS

# DuckDB comes from npm where it can: into build, which git does not know.
if [ -z "${DUCKDB_MODULES:-}" ] && command -v npm >/dev/null && npm install --silent --no-save --prefix build/duckdb @duckdb/node-api >/dev/null 2>&1; then
    DUCKDB_MODULES=$PWD/build/duckdb/node_modules
    export DUCKDB_MODULES
fi
begin_bench
createdb bench
export PGDATABASE=bench
echo "one process, processor time"
MEASURE=cpu WORKERS=0 test/bench/analytics/run.sh
echo "two workers, elapsed time"
KEEP=1 WORKERS=2 test/bench/analytics/run.sh
echo "attribution, one process, processor time"
MEASURE=cpu test/bench/attribution/run.sh "$((ROWS / 5))"
