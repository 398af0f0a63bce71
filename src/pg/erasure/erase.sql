-- Erasing a person: one transaction, every row of every table, counted. It takes the engine's lock, so that no tick is at work meanwhile,
-- and touches the engine's row, so that a tick whose snapshot is older begins again (40001). docs/erasure.md tells what becomes of what.

CREATE FUNCTION nurture._counted(counts jsonb, relation text, rows bigint) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN rows = 0 THEN counts
                ELSE counts || jsonb_build_object(relation, coalesce((counts ->> relation)::bigint, 0) + rows) END;
COMMENT ON FUNCTION nurture._counted(jsonb, text, bigint) IS 'the counts, with so many rows more of a table';

CREATE FUNCTION nurture._sum_of_counts(a jsonb, b jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce(jsonb_object_agg(r.relation, r.rows), '{}')
FROM (SELECT e.key AS relation, sum(e.value::bigint) AS rows
      FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) e (key, value) GROUP BY e.key) r
$$;
COMMENT ON FUNCTION nurture._sum_of_counts(jsonb, jsonb) IS 'counts of rows by table, added up';

-- What a sender has in its hands stays, empty and nobody's: its completion is accepted; should it fail, or never be heard of, it is
-- cancelled. Claims take rows that are ready, completions those that are claimed, both while we look: so we look until there are none.
CREATE FUNCTION nurture._erase_actions(keys text[], alias text, OUT rows bigint, OUT withdrawn bigint, OUT in_flight bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    moment CONSTANT timestamptz := nurture._now();
    taken bigint;
BEGIN
    rows := 0;
    withdrawn := 0;
    in_flight := 0;
    LOOP
        WITH held AS (
            UPDATE nurture.action a SET contact = '', payload = '{}', draws = NULL, reason = NULL
            WHERE a.contact = ANY (keys) AND a.status = 'claimed' RETURNING a.id
        ), told_before AS (
            DELETE FROM nurture.action_cancel c USING held h WHERE c.id = h.id
        )
        INSERT INTO nurture.action_cancel (id, contact, reason, at) SELECT h.id, '', 'erased', moment FROM held h;
        GET DIAGNOSTICS taken = ROW_COUNT;
        in_flight := in_flight + taken;
        IF alias IS NULL THEN
            DELETE FROM nurture.action a WHERE a.contact = ANY (keys) AND a.status = 'ready';
        ELSE -- the id is a hash of the key
            UPDATE nurture.action a SET id = gen_random_uuid(), contact = alias, payload = '{}', draws = NULL, receipt = NULL,
                status = 'cancelled', reason = 'erased'
            WHERE a.contact = ANY (keys) AND a.status = 'ready';
        END IF;
        GET DIAGNOSTICS taken = ROW_COUNT;
        withdrawn := withdrawn + taken;
        rows := rows + taken;
        IF alias IS NULL THEN
            DELETE FROM nurture.action a WHERE a.contact = ANY (keys) AND a.status NOT IN ('ready', 'claimed');
        ELSE
            UPDATE nurture.action a SET id = gen_random_uuid(), contact = alias, payload = '{}', draws = NULL, receipt = NULL, reason = NULL
            WHERE a.contact = ANY (keys) AND a.status NOT IN ('ready', 'claimed');
        END IF;
        GET DIAGNOSTICS taken = ROW_COUNT;
        rows := rows + taken;
        EXIT WHEN NOT EXISTS (SELECT FROM nurture.action a WHERE a.contact = ANY (keys));
    END LOOP;
    rows := rows + in_flight;
END
$$;
COMMENT ON FUNCTION nurture._erase_actions(text[], text) IS
    'deletes the actions of a contact (alias: or keeps them under that name), and empties those that a sender has in its hands';

-- For statistics: what happened when, under a name that leads to nobody; nothing of what was said.
CREATE FUNCTION nurture._anonymise_history(keys text[], names text[], alias text) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    counts jsonb := '{}';
    taken bigint;
BEGIN
    -- What was under way ends, so that nobody is counted as still there; where the contact's time stood, so that nothing leads from the
    -- time of the certificate to the history.
    INSERT INTO nurture.transition (tick, contact, n, at, kind, name, version, step, cause, detail)
    SELECT coalesce((SELECT max(x.tick) FROM nurture.transition x WHERE x.contact = ANY (keys)), 0), keys[1],
           1000000000 + row_number() OVER (ORDER BY o.kind, o.name, o.instance), s.clock, o.kind, o.name, o.version, o.step, 'erased', o.detail
    FROM (SELECT nurture._clock(c.state) AS clock FROM nurture.contact c WHERE c.contact = keys[1] AND nurture._damage(c.state) IS NULL OFFSET 0) s
    CROSS JOIN (SELECT 'journey ended' AS kind, j.workflow AS name, j.version, j.step, j.instance,
                 jsonb_strip_nulls(jsonb_build_object('reason', 'erased', 'instance', nullif(j.instance, 1))) AS detail
          FROM nurture.contact c, nurture._current_model m, LATERAL nurture._journeys(m.model, c.state) j
          WHERE c.contact = keys[1] AND nurture._damage(c.state) IS NULL AND j.branch IS NULL
          UNION ALL
          SELECT 'segment left', m.segment, NULL, NULL, NULL, NULL FROM nurture.membership m WHERE m.contact = keys[1]) o;
    UPDATE nurture.event_log l SET contact = alias, key = alias, kind = CASE WHEN l.kind = '$engine' THEN l.kind END, props = '{}', message_id = NULL
    WHERE l.contact = ANY (names) AND l.key = ANY (keys) AND l.type NOT IN ('$alias', '$unmerge', '$merge', '$split');
    GET DIAGNOSTICS taken = ROW_COUNT;
    counts := nurture._counted(counts, 'event_log', taken);
    -- Two of its names may have changed in one tick.
    UPDATE nurture.transition t SET contact = alias, n = o.n
    FROM (SELECT x.contact, x.tick, x.n AS was, row_number() OVER (PARTITION BY x.tick ORDER BY x.at, x.contact, x.n) AS n
          FROM nurture.transition x WHERE x.contact = ANY (keys)) o
    WHERE t.contact = o.contact AND t.tick = o.tick AND t.n = o.was;
    GET DIAGNOSTICS taken = ROW_COUNT;
    RETURN nurture._counted(counts, 'transition', taken);
END
$$;
COMMENT ON FUNCTION nurture._anonymise_history(text[], text[], text) IS 'gives a contact''s events and transitions another name, and empties them';

-- The contact's names in rows that are others'. Those from whom it was told apart were one with it: their states are kept as they are
-- (see nurture.base), for the log cannot tell any more how they came about; and where the log has their events under the contact's
-- name, it gets another that leads to nobody.
CREATE FUNCTION nurture._erase_from_others(keys text[], others text[]) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    aliases CONSTANT jsonb := (SELECT jsonb_object_agg(k.key, 'erased-' || gen_random_uuid()) FROM unnest(keys) k (key));
    -- Whoever said that one of the keys was his.
    said text[] := others || ARRAY(SELECT DISTINCT n.name FROM nurture.identity_conflict c CROSS JOIN LATERAL (VALUES (c.contact), (c.other_contact)) n (name)
                                   WHERE (c.key = ANY (keys) OR c.other_key = ANY (keys)) AND n.name <> ALL (keys));
    counts jsonb := '{}';
    taken bigint;
BEGIN
    IF EXISTS (SELECT FROM nurture.backfill b WHERE b.state IN ('folding', 'merging')) THEN
        UPDATE nurture.contact c
        SET state = nurture._with_all_past(c.contact, c.state, (SELECT m.model FROM nurture._current_model m), false)
        WHERE c.contact = ANY (others);
    END IF;
    IF others <> '{}' THEN
        PERFORM nurture._keep_base(others);
        -- Also merges among the others: the state that was merged may have been one with the contact's.
        DELETE FROM nurture.event_log l
        WHERE l.contact = ANY (others) AND l.type IN ('$merge', '$split') AND l.props ->> 'contact' = ANY (keys || others);
        GET DIAGNOSTICS taken = ROW_COUNT;
        counts := nurture._counted(counts, 'event_log', taken);
        UPDATE nurture.event_log l SET contact = aliases ->> l.contact WHERE l.contact = ANY (keys) AND l.key <> ALL (keys);
        GET DIAGNOSTICS taken = ROW_COUNT;
        counts := nurture._counted(counts, 'event_log', taken);
        UPDATE nurture.consent_proof l SET contact = aliases ->> l.contact WHERE l.contact = ANY (keys) AND l.key <> ALL (keys);
        GET DIAGNOSTICS taken = ROW_COUNT;
        counts := nurture._counted(counts, 'consent_proof', taken);
        UPDATE nurture.identity_history h SET contact = aliases ->> h.contact WHERE h.contact = ANY (keys) AND h.key <> ALL (keys);
        GET DIAGNOSTICS taken = ROW_COUNT;
        counts := nurture._counted(counts, 'identity_history', taken);
        UPDATE nurture.merge_log m
        SET loser = coalesce(aliases ->> m.loser, m.loser), winner = coalesce(aliases ->> m.winner, m.winner),
            key = coalesce(aliases ->> m.key, m.key), other_key = coalesce(aliases ->> m.other_key, m.other_key),
            keys = ARRAY(SELECT coalesce(aliases ->> k.key, k.key) FROM unnest(m.keys) WITH ORDINALITY k (key, n) ORDER BY k.n),
            winner_state = NULL, loser_state = NULL
        WHERE (m.loser = ANY (keys || others) OR m.winner = ANY (keys || others)) AND NOT (m.loser = ANY (keys) AND m.winner = ANY (keys));
        GET DIAGNOSTICS taken = ROW_COUNT;
        counts := nurture._counted(counts, 'merge_log', taken);
        -- On its way to another: a state that is the other's own.
        UPDATE nurture._waiting w
        SET props = w.props || jsonb_build_object('contact', aliases ->> (w.props ->> 'contact'), 'key', coalesce(aliases ->> (w.props ->> 'key'), w.props ->> 'key'))
        WHERE w.contact = ANY (others) AND w.type = '$split' AND w.props ->> 'contact' = ANY (keys);
        GET DIAGNOSTICS taken = ROW_COUNT;
        counts := nurture._counted(counts, '_waiting', taken);
    END IF;
    UPDATE nurture.event_log l SET props = CASE WHEN l.type = '$alias' THEN '{}' ELSE l.props - '$keys' END
    WHERE l.contact = ANY (said) AND (l.type = '$alias' OR l.type = '$identify' AND l.props ? '$keys')
      AND nurture._named_keys(l.type, l.props) && keys;
    GET DIAGNOSTICS taken = ROW_COUNT;
    RETURN nurture._counted(counts, 'event_log', taken);
END
$$;
COMMENT ON FUNCTION nurture._erase_from_others(text[], text[]) IS 'removes a contact''s names from what is known of others';

CREATE FUNCTION nurture._erase_rows(keys text[], names text[]) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET nurture_tick.lists = 'told' AS $$
#variable_conflict use_variable
DECLARE
    counts jsonb := '{}';
    place record;
    taken bigint;
BEGIN
    FOR place IN SELECT p.* FROM nurture._person_rows() p LOOP
        EXECUTE format('DELETE FROM nurture.%I WHERE %s', place.relation, place.condition) USING keys, names;
        GET DIAGNOSTICS taken = ROW_COUNT;
        counts := nurture._counted(counts, place.relation, taken);
    END LOOP;
    -- Whoever has come as far as the contact has come as far as the one before it.
    FOR place IN SELECT b.* FROM nurture._bookmarks() b LOOP
        EXECUTE format('UPDATE nurture.%1$I b SET %2$I = coalesce((SELECT max(c.contact) FROM nurture.contact c WHERE c.contact < b.%2$I), '''')
                        WHERE b.%2$I = ANY ($1)', place.relation, place.bookmark) USING keys;
    END LOOP;
    RETURN counts;
END
$$;
COMMENT ON FUNCTION nurture._erase_rows(text[], text[]) IS 'deletes all rows of a contact; returns how many by table';

-- HMAC's key is 32 random bytes, and zeros up to a block of 64; its inner pad is that XOR 0x36, its outer XOR 0x5c.
CREATE FUNCTION nurture._make_erasure_secret() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    inner_pad bytea := nurture._random_256() || decode(repeat('00', 32), 'hex');
    outer_pad bytea := inner_pad;
BEGIN
    IF EXISTS (SELECT FROM nurture.erasure_secret) THEN
        RETURN;
    END IF;
    FOR i IN 0..63 LOOP
        inner_pad := set_byte(inner_pad, i, get_byte(inner_pad, i) # 54);
        outer_pad := set_byte(outer_pad, i, get_byte(outer_pad, i) # 92);
    END LOOP;
    INSERT INTO nurture.erasure_secret (inner_pad, outer_pad) VALUES (inner_pad, outer_pad);
END
$$;
COMMENT ON FUNCTION nurture._make_erasure_secret() IS 'makes the secret under which keys are hashed, once';

CREATE FUNCTION nurture.erase(contact text, reason text DEFAULT NULL, anonymise boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    keys text[];
    names text[];
    alias text := CASE WHEN anonymise THEN gen_random_uuid() END;
    actions record;
    counts jsonb := '{}';
    taken bigint;
    made nurture.erasure;
BEGIN
    IF contact IS NULL OR contact = '' OR octet_length(contact) > 512 THEN
        RAISE EXCEPTION 'contact must be a key of 1 to 512 bytes' USING ERRCODE = 'invalid_parameter_value';
    ELSIF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'erase needs isolation level READ COMMITTED' USING ERRCODE = 'feature_not_supported',
            DETAIL = 'An older snapshot does not see what was written meanwhile.', HINT = 'Erase in a transaction of its own.';
    END IF;
    PERFORM pg_advisory_xact_lock('nurture.engine'::regclass::oid::int, 1); -- before the engine's, as whoever backfills
    -- Senders that have some of the actions open are waited for here, while ticks go on.
    PERFORM FROM nurture.action a WHERE a.contact = ANY (nurture._keys_of(nurture.contact_of(contact))) ORDER BY a.id FOR UPDATE;
    PERFORM nurture._lock_engine();
    UPDATE nurture.engine e SET tick = e.tick;
    PERFORM nurture._make_erasure_secret();
    keys := ARRAY(SELECT k.key FROM unnest(nurture._keys_of(nurture.contact_of(contact))) WITH ORDINALITY k (key, n) GROUP BY k.key ORDER BY min(k.n));
    names := nurture._names_about(keys[1]);

    SELECT * INTO actions FROM nurture._erase_actions(keys, alias);
    counts := nurture._counted(counts, 'action', actions.rows);
    UPDATE nurture.action_cancel c SET contact = '' WHERE c.contact = ANY (keys);
    GET DIAGNOSTICS taken = ROW_COUNT;
    counts := nurture._counted(counts, 'action_cancel', taken);
    UPDATE nurture.coupon c SET contact = '', action = NULL, of_journey = NULL WHERE c.contact = ANY (keys); -- the code stays given
    GET DIAGNOSTICS taken = ROW_COUNT;
    counts := nurture._counted(counts, 'coupon', taken);
    counts := nurture._sum_of_counts(counts, nurture._erase_from_others(keys, ARRAY(SELECT n.name FROM unnest(names) n (name) WHERE n.name <> ALL (keys))));
    IF anonymise THEN
        counts := nurture._sum_of_counts(counts, nurture._anonymise_history(keys, names, alias));
    END IF;
    counts := nurture._sum_of_counts(counts, nurture._erase_rows(keys, names));

    INSERT INTO nurture.erasure (key_hashes, at, reason, anonymised, withdrawn, in_flight, rows)
    SELECT ARRAY(SELECT nurture.erasure_hash(k.key) FROM unnest(keys) WITH ORDINALITY k (key, n) ORDER BY k.n), nurture._now(), reason,
           anonymise, actions.withdrawn, actions.in_flight, counts
    RETURNING * INTO made;
    INSERT INTO nurture.erased_key (key_hash, erasure, since) SELECT h.hash, made.id, made.at FROM unnest(made.key_hashes) h (hash)
    ON CONFLICT (key_hash) DO UPDATE SET erasure = excluded.erasure, since = excluded.since;
    RETURN jsonb_build_object('erasure', made.id, 'at', made.at, 'keys', cardinality(keys), 'anonymised', made.anonymised,
                              'withdrawn', made.withdrawn, 'in_flight', made.in_flight, 'rows', made.rows);
END
$$;
COMMENT ON FUNCTION nurture.erase(text, text, boolean) IS
    'erases a contact with all its keys from every table, ends its journeys and withdraws its actions, in this transaction; keeps a certificate '
    '(nurture.erasure) and returns it. Nothing is taken of the keys any more until nurture.allow_again. anonymise: events, transitions and actions stay under a random key, empty';

REVOKE ALL ON FUNCTION nurture._erase_actions(text[], text), nurture._anonymise_history(text[], text[], text),
    nurture._erase_from_others(text[], text[]), nurture._erase_rows(text[], text[]), nurture._make_erasure_secret(), nurture.erase(text, text, boolean) FROM PUBLIC;
