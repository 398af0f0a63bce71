#!/bin/sh
# The aggregates against the best SQL written by hand, in a throw-away cluster: processor time of one process, then elapsed
# time of parallel queries, then attribution. Rows: what, ours, theirs, ratio.
#   ROWS (1000000; BENCH=full: 5000000), CONTACTS (a tenth), REPEAT (3), PG_CONFIG
set -eu
cd "$(dirname "$0")/../.."
. scripts/cluster.sh
export PSQLRC=/dev/null PAGER=
ROWS=${ROWS:-1000000}
[ "${BENCH:-}" != full ] || ROWS=5000000
export ROWS

find_pg_config
mkdir -p build
build_extension build/bench.log || { tail -n 40 build/bench.log >&2; exit 1; }
install_extension build/bench.log || { tail -n 20 build/bench.log >&2; exit 1; }
remove_at_exit
start_cluster shared_buffers=2GB max_wal_size=16GB checkpoint_timeout=30min autovacuum_naptime=20s
createdb bench
export PGDATABASE=bench
echo "one process, processor time"
MEASURE=cpu WORKERS=0 test/bench/analytics/run.sh
echo "two workers, elapsed time"
KEEP=1 WORKERS=2 test/bench/analytics/run.sh
echo "attribution, one process, processor time"
MEASURE=cpu test/bench/attribution/run.sh "$((ROWS / 5))"
