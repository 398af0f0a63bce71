# A backfill and a sweep under a running worker that is killed in the middle, with events coming in: they go on where they
# were, and the end is that of a database that had the definitions from the start. And: giving up; ticks go on meanwhile.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;
use EngineState;

my $seconds = $ENV{NURTURE_CRASH_SECONDS} // 15;
my $seed = $ENV{NURTURE_CRASH_SEED} // int(rand(1_000_000));
note("NURTURE_CRASH_SEED=$seed");
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('backfill');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'nurture'
restart_after_crash = on
max_worker_processes = 16
nurture.backfill_contacts = 400
nurture.sweep_contacts = 50
CONF
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach 'live', 'reference';
create_nurture($node, 'live');

my $first = q{INSERT INTO nurture.rule (name, definition) VALUES ('views', '+1 on v half-life 1 day')};
my @later = (
    q{INSERT INTO nurture.rule (name, definition) VALUES ('buys', '+3 on buy where amount > 3 half-life 2 days'), ('often', '+1 on v where p = 2 at most 2 per day')},
    q{INSERT INTO nurture.segment (name, condition) VALUES ('busy', 'count(v within 30 days) >= 5'), ('buyer', 'sum(amount of buy) >= 30 and in segment ''busy''')},
    q{UPDATE nurture.segment SET condition = 'count(v where p = 1 within 30 days) >= 2' WHERE name = 'busy'},
    q{INSERT INTO nurture.segment (name, condition) VALUES ('last', 'last(p of v) = 3'), ('twice', 'count(buy) >= 2')});

sub send_events
{
    my ($from, $count) = @_;
    return $node->psql('live', <<"SQL", on_error_die => 0);
INSERT INTO nurture.inbox (contact, type, props)
SELECT 'c' || (hashint4(g) & 2047), CASE hashint4(g + 7) & 3 WHEN 0 THEN 'buy' ELSE 'v' END,
       jsonb_build_object('amount', hashint4(g) & 15, 'p', hashint4(g * 3) & 3)
FROM generate_series($from + 1, $from + $count) g
SQL
}

sub reachable { return $node->psql('postgres', 'SELECT 1', on_error_die => 0) == 0 }

$node->safe_psql('live', $first);
my $told = 40_000;
send_events(0, $told);
ok(defined wait_until(sub { $node->safe_psql('live', 'SELECT count(*) FROM nurture.inbox') == 0 }, 60), 'there is a past');

my $begun = time();
my ($kills, $restarts, $seen) = (0, 0, 0);
my $next_change = $begun;
my $next_crash = $begun + 0.5;
while (time() - $begun < $seconds || @later)
{
    send_events($told, 200);
    $told += 200;
    if (@later && time() > $next_change && reachable())
    {
        $node->psql('live', $later[0], on_error_die => 0) == 0 and shift @later;
        $next_change = time() + 2;
    }
    if (reachable())
    {
        my (undef, $waits) = $node->psql('live', 'SELECT count(*) FROM nurture.progress', on_error_die => 0);
        $seen++ if ($waits // '') =~ /^[1-9]/;
    }
    if (time() > $next_crash)
    {
        if (rand() < 0.3)
        {
            $node->stop('immediate');
            $node->start;
            $restarts++;
        }
        else
        {
            my ($status, $pid) = $node->psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type IN ('nurture backfill', 'nurture worker') AND datname = 'live' ORDER BY backend_type LIMIT 1}, on_error_die => 0);
            if (($pid // '') =~ /^\d+$/)
            {
                kill 9, $pid;
                $kills++;
            }
            wait_until(\&reachable, 30);
        }
        $next_crash = time() + 0.3 + rand(2);
    }
    sleep(rand(0.2));
}
note("$kills killed, $restarts restarts, $seen times something was in progress");
cmp_ok($kills + $restarts, '>', 2, 'there were crashes');
cmp_ok($seen, '>', 0, 'in the middle of it');
wait_until(\&reachable, 30);
ok(defined wait_until(sub { $node->safe_psql('live', 'SELECT (SELECT count(*) FROM nurture.inbox) + (SELECT count(*) FROM nurture.progress) + (SELECT count(*) FROM nurture.pending_change)') == 0 }, 120),
    'it comes to an end by itself') or diag($node->safe_psql('live', 'SELECT * FROM nurture.progress') . $node->safe_psql('live', 'SELECT status, last_error, model_problem FROM nurture.freshness'));
is($node->safe_psql('live', q{SELECT count(*) FROM nurture.feature WHERE state = 'backfilling'}), 0, 'all features know their past');
is($node->safe_psql('live', 'SELECT held FROM nurture.model ORDER BY id DESC LIMIT 1'), '[]', 'nothing waits');

# Giving up: the process is told, what waits is a draft again.
$node->safe_psql('live', q{INSERT INTO nurture.segment (name, condition) VALUES ('given up', 'count(buy where amount > 9) >= 1')});
wait_until(sub { $node->safe_psql('live', q{SELECT count(*) FROM nurture.model WHERE held::text LIKE '%given up%'}) > 0 }, 20);
$node->psql('live', q{SELECT nurture.cancel_backfill('segment', 'given up')}, on_error_die => 0);
$node->safe_psql('live', q{UPDATE nurture.segment SET enabled = false WHERE name = 'given up'});
ok(defined wait_until(sub { $node->safe_psql('live', 'SELECT count(*) FROM nurture.progress') == 0 }, 30), 'giving up ends it');
is($node->safe_psql('live', q{SELECT count(*) FROM nurture.membership WHERE segment = 'given up'}), 0, 'and nobody is in it');

is($node->safe_psql('live', 'SELECT nurture.stop_worker()'), 't', 'the worker stops');
my $now = $node->safe_psql('live', 'SELECT clock_timestamp()');
$node->safe_psql('live', "CALL nurture.tick('$now')");
is($node->safe_psql('live', 'SELECT count(*) FROM nurture.verify()'), 0, 'incremental is recomputed');
is($node->safe_psql('live', 'SELECT count(*) FROM nurture.verify(path => true)'), 0, 'the path, too');

# The reference had all of it from the start.
$node->safe_psql('reference', 'ALTER DATABASE reference SET nurture.enabled = off');
$node->safe_psql('reference', 'CREATE EXTENSION nurture');
$node->safe_psql('reference', $first);
$node->safe_psql('reference', q{INSERT INTO nurture.rule (name, definition) VALUES ('buys', '+3 on buy where amount > 3 half-life 2 days'), ('often', '+1 on v where p = 2 at most 2 per day')});
$node->safe_psql('reference', q{INSERT INTO nurture.segment (name, condition) VALUES ('busy', 'count(v where p = 1 within 30 days) >= 2'), ('buyer', 'sum(amount of buy) >= 30 and in segment ''busy'''), ('last', 'last(p of v) = 3'), ('twice', 'count(buy) >= 2')});
my $file = $node->basedir . '/log.copy';
$node->safe_psql('live', "COPY (SELECT key, type, at, props, message_id, kind, received_at FROM nurture.event_log ORDER BY received_at, tick, n) TO '$file'");
$node->safe_psql('reference', "COPY nurture.inbox (contact, type, at, props, message_id, kind, received_at) FROM '$file'");
$node->safe_psql('reference', "CALL nurture.tick('$now')");
my $outcome = "SET timezone = 'UTC'; SELECT c.contact, nurture.score(c.contact, at => '$now'), (SELECT array_agg(m.segment ORDER BY m.segment) FROM nurture.membership m WHERE m.contact = c.contact) FROM nurture.contact c ORDER BY 1";
my ($ours, $theirs) = ($node->safe_psql('live', $outcome), $node->safe_psql('reference', $outcome));
cmp_ok(length($ours), '>', 10_000, 'there is something to compare');
is_same_outcome($ours, $theirs, 'scores and memberships as if the definitions had been there from the start');
$node->stop;
done_testing();
