#!/bin/bash
# What identities cost: merges per second of the server's CPU, and events that come under an alias against direct ones,
# in one run on a throw-away server.
#   test/bench/identity.sh [merges] [events]
set -eu
cd "$(dirname "$0")/../.."
. scripts/cluster.sh
. test/bench/common.sh
merges=${1:-100000} events=${2:-200000}
begin_bench shared_preload_libraries= jit=off
tell() { run -A -t "$@"; }
# Seconds of CPU, user and system, of the session that a statement runs in.
cpu_of() {
    tell -d "$1" <<SQL | tail -n 1
CREATE TEMP TABLE used (seconds double precision);
COPY used FROM PROGRAM 'awk ''{ print (\$14 + \$15) / 100 }'' /proc/\$PPID/stat';
$2
COPY used FROM PROGRAM 'awk ''{ print (\$14 + \$15) / 100 }'' /proc/\$PPID/stat';
SELECT round((max(seconds) - min(seconds))::numeric, 2) FROM used;
SQL
}
prepare() {
    createdb "$1"
    tell -d "$1" -c "ALTER DATABASE $1 SET nurture.enabled = off"
    tell -d "$1" -c "CREATE EXTENSION nurture" \
        -c "INSERT INTO nurture.rule (name, definition) VALUES ('views', '+2 on v half-life 7 days'), ('buys', '+10 on buy')" \
        -c "INSERT INTO nurture.segment (name, condition) VALUES ('busy', 'count(v within 7 days) >= 3'), ('rich', 'sum(amount of buy) > 100')"
}
events_of() { # key, begin
    echo "INSERT INTO nurture.inbox (contact, kind, type, at, received_at, props)
        SELECT $1, CASE WHEN $1 LIKE 'cookie%' THEN 'anonymous' END, CASE WHEN g % 5 = 0 THEN 'buy' ELSE 'v' END, t, t, jsonb_build_object('amount', g % 100)
        FROM (SELECT g, g * 7919::bigint % $merges AS who, timestamptz '$2' + g * interval '1 hour' / $events AS t FROM generate_series(1, $events) g) g"
}
prepare merging
tell -d merging -c "$(events_of "'cookie ' || who" '2026-01-01 01:00')" -c "$(events_of "'user ' || who" '2026-01-01 01:00')" -c "CALL nurture.tick('2026-01-01 02:00')" -c "VACUUM ANALYZE"
tell -d merging -c "INSERT INTO nurture.inbox (contact, kind, type, at, received_at, props)
    SELECT 'cookie ' || g, 'anonymous', '\$alias', t, t, jsonb_build_object('to', 'user ' || g) FROM (SELECT g, timestamptz '2026-01-01 03:00' + g * interval '1 second' / $merges AS t FROM generate_series(0, $merges - 1) g) g"
took=$(cpu_of merging "CALL nurture.tick('2026-01-01 04:00');")
made=$(tell -d merging -c "SELECT count(*) FROM nurture.merge_log")
[ "$made" = "$merges" ] || { echo "$made merges instead of $merges" >&2; exit 1; }
awk -v n="$merges" -v s="$took" 'BEGIN { printf "%d merges: %.2f s of CPU, %.0f merges/s\n", n, s, n / s }'
tell -d merging -c VACUUM
tell -d merging -c "$(events_of "'user ' || who" '2026-01-01 05:00')"
direct=$(cpu_of merging "CALL nurture.tick('2026-01-01 06:00');")
tell -d merging -c VACUUM
tell -d merging -c "$(events_of "'cookie ' || who" '2026-01-01 07:00')"
aliased=$(cpu_of merging "CALL nurture.tick('2026-01-01 08:00');")
awk -v d="$direct" -v a="$aliased" 'BEGIN { printf "events direct %.2f s, under an alias %.2f s of CPU: %.2f times\n", d, a, a / d }'
tell -d merging -c "SELECT 'differences: ' || count(*) FROM nurture.verify(sample => 0.01)"
