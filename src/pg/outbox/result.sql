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
    PERFORM nurture._require_own_database();
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
        FROM done d WHERE (d.action).contact <> '' -- erased while a sender had it: there is nobody to be told
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
    withdrawn_by text; -- the contact whose journey did
    cancellation text;
BEGIN
    IF retry_after < interval '0' THEN
        RAISE EXCEPTION 'retry_after must not be negative' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM nurture._require_own_database();
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
    SELECT COALESCE(c.reason, 'cancelled'), c.contact INTO cancellation, withdrawn_by FROM nurture.action_cancel c WHERE c.id = act.id LIMIT 1;
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
    -- What came to nothing takes no place under a frequency cap.
    IF act.status <> 'ready' AND NOT act.transactional THEN
        DELETE FROM nurture.sent s WHERE s.contact IN (act.contact, nurture.contact_of(act.contact)) AND s.action = act.id;
    END IF;
    IF act.status IN ('failed', 'dead') THEN
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at)
        VALUES (act.contact, '$failed', moment, nurture._result_props(act), act.id || ':failed', nurture._told_at(moment));
    ELSIF act.status = 'cancelled' AND act.contact <> '' AND act.contact <> withdrawn_by
        AND nurture.contact_of(act.contact) <> nurture.contact_of(withdrawn_by) THEN
        -- Told apart from the contact whose journey withdrew it: as in _fold_cancellations.
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at)
        VALUES (act.contact, '$dropped', moment, nurture._result_props(act), act.id || ':dropped', nurture._told_at(moment));
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
