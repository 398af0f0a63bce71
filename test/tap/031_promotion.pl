# A primary dies under load and its standby takes over. With synchronous_commit = remote_apply nothing that was handed out before is handed
# out again; with asynchronous replication what had not arrived is lost, and so claims that had not arrived are handed out again.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run;
use Time::HiRes qw(time sleep);
use WorkerStub;
use EngineState;

foreach my $mode ('synchronous', 'asynchronous')
{
    my $primary = PostgreSQL::Test::Cluster->new("primary_$mode");
    $primary->init(allows_streaming => 1);
    $primary->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'\nmax_worker_processes = 12\n");
    $primary->start;
    $primary->safe_psql('postgres', 'CREATE DATABASE one');
    create_nurture($primary, 'one');
    $primary->safe_psql('one', q{INSERT INTO nurture.workflow (name, definition) VALUES ('all', 'on v re-enter always send email ''hello'' with (n = n)')});
    $primary->backup('backup');
    my $standby = PostgreSQL::Test::Cluster->new("standby_$mode");
    $standby->init_from_backup($primary, 'backup', has_streaming => 1);
    $standby->append_conf('postgresql.conf', "primary_conninfo = '" . $primary->connstr . " application_name=other'\n");
    $standby->start;
    $primary->wait_for_catchup('other');
    if ($mode eq 'synchronous')
    {
        $primary->append_conf('postgresql.conf', "synchronous_standby_names = 'other'\nsynchronous_commit = remote_apply\n");
        $primary->reload;
        ok(defined wait_until(sub { $primary->safe_psql('postgres', 'SELECT sync_state FROM pg_stat_replication') eq 'sync' }, 10), "$mode: the standby is synchronous");
    }
    wait_for_worker($primary, 'one', "$mode: the primary works");

    # Writers and senders; what a sender has read is what it was given.
    my $told = sub { sprintf(q{INSERT INTO nurture.inbox (contact, type, message_id) SELECT 'c' || g %% 200, 'v', '%s-' || g FROM generate_series(1, 20) g RETURNING message_id;}, $_[0]) . "\n" };
    my @sessions;
    my $session = sub {
        my ($script) = @_;
        my %s = (in => $script, out => '', error => '');
        $s{run} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $primary->connstr('one') ], '<', \$s{in}, '>', \$s{out}, '2>', \$s{error});
        push @sessions, \%s;
        return \%s;
    };
    my @writers = map { my $w = $_; $session->(join('', map { $told->("$w-$_") } 1 .. 3000)) } 1 .. 2;
    my @senders = map { $session->("SELECT receipt || ' ' || id FROM nurture.claim('email', 3, '1 hour');\n" x 20000) } 1 .. 2;
    ok(defined wait_until(sub { $_->{run}->pump_nb foreach @sessions; $senders[0]{out} =~ tr/\n// > 60 && $senders[1]{out} =~ tr/\n// > 60 }, 60), "$mode: actions are handed out under load");
    my @unheard;
    if ($mode eq 'asynchronous')
    {
        # The line between the two goes down; the primary goes on for a while.
        $standby->append_conf('postgresql.conf', "primary_conninfo = ''\n");
        $standby->reload;
        ok(defined wait_until(sub { $standby->safe_psql('postgres', 'SELECT count(*) FROM pg_stat_wal_receiver') == 0 }, 10), "$mode: the standby hears nothing");
        @unheard = split /\n/, $primary->safe_psql('one', $told->('9-9')); # accepted, and certainly not sent on
        my $now = $senders[0]{out} =~ tr/\n//;
        wait_until(sub { $_->{run}->pump_nb foreach @sessions; $senders[0]{out} =~ tr/\n// > $now + 60 }, 30);
    }
    $primary->stop('immediate');
    foreach my $s (@sessions)
    {
        eval { $s->{run}->finish };
    }
    my %handed = map { (split / /)[1] => (split / /)[0] } map { split /\n/, $_->{out} } @senders;
    my %written = map { $_ => 1 } @unheard, map { grep { /^\d+-\d+-\d+$/ } split /\n/, $_->{out} } @writers;
    cmp_ok(scalar(keys %handed), '>', 100, "$mode: " . scalar(keys %handed) . ' actions were handed out, ' . scalar(keys %written) . ' messages accepted');

    $standby->promote;
    ok(defined wait_until(sub { pid_of($standby, 'one') ne '' }, 30), "$mode: the promoted standby has a worker");
    is($standby->safe_psql('one', 'SELECT nurture._is_own_database()'), 't', "$mode: it goes on by itself: it cannot be told from the original");
    ok(defined wait_until(sub { $standby->safe_psql('one', 'SELECT count(*) FROM nurture.inbox') == 0 }, 60), "$mode: it takes what is waiting");
    my %there = map { $_ => 1 } split /\n/, $standby->safe_psql('one', 'SELECT message_id FROM nurture.event_log');
    my @lost = grep { !$there{$_} } keys %written;
    my @again = grep { $handed{$_} } split /\n/, $standby->safe_psql('one', q{SELECT id FROM nurture.claim('email', 1000000)});
    is($standby->safe_psql('one', q{SELECT count(*) - count(DISTINCT message_id) FROM nurture.event_log}), 0, "$mode: nothing was taken twice");
    is($standby->safe_psql('one', q{SELECT (SELECT count(*) FROM nurture.event_log) = (SELECT count(*) FROM nurture.action)}), 't', "$mode: every message had its action");
    is($standby->safe_psql('one', 'SELECT count(*) FROM nurture.verify(path => true)'), 0, "$mode: everything adds up");
    if ($mode eq 'synchronous')
    {
        is(scalar(@lost), 0, "$mode: no message that was accepted is lost");
        is(scalar(@again), 0, "$mode: nothing that was handed out is handed out again");
        my @receipts = map { "'$_'" } values %handed;
        is($standby->safe_psql('one', 'SELECT nurture.complete(ARRAY[' . join(',', @receipts) . ']::uuid[])'), scalar(@receipts), "$mode: what was handed out by the one is completed at the other");
    }
    else
    {
        note(scalar(@lost) . ' messages lost, ' . scalar(@again) . ' actions handed out again');
        cmp_ok(scalar(@lost), '>', 0, "$mode: messages that had not arrived are lost");
        # Whose claim is lost is handed out again, under the same id: that is what the id is for.
        my %known = map { $_ => 1 } split /\n/, $standby->safe_psql('one', 'SELECT id FROM nurture.action');
        my @unclaimed = grep { $known{$_} } keys %handed;
        cmp_ok(scalar(@again), '>', 0, "$mode: actions whose claim had not arrived are handed out again, under the same id");
        cmp_ok(scalar(@unclaimed), '>', scalar(@again), "$mode: those whose claim had arrived are not");
    }
    $standby->stop;
}
done_testing();
