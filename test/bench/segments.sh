#!/bin/sh
# What twice as many segments cost, ten of them windowed and two sequences: events/s through the tick, the size of a state, the hottest
# leads. In a throw-away cluster; run it on an idle machine.
#   ROWS (1000000), CONTACTS (500000), PG_CONFIG
set -eu
cd "$(dirname "$0")/../.."
. scripts/cluster.sh
. test/bench/common.sh
rows=${ROWS:-1000000} contacts=${CONTACTS:-500000}

begin_bench
createdb bench
export PGDATABASE=bench
value "ALTER DATABASE bench SET nurture.enabled = off"
run -v rows="$rows" -v contacts="$contacts" -f test/bench/generate.sql >/dev/null
value "CREATE EXTENSION nurture"
run -f test/bench/definitions.sql
run <<'SQL'
INSERT INTO nurture.segment (name, condition) VALUES
 ('window shopper', 'count(page_view where path like ''/p/%'' within 3 days) >= 5 and not did purchase within 30 days'),
 ('reads the documentation', 'count(page_view where path like ''/docs/%'' within 14 days) >= 3'),
 ('mail stopped working', 'did email_open before 30 days ago and not did email_open within 30 days'),
 ('good month', 'sum(amount of purchase within 30 days) >= 200'),
 ('downloads twice a week', 'did download at least 2 times within 7 days'),
 ('looked, then bought', 'did (page_view where path like ''/pricing/%'' then purchase within 1 day)'),
 ('asked, and then nothing', 'did (form_submit where form = ''contact'' then not login within 7 days)'),
 ('newsletter reader', 'count(email_click) >= 2'),
 ('known and warm', 'score >= 20 and did form_submit'),
 ('anything but buying', 'score(product) >= 5 and not did purchase');
SQL
value "INSERT INTO nurture.inbox (contact, type, at, props, received_at) SELECT contact, type, at, props, at FROM bench_event ORDER BY at"
last=$(value "SELECT max(at) FROM bench_event")
value 'CHECKPOINT'
took=$(seconds "CALL nurture.tick('$last')")
row "events/s through the tick, $rows events, 20 rules, 20 segments" "$(awk -v n="$rows" -v s="$took" 'BEGIN {printf "%.0f", n / s}')"
row 'bytes of state: median' "$(value "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY pg_column_size(state)) FROM nurture.contact")"
row 'bytes of state: p99' "$(value "SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY pg_column_size(state)) FROM nurture.contact")"
value 'VACUUM ANALYZE nurture.contact'
row "seconds of lead ORDER BY score LIMIT 20, of $(value "SELECT count(*) FROM nurture.contact") contacts" "$(seconds "SELECT contact, score FROM nurture.lead ORDER BY score DESC LIMIT 20")"
row 'contacts whose features verify differently (1 percent)' "$(value "SELECT count(DISTINCT contact_key) FROM nurture.verify(sample => 0.01)")"
