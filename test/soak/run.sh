#!/bin/bash
# Everything at once, for a while, with crashes; then everything must add up. Against the installed extension.
#   make soak MINUTES=5        SEED=… repeats the choices of one run (not their timing)
# The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/../.."
. scripts/cluster.sh
export PSQLRC=/dev/null PAGER= LC_ALL=C.UTF-8
remove_at_exit
find_pg_config || exit 1
start_cluster shared_preload_libraries=nurture nurture.batch_rows=2000 nurture.quarantine_limit=1000 \
    max_worker_processes=16 max_connections=60 autovacuum_naptime=5s restart_after_crash=on || exit 1
export SOAK_DATA=$cluster_dir/data SOAK_LOG=$cluster_dir/server.log SOAK_USER=$cluster_user
perl test/soak/soak.pl
status=$?
[ $status -eq 0 ] || [ -z "${KEEP_LOGS:-}" ] || cp "$cluster_dir/server.log" "$KEEP_LOGS"
exit $status
