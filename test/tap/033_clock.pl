# The clock jumps. Back: waits and windows stand still until it has caught up, messages are taken all the same. Forward: what
# is due by then happens, once. The jump is made by moving the moment that the engine has come to.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;
use EngineState;

my $node = PostgreSQL::Test::Cluster->new('clock');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'\nmax_worker_processes = 12\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE one');
create_nurture($node, 'one');
$node->safe_psql('one', q{
INSERT INTO nurture.segment (name, condition) VALUES ('busy', 'count(v within 1 second) >= 2');
INSERT INTO nurture.workflow (name, definition) VALUES ('hello', 'on v re-enter always wait 2 seconds send email ''hello''')});
wait_for_worker($node, 'one', 'the worker is there');
my $tell = sub { my ($contact) = @_; $node->safe_psql('one', "INSERT INTO nurture.inbox (contact, type) VALUES ('$contact', 'v'), ('$contact', 'v')"); return; };
my $empty = sub { my ($name) = @_; ok(defined wait_until(sub { $node->safe_psql('one', 'SELECT count(*) FROM nurture.inbox') == 0 }, 10), $name); return; };
$tell->('before');
$empty->('messages are taken');
ok(defined wait_until(sub { $node->safe_psql('one', q{SELECT count(*) FROM nurture.action WHERE contact = 'before'}) == 2 }, 15), 'waits end');

# Six seconds back.
$node->safe_psql('one', q{SELECT nurture.stop_worker(); UPDATE nurture.engine SET drained = clock_timestamp() + interval '6 seconds'; SELECT nurture.start_worker()});
my $began = time();
$tell->('back');
$empty->('set back: messages are taken all the same');
cmp_ok(time() - $began, '<', 5, 'at once');
like($node->safe_psql('one', 'SELECT status FROM nurture.freshness'), qr/^the clock was set back/, 'the status says so');
is($node->safe_psql('one', q{SELECT count(*) FROM nurture.membership WHERE contact = 'back'}), 1, 'who is busy is busy');
is($node->safe_psql('one', q{SELECT count(*) FROM nurture.action WHERE contact = 'back'}), 0, 'who waits waits');
ok(defined wait_until(sub { $node->safe_psql('one', q{SELECT count(*) FROM nurture.action WHERE contact = 'back'}) == 2 && $node->safe_psql('one', q{SELECT count(*) FROM nurture.membership}) == 0 }, 20), 'waits end, windows close');
ok(defined wait_until(sub { $node->safe_psql('one', 'SELECT status FROM nurture.freshness') eq 'fresh' }, 20), 'when the clock has caught up all is as before');
$tell->('after');
$empty->('and goes on');
ok(defined wait_until(sub { $node->safe_psql('one', q{SELECT count(*) FROM nurture.action WHERE contact = 'after'}) == 2 }, 15), 'with its waits');
is($node->safe_psql('one', q{SELECT count(*), count(DISTINCT id) FROM nurture.action}), '6|6', 'each action once');
is($node->safe_psql('one', 'SELECT * FROM nurture.verify(path => true)'), '', 'what is stored is what the log says');
is(status($node, 'one', 'failures'), 0, 'nothing failed');
# Idle behind a clock that was set back for long costs no writes.
$node->safe_psql('one', q{SELECT nurture.stop_worker(); UPDATE nurture.engine SET drained = clock_timestamp() + interval '1 day'; SELECT nurture.start_worker()});
$tell->('long');
$empty->('set back by a day: messages are taken');
sleep(1.5);
my $wal = $node->safe_psql('one', 'SELECT pg_current_wal_insert_lsn()');
sleep(2);
cmp_ok($node->safe_psql('one', "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$wal')"), '<', 10000, 'and waiting costs no writes');

# Forward, simulated: everything due by then happens, in the order in which it was due.
$node->safe_psql('postgres', 'CREATE DATABASE two');
$node->safe_psql('postgres', 'ALTER DATABASE two SET nurture.enabled = off');
$node->safe_psql('two', 'CREATE EXTENSION nurture');
$node->safe_psql('two', q{
INSERT INTO nurture.segment (name, condition) VALUES ('busy', 'count(v within 1 hour) >= 2');
INSERT INTO nurture.workflow (name, definition) VALUES ('hello', 'on v re-enter always wait 2 days send email ''hello''');
INSERT INTO nurture.inbox (contact, type, at, received_at) SELECT 'c' || g % 3, 'v', t, t FROM generate_series(1, 9) g, LATERAL (SELECT timestamptz '2021-01-01 00:00Z' + g * interval '1 minute') t(t);
BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('2021-01-01 00:10Z'); COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('2023-01-01 00:00Z'); COMMIT});
is($node->safe_psql('two', q{SELECT count(*) || ' ' || count(*) FILTER (WHERE due = timestamptz '2021-01-03 00:00Z' + n * interval '1 minute') FROM (SELECT due, row_number() OVER (ORDER BY due) AS n FROM nurture.action) a}), '9 9', 'forward by two years: each wait ended at its own moment');
is($node->safe_psql('two', q{SELECT string_agg(to_char(at AT TIME ZONE 'UTC', 'HH24:MI'), ' ' ORDER BY at) FROM nurture.transition WHERE kind = 'segment left'}), '01:04 01:05 01:06', 'each window closed at its own');
$node->stop;
done_testing();
