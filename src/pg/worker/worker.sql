-- The background worker, seen from SQL. src/pg/worker/README.md explains who wakes whom.

CREATE FUNCTION nurture.start_worker() RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000
AS 'MODULE_PATHNAME', 'nurture_start_worker';
COMMENT ON FUNCTION nurture.start_worker() IS
'starts the background worker of this database and waits until it is up; false when it was already running, which then looks for work at once';

CREATE FUNCTION nurture.stop_worker() RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000
AS 'MODULE_PATHNAME', 'nurture_stop_worker';
COMMENT ON FUNCTION nurture.stop_worker() IS
'stops the background worker of this database between two batches, until start_worker() or a restart of the server; false when none was running';

CREATE FUNCTION nurture._announce() RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'nurture_announce';
COMMENT ON FUNCTION nurture._announce() IS
'tells the launcher at commit that this database wants a worker';

CREATE FUNCTION nurture._wake() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'nurture_wake';
COMMENT ON FUNCTION nurture._wake() IS
'statement trigger: wakes the background worker of this database when the transaction commits';

CREATE FUNCTION nurture._worker_status(
    OUT pid int, OUT state text, OUT started_at timestamptz, OUT last_tick_at timestamptz, OUT last_error text,
    OUT last_error_at timestamptz, OUT failures int, OUT sleeping_until timestamptz, OUT last_sqlstate text) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED ROWS 1
AS 'MODULE_PATHNAME', 'nurture_worker_state';
COMMENT ON FUNCTION nurture._worker_status() IS
'one row: the background worker of this database, or why there is none';

REVOKE ALL ON FUNCTION nurture.start_worker(), nurture.stop_worker(), nurture._announce(), nurture._wake(),
    nurture._worker_status() FROM PUBLIC;

SELECT nurture._announce();
