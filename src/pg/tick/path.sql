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
    'segment entered, segment left, journey started, journey waits, journey ended, band changed (name: the topic, or score; detail: from, to)';
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
