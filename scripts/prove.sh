#!/bin/sh
# Runs the TAP tests (test/tap/*.pl, or those named) against the installed extension.
#   PG_CONFIG=/path/to/pg_config scripts/prove.sh [name.pl …]
# They start servers of their own, which refuse to run as root: root becomes the user postgres for that.
set -eu
cd "$(dirname "$0")/.."

pgxs=$(dirname "$("${PG_CONFIG:-pg_config}" --pgxs)")
bindir=$("${PG_CONFIG:-pg_config}" --bindir)
library="$pgxs/../test/perl"
if [ ! -e "$library/PostgreSQL/Test/Cluster.pm" ]; then
    echo "prove.sh: this PostgreSQL comes without its test library ($library)" >&2
    exit 1
fi

# A copy, since the user postgres may not be able to read where we are.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/nurture_tap.XXXXXX")
small=
trap '[ -z "$small" ] || umount "$small"; rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
cp -R test/tap "$scratch/tap"
cp docs/operations.md "$scratch/"
# The senders of examples/, for the tests that run them.
if cmake -S examples -B build/examples $(command -v ccache >/dev/null && echo -DCMAKE_CXX_COMPILER_LAUNCHER=ccache) >/dev/null 2>&1 &&
    cmake --build build/examples >/dev/null; then
    mkdir "$scratch/examples"
    cp build/examples/mailer build/examples/webhook "$scratch/examples/"
fi

become=
if [ "$(id -u)" = 0 ]; then
    # A disk that can be filled, where mounting one is permitted.
    mkdir "$scratch/small"
    if mount -t tmpfs -o size=80m,mode=0700,uid="$(id -u postgres)" tmpfs "$scratch/small" 2>/dev/null; then
        small=$scratch/small
    fi
    chown -R postgres "$scratch"
    become="runuser -u postgres --"
fi

[ $# -gt 0 ] || set -- $(cd test/tap && ls *.pl)
cd "$scratch/tap"
status=0
$become env PATH="$bindir:$PATH" TESTDIR="$scratch" TESTDATADIR="$scratch/tmp_check" TESTLOGDIR="$scratch/tmp_check/log" \
    NURTURE_SMALL_DISK="$small" NURTURE_EXAMPLES="$scratch/examples" \
    PG_REGRESS="$pgxs/../test/regress/pg_regress" PGPORT=65432 PERL5LIB="$library:$scratch/tap/lib" \
    ${PROVE:-prove} ${PROVE_FLAGS:--j2 --timer} "$@" || status=$?
if [ $status -ne 0 ] && [ -n "${KEEP_LOGS:-}" ]; then
    cp -R "$scratch/tmp_check" "$KEEP_LOGS"
fi
exit $status
