#!/bin/sh
# The demonstration: a web server's log lived through in a throw-away database, then an event met live.
#   make demo                      the log of a real site where it is at hand, else a generated one
#   make demo LOG="access.log …"   your own logs (combined format, also gzip'ed)
set -eu
cd "$(dirname "$0")/.."
. scripts/cluster.sh
export PSQLRC=/dev/null PAGER=
query() { psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"; }
say() { printf '\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { echo "$*"; }
milliseconds() { date +%s%3N; }

scripts/setup.sh
find_pg_config
remove_at_exit
mkdir -p build
began=$(milliseconds)
build_extension build/demo.log || { tail -n 40 build/demo.log >&2; exit 1; }
install_extension build/demo.log || { tail -n 20 build/demo.log >&2; exit 1; }
built=$(milliseconds)
start_cluster
say "pg_nurture built and installed in $(((built - began + 999) / 1000)) s; PostgreSQL $(query 'SHOW server_version' | sed 's/ (.*//'), a throw-away cluster in $cluster_dir"

sample=../shared/data/web_log/access.log.gz
if [ -n "${LOG:-}" ]; then
    source="your log"
elif [ -r "$sample" ]; then
    LOG=$sample
    source="four days of a real web site"
else
    LOG=$cluster_dir/access.log
    examples/web_log/generate_log.sh >"$LOG"
    source="a generated log"
fi

echo
say "1. A log is lived through: $source"
createdb weblog
export PGDATABASE=weblog
query "CREATE EXTENSION nurture"
# A simulated clock: the worker stays out of this database, and the tick may be told what time it is.
query "ALTER DATABASE weblog SET nurture.enabled = off"
psql -X -q -v ON_ERROR_STOP=1 -f examples/web_log/definitions.sql
began=$(milliseconds)
examples/web_log/load_log.sh $LOG
loaded=$(milliseconds)
now=$(query "SELECT max(received_at) FROM nurture.inbox")
if [ -z "$now" ]; then
    echo "nothing in it is in the combined log format" >&2
    exit 1
fi
query "CALL nurture.tick('$now')"
done=$(milliseconds)
events=$(query "SELECT count(*) FROM nurture.event_log WHERE kind IS DISTINCT FROM '\$engine'")
echo "parsed and copied in $((loaded - began)) ms, lived through in $((done - loaded)) ms: $((events * 1000 / (done - loaded + 1))) events/s," \
    "$(query "SELECT count(*) || ' transitions, ' || (SELECT count(*) FROM nurture.action) || ' actions' FROM nurture.transition")"
echo
psql -X -q -v ON_ERROR_STOP=1 -v now="'$now'" -f examples/web_log/report.sql

say "2. Live: a worker, asleep until something happens"
createdb live
export PGDATABASE=live
query "CREATE EXTENSION nurture"
psql -X -q -v ON_ERROR_STOP=1 -f examples/web_log/definitions.sql
query "SELECT nurture.start_worker()" >/dev/null
psql -X -q -v ON_ERROR_STOP=1 -f examples/web_log/live.sql
