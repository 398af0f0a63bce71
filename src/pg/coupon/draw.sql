-- Drawing codes for messages that a claim has locked. All of it happens in the claim's transaction: a code is given when, and
-- only when, the message is handed to a sender, and it is written into the payload, which every later claim of the message
-- finds there. Nothing waits: codes that another claim holds are skipped, and a contact whose codes another claim is
-- looking at is left for later (an advisory lock, held to the end of the transaction; whoever gets it sees what was given).

CREATE TYPE nurture._drawn AS (passed uuid[], settled boolean, actions uuid[], names text[], pools text[], codes text[], fresh boolean[]);
COMMENT ON TYPE nurture._drawn IS
    'the messages that go on, whether none was left for later, and the codes for them side by side; fresh: given just now';

-- A code of the pool that nobody has, behind a place of the order in which they are given; NULL: there is none that is free.
CREATE FUNCTION nurture._take_coupon(of_pool nurture.coupon_pool, moment timestamptz, act nurture.action, contact text,
        INOUT place_expires timestamptz, INOUT place_code text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
UPDATE nurture.coupon c
SET contact = _take_coupon.contact, given_at = moment, action = act.id, workflow = act.workflow, journey = act.journey
WHERE (c.pool, c.code) = (
    SELECT f.pool, f.code FROM nurture.coupon f
    WHERE f.pool = of_pool.name AND f.contact IS NULL AND f.expires > moment + of_pool.valid_for
      AND (f.expires, f.code) > (place_expires, place_code)
    ORDER BY f.expires, f.code LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING c.expires, c.code
$$;
COMMENT ON FUNCTION nurture._take_coupon(nurture.coupon_pool, timestamptz, nurture.action, text, timestamptz, text) IS
    'gives the next free code of the pool to a contact';

-- The code that the contact, or the journey, has already.
CREATE FUNCTION nurture._own_coupon(of_pool nurture.coupon_pool, moment timestamptz, act nurture.action, contact text) RETURNS text
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT c.code FROM nurture.coupon c
WHERE c.contact = ANY (ARRAY(SELECT _own_coupon.contact UNION ALL SELECT o.key FROM nurture.identity o WHERE o.contact = _own_coupon.contact))
  AND c.pool = of_pool.name AND c.expires > moment + of_pool.valid_for
  AND (of_pool.one_per = 'contact' OR (c.workflow, c.journey) IS NOT DISTINCT FROM (act.workflow, act.journey))
ORDER BY c.given_at DESC, c.code LIMIT 1
$$;
COMMENT ON FUNCTION nurture._own_coupon(nurture.coupon_pool, timestamptz, nurture.action, text) IS
    'the code that was given before, under any of the contact''s keys';

CREATE FUNCTION nurture._draw(ids uuid[], moment timestamptz) RETURNS nurture._drawn
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    drawn nurture._drawn := ROW(ids, true, '{}', '{}', '{}', '{}', '{}');
    need record;
    found_code text;
    is_fresh boolean;
    place record;
    place_pool text := '';
    later uuid[] := '{}';
    empty text[] := '{}'; -- pools
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
        SELECT a AS action, d.key AS name, p AS pool, coalesce((SELECT k.contact FROM nurture.identity k WHERE k.key = a.contact), a.contact) AS contact
        FROM unnest(ids) WITH ORDINALITY i (id, n) JOIN nurture.action a ON a.id = i.id
        CROSS JOIN LATERAL jsonb_each_text(a.draws) d
        LEFT JOIN nurture.coupon_pool p ON p.id = d.value::int
        WHERE NOT a.payload ? d.key ORDER BY i.n, d.key
    LOOP
        CONTINUE WHEN (need.action).id = ANY (later || dropped || delayed);
        IF (need.pool).id IS NULL THEN
            dropped := dropped || (need.action).id;
            drop_reasons := drop_reasons || 'the coupon pool was removed'::text;
            CONTINUE;
        END IF;
        found_code := NULL;
        is_fresh := false;
        IF (need.pool).one_per <> 'message' THEN
            IF NOT pg_try_advisory_xact_lock('nurture.coupon'::regclass::oid::int, hashtext(need.contact)) THEN
                later := later || (need.action).id;
                CONTINUE;
            END IF;
            found_code := nurture._own_coupon(need.pool, moment, need.action, need.contact);
        END IF;
        IF found_code IS NULL AND (need.pool).enabled AND (need.pool).name <> ALL (empty) THEN
            is_fresh := true;
            -- Behind the code that was taken last: those before it are taken, too.
            IF place_pool <> (need.pool).name THEN
                place_pool := (need.pool).name;
                SELECT '-infinity'::timestamptz AS place_expires, ''::text AS place_code INTO place;
            END IF;
            SELECT t.* INTO place FROM nurture._take_coupon(need.pool, moment, need.action, need.contact, place.place_expires, place.place_code) t;
            IF place.place_code IS NULL THEN
                place_pool := '';
                IF EXISTS (SELECT FROM nurture.coupon f WHERE f.pool = (need.pool).name AND f.contact IS NULL AND f.expires > moment + (need.pool).valid_for) THEN
                    later := later || (need.action).id; -- another claim has them, and may give them back
                    CONTINUE;
                END IF;
                empty := empty || (need.pool).name::text;
            END IF;
            found_code := place.place_code;
        END IF;
        IF found_code IS NULL AND ((need.pool).when_empty = 'delay' OR NOT (need.pool).enabled) THEN
            delayed := delayed || (need.action).id;
            untils := untils || moment + (need.pool).retry_after;
            delay_reasons := delay_reasons || format('coupon pool "%s" is empty', (need.pool).name);
        ELSIF found_code IS NULL AND (need.pool).when_empty = 'drop' THEN
            dropped := dropped || (need.action).id;
            drop_reasons := drop_reasons || format('coupon pool "%s" is empty', (need.pool).name);
        ELSE
            drawn.actions := drawn.actions || (need.action).id;
            drawn.names := drawn.names || need.name;
            drawn.pools := drawn.pools || (need.pool).name::text;
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
        workflow = CASE WHEN o.action IS NOT NULL THEN c.workflow END, journey = CASE WHEN o.action IS NOT NULL THEN c.journey END
    FROM code o WHERE o.fresh AND c.pool = o.pool AND c.code = o.code AND c.action IS DISTINCT FROM o.action;
    UPDATE nurture.action a SET payload = a.payload || d.given
    FROM (SELECT u.action, jsonb_object_agg(u.name, u.code) AS given FROM unnest(drawn.actions, drawn.names, drawn.codes) u (action, name, code)
          WHERE u.action = ANY (passed) GROUP BY u.action) d
    WHERE a.id = d.action;
END
$$;
COMMENT ON FUNCTION nurture._settle_draws(nurture._drawn, uuid[]) IS 'writes codes into the messages that are handed out, and takes back the others';

REVOKE ALL ON FUNCTION nurture._take_coupon(nurture.coupon_pool, timestamptz, nurture.action, text, timestamptz, text),
    nurture._own_coupon(nurture.coupon_pool, timestamptz, nurture.action, text), nurture._draw(uuid[], timestamptz),
    nurture._settle_draws(nurture._drawn, uuid[]) FROM PUBLIC;

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
