# What runs out: worker processes, connections, the disk. The engine waits, says for what, loses nothing, and goes on by itself.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;
use EngineState;

my $node = PostgreSQL::Test::Cluster->new('exhausted');
$node->init;
# Three processes: the server's own launcher of logical replication, ours, and one worker.
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'nurture'
max_worker_processes = 3
max_connections = 20
superuser_reserved_connections = 3
CONF
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach 'one', 'two';
my $taken = sub { my ($database, $name, $seconds) = @_; ok(defined wait_until(sub { $node->safe_psql($database, 'SELECT count(*) FROM nurture.inbox') == 0 }, $seconds // 15), $name); return; };
create_nurture($node, 'one');
wait_for_worker($node, 'one', 'the first database has the only worker process');
create_nurture($node, 'two');
insert_event($node, 'two', 10);
ok(defined wait_until(sub { $node->safe_psql('two', 'SELECT worker FROM nurture.freshness') eq 'no free worker slot' }, 15), 'the second one says what it lacks');
like($node->safe_psql('two', 'SELECT status FROM nurture.freshness'), qr/max_worker_processes/, 'and which setting gives it');
is($node->safe_psql('two', 'SELECT count(*) FROM nurture.inbox'), 10, 'messages wait');
$node->safe_psql('two', 'CALL nurture.tick()');
$taken->('two', 'a tick by hand takes them');
insert_event($node, 'two', 10);
$node->safe_psql('one', 'DROP EXTENSION nurture');
$taken->('two', 'when a process becomes free the launcher uses it', 75);
is($node->safe_psql('two', q{SELECT status FROM nurture.freshness}), 'fresh', 'then all is well');

# All connections taken: the worker needs none of them.
my @sessions;
my $full = 0;
for (1 .. 20)
{
    my $session = eval { $node->background_psql('two', on_error_stop => 1) };
    last if !defined $session;
    push @sessions, $session;
    last if @sessions == 17;
}
my ($result, $out, $error) = $node->psql('two', 'SELECT 1', extra_params => [ '-U', 'nobody' ]);
note("$error");
$sessions[0]->query_safe('INSERT INTO nurture.inbox (contact, type) SELECT \'full\', \'v\' FROM generate_series(1, 100)');
my $left = wait_until(sub { $sessions[0]->query_safe('SELECT count(*) FROM nurture.inbox') =~ /^0$/m }, 15);
ok(defined $left, 'with ' . scalar(@sessions) . ' of 20 connections taken the worker goes on');
$_->quit foreach @sessions;

# The disk: the database lies on a small one, the server's own files on another.
SKIP:
{
    my $disk = $ENV{NURTURE_SMALL_DISK};
    skip 'no small disk: mounting one needs root and the permission to mount (see scripts/prove.sh)', 1 if !$disk;
    $node->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$disk'");
    $node->safe_psql('two', 'DROP EXTENSION nurture');
    $node->safe_psql('postgres', 'CREATE DATABASE small TABLESPACE small');
    create_nurture($node, 'small');
    define_engine($node, 'small');
    wait_for_worker($node, 'small', 'a worker for the database on the small disk', seconds => 75);
    $node->safe_psql('small', q{INSERT INTO nurture.inbox (contact, type, message_id) SELECT 'c' || g % 100, 'v', 'a' || g FROM generate_series(1, 1000) g});
    $taken->('small', 'there is room');
    $node->safe_psql('small', 'SELECT nurture.stop_worker()');
    # Messages come while there is room for them, and none for what they lead to.
    $node->safe_psql('small', q{INSERT INTO nurture.inbox (contact, type, message_id, props) SELECT 'd' || g, 'v', 'b' || g, jsonb_build_object('pad', repeat(md5(g::text), 20)) FROM generate_series(1, 10000) g});
    $node->safe_psql('small', 'CHECKPOINT');
    my $ballast = "$disk/ballast";
    open my $file, '>:raw', $ballast or die $!;
    while (defined syswrite($file, "\0" x 65536)) { }
    close $file;
    $node->safe_psql('small', 'SELECT nurture.start_worker()');
    ok(defined wait_until(sub { $node->safe_psql('small', 'SELECT last_error FROM nurture.freshness') =~ /No space left on device/ }, 30), 'on a full disk the tick fails') or diag($node->safe_psql('small', 'SELECT * FROM nurture.freshness'));
    like($node->safe_psql('small', 'SELECT status FROM nurture.freshness'), qr/the worker fails|no room/, 'the status says so');
    is($node->safe_psql('small', q{SELECT (SELECT count(*) FROM nurture.inbox), (SELECT logged FROM nurture.engine)}), '10000|1000', 'nothing is half done');
    sleep(3);
    is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'nurture worker'}), 1, 'the worker stays');
    unlink $ballast or die $!;
    $taken->('small', 'when there is room it goes on by itself', 75);
    accounts_balance($node, 'small', 11000, 'nothing was lost, nothing taken twice');
    is($node->safe_psql('small', 'SELECT * FROM nurture.verify(path => true)'), '', 'everything adds up');
    is($node->safe_psql('small', 'SELECT status FROM nurture.freshness'), 'fresh', 'and all is well');
    $node->safe_psql('postgres', 'DROP DATABASE small');
    $node->safe_psql('postgres', 'DROP TABLESPACE small');
}
$node->stop;
done_testing();
