#!/bin/sh
# Journeys asleep and waking up, in a throw-away cluster: how many wake-ups a second one core takes, what the backend's memory
# does meanwhile, the same written by hand, and what a database full of sleepers costs while nobody wakes.
#   SCALE (1000000 journeys asleep, as many wake-ups within a simulated hour), IDLE (60 seconds), PG_CONFIG
# Each contact has two journeys: one sleeps for a month, one wakes within the hour, asks a question, makes an action and sleeps on. By hand:
# a table of what is due with an index on when, taken in the order of time, a minute at a time.
set -eu
cd "$(dirname "$0")/../.."
. scripts/cluster.sh
. test/bench/common.sh
scale=${SCALE:-1000000} idle=${IDLE:-60}
begin=$(date -u -d '-3 hours' '+%Y-%m-%d %H:00') # what sleeps for a month sleeps when it is over
after() { date -u -d "$begin UTC + $1 minutes" '+%Y-%m-%d %H:%M+00'; }

begin_bench shared_preload_libraries=nurture jit=off max_parallel_workers_per_gather=0
createdb bench
export PGDATABASE=bench
value "ALTER DATABASE bench SET nurture.enabled = off" # the clock is simulated
value "CREATE EXTENSION nurture"
run <<'SQL'
INSERT INTO nurture.segment (name, condition) VALUES ('buyer', 'did purchase');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('asleep', 'on go wait 30 days send email ''much_later'' as transactional'),
    ('awake',  'on go exit on purchase wait 1 hour if in segment ''buyer'' then exit end
                send email ''reminder'' as transactional wait 30 days send email ''last'' as transactional');
SQL

# Both sides are told the same: contacts that begin within an hour, evenly, in no order.
value "CREATE TABLE begin AS SELECT 'contact' || (g::bigint * 7919 % $scale) AS contact,
       timestamptz '$begin+00' + g * (interval '1 hour' / $scale) AS at FROM generate_series(0, $scale - 1) g" >/dev/null
value "INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT contact, 'go', at, at FROM begin ORDER BY at"
value "CALL nurture.tick('$(after 60)')"
run <<'SQL'
CREATE SCHEMA hand;
CREATE TABLE hand.buyer (contact text COLLATE "C" PRIMARY KEY);
CREATE TABLE hand.journey (contact text COLLATE "C", workflow int, step int NOT NULL, since timestamptz NOT NULL, wakes timestamptz,
    PRIMARY KEY (contact, workflow)) WITH (fillfactor = 70);
CREATE INDEX ON hand.journey (wakes);
CREATE TABLE hand.action (id uuid PRIMARY KEY, contact text COLLATE "C" NOT NULL, channel text, template text, payload jsonb DEFAULT '{}',
    status text DEFAULT 'ready', due timestamptz, workflow int, step int);
CREATE INDEX ON hand.action (channel, due, id) WHERE status IN ('ready', 'claimed');
CREATE TABLE hand.history (contact text COLLATE "C", workflow int, step int, what text, at timestamptz);
CREATE INDEX ON hand.history (contact, at);
INSERT INTO hand.journey SELECT contact, w, 1, at, at + CASE w WHEN 1 THEN interval '30 days' ELSE interval '1 hour' END
FROM begin, generate_series(1, 2) w;
INSERT INTO hand.history SELECT contact, workflow, 1, 'waits', since FROM hand.journey;
-- Whoever is due, once, in the order of time; what they do; where they go on. One statement: as good as set-based SQL gets.
CREATE FUNCTION hand.wake(now timestamptz) RETURNS bigint LANGUAGE sql AS $$
WITH due AS (
    SELECT j.contact, j.workflow, j.step, j.wakes, EXISTS (SELECT FROM hand.buyer b WHERE b.contact = j.contact) AS buys
    FROM hand.journey j WHERE j.wakes <= now ORDER BY j.wakes FOR UPDATE SKIP LOCKED
), acted AS (
    INSERT INTO hand.action (id, contact, channel, template, due, workflow, step)
    SELECT md5(d.contact || '/' || d.workflow || '/' || d.step)::uuid, d.contact, 'email',
           CASE WHEN d.workflow = 1 THEN 'much_later' WHEN d.step = 1 THEN 'reminder' ELSE 'last' END, d.wakes, d.workflow, d.step
    FROM due d WHERE d.workflow = 1 OR NOT d.buys
), logged AS (
    INSERT INTO hand.history SELECT d.contact, d.workflow, d.step + 1, CASE WHEN d.workflow = 2 AND d.step = 1 AND NOT d.buys THEN 'waits' ELSE 'ended' END, d.wakes
    FROM due d
), moved AS (
    UPDATE hand.journey j SET step = d.step + 1, since = d.wakes,
        wakes = CASE WHEN d.workflow = 2 AND d.step = 1 AND NOT d.buys THEN d.wakes + interval '30 days' END
    FROM due d WHERE j.contact = d.contact AND j.workflow = d.workflow
    RETURNING 1
)
SELECT count(*) FROM moved
$$;
SQL
value "VACUUM ANALYZE"
value "CHECKPOINT"

# A session's minutes one after the other; its processor time and private memory before, half way and at the end.
note='SELECT pg_backend_pid() AS pid \gset
\setenv PID :pid
'
look='\! awk '"'"'{t = $14 + $15} END {print "cpu", t}'"'"' /proc/$PID/stat; awk '"'"'/^RssAnon/ {print "memory", $2}'"'"' /proc/$PID/status
'
minutes() { # statement with %s for the moment
    printf '%s' "$note"
    # The first minute shows what a session takes once.
    for minute in $(seq 0 60); do
        [ "$minute" != 1 ] && [ "$minute" != 31 ] || printf '%s' "$look"
        # shellcheck disable=SC2059
        printf "$1\n" "$(after $((60 + minute)))"
    done
    printf '%s' "$look"
}
measure() { minutes "$1" >"$cluster_dir/minutes.sql"; psql -X -q -A -t -v ON_ERROR_STOP=1 -f "$cluster_dir/minutes.sql"; }
measure "CALL nurture.tick('%s');" >"$cluster_dir/ours"
measure "SELECT hand.wake('%s') \\\\g /dev/null" >"$cluster_dir/theirs"
figure() { awk -v what="$2" -v n="$3" '$1 == what && ++i == n {print $2}' "$cluster_dir/$1"; }
cpu_seconds() { awk -v a="$(figure "$1" cpu 1)" -v b="$(figure "$1" cpu 3)" -v hz="$(getconf CLK_TCK)" 'BEGIN {printf "%.2f", (b - a) / hz}'; }
woken=$(value "SELECT count(*) FROM nurture.transition WHERE kind = 'journey waits' AND name = 'awake' AND step = '4'")
hand_woken=$(value "SELECT count(*) FROM hand.history WHERE step = 2")
differences=$(value "SELECT count(*) FROM (SELECT contact, template, due FROM nurture.action EXCEPT SELECT contact, template, due FROM hand.action) d")
ours=$(cpu_seconds ours) theirs=$(cpu_seconds theirs)

echo "$scale journeys asleep beside $scale that wake within a simulated hour, in 60 ticks; PostgreSQL $(value "SELECT setting FROM pg_settings WHERE name = 'server_version'"), fsync off"
row what ours theirs ratio
row '' nurture 'by hand' 'ours/th.'
row 'wake-ups' "$woken" "$hand_woken" ''
row 'actions that differ' "$differences" '' ''
row 'processor seconds of the backend' "$ours" "$theirs" "$(ratio "$ours" "$theirs")"
row 'wake-ups/s (each: a choice, an action, the next wait)' "$(per_second "$woken" "$ours")" "$(per_second "$hand_woken" "$theirs")" "$(ratio "$theirs" "$ours")"
row 'steps of workflows/s, four a wake-up' "$(per_second $((4 * woken)) "$ours")" '' ''
for n in 1 2 3; do
    row "private memory of the backend, kB: $(echo 'after the first minute,half way,at the end' | cut -d, -f$n)" "$(figure ours memory $n)" "$(figure theirs memory $n)" ''
done
row 'bytes of state: median, two journeys' "$(value "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY pg_column_size(state)) FROM nurture.contact")" '' ''

# Nobody wakes for weeks: what all of the server's processes take while the worker sleeps.
value "DROP SCHEMA hand CASCADE" 2>/dev/null
value "VACUUM"
value "ALTER DATABASE bench RESET nurture.enabled"
value "CHECKPOINT"
value "SELECT nurture.stop_worker()" >/dev/null # it has read the settings when it began
value "SELECT nurture.start_worker()" >/dev/null
sleep 25
worker=$(value "SELECT pid FROM pg_stat_activity WHERE backend_type = 'nurture worker' AND datname = 'bench'")
before=$(server_cpu) worker_before=$(cpu_of_process "$worker")
sleep "$idle"
after=$(server_cpu) worker_after=$(cpu_of_process "$worker")
row "processor ms of the server in $idle idle seconds" "$(awk -v a="$before" -v b="$after" 'BEGIN {print b - a}')"
row '… of them the worker' "$(awk -v a="$worker_before" -v b="$worker_after" 'BEGIN {print b - a}')"
row 'worker' "$(value "SELECT worker FROM nurture.freshness")"
