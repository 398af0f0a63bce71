#!/usr/bin/perl
# copy.pl FROM TO: makes the sources in TO those in FROM. Only what differs is written, so that little is built anew.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Compare qw(compare);
use File::Copy qw(copy);
use File::Find;
use File::Path qw(make_path);

my ($from, $to) = @ARGV;
if (!-e $to) { # with what is built already, and times as they are
    make_path($to);
    system("tar -C '$from' --exclude=./build --exclude=./.git --exclude=./tmp_check -cf - . | tar -C '$to' -xf -") == 0 or die "cannot copy\n";
    exit 0;
}
my %ours;
find({ no_chdir => 1, wanted => sub {
    (my $path = $_) =~ s{^\Q$from\E/?}{};
    if ($path =~ m{^(build|\.git|results|tmp_check|output_iso)$} || $path =~ m{^test/isolation/output_iso$}) { $File::Find::prune = 1; return; }
    return if !-f $_ || $path =~ m{\.(o|d|so|bc)$} || $path =~ m{^nurture--[^/]*\.sql$} || $path =~ m{^regression\.(diffs|out)$};
    $ours{$path} = 1;
    return if -e "$to/$path" && compare($_, "$to/$path") == 0;
    make_path(dirname("$to/$path"));
    copy($_, "$to/$path") or die "$path: $!\n";
    chmod((stat($_))[2] & 07777, "$to/$path");
} }, $from);
find({ no_chdir => 1, wanted => sub {
    (my $path = $_) =~ s{^\Q$to\E/?}{};
    unlink $_ if -f $_ && $path =~ m{^(src|sql|expected|test|scripts)/} && !$ours{$path} && $path !~ m{\.(o|d)$|output_iso/};
} }, $to);
