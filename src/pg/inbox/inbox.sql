-- The inbox: where applications tell the engine what happened. Everything that can ever influence a contact comes
-- through here as a message; the tick consumes the rows.
--
-- Privileges. A producer needs no more than
--     GRANT INSERT ON nurture.inbox TO producer;         (and on nurture.history to load a past)
-- It then may INSERT and COPY, and can read nothing. Whoever may insert may also write `$identify` or `$consent`: to
-- let a less trusted source write page views only, give it a table or function of your own that checks the type.

-- The inbox is one name in front of several slots that are used in turn (slots.sql); which one a row goes to is told by
-- the key of the partitions, a function of nothing in the row: it reads the sequence. It is called immutable since a key
-- has to be; nothing but the way of a new row depends on it, and the engine goes by what lies in a slot.
CREATE SEQUENCE nurture._inbox_turn AS bigint MINVALUE 1025 NO CYCLE;
SELECT pg_catalog.setval('nurture._inbox_turn', 1025);
COMMENT ON SEQUENCE nurture._inbox_turn IS 'the turn of the inbox''s slots, times 1024, plus the slot that takes new rows';
REVOKE ALL ON SEQUENCE nurture._inbox_turn FROM PUBLIC;
CREATE FUNCTION nurture._inbox_slot(received_at timestamptz) RETURNS int
    LANGUAGE c IMMUTABLE PARALLEL UNSAFE COST 1 AS 'MODULE_PATHNAME', 'nurture_inbox_slot';
COMMENT ON FUNCTION nurture._inbox_slot(timestamptz) IS 'the slot that takes new rows, whatever the argument';

CREATE TABLE nurture.inbox (
    contact text COLLATE "C",
    type text COLLATE "C",
    at timestamptz DEFAULT pg_catalog.now(),
    props jsonb DEFAULT '{}',
    message_id text,
    kind text,
    received_at timestamptz DEFAULT pg_catalog.clock_timestamp()
) PARTITION BY LIST (nurture._inbox_slot(received_at));
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
