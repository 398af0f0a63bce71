# Another library is installed while the worker runs: what runs keeps the old one, a restart takes the new, and as long as library and
# tables are of two versions nothing is written and the status says what to do.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use File::Basename;
use File::Copy qw(copy);
use File::Path qw(make_path);
use WorkerStub;

# An installation of our own, in which the library can be replaced: programs are copied, all else is linked to.
my %is = map { chomp(my $path = `pg_config --$_`); ($_ => $path) } qw(bindir pkglibdir sharedir);
my $root = PostgreSQL::Test::Utils::tempdir();
my $common = $is{bindir};
$common = dirname($common) while grep { index($_, "$common/") != 0 } @is{qw(bindir pkglibdir sharedir)};
$common = '' if $common eq '/';
my %our = map { ($_ => $root . substr($is{$_}, length $common)) } keys %is;
make_path($our{bindir}, $our{pkglibdir}, dirname($our{sharedir}));
system('cp', '-p', glob("$is{bindir}/*"), $our{bindir}) == 0 or die;
symlink($_, "$our{pkglibdir}/" . basename($_)) foreach grep { !m{/nurture\.so$} } glob("$is{pkglibdir}/*");
symlink($is{sharedir}, $our{sharedir}) or die;

my $library = do { local (@ARGV, $/) = ("$is{pkglibdir}/nurture.so"); binmode ARGV; <> };
my ($current) = $library =~ /nurture library ([\d.]+)\0/;
ok(defined $current, 'the library says its version: ' . ($current // ''));
my $later = $current =~ tr/0-9/9/r;
my $install = sub {
    my ($version) = @_;
    my $file = "$our{pkglibdir}/nurture.so";
    open my $out, '>:raw', "$file.new" or die $!;
    print $out $library =~ s/nurture library \Q$current\E\0/nurture library $version\0/r;
    close $out or die $!;
    chmod 0755, "$file.new";
    rename "$file.new", $file or die $!;
    return;
};
$install->($current);

my $node = PostgreSQL::Test::Cluster->new('library', install_path => dirname($our{bindir}));
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'\nmax_worker_processes = 12\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE one');
create_nurture($node, 'one');
my $empty = sub { my ($name) = @_; ok(defined wait_until(sub { $node->safe_psql('one', 'SELECT count(*) FROM nurture.inbox') == 0 }, 15), $name); return; };
my $version = sub { return $node->safe_psql('one', 'SELECT nurture._library_version()') };
my $pid = wait_for_worker($node, 'one', 'the worker is there');
is($version->(), $current, "version $current");
insert_event($node, 'one', 5000);
$install->($later);
insert_event($node, 'one', 50);
$empty->('replaced while it runs, the worker goes on');
is(pid_of($node, 'one'), $pid, 'as the same process');
is($version->(), $current, 'with the library that the server was started with');

my $stands_still = sub {
    my ($name) = @_;
    insert_event($node, 'one', 10);
    ok(defined wait_until(sub { $node->safe_psql('one', 'SELECT last_error FROM nurture.freshness') =~ /has version \Q$current\E, its library version \Q$later\E/ }, 15), "$name: the worker says why it waits");
    is($node->safe_psql('one', 'SELECT count(*) FROM nurture.inbox'), 10, "$name: what is told is kept");
    my (undef, undef, $error) = $node->psql('one', 'CALL nurture.tick()');
    like($error, qr/has version \Q$current\E, its library version \Q$later\E.*HINT:.*ALTER EXTENSION nurture UPDATE/s, "$name: a tick by hand is refused with the remedy");
    like($node->safe_psql('one', 'SELECT status FROM nurture.freshness'), qr/ALTER EXTENSION nurture UPDATE/, "$name: so says the status");
    return;
};
$node->restart;
is($version->(), $later, 'a restart takes the new one');
$stands_still->('after the restart');
$install->($current);
$node->restart;
$empty->('with the library that belongs to the tables it goes on');

# Not preloaded: each session takes what is there when it first needs it.
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$node->restart;
$node->safe_psql('one', 'SELECT nurture.start_worker()');
$pid = wait_for_worker($node, 'one', 'a worker without preload');
my $session = $node->background_psql('one');
is($session->query_safe('SELECT nurture._library_version()'), $current, 'a session has the library');
$install->($later);
is($session->query_safe('SELECT nurture._library_version()'), $current, 'and keeps it');
is($version->(), $later, 'a new session takes the new one');
insert_event($node, 'one', 20);
$empty->('the worker goes on with its own');
$node->safe_psql('one', 'SELECT nurture.stop_worker()');
$node->safe_psql('one', 'SELECT nurture.start_worker()');
$stands_still->('a worker started anew');
$install->($current);
$node->safe_psql('one', 'SELECT nurture.stop_worker()');
$node->safe_psql('one', 'SELECT nurture.start_worker()');
$empty->('and the old one again');
$session->quit;
is($node->safe_psql('one', 'SELECT count(*) FROM nurture.event_log'), 5000 + 50 + 10 + 20 + 10, 'nothing was lost, nothing taken twice');
$node->stop;
done_testing();
