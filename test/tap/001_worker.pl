# A preloaded worker: where it runs, when it ticks, what it survives.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;

my $node = PostgreSQL::Test::Cluster->new('preload');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'nurture'
max_worker_processes = 12
restart_after_crash = on
autovacuum = off
CONF
$node->start;

# One per database that has the extension, from CREATE EXTENSION on, and after a restart.
$node->safe_psql('postgres', 'CREATE DATABASE one');
$node->safe_psql('postgres', 'CREATE DATABASE two');
create_nurture($node, 'one');
create_nurture($node, 'two');
my $one = wait_for_worker($node, 'one', 'CREATE EXTENSION gets a worker');
my $two = wait_for_worker($node, 'two', 'so in a second database');
isnt($one, $two, 'each has its own');
is(pid_of($node, 'postgres'), '', 'a database without the extension has none');
$node->restart;
$one = wait_for_worker($node, 'one', 'a restart of the server brings the worker back');
wait_for_worker($node, 'two', 'and the second');
is(pid_of($node, 'postgres'), '', 'and none where the extension is not');
is($node->safe_psql('one', 'SELECT nurture.start_worker()'), 'f', 'start_worker: already running');

# Wake-up: at commit, not before, not at rollback; nurture.max_sleep is its default of 60 s throughout.
is($node->safe_psql('one', 'SHOW nurture.max_sleep'), '1min', 'the worker would sleep for a minute');
sleep(1.2);
my $slowest = 0;
foreach my $round (1 .. 5)
{
    my $moment = $node->safe_psql('one', 'SELECT clock_timestamp()');
    insert_event($node, 'one');
    my $took = wait_until(sub { ticked_since($node, 'one', $moment) && $node->safe_psql('one', 'SELECT count(*) FROM nurture.inbox') == 0 }, 5) // 99;
    $slowest = $took if $took > $slowest;
}
cmp_ok($slowest, '<', 1, 'a committed insert is taken within a second');
note("slowest: $slowest s, mostly the polling");

sleep(1.2);
my $moment = $node->safe_psql('one', 'SELECT clock_timestamp()');
$node->safe_psql('one', q{BEGIN; INSERT INTO nurture.inbox (contact, type) VALUES ('a', 'b'); ROLLBACK});
$node->safe_psql('one', q{SELECT 1});
sleep(1);
ok(!ticked_since($node, 'one', $moment), 'a rollback wakes nobody');

my $session = $node->background_psql('one');
$session->query_safe(q{BEGIN; INSERT INTO nurture.inbox (contact, type) VALUES ('a', 'b')});
sleep(0.5);
ok(!ticked_since($node, 'one', $moment), 'an insert that is not committed yet wakes nobody');
$session->query_safe(q{SAVEPOINT s; INSERT INTO nurture.inbox (contact, type) VALUES ('a', 'b'); ROLLBACK TO s; COMMIT});
ok(defined wait_until(sub { ticked_since($node, 'one', $moment) }, 1), 'its commit does');
$session->quit;

# A backlog is worked off batch by batch, each in its own REPEATABLE READ transaction; maintenance follows.
my $stubbed = $node->safe_psql('one', q{SELECT to_regclass('nurture._stub_tick') IS NOT NULL}) eq 't';
SKIP:
{
    skip 'the engine is installed, not the stub', 5 unless $stubbed;
    sleep(1.2);
    $node->safe_psql('one', 'TRUNCATE nurture._stub_tick, nurture._stub_maintenance');
    insert_event($node, 'one', 95);
    ok(defined wait_until(sub { $node->safe_psql('one', 'SELECT sum(consumed) = 95 FROM nurture._stub_tick') eq 't' }, 5),
        'nothing is left of a backlog');
    is($node->safe_psql('one', 'SELECT count(*), min(isolation), max(isolation) FROM nurture._stub_tick'),
        '10|repeatable read|repeatable read', 'ten batches, each REPEATABLE READ');
    ok(defined wait_until(sub { $node->safe_psql('one', 'SELECT count(*) FROM nurture._stub_maintenance') == 1 }, 3),
        'one maintenance after the drain');
    is($node->safe_psql('one', 'SELECT DISTINCT isolation FROM nurture._stub_maintenance'),
        'read committed', 'in READ COMMITTED');

    # Time alone: the worker wakes at next_due, not at max_sleep.
    $node->safe_psql('one',
        q{INSERT INTO nurture._stub_due VALUES (clock_timestamp() + '1.5 s'); INSERT INTO nurture.inbox (contact) VALUES ('a')});
    my $late = $node->poll_query_until('one',
        q{SELECT count(*) = 1 FROM nurture._stub_tick WHERE consumed = 0 AND clock_timestamp() - at < '1 s'});
    ok($late, 'what is due by time alone happens without a wake-up');
}

# Errors: backoff, visible; recovery without help.
my $log = -s $node->logfile;
break_tick($node, 'one', q{RAISE ''the tick is broken: äöü''});
insert_event($node, 'one');
ok(defined wait_until(sub { status($node, 'one', 'failures') >= 2 }, 5), 'failures are counted');
is(status($node, 'one', 'state, last_error, last_error_at > started_at, sleeping_until > last_error_at'),
    'failing|the tick is broken: äöü|t|t', 'the status shows state, error and the next attempt');
my $before = status($node, 'one', 'failures');
insert_event($node, 'one') foreach 1 .. 5;
cmp_ok(status($node, 'one', 'failures'), '<=', $before + 1, 'inserts do not shorten the backoff');
mend_tick($node, 'one');
$moment = $node->safe_psql('one', 'SELECT clock_timestamp()');
ok(defined wait_until(sub { status($node, 'one', 'failures') eq '0' }, 10), 'it recovers by itself');
is(status($node, 'one', 'state, last_error'), 'idle|the tick is broken: äöü', 'the last error stays for inspection');
is(pid_of($node, 'one'), $one, 'all this in one process');
cmp_ok(scalar(() = log_since($node, $log) =~ /ERROR:  the tick is broken/g), '<=', 4, 'the log is not flooded');

# start_worker ends a backoff.
break_tick($node, 'one', q{RAISE ''broken again''});
insert_event($node, 'one');
wait_until(sub { status($node, 'one', 'failures') >= 3 }, 10);
mend_tick($node, 'one');
$node->safe_psql('one', 'SELECT nurture.start_worker()');
ok(defined wait_until(sub { status($node, 'one', 'failures') eq '0' }, 1), 'start_worker() ends a backoff');

# Conflicts are repeated without noise.
$log = -s $node->logfile;
$node->safe_psql('one', 'CREATE SEQUENCE nurture.attempts');
break_tick($node, 'one',
    q{IF nextval(''nurture.attempts'') <= 4 THEN RAISE ''conflict'' USING ERRCODE = ''40001''; END IF; more := false; RETURN NEXT});
$moment = $node->safe_psql('one', 'SELECT clock_timestamp()');
insert_event($node, 'one');
ok(defined wait_until(sub { ticked_since($node, 'one', $moment) }, 1), 'serialization failures are retried at once');
unlike(log_since($node, $log), qr/ERROR/, 'and not logged');
mend_tick($node, 'one');

# Stop and start.
is($node->safe_psql('one', 'SELECT nurture.stop_worker()'), 't', 'stop_worker');
is(pid_of($node, 'one'), '', 'it is gone when stop_worker returns');
insert_event($node, 'one');
$node->reload;
sleep(1);
is(pid_of($node, 'one'), '', 'neither an insert nor a reload starts it again');
is($node->safe_psql('one', 'SELECT nurture.stop_worker()'), 'f', 'nothing left to stop');
is($node->safe_psql('one', 'SELECT nurture.start_worker()'), 't', 'start_worker');
$one = wait_for_worker($node, 'one', 'is up again');
ok(defined wait_until(sub { $node->safe_psql('one', 'SELECT count(*) FROM nurture.inbox') == 0 }, 5),
    'and takes what came while it was stopped');
my ($result, $out, $error) = $node->psql('one',
    'BEGIN; LOCK TABLE nurture.inbox; INSERT INTO nurture.inbox (contact) VALUES (NULL); SELECT nurture.start_worker(); SELECT nurture.stop_worker(); COMMIT');
is($result, 0, 'stop_worker does not wait for a worker that waits for the caller') or diag($error);
$node->safe_psql('one', 'SELECT nurture.start_worker()');
$one = wait_for_worker($node, 'one', 'is up once more');

# pg_terminate_backend: restarted.
$node->safe_psql('postgres', "SELECT pg_terminate_backend($one)");
$one = wait_for_worker($node, 'one', 'a terminated worker comes back', not => $one);

# The launcher terminated: it comes back, and the workers have not noticed.
$node->safe_psql('postgres',
    q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'nurture launcher'});
ok($node->poll_query_until('postgres',
        q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'nurture launcher'}),
    'a terminated launcher comes back');
is(pid_of($node, 'one'), $one, 'the worker goes on meanwhile');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($one)");
$one = wait_for_worker($node, 'one', 'the new launcher looks after it', not => $one);

# nurture.enabled.
$node->safe_psql('postgres', 'ALTER DATABASE one SET nurture.enabled = off');
$node->reload;
wait_for_no_worker($node, 'one', 'ALTER DATABASE ... SET nurture.enabled = off ends it');
ok(defined wait_until(sub { status($node, 'one', 'state') eq 'disabled' }, 5), 'the status says why');
($result, $out, $error) = $node->psql('one', 'SELECT nurture.start_worker()');
like($error, qr/disabled in this database.*HINT:.*nurture\.enabled/s, 'start_worker says so too');
$node->safe_psql('postgres', 'ALTER DATABASE one RESET nurture.enabled');
$node->reload;
$one = wait_for_worker($node, 'one', 'a reload lets it in again');

# DROP EXTENSION and CREATE EXTENSION.
$node->safe_psql('one', 'DROP EXTENSION nurture CASCADE');
wait_for_no_worker($node, 'one', 'the worker goes after DROP EXTENSION');
$log = -s $node->logfile;
create_nurture($node, 'one');
$one = wait_for_worker($node, 'one', 'and comes with CREATE EXTENSION');
$node->safe_psql('one', 'BEGIN; DROP EXTENSION nurture CASCADE; SELECT pg_sleep(0.2); ROLLBACK');
$moment = $node->safe_psql('one', 'SELECT clock_timestamp()');
insert_event($node, 'one');
ok(defined wait_until(sub { ticked_since($node, 'one', $moment) }, 2), 'a DROP EXTENSION that is rolled back does no harm');
unlike(log_since($node, $log), qr/ERROR|FATAL|PANIC/, 'all that without an error in the log');

# An idle worker: how often it wakes up and what that costs.
SKIP:
{
    skip 'no /proc', 2 unless -r "/proc/$one/stat";
    my $usage = sub {
        my @stat = split / /, (slurp_file("/proc/$one/stat") =~ s/.*\) //r);
        my ($switches) = slurp_file("/proc/$one/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m;
        return ($stat[11] + $stat[12], $switches);
    };
    sleep(2.5);
    my ($cpu, $switches) = $usage->();
    sleep(6);
    my ($cpu_after, $switches_after) = $usage->();
    note(($cpu_after - $cpu) . ' clock ticks, ' . ($switches_after - $switches) . ' wake-ups in 6 s');
    cmp_ok($cpu_after - $cpu, '<=', 1, 'an idle worker uses at most one clock tick (10 ms) in 6 s');
    cmp_ok($switches_after - $switches, '<=', 8, 'and wakes up at most 8 times');
}

# kill -9 of the worker: crash restart of the server, and everything is back.
insert_event($node, 'one');
kill 9, $one;
ok(defined wait_until(sub { $node->psql('postgres', 'SELECT 1') == 0 && pid_of($node, 'one') !~ /^($one)?$/ }, 20),
    'a killed worker comes back after crash recovery');
wait_for_worker($node, 'one', 'and idles', not => $one);
wait_for_worker($node, 'two', 'so does the other');
ok(defined wait_until(sub { $node->safe_psql('one', 'SELECT count(*) FROM nurture.inbox') == 0 }, 5), 'nothing is left in the inbox');

$node->stop;
done_testing();
