# Exactly once: whatever is killed whenever, the engine ends where one ends that was told the same and never crashed.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;
use EngineState;

my $seconds = $ENV{NURTURE_CRASH_SECONDS} // 25;
my $seed = $ENV{NURTURE_CRASH_SEED} // int(rand(1_000_000));
note("NURTURE_CRASH_SEED=$seed");
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'nurture'
restart_after_crash = on
nurture.batch_rows = 100
CONF
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach 'live', 'reference';
create_nurture($node, 'live');
define_engine($node, 'live');
# What was given, in a table of the reference's, by the hand of the driver: it survives what the server survives.
$node->safe_psql('live', 'CREATE TABLE given (LIKE nurture.inbox, position bigint GENERATED ALWAYS AS IDENTITY)');
wait_for_worker($node, 'live', 'the worker is there');

# One statement is a second's events or so, with explicit times: every row is visible by its received_at, so that the two agree.
my $event = 0;
my ($inserted, $sent, $restarts, $kills, $refused) = (0, 0, 0, 0, 0);
sub tell_events
{
    my $count = 10 + int(rand(150));
    my $sql = <<"SQL";
WITH made AS (
    SELECT 'c' || (hashint4(g) & 63) AS contact,
           (ARRAY['v', 'v', 'v', 'buy', 'go', '\$identify', 'v', NULL])[1 + (hashint4(g + 1000000) & 7)] AS type,
           jsonb_build_object('plan', (ARRAY['free', 'pro'])[1 + (hashint4(g + 2000000) & 1)], 'g', g) AS props,
           CASE WHEN g % 5 = 0 THEN 'm' || (hashint4(g) & 1023) END AS message_id,
           now() + interval '0.7 seconds' + (g - $event) * interval '1 millisecond' AS received_at
    FROM generate_series($event + 1, $event + $count) g
), kept AS (
    INSERT INTO given (contact, type, props, message_id, received_at, at)
    SELECT contact, type, props, message_id, received_at, received_at FROM made
)
INSERT INTO nurture.inbox (contact, type, props, message_id, received_at, at)
SELECT contact, type, props, message_id, received_at, received_at FROM made
SQL
    # A lost connection leaves it open whether it was committed: given and inbox are of one transaction, so given knows.
    my $result = $node->psql('live', $sql, on_error_die => 0, on_error_stop => 1);
    $refused++ if $result != 0;
    $event += $count;
    return;
}

# A sender that survives: claims, completes, fails; an outage is an outage. What it tells the contacts is part of what was given.
sub send_some
{
    $node->psql('live', <<'SQL');
DO $$
DECLARE
    taken uuid[];
BEGIN
    SELECT array_agg(receipt) INTO taken FROM nurture.claim('email', 20, '3 seconds');
    PERFORM nurture.complete(taken[1:10]);
    PERFORM nurture.fail(receipt, 'full', '1 second') FROM unnest(taken[11:15]) receipt;
END
$$
SQL
    return;
}

my $begun = time();
my $next_crash = $begun + 2;
# On a busy machine longer, until there was one of both.
while (time() - $begun < $seconds || !($restarts && $kills) && time() - $begun < 4 * $seconds)
{
    tell_events();
    send_some() if rand() < 0.5;
    if (time() > $next_crash)
    {
        if (rand() < 0.4)
        {
            $node->stop('immediate');
            $node->start;
            $restarts++;
        }
        else
        {
            my $pid = $node->psql('postgres', '', on_error_die => 0) == 0 ? pid_of($node, 'live') : '';
            if ($pid ne '')
            {
                sleep(rand(0.3));
                kill 9, $pid;
                $kills++;
            }
            wait_until(sub { $node->psql('postgres', 'SELECT 1') == 0 }, 30);
        }
        $next_crash = time() + rand(3);
    }
    sleep(rand(0.2));
}
note("$restarts immediate restarts, $kills workers killed, $refused statements lost");
cmp_ok($restarts, '>', 0, 'the server was stopped in the middle');
cmp_ok($kills, '>', 0, 'workers were killed');
wait_until(sub { $node->psql('live', 'SELECT 1') == 0 }, 30);
wait_until(sub { $node->safe_psql('live', 'SELECT count(*) FROM nurture.inbox') == 0 }, 30);
is($node->safe_psql('live', 'SELECT nurture.stop_worker()'), 't', 'the worker stops');

# The outcomes that came back through the inbox were told at their own moments: they belong to what the reference is told. They are
# told before the sender commits, so the contact may have gone on: such a row happens at its clock, which is when the reference is told.
my $now = $node->safe_psql('live', 'SELECT clock_timestamp()');
$node->safe_psql('live', "CALL nurture.tick('$now')");
# Maintenance may have told of expiries meanwhile.
$now = $node->safe_psql('live', 'SELECT clock_timestamp()');
$node->safe_psql('live', "CALL nurture.tick('$now')");
$inserted = $node->safe_psql('live', q{SELECT (SELECT count(*) FROM given) + count(*) FROM nurture.event_log WHERE type IN ('$sent', '$failed', '$dropped')});
accounts_balance($node, 'live', $inserted, "every one of $inserted messages was taken once");
cmp_ok($node->safe_psql('live', q{SELECT count(*) FROM nurture.event_log WHERE type = '$sent'}), '>', 5, 'the sender had a share in it');
is($node->safe_psql('live', q{SELECT count(*) FROM (SELECT props ->> 'action' FROM nurture.event_log WHERE type = '$sent' GROUP BY 1 HAVING count(*) > 1) d}),
    0, 'no outcome was told twice');
is($node->safe_psql('live', q{SELECT count(*) FROM nurture.action WHERE status = 'done' AND NOT EXISTS
        (SELECT FROM nurture.event_log l WHERE l.type = '$sent' AND l.props ->> 'action' = action.id::text)}), 0, 'every outcome was told');

# No worker there: it would tick on.
$node->safe_psql('reference', 'ALTER DATABASE reference SET nurture.enabled = off');
$node->safe_psql('reference', 'CREATE EXTENSION nurture');
define_engine($node, 'reference');
my $file = $node->basedir . '/given.copy';
$node->safe_psql('live', <<"SQL");
COPY (SELECT contact, type, at, props, message_id, kind, received_at
      FROM (SELECT contact, type, at, props, message_id, kind, received_at, 0 AS tick, position AS n FROM given
            UNION ALL
            SELECT key, type, at, props, message_id, kind, clock, tick, n FROM nurture.event_log WHERE type IN ('\$sent', '\$failed', '\$dropped')) told
      ORDER BY received_at, tick, n) TO '$file';
SQL
$node->safe_psql('reference', "COPY nurture.inbox FROM '$file'");
$node->safe_psql('reference', "SET nurture.batch_rows = 100000; BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('$now'); COMMIT");
is_same_outcome(outcome_of($node, 'live'), outcome_of($node, 'reference'), 'the same log, transitions, actions and memberships as without a crash');
is($node->safe_psql('live', 'SELECT rejected, duplicates, quarantined FROM nurture.engine'),
    $node->safe_psql('reference', 'SELECT rejected, duplicates, quarantined FROM nurture.engine'), 'the same counts');
SKIP:
{
    skip 'no nurture.verify', 1 if $node->safe_psql('live', q{SELECT count(*) FROM pg_proc WHERE proname = 'verify' AND pronamespace = 'nurture'::regnamespace}) == 0;
    is($node->safe_psql('live', 'SELECT count(*) FROM nurture.verify()'), 0, 'what is known is what the log says');
}
$node->stop;
done_testing();
