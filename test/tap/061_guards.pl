# Four senders at once, two workflows and two channels side by side, eight messages waiting for each contact: a cap of one a day
# and a rate hold whatever the order in which they come. Then each contact has had one, and what was suppressed meanwhile none.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use POSIX ();
use Time::HiRes qw(time sleep);

my ($clients, $contacts, $rate) = (4, 150, 80);
my $node = PostgreSQL::Test::Cluster->new('guards');
$node->init;
$node->start;
my $sql = sub { my ($text) = @_; return $node->safe_psql('postgres', $text) };
$sql->(<<SQL);
CREATE EXTENSION nurture;
INSERT INTO nurture.policy (name, definition) VALUES ('cap', 'for email, sms at most 1 per day'), ('rate', 'for email rate $rate per second');
INSERT INTO nurture.action (id, contact, channel, template, due, workflow, priority)
SELECT md5(c || ' ' || k)::uuid, 'c' || c, CASE WHEN k % 4 < 2 THEN 'email' ELSE 'sms' END, 't', now() - k * interval '1 minute', 'w' || (c + k) % 2, k % 3
FROM generate_series(1, $contacts) c, generate_series(1, 8) k;
SQL

# Senders in loops; the last twenty contacts complain while they run.
my $until = time() + 5;
my @senders;
for my $n (1 .. $clients)
{
    my $pid = fork() // die "fork: $!";
    if (!$pid)
    {
        my $channel = $n % 2 ? 'email' : 'sms';
        while (time() < $until)
        {
            my $size = 1 + int(rand(12));
            system('psql', '-XAtq', '-d', $node->connstr('postgres'), '-c',
                "SELECT nurture.complete(array_agg(receipt)) FROM nurture.claim('$channel', $size)", '-o', '/dev/null') == 0 or POSIX::_exit(1);
        }
        POSIX::_exit(0); # without the end of the test, which stops the server
    }
    push @senders, $pid;
}
sleep(1);
$sql->(q{INSERT INTO nurture.inbox (contact, type, props) SELECT 'c' || c, '$complaint', '{"channel": "email"}' FROM generate_series(131, 150) c});
my $told = $sql->('SELECT clock_timestamp()');
my $failed = 0;
for my $pid (@senders) { waitpid($pid, 0); $failed++ if $? }
is($failed, 0, 'no sender met an error');

# What the senders left is taken by one of them.
for my $channel ('email', 'sms')
{
    for (1 .. 40)
    {
        last if $sql->("SELECT count(*) FROM nurture.claim('$channel', 1000)") == 0 && $sql->("SELECT nurture.next_claimable('$channel') > clock_timestamp() + interval '1 minute'") eq 't';
        sleep(0.25);
    }
}
is($sql->(q{SELECT count(*) FROM (SELECT contact FROM nurture.action WHERE status IN ('claimed', 'done') GROUP BY contact HAVING count(*) > 1) t}), 0,
    'nobody had two messages');
cmp_ok($sql->(q{SELECT count(DISTINCT contact) FROM nurture.action WHERE status IN ('claimed', 'done')}), '>=', $contacts - 20,
    'everybody had one, but for those who complained');
is($sql->(qq{SELECT count(*) FROM nurture.sent WHERE contact IN (SELECT contact FROM nurture.suppression) AND channel = 'email' AND at > '$told'}), 0,
    'nobody had one after he had complained');
is($sql->(qq{SELECT count(*) FROM (SELECT FROM nurture.sent WHERE channel = 'email' GROUP BY date_trunc('second', at) HAVING count(*) > $rate) t}), 0,
    'the rate held in every second');
cmp_ok($sql->(q{SELECT count(DISTINCT workflow) FROM nurture.sent}), '==', 2, 'both workflows took part');
is($sql->(q{SELECT count(*) FROM nurture.action a WHERE status IN ('claimed', 'done') AND NOT EXISTS (SELECT FROM nurture.sent s WHERE s.action = a.id)}), 0,
    'each was counted');
is($sql->(q{SELECT string_agg(DISTINCT reason, '; ' ORDER BY reason) FROM nurture.action WHERE status NOT IN ('claimed', 'done') AND due > now()}),
    'at most 1 per day (policy "cap")', 'the others wait for tomorrow, and say why');

# Dumped and restored, caps go on counting.
$sql->('CREATE DATABASE copy');
my $dump = $PostgreSQL::Test::Utils::tmp_check . '/guards.sql';
command_ok(['pg_dump', '-f', $dump, '-d', $node->connstr('postgres')], 'dumped');
command_ok(['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $node->connstr('copy'), '-f', $dump], 'restored');
$node->safe_psql('copy', 'SELECT nurture.resume()');
is($node->safe_psql('copy', q{SELECT count(*) FROM nurture.sent}), $sql->('SELECT count(*) FROM nurture.sent'), 'what was sent is there');
$node->safe_psql('copy', q{UPDATE nurture.action SET due = now() WHERE status = 'ready'});
is($node->safe_psql('copy', q{SELECT count(*) FROM nurture.claim('sms', 5000) c JOIN nurture.sent s ON s.contact = c.contact AND s.action <> c.id}), 0,
    'and binds');
$node->stop;
done_testing();
