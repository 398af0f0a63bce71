# The inbox's slots under stress: writers of all lengths, dumps, somebody's locks and snapshots, kills. Every row is taken once,
# dumps are consistent, space comes back although the inbox is never empty.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use IPC::Run;
use WorkerStub;
use EngineState;

my $seconds = $ENV{NURTURE_CRASH_SECONDS} // 25;
my $seed = $ENV{NURTURE_CRASH_SEED} // int(rand(1_000_000));
note("NURTURE_CRASH_SEED=$seed");
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('slots');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'nurture'
restart_after_crash = on
nurture.batch_rows = 500
max_prepared_transactions = 5
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE live');
create_nurture($node, 'live');
define_engine($node, 'live');
$node->safe_psql('live', <<'SQL');
CREATE TABLE given (message_id text PRIMARY KEY);
CREATE PROCEDURE tell(writer text, rounds int) LANGUAGE plpgsql AS $$
DECLARE
    round int := 0;
    n int;
BEGIN
    WHILE round < rounds LOOP
        round := round + 1;
        n := 1 + (random() * 60)::int;
        BEGIN
            WITH made AS (INSERT INTO given SELECT format('%s-%s-%s', writer, round, g) FROM generate_series(1, n) g RETURNING message_id)
            INSERT INTO nurture.inbox (contact, type, props, message_id)
            SELECT CASE WHEN random() < 0.02 THEN NULL ELSE 'c' || (random() * 50)::int END, 'v',
                   jsonb_build_object('pad', repeat(md5(random()::text), (random() * 10)::int)), message_id FROM made;
            IF random() < 0.1 THEN
                RAISE EXCEPTION 'undone';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
        IF random() < 0.3 THEN
            PERFORM pg_sleep(random() * 0.3);
        END IF;
        IF random() < 0.5 THEN
            COMMIT;
        END IF;
    END LOOP;
END $$;
SQL
wait_for_worker($node, 'live', 'the worker is there');

my @background;
sub in_background
{
    my ($name, @command) = @_;
    my ($in, $out, $err) = ('', '', '');
    push @background, [ $name, IPC::Run::start(\@command, '<', \$in, '>', \$out, '2>', \$err), \$err ];
    return $background[-1];
}
sub psql_command { return ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('live'), map { ('-c', $_) } @_) }

my ($round, $restarts, $kills, $dumps, $turns, $largest, $slots) = (0, 0, 0, 0, 0, 0, 0);
my $begun = time();
my $next_crash = $begun + 3;
my @dumped;
while (time() - $begun < $seconds)
{
    $round++;
    my @writers = map { in_background('writer', psql_command("CALL tell('w$round-$_', 25)")) } 1 .. 3;
    # One who holds locks on everything for a while, as a dump does, and one with a snapshot.
    my $locker = in_background('locker', psql_command(q{DO $$ DECLARE t regclass; BEGIN
        FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'nurture'::regnamespace AND relkind IN ('r', 'p') LOOP
            EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', t); END LOOP; PERFORM pg_sleep(2); END $$}));
    my $file = $node->basedir . "/live.$round.dump";
    my $dump = in_background('dump', 'pg_dump', '-Fc', '-f', $file, $node->connstr('live'));
    my $end = time() + 2.5;
    my $crashed = 0;
    while (time() < $end)
    {
        # Small slots, so that they are turned often; the worker looks after them, too.
        $node->psql('live', 'SELECT nurture._tend_slots(131072, 65536)');
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
                if ($pid ne '') { kill 9, $pid; $kills++; }
                wait_until(sub { $node->psql('postgres', 'SELECT 1') == 0 }, 30);
            }
            $crashed = 1;
            $next_crash = time() + 2 + rand(6);
        }
        sleep(0.1);
    }
    foreach my $started (@writers, $locker, $dump)
    {
        my $ok = eval { $started->[1]->finish } // 0;
        BAIL_OUT("$started->[0]: ${$started->[2]}") if !$ok && !$crashed;
        if ($started == $dump && $ok) { push @dumped, $file; }
    }
    wait_until(sub { $node->psql('live', 'SELECT 1') == 0 }, 30);
}
note("$restarts immediate restarts, $kills workers killed, " . scalar(@dumped) . " dumps in $round rounds");
cmp_ok($kills + $restarts, '>', 0, 'there were crashes');
wait_until(sub { $node->safe_psql('live', 'SELECT count(*) FROM nurture.inbox') == 0 }, 60);
is($node->safe_psql('live', 'SELECT nurture.stop_worker()'), 't', 'the worker stops');
$node->safe_psql('live', 'CALL nurture.tick()');
my $given = $node->safe_psql('live', 'SELECT count(*) FROM given');
cmp_ok($given, '>', 1000, "$given messages were told");
accounts_balance($node, 'live', $given, 'each was taken once');
is($node->safe_psql('live', q{SELECT count(*) FROM (SELECT message_id FROM given
        EXCEPT (SELECT message_id FROM nurture.event_log UNION ALL SELECT message_id FROM nurture.rejected_event)) m}), 0, 'none is missing');
is($node->safe_psql('live', q{SELECT count(*) FROM (SELECT message_id FROM (SELECT message_id FROM nurture.event_log UNION ALL
        SELECT message_id FROM nurture.rejected_event) a WHERE message_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1) m}), 0, 'none was taken twice');
is($node->safe_psql('live', 'SELECT count(*) FROM nurture.verify()'), 0, 'what is known is what the log says');
my $turned = $node->safe_psql('live', 'SELECT last_value / 1024 FROM nurture._inbox_turn');
cmp_ok($turned, '>', 5, "slots were turned $turned times");
$node->safe_psql('live', 'SELECT nurture._tend_slots(131072, 65536)') foreach 1 .. 4;
is($node->safe_psql('live', 'SELECT count(*) FILTER (WHERE turn IS NOT NULL) FROM nurture._inbox_state'), 1, 'all slots but one are free again');
cmp_ok($node->safe_psql('live', q{SELECT sum(pg_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'nurture.inbox'::regclass}), '<', 300000,
    'and take no space');
my $count = $node->safe_psql('live', 'SELECT count(*) FROM nurture._inbox_state');
cmp_ok($count, '<=', 16, "$count slots in all");

# A dump is a moment: what it says was told is what it says was taken, and waits.
cmp_ok(scalar(@dumped), '>', 0, 'there are dumps to look at');
my $n = 0;
foreach my $file (@dumped[0 .. ($#dumped > 3 ? 3 : $#dumped)])
{
    $n++;
    $node->safe_psql('postgres', "CREATE DATABASE copy$n");
    $node->command_ok([ 'pg_restore', '-d', $node->connstr("copy$n"), $file ], "dump $n is restored");
    is($node->safe_psql("copy$n", q{SELECT (SELECT count(*) FROM given) = (SELECT count(*) FROM nurture.event_log WHERE kind IS DISTINCT FROM '$engine')
            + (SELECT count(*) FROM nurture.rejected_event) + (SELECT count(*) FROM nurture._inbox_restored)
            + coalesce((SELECT duplicates FROM nurture.engine), 0)}), 't', "dump $n has every message once");
}
$node->safe_psql('copy1', 'ALTER DATABASE copy1 SET nurture.enabled = off');
$node->safe_psql('copy1', 'SELECT nurture.resume()');
$node->safe_psql('copy1', 'CALL nurture.tick()');
is($node->safe_psql('copy1', 'SELECT (SELECT count(*) FROM nurture._inbox_restored) + (SELECT count(*) FROM nurture.inbox)'), 0, 'what waited is taken after resume()');
is($node->safe_psql('copy1', 'SELECT count(*) FROM nurture.verify()'), 0, 'and known');
$node->stop;
done_testing();
