# Transactions that become visible late: prepared ones, which wake nobody when they commit, and writers that stay open. Their rows are
# taken soon after, happen at the contact's clock, and none is lost.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;
use EngineState;

my $node = PostgreSQL::Test::Cluster->new('prepared');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'nurture'
max_prepared_transactions = 10
max_worker_processes = 12
nurture.max_sleep = '1h'
CONF
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach 'one', 'other';
create_nurture($node, 'one');
define_engine($node, 'one');
wait_for_worker($node, 'one', 'the worker is there');
my $insert = sub { sprintf q{INSERT INTO nurture.inbox (contact, type, message_id) SELECT 'c' || g %% 5, 'v', '%s' || g FROM generate_series(1, %d) g}, @_ };
my $empty = sub {
    my ($name, $seconds) = @_;
    my $took = wait_until(sub { $node->safe_psql('one', 'SELECT count(*) FROM nurture.inbox') == 0 }, $seconds);
    ok(defined $took, $name);
    note(sprintf '%s: after %.1f s', $name, $took // -1);
    return;
};
my $prepare = sub { $node->safe_psql('one', "BEGIN; $_[0]; PREPARE TRANSACTION '$_[1]'"); return; };

$node->safe_psql('one', $insert->('a', 10));
$empty->('what is committed is taken', 10);
$prepare->($insert->('p', 10), 'first');
sleep(1.5);
is($node->safe_psql('one', 'SELECT logged FROM nurture.engine'), 10, 'what is only prepared is not');
# From a session of another database that has never heard of the extension.
$node->safe_psql('one', q{COMMIT PREPARED 'first'});
$empty->('what was prepared is taken when it commits, long before max_sleep', 10);
accounts_balance($node, 'one', 20, 'once');

# It comes late: it happens at the clock, which the log keeps.
my $told = $node->safe_psql('one', 'SELECT clock_timestamp()');
$prepare->($insert->('late', 5), 'second');
sleep(0.3);
$node->safe_psql('one', $insert->('b', 5));
ok(defined wait_until(sub { $node->safe_psql('one', 'SELECT logged FROM nurture.engine') == 25 }, 10), 'others go ahead of it');
$node->safe_psql('one', q{COMMIT PREPARED 'second'});
$empty->('then it is taken', 10);
is($node->safe_psql('one', q{SELECT count(*) FROM nurture.event_log l WHERE message_id LIKE 'late%' AND clock > received_at
    AND clock >= (SELECT max(o.clock) FROM nurture.event_log o WHERE o.contact = l.contact AND o.tick < l.tick)}), 5, 'each happened at its contact\'s clock');
is($node->safe_psql('one', qq{SELECT count(*) FROM nurture.event_log WHERE message_id LIKE 'late%' AND received_at BETWEEN '$told' AND timestamptz '$told' + '1 second'}), 5, 'and keeps the moment it was told');
is($node->safe_psql('one', 'SELECT count(*) FROM nurture.verify(path => true)'), 0, 'the log says so, too');

# Across a crash of the server, together with one that is rolled back.
$prepare->($insert->('q', 10), 'third');
$prepare->($insert->('gone', 10), 'fourth');
$node->stop('immediate');
$node->start;
wait_for_worker($node, 'one', 'the worker is there again');
$node->safe_psql('one', q{ROLLBACK PREPARED 'fourth'});
$node->safe_psql('one', q{COMMIT PREPARED 'third'});
$empty->('a transaction that was prepared before a crash is noticed', 15);
accounts_balance($node, 'one', 40, 'what was committed is there once, what was rolled back is not');

# One that nobody finishes costs no writes.
$prepare->($insert->('orphan', 1), 'orphan');
sleep(1.5);
my $wal = $node->safe_psql('one', 'SELECT pg_current_wal_insert_lsn()');
sleep(3);
cmp_ok($node->safe_psql('one', "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$wal')"), '<', 10000, 'a forgotten one costs no writes');
$node->safe_psql('one', q{ROLLBACK PREPARED 'orphan'});

# A writer that stays open for long while the engine goes on.
my $writer = $node->background_psql('one');
$writer->query_safe('BEGIN; ' . $insert->('open', 5));
foreach my $n (1 .. 5)
{
    $node->safe_psql('one', $insert->("meanwhile$n-", 5));
    sleep(0.2);
}
ok(defined wait_until(sub { $node->safe_psql('one', 'SELECT logged FROM nurture.engine') == 65 }, 10), 'an open writer holds up nobody');
$writer->query_safe('COMMIT');
$writer->quit;
$empty->('its rows are taken when it commits', 5);
accounts_balance($node, 'one', 70, 'nothing was lost');
is($node->safe_psql('one', 'SELECT * FROM nurture.verify(path => true)'), '', 'and everything adds up');
is(status($node, 'one', 'failures'), 0, 'nothing failed');
$node->stop;
done_testing();
