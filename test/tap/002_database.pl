# The worker is in nobody's way: DROP, RENAME and TEMPLATE of its database and of others; and too few worker slots.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;

my $node = PostgreSQL::Test::Cluster->new('databases');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'nurture'
max_worker_processes = 12
autovacuum = off
CONF
$node->start;
foreach my $database (qw(one two three))
{
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    create_nurture($node, $database);
}
my %pid = map { $_ => wait_for_worker($node, $_, "worker in $_") } qw(one two three);

# Succeeds within ten seconds, without FORCE.
sub succeeds
{
    my ($sql, $name) = @_;
    my $begun = time();
    my ($result, $out, $error) = $node->psql('postgres', $sql, timeout => 30);
    my $took = time() - $begun;
    is($result, 0, $name) or diag($error);
    cmp_ok($took, '<', 10, "... in $took s");
    return;
}

# A database without a worker, while workers idle elsewhere (each must absorb the barrier), and while one is busy.
$node->safe_psql('postgres', 'CREATE DATABASE plain');
succeeds('DROP DATABASE plain', 'DROP DATABASE of a database without a worker');
break_tick($node, 'three', 'more := true; PERFORM pg_sleep(0.01); RETURN NEXT');
insert_event($node, 'three');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
succeeds('DROP DATABASE plain', 'so while a worker runs batch after batch');
succeeds('CREATE DATABASE three_copy TEMPLATE three', 'TEMPLATE of a database whose worker never rests');
mend_tick($node, 'three');
wait_for_worker($node, 'three', 'its worker comes back', not => $pid{three});
is(pid_of($node, 'three_copy'), '', 'the copy has none of its own');
my ($result, $out, $error) = $node->psql('three_copy', 'SELECT nurture.start_worker()');
is("$result $out", '0 t', 'until it is asked for') or diag($error);

# Its own database.
succeeds('CREATE DATABASE copy TEMPLATE one', 'CREATE DATABASE ... TEMPLATE of a database with a worker');
$pid{one} = wait_for_worker($node, 'one', 'its worker comes back', not => $pid{one});
my $moment = $node->safe_psql('one', 'SELECT clock_timestamp()');
insert_event($node, 'one');
ok(defined wait_until(sub { ticked_since($node, 'one', $moment) }, 2), 'and works');
succeeds('ALTER DATABASE one RENAME TO uno', 'ALTER DATABASE ... RENAME');
wait_for_worker($node, 'uno', 'its worker comes back', not => $pid{one});
my $log = -s $node->logfile;
succeeds('DROP DATABASE two', 'DROP DATABASE of a database with a worker');
sleep(6);
unlike(log_since($node, $log), qr/FATAL|ERROR|WARNING/, 'the launcher forgets it without a word');

# As many databases as there are worker slots, and one more. The launcher is one of them.
foreach my $database (qw(uno three three_copy copy))
{
    $node->safe_psql('postgres', "DROP DATABASE $database");
}
$node->append_conf('postgresql.conf', "max_worker_processes = 3\nmax_logical_replication_workers = 0");
$node->restart;
foreach my $database (qw(first second third))
{
    $node->safe_psql('postgres', "CREATE DATABASE $database");
}
foreach my $database (qw(first second))
{
    create_nurture($node, $database);
    wait_for_worker($node, $database, "worker in $database");
}
$log = -s $node->logfile;
create_nurture($node, 'third');
ok(defined wait_until(sub { status($node, 'third', 'state') eq 'no free worker slot' }, 5), 'the status says that there is no slot');
like(log_since($node, $log), qr/WARNING:  no free slot for the nurture worker.*HINT:  Raise "max_worker_processes"/s, 'so does the log');
my ($error_result, $error_out, $error_text) = $node->psql('third', 'SELECT nurture.start_worker()');
like($error_text, qr/no free slot.*HINT:.*max_worker_processes/s, 'and start_worker()');
$node->safe_psql('first', 'SELECT nurture.stop_worker()');
wait_for_worker($node, 'third', 'when a slot becomes free it is taken', seconds => 13);
is(scalar(() = log_since($node, $log) =~ /WARNING/g), 1, 'one warning in all');

$node->stop;
done_testing();
