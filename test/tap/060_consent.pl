# A withdrawal binds every claim that begins after its commit, with no tick in between; consent, open requests and what is suppressed
# survive a dump and its restore.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run;
use WorkerStub;

my $seconds = $ENV{NURTURE_CONSENT_SECONDS} // 10;
my $node = PostgreSQL::Test::Cluster->new('consent');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'\nmax_connections = 60\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE live');
create_nurture($node, 'live');

# Every contact has two messages of marketing and a transactional one. A few withdrew, and granted again later.
my $contacts = 30_000;
$node->safe_psql('live', <<"SQL");
INSERT INTO nurture.action (id, contact, channel, purpose, due, transactional)
SELECT gen_random_uuid(), 'c' || c, 'email', CASE WHEN k <= 2 THEN 'news' END, now() - interval '1 hour' + hashint4(c) % 1000 * interval '1 ms', k = 3
FROM generate_series(1, $contacts) c, generate_series(1, 3) k;
-- Who withdrew, and the transaction that committed it.
CREATE TABLE withdrawn (contact text COLLATE "C", xid xid8 DEFAULT pg_current_xact_id());
CREATE INDEX ON withdrawn (contact);
CREATE TABLE claimed (contact text COLLATE "C", transactional boolean, against_will boolean);
CREATE FUNCTION claim_and_look(size int) RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE
    seen CONSTANT pg_snapshot := pg_current_snapshot(); -- what is committed now was committed before the claim begins
BEGIN
    WITH c AS MATERIALIZED (SELECT * FROM nurture.claim('email', size)), done AS (SELECT nurture.complete(array_agg(c.receipt)) FROM c)
    INSERT INTO claimed
    SELECT c.contact, c.transactional,
           EXISTS (SELECT FROM withdrawn w WHERE w.contact = c.contact AND pg_visible_in_snapshot(w.xid, seen))
    FROM c, done;
END
\$\$;
SELECT nurture.withdraw_consent('c' || c, 'email', 'news', at => now() - interval '2 days') FROM generate_series($contacts - 99, $contacts) c;
SELECT nurture.grant_consent('c' || c, 'email', at => now() - interval '1 day') FROM generate_series($contacts - 99, $contacts - 50) c; -- wider: not enough
SELECT nurture.grant_consent('c' || c, 'email', 'news', at => now() - interval '1 day') FROM generate_series($contacts - 49, $contacts) c;
SQL
ok(defined wait_until(sub { $node->safe_psql('live', q{SELECT count(*) FROM nurture.consent WHERE status = 'granted'}) == 100 }, 120), 'the engine has taken what was said');

my $dir = $node->basedir;
append_to_file("$dir/claim.sql", "SELECT claim_and_look(20);\n\\sleep 10 ms\n");
append_to_file("$dir/withdraw.sql", <<"SQL");
\\set c random(1, $contacts - 100)
BEGIN;
SELECT nurture.withdraw_consent('c' || :c, 'email', 'news');
INSERT INTO withdrawn (contact) VALUES ('c' || :c);
COMMIT;
SQL
my @pgbench = ('pgbench', '-n', '-h', $node->host, '-p', $node->port, '-T', $seconds, '--no-vacuum');
my ($claims, $withdrawals) = ('', '');
my $withdrawing = IPC::Run::start([ @pgbench, '-c', 4, '-R', 1000, '-f', "$dir/withdraw.sql", 'live' ], '>&', \$withdrawals);
my $claiming = IPC::Run::start([ @pgbench, '-c', 8, '-f', "$dir/claim.sql", 'live' ], '>&', \$claims);
ok($claiming->finish, '8 senders claimed without an error') or diag($claims);
ok($withdrawing->finish, 'while contacts withdrew without an error') or diag($withdrawals);
note("$1 withdrawals") if $withdrawals =~ /actually processed: (\d+)/;
is($node->safe_psql('live', 'SELECT count(*) FROM claimed WHERE against_will AND NOT transactional'), 0,
    'nobody was claimed for whose withdrawal was committed before the claim began');
cmp_ok($node->safe_psql('live', 'SELECT count(*) FROM claimed WHERE against_will AND transactional'), '>', 0, 'but for transactional messages');
cmp_ok($node->safe_psql('live', 'SELECT count(DISTINCT contact) FROM withdrawn'), '>', 20 * $seconds, 'many withdrew');
# What is left is what was withdrawn, before and after the ticks.
$node->safe_psql('live', 'SELECT claim_and_look(2000)') for 1 .. 80;
my $left = <<'SQL';
SELECT count(*) FILTER (WHERE a.status = 'ready' AND a.purpose = 'news' AND w.contact IS NULL), count(*) FILTER (WHERE a.transactional AND a.status IN ('ready', 'dropped'))
FROM nurture.action a LEFT JOIN (SELECT DISTINCT contact FROM withdrawn UNION SELECT 'c' || g FROM generate_series(%d, %d) g) w ON w.contact = a.contact
SQL
is($node->safe_psql('live', sprintf($left, $contacts - 99, $contacts - 50)), '0|0', 'all the others were claimed, and everything transactional');
is($node->safe_psql('live', sprintf(q{SELECT count(*) FROM claimed WHERE NOT transactional AND substr(contact, 2)::int BETWEEN %d AND %d}, $contacts - 99, $contacts - 50)), 0,
    'who refused the purpose by name is not brought back by a wider grant');
# What waited was withdrawn with the refusal; a grant by name allows what comes after it.
is($node->safe_psql('live', sprintf(q{SELECT string_agg(DISTINCT status, ' ') FROM nurture.action WHERE NOT transactional AND substr(contact, 2)::int > %d}, $contacts - 50)), 'cancelled', 'nor what was withdrawn with the refusal');
is($node->safe_psql('live', q{SELECT count(*) FROM nurture.rejected_event}), 0, 'nothing was set aside');
ok(defined wait_until(sub { $node->safe_psql('live', 'SELECT count(*) FROM nurture.inbox') == 0 }, 120), 'the engine has taken everything');
is($node->safe_psql('live', <<'SQL'), 0, 'every withdrawal is in the state and binds');
SELECT count(*) FROM (SELECT DISTINCT contact FROM withdrawn) w LEFT JOIN nurture.contact c USING (contact)
WHERE nurture._consent_status(c.state, 'email', 'news', now()) <> 'withdrawn'
   OR NOT EXISTS (SELECT FROM nurture.suppression s WHERE s.contact = w.contact AND nurture._suppresses(s, 'email', 'news', false, now()))
SQL
is($node->safe_psql('live', q{SELECT count(*) FROM (SELECT FROM nurture.suppression GROUP BY contact, channel, purpose HAVING count(*) > 1) x}), 0, 'by one row each');

# A dump with open requests.
my ($open, $short) = split /\n/, $node->safe_psql('live', <<'SQL');
SELECT nurture.request_opt_in('open', 'email', 'offers', text_version => 'v7', ip => '192.0.2.7');
SELECT nurture.request_opt_in('short', 'email', 'offers', valid_for => '1 second');
SQL
my $hash = $node->safe_psql('live', q{SELECT nurture.ip_hash('192.0.2.7')});
my $everything = q{SELECT s::text FROM nurture.suppression s UNION ALL SELECT c::text FROM nurture.consent c UNION ALL SELECT h::text FROM nurture.consent_history h ORDER BY 1};
ok(defined wait_until(sub { $node->safe_psql('live', 'SELECT count(*) FROM nurture.inbox') == 0 }, 120), 'the requests are taken');
sleep 2;
my $before = $node->safe_psql('live', $everything);
command_ok([ 'pg_dump', '-d', $node->connstr('live'), '-Fc', '-f', "$dir/dump" ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), "$dir/dump" ], 'restores');
ok($node->safe_psql('restored', $everything) eq $before, 'with everything that was said and is suppressed');
$node->safe_psql('restored', 'SELECT nurture.resume()');
my (undef, undef, $error) = $node->psql('restored', "SELECT nurture.confirm_opt_in('$short')");
like($error, qr/the token has expired/, 'a request that is over is over');
is($node->safe_psql('restored', "SELECT contact, channel, purpose FROM nurture.confirm_opt_in('$open')"), 'open|email|offers', 'an open one is confirmed');
ok(defined wait_until(sub { $node->safe_psql('restored', q{SELECT status FROM nurture.consent WHERE contact = 'open'}) eq 'granted' }, 120), 'and granted');
is($node->safe_psql('restored', q{SELECT nurture.ip_hash('192.0.2.7')}), $hash, 'addresses can be compared as before');
my ($first) = $node->safe_psql('restored', "SELECT confirmed_at FROM nurture.confirm_opt_in('$open')");
is($node->safe_psql('restored', "SELECT confirmed_at FROM nurture.confirm_opt_in('$open')"), $first, 'once');

$node->stop;
done_testing();
