-- What claim asks of the guards, set by set. All of it runs in the claim's transaction on actions that it has locked.
--
-- Two claims must not both take the last place under a contact's cap: each takes an advisory lock on the contacts it judges,
-- by trying, never by waiting; whom another claim has is left for later. It is held to the end of the transaction, that is:
-- given back when what was claimed can be seen. What was sent before is read by a later statement, with a snapshot of its
-- own; hence READ COMMITTED.

-- The counters of rates and budgets, locked: at most for the rest of a claim's transaction. Whoever does not get them in a
-- few milliseconds takes nothing now. NULL: did not get them.
CREATE TYPE nurture._guard_counts AS (policies int[], keys text[], slots timestamptz[], ends timestamptz[], used bigint[]);
COMMENT ON TYPE nurture._guard_counts IS 'counters side by side';
CREATE FUNCTION nurture._lock_counters(source text, channel text, workflows text[], moment timestamptz) RETURNS nurture._guard_counts
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    needed CONSTANT nurture._guard_counts := (
        SELECT ROW(array_agg(c.policy), array_agg(c.key), array_agg(coalesce(c.slot, '-infinity')), array_agg(c.ends), NULL)::nurture._guard_counts
        FROM nurture._guard_counters(source, channel, workflows, moment) c);
    locked nurture._guard_counts;
BEGIN
    IF needed.policies IS NULL THEN
        RETURN ROW('{}', '{}', '{}', '{}', '{}')::nurture._guard_counts;
    END IF;
    -- Made at first use; the advisory lock keeps one who makes the same from waiting for the other's commit.
    INSERT INTO nurture.guard_counter (policy, key)
    SELECT n.policy, n.key FROM unnest(needed.policies, needed.keys) n(policy, key)
    WHERE NOT EXISTS (SELECT FROM nurture.guard_counter g WHERE g.policy = n.policy AND g.key = n.key)
        AND pg_try_advisory_xact_lock('nurture.guard_counter'::regclass::oid::int, hashtext(n.policy || ' ' || n.key))
    ON CONFLICT DO NOTHING;
    FOR attempt IN 1..20 LOOP
        SELECT array_agg(g.policy ORDER BY g.n), array_agg(g.key ORDER BY g.n), array_agg(greatest(g.slot, g.needed) ORDER BY g.n),
               array_agg(g.ends ORDER BY g.n), array_agg(CASE WHEN g.slot >= g.needed THEN g.used ELSE 0 END ORDER BY g.n)
        INTO locked.policies, locked.keys, locked.slots, locked.ends, locked.used
        FROM (SELECT c.policy, c.key, c.slot, c.used, n.slot AS needed, n.ends, n.n
              FROM unnest(needed.policies, needed.keys, needed.slots, needed.ends) WITH ORDINALITY n(policy, key, slot, ends, n)
              JOIN nurture.guard_counter c ON c.policy = n.policy AND c.key = n.key
              FOR NO KEY UPDATE OF c SKIP LOCKED) g;
        IF cardinality(locked.policies) = cardinality(needed.policies) THEN
            RETURN locked;
        END IF;
        PERFORM pg_sleep(0.001);
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION nurture._lock_counters(text, text, text[], timestamptz) IS
    'the counters for messages of the channel by these workflows, locked; NULL when another claim keeps them';

-- How many messages of the channel its rates let through at the moment, and when more of them will: for claims that would
-- look in vain.
CREATE FUNCTION nurture._rate_room(source text, channel text, moment timestamptz, OUT room bigint, OUT opens timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT min(c.allowed - coalesce(g.used, 0)), max(c.ends) FILTER (WHERE g.used >= c.allowed)
FROM nurture._guard_counters(source, channel, '{}', moment) c
LEFT JOIN nurture.guard_counter g ON g.policy = c.policy AND g.key = c.key AND g.slot >= c.slot
WHERE c.whole_channel
$$;
COMMENT ON FUNCTION nurture._rate_room(text, text, timestamptz) IS
    'how many messages of the channel its rates let through, NULL: any number; when none, when they do again';

-- Drops and delays what the guards stopped.
CREATE FUNCTION nurture._stop_actions(moment timestamptz, dropped uuid[], drop_reasons text[], delayed uuid[], untils timestamptz[],
        delay_reasons text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF cardinality(dropped) > 0 THEN
        WITH over AS (
            UPDATE nurture.action a SET status = 'dropped', reason = left(d.reason, 1000), leased_until = NULL
            FROM unnest(dropped, drop_reasons) d(id, reason) WHERE a.id = d.id
            RETURNING a AS action
        )
        INSERT INTO nurture.inbox (contact, type, at, props, message_id, received_at)
        SELECT (o.action).contact, '$dropped', moment, nurture._result_props(o.action), (o.action).id || ':dropped', nurture._told_at(moment)
        FROM over o;
    END IF;
    IF cardinality(delayed) > 0 THEN
        UPDATE nurture.action a SET status = 'ready', leased_until = NULL, due = d.until, reason = left(d.reason, 1000)
        FROM unnest(delayed, untils, delay_reasons) d(id, until, reason) WHERE a.id = d.id;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._stop_actions(timestamptz, uuid[], text[], uuid[], timestamptz[], text[]) IS
    'drops actions, which their contacts are told, and delays others; each with its reason';

-- Judges actions that the claim has locked, in the order in which they are given: those that pass are returned, the others
-- dropped or delayed. settled: none was left for later. busy: a claim that keeps the counters is in the way of all.
CREATE FUNCTION nurture._enforce(ids uuid[], channel text, moment timestamptz, source text, traits nurture._guard_traits,
        OUT passed uuid[], OUT settled boolean, OUT busy boolean)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    has_keys CONSTANT boolean := EXISTS (SELECT FROM nurture.identity);
    -- The candidates, side by side.
    candidates uuid[];
    contacts text[];
    purposes text[];
    workflows text[];
    transactional boolean[];
    first_attempt boolean[];
    zones text[];
    countries text[];
    consented boolean[];
    refused uuid[];
    refusals text[];
    refused_until timestamptz[];
    free boolean[];
    -- What was sent to their contacts.
    sent_contacts text[];
    sent_at timestamptz[];
    sent_channels text[];
    sent_purposes text[];
    sent_workflows text[];
    sent_candidates int[];
    counts nurture._guard_counts;
    spent bigint[];
    dropped uuid[];
    drop_reasons text[];
    delayed uuid[];
    untils timestamptz[];
    delay_reasons text[];
BEGIN
    busy := false;
    settled := true;
    SELECT array_agg(c.id), array_agg(c.contact), array_agg(c.transactional)
    INTO candidates, contacts, transactional
    FROM (SELECT a.id, CASE WHEN has_keys THEN coalesce((SELECT k.contact FROM nurture.identity k WHERE k.key = a.contact), a.contact)
                      ELSE a.contact END AS contact, a.transactional
          FROM unnest(ids) WITH ORDINALITY i(id, n) JOIN nurture.action a ON a.id = i.id ORDER BY i.n) c;
    IF traits.caps THEN
        -- Transactional messages take no place and wait for nobody.
        SELECT array_agg(c.transactional OR pg_try_advisory_xact_lock('nurture.sent'::regclass::oid::int, hashtext(c.contact)))
        INTO free FROM unnest(contacts, transactional) c(contact, transactional);
        IF false = ANY (free) THEN
            settled := false;
            SELECT array_agg(c.id), array_agg(c.contact) INTO candidates, contacts
            FROM unnest(candidates, contacts, free) c(id, contact, free) WHERE c.free;
        END IF;
    END IF;
    -- Each statement from here on sees what whoever had a lock before has committed.
    SELECT array_agg(c.id), array_agg(c.reason), array_agg(c.until) INTO refused, refusals, refused_until
    FROM (
        SELECT DISTINCT ON (a.id) a.id, 'suppressed: ' || s.reason AS reason, s.until
        FROM unnest(candidates, contacts) i(id, contact)
        JOIN nurture.suppression s ON s.contact = ANY (CASE WHEN has_keys
                THEN ARRAY(SELECT i.contact UNION ALL SELECT o.key FROM nurture.identity o WHERE o.contact = i.contact)
                ELSE ARRAY[i.contact] END)
        JOIN nurture.action a ON a.id = i.id
        WHERE nurture._suppresses(s, _enforce.channel, a.purpose, a.transactional, moment)
        ORDER BY a.id, s.until DESC NULLS FIRST, s.reason) c;
    IF refused IS NOT NULL THEN
        PERFORM nurture._stop_actions(moment,
            ARRAY(SELECT r.id FROM unnest(refused, refused_until) r(id, until) WHERE r.until IS NULL),
            ARRAY(SELECT r.reason FROM unnest(refusals, refused_until) r(reason, until) WHERE r.until IS NULL),
            ARRAY(SELECT r.id FROM unnest(refused, refused_until) r(id, until) WHERE r.until IS NOT NULL),
            ARRAY(SELECT r.until FROM unnest(refused_until) r(until) WHERE r.until IS NOT NULL),
            ARRAY(SELECT r.reason FROM unnest(refusals, refused_until) r(reason, until) WHERE r.until IS NOT NULL));
        SELECT array_agg(c.id), array_agg(c.contact) INTO candidates, contacts
        FROM unnest(candidates, contacts) c(id, contact) WHERE c.id <> ALL (refused);
    END IF;
    passed := candidates;
    IF candidates IS NULL OR source IS NULL THEN
        RETURN;
    END IF;

    SELECT array_agg(c.purpose), array_agg(c.workflow), array_agg(c.transactional), array_agg(c.attempts = 0), array_agg(c.zone),
           array_agg(c.country), array_agg(c.consented)
    INTO purposes, workflows, transactional, first_attempt, zones, countries, consented
    FROM (SELECT coalesce(a.purpose, '') AS purpose, coalesce(a.workflow, '') AS workflow, a.transactional, a.attempts,
                 p.zone, p.country,
                 CASE WHEN traits.consent THEN nurture._consent_status(k.state, _enforce.channel, a.purpose, moment) = 'granted' END AS consented
          FROM unnest(candidates, contacts) WITH ORDINALITY i(id, contact, n) JOIN nurture.action a ON a.id = i.id
          LEFT JOIN nurture.contact k ON k.contact = i.contact LEFT JOIN LATERAL nurture._profile_place(k.state) p ON true ORDER BY i.n) c;
    IF traits.counters THEN
        counts := nurture._lock_counters(source, channel, ARRAY(SELECT DISTINCT w FROM unnest(workflows) w), moment);
        IF counts.policies IS NULL THEN
            passed := NULL;
            settled := false;
            busy := true;
            RETURN;
        END IF;
    END IF;
    IF traits.caps THEN
        SELECT array_agg(p.contact), array_agg(s.at), array_agg(s.channel), array_agg(s.purpose), array_agg(s.workflow),
               array_agg(CASE WHEN false = ANY (first_attempt) THEN coalesce(array_position(candidates, s.action), 0) ELSE 0 END)
        INTO sent_contacts, sent_at, sent_channels, sent_purposes, sent_workflows, sent_candidates
        FROM (SELECT DISTINCT c.contact FROM unnest(contacts) c(contact)) p
        JOIN nurture.sent s ON s.contact = ANY (CASE WHEN has_keys
                THEN ARRAY(SELECT p.contact UNION ALL SELECT o.key FROM nurture.identity o WHERE o.contact = p.contact)
                ELSE ARRAY[p.contact] END)
        WHERE s.at > moment - traits.horizon * interval '1 second';
    END IF;

    SELECT array_agg(j.id) FILTER (WHERE j.decision = 'claim'),
           array_agg(j.id) FILTER (WHERE j.decision = 'drop'), array_agg(j.reason) FILTER (WHERE j.decision = 'drop'),
           array_agg(j.id) FILTER (WHERE j.decision = 'delay'), array_agg(j.until) FILTER (WHERE j.decision = 'delay'),
           array_agg(j.reason) FILTER (WHERE j.decision = 'delay'), array_agg(j.used) FILTER (WHERE j.decision = 'count')
    INTO passed, dropped, drop_reasons, delayed, untils, delay_reasons, spent
    FROM (SELECT candidates[v.n] AS id, v.decision, v.until, v.reason, v.used
          FROM nurture._judge(source, moment, channel, contacts, purposes, workflows, transactional, consented, first_attempt, zones, countries,
              sent_contacts, sent_at, sent_channels, sent_purposes, sent_workflows, sent_candidates,
              counts.policies, counts.keys, counts.ends, counts.used) v
          ORDER BY v.n) j;
    IF dropped IS NOT NULL OR delayed IS NOT NULL THEN
        PERFORM nurture._stop_actions(moment, dropped, drop_reasons, delayed, untils, delay_reasons);
    END IF;
    IF spent IS NOT NULL THEN
        UPDATE nurture.guard_counter g SET slot = n.slot, used = n.used
        FROM unnest(counts.policies, counts.keys, counts.slots, spent) n(policy, key, slot, used)
        WHERE g.policy = n.policy AND g.key = n.key AND (g.slot, g.used) IS DISTINCT FROM (n.slot, n.used);
    END IF;
    INSERT INTO nurture.sent (contact, action, at, channel, purpose, workflow)
    SELECT c.contact, c.id, moment, _enforce.channel, c.purpose, c.workflow
    FROM unnest(candidates, contacts, purposes, workflows, transactional) c(id, contact, purpose, workflow, transactional)
    WHERE NOT c.transactional AND c.id = ANY (passed)
    ON CONFLICT (contact, action) DO UPDATE SET at = excluded.at;
END
$$;
COMMENT ON FUNCTION nurture._enforce(uuid[], text, timestamptz, text, nurture._guard_traits) IS
    'the guards'' judgement over actions that a claim has locked: those that pass; the others are dropped or delayed';

-- Part of the tick, after nurture._tend_suppression: what waits for contacts who refused it is withdrawn at once, rather than
-- dropped when it falls due. The tick only inserts: a sender may have the action by now.
CREATE FUNCTION nurture._withdraw_refused(this_tick bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    moment CONSTANT timestamptz := nurture._now();
BEGIN
    INSERT INTO nurture.action_cancel (id, contact, reason, at, tick)
    SELECT a.id, a.contact, 'suppressed: ' || x.reason, moment, this_tick
    FROM nurture._stepped s
    JOIN nurture.action a ON a.contact = s.contact AND a.status = 'ready'
    CROSS JOIN LATERAL (
        SELECT r.reason FROM nurture.suppression r
        WHERE r.contact = s.contact AND r.until IS NULL AND nurture._suppresses(r, a.channel, a.purpose, a.transactional, moment)
        LIMIT 1) x
    WHERE s.kinds & 64 <> 0;
END
$$;
COMMENT ON FUNCTION nurture._withdraw_refused(bigint) IS 'withdraws what waits for contacts of the batch who have refused it';

-- Forgets what no cap looks back to; seldom, and in portions.
CREATE FUNCTION nurture._forget_sent(max_rows int DEFAULT 10000) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    source CONSTANT text := nurture._guard_source();
    forgotten bigint;
BEGIN
    -- A calendar month at least: the next policy may ask for it.
    DELETE FROM nurture.sent s WHERE s.ctid = ANY (ARRAY(
        SELECT o.ctid FROM nurture.sent o
        WHERE o.at < moment - greatest(coalesce((nurture._traits_of(source)).horizon, 0) * interval '1 second', interval '32 days')
        LIMIT max_rows FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    DELETE FROM nurture.guard_counter g WHERE NOT EXISTS (SELECT FROM nurture.policy p WHERE p.id = g.policy);
    RETURN forgotten;
END
$$;
COMMENT ON FUNCTION nurture._forget_sent(int) IS 'forgets messages that were sent longer ago than any cap looks back; returns how many';

REVOKE ALL ON FUNCTION nurture._lock_counters(text, text, text[], timestamptz), nurture._rate_room(text, text, timestamptz),
    nurture._stop_actions(timestamptz, uuid[], text[], uuid[], timestamptz[], text[]),
    nurture._enforce(uuid[], text, timestamptz, text, nurture._guard_traits), nurture._withdraw_refused(bigint), nurture._forget_sent(int) FROM PUBLIC;
