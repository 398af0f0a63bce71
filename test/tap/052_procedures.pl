# Procedures that workflows call: in their own transaction, as their own role, done exactly when the action is.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('procedures');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nurture'\nmax_worker_processes = 16");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION nurture;
CREATE ROLE clerk LOGIN;
CREATE ROLE sleeper;
CREATE SCHEMA shop AUTHORIZATION clerk;
SET ROLE clerk;
CREATE TABLE shop.discount (contact text, percent int, by name DEFAULT session_user, path text DEFAULT current_setting('search_path'));
CREATE FUNCTION shop.grant_discount(contact text, payload jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shop.discount (contact, percent) VALUES (contact, (payload ->> 'percent')::int);
    IF contact = 'broken' THEN RAISE EXCEPTION 'no discount for %', contact; END IF;
END $$;
CREATE PROCEDURE shop.sleep(contact text, payload jsonb) LANGUAGE sql AS 'SELECT pg_sleep(60)';
CREATE PROCEDURE shop.climb(contact text, payload jsonb) LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        SET SESSION AUTHORIZATION DEFAULT;
        SET ROLE NONE;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    INSERT INTO shop.discount (contact, percent, by) VALUES ('climbed', 100, current_user);
    INSERT INTO public.secret VALUES ('read by ' || current_user);
END $$;
CREATE PROCEDURE shop.spoil(contact text, payload jsonb) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('search_path', 'shop', false);
    INSERT INTO shop.discount (contact, percent) VALUES (contact, 0);
END $$;
RESET ROLE;
CREATE TABLE public.secret (line text);
INSERT INTO nurture.procedure (name, routine, role, timeout) VALUES ('discount', 'shop.grant_discount', 'clerk', '30 seconds'), ('slow', 'shop.sleep', 'clerk', '300 ms'),
    ('climb', 'shop.climb', 'clerk', '10 s'), ('spoil', 'shop.spoil', 'clerk', '10 s');
INSERT INTO nurture.procedure (name, routine, role, enabled) VALUES ('off', 'shop.grant_discount', 'clerk', false);
INSERT INTO nurture.workflow (name, definition) VALUES
    ('discount', 'on signup do ''procedure'' with (name = ''discount'', percent = 10)'),
    ('slow', 'on slow do ''procedure'' with (name = ''slow'')'),
    ('climb', 'on climb do ''procedure'' with (name = ''climb'')'),
    ('spoil', 'on spoil do ''procedure'' with (name = ''spoil'')'),
    ('off', 'on off do ''procedure'' with (name = ''off'')'),
    ('unlisted', 'on unlisted do ''procedure'' with (name = ''rm'')'),
    ('nameless', 'on nameless do ''procedure'' with (percent = 10)');
SQL

my (undef, undef, $problem) = $node->psql('postgres', q(INSERT INTO nurture.procedure (name, routine, role) VALUES ('x', 'shop.nothing', 'clerk')));
like($problem, qr/there is no function or procedure shop\.nothing\(text, jsonb\)/, 'what is not there is refused');
(undef, undef, $problem) = $node->psql('postgres', q(INSERT INTO nurture.procedure (name, routine, role) VALUES ('x', 'shop.sleep', 'sleeper')));
like($problem, qr/there is no role "sleeper" that can log in/, 'and so is who cannot log in');

sub status { return $node->safe_psql('postgres', "SELECT status, coalesce(reason, '') FROM nurture.action WHERE contact = '$_[0]'") }
sub settled
{
    my ($contact, $expected, $name) = @_;
    $node->poll_query_until('postgres', "SELECT count(*) = 1 FROM nurture.action WHERE contact = '$contact' AND (status NOT IN ('ready', 'claimed') OR reason IS NOT NULL)");
    return is(status($contact), $expected, $name);
}

$node->safe_psql('postgres', q(INSERT INTO nurture.inbox (contact, type) SELECT 'c' || g, 'signup' FROM generate_series(1, 10) g));
ok($node->poll_query_until('postgres', q(SELECT count(*) = 10 FROM nurture.action WHERE status = 'done')), 'ten discounts are granted');
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT contact), min(percent), min(by), min(path) FROM shop.discount'), '10|10|10|clerk|"$user", public',
    'each once, by the role, in a session of its own');
ok($node->poll_query_until('postgres', q(SELECT count(*) = 10 FROM nurture.event WHERE type = '$sent')), 'the contacts are told');

$node->safe_psql('postgres', q(INSERT INTO nurture.inbox (contact, type) VALUES ('broken', 'signup'), ('slow', 'slow'), ('climber', 'climb'), ('off', 'off'), ('unlisted', 'unlisted'), ('nameless', 'nameless')));
settled('broken', 'ready|no discount for broken', 'what fails is tried again later');
is($node->safe_psql('postgres', q(SELECT count(*) FROM shop.discount WHERE contact = 'broken')), '0', 'and leaves nothing behind');
is($node->safe_psql('postgres', q(SELECT attempts, due > now() FROM nurture.action WHERE contact = 'broken')), '1|t', 'after a while');
settled('slow', 'ready|canceling statement due to statement timeout', 'what takes too long is cancelled');
settled('climber', 'ready|permission denied for table secret', 'nobody becomes more than the role');
settled('off', 'failed|procedure "off" is not enabled', 'what is switched off is not called');
settled('unlisted', 'failed|procedure "rm" is not listed in nurture.procedure', 'nor what is not on the list');
settled('nameless', 'failed|the step does not say with (name = …) which procedure', 'nor what has no name');

$node->safe_psql('postgres', q(INSERT INTO nurture.inbox (contact, type) VALUES ('s1', 'spoil'), ('s2', 'spoil')));
ok($node->poll_query_until('postgres', q(SELECT count(*) = 2 FROM nurture.action WHERE contact IN ('s1', 's2') AND status = 'done')), 'what a routine sets ends with its session');
is($node->safe_psql('postgres', q(SELECT array_agg(DISTINCT path) FROM shop.discount WHERE contact IN ('s1', 's2'))), '{shop}', 'it was set indeed');
is($node->safe_psql('postgres', q(SELECT count(*) FROM shop.discount WHERE contact = 's2')), '1', 'and the next one ran as if nothing had been');

# A role that may not log in any more; a routine that is gone.
$node->safe_psql('postgres', q(ALTER ROLE clerk NOLOGIN; INSERT INTO nurture.inbox (contact, type) VALUES ('late', 'signup')));
settled('late', 'ready|its process ended before it was done: the server\'s log knows why', 'a role that may not log in');
$node->safe_psql('postgres', q(ALTER ROLE clerk LOGIN; DROP FUNCTION shop.grant_discount; INSERT INTO nurture.inbox (contact, type) VALUES ('gone', 'signup')));
settled('gone', 'ready|the routine is not there', 'a routine that is gone');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'nurture procedure%')), '0', 'nothing is left running');
is($node->safe_psql('postgres', 'SELECT count(*) FROM nurture.verify()'), '0', 'what is known is what the log says');

# A procedure that is running keeps nobody from dropping the database.
$node->safe_psql('postgres', q(UPDATE nurture.procedure SET timeout = '1 hour' WHERE name = 'slow'; INSERT INTO nurture.inbox (contact, type) VALUES ('sleeper', 'slow')));
ok($node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'nurture procedure' AND usename = 'clerk')), 'one is running');
$node->safe_psql('template1', 'DROP DATABASE postgres');
pass('the database can be dropped');
$node->stop;
done_testing();
