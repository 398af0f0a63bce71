# examples/webhook against a receiver that keeps idempotency keys: killed at random, refused, not answered, everything happens exactly once.
use strict;
use warnings;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use Sender;

my $webhook = program('webhook');
plan skip_all => 'the examples are not built' unless $webhook;
plan skip_all => 'there is no python3' unless is_there('http.server');

my $node = PostgreSQL::Test::Cluster->new('webhook');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION nurture;
INSERT INTO nurture.workflow (name, definition) VALUES ('tell the CRM', 'on won do ''webhook'' with (amount = amount)');
SQL

my $folder = PostgreSQL::Test::Utils::tempdir();
append_to_file("$folder/secret", "correct horse battery staple\n");
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $receiver = start_process("$folder/receiver.log", 'python3', "$FindBin::Bin/consumers/http_receiver.py", $port, 'correct horse battery staple', $folder);
ok(wait_for_port($port), 'the receiver is there');

my $count = 200;
$node->safe_psql('postgres', "INSERT INTO nurture.inbox (contact, type, props) SELECT 'c' || g, 'won', jsonb_build_object('amount', g) FROM generate_series(1, $count) g");
$node->safe_psql('postgres', "INSERT INTO nurture.inbox (contact, type) VALUES ('unwelcome', 'won')");
ok($node->poll_query_until('postgres', "SELECT count(*) = $count + 1 FROM nurture.action"), 'the actions are there');

my @command = ($webhook, '--database', $node->connstr('postgres'), '--url', "http://127.0.0.1:$port/hook", '--secret', "$folder/secret", '--batch', '20', '--lease', '2');
my $kills = work_through_kills($node, "$folder/webhook.log", "SELECT count(*) FROM nurture.action WHERE status IN ('ready', 'claimed')", @command);
cmp_ok($kills, '>', 3, "it was killed $kills times");

sub lines { my $text = -e "$folder/$_[0]" ? slurp_file("$folder/$_[0]") : ''; return sort split(/\n/, $text) }
is($node->safe_psql('postgres', 'SELECT status, count(*) FROM nurture.action GROUP BY status ORDER BY status'), "done|$count\nfailed|1", 'everything was posted but what is not wanted');
is($node->safe_psql('postgres', q(SELECT reason FROM nurture.action WHERE contact = 'unwelcome')), 'HTTP 422', 'which says why');
my @expected = split(/\n/, $node->safe_psql('postgres', q(SELECT id FROM nurture.action WHERE status = 'done' ORDER BY id)));
is_deeply([lines('effects')], \@expected, 'everything was done exactly once');
my @requests = lines('requests');
cmp_ok(scalar(@requests), '>', $count, 'though some requests came more than once');

# A secret that the receiver does not know.
append_to_file("$folder/wrong", "wrong\n");
$node->safe_psql('postgres', q(INSERT INTO nurture.inbox (contact, type) VALUES ('forged', 'won')));
ok($node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM nurture.action WHERE contact = 'forged')), 'one more action');
$command[6] = "$folder/wrong";
my $refused = 1;
foreach (1 .. 5)    # the receiver refuses every seventh for now
{
    system(@command, '--once');
    last if $node->safe_psql('postgres', q(SELECT reason FROM nurture.action WHERE contact = 'forged' AND status = 'failed')) eq 'HTTP 401';
    sleep(1);
}
is($node->safe_psql('postgres', q(SELECT status, reason FROM nurture.action WHERE contact = 'forged')), 'failed|HTTP 401', 'a wrong signature is refused');

kill_process($receiver, 'TERM');
$node->stop;
done_testing();
