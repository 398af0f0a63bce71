#!/usr/bin/perl
# The driver: writers, senders, editors, disturbers and crashes for MINUTES, each a process of its own; then the accounts.
use strict;
use warnings;
use File::Temp qw(tempfile);
use POSIX qw(WNOHANG);
use Time::HiRes qw(time sleep);

my $minutes = $ENV{MINUTES} || 5;
my $seed = $ENV{SEED} || int(rand(1_000_000));
my $until = time() + 60 * $minutes;
my ($passed, $failed) = (0, 0);
$| = 1;

sub psql
{
    my ($sql) = @_;
    my ($file, $name) = tempfile(UNLINK => 1);
    print $file $sql;
    close $file;
    my $output = `psql -XAtq -v ON_ERROR_STOP=1 -d soak -f $name 2>&1`;
    my $status = $?;
    unlink $name;
    chomp $output;
    return ($status, $output);
}
sub ask
{
    my ($sql) = @_;
    my ($status, $output) = psql($sql);
    return $status == 0 ? $output : undef;
}
# When the server must answer: it may be coming up from a crash.
sub ask_surely
{
    my ($sql) = @_;
    my $output = '';
    foreach (1 .. 120)
    {
        (my $status, $output) = psql($sql);
        return $output if $status == 0;
        sleep(0.5);
    }
    print "no answer to: $sql\n$output\n";
    return '';
}
sub check
{
    my ($name, $got, $wanted) = @_;
    if (defined $got && $got eq $wanted)
    {
        print "ok $name\n";
        $passed++;
    }
    else
    {
        print "not ok $name\n    got $got\n    wanted $wanted\n";
        $failed++;
    }
    return;
}
sub pick { return $_[int(rand(@_))] }

# --- the processes ------------------------------------------------------------------------------------------------------

# One row in many is late, a duplicate, or malformed; one in some thousand goes round for ever.
my $rows = <<'SQL';
SELECT CASE WHEN r < 0.005 THEN NULL WHEN r < 0.01 THEN repeat('k', 600) ELSE 'c' || floor(random() ^ 2 * 2000) END AS contact,
       CASE WHEN r > 0.9995 THEN 'round' ELSE (ARRAY['v', 'v', 'v', 'buy', 'go', '$identify'])[1 + floor(random() * 6)::int] END AS type,
       CASE WHEN r < 0.015 AND r >= 0.01 THEN '[]' ELSE jsonb_build_object('amount', floor(random() * 100), 'plan', (ARRAY['free', 'pro'])[1 + floor(random() * 2)::int]) END AS props,
       CASE WHEN random() < 0.2 THEN 'm' || floor(random() * 3000) END AS message_id,
       CASE WHEN r < 0.02 AND r >= 0.015 THEN 'infinity' ELSE clock_timestamp() - random() ^ 8 * interval '20 days' END AS at
FROM (SELECT random() AS r FROM generate_series(1, %d)) g
SQL
sub write_rows
{
    my $count = 5 + int(rand(200));
    psql(sprintf("WITH made AS ($rows), noted AS (INSERT INTO told SELECT count(*) FROM made)
        INSERT INTO nurture.%s (contact, type, props, message_id, at) SELECT contact, type, props, message_id, at FROM made",
        $count, rand() < 0.05 ? 'history' : 'inbox'));
    sleep(rand(0.3));
    return;
}
sub copy_rows
{
    my $count = 50 + int(rand(400));
    my $lines = '';
    foreach (1 .. $count)
    {
        my $contact = rand() < 0.01 ? '\N' : 'c' . int(rand(2000));
        my $type = pick('v', 'v', 'buy', 'go', rand() < 0.003 ? 'round' : 'v');
        $lines .= join("\t", $contact, $type, '{"amount": ' . int(rand(100)) . '}', rand() < 0.2 ? 'm' . int(rand(3000)) : '\N') . "\n";
    }
    psql("BEGIN;\nINSERT INTO told VALUES ($count);\nCOPY nurture.inbox (contact, type, props, message_id) FROM STDIN;\n$lines\\.\n"
        . (rand() < 0.2 ? 'SELECT pg_sleep(random() * 2);' : '') . "\nCOMMIT;");
    sleep(rand(0.5));
    return;
}
# Completes some, fails some, forgets some; the ledger is written in the transaction that claims.
sub send_actions
{
    my ($who) = @_;
    my $channel = pick('email', 'email', 'push');
    my $lease = pick(1, 2, 5);
    psql(<<"SQL");
BEGIN;
CREATE TEMP TABLE mine ON COMMIT PRESERVE ROWS AS SELECT *, row_number() OVER () AS line FROM nurture.claim('$channel', @{[ 1 + int(rand(80)) ]}, '$lease seconds');
INSERT INTO claims SELECT id, receipt, leased_until - interval '$lease seconds', leased_until, '$who' FROM mine;
@{[ rand() < 0.1 ? 'ROLLBACK; SELECT 1/0;' : 'COMMIT;' ]}
SELECT pg_sleep(random() * 0.2);
BEGIN;
INSERT INTO given_back SELECT receipt, nurture.fail(receipt, 'full', '1 second') FROM mine WHERE line % 7 = 0;
COMMIT;
SELECT nurture.complete(ARRAY(SELECT receipt FROM mine WHERE line % 7 <> 0 AND line % 5 <> 0));
SELECT nurture.complete(ARRAY(SELECT receipt FROM mine WHERE line % 7 <> 0 AND line % 5 <> 0 AND line % 2 = 0));
SQL
    sleep(rand(0.3));
    return;
}
sub edit_definitions
{
    my $n = 1 + int(rand(20));
    psql(pick(
        "UPDATE nurture.rule SET definition = '+$n on v topic pricing half-life 1 hour' WHERE name = 'views'",
        "UPDATE nurture.rule SET definition = '+5 on v where amount > $n topic pricing half-life 1 hour' WHERE name = 'views'",
        "UPDATE nurture.rule SET enabled = NOT enabled WHERE name = 'few'",
        "UPDATE nurture.segment SET condition = 'score >= " . (5 + $n) . "' WHERE name = 'warm'",
        "UPDATE nurture.segment SET condition = 'count(v within $n seconds) >= 3' WHERE name = 'busy'",
        "UPDATE nurture.workflow SET enabled = NOT enabled WHERE name = 'go'",
        "UPDATE nurture.workflow SET definition = 'on go exit on buy re-enter always wait $n seconds send email ''version $n''' WHERE name = 'go'",
        "INSERT INTO nurture.segment (name, condition) VALUES ('extra', 'sum(amount of buy within $n seconds) > 50') ON CONFLICT DO NOTHING",
        "DELETE FROM nurture.segment WHERE name = 'extra'"));
    sleep(1 + rand(3));
    return;
}
sub disturb
{
    psql(pick(
        'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM nurture.lead; SELECT pg_sleep(3 + random() * 5); COMMIT',
        'VACUUM nurture.contact', 'VACUUM ANALYZE nurture.inbox', 'VACUUM ANALYZE nurture.action', 'VACUUM (FULL) claims', 'CHECKPOINT',
        'SELECT nurture.release(contact) FROM nurture.quarantine ORDER BY random() LIMIT 2',
        "SELECT nurture.retry_rejected(ARRAY(SELECT id FROM nurture.rejected_event ORDER BY random() LIMIT 20))",
        "WITH mended AS (UPDATE nurture.rejected_event SET contact = 'c1', props = '{}', at = received_at RETURNING id) SELECT nurture.retry_rejected(array_agg(id)) FROM mended",
        'BEGIN; LOCK TABLE nurture.contact IN ACCESS SHARE MODE; SELECT pg_sleep(2); ROLLBACK',
        'SELECT count(*) FROM nurture.verify(sample => 0.05)',
        "SELECT nurture.pause('soak'); SELECT pg_sleep(0.5); SELECT nurture.resume()",
        'SELECT nurture.stop_worker(); SELECT pg_sleep(0.5); SELECT nurture.start_worker()'));
    sleep(rand(1));
    return;
}

my @children;
sub process
{
    my ($number, $what, @arguments) = @_;
    my $pid = fork();
    die "fork: $!" if !defined $pid;
    if ($pid == 0)
    {
        srand($seed + $number);
        while (time() < $until) { $what->(@arguments); }
        exit 0;
    }
    push @children, $pid;
    return;
}

# --- the run --------------------------------------------------------------------------------------------------------------

print "SEED=$seed, $minutes minutes\n";
system("createdb soak") == 0 or die "createdb failed";
(my $directory = $0) =~ s{[^/]*$}{};
system("psql -Xq -v ON_ERROR_STOP=1 -d soak -f ${directory}definitions.sql") == 0 or die "definitions failed";
my $begun = time();
process(1, \&write_rows) foreach 1 .. 2;
process(3, \&copy_rows);
process(4, \&send_actions, 'one');
process(5, \&send_actions, 'two');
process(6, \&edit_definitions);
process(7, \&disturb);

srand($seed);
my ($restarts, $kills, $terminations, $peak) = (0, 0, 0, 0);
my $next_crash = time() + 5;
my $next_line = time();
my $become = $ENV{SOAK_USER} ? "runuser -u $ENV{SOAK_USER} -- " : '';
sub worker_pid { return ask(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'nurture worker' AND datname = 'soak'}) }
sub private_memory
{
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/status" or return 0;
    my ($kb) = join('', <$in>) =~ /^RssAnon:\s+(\d+)/m;
    return int(($kb // 0) / 1024);
}
while (time() < $until)
{
    my $pid = worker_pid();
    if ($pid)
    {
        my $memory = private_memory($pid);
        $peak = $memory if $memory > $peak;
        if (time() >= $next_line)
        {
            my $line = ask(q{SELECT format('tick %s, %s logged, %s waiting, %s quarantined, %s actions', e.tick, e.logged,
                (SELECT count(*) FROM nurture.inbox), (SELECT count(*) FROM nurture.quarantine), (SELECT count(*) FROM nurture.action)) FROM nurture.engine e});
            printf "%4d s: %s; worker %d has %d MB\n", time() - $begun, $line // '?', $pid, $memory;
            $next_line = time() + 15;
        }
    }
    if (time() > $next_crash)
    {
        my $how = rand();
        if ($how < 0.35)
        {
            system("${become}pg_ctl -D $ENV{SOAK_DATA} -m immediate -w stop >/dev/null 2>&1");
            system("${become}pg_ctl -D $ENV{SOAK_DATA} -l $ENV{SOAK_LOG} -o '-p $ENV{PGPORT}' -w -t 60 start >/dev/null 2>&1");
            $restarts++;
        }
        elsif ($pid && $how < 0.7)
        {
            sleep(rand(0.3));
            $kills++ if kill 9, $pid;
        }
        elsif ($pid)
        {
            $terminations++ if kill 'TERM', $pid;
        }
        $next_crash = time() + 3 + rand(12);
    }
    sleep(0.5);
}
waitpid($_, 0) foreach @children;
print "$restarts immediate restarts, $kills workers killed, $terminations terminated\n";

# --- the accounts ---------------------------------------------------------------------------------------------------------

ask_surely(q{DELETE FROM nurture.workflow WHERE name = 'round'});
ask_surely('SELECT nurture.resume()');
ask_surely('SELECT nurture.start_worker()');
ask_surely('SELECT nurture.release(contact) FROM nurture.quarantine');
my $drained = '';
foreach (1 .. 240)
{
    $drained = ask('SELECT (SELECT count(*) FROM nurture.inbox) + (SELECT count(*) FROM nurture.history)') // '';
    last if $drained eq '0';
    sleep(0.5);
}
check('everything was taken', $drained, '0');
check('the engine says it is fresh', ask_surely('SELECT status FROM nurture.freshness'), 'fresh');
check('the worker stops', ask_surely('SELECT nurture.stop_worker()'), 't');
my $ours = q{('$sent', '$failed', '$dropped')}; # what senders and maintenance tell of is not in told
my $in = ask_surely('SELECT sum(rows) FROM told');
check('rows in = logged + rejected + duplicates + quarantined', ask_surely(<<"SQL"), $in);
SELECT (SELECT count(*) FROM nurture.event_log WHERE kind IS DISTINCT FROM '\$engine' AND type NOT IN $ours)
     + (SELECT count(*) FROM nurture.rejected_event WHERE type IS NULL OR type NOT IN $ours)
     + (SELECT count(*) FROM nurture.quarantined_message WHERE type NOT IN $ours) + duplicates
     + (SELECT count(*) FROM nurture.inbox WHERE type NOT IN $ours) FROM nurture.engine
SQL
check('the counter agrees with the log', ask_surely(q{SELECT logged - (SELECT count(*) FROM nurture.event_log WHERE kind IS DISTINCT FROM '$engine') FROM nurture.engine}), '0');
check('nobody is quarantined', ask_surely('SELECT count(*) FROM nurture.quarantine'), '0');
check('something was sent', ask_surely(q{SELECT count(*) > 20 FROM nurture.action WHERE status = 'done'}), 't');
check('no action was claimed while another held it', ask_surely(<<'SQL'), '0');
SELECT count(*) FROM (SELECT claimed, lag(leased_until) OVER w AS held_until, lag(receipt) OVER w AS held_by FROM claims WINDOW w AS (PARTITION BY action ORDER BY claimed)) c
WHERE claimed < held_until AND NOT EXISTS (SELECT FROM given_back g WHERE g.receipt = c.held_by)
SQL
check('no outcome was told twice', ask_surely(q{SELECT count(*) FROM (SELECT FROM nurture.event_log WHERE type = '$sent' GROUP BY props ->> 'action' HAVING count(*) > 1) d}), '0');
check('every outcome was told', ask_surely(q{SELECT count(*) FROM nurture.action a WHERE status = 'done'
    AND NOT EXISTS (SELECT FROM nurture.event_log l WHERE l.type = '$sent' AND l.props ->> 'action' = a.id::text) AND NOT EXISTS (SELECT FROM nurture.inbox i WHERE i.message_id = a.id || ':sent')}), '0');
check('what is known is what the log says', ask_surely('SELECT * FROM nurture.verify() LIMIT 3'), '');
my $replay = time();
check('paths are what the log says', ask_surely('SELECT * FROM nurture.verify(path => true) LIMIT 3'), '');
printf "replayed in %d s\n", time() - $replay;
my $errors = `grep -E 'PANIC|\\[nurture worker\\] ERROR' $ENV{SOAK_LOG} | grep -v 'terminating connection' | head -n 5`;
check('the worker met no error', $errors, '');
printf "the worker's own memory: %d MB at most\n", $peak;
check('its memory is bounded', $peak < 300 ? 'yes' : $peak, 'yes');
print "$in rows told, ", ask_surely('SELECT count(*) FROM nurture.action'), ' actions, ', ask_surely('SELECT count(*) FROM claims'), " claims\n";
print "$passed passed, $failed failed\n";
exit($failed == 0 ? 0 : 1);
