#!/bin/sh
# Claims and completes actions in batches of 100 with 4 clients, through the outbox and through a plain SKIP LOCKED
# queue table, and prints the actions per second of both. The database is the environment's (PGHOST, PGPORT,
# PGDATABASE) and is best a scratch one: the outbox in it is emptied.
#   ACTIONS (500000), CLIENTS (4), SECONDS_EACH (10), PG_CONFIG
set -eu
cd "$(dirname "$0")"
bin=$("${PG_CONFIG:-pg_config}" --bindir)
actions=${ACTIONS:-500000} clients=${CLIENTS:-4} seconds=${SECONDS_EACH:-10}

value() { "$bin/psql" -XAtq -c "$1"; }
run() { "$bin/pgbench" -n -M prepared -c "$clients" -j 2 -T "$seconds" -f "$1" >/dev/null; }

"$bin/psql" -Xq -v actions="$actions" -f fill.sql
run outbox.sql
outbox=$(value "SELECT count(*) / $seconds FROM nurture.action WHERE status = 'done'")
told=$(value "SELECT count(*) / $seconds FROM nurture.inbox WHERE type = '\$sent'")
left=$(value "SELECT count(*) FROM nurture.action WHERE status = 'ready'")
run plain.sql
plain=$(value "SELECT count(*) / $seconds FROM plain_queue WHERE status = 'done'")
echo "outbox: $outbox actions/s claimed and completed ($told \$sent messages/s), $left of $actions left"
plain_left=$(value "SELECT count(*) FROM plain_queue WHERE status = 'ready'")
[ "$plain_left" -gt 0 ] || plain="at least $plain (it ran empty: raise ACTIONS)"
echo "plain queue: $plain actions/s"
value "DROP TABLE plain_queue; TRUNCATE nurture.action, nurture.inbox"
if [ "$left" -eq 0 ]; then
    echo "the outbox ran empty: raise ACTIONS for a true figure" >&2
    exit 1
fi
[ "$outbox" -gt 0 ] && [ "$outbox" -eq "$told" ]
