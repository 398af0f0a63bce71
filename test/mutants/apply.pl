#!/usr/bin/perl
# apply.pl MUTANT TREE: makes the mutant's replacements in the tree. White space counts as white space whatever its
# length; each text must stand exactly once in its file. Fails, and changes nothing, otherwise.
use strict;
use warnings;

my ($mutant, $tree) = @ARGV;
open my $in, '<', $mutant or die "$mutant: $!\n";
my $text = do { local $/; <$in> };
my %changed;
my $file;
my $replacements = 0;
while ($text =~ m{\G(?:^file: *(\S+)\n|^<<<<\n(.*?)^====\n(.*?)^>>>>\n|^[^\n]*\n)}msgc) {
    if (defined $1) {
        $file = $1;
        next if defined $changed{$file};
        open my $source, '<', "$tree/$file" or die "$file: $!\n";
        $changed{$file} = do { local $/; <$source> };
    } elsif (defined $2) {
        my ($old, $new) = ($2, $3);
        my $pattern = join '\s+', map { quotemeta } grep { $_ ne '' } split /\s+/, $old;
        chomp $new;
        my $hits = () = $changed{$file} =~ /$pattern/g;
        die "$file: found $hits times:\n$old" if $hits != 1;
        $changed{$file} =~ s/$pattern/$new/;
        $replacements++;
    }
}
die "$mutant: replaces nothing\n" if !$replacements;
foreach my $path (keys %changed) {
    open my $out, '>', "$tree/$path" or die "$path: $!\n";
    print $out $changed{$path};
    close $out or die "$path: $!\n";
}
