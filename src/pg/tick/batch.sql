-- One batch of the tick, part by part. All of it runs in one REPEATABLE READ transaction: every statement sees the same
-- inbox. The parts are functions of their own so that each can fix the plan its statement needs whatever the statistics
-- of tables that are empty most of the time say.

-- Every contact with messages, once, in their order: so do the writes below come to neighbouring pages of the indexes.
-- Nested loops: a batch touches few of all contacts.
CREATE FUNCTION nurture._step_messages(model nurture.compiled_model, until timestamptz, this_tick bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off
    SET enable_hashagg = off SET work_mem = '64MB' SET jit = off AS $$
DECLARE
    stepped bigint;
BEGIN
    INSERT INTO nurture._stepped
    SELECT r.contact, r.place, r.due_before, (r.result).*
    FROM (SELECT m.contact, c.ctid AS place, c.due AS due_before,
                 nurture._step_bounded(_step_messages.model, m.contact, c.state, m.messages, until, this_tick) AS result
          FROM (SELECT b.contact, nurture._pack(b.type, least(b.at, b.received_at), b.received_at, b.props, b.message_id,
                                                b.place, b.history) AS messages
                FROM nurture._batch b WHERE b.ordinal > 0 GROUP BY b.contact) m
          LEFT JOIN nurture.contact c ON c.contact = m.contact
          OFFSET 0) r; -- so that each step is taken once, not once a column
    GET DIAGNOSTICS stepped = ROW_COUNT;
    RETURN stepped;
END
$$;
COMMENT ON FUNCTION nurture._step_messages(nurture.compiled_model, timestamptz, bigint) IS 'steps the contacts of the batch';

-- Contacts for which time alone has come, in the order in which they are due. Their number is bounded; the batch after this one takes
-- the rest: those due from last_due on.
CREATE FUNCTION nurture._step_due(model nurture.compiled_model, since timestamptz, moment timestamptz, this_tick bigint,
        max_contacts bigint, OUT stepped bigint, OUT last_due timestamptz)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_nestloop = off SET enable_mergejoin = off SET work_mem = '64MB' SET jit = off AS $$
BEGIN
    WITH written AS (
        INSERT INTO nurture._stepped
        SELECT r.contact, r.place, r.due_before, (r.result).*
        FROM (SELECT d.contact, d.place, d.due AS due_before,
                     nurture._step_bounded(_step_due.model, d.contact, d.state, NULL, moment, this_tick) AS result
              FROM (SELECT c.contact, c.ctid AS place, c.due, c.state FROM nurture.contact c
                    WHERE c.due >= since AND c.due <= moment
                      AND NOT EXISTS (SELECT FROM nurture._stepped s WHERE s.contact = c.contact)
                    ORDER BY c.due LIMIT max_contacts) d
              OFFSET 0) r
        RETURNING due_before
    )
    SELECT count(*), max(w.due_before) INTO stepped, last_due FROM written w;
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
    FROM nurture._batch b
    JOIN (SELECT s.contact, s.clock_before AS clock, s.numbers
          FROM nurture._stepped s WHERE s.failure IS NULL) s ON s.contact = b.contact
    WHERE b.ordinal > 0 AND coalesce(s.numbers[b.ordinal], b.ordinal) > 0;
    GET DIAGNOSTICS logged = ROW_COUNT;
    RETURN logged;
END
$$;
COMMENT ON FUNCTION nurture._write_log(bigint) IS 'logs the messages that were taken';

CREATE FUNCTION nurture._is_untaken(message nurture._batch) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (SELECT FROM nurture._stepped s WHERE s.contact = message.contact AND s.kinds & 128 <> 0 AND s.numbers[message.ordinal] < 0)
$$;
COMMENT ON FUNCTION nurture._is_untaken(nurture._batch) IS 'whether the step did not come to the message';

-- Messages that a contact did not come to, since it had slept too long for one step, come first in the next batch: with those
-- behind a merge.
CREATE FUNCTION nurture._keep_untaken() RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
INSERT INTO nurture._waiting (contact, type, at, props, message_id, kind, received_at, history, place)
SELECT b.key, b.type, b.at, b.props, b.message_id, b.kind, b.received_at, b.history, b.place
FROM nurture._stepped s JOIN nurture._batch b ON b.contact = s.contact
WHERE s.kinds & 128 <> 0 AND b.ordinal > 0 AND s.numbers[b.ordinal] < 0
$$;
COMMENT ON FUNCTION nurture._keep_untaken() IS 'keeps messages that steps did not come to for the next batch';

-- The next rows of the contacts. A `due` that is too early is kept rather than moved later: waking early is harmless, and
-- the update stays heap-only. Nobody else writes contacts while the engine's lock is held: a known contact's row is where the
-- step found it, and a new one needs no look for a conflict (which would also be logged twice).
CREATE FUNCTION nurture._write_contacts(moment timestamptz, model_id int) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    UPDATE nurture.contact c
    SET state = s.state, model = model_id,
        due = CASE WHEN s.due_before > moment AND (s.due > s.due_before OR s.due IS NULL) THEN s.due_before ELSE s.due END
    FROM nurture._stepped s
    WHERE c.ctid = s.place AND c.contact = s.contact AND s.failure IS NULL;
    INSERT INTO nurture.contact (contact, state, due, model)
    SELECT s.contact, s.state, s.due, model_id FROM nurture._stepped s WHERE s.place IS NULL AND s.failure IS NULL;
END
$$;
COMMENT ON FUNCTION nurture._write_contacts(timestamptz, int) IS 'writes the contacts'' next rows';

-- The outputs, kind by kind; `kinds` says which there are (see OutputKinds in outputs.hpp).
CREATE FUNCTION nurture._write_outputs(kinds int, this_tick bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    channels text[];
BEGIN
    IF kinds & 1 <> 0 THEN
        INSERT INTO nurture.transition (tick, contact, n, at, kind, name, version, step, cause, cause_tick, cause_n, detail)
        SELECT this_tick, s.contact, t.n, t.at, t.kind, t.name, t.version, t.step, t.cause, t.cause_tick, t.cause_n,
               CASE WHEN t.kind IN ('band changed', 'consent changed', 'arm assigned') THEN t.reason::jsonb
                    WHEN t.reason IS NOT NULL OR t.via IS NOT NULL OR t.instance > 1 OR t.branch IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
                        'reason', t.reason, 'instance', nullif(t.instance, 1), 'branch', t.branch, 'via', string_to_array(t.via, ' '))) END
        FROM nurture._stepped s CROSS JOIN LATERAL nurture._transitions(s.outputs) t
        WHERE s.kinds & 1 <> 0;
    END IF;
    IF kinds & 2 <> 0 THEN
        WITH made AS (
            INSERT INTO nurture.action (id, contact, channel, template, purpose, transactional, payload, status, due, expires,
                                        priority, attempts, workflow, version, journey, step, created_at, draws)
            SELECT a.id, s.contact, a.channel, a.template, a.purpose, a.transactional, a.payload, 'ready', a.due, a.expires,
                   a.priority, 0, a.workflow, a.version, a.journey, a.step, a.due, a.draws
            FROM nurture._stepped s CROSS JOIN LATERAL nurture._actions(s.outputs) a
            WHERE s.kinds & 2 <> 0
            ON CONFLICT (id) DO NOTHING RETURNING channel
        )
        SELECT array_agg(DISTINCT m.channel) INTO channels FROM made m;
        PERFORM nurture._notify_actions(channels);
    END IF;
    IF kinds & 4 <> 0 THEN
        INSERT INTO nurture.action_cancel (id, contact, reason, at, tick)
        SELECT c.id, s.contact, c.reason, c.at, this_tick
        FROM nurture._stepped s CROSS JOIN LATERAL nurture._cancellations(s.outputs) c
        WHERE s.kinds & 4 <> 0;
    END IF;
    IF kinds & 8 <> 0 THEN
        INSERT INTO nurture.event_log (contact, key, kind, type, at, received_at, clock, props, tick, n)
        SELECT s.contact, s.contact, '$engine', w.type, w.at, w.at, w.at, w.props, this_tick, w.n
        FROM nurture._stepped s CROSS JOIN LATERAL nurture._written(s.outputs) w
        WHERE s.kinds & 8 <> 0;
        PERFORM nurture._keep_lists();
    END IF;
    IF kinds & 16 <> 0 THEN
        -- Whoever left and came back within one step gets a new entry, too.
        DELETE FROM nurture.membership_entry e
        USING (SELECT s.contact, m.segment FROM nurture._stepped s CROSS JOIN LATERAL nurture._memberships(s.outputs) m
               WHERE s.kinds & 16 <> 0 OFFSET 0) c -- the table of memberships is asked for each of them, never looked through
        WHERE e.contact = c.contact AND e.segment = c.segment;
        INSERT INTO nurture.membership_entry (contact, segment, since, cause)
        SELECT s.contact, m.segment, m.since, m.cause
        FROM nurture._stepped s CROSS JOIN LATERAL nurture._memberships(s.outputs) m
        WHERE s.kinds & 16 <> 0 AND m.member;
    END IF;
    IF kinds & 64 <> 0 THEN
        PERFORM nurture._tend_suppression();
        PERFORM nurture._withdraw_refused(this_tick);
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._write_outputs(int, bigint) IS 'writes transitions, actions, cancellations, own events, memberships';

CREATE FUNCTION nurture._empty(first regclass, second regclass) RETURNS boolean
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'nurture_empty';
COMMENT ON FUNCTION nurture._empty(regclass, regclass) IS
    'empties two tables at once, for good even if the transaction is undone; false when somebody else has one of them open';
REVOKE ALL ON FUNCTION nurture._empty(regclass, regclass) FROM PUBLIC;

-- The tables are ours alone and mean nothing between ticks. Should somebody be looking at them all the same, the tick does not wait for
-- him: then the rows are deleted, and the next tick tries again.
CREATE FUNCTION nurture._clear_batch() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT nurture._empty('nurture._batch', 'nurture._stepped') THEN
        DELETE FROM nurture._batch;
        DELETE FROM nurture._stepped;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._clear_batch() IS 'empties the batch';

REVOKE ALL ON FUNCTION nurture._step_messages(nurture.compiled_model, timestamptz, bigint),
    nurture._step_due(nurture.compiled_model, timestamptz, timestamptz, bigint, bigint), nurture._write_log(bigint), nurture._keep_untaken(), nurture._is_untaken(nurture._batch),
    nurture._write_contacts(timestamptz, int), nurture._write_outputs(int, bigint), nurture._clear_batch()
    FROM PUBLIC;
