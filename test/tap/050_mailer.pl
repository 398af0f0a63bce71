# examples/mailer against a real SMTP server: killed at random it loses no mail, and a mail that goes out twice has one Message-ID.
use strict;
use warnings;
use IO::Socket::INET;
use MIME::Base64;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Sender;

my $mailer = program('mailer');
plan skip_all => 'the examples are not built' unless $mailer;
plan skip_all => 'there is no SMTP server (python3-aiosmtpd)' unless is_there('aiosmtpd');

my $node = PostgreSQL::Test::Cluster->new('mailer');
$node->init(extra => ['--locale=C.UTF-8', '--encoding=UTF8']);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION nurture;
CREATE ROLE sender LOGIN;
GRANT USAGE ON SCHEMA nurture TO sender;
GRANT EXECUTE ON FUNCTION nurture.claim(text, int, interval), nurture.complete(uuid[]), nurture.fail(uuid, text, interval, boolean),
    nurture.next_claimable(text) TO sender;
GRANT SELECT ON nurture.lead TO sender;
INSERT INTO nurture.workflow (name, definition) VALUES
    ('welcome', 'on signup send email ''welcome'' for newsletter with (plan = plan)'),
    ('lost', 'on lost_signup send email ''no_such_template'' for newsletter');
SQL

my $folder = PostgreSQL::Test::Utils::tempdir();
mkdir "$folder/templates" or die $!;
append_to_file("$folder/templates/welcome.txt", <<'TEXT');
Subject: Grüße, {{attributes.first_name}}

Dear {{attributes.first_name}}, you chose {{payload.plan}}.
TEXT
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $smtp = start_process("$folder/smtp.log", 'python3', '-m', 'aiosmtpd', '-n', '-l', "127.0.0.1:$port", '-c', 'aiosmtpd.handlers.Mailbox', "$folder/mail");
ok(wait_for_port($port), 'the SMTP server is there');

my $count = 300;
$node->safe_psql('postgres', <<"SQL");
INSERT INTO nurture.inbox (contact, type, props)
SELECT 'u' || g, '\$identify', jsonb_build_object('email', 'u' || g || '\@example.com', 'first_name', 'Zoë ' || g, 'plan', 'pro') FROM generate_series(1, $count) g;
INSERT INTO nurture.inbox (contact, type, props) SELECT 'u' || g, 'signup', '{}' FROM generate_series(1, $count) g;
INSERT INTO nurture.inbox (contact, type) VALUES ('no address', 'signup'), ('u1', 'lost_signup');
SQL
ok($node->poll_query_until('postgres', "SELECT count(*) = $count + 2 FROM nurture.action"), 'the actions are there');

my @command = ($mailer, '--database', $node->connstr('postgres') . ' user=sender', '--smtp', "smtp://127.0.0.1:$port", '--from', 'news@example.com',
    '--templates', "$folder/templates", '--batch', '20', '--lease', '2');
my $open = "SELECT count(*) FROM nurture.action WHERE status IN ('ready', 'claimed')";
my $kills = work_through_kills($node, "$folder/mailer.log", $open, @command);
cmp_ok($kills, '>', 3, "it was killed $kills times");

is($node->safe_psql('postgres', 'SELECT status, count(*) FROM nurture.action GROUP BY status ORDER BY status'), "done|$count\nfailed|2", 'everything that can be sent was');
is($node->safe_psql('postgres', q(SELECT reason FROM nurture.action WHERE status = 'failed' ORDER BY reason)),
    qq("no address" is not an address\nthere is no template "no_such_template"), 'what cannot be sent says why');
ok($node->poll_query_until('postgres', q(SELECT count(*) = 302 FROM nurture.event WHERE type IN ('$sent', '$failed'))), 'the contacts were told');

my (%mails, %text);
foreach my $file (glob("$folder/mail/new/*"))
{
    my $mail = slurp_file($file);
    my ($id) = $mail =~ /^Message-ID: <(.*?)\@example\.com>/mi or die $mail;
    $mails{$id}++;
    $text{$id} = $mail;
}
my @expected = split(/\n/, $node->safe_psql('postgres', q(SELECT id FROM nurture.action WHERE status = 'done' ORDER BY id)));
is_deeply([sort keys %mails], \@expected, 'every mail arrived, under the id of its action');
my $twice = 0;
$twice += $_ - 1 foreach values %mails;
cmp_ok($twice, '<=', $kills, "at most one mail a kill went out twice ($twice of $kills)");
my ($id) = split(/\n/, $node->safe_psql('postgres', q(SELECT id FROM nurture.action WHERE contact = 'u7')));
like($text{$id}, qr/^To: <u7\@example\.com>/m, 'it goes to the address among the attributes');
like($text{$id}, qr/^Subject: =\?UTF-8\?B\?R3LDvMOfZSwgWm/m, 'its subject is encoded');
my ($encoded) = $text{$id} =~ /\n\n(.*)/s;
is(decode_base64($encoded), "Dear Zoë 7, you chose pro.\r\n", 'attributes and payload are filled in');

# Woken by NOTIFY: no lease, no poll, is as short as this.
my $sender = start_process("$folder/mailer.log", @command[0 .. $#command - 1], '600');
ok($node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_stat_activity WHERE usename = 'sender' AND state = 'idle')), 'it sleeps');
my $begun = time();
$node->safe_psql('postgres', q(INSERT INTO nurture.inbox (contact, type, props) VALUES ('late@example.com', 'signup', '{}')));
ok($node->poll_query_until('postgres', q(SELECT status = 'done' FROM nurture.action WHERE contact = 'late@example.com')), 'it is woken by what becomes ready');

# The mail server goes away: nothing is lost, and no action uses up its attempts.
kill_process($smtp, 'KILL');
$node->safe_psql('postgres', q(INSERT INTO nurture.inbox (contact, type) SELECT 'away' || g || '@example.com', 'signup' FROM generate_series(1, 30) g));
ok($node->poll_query_until('postgres', q(SELECT count(*) > 0 FROM nurture.action WHERE contact LIKE 'away%' AND reason LIKE 'SMTP%')), 'the outage is noticed');
sleep(4);
$smtp = start_process("$folder/smtp.log", 'python3', '-m', 'aiosmtpd', '-n', '-l', "127.0.0.1:$port", '-c', 'aiosmtpd.handlers.Mailbox', "$folder/mail");
ok($node->poll_query_until('postgres', q(SELECT count(*) = 30 FROM nurture.action WHERE contact LIKE 'away%' AND status = 'done')), 'all is sent when it is back');
cmp_ok($node->safe_psql('postgres', q(SELECT count(*) FROM nurture.action WHERE contact LIKE 'away%' AND attempts > 3)), '<=', 3, 'most actions lost no more than two attempts');

kill_process($_, 'TERM') foreach $sender, $smtp;
$node->stop;
done_testing();
