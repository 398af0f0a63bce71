# shellcheck shell=sh disable=SC2154 # cluster_dir is of scripts/cluster.sh
# What the benchmarks have in common (source it after scripts/cluster.sh, in the project's folder).
#   INSTALLED=1 measures the extension as it is installed; else it is built and installed first
export PSQLRC=/dev/null PAGER=

# A throw-away cluster to measure in, with memory enough, and the settings given.
begin_bench() {
    find_pg_config
    mkdir -p build
    if [ -z "${INSTALLED:-}" ]; then
        { build_extension build/bench.log && install_extension build/bench.log; } || { tail -n 40 build/bench.log >&2; return 1; }
    fi
    remove_at_exit
    start_cluster shared_buffers=2GB max_wal_size=16GB checkpoint_timeout=30min autovacuum_naptime=20s "$@"
}

run() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }
value() { run -A -t -c "$1"; }
# Seconds that a statement took, as psql measured them.
seconds() { run -A -t -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | awk '{s += $1} END {printf "%.2f", s / 1000}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (b > 0) printf "%.2f", a / b}'; }
per_second() { awk -v n="$1" -v s="$2" 'BEGIN {if (s > 0) printf "%.0f", n / s}'; }
# What, and up to three figures.
row() { printf '%-62s %14s %14s %8s\n' "$1" "${2:-}" "${3:-}" "${4:-}" | sed 's/ *$//'; }
# Processor time so far, in milliseconds: of all processes of the cluster, of one process.
server_cpu() { for pid in $(pgrep -P "$(head -n 1 "$cluster_dir/data/postmaster.pid")"); do cpu_of_process "$pid"; done | awk '{s += $1} END {print s}'; }
cpu_of_process() { awk -v hz="$(getconf CLK_TCK)" '{print ($14 + $15) * 1000 / hz}' "/proc/$1/stat" 2>/dev/null || true; }
