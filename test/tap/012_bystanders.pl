# The engine beside others: long snapshots, open and prepared transactions, locks on every table, truncation under writers, DROP.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;
use EngineState;
use IPC::Run;

my $node = PostgreSQL::Test::Cluster->new('bystanders');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'nurture'
max_prepared_transactions = 5
max_worker_processes = 12
CONF
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach 'beside', 'truncated', 'busy', 'trickle';

create_nurture($node, 'beside');
define_engine($node, 'beside');
wait_for_worker($node, 'beside', 'the worker is there');
my $insert = q{INSERT INTO nurture.inbox (contact, type, message_id) SELECT 'c' || g %% 50, 'v', '%s' || g FROM generate_series(1, %d) g};
my $drained = sub {
    my ($count, $name) = @_;
    ok(defined wait_until(sub { $node->safe_psql('beside', 'SELECT count(*) FROM nurture.inbox') == 0 }, 20), $name);
    accounts_balance($node, 'beside', $count, "$name: everything was taken once");
};
$node->safe_psql('beside', sprintf($insert, 'a', 100));
$drained->(100, 'alone');

# A reader whose snapshot is old, a writer that does not commit, one that is prepared, and a lock on every table.
my $reader = $node->background_psql('beside');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM nurture.contact');
my $writer = $node->background_psql('beside');
$writer->query_safe('BEGIN; ' . sprintf($insert, 'open', 50));
$node->safe_psql('beside', 'BEGIN; ' . sprintf($insert, 'prepared', 50) . q{; PREPARE TRANSACTION 'p'});
my $locker = $node->background_psql('beside');
$locker->query_safe('BEGIN');
$locker->query_safe("LOCK TABLE $_ IN ACCESS SHARE MODE") foreach split /\n/,
    $node->safe_psql('beside', q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'nurture'::regnamespace AND relkind IN ('r', 'p')});
$node->safe_psql('beside', sprintf($insert, 'b', 6000)); # more than the tick empties its tables by DELETE for
$drained->(6100, 'beside a reader, open writers and locks on every table');
$node->safe_psql('beside', sprintf($insert, "c$_", 20)) foreach 1 .. 20;
$drained->(6500, 'again and again');
$writer->query_safe('COMMIT');
$drained->(6550, 'the open writer commits');
$node->safe_psql('beside', q{COMMIT PREPARED 'p'});
$node->safe_psql('beside', 'SELECT nurture.start_worker()'); # nobody wakes it at COMMIT PREPARED: it would come within max_sleep
$drained->(6600, 'the prepared one commits');
$_->quit foreach $reader, $writer, $locker;
is(status($node, 'beside', 'failures'), 0, 'and nothing failed');

# Truncation: writers commit one row at a time while the inbox is filled, drained and truncated.
$node->safe_psql('postgres', 'ALTER DATABASE truncated SET nurture.enabled = off');
$node->safe_psql('truncated', 'CREATE EXTENSION nurture; CREATE TABLE written (writer int, rows int)');
my @writers;
foreach my $n (1, 2)
{
    my ($in, $out, $err) = ('', '', '');
    my $sql = <<"SQL";
DO \$\$
BEGIN
    FOR i IN 1 .. 4000 LOOP
        INSERT INTO nurture.inbox (contact, type, message_id) VALUES ('w$n', 'v', 'w$n-' || i);
        COMMIT;
        IF i % 20 = 0 THEN
            PERFORM pg_sleep(0.03 + random() * 0.05); -- the inbox must be empty now and then
        END IF;
    END LOOP;
END
\$\$
SQL
    push @writers, [ IPC::Run::start(
        [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('truncated'), '-c', $sql, '-c', "INSERT INTO written VALUES ($n, 4000)" ],
        '<', \$in, '>', \$out, '2>', \$err), \$err ];
}
my ($truncations, $bulk, $filenode) = (0, 0, '');
my $until = time() + 60;
while (time() < $until && $node->safe_psql('truncated', 'SELECT count(*) FROM written') < 2)
{
    $node->safe_psql('truncated', q{INSERT INTO nurture.inbox (contact, type, props)
        SELECT 'bulk' || g, 'v', jsonb_build_object('pad', (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 50) WHERE g > 0)) FROM generate_series(1, 700) g});
    $bulk += 700;
    $node->safe_psql('truncated', "CALL nurture.tick();\n" x 12); # each followed by maintenance; one finds the inbox empty
    my $now = $node->safe_psql('truncated', q{SELECT string_agg(pg_relation_filenode(inhrelid)::text, ' ' ORDER BY inhrelid) FROM pg_inherits WHERE inhparent = 'nurture.inbox'::regclass});
    $truncations++ if $now ne $filenode;
    $filenode = $now;
}
foreach my $writer (@writers)
{
    ok($writer->[0]->finish, 'a writer comes to its end') or diag(${ $writer->[1] });
}
$node->safe_psql('truncated', 'CALL nurture.tick()');
note("$truncations truncations, $bulk rows beside 8000");
cmp_ok($truncations, '>', 3, 'the inbox was truncated under the writers');
accounts_balance($node, 'truncated', $bulk + 8000, 'no row was lost, none taken twice');
# In a snapshot that stands still it is not safe, so it is not done.
$node->safe_psql('truncated', q{INSERT INTO nurture.inbox (contact, type, props) SELECT 'x', 'v', jsonb_build_object('pad', repeat('x', 1000)) FROM generate_series(1, 20000)});
$node->safe_psql('truncated', 'CALL nurture.tick()') foreach 1 .. 2;
$filenode = $node->safe_psql('truncated', q{SELECT string_agg(pg_relation_filenode(inhrelid)::text, ' ' ORDER BY inhrelid) FROM pg_inherits WHERE inhparent = 'nurture.inbox'::regclass});
$node->safe_psql('truncated', q{INSERT INTO nurture.inbox (contact, type, props) SELECT 'y', 'v', jsonb_build_object('pad', (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 50) WHERE g > 0)) FROM generate_series(1, 1000) g});
$node->safe_psql('truncated', 'BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick(); SELECT nurture._maintain(); COMMIT');
is($node->safe_psql('truncated', q{SELECT string_agg(pg_relation_filenode(inhrelid)::text, ' ' ORDER BY inhrelid) FROM pg_inherits WHERE inhparent = 'nurture.inbox'::regclass}), $filenode, 'no truncation in REPEATABLE READ');

# A backlog is no reason for DROP to wait, or to fail.
create_nurture($node, 'busy');
define_engine($node, 'busy');
$node->safe_psql('postgres', 'ALTER DATABASE busy SET nurture.batch_rows = 2000');
wait_for_worker($node, 'busy', 'a worker for the busy one');
my $backlog = q{INSERT INTO nurture.inbox (contact, type) SELECT 'c' || g % 20000, 'v' FROM generate_series(1, 200000) g};
my $log = -s $node->logfile;
$node->safe_psql('busy', $backlog);
ok(defined wait_until(sub { $node->safe_psql('busy', 'SELECT logged > 0 FROM nurture.engine') eq 't' }, 20), 'it is at work');
cmp_ok($node->safe_psql('busy', 'SELECT count(*) FROM nurture.inbox'), '>', 0, 'with a backlog before it');
my $begun = time();
$node->safe_psql('busy', 'DROP EXTENSION nurture');
note(sprintf('DROP EXTENSION took %.1f s', time() - $begun));
cmp_ok(time() - $begun, '<', 20, 'DROP EXTENSION waits for a batch, not for the backlog');
wait_for_no_worker($node, 'busy', 'the worker goes');
unlike(log_since($node, $log), qr/PANIC|FATAL|terminated by signal/, 'in peace');
create_nurture($node, 'busy');
define_engine($node, 'busy');
wait_for_worker($node, 'busy', 'and a worker comes again');
$node->safe_psql('busy', $backlog);
wait_until(sub { $node->safe_psql('busy', 'SELECT coalesce(max(logged), 0) > 0 FROM nurture.engine') eq 't' }, 20);
$begun = time();
is($node->psql('postgres', 'DROP DATABASE busy'), 0, 'DROP DATABASE goes through');
note(sprintf('DROP DATABASE took %.1f s', time() - $begun));

# A trickle: thousands of ticks in one process leave its memory where it was.
SKIP:
{
    create_nurture($node, 'trickle');
    define_engine($node, 'trickle');
    my $pid = wait_for_worker($node, 'trickle', 'a worker for the trickle');
    skip 'no /proc', 1 unless -r "/proc/$pid/status";
    my $trickle = sub {
        $node->safe_psql('trickle', <<"SQL");
DO \$\$
BEGIN
    FOR i IN 1 .. $_[0] LOOP
        INSERT INTO nurture.inbox (contact, type) VALUES ('c' || i % 20, 'v');
        COMMIT;
        PERFORM pg_sleep(0.011);
    END LOOP;
END
\$\$
SQL
        wait_until(sub { $node->safe_psql('trickle', 'SELECT count(*) FROM nurture.inbox') == 0 }, 10);
    };
    my $private = sub {
        my ($kb) = slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m;
        return $kb;
    };
    $trickle->(300);
    my ($ticks, $before) = ($node->safe_psql('trickle', 'SELECT tick FROM nurture.engine'), $private->());
    $trickle->($ENV{NURTURE_TRICKLE} // 1000);
    my $after = $private->();
    $ticks = $node->safe_psql('trickle', 'SELECT tick FROM nurture.engine') - $ticks;
    note("$before kB, after $ticks ticks more $after kB");
    is(pid_of($node, 'trickle'), $pid, 'one process');
    cmp_ok($after - $before, '<', 1024, 'its own memory does not grow');
}
$node->stop;
done_testing();
