# When the cause is not one contact the engine stops, says so, tries again ever more rarely, and goes on once it is mended.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use WorkerStub;

my $node = PostgreSQL::Test::Cluster->new('breaker');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'\nnurture.quarantine_limit = 3");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE live');
create_nurture($node, 'live');
$node->safe_psql('live', <<'SQL');
CREATE CAST (bytea AS nurture.profile) WITHOUT FUNCTION;
CREATE CAST (nurture.profile AS bytea) WITHOUT FUNCTION;
INSERT INTO nurture.segment (name, condition) VALUES ('b', 'x = ''b''');
INSERT INTO nurture.workflow (name, definition) VALUES ('hello', 'on hello re-enter always send email ''hello'' as transactional');
SQL
wait_for_worker($node, 'live', 'the worker is there', seconds => 60);
my $round = q{INSERT INTO nurture.workflow (name, definition) VALUES ('round', 'on round on entering segment ''b'' re-enter always set x = ''a'' set x = ''b''')};
my $freshness = sub { return $node->safe_psql('live', "SELECT $_[0] FROM nurture.freshness") };
my $stops = sub {
    my ($pattern, $name) = @_;
    ok(defined wait_until(sub { $freshness->('status') =~ $pattern }, 60), $name) or diag($freshness->('*'));
};
my $hellos = sub { return $node->safe_psql('live', q{SELECT count(*) FROM nurture.action WHERE template = 'hello'}) };
my $goes_on = sub {
    my ($count, $name) = @_;
    ok(defined wait_until(sub { $hellos->() == $count && $freshness->('status') eq 'fresh' && $freshness->('waiting') == 0 }, 60), $name) or diag($freshness->('*'));
    is($freshness->('waiting'), 0, "$name: nothing waits");
};

# Three failures are three contacts' fault.
$node->safe_psql('live', $round);
my $tell = q{INSERT INTO nurture.inbox (contact, type) SELECT '%s' || g, 'round' FROM generate_series(1, %d) g; INSERT INTO nurture.inbox (contact, type) VALUES ('%s', 'hello')};
$node->safe_psql('live', 'BEGIN; ' . sprintf($tell, 'few', 3, 'anna') . '; COMMIT');
$goes_on->(1, 'up to the limit they are quarantined');
is($node->safe_psql('live', 'SELECT count(*) FROM nurture.quarantine'), 3, 'three of them');

# Four are not.
my ($log, $begun) = (-s $node->logfile, time());
$node->safe_psql('live', 'BEGIN; ' . sprintf($tell, 'many', 4, 'bert') . '; COMMIT');
$stops->(qr/^stopped: more contacts fail in a tick than nurture.quarantine_limit/, 'beyond it the engine stops and says so');
like($freshness->('last_error'), qr/the steps of 4 contacts failed in one tick: The first: contact "many1": .*10000 steps/, 'with whom it began, and why');
$node->safe_psql('live', 'CREATE ROLE nobody; CREATE ROLE operator; GRANT SELECT ON nurture.freshness TO operator');
is($node->safe_psql('live', 'SET ROLE nobody; SELECT last_error FROM nurture._freshness()'), '', 'contacts are named to nobody who may not read the view');
like($node->safe_psql('live', 'SET ROLE operator; SELECT last_error FROM nurture.freshness'), qr/many1/, 'and to who may');
sleep(6);
my $attempts = () = log_since($node, $log) =~ /the steps of 4 contacts failed/g;
cmp_ok($attempts, '>=', 2, 'it tries again');
cmp_ok($attempts, '<=', 2 + log(1 + time() - $begun) / log(2), 'after 1, 2, 4, … seconds');
is($freshness->('waiting') . ' ' . $hellos->(), '5 1', 'all messages wait; nothing was done by halves');
is($node->safe_psql('live', 'SELECT count(*) FROM nurture.quarantine'), 3, 'nobody more is quarantined');

# Mended: by correcting the definition; then start_worker() does not wait for the next attempt.
$node->safe_psql('live', q{DELETE FROM nurture.workflow WHERE name = 'round'});
$node->safe_psql('live', 'SELECT nurture.start_worker()');
$goes_on->(2, 'the definition is mended');
is($node->safe_psql('live', q{SELECT count(*) FROM nurture.event_log WHERE contact LIKE 'many%'}), 4, 'those it stopped for are taken');
is($node->safe_psql('live', q{SELECT sum(nurture.release(contact)) FROM nurture.quarantine}), 3, 'the quarantined are released');
$goes_on->(2, 'released');
is($node->safe_psql('live', q{SELECT count(*) FROM nurture.event_log WHERE contact LIKE 'few%'}), 3, 'and taken, once');

# Mended: by raising the limit.
$node->safe_psql('live', $round);
$node->safe_psql('live', 'BEGIN; ' . sprintf($tell, 'limit', 5, 'carl') . '; COMMIT');
$stops->(qr/^stopped: more contacts fail/, 'it stops again');
$node->safe_psql('postgres', 'ALTER DATABASE live SET nurture.quarantine_limit = 10');
$goes_on->(3, 'the limit is raised');
is($node->safe_psql('live', 'SELECT count(*) FROM nurture.quarantine'), 5, 'and they are quarantined');

# A state that a later version of the library wrote; with that library the engine goes on.
$node->safe_psql('live', q{CREATE TABLE public.kept AS SELECT contact, state FROM nurture.contact WHERE contact = 'carl';
    UPDATE nurture.contact SET state = set_byte(state::bytea, 0, 255)::nurture.profile WHERE contact = 'carl'});
$node->safe_psql('live', q{INSERT INTO nurture.inbox (contact, type) VALUES ('dora', 'hello'), ('carl', 'hello')});
$stops->(qr/^stopped: a later version of nurture has written here/, 'a newer state stops the engine');
is($node->safe_psql('live', q{SELECT count(*) FROM nurture.quarantine WHERE contact = 'carl'}) . ' ' . $freshness->('waiting'), '0 2', 'it is not the contact\'s fault, and nothing is lost');
$node->safe_psql('live', q{UPDATE nurture.contact c SET state = k.state FROM public.kept k WHERE k.contact = c.contact});
$goes_on->(5, 'the library can read it');
is($freshness->('(SELECT count(*) FROM nurture.event_log) + rejected + duplicates + (SELECT count(*) FROM nurture.quarantined_message)'),
    # few 3, anna; many 4, bert; limit 5, carl; dora, carl
    3 + 1 + 4 + 1 + 5 + 1 + 2, 'every message is somewhere, once');
$node->stop;
done_testing();
