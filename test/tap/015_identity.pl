# Whose a key is. However the messages are cut into batches, wherever the server crashes, whatever is dumped half-way: the
# same people come of it, with the same paths, and what is stored is what the log says.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;
use EngineState;

# The same story each time, one that has found much, so that a change is what turns it red; others with NURTURE_IDENTITY_SEED=….
my $seed = $ENV{NURTURE_IDENTITY_SEED} // 45;
diag("NURTURE_IDENTITY_SEED=$seed");
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('identity');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'\nmax_worker_processes = 20\ntimezone = 'UTC'\n");
$node->start;

sub make_database
{
    my ($database) = @_;
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    $node->safe_psql('postgres', "ALTER DATABASE $database SET nurture.enabled = off");
    $node->safe_psql($database, 'CREATE EXTENSION nurture');
    define_engine($node, $database);
    $node->safe_psql($database, q{
        INSERT INTO nurture.survivorship VALUES ('g', 'max'), ('plan', 'oldest');
        INSERT INTO nurture.list (name) VALUES ('vips');
        INSERT INTO nurture.segment (name, condition) VALUES ('vip', 'on list ''vips'''), ('agreed', 'consent(email, news)')});
    return;
}

# A story of some people with cookies, addresses and user ids, told in order.
my @keys = map({ "cookie-$_" } 0 .. 7), map({ "user-$_" } 0 .. 3), map({ "mail-$_" } 0 .. 3);
my %kind = (cookie => 'anonymous', user => undef, mail => 'email');
sub kind_of { my ($key) = @_; return $kind{ ($key =~ /^(\w+)-/)[0] }; }
sub quoted { my ($text) = @_; return defined $text ? "'$text'" : 'NULL'; }
sub any_key { return $keys[ int(rand(@keys)) ]; }
my ($story, $count) = ('', $ENV{NURTURE_IDENTITY_EVENTS} // 400);
for my $i (1 .. $count)
{
    my ($key, $dice) = (any_key(), rand());
    my ($type, $props) = ('v', '{}');
    if ($dice < 0.06) {
        my $other = any_key();
        ($type, $props) = ('$alias', sprintf('{"to": "%s", "kind": "%s"}', $other, kind_of($other) // 'user'));
    }
    elsif ($dice < 0.10) { ($type, $props) = ('$identify', sprintf('{"seen": %d, "$keys": {"email": "mail-%d", "anonymous": "cookie-%d"}}', $i, rand(4), rand(8))); }
    elsif ($dice < 0.11) { ($type, $props) = ('$unmerge', '{}'); }
    elsif ($dice < 0.2) { ($type, $props) = ('$identify', sprintf('{"plan": "%s", "g": %d}', (rand() < 0.5 ? 'free' : 'pro'), rand(100))); }
    elsif ($dice < 0.24) { ($type, $props) = ('$list', sprintf('{"list": "vips", "state": "%s"}', (rand() < 0.7 ? 'member' : 'excluded'))); }
    elsif ($dice < 0.28) { ($type, $props) = ('$consent', sprintf('{"channel": "email", "purpose": "news", "state": "%s"}', (rand() < 0.7 ? 'granted' : 'withdrawn'))); }
    elsif ($dice < 0.32) { ($type, $props) = ('$adjust', sprintf('{"points": %d}', rand(20))); }
    elsif ($dice < 0.42) { $type = 'buy'; }
    elsif ($dice < 0.5) { $type = 'go'; }
    my $id = rand() < 0.1 ? "'m" . int(rand(10)) . "'" : 'NULL';
    # Some almost at one moment; at the very same they would be taken in the order in which they lie in the inbox, which is not
    # always that in which they came.
    my $at = sprintf("timestamptz '2021-01-01' + interval '%d.%06d seconds'", int($i * 0.8), $i);
    $story .= sprintf("INSERT INTO nurture.inbox (contact, kind, type, props, message_id, at, received_at) VALUES ('%s', %s, '%s', '%s', %s, %s, %s);\n",
        $key, quoted(kind_of($key)), $type, $props, $id, $at, $at);
}
my $end = "timestamptz '2021-01-01 01:00'";

my $outcome = <<'SQL';
SET datestyle = 'ISO'; SET timezone = 'UTC';
SELECT 'transition ' || row(contact, row_number() OVER (PARTITION BY contact ORDER BY tick, n), at, kind, name, version, step, cause, detail)::text FROM nurture.transition
UNION ALL
SELECT 'log ' || row(contact, row_number() OVER (PARTITION BY contact ORDER BY tick, n), key, kind, type, at, received_at, clock,
    CASE WHEN kind = '$identity' THEN props - 'state' ELSE props END, message_id)::text FROM nurture.event_log
UNION ALL
SELECT 'action ' || row(id, contact, channel, template, payload, expires, workflow, version, journey, step, created_at)::text FROM nurture.action
UNION ALL
SELECT 'cancelled ' || row(id, reason)::text FROM nurture.action_cancel
UNION ALL
SELECT 'membership ' || row(segment, contact, since, cause)::text FROM nurture.membership
UNION ALL
SELECT 'identity ' || row(key, kind, contact, since)::text FROM nurture.identity
UNION ALL
SELECT 'conflict ' || row(at, key, kind, other_key, other_kind, contact, other_contact, reason)::text FROM nurture.identity_conflict
UNION ALL
SELECT 'merge ' || row(loser, winner, at, key, other_key, keys, undone_at)::text FROM nurture.merge_log
UNION ALL
SELECT 'lead ' || row(contact, score, segments, attributes, first_seen, last_seen)::text FROM nurture.lead
UNION ALL
SELECT 'suppressed ' || row(contact, channel, purpose, reason)::text FROM (SELECT DISTINCT contact, channel, purpose, reason FROM nurture.suppression JOIN nurture.contact USING (contact)) s
UNION ALL
SELECT 'rejected ' || row(contact, type, props, reason)::text FROM nurture.rejected_event
ORDER BY 1
SQL
sub outcome { my ($database) = @_; return $node->safe_psql($database, $outcome); }
sub is_verified
{
    my ($database) = @_;
    is($node->safe_psql($database, 'SELECT * FROM nurture.verify()'), '', "$database: features are those of the log");
    is($node->safe_psql($database, 'SELECT * FROM nurture.verify(path => true)'), '', "$database: paths are those of the log");
    is($node->safe_psql($database, q{SELECT (SELECT count(*) FROM nurture.event_log WHERE left(kind, 1) IS DISTINCT FROM '$') + duplicates
        + (SELECT count(*) FROM nurture.rejected_event), (SELECT count(*) FROM nurture.inbox), (SELECT count(*) FROM nurture._waiting) FROM nurture.engine}),
        "$count|0|0", "$database: every message is somewhere, once");
    # Each key leads straight to a contact that is nobody else's key.
    is($node->safe_psql($database, q{SELECT i.key FROM nurture.identity i JOIN nurture.identity j ON j.key = i.contact AND j.contact <> j.key}), '',
        "$database: one look finds the contact");
    return;
}
sub tick { my ($database, $moment) = @_; $node->safe_psql($database, "CALL nurture.tick($moment)"); return; }

# --- cut into batches in any way ------------------------------------------------------------------------------------
make_database($_) foreach 'each', 'once', 'chunks', 'crashed';
my $position = 0;
my $ticks = '';
for my $message (split /(?<=;\n)/, $story)
{
    my ($at) = $message =~ /(timestamptz '2021-01-01' \+ interval '[\d.]+ seconds')/;
    $ticks .= $message . "CALL nurture.tick($at);\n";
}
$node->safe_psql('each', $ticks);
tick('each', $end);
$node->safe_psql('once', $story);
tick('once', $end);
my $wanted = outcome('once');
is_same_outcome(outcome('each'), $wanted, 'a tick for every message, or one for all: the same');
$node->safe_psql('chunks', "BEGIN; $story COMMIT");
for (my $second = 0; $second < $count; $second += 1 + int(rand(60)))
{
    my $rows = 1 + int(rand(40));
    $node->safe_psql('chunks', "SET nurture.batch_rows = $rows; CALL nurture.tick(timestamptz '2021-01-01' + interval '$second seconds')");
}
tick('chunks', $end);
is_same_outcome(outcome('chunks'), $wanted, 'batches of any size at any moments: the same');
cmp_ok($node->safe_psql('once', 'SELECT count(*) FROM nurture.merge_log'), '>', 5, 'there were merges');
cmp_ok($node->safe_psql('once', 'SELECT count(*) FROM nurture.identity_conflict'), '>', 0, 'and conflicts');
is_verified($_) foreach 'each', 'once', 'chunks';

# --- a crash, and a dump, between a loser's step and the winner's -----------------------------------------------------
$node->safe_psql('crashed', $story);
my $batch = sub {
    my ($database) = @_;
    return $node->safe_psql($database, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT (SELECT more FROM nurture._tick_batch($end)); COMMIT");
};
$batch->('crashed') until $node->safe_psql('crashed', 'SELECT count(*) FROM nurture._waiting') > 0;
is($node->safe_psql('crashed', q{SELECT count(*) > 0 FROM nurture._waiting WHERE type = '$merge'}), 't', 'states are on their way');
$node->stop('immediate');
$node->start;
cmp_ok($node->safe_psql('crashed', 'SELECT count(*) FROM nurture._waiting'), '>', 0, 'they survive a crash');
my $dump = $node->basedir . '/identity.dump';
command_ok([ 'pg_dump', '-d', $node->connstr('crashed'), '-f', $dump ], 'dumped half-way');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->safe_psql('postgres', 'ALTER DATABASE restored SET nurture.enabled = off');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], 'restored half-way');
$node->safe_psql('restored', 'SELECT nurture.resume()');
foreach my $database ('crashed', 'restored')
{
    # Ticks that come to nothing: whatever a tick has done goes with it.
    for (1 .. 3)
    {
        $node->safe_psql($database, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT nurture._tick_batch($end); ROLLBACK");
        $batch->($database);
    }
    tick($database, $end);
    is_same_outcome(outcome($database), $wanted, "$database: the same");
    is_verified($database);
}

# --- merges while both are busy, with a worker ------------------------------------------------------------------------
$node->safe_psql('postgres', 'CREATE DATABASE busy');
create_nurture($node, 'busy');
define_engine($node, 'busy');
wait_for_worker($node, 'busy', 'the worker is there');
my @sessions = map {
    my $who = $_;
    my $sql = join '', map {
        my $n = $_;
        "INSERT INTO nurture.inbox (contact, kind, type) VALUES ('c$n', 'anonymous', 'v'), ('u$n', NULL, 'v');"
          . ($who == $n % 3 ? "INSERT INTO nurture.inbox (contact, kind, type, props) VALUES ('c$n', 'anonymous', '\$alias', '{\"to\": \"u$n\"}');" : '')
    } map { ($_) x 2 } 1 .. 60;
    my ($in, $out, $err) = ($sql, '', '');
    IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('busy') ], '<', \$in, '>', \$out, '2>', \$err)
} 0 .. 2;
$_->finish foreach @sessions;
ok(defined wait_until(sub { $node->safe_psql('busy', 'SELECT (SELECT count(*) FROM nurture.inbox) + (SELECT count(*) FROM nurture._waiting)') == 0 }, 60), 'everything is taken');
is($node->safe_psql('busy', q{SELECT count(*), count(*) FILTER (WHERE left(contact, 1) = 'u') FROM nurture.contact}), '60|60', 'every cookie has become its user');
is($node->safe_psql('busy', q{SELECT count(*) FROM nurture.event WHERE type = 'v' GROUP BY contact HAVING count(*) <> 12}), '', 'with all events of both');
is($node->safe_psql('busy', q{SELECT min(score) = 60 AND max(score) = 60 FROM (SELECT 5 * count(*) AS score FROM nurture.event WHERE type = 'v' GROUP BY contact) s}), 't', 'each once');
is($node->safe_psql('busy', 'SELECT * FROM nurture.verify()'), '', 'features are those of the log');
is(status($node, 'busy', 'failures'), 0, 'nothing failed');
$node->stop;
done_testing();
