-- What the engine does for the outbox between ticks, in READ COMMITTED, in portions. None of it ever waits for a sender:
-- an action that somebody has locked is left for the next time.

CREATE FUNCTION nurture._fold_cancellations(max_actions int DEFAULT 10000) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
    AS $$
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    folded bigint;
    refused nurture.action[];
BEGIN
    -- An action under a running lease is being carried out: its cancellation waits for what comes of it.
    WITH withdrawn AS (
        SELECT a.id, COALESCE(c.reason, 'cancelled') AS reason,
               a.contact <> '' AND a.contact <> c.contact AND nurture.contact_of(a.contact) <> nurture.contact_of(c.contact) AS of_another
        FROM nurture.action_cancel c JOIN nurture.action a ON a.id = c.id
        WHERE a.status = 'ready' OR a.status = 'claimed' AND a.leased_until <= moment
        LIMIT max_actions FOR NO KEY UPDATE OF a SKIP LOCKED
    ), over AS (
        UPDATE nurture.action a SET status = 'cancelled', reason = w.reason, leased_until = NULL
        FROM withdrawn w WHERE a.id = w.id RETURNING a AS action, w.of_another
    )
    SELECT count(*), array_agg(o.action) FILTER (WHERE (o.action).reason LIKE 'suppressed: %' OR o.of_another) INTO folded, refused FROM over o;
    -- What a step withdrew it has forgotten itself; of a refusal that came meanwhile the contact is told, as by claim. So is whoever
    -- was told apart from the contact with whom the journey stayed.
    IF refused IS NOT NULL THEN
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at)
        SELECT r.contact, '$dropped', moment, nurture._result_props(r), r.id || ':dropped', nurture._told_at(moment) FROM unnest(refused) r;
    END IF;
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
    -- An insert of no rows would wake the worker all the same, whose tick would call for maintenance again: every second for ever.
    IF NOT EXISTS (SELECT FROM nurture.action a
                   WHERE a.status IN ('ready', 'claimed') AND a.expires IS NOT NULL AND a.expires <= moment
                       AND (a.leased_until IS NULL OR a.leased_until <= moment)
                       AND NOT EXISTS (SELECT FROM nurture.action_cancel c WHERE c.id = a.id))
        AND NOT EXISTS (SELECT FROM nurture.action a
                        WHERE a.status = 'claimed' AND a.attempts >= nurture._max_attempts() AND a.leased_until <= moment
                            AND NOT EXISTS (SELECT FROM nurture.action_cancel c WHERE c.id = a.id)) THEN
        RETURN 0;
    END IF;
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
        UPDATE nurture.action a SET status = o.status, leased_until = NULL,
            reason = CASE WHEN o.status = 'expired' AND a.status = 'ready' THEN left(concat_ws(': ', o.reason, a.reason), 1000) ELSE o.reason END
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
    -- Once an hour by the session's memory: the engine's is long.
    IF coalesce(nurture._recall('sent forgotten')::timestamptz, '-infinity') NOT BETWEEN clock_timestamp() - interval '1 hour' AND clock_timestamp() THEN
        IF nurture._forget_sent(max_actions) < max_actions THEN
            PERFORM nurture._remember('sent forgotten', clock_timestamp()::text);
        END IF;
    END IF;
    RETURN nurture._assign_from_rotas(max_actions) + nurture._fold_cancellations(max_actions) + nurture._expire_actions(max_actions);
END
$$;
COMMENT ON FUNCTION nurture._outbox_maintain(int) IS
    'assigns from rotas, folds cancellations and expires what is late, at most max_actions of each; returns how many actions it settled: '
    'call it again when that is max_actions or more';
REVOKE ALL ON FUNCTION nurture._outbox_maintain(int) FROM PUBLIC;
