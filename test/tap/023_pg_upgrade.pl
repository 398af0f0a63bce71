# pg_upgrade: the new cluster has another system identifier, so it is taken for a copy and waits for resume(). Also from a released
# version, whose functions are made again with the library of now.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Upgrade;
use WorkerStub;

# The server forgets initial privileges that are the default, and brackets of parsed bodies that change nothing.
sub without_server
{
    return join("\n", grep { !/^initially/ } split /\n/, $_[0] =~ tr/()//dr =~ s/,app=\w+//gr);
}

my $conf = "shared_preload_libraries = 'nurture'\nmax_worker_processes = 12\n";
my $old = PostgreSQL::Test::Cluster->new('before');
$old->init;
$old->append_conf('postgresql.conf', $conf);
$old->start;
$old->safe_psql('postgres', 'CREATE DATABASE now; CREATE ROLE app');
$old->safe_psql('postgres', 'ALTER DATABASE now SET nurture.enabled = off');
$old->safe_psql('now', 'CREATE EXTENSION nurture; GRANT SELECT ON nurture.lead TO app');
run_file($old, 'now', 'upgrade/fill.sql', 'a database of this version');
my $before = lines_of($old, 'now', 'upgrade/outcome.sql');
my $catalogue = catalogue_of($old, 'now');
my $differences = $old->safe_psql('now', 'SELECT count(*) FROM nurture.verify(path => true)');
my @released = sort map { m{/([\d.]+)/dump\.sql$} } glob('upgrade/*/dump.sql');
foreach my $version (@released)
{
    my $name = 'v' . $version =~ s/\W/_/gr;
    $old->safe_psql('postgres', "CREATE DATABASE $name");
    $old->safe_psql('postgres', "ALTER DATABASE $name SET nurture.enabled = off");
    $old->safe_psql($name, "CREATE EXTENSION nurture VERSION '$version'");
    run_file($old, $name, golden($version, 'dump.sql'), "a database of version $version");
}
my $identifier = $old->safe_psql('postgres', 'SELECT system_identifier FROM pg_control_system()');
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('after');
$new->init;
$new->append_conf('postgresql.conf', $conf);
my $bin = $old->config_data('--bindir');
my @upgrade = ('pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $bin, '-B', $bin, '-s', $new->host, '-p', $old->port, '-P', $new->port);
chdir $new->basedir or die $!;
my $here = $ENV{TESTDIR} . '/tap';
command_ok([ @upgrade, '--check' ], 'pg_upgrade finds nothing against it');
command_ok([@upgrade], 'pg_upgrade');
chdir $here or die $!;
$new->start;
isnt($new->safe_psql('postgres', 'SELECT system_identifier FROM pg_control_system()'), $identifier, 'the new cluster has an identifier of its own');

is_same_lines(lines_of($new, 'now', 'upgrade/outcome.sql'), $before, 'everything is there');
is_same_lines(without_server(catalogue_of($new, 'now')), without_server($catalogue), 'the extension is the same');
like($new->safe_psql('now', 'SELECT status FROM nurture.freshness'), qr/^restored copy/, 'it is known as a copy');
my (undef, undef, $error) = $new->psql('now', 'CALL nurture.tick()');
like($error, qr/this database is a copy/, 'and does not run');
is($new->safe_psql('now', 'SELECT count(*) FROM nurture.verify(path => true)'), $differences, 'what it says of itself is as before');
run_file($new, 'now', 'upgrade/further.sql', 'resumed, it goes on');
isnt(lines_of($new, 'now', 'upgrade/outcome.sql'), $before, 'with results');

foreach my $version (@released)
{
    my $name = 'v' . $version =~ s/\W/_/gr;
    is($new->safe_psql($name, q{SELECT extversion FROM pg_extension WHERE extname = 'nurture'}), $version, "it is $version still");
    is($new->psql($name, 'ALTER EXTENSION nurture UPDATE'), 0, "$version updates behind pg_upgrade");
    is_same_lines(without_server(catalogue_of($new, $name)), without_server($catalogue), "$version: to the same extension");
    like($new->safe_psql($name, 'SELECT status FROM nurture.freshness'), qr/^restored copy/, "$version: it is known as a copy");
    run_file($new, $name, 'upgrade/further.sql', "$version: resumed, it goes on");
    is_same_lines(lines_of($new, $name, 'upgrade/outcome.sql'), slurp_file(golden($version, 'after.txt')), "$version: to the same end as there");
}
$new->stop;
done_testing();
