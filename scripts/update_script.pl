#!/usr/bin/perl
# Makes the script for ALTER EXTENSION nurture UPDATE from one version to the next:
#   scripts/update_script.pl OLD.sql NEW.sql BY_HAND.sql > nurture--OLD--NEW.sql
# OLD and NEW are complete install scripts. What can be replaced (functions, views, triggers, comments) or is new is taken
# from NEW, what is gone is dropped, what is the same is left alone. What holds data cannot be derived: its DDL is written
# by hand in BY_HAND. docs/decisions/0006 has the rules; test/tap/021_upgrade.pl compares the result with a fresh install.
use strict;
use warnings;

my ($old_file, $new_file, $hand_file) = @ARGV;
die "usage: update_script.pl OLD.sql NEW.sql BY_HAND.sql\n" if @ARGV != 3;

sub slurp
{
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    local $/;
    return scalar <$in>;
}

# A script's statements, without comments before them. Strings, quoted names, dollar quotes and BEGIN ATOMIC are respected.
sub statements
{
    my ($text) = @_;
    my @found;
    my $now = '';
    $text =~ s/^\\.*$//mg;
    while ($text =~ /\G(?:
            (?<comment> --[^\n]* | \/\*.*?\*\/ )
          | (?<string> \b[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" )
          | (?<dollar> (\$\w*\$).*?\g{-1} )
          | (?<atomic> \bBEGIN\s+ATOMIC\b.*?\bEND(?=\s*;) )
          | (?<end> ; )
          | (?<word> \w+ )
          | (?<other> . ) )/gsx)
    {
        if (defined $+{comment})
        {
            my $comment = $+{comment};
            $now .= $comment if $now =~ /\S/;
        }
        elsif (defined $+{end})
        {
            $now =~ s/^\s+//;
            push @found, describe($now);
            $now = '';
        }
        else
        {
            $now .= $&;
        }
    }
    die "a statement is not ended: $now\n" if $now =~ /\S/;
    return @found;
}

sub squeeze
{
    my ($text) = @_;
    $text =~ s/\s+/ /g;
    $text =~ s/\( /(/g;
    $text =~ s/ \)/)/g;
    $text =~ s/^ | $//g;
    return $text;
}

# The text in the brackets that open here, and what follows them.
sub bracket
{
    my ($text) = @_;
    my $depth = 0;
    while ($text =~ /'(?:[^']|'')*'|([()])/g)
    {
        next unless defined $1;
        $depth += $1 eq '(' ? 1 : -1;
        return (substr($text, 1, pos($text) - 2), substr($text, pos($text))) if $depth == 0;
    }
    die "brackets do not match: $text\n";
}

sub split_list
{
    my ($text) = @_;
    my ($depth, $now, @parts) = (0, '');
    while ($text =~ /('(?:[^']|'')*'|[(),]|[^'(),]+)/g)
    {
        $depth += $1 eq '(' ? 1 : $1 eq ')' ? -1 : 0;
        if ($1 eq ',' && $depth == 0)
        {
            push @parts, $now;
            $now = '';
        }
        else
        {
            $now .= $1;
        }
    }
    push @parts, $now if $now =~ /\S/;
    return map { squeeze($_) } @parts;
}

my $two_words = qr/(?:double precision|character varying|bit varying|time with(?:out)? time zone|timestamp with(?:out)? time zone)/i;
my $ordinary = qr/(?:any\w*|bigint|boolean|bool|bytea|cstring|date|float8|int[248]?|internal|interval|json|jsonb|numeric|oid|reg\w+|record|smallint|text|tid|timestamptz|trigger|uuid|void|nurture\.\w+|pg_catalog\.\w+)/i;

# An argument: mode, type and whether it has a default. Names matter too: they cannot be changed in place.
sub argument
{
    my ($text) = @_;
    my $default = $text =~ s/\s+(?:DEFAULT\b|=).*//is ? 1 : 0;
    my $mode = $text =~ s/^(INOUT|IN|OUT|VARIADIC)\s+//i ? uc $1 : 'IN';
    my ($name, $type) = ('', $text);
    if ($text !~ /^(?:$two_words|$ordinary)(?:\[\]|\(.*\))?$/i && $text =~ /^("[^"]+"|\w+)\s+(.+)$/s)
    {
        ($name, $type) = ($1, $2);
    }
    return { mode => $mode, name => $name, type => lc $type, default => $default };
}

sub signature
{
    my ($name, $list) = @_;
    my @arguments = map { argument($_) } grep { $_ ne '*' } split_list($list =~ s/\bORDER BY\b/,/ir);
    return (lc("$name(" . join(', ', map { ($_->{mode} eq 'VARIADIC' ? 'variadic ' : '') . $_->{type} } grep { $_->{mode} ne 'OUT' } @arguments) . ')'), \@arguments);
}

# What a statement makes or changes: kind and key, the same in both scripts.
sub describe
{
    my ($text) = @_;
    my %s = (text => $text, plain => squeeze($text));
    if ($text =~ /^CREATE\s+(?:OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE|AGGREGATE)\s+([\w.]+)\s*(\(.*)$/is)
    {
        $s{kind} = uc $1;
        my $name = $2;
        my ($list, $rest) = bracket($3);
        ($s{key}, my $arguments) = signature($name, $list);
        $s{drop} = "$s{kind} $s{key}";
        $s{name} = lc $name;
        # What CREATE OR REPLACE cannot change; a default may be added.
        my ($returns) = $rest =~ /\bRETURNS\s+((?:SETOF\s+|TABLE\s*)?(?:\((?:[^()]|\([^()]*\))*\)|[\w.]+(?:\s+precision)?(?:\[\])?))/i;
        $s{head} = squeeze(join('|', map({ "$_->{mode} $_->{name} $_->{type}" } @$arguments), $returns // ''));
        $s{types} = join('|', map({ "$_->{mode} $_->{type}" } @$arguments));
        $s{returns} = squeeze($returns // '');
        if ($s{kind} eq 'AGGREGATE')
        {
            my ($state) = $rest =~ /\bSTYPE\s*=\s*([\w.]+)/i;
            my ($final) = $rest =~ /\bFINALFUNC\s*=\s*([\w.]+)/i;
            $s{head} .= "|$state|" . ($final // '');
        }
        $s{defaults} = grep { $_->{default} } @$arguments;
        # A quoted body makes no dependencies; a parsed one and the head do.
        $s{needs} = $text =~ /\bAS\s+(?:'|\$)/ ? substr($text, 0, $-[0]) : $text;
        ($s{symbol}) = $rest =~ /'MODULE_PATHNAME'\s*,\s*'(\w+)'/;
    }
    elsif ($text =~ /^CREATE\s+(?:OR\s+REPLACE\s+)?(VIEW)\s+([\w.]+)/i)
    {
        @s{qw(kind key drop name)} = ('VIEW', lc $2, 'VIEW ' . lc $2, lc $2);
    }
    elsif ($text =~ /^CREATE\s+(?:OR\s+REPLACE\s+)?(?:CONSTRAINT\s+)?TRIGGER\s+(\w+)\s.*?\sON\s+([\w.]+)/is)
    {
        @s{qw(kind key drop)} = ('TRIGGER', lc "$1 on $2", lc "TRIGGER $1 ON $2");
        $s{on} = lc $2;
    }
    elsif ($text =~ /^CREATE\s+(UNLOGGED\s+)?TABLE\s+([\w.]+)/i)
    {
        @s{qw(kind key drop name)} = ('TABLE', lc $2, 'TABLE ' . lc $2, lc $2);
        $s{holds_data} = !$1;
    }
    elsif ($text =~ /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+(\w+)\s+ON\s+([\w.]+)/i)
    {
        @s{qw(kind key drop)} = ('INDEX', lc "nurture.$1", 'INDEX ' . lc "nurture.$1");
        $s{on} = lc $2;
    }
    elsif ($text =~ /^CREATE\s+TYPE\s+([\w.]+)\s*(AS\b|\(|$)/i)
    {
        @s{qw(kind key drop name)} = (uc $2 eq 'AS' ? 'TYPE' : $2 eq '(' ? 'BASE TYPE' : 'SHELL TYPE', lc $1, 'TYPE ' . lc $1, lc $1);
    }
    elsif ($text =~ /^CREATE\s+SEQUENCE\s+([\w.]+)/i)
    {
        @s{qw(kind key drop name)} = ('SEQUENCE', lc $1, 'SEQUENCE ' . lc $1, lc $1);
        $s{holds_data} = 1;
    }
    elsif ($text =~ /^CREATE\s+CAST\s+(\(.*?\))/is)
    {
        @s{qw(kind key drop)} = ('CAST', lc squeeze($1), 'CAST ' . lc squeeze($1));
    }
    elsif ($text =~ /^CREATE\s+OPERATOR\s+(CLASS\s+|FAMILY\s+)([\w.]+).*?\bUSING\s+(\w+)/is)
    {
        @s{qw(kind key drop)} = (squeeze("OPERATOR $1"), lc "$2 using $3", squeeze("OPERATOR $1") . lc " $2 USING $3");
    }
    elsif ($text =~ /^CREATE\s+OPERATOR\s+(\S+?)\s*\((.*)\)$/is)
    {
        my ($name, $body) = ($1, $2);
        my ($left) = $body =~ /\bLEFTARG\s*=\s*([\w.]+)/i;
        my ($right) = $body =~ /\bRIGHTARG\s*=\s*([\w.]+)/i;
        $s{kind} = 'OPERATOR';
        $s{key} = lc "$name (" . ($left // 'none') . ', ' . ($right // 'none') . ')';
        $s{drop} = "OPERATOR $s{key}";
    }
    elsif ($text =~ /^COMMENT\s+ON\s+(COLUMN|TABLE|VIEW|TYPE|FUNCTION|PROCEDURE|AGGREGATE|[A-Z ]+?)\s+(.*?)\s+IS\b/is)
    {
        my ($kind, $target) = (uc squeeze($1), $2);
        $s{kind} = 'COMMENT';
        if ($kind =~ /^(?:FUNCTION|PROCEDURE|AGGREGATE)$/ && $target =~ /^([\w.]+)\s*(\(.*)$/s)
        {
            my ($name, $in) = ($1, $2);
            my ($list) = bracket($in);
            ($target) = signature($name, $list);
        }
        $target = lc squeeze($target);
        $s{key} = "$kind $target";
        $s{of} = $kind eq 'COLUMN' ? $target =~ s/\.\w+$//r : $target;
        $s{on} = $s{of};
    }
    elsif ($text =~ /^(GRANT|REVOKE)\s+(.*?)\s+ON\s+(?:(FUNCTION|PROCEDURE|TABLE|SCHEMA|SEQUENCE|TYPE)\s+)?(.*)\s+(TO|FROM)\s+(\w+)$/is)
    {
        $s{kind} = 'PRIVILEGE';
        @s{qw(verb what class to whom)} = (uc $1, squeeze($2), uc($3 // 'TABLE'), uc $5, $6);
        $s{objects} = [ map {
                my ($name, $in) = /^([\w.]+)\s*(\(.*)$/s;
                defined $in ? (signature($name, (bracket($in))[0]))[0] : lc $_
            } split_list($4) ];
        $s{key} = $s{plain};
    }
    elsif ($text =~ /^ALTER\s+TABLE\s+(?:ONLY\s+)?([\w.]+)/i)
    {
        @s{qw(kind key on)} = ('ALTER', $s{plain}, lc $1);
    }
    elsif ($text =~ /^DROP\s+(FUNCTION|PROCEDURE|AGGREGATE|VIEW|TABLE|TYPE|INDEX)\s+(?:IF\s+EXISTS\s+)?([\w.]+)\s*(\(.*\))?/is)
    {
        my ($kind, $name, $list) = (uc $1, lc $2, $3);
        @s{qw(kind dropped)} = ('DROP', defined $list ? (signature($name, (bracket($list))[0]))[0] : $name);
        $s{key} = $s{plain};
    }
    elsif ($text =~ /^DROP\s+TRIGGER\s+(?:IF\s+EXISTS\s+)?(\w+)\s+ON\s+([\w.]+)/i)
    {
        @s{qw(kind dropped key)} = ('DROP', lc "$1 on $2", $s{plain});
    }
    else
    {
        @s{qw(kind key)} = ('OTHER', $s{plain});
    }
    $s{needs} //= $text if $s{kind} !~ /^(COMMENT|PRIVILEGE|OTHER|DROP)$/;
    return \%s;
}

my @old = statements(slurp($old_file));
my @new = statements(slurp($new_file));

# By hand: what stands before the first mark comes first; "--@ last" begins what comes last, "--@ before NAME" what comes
# before NAME is made. "--@ compatible SYMBOL: why" says that the library's new function also serves calls of the old one.
my %by_hand = (first => '');
my %compatible;
my $place = 'first';
foreach my $line (split /^/, slurp($hand_file))
{
    if ($line =~ /^--@ (first|last|before\s+\S.*?)\s*$/)
    {
        $place = lc squeeze($1);
        $by_hand{$place} //= '';
    }
    elsif ($line =~ /^--@ compatible\s+(\w+): \S/)
    {
        $compatible{$1} = 1;
    }
    elsif ($line =~ /^--@/)
    {
        die "$hand_file: not understood: $line";
    }
    else
    {
        $by_hand{$place} .= $line;
    }
}
my (%made_by_hand, %altered_by_hand, %dropped_by_hand);
foreach my $statement (map { statements($_) } values %by_hand)
{
    $altered_by_hand{ $statement->{on} } = 1 if $statement->{kind} eq 'ALTER';
    $dropped_by_hand{ $statement->{dropped} } = 1 if $statement->{kind} eq 'DROP';
    $made_by_hand{"$statement->{kind} $statement->{key}"} = 1 if $statement->{text} =~ /^CREATE/i;
    $altered_by_hand{ $1 } = 1 if $statement->{text} =~ /^ALTER\s+TYPE\s+([\w.]+)/i;
    # What has another name now leaves its own free.
    $dropped_by_hand{ lc $1 } = 1 if $statement->{text} =~ /^ALTER\s+TABLE\s+([\w.]+)\s+RENAME\s+TO\b/i;
}

my %made = map { ("$_->{kind} $_->{key}" => $_) } grep { $_->{text} =~ /^CREATE/i } @new;
my %was = map { ("$_->{kind} $_->{key}" => $_) } grep { $_->{text} =~ /^CREATE/i } @old;
my @notes;

sub replaceable
{
    my ($before, $after) = @_;
    return 1 if $before->{kind} =~ /^(VIEW|TRIGGER)$/;
    return 0 if $before->{kind} !~ /^(FUNCTION|PROCEDURE|AGGREGATE)$/;
    return $before->{head} eq $after->{head} && $before->{defaults} <= $after->{defaults};
}

# What must go: what is no more, what cannot be replaced, and what stands on either of them.
my %goes;
foreach my $before (grep { $_->{text} =~ /^CREATE/i } @old)
{
    my $id = "$before->{kind} $before->{key}";
    my $after = $made{$id};
    next if $dropped_by_hand{ $before->{key} };
    next if defined $before->{on} && $dropped_by_hand{ $before->{on} };
    next if defined $after && $after->{plain} eq $before->{plain};
    next if defined $after && replaceable($before, $after);
    if ($before->{holds_data} || $before->{kind} =~ /^(BASE|SHELL) TYPE$/)
    {
        push @notes, "$before->{drop} " . (defined $after ? 'has changed' : 'is no more') . ': by hand'
          if !$altered_by_hand{ $before->{name} };
        next;
    }
    next if $before->{kind} eq 'TYPE' && $altered_by_hand{ $before->{name} };
    $goes{$id} = $before;
}
for (my $found = 1; $found;)
{
    $found = 0;
    my @names = map { $_->{name} } grep { defined $_->{name} } values %goes;
    last if !@names;
    my $mentions = join '|', map { quotemeta } @names;
    foreach my $before (grep { $_->{text} =~ /^CREATE/i && defined $_->{needs} } @old)
    {
        my $id = "$before->{kind} $before->{key}";
        next if $goes{$id} || $dropped_by_hand{ $before->{key} } || defined $before->{on} && $dropped_by_hand{ $before->{on} };
        next if $before->{needs} !~ /(?<![\w.])(?:$mentions)(?!\w)/i;
        # Another function of the same name, and the object's own name, is no dependency.
        my $rest = defined $before->{name} ? $before->{needs} =~ s/\Q$before->{name}\E//ir : $before->{needs};
        next if $rest !~ /(?<![\w.])(?:$mentions)(?!\w)/i;
        if ($before->{holds_data} || $before->{kind} =~ /^(BASE|SHELL) TYPE$/)
        {
            push @notes, "$before->{drop} may stand on what is dropped: by hand" if !$altered_by_hand{ $before->{name} };
            next;
        }
        $goes{$id} = $before;
        $found = 1;
    }
}

my ($from, $to) = map { /--([\w.]+)\.sql$/ ? $1 : die "$_: no version in the name\n" } $old_file, $new_file;
print <<"SQL";
-- Made by scripts/update_script.pl of the install scripts of $from and $to and of what was written by hand; do not edit.
\\echo Use "ALTER EXTENSION nurture UPDATE TO '$to'" to load this file. \\quit

SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL check_function_bodies = on;
SQL

print slurp($0 =~ s/[^\/]+$/update_helpers.sql/r) =~ s/\@FROM\@/$from/gr =~ s/\@TO\@/$to/gr, "\n";
print $by_hand{first};
foreach my $statement (reverse @old)
{
    next if $statement->{text} !~ /^CREATE/i || !defined $statement->{drop};
    my $id = "$statement->{kind} $statement->{key}";
    next if !$goes{$id};
    next if defined $statement->{on} && grep { $_->{kind} eq 'TABLE' && $_->{name} eq $statement->{on} } values %goes;
    print 'SELECT nurture._update_drop($drop$', $statement->{drop}, "\$drop\$);\n";
}

my %old_privileges;
foreach my $statement (grep { $_->{kind} eq 'PRIVILEGE' } @old)
{
    $old_privileges{"$statement->{verb} $statement->{what} $statement->{class} $_ $statement->{to} $statement->{whom}"} = 1 foreach @{ $statement->{objects} };
}
my %old_other = map { ($_->{plain} => 1) } grep { $_->{kind} =~ /^(OTHER|ALTER|DROP)$/ } @old;
my %old_comment = map { ($_->{key} => $_->{plain}) } grep { $_->{kind} eq 'COMMENT' } @old;
my %anew;

# As in a fresh install: a function may name what comes behind it.
print "SET LOCAL check_function_bodies = off;\n";
foreach my $statement (@new)
{
    my $id = "$statement->{kind} $statement->{key}";
    if ($statement->{text} =~ /^CREATE/i)
    {
        foreach my $name (grep { defined } $statement->{name}, $statement->{key})
        {
            my $before = delete $by_hand{"before $name"};
            print "\n$before" if defined $before;
        }
        next if $made_by_hand{$id};
        my $before = $was{$id};
        $before = undef if defined $before && ($goes{$id} || $dropped_by_hand{ $before->{key} } || defined $before->{on} && $dropped_by_hand{ $before->{on} });
        # An index or a trigger goes with its table.
        $before = undef if defined $before && defined $before->{on} && $goes{"TABLE $before->{on}"};
        if (!defined $before)
        {
            print "\n$statement->{text};\n";
            $anew{ $statement->{key} } = 1;
            $anew{ $statement->{name} } = 1 if $statement->{kind} =~ /TYPE|TABLE|VIEW/;
        }
        elsif ($before->{plain} eq $statement->{plain} || !replaceable($before, $statement))
        {
            # the same, or by hand
        }
        elsif ($statement->{kind} eq 'VIEW')
        {
            print "\nSELECT nurture._update_view('$statement->{key}', \$view\$$statement->{text}\$view\$);\n";
            $anew{ $statement->{key} } = 1;
        }
        else
        {
            print "\n", $statement->{text} =~ s/^CREATE\s+(?:OR\s+REPLACE\s+)?/CREATE OR REPLACE /ir, ";\n";
        }
    }
    elsif ($statement->{kind} eq 'COMMENT')
    {
        my $same = ($old_comment{ $statement->{key} } // '') eq $statement->{plain};
        print "$statement->{text};\n" if !$same || $anew{ $statement->{of} } || grep { $_ eq $statement->{of} } keys %dropped_by_hand;
        delete $old_comment{ $statement->{key} };
    }
    elsif ($statement->{kind} eq 'PRIVILEGE')
    {
        foreach my $object (@{ $statement->{objects} })
        {
            my $item = "$statement->{verb} $statement->{what} $statement->{class} $object $statement->{to} $statement->{whom}";
            # A view that was replaced has its privileges still.
            next if $old_privileges{$item} && !($anew{$object} && !defined $was{"VIEW $object"}) && !$goes{"VIEW $object"};
            print "$statement->{verb} $statement->{what} ON $statement->{class} $object $statement->{to} $statement->{whom};\n";
        }
    }
    else
    {
        print "$statement->{text};\n" if !$old_other{ $statement->{plain} } || $statement->{plain} =~ /config_dump\('([\w.]+)'/ && $anew{ $1 };
    }
}
foreach my $key (sort keys %old_comment)
{
    my ($kind, $target) = $key =~ /^(COLUMN|TABLE|VIEW|TYPE|FUNCTION|PROCEDURE|AGGREGATE|[A-Z ]+?) (.*)$/;
    # Of a column the table may be there and the column not: by hand drops the comment with it.
    print "COMMENT ON $key IS NULL;\n" if $kind ne 'COLUMN' && grep { $made{"$_ $target"} } 'TABLE', 'VIEW', 'FUNCTION', 'PROCEDURE', 'AGGREGATE';
}
# While the library is the new one and the catalogue still the old, the old functions call the library's symbols: each must be
# there with the signature it had, or be retired (src/pg/border/retired.cpp).
sub calls
{
    my @script = @_;
    my %composite = map { ($_->{key} => $_->{plain}) } grep { $_->{kind} eq 'TYPE' } @script;
    my %calls;
    foreach my $function (grep { defined $_->{symbol} } @script)
    {
        my $returns = $composite{ lc $function->{returns} } // $function->{returns};
        $calls{ $function->{symbol} }{ $function->{types} . $returns } = $function->{key};
    }
    return \%calls;
}
my ($calls_before, $calls_after) = (calls(@old), calls(@new));
foreach my $symbol (sort grep { $calls_after->{$_} && !$compatible{$_} } keys %$calls_before)
{
    foreach my $call (sort keys %{ $calls_before->{$symbol} })
    {
        push @notes, "$symbol was called as $calls_before->{$symbol}{$call}: name the new one otherwise and retire it"
          if !$calls_after->{$symbol}{$call};
    }
}
foreach my $place (grep { /^before/ } keys %by_hand)
{
    push @notes, "by hand, $place: no such statement";
}
print "SET LOCAL check_function_bodies = on;\n";
print "\n", $by_hand{last} // '', "\nSELECT nurture._update_finish();\n",
  "DROP FUNCTION nurture._update_finish(), nurture._update_drop(text), nurture._update_view(text, text), nurture._update_save(text);\n",
  "DROP TABLE nurture._update_grant;\n";
print STDERR "update from $from to $to: $_\n" foreach @notes;
