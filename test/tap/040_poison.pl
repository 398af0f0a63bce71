# Poison under a running worker: whatever is sent, it lives on, others' actions flow, nothing is lost, memory stays bounded.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;

my $node = PostgreSQL::Test::Cluster->new('poison');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'nurture'
max_wal_size = '4GB'
CONF
$node->start;

# Other encodings are refused with a hint; clients may use any.
$node->safe_psql('postgres', q{CREATE DATABASE latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0});
my ($status, $out, $err) = $node->psql('latin1', 'CREATE EXTENSION nurture');
like($err, qr/nurture needs a database in UTF8, not LATIN1.*HINT: .*ENCODING 'UTF8'/s, 'a database in LATIN1 is refused');
$node->safe_psql('postgres', 'CREATE DATABASE live');
create_nurture($node, 'live');
$node->safe_psql('live', <<'SQL');
CREATE CAST (bytea AS nurture.profile) WITHOUT FUNCTION;
CREATE TABLE given (rows bigint);
INSERT INTO given VALUES (0);
CREATE FUNCTION count_given() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE public.given SET rows = rows + (SELECT count(*) FROM n); RETURN NULL; END $$;
CREATE TRIGGER count_given AFTER INSERT ON nurture.inbox REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION count_given();
INSERT INTO nurture.rule (name, definition) VALUES ('buys', '+1 per amount on buy half-life 7 days'), ('views', '+1 on v at most 1000 per day');
INSERT INTO nurture.segment (name, condition) VALUES ('b', 'x = ''b'''), ('buyer', 'sum(amount of buy within 7 days) > 5'),
    ('reader', 'count(v where pad like ''%y%'' within 7 days) >= 3'), ('padded', 'last(pad of v) is set');
INSERT INTO nurture.workflow (name, definition) VALUES ('hello', 'on hello re-enter always send email ''hello'' as transactional with (name = name)'),
    ('round', 'on round on entering segment ''b'' re-enter always set x = ''a'' set x = ''b''');
SQL
my $pid = wait_for_worker($node, 'live', 'the worker is there', seconds => 60);

my $private = sub {
    my ($kb) = slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m;
    return int(($kb // 0) / 1024);
};
my $balance = sub {
    return $node->safe_psql('live', <<'SQL');
SELECT (SELECT rows FROM given) - (SELECT count(*) FROM nurture.event_log WHERE kind IS DISTINCT FROM '$engine') - (SELECT count(*) FROM nurture.rejected_event)
     - (SELECT count(*) FROM nurture.quarantined_message) - (SELECT duplicates FROM nurture.engine) - (SELECT count(*) FROM nurture.inbox)
SQL
};
# Somebody else's action, told after the poison; how long it took.
my $hello = 0;
my $others = sub {
    my ($name, $seconds) = @_;
    my $who = 'hello' . ++$hello;
    $node->safe_psql('live', "INSERT INTO nurture.inbox (contact, type) VALUES ('$who', 'hello')");
    my $took = wait_until(sub { $node->safe_psql('live', "SELECT count(*) FROM nurture.action WHERE contact = '$who'") == 1 }, $seconds // 60);
    ok(defined $took, "$name: others' actions flow") or diag($node->safe_psql('live', 'SELECT * FROM nurture.freshness'));
    is(pid_of($node, 'live'), $pid, "$name: the worker lives on");
    is($balance->(), 0, "$name: nothing is lost");
    note(sprintf('%s: %.1f s', $name, $took // -1));
};
$others->('to begin with');

$node->safe_psql('live', <<'SQL');
SET client_encoding = 'LATIN1';
INSERT INTO nurture.inbox (contact, type, props) VALUES (convert_from('\x6a6fe9', 'LATIN1'), '$identify', jsonb_build_object('name', convert_from('\x4a6fe9', 'LATIN1')));
SQL
$node->safe_psql('live', <<'SQL');
INSERT INTO nurture.inbox (contact, type, props, at, received_at, message_id, kind) VALUES
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('', '', '[]', 'infinity', 'infinity', repeat('m', 600), '$engine'), (repeat('k', 10240), 'v', '{}', now(), now(), NULL, NULL),
    ('t', 'v', '{}', '-infinity', now(), NULL, NULL), ('t', 'v', '{}', '4713-01-01 BC', '4713-01-01 BC', NULL, NULL), ('t', 'v', '{}', now(), '294276-12-31', NULL, NULL),
    ('n', 'buy', '{"amount": 1e400}', now(), now(), NULL, NULL), ('n', 'buy', '{"amount": "NaN"}', now(), now(), NULL, NULL),
    ('j', '$identify', jsonb_build_object('name', (repeat('[', 4000) || repeat(']', 4000))::jsonb), now(), now(), NULL, NULL), ('j', 'hello', '{}', now(), clock_timestamp(), NULL, NULL),
    ('j', 'v', '"scalar"', now(), now(), NULL, NULL), ('r', 'round', '{}', now(), now(), NULL, NULL), ('r', 'v', '{}', now(), clock_timestamp(), NULL, NULL),
    ('f', '$identify', jsonb_build_object('name', repeat('n', 20000)), now(), now(), NULL, NULL), ('f', '$identify', jsonb_build_object('more', repeat('n', 20000)), now(), clock_timestamp(), NULL, NULL),
    ('c', 'v', '{}', now(), now(), NULL, NULL);
SQL
$others->('rows of every kind');
is($node->safe_psql('live', q{SELECT payload -> 'name' FROM nurture.action WHERE contact = 'j'}) =~ tr/[//, 4000, 'JSON four thousand deep comes through');
is($node->safe_psql('live', 'SELECT contact FROM nurture.quarantine'), 'r', 'who goes round for ever is quarantined');
is($node->safe_psql('live', q{SELECT nurture.describe('jo' || chr(233)) -> 'attributes' -> 'name' IS NOT NULL}), 't', 'a client in LATIN1 was understood');

# A damaged row of the contact's.
$node->safe_psql('live', q{UPDATE nurture.contact SET state = '\x0103ffffff'::bytea::nurture.profile WHERE contact = 'c'});
$node->safe_psql('live', q{INSERT INTO nurture.inbox (contact, type) VALUES ('c', 'v')});
$others->('a damaged state');
is($node->safe_psql('live', q{SELECT reason LIKE 'corrupt data%' FROM nurture.quarantine WHERE contact = 'c'}), 't', 'it is quarantined');

# A flood of what is malformed, by COPY.
my $file = $node->basedir . '/flood.copy';
open my $flood, '>', $file or die $!;
print $flood "\\N\tv\t{}\n" foreach 1 .. 100_000;
close $flood;
$node->safe_psql('live', "COPY nurture.inbox (contact, type, props) FROM '$file'");
$others->('a hundred thousand malformed rows', 60);
is($node->safe_psql('live', q{SELECT count(*) FROM nurture.rejected_event WHERE reason = 'contact is missing'}), 100_002, 'all are set aside');

# A few bytes that are a number of 131,072 digits, a thousand of them in each message.
$node->safe_psql('live', q{INSERT INTO nurture.inbox (contact, type, props)
    SELECT 'digits', 'v', jsonb_build_object('pad', (SELECT jsonb_agg(1e131071::numeric) FROM generate_series(1, 1000))) FROM generate_series(1, 200)});
$others->('numbers without measure', 60);

# 1.3 GB for one contact. Statistics of the worker's memory are sampled while it works.
SKIP:
{
    skip 'no /proc', 2 unless -r "/proc/$pid/status";
    my $messages = $ENV{NURTURE_BIG_MESSAGES} // 40_000;
    my $before = $private->();
    $node->safe_psql('live', "INSERT INTO nurture.inbox (contact, type, props) SELECT 'big', 'v', jsonb_build_object('pad', 'xy' || repeat('x', 32600), 'n', g) FROM generate_series(1, $messages) g");
    my ($peak, $begin) = ($before, time());
    $node->safe_psql('live', q{INSERT INTO nurture.inbox (contact, type) VALUES ('beside', 'hello')});
    my $took = wait_until(sub { my $now = $private->(); $peak = $now if $now > $peak;
            return $node->safe_psql('live', q{SELECT count(*) FROM nurture.action WHERE contact = 'beside'}) == 1; }, 300);
    ok(defined $took, 'one beside whom a gigabyte waits gets his mail');
    $others->('after a gigabyte for one contact', 60);
    my $after = $private->();
    note(sprintf('%d messages of 32 kB: %.1f s; memory %d MB before, %d MB at most, %d MB after', $messages, $took // -1, $before, $peak, $after));
    cmp_ok($peak, '<', 500, 'memory is bounded by nurture.batch_bytes');
    cmp_ok($after, '<', $before + 100, 'and given back');
    is($node->safe_psql('live', q{SELECT count(*) FROM nurture.event_log WHERE contact = 'big'}), $messages, 'all of it is logged');
}
is(status($node, 'live', 'failures'), 0, 'no tick has failed');
is($node->safe_psql('live', q{SELECT contact_key, what, stored FROM nurture.contact c, nurture.verify(c.contact) WHERE c.contact <> 'big'}), 'c|state|corrupt data: the value ends too early',
    'what is known is what the log says, but for the damage');
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|ERROR:  (?!database|nurture needs)/, 'and nothing was an error');
$node->stop;
done_testing();
