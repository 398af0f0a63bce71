#!/usr/bin/perl
# Runs the vocabulary: every row of the tables of docs/vocabulary.md against the running server (PGHOST, PGPORT, PGUSER), in a
# database of its own.
#   vocabulary.pl docs/vocabulary.md
# A row is:  | item | `condition` | `what the contact was told`, … | `when it is asked` | yes |
#   * an empty item goes on with the item above: an item works when all of its rows do;
#   * told: [date [time]] type [{properties}]; without a date at 2026-03-02 09:00, a Monday; all times are UTC;
#   * asked: a moment; nothing: when the last thing was told;
#   * a workflow instead of a condition: the answer is "sent: ", its actions of that contact up to the moment of the question, each
#     with its moment and template or kind, separated by semicolons; or "sent: nothing". The event enrol is each row's own;
#   * the answer is yes or no, or "later: why" for what does not work yet; then the rest of the row may be empty.
# A condition may be any rule too (+5 on x): then the answer is the number of points. A | inside a cell is written \|.
# ```sql blocks are run before all rows; what stands between tables and blocks is for the reader.
use strict;
use warnings;
use utf8;
use open qw(:std :encoding(UTF-8));
use File::Temp qw(tempfile);

my $base     = '2026-03-02 09:00';
my $database = 'nurture_vocabulary';
my $document = shift or die "usage: vocabulary.pl docs/vocabulary.md\n";

my (@setup, @rows, $item, $section, $in_sql, %works, @items, @later);
open my $in, '<', $document or die "$document: $!\n";
while (my $line = <$in>) {
    if ($line =~ /^```/) { $in_sql = !$in_sql && $line =~ /^```sql/; next }
    if ($in_sql) { push @setup, $line; next }
    $section = $1 if $line =~ /^## ([\d.]+)/;
    next unless $line =~ /^\|/ && $section;
    my @cells = map { s/^\s+|\s+$//gr =~ s/\\\|/|/gr } split /(?<!\\)\|/, $line, -1;
    shift @cells; pop @cells;
    next if @cells != 5 || $cells[0] eq 'item' || $cells[0] =~ /^:?-+:?$/;
    if ($cells[0] ne '') {
        $item = "$section $cells[0]";
        push @items, $item;
        $works{$item} = 1;
    }
    if ($cells[4] =~ /^later: ./) {
        push @later, "$item ($cells[4])" if $works{$item};
        $works{$item} = 0;
        next;
    }
    die "$document line $.: the answer is yes, no, a number, what was sent or \"later: why\", not \"$cells[4]\"\n"
        unless $cells[4] =~ /^(yes|no|-?\d+(\.\d+)?|sent: .+)$/;
    s/\benrol\b/enrol_$./g for @cells[1, 2];
    my ($condition) = $cells[1] =~ /^`(.+)`$/ or die "$document line $.: no condition\n";
    my @told = $cells[2] =~ /`([^`]+)`/g;
    my ($asked) = $cells[3] =~ /`([^`]+)`/;
    push @rows, { line => $., item => $item, condition => $condition, told => \@told, asked => $asked, answer => $cells[4] };
}

sub quote { my $text = shift; $text =~ s/'/''/g; return "'$text'" }

# Everything at once: a contact and a definition of its own for each row.
my ($sql, $file) = tempfile('/tmp/nurture_vocabulary.XXXXXX', UNLINK => 1);
binmode $sql, ':utf8';
print $sql "\\set ON_ERROR_STOP on\nSET client_min_messages = warning;\nSET timezone = 'UTC';\nSET nurture.enabled = off;\n",
    "CREATE EXTENSION nurture;\n", @setup,
    "CREATE TABLE asked (line int, contact text COLLATE \"C\", at timestamptz, answer text, problem text);\n";
my $latest = $base;
for my $row (@rows) {
    my $contact = "line $row->{line}";
    my $when    = $base;
    my $is_workflow = $row->{answer} =~ /^sent: /;
    my $is_rule = !$is_workflow && $row->{answer} =~ /\d/;
    my ($table, $column) = $is_workflow ? ('workflow', 'definition') : $is_rule ? ('rule', 'definition') : ('segment', 'condition');
    my $definition = quote($row->{condition});
    $definition .= " || ' topic line_$row->{line}'" if $is_rule && $row->{condition} !~ / topic /;
    my $type = $is_workflow ? 'nurture.workflow_definition' : $is_rule ? 'nurture.rule_definition' : 'nurture.condition';
    print $sql "DO \$do\$ BEGIN INSERT INTO nurture.$table (name, $column) VALUES ('$contact', ($definition)::text::$type);\n",
        "EXCEPTION WHEN OTHERS THEN INSERT INTO asked (line, problem) VALUES ($row->{line}, SQLERRM); END \$do\$;\n";
    for my $told (@{ $row->{told} }) {
        $told =~ /^(?:(\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?) +)?("[^"]+"|\S+)(?:\s+(\{.*\}))?$/
            or die "$document line $row->{line}: cannot read \"$told\"\n";
        my ($at, $event, $props) = ($1 // $when, $2, $3 // '{}');
        $event =~ s/^"(.*)"$/$1/;
        print $sql "INSERT INTO nurture.inbox (contact, type, at, received_at, props) VALUES ('$contact', ", quote($event),
            ", '$at', '$at', ", quote($props), ");\n";
        $when = $at;
    }
    print $sql "INSERT INTO nurture.inbox (contact, type, at, received_at) VALUES ('$contact', 'exists', '$base', '$base');\n"
        unless @{ $row->{told} };
    my $asked = $row->{asked} // $when;
    $latest = $asked if $asked gt $latest;
    print $sql "INSERT INTO asked (line, contact, at, answer) SELECT $row->{line}, '$contact', '$asked', '$row->{answer}'",
        " WHERE NOT EXISTS (SELECT FROM asked WHERE line = $row->{line});\n";
}
print $sql "CALL nurture.tick('$latest'::timestamptz + interval '1 second');\n", <<'SQL';
\o :result
SELECT a.line || E'\t' || coalesce(a.problem, CASE WHEN a.answer LIKE 'sent: %'
           THEN 'sent: ' || coalesce((SELECT string_agg(to_char(c.due, 'YYYY-MM-DD HH24:MI') || CASE WHEN date_part('second', c.due) > 0
                                                            THEN to_char(c.due, ':SS.US') ELSE '' END || ' ' || coalesce(c.template, c.channel),
                                                        '; ' ORDER BY c.due, (SELECT array_agg(lpad(s.part, 12, '0') ORDER BY s.n)
                                                            FROM string_to_table(c.step, '.') WITH ORDINALITY s (part, n)))
                                      FROM nurture.action c WHERE c.contact = a.contact AND c.workflow = a.contact AND c.due <= a.at), 'nothing')
           WHEN a.answer ~ '\d'
           THEN coalesce(trim_scale(nurture.score(a.contact, 'line_' || a.line, a.at))::text, 'no score')
           ELSE coalesce((SELECT CASE t.kind WHEN 'segment entered' THEN 'yes' ELSE 'no' END
                          FROM nurture.transition t
                          WHERE t.contact = a.contact AND t.name = a.contact AND t.kind IN ('segment entered', 'segment left') AND t.at <= a.at
                          ORDER BY t.at DESC, t.tick DESC, t.n DESC LIMIT 1), 'no') END) || E'\t'
FROM asked a ORDER BY a.line;
SELECT '0' || E'\t' || coalesce((SELECT f.problem FROM (SELECT e.model_problem AS problem FROM nurture.engine e) f), '') || E'\t';
SQL
close $sql;

$ENV{PSQLRC} = '/dev/null';
my @psql = ('psql', '-X', '-q', '-A', '-t');
system(@psql, '-d', 'postgres', '-c', 'SET client_min_messages = error', '-c', "DROP DATABASE IF EXISTS $database", '-c', "CREATE DATABASE $database", '-c', "ALTER DATABASE $database SET nurture.enabled = off") == 0
    or die "cannot make a database\n";
my (undef, $result) = tempfile('/tmp/nurture_vocabulary.XXXXXX', UNLINK => 1);
my $status = system(@psql, '-d', $database, '-v', "result=$result", '-f', $file);
my %got;
open my $out, '<', $result or die "$result: $!\n";
while (<$out>) { chomp; my ($line, $value) = split /\t/; $got{$line} = $value if defined $value }
close $out;
system(@psql, '-d', 'postgres', '-c', "DROP DATABASE $database WITH (FORCE)");
print "not ok the definitions are taken up: $got{0}\n" if $got{0};

my $failed = $status != 0 || $got{0} ? 1 : 0;
my $good = 0;
for my $row (@rows) {
    my $is = $got{ $row->{line} } // 'nothing';
    my $same = $is eq $row->{answer} || ($is =~ /^-?[\d.]+$/ && $row->{answer} =~ /^-?[\d.]+$/ && $is == $row->{answer});
    if ($same) { print "ok line $row->{line}: $row->{item}\n" }
    else {
        print "not ok line $row->{line}: $row->{item}: $row->{condition} is $is, not $row->{answer}\n";
        $works{ $row->{item} } = 0;
        $failed = 1;
    }
}
print "# not yet: $_\n" for @later;
my $count = grep { $works{$_} } @items;
printf "vocabulary: %d of %d\n", $count, scalar @items;
exit $failed;
