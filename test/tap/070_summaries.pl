# Values of the analytic types survive a dump and a restore, a copy in text and in binary, and pg_dump's custom format: the same
# bytes, the same answers, an index in the same order.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('summaries');
$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach 'original', 'plain', 'custom', 'inserts', 'copied';
$node->safe_psql('original', <<'SQL');
CREATE EXTENSION nurture;
SELECT setseed(0.5);
CREATE TABLE event AS
SELECT (random() * 200)::int AS contact, timestamptz '2026-01-01' + (random() * 90000)::int * interval '1 minute' AS at,
       (ARRAY['view', 'cart', 'pay', E'gr\u00fc\u00df "dich"'])[1 + (random() * 3.999)::int % 4] AS type, round((random() * 100)::numeric, 2) AS value, random() < 0.3 AS flag
FROM generate_series(1, 5000);
CREATE TABLE summary (contact int PRIMARY KEY, funnel nurture.funnel_summary, cohort nurture.cohort_summary, path nurture.path, attribution nurture.attribution_summary,
    experiment nurture.ab_summary, score nurture.score_summary, warm nurture.decayed('14 days'), rfm nurture.rfm_values);
INSERT INTO summary
SELECT contact, nurture.funnel_agg(at, '7 days', type = 'view', type = 'cart', type = 'pay'), nurture.cohort_agg(at, '1 week'), nurture.path_agg(at, type),
       nurture.attribution_by(contact, at, type, flag::int, CASE WHEN flag THEN value END), nurture.ab_test_agg(type, flag, value), nurture.score_agg(value::float8, flag),
       nurture.decayed_sum(value, at, '14 days'), nurture.rfm(at, value, '2026-03-01')
FROM event GROUP BY contact;
INSERT INTO summary (contact, funnel) VALUES (-1, NULL);
CREATE INDEX summary_warm ON summary (warm);
CREATE VIEW answer AS
SELECT contact, nurture.times(funnel, 'strict_once') AS times, (SELECT array_agg(c::text) FROM nurture.cohort(cohort) c) AS cohort, nurture.channels(path) AS channels,
       (SELECT array_agg(a::text) FROM unnest('{markov,time_decay,shapley}'::text[]) m, nurture.attribution(attribution, m) a) AS credits,
       (SELECT array_agg(t::text) FROM nurture.ab_arms(experiment) t) AS arms, (SELECT array_agg(q::text) FROM nurture.score_quality(score) q) AS quality, nurture.value(warm, '2026-04-01') AS warm, rfm
FROM summary;
CREATE MATERIALIZED VIEW everything AS
SELECT nurture.depth(nurture.rollup(funnel), 'strict_order') AS depth, nurture.rollup(cohort) AS cohort, nurture.rollup(attribution) AS attribution, nurture.rollup(experiment) AS experiment,
       nurture.rollup(score) AS score, nurture.sum(warm) AS warm FROM summary;
SQL

my %question = (
    'values' => 'SELECT s::text FROM summary s ORDER BY contact',
    'answers' => 'SELECT a::text FROM answer a ORDER BY contact',
    'sums' => 'SELECT e::text FROM everything e',
    'order' => 'SET enable_seqscan = off; SET enable_sort = off; SELECT contact FROM summary ORDER BY warm DESC',
);
my %expected = map { $_ => $node->safe_psql('original', $question{$_}) } keys %question;
cmp_ok(length $expected{values}, '>', 100_000, 'there is something to lose');

my $dump = $node->basedir . '/dump';
command_ok([ 'pg_dump', '-d', $node->connstr('original'), '-f', "$dump.sql" ], 'pg_dump, plain');
command_ok([ 'pg_dump', '-d', $node->connstr('original'), '-Fc', '-f', "$dump.custom" ], 'pg_dump, custom');
command_ok([ 'pg_dump', '-d', $node->connstr('original'), '--inserts', '-f', "$dump.inserts" ], 'pg_dump, inserts');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'), '-f', "$dump.sql" ], 'restores');
command_ok([ 'pg_restore', '-j', '2', '--exit-on-error', '-d', $node->connstr('custom'), "$dump.custom" ], 'restores in parallel');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('inserts'), '-f', "$dump.inserts" ], 'restores row by row');

# Text and binary COPY into an empty table of another database.
command_ok([ 'pg_dump', '-d', $node->connstr('original'), '-s', '-f', "$dump.schema" ], 'pg_dump, schema only');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('copied'), '-f', "$dump.schema" ], 'restores the schema');
$node->safe_psql('original', "COPY (SELECT * FROM summary WHERE contact % 2 = 0) TO '$dump.even' (FORMAT binary); COPY (SELECT * FROM summary WHERE contact % 2 <> 0) TO '$dump.odd'");
$node->safe_psql('copied', "COPY summary FROM '$dump.even' (FORMAT binary); COPY summary FROM '$dump.odd'; REFRESH MATERIALIZED VIEW everything");

foreach my $database ('plain', 'custom', 'inserts', 'copied')
{
    is($node->safe_psql($database, $question{$_}), $expected{$_}, "$database: $_") foreach sort keys %question;
}
# What was computed before and what is computed after is the same.
is($node->safe_psql('plain', 'REFRESH MATERIALIZED VIEW everything; ' . $question{sums}), $expected{sums}, 'computed again from what was restored');
is($node->safe_psql('plain', 'SELECT count(*) FROM summary s JOIN (SELECT contact, nurture.funnel_agg(at, \'7 days\', type = \'view\', type = \'cart\', type = \'pay\') AS f FROM event GROUP BY contact) e USING (contact)'
    . ' WHERE s.funnel OPERATOR(nurture.=) e.f'), $node->safe_psql('original', 'SELECT count(*) FROM summary WHERE contact >= 0'), 'and from the events');

$node->stop;
done_testing();
