# What tests of the whole engine share: definitions, events, and the comparison of two databases that were told the same.
package EngineState;
use strict;
use warnings;
use Exporter 'import';
use Test::More;

our @EXPORT = qw(define_engine outcome_of is_same_outcome accounts_balance);

sub define_engine
{
    my ($node, $database) = @_;
    $node->safe_psql($database, <<'SQL');
INSERT INTO nurture.rule (name, definition) VALUES ('views', '+5 on v topic pricing half-life 2 days'), ('buys', '-3 on buy at most 2 per day');
INSERT INTO nurture.segment (name, condition) VALUES ('warm', 'score >= 12'), ('busy', 'count(v within 4 seconds) >= 2'),
    ('pro', 'plan = ''pro'' and not in segment ''busy''');
INSERT INTO nurture.workflow (name, definition) VALUES
    ('busy', 'on entering segment ''busy'' re-enter after 5 seconds wait 1 second send email ''busy'' wait for buy up to 3 seconds then send email ''thanks'' else set gone = ''yes'' send push ''come back'' end'),
    ('go', 'on go exit on buy re-enter always wait for in segment ''warm'' up to 2 seconds send email ''warm'' wait 1 second send email ''end''');
SQL
    return;
}

# Everything but what senders change (a failed attempt is due later) and the numbers of ticks, which belong to how the work was cut; the order of what happens to a contact does not.
# What senders tell may become visible after its received_at; it happens at the clock then, and a reference is told it at that.
my $outcome = <<'SQL';
SELECT 'transition ' || row(contact, row_number() OVER (PARTITION BY contact ORDER BY tick, n), at, kind, name, version, step, cause, detail)::text FROM nurture.transition
UNION ALL
SELECT 'log ' || row(contact, row_number() OVER (PARTITION BY contact ORDER BY tick, n), key, kind, type, at,
    CASE WHEN type IN ('$sent', '$failed', '$dropped') THEN clock ELSE received_at END, clock, props, message_id)::text FROM nurture.event_log
UNION ALL
SELECT 'action ' || row(id, contact, channel, template, payload, expires, workflow, version, journey, step, created_at)::text FROM nurture.action
UNION ALL
SELECT 'membership ' || row(segment, contact, since, cause)::text FROM nurture.membership
ORDER BY 1
SQL

sub outcome_of
{
    my ($node, $database) = @_;
    return $node->safe_psql($database, "SET datestyle = 'ISO'; SET timezone = 'UTC'; $outcome");
}

sub is_same_outcome
{
    my ($ours, $theirs, $name) = @_;
    my %theirs = map { $_ => 1 } split /\n/, $theirs;
    my %ours = map { $_ => 1 } split /\n/, $ours;
    my @more = grep { !$theirs{$_} } split /\n/, $ours;
    my @less = grep { !$ours{$_} } split /\n/, $theirs;
    ok($ours eq $theirs, $name)
      or diag(scalar(@more) . " lines more, " . scalar(@less) . " less:\n" . join("\n", map({ "+ $_" } splice(@more, 0, 5)), map({ "- $_" } splice(@less, 0, 5))));
    return;
}

# Every row that was told is somewhere, and is there once.
sub accounts_balance
{
    my ($node, $database, $inserted, $name) = @_;
    is($node->safe_psql($database, <<'SQL'), "$inserted|t|0", $name);
SELECT (SELECT count(*) FROM nurture.event_log WHERE kind IS DISTINCT FROM '$engine') + (SELECT count(*) FROM nurture.rejected_event)
         + (SELECT count(*) FROM nurture.quarantined_message) + duplicates,
       logged = (SELECT count(*) FROM nurture.event_log WHERE kind IS DISTINCT FROM '$engine'),
       (SELECT count(*) FROM nurture.inbox)
FROM nurture.engine
SQL
    return;
}

1;
