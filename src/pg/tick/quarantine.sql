-- What could not be taken: malformed messages are set aside; a contact whose step fails is quarantined with its messages.
-- Nothing is lost: inserted = logged + rejected + duplicates + quarantined + waiting behind a merge.

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

REVOKE ALL ON TABLE nurture.quarantine, nurture.quarantined_message FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture.quarantine', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.quarantined_message', '');
SELECT pg_catalog.pg_extension_config_dump('nurture.quarantined_message_id_seq', '');

-- Messages that never reached a step, or that the step refused.
CREATE FUNCTION nurture._set_aside(this_tick bigint, step_refused boolean) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
DECLARE
    rejected bigint;
    refused bigint := 0;
BEGIN
    INSERT INTO nurture.rejected_event (contact, type, at, props, message_id, kind, received_at, source, reason, tick)
    SELECT CASE WHEN NOT o.erased THEN b.key END, b.type, b.at, nurture._refused_props(b.reason, b.type, b.props),
           CASE WHEN NOT o.erased THEN b.message_id END, b.kind, b.received_at, CASE WHEN b.history THEN 'history' ELSE 'inbox' END,
           b.reason, this_tick
    FROM nurture._batch b CROSS JOIN LATERAL (SELECT nurture._is_of_erased(b.reason)) o (erased)
    WHERE b.reason IS NOT NULL ORDER BY b.place;
    GET DIAGNOSTICS rejected = ROW_COUNT;
    IF rejected > 0 AND EXISTS (SELECT FROM nurture.erased_key) THEN
        PERFORM nurture._forget_told_of_erased();
    END IF;
    IF step_refused THEN
        INSERT INTO nurture.rejected_event (contact, type, at, props, message_id, kind, received_at, source, reason, tick)
        SELECT b.key, b.type, b.at, b.props, b.message_id, b.kind, b.received_at, CASE WHEN b.history THEN 'history' ELSE 'inbox' END, r.reason, this_tick
        FROM nurture._batch b
        JOIN (SELECT s.contact, r.message, r.reason
              FROM nurture._stepped s CROSS JOIN LATERAL nurture._rejections(s.outputs) r
              WHERE s.kinds & 32 <> 0) r ON r.contact = b.contact AND r.message = b.ordinal;
        GET DIAGNOSTICS refused = ROW_COUNT;
    END IF;
    RETURN rejected + refused;
END
$$;
COMMENT ON FUNCTION nurture._set_aside(bigint, boolean) IS 'keeps malformed messages, with the reason';

-- A contact whose step failed keeps its row as it was, is due no more, and its messages wait.
CREATE FUNCTION nurture._quarantine(this_tick bigint, failed bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
DECLARE
    kept bigint;
    example text;
BEGIN
    IF failed = 0 AND NOT EXISTS (SELECT FROM nurture.quarantine) THEN
        RETURN 0;
    ELSIF failed > current_setting('nurture.quarantine_limit')::bigint THEN
        SELECT format('contact "%s": %s', s.contact, s.failure) INTO example
        FROM nurture._stepped s WHERE s.failure IS NOT NULL ORDER BY s.contact LIMIT 1;
        RAISE EXCEPTION 'the steps of % contacts failed in one tick', failed
            USING ERRCODE = 'configuration_limit_exceeded', DETAIL = 'The first: ' || example,
                  HINT = 'Mend the cause, or raise nurture.quarantine_limit to set them all aside.';
    END IF;
    IF failed > 0 THEN
        INSERT INTO nurture.quarantine (contact, reason, tick)
        SELECT s.contact, s.failure, this_tick FROM nurture._stepped s WHERE s.failure IS NOT NULL
        ON CONFLICT (contact) DO NOTHING;
        UPDATE nurture.contact c SET due = NULL FROM nurture._stepped s
        WHERE s.failure IS NOT NULL AND c.contact = s.contact;
    END IF;
    -- Somebody may have released one of them since the snapshot: then this raises 40001, and the tick begins again.
    PERFORM FROM nurture.quarantine q WHERE q.contact IN (SELECT b.contact FROM nurture._batch b WHERE b.quarantined)
    FOR KEY SHARE;
    INSERT INTO nurture.quarantined_message (of_contact, contact, type, at, props, message_id, kind, received_at, source)
    SELECT b.contact, b.key, b.type, b.at, b.props, b.message_id, b.kind, b.received_at,
           CASE WHEN b.type IN ('$merge', '$split') THEN 'waiting' WHEN b.history THEN 'history' ELSE 'inbox' END
    FROM nurture._batch b
    LEFT JOIN (SELECT s.contact FROM nurture._stepped s WHERE failed > 0 AND s.failure IS NOT NULL) f ON f.contact = b.contact
    WHERE b.reason IS NULL AND (b.quarantined OR f.contact IS NOT NULL)
    ORDER BY b.received_at, b.place;
    GET DIAGNOSTICS kept = ROW_COUNT;
    RETURN kept;
END
$$;
COMMENT ON FUNCTION nurture._quarantine(bigint, bigint) IS 'sets contacts aside whose step failed';

REVOKE ALL ON FUNCTION nurture._set_aside(bigint, boolean), nurture._quarantine(bigint, bigint) FROM PUBLIC;

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
    UPDATE nurture.engine e SET due_from = e.due_from RETURNING e.due_from INTO since;
    UPDATE nurture.contact c SET due = coalesce(since, '-infinity') WHERE c.contact = release.contact;
    -- A backlog was cut before these came back: later messages of the contact may lie in earlier batches.
    DELETE FROM nurture._drain_plan;
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
    ), waiting AS (
        INSERT INTO nurture._waiting (contact, type, at, props, message_id, kind, received_at, history, place)
        SELECT g.contact, g.type, g.at, g.props, g.message_id, g.kind, g.received_at, false, g.id FROM gone g
        WHERE g.source = 'waiting' RETURNING 1
    )
    SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM history) + (SELECT count(*) FROM waiting) INTO moved;
    RETURN moved;
END
$$;
COMMENT ON FUNCTION nurture.release(text) IS 'ends a contact''s quarantine: its messages go back to the inbox; returns how many';
REVOKE ALL ON FUNCTION nurture.release(text) FROM PUBLIC;
