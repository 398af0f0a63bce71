# Ten thousand journeys under way, and whatever can die dies: the server, the worker, senders that have claimed. Action by action and
# transition by transition it comes to what a server comes to that was told the same and never crashed; and to what the definition says.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use POSIX ();
use Time::HiRes qw(time sleep);
use WorkerStub;
use EngineState;

my $journeys = $ENV{NURTURE_JOURNEYS} // 10_000;
my $seed = $ENV{NURTURE_CRASH_SEED} // int(rand(1_000_000));
note("NURTURE_CRASH_SEED=$seed");
srand($seed);
my $begun = time();
sub mark { note(sprintf('%5.1f s: %s', time() - $begun, $_[0])); return }

my $node = PostgreSQL::Test::Cluster->new('journeys');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'nurture'
restart_after_crash = on
max_wal_size = '4GB'
nurture.batch_rows = 700
CONF
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach 'live', 'reference';

# Waits of each kind, an experiment's arms, a choice, a loop, a journey that is started and waited for, what comes too late or not at all.
my $definitions = <<'SQL';
INSERT INTO nurture.segment (name, condition) VALUES ('payer', 'did pay');
INSERT INTO nurture.workflow (name, definition) VALUES
('order', $$
  on order re-enter per order_id
  exit on cancelled with same order_id
  experiment 'first' 50 soon wait 1 second 50 late send push 'late' as transactional wait 3 seconds end
  if context.big = true then send email 'big' as transactional else do 'small' end
  repeat at most 2
    wait 2 seconds
    do 'touch' with (order = context.order_id)
  end
  start workflow 'inner' with (order = context.order_id)
  wait for workflow 'inner' to end up to 6 seconds
  wait for pay with same order_id up to 4 seconds then
    send email 'thanks' as transactional with (order = context.order_id)
  else
    increment unpaid
    send email 'nudge' as transactional with (order = context.order_id)
  end
$$),
('inner', $$ on nothing re-enter always wait 1 second do 'inside' with (order = context.order) wait 1 second $$);
SQL

create_nurture($node, 'live');
$node->safe_psql('live', $definitions);
wait_for_worker($node, 'live', 'the worker is there');

# All is told beforehand, to be received while things die: so every row is visible by its received_at. Half of the customers have two
# orders, and no two messages of one are received at one instant (where they lie in the inbox would decide); a fifth of the orders is paid in time, a tenth before anybody waits for it, a tenth is cancelled at some moment.
$node->safe_psql('live', <<"SQL");
CREATE TABLE given AS
SELECT 'c' || n % ($journeys * 2 / 3) AS contact, e.type, jsonb_build_object('order_id', n, 'big', n % 3 = 0) AS props,
       s.begun + e.after * interval '1 second' + (n + e.line) * interval '1 microsecond' AS at, n * 3 + e.line AS position
FROM generate_series(1, $journeys) n
CROSS JOIN LATERAL (SELECT now() + interval '4 seconds' + (hashint4(n) & 1023) / 1024.0 * interval '14 seconds' AS begun) s
CROSS JOIN LATERAL (VALUES (0, 'order', 0::numeric),
    (1, CASE WHEN n % 10 IN (1, 2) THEN 'pay' END, 9.5 + n % 30 / 10.0), (1, CASE WHEN n % 10 = 3 THEN 'pay' END, 0.5),
    (2, CASE WHEN n % 10 = 4 THEN 'cancelled' END, n % 97 / 8.0)) e (line, type, after)
WHERE e.type IS NOT NULL;
INSERT INTO nurture.inbox (contact, type, props, at, received_at) SELECT contact, type, props, at, at FROM given ORDER BY at, position;
SQL
my $until = time() + 24;
mark('all is told');

# Senders: most claim and complete; some of a batch fail for a moment; some senders die with all they have claimed.
my @senders;
sub start_senders
{
    my ($seconds) = @_;
    my $end = time() + $seconds;
    foreach my $n (1 .. 3)
    {
        my $pid = fork() // die "fork: $!";
        if (!$pid)
        {
            srand($seed + $n);
            while (time() < $end)
            {
                my $channel = ('email', 'push', 'touch', 'inside', 'small')[ int(rand(5)) ];
                my $dies = rand() < 0.1 && $end - time() > 6 ? 'true' : 'false';
                my $work = <<"SQL";
CREATE TEMP TABLE mine AS SELECT *, row_number() OVER () AS line FROM nurture.claim('$channel', @{[ 50 + int(rand(700)) ]}, '2 seconds');
SELECT pg_terminate_backend(pg_backend_pid()) WHERE $dies;
SELECT nurture.fail(receipt, 'full', '1 second') FROM mine WHERE line % 50 = 0 AND attempt < 3;
SELECT nurture.complete(ARRAY(SELECT receipt FROM mine WHERE line % 50 <> 0 OR attempt >= 3));
SQL
                # What is thrown where the server dies must not end this process: it would take the node with it.
                eval { $node->psql('live', $work, on_error_die => 0, on_error_stop => 1, timeout => 30, timed_out => \my $over); };
                sleep(rand(0.1));
            }
            POSIX::_exit(0);
        }
        push @senders, $pid;
    }
    return;
}
start_senders($until + 4 - time());

my ($restarts, $kills) = (0, 0);
my $back = sub { return wait_until(sub { $node->psql('live', 'SELECT 1', on_error_die => 0) == 0 }, 30) };
sleep(4);
while (time() < $until)
{
    if (rand() < 0.35)
    {
        $node->stop('immediate');
        $node->start;
        $restarts++;
    }
    else
    {
        my $pid = $node->psql('postgres', '', on_error_die => 0) == 0 ? pid_of($node, 'live') : '';
        $kills++ if $pid ne '' && kill 9, $pid;
        $back->();
    }
    sleep(0.5 + rand(1.5));
}
mark('the last one died');
waitpid($_, 0) foreach @senders;
note("$restarts immediate restarts, $kills workers killed");
cmp_ok($restarts + $kills, '>', 5, 'there was dying');
$back->();
my $quiet = sub {
    return $node->safe_psql('live', 'SELECT (SELECT count(*) FROM nurture.inbox) + (SELECT count(*) FROM nurture.journey)') == 0;
};
ok(defined wait_until($quiet, 40), 'all journeys came to their end') or diag($node->safe_psql('live', 'SELECT * FROM nurture.freshness'));
my $send_rest = join(' ', map { "SELECT count(nurture.complete(ARRAY[receipt])) FROM nurture.claim('$_', 20000, '30 seconds');" } qw(email push touch inside small));
my $sent = sub {
    $node->safe_psql('live', $send_rest);
    return $node->safe_psql('live', q{SELECT count(*) FROM nurture.action WHERE status IN ('ready', 'claimed')}) == 0;
};
ok(defined wait_until($sent, 30), 'all that was not withdrawn was sent in the end')
  or diag($node->safe_psql('live', 'SELECT channel, status, attempts, count(*) FROM nurture.action GROUP BY 1, 2, 3'));
ok(defined wait_until($quiet, 20), 'all outcomes were taken');
is($node->safe_psql('live', 'SELECT nurture.stop_worker()'), 't', 'the worker stops');
my $now = $node->safe_psql('live', 'SELECT clock_timestamp()');
$node->safe_psql('live', "CALL nurture.tick('$now')");

mark('all is done');

# --- by itself ----------------------------------------------------------------------------------------------------------

cmp_ok($node->safe_psql('live', 'SELECT count(*) FROM nurture.action WHERE attempts > 1'), '>', 0, 'some senders died with what they had claimed');
is($node->safe_psql('live', q{SELECT string_agg(DISTINCT status, ' ' ORDER BY status) FROM nurture.action}), 'cancelled done', 'every action was sent, or withdrawn by its journey');
is($node->safe_psql('live', q{SELECT count(*) FROM (SELECT props ->> 'action' AS id FROM nurture.event_log WHERE type = '$sent' GROUP BY 1 HAVING count(*) = 1) t
        FULL JOIN (SELECT id::text FROM nurture.action WHERE status = 'done') a USING (id) WHERE t.id IS NULL OR a.id IS NULL}),
    0, 'each outcome was told once');
is($node->safe_psql('live', q{SELECT count(*) FROM nurture.transition t GROUP BY t.kind HAVING t.kind = 'journey started'})
      - $node->safe_psql('live', q{SELECT count(*) FROM nurture.transition t GROUP BY t.kind HAVING t.kind = 'journey ended'}), 0, 'who started ended, once');

# What the definition says of customers with one order, reckoned from what was told alone; the arm is the journey's own affair.
my $expected = <<"SQL";
WITH story AS (
    SELECT o.contact, o.at AS begun, (o.props ->> 'big')::boolean AS big, arm.late, CASE WHEN arm.late THEN 3 ELSE 1 END AS a,
           extract(epoch FROM p.at - o.at) AS paid, coalesce(extract(epoch FROM c.at - o.at), 1000) AS gone
    FROM given o
    CROSS JOIN LATERAL (SELECT t.detail ->> 'arm' = 'late' AS late FROM nurture.transition t WHERE t.contact = o.contact AND t.kind = 'arm assigned') arm
    LEFT JOIN given p ON p.contact = o.contact AND p.type = 'pay'
    LEFT JOIN given c ON c.contact = o.contact AND c.type = 'cancelled'
    WHERE o.type = 'order' AND (SELECT count(*) FROM given g WHERE g.contact = o.contact AND g.type = 'order') = 1
), due AS (
    SELECT s.contact, d.what, s.begun + d.after * interval '1 second' AS at
    FROM story s CROSS JOIN LATERAL (VALUES ('push late', CASE WHEN late THEN 0 END), (CASE WHEN big THEN 'email big' ELSE 'small' END, a),
        ('touch', a + 2), ('touch', a + 4), ('inside', CASE WHEN gone >= a + 4 THEN a + 5 - 2000 END),
        (CASE WHEN paid > a + 6 AND paid < a + 10 THEN 'email thanks' ELSE 'email nudge' END,
         CASE WHEN paid > a + 6 AND paid < a + 10 THEN paid ELSE a + 10 END)) x (what, after)
    CROSS JOIN LATERAL (SELECT x.what, CASE WHEN x.after < 0 THEN x.after + 2000 ELSE x.after END AS after WHERE x.after <= gone) d
), made AS (
    SELECT a.contact, concat_ws(' ', a.channel, a.template) AS what, a.created_at AS at FROM nurture.action a WHERE a.contact IN (SELECT s.contact FROM story s)
)
SELECT (SELECT count(*) > $journeys * 1.5 FROM due), (SELECT count(*) FROM (TABLE due EXCEPT ALL TABLE made) x), (SELECT count(*) FROM (TABLE made EXCEPT ALL TABLE due) x)
SQL
$node->safe_psql('live', 'CREATE INDEX ON given (contact); ANALYZE given; ANALYZE nurture.transition; ANALYZE nurture.action');
is($node->safe_psql('live', $expected), 't|0|0', 'no action twice, none missing, each at its moment');

mark('looked at by itself');

# --- beside one that never crashed --------------------------------------------------------------------------------------

$node->safe_psql('reference', 'ALTER DATABASE reference SET nurture.enabled = off');
$node->safe_psql('reference', 'CREATE EXTENSION nurture');
$node->safe_psql('reference', $definitions);
my $file = $node->basedir . '/given.copy';
$node->safe_psql('live', <<"SQL");
COPY (SELECT contact, type, at, props, message_id, kind, received_at
      FROM (SELECT contact, type, at, props, NULL AS message_id, NULL AS kind, at AS received_at, 0 AS tick, position AS n FROM given
            UNION ALL
            SELECT key, type, at, props, message_id, kind, clock, tick, n FROM nurture.event_log WHERE type IN ('\$sent', '\$failed', '\$dropped')) told
      ORDER BY received_at, tick, n) TO '$file';
SQL
$node->safe_psql('reference', "COPY nurture.inbox FROM '$file'");
$node->safe_psql('reference', "SET nurture.batch_rows = 1000000; BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick('$now'); COMMIT");
is_same_outcome(outcome_of($node, 'live'), outcome_of($node, 'reference'), 'the same log, transitions, actions and memberships as without a crash');
mark('lived through again');
is($node->safe_psql('live', 'SELECT count(*) FROM nurture.verify(path => true)'), 0, 'every path is what the log says');
mark('replayed');
$node->stop;
done_testing();
