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
-- raises 40001, which no lock clause can avoid: claim first in such a transaction, and repeat it on 40001. Where there are
-- policies or suppressions it refuses: an old snapshot knows neither what others have sent nor who has withdrawn consent.
--
-- Guards (docs/guards.md) judge what was selected and locked, see _enforce. What they stop is dropped or its due moved, so
-- that the next look passes it by.
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
    has_keys CONSTANT boolean := EXISTS (SELECT FROM nurture.identity);
    from_key timestamptz;
    from_id uuid;
    wanted int;
    got int;
    guards text;
    guarded boolean;
    traits nurture._guard_traits;
    verdict record;
    settled boolean; -- the guards left none of the line for later
    seen int := 0;
    most_seen int := 10000;
    portioned boolean; -- a claim is made in portions of 1,000
    enough boolean := false;
    draws boolean;  -- some of the line want codes
    drew boolean := false;
    drawn nurture._drawn;
    some_withdrawn CONSTANT boolean := EXISTS (SELECT FROM nurture.action_cancel);
BEGIN
    IF claim.channel IS NULL OR max_actions IS NULL OR lease IS NULL THEN
        RAISE EXCEPTION 'channel, max_actions and lease must not be null' USING ERRCODE = 'null_value_not_allowed';
    ELSIF max_actions < 1 THEN
        RAISE EXCEPTION 'max_actions must be at least 1' USING ERRCODE = 'invalid_parameter_value';
    ELSIF lease <= interval '0' THEN
        RAISE EXCEPTION 'lease must be longer than nothing' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Choose it longer than carrying out all the claimed actions takes.';
    END IF;
    IF claim.channel LIKE '$%' THEN
        RAISE EXCEPTION 'channel "%" is the engine''s own', claim.channel USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It carries out by itself what workflows assign.';
    END IF;
    PERFORM nurture._require_own_database();
    IF nurture._sending_paused() THEN
        RETURN;
    END IF;
    guards := nurture._guard_source();
    guarded := guards IS NOT NULL OR EXISTS (SELECT FROM nurture.suppression);
    IF guarded THEN
        IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
            RAISE EXCEPTION 'claim enforces guards in READ COMMITTED only' USING ERRCODE = 'feature_not_supported',
                DETAIL = 'An older snapshot does not see what others have sent meanwhile, nor who has withdrawn consent.',
                HINT = 'Claim in a transaction of its own.';
        END IF;
        traits := nurture._traits_of(guards);
        IF traits.caps THEN -- each contact takes a lock of the server's
            most_seen := 2000;
            room := LEAST(room, most_seen);
        END IF;
        IF traits.counters THEN
            room := LEAST(room, (nurture._rate_room(guards, claim.channel, moment)).room);
        END IF;
    END IF;
    portioned := guarded;
    IF EXISTS (SELECT FROM nurture.coupon_pool p WHERE p.one_per <> 'message') THEN -- so does each that keeps its code
        portioned := true;
        most_seen := LEAST(most_seen, 2000);
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
        from_key := look.since[line];
        from_id := look.after[line];
        settled := true;
        LOOP -- once, unless guards stop some: then the line is read on, in portions, until there is enough
            wanted := CASE WHEN portioned THEN LEAST(room, 1000) ELSE room END;
            SELECT array_agg(c.id), array_agg(c.key), bool_or(c.draws) INTO ids, keys, draws FROM (
                SELECT a.id, COALESCE(a.leased_until, a.due) AS key, a.draws IS NOT NULL AS draws FROM nurture.action a
                WHERE a.channel = claim.channel AND a.status IN ('ready', 'claimed') AND a.priority = this_priority
                    AND (COALESCE(a.leased_until, a.due), a.id) > (from_key, from_id)
                    AND COALESCE(a.leased_until, a.due) <= moment
                    AND (a.expires IS NULL OR a.expires > moment)
                    AND a.attempts < nurture._max_attempts()
                    AND NOT EXISTS (SELECT FROM nurture.action_cancel c WHERE c.id = a.id)
                ORDER BY COALESCE(a.leased_until, a.due), a.id
                LIMIT wanted FOR NO KEY UPDATE OF a SKIP LOCKED) c;
            got := coalesce(cardinality(ids), 0);
            IF got > 0 THEN
                from_key := keys[got];
                from_id := ids[got];
            END IF;
            IF some_withdrawn AND got > 0 THEN
                ids := nurture._await_withdrawn(ids, moment);
                drew := drew OR cardinality(ids) < got; -- then the line is read on
            END IF;
            IF draws THEN
                drew := true;
                drawn := nurture._draw(ids, moment);
                ids := drawn.passed;
                settled := settled AND drawn.settled;
                enough := seen + got >= most_seen;
            END IF;
            IF (guarded OR drew) AND got > 0 THEN
                seen := seen + got;
            END IF;
            IF guarded AND got > 0 THEN
                verdict := nurture._enforce(ids, claim.channel, moment, guards, traits);
                ids := verdict.passed;
                settled := settled AND verdict.settled;
                enough := verdict.busy OR seen >= most_seen;
            END IF;
            IF got = wanted AND settled AND from_key < moment - interval '1 minute' THEN
                look.since[line] := from_key;
                look.after[line] := from_id;
            ELSIF settled THEN
                look.since[line] := GREATEST(look.since[line], moment - interval '1 minute');
                look.after[line] := no_id;
            END IF;
            IF draws THEN
                PERFORM nurture._settle_draws(drawn, coalesce(ids, '{}'));
            END IF;
            IF cardinality(ids) > 0 THEN
                RETURN QUERY
                WITH claimed AS (
                    UPDATE nurture.action a
                    SET status = 'claimed', attempts = a.attempts + 1, leased_until = moment + lease,
                        receipt = nurture._new_receipt(a.id)
                    WHERE a.id = ANY (ids)
                    RETURNING a.*
                )
                SELECT a.receipt, a.id,
                       CASE WHEN has_keys THEN coalesce((SELECT k.contact FROM nurture.identity k WHERE k.key = a.contact), a.contact)
                            ELSE a.contact END, a.template, a.purpose, a.payload, a.due, a.expires, a.attempts,
                       a.leased_until, a.workflow, a.version, a.journey, a.step, a.transactional
                FROM claimed a ORDER BY a.due, a.id;
                room := room - cardinality(ids);
            END IF;
            EXIT WHEN NOT (portioned OR drew) OR got < wanted OR room <= 0 OR enough;
        END LOOP;
        EXIT WHEN enough;
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
    'share one. contact: whose the key is today. Policies and suppressions are enforced. Complete or fail each by its receipt; what is neither when the lease runs out can be claimed again';
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
    guards text;
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
    guards := nurture._guard_source();
    IF guards IS NOT NULL THEN
        earliest := GREATEST(earliest, CASE WHEN earliest IS NOT NULL THEN (nurture._rate_room(guards, next_claimable.channel, moment)).opens END);
    END IF;
    RETURN earliest;
END
$$;
COMMENT ON FUNCTION nurture.next_claimable(text) IS
    'when the next action of the channel falls due or its lease runs out, as things stand: sleep until then, a notification, '
    'or the length of a lease; in the past when something can be claimed now, NULL when nothing is open or sending is paused';
REVOKE ALL ON FUNCTION nurture.next_claimable(text) FROM PUBLIC;
