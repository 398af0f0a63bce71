#!/bin/sh
# Runs the isolation specs of test/isolation against the running server of PGHOST and PGPORT, in a database of its own.
# With arguments, only the specs named. PG_CONFIG says whose isolation tester is used.
set -eu
cd "$(dirname "$0")/../test/isolation"
pg_config=${PG_CONFIG:-pg_config}
tester=$(dirname "$("$pg_config" --pgxs)")/../test/isolation/pg_isolation_regress
if [ ! -x "$tester" ]; then
    echo "$tester is missing: the development package of the server has it" >&2
    exit 1
fi
if [ $# -eq 0 ]; then
    set -- $(cd specs && ls -- *.spec | sed 's/\.spec$//')
fi
for spec; do
    [ -f "expected/$spec.out" ] || { echo "expected/$spec.out is missing" >&2; exit 1; }
done
mkdir -p output_iso
exec "$tester" --inputdir=. --outputdir=output_iso --bindir="$("$pg_config" --bindir)" \
    ${PGHOST:+--host="$PGHOST"} ${PGPORT:+--port="$PGPORT"} ${PGUSER:+--user="$PGUSER"} \
    --dbname=nurture_isolation --load-extension=nurture "$@"
