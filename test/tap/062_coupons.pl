# Four senders at once and two pools, one of which has fewer codes than there are contacts; leases run out, senders roll back, a
# cap drops what is too much. No code is given twice, a contact keeps its own, and what was not handed out has used up nothing.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use POSIX ();
use Time::HiRes qw(time sleep);

my ($clients, $contacts, $codes, $cap) = (4, 120, 100, 5);
my $node = PostgreSQL::Test::Cluster->new('coupons');
$node->init;
$node->start;
my $sql = sub { my ($text) = @_; return $node->safe_psql('postgres', $text) };
$sql->(<<SQL);
CREATE EXTENSION nurture;
INSERT INTO nurture.policy (name, definition) VALUES ('cap', 'for email at most $cap per rolling 2 days when stopped drop');
INSERT INTO nurture.coupon_pool (name, one_per) VALUES ('own', 'contact'), ('each', 'message');
INSERT INTO nurture.coupon (pool, code) SELECT 'own', 'o' || n FROM generate_series(1, $codes) n;
INSERT INTO nurture.coupon (pool, code) SELECT 'each', 'e' || n FROM generate_series(1, $contacts * 6) n;
INSERT INTO nurture.action (id, contact, channel, template, due, draws, workflow, journey)
SELECT md5(c || ' ' || k)::uuid, 'c' || c, 'email', 't', now() - k * interval '1 minute', jsonb_build_object('own', o.id, 'each', e.id), 'w' || k % 2, k
FROM generate_series(1, $contacts) c, generate_series(1, 6) k, nurture.coupon_pool o, nurture.coupon_pool e WHERE o.name = 'own' AND e.name = 'each';
CREATE TABLE handed_out (id uuid, contact text, own text, each text);
SQL

my $until = time() + 5;
my @senders;
for my $n (1 .. $clients)
{
    my $pid = fork() // die "fork: $!";
    if (!$pid)
    {
        while (time() < $until)
        {
            my ($size, $lease) = (1 + int(rand(12)), rand() < 0.3 ? '10 milliseconds' : '1 hour');
            my $end = rand() < 0.3 ? 'ROLLBACK' : 'COMMIT';
            system('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-o', '/dev/null', '-c',
                "BEGIN; INSERT INTO handed_out SELECT id, contact, payload ->> 'own', payload ->> 'each' FROM nurture.claim('email', $size, '$lease'); $end") == 0 or POSIX::_exit(1);
        }
        POSIX::_exit(0); # without the end of the test, which stops the server
    }
    push @senders, $pid;
}
my $failed = 0;
for my $pid (@senders) { waitpid($pid, 0); $failed++ if $? }
is($failed, 0, 'no sender met an error');
# What they left is taken by one of them; the longest short lease is over.
sleep(0.1);
for (1 .. 200)
{
    last if $sql->(q{WITH h AS (INSERT INTO handed_out SELECT id, contact, payload ->> 'own', payload ->> 'each' FROM nurture.claim('email', 100, '1 hour') RETURNING 1) SELECT count(*) FROM h}) == 0;
}
is($sql->(q{SELECT count(*) FROM (SELECT own FROM handed_out GROUP BY 1 HAVING count(DISTINCT contact) > 1) t}), 0, 'no code went to two contacts');
is($sql->(q{SELECT count(*) FROM (SELECT contact FROM handed_out GROUP BY 1 HAVING count(DISTINCT own) > 1) t}), 0, 'a contact keeps its own');
is($sql->(q{SELECT count(*) FROM (SELECT each FROM handed_out GROUP BY 1 HAVING count(DISTINCT id) > 1) t}), 0, 'no code went out with two messages');
is($sql->(q{SELECT count(*) FROM (SELECT id FROM handed_out GROUP BY 1 HAVING count(DISTINCT each) > 1) t}), 0, 'a message keeps its code when it is claimed again');
cmp_ok($sql->(q{SELECT count(*) - count(DISTINCT id) FROM handed_out}), '>', 0, 'some were');
is($sql->(q{SELECT count(*) FROM handed_out WHERE own IS NULL OR each IS NULL}), 0, 'none went without');
is($sql->(q{SELECT count(DISTINCT contact) FROM handed_out}), $codes, 'every code found its contact');
is($sql->(q{SELECT string_agg(DISTINCT n::text, ' ') FROM (SELECT count(DISTINCT id) AS n FROM handed_out GROUP BY contact) t}), $cap, 'each of them had as many messages as the cap lets through');
is($sql->(q{SELECT count(*) FROM nurture.coupon WHERE pool = 'each' AND contact IS NOT NULL}), $codes * $cap, 'what was dropped or undone has used up no code');
is($sql->(q{SELECT count(*) FROM nurture.coupon c WHERE c.contact IS NOT NULL
    AND NOT EXISTS (SELECT FROM handed_out h WHERE h.contact = c.contact AND c.code IN (h.own, h.each) AND (c.pool = 'own' OR h.id = c.action))}), 0, 'who has a code was given it');
is($sql->(q{SELECT string_agg(DISTINCT reason, '; ' ORDER BY reason) FROM nurture.action WHERE status = 'ready'}), 'coupon pool "own" is empty', 'the others wait for more');

done_testing();
