#!/bin/sh
# A year of a shop's invoice lines through the engine, from the CSV to the segments: time, throughput, memory.
#   make example-online-retail                          ../shared/data/online_retail/online_retail.csv.gz
#   make example-online-retail CSV=online_retail.csv    https://archive.ics.uci.edu/dataset/352/online+retail (as CSV)
set -eu
csv=${CSV:-}
[ -z "$csv" ] || csv=$(realpath -- "$csv")
cd "$(dirname "$0")/../.."
csv=${csv:-$(pwd)/../shared/data/online_retail/online_retail.csv.gz}
if [ ! -r "$csv" ]; then
    echo "$csv is not there. The data set is at https://archive.ics.uci.edu/dataset/352/online+retail; then: make example-online-retail CSV=…" >&2
    exit 1
fi
. scripts/cluster.sh
export PSQLRC=/dev/null PAGER=
query() { psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"; }
milliseconds() { date +%s%3N; }

scripts/setup.sh
find_pg_config
remove_at_exit
mkdir -p build
build_extension build/online_retail.log || { tail -n 40 build/online_retail.log >&2; exit 1; }
install_extension build/online_retail.log || { tail -n 20 build/online_retail.log >&2; exit 1; }
start_cluster
createdb shop
export PGDATABASE=shop
query "CREATE EXTENSION nurture"
query "ALTER DATABASE shop SET nurture.enabled = off"
query "ALTER DATABASE shop SET timezone = 'UTC'"
psql -X -q -v ON_ERROR_STOP=1 -f examples/online_retail/definitions.sql

began=$(milliseconds)
gzip -cdf -- "$csv" | psql -X -q -v ON_ERROR_STOP=1 -f examples/online_retail/load.sql |
    psql -X -q -v ON_ERROR_STOP=1 -c "COPY nurture.inbox (contact, type, at, received_at, props) FROM STDIN"
loaded=$(milliseconds)
now=$(query "SELECT max(received_at) FROM nurture.inbox WHERE contact <> ''")
{
    echo "CALL nurture.tick('$now');"
    # The peak of the session that ticked, from the inside.
    cat <<'SQL'
SELECT substring(status FROM 'VmHWM:\s*(\d+)'), substring(status FROM 'RssShmem:\s*(\d+)')
FROM pg_read_file('/proc/self/status') status;
SQL
} | psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 >"$cluster_dir/tick.out"
ticked=$(milliseconds)
set -- $(tail -n 1 "$cluster_dir/tick.out")
peak=$1 shared=$2

total=$(query "SELECT count(*) + (SELECT count(*) FROM nurture.rejected_event) FROM nurture.event_log WHERE kind IS DISTINCT FROM '\$engine'")
psql -X -q -v ON_ERROR_STOP=1 -v now="'$now'" -f examples/online_retail/report.sql
done=$(milliseconds)
echo "$total invoice lines: copied in $(((loaded - began) / 1000)).$(((loaded - began) % 1000 / 100)) s," \
    "lived through in $(((ticked - loaded) / 1000)).$(((ticked - loaded) % 1000 / 100)) s ($((total * 1000 / (ticked - loaded))) events/s)," \
    "the whole in $(((done - began) / 1000)).$(((done - began) % 1000 / 100)) s"
# An independent answer to the same questions, from the log by plain SQL.
psql -X -q -A -t -v ON_ERROR_STOP=1 -v now="'$now'" -f examples/online_retail/compare.sql
echo "peak memory of the backend: $((peak / 1024)) MB, of which $((shared / 1024)) MB are shared buffers"
