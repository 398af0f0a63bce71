# Who was erased stays out after a dump and its restore; and the worker takes nothing of whom somebody erases while it is at work.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $node = PostgreSQL::Test::Cluster->new('erasure');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'");
$node->start;
my $sql = sub { my ($text, $database) = @_; return $node->safe_psql($database // 'postgres', $text) };
$sql->(<<'SQL');
CREATE EXTENSION nurture;
INSERT INTO nurture.rule (name, definition) VALUES ('r', '+1 on v');
INSERT INTO nurture.workflow (name, definition) VALUES ('w', 'on v re-enter always send email ''t'' with (name = name) wait 1 day send email ''u''');
SQL

# Producers, a sender and the worker are at work; contacts are erased one after the other.
my @children;
my $until = time() + 6;
my $child = sub {
    my ($work) = @_;
    my $pid = fork() // die "fork: $!";
    if (!$pid) { while (time() < $until) { $work->() or POSIX::_exit(1) } POSIX::_exit(0) }
    push @children, $pid;
};
use POSIX ();
my @psql = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $node->connstr('postgres'), '-c');
$child->(sub { system(@psql, q{INSERT INTO nurture.inbox (contact, type, props) SELECT 'zz' || n, t, '{"name": "zzmark"}' FROM generate_series(1, 200) n, unnest(ARRAY['$identify', 'v']) t}) == 0 });
$child->(sub { system(@psql, q{SELECT nurture.complete(ARRAY(SELECT receipt FROM nurture.claim('email', 50)))}) == 0 });
sleep(1);
my $erased = 0;
while (time() < $until)
{
    $sql->("SELECT nurture.erase('zz' || n) FROM generate_series(" . ($erased + 1) . ', ' . ($erased + 5) . ') n');
    $erased += 5;
    last if $erased >= 150;
}
my $failed = 0;
for my $pid (@children) { waitpid($pid, 0); $failed++ if $? }
is($failed, 0, 'nobody met an error');
cmp_ok($erased, '>', 10, "some were erased: $erased");
ok($node->poll_query_until('postgres', 'SELECT NOT EXISTS (SELECT FROM nurture.inbox)'), 'everything is taken');
$sql->('SELECT nurture.stop_worker()');
$sql->('SELECT nurture._maintain()');
is($sql->("SELECT count(*) FROM nurture.contact c WHERE substr(c.contact, 3)::int <= $erased"), 0, 'none of them is there');
is($sql->("SELECT count(*) FROM nurture.event_log l WHERE substr(l.key, 3)::int <= $erased"), 0, 'none in the log');
is($sql->("SELECT count(*) FROM nurture.action a WHERE a.contact <> '' AND substr(a.contact, 3)::int <= $erased"), 0, 'nothing is to be sent to them');
is($sql->("SELECT count(*) FROM nurture.action a WHERE a.contact = '' AND (a.payload <> '{}' OR a.status = 'ready')"), 0, 'what a sender had is empty');
cmp_ok($sql->(q{SELECT count(*) FROM nurture.rejected_event WHERE reason LIKE 'erased: %' AND contact IS NULL AND props IS NULL}), '>', 0, 'what was told of them is refused');
is($sql->('SELECT count(*) FROM nurture.rejected_event WHERE contact IS NOT NULL'), 0, 'and not kept');
is($sql->('SELECT count(*) FROM nurture.quarantine'), 0, 'no step failed');
is($sql->('SELECT count(*) FROM nurture.verify(path => true)'), 0, 'the others are what their log says');

my $dump = $node->basedir . '/dump.sql';
command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('copy'), '-f', $dump ], 'restores');
$sql->($_, 'copy') foreach 'SELECT nurture.resume()', q{INSERT INTO nurture.inbox (contact, type) VALUES ('zz1', 'v'), ('new', 'v')}, 'CALL nurture.tick()';
is($sql->(q{SELECT string_agg(contact, ' ') FROM nurture.contact WHERE contact IN ('zz1', 'new')}, 'copy'), 'new', 'the block holds in the copy');
is($sql->('SELECT count(*) FROM nurture.erasure', 'copy'), $erased, 'and the certificates are there');
$sql->(q{SELECT nurture.allow_again('zz1')}, 'copy');
$sql->($_, 'copy') foreach q{INSERT INTO nurture.inbox (contact, type) VALUES ('zz1', 'v')}, 'CALL nurture.tick()';
is($sql->(q{SELECT count(*) FROM nurture.contact WHERE contact = 'zz1'}, 'copy'), 1, 'until it is lifted');

done_testing();
