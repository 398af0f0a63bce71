# Dump and restore keep the history of definitions as it was: every version once, with its author and time; and it goes on.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('versions');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach 'original', 'plain', 'parallel', 'data';
$node->safe_psql('postgres', 'CREATE ROLE marketer LOGIN');
$node->safe_psql('original', 'CREATE EXTENSION nurture; GRANT SELECT, INSERT, UPDATE, DELETE ON nurture.rule, nurture.segment, nurture.workflow TO marketer');
$node->safe_psql('original', <<'SQL', extra_params => [ '-U', 'marketer' ]);
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+5 on v topic pricing'), ('gone', '+1 on x');
INSERT INTO nurture.segment (name, condition) VALUES ('warm', 'score(pricing) >= 5'), ('buyer', 'did buy and in segment ''warm''');
INSERT INTO nurture.workflow (name, definition) VALUES ('nudge', 'on entering segment ''warm'' wait 1 day send email ''nudge''');
UPDATE nurture.workflow SET definition = 'on entering segment ''warm'' wait 2 days send email ''nudge''';
UPDATE nurture.segment SET name = 'hot' WHERE name = 'warm';
DELETE FROM nurture.rule WHERE name = 'gone';
SQL

my $history = q{SET timezone = 'UTC'; SELECT v::text FROM nurture.definition_version v ORDER BY kind, id, version};
my $audit = q{SELECT by, kind, name, version, operation, formerly, reason FROM nurture.audit ORDER BY kind, version, name};
my $definitions = q{SELECT nurture.export_definitions(); SELECT workflow, version, definition FROM nurture.workflow_version ORDER BY 1, 2};
my %is = map { $_ => $node->safe_psql('original', $_) } $history, $audit, $definitions;
my @versions = split /\n/, $node->safe_psql('original', $audit);
is(scalar(@versions), 10, 'ten versions');
is(scalar(grep { /^marketer\|/ } @versions), 10, 'all by who had logged in');
like($is{$audit}, qr/^marketer\|segment\|buyer\|2\|changed\|\|segment "warm" is now "hot"$/m, 'what followed a rename says so');

my $dump = $node->basedir . '/dump';
command_ok([ 'pg_dump', '-d', $node->connstr('original'), '-f', "$dump.sql" ], 'pg_dump, plain');
command_ok([ 'pg_dump', '-d', $node->connstr('original'), '-Fc', '-f', "$dump.custom" ], 'pg_dump, custom');
command_ok([ 'pg_dump', '-d', $node->connstr('original'), '--data-only', '-f', "$dump.data" ], 'pg_dump, data only');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'), '-f', "$dump.sql" ], 'restores');
command_ok([ 'pg_restore', '-j', '4', '--exit-on-error', '-d', $node->connstr('parallel'), "$dump.custom" ], 'restores in parallel');
$node->safe_psql('data', 'CREATE EXTENSION nurture');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('data'), '-f', "$dump.data" ], 'restores the data into a fresh extension');

foreach my $database ('plain', 'parallel', 'data')
{
    is($node->safe_psql($database, $history), $is{$history}, "$database: the same versions");
    is($node->safe_psql($database, $audit), $is{$audit}, "$database: the same audit");
    is($node->safe_psql($database, $definitions), $is{$definitions}, "$database: the same definitions");
    $node->safe_psql($database, q{UPDATE nurture.rule SET definition = '+6 on v topic pricing'; SELECT nurture.rename('segment', 'hot', 'warm'); SELECT nurture.revert('rule', 'gone', 1)});
    is($node->safe_psql($database, q{SELECT string_agg(format('%s %s %s %s', kind, name, version, operation), ', ' ORDER BY kind, name, version)
        FROM nurture.audit WHERE by <> 'marketer'}),
        'rule gone 3 restored, rule views 2 changed, segment buyer 3 changed, segment warm 3 renamed, workflow nudge 4 changed',
        "$database: the history goes on, and notes nothing but what changes");
}
$node->stop;
done_testing();
