-- What is kept of a contact when parts of its log, or of its path's history, are dropped: its whole state as of a tick. From
-- there verify(), scores in the past and replays go on, with what came after that tick.

CREATE TABLE nurture.base (
    contact text COLLATE "C" PRIMARY KEY,
    state nurture.profile NOT NULL,
    until_tick bigint NOT NULL,
    last_feature int NOT NULL,
    model int NOT NULL
);
COMMENT ON TABLE nurture.base IS 'states kept when the log before them was dropped: recomputing starts from them';
COMMENT ON COLUMN nurture.base.until_tick IS 'what was taken up to this tick is in the state';
COMMENT ON COLUMN nurture.base.last_feature IS 'features with greater ids came later: they know only what the log still holds';

COMMENT ON COLUMN nurture.base.model IS 'the model in force then';

CREATE TABLE nurture.dropped (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    what text NOT NULL,
    upto timestamptz NOT NULL,
    rows bigint NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE nurture.dropped IS 'parts of the log that retention has dropped';
COMMENT ON COLUMN nurture.dropped.what IS 'the partition';
COMMENT ON COLUMN nurture.dropped.upto IS 'everything in it happened before';
REVOKE ALL ON TABLE nurture.base, nurture.dropped FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.base', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.dropped', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.dropped_id_seq', '');

-- What is defined later can know nothing earlier: nurture.feature.complete_from says so.
CREATE FUNCTION nurture._log_begins() RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce(max(d.upto), '-infinity') FROM nurture.dropped d WHERE d.kind = 'event_log'
$$;
COMMENT ON FUNCTION nurture._log_begins() IS 'since when the log is complete';

-- While a backfill is on its way, states know of new features what the log's earlier part will still give.
CREATE FUNCTION nurture._is_log_needed() RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM nurture.feature f WHERE f.state NOT IN ('live', 'ended')) OR EXISTS (SELECT FROM nurture.pending_change);
END
$$;
COMMENT ON FUNCTION nurture._is_log_needed() IS 'whether definitions are being taken up that need the log';

-- The caller holds the engine's lock, so that states and the tick's number belong together.
CREATE FUNCTION nurture._keep_base(contacts text[]) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept bigint;
BEGIN
    INSERT INTO nurture.base (contact, state, until_tick, last_feature, model)
    SELECT c.contact, c.state, (SELECT e.tick FROM nurture.engine e), coalesce((SELECT max(f.id) FROM nurture.feature f), 0),
           (SELECT max(m.id) FROM nurture.model m)
    FROM nurture.contact c WHERE c.contact = ANY (contacts)
    ON CONFLICT (contact) DO UPDATE
        SET state = excluded.state, until_tick = excluded.until_tick, last_feature = excluded.last_feature,
            model = excluded.model;
    GET DIAGNOSTICS kept = ROW_COUNT;
    RETURN kept;
END
$$;
COMMENT ON FUNCTION nurture._keep_base(text[]) IS 'keeps the present states of contacts, for part of their log is to go';
REVOKE ALL ON FUNCTION nurture._is_log_needed(), nurture._log_begins(), nurture._keep_base(text[]) FROM PUBLIC;
