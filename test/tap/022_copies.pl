# Every way to copy a database: the copy has everything, stays still until resume(), and then goes on as the original does. The
# server preloads the library, so a worker watches while each of them is restored.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run;
use Time::HiRes qw(sleep);
use WorkerStub;
use Upgrade;

# What a dump leaves out, and why that loses nothing.
my %ephemeral = (
    'nurture._batch' => 'empty between ticks',
    'nurture._stepped' => 'empty between ticks',
    'nurture._drain_plan' => 'says where rows lie; made anew when it is empty',
    'nurture._drain_block' => 'as the above',
    'nurture._pace' => 'learnt anew when it is empty',
    'nurture._past_of' => 'scratch of a backfill; a crash empties it, too',
    'nurture._past_range' => 'scratch of a backfill; a crash empties it, too',
    'nurture._retention_job' => 'how far a round has got; begun again it keeps the same bases',
    'nurture._restored' => 'is about this database',
    'nurture._link' => 'what a batch connects: empty between ticks',
    'nurture._planned' => 'the merges of a batch: empty between ticks',
    'nurture.inbox' => 'its rows are dumped as those of _inbox_restored',
    'nurture._inbox_1' => 'a slot of the inbox',
    'nurture._inbox_2' => 'a slot of the inbox',
    'nurture._inbox_3' => 'a slot of the inbox',
    'nurture._inbox_state' => 'is about the slots',
    'nurture._inbox_turn' => 'is about the slots',
    'nurture.definition_kind' => 'filled by the install script',
    'nurture.definition_kind_rank_seq' => 'numbers of the above',
);
# What is dumped with other rows than its own.
my %condition = ('nurture._inbox_restored' => 'and what waits in the inbox', 'nurture.identity_kind' => 'those that were edited');

my $node = PostgreSQL::Test::Cluster->new('copies');
$node->init;
my $conf = "shared_preload_libraries = 'nurture'\nmax_worker_processes = 30\nmax_connections = 60\n";
$node->append_conf('postgresql.conf', $conf);
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE original');
$node->safe_psql('postgres', 'ALTER DATABASE original SET nurture.enabled = off');
$node->safe_psql('original', 'CREATE EXTENSION nurture');

# A new table is either marked or has its reason above.
is($node->safe_psql('original', q{
SELECT string_agg(c.oid::regclass::text, ' ' ORDER BY c.oid::regclass::text COLLATE "C")
FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'nurture'
WHERE c.relkind IN ('r', 'p', 'S', 'm') AND c.oid <> ALL (e.extconfig)}),
    join(' ', sort keys %ephemeral), 'every table and sequence is marked for dump or known to be ephemeral');
is($node->safe_psql('original', q{SELECT string_agg(x.oid::regclass::text, ' ' ORDER BY x.oid::regclass::text) FROM pg_extension e, unnest(e.extconfig, e.extcondition) x (oid, condition) WHERE e.extname = 'nurture' AND x.condition <> ''}),
    join(' ', sort keys %condition), 'with its rows and no others');
is($node->safe_psql('original', q{SELECT string_agg(c.oid::regclass::text, ' ') FROM pg_class c WHERE c.relpersistence = 'u' AND c.relnamespace = 'nurture'::regnamespace AND c.relkind = 'r'
    AND EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'nurture' AND c.oid = ANY (e.extconfig))}), '', 'nothing that a dump keeps is lost by a crash');
# References must not order what is restored.
is($node->safe_psql('original', q{SELECT string_agg(conname, ' ') FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid WHERE o.contype = 'f' AND c.relnamespace = 'nurture'::regnamespace}), '',
    'no foreign key orders a restore');

run_file($node, 'original', 'upgrade/fill.sql', 'the original has everything');
# What contacts share: pools with codes given and free, streams, rotas, and a workflow that names them.
$node->safe_psql('original', q{
INSERT INTO nurture.coupon_pool (name, one_per) VALUES ('spring', 'contact');
INSERT INTO nurture.coupon (pool, code, expires, contact, given_at) VALUES ('spring', 'A', '2026-01-01', 'c1', '2021-01-01'), ('spring', 'B', 'infinity', NULL, NULL);
INSERT INTO nurture.stream (name, definition) VALUES ('tips', 'email ''busy'' push ''tip'' for news until 2026-01-01');
INSERT INTO nurture.rota (name, choose) VALUES ('sales', 'fewest');
INSERT INTO nurture.rota_member (rota, member, assigned, turn) VALUES ('sales', 'x', 3, 5), ('sales', 'y', 2, 4);
INSERT INTO nurture.workflow (name, definition) VALUES ('shared', 'on v re-enter always send email ''x'' with (code = coupon(''spring'')) assign owner from ''sales'' if stream ''tips'' is not exhausted then send next of stream ''tips'' end')});
# In any physical order.
$node->safe_psql('original', $_) foreach q{UPDATE nurture.stream SET description = 'moved'}, q{UPDATE nurture.coupon_pool SET description = 'moved'}, q{UPDATE nurture.segment SET description = 'moved too' WHERE name = 'warm'}, q{UPDATE nurture.rule SET description = 'moved'};
my $receipt = $node->safe_psql('original', q{SELECT receipt FROM nurture.action WHERE status = 'claimed' ORDER BY id LIMIT 1});
my $outcome = sub { lines_of($_[0], $_[1], 'upgrade/outcome.sql') };
# Row by row what every dumped table holds.
my $contents = sub {
    my ($on, $database) = @_;
    my $tables = $on->safe_psql($database, q{SELECT string_agg(format('SELECT %L || t::text FROM %s t', c.oid::regclass || ' ', c.oid::regclass), ' UNION ALL ' ORDER BY c.oid::regclass::text)
        FROM pg_extension e JOIN pg_class c ON c.oid = ANY (e.extconfig) WHERE e.extname = 'nurture' AND c.relkind IN ('r', 'p')
        AND c.relname NOT IN ('pending_change', '_inbox_restored')}); # to which a restore adds, since it writes definitions; see next
    return $on->safe_psql($database, "SET timezone = 'UTC'; SELECT * FROM ($tables UNION ALL SELECT 'waits ' || w::text FROM (SELECT * FROM nurture.inbox UNION ALL SELECT * FROM nurture._inbox_restored) w) x (line) ORDER BY 1");
};
my $differences = $node->safe_psql('original', 'SELECT count(*) FROM nurture.verify(path => true)');
cmp_ok($node->safe_psql('original', 'SELECT count(*) FROM nurture.pending_change'), '>', 0, 'a change of definitions waits');
my ($before, $rows) = ($outcome->($node, 'original'), $contents->($node, 'original'));
cmp_ok(scalar(split /\n/, $rows), '>', 500, 'many rows are to be copied');

my $dump = $node->basedir . '/dump';
sub dumps { my ($name, @options) = @_; command_ok([ 'pg_dump', '-d', $node->connstr('original'), @options ], "$name: dumps"); return; }
sub psql_restores
{
    my ($database, @files) = @_;
    foreach my $file (@files)
    {
        my ($out, $error) = ('', '');
        ok(IPC::Run::run([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', $file ], '>', \$out, '2>', \$error), "$database: restores") or diag($error);
    }
    return;
}
sub pg_restores { my ($database, @options) = @_; command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr($database), @options ], "$database: restores"); return; }
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(plain custom directory sections bare schema data single);

dumps('plain', '-f', "$dump.sql");
psql_restores('plain', "$dump.sql");
dumps('custom', '-Fc', '-f', "$dump.custom");
pg_restores('custom', '-j', '4', "$dump.custom");
pg_restores('single', '--single-transaction', "$dump.custom");
dumps('directory', '-Fd', '-j', '4', '-f', "$dump.directory");
pg_restores('directory', '-j', '4', "$dump.directory");
foreach my $section ('pre-data', 'data', 'post-data')
{
    dumps("section $section", "--section=$section", '-f', "$dump.$section");
}
psql_restores('sections', "$dump.pre-data");
sleep(2.5); # somebody looks, a worker looks
psql_restores('sections', "$dump.data", "$dump.post-data");
dumps('bare', '--no-owner', '--no-privileges', '-f', "$dump.bare");
psql_restores('bare', "$dump.bare");
dumps('schema', '--schema=nurture', '--extension=nurture', '-f', "$dump.schema");
psql_restores('schema', "$dump.schema");
dumps('data', '--data-only', '--load-via-partition-root', '-f', "$dump.data-only");
$node->safe_psql('data', 'CREATE EXTENSION nurture; SELECT nurture.prepare_restore()');
psql_restores('data', "$dump.data-only");
my ($result, $out, $error) = $node->psql('data', 'SELECT nurture.prepare_restore()');
like($error, qr/the engine has run in this database.*HINT/s, 'prepare_restore() is for fresh extensions');
$node->safe_psql('postgres', 'CREATE DATABASE template TEMPLATE original');

sleep(2); # a worker looks into each
my $go_on = sub {
    my ($on, $database) = @_;
    $on->safe_psql('postgres', "ALTER DATABASE $database SET nurture.enabled = off"); # the clock is simulated from here
    $on->safe_psql($database, 'SELECT nurture.stop_worker()');
    run_file($on, $database, 'upgrade/further.sql', "$database: goes on");
    return $outcome->($on, $database);
};
my $after = $go_on->($node, 'original');
isnt($after, $before, 'the original goes on');

sub is_a_copy
{
    my ($on, $database, %options) = @_;
    is_same_lines($contents->($on, $database), $rows, "$database: every row is there, and nothing has moved");
    cmp_ok($on->safe_psql($database, 'SELECT count(*) FROM nurture.pending_change'), '>', 0, "$database: the change of definitions waits");
    is_same_lines($outcome->($on, $database), $before, "$database: and means the same");
    is($on->safe_psql($database, 'SELECT status FROM nurture.freshness'), 'restored copy: nothing runs until nurture.resume()', "$database: it knows that it is a copy");
    foreach my $call ('CALL nurture.tick()', q{SELECT * FROM nurture.claim('email')}, "SELECT nurture.complete(ARRAY['$receipt']::uuid[])", "SELECT nurture.fail('$receipt', 'x')")
    {
        my (undef, undef, $refusal) = $on->psql($database, $call);
        like($refusal, qr/this database is a copy.*HINT:.*nurture\.resume\(\)/s, "$database: refuses $call");
    }
    is($on->safe_psql($database, q{
SELECT string_agg(format('%s is at %s', s.oid::regclass, q.last_value), ' ') FROM pg_class s JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')
JOIN pg_sequences q ON q.schemaname = 'nurture' AND q.sequencename = s.relname JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid,
LATERAL (SELECT (xpath('/row/m/text()', query_to_xml(format('SELECT max(%I) AS m FROM %s', a.attname, d.refobjid::regclass), false, true, '')))[1]::text::bigint AS greatest) g
WHERE s.relkind = 'S' AND g.greatest > coalesce(q.last_value, 0)}), '', "$database: numbers go on behind the greatest");
    is($on->safe_psql($database, 'SELECT count(*) FROM nurture.verify(path => true)'), $differences, "$database: adds up as the original did");
    is_same_lines($go_on->($on, $database), $after, "$database: resumed, it comes to the same end");
    is($on->safe_psql($database, q{SELECT count(*) FROM pg_inherits i WHERE inhparent = 'nurture.event_log'::regclass AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = i.inhrelid)}), 0,
        "$database: every part of the log has its index");
    return;
}
is_a_copy($node, $_) foreach qw(plain custom single directory sections bare schema data template);

# A copy of a copy, and what was resumed is nobody's copy.
command_ok([ 'pg_dump', '-d', $node->connstr('plain'), '-Fc', '-f', "$dump.again" ], 'what was resumed is dumped');
$node->safe_psql('postgres', 'CREATE DATABASE again');
pg_restores('again', "$dump.again");
like($node->safe_psql('again', 'SELECT status FROM nurture.freshness'), qr/^restored copy/, 'a copy of a copy is a copy');
isnt($node->safe_psql('plain', 'SELECT nurture._is_own_database()'), 'f', 'the one resumed is its own');

# The worker of a resumed copy starts by itself, and logs no errors while it waits.
my $log = -s $node->logfile;
my $pid = wait_for_worker($node, 'again', 'a worker looks after the copy');
$node->safe_psql('again', q{INSERT INTO nurture.inbox (contact, type) VALUES ('new', 'v')});
sleep(1);
is($node->safe_psql('again', q{SELECT count(*) FROM nurture.inbox WHERE contact = 'new'}), 1, 'it takes nothing');
unlike(log_since($node, $log), qr/is a copy/, 'and does not complain');
$node->safe_psql('again', 'SELECT nurture.resume()');
ok(defined wait_until(sub { $node->safe_psql('again', 'SELECT count(*) FROM nurture.inbox') == 0 }, 10), 'resumed, it works at once');

# A whole cluster.
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->append_conf('postgresql.conf', $conf);
$other->start;
$node->safe_psql('postgres', "DROP DATABASE $_") foreach qw(original custom single directory sections bare schema data template again);
$node->safe_psql('postgres', 'CREATE DATABASE original');
psql_restores('original', "$dump.sql");
command_ok([ 'pg_dumpall', '-h', $node->host, '-p', $node->port, '--no-sync', '-f', "$dump.all" ], 'pg_dumpall');
my $all = '';
IPC::Run::run([ 'psql', '-Xq', '-d', $other->connstr('postgres'), '-f', "$dump.all" ], '>', \$out, '2>', \$all);
is(join("\n", grep { !/role "\w+" already exists/ } $all =~ /^.*ERROR:.*$/mg), '', 'its script restores without an error');
is_a_copy($other, 'original');

$node->safe_psql('plain', 'DROP EXTENSION nurture');
is($node->safe_psql('plain', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'nurture'}), 0, 'DROP EXTENSION leaves nothing behind');
$_->stop foreach $node, $other;
done_testing();
