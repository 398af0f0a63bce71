# ALTER EXTENSION nurture UPDATE from every released version: the catalogue becomes that of a fresh install, the data stays, what
# was begun goes on as the old version would have gone on.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run;
use WorkerStub;
use Upgrade;

my @released = sort map { m{/([\d.]+)/dump\.sql$} } glob('upgrade/*/dump.sql');
cmp_ok(@released, '>', 0, 'there are released versions: ' . join(', ', @released));

my $node = PostgreSQL::Test::Cluster->new('upgrade');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'\nmax_worker_processes = 20\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE fresh; CREATE ROLE app; CREATE ROLE chief');
$node->safe_psql('fresh', 'CREATE EXTENSION nurture');
my $fresh = catalogue_of($node, 'fresh');
my $current = $node->safe_psql('fresh', q{SELECT extversion FROM pg_extension WHERE extname = 'nurture'});
is($node->safe_psql('fresh', 'SELECT nurture._library_version()'), $current, "the library is of version $current too");
cmp_ok(scalar(split /\n/, $fresh), '>', 1000, 'the catalogue is listed');

foreach my $version (@released)
{
    my $name = 'v' . $version =~ s/\W/_/gr;
    # Empty.
    $node->safe_psql('postgres', "CREATE DATABASE ${name}_empty");
    $node->safe_psql("${name}_empty", "CREATE EXTENSION nurture VERSION '$version'");
    my $before = catalogue_of($node, "${name}_empty");
    isnt($before, $fresh, "$version differs from $current");
    my ($result, $out, $error) = $node->psql("${name}_empty", 'ALTER EXTENSION nurture UPDATE');
    is($result, 0, "$version: updates") or diag($error);
    is_same_lines(catalogue_of($node, "${name}_empty"), $fresh, "$version updated is the same as a fresh $current");

    # Filled, with privileges that somebody granted and objects that somebody built on it.
    restore_released($node, $name, $version);
    $node->safe_psql($name, <<'SQL');
GRANT SELECT ON nurture.lead, nurture.freshness, nurture.membership TO app;
GRANT INSERT ON nurture.inbox TO app WITH GRANT OPTION;
GRANT SELECT (contact) ON nurture.action TO app;
GRANT EXECUTE ON FUNCTION nurture.claim(text, int, interval), nurture.explain(text, timestamptz), nurture._lock_engine() TO app;
CREATE VIEW public.mine AS SELECT m.contact, count(*) FROM nurture.membership m GROUP BY 1;
CREATE TABLE public.kept (c nurture.condition, p nurture.profile);
INSERT INTO public.kept SELECT s.condition, c.state FROM nurture.segment s, nurture.contact c;
CREATE TABLE public.told AS SELECT * FROM nurture._worker_status();
SQL
    is_same_lines(lines_of($node, $name, 'upgrade/outcome.sql'), slurp_file(golden($version, 'before.txt')), "$version: as it was left");

    # The new library with the old tables: applications go on writing, the engine waits and says why.
    my $log = -s $node->logfile;
    $node->safe_psql('postgres', "ALTER DATABASE $name SET nurture.max_sleep = '1s'");
    is($node->safe_psql($name, q{SET ROLE app; INSERT INTO nurture.inbox (contact, type) VALUES ('meanwhile', 'v'); SELECT 1}), 1, "$version: applications insert");
    $node->safe_psql($name, 'SELECT nurture.start_worker()');
    ok(defined wait_until(sub { $node->safe_psql($name, 'SELECT last_error FROM nurture._worker_status()') =~ /has version \Q$version\E, its library version \Q$current\E/ }, 15),
        "$version: the worker waits and says for what") or diag($node->safe_psql($name, 'SELECT * FROM nurture._worker_status()'));
    is($node->safe_psql($name, q{SELECT count(*) FROM nurture.inbox WHERE contact = 'meanwhile'}), 1, "$version: nothing is lost");
    is($node->safe_psql($name, q{DELETE FROM nurture.inbox WHERE contact = 'meanwhile' RETURNING 1}), 1, "$version: we take it back");

    $node->safe_psql('postgres', "ALTER DATABASE $name SET nurture.enabled = off"); # the clock is simulated from here
    ($result, $out, $error) = $node->psql($name, 'ALTER EXTENSION nurture UPDATE');
    is($result, 0, "$version: updates with data in it") or diag($error);
    my $mine = catalogue_of($node, $name);
    $mine =~ s/,app=\w+\*?//g;
    $mine =~ s/; \{app=r\/\w+\}//g;
    my $theirs = $fresh;
    is_same_lines($mine, $theirs, "$version: the same as a fresh $current, but for what was granted");
    is_same_lines(lines_of($node, $name, 'upgrade/outcome.sql'), slurp_file(golden($version, 'before.txt')), "$version: everything is there");
    is($node->safe_psql($name, <<'SQL'), 't|t|t|t|t|t', "$version: privileges are kept");
SELECT has_table_privilege('app', 'nurture.lead', 'SELECT'), has_table_privilege('app', 'nurture.freshness', 'SELECT'),
    has_table_privilege('app', 'nurture.inbox', 'INSERT WITH GRANT OPTION'), has_column_privilege('app', 'nurture.action', 'contact', 'SELECT'),
    has_function_privilege('app', 'nurture.explain(text, timestamptz)', 'EXECUTE'), has_function_privilege('app', 'nurture._lock_engine()', 'EXECUTE')
SQL
    is($node->safe_psql($name, 'SELECT step, state FROM nurture.migration ORDER BY position'), 'states|waiting', "$version: it has left something to be done");
    $node->safe_psql($name, 'CALL nurture.migrate()');
    is($node->safe_psql($name, 'SELECT step, state, done = (SELECT count(*) FROM nurture.contact) FROM nurture.migration ORDER BY position'), 'states|done|t', "$version: which is done");
    is($node->safe_psql($name, 'SELECT count(*) FROM nurture.contact WHERE state::text <> state::text::nurture.profile::text'), 0, "$version: and all states are as this version writes them");
    is_same_lines(lines_of($node, $name, 'upgrade/outcome.sql'), slurp_file(golden($version, 'before.txt')), "$version: and they say the same");
    my $dump = $node->basedir . "/$name.sql";
    command_ok([ 'pg_dump', '-d', $node->connstr($name), '-f', $dump ], "$version: the updated one is dumped");
    my $text = slurp_file($dump);
    like($text, qr/GRANT SELECT ON TABLE nurture\.freshness TO app/, "$version: the dump has what was granted on a view");
    like($text, qr/GRANT ALL ON FUNCTION nurture\._lock_engine\(\) TO app/, "$version: and on a function");
    unlike($text, qr/REVOKE/, "$version: and nothing of what the extension brings itself");

    # It goes on.
    run_file($node, $name, 'upgrade/further.sql', "$version: what was begun goes on");
    is_same_lines(lines_of($node, $name, 'upgrade/outcome.sql'), slurp_file(golden($version, 'after.txt')), "$version: to the same end as there");
    my %known = map { $_ => 1 } split /\n/, slurp_file(golden($version, 'verify.txt'));
    is(join("\n", grep { !$known{$_} } split /\n/, $node->safe_psql($name, 'SELECT * FROM nurture.verify(path => true) ORDER BY 1, 2')), '',
        "$version: what is stored is what the log says");
    is($node->safe_psql($name, 'SELECT model_problem FROM nurture.engine'), '', "$version: its definitions compile");
    is($node->safe_psql($name, 'SELECT count(*) FROM public.mine') > 0, 1, "$version: what was built on it works");
    is($node->safe_psql($name, q{SELECT count(*) FROM public.kept WHERE c::text IS NULL OR nurture._clock(p) IS NULL}), 0, "$version: so do values kept elsewhere");

    # A dump of the old version goes into the new one directly.
    $node->safe_psql('postgres', "CREATE DATABASE ${name}_direct");
    run_file($node, "${name}_direct", golden($version, 'dump.sql'), "$version: its dump restores into $current");
    is_same_lines(lines_of($node, "${name}_direct", 'upgrade/outcome.sql'), slurp_file(golden($version, 'before.txt')), "$version: with everything in it");
    $node->safe_psql('postgres', "ALTER DATABASE ${name}_direct SET nurture.enabled = off");
    run_file($node, "${name}_direct", 'upgrade/further.sql', "$version: and goes on");
    is_same_lines(lines_of($node, "${name}_direct", 'upgrade/outcome.sql'), slurp_file(golden($version, 'after.txt')), "$version: to the same end");
}

# Values as released versions wrote them, text and binary.
foreach my $version (@released)
{
    foreach my $type ('profile', 'compiled_model')
    {
        my @rows = map { [ split /\t/ ] } split /\n/, slurp_file(golden($version, ($type eq 'profile' ? 'profile' : 'model') . '.tsv'));
        my $binary = "PGCOPY\n\377\r\n\0" . pack('NN', 0, 0);
        my $text = '';
        foreach my $row (@rows)
        {
            my $value = pack('H*', $row->[2]);
            $binary .= pack('n N/a N/a', 2, $row->[0], $value);
            $text .= join("\t", $row->[0], $row->[1] =~ s/\\/\\\\/gr) . "\n";
        }
        $binary .= pack('n', 0xffff);
        my $file = $node->basedir . "/$type.$version";
        open my $out, '>:raw', "$file.bin" or die $!;
        print $out $binary;
        close $out;
        append_to_file("$file.txt", $text);
        my $table = "${type}_" . $version =~ s/\W/_/gr;
        is($node->safe_psql('fresh', <<"SQL"), scalar(@rows) . '|0', "$version: $type is read from text and from its binary form");
CREATE TABLE $table (name text, value nurture.$type);
CREATE TABLE ${table}_b (LIKE $table);
COPY $table FROM '$file.txt';
COPY ${table}_b FROM '$file.bin' (FORMAT binary);
SELECT count(*), count(*) FILTER (WHERE a.value::text <> b.value::text) FROM $table a JOIN ${table}_b b USING (name)
SQL
    }
}

# The worker goes on by itself when the update commits.
$node->safe_psql('postgres', 'CREATE DATABASE running');
$node->safe_psql('running', "CREATE EXTENSION nurture VERSION '$released[0]'");
ok(defined wait_until(sub { $node->safe_psql('running', 'SELECT last_error FROM nurture._worker_status()') =~ /ALTER|version/ }, 15), 'a worker finds the older version');
insert_event($node, 'running', 20);
$node->safe_psql('running', q{INSERT INTO nurture.segment (name, condition) VALUES ('seen', 'did page_view')});
my $pid = pid_of($node, 'running');
$node->safe_psql('running', 'ALTER EXTENSION nurture UPDATE');
ok(defined wait_until(sub { $node->safe_psql('running', q{SELECT count(*) FROM nurture.membership WHERE segment = 'seen'}) == 20 }, 10), 'and works as soon as it is updated');
is(pid_of($node, 'running'), $pid, 'as the same process');
ok(defined wait_until(sub { $node->safe_psql('running', 'SELECT status FROM nurture.freshness') eq 'fresh' }, 5), 'and is fresh');

$node->stop;
done_testing();
