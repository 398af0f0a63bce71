#!/bin/sh
# Installs with apt-get what building, the demo and the tests need and this machine lacks. Does nothing when all is there.
#   scripts/setup.sh          PG_CONFIG=… names a PostgreSQL of your own; then none is installed
set -eu

packages="g++ make cmake perl gzip libboost-dev libeigen3-dev libgtest-dev libhowardhinnant-date-dev libicu-dev libipc-run-perl
    libre2-dev librapidcheck-dev libxxhash-dev nlohmann-json3-dev libbenchmark-dev tzdata
    libcurl4-openssl-dev libkainjow-mustache-dev libpq-dev libssl-dev python3-aiosmtpd"

# A PostgreSQL with what extensions are built from. Where there is none, Debian's own.
has_server() {
    [ -n "${PG_CONFIG:-}" ] && return 0
    for config in /usr/lib/postgresql/*/bin/pg_config; do
        bin=${config%/pg_config}
        version=${bin#/usr/lib/postgresql/}
        version=${version%/bin}
        case $version in *[!0-9]*) continue ;; esac
        [ "$version" -ge 15 ] && [ -x "$bin/postgres" ] && [ -e "$("$config" --pgxs)" ] && return 0
    done
    return 1
}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "setup: no apt-get here; needed are PostgreSQL 15 or later with its development files and:" $packages >&2
    exit 0
fi

missing=
for package in $packages; do
    installed "$package" || missing="$missing $package"
done

become=
if [ "$(id -u)" != 0 ]; then
    become=sudo
fi
if [ -n "$missing" ] || ! has_server; then
    if [ -n "$become" ] && ! command -v sudo >/dev/null; then
        has_server || missing="$missing postgresql-15 postgresql-server-dev-15"
        echo "setup: please install as root: apt-get install$missing" >&2
        exit 1
    fi
    $become apt-get update -qq >/dev/null 2>&1 || echo "setup: apt-get update failed, going on with the lists there are" >&2
    if ! has_server; then
        version=$(apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
        missing="$missing postgresql-${version:-15} postgresql-server-dev-${version:-15}"
    fi
    echo "setup: installing$missing"
    log=$(mktemp "${TMPDIR:-/tmp}/nurture_setup.XXXXXX")
    if ! $become env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        echo "setup: apt-get failed; the whole output is in $log" >&2
        exit 1
    fi
    rm -f "$log"
    # A compiler cache halves the time of make check; a machine without it lacks nothing.
    command -v ccache >/dev/null ||
        $become env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ccache >/dev/null 2>&1 </dev/null || true
else
    echo "setup: nothing to install"
fi
