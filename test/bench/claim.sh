#!/bin/bash
# What guards cost a claim: actions per second claimed and completed in batches of 100 by 4 clients
#   plain      without policies and suppressions
#   suppressed a suppression list of 10,000 contacts who are not among those to be sent to, and 1,000 who are
#   guarded    that, and a policy with a daily and a rolling cap, quiet hours for nobody, time zones
#   queue      a plain SKIP LOCKED queue table
# in turn, ROUNDS times; medians. Every contact has one action: caps let all pass. The database is the environment's
# (PGHOST, PGPORT, PGDATABASE) and is best a scratch one: the outbox in it is emptied.
#   ACTIONS (300000), CLIENTS (4), SECONDS_EACH (6), ROUNDS (3), PG_CONFIG
set -eu
cd "$(dirname "$0")/outbox"
bin=$("${PG_CONFIG:-pg_config}" --bindir)
actions=${ACTIONS:-300000} clients=${CLIENTS:-4} seconds=${SECONDS_EACH:-6} rounds=${ROUNDS:-3}
export PGOPTIONS='-c client_min_messages=warning'

value() { "$bin/psql" -XAtq -v ON_ERROR_STOP=1 -c "$1"; }
run() { "$bin/pgbench" -n -M prepared -c "$clients" -j 2 -T "$seconds" -f "$1" >/dev/null 2>&1; }
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

prepare() { # one action per contact; half of them are known, a third of those have a time zone
    "$bin/psql" -Xq -v actions="$actions" -f fill.sql
    value "UPDATE nurture.action SET contact = 'contact' || id::text" >/dev/null
    value "VACUUM (FULL, ANALYZE) nurture.action" >/dev/null
    value "TRUNCATE nurture.sent, nurture.guard_counter, nurture.suppression; DELETE FROM nurture.policy" >/dev/null
}
suppress() {
    value "INSERT INTO nurture.suppression (contact, reason) SELECT 'gone' || i, 'bounce' FROM generate_series(1, 10000) i;
           INSERT INTO nurture.suppression (contact, reason) SELECT contact, 'complaint' FROM nurture.action ORDER BY id LIMIT 1000;
           ANALYZE nurture.suppression" >/dev/null
}
guard() {
    value "INSERT INTO nurture.policy (name, definition) VALUES
           ('bench', 'at most 1 per day at most 3 per rolling 7 days over all channels quiet from 00:00 to 00:01')" >/dev/null
}
measure() { # name of the array, script, count
    run "$2"
    value "SELECT count(*) / $seconds FROM $3"
}

plain=() suppressed=() guarded=() queue=()
for ((round = 0; round < rounds; round++)); do
    prepare
    plain+=("$(measure plain outbox.sql "nurture.action WHERE status = 'done'")")
    queue+=("$(measure queue plain.sql "plain_queue WHERE status = 'done'")")
    prepare
    suppress
    suppressed+=("$(measure suppressed outbox.sql "nurture.action WHERE status = 'done'")")
    prepare
    suppress
    guard
    guarded+=("$(measure guarded outbox.sql "nurture.action WHERE status = 'done'")")
    left=$(value "SELECT count(*) FROM nurture.action WHERE status = 'ready'")
    twice=$(value "SELECT count(*) FROM (SELECT contact FROM nurture.action WHERE status = 'done' GROUP BY contact HAVING count(*) > 1) t")
    wrong=$(value "SELECT count(*) FROM nurture.action a JOIN nurture.suppression s ON s.contact = a.contact WHERE a.status IN ('claimed', 'done')")
done
value "DROP TABLE plain_queue; TRUNCATE nurture.action, nurture.inbox, nurture.sent, nurture.suppression; DELETE FROM nurture.policy" >/dev/null
echo "actions/s claimed and completed, $clients clients, medians of $rounds:"
printf '  %-28s %s\n' 'plain SKIP LOCKED queue' "$(median "${queue[@]}")" 'outbox, no guards' "$(median "${plain[@]}")" \
    'with suppressions' "$(median "${suppressed[@]}")" 'with suppressions and caps' "$(median "${guarded[@]}")"
[ "$left" -gt 0 ] || { echo "the outbox ran empty: raise ACTIONS for true figures" >&2; exit 1; }
[ "$twice" -eq 0 ] && [ "$wrong" -eq 0 ] || { echo "guards let through what they must not" >&2; exit 1; }
[ "$(median "${guarded[@]}")" -ge "${AT_LEAST:-10000}" ] || { echo "below ${AT_LEAST:-10000} actions/s" >&2; exit 1; }
