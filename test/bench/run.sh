#!/bin/sh
# The engine against the same function written by hand in plain PostgreSQL (trigger_pipeline.sql), side by side in one run,
# in a throw-away cluster; then the latency of the live worker. Rows: what, ours, theirs, ratio.
#   ROWS (1000000; BENCH=full: 5000000), CONTACTS (500000), RATE (2000 events/s), SECONDS_LIVE (20), PG_CONFIG
set -eu
cd "$(dirname "$0")/../.."
. scripts/cluster.sh
. test/bench/common.sh
rows=${ROWS:-1000000} contacts=${CONTACTS:-500000} rate=${RATE:-2000} seconds_live=${SECONDS_LIVE:-20}
[ "${BENCH:-}" != full ] || rows=5000000

begin_bench shared_preload_libraries=nurture track_commit_timestamp=on
createdb bench
export PGDATABASE=bench
# Both contenders from the same place in time; the worker stays out while the clock is simulated.
value "ALTER DATABASE bench SET nurture.enabled = off"
run -v rows="$rows" -v contacts="$contacts" -f test/bench/generate.sql >/dev/null
value "CREATE INDEX ON bench_event (at)"
last=$(value "SELECT max(at) FROM bench_event")

value "CREATE EXTENSION nurture"
run -f test/bench/definitions.sql
value "CHECKPOINT"
insert=$(seconds "INSERT INTO nurture.inbox (contact, type, at, props, received_at)
                  SELECT contact, type, at, props, at FROM bench_event ORDER BY at")
tick=$(seconds "CALL nurture.tick('$last')")

(cd test/bench && run -f trigger_pipeline.sql >/dev/null)
run <<'SQL' >/dev/null
CREATE PROCEDURE feed(batch int) LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
  FOR r IN SELECT min(at) a, max(at) b FROM (SELECT at, (row_number() OVER (ORDER BY at) - 1) / batch k FROM bench_event) x GROUP BY k ORDER BY 1 LOOP
    INSERT INTO opponent.event SELECT at, contact, type, props FROM bench_event WHERE at BETWEEN r.a AND r.b;
    PERFORM opponent.wake(r.b); COMMIT;
  END LOOP;
END $$;
SQL
value "CHECKPOINT"
theirs=$(seconds "CALL feed(10000)")

echo "$rows events on $contacts contacts; 20 rules, 10 segments (5 windowed), 3 workflows; $(value "SELECT setting FROM pg_settings WHERE name = 'server_version'"), fsync off"
row what ours theirs ratio
row '' nurture 'by hand' 'ours/th.'
ours=$(awk -v a="$insert" -v b="$tick" 'BEGIN {printf "%.2f", a + b}')
row 'events/s, insert and tick' "$(per_second "$rows" "$ours")" "$(per_second "$rows" "$theirs")" "$(ratio "$theirs" "$ours")"
row 'events/s, tick alone' "$(per_second "$rows" "$tick")" '' "$(ratio "$theirs" "$tick")"
row 'actions made' "$(value "SELECT count(*) FROM nurture.action")" "$(value "SELECT count(*) FROM opponent.action")" ''
row 'segments entered and left' "$(value "SELECT count(*) FROM nurture.transition WHERE kind LIKE 'segment%'")" "$(value "SELECT count(*) FROM opponent.transition")" ''
row 'members at the end' "$(value "SELECT count(*) FROM nurture.membership_entry")" "$(value "SELECT count(*) FROM opponent.member")" ''
row 'of them left by the passing of time' "$(value "SELECT count(*) FROM nurture.transition WHERE kind = 'segment left' AND cause = 'time'")" 'none can' ''
row 'bytes of state: median' "$(value "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY pg_column_size(state)) FROM nurture.contact")" '' ''
row 'bytes of state: p99' "$(value "SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY pg_column_size(state)) FROM nurture.contact")" '' ''
row 'seconds of lead ORDER BY score LIMIT 20' "$(value 'ANALYZE nurture.contact'; seconds "SELECT contact, score FROM nurture.lead ORDER BY score DESC LIMIT 20")" '' ''
row 'contacts whose features verify differently' "$(value "SELECT count(DISTINCT contact_key) FROM nurture.verify(sample => 0.01)")" '' ''

# The live worker: events at a steady rate, every tenth brings an action; from received_at to the action's commit.
value "DROP SCHEMA opponent CASCADE" 2>/dev/null
createdb live
export PGDATABASE=live
value "CREATE EXTENSION nurture"
run -f test/bench/definitions.sql
value "INSERT INTO nurture.workflow (name, definition) VALUES ('ping', 'on ping where answer = true re-enter always do ''pong''')"
cat >"$cluster_dir/live.sql" <<'SQL'
\set contact random(1, 500000)
\set answer random(1, 10)
INSERT INTO nurture.inbox (contact, type, props)
SELECT 'u' || :contact::int, CASE :answer::int WHEN 1 THEN 'ping' ELSE 'page_view' END,
       CASE :answer::int WHEN 1 THEN jsonb_build_object('answer', true) ELSE jsonb_build_object('path', '/pricing/' || :answer::int) END;
SQL
pgbench -n -M prepared -c 4 -j 1 -R "$rate" -T "$seconds_live" -f "$cluster_dir/live.sql" >"$cluster_dir/pgbench.out" 2>&1 || cat "$cluster_dir/pgbench.out"
sleep 2
row "live, events/s inserted (wanted $rate)" "$(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$cluster_dir/pgbench.out")" '' ''
for share in 0.5 0.95 0.99 1; do
    row "live, insert to action visible, ms: p$share" "$(value "SELECT round(1000 * percentile_disc($share) WITHIN GROUP (ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - due)))
        FROM nurture.action WHERE channel = 'pong'")" '' ''
done
row 'live, actions' "$(value "SELECT count(*) FROM nurture.action WHERE channel = 'pong'")" "of $(value "SELECT count(*) FROM nurture.event_log WHERE type = 'ping'")" ''
