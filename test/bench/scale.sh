#!/bin/sh
# What grows with size, and what must not: the cost of an event from few contacts to many and from the first million to the last;
# live latency while a past is loaded into nurture.history; what a database full of sleeping contacts costs while nothing happens.
# In a throw-away cluster; run it on an idle machine.
#   EVENTS (500000 a point), FEW (10000), MANY (1000000), MILLIONS (5; BENCH=full: 20), PAST (500000; BENCH=full: 5000000), PG_CONFIG
set -eu
cd "$(dirname "$0")/../.."
. scripts/cluster.sh
. test/bench/common.sh
events=${EVENTS:-500000} few=${FEW:-10000} many=${MANY:-1000000} millions=${MILLIONS:-5} past=${PAST:-500000}
[ "${BENCH:-}" != full ] || { millions=20; past=5000000; }

# A database with the benchmark's definitions whose clock is simulated.
fresh() {
    createdb "$1"
    export PGDATABASE="$1"
    value "ALTER DATABASE $1 SET nurture.enabled = off"
    value "CREATE EXTENSION nurture"
    run -f test/bench/definitions.sql
}
# The next events of so many contacts into the inbox: generate N CONTACTS FIRST
generate() {
    run -v rows="$1" -v contacts="$2" -v first="$3" -v step='100 milliseconds' -f test/bench/generate.sql >/dev/null
    value "INSERT INTO nurture.inbox (contact, type, at, props, received_at) SELECT contact, type, at, props, at FROM bench_event ORDER BY at"
    last=$(value "SELECT max(at) FROM bench_event")
}
# Seconds of the second half of the events: by then most contacts are known.
cost_with() {
    fresh "contacts_$1" >&2
    value "INSERT INTO nurture.history (contact, type, at, received_at) SELECT 'u' || g, 'login', '2025-12-01', '2025-12-01' FROM generate_series(0, $1) g" >&2
    value "CALL nurture.tick('2025-12-31')" >&2
    value "VACUUM ANALYZE nurture.contact" >&2
    generate "$events" "$1" '2026-01-01 00:00+00' >&2
    value 'CHECKPOINT' >&2
    seconds "CALL nurture.tick('$last')"
}

begin_bench shared_preload_libraries=nurture track_commit_timestamp=on

of_few=$(cost_with "$few")
dropdb --force "contacts_$few"
of_many=$(cost_with "$many")
row "seconds of $events events on $few contacts" "$of_few"
row "… on $many contacts" "$of_many"
row '… ratio' "$(ratio "$of_many" "$of_few")"

# Nothing happens among many sleeping contacts: what the server's processes take in a minute.
export PGDATABASE="contacts_$many"
value "ALTER DATABASE contacts_$many RESET nurture.enabled" >/dev/null
value 'VACUUM' ; value 'CHECKPOINT'
value 'SELECT nurture.stop_worker()' >/dev/null # it has read the settings when it began
value 'SELECT nurture.start_worker()' >/dev/null
sleep 25
before=$(server_cpu)
sleep 60
after=$(server_cpu)
row "CPU ms in an idle minute, $many contacts asleep" "$(awk -v a="$before" -v b="$after" 'BEGIN {print b - a}')"
export PGDATABASE=postgres
dropdb --force "contacts_$many"

fresh grows
first=2026-01-01
million=1
while [ "$million" -le "$millions" ]; do
    generate 1000000 500000 "$first 00:00+00"
    value 'CHECKPOINT'
    took=$(seconds "CALL nurture.tick('$last')")
    row "seconds of million $million" "$took"
    [ "$million" -gt 1 ] || took_first=$took
    first=$(date -u -d "$first + 2 days" +%F)
    million=$((million + 1))
done
row 'ratio of the last to the first' "$(ratio "$took" "$took_first")"

createdb live
export PGDATABASE=live
value "CREATE EXTENSION nurture"
run -f test/bench/definitions.sql
value "INSERT INTO nurture.workflow (name, definition) VALUES ('ping', 'on ping re-enter always do ''pong''')"
run -v rows="$past" -v contacts=100000 -v first='2025-01-01 00:00+00' -f test/bench/generate.sql >/dev/null
sleep 1
cat >"$cluster_dir/live.sql" <<'SQL'
\set contact random(1, 100000)
INSERT INTO nurture.inbox (contact, type, props) VALUES ('u' || :contact::int, 'ping', '{}');
SQL
pgbench -n -M prepared -c 2 -j 1 -R 100 -T $((20 + past / 50000)) -f "$cluster_dir/live.sql" >"$cluster_dir/pgbench.out" 2>&1 &
sleep 5
value "INSERT INTO nurture.history (contact, type, at, props, received_at) SELECT contact, type, at, props, at FROM bench_event" >/dev/null
wait || true
row "live p99 ms while $past past events were loaded" "$(value "SELECT round(1000 * percentile_disc(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - due)))
    FROM nurture.action WHERE channel = 'pong'")"
row '… of the past taken meanwhile, percent' "$(value "SELECT round(100.0 * count(*) / $past) FROM nurture.event_log WHERE history")"
