# What the tests of upgrades and copies share: catalogues, released states, what people came to.
package Upgrade;
use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(is_same_lines catalogue_of lines_of golden run_file restore_released);

# Where prove.sh has put the files of test/tap/upgrade.
sub golden
{
    my ($version, $name) = @_;
    return defined $name ? "upgrade/$version/$name" : "upgrade/$version";
}

sub lines_of
{
    my ($node, $database, $file) = @_;
    my ($out, $error) = ('', '');
    IPC::Run::run([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', $file ], '>', \$out, '2>', \$error)
      or die "$file: $error";
    return $out;
}

sub catalogue_of
{
    my ($node, $database) = @_;
    return lines_of($node, $database, 'upgrade/catalogue.sql');
}

sub run_file
{
    my ($node, $database, $file, $name) = @_;
    my ($out, $error) = ('', '');
    ok(IPC::Run::run([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', $file ], '>', \$out, '2>', \$error), $name)
      or diag($error);
    return;
}

sub is_same_lines
{
    my ($ours, $theirs, $name) = @_;
    my %theirs = map { $_ => 1 } split /\n/, $theirs;
    my %ours = map { $_ => 1 } split /\n/, $ours;
    my @more = grep { !$theirs{$_} } split /\n/, $ours;
    my @less = grep { !$ours{$_} } split /\n/, $theirs;
    ok($ours eq $theirs, $name)
      or diag(scalar(@more) . ' lines more, ' . scalar(@less) . " less:\n"
          . join("\n", map({ '+ ' . substr($_, 0, 400) } splice(@more, 0, 25)), map({ '- ' . substr($_, 0, 400) } splice(@less, 0, 25))));
    return;
}

# A database as a released version left it, with that version's tables and functions and the library installed now.
sub restore_released
{
    my ($node, $database, $version) = @_;
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    $node->safe_psql($database, "CREATE EXTENSION nurture VERSION '$version'");
    run_file($node, $database, golden($version, 'dump.sql'), "$database: a dump of $version goes into $version");
    return;
}

1;
