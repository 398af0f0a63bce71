-- Made of src/pg/**/*.sql in the order of src/pg/install.order; do not edit.
\echo Use "CREATE EXTENSION nurture" to load this file. \quit

-- The schema is made by plain CREATE: a schema that somebody else prepared is refused, not adopted.
CREATE SCHEMA nurture;
COMMENT ON SCHEMA nurture IS 'marketing automation: profiles, scores, segments, workflows and their actions';
GRANT USAGE ON SCHEMA nurture TO PUBLIC;
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION nurture._enabled() RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_enabled';
COMMENT ON FUNCTION nurture._enabled() IS 'whether nurture.enabled is on; off: no worker, and the clock may be simulated';

-- The language's types. All three are text in canonical form; the input functions parse, the output functions print.
-- Nothing is looked up: a definition may name a segment that does not exist yet.

CREATE TYPE nurture.rule_definition;

CREATE FUNCTION nurture._rule_definition_in(cstring) RETURNS nurture.rule_definition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_rule_definition_in';
CREATE FUNCTION nurture._rule_definition_out(nurture.rule_definition) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_out';
CREATE FUNCTION nurture._rule_definition_recv(internal) RETURNS nurture.rule_definition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_rule_definition_recv';
CREATE FUNCTION nurture._rule_definition_send(nurture.rule_definition) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_send';

CREATE TYPE nurture.rule_definition (
    INPUT = nurture._rule_definition_in,
    OUTPUT = nurture._rule_definition_out,
    RECEIVE = nurture._rule_definition_recv,
    SEND = nurture._rule_definition_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = extended
);
COMMENT ON TYPE nurture.rule_definition IS 'how many points an event is worth: +5 on page_view where path like /pricing% half-life 14 days';

CREATE CAST (text AS nurture.rule_definition) WITH INOUT AS ASSIGNMENT;
CREATE CAST (nurture.rule_definition AS text) WITH INOUT AS ASSIGNMENT;

CREATE FUNCTION nurture._rule_definition_eq(nurture.rule_definition, nurture.rule_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_eq';
CREATE FUNCTION nurture._rule_definition_ne(nurture.rule_definition, nurture.rule_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ne';
CREATE FUNCTION nurture._rule_definition_lt(nurture.rule_definition, nurture.rule_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_lt';
CREATE FUNCTION nurture._rule_definition_le(nurture.rule_definition, nurture.rule_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_le';
CREATE FUNCTION nurture._rule_definition_gt(nurture.rule_definition, nurture.rule_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_gt';
CREATE FUNCTION nurture._rule_definition_ge(nurture.rule_definition, nurture.rule_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ge';
CREATE FUNCTION nurture._rule_definition_cmp(nurture.rule_definition, nurture.rule_definition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_cmp';
CREATE FUNCTION nurture._rule_definition_hash(nurture.rule_definition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash';
CREATE FUNCTION nurture._rule_definition_hash_extended(nurture.rule_definition, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash_extended';

CREATE OPERATOR nurture.= (
    LEFTARG = nurture.rule_definition, RIGHTARG = nurture.rule_definition, FUNCTION = nurture._rule_definition_eq,
    COMMUTATOR = OPERATOR(nurture.=), NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.rule_definition, RIGHTARG = nurture.rule_definition, FUNCTION = nurture._rule_definition_ne,
    COMMUTATOR = OPERATOR(nurture.<>), NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.rule_definition, RIGHTARG = nurture.rule_definition, FUNCTION = nurture._rule_definition_lt,
    COMMUTATOR = OPERATOR(nurture.>), NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.rule_definition, RIGHTARG = nurture.rule_definition, FUNCTION = nurture._rule_definition_le,
    COMMUTATOR = OPERATOR(nurture.>=), NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.rule_definition, RIGHTARG = nurture.rule_definition, FUNCTION = nurture._rule_definition_gt,
    COMMUTATOR = OPERATOR(nurture.<), NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.rule_definition, RIGHTARG = nurture.rule_definition, FUNCTION = nurture._rule_definition_ge,
    COMMUTATOR = OPERATOR(nurture.<=), NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
CREATE OPERATOR CLASS nurture.rule_definition_ops DEFAULT FOR TYPE nurture.rule_definition USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._rule_definition_cmp(nurture.rule_definition, nurture.rule_definition);
CREATE OPERATOR CLASS nurture.rule_definition_ops DEFAULT FOR TYPE nurture.rule_definition USING hash AS
    OPERATOR 1 nurture.=,
    FUNCTION 1 nurture._rule_definition_hash(nurture.rule_definition),
    FUNCTION 2 nurture._rule_definition_hash_extended(nurture.rule_definition, bigint);

COMMENT ON OPERATOR nurture.= (nurture.rule_definition, nurture.rule_definition) IS 'same canonical text';
COMMENT ON OPERATOR nurture.<> (nurture.rule_definition, nurture.rule_definition) IS 'different canonical text';
COMMENT ON OPERATOR nurture.< (nurture.rule_definition, nurture.rule_definition) IS 'before in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.<= (nurture.rule_definition, nurture.rule_definition) IS 'before or equal in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.> (nurture.rule_definition, nurture.rule_definition) IS 'after in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.>= (nurture.rule_definition, nurture.rule_definition) IS 'after or equal in the order of the bytes of the canonical text';

CREATE TYPE nurture.condition;

CREATE FUNCTION nurture._condition_in(cstring) RETURNS nurture.condition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_condition_in';
CREATE FUNCTION nurture._condition_out(nurture.condition) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_out';
CREATE FUNCTION nurture._condition_recv(internal) RETURNS nurture.condition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_condition_recv';
CREATE FUNCTION nurture._condition_send(nurture.condition) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_send';

CREATE TYPE nurture.condition (
    INPUT = nurture._condition_in,
    OUTPUT = nurture._condition_out,
    RECEIVE = nurture._condition_recv,
    SEND = nurture._condition_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = extended
);
COMMENT ON TYPE nurture.condition IS 'a question about a contact: score >= 50 and not did purchase within 30 days';

CREATE CAST (text AS nurture.condition) WITH INOUT AS ASSIGNMENT;
CREATE CAST (nurture.condition AS text) WITH INOUT AS ASSIGNMENT;

CREATE FUNCTION nurture._condition_eq(nurture.condition, nurture.condition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_eq';
CREATE FUNCTION nurture._condition_ne(nurture.condition, nurture.condition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ne';
CREATE FUNCTION nurture._condition_lt(nurture.condition, nurture.condition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_lt';
CREATE FUNCTION nurture._condition_le(nurture.condition, nurture.condition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_le';
CREATE FUNCTION nurture._condition_gt(nurture.condition, nurture.condition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_gt';
CREATE FUNCTION nurture._condition_ge(nurture.condition, nurture.condition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ge';
CREATE FUNCTION nurture._condition_cmp(nurture.condition, nurture.condition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_cmp';
CREATE FUNCTION nurture._condition_hash(nurture.condition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash';
CREATE FUNCTION nurture._condition_hash_extended(nurture.condition, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash_extended';

CREATE OPERATOR nurture.= (
    LEFTARG = nurture.condition, RIGHTARG = nurture.condition, FUNCTION = nurture._condition_eq,
    COMMUTATOR = OPERATOR(nurture.=), NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.condition, RIGHTARG = nurture.condition, FUNCTION = nurture._condition_ne,
    COMMUTATOR = OPERATOR(nurture.<>), NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.condition, RIGHTARG = nurture.condition, FUNCTION = nurture._condition_lt,
    COMMUTATOR = OPERATOR(nurture.>), NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.condition, RIGHTARG = nurture.condition, FUNCTION = nurture._condition_le,
    COMMUTATOR = OPERATOR(nurture.>=), NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.condition, RIGHTARG = nurture.condition, FUNCTION = nurture._condition_gt,
    COMMUTATOR = OPERATOR(nurture.<), NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.condition, RIGHTARG = nurture.condition, FUNCTION = nurture._condition_ge,
    COMMUTATOR = OPERATOR(nurture.<=), NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
CREATE OPERATOR CLASS nurture.condition_ops DEFAULT FOR TYPE nurture.condition USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._condition_cmp(nurture.condition, nurture.condition);
CREATE OPERATOR CLASS nurture.condition_ops DEFAULT FOR TYPE nurture.condition USING hash AS
    OPERATOR 1 nurture.=,
    FUNCTION 1 nurture._condition_hash(nurture.condition),
    FUNCTION 2 nurture._condition_hash_extended(nurture.condition, bigint);

COMMENT ON OPERATOR nurture.= (nurture.condition, nurture.condition) IS 'same canonical text';
COMMENT ON OPERATOR nurture.<> (nurture.condition, nurture.condition) IS 'different canonical text';
COMMENT ON OPERATOR nurture.< (nurture.condition, nurture.condition) IS 'before in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.<= (nurture.condition, nurture.condition) IS 'before or equal in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.> (nurture.condition, nurture.condition) IS 'after in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.>= (nurture.condition, nurture.condition) IS 'after or equal in the order of the bytes of the canonical text';

CREATE TYPE nurture.workflow_definition;

CREATE FUNCTION nurture._workflow_definition_in(cstring) RETURNS nurture.workflow_definition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_workflow_definition_in';
CREATE FUNCTION nurture._workflow_definition_out(nurture.workflow_definition) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_out';
CREATE FUNCTION nurture._workflow_definition_recv(internal) RETURNS nurture.workflow_definition
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_workflow_definition_recv';
CREATE FUNCTION nurture._workflow_definition_send(nurture.workflow_definition) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_send';

CREATE TYPE nurture.workflow_definition (
    INPUT = nurture._workflow_definition_in,
    OUTPUT = nurture._workflow_definition_out,
    RECEIVE = nurture._workflow_definition_recv,
    SEND = nurture._workflow_definition_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = extended
);
COMMENT ON TYPE nurture.workflow_definition IS 'what starts a journey, what ends it, and its steps';

CREATE CAST (text AS nurture.workflow_definition) WITH INOUT AS ASSIGNMENT;
CREATE CAST (nurture.workflow_definition AS text) WITH INOUT AS ASSIGNMENT;

CREATE FUNCTION nurture._workflow_definition_eq(nurture.workflow_definition, nurture.workflow_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_eq';
CREATE FUNCTION nurture._workflow_definition_ne(nurture.workflow_definition, nurture.workflow_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ne';
CREATE FUNCTION nurture._workflow_definition_lt(nurture.workflow_definition, nurture.workflow_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_lt';
CREATE FUNCTION nurture._workflow_definition_le(nurture.workflow_definition, nurture.workflow_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_le';
CREATE FUNCTION nurture._workflow_definition_gt(nurture.workflow_definition, nurture.workflow_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_gt';
CREATE FUNCTION nurture._workflow_definition_ge(nurture.workflow_definition, nurture.workflow_definition) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_ge';
CREATE FUNCTION nurture._workflow_definition_cmp(nurture.workflow_definition, nurture.workflow_definition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_cmp';
CREATE FUNCTION nurture._workflow_definition_hash(nurture.workflow_definition) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash';
CREATE FUNCTION nurture._workflow_definition_hash_extended(nurture.workflow_definition, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_definition_hash_extended';

CREATE OPERATOR nurture.= (
    LEFTARG = nurture.workflow_definition, RIGHTARG = nurture.workflow_definition, FUNCTION = nurture._workflow_definition_eq,
    COMMUTATOR = OPERATOR(nurture.=), NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR nurture.<> (
    LEFTARG = nurture.workflow_definition, RIGHTARG = nurture.workflow_definition, FUNCTION = nurture._workflow_definition_ne,
    COMMUTATOR = OPERATOR(nurture.<>), NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR nurture.< (
    LEFTARG = nurture.workflow_definition, RIGHTARG = nurture.workflow_definition, FUNCTION = nurture._workflow_definition_lt,
    COMMUTATOR = OPERATOR(nurture.>), NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR nurture.<= (
    LEFTARG = nurture.workflow_definition, RIGHTARG = nurture.workflow_definition, FUNCTION = nurture._workflow_definition_le,
    COMMUTATOR = OPERATOR(nurture.>=), NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR nurture.> (
    LEFTARG = nurture.workflow_definition, RIGHTARG = nurture.workflow_definition, FUNCTION = nurture._workflow_definition_gt,
    COMMUTATOR = OPERATOR(nurture.<), NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR nurture.>= (
    LEFTARG = nurture.workflow_definition, RIGHTARG = nurture.workflow_definition, FUNCTION = nurture._workflow_definition_ge,
    COMMUTATOR = OPERATOR(nurture.<=), NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
CREATE OPERATOR CLASS nurture.workflow_definition_ops DEFAULT FOR TYPE nurture.workflow_definition USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._workflow_definition_cmp(nurture.workflow_definition, nurture.workflow_definition);
CREATE OPERATOR CLASS nurture.workflow_definition_ops DEFAULT FOR TYPE nurture.workflow_definition USING hash AS
    OPERATOR 1 nurture.=,
    FUNCTION 1 nurture._workflow_definition_hash(nurture.workflow_definition),
    FUNCTION 2 nurture._workflow_definition_hash_extended(nurture.workflow_definition, bigint);

COMMENT ON OPERATOR nurture.= (nurture.workflow_definition, nurture.workflow_definition) IS 'same canonical text';
COMMENT ON OPERATOR nurture.<> (nurture.workflow_definition, nurture.workflow_definition) IS 'different canonical text';
COMMENT ON OPERATOR nurture.< (nurture.workflow_definition, nurture.workflow_definition) IS 'before in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.<= (nurture.workflow_definition, nurture.workflow_definition) IS 'before or equal in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.> (nurture.workflow_definition, nurture.workflow_definition) IS 'after in the order of the bytes of the canonical text';
COMMENT ON OPERATOR nurture.>= (nurture.workflow_definition, nurture.workflow_definition) IS 'after or equal in the order of the bytes of the canonical text';

CREATE FUNCTION nurture._validate(definition text, asked_form text, OUT valid boolean, OUT form text, OUT canonical text,
                                  OUT message text, OUT line integer, OUT "column" integer, OUT hint text)
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_validate';

CREATE FUNCTION nurture.validate(definition text, form text DEFAULT NULL)
    RETURNS TABLE (valid boolean, form text, canonical text, message text, line integer, "column" integer, hint text)
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100 ROWS 1
    AS $$ SELECT v.* FROM nurture._validate($1, $2) AS v $$;
COMMENT ON FUNCTION nurture.validate(text, text) IS
    'whether a definition parses, its canonical text, or what is wrong and where; form: rule, condition or workflow (default: by its beginning)';

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
    OUT last_error_at timestamptz, OUT failures int, OUT sleeping_until timestamptz) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED ROWS 1
AS 'MODULE_PATHNAME', 'nurture_worker_status';
COMMENT ON FUNCTION nurture._worker_status() IS
'one row: the background worker of this database, or why there is none';

REVOKE ALL ON FUNCTION nurture.start_worker(), nurture.stop_worker(), nurture._announce(), nurture._wake(),
    nurture._worker_status() FROM PUBLIC;

SELECT nurture._announce();

-- The inbox: where applications tell the engine what happened. Everything that can ever influence a contact comes
-- through here as a message; the tick consumes the rows.
--
-- Privileges. A producer needs no more than
--     GRANT INSERT ON nurture.inbox TO producer;         (and on nurture.history to load a past)
-- It then may INSERT and COPY, and can read nothing. Whoever may insert may also write `$identify` or `$consent`: to
-- let a less trusted source write page views only, give it a table or function of your own that checks the type.

CREATE TABLE nurture.inbox (
    contact text COLLATE "C",
    type text COLLATE "C",
    at timestamptz DEFAULT pg_catalog.now(),
    props jsonb DEFAULT '{}',
    message_id text,
    kind text,
    received_at timestamptz DEFAULT pg_catalog.clock_timestamp()
);
-- No constraint, no index: an insert must be cheap and must not fail; the tick sets malformed rows aside.

COMMENT ON TABLE nurture.inbox IS 'messages to contacts; applications INSERT or COPY, the tick consumes';
COMMENT ON COLUMN nurture.inbox.contact IS 'the application''s own key of the contact, at most 512 bytes';
COMMENT ON COLUMN nurture.inbox.type IS 'event type, at most 512 bytes; names beginning with $ are the engine''s own';
COMMENT ON COLUMN nurture.inbox.at IS 'when it happened; NULL: at received_at';
COMMENT ON COLUMN nurture.inbox.props IS 'properties of the event, an object of at most 32 kB; NULL: none';
COMMENT ON COLUMN nurture.inbox.message_id IS 'idempotency key: a second message of the contact with the same one is ignored';
COMMENT ON COLUMN nurture.inbox.kind IS 'kind of the key: NULL for the application''s identified key, else anonymous, email, phone, …';
COMMENT ON COLUMN nurture.inbox.received_at IS 'when the engine was told; leave it to the default';

CREATE TABLE nurture.history (LIKE nurture.inbox INCLUDING DEFAULTS);
COMMENT ON TABLE nurture.history IS
    'bulk history, columns of the inbox: consumed when the inbox is empty, completes what is known and starts nothing';
COMMENT ON COLUMN nurture.history.contact IS 'as in nurture.inbox';
COMMENT ON COLUMN nurture.history.type IS 'as in nurture.inbox';
COMMENT ON COLUMN nurture.history.at IS 'when it happened; NULL: at received_at';
COMMENT ON COLUMN nurture.history.props IS 'as in nurture.inbox';
COMMENT ON COLUMN nurture.history.message_id IS 'as in nurture.inbox';
COMMENT ON COLUMN nurture.history.kind IS 'as in nurture.inbox';
COMMENT ON COLUMN nurture.history.received_at IS 'when the engine was told; leave it to the default';

REVOKE ALL ON TABLE nurture.inbox, nurture.history FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.inbox', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.history', '');

-- At commit the worker is told.
CREATE TRIGGER wake AFTER INSERT ON nurture.inbox FOR EACH STATEMENT EXECUTE FUNCTION nurture._wake();
CREATE TRIGGER wake AFTER INSERT ON nurture.history FOR EACH STATEMENT EXECUTE FUNCTION nurture._wake();

CREATE TABLE nurture.rejected_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact text COLLATE "C",
    type text COLLATE "C",
    at timestamptz,
    props jsonb,
    message_id text,
    kind text,
    received_at timestamptz,
    source text NOT NULL CHECK (source IN ('inbox', 'history')),
    reason text NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    tick bigint
);
COMMENT ON TABLE nurture.rejected_event IS
    'malformed messages, as they came, with the reason; correct a row by UPDATE, then nurture.retry_rejected';
COMMENT ON COLUMN nurture.rejected_event.source IS 'the table the row came from and is retried into';
COMMENT ON COLUMN nurture.rejected_event.reason IS 'why it is malformed';
COMMENT ON COLUMN nurture.rejected_event.tick IS 'the tick that set it aside';
REVOKE ALL ON TABLE nurture.rejected_event FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.rejected_event', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.rejected_event_id_seq', '');

-- What makes a message malformed, and the way back for those that were set aside.

CREATE FUNCTION nurture._jsonb_size(value jsonb) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1 AS 'MODULE_PATHNAME', 'nurture_jsonb_size';
COMMENT ON FUNCTION nurture._jsonb_size(jsonb) IS 'bytes of the binary form before compression, without fetching it';

-- Inlined into the tick's statement: a single expression, bound at creation, no SET clause. It stays inlinable only
-- if every argument is a column, a constant or a parameter (each is used more than once), so pass the tick's `now`.
--
-- Differences of times are compared, not sums: timestamptz + interval depends on the session's zone and is not
-- immutable. A difference overflows beyond 292,000 years and then wraps; `at` is therefore held against `now` first,
-- after which `at - received_at` cannot overflow.
--
-- props are measured in their binary form before compression: it is what the step unpacks, a repetitive document
-- cannot hide behind its compression, and looking costs nothing (the text form would have to be built for every
-- event). It is close to the text form for ordinary properties.
CREATE FUNCTION nurture._malformed(contact text, type text, at timestamptz, props jsonb, message_id text, kind text,
        received_at timestamptz, now timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
    RETURN CASE
        WHEN contact IS NULL OR contact = '' THEN 'contact is missing'
        WHEN octet_length(contact) > 512 THEN 'contact is longer than 512 bytes'
        WHEN type IS NULL OR type = '' THEN 'type is missing'
        WHEN octet_length(type) > 512 THEN 'type is longer than 512 bytes'
        WHEN starts_with(type, '$') AND type COLLATE "C" NOT IN ('$identify', '$alias', '$consent', '$sent', '$failed',
                '$dropped', '$list', '$adjust')
            THEN 'type begins with $ but is not one of the engine''s own'
        WHEN received_at IS NULL THEN 'received_at is missing'
        WHEN NOT isfinite(received_at) THEN 'received_at is infinite'
        WHEN received_at > now AND received_at - now > interval '1 day' THEN 'received_at is more than a day ahead'
        WHEN NOT isfinite(at) THEN 'at is infinite'
        WHEN at > received_at AND (at - now > interval '1 day 10 minutes' OR at - received_at > interval '10 minutes')
            THEN 'at is more than 10 minutes ahead of received_at'
        WHEN nurture._jsonb_size(props) > 32768 THEN 'props is larger than 32 kB'
        WHEN jsonb_typeof(props) <> 'object' THEN 'props is not an object'
        WHEN octet_length(message_id) > 512 THEN 'message_id is longer than 512 bytes'
        WHEN octet_length(kind) > 512 THEN 'kind is longer than 512 bytes'
        WHEN starts_with(kind, '$') THEN 'kind begins with $, which is the engine''s own'
    END;
COMMENT ON FUNCTION nurture._malformed(text, text, timestamptz, jsonb, text, text, timestamptz, timestamptz) IS
    'why a message is malformed; NULL when it is well-formed';

-- received_at is kept: the message is still one we were told then and merely comes late, so it is as fresh or stale
-- for starting journeys as it was, what it leads to is due when it would have been (and marketing that is too late
-- expires rather than goes out), and an `at` left out still means that moment. Only a received_at that is itself at
-- fault becomes the moment of the retry. To live a message through as if it happened today, set its received_at first.
CREATE FUNCTION nurture.retry_rejected(ids bigint[]) RETURNS bigint
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    WITH taken AS (
        DELETE FROM nurture.rejected_event r WHERE r.id = ANY (ids) RETURNING r.*
    ), retried AS (
        SELECT t.*,
               CASE WHEN isfinite(t.received_at) AND t.received_at <= clock_timestamp() + interval '1 day'
                    THEN t.received_at ELSE clock_timestamp() END AS told_at
        FROM taken t
    ), to_inbox AS (
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, kind, received_at)
        SELECT contact, type, at, props, message_id, kind, told_at FROM retried WHERE source = 'inbox' ORDER BY id
    ), to_history AS (
        INSERT INTO nurture.history (contact, type, at, props, message_id, kind, received_at)
        SELECT contact, type, at, props, message_id, kind, told_at FROM retried WHERE source = 'history' ORDER BY id
    )
    SELECT count(*) FROM taken
    $$;
COMMENT ON FUNCTION nurture.retry_rejected(bigint[]) IS
    'moves rejected events back to where they came from, to be taken by the next tick; returns how many. '
    'received_at is kept, unless it is itself missing, infinite or more than a day ahead: then it becomes now';
REVOKE ALL ON FUNCTION nurture.retry_rejected(bigint[]) FROM PUBLIC;

-- The outbox: actions that workflows decided and applications carry out. The tick inserts; senders claim, then
-- complete or fail; what became of an action returns to the contact as a message ($sent, $failed, $dropped).
--
-- Privileges. A sender needs no table at all, only
--     GRANT EXECUTE ON FUNCTION nurture.claim(text, int, interval), nurture.complete(uuid[]),
--         nurture.fail(uuid, text, interval, boolean), nurture.next_claimable(text) TO sender;
-- An operator who may stop all sending: GRANT EXECUTE ON FUNCTION nurture.pause(text), nurture.resume() TO operator;

CREATE TABLE nurture.action (
    id uuid PRIMARY KEY,
    contact text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL CHECK (channel <> '' AND pg_catalog.octet_length(channel) <= 512),
    template text,
    purpose text,
    payload jsonb NOT NULL DEFAULT '{}',
    status text COLLATE "C" NOT NULL DEFAULT 'ready' CHECK (status IN
        ('ready', 'claimed', 'done', 'failed', 'dead', 'cancelled', 'expired', 'dropped')),
    due timestamptz NOT NULL,
    expires timestamptz,
    priority int NOT NULL DEFAULT 0,
    attempts int NOT NULL DEFAULT 0,
    leased_until timestamptz,
    workflow text COLLATE "C",
    version int,
    journey text COLLATE "C",
    step text COLLATE "C",
    reason text,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    receipt uuid,
    transactional boolean NOT NULL DEFAULT false,
    CHECK ((status = 'claimed') = (leased_until IS NOT NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);

COMMENT ON TABLE nurture.action IS 'the outbox: what is to be done for a contact, and what became of it';
COMMENT ON COLUMN nurture.action.id IS
    'hash of workflow, instance, step path, visit number and original key: the idempotency key to pass on to a provider';
COMMENT ON COLUMN nurture.action.status IS
    'ready: waits for due and a sender. claimed: a sender has it until leased_until. done: completed. '
    'failed: the sender called it permanent, or no further attempt fits before it expires. '
    'dead: all attempts are used up. cancelled: its own workflow withdrew it. '
    'expired: not carried out in time. dropped: a guard (consent, frequency cap, …) refused it. '
    'All but ready and claimed are final.';
COMMENT ON COLUMN nurture.action.due IS 'not to be claimed before; moved later by a retry';
COMMENT ON COLUMN nurture.action.expires IS 'not to be claimed from then on; NULL: never';
COMMENT ON COLUMN nurture.action.priority IS 'the greater is claimed first';
COMMENT ON COLUMN nurture.action.attempts IS 'how often it was claimed';
COMMENT ON COLUMN nurture.action.leased_until IS 'until when the claimer has it alone; set while claimed, NULL otherwise';
COMMENT ON COLUMN nurture.action.reason IS 'why it failed, was cancelled or was dropped; of a retry, why the last attempt failed';
COMMENT ON COLUMN nurture.action.receipt IS
    'proof of the newest claim; its first half is that of id, so that the primary key finds it';
COMMENT ON COLUMN nurture.action.transactional IS 'sent whatever the guards of marketing say';

-- Whatever may be claimed now or later, in the order of claiming. A claimed action becomes claimable again when its
-- lease runs out, a ready one when it is due: one key serves both. Final actions are not in it, nor in the two below.
CREATE INDEX action_claimable ON nurture.action (channel, priority DESC, COALESCE(leased_until, due), id)
    WHERE status IN ('ready', 'claimed');
CREATE INDEX action_expires ON nurture.action (expires)
    WHERE status IN ('ready', 'claimed') AND expires IS NOT NULL;

CREATE TABLE nurture.action_cancel (
    id uuid NOT NULL,
    contact text COLLATE "C" NOT NULL,
    reason text,
    at timestamptz,
    tick bigint
);
COMMENT ON TABLE nurture.action_cancel IS
    'actions withdrawn by their workflow: the tick only inserts, claim passes them over, maintenance folds them into the status';
COMMENT ON COLUMN nurture.action_cancel.id IS 'the action; a second row for it is harmless';
-- Not unique: a unique index would make the tick fail (40001) or wait over a row being folded.
CREATE INDEX action_cancel_id ON nurture.action_cancel (id);

-- One row, or none as long as nobody ever paused (so that a dump restores into a fresh extension).
CREATE TABLE nurture.sending (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    paused boolean NOT NULL,
    since timestamptz NOT NULL,
    by text NOT NULL,
    reason text
);
COMMENT ON TABLE nurture.sending IS
    'the kill switch: while paused, nothing is claimable; no row means not paused. Set by nurture.pause and nurture.resume';
COMMENT ON COLUMN nurture.sending.since IS 'when it was last switched';
COMMENT ON COLUMN nurture.sending.by IS 'the role that switched it';

REVOKE ALL ON TABLE nurture.action, nurture.action_cancel, nurture.sending FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.action', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.action_cancel', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.sending', '');

-- The kill switch: pause and resume. It lives in a row of its own, so that a pause never conflicts with a tick or a
-- sender, and is read in its newest committed state: a pause binds every claim that begins after its commit.

CREATE FUNCTION nurture._sending_paused() RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10 AS 'MODULE_PATHNAME', 'nurture_sending_paused';
COMMENT ON FUNCTION nurture._sending_paused() IS
    'whether sending is paused by the newest committed state, whatever the transaction''s snapshot';
REVOKE ALL ON FUNCTION nurture._sending_paused() FROM PUBLIC;

CREATE FUNCTION nurture._notify_actions(channels text[]) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT pg_notify('nurture_action', c) FROM (SELECT DISTINCT unnest(channels)) d(c) WHERE c <> '' $$;
COMMENT ON FUNCTION nurture._notify_actions(text[]) IS
    'NOTIFY nurture_action with each distinct channel as payload: its actions have become ready';
REVOKE ALL ON FUNCTION nurture._notify_actions(text[]) FROM PUBLIC;

CREATE FUNCTION nurture._switch_sending(pausing boolean, why text) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
    INSERT INTO nurture.sending AS s (paused, since, by, reason)
    VALUES (pausing, clock_timestamp(), session_user, why)
    ON CONFLICT (one) DO UPDATE
        SET paused = excluded.paused, since = excluded.since, by = excluded.by, reason = excluded.reason
    $$;
COMMENT ON FUNCTION nurture._switch_sending(boolean, text) IS 'sets the kill switch and notes who, when and why';
REVOKE ALL ON FUNCTION nurture._switch_sending(boolean, text) FROM PUBLIC;

CREATE FUNCTION nurture.pause(reason text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM nurture._switch_sending(true, pause.reason);
END
$$;
COMMENT ON FUNCTION nurture.pause(text) IS
    'stops all sending: no claim that begins after the commit returns anything; what was claimed before may be completed';
REVOKE ALL ON FUNCTION nurture.pause(text) FROM PUBLIC;

-- Consumers that slept through the pause are woken, channel by channel (a skip scan over the index of what is open).
CREATE FUNCTION nurture.resume() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_bitmapscan = off
    AS $$
DECLARE
    here text COLLATE "C" := '';
BEGIN
    PERFORM nurture._switch_sending(false, NULL);
    IF NOT nurture._is_own_database() THEN
        PERFORM nurture._lock_engine();
        PERFORM nurture._adopt_database();
    END IF;
    LOOP
        SELECT a.channel INTO here FROM nurture.action a
        WHERE a.channel > here AND a.status IN ('ready', 'claimed') ORDER BY a.channel LIMIT 1;
        EXIT WHEN NOT FOUND;
        PERFORM nurture._notify_actions(ARRAY[here]);
    END LOOP;
END
$$;
COMMENT ON FUNCTION nurture.resume() IS 'ends a pause and notifies the channels that have open actions; in a restored copy also: lets the engine run here';
REVOKE ALL ON FUNCTION nurture.resume() FROM PUBLIC;

-- Taking actions. Senders run a loop: LISTEN nurture_action; claim; carry out; complete or fail; and when claim returns
-- nothing, sleep until the earliest of a notification, nurture.next_claimable(channel) and the length of a lease.
-- The tick notifies of what it makes ready. Nobody notifies when a retry falls due or when a lease runs out: that is
-- what next_claimable and the lease-long sleep are for.
--
-- Delivery is at least once: a sender that dies between carrying out and completing leaves an action whose lease runs
-- out and that is claimed again under the same id. Pass the id on to the provider as idempotency key.
--
-- The functions switch off plan shapes whose cost depends on how many actions there are: their statements have one
-- right plan (the index of claimable actions in its order, the primary key for the update), and a table that was not
-- analysed since it grew must not lead to another.

CREATE FUNCTION nurture._max_attempts() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 8;
COMMENT ON FUNCTION nurture._max_attempts() IS
    'after so many claims without success an action is dead; an index predicate holds the number: reindex if it changes';

-- Claimed for the last time and never heard of again. Hardly ever has a row.
CREATE INDEX action_exhausted ON nurture.action (leased_until)
    WHERE status = 'claimed' AND attempts >= nurture._max_attempts();

-- A receipt is half the action's id and half random: the primary key finds it, no index of its own to be kept up.
CREATE FUNCTION nurture._new_receipt(id uuid) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN (left(id::text, 18) || right(gen_random_uuid()::text, 18))::uuid;
COMMENT ON FUNCTION nurture._new_receipt(uuid) IS 'a new receipt for the action';
CREATE FUNCTION nurture._first_id(receipt uuid) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (left(receipt::text, 18) || '-0000-000000000000')::uuid;
COMMENT ON FUNCTION nurture._first_id(uuid) IS 'least id of an action that the receipt can be for';
CREATE FUNCTION nurture._last_id(receipt uuid) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (left(receipt::text, 18) || '-ffff-ffffffffffff')::uuid;
COMMENT ON FUNCTION nurture._last_id(uuid) IS 'greatest id of an action that the receipt can be for';

-- Under somebody's long snapshot (a dump, a report) the index keeps the entries of all that was claimed since, and a
-- look from its beginning reads them all, every time: measured, 18,000 claimed and completed actions per second fell
-- to 3,000 within 20 seconds (now: 16,000). So a session whose look had to read more than 10,000 entries remembers
-- which priorities there are and from where on to look (by key and id: a campaign may be due at one moment for
-- everybody), for a second and twenty times as long as the look took, but at most 5 seconds. What appears before that
-- (a lower key inserted, a claim rolled back) is found that much later. Keys of the last minute are never skipped:
-- that is where the tick inserts.
CREATE TYPE nurture._claim_look AS (
    until timestamptz, complete boolean, priorities int[], since timestamptz[], after uuid[]);
COMMENT ON TYPE nurture._claim_look IS
    'what a session remembers of a channel: the priorities in use (all of them when complete), from where to read each';
CREATE FUNCTION nurture._remember(key text, value text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1 AS 'MODULE_PATHNAME', 'nurture_remember';
COMMENT ON FUNCTION nurture._remember(text, text) IS 'keeps a value for the rest of the session; NULL forgets it';
CREATE FUNCTION nurture._recall(key text) RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 1 AS 'MODULE_PATHNAME', 'nurture_recall';
COMMENT ON FUNCTION nurture._recall(text) IS 'what _remember kept, or NULL';
REVOKE ALL ON FUNCTION nurture._remember(text, text), nurture._recall(text) FROM PUBLIC;

CREATE FUNCTION nurture._recall_look(channel text) RETURNS nurture._claim_look
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    look nurture._claim_look := nurture._recall(channel)::nurture._claim_look;
BEGIN
    IF look.until BETWEEN clock_timestamp() AND clock_timestamp() + interval '5 seconds' THEN
        RETURN look;
    END IF;
    RETURN ROW(NULL, false, '{}', '{}', '{}')::nurture._claim_look;
END
$$;
COMMENT ON FUNCTION nurture._recall_look(text) IS 'what the session remembers of the channel, if it is still good';
REVOKE ALL ON FUNCTION nurture._recall_look(text) FROM PUBLIC;

-- The order is priority, then the moment since which an action can be claimed, then id. Only one priority is scanned at
-- a time: actions of high priority that are not due yet would otherwise be read by every claim. One probe per priority
-- in use is the price, so keep to a handful of them.
--
-- Isolation: written for READ COMMITTED, where it never waits and never fails. In REPEATABLE READ it works, honours a
-- pause at once, but does not see what was committed after the snapshot, and an action that somebody changed since then
-- raises 40001, which no lock clause can avoid: claim first in such a transaction, and repeat it on 40001.
CREATE FUNCTION nurture.claim(channel text, max_actions int DEFAULT 100, lease interval DEFAULT '1 minute')
    RETURNS TABLE (receipt uuid, id uuid, contact text, template text, purpose text, payload jsonb, due timestamptz,
        expires timestamptz, attempt int, leased_until timestamptz, workflow text, version int, journey text, step text,
        transactional boolean)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET plan_cache_mode = force_generic_plan SET jit = off
    AS $$
#variable_conflict use_column
DECLARE
    began CONSTANT timestamptz := clock_timestamp();
    moment CONSTANT timestamptz := nurture._now();
    entries_before CONSTANT bigint := pg_stat_get_xact_tuples_returned('nurture.action_claimable'::regclass);
    room int := max_actions;
    line int := 0;
    this_priority bigint := 2147483648; -- beyond int: every priority is below
    look nurture._claim_look;
    no_id CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    ids uuid[];
    keys timestamptz[];
BEGIN
    IF claim.channel IS NULL OR max_actions IS NULL OR lease IS NULL THEN
        RAISE EXCEPTION 'channel, max_actions and lease must not be null' USING ERRCODE = 'null_value_not_allowed';
    ELSIF max_actions < 1 THEN
        RAISE EXCEPTION 'max_actions must be at least 1' USING ERRCODE = 'invalid_parameter_value';
    ELSIF lease <= interval '0' THEN
        RAISE EXCEPTION 'lease must be longer than nothing' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Choose it longer than carrying out all the claimed actions takes.';
    END IF;
    IF nurture._sending_paused() THEN
        RETURN;
    END IF;
    IF NOT nurture._is_own_database() THEN
        RAISE EXCEPTION 'this database is a copy: its actions are not to be carried out a second time'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'If it takes the place of the original, call nurture.resume().';
    END IF;
    look := nurture._recall_look(claim.channel);
    WHILE room > 0 LOOP
        line := line + 1;
        IF line > cardinality(look.priorities) THEN
            EXIT WHEN look.complete;
            SELECT a.priority INTO this_priority FROM nurture.action a
            WHERE a.channel = claim.channel AND a.status IN ('ready', 'claimed') AND a.priority < this_priority
            ORDER BY a.priority DESC LIMIT 1;
            IF NOT FOUND THEN
                look.complete := true;
                EXIT;
            END IF;
            look.priorities[line] := this_priority;
            look.since[line] := '-infinity';
            look.after[line] := no_id;
        END IF;
        this_priority := look.priorities[line];
        SELECT array_agg(c.id), array_agg(c.key) INTO ids, keys FROM (
            SELECT a.id, COALESCE(a.leased_until, a.due) AS key FROM nurture.action a
            WHERE a.channel = claim.channel AND a.status IN ('ready', 'claimed') AND a.priority = this_priority
                AND (COALESCE(a.leased_until, a.due), a.id) >= (look.since[line], look.after[line])
                AND COALESCE(a.leased_until, a.due) <= moment
                AND (a.expires IS NULL OR a.expires > moment)
                AND a.attempts < nurture._max_attempts()
                AND NOT EXISTS (SELECT FROM nurture.action_cancel c WHERE c.id = a.id)
            ORDER BY COALESCE(a.leased_until, a.due), a.id
            LIMIT room FOR NO KEY UPDATE OF a SKIP LOCKED) c;
        IF cardinality(ids) = room AND keys[room] < moment - interval '1 minute' THEN
            look.since[line] := keys[room];
            look.after[line] := ids[room];
        ELSE
            look.since[line] := GREATEST(look.since[line], moment - interval '1 minute');
            look.after[line] := no_id;
        END IF;
        CONTINUE WHEN ids IS NULL;
        RETURN QUERY
        WITH claimed AS (
            UPDATE nurture.action a
            SET status = 'claimed', attempts = a.attempts + 1, leased_until = moment + lease,
                receipt = nurture._new_receipt(a.id)
            WHERE a.id = ANY (ids)
            RETURNING a.*
        )
        SELECT a.receipt, a.id, a.contact, a.template, a.purpose, a.payload, a.due, a.expires, a.attempts,
               a.leased_until, a.workflow, a.version, a.journey, a.step, a.transactional
        FROM claimed a ORDER BY a.due, a.id;
        room := room - cardinality(ids);
    END LOOP;
    IF look.until IS NULL
        AND pg_stat_get_xact_tuples_returned('nurture.action_claimable'::regclass) - entries_before > 10000 + max_actions
    THEN
        look.until := clock_timestamp()
            + LEAST(interval '1 second' + 20 * (clock_timestamp() - began), interval '5 seconds');
    END IF;
    IF look.until IS NOT NULL THEN
        PERFORM nurture._remember(claim.channel, look::text);
    END IF;
END
$$;
COMMENT ON FUNCTION nurture.claim(text, int, interval) IS
    'takes up to max_actions due actions of the channel for the length of the lease, by priority, then due; two claims never '
    'share one. Complete or fail each by its receipt; what is neither when the lease runs out can be claimed again';
REVOKE ALL ON FUNCTION nurture.claim(text, int, interval) FROM PUBLIC;

CREATE FUNCTION nurture.next_claimable(channel text) RETURNS timestamptz
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET plan_cache_mode = force_generic_plan SET jit = off
    AS $$
#variable_conflict use_column
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    look CONSTANT nurture._claim_look := nurture._recall_look(next_claimable.channel);
    no_id CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    line int := 0;
    this_priority bigint := 2147483648;
    next_here timestamptz;
    earliest timestamptz;
BEGIN
    IF nurture._sending_paused() THEN
        RETURN NULL;
    END IF;
    LOOP
        line := line + 1;
        IF line > cardinality(look.priorities) THEN
            EXIT WHEN look.complete;
            SELECT a.priority INTO this_priority FROM nurture.action a
            WHERE a.channel = next_claimable.channel AND a.status IN ('ready', 'claimed') AND a.priority < this_priority
            ORDER BY a.priority DESC LIMIT 1;
            EXIT WHEN NOT FOUND;
        ELSE
            this_priority := look.priorities[line];
        END IF;
        SELECT COALESCE(a.leased_until, a.due) INTO next_here FROM nurture.action a
        WHERE a.channel = next_claimable.channel AND a.status IN ('ready', 'claimed') AND a.priority = this_priority
            AND (COALESCE(a.leased_until, a.due), a.id) >= (COALESCE(look.since[line], '-infinity'), COALESCE(look.after[line], no_id))
            AND (a.expires IS NULL OR a.expires > GREATEST(moment, COALESCE(a.leased_until, a.due)))
            AND a.attempts < nurture._max_attempts()
            AND NOT EXISTS (SELECT FROM nurture.action_cancel c WHERE c.id = a.id)
        ORDER BY COALESCE(a.leased_until, a.due), a.id LIMIT 1;
        earliest := LEAST(earliest, next_here);
    END LOOP;
    RETURN earliest;
END
$$;
COMMENT ON FUNCTION nurture.next_claimable(text) IS
    'when the next action of the channel falls due or its lease runs out, as things stand: sleep until then, a notification, '
    'or the length of a lease; in the past when something can be claimed now, NULL when nothing is open or sending is paused';
REVOKE ALL ON FUNCTION nurture.next_claimable(text) FROM PUBLIC;

-- What became of an action: the sender's complete and fail. The outcome returns to the contact as a message, addressed
-- by the contact's name, whose message_id makes it idempotent. A failed attempt that will be retried is no outcome.

CREATE FUNCTION nurture._result_props(a nurture.action) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN jsonb_strip_nulls(jsonb_build_object('action', a.id, 'channel', a.channel, 'template', a.template,
        'purpose', a.purpose, 'workflow', a.workflow, 'version', a.version, 'step', a.step, 'journey', a.journey,
        'reason', a.reason));
COMMENT ON FUNCTION nurture._result_props(nurture.action) IS 'properties of the message that tells a contact the outcome';
REVOKE ALL ON FUNCTION nurture._result_props(nurture.action) FROM PUBLIC;

-- Rows are locked in the order of id, so that two senders completing the same receipts cannot deadlock.
CREATE FUNCTION nurture.complete(receipts uuid[]) RETURNS int
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET plan_cache_mode = force_generic_plan SET jit = off
    AS $$
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    accepted int;
BEGIN
    WITH given AS (
        SELECT DISTINCT r.receipt FROM unnest(receipts) r(receipt)
    ), found AS MATERIALIZED (
        SELECT f.id, g.receipt FROM given g, LATERAL (
            SELECT a.id FROM nurture.action a
            WHERE a.id >= nurture._first_id(g.receipt) AND a.id <= nurture._last_id(g.receipt) AND a.receipt = g.receipt
            OFFSET 0) f -- which keeps it one probe of the primary key per receipt
    ), mine AS (
        SELECT a.id FROM found f JOIN nurture.action a ON a.id = f.id
        WHERE a.receipt = f.receipt AND a.status IN ('claimed', 'done')
        ORDER BY a.id FOR NO KEY UPDATE OF a
    ), done AS (
        UPDATE nurture.action a SET status = 'done', leased_until = NULL, reason = NULL
        FROM mine WHERE a.id = mine.id AND a.status = 'claimed'
        RETURNING a AS action
    ), told AS (
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at)
        SELECT (d.action).contact, '$sent', moment, nurture._result_props(d.action), (d.action).id || ':sent', nurture._told_at(moment)
        FROM done d
    )
    SELECT count(*) INTO accepted FROM mine;
    RETURN accepted;
END
$$;
COMMENT ON FUNCTION nurture.complete(uuid[]) IS
    'marks claimed actions as done and tells their contacts ($sent); returns how many receipts were accepted. A receipt '
    'completed before counts again and has no further effect; one whose action was claimed anew, failed, was cancelled or '
    'expired meanwhile is stale and not counted. A lease that ran out does no harm as long as nobody claimed anew';
REVOKE ALL ON FUNCTION nurture.complete(uuid[]) FROM PUBLIC;

-- Exponential backoff: 1 minute doubled per attempt, at most 1 hour, spread by up to a quarter so that a batch that
-- failed together does not come back together; the spread is by id and attempt, so that it can be reproduced.
CREATE FUNCTION nurture._backoff(id uuid, attempts int) RETURNS interval
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN LEAST(interval '1 minute' * (1 << LEAST(GREATEST(attempts, 1) - 1, 6)), interval '1 hour')
        * (1 + (uuid_hash_extended(id, attempts) & 1023) / 4096.0::double precision);
COMMENT ON FUNCTION nurture._backoff(uuid, int) IS 'how long after its n-th failed attempt an action is tried again';

CREATE FUNCTION nurture.fail(receipt uuid, reason text, retry_after interval DEFAULT NULL, permanent boolean DEFAULT false)
    RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan SET jit = off
    AS $$
#variable_conflict use_column
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    act nurture.action;
    next_due timestamptz;
    cancellation text;
BEGIN
    IF retry_after < interval '0' THEN
        RAISE EXCEPTION 'retry_after must not be negative' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT a.* INTO act FROM nurture.action a
    WHERE a.id >= nurture._first_id(fail.receipt) AND a.id <= nurture._last_id(fail.receipt) AND a.receipt = fail.receipt
    FOR NO KEY UPDATE;
    IF NOT FOUND OR act.status = 'done' THEN
        RAISE EXCEPTION 'receipt % is stale', fail.receipt USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = CASE WHEN FOUND THEN 'The action was completed with it.'
                          ELSE 'No action holds it: the lease ran out and the action was claimed again, or it never was one.' END,
            HINT = 'Forget the receipt: what is still to be done will be claimed again.';
    ELSIF act.status <> 'claimed' THEN
        RETURN act.status; -- said before, or settled when the lease had run out
    END IF;

    act.leased_until := NULL;
    act.reason := left(fail.reason, 1000);
    next_due := moment + COALESCE(retry_after, nurture._backoff(act.id, act.attempts));
    SELECT COALESCE(c.reason, 'cancelled') INTO cancellation FROM nurture.action_cancel c WHERE c.id = act.id LIMIT 1;
    IF FOUND THEN
        act.status := 'cancelled';
        act.reason := cancellation;
    ELSIF permanent OR next_due >= act.expires THEN
        act.status := 'failed';
    ELSIF act.attempts >= nurture._max_attempts() THEN
        act.status := 'dead';
    ELSE
        act.status := 'ready';
        act.due := next_due;
    END IF;
    UPDATE nurture.action a
    SET status = act.status, leased_until = NULL, reason = act.reason, due = act.due WHERE a.id = act.id;
    IF act.status IN ('failed', 'dead') THEN
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at)
        VALUES (act.contact, '$failed', moment, nurture._result_props(act), act.id || ':failed', nurture._told_at(moment));
    END IF;
    RETURN act.status;
END
$$;
COMMENT ON FUNCTION nurture.fail(uuid, text, interval, boolean) IS
    'gives a claimed action back and returns its new status: ready (again after retry_after, by default 1 minute doubled per '
    'attempt, at most 1 hour, plus up to a quarter), failed (permanent, or it would expire before the next attempt), '
    'dead (8 attempts), cancelled (withdrawn meanwhile). failed and dead are told to the contact ($failed). The same '
    'receipt again returns the status and has no further effect; a stale one is an error';
REVOKE ALL ON FUNCTION nurture.fail(uuid, text, interval, boolean) FROM PUBLIC;

-- What the engine does for the outbox between ticks, in READ COMMITTED, in portions. None of it ever waits for a sender:
-- an action that somebody has locked is left for the next time.

CREATE FUNCTION nurture._fold_cancellations(max_actions int DEFAULT 10000) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
    AS $$
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    folded bigint;
BEGIN
    -- An action under a running lease is being carried out: its cancellation waits for what comes of it.
    WITH withdrawn AS (
        SELECT a.id, COALESCE(c.reason, 'cancelled') AS reason
        FROM nurture.action_cancel c JOIN nurture.action a ON a.id = c.id
        WHERE a.status = 'ready' OR a.status = 'claimed' AND a.leased_until <= moment
        LIMIT max_actions FOR NO KEY UPDATE OF a SKIP LOCKED
    )
    UPDATE nurture.action a SET status = 'cancelled', reason = w.reason, leased_until = NULL
    FROM withdrawn w WHERE a.id = w.id;
    GET DIAGNOSTICS folded = ROW_COUNT;
    -- Removed with it: cancellations that came too late, and those of actions that are no longer kept. A final status
    -- never changes, so what this statement sees cannot be outdated.
    DELETE FROM nurture.action_cancel c WHERE c.ctid = ANY (ARRAY(
        SELECT k.ctid FROM nurture.action_cancel k
        WHERE NOT EXISTS (SELECT FROM nurture.action a WHERE a.id = k.id AND a.status IN ('ready', 'claimed'))
        FOR UPDATE SKIP LOCKED));
    RETURN folded;
END
$$;
COMMENT ON FUNCTION nurture._fold_cancellations(int) IS
    'turns cancellations into the status cancelled and removes them; returns how many actions were cancelled';
REVOKE ALL ON FUNCTION nurture._fold_cancellations(int) FROM PUBLIC;

CREATE FUNCTION nurture._expire_actions(max_actions int DEFAULT 10000) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET plan_cache_mode = force_generic_plan SET jit = off
    AS $$
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    settled bigint;
BEGIN
    WITH late AS (
        SELECT a.id FROM nurture.action a
        WHERE a.status IN ('ready', 'claimed') AND a.expires IS NOT NULL AND a.expires <= moment
            AND (a.leased_until IS NULL OR a.leased_until <= moment)
            AND NOT EXISTS (SELECT FROM nurture.action_cancel c WHERE c.id = a.id)
        ORDER BY a.expires LIMIT max_actions FOR NO KEY UPDATE OF a SKIP LOCKED
    ), exhausted AS (
        SELECT a.id FROM nurture.action a
        WHERE a.status = 'claimed' AND a.attempts >= nurture._max_attempts() AND a.leased_until <= moment
            AND (a.expires IS NULL OR a.expires > moment)
            AND NOT EXISTS (SELECT FROM nurture.action_cancel c WHERE c.id = a.id)
        ORDER BY a.leased_until LIMIT max_actions FOR NO KEY UPDATE OF a SKIP LOCKED
    ), outcome (id, status, reason) AS (
        SELECT id, 'expired', 'expired' FROM late
        UNION ALL
        SELECT id, 'dead', 'the lease of the last attempt ran out' FROM exhausted
    ), over AS (
        UPDATE nurture.action a SET status = o.status, reason = o.reason, leased_until = NULL
        FROM outcome o WHERE a.id = o.id
        RETURNING a AS action
    ), told AS (
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at)
        SELECT (o.action).contact, CASE (o.action).status WHEN 'dead' THEN '$failed' ELSE '$dropped' END, moment,
               nurture._result_props(o.action),
               (o.action).id || CASE (o.action).status WHEN 'dead' THEN ':failed' ELSE ':dropped' END, nurture._told_at(moment)
        FROM over o
    )
    SELECT count(*) INTO settled FROM over;
    RETURN settled;
END
$$;
COMMENT ON FUNCTION nurture._expire_actions(int) IS
    'expires what nobody carried out in time ($dropped) and buries what was claimed for the last time and never heard of '
    'again ($failed); returns how many';
REVOKE ALL ON FUNCTION nurture._expire_actions(int) FROM PUBLIC;

CREATE FUNCTION nurture._drop_actions(ids uuid[], why text) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
    AS $$
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    dropped bigint;
BEGIN
    WITH refused AS (
        SELECT a.id FROM nurture.action a
        WHERE a.id = ANY (ids) AND (a.status = 'ready' OR a.status = 'claimed' AND a.leased_until <= moment)
            AND NOT EXISTS (SELECT FROM nurture.action_cancel c WHERE c.id = a.id)
        FOR NO KEY UPDATE OF a SKIP LOCKED
    ), over AS (
        UPDATE nurture.action a SET status = 'dropped', reason = left(why, 1000), leased_until = NULL
        FROM refused r WHERE a.id = r.id
        RETURNING a AS action
    ), told AS (
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at)
        SELECT (o.action).contact, '$dropped', moment, nurture._result_props(o.action), (o.action).id || ':dropped', nurture._told_at(moment)
        FROM over o
    )
    SELECT count(*) INTO dropped FROM over;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION nurture._drop_actions(uuid[], text) IS
    'for the guards: drops actions that nobody is carrying out and tells their contacts why ($dropped); returns how many';
REVOKE ALL ON FUNCTION nurture._drop_actions(uuid[], text) FROM PUBLIC;

CREATE FUNCTION nurture._outbox_maintain(max_actions int DEFAULT 10000) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN nurture._fold_cancellations(max_actions) + nurture._expire_actions(max_actions);
END
$$;
COMMENT ON FUNCTION nurture._outbox_maintain(int) IS
    'folds cancellations and expires what is late, at most max_actions of each; returns how many actions it settled: '
    'call it again when that is max_actions or more';
REVOKE ALL ON FUNCTION nurture._outbox_maintain(int) FROM PUBLIC;

-- The definitions as they stood at a tick boundary, as one value that the hot functions take as an argument.
CREATE TYPE nurture.compiled_model;
CREATE FUNCTION nurture._compiled_model_in(cstring) RETURNS nurture.compiled_model
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_compiled_model_in';
CREATE FUNCTION nurture._compiled_model_out(nurture.compiled_model) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_compiled_model_out';
CREATE FUNCTION nurture._compiled_model_recv(internal) RETURNS nurture.compiled_model
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_compiled_model_recv';
CREATE FUNCTION nurture._compiled_model_send(nurture.compiled_model) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_compiled_model_send';
CREATE TYPE nurture.compiled_model (
    INPUT = nurture._compiled_model_in, OUTPUT = nurture._compiled_model_out,
    RECEIVE = nurture._compiled_model_recv, SEND = nurture._compiled_model_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE nurture.compiled_model IS 'rules, segments and workflows as they stood at a tick boundary, ready to run';

CREATE FUNCTION nurture._required_features(source text) RETURNS TABLE (ordinal int, definition text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 50 AS 'MODULE_PATHNAME', 'nurture_required_features';
COMMENT ON FUNCTION nurture._required_features(text) IS 'the features that a source of a model needs, as canonical text';
REVOKE ALL ON FUNCTION nurture._required_features(text) FROM PUBLIC;

-- The state of a contact as one value, and the table of contacts.
CREATE TYPE nurture.profile;
CREATE FUNCTION nurture._profile_in(cstring) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_profile_in';
CREATE FUNCTION nurture._profile_out(nurture.profile) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_profile_out';
CREATE FUNCTION nurture._profile_recv(internal) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_profile_recv';
CREATE FUNCTION nurture._profile_send(nurture.profile) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_profile_send';
CREATE TYPE nurture.profile (
    INPUT = nurture._profile_in, OUTPUT = nurture._profile_out,
    RECEIVE = nurture._profile_recv, SEND = nurture._profile_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE nurture.profile IS
    'everything the engine knows of a contact: features, attributes, memberships, journeys, timers';

CREATE TABLE nurture.contact (
    contact text COLLATE "C" PRIMARY KEY,
    state nurture.profile NOT NULL,
    due timestamptz,
    model int NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX contact_due ON nurture.contact (due);
COMMENT ON TABLE nurture.contact IS 'one row per contact; written by the tick only';
COMMENT ON COLUMN nurture.contact.contact IS 'the application''s own key';
COMMENT ON COLUMN nurture.contact.state IS 'what the engine knows; nurture.lead, nurture.explain and nurture.describe read it';
COMMENT ON COLUMN nurture.contact.due IS
    'when the passing of time changes something next (perhaps a little early), NULL: never';
COMMENT ON COLUMN nurture.contact.model IS 'the nurture.model the contact has adopted';
REVOKE ALL ON TABLE nurture.contact FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.contact', '');

-- What marketers write: rules, segments, workflows. A row is live when `enabled`; a draft is `enabled = false`.
-- A change is checked when it is made and takes effect at the next tick.

CREATE TABLE nurture.rule (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 512),
    definition nurture.rule_definition NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    description text,
    id int GENERATED ALWAYS AS IDENTITY UNIQUE
);
COMMENT ON TABLE nurture.rule IS 'scoring rules: points for what people do';
COMMENT ON COLUMN nurture.rule.definition IS
    'such as: +5 on page_view where path like ''/pricing%'' topic pricing half-life 14 days at most 3 per day';

CREATE TABLE nurture.segment (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 512),
    condition nurture.condition NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    description text,
    id int GENERATED ALWAYS AS IDENTITY UNIQUE
);
COMMENT ON TABLE nurture.segment IS 'segments: who fulfils a condition, exact at every moment';
COMMENT ON COLUMN nurture.segment.condition IS
    'such as: score >= 50 and not did purchase within 30 days';

CREATE TABLE nurture.workflow (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 512),
    definition nurture.workflow_definition NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    description text,
    id int GENERATED ALWAYS AS IDENTITY UNIQUE,
    version int NOT NULL DEFAULT 1,
    live_since timestamptz
);
COMMENT ON TABLE nurture.workflow IS 'workflows: what contacts are walked through; disabling pauses those inside';
COMMENT ON COLUMN nurture.workflow.version IS 'counts the definitions the workflow has had; people inside stay on theirs';
COMMENT ON COLUMN nurture.workflow.live_since IS 'when it was first enabled; NULL: a draft so far';

CREATE TABLE nurture.workflow_version (
    workflow int NOT NULL, -- no foreign key: a parallel restore loads the two tables side by side
    version int NOT NULL,
    definition nurture.workflow_definition NOT NULL,
    since timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (workflow, version)
);
COMMENT ON TABLE nurture.workflow_version IS 'every definition that a workflow has had';

CREATE TABLE nurture.pending_change (
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    operation text NOT NULL,
    by text NOT NULL DEFAULT current_user,
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
-- No primary key: a restore notes changes by its triggers and then brings those that were waiting when it was dumped.
COMMENT ON TABLE nurture.pending_change IS 'changes of definitions that the next tick will take up';

CREATE TRIGGER wake AFTER INSERT ON nurture.pending_change
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._wake();

REVOKE ALL ON TABLE nurture.rule, nurture.segment, nurture.workflow, nurture.workflow_version, nurture.pending_change FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.rule', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.rule_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.segment', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.segment_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.workflow', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.workflow_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.workflow_version', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.pending_change', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.pending_change_id_seq', '');

-- The segments that a definition names, for dependencies.
CREATE FUNCTION nurture._references(form text, definition text) RETURNS TABLE (kind text, name text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_references';
COMMENT ON FUNCTION nurture._references(text, text) IS 'what a rule, condition or workflow refers to by name';

CREATE VIEW nurture.dependency AS
SELECT 'segment' AS kind, s.name, r.kind AS uses_kind, r.name AS uses_name, s.enabled
FROM nurture.segment s CROSS JOIN LATERAL nurture._references('condition', s.condition::text) r
UNION ALL
SELECT 'workflow', w.name, r.kind, r.name, w.enabled
FROM nurture.workflow w CROSS JOIN LATERAL nurture._references('workflow', w.definition::text) r;
COMMENT ON VIEW nurture.dependency IS 'which definition uses which other';
REVOKE ALL ON TABLE nurture.dependency FROM PUBLIC;

-- Versions of workflows are kept as they are written.
CREATE FUNCTION nurture._version_workflow() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        -- Nobody is inside a draft: it is rewritten rather than kept.
        NEW.version := OLD.version
            + CASE WHEN OLD.live_since IS NOT NULL AND NEW.definition::text <> OLD.definition::text THEN 1 ELSE 0 END;
    END IF;
    IF NEW.enabled AND NEW.live_since IS NULL THEN
        NEW.live_since := now();
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER version BEFORE INSERT OR UPDATE ON nurture.workflow
    FOR EACH ROW EXECUTE FUNCTION nurture._version_workflow();

CREATE FUNCTION nurture._keep_workflow_version() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A restore brings the versions with it.
    IF current_setting('check_function_bodies')::boolean THEN
        INSERT INTO nurture.workflow_version (workflow, version, definition)
        VALUES (NEW.id, NEW.version, NEW.definition)
        ON CONFLICT (workflow, version) DO UPDATE SET definition = excluded.definition
            WHERE workflow_version.definition::text <> excluded.definition::text;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_version AFTER INSERT OR UPDATE ON nurture.workflow
    FOR EACH ROW EXECUTE FUNCTION nurture._keep_workflow_version();

CREATE FUNCTION nurture._forget_workflow_versions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM nurture.workflow_version v WHERE NOT EXISTS (SELECT FROM nurture.workflow w WHERE w.id = v.workflow);
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_versions AFTER DELETE OR TRUNCATE ON nurture.workflow
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._forget_workflow_versions();

-- The live definitions as JSON, as core/model/source.hpp reads them. Features are added by the tick.
CREATE FUNCTION nurture._source(model int, features json DEFAULT '[]') RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT json_build_object(
    'format', 1,
    'id', model,
    'timezone', current_setting('nurture.timezone'),
    'late_after', extract(epoch FROM current_setting('nurture.late_after')::interval)::bigint * 1000000,
    'action_expiry', extract(epoch FROM current_setting('nurture.action_expiry')::interval)::bigint * 1000000,
    'dedup_window', extract(epoch FROM current_setting('nurture.dedup_window')::interval)::bigint * 1000000,
    'rules', (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'definition', definition::text)
                              ORDER BY id), '[]')
              FROM nurture.rule WHERE enabled),
    'segments', (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'condition', condition::text)
                                 ORDER BY id), '[]')
                 FROM nurture.segment WHERE enabled),
    'workflows', (SELECT coalesce(json_agg(json_build_object('id', w.id, 'version', v.version, 'name', w.name,
                                           'definition', v.definition::text, 'current', v.version = w.version,
                                           'paused', NOT w.enabled) ORDER BY w.id, v.version), '[]')
                  FROM nurture.workflow w JOIN nurture.workflow_version v ON v.workflow = w.id
                  WHERE w.live_since IS NOT NULL),
    'features', features)::text
$$;
COMMENT ON FUNCTION nurture._source(int, json) IS 'the live definitions as a model''s source';
REVOKE ALL ON FUNCTION nurture._source(int, json) FROM PUBLIC;

-- After every statement that changes definitions: does the whole still compile? pg_dump switches function bodies' checks
-- off to say that what is referred to may come later; then nothing is resolved here, and the next tick decides.
CREATE FUNCTION nurture._check_definitions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    users text;
    gone text;
BEGIN
    INSERT INTO nurture.pending_change (kind, operation, by) VALUES (TG_TABLE_NAME, lower(TG_OP), session_user);
    IF NOT current_setting('check_function_bodies')::boolean THEN
        RETURN NULL;
    END IF;
    IF TG_TABLE_NAME = 'segment' AND TG_OP IN ('DELETE', 'UPDATE') THEN
        SELECT string_agg(format('%s "%s" uses segment "%s".', d.kind, d.name, d.uses_name), E'\n' ORDER BY d.kind, d.name),
               min(d.uses_name)
        INTO users, gone
        FROM (SELECT d.kind, d.name, d.uses_name FROM nurture.dependency d WHERE d.uses_kind = 'segment' AND d.enabled
              UNION -- people may be inside an earlier version, or inside a workflow that pauses
              SELECT 'workflow', w.name, r.name
              FROM nurture.workflow w JOIN nurture.workflow_version v ON v.workflow = w.id
              CROSS JOIN LATERAL nurture._references('workflow', v.definition::text) r
              WHERE w.live_since IS NOT NULL AND r.kind = 'segment') d
        JOIN before b ON b.name = d.uses_name AND b.enabled
        WHERE NOT EXISTS (SELECT FROM nurture.segment s WHERE s.name = d.uses_name AND s.enabled);
        IF users IS NOT NULL THEN
            RAISE EXCEPTION 'cannot remove segment "%" because other definitions use it', gone
                USING ERRCODE = 'dependent_objects_still_exist', DETAIL = users,
                      HINT = 'Change or disable them first, in the same transaction if you like.';
        END IF;
    END IF;
    PERFORM FROM nurture._required_features(nurture._source(0));
    RETURN NULL;
END
$$;
CREATE TRIGGER check_insert AFTER INSERT ON nurture.rule FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_change AFTER UPDATE OR DELETE ON nurture.rule FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_insert AFTER INSERT ON nurture.segment FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_update AFTER UPDATE ON nurture.segment REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_delete AFTER DELETE ON nurture.segment REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_insert AFTER INSERT ON nurture.workflow FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_change AFTER UPDATE OR DELETE ON nurture.workflow FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_truncate AFTER TRUNCATE ON nurture.rule FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_truncate AFTER TRUNCATE ON nurture.segment FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
CREATE TRIGGER check_truncate AFTER TRUNCATE ON nurture.workflow FOR EACH STATEMENT EXECUTE FUNCTION nurture._check_definitions();
-- Whoever may execute a trigger function may hang it on a table of his own and so choose what it writes.
REVOKE ALL ON FUNCTION nurture._version_workflow(), nurture._keep_workflow_version(), nurture._forget_workflow_versions(),
    nurture._check_definitions() FROM PUBLIC;

-- The engine's own bookkeeping: how far it is, the models it has run, the features they keep.

CREATE TABLE nurture.engine (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    tick bigint NOT NULL,
    drained timestamptz,
    due_from timestamptz,
    system_identifier bigint NOT NULL,
    database oid NOT NULL,
    model_problem text,
    logged bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    duplicates bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    unconvertible bigint NOT NULL DEFAULT 0,
    last_tick_at timestamptz,
    last_tick_rows int,
    last_tick_ms numeric
);
COMMENT ON TABLE nurture.engine IS 'one row, made by the first tick: where the engine is and which database it belongs to';
COMMENT ON COLUMN nurture.engine.tick IS 'number of the last tick';
COMMENT ON COLUMN nurture.engine.drained IS 'everything received or due by then has been done';
COMMENT ON COLUMN nurture.engine.due_from IS 'no contact is due earlier: the scan for due contacts begins here';
COMMENT ON COLUMN nurture.engine.system_identifier IS 'of the cluster; a restored copy has another one and does not run by itself';
COMMENT ON COLUMN nurture.engine.model_problem IS 'why the present definitions do not compile; the last good model stays';
COMMENT ON COLUMN nurture.engine.unconvertible IS 'comparisons left unknown since a value could not be taken as the literal''s type';

CREATE TABLE nurture.model (
    id int PRIMARY KEY,
    from_tick bigint NOT NULL,
    from_clock timestamptz,
    compiled_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    source_hash text NOT NULL,
    model nurture.compiled_model NOT NULL
);
COMMENT ON TABLE nurture.model IS 'the models the engine has run, each from a tick on';
COMMENT ON COLUMN nurture.model.from_clock IS 'what was drained when it took over';

CREATE TABLE nurture.feature (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    definition text COLLATE "C" NOT NULL,
    from_tick bigint NOT NULL,
    complete_from timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'ended')),
    ended_tick bigint
);
-- By hash: a filter may be longer than a btree's entry.
CREATE UNIQUE INDEX feature_live ON nurture.feature (pg_catalog.md5(definition)) WHERE state = 'live';
COMMENT ON TABLE nurture.feature IS 'what profiles remember of events; definitions that mean the same share one';
COMMENT ON COLUMN nurture.feature.from_tick IS 'the first tick whose events it takes';
COMMENT ON COLUMN nurture.feature.complete_from IS 'since when it knows everything; -infinity: always did';

REVOKE ALL ON TABLE nurture.engine, nurture.model, nurture.feature FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.engine', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.model', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.feature', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.feature_id_seq', '');

CREATE VIEW nurture._current_model AS SELECT m.id, m.model FROM nurture.model m ORDER BY m.id DESC LIMIT 1;
COMMENT ON VIEW nurture._current_model IS 'the model in force';
REVOKE ALL ON TABLE nurture._current_model FROM PUBLIC;

-- Whoever writes engine tables takes this lock first. It lasts until the end of the transaction.
CREATE FUNCTION nurture._lock_engine() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock('nurture.engine'::regclass::oid::int, 0);
END
$$;
COMMENT ON FUNCTION nurture._lock_engine() IS 'waits until no other transaction writes engine tables';
REVOKE ALL ON FUNCTION nurture._lock_engine() FROM PUBLIC;

-- A database whose engine row was written elsewhere is a copy of it: it must not mail anybody by itself.
CREATE FUNCTION nurture._is_own_database() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce((SELECT e.system_identifier = (SELECT system_identifier FROM pg_control_system())
                    AND e.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 FROM nurture.engine e),
                NOT EXISTS (SELECT FROM nurture.contact))
$$;
COMMENT ON FUNCTION nurture._is_own_database() IS 'false in a restored or copied database until nurture.resume()';
REVOKE ALL ON FUNCTION nurture._is_own_database() FROM PUBLIC;

CREATE FUNCTION nurture._adopt_database() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO nurture.engine (tick, system_identifier, database)
    SELECT coalesce((SELECT max(m.from_tick) FROM nurture.model m), 0), s.system_identifier, d.oid
    FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()
    ON CONFLICT (only_row) DO UPDATE
        SET system_identifier = excluded.system_identifier, database = excluded.database;
END
$$;
COMMENT ON FUNCTION nurture._adopt_database() IS 'makes this the database that the engine belongs to';
REVOKE ALL ON FUNCTION nurture._adopt_database() FROM PUBLIC;

-- What time it is: the server's clock, or, where the clock is simulated (nurture.enabled = off), the engine's.
CREATE FUNCTION nurture._now() RETURNS timestamptz
    LANGUAGE sql VOLATILE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN NOT nurture._enabled()
            THEN coalesce((SELECT e.drained FROM nurture.engine e), clock_timestamp())
            ELSE clock_timestamp() END
$$;
COMMENT ON FUNCTION nurture._now() IS 'what time it is: the clock, or the simulated one. Anybody may ask: the views of leads do';

-- When the engine is told what became of an action: each at an instant of its own, so that their order is settled whatever
-- the order in which their rows come to lie.
CREATE FUNCTION nurture._told_at(moment timestamptz) RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN CASE WHEN nurture._enabled() THEN clock_timestamp() ELSE moment END;
COMMENT ON FUNCTION nurture._told_at(timestamptz) IS 'received_at of an outcome that is reported at this moment';
REVOKE ALL ON FUNCTION nurture._told_at(timestamptz) FROM PUBLIC;

-- Takes up changed definitions at a tick's beginning: registers the features they need, makes the next model. When they
-- do not compile, the last good model stays.
CREATE FUNCTION nurture._take_up_definitions(this_tick bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    next_id int := coalesce((SELECT max(id) FROM nurture.model), 0) + 1;
    hash text := md5(nurture._source(0));
    since timestamptz := CASE WHEN EXISTS (SELECT FROM nurture.contact) THEN clock_timestamp() ELSE '-infinity' END;
    needed text[];
    problem text;
BEGIN
    IF hash IS NOT DISTINCT FROM (SELECT source_hash FROM nurture.model ORDER BY id DESC LIMIT 1) THEN
        DELETE FROM nurture.pending_change;
        RETURN;
    END IF;
    BEGIN
        needed := ARRAY(SELECT definition FROM nurture._required_features(nurture._source(0)));
        UPDATE nurture.feature f SET state = 'ended', ended_tick = this_tick
        WHERE f.state = 'live' AND f.definition <> ALL (needed);
        INSERT INTO nurture.feature (definition, from_tick, complete_from)
        SELECT n.definition, this_tick, since FROM unnest(needed) n (definition)
        WHERE NOT EXISTS (SELECT FROM nurture.feature f WHERE f.state = 'live' AND f.definition = n.definition)
        ORDER BY n.definition COLLATE "C";
        INSERT INTO nurture.model (id, from_tick, from_clock, source_hash, model)
        SELECT next_id, this_tick, (SELECT e.drained FROM nurture.engine e), hash,
               nurture._source(next_id, (SELECT coalesce(json_agg(json_build_object('id', f.id, 'definition', f.definition,
                                                                  'from_tick', f.from_tick) ORDER BY f.id), '[]')
                                         FROM nurture.feature f WHERE f.state = 'live'))::nurture.compiled_model;
    EXCEPTION WHEN operator_intervention OR transaction_rollback OR lock_not_available OR insufficient_resources
            OR system_error THEN
        RAISE; -- not the definitions' fault: the next tick tries again
    WHEN OTHERS THEN
        problem := SQLERRM;
    END;
    UPDATE nurture.engine SET model_problem = problem WHERE model_problem IS DISTINCT FROM problem;
    DELETE FROM nurture.pending_change;
END
$$;
COMMENT ON FUNCTION nurture._take_up_definitions(bigint) IS 'makes the next model of the live definitions';
REVOKE ALL ON FUNCTION nurture._take_up_definitions(bigint) FROM PUBLIC;

-- The log: every event as it was taken, in the order (tick, contact, n). Partitioned by the time the event happened.

CREATE TABLE nurture.event_log (
    contact text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    kind text COLLATE "C",
    type text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    clock timestamptz NOT NULL,
    props jsonb NOT NULL,
    message_id text,
    tick bigint NOT NULL,
    n int NOT NULL,
    history boolean NOT NULL DEFAULT false
) PARTITION BY RANGE (at);
COMMENT ON TABLE nurture.event_log IS 'every event the engine took; ordered by (tick, contact, n); partitioned by at';
COMMENT ON COLUMN nurture.event_log.contact IS 'the contact that the key belonged to when the event was taken';
COMMENT ON COLUMN nurture.event_log.key IS 'the key as it was sent';
COMMENT ON COLUMN nurture.event_log.kind IS 'kind of the key; $engine: written by a workflow';
COMMENT ON COLUMN nurture.event_log.at IS 'when it happened; never later than received_at';
COMMENT ON COLUMN nurture.event_log.clock IS 'the logical time at which the contact took it';
COMMENT ON COLUMN nurture.event_log.n IS 'order within the contact in the tick';
COMMENT ON COLUMN nurture.event_log.history IS 'came through nurture.history: it started nothing';
REVOKE ALL ON TABLE nurture.event_log FROM PUBLIC;

CREATE TABLE nurture.identity (
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    contact text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (key, kind)
);
CREATE INDEX identity_contact ON nurture.identity (contact);
COMMENT ON TABLE nurture.identity IS 'which contact a key belongs to today; a key without a row is its own contact';
COMMENT ON COLUMN nurture.identity.kind IS 'kind of the key, empty for the application''s own';
REVOKE ALL ON TABLE nurture.identity FROM PUBLIC;

CREATE VIEW nurture.event AS
SELECT coalesce(i.contact, l.contact) AS contact, l.key, l.kind, l.type, l.at, l.received_at, l.clock, l.props, l.message_id,
       l.tick, l.n
FROM nurture.event_log l LEFT JOIN nurture.identity i ON i.key = l.key AND i.kind = coalesce(l.kind, '');
COMMENT ON VIEW nurture.event IS 'the log under today''s contacts';
REVOKE ALL ON TABLE nurture.event FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('nurture.event_log', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.identity', '');

-- Partitions: one for everything older than the month in which the engine began, then one a month. They are made by the
-- engine, not by the install script, so that a dump brings those it has filled. Made as tables and attached: that does not
-- wait for readers of the others.
CREATE FUNCTION nurture._make_partition(name text, lower_bound timestamptz, upper_bound timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    EXECUTE format('CREATE TABLE nurture.%I (LIKE nurture.event_log INCLUDING ALL)', name);
    -- Each partition has its index for itself: were it the parent's, restoring a dump would make it twice.
    EXECUTE format('CREATE INDEX %I ON nurture.%I (contact, at)', name || '_contact', name);
    EXECUTE format('REVOKE ALL ON TABLE nurture.%I FROM PUBLIC', name);
    EXECUTE format('ALTER TABLE nurture.event_log ATTACH PARTITION nurture.%I FOR VALUES FROM (%s) TO (%L)', name,
                   CASE WHEN lower_bound = '-infinity' THEN 'MINVALUE' ELSE quote_literal(lower_bound) END, upper_bound);
END
$$;
COMMENT ON FUNCTION nurture._make_partition(text, timestamptz, timestamptz) IS 'makes one partition of the log';
REVOKE ALL ON FUNCTION nurture._make_partition(text, timestamptz, timestamptz) FROM PUBLIC;

CREATE FUNCTION nurture._make_partitions(until timestamptz) RETURNS int
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    begins timestamptz;
    made int := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'nurture.event_log'::regclass) THEN
        begins := coalesce(nullif(current_setting('nurture.history_from', true), '')::timestamptz, date_trunc('month', now()));
        PERFORM nurture._make_partition('event_log_ancient', '-infinity', begins);
        made := 1;
    END IF;
    -- The bound of the newest partition is where the next begins.
    SELECT max((regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz)
    INTO begins
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'nurture.event_log'::regclass;
    WHILE begins <= until LOOP
        PERFORM nurture._make_partition('event_log_' || to_char(begins, 'YYYY_MM'), begins,
                                        date_trunc('month', begins) + interval '1 month');
        begins := date_trunc('month', begins) + interval '1 month';
        made := made + 1;
    END LOOP;
    RETURN made;
EXCEPTION WHEN duplicate_table THEN
    RAISE EXCEPTION 'another session is making the same partitions' USING ERRCODE = 'serialization_failure';
END
$$;
COMMENT ON FUNCTION nurture._make_partitions(timestamptz) IS 'makes the partitions of the log that will be needed until then';
REVOKE ALL ON FUNCTION nurture._make_partitions(timestamptz) FROM PUBLIC;

-- What the tick puts out beside actions: memberships and the history of every contact's path.

CREATE TABLE nurture.membership_entry (
    contact text COLLATE "C" NOT NULL,
    segment int NOT NULL,
    since timestamptz NOT NULL,
    cause text,
    PRIMARY KEY (contact, segment)
);
CREATE INDEX membership_entry_segment ON nurture.membership_entry (segment);
COMMENT ON TABLE nurture.membership_entry IS 'who is in which segment now, by the segment''s id; see nurture.membership';

CREATE VIEW nurture.membership AS
SELECT s.name AS segment, m.contact, m.since, m.cause
FROM nurture.membership_entry m JOIN nurture.segment s ON s.id = m.segment AND s.enabled;
COMMENT ON VIEW nurture.membership IS 'who is in which segment, since when and through what; the history is in nurture.transition';

CREATE TABLE nurture.transition (
    tick bigint NOT NULL,
    contact text COLLATE "C" NOT NULL,
    n int NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    name text COLLATE "C" NOT NULL,
    version int,
    step text,
    cause text NOT NULL,
    cause_tick bigint,
    cause_n int,
    detail jsonb,
    PRIMARY KEY (contact, tick, n)
);
COMMENT ON TABLE nurture.transition IS 'every change of a contact''s path: segments entered and left, journeys begun, waiting, ended';
COMMENT ON COLUMN nurture.transition.n IS 'order within the contact in the tick';
COMMENT ON COLUMN nurture.transition.at IS 'the logical time at which it happened, to the microsecond';
COMMENT ON COLUMN nurture.transition.kind IS
    'segment entered, segment left, journey started, journey waits, journey ended';
COMMENT ON COLUMN nurture.transition.cause IS 'type of the event behind it, time, published, or the workflow step that wrote an attribute';
COMMENT ON COLUMN nurture.transition.cause_n IS 'with cause_tick: the event in nurture.event_log';

CREATE TABLE nurture.quarantine (
    contact text COLLATE "C" PRIMARY KEY,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT pg_catalog.now(),
    tick bigint NOT NULL
);
COMMENT ON TABLE nurture.quarantine IS 'contacts whose step failed: their messages are kept aside until nurture.release(contact)';

CREATE TABLE nurture.quarantined_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    of_contact text COLLATE "C" NOT NULL,
    contact text COLLATE "C",
    type text COLLATE "C",
    at timestamptz,
    props jsonb,
    message_id text,
    kind text,
    received_at timestamptz,
    source text NOT NULL
);
CREATE INDEX quarantined_message_contact ON nurture.quarantined_message (of_contact);
COMMENT ON TABLE nurture.quarantined_message IS 'the messages of quarantined contacts, as they came';

REVOKE ALL ON TABLE nurture.membership_entry, nurture.membership, nurture.transition, nurture.quarantine,
    nurture.quarantined_message FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.membership_entry', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.transition', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.quarantine', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.quarantined_message', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.quarantined_message_id_seq', '');

CREATE FUNCTION nurture.release(contact text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moved bigint;
    since timestamptz;
BEGIN
    PERFORM nurture._lock_engine();
    DELETE FROM nurture.quarantine q WHERE q.contact = release.contact;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'contact "%" is not quarantined', contact USING ERRCODE = 'undefined_object',
            HINT = 'See nurture.quarantine for those that are.';
    END IF;
    -- Its timers were stopped with it: the next tick's scan finds it again.
    SELECT e.due_from INTO since FROM nurture.engine e FOR UPDATE;
    UPDATE nurture.contact c SET due = coalesce(since, '-infinity') WHERE c.contact = release.contact;
    WITH gone AS (
        DELETE FROM nurture.quarantined_message m WHERE m.of_contact = release.contact RETURNING m.*
    ), inbox AS (
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, kind, received_at)
        SELECT g.contact, g.type, g.at, g.props, g.message_id, g.kind, g.received_at FROM gone g
        WHERE g.source = 'inbox' ORDER BY g.id RETURNING 1
    ), history AS (
        INSERT INTO nurture.history (contact, type, at, props, message_id, kind, received_at)
        SELECT g.contact, g.type, g.at, g.props, g.message_id, g.kind, g.received_at FROM gone g
        WHERE g.source = 'history' ORDER BY g.id RETURNING 1
    )
    SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM history) INTO moved;
    RETURN moved;
END
$$;
COMMENT ON FUNCTION nurture.release(text) IS 'ends a contact''s quarantine: its messages go back to the inbox; returns how many';
REVOKE ALL ON FUNCTION nurture.release(text) FROM PUBLIC;

-- The hot functions: pack a contact's messages, step it, read what came out.

CREATE FUNCTION nurture._pack_transition(internal, type text, at timestamptz, received_at timestamptz, props jsonb,
        message_id text, place bigint, history boolean) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_pack_transition';
CREATE FUNCTION nurture._pack_final(internal) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_pack_final';
CREATE AGGREGATE nurture._pack(type text, at timestamptz, received_at timestamptz, props jsonb, message_id text,
        place bigint, history boolean) (
    SFUNC = nurture._pack_transition, STYPE = internal, SSPACE = 512,
    FINALFUNC = nurture._pack_final, FINALFUNC_MODIFY = READ_WRITE, PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE nurture._pack(text, timestamptz, timestamptz, jsonb, text, bigint, boolean) IS
    'one contact''s messages for nurture._step, in any order: the step sorts them by received_at, then place';

CREATE TYPE nurture.step_result AS (
    state nurture.profile,
    due timestamptz,
    clock_before timestamptz,
    numbers int[],
    kinds int,
    outputs bytea,
    duplicates int,
    unconvertible bigint,
    failure text
);
COMMENT ON TYPE nurture.step_result IS 'a contact''s row after a step, and what came of it';

CREATE FUNCTION nurture._step(model nurture.compiled_model, contact text, state nurture.profile, messages bytea,
        until timestamptz, tick bigint) RETURNS nurture.step_result
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_step';
COMMENT ON FUNCTION nurture._step(nurture.compiled_model, text, nurture.profile, bytea, timestamptz, bigint) IS
    'takes the messages, then lets timers run until then (NULL: until the last message); a pure function';

CREATE FUNCTION nurture._transitions(outputs bytea) RETURNS TABLE (n int, at timestamptz, kind text, name text, version int,
        step text, cause text, cause_tick bigint, cause_n int, reason text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 3 AS 'MODULE_PATHNAME', 'nurture_transitions';
CREATE FUNCTION nurture._actions(outputs bytea) RETURNS TABLE (id uuid, channel text, template text, purpose text,
        transactional boolean, payload jsonb, due timestamptz, expires timestamptz, priority int, workflow text, version int,
        journey text, step text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'nurture_actions';
CREATE FUNCTION nurture._cancellations(outputs bytea) RETURNS TABLE (id uuid, at timestamptz, reason text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'nurture_cancellations';
CREATE FUNCTION nurture._written(outputs bytea) RETURNS TABLE (n int, at timestamptz, type text, props jsonb)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'nurture_written';
CREATE FUNCTION nurture._memberships(outputs bytea) RETURNS TABLE (segment int, member boolean, since timestamptz, cause text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 2 AS 'MODULE_PATHNAME', 'nurture_memberships';
CREATE FUNCTION nurture._rejections(outputs bytea) RETURNS TABLE (message int, reason text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'nurture_rejections';

-- A row's place in its table: its block, and a number that orders rows as they lie.
CREATE FUNCTION nurture._block(place tid) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_block';
CREATE FUNCTION nurture._place(place tid) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_place';
CREATE FUNCTION nurture._first_of(block bigint) RETURNS tid
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'nurture_first_of';

-- The batch at hand and what its steps gave. Unlogged and empty between ticks: nobody else reads them.
CREATE UNLOGGED TABLE nurture._batch (
    contact text COLLATE "C",
    key text COLLATE "C",
    kind text COLLATE "C",
    type text COLLATE "C",
    at timestamptz,
    received_at timestamptz,
    props jsonb,
    message_id text,
    place bigint,
    history boolean,
    reason text,
    quarantined boolean
) WITH (toast_tuple_target = 8160);
CREATE UNLOGGED TABLE nurture._stepped (
    contact text COLLATE "C",
    due_before timestamptz,
    result nurture.step_result
) WITH (toast_tuple_target = 8160);
CREATE UNLOGGED TABLE nurture._drain_plan (
    chunk bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    first_block bigint NOT NULL,
    last_block bigint NOT NULL,
    horizon timestamptz NOT NULL
);
COMMENT ON TABLE nurture._batch IS 'the messages of the tick at hand';
COMMENT ON TABLE nurture._stepped IS 'the steps of the tick at hand';
COMMENT ON TABLE nurture._drain_plan IS 'how a backlog is cut into batches';
REVOKE ALL ON TABLE nurture._batch, nurture._stepped, nurture._drain_plan FROM PUBLIC;
REVOKE ALL ON FUNCTION nurture._step(nurture.compiled_model, text, nurture.profile, bytea, timestamptz, bigint),
    nurture._transitions(bytea), nurture._actions(bytea), nurture._cancellations(bytea), nurture._written(bytea),
    nurture._memberships(bytea), nurture._rejections(bytea),
    nurture._pack(text, timestamptz, timestamptz, jsonb, text, bigint, boolean) FROM PUBLIC;

-- One batch of the tick, part by part. All of it runs in one REPEATABLE READ transaction: every statement sees the same
-- inbox. The parts are functions of their own so that each can fix the plan its statement needs whatever the statistics
-- of tables that are empty most of the time say.

-- How a backlog that is larger than a batch is cut: into ranges of blocks, each with a horizon. A batch takes of its range
-- what was received by the horizon, the earliest received_at of all later ranges: so messages are taken in the order of
-- received_at even where the rows do not lie in it, and no cut shows.
CREATE FUNCTION nurture._plan_drain(source text, moment timestamptz) RETURNS int
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    max_rows CONSTANT bigint := current_setting('nurture.batch_rows');
    max_bytes CONSTANT bigint := pg_size_bytes(current_setting('nurture.batch_bytes'));
    block record;
    starts bigint[] := '{}';
    earliest timestamptz[] := '{}';
    horizons timestamptz[] := '{}';
    rows bigint := 0;
    bytes bigint := 0;
    horizon timestamptz := moment;
    last bigint;
BEGIN
    FOR block IN EXECUTE format($query$
        SELECT nurture._block(ctid) AS number, count(*) AS rows, sum(nurture._jsonb_size(props)) AS bytes,
               min(received_at) FILTER (WHERE isfinite(received_at)) AS earliest
        FROM nurture.%I WHERE (received_at > $1 AND received_at <= $1 + interval '24 hours') IS NOT TRUE OR $2
        GROUP BY 1 ORDER BY 1$query$, source) USING moment, source = 'history'
    LOOP
        IF starts = '{}' OR rows + block.rows > max_rows OR bytes + block.bytes > max_bytes THEN
            starts := starts || block.number;
            earliest := earliest || block.earliest;
            rows := 0;
            bytes := 0;
        END IF;
        rows := rows + block.rows;
        bytes := bytes + coalesce(block.bytes, 0);
        earliest[cardinality(earliest)] := least(earliest[cardinality(earliest)], block.earliest);
        last := block.number;
    END LOOP;
    -- From the last range backwards: each one's horizon is the earliest of those after it.
    FOR i IN REVERSE cardinality(starts) .. 1 LOOP
        horizons := CASE source WHEN 'history' THEN 'infinity' ELSE horizon END || horizons;
        horizon := least(horizon, earliest[i]);
    END LOOP;
    INSERT INTO nurture._drain_plan (source, first_block, last_block, horizon)
    SELECT _plan_drain.source, r.first_block, coalesce(lead(r.first_block) OVER (ORDER BY r.chunk) - 1, last), r.horizon
    FROM unnest(starts, horizons) WITH ORDINALITY r (first_block, horizon, chunk) ORDER BY r.chunk;
    RETURN cardinality(starts);
END
$$;
COMMENT ON FUNCTION nurture._plan_drain(text, timestamptz) IS 'cuts a backlog into batches; returns how many';

-- The next range to take, if there is any. `all_of_it`: the range holds everything received by then.
CREATE FUNCTION nurture._next_range(moment timestamptz, OUT source text, OUT chunk bigint, OUT first_row tid,
        OUT behind_row tid, OUT horizon timestamptz, OUT all_of_it boolean)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- A block holds no more than a hundred messages or so: below that many blocks one batch takes it all.
    small CONSTANT bigint := greatest(current_setting('nurture.batch_rows')::bigint / 100, 1);
    blocks bigint := pg_relation_size('nurture.inbox') / current_setting('block_size')::bigint;
    planned record;
BEGIN
    all_of_it := false;
    SELECT p.* INTO planned FROM nurture._drain_plan p WHERE p.source = 'inbox' ORDER BY p.chunk LIMIT 1;
    IF NOT FOUND AND (blocks > small OR pg_table_size('nurture.inbox') > pg_size_bytes(current_setting('nurture.batch_bytes'))) THEN
        IF nurture._plan_drain('inbox', moment) > 1 THEN
            SELECT p.* INTO planned FROM nurture._drain_plan p WHERE p.source = 'inbox' ORDER BY p.chunk LIMIT 1;
        ELSE
            DELETE FROM nurture._drain_plan p WHERE p.source = 'inbox';
        END IF;
    END IF;
    IF planned.chunk IS NULL
        AND NOT EXISTS (SELECT FROM nurture.inbox i
                        WHERE (i.received_at > moment AND i.received_at <= moment + interval '24 hours') IS NOT TRUE) THEN
        -- Nothing is waiting: history has its turn.
        SELECT p.* INTO planned FROM nurture._drain_plan p WHERE p.source = 'history' ORDER BY p.chunk LIMIT 1;
        IF NOT FOUND AND EXISTS (SELECT FROM nurture.history) THEN
            PERFORM nurture._plan_drain('history', moment);
            SELECT p.* INTO planned FROM nurture._drain_plan p WHERE p.source = 'history' ORDER BY p.chunk LIMIT 1;
        END IF;
    END IF;
    IF planned.chunk IS NOT NULL THEN
        source := planned.source;
        chunk := planned.chunk;
        first_row := nurture._first_of(planned.first_block);
        behind_row := nurture._first_of(planned.last_block + 1);
        horizon := least(planned.horizon, moment); -- the plan may be an interrupted tick's whose moment was later
    ELSE
        source := 'inbox';
        first_row := nurture._first_of(0);
        behind_row := nurture._first_of(4294967293);
        horizon := moment;
        all_of_it := true;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._next_range(timestamptz) IS 'what the next batch takes';

-- The rows of a range, with their keys resolved and what is wrong with them.
CREATE FUNCTION nurture._fill_batch(source text, first_row tid, behind_row tid, horizon timestamptz, moment timestamptz)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    taken bigint;
BEGIN
    IF source = 'inbox' THEN
        INSERT INTO nurture._batch
        SELECT coalesce(i.contact, b.contact), b.contact, b.kind, b.type, b.at, b.received_at, b.props, b.message_id,
               nurture._place(b.ctid), false,
               nurture._malformed(b.contact, b.type, b.at, b.props, b.message_id, b.kind, b.received_at, moment),
               q.contact IS NOT NULL
        FROM nurture.inbox b
        LEFT JOIN nurture.identity i ON i.key = b.contact AND i.kind = coalesce(b.kind, '')
        LEFT JOIN nurture.quarantine q ON q.contact = coalesce(i.contact, b.contact)
        WHERE b.ctid >= first_row AND b.ctid < behind_row
          AND (b.received_at > horizon AND b.received_at <= moment + interval '24 hours') IS NOT TRUE;
    ELSE
        INSERT INTO nurture._batch
        SELECT coalesce(i.contact, b.contact), b.contact, b.kind, b.type, b.at, b.received_at, b.props, b.message_id,
               nurture._place(b.ctid), true,
               nurture._malformed(b.contact, b.type, b.at, b.props, b.message_id, b.kind, b.received_at, moment),
               q.contact IS NOT NULL
        FROM nurture.history b
        LEFT JOIN nurture.identity i ON i.key = b.contact AND i.kind = coalesce(b.kind, '')
        LEFT JOIN nurture.quarantine q ON q.contact = coalesce(i.contact, b.contact)
        WHERE b.ctid >= first_row AND b.ctid < behind_row;
    END IF;
    GET DIAGNOSTICS taken = ROW_COUNT;
    RETURN taken;
END
$$;
COMMENT ON FUNCTION nurture._fill_batch(text, tid, tid, timestamptz, timestamptz) IS 'takes a range of the inbox or of history';

-- What the batch took goes; what it left behind its horizon is the next batch's.
CREATE FUNCTION nurture._consume(source text, chunk bigint, first_row tid, behind_row tid, horizon timestamptz,
        moment timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    left_behind tid;
BEGIN
    IF source = 'inbox' THEN
        DELETE FROM nurture.inbox b WHERE b.ctid >= first_row AND b.ctid < behind_row
            AND (b.received_at > horizon AND b.received_at <= moment + interval '24 hours') IS NOT TRUE;
    ELSE
        DELETE FROM nurture.history b WHERE b.ctid >= first_row AND b.ctid < behind_row;
    END IF;
    IF chunk IS NOT NULL THEN
        DELETE FROM nurture._drain_plan p WHERE p.chunk = _consume.chunk;
        IF source = 'inbox' THEN
            SELECT min(b.ctid) INTO left_behind FROM nurture.inbox b
            WHERE b.ctid >= first_row AND b.ctid < behind_row AND b.received_at <= moment;
            IF left_behind IS NOT NULL THEN
                UPDATE nurture._drain_plan p SET first_block = least(p.first_block, nurture._block(left_behind))
                WHERE p.chunk = (SELECT min(o.chunk) FROM nurture._drain_plan o WHERE o.source = 'inbox');
            END IF;
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._consume(text, bigint, tid, tid, timestamptz, timestamptz) IS 'deletes what the batch took';

-- Every contact with messages, once. Nested loops: a batch touches few of all contacts.
CREATE FUNCTION nurture._step_messages(model nurture.compiled_model, until timestamptz, this_tick bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off
    SET work_mem = '64MB' SET jit = off AS $$
DECLARE
    stepped bigint;
BEGIN
    INSERT INTO nurture._stepped
    SELECT m.contact, c.due, nurture._step(_step_messages.model, m.contact, c.state, m.messages, until, this_tick)
    FROM (SELECT b.contact, nurture._pack(b.type, least(b.at, b.received_at), b.received_at, b.props, b.message_id, b.place,
                                          b.history) AS messages
          FROM nurture._batch b WHERE b.reason IS NULL AND NOT b.quarantined GROUP BY b.contact) m
    LEFT JOIN nurture.contact c ON c.contact = m.contact;
    GET DIAGNOSTICS stepped = ROW_COUNT;
    RETURN stepped;
END
$$;
COMMENT ON FUNCTION nurture._step_messages(nurture.compiled_model, timestamptz, bigint) IS 'steps the contacts of the batch';

-- Contacts for which time alone has come. Their number is bounded; the batch after this one takes the rest.
CREATE FUNCTION nurture._step_due(model nurture.compiled_model, since timestamptz, moment timestamptz, this_tick bigint,
        max_contacts bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_nestloop = off SET enable_mergejoin = off SET work_mem = '64MB' SET jit = off AS $$
DECLARE
    stepped bigint;
BEGIN
    INSERT INTO nurture._stepped
    SELECT d.contact, d.due, nurture._step(_step_due.model, d.contact, d.state, NULL, moment, this_tick)
    FROM (SELECT c.contact, c.due, c.state FROM nurture.contact c
          WHERE c.due >= since AND c.due <= moment
            AND NOT EXISTS (SELECT FROM nurture._stepped s WHERE s.contact = c.contact)
          ORDER BY c.due LIMIT max_contacts) d;
    GET DIAGNOSTICS stepped = ROW_COUNT;
    RETURN stepped;
END
$$;
COMMENT ON FUNCTION nurture._step_due(nurture.compiled_model, timestamptz, timestamptz, bigint, bigint) IS
    'steps contacts that are due';

CREATE FUNCTION nurture._write_log(this_tick bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET work_mem = '64MB' SET jit = off AS $$
DECLARE
    logged bigint;
BEGIN
    INSERT INTO nurture.event_log (contact, key, kind, type, at, received_at, clock, props, message_id, tick, n,
        history)
    SELECT b.contact, b.key, b.kind, b.type, least(b.at, b.received_at), b.received_at,
           CASE WHEN b.history THEN coalesce(s.clock, b.first_received) ELSE greatest(b.received_at, s.clock) END,
           coalesce(b.props, '{}'), b.message_id, this_tick, coalesce(s.numbers[b.ordinal], b.ordinal), b.history
    FROM (SELECT b.*, row_number() OVER (PARTITION BY b.contact ORDER BY b.received_at, b.place)::int AS ordinal,
                 first_value(b.received_at) OVER (PARTITION BY b.contact ORDER BY b.received_at, b.place) AS first_received
          FROM nurture._batch b WHERE b.reason IS NULL AND NOT b.quarantined) b
    JOIN (SELECT s.contact, (s.result).clock_before AS clock, (s.result).numbers
          FROM nurture._stepped s WHERE (s.result).failure IS NULL) s ON s.contact = b.contact
    WHERE coalesce(s.numbers[b.ordinal], b.ordinal) <> 0;
    GET DIAGNOSTICS logged = ROW_COUNT;
    RETURN logged;
END
$$;
COMMENT ON FUNCTION nurture._write_log(bigint) IS 'logs the messages that were taken';

-- Messages that never reached a step, or that the step refused.
CREATE FUNCTION nurture._set_aside(source text, this_tick bigint, step_refused boolean) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
DECLARE
    rejected bigint;
    refused bigint := 0;
BEGIN
    INSERT INTO nurture.rejected_event (contact, type, at, props, message_id, kind, received_at, source, reason, tick)
    SELECT b.key, b.type, b.at, b.props, b.message_id, b.kind, b.received_at, _set_aside.source, b.reason, this_tick
    FROM nurture._batch b WHERE b.reason IS NOT NULL ORDER BY b.place;
    GET DIAGNOSTICS rejected = ROW_COUNT;
    IF step_refused THEN
        INSERT INTO nurture.rejected_event (contact, type, at, props, message_id, kind, received_at, source, reason, tick)
        SELECT b.key, b.type, b.at, b.props, b.message_id, b.kind, b.received_at, _set_aside.source, r.reason, this_tick
        FROM (SELECT b.*, row_number() OVER (PARTITION BY b.contact ORDER BY b.received_at, b.place) AS ordinal
              FROM nurture._batch b WHERE b.reason IS NULL AND NOT b.quarantined) b
        JOIN (SELECT s.contact, r.message, r.reason
              FROM nurture._stepped s CROSS JOIN LATERAL nurture._rejections((s.result).outputs) r
              WHERE (s.result).kinds & 32 <> 0) r ON r.contact = b.contact AND r.message = b.ordinal;
        GET DIAGNOSTICS refused = ROW_COUNT;
    END IF;
    RETURN rejected + refused;
END
$$;
COMMENT ON FUNCTION nurture._set_aside(text, bigint, boolean) IS 'keeps malformed messages, with the reason';

-- A contact whose step failed keeps its row as it was, is due no more, and its messages wait.
CREATE FUNCTION nurture._quarantine(source text, this_tick bigint, failed bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept bigint;
    example text;
BEGIN
    IF failed > current_setting('nurture.quarantine_limit')::bigint THEN
        SELECT format('contact "%s": %s', s.contact, (s.result).failure) INTO example
        FROM nurture._stepped s WHERE (s.result).failure IS NOT NULL ORDER BY s.contact LIMIT 1;
        RAISE EXCEPTION 'the steps of % contacts failed in one tick', failed
            USING ERRCODE = 'data_corrupted', DETAIL = 'The first: ' || example,
                  HINT = 'Mend the cause, or raise nurture.quarantine_limit to set them all aside.';
    END IF;
    IF failed > 0 THEN
        INSERT INTO nurture.quarantine (contact, reason, tick)
        SELECT s.contact, (s.result).failure, this_tick FROM nurture._stepped s WHERE (s.result).failure IS NOT NULL
        ON CONFLICT (contact) DO NOTHING;
        UPDATE nurture.contact c SET due = NULL FROM nurture._stepped s
        WHERE (s.result).failure IS NOT NULL AND c.contact = s.contact;
    END IF;
    -- Somebody may have released one of them since the snapshot: then this raises 40001, and the tick begins again.
    PERFORM FROM nurture.quarantine q WHERE q.contact IN (SELECT b.contact FROM nurture._batch b WHERE b.quarantined)
    FOR KEY SHARE;
    INSERT INTO nurture.quarantined_message (of_contact, contact, type, at, props, message_id, kind, received_at, source)
    SELECT b.contact, b.key, b.type, b.at, b.props, b.message_id, b.kind, b.received_at, _quarantine.source
    FROM nurture._batch b
    WHERE b.reason IS NULL AND (b.quarantined OR failed > 0 AND EXISTS (SELECT FROM nurture._stepped s
              WHERE s.contact = b.contact AND (s.result).failure IS NOT NULL))
    ORDER BY b.received_at, b.place;
    GET DIAGNOSTICS kept = ROW_COUNT;
    RETURN kept;
END
$$;
COMMENT ON FUNCTION nurture._quarantine(text, bigint, bigint) IS 'sets contacts aside whose step failed';

-- The next rows of the contacts. A `due` that is too early is kept rather than moved later: waking early is harmless, and
-- the update stays heap-only.
CREATE FUNCTION nurture._write_contacts(moment timestamptz, model_id int) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO nurture.contact (contact, state, due, model)
    SELECT s.contact, (s.result).state,
           CASE WHEN s.due_before > moment AND ((s.result).due > s.due_before OR (s.result).due IS NULL)
                THEN s.due_before ELSE (s.result).due END,
           model_id
    FROM nurture._stepped s WHERE (s.result).failure IS NULL
    ON CONFLICT (contact) DO UPDATE SET state = excluded.state, due = excluded.due, model = excluded.model;
END
$$;
COMMENT ON FUNCTION nurture._write_contacts(timestamptz, int) IS 'writes the contacts'' next rows';

-- The outputs, kind by kind; `kinds` says which there are (see OutputKinds in outputs.hpp).
CREATE FUNCTION nurture._write_outputs(kinds int, this_tick bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
    IF kinds & 1 <> 0 THEN
        INSERT INTO nurture.transition (tick, contact, n, at, kind, name, version, step, cause, cause_tick, cause_n, detail)
        SELECT this_tick, s.contact, t.n, t.at, t.kind, t.name, t.version, t.step, t.cause, t.cause_tick, t.cause_n,
               CASE WHEN t.reason IS NOT NULL THEN jsonb_build_object('reason', t.reason) END
        FROM nurture._stepped s CROSS JOIN LATERAL nurture._transitions((s.result).outputs) t
        WHERE (s.result).kinds & 1 <> 0;
    END IF;
    IF kinds & 2 <> 0 THEN
        INSERT INTO nurture.action (id, contact, channel, template, purpose, transactional, payload, status, due, expires,
                                    priority, attempts, workflow, version, journey, step, created_at)
        SELECT a.id, s.contact, a.channel, a.template, a.purpose, a.transactional, a.payload, 'ready', a.due, a.expires,
               a.priority, 0, a.workflow, a.version, a.journey, a.step, a.due
        FROM nurture._stepped s CROSS JOIN LATERAL nurture._actions((s.result).outputs) a
        WHERE (s.result).kinds & 2 <> 0
        ON CONFLICT (id) DO NOTHING;
        PERFORM nurture._notify_actions(ARRAY(
            SELECT DISTINCT a.channel FROM nurture._stepped s CROSS JOIN LATERAL nurture._actions((s.result).outputs) a
            WHERE (s.result).kinds & 2 <> 0));
    END IF;
    IF kinds & 4 <> 0 THEN
        INSERT INTO nurture.action_cancel (id, contact, reason, at, tick)
        SELECT c.id, s.contact, c.reason, c.at, this_tick
        FROM nurture._stepped s CROSS JOIN LATERAL nurture._cancellations((s.result).outputs) c
        WHERE (s.result).kinds & 4 <> 0;
    END IF;
    IF kinds & 8 <> 0 THEN
        INSERT INTO nurture.event_log (contact, key, kind, type, at, received_at, clock, props, tick, n)
        SELECT s.contact, s.contact, '$engine', w.type, w.at, w.at, w.at, w.props, this_tick, w.n
        FROM nurture._stepped s CROSS JOIN LATERAL nurture._written((s.result).outputs) w
        WHERE (s.result).kinds & 8 <> 0;
    END IF;
    IF kinds & 16 <> 0 THEN
        DELETE FROM nurture.membership_entry e
        USING nurture._stepped s CROSS JOIN LATERAL nurture._memberships((s.result).outputs) m
        WHERE (s.result).kinds & 16 <> 0 AND NOT m.member AND e.contact = s.contact AND e.segment = m.segment;
        INSERT INTO nurture.membership_entry (contact, segment, since, cause)
        SELECT s.contact, m.segment, m.since, m.cause
        FROM nurture._stepped s CROSS JOIN LATERAL nurture._memberships((s.result).outputs) m
        WHERE (s.result).kinds & 16 <> 0 AND m.member
        ON CONFLICT (contact, segment) DO UPDATE SET since = excluded.since, cause = excluded.cause;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._write_outputs(int, bigint) IS 'writes transitions, actions, cancellations, own events, memberships';

-- Small leftovers are deleted, large ones truncated: the tables are ours alone and empty between ticks. Should somebody be
-- looking at them all the same, the tick does not wait for him.
CREATE FUNCTION nurture._clear_batch(rows bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF rows > 2000 THEN
        BEGIN
            LOCK TABLE nurture._batch, nurture._stepped IN ACCESS EXCLUSIVE MODE NOWAIT;
            TRUNCATE nurture._batch, nurture._stepped;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END IF;
    DELETE FROM nurture._batch;
    DELETE FROM nurture._stepped;
END
$$;
COMMENT ON FUNCTION nurture._clear_batch(bigint) IS 'empties the batch';

REVOKE ALL ON FUNCTION nurture._plan_drain(text, timestamptz), nurture._next_range(timestamptz),
    nurture._fill_batch(text, tid, tid, timestamptz, timestamptz),
    nurture._consume(text, bigint, tid, tid, timestamptz, timestamptz),
    nurture._step_messages(nurture.compiled_model, timestamptz, bigint),
    nurture._step_due(nurture.compiled_model, timestamptz, timestamptz, bigint, bigint), nurture._write_log(bigint),
    nurture._set_aside(text, bigint, boolean), nurture._quarantine(text, bigint, bigint),
    nurture._write_contacts(timestamptz, int), nurture._write_outputs(int, bigint), nurture._clear_batch(bigint)
    FROM PUBLIC;

-- The tick: batches until everything received or due by a moment is done.

CREATE FUNCTION nurture._in_transaction_block() RETURNS boolean
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'nurture_in_transaction_block';
COMMENT ON FUNCTION nurture._in_transaction_block() IS 'whether BEGIN is in force';

-- One batch, in a REPEATABLE READ transaction. `moment` NULL: the transaction's start, which is before its snapshot, so
-- that nothing received by then can be missing from what the snapshot shows.
CREATE FUNCTION nurture._tick_batch(now timestamptz DEFAULT NULL, OUT more boolean, OUT next_due timestamptz)
    RETURNS SETOF record ROWS 1
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    moment CONSTANT timestamptz := coalesce(now, transaction_timestamp());
    began CONSTANT timestamptz := clock_timestamp();
    batch_rows CONSTANT bigint := current_setting('nurture.batch_rows');
    engine nurture.engine;
    this_tick bigint;
    model_id int;
    model nurture.compiled_model;
    range record;
    taken bigint;
    stepped bigint := 0;
    woken bigint := 0;
    counts record;
    logged bigint := 0;
    rejected bigint := 0;
    quarantined bigint := 0;
BEGIN
    PERFORM nurture._lock_engine();
    IF current_setting('transaction_isolation') NOT IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION 'a tick needs isolation level REPEATABLE READ'
            USING ERRCODE = 'active_sql_transaction', HINT = 'BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick(); COMMIT;';
    END IF;
    SELECT e.* INTO engine FROM nurture.engine e;
    IF engine.tick IS NULL AND NOT EXISTS (SELECT FROM nurture.contact) THEN
        PERFORM nurture._adopt_database();
        SELECT e.* INTO engine FROM nurture.engine e;
    END IF;
    IF NOT nurture._is_own_database() THEN
        RAISE EXCEPTION 'this database is a copy: the engine does not run in it by itself'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'If it takes the place of the original, call nurture.resume(); if it does not, leave it, so that nobody is mailed twice.';
    END IF;
    IF moment <= engine.drained THEN
        more := false;
        next_due := engine.drained + interval '1 microsecond'; -- the clock was set back, or somebody simulated another
        RETURN NEXT;
        RETURN;
    END IF;
    this_tick := engine.tick + 1;
    -- Maintenance makes them in time, unless the server was down or the clock is simulated.
    IF engine.drained IS NULL OR date_trunc('month', moment, 'UTC') > date_trunc('month', engine.drained, 'UTC') THEN
        PERFORM nurture._make_partitions(moment + interval '1 month');
    END IF;
    IF EXISTS (SELECT FROM nurture.pending_change) OR NOT EXISTS (SELECT FROM nurture.model) THEN
        PERFORM nurture._take_up_definitions(this_tick);
    END IF;
    SELECT m.id, m.model INTO model_id, model FROM nurture._current_model m;
    IF model_id IS NULL THEN
        RAISE EXCEPTION 'there is no model to run: the definitions do not compile' USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = (SELECT e.model_problem FROM nurture.engine e),
            HINT = 'Correct or disable the definition; the next tick looks again.';
    END IF;

    SELECT r.* INTO range FROM nurture._next_range(moment) r;
    taken := nurture._fill_batch(range.source, range.first_row, range.behind_row, range.horizon, moment);
    IF taken > 0 THEN
        stepped := nurture._step_messages(model, CASE WHEN range.all_of_it THEN moment END, this_tick);
    END IF;
    IF range.all_of_it THEN
        woken := nurture._step_due(model, coalesce(engine.due_from, '-infinity'), moment, this_tick, batch_rows);
    END IF;
    more := NOT range.all_of_it OR woken = batch_rows;

    SELECT coalesce(bit_or((s.result).kinds), 0) AS kinds, count((s.result).failure) AS failed,
           coalesce(sum((s.result).duplicates), 0) AS duplicates, coalesce(sum((s.result).unconvertible), 0) AS unconvertible,
           min((s.result).due) AS due
    INTO counts FROM nurture._stepped s;
    IF taken > 0 THEN
        logged := nurture._write_log(this_tick);
        rejected := nurture._set_aside(range.source, this_tick, counts.kinds & 32 <> 0);
    END IF;
    IF taken > 0 OR counts.failed > 0 THEN
        quarantined := nurture._quarantine(range.source, this_tick, counts.failed);
    END IF;
    IF stepped + woken > 0 THEN
        PERFORM nurture._write_contacts(moment, model_id);
    END IF;
    IF counts.kinds <> 0 THEN
        PERFORM nurture._write_outputs(counts.kinds, this_tick);
    END IF;
    IF taken > 0 OR range.chunk IS NOT NULL THEN -- a range may hold nothing that has its turn yet
        PERFORM nurture._consume(range.source, range.chunk, range.first_row, range.behind_row, range.horizon, moment);
    END IF;
    IF taken + woken > 0 THEN
        PERFORM nurture._clear_batch(taken + stepped + woken);
    END IF;

    IF NOT more THEN
        SELECT min(c.due) INTO next_due FROM nurture.contact c WHERE c.due > moment;
        IF EXISTS (SELECT FROM nurture.history) THEN
            more := true;
        END IF;
        next_due := least(next_due, (SELECT min(i.received_at) FROM nurture.inbox i WHERE i.received_at > moment));
    END IF;
    -- The next scan for due contacts begins where this one ended, unless a batch in the middle of a backlog has just made
    -- somebody due earlier.
    -- A tick that found nothing leaves no trace, so that idling writes nothing; a simulated clock moves with every tick.
    IF taken + woken > 0 OR engine.drained IS NULL OR moment - engine.drained > interval '1 second' OR NOT nurture._enabled() THEN
        UPDATE nurture.engine e
        SET tick = CASE WHEN taken + woken > 0 OR e.tick = 0 THEN this_tick ELSE e.tick END,
            drained = CASE WHEN more THEN e.drained ELSE moment END,
            due_from = CASE WHEN range.all_of_it AND woken < batch_rows THEN moment
                            ELSE least(e.due_from, counts.due) END,
            logged = e.logged + logged, rejected = e.rejected + rejected,
            duplicates = e.duplicates + counts.duplicates, quarantined = e.quarantined + quarantined,
            unconvertible = e.unconvertible + counts.unconvertible,
            last_tick_at = CASE WHEN taken + woken > 0 THEN clock_timestamp() ELSE e.last_tick_at END,
            last_tick_rows = CASE WHEN taken + woken > 0 THEN taken + woken ELSE e.last_tick_rows END,
            last_tick_ms = CASE WHEN taken + woken > 0
                                THEN round((extract(epoch FROM clock_timestamp() - began) * 1000)::numeric, 1)
                                ELSE e.last_tick_ms END;
    END IF;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION nurture._tick_batch(timestamptz) IS 'one batch; more: call again; next_due: when time alone brings something';
REVOKE ALL ON FUNCTION nurture._tick_batch(timestamptz), nurture._in_transaction_block() FROM PUBLIC;

CREATE PROCEDURE nurture.tick(now timestamptz DEFAULT pg_catalog.clock_timestamp())
    LANGUAGE plpgsql AS $$
DECLARE
    outside CONSTANT boolean := NOT nurture._in_transaction_block();
    again boolean := true;
    conflicts int := 0;
BEGIN
    IF now IS NULL THEN
        RAISE EXCEPTION 'now must not be null' USING ERRCODE = 'null_value_not_allowed';
    ELSIF now OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp() AND nurture._enabled() THEN
        RAISE EXCEPTION 'now is in the future' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'A simulated clock needs ALTER DATABASE … SET nurture.enabled = off, and a new session.';
    ELSIF NOT outside AND pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.=) 'read committed' THEN
        RAISE EXCEPTION 'a tick inside a transaction block needs isolation level REPEATABLE READ'
            USING ERRCODE = 'active_sql_transaction',
                  HINT = 'BEGIN ISOLATION LEVEL REPEATABLE READ; CALL nurture.tick(); COMMIT; or call it outside a block.';
    END IF;
    WHILE again LOOP
        IF NOT outside THEN
            SELECT b.more INTO again FROM nurture._tick_batch(now) b;
            CONTINUE;
        END IF;
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
        BEGIN
            SELECT b.more INTO again FROM nurture._tick_batch(now) b;
            conflicts := 0;
        EXCEPTION WHEN serialization_failure OR deadlock_detected THEN
            conflicts := conflicts OPERATOR(pg_catalog.+) 1;
            IF conflicts OPERATOR(pg_catalog.>) 20 THEN
                RAISE;
            END IF;
        END;
        IF conflicts OPERATOR(pg_catalog.>) 0 THEN
            ROLLBACK;
        END IF;
    END LOOP;
    IF outside THEN
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        PERFORM nurture._maintain();
        COMMIT;
    END IF;
END
$$;
COMMENT ON PROCEDURE nurture.tick(timestamptz) IS
    'does everything received or due by now; outside a transaction block it commits batch by batch';
REVOKE ALL ON PROCEDURE nurture.tick(timestamptz) FROM PUBLIC;

-- What is done between ticks, in READ COMMITTED.
CREATE FUNCTION nurture._maintain() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    emptied regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM nurture.engine) OR NOT nurture._is_own_database() THEN
        RETURN;
    END IF;
    WHILE nurture._outbox_maintain() >= 10000 LOOP
    END LOOP;
    PERFORM nurture._make_partitions(clock_timestamp() + interval '1 month');
    -- An emptied inbox is truncated rather than vacuumed. Only here: inside the tick's snapshot it would destroy rows that
    -- were committed since. Whoever is writing has the table locked; then it is the next time's.
    FOREACH emptied IN ARRAY ARRAY['nurture.inbox', 'nurture.history']::regclass[] LOOP
        CONTINUE WHEN pg_relation_size(emptied) < 1048576 OR current_setting('transaction_isolation') <> 'read committed'
            OR EXISTS (SELECT FROM nurture._drain_plan p WHERE p.source = emptied::text OR 'nurture.' || p.source = emptied::text);
        BEGIN
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE NOWAIT', emptied);
            IF emptied = 'nurture.inbox'::regclass AND NOT EXISTS (SELECT FROM nurture.inbox)
                OR emptied = 'nurture.history'::regclass AND NOT EXISTS (SELECT FROM nurture.history) THEN
                EXECUTE format('TRUNCATE %s', emptied);
            END IF;
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION nurture._maintain() IS 'what the engine does between ticks: outbox, partitions, empty inboxes';
REVOKE ALL ON FUNCTION nurture._maintain() FROM PUBLIC;

CREATE FUNCTION nurture.wait_for(message_id text, timeout interval DEFAULT '10 seconds') RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    until CONSTANT timestamptz := clock_timestamp() + timeout;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'wait_for needs isolation level READ COMMITTED' USING ERRCODE = 'active_sql_transaction',
            HINT = 'A snapshot that stands still never shows the message taken.';
    END IF;
    LOOP
        IF NOT EXISTS (SELECT FROM nurture.inbox i WHERE i.message_id = wait_for.message_id)
            AND NOT EXISTS (SELECT FROM nurture.history h WHERE h.message_id = wait_for.message_id) THEN
            RETURN true;
        END IF;
        IF clock_timestamp() >= until THEN
            RETURN false;
        END IF;
        PERFORM pg_sleep(0.005);
    END LOOP;
END
$$;
COMMENT ON FUNCTION nurture.wait_for(text, interval) IS
    'reads your own writes: waits until a committed message was taken; false when the time is over';
REVOKE ALL ON FUNCTION nurture.wait_for(text, interval) FROM PUBLIC;

-- What analysts read: leads, scores and what they are made of, journeys, timelines, how fresh all of it is.

CREATE FUNCTION nurture._score(model nurture.compiled_model, state nurture.profile, topic text, at timestamptz) RETURNS numeric
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_score';
CREATE FUNCTION nurture._scores(model nurture.compiled_model, state nurture.profile, at timestamptz) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'nurture_scores';
CREATE FUNCTION nurture._segments(model nurture.compiled_model, state nurture.profile) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_segments';
CREATE FUNCTION nurture._attributes(state nurture.profile) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'nurture_attributes';
CREATE FUNCTION nurture._first_seen(state nurture.profile) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'nurture_first_seen';
CREATE FUNCTION nurture._last_seen(state nurture.profile) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'nurture_last_seen';
CREATE FUNCTION nurture._clock(state nurture.profile) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'nurture_clock';
CREATE FUNCTION nurture._explain(model nurture.compiled_model, state nurture.profile, at timestamptz)
    RETURNS TABLE (rule text, topic text, points numeric, occurrences numeric, contribution numeric)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 10 AS 'MODULE_PATHNAME', 'nurture_explain';
CREATE FUNCTION nurture._journeys(model nurture.compiled_model, state nurture.profile)
    RETURNS TABLE (workflow text, version int, instance int, step text, started timestamptz, since timestamptz,
        wakes_at timestamptz)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 1 AS 'MODULE_PATHNAME', 'nurture_journeys';
CREATE FUNCTION nurture._describe(model nurture.compiled_model, state nurture.profile) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'nurture_describe';
REVOKE ALL ON FUNCTION nurture._score(nurture.compiled_model, nurture.profile, text, timestamptz),
    nurture._scores(nurture.compiled_model, nurture.profile, timestamptz),
    nurture._explain(nurture.compiled_model, nurture.profile, timestamptz) FROM PUBLIC;
-- Functions in a view run as the caller: whoever may read the view needs these. They see nothing but their arguments.
GRANT EXECUTE ON FUNCTION nurture._score(nurture.compiled_model, nurture.profile, text, timestamptz),
    nurture._scores(nurture.compiled_model, nurture.profile, timestamptz),
    nurture._explain(nurture.compiled_model, nurture.profile, timestamptz) TO PUBLIC;

CREATE VIEW nurture.lead AS
SELECT c.contact,
       nurture._score(m.model, c.state, NULL, (SELECT nurture._now())) AS score,
       nurture._scores(m.model, c.state, (SELECT nurture._now())) AS scores,
       nurture._segments(m.model, c.state) AS segments,
       nurture._attributes(c.state) AS attributes,
       nurture._first_seen(c.state) AS first_seen,
       nurture._last_seen(c.state) AS last_seen
FROM nurture.contact c CROSS JOIN nurture._current_model m;
COMMENT ON VIEW nurture.lead IS 'every contact with its score as of now (where the clock is simulated: as of the last tick), its scores by topic, segments and attributes';
COMMENT ON COLUMN nurture.lead.score IS 'the sum of what nurture.explain lists';
COMMENT ON COLUMN nurture.lead.scores IS 'by topic';

CREATE VIEW nurture.journey AS
SELECT c.contact, j.workflow, j.version, j.step, j.since, j.wakes_at
FROM nurture.contact c CROSS JOIN nurture._current_model m CROSS JOIN LATERAL nurture._journeys(m.model, c.state) j;
COMMENT ON VIEW nurture.journey IS 'who is in which workflow now, at which step, and until when it waits at most';
REVOKE ALL ON TABLE nurture.lead, nurture.journey FROM PUBLIC;

-- The state of a contact as the log gives it up to a moment: features and attributes from the events taken by then.
CREATE FUNCTION nurture._fold(model nurture.compiled_model, messages bytea, clock timestamptz) RETURNS nurture.profile
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'nurture_fold';
CREATE FUNCTION nurture._folded(model nurture.compiled_model, contact text, until timestamptz) RETURNS nurture.profile
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT nurture._fold(model, nurture._pack(l.type, l.at, l.received_at, l.props, NULL, l.tick * 16777216 + l.n, l.history), until)
FROM nurture.event_log l WHERE l.contact = _folded.contact AND l.clock <= until
$$;
COMMENT ON FUNCTION nurture._folded(nurture.compiled_model, text, timestamptz) IS
    'features and attributes of a contact from its log, as they were at a moment';
REVOKE ALL ON FUNCTION nurture._fold(nurture.compiled_model, bytea, timestamptz),
    nurture._folded(nurture.compiled_model, text, timestamptz) FROM PUBLIC;

-- Today's contact of a key.
CREATE FUNCTION nurture._contact_of(key text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce((SELECT i.contact FROM nurture.identity i WHERE i.key = _contact_of.key ORDER BY i.kind LIMIT 1), key)
$$;
COMMENT ON FUNCTION nurture._contact_of(text) IS 'the contact that a key belongs to today';
REVOKE ALL ON FUNCTION nurture._contact_of(text) FROM PUBLIC;

CREATE FUNCTION nurture.score(contact text, topic text DEFAULT NULL, at timestamptz DEFAULT nurture._now(),
        points text DEFAULT 'today') RETURNS numeric
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    key CONSTANT text := nurture._contact_of(contact);
    model nurture.compiled_model;
    state nurture.profile;
BEGIN
    IF points NOT IN ('today', 'then') THEN
        RAISE EXCEPTION 'points must be ''today'' or ''then'', not ''%''', points USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT m.model INTO model FROM nurture.model m
    WHERE points = 'today' OR m.compiled_at <= at OR m.id = (SELECT min(o.id) FROM nurture.model o)
    ORDER BY m.id DESC LIMIT 1;
    SELECT c.state INTO state FROM nurture.contact c WHERE c.contact = key;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF at < nurture._clock(state) OR points = 'then' THEN
        state := nurture._folded(model, key, at);
    END IF;
    RETURN coalesce(nurture._score(model, state, topic, at), 0);
END
$$;
COMMENT ON FUNCTION nurture.score(text, text, timestamptz, text) IS
    'a contact''s score, whole or of a topic, at a moment; points => ''then'' counts with the rules as they were; NULL: no such contact';
REVOKE ALL ON FUNCTION nurture.score(text, text, timestamptz, text) FROM PUBLIC;

CREATE FUNCTION nurture.explain(contact text, at timestamptz DEFAULT nurture._now())
    RETURNS TABLE (rule text, topic text, points numeric, occurrences numeric, contribution numeric, definition text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT e.rule, e.topic, e.points, e.occurrences, e.contribution, r.definition::text
FROM nurture.contact c CROSS JOIN nurture._current_model m
CROSS JOIN LATERAL nurture._explain(m.model, c.state, explain.at) e
LEFT JOIN nurture.rule r ON r.name = e.rule
WHERE c.contact = nurture._contact_of(explain.contact)
ORDER BY abs(e.contribution) DESC, e.rule
$$;
COMMENT ON FUNCTION nurture.explain(text, timestamptz) IS
    'what a score is made of: points times (decayed, capped) occurrences per rule; the contributions add up to the score exactly';
REVOKE ALL ON FUNCTION nurture.explain(text, timestamptz) FROM PUBLIC;

CREATE FUNCTION nurture.describe(contact text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT nurture._describe(m.model, c.state) FROM nurture.contact c CROSS JOIN nurture._current_model m
WHERE c.contact = nurture._contact_of(describe.contact)
$$;
COMMENT ON FUNCTION nurture.describe(text) IS 'everything the engine knows of a contact, as JSON';
REVOKE ALL ON FUNCTION nurture.describe(text) FROM PUBLIC;

CREATE FUNCTION nurture.timeline(contact text)
    RETURNS TABLE (at timestamptz, what text, name text, detail text, cause text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
WITH of AS (SELECT nurture._contact_of(timeline.contact) AS contact)
SELECT t.at, t.what, t.name, t.detail, t.cause
FROM (
    SELECT l.clock AS at, l.tick, 0 AS rank, l.n, 'event' AS what, l.type AS name, nullif(l.props::text, '{}') AS detail,
           CASE WHEN l.clock - l.at > interval '1 second' THEN 'happened ' || l.at::text END AS cause
    FROM nurture.event_log l, of WHERE l.contact = of.contact
    UNION ALL
    SELECT x.at, x.tick, 1, x.n, x.kind, x.name, nullif(concat_ws(', ', 'step ' || x.step, x.detail ->> 'reason'), ''), x.cause
    FROM nurture.transition x, of WHERE x.contact = of.contact
    UNION ALL
    SELECT a.created_at, NULL, 2, NULL, a.channel || ' ' || a.status, coalesce(a.template, a.channel),
           nullif(concat_ws(', ', nullif(a.payload::text, '{}'), a.reason), ''),
           format('workflow %s, step %s', a.workflow, a.step)
    FROM nurture.action a, of WHERE a.contact = of.contact
) t
ORDER BY t.at, t.tick NULLS LAST, t.rank, t.n
$$;
COMMENT ON FUNCTION nurture.timeline(text) IS 'a contact''s story: events, transitions and actions by logical time';
REVOKE ALL ON FUNCTION nurture.timeline(text) FROM PUBLIC;
CREATE INDEX action_contact ON nurture.action (contact);

-- How far the engine is, and whether incremental equals recomputed.

CREATE FUNCTION nurture._freshness(OUT status text, OUT waiting bigint, OUT oldest_waiting interval, OUT due_now boolean,
        OUT next_due timestamptz, OUT worker text, OUT sleeping_until timestamptz, OUT last_error text, OUT last_error_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w record;
    e nurture.engine;
    paused boolean;
BEGIN
    SELECT * INTO w FROM nurture._worker_status();
    SELECT * INTO e FROM nurture.engine;
    SELECT s.paused INTO paused FROM nurture.sending s;
    SELECT count(*), clock_timestamp() - min(i.received_at) INTO waiting, oldest_waiting
    FROM nurture.inbox i WHERE (i.received_at > clock_timestamp()) IS NOT TRUE;
    SELECT min(c.due) INTO next_due FROM nurture.contact c WHERE c.due >= coalesce(e.due_from, '-infinity');
    due_now := coalesce(next_due <= clock_timestamp(), false);
    worker := coalesce(w.state, 'none');
    sleeping_until := w.sleeping_until;
    last_error := w.last_error;
    last_error_at := w.last_error_at;
    status := CASE
        WHEN NOT nurture._is_own_database() THEN 'restored copy: nothing runs until nurture.resume()'
        WHEN NOT nurture._enabled() THEN 'switched off by nurture.enabled'
        WHEN w.pid IS NULL THEN 'no worker runs: nurture.start_worker(), or CALL nurture.tick()'
        WHEN w.failures > 0 THEN 'the worker fails: see last_error'
        WHEN e.model_problem IS NOT NULL THEN 'the definitions do not compile, the last good model stays: see model_problem'
        WHEN paused THEN 'paused: nothing is claimable until nurture.resume()'
        WHEN oldest_waiting > interval '10 seconds' THEN 'behind'
        ELSE 'fresh' END;
END
$$;
COMMENT ON FUNCTION nurture._freshness() IS 'what nurture.freshness shows';

CREATE VIEW nurture.freshness AS
SELECT f.status, f.waiting, f.oldest_waiting, f.due_now, f.next_due, e.tick, e.drained, e.last_tick_at, e.last_tick_rows,
       e.last_tick_ms, e.logged, e.rejected, e.duplicates, e.quarantined, e.unconvertible, e.model_problem, f.worker,
       f.sleeping_until, f.last_error, f.last_error_at
FROM nurture._freshness() f LEFT JOIN nurture.engine e ON true;
COMMENT ON VIEW nurture.freshness IS 'how far the engine is and what holds it up';
REVOKE ALL ON TABLE nurture.freshness FROM PUBLIC;

CREATE FUNCTION nurture._differences(model nurture.compiled_model, stored nurture.profile, recomputed nurture.profile, path boolean)
    RETURNS TABLE (what text, stored_value text, recomputed_value text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 ROWS 1 AS 'MODULE_PATHNAME', 'nurture_differences';

-- A contact's path again from its log: tick by tick, with the models as they switched. Timers that came before a message
-- run before it; the log keeps the message's logical time.
CREATE FUNCTION nurture._replayed(contact text, until timestamptz) RETURNS nurture.profile
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    epoch record;
    turn record;
    last_model int;
    state nurture.profile;
    due timestamptz;
    result nurture.step_result;
BEGIN
    SELECT c.model INTO last_model FROM nurture.contact c WHERE c.contact = contact;
    FOR epoch IN
        SELECT m.id, m.model, m.from_tick, lead(m.from_tick) OVER w AS behind_tick, lead(m.from_clock) OVER w AS until
        FROM nurture.model m WHERE m.id <= last_model WINDOW w AS (ORDER BY m.id) ORDER BY m.id
    LOOP
        FOR turn IN
            SELECT l.tick, min(l.clock) AS begins,
                   nurture._pack(l.type, l.at, l.received_at, l.props, l.message_id, l.n::bigint, l.history) AS messages
            FROM nurture.event_log l
            WHERE l.contact = contact AND l.kind IS DISTINCT FROM '$engine' AND l.clock <= until
              AND l.tick >= epoch.from_tick AND (epoch.behind_tick IS NULL OR l.tick < epoch.behind_tick)
            GROUP BY l.tick ORDER BY l.tick
        LOOP
            IF due <= turn.begins THEN
                result := nurture._step(epoch.model, contact, state, NULL, turn.begins, turn.tick);
                state := result.state;
            END IF;
            result := nurture._step(epoch.model, contact, state, turn.messages, NULL, turn.tick);
            state := result.state;
            due := result.due;
        END LOOP;
        IF due <= least(epoch.until, until) THEN
            result := nurture._step(epoch.model, contact, state, NULL, least(epoch.until, until),
                                    coalesce(epoch.behind_tick, epoch.from_tick));
            state := result.state;
            due := result.due;
        END IF;
    END LOOP;
    RETURN state;
END
$$;
COMMENT ON FUNCTION nurture._replayed(text, timestamptz) IS 'a contact''s whole state again from its log';
REVOKE ALL ON FUNCTION nurture._replayed(text, timestamptz),
    nurture._differences(nurture.compiled_model, nurture.profile, nurture.profile, boolean) FROM PUBLIC;

CREATE FUNCTION nurture.verify(contact text DEFAULT NULL, sample double precision DEFAULT NULL, path boolean DEFAULT false)
    RETURNS TABLE (contact_key text, what text, stored text, recomputed text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF sample IS NOT NULL AND NOT (sample > 0 AND sample <= 1) THEN
        RAISE EXCEPTION 'sample must be a share between 0 and 1' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
    SELECT c.contact, d.what, d.stored_value, d.recomputed_value
    FROM nurture.contact c
    CROSS JOIN LATERAL (SELECT m.model FROM nurture.model m WHERE m.id = c.model) m
    CROSS JOIN LATERAL (
        SELECT CASE WHEN verify.path THEN nurture._replayed(c.contact, nurture._clock(c.state))
                    ELSE nurture._folded(m.model, c.contact, nurture._clock(c.state)) END AS state) r
    CROSS JOIN LATERAL nurture._differences(m.model, c.state, r.state, verify.path) d
    WHERE (verify.contact IS NULL OR c.contact = nurture._contact_of(verify.contact))
      AND (sample IS NULL OR (hashtextextended(c.contact, 0) & 1048575) < sample * 1048576);
END
$$;
COMMENT ON FUNCTION nurture.verify(text, double precision, boolean) IS
    'folds (path: replays) the log of a contact, a share of all, or all, and lists where the stored state differs; empty: none';
REVOKE ALL ON FUNCTION nurture.verify(text, double precision, boolean) FROM PUBLIC;

-- Funnels: how far a group's rows went through a series of steps.
-- The state is internal (a buffer of events); the two-step form keeps it as a value, nurture.funnel_summary.

CREATE TYPE nurture.funnel_summary;

CREATE FUNCTION nurture._funnel_summary_in(cstring) RETURNS nurture.funnel_summary
    AS 'MODULE_PATHNAME', 'nurture_funnel_summary_in' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_out(nurture.funnel_summary) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_funnel_summary_out' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_recv(internal) RETURNS nurture.funnel_summary
    AS 'MODULE_PATHNAME', 'nurture_funnel_summary_recv' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_summary_send(nurture.funnel_summary) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_funnel_summary_send' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE nurture.funnel_summary (
    INPUT = nurture._funnel_summary_in,
    OUTPUT = nurture._funnel_summary_out,
    RECEIVE = nurture._funnel_summary_recv,
    SEND = nurture._funnel_summary_send,
    STORAGE = extended
);
COMMENT ON TYPE nurture.funnel_summary IS 'a group''s events of a funnel: times and the steps they satisfy; made by funnel_agg(), read by depth(), times() and converted_within(), added by rollup()';

-- Support of the aggregates that buffer events.
CREATE FUNCTION nurture._events_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_events_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._events_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_events_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._events_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_events_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._funnel_depth(internal) RETURNS integer
    AS 'MODULE_PATHNAME', 'nurture_funnel_depth' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE FUNCTION nurture._funnel_summary(internal) RETURNS nurture.funnel_summary
    AS 'MODULE_PATHNAME', 'nurture_funnel_summary' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE FUNCTION nurture._funnel_rollup_row(internal, nurture.funnel_summary) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_rollup_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;

CREATE FUNCTION nurture._funnel_row(internal, timestamptz, interval, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel(at timestamptz, span interval, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_depth,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel(timestamptz, interval, VARIADIC boolean[]) IS 'depth of the funnel: how many of the steps were done in their order, the last at most span after the first';
CREATE AGGREGATE nurture.funnel_agg(at timestamptz, span interval, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_summary,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_agg(timestamptz, interval, VARIADIC boolean[]) IS 'the funnel as a value that can be stored, added and asked in every mode: depth(), times(), converted_within()';

CREATE FUNCTION nurture._funnel_row(internal, timestamp, interval, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_row_timestamp' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel(at timestamp, span interval, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_depth,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel(timestamp, interval, VARIADIC boolean[]) IS 'depth of the funnel: how many of the steps were done in their order, the last at most span after the first';
CREATE AGGREGATE nurture.funnel_agg(at timestamp, span interval, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_summary,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_agg(timestamp, interval, VARIADIC boolean[]) IS 'the funnel as a value that can be stored, added and asked in every mode: depth(), times(), converted_within()';

CREATE FUNCTION nurture._funnel_row(internal, date, interval, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel(at date, span interval, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_depth,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel(date, interval, VARIADIC boolean[]) IS 'depth of the funnel: how many of the steps were done in their order, the last at most span after the first';
CREATE AGGREGATE nurture.funnel_agg(at date, span interval, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_summary,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_agg(date, interval, VARIADIC boolean[]) IS 'the funnel as a value that can be stored, added and asked in every mode: depth(), times(), converted_within()';

CREATE FUNCTION nurture._funnel_row(internal, bigint, bigint, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_funnel_row_bigint' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.funnel(at bigint, span bigint, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_depth,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel(bigint, bigint, VARIADIC boolean[]) IS 'depth of the funnel: how many of the steps were done in their order, the last at most span after the first';
CREATE AGGREGATE nurture.funnel_agg(at bigint, span bigint, VARIADIC steps boolean[]) (
    SFUNC = nurture._funnel_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_summary,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.funnel_agg(bigint, bigint, VARIADIC boolean[]) IS 'the funnel as a value that can be stored, added and asked in every mode: depth(), times(), converted_within()';

CREATE AGGREGATE nurture.rollup(summary nurture.funnel_summary) (
    SFUNC = nurture._funnel_rollup_row, STYPE = internal, SSPACE = 144,
    FINALFUNC = nurture._funnel_summary,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rollup(nurture.funnel_summary) IS 'one summary of the events of several: those of one contact''s days make its week';

CREATE FUNCTION nurture.steps(summary nurture.funnel_summary) RETURNS integer
    AS 'MODULE_PATHNAME', 'nurture_summary_steps' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION nurture.steps(nurture.funnel_summary) IS 'how many steps the funnel has, excluded conditions too';

CREATE FUNCTION nurture.depth(summary nurture.funnel_summary, mode text DEFAULT 'ordered', exclude integer[] DEFAULT '{}')
    RETURNS integer
    AS 'MODULE_PATHNAME', 'nurture_summary_depth' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION nurture.depth(nurture.funnel_summary, text, integer[]) IS 'depth of the funnel; mode: ordered, strict_order, strict_once, strict_increase, deduplicated, reentry (combined by commas) or unordered; exclude: numbers of conditions that must not occur within the chain';

CREATE FUNCTION nurture.times(summary nurture.funnel_summary, mode text DEFAULT 'ordered', exclude integer[] DEFAULT '{}')
    RETURNS timestamptz[]
    AS 'MODULE_PATHNAME', 'nurture_summary_times' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION nurture.times(nurture.funnel_summary, text, integer[]) IS 'when each step of the best chain was done, for times of type timestamptz: of the deepest chains the one complete first, of these the one begun last';

CREATE FUNCTION nurture.local_times(summary nurture.funnel_summary, mode text DEFAULT 'ordered', exclude integer[] DEFAULT '{}')
    RETURNS timestamp[]
    AS 'MODULE_PATHNAME', 'nurture_summary_local_times' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION nurture.local_times(nurture.funnel_summary, text, integer[]) IS 'when each step of the best chain was done, for times of type timestamp or date: of the deepest chains the one complete first, of these the one begun last';

CREATE FUNCTION nurture.positions(summary nurture.funnel_summary, mode text DEFAULT 'ordered', exclude integer[] DEFAULT '{}')
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'nurture_summary_positions' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION nurture.positions(nurture.funnel_summary, text, integer[]) IS 'when each step of the best chain was done, for times of type bigint: of the deepest chains the one complete first, of these the one begun last';

CREATE FUNCTION nurture.converted_within(summary nurture.funnel_summary, within interval, mode text DEFAULT 'ordered', exclude integer[] DEFAULT '{}')
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_summary_converted_within' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION nurture.converted_within(nurture.funnel_summary, interval, text, integer[]) IS 'were all steps done, the last at most this long (and at most the funnel''s span) after the first?';

-- Sequences: did events follow each other as a pattern says, how often, when; and what came next.
-- Pattern: (?1) an event of condition 1, . any event, .* any number of events, (?t<=3600) seconds between.

CREATE FUNCTION nurture._sequence_match(internal) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_sequence_match' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE FUNCTION nurture._sequence_count(internal) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_sequence_count' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE FUNCTION nurture._node_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_node_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._node_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_node_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._node_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_node_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._next_node(internal) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_next_node' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;

CREATE FUNCTION nurture._sequence_row(internal, text, timestamptz, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_sequence_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._sequence_events_timestamptz(internal) RETURNS timestamptz[]
    AS 'MODULE_PATHNAME', 'nurture_sequence_events' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE AGGREGATE nurture.sequence_match(pattern text, at timestamptz, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_match,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_match(text, timestamptz, VARIADIC boolean[]) IS 'do events match the pattern? (?1) is an event of the first condition, . any event, .* any number of events, (?t<=3600) the seconds between';
CREATE AGGREGATE nurture.sequence_count(pattern text, at timestamptz, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_count,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_count(text, timestamptz, VARIADIC boolean[]) IS 'the greatest number of matches of the pattern one after the other';
CREATE AGGREGATE nurture.sequence_events(pattern text, at timestamptz, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_events_timestamptz,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_events(text, timestamptz, VARIADIC boolean[]) IS 'the times of the (?N) elements of the match that ends first, NULL without a match';
CREATE FUNCTION nurture._node_row(internal, text, text, timestamptz, text, boolean, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_node_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.next_node(direction text, base text, at timestamptz, value text, base_condition boolean, VARIADIC path boolean[]) (
    SFUNC = nurture._node_row, STYPE = internal, SSPACE = 400,
    FINALFUNC = nurture._next_node,
    COMBINEFUNC = nurture._node_combine,
    SERIALFUNC = nurture._node_serialize, DESERIALFUNC = nurture._node_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.next_node(text, text, timestamptz, text, boolean, VARIADIC boolean[]) IS 'the value of the row right after a path of adjoining rows (direction forward) or right before it (backward); base head, tail, first_match or last_match; the path begins at a row of base_condition';

CREATE FUNCTION nurture._sequence_row(internal, text, timestamp, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_sequence_row_timestamp' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._sequence_events_timestamp(internal) RETURNS timestamp[]
    AS 'MODULE_PATHNAME', 'nurture_sequence_events' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE AGGREGATE nurture.sequence_match(pattern text, at timestamp, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_match,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_match(text, timestamp, VARIADIC boolean[]) IS 'do events match the pattern? (?1) is an event of the first condition, . any event, .* any number of events, (?t<=3600) the seconds between';
CREATE AGGREGATE nurture.sequence_count(pattern text, at timestamp, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_count,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_count(text, timestamp, VARIADIC boolean[]) IS 'the greatest number of matches of the pattern one after the other';
CREATE AGGREGATE nurture.sequence_events(pattern text, at timestamp, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_events_timestamp,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_events(text, timestamp, VARIADIC boolean[]) IS 'the times of the (?N) elements of the match that ends first, NULL without a match';
CREATE FUNCTION nurture._node_row(internal, text, text, timestamp, text, boolean, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_node_row_timestamp' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.next_node(direction text, base text, at timestamp, value text, base_condition boolean, VARIADIC path boolean[]) (
    SFUNC = nurture._node_row, STYPE = internal, SSPACE = 400,
    FINALFUNC = nurture._next_node,
    COMBINEFUNC = nurture._node_combine,
    SERIALFUNC = nurture._node_serialize, DESERIALFUNC = nurture._node_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.next_node(text, text, timestamp, text, boolean, VARIADIC boolean[]) IS 'the value of the row right after a path of adjoining rows (direction forward) or right before it (backward); base head, tail, first_match or last_match; the path begins at a row of base_condition';

CREATE FUNCTION nurture._sequence_row(internal, text, date, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_sequence_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._sequence_events_date(internal) RETURNS date[]
    AS 'MODULE_PATHNAME', 'nurture_sequence_events' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE AGGREGATE nurture.sequence_match(pattern text, at date, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_match,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_match(text, date, VARIADIC boolean[]) IS 'do events match the pattern? (?1) is an event of the first condition, . any event, .* any number of events, (?t<=3600) the seconds between';
CREATE AGGREGATE nurture.sequence_count(pattern text, at date, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_count,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_count(text, date, VARIADIC boolean[]) IS 'the greatest number of matches of the pattern one after the other';
CREATE AGGREGATE nurture.sequence_events(pattern text, at date, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_events_date,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_events(text, date, VARIADIC boolean[]) IS 'the times of the (?N) elements of the match that ends first, NULL without a match';
CREATE FUNCTION nurture._node_row(internal, text, text, date, text, boolean, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_node_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.next_node(direction text, base text, at date, value text, base_condition boolean, VARIADIC path boolean[]) (
    SFUNC = nurture._node_row, STYPE = internal, SSPACE = 400,
    FINALFUNC = nurture._next_node,
    COMBINEFUNC = nurture._node_combine,
    SERIALFUNC = nurture._node_serialize, DESERIALFUNC = nurture._node_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.next_node(text, text, date, text, boolean, VARIADIC boolean[]) IS 'the value of the row right after a path of adjoining rows (direction forward) or right before it (backward); base head, tail, first_match or last_match; the path begins at a row of base_condition';

CREATE FUNCTION nurture._sequence_row(internal, text, bigint, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_sequence_row_bigint' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._sequence_events_bigint(internal) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'nurture_sequence_events' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20;
CREATE AGGREGATE nurture.sequence_match(pattern text, at bigint, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_match,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_match(text, bigint, VARIADIC boolean[]) IS 'do events match the pattern? (?1) is an event of the first condition, . any event, .* any number of events, (?t<=3600) the seconds between';
CREATE AGGREGATE nurture.sequence_count(pattern text, at bigint, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_count,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_count(text, bigint, VARIADIC boolean[]) IS 'the greatest number of matches of the pattern one after the other';
CREATE AGGREGATE nurture.sequence_events(pattern text, at bigint, VARIADIC conditions boolean[]) (
    SFUNC = nurture._sequence_row, STYPE = internal, SSPACE = 200,
    FINALFUNC = nurture._sequence_events_bigint,
    COMBINEFUNC = nurture._events_combine,
    SERIALFUNC = nurture._events_serialize, DESERIALFUNC = nurture._events_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sequence_events(text, bigint, VARIADIC boolean[]) IS 'the times of the (?N) elements of the match that ends first, NULL without a match';
CREATE FUNCTION nurture._node_row(internal, text, text, bigint, text, boolean, VARIADIC boolean[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_node_row_bigint' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.next_node(direction text, base text, at bigint, value text, base_condition boolean, VARIADIC path boolean[]) (
    SFUNC = nurture._node_row, STYPE = internal, SSPACE = 400,
    FINALFUNC = nurture._next_node,
    COMBINEFUNC = nurture._node_combine,
    SERIALFUNC = nurture._node_serialize, DESERIALFUNC = nurture._node_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.next_node(text, text, bigint, text, boolean, VARIADIC boolean[]) IS 'the value of the row right after a path of adjoining rows (direction forward) or right before it (backward); base head, tail, first_match or last_match; the path begins at a row of base_condition';

-- Retention: which conditions held for a contact; cohorts by period with churn and resurrection; sessions.

CREATE FUNCTION nurture._retention_row(bigint, VARIADIC boolean[]) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_retention_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._retention_combine(bigint, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_retention_combine' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._retention_result(bigint) RETURNS boolean[]
    AS 'MODULE_PATHNAME', 'nurture_retention_result' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE AGGREGATE nurture.retention(VARIADIC conditions boolean[]) (
    SFUNC = nurture._retention_row, STYPE = bigint,
    FINALFUNC = nurture._retention_result,
    COMBINEFUNC = nurture._retention_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.retention(VARIADIC boolean[]) IS 'element 1: did the first condition ever hold; element i: did the first and the i-th, in whichever rows';

CREATE TYPE nurture.cohort_summary;

CREATE FUNCTION nurture._cohort_summary_in(cstring) RETURNS nurture.cohort_summary
    AS 'MODULE_PATHNAME', 'nurture_cohort_summary_in' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_out(nurture.cohort_summary) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_cohort_summary_out' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_recv(internal) RETURNS nurture.cohort_summary
    AS 'MODULE_PATHNAME', 'nurture_cohort_summary_recv' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_summary_send(nurture.cohort_summary) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_cohort_summary_send' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE nurture.cohort_summary (
    INPUT = nurture._cohort_summary_in,
    OUTPUT = nurture._cohort_summary_out,
    RECEIVE = nurture._cohort_summary_recv,
    SEND = nurture._cohort_summary_send,
    STORAGE = extended
);
COMMENT ON TYPE nurture.cohort_summary IS 'contacts by the period they began in, and how many were active in each later period; made by cohort_agg() per contact, added by rollup(), read by cohort() and growth()';

CREATE FUNCTION nurture._contact_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_contact_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._contact_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_contact_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._contact_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_contact_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._contact_summary(internal) RETURNS nurture.cohort_summary
    AS 'MODULE_PATHNAME', 'nurture_contact_summary' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10;

CREATE FUNCTION nurture._cohort_row(internal, timestamptz, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_agg(first_at timestamptz, at timestamptz, period interval) (
    SFUNC = nurture._cohort_row, STYPE = internal, SSPACE = 140,
    FINALFUNC = nurture._contact_summary,
    COMBINEFUNC = nurture._contact_combine,
    SERIALFUNC = nurture._contact_serialize, DESERIALFUNC = nurture._contact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_agg(timestamptz, timestamptz, interval) IS 'the periods (UTC) in which one contact, begun at first_at, was active; GROUP BY the contact, then rollup()';
CREATE FUNCTION nurture._cohort_row(internal, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_agg(at timestamptz, period interval) (
    SFUNC = nurture._cohort_row, STYPE = internal, SSPACE = 140,
    FINALFUNC = nurture._contact_summary,
    COMBINEFUNC = nurture._contact_combine,
    SERIALFUNC = nurture._contact_serialize, DESERIALFUNC = nurture._contact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_agg(timestamptz, interval) IS 'the periods (UTC) in which one contact, begun with its first activity, was active; GROUP BY the contact, then rollup()';

CREATE FUNCTION nurture._cohort_row(internal, timestamp, timestamp, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_agg(first_at timestamp, at timestamp, period interval) (
    SFUNC = nurture._cohort_row, STYPE = internal, SSPACE = 140,
    FINALFUNC = nurture._contact_summary,
    COMBINEFUNC = nurture._contact_combine,
    SERIALFUNC = nurture._contact_serialize, DESERIALFUNC = nurture._contact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_agg(timestamp, timestamp, interval) IS 'the periods in which one contact, begun at first_at, was active; GROUP BY the contact, then rollup()';
CREATE FUNCTION nurture._cohort_row(internal, timestamp, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_row_timestamptz' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_agg(at timestamp, period interval) (
    SFUNC = nurture._cohort_row, STYPE = internal, SSPACE = 140,
    FINALFUNC = nurture._contact_summary,
    COMBINEFUNC = nurture._contact_combine,
    SERIALFUNC = nurture._contact_serialize, DESERIALFUNC = nurture._contact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_agg(timestamp, interval) IS 'the periods in which one contact, begun with its first activity, was active; GROUP BY the contact, then rollup()';

CREATE FUNCTION nurture._cohort_row(internal, date, date, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_agg(first_at date, at date, period interval) (
    SFUNC = nurture._cohort_row, STYPE = internal, SSPACE = 140,
    FINALFUNC = nurture._contact_summary,
    COMBINEFUNC = nurture._contact_combine,
    SERIALFUNC = nurture._contact_serialize, DESERIALFUNC = nurture._contact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_agg(date, date, interval) IS 'the periods in which one contact, begun at first_at, was active; GROUP BY the contact, then rollup()';
CREATE FUNCTION nurture._cohort_row(internal, date, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_row_date' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.cohort_agg(at date, period interval) (
    SFUNC = nurture._cohort_row, STYPE = internal, SSPACE = 140,
    FINALFUNC = nurture._contact_summary,
    COMBINEFUNC = nurture._contact_combine,
    SERIALFUNC = nurture._contact_serialize, DESERIALFUNC = nurture._contact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.cohort_agg(date, interval) IS 'the periods in which one contact, begun with its first activity, was active; GROUP BY the contact, then rollup()';

CREATE FUNCTION nurture._cohort_rollup_row(internal, nurture.cohort_summary) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_rollup_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_rollup_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_rollup_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_rollup_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_cohort_rollup_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_rollup_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_cohort_rollup_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._cohort_rollup_summary(internal) RETURNS nurture.cohort_summary
    AS 'MODULE_PATHNAME', 'nurture_cohort_rollup_summary' LANGUAGE c IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.rollup(summary nurture.cohort_summary) (
    SFUNC = nurture._cohort_rollup_row, STYPE = internal, SSPACE = 2000,
    FINALFUNC = nurture._cohort_rollup_summary,
    COMBINEFUNC = nurture._cohort_rollup_combine,
    SERIALFUNC = nurture._cohort_rollup_serialize, DESERIALFUNC = nurture._cohort_rollup_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rollup(nurture.cohort_summary) IS 'adds the summaries of different contacts';

CREATE FUNCTION nurture._cohort_lines(summary nurture.cohort_summary,
        OUT cohort timestamp, OUT period bigint, OUT period_start timestamp, OUT members bigint, OUT active bigint,
        OUT retained bigint, OUT resurrected bigint, OUT churned bigint)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_cohort_lines' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 100;

CREATE FUNCTION nurture.cohort(summary nurture.cohort_summary)
    RETURNS TABLE (cohort timestamp, period bigint, period_start timestamp, members bigint, active bigint,
                   rate numeric, retained bigint, resurrected bigint, churned bigint)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 100
    BEGIN ATOMIC
        SELECT l.cohort, l.period, l.period_start, l.members, l.active,
               pg_catalog.round(l.active::numeric OPERATOR(pg_catalog./) l.members::numeric, 6),
               l.retained, l.resurrected, l.churned
          FROM nurture._cohort_lines(summary) AS l
         ORDER BY l.cohort, l.period;
    END;
COMMENT ON FUNCTION nurture.cohort(nurture.cohort_summary) IS 'the retention table: per cohort and period the members, those active and their share, those active in the period before too (retained), back after a pause (resurrected), and gone since the period before (churned)';

CREATE FUNCTION nurture.growth(summary nurture.cohort_summary)
    RETURNS TABLE (period_start timestamp, active bigint, new bigint, retained bigint, resurrected bigint, churned bigint)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 100
    BEGIN ATOMIC
        SELECT l.period_start,
               pg_catalog.sum(l.active)::bigint,
               pg_catalog.sum(CASE WHEN l.period OPERATOR(pg_catalog.=) 0 THEN l.active ELSE 0 END)::bigint,
               pg_catalog.sum(l.retained)::bigint,
               pg_catalog.sum(l.resurrected)::bigint,
               pg_catalog.sum(l.churned)::bigint
          FROM nurture._cohort_lines(summary) AS l
         GROUP BY l.period_start
         ORDER BY l.period_start;
    END;
COMMENT ON FUNCTION nurture.growth(nurture.cohort_summary) IS 'growth accounting per period: active = new + retained + resurrected, and active = active before - churned + new + resurrected';

CREATE FUNCTION nurture.sessionize(at timestamptz, gap interval) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_sessionize_timestamptz' LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nurture.sessionize(timestamptz, interval) IS 'number of the session, from 1, over (PARTITION BY contact ORDER BY at): a new one begins when more than the gap has passed since the row before';

CREATE FUNCTION nurture.sessionize(at timestamp, gap interval) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_sessionize_timestamptz' LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nurture.sessionize(timestamp, interval) IS 'number of the session, from 1, over (PARTITION BY contact ORDER BY at): a new one begins when more than the gap has passed since the row before';

CREATE FUNCTION nurture.sessionize(at date, gap interval) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_sessionize_date' LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nurture.sessionize(date, interval) IS 'number of the session, from 1, over (PARTITION BY contact ORDER BY at): a new one begins when more than the gap has passed since the row before';

CREATE FUNCTION nurture.sessionize(at bigint, gap bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'nurture_sessionize_bigint' LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nurture.sessionize(bigint, bigint) IS 'number of the session, from 1, over (PARTITION BY contact ORDER BY at): a new one begins when more than the gap has passed since the row before';

-- Attribution in two steps: path_agg per contact, attribution_agg over the paths, and the models read its summary.

CREATE TYPE nurture.path;
COMMENT ON TYPE nurture.path IS 'the touches of one contact (time, channel), in order of time';

CREATE FUNCTION nurture._path_in(cstring) RETURNS nurture.path
    AS 'MODULE_PATHNAME', 'nurture_path_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._path_out(nurture.path) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_path_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._path_recv(internal) RETURNS nurture.path
    AS 'MODULE_PATHNAME', 'nurture_path_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._path_send(nurture.path) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_path_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE nurture.path (
    INPUT = nurture._path_in, OUTPUT = nurture._path_out, RECEIVE = nurture._path_recv, SEND = nurture._path_send,
    STORAGE = extended
);

CREATE FUNCTION nurture._path_transition(internal, timestamptz, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_path_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._path_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_path_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._path_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_path_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._path_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_path_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._path_final(internal) RETURNS nurture.path
    AS 'MODULE_PATHNAME', 'nurture_path_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.path_agg(at timestamptz, channel text) (
    SFUNC = nurture._path_transition, STYPE = internal, SSPACE = 256, FINALFUNC = nurture._path_final,
    COMBINEFUNC = nurture._path_combine, SERIALFUNC = nurture._path_serialize,
    DESERIALFUNC = nurture._path_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.path_agg(timestamptz, text) IS
    'the touches as a path, whatever the order of the rows: by time, at equal times by the bytes of the channel''s name; a row with a NULL is no touch';

CREATE FUNCTION nurture.path_of(channels text[]) RETURNS nurture.path
    AS 'MODULE_PATHNAME', 'nurture_path_of_channels' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nurture.path_of(text[]) IS
    'a path of which only the order is known; NULL without channels (time decay then credits all touches alike)';
CREATE FUNCTION nurture.channels(path nurture.path) RETURNS text[]
    AS 'MODULE_PATHNAME', 'nurture_path_channels' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nurture.channels(nurture.path) IS 'the channels of a path, in its order';
CREATE FUNCTION nurture.lookback(path nurture.path, until timestamptz, span interval DEFAULT NULL)
    RETURNS nurture.path
    AS 'MODULE_PATHNAME', 'nurture_path_lookback' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nurture.lookback(nurture.path, timestamptz, interval) IS
    'the touches at or before a conversion, less than the span earlier; NULL when none is left';

CREATE TYPE nurture.attribution_summary;
COMMENT ON TYPE nurture.attribution_summary IS 'what all attribution models need to know of many paths';
CREATE FUNCTION nurture._attribution_in(cstring) RETURNS nurture.attribution_summary
    AS 'MODULE_PATHNAME', 'nurture_attribution_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_out(nurture.attribution_summary) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_summary_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_recv(internal) RETURNS nurture.attribution_summary
    AS 'MODULE_PATHNAME', 'nurture_attribution_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_send(nurture.attribution_summary) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_summary_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE nurture.attribution_summary (
    INPUT = nurture._attribution_in, OUTPUT = nurture._attribution_out,
    RECEIVE = nurture._attribution_recv, SEND = nurture._attribution_send, STORAGE = extended
);

CREATE FUNCTION nurture._attribution_transition(internal, nurture.path, bigint) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_transition(internal, nurture.path, bigint, numeric) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_transition(internal, nurture.path, bigint, numeric, bigint) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_rollup(internal, nurture.attribution_summary) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_rollup' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_attribution_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_attribution_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._attribution_final(internal) RETURNS nurture.attribution_summary
    AS 'MODULE_PATHNAME', 'nurture_attribution_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE nurture.attribution_agg(path nurture.path, conversions bigint) (
    SFUNC = nurture._attribution_transition, STYPE = internal, SSPACE = 16384,
    FINALFUNC = nurture._attribution_final, COMBINEFUNC = nurture._attribution_combine,
    SERIALFUNC = nurture._attribution_serialize, DESERIALFUNC = nurture._attribution_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.attribution_agg(nurture.path, bigint) IS
    'summary of paths and their conversions for nurture.attribution; without a conversion a path counts as one failure';
CREATE AGGREGATE nurture.attribution_agg(path nurture.path, conversions bigint, value numeric) (
    SFUNC = nurture._attribution_transition, STYPE = internal, SSPACE = 16384,
    FINALFUNC = nurture._attribution_final, COMBINEFUNC = nurture._attribution_combine,
    SERIALFUNC = nurture._attribution_serialize, DESERIALFUNC = nurture._attribution_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.attribution_agg(nurture.path, bigint, numeric) IS
    'summary of paths, their conversions and what these are worth altogether';
CREATE AGGREGATE nurture.attribution_agg(path nurture.path, conversions bigint, value numeric, nulls bigint) (
    SFUNC = nurture._attribution_transition, STYPE = internal, SSPACE = 16384,
    FINALFUNC = nurture._attribution_final, COMBINEFUNC = nurture._attribution_combine,
    SERIALFUNC = nurture._attribution_serialize, DESERIALFUNC = nurture._attribution_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.attribution_agg(nurture.path, bigint, numeric, bigint) IS
    'summary of paths that were counted before: how many converted, with what value, and how many did not';
CREATE AGGREGATE nurture.rollup(summary nurture.attribution_summary) (
    SFUNC = nurture._attribution_rollup, STYPE = internal, SSPACE = 16384,
    FINALFUNC = nurture._attribution_final, COMBINEFUNC = nurture._attribution_combine,
    SERIALFUNC = nurture._attribution_serialize, DESERIALFUNC = nurture._attribution_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rollup(nurture.attribution_summary) IS
    'the summary of all that these summaries summarize';

CREATE FUNCTION nurture.attribution(summary nurture.attribution_summary, model text DEFAULT 'markov',
        first_weight double precision DEFAULT 0.4, last_weight double precision DEFAULT 0.4,
        half_life interval DEFAULT '7 days', direct text DEFAULT 'direct',
        OUT channel text, OUT conversions numeric, OUT value numeric, OUT share double precision,
        OUT removal_effect double precision) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_attribution' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 20;
COMMENT ON FUNCTION nurture.attribution(nurture.attribution_summary, text, double precision, double precision, interval, text) IS
    'credits conversions to channels; models: first, last, last_non_direct, linear, position, time_decay, markov, shapley, shapley_rate; the credits add up to the conversions exactly';

-- nurture.decayed: a sum that loses half of its value per half-life. Its order never changes, so an index on it stays right.

CREATE TYPE nurture.decayed;
CREATE FUNCTION nurture._decayed_in(cstring, oid, integer) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_out(nurture.decayed) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_decayed_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_recv(internal, oid, integer) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_send(nurture.decayed) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_summary_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_typmod_in(cstring[]) RETURNS integer
    AS 'MODULE_PATHNAME', 'nurture_decayed_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_typmod_out(integer) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_decayed_typmod_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE nurture.decayed (
    INPUT = nurture._decayed_in, OUTPUT = nurture._decayed_out,
    RECEIVE = nurture._decayed_recv, SEND = nurture._decayed_send,
    TYPMOD_IN = nurture._decayed_typmod_in, TYPMOD_OUT = nurture._decayed_typmod_out, STORAGE = main
);
COMMENT ON TYPE nurture.decayed IS
    'an exponentially decaying sum; nurture.decayed(''14 days'') as a column type allows that half-life only';
CREATE FUNCTION nurture._decayed_with_typmod(nurture.decayed, integer, boolean) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_with_typmod' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE CAST (nurture.decayed AS nurture.decayed) WITH FUNCTION nurture._decayed_with_typmod(nurture.decayed, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (nurture.decayed AS nurture.decayed) IS 'checks the half-life of a column; a value is never changed';

CREATE FUNCTION nurture.decayed(amount numeric, at timestamptz, half_life interval) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_make' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nurture.decayed(numeric, timestamptz, interval) IS 'one amount that begins to decay at a time';
CREATE FUNCTION nurture.value(decayed nurture.decayed, at timestamptz DEFAULT now()) RETURNS numeric
    AS 'MODULE_PATHNAME', 'nurture_decayed_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nurture.value(nurture.decayed, timestamptz) IS 'what is left at a time, rounded half away from zero to six decimals';
CREATE FUNCTION nurture.half_life(decayed nurture.decayed) RETURNS interval
    AS 'MODULE_PATHNAME', 'nurture_decayed_half_life' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nurture.half_life(nurture.decayed) IS 'the half-life as days and hours';
CREATE FUNCTION nurture._decayed_plus(nurture.decayed, nurture.decayed) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_plus' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR nurture.+ (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_plus, COMMUTATOR = OPERATOR(nurture.+));
COMMENT ON OPERATOR nurture.+ (nurture.decayed, nurture.decayed) IS 'both together; an error when the half-lives differ';

CREATE FUNCTION nurture._decayed_lt(nurture.decayed, nurture.decayed) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_decayed_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_le(nurture.decayed, nurture.decayed) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_decayed_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_eq(nurture.decayed, nurture.decayed) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_decayed_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_ne(nurture.decayed, nurture.decayed) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_decayed_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_ge(nurture.decayed, nurture.decayed) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_decayed_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_gt(nurture.decayed, nurture.decayed) RETURNS boolean
    AS 'MODULE_PATHNAME', 'nurture_decayed_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_compare(nurture.decayed, nurture.decayed) RETURNS integer
    AS 'MODULE_PATHNAME', 'nurture_decayed_compare' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR nurture.< (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_lt,
    COMMUTATOR = OPERATOR(nurture.>), NEGATOR = OPERATOR(nurture.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR nurture.< (nurture.decayed, nurture.decayed) IS 'less at all times; sums of different half-lives are ordered by half-life';
CREATE OPERATOR nurture.<= (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_le,
    COMMUTATOR = OPERATOR(nurture.>=), NEGATOR = OPERATOR(nurture.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR nurture.<= (nurture.decayed, nurture.decayed) IS 'less or equal at all times; sums of different half-lives are ordered by half-life';
CREATE OPERATOR nurture.= (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_eq,
    COMMUTATOR = OPERATOR(nurture.=), NEGATOR = OPERATOR(nurture.<>), RESTRICT = eqsel, JOIN = eqjoinsel);
COMMENT ON OPERATOR nurture.= (nurture.decayed, nurture.decayed) IS 'equal at all times; sums of different half-lives are ordered by half-life';
CREATE OPERATOR nurture.<> (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_ne,
    COMMUTATOR = OPERATOR(nurture.<>), NEGATOR = OPERATOR(nurture.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR nurture.<> (nurture.decayed, nurture.decayed) IS 'not equal; sums of different half-lives are ordered by half-life';
CREATE OPERATOR nurture.>= (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_ge,
    COMMUTATOR = OPERATOR(nurture.<=), NEGATOR = OPERATOR(nurture.<), RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR nurture.>= (nurture.decayed, nurture.decayed) IS 'greater or equal at all times; sums of different half-lives are ordered by half-life';
CREATE OPERATOR nurture.> (LEFTARG = nurture.decayed, RIGHTARG = nurture.decayed, FUNCTION = nurture._decayed_gt,
    COMMUTATOR = OPERATOR(nurture.<), NEGATOR = OPERATOR(nurture.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR nurture.> (nurture.decayed, nurture.decayed) IS 'greater at all times; sums of different half-lives are ordered by half-life';
CREATE OPERATOR CLASS nurture.decayed_ops DEFAULT FOR TYPE nurture.decayed USING btree AS
    OPERATOR 1 nurture.<, OPERATOR 2 nurture.<=, OPERATOR 3 nurture.=, OPERATOR 4 nurture.>=, OPERATOR 5 nurture.>,
    FUNCTION 1 nurture._decayed_compare(nurture.decayed, nurture.decayed);
COMMENT ON OPERATOR CLASS nurture.decayed_ops USING btree IS 'an order that does not change as time passes';

CREATE FUNCTION nurture._decayed_sum(internal, numeric, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_sum_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_mean(internal, numeric, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_mean_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_max(internal, numeric, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_max_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_moving(internal, numeric, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_moving_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_inverse(internal, numeric, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_inverse_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_sum(internal, double precision, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_sum_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_mean(internal, double precision, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_mean_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_max(internal, double precision, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_max_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_moving(internal, double precision, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_moving_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_inverse(internal, double precision, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_inverse_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_count(internal, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_count' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_moving(internal, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_moving_count' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_inverse(internal, timestamptz, interval) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_inverse_count' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_max_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_max_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_mean_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_mean_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_decayed_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_mean_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_decayed_mean_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_mean_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_decayed_mean_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_final(internal) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_mean_final(internal) RETURNS numeric
    AS 'MODULE_PATHNAME', 'nurture_decayed_mean_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_moving_sum_final(internal) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_moving_sum_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._decayed_moving_mean_final(internal) RETURNS numeric
    AS 'MODULE_PATHNAME', 'nurture_decayed_moving_mean_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE nurture.decayed_sum(value numeric, at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_sum, STYPE = internal, SSPACE = 512, FINALFUNC = nurture._decayed_final,
    COMBINEFUNC = nurture._decayed_combine, SERIALFUNC = nurture._decayed_serialize, DESERIALFUNC = nurture._decayed_deserialize,
    MSFUNC = nurture._decayed_moving, MINVFUNC = nurture._decayed_inverse, MSTYPE = internal, MSSPACE = 1024,
    MFINALFUNC = nurture._decayed_moving_sum_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_sum(numeric, timestamptz, interval) IS
    'the sum of values that decay from their times on; the same to the last digit in any order';
CREATE AGGREGATE nurture.decayed_avg(value numeric, at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_mean, STYPE = internal, SSPACE = 1024, FINALFUNC = nurture._decayed_mean_final,
    COMBINEFUNC = nurture._decayed_mean_combine, SERIALFUNC = nurture._decayed_mean_serialize, DESERIALFUNC = nurture._decayed_mean_deserialize,
    MSFUNC = nurture._decayed_moving, MINVFUNC = nurture._decayed_inverse, MSTYPE = internal, MSSPACE = 1024,
    MFINALFUNC = nurture._decayed_moving_mean_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_avg(numeric, timestamptz, interval) IS
    'the mean weighted by 2^(-age / half-life): the same at all times; over a window an exponential moving average in time';
CREATE AGGREGATE nurture.decayed_max(value numeric, at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_max, STYPE = internal, SSPACE = 256, FINALFUNC = nurture._decayed_final,
    COMBINEFUNC = nurture._decayed_max_combine, SERIALFUNC = nurture._decayed_serialize, DESERIALFUNC = nurture._decayed_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_max(numeric, timestamptz, interval) IS
    'the value of which most is left';
CREATE AGGREGATE nurture.decayed_sum(value double precision, at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_sum, STYPE = internal, SSPACE = 512, FINALFUNC = nurture._decayed_final,
    COMBINEFUNC = nurture._decayed_combine, SERIALFUNC = nurture._decayed_serialize, DESERIALFUNC = nurture._decayed_deserialize,
    MSFUNC = nurture._decayed_moving, MINVFUNC = nurture._decayed_inverse, MSTYPE = internal, MSSPACE = 1024,
    MFINALFUNC = nurture._decayed_moving_sum_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_sum(double precision, timestamptz, interval) IS
    'the sum of values that decay from their times on; the same to the last digit in any order';
CREATE AGGREGATE nurture.decayed_avg(value double precision, at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_mean, STYPE = internal, SSPACE = 1024, FINALFUNC = nurture._decayed_mean_final,
    COMBINEFUNC = nurture._decayed_mean_combine, SERIALFUNC = nurture._decayed_mean_serialize, DESERIALFUNC = nurture._decayed_mean_deserialize,
    MSFUNC = nurture._decayed_moving, MINVFUNC = nurture._decayed_inverse, MSTYPE = internal, MSSPACE = 1024,
    MFINALFUNC = nurture._decayed_moving_mean_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_avg(double precision, timestamptz, interval) IS
    'the mean weighted by 2^(-age / half-life): the same at all times; over a window an exponential moving average in time';
CREATE AGGREGATE nurture.decayed_max(value double precision, at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_max, STYPE = internal, SSPACE = 256, FINALFUNC = nurture._decayed_final,
    COMBINEFUNC = nurture._decayed_max_combine, SERIALFUNC = nurture._decayed_serialize, DESERIALFUNC = nurture._decayed_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_max(double precision, timestamptz, interval) IS
    'the value of which most is left';
CREATE AGGREGATE nurture.decayed_count(at timestamptz, half_life interval) (
    SFUNC = nurture._decayed_count, STYPE = internal, SSPACE = 512, FINALFUNC = nurture._decayed_final,
    COMBINEFUNC = nurture._decayed_combine, SERIALFUNC = nurture._decayed_serialize, DESERIALFUNC = nurture._decayed_deserialize,
    MSFUNC = nurture._decayed_moving, MINVFUNC = nurture._decayed_inverse, MSTYPE = internal, MSSPACE = 1024,
    MFINALFUNC = nurture._decayed_moving_sum_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.decayed_count(timestamptz, interval) IS
    'the number of rows, each decaying from its time on';
-- The state of these two is the type itself: partial states can travel as text.
CREATE FUNCTION nurture._decayed_larger(nurture.decayed, nurture.decayed) RETURNS nurture.decayed
    AS 'MODULE_PATHNAME', 'nurture_decayed_larger' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE AGGREGATE nurture.sum(decayed nurture.decayed) (
    SFUNC = nurture._decayed_plus, STYPE = nurture.decayed, COMBINEFUNC = nurture._decayed_plus, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.sum(nurture.decayed) IS
    'all together; an error when the half-lives differ';
CREATE AGGREGATE nurture.max(decayed nurture.decayed) (
    SFUNC = nurture._decayed_larger, STYPE = nurture.decayed, COMBINEFUNC = nurture._decayed_larger,
    SORTOP = OPERATOR(nurture.>), PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.max(nurture.decayed) IS
    'the greatest, at all times; of different half-lives the longest';

-- Recency, frequency, money: the values of a customer, the quintiles of a population, scores and their names.

CREATE TYPE nurture.rfm_values AS (recency interval, frequency bigint, money numeric);
COMMENT ON TYPE nurture.rfm_values IS 'how long ago the last purchase was, how many there were, what they were worth';
CREATE TYPE nurture.rfm_cuts AS (recency numeric[], frequency numeric[], money numeric[]);
COMMENT ON TYPE nurture.rfm_cuts IS 'the values at 20, 40, 60 and 80 % of a population; recency in seconds';
CREATE TYPE nurture.rfm_scores AS (recency integer, frequency integer, money integer, cell text);
COMMENT ON TYPE nurture.rfm_scores IS 'quintiles from 1 (worst) to 5 (best), and the name of the cell';

CREATE FUNCTION nurture._rfm_transition(internal, timestamptz, numeric, timestamptz) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_rfm_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_final(internal) RETURNS nurture.rfm_values
    AS 'MODULE_PATHNAME', 'nurture_rfm_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_quintiles_transition(internal, nurture.rfm_values) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_rfm_quintiles_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_quintiles_final(internal) RETURNS nurture.rfm_cuts
    AS 'MODULE_PATHNAME', 'nurture_rfm_quintiles_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_rfm_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_rfm_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_rfm_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_quintiles_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_rfm_quintiles_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_quintiles_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_rfm_quintiles_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._rfm_quintiles_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_rfm_quintiles_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE AGGREGATE nurture.rfm(at timestamptz, amount numeric, as_of timestamptz) (
    SFUNC = nurture._rfm_transition, STYPE = internal, SSPACE = 96, FINALFUNC = nurture._rfm_final,
    COMBINEFUNC = nurture._rfm_combine, SERIALFUNC = nurture._rfm_serialize,
    DESERIALFUNC = nurture._rfm_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rfm(timestamptz, numeric, timestamptz) IS
    'recency, frequency and money of the purchases up to as_of, one row each; NULL when there is none';
CREATE AGGREGATE nurture.rfm_quintiles(customer nurture.rfm_values) (
    SFUNC = nurture._rfm_quintiles_transition, STYPE = internal, SSPACE = 65536, FINALFUNC = nurture._rfm_quintiles_final,
    COMBINEFUNC = nurture._rfm_quintiles_combine, SERIALFUNC = nurture._rfm_quintiles_serialize,
    DESERIALFUNC = nurture._rfm_quintiles_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rfm_quintiles(nurture.rfm_values) IS
    'the cuts between the quintiles of a population, interpolated like percentile_cont, exactly';

CREATE FUNCTION nurture.rfm_cell(recency integer, frequency integer, money integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN recency NOT BETWEEN 1 AND 5 OR frequency NOT BETWEEN 1 AND 5 OR money NOT BETWEEN 1 AND 5 THEN NULL
    WHEN recency = 5 AND (frequency + money + 1) / 2 >= 4 THEN 'Champions'
    WHEN recency >= 3 AND (frequency + money + 1) / 2 >= 4 THEN 'Loyal'
    WHEN recency >= 4 AND (frequency + money + 1) / 2 >= 2 THEN 'Potential loyalists'
    WHEN recency = 5 THEN 'New'
    WHEN recency = 4 THEN 'Promising'
    WHEN recency = 3 AND (frequency + money + 1) / 2 = 3 THEN 'Need attention'
    WHEN recency = 3 THEN 'About to sleep'
    WHEN (frequency + money + 1) / 2 = 5 THEN 'Cannot lose'
    WHEN (frequency + money + 1) / 2 >= 3 THEN 'At risk'
    ELSE 'Hibernating'
END;
COMMENT ON FUNCTION nurture.rfm_cell(integer, integer, integer) IS
    'the name of a cell by recency and the mean of frequency and money, halves rounded up; NULL for scores outside 1 to 5';

CREATE FUNCTION nurture.rfm_score(customer nurture.rfm_values, cuts nurture.rfm_cuts) RETURNS nurture.rfm_scores
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT ROW(r, f, m, nurture.rfm_cell(r, f, m))::nurture.rfm_scores
    FROM (SELECT 5 - (SELECT count(*) FROM unnest((cuts).recency) cut
                      WHERE cut < extract(epoch FROM (customer).recency))::integer,
                 1 + (SELECT count(*) FROM unnest((cuts).frequency) cut WHERE cut < (customer).frequency)::integer,
                 1 + (SELECT count(*) FROM unnest((cuts).money) cut WHERE cut < (customer).money)::integer) s(r, f, m)
    WHERE (customer).frequency IS NOT NULL AND (cuts).frequency IS NOT NULL
);
COMMENT ON FUNCTION nurture.rfm_score(nurture.rfm_values, nurture.rfm_cuts) IS
    'scores 1 to 5: one more than the number of cuts below the value (for recency: 5 less that number), so equal values have equal scores';

-- Experiments in two steps: ab_test_agg over the subjects, and the tests read its summary.

CREATE TYPE nurture.ab_summary;
CREATE FUNCTION nurture._ab_in(cstring) RETURNS nurture.ab_summary
    AS 'MODULE_PATHNAME', 'nurture_ab_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._ab_out(nurture.ab_summary) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_summary_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._ab_recv(internal) RETURNS nurture.ab_summary
    AS 'MODULE_PATHNAME', 'nurture_ab_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._ab_send(nurture.ab_summary) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_summary_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE nurture.ab_summary (
    INPUT = nurture._ab_in, OUTPUT = nurture._ab_out, RECEIVE = nurture._ab_recv, SEND = nurture._ab_send,
    STORAGE = extended
);
COMMENT ON TYPE nurture.ab_summary IS 'what happened in the arms of an experiment: subjects, conversions, distinct values';

CREATE FUNCTION nurture._ab_transition(internal, text, boolean) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_ab_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._ab_transition(internal, text, boolean, numeric) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_ab_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._ab_transition(internal, text, boolean, double precision) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_ab_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._ab_rollup(internal, nurture.ab_summary) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_ab_rollup' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._ab_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_ab_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._ab_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_ab_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._ab_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_ab_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._ab_final(internal) RETURNS nurture.ab_summary
    AS 'MODULE_PATHNAME', 'nurture_ab_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE nurture.ab_test_agg(arm text, converted boolean) (
    SFUNC = nurture._ab_transition, STYPE = internal, SSPACE = 4096, FINALFUNC = nurture._ab_final,
    COMBINEFUNC = nurture._ab_combine, SERIALFUNC = nurture._ab_serialize,
    DESERIALFUNC = nurture._ab_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.ab_test_agg(text, boolean) IS
    'summary of an experiment for nurture.ab_test; NULL has not converted, a subject without an arm is left out';
CREATE AGGREGATE nurture.ab_test_agg(arm text, converted boolean, value numeric) (
    SFUNC = nurture._ab_transition, STYPE = internal, SSPACE = 4096, FINALFUNC = nurture._ab_final,
    COMBINEFUNC = nurture._ab_combine, SERIALFUNC = nurture._ab_serialize,
    DESERIALFUNC = nurture._ab_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.ab_test_agg(text, boolean, numeric) IS
    'summary of an experiment with a measured value (rounded to six decimals), for the tests of means and ranks, too';
CREATE AGGREGATE nurture.ab_test_agg(arm text, converted boolean, value double precision) (
    SFUNC = nurture._ab_transition, STYPE = internal, SSPACE = 4096, FINALFUNC = nurture._ab_final,
    COMBINEFUNC = nurture._ab_combine, SERIALFUNC = nurture._ab_serialize,
    DESERIALFUNC = nurture._ab_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.ab_test_agg(text, boolean, double precision) IS
    'summary of an experiment with a measured value (rounded to six decimals), for the tests of means and ranks, too';
CREATE AGGREGATE nurture.rollup(summary nurture.ab_summary) (
    SFUNC = nurture._ab_rollup, STYPE = internal, SSPACE = 4096, FINALFUNC = nurture._ab_final,
    COMBINEFUNC = nurture._ab_combine, SERIALFUNC = nurture._ab_serialize,
    DESERIALFUNC = nurture._ab_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rollup(nurture.ab_summary) IS
    'the summary of all that these summaries summarize';

CREATE FUNCTION nurture.ab_test(summary nurture.ab_summary, control text DEFAULT NULL,
        confidence double precision DEFAULT 0.95, power double precision DEFAULT 0.8,
        expected double precision[] DEFAULT NULL,
        OUT test text, OUT arm text, OUT versus text, OUT estimate double precision, OUT low double precision,
        OUT high double precision, OUT statistic double precision, OUT df double precision,
        OUT p_value double precision, OUT source text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_ab_test' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 20;
COMMENT ON FUNCTION nurture.ab_test(nurture.ab_summary, text, double precision, double precision, double precision[]) IS
    'all tests of each arm against the control (the first arm by name when NULL), with their sources; what is undefined is NULL';
CREATE FUNCTION nurture.ab_arms(summary nurture.ab_summary, OUT arm text, OUT n bigint, OUT conversions bigint,
        OUT measured bigint, OUT total numeric) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_ab_arms' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 3;
COMMENT ON FUNCTION nurture.ab_arms(nurture.ab_summary) IS
    'per arm: subjects, conversions, subjects with a value, sum of the values';

-- How good a score is: score_agg over (score, outcome), and the tables that read its summary; weighted percentiles.

CREATE TYPE nurture.score_summary;
CREATE FUNCTION nurture._scores_in(cstring) RETURNS nurture.score_summary
    AS 'MODULE_PATHNAME', 'nurture_scores_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._scores_out(nurture.score_summary) RETURNS cstring
    AS 'MODULE_PATHNAME', 'nurture_summary_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._scores_recv(internal) RETURNS nurture.score_summary
    AS 'MODULE_PATHNAME', 'nurture_scores_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._scores_send(nurture.score_summary) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_summary_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE nurture.score_summary (
    INPUT = nurture._scores_in, OUTPUT = nurture._scores_out, RECEIVE = nurture._scores_recv,
    SEND = nurture._scores_send, STORAGE = extended
);
COMMENT ON TYPE nurture.score_summary IS 'the distinct scores of many subjects with their numbers and outcomes';

CREATE FUNCTION nurture._scores_transition(internal, double precision, boolean) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_scores_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._scores_rollup(internal, nurture.score_summary) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_scores_rollup' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._scores_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_scores_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._scores_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_scores_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._scores_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_scores_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._scores_final(internal) RETURNS nurture.score_summary
    AS 'MODULE_PATHNAME', 'nurture_scores_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE nurture.score_agg(score double precision, outcome boolean) (
    SFUNC = nurture._scores_transition, STYPE = internal, SSPACE = 32768, FINALFUNC = nurture._scores_final,
    COMBINEFUNC = nurture._scores_combine, SERIALFUNC = nurture._scores_serialize,
    DESERIALFUNC = nurture._scores_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.score_agg(double precision, boolean) IS
    'summary of scores and outcomes for score_quality, score_bands and calibration; a NULL outcome is false, a NULL score is left out';
CREATE AGGREGATE nurture.rollup(summary nurture.score_summary) (
    SFUNC = nurture._scores_rollup, STYPE = internal, SSPACE = 32768, FINALFUNC = nurture._scores_final,
    COMBINEFUNC = nurture._scores_combine, SERIALFUNC = nurture._scores_serialize,
    DESERIALFUNC = nurture._scores_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.rollup(nurture.score_summary) IS
    'the summary of all that these summaries summarize';

CREATE FUNCTION nurture.score_quality(summary nurture.score_summary, confidence double precision DEFAULT 0.95,
        OUT measure text, OUT value double precision, OUT low double precision, OUT high double precision, OUT source text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_score_quality' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 9;
COMMENT ON FUNCTION nurture.score_quality(nurture.score_summary, double precision) IS
    'AUC, Gini, Kolmogorov-Smirnov, Brier score and skill, log loss, with their sources; what cannot be measured is NULL';
CREATE FUNCTION nurture.score_bands(summary nurture.score_summary, bands integer DEFAULT 10,
        OUT band integer, OUT lowest double precision, OUT highest double precision, OUT mean_score double precision,
        OUT n bigint, OUT positives bigint, OUT rate double precision, OUT lift double precision,
        OUT reached double precision, OUT gain double precision, OUT cumulative_lift double precision) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_score_bands' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION nurture.score_bands(nurture.score_summary, integer) IS
    'conversion, lift and gains by score band, best band first; equal scores are never parted';
CREATE FUNCTION nurture.calibration(summary nurture.score_summary, bins integer DEFAULT 10,
        OUT bin_low double precision, OUT bin_high double precision, OUT n bigint, OUT positives bigint,
        OUT mean_score double precision, OUT rate double precision, OUT rate_low double precision,
        OUT rate_high double precision) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'nurture_calibration' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION nurture.calibration(nurture.score_summary, integer) IS
    'predicted against observed rates in bins of equal width, with Wilson intervals of 95 %; for scores that are probabilities';

CREATE FUNCTION nurture._percentile_transition(internal, numeric, numeric, double precision) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_percentile_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._percentile_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_percentile_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION nurture._percentile_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'nurture_percentile_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._percentile_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'nurture_percentile_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION nurture._percentile_final(internal) RETURNS numeric
    AS 'MODULE_PATHNAME', 'nurture_percentile_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE nurture.weighted_percentile(value numeric, weight numeric, fraction double precision) (
    SFUNC = nurture._percentile_transition, STYPE = internal, SSPACE = 32768, FINALFUNC = nurture._percentile_final,
    COMBINEFUNC = nurture._percentile_combine, SERIALFUNC = nurture._percentile_serialize,
    DESERIALFUNC = nurture._percentile_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nurture.weighted_percentile(numeric, numeric, double precision) IS
    'the smallest value at which the weight up to and including it reaches the fraction of all weight; with equal weights percentile_disc';

-- Pictures from the result of any query: arrays in, SVG out. The text is ASCII whatever the encoding of the database.

CREATE FUNCTION nurture._markup(text) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_markup' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nurture._markup(text) IS 'text as it may stand in HTML and XML, also within quotes';

CREATE FUNCTION nurture.plot_funnel(labels text[], reached bigint[], title text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_plot_funnel' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION nurture.plot_funnel(text[], bigint[], text) IS
    'SVG: a bar per step with how many came this far, their share of the first step, and how many went on';

CREATE FUNCTION nurture.plot_retention(cohorts text[], periods integer[], shares double precision[],
        members bigint[] DEFAULT NULL, title text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_plot_retention' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION nurture.plot_retention(text[], integer[], double precision[], bigint[], text) IS
    'SVG: a heat map of the share of each cohort that is active in each period; with members also their weighted mean';

CREATE FUNCTION nurture.plot_retention(summary nurture.cohort_summary, title text DEFAULT NULL) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 2000
    BEGIN ATOMIC
        SELECT nurture.plot_retention(
                   pg_catalog.array_agg(pg_catalog.to_char(c.cohort,
                       CASE WHEN pg_catalog.date_trunc('day', c.cohort) OPERATOR(pg_catalog.=) c.cohort
                            THEN 'YYYY-MM-DD' ELSE 'YYYY-MM-DD HH24:MI' END) ORDER BY c.cohort, c.period),
                   pg_catalog.array_agg(c.period::integer ORDER BY c.cohort, c.period),
                   pg_catalog.array_agg(c.rate::double precision ORDER BY c.cohort, c.period),
                   pg_catalog.array_agg(c.members ORDER BY c.cohort, c.period),
                   title)
          FROM nurture.cohort(summary) AS c;
    END;
COMMENT ON FUNCTION nurture.plot_retention(nurture.cohort_summary, text) IS
    'SVG: the retention table of nurture.cohort() as a heat map';

CREATE FUNCTION nurture.plot_scores(scores double precision[], outcomes boolean[] DEFAULT NULL, title text DEFAULT NULL)
    RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_plot_scores' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION nurture.plot_scores(double precision[], boolean[], text) IS
    'SVG: a histogram of scores; with outcomes also the share of them in each band, with its 95 % interval (Wilson)';

CREATE FUNCTION nurture.plot_bars(labels text[], "values" double precision[], panels text[] DEFAULT NULL,
        title text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_plot_bars' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION nurture.plot_bars(text[], double precision[], text[], text) IS
    'SVG: a bar per label; with panels (at most 6) a column of bars for each, all to the same scale';

CREATE FUNCTION nurture.plot_attribution(channels text[], credits double precision[], models text[] DEFAULT NULL,
        title text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_plot_attribution' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION nurture.plot_attribution(text[], double precision[], text[], text) IS
    'SVG: what channels are credited with, as nurture.attribution() gives it; with models a column for each';

CREATE FUNCTION nurture._plot_segments(at timestamp[], segments text[], sizes bigint[], title text) RETURNS text
    AS 'MODULE_PATHNAME', 'nurture_plot_segments' LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION nurture.plot_segments(at timestamptz[], segments text[], sizes bigint[], title text DEFAULT NULL)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE COST 1000
    BEGIN ATOMIC
        SELECT nurture._plot_segments(at::timestamp[], segments, sizes, title);
    END;
COMMENT ON FUNCTION nurture.plot_segments(timestamptz[], text[], bigint[], text) IS
    'SVG: sizes over time, a line for each segment (at most 8); each size holds until the next. Times are shown in the session''s time zone';

-- The report: one page of HTML that needs nothing else, made of the views and the pictures.

CREATE FUNCTION nurture._report_style() RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'body{margin:0;background:#fff;color:#1b1f24;font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}'
    || 'main{max-width:880px;margin:0 auto;padding:16px}h1{font-size:1.7em;margin:.6em 0 .1em}'
    || 'h2{font-size:1.3em;margin:1.8em 0 .4em;padding-top:.6em;border-top:1px solid #dde1e6}h3{font-size:1em;margin:1.2em 0 .3em}'
    || '.when,.nothing{color:#57606a}figure{margin:0 -16px 8px}figure svg{display:block;width:100%;height:auto}'
    || '.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92em}'
    || 'th,td{text-align:left;padding:.35em 1.3em .35em 0;border-bottom:1px solid #dde1e6;vertical-align:top;overflow-wrap:break-word;max-width:20em}'
    || 'th{font-weight:600;color:#57606a;overflow-wrap:normal}.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}'
    || '@media (prefers-color-scheme:dark){body{background:#14181d;color:#e8ebee}.when,.nothing,th{color:#a3adb8}h2,th,td{border-color:#333b44}}'
$$;
COMMENT ON FUNCTION nurture._report_style() IS 'the style sheet of the report';

-- A table of HTML; rows are cells that are HTML already. Numbers are aligned by their columns' classes.
CREATE FUNCTION nurture._report_table(headers text[], numeric_columns int[], rows text[]) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT '<div class="scroll"><table><thead><tr>'
    || (SELECT string_agg(format('<th scope="col"%s>%s</th>', CASE WHEN h.n = ANY (numeric_columns) THEN ' class="n"' END,
                                 nurture._markup(h.name)), '' ORDER BY h.n) FROM unnest(headers) WITH ORDINALITY h (name, n))
    || E'</tr></thead>\n<tbody>' || array_to_string(rows, E'\n') || E'</tbody></table></div>\n'
$$;
COMMENT ON FUNCTION nurture._report_table(text[], int[], text[]) IS 'a table of the report';

CREATE FUNCTION nurture._report_row(cells text[], numeric_columns int[]) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT '<tr>' || string_agg(format('<td%s>%s</td>', CASE WHEN c.n = ANY (numeric_columns) THEN ' class="n"' END,
                                   nurture._markup(coalesce(c.content, ''))), '' ORDER BY c.n) || '</tr>'
FROM unnest(cells) WITH ORDINALITY c (content, n)
$$;
COMMENT ON FUNCTION nurture._report_row(text[], int[]) IS 'a row of a table of the report, from plain text';

CREATE FUNCTION nurture._report_nothing(what text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT '<p class="nothing">' || nurture._markup(what) || E'</p>\n'
$$;
COMMENT ON FUNCTION nurture._report_nothing(text) IS 'what the report says where there is nothing to show';

CREATE FUNCTION nurture._report_number(n numeric) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT trim_scale(round(n, 2))::text
$$;
COMMENT ON FUNCTION nurture._report_number(numeric) IS 'a number of the report: at most two decimals';

-- Scores as of then, but never earlier than what the contact has gone through.
CREATE FUNCTION nurture._report_lead(until timestamptz)
    RETURNS TABLE (contact text, score numeric, segments text[], last_seen timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT c.contact, coalesce(nurture._score(m.model, c.state, NULL, greatest(until, nurture._clock(c.state))), 0),
       nurture._segments(m.model, c.state), nurture._last_seen(c.state)
FROM nurture.contact c CROSS JOIN nurture._current_model m
$$;
COMMENT ON FUNCTION nurture._report_lead(timestamptz) IS 'nurture.lead as of a moment, for the report';

CREATE FUNCTION nurture._report_leads(until timestamptz, top_leads int) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    scores double precision[];
    seen bigint;
    html text;
BEGIN
    SELECT array_agg(l.score::double precision), count(*) FILTER (WHERE l.last_seen > until - interval '7 days')
    INTO scores, seen FROM nurture._report_lead(until) l;
    IF scores IS NULL THEN
        RETURN nurture._report_nothing('Nobody is known yet.');
    END IF;
    html := format(E'<p><strong>%s</strong> contacts are known; <strong>%s</strong> were seen within 7 days.</p>\n',
                   to_char(cardinality(scores), 'FM9,999,999,999'), to_char(seen, 'FM9,999,999,999'))
        || '<figure>' || nurture.plot_scores(scores, title => 'Scores of all leads') || E'</figure>\n';
    IF top_leads > 0 THEN
        html := html || (
            SELECT nurture._report_table('{contact,score,segments,"last seen"}', '{2,4}', array_agg(
                       nurture._report_row(ARRAY[t.contact, nurture._report_number(t.score), array_to_string(t.segments, ', '),
                                                 to_char(t.last_seen, 'YYYY-MM-DD HH24:MI')], '{2,4}')
                       ORDER BY t.score DESC, t.contact))
            FROM (SELECT l.contact, l.score, l.segments, l.last_seen FROM nurture._report_lead(until) l
                  ORDER BY l.score DESC, l.contact LIMIT top_leads) t);
    END IF;
    RETURN html;
END
$$;
COMMENT ON FUNCTION nurture._report_leads(timestamptz, int) IS 'the leads of the report';

-- The size of a segment at a moment is what it is now, less who came since, plus who left since: exact also where the
-- first transitions are no longer kept.
CREATE FUNCTION nurture._segment_sizes(since timestamptz, until timestamptz, points int DEFAULT 60)
    RETURNS TABLE (segment text, at timestamptz, size bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
WITH now AS (
    SELECT s.name, count(m.contact) AS size
    FROM nurture.segment s LEFT JOIN nurture.membership m ON m.segment = s.name WHERE s.enabled GROUP BY s.name
), grid AS (
    SELECT g.i, since + (until - since) * (g.i::double precision / points) AS at FROM generate_series(0, points) g (i)
), moved AS (
    -- The bucket is how many moments lie before the change.
    SELECT t.name, width_bucket(t.at - interval '1 microsecond', (SELECT array_agg(g.at ORDER BY g.at) FROM grid g)) AS bucket,
           sum(CASE t.kind WHEN 'segment entered' THEN 1 ELSE -1 END) AS change
    FROM nurture.transition t
    WHERE t.kind IN ('segment entered', 'segment left') AND t.at > since
    GROUP BY 1, 2
)
SELECT n.name, g.at,
       greatest(0, n.size - coalesce((SELECT sum(m.change) FROM moved m WHERE m.name = n.name AND m.bucket > g.i), 0))::bigint
FROM now n CROSS JOIN grid g
$$;
COMMENT ON FUNCTION nurture._segment_sizes(timestamptz, timestamptz, int) IS
    'how many were in each segment at evenly spaced moments, a change at the moment counted';

CREATE FUNCTION nurture._report_segments(since timestamptz, until timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    rows text[];
    picture text;
BEGIN
    SELECT array_agg(nurture._report_row(ARRAY[s.name, s.size::text, s.entered::text, s.left::text, s.description], '{2,3,4}')
                     ORDER BY s.size DESC, s.name)
    INTO rows
    FROM (SELECT s.name, s.description,
                 (SELECT count(*) FROM nurture.membership m WHERE m.segment = s.name) AS size,
                 count(t.at) FILTER (WHERE t.kind = 'segment entered') AS entered,
                 count(t.at) FILTER (WHERE t.kind = 'segment left') AS left
          FROM nurture.segment s LEFT JOIN nurture.transition t
              ON t.name = s.name AND t.kind IN ('segment entered', 'segment left') AND t.at > since AND t.at <= until
          WHERE s.enabled GROUP BY s.name, s.description) s;
    IF rows IS NULL THEN
        RETURN nurture._report_nothing('There are no segments.');
    END IF;
    SELECT nurture.plot_segments(array_agg(z.at ORDER BY z.rank, z.at), array_agg(z.segment ORDER BY z.rank, z.at),
                                 array_agg(z.size ORDER BY z.rank, z.at), 'Contacts in the largest segments')
    INTO picture
    FROM (SELECT s.*, dense_rank() OVER (ORDER BY s.last_size DESC, s.segment) AS rank
          FROM (SELECT z.*, last_value(z.size) OVER (PARTITION BY z.segment ORDER BY z.at
                           ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last_size
                FROM nurture._segment_sizes(since, until) z) s) z
    WHERE z.rank <= 6;
    RETURN '<figure>' || picture || E'</figure>\n'
        || nurture._report_table('{segment,contacts,entered,left,description}', '{2,3,4}', rows);
END
$$;
COMMENT ON FUNCTION nurture._report_segments(timestamptz, timestamptz) IS 'the segments of the report';

CREATE FUNCTION nurture._report_workflows(since timestamptz, until timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    rows text[];
    html text;
BEGIN
    SELECT array_agg(nurture._report_row(ARRAY[w.name, w.version::text, CASE WHEN w.enabled THEN 'live' ELSE 'paused' END,
                                               w.started::text, w.ended::text, w.inside::text], '{2,4,5,6}') ORDER BY w.name)
    INTO rows
    FROM (SELECT w.name, w.version, w.enabled,
                 count(t.at) FILTER (WHERE t.kind = 'journey started') AS started,
                 count(t.at) FILTER (WHERE t.kind = 'journey ended') AS ended,
                 (SELECT count(*) FROM nurture.journey j WHERE j.workflow = w.name) AS inside
          FROM nurture.workflow w LEFT JOIN nurture.transition t
              ON t.name = w.name AND t.kind IN ('journey started', 'journey ended') AND t.at > since AND t.at <= until
          WHERE w.live_since IS NOT NULL GROUP BY w.name, w.version, w.enabled) w;
    IF rows IS NULL THEN
        RETURN nurture._report_nothing('There are no workflows.');
    END IF;
    html := nurture._report_table('{workflow,version,state,started,ended,"inside now"}', '{2,4,5,6}', rows);
    SELECT array_agg(nurture._report_row(ARRAY[j.workflow, j.version::text, j.step, j.inside::text,
                         to_char(j.since, 'YYYY-MM-DD HH24:MI'), to_char(j.wakes_at, 'YYYY-MM-DD HH24:MI')], '{2,4,5,6}')
                     ORDER BY j.workflow, j.version, j.step)
    INTO rows
    FROM (SELECT j.workflow, j.version, j.step, count(*) AS inside, min(j.since) AS since, min(j.wakes_at) AS wakes_at
          FROM nurture.journey j GROUP BY j.workflow, j.version, j.step) j;
    RETURN html || '<h3>Who waits where</h3>' || CASE WHEN rows IS NULL THEN nurture._report_nothing('Nobody is inside a workflow now.')
        ELSE nurture._report_table('{workflow,version,step,contacts,"longest since","next wakes at"}', '{2,4,5,6}', rows) END;
END
$$;
COMMENT ON FUNCTION nurture._report_workflows(timestamptz, timestamptz) IS 'the workflows of the report and what their steps hold';

CREATE FUNCTION nurture._report_messages(since timestamptz, until timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    html text;
    rows text[];
BEGIN
    -- Most rows first; what is beyond the 40 most frequent is in the outbox.
    SELECT array_agg(nurture._report_row(ARRAY[a.channel, a.template, a.n::text, a.done::text, a.waiting::text, a.failed::text,
                                               a.refused::text], '{3,4,5,6,7}') ORDER BY a.n DESC, a.channel, a.template)
    INTO rows
    FROM (SELECT a.channel, a.template, count(*) AS n, count(*) FILTER (WHERE a.status = 'done') AS done,
                 count(*) FILTER (WHERE a.status IN ('ready', 'claimed')) AS waiting,
                 count(*) FILTER (WHERE a.status IN ('failed', 'dead')) AS failed,
                 count(*) FILTER (WHERE a.status IN ('cancelled', 'expired', 'dropped')) AS refused
          FROM nurture.action a WHERE a.created_at > since AND a.created_at <= until
          GROUP BY a.channel, a.template ORDER BY count(*) DESC, a.channel, a.template LIMIT 40) a;
    IF rows IS NULL THEN
        RETURN nurture._report_nothing('No message was due in this time.');
    END IF;
    SELECT nurture.plot_bars(array_agg(o.name ORDER BY o.n DESC, o.name), array_agg(o.n::double precision ORDER BY o.n DESC, o.name),
                             title => 'What became of the actions')
    INTO html
    FROM (SELECT o.status AS name, count(*) AS n FROM nurture.action o
          WHERE o.created_at > since AND o.created_at <= until GROUP BY o.status) o;
    html := '<figure>' || html || E'</figure>\n'
        || nurture._report_table('{channel,template,actions,done,waiting,failed,"not sent"}', '{3,4,5,6,7}', rows);
    SELECT array_agg(nurture._report_row(ARRAY[r.status, r.reason, r.n::text], '{3}') ORDER BY r.n DESC, r.status, r.reason)
    INTO rows
    FROM (SELECT a.status, a.reason, count(*) AS n FROM nurture.action a
          WHERE a.reason IS NOT NULL AND a.status <> 'done' AND a.created_at > since AND a.created_at <= until
          GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10) r;
    IF rows IS NOT NULL THEN
        html := html || '<h3>Most frequent reasons</h3>' || nurture._report_table('{status,reason,actions}', '{3}', rows);
    END IF;
    RETURN html;
END
$$;
COMMENT ON FUNCTION nurture._report_messages(timestamptz, timestamptz) IS 'the actions of the report and what became of them';

CREATE FUNCTION nurture._report_funnel(since timestamptz, until timestamptz, steps text[], span interval) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    reached bigint[];
BEGIN
    IF cardinality(steps) > 0 THEN
        WITH depth AS (
            SELECT nurture.funnel(e.at, span, VARIADIC (SELECT array_agg(e.type = s.type ORDER BY s.n)
                                                        FROM unnest(steps) WITH ORDINALITY s (type, n))) AS depth
            FROM nurture.event e WHERE e.type = ANY (steps) AND e.at > since AND e.at <= until GROUP BY e.contact
        )
        SELECT array_agg((SELECT count(*) FROM depth d WHERE d.depth >= s.n) ORDER BY s.n)
        INTO reached FROM unnest(steps) WITH ORDINALITY s (type, n);
        RETURN format(E'<p>Contacts who did these in this order, the last at most %s after the first.</p>\n', nurture._markup(span::text))
            || '<figure>' || nurture.plot_funnel(steps, reached, 'From event to event') || E'</figure>\n';
    END IF;
    -- Without steps: how far contacts have come with us; each stage is asked of those of the one before.
    SELECT ARRAY[count(*), count(*) FILTER (WHERE l.score > 0), count(*) FILTER (WHERE l.score > 0 AND s.contact IS NOT NULL),
                 count(*) FILTER (WHERE l.score > 0 AND s.contact IS NOT NULL AND j.contact IS NOT NULL),
                 count(*) FILTER (WHERE l.score > 0 AND s.contact IS NOT NULL AND j.contact IS NOT NULL AND a.contact IS NOT NULL)]
    INTO reached
    FROM nurture._report_lead(until) l
    LEFT JOIN (SELECT DISTINCT t.contact FROM nurture.transition t WHERE t.kind = 'segment entered') s ON s.contact = l.contact
    LEFT JOIN (SELECT DISTINCT t.contact FROM nurture.transition t WHERE t.kind = 'journey started') j ON j.contact = l.contact
    LEFT JOIN (SELECT DISTINCT a.contact FROM nurture.action a WHERE a.status = 'done') a ON a.contact = l.contact;
    IF reached[1] = 0 THEN
        RETURN nurture._report_nothing('Nobody is known yet.');
    END IF;
    RETURN '<figure>' || nurture.plot_funnel('{known,"with a score above 0","ever in a segment","ever in a workflow","got a message"}',
                                             reached, 'How far contacts have come') || E'</figure>\n';
END
$$;
COMMENT ON FUNCTION nurture._report_funnel(timestamptz, timestamptz, text[], interval) IS 'the funnel of the report';

CREATE FUNCTION nurture._report_retention(until timestamptz, period interval) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    picture text;
BEGIN
    WITH contacts AS (
        SELECT nurture.cohort_agg(e.at AT TIME ZONE current_setting('timezone'), period) AS c
        FROM nurture.event e WHERE e.type NOT LIKE '$%' AND e.at <= until GROUP BY e.contact
    ), cohorts AS (
        SELECT c.*, dense_rank() OVER (ORDER BY c.cohort DESC) AS age
        FROM nurture.cohort((SELECT nurture.rollup(c.c) FROM contacts c)) c
    )
    SELECT nurture.plot_retention(array_agg(to_char(c.cohort, 'YYYY-MM-DD') ORDER BY c.cohort, c.period),
                                  array_agg(c.period::int ORDER BY c.cohort, c.period),
                                  array_agg(c.rate::double precision ORDER BY c.cohort, c.period),
                                  array_agg(c.members ORDER BY c.cohort, c.period), 'Contacts active again, by first event')
    INTO picture FROM cohorts c WHERE c.age <= 16 AND c.period < 16 HAVING count(*) > 0;
    IF picture IS NULL THEN
        RETURN nurture._report_nothing('Nothing has happened yet.');
    END IF;
    RETURN format(E'<p>A period is %s; the last one still runs.</p>\n<figure>%s</figure>\n', nurture._markup(period::text), picture);
END
$$;
COMMENT ON FUNCTION nurture._report_retention(timestamptz, interval) IS 'the retention of the report';

CREATE FUNCTION nurture.report(title text DEFAULT 'Marketing report', since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL,
        funnel_steps text[] DEFAULT NULL, funnel_span interval DEFAULT '7 days', retention_period interval DEFAULT '7 days',
        top_leads int DEFAULT 10) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    f record;
BEGIN
    -- A database whose clock is simulated stands at what was drained.
    until := coalesce(until, CASE WHEN NOT current_setting('nurture.enabled')::boolean THEN (SELECT e.drained FROM nurture.engine e) END,
                      now());
    since := coalesce(since, until - interval '12 weeks');
    IF NOT (isfinite(since) AND isfinite(until) AND since < until) THEN
        RAISE EXCEPTION 'since must be before until, and both finite' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('They are %s and %s.', since, until);
    END IF;
    IF top_leads IS NULL OR top_leads < 0 OR top_leads > 1000 THEN
        RAISE EXCEPTION 'top_leads must be between 0 and 1000' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF array_position(funnel_steps, NULL) IS NOT NULL OR cardinality(funnel_steps) > 32 THEN
        RAISE EXCEPTION 'funnel_steps must be at most 32 event types, none of them NULL' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO f FROM nurture.freshness;
    RETURN E'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        || '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        || '<title>' || nurture._markup(coalesce(title, '')) || E'</title>\n<style>' || nurture._report_style()
        || E'</style></head>\n<body><main>\n<h1>' || nurture._markup(coalesce(title, '')) || E'</h1>\n'
        || format(E'<p class="when">%s to %s (%s). Engine: %s; messages waiting: %s.</p>\n',
                  to_char(since, 'YYYY-MM-DD HH24:MI'), to_char(until, 'YYYY-MM-DD HH24:MI'),
                  nurture._markup(current_setting('timezone')), nurture._markup(f.status), f.waiting)
        || '<section><h2>Leads</h2>' || nurture._report_leads(until, top_leads) || E'</section>\n'
        || '<section><h2>Segments</h2>' || nurture._report_segments(since, until) || E'</section>\n'
        || '<section><h2>Workflows</h2>' || nurture._report_workflows(since, until) || E'</section>\n'
        || '<section><h2>Messages</h2>' || nurture._report_messages(since, until) || E'</section>\n'
        || '<section><h2>Funnel</h2>' || nurture._report_funnel(since, until, funnel_steps, funnel_span) || E'</section>\n'
        || '<section><h2>Retention</h2>' || nurture._report_retention(until, retention_period) || E'</section>\n'
        || '</main></body></html>';
END
$$;
COMMENT ON FUNCTION nurture.report(text, timestamptz, timestamptz, text[], interval, interval, int) IS
    'one self-contained page of HTML: leads, segments over time, workflows, messages, a funnel, retention; it names contacts unless top_leads is 0';

-- The report reads as its owner, so that an analyst needs this one privilege; its parts are for it alone.
REVOKE ALL ON FUNCTION nurture.report(text, timestamptz, timestamptz, text[], interval, interval, int),
    nurture._segment_sizes(timestamptz, timestamptz, int), nurture._report_lead(timestamptz), nurture._report_leads(timestamptz, int),
    nurture._report_segments(timestamptz, timestamptz), nurture._report_workflows(timestamptz, timestamptz),
    nurture._report_messages(timestamptz, timestamptz), nurture._report_funnel(timestamptz, timestamptz, text[], interval),
    nurture._report_retention(timestamptz, interval) FROM PUBLIC;
