# Without shared_preload_libraries: a session starts the launcher, which survives a crash and leaves when it has no work.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;

my $launchers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'nurture launcher'};

my $node = PostgreSQL::Test::Cluster->new('plain');
$node->init;
$node->append_conf('postgresql.conf', "restart_after_crash = on\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE one');
$node->safe_psql('postgres', 'CREATE DATABASE two');
create_nurture($node, 'one');
insert_event($node, 'one');
is($node->safe_psql('postgres', $launchers), '0', 'CREATE EXTENSION and an insert start nothing');
like(status($node, 'one', 'state'), qr/^(not started|waiting)$/, 'the status says so');

my ($result, $out, $error) = $node->psql('two',
    'BEGIN; CREATE EXTENSION nurture; SELECT nurture.start_worker()');
like($error, qr/does not find the extension.*HINT:  Commit CREATE EXTENSION first/s, 'not before CREATE EXTENSION is committed');
$node->safe_psql('one', 'SELECT nurture.stop_worker()');
ok($node->poll_query_until('postgres', $launchers, '0'), 'the launcher leaves when there is nothing to do');

is($node->safe_psql('one', 'SELECT nurture.start_worker()'), 't', 'start_worker()');
my $pid = wait_for_worker($node, 'one', 'is up');
ok(defined wait_until(sub { $node->safe_psql('one', 'SELECT count(*) FROM nurture.inbox') == 0 }, 3), 'and takes what waits');
my $moment = $node->safe_psql('one', 'SELECT clock_timestamp()');
insert_event($node, 'one');
ok(defined wait_until(sub { ticked_since($node, 'one', $moment) }, 1), 'it is woken at commit');

# Many at once: one launcher, one worker each.
create_nurture($node, 'two');
$node->safe_psql('one', 'SELECT nurture.stop_worker()');
my @sessions = map { $node->background_psql($_ % 2 ? 'one' : 'two') } 1 .. 6;
$_->{stdin} .= "SELECT nurture.start_worker();\n" foreach @sessions;
$_->{run}->pump_nb foreach @sessions;
$pid = wait_for_worker($node, 'one', 'six sessions start workers at once');
wait_for_worker($node, 'two', 'in two databases');
$_->quit foreach @sessions;
is($node->safe_psql('postgres', $launchers), '1', 'one launcher');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'nurture worker'}), '2', 'two workers');

# It survives a crash; a restart of the server it does not.
kill 9, $pid;
ok(defined wait_until(sub { $node->psql('postgres', 'SELECT 1') == 0 && pid_of($node, 'one') !~ /^($pid)?$/ }, 20),
    'both come back after a crash');
wait_for_worker($node, 'one', 'and work', not => $pid);
$node->restart;
sleep(1);
is($node->safe_psql('postgres', $launchers), '0', 'after a restart it waits to be asked');

# Only who may, may.
$node->safe_psql('one', 'CREATE ROLE somebody');
foreach my $call (qw(start_worker stop_worker _announce _worker_status))
{
    ($result, $out, $error) = $node->psql('one', "SET ROLE somebody; SELECT nurture.$call()");
    like($error, qr/permission denied for function $call/, "$call is not for everybody");
}

# Settings are checked.
($result, $out, $error) = $node->psql('one', q{LOAD 'nurture'; SET nurture.timezone = 'Mars/Olympus'});
like($error, qr/invalid value for parameter "nurture.timezone": "Mars\/Olympus"/, 'a time zone that there is not');
($result, $out, $error) = $node->psql('one', q{LOAD 'nurture'; SET nurture.max_slep = '1 s'});
like($error, qr/invalid configuration parameter name "nurture.max_slep"/, 'a setting that there is not');
is($node->safe_psql('one', q{LOAD 'nurture'; SELECT string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings WHERE name LIKE 'nurture.%'}),
    'nurture.action_expiry 1d, nurture.aggregate_memory 256MB, nurture.backfill_contacts 250000, nurture.batch_bytes 64MB, nurture.batch_rows 50000, '
    . 'nurture.change_reason , nurture.dedup_window 7d, nurture.enabled on, nurture.enrol_limit 1000, nurture.history_from , nurture.holdout_percent 0, nurture.holdout_salt , nurture.late_after 1d, '
    . 'nurture.leap_day_in_march off, nurture.max_definition_depth 500, nurture.max_definition_terms 10000, nurture.max_sleep 1min, '
    . 'nurture.max_window_entries 1000, nurture.page_events page_view, nurture.quarantine_limit 100, nurture.session_gap 30min, nurture.sweep_contacts 1000, nurture.timezone UTC, '
    . 'nurture.week_start monday', 'the defaults');

# No worker slot at all: the logical replication launcher takes the only one.
$node->append_conf('postgresql.conf', 'max_worker_processes = 1');
$node->restart;
($result, $out, $error) = $node->psql('one', 'SELECT nurture.start_worker()');
like($error, qr/could not register the nurture launcher: no free worker slot.*HINT:  Raise "max_worker_processes"/s,
    'no slot for the launcher');

$node->stop;
done_testing();
