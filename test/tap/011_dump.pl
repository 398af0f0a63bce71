# Dump and restore: a copy does not run by itself; adopted it goes on where the original was, with the same results.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use EngineState;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach 'original', 'plain', 'custom', 'data';
$node->safe_psql('original', 'CREATE EXTENSION nurture');
define_engine($node, 'original');
# In any physical order: an update puts what others name behind them.
$node->safe_psql('original', q{UPDATE nurture.segment SET description = 'moved' WHERE name = 'busy'; UPDATE nurture.rule SET description = 'moved'});
my $tell = <<'SQL';
INSERT INTO nurture.inbox (contact, type, props, message_id, at, received_at)
SELECT 'c' || (hashint4(g) & 15), (ARRAY['v', 'v', 'buy', 'go', '$identify', 'v', 'v', NULL])[1 + (hashint4(g + 1000000) & 7)],
       jsonb_build_object('plan', (ARRAY['free', 'pro'])[1 + (hashint4(g + 2000000) & 1)]), CASE WHEN g % 5 = 0 THEN 'm' || (hashint4(g) & 127) END, t, t
FROM generate_series(%d, %d) g CROSS JOIN LATERAL (SELECT timestamptz '2021-01-01' + g * interval '0.4 seconds') t(t)
SQL
my $tick = "SET nurture.enabled = off; BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('%s'); COMMIT";
$node->safe_psql('original', sprintf($tell, 1, 600));
$node->safe_psql('original', sprintf($tick, '2021-01-01 00:03:30'));
# Definitions that wait for a tick, messages that wait in the inbox, a quarantined contact, a claimed action.
$node->safe_psql('original', q{INSERT INTO nurture.segment (name, condition) VALUES ('later', 'in segment ''warm'' or count(v) >= 3')});
$node->safe_psql('original', q{UPDATE nurture.workflow SET definition = 'on go exit on buy re-enter always wait 1 second send email ''second version''' WHERE name = 'go'});
$node->safe_psql('original', q{INSERT INTO nurture.quarantine (contact, reason, tick) VALUES ('c3', 'made up', 1)});
$node->safe_psql('original', q{UPDATE nurture.contact SET due = NULL WHERE contact = 'c3'});
cmp_ok($node->safe_psql('original', 'SELECT count(*) FROM nurture.pending_change'), '>', 0, 'a change of definitions is waiting');
cmp_ok($node->safe_psql('original', 'SELECT count(*) FROM nurture.inbox'), '>', 0, 'messages are waiting');
my $before = outcome_of($node, 'original');

my $dump = $node->basedir . '/dump';
command_ok([ 'pg_dump', '-d', $node->connstr('original'), '-f', "$dump.sql" ], 'pg_dump, plain');
command_ok([ 'pg_dump', '-d', $node->connstr('original'), '-Fc', '-f', "$dump.custom" ], 'pg_dump, custom');
command_ok([ 'pg_dump', '-d', $node->connstr('original'), '--data-only', '--load-via-partition-root', '-f', "$dump.data" ], 'pg_dump, data only');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'), '-f', "$dump.sql" ], 'restores without an error');
command_ok([ 'pg_restore', '-j', '4', '--exit-on-error', '-d', $node->connstr('custom'), "$dump.custom" ], 'restores in parallel without an error');
$node->safe_psql('data', q{CREATE EXTENSION nurture; SELECT nurture._make_partitions(now())});
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('data'), '-f', "$dump.data" ], 'restores the data into a fresh extension');

my $resume = sub {
    my ($database) = @_;
    my $ok = $node->psql($database, 'SELECT nurture.resume()') == 0;
    # Where resume() does not adopt yet.
    $node->safe_psql($database, 'SELECT nurture._adopt_database()') if $node->safe_psql($database, 'SELECT nurture._is_own_database()') ne 't';
    return $ok;
};
my $further = sub {
    my ($database) = @_;
    $node->safe_psql($database, sprintf($tell, 601, 1200));
    $node->safe_psql($database, sprintf($tick, '2021-01-01 00:06:00'));
    $node->safe_psql($database, q{SELECT nurture.release('c3')});
    $node->safe_psql($database, sprintf($tick, '2021-01-01 00:20:00'));
    return;
};
$further->('original');
my $after = outcome_of($node, 'original');
isnt($before, $after, 'further events have further results');
like($after, qr/second version/, 'also of the definitions that waited');

foreach my $database ('plain', 'custom', 'data')
{
    is_same_outcome(outcome_of($node, $database), $before, "$database: everything is there");
    is($node->safe_psql($database, 'SELECT nurture._is_own_database()'), 'f', "$database: it is known as a copy");
    my ($result, $out, $error) = $node->psql($database, 'CALL nurture.tick()');
    like($error, qr/this database is a copy.*nurture\.resume/s, "$database: it refuses to tick, with the hint");
    SKIP:
    {
        ($result, $out, $error) = $node->psql($database, q{SELECT count(*) FROM nurture.claim('email')});
        like($error, qr/this database is a copy.*nurture\.resume/s, "$database: and to claim");
    }
    ok($resume->($database), "$database: resume() adopts it");
    $further->($database);
    is_same_outcome(outcome_of($node, $database), $after, "$database: it goes on as the original does");
    cmp_ok($node->safe_psql($database, q{SELECT count(*) FROM pg_inherits WHERE inhparent = 'nurture.event_log'::regclass}), '>=', 1, "$database: the log has its partitions");
    is($node->safe_psql($database, q{SELECT count(*) FROM pg_inherits i WHERE inhparent = 'nurture.event_log'::regclass
        AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = i.inhrelid)}), 0, "$database: each with its index");
}
$node->safe_psql('plain', 'DROP EXTENSION nurture');
is($node->safe_psql('plain', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'nurture'}), 0, 'DROP EXTENSION leaves nothing behind');
$node->stop;
done_testing();
