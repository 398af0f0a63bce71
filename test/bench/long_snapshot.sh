#!/bin/sh
# Does a tick become slower while somebody holds a snapshot? Timers of many contacts fire tick by tick under an analyst's REPEATABLE READ transaction,
# and events go through the inbox;
# with LOCKS=yes under locks on every table that a dump reads, too, as pg_dump holds them. Prints the CPU time of the first and the last ticks and their ratio,
# and what the tables have grown to. Uses the server of PGHOST and PGPORT, in a database of its own.
#   TIMERS=500000 TICKS=60 LOCKS=yes test/bench/long_snapshot.sh
set -eu
timers=${TIMERS:-500000}
ticks=${TICKS:-60}
events=${EVENTS:-2000}
lock=true
[ "${LOCKS:-no}" = yes ] || lock=false
database=nurture_long_snapshot
psql="psql -X -q -v ON_ERROR_STOP=1 -d $database"
dropdb --force --if-exists "$database"
createdb "$database"
trap 'kill "$holder" 2>/dev/null || true; wait 2>/dev/null || true; dropdb --force --if-exists "$database"' EXIT
holder=
psql -X -q -d postgres -c "ALTER DATABASE $database SET nurture.enabled = off"
$psql <<SQL
CREATE EXTENSION nurture;
CALL nurture.tick('2021-01-01');
INSERT INTO nurture.workflow (name, definition) VALUES ('wait', 'on go wait 1 day send email ''x'' as transactional');
-- Due evenly from the second day on: an equal share with every tick.
INSERT INTO nurture.inbox (contact, type, at, received_at)
SELECT 'c' || g, 'go', t, t FROM generate_series(1, $timers) g, LATERAL (SELECT timestamptz '2021-01-02' + g * (interval '12 hours' / $timers)) w (t);
CALL nurture.tick('2021-01-02 20:00');
VACUUM ANALYZE nurture.contact;
CREATE TABLE cost (n int, kind text, cpu numeric);
SQL
(printf '%s\n' "BEGIN ISOLATION LEVEL REPEATABLE READ;" "SELECT count(*) FROM nurture.engine;" \
    "DO \$\$ DECLARE t regclass; BEGIN FOR t IN SELECT c.oid FROM pg_extension e JOIN pg_class c ON c.oid = ANY (e.extconfig) WHERE extname = 'nurture' AND relkind IN ('r', 'p') AND $lock UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = 'nurture.event_log'::regclass AND $lock LOOP EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', t); END LOOP; END \$\$;" \
    "SELECT pg_sleep(36000);") | $psql -o /dev/null &
holder=$!
sleep 2
# One session does all of it: its CPU time, from the kernel, is what a tick costs.
$psql <<SQL
CREATE FUNCTION cpu(pid int) RETURNS numeric LANGUAGE sql AS \$\$
    SELECT (split_part(s, ' ', 14)::numeric + split_part(s, ' ', 15)::numeric) * 10 FROM regexp_replace(pg_read_file('/proc/' || pid || '/stat'), '\(.*\)', 'x') s \$\$;
DO \$\$
DECLARE
    before numeric;
    moment timestamptz;
BEGIN
    FOR n IN 1 .. $ticks LOOP
        moment := timestamptz '2021-01-03' + n * (interval '12 hours' / $ticks);
        INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT 'e' || g % 500, 'v', moment, moment FROM generate_series(1, $events) g;
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
        before := cpu(pg_backend_pid());
        PERFORM nurture._tick_batch(moment);
        INSERT INTO cost VALUES (n, 'tick', cpu(pg_backend_pid()) - before);
        COMMIT;
        PERFORM nurture._maintain();
        COMMIT;
    END LOOP;
END
\$\$;
WITH share AS (SELECT greatest($ticks / 6, 1) AS n)
SELECT (SELECT avg(cpu) FROM cost, share s WHERE cost.n > 1 AND cost.n <= 1 + s.n)::numeric(10,1) AS first_ms,
       (SELECT avg(cpu) FROM cost, share s WHERE cost.n > $ticks - s.n)::numeric(10,1) AS last_ms,
       ((SELECT avg(cpu) FROM cost, share s WHERE cost.n > $ticks - s.n) / nullif((SELECT avg(cpu) FROM cost, share s WHERE cost.n > 1 AND cost.n <= 1 + s.n), 0))::numeric(10,2) AS ratio;
SELECT name, rows, heap, indexes, dead_rows FROM nurture.sizes WHERE name IN ('contact', '_batch', '_stepped', 'engine') OR kind = 'inbox' ORDER BY bytes DESC LIMIT 12;
SQL
