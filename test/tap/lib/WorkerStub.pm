# What the tests of the background worker share. Where the installed extension has no engine, a stub of its two functions
# takes its place: ten inbox rows a batch, and nothing else.
package WorkerStub;
use strict;
use warnings;
use Exporter 'import';
use Time::HiRes qw(time sleep);
use Test::More;

our @EXPORT = qw(create_nurture status pid_of insert_event wait_until wait_for_worker wait_for_no_worker
  ticked_since break_tick mend_tick log_since);

my $stub = <<'SQL';
CREATE TABLE nurture.inbox (contact text, type text, at timestamptz DEFAULT now());
CREATE TRIGGER wake AFTER INSERT ON nurture.inbox FOR EACH STATEMENT EXECUTE FUNCTION nurture._wake();
CREATE TABLE nurture._stub_tick (at timestamptz DEFAULT clock_timestamp(), consumed int, isolation text);
CREATE TABLE nurture._stub_maintenance (at timestamptz DEFAULT clock_timestamp(), isolation text);
CREATE TABLE nurture._stub_due (at timestamptz);
CREATE FUNCTION nurture._tick_batch(now timestamptz DEFAULT NULL, OUT more boolean, OUT next_due timestamptz)
RETURNS SETOF record LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE consumed int;
BEGIN
    DELETE FROM nurture.inbox WHERE ctid = ANY (ARRAY(SELECT ctid FROM nurture.inbox LIMIT 10));
    GET DIAGNOSTICS consumed = ROW_COUNT;
    DELETE FROM nurture._stub_due AS d WHERE d.at <= pg_catalog.clock_timestamp();
    IF consumed > 0 OR FOUND THEN
        INSERT INTO nurture._stub_tick (consumed, isolation)
        VALUES (consumed, pg_catalog.current_setting('transaction_isolation'));
    END IF;
    more := EXISTS (SELECT FROM nurture.inbox);
    next_due := (SELECT pg_catalog.min(d.at) FROM nurture._stub_due AS d);
    RETURN NEXT;
END $$;
CREATE FUNCTION nurture._maintain() RETURNS void LANGUAGE sql AS $$
    INSERT INTO nurture._stub_maintenance (isolation) VALUES (pg_catalog.current_setting('transaction_isolation')) $$;
SQL

# The extension, and the stub if need be, in one transaction: the worker never sees the one without the other.
sub create_nurture
{
    my ($node, $database) = @_;
    my $has_engine = $node->safe_psql($database,
        'BEGIN; CREATE EXTENSION nurture; SELECT to_regproc(\'nurture._tick_batch\') IS NOT NULL; ROLLBACK');
    $node->safe_psql($database, 'BEGIN; CREATE EXTENSION nurture; ' . ($has_engine eq 't' ? '' : $stub) . ' COMMIT');
    return;
}

sub status
{
    my ($node, $database, $column) = @_;
    return $node->safe_psql($database, "SELECT $column FROM nurture._worker_status()");
}

sub insert_event
{
    my ($node, $database, $count) = @_;
    $count //= 1;
    $node->safe_psql($database,
        "INSERT INTO nurture.inbox (contact, type) SELECT 'c' || g, 'page_view' FROM generate_series(1, $count) g");
    return;
}

# Polls every 50 ms; returns how long it took, or undef.
sub wait_until
{
    my ($what, $seconds) = @_;
    my $begun = time();
    while (time() - $begun < $seconds)
    {
        return time() - $begun if $what->();
        sleep(0.05);
    }
    return;
}

# Asked of another database than the worker's: the test must not itself be what DROP DATABASE waits for.
sub pid_of
{
    my ($node, $database) = @_;
    return $node->safe_psql('postgres',
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'nurture worker' AND datname = '$database'");
}

# The pid of a worker that has ticked; an old one does not count.
sub wait_for_worker
{
    my ($node, $database, $name, %options) = @_;
    my $pid = '';
    my $took = wait_until(
        sub {
            $pid = pid_of($node, $database);
            return $pid ne '' && $pid ne ($options{not} // '') && status($node, $database, 'state') eq 'idle';
        },
        $options{seconds} // 15);
    ok(defined $took, $name) or diag(status($node, $database, '*'));
    return $pid;
}

sub wait_for_no_worker
{
    my ($node, $database, $name, $seconds) = @_;
    ok(defined wait_until(sub { pid_of($node, $database) eq '' }, $seconds // 10), $name);
    return;
}

sub ticked_since
{
    my ($node, $database, $moment) = @_;
    return status($node, $database, "coalesce(last_tick_at > '$moment', false)") eq 't';
}

# Puts a function that raises in the tick's place, and takes it away again.
sub break_tick
{
    my ($node, $database, $raise) = @_;
    $node->safe_psql($database, <<"SQL");
BEGIN;
ALTER FUNCTION nurture._tick_batch RENAME TO _kept_tick_batch;
CREATE FUNCTION nurture._tick_batch(now timestamptz DEFAULT NULL, OUT more boolean, OUT next_due timestamptz)
RETURNS SETOF record LANGUAGE plpgsql AS 'BEGIN $raise; END';
COMMIT
SQL
    return;
}

sub mend_tick
{
    my ($node, $database) = @_;
    $node->safe_psql($database, <<'SQL');
BEGIN;
DROP FUNCTION nurture._tick_batch;
ALTER FUNCTION nurture._kept_tick_batch RENAME TO _tick_batch;
COMMIT
SQL
    return;
}

# What the server has logged since the position that -s of its log had.
sub log_since
{
    my ($node, $position) = @_;
    return substr(PostgreSQL::Test::Utils::slurp_file($node->logfile), $position);
}

1;
