-- After the steps of a batch with a barrier: who is somebody else from now on, and the states on their way.

-- Every name under which the log may hold something of a contact; NULL: it was never merged.
CREATE FUNCTION nurture._names_of(contact text) RETURNS text[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF NOT EXISTS (SELECT FROM nurture.merge_log m WHERE m.winner = contact)
        AND NOT EXISTS (SELECT FROM nurture.merge_log m WHERE m.loser = contact) THEN
        RETURN NULL;
    END IF;
    RETURN (WITH RECURSIVE name (name) AS (
                SELECT contact COLLATE "C"
                UNION
                SELECT x.name FROM name n CROSS JOIN LATERAL (
                    SELECT m.loser FROM nurture.merge_log m WHERE m.winner = n.name
                    UNION ALL
                    SELECT m.winner FROM nurture.merge_log m WHERE m.loser = n.name) x (name)
            ) SELECT array_agg(n.name) FROM name n);
END
$$;
COMMENT ON FUNCTION nurture._names_of(text) IS 'every name under which the log may hold something of a contact; NULL: its own only';

-- Whose a key was before a tick (NULL: whose it is today).
CREATE FUNCTION nurture._contact_before(key text, tick bigint) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN tick IS NULL THEN coalesce((SELECT i.contact FROM nurture.identity i WHERE i.key = _contact_before.key), key)
            ELSE coalesce((SELECT h.contact FROM nurture.identity_history h
                           WHERE h.key = _contact_before.key AND h.tick < _contact_before.tick ORDER BY h.tick DESC LIMIT 1), key) END
$$;
COMMENT ON FUNCTION nurture._contact_before(text, bigint) IS 'the contact that a key belonged to before a tick; NULL: belongs to today';

-- The contact's events, those of the keys that it has taken over among them. Of what was told by hand only its own: the rest
-- came with the merge.
CREATE FUNCTION nurture._log_of(contact text, before_tick bigint DEFAULT NULL) RETURNS SETOF nurture.event_log
    LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_variable
DECLARE
    names CONSTANT text[] := nurture._names_of(contact);
BEGIN
    IF names IS NULL THEN
        RETURN QUERY SELECT l.* FROM nurture.event_log l WHERE l.contact = contact AND (before_tick IS NULL OR l.tick < before_tick);
    ELSE
        RETURN QUERY SELECT l.* FROM nurture.event_log l
        WHERE l.contact = ANY (names) AND (before_tick IS NULL OR l.tick < before_tick)
          AND (l.contact = contact OR l.type <> '$adjust' AND l.kind IS DISTINCT FROM '$identity')
          AND nurture._contact_before(l.key, before_tick) = contact;
    END IF;
END
$$;
COMMENT ON FUNCTION nurture._log_of(text, bigint) IS
    'the events of a contact under all its keys, as they are today or (before_tick) were before a tick';

-- Contacts that had their past of a feature from elsewhere than the backfill's ranges.
CREATE TABLE nurture._past_done (
    from_tick bigint NOT NULL,
    contact text COLLATE "C" NOT NULL,
    PRIMARY KEY (from_tick, contact)
);
COMMENT ON TABLE nurture._past_done IS 'contacts that were merged while a backfill was running: they have had their past already';
REVOKE ALL ON TABLE nurture._past_done FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('nurture._past_done', '');

-- While a backfill runs a contact that is about to be merged gets its past at once: both halves of the merged one are whole
-- then, whichever of them the ranges have come past. `folded`: the state was just made from the log, which knows no past.
CREATE FUNCTION nurture._with_all_past(contact text, state nurture.profile, model nurture.compiled_model, folded boolean)
    RETURNS nurture.profile
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    job nurture.backfill;
BEGIN
    FOR job IN SELECT b.* FROM nurture.backfill b WHERE b.state IN ('folding', 'merging') ORDER BY b.from_tick LOOP
        IF NOT folded AND (contact <= job.behind_key
            OR EXISTS (SELECT FROM nurture._past_done d WHERE d.from_tick = job.from_tick AND d.contact = contact)) THEN
            CONTINUE;
        END IF;
        state := coalesce(nurture._with_past(model, state, (
            SELECT r.parts
            FROM (SELECT nurture._past(model, job.from_tick, contact, l.type, l.at, l.props, l.tick, l.n) AS pasts
                  FROM nurture._log_of(contact) l
                  WHERE l.type = ANY (nurture._past_types(model, job.from_tick)) OR '' = ANY (nurture._past_types(model, job.from_tick))) p
            CROSS JOIN LATERAL nurture._past_rows(p.pasts) r)), state);
        INSERT INTO nurture._past_done (from_tick, contact) VALUES (job.from_tick, contact) ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN state;
END
$$;
COMMENT ON FUNCTION nurture._with_all_past(text, nurture.profile, nurture.compiled_model, boolean) IS
    'a state with the past of the features that are being backfilled';

-- What was said and connected nothing. A message that waits is looked at again.
CREATE FUNCTION nurture._note_conflicts(this_tick bigint) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off AS $$
INSERT INTO nurture.identity_conflict (at, tick, key, kind, other_key, other_kind, contact, other_contact, reason)
SELECT c.received_at, this_tick, c.key, c.kind, c.other, c.of_kind, c.whose, c.whose_other, c.why
FROM (SELECT DISTINCT ON (l.key, l.other) l.*, coalesce(p.contact, l.contact) AS whose, p.other AS whose_other,
             coalesce(l.reason, CASE WHEN p.what = 'conflict'
                                     THEN format('"%s" and "%s" would have more keys of kind %s than one contact may have', p.contact, p.other, p.kind)
                                     ELSE format('contact "%s" was quarantined', coalesce((SELECT min(s.contact) FROM nurture._stepped s
                                         WHERE s.contact IN (p.contact, p.other) AND s.failure IS NOT NULL), p.contact)) END) AS why
      FROM nurture._link l
      LEFT JOIN nurture._planned p ON p.link = l.n AND p.what IN ('conflict', 'failed')
      WHERE (l.reason IS NOT NULL OR p.what IS NOT NULL)
        AND EXISTS (SELECT FROM nurture._batch b WHERE b.contact = l.contact AND b.ordinal = l.ordinal AND NOT nurture._is_untaken(b))
        -- Said again it is no news.
        AND (SELECT c.id FROM nurture.identity_conflict c
             WHERE c.key = l.key AND c.other_key IS NOT DISTINCT FROM l.other AND c.status <> 'merged' LIMIT 1) IS NULL
      ORDER BY l.key, l.other, l.n) c
ORDER BY c.n
$$;
COMMENT ON FUNCTION nurture._note_conflicts(bigint) IS 'notes links that connected nothing';

CREATE FUNCTION nurture._make_merges(model nurture.compiled_model, this_tick bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off
    SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    carried record;
BEGIN
    IF EXISTS (SELECT FROM nurture.backfill b WHERE b.state IN ('folding', 'merging')) THEN
        FOR carried IN
            SELECT c.contact, c.state FROM nurture.contact c
            WHERE c.contact IN (SELECT unnest(ARRAY[p.contact, p.other]) FROM nurture._planned p WHERE p.what = 'merge')
        LOOP
            UPDATE nurture.contact c SET state = nurture._with_all_past(carried.contact, carried.state, model, false)
            WHERE c.contact = carried.contact;
        END LOOP;
        INSERT INTO nurture._past_done (from_tick, contact)
        SELECT b.from_tick, p.contact FROM nurture.backfill b, nurture._planned p
        WHERE b.state IN ('folding', 'merging') AND p.what = 'merge' ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO nurture.merge_log (loser, tick, winner, at, key, other_key, keys, winner_state, loser_state)
    SELECT p.other, this_tick, p.contact, l.received_at, l.key, l.other,
           ARRAY(SELECT p.other UNION SELECT i.key FROM nurture.identity i WHERE i.contact = p.other ORDER BY 1), w.state, c.state
    FROM nurture._planned p JOIN nurture._link l ON l.n = p.link
    LEFT JOIN nurture.contact w ON w.contact = p.contact LEFT JOIN nurture.contact c ON c.contact = p.other
    WHERE p.what = 'merge';
    -- The states on their way. They lie behind the message that connects, before everything told later.
    INSERT INTO nurture._waiting (contact, type, at, props, kind, received_at, history, place, sub)
    SELECT p.contact, '$merge', l.at,
           jsonb_build_object('contact', p.other, 'key', l.key, 'other', l.other, 'state', c.state::text)
           || coalesce((SELECT jsonb_build_object('rules', r.rules) FROM nurture._survivorship_rules() r (rules) WHERE r.rules IS NOT NULL), '{}'),
           '$identity', l.received_at, l.history, l.place, l.n
    FROM nurture._planned p JOIN nurture._link l ON l.n = p.link JOIN nurture.contact c ON c.contact = p.other
    WHERE p.what = 'merge';
    -- What is kept of an earlier part of the log is made anew when the state has come.
    INSERT INTO nurture.base (contact, state, until_tick, last_feature, model)
    SELECT w.contact, w.state, this_tick, coalesce((SELECT max(f.id) FROM nurture.feature f), 0), w.model
    FROM nurture.contact w
    WHERE w.contact IN (SELECT p.contact FROM nurture._planned p JOIN nurture.base b ON b.contact = p.other WHERE p.what = 'merge')
    ON CONFLICT (contact) DO NOTHING;
    DELETE FROM nurture.base b USING nurture._planned p WHERE p.what = 'merge' AND b.contact = p.other;
    -- From now on the keys are the winner's.
    INSERT INTO nurture.identity_history (key, tick, contact)
    SELECT k.key, this_tick, m.winner FROM nurture.merge_log m CROSS JOIN LATERAL unnest(m.keys) k (key)
    WHERE (m.loser, m.tick) IN (SELECT p.other, this_tick FROM nurture._planned p WHERE p.what = 'merge');
    UPDATE nurture.identity i SET contact = p.contact, tick = this_tick
    FROM nurture._planned p WHERE p.what = 'merge' AND i.contact = p.other;
    INSERT INTO nurture.identity (kind, key, contact, since, tick)
    SELECT nullif(CASE WHEN l.key = p.other THEN l.kind WHEN l.other = p.other THEN l.of_kind ELSE 'user' END, 'user'), p.other, p.contact,
           l.received_at, this_tick
    FROM nurture._planned p JOIN nurture._link l ON l.n = p.link WHERE p.what = 'merge'
    ON CONFLICT (key) DO NOTHING;
    INSERT INTO nurture.identity (kind, key, contact, since, tick)
    SELECT DISTINCT ON (k.key) k.kind, k.key, k.key, l.received_at, this_tick
    FROM nurture._planned p JOIN nurture._link l ON l.n = p.link
    CROSS JOIN LATERAL (VALUES (l.key, l.kind), (l.other, l.of_kind)) k (key, kind)
    WHERE p.what = 'merge' AND k.key = p.contact AND k.kind <> 'user' ORDER BY k.key, l.n
    ON CONFLICT (key) DO NOTHING;
    -- What must not be sent to the one must not be sent to the other. What was said later binds under the key as long as it is
    -- the winner's: it may be told apart again before that.
    INSERT INTO nurture.suppression (contact, channel, purpose, reason, since, until, transactional, source)
    SELECT p.contact, s.channel, s.purpose, s.reason, s.since, s.until, s.transactional, s.source
    FROM nurture._planned p JOIN nurture._link l ON l.n = p.link JOIN nurture.suppression s ON s.contact = p.other
    WHERE p.what = 'merge' AND s.since <= l.received_at;
    DELETE FROM nurture.membership_entry e USING nurture._planned p WHERE p.what = 'merge' AND e.contact = p.other;
    DELETE FROM nurture.contact c USING nurture._planned p WHERE p.what = 'merge' AND c.contact = p.other;
END
$$;
COMMENT ON FUNCTION nurture._make_merges(nurture.compiled_model, bigint) IS 'makes the planned merges: keys, states on their way, the log of merges';

-- The last merge that brought the key where it is comes undone. Both contacts are what the log says of their own keys.
CREATE FUNCTION nurture._make_splits(model nurture.compiled_model, this_tick bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    told record;
    done nurture.merge_log;
    stored nurture.profile;
    moment timestamptz;
    remains nurture.profile;
    apart nurture.profile;
BEGIN
    FOR told IN SELECT l.* FROM nurture._planned p JOIN nurture._link l ON l.n = p.link WHERE p.what = 'split' ORDER BY l.n LOOP
        SELECT m.* INTO done FROM nurture.merge_log m
        WHERE m.winner = told.contact AND m.undone_tick IS NULL AND told.key = ANY (m.keys) ORDER BY m.tick DESC LIMIT 1;
        SELECT c.state INTO stored FROM nurture.contact c WHERE c.contact = told.contact;
        IF EXISTS (SELECT FROM nurture.base b WHERE b.contact = told.contact) THEN
            UPDATE nurture._link l SET reason = 'the log from before the merge is no longer kept' WHERE l.n = told.n;
            CONTINUE;
        END IF;
        UPDATE nurture.merge_log m SET undone_tick = this_tick, undone_at = told.received_at
        WHERE m.loser = done.loser AND m.tick = done.tick;
        INSERT INTO nurture.identity_history (key, tick, contact)
        SELECT i.key, this_tick, done.loser FROM nurture.identity i WHERE i.key = ANY (done.keys) AND i.contact = told.contact;
        UPDATE nurture.identity i SET contact = done.loser, tick = this_tick WHERE i.key = ANY (done.keys) AND i.contact = told.contact;
        DELETE FROM nurture.identity i WHERE i.key = done.loser AND i.kind IS NULL;
        CONTINUE WHEN stored IS NULL;
        moment := nurture._clock(stored);
        remains := nurture._with_all_past(told.contact, nurture._folded(model, told.contact, moment), model, true);
        apart := nurture._with_all_past(done.loser, nurture._folded(model, done.loser, moment), model, true);
        remains := coalesce(nurture._remaining(remains, stored, done.loser_state), remains);
        apart := coalesce(nurture._told_apart(apart, done.loser_state, stored), apart);
        INSERT INTO nurture._waiting (contact, type, at, props, kind, received_at, history, place, sub)
        SELECT w.contact, '$split', told.at, jsonb_build_object('contact', w.other, 'key', told.key, 'state', w.state::text),
               '$identity', told.received_at, told.history, told.place, told.n
        FROM (VALUES (told.contact, done.loser, remains), (done.loser, told.contact, apart)) w (contact, other, state);
    END LOOP;
END
$$;
COMMENT ON FUNCTION nurture._make_splits(nurture.compiled_model, bigint) IS 'tells contacts apart again that were merged';

-- All that a batch with links leaves to be done. `barrier`: there were merges to be made.
CREATE FUNCTION nurture._finish_merges(model nurture.compiled_model, this_tick bigint, barrier boolean, failed bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF barrier THEN
        IF failed > 0 THEN
            UPDATE nurture._planned p SET what = 'failed'
            WHERE p.what IN ('merge', 'split')
              AND (p.contact IN (SELECT s.contact FROM nurture._stepped s WHERE s.failure IS NOT NULL)
                   OR p.other IN (SELECT s.contact FROM nurture._stepped s WHERE s.failure IS NOT NULL));
        END IF;
        IF EXISTS (SELECT FROM nurture._planned p WHERE p.what = 'merge') THEN
            PERFORM nurture._make_merges(model, this_tick);
        END IF;
        PERFORM nurture._make_splits(model, this_tick);
    END IF;
    PERFORM nurture._note_conflicts(this_tick);
    DELETE FROM nurture._decided d USING nurture._batch b WHERE b.message_id = d.message_id AND b.ordinal > 0 AND NOT nurture._is_untaken(b);
    DELETE FROM nurture._link;
    DELETE FROM nurture._planned;
END
$$;
COMMENT ON FUNCTION nurture._finish_merges(nurture.compiled_model, bigint, boolean, bigint) IS 'makes what the batch''s links have come to';

-- A contact that has taken another's state is the beginning from which it is recomputed, where its log is not complete.
CREATE FUNCTION nurture._renew_bases(this_tick bigint) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
UPDATE nurture.base b
SET state = c.state, until_tick = this_tick, last_feature = coalesce((SELECT max(f.id) FROM nurture.feature f), 0), model = c.model
FROM nurture.contact c
WHERE c.contact = b.contact AND b.contact IN (SELECT m.contact FROM nurture._batch m WHERE m.type IN ('$merge', '$split'))
$$;
COMMENT ON FUNCTION nurture._renew_bases(bigint) IS 'keeps the states of contacts that have just been merged, where part of their log is gone';
REVOKE ALL ON FUNCTION nurture._names_of(text), nurture._contact_before(text, bigint), nurture._log_of(text, bigint),
    nurture._with_all_past(text, nurture.profile, nurture.compiled_model, boolean), nurture._note_conflicts(bigint),
    nurture._make_merges(nurture.compiled_model, bigint), nurture._make_splits(nurture.compiled_model, bigint),
    nurture._finish_merges(nurture.compiled_model, bigint, boolean, bigint), nurture._renew_bases(bigint) FROM PUBLIC;
