# Nothing happens: the worker sleeps, and nothing is written; although journeys sleep, and actions wait for senders that there are not.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use WorkerStub;

my $node = PostgreSQL::Test::Cluster->new('idle');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'\nautovacuum = off");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE live');
create_nurture($node, 'live');
wait_for_worker($node, 'live', 'the worker is there');
$node->safe_psql('live', <<'SQL');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('asleep', 'on go send email ''hello'' do ''task'' wait 30 days send email ''late'''), ('gone', 'on go exit on bye send email ''a'' wait 9 days');
INSERT INTO nurture.inbox (contact, type) SELECT 'c' || g, 'go' FROM generate_series(1, 1000) g;
INSERT INTO nurture.inbox (contact, type) SELECT 'c' || g, 'bye' FROM generate_series(1, 1000, 7) g;
SQL
ok(defined wait_until(sub { $node->safe_psql('live', q{SELECT count(*) FROM nurture.action}) == 3000 }, 30), 'everybody is on the way');
$node->safe_psql('live', 'SELECT nurture.stop_worker(); SELECT pg_sleep(1.5)');
$node->safe_psql('live', 'SELECT nurture.start_worker()'); # its first tick comes long after the last one
my $state = q{SELECT drained FROM nurture.engine};
# What there was to do after the last message is done in a few seconds; then the worker does not come back.
my $still;
foreach (1 .. 10)
{
    my $before = $node->safe_psql('live', $state);
    sleep(3);
    $still = $node->safe_psql('live', $state) eq $before;
    last if $still;
}
ok($still, 'the worker ticks no more') or diag($node->safe_psql('live', 'SELECT * FROM nurture._worker_status()'));
my $before = $node->safe_psql('live', $state);
sleep(6);
is($node->safe_psql('live', $state), $before, 'nor does it come back for nothing');
my ($wakes) = $node->safe_psql('live', q{SELECT extract(epoch FROM sleeping_until - now()) > 10 FROM nurture.freshness});
is($wakes, 't', 'it sleeps for long');
# It is there when it is needed.
$node->safe_psql('live', q{INSERT INTO nurture.inbox (contact, type) VALUES ('new', 'go')});
ok(defined wait_until(sub { $node->safe_psql('live', q{SELECT count(*) FROM nurture.action WHERE contact = 'new'}) == 3 }, 10), 'and wakes for a message');
$node->stop;
done_testing();
