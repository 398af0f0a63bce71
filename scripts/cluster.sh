# Functions for scripts (source it in the project's folder): build and install the extension, start a throw-away cluster, remove it at exit.
# No existing cluster is ever touched: the throw-away one lives in a directory of its own below /tmp, listens on a Unix
# socket in that directory only, and is run by the user postgres when we are root, by us otherwise.

unset MAKEFLAGS MFLAGS MAKELEVEL PGSERVICE PGHOSTADDR PGOPTIONS PGPASSWORD PGDATABASE 2>/dev/null || true

cluster_root=$(pwd)
cluster_dir=
cluster_user=
[ "$(id -u)" != 0 ] || cluster_user=${CLUSTER_USER:-postgres}
jobs=$(nproc 2>/dev/null || echo 2)

# The pg_config given, else the newest installed one that has what extensions are built from.
find_pg_config() {
    if [ -z "${PG_CONFIG:-}" ]; then
        for candidate in $(ls -d /usr/lib/postgresql/[1-9]*/bin/pg_config 2>/dev/null | sort -t/ -k5 -n) pg_config; do
            if [ -e "$("$candidate" --pgxs 2>/dev/null)" ] && [ -x "$("$candidate" --bindir)/postgres" ]; then
                PG_CONFIG=$candidate
                [ "$candidate" = pg_config ] || continue
            fi
        done
    fi
    if [ -z "${PG_CONFIG:-}" ] || [ ! -e "$("$PG_CONFIG" --pgxs 2>/dev/null)" ]; then
        echo "no PostgreSQL with development files found; name one: PG_CONFIG=/path/to/pg_config" >&2
        return 1
    fi
    export PG_CONFIG
    PATH=$("$PG_CONFIG" --bindir):$PATH
}

# Runs a command as the user of the cluster.
as_cluster_user() {
    if [ -n "$cluster_user" ]; then
        runuser -u "$cluster_user" -- env HOME=/tmp "$@" </dev/null
    else
        "$@" </dev/null
    fi
}

compiler() {
    if [ -n "${CXX:-}" ]; then echo "$CXX"; elif command -v ccache >/dev/null; then echo "ccache g++"; else echo g++; fi
}

# Builds the sources in a folder (default: here). Quiet, all output in the log named by $1.
build_extension() {
    make -s -C "${2:-$cluster_root}" -j"$jobs" CXX="$(compiler)" PG_CONFIG="$PG_CONFIG" >"$1" 2>&1
}

install_extension() {
    become=
    if [ ! -w "$("$PG_CONFIG" --pkglibdir)" ] && command -v sudo >/dev/null; then
        become=sudo
    fi
    $become make -s -C "${2:-$cluster_root}" CXX="$(compiler)" PG_CONFIG="$PG_CONFIG" install >>"$1" 2>&1 || {
        echo "cannot install into $("$PG_CONFIG" --pkglibdir): run this as root, or name a PostgreSQL of your own by PG_CONFIG" >&2
        return 1
    }
}

# Starts it with the settings given as NAME=VALUE; psql and everything else then finds it through PGHOST, PGPORT, PGUSER.
start_cluster() {
    cluster_dir=$(mktemp -d /tmp/nurture.XXXXXX)
    chmod 700 "$cluster_dir"
    [ -z "$cluster_user" ] || chown "$cluster_user" "$cluster_dir"
    as_cluster_user initdb -D "$cluster_dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$cluster_dir/initdb.log" 2>&1 || {
        cat "$cluster_dir/initdb.log" >&2
        return 1
    }
    {
        # The socket's directory is ours alone, so any port is free.
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$cluster_dir'"
        echo "fsync = off"
        echo "synchronous_commit = off"
        echo "max_wal_size = 4GB"
        echo "shared_buffers = 256MB"
        echo "log_line_prefix = '%t [%b] '"
        for setting; do
            echo "${setting%%=*} = '${setting#*=}'"
        done
    } | if [ -n "$cluster_user" ]; then
        runuser -u "$cluster_user" -- tee -a "$cluster_dir/data/postgresql.conf" >/dev/null
    else
        tee -a "$cluster_dir/data/postgresql.conf" >/dev/null
    fi
    export PGHOST="$cluster_dir" PGPORT=5432 PGUSER=postgres
    as_cluster_user pg_ctl -D "$cluster_dir/data" -l "$cluster_dir/server.log" -o "-p $PGPORT" -w -t 60 start >"$cluster_dir/pg_ctl.log" 2>&1 || {
        tail -n 20 "$cluster_dir/server.log" >&2
        return 1
    }
}

stop_cluster() {
    [ -n "$cluster_dir" ] || return 0
    as_cluster_user pg_ctl -D "$cluster_dir/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$cluster_dir"
    cluster_dir=
}

remove_at_exit() {
    trap 'stop_cluster' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
}
