# What docs/operations.md says of settings and of the status is what there is.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $text = slurp_file("$ENV{TESTDIR}/operations.md");
my $node = PostgreSQL::Test::Cluster->new('documents');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION nurture');
my %said = $text =~ /^\| `(nurture\.\w+)` \| (?:`([^`]*)`)? *\|/mg;
my %are = map { split /\|/, $_, 2 } split /\n/, $node->safe_psql('postgres',
    q{SELECT name || '|' || current_setting(name) FROM pg_settings WHERE name LIKE 'nurture.%' AND (context <> 'user' OR name IN ('nurture.aggregate_memory', 'nurture.change_reason'))});
is(join(' ', sort keys %said), join(' ', sort keys %are), 'every setting of the server is listed, and no other');
my %unit = (ms => 1e-3, s => 1, min => 60, h => 3600, d => 86400, kB => 1, MB => 1024, GB => 1048576);
sub value { my ($v) = @_; return $v =~ /^(\d+)(ms|s|min|h|d|kB|MB|GB)$/ ? $1 * $unit{$2} : $v; }
is(value($said{$_} // ''), value($are{$_}), "$_ has the default that is said") foreach sort grep { exists $said{$_} } keys %are;

# Each status, up to where it varies.
my ($choice) = $node->safe_psql('postgres', q{SELECT prosrc FROM pg_proc WHERE oid = 'nurture._freshness'::regproc}) =~ /status := CASE(.*?)END;/s;
my @statuses = map { s/(?:%s|;|: ).*//sr } $choice =~ /(?:THEN|ELSE)\s+(?:format\()?'([^']+)'/g;
cmp_ok(scalar(@statuses), '>', 8, scalar(@statuses) . ' are found');
foreach my $status (@statuses)
{
    ok(index($text, "| `$status") >= 0, "it is told what to do when the status is \"$status\"");
}
$node->stop;
done_testing();
