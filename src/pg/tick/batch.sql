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
               CASE WHEN t.kind = 'band changed' THEN t.reason::jsonb
                    WHEN t.reason IS NOT NULL THEN jsonb_build_object('reason', t.reason) END
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
