# A standby has no worker; promoted, it has.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'\nmax_worker_processes = 12\nautovacuum = off\n");
$primary->start;
$primary->safe_psql('postgres', 'CREATE DATABASE one');
create_nurture($primary, 'one');
wait_for_worker($primary, 'one', 'the primary has a worker');
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
insert_event($primary, 'one', 3);
$primary->wait_for_catchup($standby);
sleep(1);
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'nurture%'}), '0',
    'a standby has neither launcher nor worker');
is(status($standby, 'one', 'state'), 'not started', 'its status can be read');
my ($result, $out, $error) = $standby->psql('one', 'SELECT nurture.start_worker()');
like($error, qr/cannot run during recovery.*HINT/s, 'start_worker() refuses');

$primary->stop;
$standby->promote;
wait_for_worker($standby, 'one', 'promotion starts the worker');
insert_event($standby, 'one');
ok(defined wait_until(sub { $standby->safe_psql('one', 'SELECT count(*) FROM nurture.inbox') == 0 }, 3), 'which works');

$standby->stop;
done_testing();
