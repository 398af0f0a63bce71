-- Drawing codes for messages that a claim has locked. All of it happens in the claim's transaction: a code is given when, and
-- only when, the message is handed to a sender, and it is written into the payload, which every later claim of the message
-- finds there. Nothing waits: codes that another claim holds are skipped, and a contact whose codes another claim is
-- looking at is left for later (an advisory lock, held to the end of the transaction; whoever gets it sees what was given).

CREATE TYPE nurture._drawn AS (passed uuid[], settled boolean, actions uuid[], names text[], pools text[], codes text[], fresh boolean[]);
COMMENT ON TYPE nurture._drawn IS
    'the messages that go on, whether none was left for later, and the codes for them side by side; fresh: given just now';

CREATE FUNCTION nurture._draw(ids uuid[], moment timestamptz) RETURNS nurture._drawn
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    drawn nurture._drawn := ROW(ids, true, '{}', '{}', '{}', '{}', '{}');
    need record;
    act nurture.action;
    pool nurture.coupon_pool;
    found_code text;
    is_fresh boolean;
    -- The code that was taken last; those before it are taken, too.
    place_pool int := 0;
    place_expires timestamptz;
    place_code text;
    later uuid[] := '{}';
    empty int[] := '{}'; -- pools
    dropped uuid[] := '{}';
    drop_reasons text[] := '{}';
    delayed uuid[] := '{}';
    untils timestamptz[] := '{}';
    delay_reasons text[] := '{}';
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'claim gives out coupons in READ COMMITTED only' USING ERRCODE = 'feature_not_supported',
            DETAIL = 'An older snapshot does not see which codes others have given meanwhile.', HINT = 'Claim in a transaction of its own.';
    END IF;
    FOR need IN
        SELECT a AS action, d.key AS name, p AS pool, nurture.contact_of(a.contact) AS contact, (d.value ->> 'journey')::uuid AS journey
        FROM unnest(ids) WITH ORDINALITY i (id, n) JOIN nurture.action a ON a.id = i.id
        CROSS JOIN LATERAL jsonb_each(a.draws) d
        LEFT JOIN nurture.coupon_pool p ON p.id = coalesce(d.value ->> 'pool', d.value #>> '{}')::int
        WHERE NOT a.payload ? d.key ORDER BY i.n, d.key
    LOOP
        act := need.action;
        pool := need.pool;
        CONTINUE WHEN act.id = ANY (later || dropped || delayed);
        IF pool.id IS NULL THEN
            dropped := dropped || act.id;
            drop_reasons := drop_reasons || 'the coupon pool was removed'::text;
            CONTINUE;
        END IF;
        found_code := NULL;
        is_fresh := false;
        -- What was given before, under any of the contact's keys.
        IF pool.one_per <> 'message' THEN
            IF NOT pg_try_advisory_xact_lock('nurture.coupon'::regclass::oid::int, hashtext(need.contact)) THEN
                later := later || act.id;
                CONTINUE;
            END IF;
            SELECT c.code INTO found_code FROM nurture.coupon c
            WHERE c.contact = ANY (nurture._keys_of(need.contact))
                AND c.pool = pool.name AND c.expires > moment + pool.valid_for
                AND (pool.one_per = 'contact'
                     OR CASE WHEN need.journey IS NULL THEN (c.workflow, c.journey) IS NOT DISTINCT FROM (act.workflow, act.journey)
                             ELSE c.of_journey = need.journey END)
            ORDER BY c.given_at DESC, c.code LIMIT 1;
        END IF;
        IF found_code IS NULL AND pool.enabled AND pool.id <> ALL (empty) THEN
            is_fresh := true;
            IF place_pool <> pool.id THEN
                place_pool := pool.id;
                place_expires := '-infinity';
                place_code := '';
            END IF;
            UPDATE nurture.coupon c
            SET contact = need.contact, given_at = moment, action = act.id, workflow = act.workflow, journey = act.journey,
                of_journey = need.journey
            WHERE (c.pool, c.code) = (
                SELECT f.pool, f.code FROM nurture.coupon f
                WHERE f.pool = pool.name AND f.contact IS NULL AND f.expires > moment + pool.valid_for
                    AND (f.expires, f.code) > (place_expires, place_code)
                ORDER BY f.expires, f.code LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING c.expires, c.code INTO place_expires, place_code;
            IF NOT FOUND THEN
                place_pool := 0;
                IF EXISTS (SELECT FROM nurture.coupon f WHERE f.pool = pool.name AND f.contact IS NULL AND f.expires > moment + pool.valid_for) THEN
                    later := later || act.id; -- another claim has them, and may give them back
                    CONTINUE;
                END IF;
                empty := empty || pool.id;
            END IF;
            found_code := place_code;
        END IF;
        IF found_code IS NULL AND (pool.when_empty = 'delay' OR NOT pool.enabled) THEN
            delayed := delayed || act.id;
            untils := untils || moment + pool.retry_after;
            delay_reasons := delay_reasons || format('coupon pool "%s" is %s', pool.name, CASE WHEN pool.enabled THEN 'empty' ELSE 'disabled' END);
        ELSIF found_code IS NULL AND pool.when_empty = 'drop' THEN
            dropped := dropped || act.id;
            drop_reasons := drop_reasons || format('coupon pool "%s" is empty', pool.name);
        ELSE
            drawn.actions := drawn.actions || act.id;
            drawn.names := drawn.names || need.name;
            drawn.pools := drawn.pools || pool.name::text;
            drawn.codes := drawn.codes || found_code;
            drawn.fresh := drawn.fresh || (is_fresh AND found_code IS NOT NULL);
        END IF;
    END LOOP;
    PERFORM nurture._stop_actions(moment, dropped, drop_reasons, delayed, untils, delay_reasons);
    drawn.settled := cardinality(later) = 0;
    drawn.passed := ARRAY(SELECT i.id FROM unnest(ids) WITH ORDINALITY i (id, n) WHERE i.id <> ALL (later || dropped || delayed) ORDER BY i.n);
    RETURN drawn;
END
$$;
COMMENT ON FUNCTION nurture._draw(uuid[], timestamptz) IS
    'gives codes to messages that a claim has locked; those for which there is none are delayed or dropped as the pool says';

-- After the guards: what they stopped was not handed out and gives its codes back; the others get theirs into the payload.
CREATE FUNCTION nurture._settle_draws(drawn nurture._drawn, passed uuid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    WITH code AS (
        SELECT d.pool, d.code, bool_or(d.fresh) AS fresh, (array_agg(d.action ORDER BY d.n) FILTER (WHERE d.action = ANY (passed)))[1] AS action
        FROM unnest(drawn.actions, drawn.pools, drawn.codes, drawn.fresh) WITH ORDINALITY d (action, pool, code, fresh, n)
        WHERE d.code IS NOT NULL GROUP BY d.pool, d.code
    )
    UPDATE nurture.coupon c
    SET action = o.action, contact = CASE WHEN o.action IS NOT NULL THEN c.contact END, given_at = CASE WHEN o.action IS NOT NULL THEN c.given_at END,
        workflow = CASE WHEN o.action IS NOT NULL THEN c.workflow END, journey = CASE WHEN o.action IS NOT NULL THEN c.journey END,
        of_journey = CASE WHEN o.action IS NOT NULL THEN c.of_journey END
    FROM code o WHERE o.fresh AND c.pool = o.pool AND c.code = o.code AND c.action IS DISTINCT FROM o.action;
    UPDATE nurture.action a SET payload = a.payload || d.given
    FROM (SELECT u.action, jsonb_object_agg(u.name, u.code) AS given FROM unnest(drawn.actions, drawn.names, drawn.codes) u (action, name, code)
          WHERE u.action = ANY (passed) GROUP BY u.action) d
    WHERE a.id = d.action;
END
$$;
COMMENT ON FUNCTION nurture._settle_draws(nurture._drawn, uuid[]) IS 'writes codes into the messages that are handed out, and takes back the others';

REVOKE ALL ON FUNCTION nurture._draw(uuid[], timestamptz), nurture._settle_draws(nurture._drawn, uuid[]) FROM PUBLIC;

CREATE VIEW nurture.coupon_stock AS
SELECT p.name AS pool, s.codes, s."left", s.given, s.expired, s."left" < p.low AS low, s.last_given_at
FROM nurture.coupon_pool p
CROSS JOIN LATERAL (
    SELECT count(*) AS codes,
           count(*) FILTER (WHERE c.contact IS NULL AND c.expires > nurture._now() + p.valid_for) AS "left",
           count(*) FILTER (WHERE c.contact IS NOT NULL) AS given,
           count(*) FILTER (WHERE c.contact IS NULL AND c.expires <= nurture._now() + p.valid_for) AS expired,
           max(c.given_at) AS last_given_at
    FROM nurture.coupon c WHERE c.pool = p.name) s;
COMMENT ON VIEW nurture.coupon_stock IS 'how many codes each pool has left';
COMMENT ON COLUMN nurture.coupon_stock.expired IS 'nobody got them, and nobody will: expired, or valid for too short';
COMMENT ON COLUMN nurture.coupon_stock.low IS 'fewer are left than the pool''s low says';
REVOKE ALL ON TABLE nurture.coupon_stock FROM PUBLIC;
